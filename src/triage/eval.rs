//! Measures triage against labelled replies.
//!
//! *Caught*: a case whose `min` is urgent or worse and whose verdict is at least urgent. *False alarm*: a
//! case whose `max` is none and whose verdict is urgent or worse (or, counted apart, anything at all).

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use super::{Context, READER_PACK, Triage, Verdict};
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
    /// What it is about, in the words of the label.
    #[serde(default)]
    pub categories: Vec<String>,
    /// How it is written.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Replies of the same situation have the same name here and are never parted between training and measuring.
    #[serde(default)]
    pub group: Option<String>,
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
    /// The group that is never parted between training and measuring: its own name unless it says otherwise.
    #[must_use]
    pub fn group(&self) -> &str {
        self.group.as_deref().unwrap_or(&self.id)
    }

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

/// What of a verdict counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// All readers together: the verdict as it is.
    All,
    /// The statistical reader's finding alone (it sees what the rules found).
    Statistical,
}

/// The measures of all cases, and of each language, category and tag.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// By language tag.
    pub by_lang: BTreeMap<String, Scores>,
    /// By category; a case counts in each of its categories, a harmless one mostly in none.
    pub by_category: BTreeMap<String, Scores>,
    /// By how the reply is written.
    pub by_tag: BTreeMap<String, Scores>,
    /// Of all cases.
    pub all: Scores,
}

/// The severity of each case.
#[must_use]
pub fn severities(triage: &Triage, cases: &[Case], readers: Readers) -> Vec<Severity> {
    let counts = |verdict: Verdict| match readers {
        Readers::All => verdict.severity,
        Readers::Statistical => {
            verdict.because.iter().filter(|f| f.pack == READER_PACK).map(|f| f.severity).max().unwrap_or(Severity::None)
        }
    };
    cases.iter().map(|case| counts(case.verdict(triage))).collect()
}

/// Measures severities against the labels.
#[must_use]
pub fn score(cases: &[Case], severities: &[Severity]) -> Report {
    let mut report = Report::default();
    for (case, severity) in cases.iter().zip(severities) {
        report.by_lang.entry(case.lang.clone()).or_default().count(case, *severity);
        for category in &case.categories {
            report.by_category.entry(category.clone()).or_default().count(case, *severity);
        }
        for tag in &case.tags {
            report.by_tag.entry(tag.clone()).or_default().count(case, *severity);
        }
        report.all.count(case, *severity);
    }
    report
}

/// Measures triage on cases.
#[must_use]
pub fn measure(triage: &Triage, cases: &[Case]) -> Report {
    score(cases, &severities(triage, cases, Readers::All))
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

impl Part {
    /// The 95 % interval by Wilson, in parts of one.
    #[must_use]
    pub fn interval(&self) -> (f64, f64) {
        const Z: f64 = 1.96;
        if self.of == 0 {
            return (0.0, 1.0);
        }
        #[expect(clippy::cast_precision_loss, reason = "a few thousand cases")]
        let (hits, of) = (self.hits as f64, self.of as f64);
        let part = hits / of;
        let middle = (part + Z * Z / (2.0 * of)) / (1.0 + Z * Z / of);
        let half = Z / (1.0 + Z * Z / of) * (part * (1.0 - part) / of + Z * Z / (4.0 * of * of)).sqrt();
        ((middle - half).max(0.0), (middle + half).min(1.0))
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = (self.hits * 1000).checked_div(self.of).unwrap_or(0);
        let (low, high) = self.interval();
        let counts = format!("{}/{}", self.hits, self.of);
        f.pad(&format!("{counts:>9} {:>3}.{}% [{:>2.0}-{:>3.0}]", percent / 10, percent % 10, low * 100.0, high * 100.0))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_all = BTreeMap::from([("all".to_owned(), self.all)]);
        let tables = [("language", &self.by_lang), ("", &of_all), ("category", &self.by_category), ("tag", &self.by_tag)];
        for (name, rows) in tables.into_iter().filter(|(_, rows)| !rows.is_empty()) {
            if !name.is_empty() {
                let heads = ["emergencies", "urgent or worse", "false urgent", "false any", "within range"];
                writeln!(f, "\n{name:<18}{}", heads.map(|head| format!("{head:<26}")).concat().trim_end())?;
            }
            for (row, s) in rows {
                let parts = [s.emergencies, s.urgent, s.false_urgent, s.false_any, s.exact];
                writeln!(f, "{row:<18}{}", parts.map(|part| format!("{part:<26}")).concat().trim_end())?;
            }
        }
        Ok(())
    }
}

/// What two versions make of the same cases: how many are caught by one alone, and how many harmless ones only one raises.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Urgent or worse, caught now and not before.
    pub gained: Vec<String>,
    /// Urgent or worse, caught before and not now.
    pub lost: Vec<String>,
    /// Harmless, raised to urgent now and not before.
    pub worse: Vec<String>,
    /// Harmless, raised to urgent before and not now.
    pub better: Vec<String>,
}

/// Compares severities before and now.
#[must_use]
pub fn compare(cases: &[Case], before: &[Severity], now: &[Severity]) -> Comparison {
    let mut comparison = Comparison::default();
    for ((case, before), now) in cases.iter().zip(before).zip(now) {
        let (was, is) = (*before >= Severity::Urgent, *now >= Severity::Urgent);
        let into = match (case.min >= Severity::Urgent, case.max == Severity::None) {
            (true, _) if is && !was => &mut comparison.gained,
            (true, _) if was && !is => &mut comparison.lost,
            (_, true) if is && !was => &mut comparison.worse,
            (_, true) if was && !is => &mut comparison.better,
            _ => continue,
        };
        into.push(case.id.clone());
    }
    comparison
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Comparison { gained, lost, worse, better } = self;
        for (what, cases) in
            [("caught only now", gained), ("caught only before", lost), ("false only now", worse), ("false only before", better)]
        {
            writeln!(f, "{what:<20}{:>5}  {}", cases.len(), cases.iter().take(12).cloned().collect::<Vec<_>>().join(" "))?;
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
        let cases = read("b.jsonl", lines).expect("cases");
        let report = measure(&Triage::rules().expect("packs"), &cases);
        assert_eq!(report.by_lang["en"].emergencies, Part { hits: 0, of: 1 });
        assert_eq!(report.by_lang["en"].urgent, Part { hits: 1, of: 2 });
        assert_eq!(report.all.false_urgent, Part { hits: 0, of: 1 });
        assert!(report.to_string().contains("1/2  50.0% [ 9- 91]"), "{report}");
        let (none, urgent) = (Severity::None, Severity::Urgent);
        let compared = compare(&cases, &[none, urgent, none], &[urgent, none, urgent]);
        assert_eq!(
            (compared.gained, compared.lost, compared.worse),
            (vec!["a".to_owned()], vec!["b".to_owned()], vec!["c".to_owned()])
        );
    }
}
