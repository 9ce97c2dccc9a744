//! One patient: safe contact, what is open, the timeline with every decision, the reply, the readings.
//!
//! **Invariant.** The safe-contact card comes first in the source; the verdict stands beside Send before it is
//! pressed; what was written survives an error.

use askama::Template;

use super::chart::{Chart, GoalWeeks};
use super::frame::{Frame, Place};
use super::queue::Safe;
use super::text::{Gloss, Icon, Sev, Shown, Tag, Words};
use super::tick::Tick;
use crate::model::{Lang, MessageState};

/// The head of a patient's page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PatientHead {
    /// The patient's id.
    pub id: String,
    /// The name.
    pub name: Shown,
    /// The age in years.
    pub age: Option<u32>,
    /// The language.
    pub lang: Lang,
    /// What the patient takes part in: `heart failure, daily weight`.
    pub programs: Shown,
    /// The time where the patient is: `10:26`.
    pub local_time: String,
    /// The patient's zone, for the script.
    pub zone: String,
}

/// An item that is open.
#[derive(Clone, Debug)]
pub struct OpenItem {
    /// Its id.
    pub id: String,
    /// How many of the patient's doings the reader saw.
    pub version: i64,
    /// How severe it is.
    pub sev: Sev,
    /// The time left.
    pub tick: Tick,
    /// Why it is open.
    pub reason: Shown,
    /// Who has it, in words: `Yours since 9:51`, `Nobody yet`, `Dana’s since 10:24`.
    pub held: Shown,
    /// Whether the reader can claim it.
    pub can_claim: bool,
    /// Where the item stands in the queue, with the reasons.
    pub href: String,
}

/// What the timeline shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Show {
    /// Messages, decisions, notes.
    #[default]
    Everything,
    /// Messages only.
    Messages,
    /// Notes only.
    Notes,
}

impl Show {
    /// Every choice, in the order in which they are offered.
    pub const ALL: [Show; 3] = [Show::Everything, Show::Messages, Show::Notes];

    /// The value of `show` in an address.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Show::Everything => "everything",
            Show::Messages => "messages",
            Show::Notes => "notes",
        }
    }

    /// The choice of an address; anything unknown is everything.
    #[must_use]
    pub fn parse(text: &str) -> Show {
        Show::ALL.into_iter().find(|show| show.as_str() == text).unwrap_or_default()
    }

    const fn word(self) -> &'static str {
        match self {
            Show::Everything => "Everything",
            Show::Messages => "Messages",
            Show::Notes => "Notes",
        }
    }
}

/// A day of the timeline, oldest entry first.
#[derive(Clone, Debug)]
pub struct Day {
    /// `Today`, `Yesterday`, `8 Jan`.
    pub label: String,
    /// What happened.
    pub entries: Vec<Entry>,
}

/// The delivery state below a message: a symbol and words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MessageFace {
    /// The symbol.
    pub icon: Icon,
    /// As in `Held until 9:00`.
    pub words: Shown,
    /// Whether it has failed.
    pub bad: bool,
}

impl MessageFace {
    /// The words for a state. `more` is what belongs to it: until when it is held, why it was not sent or did not arrive.
    #[must_use]
    pub fn of(state: MessageState, more: Option<&str>) -> MessageFace {
        let with = |plain: &str, joint: &str| match more {
            Some(more) => format!("{plain}{joint}{more}"),
            None => plain.to_owned(),
        };
        let (icon, words, bad) = match state {
            MessageState::Planned => (Icon::Clock, with("Planned", " for "), false),
            MessageState::Held => (Icon::Moon, with("Held", " until "), false),
            MessageState::Queued | MessageState::Sending => (Icon::Send, "Sending".to_owned(), false),
            MessageState::Accepted | MessageState::Sent => (Icon::Check, "Sent".to_owned(), false),
            MessageState::Delivered => (Icon::Checks, "Delivered".to_owned(), false),
            MessageState::Read => (Icon::Checks, "Read".to_owned(), false),
            MessageState::Skipped => (Icon::Skip, with("Not sent", ": "), false),
            MessageState::Expired => (Icon::Skip, with("Not sent: too late to be of use", ". "), false),
            MessageState::Cancelled => (Icon::Skip, with("Called off", ": "), false),
            MessageState::Failed => (Icon::Emergency, with("Not delivered", ": "), true),
            MessageState::Unknown => (Icon::Wifi, with("Not known if it arrived", ". "), false),
        };
        MessageFace { icon, words: Shown::from(words), bad }
    }
}

/// Something in the timeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entry {
    /// The patient wrote.
    In {
        /// The words.
        words: Words,
        /// Their English, when somebody made one.
        gloss: Option<Gloss>,
        /// When: `9:41`.
        at: String,
        /// How it was understood: `Read as 76.4 kg`.
        read_as: Option<Shown>,
    },
    /// We wrote.
    Out {
        /// The words, as sent.
        words: Words,
        /// Their English.
        gloss: Option<Gloss>,
        /// What and how: `Weight check-in · text`.
        kind: Shown,
        /// When.
        at: String,
        /// Whether it arrived.
        face: MessageFace,
    },
    /// A decision, or something that somebody did.
    Event {
        /// The symbol.
        icon: Icon,
        /// When.
        at: String,
        /// What, in bold: `Check-in held until 9:00:`
        lead: Shown,
        /// Why: `quiet hours.`
        rest: Shown,
    },
    /// A note of a member of staff.
    Note {
        /// Who wrote it.
        by: Shown,
        /// When.
        at: String,
        /// What it says.
        text: Shown,
    },
}

