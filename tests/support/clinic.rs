//! A clinic whose service is a process of its own: the real program, started, killed, stopped, gone on and started again on a
//! database that a test prepares and looks into.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::time::Duration;

use porchlight::app::App;
use porchlight::clock::{ManualClock, Time};
use porchlight::config::Config;
use porchlight::random::Dice;
use porchlight::zone::Zone;
use sqlx::Connection as _;

use super::base::{Base, On};
use super::provider::{Provider, SECRET, now};

/// Far longer than anything here takes: what is not there then will never be.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// How long to wait between two looks.
const LOOK: Duration = Duration::from_millis(10);
const HOUR: i64 = 3_600_000;

/// A place where it is between eleven and noon while the test runs, so that nothing waits for the morning.
pub fn noon() -> Zone {
    let east = 11 - (now() / HOUR) % 24;
    let name = match east {
        0 => "Etc/UTC".to_owned(),
        east if east > 0 => format!("Etc/GMT-{east}"),
        west => format!("Etc/GMT+{}", -west),
    };
    name.parse().unwrap_or_else(|e| panic!("{e}"))
}

/// Eight in the morning of that day.
pub fn morning() -> Time {
    Time((now() / HOUR - 3) * HOUR)
}

/// Looks again and again until something is there; fails after [`PATIENCE`].
pub async fn eventually<T, F>(what: &str, mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let mut clock = tokio::time::interval(LOOK);
    let seen = async {
        loop {
            clock.tick().await;
            if let Some(seen) = look().await {
                return seen;
            }
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("waited too long for {what}"))
}

/// A database and the settings around it.
pub struct Clinic {
    pub on: On,
    pub database: String,
    pub folder: tempfile::TempDir,
    pub zone: Zone,
}

impl Clinic {
    /// An empty database.
    pub async fn new(on: On) -> Clinic {
        let folder = tempfile::tempdir().expect("a folder");
        let database = match on {
            On::Sqlite => format!("sqlite:{}", folder.path().join("clinic.db").display()),
            On::Postgres => fresh_database(None).await,
        };
        Clinic { on, database, folder, zone: noon() }
    }

    /// Another clinic with the same people, quickly: nobody may be using this one.
    pub async fn copy(&self) -> Clinic {
        let folder = tempfile::tempdir().expect("a folder");
        let database = match self.on {
            On::Sqlite => {
                let file = folder.path().join("clinic.db");
                fs::copy(self.database.trim_start_matches("sqlite:"), &file).expect("a copy");
                format!("sqlite:{}", file.display())
            }
            On::Postgres => fresh_database(self.database.rsplit_once('/').map(|(_, name)| name)).await,
        };
        Clinic { on: self.on, database, folder, zone: self.zone.clone() }
    }

    /// The settings of a service of this clinic.
    fn settings(&self, provider: &Provider, port: u16, hooks: u16) -> String {
        format!(
            r#"[database]
url = "{database}"
[server]
listen = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{hooks}"
secure_cookies = false
[security]
key = "a key for crashes that has thirty-two characters"
[site]
name = "Harbor Street Health"
sender = "Harbor Street"
phone = "(718) 555-0100"
zone = "{zone}"
[delivery]
lease_seconds = 2
doubt_seconds = 1
[log]
level = "info"
[[gateway]]
kind = "http"
name = "sms"
preset = "kannel"
url = "http://{provider}/cgi-bin/sendsms"
from = "7185550100"
username = "crash"
password = "crash-password"
secret = "{SECRET}"
timeout_seconds = 1
"#,
            database = self.database,
            zone = self.zone.name(),
            provider = provider.address,
        )
    }

    /// The service inside the test, with a clock that shows `at`: to prepare what a case begins with.
    pub async fn inside(&self, provider: &Provider, at: Time) -> App {
        let settings = self.settings(provider, 8080, 8080);
        let config = Config::parse("clinic.toml", &settings, &|_| None).unwrap_or_else(|e| panic!("{e}"));
        let clock = Arc::new(ManualClock::new(at));
        App::build(config, clock, Dice::seeded(7), |_, _| Vec::new()).await.unwrap_or_else(|e| panic!("{e}"))
    }

    /// Starts a process that is called back at this port; `fails` says at which fail points it ends.
    pub fn start(&self, provider: &Provider, role: &str, fails: &str, port: u16) -> Service {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("{role}-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let file = |ending: &str| self.folder.path().join(format!("{name}.{ending}"));
        fs::write(file("toml"), self.settings(provider, port, port)).expect("the settings");
        let log = fs::File::create(file("log")).expect("a log");
        let started = now();
        let child = Command::new(env!("CARGO_BIN_EXE_porchlight"))
            .args(["serve", "--role", role, "--config"])
            .arg(file("toml"))
            .env("FAILPOINTS", fails)
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the service starts");
        Service { child, log: file("log"), base: format!("http://127.0.0.1:{port}"), started }
    }

    pub fn look(&self) -> Base {
        Base::of(&self.database)
    }

    /// Whether everything that could be done has been done: the outbox, the inbox, what is due, and every callback.
    pub async fn done(&self, base: &Base, provider: &Provider) -> bool {
        let before = provider.events();
        base.drained(now()).await.is_ok_and(|d| d)
            && provider.ledger().pending() == 0
            && base.drained(now()).await.is_ok_and(|d| d)
            && provider.events() == before
    }

    /// Until everything that could be done has been done.
    pub async fn drained(&self, base: &Base, provider: &Provider) {
        eventually("everything to be done", || async { self.done(base, provider).await.then_some(()) }).await;
    }

    /// The tail of every log, for a case that failed.
    pub fn logs(&self) -> String {
        let mut all = String::new();
        for entry in fs::read_dir(self.folder.path()).expect("the folder").flatten() {
            if entry.path().extension().is_some_and(|e| e == "log") {
                let text = fs::read_to_string(entry.path()).unwrap_or_default();
                let lines: Vec<&str> = text.lines().collect();
                let tail = lines[lines.len().saturating_sub(12)..].join("\n");
                all.extend(["--- ", &entry.file_name().to_string_lossy(), "\n", &tail, "\n"]);
            }
        }
        all
    }

    /// What a process of this clinic says of a panic: the log tells its place only.
    pub fn panicked(&self) -> Option<String> {
        let files = fs::read_dir(self.folder.path()).expect("the folder").flatten();
        let mut told = files.filter_map(|entry| {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            text.lines().find(|l| l.contains("a piece of work broke off") || l.contains("panicked at")).map(str::to_owned)
        });
        told.next()
    }

    /// No process of this clinic has panicked.
    pub fn expect_no_panic(&self) {
        let told = self.panicked();
        assert!(told.is_none(), "{told:?}");
    }
}

/// A process of the service. It is killed when it is dropped.
pub struct Service {
    child: Child,
    pub log: PathBuf,
    pub base: String,
    pub started: i64,
}

impl Service {
    /// How it ended, once it has.
    pub async fn ended(&mut self) -> ExitStatus {
        let child = &mut self.child;
        eventually("the process to end", || std::future::ready(child.try_wait().expect("its state"))).await
    }

    /// How it ended, if it has.
    pub fn state(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("its state")
    }

    /// Kills it as nothing but a kernel can.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// `TERM`, `STOP` or `CONT`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|s| s.success()), "SIG{name} could not be sent");
    }

    /// Until it says that it is ready. Gives how long that took since its start, in milliseconds.
    pub async fn ready(&mut self, http: &reqwest::Client) -> i64 {
        let url = format!("{}/readyz", self.base);
        let log = self.log.clone();
        let child = &mut self.child;
        eventually("the service to be ready", || {
            let ended = child.try_wait().expect("its state");
            assert!(ended.is_none(), "it ended with {ended:?}:\n{}", fs::read_to_string(&log).unwrap_or_default());
            let asked = http.get(&url).send();
            async move { asked.await.ok().filter(|a| a.status() == 200).map(|_| ()) }
        })
        .await;
        now() - self.started
    }

    /// `/readyz`: its status and what it says.
    pub async fn says(&self, http: &reqwest::Client) -> (u16, serde_json::Value) {
        match http.get(format!("{}/readyz", self.base)).send().await {
            Ok(answer) => (answer.status().as_u16(), answer.json().await.unwrap_or_default()),
            Err(_) => (0, serde_json::Value::Null),
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether a process was ended by a fail point.
pub fn crashed(status: ExitStatus) -> bool {
    status.signal() == Some(6)
}

/// A loopback port that nobody listens on, below those that connections are given.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let from = u16::try_from(std::process::id() % 9_000).expect("a small number");
    loop {
        let port = 11_000 + (from + NEXT.fetch_add(1, Ordering::Relaxed) * 7) % 20_000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// The server that `tests/run` started.
pub fn server() -> String {
    std::env::var("PORCHLIGHT_TEST_POSTGRES").expect("PORCHLIGHT_TEST_POSTGRES names a private server: run tests/run")
}

/// A new database on it: empty, or a copy of another.
async fn fresh_database(template: Option<&str>) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let server = server();
    let name = format!("crash_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let (head, _) = server.rsplit_once('/').expect("a URL with a database");
    let like = template.map(|t| format!(" TEMPLATE {t}")).unwrap_or_default();
    let mut admin = sqlx::PgConnection::connect(&server).await.expect("the server");
    let made = sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}{like}"))).execute(&mut admin).await;
    made.expect("a fresh database");
    admin.close().await.expect("the server");
    format!("{head}/{name}")
}
