//! Timers: the only table swept for time. A timer holds the *next* due time of one thing.

use super::rows::{Rows, row};

use super::tx::{Sql, all, bulk, listed, on, run, sql};
use super::{StoreError, Tx, rows_json};
use crate::clock::Time;
use crate::model::{Id, Priority};

/// What a timer is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The next occurrence of a protocol's step. Subject: the enrolment.
    Step,
    /// An open question closes. Subject: the thread.
    Question,
    /// An escalation should have been claimed. Subject: the escalation.
    Deadline,
    /// A held message may be tried again. Subject: the message.
    Hold,
    /// A message has waited long enough for a receipt: a doubtful one, or (detail [`NO_RECEIPT`]) one that has a next rung. Subject:
    /// the message.
    Doubt,
}

impl Kind {
    /// The word as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Step => "step",
            Kind::Question => "question",
            Kind::Deadline => "deadline",
            Kind::Hold => "hold",
            Kind::Doubt => "doubt",
        }
    }
}

/// The detail of a [`Kind::Doubt`] timer of a message that was accepted, and has another contact to go to.
pub const NO_RECEIPT: &str = "receipt";

/// A timer to be set.
#[derive(Debug, Clone)]
pub struct NewTimer {
    /// Its identity, if there is none yet for (kind, subject, detail).
    pub id: Id,
    /// Whose site.
    pub site: Id,
    /// Whose patient.
    pub patient: Option<Id>,
    /// What for.
    pub kind: Kind,
    /// What about.
    pub subject: Id,
    /// Which of several: `step` or `step/anchor`.
    pub detail: String,
    /// The local date that it stands for.
    pub slot: String,
    /// The version of what it is about; an older timer is void.
    pub version: i64,
    /// When (domain time).
    pub due: Time,
    /// Among what is due, most pressing first.
    pub priority: Priority,
}

/// A timer that is due.
#[derive(Debug, Clone, sqlx::FromRow, serde::Deserialize)]
#[expect(missing_docs, reason = "the columns of the table, named there")]
pub struct Timer {
    pub id: i64,
    pub site_id: i64,
    pub patient_id: Option<i64>,
    pub kind: String,
    pub subject: i64,
    pub detail: String,
    pub slot: String,
    pub version: i64,
    pub due_at: i64,
}

const SET: Sql = bulk!(
    "INSERT INTO timer (id, site_id, patient_id, kind, subject, detail, slot, version, due_at, priority)
     SELECT CAST(j.value->>0 AS BIGINT), CAST(j.value->>1 AS BIGINT), CAST(j.value->>2 AS BIGINT), j.value->>3,
            CAST(j.value->>4 AS BIGINT), j.value->>5, j.value->>6, CAST(j.value->>7 AS BIGINT), CAST(j.value->>8 AS BIGINT),
            CAST(j.value->>9 AS BIGINT)
       FROM",
    "WHERE TRUE
     ON CONFLICT (kind, subject, detail) DO UPDATE SET slot = excluded.slot, version = excluded.version, due_at = excluded.due_at"
);

/// Sets timers; one that stands for the same thing is moved.
///
/// # Errors
/// When the database refuses.
pub async fn set(tx: &mut Tx, timers: &[NewTimer]) -> Result<(), StoreError> {
    if timers.is_empty() {
        return Ok(());
    }
    let rows: Rows = timers
        .iter()
        .map(|t| {
            row!([
                t.id.0,
                t.site.0,
                t.patient.map(|p| p.0),
                t.kind.as_str(),
                t.subject.0,
                t.detail,
                t.slot,
                t.version,
                t.due.0,
                t.priority.0
            ])
        })
        .collect();
    let sql = tx.pick(&SET);
    run!(tx, sql, rows.text()?)?;
    Ok(())
}

const DUE: Sql = sql!(
    list("id, site_id, patient_id, kind, subject, detail, slot, version, due_at" by "due_at, priority, id")
    "FROM (SELECT * FROM timer WHERE due_at <= $1 ORDER BY due_at, priority, id LIMIT $2" unlocked ") AS due"
);

/// Up to `limit` due timers, oldest first; other nodes pass them over until this transaction ends.
///
/// # Errors
/// When the database refuses.
pub async fn due(tx: &mut Tx, now: Time, limit: i64) -> Result<Vec<Timer>, StoreError> {
    listed!(tx, Timer, DUE, now.0, limit)
}

