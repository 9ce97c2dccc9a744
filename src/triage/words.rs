//! The words of config/triage/words.toml: what replies speak of, by one name in all languages. They raise nothing by themselves;
//! the statistical reader learns with them across languages, and some of them make rules soft.

use super::phrase::{self, Family};
use crate::document::{Document, Faults};

/// One thing that replies speak of.
#[derive(Debug)]
pub struct Word {
    /// Its name.
    pub id: String,
    /// How it is said, in any language.
    pub phrases: Vec<Family>,
    /// Whether it makes the rules that fire in its sentence soft: the past, a film, a joke.
    pub softens: bool,
}

/// Reads a file of words.
///
/// # Errors
/// Every fault of the file, with its place.
pub fn read(file: &str, toml: &str) -> Result<Vec<Word>, Faults> {
    let doc = Document::parse(file, toml);
    let root = doc.root();
    let mut words: Vec<Word> = Vec::new();
    for table in root.tables("word") {
        let id = table.need_text("id");
        if words.iter().any(|word| word.id == id) {
            table.fault("id", format!("there are two words `{id}`: join them"));
        }
        let mut phrases = Vec::new();
        for lang in table.keys().iter().filter(|key| *key != "id" && *key != "softens") {
            for (text, place) in table.spanned_texts(lang) {
                match phrase::read(&text) {
                    Ok(family) => phrases.push(family),
                    Err(why) => doc.fault(&place, format!("the phrase `{text}` {why}")),
                }
            }
        }
        words.push(Word { id, phrases, softens: table.flag("softens").unwrap_or(false) });
        table.finish();
    }
    root.finish();
    doc.finish(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_phrases_of_several_languages_and_one_name() {
        let words = read("w.toml", "[[word]]\nid = \"die\"\nen = [\"die\", \"dying\"]\nes = [\"mor*\"]\n").expect("words");
        assert_eq!(words.iter().map(|w| (w.id.as_str(), w.phrases.len())).collect::<Vec<_>>(), [("die", 3)]);
        let faults = read("w.toml", "[[word]]\nid = \"die\"\nen = [\"di[e\"]\n[[word]]\nid = \"die\"\n")
            .expect_err("two faults")
            .to_string();
        assert!(faults.contains("w.toml:3:") && faults.contains("two words `die`"), "{faults}");
    }
}
