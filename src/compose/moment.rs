//! Dates and times in the patient's language and zone, for SMS.
//!
//! Invariants: the month is always a word or carries its sign (12月), never a bare number that could be the day;
//! digits are Western in every locale, because the same message asks for answers in them; no non-breaking or thin
//! space and no bidi control is in the text, as one of them makes an English SMS UCS-2; no year is said.
//!
//! Twelve locales come from CLDR by ICU4X, Spanish as in the United States (12-hour clock). ICU4X carries no data for
//! Yiddish and Haitian Creole and would quietly write "M12 3": they have tables here. Both are written with the
//! 12-hour clock that their readers in New York live by.

use icu::calendar::{Date, RangeError};
use icu::datetime::input::{DateTime, Time as Clock};
use icu::datetime::{DateTimeFormatter, DateTimeFormatterLoadError, NoCalendarFormatter, fieldsets};
use icu::locale::{Locale, ParseError};
use jiff::civil;

use super::Style;
use crate::clock::Time;
use crate::model::Lang;
use crate::zone::{UnknownZone, Zone};

/// Why a moment cannot be said.
#[derive(Debug, thiserror::Error)]
pub enum MomentError {
    /// The zone has no such name.
    #[error(transparent)]
    Zone(#[from] UnknownZone),
    /// The calendar has no such day or time.
    #[error("{0}")]
    Range(#[from] RangeError),
    /// The locale has no data. Never so for the locales of [`Lang`]; the tests say each of them.
    #[error("{0}")]
    Data(#[from] DateTimeFormatterLoadError),
    /// The locale has no valid tag. Never so for the locales of [`Lang`].
    #[error("{0}")]
    Tag(#[from] ParseError),
}

/// The moment in words, as the clocks and calendars of the IANA zone `zone` show it.
///
/// # Errors
/// An unknown zone, or a year that the calendar does not reach.
pub fn words(lang: Lang, at: Time, zone: &str, style: Style) -> Result<String, MomentError> {
    local_words(lang, zone.parse::<Zone>()?.local(at), style)
}

/// A local date and time in words: `Thu, Dec 3, 2:30 PM`.
///
/// # Errors
/// A year that the calendar does not reach.
pub fn local_words(lang: Lang, local: civil::DateTime, style: Style) -> Result<String, MomentError> {
    match tag(lang) {
        Source::Cldr(tag) => cldr(tag, local, style),
        Source::Own(table) => Ok(own(table, local, style)),
    }
}

/// Whether the hour that [`local_words`] shows is one: some languages have another article for it.
pub(super) fn says_one_o_clock(lang: Lang, local: civil::DateTime) -> bool {
    match lang {
        Lang::ZhHans | Lang::Ru | Lang::It | Lang::Pl | Lang::Fr => local.hour() == 1,
        Lang::En | Lang::Es | Lang::ZhHant | Lang::Yi | Lang::Bn | Lang::Ko | Lang::Ht | Lang::Ar | Lang::Ur => {
            local.hour() % 12 == 1
        }
    }
}

enum Source {
    /// A tag for ICU4X, with Western digits.
    Cldr(&'static str),
    Own(&'static Table),
}

const fn tag(lang: Lang) -> Source {
    match lang {
        Lang::En => Source::Cldr("en-US-u-nu-latn"),
        Lang::Es => Source::Cldr("es-US-u-nu-latn"),
        Lang::ZhHans => Source::Cldr("zh-Hans-u-nu-latn"),
        Lang::ZhHant => Source::Cldr("zh-Hant-u-nu-latn"),
        Lang::Ru => Source::Cldr("ru-u-nu-latn"),
        Lang::Yi => Source::Own(&YIDDISH),
        Lang::Bn => Source::Cldr("bn-u-nu-latn"),
        Lang::Ko => Source::Cldr("ko-u-nu-latn"),
        Lang::Ht => Source::Own(&HAITIAN),
        Lang::It => Source::Cldr("it-u-nu-latn"),
        Lang::Ar => Source::Cldr("ar-u-nu-latn"),
        Lang::Pl => Source::Cldr("pl-u-nu-latn"),
        Lang::Fr => Source::Cldr("fr-u-nu-latn"),
        Lang::Ur => Source::Cldr("ur-u-nu-latn"),
    }
}

fn cldr(tag: &str, local: civil::DateTime, style: Style) -> Result<String, MomentError> {
    let locale: Locale = tag.parse()?;
    let date = Date::try_new_iso(i32::from(local.year()), local.month().unsigned_abs(), local.day().unsigned_abs())?;
    let time = Clock::try_new(local.hour().unsigned_abs(), local.minute().unsigned_abs(), 0, 0)?;
    let text = match style {
        Style::Date => DateTimeFormatter::try_new(locale.into(), fieldsets::MDE::medium())?.format(&date).to_string(),
        Style::Time => NoCalendarFormatter::try_new(locale.into(), fieldsets::T::hm())?.format(&time).to_string(),
        Style::DateTime => DateTimeFormatter::try_new(locale.into(), fieldsets::MDE::medium().with_time_hm())?
            .format(&DateTime { date, time })
            .to_string(),
    };
    Ok(plain(&text))
}

/// Folds special spaces and drops bidi controls.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'))
        .map(|c| if matches!(c, '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{3000}') { ' ' } else { c })
        .collect()
}

struct Table {
    /// From Monday.
    weekdays: [&'static str; 7],
    months: [&'static str; 12],
    /// Between the weekday and the day.
    after_weekday: &'static str,
    /// Before noon and after it.
    halves: [&'static str; 2],
}

/// The unpointed spelling that is usual in Brooklyn and Rockland.
const YIDDISH: Table = Table {
    weekdays: ["מאנטאג", "דינסטאג", "מיטוואך", "דאנערשטאג", "פרייטאג", "שבת", "זונטאג"],
    months: [
        "יאנואר",
        "פעברואר",
        "מערץ",
        "אפריל",
        "מאי",
        "יוני",
        "יולי",
        "אויגוסט",
        "סעפטעמבער",
        "אקטאבער",
        "נאוועמבער",
        "דעצעמבער",
    ],
    after_weekday: ", ",
    halves: ["פארמיטאג", "נאכמיטאג"],
};

const HAITIAN: Table = Table {
    weekdays: ["lendi", "madi", "mèkredi", "jedi", "vandredi", "samdi", "dimanch"],
    months: ["janvye", "fevriye", "mas", "avril", "me", "jen", "jiyè", "out", "septanm", "oktòb", "novanm", "desanm"],
    after_weekday: " ",
    halves: ["AM", "PM"],
};

fn own(table: &Table, local: civil::DateTime, style: Style) -> String {
    let weekday = table.weekdays[usize::from(local.weekday().to_monday_zero_offset().unsigned_abs())];
    let month = table.months[usize::from(local.month().unsigned_abs()) - 1];
    let date = format!("{weekday}{}{} {month}", table.after_weekday, local.day());
    let hour = match local.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let time = format!("{hour}:{:02} {}", local.minute(), table.halves[usize::from(local.hour() >= 12)]);
    match style {
        Style::Date => date,
        Style::Time => time,
        Style::DateTime => format!("{date}, {time}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(lang: Lang, style: Style) -> String {
        local_words(lang, civil::date(2026, 12, 3).at(14, 30, 0, 0), style).expect("a text")
    }

    #[test]
    fn the_third_of_december_at_half_past_two_is_clear_in_every_language() {
        let said = Lang::ALL.map(|lang| (lang.tag(), say(lang, Style::DateTime)));
        let wanted = [
            ("en", "Thu, Dec 3, 2:30 PM"),
            ("es", "jue, 3 de dic, 2:30 p.m."),
            ("zh-Hans", "12月3日周四 14:30"),
            ("zh-Hant", "12月3日週四 下午2:30"),
            ("ru", "чт, 3 дек., 14:30"),
            ("yi", "דאנערשטאג, 3 דעצעמבער, 2:30 נאכמיטאג"),
            ("bn", "বৃহস্পতি 3 ডিসে, 2:30 PM"),
            ("ko", "12월 3일 (목) 오후 2:30"),
            ("ht", "jedi 3 desanm, 2:30 PM"),
            ("it", "gio 3 dic, 14:30"),
            ("ar", "الخميس، 3 ديسمبر، 2:30 م"),
            ("pl", "czw., 3 gru, 14:30"),
            ("fr", "jeu. 3 déc., 14:30"),
            ("ur", "جمعرات، 3 دسمبر، 2:30 PM"),
        ];
        assert_eq!(said, wanted.map(|(tag, text)| (tag, text.to_owned())));
    }

    #[test]
    fn a_date_alone_and_a_time_alone_are_said_in_every_language() {
        let said = Lang::ALL.map(|lang| format!("{} | {}", say(lang, Style::Date), say(lang, Style::Time)));
        assert_eq!(
            said,
            [
                "Thu, Dec 3 | 2:30 PM",
                "jue, 3 de dic | 2:30 p.m.",
                "12月3日周四 | 14:30",
                "12月3日週四 | 下午2:30",
                "чт, 3 дек. | 14:30",
                "דאנערשטאג, 3 דעצעמבער | 2:30 נאכמיטאג",
                "বৃহস্পতি 3 ডিসে | 2:30 PM",
                "12월 3일 (목) | 오후 2:30",
                "jedi 3 desanm | 2:30 PM",
                "gio 3 dic | 14:30",
                "الخميس، 3 ديسمبر | 2:30 م",
                "czw., 3 gru | 14:30",
                "jeu. 3 déc. | 14:30",
                "جمعرات، 3 دسمبر | 2:30 PM",
            ]
        );
    }

    #[test]
    fn no_day_of_the_year_is_numeric_only_or_holds_a_special_space_or_control() {
        for lang in Lang::ALL {
            for day in 0..365 {
                let date = civil::date(2027, 1, 1).saturating_add(jiff::Span::new().days(day));
                for hour in [0, 1, 9, 12, 13, 23] {
                    let text = local_words(lang, date.at(hour, 5, 0, 0), Style::DateTime).expect("a text");
                    let odd = |c: char| {
                        c != ' ' && (c.is_whitespace() || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'))
                    };
                    assert!(!text.contains(odd) && !text.contains('/'), "{lang}: {text:?}");
                    assert!(text.contains(&date.day().to_string()) && !text.contains("2027"), "{lang}: {text:?}");
                    let native = |c: char| matches!(c, '\u{660}'..='\u{669}' | '\u{6F0}'..='\u{6F9}' | '\u{9E6}'..='\u{9EF}');
                    assert!(!text.contains(native), "{lang}: {text:?}");
                }
            }
        }
    }

    #[test]
    fn midnight_noon_and_one_o_clock_are_told_apart_in_our_own_tables() {
        let at = |lang, hour| local_words(lang, civil::date(2026, 8, 1).at(hour, 0, 0, 0), Style::Time).expect("a text");
        assert_eq!([0, 12, 13].map(|hour| at(Lang::Ht, hour)), ["12:00 AM", "12:00 PM", "1:00 PM"]);
        assert_eq!(at(Lang::Yi, 9), "9:00 פארמיטאג");
        assert!(says_one_o_clock(Lang::Es, civil::date(2026, 8, 1).at(13, 5, 0, 0)));
        assert!(!says_one_o_clock(Lang::It, civil::date(2026, 8, 1).at(13, 5, 0, 0)));
    }

    #[test]
    fn the_zone_decides_the_day_and_a_wrong_zone_is_an_error() {
        let at = Time(1_796_270_400_000); // 2026-12-03 04:00 UTC
        assert_eq!(words(Lang::En, at, "America/New_York", Style::DateTime).expect("a text"), "Wed, Dec 2, 11:00 PM");
        assert_eq!(words(Lang::En, at, "Asia/Dhaka", Style::DateTime).expect("a text"), "Thu, Dec 3, 10:00 AM");
        let error = words(Lang::En, at, "New York", Style::Date).expect_err("no zone");
        assert!(error.to_string().contains("America/New_York"), "{error}");
    }
}
