//! Mends words that nearly are words of a pack: one letter wrong, missing, doubled or swapped.
//!
//! Invariant: only long words that no pack knows are touched, only into a word that begins with the
//! same letter, and the mended text is read beside the reply, never instead of it.

use std::collections::{HashMap, HashSet};

use super::normalise::Folded;
use super::phrase::{Look, Part};

/// A word must have this many letters to be mended, and to be mended into.
const SHORTEST: usize = 6;

/// The words of all packs.
#[derive(Debug, Default)]
pub struct Spelling {
    words: HashSet<String>,
    stems: HashSet<String>,
    /// Each word, and each word without one of its letters, to the word.
    near: HashMap<String, String>,
}

impl Spelling {
    /// Learns the words of a phrase.
    pub fn learn(&mut self, phrase: &[Part]) {
        for piece in phrase.iter().flat_map(|part| &part.choices).flatten() {
            let Look::Literal(text) = &piece.look else { continue };
            let count = text.split(' ').count();
            for (at, word) in text.split(' ').enumerate() {
                let whole = !(piece.open_left && at == 0 || piece.open_right && at + 1 == count);
                if whole {
                    self.words.insert(word.to_owned())
                } else {
                    self.stems.insert(word.to_owned())
                };
            }
        }
    }

    /// Closes the book: from here on words are mended.
    pub fn close(&mut self) {
        let mut words: Vec<&String> = self.words.iter().filter(|w| w.chars().count() >= SHORTEST).collect();
        words.sort();
        for word in words {
            for shorter in without_one(word).chain([word.clone()]) {
                self.near.entry(shorter).or_insert_with(|| word.clone());
            }
        }
    }

    /// The reply with its words mended; `None` where nothing needs it.
    #[must_use]
    pub fn mend(&self, text: &Folded) -> Option<Folded> {
        text.mended(|word| self.mend_word(word))
    }

    fn mend_word(&self, word: &str) -> Option<&str> {
        let length = word.chars().count();
        let known = || self.words.contains(word) || word.char_indices().skip(3).any(|(at, _)| self.stems.contains(&word[..at]));
        if !(SHORTEST..=24).contains(&length) || known() {
            return None;
        }
        let first = word.chars().next();
        std::iter::once(word.to_owned())
            .chain(without_one(word))
            .filter_map(|shape| self.near.get(&shape))
            .find(|near| near.chars().next() == first && near.chars().count().abs_diff(length) <= 1)
            .map(String::as_str)
    }
}

/// The word without its first letter, without its second, and so on.
fn without_one(word: &str) -> impl Iterator<Item = String> + '_ {
    word.char_indices().map(|(at, c)| format!("{}{}", &word[..at], &word[at + c.len_utf8()..]))
}

#[cfg(test)]
mod tests {
    use super::super::normalise::fold;
    use super::super::phrase::read;
    use super::*;

    #[test]
    fn a_slip_is_mended_and_a_real_word_is_left_alone() {
        let mut spelling = Spelling::default();
        for phrase in ["cannot breathe", "bleeding", "swollen", "convuls*"] {
            spelling.learn(&read(phrase).expect("a phrase"));
        }
        spelling.close();
        let mend = |text: &str| spelling.mend(&fold(text)).map(|mended| mended.text);
        assert_eq!(mend("i, cannot brethe!").as_deref(), Some("i canot breathe"));
        assert_eq!(mend("swollen feet"), None);
        assert_eq!(mend("swoln feet"), None, "too short to be sure");
        assert_eq!(mend("breading the fish"), None, "two letters away");
        assert_eq!(mend("convulsing"), None);
        let (text, mended) = (fold("no. brethe"), spelling.mend(&fold("no. brethe")).expect("mended"));
        assert_eq!(mended.sentence(3), text.sentence(3), "a mended reply keeps its sentences");
    }
}
