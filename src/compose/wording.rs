//! The messages as patients get them, in every language: whole, short enough, and silent where they must be.

use std::collections::BTreeSet;

use super::{Arg, Args, Catalogue, Encoding, Style, segments};
use crate::clock::Time;
use crate::model::{Class, Lang};
use crate::zone::Zone;

/// As long as a bot's name can make it.
const LINK: &str = "https://t.me/harbor_street_light_of_the_porch_bot?start=00000000000000000000000000";
const ZONE: &str = "America/New_York";

fn catalogue() -> Catalogue {
    Catalogue::embedded().unwrap_or_else(|faults| panic!("{faults}"))
}

/// A Wednesday in September at 12:45: long names in most languages.
fn moment(hour: i8) -> Time {
    let zone: Zone = ZONE.parse().expect("a zone");
    zone.instant(jiff::civil::date(2026, 9, 23), jiff::civil::time(hour, 45, 0, 0)).expect("a time")
}

/// A realistic and rather long value for every argument.
fn args(staffed: &str) -> Args {
    Args::new()
        .with("clinic", "Harbor Street Health")
        .with("emergency", "911")
        .with("goal", "walk 20 minutes a day")
        .with("lifeline", "988")
        .with("link", LINK)
        .with("max", 10.0)
        .with("min", 0.0)
        .with("name", "Guadalupe")
        .with("phone", "(718) 555-0117")
        .with("staffed", staffed)
        .with("unit", "lb")
        .with("value", 182.4)
        .with("who", "Priya Raman")
        .when("by", moment(12), ZONE, Style::DateTime)
        .when("opens", moment(10), ZONE, Style::DateTime)
        .when("when", moment(12), ZONE, Style::DateTime)
}

fn text(catalogue: &Catalogue, lang: Lang, key: &str, args: &Args) -> String {
    let rendered = catalogue.render(lang, key, args).unwrap_or_else(|e| panic!("{lang}: {e}"));
    assert_eq!(rendered.lang, lang, "{key}");
    rendered.text.into_inner()
}

/// What a message is sent as; `None` for parts of others.
fn class(key: &str) -> Option<Class> {
    let whole = key.strip_suffix("-discreet").unwrap_or(key);
    Some(match whole {
        "by-when" | "crisis-person" | "unit-name" | "unit-short" => return None,
        // Buttons.
        _ if whole.starts_with("choice-") => return None,
        "crisis" | "crisis-medical" | "crisis-self-harm" => Class::Crisis,
        "stop-confirmation" | "start-confirmation" | "help" | "link-welcome" => Class::Consent,
        "visit-reminder" => Class::Reminder,
        "weight-question" | "goal-question" | "goal-why" | "goal-keep" | "wellbeing-question" | "visit-follow-why" => {
            Class::Question
        }
        _ => Class::Answer,
    })
}

#[test]
fn every_message_is_whole_in_every_language_with_the_same_arguments() {
    let catalogue = catalogue();
    let keys = catalogue.keys();
    for lang in Lang::ALL {
        assert_eq!(catalogue.missing(lang, keys.iter().copied()), [""; 0], "{lang}");
        for key in &keys {
            assert_eq!(catalogue.arguments(lang, key), catalogue.arguments(Lang::En, key), "{lang}: {key}");
            for staffed in ["yes", "no"] {
                let text = text(&catalogue, lang, key, &args(staffed));
                assert!(!text.contains(['{', '}', '$', '\u{2068}', '\u{2069}']), "{lang}: {key}: {text}");
                assert!(!text.contains("..") && !text.contains("  ") && text.trim() == text, "{lang}: {key}: {text}");
            }
        }
    }
}

