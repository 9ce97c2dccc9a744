//! `serve` and `migrate`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{Failure, load, say};
use crate::app::{App, Role, listen};
use crate::clock::SystemClock;
use crate::random::Dice;
use crate::store::{Db, pause};

/// Runs the service until SIGTERM or Ctrl-C, then drains.
pub(super) async fn run(config: Option<&Path>, role: Role) -> Result<ExitCode, Failure> {
    let config = load(config)?;
    let address = config.listen;
    if config.gateways.is_empty() {
        tracing::warn!("no [[gateway]] is configured: nothing can be sent");
    }
    let listener = if role == Role::Worker { None } else { Some(listen(address).await?) };
    crate::api::recorder();
    let app = App::build(config, Arc::new(SystemClock), Dice::from_machine(), |_, _| Vec::new()).await?;
    stop_on_signal(&app)?;
    app.work(role);
    let paused = {
        let mut tx = app.db.read().await?;
        pause::current(&mut tx).await?
    };
    if let Some(pause) = &paused {
        tracing::warn!(
            state = pause.state,
            since_ms = pause.since.0,
            "sending is paused: nothing goes out until `porchlight release`"
        );
        say("Sending is paused: this is a restored copy. Nothing goes out until it is released: porchlight release");
    }
    tracing::info!(role = ?role, database = app.db.backend(), node = app.kit.ids.node(), "started");
    match listener {
        Some(listener) => {
            say(format!("Porchlight serves http://{}/", listener.local_addr()?));
            let router = app.router().route("/", get(|| async { Redirect::to("/queue") }));
            let router: Router = router;
            app.serve(listener, router).await?;
        }
        None => app.stop.cancelled().await,
    }
    if app.shut_down().await {
        tracing::info!("stopped; nothing is left half-done");
        Ok(ExitCode::SUCCESS)
    } else {
        Err(Failure("Porchlight stopped because a part of it broke off: see the log, and start it again".into()))
    }
}

/// Cancels the app's token at SIGTERM or Ctrl-C.
pub(super) fn stop_on_signal(app: &App) -> Result<(), Failure> {
    let stop: CancellationToken = app.stop.clone();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    app.start(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = stop.cancelled() => {}
        }
        stop.cancel();
    });
    Ok(())
}

/// Brings the database up to date and says so.
pub(super) async fn migrate(config: Option<&Path>) -> Result<ExitCode, Failure> {
    let config = load(config)?;
    let (db, _writer) = Db::open(&config.database).await?;
    let backend = db.backend();
    db.last().close().await;
    say(format!("The {backend} database is up to date."));
    Ok(ExitCode::SUCCESS)
}
