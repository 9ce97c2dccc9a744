//! An operator's commands: a backup under load and what it holds, what a restore refuses, the check-up, the program itself.

#![expect(clippy::expect_used, reason = "a case that cannot go on has failed")]

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use porchlight::app::Role;
use porchlight::clock::{Clock, ManualClock, Time};
use porchlight::config::Config;
use porchlight::intake::add_staff;
use porchlight::model::{Address, Body, Channel, Lang, Priority};
use porchlight::operate::{Report, Standing, backup, examine, restore};
use porchlight::store::inbox::{self, Arrived, What};
use porchlight::store::{Bare, Lane, Location, StoreError, Tx, pause, survey};
use tokio::task::JoinSet;

#[path = "support/world.rs"]
#[expect(dead_code, reason = "stories need more of the world than these cases")]
mod world;

use world::{KEY, On, World, daily_at, postgres_database, somebody};

/// Tells a case on both databases.
macro_rules! case {
    ($(#[$doc:meta])* $name:ident, |$on:ident| $body:block) => {
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn told($on: On) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                told(On::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                told(On::Postgres).await;
            }
        }
    };
}

async fn raw(tx: &mut Tx, sql: &'static str) -> Result<(), StoreError> {
    match tx {
        Tx::Sqlite(t) => sqlx::query(sql).execute(&mut **t).await.map(|_| ())?,
        Tx::Postgres(t) => sqlx::query(sql).execute(&mut **t).await.map(|_| ())?,
    }
    Ok(())
}

async fn texts(tx: &mut Tx, sql: &'static str) -> HashSet<String> {
    let found: Result<Vec<String>, _> = match tx {
        Tx::Sqlite(t) => sqlx::query_scalar(sql).fetch_all(&mut **t).await,
        Tx::Postgres(t) => sqlx::query_scalar(sql).fetch_all(&mut **t).await,
    };
    found.expect("it is read").into_iter().collect()
}

async fn change(world: &World, sql: &'static str) {
    world.app.db.write(Lane::Work, move |tx| raw(tx, sql).boxed()).await.expect("it is changed");
}

/// Old replies, so that a copy takes a while.
async fn years_of_replies(world: &World, count: u32) {
    let (kit, at) = (Arc::clone(&world.app.kit), world.clock.now());
    let rows: Vec<Arrived> = (0..count)
        .map(|n| Arrived {
            id: kit.id(),
            gateway: "sms".into(),
            dedupe: format!("old:{n}"),
            channel: Channel::Sms,
            what: What::Message {
                from: Address::new(format!("+1718555{n:04}")),
                hash: format!("hash {n}"),
                body: Body::new("a few words that somebody wrote some time ago, neither short nor long"),
                extras: porchlight::model::Extras::default(),
            },
            priority: Priority::ANSWER,
            at,
        })
        .collect();
    let stored = world.app.db.write(Lane::Work, move |tx| {
        async move {
            inbox::store(tx, &rows).await?;
            raw(tx, "UPDATE inbox SET state = 'done'").await
        }
        .boxed()
    });
    stored.await.expect("they are stored");
}

async fn looks<T>(location: &Location, look: impl for<'t> FnOnce(&'t mut Tx) -> futures_util::future::BoxFuture<'t, T>) -> T {
    let bare = Bare::open(location, false).await.expect("it opens");
    let mut tx = bare.read().await.expect("it is read");
    let seen = look(&mut tx).await;
    drop(tx);
    bare.close().await;
    seen
}

async fn take(world: &World, file: &Path, force: bool) -> Result<porchlight::operate::Kept, String> {
    let taken = backup(&world.location(), file, force, world.clock.now(), &mut |_, _, _| {}).await;
    taken.map_err(|e| e.to_string())
}

async fn bring_back(target: &str, file: &Path, now: Time) -> Result<porchlight::operate::Restored, String> {
    let location: Location = target.parse().expect("a location");
    restore(&location, file, Some(KEY.as_bytes()), now, &mut |_, _, _| {}).await.map_err(|e| e.to_string())
}

