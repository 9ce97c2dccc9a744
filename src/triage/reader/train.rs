//! Trains the statistical reader from labelled replies, and measures it on groups that it has not seen.
//!
//! Invariant: the same replies, packs and seed give the same bytes on every machine: only sums, products, quotients and square
//! roots, in a fixed order.
//!
//! Each question is a linear support vector machine (squared hinge), trained by dual coordinate descent (Hsieh et al. 2008). How
//! rare a feature is weighs in by half its logarithm.

use super::features::{BUCKETS, Feature};
use super::model::{HEADS, Limits, Model};
use super::{KINDS, Opinion, Reader};
use crate::model::Severity;

/// Into how many parts the groups are divided for cross-validation.
pub const FOLDS: u64 = 5;

const EPOCHS: usize = 12;

/// How strongly one example pulls.
const COST: f32 = 0.1;

/// A harmless reply that is read as urgent costs more than a routine one that is.
const ROUTINE: f32 = 0.3;

/// A labelled reply as the reader sees it.
#[derive(Debug, Clone)]
pub struct Example {
    /// The whole reply, then its sentences.
    pub views: Vec<Vec<Feature>>,
    /// The least severity that is right.
    pub min: Severity,
    /// The greatest severity that is right.
    pub max: Severity,
    /// What it is about.
    pub categories: Vec<String>,
    /// What is never parted between training and measuring.
    pub group: u64,
    /// What the rules say of it without the reader, hard rules and soft ones.
    pub ruled: Ruled,
}

/// What the rules say of a reply.
#[derive(Debug, Clone, Copy)]
pub struct Ruled {
    /// The worst hard rule.
    pub hard: Severity,
    /// The worst soft rule.
    pub soft: Severity,
}

/// What the operating point is chosen for.
#[derive(Debug, Clone, Copy)]
pub struct Aim {
    /// The part of the urgent or worse that rules and reader together catch.
    pub urgent: f64,
    /// The part of the emergencies among what is raised that is called an emergency.
    pub emergency: f64,
    /// The part of the routine or worse that is found at all.
    pub routine: f64,
    /// The part of the urgent or worse that a soft rule alone raises and that stays raised.
    pub harmless: f64,
}

/// A point of the trade-off: rules and reader together, on replies that the reader had not seen.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    /// The limit for urgent.
    pub limit: f32,
    /// The part of the emergencies that is raised to urgent or worse.
    pub emergencies: f64,
    /// The part of the urgent or worse that is.
    pub urgent: f64,
    /// The part of the harmless that is.
    pub alarms: f64,
}

/// What training gives.
#[derive(Debug)]
pub struct Trained {
    /// The model, of all examples.
    pub model: Model,
    /// What each example was scored by a model that had not seen its group.
    pub unseen: Vec<Opinion>,
    /// The trade-off on them.
    pub curve: Vec<Point>,
}

/// Trains a model and chooses its limits on cross-validated scores. `extra` are examples that are only trained with, not measured.
#[must_use]
pub fn train(examples: &[Example], extra: &[Example], aim: Aim, seed: u64, version: u32) -> Trained {
    let open = Limits { routine: 0.0, urgent: 0.0, emergency: 0.0, harmless: 0.0 };
    let fit = |kept_out: Option<u64>| {
        let own: Vec<&Example> = examples.iter().filter(|e| Some(e.group % FOLDS) != kept_out).chain(extra).collect();
        Reader::new(Model::of(version, open, &weights(&own, seed)))
    };
    let mut unseen = vec![Opinion { scores: [0.0; HEADS] }; examples.len()];
    for fold in 0..FOLDS {
        let reader = fit(Some(fold));
        for (example, opinion) in examples.iter().zip(&mut unseen).filter(|(e, _)| e.group % FOLDS == fold) {
            *opinion = reader.read(&example.views);
        }
    }
    let limits = limits(examples, &unseen, aim);
    let curve = curve(examples, &unseen, limits.harmless);
    Trained { model: fit(None).model().clone().with(limits), unseen, curve }
}

/// The weights of every head.
fn weights(examples: &[&Example], seed: u64) -> Vec<Vec<f32>> {
    let rarity = rarity(examples);
    let mut heads = Vec::new();
    for head in 0..HEADS {
        let asked: Vec<(&[Feature], f32, f32)> =
            examples.iter().filter_map(|e| answer(e, head).map(|(yes, cost)| (&e.views[0][..], yes, cost * COST))).collect();
        heads.push(machine(&asked, &rarity, seed));
    }
    heads
}