/// Whether a reply can go, and when; a sentence in two parts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Now.
    Go {
        /// `Goes now,`
        lead: Shown,
        /// `by text. Inside her hours.`
        rest: Shown,
    },
    /// Later.
    Hold {
        /// `Will be held until 9:00:`
        lead: Shown,
        /// `quiet hours, and it is 22:14 where he is.`
        rest: Shown,
    },
    /// Not at all.
    No {
        /// `Can’t be texted:`
        lead: Shown,
        /// `he texted STOP on Sunday. Call him, or ask when you meet.`
        rest: Shown,
    },
}

impl Verdict {
    fn parts(&self) -> (&'static str, Icon, &Shown, &Shown) {
        match self {
            Verdict::Go { lead, rest } => ("verdict-go", Icon::Check, lead, rest),
            Verdict::Hold { lead, rest } => ("verdict-hold", Icon::Moon, lead, rest),
            Verdict::No { lead, rest } => ("verdict-no", Icon::Skip, lead, rest),
        }
    }

    fn is_no(&self) -> bool {
        matches!(self, Verdict::No { .. })
    }
}

/// The reply: posted to `/patient/ID/reply` as `text`, `token`, `csrf`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Composer {
    /// What is written so far.
    pub text: String,
    /// Makes sending twice the same as sending once.
    pub token: String,
    /// The token of the reply that was just sent: its draft is forgotten.
    pub sent: Option<String>,
    /// Whether it can go.
    pub verdict: Verdict,
    /// Why it was not sent: `Not saved: the server did not answer. Your text is still here. Try again.`
    pub error: Option<Shown>,
}

/// The way to Telegram: posted to `/patient/ID/link` as `class`, `how` and `csrf`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invite {
    /// Where it stands: `Connected on 8 Jan.`, `A link waits until Tue 10:24.`
    pub state: Shown,
    /// The link that was just made; it is shown once.
    pub made: Option<MadeLink>,
    /// Why none was made.
    pub error: Option<Shown>,
}

/// A link, as it is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MadeLink {
    /// The address.
    pub href: String,
    /// Its QR code: how many modules a side has, with the quiet border, and the dark ones as the path of a picture.
    pub code: (usize, String),
}

/// Readings with their chart.
#[derive(Clone, PartialEq, Debug)]
pub struct ChartCard {
    /// The chart.
    pub chart: Chart,
    /// What stands out: `+2.3 kg in 2 days`.
    pub tag: Option<Tag>,
}

/// A goal that the patient chose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GoalCard {
    /// The goal in the patient's words.
    pub goal: Words,
    /// The goal in English.
    pub english: Option<Shown>,
    /// Since when, and how sure: `Chosen on 12 Jan. Confidence 8 of 10.`
    pub said: Shown,
    /// The answers, week by week.
    pub weeks: Option<GoalWeeks>,
}

/// A label and a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fact {
    /// `Wed 9:00`
    pub label: String,
    /// `Weight check-in`
    pub value: Shown,
}

/// A patient's page: `GET /patient/ID?show=everything`.
#[derive(Template, Clone, Debug)]
#[template(path = "patient.html")]
pub struct PatientPage {
    /// The frame.
    pub frame: Frame,
    /// Who it is.
    pub patient: PatientHead,
    /// The way back: the queue or the panel.
    pub back: String,
    /// Who may be reached, and how.
    pub safe: Safe,
    /// What is open, most severe first.
    pub open: Vec<OpenItem>,
    /// What the timeline shows.
    pub show: Show,
    /// How many days the timeline goes back.
    pub span: u16,
    /// Where earlier days are.
    pub earlier: Option<String>,
    /// The timeline, oldest day first.
    pub days: Vec<Day>,
    /// The reply.
    pub composer: Composer,
    /// The readings.
    pub charts: Vec<ChartCard>,
    /// The goals.
    pub goals: Vec<GoalCard>,
    /// What goes out next.
    pub next: Vec<Fact>,
    /// What the patient takes part in, with its state.
    pub enrolments: Vec<Fact>,
    /// The way to Telegram, if there is a bot.
    pub invite: Option<Invite>,
}

/// The regions of a patient's page that change by themselves: `GET /patient/ID?…&part=timeline`.
#[derive(Template, Clone, Debug)]
#[template(path = "timeline_part.html")]
pub struct TimelinePart {
    /// The frame.
    pub frame: Frame,
    /// Who it is.
    pub patient: PatientHead,
    /// What is open.
    pub open: Vec<OpenItem>,
    /// The timeline.
    pub days: Vec<Day>,
    /// The reply: only its verdict changes.
    pub composer: Composer,
    /// What goes out next.
    pub next: Vec<Fact>,
}

impl PatientPage {
    fn shows(&self) -> Vec<(String, &'static str, bool)> {
        let href = |show: Show| format!("/patient/{}?show={}", self.patient.id, show.as_str());
        Show::ALL.into_iter().map(|show| (href(show), show.word(), show == self.show)).collect()
    }

    fn part_href(&self) -> String {
        format!("/patient/{}?show={}&days={}&part=timeline", self.patient.id, self.show.as_str(), self.span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_in_doubt_is_never_called_sent() {
        let face = MessageFace::of(MessageState::Unknown, None);
        assert_eq!(face.words.as_str(), "Not known if it arrived");
        assert_eq!(MessageFace::of(MessageState::Held, Some("9:00")).words.as_str(), "Held until 9:00");
        let failed = MessageFace::of(MessageState::Failed, Some("number not in service"));
        assert_eq!((failed.words.as_str(), failed.bad), ("Not delivered: number not in service", true));
    }
}
