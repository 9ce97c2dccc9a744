//! A backup becomes a database again: verified, marked as paused, and only then there.

use std::path::Path;

use futures_util::FutureExt;

use super::backup::sound_copy;
use super::client::{self, Server};
use super::{Contents, OperateError, Say, Unfinished, settle, watched};
use crate::clock::Time;
use crate::kit::{FINGERPRINT, fingerprint};
use crate::store::{Bare, Location, pause, survey};

/// A copy that is restored and sends nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// When its backup was begun: what came later is not in it.
    pub begun: Option<Time>,
    /// Rows of the tables to which rows are only added.
    pub rows: i64,
    /// Whether the security key fits; `None` if there is none to compare.
    pub key_fits: Option<bool>,
}

/// Restores `file` into the database of these settings, which must be empty or absent, and pauses it.
///
/// # Errors
/// When there is a database already, the backup is damaged or of a newer version, or the clock is behind it: then nothing
/// was changed.
pub async fn restore(
    location: &Location,
    file: &Path,
    key: Option<&[u8]>,
    now: Time,
    say: Say<'_>,
) -> Result<Restored, OperateError> {
    if !file.is_file() {
        return Err(OperateError::file(file, "is not there: name the file that `porchlight backup` wrote"));
    }
    let contents = match location {
        Location::Sqlite(target) => into_file(target, file, now, say).await?,
        Location::Postgres(url) => into_server(location, url, file, now, say).await?,
    };
    let known = contents.settings.get(FINGERPRINT);
    let key_fits = key.zip(known).map(|(key, known)| fingerprint(key) == *known);
    Ok(Restored { begun: contents.begun(), rows: contents.total(), key_fits })
}

/// Whether a backup may be restored by this version at this time.
fn acceptable(contents: &Contents, file: &Path, now: Time) -> Result<(), OperateError> {
    let known = survey::known_migrations();
    if contents.migrations.is_empty() {
        return Err(OperateError::file(file, "is no backup of Porchlight's: name the file that `porchlight backup` wrote"));
    }
    if let Some(newer) = contents.migrations.iter().find(|v| !known.contains(v)) {
        let why = format!(
            "is from a newer version of Porchlight (its migration {newer} is not known here): restore it with that version"
        );
        return Err(OperateError::file(file, why));
    }
    if contents.begun().is_some_and(|begun| begun > now) {
        let why = "was made later than this machine's clock shows: set the clock, or messages would go out twice";
        return Err(OperateError::file(file, why));
    }
    Ok(())
}

async fn into_file(target: &Path, file: &Path, now: Time, say: Say<'_>) -> Result<Contents, OperateError> {
    for (ending, what) in [("", "the database"), ("-wal", "a database's journal"), ("-shm", "a database's journal")] {
        let mut name = target.as_os_str().to_owned();
        name.push(ending);
        let there = Path::new(&name);
        if std::fs::metadata(there).is_ok_and(|m| !ending.is_empty() || m.len() > 0) {
            let why = format!(
                "{what} is there already: stop the service, and move every file of that name away, or set another database.url"
            );
            return Err(OperateError::file(there, why));
        }
    }
    let unfinished = Unfinished::beside(target)?;
    let of = std::fs::metadata(file).map_or(0, |m| m.len());
    let copied = watched(tokio::fs::copy(file, unfinished.path()), unfinished.path(), ("copying", of), say).await;
    copied.map_err(|e| OperateError::file(file, format!("cannot be copied ({e})")))?;
    own(unfinished.path())?;
    say("verifying", 0, of);
    let contents = sound_copy(unfinished.path()).await?;
    acceptable(&contents, file, now)?;
    let copy = Bare::open(&Location::Sqlite(unfinished.path().to_owned()), true).await?;
    let marked = copy.write(move |tx| async move { pause::mark(tx, now).await }.boxed()).await;
    copy.close().await;
    marked?;
    settle(unfinished.path())?;
    // An empty file in its place is none. The link fails if somebody else was faster.
    if std::fs::metadata(target).is_ok_and(|m| m.len() == 0) {
        std::fs::remove_file(target).map_err(|e| OperateError::file(target, e))?;
    }
    std::fs::hard_link(unfinished.path(), target).map_err(|e| OperateError::file(target, e))?;
    settle(target)?;
    Ok(contents)
}

/// Only its owner reads it, whatever the backup's own mode was.
fn own(file: &Path) -> Result<(), OperateError> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).map_err(|e| OperateError::file(file, e))
}

async fn into_server(location: &Location, url: &str, file: &Path, now: Time, say: Say<'_>) -> Result<Contents, OperateError> {
    let target = Bare::open(location, false).await?;
    let mut tx = target.read().await?;
    let there = survey::tables(&mut tx).await?;
    drop(tx);
    target.close().await;
    if !there.is_empty() {
        return Err(OperateError::Refused(format!(
            "the database holds {} tables already: make an empty one (createdb) and name it in database.url",
            there.len()
        )));
    }
    let contents = client::contents(file, say).await?;
    acceptable(&contents, file, now)?;
    let restored = Server::at(url)?.restore(file, now, say).await?;
    let target = Bare::open(location, false).await?;
    let mut tx = target.read().await?;
    let found = Contents::of(&mut tx).await?.unwrap_or_default();
    let paused = pause::current(&mut tx).await?.is_some();
    drop(tx);
    target.close().await;
    if !paused || found.rows != restored.as_in(&found) || found.migrations != contents.migrations {
        return Err(OperateError::Refused(
            "the restored database is not what the dump holds: drop it, do not start the service on it, and restore again".into(),
        ));
    }
    Ok(Contents { rows: found.rows, ..contents })
}
