//! "At 09:00 on these days, in the patient's zone": when a step happens next. Pure.
//!
//! Invariant: exactly one slot per local date that the rule names, and `next` is always later.

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
    /// The local date from which days are counted.
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
    /// The first slot later than `now`, on or after the rule's first day.
    #[must_use]
    pub fn first(&self, zone: &Zone, now: Time) -> Option<Slot> {
        let mut date = zone.local(now).date().max(self.from);
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

    fn on_or_after(&self, zone: &Zone, mut date: Date) -> Option<Slot> {
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

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_daily_nine_oclock_keeps_to_nine_oclock_through_both_changes_of_clocks() {
        let zone: Zone = "America/New_York".parse().expect("a zone");
        let rule = Rule { days: Days::Daily, at: time(9, 0, 0, 0), from: date(2026, 10, 30) };
        let mut slot = rule.first(&zone, Time(0)).expect("a slot");
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

    proptest! {
        #[test]
        fn one_slot_per_local_date_and_always_later(
            zone in prop::sample::select(vec!["America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo", "Asia/Gaza", "Antarctica/Troll"]),
            hour in 0_i8..24, minute in 0_i8..60, start in 0_i64..800, weekday in 0_i8..7, kind in 0..3,
        ) {
            let zone: Zone = zone.parse().expect("a zone");
            let from = date(2026, 1, 1).checked_add(start.days()).expect("a date");
            let days = match kind { 0 => Days::Daily, 1 => Days::Every(2), _ => Days::Weekly(Weekday::from_monday_zero_offset(weekday).expect("a day")) };
            let rule = Rule { days, at: time(hour, minute, 0, 0), from };
            let mut slot = rule.first(&zone, Time(0)).expect("a slot");
            for _ in 0..60 {
                let next = rule.next(&zone, slot.date).expect("a slot");
                prop_assert!(next.at > slot.at && next.date > slot.date);
                prop_assert_eq!(zone.local(next.at).date(), next.date);
                slot = next;
            }
        }
    }
}
