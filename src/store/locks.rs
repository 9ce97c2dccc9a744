//! The order in which nodes lock messages: by id, before anything else of them is written.
//!
//! Acknowledgements and receipts ([`super::receipts::find`]) write the same attempts and messages in orders of their own. Without a common one two nodes wait
//! for each other until the server ends one of them, a second later. The embedded database has one writer and needs none.

use super::{StoreError, Tx, rows_json};
use crate::model::Id;

const MESSAGES: &str = "SELECT id FROM message
      WHERE id IN (SELECT CAST(j.value AS BIGINT) FROM jsonb_array_elements($1::jsonb) AS j(value)) ORDER BY id FOR UPDATE";

/// Locks these messages until the transaction ends.
///
/// # Errors
/// When the database refuses.
pub async fn messages(tx: &mut Tx, ids: &[Id]) -> Result<(), StoreError> {
    if let (Tx::Postgres(t), false) = (tx, ids.is_empty()) {
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        sqlx::query(MESSAGES).bind(rows_json(&ids)?).execute(&mut **t).await?;
    }
    Ok(())
}
