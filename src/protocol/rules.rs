//! Judges a new number against a step's rules and the patient's history. Pure.

use std::time::Duration;

use super::{Rule, Test, WeightUnit};
use crate::clock::Time;
use crate::model::{Category, Severity};

/// An earlier value of the same reading.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The value, in the unit of the new one.
    pub value: f64,
    /// When.
    pub at: Time,
}

/// A rule that fired.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// How soon somebody must look.
    pub severity: Severity,
    /// What it is about.
    pub category: Category,
    /// In words for staff, with numbers and unit.
    pub sentence: String,
}

/// The worst rule that fires for `value`, if one does. `history` holds earlier values, oldest first.
#[must_use]
pub fn judge(rules: &[Rule], value: f64, unit: WeightUnit, history: &[Point], now: Time) -> Option<Finding> {
    rules
        .iter()
        .filter_map(|rule| {
            let change = fires(rule.test, value, unit, history, now)?;
            let with_unit = |n: f64| format!("{} {}", tidy(n), unit.as_str());
            let sentence = rule.sentence.replace("{change}", &with_unit(change)).replace("{value}", &with_unit(value));
            Some(Finding { severity: rule.severity, category: rule.category, sentence })
        })
        // The first of the worst: rules run from the most telling down.
        .fold(None, |worst: Option<Finding>, next| match worst {
            Some(worst) if worst.severity >= next.severity => Some(worst),
            _ => Some(next),
        })
}

/// By how much the test is met, if it is.
fn fires(test: Test, value: f64, unit: WeightUnit, history: &[Point], now: Time) -> Option<f64> {
    // Half a day of grace, so that a late answer yesterday still counts as yesterday's.
    let within = |days: u16| {
        let from = now.minus(Duration::from_secs(u64::from(days) * 86_400 + 43_200));
        history.iter().filter(move |p| p.at >= from && p.at < now).map(|p| p.value)
    };
    let enough = |change: f64, by: f64| (change + 1e-6 >= by).then_some(change);
    match test {
        Test::Rise { days, by } => enough(value - within(days).reduce(f64::min)?, by.of(unit)),
        Test::Fall { days, by } => enough(within(days).reduce(f64::max)? - value, by.of(unit)),
        Test::AtLeast(limit) => (value >= limit.of(unit)).then_some(value - limit.of(unit)),
        Test::AtMost(limit) => (value <= limit.of(unit)).then_some(limit.of(unit) - value),
    }
}

/// One decimal at the most, and none where it is zero.
fn tidy(n: f64) -> String {
    let text = format!("{n:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::{Protocol, SHIPPED};
    use super::*;

    const DAY: i64 = 86_400_000;

    fn weight_rules() -> Vec<Rule> {
        let (file, text) = SHIPPED[1];
        Protocol::parse(file, text).expect("it reads").steps.remove(0).rules
    }

    fn days(values: &[f64]) -> (Vec<Point>, Time) {
        let points = values.iter().zip(0..).map(|(value, day)| Point { value: *value, at: Time(day * DAY) }).collect();
        (points, Time(i64::try_from(values.len()).expect("few") * DAY))
    }

    #[test]
    fn ernesto_gains_three_pounds_overnight() {
        let (history, now) = days(&[180.0, 180.4]);
        let found = judge(&weight_rules(), 183.6, WeightUnit::Lb, &history, now).expect("a finding");
        assert_eq!((found.severity, found.sentence.as_str()), (Severity::Urgent, "Weight up 3.2 lb since yesterday"));
        assert_eq!(judge(&weight_rules(), 182.9, WeightUnit::Lb, &history, now), None);
    }

    #[test]
    fn five_pounds_in_a_week_count_although_no_day_brought_three() {
        let (history, now) = days(&[180.0, 181.0, 182.0, 183.0, 184.0]);
        let found = judge(&weight_rules(), 185.0, WeightUnit::Lb, &history, now).expect("a finding");
        assert_eq!(found.sentence, "Weight up 5 lb within a week");
    }

    #[test]
    fn the_same_in_kilograms_and_a_first_value_says_nothing() {
        let (history, now) = days(&[75.0, 75.3]);
        assert!(judge(&weight_rules(), 76.7, WeightUnit::Kg, &history, now).is_some());
        assert_eq!(judge(&weight_rules(), 76.7, WeightUnit::Kg, &[], now), None);
    }
}