#[test]
fn every_message_that_others_rely_on_is_there_with_its_arguments() {
    let catalogue = catalogue();
    let wanted: &[(&str, &str)] = &[
        ("crisis-medical", "by emergency opens staffed who"),
        ("crisis-self-harm", "by emergency lifeline opens staffed who"),
        ("crisis-discreet", "emergency opens staffed"),
        ("urgent-received", "by emergency"),
        ("urgent-received-discreet", "by emergency"),
        ("person-will-read", "by"),
        ("stop-confirmation", "clinic"),
        ("stop-confirmation-discreet", ""),
        ("start-confirmation", "clinic"),
        ("start-confirmation-discreet", ""),
        ("help", "clinic phone"),
        ("help-discreet", "phone"),
        ("reask-yes-no", ""),
        ("reask-number", "unit"),
        ("reask-scale", "max min"),
        ("reask-choice", "max"),
        ("reask-visit", ""),
        ("unknown-sender", "emergency phone"),
        ("link-invite", "clinic link"),
        ("link-invite-discreet", "link"),
        ("link-welcome", "clinic"),
        ("link-welcome-discreet", ""),
        ("link-over", "phone"),
        ("choice-confirm", ""),
        ("choice-reschedule", ""),
        ("choice-cant-come", ""),
        ("choice-yes", ""),
        ("choice-no", ""),
        ("answer-thanks", ""),
        ("reading-thanks", "unit value"),
        ("visit-reminder", "clinic when"),
        ("visit-reminder-discreet", "when"),
        ("visit-confirmed", "when"),
        ("visit-reschedule", "by"),
        ("visit-cant-come", "by"),
        ("visit-follow-why", ""),
        ("weight-question", "name unit"),
        ("weight-question-discreet", ""),
        ("goal-question", "goal name"),
        ("goal-question-discreet", ""),
        ("goal-why", ""),
        ("goal-keep", ""),
        ("goal-noted", ""),
        ("goal-well-done", ""),
        ("wellbeing-question", "name"),
        ("wellbeing-question-discreet", ""),
    ];
    for (key, arguments) in wanted {
        assert!(catalogue.has(Lang::En, key), "{key}");
        assert_eq!(catalogue.arguments(Lang::En, key).into_iter().collect::<Vec<_>>().join(" "), *arguments, "{key}");
    }
}

#[test]
fn every_message_keeps_to_its_budget_of_segments() {
    let catalogue = catalogue();
    let mut over = Vec::new();
    for lang in Lang::ALL {
        for key in catalogue.keys() {
            let Some(class) = class(key) else { continue };
            for staffed in ["yes", "no"] {
                let text = text(&catalogue, lang, key, &args(staffed));
                let segments = segments(&text);
                if !segments.within(class.segment_budget()) {
                    over.push(format!("{lang} {key}: {segments:?}, {} units: {text}", text.encode_utf16().count()));
                }
            }
        }
    }
    assert!(over.is_empty(), "{}", over.join("\n"));
}

#[test]
fn a_reminder_keeps_to_its_budget_on_every_day_of_the_year() {
    let catalogue = catalogue();
    let zone: Zone = ZONE.parse().expect("a zone");
    for lang in Lang::ALL {
        for day in 0..365 {
            let date = jiff::civil::date(2026, 11, 1).saturating_add(jiff::Span::new().days(day));
            let at = zone.instant(date, jiff::civil::time(12, 45, 0, 0)).expect("a time");
            let text = text(&catalogue, lang, "visit-reminder", &args("yes").when("when", at, ZONE, Style::DateTime));
            assert!(segments(&text).within(Class::Reminder.segment_budget()), "{lang}: {text}");
        }
    }
}

#[test]
fn english_and_haitian_and_italian_reminders_stay_in_one_gsm_segment() {
    let catalogue = catalogue();
    for lang in [Lang::En, Lang::Ht, Lang::It] {
        let segments = segments(&text(&catalogue, lang, "visit-reminder", &args("yes")));
        assert_eq!((segments.encoding, segments.count), (Encoding::Gsm7, 1), "{lang}");
    }
}

