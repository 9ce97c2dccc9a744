//! The check-up: what an operator can read and act on. It changes nothing, and names nobody.

use std::path::Path;
use std::time::Duration;

use super::client::Server;
use super::folder_of;
use crate::clock::{Clock, SLACK, Time};
use crate::config::{Config, Key};
use crate::kit::{FINGERPRINT, fingerprint};
use crate::store::{Bare, Location, StoreError, Tx, ahead, pause, sites, survey};
use crate::zone::Zone;

/// How well something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// As it should be.
    Ok,
    /// Look at it.
    Warn,
    /// Messages may be lost, sent twice or not sent.
    Fail,
}

impl Standing {
    /// The word at the beginning of its line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Standing::Ok => "ok",
            Standing::Warn => "warn",
            Standing::Fail => "FAIL",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at, in a word or two.
    pub check: &'static str,
    /// How it stands.
    pub standing: Standing,
    /// What was found.
    pub what: String,
    /// What to do; empty if nothing.
    pub remedy: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:<4}  {:<16} {}", self.standing.as_str(), self.check, self.what)?;
        if self.remedy.is_empty() { Ok(()) } else { write!(f, "; {}", self.remedy) }
    }
}

/// Everything that was looked at, in the order in which it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report(pub Vec<Finding>);

impl Report {
    /// The worst of it.
    #[must_use]
    pub fn worst(&self) -> Standing {
        self.0.iter().map(|f| f.standing).max().unwrap_or(Standing::Ok)
    }

    /// Adds what was looked at.
    pub fn add(&mut self, check: &'static str, standing: Standing, what: impl Into<String>, remedy: impl Into<String>) {
        self.0.push(Finding { check, standing, what: what.into(), remedy: remedy.into() });
    }

    fn ok(&mut self, check: &'static str, what: impl Into<String>) {
        self.add(check, Standing::Ok, what, "");
    }

    fn warn(&mut self, check: &'static str, what: impl Into<String>, remedy: &str) {
        self.add(check, Standing::Warn, what, remedy);
    }

    fn fail(&mut self, check: &'static str, what: impl Into<String>, remedy: &str) {
        self.add(check, Standing::Fail, what, remedy);
    }
}

/// Connections that one process may hold: two that write, eight that read, and one of a command.
const CONNECTIONS: i64 = 11;
/// What is due for longer is stuck: a timer, a reply to be read, an answer to be sent.
const OVERDUE: Duration = Duration::from_secs(5 * 60);
/// At a slow pace reminders may take as long as this; then nothing moves.
const BACKLOG: Duration = Duration::from_secs(3600);
/// A backup is made every night: one that is older was missed.
const BACKUP: Duration = Duration::from_secs(26 * 3600);
/// Clocks of two machines may differ by so much; with more, leases end too early or too late.
const SKEW: Duration = Duration::from_secs(2);
const SKEW_TOO_FAR: Duration = Duration::from_secs(20);
/// Below this nothing is certain to be written.
const NO_SPACE: u64 = 256 << 20;
const LITTLE_SPACE: u64 = 2 << 30;
/// A write-ahead journal that is larger is not being folded back.
const LARGE_WAL: u64 = 512 << 20;
/// No clock that is right shows an earlier time: 2026-01-01.
const EARLIEST: Time = Time(1_767_225_600_000);

/// Looks at everything. `full` reads every page of the embedded database.
pub async fn examine(config: &Config, clock: &dyn Clock, full: bool) -> Report {
    let mut report = Report::default();
    report.ok("settings", "they can be read");
    gateways(config, &mut report);
    space(config, &mut report);
    match Bare::open(&config.database, false).await {
        Err(e) => {
            let (what, remedy) = match &config.database {
                Location::Sqlite(path) if !path.exists() => (
                    format!("{} is not there", path.display()),
                    "correct database.url; a new installation makes it at the first `porchlight migrate`".to_owned(),
                ),
                _ => (e.to_string(), "correct database.url, or start the database".to_owned()),
            };
            report.add("database", Standing::Fail, what, remedy);
        }
        Ok(bare) => {
            let looked = async {
                let mut tx = bare.read().await?;
                database(&mut tx, config, clock, full, &mut report).await
            };
            let looked: Result<(), StoreError> = looked.await;
            if let Err(e) = looked {
                report.fail("database", e.to_string(), "see what it says, and look again");
            }
            bare.close().await;
        }
    }
    report
}