/// Whether the answer to a question is yes (1) or no (-1) and what it counts; nothing where the label leaves it open.
fn answer(example: &Example, head: usize) -> Option<(f32, f32)> {
    let (min, max) = (example.min, example.max);
    let from = |least: Severity| match (min >= least, max < least) {
        (true, _) => Some(1.0),
        (_, true) => Some(-1.0),
        _ => None,
    };
    let (yes, cost) = match head {
        0 => (from(Severity::Routine)?, 1.0),
        1 => (from(Severity::Urgent)?, if min < Severity::Urgent && max > Severity::None { ROUTINE } else { 1.0 }),
        2 => (from(Severity::Emergency)?, if min == Severity::None { ROUTINE } else { 1.0 }),
        kind => {
            let own = KINDS[kind - 3].0.as_str();
            (
                if example.categories.iter().any(|c| c == own) { 1.0 } else { -1.0 },
                if min == Severity::None { ROUTINE } else { 1.0 },
            )
        }
    };
    Some((yes, cost))
}

/// What a feature counts by how rare it is. What is there in a single reply teaches nothing.
fn rarity(examples: &[&Example]) -> Vec<f32> {
    let mut counts = vec![0_u16; BUCKETS];
    for feature in examples.iter().flat_map(|e| &e.views[0]) {
        let count = &mut counts[feature.bucket as usize];
        *count = count.saturating_add(1);
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let all = examples.len() as f32 + 1.0;
    counts.iter().map(|count| if *count < 2 { 0.0 } else { log(1.0 + all / (f32::from(*count) + 1.0)).sqrt() }).collect()
}

/// The logarithm to the base of two, straight between the powers of two: the same on every machine.
fn log(x: f32) -> f32 {
    let bits = x.to_bits();
    #[expect(clippy::cast_precision_loss, reason = "an exponent, and the leading bits of a mantissa")]
    let (exponent, mantissa) = ((bits >> 23) as f32 - 127.0, (bits & 0x7f_ffff) as f32 / 8_388_608.0);
    exponent + mantissa
}

/// One linear machine by dual coordinate descent.
fn machine(examples: &[(&[Feature], f32, f32)], rarity: &[f32], seed: u64) -> Vec<f32> {
    let scaled: Vec<Vec<(usize, f32)>> = examples
        .iter()
        .map(|(x, ..)| {
            let all = x.iter().map(|f| (f.bucket as usize, f.value * rarity[f.bucket as usize]));
            all.filter(|(_, value)| *value > 0.0).collect()
        })
        .collect();
    let squares: Vec<f32> = scaled.iter().map(|x| x.iter().map(|(_, v)| v * v).sum::<f32>() + 1.0).collect();
    let mut weights = vec![0.0_f32; BUCKETS + 1];
    let mut pulls = vec![0.0_f32; examples.len()];
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut dice = Dice(seed | 1);
    for _ in 0..EPOCHS {
        for at in (1..order.len()).rev() {
            order.swap(at, dice.below(at + 1));
        }
        for &number in &order {
            let (_, yes, cost) = examples[number];
            let slack = 1.0 / (2.0 * cost);
            let score = scaled[number].iter().map(|(b, v)| weights[*b] * v).sum::<f32>() + weights[BUCKETS];
            let gradient = yes * score - 1.0 + slack * pulls[number];
            let pull = (pulls[number] - gradient / (squares[number] + slack)).max(0.0);
            let change = (pull - pulls[number]) * yes;
            for (bucket, value) in &scaled[number] {
                weights[*bucket] += change * value;
            }
            weights[BUCKETS] += change;
            pulls[number] = pull;
        }
    }
    for (weight, rare) in weights.iter_mut().zip(rarity) {
        *weight *= rare;
    }
    weights
}

/// Numbers that look like chance and are the same on every machine (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % most as u64).unwrap_or(0)
    }
}

