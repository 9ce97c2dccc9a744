//! How fast replies are read, on one core: rules and statistical reader together, and what a very long text costs.

use std::path::PathBuf;

use serde_json::json;

use super::super::Failure;
use super::machine::{self, cpu_seconds, stopwatch};
use super::round;
use crate::triage::eval::read;
use crate::triage::{Context, Triage};

/// The replies of the tests: some of each severity in every language.
const REPLIES: &str = include_str!("../../../tests/data/triage.jsonl");

/// Characters of the short and of the ten times longer text that are compared.
const SHORT: usize = 1_000;

pub(super) fn run(messages: usize, file: Option<PathBuf>) -> Result<String, Failure> {
    let begun = stopwatch();
    let triage = Triage::embedded()?;
    let ready = begun.elapsed();
    let cases = match file {
        Some(file) => read(&file.display().to_string(), &std::fs::read_to_string(&file)?)?,
        None => read("tests/data/triage.jsonl", REPLIES)?,
    };
    if cases.is_empty() {
        return Err(Failure("the file holds no reply".to_owned()));
    }
    let begun = (stopwatch(), cpu_seconds());
    let mut raised = 0_usize;
    for case in cases.iter().cycle().take(messages) {
        raised += usize::from(case.verdict(&triage).severity >= crate::model::Severity::Urgent);
    }
    let (wall, cpu) = (begun.0.elapsed().as_secs_f64(), begun.1.zip(cpu_seconds()).map(|(from, to)| to - from));
    #[expect(clippy::cast_precision_loss, reason = "a count of replies")]
    let count = messages as f64;
    let long = |letters: usize| {
        let text: String = cases.iter().flat_map(|case| case.text.chars().chain([' '])).cycle().take(letters).collect();
        let mut took: Vec<f64> = (0..9)
            .map(|_| {
                let begun = stopwatch();
                let _verdict = triage.assess(&text, &Context::default());
                begun.elapsed().as_secs_f64()
            })
            .collect();
        took.sort_by(f64::total_cmp);
        took[took.len() / 2]
    };
    let (short, tenfold) = (long(SHORT), long(SHORT * 10));
    let figures = json!({
        "bench": "triage", "replies": messages, "raised": raised,
        "seconds": round(wall, 2), "cpu_seconds": cpu.map(|s| round(s, 2)),
        "per_second": round(count / wall, 0), "per_cpu_second": cpu.map(|s| round(count / s, 0)),
        "microseconds": round(wall / count * 1e6, 1),
        "ready_ms": round(ready.as_secs_f64() * 1000.0, 1),
        "long_ms": { "1000_characters": round(short * 1000.0, 2), "10000_characters": round(tenfold * 1000.0, 2) },
        "memory_mib": machine::memory().map(|(now, most)| json!({ "now": now, "most": most })),
        "machine": machine::describe(),
    });
    Ok(figures.to_string())
}
