//! Finds the concepts of all packs in a text, in one pass of one automaton.
//!
//! Invariant: what is found does not depend on the order of the packs, and the time is linear in the
//! length of the text and the number of places at which pieces of phrases occur.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, BuildError};

use super::normalise::{Folded, Script, script};
use super::phrase::{Family, Look, Part, Piece, thousandths};

/// Where something stands in a folded text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Its first byte.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
}

/// All concepts of all packs, compiled.
#[derive(Debug)]
pub struct Matcher {
    automaton: AhoCorasick,
    /// By pattern of the automaton: the pieces that look for it.
    by_pattern: Vec<Vec<usize>>,
    /// The pieces that look for a number.
    numbers: Vec<(u64, u64, usize)>,
    pieces: Vec<Piece>,
    phrases: Vec<Phrase>,
    /// By piece: the phrases that can begin with it.
    begins: Vec<Vec<usize>>,
}

/// A phrase family with its pieces by number.
#[derive(Debug)]
struct Phrase {
    concept: usize,
    parts: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    choices: Vec<Vec<usize>>,
    optional: bool,
    reach: u32,
}

/// Numbers the pieces as they come.
#[derive(Default)]
struct Numbering {
    known: HashMap<Piece, usize>,
    pieces: Vec<Piece>,
}

impl Numbering {
    fn of(&mut self, piece: &Piece) -> usize {
        *self.known.entry(piece.clone()).or_insert_with(|| {
            self.pieces.push(piece.clone());
            self.pieces.len() - 1
        })
    }

    fn place(&mut self, part: &Part) -> Place {
        let choices = part.choices.iter().map(|choice| choice.iter().map(|piece| self.of(piece)).collect()).collect();
        Place { choices, optional: part.optional, reach: part.reach }
    }
}

