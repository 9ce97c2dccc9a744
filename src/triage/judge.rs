//! Applies the rules of all packs to one folded reply.
//!
//! Invariant: a rule fires when one hit of each of its slots stands close together in one sentence and
//! nothing calls that combination off; another combination may still fire. More text can therefore call
//! a rule off only within its own sentence.

use super::matcher::{Matcher, Span};
use super::normalise::{Folded, WORD};
use super::pack::{Pack, Rule, Scope};
use super::words::Word;
use crate::model::Severity;

/// The neighbours of a hit that are tried on each side when slots are brought together.
const NEIGHBOURS: usize = 3;

/// No idiom is longer than this, in bytes.
const LONGEST: usize = 400;

/// All packs with what they compile to.
#[derive(Debug)]
pub struct Judge {
    packs: Vec<Pack>,
    /// What is looked for besides and raises nothing; numbered after the concepts of the packs.
    words: Vec<Word>,
    /// By pack: the number of its first concept.
    offsets: Vec<usize>,
    matcher: Matcher,
    /// By concept: the rules whose first slot holds it, as (pack, rule).
    by_concept: Vec<Vec<(usize, usize)>>,
}

/// A rule that fired.
#[derive(Debug, Clone, Copy)]
pub struct Fired<'j> {
    /// The pack it stands in.
    pub pack: &'j Pack,
    /// The rule.
    pub rule: &'j Rule,
    /// From the first to the last byte of its slots.
    pub span: Span,
    /// The sentence that it stands in.
    pub sentence: u32,
    /// Whether the rule is soft, or a word in its sentence makes it so.
    pub soft: bool,
}

