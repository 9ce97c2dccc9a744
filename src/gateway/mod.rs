//! The adapters by which messages leave the house and replies come in: a closed set.
//!
//! *Invariant:* only this folder speaks HTTP to providers, and whatever a provider does ends in one of six
//! decisions ([`SendError`]) or in an acceptance. [`SendError::Busy`] is said only where the message was
//! *certainly* not sent; every doubt is [`SendError::Unknown`], because a message sent twice can harm (a dose
//! taken twice) and a message believed sent can too.
//!
//! Reading what providers send us is pure: [`Gateway::parse`] checks the shared secret, then reads; storing is
//! the caller's work. An authenticated text of a patient is never refused for its encoding: what cannot be
//! decoded becomes U+FFFD and goes on to a person. Nor does one message or receipt that cannot be read take the
//! others of its request with it.

mod answer;
mod approved;
mod codes;
mod exchange;
mod health;
mod hook_settings;
mod http;
mod incoming;
mod layers;
#[cfg(test)]
mod preset_tests;
#[cfg(test)]
mod scripted;
mod settings;
mod signature;
mod simulator;
mod telegram;
mod template;
mod twilio;
mod whatsapp;
#[cfg(test)]
mod wire_tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderMap;

use crate::clock::Time;
use crate::document::Table;
use crate::model::{Address, Body, Channel, ContentClass, Extras, Id, Meaning, MessageState};

pub use http::HttpGateway;
pub use settings::Environment;
pub use simulator::{Direction, PhoneMessage, Simulator};
pub use telegram::{Telegram, Updates};
pub use twilio::Twilio;
pub use whatsapp::WhatsApp;

/// The most bytes of a provider's request or answer that are read.
pub const BODY_LIMIT: usize = 64 * 1024;
/// Meta puts many messages into one request.
const WHATSAPP_BODY_LIMIT: usize = 3 * 1024 * 1024;

/// One message on its way out.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The message; the same in every attempt.
    pub message: Id,
    /// Which attempt this is, from 1.
    pub attempt: i64,
    /// To whom: a number in E.164 with `+`, where the channel has numbers.
    pub to: Address,
    /// The text as it is to be shown.
    pub text: Body,
    /// A random token by which receipts name this message. Letters, digits, `-`, `_`, `.` and `~` only.
    pub reference: String,
    /// For how long the message is of use; a provider that can is told.
    pub expires_in: Option<Duration>,
    /// Whether the text needs UCS-2 instead of GSM-7. Must be right: where it is wrongly `false`, Kannel 1.4.5 puts
    /// `?` for each letter that GSM-7 lacks (í, á, all of Arabic or Cyrillic) and says nothing.
    pub ucs2: bool,
    /// The answers that it offers, for channels with buttons. The text says them as well.
    pub choices: Vec<Choice>,
    /// How many parts of SMS the text takes: what is counted against a provider's pace and price.
    pub segments: i64,
    /// What it says, for channels on which a business writes first in approved words only.
    pub wording: Wording,
    /// Whether the person wrote on this channel lately: then also free words may go where others need approved ones.
    pub in_conversation: bool,
}

impl Outgoing {
    /// A text in GSM-7 and nothing besides: no answers to choose from, of use for ever, first words to a stranger.
    #[must_use]
    pub fn plain((message, attempt): (Id, i64), to: Address, text: &str, reference: String) -> Outgoing {
        Outgoing {
            message,
            attempt,
            to,
            text: Body::new(text),
            reference,
            expires_in: None,
            ucs2: false,
            segments: 1,
            choices: Vec::new(),
            wording: Wording::default(),
            in_conversation: false,
        }
    }
}

/// One of the answers that a message offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What choosing it says, as if it had been typed: `C`, `1`.
    pub says: String,
    /// What stands on the button, in the patient's language.
    pub label: String,
}

/// Which message of the catalogue a text was made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wording {
    /// Its key; empty if a person wrote it.
    pub key: String,
    /// The tag of its language.
    pub lang: String,
    /// Its arguments by name, written as in the text. They may name the patient.
    pub args: Vec<(String, Body)>,
}

impl fmt::Debug for Outgoing {
    /// Names the message; its reference stays out of logs, since receipts are believed by it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("message", &self.message)
            .field("attempt", &self.attempt)
            .field("to", &self.to)
            .field("text", &self.text)
            .field("ucs2", &self.ucs2)
            .field("choices", &self.choices.len())
            .finish_non_exhaustive()
    }
}

