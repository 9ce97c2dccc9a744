//! The words of one language, read from a reply pack (`config/replies/<lang>.toml`).
//!
//! A pack is data, so that a native speaker can correct it without touching the program. Every pack says its
//! `status`; all that come with the program are drafts made by machine.

use crate::document::{Document, Faults, Table};
use crate::model::Lang;

use super::expects::Unit;
use super::pattern::Phrases;

/// The words of one language.
#[derive(Debug, Clone)]
pub(super) struct Vocabulary {
    pub langs: Vec<Lang>,
    pub opt_out: OptOut,
    /// Whole messages that ask for messages again.
    pub opt_in_words: Phrases,
    /// Sentences that ask for messages again.
    pub opt_in_sentences: Phrases,
    /// Whole messages that ask who this is and how to get help.
    pub help: Phrases,
    /// Whole messages that may mean "no more".
    pub ambiguous_words: Phrases,
    /// Sentences that may mean "no more".
    pub ambiguous_sentences: Phrases,
    /// "please", "thank you": left out before whole messages are compared.
    pub polite: Phrases,
    /// Thanks, greetings and acknowledgements that need no human.
    pub courtesy: Phrases,
    pub yes: Phrases,
    pub no: Phrases,
    /// Begins like yes or no and is neither: "no problem", "not sure".
    pub unclear: Phrases,
    /// Words that turn the next one round.
    pub negators: Phrases,
    pub confirm: Phrases,
    pub reschedule: Phrases,
    pub cant_come: Phrases,
    pub numbers: Numbers,
}

/// Words by which consent is revoked.
#[derive(Debug, Clone, Default)]
pub(super) struct OptOut {
    /// Whole messages.
    pub words: Phrases,
    /// The same as written, long enough to be recognised with one slip.
    pub long_words: Vec<String>,
    /// Words that also count as one clause among others: "Wrong number. STOP".
    pub clauses: Phrases,
    /// Clear sentences, also inside a longer message.
    pub sentences: Phrases,
    /// Look like such a sentence and are none: "don't stop texting".
    pub not: Phrases,
    /// Narrow a sentence to a time or condition: "at night".
    pub limits: Phrases,
}

/// Number words, units and what stands around them.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers {
    /// Number words; the value of phrase *n* is `values[n]`.
    pub words: Phrases,
    pub values: Vec<u32>,
    /// Number words that also mean something else: only as a whole message.
    pub homographs: Phrases,
    /// Characters that multiply what stands before: 十 百. The factor of phrase *n* is `factors[n]`.
    pub multipliers: Phrases,
    pub factors: Vec<u32>,
    /// Whether "one eighty" is 180.
    pub by_pairs: bool,
    /// "and" between number words.
    pub and: Phrases,
    /// "and" written together with the next word (Arabic و).
    pub and_prefix: String,
    /// Decimal point in words.
    pub point: Phrases,
    /// "and a half".
    pub half: Phrases,
    /// Units; phrase *n* means `unit_of[n]`.
    pub units: Phrases,
    pub unit_of: Vec<Unit>,
    /// Units that are not converted: the answer must be asked for again.
    pub unsupported: Phrases,
    /// What makes a number something else than the answer: "pills", "am", "years".
    pub foreign: Phrases,
    /// "about", "it is": may stand before the number.
    pub lead: Phrases,
    /// "points", "ish": may stand after it.
    pub trail: Phrases,
    /// "but", "because": a clause may begin without a comma.
    pub connectors: Phrases,
    /// "out of": before the upper end of a scale.
    pub out_of: Phrases,
    /// "over": between systolic and diastolic.
    pub over: Phrases,
    /// "sorry, I mean": the number after it replaces the one before.
    pub correction: Phrases,
    /// The lower end of a scale that begins at zero: "none".
    pub none: Phrases,
    /// "the first", "the second", …, one phrase set a place.
    pub ordinals: Vec<Phrases>,
}

