//! Opening the database, and the handle by which it is read and written.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, Executor as _, PgConnection, PgPool, SqlitePool};
use tokio::sync::{mpsc, oneshot};

use super::trouble::LastTrouble;
use super::tx::{BELL, Tx};
use super::writer::{Job, JobOf, Lanes, write_all};

pub(super) static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");
const QUEUED: usize = 4096;
/// How long a connection to a server, or to one of its transactions, may take.
const CONNECTED: Duration = Duration::from_secs(10);
/// How long a connection may take to answer when it is only asked whether it is there.
const ANSWERED: Duration = Duration::from_secs(2);
/// How long nothing may ring before it is looked whether it would be heard.
const LISTENED: Duration = Duration::from_secs(15);

/// What can go wrong below a store function.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused, is away, or answered nonsense.
    #[error("the database did not do it: {0}")]
    Database(#[from] sqlx::Error),
    /// It was not there when the service wanted to start.
    #[error("the database cannot be reached ({0}): start it, or correct database.url")]
    Away(sqlx::Error),
    /// Somebody else was faster: reload and decide again.
    #[error("somebody else changed this first")]
    Conflict,
    /// There is no such row.
    #[error("there is no such {0}")]
    Missing(&'static str),
    /// A stored value that this version cannot read. Says what it is and where, never the value.
    #[error("the database holds {0}, which this version cannot read")]
    Unreadable(String),
    /// The process is stopping and takes no more writes, or its database is away.
    #[error("nothing was saved: the service is stopping or the database is away")]
    Stopping,
    /// The connection broke during the commit: it may have held.
    #[error("it is not known whether this was saved: look before doing it again")]
    Unsure,
    /// The caller's own refusal, so that nothing of its closure is kept.
    #[error("{0}")]
    Refused(String),
    /// The migrations do not fit.
    #[error("{0}")]
    Migration(String),
}

impl StoreError {
    /// Stored JSON that this version cannot read: where, and nothing of what stands there.
    #[must_use]
    pub fn bad_json(what: &str, e: &serde_json::Error) -> StoreError {
        StoreError::Unreadable(format!("{what} (line {}, column {})", e.line(), e.column()))
    }

    /// Whether the same write would fail again whatever the database's state: its data are at fault, not the connection.
    #[must_use]
    pub fn is_poison(&self) -> bool {
        match self {
            StoreError::Database(sqlx::Error::Database(e)) => match e.code().as_deref() {
                // PostgreSQL: data exception, integrity violation, syntax or type, a limit (a key that is too long for an index).
                Some(code) if code.len() == 5 => ["22", "23", "42", "54"].iter().any(|class| code.starts_with(class)),
                // SQLite primary codes: error, too big, constraint, mismatch.
                Some(code) => code.parse::<u32>().is_ok_and(|code| [1, 18, 19, 20].contains(&(code & 0xff))),
                None => false,
            },
            StoreError::Database(sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. }) => true,
            StoreError::Database(_) | StoreError::Away(_) | StoreError::Stopping | StoreError::Unsure | StoreError::Conflict => {
                false
            }
            StoreError::Missing(_) | StoreError::Unreadable(_) | StoreError::Refused(_) | StoreError::Migration(_) => true,
        }
    }
}

/// Which writes go first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lane {
    /// What patients wrote, and receipts: durable before anything else.
    Inbound,
    /// What providers answered.
    Acknowledge,
    /// Everything else.
    Work,
    /// In the order of [`Lane::Work`]: what waits for no other node's locks, and so may follow others in their transaction.
    Claim,
}

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file.
    Sqlite(PathBuf),
    /// A server. The URL may hold a password: it is never printed.
    Postgres(String),
}

/// Text that is no location.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no database: write sqlite:FILE or postgres://USER@HOST/NAME")]
pub struct BadLocation(String);

impl std::str::FromStr for Location {
    type Err = BadLocation;
    fn from_str(url: &str) -> Result<Location, BadLocation> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Location::Postgres(url.to_owned()));
        }
        match url.strip_prefix("sqlite:").map(|rest| rest.strip_prefix("//").unwrap_or(rest)) {
            Some(path) if !path.is_empty() => Ok(Location::Sqlite(PathBuf::from(path))),
            _ => Err(BadLocation(url.split('@').next_back().unwrap_or_default().to_owned())),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) enum Pools {
    Sqlite { write: SqlitePool, read: SqlitePool },
    Postgres { write: PgPool, read: PgPool },
}

