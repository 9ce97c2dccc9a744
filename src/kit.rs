//! What every worker needs and none of them changes: clock, ids, texts, rules, protocols.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::clock::{Clock, Time};
use crate::compose::Catalogue;
use crate::conversation::SiteWords;
use crate::conversation::understand::Reader;
use crate::escalation::hours::Hours;
use crate::model::{Address, Channel, Class, Id, IdSource, hex};
use crate::protocol::Protocol;
use crate::random::Dice;
use crate::store::{StoreError, Tx};
use crate::triage::Triage;

/// The id of the installation's site.
pub const SITE: Id = Id(1);

/// What every worker needs.
pub struct Kit {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<IdSource>,
    /// Randomness.
    pub dice: Dice,
    /// What is said.
    pub catalogue: Catalogue,
    /// What is looked for in replies.
    pub triage: Triage,
    /// How answers are read.
    pub reader: Reader,
    /// When people are there.
    pub hours: Hours,
    /// How the site names itself.
    pub site: SiteWords,
    /// Default hours of a patient's day, in minutes.
    pub window: (i64, i64),
    /// How the outbox is worked.
    pub delivery: DeliveryRules,
    /// Who holds this process's leases.
    pub owner: String,
    /// The protocols that enrolments run on.
    pub protocols: Protocols,
    /// When this copy of the database was restored, if it is one: what was due until then may have gone out before.
    pub restored: Option<Time>,
    key: Vec<u8>,
}

/// How the outbox is worked.
#[derive(Debug, Clone, Copy)]
pub struct DeliveryRules {
    /// Messages claimed at a time.
    pub batch: i64,
    /// How long a claim holds (machine time).
    pub lease: Duration,
    /// How long a doubtful message waits for a receipt (domain time).
    pub doubt: Duration,
    /// How long an accepted crisis reply waits for a receipt before the next contact gets it as well; zero: for ever.
    pub crisis_receipt: Duration,
    /// The same for other messages that climb.
    pub receipt: Duration,
}

impl DeliveryRules {
    /// How long an accepted message of a class waits for a receipt before the next contact is tried; `None`: for ever.
    #[must_use]
    pub fn receipt_within(&self, class: Class) -> Option<Duration> {
        let within = if class == Class::Crisis { self.crisis_receipt } else { self.receipt };
        Some(within).filter(|within| !within.is_zero())
    }
}

impl std::fmt::Debug for Kit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kit").field("owner", &self.owner).finish_non_exhaustive()
    }
}

/// Parts of a kit that come from configuration.
#[derive(Debug)]
pub struct Parts {
    /// Randomness.
    pub dice: Dice,
    /// When people are there.
    pub hours: Hours,
    /// How the site names itself.
    pub site: SiteWords,
    /// Default hours of a patient's day, in minutes.
    pub window: (i64, i64),
    /// How the outbox is worked.
    pub delivery: DeliveryRules,
    /// The key of the address hash.
    pub key: Vec<u8>,
    /// When this copy of the database was restored, if it is one.
    pub restored: Option<Time>,
}

impl Kit {
    /// Puts a kit together from the shipped texts and rules.
    ///
    /// # Errors
    /// Every fault of a text, rule pack or vocabulary.
    pub fn new(clock: Arc<dyn Clock>, ids: Arc<IdSource>, owner: String, parts: Parts) -> Result<Kit, crate::document::Faults> {
        Ok(Kit {
            clock,
            ids,
            dice: parts.dice,
            catalogue: Catalogue::embedded()?,
            triage: Triage::embedded()?,
            reader: Reader::embedded()?,
            hours: parts.hours,
            site: parts.site,
            window: parts.window,
            delivery: parts.delivery,
            owner,
            protocols: Protocols::default(),
            restored: parts.restored,
            key: parts.key,
        })
    }

    /// Domain time.
    #[must_use]
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Machine time that all nodes share: the database's on `PostgreSQL`, this machine's otherwise.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn shared_machine(&self, tx: &mut Tx) -> Result<Time, StoreError> {
        let own = self.clock.machine();
        if self.clock.is_real() { tx.machine_time(own).await } else { Ok(own) }
    }

    /// A new id.
    #[must_use]
    pub fn id(&self) -> Id {
        self.ids.next(self.clock.machine())
    }

    /// The keyed hash by which an address is searched: HMAC-SHA-256, hexadecimal.
    #[must_use]
    pub fn hash(&self, channel: Channel, address: &Address) -> String {
        keyed_hash(&self.key, channel, address)
    }
}

fn keyed_hash(key: &[u8], channel: Channel, address: &Address) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    // A number is one person's, by whichever of the channels that have numbers.
    let kind = if channel == Channel::WhatsApp { Channel::Sms } else { channel };
    mac.update(kind.as_str().as_bytes());
    mac.update(b":");
    mac.update(address.expose().as_bytes());
    hex(&mac.finalize().into_bytes())
}

/// The setting under which a database keeps the fingerprint of its key.
pub const FINGERPRINT: &str = "key.fingerprint";

/// By what a database knows its key again.
#[must_use]
pub fn fingerprint(key: &[u8]) -> String {
    keyed_hash(key, Channel::Sms, &Address::new("fingerprint of the key"))
}

/// The protocols that enrolments run on, by hash, and the current version of each.
#[derive(Debug, Default)]
pub struct Protocols(RwLock<Known>);

#[derive(Debug, Default)]
struct Known {
    by_hash: HashMap<String, Arc<Protocol>>,
    current: HashMap<String, Arc<Protocol>>,
}

impl Protocols {
    /// Adds a version; a `current` one is what new enrolments get.
    pub fn add(&self, protocol: Protocol, current: bool) {
        let mut known = self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let protocol = Arc::new(protocol);
        if current {
            known.current.insert(protocol.id.clone(), Arc::clone(&protocol));
        }
        known.by_hash.insert(protocol.hash.clone(), protocol);
    }

    /// The version with this hash.
    #[must_use]
    pub fn version(&self, hash: &str) -> Option<Arc<Protocol>> {
        self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner).by_hash.get(hash).cloned()
    }

    /// The current version of a protocol.
    #[must_use]
    pub fn current(&self, id: &str) -> Option<Arc<Protocol>> {
        self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner).current.get(id).cloned()
    }

    /// The names of all current protocols, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let known = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut names: Vec<_> = known.current.keys().cloned().collect();
        names.sort();
        names
    }
}
