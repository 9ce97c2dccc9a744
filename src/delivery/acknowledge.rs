//! What providers answered, written in one commit with all that follows from it.

use std::time::Duration;

use super::prepare::Ready;
use super::retry::back_off;
use crate::clock::Time;
use crate::escalation::{self, Request};
use crate::fault;
use crate::gateway::{Accepted, SendError};
use crate::kit::Kit;
use crate::model::{Category, Class, ContentClass, Id, MessageState, Priority, Severity};
use crate::store::consents::{self, ConsentEvent};
use crate::store::messages::{self, Acknowledged};
use crate::store::timers::{self, Kind, NewTimer};
use crate::store::{StoreError, Tx, escalations, locks, patients};

/// How long a doubtful crisis reply waits for a receipt.
const CRISIS_DOUBT: Duration = Duration::from_secs(60);
/// After so many tries of a crisis reply a person is told to call.
const CRISIS_TRIES: i64 = 3;
/// How long a channel that is set up wrongly rests before the next try.
const REST: Duration = Duration::from_secs(5 * 60);

/// An attempt with its answer.
#[derive(Debug, Clone)]
pub struct Answered {
    /// What was sent.
    pub ready: Ready,
    /// What the provider said.
    pub answer: Result<Accepted, SendError>,
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
    let mut doubts = Vec::new();
    for answered in answered.iter().filter(|a| held.contains(&a.ready.id)) {
        let ready = &answered.ready;
        match &answered.answer {
            Ok(_) => {}
            Err(SendError::Unknown) => doubts.push((ready.id, ready.site, ready.patient, ready.class == Class::Crisis)),
            Err(SendError::Busy { .. }) => {
                // Tried on as long as it is of use; but a person hears early that a crisis reply is held up.
                if ready.class == Class::Crisis && ready.n == CRISIS_TRIES {
                    undelivered(tx, kit, ready, "the provider is busy; it is tried on", now).await?;
                }
            }
            Err(SendError::Refused { .. }) => undelivered(tx, kit, ready, "the provider refused it", now).await?,
            Err(SendError::Blocked) => blocked(tx, kit, ready, now).await?,
            Err(SendError::Unreachable { code }) => unreachable(tx, kit, ready, code, now).await?,
            Err(SendError::Misconfigured { code }) => misconfigured(tx, kit, ready, code, now).await?,
        }
    }
    set_doubts(tx, kit, &doubts, now).await?;
    fault::point("ack.followed");
    Ok(())
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
        ready_at: machine,
    };
    match &answered.answer {
        Ok(accepted) => Acknowledged {
            provider_id: accepted.provider_id.clone().unwrap_or_default(),
            ..done(MessageState::Accepted, "accepted", "")
        },
        Err(SendError::Busy { retry_after }) => {
            let wait = back_off(ready.class, ready.n, *retry_after, kit.dice.fraction());
            Acknowledged { ready_at: machine.plus(wait), ..done(MessageState::Queued, "busy", "busy") }
        }
        Err(SendError::Unknown) => done(MessageState::Unknown, "unknown", "no_answer"),
        Err(SendError::Blocked) => done(MessageState::Failed, "blocked", "blocked"),
        Err(SendError::Refused { code }) => done(MessageState::Failed, "refused", code),
        Err(SendError::Unreachable { code }) => done(MessageState::Failed, "unreachable", code),
        Err(SendError::Misconfigured { code }) => {
            Acknowledged { ready_at: machine.plus(REST), ..done(MessageState::Queued, "misconfigured", code) }
        }
    }
}

/// Sets the timers by which doubtful messages follow their class's rule: (message, site, patient, whether it is a crisis
/// reply, which waits a minute only).
///
/// # Errors
/// When the database refuses.
pub async fn set_doubts(tx: &mut Tx, kit: &Kit, doubts: &[(Id, Id, Option<Id>, bool)], now: Time) -> Result<(), StoreError> {
    let timers: Vec<_> = doubts
        .iter()
        .map(|(message, site, patient, crisis)| NewTimer {
            id: kit.id(),
            site: *site,
            patient: *patient,
            kind: Kind::Doubt,
            subject: *message,
            detail: String::new(),
            slot: String::new(),
            version: 0,
            due: now.plus(if *crisis { CRISIS_DOUBT.min(kit.delivery.doubt) } else { kit.delivery.doubt }),
            priority: Priority::ANSWER,
        })
        .collect();
    timers::set(tx, &timers).await
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

/// A message that will not arrive. A crisis reply that did not is itself an emergency.
async fn undelivered(tx: &mut Tx, kit: &Kit, ready: &Ready, why: &str, now: Time) -> Result<(), StoreError> {
    let (severity, text) = if ready.class == Class::Crisis {
        (Severity::Emergency, format!("The crisis reply could not be sent ({why}): call now"))
    } else {
        (Severity::Routine, format!("A message did not arrive: {why}"))
    };
    tell(tx, kit, (ready.site, ready.patient), (severity, Category::Technical), &text, now).await
}

/// The person blocked us on this contact: consent is withdrawn there and nowhere else.
async fn blocked(tx: &mut Tx, kit: &Kit, ready: &Ready, now: Time) -> Result<(), StoreError> {
    if let (Some(patient), Some(contact)) = (ready.patient, ready.contact) {
        let event = ConsentEvent {
            id: kit.id(),
            site: ready.site,
            patient,
            contact: Some(contact),
            given: false,
            class: ContentClass::Logistics,
            method: "provider".into(),
            lang: String::new(),
            wording: "blocked".into(),
            staff: None,
            inbox: None,
            at: now,
        };
        consents::add(tx, &event).await?;
    }
    undelivered(tx, kit, ready, "this contact has blocked us", now).await
}

/// The address is dead: it is closed. Consent is not touched.
async fn unreachable(tx: &mut Tx, kit: &Kit, ready: &Ready, code: &str, now: Time) -> Result<(), StoreError> {
    if let Some(contact) = ready.contact {
        patients::close_contact(tx, contact, code).await?;
    }
    undelivered(tx, kit, ready, "the number cannot be reached", now).await
}

/// Our own fault: the channel rests and an administrator is told; nobody is opted out for it.
async fn misconfigured(tx: &mut Tx, kit: &Kit, ready: &Ready, code: &str, now: Time) -> Result<(), StoreError> {
    tracing::error!(gateway = ready.gateway, code, "a gateway is set up wrongly; its messages wait");
    let reason = format!("The gateway {} is set up wrongly ({code}): its messages wait", ready.gateway);
    tell(tx, kit, (ready.site, None), (Severity::Urgent, Category::Technical), &reason, now).await?;
    if ready.class == Class::Crisis {
        undelivered(tx, kit, ready, "the channel is set up wrongly", now).await?;
    }
    Ok(())
}
