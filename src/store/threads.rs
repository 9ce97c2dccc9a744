//! Threads: (address, person, patient), the unit of order and of the conversation's state.

use super::rows::{Rows, row};

use super::tx::{Sql, all, bulk, maybe, run};
use super::{StoreError, Tx, rows_json};
use crate::clock::Time;
use crate::model::{Channel, Id};

/// A thread with whom it belongs to.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the table, named there")]
pub struct Thread {
    pub id: i64,
    pub site_id: i64,
    pub channel: String,
    pub address_hash: String,
    pub person_id: i64,
    pub patient_id: i64,
    pub contact_id: i64,
    pub question: String,
    pub question_due: Option<i64>,
    pub version: i64,
}

/// Makes sure that there is a thread, and gives its id.
///
/// # Errors
/// When the database refuses.
pub async fn ensure(
    tx: &mut Tx,
    id: Id,
    site: Id,
    channel: Channel,
    hash: &str,
    of: (Id, Id, Id), // person, patient, contact
    now: Time,
) -> Result<Id, StoreError> {
    let found = maybe!(
        tx,
        (i64,),
        "INSERT INTO thread (id, site_id, channel, address_hash, person_id, patient_id, contact_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (channel, address_hash, person_id, patient_id) DO UPDATE SET contact_id = excluded.contact_id
         RETURNING id",
        id.0,
        site.0,
        channel.as_str(),
        hash,
        of.0.0,
        of.1.0,
        of.2.0,
        now.0
    )?;
    found.map(|(id,)| Id(id)).ok_or(StoreError::Missing("thread"))
}

// On PostgreSQL the threads are locked, so that two nodes never work two texts of one person at once.
const BY_HASH: Sql = Sql {
    sqlite: "SELECT id, site_id, channel, address_hash, person_id, patient_id, contact_id, question, question_due, version
       FROM thread WHERE address_hash IN (SELECT j.value->>0 FROM json_each($1) AS j) ORDER BY id",
    postgres: "SELECT id, site_id, channel, address_hash, person_id, patient_id, contact_id, question, question_due, version
       FROM thread WHERE address_hash IN (SELECT j.value->>0 FROM jsonb_array_elements($1::jsonb) AS j(value)) ORDER BY id FOR UPDATE",
};

/// Every thread of these addresses, kept from other nodes until the transaction ends.
///
/// # Errors
/// When the database refuses.
pub async fn of_addresses(tx: &mut Tx, hashes: &[&str]) -> Result<Vec<Thread>, StoreError> {
    let rows: Vec<_> = hashes.iter().map(|h| [h]).collect();
    let sql = tx.pick(&BY_HASH);
    Ok(all!(tx, Thread, sql, rows_json(&rows)?)?)
}

/// Threads by id.
///
/// # Errors
/// When the database refuses.
pub async fn get(tx: &mut Tx, ids: &[i64]) -> Result<Vec<Thread>, StoreError> {
    const BY_ID: Sql = bulk!(
        "SELECT id, site_id, channel, address_hash, person_id, patient_id, contact_id, question, question_due, version
           FROM thread WHERE id IN (SELECT CAST(j.value AS BIGINT) FROM",
        ") ORDER BY id"
    );
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = tx.pick(&BY_ID);
    Ok(all!(tx, Thread, sql, rows_json(ids)?)?)
}

const ASK: Sql = bulk!(
    "UPDATE thread SET question = j.value->>1, question_due = CAST(j.value->>2 AS BIGINT), version = thread.version + 1 FROM",
    "WHERE thread.id = CAST(j.value->>0 AS BIGINT)"
);

/// Opens questions: `(thread, question as JSON, until)`.
///
/// # Errors
/// When the database refuses.
pub async fn ask(tx: &mut Tx, questions: &[(Id, String, Time)]) -> Result<(), StoreError> {
    if questions.is_empty() {
        return Ok(());
    }
    let rows: Rows = questions.iter().map(|(id, question, until)| row!([id.0, question, until.0])).collect();
    let sql = tx.pick(&ASK);
    run!(tx, sql, rows.text()?)?;
    Ok(())
}

/// A thread's state after a reply: `(thread, version that was read, question, until)`.
pub type Moved = (Id, i64, String, Option<Time>);

const MOVE: Sql = bulk!(
    "UPDATE thread SET question = j.value->>2, question_due = CAST(j.value->>3 AS BIGINT), version = thread.version + 1 FROM",
    "WHERE thread.id = CAST(j.value->>0 AS BIGINT) AND thread.version = CAST(j.value->>1 AS BIGINT)"
);

/// Moves threads on from the version that was read.
///
/// # Errors
/// [`StoreError::Conflict`] if one has moved meanwhile: reload and decide again.
pub async fn advance(tx: &mut Tx, moved: &[Moved]) -> Result<(), StoreError> {
    if moved.is_empty() {
        return Ok(());
    }
    let rows: Rows =
        moved.iter().map(|(id, version, question, until)| row!([id.0, version, question, until.map(|t| t.0)])).collect();
    let sql = tx.pick(&MOVE);
    let changed = run!(tx, sql, rows.text()?)?;
    if changed == moved.len() as u64 { Ok(()) } else { Err(StoreError::Conflict) }
}

/// Closes the question of a thread if it is past its time. Gives whether there was one.
///
/// # Errors
/// When the database refuses.
pub async fn expire_question(tx: &mut Tx, thread: Id, now: Time) -> Result<bool, StoreError> {
    Ok(run!(
        tx,
        "UPDATE thread SET question = '', question_due = NULL, version = version + 1 WHERE id = $1 AND question_due <= $2",
        thread.0,
        now.0
    )? == 1)
}

/// A patient's threads.
///
/// # Errors
/// When the database refuses.
pub async fn of_patient(tx: &mut Tx, patient: Id) -> Result<Vec<Thread>, StoreError> {
    Ok(all!(
        tx,
        Thread,
        "SELECT id, site_id, channel, address_hash, person_id, patient_id, contact_id, question, question_due, version
           FROM thread WHERE patient_id = $1 ORDER BY id",
        patient.0
    )?)
}
