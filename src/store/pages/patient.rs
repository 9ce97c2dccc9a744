//! What a patient's page reads.

use crate::clock::Time;
use crate::model::Id;
use crate::store::tx::all;
use crate::store::{StoreError, Tx};

/// No timeline is longer than this, the newest entries of each kind.
const ENTRIES: i64 = 500;

/// What the patient wrote.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the table, named there")]
pub struct Written {
    pub id: i64,
    pub body: String,
    pub received_at: i64,
    pub read_as: String,
}

/// What the patient wrote since `since`, newest first.
///
/// # Errors
/// When the database refuses.
pub async fn written(tx: &mut Tx, patient: Id, since: Time) -> Result<Vec<Written>, StoreError> {
    Ok(all!(
        tx,
        Written,
        "SELECT id, body, received_at, read_as FROM inbox
          WHERE patient_id = $1 AND received_at >= $2 AND kind = 'message' ORDER BY received_at DESC, id DESC LIMIT $3",
        patient.0,
        since.0,
        ENTRIES
    )?)
}

/// What we wrote, or meant to.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the tables, named there")]
pub struct Message {
    pub id: i64,
    pub class: String,
    pub key: String,
    pub args: String,
    pub lang: String,
    pub body: String,
    pub body_lang: String,
    pub state: String,
    pub why: String,
    pub planned_at: i64,
    pub state_at: i64,
    pub channel: Option<String>,
    /// Who wrote it.
    pub staff: Option<String>,
}

/// The messages of a patient that were planned since `since`, newest first.
///
/// # Errors
/// When the database refuses.
pub async fn messages(tx: &mut Tx, patient: Id, since: Time) -> Result<Vec<Message>, StoreError> {
    Ok(all!(
        tx,
        Message,
        "SELECT m.id, m.class, m.key, m.args, m.lang, m.body, m.body_lang, m.state, m.why, m.planned_at, m.state_at, c.channel,
                p.name AS staff
           FROM message m LEFT JOIN contact c ON c.id = m.contact_id
           LEFT JOIN staff s ON s.id = m.staff_id LEFT JOIN person p ON p.id = s.person_id
          WHERE m.patient_id = $1 AND m.planned_at >= $2 ORDER BY m.planned_at DESC, m.id DESC LIMIT $3",
        patient.0,
        since.0,
        ENTRIES
    )?)
}

/// A decision not to send, or not yet.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the tables, named there")]
pub struct Decision {
    pub id: i64,
    pub message_id: Option<i64>,
    pub at: i64,
    pub outcome: String,
    pub reason: String,
    pub until: Option<i64>,
    /// What the message was for.
    pub class: Option<String>,
}

/// The decisions of a patient that held or stopped something since `since`, newest first.
///
/// # Errors
/// When the database refuses.
pub async fn decisions(tx: &mut Tx, patient: Id, since: Time) -> Result<Vec<Decision>, StoreError> {
    Ok(all!(
        tx,
        Decision,
        "SELECT d.id, d.message_id, d.at, d.outcome, d.reason, d.until, m.class
           FROM decision d LEFT JOIN message m ON m.id = d.message_id
          WHERE d.patient_id = $1 AND d.at >= $2 AND d.outcome IN ('hold', 'skip') ORDER BY d.at DESC, d.id DESC LIMIT $3",
        patient.0,
        since.0,
        ENTRIES
    )?)
}

/// Something that happened to one of a patient's items.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the tables, named there")]
pub struct Event {
    pub id: i64,
    pub at: i64,
    pub kind: String,
    pub detail: String,
    pub severity: String,
    pub reason: String,
    pub who: Option<String>,
}

/// What happened to a patient's items since `since`, newest first.
///
/// # Errors
/// When the database refuses.
pub async fn events(tx: &mut Tx, patient: Id, since: Time) -> Result<Vec<Event>, StoreError> {
    Ok(all!(
        tx,
        Event,
        "SELECT v.id, v.at, v.kind, v.detail, e.severity, e.reason, p.name AS who
           FROM escalation e JOIN escalation_event v ON v.escalation_id = e.id
           LEFT JOIN staff s ON s.id = v.staff_id LEFT JOIN person p ON p.id = s.person_id
          WHERE e.patient_id = $1 AND v.at >= $2 ORDER BY v.at DESC, v.id DESC LIMIT $3",
        patient.0,
        since.0,
        ENTRIES
    )?)
}

/// Notes about a patient since `since`, newest first: `(id, at, who, text)`.
///
/// # Errors
/// When the database refuses.
pub async fn notes(tx: &mut Tx, patient: Id, since: Time) -> Result<Vec<(i64, i64, String, String)>, StoreError> {
    Ok(all!(
        tx,
        (i64, i64, String, String),
        "SELECT n.id, n.at, p.name, n.text
           FROM note n JOIN staff s ON s.id = n.staff_id JOIN person p ON p.id = s.person_id
          WHERE n.patient_id = $1 AND n.at >= $2 ORDER BY n.at DESC, n.id DESC LIMIT $3",
        patient.0,
        since.0,
        ENTRIES
    )?)
}

/// An enrolment as its patient's page shows it.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the tables, named there")]
pub struct Enrolled {
    pub id: i64,
    pub protocol_hash: String,
    pub title: String,
    pub state: String,
    pub started_at: i64,
    pub ended_at: Option<i64>,
}

/// What a patient takes or took part in, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn enrolments(tx: &mut Tx, patient: Id) -> Result<Vec<Enrolled>, StoreError> {
    Ok(all!(
        tx,
        Enrolled,
        "SELECT e.id, e.protocol_hash, v.title, e.state, e.started_at, e.ended_at
           FROM enrolment e JOIN protocol_version v ON v.hash = e.protocol_hash
          WHERE e.patient_id = $1 ORDER BY e.started_at, e.id",
        patient.0
    )?)
}

/// What goes out next by itself: `(due, kind, detail, enrolment)`, soonest first.
///
/// # Errors
/// When the database refuses.
pub async fn next(tx: &mut Tx, patient: Id) -> Result<Vec<(i64, String, String, i64)>, StoreError> {
    Ok(all!(
        tx,
        (i64, String, String, i64),
        "SELECT t.due_at, t.kind, t.detail, t.subject FROM message m JOIN timer t ON t.kind = 'hold' AND t.subject = m.id
          WHERE m.patient_id = $1 AND m.state = 'held'
          UNION ALL
         SELECT t.due_at, t.kind, t.detail, t.subject FROM enrolment e JOIN timer t ON t.kind = 'step' AND t.subject = e.id
          WHERE e.patient_id = $1 AND e.state = 'active'
          ORDER BY 1 LIMIT 8",
        patient.0
    )?)
}

/// Withdrawals and consents of a patient, newest first: `(at, action, method)`.
///
/// # Errors
/// When the database refuses.
pub async fn consents(tx: &mut Tx, patient: Id) -> Result<Vec<(i64, String, String)>, StoreError> {
    Ok(all!(
        tx,
        (i64, String, String),
        "SELECT at, action, method FROM consent_event WHERE patient_id = $1 AND contact_id IS NULL ORDER BY at DESC, id DESC LIMIT 5",
        patient.0
    )?)
}
