//! Twilio's Messages API: SMS, and WhatsApp through Twilio.
//!
//! What is asked: one form per message. What is believed of the answer: an id (`SM…`, `MM…`) in a 2xx, or an error
//! code that [`codes`] knows; everything else is decided by HTTP, and doubt stays doubt. Callbacks are read in [`hooks`].

mod codes;
mod hooks;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde_json::Value;
use url::form_urlencoded::Serializer;

use self::codes::CODES;
use super::answer::scalar;
use super::approved::{self, Approved};
use super::exchange::{Answer, client, exchange};
use super::layers::Layers;
use super::settings::Environment;
use super::template::unreserved;
use super::{Accepted, Hook, Incoming, Limits, Outgoing, Rejected, Reply, Request, SendError, health};
use crate::document::Table;
use crate::model::{Channel, ContentClass};

/// For how long Twilio may hold a message, in seconds.
const VALIDITY: std::ops::RangeInclusive<u64> = 1..=36_000;
/// What stands before an address that is meant for WhatsApp.
const WHATSAPP: &str = "whatsapp:";

/// Who sends.
#[derive(Clone, PartialEq, Eq)]
enum Sender {
    Number(String),
    Service(String),
}

/// An account as configured. Has no `Debug`: it holds secrets.
struct Settings {
    name: String,
    channel: Channel,
    account: String,
    /// By what requests are authorised: the account itself, or a key of it.
    user: String,
    password: String,
    /// By what callbacks are signed.
    auth_token: String,
    sender: Sender,
    /// Without a slash at its end.
    url: String,
    public_url: String,
    approved: Approved,
    fold: bool,
    content: ContentClass,
    health_acknowledged: bool,
    limits: Limits,
}

/// A Twilio account. Cloning shares its connections.
#[derive(Clone)]
pub struct Twilio {
    settings: Arc<Settings>,
    client: Client,
}

impl fmt::Debug for Twilio {
    /// The name and the channel: everything else may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Twilio({}, {})", self.settings.name, self.settings.channel)
    }
}

