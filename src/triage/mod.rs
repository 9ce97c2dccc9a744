//! Decides how soon a person must look at a reply, and says why.
//!
//! Invariants:
//! - every pack reads every reply: no language is detected or believed, and safety phrases of all
//!   languages count always;
//! - what cannot be read at all is at least [`Severity::Routine`] ("not understood"); a plain yes, number,
//!   thanks or emoji is nothing; a number alone is never a threat;
//! - a verdict names what made it, with pack or model and version, so that it can be examined later;
//! - a reader may raise what another found; nothing is lowered but a rule that says of itself that it is soft.
//!
//! Two readers: rules, which a clinician can read, test and change, and beside them a small linear model (`reader`), which catches
//! what nobody thought of. Both run on the smallest machine without sending a patient's words anywhere, and the same reply always
//! gets the same verdict. Rules and training replies are drafts made by machine; docs/triage.md says what that is worth.

pub mod data;
pub mod eval;
mod judge;
mod matcher;
mod normalise;
mod pack;
mod phrase;
pub mod reader;
mod spelling;
mod words;

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use self::judge::{Ask, Fired, Judge, Seen};
use self::normalise::{Folded, Script, fold, script};
use self::pack::Pack;
use self::reader::model::Model;
use self::reader::{Opinion, Reader};
use self::spelling::Spelling;
use crate::document::{Fault, Faults};
use crate::model::{Category, Lang, Severity};

const EMBEDDED: [(&str, &str); 14] = [
    ("triage/ar.toml", include_str!("../../config/triage/ar.toml")),
    ("triage/bn.toml", include_str!("../../config/triage/bn.toml")),
    ("triage/en.toml", include_str!("../../config/triage/en.toml")),
    ("triage/es.toml", include_str!("../../config/triage/es.toml")),
    ("triage/fr.toml", include_str!("../../config/triage/fr.toml")),
    ("triage/ht.toml", include_str!("../../config/triage/ht.toml")),
    ("triage/it.toml", include_str!("../../config/triage/it.toml")),
    ("triage/ko.toml", include_str!("../../config/triage/ko.toml")),
    ("triage/pl.toml", include_str!("../../config/triage/pl.toml")),
    ("triage/questions.toml", include_str!("../../config/triage/questions.toml")),
    ("triage/ru.toml", include_str!("../../config/triage/ru.toml")),
    ("triage/ur.toml", include_str!("../../config/triage/ur.toml")),
    ("triage/yi.toml", include_str!("../../config/triage/yi.toml")),
    ("triage/zh.toml", include_str!("../../config/triage/zh.toml")),
];

/// The statistical reader's model: `porchlight triage train` wrote it, config/triage/model.json says from what.
const MODEL: &[u8] = include_bytes!("../../config/triage/model.bin");

/// What the statistical reader learns with across languages.
const WORDS: &str = include_str!("../../config/triage/words.toml");

/// The pack of findings that no rule pack made.
const OWN_PACK: &str = "porchlight";

/// The pack of the statistical reader's findings.
pub const READER_PACK: &str = "reader";

/// The readers: the rule packs, compiled, and the statistical reader. Built once, at start.
#[derive(Debug)]
pub struct Triage {
    judge: Judge,
    spelling: Spelling,
    reader: Option<Reader>,
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

/// One rule that fired, or what the statistical reader says.
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
    /// Whether the rule, or a word in its sentence, says that it may be a figure of speech.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub soft: bool,
}

impl Triage {
    /// The packs and the model that are part of the program.
    ///
    /// # Errors
    /// Never once the tests have passed: every fault of the packs, or a model that does not fit this version.
    pub fn embedded() -> Result<Triage, Faults> {
        let model = Model::read(MODEL.into()).map_err(|why| Faults(vec![Fault::whole("triage/model.bin", why)]))?;
        Ok(Triage::rules()?.with(model))
    }

    /// The packs that are part of the program, without the statistical reader.
    ///
    /// # Errors
    /// Every fault of the packs.
    pub fn rules() -> Result<Triage, Faults> {
        Triage::from_packs(EMBEDDED.iter().map(|(file, toml)| ((*file).to_owned(), (*toml).to_owned())))
    }

