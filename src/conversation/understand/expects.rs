//! What a question expects and what an answer can be.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A unit in which patients report. Numbers without a unit are [`Unit::Count`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Pound (avoirdupois), body weight.
    Lb,
    /// Kilogram, body weight.
    Kg,
    /// Milligram per decilitre, blood glucose.
    #[serde(alias = "mg/dL")]
    MgDl,
    /// Millimole per litre, blood glucose.
    #[serde(alias = "mmol/L")]
    MmolL,
    /// Degree Celsius, body temperature.
    #[serde(alias = "°C")]
    Celsius,
    /// Degree Fahrenheit, body temperature.
    #[serde(alias = "°F")]
    Fahrenheit,
    /// Per cent, oxygen saturation.
    Percent,
    /// Beats per minute, heart rate.
    Bpm,
    /// Litre per minute, peak expiratory flow.
    LMin,
    /// Minutes, of activity or sleep.
    Minutes,
    /// Hours, of activity or sleep.
    Hours,
    /// Days.
    Days,
    /// Steps walked.
    Steps,
    /// A plain number of things.
    Count,
}

impl Unit {
    /// Every unit.
    pub const ALL: [Unit; 14] = [
        Unit::Lb,
        Unit::Kg,
        Unit::MgDl,
        Unit::MmolL,
        Unit::Celsius,
        Unit::Fahrenheit,
        Unit::Percent,
        Unit::Bpm,
        Unit::LMin,
        Unit::Minutes,
        Unit::Hours,
        Unit::Days,
        Unit::Steps,
        Unit::Count,
    ];

    /// The word for it in protocols and vocabularies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Unit::Lb => "lb",
            Unit::Kg => "kg",
            Unit::MgDl => "mg_dl",
            Unit::MmolL => "mmol_l",
            Unit::Celsius => "celsius",
            Unit::Fahrenheit => "fahrenheit",
            Unit::Percent => "percent",
            Unit::Bpm => "bpm",
            Unit::LMin => "l_min",
            Unit::Minutes => "minutes",
            Unit::Hours => "hours",
            Unit::Days => "days",
            Unit::Steps => "steps",
            Unit::Count => "count",
        }
    }

    /// The widest range in which a value of an adult is believed without asking again, in this unit. These are
    /// draft limits against slips of the finger, no clinical thresholds: home glucose meters read 20–600 mg/dL.
    #[must_use]
    pub const fn believable(self) -> (f64, f64) {
        match self {
            Unit::Lb => (50.0, 700.0),
            Unit::Kg => (22.0, 320.0),
            Unit::MgDl => (20.0, 600.0),
            Unit::MmolL => (1.1, 33.3),
            Unit::Celsius => (33.0, 43.0),
            Unit::Fahrenheit => (91.0, 110.0),
            Unit::Percent => (50.0, 100.0),
            Unit::Bpm => (25.0, 250.0),
            Unit::LMin => (50.0, 900.0),
            Unit::Minutes => (0.0, 1440.0),
            Unit::Hours => (0.0, 24.0),
            Unit::Days => (0.0, 366.0),
            Unit::Steps => (0.0, 100_000.0),
            Unit::Count => (0.0, 1000.0),
        }
    }

    /// Whether values are whole, so that "10,000" and "10.000" are ten thousand.
    #[must_use]
    pub const fn is_whole(self) -> bool {
        match self {
            Unit::Steps | Unit::Count => true,
            Unit::Lb
            | Unit::Kg
            | Unit::MgDl
            | Unit::MmolL
            | Unit::Celsius
            | Unit::Fahrenheit
            | Unit::Percent
            | Unit::Bpm
            | Unit::LMin
            | Unit::Minutes
            | Unit::Hours
            | Unit::Days => false,
        }
    }

    /// `value` in another unit of the same quantity, to a tenth; `None` where the quantities differ.
    #[must_use]
    pub fn convert(self, value: f64, to: Unit) -> Option<f64> {
        if self == to {
            return Some(value);
        }
        let (quantity, factor, offset) = self.base();
        let (other, to_factor, to_offset) = to.base();
        let converted = (value * factor + offset - to_offset) / to_factor;
        (quantity == other).then(|| (converted * 10.0).round() / 10.0)
    }

    /// The base unit of the quantity, and factor and offset that lead to it.
    ///
    /// One pound is 0.45359237 kg by definition; one mmol/L of glucose is 18.0156 mg/dL (180.156 g/mol).
    const fn base(self) -> (&'static str, f64, f64) {
        match self {
            Unit::Lb => ("mass", 0.453_592_37, 0.0),
            Unit::Kg => ("mass", 1.0, 0.0),
            Unit::MgDl => ("glucose", 1.0, 0.0),
            Unit::MmolL => ("glucose", 18.0156, 0.0),
            Unit::Celsius => ("temperature", 1.0, 0.0),
            Unit::Fahrenheit => ("temperature", 5.0 / 9.0, -160.0 / 9.0),
            Unit::Percent => ("share", 1.0, 0.0),
            Unit::Bpm => ("heart rate", 1.0, 0.0),
            Unit::LMin => ("flow", 1.0, 0.0),
            Unit::Minutes => ("time", 1.0, 0.0),
            Unit::Hours => ("time", 60.0, 0.0),
            Unit::Days => ("time", 1440.0, 0.0),
            Unit::Steps => ("steps", 1.0, 0.0),
            Unit::Count => ("count", 1.0, 0.0),
        }
    }
}

