//! The worker: the scheduler loop, the tests and the demo's fast clock all call the same three steps.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::acknowledge::{Answered, acknowledge};
use super::prepare::{Claim, Ready, claim};
use super::{Gateways, release_lost, retry};
use crate::clock::Time;
use crate::escalation;
use crate::fault;
use crate::gateway::{Accepted, SendError};
use crate::kit::Kit;
use crate::model::{Class, Priority};
use crate::store::health::{self, Health};
use crate::store::{Db, Lane, StoreError, Tx, consents};

/// Places that only crisis replies may take, when everything else is full.
const FOR_CRISES: i64 = 16;
/// How long a failed acknowledgement rests before it is tried again.
const AGAIN: Duration = Duration::from_millis(500);
/// So often an acknowledgement is tried at least: a process that stood still finds its leases over and its connection dead at once.
const TRIES: u32 = 3;
/// Polling stands behind every wake-up.
const LOOK: Duration = Duration::from_millis(250);
/// How long the next look waits when the database refused.
const AFTER_TROUBLE: Duration = Duration::from_secs(1);

/// How long it may take to ask whether somebody has stopped.
const ASKED: Duration = Duration::from_secs(2);

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
        let claim = self.claim(self.kit.delivery.batch, Priority::BULK).await?;
        let mut sending: FuturesUnordered<_> = grouped(claim.ready).into_iter().map(|group| self.send(group)).collect();
        let mut answered = Vec::new();
        while let Some(mut group) = sending.next().await {
            answered.append(&mut group);
        }
        self.acknowledge(&Arc::new(answered)).await?;
        Ok(claim.claimed)
    }

    /// Works until told to stop, then lets what is under way end.
    ///
    /// Claiming, sending and acknowledging go on at once: while one batch is written, another is on the wire.
    pub async fn run(self, wake: Arc<Notify>, stop: CancellationToken) {
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
                // In batches: when half of a gateway's room is free. Until then there are places for crisis replies alone, whenever
                // somebody calls.
                let worth = self.ways.is_worth_a_claim(self.kit.clock.machine());
                if worth || called {
                    let (limit, least) =
                        if worth { (self.kit.delivery.batch, Priority::BULK) } else { (FOR_CRISES, Priority::CRISIS) };
                    claiming.push(self.claim(limit, least).map(move |claimed| (least, claimed)));
                }
                more |= called;
                called = false;
            }
            if stop.is_cancelled() && claiming.is_empty() && acknowledging.is_empty() && sending.is_empty() {
                return;
            }
            tokio::select! {
                Some(group) = sending.next() => {
                    answered.extend::<Vec<Answered>>(group);
                    while let Some(Some(group)) = sending.next().now_or_never() {
                        answered.extend(group);
                    }
                }
                Some((least, claimed)) = claiming.next() => match claimed {
                    Ok(claim) => {
                        if least == Priority::BULK {
                            more = claim.more;
                        }
                        sending.extend(grouped(claim.ready).into_iter().map(|group| self.send(group)));
                    }
                    Err(e) => {
                        tracing::warn!(error = %e, "nothing could be claimed; trying again");
                        more = false;
                        look.reset_after(AFTER_TROUBLE);
                    }
                },
                Some(()) = acknowledging.next() => {}
                () = wake.notified(), if !stop.is_cancelled() => called = true,
                _ = look.tick(), if !stop.is_cancelled() => {
                    called = true;
                    // Also where nothing is answered: that is what a provider that hangs looks like.
                    if acknowledging.is_empty() && answered.is_empty() && self.ways.has_changed(self.kit.clock.machine()) {
                        acknowledging.push(self.acknowledge_surely(Vec::new()));
                    }
                }
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

    async fn claim(&self, limit: i64, least: Priority) -> Result<Claim, StoreError> {
        let (kit, ways) = (Arc::clone(&self.kit), Arc::clone(&self.ways));
        let made: Arc<Mutex<Option<Claim>>> = Arc::default();
        let into = Arc::clone(&made);
        let written = self
            .db
            .write(Lane::Claim, move |tx| {
                async move {
                    fault::point("claim.begun");
                    let now = kit.now();
                    release_lost(tx, &kit, now).await?;
                    let claim = claim(tx, &kit, &ways, (limit, least), now).await?;
                    *into.lock().unwrap_or_else(PoisonError::into_inner) = Some(claim);
                    Ok(())
                }
                .boxed()
            })
            .await;
        let claim = made.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
        match written {
            Ok(()) => {
                if claim.claimed > 0 {
                    fault::point("claim.committed");
                }
                let going = claim.ready.iter().map(|r| (r.gateway.as_str(), r.group.as_str()));
                self.ways.enter(going, &claim.openings, self.kit.clock.machine());
                Ok(claim)
            }
            Err(e) => {
                if matches!(e, StoreError::Unsure) && !claim.ready.is_empty() {
                    // Perhaps it is claimed; certainly it was not sent. It is given back before anything else is claimed here.
                    self.acknowledge_surely(claim.ready.into_iter().map(|ready| self.not_sent(ready)).collect()).await;
                }
                Err(e)
            }
        }
    }

    /// Sends the messages of one person one after the other.
    async fn send(&self, group: Vec<Ready>) -> Vec<Answered> {
        let mut answered = Vec::with_capacity(group.len());
        for ready in group {
            let one = if !answered.is_empty() && self.stopped(&ready).await {
                // Certainly not sent: it goes back into the queue and is decided anew.
                self.not_sent(ready)
            } else {
                self.one(ready).await
            };
            fault::point("send.answered");
            self.ways.leave((one.ready.gateway.as_str(), one.ready.group.as_str()), one.again, self.kit.clock.machine());
            answered.push(one);
        }
        answered
    }

    async fn one(&self, ready: Ready) -> Answered {
        let Some(way) = self.ways.way(&ready.gateway) else {
            return self.answered(ready, Err(SendError::Misconfigured { code: "no_gateway".into() }));
        };
        let clock = &self.kit.clock;
        // A crisis reply waits for no place and no pace.
        let crisis = ready.class == Class::Crisis;
        if let Some(at) = ready.not_before.filter(|_| !crisis) {
            tokio::time::sleep(at.since(clock.machine())).await;
        }
        let _place = if crisis { None } else { Some(way.places.acquire().await) };
        let begun = clock.machine();
        if begun > ready.lease_until || (!crisis && self.stale(ready.decided)) {
            // Somebody else may have it by now, or the hour is another one than was decided for. It was certainly not sent from here.
            return self.not_sent(ready);
        }
        fault::point("send.before");
        way.begins(ready.id, begun);
        let answer = way.gateway.send(&ready.outgoing).await;
        way.ends((ready.id, begun), &answer, clock.machine());
        self.answered(ready, answer)
    }

    fn not_sent(&self, ready: Ready) -> Answered {
        self.answered(ready, Err(SendError::Busy { retry_after: None }))
    }

    fn answered(&self, ready: Ready, answer: Result<Accepted, SendError>) -> Answered {
        let again = retry::again(&ready, &answer, self.kit.clock.machine(), self.kit.dice.fraction());
        Answered { ready, answer, again }
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
        let asked = async {
            let mut tx = self.db.read().await?;
            consents::withdrawn(&mut tx, patient, ready.contact).await
        };
        // Without an answer nothing goes.
        matches!(tokio::time::timeout(ASKED, asked).await, Err(_) | Ok(Err(_) | Ok(true)))
    }

    async fn acknowledge(&self, answered: &Arc<Vec<Answered>>) -> Result<(), StoreError> {
        let changes = self.ways.changes(self.kit.clock.machine());
        if answered.is_empty() && changes.is_empty() {
            return Ok(());
        }
        let (kit, ways) = (Arc::clone(&self.kit), Arc::clone(&self.ways));
        let (answers, noted) = (Arc::clone(answered), changes.clone());
        let written = self
            .db
            .write(Lane::Acknowledge, move |tx| {
                async move {
                    let now = kit.now();
                    acknowledge(tx, &kit, &answers, now).await?;
                    note(tx, &kit, &ways, &noted, now).await
                }
                .boxed()
            })
            .await;
        if written.is_err() {
            self.ways.forget_noted(&changes);
        }
        written?;
        fault::point("ack.committed");
        Ok(())
    }
}

/// How gateways are is kept for the other processes, and told to people where one takes no messages.
async fn note(tx: &mut Tx, kit: &Kit, ways: &Gateways, changes: &[Health], now: Time) -> Result<(), StoreError> {
    for change in changes {
        health::note(tx, &kit.owner, change).await?;
        let name = &change.gateway;
        tracing::warn!(gateway = name, state = change.state, code = change.code, "how a gateway is has changed");
        let instead = if ways.has_another(name, kit.clock.machine()) { "another one is used" } else { "its messages wait" };
        // A gateway that is set up wrongly was told with the message that it refused.
        if matches!(change.state.as_str(), "failing" | "slow") {
            escalation::trouble(tx, kit, format!("The gateway {name} does not answer as it should: {instead}"), now).await?;
        }
    }
    Ok(())
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
