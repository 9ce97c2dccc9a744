//! Protocol versions, enrolments and occurrences.

use std::collections::HashSet;

use super::tx::{Sql, all, bulk, flag, listed, maybe, run, sql};
use super::{StoreError, Tx, rows_json};
use crate::clock::Time;
use crate::model::Id;

/// Keeps the text of a protocol under its hash; the same text is kept once.
///
/// # Errors
/// When the database refuses.
pub async fn put_protocol(
    tx: &mut Tx,
    hash: &str,
    protocol: &str,
    version: i64,
    title: &str,
    text: &str,
    now: Time,
) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO protocol_version (hash, protocol, version, title, text, created_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (hash) DO NOTHING",
        hash,
        protocol,
        version,
        title,
        text,
        now.0
    )?;
    Ok(())
}

/// Every protocol text that an enrolment still runs on: `(hash, protocol, text)`.
///
/// # Errors
/// When the database refuses.
pub async fn protocols(tx: &mut Tx) -> Result<Vec<(String, String, String)>, StoreError> {
    Ok(all!(tx, (String, String, String), "SELECT hash, protocol, text FROM protocol_version ORDER BY created_at")?)
}

/// An enrolment.
#[derive(Debug, Clone, sqlx::FromRow, serde::Deserialize)]
#[expect(missing_docs, reason = "the columns of the tables, named there")]
pub struct Enrolment {
    pub id: i64,
    pub site_id: i64,
    pub patient_id: i64,
    pub protocol: String,
    pub protocol_hash: String,
    pub settings: String,
    pub state: String,
    pub started_at: i64,
    pub zone: String,
    pub lang: String,
    pub called: String,
    #[serde(deserialize_with = "flag")]
    pub discreet: bool,
}

const BY_IDS: Sql = sql!(
    list("e.id, e.site_id, e.patient_id, e.protocol, e.protocol_hash, e.settings, e.state, e.started_at, t.zone, t.lang, p.called, t.discreet" by "e.id")
    "FROM enrolment e JOIN patient t ON t.id = e.patient_id JOIN person p ON p.id = t.person_id
      WHERE e.id IN (SELECT CAST(j.value AS BIGINT) FROM" rows ")"
);
const OF_PATIENTS: Sql = sql!(
    list("e.id, e.site_id, e.patient_id, e.protocol, e.protocol_hash, e.settings, e.state, e.started_at, t.zone, t.lang, p.called, t.discreet" by "e.id")
    "FROM enrolment e JOIN patient t ON t.id = e.patient_id JOIN person p ON p.id = t.person_id
      WHERE e.state <> 'ended' AND e.patient_id IN (SELECT CAST(j.value AS BIGINT) FROM" rows ")"
);
const ACTIVE: Sql = sql!(
    list("id" by "id") "FROM enrolment WHERE state = 'active' AND id IN (SELECT CAST(j.value AS BIGINT) FROM" rows ")"
);

/// Enrolments by id.
///
/// # Errors
/// When the database refuses.
pub async fn get(tx: &mut Tx, ids: &[i64]) -> Result<Vec<Enrolment>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    listed!(tx, Enrolment, BY_IDS, rows_json(ids)?)
}

/// The running enrolments of these patients.
///
/// # Errors
/// When the database refuses.
pub async fn of_patients(tx: &mut Tx, patients: &[i64]) -> Result<Vec<Enrolment>, StoreError> {
    if patients.is_empty() {
        return Ok(Vec::new());
    }
    listed!(tx, Enrolment, OF_PATIENTS, rows_json(patients)?)
}

/// Those of these enrolments that run.
///
/// # Errors
/// When the database refuses.
pub async fn active(tx: &mut Tx, ids: &[i64]) -> Result<HashSet<i64>, StoreError> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    Ok(listed!(tx, (i64,), ACTIVE, rows_json(ids)?)?.into_iter().map(|(id,)| id).collect())
}

/// Running enrolments after an id, in the order of their ids: for work that goes through all of them.
///
/// # Errors
/// When the database refuses.
pub async fn after(tx: &mut Tx, id: i64, limit: i64) -> Result<Vec<Enrolment>, StoreError> {
    Ok(all!(
        tx,
        Enrolment,
        "SELECT e.id, e.site_id, e.patient_id, e.protocol, e.protocol_hash, e.settings, e.state, e.started_at, t.zone, t.lang,
                p.called, t.discreet
           FROM enrolment e JOIN patient t ON t.id = e.patient_id JOIN person p ON p.id = t.person_id
          WHERE e.id > $1 AND e.state <> 'ended' ORDER BY e.id LIMIT $2",
        id,
        limit
    )?)
}

/// Enrols a patient. `None` if a running enrolment in this protocol exists.
///
/// # Errors
/// When the database refuses.
pub async fn enrol(
    tx: &mut Tx,
    id: Id,
    of: (Id, Id),           // site, patient
    protocol: (&str, &str), // id, hash
    settings: &str,
    now: Time,
) -> Result<Option<Id>, StoreError> {
    let running = maybe!(
        tx,
        (i64,),
        "SELECT id FROM enrolment WHERE patient_id = $1 AND protocol = $2 AND state <> 'ended'",
        of.1.0,
        protocol.0
    )?;
    if running.is_some() {
        return Ok(None);
    }
    run!(
        tx,
        "INSERT INTO enrolment (id, site_id, patient_id, protocol, protocol_hash, settings, started_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        id.0,
        of.0.0,
        of.1.0,
        protocol.0,
        protocol.1,
        settings,
        now.0
    )?;
    Ok(Some(id))
}

const RECORD: Sql = bulk!(
    "INSERT INTO occurrence (key, at) SELECT j.value->>0, $2 FROM",
    "WHERE TRUE ON CONFLICT (key) DO NOTHING RETURNING key"
);

/// Records occurrences; gives those that were not recorded before.
///
/// # Errors
/// When the database refuses.
pub async fn record(tx: &mut Tx, keys: &[String], now: Time) -> Result<Vec<String>, StoreError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<_> = keys.iter().map(|k| [k]).collect();
    let sql = tx.pick(&RECORD);
    Ok(all!(tx, (String,), sql, rows_json(&rows)?, now.0)?.into_iter().map(|(key,)| key).collect())
}
