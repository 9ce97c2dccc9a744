//! The stream that open pages listen to.
//!
//! What this process does reaches a page at once, by the `news` channel; what other processes do, within a second, by
//! looking at the database. A stream ends when the service stops, or when its session does: then its last event says so,
//! because a page that no longer changes and does not say it looks like a quiet day.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::watch;
use tokio::time::Instant;

use super::session::{self, Signed};
use super::{Desk, Served};
use crate::model::Id;
use crate::store::{StoreError, escalations, pages, pause, staff};

/// How often the database is looked at for what other processes did.
const LOOK: Duration = Duration::from_secs(1);
/// The heartbeat: a page that hears nothing for 20 seconds says so.
const BEAT: Duration = Duration::from_secs(5);
/// A page is told of news no more often than this: in a burst, once now and once at its end.
const CALM: Duration = Duration::from_millis(250);

/// `GET /live`, for a patient's page `?patient=ID`.
pub(super) async fn stream(
    State(served): Desk,
    reader: Signed,
    Query(asked): Query<std::collections::HashMap<String, String>>,
) -> Response {
    let patient = asked.get("patient").and_then(|id| id.parse().ok());
    let listener = Listener::new(served, reader, patient);
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok::<_, Infallible>(event), listener))
    });
    let mut response = Sse::new(events).into_response();
    // Proxies that gather answers would hold the news back.
    response.headers_mut().insert("x-accel-buffering", axum::http::HeaderValue::from_static("no"));
    response
}

/// What the database showed last.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    items: String,
    patient: [i64; 6],
    paused: bool,
}

struct Listener {
    served: Arc<Served>,
    reader: Signed,
    patient: Option<Id>,
    news: watch::Receiver<u64>,
    seen: Option<Seen>,
    waiting: VecDeque<Event>,
    beat: Instant,
    look: Instant,
    told: Option<Instant>,
    /// News came in a burst: tell of it at its end.
    owed: bool,
    began: bool,
    /// The session is over, and the page was told.
    over: bool,
}

impl Listener {
    fn new(served: Arc<Served>, reader: Signed, patient: Option<Id>) -> Listener {
        let now = Instant::now();
        let mut news = served.news.clone();
        news.mark_unchanged();
        Listener {
            served,
            reader,
            patient,
            news,
            seen: None,
            waiting: VecDeque::new(),
            beat: now + BEAT,
            look: now,
            told: None,
            owed: false,
            began: false,
            over: false,
        }
    }

    /// The next event; nothing when the stream ends.
    async fn next(&mut self) -> Option<Event> {
        if !self.began {
            self.began = true;
            // What changed between the making of the page and this moment is fetched now.
            self.changed(self.patient);
            return Some(self.clock());
        }
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if self.over {
                return None;
            }
            let calm = self.told.map_or(self.beat, |told| told + CALM);
            tokio::select! {
                () = self.served.stop.cancelled() => return None,
                changed = self.news.changed() => {
                    if changed.is_err() {
                        return None;
                    }
                    if self.told.is_some_and(|told| told.elapsed() < CALM) { self.owed = true; } else { self.tell().await; }
                }
                () = tokio::time::sleep_until(calm), if self.owed => self.tell().await,
                () = tokio::time::sleep_until(self.look) => self.other_processes().await,
                () = tokio::time::sleep_until(self.beat) => {
                    self.beat += BEAT;
                    self.waiting.push_back(self.clock());
                    self.waiting.push_back(Event::default().event("ping").data(self.served.kit.now().0.to_string()));
                }
            }
        }
    }

    /// This process changed something: the page fetches itself, whatever it shows.
    async fn tell(&mut self) {
        self.owed = false;
        self.told = Some(Instant::now());
        let before = self.seen.clone();
        match self.read().await {
            Ok(None) => return self.signed_out(),
            Ok(now) => self.seen = now,
            Err(e) => tracing::warn!(error = %e, "a live page could not look at the database"),
        }
        // A patient's page whose own queue and timeline stand as they stood need not be fetched anew.
        match self.patient {
            Some(patient) if before.is_none() || before != self.seen => self.changed(Some(patient)),
            Some(_) => {}
            None => self.changed(None),
        }
    }

    /// Looks whether another process changed something.
    async fn other_processes(&mut self) {
        self.look = Instant::now() + LOOK;
        match self.read().await {
            Ok(None) => self.signed_out(),
            Ok(now) => {
                if self.seen.is_some() && self.seen != now {
                    self.changed(self.patient);
                }
                self.seen = now;
            }
            Err(e) => tracing::warn!(error = %e, "a live page could not look at the database"),
        }
    }

    /// The last thing that a page hears.
    fn signed_out(&mut self) {
        self.over = true;
        self.waiting.clear();
        self.waiting.push_back(Event::default().event("signedout").data("over"));
    }

    fn changed(&mut self, patient: Option<Id>) {
        let event = match patient {
            Some(patient) => Event::default().event("patient").data(patient.to_string()),
            None => Event::default().event("queue").data("changed"),
        };
        self.waiting.push_back(event);
    }

    /// What the database shows now; nothing when the session is over.
    async fn read(&self) -> Result<Option<Seen>, StoreError> {
        let mut tx = self.served.db.read().await?;
        let machine = self.served.kit.clock.machine();
        let session = staff::session(&mut tx, &self.reader.token_hash).await?;
        if !session.is_some_and(|s| session::alive(&s, machine)) {
            return Ok(None);
        }
        let items = escalations::news(&mut tx).await?;
        let patient = match self.patient {
            Some(patient) => pages::mark(&mut tx, patient).await?,
            None => [0; 6],
        };
        let paused = pause::current(&mut tx).await?.is_some();
        Ok(Some(Seen { items, patient, paused }))
    }

    fn clock(&self) -> Event {
        let kit = &self.served.kit;
        let data = serde_json::json!({ "now_ms": kit.now().0, "speed": kit.clock.speed() });
        Event::default().event("clock").data(data.to_string())
    }
}
