//! What follows from a reply, without a database.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::understand::Reader;
use super::*;
use crate::clock::Time;
use crate::compose::Catalogue;
use crate::model::{Class, Id, Keyword, Lang, Media, Severity};
use crate::protocol::{Protocol, SHIPPED, WeightUnit};
use crate::triage::{Context, Triage, Verdict};
use crate::zone::Zone;

static READER: LazyLock<Reader> = LazyLock::new(|| Reader::embedded().expect("the vocabularies"));
static TRIAGE: LazyLock<Triage> = LazyLock::new(|| Triage::embedded().expect("the packs"));
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::embedded().expect("the texts"));
static PROTOCOLS: LazyLock<Vec<Protocol>> =
    LazyLock::new(|| SHIPPED.iter().map(|(file, text)| Protocol::parse(file, text).expect("a protocol")).collect());

const NOW: Time = Time(1_795_618_800_000);

fn situation(lang: Lang, visits: &[Visit]) -> Situation<'_> {
    Situation {
        lang,
        zone: "America/New_York".parse::<Zone>().expect("a zone"),
        open: None,
        visits,
        readings: &[],
        revoked: false,
        crisis_reply: None,
        who: "June".into(),
        site: SiteWords {
            clinic: "Harbor Street".into(),
            phone: "(718) 555-0100".into(),
            emergency: "911".into(),
            lifeline: "988".into(),
        },
        staffed: true,
        opens: NOW,
        due: (Time(NOW.0 + 172_800_000), Time(NOW.0 + 3_600_000), Time(NOW.0 + 300_000)),
        now: NOW,
    }
}

fn heard(text: &str, cx: &Situation<'_>) -> Outcome {
    let verdict = TRIAGE.assess(text, &Context { lang: Some(cx.lang), question: None, previous: &[] });
    step(&words(text, &verdict), cx, &READER)
}

fn said(outcome: &Outcome) -> Vec<&str> {
    outcome.effects.iter().filter_map(|e| if let Effect::Say { key, .. } = e { Some(key.as_str()) } else { None }).collect()
}

fn opened(outcome: &Outcome) -> Vec<Severity> {
    outcome.effects.iter().filter_map(|e| if let Effect::Open { severity, .. } = e { Some(*severity) } else { None }).collect()
}

#[test]
fn a_second_cry_within_a_quarter_of_an_hour_gets_no_second_crisis_reply_but_a_person_hears_of_it() {
    let cx = Situation { crisis_reply: Some((Time(NOW.0 - 60_000), "crisis-self-harm".into())), ..situation(Lang::Es, &[]) };
    let again = heard("quiero morir", &cx);
    assert_eq!((said(&again), opened(&again)), (vec![], vec![Severity::Emergency]));
    assert_eq!(said(&heard("no puedo respirar", &cx)), ["crisis-medical"], "another danger has another answer");
    let later = Situation { crisis_reply: Some((Time(NOW.0 - 16 * 60_000), "crisis-self-harm".into())), ..cx };
    assert_eq!(said(&heard("quiero morir", &later)), ["crisis-self-harm"]);
    let ahead = Situation { crisis_reply: Some((Time(NOW.0 + 10 * 60_000), "crisis-self-harm".into())), ..later };
    assert_eq!(said(&heard("quiero morir", &ahead)), ["crisis-self-harm"], "a clock that was ahead gave it");
}

#[test]
fn who_cannot_come_for_want_of_a_ride_gets_one_answer_and_a_person_hears_of_both() {
    let visits = [Visit { id: Id(1), starts: Time(NOW.0 + 90_000_000), state: "booked".into() }];
    let outcome = heard("X, no tengo quien me lleve", &situation(Lang::Es, &visits));
    assert_eq!(said(&outcome), ["visit-cant-come"]);
    assert!(!opened(&outcome).is_empty());
}

#[test]
fn a_wish_to_stop_that_tells_of_a_death_reaches_a_person() {
    let cx = situation(Lang::En, &[]);
    let outcome = heard("please stop texting, my mother passed away", &cx);
    assert!(outcome.effects.contains(&Effect::Revoke));
    assert_eq!((said(&outcome), opened(&outcome)), (vec!["stop-confirmation"], vec![Severity::Routine]));
}

#[test]
fn a_correction_is_judged_without_what_it_corrects() {
    let step = PROTOCOLS[1].step("weigh").expect("the step");
    let yesterday = [Reading { kind: "weight".into(), value: 180.0, unit: "lb".into(), at: Time(NOW.0 - 86_400_000) }];
    let open = Open { step, unit: WeightUnit::Lb, words: &[], asked_again: false, answered: Some((Id(9), Time(NOW.0 - 60_000))) };
    let cx = Situation { open: Some(open), readings: &yesterday, ..situation(Lang::En, &[]) };
    assert_eq!(opened(&heard("sorry 188", &cx)), [Severity::Urgent]);
    assert_eq!(opened(&heard("sorry 181", &cx)), []);
}

