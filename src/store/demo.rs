//! What the demo's phones and page read.

use super::tx::{all, maybe};
use super::{StoreError, Tx};
use crate::clock::Time;
use crate::model::Id;

/// A message that stands on a phone and asks for an answer.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the tables, named there")]
pub struct Arrived {
    pub id: i64,
    pub key: String,
    pub lang: String,
    pub address: String,
}

/// Questions and reminders that have reached their phones since a time, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn arrived(tx: &mut Tx, since: Time) -> Result<Vec<Arrived>, StoreError> {
    Ok(all!(
        tx,
        Arrived,
        "SELECT m.id, m.key, m.lang, c.address
           FROM message m JOIN contact c ON c.id = m.contact_id
          WHERE m.state_at >= $1 AND m.planned_at >= $1 AND m.state IN ('accepted', 'sent', 'delivered', 'read')
            AND m.class IN ('question', 'reminder')
          ORDER BY m.id",
        since.0
    )?)
}

/// A line on a phone.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the tables, named there")]
pub struct Line {
    pub mine: i64,
    pub body: String,
    pub lang: String,
    pub at: i64,
}

/// What stands on a patient's phone, oldest first, the last hundred lines.
///
/// # Errors
/// When the database refuses.
pub async fn lines(tx: &mut Tx, patient: Id, hash: &str) -> Result<Vec<Line>, StoreError> {
    let mut lines = all!(
        tx,
        Line,
        "SELECT mine, body, lang, at FROM (
            SELECT CAST(0 AS BIGINT) AS mine, body, body_lang AS lang, state_at AS at, id FROM message
             WHERE patient_id = $1 AND state IN ('accepted', 'sent', 'delivered', 'read')
            UNION ALL
            SELECT CAST(1 AS BIGINT) AS mine, body, '' AS lang, received_at AS at, id FROM inbox
             WHERE address_hash = $2 AND kind = 'message'
         ) AS phone ORDER BY id DESC LIMIT 100",
        patient.0,
        hash
    )?;
    lines.reverse();
    Ok(lines)
}

/// Everybody with a phone: `(patient, name, lang, address, hash)`.
///
/// # Errors
/// When the database refuses.
pub async fn phones(tx: &mut Tx) -> Result<Vec<(i64, String, String, String, String)>, StoreError> {
    Ok(all!(
        tx,
        (i64, String, String, String, String),
        "SELECT t.id, p.name, t.lang, c.address, c.address_hash
           FROM patient t JOIN person p ON p.id = t.person_id JOIN contact c ON c.person_id = p.id
          ORDER BY t.external_id"
    )?)
}

/// When each patient last wrote: `(patient, at)`, and the next message planned for each: see [`next`].
///
/// # Errors
/// When the database refuses.
pub async fn wrote(tx: &mut Tx) -> Result<Vec<(i64, i64)>, StoreError> {
    Ok(all!(tx, (i64, i64), "SELECT patient_id, MAX(received_at) FROM inbox WHERE patient_id IS NOT NULL GROUP BY patient_id")?)
}

/// When each patient's next message is planned: `(patient, at)`.
///
/// # Errors
/// When the database refuses.
pub async fn next(tx: &mut Tx) -> Result<Vec<(i64, i64)>, StoreError> {
    Ok(all!(
        tx,
        (i64, i64),
        "SELECT patient_id, MIN(due_at) FROM timer WHERE kind = 'step' AND patient_id IS NOT NULL GROUP BY patient_id"
    )?)
}

/// Since a time: messages sent, replies, decisions to hold, decisions not to send, items opened.
///
/// # Errors
/// When the database refuses.
pub async fn tally(tx: &mut Tx, since: Time) -> Result<[i64; 5], StoreError> {
    let row = maybe!(
        tx,
        (i64, i64, i64, i64, i64),
        "SELECT (SELECT CAST(COUNT(*) AS BIGINT) FROM message WHERE planned_at >= $1 AND state IN ('accepted', 'sent', 'delivered', 'read')),
                (SELECT CAST(COUNT(*) AS BIGINT) FROM inbox WHERE received_at >= $1 AND kind = 'message'),
                (SELECT CAST(COUNT(*) AS BIGINT) FROM decision WHERE at >= $1 AND outcome = 'hold'),
                (SELECT CAST(COUNT(*) AS BIGINT) FROM decision WHERE at >= $1 AND outcome = 'skip'),
                (SELECT CAST(COUNT(*) AS BIGINT) FROM escalation WHERE opened_at >= $1)",
        since.0
    )?;
    Ok(row.map_or([0; 5], |r| [r.0, r.1, r.2, r.3, r.4]))
}

/// A thing that just happened.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the tables, named there")]
pub struct Happened {
    pub at: i64,
    pub kind: String,
    pub name: String,
    pub detail: String,
    pub until: Option<i64>,
}

/// The last things that happened: items opened or raised, messages held or not sent, newest first.
///
/// # Errors
/// When the database refuses.
pub async fn happened(tx: &mut Tx) -> Result<Vec<Happened>, StoreError> {
    let mut rows = all!(
        tx,
        Happened,
        "SELECT v.at, v.kind, COALESCE(p.name, '') AS name, e.severity AS detail, v.at AS until
           FROM escalation_event v JOIN escalation e ON e.id = v.escalation_id
           LEFT JOIN patient t ON t.id = v.patient_id LEFT JOIN person p ON p.id = t.person_id
          WHERE v.kind IN ('opened', 'raised', 'claimed', 'resolved') ORDER BY v.id DESC LIMIT 6"
    )?;
    rows.extend(all!(
        tx,
        Happened,
        "SELECT d.at, d.outcome AS kind, p.name, d.reason AS detail, d.until
           FROM decision d JOIN patient t ON t.id = d.patient_id JOIN person p ON p.id = t.person_id
          WHERE d.outcome IN ('hold', 'skip') ORDER BY d.id DESC LIMIT 6"
    )?);
    rows.sort_by_key(|r| std::cmp::Reverse(r.at));
    rows.truncate(6);
    Ok(rows)
}
