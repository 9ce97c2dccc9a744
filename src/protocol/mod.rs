//! Care protocols as data: steps, anchors, expected replies and rules, read from TOML. Pure.
//!
//! The text of a protocol is kept in the database under its hash: a running enrolment keeps its own.

mod read;
mod rules;
mod texts;

use std::time::Duration;

use jiff::civil::{Time as Clock, Weekday};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::document::Faults;
use crate::model::{Category, Class, ContentClass, Severity, hex};
use crate::zone;

pub use rules::{Finding, Point, judge};
pub use texts::check_texts;

/// A protocol.
#[derive(Debug, Clone)]
pub struct Protocol {
    /// Its short name: `heart-failure-weight`.
    pub id: String,
    /// Its version, raised by whoever edits it.
    pub version: i64,
    /// Its name for staff.
    pub title: String,
    /// Not signed by a clinician yet.
    pub draft: bool,
    /// Where its times and thresholds come from.
    pub sources: Vec<String>,
    /// What happens.
    pub steps: Vec<Step>,
    /// The file that it was read from.
    pub file: String,
    /// SHA-256 of the text.
    pub hash: String,
    /// The text.
    pub text: String,
}

/// One message of a protocol, with what may come back.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its name within the protocol.
    pub id: String,
    /// What sets it off.
    pub anchor: Anchor,
    /// At what local time, unless the enrolment says otherwise.
    pub at: Clock,
    /// Message of the catalogue.
    pub message: String,
    /// Where the message is named, as an offset of the text.
    pub message_at: usize,
    /// What the message is for.
    pub class: Class,
    /// How much it says about health.
    pub content: ContentClass,
    /// How late it may still go; later it is skipped, with a decision.
    pub late_within: Duration,
    /// How long an answer is waited for.
    pub open_for: Duration,
    /// What it asks.
    pub asks: Option<Ask>,
    /// What is worth a person's attention.
    pub rules: Vec<Rule>,
    /// What follows from an answer.
    pub replies: Vec<Reply>,
}

/// What sets a step off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The enrolment, again and again.
    Enrolment(Every),
    /// So many days before each visit.
    Visit {
        /// How many.
        days_before: u16,
    },
    /// An answer to another step.
    Reply,
}

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// Every day.
    Day,
    /// Once a week, on the enrolment's day.
    Week,
    /// Every so many days.
    Days(u16),
}

/// What a step asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The form of the answer.
    pub form: Form,
    /// Under which name the answer is kept; none for visits.
    pub reading: Option<String>,
}

/// The form of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// Yes or no.
    YesNo,
    /// A number in the enrolment's unit, plausible within a range.
    Number(PerUnit<(f64, f64)>),
    /// One of so many, from 1.
    Choice(usize),
    /// A whole number in a range.
    Scale(i64, i64),
    /// Free words.
    Text,
    /// Confirm, reschedule or can't come.
    Visit,
}

/// A value in each unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PerUnit<T> {
    /// In pounds.
    pub lb: T,
    /// In kilograms.
    pub kg: T,
}

/// A unit of weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WeightUnit {
    /// Pounds.
    Lb,
    /// Kilograms.
    Kg,
}

impl WeightUnit {
    /// `lb` or `kg`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            WeightUnit::Lb => "lb",
            WeightUnit::Kg => "kg",
        }
    }
}

impl<T: Copy> PerUnit<T> {
    /// The value in `unit`.
    #[must_use]
    pub fn of(&self, unit: WeightUnit) -> T {
        match unit {
            WeightUnit::Lb => self.lb,
            WeightUnit::Kg => self.kg,
        }
    }
}

/// When a number is worth a person's attention.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The comparison.
    pub test: Test,
    /// How soon somebody must look.
    pub severity: Severity,
    /// What it is about.
    pub category: Category,
    /// For staff; `{change}` and `{value}` stand for numbers with their unit.
    pub sentence: String,
}

/// A typed comparison: it can be proved, unlike an expression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Test {
    /// At least so much above the lowest of the last days.
    Rise {
        /// How many days back.
        days: u16,
        /// How much.
        by: PerUnit<f64>,
    },
    /// At least so much below the highest of the last days.
    Fall {
        /// How many days back.
        days: u16,
        /// How much.
        by: PerUnit<f64>,
    },
    /// At least this value.
    AtLeast(PerUnit<f64>),
    /// At most this value.
    AtMost(PerUnit<f64>),
}

/// What follows from an answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Which answers: `1`, `yes`, `any`.
    pub on: Vec<String>,
    /// What is said.
    pub say: Option<String>,
    /// Where that is named, as an offset of the text.
    pub say_at: usize,
    /// Which step comes next.
    pub then: Option<String>,
    /// What is opened for a person: severity, category and sentence.
    pub open: Option<(Severity, Category, String)>,
}

/// What an enrolment chooses for itself. Kept as JSON with the enrolment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Local time of the recurring steps: `09:05`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Day of the weekly steps: `tue`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// Unit of weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<WeightUnit>,
    /// The goal in the patient's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<String>,
}

impl Settings {
    /// The local time, if it was chosen and is one.
    #[must_use]
    pub fn clock(&self) -> Option<Clock> {
        self.at.as_deref().and_then(zone::clock)
    }

    /// The weekday, if it was chosen and is one.
    #[must_use]
    pub fn weekday(&self) -> Option<Weekday> {
        self.day.as_deref().and_then(zone::weekday)
    }
}

impl Protocol {
    /// Reads a protocol from its text.
    ///
    /// # Errors
    /// Every fault of the file, each with its place.
    pub fn parse(file: &str, text: &str) -> Result<Protocol, Faults> {
        read::protocol(file, text)
    }

    /// The step of this name.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|s| s.id == id)
    }

    /// Every message of the catalogue that it needs, with the step that needs it and the place where it is named.
    #[must_use]
    pub fn messages(&self) -> Vec<(&str, &Step, usize)> {
        self.steps
            .iter()
            .flat_map(|step| {
                std::iter::once((step.message.as_str(), step, step.message_at))
                    .chain(step.replies.iter().filter_map(move |r| r.say.as_deref().map(|say| (say, step, r.say_at))))
            })
            .collect()
    }
}

fn hash(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// The protocols that come with Porchlight: (file, text).
pub const SHIPPED: [(&str, &str); 3] = [
    ("config/protocols/appointment-reminders.toml", include_str!("../../config/protocols/appointment-reminders.toml")),
    ("config/protocols/heart-failure-weight.toml", include_str!("../../config/protocols/heart-failure-weight.toml")),
    ("config/protocols/weekly-goal.toml", include_str!("../../config/protocols/weekly-goal.toml")),
];
