//! The key of the address hash.

use std::path::Path;

use super::StartError;
use crate::config::Key;
use crate::random::Dice;

/// The key of the address hash: given, or from its file, which is made at the first start of a new database only.
pub(super) fn key(key: &Key, dice: &Dice, in_use: bool) -> Result<Vec<u8>, StartError> {
    let file = match key {
        Key::File(path) if in_use && !path.exists() => return Err(StartError::WrongKey),
        Key::File(path) => path.display().to_string(),
        Key::Given(_) => String::new(),
    };
    let read = match (key.read(), key) {
        (Err(e), Key::File(path)) if e.kind() == std::io::ErrorKind::NotFound => new_key(path, dice),
        (read, _) => read,
    };
    read.map_err(|e| StartError::Key { file, why: e.to_string() })
}

fn new_key(path: &Path, dice: &Dice) -> std::io::Result<Vec<u8>> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let text = format!("{}{}", dice.token(), dice.token());
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    Ok(text.into_bytes())
}
