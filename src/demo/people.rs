//! The people with the simulated phones: about six in ten answer, after minutes or hours, and three in a hundred
//! have a problem. They read what arrived on their phone as it stands in the database, and write like anybody else.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use crate::clock::Time;
use crate::document::{Document, Faults};
use crate::model::{Address, Lang};
use crate::random::Dice;
use crate::store::demo::{Arrived, arrived};
use crate::store::{Db, StoreError};

const TEXT: &str = include_str!("../../config/demo/replies.toml");
/// How many of a hundred messages get an answer, and how many answers are a problem.
const ANSWERED: f64 = 0.60;
const PROBLEM: f64 = 0.03;
/// How far back phones are read after a pause (domain time).
const BACK: Duration = Duration::from_secs(2 * 86_400);

/// What people write, by language and question.
#[derive(Debug, Default)]
struct Phrases(HashMap<(Lang, String), HashMap<String, Vec<String>>>);

/// A text with its English.
#[derive(Debug, Clone)]
pub struct Glossed {
    /// As written.
    pub text: String,
    /// In English.
    pub english: String,
}

/// The people with the phones.
#[derive(Debug)]
pub struct People {
    dice: Dice,
    phrases: Phrases,
    problems: HashMap<Lang, Vec<Glossed>>,
    tries: HashMap<Lang, Vec<Glossed>>,
    baselines: HashMap<String, f64>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    began: bool,
    considered: HashSet<i64>,
    /// Who will write what, and when.
    pending: Vec<(Time, Address, String)>,
    /// Phones that a visitor has in hand: their people keep still.
    in_hand: HashSet<String>,
    weights: HashMap<String, f64>,
}

impl People {
    /// The people, with what they write.
    ///
    /// # Errors
    /// Every fault of the data.
    pub fn embedded(dice: Dice, baselines: HashMap<String, f64>) -> Result<People, Faults> {
        let doc = Document::parse("config/demo/replies.toml", TEXT);
        let root = doc.root();
        let _status = root.need_text("status");
        let mut phrases = Phrases::default();
        let (mut problems, mut tries) = (HashMap::new(), HashMap::new());
        for table in root.tables("reply") {
            let lang = table.need_parsed("lang", "a language", Lang::En);
            let to = table.need_text("to");
            for key in ["good", "reschedule", "cant", "partly", "not", "yes", "no", "chat"] {
                let texts = table.texts(key);
                if !texts.is_empty() {
                    phrases.0.entry((lang, to.clone())).or_default().insert(key.to_owned(), texts);
                }
            }
            for (key, kept) in [("problem", &mut problems), ("try", &mut tries)] {
                let glossed: Vec<Glossed> =
                    table.tables(key).iter().map(|t| Glossed { text: t.need_text("text"), english: t.need_text("en") }).collect();
                if !glossed.is_empty() {
                    kept.insert(lang, glossed);
                }
            }
        }
        root.finish();
        doc.finish(People { dice, phrases, problems, tries, baselines, state: Mutex::default() })
    }

    /// Replies that a visitor may try, in a language.
    #[must_use]
    pub fn tries(&self, lang: Lang) -> &[Glossed] {
        self.tries.get(&lang).map_or(&[], Vec::as_slice)
    }

    /// The English of one of their texts, if it has one.
    #[must_use]
    pub fn english(&self, lang: Lang, text: &str) -> Option<&str> {
        let all = self.problems.get(&lang).into_iter().chain(self.tries.get(&lang)).flatten();
        all.into_iter().find(|g| g.text == text).map(|g| g.english.as_str())
    }

    /// A visitor takes a phone: its person keeps still from now on.
    pub fn take(&self, phone: &Address) {
        let mut state = self.state();
        state.in_hand.insert(phone.expose().to_owned());
        state.pending.retain(|p| p.1 != *phone);
    }

    /// Whether a visitor has a phone in hand.
    #[must_use]
    pub fn is_taken(&self, phone: &Address) -> bool {
        self.state().in_hand.contains(phone.expose())
    }