/// The provider took the message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accepted {
    /// What the provider calls it, if it says.
    pub provider_id: Option<String>,
}

/// Why a message was not taken: what to do about it, not what caused it. Codes are ours or the
/// configuration's, never a provider's free text, so that they can be logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Certainly not sent, try again: connection refused, name not found, 429, 503.
    #[error("the provider is busy: certainly not sent")]
    Busy {
        /// How long the provider asked us to wait.
        retry_after: Option<Duration>,
    },
    /// Perhaps sent: the answer was lost, late, or not one that says.
    #[error("no usable answer: perhaps sent")]
    Unknown,
    /// The person stopped or blocked us on this channel.
    #[error("the recipient has blocked us")]
    Blocked,
    /// No message can reach this address: a rule of the configuration said so. Others can go on.
    #[error("the address cannot be reached ({code})")]
    Unreachable {
        /// Which rule said so.
        code: String,
    },
    /// This message was refused and will not be taken; the address is not at fault. The message fails, a person
    /// is told, and the contact stays as it is.
    #[error("the message was refused ({code})")]
    Refused {
        /// Which rule said so.
        code: String,
    },
    /// Our fault: the channel is to pause. Never a reason to opt anybody out.
    #[error("the gateway is set up wrongly ({code})")]
    Misconfigured {
        /// Which rule said so.
        code: String,
    },
}

/// What a provider told us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A person wrote. For a person to look at where the text is empty: perhaps a picture, or a field that moved.
    Message {
        /// From which address.
        from: Address,
        /// To which of ours, if the provider says.
        to: Option<Address>,
        /// What they wrote, perhaps nothing.
        text: Body,
        /// The provider's id: the same when the provider repeats itself.
        provider_id: Option<String>,
        /// When the provider says that it was written.
        provider_time: Option<Time>,
        /// What came with it, or stands in its place.
        extras: Extras,
    },
    /// A person left: blocked or stopped us at the provider, without a word.
    Left {
        /// From which address.
        from: Address,
        /// The provider's id: the same when the provider repeats itself.
        provider_id: Option<String>,
    },
    /// News of a message that we sent.
    Receipt {
        /// [`Outgoing::reference`].
        reference: Option<String>,
        /// [`Accepted::provider_id`].
        provider_id: Option<String>,
        /// One of sent, delivered, read and failed.
        state: MessageState,
        /// The provider's code, letters and digits only.
        code: Option<String>,
        /// What a failure means, where the code says: what is to be done about it.
        means: Option<Meaning>,
    },
}

/// Which of a gateway's two doors a request came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hook {
    /// Where messages of people come in.
    Inbound,
    /// Where news of our own messages comes in.
    Receipt,
}

impl Hook {
    /// The path of this door for the gateway called `name`, below the public address of the service.
    #[must_use]
    pub fn path(self, name: &str) -> String {
        match self {
            Hook::Inbound => format!("/hooks/{name}/inbound"),
            Hook::Receipt => format!("/hooks/{name}/receipt"),
        }
    }
}

/// A provider's request as it reached us.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// GET or POST; others are refused.
    pub method: &'a Method,
    /// The door.
    pub path_kind: Hook,
    /// What stands after `?`, as sent.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body, as sent.
    pub body: &'a [u8],
    /// When it came (machine time): signatures that carry a time are good for a while.
    pub at: Time,
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} {:?}, {} bytes)", self.method, self.path_kind, self.query.len() + self.body.len())
    }
}

/// Why a provider's request was not believed or understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// The shared secret is missing or wrong. Answer 401.
    #[error("the shared secret is missing or wrong")]
    Unauthorised,
    /// The secret is right, but nothing of the rest can be read. Answer 400.
    #[error("the request cannot be read: {what}")]
    Malformed {
        /// What is wrong, without anything that the request said.
        what: String,
    },
    /// More than [`Gateway::body_limit`]. Answer 413.
    #[error("the request is too large")]
    TooLarge,
}

/// What to answer a provider once what it told us is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The `Content-Type`.
    pub content_type: String,
    /// The body. A gateway like Kannel would text it to the patient: empty unless the provider wants one.
    pub body: String,
}

/// How hard a gateway may be pushed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The most requests under way at once.
    pub concurrency: usize,
    /// The most segments (on chats: messages) a second, if there is a limit.
    pub per_second: Option<f64>,
    /// The shortest time between two messages to one address, if there is one.
    pub pair: Option<Duration>,
}

