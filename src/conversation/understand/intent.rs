//! STOP, START and HELP in every language.
//!
//! The words that carriers know, and those of the patient's language, count as the whole message; clear sentences
//! count anywhere, because a revocation in any reasonable words must be honoured (47 CFR 64.1200(a)(10)). "Can't
//! stop coughing" is no revocation. What may or may not be one is [`Intent::Ambiguous`]: somebody asks.

use std::ops::Range;

use super::fold::{Gap, Kind, Token, only_question_marks};
use super::vocabulary::Vocabulary;

/// How many words after a sentence may narrow it.
const LIMIT_WORDS: usize = 4;

/// What a message asks of the service itself.
///
/// It never replaces triage: a farewell may hold a revocation, and a call for help may be a real one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Intent {
    /// No more messages.
    OptOut,
    /// Messages again.
    OptIn,
    /// Who is this, how do I get help.
    Help,
    /// Perhaps no more messages: ask.
    Ambiguous,
    /// Nothing of the kind.
    None,
}

impl Intent {
    /// The word as stored and as printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Intent::OptOut => "opt_out",
            Intent::OptIn => "opt_in",
            Intent::Help => "help",
            Intent::Ambiguous => "ambiguous",
            Intent::None => "none",
        }
    }
}

/// The intent of a message.
pub(super) fn intent(text: &str, tokens: &[Token], vocabularies: &[Vocabulary]) -> Intent {
    if only_question_marks(text) {
        return Intent::Help;
    }
    let plain = without_polite(tokens, vocabularies);
    match whole_message(&plain, vocabularies) {
        Intent::None => sentence(&plain, vocabularies),
        found @ (Intent::OptOut | Intent::OptIn | Intent::Help | Intent::Ambiguous) => found,
    }
}

/// The intent of a message that is one word of the vocabularies and nothing else.
pub(super) fn whole_message(plain: &[Token], vocabularies: &[Vocabulary]) -> Intent {
    let any = |covers: &dyn Fn(&Vocabulary) -> bool| vocabularies.iter().any(covers);
    if any(&|v| v.opt_out.words.covers(plain)) || is_long_word_with_a_slip(plain, vocabularies) {
        Intent::OptOut
    } else if any(&|v| v.opt_in_words.covers(plain)) {
        Intent::OptIn
    } else if any(&|v| v.help.covers(plain)) {
        Intent::Help
    } else if any(&|v| v.ambiguous_words.covers(plain)) {
        Intent::Ambiguous
    } else {
        Intent::None
    }
}

/// Leaves out "please" and its like, and emoji; what followed keeps the strongest separator.
pub(super) fn without_polite(tokens: &[Token], vocabularies: &[Vocabulary]) -> Vec<Token> {
    let mut kept: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut gap = Gap::Joint;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let polite = vocabularies.iter().filter_map(|v| v.polite.at(tokens, at)).max();
        gap = gap.max(token.gap);
        match polite {
            Some(end) => {
                gap = tokens[at..end].iter().map(|t| t.gap).max().map_or(gap, |inner| inner.max(gap));
                at = end;
            }
            None if token.kind == Kind::Emoji => at += 1,
            None => {
                kept.push(Token { gap, ..token.clone() });
                gap = Gap::Joint;
                at += 1;
            }
        }
    }
    kept
}

fn sentence(plain: &[Token], vocabularies: &[Vocabulary]) -> Intent {
    let not: Vec<_> = vocabularies.iter().flat_map(|v| v.opt_out.not.find_all(plain)).collect();
    let mut clear = clause_alone(plain, vocabularies);
    let mut limited = false;
    for vocabulary in vocabularies {
        for found in vocabulary.opt_out.sentences.find_all(plain) {
            if not.iter().any(|n| n.start < found.end && found.start < n.end) {
                continue;
            }
            if is_limited(plain, &found, vocabulary) { limited = true } else { clear = true }
        }
    }
    let again = vocabularies.iter().any(|v| v.opt_in_sentences.is_in(plain));
    let perhaps = limited || vocabularies.iter().any(|v| v.ambiguous_sentences.is_in(plain));
    match (clear, again) {
        (true, true) => Intent::Ambiguous,
        (true, false) => Intent::OptOut,
        (false, true) if limited => Intent::Ambiguous,
        (false, true) => Intent::OptIn,
        (false, false) if perhaps => Intent::Ambiguous,
        (false, false) => Intent::None,
    }
}

/// Whether one clause among others is STOP itself: "Wrong number. STOP".
fn clause_alone(plain: &[Token], vocabularies: &[Vocabulary]) -> bool {
    let mut starts: Vec<usize> = (0..plain.len()).filter(|at| *at == 0 || plain[*at].gap >= Gap::Comma).collect();
    starts.push(plain.len());
    starts.windows(2).any(|pair| vocabularies.iter().any(|v| v.opt_out.clauses.covers(&plain[pair[0]..pair[1]])))
}

/// Whether a time or condition stands in the sentence, next to it in its clause: "don't text me at night".
fn is_limited(plain: &[Token], found: &Range<usize>, vocabulary: &Vocabulary) -> bool {
    let limits = &vocabulary.opt_out.limits;
    let rest = plain.get(found.end..).unwrap_or_default();
    let last = found.end + rest.iter().take(LIMIT_WORDS).take_while(|t| t.gap < Gap::Comma).count();
    let before = (found.start.saturating_sub(LIMIT_WORDS)..found.start)
        .any(|at| limits.at(plain, at) == Some(found.start) && plain[found.start].gap < Gap::Comma);
    before || (found.start + 1..last).any(|at| limits.at(plain, at).is_some())
}

fn is_long_word_with_a_slip(plain: &[Token], vocabularies: &[Vocabulary]) -> bool {
    let [only] = plain else { return false };
    vocabularies.iter().flat_map(|v| &v.opt_out.long_words).any(|word| one_slip_apart(word, &only.text))
}

/// Whether two words differ by at most one letter too many, too few or wrong, or by two neighbours swapped.
fn one_slip_apart(a: &str, b: &str) -> bool {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let head = a.iter().zip(&b).take_while(|pair| pair.0 == pair.1).count();
    let tail = a[head..].iter().rev().zip(b[head..].iter().rev()).take_while(|pair| pair.0 == pair.1).count();
    let (rest_a, rest_b) = (&a[head..a.len() - tail], &b[head..b.len() - tail]);
    match (rest_a, rest_b) {
        (&[x, y], swapped) if swapped.len() == 2 => [y, x] == swapped,
        _ => rest_a.len() <= 1 && rest_b.len() <= 1,
    }
}

#[cfg(test)]
mod tests {
    use super::one_slip_apart;

    #[test]
    fn one_slip_is_forgiven_and_two_are_not() {
        for near in ["unsubscribe", "unsubcribe", "unsubscirbe", "unsubscribee", "unsubscribr"] {
            assert!(one_slip_apart("unsubscribe", near), "{near}");
        }
        for far in ["subscribe", "unsubscribing", "unsbscrib"] {
            assert!(!one_slip_apart("unsubscribe", far), "{far}");
        }
    }
}
