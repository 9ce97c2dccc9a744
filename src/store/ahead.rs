//! What a clock that was ahead has left behind: occurrences and messages of a future that has not come, and waiting times that
//! were counted from it.

use super::tx::{Sql, all, bulk, run};
use super::{StoreError, Tx, rows_json};
use crate::clock::Time;

const RECORD_AGAIN: Sql = bulk!(
    "UPDATE occurrence SET at = $2 FROM",
    "WHERE occurrence.key = j.value->>0 AND occurrence.at > $3
        AND NOT EXISTS (SELECT 1 FROM message m
                         WHERE m.patient_id = CAST(j.value->>1 AS BIGINT) AND m.planned_at > $3 AND m.occurrence = occurrence.key
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

const CALL_OFF: Sql = bulk!(
    "UPDATE message SET state = 'cancelled', why = 'clock_ahead', state_at = $2 FROM",
    "WHERE message.patient_id = CAST(j.value->>1 AS BIGINT) AND message.planned_at > $2 AND message.occurrence = j.value->>0
        AND message.state IN ('planned', 'held', 'queued')"
);

/// Calls off what was planned in a future that has not come for these occurrences with their patients, and has not left.
///
/// # Errors
/// When the database refuses.
pub async fn call_off(tx: &mut Tx, keys: &[(String, i64)], now: Time) -> Result<u64, StoreError> {
    if keys.is_empty() {
        return Ok(0);
    }
    let sql = tx.pick(&CALL_OFF);
    Ok(run!(tx, sql, rows_json(keys)?, now.0)?)
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

/// Consents that are dated later than `now` are dated `now`: what a patient says from now on is later than what they said while
/// the clock was ahead. Gives how many there were.
///
/// # Errors
/// When the database refuses.
pub async fn date_consents(tx: &mut Tx, now: Time) -> Result<u64, StoreError> {
    Ok(run!(tx, "UPDATE consent_event SET at = $1 WHERE at > $1", now.0)?)
}
