//! When the next message of a paced gateway may leave: shared by all processes of the database.

use super::rows::{Rows, row};
use super::tx::{Sql, bulk, listed, run, sql};
use super::{StoreError, Tx, rows_json};

const OF: Sql = sql!(
    list("p.key, p.next_at" by "p.key")
    "FROM (SELECT key, next_at FROM pace WHERE key IN (SELECT j.value->>0 FROM" rows ") ORDER BY key" locked ") AS p"
);

/// When the next one may leave, in microseconds of machine time, for those of these keys that have had one: locked until the
/// transaction ends.
///
/// # Errors
/// When the database refuses.
pub async fn of(tx: &mut Tx, keys: &[&str]) -> Result<Vec<(String, i64)>, StoreError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    listed!(tx, (String, i64), OF, rows_json(&keys.iter().map(|key| [key]).collect::<Vec<_>>())?)
}

const SET: Sql = bulk!(
    "INSERT INTO pace (key, next_at) SELECT j.value->>0, CAST(j.value->>1 AS BIGINT) FROM",
    "WHERE TRUE ON CONFLICT (key) DO UPDATE SET next_at = excluded.next_at"
);

/// Keeps when the next ones may leave.
///
/// # Errors
/// When the database refuses.
pub async fn set(tx: &mut Tx, next: &[(String, i64)]) -> Result<(), StoreError> {
    if next.is_empty() {
        return Ok(());
    }
    let rows: Rows = next.iter().map(|(key, at)| row!([key, at])).collect();
    let sql = tx.pick(&SET);
    run!(tx, sql, rows.text()?)?;
    Ok(())
}

/// Forgets what was over before a time (microseconds of machine time).
///
/// # Errors
/// When the database refuses.
pub async fn forget(tx: &mut Tx, before: i64) -> Result<u64, StoreError> {
    Ok(run!(tx, "DELETE FROM pace WHERE next_at < $1", before)?)
}
