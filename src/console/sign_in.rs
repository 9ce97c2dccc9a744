//! Signing in and out.
//!
//! **Invariants.** An unknown e-mail and a wrong password get the same answer after the same work. After ten failures
//! of an e-mail within 15 minutes nobody gets in with it for a while, with any password. A sign-in always makes a new
//! session and ends the one before.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::PasswordVerifier;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use futures_util::FutureExt;

use super::error::Trouble;
use super::session::{self, LONGEST, Posted, cookie, door_cookie, find, hash, same, session_cookie, set_cookie, theme};
use super::view::SignIn;
use super::{Answer, Desk, Served, go, html_with, queue};
use crate::clock::Time;
use crate::model::Id;
use crate::store::audit::{self, Entry};
use crate::store::{Lane, sites, staff};

/// Failures within [`SPAN`] after which an e-mail is shut out. OWASP asks for a limit per account; ten leaves room for
/// a person and makes guessing a 12-character password hopeless.
const FAILURES: i64 = 10;
const SPAN: Duration = Duration::from_mins(15);
/// How long somebody waits while others' passwords are checked.
const PATIENCE: Duration = Duration::from_secs(10);
/// No address is longer (RFC 5321), and no password is.
const LONGEST_EMAIL: usize = 254;
const LONGEST_PASSWORD: usize = 1024;
/// A hash that nobody has the password of, with the settings of the real ones: checking against it takes as long.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$cG9yY2hsaWdodC1ub2JvZHk$zCk5kDaC1h8uQJp6y8HtwUhSoH9RLrGxBvnCIVWsXWc";

/// `GET /signin?next=`.
pub(super) async fn door(State(served): Desk, Query(asked): Query<HashMap<String, String>>, headers: HeaderMap) -> Answer {
    let next = asked.get("next").and_then(|n| queue::local(n)).unwrap_or("/queue").to_owned();
    if find(&served, &headers, true).await?.is_some() {
        return Ok(go(&next));
    }
    page(&served, &headers, StatusCode::OK, "", &next, None).await
}

/// `POST /signin` with `email`, `password`, `next`, `csrf`.
pub(super) async fn sign_in(State(served): Desk, request: Request) -> Answer {
    let headers = request.headers().clone();
    let form = session::form(request, &served).await?;
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let door = cookie(&headers, door_cookie(served.secure_cookies)).unwrap_or_default();
    if door.is_empty() && served.secure_cookies {
        return Err(Trouble::refused(
            "Your browser did not keep this page’s cookie: it comes over HTTPS only. Open the console by https://. For a trial on this \
             machine alone, server.secure_cookies = false allows http.",
        )
        .back("/signin", "Sign in"));
    }
    if !same(field("csrf"), door) {
        return Err(Trouble::refused("This form is not from your browser. Open the page anew, then try again.")
            .back("/signin", "Sign in"));
    }
    let email = field("email").trim().to_lowercase();
    let next = queue::local(field("next")).unwrap_or("/queue").to_owned();
    let password = field("password").to_owned();

    // One after the other, so that no flood of tries gets past the count.
    let Ok(Ok(_place)) = tokio::time::timeout(PATIENCE, served.checks.acquire()).await else {
        return Err(Trouble::page(StatusCode::SERVICE_UNAVAILABLE, "Too many people are signing in. Try again in a minute.", "")
            .back("/signin", "Sign in"));
    };
    let machine = served.kit.clock.machine();
    let since = machine.minus(SPAN);
    let mut tx = served.db.read().await?;
    let failures = staff::failures(&mut tx, &email, since).await?;
    let found = staff::by_email(&mut tx, &email).await?;
    drop(tx);
    if failures >= FAILURES {
        let error = "Too many tries. Wait 15 minutes, then try again, or ask an administrator.";
        return page(&served, &headers, StatusCode::TOO_MANY_REQUESTS, field("email"), &next, Some(error)).await;
    }
    let sane = email.len() <= LONGEST_EMAIL && password.len() <= LONGEST_PASSWORD;
    let kept = found.as_ref().map_or(NOBODY, |s| s.password_hash.as_str()).to_owned();
    let right =
        tokio::task::spawn_blocking(move || Argon2::default().verify_password(password.as_bytes(), kept.as_str()).is_ok())
            .await
            .unwrap_or(false);
    let Some(who) = found.filter(|_| right && sane) else {
        let noted: String = email.chars().take(LONGEST_EMAIL).collect();
        served
            .db
            .write(Lane::Work, move |tx| {
                async move {
                    // Old failures, of anybody, are forgotten on the way: no e-mail is empty.
                    staff::forget_failures(tx, "", since).await?;
                    staff::note_failure(tx, &noted, machine).await
                }
                .boxed()
            })
            .await?;
        let error = "This e-mail and password do not belong together. Try again.";
        return page(&served, &headers, StatusCode::UNAUTHORIZED, field("email"), &next, Some(error)).await;
    };
    let before = cookie(&headers, session_cookie(served.secure_cookies)).map(hash);
    let token = open(&served, Id(who.id), email, before, (machine, since)).await?;
    let mut response = go(&next);
    let secure = served.secure_cookies;
    response.headers_mut().append(header::SET_COOKIE, set_cookie(session_cookie(secure), &token, None, secure));
    response.headers_mut().append(header::SET_COOKIE, set_cookie(door_cookie(secure), "", Some(0), secure));
    Ok(response)
}