#[test]
fn a_discreet_message_names_no_clinic_person_or_topic() {
    let catalogue = catalogue();
    let telling = |lang| match lang {
        Lang::En => "clinic health doctor nurse hospital medic patient weight goal danger crisis",
        Lang::Es => "clínic salud médic doctor enferm hospital paciente peso meta peligro crisis",
        Lang::ZhHans => "诊所 健康 医 病 护士 药 体重 目标 危险",
        Lang::ZhHant => "診所 健康 醫 病 護士 藥 體重 目標 危險",
        Lang::Ru => "клиник здоров врач медиц больн пациент лекарств вес цел опасн",
        Lang::Yi => "קליניק געזונט דאקטאר שפיטאל מעדיצין פאציענט וועגט ציל סכנה",
        Lang::Bn => "ক্লিনিক স্বাস্থ্য ডাক্তার হাসপাতাল ওষুধ রোগী ওজন লক্ষ্য বিপদ",
        Lang::Ko => "병원 의원 건강 의사 간호 진료 환자 몸무게 목표 위험",
        Lang::Ht => "klinik sante doktè lopital medikaman pasyan peze objektif danje",
        Lang::It => "clinic salute medic dottor ospedal pazient peso obiettivo pericolo",
        Lang::Ar => "عيادة صحة صحي طبيب مستشفى دواء مريض وزن هدف خطر",
        Lang::Pl => "klinik przychodni zdrow lekarz szpital pacjent waga cel niebezpiecz",
        Lang::Fr => "cliniq santé médec docteur hôpital patient poids objectif danger",
        Lang::Ur => "کلینک صحت ڈاکٹر ہسپتال دوا مریض وزن ہدف خطر",
    };
    // Sent only to people whose contact is not discreet, or whom nobody knows; and the parts of other messages.
    let never_discreet = ["unknown-sender", "by-when", "crisis-person", "unit-name", "unit-short"];
    for key in catalogue.keys().into_iter().filter(|key| !never_discreet.contains(key)) {
        let discreet = catalogue.discreet(key);
        let allowed: BTreeSet<&str> = catalogue.arguments(Lang::En, key);
        for lang in Lang::ALL {
            let needs = catalogue.arguments(lang, &discreet);
            assert!(needs.is_subset(&allowed), "{lang}: {discreet} needs more than {key} was given");
            for private in ["clinic", "name", "who", "lifeline", "goal", "unit", "value"] {
                assert!(!needs.contains(private), "{lang}: {discreet} says ${private}");
            }
            for staffed in ["yes", "no"] {
                let text = text(&catalogue, lang, &discreet, &args(staffed)).to_lowercase();
                let told: Vec<&str> = telling(lang).split(' ').filter(|word| text.contains(word)).collect();
                assert!(told.is_empty(), "{lang}: {discreet} says {told:?}: {text}");
            }
        }
    }
}

#[test]
fn a_crisis_reply_has_the_number_first_and_promises_only_a_time_that_is_staffed() {
    let catalogue = catalogue();
    for lang in Lang::ALL {
        for key in ["crisis-medical", "crisis-self-harm"] {
            let staffed = text(&catalogue, lang, key, &args("yes"));
            let emergency = staffed.find("911").unwrap_or_else(|| panic!("{lang}: {key}"));
            let who = staffed.find("Priya Raman").unwrap_or_else(|| panic!("{lang}: {key}"));
            assert!(emergency < who && emergency > 0, "{lang}: {key}: the acknowledgement, then the number, then the person");
            assert!(staffed.contains(":45"), "{lang}: {key}: the time by which it is read");
            let closed = text(&catalogue, lang, key, &args("no"));
            assert!(closed.contains("911") && !closed.contains("Priya"), "{lang}: {key}: {closed}");
            let one_moment = args("no").0.into_iter().filter(|(name, _)| name != "by" && name != "who").collect();
            assert_eq!(text(&catalogue, lang, key, &Args(one_moment)), closed, "{lang}: {key} needs no promise when closed");
            assert_eq!(text(&catalogue, lang, key, &args("perhaps")), closed, "{lang}: {key}: in doubt no promise");
        }
        assert_eq!(text(&catalogue, lang, "crisis-self-harm", &args("yes")).matches("988").count(), 1, "{lang}");
        assert!(!text(&catalogue, lang, "crisis-medical", &args("yes")).contains("988"), "{lang}");
        for key in ["crisis-discreet", "urgent-received", "urgent-received-discreet", "unknown-sender"] {
            assert!(text(&catalogue, lang, key, &args("yes")).contains("911"), "{lang}: {key}");
        }
        for key in ["crisis-medical", "crisis-self-harm"] {
            let discreet = text(&catalogue, lang, &catalogue.discreet(key), &args("yes"));
            assert_eq!(discreet, text(&catalogue, lang, "crisis-discreet", &args("yes")), "{lang}");
        }
    }
}

