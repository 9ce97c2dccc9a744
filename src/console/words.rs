//! Times, numbers and people as coordinators read them. Pure.
//!
//! **Invariant.** A list never shows a full phone number; a time is never relative alone.

use jiff::civil::{Date, DateTime};

use super::view::{By, Words};
use crate::clock::Time;
use crate::model::{Channel, Class, Id, Lang, MessageState};
use crate::zone::Zone;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const LONG_DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The time of day: `9:05`, `16:30`; in the hour that comes twice in autumn `1:57 EDT`.
#[must_use]
pub fn clock(zone: &Zone, at: Time) -> String {
    let time = hour_and_minute(zone.local(at));
    match zone.which(at) {
        Some(which) => format!("{time} {which}"),
        None => time,
    }
}

/// Minutes of the day as a time: `540` is `9:00`, `1440` is `24:00`.
#[must_use]
pub fn minutes(of_day: i64) -> String {
    format!("{}:{:02}", of_day / 60, of_day % 60)
}

/// A time in a list: `10:22` today, `Mon` within six days, `8 Jan` in this year, `8 Jan 2025`.
#[must_use]
pub fn when(zone: &Zone, now: Time, at: Time) -> String {
    let (today, local) = (zone.local(now).date(), zone.local(at));
    if local.date() == today { clock(zone, at) } else { day(today, local.date()) }
}

/// A time with its day, unless that is today: `10:22`, `Wed 9:00`, `8 Jan 9:00`.
#[must_use]
pub fn when_exactly(zone: &Zone, now: Time, at: Time) -> String {
    let (today, local) = (zone.local(now).date(), zone.local(at));
    let time = clock(zone, at);
    if local.date() == today { time } else { format!("{} {time}", day(today, local.date())) }
}

/// The day over a part of the timeline: `Today`, `Yesterday`, `8 Jan`.
#[must_use]
pub fn day_label(today: Date, date: Date) -> String {
    match days_between(today, date) {
        0 => "Today".to_owned(),
        -1 => "Yesterday".to_owned(),
        1 => "Tomorrow".to_owned(),
        _ => date_words(today, date),
    }
}

/// A day of visits: `Today, Tuesday 10 March`.
#[must_use]
pub fn day_heading(today: Date, date: Date) -> String {
    let weekday = LONG_DAYS[weekday(date)];
    let rest = format!("{weekday} {}", date_words(today, date));
    match days_between(today, date) {
        0 => format!("Today, {rest}"),
        1 => format!("Tomorrow, {rest}"),
        _ => rest,
    }
}

/// A date: `8 Jan`, with its year if that is not this one.
#[must_use]
pub fn date_words(today: Date, date: Date) -> String {
    let short = format!("{} {}", date.day(), MONTHS[usize::try_from(date.month() - 1).unwrap_or(0).min(11)]);
    if date.year() == today.year() { short } else { format!("{short} {}", date.year()) }
}

/// A deadline in words: `Today` + `by 16:30`.
#[must_use]
pub fn by(zone: &Zone, now: Time, due: Time) -> By {
    let (today, local) = (zone.local(now).date(), zone.local(due));
    let day = if local.date() == today { "Today".to_owned() } else { day(today, local.date()) };
    By { day, rest: format!("by {}", clock(zone, due)) }
}

/// The age in years of somebody born on `birth` (`1964-05-12`), on `today`.
#[must_use]
pub fn age(birth: &str, today: Date) -> Option<u32> {
    let born: Date = birth.parse().ok()?;
    let had = (today.month(), today.day()) >= (born.month(), born.day());
    u32::try_from(today.year() - born.year() - i16::from(!had)).ok()
}

/// A number in full: `(718) 555-0117`, or as it is stored outside the North American plan.
#[must_use]
pub fn phone(address: &str) -> String {
    match address.strip_prefix("+1") {
        Some(n) if n.len() == 10 && n.bytes().all(|b| b.is_ascii_digit()) => format!("({}) {}-{}", &n[..3], &n[3..6], &n[6..]),
        Some(_) | None => address.to_owned(),
    }
}

