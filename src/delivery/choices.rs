//! The answers that a message offers, for channels with buttons. Pure.
//!
//! *Invariant:* what a button says reads exactly as if it had been typed; the text says all of it as well.

use crate::compose::{Arg, Args, Catalogue};
use crate::gateway::Choice;
use crate::model::Lang;
use crate::schedule::{Offers, Question};

/// A keyboard with more buttons than a scale from 0 to 10 has is none.
const MOST: usize = 11;

/// The choices of a message in the language of its text. `visit`: it is a reminder, which is answered with C, R or X.
pub(super) fn choices(
    catalogue: &Catalogue,
    lang: Lang,
    (key, args): (&str, &Args),
    question: Option<&Question>,
    visit: bool,
) -> Vec<Choice> {
    let number = |name: &str| match args.0.get(name) {
        #[expect(clippy::cast_possible_truncation, reason = "the ends of a scale are small whole numbers")]
        Some(Arg::Number(n)) => Some(*n as i64),
        Some(Arg::Text(_) | Arg::When { .. }) | None => None,
    };
    match (key, question.and_then(|q| q.offers)) {
        (_, Some(Offers::YesNo)) | ("reask-yes-no", None) => yes_no(catalogue, lang),
        (_, Some(Offers::Scale(min, max))) => digits(min, max),
        (_, Some(Offers::Choice(count))) => numbered(catalogue, lang, key, count),
        ("reask-scale", None) => number("min").zip(number("max")).map(|(min, max)| digits(min, max)).unwrap_or_default(),
        ("reask-choice", None) => number("max").map(|max| digits(1, max)).unwrap_or_default(),
        ("reask-visit", None) => of_visit(catalogue, lang),
        (_, None) if visit => of_visit(catalogue, lang),
        (_, None) => Vec::new(),
    }
}

fn labelled(catalogue: &Catalogue, lang: Lang, key: &str) -> Option<String> {
    catalogue.render(lang, key, &Args::new()).ok().map(|rendered| rendered.text.into_inner())
}

fn yes_no(catalogue: &Catalogue, lang: Lang) -> Vec<Choice> {
    let words = ["choice-yes", "choice-no"].into_iter().filter_map(|key| labelled(catalogue, lang, key));
    words.map(|label| Choice { says: label.clone(), label }).collect()
}

fn of_visit(catalogue: &Catalogue, lang: Lang) -> Vec<Choice> {
    let all = [("C", "choice-confirm"), ("R", "choice-reschedule"), ("X", "choice-cant-come")];
    all.into_iter()
        .filter_map(|(says, key)| Some(Choice { says: says.to_owned(), label: labelled(catalogue, lang, key)? }))
        .collect()
}

fn digits(min: i64, max: i64) -> Vec<Choice> {
    let all: Vec<Choice> =
        (min..=max).take(MOST + 1).map(|n| n.to_string()).map(|n| Choice { says: n.clone(), label: n }).collect();
    if all.len() > MOST { Vec::new() } else { all }
}

/// The options by their words where the message has words for all of them.
fn numbered(catalogue: &Catalogue, lang: Lang, key: &str, count: usize) -> Vec<Choice> {
    let words = catalogue.options(lang, key);
    if words.len() != count {
        return digits(1, i64::try_from(count).unwrap_or(i64::MAX));
    }
    let label = |wordings: &String| {
        let mut chars = wordings.split('|').next().unwrap_or_default().trim().chars();
        chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
    };
    words.iter().zip(1..).map(|(wordings, n): (_, usize)| Choice { says: n.to_string(), label: label(wordings) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::understand::{Answer, Expects, Intent, Reader};

    fn question(offers: Offers) -> Question {
        Question { message: 1, enrolment: 1, step: "s".into(), open_for: 1, again: false, answered: None, offers: Some(offers) }
    }

    fn said(choices: &[Choice]) -> Vec<&str> {
        choices.iter().map(|choice| choice.says.as_str()).collect()
    }

    #[test]
    fn every_button_in_every_language_reads_as_what_it_says() {
        let (catalogue, reader) = (Catalogue::embedded().expect("the texts"), Reader::embedded().expect("the words"));
        let none = Args::new();
        for lang in Lang::ALL {
            let of = |key: &str, offers: Option<Offers>, visit: bool| {
                let found = choices(&catalogue, lang, (key, &none), offers.map(question).as_ref(), visit);
                let labels: std::collections::BTreeSet<_> = found.iter().map(|c| c.label.as_str()).collect();
                assert_eq!(labels.len(), found.len(), "{lang}: two buttons look the same");
                for choice in &found {
                    assert_eq!(reader.intent(&choice.says), Intent::None, "{lang}: {}", choice.says);
                    assert!(!choice.label.is_empty() && choice.label.chars().count() <= 30 && choice.says.len() <= 64, "{lang}");
                }
                found
            };
            let read = |choices: &[Choice], expects: &Expects| -> Vec<Option<Answer>> {
                choices.iter().map(|choice| reader.answer(&choice.says, expects, lang)).collect()
            };
            let visit = of("visit-reminder", None, true);
            assert_eq!(said(&visit), ["C", "R", "X"], "{lang}");
            assert_eq!(
                read(&visit, &Expects::Visit),
                [Some(Answer::Confirm), Some(Answer::Reschedule), Some(Answer::CantCome)],
                "{lang}"
            );
            let yes_no = of("goal-keep", Some(Offers::YesNo), false);
            assert_eq!(read(&yes_no, &Expects::YesNo), [Some(Answer::Yes), Some(Answer::No)], "{lang}: {:?}", said(&yes_no));
            for key in ["goal-question", "goal-question-discreet", "wellbeing-question"] {
                let options = of(key, Some(Offers::Choice(3)), false);
                let expects = Expects::Choice { options: catalogue.options(lang, key).to_vec() };
                assert_eq!(read(&options, &expects), [1, 2, 3].map(|n| Some(Answer::Choice(n))), "{lang}: {key}");
                assert!(options.iter().all(|o| o.label.chars().all(|c| !c.is_ascii_digit())), "{lang}: words, no menu of digits");
            }
            let scale = of("any", Some(Offers::Scale(0, 10)), false);
            let expected: Vec<_> = (0..=10).map(|n| Some(Answer::Scale(n))).collect();
            assert_eq!(read(&scale, &Expects::Scale { min: 0, max: 10 }), expected, "{lang}");
        }
    }

    #[test]
    fn what_is_asked_again_offers_the_same_and_what_asks_nothing_offers_nothing() {
        let catalogue = Catalogue::embedded().expect("the texts");
        let args = Args::new().with("min", 0.0).with("max", 3.0);
        let of = |key: &str| choices(&catalogue, Lang::En, (key, &args), None, false);
        assert_eq!(said(&of("reask-visit")), ["C", "R", "X"]);
        assert_eq!(said(&of("reask-yes-no")), ["Yes", "No"]);
        assert_eq!(said(&of("reask-scale")), ["0", "1", "2", "3"]);
        assert_eq!(said(&of("reask-choice")), ["1", "2", "3"]);
        for key in ["reask-number", "answer-thanks", "crisis-medical", "staff"] {
            assert_eq!(of(key), [], "{key}");
        }
        assert_eq!(digits(0, 100), [], "no keyboard of a hundred buttons");
        let rtl: Vec<String> =
            choices(&catalogue, Lang::Yi, ("visit-reminder", &args), None, true).into_iter().map(|c| c.label).collect();
        assert_eq!(rtl, ["איך באשטעטיג", "אן אנדערע צייט", "איך קען נישט קומען"]);
    }
}
