//! What waits for its gateway, and the rungs of the ladder: which contacts of a message have failed, and the same message again for
//! the next one.

use super::rows::{Rows, row};
use super::tx::{Sql, bulk, listed, run, sql};
use super::{StoreError, Tx, rows_json};
use crate::clock::Time;
use crate::model::Id;

/// A message that has no place now: (which, the lane in which it waits, when it is ready at the earliest in machine time).
pub type Deferred = (Id, String, Time);

const DEFER: Sql = bulk!(
    "UPDATE message SET lane = j.value->>1, ready_at = CASE WHEN ready_at > CAST(j.value->>2 AS BIGINT) THEN ready_at
                                                             ELSE CAST(j.value->>2 AS BIGINT) END
       FROM",
    "WHERE message.id = CAST(j.value->>0 AS BIGINT)"
);

/// Lets claimed messages wait in the lanes of their gateways.
///
/// # Errors
/// When the database refuses.
pub async fn defer(tx: &mut Tx, deferred: &[Deferred]) -> Result<(), StoreError> {
    if deferred.is_empty() {
        return Ok(());
    }
    let rows: Rows = deferred.iter().map(|(id, lane, ready)| row!([id.0, lane, ready.0])).collect();
    let sql = tx.pick(&DEFER);
    run!(tx, sql, rows.text()?)?;
    Ok(())
}

const TRIED: Sql = sql!(
    list("x.id, a.contact_id" by "x.id, a.contact_id")
    "FROM (SELECT m.id, m.id AS chain FROM" rows "JOIN message m ON m.id = CAST(j.value AS BIGINT)
            UNION ALL
           SELECT m.id, m.rung_of FROM" rows "JOIN message m ON m.id = CAST(j.value AS BIGINT) AND m.rung_of IS NOT NULL
            UNION ALL
           SELECT m.id, r.id FROM" rows "JOIN message m ON m.id = CAST(j.value AS BIGINT) JOIN message r ON r.rung_of = m.rung_of) AS x
       JOIN attempt a ON a.message_id = x.chain
      WHERE a.contact_id IS NOT NULL AND (a.outcome IN ('blocked', 'unreachable', 'refused') OR a.receipt IN ('failed', 'none'))"
);

/// The contacts by which messages, or the rungs before them, could not be brought: (message, contact).
///
/// # Errors
/// When the database refuses.
pub async fn tried(tx: &mut Tx, messages: &[i64]) -> Result<Vec<(Id, Id)>, StoreError> {
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    let mut tried = listed!(tx, (i64, i64), TRIED, rows_json(messages)?)?;
    tried.dedup();
    Ok(tried.into_iter().map(|(message, contact)| (Id(message), Id(contact))).collect())
}

const AGAIN: &str = "INSERT INTO message (id, site_id, patient_id, thread_id, enrolment_id, occurrence, appointment_id, appointment_version,
            inbox_id, staff_id, via_gateway, to_address, class, content, priority, key, args, question, lang, body, planned_at, expires_at,
            ready_at, state, state_at, rung_of)
     SELECT $2, site_id, patient_id, thread_id, enrolment_id, occurrence, appointment_id, appointment_version,
            inbox_id, staff_id, via_gateway, to_address, class, content, priority, key, args, question, lang,
            CASE WHEN key = 'staff' THEN body ELSE '' END, planned_at, expires_at, $4, 'queued', $3, COALESCE(rung_of, id)
       FROM message
      WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM message r WHERE r.rung_of = COALESCE(message.rung_of, message.id)
                                       AND r.state IN ('queued', 'sending', 'held', 'unknown'))
        AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.receipt IN ('delivered', 'read')
                           AND (a.message_id = COALESCE(message.rung_of, message.id)
                                OR a.message_id IN (SELECT r.id FROM message r WHERE r.rung_of = message.rung_of)))";

/// Says a message again, for the next rung: a new message, since the state of the first one never moves back. Gives whether it did;
/// not where the next rung is on its way already, or where an earlier one has arrived after all. `ready` is machine time.
///
/// # Errors
/// When the database refuses.
pub async fn again(tx: &mut Tx, message: Id, new: Id, now: Time, ready: Time) -> Result<bool, StoreError> {
    let made = run!(tx, AGAIN, message.0, new.0, now.0, ready.0)? == 1;
    if made {
        tx.ring().await?;
    }
    Ok(made)
}

const ANEW: &str = "INSERT INTO message (id, site_id, patient_id, thread_id, enrolment_id, occurrence, appointment_id, appointment_version,
            inbox_id, staff_id, via_gateway, to_address, class, content, priority, key, args, question, lang, body, planned_at, expires_at,
            ready_at, state, state_at)
     SELECT $2, site_id, patient_id, thread_id, enrolment_id, occurrence, appointment_id, appointment_version,
            inbox_id, staff_id, via_gateway, to_address, class, content, priority, key, args, question, lang,
            CASE WHEN key = 'staff' THEN body ELSE '' END, $3, expires_at, $4, 'queued', $3
       FROM message WHERE id = $1 AND site_id = $5 AND state = 'failed'";

/// Says a failed message again because a person wants it: a new message, for which nothing counts as tried. Gives whether it did.
/// `ready` is machine time.
///
/// # Errors
/// When the database refuses.
pub async fn anew(tx: &mut Tx, (site, message): (Id, Id), new: Id, now: Time, ready: Time) -> Result<bool, StoreError> {
    let made = run!(tx, ANEW, message.0, new.0, now.0, ready.0, site.0)? == 1;
    if made {
        // What was done about it stands on it, so that nobody does it twice.
        run!(tx, "UPDATE message SET why = 'sent_anew' WHERE id = $1", message.0)?;
        tx.ring().await?;
    }
    Ok(made)
}

/// Calls off a message that has not gone out, because a person wants it. Gives whether it was still to be called off.
///
/// # Errors
/// When the database refuses.
pub async fn call_off(tx: &mut Tx, (site, message): (Id, Id), now: Time) -> Result<bool, StoreError> {
    let off = run!(
        tx,
        "UPDATE message SET state = 'cancelled', why = 'by_staff', state_at = $3
          WHERE id = $2 AND site_id = $1 AND state IN ('planned', 'held', 'queued')",
        site.0,
        message.0,
        now.0
    )?;
    Ok(off == 1)
}

/// Lets a message that waits in the queue be tried at once. Gives whether it was waiting. `ready` is machine time.
///
/// # Errors
/// When the database refuses.
pub async fn hurry(tx: &mut Tx, (site, message): (Id, Id), ready: Time) -> Result<bool, StoreError> {
    let hurried = run!(
        tx,
        "UPDATE message SET ready_at = $3 WHERE id = $2 AND site_id = $1 AND state = 'queued'",
        site.0,
        message.0,
        ready.0
    )?;
    if hurried == 1 {
        tx.ring().await?;
    }
    Ok(hurried == 1)
}

/// No news of its arrival came in the time that was set for it, at most that the carrier has it: the contact counts as tried.
///
/// # Errors
/// When the database refuses.
pub async fn no_receipt(tx: &mut Tx, message: Id, now: Time) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE attempt SET receipt = 'none', receipt_at = $2
          WHERE message_id = $1 AND receipt IN ('', 'sent') AND n = (SELECT attempts FROM message WHERE id = $1)",
        message.0,
        now.0
    )?;
    Ok(())
}