#[test]
fn a_crisis_reply_says_that_a_person_was_told_only_when_somebody_was() {
    let catalogue = catalogue();
    let told = |lang| match lang {
        Lang::En => "told",
        Lang::Es => "aviso|avisamos",
        Lang::ZhHans | Lang::ZhHant => "已通知",
        Lang::Ru => "уже знает",
        Lang::Yi => "געמאלדן פאר|ווייסט שוין",
        Lang::Bn => "জানানো হয়েছে",
        Lang::Ko => "에게 알렸",
        Lang::Ht => "okouran",
        Lang::It => "avvisato|sa già",
        Lang::Ar => "تم إبلاغ",
        Lang::Pl => "już o tym wie",
        Lang::Fr => "a l'information",
        Lang::Ur => "بتا دیا گیا",
    };
    for lang in Lang::ALL {
        for key in ["crisis-medical", "crisis-self-harm", "crisis-discreet"] {
            let of = |staffed: &str| text(&catalogue, lang, key, &args(staffed));
            let says = |text: &str| told(lang).split('|').any(|word| text.contains(word));
            let (staffed, closed) = (of("yes"), of("no"));
            assert!(says(&staffed), "{lang}: {key}: {staffed}");
            assert!(!says(&closed), "{lang}: {key} claims that somebody was told: {closed}");
            assert_eq!(of("perhaps"), closed, "{lang}: {key}: in doubt nobody was told");
            let opens = closed.find("10:45").unwrap_or_else(|| panic!("{lang}: {key}: from when it is read: {closed}"));
            assert!(closed.find("911").is_some_and(|number| number < opens), "{lang}: {key}: the number comes first");
            assert!(!staffed.contains("10:45"), "{lang}: {key}: {staffed}");
        }
    }
}

#[test]
fn a_crisis_reply_keeps_to_its_budget_whenever_the_next_opening_is() {
    let catalogue = catalogue();
    let zone: Zone = ZONE.parse().expect("a zone");
    for lang in Lang::ALL {
        for day in 0..365 {
            let date = jiff::civil::date(2026, 11, 1).saturating_add(jiff::Span::new().days(day));
            let at = zone.instant(date, jiff::civil::time(12, 45, 0, 0)).expect("a time");
            for key in ["crisis-medical", "crisis-self-harm", "crisis-discreet"] {
                let text = text(&catalogue, lang, key, &args("no").when("opens", at, ZONE, Style::DateTime));
                assert!(segments(&text).within(Class::Crisis.segment_budget()), "{lang}: {key}: {text}");
            }
        }
    }
}

#[test]
fn the_lifeline_takes_texts_in_english_and_spanish_and_has_interpreters_in_the_others() {
    let catalogue = catalogue();
    let of = |lang| text(&catalogue, lang, "crisis-self-harm", &args("yes"));
    assert!(of(Lang::En).contains("call or text 988"));
    assert!(of(Lang::Es).contains("llamar al 988") && of(Lang::Es).contains("texto") && of(Lang::Es).contains("AYUDA"));
    let spoken = [
        (Lang::ZhHans, "Mandarin"),
        (Lang::ZhHant, "Cantonese"),
        (Lang::Ru, "Russian"),
        (Lang::Yi, "Yiddish"),
        (Lang::Bn, "Bengali"),
        (Lang::Ko, "Korean"),
        (Lang::Ht, "Haitian Creole"),
        (Lang::It, "Italian"),
        (Lang::Ar, "Arabic"),
        (Lang::Pl, "Polish"),
        (Lang::Fr, "French"),
        (Lang::Ur, "Urdu"),
    ];
    for (lang, name) in spoken {
        assert!(of(lang).contains(&format!("\"{name}\"")), "{lang}: which word to say");
    }
}

#[test]
fn stop_start_and_help_stand_in_latin_letters_with_the_local_word() {
    let catalogue = catalogue();
    let local = |lang| match lang {
        Lang::En => "STOP",
        Lang::Es => "ALTO",
        Lang::ZhHans | Lang::ZhHant => "停止",
        Lang::Ru => "СТОП",
        Lang::Yi => "סטאפ",
        Lang::Bn => "বন্ধ",
        Lang::Ko => "중지",
        Lang::Ht => "SISPANN",
        Lang::It => "BASTA",
        Lang::Ar => "توقف",
        Lang::Pl => "KONIEC",
        Lang::Fr => "ARRET",
        Lang::Ur => "بند",
    };
    for lang in Lang::ALL {
        let of = |key: &str| text(&catalogue, lang, key, &args("yes"));
        let all = [
            "help",
            "help-discreet",
            "start-confirmation",
            "start-confirmation-discreet",
            "link-welcome",
            "link-welcome-discreet",
        ];
        for key in all {
            assert!(of(key).contains("STOP") && of(key).contains(local(lang)), "{lang}: {key}");
        }
        for key in &all[2..] {
            assert!(of(key).contains("HELP"), "{lang}: {key}");
        }
        for key in ["stop-confirmation", "stop-confirmation-discreet"] {
            assert!(of(key).contains("START"), "{lang}: {key}");
        }
    }
}