/// The database: a handle that is cheap to clone. Its writer stops when the last handle is gone.
#[derive(Debug, Clone)]
pub struct Db {
    pools: Pools,
    inbound: mpsc::Sender<Box<dyn Job>>,
    acknowledge: mpsc::Sender<Box<dyn Job>>,
    work: mpsc::Sender<Box<dyn Job>>,
    trouble: LastTrouble,
}

/// The writer's loop: give it to a task of its own.
pub type Writer = BoxFuture<'static, ()>;

impl Db {
    /// Opens the database and brings its model up to date.
    ///
    /// # Errors
    /// When it cannot be reached, or was made by a newer version.
    pub async fn open(location: &Location) -> Result<(Db, Writer), StoreError> {
        let pools = match location {
            Location::Sqlite(path) => sqlite(path).await?,
            Location::Postgres(url) => postgres(url).await?,
        };
        crate::fault::point("start.migrated");
        let (inbound, from_inbound) = mpsc::channel(QUEUED);
        let (acknowledge, from_acknowledge) = mpsc::channel(QUEUED);
        let (work, from_work) = mpsc::channel(QUEUED);
        let lanes = Lanes { inbound: from_inbound, acknowledge: from_acknowledge, work: from_work, stored: false };
        let trouble = LastTrouble::default();
        let writer = write_all(pools.clone(), lanes, trouble.clone()).boxed();
        Ok((Db { pools, inbound, acknowledge, work, trouble }, writer))
    }

    /// Runs `job` in the writer's next transaction and answers after its commit.
    ///
    /// # Errors
    /// What the job said, or that nothing was saved.
    pub async fn write<T, F>(&self, lane: Lane, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(JobOf { job: Some(job), result: None, answer, waits: lane != Lane::Claim });
        let lane = match lane {
            Lane::Inbound => &self.inbound,
            Lane::Acknowledge => &self.acknowledge,
            Lane::Work | Lane::Claim => &self.work,
        };
        lane.send(job).await.map_err(|_| StoreError::Stopping)?;
        answered.await.map_err(|_| StoreError::Stopping)?.inspect_err(|e| self.trouble.note(e))
    }

    /// What stood in the way of a write in the last seconds, and what to do about it.
    #[must_use]
    pub fn trouble(&self) -> Option<&'static str> {
        self.trouble.words()
    }

    /// A read-only transaction: one consistent view, and no way to hold up the writer.
    ///
    /// # Errors
    /// When no connection can be had.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        match &self.pools {
            Pools::Sqlite { read, .. } => Ok(Tx::Sqlite(read.begin().await?)),
            Pools::Postgres { read, .. } => {
                let begun = tokio::time::timeout(CONNECTED, read.begin()).await;
                Ok(Tx::Postgres(begun.unwrap_or(Err(sqlx::Error::PoolTimedOut))?))
            }
        }
    }

    /// Listens for other processes that have stored or planned something. `None` on the embedded database, which has one process.
    ///
    /// # Errors
    /// When no connection can be had.
    pub async fn bell(&self) -> Result<Option<Bell>, StoreError> {
        let Pools::Postgres { read, .. } = &self.pools else { return Ok(None) };
        let mut listener = PgListener::connect_with(read).await?;
        // When the service stops, the pool waits for nobody.
        listener.ignore_pool_close_event(true);
        listener.listen(BELL).await?;
        Ok(Some(Bell(listener)))
    }

    /// `"sqlite"` or `"postgres"`.
    #[must_use]
    pub fn backend(&self) -> &'static str {
        match self.pools {
            Pools::Sqlite { .. } => "sqlite",
            Pools::Postgres { .. } => "postgres",
        }
    }

    /// Gives up this handle and keeps only what must be closed once the writer has ended.
    #[must_use]
    pub fn last(self) -> Closing {
        Closing(self.pools)
    }
}

/// Rings when another process has something to do for this one. Polling stands behind it: a ring that is missed is no loss.
#[derive(Debug)]
pub struct Bell(PgListener);

impl Bell {
    /// Waits for the next ring, and asks now and then whether it would be heard.
    ///
    /// # Errors
    /// When the connection is gone or silent, and no other can be had.
    pub async fn rung(&mut self) -> Result<(), StoreError> {
        loop {
            if let Ok(rung) = tokio::time::timeout(LISTENED, self.0.recv()).await {
                rung?;
                break;
            }
            answered(self.0.execute("SELECT 1")).await?;
        }
        // Those that rang meanwhile are this one.
        while self.0.next_buffered().is_some() {}
        Ok(())
    }
}

