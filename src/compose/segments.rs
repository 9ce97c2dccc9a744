//! What a text costs by SMS: its alphabet and its parts.
//!
//! A part carries 140 octets. The GSM 7-bit default alphabet (3GPP TS 23.038 §6.2.1) fits 160 septets, or 153
//! beside the header that joins parts; a character of its extension table costs two. One character outside of
//! both turns the whole text into UCS-2: 70 code units, or 67 a part. Neither an escape pair nor a surrogate
//! pair is split between parts, so a part may stay one short.

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
    match count(text, Encoding::Gsm7, septets) {
        Some(count) => Segments { encoding: Encoding::Gsm7, count },
        None => Segments { encoding: Encoding::Ucs2, count: count(text, Encoding::Ucs2, |c| Some(c.len_utf16())).unwrap_or(1) },
    }
}

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

/// The parts of a text in `encoding`; `None` if a character has no `cost` in it.
fn count(text: &str, encoding: Encoding, cost: impl Fn(char) -> Option<usize>) -> Option<usize> {
    let (single, part) = encoding.sizes();
    let (mut total, mut parts, mut used) = (0, 1, 0);
    for c in text.chars() {
        let cost = cost(c)?;
        total += cost;
        if used + cost > part {
            parts += 1;
            used = 0;
        }
        used += cost;
    }
    Some(if total <= single { 1 } else { parts })
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

    proptest! {
        #[test]
        fn any_text_fits_its_parts_and_folding_twice_is_folding_once(text in "\\PC{0,400}") {
            let of = segments(&text);
            let units: usize = match of.encoding {
                Encoding::Gsm7 => text.chars().filter_map(septets).sum(),
                Encoding::Ucs2 => text.encode_utf16().count(),
            };
            let (single, part) = of.encoding.sizes();
            let room = if of.count == 1 { single } else { of.count * part };
            prop_assert!(units <= room);
            prop_assert!(of.count == 1 || units > (of.count - 1) * (part - 1));
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }
    }
}
