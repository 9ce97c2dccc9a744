//! The ways out, each with its own room, breaker and pace, so that a slow one takes nothing from another.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::breaker::{Breaker, Condition, Gate, Told};
use super::room::Room;
use crate::clock::Time;
use crate::gateway::{Accepted, Gateway, SendError, Telegram};
use crate::model::{Channel, Id};
use crate::store::health::Health;

/// A paced gateway is given so much at once: the rest waits in its lane, where something more pressing can still overtake it.
pub(super) const AHEAD: Duration = Duration::from_secs(2);

/// The ways out, in the order of preference.
#[derive(Debug)]
pub struct Gateways {
    ways: Vec<Way>,
    order: Mutex<Order>,
}

#[derive(Debug)]
pub(super) struct Way {
    pub(super) gateway: Gateway,
    pub(super) places: Semaphore,
    flow: Mutex<Flow>,
}

#[derive(Debug)]
struct Flow {
    room: Room,
    breaker: Breaker,
    /// What is at the provider, by when it began.
    under_way: BTreeSet<(Time, Id)>,
    /// Why it rests.
    code: String,
    /// How it was when that was last noted.
    noted: Condition,
}

/// Whom something is on its way to, or put off for: the next one waits for it.
#[derive(Debug)]
struct Order {
    under_way: HashMap<String, usize>,
    /// Until when.
    put_off: HashMap<String, Time>,
    /// The last time that was seen: a clock that went back has named false times.
    latest: Time,
}

impl Order {
    fn look(&mut self, now: Time) {
        if now < self.latest {
            self.put_off.clear();
        }
        self.latest = now;
    }
}

/// How much each gateway can take now.
#[derive(Debug, Clone, Default)]
pub(super) struct Openings {
    free: HashMap<String, usize>,
    shut: HashMap<String, Time>,
    probes: BTreeSet<String>,
}

impl Openings {
    /// How many messages can be taken in all.
    pub(super) fn all(&self) -> usize {
        self.free.values().sum()
    }

    /// The gateways that can take something, with how much.
    pub(super) fn lanes(&self) -> impl Iterator<Item = (&str, usize)> {
        self.free.iter().filter(|(_, free)| **free > 0).map(|(name, free)| (name.as_str(), *free))
    }

    /// The gateways that are left alone.
    pub(super) fn shut(&self) -> impl Iterator<Item = &str> {
        self.shut.keys().map(String::as_str)
    }

    /// Takes a place, if there is one.
    pub(super) fn take(&mut self, gateway: &str) -> bool {
        let Some(free) = self.free.get_mut(gateway).filter(|free| **free > 0) else { return false };
        *free -= 1;
        true
    }

    /// Until when a gateway is given nothing, if it is left alone.
    pub(super) fn shut_until(&self, gateway: &str) -> Option<Time> {
        self.shut.get(gateway).copied()
    }

    /// Whether what is given to a gateway is to show if it is back.
    pub(super) fn probes(&self, gateway: &str) -> bool {
        self.probes.contains(gateway)
    }
}

impl Gateways {
    /// The ways out, in the order of preference. `now` is machine time.
    #[must_use]
    pub fn new(gateways: Vec<Gateway>, now: Time) -> Gateways {
        let way = |gateway: Gateway| {
            let limits = gateway.limits();
            let least = limits.per_second.map_or(2 * limits.concurrency, |rate| (2 * limits.concurrency).min(ahead_of(rate)));
            let flow = Flow {
                room: Room::new(least, now),
                breaker: Breaker::new(now),
                under_way: BTreeSet::new(),
                code: String::new(),
                noted: Condition::Well,
            };
            Way { gateway, places: Semaphore::new(limits.concurrency), flow: Mutex::new(flow) }
        };
        let order = Order { under_way: HashMap::new(), put_off: HashMap::new(), latest: now };
        Gateways { ways: gateways.into_iter().map(way).collect(), order: Mutex::new(order) }
    }

