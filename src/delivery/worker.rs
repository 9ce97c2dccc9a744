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
use super::{Gateways, release_lost};
use crate::fault;
use crate::gateway::{Outgoing, SendError};
use crate::kit::Kit;
use crate::model::{Class, Priority};
use crate::store::{Db, Lane, StoreError, consents};

/// Places that only crisis replies may take, when everything else is full.
const FOR_CRISES: usize = 16;
/// How long a failed acknowledgement rests before it is tried again.
const AGAIN: Duration = Duration::from_millis(500);

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
    pub async fn run(self, wake: Arc<Notify>, stop: CancellationToken) {
        let room = self.ways.room();
        let mut sending = FuturesUnordered::new();
        let mut under_way = 0_usize;
        let mut rest = Duration::ZERO;
        let mut called = true;
        loop {
            if stop.is_cancelled() && sending.is_empty() {
                return;
            }
            // Only what can be sent soon is claimed, and in batches: when half the house is free. Until then there are places for
            // crisis replies alone, whenever somebody calls.
            let free = room.saturating_sub(under_way);
            let half = free > 0 && 2 * free >= room;
            let (free, least) = if half { (free, Priority::BULK) } else { (FOR_CRISES, Priority::CRISIS) };
            let mut more = false;
            if (half || std::mem::take(&mut called)) && !stop.is_cancelled() {
                let limit = self.kit.delivery.batch.min(i64::try_from(free).unwrap_or(i64::MAX));
                match self.claim(limit, least).await {
                    Ok((ready, claimed)) => {
                        more = claimed > 0 && half;
                        rest = Duration::from_millis(250);
                        under_way += ready.len();
                        for group in grouped(ready) {
                            let worker = self.clone();
                            sending.push(async move { worker.send(group).await });
                        }
                    }
                    Err(e) => {
                        tracing::warn!(error = %e, "nothing could be claimed; trying again");
                        rest = Duration::from_secs(1);
                    }
                }
            }
            // As long as more is queued, nobody waits for a slow provider before the next claim.
            let first = if more {
                sending.next().now_or_never().flatten()
            } else {
                tokio::select! {
                    group = sending.next(), if !sending.is_empty() => group,
                    () = wake.notified(), if !stop.is_cancelled() => {
                        called = true;
                        None
                    }
                    () = tokio::time::sleep(rest), if !stop.is_cancelled() => {
                        called = true;
                        None
                    }
                    () = stop.cancelled(), if sending.is_empty() => None,
                }
            };
            let mut answered = first.unwrap_or_default();
            while let Some(Some(mut group)) = sending.next().now_or_never() {
                answered.append(&mut group);
            }
            if answered.is_empty() {
                continue;
            }
            under_way = under_way.saturating_sub(answered.len());
            metrics::counter!("porchlight_attempts_total").increment(answered.len() as u64);
            self.acknowledge_surely(answered).await;
        }
    }

    /// Writes answers, again and again while the leases hold and as long again: an answer that was had must not become a doubt, and
    /// one that is written late still settles it.
    async fn acknowledge_surely(&self, answered: Vec<Answered>) {
        let until = answered.iter().map(|a| a.ready.lease_until).max();
        let mut batches = vec![Arc::new(answered)];
        while let Some(batch) = batches.pop() {
            let Err(e) = self.acknowledge(&batch).await else { continue };
            if e.is_poison() && batch.len() > 1 {
                // One row that cannot be written takes no other with it.
                batches.extend(batch.iter().cloned().map(|one| Arc::new(vec![one])));
                continue;
            }
            if e.is_poison() || until.is_none_or(|until| self.kit.clock.machine() > until.plus(self.kit.delivery.lease)) {
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
                    let outgoing = Outgoing {
                        message: ready.id,
                        attempt: ready.n,
                        to: ready.to.clone(),
                        text: ready.text.clone(),
                        reference: ready.reference.clone(),
                        expires_in: ready.expires_in,
                        ucs2: ready.ucs2,
                    };
                    if self.kit.clock.machine() > ready.lease_until {
                        // Somebody else may have it by now. It was certainly not sent from here.
                        Err(SendError::Busy { retry_after: None })
                    } else {
                        fault::point("send.before");
                        way.gateway.send(&outgoing).await
                    }
                }
            };
            fault::point("send.answered");
            answered.push(Answered { ready, answer });
        }
        answered
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
