//! The statistical reader: a linear model, trained from labelled replies, that reads beside the rules.
//!
//! Invariants: it may raise what the rules found, and lower nothing but a rule that says of itself that it is soft; it runs in
//! process, without a network, in some ten microseconds; the same reply gets the same opinion everywhere.
//!
//! Why beside rules: rules catch what somebody thought of. The model catches what is said otherwise, at the price of false alarms
//! and of reasons that are only words that weighed.

pub mod features;
pub mod model;
pub mod train;

use super::judge::{Named, Seen};
use super::normalise::{Folded, Script, script};
use crate::model::{Category, Severity};
use features::{Feature, features, hint, of_word, shape};
use model::{HEADS, Model};

/// What a reply may be about, as far as the reader tells them apart.
pub const KINDS: [(Category, &str); 7] = [
    (Category::SelfHarm, "self-harm"),
    (Category::MedicalEmergency, "a medical emergency"),
    (Category::Violence, "violence"),
    (Category::Symptom, "a symptom"),
    (Category::Medication, "a medicine"),
    (Category::SocialNeed, "a need for help"),
    (Category::ContactRequest, "a wish for contact"),
];

/// The trained model with its limits.
#[derive(Debug, Clone)]
pub struct Reader {
    model: Model,
}

/// What the reader makes of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Opinion {
    /// The scores: routine or worse, urgent or worse, emergency, then each kind.
    pub scores: [f32; HEADS],
}

impl Reader {
    /// A reader with a model.
    #[must_use]
    pub fn new(model: Model) -> Reader {
        Reader { model }
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Reads the sentences of a reply, each alone and all together: what one sentence says is not drowned by the others.
    #[must_use]
    pub fn read(&self, texts: &[Vec<Feature>]) -> Opinion {
        let mut all = texts.iter().map(|text| self.model.scores(text));
        let mut scores = all.next().unwrap_or([f32::MIN; HEADS]);
        for more in all {
            for (score, more) in scores.iter_mut().zip(more) {
                *score = score.max(more);
            }
        }
        Opinion { scores }
    }

    /// How soon a person must look.
    #[must_use]
    pub fn severity(&self, opinion: &Opinion) -> Severity {
        let limits = self.model.limits();
        let [routine, urgent, emergency, ..] = opinion.scores;
        if urgent >= limits.urgent {
            if emergency >= limits.emergency { Severity::Emergency } else { Severity::Urgent }
        } else if routine >= limits.routine {
            Severity::Routine
        } else {
            Severity::None
        }
    }

    /// What rules and reader say together.
    #[must_use]
    pub fn together(&self, opinion: &Opinion, ruled: train::Ruled) -> Severity {
        let soft = if self.harmless(opinion) { ruled.soft.min(Severity::Routine) } else { ruled.soft };
        self.severity(opinion).max(ruled.hard).max(soft)
    }

    /// Whether a soft rule may be taken for a figure of speech.
    #[must_use]
    pub fn harmless(&self, opinion: &Opinion) -> bool {
        opinion.scores[1] < self.model.limits().harmless
    }

    /// What it is rather about than anything else.
    #[must_use]
    pub fn kind(opinion: &Opinion) -> (Category, &'static str) {
        let mut best = 0;
        for kind in 1..KINDS.len() {
            if opinion.scores[3 + kind] > opinion.scores[3 + best] {
                best = kind;
            }
        }
        KINDS[best]
    }

    /// The up to three neighbouring words that weighed most for a severity.
    #[must_use]
    pub fn weighty<'t>(&self, text: &'t str, severity: Severity) -> &'t str {
        let head = match severity {
            Severity::None | Severity::Routine => 0,
            Severity::Urgent => 1,
            Severity::Emergency => 2,
        };
        let mut words: Vec<(usize, usize, f32)> = Vec::new();
        let mut from = 0;
        for word in text.split(' ') {
            // Scripts without spaces are looked at two letters at a time.
            let step = if word.is_ascii() || word.chars().count() < 8 { usize::MAX } else { 2 };
            let mut start = from;
            for (count, (at, c)) in word.char_indices().enumerate() {
                let end = from + at + c.len_utf8();
                if (count + 1) % step == 0 || end == from + word.len() {
                    words.push((start, end, self.model.scores(&of_word(&text[start..end]))[head]));
                    start = end;
                }
            }
            from += word.len() + 1;
        }
        let sum = |run: &[(usize, usize, f32)]| run.iter().map(|w| w.2).sum::<f32>();
        let best = words.windows(words.len().clamp(1, 3)).max_by(|a, b| sum(a).total_cmp(&sum(b)));
        best.map_or("", |run| &text[run[0].0..run[run.len() - 1].1])
    }
}

/// What the reader sees of a reply: the whole first, then each sentence if there are several. `seen` is what the rules found in it,
/// as written and with its spelling mended; without it the reader sees the letters alone.
#[must_use]
pub fn views(text: &Folded, raw: &str, seen: Option<&[Seen<'_>]>, question: Option<&str>) -> Vec<Vec<Feature>> {
    let whole = 0..text.text.len();
    let mut parts = vec![whole];
    let sentences = text.sentences();
    if sentences.len() > 1 {
        parts.extend(sentences);
    }
    let mut views = Vec::with_capacity(parts.len());
    let mut hints = Vec::new();
    for (number, part) in parts.into_iter().enumerate() {
        // Whether a picture stands beside the words says who likes pictures, not how they are: its meaning is the rules' and words'.
        let own: String = text.text[part.clone()].chars().filter(|c| script(*c) != Some(Script::Picture)).collect();
        let own = own.trim();
        if number > 0 && own.chars().count() < 4 {
            continue;
        }
        hints.clear();
        if let Some(seen) = seen {
            // Sentences keep their numbers when the spelling is mended.
            let here = (number > 0).then(|| text.sentence(part.start));
            found(seen, here, &mut hints);
        }
        shape(own, &mut hints);
        if number == 0 && raw.contains('?') {
            hints.push(hint("mark", "?"));
        }
        if let Some(question) = question {
            hints.push(hint("asked", question));
            own.split(' ').take(4).for_each(|word| hints.push(hint(question, word)));
        }
        hints.sort_unstable();
        hints.dedup();
        views.push(features(own, &hints));
    }
    views
}

/// The rules and concepts of a sentence (or of all), under names that the packs of all languages share.
fn found(seen: &[Seen<'_>], sentence: Option<u32>, hints: &mut Vec<u64>) {
    let from = hints.len();
    for seen in seen {
        let here = |of: u32| sentence.is_none_or(|wanted| wanted == of);
        for fired in seen.fired.iter().filter(|fired| here(fired.sentence)) {
            hints.push(hint("fired", family(&fired.rule.id)));
            hints.push(hint("severity", fired.rule.severity.as_str()));
        }
        hints.extend(seen.called_off.iter().filter(|(_, s)| here(*s)).map(|(rule, _)| hint("called off", family(&rule.id))));
        hints.extend(seen.concepts.iter().filter(|(_, s)| here(*s)).map(|(named, _)| match named {
            Named::Concept(concept) => hint("concept", concept),
            Named::Word(word) => hint("word", word),
        }));
    }
    if hints.len() == from {
        hints.push(hint("nothing", "found"));
    }
}

/// `heart.arm` and `heart.organ` are both of the family `heart`.
fn family(rule: &str) -> &str {
    rule.split('.').next().unwrap_or(rule)
}