    /// The same rules with a model beside them.
    #[must_use]
    pub fn with(self, model: Model) -> Triage {
        let mut digest = Sha256::new();
        digest.update(&self.version);
        digest.update(model.bytes());
        let version = short(&digest.finalize());
        Triage { reader: Some(Reader::new(model)), version, ..self }
    }

    /// Packs as (file, TOML), without a statistical reader.
    ///
    /// # Errors
    /// Every fault of every pack at once, with file, line and column; a rule that does not catch its
    /// own example, or catches its own counterexample, is one.
    pub fn from_packs(sources: impl Iterator<Item = (String, String)>) -> Result<Triage, Faults> {
        let words = words::read("triage/words.toml", WORDS)?;
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
        let version = short(&digest.finalize());
        let mut spelling = Spelling::default();
        packs.iter().flat_map(|p| &p.concepts).flat_map(|c| &c.phrases).for_each(|phrase| spelling.learn(phrase));
        spelling.close();
        let judge = Judge::new(packs, words)
            .map_err(|e| Faults(vec![Fault::whole("triage", format!("the packs are too large for one automaton: {e}"))]))?;
        let triage = Triage { judge, spelling, reader: None, version };
        let faults = triage.disproved(&sources);
        if faults.is_empty() { Ok(triage) } else { Err(Faults(faults)) }
    }

    /// Names packs and model: the beginning of the SHA-256 of both. Stored with each verdict.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The packs, as (name, version).
    pub fn packs(&self) -> impl Iterator<Item = (&str, u32)> {
        self.judge.packs().iter().map(|pack| (pack.name.as_str(), pack.version))
    }

    /// The statistical reader, if there is one.
    #[must_use]
    pub fn reader(&self) -> Option<&Reader> {
        self.reader.as_ref()
    }

    /// Reads a reply.
    #[must_use]
    pub fn assess(&self, text: &str, cx: &Context<'_>) -> Verdict {
        let mut findings = Vec::new();
        let alone = fold(text);
        let ask = Ask { question: cx.question, after: 0, call_off: true, least: Severity::None };
        let mut heard = self.collect(&alone, text, ask, &mut findings);
        let mut whole = None;
        if !cx.previous.is_empty() {
            let mut before = cx.previous.join(" ");
            before.push(' ');
            let earlier = fold(&before);
            let together = fold(&(before + text));
            let joined = self.collect(&together, text, Ask { after: earlier.text.len(), ..ask }, &mut findings);
            // A single word ("yes", "thanks") carries no thought on: what it is added to was read already.
            let goes_on = alone.text.contains(' ') || !alone.text.is_ascii();
            if let (Some(reader), Some(joined), true) = (&self.reader, joined, goes_on) {
                // What the earlier texts said by themselves was read when they came.
                let known = self.collect(&earlier, "", Ask { question: None, ..ask }, &mut Vec::new());
                let known = known.map_or(Severity::None, |opinion| reader.severity(&opinion));
                if reader.severity(&joined) > known.max(heard.map_or(Severity::None, |opinion| reader.severity(&opinion))) {
                    heard = Some(joined);
                    whole = Some(together);
                }
            }
        }
        if let (Some(reader), Some(opinion)) = (&self.reader, heard) {
            temper(reader, &opinion, &mut findings);
            findings.extend(heard_by(reader, &opinion, whole.as_ref().unwrap_or(&alone)));
        }
        if findings.is_empty() && !readable(text, &alone) {
            findings.push(not_understood());
        }
        Verdict::of(findings)
    }

    /// Whether the rules could find a reply urgent or worse: negations and idioms are not looked at and the statistical reader is
    /// not asked, so that this says yes at least as often as the rules. Takes microseconds; only sets a priority.
    #[must_use]
    pub fn red_flag(&self, text: &str) -> bool {
        let ask = Ask { question: None, after: 0, call_off: false, least: Severity::Urgent };
        let text = fold(text);
        let raised = |text: &Folded| !self.judge.fired(text, ask).is_empty();
        raised(&text) || self.spelling.mend(&text).as_ref().is_some_and(raised)
    }

