//! `import patients`.

use std::collections::HashMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use futures_util::FutureExt;

use super::{Failure, load, say};
use crate::app::App;
use crate::clock::SystemClock;
use crate::intake::{Context, bring_in, read};
use crate::model::Id;
use crate::random::Dice;
use crate::store::{Lane, StoreError, staff};

pub(super) async fn patients(file: &Path, dry_run: bool, config: Option<&Path>) -> Result<ExitCode, Failure> {
    let config = load(config)?;
    let (country, zone) = (config.country.clone(), config.site.zone.clone());
    let name = file.display().to_string();
    let bytes = std::fs::read(file).map_err(|e| Failure(format!("{name}: cannot be read ({e})")))?;
    let text = String::from_utf8(bytes).map_err(|_| Failure(format!("{name}: is not UTF-8: save it as UTF-8")))?;
    let app = App::build(config, Arc::new(SystemClock), Dice::from_machine(), |_, _| Vec::new()).await?;
    let done = import(&app, &name, &text, (&country, &zone), dry_run).await;
    app.shut_down().await;
    let (rows, counts) = done?;
    let what = format!(
        "Rows: {rows}. Patients added: {}, brought up to date: {}. Enrolments begun: {}. Visits booked or moved: {}.",
        counts.added, counts.updated, counts.enrolled, counts.visits
    );
    say(if dry_run { format!("Dry run, nothing was changed. {what}") } else { what });
    Ok(ExitCode::SUCCESS)
}

async fn import(
    app: &App,
    name: &str,
    text: &str,
    (country, zone): (&str, &crate::zone::Zone),
    dry_run: bool,
) -> Result<(usize, crate::intake::Counts), Failure> {
    let mut tx = app.db.read().await?;
    let staff: HashMap<String, Id> = staff::emails(&mut tx).await?.into_iter().map(|(id, email)| (email, Id(id))).collect();
    drop(tx);
    let protocols = app.kit.protocols.names();
    let records = read(name, text, &Context { country, zone, staff: &staff, protocols: &protocols })
        .map_err(|e| Failure(format!("{e}\nNothing was changed.")))?;
    let rows = records.len();
    let (kit, zone) = (Arc::clone(&app.kit), zone.clone());
    let dry = "dry run";
    let counts = Arc::new(std::sync::Mutex::new(crate::intake::Counts::default()));
    let seen = Arc::clone(&counts);
    let written = app
        .db
        .write(Lane::Work, move |tx| {
            async move {
                let done = bring_in(tx, &kit, &records, &zone, kit.now()).await?;
                *seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = done;
                // A refusal takes everything back: a dry run does all of the work and keeps none of it.
                if dry_run { Err(StoreError::Refused(dry.into())) } else { Ok(()) }
            }
            .boxed()
        })
        .await;
    match written {
        Err(StoreError::Refused(what)) if dry_run && what == dry => {}
        other => other.map_err(|e| Failure(format!("{e}\nNothing was changed.")))?,
    }
    let counts = *counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok((rows, counts))
}
