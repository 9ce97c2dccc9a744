//! The outbox: messages and their attempts.
//!
//! A claim is a lease with a fencing number (`attempts`): whoever acknowledges must hold both. Bulk
//! updates match by id, fence and owner, never by `state`, so that no planner scans what is in flight.

use super::rows::{Rows, row};

use super::tx::{Sql, all, bulk, listed, maybe, on, run, sql, unlocked};
use super::{StoreError, Tx, rows_json};
use crate::clock::Time;
use crate::model::{Class, ContentClass, Id, MessageState, Priority};

/// A message to be planned.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Its identity.
    pub id: Id,
    /// The site that speaks.
    pub site: Id,
    /// For whom; `None` answers somebody unknown.
    pub patient: Option<Id>,
    /// The thread that it belongs to, where one is known.
    pub thread: Option<Id>,
    /// The enrolment that asked for it.
    pub enrolment: Option<Id>,
    /// The occurrence that it stands for; empty if none.
    pub occurrence: String,
    /// The visit that it is about, with the visit's version.
    pub appointment: Option<(Id, i64)>,
    /// The inbox row that it answers.
    pub inbox: Option<Id>,
    /// The member of staff who wrote it.
    pub staff: Option<Id>,
    /// Where to, if there is no contact: (gateway, address).
    pub direct: Option<(String, String)>,
    /// What it is for.
    pub class: Class,
    /// How much it says about health.
    pub content: ContentClass,
    /// Message of the catalogue, or `staff`.
    pub key: String,
    /// Arguments as JSON.
    pub args: String,
    /// What it asks, as JSON; empty if nothing.
    pub question: String,
    /// Language as a tag.
    pub lang: &'static str,
    /// The text, where a person wrote it.
    pub body: String,
    /// When it was planned (domain time).
    pub planned_at: Time,
    /// When it is of no more use (domain time).
    pub expires_at: Option<Time>,
    /// Not before this (machine time).
    pub ready_at: Time,
}

/// A claimed message.
#[derive(Debug, Clone, serde::Deserialize)]
#[expect(missing_docs, reason = "the columns of the table, named there")]
pub struct Claimed {
    pub id: i64,
    pub site_id: i64,
    pub patient_id: Option<i64>,
    pub thread_id: Option<i64>,
    pub enrolment_id: Option<i64>,
    pub appointment_id: Option<i64>,
    pub appointment_version: Option<i64>,
    pub occurrence: String,
    pub to_address: String,
    pub via_gateway: String,
    pub class: String,
    pub content: String,
    pub priority: i64,
    pub key: String,
    pub args: String,
    pub question: String,
    pub lang: String,
    pub body: String,
    pub attempts: i64,
    pub planned_at: i64,
    pub expires_at: Option<i64>,
}

const INSERT: Sql = bulk!(
    "INSERT INTO message (id, site_id, patient_id, thread_id, enrolment_id, occurrence, appointment_id, appointment_version, inbox_id,
            staff_id, via_gateway, to_address, class, content, priority, key, args, question, lang, body, planned_at, expires_at,
            ready_at, state, state_at)
     SELECT CAST(j.value->>0 AS BIGINT), CAST(j.value->>1 AS BIGINT), CAST(j.value->>2 AS BIGINT), CAST(j.value->>3 AS BIGINT),
            CAST(j.value->>4 AS BIGINT), j.value->>5, CAST(j.value->>6 AS BIGINT), CAST(j.value->>7 AS BIGINT),
            CAST(j.value->>8 AS BIGINT), CAST(j.value->>9 AS BIGINT), j.value->>10, j.value->>11, j.value->>12, j.value->>13,
            CAST(j.value->>14 AS BIGINT), j.value->>15, j.value->>16, j.value->>17, j.value->>18, j.value->>19,
            CAST(j.value->>20 AS BIGINT), CAST(j.value->>21 AS BIGINT), CAST(j.value->>22 AS BIGINT), 'queued',
            CAST(j.value->>20 AS BIGINT)
       FROM",
    ""
);

