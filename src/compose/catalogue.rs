//! The catalogue of messages: Fluent files, one set a locale.
//!
//! Invariants: what is loaded has no syntax error, no reference to nothing and no argument that the English
//! message does not have, so that a slip of a translator is a fault with its place before anything is sent;
//! what is rendered has every argument. A locale without a message falls back (Traditional to Simplified
//! Chinese, then all to English), and the answer says which language it became: a person must know.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::args::Args;
use super::voice::Voice;
use crate::document::Faults;
use crate::model::{Body, Lang};

/// A text that is ready to go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rendered {
    /// The words.
    pub text: Body,
    /// The language that they are in, which may be a fallback of the one asked for.
    pub lang: Lang,
}

/// Why a text cannot be made. Holds names only, never the value of an argument.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RenderError {
    /// No locale that may stand in has the message.
    #[error("there is no message `{0}`")]
    UnknownKey(String),
    /// The message needs an argument that was not given.
    #[error("the message `{key}` needs the argument `${argument}`")]
    MissingArgument {
        /// The message.
        key: String,
        /// The argument, without the dollar sign.
        argument: String,
    },
    /// An argument cannot be put into words: an unknown time zone, a date out of reach, a number that is none.
    #[error("the argument `${argument}` of the message `{key}`: {why}")]
    BadArgument {
        /// The message.
        key: String,
        /// The argument, without the dollar sign.
        argument: String,
        /// What is wrong with it.
        why: String,
    },
    /// Fluent gave up on the message.
    #[error("the message `{key}` cannot be put together: {why}")]
    Broken {
        /// The message.
        key: String,
        /// What Fluent says.
        why: String,
    },
}

/// All messages in all locales.
pub struct Catalogue {
    voices: BTreeMap<Lang, Voice>,
    version: String,
}

impl std::fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Catalogue({} locales, version {})", self.voices.len(), self.version)
    }
}

macro_rules! embedded {
    ($($lang:ident = $tag:literal),+ $(,)?) => {
        [$(
            (Lang::$lang, concat!("locales/", $tag, "/core.ftl"), include_str!(concat!("../../locales/", $tag, "/core.ftl"))),
            (Lang::$lang, concat!("locales/", $tag, "/protocols.ftl"), include_str!(concat!("../../locales/", $tag, "/protocols.ftl"))),
        )+]
    };
}

impl Catalogue {
    /// The catalogue that is compiled in.
    ///
    /// # Errors
    /// Every fault of its files; the tests keep it free of them.
    pub fn embedded() -> Result<Catalogue, Faults> {
        Catalogue::from_sources(embedded!(
            En = "en",
            Es = "es",
            ZhHans = "zh-Hans",
            ZhHant = "zh-Hant",
            Ru = "ru",
            Yi = "yi",
            Bn = "bn",
            Ko = "ko",
            Ht = "ht",
            It = "it",
            Ar = "ar",
            Pl = "pl",
            Fr = "fr",
            Ur = "ur",
        ))
    }

    /// A catalogue of other files: each with its locale, its name and its text.
    ///
    /// # Errors
    /// Every fault at once, with file, line and column: broken syntax, a name used twice, a reference to a message
    /// that is not there, an argument that the English message does not have, a missing word on the state of review.
    pub fn from_sources<F, T>(sources: impl IntoIterator<Item = (Lang, F, T)>) -> Result<Catalogue, Faults>
    where
        F: Into<String>,
        T: Into<String>,
    {
        let mut faults = Vec::new();
        let mut voices = BTreeMap::new();
        let mut texts = BTreeSet::new();
        for (lang, file, text) in sources {
            let (file, text) = (file.into(), text.into());
            texts.insert((lang.tag(), file.clone(), text.clone()));
            voices.entry(lang).or_insert_with(|| Voice::new(lang)).add(&file, text, &mut faults);
        }
        for voice in voices.values() {
            voice.check_references(&mut faults);
        }
        if let Some(english) = voices.get(&Lang::En) {
            for voice in voices.values() {
                voice.check_arguments(english, &mut faults);
            }
        }
        if !faults.is_empty() {
            faults.sort();
            return Err(Faults(faults));
        }
        let mut hash = Sha256::new();
        for (tag, file, text) in texts {
            for part in [tag, &file, &text] {
                hash.update(part.len().to_le_bytes());
                hash.update(part);
            }
        }
        let digest = hash.finalize();
        let first = digest.iter().take(6).fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
        Ok(Catalogue { voices, version: format!("{first:012x}") })
    }

