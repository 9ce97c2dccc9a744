//! A rule pack as a person writes it: concepts (families of phrases), and rules made of concepts.
//!
//! Invariant: a pack that is read holds only concepts and rules that can fire; everything else is a
//! fault with its place. That each rule catches its own examples is proved when the packs are compiled.

use std::collections::BTreeMap;
use std::ops::Range;

use super::phrase::{self, Family};
use crate::document::{Document, Faults, Table};
use crate::model::{Category, Severity};

/// A rule pack: one language.
#[derive(Debug)]
pub struct Pack {
    /// The file it came from.
    pub file: String,
    /// Its name, by custom the language tag.
    pub name: String,
    /// Rises with every change that changes a verdict.
    pub version: u32,
    /// Families of phrases.
    pub concepts: Vec<Concept>,
    /// What they mean together.
    pub rules: Vec<Rule>,
    /// The concept that ends the reach of a negation ("but"), if there is one.
    pub breaks: Option<usize>,
}

/// A family of phrases.
#[derive(Debug)]
pub struct Concept {
    /// Its name within the pack.
    pub id: String,
    /// Its phrases.
    pub phrases: Vec<Family>,
    /// Where it must stand to call a rule off.
    pub scope: Scope,
    /// How far it reaches when it calls a rule off, in words.
    pub reach: u32,
}

/// Where a concept must stand to call a rule off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Before the signal, in its clause.
    Before,
    /// After the signal, in its clause.
    After,
    /// Anywhere in the sentence of the signal.
    Sentence,
    /// Over the signal: the signal is part of an idiom.
    Over,
}

/// What concepts mean together.
#[derive(Debug)]
pub struct Rule {
    /// Its name within the pack.
    pub id: String,
    /// How soon a person must look.
    pub severity: Severity,
    /// What the reply is about.
    pub category: Category,
    /// What staff read.
    pub sentence: String,
    /// One concept of each slot must be there, close together, within a sentence.
    pub slots: Vec<Vec<usize>>,
    /// How far apart the slots may be, in words.
    pub near: u32,
    /// What calls it off.
    pub without: Vec<usize>,
    /// Whether it often catches figures of speech, so that the statistical reader may take it for routine.
    pub soft: bool,
    /// The open questions at which alone it counts; empty: always.
    pub questions: Vec<String>,
    /// Replies that it must catch, with their places.
    pub examples: Vec<(String, Range<usize>)>,
    /// Replies that it must not catch, with their places.
    pub counterexamples: Vec<(String, Range<usize>)>,
}

impl Pack {
    /// Reads a pack.
    ///
    /// # Errors
    /// Every fault of the file, with its place and remedy.
    pub fn read(file: &str, toml: &str) -> Result<Pack, Faults> {
        let doc = Document::parse(file, toml);
        let root = doc.root();
        let name = root.need_text("pack");
        let version = u32::try_from(root.int_in("version", 1..=i64::from(u32::MAX), 0)).unwrap_or(0);
        if version == 0 {
            root.fault("version", "`version` must be there, from 1: raise it with every change");
        }
        if !matches!(root.need_text("status").as_str(), "draft" | "reviewed") {
            root.fault("status", "`status` must be \"draft\", or \"reviewed\" once a clinician who speaks the language has");
        }
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        let mut used = Vec::new();
        let mut concepts = Vec::new();
        for table in root.tables("concept") {
            let concept = read_concept(&doc, &table);
            if names.insert(concept.id.clone(), concepts.len()).is_some() {
                table.fault("id", format!("there are two concepts `{}`: join them or rename one", concept.id));
            }
            used.push((false, table.place_of("id")));
            concepts.push(concept);
            table.finish();
        }
        let breaks = names.get("breaks").copied();
        if let Some(index) = breaks {
            used[index].0 = true;
        }
        let mut rules: Vec<Rule> = Vec::new();
        for table in root.tables("rule") {
            let rule = read_rule(&doc, &table, &names);
            if rules.iter().any(|r| r.id == rule.id) {
                table.fault("id", format!("there are two rules `{}`: rename one", rule.id));
            }
            for index in rule.slots.iter().flatten().chain(&rule.without) {
                used[*index].0 = true;
            }
            rules.push(rule);
            table.finish();
        }
        for (concept, (is_used, place)) in concepts.iter().zip(&used) {
            if !is_used {
                doc.fault(place, format!("no rule uses the concept `{}`: use it or take it out", concept.id));
            }
        }
        root.finish();
        doc.finish(Pack { file: file.to_owned(), name, version, concepts, rules, breaks })
    }
}

