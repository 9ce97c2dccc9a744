//! What an operator's check-up reads. Reads only; says nothing about anybody.

use std::time::Duration;

use super::db::MIGRATIONS;
use super::tx::{Sql, all, maybe};
use super::{StoreError, Tx};
use crate::clock::Time;
use crate::model::Priority;

const DAY: Duration = Duration::from_secs(86_400);

/// The tables that are there.
///
/// # Errors
/// When the database refuses.
pub async fn tables(tx: &mut Tx) -> Result<Vec<String>, StoreError> {
    const TABLES: Sql = Sql {
        sqlite: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
        postgres: "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1",
    };
    let sql = tx.pick(&TABLES);
    Ok(all!(tx, (String,), sql)?.into_iter().map(|(name,)| name).collect())
}

/// The migrations that this version carries.
#[must_use]
pub fn known_migrations() -> Vec<i64> {
    MIGRATIONS.iter().map(|m| m.version).collect()
}

/// How a database's migrations fit this version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Migrations {
    /// In the database.
    pub done: Vec<i64>,
    /// Still to come.
    pub pending: Vec<i64>,
    /// Of a newer version.
    pub unknown: Vec<i64>,
    /// Not as this version carries them, or cut short.
    pub broken: Vec<i64>,
}

/// Compares the database's migrations with this version's. For a database in which there are some.
///
/// # Errors
/// When the database refuses.
pub async fn migrations(tx: &mut Tx) -> Result<Migrations, StoreError> {
    let rows = all!(tx, (i64, bool, Vec<u8>), "SELECT version, success, checksum FROM _sqlx_migrations ORDER BY version")?;
    let mut found = Migrations::default();
    for (version, success, checksum) in &rows {
        found.done.push(*version);
        match MIGRATIONS.iter().find(|m| m.version == *version) {
            None => found.unknown.push(*version),
            Some(known) if !*success || *known.checksum != **checksum => found.broken.push(*version),
            Some(_) => {}
        }
    }
    found.pending = known_migrations().into_iter().filter(|v| !found.done.contains(v)).collect();
    Ok(found)
}

/// The database's own settings on which durability hangs: `(name, value)`. What every connection to the embedded database sets for
/// itself is not among them.
///
/// # Errors
/// When the database refuses.
pub async fn settings(tx: &mut Tx) -> Result<Vec<(String, String)>, StoreError> {
    let Tx::Sqlite(t) = tx else {
        return Ok(all!(
            tx,
            (String, String),
            "SELECT name, setting FROM pg_settings WHERE name IN ('server_version_num', 'server_version', 'synchronous_commit', 'fsync',
                    'full_page_writes', 'max_connections', 'superuser_reserved_connections', 'TimeZone') ORDER BY name"
        )?);
    };
    let (journal,): (String,) = sqlx::query_as("PRAGMA journal_mode").fetch_one(&mut **t).await?;
    let (version,): (String,) = sqlx::query_as("SELECT sqlite_version()").fetch_one(&mut **t).await?;
    Ok(vec![("journal_mode".to_owned(), journal), ("version".to_owned(), version)])
}

/// How many bytes the database has.
///
/// # Errors
/// When the database refuses.
pub async fn size(tx: &mut Tx) -> Result<i64, StoreError> {
    const SIZE: Sql = Sql {
        sqlite: "SELECT c.page_count * s.page_size FROM pragma_page_count AS c, pragma_page_size AS s",
        postgres: "SELECT pg_database_size(current_database())",
    };
    let sql = tx.pick(&SIZE);
    Ok(maybe!(tx, (i64,), sql)?.map_or(0, |(bytes,)| bytes))
}

/// Who else is connected to the server, this connection not counted; nothing on the embedded database.
///
/// # Errors
/// When the database refuses.
pub async fn connections(tx: &mut Tx) -> Result<Option<i64>, StoreError> {
    match tx {
        Tx::Sqlite(_) => Ok(None),
        Tx::Postgres(_) => Ok(maybe!(
            tx,
            (i64,),
            "SELECT COUNT(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )?
        .map(|(n,)| n)),
    }
}

/// What the embedded database finds wrong with itself, `full` or quick; a server checks its pages itself.
///
/// # Errors
/// When the database refuses.
pub async fn faults(tx: &mut Tx, full: bool) -> Result<Vec<String>, StoreError> {
    let Tx::Sqlite(t) = tx else { return Ok(Vec::new()) };
    let sql = if full { "PRAGMA integrity_check(10)" } else { "PRAGMA quick_check(10)" };
    let rows: Vec<(String,)> = sqlx::query_as(sql).fetch_all(&mut **t).await?;
    let mut found: Vec<String> = rows.into_iter().map(|(text,)| text).filter(|text| text != "ok").collect();
    if full {
        let lost: Vec<(String, Option<i64>, String, i64)> =
            sqlx::query_as("PRAGMA foreign_key_check").fetch_all(&mut **t).await?;
        found.extend(lost.iter().take(10).map(|(table, _, parent, _)| format!("a row of {table} without its {parent}")));
    }
    Ok(found)
}

/// Tables to which rows are only added, and how many they hold: by them a copy is compared with what it was made from.
///
/// # Errors
/// When the database refuses.
pub async fn rows(tx: &mut Tx) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(all!(
        tx,
        (String, i64),
        "SELECT 'attempt', CAST(COUNT(*) AS BIGINT) FROM attempt
         UNION ALL SELECT 'audit', CAST(COUNT(*) AS BIGINT) FROM audit
         UNION ALL SELECT 'consent_event', CAST(COUNT(*) AS BIGINT) FROM consent_event
         UNION ALL SELECT 'decision', CAST(COUNT(*) AS BIGINT) FROM decision
         UNION ALL SELECT 'escalation', CAST(COUNT(*) AS BIGINT) FROM escalation
         UNION ALL SELECT 'inbox', CAST(COUNT(*) AS BIGINT) FROM inbox
         UNION ALL SELECT 'message', CAST(COUNT(*) AS BIGINT) FROM message
         UNION ALL SELECT 'occurrence', CAST(COUNT(*) AS BIGINT) FROM occurrence
         UNION ALL SELECT 'patient', CAST(COUNT(*) AS BIGINT) FROM patient
         UNION ALL SELECT 'person', CAST(COUNT(*) AS BIGINT) FROM person
         UNION ALL SELECT 'reading', CAST(COUNT(*) AS BIGINT) FROM reading"
    )?)
}

