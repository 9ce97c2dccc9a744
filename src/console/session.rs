//! Who is signed in, and the proof that a form is theirs.
//!
//! **Invariants.** Only the SHA-256 of a session's token is stored. A session ends 12 hours after sign-in, an hour after
//! its reader last did something, or when they sign out; pages that refresh themselves do not keep it alive. A form is
//! read only by [`Posted`], which checks session, origin and token first.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Form, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use futures_util::FutureExt;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Served;
use super::error::Trouble;
use super::view::Theme;
use crate::clock::Time;
use crate::model::{Id, hex};
use crate::store::{Lane, staff};

/// How long a session lasts (machine time).
pub(super) const LONGEST: Duration = Duration::from_hours(12);
/// How long it lasts without its reader doing anything.
const IDLE: Duration = Duration::from_hours(1);
/// It is not written down more often than this that somebody did something.
const TOUCH: Duration = Duration::from_mins(1);
const THEME: &str = "porchlight_theme";
/// Where open pages listen for news.
pub(super) const LIVE: &str = "/live";

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub(super) struct Signed {
    pub(super) staff: Id,
    pub(super) site: Id,
    pub(super) name: String,
    pub(super) csrf: String,
    pub(super) token_hash: String,
    pub(super) theme: Theme,
}

impl FromRequestParts<Arc<Served>> for Signed {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, served: &Arc<Served>) -> Result<Signed, Trouble> {
        let signed = find(served, &parts.headers, acts(&parts.method, &parts.headers)).await?;
        signed.ok_or_else(|| {
            if parts.uri.path() == LIVE {
                // A stream that was sent on to a page would try again for ever.
                Trouble::page(StatusCode::UNAUTHORIZED, "You are signed out.", "a live page without a session")
            } else if parts.method == Method::GET {
                let next = parts.uri.path_and_query().map_or("", |p| p.as_str());
                // A part of a page is nowhere to come back to.
                Trouble::SignedOut(if next.contains("part=") { String::new() } else { next.to_owned() })
            } else {
                Trouble::refused("You are signed out.").back("/signin", "Sign in")
            }
        })
    }
}

/// A form of somebody who is signed in, with its token checked.
#[derive(Debug)]
pub(super) struct Posted {
    pub(super) reader: Signed,
    fields: HashMap<String, String>,
}

impl Posted {
    /// A field; empty if it is not there.
    pub(super) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

impl FromRequest<Arc<Served>> for Posted {
    type Rejection = Trouble;

    async fn from_request(request: Request, served: &Arc<Served>) -> Result<Posted, Trouble> {
        let (mut parts, body) = request.into_parts();
        let reader = Signed::from_request_parts(&mut parts, served).await?;
        let fields = form(Request::from_parts(parts, body), served).await?;
        let posted = Posted { reader, fields };
        if same(posted.field("csrf"), &posted.reader.csrf) {
            Ok(posted)
        } else {
            Err(Trouble::refused("This form is not from your session. Open the page anew, then try again."))
        }
    }
}

/// The fields of a form that comes from this site.
pub(super) async fn form(request: Request, served: &Arc<Served>) -> Result<HashMap<String, String>, Trouble> {
    if !from_here(request.headers()) {
        return Err(Trouble::refused("This form comes from another site."));
    }
    match Form::<HashMap<String, String>>::from_request(request, served).await {
        Ok(Form(fields)) => Ok(fields),
        Err(e) => Err(Trouble::page(e.status(), "This form could not be read.", "a form that cannot be read")),
    }
}

/// The session of a request, if it is alive. `acts`: the reader does something, so the session stays alive.
pub(super) async fn find(served: &Served, headers: &HeaderMap, acts: bool) -> Result<Option<Signed>, Trouble> {
    let Some(token) = cookie(headers, session_cookie(served.secure_cookies)) else { return Ok(None) };
    let token_hash = hash(token);
    let mut tx = served.db.read().await?;
    let found = staff::session(&mut tx, &token_hash).await?;
    drop(tx);
    let machine = served.kit.clock.machine();
    let Some(session) = found.filter(|s| alive(s, machine)) else { return Ok(None) };
    if acts && machine.since(Time(session.seen_at)) >= TOUCH {
        let hash = token_hash.clone();
        served.db.write(Lane::Work, move |tx| async move { staff::touch(tx, &hash, machine).await }.boxed()).await?;
    }
    Ok(Some(Signed {
        staff: Id(session.staff_id),
        site: Id(session.site_id),
        name: session.name,
        csrf: session.csrf,
        token_hash,
        theme: theme(headers),
    }))
}

/// Whether a session has not ended at `machine` (machine time), neither by its age nor for want of a reader.
pub(super) fn alive(session: &staff::Session, machine: Time) -> bool {
    machine.0 < session.expires_at && machine.since(Time(session.seen_at)) < IDLE
}

/// Whether two tokens are the same, in a time that does not tell how much of them is. An empty one is never the same.
pub(super) fn same(a: &str, b: &str) -> bool {
    !a.is_empty() && bool::from(a.as_bytes().ct_eq(b.as_bytes()))
}

/// SHA-256, hexadecimal.
pub(super) fn hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// The value of a cookie.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    all.flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(n, _)| *n == name)
        .map(|(_, value)| value)
}

