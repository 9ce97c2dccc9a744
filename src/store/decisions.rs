//! Every send and every non-send leaves a decision with its reason.

use super::rows::{Rows, row};

use super::tx::{Sql, bulk, run};
use super::{StoreError, Tx};
use crate::clock::Time;
use crate::model::{Id, Reason};

/// One decision.
#[derive(Debug, Clone)]
pub struct NewDecision {
    /// Identity.
    pub id: Id,
    /// Where.
    pub site: Id,
    /// For whom.
    pub patient: Option<Id>,
    /// About which message.
    pub message: Option<Id>,
    /// Or about which occurrence that became no message.
    pub occurrence: String,
    /// When.
    pub at: Time,
    /// `send hold skip merge reroute`.
    pub outcome: &'static str,
    /// Why.
    pub reason: Reason,
    /// Held until.
    pub until: Option<Time>,
    /// A hash of what it was decided from.
    pub facts: String,
}

const INSERT: Sql = bulk!(
    "INSERT INTO decision (id, site_id, patient_id, message_id, occurrence, at, outcome, reason, until, facts)
     SELECT CAST(j.value->>0 AS BIGINT), CAST(j.value->>1 AS BIGINT), CAST(j.value->>2 AS BIGINT), CAST(j.value->>3 AS BIGINT),
            j.value->>4, CAST(j.value->>5 AS BIGINT), j.value->>6, j.value->>7, CAST(j.value->>8 AS BIGINT), j.value->>9
       FROM",
    ""
);

/// Keeps decisions.
///
/// # Errors
/// When the database refuses.
pub async fn add(tx: &mut Tx, decisions: &[NewDecision]) -> Result<(), StoreError> {
    if decisions.is_empty() {
        return Ok(());
    }
    let rows: Rows = decisions
        .iter()
        .map(|d| {
            row!([
                d.id.0,
                d.site.0,
                d.patient.map(|p| p.0),
                d.message.map(|m| m.0),
                d.occurrence,
                d.at.0,
                d.outcome,
                d.reason,
                d.until.map(|t| t.0),
                d.facts
            ])
        })
        .collect();
    let sql = tx.pick(&INSERT);
    run!(tx, sql, rows.text()?)?;
    Ok(())
}

/// `(outcome, reason)` of every decision about a patient, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn of_patient(tx: &mut Tx, patient: Id) -> Result<Vec<(String, String)>, StoreError> {
    Ok(super::tx::all!(
        tx,
        (String, String),
        "SELECT outcome, reason FROM decision WHERE patient_id = $1 ORDER BY id",
        patient.0
    )?)
}
