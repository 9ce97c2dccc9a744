//! Charts as inline SVG, worked out from the points alone: a line of readings, a bar for each week of a goal, and the
//! small line in a list. Each says in a sentence what it shows; a missing day stays a gap.

use std::fmt::Write as _;

use askama::Template;
use askama::filters::HtmlSafe;

/// One day of a chart.
#[derive(Clone, PartialEq, Debug)]
pub struct ChartPoint {
    /// The day in words: `25 Feb`, `today`.
    pub label: String,
    /// The reading, in the chart's unit; nothing when there was none.
    pub value: Option<f64>,
    /// Whether the reading is over a threshold.
    pub hot: bool,
}

/// A line that readings are compared with.
#[derive(Clone, PartialEq, Debug)]
pub struct Level {
    /// What it is: `alert`, `goal`.
    pub word: String,
    /// Where it is, in the chart's unit.
    pub value: f64,
}

/// Readings over time.
#[derive(Template, Clone, PartialEq, Debug)]
#[template(path = "part/chart.html")]
pub struct Chart {
    /// A unique id on the page, of letters and digits.
    pub id: String,
    /// What is measured: `Weight`.
    pub what: String,
    /// The unit in the reader's words: `kg`.
    pub unit: String,
    /// Digits after the point (0–3).
    pub decimals: usize,
    /// The days, oldest first.
    pub points: Vec<ChartPoint>,
    /// The alert or goal line.
    pub level: Option<Level>,
    /// What the chart shows, in one sentence; worked out when there is none.
    pub sentence: Option<String>,
}

impl HtmlSafe for Chart {}

const TOP: f64 = 20.0;
const BOTTOM: f64 = 104.0;
const RIGHT: f64 = 307.5;

struct Dot {
    x: String,
    y: String,
    hot: bool,
}

struct Plot {
    left: String,
    path: String,
    dots: Vec<Dot>,
    grid: Vec<(String, String, String)>,
    level: Option<(String, String, String)>,
    last: Option<(String, String)>,
    gap: Option<(String, String)>,
}

impl Chart {
    /// What the chart shows, in one sentence.
    #[must_use]
    pub fn title(&self) -> String {
        if let Some(sentence) = &self.sentence {
            return sentence.clone();
        }
        let values: Vec<f64> = self.points.iter().filter_map(|p| p.value).collect();
        let (Some(last), Some(first_day), Some(last_day)) = (values.last(), self.points.first(), self.points.last()) else {
            return format!("{}: no readings yet.", self.what);
        };
        let (low, high) = range(&values);
        let mut text = format!(
            "{} from {} to {}: {} to {} {}, last {}.",
            self.what,
            first_day.label,
            last_day.label,
            self.number(low),
            self.number(high),
            self.unit,
            self.number(*last)
        );
        let gaps = self.points.iter().filter(|p| p.value.is_none()).count();
        if gaps > 0 {
            let _ = write!(text, " {gaps} {} without a reading.", if gaps == 1 { "day" } else { "days" });
        }
        if let Some(level) = &self.level {
            let _ = write!(text, " The {} line is {}.", level.word, self.number(level.value));
        }
        text
    }

    /// A value with the chart's digits.
    #[must_use]
    pub fn number(&self, value: f64) -> String {
        format!("{value:.*}", self.decimals)
    }

    fn has_readings(&self) -> bool {
        self.points.iter().any(|p| p.value.is_some())
    }

    /// Day and value in words, newest first.
    fn table(&self) -> Vec<(&str, String)> {
        let words = |value: Option<f64>| value.map_or_else(|| "no reply".to_owned(), |v| self.number(v));
        self.points.iter().rev().map(|p| (p.label.as_str(), words(p.value))).collect()
    }

