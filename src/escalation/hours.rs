//! Staffed hours, and until when somebody must claim an escalation. Pure.
//!
//! Defaults: emergency 5 minutes at any hour; urgent 60 minutes of staffed time; routine two business
//! days. An urgent item that arrives outside staffed hours is due 60 minutes after they begin.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::time::Duration;

use jiff::ToSpan;
use jiff::civil::{Date, Time as Clock, Weekday};

use crate::clock::Time;
use crate::model::Severity;
use crate::zone::{self, Zone};

const EMERGENCY: Duration = Duration::from_secs(5 * 60);
const URGENT: Duration = Duration::from_secs(60 * 60);
/// No more than this many days are searched for an open one.
const FAR: usize = 60;

/// When people are there, and on which days they are not.
#[derive(Debug, Clone)]
pub struct Hours {
    zone: Zone,
    week: Week,
    closed: BTreeSet<Date>,
}

/// The hours of a week, as `mon-fri 09:00-17:00, sat 10:00-12:00`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Week(Vec<(Weekday, Clock, Clock)>);

/// Text that is no week of hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` are no hours: write them as `mon-fri 09:00-17:00, sat 10:00-12:00`")]
pub struct BadHours(String);

impl Week {
    /// A week in which nobody is ever there.
    #[must_use]
    pub fn never() -> Week {
        Week(Vec::new())
    }
}

impl FromStr for Week {
    type Err = BadHours;
    fn from_str(text: &str) -> Result<Week, BadHours> {
        let bad = || BadHours(text.to_owned());
        let mut week = Vec::new();
        for part in text.split(',') {
            let (days, times) = part.trim().split_once(' ').ok_or_else(bad)?;
            let (from, to) = times.trim().split_once('-').ok_or_else(bad)?;
            let (from, to) = (zone::clock(from).ok_or_else(bad)?, zone::clock(to).ok_or_else(bad)?);
            if from >= to {
                return Err(bad());
            }
            let (first, last) = days.split_once('-').unwrap_or((days, days));
            let (first, last) = (zone::weekday(first).ok_or_else(bad)?, zone::weekday(last).ok_or_else(bad)?);
            for day in first.cycle_forward().take(7) {
                week.push((day, from, to));
                if day == last {
                    break;
                }
            }
        }
        week.sort_by_key(|(day, from, _)| (day.to_monday_zero_offset(), *from));
        Ok(Week(week))
    }
}

impl Hours {
    /// The hours of a site.
    #[must_use]
    pub fn new(zone: Zone, week: Week, closed: impl IntoIterator<Item = Date>) -> Hours {
        Hours { zone, week, closed: closed.into_iter().collect() }
    }

    /// Whether people are there.
    #[must_use]
    pub fn staffed(&self, now: Time) -> bool {
        self.spans(self.zone.local(now).date()).any(|(from, to)| from <= now && now < to)
    }

    /// When people are there next: `now` if they are.
    #[must_use]
    pub fn opens(&self, now: Time) -> Time {
        self.spans_from(now).next().map_or(now, |(from, _)| from.max(now))
    }

    /// Until when an item of this severity, opened at `now`, must be claimed.
    #[must_use]
    pub fn due(&self, severity: Severity, now: Time) -> Time {
        match severity {
            Severity::Emergency => now.plus(EMERGENCY),
            Severity::Urgent => self.staffed_time_after(now, URGENT),
            Severity::Routine | Severity::None => self.business_days_after(now, 2),
        }
    }

    /// The zone of the site.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    fn staffed_time_after(&self, now: Time, mut left: Duration) -> Time {
        for (from, to) in self.spans_from(now) {
            let from = from.max(now);
            let span = to.since(from);
            if left <= span {
                return from.plus(left);
            }
            left = left.saturating_sub(span);
        }
        now.plus(left)
    }

    /// The same time of day, so many open days later; within that day's hours.
    fn business_days_after(&self, now: Time, days: usize) -> Time {
        let local = self.zone.local(now);
        let mut date = local.date();
        let mut left = days;
        for _ in 0..FAR {
            let Ok(next) = date.checked_add(1.day()) else { break };
            date = next;
            if self.spans(date).next().is_some() {
                left -= 1;
                if left == 0 {
                    break;
                }
            }
        }
        let wanted = self.zone.instant(date, local.time()).unwrap_or(now);
        let mut within = self.spans(date);
        let Some((first, mut last)) = within.next() else { return wanted };
        if let Some((_, to)) = within.last() {
            last = to;
        }
        wanted.clamp(first, last)
    }

    fn spans(&self, date: Date) -> impl Iterator<Item = (Time, Time)> + '_ {
        let open = !self.closed.contains(&date);
        self.week
            .0
            .iter()
            .filter(move |(day, ..)| open && *day == date.weekday())
            .filter_map(move |(_, from, to)| Some((self.zone.instant(date, *from)?, self.zone.instant(date, *to)?)))
    }

    fn spans_from(&self, now: Time) -> impl Iterator<Item = (Time, Time)> + '_ {
        let first = self.zone.local(now).date();
        std::iter::successors(Some(first), |date| date.checked_add(1.day()).ok())
            .take(FAR)
            .flat_map(|date| self.spans(date))
            .filter(move |(_, to)| *to > now)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    fn harbor_street() -> Hours {
        let week = "mon-fri 09:00-17:00".parse().expect("hours");
        Hours::new("America/New_York".parse().expect("a zone"), week, [date(2026, 11, 26), date(2026, 11, 27)])
    }

    fn at(hours: &Hours, day: Date, hour: i8, minute: i8) -> Time {
        hours.zone.instant(day, time(hour, minute, 0, 0)).expect("it exists")
    }

    #[test]
    fn urgent_before_opening_is_due_an_hour_after_it_and_late_in_the_day_runs_into_the_next() {
        let h = harbor_street();
        let monday = date(2026, 11, 16);
        assert_eq!(h.due(Severity::Urgent, at(&h, monday, 8, 31)), at(&h, monday, 10, 0));
        assert_eq!(h.due(Severity::Urgent, at(&h, monday, 16, 30)), at(&h, date(2026, 11, 17), 9, 30));
    }

    #[test]
    fn over_thanksgiving_nothing_but_emergencies_runs_out() {
        let h = harbor_street();
        let wednesday = at(&h, date(2026, 11, 25), 16, 50);
        assert_eq!(h.due(Severity::Urgent, wednesday), at(&h, date(2026, 11, 30), 9, 50));
        assert_eq!(h.due(Severity::Routine, wednesday), at(&h, date(2026, 12, 1), 16, 50));
        let night = at(&h, date(2026, 11, 26), 22, 41);
        assert_eq!(h.due(Severity::Emergency, night), night.plus(EMERGENCY));
        assert!(!h.staffed(night));
        assert_eq!(h.opens(night), at(&h, date(2026, 11, 30), 9, 0));
    }

    #[test]
    fn an_emergency_in_the_hour_that_happens_twice_has_five_real_minutes() {
        let h = harbor_street();
        let edt = Time(at(&h, date(2026, 11, 1), 1, 57).0);
        assert_eq!(h.zone.local(h.due(Severity::Emergency, edt)).time(), time(1, 2, 0, 0));
    }

    #[test]
    fn hours_that_are_none_say_how_to_write_them() {
        for text in ["", "always", "mon 9-17", "mon-fri 17:00-09:00"] {
            assert!(text.parse::<Week>().is_err_and(|e| e.to_string().contains("mon-fri 09:00-17:00")), "{text}");
        }
    }
}
