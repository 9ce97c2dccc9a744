//! "At 09:00 on these days, in the patient's zone": when a step happens next. Pure.
//!
//! Invariant: exactly one slot per local date that the rule names and somebody lived, and `next` is always
//! later. `tests/clock.rs` proves it over zones, years and rules.

use jiff::ToSpan;
use jiff::civil::{Date, Time as Clock, Weekday};

use crate::clock::Time;
use crate::zone::Zone;

/// On which days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Days {
    /// Every day.
    Daily,
    /// Every so many days, counted from the enrolment's local date.
    Every(u16),
    /// One day a week.
    Weekly(Weekday),
}

/// A recurring wall-clock time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// On which days.
    pub days: Days,
    /// At what local time.
    pub at: Clock,
    /// A local date that the rule names: days are counted from it, forwards and back.
    pub from: Date,
}

/// One slot: the local date that it stands for, and when it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// The local date: part of the occurrence's key.
    pub date: Date,
    /// The instant.
    pub at: Time,
}

impl Rule {
    /// The first slot later than `now`.
    #[must_use]
    pub fn first(&self, zone: &Zone, now: Time) -> Option<Slot> {
        let mut date = zone.local(now).date();
        loop {
            let slot = self.on_or_after(zone, date)?;
            if slot.at > now {
                return Some(slot);
            }
            date = slot.date.checked_add(1.day()).ok()?;
        }
    }

    /// The slot after the one that stands for `date`.
    #[must_use]
    pub fn next(&self, zone: &Zone, date: Date) -> Option<Slot> {
        self.on_or_after(zone, date.checked_add(1.day()).ok()?)
    }

    /// The slot of `date`, or of the first later date that the rule names and somebody there lived.
    #[must_use]
    pub fn on_or_after(&self, zone: &Zone, mut date: Date) -> Option<Slot> {
        for _ in 0..4 {
            date = self.day_from(date)?;
            if let Some(at) = zone.instant(date, self.at) {
                return Some(Slot { date, at });
            }
            date = date.checked_add(1.day()).ok()?;
        }
        None
    }

    /// The first day at or after `date` that the rule names.
    fn day_from(&self, date: Date) -> Option<Date> {
        let wait = match self.days {
            Days::Daily => 0,
            Days::Every(n) => {
                let n = i64::from(n.max(1));
                let since = i64::from(self.from.until(date).ok()?.get_days());
                (n - since.rem_euclid(n)) % n
            }
            Days::Weekly(day) => i64::from((day.to_monday_zero_offset() - date.weekday().to_monday_zero_offset()).rem_euclid(7)),
        };
        date.checked_add(wait.days()).ok()
    }
}

/// `at`, so many days before the local date on which something starts. Where nobody lived that date, on the last date before it
/// that somebody did: what is coming is told earlier rather than never.
#[must_use]
pub fn days_before(zone: &Zone, starts: Time, days: u16, at: Clock) -> Option<Slot> {
    let mut date = zone.local(starts).date().checked_sub(i64::from(days).days()).ok()?;
    for _ in 0..4 {
        if let Some(at) = zone.instant(date, at) {
            return Some(Slot { date, at });
        }
        date = date.checked_sub(1.day()).ok()?;
    }
    None
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    #[test]
    fn a_daily_nine_oclock_keeps_to_nine_oclock_through_both_changes_of_clocks() {
        let zone: Zone = "America/New_York".parse().expect("a zone");
        let rule = Rule { days: Days::Daily, at: time(9, 0, 0, 0), from: date(2026, 10, 30) };
        let mut slot = rule.on_or_after(&zone, rule.from).expect("a slot");
        for day in [date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 2)] {
            slot = rule.next(&zone, slot.date).expect("a slot");
            assert_eq!((slot.date, zone.local(slot.at).time()), (day, time(9, 0, 0, 0)));
        }
    }

    #[test]
    fn weekly_and_every_third_day_keep_their_days() {
        let zone: Zone = "Europe/London".parse().expect("a zone");
        let weekly = Rule { days: Days::Weekly(Weekday::Tuesday), at: time(10, 0, 0, 0), from: date(2026, 3, 1) };
        assert_eq!(weekly.next(&zone, date(2026, 3, 3)).map(|s| s.date), Some(date(2026, 3, 10)));
        let third = Rule { days: Days::Every(3), at: time(10, 0, 0, 0), from: date(2026, 3, 1) };
        assert_eq!(third.next(&zone, date(2026, 3, 1)).map(|s| s.date), Some(date(2026, 3, 4)));
    }
}