/// One way out and in.
#[derive(Debug)]
pub enum Gateway {
    /// Phones inside this process: the demo and the tests.
    Simulator(Simulator),
    /// An SMS gateway that is described in the configuration.
    Http(HttpGateway),
    /// Twilio.
    Twilio(Twilio),
    /// WhatsApp by Meta's Cloud API.
    WhatsApp(WhatsApp),
    /// A bot of Telegram.
    Telegram(Arc<Telegram>),
}

impl Gateway {
    /// The kinds that the configuration can name.
    pub const KINDS: &str = "http, telegram, twilio or whatsapp";

    /// Reads a `[[gateway]]` of a known kind; faults stay with the table's document. `None` for another kind, or with a fault.
    pub fn read(kind: &str, table: &Table<'_, '_>, public_url: &str, env: Environment<'_>) -> Option<Gateway> {
        match kind {
            "http" => HttpGateway::read(table, public_url, env).map(Gateway::Http),
            "telegram" => Telegram::read(table, public_url, env).map(|bot| Gateway::Telegram(Arc::new(bot))),
            "twilio" => Twilio::read(table, public_url, env).map(Gateway::Twilio),
            "whatsapp" => WhatsApp::read(table, env).map(Gateway::WhatsApp),
            _ => {
                table.fault("kind", format!("`{kind}` is no kind of gateway: use {}", Gateway::KINDS));
                None
            }
        }
    }