/// `POST /signout`.
pub(super) async fn sign_out(State(served): Desk, posted: Posted) -> Answer {
    let kit = Arc::clone(&served.kit);
    let reader = posted.reader;
    served
        .db
        .write(Lane::Work, move |tx| {
            async move {
                staff::close_session(tx, &reader.token_hash).await?;
                let entry =
                    Entry { staff: Some(reader.staff), patient: None, action: "sign out", subject: reader.staff.to_string() };
                audit::add(tx, kit.ids.node(), &entry, kit.now()).await
            }
            .boxed()
        })
        .await?;
    let mut response = go("/signin");
    let secure = served.secure_cookies;
    response.headers_mut().append(header::SET_COOKIE, set_cookie(session_cookie(secure), "", Some(0), secure));
    Ok(response)
}

/// Opens a session and ends the one before. Gives its token, which is stored nowhere.
async fn open(served: &Served, who: Id, email: String, before: Option<String>, times: (Time, Time)) -> Result<String, Trouble> {
    let (token, csrf) = (served.kit.dice.token(), served.kit.dice.token());
    let token_hash = hash(&token);
    let kit = Arc::clone(&served.kit);
    let (machine, since) = times;
    served
        .db
        .write(Lane::Work, move |tx| {
            async move {
                if let Some(before) = &before {
                    staff::close_session(tx, before).await?;
                }
                staff::forget_failures(tx, &email, since).await?;
                staff::open_session(tx, &token_hash, who, &csrf, machine, machine.plus(LONGEST)).await?;
                let entry = Entry { staff: Some(who), patient: None, action: "sign in", subject: who.to_string() };
                audit::add(tx, kit.ids.node(), &entry, kit.now()).await
            }
            .boxed()
        })
        .await?;
    Ok(token)
}

/// The sign-in page, with a token that the browser keeps beside its form.
async fn page(served: &Served, headers: &HeaderMap, status: StatusCode, email: &str, next: &str, error: Option<&str>) -> Answer {
    let secure = served.secure_cookies;
    let kept = cookie(headers, door_cookie(secure)).filter(|t| t.len() == 26 && t.bytes().all(|b| b.is_ascii_alphanumeric()));
    let csrf = kept.map_or_else(|| served.kit.dice.token(), str::to_owned);
    let mut tx = served.db.read().await?;
    let site = sites::list(&mut tx).await?.into_iter().next();
    drop(tx);
    let page = SignIn {
        site: site.map_or_else(|| served.kit.site.clinic.as_str().into(), |s| format!("{}, care team", s.name).into()),
        csrf: csrf.clone(),
        theme: theme(headers),
        error: error.map(str::to_owned),
        email: email.to_owned(),
        next: next.to_owned(),
        emergency: served.kit.site.emergency.clone(),
        lifeline: served.kit.site.lifeline.clone(),
    };
    let mut response: Response = html_with(status, &page)?;
    response.headers_mut().append(header::SET_COOKIE, set_cookie(door_cookie(secure), &csrf, None, secure));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_nobody_is_read_and_never_matched() {
        let hash = argon2::password_hash::phc::PasswordHash::new(NOBODY).expect("a hash");
        let settings = argon2::Params::try_from(&hash).expect("settings");
        assert_eq!((settings.m_cost(), settings.t_cost(), settings.p_cost()), (19 * 1024, 2, 1), "as long as a real one");
        assert!(Argon2::default().verify_password(b"", NOBODY).is_err());
    }
}
