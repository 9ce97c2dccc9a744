//! The demo's page: a phone in the visitor's hands, the coordinators' queue beside it, and the clock.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::middleware;
use axum::response::sse::{Event, Sse};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, extract::DefaultBodyLimit};
use futures_util::stream;
use jiff::civil::Date;
use tokio::time::Instant;

use super::{Demo, PASSWORD, PHONES};
use crate::clock::{Clock, Time};
use crate::console::view::{
    DemoPage, DemoPart, DemoSignIn, Icon, Phone, PhoneDay, PhoneLink, PhoneMessage, QueueRow, Shown, Speed, Step, TryReply, Words,
};
use crate::console::{self, words};
use crate::model::{Address, Channel, Id, Lang, Reason};
use crate::policy;
use crate::store::demo as reads;
use crate::store::{StoreError, pages};

/// How many phones stand in the first list.
const FIRST: usize = 10;
/// How many items of the queue stand beside the phone.
const ROWS: usize = 12;
/// The page is told of news no more often than this.
const CALM: Duration = Duration::from_millis(200);
const BEAT: Duration = Duration::from_secs(5);

#[derive(Debug)]
struct Served {
    demo: Demo,
    /// The token of the page's forms: another site cannot know it.
    csrf: String,
}

/// The routes of the demo: `/`, and what its forms post to.
pub fn router(demo: Demo) -> Router {
    let csrf = demo.app.kit.dice.token();
    Router::new()
        .route("/", get(page))
        .route("/demo/speed", post(speed))
        .route("/demo/phone/{id}", post(write))
        .route("/demo/live", get(live))
        .layer(DefaultBodyLimit::max(16 * 1024))
        .layer(middleware::from_fn_with_state(false, console::headers))
        .with_state(Arc::new(Served { demo, csrf }))
}

/// Why the page could not be made. The visitor is told to try again; the log says why.
struct Failed;

impl From<StoreError> for Failed {
    fn from(e: StoreError) -> Failed {
        tracing::error!(error = %e, "the demo's page could not be made");
        Failed
    }
}

impl From<askama::Error> for Failed {
    fn from(e: askama::Error) -> Failed {
        tracing::error!(error = %e, "the demo's page could not be made");
        Failed
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, "The demo could not be shown. Load the page again.\n").into_response()
    }
}

async fn page(State(served): State<Arc<Served>>, Query(asked): Query<HashMap<String, String>>) -> Result<Response, Failed> {
    let now = served.demo.app.kit.now();
    let part = served.part(asked.get("phone").and_then(|id| id.parse().ok()), now).await?;
    if asked.get("part").is_some_and(|p| p == "demo") {
        return Ok(Html(part.render()?).into_response());
    }
    Ok(Html(served.whole(part).render()?).into_response())
}

async fn speed(State(served): State<Arc<Served>>, Form(form): Form<HashMap<String, String>>) -> Response {
    if let Some(refused) = served.forged(&form) {
        return refused;
    }
    let wanted =
        form.get("speed").and_then(|s| s.parse::<f64>().ok()).filter(|s| SPEEDS.iter().any(|known| (known.0 - s).abs() < 0.5));
    if let Some(speed) = wanted {
        served.demo.clock.set_speed(speed);
        served.demo.app.news.send_modify(|n| *n += 1);
    }
    back(form.get("phone"))
}

async fn write(
    State(served): State<Arc<Served>>,
    Path(id): Path<String>,
    Form(form): Form<HashMap<String, String>>,
) -> Result<Response, Failed> {
    if let Some(refused) = served.forged(&form) {
        return Ok(refused);
    }
    let field = |name: &str| form.get(name).map(|s| s.trim()).filter(|s| !s.is_empty());
    let Some(text) = field("text").or(field("try")) else {
        return served.again(&id, "Write something first.", "").await;
    };
    let mut tx = served.demo.app.db.read().await?;
    let phones = reads::phones(&mut tx).await?;
    drop(tx);
    let Some(phone) = phones.iter().find(|p| Id(p.0).to_string() == id) else { return Ok(back(None)) };
    let address = Address::new(phone.3.as_str());
    served.demo.people.take(&address);
    let Some(simulator) = served.demo.phones() else { return Ok(back(Some(&id))) };
    let incoming = simulator.type_on_phone(&address, text);
    let app = &served.demo.app;
    if app.receiver.receive(PHONES, Channel::Sms, vec![incoming]).await.is_err() {
        return served.again(&id, "Not sent: the server could not keep it. Your text is still here. Try again.", text).await;
    }
    app.wake_inbox.notify_one();
    app.news.send_modify(|n| *n += 1);
    Ok(back(Some(&id)))
}