    /// Its name in the configuration and in the addresses of its hooks.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Gateway::Simulator(simulator) => simulator.name(),
            Gateway::Http(http) => http.name(),
            Gateway::Twilio(twilio) => twilio.name(),
            Gateway::WhatsApp(whatsapp) => whatsapp.name(),
            Gateway::Telegram(telegram) => telegram.name(),
        }
    }

    /// Its kind as the configuration names it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Gateway::Simulator(_) => "simulator",
            Gateway::Http(_) => "http",
            Gateway::Twilio(_) => "twilio",
            Gateway::WhatsApp(_) => "whatsapp",
            Gateway::Telegram(_) => "telegram",
        }
    }

    /// What it carries.
    #[must_use]
    pub fn channel(&self) -> Channel {
        match self {
            Gateway::Simulator(simulator) => simulator.channel(),
            Gateway::Http(http) => http.channel(),
            Gateway::Twilio(twilio) => twilio.channel(),
            Gateway::WhatsApp(_) => Channel::WhatsApp,
            Gateway::Telegram(_) => Channel::Telegram,
        }
    }

    /// How hard it may be pushed.
    #[must_use]
    pub fn limits(&self) -> Limits {
        match self {
            Gateway::Simulator(_) => Limits { concurrency: 64, per_second: None, pair: None },
            Gateway::Http(http) => http.limits(),
            Gateway::Telegram(telegram) => telegram.limits(),
            Gateway::Twilio(twilio) => twilio.limits(),
            Gateway::WhatsApp(whatsapp) => whatsapp.limits(),
        }
    }

    /// Whether typographic quotes, dashes and spaces are to be sent in their plain forms.
    #[must_use]
    pub fn folds(&self) -> bool {
        match self {
            Gateway::Simulator(simulator) => simulator.channel() == Channel::Sms,
            Gateway::Http(http) => http.folds(),
            Gateway::Telegram(_) => false,
            Gateway::Twilio(twilio) => twilio.folds(),
            Gateway::WhatsApp(whatsapp) => whatsapp.folds(),
        }
    }

    /// The highest class of content that may go this way, whatever a contact agreed to.
    #[must_use]
    pub fn content(&self) -> ContentClass {
        match self {
            Gateway::Simulator(_) | Gateway::Telegram(_) => ContentClass::Clinical,
            Gateway::Http(http) => http.content(),
            Gateway::Twilio(twilio) => twilio.content(),
            Gateway::WhatsApp(whatsapp) => whatsapp.content(),
        }
    }

    /// What somebody who may decide ought to know before anything goes this way.
    #[must_use]
    pub fn warning(&self) -> Option<&'static str> {
        let acknowledged = match self {
            Gateway::Simulator(_) | Gateway::Telegram(_) => true,
            Gateway::Http(http) => http.health_acknowledged(),
            Gateway::Twilio(twilio) => twilio.health_acknowledged(),
            Gateway::WhatsApp(whatsapp) => whatsapp.health_acknowledged(),
        };
        (!acknowledged).then_some(health::WARNING)
    }

    /// The messages of the catalogue that have approved templates here, each with the arguments that they must have.
    #[must_use]
    pub fn approved(&self) -> Vec<(&str, &[String])> {
        match self {
            Gateway::Simulator(_) | Gateway::Http(_) | Gateway::Telegram(_) => Vec::new(),
            Gateway::Twilio(twilio) => twilio.approved().named().collect(),
            Gateway::WhatsApp(whatsapp) => whatsapp.approved().named().collect(),
        }
    }

    /// Whether its provider tells what became of a message: only then does silence mean something.
    #[must_use]
    pub fn gives_receipts(&self) -> bool {
        match self {
            Gateway::Simulator(_) | Gateway::Twilio(_) | Gateway::WhatsApp(_) => true,
            Gateway::Http(http) => http.gives_receipts(),
            Gateway::Telegram(_) => false,
        }
    }

    /// Hands one message to the provider, once. Retrying is the caller's.
    ///
    /// # Errors
    /// What the caller should do instead, see [`SendError`].
    pub async fn send(&self, message: &Outgoing) -> Result<Accepted, SendError> {
        match self {
            Gateway::Simulator(simulator) => simulator.send(message),
            Gateway::Http(http) => http.send(message).await,
            Gateway::Twilio(twilio) => twilio.send(message).await,
            Gateway::WhatsApp(whatsapp) => whatsapp.send(message).await,
            Gateway::Telegram(telegram) => telegram.send(message).await,
        }
    }

    /// Asks the provider something that sends nothing: whether it is there, and takes our credentials if it can say so.
    ///
    /// # Errors
    /// What a message would meet.
    pub async fn probe(&self) -> Result<(), SendError> {
        match self {
            Gateway::Simulator(_) => Ok(()),
            Gateway::Http(http) => http.probe().await,
            Gateway::Telegram(telegram) => telegram.bot().await.map(|_| ()),
            Gateway::Twilio(twilio) => twilio.probe().await,
            Gateway::WhatsApp(whatsapp) => whatsapp.probe().await,
        }
    }

    /// The most bytes that one of its requests may have.
    #[must_use]
    pub fn body_limit(&self) -> usize {
        match self {
            Gateway::Simulator(_) | Gateway::Http(_) | Gateway::Twilio(_) => BODY_LIMIT,
            Gateway::WhatsApp(_) => WHATSAPP_BODY_LIMIT,
            Gateway::Telegram(_) => telegram::UPDATE_LIMIT,
        }
    }

    /// Reads what a provider sent: the shared secret or the signature first, in constant time. Pure, but for a line
    /// in the log where some of a request could not be read.
    ///
    /// # Errors
    /// A wrong secret, a request of which nothing can be read, one that is too large.
    pub fn parse(&self, request: &Request<'_>) -> Result<Vec<Incoming>, Rejected> {
        match self {
            // Simulated phones speak within the process; nobody outside may speak for them.
            Gateway::Simulator(_) => Err(Rejected::Unauthorised),
            Gateway::Http(http) => http.parse(request),
            Gateway::Telegram(telegram) => telegram.parse(request),
            Gateway::Twilio(twilio) => twilio.parse(request),
            Gateway::WhatsApp(whatsapp) => whatsapp.parse(request),
        }
    }

    /// What a request brought is stored: what the provider wants besides an answer can be done, later and by others. Waits for
    /// nothing.
    pub fn stored(&self, request: &Request<'_>) {
        match self {
            Gateway::Simulator(_) | Gateway::Http(_) | Gateway::Twilio(_) | Gateway::WhatsApp(_) => {}
            Gateway::Telegram(telegram) => telegram.stored_request(request),
        }
    }

    /// What to answer the provider after [`Gateway::parse`] succeeded and the result is stored.
    #[must_use]
    pub fn reply(&self, request: &Request<'_>) -> Reply {
        match self {
            Gateway::Simulator(_) | Gateway::Telegram(_) => hook_settings::plain_reply(),
            Gateway::Http(http) => http.reply(),
            Gateway::Twilio(_) => Twilio::reply(),
            Gateway::WhatsApp(_) => WhatsApp::reply(request),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_on_its_way_out_can_be_logged_without_its_number_text_or_reference() {
        let message =
            Outgoing::plain((Id(1), 2), Address::new("+17185550117"), "Your visit is tomorrow", "tokenOfThisMessage".to_owned());
        let shown = format!("{message:?}");
        assert!(shown.contains("attempt: 2"), "{shown}");
        for private in ["718555", "visit", "tokenOf"] {
            assert!(!shown.contains(private), "{shown}");
        }
    }
}
