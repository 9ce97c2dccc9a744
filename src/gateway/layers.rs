//! A table of the configuration over the same table of a preset: what the first does not say, the second does.
//!
//! Keys are asked for in both layers, so that each layer's unknown keys are faults.

use std::str::FromStr;
use std::time::Duration;

use super::Limits;
use super::incoming::Fields;
use super::settings::Environment;
use super::template::Template;
use crate::document::Table;

/// A table over the preset's table of the same name.
pub(super) struct Layers<'a> {
    pub(super) own: Option<&'a Table<'a, 'a>>,
    pub(super) preset: Option<&'a Table<'a, 'a>>,
    /// Where faults go that have no key of ours.
    pub(super) at: &'a Table<'a, 'a>,
    pub(super) path: String,
    pub(super) env: Environment<'a>,
}

impl<'a> Layers<'a> {
    /// The value of `key`, or of the environment variable that `key_env` names.
    pub(super) fn setting(&self, key: &str) -> Option<String> {
        let env_key = format!("{key}_env");
        let written = self.text(key);
        let Some(variable) = self.text(&env_key) else { return written };
        if self.own.is_some_and(|own| own.has(key)) {
            // A value in the table overrides a variable of the preset, but both in one table contradict.
            if self.own.is_some_and(|own| own.has(&env_key)) {
                self.fault(&env_key, format!("give `{key}` or `{env_key}`, not both"));
            }
            return written;
        }
        let value = (self.env)(&variable).filter(|value| !value.is_empty());
        if value.is_none() {
            self.fault(
                &env_key,
                format!("the environment variable `{variable}` is not set: set it where the service is started"),
            );
        }
        // A stand-in, so that the same fault is not told twice.
        value.or_else(|| Some("not-set-not-set-not-set".to_owned()))
    }

    pub(super) fn text(&self, key: &str) -> Option<String> {
        let preset = self.preset.and_then(|table| table.text(key));
        self.own.and_then(|table| table.text(key)).or(preset)
    }

    pub(super) fn need(&self, key: &str, what: &str) -> String {
        let text = self.text(key).unwrap_or_default();
        if text.trim().is_empty() {
            self.fault(key, format!("`{}{key}` is missing: give it {what}", self.path));
        }
        text
    }

    pub(super) fn texts(&self, key: &str) -> Vec<String> {
        let preset = self.preset.map(|table| table.texts(key)).unwrap_or_default();
        match self.own {
            Some(own) if own.has(key) => own.texts(key),
            Some(_) | None => preset,
        }
    }

    pub(super) fn two_words(&self, key: &str, default: [&str; 2]) -> [String; 2] {
        let words = self.texts(key);
        let default = default.map(str::to_owned);
        if words.is_empty() {
            return default;
        }
        <[String; 2]>::try_from(words).unwrap_or_else(|_| {
            self.fault(key, format!("`{key}` needs two words: for GSM-7 and for UCS-2"));
            default
        })
    }

