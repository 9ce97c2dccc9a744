//! What is wrong with the database, in words for whoever must mend it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::StoreError;

/// How long a trouble is remembered after it was last met: what works now and then does not work.
const REMEMBERED: Duration = Duration::from_secs(5);

/// Two nodes wanted the same at once: over when it is told.
const CONTENDED: &str = "the database is contended: it is tried again by itself";

/// The last trouble that a write met.
#[derive(Debug, Clone, Default)]
pub(super) struct LastTrouble(Arc<Mutex<Option<(&'static str, Instant)>>>);

impl LastTrouble {
    /// Remembers what stood in the way of a write, if it was the database and not the write itself, nor another write.
    pub(super) fn note(&self, e: &StoreError) {
        if let Some(words) = e.trouble().filter(|words| *words != CONTENDED) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((words, Instant::now()));
        }
    }

    /// What stood in the way of a write in the last seconds.
    pub(super) fn words(&self) -> Option<&'static str> {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.filter(|(_, at)| at.elapsed() < REMEMBERED).map(|(words, _)| words)
    }
}

impl StoreError {
    /// What is wrong with the database and what to do about it; `None` where the database is not at fault.
    #[must_use]
    pub fn trouble(&self) -> Option<&'static str> {
        let (StoreError::Database(e) | StoreError::Away(e)) = self else { return None };
        if self.is_poison() {
            return None;
        }
        Some(match e {
            sqlx::Error::Database(e) => match e.code().as_deref() {
                Some(code) if code.len() == 5 => of_server(code),
                Some(code) => of_file(code.parse::<u32>().unwrap_or_default() & 0xff),
                None => "the database refuses: see the log",
            },
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => {
                "no connection to the database came about in time: is its server running, and not overloaded?"
            }
            sqlx::Error::WorkerCrashed => "the database file cannot be used any more: restart the service",
            _ => "the connection to the database broke: is its server running, and reachable from here?",
        })
    }
}

/// The server's SQL states.
fn of_server(code: &str) -> &'static str {
    match code {
        "25P03" => "the service stood still in the middle of a transaction: it is tried again by itself",
        "57P01" | "57P02" | "57P03" => "the database server is stopping or starting: it is tried again by itself",
        "53100" => "the disk of the database server is full: free some space",
        "53300" => "the database server takes no more connections: raise max_connections, or stop a process",
        "25006" => "the database server is read-only: point database.url at the primary",
        "57014" => "the database took too long over a statement: is its server overloaded?",
        "3D000" => "the database is not there: correct database.url",
        _ if code.starts_with("28") => "the database server refuses our name or password: correct database.url",
        _ if code.starts_with("40") => CONTENDED,
        "55P03" => "somebody holds a part of the database locked: let them finish, or end it",
        _ => "the database server refuses: see the log",
    }
}

/// The file's primary result codes.
fn of_file(code: u32) -> &'static str {
    match code {
        5 | 6 => "another process holds the database locked: let it finish, or end it",
        8 => "the database file is read-only: give the service the right to write to it and its folder",
        10 => "the disk of the database fails to read or write: look at the system's log",
        11 | 26 => "the database file is damaged: stop the service and restore a backup",
        13 => "the disk of the database is full: free some space",
        14 => "the database file cannot be opened: are its folder and disk there?",
        _ => "the database refuses: see the log",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_s_own_trouble_is_named_and_with_a_remedy() {
        let words = |e| StoreError::Database(e).trouble();
        assert!(words(sqlx::Error::PoolTimedOut).is_some_and(|w| w.contains("running")));
        assert!(of_file(13).contains("full") && of_file(5).contains("locked") && of_server("57P03").contains("starting"));
        assert_eq!((StoreError::Conflict.trouble(), StoreError::Missing("patient").trouble()), (None, None));
        let last = LastTrouble::default();
        last.note(&StoreError::Conflict);
        assert_eq!(last.words(), None);
        last.note(&StoreError::Database(sqlx::Error::PoolTimedOut));
        assert!(last.words().is_some());
    }
}
