//! Reads the table of a Telegram bot. Every fault is noted at its place, and none shows the token.

use std::time::Duration;

use teloxide_core::types::AllowedUpdate;

use super::super::layers::Layers;
use super::super::settings::Environment;
use super::super::{Hook, Limits};
use crate::document::Table;

/// Telegram's own limits: 30 messages a second, and one a second in a chat.
const PER_SECOND: f64 = 30.0;
const PER_CHAT: i64 = 1000;

/// How updates come.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Mode {
    /// They are asked for.
    Polling,
    /// Telegram posts them.
    Webhook { url: reqwest::Url, secret: String },
}

/// A bot as configured. Has no `Debug`: it holds the token.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) name: String,
    pub(super) token: String,
    /// Where the Bot API is, without a slash at its end.
    pub(super) url: String,
    /// The user name, if it is given.
    pub(super) bot: Option<String>,
    pub(super) mode: Mode,
    pub(super) updates: Vec<AllowedUpdate>,
    pub(super) connections: u8,
    pub(super) poll: Duration,
    pub(super) timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) limits: Limits,
}

/// Reads all of it; stand-ins keep the reading going past faults, which stay with the table's document.
pub(super) fn read(table: &Table<'_, '_>, public_url: &str, env: Environment<'_>) -> Settings {
    Layers { own: Some(table), preset: None, at: table, path: String::new(), env }.telegram(public_url)
}

impl Layers<'_> {
    fn telegram(&self, public_url: &str) -> Settings {
        let name = self.name();
        let token = self.setting("token").unwrap_or_default();
        if !is_token(&token) && !token.starts_with("not-set") {
            self.fault(
                "token",
                "`token` (or the variable that `token_env` names) must be what BotFather gave, such as 123456:ABC-DEF…",
            );
        }
        let url = self.text("url").unwrap_or_else(|| "https://api.telegram.org".to_owned());
        self.check_address(&url);
        let bot = self.text("bot").map(|bot| bot.trim_start_matches('@').to_owned());
        if bot.as_ref().is_some_and(|bot| !bot.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') || bot.len() < 3) {
            self.fault("bot", "`bot` must be the bot's user name, such as harbor_street_bot; leave it out to ask Telegram");
        }
        let mode = self.mode(&name, public_url);
        let per_second = self.own.and_then(|t| t.number("per_second")).unwrap_or(PER_SECOND);
        let fits = per_second.is_finite() && per_second > 0.0;
        if !fits {
            self.fault("per_second", "`per_second` must be more than zero");
        }
        let pair = self.int_in("chat_pause_ms", 0..=60_000, PER_CHAT);
        Settings {
            updates: self.updates(),
            connections: u8::try_from(self.int_in("max_connections", 1..=100, 40)).unwrap_or(40),
            poll: Duration::from_secs(self.int_in("poll_seconds", 1..=50, 25).unsigned_abs()),
            timeout: self.seconds("timeout_seconds", 30),
            connect_timeout: self.seconds("connect_timeout_seconds", 5),
            limits: Limits {
                concurrency: usize::try_from(self.int_in("concurrency", 1..=512, 16)).unwrap_or(16),
                per_second: Some(if fits { per_second } else { PER_SECOND }),
                pair: (pair > 0).then(|| Duration::from_millis(pair.unsigned_abs())),
            },
            url: url.trim_end_matches('/').to_owned(),
            name,
            token,
            bot,
            mode,
        }
    }

    fn mode(&self, name: &str, public_url: &str) -> Mode {
        let secret = self.setting("secret_token");
        match self.text("mode").as_deref() {
            None | Some("polling") => {
                if secret.is_some() {
                    self.fault(
                        "secret_token",
                        "`secret_token` proves a webhook's requests: leave it out, or say `mode = \"webhook\"`",
                    );
                }
                Mode::Polling
            }
            Some("webhook") => {
                let secret = secret.unwrap_or_default();
                let plain = secret.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
                if !plain || !(16..=256).contains(&secret.len()) {
                    self.fault(
                        "secret_token",
                        "`secret_token` (or the variable that `secret_token_env` names) must have 16 to 256 letters, digits, `_` or `-`: Telegram proves itself by it",
                    );
                }
                let url = format!("{}{}", public_url.trim_end_matches('/'), Hook::Inbound.path(name));
                match reqwest::Url::parse(&url) {
                    Ok(url) => Mode::Webhook { url, secret },
                    Err(_) => {
                        self.fault("mode", "Telegram needs an address to post to: set server.public_url, or use polling");
                        Mode::Polling
                    }
                }
            }
            Some(_) => {
                self.fault("mode", "`mode` must be \"polling\" or \"webhook\"");
                Mode::Polling
            }
        }
    }

    /// What Telegram is asked to tell. What people write and press is always among it.
    fn updates(&self) -> Vec<AllowedUpdate> {
        let mut updates = vec![AllowedUpdate::Message, AllowedUpdate::CallbackQuery];
        let own = self.own.filter(|own| own.has("allowed_updates"));
        let words = own
            .map_or_else(|| vec!["edited_message".to_owned(), "my_chat_member".to_owned()], |own| own.texts("allowed_updates"));
        for word in words {
            let update = match word.as_str() {
                "message" | "callback_query" => continue,
                "edited_message" => AllowedUpdate::EditedMessage,
                "my_chat_member" => AllowedUpdate::MyChatMember,
                _ => {
                    self.fault(
                        "allowed_updates",
                        format!("`{word}` is not read here: use message, callback_query, edited_message and my_chat_member"),
                    );
                    continue;
                }
            };
            updates.push(update);
        }
        updates
    }
}

/// `123456:` and at least twenty letters, digits, `_` or `-`.
fn is_token(text: &str) -> bool {
    text.split_once(':').is_some_and(|(id, rest)| {
        !id.is_empty()
            && id.bytes().all(|b| b.is_ascii_digit())
            && rest.len() >= 20
            && rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
    })
}