#[test]
fn two_visits_and_one_letter_are_a_persons_question() {
    let visit = |id, hours: i64| Visit { id: Id(id), starts: Time(NOW.0 + hours * 3_600_000), state: "booked".into() };
    let visits = [visit(1, 20), visit(2, 50)];
    let outcome = heard("C", &situation(Lang::Ur, &visits));
    assert_eq!((said(&outcome), opened(&outcome)), (vec!["person-will-read"], vec![Severity::Routine]));
    assert!(!outcome.effects.iter().any(|e| matches!(e, Effect::Visit { .. })));
}

#[test]
fn every_text_that_a_reply_can_lead_to_can_be_written_in_every_locale() {
    for lang in Lang::ALL {
        let visits = [Visit { id: Id(1), starts: Time(NOW.0 + 90_000_000), state: "booked".into() }];
        for text in
            ["C", "R", "X", "STOP", "START", "HELP", "quiero morir", "chest pain", "call me please", "out of insulin", "zzz"]
        {
            for revoked in [false, true] {
                let cx = Situation { revoked, ..situation(lang, &visits) };
                for effect in heard(text, &cx).effects {
                    let Effect::Say { key, args, .. } = effect else { continue };
                    for key in [key.clone(), CATALOGUE.discreet(&key)] {
                        let written = CATALOGUE.render(lang, &key, &args);
                        assert!(written.is_ok_and(|w| w.lang == lang), "{lang} {key}");
                    }
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn no_words_whatever_break_it_and_a_red_flag_is_always_acted_on(
        text in ".{0,80}",
        flag in prop::sample::select(vec!["", " quiero morir", " i can't breathe", " не могу дышать"]),
        lang in prop::sample::select(Lang::ALL.to_vec()),
        step_at in 0_usize..8, again in any::<bool>(), revoked in any::<bool>(), answered in any::<bool>(), visits in any::<bool>(),
    ) {
        let steps: Vec<_> = PROTOCOLS.iter().flat_map(|p| &p.steps).collect();
        let visit = [Visit { id: Id(1), starts: Time(NOW.0 + 90_000_000), state: "booked".into() }];
        let cx = Situation {
            revoked,
            open: steps.get(step_at).map(|step| Open {
                step,
                unit: WeightUnit::Lb,
                words: &[],
                asked_again: again,
                answered: answered.then_some((Id(9), NOW)),
            }),
            ..situation(lang, if visits { &visit } else { &[] })
        };
        // A line break ends whatever stood before: the red flag is a sentence of its own.
        let text = if flag.is_empty() { text } else { format!("{text}\n{flag}") };
        let outcome = heard(&text, &cx);
        if !flag.is_empty() {
            prop_assert!(opened(&outcome).contains(&Severity::Emergency), "{text:?}");
            let crisis = outcome.effects.iter().any(|e| matches!(e, Effect::Say { class: Class::Crisis, .. }));
            prop_assert!(crisis);
        }
    }
}

fn words<'a>(text: &'a str, verdict: &'a Verdict) -> Heard<'a> {
    Heard { text, verdict, media: None, answered: None, repeats: false }
}

#[test]
fn a_photo_goes_to_a_person_and_a_sticker_does_not() {
    let verdict = Verdict { severity: Severity::Routine, categories: vec![], because: vec![] };
    let photo = step(&Heard { media: Some(Media::Photo), ..words("", &verdict) }, &situation(Lang::En, &[]), &READER);
    assert_eq!(photo.read_as, "Sent a photo");
    assert!(photo.effects.iter().any(|e| matches!(e, Effect::Open { reason, .. } if reason.contains("nobody has seen"))));
    let none = Verdict { severity: Severity::None, ..verdict };
    let sticker = step(&Heard { media: Some(Media::Sticker), ..words("👍", &none) }, &situation(Lang::En, &[]), &READER);
    assert!(!sticker.effects.iter().any(|e| matches!(e, Effect::Open { .. })), "{sticker:?}");
}

#[test]
fn what_the_provider_answered_is_kept_and_not_confirmed_again() {
    let verdict = Verdict { severity: Severity::None, categories: vec![], because: vec![] };
    let stop =
        step(&Heard { answered: Some(Keyword::Stop), ..words("stopall please", &verdict) }, &situation(Lang::En, &[]), &READER);
    assert_eq!(stop.effects, [Effect::Revoke]);
    let start = step(&Heard { answered: Some(Keyword::Start), ..words("start", &verdict) }, &situation(Lang::En, &[]), &READER);
    assert_eq!(start.effects, [Effect::Restore]);
    let help = step(&Heard { answered: Some(Keyword::Help), ..words("help", &verdict) }, &situation(Lang::En, &[]), &READER);
    assert!(help.effects.is_empty());
}

#[test]
fn a_machine_that_repeats_itself_is_not_answered_but_a_cry_for_help_is() {
    let out = |text: &str| {
        let verdict = TRIAGE.assess(text, &Context::default());
        step(&Heard { repeats: true, ..words(text, &verdict) }, &situation(Lang::En, &[]), &READER)
    };
    let away = out("I am out of the office until Monday and cannot read this");
    assert!(!away.effects.iter().any(|e| matches!(e, Effect::Say { .. })), "{away:?}");
    assert!(away.effects.iter().any(|e| matches!(e, Effect::Open { .. })));
    let cry = out("i cant breathe my chest hurts so bad");
    assert!(cry.effects.iter().any(|e| matches!(e, Effect::Say { class: Class::Crisis, .. })), "{cry:?}");
}
