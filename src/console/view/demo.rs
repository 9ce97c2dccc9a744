//! The demo: a phone in the reader's hands, the coordinators' queue beside it, and a clock that can be sped up.
//!
//! On the phone the sides are the patient's: what the clinic wrote stands at the start, what the reader writes at the end.

use askama::Template;

use super::queue::{Holder, QueueRow, Step};
use super::text::{Shown, Words};
use crate::model::Lang;

/// A speed of the clock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Speed {
    /// The value of `speed`, domain seconds in a second; `0` pauses.
    pub value: String,
    /// On the button: `×60`.
    pub sign: String,
    /// For a screen reader: `A minute each second`.
    pub label: String,
    /// Whether the clock runs so now.
    pub pressed: bool,
}

/// A phone that can be picked up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PhoneLink {
    /// `/?phone=ID`
    pub href: String,
    /// Whose it is.
    pub name: Shown,
    /// Language and what is going on: `Arabic · answered at 9:42`.
    pub about: Shown,
    /// Whether it is the one shown.
    pub current: bool,
}

/// A message on a phone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PhoneMessage {
    /// Whether the reader wrote it, as the patient.
    pub mine: bool,
    /// The words.
    pub words: Words,
    /// Their English, when there is one.
    pub english: Option<Shown>,
    /// When: `10:22`.
    pub at: String,
}

/// A day of messages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PhoneDay {
    /// `Today`
    pub label: String,
    /// The messages, oldest first.
    pub messages: Vec<PhoneMessage>,
}

/// A reply that can be tried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TryReply {
    /// What it means, in English.
    pub english: Shown,
    /// The words.
    pub words: Words,
}

/// The phone that is shown: written to by `POST /demo/phone/ID` with `text`, or `try` when `text` is empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Phone {
    /// The patient's id.
    pub id: String,
    /// The patient's name.
    pub name: Shown,
    /// The patient's language.
    pub lang: Lang,
    /// Who writes to it: `Lantern Hill Clinic`.
    pub sender: Shown,
    /// From which number: `(718) 555-0100`.
    pub sender_number: String,
    /// The messages.
    pub days: Vec<PhoneDay>,
    /// Replies to try.
    pub tries: Vec<TryReply>,
    /// What is written so far, after an error.
    pub text: String,
    /// Why it was not sent.
    pub error: Option<String>,
}

/// How to get into the console of the demo.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DemoSignIn {
    /// The address of the console.
    pub href: String,
    /// The e-mail of a made-up coordinator.
    pub email: String,
    /// The password.
    pub password: String,
}

/// The demo: `GET /?phone=ID`.
#[derive(Template, Clone, Debug)]
#[template(path = "demo.html")]
pub struct DemoPage {
    /// The token of every form.
    pub csrf: String,
    /// Domain time in words: `Tue 10 Mar, 10:24`.
    pub clock: String,
    /// The clinic's zone, for the script.
    pub zone: String,
    /// Domain time in milliseconds since the Unix epoch.
    pub now_ms: i64,
    /// Domain seconds in a second.
    pub speed: f64,
    /// The speeds on offer.
    pub speeds: Vec<Speed>,
    /// The first phones.
    pub phones: Vec<PhoneLink>,
    /// The rest of them.
    pub more_phones: Vec<PhoneLink>,
    /// The phone that is shown.
    pub phone: Phone,
    /// The queue, most pressing first.
    pub rows: Vec<QueueRow>,
    /// Numbers of today: `31`, `sent`.
    pub tally: Vec<(usize, String)>,
    /// What just happened, newest first.
    pub steps: Vec<Step>,
    /// The way into the console.
    pub sign_in: DemoSignIn,
}

/// The regions of the demo that change by themselves: `GET /?phone=ID&part=demo`.
#[derive(Template, Clone, Debug)]
#[template(path = "demo_part.html")]
pub struct DemoPart {
    /// Domain time in words.
    pub clock: String,
    /// The clinic's zone.
    pub zone: String,
    /// Domain time in milliseconds since the Unix epoch.
    pub now_ms: i64,
    /// Domain seconds in a second.
    pub speed: f64,
    /// The first phones.
    pub phones: Vec<PhoneLink>,
    /// The rest of them.
    pub more_phones: Vec<PhoneLink>,
    /// The phone that is shown.
    pub phone: Phone,
    /// The queue.
    pub rows: Vec<QueueRow>,
    /// Numbers of today.
    pub tally: Vec<(usize, String)>,
    /// What just happened.
    pub steps: Vec<Step>,
}

macro_rules! list_parts {
    ($page:ident) => {
        impl $page {
            fn list_in_demo(&self) -> bool {
                true
            }
            fn narrowed(&self) -> bool {
                false
            }
            fn more_is_open(&self) -> bool {
                self.more_phones.iter().any(|phone| phone.current)
            }
            fn all_href(&self) -> &'static str {
                "/queue"
            }
        }
    };
}

list_parts!(DemoPage);
list_parts!(DemoPart);

impl DemoPage {
    fn part_href(&self) -> String {
        format!("/?phone={}&part=demo", super::queue::encoded(&self.phone.id))
    }
}
