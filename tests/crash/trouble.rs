//! Databases in trouble, while a campaign goes out and its answers come in: locked, full, stopped, its connections killed or cut
//! during a commit. Callbacks are answered 503 and never 200, nothing is sent without a durable claim, no process panics, health
//! says why, and when the trouble is over everything is done by itself.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use futures_util::FutureExt;
use porchlight::store::{Db, Lane, StoreError, sites};
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use tokio::task::JoinSet;

use crate::base::{Base, On};
use crate::checker::check;
use crate::client;
use crate::clinic::{Clinic, Service, eventually, free_port, morning};
use crate::cluster::Cluster;
use crate::people::{campaign, replies_of_campaign};
use crate::provider::{Provider, Reply, Script};
use crate::proxy::{Cut, Proxy};
use crate::tell;

const PEOPLE: usize = 20;
const CUTS: usize = 9;

/// A campaign on the way: the service runs, and a part has been sent.
struct Story {
    clinic: Clinic,
    provider: Provider,
    base: Base,
    http: reqwest::Client,
    service: Service,
    due: usize,
}

impl Story {
    /// `settings` is the address of the database that the service itself is told.
    async fn begin(clinic: Clinic, settings: Option<String>) -> Story {
        let script = Script { replies: replies_of_campaign(PEOPLE), latency: Duration::from_millis(100), ..Script::default() };
        let provider = Provider::open(script).await;
        let app = clinic.inside(&provider, morning()).await;
        let due = campaign(&app, &clinic.zone, PEOPLE, 9).await;
        app.shut_down().await;
        let (base, http, port) = (clinic.look(), client(), free_port());
        let clinic = match settings {
            Some(database) => Clinic { database, ..clinic },
            None => clinic,
        };
        let mut service = clinic.start(&provider, "all", "", port);
        service.ready(&http).await;
        provider.calls(vec![service.base.clone()]);
        let story = Story { clinic, provider, base, http, service, due };
        story.accepted(10).await;
        story
    }

    async fn accepted(&self, at_least: usize) {
        eventually("messages to go out", || std::future::ready((self.provider.ledger().accepted() >= at_least).then_some(())))
            .await;
    }

    /// Somebody writes in the trouble: the callback is refused, until it is over.
    fn somebody_writes(&self) {
        let reply = Reply { on: "", text: "I want to kill myself".into(), cry: true };
        self.provider.writes(&crate::people::phone(1), reply, "in-trouble");
    }

    /// Until a callback has been answered 503.
    async fn refused(&self) {
        eventually("a callback to be refused", || {
            std::future::ready(self.provider.ledger().hooks.iter().any(|h| h.answers.contains(&503)).then_some(()))
        })
        .await;
    }

    /// Until `/readyz` says 503 and why.
    async fn says(&self, words: &str) -> String {
        eventually(&format!("`/readyz` to say {words:?}"), || {
            let asked = self.service.says(&self.http);
            async move {
                let (status, said) = asked.await;
                let why = said["why"].as_str().unwrap_or_default().to_owned();
                (status == 503 && why.contains(words)).then_some(why)
            }
        })
        .await
    }

    /// The trouble is over: everything is done by itself, once.
    async fn end(mut self, what: &str) {
        let over = crate::provider::now();
        self.service.ready(&self.http).await;
        self.clinic.drained(&self.base, &self.provider).await;
        let took = crate::provider::now() - over;
        self.service.signal("TERM");
        assert!(self.service.ended().await.success(), "it does not stop in peace\n{}", self.clinic.logs());
        let ledger = self.provider.ledger().clone();
        let found = check(&self.base, &ledger, self.due).await;
        self.base.close().await;
        self.clinic.expect_no_panic();
        let refused = ledger.hooks.iter().flat_map(|h| &h.answers).filter(|s| **s == 503).count();
        tell(format_args!("{what}: {found}; callbacks refused {refused} times; all done {took} ms after the trouble"));
        found.expect_sound(what);
    }
}

/// Another process holds the file for longer than a write waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_locked_file() {
    let clinic = Clinic::new(On::Sqlite).await;
    let story = Story::begin(clinic, None).await;
    let mut holder = SqliteConnection::connect(&story.clinic.database).await.expect("the file");
    sqlx::query("PRAGMA busy_timeout = 10000").execute(&mut holder).await.expect("patience");
    sqlx::query("BEGIN IMMEDIATE").execute(&mut holder).await.expect("the lock");
    story.somebody_writes();
    let said = story.says("locked").await;
    assert!(said.contains("another process"), "{said}");
    story.refused().await;
    let asked = story.provider.ledger().asked.len();
    story.says("locked").await;
    assert_eq!(story.provider.ledger().asked.len(), asked, "nothing is sent without a durable claim");
    sqlx::query("ROLLBACK").execute(&mut holder).await.expect("the end");
    holder.close().await.expect("the end");
    story.end("SQLite locked by another process").await;
}