    /// People look at their phones: new messages are considered, and what is written by now is given back.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn look(&self, db: &Db, now: Time) -> Result<Vec<(Address, String)>, StoreError> {
        let mut tx = db.read().await?;
        let messages = arrived(&mut tx, now.minus(BACK)).await?;
        drop(tx);
        let mut state = self.state();
        if !state.began {
            // After a restart, what was on the phones before is old news.
            state.considered = messages.iter().map(|m| m.id).collect();
            state.began = true;
        }
        for message in &messages {
            if state.considered.insert(message.id) && !state.in_hand.contains(&message.address) {
                self.consider(&mut state, message, now);
            }
        }
        let (due, later) = std::mem::take(&mut state.pending).into_iter().partition(|p| p.0 <= now);
        state.pending = later;
        let due: Vec<(Time, Address, String)> = due;
        Ok(due.into_iter().map(|(_, address, text)| (address, text)).collect())
    }

    fn consider(&self, state: &mut State, message: &Arrived, now: Time) {
        let Ok(lang) = message.lang.parse::<Lang>() else { return };
        let follow_up = matches!(message.key.trim_end_matches("-discreet"), "goal-why" | "goal-keep");
        if !follow_up && self.dice.fraction() >= ANSWERED {
            return;
        }
        let text = if self.dice.fraction() < PROBLEM {
            self.problems.get(&lang).and_then(|all| all.get(self.dice.below(all.len()))).map(|g| g.text.clone())
        } else {
            self.answer(state, message, lang)
        };
        if let Some(text) = text {
            // Most within the hour, some much later: the square keeps most of them early.
            let minutes = 1.0 + 180.0 * self.dice.fraction().powi(3);
            let wait = Duration::from_secs_f64(60.0 * if follow_up { 1.0 + minutes / 40.0 } else { minutes });
            state.pending.push((now.plus(wait), Address::new(message.address.as_str()), text));
        }
    }

    fn answer(&self, state: &mut State, message: &Arrived, lang: Lang) -> Option<String> {
        let throw = self.dice.fraction();
        let (to, key) = match message.key.trim_end_matches("-discreet") {
            "weight-question" => ("weight", "good"),
            "visit-reminder" if throw < 0.80 => ("visit", "good"),
            "visit-reminder" if throw < 0.90 => ("visit", "reschedule"),
            "visit-reminder" => ("visit", "cant"),
            "goal-question" if throw < 0.55 => ("goal", "good"),
            "goal-question" if throw < 0.85 => ("goal", "partly"),
            "goal-question" => ("goal", "not"),
            "goal-why" => ("goal-why", "good"),
            "goal-keep" if throw < 0.85 => ("goal-keep", "yes"),
            "goal-keep" => ("goal-keep", "no"),
            _ => return None,
        };
        let texts = self.phrases.0.get(&(lang, to.to_owned()))?.get(key)?;
        let text = texts.get(self.dice.below(texts.len()))?.clone();
        let weight = state
            .weights
            .entry(message.address.clone())
            .or_insert_with(|| self.baselines.get(&message.address).copied().unwrap_or(75.0));
        if to == "weight" {
            // A little up and down; once in twenty-five mornings, water.
            let swing = (self.dice.fraction() - 0.5) * 0.008;
            let water = if self.dice.fraction() < 0.04 { 0.025 } else { 0.0 };
            *weight *= 1.0 + swing + water;
        }
        Some(fill(&text, *weight, lang))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Puts a reading into a text, in the digits that the text asks for.
fn fill(text: &str, value: f64, lang: Lang) -> String {
    let plain = format!("{value:.1}");
    text.replace("{n}", &plain).replace("{n:comma}", &plain.replace('.', ",")).replace("{n:native}", &native(&plain, lang))
}

fn native(number: &str, lang: Lang) -> String {
    let zero = match lang {
        Lang::Ar => 0x0660,
        Lang::Ur => 0x06F0,
        Lang::Bn => 0x09E6,
        Lang::En
        | Lang::Es
        | Lang::ZhHans
        | Lang::ZhHant
        | Lang::Ru
        | Lang::Yi
        | Lang::Ko
        | Lang::Ht
        | Lang::It
        | Lang::Pl
        | Lang::Fr => return number.to_owned(),
    };
    let digit = |c: char| c.to_digit(10).and_then(|d| char::from_u32(zero + d));
    number
        .chars()
        .map(|c| match c {
            '.' if lang != Lang::Bn => '\u{066B}',
            c => digit(c).unwrap_or(c),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_people_have_words_for_every_question_in_six_languages() {
        let people = People::embedded(Dice::seeded(1), HashMap::new()).unwrap_or_else(|e| panic!("{e}"));
        for lang in [Lang::En, Lang::Es, Lang::ZhHans, Lang::Ru, Lang::Ar, Lang::Bn] {
            assert_eq!(people.tries(lang).len(), 5, "{lang}");
            assert!(people.problems[&lang].len() >= 8, "{lang}");
            for to in ["weight", "visit", "goal", "goal-why", "goal-keep"] {
                assert!(people.phrases.0.contains_key(&(lang, to.to_owned())), "{lang} {to}");
            }
        }
    }

    #[test]
    fn readings_are_written_in_the_digits_of_the_language() {
        assert_eq!(fill("{n:native} كيلو", 76.4, Lang::Ar), "٧٦٫٤ كيلو");
        assert_eq!(fill("{n:comma} кг", 74.2, Lang::Ru), "74,2 кг");
    }
}