    /// Adds what the rules find, and gives the statistical reader's opinion; none of a text without a letter, which is never a
    /// threat by itself.
    fn collect(&self, text: &Folded, raw: &str, ask: Ask<'_>, findings: &mut Vec<Finding>) -> Option<Opinion> {
        let mended = self.spelling.mend(text);
        let mut seen: Vec<Seen<'_>> = Vec::with_capacity(2);
        for (text, ask) in std::iter::once((text, ask)).chain(mended.as_ref().map(|mended| {
            let shift = mended.text.len().abs_diff(text.text.len());
            (mended, Ask { after: ask.after.saturating_sub(shift), ..ask })
        })) {
            let found = self.judge.seen(text, ask);
            for fired in &found.fired {
                if !findings.iter().any(|f| f.pack == fired.pack.name && f.rule == fired.rule.id) {
                    findings.push(finding(text, *fired));
                }
            }
            seen.push(found);
        }
        let reader = self.reader.as_ref()?;
        has_letters(&text.text).then(|| reader.read(&reader::views(text, raw, Some(&seen), ask.question)))
    }

    /// A labelled reply as the statistical reader is trained with it. Of a `known` one, from which the rules were written, it sees the
    /// letters and the open question alone.
    #[must_use]
    pub fn example(&self, case: &eval::Case, known: bool) -> reader::train::Example {
        let folded = fold(&case.text);
        let question = case.context.question.as_deref();
        let ask = Ask { question, after: 0, call_off: true, least: Severity::None };
        let mended = self.spelling.mend(&folded);
        let seen: Vec<Seen<'_>> = std::iter::once(&folded).chain(&mended).map(|text| self.judge.seen(text, ask)).collect();
        let worst = |soft: bool| {
            let own = seen.iter().flat_map(|seen| &seen.fired).filter(|fired| fired.soft == soft);
            own.map(|fired| fired.rule.severity).max().unwrap_or(Severity::None)
        };
        let group = Sha256::digest(case.group());
        reader::train::Example {
            views: reader::views(&folded, &case.text, (!known).then_some(&seen[..]), question),
            min: case.min,
            max: case.max,
            categories: case.categories.clone(),
            group: group[..4].iter().fold(0, |so_far, byte| so_far << 8 | u64::from(*byte)),
            ruled: reader::train::Ruled { hard: worst(false), soft: worst(true) },
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
    /// What staff read first: the sentences of the worst findings (of the rules, if they found any so bad), such as "Chest pain; trouble breathing".
    #[must_use]
    pub fn headline(&self) -> String {
        let mut sentences: Vec<&str> = Vec::new();
        let ruled = self.because.iter().any(|f| f.severity == self.severity && f.pack != READER_PACK);
        for finding in self.because.iter().filter(|f| f.severity == self.severity && !(ruled && f.pack == READER_PACK)) {
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

/// A soft rule counts as routine where the statistical reader hears nothing of danger in the whole reply or any sentence of it.
fn temper(reader: &Reader, opinion: &Opinion, findings: &mut [Finding]) {
    if reader.harmless(opinion) {
        for finding in findings.iter_mut().filter(|f| f.soft && f.severity > Severity::Routine) {
            finding.severity = Severity::Routine;
            finding.sentence.push_str(" (perhaps a figure of speech)");
        }
    }
}

/// What the statistical reader adds to the verdict.
fn heard_by(reader: &Reader, opinion: &Opinion, text: &Folded) -> Option<Finding> {
    let severity = reader.severity(opinion);
    let (category, about) = Reader::kind(opinion);
    (severity > Severity::None).then(|| Finding {
        rule: "statistical".to_owned(),
        pack: READER_PACK.to_owned(),
        pack_version: reader.model().version(),
        severity,
        category,
        matched: reader.weighty(&text.text, severity).to_owned(),
        sentence: format!("Reads like {about}"),
        soft: false,
    })
}

fn has_letters(folded: &str) -> bool {
    folded.chars().any(|c| !matches!(script(c), None | Some(Script::Digit | Script::Picture)))
}

/// The beginning of a hash, in hexadecimal digits.
fn short(hash: &[u8]) -> String {
    let mut text = String::new();
    for byte in &hash[..6] {
        let _infallible = write!(text, "{byte:02x}");
    }
    text
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
        soft: fired.soft,
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
        soft: false,
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
