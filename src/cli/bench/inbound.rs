//! A burst of callbacks: to the durable 200, and on to triaged, answered and escalated.

use std::time::{Duration, Instant};

use serde_json::json;

use super::super::Failure;
use super::machine::stopwatch;
use super::sink::{Sink, burst};
use super::world::{LOOK, SECRET, World};
use super::{machine, note, round};
use crate::app::{Role, listen};
use crate::model::Severity;
use crate::store::Location;
use crate::store::escalations;

/// What people answer: most are numbers and thanks, one in fifty concerns somebody.
const REPLIES: [&str; 10] = ["181", "yes", "182.4", "gracias", "180 lb", "ok thank you", "179.5", "C", "da", "183"];
const CONCERNING: &str = "my ankles are swollen and I feel dizzy since yesterday";
const EMERGENCY: &str = "I can't breathe and my chest hurts";

pub(super) async fn run(messages: usize, database: Option<Location>, connections: usize) -> Result<String, Failure> {
    let sink = Sink::start()?;
    let mut world = World::begin(database, &format!("http://{}/send", sink.address), 128).await?;
    note(format!("inventing {messages} patients"));
    world.enrol(messages, "heart-failure-weight").await?;

    // First everybody is asked, so that their replies answer something.
    world.due((0..messages).collect(), "weigh", 0).await?;
    while world.app.sweeper.tick().await? > 0 {}
    while world.app.worker.tick().await? > 0 {}
    let asked = sink.accepted();
    sink.reset();

    let listener = listen(([127, 0, 0, 1], 0).into()).await?;
    let address = listener.local_addr()?;
    let serving = world.app.clone();
    world.app.start(async move {
        let router = serving.router();
        if let Err(e) = serving.serve(listener, router).await {
            note(format!("the benchmark's own service ended: {e}"));
        }
    });

    note("to the durable 200, with nothing else at work");
    let half = messages / 2;
    let durable = burst(address, paths(&world, 0..half), connections).await?;

    note("to triaged, answered and escalated");
    let begun = stopwatch();
    world.app.work(Role::Worker);
    let read = drained(&world, begun, true).await?;
    let answered = drained(&world, begun, false).await?;
    let processed = half - durable.refused;

    note("a second burst into the working service, with one cry for help as its last");
    let mut second = paths(&world, half..messages);
    let last = world.people.len() - 1;
    second.pop();
    second.push(path(&world, last, EMERGENCY));
    let begun = stopwatch();
    let (storm, emergency) = tokio::join!(burst(address, second, connections), cry_heard(&world, last, begun));
    let (storm, emergency) = (storm?, emergency?);
    drained(&world, begun, false).await?;
    let whole = begun.elapsed();

    #[expect(clippy::cast_precision_loss, reason = "a count of replies")]
    let rate = |count: usize, took: Duration| round(count as f64 / took.as_secs_f64(), 0);
    let figures = json!({
        "bench": "inbound",
        "messages": messages,
        "connections": connections,
        "asked_before": asked,
        "durable": {
            "stored": durable.waits.len(), "refused": durable.refused,
            "per_second": rate(durable.waits.len(), durable.took),
            "p50_ms": round(durable.percentile(0.5), 2), "p99_ms": round(durable.percentile(0.99), 2),
            "max_ms": round(durable.percentile(1.0), 2),
        },
        "processed": {
            "replies": processed,
            "triaged_and_escalated_per_second": rate(processed, read),
            "and_answered_per_second": rate(processed, answered),
        },
        "burst": {
            "stored": storm.waits.len(), "refused": storm.refused,
            "per_second": rate(storm.waits.len(), storm.took),
            "p99_ms": round(storm.percentile(0.99), 2),
            "last_is_in_the_queue_after_seconds": round(emergency.as_secs_f64(), 3),
            "of_which_after_the_last_200_seconds": round(emergency.saturating_sub(storm.took).as_secs_f64(), 3),
            "all_done_per_second": rate(storm.waits.len(), whole),
        },
        "memory_mib": machine::memory().map(|m| m.1),
        "rows": world.counts().await?,
    });
    let line = world.report(figures).await?;
    world.app.shut_down().await;
    Ok(line)
}

/// Looks into the queue until the cry for help of one patient stands in it.
async fn cry_heard(world: &World, person: usize, begun: Instant) -> Result<Duration, Failure> {
    while begun.elapsed() < Duration::from_secs(300) {
        tokio::time::sleep(LOOK).await;
        let mut tx = world.app.db.read().await?;
        let items = escalations::unresolved(&mut tx, &[world.people[person].patient.0]).await?;
        if items.iter().any(|item| item.severity == Severity::Emergency.as_str()) {
            return Ok(begun.elapsed());
        }
    }
    Err(Failure("the cry for help did not reach the queue within 300 s".into()))
}

/// Waits until no reply waits any more, and unless `read_only` no message is on its way out either.
async fn drained(world: &World, begun: Instant, read_only: bool) -> Result<Duration, Failure> {
    loop {
        let (to_go, waiting) = world.progress().await?;
        if waiting == 0 && (read_only || to_go == 0) {
            return Ok(begun.elapsed());
        }
        if begun.elapsed() > Duration::from_secs(600) {
            return Err(Failure(format!("after 600 s {waiting} replies wait and {to_go} messages are to go")));
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn paths(world: &World, which: std::ops::Range<usize>) -> Vec<String> {
    which.map(|n| path(world, n, if n % 50 == 49 { CONCERNING } else { REPLIES[n % REPLIES.len()] })).collect()
}

fn path(world: &World, n: usize, text: &str) -> String {
    let from = world.people[n].address.replace('+', "%2B");
    let text = text.replace(' ', "+").replace('\'', "%27");
    format!("/hooks/sms/inbound?key={SECRET}&from={from}&text={text}&id=bench-{n}")
}
