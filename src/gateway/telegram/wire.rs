//! One request to the Bot API, and what its answer means.
//!
//! | Answer | Decision |
//! |---|---|
//! | 2xx with `"ok": true` | taken |
//! | other 2xx | unknown: something took it |
//! | 429, 503 | busy, with `retry_after` |
//! | 403: blocked, or never begun by the person | blocked |
//! | 403, 400: deactivated, no such chat, a bot | unreachable |
//! | other 400, 403 and 413 | refused: about this message, nothing against the address |
//! | 401, 404, 409, 3xx, other 4xx | misconfigured: the token, or another program reads this bot |
//! | 408, other 5xx | unknown |
//!
//! The text of an answer is looked at and never kept: Telegram may quote the message in it.

use std::time::Duration;

use reqwest::{Client, Response};
use serde::Serialize;
use serde_json::Value;
use teloxide_core::requests::Payload;

use super::super::{Accepted, SendError};
use super::settings::Settings;

/// The longest wait that Telegram can ask for.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// The most bytes of an answer that are read: fifty updates of the longest kind are a small part of it.
const ANSWER: usize = 16 * 1024 * 1024;
/// How much longer than it was asked to wait a look at messages may take.
const SLOW: Duration = Duration::from_secs(10);

/// Connections to the Bot API.
pub(super) struct Wire {
    client: Client,
    /// With the token: never printed.
    base: String,
    timeout: Duration,
}

impl Wire {
    /// `None` if no HTTP client can be made.
    pub(super) fn new(settings: &Settings) -> Option<Wire> {
        let client = Client::builder()
            .user_agent(concat!("porchlight/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .tcp_nodelay(true)
            .connect_timeout(settings.connect_timeout)
            .pool_max_idle_per_host(settings.limits.concurrency)
            // Shorter than servers keep idle connections: a request on a dying one would be in doubt.
            .pool_idle_timeout(Duration::from_secs(10))
            .build()
            .ok()?;
        Some(Wire { client, base: format!("{}/bot{}", settings.url, settings.token), timeout: settings.timeout })
    }

    /// Asks, and gives the result.
    pub(super) async fn call<P: Payload + Serialize>(&self, payload: &P) -> Result<Value, SendError> {
        self.ask(payload, self.timeout).await
    }

    /// Asks for messages, which waits up to `wait`.
    pub(super) async fn look<P: Payload + Serialize>(&self, payload: &P, wait: Duration) -> Result<Value, SendError> {
        self.ask(payload, wait + SLOW).await
    }

    /// Sends a message.
    pub(super) async fn send<P: Payload + Serialize>(&self, payload: &P) -> Result<Accepted, SendError> {
        let result = self.ask(payload, self.timeout).await?;
        let id = result.get("message_id").and_then(Value::as_i64).map(|id| id.to_string());
        Ok(Accepted { provider_id: id })
    }

    async fn ask<P: Payload + Serialize>(&self, payload: &P, within: Duration) -> Result<Value, SendError> {
        let request = self.client.post(format!("{}/{}", self.base, method(P::NAME))).timeout(within).json(payload);
        let response = match request.send().await {
            Ok(response) => response,
            // The error names the address, and with it the token: it ends here.
            Err(error) if error.is_connect() => return Err(SendError::Busy { retry_after: None }),
            Err(error) if error.is_builder() => return Err(SendError::Misconfigured { code: "request".to_owned() }),
            Err(_) => return Err(SendError::Unknown),
        };
        let status = response.status().as_u16();
        decide(status, &body(response).await)
    }
}

/// `SendMessage` as the documentation writes it: some stand-ins of the Bot API look at the case.
fn method(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_ascii_lowercase().to_string() + chars.as_str()).unwrap_or_default()
}

/// What came before the answer broke off; one that is cut short is no JSON, and so unknown.
async fn body(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = ANSWER - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == ANSWER {
            break;
        }
    }
    body
}

/// What an answer means. Pure.
fn decide(status: u16, body: &[u8]) -> Result<Value, SendError> {
    let mut json = serde_json::from_slice::<Value>(body).unwrap_or(Value::Null);
    let ok = json.get("ok").and_then(Value::as_bool);
    if (200..300).contains(&status) {
        return match ok {
            Some(true) => Ok(json.get_mut("result").map(Value::take).unwrap_or_default()),
            Some(false) => Err(refusal(json.get("error_code").and_then(Value::as_u64).unwrap_or_default(), &json)),
            None => Err(SendError::Unknown),
        };
    }
    Err(refusal(u64::from(status), &json))
}

fn refusal(status: u64, json: &Value) -> SendError {
    let said = json.get("description").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let any = |phrases: &[&str]| phrases.iter().any(|phrase| said.contains(phrase));
    let code = |code: &str| code.to_owned();
    match status {
        429 | 503 => SendError::Busy { retry_after: retry_after(json) },
        // Both end when the person writes to the bot, and only then.
        403 if any(&["blocked by the user", "can't initiate conversation"]) => SendError::Blocked,
        400 | 403 if any(&["deactivated"]) => SendError::Unreachable { code: code("deactivated") },
        400 | 403 if any(&["chat not found", "user not found", "peer_id_invalid"]) => {
            SendError::Unreachable { code: code("no-such-chat") }
        }
        403 if any(&["to bots", "was kicked"]) => SendError::Unreachable { code: code("no-person") },
        400 | 403 | 413 => SendError::Refused { code: format!("telegram-{status}") },
        408 => SendError::Unknown,
        401 | 404 => SendError::Misconfigured { code: code("token") },
        409 => SendError::Misconfigured { code: code("read-by-another") },
        300..=499 => SendError::Misconfigured { code: format!("telegram-{status}") },
        _ => SendError::Unknown,
    }
}

/// How long Telegram asked us to wait; 0 says nothing, the caller's own back-off is then the longer wait.
fn retry_after(json: &Value) -> Option<Duration> {
    let seconds = json.pointer("/parameters/retry_after").and_then(Value::as_u64)?;
    (seconds > 0).then(|| Duration::from_secs(seconds).min(LONGEST_WAIT))
}