    pub(super) fn parsed<T: FromStr>(&self, key: &str) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        let preset = self.preset.and_then(|table| table.parsed(key));
        self.own.and_then(|table| table.parsed(key)).or(preset)
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        let preset = self.preset.and_then(|table| table.flag(key));
        self.own.and_then(|table| table.flag(key)).or(preset)
    }

    pub(super) fn int_in(&self, key: &str, range: std::ops::RangeInclusive<i64>, default: i64) -> i64 {
        let default = self.preset.map_or(default, |table| table.int_in(key, range.clone(), default));
        self.own.map_or(default, |table| table.int_in(key, range, default))
    }

    pub(super) fn seconds(&self, key: &str, default: i64) -> Duration {
        Duration::from_secs(self.int_in(key, 1..=300, default).unsigned_abs())
    }

    pub(super) fn keys(&self) -> Vec<String> {
        let mut keys = self.preset.map(Table::keys).unwrap_or_default();
        for key in self.own.map(Table::keys).unwrap_or_default() {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    pub(super) fn template(&self, key: &str, text: &str) -> Template {
        Template::parse(text).unwrap_or_else(|what| {
            self.fault(key, format!("`{}{key}`: {what}", self.path));
            Template::default()
        })
    }

    /// The name of a field, or its JSON pointer.
    pub(super) fn field(&self, fields: Fields, key: &str, needed: bool) -> Option<String> {
        let name = self.text(key).filter(|name| !name.is_empty());
        if needed && name.is_none() {
            self.fault(key, format!("`{}{key}` is missing: which field holds it?", self.path));
        }
        match fields {
            Fields::Query | Fields::Form => name,
            Fields::Json => name.map(|name| self.pointer(key, name)),
        }
    }

    pub(super) fn pointer(&self, key: &str, pointer: String) -> String {
        if !pointer.is_empty() && !pointer.starts_with('/') {
            self.fault(key, format!("`{}{key}` must be a JSON pointer, such as \"/{pointer}\"", self.path));
        }
        pointer
    }

    /// Reads the table `key`, if either layer has it, and notes its unknown keys.
    pub(super) fn within<T>(&self, key: &str, read: impl FnOnce(&Layers<'_>) -> T) -> Option<T> {
        let own = self.own.and_then(|table| table.table(key));
        let preset = self.preset.and_then(|table| table.table(key));
        if own.is_none() && preset.is_none() {
            return None;
        }
        let value = read(&Layers {
            own: own.as_ref(),
            preset: preset.as_ref(),
            at: own.as_ref().unwrap_or(self.at),
            path: format!("{}{key}.", self.path),
            env: self.env,
        });
        own.into_iter().chain(preset).for_each(Table::finish);
        Some(value)
    }

    pub(super) fn under<'b>(&self, table: &'b Table<'b, 'b>, key: &str) -> Layers<'b>
    where
        'a: 'b,
    {
        Layers { own: Some(table), preset: None, at: table, path: format!("{}{key}.", self.path), env: self.env }
    }

    /// The gateway's name.
    pub(super) fn name(&self) -> String {
        let name = self.need("name", "a name for the gateway");
        if !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            self.fault("name", "a gateway's name stands in addresses: use small letters, digits and hyphens");
        }
        name
    }

    /// The public address of the service without a slash at its end.
    pub(super) fn public_url<'u>(&self, public_url: &'u str) -> &'u str {
        if public_url.contains(['%', '?', '#', ' ']) {
            self.fault("name", "the public address of the service must be plain: https://host[:port][/path]");
        }
        public_url.trim_end_matches('/')
    }

    /// Whether requests may go to this address, which stands at `url`.
    pub(super) fn check_address(&self, text: &str) {
        let plain_http = self.flag("plain_http").unwrap_or(false);
        match reqwest::Url::parse(text) {
            Ok(url) if url.scheme() == "https" => {}
            Ok(url) if url.scheme() == "http" => {
                let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
                if !local && !plain_http {
                    self.fault(
                        "url",
                        "`url` would carry passwords and patients' messages in the clear: use https, or say `plain_http = true` for a network that nobody else can read",
                    );
                }
            }
            _ if text.is_empty() => {}
            Ok(_) | Err(_) => self.fault("url", "`url` must begin with https:// or http:// and name a host"),
        }
    }

    /// How hard it may be pushed, unless said otherwise: requests at once, messages a second.
    pub(super) fn limits(&self, (concurrency, per_second): (i64, Option<f64>)) -> Limits {
        let said = self.own.and_then(|t| t.number("per_second")).or_else(|| self.preset.and_then(|t| t.number("per_second")));
        let fits = said.is_none_or(|n| n.is_finite() && n > 0.0);
        if !fits {
            self.fault("per_second", "`per_second` must be more than zero");
        }
        Limits {
            concurrency: usize::try_from(self.int_in("concurrency", 1..=512, concurrency)).unwrap_or(16),
            per_second: said.filter(|_| fits).or(per_second),
            pair: None,
        }
    }

    pub(super) fn fault(&self, key: &str, what: impl Into<String>) {
        self.at.fault(key, what);
    }
}
