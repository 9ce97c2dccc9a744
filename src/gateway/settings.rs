//! Reads the description of an HTTP gateway: the table in the configuration, over a preset.
//!
//! Every fault is noted at its place; nothing is read at run time that could be wrong. A key of the table
//! overrides the preset's; in `headers`, `query` and `form` each parameter does, and an empty one takes the
//! preset's away. The table's `failures` come before the preset's.
//!
//! *Invariants:* the shared secret and the name are made of characters that need no encoding, because Kannel
//! expands `%` in a receipt address once more; passwords cross a network in the clear only where the
//! configuration says `plain_http = true`.

use std::borrow::Cow;
use std::str::FromStr;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};

use super::answer::{Answers, Failure, IdAt, Statuses, Test};
use super::incoming::Hooks;
use super::layers::Layers;
use super::template::{Place, Placeholder, Template, unreserved};
use super::{Hook, Limits, Reply, hook_settings};
use crate::document::{Document, Table};
use crate::model::{Channel, Meaning};

/// Looks up an environment variable: `std::env::var(name).ok()` in the program.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

const KANNEL: &str = include_str!("../../config/gateways/kannel.toml");

/// The body of a request.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum BodyTemplate {
    None,
    Form(Vec<(String, Template)>),
    Json(Template),
    Raw { content_type: String, template: Template },
}

/// How requests are authorised besides what the templates say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Auth {
    None,
    Basic,
    Bearer,
}

impl FromStr for Auth {
    type Err = String;

    fn from_str(word: &str) -> Result<Auth, String> {
        match word {
            "none" => Ok(Auth::None),
            "basic" => Ok(Auth::Basic),
            "bearer" => Ok(Auth::Bearer),
            _ => Err(format!("`{word}` is not a kind of authorisation: use none, basic or bearer")),
        }
    }
}

/// A gateway as configured. Has no `Debug`: it holds passwords.
#[derive(Clone, PartialEq)]
pub(super) struct Settings {
    pub(super) name: String,
    pub(super) channel: Channel,
    pub(super) method: Method,
    pub(super) url: Template,
    pub(super) headers: Vec<(String, Template)>,
    pub(super) query: Vec<(String, Template)>,
    pub(super) body: BodyTemplate,
    pub(super) auth: Auth,
    pub(super) from: Option<String>,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    pub(super) hook_url: String,
    pub(super) receipt_url: Option<Template>,
    /// The words for GSM-7 and for UCS-2.
    pub(super) ucs2: [String; 2],
    pub(super) answers: Answers,
    pub(super) hooks: Hooks,
    pub(super) reply: Reply,
    pub(super) timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) limits: Limits,
}

/// Reads all of it; stand-ins keep the reading going past faults, which stay with the table's document.
pub(super) fn read(table: &Table<'_, '_>, public_url: &str, env: Environment<'_>) -> Settings {
    let preset_text = match table.text("preset").as_deref() {
        None => "",
        Some("kannel") => KANNEL,
        Some(other) => {
            table.fault(
                "preset",
                format!("there is no preset `{other}`: use \"kannel\", or leave it out and describe the gateway"),
            );
            ""
        }
    };
    let preset_doc = Document::parse("preset", preset_text);
    let preset = preset_doc.root();
    let settings = Layers { own: Some(table), preset: Some(&preset), at: table, path: String::new(), env }.settings(public_url);
    preset.finish();
    if let Err(faults) = preset_doc.finish(()) {
        table.fault("preset", format!("the preset is broken: {faults}"));
    }
    settings
}

