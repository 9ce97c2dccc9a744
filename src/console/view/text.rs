//! Text as it may be shown, and the small parts that stand on every page: symbols, severity tags, tags.
//!
//! **Invariant.** A [`Shown`] holds no bidirectional control (U+202A–202E, U+2066–2069): such marks in one person's
//! text could turn the letters of the text beside it around (Unicode Technical Report 36, section 3.2).

use std::fmt;

use askama::Template;
use askama::filters::HtmlSafe;

use crate::model::{Lang, Severity};

/// Text that a person wrote or that may quote a person, without marks that turn the direction of text around.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Shown(String);

impl Shown {
    /// `text` without U+202A–202E and U+2066–2069.
    #[must_use]
    pub fn new(text: &str) -> Shown {
        Shown(text.chars().filter(|c| !is_direction_mark(*c)).collect())
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Shown {
    fn from(text: &str) -> Shown {
        Shown::new(text)
    }
}

impl From<String> for Shown {
    fn from(text: String) -> Shown {
        Shown::new(&text)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shown({} chars)", self.0.chars().count())
    }
}

/// A run of a person's words in one language, ready for `lang` and `dir`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Words {
    /// The words as written, without direction marks.
    pub text: Shown,
    /// A BCP 47 tag; empty when the language is not known.
    pub lang: &'static str,
    /// `ltr`, `rtl`, or `auto` when the language is not known.
    pub dir: &'static str,
    /// Whether direction marks were taken out. The page says so.
    pub stripped: bool,
}

impl Words {
    /// `text`, written in `lang`.
    #[must_use]
    pub fn new(lang: Lang, text: &str) -> Words {
        Words { lang: lang.tag(), dir: lang.dir(), ..Words::unknown(text) }
    }

    /// `text` in a language that is not known.
    #[must_use]
    pub fn unknown(text: &str) -> Words {
        Words { text: Shown::new(text), lang: "", dir: "auto", stripped: text.chars().any(is_direction_mark) }
    }
}

/// An English rendering of a person's words, and who made it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gloss {
    /// The English.
    pub text: Shown,
    /// Who made it, as in `English · by machine, not checked`.
    pub from: String,
}

/// The symbols of the sprite.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Icon {
    /// Somebody was told.
    Bell,
    /// A visit.
    Calendar,
    /// A call.
    Call,
    /// Done, sent, allowed.
    Check,
    /// Delivered, confirmed.
    Checks,
    /// Waiting for a time.
    Clock,
    /// Emergency, failure.
    Emergency,
    /// The queue.
    Inbox,
    /// Held: quiet hours.
    Moon,
    /// A note by a person.
    Pen,
    /// People, a need.
    People,
    /// Routine.
    Routine,
    /// A reading.
    Scale,
    /// A message.
    Send,
    /// Safe contact.
    Shield,
    /// Not sent, passed over, stopped.
    Skip,
    /// Urgent.
    Urgent,
    /// Not known, a connection.
    Wifi,
}

impl Icon {
    /// The id of the symbol in the sprite, after `i-`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Icon::Bell => "bell",
            Icon::Calendar => "cal",
            Icon::Call => "call",
            Icon::Check => "check",
            Icon::Checks => "checks",
            Icon::Clock => "clock",
            Icon::Emergency => "em",
            Icon::Inbox => "inbox",
            Icon::Moon => "moon",
            Icon::Pen => "pen",
            Icon::People => "people",
            Icon::Routine => "ro",
            Icon::Scale => "scale",
            Icon::Send => "send",
            Icon::Shield => "shield",
            Icon::Skip => "skip",
            Icon::Urgent => "ur",
            Icon::Wifi => "wifi",
        }
    }
}

/// A severity as a tag: shape and word, never colour alone.
#[derive(Template, Clone, Copy, PartialEq, Eq, Debug)]
#[template(path = "part/sev.html")]
pub struct Sev(pub Severity);

impl HtmlSafe for Sev {}

impl Sev {
    /// The word that stands on the tag.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self.0 {
            Severity::None => "None",
            Severity::Routine => "Routine",
            Severity::Urgent => "Urgent",
            Severity::Emergency => "Emergency",
        }
    }

    /// The symbol beside the word.
    #[must_use]
    pub const fn icon(self) -> Icon {
        match self.0 {
            Severity::None => Icon::Check,
            Severity::Routine => Icon::Routine,
            Severity::Urgent => Icon::Urgent,
            Severity::Emergency => Icon::Emergency,
        }
    }

    /// The frame of an open item: `note-bad`, `note-warn` or nothing more.
    #[must_use]
    pub const fn note_class(self) -> &'static str {
        match self.0 {
            Severity::None | Severity::Routine => "",
            Severity::Urgent => " note-warn",
            Severity::Emergency => " note-bad",
        }
    }

    /// The question that the reasons answer.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self.0 {
            Severity::None => "Why does nobody need to look?",
            Severity::Routine => "Why routine?",
            Severity::Urgent => "Why urgent?",
            Severity::Emergency => "Why an emergency?",
        }
    }

    const fn class(self) -> &'static str {
        match self.0 {
            Severity::None => "",
            Severity::Routine => " sev-routine",
            Severity::Urgent => " sev-urgent",
            Severity::Emergency => " sev-emergency",
        }
    }
}

/// How loud a [`Tag`] or a state is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// A neutral fact.
    Plain,
    /// In order.
    Ok,
    /// Needs a person.
    Warn,
    /// Failed.
    Bad,
    /// Made by machine.
    Draft,
}

/// The state of a thing: a symbol and a word.
#[derive(Template, Clone, PartialEq, Eq, Debug)]
#[template(path = "part/tag.html")]
pub struct Tag {
    /// The symbol.
    pub icon: Icon,
    /// One or two words.
    pub word: Shown,
    /// How loud it is.
    pub tone: Tone,
}

impl HtmlSafe for Tag {}

impl Tag {
    const fn class(&self) -> &'static str {
        match self.tone {
            Tone::Plain => "",
            Tone::Ok => " tag-ok",
            Tone::Warn => " tag-ur",
            Tone::Bad => " tag-bad",
            Tone::Draft => " tag-draft",
        }
    }
}

/// Whether `c` turns the direction of the text around it: an embedding, override or isolate, or its end.
const fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_turn_its_neighbours_around_and_the_page_knows_that_marks_were_taken_out() {
        let words = Words::new(Lang::Ar, "\u{202E}قدماي\u{202C} متورمتان\u{2069}");
        assert_eq!(words.text.as_str(), "قدماي متورمتان");
        assert!(words.stripped);
        assert_eq!((words.lang, words.dir), ("ar", "rtl"));
        assert!(!Words::new(Lang::Es, "me duele").stripped);
        assert_eq!(Words::unknown("?").dir, "auto");
    }

    #[test]
    fn debug_of_a_shown_text_does_not_print_it() {
        assert_eq!(format!("{:?}", Shown::new("Rosa")), "Shown(4 chars)");
    }

    #[test]
    fn a_severity_has_its_word_and_its_shape() {
        let html = Sev(Severity::Emergency).to_string();
        assert!(html.contains("sev-emergency") && html.contains("#i-em") && html.contains("Emergency"), "{html}");
    }
}
