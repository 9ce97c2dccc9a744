//! Measures triage against labelled replies.
//!
//! *Caught*: a case whose `min` is urgent or worse and whose verdict is at least urgent. *False alarm*: a
//! case whose `max` is none and whose verdict is urgent or worse (or, counted apart, anything at all).

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use super::{Context, Triage, Verdict};
use crate::document::{Fault, Faults};
use crate::model::Severity;

/// A labelled reply: one line of a JSONL file. Keys that are not read here are allowed.
#[derive(Debug, Clone, Deserialize)]
pub struct Case {
    /// Its name.
    pub id: String,
    /// The language it is written in, as a BCP 47 tag (`zh` for both scripts).
    pub lang: String,
    /// What the patient wrote.
    pub text: String,
    /// The least severity that is right.
    pub min: Severity,
    /// The greatest severity that is right.
    pub max: Severity,
    /// What is known besides.
    #[serde(default)]
    pub context: CaseContext,
}

/// What is known besides the text.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct CaseContext {
    /// The key of the open question.
    #[serde(default)]
    pub question: Option<String>,
    /// Earlier texts of the last minutes, oldest first.
    #[serde(default)]
    pub previous: Vec<String>,
}

impl Case {
    /// The verdict on it.
    #[must_use]
    pub fn verdict(&self, triage: &Triage) -> Verdict {
        let cx = Context {
            lang: self.lang.parse().ok(),
            question: self.context.question.as_deref(),
            previous: &self.context.previous,
        };
        triage.assess(&self.text, &cx)
    }
}

/// Reads labelled replies.
///
/// # Errors
/// Every line that is not a case, with its place.
pub fn read(file: &str, jsonl: &str) -> Result<Vec<Case>, Faults> {
    let mut cases = Vec::new();
    let mut faults = Vec::new();
    for (index, line) in jsonl.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str(line) {
            Ok(case) => cases.push(case),
            Err(e) => {
                faults.push(Fault {
                    file: file.to_owned(),
                    line: index + 1,
                    column: e.column(),
                    what: format!("this is not a case: {e}"),
                });
            }
        }
    }
    if faults.is_empty() { Ok(cases) } else { Err(Faults(faults)) }
}

/// How many of how many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Part {
    /// How many.
    pub hits: usize,
    /// Of how many.
    pub of: usize,
}

/// The measures of some cases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scores {
    /// Emergencies (`min`) raised to urgent or worse.
    pub emergencies: Part,
    /// Cases of urgent or worse (`min`) raised to urgent or worse.
    pub urgent: Part,
    /// Harmless cases (`max` none) raised to urgent or worse.
    pub false_urgent: Part,
    /// Harmless cases raised to anything.
    pub false_any: Part,
    /// Cases whose severity lies between `min` and `max`.
    pub exact: Part,
}

/// The measures by language, and of all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// By language tag.
    pub by_lang: BTreeMap<String, Scores>,
    /// Of all cases.
    pub all: Scores,
}

/// Measures triage on cases.
#[must_use]
pub fn measure(triage: &Triage, cases: &[Case]) -> Report {
    let mut report = Report::default();
    for case in cases {
        let severity = case.verdict(triage).severity;
        report.by_lang.entry(case.lang.clone()).or_default().count(case, severity);
        report.all.count(case, severity);
    }
    report
}

impl Scores {
    fn count(&mut self, case: &Case, severity: Severity) {
        let raised = severity >= Severity::Urgent;
        if case.min == Severity::Emergency {
            self.emergencies.count(raised);
        }
        if case.min >= Severity::Urgent {
            self.urgent.count(raised);
        }
        if case.max == Severity::None {
            self.false_urgent.count(raised);
            self.false_any.count(severity > Severity::None);
        }
        self.exact.count((case.min..=case.max).contains(&severity));
    }
}

impl Part {
    fn count(&mut self, hit: bool) {
        self.of += 1;
        self.hits += usize::from(hit);
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = (self.hits * 1000).checked_div(self.of).unwrap_or(0);
        write!(f, "{:>4}/{:<4}{:>4}.{}%", self.hits, self.of, percent / 10, percent % 10)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "      {:<17}{:<17}{:<17}{:<17}within range", "emergencies", "urgent or worse", "false urgent", "false any")?;
        for (lang, s) in self.by_lang.iter().map(|(lang, s)| (lang.as_str(), s)).chain([("all", &self.all)]) {
            writeln!(f, "{lang:<6}{}  {}  {}  {}  {}", s.emergencies, s.urgent, s.false_urgent, s.false_any, s.exact)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_no_case_is_named_and_the_measures_count_what_they_say() {
        let faults = read("a.jsonl", "{\"id\":1}\n\n{}\n").expect_err("two faults").0;
        assert_eq!(faults.iter().map(|f| f.line).collect::<Vec<_>>(), [1, 3]);
        let lines = r#"{"id":"a","lang":"en","text":"i want to die","min":"urgent","max":"emergency"}
{"id":"b","lang":"en","text":"qqq","min":"emergency","max":"emergency"}
{"id":"c","lang":"es","text":"ok","min":"none","max":"none"}
"#;
        let report = measure(&Triage::embedded().expect("packs"), &read("b.jsonl", lines).expect("cases"));
        assert_eq!(report.by_lang["en"].emergencies, Part { hits: 0, of: 1 });
        assert_eq!(report.by_lang["en"].urgent, Part { hits: 1, of: 2 });
        assert_eq!(report.all.false_urgent, Part { hits: 0, of: 1 });
        assert!(report.to_string().contains("all"));
    }
}
