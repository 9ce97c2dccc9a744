//! A database as a test looks into it from outside, while the service works or lies dead: it only reads.

use std::time::Duration;

use porchlight::store::Location;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};

/// Which database a case is told on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    Sqlite,
    Postgres,
}

/// A database to look into.
#[derive(Clone, Debug)]
pub enum Base {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// All rows of a query, as `$row`; an error where the database is away.
#[macro_export]
macro_rules! rows {
    ($base:expr, $row:ty, $sql:expr $(, $bind:expr)*) => {
        match $base {
            $crate::base::Base::Sqlite(pool) => sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_all(pool).await,
            $crate::base::Base::Postgres(pool) => sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_all(pool).await,
        }
    };
}

impl Base {
    /// Opens it when it is looked into first.
    pub fn of(location: &str) -> Base {
        match location.parse().expect("a location") {
            Location::Sqlite(path) => {
                let options =
                    SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_secs(10)).pragma("query_only", "on");
                Base::Sqlite(SqlitePoolOptions::new().max_connections(1).connect_lazy_with(options))
            }
            Location::Postgres(url) => {
                let options = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(2));
                Base::Postgres(options.connect_lazy(&url).expect("a location"))
            }
        }
    }

    /// One number.
    pub async fn count(&self, sql: &'static str) -> i64 {
        rows!(self, (i64,), sql).unwrap_or_else(|e| panic!("{sql}: {e}"))[0].0
    }

    /// Whether nothing is left to be done now: nothing queued or on the wire, no callback unread, nothing due, no doubt open.
    /// An error where the database is away.
    pub async fn drained(&self, now: i64) -> Result<bool, sqlx::Error> {
        const LEFT: &str =
            "SELECT (SELECT CAST(COUNT(*) AS BIGINT) FROM message WHERE state IN ('planned', 'held', 'queued', 'sending'))
                + (SELECT CAST(COUNT(*) AS BIGINT) FROM inbox WHERE state = 'new')
                + (SELECT CAST(COUNT(*) AS BIGINT) FROM timer WHERE due_at <= $1 OR kind = 'doubt')";
        Ok(rows!(self, (i64,), LEFT, now)?[0].0 == 0)
    }

    pub async fn close(&self) {
        match self {
            Base::Sqlite(pool) => pool.close().await,
            Base::Postgres(pool) => pool.close().await,
        }
    }
}
