//! Sending: claim under a lease → decide again → send in parallel → acknowledge in one commit.
//!
//! Invariants: nothing is sent without a durable claim; no network call happens inside a transaction;
//! an answer that was lost makes a message `unknown`, never `failed` and never sent again blindly; a
//! receipt never moves a state back.

mod acknowledge;
mod choices;
mod prepare;
mod receipts;
mod retry;
mod room;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::clock::Time;
use crate::fault;
use crate::gateway::{Gateway, Telegram};
use crate::kit::Kit;
use crate::model::{Category, Channel, Class, Id, MessageState, Severity};
use crate::store::timers::{self, Kind, Timer};
use crate::store::{StoreError, Tx};
use crate::store::{ahead, messages};

pub use prepare::{Ready, facts_of};
pub use receipts::apply as apply_receipts;
pub use worker::Worker;

/// The ways out, each with its own places, so that a slow one takes none from another.
#[derive(Debug)]
pub struct Gateways(Vec<Way>);

#[derive(Debug)]
struct Way {
    gateway: Gateway,
    places: Semaphore,
    pace: Option<tokio::sync::Mutex<tokio::time::Interval>>,
}

impl Gateways {
    /// The ways out, in the order of preference.
    #[must_use]
    pub fn new(gateways: Vec<Gateway>) -> Gateways {
        let way = |gateway: Gateway| {
            let limits = gateway.limits();
            let pace = limits.per_second.filter(|rate| *rate > 0.0).map(|rate| {
                let mut interval = tokio::time::interval(Duration::from_secs_f64(1.0 / rate));
                interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
                tokio::sync::Mutex::new(interval)
            });
            Way { gateway, places: Semaphore::new(limits.concurrency), pace }
        };
        Gateways(gateways.into_iter().map(way).collect())
    }

    /// The gateway of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Gateway> {
        self.0.iter().map(|w| &w.gateway).find(|g| g.name() == name)
    }

    /// The first gateway that serves a channel.
    #[must_use]
    pub fn serving(&self, channel: Channel) -> Option<&Gateway> {
        self.0.iter().map(|w| &w.gateway).find(|g| g.channel() == channel)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Gateway> {
        self.0.iter().map(|w| &w.gateway)
    }

    /// The bots among them.
    pub fn bots(&self) -> impl Iterator<Item = &Arc<Telegram>> {
        self.all().filter_map(|gateway| match gateway {
            Gateway::Telegram(bot) => Some(bot),
            Gateway::Simulator(_) | Gateway::Http(_) => None,
        })
    }

    /// How many messages may be under way at once: twice the places of all gateways, so that the next ones are ready when a place
    /// is free, and of a paced gateway no more than two seconds' worth. What is claimed is sent soon, so that its decision is
    /// fresh and its lease holds.
    #[must_use]
    pub fn room(&self) -> usize {
        let places = |w: &Way| {
            let limits = w.gateway.limits();
            limits.per_second.map_or(2 * limits.concurrency, |rate| (2 * limits.concurrency).min(two_seconds(rate)))
        };
        self.0.iter().map(places).sum()
    }

    fn way(&self, name: &str) -> Option<&Way> {
        self.0.iter().find(|w| w.gateway.name() == name)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive rate")]
fn two_seconds(rate: f64) -> usize {
    (rate * 2.0).ceil().clamp(1.0, 10_000.0) as usize
}

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
    for timer in due {
        messages::requeue(tx, Id(timer.subject), MessageState::Held, now, kit.clock.machine()).await?;
        fault::point("hold.requeued");
    }
    Ok(())
}

/// Doubtful messages that no receipt has cleared up follow the rule of their class, once.
///
/// # Errors
/// When the database refuses.
pub async fn fire_doubts(tx: &mut Tx, kit: &Kit, due: &[&Timer], now: Time) -> Result<(), StoreError> {
    for timer in due {
        let Some(message) = messages::doubtful(tx, Id(timer.subject)).await? else { continue };
        if message.state != MessageState::Unknown.as_str() {
            continue;
        }
        if message.accepted > 0 {
            // Its sender lost the lease, and had its answer written down all the same.
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