/// The connections of a database whose handles are gone.
#[derive(Debug)]
pub struct Closing(Pools);

impl Closing {
    /// Closes the connections; what was committed is on disk.
    pub async fn close(self) {
        match self.0 {
            Pools::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Pools::Postgres { write, read } => {
                let closed = async {
                    read.close().await;
                    write.close().await;
                };
                if tokio::time::timeout(CONNECTED, closed).await.is_err() {
                    tracing::warn!("the database server does not answer; its connections are left to it");
                }
            }
        }
    }
}

/// How the embedded database is opened, but for its journal, which is kept in the file itself.
pub(super) fn sqlite_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10))
        // 32 MiB of pages: what is due now is read and written again within seconds.
        .pragma("cache_size", "-32768")
        // The same pages are written by batch after batch: they go from the log into the file once, not each thousand pages.
        .pragma("wal_autocheckpoint", "4000")
}

async fn sqlite(path: &Path) -> Result<Pools, StoreError> {
    let options = sqlite_options(path).journal_mode(SqliteJournalMode::Wal);
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options.clone().create_if_missing(true))
        .await
        .map_err(StoreError::Away)?;
    MIGRATIONS.run(&write).await.map_err(migration)?;
    let read =
        SqlitePoolOptions::new().max_connections(4).connect_with(options.read_only(true).pragma("query_only", "on")).await?;
    Ok(Pools::Sqlite { write, read })
}

async fn postgres(url: &str) -> Result<Pools, StoreError> {
    let options: PgConnectOptions = url.parse().map_err(StoreError::Away)?;
    // A node that stands still in the middle of a transaction holds its rows locked: the server ends it, or all others would wait.
    let options = options.options([("idle_in_transaction_session_timeout", "10s")]);
    // A pool waits and then says only that it has waited; one connection says at once what is wrong. A migration may take its time.
    let mut first = PgConnection::connect_with(&options).await.map_err(StoreError::Away)?;
    MIGRATIONS.run(&mut first).await.map_err(migration)?;
    first.close().await?;
    let options = options.options([("statement_timeout", "20s")]);
    let write = postgres_pool(2).connect_with(options.clone().options([("lock_timeout", "5s")])).await?;
    let read = postgres_pool(8)
        .connect_with(
            options.options([("default_transaction_read_only", "on"), ("default_transaction_isolation", "repeatable read")]),
        )
        .await?;
    Ok(Pools::Postgres { write, read })
}

fn postgres_pool(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new().max_connections(connections).acquire_timeout(CONNECTED).after_release(|connection, _| {
        async move {
            // One that is silent is closed: otherwise the operating system waits for its answer, a quarter of an hour long.
            answered(connection.ping()).await.map(|()| true)
        }
        .boxed()
    })
}

/// What comes at once from a server that is there.
async fn answered<T>(asked: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let silent = |_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
    tokio::time::timeout(ANSWERED, asked).await.unwrap_or_else(silent)
}

fn migration(e: sqlx::migrate::MigrateError) -> StoreError {
    use sqlx::migrate::MigrateError;
    match e {
        MigrateError::VersionMissing(version) => StoreError::Migration(format!(
            "the database is from a newer version of Porchlight (its migration {version} is not known here): start that version, or restore a backup that this one made"
        )),
        MigrateError::VersionMismatch(version) => StoreError::Migration(format!(
            "migration {version} of this database is not the one that this version carries: it was made by a changed build; start that build"
        )),
        MigrateError::Dirty(version) => StoreError::Migration(format!(
            "migration {version} was cut short: restore the backup from before the upgrade and run `porchlight migrate` again"
        )),
        other => StoreError::Migration(format!("the database could not be brought up to date: {other}")),
    }
}

/// Makes an empty database called `name` on a `PostgreSQL` server: for tests and for trying out.
///
/// # Errors
/// When `name` is more than letters, digits and `_`, or the server refuses.
pub async fn create_database(server: &str, name: &str) -> Result<(), StoreError> {
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(StoreError::Refused("a database's name has letters, digits and _ only".into()));
    }
    let pool = PgPoolOptions::new().max_connections(1).connect(server).await?;
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&pool).await?;
    pool.close().await;
    Ok(())
}
