//! Phones inside this process, for the demo and the tests. No request ever leaves the machine.
//!
//! A phone shows a message once, however often it is sent: the simulator is idempotent by message id, as a good
//! provider would be. What is typed on a phone becomes an [`Incoming::Message`] that goes through the same inbox
//! as a provider's webhook, and receipts come out of [`Simulator::take_receipts`] the same way.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::{Accepted, Incoming, Outgoing, SendError};
use crate::clock::{Clock, Time};
use crate::model::{Address, Body, Channel, Extras, Id, IdSource, MessageState};

/// The most messages that a phone remembers.
const PHONE_MEMORY: usize = 200;
/// How many message ids are remembered to keep a repeated one off the phones.
const ID_MEMORY: usize = 100_000;
/// The most receipts that wait to be taken; beyond them the oldest are lost, as providers lose some.
const RECEIPT_MEMORY: usize = 100_000;

/// Who wrote a message on a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The service.
    ToPhone,
    /// The person with the phone.
    FromPhone,
}

/// A message as a phone shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneMessage {
    /// Who wrote it.
    pub direction: Direction,
    /// What it says.
    pub text: Body,
    /// Domain time at which it reached or left the phone.
    pub at: Time,
    /// Which of our messages it is, if we wrote it.
    pub message: Option<Id>,
}

/// The phones of a demo or a test.
pub struct Simulator {
    name: String,
    channel: Channel,
    clock: Arc<dyn Clock>,
    ids: Arc<IdSource>,
    state: Mutex<State>,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    phones: BTreeMap<String, VecDeque<PhoneMessage>>,
    seen: HashSet<Id>,
    seen_order: VecDeque<Id>,
    receipts: VecDeque<Incoming>,
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Simulator({}, {}, {} phones)", self.name, self.channel, self.state().phones.len())
    }
}

