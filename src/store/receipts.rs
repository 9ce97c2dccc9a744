//! Receipts: which attempt they speak of, and what they say of it.

use super::tx::{maybe, run};
use super::{StoreError, Tx};
use crate::clock::Time;
use crate::model::{Id, MessageState};

/// A receipt that applies to a known attempt.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the table, named there")]
pub struct Receipted {
    pub id: i64,
    pub n: i64,
    pub attempts: i64,
    pub site_id: i64,
    pub patient_id: Option<i64>,
    pub contact_id: Option<i64>,
    pub state: String,
    pub class: String,
}

const BY_REFERENCE: &str = "SELECT m.id, a.n, m.attempts, m.site_id, m.patient_id, a.contact_id, m.state, m.class
       FROM attempt a JOIN message m ON m.id = a.message_id WHERE a.reference = $1";
const BY_PROVIDER: &str = "SELECT m.id, a.n, m.attempts, m.site_id, m.patient_id, a.contact_id, m.state, m.class
       FROM attempt a JOIN message m ON m.id = a.message_id WHERE a.gateway = $1 AND a.provider_id = $2 AND a.provider_id <> ''";

/// The attempt that a receipt speaks of, by our reference or by the provider's id.
///
/// # Errors
/// When the database refuses.
pub async fn receipted(tx: &mut Tx, gateway: &str, reference: &str, provider_id: &str) -> Result<Option<Receipted>, StoreError> {
    if !reference.is_empty()
        && let Some(found) = maybe!(tx, Receipted, BY_REFERENCE, reference)?
    {
        return Ok(Some(found));
    }
    Ok(maybe!(tx, Receipted, BY_PROVIDER, gateway, provider_id)?)
}

const RECEIPT: &str = "UPDATE attempt SET receipt = $3, receipt_at = $4, code = CASE WHEN $5 <> '' THEN $5 ELSE code END
      WHERE message_id = $1 AND n = $2";

/// Records a receipt on its attempt, whatever the message's state.
///
/// # Errors
/// When the database refuses.
pub async fn record_receipt(tx: &mut Tx, id: Id, n: i64, state: MessageState, code: &str, now: Time) -> Result<(), StoreError> {
    run!(tx, RECEIPT, id.0, n, state.as_str(), now.0, code)?;
    Ok(())
}
