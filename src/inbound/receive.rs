//! From a provider's request to a durable row. Requests that arrive together share one commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use sha2::{Digest, Sha256};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::fault;
use crate::gateway::Incoming;
use crate::kit::Kit;
use crate::model::{Address, Body, Channel, Extras, MessageState, Part, Priority, hex};
use crate::store::inbox::{self, Arrived, What};
use crate::store::{Db, Lane, StoreError};

use super::address::phone;

/// The most requests that share a commit.
const TOGETHER: usize = 512;

/// How long a request waits to be stored. Its provider tries again; if it is stored after all, it is known then.
const WAITS: Duration = Duration::from_secs(10);

/// A provider's id that is longer, in bytes, is known by its digest.
const LONGEST_ID: usize = 512;

/// Nothing was stored: the provider must try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not stored: try again")]
pub struct NotReceived;

type Waiting = (Vec<Arrived>, oneshot::Sender<bool>);

/// How many requests wait to be stored.
#[derive(Debug, Clone, Default)]
pub struct Coming(Arc<AtomicUsize>);

impl Coming {
    /// Whether any request waits to be stored.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

/// One request that waits; it no longer does when this is dropped, also if whoever sent it has gone away.
struct Comes(Coming);

impl Comes {
    fn new(coming: &Coming) -> Comes {
        coming.0.fetch_add(1, Ordering::Relaxed);
        Comes(coming.clone())
    }
}

impl Drop for Comes {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Takes in what gateways bring.
#[derive(Debug, Clone)]
pub struct Receiver {
    kit: Arc<Kit>,
    country: Arc<str>,
    rows: mpsc::Sender<Waiting>,
    coming: Coming,
}

impl Receiver {
    /// A receiver, and the loop that stores for it: give that to a task of its own.
    pub fn new(kit: Arc<Kit>, db: Db, country: &str, wake: Arc<Notify>) -> (Receiver, impl Future<Output = ()> + Send + 'static) {
        let (rows, waiting) = mpsc::channel(TOGETHER * 4);
        (Receiver { kit, country: country.into(), rows, coming: Coming::default() }, store_all(db, waiting, wake))
    }

    /// What waits to be stored here.
    #[must_use]
    pub fn coming(&self) -> Coming {
        self.coming.clone()
    }

    /// Stores what a gateway brought; returns after the commit.
    ///
    /// # Errors
    /// When nothing was stored, or not within ten seconds.
    pub async fn receive(&self, gateway: &str, channel: Channel, incoming: Vec<Incoming>) -> Result<(), NotReceived> {
        if incoming.is_empty() {
            return Ok(());
        }
        let arrived = incoming.into_iter().map(|i| self.arrived(gateway, channel, i)).collect();
        let _comes = Comes::new(&self.coming);
        let (answer, stored) = oneshot::channel();
        let storing = async { self.rows.send((arrived, answer)).await.is_ok() && stored.await.unwrap_or(false) };
        match tokio::time::timeout(WAITS, storing).await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(NotReceived),
        }
    }

    /// As addresses are stored: phone numbers in E.164.
    fn address(&self, channel: Channel, from: &Address) -> Address {
        match channel {
            Channel::Sms | Channel::WhatsApp => {
                phone(from.expose(), &self.country).unwrap_or_else(|_| Address::new(storable(from.expose())))
            }
            Channel::Telegram => Address::new(storable(from.expose())),
        }
    }

    fn arrived(&self, gateway: &str, channel: Channel, incoming: Incoming) -> Arrived {
        let at = self.kit.now();
        let (dedupe, what, priority) = match incoming {
            Incoming::Message { from, text, provider_id, provider_time, extras, .. } => {
                let from = self.address(channel, &from);
                let body = Body::new(storable(text.expose()));
                let extras = clean(extras);
                let hash = self.kit.hash(channel, &from);
                let dedupe = provider_id.unwrap_or_else(|| {
                    // Without an id of the provider's, the same words from the same phone in the same minute are one.
                    let minute = provider_time.unwrap_or(at).0 / 60_000;
                    let part = extras.part.as_ref().map_or(0, |part| part.number);
                    digest(&format!("{hash}\n{}\n{minute}\n{part}", body.expose()))
                });
                // The quick look only sets the place in the order of work; the full one follows.
                let priority = if self.kit.triage.red_flag(body.expose()) { Priority::CRISIS } else { Priority::ANSWER };
                (dedupe, What::Message { from, hash, body, extras }, priority)
            }
            Incoming::Left { from, provider_id } => {
                let from = self.address(channel, &from);
                let hash = self.kit.hash(channel, &from);
                let dedupe = provider_id.unwrap_or_else(|| digest(&format!("{hash}\nleft\n{}", at.0 / 60_000)));
                (dedupe, What::Left { from, hash }, Priority::ANSWER)
            }
            Incoming::Receipt { reference, provider_id, state, code, means } => {
                let [reference, provider_id, code] =
                    [reference, provider_id, code].map(|text| storable(&text.unwrap_or_default()));
                let dedupe = format!("receipt:{reference}:{provider_id}:{state}");
                (dedupe, What::Receipt { reference, provider_id, state, code, means }, priority_of(state))
            }
        };
        // An index holds no key of any length.
        let dedupe = if dedupe.len() > LONGEST_ID { digest(&dedupe) } else { storable(&dedupe) };
        Arrived {
            id: self.kit.id(),
            gateway: gateway.to_owned(),
            dedupe: format!("{gateway}:{dedupe}"),
            channel,
            what,
            priority,
            at,
        }
    }
}

/// A text as both databases store it: without the one character that they refuse.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

fn priority_of(state: MessageState) -> Priority {
    if state == MessageState::Failed { Priority::ANSWER } else { Priority::REMINDER }
}

/// What came with a text, as it can be stored.
fn clean(extras: Extras) -> Extras {
    Extras {
        part: extras.part.map(|part| Part { of: storable(&part.of), ..part }),
        start: extras.start.map(|token| storable(&token)),
        ..extras
    }
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

async fn store_all(db: Db, mut waiting: mpsc::Receiver<Waiting>, wake: Arc<Notify>) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, TOGETHER).await > 0 {
        let (requests, answers): (Vec<_>, Vec<_>) = batch.drain(..).map(|(arrived, answer)| (Arc::new(arrived), answer)).unzip();
        let together = store(&db, requests.clone()).await;
        // One that cannot be stored takes no other with it.
        let apart = matches!(&together, Err(e) if e.is_poison()) && requests.len() > 1;
        for (request, answer) in requests.into_iter().zip(answers) {
            let stored = if apart { store(&db, vec![request]).await.is_ok() } else { together.is_ok() };
            // Whoever asked may have gone away; the row is stored all the same.
            let _gone = answer.send(stored);
        }
        wake.notify_one();
    }
}

/// Stores requests in one commit.
async fn store(db: &Db, requests: Vec<Arc<Vec<Arrived>>>) -> Result<(), StoreError> {
    let stored = db
        .write(Lane::Inbound, move |tx| {
            async move {
                let stored = inbox::store(tx, requests.iter().flat_map(|request| request.iter())).await?;
                fault::point("hook.stored");
                Ok(stored)
            }
            .boxed()
        })
        .await;
    if let Err(e) = &stored {
        tracing::error!(error = %e, "what came in could not be stored; providers are told to try again");
    }
    fault::point("hook.committed");
    metrics::counter!("porchlight_received_total").increment(*stored.as_ref().unwrap_or(&0) as u64);
    stored.map(|_| ())
}
