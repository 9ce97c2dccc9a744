//! A database as it stands, for operators' commands: opened without bringing its model up to date, and without a writer.

use std::path::Path;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool, SqlitePool};

use super::db::sqlite_options;
use super::{Location, StoreError, Tx};

/// A database that is looked at, copied or marked, and not worked on.
#[derive(Debug)]
pub struct Bare(Pool);

#[derive(Debug)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Bare {
    /// Opens a database that is there; with `writes` it may be changed.
    ///
    /// # Errors
    /// When it is not there or cannot be reached.
    pub async fn open(location: &Location, writes: bool) -> Result<Bare, StoreError> {
        let pool = match location {
            Location::Sqlite(path) => {
                let options = sqlite_options(path).create_if_missing(false).read_only(!writes).disable_statement_logging();
                let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
                Pool::Sqlite(pool.map_err(StoreError::Away)?)
            }
            Location::Postgres(url) => {
                // Reading every page takes long: that is no news for the log.
                let options = url.parse::<PgConnectOptions>().map_err(StoreError::Away)?.disable_statement_logging();
                // A pool waits and then says only that it has waited; one connection says at once what is wrong.
                PgConnection::connect_with(&options).await.map_err(StoreError::Away)?.close().await?;
                let options = if writes { options } else { options.options([("default_transaction_read_only", "on")]) };
                let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(10));
                Pool::Postgres(pool.connect_with(options).await.map_err(StoreError::Away)?)
            }
        };
        Ok(Bare(pool))
    }

    /// A transaction to read in; whatever it wrote is given up.
    ///
    /// # Errors
    /// When no connection can be had.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        match &self.0 {
            Pool::Sqlite(pool) => Ok(Tx::Sqlite(pool.begin().await?)),
            Pool::Postgres(pool) => Ok(Tx::Postgres(pool.begin().await?)),
        }
    }

    /// Runs `job` in a transaction of its own and answers after the commit.
    ///
    /// # Errors
    /// What the job said: then nothing is kept.
    pub async fn write<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send,
    {
        let mut tx = match &self.0 {
            Pool::Sqlite(pool) => Tx::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
            Pool::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        };
        let done = job(&mut tx).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Writes a consistent copy of the embedded database into an empty file, while others go on writing.
    ///
    /// # Errors
    /// When the file cannot be written, or the database is a server's.
    pub async fn copy_into(&self, file: &Path) -> Result<(), StoreError> {
        let Pool::Sqlite(pool) = &self.0 else {
            return Err(StoreError::Refused("a server's database is copied by pg_dump".into()));
        };
        sqlx::query("VACUUM INTO $1").bind(file.to_string_lossy().into_owned()).execute(pool).await?;
        Ok(())
    }

    /// Closes the connections; what was committed is on disk.
    pub async fn close(self) {
        match self.0 {
            Pool::Sqlite(pool) => pool.close().await,
            Pool::Postgres(pool) => pool.close().await,
        }
    }
}
