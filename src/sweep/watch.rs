//! Watches the clock and the rules of time zones for the sweeper: before a timer is worked, its due time is what it ought to be.
//!
//! Two things are looked for. Another edition of the zone rules than at the last start: every timer is
//! compared with them once. And a clock that went back: what a clock that was ahead has planned, held or
//! passed over is planned again. A clock that jumps forwards is a stoppage: the late policies say what follows.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::Mutex;

use crate::clock::{SLACK, Time};
use crate::kit::Kit;
use crate::model::Id;
use crate::schedule::{self, Why};
use crate::store::audit::{self, Entry};
use crate::store::{Db, Lane, StoreError, ahead, enrolments, sites, timers};
use crate::zone::Zone;
use crate::{delivery, escalation, inbound};

/// The edition of the zone rules by which the timers were set.
pub const EDITION: &str = "zone.edition";

/// Enrolments looked at in one transaction.
const PAGE: i64 = 500;
/// So many enrolments are looked at between two lines of the log.
const TOLD_EVERY: usize = 20_000;
/// How often the latest time is kept.
const KEPT_EVERY: Duration = Duration::from_secs(60);

/// What the sweeper has seen of the time.
#[derive(Debug, Default)]
pub(super) struct Watch(Mutex<Option<Seen>>);

#[derive(Debug, Clone, Copy)]
struct Seen {
    latest: Time,
    kept: Time,
}

impl Watch {
    /// Looks at the clock, and the first time at the rules. What must follow has followed when this returns.
    ///
    /// # Errors
    /// When the database refuses: then it is looked at again.
    pub(super) async fn look(&self, kit: &Arc<Kit>, db: &Db) -> Result<(), StoreError> {
        let mut guard = self.0.lock().await;
        let now = kit.now();
        let mut seen = match *guard {
            Some(seen) => seen,
            None => begin(kit, db, now).await?,
        };
        if now.plus(SLACK) < seen.latest {
            went_back(kit, db, seen.latest.since(now), now).await?;
            seen.latest = now;
        }
        seen.latest = seen.latest.max(now);
        *guard = Some(seen);
        // A clock that is sped up is a demo's, which keeps its own time.
        let due = now.since(seen.kept).max(seen.kept.since(now)) >= KEPT_EVERY;
        if due && kit.clock.speed() <= 1.0 {
            keep(db, ahead::LATEST, now.0.to_string()).await?;
            *guard = Some(Seen { kept: now, ..seen });
        }
        Ok(())
    }
}

async fn begin(kit: &Arc<Kit>, db: &Db, now: Time) -> Result<Seen, StoreError> {
    let (edition, latest) = {
        let mut tx = db.read().await?;
        (sites::get(&mut tx, EDITION).await?, sites::get(&mut tx, ahead::LATEST).await?)
    };
    if edition.as_deref() != Some(Zone::edition()) {
        let (looked, moved) = all(kit, db, Why::Zone, now).await?;
        db.write(Lane::Work, move |tx| async move { timers::hold_no_longer(tx, None, now).await }.boxed()).await?;
        let before = edition.as_deref().unwrap_or("none");
        let edition = Zone::edition();
        tracing::info!(
            edition,
            before,
            enrolments = looked,
            moved,
            "the rules of time zones are new: timers were compared with them"
        );
        keep(db, EDITION, edition.to_owned()).await?;
    }
    let kept = latest.and_then(|ms| ms.parse().ok()).map_or(Time(0), Time);
    Ok(Seen { latest: kept.max(now), kept })
}

async fn went_back(kit: &Arc<Kit>, db: &Db, by: Duration, now: Time) -> Result<(), StoreError> {
    let minutes = by.as_secs().div_ceil(60);
    tracing::warn!(minutes, "the clock went back: what was planned while it was ahead is planned again");
    let reason =
        format!("The server's clock went back by {minutes} minutes: look for messages at a wrong hour, and set the clock");
    let own = Arc::clone(kit);
    db.write(Lane::Work, move |tx| {
        async move {
            ahead::disown(tx, now.plus(SLACK)).await?;
            // Stop must be later than a start from a future that has not come.
            for entry in ahead::date_consents(tx, now).await? {
                let was = Zone::utc().local(Time(entry.at)).strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
                let subject = format!("{} was dated {was}", Id(entry.id));
                let entry = Entry { staff: None, patient: Some(Id(entry.patient_id)), action: "date consent", subject };
                audit::add(tx, own.ids.node(), &entry, now).await?;
            }
            delivery::clock_went_back(tx, &own, now).await?;
            inbound::clock_went_back(tx, &own, now).await?;
            escalation::clock_went_back(tx, &own, now).await?;
            escalation::trouble(tx, &own, reason, now).await
        }
        .boxed()
    })
    .await?;
    let (looked, moved) = all(kit, db, Why::ClockWentBack, now).await?;
    tracing::warn!(minutes, enrolments = looked, moved, "the clock went back: timers are where they belong");
    keep(db, ahead::LATEST, now.0.to_string()).await
}

/// Goes through all running enrolments. Gives how many were looked at, and how many timers were moved.
async fn all(kit: &Arc<Kit>, db: &Db, why: Why, now: Time) -> Result<(usize, usize), StoreError> {
    let (mut last, mut looked, mut moved) = (0, 0, 0);
    loop {
        let kit = Arc::clone(kit);
        let page = db.write(Lane::Work, move |tx| {
            async move {
                let page = enrolments::after(tx, last, PAGE).await?;
                let moved = schedule::follow(tx, &kit, &page, why, now).await?;
                Ok((page.last().map(|e| e.id), page.len(), moved))
            }
            .boxed()
        });
        let (Some(end), length, here) = page.await? else { return Ok((looked, moved)) };
        (last, looked, moved) = (end, looked + length, moved + here);
        if looked / TOLD_EVERY > (looked - length) / TOLD_EVERY {
            tracing::info!(enrolments = looked, moved, "timers are being compared with the time");
        }
    }
}

async fn keep(db: &Db, key: &'static str, value: String) -> Result<(), StoreError> {
    db.write(Lane::Work, move |tx| async move { sites::set(tx, key, &value).await }.boxed()).await
}
