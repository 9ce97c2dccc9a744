//! The clock proof: when a step happens, over zones, years and rules, against an oracle that counts seconds.
//!
//! The oracle knows a zone only by what its clocks showed at every hour of the years in question, and where that
//! changed. It does all its own arithmetic on whole seconds and days: no calendar, no wall-clock look-up, nothing of what
//! the service uses. A second, cruder one walks through the days of every change minute by minute.

#![expect(clippy::expect_used, reason = "a proof that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "the report that operators and clinicians read")]

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::civil::{Date, Time as Clock, Weekday, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use porchlight::clock::Time;
use porchlight::schedule::recurrence::{Days, Rule, Slot, days_before};
use porchlight::zone::Zone;
use proptest::prelude::*;

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

/// Where people live whose clocks do something of interest, and the years that are looked at.
const NOW: (i16, i16) = (2025, 2029);
const ZONES: [&str; 40] = [
    "America/New_York",
    "America/Los_Angeles",
    "America/Chicago",
    "America/Phoenix",
    "America/Anchorage",
    "America/St_Johns",
    "America/Halifax",
    "America/Havana",
    "America/Santiago",
    "America/Asuncion",
    "America/Nuuk",
    "America/Scoresbysund",
    "America/Port-au-Prince",
    "America/Santo_Domingo",
    "Atlantic/Azores",
    "Europe/London",
    "Europe/Dublin",
    "Europe/Rome",
    "Europe/Warsaw",
    "Europe/Moscow",
    "Africa/Casablanca",
    "Africa/El_Aaiun",
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Jerusalem",
    "Asia/Gaza",
    "Asia/Hebron",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Dhaka",
    "Asia/Shanghai",
    "Antarctica/Troll",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Norfolk",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Pacific/Pago_Pago",
];
/// Years in which something happened that does not happen now.
const ONCE: [(&str, (i16, i16)); 7] = [
    ("Pacific/Apia", (2010, 2013)),       // 30 December 2011 was skipped whole
    ("Pacific/Kwajalein", (1992, 1995)),  // so was 21 August 1993
    ("Pacific/Kiritimati", (1994, 1996)), // and 31 December 1994
    ("America/St_Johns", (2009, 2011)),   // clocks changed at 00:01
    ("Asia/Tehran", (2020, 2023)),        // and at midnight
    ("America/Sao_Paulo", (2017, 2020)),
    ("Asia/Pyongyang", (2015, 2019)), // half an hour, at midnight, by decree
];

/// A stretch of time in which a zone's clocks differ from UTC by the same number of seconds.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: i64,
    to: i64,
    offset: i64,
}

/// What the oracle knows of a zone.
struct Oracle {
    stretches: Vec<Stretch>,
}

