//! WhatsApp by Meta's Cloud API.
//!
//! What is believed of an answer: an id in a 2xx, or an error code that [`codes`] knows; everything else is decided by
//! HTTP, and doubt stays doubt. Callbacks are read in [`hooks`].

mod body;
mod codes;
mod hooks;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, HeaderValue};

use self::codes::CODES;
use super::answer::scalar;
use super::approved::{self, Approved};
use super::codes::refused;
use super::exchange::{Answer, client, exchange};
use super::layers::Layers;
use super::settings::Environment;
use super::template::unreserved;
use super::{Accepted, Incoming, Limits, Outgoing, Rejected, Reply, Request, SendError, health};
use crate::document::Table;
use crate::model::{Channel, ContentClass};

/// What the platform allows: messages a second for a number, and the least time between two to one person.
const PER_SECOND: f64 = 80.0;
const PAIR: Duration = Duration::from_secs(6);

/// A number as configured. Has no `Debug`: it holds secrets.
struct Settings {
    name: String,
    phone_number_id: String,
    token: String,
    app_secret: String,
    verify_token: String,
    /// Address and version, without a slash at the end.
    url: String,
    approved: Approved,
    fold: bool,
    content: ContentClass,
    health_acknowledged: bool,
    limits: Limits,
}

/// A business number on WhatsApp. Cloning shares its connections.
#[derive(Clone)]
pub struct WhatsApp {
    settings: Arc<Settings>,
    client: Client,
}

impl fmt::Debug for WhatsApp {
    /// The name: everything else may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WhatsApp({})", self.settings.name)
    }
}

impl WhatsApp {
    /// Reads a gateway's table; faults stay with its document, and so does [finishing](Table::finish) the table.
    /// `None` only if no HTTP client can be made, which is a fault too.
    pub fn read(table: &Table<'_, '_>, env: Environment<'_>) -> Option<WhatsApp> {
        let layer = Layers { own: Some(table), preset: None, at: table, path: String::new(), env };
        let secret = |key: &str, what: &str| {
            let value = layer.setting(key).unwrap_or_default();
            if value.is_empty() {
                layer.fault(key, format!("`{key}` is missing: set it, or name a variable in `{key}_env`; it is {what}"));
            }
            value
        };
        let phone_number_id = layer.need("phone_number_id", "the id of the business number, which is not the number itself");
        if !phone_number_id.bytes().all(|b| b.is_ascii_digit()) {
            layer.fault("phone_number_id", "`phone_number_id` has digits only");
        }
        let url = layer.text("url").unwrap_or_else(|| "https://graph.facebook.com".to_owned());
        layer.check_address(&url);
        let version = layer.text("version").unwrap_or_else(|| "v23.0".to_owned());
        if !version.starts_with('v') || !version.bytes().all(unreserved) {
            layer.fault("version", "`version` is written like \"v23.0\"");
        }
        let verify_token = secret("verify_token", "what Meta repeats when the webhook is set up");
        if !verify_token.is_empty() && verify_token.len() < 16 {
            layer.fault("verify_token", "`verify_token` must have at least 16 characters");
        }
        let (health_acknowledged, content) = health::read(&layer, Channel::WhatsApp);
        let limits = Limits { pair: Some(PAIR), ..layer.limits((32, Some(PER_SECOND))) };
        let times = (layer.seconds("timeout_seconds", 30), layer.seconds("connect_timeout_seconds", 5));
        let settings = Settings {
            name: layer.name(),
            phone_number_id,
            token: secret("token", "the system user's access token"),
            app_secret: secret("app_secret", "what Meta signs its callbacks with"),
            verify_token,
            url: format!("{}/{version}", url.trim_end_matches('/')),
            approved: approved::read(&layer, true),
            fold: layer.flag("fold").unwrap_or(false),
            content,
            health_acknowledged,
            limits,
        };
        Some(WhatsApp { client: client(table, times, limits.concurrency)?, settings: Arc::new(settings) })
    }

    pub(super) fn name(&self) -> &str {
        &self.settings.name
    }

    pub(super) fn limits(&self) -> Limits {
        self.settings.limits
    }

    pub(super) fn folds(&self) -> bool {
        self.settings.fold
    }

    pub(super) fn content(&self) -> ContentClass {
        self.settings.content
    }

    pub(super) fn health_acknowledged(&self) -> bool {
        self.settings.health_acknowledged
    }

    pub(super) fn approved(&self) -> &Approved {
        &self.settings.approved
    }

    /// An empty 200, or the challenge of a request that [`WhatsApp::parse`] has verified.
    pub(super) fn reply(request: &Request<'_>) -> Reply {
        let body = hooks::challenge(request).unwrap_or_default();
        Reply { status: 200, content_type: "text/plain".to_owned(), body }
    }

    pub(super) fn parse(&self, request: &Request<'_>) -> Result<Vec<Incoming>, Rejected> {
        let read = hooks::parse(&self.settings, request)?;
        if let Some(why) = read.unread.first() {
            tracing::warn!(gateway = self.name(), items = read.unread.len(), why, "a part of a callback could not be read");
        }
        Ok(read.incoming)
    }

    /// One request for one message.
    pub(super) async fn send(&self, message: &Outgoing) -> Result<Accepted, SendError> {
        decide(&exchange(&self.client, self.request(message)?).await?)
    }

    /// Whether the number answers to us.
    pub(super) async fn probe(&self) -> Result<(), SendError> {
        let settings = &self.settings;
        let url = format!("{}/{}?fields=id", settings.url, settings.phone_number_id);
        let request = self.client.get(url).bearer_auth(&settings.token).build();
        let answer = exchange(&self.client, request.map_err(|_| misconfigured("request"))?).await?;
        let id = answer.json().and_then(|json| scalar(json.pointer("/id")?));
        match id {
            Some(id) if answer.status == 200 && id == settings.phone_number_id => Ok(()),
            _ => Err(refused(CODES, code(&answer), &answer)),
        }
    }

    fn request(&self, message: &Outgoing) -> Result<reqwest::Request, SendError> {
        let settings = &self.settings;
        if message.reference.is_empty() || !message.reference.bytes().all(unreserved) {
            return Err(misconfigured("reference"));
        }
        let body = body::of(message, &settings.approved)?;
        self.client
            .post(format!("{}/{}/messages", settings.url, settings.phone_number_id))
            .bearer_auth(&settings.token)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(body.to_string())
            .build()
            .map_err(|_| misconfigured("request"))
    }
}

/// What an answer means. Pure.
fn decide(answer: &Answer) -> Result<Accepted, SendError> {
    if !(200..300).contains(&answer.status) {
        return Err(refused(CODES, code(answer), answer));
    }
    let id = answer.json().and_then(|json| scalar(json.pointer("/messages/0/id")?));
    match id.filter(|id| !id.is_empty() && id.len() <= 200) {
        Some(id) => Ok(Accepted { provider_id: Some(id) }),
        None => Err(SendError::Unknown),
    }
}

fn code(answer: &Answer) -> Option<u32> {
    scalar(answer.json()?.pointer("/error/code")?)?.parse().ok()
}

fn misconfigured(code: &str) -> SendError {
    SendError::Misconfigured { code: code.to_owned() }
}