/// What the packs find in a reply.
#[derive(Debug)]
pub struct Seen<'j> {
    /// The rules that fire.
    pub fired: Vec<Fired<'j>>,
    /// The rules whose concepts are there, but something calls them off; each with its sentence.
    pub called_off: Vec<(&'j Rule, u32)>,
    /// The concepts and words that are there, each with its sentence.
    pub concepts: Vec<(Named<'j>, u32)>,
}

/// Something that was found, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named<'j> {
    /// A concept of a pack.
    Concept(&'j str),
    /// A word that all languages share.
    Word(&'j str),
}

/// What is asked of the packs.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The key of the open question.
    pub question: Option<&'a str>,
    /// Only what ends after this byte counts.
    pub after: usize,
    /// Whether negations, idioms and the like call rules off.
    pub call_off: bool,
    /// Only rules of at least this severity count.
    pub least: Severity,
}

impl Judge {
    /// Compiles packs.
    ///
    /// # Errors
    /// When they are too large for one automaton.
    pub fn new(packs: Vec<Pack>, words: Vec<Word>) -> Result<Judge, aho_corasick::BuildError> {
        let mut offsets = Vec::new();
        let mut count = 0;
        for pack in &packs {
            offsets.push(count);
            count += pack.concepts.len();
        }
        let phrases = packs.iter().zip(&offsets).flat_map(|(pack, offset)| {
            pack.concepts.iter().enumerate().flat_map(move |(i, c)| c.phrases.iter().map(move |p| (offset + i, p)))
        });
        let word_phrases = words.iter().enumerate().flat_map(|(i, word)| word.phrases.iter().map(move |p| (count + i, p)));
        let matcher = Matcher::new(phrases.chain(word_phrases))?;
        let mut by_concept = vec![Vec::new(); count + words.len()];
        for (p, (pack, offset)) in packs.iter().zip(&offsets).enumerate() {
            for (r, rule) in pack.rules.iter().enumerate() {
                for concept in rule.slots.first().into_iter().flatten() {
                    by_concept[offset + concept].push((p, r));
                }
            }
        }
        Ok(Judge { packs, words, offsets, matcher, by_concept })
    }

    /// The packs, in the order of their files.
    #[must_use]
    pub fn packs(&self) -> &[Pack] {
        &self.packs
    }

    /// Every rule that fires, once each, in the order of packs and rules.
    #[must_use]
    pub fn fired(&self, text: &Folded, ask: Ask<'_>) -> Vec<Fired<'_>> {
        self.seen(text, ask).fired
    }

    /// All that is found: the rules that fire, the rules that something calls off, the concepts.
    #[must_use]
    pub fn seen(&self, text: &Folded, ask: Ask<'_>) -> Seen<'_> {
        let hits = Hits(self.matcher.find(text));
        let mut candidates: Vec<(usize, usize)> = hits.concepts().flat_map(|c| self.by_concept[c].iter().copied()).collect();
        candidates.sort_unstable();
        candidates.dedup();
        let mut seen = Seen { fired: Vec::new(), called_off: Vec::new(), concepts: Vec::new() };
        for (p, r) in candidates {
            let (pack, rule) = (&self.packs[p], &self.packs[p].rules[r]);
            let asked = rule.questions.is_empty() || ask.question.is_some_and(|q| rule.questions.iter().any(|own| own == q));
            if rule.severity < ask.least || !asked {
                continue;
            }
            let view = View { pack, offset: self.offsets[p], hits: &hits, text };
            match view.fire(rule, ask) {
                Some((true, span)) => {
                    let sentence = text.sentence(span.start);
                    let soft = rule.soft || self.softened(&hits, text, sentence);
                    seen.fired.push(Fired { pack, rule, span, sentence, soft });
                }
                Some((false, span)) => seen.called_off.push((rule, text.sentence(span.start))),
                None => {}
            }
        }
        seen.concepts = hits.0.iter().map(|(concept, span)| (self.concept(*concept), text.sentence(span.start))).collect();
        seen
    }

    fn softened(&self, hits: &Hits, text: &Folded, sentence: u32) -> bool {
        let first = self.by_concept.len() - self.words.len();
        let words = self.words.iter().enumerate().filter(|(_, word)| word.softens);
        words.flat_map(|(at, _)| hits.of(first + at)).any(|(_, span)| text.sentence(span.start) == sentence)
    }

    fn concept(&self, number: usize) -> Named<'_> {
        let first = self.by_concept.len() - self.words.len();
        if number >= first {
            return Named::Word(&self.words[number - first].id);
        }
        let pack = self.offsets.partition_point(|offset| *offset <= number) - 1;
        Named::Concept(&self.packs[pack].concepts[number - self.offsets[pack]].id)
    }
}

/// Concepts found, in order of concept and place.
struct Hits(Vec<(usize, Span)>);

impl Hits {
    fn concepts(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.chunk_by(|a, b| a.0 == b.0).map(|run| run[0].0)
    }

    fn of(&self, concept: usize) -> &[(usize, Span)] {
        let from = self.0.partition_point(|hit| hit.0 < concept);
        let until = self.0.partition_point(|hit| hit.0 <= concept);
        &self.0[from..until]
    }
}

struct View<'v> {
    pack: &'v Pack,
    offset: usize,
    hits: &'v Hits,
    text: &'v Folded,
}

impl View<'_> {
    /// Where the concepts of a rule stand together, and whether it fires there.
    fn fire(&self, rule: &Rule, ask: Ask<'_>) -> Option<(bool, Span)> {
        let (first, others) = rule.slots.split_first()?;
        let mut called_off = None;
        let anchors = first.iter().flat_map(|c| self.of(*c));
        for (_, anchor) in anchors {
            let mut spans = vec![*anchor];
            if !others.iter().all(|slot| self.join(slot, &mut spans, rule.near)) {
                continue;
            }
            let start = spans.iter().map(|s| s.start).min().unwrap_or(anchor.start);
            let end = spans.iter().map(|s| s.end).max().unwrap_or(anchor.end);
            let whole = Span { start, end };
            if end <= ask.after {
                continue;
            }
            if !(ask.call_off && rule.without.iter().any(|c| self.calls_off(*c, &spans, whole))) {
                return Some((true, whole));
            }
            called_off = called_off.or(Some((false, whole)));
        }
        called_off
    }

    fn of(&self, concept: usize) -> &[(usize, Span)] {
        self.hits.of(self.offset + concept)
    }

    /// Adds the hit of a slot that is closest to the first hit, unless none is close enough.
    fn join(&self, slot: &[usize], spans: &mut Vec<Span>, near: u32) -> bool {
        let anchor = spans[0];
        let closest = slot
            .iter()
            .flat_map(|concept| {
                let hits = self.of(*concept);
                let at = hits.partition_point(|hit| hit.1 < anchor);
                &hits[at.saturating_sub(NEIGHBOURS)..hits.len().min(at + NEIGHBOURS)]
            })
            .map(|hit| hit.1)
            .filter(|span| spans.iter().all(|other| span.end <= other.start || span.start >= other.end))
            .filter(|span| self.text.sentence(span.start) == self.text.sentence(anchor.start))
            .map(|span| (self.apart(anchor, span), span))
            .filter(|(distance, _)| *distance <= near * WORD)
            .min();
        closest.is_some_and(|(_, span)| {
            spans.push(span);
            true
        })
    }

    fn apart(&self, a: Span, b: Span) -> u32 {
        let (first, second) = if a.start <= b.start { (a, b) } else { (b, a) };
        self.text.distance(first.end, second.start)
    }

    fn calls_off(&self, concept: usize, spans: &[Span], whole: Span) -> bool {
        let Concept { scope, reach } = Concept::of(self.pack, concept);
        let hits = self.of(concept);
        match scope {
            Scope::Over => {
                let from = hits.partition_point(|(_, h)| h.start + LONGEST < whole.start);
                let until = hits.partition_point(|(_, h)| h.start < whole.end);
                hits[from.min(until)..until].iter().any(|(_, h)| whole.start < h.end)
            }
            Scope::Sentence => {
                let sentence = self.text.sentence(whole.start);
                let first = hits.partition_point(|(_, h)| self.text.sentence(h.start) < sentence);
                hits.get(first).is_some_and(|(_, h)| self.text.sentence(h.start) == sentence)
            }
            Scope::Before => spans.iter().any(|span| {
                let until = hits.partition_point(|(_, h)| h.start < span.start);
                hits[until.saturating_sub(NEIGHBOURS)..until].iter().any(|(_, h)| {
                    h.end < span.end
                        && self.text.clause(h.start) == self.text.clause(span.start)
                        && self.text.distance(h.end, span.start) <= reach * WORD
                        && !self.broken(h.end, span.start)
                })
            }),
            Scope::After => {
                let from = hits.partition_point(|(_, h)| h.start < whole.end);
                hits[from..hits.len().min(from + NEIGHBOURS)].iter().any(|(_, h)| {
                    self.text.clause(h.start) == self.text.clause(whole.end.saturating_sub(1))
                        && self.text.distance(whole.end, h.start) <= reach * WORD
                        && !self.broken(whole.end, h.start)
                })
            }
        }
    }

    /// Whether a word that ends a negation ("but") begins between two places.
    fn broken(&self, from: usize, to: usize) -> bool {
        let Some(breaks) = self.pack.breaks else { return false };
        let hits = self.of(breaks);
        let first = hits.partition_point(|(_, h)| h.start < from);
        hits.get(first).is_some_and(|(_, h)| h.end <= to)
    }
}

/// What of a concept matters to calling off.
struct Concept {
    scope: Scope,
    reach: u32,
}

impl Concept {
    fn of(pack: &Pack, concept: usize) -> Concept {
        let concept = &pack.concepts[concept];
        Concept { scope: concept.scope, reach: concept.reach }
    }
}