impl Oracle {
    /// Looks at the zone's clocks every hour, and for the second of each change between two looks that differ.
    fn new(name: &str, from: i64, to: i64) -> Oracle {
        let zone = TimeZone::get(name).expect("a zone");
        let offset = |at: i64| i64::from(zone.to_offset(Timestamp::from_second(at).expect("in range")).seconds());
        let mut stretches = vec![Stretch { from, to, offset: offset(from) }];
        let mut at = from;
        while at < to {
            let (mut low, mut high) = (at, at + HOUR);
            at = high;
            let (before, after) = (offset(low), offset(high));
            if before == after {
                continue;
            }
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                *(if offset(middle) == before { &mut low } else { &mut high }) = middle;
            }
            stretches.last_mut().expect("one").to = high;
            stretches.push(Stretch { from: high, to, offset: after });
        }
        Oracle { stretches }
    }

    /// Whether anybody there lived through some of this day (counted from 1 January 1970).
    fn lived(&self, day: i64) -> bool {
        self.stretches.iter().any(|s| s.from + s.offset < (day + 1) * DAY && s.to + s.offset > day * DAY)
    }

    /// The instant of so many seconds after midnight on a day.
    fn slot(&self, day: i64, clock: i64) -> Option<i64> {
        let wall = day * DAY + clock;
        let shown = self.stretches.iter().filter(|s| (s.from..s.to).contains(&(wall - s.offset))).map(|s| wall - s.offset).min();
        let after_gap = || {
            let gap = |w: &&[Stretch]| w[0].to + w[0].offset <= wall && wall < w[1].from + w[1].offset;
            self.stretches.windows(2).find(gap).map(|w| w[1].from)
        };
        shown.or_else(after_gap).filter(|_| self.lived(day))
    }

    fn day_of(&self, at: i64) -> i64 {
        let stretch = self.stretches.iter().find(|s| (s.from..s.to).contains(&at)).expect("in range");
        (at + stretch.offset).div_euclid(DAY)
    }

    /// Times of day worth a look: of every day, and at the edges and in the middle of every gap and overlap.
    fn clocks(&self) -> Vec<i64> {
        let mut clocks = vec![0, 30, 90, 120, 150, 180, 9 * 60, 12 * 60, 21 * 60, 23 * 60 + 59]
            .into_iter()
            .map(|m| m * MINUTE)
            .collect::<Vec<_>>();
        for pair in self.stretches.windows(2) {
            let (a, b) = (pair[0].to + pair[0].offset, pair[1].from + pair[1].offset);
            let (low, high) = (a.min(b), a.max(b));
            clocks.extend(
                [low - MINUTE, low, i64::midpoint(low, high) / MINUTE * MINUTE, high - MINUTE, high]
                    .map(|wall| wall.rem_euclid(DAY)),
            );
        }
        clocks.sort_unstable();
        clocks.dedup();
        clocks
    }
}

const EPOCH: Date = date(1970, 1, 1);

fn day(date: Date) -> i64 {
    i64::from(EPOCH.until(date).expect("in range").get_days())
}

fn date_of(day: i64) -> Date {
    EPOCH.checked_add(day.days()).expect("in range")
}

fn clock(seconds: i64) -> Clock {
    let part = |n: i64| i8::try_from(n).expect("a part of a day");
    Clock::new(part(seconds / HOUR), part(seconds % HOUR / MINUTE), part(seconds % MINUTE), 0).expect("a time of day")
}

/// Whether a rule that counts from `from` names a day. The first day of 1970 was a Thursday.
fn names(days: Days, from: i64, day: i64) -> bool {
    match days {
        Days::Daily => true,
        Days::Every(n) => (day - from).rem_euclid(i64::from(n)) == 0,
        Days::Weekly(weekday) => (day + 3).rem_euclid(7) == i64::from(weekday.to_monday_zero_offset()),
    }
}

fn rules() -> Vec<Days> {
    const WEEK: [Weekday; 7] = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];
    let every = [2, 3, 10, 28].map(Days::Every);
    std::iter::once(Days::Daily).chain(every).chain(WEEK.map(Days::Weekly)).collect()
}

/// What the rules before a visit are tried with.
const DAYS_BEFORE: [u16; 6] = [0, 1, 2, 3, 7, 60];

/// What was looked at.
#[derive(Default)]
struct Tally {
    occurrences: AtomicUsize,
    agreements: AtomicUsize,
    reminders: AtomicUsize,
    minutes: AtomicUsize,
    gaps: AtomicUsize,
    overlaps: AtomicUsize,
    violations: AtomicUsize,
}

impl Tally {
    fn add(counter: &AtomicUsize, n: usize) {
        counter.fetch_add(n, Ordering::Relaxed);
    }
}

/// One zone in some years.
struct Case {
    name: &'static str,
    zone: Zone,
    oracle: Oracle,
    /// The first day, and the day after the last.
    days: (i64, i64),
}

