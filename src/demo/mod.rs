//! The demo: an invented clinic with simulated phones, on this machine alone.

mod page;
mod panel;
mod people;

use std::sync::Arc;
use std::time::Duration;

use crate::app::{App, StartError};
use crate::clock::{Clock, ScaledClock, Time};
use crate::gateway::{Gateway, Simulator};
use crate::model::Channel;

pub use page::router;
pub use panel::{PASSWORD, Panel, seed};
pub use people::People;

/// The name of the demo's gateway.
pub const PHONES: &str = "phones";
/// How often simulated people look at their phones (machine time).
const LOOK: Duration = Duration::from_millis(50);

/// A demo that is ready to run.
#[derive(Debug, Clone)]
pub struct Demo {
    /// The service.
    pub app: App,
    /// Its clock.
    pub clock: Arc<ScaledClock>,
    /// The panel.
    pub panel: Arc<Panel>,
    /// The people with the phones.
    pub people: Arc<People>,
}

impl Demo {
    /// The simulated phones.
    #[must_use]
    pub fn phones(&self) -> Option<&Simulator> {
        match self.app.ways.named(PHONES) {
            Some(Gateway::Simulator(simulator)) => Some(simulator),
            Some(Gateway::Http(_) | Gateway::Telegram(_) | Gateway::Twilio(_) | Gateway::WhatsApp(_)) | None => None,
        }
    }

    /// Lets people look at their phones, answer, and receipts go back, until told to stop.
    pub async fn live(self) {
        loop {
            tokio::select! {
                () = self.app.stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            if let Err(e) = self.look().await {
                tracing::warn!(error = %e, "the simulated phones stood still for a moment");
            }
        }
    }

    async fn look(&self) -> Result<(), StartError> {
        let Some(phones) = self.phones() else { return Ok(()) };
        let now = self.app.kit.now();
        let mut incoming = phones.take_receipts();
        for (address, text) in self.people.look(&self.app.db, now).await? {
            incoming.push(phones.type_on_phone(&address, &text));
        }
        if !incoming.is_empty() {
            let received = self.app.receiver.receive(PHONES, Channel::Sms, incoming).await;
            if received.is_err() {
                tracing::warn!("the simulated phones could not be heard");
            }
            self.app.wake_inbox.notify_one();
        }
        self.panel.keep_clock(&self.app.db, now).await?;
        Ok(())
    }
}

/// The domain time at which a demo begins: 8:58 in the morning of `day`'s date at the clinic, or of the next weekday,
/// so that the first check-ins go out within two minutes.
#[must_use]
pub fn morning(zone: &crate::zone::Zone, today: Time) -> Time {
    use jiff::ToSpan;
    let mut date = zone.local(today).date();
    for _ in 0..7 {
        if date.weekday() == jiff::civil::Weekday::Tuesday {
            break;
        }
        let Ok(next) = date.checked_add(1.day()) else { break };
        date = next;
    }
    zone.instant(date, jiff::civil::time(8, 58, 0, 0)).unwrap_or(today)
}

/// A clock that goes on where the demo stood.
#[must_use]
pub fn clock(start: Time, speed: f64) -> Arc<ScaledClock> {
    let clock = Arc::new(ScaledClock::new(start, speed));
    debug_assert!(clock.now() >= start);
    clock
}