/// What a question expects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", from = "Written")]
pub enum Expects {
    /// Yes or no.
    YesNo,
    /// A measured or counted number.
    Number {
        /// The unit asked for.
        unit: Unit,
        /// The smallest value believed without asking again, in `unit`.
        min: f64,
        /// The largest value believed without asking again, in `unit`.
        max: f64,
    },
    /// A whole number on a scale.
    Scale {
        /// Its lower end.
        min: i64,
        /// Its upper end.
        max: i64,
    },
    /// One of several options, in the order in which they were offered.
    Choice {
        /// The words of each option in the patient's language; several wordings are separated by `|`.
        options: Vec<String>,
    },
    /// Systolic over diastolic, mmHg.
    BloodPressure,
    /// Confirm, reschedule or cannot come.
    #[serde(rename = "confirm_reschedule_cancel")]
    Visit,
    /// Any words.
    Text,
}

/// [`Expects`] as protocols write it: limits may be left out.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Written {
    YesNo,
    Number {
        #[serde(default = "count")]
        unit: Unit,
        min: Option<f64>,
        max: Option<f64>,
    },
    Scale {
        #[serde(default)]
        min: i64,
        #[serde(default = "ten")]
        max: i64,
    },
    Choice {
        options: Vec<String>,
    },
    BloodPressure,
    #[serde(rename = "confirm_reschedule_cancel")]
    Visit,
    Text,
}

fn count() -> Unit {
    Unit::Count
}

fn ten() -> i64 {
    10
}

impl From<Written> for Expects {
    fn from(written: Written) -> Expects {
        match written {
            Written::YesNo => Expects::YesNo,
            Written::Number { unit, min, max } => {
                let (low, high) = unit.believable();
                Expects::Number { unit, min: min.unwrap_or(low), max: max.unwrap_or(high) }
            }
            Written::Scale { min, max } => Expects::Scale { min, max },
            Written::Choice { options } => Expects::Choice { options },
            Written::BloodPressure => Expects::BloodPressure,
            Written::Visit => Expects::Visit,
            Written::Text => Expects::Text,
        }
    }
}

/// What a patient answered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Answer {
    /// Yes.
    Yes,
    /// No.
    No,
    /// A number.
    Number {
        /// In the unit asked for; converted only where another unit was written.
        value: f64,
        /// The unit asked for.
        unit: Unit,
        /// As the patient wrote it.
        as_written: f64,
        /// The unit that the patient wrote.
        unit_written: Option<Unit>,
        /// Whether it lies within the limits of the question. If not: ask which was meant, store nothing.
        plausible: bool,
    },
    /// A place on a scale.
    Scale(i64),
    /// An option, from 1.
    Choice(usize),
    /// Blood pressure, mmHg.
    BloodPressure {
        /// Systolic pressure, mmHg.
        systolic: u16,
        /// Diastolic pressure, mmHg.
        diastolic: u16,
    },
    /// Will come.
    Confirm,
    /// Wants another time.
    Reschedule,
    /// Cannot come.
    CantCome,
    /// Words, to be kept as they are.
    Text,
}

impl Answer {
    /// The answer as plain JSON: `true`, `180.4`, `7`, the number of the option from 1, `[120,80]`, `"confirm"`,
    /// `"reschedule"` or `"cant_come"`. `None` for a number that is not plausible (nothing may be stored) and for
    /// free text.
    #[must_use]
    pub fn value(&self) -> Option<Value> {
        match *self {
            Answer::Yes => Some(json!(true)),
            Answer::No => Some(json!(false)),
            Answer::Number { value, plausible, .. } => plausible.then(|| number(value)),
            Answer::Scale(n) => Some(json!(n)),
            Answer::Choice(n) => Some(json!(n)),
            Answer::BloodPressure { systolic, diastolic } => Some(json!([systolic, diastolic])),
            Answer::Confirm => Some(json!("confirm")),
            Answer::Reschedule => Some(json!("reschedule")),
            Answer::CantCome => Some(json!("cant_come")),
            Answer::Text => None,
        }
    }
}

/// Whole values without a decimal point.
#[expect(clippy::cast_possible_truncation, reason = "the value is whole and far below 2^53")]
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e12 { json!(value as i64) } else { json!(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_may_leave_the_limits_out() {
        let read = |text: &str| serde_json::from_str::<Expects>(text);
        assert_eq!(
            read(r#"{"kind":"number","unit":"lb"}"#).expect("a question"),
            Expects::Number { unit: Unit::Lb, min: 50.0, max: 700.0 }
        );
        assert_eq!(read(r#"{"kind":"scale"}"#).expect("a question"), Expects::Scale { min: 0, max: 10 });
        assert_eq!(read(r#"{"kind":"confirm_reschedule_cancel"}"#).expect("a question"), Expects::Visit);
        assert!(read(r#"{"kind":"number","unit":"stone"}"#).is_err());
    }

    #[test]
    fn every_question_reads_back_as_it_was_written() {
        let choice = Expects::Choice { options: vec!["well".into(), "unwell|bad".into()] };
        for expects in [Expects::YesNo, choice, Expects::BloodPressure, Expects::Visit, Expects::Text] {
            let text = serde_json::to_string(&expects).expect("JSON");
            assert_eq!(serde_json::from_str::<Expects>(&text).expect("a question"), expects);
        }
    }

    #[test]
    fn units_convert_within_their_quantity_only() {
        assert_eq!(Unit::Kg.convert(76.4, Unit::Lb), Some(168.4));
        assert_eq!(Unit::MmolL.convert(5.6, Unit::MgDl), Some(100.9));
        assert_eq!(Unit::Celsius.convert(39.0, Unit::Fahrenheit), Some(102.2));
        assert_eq!(Unit::Kg.convert(76.4, Unit::MgDl), None);
        for unit in Unit::ALL {
            assert_eq!(serde_json::to_value(unit).expect("JSON"), json!(unit.as_str()));
        }
    }
}
