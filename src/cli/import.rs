//! `import patients` and `import appointments`.

use std::collections::HashMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Failure, load, say};
use crate::app::App;
use crate::clock::SystemClock;
use crate::intake::{Context, bring_in, bring_in_visits, read, read_visits};
use crate::kit::SITE;
use crate::model::Id;
use crate::random::Dice;
use crate::store::{Db, Lane, StoreError, Tx, patients, staff};
use crate::zone::Zone;

pub(super) async fn patients(file: &Path, dry_run: bool, config: Option<&Path>) -> Result<ExitCode, Failure> {
    let open = Open::new(file, config).await?;
    let done = open.patients(dry_run).await;
    open.close(done, dry_run).await
}

pub(super) async fn appointments(file: &Path, dry_run: bool, config: Option<&Path>) -> Result<ExitCode, Failure> {
    let open = Open::new(file, config).await?;
    let done = open.appointments(dry_run).await;
    open.close(done, dry_run).await
}

/// A file and the service that it goes into.
pub(super) struct Open {
    pub(super) app: App,
    pub(super) name: String,
    pub(super) text: String,
    pub(super) country: String,
    zone: Zone,
}

impl Open {
    pub(super) async fn new(file: &Path, config: Option<&Path>) -> Result<Open, Failure> {
        let config = load(config)?;
        let name = file.display().to_string();
        let bytes = std::fs::read(file).map_err(|e| Failure(format!("{name}: cannot be read ({e})")))?;
        let text = String::from_utf8(bytes).map_err(|_| Failure(format!("{name}: is not UTF-8: save it as UTF-8")))?;
        let (country, zone) = (config.country.clone(), config.site.zone.clone());
        let app = App::build(config, Arc::new(SystemClock), Dice::from_machine(), |_, _| Vec::new()).await?;
        Ok(Open { app, name, text, country, zone })
    }

    pub(super) async fn close(self, done: Result<String, Failure>, dry_run: bool) -> Result<ExitCode, Failure> {
        self.app.shut_down().await;
        let what = done?;
        say(if dry_run { format!("Dry run, nothing was changed. {what}") } else { what });
        Ok(ExitCode::SUCCESS)
    }

    async fn patients(&self, dry_run: bool) -> Result<String, Failure> {
        let mut tx = self.app.db.read().await?;
        let staff: HashMap<String, Id> = staff::emails(&mut tx).await?.into_iter().map(|(id, email)| (email, Id(id))).collect();
        drop(tx);
        let protocols = self.app.kit.protocols.names();
        let context = Context { country: &self.country, zone: &self.zone, staff: &staff, protocols: &protocols };
        let records = read(&self.name, &self.text, &context).map_err(unchanged)?;
        let (rows, kit, zone) = (records.len(), Arc::clone(&self.app.kit), self.zone.clone());
        let counts = all_or_none(&self.app.db, dry_run, move |tx| {
            async move { bring_in(tx, &kit, &records, &zone, kit.now()).await }.boxed()
        })
        .await?;
        Ok(format!(
            "Rows: {rows}. Patients added: {}, brought up to date: {}. Enrolments begun: {}. Visits booked or moved: {}.",
            counts.added, counts.updated, counts.enrolled, counts.visits
        ))
    }

    async fn appointments(&self, dry_run: bool) -> Result<String, Failure> {
        let mut tx = self.app.db.read().await?;
        let known = patients::external_ids(&mut tx, SITE).await?;
        drop(tx);
        let visits = read_visits(&self.name, &self.text, &self.zone, |id| known.contains(id)).map_err(unchanged)?;
        let (rows, kit, zone) = (visits.len(), Arc::clone(&self.app.kit), self.zone.clone());
        let counts = all_or_none(&self.app.db, dry_run, move |tx| {
            async move { bring_in_visits(tx, &kit, &visits, &zone, kit.now()).await }.boxed()
        })
        .await?;
        Ok(format!(
            "Rows: {rows}. Visits booked or moved: {}, cancelled: {}, unchanged: {}.",
            counts.booked, counts.cancelled, counts.unchanged
        ))
    }
}

pub(super) fn unchanged(e: impl std::fmt::Display) -> Failure {
    Failure(format!("{e}\nNothing was changed."))
}

/// Runs a write; a dry run does all of the work and keeps none of it.
pub(super) async fn all_or_none<T, F>(db: &Db, dry_run: bool, write: F) -> Result<T, Failure>
where
    T: Clone + Default + Send + 'static,
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
{
    const DRY: &str = "dry run";
    let done = Arc::new(Mutex::new(T::default()));
    let seen = Arc::clone(&done);
    let written = db
        .write(Lane::Work, move |tx| {
            async move {
                let counts = write(tx).await?;
                *seen.lock().unwrap_or_else(PoisonError::into_inner) = counts;
                // A refusal takes everything back.
                if dry_run { Err(StoreError::Refused(DRY.into())) } else { Ok(()) }
            }
            .boxed()
        })
        .await;
    match written {
        Err(StoreError::Refused(what)) if dry_run && what == DRY => {}
        other => other.map_err(unchanged)?,
    }
    let counts = done.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(counts)
}