case!(
    /// Four phones write without a pause, and every loop of the service works, while the backup is taken. Its copy is sound,
    /// and every callback that was answered before the backup began is in it.
    a_backup_under_load_holds_all_that_was_acknowledged, |on| {
        const PHONES: usize = 4;
        let world = Arc::new(World::begin(on, "2026-11-16 10:00").await);
        years_of_replies(&world, 20_000).await;
        for n in 0..4 {
            world.patient(somebody(10 + n, "Ivo", Lang::En)).await;
        }
        world.app.work(Role::All);
        let answered: [Arc<AtomicU64>; PHONES] = Default::default();
        let stop = world.app.stop.child_token();
        let mut phones = JoinSet::new();
        for (phone, count) in answered.iter().enumerate() {
            let (world, count, stop) = (Arc::clone(&world), Arc::clone(count), stop.clone());
            phones.spawn(async move {
                let number = format!("+171855501{}", 10 + phone);
                while !stop.is_cancelled() {
                    let n = count.load(Ordering::SeqCst);
                    world.writes(&number, "all is well", &format!("load-{phone}-{n}")).await;
                    count.store(n + 1, Ordering::SeqCst);
                }
            });
        }
        let counts = || answered.iter().map(|c| c.load(Ordering::SeqCst)).collect::<Vec<_>>();
        let mut look = tokio::time::interval(Duration::from_millis(5));
        while counts().contains(&0) {
            look.tick().await;
        }
        let file = world.file("load.backup");
        let before = counts();
        let kept = take(&world, &file, false).await.expect("it is whole");
        let after = counts();
        stop.cancel();
        while let Some(ended) = phones.join_next().await {
            ended.expect("no callback was refused");
        }
        assert!(after.iter().sum::<u64>() > before.iter().sum::<u64>(), "nobody wrote meanwhile: {before:?} {after:?}");
        assert!(kept.rows > 20_000 && kept.bytes > 100_000, "{kept:?}");
        assert_eq!(std::fs::metadata(&file).expect("the backup").permissions().mode() & 0o777, 0o600);

        let target = world.elsewhere().await;
        let restored = bring_back(&target, &file, world.clock.now()).await.expect("it is restored");
        assert_eq!((restored.rows, restored.key_fits, restored.begun), (kept.rows, Some(true), Some(world.clock.now())));
        let copy: Location = target.parse().expect("a location");
        let there = looks(&copy, |tx| async move { texts(tx, "SELECT dedupe FROM inbox").await }.boxed()).await;
        for (phone, n) in before.iter().enumerate() {
            for n in 0..*n {
                assert!(there.contains(&format!("sms:load-{phone}-{n}")), "reply {n} of phone {phone} is lost");
            }
        }
        let faults = looks(&copy, |tx| async move { survey::faults(tx, true).await.expect("a check") }.boxed()).await;
        assert!(faults.is_empty(), "{faults:?}");
        let paused = looks(&copy, |tx| async move { pause::current(tx).await.expect("a setting") }.boxed()).await;
        assert_eq!(paused.map(|p| p.state).as_deref(), Some("paused_restore"));
        Arc::into_inner(world).expect("the phones are silent").end().await;
    }
);

