//! What a tick costs among few and among many: it must depend on what is due, not on who is enrolled.

use std::time::Duration;

use serde_json::json;

use super::super::Failure;
use super::machine::stopwatch;
use super::sink::Sink;
use super::world::{LOOK, World};
use super::{machine, note, round};
use crate::app::Role;
use crate::store::Location;

/// Timers due in each round.
const DUE: usize = 1_000;
/// How long the resting service is watched.
const AT_REST: Duration = Duration::from_secs(5);

pub(super) async fn run(enrolments: &[usize], database: Option<Location>, rounds: usize) -> Result<String, Failure> {
    if enrolments.iter().any(|n| *n < DUE) || enrolments.is_empty() {
        return Err(Failure(format!("--enrolments: give numbers of at least {DUE}, rising")));
    }
    let sink = Sink::start()?;
    let mut world = World::begin(database, &format!("http://{}/send", sink.address), 128).await?;
    let mut steps = Vec::new();
    let mut day = 0;
    for count in enrolments {
        note(format!("inventing patients up to {count}"));
        world.enrol(*count, "heart-failure-weight").await?;
        let mut took = Vec::new();
        for round in 0..rounds + 2 {
            // Spread over all of them, and another date each time.
            let stride = count / DUE;
            world.due((0..DUE).map(|n| n * stride + round % stride).collect(), "weigh", day).await?;
            day += 1;
            let begun = stopwatch();
            let mut fired = 0;
            loop {
                match world.app.sweeper.tick().await? {
                    0 => break,
                    n => fired += n,
                }
            }
            // The first two rounds warm caches.
            if round >= 2 {
                took.push(begun.elapsed());
            }
            if fired != DUE {
                return Err(Failure(format!("{fired} timers fired where {DUE} were due")));
            }
        }
        took.sort_unstable();
        let ms = |at: usize| round(took[at.min(took.len() - 1)].as_secs_f64() * 1000.0, 2);
        steps.push(json!({ "enrolments": count, "median_ms": ms(took.len() / 2), "min_ms": ms(0), "max_ms": ms(took.len()) }));
    }
    let median = |step: &serde_json::Value| step["median_ms"].as_f64().unwrap_or(f64::NAN);
    let growth = steps.first().zip(steps.last()).map(|(first, last)| round(median(last) / median(first), 2));
    let figures = json!({
        "bench": "tick", "due": DUE, "rounds": rounds, "steps": steps, "last_over_first": growth,
        "at_rest": at_rest(&world).await?, "memory_mib": machine::memory().map(|m| m.0), "memory_peak_mib": machine::memory().map(|m| m.1),
    });
    let line = world.report(figures).await?;
    world.app.shut_down().await;
    Ok(line)
}

/// What the service costs when nothing is due: processor time in hundredths of one core, over a few seconds.
async fn at_rest(world: &World) -> Result<serde_json::Value, Failure> {
    // First what the rounds have planned goes out; then the loops that look for work are what is watched.
    world.app.work(Role::Worker);
    while world.progress().await?.0 > 0 {
        tokio::time::sleep(LOOK).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = machine::cpu_seconds();
    tokio::time::sleep(AT_REST).await;
    let used = machine::cpu_seconds().zip(before).map(|(after, before)| after - before);
    Ok(json!({ "cpu_percent": used.map(|s| round(100.0 * s / AT_REST.as_secs_f64(), 2)), "watched_seconds": AT_REST.as_secs() }))
}