impl Twilio {
    /// Reads a gateway's table; faults stay with its document, and so does [finishing](Table::finish) the table.
    /// `None` only if no HTTP client can be made, which is a fault too.
    pub fn read(table: &Table<'_, '_>, public_url: &str, env: Environment<'_>) -> Option<Twilio> {
        let layer = Layers { own: Some(table), preset: None, at: table, path: String::new(), env };
        let channel = layer.parsed("channel").unwrap_or(Channel::Sms);
        if channel == Channel::Telegram {
            layer.fault("channel", "Twilio carries sms and whatsapp");
        }
        let account = layer.need("account_sid", "the account's id, which begins with AC");
        let identifier = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric());
        if !account.is_empty() && (!account.starts_with("AC") || !identifier(&account)) {
            layer.fault("account_sid", "`account_sid` begins with AC and has letters and digits only");
        }
        let auth_token = layer.setting("auth_token").unwrap_or_default();
        if auth_token.is_empty() {
            layer.fault(
                "auth_token",
                "`auth_token` is missing: set it, or name a variable in `auth_token_env`; Twilio's callbacks are signed with it, also where an API key sends",
            );
        }
        let (user, password) = match (layer.text("api_key"), layer.setting("api_secret")) {
            (None, None) => (account.clone(), auth_token.clone()),
            (Some(key), Some(secret)) => (key, secret),
            (Some(_), None) | (None, Some(_)) => {
                layer.fault("api_key", "an API key has two halves: give `api_key` and `api_secret` (or `api_secret_env`)");
                (String::new(), String::new())
            }
        };
        let sender = match (layer.text("from"), layer.text("messaging_service")) {
            (Some(from), None) if !from.trim().is_empty() => Sender::Number(from),
            (None, Some(service)) if service.starts_with("MG") && identifier(&service) => Sender::Service(service),
            (from, service) => {
                let key = if service.is_some() { "messaging_service" } else { "from" };
                let both = from.is_some() && service.is_some();
                let what = if both { "one is enough" } else { "who sends" };
                layer.fault(key, format!("{what}: give `from` (a number) or `messaging_service` (its id, which begins with MG)"));
                Sender::Number(String::new())
            }
        };
        let url = layer.text("url").unwrap_or_else(|| "https://api.twilio.com".to_owned());
        layer.check_address(&url);
        let (health_acknowledged, content) = health::read(&layer, channel);
        let limits = layer.limits((16, None));
        let times = (layer.seconds("timeout_seconds", 30), layer.seconds("connect_timeout_seconds", 5));
        let settings = Settings {
            name: layer.name(),
            channel,
            account,
            user,
            password,
            auth_token,
            sender,
            url: url.trim_end_matches('/').to_owned(),
            public_url: layer.public_url(public_url).to_owned(),
            approved: approved::read(&layer, false),
            fold: layer.flag("fold").unwrap_or(channel == Channel::Sms),
            content,
            health_acknowledged,
            limits,
        };
        Some(Twilio { client: client(table, times, limits.concurrency)?, settings: Arc::new(settings) })
    }

    pub(super) fn name(&self) -> &str {
        &self.settings.name
    }

    pub(super) fn channel(&self) -> Channel {
        self.settings.channel
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

    /// Nothing is texted back: what is to be said goes through the outbox.
    pub(super) fn reply() -> Reply {
        let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>".to_owned();
        Reply { status: 200, content_type: "text/xml; charset=utf-8".to_owned(), body }
    }

    pub(super) fn parse(&self, request: &Request<'_>) -> Result<Vec<Incoming>, Rejected> {
        hooks::parse(&self.settings, request)
    }

    /// One request for one message.
    pub(super) async fn send(&self, message: &Outgoing) -> Result<Accepted, SendError> {
        let answer = exchange(&self.client, self.request(message)?).await?;
        decide(&answer)
    }

    /// Whether the account answers to us.
    pub(super) async fn probe(&self) -> Result<(), SendError> {
        let settings = &self.settings;
        let url = format!("{}/2010-04-01/Accounts/{}.json", settings.url, settings.account);
        let request = self.client.get(url).basic_auth(&settings.user, Some(&settings.password)).build();
        let answer = exchange(&self.client, request.map_err(|_| misconfigured("request"))?).await?;
        let json = answer.json();
        match json.as_ref().and_then(|json| text(json, "/status")).as_deref() {
            Some("active") if answer.status == 200 => Ok(()),
            Some("suspended" | "closed") if answer.status == 200 => Err(misconfigured("30002")),
            _ => Err(super::codes::refused(CODES, json.as_ref().and_then(|json| number(json, "/code")), &answer)),
        }
    }

    fn request(&self, message: &Outgoing) -> Result<reqwest::Request, SendError> {
        let settings = &self.settings;
        if message.reference.is_empty() || !message.reference.bytes().all(unreserved) {
            return Err(misconfigured("reference"));
        }
        let address = |number: &str| match settings.channel {
            Channel::WhatsApp => format!("{WHATSAPP}{}", number.trim_start_matches(WHATSAPP)),
            Channel::Sms | Channel::Telegram => number.to_owned(),
        };
        let mut form = Serializer::new(String::new());
        form.append_pair("To", &address(message.to.expose()));
        match &settings.sender {
            Sender::Number(number) => form.append_pair("From", &address(number)),
            Sender::Service(service) => form.append_pair("MessagingServiceSid", service),
        };
        if settings.channel == Channel::WhatsApp && !message.in_conversation {
            let chosen = settings.approved.choose(message)?;
            let values = chosen.values.into_iter().enumerate().map(|(n, value)| ((n + 1).to_string(), Value::String(value)));
            let values = Value::Object(values.collect());
            form.append_pair("ContentSid", chosen.language).append_pair("ContentVariables", &values.to_string());
        } else {
            form.append_pair("Body", message.text.expose());
        }
        let receipts = format!("{}{}?ref={}", settings.public_url, Hook::Receipt.path(&settings.name), message.reference);
        form.append_pair("StatusCallback", &receipts);
        if let Some(left) = message.expires_in {
            let seconds = left.as_secs().clamp(*VALIDITY.start(), *VALIDITY.end());
            form.append_pair("ValidityPeriod", &seconds.to_string());
        }
        self.client
            .post(format!("{}/2010-04-01/Accounts/{}/Messages.json", settings.url, settings.account))
            .basic_auth(&settings.user, Some(&settings.password))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))
            .body(form.finish())
            .build()
            .map_err(|_| misconfigured("request"))
    }
}

/// What an answer means. Pure.
fn decide(answer: &Answer) -> Result<Accepted, SendError> {
    let json = answer.json();
    let json = json.as_ref();
    if !(200..300).contains(&answer.status) {
        return Err(super::codes::refused(CODES, json.and_then(|json| number(json, "/code")), answer));
    }
    let id = json.and_then(|json| text(json, "/sid")).filter(|id| id.starts_with("SM") || id.starts_with("MM"));
    let (Some(json), Some(id)) = (json, id) else { return Err(SendError::Unknown) };
    match (text(json, "/status").as_deref(), number(json, "/error_code")) {
        // Taken and given up at once.
        (Some("failed" | "undelivered" | "canceled"), code) => {
            let refused = Answer { status: 400, headers: answer.headers.clone(), body: Vec::new() };
            Err(super::codes::refused(CODES, code, &refused))
        }
        _ => Ok(Accepted { provider_id: Some(id) }),
    }
}

fn text(json: &Value, pointer: &str) -> Option<String> {
    json.pointer(pointer).and_then(scalar).filter(|text| !text.is_empty() && text.len() <= 200)
}

fn number(json: &Value, pointer: &str) -> Option<u32> {
    text(json, pointer)?.parse().ok()
}

fn misconfigured(code: &str) -> SendError {
    SendError::Misconfigured { code: code.to_owned() }
}
