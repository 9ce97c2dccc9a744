//! `user add`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::{Failure, load, say};
use crate::app::App;
use crate::clock::SystemClock;
use crate::intake::add_staff;
use crate::model::Role;
use crate::random::Dice;

/// The shortest password that is taken (NIST SP 800-63B: at least 8; more, since these accounts open health records).
const SHORTEST: usize = 12;

pub(super) async fn add(
    email: &str,
    name: &str,
    role: Role,
    from_stdin: bool,
    config: Option<&Path>,
) -> Result<ExitCode, Failure> {
    let email = email.trim().to_lowercase();
    if !email.contains('@') || name.trim().is_empty() {
        return Err(Failure("a member of staff needs an e-mail such as june@clinic.example and a name".into()));
    }
    let dice = Dice::from_machine();
    let (password, made) = if from_stdin {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)?;
        (line.trim_end_matches(['\r', '\n']).to_owned(), false)
    } else {
        (dice.token()[..20].to_owned(), true)
    };
    if password.chars().count() < SHORTEST {
        return Err(Failure(format!("the password has less than {SHORTEST} characters: a few words in a row are good")));
    }
    let app = App::build(load(config)?, Arc::new(SystemClock), dice, |_, _| Vec::new()).await?;
    let added = add_staff(&app.db, &app.kit, &email, name.trim(), role, &password).await;
    app.shut_down().await;
    if !added? {
        return Err(Failure(format!("{email} is there already: nothing was changed")));
    }
    say(format!("Added {email} as {role}."));
    if made {
        say(format!("Password: {password}"));
    }
    Ok(ExitCode::SUCCESS)
}
