//! What a text costs by SMS: its alphabet and its parts.
//!
//! A part carries 140 octets. The GSM 7-bit default alphabet (3GPP TS 23.038 §6.2.1) fits 160 septets, or 153
//! beside the header that joins parts; a character of its extension table costs two. One character outside of
//! both turns the whole text into UCS-2: 70 code units, or 67 a part. Neither an escape pair nor a surrogate
//! pair is split between parts, and in UCS-2 no letter as people see it (a grapheme cluster: Bengali syllables, emoji of
//! several code points) unless it is longer than a part, so a part may stay short.

use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation as _;

/// The alphabet in which an SMS travels.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Encoding {
    /// The GSM 7-bit default alphabet with its extension table.
    Gsm7,
    /// UTF-16, as UCS-2 is used today.
    Ucs2,
}

impl Encoding {
    /// `GSM-7` or `UCS-2`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Encoding::Gsm7 => "GSM-7",
            Encoding::Ucs2 => "UCS-2",
        }
    }

    /// Units (septets or code units) of a message in one part, and of each of several parts.
    const fn sizes(self) -> (usize, usize) {
        match self {
            Encoding::Gsm7 => (160, 153),
            Encoding::Ucs2 => (70, 67),
        }
    }

    /// Units of a text that fits this alphabet.
    fn cost(self, text: &str) -> usize {
        match self {
            Encoding::Gsm7 => text.chars().filter_map(septets).sum(),
            Encoding::Ucs2 => text.encode_utf16().count(),
        }
    }
}

/// How a text is split for SMS.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Segments {
    /// The alphabet.
    pub encoding: Encoding,
    /// The parts; an empty text is one.
    pub count: usize,
}

impl Segments {
    /// Whether it keeps to a budget of (GSM-7, UCS-2) parts, as [`Class::segment_budget`](crate::model::Class::segment_budget) gives it.
    #[must_use]
    pub const fn within(self, budget: (usize, usize)) -> bool {
        match self.encoding {
            Encoding::Gsm7 => self.count <= budget.0,
            Encoding::Ucs2 => self.count <= budget.1,
        }
    }
}

/// The alphabet and the number of parts of a text.
#[must_use]
pub fn segments(text: &str) -> Segments {
    let (encoding, parts) = parts(text);
    Segments { encoding, count: parts.len() }
}

/// The parts in which a text travels: together they are the text, and each is read by itself where a phone does not join
/// them. An empty text is one empty part.
#[must_use]
pub fn split(text: &str) -> Vec<&str> {
    parts(text).1
}

fn parts(text: &str) -> (Encoding, Vec<&str>) {
    let septets: Option<usize> = text.chars().map(septets).sum();
    let (encoding, total) = match septets {
        Some(total) => (Encoding::Gsm7, total),
        None => (Encoding::Ucs2, text.encode_utf16().count()),
    };
    let (single, part) = encoding.sizes();
    if total <= single {
        return (encoding, vec![text]);
    }
    let (mut parts, mut start, mut used, mut at) = (Vec::new(), 0, 0, 0);
    for piece in pieces(text, encoding) {
        let cost = encoding.cost(piece);
        if used + cost > part {
            parts.push(&text[start..at]);
            (start, used) = (at, 0);
        }
        used += cost;
        at += piece.len();
    }
    parts.push(&text[start..]);
    (encoding, parts)
}

/// What is not split: in GSM-7 a character; in UCS-2 a letter as people see it, or a character of one that is longer than a part.
fn pieces(text: &str, encoding: Encoding) -> impl Iterator<Item = &str> {
    let (_, part) = encoding.sizes();
    text.graphemes(true).flat_map(move |cluster| {
        let whole = encoding == Encoding::Ucs2 && cluster != "\r\n" && encoding.cost(cluster) <= part;
        let mut joined = false;
        // Consonants that a virama joins are letters of their own here, as for carriers and before Unicode 15.1.
        let begins = move |c: char| {
            let begins = !whole || (joined && c.is_alphabetic() && !is_combining_mark(c));
            joined |= VIRAMAS.contains(c);
            begins
        };
        let starts: Vec<usize> = cluster
            .char_indices()
            .scan(begins, |begins, (at, c)| Some((at, begins(c))))
            .filter(|(at, begins)| *at > 0 && *begins)
            .map(|(at, _)| at)
            .collect();
        let ends = starts.clone().into_iter().chain([cluster.len()]);
        std::iter::once(0).chain(starts).zip(ends).map(move |(from, to)| &cluster[from..to])
    })
}

/// By which the consonants of Devanagari, Bengali, Gujarati, Oriya, Telugu and Malayalam join.
const VIRAMAS: &str = "\u{94d}\u{9cd}\u{acd}\u{b4d}\u{c4d}\u{d4d}";

/// The text with typographic quotes, dashes, dots and spaces in their ASCII forms, so that one curly apostrophe does
/// not make an English message UCS-2. Letters, and the joiners that shape them, stay as they are.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{2018}' | '\u{2019}' | '\u{201A}' | '\u{201B}' | '\u{2032}' => folded.push('\''),
            '\u{201C}' | '\u{201D}' | '\u{201E}' | '\u{201F}' | '\u{2033}' | '\u{AB}' | '\u{BB}' => folded.push('"'),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => folded.push('-'),
            '\u{2026}' => folded.push_str("..."),
            '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' => folded.push(' '),
            '\u{200B}' | '\u{2060}' | '\u{FEFF}' | '\u{AD}' => {}
            c => folded.push(c),
        }
    }
    folded
}

