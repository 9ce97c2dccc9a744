//! Stories of replies, and properties that hold for any text.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::eval;
use super::{Context, READER_PACK, Triage, Verdict};
use crate::document::Faults;
use crate::model::{Category, Severity};

const KEPT_EMERGENCIES: usize = 890;
const KEPT_URGENT: usize = 900;
const KEPT_FALSE_URGENT: usize = 480;

static TRIAGE: LazyLock<Triage> = LazyLock::new(|| Triage::embedded().expect("the packs of the program prove themselves"));

fn assess(text: &str) -> Verdict {
    TRIAGE.assess(text, &Context::default())
}

fn severity(text: &str) -> Severity {
    assess(text).severity
}

#[test]
fn a_life_in_danger_is_an_emergency_in_any_language_and_spelling() {
    for text in [
        "my chest hurts and I can't breathe",
        "quiero morir",
        "Me duele el pecho y no puedo respirar bien desde esta mañana",
        "182 y no puedo respirar ni sentado",
        "অনেক রক্ত যাচ্ছে, থামছে না",
        "עס דריקט מיר אויפן הארץ, איך קען נישט כאפן דעם אטעם",
        "Сегодня меня не станет, больше не пишите",
        "took way 2 much cant keep my eyes open",
        "lestomak mwen fè m mal, m pa ka respire",
        "non riesco a respirare",
        "my baby isn't breathing",
        "cousin wont wake up lips blue",
        "saans nahi aa rahi",
        "honth neele",
        "I don't want to live",
        "我不想活了",
        "숨이안쉬어져요",
        "مش قادر اتنفس",
    ] {
        assert_eq!(severity(text), Severity::Emergency, "{text}: {:?}", assess(text).because);
        assert!(TRIAGE.red_flag(text), "{text}");
    }
}

#[test]
fn what_must_be_seen_the_same_day_is_urgent() {
    for (text, category) in [
        ("pharmacy wont fill my insulin, been out since last nite", Category::Medication),
        ("আমার ইনসুলিন গতকাল শেষ হয়ে গেছে।", Category::Medication),
        ("désolée, plus de comprimés depuis lundi", Category::Medication),
        ("used again last nite. scared ill do more", Category::SubstanceUse),
        ("lost my bed nowhere 2 sleep tonite", Category::SocialNeed),
    ] {
        let verdict = assess(text);
        assert!(verdict.severity >= Severity::Urgent, "{text}: {:?}", verdict.because);
        assert!(verdict.categories.contains(&category), "{text}: {:?}", verdict.categories);
    }
}

#[test]
fn a_symptom_that_can_wait_is_routine_and_never_lost() {
    for text in ["gorzej, flegma zielona", "لا أستطيع التوقف عن السعال"] {
        assert!(severity(text) >= Severity::Routine, "{text}: {:?}", assess(text).because);
    }
}

#[test]
fn idioms_denials_conditions_and_numbers_are_nothing() {
    for text in [
        "180.4",
        "C",
        "1",
        "ok thanks",
        "stop by tomorrow?",
        "👍",
        "this heat is killing me",
        "no chest pain",
        "no me duele el pecho",
        "I could die laughing",
        "so if i get chest pain i call 911 right?",
        "No hay nada mejor que un café",
        "笑死我了",
        "хочу есть умираю, сегодня умираю со смеху",
    ] {
        assert_eq!(severity(text), Severity::None, "{text}: {:?}", assess(text).because);
    }
}

#[test]
fn a_denial_ends_with_its_sentence() {
    assert_eq!(severity("no. chest pain 10/10"), Severity::Emergency);
    assert_eq!(severity("no fever but my chest hurts"), Severity::Emergency);
}

#[test]
fn what_cannot_be_read_goes_to_a_person_and_a_sign_does_not() {
    for text in ["", "   ", "\u{200b}", "สวัสดีครับ", "\u{fffd}\u{fffd}\u{fffd}", "..."] {
        let verdict = assess(text);
        assert_eq!(
            (verdict.severity, verdict.categories.as_slice()),
            (Severity::Routine, [Category::NotUnderstood].as_slice()),
            "{text}"
        );
    }
    for text in ["?", "+", "-", "7", "🙏"] {
        assert_eq!(severity(text), Severity::None, "{text}");
    }
}

