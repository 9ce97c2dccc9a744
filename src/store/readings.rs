//! Readings, goals and notes.

use super::rows::{Rows, row};

use super::tx::{Sql, all, bulk, run};
use super::{StoreError, Tx, rows_json};
use crate::clock::Time;
use crate::model::Id;

/// A reading to be kept.
#[derive(Debug, Clone)]
pub struct NewReading {
    /// Identity.
    pub id: Id,
    /// Where.
    pub site: Id,
    /// Whose.
    pub patient: Id,
    /// weight, goal, wellbeing …
    pub kind: String,
    /// The number, in `unit`.
    pub value: Option<f64>,
    /// Its unit.
    pub unit: String,
    /// Free text where there is no number.
    pub words: String,
    /// The words that it was read from.
    pub inbox: Option<Id>,
    /// The earlier reading that it stands beside.
    pub corrects: Option<Id>,
    /// When.
    pub at: Time,
}

const ADD: Sql = bulk!(
    "INSERT INTO reading (id, site_id, patient_id, kind, value, unit, words, source, inbox_id, corrects, at)
     SELECT CAST(j.value->>0 AS BIGINT), CAST(j.value->>1 AS BIGINT), CAST(j.value->>2 AS BIGINT), j.value->>3,
            CAST(j.value->>4 AS DOUBLE PRECISION), j.value->>5, j.value->>6, 'patient', CAST(j.value->>7 AS BIGINT),
            CAST(j.value->>8 AS BIGINT), CAST(j.value->>9 AS BIGINT)
       FROM",
    ""
);

/// Keeps readings.
///
/// # Errors
/// When the database refuses.
pub async fn add(tx: &mut Tx, readings: &[NewReading]) -> Result<(), StoreError> {
    if readings.is_empty() {
        return Ok(());
    }
    let rows: Rows = readings
        .iter()
        .map(|r| {
            row!([
                r.id.0,
                r.site.0,
                r.patient.0,
                r.kind,
                r.value,
                r.unit,
                r.words,
                r.inbox.map(|i| i.0),
                r.corrects.map(|i| i.0),
                r.at.0
            ])
        })
        .collect();
    let sql = tx.pick(&ADD);
    run!(tx, sql, rows.text()?)?;
    Ok(())
}

/// A reading.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the table, named there")]
pub struct Reading {
    pub id: i64,
    pub patient_id: i64,
    pub kind: String,
    pub value: Option<f64>,
    pub unit: String,
    pub words: String,
    pub corrects: Option<i64>,
    pub at: i64,
}

/// The readings of these patients since a time, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn since(tx: &mut Tx, patients: &[i64], since: Time) -> Result<Vec<Reading>, StoreError> {
    const SINCE: Sql = bulk!(
        "SELECT id, patient_id, kind, value, unit, words, corrects, at FROM reading
          WHERE at >= $2 AND patient_id IN (SELECT CAST(j.value AS BIGINT) FROM",
        ") ORDER BY at, id"
    );
    if patients.is_empty() {
        return Ok(Vec::new());
    }
    let sql = tx.pick(&SINCE);
    Ok(all!(tx, Reading, sql, rows_json(patients)?, since.0)?)
}

/// Keeps a goal in the patient's own words.
///
/// # Errors
/// When the database refuses.
pub async fn add_goal(tx: &mut Tx, id: Id, of: (Id, Id), words: &str, gloss: &str, now: Time) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO goal (id, site_id, patient_id, words, gloss, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        id.0,
        of.0.0,
        of.1.0,
        words,
        gloss,
        now.0
    )?;
    Ok(())
}

/// A patient's active goals: `(words, gloss, created_at)`.
///
/// # Errors
/// When the database refuses.
pub async fn goals(tx: &mut Tx, patient: Id) -> Result<Vec<(String, String, i64)>, StoreError> {
    Ok(all!(
        tx,
        (String, String, i64),
        "SELECT words, gloss, created_at FROM goal WHERE patient_id = $1 AND state = 'active' ORDER BY created_at",
        patient.0
    )?)
}

/// Keeps a note; notes are never sent to the patient.
///
/// # Errors
/// When the database refuses.
pub async fn add_note(
    tx: &mut Tx,
    id: Id,
    site: Id,
    about: (Option<Id>, Option<Id>), // patient, escalation
    staff: Id,
    text: &str,
    now: Time,
) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO note (id, site_id, patient_id, escalation_id, staff_id, text, at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        id.0,
        site.0,
        about.0.map(|p| p.0),
        about.1.map(|e| e.0),
        staff.0,
        text,
        now.0
    )?;
    Ok(())
}