case!(
    /// What would do harm is refused, says what to do, and changes nothing.
    a_restore_that_would_do_harm_is_refused, |on| {
        let world = World::begin(on, "2026-11-16 10:00").await;
        world.patient(somebody(11, "Ivo", Lang::En)).await;
        years_of_replies(&world, 3_000).await;
        let now = world.clock.now();
        let (file, target) = (world.file("a.backup"), world.elsewhere().await);
        take(&world, &file, false).await.expect("it is whole");

        let again = take(&world, &file, false).await.expect_err("it is there");
        assert!(again.contains("--force"), "{again}");
        take(&world, &file, true).await.expect("it is replaced");
        let nowhere = take(&world, &world.file("no/such/folder/b.backup"), false).await.expect_err("no folder");
        assert!(nowhere.contains("cannot be made"), "{nowhere}");
        if let Location::Sqlite(database) = world.location() {
            let itself = take(&world, &database, true).await.expect_err("the database itself");
            assert!(itself.contains("the database itself"), "{itself}");
        }

        let missing = bring_back(&target, &world.file("none.backup"), now).await.expect_err("no file");
        assert!(missing.contains("porchlight backup"), "{missing}");
        let early = bring_back(&target, &file, Time(now.0 - 1)).await.expect_err("the clock is behind");
        assert!(early.contains("set the clock"), "{early}");
        // Half a file, a file with a broken middle, and a file of something else.
        let whole = std::fs::read(&file).expect("the backup");
        let damaged = world.file("damaged.backup");
        let mut broken = whole.clone();
        let (from, to) = (broken.len() / 2, broken.len() / 2 + 20_000.min(broken.len() / 4));
        broken[from..to].fill(0xA5);
        for bytes in [&whole[..whole.len() / 2], broken.as_slice(), b"no backup at all"] {
            std::fs::write(&damaged, bytes).expect("a damaged file");
            let refused = bring_back(&target, &damaged, now).await.expect_err("it is damaged");
            assert!(!refused.contains("some time ago") && !refused.contains("+1718555"), "an error tells nobody's words: {refused}");
        }
        if on == On::Postgres {
            // Something that is no table stands in the way in the middle of the restore: nothing before it is kept.
            let location: Location = target.parse().expect("a location");
            statement(&location, "CREATE VIEW setting AS SELECT 1 AS key").await;
            let refused = bring_back(&target, &file, now).await.expect_err("it breaks off");
            assert!(refused.contains("psql") && refused.contains("setting"), "{refused}");
            assert!(looks_empty(&target).await, "half a restore is left behind");
            statement(&location, "DROP VIEW setting").await;
        }
        // Nothing of all that is there; and a database that is in use is left alone.
        let other = looks_empty(&target).await;
        assert!(other, "something is left behind");
        let used = bring_back(&world.database_url(), &file, now).await.expect_err("in use");
        assert!(used.contains("already"), "{used}");
        bring_back(&target, &file, now).await.expect("the whole one is restored");
        let twice = bring_back(&target, &file, now).await.expect_err("it is there");
        assert!(twice.contains("already"), "{twice}");
        let folder = std::fs::read_dir(world.file(".")).expect("the folder");
        let left: Vec<_> = folder.filter_map(|e| e.ok()?.file_name().into_string().ok()).filter(|n| n.contains("unfinished")).collect();
        assert!(left.is_empty(), "{left:?}");
        world.end().await;
    }
);

async fn statement(location: &Location, sql: &'static str) {
    let bare = Bare::open(location, true).await.expect("it opens");
    bare.write(move |tx| raw(tx, sql).boxed()).await.expect("it is done");
    bare.close().await;
}

async fn looks_empty(target: &str) -> bool {
    match target.parse().expect("a location") {
        Location::Sqlite(path) => !path.exists(),
        location @ Location::Postgres(_) => {
            looks(&location, |tx| async move { survey::tables(tx).await.expect("the tables").is_empty() }.boxed()).await
        }
    }
}

fn settings(database: &str, key: &str) -> Config {
    let text = format!("[database]\nurl = {database:?}\n[security]\nkey = {key:?}\n");
    Config::parse("doctor.toml", &text, &|_| None).unwrap_or_else(|e| panic!("{e}"))
}

fn of<'r>(report: &'r Report, check: &str) -> Vec<&'r porchlight::operate::Finding> {
    report.0.iter().filter(|f| f.check == check).collect()
}

fn standing(report: &Report, check: &str) -> Standing {
    let found = of(report, check);
    assert!(!found.is_empty(), "{check} was not looked at: {report:?}");
    found.iter().map(|f| f.standing).max().unwrap_or(Standing::Ok)
}

/// The private server of the tests writes nothing through to the disk, and is told off for it.
fn apart_from_the_test_server(report: &Report) -> Standing {
    report.0.iter().filter(|f| f.check != "durability" && f.check != "clocks").map(|f| f.standing).max().unwrap_or(Standing::Ok)
}

