//! Telegram, by its Bot API: a bot writes to chats, and hears them by long polling or by a webhook.
//!
//! *What can be said for certain about a failed exchange* is what [`super::http`] says: no connection is "certainly not
//! sent", anything that breaks afterwards is a doubt. Telegram gives no receipts: what it took stays "accepted".
//!
//! *The token* is part of every address: errors that carry one are mapped where they arise ([`wire`]) and never printed.
//!
//! *Presses and groups.* A pressed button is answered, and its keyboard is taken away, after what it says is stored, best
//! effort and in a loop of its own ([`Telegram::tidy`]): that can be lost, the answer can't.
//!
//! The types of requests and updates are teloxide's, which follow Telegram's changes. Its client is not used: it hides the
//! HTTP status, by which a refusal differs from a doubt, and rests ten seconds after each 5xx with a place taken.

mod settings;
#[cfg(test)]
mod tests;
mod update;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use subtle::ConstantTimeEq;
use teloxide_core::payloads::{
    AnswerCallbackQuery, DeleteWebhook, EditMessageReplyMarkup, EditMessageText, GetMe, GetUpdates, LeaveChat, SendMessage,
    SendMessageSetters, SetWebhook, SetWebhookSetters,
};
use teloxide_core::types::{
    CallbackQueryId, ChatId, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, MessageId, Recipient, ReplyMarkup,
};
use tokio::sync::{Mutex, OnceCell, mpsc};
use tokio_util::sync::CancellationToken;

use self::settings::{Mode, Settings};
use self::update::{Then, read};
use self::wire::Wire;
use super::settings::Environment;
use super::{Accepted, Choice, Hook, Incoming, Limits, Outgoing, Rejected, Request, SendError};
use crate::document::Table;
use crate::fault;

/// The most bytes of an update that comes by a webhook: a long text with the one that it replies to, each letter escaped.
pub const UPDATE_LIMIT: usize = 256 * 1024;
/// Letters of a text, in UTF-16 units, as Telegram counts them.
const TEXT: usize = 4096;
/// Presses and groups that wait to be tidied up; beyond them a keyboard stays as it is.
const TIDY: usize = 1000;
/// The header by which Telegram proves itself.
const SECRET: &str = "x-telegram-bot-api-secret-token";

/// A bot of Telegram.
pub struct Telegram {
    settings: Settings,
    wire: Wire,
    bot: OnceCell<String>,
    then: mpsc::Sender<Then>,
    waiting: Mutex<mpsc::Receiver<Then>>,
}

impl fmt::Debug for Telegram {
    /// The name: everything else may hold the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Telegram({})", self.settings.name)
    }
}

/// What a look at the bot's messages brought.
#[derive(Debug)]
pub struct Updates {
    /// What people wrote and did.
    pub incoming: Vec<Incoming>,
    /// Where the next look begins: that confirms these to Telegram, which then forgets them.
    pub next: Option<i64>,
    then: Vec<Then>,
}

impl Telegram {
    /// Reads a gateway's table; `public_url` is the address at which Telegram reaches this service, without a slash at its
    /// end. Faults stay with the table's document, and so does [finishing](Table::finish) the table. `None` only if no HTTP
    /// client can be made, which is a fault too.
    pub fn read(table: &Table<'_, '_>, public_url: &str, env: Environment<'_>) -> Option<Telegram> {
        let settings = settings::read(table, public_url, env);
        let Some(wire) = Wire::new(&settings) else {
            table.fault("url", "no HTTP client can be made on this machine: is its TLS set up?");
            return None;
        };
        let bot = OnceCell::new_with(settings.bot.clone());
        let (then, waiting) = mpsc::channel(TIDY);
        Some(Telegram { settings, wire, bot, then, waiting: Mutex::new(waiting) })
    }