/// The basic table beyond ASCII.
const BASIC: &str = "£¥èéùìòÇØøÅåÆæßÉ¤¡ÄÖÑÜ§¿äöñüàΔΦΓΛΩΠΨΣΘΞ";
/// The extension table: each takes an escape before it.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// What a character costs in the GSM 7-bit default alphabet; `None` if it is in neither of its tables.
fn septets(c: char) -> Option<usize> {
    match c {
        '\n' | '\r' | ' '..='Z' | 'a'..='z' | '_' => Some(1),
        c if BASIC.contains(c) => Some(1),
        c if EXTENSION.contains(c) => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> (&'static str, usize) {
        let segments = segments(text);
        (segments.encoding.as_str(), segments.count)
    }

    #[test]
    fn the_tables_hold_127_basic_and_10_extension_characters() {
        let costs: Vec<usize> = (0..=0xffffu32).filter_map(char::from_u32).filter_map(septets).collect();
        // 128 codes, less the escape.
        assert_eq!(costs.iter().filter(|cost| **cost == 1).count(), 127);
        assert_eq!(costs.iter().filter(|cost| **cost == 2).count(), 10);
    }

    #[test]
    fn a_gsm_text_grows_a_part_at_161_and_307() {
        assert_eq!(of(""), ("GSM-7", 1));
        assert_eq!(of(&"a".repeat(160)), ("GSM-7", 1));
        assert_eq!(of(&"a".repeat(161)), ("GSM-7", 2));
        assert_eq!(of(&"a".repeat(306)), ("GSM-7", 2));
        assert_eq!(of(&"a".repeat(307)), ("GSM-7", 3));
    }

    #[test]
    fn a_ucs2_text_grows_a_part_at_71_and_135() {
        assert_eq!(of(&"я".repeat(70)), ("UCS-2", 1));
        assert_eq!(of(&"я".repeat(71)), ("UCS-2", 2));
        assert_eq!(of(&"я".repeat(134)), ("UCS-2", 2));
        assert_eq!(of(&"я".repeat(135)), ("UCS-2", 3));
    }

    #[test]
    fn one_letter_outside_of_the_table_turns_the_whole_text() {
        assert_eq!(of(&format!("{}í", "a".repeat(79))).0, "UCS-2");
        assert_eq!(of("¿Mañana? È").0, "UCS-2");
        assert_eq!(of("¿Mañana? è").0, "GSM-7");
        assert_eq!(of("ç").0, "UCS-2");
        assert_eq!(of("Ç").0, "GSM-7");
        assert_eq!(of("`").0, "UCS-2");
        assert_eq!(of("\t").0, "UCS-2");
    }

    #[test]
    fn a_pair_is_never_split_between_parts() {
        assert_eq!(of(&"€".repeat(80)), ("GSM-7", 1));
        // 152 and a pair: the pair moves on whole, so that 306 septets do not fit two parts.
        assert_eq!(of(&format!("{}€{}", "a".repeat(152), "a".repeat(152))), ("GSM-7", 3));
        assert_eq!(of(&format!("{}€{}", "a".repeat(151), "a".repeat(153))), ("GSM-7", 2));
        assert_eq!(of(&"😀".repeat(35)), ("UCS-2", 1));
        assert_eq!(of(&format!("{}😀{}", "я".repeat(66), "я".repeat(66))), ("UCS-2", 3));
    }

    #[test]
    fn folding_makes_typographic_english_gsm_and_leaves_letters_alone() {
        let folded = fold("“Can’t come – sorry…” 2:30\u{202f}PM\u{200b}");
        assert_eq!(folded, "\"Can't come - sorry...\" 2:30 PM");
        assert_eq!(of(&folded).0, "GSM-7");
        assert_eq!(fold("łódź می\u{200c}خواهم"), "łódź می\u{200c}خواهم");
    }

    #[test]
    fn a_letter_of_several_characters_stays_whole_and_an_endless_one_does_not_stop_the_text() {
        let family = "👩‍👩‍👧";
        let text = format!("{}{family}{}", "я".repeat(62), "я".repeat(30));
        let parts = split(&text);
        assert_eq!(parts[0], "я".repeat(62));
        assert!(parts[1].starts_with(family));
        let marks = format!("e{}", "\u{301}".repeat(200));
        assert_eq!(split(&marks).iter().map(|part| part.chars().count()).collect::<Vec<_>>(), [67, 67, 67]);
    }

    proptest! {
        #[test]
        fn the_parts_are_the_text_and_each_fits(text in "(\\PC|[a-z€|{}\\r\\n]|[👩‍👧🏽é়্ক]){0,400}") {
            let of = segments(&text);
            let parts = split(&text);
            prop_assert_eq!(parts.len(), of.count);
            prop_assert_eq!(parts.concat(), text.clone());
            let (single, part) = of.encoding.sizes();
            let room = if of.count == 1 { single } else { part };
            for (n, piece) in parts.iter().enumerate() {
                prop_assert!(of.encoding.cost(piece) <= room);
                prop_assert!(n == 0 || !piece.is_empty());
            }
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }

        #[test]
        fn plain_letters_fill_their_parts(letters in 0_usize..700, gsm in proptest::bool::ANY) {
            let of = segments(&if gsm { "a" } else { "я" }.repeat(letters));
            let (single, part) = of.encoding.sizes();
            let needed = if letters <= single { 1 } else { letters.div_ceil(part) };
            prop_assert_eq!(of.count, needed);
        }
    }
}