    fn plot(&self) -> Plot {
        let mut values: Vec<f64> = self.points.iter().filter_map(|p| p.value).collect();
        values.extend(self.level.as_ref().map(|l| l.value));
        let (low, high) = range(&values);
        let (base, step) = scale(low, high);
        let top = base + 2.0 * step;
        let y = |value: f64| BOTTOM - (value - base) / (top - base) * (BOTTOM - TOP);
        let grid_number = |value: f64| if step < 1.0 { format!("{value:.1}") } else { format!("{value:.0}") };
        let longest = [base, base + step, top].map(|v| grid_number(v).len()).into_iter().max().unwrap_or(2);
        let left = if longest > 3 { 40.0 } else { 28.0 };
        let xs = spread(self.points.len(), left, RIGHT);
        let mut dots = Vec::new();
        let mut last = None;
        let mut gap = None;
        let mut path = String::new();
        let mut drawing = false;
        for (point, x) in self.points.iter().zip(&xs) {
            if let Some(value) = point.value {
                let _ = write!(path, "{}{} {}", if drawing { "L" } else { "M" }, short(*x), short(y(value)));
                dots.push(Dot { x: short(*x), y: short(y(value)), hot: point.hot });
                last = Some((self.number(value), short((y(value) - 11.0).max(10.0))));
                drawing = true;
            } else {
                // A label in the middle third does not run into the first and the last day.
                if (110.0..=235.0).contains(x) {
                    gap = Some((short(*x), point.label.clone()));
                }
                drawing = false;
            }
        }
        let grid = [top, base + step, base].map(|v| (short(y(v)), short(y(v) + 4.0), grid_number(v)));
        let level =
            self.level.as_ref().map(|l| (short(y(l.value)), short(y(l.value) - 5.0), format!("{} {}", l.word, trimmed(l.value))));
        Plot { left: short(left - 4.0), path, dots, grid: grid.into(), level, last, gap }
    }
}

/// What a patient answered about a goal in one week.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GoalAnswer {
    /// Met.
    Met,
    /// In part.
    Partly,
    /// Not met.
    NotMet,
    /// No answer.
    NoReply,
}

/// The answers about a goal, week by week.
#[derive(Template, Clone, PartialEq, Eq, Debug)]
#[template(path = "part/goal.html")]
pub struct GoalWeeks {
    /// A unique id on the page, of letters and digits.
    pub id: String,
    /// The weeks in words with their answers, oldest first.
    pub weeks: Vec<(String, GoalAnswer)>,
}

impl HtmlSafe for GoalWeeks {}

struct Bar {
    x: String,
    y: String,
    width: String,
    height: String,
    met: bool,
}

impl GoalWeeks {
    /// What the chart shows, in one sentence.
    #[must_use]
    pub fn title(&self) -> String {
        let count = |answer| self.weeks.iter().filter(|(_, a)| *a == answer).count();
        let (met, partly, silent) = (count(GoalAnswer::Met), count(GoalAnswer::Partly), count(GoalAnswer::NoReply));
        let mut text = format!("Met in {met} of the last {} weeks", self.weeks.len());
        if partly > 0 {
            let _ = write!(text, ", in part in {partly}");
        }
        if silent > 0 {
            let _ = write!(text, ", no answer in {silent}");
        }
        text + "."
    }

    fn bars(&self) -> Vec<Bar> {
        let xs = spread(self.weeks.len(), 42.0, 294.0);
        let width = (200.0 / f64::from(u32::try_from(self.weeks.len().max(1)).unwrap_or(u32::MAX))).min(24.0);
        let bar = |((_, answer), x): (&(String, GoalAnswer), &f64)| {
            let height = match answer {
                GoalAnswer::Met => 48.0,
                GoalAnswer::Partly => 24.0,
                GoalAnswer::NotMet => 4.0,
                GoalAnswer::NoReply => return None,
            };
            Some(Bar {
                x: short(x - width / 2.0),
                y: short(60.0 - height),
                width: short(width),
                height: short(height),
                met: *answer == GoalAnswer::Met,
            })
        };
        self.weeks.iter().zip(&xs).filter_map(bar).collect()
    }
}

/// A small line for a list: 14 days in 72 × 20 px.
#[derive(Template, Clone, PartialEq, Debug)]
#[template(path = "part/spark.html")]
pub struct Spark {
    /// The readings, oldest first; gaps are nothing.
    pub values: Vec<Option<f64>>,
    /// Whether the last reading is over a threshold.
    pub hot: bool,
    /// What the line shows, in one sentence.
    pub sentence: String,
    /// The last value in words, beside the line: `76.4 kg`.
    pub last: String,
}

impl HtmlSafe for Spark {}

impl Spark {
    fn path_and_dot(&self) -> (String, Option<(String, String)>) {
        let known: Vec<f64> = self.values.iter().copied().flatten().collect();
        let (low, high) = range(&known);
        let (low, high) = if (high - low).abs() < f64::EPSILON { (low - 1.0, high + 1.0) } else { (low, high) };
        let xs = spread(self.values.len(), 2.0, 70.0);
        let mut path = String::new();
        let mut dot = None;
        let mut drawing = false;
        for (value, x) in self.values.iter().zip(&xs) {
            if let Some(value) = value {
                let y = 17.0 - (value - low) / (high - low) * 14.0;
                let _ = write!(path, "{}{} {}", if drawing { "L" } else { "M" }, short(*x), short(y));
                dot = Some((short(*x), short(y)));
            }
            drawing = value.is_some();
        }
        (path, dot)
    }
}

