//! The worker: the scheduler loop, the tests and the demo's fast clock all call the same three steps.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::acknowledge::{Answered, acknowledge};
use super::prepare::{Ready, claim};
use super::room::Room;
use super::{Gateways, release_lost};
use crate::clock::Time;
use crate::fault;
use crate::gateway::SendError;
use crate::kit::Kit;
use crate::model::{Class, Priority};
use crate::store::{Db, Lane, StoreError, consents};

/// Places that only crisis replies may take, when everything else is full.
const FOR_CRISES: usize = 16;
/// How long a failed acknowledgement rests before it is tried again.
const AGAIN: Duration = Duration::from_millis(500);
/// So often an acknowledgement is tried at least: a process that stood still finds its leases over and its connection dead at once.
const TRIES: u32 = 3;
/// Polling stands behind every wake-up.
const LOOK: Duration = Duration::from_millis(250);
/// How long the next look waits when the database refused.
const AFTER_TROUBLE: Duration = Duration::from_secs(1);

/// Sends what is queued.
#[derive(Debug, Clone)]
pub struct Worker {
    kit: Arc<Kit>,
    db: Db,
    ways: Arc<Gateways>,
}

impl Worker {
    /// A worker over these ways out.
    #[must_use]
    pub fn new(kit: Arc<Kit>, db: Db, ways: Arc<Gateways>) -> Worker {
        Worker { kit, db, ways }
    }

    /// Claims one batch, sends it and acknowledges it. Gives how many messages were claimed.
    ///
    /// # Errors
    /// When the database refuses; what was sent is then in doubt.
    pub async fn tick(&self) -> Result<usize, StoreError> {
        let (ready, claimed) = self.claim(self.kit.delivery.batch, Priority::BULK).await?;
        let mut sending: FuturesUnordered<_> = grouped(ready).into_iter().map(|group| self.send(group)).collect();
        let mut answered = Vec::new();
        while let Some(mut group) = sending.next().await {
            answered.append(&mut group);
        }
        self.acknowledge(&Arc::new(answered)).await?;
        Ok(claimed)
    }

    /// Works until told to stop, then lets what is under way end.
    ///
    /// Claiming, sending and acknowledging go on at once: while one batch is written, another is on the wire.
    pub async fn run(self, wake: Arc<Notify>, stop: CancellationToken) {
        let mut room = Room::new(self.ways.room(), self.kit.clock.machine());
        let mut sending = FuturesUnordered::new();
        // At most one of each at a time: the writer takes one after the other anyway.
        let mut claiming = FuturesUnordered::new();
        let mut acknowledging = FuturesUnordered::new();
        let mut answered: Vec<Answered> = Vec::new();
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // Somebody called, or a look is due; and whether more may be queued than was claimed.
        let (mut called, mut more) = (true, true);
        loop {
            if acknowledging.is_empty() && !answered.is_empty() {
                metrics::counter!("porchlight_attempts_total").increment(answered.len() as u64);
                acknowledging.push(self.acknowledge_surely(std::mem::take(&mut answered)));
            }
            if claiming.is_empty() && (called || more) && !stop.is_cancelled() {
                // In batches: when half the house is free. Until then there are places for crisis replies alone, whenever
                // somebody calls.
                let half = room.is_half_free();
                let (free, least) = if half { (room.free(), Priority::BULK) } else { (FOR_CRISES, Priority::CRISIS) };
                if half || called {
                    let limit = self.kit.delivery.batch.min(i64::try_from(free).unwrap_or(i64::MAX));
                    claiming.push(self.claim(limit, least).map(move |claimed| (limit, least, claimed)));
                }
                more |= called;
                called = false;
            }
            if stop.is_cancelled() && claiming.is_empty() && acknowledging.is_empty() && sending.is_empty() {
                return;
            }
            tokio::select! {
                Some(group) = sending.next() => {
                    let before = answered.len();
                    answered.extend::<Vec<Answered>>(group);
                    while let Some(Some(group)) = sending.next().now_or_never() {
                        answered.extend(group);
                    }
                    room.leave(answered.len() - before, self.kit.clock.machine());
                }
                Some((limit, least, claimed)) = claiming.next() => match claimed {
                    Ok((ready, claimed)) => {
                        if least == Priority::BULK {
                            more = i64::try_from(claimed).is_ok_and(|claimed| claimed >= limit);
                        }
                        room.enter(ready.len());
                        sending.extend(grouped(ready).into_iter().map(|group| self.send(group)));
                    }
                    Err(e) => {
                        tracing::warn!(error = %e, "nothing could be claimed; trying again");
                        more = false;
                        look.reset_after(AFTER_TROUBLE);
                    }
                },
                Some(()) = acknowledging.next() => {}
                () = wake.notified(), if !stop.is_cancelled() => called = true,
                _ = look.tick(), if !stop.is_cancelled() => called = true,
                () = stop.cancelled(), if !stop.is_cancelled() => {}
            }
        }
    }

