//! A copy of the database while the service works: consistent, verified, and under its name only when it is whole.

use std::path::Path;

use futures_util::FutureExt;

use super::client::Server;
use super::{Contents, OperateError, Say, Unfinished, settle, watched};
use crate::clock::Time;
use crate::store::{Bare, Location, StoreError, pause, survey};

/// A backup that is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Its bytes.
    pub bytes: u64,
    /// Rows of the tables to which rows are only added.
    pub rows: i64,
}

/// Copies the database into `file`. What was committed before `now` is in it.
///
/// # Errors
/// When the file is there already (unless `force`), the database is not Porchlight's, or the copy is not whole: then there
/// is no such file, or the earlier one is as it was.
pub async fn backup(location: &Location, file: &Path, force: bool, now: Time, say: Say<'_>) -> Result<Kept, OperateError> {
    if !force && file.exists() {
        return Err(OperateError::file(file, "is there already: choose another name, or say --force to replace it"));
    }
    if let Location::Sqlite(database) = location
        && same_file(database, file)
    {
        return Err(OperateError::file(file, "is the database itself: choose another name"));
    }
    let source = Bare::open(location, true).await?;
    let kept = copy(&source, location, file, now, say).await;
    if kept.is_ok() {
        source.write(move |tx| async move { pause::backup_kept(tx, now).await }.boxed()).await?;
    }
    source.close().await;
    kept
}

fn same_file(one: &Path, other: &Path) -> bool {
    one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

async fn copy(source: &Bare, location: &Location, file: &Path, now: Time, say: Say<'_>) -> Result<Kept, OperateError> {
    let (before, size) = {
        let mut tx = source.read().await?;
        let contents = Contents::of(&mut tx).await?;
        (contents.ok_or_else(|| OperateError::Refused(NOT_OURS.into()))?, survey::size(&mut tx).await?)
    };
    source.write(move |tx| async move { pause::backup_begun(tx, now).await }.boxed()).await?;

    let unfinished = Unfinished::beside(file)?;
    let of = u64::try_from(size).unwrap_or(0);
    let copied = match location {
        Location::Sqlite(_) => {
            watched(source.copy_into(unfinished.path()), unfinished.path(), ("copying", of), say).await?;
            settle(unfinished.path())?;
            say("verifying", 0, of);
            sound_copy(unfinished.path()).await?
        }
        Location::Postgres(url) => {
            let server = Server::at(url)?;
            watched(server.dump(unfinished.path()), unfinished.path(), ("dumping", of), say).await?;
            settle(unfinished.path())?;
            super::client::contents(unfinished.path(), say).await?
        }
    };
    let mut tx = source.read().await?;
    let after = Contents::of(&mut tx).await?.unwrap_or_default();
    drop(tx);
    if copied.migrations != before.migrations {
        return Err(OperateError::Refused("the copy has other migrations than the database: make it again".into()));
    }
    if copied.begun() != Some(now) {
        return Err(OperateError::Refused("the copy does not say when it was begun: make it again".into()));
    }
    if let Some(misfit) = copied.misfit(&before, &after) {
        return Err(OperateError::Refused(format!("the copy is not whole ({misfit}): make it again")));
    }
    let bytes = std::fs::metadata(unfinished.path()).map_err(|e| OperateError::file(unfinished.path(), e))?.len();
    std::fs::rename(unfinished.path(), file).map_err(|e| OperateError::file(file, e))?;
    settle(file)?;
    Ok(Kept { bytes, rows: copied.as_in(&before).values().sum() })
}

/// What is not a database of Porchlight's.
pub(super) const NOT_OURS: &str = "this is no database of Porchlight's: correct database.url, or run `porchlight migrate` first";

/// Checks every page of a copied file. Gives what it holds.
pub(super) async fn sound_copy(file: &Path) -> Result<Contents, OperateError> {
    let looked = async {
        let copy = Bare::open(&Location::Sqlite(file.to_owned()), false).await?;
        let mut tx = copy.read().await?;
        let contents = match survey::faults(&mut tx, true).await?.first() {
            Some(fault) => Err(StoreError::Refused(format!("its check says: {fault}"))),
            None => Contents::of(&mut tx).await,
        };
        drop(tx);
        copy.close().await;
        contents
    };
    match looked.await {
        Ok(Some(contents)) => Ok(contents),
        Ok(None) => Err(OperateError::file(file, "is no backup of Porchlight's: name the file that `porchlight backup` wrote")),
        Err(e) => Err(OperateError::file(file, format!("is damaged or no backup ({e}): take another one"))),
    }
}