impl Case {
    fn new(name: &'static str, (first, end): (i16, i16)) -> Case {
        let days = (day(date(first, 1, 1)), day(date(end, 1, 1)));
        // Wide enough for a visit two months after the last day, and for what lies sixty days before the first.
        let oracle = Oracle::new(name, (days.0 - 70) * DAY, (days.1 + 70) * DAY);
        Case { name, zone: name.parse().expect("a zone"), oracle, days }
    }

    fn told(&self, faults: &mut Vec<String>, what: &str) {
        if faults.len() < 20 {
            faults.push(format!("{}: {what}", self.name));
        }
    }

    /// Every occurrence of every rule, and that `first` and `next` tell the same.
    fn occurrences(&self, tally: &Tally, faults: &mut Vec<String>) {
        for clock_at in self.oracle.clocks() {
            for days in rules() {
                let from = self.days.0 + 11;
                let rule = Rule { days, at: clock(clock_at), from: date_of(from) };
                let named = (self.days.0..self.days.1).filter(|d| names(days, from, *d));
                let wanted: Vec<_> = named.filter_map(|d| Some((d, self.oracle.slot(d, clock_at)?))).collect();
                let mut found: Vec<(i64, i64)> = Vec::with_capacity(wanted.len());
                let mut slot = rule.on_or_after(&self.zone, date_of(self.days.0));
                while let Some(one) = slot.filter(|s| day(s.date) < self.days.1) {
                    found.push((day(one.date), one.at.0 / 1000));
                    let next = rule.next(&self.zone, one.date);
                    let agrees =
                        rule.first(&self.zone, one.at) == next && rule.first(&self.zone, Time(one.at.0 - 1)) == Some(one);
                    if !agrees || one.at.0 % 1000 != 0 || next.is_some_and(|n| n.at <= one.at || n.date <= one.date) {
                        Tally::add(&tally.violations, 1);
                        self.told(
                            faults,
                            &format!("{rule:?}: {one:?}, then {next:?}: `first` and `next` disagree, or time goes back"),
                        );
                    }
                    slot = next;
                }
                Tally::add(&tally.occurrences, found.len());
                Tally::add(&tally.agreements, 2 * found.len());
                if found != wanted {
                    Tally::add(&tally.violations, 1);
                    let at = found.iter().zip(&wanted).position(|(f, w)| f != w).unwrap_or(found.len().min(wanted.len()));
                    let told = format!("{rule:?}: {} slots, wanted {}", found.len(), wanted.len());
                    self.told(faults, &format!("{told}; found {:?}, wanted {:?}", found.get(at), wanted.get(at)));
                }
            }
        }
    }

    /// Reminders of visits at all hours.
    fn reminders(&self, tally: &Tally, faults: &mut Vec<String>) {
        let clocks = self.oracle.clocks();
        for (n, starts) in (self.days.0 * DAY..self.days.1 * DAY).step_by(usize::try_from(29 * HOUR).expect("small")).enumerate()
        {
            for before in DAYS_BEFORE {
                // Other times of day for every visit, so that all come to be tried.
                for clock_at in clocks.iter().skip(n % 3).step_by(3) {
                    let mut on = self.oracle.day_of(starts) - i64::from(before);
                    while !self.oracle.lived(on) {
                        on -= 1;
                    }
                    let wanted = self.oracle.slot(on, *clock_at).map(|at| Slot { date: date_of(on), at: Time(at * 1000) });
                    let found = days_before(&self.zone, Time(starts * 1000), before, clock(*clock_at));
                    Tally::add(&tally.reminders, 1);
                    if found != wanted {
                        Tally::add(&tally.violations, 1);
                        self.told(faults, &format!("{before} days before {starts} at {clock_at}: {found:?}, wanted {wanted:?}"));
                    }
                }
            }
        }
    }

