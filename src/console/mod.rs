//! The console of the care coordinators: handlers that read the store, fill the [`view`] models and change what a
//! person asked to have changed.
//!
//! **Invariants.**
//! - Nobody who is not signed in sees or changes anything; every read and write is for the site of the session.
//! - Every POST carries the session's token and comes from this site; nothing else changes a patient's record.
//! - A claim has one winner. Nothing is resolved without an outcome, nor by somebody who has not seen the latest words.
//! - Whether a reply can go is shown before it is pressed, by the same policy that decides when it is sent.
//! - Reading a record leaves an entry in the audit; no personal data reaches a log.
//!
//! **Why.** People act on what stands here within minutes. What is shown is read in one transaction a page, in a
//! fixed number of statements.

mod delivery;
mod error;
mod items;
mod link;
mod lists;
mod live;
mod pane;
mod patient;
mod queue;
mod reply;
mod session;
mod sign_in;
mod timeline;
pub mod view;
pub mod words;

use std::sync::{Arc, LazyLock};

use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use sha2::{Digest, Sha256};
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use self::error::Trouble;
use self::session::Signed;
use self::view::{Alarm, Frame, Me, Place, Shown};
use crate::clock::Time;
use crate::delivery::Gateways;
use crate::kit::Kit;
use crate::store::pause::Pause;
use crate::store::{Db, Tx, pages, pause};

pub use queue::rows;

/// No form is longer than this, in bytes: a reply of 1,600 characters in any script, percent-encoded, and a note.
const FORM: usize = 64 * 1024;
/// Passwords that are checked at a time: each takes 19 MiB.
const CHECKS: usize = 2;

/// What the console works with.
#[derive(Clone, Debug)]
pub struct Console {
    /// Clock, texts, rules, randomness.
    pub kit: Arc<Kit>,
    /// The database.
    pub db: Db,
    /// The ways out, for the policy and the delivery page.
    pub ways: Arc<Gateways>,
    /// Wakes the sender after a reply was planned.
    pub wake: Arc<Notify>,
    /// Changes whenever a page may have to change.
    pub news: watch::Receiver<u64>,
    /// Raised after a change of the console's own.
    pub tell: watch::Sender<u64>,
    /// Whether cookies are for HTTPS only; also asks browsers to come back by HTTPS alone.
    pub secure_cookies: bool,
    /// Ends the streams of live pages.
    pub stop: CancellationToken,
}

/// The console with what its handlers share.
#[derive(Debug)]
struct Served {
    console: Console,
    checks: Semaphore,
}

impl std::ops::Deref for Served {
    type Target = Console;
    fn deref(&self) -> &Console {
        &self.console
    }
}

type Desk = State<Arc<Served>>;
type Answer = Result<Response, Trouble>;

/// The console's routes; `/` is left to others.
pub fn router(console: Console) -> Router {
    let secure = console.secure_cookies;
    let served = Arc::new(Served { console, checks: Semaphore::new(CHECKS) });
    Router::new()
        .route("/signin", get(sign_in::door).post(sign_in::sign_in))
        .route("/signout", post(sign_in::sign_out))
        .route("/queue", get(queue::page))
        .route("/item/{id}/claim", post(items::claim))
        .route("/item/{id}/resolve", get(items::resolve_page).post(items::resolve))
        .route("/patient/{id}", get(patient::page))
        .route("/patient/{id}/reply", post(reply::send))
        .route("/patient/{id}/link", post(link::invite))
        .route("/panel", get(lists::panel))
        .route("/visits", get(lists::visits))
        .route("/delivery", get(delivery::page))
        .route("/delivery/{id}/{act}", post(delivery::act))
        .route("/more", get(lists::more))
        .route("/theme", post(lists::theme))
        .route(session::LIVE, get(live::stream))
        .route("/assets/{name}", get(asset))
        .fallback(nothing)
        .layer(DefaultBodyLimit::max(FORM))
        .layer(middleware::from_fn_with_state(Arc::clone(&served), error::explain))
        .layer(middleware::from_fn_with_state(secure, headers))
        .with_state(served)
}

