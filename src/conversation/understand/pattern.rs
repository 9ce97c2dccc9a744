//! A small language for families of phrases, matched against folded tokens.
//!
//! A phrase is words in a row. `a/b` is one of several, `_` joins the words of one alternative, `x?` may be
//! missing, `stem*` is any word that begins so, `…` is up to three words of the same sentence (at the end
//! of a phrase: the rest of the clause), a leading `^` and a trailing `$` are the borders of a clause. No match runs over the end of a sentence.
//!
//! Invariant: matching is bounded by the length of the phrase, whatever the message; it never fails.

use std::collections::HashMap;
use std::ops::Range;

use super::fold::{Gap, Kind, Token, tokens};

/// Most words that `…` stands for.
const GAP_WORDS: usize = 3;

/// A family of phrases.
#[derive(Debug, Clone, Default)]
pub(super) struct Phrases {
    patterns: Vec<Pattern>,
    /// Patterns by their first word, where they have one.
    by_word: HashMap<String, Vec<usize>>,
    /// Patterns that begin with a stem or with something that may be missing.
    others: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Pattern {
    parts: Vec<Part>,
    from_start: bool,
    to_end: bool,
}

#[derive(Debug, Clone)]
enum Part {
    Words { alternatives: Vec<Alternative>, optional: bool },
    Gap,
}

#[derive(Debug, Clone)]
struct Alternative {
    words: Vec<String>,
    /// Whether the last word is only the beginning of one.
    stem: bool,
}

impl Phrases {
    /// Adds one phrase.
    ///
    /// # Errors
    /// Says what is wrong with it and what to do.
    pub(super) fn add(&mut self, phrase: &str) -> Result<(), String> {
        let pattern = parse(phrase)?;
        let at = self.patterns.len();
        match pattern.parts.first() {
            Some(Part::Words { alternatives, optional: false }) if alternatives.iter().all(|a| !a.stem || a.words.len() > 1) => {
                for alternative in alternatives {
                    self.by_word.entry(alternative.words[0].clone()).or_default().push(at);
                }
            }
            Some(Part::Words { .. } | Part::Gap) | None => self.others.push(at),
        }
        self.patterns.push(pattern);
        Ok(())
    }

    /// The longest match that begins at `at`: its end, and which phrase (in the order of adding).
    pub(super) fn longest_at(&self, tokens: &[Token], at: usize) -> Option<(usize, usize)> {
        let token = tokens.get(at)?;
        let indexed = self.by_word.get(&token.text).map_or(&[][..], Vec::as_slice);
        let candidates = indexed.iter().chain(&self.others);
        candidates.filter_map(|&p| self.patterns[p].matches(tokens, at).map(|end| (end, p))).max_by_key(|(end, _)| *end)
    }

    /// The end of the longest match that begins at `at`.
    pub(super) fn at(&self, tokens: &[Token], at: usize) -> Option<usize> {
        self.longest_at(tokens, at).map(|(end, _)| end)
    }

    /// Every match, left to right, none overlapping.
    pub(super) fn find_all(&self, tokens: &[Token]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            match self.at(tokens, at) {
                Some(end) => {
                    found.push(at..end);
                    at = end;
                }
                None => at += 1,
            }
        }
        found
    }

    /// Whether the phrase stands somewhere.
    pub(super) fn is_in(&self, tokens: &[Token]) -> bool {
        (0..tokens.len()).any(|at| self.at(tokens, at).is_some())
    }

    /// Whether the tokens are these phrases, once or several times, and nothing else.
    pub(super) fn covers(&self, tokens: &[Token]) -> bool {
        let mut at = 0;
        while at < tokens.len() {
            match self.at(tokens, at) {
                Some(end) => at = end,
                None => return false,
            }
        }
        !tokens.is_empty()
    }
}

impl Pattern {
    fn matches(&self, tokens: &[Token], at: usize) -> Option<usize> {
        if self.from_start && tokens[at].gap < Gap::Comma {
            return None;
        }
        self.end(&self.parts, tokens, at, true).filter(|end| *end > at)
    }