    /// The gateway of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Gateway> {
        self.way(name).map(|w| &w.gateway)
    }

    /// The gateways of a channel, in the order of preference.
    pub fn of_channel(&self, channel: Channel) -> impl Iterator<Item = &Gateway> {
        self.all().filter(move |g| g.channel() == channel)
    }

    /// Whether any gateway serves a channel.
    #[must_use]
    pub fn serves(&self, channel: Channel) -> bool {
        self.of_channel(channel).next().is_some()
    }

    /// The gateway by which something goes on a channel now: the first that takes messages; if none does, the first.
    #[must_use]
    pub fn best(&self, channel: Channel, now: Time) -> Option<&Gateway> {
        let serving = || self.ways.iter().filter(|w| w.gateway.channel() == channel);
        let open = serving().find(|w| w.flow().breaker.gate(now) == Gate::Open);
        open.or_else(|| serving().next()).map(|w| &w.gateway)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Gateway> {
        self.ways.iter().map(|w| &w.gateway)
    }

    /// The bots among them.
    pub fn bots(&self) -> impl Iterator<Item = &Arc<Telegram>> {
        self.all().filter_map(|gateway| match gateway {
            Gateway::Telegram(bot) => Some(bot),
            Gateway::Simulator(_) | Gateway::Http(_) | Gateway::Twilio(_) | Gateway::WhatsApp(_) => None,
        })
    }

    pub(super) fn way(&self, name: &str) -> Option<&Way> {
        self.ways.iter().find(|w| w.gateway.name() == name)
    }

    /// How much each gateway can take now.
    pub(super) fn openings(&self, now: Time) -> Openings {
        self.order().look(now);
        let mut openings = Openings::default();
        for way in &self.ways {
            let name = way.gateway.name().to_owned();
            let flow = way.flow();
            match flow.breaker.gate(now) {
                Gate::Open => drop(openings.free.insert(name, flow.room.free())),
                Gate::Probe => {
                    openings.probes.insert(name.clone());
                    openings.free.insert(name, 1);
                }
                Gate::Shut(until) => drop(openings.shut.insert(name, until)),
            }
        }
        openings
    }

    /// Whether it is worth a claim: a gateway's room is half free.
    pub(super) fn is_worth_a_claim(&self, now: Time) -> bool {
        let worth = |w: &Way| {
            let flow = w.flow();
            match flow.breaker.gate(now) {
                Gate::Open => flow.room.is_half_free(),
                Gate::Probe => true,
                Gate::Shut(_) => false,
            }
        };
        self.ways.iter().any(worth)
    }

    /// Messages that were claimed: they are under way by their gateway, to their person.
    pub(super) fn enter<'m>(&self, claimed: impl Iterator<Item = (&'m str, &'m str)>, probes: &Openings, now: Time) {
        let mut order = self.order();
        for (gateway, person) in claimed {
            *order.under_way.entry(person.to_owned()).or_default() += 1;
            if let Some(way) = self.way(gateway) {
                let mut flow = way.flow();
                flow.room.enter(1);
                if probes.probes(gateway) {
                    flow.breaker.probe(now);
                }
            }
        }
    }

    /// A message is done with: by which gateway, to whom, and until when it waits if it is to be tried again.
    pub(super) fn leave(&self, (gateway, person): (&str, &str), again: Option<Time>, now: Time) {
        let mut order = self.order();
        order.look(now);
        if let Some(count) = order.under_way.get_mut(person) {
            *count -= 1;
            if *count == 0 {
                order.under_way.remove(person);
            }
        }
        if let Some(until) = again {
            order.put_off.insert(person.to_owned(), until);
            order.put_off.retain(|_, until| now < *until);
        }
        drop(order);
        if let Some(way) = self.way(gateway) {
            way.flow().room.leave(1, now);
        }
    }

    /// Until when the next message to a person waits for an earlier one; `None` if it need not.
    pub(super) fn waits_for_another(&self, person: &str, now: Time) -> Option<Time> {
        let mut order = self.order();
        order.look(now);
        if order.under_way.contains_key(person) {
            return Some(now.plus(Duration::from_secs(1)));
        }
        order.put_off.get(person).copied().filter(|until| now < *until)
    }

    /// What has changed since the last call in how gateways are, to be noted and told. Looks for those that hang, too.
    pub(super) fn changes(&self, now: Time) -> Vec<Health> {
        let mut changes = Vec::new();
        for way in &self.ways {
            let mut flow = way.flow();
            let oldest = flow.under_way.first().map(|(begun, _)| *begun);
            flow.breaker.look(oldest, now);
            let (condition, since) = flow.breaker.condition();
            if condition != flow.noted {
                flow.noted = condition;
                let code = if condition == Condition::Resting { flow.code.clone() } else { String::new() };
                changes.push(Health {
                    gateway: way.gateway.name().to_owned(),
                    state: condition.as_str().to_owned(),
                    code,
                    since: since.0,
                    until: flow.breaker.until().map(|t| t.0),
                });
            }
        }
        changes
    }

    /// Whether anything has changed, as [`Gateways::changes`] would say.
    pub(super) fn has_changed(&self, now: Time) -> bool {
        self.ways.iter().any(|way| {
            let mut flow = way.flow();
            let oldest = flow.under_way.first().map(|(begun, _)| *begun);
            flow.breaker.look(oldest, now);
            flow.breaker.condition().0 != flow.noted
        })
    }

    /// What could not be noted is noted again.
    pub(super) fn forget_noted(&self, changes: &[Health]) {
        for change in changes {
            if let Some(way) = self.way(&change.gateway) {
                let mut flow = way.flow();
                flow.noted = if flow.breaker.condition().0 == Condition::Well { Condition::Failing } else { Condition::Well };
            }
        }
    }

    /// Whether a gateway is left alone.
    pub(super) fn is_shut(&self, name: &str) -> bool {
        self.way(name).is_some_and(|w| w.flow().breaker.condition().0 != Condition::Well)
    }

    /// The channel of a gateway has another one that takes messages.
    pub(super) fn has_another(&self, name: &str, now: Time) -> bool {
        let Some(channel) = self.named(name).map(Gateway::channel) else { return false };
        self.best(channel, now).is_some_and(|best| best.name() != name)
    }

    fn order(&self) -> MutexGuard<'_, Order> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Way {
    fn flow(&self) -> MutexGuard<'_, Flow> {
        self.flow.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message is at the provider.
    pub(super) fn begins(&self, message: Id, now: Time) {
        self.flow().under_way.insert((now, message));
    }

    /// The provider answered.
    pub(super) fn ends(&self, (message, begun): (Id, Time), answer: &Result<Accepted, SendError>, now: Time) {
        let mut flow = self.flow();
        flow.under_way.remove(&(begun, message));
        if let Err(SendError::Misconfigured { code }) = answer {
            flow.code.clone_from(code);
        }
        flow.breaker.told(told(answer), now);
    }
}

fn told(answer: &Result<Accepted, SendError>) -> Told {
    match answer {
        Ok(_) | Err(SendError::Blocked | SendError::Unreachable { .. } | SendError::Refused { .. }) => Told::Well,
        Err(SendError::Busy { .. } | SendError::Unknown) => Told::Badly,
        Err(SendError::Misconfigured { .. }) => Told::OurFault,
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive rate")]
fn ahead_of(rate: f64) -> usize {
    (rate * AHEAD.as_secs_f64()).ceil().clamp(1.0, 10_000.0) as usize
}