/// The limits that reach the aim on replies that were not seen.
fn limits(examples: &[Example], unseen: &[Opinion], aim: Aim) -> Limits {
    let scores = |head: usize, counts: &dyn Fn(&Example) -> bool| {
        let mut own: Vec<f32> = examples.iter().zip(unseen).filter(|(e, _)| counts(e)).map(|(_, o)| o.scores[head]).collect();
        own.sort_by(f32::total_cmp);
        own
    };
    // Only where a soft rule alone raised a reply does this limit decide anything.
    let soft = |e: &Example| e.min >= Severity::Urgent && e.ruled.soft >= Severity::Urgent && e.ruled.hard < Severity::Urgent;
    let harmless = share(&scores(1, &soft), aim.harmless);
    // What a hard rule raises is caught whatever the reader's limit.
    let urgent = {
        let mut own: Vec<f32> = examples
            .iter()
            .zip(unseen)
            .filter(|(e, _)| e.min >= Severity::Urgent)
            .map(|(e, o)| if ruled(e, o, harmless) >= Severity::Urgent { f32::MAX } else { o.scores[1] })
            .collect();
        own.sort_by(f32::total_cmp);
        share(&own, aim.urgent)
    };
    let emergency = share(&scores(2, &|e| e.min == Severity::Emergency), aim.emergency);
    let routine = share(&scores(0, &|e| e.min >= Severity::Routine), aim.routine);
    Limits { routine, urgent, emergency, harmless }
}

/// The score that this part of sorted scores reaches.
fn share(sorted: &[f32], part: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a part of a count")]
    let below = ((1.0 - part) * sorted.len() as f64) as usize;
    sorted.get(below).copied().unwrap_or(0.0)
}

fn ruled(example: &Example, opinion: &Opinion, harmless: f32) -> Severity {
    if opinion.scores[1] < harmless { example.ruled.hard } else { example.ruled.hard.max(example.ruled.soft) }
}

/// Rules and reader together, for limits from strict to lax.
fn curve(examples: &[Example], unseen: &[Opinion], harmless: f32) -> Vec<Point> {
    let steps = (0_i16..=20).map(|step| 0.8 - f32::from(step) * 0.1);
    let part = |limit: f32, of: &dyn Fn(&Example) -> bool| {
        let all: Vec<bool> = examples
            .iter()
            .zip(unseen)
            .filter(|(e, _)| of(e))
            .map(|(e, o)| o.scores[1] >= limit || ruled(e, o, harmless) >= Severity::Urgent)
            .collect();
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let part = all.iter().filter(|raised| **raised).count() as f64 / all.len().max(1) as f64;
        part
    };
    let point = |limit| Point {
        limit,
        emergencies: part(limit, &|e| e.min == Severity::Emergency),
        urgent: part(limit, &|e| e.min >= Severity::Urgent),
        alarms: part(limit, &|e| e.max == Severity::None),
    };
    steps.map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::super::features::features;
    use super::*;

    fn example(text: &str, min: Severity, group: u64) -> Example {
        let ruled = Ruled { hard: Severity::None, soft: Severity::None };
        Example { views: vec![features(text, &[])], min, max: min, categories: Vec::new(), group, ruled }
    }

    #[test]
    fn training_is_the_same_each_time_and_learns_what_tells_replies_apart() {
        let mut examples = Vec::new();
        for group in 0..20 {
            examples.push(example(&format!("house {group} is burning down"), Severity::Emergency, group));
            examples.push(example(&format!("visit {group} is confirmed"), Severity::None, 100 + group));
        }
        let aim = Aim { urgent: 1.0, emergency: 1.0, routine: 1.0, harmless: 1.0 };
        let first = train(&examples, &[], aim, 7, 1);
        assert_eq!(first.model.bytes(), train(&examples, &[], aim, 7, 1).model.bytes());
        assert_ne!(first.model.bytes(), train(&examples, &[], aim, 9, 1).model.bytes());
        let reader = Reader::new(first.model);
        let severity = |text: &str| reader.severity(&reader.read(&[features(text, &[])]));
        assert_eq!(severity("house 77 is burning down"), Severity::Emergency);
        assert_eq!(severity("visit 77 is confirmed"), Severity::None);
        assert!(first.curve.windows(2).all(|pair| pair[0].urgent <= pair[1].urgent));
    }

    #[test]
    fn the_logarithm_is_exact_at_powers_of_two_and_near_elsewhere() {
        assert!((log(8.0) - 3.0).abs() < 1e-6 && (log(1.0)).abs() < 1e-6);
        assert!((log(6.0) - 2.58).abs() < 0.09);
    }
}