    /// Twelve hexadecimal digits that change with any word of any file; stored with each message.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The words of `key` for a reader of `lang`.
    ///
    /// # Errors
    /// No such message in `lang` or a language that may stand in for it; an argument that is missing or cannot be said.
    pub fn render(&self, lang: Lang, key: &str, args: &Args) -> Result<Rendered, RenderError> {
        let (lang, voice) = self.voice(lang, key).ok_or_else(|| RenderError::UnknownKey(key.to_owned()))?;
        voice.render(lang, key, args).map(|text| Rendered { text: Body::new(text), lang })
    }

    /// The answers in words that a question offers, in the order of its numbers; wordings of one answer are separated
    /// by `|`, and the message shows one of them. In the language in which `key` is rendered; a discreet
    /// question has those of the plain one; empty if there are none.
    #[must_use]
    pub fn options(&self, lang: Lang, key: &str) -> &[String] {
        let plain = key.strip_suffix("-discreet").unwrap_or(key);
        self.voice(lang, key).map_or(&[], |(_, voice)| voice.options(plain))
    }

    fn voice(&self, lang: Lang, key: &str) -> Option<(Lang, &Voice)> {
        let having = |lang: &Lang| Some((*lang, self.voices.get(lang).filter(|voice| voice.has(key))?));
        fallbacks(lang).iter().find_map(having)
    }

    /// Whether `lang` itself has the message, without a fallback.
    #[must_use]
    pub fn has(&self, lang: Lang, key: &str) -> bool {
        self.voices.get(&lang).is_some_and(|voice| voice.has(key))
    }

    /// Every message that any locale has, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<&str> {
        let keys: BTreeSet<&str> = self.voices.values().flat_map(Voice::keys).collect();
        keys.into_iter().collect()
    }

    /// Those of `keys` that `lang` does not have itself.
    pub fn missing<'k>(&self, lang: Lang, keys: impl IntoIterator<Item = &'k str>) -> Vec<&'k str> {
        keys.into_iter().filter(|key| !self.has(lang, key)).collect()
    }

    /// The arguments that a message of `lang` may need, also through the messages that it refers to; empty if it has
    /// no such message. `$by-style`, which every moment brings along, is not one of them.
    #[must_use]
    pub fn arguments(&self, lang: Lang, key: &str) -> BTreeSet<&str> {
        self.voices.get(&lang).map(|voice| voice.arguments(key)).unwrap_or_default()
    }

    /// The message to send where somebody else may read the phone: `<key>-discreet` if there is one, else `key`, which
    /// then says nothing that it should not.
    #[must_use]
    pub fn discreet(&self, key: &str) -> String {
        let discreet = format!("{key}-discreet");
        if self.voices.values().any(|voice| voice.has(&discreet)) { discreet } else { key.to_owned() }
    }

    /// Whether a locale has not been reviewed: true unless each of its files says `### Status: reviewed`.
    #[must_use]
    pub fn is_draft(&self, lang: Lang) -> bool {
        self.voices.get(&lang).is_none_or(Voice::is_draft)
    }
}