    /// Its name in the configuration and in the address of its hook.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// How hard it may be pushed.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.settings.limits
    }

    /// How long a look at the bot's messages waits for one; `None` if they come by a webhook.
    #[must_use]
    pub fn polls(&self) -> Option<Duration> {
        match self.settings.mode {
            Mode::Polling => Some(self.settings.poll),
            Mode::Webhook { .. } => None,
        }
    }

    /// The bot's user name, by which links lead to it: as configured, else as Telegram says, asked once.
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn bot(&self) -> Result<&str, SendError> {
        let ask = async || {
            let me = self.wire.call(&GetMe::new()).await?;
            let name = me.get("username").and_then(Value::as_str).map(str::to_owned);
            name.ok_or(SendError::Misconfigured { code: "no-username".to_owned() })
        };
        self.bot.get_or_try_init(ask).await.map(String::as_str)
    }

    /// Tells Telegram how this bot wants its messages: by the webhook, or not by one.
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn begin(&self) -> Result<(), SendError> {
        match &self.settings.mode {
            Mode::Polling => self.wire.call(&DeleteWebhook::new()).await?,
            Mode::Webhook { url, secret } => {
                let hook = SetWebhook::new(url.clone())
                    .secret_token(secret.clone())
                    .allowed_updates(self.settings.updates.clone())
                    .max_connections(self.settings.connections);
                self.wire.call(&hook).await?
            }
        };
        Ok(())
    }

    /// Looks for messages from `from` on, and waits up to `wait` for one.
    ///
    /// # Errors
    /// See [`SendError`]; nothing was confirmed.
    pub async fn updates(&self, from: Option<i64>, wait: Duration) -> Result<Updates, SendError> {
        let look = GetUpdates {
            offset: from.and_then(|from| i32::try_from(from).ok()),
            limit: Some(50),
            timeout: u32::try_from(wait.as_secs()).ok(),
            allowed_updates: Some(self.settings.updates.clone()),
        };
        let answer = self.wire.look(&look, wait).await?;
        let Value::Array(updates) = answer else { return Err(SendError::Unknown) };
        let mut found = Updates { incoming: Vec::new(), next: from, then: Vec::new() };
        for update in &updates {
            // What cannot be read at all is passed over, or it would come for ever.
            found.next = found.next.max(update.get("update_id").and_then(Value::as_i64).map(|id| id + 1));
            match read(update) {
                Ok(came) => {
                    found.incoming.extend(came.incoming);
                    found.then.extend(came.then);
                }
                Err(why) => tracing::warn!(gateway = self.name(), why, "an update could not be read"),
            }
        }
        Ok(found)
    }

    /// What [`Telegram::updates`] brought is stored: keyboards that were pressed can go, and groups are left.
    pub fn stored(&self, updates: Updates) {
        self.later(updates.then);
    }

    /// What a request brought is stored, see [`Telegram::stored`].
    pub fn stored_request(&self, request: &Request<'_>) {
        let came = serde_json::from_slice::<Value>(request.body).ok().and_then(|update| read(&update).ok());
        self.later(came.and_then(|came| came.then));
    }

    fn later(&self, then: impl IntoIterator<Item = Then>) {
        for one in then {
            if self.then.try_send(one).is_err() {
                tracing::warn!(gateway = self.name(), "more buttons are pressed than can be answered: one is left as it is");
            }
        }
    }

    /// Does what waits to be tidied up and gives how much it was; waits for nothing.
    pub async fn tidy_now(&self) -> usize {
        let mut waiting = self.waiting.lock().await;
        let mut done = 0;
        while let Ok(then) = waiting.try_recv() {
            self.tidy_one(then).await;
            done += 1;
        }
        done
    }

    /// Answers presses and leaves groups as they come, until told to stop.
    pub async fn tidy(self: Arc<Self>, stop: CancellationToken) {
        let mut waiting = self.waiting.lock().await;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some(then) = waiting.recv() => self.tidy_one(then).await,
            }
        }
    }

    async fn tidy_one(&self, then: Then) {
        let done = match then {
            Then::Answer { query, chat, message, shown } => {
                // The phone shows a spinning button until it is answered: first that, whatever becomes of the keyboard.
                let answered = self.wire.call(&AnswerCallbackQuery::new(CallbackQueryId(query))).await;
                let edited = match (message, shown) {
                    (Some(message), Some(text)) => {
                        self.wire.call(&EditMessageText::new(Recipient::Id(ChatId(chat)), MessageId(message), text)).await
                    }
                    (Some(message), None) => {
                        self.wire.call(&EditMessageReplyMarkup::new(Recipient::Id(ChatId(chat)), MessageId(message))).await
                    }
                    (None, _) => Ok(Value::Null),
                };
                answered.and(edited)
            }
            Then::Leave { chat } => self.wire.call(&LeaveChat::new(Recipient::Id(ChatId(chat)))).await,
        };
        if let Err(e) = done {
            tracing::info!(gateway = self.name(), error = %e, "a pressed button or a group could not be tidied up");
        }
    }

    /// Reads a webhook's request, once Telegram proved itself by the secret.
    ///
    /// # Errors
    /// See [`Rejected`].
    pub fn parse(&self, request: &Request<'_>) -> Result<Vec<Incoming>, Rejected> {
        let Mode::Webhook { secret, .. } = &self.settings.mode else { return Err(Rejected::Unauthorised) };
        let given = request.headers.get(SECRET).map(reqwest::header::HeaderValue::as_bytes).unwrap_or_default();
        if !bool::from(given.ct_eq(secret.as_bytes())) {
            return Err(Rejected::Unauthorised);
        }
        if request.body.len() > UPDATE_LIMIT {
            return Err(Rejected::TooLarge);
        }
        let malformed = |what: &str| Rejected::Malformed { what: what.to_owned() };
        if request.path_kind != Hook::Inbound || request.method != Method::POST {
            return Err(malformed("updates are posted to the inbound door"));
        }
        let update: Value = serde_json::from_slice(request.body).map_err(|_| malformed("the body is no JSON"))?;
        read(&update).map(|came| came.incoming.into_iter().collect()).map_err(malformed)
    }

    /// One message: one request for each 4,096 letters, which is one.
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn send(&self, message: &Outgoing) -> Result<Accepted, SendError> {
        let Ok(chat) = message.to.expose().parse() else {
            return Err(SendError::Unreachable { code: "no-chat".to_owned() });
        };
        let texts = split(message.text.expose());
        let mut accepted = Accepted::default();
        for (n, text) in texts.iter().enumerate() {
            let choices = if n + 1 == texts.len() { message.choices.as_slice() } else { &[] };
            let sent = self.wire.send(&request(chat, text, choices)).await;
            fault::point("send.status");
            accepted = match sent {
                Ok(accepted) => accepted,
                // Some of it has arrived: it is neither sent nor not.
                Err(_) if n > 0 => return Err(SendError::Unknown),
                Err(e) => return Err(e),
            };
        }
        Ok(accepted)
    }
}

