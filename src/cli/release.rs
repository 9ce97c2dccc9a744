//! `release`.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::{Failure, load, say};
use crate::app::App;
use crate::clock::SystemClock;
use crate::operate::{preview, release, who};
use crate::random::Dice;

/// Says what will happen, asks, and lets messages go out again.
pub(super) async fn run(by: &str, yes: bool, config: Option<&Path>) -> Result<ExitCode, Failure> {
    let config = load(config)?;
    let zone = config.site.zone.clone();
    let app = App::build(config, Arc::new(SystemClock), Dice::from_machine(), |_, _| Vec::new()).await?;
    let done = async {
        let mut tx = app.db.read().await?;
        let by = who(&mut tx, by).await?;
        let Some((paused, waiting)) = preview(&mut tx, &app.kit).await? else {
            return Err(Failure("sending is not paused: there is nothing to release".into()));
        };
        drop(tx);
        say(format!("Sending is paused since {}.", zone.local(paused.since).strftime("%Y-%m-%d %H:%M")));
        say(format!("In the outbox: {} queued, {} held.", waiting.queued, waiting.held));
        say(format!(
            "Of these, {} are too late and expire; {} are replies to what came in meanwhile and end unsent; the others are decided anew and go out.",
            waiting.expired, waiting.replies
        ));
        say(format!("{} messages are not known to have gone out before; none of them goes by itself.", waiting.unknown));
        if !yes && !confirmed()? {
            return Err(Failure("nothing was released".into()));
        }
        let released = release(&app.db, &app.kit, by).await?;
        say(format!(
            "Released. {} replies ended unsent; people are asked to look at {} messages.",
            released.ended, released.unknown
        ));
        Ok(ExitCode::SUCCESS)
    };
    let done = done.await;
    app.shut_down().await;
    done
}

fn confirmed() -> Result<bool, Failure> {
    write!(std::io::stdout(), "Release? Type yes: ")?;
    std::io::stdout().flush()?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim().eq_ignore_ascii_case("yes"))
}