const DROP: Sql = bulk!("DELETE FROM timer WHERE id IN (SELECT CAST(j.value AS BIGINT) FROM", ")");

/// Deletes timers that have done their work.
///
/// # Errors
/// When the database refuses.
pub async fn drop_all(tx: &mut Tx, ids: &[i64]) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let sql = tx.pick(&DROP);
    run!(tx, sql, rows_json(ids)?)?;
    Ok(())
}

/// Deletes the timer that stands for one thing, if there is one.
///
/// # Errors
/// When the database refuses.
pub async fn cancel(tx: &mut Tx, kind: Kind, subject: Id) -> Result<(), StoreError> {
    run!(tx, "DELETE FROM timer WHERE kind = $1 AND subject = $2", kind.as_str(), subject.0)?;
    Ok(())
}

const CANCEL: Sql = bulk!("DELETE FROM timer WHERE kind = $2 AND subject IN (SELECT CAST(j.value AS BIGINT) FROM", ")");

/// Deletes the timers that stand for many things of one kind, where there are any.
///
/// # Errors
/// When the database refuses.
pub async fn cancel_all(tx: &mut Tx, kind: Kind, subjects: &[i64]) -> Result<(), StoreError> {
    if subjects.is_empty() {
        return Ok(());
    }
    let sql = tx.pick(&CANCEL);
    run!(tx, sql, rows_json(subjects)?, kind.as_str())?;
    Ok(())
}

/// When the next timer is due.
///
/// # Errors
/// When the database refuses.
pub async fn next_due(tx: &mut Tx) -> Result<Option<Time>, StoreError> {
    Ok(on!(tx, |c| sqlx::query_scalar::<_, Option<i64>>("SELECT MIN(due_at) FROM timer").fetch_one(c).await)?.map(Time))
}

/// A patient's next occurrences: `(enrolment, detail, due_at)`.
///
/// # Errors
/// When the database refuses.
pub async fn upcoming(tx: &mut Tx, patient: Id) -> Result<Vec<(i64, String, i64)>, StoreError> {
    Ok(all!(
        tx,
        (i64, String, i64),
        "SELECT subject, detail, due_at FROM timer
          WHERE kind = 'step' AND subject IN (SELECT id FROM enrolment WHERE patient_id = $1) ORDER BY due_at LIMIT 6",
        patient.0
    )?)
}

/// The timers of a kind that stand for these things.
///
/// # Errors
/// When the database refuses.
pub async fn of(tx: &mut Tx, kind: Kind, subjects: &[i64]) -> Result<Vec<Timer>, StoreError> {
    const OF: Sql = bulk!(
        "SELECT id, site_id, patient_id, kind, subject, detail, slot, version, due_at FROM timer
          WHERE kind = $2 AND subject IN (SELECT CAST(j.value AS BIGINT) FROM",
        ") ORDER BY due_at, id"
    );
    if subjects.is_empty() {
        return Ok(Vec::new());
    }
    let sql = tx.pick(&OF);
    Ok(all!(tx, Timer, sql, rows_json(subjects)?, kind.as_str())?)
}

/// The timers of a kind that are due later than `time`, soonest first.
///
/// # Errors
/// When the database refuses.
pub async fn later_than(tx: &mut Tx, kind: Kind, time: Time) -> Result<Vec<Timer>, StoreError> {
    Ok(all!(
        tx,
        Timer,
        "SELECT id, site_id, patient_id, kind, subject, detail, slot, version, due_at FROM timer
          WHERE kind = $1 AND due_at > $2 ORDER BY due_at, id",
        kind.as_str(),
        time.0
    )?)
}

/// What is held, of one patient or of all, is due now: it is decided again.
///
/// # Errors
/// When the database refuses.
pub async fn hold_no_longer(tx: &mut Tx, patient: Option<Id>, now: Time) -> Result<u64, StoreError> {
    Ok(run!(
        tx,
        "UPDATE timer SET due_at = $1
          WHERE kind = 'hold' AND due_at > $1 AND (CAST($2 AS BIGINT) IS NULL OR patient_id = CAST($2 AS BIGINT))",
        now.0,
        patient.map(|p| p.0)
    )?)
}

/// Puts a timer off, so that one that cannot be worked holds up no other.
///
/// # Errors
/// When the database refuses.
pub async fn put_off(tx: &mut Tx, id: i64, due: Time) -> Result<(), StoreError> {
    run!(tx, "UPDATE timer SET due_at = $2 WHERE id = $1", id, due.0)?;
    Ok(())
}