case!(
    /// A database that is well, one thing after another that is not, and each time the line that says so.
    a_check_up_finds_what_is_wrong, |on| {
        let world = World::begin(on, "2026-11-16 10:00").await;
        let weighs = vec![("heart-failure-weight".into(), daily_at("10:30", porchlight::protocol::WeightUnit::Lb))];
        world.patient(porchlight::intake::Record { protocols: weighs, ..somebody(11, "Ivo Quennell", Lang::En) }).await;
        let config = settings(&world.database_url(), KEY);
        let clock = ManualClock::new(world.clock.now());
        let report = examine(&config, &clock, true).await;
        assert_eq!(standing(&report, "backup"), Standing::Warn, "none is known");
        assert_eq!(standing(&report, "gateways"), Standing::Warn, "none is configured");
        for check in ["settings", "database", "migrations", "clock", "time zones", "security key", "sending", "leases", "outbox", "timers", "inbox"] {
            assert_eq!(standing(&report, check), Standing::Ok, "{:?}", of(&report, check));
        }
        if on == On::Sqlite {
            assert!(of(&report, "durability").is_empty(), "each connection sets its own: nothing that was read here would prove anything");
            assert_eq!((standing(&report, "journal"), standing(&report, "integrity")), (Standing::Ok, Standing::Ok));
        } else {
            let told: Vec<String> = of(&report, "durability").iter().map(ToString::to_string).collect();
            assert!(told.iter().any(|t| t.starts_with("FAIL") && t.contains("fsync is off")), "{told:?}");
            assert!(told.iter().any(|t| t.starts_with("ok") && t.contains("synchronous_commit is on")), "{told:?}");
        }
        assert!(apart_from_the_test_server(&report) < Standing::Fail, "{report:?}");

        take(&world, &world.file("doctor.backup"), false).await.expect("a backup");
        assert_eq!(standing(&examine(&config, &clock, false).await, "backup"), Standing::Ok);
        clock.advance(Duration::from_hours(27));
        let report = examine(&config, &clock, false).await;
        assert_eq!(standing(&report, "backup"), Standing::Warn, "last night's was missed");
        assert_eq!(standing(&report, "timers"), Standing::Fail, "yesterday's question was never asked");
        clock.set(Time(world.clock.now().0 - 3_600_000));
        assert_eq!(standing(&examine(&config, &clock, false).await, "clock"), Standing::Fail, "behind the last backup");
        clock.set(world.clock.now());
        let wrong = settings(&world.database_url(), "another key that has thirty-two characters");
        assert_eq!(standing(&examine(&wrong, &clock, false).await, "security key"), Standing::Fail);
        change(&world, "UPDATE patient SET zone = 'Mars/Olympus_Mons'").await;
        let report = examine(&config, &clock, false).await;
        assert!(of(&report, "time zones")[0].what.contains("Mars/Olympus_Mons") && standing(&report, "time zones") == Standing::Fail);
        change(&world, "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'newer', TRUE, '', 1)")
            .await;
        let report = examine(&config, &clock, false).await;
        assert_eq!(standing(&report, "migrations"), Standing::Fail);
        let shown = format!("{report:?}");
        assert!(!shown.contains("Quennell") && !shown.contains("5550111"), "nobody is named");
        world.end().await;
    }
);

case!(
    /// A question that is ready and does not go: after minutes it is looked at, after an hour nothing moves. A crisis reply is not waited
    /// for so long. While sending is paused it is to wait.
    a_check_up_looks_at_the_outbox, |on| {
        let world = World::begin(on, "2026-11-16 10:00").await;
        let weighs = vec![("heart-failure-weight".into(), daily_at("10:30", porchlight::protocol::WeightUnit::Lb))];
        let ivo = world.patient(porchlight::intake::Record { protocols: weighs, ..somebody(11, "Ivo", Lang::En) }).await;
        let (config, clock) = (settings(&world.database_url(), KEY), ManualClock::new(world.clock.now()));
        let stands = async |minutes: u64| {
            clock.set(world.clock.now().plus(Duration::from_mins(minutes)));
            standing(&examine(&config, &clock, false).await, "outbox")
        };
        world.clock.advance(Duration::from_mins(30));
        world.app.sweeper.tick().await.expect("the timers");
        assert_eq!((stands(4).await, stands(6).await, stands(61).await), (Standing::Ok, Standing::Warn, Standing::Fail));
        world.writes(&ivo.phone, "i want to kill myself", "cry").await;
        world.app.desk.tick().await.expect("the inbox");
        assert_eq!((stands(4).await, stands(6).await), (Standing::Ok, Standing::Fail));
        change(&world, "INSERT INTO setting (key, value) VALUES ('sending.paused', 'paused_restore 1')").await;
        assert_eq!(stands(61).await, Standing::Ok);
        change(&world, "UPDATE message SET state = 'unknown'").await;
        assert_eq!(stands(61).await, Standing::Warn, "nobody knows whether they arrived");
        world.end().await;
    }
);