    /// The furthest end of `parts` from `at` on.
    fn end(&self, parts: &[Part], tokens: &[Token], at: usize, first: bool) -> Option<usize> {
        let Some((part, rest)) = parts.split_first() else {
            let closed = tokens.get(at).is_none_or(|next| next.gap >= Gap::Comma || next.kind == Kind::Emoji);
            return (closed || !self.to_end).then_some(at);
        };
        match part {
            Part::Words { alternatives, optional } => {
                let taken = alternatives
                    .iter()
                    .filter_map(|a| a.end(tokens, at, first))
                    .filter_map(|end| self.end(rest, tokens, end, false))
                    .max();
                let left_out = if *optional { self.end(rest, tokens, at, first) } else { None };
                taken.max(left_out)
            }
            Part::Gap if rest.is_empty() => {
                let clause = tokens.iter().skip(at).take_while(|next| next.gap < Gap::Comma).count();
                Some(at + clause)
            }
            Part::Gap => {
                let mut best = None;
                for skipped in 0..=GAP_WORDS {
                    let here = at + skipped;
                    if skipped > 0 && tokens.get(here - 1).is_none_or(|t| t.gap == Gap::Stop) {
                        break;
                    }
                    // What is skipped must lead to something: "…" before words that are missing skips nothing.
                    best = best.max(self.end(rest, tokens, here, false).filter(|end| skipped == 0 || *end > here));
                }
                best
            }
        }
    }
}

impl Alternative {
    fn end(&self, tokens: &[Token], at: usize, first: bool) -> Option<usize> {
        let end = at + self.words.len();
        let here = tokens.get(at..end)?;
        let fits = here.iter().zip(&self.words).enumerate().all(|(n, (token, word))| {
            let sentence_goes_on = (first && n == 0) || token.gap < Gap::Stop;
            let is_stem = self.stem && n + 1 == self.words.len();
            sentence_goes_on && if is_stem { token.text.starts_with(word.as_str()) } else { token.text == *word }
        });
        fits.then_some(end)
    }
}

fn parse(phrase: &str) -> Result<Pattern, String> {
    let body = phrase.trim();
    let (body, from_start) = body.strip_prefix('^').map_or((body, false), |rest| (rest, true));
    let (body, to_end) = body.strip_suffix('$').map_or((body, false), |rest| (rest, true));
    let mut parts = Vec::new();
    for piece in body.split_whitespace() {
        if piece == "…" {
            parts.push(Part::Gap);
            continue;
        }
        let (piece, optional) = match piece.strip_suffix('?') {
            Some(rest) if !rest.is_empty() => (rest, true),
            Some(_) | None => (piece, false),
        };
        let alternatives = piece.split('/').map(alternative).collect::<Result<Vec<_>, _>>()?;
        parts.push(Part::Words { alternatives, optional });
    }
    if parts.iter().all(|part| matches!(part, Part::Gap | Part::Words { optional: true, .. })) {
        return Err(format!("`{phrase}` says nothing that must be there: give it a word without `?`"));
    }
    Ok(Pattern { parts, from_start, to_end })
}

fn alternative(text: &str) -> Result<Alternative, String> {
    let (text, stem) = text.strip_suffix('*').map_or((text, false), |rest| (rest, true));
    let words: Vec<String> = tokens(&text.replace('_', " ")).into_iter().map(|t| t.text).collect();
    if words.is_empty() {
        return Err("a phrase has an empty alternative: take out the extra `/` or `*`".to_owned());
    }
    Ok(Alternative { words, stem })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrases(all: &[&str]) -> Phrases {
        let mut phrases = Phrases::default();
        for phrase in all {
            phrases.add(phrase).expect("a phrase");
        }
        phrases
    }

    #[test]
    fn alternatives_options_stems_and_gaps_match_within_a_sentence() {
        let p = phrases(&["stop … text*", "no me escrib*/mand* nada? mas", "^leave_me alone$"]);
        assert!(p.is_in(&tokens("please stop all these texts")));
        assert!(p.is_in(&tokens("No me escriban más")) && p.is_in(&tokens("no me manden nada mas")));
        assert!(!p.is_in(&tokens("Stop. I got your text")));
        assert!(p.is_in(&tokens("ok, leave me alone!")) && !p.is_in(&tokens("he won't leave me alone")));
        assert!(!p.is_in(&tokens("leave me alone with him")));
    }

    #[test]
    fn han_matches_with_and_without_spaces() {
        let p = phrases(&["不要/别 再 发"]);
        assert!(p.is_in(&tokens("请不要再发了")) && p.is_in(&tokens("别 再 發")));
    }

    #[test]
    fn a_phrase_that_says_nothing_is_refused_with_a_remedy() {
        assert!(Phrases::default().add("maybe? …").is_err_and(|e| e.contains("without `?`")));
        assert!(Phrases::default().add("a/").is_err_and(|e| e.contains("empty alternative")));
    }
}
