//! Numbers in words: "ocho", "one hundred eighty", "一百八十", "مية وثمانين".
//!
//! Invariant: a word counts as a number only where it explains its whole clause, because number words are also
//! articles, pronouns and "new".

use super::fold::{Gap, Kind, Token};
use super::number::{Found, Scope, with_unit};
use super::vocabulary::Numbers;

/// The numbers in words that fill a clause of the message.
pub(super) fn word_numbers(tokens: &[Token], scope: &Scope<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (start, end) in clauses(tokens) {
        for vocabulary in &scope.near {
            if let Some(number) = number_of_clause(tokens, start, end, scope, &vocabulary.numbers) {
                found.push(number);
                break;
            }
        }
    }
    if found.is_empty() {
        let whole = |v: &&super::vocabulary::Vocabulary| {
            whole_word_number(tokens, 0, &v.numbers).filter(|number| number.end == tokens.len())
        };
        found.extend(scope.far.iter().find_map(whole));
    }
    found
}

/// The longest number in words that begins at `at`.
pub(super) fn whole_word_number(tokens: &[Token], at: usize, numbers: &Numbers) -> Option<Found> {
    let mut sum = Sum::default();
    let mut next = at;
    loop {
        if sum.begun && tokens.get(next).is_none_or(|t| t.gap >= Gap::Comma) {
            break;
        }
        if sum.begun {
            if let Some(end) = numbers.half.at(tokens, next) {
                return Some(plain(f64::from(sum.total()) + 0.5, at, end));
            }
            if let Some(end) = numbers.point.at(tokens, next) {
                return decimals(tokens, end, numbers).map(|(fraction, end)| plain(f64::from(sum.total()) + fraction, at, end));
            }
        }
        if let Some((end, phrase)) = numbers.multipliers.longest_at(tokens, next) {
            sum.multiply(numbers.factors[phrase]);
            next = end;
            continue;
        }
        let after_and = if sum.begun { numbers.and.at(tokens, next) } else { None };
        let Some((value, end, joined)) = value_at(tokens, after_and.unwrap_or(next), numbers) else { break };
        if !sum.add(value, after_and.is_some() || joined, numbers.by_pairs) {
            return None;
        }
        next = end;
    }
    sum.begun.then(|| plain(f64::from(sum.total()), at, next))
}

/// The number that a clause consists of, with words around it that belong to numbers.
fn number_of_clause(tokens: &[Token], start: usize, end: usize, scope: &Scope<'_>, numbers: &Numbers) -> Option<Found> {
    let mut at = start;
    let mut number = whole_word_number(tokens, at, numbers);
    while number.is_none() {
        at = scope.near_end(|n| n.lead.at(tokens, at)).filter(|next| *next < end)?;
        number = whole_word_number(tokens, at, numbers);
    }
    let mut number = number?;
    let one_word = number.end == at + 1 && numbers.homographs.at(tokens, at).is_some();
    if one_word && tokens.len() > 1 {
        return None;
    }
    with_unit(&mut number, tokens, scope);
    let mut after = number.end;
    while let Some(next) = scope.near_end(|n| n.trail.at(tokens, after)) {
        after = next;
    }
    if let Some(top) = scope.near_end(|n| n.out_of.at(tokens, after)) {
        let in_digits = tokens.get(top).filter(|t| t.kind == Kind::Number).map(|_| top + 1);
        after = in_digits.or_else(|| whole_word_number(tokens, top, numbers).map(|n| n.end))?;
    }
    let connected = scope.near_end(|n| n.connectors.at(tokens, after)).is_some();
    let emoji = tokens.get(after).is_some_and(|t| t.kind == Kind::Emoji);
    (after >= end || connected || emoji).then_some(number)
}

fn clauses(tokens: &[Token]) -> Vec<(usize, usize)> {
    let mut starts: Vec<usize> = (0..tokens.len()).filter(|at| *at == 0 || tokens[*at].gap >= Gap::Comma).collect();
    starts.push(tokens.len());
    starts.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

/// A number word at `at`: its value, its end, and whether an "and" is written together with it.
fn value_at(tokens: &[Token], at: usize, numbers: &Numbers) -> Option<(u32, usize, bool)> {
    if let Some((end, phrase)) = numbers.words.longest_at(tokens, at) {
        return Some((numbers.values[phrase], end, false));
    }
    if numbers.and_prefix.is_empty() {
        return None;
    }
    let token = tokens.get(at)?;
    let bare = token.text.strip_prefix(&numbers.and_prefix).filter(|rest| !rest.is_empty())?;
    let alone = [Token { text: bare.to_owned(), ..token.clone() }];
    let (_, phrase) = numbers.words.longest_at(&alone, 0)?;
    Some((numbers.values[phrase], at + 1, true))
}

/// What follows a decimal point in words: digits one by one, or one number below a hundred.
fn decimals(tokens: &[Token], at: usize, numbers: &Numbers) -> Option<(f64, usize)> {
    let mut next = at;
    let mut text = String::from("0.");
    while let Some((value, end, _)) = value_at(tokens, next, numbers) {
        if next > at && value >= 10 {
            break;
        }
        text.push_str(&value.to_string());
        next = end;
    }
    (next > at).then_some(())?;
    Some((text.parse().ok()?, next))
}

fn plain(value: f64, start: usize, end: usize) -> Found {
    Found { value, unit: None, start, number_end: end, end, foreign: false, unsupported: false }
}

/// A number growing word by word: what is finished, and the last word's value, which may still be multiplied.
#[derive(Debug, Default)]
struct Sum {
    begun: bool,
    closed: u32,
    last: u32,
}

impl Sum {
    fn total(&self) -> u32 {
        self.closed.saturating_add(self.last)
    }

    fn multiply(&mut self, factor: u32) {
        if !self.begun || self.last == 0 || (factor < self.last && self.last >= 10) {
            self.closed = self.total();
            self.last = factor;
        } else {
            self.last = self.last.saturating_mul(factor);
        }
        self.begun = true;
    }

    /// Joins the next word; `false` where the two words are two numbers.
    fn add(&mut self, value: u32, and: bool, by_pairs: bool) -> bool {
        let is_ten = |n: u32| (20..=90).contains(&n) && n.is_multiple_of(10);
        if !self.begun {
            (self.begun, self.last) = (true, value);
        } else if self.last >= 100 && value < 100
            || (is_ten(self.last) || self.last == 10) && (1..10).contains(&value)
            || (self.last == 60 || self.last == 80) && (10..20).contains(&value)
            || and && (1..10).contains(&self.last) && is_ten(value)
        {
            self.closed = self.total();
            self.last = value;
        } else if by_pairs && !and && self.closed == 0 && (1..10).contains(&self.last) && (10..100).contains(&value) {
            self.closed = self.last * 100;
            self.last = value;
        } else {
            return false;
        }
        true
    }
}
