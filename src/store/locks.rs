//! The order in which nodes lock messages: by id, before anything else of them is written.
//!
//! Acknowledgements and receipts write the same attempts and messages in orders of their own. Without a common one two nodes wait
//! for each other until the server ends one of them, a second later. The embedded database has one writer and needs none.

use super::{StoreError, Tx, rows_json};
use crate::model::Id;

const MESSAGES: &str = "SELECT id FROM message
      WHERE id IN (SELECT CAST(j.value AS BIGINT) FROM jsonb_array_elements($1::jsonb) AS j(value)) ORDER BY id FOR UPDATE";
const REFERENCES: &str = "SELECT id FROM message
      WHERE id IN (SELECT message_id FROM attempt WHERE reference IN (SELECT jsonb_array_elements_text($1::jsonb)))
      ORDER BY id FOR UPDATE";

/// Locks these messages until the transaction ends.
///
/// # Errors
/// When the database refuses.
pub async fn messages(tx: &mut Tx, ids: &[Id]) -> Result<(), StoreError> {
    lock(tx, MESSAGES, &ids.iter().map(|id| id.0).collect::<Vec<_>>()).await
}

/// Locks the messages of these attempts until the transaction ends.
///
/// # Errors
/// When the database refuses.
pub async fn references(tx: &mut Tx, references: &[&str]) -> Result<(), StoreError> {
    lock(tx, REFERENCES, references).await
}

async fn lock<T: serde::Serialize>(tx: &mut Tx, sql: &'static str, rows: &[T]) -> Result<(), StoreError> {
    if let (Tx::Postgres(t), false) = (tx, rows.is_empty()) {
        sqlx::query(sql).bind(rows_json(rows)?).execute(&mut **t).await?;
    }
    Ok(())
}
