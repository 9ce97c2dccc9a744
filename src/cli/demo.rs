//! `demo`.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::serve::stop_on_signal;
use super::{Failure, say, start_log};
use crate::app::{App, Role, listen};
use crate::clock::Clock;
use crate::config::Config;
use crate::demo::{self, Demo, PASSWORD, PHONES, Panel, People};
use crate::gateway::{Gateway, Simulator};
use crate::model::Channel;
use crate::random::Dice;

pub(super) async fn run(address: SocketAddr, data: Option<&Path>, speed: f64) -> Result<ExitCode, Failure> {
    if !(0.0..=3600.0).contains(&speed) {
        return Err(Failure("--speed must be from 0 to 3600".into()));
    }
    // Kept until the end: with it the folder goes.
    let (folder, _temporary) = match data {
        Some(folder) => {
            std::fs::create_dir_all(folder).map_err(|e| Failure(format!("{}: cannot be made ({e})", folder.display())))?;
            (folder.to_owned(), None)
        }
        None => {
            let temporary = tempfile::tempdir()?;
            (temporary.path().to_owned(), Some(temporary))
        }
    };
    let listener = listen(address).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let panel = Panel::embedded()?;
    let config = settings(&panel, &folder, &url)?;
    start_log(&config.log);
    crate::api::recorder();

    let kept = kept_clock(&config).await?;
    let start = kept.unwrap_or_else(|| demo::morning(&panel.zone, crate::clock::SystemClock.now()));
    let clock = demo::clock(start, speed);
    let phones = |clock: &Arc<dyn Clock>, ids: &Arc<crate::model::IdSource>| {
        vec![Gateway::Simulator(Simulator::new(PHONES, Channel::Sms, Arc::clone(clock), Arc::clone(ids)))]
    };
    let app = App::build(config, Arc::clone(&clock) as Arc<dyn Clock>, Dice::from_machine(), phones).await?;
    stop_on_signal(&app)?;
    demo::seed(&app, &panel).await?;
    let people = Arc::new(People::embedded(Dice::from_machine(), panel.baselines())?);
    let demo = Demo { app: app.clone(), clock, panel: Arc::new(panel), people };
    app.work(Role::All);
    app.start(demo.clone().live());

    say(format!("Porchlight demo: {url}/"));
    say("Everybody in it is invented, and nothing leaves this computer.");
    if let Some((email, ..)) = demo.panel.staff.first() {
        say(format!("Sign in as {email}"));
    }
    say(format!("Password: {PASSWORD}"));
    say("Stop with Ctrl-C.");
    let router = app.router().merge(demo::router(demo));
    app.serve(listener, router).await?;
    Ok(if app.shut_down().await { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn settings(panel: &Panel, folder: &Path, url: &str) -> Result<Config, Failure> {
    let text = format!(
        "[database]\nurl = {:?}\n[server]\npublic_url = {url:?}\nsecure_cookies = false\n[security]\nkey_file = {:?}\n[log]\nlevel = \"warn\"\n{}",
        format!("sqlite:{}", folder.join("demo.db").display()),
        folder.join("demo.key").display().to_string(),
        panel.settings,
    );
    // The demo takes nothing from the environment: it must not touch a real database.
    Ok(Config::parse("settings of the demo", &text, &|_| None)?)
}

/// Where the clock of an earlier run stood.
async fn kept_clock(config: &Config) -> Result<Option<crate::clock::Time>, Failure> {
    let (db, writer) = crate::store::Db::open(&config.database).await?;
    let kept = Panel::kept_clock(&db).await?;
    let pools = db.last();
    writer.await;
    pools.close().await;
    Ok(kept)
}