/// Time zones in use, and by how many sites, patients and visits.
///
/// # Errors
/// When the database refuses.
pub async fn zones(tx: &mut Tx) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(all!(
        tx,
        (String, i64),
        "SELECT zone, CAST(SUM(n) AS BIGINT) FROM (
            SELECT zone, COUNT(*) AS n FROM site GROUP BY zone
            UNION ALL SELECT zone, COUNT(*) FROM patient GROUP BY zone
            UNION ALL SELECT zone, COUNT(*) FROM appointment GROUP BY zone) AS used GROUP BY zone ORDER BY zone"
    )?)
}

/// What should have moved on and has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, sqlx::FromRow)]
pub struct Stuck {
    /// Messages that are being sent under a lease that has run out.
    pub leases: i64,
    /// Messages that are ready to go for too long, although sending is not paused.
    pub ready: i64,
    /// Of these, crisis replies, answers, and replies by staff.
    pub pressing: i64,
    /// Since when the oldest of them is ready (machine time).
    pub oldest_ready: Option<i64>,
    /// Messages of the last day of which nobody knows whether they arrived, and no receipt is waited for.
    pub unknown: i64,
    /// Timers that are due for too long.
    pub timers: i64,
    /// When the oldest of all timers was due.
    pub oldest_timer: Option<i64>,
    /// Rows of the inbox that wait for too long.
    pub waiting: i64,
    /// Rows of the inbox that could not be processed and were given to a person.
    pub failed: i64,
    /// Processes that hold a node number now.
    pub processes: i64,
}

/// Counts what is stuck: leases that ran out before `machine`, and what waits for longer than `patience` by machine time or by domain
/// time `now`.
///
/// # Errors
/// When the database refuses.
pub async fn stuck(tx: &mut Tx, machine: Time, now: Time, patience: Duration) -> Result<Stuck, StoreError> {
    let found = maybe!(
        tx,
        Stuck,
        "SELECT (SELECT CAST(COUNT(*) AS BIGINT) FROM message WHERE state = 'sending' AND lease_until < $1) AS leases,
                o.ready, o.pressing, o.oldest_ready,
                (SELECT CAST(COUNT(*) AS BIGINT) FROM message m WHERE m.state = 'unknown' AND m.state_at >= $4
                    AND NOT EXISTS (SELECT 1 FROM timer t WHERE t.kind = 'doubt' AND t.subject = m.id)) AS unknown,
                (SELECT CAST(COUNT(*) AS BIGINT) FROM timer WHERE due_at < $2) AS timers,
                (SELECT MIN(due_at) FROM timer) AS oldest_timer,
                (SELECT CAST(COUNT(*) AS BIGINT) FROM inbox WHERE state = 'new' AND received_at < $2) AS waiting,
                (SELECT CAST(COUNT(*) AS BIGINT) FROM inbox WHERE state = 'failed') AS failed,
                (SELECT CAST(COUNT(*) AS BIGINT) FROM node WHERE lease_until >= $1) AS processes
           FROM (SELECT CAST(COUNT(*) AS BIGINT) AS ready, MIN(ready_at) AS oldest_ready,
                        CAST(COALESCE(SUM(CASE WHEN priority <= $5 THEN 1 ELSE 0 END), 0) AS BIGINT) AS pressing
                   FROM message WHERE state = 'queued' AND ready_at < $3
                    AND NOT EXISTS (SELECT 1 FROM setting WHERE key = 'sending.paused')) AS o",
        machine.0,
        now.minus(patience).0,
        machine.minus(patience).0,
        now.minus(DAY).0,
        Priority::ANSWER.0
    )?;
    Ok(found.unwrap_or_default())
}