#[test]
fn fragments_of_one_thought_are_read_together_and_an_old_text_alone_does_not_fire_again() {
    let previous = ["my chest".to_owned()];
    let cx = Context { previous: &previous, ..Context::default() };
    assert_eq!(TRIAGE.assess("hurts so bad", &cx).severity, Severity::Emergency);
    let previous = ["my chest hurts".to_owned()];
    let cx = Context { previous: &previous, ..Context::default() };
    assert_eq!(TRIAGE.assess("ok thanks", &cx).severity, Severity::None);
}

#[test]
fn a_bad_answer_counts_only_where_it_was_asked_for() {
    let asked = Context { question: Some("wellbeing"), ..Context::default() };
    assert_eq!(TRIAGE.assess("terrible", &asked).severity, Severity::Routine);
    assert_eq!(severity("terrible"), Severity::None);
}

#[test]
fn the_same_word_means_what_was_asked() {
    let answer = |question, text| TRIAGE.assess(text, &Context { question: Some(question), ..Context::default() }).severity;
    for yes in ["yes", "sí", "да", "네", "ہاں", "نعم", "wi"] {
        assert_eq!(answer("harm_thoughts", yes), Severity::Emergency, "{yes}");
        assert_eq!(severity(yes), Severity::None, "{yes} to nobody's question");
    }
    assert_eq!(answer("harm_thoughts", "no"), Severity::None);
    assert!(answer("mood", "0") >= Severity::Urgent);
    assert_eq!(answer("mood", "8"), Severity::None);
    assert_eq!(answer("weight", "180.4"), Severity::None);
    assert!(answer("adherence", "took all of them at once") >= Severity::Urgent);
}

#[test]
fn a_reply_split_over_three_texts_is_read_as_one() {
    let previous = ["i wrote".to_owned(), "everybody a letter and gave away".to_owned()];
    let verdict = TRIAGE.assess("my dog. tonight is the night, goodbye", &Context { previous: &previous, ..Context::default() });
    assert!(verdict.severity >= Severity::Urgent, "{:?}", verdict.because);
}

#[test]
fn the_statistical_reader_raises_what_no_rule_knows_and_says_what_it_heard() {
    let text = "feed my cat after saturday, key is under the mat. i wont be needing it";
    let verdict = assess(text);
    let heard = verdict.because.iter().find(|f| f.pack == READER_PACK).expect("the reader's finding");
    assert!(verdict.severity >= Severity::Urgent && heard.severity == verdict.severity, "{:?}", verdict.because);
    assert!(heard.sentence.starts_with("Reads like ") && !heard.matched.is_empty(), "{heard:?}");
    let rules = Triage::rules().expect("packs");
    assert!(rules.assess(text, &Context::default()).severity < Severity::Urgent, "a rule knows it by now: take another example");
}

#[test]
fn a_hard_rule_is_never_lowered_and_a_soft_one_stays_in_sight() {
    let rules = Triage::rules().expect("packs");
    let cases = eval::read("triage.jsonl", include_str!("../../tests/data/triage.jsonl")).expect("cases");
    for case in &cases {
        let (alone, together) = (case.verdict(&rules), case.verdict(&TRIAGE));
        let hard = alone.because.iter().filter(|f| !f.soft).map(|f| f.severity).max().unwrap_or(Severity::None);
        assert!(together.severity >= hard, "{}: {:?}", case.id, together.because);
        assert!(together.severity >= alone.severity.min(Severity::Routine), "{}: {:?}", case.id, together.because);
    }
}

#[test]
fn what_people_answer_every_day_raises_nothing() {
    let everyday = [
        "yes see you then",
        "see you tomorrow at 3",
        "ok gracias, nos vemos mañana",
        "si, alli estare mañana",
        "да, буду завтра в три",
        "weight 181.6 this morning",
        "took my water pill with lunch",
    ];
    for text in everyday {
        assert_eq!(assess(text).severity, Severity::None, "{text}: {:?}", assess(text).because);
    }
}

