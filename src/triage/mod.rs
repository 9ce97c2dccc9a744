//! Decides how soon a person must look at a reply, and says why.
//!
//! Invariants:
//! - every pack reads every reply: no language is detected or believed, and safety phrases of all
//!   languages count always;
//! - what cannot be read at all is at least [`Severity::Routine`] ("not understood"); a plain yes, number,
//!   thanks or emoji is nothing; a number alone is never a threat;
//! - a verdict names the rules that made it, with pack and version, so that it can be examined later.
//!
//! Why rules and not a model: a clinician can read, test and change them, they run on the smallest
//! machine without sending a patient's words anywhere, and the same reply always gets the same verdict.
//! The rules are drafts made by machine; each pack says so until a clinician who speaks its language
//! has reviewed it.

pub mod eval;
mod judge;
mod matcher;
mod normalise;
mod pack;
mod phrase;
mod spelling;

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use self::judge::{Ask, Fired, Judge};
use self::normalise::{Folded, Script, fold, script};
use self::pack::Pack;
use self::spelling::Spelling;
use crate::document::{Fault, Faults};
use crate::model::{Category, Lang, Severity};

const EMBEDDED: [(&str, &str); 13] = [
    ("triage/ar.toml", include_str!("../../config/triage/ar.toml")),
    ("triage/bn.toml", include_str!("../../config/triage/bn.toml")),
    ("triage/en.toml", include_str!("../../config/triage/en.toml")),
    ("triage/es.toml", include_str!("../../config/triage/es.toml")),
    ("triage/fr.toml", include_str!("../../config/triage/fr.toml")),
    ("triage/ht.toml", include_str!("../../config/triage/ht.toml")),
    ("triage/it.toml", include_str!("../../config/triage/it.toml")),
    ("triage/ko.toml", include_str!("../../config/triage/ko.toml")),
    ("triage/pl.toml", include_str!("../../config/triage/pl.toml")),
    ("triage/ru.toml", include_str!("../../config/triage/ru.toml")),
    ("triage/ur.toml", include_str!("../../config/triage/ur.toml")),
    ("triage/yi.toml", include_str!("../../config/triage/yi.toml")),
    ("triage/zh.toml", include_str!("../../config/triage/zh.toml")),
];

/// The pack of findings that no rule pack made.
const OWN_PACK: &str = "porchlight";

/// The rule packs, compiled. Built once, at start.
#[derive(Debug)]
pub struct Triage {
    judge: Judge,
    spelling: Spelling,
    version: String,
}

/// What is known about a reply besides its text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// The language in which the patient is written to. Never narrows what is looked for.
    pub lang: Option<Lang>,
    /// The key of the open question, such as `weight` or `wellbeing`.
    pub question: Option<&'a str>,
    /// The texts of the last minutes, oldest first: fragments of one thought are read together.
    pub previous: &'a [String],
}

/// How soon a person must look, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The worst of the findings.
    pub severity: Severity,
    /// What the reply is about, each once, in the order of the model.
    pub categories: Vec<Category>,
    /// What was found, worst first.
    pub because: Vec<Finding>,
}

/// One rule that fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's name within its pack.
    pub rule: String,
    /// The pack.
    pub pack: String,
    /// The pack's version.
    pub pack_version: u32,
    /// How soon a person must look because of it.
    pub severity: Severity,
    /// What it is about.
    pub category: Category,
    /// The part of the reply that it saw, as folded: the patient's words.
    pub matched: String,
    /// What it means, in English, for staff.
    pub sentence: String,
}

impl Triage {
    /// The packs that are part of the program.
    ///
    /// # Errors
    /// Never once the tests have passed: every fault of the packs.
    pub fn embedded() -> Result<Triage, Faults> {
        Triage::from_packs(EMBEDDED.iter().map(|(file, toml)| ((*file).to_owned(), (*toml).to_owned())))
    }