impl Simulator {
    /// Phones that show times of `clock` and whose replies have provider ids of `ids`, so that they stay unique
    /// when the service restarts on the same data.
    #[must_use]
    pub fn new(name: impl Into<String>, channel: Channel, clock: Arc<dyn Clock>, ids: Arc<IdSource>) -> Simulator {
        let changes = watch::Sender::new(0);
        Simulator { name: name.into(), channel, clock, ids, state: Mutex::default(), changes }
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it carries.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// Puts a message on the phone, unless it is there already; either way it counts as accepted.
    ///
    /// # Errors
    /// An address without any character cannot be reached.
    pub fn send(&self, message: &Outgoing) -> Result<Accepted, SendError> {
        if message.to.expose().trim().is_empty() {
            return Err(SendError::Unreachable { code: "no-address".to_owned() });
        }
        let provider_id = Some(format!("sim-{}", message.message));
        let accepted = Accepted { provider_id: provider_id.clone() };
        {
            let mut state = self.state();
            if !state.seen.insert(message.message) {
                return Ok(accepted);
            }
            state.seen_order.push_back(message.message);
            if state.seen_order.len() > ID_MEMORY
                && let Some(oldest) = state.seen_order.pop_front()
            {
                state.seen.remove(&oldest);
            }
            let shown = PhoneMessage {
                direction: Direction::ToPhone,
                text: message.text.clone(),
                at: self.clock.now(),
                message: Some(message.message),
            };
            state.show(&message.to, shown);
            if state.receipts.len() == RECEIPT_MEMORY {
                state.receipts.pop_front();
            }
            state.receipts.push_back(Incoming::Receipt {
                reference: Some(message.reference.clone()),
                provider_id,
                state: MessageState::Delivered,
                code: None,
                means: None,
            });
        }
        self.changes.send_modify(|version| *version += 1);
        Ok(accepted)
    }

    /// The person with the phone writes. Gives what the provider would tell us; the caller stores it as it
    /// stores a webhook's.
    pub fn type_on_phone(&self, from: &Address, text: &str) -> Incoming {
        let at = self.clock.now();
        let provider_id = Some(format!("sim-{}", self.ids.next(self.clock.machine())));
        self.state().show(from, PhoneMessage { direction: Direction::FromPhone, text: Body::new(text), at, message: None });
        self.changes.send_modify(|version| *version += 1);
        Incoming::Message {
            from: from.clone(),
            to: None,
            text: Body::new(text),
            provider_id,
            provider_time: Some(at),
            extras: Extras::default(),
        }
    }

    /// What the phone at `address` shows, oldest first, the last 200.
    #[must_use]
    pub fn phones(&self, address: &Address) -> Vec<PhoneMessage> {
        self.state().phones.get(address.expose()).map(|phone| phone.iter().cloned().collect()).unwrap_or_default()
    }

    /// The addresses of all phones that show anything, in order.
    #[must_use]
    pub fn addresses(&self) -> Vec<Address> {
        self.state().phones.keys().map(Address::new).collect()
    }

    /// Receipts of what has been accepted since the last call, in order. The caller stores them as it stores a
    /// webhook's.
    #[must_use]
    pub fn take_receipts(&self) -> Vec<Incoming> {
        self.state().receipts.drain(..).collect()
    }

    /// Wakes whenever a phone changes. The number only rises; a listener that was slow reads the phones once.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn show(&mut self, address: &Address, message: PhoneMessage) {
        let phone = self.phones.entry(address.expose().to_owned()).or_default();
        if phone.len() == PHONE_MEMORY {
            phone.pop_front();
        }
        phone.push_back(message);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::ManualClock;

    struct World {
        clock: Arc<ManualClock>,
        simulator: Simulator,
        ana: Address,
    }

    impl World {
        fn new() -> World {
            let start = Time(1_800_000_000_000);
            let clock = Arc::new(ManualClock::new(start));
            let ids = Arc::new(IdSource::new(1, start));
            let simulator = Simulator::new("phones", Channel::Sms, Arc::clone(&clock) as Arc<dyn Clock>, ids);
            World { clock, simulator, ana: Address::new("+17185550117") }
        }

        fn send(&self, message: i64, attempt: i64, text: &str) -> Result<Accepted, SendError> {
            let reference = format!("r{message}");
            self.simulator.send(&Outgoing::plain((Id(message), attempt), self.ana.clone(), text, reference))
        }
    }

    #[test]
    fn a_message_sent_twice_shows_once_and_has_one_receipt() {
        let world = World::new();
        let first = world.send(1, 1, "Your visit is tomorrow");
        assert_eq!(world.send(1, 2, "Your visit is tomorrow"), first);
        assert_eq!(world.simulator.phones(&world.ana).len(), 1);
        let receipts = world.simulator.take_receipts();
        assert_eq!(
            receipts,
            [Incoming::Receipt {
                reference: Some("r1".to_owned()),
                provider_id: first.expect("accepted").provider_id,
                state: MessageState::Delivered,
                code: None,
                means: None,
            }]
        );
        assert_eq!(world.simulator.take_receipts(), []);
    }

    #[test]
    fn ana_answers_and_the_phone_shows_both_in_order_with_their_times() {
        let world = World::new();
        let changes = world.simulator.subscribe();
        world.send(1, 1, "How are you today?").expect("accepted");
        world.clock.advance(Duration::from_mins(1));
        let one = world.simulator.type_on_phone(&world.ana, "me duele el pecho");
        let two = world.simulator.type_on_phone(&world.ana, "me duele el pecho");
        assert_ne!(one, two, "each has an id of its own");
        assert!(changes.has_changed().expect("the simulator lives"));
        let phone = world.simulator.phones(&world.ana);
        assert_eq!(phone[0].direction, Direction::ToPhone);
        assert_eq!(phone[1].text.expose(), "me duele el pecho");
        assert_eq!(phone[1].at.since(phone[0].at), Duration::from_mins(1));
        assert_eq!(world.simulator.addresses().as_slice(), std::slice::from_ref(&world.ana));
        let Incoming::Message { provider_id, provider_time, .. } = one else { panic!("a message") };
        assert!(provider_id.is_some() && provider_time == Some(phone[1].at));
    }

    #[test]
    fn a_phone_remembers_the_last_two_hundred() {
        let world = World::new();
        for n in 0..250 {
            world.send(n, 1, &n.to_string()).expect("accepted");
        }
        let phone = world.simulator.phones(&world.ana);
        assert_eq!((phone.len(), phone[0].text.expose()), (200, "50"));
        assert!(!format!("{:?}", world.simulator).contains("718"));
    }
}