/// The lowest and the highest of some values; `(0, 0)` of none.
fn range(values: &[f64]) -> (f64, f64) {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low <= high { (low, high) } else { (0.0, 0.0) }
}

/// The lowest line and the step of a grid of three round lines that holds `low` and `high`.
fn scale(low: f64, high: f64) -> (f64, f64) {
    // (step, what the lowest line is a multiple of)
    let grids = [
        (0.5, 0.5),
        (1.0, 1.0),
        (2.0, 1.0),
        (3.0, 1.0),
        (5.0, 5.0),
        (10.0, 5.0),
        (20.0, 10.0),
        (50.0, 25.0),
        (100.0, 50.0),
        (200.0, 100.0),
        (500.0, 500.0),
    ];
    for (step, multiple) in grids {
        let base = (low / multiple).floor() * multiple;
        if base + 2.0 * step >= high {
            return (base, step);
        }
    }
    let step = ((high - low) / 2.0).max(0.5);
    (low, step)
}

/// `count` places from `from` to `to`, at equal distances; a single one stands at the end.
fn spread(count: usize, from: f64, to: f64) -> Vec<f64> {
    let number = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    let gaps = number(count.saturating_sub(1));
    (0..count).map(|n| if gaps > 0.0 { from + (to - from) * number(n) / gaps } else { to }).collect()
}

/// A coordinate with at most one digit after the point.
fn short(value: f64) -> String {
    trimmed((value * 10.0).round() / 10.0)
}

/// A number without needless zeros, at most two digits after the point.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(values: &[Option<f64>]) -> Chart {
        let point = |(n, value): (usize, &Option<f64>)| ChartPoint {
            label: format!("{} Mar", n + 1),
            value: *value,
            hot: value.is_some_and(|v| v > 76.0),
        };
        Chart {
            id: "w".to_owned(),
            what: "Weight".to_owned(),
            unit: "kg".to_owned(),
            decimals: 1,
            points: values.iter().enumerate().map(point).collect(),
            level: Some(Level { word: "alert".to_owned(), value: 76.0 }),
            sentence: None,
        }
    }

    #[test]
    fn a_day_without_a_reading_is_a_gap_in_the_line_and_is_said() {
        let chart = weights(&[Some(74.0), Some(74.2), None, Some(75.3), Some(76.4)]);
        let plot = chart.plot();
        assert_eq!(plot.path.matches('M').count(), 2, "{}", plot.path);
        assert_eq!(plot.dots.len(), 4);
        assert!(plot.dots.last().is_some_and(|d| d.hot));
        assert_eq!(
            chart.title(),
            "Weight from 1 Mar to 5 Mar: 74.0 to 76.4 kg, last 76.4. 1 day without a reading. The alert line is 76.0."
        );
    }

    #[test]
    fn every_point_and_the_alert_line_lie_inside_the_grid() {
        for values in [&[Some(74.0)][..], &[Some(120.0), Some(181.5)], &[Some(76.0), Some(76.0)], &[Some(3.1), Some(14.2)]] {
            let plot = weights(values).plot();
            let ys = plot.dots.iter().map(|d| d.y.clone()).chain(plot.level.map(|l| l.0));
            for y in ys {
                let y: f64 = y.parse().expect("a number");
                assert!((TOP..=BOTTOM).contains(&y), "{y} for {values:?}");
            }
        }
    }

    #[test]
    fn no_readings_give_a_sentence_and_no_line() {
        let chart = weights(&[None, None]);
        assert_eq!(chart.title(), "Weight: no readings yet.");
        assert!(!chart.to_string().contains("<svg"));
    }

    #[test]
    fn a_goal_says_how_often_it_was_met_and_a_silent_week_has_no_bar() {
        use GoalAnswer::{Met, NoReply, NotMet, Partly};
        let weeks = [Met, Partly, NoReply, NotMet, Met].map(|a| ("week".to_owned(), a)).to_vec();
        let goal = GoalWeeks { id: "g".to_owned(), weeks };
        assert_eq!(goal.title(), "Met in 2 of the last 5 weeks, in part in 1, no answer in 1.");
        assert_eq!(goal.bars().len(), 4);
    }

    #[test]
    fn a_small_line_of_equal_values_stays_in_its_box() {
        let spark =
            Spark { values: vec![Some(5.0), None, Some(5.0)], hot: false, sentence: "steady".to_owned(), last: "5".to_owned() };
        assert_eq!(spark.path_and_dot(), ("M2 10M70 10".to_owned(), Some(("70".to_owned(), "10".to_owned()))));
    }
}