/// Somebody who is nobody's patient, as a list shows them: `Unknown number ending 17`.
#[must_use]
pub fn unknown_number(address: Option<&str>) -> String {
    let digits: Vec<char> = address.unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
    match digits.as_slice() {
        [.., a, b] => format!("Unknown number ending {a}{b}"),
        [] | [_] => "Porchlight itself".to_owned(),
    }
}

/// The first of a person's names.
#[must_use]
pub fn first_name(name: &str) -> &str {
    name.split_whitespace().next().unwrap_or(name)
}

/// Two letters for a face.
#[must_use]
pub fn initials(name: &str) -> String {
    let mut letters = name.split_whitespace().filter_map(|part| part.chars().next());
    let first = letters.next();
    first.into_iter().chain(letters.next_back()).flat_map(char::to_uppercase).collect()
}

/// A patient's words, in the language in which the patient is written to if their script runs the same way; else
/// the reader's browser finds the direction.
#[must_use]
pub fn patients_words(lang: Option<Lang>, text: &str) -> Words {
    let leftward = text.chars().any(|c| matches!(c, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}'));
    match lang {
        Some(lang) if (lang.dir() == "rtl") == leftward || !text.chars().any(char::is_alphabetic) => Words::new(lang, text),
        Some(_) | None => Words::unknown(text),
    }
}

/// What a channel is called in a sentence.
#[must_use]
pub const fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Sms => "text message",
        Channel::Telegram => "Telegram",
        Channel::WhatsApp => "WhatsApp",
    }
}

/// What a message of a class is called.
#[must_use]
pub const fn class(class: Class) -> &'static str {
    match class {
        Class::Crisis => "Crisis reply",
        Class::Consent => "Confirmation",
        Class::Answer => "Answer",
        Class::Staff => "Message",
        Class::Question => "Check-in",
        Class::Reminder => "Reminder",
        Class::Bulk => "Outreach",
    }
}

/// What a message of the class stored as `word` is called.
#[must_use]
pub fn class_named(word: &str) -> &'static str {
    word.parse().map_or("Message", class)
}

/// Why a message failed, is in doubt or waits, from the code that is stored with its state.
#[must_use]
pub fn trouble(code: &str) -> String {
    match code {
        "" => "no reason was given".to_owned(),
        "busy" => "the provider kept refusing it".to_owned(),
        "blocked" => "the carrier blocks messages to this number".to_owned(),
        "no_answer" => "the provider did not answer".to_owned(),
        "by_staff" => "a colleague called it off".to_owned(),
        "sent_anew" => "a colleague had it sent anew".to_owned(),
        "lease_lost" => "the process that sent it stopped".to_owned(),
        code => match code.parse() {
            Ok(reason) => {
                crate::policy::sentence("hold", reason, None).trim_start_matches("Held: ").trim_end_matches('.').to_owned()
            }
            Err(_) => format!("the provider says “{code}”"),
        },
    }
}

/// What came of attempts, in a few words.
#[must_use]
pub fn came_to(outcome: &str) -> &'static str {
    match outcome {
        "busy" => "Refused for now",
        "unknown" => "No usable answer",
        "blocked" => "Blocked by the recipient",
        "unreachable" => "Cannot be reached",
        "refused" => "Refused",
        "misconfigured" => "Our own settings",
        _ => "Not delivered",
    }
}

/// A state as it stands in the database; nothing that this version does not know.
#[must_use]
pub fn state(word: &str) -> Option<MessageState> {
    word.parse().ok()
}

/// `1 message`, `2 messages`.
#[must_use]
pub fn counted(n: i64, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

/// The address of a patient's page.
#[must_use]
pub fn patient_href(id: i64) -> String {
    format!("/patient/{}", Id(id))
}

/// A sentence's end, unless it has one.
#[must_use]
pub fn sentence(text: &str) -> String {
    if text.ends_with(['.', '!', '?', '…', '。', '۔']) { text.to_owned() } else { format!("{text}.") }
}

fn hour_and_minute(local: DateTime) -> String {
    format!("{}:{:02}", local.hour(), local.minute())
}

fn day(today: Date, date: Date) -> String {
    if days_between(today, date).abs() <= 6 { DAYS[weekday(date)].to_owned() } else { date_words(today, date) }
}

fn weekday(date: Date) -> usize {
    usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0).min(6)
}

fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(i32::MAX, |span| span.get_days())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn new_york() -> Zone {
        "America/New_York".parse().expect("a zone")
    }

    fn at(day: Date, hour: i8, minute: i8) -> Time {
        new_york().instant(day, jiff::civil::time(hour, minute, 0, 0)).expect("it exists")
    }

    #[test]
    fn a_time_in_a_list_gets_coarser_with_distance_and_a_deadline_keeps_its_hour() {
        let (zone, now) = (new_york(), at(date(2026, 3, 10), 10, 24));
        assert_eq!(when(&zone, now, at(date(2026, 3, 10), 9, 5)), "9:05");
        assert_eq!(when(&zone, now, at(date(2026, 3, 9), 9, 5)), "Mon");
        assert_eq!(when(&zone, now, at(date(2026, 1, 8), 9, 5)), "8 Jan");
        assert_eq!(when(&zone, now, at(date(2025, 12, 31), 9, 5)), "31 Dec 2025");
        assert_eq!(when_exactly(&zone, now, at(date(2026, 3, 11), 9, 0)), "Wed 9:00");
        assert_eq!(by(&zone, now, at(date(2026, 3, 11), 11, 0)), By { day: "Wed".to_owned(), rest: "by 11:00".to_owned() });
        assert_eq!(by(&zone, now, at(date(2026, 3, 10), 16, 30)).day, "Today");
        assert_eq!(day_heading(date(2026, 3, 10), date(2026, 3, 11)), "Tomorrow, Wednesday 11 Mar");
        assert_eq!(day_label(date(2026, 3, 10), date(2026, 3, 9)), "Yesterday");
    }

    #[test]
    fn the_hour_that_comes_twice_says_which_it_is() {
        let (zone, first) = (new_york(), at(date(2026, 11, 1), 1, 57));
        let second = Time(first.0 + 5 * 60_000);
        assert_eq!((clock(&zone, first), clock(&zone, second)), ("1:57 EDT".to_owned(), "1:02 EST".to_owned()));
        assert_eq!(by(&zone, first, second).rest, "by 1:02 EST");
        assert_eq!(clock(&zone, at(date(2026, 11, 1), 2, 0)), "2:00");
    }

    #[test]
    fn an_age_counts_birthdays() {
        assert_eq!(age("1964-05-12", date(2026, 5, 11)), Some(61));
        assert_eq!(age("1964-05-12", date(2026, 5, 12)), Some(62));
        assert_eq!(age("", date(2026, 5, 12)), None);
    }

    #[test]
    fn a_list_shows_two_digits_of_a_number_that_nobody_knows() {
        assert_eq!(unknown_number(Some("+17185550117")), "Unknown number ending 17");
        assert_eq!(unknown_number(None), "Porchlight itself");
        assert_eq!(phone("+17185550117"), "(718) 555-0117");
        assert_eq!(phone("+48225550117"), "+48225550117");
    }

    #[test]
    fn words_run_in_the_direction_of_their_own_script() {
        assert_eq!(patients_words(Some(Lang::Ar), "صدري يؤلمني").dir, "rtl");
        assert_eq!(patients_words(Some(Lang::Ar), "I have chest pain").dir, "auto");
        assert_eq!(patients_words(Some(Lang::En), "صدري").dir, "auto");
        assert_eq!(patients_words(Some(Lang::Es), "76,4").lang, "es");
        assert_eq!(patients_words(None, "?").dir, "auto");
    }

    #[test]
    fn faces_and_endings() {
        assert_eq!(initials("June Abara"), "JA");
        assert_eq!(initials("Cher"), "C");
        assert_eq!(sentence("Chest pain"), "Chest pain.");
        assert_eq!(trouble("quiet_hours"), "outside the hours agreed for messages");
        assert_eq!(trouble("E21610"), "the provider says “E21610”");
    }
}