fn gateways(config: &Config, report: &mut Report) {
    let names: Vec<String> = config.gateways.iter().map(|g| format!("{} ({})", g.name(), g.kind())).collect();
    if names.is_empty() {
        report.warn("gateways", "none is configured: nothing can be sent", "add a [[gateway]], see config/default.toml");
    } else {
        report.ok("gateways", names.join(", "));
    }
}

fn space(config: &Config, report: &mut Report) {
    let temporary = std::env::temp_dir();
    let mut folders = vec![("disk (temporary)", temporary.as_path())];
    let home;
    match &config.database {
        Location::Sqlite(path) => {
            home = folder_of(path);
            folders.insert(0, ("disk (database)", home.as_path()));
        }
        Location::Postgres(_) => report.ok("disk (database)", "the server's own disk cannot be seen from here: watch it there"),
    }
    for (check, folder) in folders {
        match free(folder) {
            Err(e) => report.warn(check, format!("{}: cannot be looked at ({e})", folder.display()), "correct the path"),
            Ok(bytes) => {
                let what = format!("{} has {} free", folder.display(), amount(bytes));
                if bytes < NO_SPACE {
                    report.fail(check, what, "make room now: a full disk stores no reply");
                } else if bytes < LITTLE_SPACE {
                    report.warn(check, what, "make room: upgrades and backups need as much again as the database");
                } else {
                    report.ok(check, what);
                }
            }
        }
    }
}

fn free(folder: &Path) -> std::io::Result<u64> {
    let found = rustix::fs::statvfs(folder)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Bytes for people: `12.3 MiB`.
#[must_use]
pub fn amount(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut tenths = bytes.saturating_mul(10) / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

async fn database(tx: &mut Tx, config: &Config, clock: &dyn Clock, full: bool, report: &mut Report) -> Result<(), StoreError> {
    let settings = survey::settings(tx).await?;
    let of = |name: &str| settings.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str());
    match &config.database {
        Location::Sqlite(path) => {
            report.ok("database", format!("SQLite {} at {}", of("version"), path.display()));
            embedded(path, &of, report);
            let faults = survey::faults(tx, full).await?;
            let check = if full { "every page" } else { "a quick check" };
            match faults.first() {
                None => report.ok("integrity", format!("sound ({check})")),
                Some(fault) => report.fail("integrity", fault.clone(), "stop the service and restore the last backup"),
            }
        }
        Location::Postgres(url) => {
            match Server::at(url) {
                Ok(place) => report.ok("database", format!("PostgreSQL {} at {}", of("server_version"), place.shown())),
                Err(e) => report.fail("database", e.to_string(), "until then there is no backup and no restore"),
            }
            server(&of, survey::connections(tx).await?.unwrap_or(0), report);
        }
    }
    let machine = clock.machine();
    let shared = tx.machine_time(machine).await?;
    let apart = machine.since(shared).max(shared.since(machine));
    if shared != machine {
        let what =
            format!("this machine's clock and the database's are {}.{:03} s apart", apart.as_secs(), apart.subsec_millis());
        match apart {
            _ if apart <= SKEW => report.ok("clocks", what),
            _ if apart <= SKEW_TOO_FAR => report.warn("clocks", what, "set both by NTP"),
            _ => report.fail("clocks", what, "set both by NTP: leases end too early or too late"),
        }
    }
    if !survey::tables(tx).await?.iter().any(|table| table == "_sqlx_migrations") {
        report.fail(
            "migrations",
            "the database is empty",
            "run `porchlight migrate`, or `porchlight restore` if it should not be",
        );
        return Ok(());
    }
    let migrations = survey::migrations(tx).await?;
    if let Some(version) = migrations.unknown.first() {
        report.fail(
            "migrations",
            format!("the database is from a newer version of Porchlight (its migration {version} is not known here)"),
            "start that version, or restore a backup that this one made",
        );
        return Ok(());
    }
    if let Some(version) = migrations.broken.first() {
        report.fail(
            "migrations",
            format!("migration {version} was cut short or was made by a changed build"),
            "restore the backup from before the upgrade",
        );
        return Ok(());
    }
    if migrations.pending.is_empty() {
        report.ok("migrations", format!("all {} are done", migrations.done.len()));
    } else {
        report.warn(
            "migrations",
            format!("{} are still to come", migrations.pending.len()),
            "take a backup, then run `porchlight migrate`",
        );
        return Ok(());
    }
    time(tx, machine, report).await?;
    zones(tx, config, report).await?;
    key(tx, &config.key, report).await?;
    work(tx, clock, report).await?;
    copies(tx, machine, &config.site.zone, report).await
}

fn embedded<'s>(path: &Path, of: &impl Fn(&str) -> &'s str, report: &mut Report) {
    match of("journal_mode") {
        "wal" => report.ok("journal", "WAL"),
        other => report.warn("journal", format!("{other}, not WAL"), "start the service once: it sets it"),
    }
    let size = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        std::fs::metadata(Path::new(&name)).map_or(0, |m| m.len())
    };
    let (file, wal) = (size(""), size("-wal"));
    let what = format!("{}, and {} in its journal", amount(file), amount(wal));
    if wal > LARGE_WAL {
        report.warn("size", what, "something reads for hours and keeps the journal from being folded back: restart the service");
    } else {
        report.ok("size", what);
    }
}

