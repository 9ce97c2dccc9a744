//! The notation in which packs write phrase families.
//!
//! | Written | Means |
//! |---|---|
//! | `chest pain` | these words, whole, next to each other |
//! | `swell*` | any ending |
//! | `*breath` | any beginning |
//! | `can't … breathe` | up to three words between (also written `...`) |
//! | `[so] bad` | with or without |
//! | `(hurts\|aches)` | one of these |
//! | `^stop$` | only at the beginning, at the end of a clause |
//! | `{300-900}` | a number in this range |
//!
//! Case, accents, apostrophes and doubled letters never matter: see [`super::normalise`].

use super::normalise::{WORD, fold};

/// The words that a `…` may stand for.
const GAP: u32 = 3 * WORD;

/// A word with brackets inside it may stand for no more than this many words.
const MOST: usize = 200;

/// A phrase family: parts that follow each other.
pub type Family = Vec<Part>;

/// What may stand at one place of a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Any of these; each is one or more pieces in a row.
    pub choices: Vec<Vec<Piece>>,
    /// Or nothing.
    pub optional: bool,
    /// How far after the part before it may begin, in parts of [`WORD`].
    pub reach: u32,
}

/// What a piece is looked for by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Look {
    /// Folded text.
    Literal(String),
    /// A number from the first to the second, in thousandths.
    Number(u64, u64),
}

/// One unbroken part of a phrase.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "four borders, each of which may be open or bound by itself")]
pub struct Piece {
    /// What it looks for.
    pub look: Look,
    /// A word may go on before it.
    pub open_left: bool,
    /// A word may go on after it.
    pub open_right: bool,
    /// It must begin a clause.
    pub first: bool,
    /// It must end a clause.
    pub last: bool,
}

/// Reads a phrase family.
///
/// # Errors
/// What is wrong with it, for the person who wrote it.
pub fn read(written: &str) -> Result<Family, String> {
    let text = written.replace("...", "…").replace('…', " … ");
    let text = text.trim();
    let (first, text) = text.strip_prefix('^').map_or((false, text), |rest| (true, rest));
    let (last, text) = text.strip_suffix('$').map_or((false, text), |rest| (true, rest));
    let mut family: Family = Vec::new();
    let mut plain = String::new();
    let mut reach = 0;
    for word in words(text)? {
        if !word.contains(['[', '(', '…']) {
            plain.push(' ');
            plain.push_str(word);
            continue;
        }
        push(&mut family, &[std::mem::take(&mut plain)], false, &mut reach)?;
        if word == "…" {
            reach = GAP;
        } else {
            let optional = word.starts_with('[') && word.find(']') == Some(word.len() - 1);
            push(&mut family, &choices(word)?, optional, &mut reach)?;
        }
    }
    push(&mut family, &[plain], false, &mut reach)?;
    if family.iter().all(|part| part.optional) {
        return Err("says nothing that can be looked for".to_owned());
    }
    for piece in family.first_mut().into_iter().flat_map(|part| &mut part.choices).filter_map(|c| c.first_mut()) {
        piece.first = first;
    }
    for piece in family.last_mut().into_iter().flat_map(|part| &mut part.choices).filter_map(|c| c.last_mut()) {
        piece.last = last;
    }
    Ok(family)
}

fn push(family: &mut Family, choices: &[String], optional: bool, reach: &mut u32) -> Result<(), String> {
    let mut read = choices.iter().map(|choice| pieces(choice)).collect::<Result<Vec<_>, _>>()?;
    let optional = optional || (choices.len() > 1 && read.iter().any(Vec::is_empty));
    read.retain(|choice| !choice.is_empty());
    if !read.is_empty() {
        family.push(Part { choices: read, optional, reach: std::mem::take(reach) });
    }
    Ok(())
}

/// The words of a family; what stands in brackets stays together.
fn words(text: &str) -> Result<Vec<&str>, String> {
    let (mut words, mut depth, mut from) = (Vec::new(), 0_usize, 0);
    for (at, c) in text.char_indices() {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.checked_sub(1).ok_or("has a bracket that is closed but not opened")?,
            ' ' if depth == 0 => {
                words.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    words.push(&text[from..]);
    words.retain(|word| !word.is_empty());
    if depth == 0 { Ok(words) } else { Err("has a bracket that is not closed".to_owned()) }
}

/// All that a text with brackets in it may be.
fn choices(text: &str) -> Result<Vec<String>, String> {
    let mut all = vec![String::new()];
    let mut rest = text;
    while let Some(from) = rest.find(['[', '(']) {
        let until = closing(&rest[from..]).ok_or("has brackets that do not match")? + from;
        let mut inside = Vec::new();
        for choice in alternatives(&rest[from + 1..until]) {
            inside.extend(choices(choice)?);
        }
        if rest[from..].starts_with('[') {
            inside.push(String::new());
        }
        let plain = &rest[..from];
        all = all.iter().flat_map(|before| inside.iter().map(move |choice| format!("{before}{plain}{choice}"))).collect();
        if all.len() > MOST {
            return Err(format!("has a word that stands for more than {MOST}: write it as several"));
        }
        rest = &rest[until + 1..];
    }
    for choice in &mut all {
        choice.push_str(rest);
    }
    Ok(all)
}

/// Where the bracket that opens `text` is closed.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    text.char_indices().find_map(|(at, c)| {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(at)
    })
}

