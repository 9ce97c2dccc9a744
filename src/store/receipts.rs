//! Receipts: which attempt they speak of, and what they say of it.

use super::rows::{Rows, row};
use super::tx::{Sql, bulk, listed, run, sql};
use super::{StoreError, Tx};
use crate::clock::Time;
use crate::model::{Id, MessageState};

/// What a receipt names its attempt by.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// The gateway that it came through.
    pub gateway: &'a str,
    /// What we gave along; empty if the provider does not say.
    pub reference: &'a str,
    /// The provider's id; empty if it gave none.
    pub provider_id: &'a str,
}

/// An attempt that a receipt speaks of.
#[derive(Debug, Clone, serde::Deserialize)]
#[expect(missing_docs, reason = "the columns of the table, named there")]
pub struct Receipted {
    /// Which of the names it was found by, counted from zero.
    pub place: i64,
    /// Found by our own reference (0) or by the provider's id (1).
    pub rank: i64,
    pub id: i64,
    pub n: i64,
    pub attempts: i64,
    pub site_id: i64,
    pub patient_id: Option<i64>,
    pub contact_id: Option<i64>,
    pub state: String,
    pub class: String,
}

const FIND: Sql = sql!(
    list("x.place, x.rank, x.id, x.n, x.attempts, x.site_id, x.patient_id, x.contact_id, x.state, x.class" by "x.place, x.rank")
    "FROM (SELECT f.place, f.rank, m.id, f.n, m.attempts, m.site_id, m.patient_id, f.contact_id, m.state, m.class
             FROM (SELECT CAST(j.value->>0 AS BIGINT) AS place, 0 AS rank, a.message_id, a.n, a.contact_id
                     FROM" rows "JOIN attempt a ON a.reference = j.value->>2
                    UNION ALL
                   SELECT CAST(j.value->>0 AS BIGINT), 1, a.message_id, a.n, a.contact_id
                     FROM" rows "JOIN attempt a ON a.gateway = j.value->>1 AND a.provider_id = j.value->>3 AND a.provider_id <> '') AS f
             JOIN message m ON m.id = f.message_id
            ORDER BY m.id" locked_message ") AS x"
);

/// The attempts that receipts speak of, by our reference or else by the provider's id, each with its place in `named`. Their
/// messages are locked in one order, until the transaction ends.
///
/// # Errors
/// When the database refuses.
pub async fn find(tx: &mut Tx, named: &[Named<'_>]) -> Result<Vec<Receipted>, StoreError> {
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Rows = named.iter().enumerate().map(|(place, n)| row!([place, n.gateway, n.reference, n.provider_id])).collect();
    let mut found = listed!(tx, Receipted, FIND, rows.text()?)?;
    found.dedup_by_key(|f| f.place);
    Ok(found)
}

/// What receipts said of one attempt.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The message.
    pub id: Id,
    /// Which attempt.
    pub n: i64,
    /// What became of it.
    pub state: MessageState,
    /// The provider's code; empty keeps the one that is known.
    pub code: String,
}

const RECEIPT: Sql = bulk!(
    "UPDATE attempt SET receipt_at = $2,
            receipt = CASE WHEN j.value->>2 = 'sent' AND attempt.receipt IN ('failed', 'none', 'delivered', 'read')
                             OR j.value->>2 = 'failed' AND attempt.receipt IN ('delivered', 'read')
                             OR j.value->>2 = 'delivered' AND attempt.receipt = 'read' THEN attempt.receipt
                           ELSE j.value->>2 END,
            code = CASE WHEN j.value->>3 <> '' THEN j.value->>3 ELSE attempt.code END
       FROM",
    "WHERE attempt.message_id = CAST(j.value->>0 AS BIGINT) AND attempt.n = CAST(j.value->>1 AS BIGINT)"
);

/// Records receipts on their attempts, one each, whatever the state of their messages. What says less than is known ("sent" after
/// "failed") changes only when something was heard last.
///
/// # Errors
/// When the database refuses.
pub async fn record(tx: &mut Tx, receipts: &[Receipt], now: Time) -> Result<(), StoreError> {
    if receipts.is_empty() {
        return Ok(());
    }
    let rows: Rows = receipts.iter().map(|r| row!([r.id.0, r.n, r.state, r.code])).collect();
    let sql = tx.pick(&RECEIPT);
    run!(tx, sql, rows.text()?, now.0)?;
    Ok(())
}

const MOVE: Sql = bulk!(
    "UPDATE message SET state = j.value->>1, why = j.value->>2, state_at = $2, lease_owner = '', lease_until = NULL
       FROM",
    "WHERE message.id = CAST(j.value->>0 AS BIGINT)"
);

/// Moves messages that [`find`] has locked, each once: (which, to, why).
///
/// # Errors
/// When the database refuses.
pub async fn move_on(tx: &mut Tx, moved: &[(Id, MessageState, String)], now: Time) -> Result<(), StoreError> {
    if moved.is_empty() {
        return Ok(());
    }
    let rows: Rows = moved.iter().map(|(id, state, why)| row!([id.0, state, why])).collect();
    let sql = tx.pick(&MOVE);
    run!(tx, sql, rows.text()?, now.0)?;
    Ok(())
}
