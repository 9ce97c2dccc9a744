//! Sending: claim under a lease → decide again → send in parallel → acknowledge in one commit.
//!
//! Invariants: nothing is sent without a durable claim; no network call happens inside a transaction;
//! an answer that was lost makes a message `unknown`, never `failed` and never sent again blindly; a
//! receipt never moves a state back.

mod acknowledge;
mod batch;
mod breaker;
mod choices;
mod ladder;
mod pace;
mod prepare;
mod receipts;
mod retry;
mod room;
mod say;
mod ways;
mod worker;

use std::sync::Arc;

use crate::clock::Time;
use crate::fault;
use crate::kit::Kit;
use crate::model::{Category, Class, Id, MessageState, Severity};
use crate::store::timers::{self, Kind, NO_RECEIPT, Timer};
use crate::store::{StoreError, Tx, ahead, locks, messages, rungs};

pub use prepare::{Ready, facts_of};
pub use receipts::apply as apply_receipts;
pub use ways::Gateways;
pub use worker::Worker;

/// What happens to a message of which nobody knows whether it arrived, once it has waited for a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDoubt {
    /// Twice is better than never: a reminder, an answer, a crisis reply.
    Resend,
    /// Twice would do harm or confuse: a person decides.
    AskCoordinator,
}

/// The rule of each class.
#[must_use]
pub const fn on_doubt(class: Class) -> OnDoubt {
    match class {
        Class::Crisis | Class::Reminder | Class::Answer => OnDoubt::Resend,
        Class::Consent | Class::Staff | Class::Question | Class::Bulk => OnDoubt::AskCoordinator,
    }
}

/// Held messages whose time has come go back into the queue, where they are decided again.
///
/// # Errors
/// When the database refuses.
pub async fn fire_holds(tx: &mut Tx, kit: &Kit, due: &[&Timer], now: Time) -> Result<(), StoreError> {
    lock_subjects(tx, due).await?;
    for timer in due {
        messages::requeue(tx, Id(timer.subject), MessageState::Held, now, kit.clock.machine()).await?;
        fault::point("hold.requeued");
    }
    Ok(())
}

/// The messages of these timers, in the common order.
async fn lock_subjects(tx: &mut Tx, due: &[&Timer]) -> Result<(), StoreError> {
    locks::messages(tx, &due.iter().map(|timer| Id(timer.subject)).collect::<Vec<_>>()).await
}

/// Doubtful messages that no receipt has cleared up follow the rule of their class, once.
///
/// # Errors
/// When the database refuses.
pub async fn fire_doubts(tx: &mut Tx, kit: &Kit, due: &[&Timer], now: Time) -> Result<(), StoreError> {
    lock_subjects(tx, due).await?;
    unreceipted(tx, kit, due, now).await?;
    for timer in due.iter().filter(|t| t.detail != NO_RECEIPT) {
        let Some(message) = messages::doubtful(tx, Id(timer.subject)).await? else { continue };
        if message.state != MessageState::Unknown.as_str() {
            continue;
        }
        if message.accepted > 0 {
            // The answer to an earlier try came when the next one had begun, and was written down all the same.
            messages::advance(tx, Id(message.id), MessageState::Unknown, MessageState::Accepted, "", now).await?;
            continue;
        }
        let class: Class = message.class.parse().map_err(|_| StoreError::Unreadable(format!("class {}", message.class)))?;
        if on_doubt(class) == OnDoubt::Resend && message.doubts < 2 {
            messages::requeue(tx, Id(message.id), MessageState::Unknown, now, kit.clock.machine()).await?;
            fault::point("doubt.requeued");
            continue;
        }
        let (severity, what) = if class == Class::Crisis {
            (Severity::Emergency, "Not known if the crisis reply arrived: call now")
        } else {
            (Severity::Routine, "Not known if a message arrived: look at the timeline before writing again")
        };
        let whose = (Id(message.site_id), message.patient_id.map(Id));
        acknowledge::tell(tx, kit, whose, (severity, Category::Technical), what, now).await?;
        fault::point("doubt.told");
    }
    Ok(())
}

/// Messages that were accepted, and of which no receipt came in the time set for it: the next contact is tried as well.
async fn unreceipted(tx: &mut Tx, kit: &Kit, due: &[&Timer], now: Time) -> Result<(), StoreError> {
    for timer in due.iter().filter(|t| t.detail == NO_RECEIPT) {
        let Some(message) = messages::doubtful(tx, Id(timer.subject)).await? else { continue };
        let waits = [MessageState::Accepted, MessageState::Sent].map(MessageState::as_str).contains(&message.state.as_str());
        let Some(patient) = message.patient_id.filter(|_| waits) else { continue };
        let class = message.class.parse().map_err(|_| StoreError::Unreadable(format!("class {}", message.class)))?;
        rungs::no_receipt(tx, Id(message.id), now).await?;
        if ladder::left(tx, &[(Id(message.id), Id(patient), class)]).await?.contains(&Id(message.id)) {
            ladder::climb(tx, kit, Id(message.id), now).await?;
        } else if class == Class::Crisis {
            let what = "Not known if the crisis reply arrived: call now";
            let whose = (Id(message.site_id), message.patient_id.map(Id));
            acknowledge::tell(tx, kit, whose, (Severity::Emergency, Category::Technical), what, now).await?;
        }
    }
    Ok(())
}

/// The clock went back. What is held is decided again, nothing waits for a time that was counted from a future which has not come,
/// and no claim holds longer than one made now.
///
/// # Errors
/// When the database refuses.
pub async fn clock_went_back(tx: &mut Tx, kit: &Kit, now: Time) -> Result<(), StoreError> {
    let shared = kit.shared_machine(tx).await?;
    ahead::wait_no_longer(tx, shared.min(kit.clock.machine()), shared.plus(kit.delivery.lease)).await?;
    timers::hold_no_longer(tx, None, now).await?;
    let mut doubts = Vec::new();
    for timer in timers::later_than(tx, Kind::Doubt, now.plus(kit.delivery.doubt)).await? {
        if let Some(message) = messages::doubtful(tx, Id(timer.subject)).await? {
            let crisis = message.class == Class::Crisis.as_str();
            doubts.push((Id(message.id), Id(message.site_id), message.patient_id.map(Id), crisis));
        }
    }
    acknowledge::set_doubts(tx, kit, &doubts, now).await
}

/// Messages whose sender died or lost its lease: perhaps sent, so they are in doubt.
///
/// # Errors
/// When the database refuses.
pub async fn release_lost(tx: &mut Tx, kit: &Arc<Kit>, now: Time) -> Result<usize, StoreError> {
    let shared = kit.shared_machine(tx).await?;
    let lost = messages::release_lost(tx, now, shared).await?;
    let doubts: Vec<_> =
        lost.iter().map(|m| (Id(m.id), Id(m.site_id), m.patient_id.map(Id), m.class == Class::Crisis.as_str())).collect();
    acknowledge::set_doubts(tx, kit, &doubts, now).await?;
    if !lost.is_empty() {
        fault::point("lost.released");
    }
    Ok(lost.len())
}