/// Reads one pack.
///
/// # Errors
/// Every fault of the file with its place.
pub(super) fn read(file: &str, text: &str) -> Result<Vocabulary, Faults> {
    let doc = Document::parse(file, text);
    let root = doc.root();
    let langs = langs(&doc, &root);
    status(&root);
    let section = |name: &str| Section { doc: &doc, table: root.table(name) };

    let opt_out = section("opt_out");
    let opt_out_set = OptOut {
        words: opt_out.phrases("words"),
        long_words: opt_out.long_words("words"),
        clauses: opt_out.phrases("clauses"),
        sentences: opt_out.phrases("sentences"),
        not: opt_out.phrases("not"),
        limits: opt_out.phrases("limits"),
    };
    let opt_in = section("opt_in");
    let help = section("help");
    let ambiguous = section("ambiguous");
    let talk = section("talk");
    let visit = section("visit");
    let vocabulary = Vocabulary {
        langs,
        opt_out: opt_out_set,
        opt_in_words: opt_in.phrases("words"),
        opt_in_sentences: opt_in.phrases("sentences"),
        help: help.phrases("words"),
        ambiguous_words: ambiguous.phrases("words"),
        ambiguous_sentences: ambiguous.phrases("sentences"),
        polite: talk.phrases("polite"),
        courtesy: talk.phrases("courtesy"),
        yes: talk.phrases("yes"),
        no: talk.phrases("no"),
        unclear: talk.phrases("unclear"),
        negators: talk.phrases("negators"),
        confirm: visit.phrases("confirm"),
        reschedule: visit.phrases("reschedule"),
        cant_come: visit.phrases("cant_come"),
        numbers: numbers(&doc, &root),
    };
    for section in [opt_out, opt_in, help, ambiguous, talk, visit] {
        section.finish();
    }
    root.finish();
    doc.finish(vocabulary)
}

fn langs(doc: &Document<'_>, root: &Table<'_, '_>) -> Vec<Lang> {
    let mut langs = Vec::new();
    for (tag, place) in root.spanned_texts("langs") {
        match tag.parse::<Lang>() {
            Ok(lang) => langs.push(lang),
            Err(e) => doc.fault(&place, e.to_string()),
        }
    }
    if langs.is_empty() {
        root.fault("langs", "`langs` is missing: give it the locales of this pack, such as [\"en\"]");
    }
    langs
}

fn status(root: &Table<'_, '_>) {
    let status = root.need_text("status");
    if !status.is_empty() && !["draft", "reviewed"].contains(&status.as_str()) {
        root.fault("status", "`status` must be \"draft\" or \"reviewed\"");
    }
    if status == "reviewed" {
        let _reviewer: String = root.need_text("reviewed_by");
    }
}

fn numbers(doc: &Document<'_>, root: &Table<'_, '_>) -> Numbers {
    let section = Section { doc, table: root.table("numbers") };
    let mut numbers = Numbers {
        homographs: section.phrases("homographs"),
        by_pairs: section.table.as_ref().and_then(|t| t.flag("by_pairs")).unwrap_or_default(),
        and: section.phrases("and"),
        and_prefix: section.table.as_ref().and_then(|t| t.text("and_prefix")).unwrap_or_default(),
        point: section.phrases("point"),
        half: section.phrases("half"),
        unsupported: section.phrases("unsupported"),
        foreign: section.phrases("foreign"),
        lead: section.phrases("lead"),
        trail: section.phrases("trail"),
        connectors: section.phrases("connectors"),
        out_of: section.phrases("out_of"),
        over: section.phrases("over"),
        correction: section.phrases("correction"),
        none: section.phrases("none"),
        ordinals: Vec::new(),
        ..Numbers::default()
    };
    for ordinal in section.lists("ordinals") {
        let mut phrases = Phrases::default();
        add(doc, &mut phrases, &ordinal);
        numbers.ordinals.push(phrases);
    }
    section.valued("words", &mut numbers.words, &mut numbers.values);
    section.valued("multipliers", &mut numbers.multipliers, &mut numbers.factors);
    if let Some(table) = section.table.as_ref().and_then(|t| t.table("units")) {
        for key in table.keys() {
            let words = table.spanned_texts(&key);
            match Unit::ALL.into_iter().find(|unit| unit.as_str() == key) {
                Some(unit) => numbers.unit_of.extend(std::iter::repeat_n(unit, add(doc, &mut numbers.units, &words))),
                None => table.fault(&key, format!("`{key}` is not a unit: use one of {}", Unit::ALL.map(Unit::as_str).join(" "))),
            }
        }
        table.finish();
    }
    section.finish();
    numbers
}

