//! What providers answered, written in one commit with all that follows from it.

use std::time::Duration;

use super::ladder::{self, Failed};
use super::prepare::Ready;
use crate::clock::Time;
use crate::escalation::{self, Request};
use crate::fault;
use crate::gateway::{Accepted, SendError};
use crate::kit::Kit;
use crate::model::{Category, Class, Id, Meaning, MessageState, Priority, Severity};
use crate::policy;
use crate::store::messages::{self, Acknowledged};
use crate::store::timers::{self, Kind, NO_RECEIPT, NewTimer};
use crate::store::{StoreError, Tx, escalations, locks, patients};

/// How long a doubtful crisis reply waits for a receipt.
const CRISIS_DOUBT: Duration = Duration::from_secs(60);
/// After so many tries of a crisis reply a person is told to call.
const CRISIS_TRIES: i64 = 3;

/// An attempt with its answer.
#[derive(Debug, Clone)]
pub struct Answered {
    /// What was sent.
    pub ready: Ready,
    /// What the provider said.
    pub answer: Result<Accepted, SendError>,
    /// When it is tried again by the same contact, if it is (machine time).
    pub again: Option<Time>,
}

/// Writes answers and what follows from them: tries again, asks a person, withdraws, closes.
///
/// # Errors
/// When the database refuses: then every message of the batch is in doubt when its lease ends.
pub async fn acknowledge(tx: &mut Tx, kit: &Kit, answered: &[Answered], now: Time) -> Result<(), StoreError> {
    fault::point("ack.begun");
    let rows: Vec<Acknowledged> = answered.iter().map(|a| row(kit, a)).collect();
    locks::messages(tx, &rows.iter().map(|row| row.id).collect::<Vec<_>>()).await?;
    let held = messages::acknowledge(tx, &rows, &kit.owner, now).await?;
    fault::point("ack.written");
    let (mut doubts, mut unreceipted) = (Vec::new(), Vec::new());
    for answered in answered.iter().filter(|a| held.contains(&a.ready.id)) {
        let ready = &answered.ready;
        let goes_on = goes_on(ready);
        match &answered.answer {
            Ok(_) => {
                if let Some(limit) =
                    kit.delivery.receipt_within(ready.class).filter(|_| ready.has_next_rung && ready.gives_receipts)
                {
                    unreceipted.push(timer(kit, (ready.id, ready.site, ready.patient), NO_RECEIPT, now.plus(limit)));
                }
            }
            Err(SendError::Unknown) => doubts.push((ready.id, ready.site, ready.patient, ready.class == Class::Crisis)),
            Err(SendError::Busy { .. }) => {
                // Tried on as long as it is of use; but a person hears early that a crisis reply is held up.
                if ready.class == Class::Crisis && ready.n == CRISIS_TRIES {
                    ladder::undelivered(tx, kit, failed(ready, ""), "the provider is busy; it is tried on", now).await?;
                }
            }
            Err(SendError::Refused { code }) => gone(tx, kit, failed(ready, code), (Meaning::Refused, goes_on), now).await?,
            Err(SendError::Blocked) => gone(tx, kit, failed(ready, "blocked"), (Meaning::Blocked, goes_on), now).await?,
            Err(SendError::Unreachable { code }) => {
                gone(tx, kit, failed(ready, code), (Meaning::Unreachable, goes_on), now).await?;
            }
            // It waits for the channel, and so it does go on; unless it cannot wait.
            Err(SendError::Misconfigured { code }) => {
                let waits = ready.class != Class::Crisis;
                gone(tx, kit, failed(ready, code), (Meaning::Misconfigured, waits), now).await?;
            }
        }
    }
    set_doubts(tx, kit, &doubts, now).await?;
    timers::set(tx, &unreceipted).await?;
    fault::point("ack.followed");
    Ok(())
}