fn server<'s>(of: &impl Fn(&str) -> &'s str, connected: i64, report: &mut Report) {
    let number = |name: &str| of(name).parse::<i64>().unwrap_or(0);
    if number("server_version_num") < 150_000 {
        report.fail("version", format!("PostgreSQL {}", of("server_version")), "use 15 or newer");
    } else {
        report.ok("version", "15 or newer");
    }
    for (name, good) in [
        ("fsync", &["on"][..]),
        ("full_page_writes", &["on"]),
        ("synchronous_commit", &["on", "local", "remote_write", "remote_apply"]),
    ] {
        if good.contains(&of(name)) {
            report.ok("durability", format!("{name} is {}", of(name)));
        } else {
            report.fail("durability", format!("{name} is {}", of(name)), "set it to on: what was acknowledged can be lost");
        }
    }
    let (most, kept) = (number("max_connections"), number("superuser_reserved_connections"));
    let left = most - kept - connected;
    let what = format!("{most} allowed, {connected} in use now; each process needs up to {CONNECTIONS}");
    if left < CONNECTIONS {
        report.warn("connections", what, "raise max_connections, or another process may not start");
    } else {
        report.ok("connections", what);
    }
}

/// Compares with the latest time that the service saw. Rows are no measure: ids run ahead of the clock after every start, and what a
/// clock that was ahead has written keeps its date when the clock is right again.
async fn time(tx: &mut Tx, machine: Time, report: &mut Report) -> Result<(), StoreError> {
    let of = async |tx: &mut Tx, key| sites::get(tx, key).await.map(|at| at.and_then(|at| at.parse().ok()).map(Time));
    let latest = match of(tx, ahead::LATEST).await? {
        None => of(tx, pause::BEGUN).await?,
        seen => seen,
    };
    let latest = latest.max(pause::restored(tx).await?);
    let behind = latest.map_or(Duration::ZERO, |latest| latest.since(machine));
    if machine < EARLIEST {
        report.fail("clock", "this machine's clock shows a time before 2026", "set it, by NTP best: messages go out by it");
    } else if behind > SLACK {
        let what = format!("this machine's clock is {} s behind the latest time that was seen", behind.as_secs());
        report.fail(
            "clock",
            what,
            "set it, by NTP best; if it is right now, it was ahead: start the service, which puts the rest right",
        );
    } else {
        report.ok("clock", "plausible, and not behind the latest time that was seen");
    }
    Ok(())
}

async fn zones(tx: &mut Tx, config: &Config, report: &mut Report) -> Result<(), StoreError> {
    let mut used = survey::zones(tx).await?;
    used.push((config.site.zone.name().to_owned(), 1));
    let unknown: Vec<&(String, i64)> = used.iter().filter(|(name, _)| name.parse::<Zone>().is_err()).collect();
    if let Some((name, n)) = unknown.first() {
        let what = format!("{} time zones are not known, {name} among them ({n} times)", unknown.len());
        report.fail("time zones", what, "correct them: import those patients or visits anew with an IANA name");
    } else {
        used.sort();
        used.dedup_by(|a, b| a.0 == b.0);
        report.ok("time zones", format!("{} in use, all known; time zone data {}, built in", used.len(), Zone::edition()));
    }
    Ok(())
}

async fn key(tx: &mut Tx, key: &Key, report: &mut Report) -> Result<(), StoreError> {
    let known = sites::get(tx, FINGERPRINT).await?;
    match (known, key.read()) {
        (None, _) => report.ok("security key", "none was used yet: the first start makes or takes one"),
        (Some(known), Ok(key)) if fingerprint(&key) == known => report.ok("security key", "it is this database's"),
        (Some(_), Ok(_)) => report.fail(
            "security key",
            "it is not this database's",
            "give the service the one that the database was made with: it is kept with the backups",
        ),
        (Some(_), Err(e)) => report.fail(
            "security key",
            format!("it cannot be read ({e})"),
            "give it by security.key_file or PORCHLIGHT_SECURITY_KEY",
        ),
    }
    Ok(())
}

