//! What the statistical reader sees of a reply: pieces of words, words and pairs of words, sound skeletons, and what else is known
//! (the rules and concepts that were found, the open question, the shape of the reply).
//!
//! Invariant: a pure function of its arguments; the time is linear in the length. Only sums, products and square roots of plain
//! numbers, so that every machine computes the same.

use super::super::normalise::script;

/// The number of buckets that features are hashed into.
pub const BUCKETS: usize = 1 << BITS;

const BITS: u32 = 18;

/// The longest piece of a word, in letters.
const LONGEST: usize = 5;

/// One feature: its bucket and how strongly it is there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Feature {
    /// Below [`BUCKETS`].
    pub bucket: u32,
    /// From 0 to 1.
    pub value: f32,
}

/// What features are told apart by.
#[derive(Debug, Clone, Copy)]
enum View {
    Pieces = 1,
    Words = 2,
    Skeletons = 3,
    Hints = 4,
}

/// The views, and how much each may weigh in all.
const VIEWS: [(View, f32); 4] = [(View::Pieces, 1.0), (View::Words, 1.0), (View::Skeletons, 0.6), (View::Hints, 1.2)];

/// Every feature of a folded text. `hints` are what else is known, each made by [`hint`].
#[must_use]
pub fn features(text: &str, hints: &[u64]) -> Vec<Feature> {
    let mut all = Vec::with_capacity(text.len() * 6);
    let mut buckets = Vec::with_capacity(text.len() * 5);
    for (view, weight) in VIEWS {
        buckets.clear();
        let mut add = |hash: u64| buckets.push(bucket(hash, view));
        match view {
            View::Pieces => text.split(' ').filter(|word| !word.is_empty()).for_each(|word| pieces(word, &mut add)),
            View::Words => words(text, &mut add),
            View::Skeletons => skeletons(text, &mut add),
            View::Hints => hints.iter().for_each(|hint| add(*hint)),
        }
        gather(&mut buckets, weight, &mut all);
    }
    all
}

/// The features of one word alone, as pieces and as a word: what the reader names when it says what it saw.
#[must_use]
pub fn of_word(word: &str) -> Vec<Feature> {
    let mut buckets = Vec::new();
    pieces(word, &mut |hash| buckets.push(bucket(hash, View::Pieces)));
    buckets.push(bucket(hash(word), View::Words));
    buckets.into_iter().map(|bucket| Feature { bucket, value: 1.0 }).collect()
}

/// What is known besides the letters: a kind and a name, such as `fired` and the name of a rule.
#[must_use]
pub fn hint(kind: &str, name: &str) -> u64 {
    pair(hash(kind), hash(name))
}

/// What the shape of a text says: its scripts, and how long it is.
pub fn shape(text: &str, hints: &mut Vec<u64>) {
    const LOGS: [&str; 12] = ["1", "2", "4", "8", "16", "32", "64", "128", "256", "512", "1024", "more"];
    let log = |count: usize| LOGS[(count.max(1).ilog2() as usize).min(LOGS.len() - 1)];
    hints.push(hint("letters", log(text.chars().count())));
    hints.push(hint("words", log(text.split(' ').filter(|word| !word.is_empty()).count())));
    let mut seen = 0_u32;
    for script in text.chars().filter(|c| *c != ' ').map(script) {
        let bit = script.map_or(0, |script| script as u32 + 1);
        if seen & (1 << bit) == 0 {
            seen |= 1 << bit;
            hints.push(pair(hash("script"), u64::from(bit)));
        }
    }
}

/// Counts equal buckets; what is there twice weighs less than twice. The squares of a view add up to the square of its weight.
fn gather(buckets: &mut [u32], weight: f32, all: &mut Vec<Feature>) {
    const DAMPED: [f32; 8] = [0.0, 1.0, 1.69, 2.1, 2.39, 2.61, 2.79, 2.95];
    buckets.sort_unstable();
    let from = all.len();
    for run in buckets.chunk_by(|a, b| a == b) {
        all.push(Feature { bucket: run[0], value: DAMPED[run.len().min(DAMPED.len() - 1)] });
    }
    let norm = all[from..].iter().map(|f| f.value * f.value).sum::<f32>().sqrt();
    for feature in &mut all[from..] {
        feature.value *= weight / norm;
    }
}