    /// Writes answers, again and again while the leases hold and as long again: an answer that was had must not become a doubt, and
    /// one that is written late still settles it.
    async fn acknowledge_surely(&self, answered: Vec<Answered>) {
        let until = answered.iter().map(|a| a.ready.lease_until).max();
        let mut batches = vec![Arc::new(answered)];
        let mut failed = 0;
        while let Some(batch) = batches.pop() {
            let Err(e) = self.acknowledge(&batch).await else { continue };
            if e.is_poison() && batch.len() > 1 {
                // One row that cannot be written takes no other with it.
                batches.extend(batch.iter().cloned().map(|one| Arc::new(vec![one])));
                continue;
            }
            failed += 1;
            let over = until.is_none_or(|until| self.kit.clock.machine() > until.plus(self.kit.delivery.lease));
            if e.is_poison() || (over && failed >= TRIES) {
                tracing::error!(error = %e, messages = batch.len(), "answers of providers could not be written; those messages are in doubt");
                continue;
            }
            tracing::warn!(error = %e, "answers of providers could not be written; trying again");
            tokio::time::sleep(AGAIN).await;
            batches.push(batch);
        }
    }

    async fn claim(&self, limit: i64, least: Priority) -> Result<(Vec<Ready>, usize), StoreError> {
        let (kit, ways) = (Arc::clone(&self.kit), Arc::clone(&self.ways));
        let claimed = self
            .db
            .write(Lane::Work, move |tx| {
                async move {
                    fault::point("claim.begun");
                    let now = kit.now();
                    release_lost(tx, &kit, now).await?;
                    claim(tx, &kit, &ways, (limit, least), now).await
                }
                .boxed()
            })
            .await?;
        if claimed.1 > 0 {
            fault::point("claim.committed");
        }
        Ok(claimed)
    }

    /// Sends the messages of one person one after the other.
    async fn send(&self, group: Vec<Ready>) -> Vec<Answered> {
        let mut answered = Vec::with_capacity(group.len());
        for ready in group {
            let answer = match self.ways.way(&ready.gateway) {
                // Certainly not sent: it goes back into the queue and is decided anew.
                Some(_) if !answered.is_empty() && self.stopped(&ready).await => Err(SendError::Busy { retry_after: None }),
                None => Err(SendError::Misconfigured { code: "no_gateway".into() }),
                Some(way) => {
                    // A crisis reply waits for no place and no pace.
                    let crisis = ready.class == Class::Crisis;
                    let _place = if crisis { None } else { Some(way.places.acquire().await) };
                    if let Some(pace) = way.pace.as_ref().filter(|_| !crisis) {
                        pace.lock().await.tick().await;
                    }
                    if self.kit.clock.machine() > ready.lease_until || (!crisis && self.stale(ready.decided)) {
                        // Somebody else may have it by now, or the hour is another one than was decided for. It was certainly not
                        // sent from here.
                        Err(SendError::Busy { retry_after: None })
                    } else {
                        fault::point("send.before");
                        way.gateway.send(&ready.outgoing).await
                    }
                }
            };
            fault::point("send.answered");
            answered.push(Answered { ready, answer });
        }
        answered
    }

    /// Whether the clock has jumped since a decision, further than a lease lasts, forwards or back: then it may be night.
    fn stale(&self, decided: Time) -> bool {
        let now = self.kit.now();
        let lease = self.kit.delivery.lease.mul_f64(self.kit.clock.speed().max(1.0));
        now.since(decided).max(decided.since(now)) > lease
    }

    /// Whether somebody has asked to stop since their messages were decided together: after the one that was under way then, no
    /// other goes.
    async fn stopped(&self, ready: &Ready) -> bool {
        let Some(patient) = ready.patient.filter(|_| !matches!(ready.class, Class::Crisis | Class::Consent)) else {
            return false;
        };
        let Ok(mut tx) = self.db.read().await else { return true };
        consents::withdrawn(&mut tx, patient, ready.contact).await.unwrap_or(true)
    }

    async fn acknowledge(&self, answered: &Arc<Vec<Answered>>) -> Result<(), StoreError> {
        if answered.is_empty() {
            return Ok(());
        }
        let (kit, answered) = (Arc::clone(&self.kit), Arc::clone(answered));
        self.db
            .write(Lane::Acknowledge, move |tx| {
                async move {
                    let now = kit.now();
                    acknowledge(tx, &kit, &answered, now).await
                }
                .boxed()
            })
            .await?;
        fault::point("ack.committed");
        Ok(())
    }
}

/// Messages by whom they go to, in the order of the claim.
fn grouped(ready: Vec<Ready>) -> Vec<Vec<Ready>> {
    let mut place: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<Vec<Ready>> = Vec::new();
    for message in ready {
        match place.get(&message.group) {
            Some(at) => groups[*at].push(message),
            None => {
                place.insert(message.group.clone(), groups.len());
                groups.push(vec![message]);
            }
        }
    }
    groups
}