/// A folder on a disk of its own that is small.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> SmallDisk {
        let folder = tempfile::tempdir().expect("a folder");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=32m", "tmpfs"]).arg(folder.path()).status();
        assert!(mounted.is_ok_and(|s| s.success()), "no small disk can be mounted: run the tests as root");
        SmallDisk(folder)
    }

    fn fill(&self) {
        let mut ballast = std::fs::File::create(self.ballast()).expect("the ballast");
        let block = [7_u8; 4096];
        // Until the disk is full.
        while std::io::Write::write_all(&mut ballast, &block).is_ok() {}
    }

    fn ballast(&self) -> std::path::PathBuf {
        self.0.path().join("ballast")
    }

    fn free(&self) {
        std::fs::remove_file(self.ballast()).expect("the ballast");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What is still open keeps it alive until it is closed: lazily.
        drop(Command::new("umount").arg("-l").arg(self.0.path()).status());
    }
}

/// No room for another page.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk() {
    let disk = SmallDisk::mount();
    let clinic = Clinic {
        database: format!("sqlite:{}", Path::new(disk.0.path()).join("clinic.db").display()),
        ..Clinic::new(On::Sqlite).await
    };
    let story = Story::begin(clinic, None).await;
    disk.fill();
    story.somebody_writes();
    let said = story.says("full").await;
    assert!(said.contains("free some space"), "{said}");
    story.refused().await;
    let page = story.http.get(format!("{}/healthz", story.service.base)).send().await.expect("an answer");
    assert_eq!(page.status(), 200, "the process itself is well");
    disk.free();
    story.end("SQLite on a full disk").await;
    drop(disk);
}

/// The server is stopped at once, and started again.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops() {
    let mut cluster = Cluster::start();
    let story = Story::begin(cluster.clinic().await, None).await;
    cluster.stop();
    story.somebody_writes();
    story.says("database").await;
    story.refused().await;
    cluster.go_on();
    story.end("PostgreSQL stopped at once and started again").await;
}

/// An operator, or the kernel, ends the server's processes one after the other.
#[tokio::test(flavor = "multi_thread")]
async fn killed_backends() {
    let story = Story::begin(Clinic::new(On::Postgres).await, None).await;
    let mut admin = PgConnection::connect(&crate::clinic::server()).await.expect("the server");
    let name = story.clinic.database.rsplit_once('/').expect("a database").1.to_owned();
    let mut killed = 0;
    for more in 1..=5 {
        story.accepted(10 + 15 * more).await;
        let ended = sqlx::query_scalar::<_, bool>("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1")
            .bind(&name)
            .fetch_all(&mut admin)
            .await;
        killed += ended.expect("the kill").len();
    }
    story.somebody_writes();
    assert!(killed >= 5, "{killed} backends");
    story.end("PostgreSQL's backends killed five times").await;
    admin.close().await.expect("the server");
}

/// The connection is cut while a commit goes by: before it reaches the server, or before its answer comes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_without_an_answer() {
    let clinic = Clinic::new(On::Postgres).await;
    let proxy = Proxy::open(&clinic.database).await;
    let story = Story::begin(clinic, Some(proxy.url.clone())).await;
    for round in 0..CUTS {
        proxy.cut_next(if round % 3 == 0 { Cut::Before } else { Cut::After });
        if round == 2 {
            story.somebody_writes();
        }
        eventually("a commit to be cut", || std::future::ready((proxy.cuts() > round).then_some(()))).await;
    }
    story.end("PostgreSQL cut during a commit, nine times").await;
}

/// The network swallows every byte and closes nothing, as when a server's machine loses its power. Nobody waits without end: callbacks
/// are refused, health says so, and the silent connections are given up for new ones.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_wire() {
    let clinic = Clinic::new(On::Postgres).await;
    let proxy = Proxy::open(&clinic.database).await;
    let story = Story::begin(clinic, Some(proxy.url.clone())).await;
    proxy.falls_silent();
    story.somebody_writes();
    let said = story.says("does not answer").await;
    assert!(said.contains("is it running"), "{said}");
    story.refused().await;
    proxy.is_mended();
    story.end("PostgreSQL behind a silent wire").await;
}

/// Whoever asked to write hears that it is not known, whichever way it went: neither "saved" nor "not saved" would be true.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_without_an_answer_is_called_unsure() {
    let clinic = Clinic::new(On::Postgres).await;
    let proxy = Proxy::open(&clinic.database).await;
    let (db, writer) = Db::open(&proxy.url.parse().expect("a location")).await.expect("the database");
    let mut writing = JoinSet::new();
    writing.spawn(writer);
    for (cut, kept) in [(Cut::Before, false), (Cut::After, true)] {
        proxy.cut_next(cut);
        let key = if kept { "kept" } else { "lost" };
        let said = db.write(Lane::Work, move |tx| async move { sites::set(tx, key, &"x".repeat(3_000)).await }.boxed()).await;
        assert!(matches!(said, Err(StoreError::Unsure)), "{cut:?}: {said:?}");
        let mut tx = db.read().await.expect("the database");
        assert_eq!(sites::get(&mut tx, key).await.expect("the setting").is_some(), kept, "{cut:?}");
    }
    let pools = db.last();
    while let Some(ended) = writing.join_next().await {
        ended.expect("the writer ends in peace");
    }
    pools.close().await;
}
