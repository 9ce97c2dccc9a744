//! Numbers in replies: digits of any script, number words, units, scales and blood pressure.
//!
//! Invariant: nothing is guessed. A unit is converted only where it was written; of two different numbers none
//! is taken without a reason (a unit, "I mean"); systolic and diastolic are never swapped.

use super::expects::{Answer, Unit};
use super::fold::{Gap, Kind, Token};
use super::vocabulary::{Numbers, Vocabulary};
use super::words::{whole_word_number, word_numbers};

/// The vocabularies for one patient: the own language and English, and all others.
#[derive(Debug, Clone)]
pub(super) struct Scope<'v> {
    /// The patient's language, then English.
    pub near: Vec<&'v Vocabulary>,
    /// The others: believed only where they explain the whole message.
    pub far: Vec<&'v Vocabulary>,
}

impl Scope<'_> {
    /// The longest end that any near vocabulary gives.
    pub(super) fn near_end(&self, end: impl Fn(&Numbers) -> Option<usize>) -> Option<usize> {
        self.near.iter().filter_map(|v| end(&v.numbers)).max()
    }
}

/// A number in a message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    pub value: f64,
    pub unit: Option<Unit>,
    /// The first token.
    pub start: usize,
    /// After the number.
    pub number_end: usize,
    /// After the number and its unit.
    pub end: usize,
    /// A time, a price, a count of something else: no answer.
    pub foreign: bool,
    /// A unit that we do not convert.
    pub unsupported: bool,
}

/// A measured number in `unit`, or `None` to ask again.
pub(super) fn measured(tokens: &[Token], scope: &Scope<'_>, unit: Unit, min: f64, max: f64) -> Option<Answer> {
    let mut found = digits(tokens, scope, unit.is_whole());
    let chains = chains(tokens);
    for number in &mut found {
        number.foreign |= chains.iter().any(|chain| chain.contains(number.start) && chain.is_no_range());
    }
    if found.iter().all(|n| n.foreign) {
        found.extend(word_numbers(tokens, scope));
    }
    let is_range = |n: &Found| chains.iter().any(|chain| chain.contains(n.start) && !chain.is_no_range());
    let candidates: Vec<Found> = found.into_iter().filter(|n| !n.foreign).collect();
    if candidates.iter().any(|n| n.unsupported || is_range(n)) {
        return None;
    }
    let converted: Vec<(Found, f64)> = candidates
        .iter()
        .filter_map(|n| n.unit.map_or(Some(n.value), |written| written.convert(n.value, unit)).map(|value| (*n, value)))
        .collect();
    let (number, value) = one_of(&converted, tokens, scope, |n| n.unit == Some(unit))?;
    Some(Answer::Number {
        value,
        unit,
        as_written: number.value,
        unit_written: number.unit,
        plausible: (min..=max).contains(&value),
    })
}

/// A whole number from `min` to `max`.
pub(super) fn scaled(tokens: &[Token], scope: &Scope<'_>, min: i64, max: i64) -> Option<i64> {
    let plain = |n: &Found| !n.foreign && n.unit.is_none_or(|unit| unit == Unit::Count);
    let mut found = digits(tokens, scope, true);
    if !found.iter().any(plain) {
        found.extend(word_numbers(tokens, scope));
    }
    let chains = chains(tokens);
    let mut candidates = Vec::new();
    let mut at = 0;
    while let Some(number) = found.get(at) {
        at += 1;
        if !plain(number) || chains.iter().any(|chain| chain.contains(number.start) && chain.tokens.len() > 2) {
            continue;
        }
        let top = found.get(at).filter(|next| is_out_of(tokens, scope, number, next));
        let taken = match top {
            Some(top) => {
                at += 1;
                let top_value = whole(top.value);
                match (whole(number.value), top_value) {
                    (Some(n), Some(top)) if top == max => n,
                    (Some(top), Some(n)) if top == max => n,
                    _ => return None,
                }
            }
            None if !stands_out(tokens, scope, number) => continue,
            None => whole(number.value)?,
        };
        candidates.push((*number, f64::from(i32::try_from(taken).ok()?)));
    }
    if candidates.is_empty() {
        let none = min == 0 && scope.near.iter().any(|v| v.numbers.none.covers(tokens));
        return none.then_some(0);
    }
    let (_, value) = one_of(&candidates, tokens, scope, |_| false)?;
    whole(value).filter(|n| (min..=max).contains(n))
}