    /// Packs as (file, TOML).
    ///
    /// # Errors
    /// Every fault of every pack at once, with file, line and column; a rule that does not catch its
    /// own example, or catches its own counterexample, is one.
    pub fn from_packs(sources: impl Iterator<Item = (String, String)>) -> Result<Triage, Faults> {
        let mut sources: Vec<(String, String)> = sources.collect();
        sources.sort();
        let mut faults = Vec::new();
        let mut packs = Vec::new();
        let mut digest = Sha256::new();
        for (file, toml) in &sources {
            for part in [file, toml] {
                digest.update(part.len().to_le_bytes());
                digest.update(part);
            }
            match Pack::read(file, toml) {
                Ok(pack) => packs.push(pack),
                Err(Faults(more)) => faults.extend(more),
            }
        }
        if !faults.is_empty() {
            return Err(Faults(faults));
        }
        let mut version = String::new();
        for byte in &digest.finalize()[..6] {
            let _infallible = write!(version, "{byte:02x}");
        }
        let mut spelling = Spelling::default();
        packs.iter().flat_map(|p| &p.concepts).flat_map(|c| &c.phrases).for_each(|phrase| spelling.learn(phrase));
        spelling.close();
        let judge = Judge::new(packs)
            .map_err(|e| Faults(vec![Fault::whole("triage", format!("the packs are too large for one automaton: {e}"))]))?;
        let triage = Triage { judge, spelling, version };
        let faults = triage.disproved(&sources);
        if faults.is_empty() { Ok(triage) } else { Err(Faults(faults)) }
    }

    /// Names the packs: the beginning of the SHA-256 of their text. Stored with each verdict.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The packs, as (name, version).
    pub fn packs(&self) -> impl Iterator<Item = (&str, u32)> {
        self.judge.packs().iter().map(|pack| (pack.name.as_str(), pack.version))
    }

    /// Reads a reply.
    #[must_use]
    pub fn assess(&self, text: &str, cx: &Context<'_>) -> Verdict {
        let mut findings = Vec::new();
        let alone = fold(text);
        let ask = Ask { question: cx.question, after: 0, call_off: true, least: Severity::None };
        self.collect(&alone, ask, &mut findings);
        if !cx.previous.is_empty() {
            let mut before = cx.previous.join(" ");
            before.push(' ');
            let after = fold(&before).text.len();
            let together = fold(&(before + text));
            self.collect(&together, Ask { after, ..ask }, &mut findings);
        }
        if findings.is_empty() && !readable(text, &alone) {
            findings.push(not_understood());
        }
        Verdict::of(findings)
    }

    /// Whether a reply could be urgent or worse: negations and idioms are not looked at, so that this
    /// says yes at least as often as [`Triage::assess`]. Takes microseconds; only sets a priority.
    #[must_use]
    pub fn red_flag(&self, text: &str) -> bool {
        let ask = Ask { question: None, after: 0, call_off: false, least: Severity::Urgent };
        let text = fold(text);
        let raised = |text: &Folded| !self.judge.fired(text, ask).is_empty();
        raised(&text) || self.spelling.mend(&text).as_ref().is_some_and(raised)
    }