impl Layers<'_> {
    fn settings(&self, public_url: &str) -> Settings {
        let name = self.name();
        let channel = self.parsed("channel").unwrap_or(Channel::Sms);
        let public_url = public_url.trim_end_matches('/');
        if public_url.contains(['%', '?', '#', ' ']) {
            self.fault("name", "the public address of the service must be plain: https://host[:port][/path]");
        }
        let url = self.url();
        let headers = self.parameters("headers", true);
        let query = self.parameters("query", false);
        let ucs2 = self.two_words("ucs2_words", ["false", "true"]);
        let body = self.body(&ucs2);
        let secret = self.setting("secret").unwrap_or_default();
        let method = match self.text("method").as_deref() {
            None | Some("POST") => Method::POST,
            Some("GET") => Method::GET,
            Some("PUT") => Method::PUT,
            Some(_) => {
                self.fault("method", "`method` must be \"GET\", \"POST\" or \"PUT\"");
                Method::POST
            }
        };
        let (receipt, receipt_url) = self.within("receipt", hook_settings::receipt).unwrap_or_default();
        let settings = Settings {
            hook_url: format!("{public_url}{}", Hook::Receipt.path(&name)),
            channel,
            method,
            url,
            headers,
            query,
            body,
            auth: self.parsed("auth").unwrap_or(Auth::None),
            from: self.setting("from"),
            username: self.setting("username"),
            password: self.setting("password"),
            receipt_url,
            ucs2,
            answers: self.answers(),
            hooks: Hooks {
                secret,
                secret_at: hook_settings::secret_at(self),
                inbound: self.within("inbound", hook_settings::inbound).flatten(),
                receipt,
            },
            reply: self.within("reply", hook_settings::reply).unwrap_or_else(hook_settings::plain_reply),
            timeout: self.seconds("timeout_seconds", 30),
            connect_timeout: self.seconds("connect_timeout_seconds", 5),
            limits: self.limits(),
            name,
        };
        self.check(&settings);
        settings
    }

    /// What only shows when everything is read.
    fn check(&self, s: &Settings) {
        let hooks = s.hooks.inbound.is_some() || s.hooks.receipt.is_some();
        let secret_used = hooks || s.templates().any(|(_, t)| t.placeholders().any(|p| p == Placeholder::Secret));
        if secret_used && (s.hooks.secret.len() < 16 || !s.hooks.secret.bytes().all(unreserved)) {
            self.fault(
                "secret",
                "`secret` (or the variable that `secret_env` names) must have at least 16 letters, digits, `-`, `_`, `.` or `~`: providers prove themselves by it",
            );
        }
        let absent = [
            (Placeholder::From, s.from.is_none(), "from"),
            (Placeholder::Username, s.username.is_none(), "username"),
            (Placeholder::Password, s.password.is_none(), "password"),
            (Placeholder::ReceiptUrl, s.receipt_url.is_none(), "receipt"),
        ];
        for (placeholder, absent, key) in absent {
            let by_auth = match (placeholder, s.auth) {
                (Placeholder::Username, Auth::Basic) | (Placeholder::Password, Auth::Basic | Auth::Bearer) => true,
                (_, Auth::None | Auth::Basic | Auth::Bearer) => false,
            };
            let used = by_auth || s.templates().any(|(_, t)| t.placeholders().any(|p| p == placeholder));
            if absent && used {
                let remedy = if key == "receipt" { "give `receipt.url`" } else { "set it, or name a variable in `…_env`" };
                self.fault(key, format!("`{key}` is needed by this gateway's requests: {remedy}"));
            }
        }
        for (key, template) in s.templates() {
            if !key.is_optional && template.placeholders().any(Placeholder::may_be_absent) {
                self.fault(key.key, format!("`{}`: an expiry can only stand in a header, query or form parameter", key.key));
            }
            if key.key == "receipt"
                && template.placeholders().any(|p| !matches!(p, Placeholder::Hook | Placeholder::Reference | Placeholder::Secret))
            {
                self.fault(
                    key.key,
                    "`receipt.url` goes to the provider's logs: only {hook}, {reference} and {secret} can stand in it",
                );
            }
            if key.key == "url" && template.placeholders().any(|p| p == Placeholder::Text) {
                self.fault(key.key, "`url` must not hold {text}: put it into `query`, `form`, `json` or `raw`");
            }
        }
    }

    /// The gateway's name.
    pub(super) fn name(&self) -> String {
        let name = self.need("name", "a name for the gateway");
        if !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            self.fault("name", "a gateway's name stands in addresses: use small letters, digits and hyphens");
        }
        name
    }

    fn url(&self) -> Template {
        let text = self.need("url", "the address to which messages are sent");
        self.address("url", &text);
        self.template("url", &text)
    }

    /// Checks that an address is one, and that nothing goes over a network in the clear unless the table says so.
    pub(super) fn address(&self, key: &str, text: &str) {
        let plain_http = self.flag("plain_http").unwrap_or(false);
        let parsed = reqwest::Url::parse(&text.replace(['{', '}'], "x"));
        match parsed {
            Ok(url) if url.scheme() == "https" => {}
            Ok(url) if url.scheme() == "http" => {
                let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
                if !local && !plain_http {
                    self.fault(
                        key,
                        "`url` would carry passwords and patients' messages in the clear: use https, or say `plain_http = true` for a network that nobody else can read",
                    );
                }
            }
            _ if text.is_empty() => {}
            Ok(_) | Err(_) => self.fault(key, "`url` must begin with https:// or http:// and name a host"),
        }
    }

    fn body(&self, ucs2: &[String; 2]) -> BodyTemplate {
        let json = self.text("json");
        let raw = self.text("raw");
        let form = self.parameters("form", false);
        let content_type = self.text("content_type");
        if usize::from(json.is_some()) + usize::from(raw.is_some()) + usize::from(!form.is_empty()) > 1 {
            self.fault("form", "a request has one body: give one of `form`, `json` and `raw`");
        }
        if let Some(text) = json {
            let template = self.template("json", &text);
            // The awkward text makes a placeholder outside quotes show.
            let sample = template.render(Place::Json, &|placeholder| {
                Some(Cow::Borrowed(match placeholder {
                    Placeholder::Ucs2 => ucs2[0].as_str(),
                    Placeholder::ToDigits => "17185550117",
                    _ => "\"a b\\",
                }))
            });
            if sample.is_none_or(|text| serde_json::from_str::<serde_json::Value>(&text).is_err()) {
                self.fault("json", "`json` is not JSON once its placeholders are filled in: are they in quotes?");
            }
            return BodyTemplate::Json(template);
        }
        if let Some(text) = raw {
            let content_type = content_type.unwrap_or_else(|| "text/plain; charset=utf-8".to_owned());
            if HeaderValue::from_str(&content_type).is_err() {
                self.fault("content_type", "`content_type` cannot stand in a header");
            }
            return BodyTemplate::Raw { content_type, template: self.template("raw", &text) };
        }
        if form.is_empty() { BodyTemplate::None } else { BodyTemplate::Form(form) }
    }

    fn parameters(&self, key: &str, headers: bool) -> Vec<(String, Template)> {
        self.within(key, |layer| {
            layer
                .keys()
                .into_iter()
                .filter_map(|name| {
                    let text = layer.text(&name)?;
                    if text.is_empty() {
                        return None;
                    }
                    let template = layer.template(&name, &text);
                    if headers && HeaderName::from_str(&name).is_err() {
                        layer.fault(&name, format!("`{name}` is not the name of a header"));
                    }
                    if headers && template.placeholders().any(|p| p == Placeholder::Text) {
                        layer.fault(&name, "{text} cannot stand in a header: put it into `query`, `form`, `json` or `raw`");
                    }
                    Some((name, template))
                })
                .collect()
        })
        .unwrap_or_default()
    }

    fn answers(&self) -> Answers {
        let success = self.within("success", test).unwrap_or_default();
        if success == Test::default() {
            self.fault("success", "`success` is missing: say which answer means that the message was taken, such as `success = { status = [\"2xx\"] }`");
        }
        let mut failures = Vec::new();
        for table in self.own.into_iter().chain(self.preset) {
            for rule in table.tables("failures") {
                let layer = self.under(&rule, "failures");
                failures.push(Failure {
                    test: test(&layer),
                    meaning: rule.need_parsed(
                        "means",
                        "one of busy, unknown, blocked, unreachable, refused and misconfigured",
                        Meaning::Unknown,
                    ),
                    code: rule.text("code"),
                });
                drop(layer);
                rule.finish();
            }
        }
        let id = self.within("provider_id", |layer| match (layer.text("json"), layer.text("after"), layer.text("header")) {
            (Some(pointer), None, None) => Some(IdAt::Json(layer.pointer("json", pointer))),
            (None, Some(prefix), None) => Some(IdAt::After(prefix)),
            (None, None, Some(name)) => Some(IdAt::Header(name)),
            (None, None, None) | (Some(_), Some(_), _) | (Some(_), _, Some(_)) | (_, Some(_), Some(_)) => {
                layer.fault("json", "`provider_id` needs one of `json` (a pointer), `after` (a text) and `header` (a name)");
                None
            }
        });
        Answers { success, failures, id: id.flatten() }
    }

    fn limits(&self) -> Limits {
        let per_second =
            self.own.and_then(|t| t.number("per_second")).or_else(|| self.preset.and_then(|t| t.number("per_second")));
        let fits = per_second.is_none_or(|n| n.is_finite() && n > 0.0);
        if !fits {
            self.fault("per_second", "`per_second` must be more than zero");
        }
        Limits {
            concurrency: usize::try_from(self.int_in("concurrency", 1..=512, 16)).unwrap_or(16),
            per_second: per_second.filter(|_| fits),
            pair: None,
        }
    }
}