/// The languages to try, in order.
const fn fallbacks(lang: Lang) -> &'static [Lang] {
    match lang {
        Lang::En => &[Lang::En],
        Lang::Es => &[Lang::Es, Lang::En],
        Lang::ZhHans => &[Lang::ZhHans, Lang::En],
        Lang::ZhHant => &[Lang::ZhHant, Lang::ZhHans, Lang::En],
        Lang::Ru => &[Lang::Ru, Lang::En],
        Lang::Yi => &[Lang::Yi, Lang::En],
        Lang::Bn => &[Lang::Bn, Lang::En],
        Lang::Ko => &[Lang::Ko, Lang::En],
        Lang::Ht => &[Lang::Ht, Lang::En],
        Lang::It => &[Lang::It, Lang::En],
        Lang::Ar => &[Lang::Ar, Lang::En],
        Lang::Pl => &[Lang::Pl, Lang::En],
        Lang::Fr => &[Lang::Fr, Lang::En],
        Lang::Ur => &[Lang::Ur, Lang::En],
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const HEAD: &str = "### Status: draft\n";

    /// A catalogue of these drafts.
    pub fn catalogue(sources: &[(Lang, &str)]) -> Result<Catalogue, Faults> {
        Catalogue::from_sources(sources.iter().map(|(lang, text)| (*lang, format!("{lang}.ftl"), format!("{HEAD}{text}"))))
    }

    /// A text, and the language in which it was found.
    pub fn says(catalogue: &Catalogue, lang: Lang, key: &str, args: &Args) -> (String, Lang) {
        let rendered = catalogue.render(lang, key, args).expect("a text");
        (rendered.text.into_inner(), rendered.lang)
    }

    #[test]
    fn traditional_chinese_falls_back_to_simplified_then_english_and_says_so() {
        let catalogue = catalogue(&[
            (Lang::En, "a = one\nb = two\nc = three\n"),
            (Lang::ZhHans, "a = 一\nb = 二\n"),
            (Lang::ZhHant, "a = 壹\n"),
        ])
        .expect("a catalogue");
        let none = Args::new();
        assert_eq!(says(&catalogue, Lang::ZhHant, "a", &none), ("壹".to_owned(), Lang::ZhHant));
        assert_eq!(says(&catalogue, Lang::ZhHant, "b", &none), ("二".to_owned(), Lang::ZhHans));
        assert_eq!(says(&catalogue, Lang::ZhHant, "c", &none), ("three".to_owned(), Lang::En));
        assert_eq!(says(&catalogue, Lang::Ru, "a", &none), ("one".to_owned(), Lang::En));
        assert!(!catalogue.has(Lang::ZhHant, "b"));
        assert_eq!(catalogue.missing(Lang::ZhHant, catalogue.keys()), ["b", "c"]);
        assert_eq!(catalogue.render(Lang::Ru, "d", &none), Err(RenderError::UnknownKey("d".to_owned())));
    }

    #[test]
    fn a_missing_argument_is_an_error_and_never_a_hole() {
        let catalogue = catalogue(&[(
            Lang::En,
            "part = { $open ->\n    [yes] by { $by }\n   *[no] later\n }\na = Call { $phone } { part }.\n",
        )])
        .expect("a catalogue");
        let missing = |argument: &str| Err(RenderError::MissingArgument { key: "a".to_owned(), argument: argument.to_owned() });
        assert_eq!(catalogue.render(Lang::En, "a", &Args::new().with("open", "no")), missing("phone"));
        let args = Args::new().with("phone", "555");
        assert_eq!(catalogue.render(Lang::En, "a", &args), missing("open"));
        assert_eq!(catalogue.render(Lang::En, "a", &args.clone().with("open", "yes")), missing("by"));
        assert_eq!(says(&catalogue, Lang::En, "a", &args.with("open", "no")).0, "Call 555 later.");
        assert_eq!(catalogue.arguments(Lang::En, "a"), BTreeSet::from(["by", "open", "phone"]));
    }

    #[test]
    fn the_version_changes_with_a_word_and_not_with_the_order_of_the_files() {
        let of = |sources: &[(Lang, &str)]| catalogue(sources).expect("a catalogue").version().to_owned();
        let one = of(&[(Lang::En, "a = b\n"), (Lang::Es, "a = c\n")]);
        assert_eq!(one, of(&[(Lang::Es, "a = c\n"), (Lang::En, "a = b\n")]));
        assert_ne!(one, of(&[(Lang::En, "a = b\n"), (Lang::Es, "a = d\n")]));
        assert!(one.len() == 12 && one.bytes().all(|b| b.is_ascii_hexdigit()), "{one}");
    }

    #[test]
    fn a_message_without_a_discreet_variant_stands_for_itself() {
        let catalogue = catalogue(&[(Lang::En, "a = b\na-discreet = c\nd = e\n")]).expect("a catalogue");
        assert_eq!((catalogue.discreet("a"), catalogue.discreet("d")), ("a-discreet".to_owned(), "d".to_owned()));
    }
}