#[test]
fn what_was_kept_apart_is_caught_no_worse_than_it_was() {
    let mut cases = Vec::new();
    for lang in ["ar", "bn", "en", "es", "fr", "ht", "it", "ko", "pl", "ru", "ur", "yi", "zh"] {
        let file = format!("{}/config/triage/kept/{lang}.jsonl", env!("CARGO_MANIFEST_DIR"));
        cases.extend(eval::read(&file, &std::fs::read_to_string(&file).expect("a file of the project")).expect("cases"));
    }
    let all = eval::measure(&TRIAGE, &cases).all;
    let per_mille = |part: eval::Part| part.hits * 1000 / part.of;
    // The floor that a change of packs or model must not fall below; docs/triage.md has the figures.
    assert!(per_mille(all.emergencies) >= KEPT_EMERGENCIES, "{all:?}");
    assert!(per_mille(all.urgent) >= KEPT_URGENT, "{all:?}");
    assert!(per_mille(all.false_urgent) <= KEPT_FALSE_URGENT, "{all:?}");
}

#[test]
fn haste_changes_few_verdicts_and_no_emergency_falls_below_urgent() {
    let cases = eval::read("triage.jsonl", include_str!("../../tests/data/triage.jsonl")).expect("cases");
    let haste: [fn(&str) -> String; 5] = [
        |text| text.to_uppercase(),
        |text| text.replace(' ', "   "),
        |text| format!("{text}!!"),
        |text| format!("{text} 🙏"),
        |text| text.replace(['\'', '’'], ""),
    ];
    let (mut changed, mut all) = (0, 0);
    for case in &cases {
        let before = case.verdict(&TRIAGE).severity;
        for noise in haste {
            let after = eval::Case { text: noise(&case.text), ..case.clone() }.verdict(&TRIAGE).severity;
            all += 1;
            changed += usize::from(after != before);
            assert!(before < Severity::Emergency || after >= Severity::Urgent, "{}: {after:?}", case.id);
        }
    }
    assert!(changed * 50 < all, "{changed} of {all} verdicts changed");
}

#[test]
fn an_emoji_or_an_exclamation_mark_hides_no_cry_for_help() {
    let text = "feed my cat after saturday, key is under the mat. i wont be needing it";
    for end in ["!", "!!!", " 🙏", " ❤️❤️", "👍"] {
        assert!(severity(&format!("{text}{end}")) >= Severity::Urgent, "{end}");
    }
}

#[test]
fn ten_thousand_characters_of_anything_get_a_verdict() {
    for piece in ["my chest hurts and ", "a", "no ", "ا", "我", "숨이", "🙏", "1.", "e\u{301}"] {
        let verdict = assess(&piece.repeat(10_000 / piece.chars().count()));
        assert_eq!(verdict.severity, verdict.because.iter().map(|f| f.severity).max().unwrap_or(Severity::None), "{piece}");
    }
}

#[test]
fn the_headline_joins_the_worst_findings_and_a_verdict_survives_storage() {
    let verdict = assess("my chest hurts and I can't breathe");
    assert_eq!(verdict.headline(), "Chest pain or pressure; trouble breathing");
    assert_eq!(assess("ok").headline(), "");
    let stored = serde_json::to_string(&verdict).expect("text");
    assert_eq!(serde_json::from_str::<Verdict>(&stored).expect("a verdict"), verdict);
}

#[test]
fn the_labelled_replies_are_caught_and_no_harmless_one_is_raised() {
    let cases = eval::read("triage.jsonl", include_str!("../../tests/data/triage.jsonl")).expect("cases");
    let report = eval::measure(&TRIAGE, &cases);
    assert_eq!(report.by_lang.len(), 13, "every language is measured");
    for (lang, scores) in &report.by_lang {
        assert!(scores.emergencies.of >= 4 && scores.false_urgent.of >= 2, "{lang} has too few cases");
        assert_eq!(scores.emergencies.hits, scores.emergencies.of, "{lang}: an emergency is missed\n{report}");
        assert_eq!(scores.urgent.hits, scores.urgent.of, "{lang}: an urgent reply is missed\n{report}");
        assert_eq!(scores.false_urgent.hits, 0, "{lang}: a harmless reply is raised\n{report}");
    }
}

