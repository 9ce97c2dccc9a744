//! The way to Telegram: a link that opens once, shown with its QR code or sent by text.
//!
//! **Invariant.** The token is in the link and nowhere else: the database has its hash, the page shows it once, and a new
//! link voids the one before. Making one is in the audit.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use futures_util::FutureExt;

use super::error::Trouble;
use super::session::Posted;
use super::view::{Invite, MadeLink, Shown};
use super::{Answer, Desk, Served, go, html, html_with, patient, words};
use crate::clock::Time;
use crate::compose::Args;
use crate::inbound::token_hash;
use crate::model::{Channel, Class, ContentClass, Id};
use crate::store::audit::{self, Entry};
use crate::store::links::{self, NewLink};
use crate::store::messages::{self, NewMessage};
use crate::store::patients::{self, Contact, Patient};
use crate::store::{Lane, StoreError, Tx};

/// How long a link opens.
const OPEN: Duration = Duration::from_hours(7 * 24);

/// The card on a patient's page; `None` where there is no bot.
pub(super) async fn card(
    served: &Served,
    tx: &mut Tx,
    patient: &Patient,
    contacts: &[Contact],
    (made, now): (Option<Result<MadeLink, Shown>>, Time),
) -> Result<Option<Invite>, Trouble> {
    if !served.ways.serves(Channel::Telegram) {
        return Ok(None);
    }
    let zone = served.kit.hours.zone();
    let open = links::open(tx, Id(patient.id), Channel::Telegram, now).await?;
    let connected = contacts.iter().any(|c| c.channel == Channel::Telegram.as_str() && c.state == "active");
    let state = match (&open, connected) {
        (Some(link), _) => {
            format!("A link waits until {}. A new one takes its place.", words::when_exactly(zone, now, Time(link.expires_at)))
        }
        (None, true) => "Connected. A new link moves it to whoever follows that one.".to_owned(),
        (None, false) => "Not connected: a bot cannot write first.".to_owned(),
    };
    let (made, error) = match made {
        Some(Ok(made)) => (Some(made), None),
        Some(Err(why)) => (None, Some(why)),
        None => (None, None),
    };
    Ok(Some(Invite { state: state.into(), made, error }))
}

/// `POST /patient/ID/link` with `class` and `how`: `show` or `text`.
pub(super) async fn invite(State(served): Desk, Path(id): Path<String>, posted: Posted) -> Answer {
    let id: Id = id.parse().map_err(|_| Trouble::missing("There is no such patient."))?;
    let Some(bot) = served.ways.bots().next() else { return Err(Trouble::missing("No bot is set up.")) };
    let Ok(name) = bot.bot().await else {
        let why = "No link was made: Telegram did not say what the bot is called. Try again, or write `bot` into the settings.";
        return again(&served, &posted, id, Err(why.into())).await;
    };
    // What is no class is the least.
    let class = posted.field("class").parse().unwrap_or(ContentClass::Logistics).min(ContentClass::Care);
    let by_text = posted.field("how") == "text";
    let token = served.kit.dice.token();
    let href = format!("https://t.me/{name}?start={token}");
    make(&served, &posted, id, (class, token, by_text.then(|| href.clone()))).await?;
    served.tell();
    if by_text {
        served.wake.notify_one();
        return Ok(go(&format!("/patient/{id}?done=sent#talk")));
    }
    let Some(code) = picture(&href) else {
        return again(&served, &posted, id, Err("No link was made: it is too long to be drawn.".into())).await;
    };
    again(&served, &posted, id, Ok(MadeLink { href, code })).await
}

async fn again(served: &Served, posted: &Posted, id: Id, link: Result<MadeLink, Shown>) -> Answer {
    let failed = link.is_err();
    let page = patient::load(served, &posted.reader, id, patient::Said { link: Some(link), ..patient::Said::default() }).await?;
    if failed { html_with(StatusCode::BAD_GATEWAY, &page) } else { html(&page) }
}

async fn make(
    served: &Arc<Served>,
    posted: &Posted,
    id: Id,
    (class, token, text): (ContentClass, String, Option<String>),
) -> Result<(), Trouble> {
    let (served, reader) = (Arc::clone(served), posted.reader.clone());
    let db = served.db.clone();
    let made = db.write(Lane::Work, move |tx| {
        async move {
            let kit = &served.kit;
            let now = kit.now();
            let Some(patient) = patients::get(tx, id).await?.filter(|p| p.site_id == reader.site.0) else {
                return Err(StoreError::Missing("patient"));
            };
            let link = NewLink {
                id: kit.id(),
                site: reader.site,
                patient: id,
                person: Id(patient.person_id),
                channel: Channel::Telegram,
                hash: token_hash(&token),
                class,
                staff: reader.staff,
                expires: now.plus(OPEN),
            };
            links::make(tx, &link, now).await?;
            let entry = Entry { staff: Some(reader.staff), patient: Some(id), action: "make link", subject: link.id.to_string() };
            audit::add(tx, kit.ids.node(), &entry, now).await?;
            let Some(href) = text else { return Ok(()) };
            let args = Args::default().with("clinic", kit.site.clinic.as_str()).with("link", href);
            let message = NewMessage {
                id: kit.id(),
                site: reader.site,
                patient: Some(id),
                thread: None,
                enrolment: None,
                occurrence: String::new(),
                appointment: None,
                inbox: None,
                staff: Some(reader.staff),
                direct: None,
                class: Class::Staff,
                content: ContentClass::Logistics,
                key: "link-invite".to_owned(),
                args: serde_json::to_string(&args).map_err(|e| StoreError::Unreadable(e.to_string()))?,
                question: String::new(),
                lang: patient.language()?.tag(),
                body: String::new(),
                planned_at: now,
                expires_at: Some(now.plus(OPEN)),
                ready_at: kit.clock.machine(),
            };
            messages::plan(tx, &[message]).await
        }
        .boxed()
    });
    Ok(made.await?)
}

/// The QR code of a text: the length of a side and the dark modules, with the quiet border of four that phones need.
fn picture(text: &str) -> Option<(usize, String)> {
    use std::fmt::Write as _;
    const BORDER: usize = 4;
    let code = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::M).ok()?;
    let side = code.width();
    let mut path = String::new();
    for (at, _) in code.to_colors().iter().enumerate().filter(|(_, color)| **color == qrcode::Color::Dark) {
        write!(path, "M{} {}h1v1h-1z", at % side + BORDER, at / side + BORDER).ok()?;
    }
    Some((side + 2 * BORDER, path))
}
