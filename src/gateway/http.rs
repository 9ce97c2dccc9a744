//! A generic SMS gateway over HTTP, described in the configuration: Kannel by a preset, others by hand.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use super::exchange::{self, Answer};
use super::incoming::Hooks;
use super::settings::{self, Auth, BodyTemplate, Environment, Settings};
use super::template::{Place, Placeholder, Template, unreserved};
use super::{Accepted, Incoming, Limits, Outgoing, Rejected, Reply, Request, SendError};
use crate::document::Table;
use crate::model::{Channel, ContentClass};

/// A gateway reached over HTTP. Cloning shares its connections.
#[derive(Clone)]
pub struct HttpGateway {
    settings: Arc<Settings>,
    client: Client,
}

impl fmt::Debug for HttpGateway {
    /// The name and the channel: everything else may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpGateway({}, {})", self.settings.name, self.settings.channel)
    }
}

impl HttpGateway {
    /// Reads a gateway's table; `public_url` is the address at which providers reach this service, without a
    /// slash at its end. Faults stay with the table's document, and so does [finishing](Table::finish) the table.
    /// `None` only if no HTTP client can be made, which is a fault too.
    pub fn read(table: &Table<'_, '_>, public_url: &str, env: Environment<'_>) -> Option<HttpGateway> {
        let settings = settings::read(table, public_url, env);
        let times = (settings.timeout, settings.connect_timeout);
        let client = exchange::client(table, times, settings.limits.concurrency)?;
        Some(HttpGateway { settings: Arc::new(settings), client })
    }

