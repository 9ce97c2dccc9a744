//! Listens to a bot that has no webhook: one process at a time asks for its messages.
//!
//! *Invariant:* Telegram is told to forget what it gave only after that is durable, by the next look. What comes twice because
//! that look never happened is known by its number.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use super::receive::{NotReceived, Receiver};
use crate::escalation;
use crate::gateway::{SendError, Telegram};
use crate::kit::Kit;
use crate::model::Channel;
use crate::store::{Db, Lane, StoreError, leases};

/// How much longer than one look the right to look lasts.
const LEASE: Duration = Duration::from_secs(30);
/// How long whoever may not look waits before it asks again.
const ANOTHER: Duration = Duration::from_secs(5);
/// The rest after a look that brought nothing: a server that does not wait is not asked all the time.
const REST: Duration = Duration::from_millis(250);
/// The longest wait after failures.
const LONGEST: Duration = Duration::from_secs(60);
/// After so many failures of our own making in a row a person is told. A single one is two processes that take turns.
const TELL_AFTER: u32 = 3;

/// Why a look brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum Deaf {
    /// Telegram.
    #[error("{0}")]
    Telegram(#[from] SendError),
    /// The database.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// What came could not be stored: it comes again.
    #[error("{0}")]
    NotReceived(#[from] NotReceived),
}

/// One bot's listener.
#[derive(Debug)]
pub struct Listener {
    kit: Arc<Kit>,
    db: Db,
    receiver: Receiver,
    bot: Arc<Telegram>,
    from: Option<i64>,
    begun: bool,
    failures: u32,
}

impl Listener {
    /// A listener that has heard nothing yet.
    #[must_use]
    pub fn new(kit: Arc<Kit>, db: Db, receiver: Receiver, bot: Arc<Telegram>) -> Listener {
        Listener { kit, db, receiver, bot, from: None, begun: false, failures: 0 }
    }

    /// Listens until told to stop. A bot with a webhook is only told where it is.
    pub async fn run(mut self, stop: CancellationToken) {
        let wait = self.bot.polls();
        loop {
            let heard = tokio::select! {
                () = stop.cancelled() => break,
                heard = self.turn(wait) => heard,
            };
            let rest = match heard {
                Ok(None) if wait.is_none() => return,
                Ok(None) => ANOTHER,
                Ok(Some(0)) => REST,
                Ok(Some(_)) => Duration::ZERO,
                Err(e) => self.failed(&e).await,
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(rest) => {}
            }
        }
        if wait.is_some() {
            self.give_back().await;
        }
    }

    async fn turn(&mut self, wait: Option<Duration>) -> Result<Option<usize>, Deaf> {
        let heard = match wait {
            Some(wait) => self.look(wait).await?,
            None => {
                self.bot.begin().await?;
                None
            }
        };
        self.failures = 0;
        Ok(heard)
    }

    /// One look, which waits up to `wait` for something. Gives how much came; `None` if another process listens.
    ///
    /// # Errors
    /// See [`Deaf`]; whatever came comes again.
    pub async fn look(&mut self, wait: Duration) -> Result<Option<usize>, Deaf> {
        if !self.hold(wait).await? {
            // Telegram knows better where the other one is.
            self.from = None;
            self.begun = false;
            return Ok(None);
        }
        if !self.begun {
            self.bot.begin().await?;
            self.begun = true;
        }
        let mut updates = self.bot.updates(self.from, wait).await?;
        let incoming = std::mem::take(&mut updates.incoming);
        let count = incoming.len();
        self.receiver.receive(self.bot.name(), Channel::Telegram, incoming).await?;
        self.from = updates.next;
        self.bot.stored(updates);
        Ok(Some(count))
    }

    fn lease(&self) -> String {
        format!("listen:{}", self.bot.name())
    }

    async fn hold(&self, wait: Duration) -> Result<bool, StoreError> {
        let (kit, name) = (Arc::clone(&self.kit), self.lease());
        let held = self.db.write(Lane::Work, move |tx| {
            async move {
                let machine = kit.shared_machine(tx).await?;
                leases::hold(tx, &name, &kit.owner, machine, machine.plus(wait + LEASE)).await
            }
            .boxed()
        });
        held.await
    }

    async fn give_back(&self) {
        let (owner, name) = (self.kit.owner.clone(), self.lease());
        let given = self.db.write(Lane::Work, move |tx| async move { leases::give_back(tx, &name, &owner).await }.boxed());
        if let Err(e) = given.await {
            tracing::warn!(error = %e, "the right to listen could not be given back; another process has it in a minute");
        }
    }

    /// Notes a failure, tells a person if it is ours to mend, and gives how long to rest.
    async fn failed(&mut self, why: &Deaf) -> Duration {
        self.failures = self.failures.saturating_add(1);
        self.begun = false;
        metrics::counter!("porchlight_looks_failed_total").increment(1);
        tracing::warn!(gateway = self.bot.name(), error = %why, "a bot's messages could not be had; trying again");
        if let Deaf::Telegram(SendError::Misconfigured { code }) = why
            && self.failures == TELL_AFTER
        {
            self.tell(code).await;
        }
        if let Deaf::Telegram(SendError::Busy { retry_after: Some(asked) }) = why {
            return (*asked).min(LONGEST * 5);
        }
        let range = Duration::from_secs(1 << self.failures.min(6)).min(LONGEST);
        range.mul_f64(0.5 + 0.5 * self.kit.dice.fraction())
    }

    async fn tell(&self, code: &str) {
        let kit = Arc::clone(&self.kit);
        let reason =
            format!("The gateway {} is set up wrongly ({code}): what patients write there is not heard", self.bot.name());
        let told =
            self.db.write(Lane::Work, move |tx| async move { escalation::trouble(tx, &kit, reason, kit.now()).await }.boxed());
        if let Err(e) = told.await {
            tracing::error!(error = %e, "nobody could be told that a bot is not heard");
        }
    }
}