/// The request for a text with its buttons.
fn request(chat: i64, text: &str, choices: &[Choice]) -> SendMessage {
    let no_preview = LinkPreviewOptions {
        is_disabled: true,
        url: None,
        prefer_small_media: false,
        prefer_large_media: false,
        show_above_text: false,
    };
    let message = SendMessage::new(Recipient::Id(ChatId(chat)), text).link_preview_options(no_preview);
    if choices.is_empty() {
        return message;
    }
    let button = |choice: &Choice| InlineKeyboardButton::callback(choice.label.as_str(), choice.says.as_str());
    let rows: Vec<Vec<InlineKeyboardButton>> =
        choices.chunks(columns(choices)).map(|row| row.iter().map(button).collect()).collect();
    message.reply_markup(ReplyMarkup::InlineKeyboard(InlineKeyboardMarkup::new(rows)))
}

/// How many buttons stand side by side: the digits of a scale, a short yes and no; else each has a line to itself.
fn columns(choices: &[Choice]) -> usize {
    let longest = choices.iter().map(|choice| choice.label.chars().count()).max().unwrap_or(0);
    match choices.len() {
        _ if longest <= 2 => 6,
        2 if longest <= 12 => 2,
        _ => 1,
    }
}

/// A text in parts that Telegram takes, at a space where there is one.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let mut units = 0;
        let full = rest.char_indices().find(|(_, c)| {
            units += c.len_utf16();
            units > TEXT
        });
        let Some((end, _)) = full else {
            parts.push(rest);
            return parts;
        };
        let at = rest[..end].rfind(char::is_whitespace).filter(|at| *at > end / 2).unwrap_or(end);
        parts.push(&rest[..at]);
        rest = rest[at..].trim_start();
    }
}