fn back(phone: Option<&String>) -> Response {
    let id = phone.and_then(|id| id.parse::<Id>().ok());
    Redirect::to(&id.map_or_else(|| "/".to_owned(), |id| format!("/?phone={id}#ph"))).into_response()
}

/// The stream that the page listens to.
async fn live(State(served): State<Arc<Served>>) -> Response {
    let news = served.demo.app.news.subscribe();
    let phones = served.demo.phones().map(crate::gateway::Simulator::subscribe);
    let listener = (served, news, phones, Instant::now(), None::<Instant>, true);
    let events = stream::unfold(listener, |(served, mut news, mut phones, mut beat, told, first)| async move {
        let stop = served.demo.app.stop.clone();
        if !first {
            let changed = async {
                match phones.as_mut() {
                    Some(phones) => tokio::select! { r = news.changed() => r.is_ok(), r = phones.changed() => r.is_ok() },
                    None => news.changed().await.is_ok(),
                }
            };
            tokio::select! {
                () = stop.cancelled() => return None,
                () = tokio::time::sleep_until(beat) => {
                    beat = Instant::now() + BEAT;
                    let event = clock(&served);
                    return Some((Ok::<_, Infallible>(event), (served, news, phones, beat, told, false)));
                }
                alive = changed => if !alive { return None; },
            }
            // A burst is told of once at its end.
            if told.is_some_and(|t| t.elapsed() < CALM) {
                tokio::time::sleep(CALM).await;
            }
            let event = Event::default().event("demo").data("changed");
            return Some((Ok(event), (served, news, phones, beat, Some(Instant::now()), false)));
        }
        let event = clock(&served);
        Some((Ok(event), (served, news, phones, Instant::now() + BEAT, told, false)))
    });
    Sse::new(events).into_response()
}

fn clock(served: &Served) -> Event {
    let kit = &served.demo.app.kit;
    let data = serde_json::json!({ "now_ms": kit.now().0, "speed": kit.clock.speed() });
    Event::default().event("clock").data(data.to_string())
}

const SPEEDS: [(f64, &str, &str); 4] = [
    (0.0, "", "Pause the clock"),
    (1.0, "×1", "Real time"),
    (60.0, "×60", "A minute each second"),
    (3600.0, "×3600", "An hour each second"),
];

impl Served {
    fn forged(&self, form: &HashMap<String, String>) -> Option<Response> {
        let sent = form.get("csrf").map_or("", String::as_str);
        let same: bool = subtle::ConstantTimeEq::ct_eq(sent.as_bytes(), self.csrf.as_bytes()).into();
        (!same).then(|| (StatusCode::FORBIDDEN, "The page was too old. Load it again.\n").into_response())
    }

