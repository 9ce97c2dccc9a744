//! Visits. Every reminder follows the visit's state and version.

use super::tx::{Sql, listed, maybe, run, sql};
use super::{StoreError, Tx, rows_json};
use crate::clock::Time;
use crate::model::Id;

/// A visit.
#[derive(Debug, Clone, sqlx::FromRow, serde::Deserialize)]
#[expect(missing_docs, reason = "the columns of the table, named there")]
pub struct Visit {
    pub id: i64,
    pub site_id: i64,
    pub patient_id: i64,
    pub external_id: String,
    pub starts_at: i64,
    pub zone: String,
    pub state: String,
    pub why: String,
    pub version: i64,
}

/// Books a visit, or moves the one with the same external id. Gives its id and version, and whether anything changed.
///
/// # Errors
/// When the database refuses.
pub async fn put(
    tx: &mut Tx,
    id: Id,
    of: (Id, Id), // site, patient
    external_id: &str,
    starts: Time,
    zone: &str,
    now: Time,
) -> Result<(Id, i64, bool), StoreError> {
    let before = maybe!(
        tx,
        Visit,
        "SELECT id, site_id, patient_id, external_id, starts_at, zone, state, why, version
               FROM appointment WHERE site_id = $1 AND external_id = $2",
        of.0.0,
        external_id
    )?;
    let Some(before) = before else {
        run!(
            tx,
            "INSERT INTO appointment (id, site_id, patient_id, external_id, starts_at, zone, state, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, 'booked', $7, $7)",
            id.0,
            of.0.0,
            of.1.0,
            external_id,
            starts.0,
            zone,
            now.0
        )?;
        return Ok((id, 1, true));
    };
    if before.patient_id != of.1.0 {
        return Err(StoreError::Refused(format!(
            "visit {external_id} belongs to another patient: give the new visit an id of its own"
        )));
    }
    if before.starts_at == starts.0 {
        return Ok((Id(before.id), before.version, false));
    }
    run!(
        tx,
        "UPDATE appointment SET starts_at = $2, zone = $3, state = 'booked', version = version + 1, updated_at = $4 WHERE id = $1",
        before.id,
        starts.0,
        zone,
        now.0
    )?;
    Ok((Id(before.id), before.version + 1, true))
}

/// Visits of these patients that start after `since`, soonest first.
///
/// # Errors
/// When the database refuses.
pub async fn of_patients(tx: &mut Tx, patients: &[i64], since: Time) -> Result<Vec<Visit>, StoreError> {
    const OF: Sql = sql!(
        list("id, site_id, patient_id, external_id, starts_at, zone, state, why, version" by "starts_at, id")
        "FROM appointment WHERE starts_at >= $2 AND patient_id IN (SELECT CAST(j.value AS BIGINT) FROM" rows ")"
    );
    if patients.is_empty() {
        return Ok(Vec::new());
    }
    listed!(tx, Visit, OF, rows_json(patients)?, since.0)
}

/// Visits by id.
///
/// # Errors
/// When the database refuses.
pub async fn get(tx: &mut Tx, ids: &[i64]) -> Result<Vec<Visit>, StoreError> {
    const BY_ID: Sql = sql!(
        list("id, site_id, patient_id, external_id, starts_at, zone, state, why, version" by "id")
        "FROM appointment WHERE id IN (SELECT CAST(j.value AS BIGINT) FROM" rows ")"
    );
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    listed!(tx, Visit, BY_ID, rows_json(ids)?)
}

/// Sets a visit's state from the patient's answer, with why in their words.
///
/// # Errors
/// When the database refuses.
pub async fn answer(tx: &mut Tx, id: Id, state: &str, why: &str, now: Time) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE appointment SET state = $2, why = CASE WHEN $3 <> '' THEN $3 ELSE why END, updated_at = $4 WHERE id = $1",
        id.0,
        state,
        why,
        now.0
    )?;
    Ok(())
}

/// Those of these visits of which a reminder has gone out.
///
/// # Errors
/// When the database refuses.
pub async fn reminded(tx: &mut Tx, ids: &[i64]) -> Result<std::collections::HashSet<i64>, StoreError> {
    const REMINDED: Sql = sql!(
        list("appointment_id" by "appointment_id")
        "FROM message
          WHERE state IN ('sending', 'accepted', 'sent', 'delivered', 'read', 'unknown') AND class = 'reminder'
            AND appointment_id IN (SELECT CAST(j.value AS BIGINT) FROM" rows ")"
    );
    if ids.is_empty() {
        return Ok(std::collections::HashSet::new());
    }
    Ok(listed!(tx, (i64,), REMINDED, rows_json(ids)?)?.into_iter().map(|(id,)| id).collect())
}