/// Plans messages: they are in the outbox, ready to be claimed.
///
/// # Errors
/// When the database refuses.
pub async fn plan(tx: &mut Tx, messages: &[NewMessage]) -> Result<(), StoreError> {
    if messages.is_empty() {
        return Ok(());
    }
    let rows: Rows = messages
        .iter()
        .map(|m| {
            let (gateway, address) = m.direct.clone().unwrap_or_default();
            row!([
                m.id.0,
                m.site.0,
                m.patient.map(|i| i.0),
                m.thread.map(|i| i.0),
                m.enrolment.map(|i| i.0),
                m.occurrence,
                m.appointment.map(|a| a.0.0),
                m.appointment.map(|a| a.1),
                m.inbox.map(|i| i.0),
                m.staff.map(|i| i.0),
                gateway,
                address,
                m.class,
                m.content,
                m.class.priority().0,
                m.key,
                m.args,
                m.question,
                m.lang,
                m.body,
                m.planned_at.0,
                m.expires_at.map(|t| t.0),
                m.ready_at.0
            ])
        })
        .collect();
    let sql = tx.pick(&INSERT);
    run!(tx, sql, rows.text()?)?;
    tx.ring().await
}

const CLAIMABLE: Sql = sql!(
    list("id, site_id, patient_id, thread_id, enrolment_id, appointment_id, appointment_version, occurrence, to_address, via_gateway,
          class, content, priority, key, args, question, lang, body, attempts + 1, planned_at, expires_at" by "priority, planned_at, id")
    "FROM (SELECT * FROM message WHERE state = 'queued' AND ready_at <= $1 AND priority <= $3
                            AND NOT EXISTS (SELECT 1 FROM setting WHERE key = 'sending.paused')
                          ORDER BY priority, ready_at, id LIMIT $2"
    unlocked ") AS claimable"
);

/// A process's hold on what it sends.
#[derive(Debug, Clone, Copy)]
pub struct Lease<'a> {
    /// Whose it is.
    pub owner: &'a str,
    /// Until when it holds (machine time).
    pub until: Time,
}

/// Picks up to `limit` messages of a priority of at least `least`, most pressing first, and keeps them from other nodes while the
/// transaction lasts: each is to be [`prepare`]d or [`settle`]d in it. None while sending is paused ([`super::pause`]): whichever
/// process asks, in the same statement.
///
/// # Errors
/// When the database refuses.
pub async fn claim(tx: &mut Tx, machine: Time, (limit, least): (i64, Priority)) -> Result<Vec<Claimed>, StoreError> {
    listed!(tx, Claimed, CLAIMABLE, machine.0, limit, least.0)
}

/// What a claimed message became before it was sent.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Which.
    pub id: Id,
    /// The contact that it goes to.
    pub contact: Option<Id>,
    /// Its thread.
    pub thread: Option<Id>,
    /// The text as sent.
    pub body: String,
    /// Its language.
    pub body_lang: &'static str,
    /// `GSM-7` or `UCS-2`.
    pub encoding: &'static str,
    /// How many segments.
    pub segments: i64,
    /// The gateway.
    pub gateway: String,
    /// The fencing number.
    pub n: i64,
    /// What receipts will name.
    pub reference: String,
    /// For whom.
    pub patient: Option<Id>,
}

const PREPARE: Sql = bulk!(
    "UPDATE message SET contact_id = CAST(j.value->>1 AS BIGINT), thread_id = COALESCE(CAST(j.value->>2 AS BIGINT), message.thread_id),
            body = j.value->>3, body_lang = j.value->>4, encoding = j.value->>5, segments = CAST(j.value->>6 AS BIGINT),
            catalogue = $2, why = '', state = 'sending', attempts = CAST(j.value->>7 AS BIGINT), lease_owner = $3, lease_until = $4,
            state_at = $5
       FROM",
    "WHERE message.id = CAST(j.value->>0 AS BIGINT)"
);
const ATTEMPT: Sql = bulk!(
    "INSERT INTO attempt (message_id, n, patient_id, contact_id, gateway, lease_owner, reference, started_at)
     SELECT CAST(j.value->>0 AS BIGINT), CAST(j.value->>7 AS BIGINT), CAST(j.value->>8 AS BIGINT), CAST(j.value->>1 AS BIGINT),
            j.value->>9, $2, j.value->>10, $3
       FROM",
    ""
);

