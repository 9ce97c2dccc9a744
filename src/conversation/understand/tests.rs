//! The labelled replies of `tests/data/understand.jsonl`, and stories that need more than one line.

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use super::*;

/// One labelled reply.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    lang: String,
    text: String,
    #[serde(default)]
    intent: Option<String>,
    #[serde(default)]
    expects: Option<Expects>,
    /// What must be read; absent where the question must be asked again.
    #[serde(default)]
    value: Option<Value>,
}

const CASES: &str = include_str!("../../../tests/data/understand.jsonl");

fn cases() -> Vec<Case> {
    CASES.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

fn reader() -> Reader {
    Reader::embedded().unwrap_or_else(|faults| panic!("the packs are sound:\n{faults}"))
}

#[test]
fn every_labelled_reply_is_understood() {
    let reader = reader();
    let mut wrong = Vec::new();
    for case in cases() {
        let lang: Lang = case.lang.parse().expect("a locale");
        if let Some(intent) = &case.intent {
            let found = reader.intent(&case.text).as_str();
            if found != intent {
                wrong.push(format!("{lang} {:?}: intent {found}, not {intent}", case.text));
            }
        }
        if let Some(expects) = &case.expects {
            let found = reader.answer(&case.text, expects, lang).and_then(|answer| answer.value());
            if found != case.value {
                wrong.push(format!("{lang} {:?} to {expects:?}: {found:?}, not {:?}", case.text, case.value));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_labelled_set_is_large_enough_to_mean_something() {
    for lang in ["en", "es", "zh", "ru", "ar", "bn", "yi", "ko", "ht", "it", "pl", "fr", "ur"] {
        let least = if ["en", "es", "zh", "ru", "ar", "bn"].contains(&lang) { 12 } else { 5 };
        let of_lang: Vec<Case> = cases().into_iter().filter(|c| c.lang.split('-').next() == Some(lang)).collect();
        assert!(of_lang.iter().filter(|c| c.intent.is_some()).count() >= least, "{lang} intents");
        assert!(of_lang.iter().filter(|c| c.expects.is_some()).count() >= least, "{lang} answers");
    }
}

#[test]
fn a_weight_in_kilograms_is_converted_and_kept_as_written() {
    let lb = Expects::Number { unit: Unit::Lb, min: 50.0, max: 700.0 };
    let answer = reader().answer("٧٦٫٤ كيلو", &lb, Lang::Ar);
    let kept = Answer::Number { value: 168.4, unit: Unit::Lb, as_written: 76.4, unit_written: Some(Unit::Kg), plausible: true };
    assert_eq!(answer, Some(kept));
}

#[test]
fn fifty_six_to_a_meter_in_mmol_is_asked_again_and_never_taken_for_another_unit() {
    let mmol = Expects::Number { unit: Unit::MmolL, min: 1.1, max: 33.3 };
    let reader = reader();
    let doubted = Answer::Number { value: 56.0, unit: Unit::MmolL, as_written: 56.0, unit_written: None, plausible: false };
    assert_eq!(reader.answer("56", &mmol, Lang::ZhHans), Some(doubted));
    assert_eq!(reader.answer("56", &mmol, Lang::ZhHans).and_then(|a| a.value()), None);
}

#[test]
fn a_weight_outside_the_limits_stays_doubted_though_it_would_fit_in_kilograms() {
    let near_his_weight = Expects::Number { unit: Unit::Lb, min: 150.0, max: 210.0 };
    let answer = reader().answer("82", &near_his_weight, Lang::En);
    assert!(
        matches!(answer, Some(Answer::Number { value, plausible: false, unit_written: None, .. }) if (value - 82.0).abs() < 1e-9)
    );
}

#[test]
fn thanks_and_greetings_need_nobody_but_a_goodbye_does() {
    let reader = reader();
    for text in [
        "thanks",
        "Ok thank you so much doctor 🙏",
        "👍👍🏽",
        "gracias, igualmente",
        "谢谢医生",
        "好的，收到",
        "спасибо большое",
        "شكرا جزيلا",
        "ধন্যবাদ",
        "mèsi anpil",
        "merci beaucoup",
        "dziękuję bardzo",
        "grazie mille",
        "감사합니다",
        "شکریہ",
        "א דאנק",
        "❤️",
        "good morning",
    ] {
        assert!(reader.courtesy(text), "{text}");
    }
    for text in [
        "",
        "  ",
        "ok my chest hurts",
        "thanks for everything, goodbye",
        "goodbye",
        "👍 but dizzy",
        "😭",
        "💔",
        "no",
        "yes",
        "7",
        "спасибо за всё, прощайте",
        "gracias por todo, adiós",
        "STOP",
        "谢谢你们一直以来",
        "help",
    ] {
        assert!(!reader.courtesy(text), "{text}");
    }
}

#[test]
fn yes_and_the_letters_of_a_visit_never_touch_consent() {
    let reader = reader();
    for text in
        ["YES", "yes", "C", "R", "X", "c", "x", "1", "2", "3", "sí", "是", "да", "نعم", "হ্যাঁ", "wi", "tak", "oui", "NO", "ok"]
    {
        assert_eq!(reader.intent(text), Intent::None, "{text}");
    }
}

#[test]
fn every_carrier_word_stops_in_any_case_and_punctuation() {
    let reader = reader();
    for word in [
        "STOP",
        "STOPALL",
        "UNSUBSCRIBE",
        "CANCEL",
        "END",
        "QUIT",
        "REVOKE",
        "OPTOUT",
        "OPT OUT",
        "OPT-OUT",
        "REMOVE",
        "TD",
        "ARRET",
        "ARRÊT",
    ] {
        for text in [
            word.to_owned(),
            word.to_lowercase(),
            format!("  {word}. "),
            format!("{word}!!!"),
            format!("Please {word}"),
            format!("«{word}»"),
        ] {
            assert_eq!(reader.intent(&text), Intent::OptOut, "{text}");
        }
    }
}

#[test]
fn a_pack_with_a_missing_locale_is_refused() {
    let without_yiddish: Vec<(&str, &str)> = PACKS.into_iter().filter(|(file, _)| *file != "replies/yi.toml").collect();
    let faults = Reader::from_packs(&without_yiddish).expect_err("a fault").to_string();
    assert!(faults.contains("no pack names `yi`"), "{faults}");
}

#[test]
fn the_version_changes_with_a_word() {
    let mut packs = PACKS.map(|(file, text)| (file, text.to_owned()));
    packs[0].1 = packs[0].1.replacen("\"stop\"", "\"stop\", \"stoppp off\"", 1);
    let changed: Vec<(&str, &str)> = packs.iter().map(|(file, text)| (*file, text.as_str())).collect();
    let changed = Reader::from_packs(&changed).expect("sound packs");
    assert_ne!(changed.version(), reader().version());
    assert_eq!(reader().version(), reader().version());
}

/// What any question can expect.
fn questions() -> Vec<Expects> {
    let options = vec!["well".to_owned(), "so-so".to_owned(), "unwell".to_owned(), String::new()];
    let mut all = vec![
        Expects::YesNo,
        Expects::Scale { min: 0, max: 10 },
        Expects::Choice { options },
        Expects::BloodPressure,
        Expects::Visit,
        Expects::Text,
    ];
    all.extend(Unit::ALL.map(|unit| Expects::Number { unit, min: 0.0, max: 100.0 }));
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_without_panic(text in any::<String>(), lang in 0..Lang::ALL.len()) {
        read_all(&text, Lang::ALL[lang]);
    }

    #[test]
    fn any_mixture_of_known_pieces_is_read_without_panic(
        pieces in proptest::collection::vec(prop_oneof![
            Just("stop"), Just("don't"), Just("text"), Just("7"), Just("/"), Just("120/80"), Just("."), Just(", "), Just("百"), Just("十"), Just("و"),
            Just("ونص"), Just("point"), Just("out of"), Just("10"), Just("-"), Just("lb"), Just("ninety"), Just("hundred"), Just("yes"), Just("no"), Just("½"),
            Just("👍"), Just("９"), Just("٫٤"), Just("99999999999999999999999"), Just("1.2.3"), Just("\u{200F}"), Just("নয়"), Just("네"),
        ], 0..12),
        spaced in any::<bool>(),
        lang in 0..Lang::ALL.len(),
    ) {
        read_all(&pieces.join(if spaced { " " } else { "" }), Lang::ALL[lang]);
    }

    #[test]
    fn a_weight_with_a_decimal_is_read_back_exactly(tenths in 500_u32..7000) {
        let text = format!("{}.{}", tenths / 10, tenths % 10);
        let lb = Expects::Number { unit: Unit::Lb, min: 50.0, max: 700.0 };
        let value: f64 = text.parse().expect("a number");
        for written in [text.clone(), text.replace('.', ","), format!("{text} lbs"), format!("weight: {text} today")] {
            let answer = SHARED.with(|reader| reader.answer(&written, &lb, Lang::En));
            prop_assert!(matches!(answer, Some(Answer::Number { value: v, plausible: true, .. }) if (v - value).abs() < 1e-9), "{}", written);
        }
    }

    #[test]
    fn systolic_and_diastolic_are_never_swapped(systolic in 50_u16..=300, diastolic in 20_u16..=200) {
        let answer = SHARED.with(|reader| reader.answer(&format!("{systolic}/{diastolic}"), &Expects::BloodPressure, Lang::Ht));
        let wanted = (systolic > diastolic).then_some(Answer::BloodPressure { systolic, diastolic });
        prop_assert_eq!(answer, wanted);
    }
}

thread_local! {
    static SHARED: Reader = reader();
}

fn read_all(text: &str, lang: Lang) {
    SHARED.with(|reader| {
        let asked = reader.intent(text);
        assert!(!reader.courtesy(text) || asked != Intent::OptOut, "{text:?} is a courtesy and a revocation");
        for expects in questions() {
            if let Some(answer) = reader.answer(text, &expects, lang) {
                let stored = answer.value();
                assert!(!matches!(answer, Answer::Number { plausible: false, .. }) || stored.is_none(), "{text:?}");
            }
        }
    });
}
