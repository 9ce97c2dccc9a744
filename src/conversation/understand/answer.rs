//! The answer that a message gives to the question that was asked.
//!
//! Invariant: `None` means "ask again". A message that is STOP, START or HELP is never an answer, so that
//! "CANCEL" (which carriers treat as an opt-out) is not taken for a cancelled visit.

use super::expects::{Answer, Expects};
use super::fold::{Gap, Kind, Token, tokens};
use super::number::{Scope, blood_pressure, measured, scaled};
use super::pattern::Phrases;
use super::vocabulary::Vocabulary;

/// Reads the answer out of a message without its polite words.
pub(super) fn answer(all: &[Token], plain: &[Token], expects: &Expects, scope: &Scope<'_>) -> Option<Answer> {
    match expects {
        Expects::YesNo => yes_no(all, plain, scope).map(|yes| if yes { Answer::Yes } else { Answer::No }),
        Expects::Number { unit, min, max } => measured(plain, scope, *unit, *min, *max),
        Expects::Scale { min, max } => scaled(plain, scope, *min, *max).map(Answer::Scale),
        Expects::Choice { options } => choice(plain, options, scope).map(Answer::Choice),
        Expects::BloodPressure => blood_pressure(plain, scope),
        Expects::Visit => visit(all, plain, scope),
        Expects::Text => (!all.is_empty()).then_some(Answer::Text),
    }
}

/// Yes or no at the beginning of the message, or as the whole of it in any language.
fn yes_no(all: &[Token], plain: &[Token], scope: &Scope<'_>) -> Option<bool> {
    // "ok, thanks" loses nothing by the polite words; a lone emoji is gone without them.
    let read = if plain.is_empty() { all } else { plain };
    let unclear = scope.near.iter().filter_map(|v| v.unclear.at(read, 0)).max();
    for vocabulary in &scope.near {
        let yes = leading(&vocabulary.yes, read);
        let no = leading(&vocabulary.no, read);
        let said = yes.max(no);
        let Some(end) = said else { continue };
        if unclear.is_some_and(|unclear| unclear >= end) || yes == no {
            return None;
        }
        let opposite = if yes > no { &vocabulary.no } else { &vocabulary.yes };
        let next_clause = read.get(end).is_some_and(|next| next.gap >= Gap::Comma);
        let turned = opposite.at(read, end).is_some_and(|at| read.get(at).is_none_or(|next| next.gap >= Gap::Comma));
        let doubted = scope.near.iter().any(|v| v.unclear.at(read, end).is_some());
        return (!(next_clause && (turned || doubted))).then_some(yes > no);
    }
    if unclear.is_some() {
        return None;
    }
    let far = |phrases: fn(&Vocabulary) -> &Phrases| scope.far.iter().any(|v| phrases(v).covers(read));
    match (far(|v| &v.yes), far(|v| &v.no)) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        (true, true) | (false, false) => emoji_yes_no(all, plain, scope),
    }
}

/// A thumb beside words that say neither.
fn emoji_yes_no(all: &[Token], plain: &[Token], scope: &Scope<'_>) -> Option<bool> {
    let emoji: Vec<Token> = all.iter().filter(|t| t.kind == Kind::Emoji).cloned().collect();
    if !plain.is_empty() {
        return None;
    }
    let says = |phrases: fn(&Vocabulary) -> &Phrases| scope.near.iter().any(|v| phrases(v).is_in(&emoji));
    match (says(|v| &v.yes), says(|v| &v.no)) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        (true, true) | (false, false) => None,
    }
}

/// The end of a phrase at the beginning, if a word ends there: 好 is no yes in 好痛.
fn leading(phrases: &Phrases, tokens: &[Token]) -> Option<usize> {
    let end = phrases.at(tokens, 0)?;
    let goes_on = |next: &Token| next.gap == Gap::Joint && next.kind == Kind::Word;
    tokens.get(end).is_none_or(|next| !goes_on(next)).then_some(end)
}

