//! `backup` and `restore`.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use super::{Failure, load, say};
use crate::clock::{Clock, SystemClock};
use crate::operate::{self, amount};

/// Copies the database.
pub(super) async fn backup(file: &Path, force: bool, config: Option<&Path>) -> Result<ExitCode, Failure> {
    let config = load(config)?;
    let kept = operate::backup(&config.database, file, force, SystemClock.now(), &mut progress).await?;
    say(format!("{}: {}, {} rows, whole. Keep the security key with it.", file.display(), amount(kept.bytes), kept.rows));
    Ok(ExitCode::SUCCESS)
}

/// Makes a database from a backup.
pub(super) async fn restore(file: &Path, config: Option<&Path>) -> Result<ExitCode, Failure> {
    let config = load(config)?;
    let key = config.key.read().ok();
    let restored = operate::restore(&config.database, file, key.as_deref(), SystemClock.now(), &mut progress).await?;
    let begun = restored.begun.map_or_else(
        || "at a time that it does not say".to_owned(),
        |at| config.site.zone.local(at).strftime("on %Y-%m-%d at %H:%M").to_string(),
    );
    say(format!("Restored: {} rows. The backup was begun {begun}; what came later is not in it.", restored.rows));
    match restored.key_fits {
        Some(true) => {}
        Some(false) => {
            say(
                "The security key of these settings is not this database's: give the service the one that was kept with the backup.",
            );
        }
        None => say("The security key could not be compared: give the service the one that was kept with the backup."),
    }
    say(
        "Sending is PAUSED: the service receives and triages, and nothing goes out. docs/operations.md says what to do before `porchlight release`.",
    );
    Ok(ExitCode::SUCCESS)
}

/// Says on standard error how far it is, on one line.
fn progress(doing: &str, done: u64, of: u64) {
    let text = match (done, of) {
        (0, _) => format!("{doing}…"),
        (done, 0) => format!("{doing}: {}", amount(done)),
        (done, of) => format!("{doing}: {} of about {}", amount(done), amount(of)),
    };
    // With no standard error there is nobody to tell.
    drop(writeln!(std::io::stderr(), "{text}"));
}