/// Puts what was claimed under a lease, keeps the text as it will be sent, and opens the attempts.
///
/// # Errors
/// When the database refuses.
pub async fn prepare(tx: &mut Tx, prepared: &[Prepared], catalogue: &str, lease: Lease<'_>, now: Time) -> Result<(), StoreError> {
    if prepared.is_empty() {
        return Ok(());
    }
    let rows: Rows = prepared
        .iter()
        .map(|p| {
            row!([
                p.id.0,
                p.contact.map(|c| c.0),
                p.thread.map(|t| t.0),
                p.body,
                p.body_lang,
                p.encoding,
                p.segments,
                p.n,
                p.patient.map(|p| p.0),
                p.gateway,
                p.reference
            ])
        })
        .collect();
    let rows = rows.text()?;
    let (update, insert) = (tx.pick(&PREPARE), tx.pick(&ATTEMPT));
    run!(tx, update, &rows, catalogue, lease.owner, lease.until.0, now.0)?;
    run!(tx, insert, &rows, lease.owner, now.0)?;
    Ok(())
}

/// A claimed message that does not go out now: `(id, state, why, ready_at)`.
pub type Settled = (Id, MessageState, String, Time);

const SETTLE: Sql = bulk!(
    "UPDATE message SET state = j.value->>1, why = j.value->>2, ready_at = CAST(j.value->>3 AS BIGINT), state_at = $2,
            lease_owner = '', lease_until = NULL
       FROM",
    "WHERE message.id = CAST(j.value->>0 AS BIGINT)"
);

/// Ends a claim without sending: held, skipped, expired, or back in the queue.
///
/// # Errors
/// When the database refuses.
pub async fn settle(tx: &mut Tx, settled: &[Settled], now: Time) -> Result<(), StoreError> {
    if settled.is_empty() {
        return Ok(());
    }
    let rows: Rows = settled.iter().map(|(id, state, why, ready)| row!([id.0, state, why, ready.0])).collect();
    let sql = tx.pick(&SETTLE);
    run!(tx, sql, rows.text()?, now.0)?;
    Ok(())
}

/// What came of an attempt.
#[derive(Debug, Clone)]
pub struct Acknowledged {
    /// Which message.
    pub id: Id,
    /// Its fencing number.
    pub n: i64,
    /// The message's new state.
    pub state: MessageState,
    /// `accepted busy unknown blocked unreachable misconfigured`.
    pub outcome: &'static str,
    /// The provider's id; empty if it gave none.
    pub provider_id: String,
    /// The provider's code; empty if none.
    pub code: String,
    /// When it may be tried again (machine time).
    pub ready_at: Time,
}

const ACK_ATTEMPT: Sql = bulk!(
    "UPDATE attempt SET outcome = j.value->>3, provider_id = j.value->>4, code = j.value->>5, ended_at = $2
       FROM",
    "WHERE attempt.message_id = CAST(j.value->>0 AS BIGINT) AND attempt.n = CAST(j.value->>1 AS BIGINT) AND attempt.lease_owner = $3"
);
// A lost lease is still its sender's to settle, as long as its doubt waits and nobody has taken the message up since.
const ACK_MESSAGE: Sql = bulk!(
    "UPDATE message SET state = j.value->>2, why = j.value->>5, ready_at = CAST(j.value->>6 AS BIGINT), state_at = $2,
            lease_owner = '', lease_until = NULL
       FROM",
    "WHERE message.id = CAST(j.value->>0 AS BIGINT) AND message.attempts = CAST(j.value->>1 AS BIGINT)
        AND (message.lease_owner = $3
             OR message.lease_owner = '' AND message.why = 'lease_lost'
                AND EXISTS (SELECT 1 FROM attempt a
                             WHERE a.message_id = message.id AND a.n = message.attempts AND a.lease_owner = $3)
                AND EXISTS (SELECT 1 FROM timer w WHERE w.kind = 'doubt' AND w.subject = message.id))
     RETURNING message.id"
);