/// Pieces of one to five letters of a word with its borders.
fn pieces(word: &str, add: &mut impl FnMut(u64)) {
    let mut starts = [SEED; LONGEST];
    let mut open = 0;
    // Each letter ends the pieces that began at the last five places.
    for (at, c) in std::iter::once('_').chain(word.chars()).chain(['_']).enumerate() {
        open = (open + 1).min(LONGEST);
        starts.copy_within(0..LONGEST - 1, 1);
        starts[0] = SEED;
        for (length, so_far) in starts.iter_mut().enumerate().take(open.min(at + 1)) {
            *so_far = step(*so_far, u64::from(u32::from(c)));
            if length > 0 || c != '_' {
                add(*so_far);
            }
        }
    }
}

/// Words, pairs of neighbours, and pairs with one word between.
fn words(text: &str, add: &mut impl FnMut(u64)) {
    let mut before: [u64; 2] = [1, 1];
    for word in text.split(' ').filter(|word| !word.is_empty()).chain(["$"]) {
        let this = hash(word);
        add(this);
        add(pair(before[1], this));
        add(pair(before[0], this).wrapping_mul(31));
        before = [before[1], this];
    }
}

/// The sounds of Latin words, variants folded: what romanised Urdu, Arabic, Bengali and Russian have in common however they are
/// spelled, and what is left of a word in haste.
fn skeletons(text: &str, add: &mut impl FnMut(u64)) {
    let mut before = 1;
    for word in text.split(' ').filter(|word| word.starts_with(|c: char| c.is_ascii_alphanumeric())) {
        let this = skeleton(word);
        add(this);
        add(pair(before, this));
        before = this;
    }
}

fn skeleton(word: &str) -> u64 {
    let (mut so_far, mut last) = (SEED, ' ');
    for (at, c) in word.char_indices() {
        let sound = match c {
            'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'h' if at > 0 => continue,
            'e' | 'y' => 'i',
            'o' => 'u',
            'c' | 'q' => 'k',
            'w' => 'v',
            'z' | 'x' => 's',
            'g' => 'j',
            'f' => 'p',
            _ => c,
        };
        if sound != last {
            so_far = step(so_far, u64::from(u32::from(sound)));
        }
        last = sound;
    }
    so_far
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;

fn step(so_far: u64, next: u64) -> u64 {
    (so_far ^ next).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23)
}

fn pair(a: u64, b: u64) -> u64 {
    step(step(SEED, a), b)
}

fn hash(text: &str) -> u64 {
    text.bytes().fold(SEED, |so_far, byte| step(so_far, u64::from(byte)))
}

fn bucket(hash: u64, view: View) -> u32 {
    let mixed = (hash ^ (view as u64)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    u32::try_from(mixed >> (u64::BITS - BITS)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(a: &str, b: &str) -> usize {
        let (a, b) = (features(a, &[]), features(b, &[]));
        a.iter().filter(|f| b.iter().any(|other| other.bucket == f.bucket)).count()
    }

    #[test]
    fn alike_words_share_features_and_romanised_spellings_share_their_skeleton() {
        assert!(shared("breathing", "breathin") > shared("breathing", "thursday") + 10);
        assert_eq!(skeleton("khudkushi"), skeleton("khudkhushee"));
        assert_eq!(skeleton("zindagi"), skeleton("zindgi"));
    }

    #[test]
    fn pieces_are_all_runs_of_up_to_five_letters() {
        let mut count = 0;
        pieces("abc", &mut |_| count += 1);
        // _abc_: 5 single letters without the 2 borders, then 4 + 3 + 2 + 1.
        assert_eq!(count, 3 + 4 + 3 + 2 + 1);
    }

    #[test]
    fn a_view_weighs_the_same_however_long_the_text() {
        let weight = |text: &str| features(text, &[]).iter().map(|f| f.value * f.value).sum::<f32>();
        assert!((weight("hello") - weight(&"hello you there ".repeat(40))).abs() < 0.01);
    }
}