#[test]
fn a_rule_that_breaks_its_promise_is_a_fault_at_the_example() {
    let pack = "pack = \"x\"\nversion = 1\nstatus = \"draft\"\n[[concept]]\nid = \"c\"\nphrases = [\"fire\"]\n[[rule]]\nid = \"r\"\n\
        severity = \"urgent\"\ncategory = \"symptom\"\nsentence = \"Fire\"\nany = [\"c\"]\nexamples = [\"smoke\"]\ncounterexamples = [\"a fire drill\"]\n";
    let Faults(faults) = Triage::from_packs([("x.toml".to_owned(), pack.to_owned())].into_iter()).expect_err("two faults");
    let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "x.toml:13:13: the rule `r` does not catch its example `smoke`",
            "x.toml:14:20: the rule `r` catches its counterexample `a fire drill`"
        ]
    );
}

#[test]
fn the_version_changes_with_the_packs_and_not_with_their_order() {
    let pack = |sentence: &str| {
        format!(
            "pack = \"x\"\nversion = 1\nstatus = \"draft\"\n[[concept]]\nid = \"c\"\nphrases = [\"fire\"]\n[[rule]]\nid = \"r\"\n\
             severity = \"urgent\"\ncategory = \"symptom\"\nsentence = \"{sentence}\"\nany = [\"c\"]\n"
        )
    };
    let version = |packs: Vec<(&str, String)>| {
        let packs = packs.into_iter().map(|(file, toml)| (file.to_owned(), toml));
        Triage::from_packs(packs).expect("packs").version().to_owned()
    };
    let forth = version(vec![("a", pack("Fire")), ("b", pack("Smoke"))]);
    assert_eq!(forth, version(vec![("b", pack("Smoke")), ("a", pack("Fire"))]));
    assert_ne!(forth, version(vec![("a", pack("Fire")), ("b", pack("Flood"))]));
    assert_eq!(forth.len(), 12);
}

const EMERGENCIES: [&str; 6] = [
    "my chest hurts and I can't breathe",
    "no puedo respirar",
    "я не хочу жить",
    "m pa ka respire",
    "nie moge oddychac",
    "je veux mourir",
];

proptest! {
    #[test]
    fn any_text_at_all_gets_a_verdict(text in "\\PC{0,200}", previous in proptest::collection::vec("\\PC{0,60}", 0..3)) {
        let cx = Context { previous: &previous, ..Context::default() };
        let verdict = TRIAGE.assess(&text, &cx);
        prop_assert_eq!(verdict.severity, verdict.because.iter().map(|f| f.severity).max().unwrap_or(Severity::None));
        let _any = TRIAGE.red_flag(&text);
    }

    #[test]
    fn any_bytes_read_leniently_get_a_verdict(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let text = String::from_utf8_lossy(&bytes);
        let verdict = TRIAGE.assess(&text, &Context::default());
        prop_assert!(verdict.severity >= Severity::None);
    }

    #[test]
    fn a_red_flag_in_a_sentence_of_its_own_never_lowers_a_verdict(text in "[a-z ,.!?0-9áéñжיাب]{0,80}", which in 0..EMERGENCIES.len()) {
        let more = format!("{text}. {}", EMERGENCIES[which]);
        prop_assert!(severity(&more) >= severity(&text));
        prop_assert_eq!(severity(&more), Severity::Emergency);
    }

    #[test]
    fn upper_case_and_spaces_do_not_hide_an_emergency(which in 0..EMERGENCIES.len(), spaces in 1_usize..5) {
        let text = EMERGENCIES[which].to_uppercase().replace(' ', &" ".repeat(spaces));
        prop_assert_eq!(severity(&text), Severity::Emergency);
    }

    #[test]
    fn a_red_flag_is_seen_wherever_the_verdict_is_urgent(which in 0..EMERGENCIES.len(), text in "[a-z ,.]{0,40}") {
        let text = format!("{text} {}", EMERGENCIES[which]);
        if severity(&text) >= Severity::Urgent {
            prop_assert!(TRIAGE.red_flag(&text));
        }
    }
}