/// The cookie that holds the session's token. With `__Host-` a browser takes it only by HTTPS and from this host.
pub(super) const fn session_cookie(secure: bool) -> &'static str {
    if secure { "__Host-porchlight_session" } else { "porchlight_session" }
}

/// The cookie that belongs to the sign-in form.
pub(super) const fn door_cookie(secure: bool) -> &'static str {
    if secure { "__Host-porchlight_door" } else { "porchlight_door" }
}

/// A `Set-Cookie` that scripts and other sites never see. Without `seconds` it ends with the browser; with 0, now.
/// `value` holds letters and digits only.
pub(super) fn set_cookie(name: &str, value: &str, seconds: Option<u64>, secure: bool) -> HeaderValue {
    let age = seconds.map_or(String::new(), |s| format!("; Max-Age={s}"));
    let secure = if secure { "; Secure" } else { "" };
    HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{age}"))
        .unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The reader's theme.
pub(super) fn theme(headers: &HeaderMap) -> Theme {
    Theme::parse(cookie(headers, THEME).unwrap_or_default())
}

/// A `Set-Cookie` for a year with the reader's theme.
pub(super) fn theme_cookie(theme: Theme, secure: bool) -> HeaderValue {
    set_cookie(THEME, theme.as_str(), Some(365 * 86_400), secure)
}

/// Whether a request is something that a person did: a form, or going to a page; not a page that refreshes itself.
fn acts(method: &Method, headers: &HeaderMap) -> bool {
    *method != Method::GET || headers.get("sec-fetch-mode").is_none_or(|mode| mode.as_bytes() == b"navigate")
}

/// Whether a form was sent by a page of this site, as far as the browser says. A browser that says nothing, or `null`
/// because pages here send no referrer, is left to the token.
fn from_here(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    let text = |name| headers.get(name).and_then(|v| v.to_str().ok());
    match text(header::ORIGIN) {
        None | Some("null") => true,
        Some(origin) => origin.split_once("://").map(|(_, host)| host) == text(header::HOST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (axum::http::HeaderName::from_static(n), HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn a_form_of_another_site_is_known_by_what_the_browser_says() {
        assert!(from_here(&with(&[("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")])));
        assert!(from_here(&with(&[("sec-fetch-site", "same-origin"), ("origin", "null")])));
        assert!(from_here(&with(&[("host", "porch.example")])));
        assert!(!from_here(&with(&[("origin", "https://evil.example"), ("host", "porch.example")])));
        assert!(!from_here(&with(&[("sec-fetch-site", "same-site"), ("host", "porch.example")])));
        assert!(!from_here(&with(&[("sec-fetch-site", "cross-site"), ("origin", "null")])));
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let headers = with(&[("cookie", "xporchlight_session=a; porchlight_session=b; porchlight_theme=dark")]);
        assert_eq!(cookie(&headers, "porchlight_session"), Some("b"));
        assert_eq!(theme(&headers), Theme::Dark);
        assert_eq!(cookie(&headers, "session"), None);
        assert!(!same("", "") && same("abc", "abc") && !same("abc", "abd") && !same("ab", "abc"));
    }

    #[test]
    fn a_secure_cookie_is_bound_to_the_host() {
        let set = set_cookie(session_cookie(true), "abc", None, true);
        assert_eq!(set, "__Host-porchlight_session=abc; Path=/; HttpOnly; SameSite=Strict; Secure");
    }

    #[test]
    fn a_page_that_refreshes_itself_does_not_keep_a_session_alive() {
        assert!(acts(&Method::GET, &with(&[("sec-fetch-mode", "navigate")])));
        assert!(acts(&Method::GET, &with(&[])));
        assert!(!acts(&Method::GET, &with(&[("sec-fetch-mode", "cors")])));
        assert!(acts(&Method::POST, &with(&[("sec-fetch-mode", "cors")])));
    }
}