#[test]
fn a_visit_is_answered_with_c_r_or_x_and_never_with_a_carriers_word() {
    let catalogue = catalogue();
    for lang in Lang::ALL {
        for key in ["visit-reminder", "visit-reminder-discreet", "reask-visit"] {
            let text = text(&catalogue, lang, key, &args("yes"));
            let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
            for letter in ["C", "R", "X"] {
                let told = text.contains(&format!("{letter} ")) || text.contains(&format!("{letter}:"));
                assert!(told, "{lang}: {key} lacks {letter}: {text}");
            }
            for word in ["CANCEL", "END", "QUIT", "YES", "STOP"] {
                assert!(!words.contains(&word), "{lang}: {key} offers {word}");
            }
        }
    }
}

#[test]
fn numbers_to_reply_with_are_the_digits_that_the_message_shows() {
    let catalogue = catalogue();
    for lang in Lang::ALL {
        for (key, digits) in
            [("goal-question", "123"), ("wellbeing-question", "123"), ("reask-choice", "1"), ("reask-scale", "01")]
        {
            let mut args = args("yes");
            args.0.insert("goal".to_owned(), Arg::from("walk"));
            let text = text(&catalogue, lang, key, &args);
            assert!(digits.chars().all(|digit| text.contains(digit)), "{lang}: {key}: {text}");
        }
        for key in ["goal-question-discreet", "wellbeing-question-discreet", "weight-question-discreet"] {
            let text = text(&catalogue, lang, key, &args("yes"));
            assert!(!text.contains(|c: char| c.is_numeric()), "{lang}: {key} shows a menu of digits: {text}");
        }
    }
}

#[test]
fn right_to_left_messages_begin_each_line_with_their_own_letters() {
    let catalogue = catalogue();
    let strong = |line: &str| line.chars().find(|c| c.is_alphabetic());
    for lang in Lang::ALL.into_iter().filter(|lang| lang.dir() == "rtl") {
        for key in catalogue.keys().into_iter().filter(|key| class(key).is_some()) {
            let text = text(&catalogue, lang, key, &args("yes"));
            for line in text.lines().filter(|line| !["Harbor Street Health", LINK].contains(line)) {
                assert!(strong(line).is_none_or(|c| !c.is_ascii()), "{lang}: {key}: {line}");
            }
        }
    }
}

#[test]
fn every_language_is_marked_as_a_draft() {
    let catalogue = catalogue();
    assert!(Lang::ALL.into_iter().all(|lang| catalogue.is_draft(lang)));
}

#[test]
fn a_question_with_options_shows_a_wording_of_each() {
    let catalogue = catalogue();
    for lang in Lang::ALL {
        for key in ["goal-question", "goal-question-discreet", "wellbeing-question", "wellbeing-question-discreet"] {
            let options = catalogue.options(lang, key);
            assert_eq!(options.len(), 3, "{lang}: {key}");
            let text = text(&catalogue, lang, key, &args("yes")).to_lowercase();
            for (n, option) in options.iter().enumerate() {
                let wordings: Vec<&str> = option.split('|').collect();
                let shown = wordings.iter().any(|word| text.contains(word));
                assert!(shown && wordings.iter().all(|word| !word.trim().is_empty()), "{lang}: {key}: {option}: {text}");
                let others = options.iter().enumerate().filter(|(m, _)| *m != n).flat_map(|(_, other)| other.split('|'));
                assert!(others.into_iter().all(|other| !wordings.contains(&other)), "{lang}: {key}: {option} twice");
            }
        }
        assert!(catalogue.options(lang, "visit-reminder").is_empty());
    }
}
