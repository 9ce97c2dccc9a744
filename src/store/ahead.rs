//! What a clock that was ahead has left behind: occurrences and messages of a future that has not come, and waiting times that
//! were counted from it.

use std::collections::HashSet;

use super::tx::{Sql, all, bulk, run};
use super::{StoreError, Tx, rows_json};
use crate::clock::Time;

/// The setting that keeps the latest time that the clock has shown, in milliseconds of domain time.
pub const LATEST: &str = "clock.latest";

/// When an occurrence counts as recorded that belongs to a future which has not come: later than any clock shows, so that it is
/// known as such also when its time comes.
const NEVER: i64 = i64::MAX;

/// Occurrences that were recorded later than `ahead` belong to a future that has not come from now on. Gives how many there were.
///
/// # Errors
/// When the database refuses.
pub async fn disown(tx: &mut Tx, ahead: Time) -> Result<u64, StoreError> {
    Ok(run!(tx, "UPDATE occurrence SET at = $2 WHERE at > $1 AND at < $2", ahead.0, NEVER)?)
}

/// Those of these occurrences that belong to a future which has not come.
///
/// # Errors
/// When the database refuses.
pub async fn disowned(tx: &mut Tx, keys: &[String]) -> Result<HashSet<String>, StoreError> {
    const DISOWNED: Sql = bulk!("SELECT key FROM occurrence WHERE at = $2 AND key IN (SELECT j.value->>0 FROM", ")");
    if keys.is_empty() {
        return Ok(HashSet::new());
    }
    let rows: Vec<_> = keys.iter().map(|key| [key]).collect();
    let sql = tx.pick(&DISOWNED);
    Ok(all!(tx, (String,), sql, rows_json(&rows)?, NEVER)?.into_iter().map(|(key,)| key).collect())
}

const CALL_OFF: Sql = bulk!(
    "UPDATE message SET state = 'cancelled', why = 'clock_ahead', state_at = $2 FROM",
    "WHERE message.patient_id = CAST(j.value->>1 AS BIGINT) AND message.occurrence = j.value->>0
        AND message.state IN ('planned', 'held', 'queued')
        AND EXISTS (SELECT 1 FROM occurrence o WHERE o.key = message.occurrence AND o.at > $3)
     RETURNING message.id, message.thread_id"
);

/// Of these occurrences with their patients, calls off what was planned by a clock that was wrong, if they were recorded later than
/// `ahead`, and has not left. Gives the messages, with the threads on which they were tried.
///
/// # Errors
/// When the database refuses.
pub async fn call_off(
    tx: &mut Tx,
    keys: &[(String, i64)],
    ahead: Time,
    now: Time,
) -> Result<Vec<(i64, Option<i64>)>, StoreError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let sql = tx.pick(&CALL_OFF);
    Ok(all!(tx, (i64, Option<i64>), sql, rows_json(keys)?, now.0, ahead.0)?)
}

const RECORD_AGAIN: Sql = bulk!(
    "UPDATE occurrence SET at = $2 FROM",
    "WHERE occurrence.key = j.value->>0 AND occurrence.at > $3
        AND NOT EXISTS (SELECT 1 FROM message m
                         WHERE m.patient_id = CAST(j.value->>1 AS BIGINT) AND m.occurrence = occurrence.key
                           AND m.state NOT IN ('planned', 'held', 'queued', 'skipped', 'expired', 'cancelled'))
     RETURNING occurrence.key"
);

/// Of these occurrences with their patients, takes over those that were recorded later than `ahead`, by a clock that was wrong,
/// and of which nothing has left. Gives them.
///
/// # Errors
/// When the database refuses.
pub async fn record_again(tx: &mut Tx, keys: &[(String, i64)], ahead: Time, now: Time) -> Result<Vec<String>, StoreError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let sql = tx.pick(&RECORD_AGAIN);
    Ok(all!(tx, (String,), sql, rows_json(keys)?, now.0, ahead.0)?.into_iter().map(|(key,)| key).collect())
}

/// No message waits longer than from now on, and no claim holds longer than one made now: for when machine time went back.
///
/// # Errors
/// When the database refuses.
pub async fn wait_no_longer(tx: &mut Tx, machine: Time, lease_until: Time) -> Result<(), StoreError> {
    run!(tx, "UPDATE message SET ready_at = $1 WHERE state = 'queued' AND ready_at > $1", machine.0)?;
    run!(tx, "UPDATE message SET lease_until = $1 WHERE state = 'sending' AND lease_until > $1", lease_until.0)?;
    Ok(())
}

/// An entry of the consent ledger, with the date that a clock which was ahead gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the table, named there")]
pub struct Misdated {
    pub id: i64,
    pub patient_id: i64,
    pub at: i64,
}

/// Consents that are dated later than `now` are dated `now`, in the order in which they stand: what a patient says from now on is
/// later than what they said while the clock was ahead. Gives them as they were, so that what was changed can be proved.
///
/// # Errors
/// When the database refuses.
pub async fn date_consents(tx: &mut Tx, now: Time) -> Result<Vec<Misdated>, StoreError> {
    const DATE: Sql = bulk!(
        "UPDATE consent_event SET at = CAST(j.value->>1 AS BIGINT) FROM",
        "WHERE consent_event.id = CAST(j.value->>0 AS BIGINT)"
    );
    let found =
        all!(tx, Misdated, "SELECT id, patient_id, at FROM consent_event WHERE at > $1 ORDER BY patient_id, at, id", now.0)?;
    if found.is_empty() {
        return Ok(found);
    }
    // A millisecond apart, so that their order does not hang on their ids.
    let rows: Vec<(i64, i64)> = found.iter().zip(now.0 + 1..).map(|(entry, at)| (entry.id, at)).collect();
    let sql = tx.pick(&DATE);
    run!(tx, sql, rows_json(&rows)?)?;
    Ok(found)
}