async fn work(tx: &mut Tx, clock: &dyn Clock, report: &mut Report) -> Result<(), StoreError> {
    let own = clock.machine();
    let machine = if clock.is_real() { tx.machine_time(own).await? } else { own };
    let stuck = survey::stuck(tx, machine, clock.now(), OVERDUE).await?;
    match stuck.processes {
        0 => report.warn("processes", "none is running", "start the service: `porchlight serve`"),
        n => report.ok("processes", format!("{n} running")),
    }
    if let Some(paused) = pause::current(tx).await? {
        report.warn(
            "sending",
            format!("paused ({}): nothing goes out", paused.state),
            "read docs/operations.md, then `porchlight release`",
        );
    } else {
        report.ok("sending", "not paused");
    }
    let oldest = stuck.oldest_timer.map_or(0, |due| clock.now().since(Time(due)).as_secs() / 60);
    let things = [
        (
            "leases",
            stuck.leases,
            "messages are held by a process that is gone".to_owned(),
            "start a worker: it takes them up as not known",
        ),
        (
            "timers",
            stuck.timers,
            format!("timers are overdue by more than 5 minutes, the oldest by {oldest} minutes"),
            "start a worker, and read its log",
        ),
        (
            "inbox",
            stuck.waiting,
            "replies wait for more than 5 minutes to be read".to_owned(),
            "start a worker, and read its log",
        ),
    ];
    for (check, n, what, remedy) in things {
        if n == 0 { report.ok(check, "nothing is stuck") } else { report.fail(check, format!("{n} {what}"), remedy) }
    }
    outbox(&stuck, machine, report);
    if stuck.failed > 0 {
        let what = format!("{} replies could not be processed; each was given to a person", stuck.failed);
        report.warn("inbox", what, "see the queue, and report what the log says");
    }
    Ok(())
}

fn outbox(stuck: &survey::Stuck, machine: Time, report: &mut Report) {
    let waits = stuck.oldest_ready.map_or(Duration::ZERO, |ready| machine.since(Time(ready)));
    let what = format!(
        "{} messages are ready for more than 5 minutes and have not gone, {} answers and crisis replies among them; the oldest for {} \
         minutes",
        stuck.ready,
        stuck.pressing,
        waits.as_secs() / 60
    );
    if stuck.ready == 0 {
        report.ok("outbox", "nothing is stuck");
    } else if stuck.pressing > 0 || waits > BACKLOG {
        report.fail("outbox", what, "start a worker, and read its log");
    } else {
        report.warn("outbox", what, "see if a worker runs; if the gateway's pace is too slow for the morning, raise it");
    }
    if stuck.unknown > 0 {
        let what = format!("of {} messages of the last day it is not known if they arrived", stuck.unknown);
        report.warn("outbox", what, "see the page Delivery and the provider's log");
    }
}

async fn copies(tx: &mut Tx, machine: Time, zone: &Zone, report: &mut Report) -> Result<(), StoreError> {
    match pause::last_backup(tx).await? {
        None => report.warn("backup", "none is known", "run `porchlight backup FILE` every night, and keep the key with it"),
        Some(at) => {
            let local = zone.local(at).strftime("%Y-%m-%d %H:%M").to_string();
            let what = format!("the last was begun {local} ({} hours ago)", machine.since(at).as_secs() / 3600);
            if machine.since(at) > BACKUP {
                report.warn("backup", what, "run `porchlight backup FILE` every night");
            } else {
                report.ok("backup", what);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_in_units_that_people_read() {
        for (bytes, told) in
            [(0, "0.0 KiB"), (1536, "1.5 KiB"), (10 << 20, "10.0 MiB"), (3 << 40, "3.0 TiB"), (1 << 60, "1048576.0 TiB")]
        {
            assert_eq!(amount(bytes), told);
        }
    }

    #[test]
    fn the_worst_finding_is_the_reports() {
        let mut report = Report::default();
        assert_eq!(report.worst(), Standing::Ok);
        report.warn("backup", "none is known", "make one");
        report.ok("clock", "plausible");
        assert_eq!(report.worst(), Standing::Warn);
        assert_eq!(report.0[0].to_string(), "warn  backup           none is known; make one");
    }
}