/// Which key a template came from.
pub(super) struct TemplateKey {
    key: &'static str,
    /// Whether the parameter is left out where a value is absent.
    is_optional: bool,
}

impl Settings {
    fn templates(&self) -> impl Iterator<Item = (TemplateKey, &Template)> {
        let one = |key, template| (TemplateKey { key, is_optional: false }, template);
        let mut all = vec![one("url", &self.url)];
        all.extend(parameters_of("headers", &self.headers));
        all.extend(parameters_of("query", &self.query));
        match &self.body {
            BodyTemplate::None => {}
            BodyTemplate::Form(form) => all.extend(parameters_of("form", form)),
            BodyTemplate::Json(template) => all.push(one("json", template)),
            BodyTemplate::Raw { template, .. } => all.push(one("raw", template)),
        }
        all.extend(self.receipt_url.as_ref().map(|template| one("receipt", template)));
        all.into_iter()
    }
}

fn parameters_of<'s>(key: &'static str, list: &'s [(String, Template)]) -> impl Iterator<Item = (TemplateKey, &'s Template)> {
    list.iter().map(move |(_, template)| (TemplateKey { key, is_optional: true }, template))
}

/// Conditions on an answer.
fn test(layer: &Layers<'_>) -> Test {
    let statuses = layer.texts("status").into_iter().filter_map(|text| match text.parse::<Statuses>() {
        Ok(statuses) => Some(statuses),
        Err(what) => {
            layer.fault("status", what);
            None
        }
    });
    let test = Test {
        statuses: statuses.collect(),
        starts_with: layer.texts("starts_with"),
        contains: layer.texts("contains"),
        json: layer.text("json").map(|pointer| (layer.pointer("json", pointer), layer.texts("equals"))),
    };
    if test == Test::default() {
        layer.fault("status", "a test of an answer needs one of `status`, `starts_with`, `contains` and `json`");
    }
    test
}