case!(
    /// A clock that is behind the time that the service saw is not well. Once the service has put right what a clock that was ahead has
    /// left, it is, although rows keep a later date, and ids run ahead.
    a_clock_that_is_right_is_well, |on| {
        let world = World::begin(on, "2026-11-16 10:00").await;
        let right = world.clock.now();
        let (config, clock) = (settings(&world.database_url(), KEY), ManualClock::new(right));
        let ivo = world.patient(somebody(11, "Ivo", Lang::En)).await;
        world.settle().await;
        assert_eq!(standing(&examine(&config, &clock, false).await, "clock"), Standing::Ok);

        world.clock.advance(Duration::from_hours(30 * 24));
        world.says(&ivo, "hello").await;
        assert_eq!(standing(&examine(&config, &clock, false).await, "clock"), Standing::Fail, "the service saw a later time");
        world.clock.set(right);
        world.settle().await;
        assert_eq!(standing(&examine(&config, &clock, false).await, "clock"), Standing::Ok, "the service saw the right one");
        clock.set(Time(right.0 - 119_000));
        assert_eq!(standing(&examine(&config, &clock, false).await, "clock"), Standing::Ok, "clocks differ by so much");
        clock.set(Time(right.0 - 121_000));
        assert_eq!(standing(&examine(&config, &clock, false).await, "clock"), Standing::Fail);
        world.end().await;
    }
);

case!(
    /// A database that is not there, and one that is empty: told, and left as it is.
    a_check_up_changes_nothing, |on| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("none.db");
        let url = match on {
            On::Sqlite => format!("sqlite:{}", path.display()),
            On::Postgres => postgres_database().await,
        };
        let clock = ManualClock::new(Time(1_794_000_000_000));
        let report = examine(&settings(&url, KEY), &clock, false).await;
        match on {
            On::Sqlite => {
                assert_eq!(standing(&report, "database"), Standing::Fail);
                assert!(!path.exists(), "it was made");
                std::fs::write(&path, "").expect("an empty file");
                assert_eq!(standing(&examine(&settings(&url, KEY), &clock, false).await, "migrations"), Standing::Fail);
                assert_eq!(std::fs::metadata(&path).expect("the file").len(), 0, "it was written to");
            }
            On::Postgres => {
                assert_eq!(standing(&report, "migrations"), Standing::Fail);
                assert!(looks_empty(&url).await, "it was migrated");
                let away = url.replace("postgres://postgres", "postgres://postgres:s3cret-of-nobody").replace("127.0.0.1:", "127.0.0.1:1");
                let report = examine(&settings(&away, KEY), &clock, false).await;
                assert_eq!(standing(&report, "database"), Standing::Fail);
                assert!(!format!("{report:?}").contains("s3cret"), "{report:?}");
            }
        }
    }
);