    fn collect(&self, text: &Folded, ask: Ask<'_>, findings: &mut Vec<Finding>) {
        let mut add = |text: &Folded, ask: Ask<'_>| {
            for fired in self.judge.fired(text, ask) {
                if !findings.iter().any(|f| f.pack == fired.pack.name && f.rule == fired.rule.id) {
                    findings.push(finding(text, fired));
                }
            }
        };
        add(text, ask);
        if let Some(mended) = self.spelling.mend(text) {
            let shift = mended.text.len().abs_diff(text.text.len());
            add(&mended, Ask { after: ask.after.saturating_sub(shift), ..ask });
        }
    }

    /// Every example that its rule does not catch and every counterexample that it does.
    fn disproved(&self, sources: &[(String, String)]) -> Vec<Fault> {
        let mut faults = Vec::new();
        for pack in self.judge.packs() {
            let toml = sources.iter().find(|(file, _)| *file == pack.file).map_or("", |(_, toml)| toml);
            for rule in &pack.rules {
                let question = rule.questions.first().map(String::as_str);
                let caught = |text: &str| {
                    let verdict = self.assess(text, &Context { question, ..Context::default() });
                    verdict.because.iter().any(|f| f.pack == pack.name && f.rule == rule.id)
                };
                let missed = rule.examples.iter().filter(|(text, _)| !caught(text));
                let wrong = rule.counterexamples.iter().filter(|(text, _)| caught(text));
                let missed =
                    missed.map(|(text, place)| (place, format!("the rule `{}` does not catch its example `{text}`", rule.id)));
                let wrong =
                    wrong.map(|(text, place)| (place, format!("the rule `{}` catches its counterexample `{text}`", rule.id)));
                faults.extend(missed.chain(wrong).map(|(place, what)| Fault::at(pack.file.clone(), toml, place.start, what)));
            }
        }
        faults
    }
}

impl Verdict {
    /// What staff read first: the sentences of the worst findings, such as "Chest pain; trouble breathing".
    #[must_use]
    pub fn headline(&self) -> String {
        let mut sentences: Vec<&str> = Vec::new();
        for finding in self.because.iter().filter(|f| f.severity == self.severity) {
            if !sentences.contains(&finding.sentence.as_str()) && sentences.len() < 3 {
                sentences.push(&finding.sentence);
            }
        }
        let mut headline = String::new();
        for sentence in sentences {
            let mut letters = sentence.chars();
            match letters.next() {
                Some(first) if !headline.is_empty() => {
                    headline.push_str("; ");
                    headline.extend(first.to_lowercase());
                    headline.push_str(letters.as_str());
                }
                _ => headline.push_str(sentence),
            }
        }
        headline
    }

    fn of(mut findings: Vec<Finding>) -> Verdict {
        findings.sort_by_key(|f| std::cmp::Reverse(f.severity));
        let severity = findings.first().map_or(Severity::None, |f| f.severity);
        let mut categories: Vec<Category> = findings.iter().map(|f| f.category).collect();
        categories.sort_unstable();
        categories.dedup();
        Verdict { severity, categories, because: findings }
    }
}

fn finding(text: &Folded, fired: Fired<'_>) -> Finding {
    Finding {
        rule: fired.rule.id.clone(),
        pack: fired.pack.name.clone(),
        pack_version: fired.pack.version,
        severity: fired.rule.severity,
        category: fired.rule.category,
        matched: text.text[fired.span.start..fired.span.end].to_owned(),
        sentence: fired.rule.sentence.clone(),
    }
}

fn not_understood() -> Finding {
    Finding {
        rule: "not_understood".to_owned(),
        pack: OWN_PACK.to_owned(),
        pack_version: 1,
        severity: Severity::Routine,
        category: Category::NotUnderstood,
        matched: String::new(),
        sentence: "A reply that could not be read".to_owned(),
    }
}

/// Whether a reply holds something in a script that some pack is written in, a number, a picture or one
/// of the signs that people answer with. More foreign letters than known ones cannot be read.
fn readable(text: &str, folded: &Folded) -> bool {
    let (mut known, mut foreign) = (0, 0);
    for c in folded.text.chars() {
        match script(c) {
            Some(Script::Foreign) => foreign += 1,
            Some(
                Script::Bordered
                | Script::Arabic
                | Script::Bengali
                | Script::Han
                | Script::Hangul
                | Script::Digit
                | Script::Picture,
            ) => known += 1,
            None => {}
        }
    }
    let broken = text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count();
    let sign = !text.trim().is_empty() && text.trim().chars().all(|c| matches!(c, '?' | '+' | '-' | '؟' | ')'));
    (known > 0 && known >= foreign + broken) || sign
}

#[cfg(test)]
mod tests;