    /// Its name in the configuration and in the addresses of its hooks.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// What it carries.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.settings.channel
    }

    /// How hard it may be pushed.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.settings.limits
    }

    /// Whether the configuration says how receipts are read.
    #[must_use]
    pub fn gives_receipts(&self) -> bool {
        self.settings.hooks.receipt.is_some()
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

    /// Whether anybody answers at the address: nothing but the host is asked, so that nothing can be sent.
    pub(super) async fn probe(&self) -> Result<(), SendError> {
        let root = self.settings.url.literal_start().and_then(|start| reqwest::Url::parse(&start).ok()?.join("/").ok());
        let Some(root) = root else { return Err(misconfigured("url")) };
        let request = self.client.head(root).build().map_err(|_| misconfigured("request"))?;
        exchange::exchange(&self.client, request).await.map(|_| ())
    }

    /// What to answer the provider's own requests.
    #[must_use]
    pub fn reply(&self) -> Reply {
        self.settings.reply.clone()
    }

    /// Reads what the provider sent, once it proved itself by the shared secret. What could not be read of it is
    /// counted in the log, with the reason and nothing that the provider said.
    ///
    /// # Errors
    /// See [`Rejected`].
    pub fn parse(&self, request: &Request<'_>) -> Result<Vec<Incoming>, Rejected> {
        let hooks: &Hooks = &self.settings.hooks;
        let read = hooks.parse(request)?;
        if let Some(why) = read.unread.first() {
            tracing::warn!(gateway = self.name(), items = read.unread.len(), why, "a part of a callback could not be read");
        }
        Ok(read.incoming)
    }

    /// One request for one message.
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn send(&self, message: &Outgoing) -> Result<Accepted, SendError> {
        let request = self.request(message)?;
        let Answer { status, headers, body } = exchange::exchange(&self.client, request).await?;
        self.settings.answers.decide(status, &headers, &body)
    }

    /// The request for one message. Pure.
    fn request(&self, message: &Outgoing) -> Result<reqwest::Request, SendError> {
        let settings = &self.settings;
        if message.reference.is_empty() || !message.reference.bytes().all(unreserved) {
            return Err(misconfigured("reference"));
        }
        let value = |placeholder| self.value(placeholder, message);
        let render = |template: &Template, place| template.render(place, &value).ok_or_else(|| misconfigured("template"));

        let mut url = render(&settings.url, Place::Url)?;
        let query = parameters(&settings.query, &value);
        if !query.is_empty() {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&query);
        }
        let mut builder = self.client.request(settings.method.clone(), url);
        builder = match settings.auth {
            Auth::None => builder,
            Auth::Basic => builder.basic_auth(settings.username.as_deref().unwrap_or_default(), settings.password.as_deref()),
            Auth::Bearer => builder.bearer_auth(settings.password.as_deref().unwrap_or_default()),
        };
        let (content_type, body) = match &settings.body {
            BodyTemplate::None => (None, None),
            BodyTemplate::Form(form) => (Some("application/x-www-form-urlencoded"), Some(parameters(form, &value))),
            BodyTemplate::Json { expiring, forever } => {
                let template = forever.as_ref().filter(|_| message.expires_in.is_none()).unwrap_or(expiring);
                (Some("application/json"), Some(render(template, Place::Json)?))
            }
            BodyTemplate::Raw { content_type, template } => (Some(content_type.as_str()), Some(render(template, Place::Plain)?)),
        };
        let mut headers = HeaderMap::new();
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).map_err(|_| misconfigured("content_type"))?);
        }
        for (name, template) in &settings.headers {
            let Some(rendered) = template.render(Place::Plain, &value) else { continue };
            let name: HeaderName = name.parse().map_err(|_| misconfigured("header"))?;
            let mut rendered = HeaderValue::from_str(&rendered).map_err(|_| misconfigured("header"))?;
            rendered.set_sensitive(true);
            headers.insert(name, rendered);
        }
        builder = builder.headers(headers);
        if let Some(body) = body {
            builder = builder.body(body);
        }
        builder.build().map_err(|_| misconfigured("request"))
    }

    fn value<'v>(&'v self, placeholder: Placeholder, message: &'v Outgoing) -> Option<Cow<'v, str>> {
        let settings = &self.settings;
        let borrowed = |text: &'v Option<String>| text.as_deref().map(Cow::Borrowed);
        let seconds = || message.expires_in.map(|left| left.as_secs());
        match placeholder {
            Placeholder::To => Some(Cow::Borrowed(message.to.expose())),
            Placeholder::ToDigits => Some(Cow::Owned(message.to.expose().chars().filter(char::is_ascii_digit).collect())),
            Placeholder::Text => Some(Cow::Borrowed(message.text.expose())),
            Placeholder::From => borrowed(&settings.from),
            Placeholder::Reference => Some(Cow::Borrowed(&message.reference)),
            Placeholder::ReceiptUrl => {
                // Its values are made of unreserved characters: the secret is checked when it is read, the
                // reference before each request.
                let values = |inner| match inner {
                    Placeholder::Hook | Placeholder::Reference | Placeholder::Secret => self.value(inner, message),
                    _ => None,
                };
                settings.receipt_url.as_ref()?.render(Place::Plain, &values).map(Cow::Owned)
            }
            Placeholder::Ucs2 => Some(Cow::Borrowed(&settings.ucs2[usize::from(message.ucs2)])),
            Placeholder::Username => borrowed(&settings.username),
            Placeholder::Password => borrowed(&settings.password),
            Placeholder::Secret => Some(Cow::Borrowed(&settings.hooks.secret)),
            Placeholder::Hook => Some(Cow::Borrowed(&settings.hook_url)),
            Placeholder::ExpiresMinutes => seconds().map(|seconds| Cow::Owned((seconds / 60).max(1).to_string())),
            Placeholder::ExpiresSeconds => seconds().map(|seconds| Cow::Owned(seconds.max(1).to_string())),
        }
    }
}

/// `name=value&…`, encoded; a parameter without its value is left out.
fn parameters<'v>(list: &[(String, Template)], value: &dyn Fn(Placeholder) -> Option<Cow<'v, str>>) -> String {
    let mut out = String::new();
    for (name, template) in list {
        let Some(rendered) = template.render(Place::Parameter, value) else { continue };
        if !out.is_empty() {
            out.push('&');
        }
        super::template::percent_encode(name, &mut out);
        out.push('=');
        out.push_str(&rendered);
    }
    out
}

fn misconfigured(code: &str) -> SendError {
    SendError::Misconfigured { code: code.to_owned() }
}