/// Records outcomes of the owner's own attempts. Gives the messages that they settle: those under its lease, and those that have lost
/// it and wait in doubt. Of the others only the attempt is kept.
///
/// # Errors
/// When the database refuses.
pub async fn acknowledge(tx: &mut Tx, acknowledged: &[Acknowledged], owner: &str, now: Time) -> Result<Vec<Id>, StoreError> {
    if acknowledged.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Rows =
        acknowledged.iter().map(|a| row!([a.id.0, a.n, a.state, a.outcome, a.provider_id, a.code, a.ready_at.0])).collect();
    let rows = rows.text()?;
    let (attempt, message) = (tx.pick(&ACK_ATTEMPT), tx.pick(&ACK_MESSAGE));
    run!(tx, attempt, &rows, now.0, owner)?;
    let held = all!(tx, (i64,), message, &rows, now.0, owner)?;
    Ok(held.into_iter().map(|(id,)| Id(id)).collect())
}

/// A message whose lease ran out while it was perhaps on the wire.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the table, named there")]
pub struct Lost {
    pub id: i64,
    pub site_id: i64,
    pub patient_id: Option<i64>,
    pub class: String,
}

const RELEASE: Sql = unlocked!(
    "UPDATE message SET state = 'unknown', why = 'lease_lost', lease_owner = '', lease_until = NULL, state_at = $1
      WHERE id IN (SELECT id FROM message WHERE state = 'sending' AND lease_until < $2",
    ") RETURNING id, site_id, patient_id, class"
);
const DOUBT: Sql = bulk!(
    "UPDATE attempt SET outcome = 'unknown', ended_at = $2 WHERE outcome = '' AND message_id IN (SELECT CAST(j.value AS BIGINT) FROM",
    ")"
);

/// Marks what was being sent under a lease that has run out: perhaps it arrived, so message and attempt are `unknown`.
///
/// # Errors
/// When the database refuses.
pub async fn release_lost(tx: &mut Tx, now: Time, machine: Time) -> Result<Vec<Lost>, StoreError> {
    let (release, sql) = (tx.pick(&RELEASE), tx.pick(&DOUBT));
    let lost = all!(tx, Lost, release, now.0, machine.0)?;
    let ids: Vec<_> = lost.iter().map(|m| m.id).collect();
    if !ids.is_empty() {
        run!(tx, sql, rows_json(&ids)?, now.0)?;
    }
    Ok(lost)
}

const MOVE: &str =
    "UPDATE message SET state = $2, why = $3, state_at = $4, lease_owner = '', lease_until = NULL WHERE id = $1 AND state = $5";

/// Moves a message on from the state in which it was read.
///
/// # Errors
/// [`StoreError::Conflict`] if it has moved meanwhile.
pub async fn advance(tx: &mut Tx, id: Id, from: MessageState, to: MessageState, why: &str, now: Time) -> Result<(), StoreError> {
    match run!(tx, MOVE, id.0, to.as_str(), why, now.0, from.as_str())? {
        1 => Ok(()),
        _ => Err(StoreError::Conflict),
    }
}

const REQUEUE: &str = "UPDATE message SET state = 'queued', ready_at = $3, state_at = $2, lease_owner = '', lease_until = NULL WHERE id = $1 AND state = $4";

/// Puts a held or doubtful message back into the queue. `false` if it is no longer in `from`.
///
/// # Errors
/// When the database refuses.
pub async fn requeue(tx: &mut Tx, id: Id, from: MessageState, now: Time, ready: Time) -> Result<bool, StoreError> {
    Ok(run!(tx, REQUEUE, id.0, now.0, ready.0, from.as_str())? == 1)
}

/// What the rule for a doubtful message needs.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the table, named there")]
pub struct Doubtful {
    pub id: i64,
    pub site_id: i64,
    pub patient_id: Option<i64>,
    pub class: String,
    pub state: String,
    pub doubts: i64,
    pub accepted: i64,
}

/// A message as the doubt and hold rules see it.
///
/// # Errors
/// When the database refuses.
pub async fn doubtful(tx: &mut Tx, id: Id) -> Result<Option<Doubtful>, StoreError> {
    Ok(maybe!(tx, Doubtful, "SELECT m.id, m.site_id, m.patient_id, m.class, m.state,
                (SELECT CAST(COUNT(*) AS BIGINT) FROM attempt a WHERE a.message_id = m.id AND a.outcome IN ('', 'unknown')) AS doubts,
                (SELECT CAST(COUNT(*) AS BIGINT) FROM attempt a WHERE a.message_id = m.id AND a.outcome = 'accepted') AS accepted
           FROM message m WHERE m.id = $1", id.0)?)
}

const CANCEL_VISIT: &str = "UPDATE message SET state = 'cancelled', why = 'visit_changed', state_at = $2
      WHERE appointment_id = $1 AND state IN ('planned', 'held', 'queued') AND class = 'reminder'";

/// Calls off the reminders of a visit that have not gone out.
///
/// # Errors
/// When the database refuses.
pub async fn cancel_reminders(tx: &mut Tx, appointment: Id, now: Time) -> Result<u64, StoreError> {
    Ok(run!(tx, CANCEL_VISIT, appointment.0, now.0)?)
}

/// The soonest machine time at which something queued may go (nothing may while sending is paused), or a lease runs out.
///
/// # Errors
/// When the database refuses.
pub async fn next_ready(tx: &mut Tx) -> Result<Option<Time>, StoreError> {
    let queued = on!(tx, |c| {
        sqlx::query_scalar::<_, Option<i64>>(
        "SELECT MIN(ready_at) FROM message WHERE state = 'queued' AND NOT EXISTS (SELECT 1 FROM setting WHERE key = 'sending.paused')"
    )
    .fetch_one(c)
    .await
    })?;
    let leased =
        on!(tx, |c| sqlx::query_scalar::<_, Option<i64>>("SELECT MIN(lease_until) FROM message WHERE state = 'sending'")
            .fetch_one(c)
            .await)?;
    Ok(queued.into_iter().chain(leased.map(|t| t + 1)).min().map(Time))
}

/// How many messages are in each state of interest.
///
/// # Errors
/// When the database refuses.
pub async fn depth(tx: &mut Tx) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(all!(
        tx,
        (String, i64),
        "SELECT state, CAST(COUNT(*) AS BIGINT) FROM message WHERE state IN ('queued', 'sending', 'unknown') GROUP BY state"
    )?)
}

/// Whether somebody unknown had an answer since a time; with `crisis`, whether a cry for help of theirs had one.
///
/// # Errors
/// When the database refuses.
pub async fn answered_lately(
    tx: &mut Tx,
    (gateway, address): (&str, &str),
    crisis: bool,
    since: Time,
) -> Result<bool, StoreError> {
    let found = maybe!(
        tx,
        (i64,),
        "SELECT id FROM message WHERE patient_id IS NULL AND planned_at >= $3 AND via_gateway = $1 AND to_address = $2
            AND (class = 'crisis' OR NOT $4) LIMIT 1",
        gateway,
        address,
        since.0,
        crisis
    )?;
    Ok(found.is_some())
}

/// The states of a patient's messages, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn states(tx: &mut Tx, patient: Id) -> Result<Vec<String>, StoreError> {
    let rows = all!(tx, (String,), "SELECT state FROM message WHERE patient_id = $1 ORDER BY id", patient.0)?;
    Ok(rows.into_iter().map(|(state,)| state).collect())
}

/// The outcomes of all attempts to reach a patient, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn outcomes(tx: &mut Tx, patient: Id) -> Result<Vec<String>, StoreError> {
    let rows = all!(tx, (String,), "SELECT outcome FROM attempt WHERE patient_id = $1 ORDER BY message_id, n", patient.0)?;
    Ok(rows.into_iter().map(|(outcome,)| outcome).collect())
}