fn read_concept(doc: &Document<'_>, table: &Table<'_, '_>) -> Concept {
    let id = table.need_text("id");
    let mut phrases = Vec::new();
    for (text, place) in table.spanned_texts("phrases") {
        match phrase::read(&text) {
            Ok(family) => phrases.push(family),
            Err(why) => doc.fault(&place, format!("the phrase `{text}` {why}")),
        }
    }
    if phrases.is_empty() {
        table.fault("phrases", "`phrases` must name at least one phrase");
    }
    let scope = match table.text("where").as_deref() {
        None | Some("before") => Scope::Before,
        Some("after") => Scope::After,
        Some("sentence") => Scope::Sentence,
        Some("over") => Scope::Over,
        Some(_) => {
            table.fault("where", "`where` must be \"before\", \"after\", \"sentence\" or \"over\"");
            Scope::Before
        }
    };
    let reach = u32::try_from(table.int_in("reach", 0..=40, 3)).unwrap_or(3);
    Concept { id, phrases, scope, reach }
}

fn read_rule(doc: &Document<'_>, table: &Table<'_, '_>, names: &BTreeMap<String, usize>) -> Rule {
    let find = |key: &str| {
        let mut found = Vec::new();
        for (name, place) in table.spanned_texts(key) {
            match names.get(&name) {
                Some(index) => found.push(*index),
                None => doc.fault(&place, format!("there is no concept `{name}` in this pack")),
            }
        }
        found
    };
    let mut slots: Vec<Vec<usize>> = find("all").into_iter().map(|index| vec![index]).collect();
    let any = find("any");
    if !any.is_empty() {
        slots.push(any);
    }
    if slots.is_empty() {
        table.fault("any", "a rule needs `any` or `all`, naming concepts");
    }
    Rule {
        id: table.need_text("id"),
        severity: table.need_parsed("severity", "one of none routine urgent emergency", Severity::Routine),
        category: table.need_parsed("category", "what the reply is about", Category::NotUnderstood),
        sentence: table.need_text("sentence"),
        slots,
        near: u32::try_from(table.int_in("near", 0..=40, 6)).unwrap_or(6),
        without: find("without"),
        soft: table.flag("soft").unwrap_or(false),
        questions: table.texts("questions"),
        examples: table.spanned_texts("examples"),
        counterexamples: table.spanned_texts("counterexamples"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_pack_is_named_at_its_place() {
        let toml = r#"pack = "en"
version = 1
status = "draft"
[[concept]]
id = "chest"
phrases = ["chest [pain"]
[[concept]]
id = "lost"
phrases = ["lost"]
[[rule]]
id = "heart"
severity = "dire"
category = "symptom"
sentence = "Chest pain"
any = ["chests"]
"#;
        let faults = Pack::read("en.toml", toml).expect_err("faults").to_string();
        assert!(faults.contains("en.toml:6:12: the phrase `chest [pain` has a bracket that is not closed"), "{faults}");
        assert!(faults.contains("en.toml:8:6: no rule uses the concept `lost`"), "{faults}");
        assert!(faults.contains("en.toml:12:12: `rule.severity`: unknown Severity `dire`"), "{faults}");
        assert!(faults.contains("en.toml:15:8: there is no concept `chests`"), "{faults}");
    }
}
