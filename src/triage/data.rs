//! Proves labelled replies before they are trained or measured with.
//!
//! Invariant: what passes has labels of our vocabularies, no name twice, and no reply (case, accents and punctuation aside) in two
//! groups: what is measured has not been trained.

use std::collections::HashMap;

use super::eval::Case;
use super::normalise::fold;
use crate::document::Fault;
use crate::model::{Category, Lang};

/// How a reply is written, in the words of the labels.
const TAGS: [&str; 17] = [
    "typo",
    "slang",
    "romanized",
    "codeswitch",
    "negation",
    "idiom",
    "third_person",
    "indirect",
    "emoji",
    "long",
    "short",
    "no_accents",
    "caps",
    "number",
    "past",
    "hypothetical",
    "keyword",
];

/// The scripts of Chinese, which are tags too.
const SCRIPTS: [&str; 2] = ["hans", "hant"];

/// Every fault of labelled replies, given as (file, cases in the order of their lines).
#[must_use]
pub fn faults(files: &[(String, Vec<Case>)]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut names: HashMap<&str, &str> = HashMap::new();
    let mut texts: HashMap<(String, Option<&str>), &Case> = HashMap::new();
    for (file, cases) in files {
        for (index, case) in cases.iter().enumerate() {
            let mut fault = |what: String| faults.push(Fault { file: file.clone(), line: index + 1, column: 1, what });
            if let Some(other) = names.insert(&case.id, file) {
                fault(format!("`{}` is there twice, also in {other}: rename one", case.id));
            }
            if case.lang != "zh" && case.lang.parse::<Lang>().is_err() {
                fault(format!("`{}` has the unknown language `{}`", case.id, case.lang));
            }
            if case.min > case.max {
                fault(format!("`{}` has min above max", case.id));
            }
            for category in case.categories.iter().filter(|c| c.parse::<Category>().is_err()) {
                fault(format!("`{}` has the unknown category `{category}`", case.id));
            }
            for tag in case.tags.iter().filter(|t| !TAGS.contains(&t.as_str()) && !SCRIPTS.contains(&t.as_str())) {
                fault(format!("`{}` has the unknown tag `{tag}`", case.id));
            }
            let folded = fold(&case.text).text;
            let known = texts.entry((folded, case.context.question.as_deref())).or_insert(case);
            // An emoji alone folds to the same picture, and a reply of nothing to nothing: those are told apart by nobody.
            if known.group() != case.group() && case.text.chars().filter(|c| c.is_alphabetic()).count() > 12 {
                fault(format!("`{}` says the same as `{}`, in another group: put both into one", case.id, known.id));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::super::eval::read;
    use super::*;

    #[test]
    fn every_fault_is_named_at_its_line() {
        let lines = r#"{"id":"a","lang":"en","text":"See you on thursday then","min":"none","max":"none","categories":[],"tags":["short"]}
{"id":"a","lang":"tlh","text":"Qapla","min":"urgent","max":"none","categories":["honour"],"tags":["klingon"]}
{"id":"b","lang":"en","text":"see you on thursday, then!","min":"none","max":"none","group":"c"}
"#;
        let found: Vec<String> =
            faults(&[("x.jsonl".to_owned(), read("x.jsonl", lines).expect("cases"))]).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "x.jsonl:2:1: `a` is there twice, also in x.jsonl: rename one",
                "x.jsonl:2:1: `a` has the unknown language `tlh`",
                "x.jsonl:2:1: `a` has min above max",
                "x.jsonl:2:1: `a` has the unknown category `honour`",
                "x.jsonl:2:1: `a` has the unknown tag `klingon`",
                "x.jsonl:3:1: `b` says the same as `a`, in another group: put both into one",
            ]
        );
    }
}