/// One of the options, by number, place or words.
fn choice(plain: &[Token], options: &[String], scope: &Scope<'_>) -> Option<usize> {
    let by_words = by_option_words(plain, options, scope);
    let last = i64::try_from(options.len()).ok()?;
    let by_number = scaled(plain, scope, 1, last).and_then(|n| usize::try_from(n).ok());
    match (by_words, by_number) {
        (Some(word), Some(number)) if word != number => None,
        (None, None) => by_place(plain, options.len(), scope),
        (word, number) => word.or(number),
    }
}

/// The option whose words stand in the message, not turned round, if there is exactly one.
fn by_option_words(plain: &[Token], options: &[String], scope: &Scope<'_>) -> Option<usize> {
    let mut hits: Vec<(usize, usize, usize)> = Vec::new();
    for (n, option) in options.iter().enumerate() {
        for wording in option.split('|').map(tokens).filter(|w| !w.is_empty()) {
            for at in 0..(plain.len() + 1).saturating_sub(wording.len()) {
                let here = &plain[at..at + wording.len()];
                let fits = here.iter().zip(&wording).all(|(token, word)| token.text == word.text);
                if fits && !is_negated(plain, at, scope) {
                    hits.push((at, at + wording.len(), n + 1));
                }
            }
        }
    }
    let inside = |a: &(usize, usize, usize), b: &(usize, usize, usize)| {
        a.2 != b.2 && b.0 <= a.0 && a.1 <= b.1 && (b.1 - b.0) > (a.1 - a.0)
    };
    let outer: Vec<_> = hits.iter().filter(|hit| !hits.iter().any(|other| inside(hit, other))).collect();
    let (_, _, first) = outer.first()?;
    outer.iter().all(|(_, _, n)| n == first).then_some(*first)
}

fn by_place(plain: &[Token], options: usize, scope: &Scope<'_>) -> Option<usize> {
    scope.near.iter().find_map(|v| v.numbers.ordinals.iter().take(options).position(|p| p.covers(plain)).map(|at| at + 1))
}

/// Whether a word that turns round stands one or two words before `at`, in the same clause.
fn is_negated(tokens: &[Token], at: usize, scope: &Scope<'_>) -> bool {
    (at.saturating_sub(2)..at).any(|start| {
        let same_clause = tokens[start + 1..=at].iter().all(|t| t.gap < Gap::Comma);
        same_clause && scope.near.iter().any(|v| v.negators.at(tokens, start).is_some_and(|end| end <= at))
    })
}

/// Confirm, reschedule or cannot come: by letter, number or words.
fn visit(all: &[Token], plain: &[Token], scope: &Scope<'_>) -> Option<Answer> {
    if let Some(answer) = by_letter(plain) {
        return Some(answer);
    }
    let says = |phrases: fn(&Vocabulary) -> &Phrases| {
        let near = scope.near.iter().any(|v| {
            let phrases = phrases(v);
            (0..plain.len())
                .any(|at| phrases.at(plain, at).is_some() && (starts_negated(plain, at, v) || !is_negated(plain, at, scope)))
        });
        near || scope.far.iter().any(|v| phrases(v).covers(plain))
    };
    if says(|v| &v.reschedule) {
        return Some(Answer::Reschedule);
    }
    if says(|v| &v.cant_come) {
        return Some(Answer::CantCome);
    }
    if says(|v| &v.confirm) {
        return Some(Answer::Confirm);
    }
    yes_no(all, plain, scope).filter(|yes| *yes).map(|_| Answer::Confirm)
}

/// Whether a phrase brings its own negation: "can't come".
fn starts_negated(tokens: &[Token], at: usize, vocabulary: &Vocabulary) -> bool {
    vocabulary.negators.at(tokens, at).is_some()
}

/// C, R and X (or the Cyrillic letters that look like them), or 1, 2 and 3, first and set apart.
fn by_letter(plain: &[Token]) -> Option<Answer> {
    let first = plain.first()?;
    let set_apart = plain.get(1).is_none_or(|next| next.gap >= Gap::Dash || next.text == "=");
    let alone = plain.iter().all(|token| token.text == first.text);
    if !set_apart && !alone {
        return None;
    }
    match first.text.as_str() {
        "c" | "с" | "1" => Some(Answer::Confirm),
        "r" | "р" | "2" => Some(Answer::Reschedule),
        "x" | "х" | "3" => Some(Answer::CantCome),
        _ => None,
    }
}
