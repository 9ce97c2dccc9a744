//! What the error codes of a provider mean, as a table with the source of each row.
//!
//! Sources: V a provider's own page that was read, S somebody else's, M from memory. A code that is not in the
//! table decides nothing: then HTTP does, and neither can close a contact.

use std::time::Duration;

use super::SendError;
use super::answer::{by_status, decided, retry_after};
use super::exchange::Answer;
use crate::model::Meaning;

/// One row: the code, what it means, for how many seconds to wait if it means busy (0: our own back-off), the source.
pub(super) type Row = (u32, Meaning, u64, &'static str);

/// What a code means, if the table knows.
pub(super) fn means(table: &[Row], code: u32) -> Option<Meaning> {
    table.iter().find(|row| row.0 == code).map(|row| row.1)
}

/// Decides a refusal: by its code, or by HTTP where the code is unknown or missing.
pub(super) fn refused(table: &[Row], code: Option<u32>, answer: &Answer) -> SendError {
    let row = code.and_then(|code| table.iter().find(|row| row.0 == code));
    let shown = code.map_or_else(|| format!("http-{}", answer.status), |code| code.to_string());
    let asked = retry_after(&answer.headers);
    let wait = asked.or_else(|| row.map(|row| Duration::from_secs(row.2)).filter(|wait| !wait.is_zero()));
    decided(row.map_or_else(|| by_status(answer.status), |row| row.1), shown, wait)
}
