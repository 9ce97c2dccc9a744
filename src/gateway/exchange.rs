//! One request to a provider and its answer.
//!
//! *What can be said for certain about a failed exchange:* if no connection came about (refused, no such name,
//! connect time-out, TLS), nothing was sent: busy. If anything breaks or takes too long afterwards, the provider
//! may have read the request: unknown. Redirects are not followed and no proxy is taken from the environment,
//! so that passwords and texts go only where the configuration says.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Response};
use serde_json::Value;

use super::{BODY_LIMIT, SendError};
use crate::document::Table;
use crate::fault;

/// A client for one gateway; a fault of `table` if none can be made.
pub(super) fn client(table: &Table<'_, '_>, (timeout, connect_timeout): (Duration, Duration), places: usize) -> Option<Client> {
    let client = Client::builder()
        .user_agent(concat!("porchlight/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .tcp_nodelay(true)
        .timeout(timeout)
        .connect_timeout(connect_timeout)
        .pool_max_idle_per_host(places)
        // Shorter than providers keep idle connections: a request on a dying one would be in doubt.
        .pool_idle_timeout(Duration::from_secs(10))
        .build();
    match client {
        Ok(client) => Some(client),
        Err(_) => {
            table.fault("url", "no HTTP client can be made on this machine: is its TLS set up?");
            None
        }
    }
}

/// What a provider answered. Has no `Debug`: some quote the message.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// The first [`BODY_LIMIT`] bytes.
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// The body, if it is JSON.
    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// Sends one request, once.
///
/// # Errors
/// Busy, unknown, or a request that cannot be made.
pub(super) async fn exchange(client: &Client, request: reqwest::Request) -> Result<Answer, SendError> {
    let response = match client.execute(request).await {
        Ok(response) => response,
        Err(error) if error.is_connect() => return Err(SendError::Busy { retry_after: None }),
        Err(error) if error.is_builder() => return Err(SendError::Misconfigured { code: "request".to_owned() }),
        Err(_) => return Err(SendError::Unknown),
    };
    fault::point("send.status");
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    Ok(Answer { status, headers, body: capped_body(response).await })
}

/// The first [`BODY_LIMIT`] bytes of an answer, or as many as came before it broke off: the status is known by
/// now, and an answer whose words are missing is called unknown.
async fn capped_body(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = BODY_LIMIT - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == BODY_LIMIT {
            break;
        }
    }
    body
}