/// What stands between the bars outside of inner brackets.
fn alternatives(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let bar = |c: char| {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == '|' && depth == 0
    };
    text.split(bar).collect()
}

/// Plain words as pieces that follow each other at once.
fn pieces(run: &str) -> Result<Vec<Piece>, String> {
    let mut found: Vec<Piece> = Vec::new();
    let mut literal = String::new();
    let mut opens = false;
    for word in run.split_whitespace() {
        if let Some(look) = number(word)? {
            flush(&mut found, &mut literal, &mut opens, false);
            found.push(Piece { look, open_left: false, open_right: false, first: false, last: false });
            continue;
        }
        let (left, word) = word.strip_prefix('*').map_or((false, word), |rest| (true, rest));
        if left {
            flush(&mut found, &mut literal, &mut opens, false);
            opens = true;
        }
        let (right, word) = word.strip_suffix('*').map_or((false, word), |rest| (true, rest));
        if word.contains('*') {
            return Err("has a `*` inside a word: it may stand at the beginning or the end".to_owned());
        }
        literal.push(' ');
        literal.push_str(word);
        if right {
            flush(&mut found, &mut literal, &mut opens, true);
        }
    }
    flush(&mut found, &mut literal, &mut opens, false);
    Ok(found)
}

fn flush(found: &mut Vec<Piece>, literal: &mut String, open_left: &mut bool, open_right: bool) {
    let look = fold(&std::mem::take(literal)).text;
    if !look.is_empty() {
        let open_left = std::mem::take(open_left);
        found.push(Piece { look: Look::Literal(look), open_left, open_right, first: false, last: false });
    }
}

fn number(word: &str) -> Result<Option<Look>, String> {
    let Some(range) = word.strip_prefix('{').and_then(|w| w.strip_suffix('}')) else { return Ok(None) };
    let (low, high) = range.split_once('-').ok_or("a number range is written {low-high}")?;
    let read = |n: &str| thousandths(n).ok_or_else(|| format!("`{n}` is not a number"));
    Ok(Some(Look::Number(read(low)?, read(high)?)))
}

/// A number in thousandths, so that it can be compared exactly: `39.5` and `39,5` are 39500.
#[must_use]
pub fn thousandths(number: &str) -> Option<u64> {
    let (whole, part) = number.split_once(['.', ',']).unwrap_or((number, ""));
    let part: String = part.chars().chain("000".chars()).take(3).collect();
    if whole.len() > 9 {
        return None;
    }
    Some(whole.parse::<u64>().ok()? * 1000 + part.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(written: &str) -> String {
        let look = |piece: &Piece| match &piece.look {
            Look::Literal(text) => format!("{text}{}", if piece.open_right { "*" } else { "" }),
            Look::Number(low, high) => format!("{low}-{high}"),
        };
        let choice = |choice: &Vec<Piece>| choice.iter().map(look).collect::<Vec<_>>().join("+");
        let part = |part: &Part| {
            let all = part.choices.iter().map(choice).collect::<Vec<_>>().join("|");
            format!("{}{all}{}", "…".repeat(part.reach.min(1) as usize), if part.optional { "?" } else { "" })
        };
        read(written).expect("a family").iter().map(part).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_family_is_read_into_its_parts() {
        assert_eq!(shown("can't [even] (breathe|breath)"), "cant even? breathe|breath");
        assert_eq!(shown("swell* … throat"), "swel* …throat");
        assert_eq!(shown("sugar {20-54}"), "sugar+20000-54000");
        assert_eq!(shown("我(想|要)死"), "我想死|我要死");
        assert_eq!(shown("ran out of (heart med*|insulin)"), "ran out of heart med*|insulin");
    }

    #[test]
    fn what_cannot_be_read_is_explained() {
        assert!(read("can't [even").is_err_and(|e| e.contains("not closed")));
        assert!(read("?!").is_err_and(|e| e.contains("nothing")));
        assert!(read("sugar {low-5}").is_err_and(|e| e.contains("`low`")));
        assert!(read("un*ous").is_err_and(|e| e.contains("inside a word")));
        assert!(read(&"(a|b|c|d)".repeat(6)).is_err_and(|e| e.contains("several")));
    }
}
