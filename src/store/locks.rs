//! The order in which nodes lock messages: by id, before anything else of them is written. Of threads, those that are to be asked
//! something.
//!
//! Acknowledgements and receipts ([`super::receipts::find`]) write the same attempts and messages in orders of their own. Without a common one two nodes wait
//! for each other until the server ends one of them, a second later. The embedded database has one writer and needs none.

use std::collections::HashSet;

use super::{StoreError, Tx, rows_json};
use crate::model::Id;

const MESSAGES: &str = "SELECT id FROM message
      WHERE id IN (SELECT CAST(j.value AS BIGINT) FROM jsonb_array_elements($1::jsonb) AS j(value)) ORDER BY id FOR UPDATE";

const THREADS: &str = "WITH free AS (SELECT id FROM thread
                    WHERE patient_id IN (SELECT CAST(j.value AS BIGINT) FROM jsonb_array_elements($1::jsonb) AS j(value))
                    ORDER BY id FOR UPDATE SKIP LOCKED)
     SELECT DISTINCT t.patient_id FROM jsonb_array_elements($1::jsonb) AS j(value)
       JOIN thread t ON t.patient_id = CAST(j.value AS BIGINT)
      WHERE t.id NOT IN (SELECT id FROM free)";

/// Locks the threads of these patients until the transaction ends, and waits for nobody: whoever holds messages already would wait
/// the wrong way round. Gives the patients whose threads another node is working on.
///
/// # Errors
/// When the database refuses.
pub async fn threads(tx: &mut Tx, patients: &[i64]) -> Result<HashSet<i64>, StoreError> {
    let busy = match tx {
        Tx::Postgres(t) if !patients.is_empty() => {
            sqlx::query_scalar::<_, i64>(THREADS).bind(rows_json(patients)?).fetch_all(&mut **t).await?
        }
        Tx::Postgres(_) | Tx::Sqlite(_) => Vec::new(),
    };
    Ok(busy.into_iter().collect())
}

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