/// Runs the program with these settings. Gives whether it went well, and all that it said.
fn porchlight(settings: &Path, arguments: &[&str], answer: &str) -> (bool, String) {
    use std::io::Write as _;
    let mut command = Command::new(env!("CARGO_BIN_EXE_porchlight"));
    command.args(arguments).arg("--config").arg(settings).stdin(std::process::Stdio::piped());
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    child.stdin.take().expect("its input").write_all(answer.as_bytes()).expect("it listens");
    let output = child.wait_with_output().expect("it ends");
    (output.status.success(), format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

/// What `serve` says until it serves; then it is told to stop.
fn first_words_of_the_service(settings: &Path) -> Vec<String> {
    use std::io::{BufRead as _, BufReader};
    let mut command = Command::new(env!("CARGO_BIN_EXE_porchlight"));
    command.args(["serve", "--config"]).arg(settings).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().expect("the program starts");
    let mut told = Vec::new();
    for line in BufReader::new(child.stdout.take().expect("its output")).lines() {
        told.push(line.expect("a line"));
        if told.last().is_some_and(|line| line.starts_with("Porchlight serves")) {
            break;
        }
    }
    child.kill().expect("it is stopped");
    child.wait().expect("it ends");
    told
}

case!(
    /// The commands as an operator types them: backup, restore, check-up, release.
    the_commands_do_what_they_say, |on| {
        let world = World::begin(on, "2026-11-16 10:00").await;
        let june = add_staff(&world.app.db, &world.app.kit, "june@harbor.example", "June Abara", porchlight::model::Role::Admin, "seven herons fly north");
        assert!(june.await.expect("June is added"));
        world.patient(somebody(11, "Ivo", Lang::En)).await;
        let write = |name: &str, url: &str| {
            let path = world.file(name);
            let text = format!("[database]\nurl = {url:?}\n[security]\nkey = {KEY:?}\n[log]\nlevel = \"warn\"\n[server]\nlisten = \"127.0.0.1:0\"\n");
            std::fs::write(&path, text).expect("the settings");
            path
        };
        let (old, target) = (write("old.toml", &world.database_url()), world.elsewhere().await);
        let new = write("new.toml", &target);
        let file = world.file("typed.backup").display().to_string();
        // The program runs on the machine's clock; the world's stands still.
        let (done, told) = porchlight(&old, &["backup", &file], "");
        assert!(done && told.contains("whole. Keep the security key with it"), "{told}");
        let (done, told) = porchlight(&old, &["backup", &file], "");
        assert!(!done && told.contains("--force"), "{told}");
        let (done, told) = porchlight(&old, &["restore", &file], "");
        assert!(!done && told.contains("already"), "{told}");
        let (done, told) = porchlight(&old, &["release", "--by", "june@harbor.example", "--yes"], "");
        assert!(!done && told.contains("not paused"), "{told}");
        let (done, told) = porchlight(&new, &["restore", &file], "");
        assert!(done && told.contains("PAUSED"), "{told}");

        let (done, told) = porchlight(&new, &["doctor", "--json"], "");
        let report: serde_json::Value = serde_json::from_str(told.trim()).unwrap_or_else(|e| panic!("{e}: {told}"));
        assert_eq!((report["ok"].as_bool(), done), (Some(on == On::Sqlite), on == On::Sqlite), "{told}");
        let checks = report["checks"].as_array().expect("a list");
        let sending = checks.iter().find(|c| c["check"] == "sending").expect("the sending");
        assert_eq!(sending["standing"], "warn");
        assert!(sending["what"].as_str().is_some_and(|w| w.contains("paused_restore")), "{sending}");
        let (_, told) = porchlight(&new, &["doctor", "--full"], "");
        assert!(told.contains("warn  sending") && told.lines().count() > 12, "{told}");

        let list = world.file("stop.csv");
        std::fs::write(&list, "phone\n+17185550111\n+17185550199\n").expect("a list");
        let withdraw = ["consent", "withdraw", list.to_str().expect("a path"), "--by"];
        let (done, told) = porchlight(&new, &[&withdraw[..], &["Nobody Known"]].concat(), "");
        assert!(!done && told.contains("nobody on the staff"), "{told}");
        let (done, told) = porchlight(&new, &[&withdraw[..], &["June Abara", "--dry-run"]].concat(), "");
        assert!(done && told.contains("Dry run, nothing was changed."), "{told}");
        let (done, told) = porchlight(&new, &[&withdraw[..], &["June Abara"]].concat(), "");
        assert!(done && told.contains("Consent withdrawn of 1 patients; 0 had none before. Nobody here has the numbers of 1 rows, in lines 3."), "{told}");

        let told = first_words_of_the_service(&new);
        assert!(told.iter().any(|line| line.starts_with("Sending is paused: this is a restored copy.")), "{told:?}");

        let (done, told) = porchlight(&new, &["release", "--by", "Nobody Known", "--yes"], "");
        assert!(!done && told.contains("nobody on the staff"), "{told}");
        let (done, told) = porchlight(&new, &["release", "--by", "June Abara"], "no\n");
        assert!(!done && told.contains("nothing was released") && told.contains("In the outbox: 0 queued, 0 held"), "{told}");
        let (done, told) = porchlight(&new, &["release", "--by", "June Abara"], "yes\n");
        assert!(done && told.contains("Released."), "{told}");
        let copy: Location = target.parse().expect("a location");
        assert!(looks(&copy, |tx| async move { pause::current(tx).await.expect("a setting") }.boxed()).await.is_none());
        let audit = looks(&copy, |tx| async move { texts(tx, "SELECT action FROM audit").await }.boxed()).await;
        assert!(audit.contains("release"), "{audit:?}");
        world.end().await;
    }
);

/// What a provider was asked to send, and what it answers.
#[derive(Clone)]
struct Tried {
    texts: Arc<std::sync::Mutex<Vec<String>>>,
    answer: Arc<std::sync::Mutex<(u16, &'static str)>>,
}

async fn sendsms(
    axum::extract::State(tried): axum::extract::State<Tried>,
    axum::extract::Query(mut asked): axum::extract::Query<std::collections::HashMap<String, String>>,
) -> (axum::http::StatusCode, &'static str) {
    let (status, words) = *tried.answer.lock().expect("an answer");
    tried.texts.lock().expect("texts").extend(asked.remove("text"));
    (axum::http::StatusCode::from_u16(status).expect("a status"), words)
}

/// An operator tries a gateway before anybody is written to: one text goes out, and each answer says what to do. Nothing is told
/// that was not typed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_is_tried_before_anybody_is_written_to() {
    let phone = "+17185550199";
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("try.toml");
    let tried = Tried { texts: Arc::default(), answer: Arc::new(std::sync::Mutex::new((202, "0: Accepted for delivery"))) };
    let provider = porchlight::app::listen(([127, 0, 0, 1], 0).into()).await.expect("a port");
    let url = format!("http://{}/cgi-bin/sendsms", provider.local_addr().expect("an address"));
    let router = axum::Router::new().route("/cgi-bin/sendsms", axum::routing::get(sendsms)).with_state(tried.clone());
    let mut others = JoinSet::new();
    others.spawn(async move { axum::serve(provider, router).await.expect("serving") });
    let write = |url: &str| {
        let text = format!(
            "[security]\nkey = {KEY:?}\n[site]\nname = \"Harbor Street\"\nphone = \"(718) 555-0100\"\n[server]\npublic_url = \"https://light.example.org\"\n\
             [[gateway]]\nkind = \"http\"\npreset = \"kannel\"\nname = \"sms\"\nfrom = \"7185550100\"\nusername = \"story\"\n\
             password = \"a-password-of-nobody\"\nsecret = \"a-secret-of-nobody-0123\"\nurl = {url:?}\n"
        );
        std::fs::write(&path, text).expect("the settings");
    };
    let run = async |arguments: &[&str]| {
        let (path, arguments) = (path.clone(), arguments.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>());
        let ran = tokio::task::spawn_blocking(move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            porchlight(&path, &arguments, "")
        });
        let (well, said) = ran.await.expect("it ends");
        for secret in ["a-password-of-nobody", "a-secret-of-nobody", KEY] {
            assert!(!said.contains(secret), "{said}");
        }
        (well, said)
    };
    write(&url);
    let (well, said) = run(&["gateway", "list"]).await;
    assert!(well && said.contains("sms: http, sms; up to clinical"), "{said}");
    assert!(said.contains("https://light.example.org/hooks/sms/inbound"), "{said}");
    let (well, said) = run(&["gateway", "test", "sms", "--to", phone]).await;
    assert!(well && said.contains("The text was taken") && said.contains("/hooks/sms/receipt"), "{said}");
    let texts = tried.texts.lock().expect("texts").clone();
    assert!(matches!(texts.as_slice(), [text] if text.starts_with("Porchlight test from Harbor Street")), "{texts:?}");

    *tried.answer.lock().expect("an answer") = (403, "Authorization failed for sendsms");
    let (well, said) = run(&["gateway", "test", "sms", "--to", "(718) 555-0199"]).await;
    assert!(!well && said.contains("set up wrongly (authorisation)") && said.contains("nobody would be opted out"), "{said}");
    assert!(!said.contains(phone), "only what was typed: {said}");
    let (well, said) = run(&["gateway", "test", "tin-can", "--to", phone]).await;
    assert!(!well && said.contains("there is no gateway `tin-can`; there is: sms"), "{said}");
    let (well, said) = run(&["gateway", "test", "sms", "--to", "Ann"]).await;
    assert!(!well && said.contains("not a phone number"), "{said}");
    write("http://127.0.0.1:1/cgi-bin/sendsms");
    let (well, said) = run(&["gateway", "test", "sms", "--to", phone]).await;
    assert!(!well && said.contains("certainly not sent") && said.contains("Is the address right"), "{said}");
}
