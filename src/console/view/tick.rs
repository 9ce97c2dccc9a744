//! Time left, in words: `3:12 to claim`, `18 min to resolve`, `Today by 16:30`, `6 min late`.
//!
//! **Invariant.** Never more time than there is: seconds and minutes are rounded down. The script repaints from the
//! same numbers by the same rules; without it the words of the server stand.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::clock::Time;

/// What must happen by the deadline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Duty {
    /// Somebody takes it.
    Claim,
    /// It has an outcome.
    Resolve,
}

impl Duty {
    /// `to claim` or `to resolve`.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Duty::Claim => "to claim",
            Duty::Resolve => "to resolve",
        }
    }
}

/// A deadline more than an hour away, in the reader's time: `Today` + `by 16:30`, `Wed` + `by 11:00`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct By {
    /// The day, shown in bold.
    pub day: String,
    /// The rest, as in `by 16:30`.
    pub rest: String,
}

/// A ticker.
#[derive(Template, Clone, PartialEq, Eq, Debug)]
#[template(path = "part/tick.html")]
pub struct Tick {
    /// Now, in domain time.
    pub now: Time,
    /// When the item was opened.
    pub opened: Time,
    /// The deadline.
    pub due: Time,
    /// What must happen by then.
    pub duty: Duty,
    /// The deadline in words, for when it is more than an hour away.
    pub by: By,
    /// An emergency that nobody has claimed.
    pub alarm: bool,
    /// Shown large, as the head of a page.
    pub large: bool,
}

impl HtmlSafe for Tick {}

/// How a ticker looks at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Face {
    class: &'static str,
    bold: String,
    rest: String,
    late: bool,
}

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

impl Tick {
    fn face(&self) -> Face {
        let left = self.due.0.saturating_sub(self.now.0);
        if left <= 0 {
            let bold = match -left {
                late if late < MINUTE => "Due now".to_owned(),
                late if late < HOUR => format!("{} min late", late / MINUTE),
                late if late < 48 * HOUR => format!("{} h late", late / HOUR),
                late => format!("{} days late", late / (24 * HOUR)),
            };
            return Face { class: " tick-late", bold, rest: String::new(), late: true };
        }
        let class = if self.alarm {
            " tick-now"
        } else if left.saturating_mul(3) <= self.due.0.saturating_sub(self.opened.0) {
            " tick-soon"
        } else {
            ""
        };
        let (bold, rest) = if left < 10 * MINUTE {
            (format!("{}:{:02}", left / MINUTE, left % MINUTE / SECOND), self.duty.words().to_owned())
        } else if left <= HOUR {
            (format!("{} min", left / MINUTE), self.duty.words().to_owned())
        } else {
            (self.by.day.clone(), self.by.rest.clone())
        };
        Face { class, bold, rest, late: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(left_seconds: i64, window_minutes: i64, alarm: bool) -> Tick {
        let now = Time(1_773_152_640_000);
        let due = Time(now.0 + left_seconds * SECOND);
        let by = By { day: "Today".to_owned(), rest: "by 16:30".to_owned() };
        Tick { now, due, opened: Time(due.0 - window_minutes * MINUTE), duty: Duty::Claim, by, alarm, large: false }
    }

    fn said(tick: &Tick) -> (String, &'static str) {
        let face = tick.face();
        (format!("{} {}", face.bold, face.rest).trim().to_owned(), face.class)
    }

    #[test]
    fn the_words_follow_the_time_that_is_left() {
        assert_eq!(said(&tick(192, 5, true)), ("3:12 to claim".to_owned(), " tick-now"));
        assert_eq!(said(&tick(18 * 60, 60, false)), ("18 min to claim".to_owned(), " tick-soon"));
        assert_eq!(said(&tick(3600, 60, false)), ("60 min to claim".to_owned(), ""));
        assert_eq!(said(&tick(6 * 3600, 1440, false)), ("Today by 16:30".to_owned(), " tick-soon"));
        assert_eq!(said(&tick(20 * 3600, 1440, false)), ("Today by 16:30".to_owned(), ""));
        assert_eq!(said(&tick(-20, 5, true)), ("Due now".to_owned(), " tick-late"));
        assert_eq!(said(&tick(-380, 5, true)), ("6 min late".to_owned(), " tick-late"));
        assert_eq!(said(&tick(-3 * 3600, 5, false)), ("3 h late".to_owned(), " tick-late"));
        assert_eq!(said(&tick(-72 * 3600, 5, false)), ("3 days late".to_owned(), " tick-late"));
    }

    #[test]
    fn less_than_a_second_short_of_a_minute_is_still_the_lower_number() {
        let mut short = tick(600, 60, false);
        short.now = Time(short.now.0 + 1);
        assert_eq!(said(&short).0, "9:59 to claim");
    }

    #[test]
    fn the_script_finds_the_numbers_to_repaint_from() {
        let html = tick(192, 5, true).to_string();
        assert!(html.contains("data-due=\"1773152832000\"") && html.contains("data-alarm"), "{html}");
    }
}
