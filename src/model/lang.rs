//! The 13 languages (14 locales) that Porchlight speaks: the twelve of New York's language access
//! law (Executive Law §202-a) with both Chinese scripts, and English.

use std::fmt;
use std::str::FromStr;

/// A locale in which patients are written to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Deserialize)]
#[serde(try_from = "String")]
pub enum Lang {
    /// English
    En,
    /// Spanish
    Es,
    /// Chinese, simplified script
    ZhHans,
    /// Chinese, traditional script
    ZhHant,
    /// Russian
    Ru,
    /// Yiddish
    Yi,
    /// Bengali
    Bn,
    /// Korean
    Ko,
    /// Haitian Creole
    Ht,
    /// Italian
    It,
    /// Arabic
    Ar,
    /// Polish
    Pl,
    /// French
    Fr,
    /// Urdu
    Ur,
}

/// A language tag that Porchlight does not speak.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown language `{0}`: use one of en es zh-Hans zh-Hant ru yi bn ko ht it ar pl fr ur")]
pub struct UnknownLang(pub String);

impl Lang {
    /// Every locale, in the order of `contracts`: `en es zh-Hans zh-Hant ru yi bn ko ht it ar pl fr ur`.
    pub const ALL: [Lang; 14] = [
        Lang::En,
        Lang::Es,
        Lang::ZhHans,
        Lang::ZhHant,
        Lang::Ru,
        Lang::Yi,
        Lang::Bn,
        Lang::Ko,
        Lang::Ht,
        Lang::It,
        Lang::Ar,
        Lang::Pl,
        Lang::Fr,
        Lang::Ur,
    ];

    /// The BCP 47 tag, as stored and as written in `lang` attributes.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Es => "es",
            Lang::ZhHans => "zh-Hans",
            Lang::ZhHant => "zh-Hant",
            Lang::Ru => "ru",
            Lang::Yi => "yi",
            Lang::Bn => "bn",
            Lang::Ko => "ko",
            Lang::Ht => "ht",
            Lang::It => "it",
            Lang::Ar => "ar",
            Lang::Pl => "pl",
            Lang::Fr => "fr",
            Lang::Ur => "ur",
        }
    }

    /// The language in full English words, for staff.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Lang::En => "English",
            Lang::Es => "Spanish",
            Lang::ZhHans => "Chinese, simplified",
            Lang::ZhHant => "Chinese, traditional",
            Lang::Ru => "Russian",
            Lang::Yi => "Yiddish",
            Lang::Bn => "Bengali",
            Lang::Ko => "Korean",
            Lang::Ht => "Haitian Creole",
            Lang::It => "Italian",
            Lang::Ar => "Arabic",
            Lang::Pl => "Polish",
            Lang::Fr => "French",
            Lang::Ur => "Urdu",
        }
    }

    /// `"rtl"` for Arabic, Urdu and Yiddish, else `"ltr"`: the value of a `dir` attribute.
    #[must_use]
    pub const fn dir(self) -> &'static str {
        match self {
            Lang::Ar | Lang::Ur | Lang::Yi => "rtl",
            Lang::En
            | Lang::Es
            | Lang::ZhHans
            | Lang::ZhHant
            | Lang::Ru
            | Lang::Bn
            | Lang::Ko
            | Lang::Ht
            | Lang::It
            | Lang::Pl
            | Lang::Fr => "ltr",
        }
    }
}

impl FromStr for Lang {
    type Err = UnknownLang;

    /// Accepts the fourteen tags in any case, and bare `zh` (simplified).
    fn from_str(s: &str) -> Result<Lang, UnknownLang> {
        if s.eq_ignore_ascii_case("zh") {
            return Ok(Lang::ZhHans);
        }
        Lang::ALL.into_iter().find(|lang| lang.tag().eq_ignore_ascii_case(s)).ok_or_else(|| UnknownLang(s.to_owned()))
    }
}

impl TryFrom<String> for Lang {
    type Error = UnknownLang;
    fn try_from(tag: String) -> Result<Lang, UnknownLang> {
        tag.parse()
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tag_reads_back_in_any_case_and_bare_zh_is_simplified() {
        for lang in Lang::ALL {
            assert_eq!(lang.tag().to_uppercase().parse::<Lang>(), Ok(lang));
        }
        assert_eq!("zh".parse::<Lang>(), Ok(Lang::ZhHans));
        assert!("tlh".parse::<Lang>().is_err_and(|e| e.to_string().contains("zh-Hant")));
    }
}
