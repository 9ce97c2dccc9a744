//! What is known when a reply comes in, and what can follow from it: plain types, shared by whoever reads and writes them.

use crate::clock::Time;
use crate::compose::{Arg, Args, Style};
use crate::model::{Category, Class, ContentClass, Id, Keyword, Lang, Media, Severity};
use crate::protocol::{Step, WeightUnit};
use crate::triage::Verdict;
use crate::zone::Zone;

/// What is known when a reply comes in.
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    /// The patient's language.
    pub lang: Lang,
    /// The patient's zone, for times in answers.
    pub zone: Zone,
    /// The question that is open, or was answered last.
    pub open: Option<Open<'a>>,
    /// Coming visits of which the patient was reminded, soonest first.
    pub visits: &'a [Visit],
    /// Earlier readings, oldest first, without those that were corrected.
    pub readings: &'a [Reading],
    /// Consent is withdrawn by everybody on this phone.
    pub revoked: bool,
    /// When the last crisis reply went out for an emergency that is still open, and which; now, if it still has to go.
    pub crisis_reply: Option<(Time, String)>,
    /// Who looks after the patient, as they may be named: a first name, or the site.
    pub who: String,
    /// The site as it names itself.
    pub site: SiteWords,
    /// Whether people are there now.
    pub staffed: bool,
    /// When they are there next.
    pub opens: Time,
    /// Until when an item of each severity is claimed: routine, urgent, emergency.
    pub due: (Time, Time, Time),
    /// Domain time.
    pub now: Time,
}

/// How a site names itself to patients.
#[derive(Debug, Clone, Default)]
pub struct SiteWords {
    /// Sender name.
    pub clinic: String,
    /// Call-back number.
    pub phone: String,
    /// Emergency number, such as 911.
    pub emergency: String,
    /// Crisis line, such as 988.
    pub lifeline: String,
}

/// A question of a protocol.
#[derive(Debug, Clone)]
pub struct Open<'a> {
    /// Its step.
    pub step: &'a Step,
    /// The unit of the enrolment.
    pub unit: WeightUnit,
    /// The answers in words that the question offers, in the order of its numbers.
    pub words: &'a [String],
    /// It was asked a second time.
    pub asked_again: bool,
    /// It was answered: by this reading, at this time.
    pub answered: Option<(Id, Time)>,
}

/// A coming visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Which.
    pub id: Id,
    /// When.
    pub starts: Time,
    /// Where it stands: booked, `confirmed`, `reschedule`, `cant_come`.
    pub state: String,
}

/// An earlier reading.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Under which name.
    pub kind: String,
    /// Its value.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// When.
    pub at: Time,
}

/// What was heard.
#[derive(Debug, Clone)]
pub struct Heard<'a> {
    /// The words.
    pub text: &'a str,
    /// What triage found in them.
    pub verdict: &'a Verdict,
    /// What came with them, or in their place, and cannot be read here.
    pub media: Option<Media>,
    /// A keyword that the provider has read, and has answered itself.
    pub answered: Option<Keyword>,
    /// The same came again and again lately: perhaps a machine answers.
    pub repeats: bool,
}

/// What follows.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Something is said.
    Say {
        /// Message of the catalogue.
        key: String,
        /// Its arguments.
        args: Args,
        /// What it is for.
        class: Class,
        /// How much it says about health.
        content: ContentClass,
    },
    /// An answer is kept.
    Record {
        /// Under which name.
        kind: String,
        /// The number, in `unit`.
        value: Option<f64>,
        /// Its unit.
        unit: String,
        /// Words, where there is no number.
        words: String,
        /// The earlier reading that it stands beside.
        corrects: Option<Id>,
    },
    /// A person must look.
    Open {
        /// How soon.
        severity: Severity,
        /// What about.
        category: Category,
        /// In words for staff.
        reason: String,
    },
    /// Consent is withdrawn.
    Revoke,
    /// Consent is given again.
    Restore,
    /// A visit's state changes.
    Visit {
        /// Which.
        id: Id,
        /// To `confirmed`, `reschedule` or `cant_come`.
        state: &'static str,
    },
    /// The open question is answered; the last [`Effect::Record`] is its answer.
    Answered,
    /// The open question was asked a second time.
    AskedAgain,
    /// The open question is closed without an answer.
    Dropped,
    /// The next question of the same protocol.
    Ask {
        /// Its step.
        step: String,
    },
}

/// What follows from a reply, and what it was read as, in words for staff.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// In order.
    pub effects: Vec<Effect>,
    /// `Read as 76.4 kg`; empty if it was not understood.
    pub read_as: String,
}

impl Outcome {
    pub(super) fn say(&mut self, key: &str, args: Args, class: Class, content: ContentClass) {
        self.effects.push(Effect::Say { key: key.to_owned(), args, class, content });
    }

    pub(super) fn open(&mut self, severity: Severity, category: Category, reason: String) {
        self.effects.push(Effect::Open { severity, category, reason });
    }

    /// Says that a person will read, and by when.
    pub(super) fn person(&mut self, cx: &Situation<'_>, severity: Severity) {
        let due = if severity >= Severity::Urgent { cx.due.1 } else { cx.due.0 };
        self.say("person-will-read", cx.args().with("by", cx.when(due)), Class::Answer, ContentClass::Logistics);
    }
}

impl Situation<'_> {
    /// The arguments that every message may use.
    pub(super) fn args(&self) -> Args {
        let text = |s: &String| Arg::Text(s.clone());
        Args::default()
            .with("clinic", text(&self.site.clinic))
            .with("phone", text(&self.site.phone))
            .with("emergency", text(&self.site.emergency))
            .with("lifeline", text(&self.site.lifeline))
    }

    /// A time as it is named now: without the day if it is today.
    pub(super) fn when(&self, time: Time) -> Arg {
        let today = self.zone.local(self.now).date() == self.zone.local(time).date();
        self.when_of(time, if today { Style::Time } else { Style::DateTime })
    }

    pub(super) fn when_of(&self, time: Time, style: Style) -> Arg {
        Arg::When { ms: time, zone: self.zone.name().to_owned(), style }
    }
}