/// Systolic over diastolic.
pub(super) fn blood_pressure(tokens: &[Token], scope: &Scope<'_>) -> Option<Answer> {
    let found = digits(tokens, scope, true);
    let chains = chains(tokens);
    let mut pairs = Vec::new();
    for (first, second) in found.iter().zip(found.iter().skip(1)) {
        let in_long_chain = chains.iter().any(|c| c.tokens.len() > 2 && (c.contains(first.start) || c.contains(second.start)));
        if !in_long_chain && !first.foreign && is_over(tokens, scope, first, second, found.len() == 2) {
            pairs.push((*first, *second));
        }
    }
    if found.is_empty() {
        pairs.extend(pair_in_words(tokens, scope));
    }
    pairs.retain(|(systolic, diastolic)| {
        (50.0..=300.0).contains(&systolic.value)
            && (20.0..=200.0).contains(&diastolic.value)
            && systolic.value > diastolic.value
            && systolic.value.fract() == 0.0
            && diastolic.value.fract() == 0.0
    });
    let &(systolic, diastolic) = pairs.last()?;
    let all_equal = pairs.iter().all(|(s, d)| same(s.value, systolic.value) && same(d.value, diastolic.value));
    if !all_equal && !is_correction(tokens, scope, pairs[pairs.len() - 2].1.end, systolic.start) {
        return None;
    }
    Some(Answer::BloodPressure { systolic: small(systolic.value)?, diastolic: small(diastolic.value)? })
}

/// Every number in digits, with what stands around it.
fn digits(tokens: &[Token], scope: &Scope<'_>, whole: bool) -> Vec<Found> {
    let is_number = |at: usize| tokens.get(at).is_some_and(|t| t.kind == Kind::Number);
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate().filter(|(_, t)| t.kind == Kind::Number) {
        let mut number = Found {
            value: 0.0,
            unit: None,
            start: at,
            number_end: at + 1,
            end: at + 1,
            foreign: token.text.chars().filter(char::is_ascii_digit).count() >= 7,
            unsupported: false,
        };
        match value_of(&token.text, whole) {
            Some(value) => number.value = value,
            None => number.foreign = true,
        }
        if let Some(before) = at.checked_sub(1).and_then(|b| tokens.get(b)) {
            let letter = token.gap == Gap::Joint && before.kind == Kind::Word && before.text.len() == 1;
            let money = before.kind == Kind::Symbol && "$€£¥".contains(&before.text);
            number.foreign |= letter || money || (token.gap == Gap::Colon && is_number(at - 1));
        }
        number.foreign |= is_number(at + 1) && tokens[at + 1].gap == Gap::Colon;
        if let Some(end) = scope.near_end(|n| n.half.at(tokens, at + 1)) {
            number.value += 0.5;
            number.number_end = end;
            number.end = end;
        }
        with_unit(&mut number, tokens, scope);
        found.push(number);
    }
    found
}

/// Reads what follows a number: a unit, or a sign that it counts something else.
pub(super) fn with_unit(number: &mut Found, tokens: &[Token], scope: &Scope<'_>) {
    let at = number.number_end;
    if tokens.get(at).is_some_and(|next| next.gap >= Gap::Colon) {
        return;
    }
    let unit =
        scope.near.iter().filter_map(|v| v.numbers.units.longest_at(tokens, at).map(|(end, p)| (end, v.numbers.unit_of[p])));
    let unit = unit.max_by_key(|(end, _)| *end);
    let longer = |end: Option<usize>| end.filter(|end| unit.is_none_or(|(unit_end, _)| *end > unit_end));
    if let Some(end) = longer(scope.near_end(|n| n.foreign.at(tokens, at))) {
        number.foreign = true;
        number.end = end;
    } else if let Some(end) = longer(scope.near_end(|n| n.unsupported.at(tokens, at))) {
        number.unsupported = true;
        number.end = end;
    } else if let Some((end, unit)) = unit {
        number.unit = Some(unit);
        number.end = end;
    }
}

/// The value of digits with points and commas; `None` for what is no number ("12.03.2026").
fn value_of(text: &str, whole: bool) -> Option<f64> {
    let points = text.matches('.').count();
    let commas = text.matches(',').count();
    let grouped = |separator: char| {
        let mut groups = text.trim_start_matches('-').split(separator);
        groups.next().is_some_and(|g| (1..=3).contains(&g.len())) && groups.all(|g| g.len() == 3)
    };
    let plain = match (points, commas) {
        (0, 0) => text.to_owned(),
        (1, 0) if !(whole && grouped('.')) => text.to_owned(),
        (0, 1) if !(whole && grouped(',')) => text.replace(',', "."),
        (0, _) if grouped(',') => text.replace(',', ""),
        (_, 0) if grouped('.') => text.replace('.', ""),
        (1, _) if text.find('.') > text.rfind(',') => text.replace(',', ""),
        (_, 1) if text.find(',') > text.rfind('.') => text.replace('.', "").replace(',', "."),
        _ => return None,
    };
    plain.parse().ok()
}

/// Numbers joined by dashes or slashes: a range, a fraction, a date, a telephone number.
struct Chain {
    tokens: std::ops::Range<usize>,
    link: Gap,
}

impl Chain {
    fn contains(&self, at: usize) -> bool {
        self.tokens.contains(&at)
    }

    /// Fractions, dates and telephone numbers, against "6-7".
    fn is_no_range(&self) -> bool {
        self.tokens.len() > 2 || self.link == Gap::Slash
    }
}

