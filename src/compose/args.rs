//! The arguments of a message, as they are stored with it.
//!
//! A time stays a time until the text is made: the same arguments read right in any language and zone.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::voice;
use crate::clock::Time;
use crate::model::{Body, Lang};

/// How much of a moment is said.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// Weekday, day and month.
    Date,
    /// Hour and minute.
    Time,
    /// Weekday, day, month, hour and minute.
    DateTime,
}

/// One argument. In JSON a text, a number or `{"at": milliseconds, "zone": "…", "style": "date_time"}`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Arg {
    /// Words that are put in as they are.
    Text(String),
    /// A number, written in the way of the language but always in Western digits.
    Number(f64),
    /// A moment, said in the patient's language and zone when the text is made.
    When {
        /// The moment.
        #[serde(rename = "at", with = "milliseconds")]
        ms: Time,
        /// IANA name of the time zone in which it is said.
        zone: String,
        /// How much of it is said.
        style: Style,
    },
}

impl fmt::Debug for Arg {
    /// Shows the kind, and no word of what it holds: names and goals are private.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Arg::Text(text) => write!(f, "Text({} chars)", text.chars().count()),
            Arg::Number(_) => f.write_str("Number"),
            Arg::When { style, .. } => write!(f, "When({style:?})"),
        }
    }
}

impl From<&str> for Arg {
    fn from(text: &str) -> Arg {
        Arg::Text(text.to_owned())
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Arg {
        Arg::Text(text)
    }
}

impl From<f64> for Arg {
    fn from(number: f64) -> Arg {
        Arg::Number(number)
    }
}

/// The arguments of a message by name, without the dollar sign.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Args(pub BTreeMap<String, Arg>);

impl Args {
    /// No arguments.
    #[must_use]
    pub fn new() -> Args {
        Args::default()
    }

    /// Each argument by name, written as it stands in a text of `lang`, for texts that somebody else puts together. What
    /// cannot be said is left out.
    #[must_use]
    pub fn said(&self, lang: Lang) -> Vec<(String, Body)> {
        self.0.iter().filter_map(|(name, arg)| Some((name.clone(), Body::new(voice::said(lang, arg)?)))).collect()
    }

    /// These arguments and one more; a second one of the same name replaces the first.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Arg>) -> Args {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// These arguments and a moment, to be said in the IANA time zone `zone`.
    #[must_use]
    pub fn when(self, name: &str, ms: Time, zone: &str, style: Style) -> Args {
        self.with(name, Arg::When { ms, zone: zone.to_owned(), style })
    }
}

mod milliseconds {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::clock::Time;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub fn serialize<S: Serializer>(time: &Time, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_i64(time.0)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Time, D::Error> {
        i64::deserialize(d).map(Time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::Catalogue;

    #[test]
    fn arguments_are_stored_as_short_json_and_read_back() {
        let args = Args::new().with("name", "Rosa").with("value", 182.4).when(
            "when",
            Time(1_796_326_200_000),
            "America/New_York",
            Style::DateTime,
        );
        let json = serde_json::to_string(&args).expect("json");
        assert_eq!(
            json,
            r#"{"name":"Rosa","value":182.4,"when":{"at":1796326200000,"zone":"America/New_York","style":"date_time"}}"#
        );
        assert_eq!(serde_json::from_str::<Args>(&json).expect("arguments"), args);
        assert_eq!(serde_json::from_str::<Args>(r#"{"max":3}"#).expect("arguments"), Args::new().with("max", 3.0));
    }

    #[test]
    fn an_argument_is_said_as_in_the_text_of_its_language() {
        let args = Args::new().with("value", 182.4).with("clinic", "Harbor Street").when(
            "when",
            Time(1_796_326_200_000),
            "America/New_York",
            Style::DateTime,
        );
        let said =
            |lang| args.said(lang).into_iter().map(|(name, value)| format!("{name}={}", value.expose())).collect::<Vec<_>>();
        for (lang, number) in [(Lang::En, "value=182.4"), (Lang::Pl, "value=182,4")] {
            let catalogue = Catalogue::embedded().expect("a catalogue");
            let text = catalogue.render(lang, "visit-reminder", &args).expect("a text").text;
            let said = said(lang);
            assert_eq!(said[..2], ["clinic=Harbor Street".to_owned(), number.to_owned()]);
            let when = said[2].strip_prefix("when=").expect("the moment");
            assert!(text.expose().contains(when), "{when} in {}", text.expose());
        }
    }

    #[test]
    fn a_log_line_shows_no_word_of_an_argument() {
        let shown = format!("{:?}", Args::new().with("name", "Rosa").with("value", 182.4));
        assert!(!shown.contains("Rosa") && !shown.contains("182"), "{shown}");
    }
}
