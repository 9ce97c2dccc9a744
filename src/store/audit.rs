//! The audit: append-only, chained per node by hash, so that writing it never waits for another node.

use sha2::{Digest, Sha256};

use super::tx::{all, maybe, run};
use super::{StoreError, Tx};
use crate::clock::Time;
use crate::model::{Id, hex};

/// One entry.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Who did it; `None`: the service itself.
    pub staff: Option<Id>,
    /// Whose record.
    pub patient: Option<Id>,
    /// What: `read patient`, `claim`, `resolve`, `reply`, `import` …
    pub action: &'static str,
    /// On what: an id or a file name, never a name, number or text.
    pub subject: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    at: i64,
    staff_id: Option<i64>,
    patient_id: Option<i64>,
    action: String,
    subject: String,
    hash: String,
}

/// Adds an entry to the chain of `node`.
///
/// # Errors
/// When the database refuses.
pub async fn add(tx: &mut Tx, node: i64, entry: &Entry, now: Time) -> Result<(), StoreError> {
    let last = maybe!(tx, (i64, String), "SELECT seq, hash FROM audit WHERE node = $1 ORDER BY seq DESC LIMIT 1", node)?;
    let (seq, before) = last.map_or((1, String::new()), |(seq, hash)| (seq + 1, hash));
    let hash =
        link(&before, node, seq, now.0, entry.staff.map(|s| s.0), entry.patient.map(|p| p.0), entry.action, &entry.subject);
    run!(
        tx,
        "INSERT INTO audit (node, seq, at, staff_id, patient_id, action, subject, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        node,
        seq,
        now.0,
        entry.staff.map(|s| s.0),
        entry.patient.map(|p| p.0),
        entry.action,
        &entry.subject,
        hash
    )?;
    Ok(())
}

/// Checks the chain of `node`. Gives the number of the first entry that does not fit, if any.
///
/// # Errors
/// When the database refuses.
pub async fn first_break(tx: &mut Tx, node: i64) -> Result<Option<i64>, StoreError> {
    let rows = all!(
        tx,
        Row,
        "SELECT seq, at, staff_id, patient_id, action, subject, hash FROM audit WHERE node = $1 ORDER BY seq",
        node
    )?;
    let mut before = String::new();
    for (row, seq) in rows.iter().zip(1..) {
        let hash = link(&before, node, seq, row.at, row.staff_id, row.patient_id, &row.action, &row.subject);
        if row.seq != seq || row.hash != hash {
            return Ok(Some(seq));
        }
        before = hash;
    }
    Ok(None)
}

#[expect(clippy::too_many_arguments, reason = "the columns that the hash covers")]
fn link(
    before: &str,
    node: i64,
    seq: i64,
    at: i64,
    staff: Option<i64>,
    patient: Option<i64>,
    action: &str,
    subject: &str,
) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{before}\n{node}\n{seq}\n{at}\n{staff:?}\n{patient:?}\n{action}\n{subject}"));
    hex(&hash.finalize())
}