fn chains(tokens: &[Token]) -> Vec<Chain> {
    let mut chains: Vec<Chain> = Vec::new();
    for at in 1..tokens.len() {
        let linked = matches!(tokens[at].gap, Gap::Dash | Gap::Slash);
        if !linked || tokens[at].kind != Kind::Number || tokens[at - 1].kind != Kind::Number {
            continue;
        }
        match chains.last_mut().filter(|chain| chain.tokens.end == at) {
            Some(chain) => chain.tokens.end = at + 1,
            None => chains.push(Chain { tokens: at - 1..at + 1, link: tokens[at].gap }),
        }
    }
    chains
}

/// The only value among the candidates; else the only one that is preferred; else the one that corrects.
fn one_of(
    candidates: &[(Found, f64)],
    tokens: &[Token],
    scope: &Scope<'_>,
    preferred: impl Fn(&Found) -> bool,
) -> Option<(Found, f64)> {
    let single = |all: &[(Found, f64)]| all.first().copied().filter(|(_, value)| all.iter().all(|(_, v)| same(*v, *value)));
    if let Some(one) = single(candidates) {
        return Some(one);
    }
    let favoured: Vec<(Found, f64)> = candidates.iter().copied().filter(|(n, _)| preferred(n)).collect();
    if let Some(one) = single(&favoured) {
        return Some(one);
    }
    let (last, before) = candidates.split_last()?;
    let (previous, _) = before.last()?;
    is_correction(tokens, scope, previous.end, last.0.start).then_some(*last)
}

/// Whether "I mean" or its like stands between two places.
fn is_correction(tokens: &[Token], scope: &Scope<'_>, from: usize, to: usize) -> bool {
    let between = tokens.get(from..to).unwrap_or_default();
    scope.near.iter().any(|v| v.numbers.correction.is_in(between))
}

/// "7/10", "7 out of 10".
fn is_out_of(tokens: &[Token], scope: &Scope<'_>, first: &Found, second: &Found) -> bool {
    let slash = second.start == first.end && tokens[second.start].gap == Gap::Slash;
    slash || scope.near_end(|n| n.out_of.at(tokens, first.end)) == Some(second.start)
}

/// "120/80", "120 over 80", "120 80".
fn is_over(tokens: &[Token], scope: &Scope<'_>, first: &Found, second: &Found, only_two: bool) -> bool {
    let gap = tokens[second.start].gap;
    if second.start == first.number_end || second.start == first.end {
        return gap <= Gap::Slash || (only_two && gap == Gap::Comma);
    }
    [first.number_end, first.end].iter().any(|at| scope.near_end(|n| n.over.at(tokens, *at)) == Some(second.start))
}

fn pair_in_words(tokens: &[Token], scope: &Scope<'_>) -> Option<(Found, Found)> {
    scope.near.iter().find_map(|v| {
        (0..tokens.len()).find_map(|at| {
            let systolic = whole_word_number(tokens, at, &v.numbers)?;
            let middle = v.numbers.over.at(tokens, systolic.end)?;
            Some((systolic, whole_word_number(tokens, middle, &v.numbers)?))
        })
    })
}

/// Whether a number in a sentence is the answer and not a detail: it stands at the border of a clause, is called
/// points, or the message is short.
fn stands_out(tokens: &[Token], scope: &Scope<'_>, number: &Found) -> bool {
    let clause_start = (0..=number.start).rev().find(|at| tokens[*at].gap >= Gap::Comma).unwrap_or(0);
    let mut at = clause_start;
    while at < number.start {
        match scope.near_end(|n| n.lead.at(tokens, at)) {
            Some(end) => at = end,
            None => break,
        }
    }
    let closes = tokens.get(number.end).is_none_or(|next| next.gap >= Gap::Comma);
    let called_points = scope.near_end(|n| n.trail.at(tokens, number.end)).is_some();
    at >= number.start || closes || called_points || tokens.len() <= 5
}

pub(super) fn same(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

/// A whole number of at most six digits.
#[expect(clippy::cast_possible_truncation, reason = "whole and below a million")]
fn whole(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() < 1e6).then_some(value as i64)
}

fn small(value: f64) -> Option<u16> {
    whole(value).and_then(|n| u16::try_from(n).ok())
}

#[cfg(test)]
mod tests {
    use super::value_of;

    #[test]
    fn commas_and_points_are_decimal_unless_they_group_a_whole_number() {
        assert_eq!(value_of("180.4", false), Some(180.4));
        assert_eq!(value_of("76,4", false), Some(76.4));
        assert_eq!(value_of("180.400", false), Some(180.4));
        assert_eq!(value_of("10,000", true), Some(10_000.0));
        assert_eq!(value_of("10.000", true), Some(10_000.0));
        assert_eq!(value_of("1,234.5", false), Some(1234.5));
        assert_eq!(value_of("1.234,5", false), Some(1234.5));
        assert_eq!(value_of("12.03.2026", false), None);
    }
}
