//! What is said when something failed: what, whether anything was saved, a reference, a way back.
//!
//! A handler gives up with a [`Trouble`]; one layer around all routes turns it into a page and logs it under the
//! reference that the page shows. Neither holds personal data.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::session::theme;
use super::view::ErrorPage;
use super::{Served, queue};
use crate::store::StoreError;

/// Why a request came to nothing.
#[derive(Debug, Clone)]
pub(super) enum Trouble {
    /// Nobody is signed in: where they wanted to go.
    SignedOut(String),
    /// Everything else.
    Page(Failed),
}

/// What the page says.
#[derive(Debug, Clone)]
pub(super) struct Failed {
    status: StatusCode,
    what: &'static str,
    saved: &'static str,
    back: (String, &'static str),
    /// For the log.
    cause: String,
}

impl Trouble {
    /// There is no such thing, or it is another clinic's.
    pub(super) fn missing(what: &'static str) -> Trouble {
        Trouble::page(StatusCode::NOT_FOUND, what, "")
    }

    /// The form cannot be trusted or read.
    pub(super) fn refused(what: &'static str) -> Trouble {
        Trouble::page(StatusCode::FORBIDDEN, what, "")
    }

    /// Any other page.
    pub(super) fn page(status: StatusCode, what: &'static str, cause: &str) -> Trouble {
        let back = ("/queue".to_owned(), "To the queue");
        Trouble::Page(Failed { status, what, saved: "Nothing was saved.", back, cause: cause.to_owned() })
    }

    /// The same with another way back, on this site.
    pub(super) fn back(mut self, to: &str, words: &'static str) -> Trouble {
        if let Trouble::Page(failed) = &mut self {
            failed.back = (queue::local(to).unwrap_or("/queue").to_owned(), words);
        }
        self
    }
}

impl From<StoreError> for Trouble {
    fn from(e: StoreError) -> Trouble {
        let (status, what) = match &e {
            StoreError::Missing(_) => (StatusCode::NOT_FOUND, "This is not here."),
            StoreError::Conflict => (StatusCode::CONFLICT, "Somebody else changed this first. Look again."),
            StoreError::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "The service is stopping, or its database is away."),
            StoreError::Unsure => (StatusCode::SERVICE_UNAVAILABLE, "The connection to the database broke."),
            StoreError::Refused(_) => (StatusCode::UNPROCESSABLE_ENTITY, "This was refused."),
            StoreError::Database(_) | StoreError::Away(_) | StoreError::Unreadable(_) | StoreError::Migration(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "The database did not do it.")
            }
        };
        let mut trouble = Trouble::page(status, what, &e.to_string());
        if let (StoreError::Unsure, Trouble::Page(failed)) = (&e, &mut trouble) {
            failed.saved = "It is not known if this was saved: look before you do it again.";
        }
        trouble
    }
}

impl From<askama::Error> for Trouble {
    fn from(e: askama::Error) -> Trouble {
        // A page is made after whatever was saved.
        Trouble::Page(Failed {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            what: "This page could not be made.",
            saved: "What you did before is saved; look before you do it again.",
            back: ("/queue".to_owned(), "To the queue"),
            cause: e.to_string(),
        })
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        match self {
            Trouble::SignedOut(next) if next.is_empty() => Redirect::to("/signin").into_response(),
            Trouble::SignedOut(next) => Redirect::to(&format!("/signin?next={}", super::view::encoded(&next))).into_response(),
            Trouble::Page(failed) => {
                let mut response = failed.status.into_response();
                response.extensions_mut().insert(failed);
                response
            }
        }
    }
}

/// The layer that turns a [`Trouble`] into a page, with a reference that is also in the log.
pub(super) async fn explain(State(served): State<Arc<Served>>, request: Request, next: Next) -> Response {
    let theme = theme(request.headers());
    let mut response = next.run(request).await;
    let Some(failed) = response.extensions_mut().remove::<Failed>() else { return response };
    let reference = served.kit.id().to_string();
    if failed.status.is_server_error() {
        tracing::error!(reference, status = failed.status.as_u16(), cause = failed.cause, "a page failed");
    } else {
        tracing::info!(reference, status = failed.status.as_u16(), cause = failed.cause, "a request was refused");
    }
    let page = ErrorPage {
        status: failed.status.as_u16(),
        theme,
        what: failed.what.into(),
        saved: failed.saved,
        reference,
        back: (failed.back.0, failed.back.1.to_owned()),
    };
    match page.render() {
        Ok(html) => (failed.status, Html(html)).into_response(),
        Err(_) => (failed.status, [(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"))], failed.what).into_response(),
    }
}