/// One table of a pack; empty where the pack has none.
struct Section<'d, 't> {
    doc: &'d Document<'t>,
    table: Option<Table<'d, 't>>,
}

impl Section<'_, '_> {
    fn phrases(&self, key: &str) -> Phrases {
        let mut phrases = Phrases::default();
        if let Some(table) = &self.table {
            add(self.doc, &mut phrases, &table.spanned_texts(key));
        }
        phrases
    }

    /// Single words of eight letters or more, folded.
    fn long_words(&self, key: &str) -> Vec<String> {
        let words = self.table.as_ref().map(|table| table.texts(key)).unwrap_or_default();
        let folded = words.iter().map(|word| super::fold::tokens(word));
        folded.filter(|tokens| tokens.len() == 1).map(|t| t[0].text.clone()).filter(|w| w.chars().count() >= 8).collect()
    }

    /// A list whose items are several wordings of one thing, separated by `|`.
    fn lists(&self, key: &str) -> Vec<Vec<(String, std::ops::Range<usize>)>> {
        let items = self.table.as_ref().map(|table| table.spanned_texts(key)).unwrap_or_default();
        items.iter().map(|(item, place)| item.split('|').map(|word| (word.to_owned(), place.clone())).collect()).collect()
    }

    /// A table whose keys are numbers and whose values are the words for them.
    fn valued(&self, key: &str, phrases: &mut Phrases, values: &mut Vec<u32>) {
        let Some(table) = self.table.as_ref().and_then(|table| table.table(key)) else { return };
        for name in table.keys() {
            let words = table.spanned_texts(&name);
            match name.parse::<u32>() {
                Ok(value) => values.extend(std::iter::repeat_n(value, add(self.doc, phrases, &words))),
                Err(_) => table.fault(&name, format!("`{name}` must be a whole number in digits")),
            }
        }
        table.finish();
    }

    fn finish(self) {
        if let Some(table) = self.table {
            table.finish();
        }
    }
}

/// Adds words; says how many were added.
fn add(doc: &Document<'_>, phrases: &mut Phrases, words: &[(String, std::ops::Range<usize>)]) -> usize {
    let mut added = 0;
    for (word, place) in words {
        match phrases.add(word) {
            Ok(()) => added += 1,
            Err(what) => doc.fault(place, what),
        }
    }
    added
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_pack_says_every_fault_with_its_line_and_remedy() {
        let text =
            "langs = [\"tlh\"]\nstatus = \"fine\"\n[opt_out]\nwords = [\"a/\"]\nwrods = []\n[numbers.words]\nzwei = [\"zwei\"]\n";
        let faults = read("de.toml", text).expect_err("faults").to_string();
        for part in [
            "de.toml:1:10: unknown language `tlh`",
            "de.toml:2:10: `status` must be",
            "de.toml:4:10: a phrase has an empty alternative",
            "de.toml:5:1: `opt_out.wrods` is not a key of this table; did you mean `words`?",
            "de.toml:7:8: `zwei` must be a whole number in digits",
        ] {
            assert!(faults.contains(part), "{part} in\n{faults}");
        }
    }

    #[test]
    fn a_reviewed_pack_names_its_reviewer() {
        assert!(read("xx.toml", "langs = [\"en\"]\nstatus = \"draft\"\n").is_ok());
        let faults = read("xx.toml", "langs = [\"en\"]\nstatus = \"reviewed\"\n").expect_err("a fault").to_string();
        assert!(faults.contains("`reviewed_by` is missing"), "{faults}");
    }
}