/// The layer that sends the protecting headers with every page; `secure` also asks for HTTPS from now on.
///
/// A page may load nothing but what this site serves (OWASP Secure Headers), stands in no frame, tells no other site
/// where its reader came from, and is kept in no cache.
pub async fn headers(State(secure): State<bool>, request: Request, next: Next) -> Response {
    const ALWAYS: [(HeaderName, &str); 6] = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    let mut response = next.run(request).await;
    let all = response.headers_mut();
    for (name, value) in ALWAYS {
        all.insert(name, HeaderValue::from_static(value));
    }
    if secure {
        all.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    all.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A page, rendered.
fn html(page: &impl Template) -> Answer {
    Ok(Html(page.render()?).into_response())
}

/// A page that says no.
fn html_with(status: StatusCode, page: &impl Template) -> Answer {
    Ok((status, Html(page.render()?)).into_response())
}

/// To another page of this site, by GET.
fn go(to: &str) -> Response {
    Redirect::to(to).into_response()
}

impl Served {
    /// The frame of a page.
    async fn frame(&self, tx: &mut Tx, reader: &Signed, place: Place, toast: Option<Shown>) -> Result<Frame, Trouble> {
        let now = self.kit.now();
        let alarms = pages::alarms(tx, reader.site).await?.into_iter().map(|a| alarm(&a, now)).collect();
        Ok(Frame {
            csrf: reader.csrf.clone(),
            me: Me { initials: words::initials(&reader.name), name: reader.name.as_str().into(), state: "Signed in".to_owned() },
            place,
            theme: reader.theme,
            alarms,
            live: true,
            paused: pause::current(tx).await?.map(|p| paused(&p, self.kit.hours.zone(), now)),
            toast,
            now_ms: now.0,
            speed: self.kit.clock.speed(),
        })
    }

    /// Lets the pages of this process know that something changed.
    fn tell(&self) {
        self.tell.send_modify(|n| *n += 1);
    }
}

fn paused(pause: &Pause, zone: &crate::zone::Zone, now: Time) -> Shown {
    let since = words::when_exactly(zone, now, pause.since);
    format!(
        "Sending is paused since {since}: this is a restored copy. Nothing goes out until it is released with `porchlight release`. \
         Call whoever cannot wait."
    )
    .into()
}

fn alarm(alarm: &pages::Alarm, now: Time) -> Alarm {
    let id = crate::model::Id(alarm.id).to_string();
    let who = alarm.name.clone().unwrap_or_else(|| words::unknown_number(alarm.address.as_deref()));
    let left = (alarm.due_at - now.0) / 60_000;
    let time = if alarm.due_at <= now.0 {
        "Late to be claimed.".to_owned()
    } else if left == 0 {
        "Less than a minute to claim.".to_owned()
    } else {
        format!("{} to claim.", words::counted(left, "minute"))
    };
    let say = Shown::from(format!("Emergency: {who}. {} {time}", words::sentence(&alarm.reason)));
    Alarm { href: format!("/queue?view=team&item={id}#pane"), id, say }
}

async fn nothing() -> Trouble {
    Trouble::missing("There is no such page.")
}

struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    tag: String,
}

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    let asset = |name, kind, bytes: &'static [u8]| {
        let tag = format!("\"{}\"", crate::model::hex(&Sha256::digest(bytes)[..8]));
        Asset { name, kind, bytes, tag }
    };
    [
        asset("console.css", "text/css; charset=utf-8", include_bytes!("assets/console.css")),
        asset("console.js", "text/javascript; charset=utf-8", include_bytes!("assets/console.js")),
        asset("demo.js", "text/javascript; charset=utf-8", include_bytes!("assets/demo.js")),
    ]
});

async fn asset(Path(name): Path<String>, asked: HeaderMap) -> Response {
    let Some(asset) = ASSETS.iter().find(|a| a.name == name) else { return nothing().await.into_response() };
    let known = asked.get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == asset.tag.as_bytes());
    // Asked for anew each time: a page and its script always belong together.
    let kept = [(header::CACHE_CONTROL, "no-cache"), (header::ETAG, asset.tag.as_str())];
    if known {
        return (StatusCode::NOT_MODIFIED, kept).into_response();
    }
    (kept, [(header::CONTENT_TYPE, asset.kind)], asset.bytes).into_response()
}
