//! What a reply means: STOP and its kin, the answer to a question, a mere courtesy.
//!
//! Pure and total: any text gives a result, none fails or panics. The vocabularies of all languages are known at
//! once, because people answer in the language they like; the patient's own and English go first, the others
//! count only where they explain the whole message. Nothing is guessed: where a reply is not understood the answer
//! is `None` and the question is asked again, because a wrong reading in a record harms more than a second question.
//!
//! The words live in reply packs, `config/replies/<lang>.toml`.

mod answer;
mod expects;
mod fold;
mod intent;
mod number;
mod pattern;
mod vocabulary;
mod words;

use sha2::{Digest, Sha256};

use crate::document::{Fault, Faults};
use crate::model::Lang;

use self::number::Scope;
use self::vocabulary::Vocabulary;

pub use self::expects::{Answer, Expects, Unit};
pub use self::intent::Intent;

/// The reply packs that come with the program: file name and text.
pub const PACKS: [(&str, &str); 13] = [
    ("replies/en.toml", include_str!("../../../config/replies/en.toml")),
    ("replies/es.toml", include_str!("../../../config/replies/es.toml")),
    ("replies/zh.toml", include_str!("../../../config/replies/zh.toml")),
    ("replies/ru.toml", include_str!("../../../config/replies/ru.toml")),
    ("replies/yi.toml", include_str!("../../../config/replies/yi.toml")),
    ("replies/bn.toml", include_str!("../../../config/replies/bn.toml")),
    ("replies/ko.toml", include_str!("../../../config/replies/ko.toml")),
    ("replies/ht.toml", include_str!("../../../config/replies/ht.toml")),
    ("replies/it.toml", include_str!("../../../config/replies/it.toml")),
    ("replies/ar.toml", include_str!("../../../config/replies/ar.toml")),
    ("replies/pl.toml", include_str!("../../../config/replies/pl.toml")),
    ("replies/fr.toml", include_str!("../../../config/replies/fr.toml")),
    ("replies/ur.toml", include_str!("../../../config/replies/ur.toml")),
];

/// Understands replies by its vocabularies.
#[derive(Debug, Clone)]
pub struct Reader {
    vocabularies: Vec<Vocabulary>,
    version: String,
}

impl Reader {
    /// The reader with the packs that come with the program.
    ///
    /// # Errors
    /// Every fault of the packs, if a change broke one.
    pub fn embedded() -> Result<Reader, Faults> {
        Reader::from_packs(&PACKS)
    }

    /// A reader with packs of one's own: (file name, text). All locales must be covered.
    ///
    /// # Errors
    /// Every fault of every pack with its place, and each locale without a pack.
    pub fn from_packs(packs: &[(&str, &str)]) -> Result<Reader, Faults> {
        let mut vocabularies = Vec::new();
        let mut faults = Vec::new();
        let mut digest = Sha256::new();
        for (file, text) in packs {
            digest.update(text.as_bytes());
            match vocabulary::read(file, text) {
                Ok(vocabulary) => vocabularies.push(vocabulary),
                Err(found) => faults.extend(found.0),
            }
        }
        if faults.is_empty() {
            let missing = Lang::ALL.into_iter().filter(|lang| !vocabularies.iter().any(|v| v.langs.contains(lang)));
            faults.extend(missing.map(|lang| Fault::whole("replies", format!("no pack names `{lang}` in `langs`: add one"))));
        }
        if !faults.is_empty() {
            return Err(Faults(faults));
        }
        let hash = digest.finalize();
        let short = hash.iter().take(6).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        Ok(Reader { vocabularies, version: format!("replies-{short:012x}") })
    }

    /// What the message asks of the service itself.
    #[must_use]
    pub fn intent(&self, text: &str) -> Intent {
        intent::intent(text, &fold::tokens(text), &self.vocabularies)
    }

    /// The answer to a question that expects `expects`, from a patient who is written to in `lang`;
    /// `None` where it must be asked again.
    #[must_use]
    pub fn answer(&self, text: &str, expects: &Expects, lang: Lang) -> Option<Answer> {
        let all = fold::tokens(text);
        let plain = intent::without_polite(&all, &self.vocabularies);
        let keyword = match intent::whole_message(&plain, &self.vocabularies) {
            Intent::OptOut | Intent::OptIn | Intent::Help => true,
            Intent::Ambiguous | Intent::None => fold::only_question_marks(text),
        };
        if keyword {
            return None;
        }
        answer::answer(&all, &plain, expects, &self.scope(lang))
    }

    /// Whether the message holds nothing but thanks, greetings, acknowledgements and friendly emoji.
    #[must_use]
    pub fn courtesy(&self, text: &str) -> bool {
        let tokens = fold::tokens(text);
        let mut at = 0;
        while at < tokens.len() {
            match self.vocabularies.iter().filter_map(|v| v.courtesy.at(&tokens, at)).max() {
                Some(end) => at = end,
                None => return false,
            }
        }
        !tokens.is_empty()
    }

    /// Names the packs: changes with every change of a word.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    fn scope(&self, lang: Lang) -> Scope<'_> {
        let own = |v: &&Vocabulary| v.langs.contains(&lang);
        let english = |v: &&Vocabulary| v.langs.contains(&Lang::En) && !v.langs.contains(&lang);
        let near = self.vocabularies.iter().filter(own).chain(self.vocabularies.iter().filter(english)).collect();
        let far = self.vocabularies.iter().filter(|v| !v.langs.contains(&lang) && !v.langs.contains(&Lang::En)).collect();
        Scope { near, far }
    }
}

#[cfg(test)]
mod tests;
