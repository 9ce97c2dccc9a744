//! What an operator does beside the running service: looks after its health, copies it, brings a copy back, lets it speak.
//!
//! *Invariants:* a check-up changes nothing. A copy stands under its name only when it is whole. A restored copy is marked as
//! paused in the very step that makes it, so that no process can ever start on it and send. No password is printed or given
//! on a command line, and nothing here names a person.

mod backup;
mod client;
mod copy;
mod doctor;
mod release;

pub use backup::{Kept, backup};
pub use copy::{Restored, restore};
pub use doctor::{Finding, Report, Standing, amount, examine};
pub use release::{Released, preview, release, who};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::clock::Time;
use crate::kit::FINGERPRINT;
use crate::store::{StoreError, Tx, pause, sites, survey};

/// How often a long piece of work says how far it is.
const EVERY: Duration = Duration::from_secs(1);

/// Why an operator's command did not do it. Says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OperateError {
    /// The database.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// A file.
    #[error("{}: {why}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// What the system said, and what to do.
        why: String,
    },
    /// Another program.
    #[error("{program}: {why}")]
    Program {
        /// Which.
        program: &'static str,
        /// What it said, and what to do.
        why: String,
    },
    /// It would have done harm.
    #[error("{0}")]
    Refused(String),
}

impl OperateError {
    fn file(file: &Path, why: impl std::fmt::Display) -> OperateError {
        OperateError::File { file: file.to_owned(), why: why.to_string() }
    }
}

/// How far a long piece of work is: what is being done, and bytes done of about how many.
pub type Say<'s> = &'s mut (dyn FnMut(&str, u64, u64) + Send);

/// What a database or a dump holds, as far as a copy must have it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Contents {
    /// Rows of the tables to which rows are only added.
    rows: BTreeMap<String, i64>,
    migrations: Vec<i64>,
    settings: BTreeMap<String, String>,
}

impl Contents {
    /// Of an open database, if it is Porchlight's.
    async fn of(tx: &mut Tx) -> Result<Option<Contents>, StoreError> {
        if !survey::tables(tx).await?.iter().any(|name| name == "_sqlx_migrations") {
            return Ok(None);
        }
        let mut settings = BTreeMap::new();
        for key in [FINGERPRINT, pause::BEGUN] {
            if let Some(value) = sites::get(tx, key).await? {
                settings.insert(key.to_owned(), value);
            }
        }
        let rows = survey::rows(tx).await?.into_iter().collect();
        Ok(Some(Contents { rows, migrations: survey::migrations(tx).await?.done, settings }))
    }

    /// When its backup was begun, if it says so.
    fn begun(&self) -> Option<Time> {
        self.settings.get(pause::BEGUN).and_then(|at| at.parse().ok()).map(Time)
    }

    /// Only the tables by which copies are compared with `other`: a dump counts them all.
    fn as_in(&self, other: &Contents) -> BTreeMap<String, i64> {
        self.rows.iter().filter(|(table, _)| other.rows.contains_key(*table)).map(|(table, n)| (table.clone(), *n)).collect()
    }

    /// All rows that are compared.
    fn total(&self) -> i64 {
        self.rows.values().sum()
    }

    /// The first table in which this copy has fewer rows than `before` or more than `after`.
    fn misfit(&self, before: &Contents, after: &Contents) -> Option<String> {
        let of = |contents: &Contents, table: &str| contents.rows.get(table).copied().unwrap_or(0);
        let (table, n) = before
            .rows
            .keys()
            .map(|table| (table, of(self, table)))
            .find(|(table, n)| !(of(before, table)..=of(after, table)).contains(n))?;
        Some(format!(
            "{table} has {n} rows in the copy, and between {} and {} in the database",
            of(before, table),
            of(after, table)
        ))
    }
}

/// Writes a file's bytes to the disk, and the name of it in its folder.
fn settle(file: &Path) -> Result<(), OperateError> {
    let sync = |path: &Path| std::fs::File::open(path).and_then(|f| f.sync_all());
    sync(file).map_err(|e| OperateError::file(file, e))?;
    let folder = folder_of(file);
    sync(&folder).map_err(|e| OperateError::file(&folder, e))
}

/// The folder that a file is in.
fn folder_of(file: &Path) -> PathBuf {
    file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// A file under another name until it is whole: gone if it never becomes so.
#[derive(Debug)]
struct Unfinished(PathBuf);

impl Unfinished {
    /// An empty file beside `target` that only its owner reads.
    fn beside(target: &Path) -> Result<Unfinished, OperateError> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(format!(".unfinished-{}", std::process::id()));
        let path = folder_of(target).join(name);
        let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        made.map_err(|e| OperateError::file(&path, format!("cannot be made ({e}): name a folder that can be written")))?;
        Ok(Unfinished(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Once it has its name it is not here any more.
        drop(std::fs::remove_file(&self.0));
    }
}

/// Does `work`, and says every second how large `file` has become.
async fn watched<T>(work: impl Future<Output = T>, file: &Path, (doing, of): (&str, u64), say: Say<'_>) -> T {
    let mut work = std::pin::pin!(work);
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = tick.tick() => say(doing, std::fs::metadata(file).map_or(0, |m| m.len()), of),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(inbox: i64, message: i64) -> Contents {
        let rows = [("inbox".to_owned(), inbox), ("message".to_owned(), message)].into();
        Contents { rows, ..Contents::default() }
    }

    #[test]
    fn a_copy_has_what_was_there_before_it_and_nothing_that_came_after() {
        let (before, after) = (contents(10, 5), contents(14, 5));
        for whole in [contents(10, 5), contents(12, 5), contents(14, 5)] {
            assert_eq!(whole.misfit(&before, &after), None);
        }
        for broken in [contents(9, 5), contents(15, 5), contents(12, 4), contents(12, 6)] {
            assert!(broken.misfit(&before, &after).is_some(), "{broken:?}");
        }
    }

    #[test]
    fn a_copy_that_is_not_finished_leaves_nothing_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let unfinished = Unfinished::beside(&folder.path().join("b.backup")).expect("a file");
        let path = unfinished.path().to_owned();
        assert!(path.exists());
        drop(unfinished);
        assert!(!path.exists());
    }
}