    async fn again(&self, id: &str, error: &str, text: &str) -> Result<Response, Failed> {
        let mut part = self.part(id.parse().ok(), self.demo.app.kit.now()).await?;
        part.phone.error = Some(error.to_owned());
        text.clone_into(&mut part.phone.text);
        Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(self.whole(part).render()?)).into_response())
    }

    fn whole(&self, part: DemoPart) -> DemoPage {
        let email = self.demo.panel.staff.first().map(|s| s.0.clone()).unwrap_or_default();
        let running = self.demo.clock.speed();
        DemoPage {
            csrf: self.csrf.clone(),
            clock: part.clock,
            zone: part.zone,
            now_ms: part.now_ms,
            speed: part.speed,
            speeds: SPEEDS
                .iter()
                .map(|(speed, sign, label)| Speed {
                    value: format!("{speed:.0}"),
                    sign: (*sign).to_owned(),
                    label: (*label).to_owned(),
                    pressed: (speed - running).abs() < 0.5,
                })
                .collect(),
            phones: part.phones,
            more_phones: part.more_phones,
            phone: part.phone,
            rows: part.rows,
            tally: part.tally,
            steps: part.steps,
            sign_in: DemoSignIn { href: "/signin?next=/queue".into(), email, password: PASSWORD.into() },
        }
    }

    async fn part(&self, wanted: Option<Id>, now: Time) -> Result<DemoPart, Failed> {
        let zone = &self.demo.panel.zone;
        let mut tx = self.demo.app.db.read().await?;
        let phones = reads::phones(&mut tx).await?;
        let wrote = reads::wrote(&mut tx).await?;
        let next = reads::next(&mut tx).await?;
        let chosen = phones.iter().find(|p| wanted.is_some_and(|w| w.0 == p.0)).or(phones.first()).cloned();
        let Some((id, name, lang, _, hash)) = chosen else { return Err(Failed) };
        let lang: Lang = lang.parse().unwrap_or(Lang::En);
        let lines = reads::lines(&mut tx, Id(id), &hash).await?;
        let items = pages::unresolved(&mut tx, crate::kit::SITE).await?;
        let midnight = zone.first_from(zone.local(now).date(), jiff::civil::Time::midnight()).map_or(now, |m| m.1);
        let tally = reads::tally(&mut tx, midnight).await?;
        let happened = reads::happened(&mut tx).await?;
        drop(tx);

        let at = |of: &[(i64, i64)], patient: i64| of.iter().find(|w| w.0 == patient).map(|w| words::when(zone, now, Time(w.1)));
        let mut links: Vec<PhoneLink> = phones
            .iter()
            .map(|(patient, name, lang, address, _)| {
                let lang = lang.parse::<Lang>().map_or("", Lang::name);
                let state = if self.demo.people.is_taken(&Address::new(address.as_str())) {
                    "in your hands".to_owned()
                } else if let Some(at) = at(&wrote, *patient) {
                    format!("answered {at}")
                } else if let Some(at) = at(&next, *patient) {
                    format!("next text {at}")
                } else {
                    "nothing planned".to_owned()
                };
                PhoneLink {
                    href: format!("/?phone={}", Id(*patient)),
                    name: name.as_str().into(),
                    about: format!("{lang} · {state}").into(),
                    current: *patient == id,
                }
            })
            .collect();
        let more_phones = links.split_off(FIRST.min(links.len()));
        let kept: Vec<&pages::Item> = items.iter().take(ROWS).collect();
        let rows: Vec<QueueRow> = console::rows(&self.demo.app.kit, Id(0), &kept, now);
        let site = &self.demo.app.kit.site;
        let words = ["sent", "answered", "held", "not sent", "need a person"];
        Ok(DemoPart {
            clock: zone.local(now).strftime("%a %-d %b, %-H:%M").to_string(),
            zone: zone.name().to_owned(),
            now_ms: now.0,
            speed: self.demo.clock.speed(),
            phones: links,
            more_phones,
            phone: Phone {
                id: Id(id).to_string(),
                name: name.as_str().into(),
                lang,
                sender: site.clinic.as_str().into(),
                sender_number: site.phone.clone(),
                days: self.days(&lines, lang, now),
                tries: self
                    .demo
                    .people
                    .tries(lang)
                    .iter()
                    .map(|t| TryReply { english: t.english.as_str().into(), words: Words::new(lang, &t.text) })
                    .collect(),
                text: String::new(),
                error: None,
            },
            rows,
            tally: tally.iter().zip(words).map(|(n, word)| (usize::try_from(*n).unwrap_or(0), word.to_owned())).collect(),
            steps: happened.iter().map(|h| self.step(h, now)).collect(),
        })
    }

    fn days(&self, lines: &[reads::Line], lang: Lang, now: Time) -> Vec<PhoneDay> {
        let zone = &self.demo.panel.zone;
        let today = zone.local(now).date();
        let mut days: Vec<(Date, PhoneDay)> = Vec::new();
        for line in lines {
            let date = zone.local(Time(line.at)).date();
            if days.last().is_none_or(|d| d.0 != date) {
                days.push((date, PhoneDay { label: words::day_heading(today, date), messages: Vec::new() }));
            }
            let mine = line.mine == 1;
            let words = match line.lang.parse::<Lang>() {
                Ok(lang) => Words::new(lang, &line.body),
                Err(_) => words::patients_words(Some(lang), &line.body),
            };
            let english = self.demo.people.english(lang, &line.body).filter(|_| mine && lang != Lang::En).map(Shown::from);
            let message = PhoneMessage { mine, words, english, at: words::clock(zone, Time(line.at)) };
            if let Some((_, day)) = days.last_mut() {
                day.messages.push(message);
            }
        }
        days.into_iter().map(|(_, day)| day).collect()
    }

    fn step(&self, h: &reads::Happened, now: Time) -> Step {
        let zone = &self.demo.panel.zone;
        let who = if h.name.is_empty() { "Somebody unknown" } else { &h.name };
        let until = h.until.map(|t| words::when(zone, now, Time(t)));
        let (icon, text) = match h.kind.as_str() {
            "opened" | "raised" => {
                let icon = match h.detail.as_str() {
                    "emergency" => Icon::Emergency,
                    "urgent" => Icon::Urgent,
                    _ => Icon::Routine,
                };
                (icon, format!("{who}: read as {}. The team was told in the same second.", h.detail))
            }
            "claimed" => (Icon::Check, format!("{who}: a coordinator took it.")),
            "resolved" => (Icon::Checks, format!("{who}: resolved.")),
            outcome => {
                let reason: Reason = h.detail.parse().unwrap_or(Reason::Allowed);
                let icon = if outcome == "hold" { Icon::Moon } else { Icon::Skip };
                (icon, format!("{who}: {}", lower_first(&policy::sentence(outcome, reason, until.as_deref()))))
            }
        };
        Step { icon, at: words::clock(zone, Time(h.at)), text: text.into(), quote: None }
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
