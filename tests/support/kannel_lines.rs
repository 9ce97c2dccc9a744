//! The lines that Kannel's `fake` carrier driver speaks, decoded and written: pure text in, pure text out.
//!
//! - Outbound lines are `from to text WORDS`, `from to ucs-2 PERCENT-ENCODED-UTF-16BE`, and, for a part of a long message,
//!   `from to udh HEADER text WORDS` or `from to udh HEADER data PERCENT-ENCODED-UTF-16BE`. A line break inside `text` is written
//!   as it is, so a line without such a beginning continues the one before it.
//! - Inbound lines are `from to text WORDS` or `from to ucs2 PERCENT-ENCODED-UTF-16BE` (`ucs-2` is refused as bad syntax).
//!
//! Found out by running Kannel 1.4.5; the gateway's own documentation does not tell.

use std::collections::BTreeMap;

/// The digits of percent-encoding.
const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];

/// One text as a patient's phone shows it: the parts of a long one are put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The number or word that the phone shows as the sender.
    pub from: String,
    /// The phone's own number.
    pub to: String,
    /// The words, decoded.
    pub text: String,
    /// How many SMS segments it took.
    pub parts: usize,
}

/// The whole messages in what the carrier sent.
pub fn read_lines(bytes: &[u8]) -> Vec<Received> {
    let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |end| end + 1);
    let mut segments: Vec<Segment> = Vec::new();
    for line in String::from_utf8_lossy(&bytes[..whole]).lines() {
        if let Some(segment) = Segment::read(line) {
            segments.push(segment);
        } else if let Some(before) = segments.last_mut() {
            before.text.push('\n');
            before.text.push_str(line);
        }
    }
    let mut received = Vec::new();
    let mut long: BTreeMap<(String, String, u8), BTreeMap<u8, String>> = BTreeMap::new();
    for Segment { from, to, part, text } in segments {
        match part {
            None => received.push(Received { from, to, text, parts: 1 }),
            Some(Part { reference, of, number }) => {
                let key = (from.clone(), to.clone(), reference);
                let parts = long.entry(key.clone()).or_default();
                parts.insert(number, text);
                if parts.len() == usize::from(of) {
                    let parts = long.remove(&key).unwrap_or_default();
                    received.push(Received { from, to, parts: parts.len(), text: parts.into_values().collect() });
                }
            }
        }
    }
    received
}

/// One line from the carrier.
struct Segment {
    from: String,
    to: String,
    part: Option<Part>,
    text: String,
}

/// Which piece of a long message a segment is (3GPP TS 23.040, 9.2.3.24.1: concatenated short messages, 8-bit reference).
struct Part {
    reference: u8,
    of: u8,
    number: u8,
}

impl Segment {
    /// `None` for a line that continues the one before.
    fn read(line: &str) -> Option<Self> {
        let (from, rest) = line.split_once(' ')?;
        let (to, rest) = rest.split_once(' ')?;
        if to.is_empty() || !to.bytes().all(|b| b == b'+' || b.is_ascii_digit()) {
            return None;
        }
        let (part, rest) = match rest.strip_prefix("udh ") {
            None => (None, rest),
            Some(rest) => {
                let (header, rest) = rest.split_once(' ')?;
                let &[5, 0, 3, reference, of, number] = percent_decode(header).as_slice() else { return None };
                (Some(Part { reference, of, number }), rest)
            }
        };
        let (coding, words) = rest.split_once(' ')?;
        let text = match coding {
            "text" => words.to_owned(),
            // A part of a UCS-2 message is called `data`: the carrier's line has no word for both.
            "ucs-2" | "data" => utf16be(&percent_decode(words)),
            _ => return None,
        };
        Some(Self { from: from.to_owned(), to: to.to_owned(), part, text })
    }
}

/// The line by which a phone hands a message to the carrier.
pub fn inbound_line(from: &str, to: &str, text: &str) -> String {
    if text.chars().all(is_gsm) {
        return format!("{from} {to} text {text}\n");
    }
    let mut line = format!("{from} {to} ucs2 ");
    for byte in text.encode_utf16().flat_map(u16::to_be_bytes) {
        line.extend(['%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
    line.push('\n');
    line
}

/// Whether GSM-7 has the character (3GPP TS 23.038, default alphabet and extension table), line breaks aside.
fn is_gsm(c: char) -> bool {
    (' '..='~').contains(&c) && c != '`' || "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà€".contains(c)
}

/// Undoes `%41`, and `+` for a space (a plus sign is written `%2B`); every other character stands for its own byte.
fn percent_decode(encoded: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = encoded.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u8::from_str_radix(h, 16).ok());
        if let (b'%', Some(byte)) = (first, hex) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(if first == b'+' { b' ' } else { first });
            rest = after;
        }
    }
    bytes
}

fn utf16be(bytes: &[u8]) -> String {
    let units = bytes.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_begins_like_a_message_is_one_and_any_other_continues_the_text_before() {
        let shown = read_lines(b"7185550100 17185550117 text first\nsecond line\nclinic 1 text own\n7 8 text unfinished");
        let texts: Vec<&str> = shown.iter().map(|r| r.text.as_str()).collect();
        assert_eq!(texts, ["first\nsecond line", "own"]);
    }

    #[test]
    fn a_long_text_is_shown_when_its_last_part_has_come_in_any_order() {
        let second = b"7 8 udh %05%00%03%09%02%02 text world\n".as_slice();
        let first = b"7 8 udh %05%00%03%09%02%01 text hello \n".as_slice();
        assert_eq!(read_lines(second), []);
        let both = read_lines(&[second, first].concat());
        assert_eq!(both, [Received { from: "7".into(), to: "8".into(), text: "hello world".into(), parts: 2 }]);
    }

    #[test]
    fn a_phone_chooses_ucs_2_only_where_gsm_7_lacks_a_character() {
        assert_eq!(inbound_line("+1", "2", "Me duele 1+1 €"), "+1 2 text Me duele 1+1 €\n");
        assert_eq!(inbound_line("+1", "2", "أ😢"), "+1 2 ucs2 %06%23%D8%3D%DE%22\n");
        assert_eq!(inbound_line("+1", "2", "a\nb"), "+1 2 ucs2 %00%61%00%0A%00%62\n");
    }
}