    /// Walks through the three days around each change, minute by minute: the slot of every quarter of an hour is the first minute
    /// that shows it, or the first that shows something later.
    fn minutes(&self, tally: &Tally, faults: &mut Vec<String>) {
        for pair in self.oracle.stretches.windows(2) {
            let change = pair[1].from;
            if !(self.days.0 * DAY..self.days.1 * DAY).contains(&change) {
                continue;
            }
            Tally::add(if pair[1].offset > pair[0].offset { &tally.gaps } else { &tally.overlaps }, 1);
            let walk: Vec<(i64, i64)> = (change - 3 * DAY..change + 3 * DAY)
                .step_by(60)
                .map(|at| {
                    let local = self.zone.local(Time(at * 1000));
                    (at, day(local.date()) * DAY + i64::from(local.hour()) * HOUR + i64::from(local.minute()) * MINUTE)
                })
                .collect();
            Tally::add(&tally.minutes, walk.len());
            let mut shown: HashMap<i64, i64> = HashMap::new();
            for (at, wall) in &walk {
                shown.entry(*wall).or_insert(*at);
            }
            let middle = self.oracle.day_of(change);
            for on in middle - 1..=middle + 1 {
                let lived = (0..DAY / MINUTE).any(|m| shown.contains_key(&(on * DAY + m * MINUTE)));
                for quarter in 0..DAY / (15 * MINUTE) {
                    let wall = on * DAY + quarter * 15 * MINUTE;
                    let later = || walk.windows(2).find(|w| w[0].1 < wall && wall < w[1].1).map(|w| w[1].0);
                    let wanted = shown.get(&wall).copied().or_else(later).filter(|_| lived);
                    let found = self.zone.instant(date_of(on), clock(quarter * 15 * MINUTE)).map(|at| at.0 / 1000);
                    if found != wanted {
                        Tally::add(&tally.violations, 1);
                        self.told(
                            faults,
                            &format!("{} {}: {found:?}, wanted {wanted:?}", date_of(on), clock(quarter * 15 * MINUTE)),
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn every_rule_happens_once_on_every_date_that_it_names_in_every_zone() {
    let spans: Vec<_> = ZONES.iter().map(|name| (*name, NOW)).chain(ONCE).collect();
    let tally = Tally::default();
    let next = AtomicUsize::new(0);
    let faults: Vec<String> = std::thread::scope(|scope| {
        let work = || {
            let mut faults = Vec::new();
            while let Some((name, years)) = spans.get(next.fetch_add(1, Ordering::Relaxed)) {
                let case = Case::new(name, *years);
                case.occurrences(&tally, &mut faults);
                case.reminders(&tally, &mut faults);
                case.minutes(&tally, &mut faults);
            }
            faults
        };
        let threads = [scope.spawn(work), scope.spawn(work)];
        threads.into_iter().flat_map(|t| t.join().expect("a thread")).collect()
    });
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    println!(
        "clock proof: zone rules {}, {} zones in {} spans of years, {} rules, {} changes forwards and {} back, {} occurrences, \
         {} times `first` and `next`, {} reminders of visits, {} minutes walked, {} violations",
        Zone::edition(),
        spans.iter().map(|(name, _)| name).collect::<std::collections::BTreeSet<_>>().len(),
        spans.len(),
        rules().len() + DAYS_BEFORE.len(),
        count(&tally.gaps),
        count(&tally.overlaps),
        count(&tally.occurrences),
        count(&tally.agreements),
        count(&tally.reminders),
        count(&tally.minutes),
        count(&tally.violations),
    );
    assert_eq!(count(&tally.violations), 0, "\n{}", faults.join("\n"));
    // A proof that looked at nothing proves nothing.
    assert!(count(&tally.occurrences) > 500_000 && count(&tally.reminders) > 100_000);
    assert!(count(&tally.gaps) > 60 && count(&tally.overlaps) > 60);
}

#[test]
fn the_oracle_sees_what_everybody_knows() {
    let apia = Oracle::new("Pacific/Apia", day(date(2011, 12, 1)) * DAY, day(date(2012, 2, 1)) * DAY);
    assert!(apia.lived(day(date(2011, 12, 29))) && !apia.lived(day(date(2011, 12, 30))) && apia.lived(day(date(2011, 12, 31))));
    let new_york = Oracle::new("America/New_York", day(date(2026, 1, 1)) * DAY, day(date(2027, 1, 1)) * DAY);
    let utc = |text: &str| text.parse::<Timestamp>().expect("a time").as_second();
    assert_eq!(new_york.slot(day(date(2026, 3, 8)), 2 * HOUR + 1800), Some(utc("2026-03-08T07:00:00Z")));
    assert_eq!(new_york.slot(day(date(2026, 11, 1)), HOUR + 1800), Some(utc("2026-11-01T05:30:00Z")));
    assert_eq!(new_york.stretches.len(), 3);
}

proptest! {
    /// Whenever somebody enrols, the first occurrence is the next that there is.
    #[test]
    fn the_first_is_the_next_that_there_is(
        zone in prop::sample::select(&ZONES[..]), after in 0_i64..700 * DAY, clock_at in 0_i64..DAY, kind in 0_usize..12, from in -40_i64..40,
    ) {
        let start = day(date(2026, 1, 1)) * DAY;
        let now = start + after;
        let days = rules()[kind];
        let from = day(date(2026, 6, 1)) + from;
        let rule = Rule { days, at: clock(clock_at), from: date_of(from) };
        let oracle = Oracle::new(zone, now - 5 * DAY, now + 70 * DAY);
        let here = oracle.day_of(now);
        let wanted = (here - 2..here + 60)
            .filter(|d| names(days, from, *d))
            .filter_map(|d| Some((d, oracle.slot(d, clock_at)?)))
            .filter(|(_, at)| *at > now)
            .min_by_key(|(_, at)| *at);
        let found = rule.first(&zone.parse().expect("a zone"), Time(now * 1000)).map(|s| (day(s.date), s.at.0 / 1000));
        prop_assert_eq!(found, wanted);
    }
}

/// The two nights of New York as people read them.
fn table() -> String {
    let new_york: Zone = "America/New_York".parse().expect("a zone");
    let zone = TimeZone::get("America/New_York").expect("a zone");
    let mut table = String::from("| date | set for | happens at | UTC |\n|---|---|---|---|\n");
    let nights =
        [(date(2026, 3, 8), [30, 90, 119, 120, 150, 179, 180, 540]), (date(2026, 11, 1), [30, 59, 60, 90, 119, 120, 150, 540])];
    for (night, minutes) in nights {
        for minute in minutes {
            let at = clock(minute * MINUTE);
            let instant = new_york.instant(night, at).expect("it exists");
            let (local, utc) = (new_york.local(instant).strftime("%H:%M"), Zone::utc().local(instant).strftime("%Y-%m-%d %H:%M"));
            let info = zone.to_offset_info(Timestamp::from_millisecond(instant.0).expect("in range"));
            let _ = writeln!(table, "| {night} | {} | {local} {} | {utc} |", at.strftime("%H:%M"), info.abbreviation());
        }
    }
    table
}

#[test]
fn the_two_nights_of_new_york_are_as_the_documentation_says() {
    let table = table();
    println!("{table}");
    assert!(include_str!("../docs/time.md").contains(&table), "docs/time.md must hold this table:\n{table}");
    for row in [
        "| 2026-03-08 | 02:30 | 03:00 EDT | 2026-03-08 07:00 |",
        "| 2026-03-08 | 09:00 | 09:00 EDT | 2026-03-08 13:00 |",
        "| 2026-11-01 | 01:30 | 01:30 EDT | 2026-11-01 05:30 |",
        "| 2026-11-01 | 02:00 | 02:00 EST | 2026-11-01 07:00 |",
    ] {
        assert!(table.contains(row), "{row}");
    }
}