impl Matcher {
    /// Compiles phrases, each with the number of its concept.
    ///
    /// # Errors
    /// When the automaton would be too large.
    pub fn new<'p>(families: impl Iterator<Item = (usize, &'p Family)>) -> Result<Matcher, BuildError> {
        let mut numbering = Numbering::default();
        let phrases: Vec<Phrase> = families
            .map(|(concept, family)| Phrase { concept, parts: family.iter().map(|part| numbering.place(part)).collect() })
            .collect();
        let pieces = numbering.pieces;
        let mut begins = vec![Vec::new(); pieces.len()];
        for (number, phrase) in phrases.iter().enumerate() {
            let must = phrase.parts.iter().position(|part| !part.optional).unwrap_or(0);
            for choice in phrase.parts[..=must].iter().flat_map(|part| &part.choices) {
                if begins[choice[0]].last() != Some(&number) {
                    begins[choice[0]].push(number);
                }
            }
        }
        let mut patterns: Vec<&str> = Vec::new();
        let mut pattern_ids: HashMap<&str, usize> = HashMap::new();
        let mut by_pattern: Vec<Vec<usize>> = Vec::new();
        let mut numbers = Vec::new();
        for (id, piece) in pieces.iter().enumerate() {
            match &piece.look {
                Look::Literal(text) => {
                    let pattern = *pattern_ids.entry(text).or_insert_with(|| {
                        patterns.push(text);
                        by_pattern.push(Vec::new());
                        patterns.len() - 1
                    });
                    by_pattern[pattern].push(id);
                }
                Look::Number(low, high) => numbers.push((*low, *high, id)),
            }
        }
        let automaton = AhoCorasick::new(&patterns)?;
        Ok(Matcher { automaton, by_pattern, numbers, pieces, phrases, begins })
    }

    /// Every concept in the text, in order, as (concept, place).
    #[must_use]
    pub fn find(&self, text: &Folded) -> Vec<(usize, Span)> {
        let mut hits = self.piece_hits(text);
        hits.sort_unstable();
        let mut found = Vec::new();
        for run in hits.chunk_by(|a, b| a.0 == b.0) {
            for number in &self.begins[run[0].0] {
                let phrase = &self.phrases[*number];
                let walk = Walk { text, hits: &hits };
                for (_, span) in run {
                    walk.follow(&phrase.parts, run[0].0, *span, |end| {
                        found.push((phrase.concept, Span { start: span.start, end }));
                    });
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn piece_hits(&self, text: &Folded) -> Vec<(usize, Span)> {
        let mut hits = Vec::new();
        for hit in self.automaton.find_overlapping_iter(&text.text) {
            let span = Span { start: hit.start(), end: hit.end() };
            for id in &self.by_pattern[hit.pattern().as_usize()] {
                if stands(text, span, &self.pieces[*id]) {
                    hits.push((*id, span));
                }
            }
        }
        for (value, span) in numbers(&text.text) {
            for (low, high, id) in &self.numbers {
                if (*low..=*high).contains(&value) {
                    hits.push((*id, span));
                }
            }
        }
        hits
    }
}

/// The pieces found in a text, in order of piece and place.
struct Walk<'w> {
    text: &'w Folded,
    hits: &'w [(usize, Span)],
}

/// Up to where a phrase has been followed, and how far on its next part may begin.
#[derive(Clone, Copy, PartialEq)]
struct Reached {
    end: usize,
    reach: u32,
    begun: bool,
}

impl Walk<'_> {
    /// Follows a phrase whose first piece stands at `first`, and reports each end. From each place only the
    /// nearest hit of a piece is followed, so the work is bounded by the length of the phrase.
    fn follow(&self, parts: &[Place], piece: usize, first: Span, mut report: impl FnMut(usize)) {
        let mut open = vec![Reached { end: first.start, reach: 0, begun: false }];
        for part in parts {
            let mut next: Vec<Reached> = Vec::new();
            for at in &open {
                let reach = at.reach.max(part.reach);
                if part.optional {
                    next.push(Reached { reach, ..*at });
                }
                for choice in &part.choices {
                    let end = if at.begun {
                        self.run(choice, at.end, reach, first)
                    } else if choice[0] == piece {
                        self.run(&choice[1..], first.end, 0, first)
                    } else {
                        None
                    };
                    let reached = end.map(|end| Reached { end, reach: 0, begun: true });
                    next.extend(reached.filter(|r| !next.contains(r)));
                }
            }
            open = next;
            if open.is_empty() {
                return;
            }
        }
        open.iter().filter(|at| at.begun).for_each(|at| report(at.end));
    }

    /// Where a run of pieces ends that begins within reach of `end`.
    fn run(&self, pieces: &[usize], mut end: usize, mut reach: u32, first: Span) -> Option<usize> {
        for id in pieces {
            let from = self.hits.partition_point(|hit| *hit < (*id, Span { start: end, end: 0 }));
            let next = self.hits.get(from).filter(|hit| hit.0 == *id)?.1;
            let near = self.text.distance(end, next.start) <= reach;
            if !near || self.text.sentence(first.start) != self.text.sentence(next.start) {
                return None;
            }
            (end, reach) = (next.end, 0);
        }
        Some(end)
    }
}

/// Whether a piece may stand at this place.
fn stands(text: &Folded, span: Span, piece: &Piece) -> bool {
    (piece.open_left || text.begins(span.start))
        && (piece.open_right || text.ends(span.end))
        && (!piece.first || begins_clause(text, span.start))
        && (!piece.last || ends_clause(text, span.end))
}

fn begins_clause(text: &Folded, start: usize) -> bool {
    let before = text.text[..start].trim_end();
    before.is_empty() || text.clause(before.len() - 1) != text.clause(start)
}

fn ends_clause(text: &Folded, end: usize) -> bool {
    let gap = text.text[end..].len() - text.text[end..].trim_start().len();
    end + gap >= text.text.len() || text.clause(end - 1) != text.clause(end + gap)
}

/// The numbers of a text, in thousandths. `120/80` is two.
fn numbers(text: &str) -> Vec<(u64, Span)> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let inside = script(c) == Some(Script::Digit) || (start.is_some() && matches!(c, '.' | ','));
        match (inside, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                let digits = text[from..at].trim_end_matches(['.', ',']);
                if let Some(value) = thousandths(digits) {
                    found.push((value, Span { start: from, end: from + digits.len() }));
                }
                start = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::normalise::fold;
    use super::super::phrase::read;
    use super::*;

    fn matched(phrase: &str, text: &str) -> Vec<String> {
        let family = read(phrase).expect("a phrase");
        let matcher = Matcher::new(std::iter::once((0, &family))).expect("an automaton");
        let text = fold(text);
        matcher.find(&text).iter().map(|(_, span)| text.text[span.start..span.end].to_owned()).collect()
    }

    #[test]
    fn words_stand_between_borders_unless_the_script_has_none() {
        assert_eq!(matched("die", "a diet"), Vec::<String>::new());
        assert_eq!(matched("die*", "a diet"), ["die"]);
        assert_eq!(matched("想死", "我想死了"), ["想死"]);
        assert_eq!(matched("ইনসুলিন", "আমার ইনসুলিনটা শেষ"), ["ইনসুলিন"]);
    }

    #[test]
    fn a_gap_is_three_words_and_never_leaves_the_sentence() {
        assert_eq!(matched("can't … breathe", "cant really even breathe"), ["cant realy even breathe"]);
        assert_eq!(matched("can't … breathe", "cant a b c d breathe"), Vec::<String>::new());
        assert_eq!(matched("can't … breathe", "i cant. breathe"), Vec::<String>::new());
    }

    #[test]
    fn numbers_are_compared_by_value_and_ends_of_clauses_are_seen() {
        assert_eq!(matched("fever … {39-42}", "fever of 39,5 since"), ["fever of 39,5"]);
        assert_eq!(matched("fever … {39-42}", "fever of 37.5 since"), Vec::<String>::new());
        assert_eq!(matched("^stop$", "no, stop, please"), ["stop"]);
        assert_eq!(matched("^stop$", "stop by tomorrow?"), Vec::<String>::new());
    }
}