/// A message that this contact could not bring goes back into the queue, for the next one.
fn goes_on(ready: &Ready) -> bool {
    ready.has_next_rung && policy::climbs(ready.class)
}

fn failed<'a>(ready: &'a Ready, code: &'a str) -> Failed<'a> {
    Failed {
        message: ready.id,
        site: ready.site,
        patient: ready.patient,
        contact: ready.contact,
        gateway: &ready.gateway,
        class: ready.class,
        code,
    }
}

async fn gone(
    tx: &mut Tx,
    kit: &Kit,
    failed: Failed<'_>,
    (means, goes_on): (Meaning, bool),
    now: Time,
) -> Result<(), StoreError> {
    ladder::settle(tx, kit, failed, (Some(means), goes_on), now).await
}

fn row(kit: &Kit, answered: &Answered) -> Acknowledged {
    let ready = &answered.ready;
    let machine = kit.clock.machine();
    let done = |state, outcome, code: &str| Acknowledged {
        id: ready.id,
        n: ready.n,
        state,
        outcome,
        provider_id: String::new(),
        code: code.to_owned(),
        ready_at: answered.again.unwrap_or(machine),
    };
    // The next contact is tried at once.
    let ended = if goes_on(ready) { MessageState::Queued } else { MessageState::Failed };
    match &answered.answer {
        Ok(accepted) => Acknowledged {
            provider_id: accepted.provider_id.clone().unwrap_or_default(),
            ..done(MessageState::Accepted, "accepted", "")
        },
        Err(SendError::Busy { .. }) => done(MessageState::Queued, "busy", "busy"),
        Err(SendError::Unknown) => done(MessageState::Unknown, "unknown", "no_answer"),
        Err(SendError::Blocked) => done(ended, "blocked", "blocked"),
        Err(SendError::Refused { code }) => done(ended, "refused", code),
        Err(SendError::Unreachable { code }) => done(ended, "unreachable", code),
        Err(SendError::Misconfigured { code }) => done(MessageState::Queued, "misconfigured", code),
    }
}

/// Sets the timers by which doubtful messages follow their class's rule: (message, site, patient, whether it is a crisis
/// reply, which waits a minute only).
///
/// # Errors
/// When the database refuses.
pub async fn set_doubts(tx: &mut Tx, kit: &Kit, doubts: &[(Id, Id, Option<Id>, bool)], now: Time) -> Result<(), StoreError> {
    let due = |crisis: bool| now.plus(if crisis { CRISIS_DOUBT.min(kit.delivery.doubt) } else { kit.delivery.doubt });
    let timers: Vec<_> =
        doubts.iter().map(|(message, site, patient, crisis)| timer(kit, (*message, *site, *patient), "", due(*crisis))).collect();
    timers::set(tx, &timers).await
}

fn timer(kit: &Kit, (message, site, patient): (Id, Id, Option<Id>), detail: &str, due: Time) -> NewTimer {
    NewTimer {
        id: kit.id(),
        site,
        patient,
        kind: Kind::Doubt,
        subject: message,
        detail: detail.to_owned(),
        slot: String::new(),
        version: 0,
        due,
        priority: Priority::ANSWER,
    }
}

/// Opens an item for a person.
///
/// # Errors
/// When the database refuses.
pub async fn tell(
    tx: &mut Tx,
    kit: &Kit,
    (site, patient): (Id, Option<Id>),
    (severity, category): (Severity, Category),
    reason: &str,
    now: Time,
) -> Result<(), StoreError> {
    let (open, coordinator) = match patient {
        Some(id) => {
            (escalations::unresolved(tx, &[id.0]).await?, patients::get(tx, id).await?.and_then(|p| p.coordinator_id).map(Id))
        }
        None => (escalations::unresolved_technical(tx, reason).await?, None),
    };
    let request = Request { site, patient, coordinator, inbox: None, severity, category, reason: reason.to_owned() };
    escalation::open(tx, kit, &open, &request, now).await?;
    Ok(())
}
