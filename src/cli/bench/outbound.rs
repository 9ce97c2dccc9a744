//! From due occurrences to messages that the provider has accepted and the database has recorded.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use serde_json::json;

use super::super::Failure;
use super::machine::stopwatch;
use super::sink::Sink;
use super::world::{LOOK, World};
use super::{machine, note, round};
use crate::app::Role;
use crate::gateway::Outgoing;
use crate::model::{Address, Id};
use crate::store::Location;

pub(super) async fn run(
    messages: usize,
    to: Option<String>,
    database: Option<Location>,
    in_flight: usize,
    questions: bool,
) -> Result<String, Failure> {
    let sink = if to.is_none() { Some(Sink::start()?) } else { None };
    let to = to.unwrap_or_else(|| sink.as_ref().map(|s| format!("http://{}/send", s.address)).unwrap_or_default());
    let mut world = World::begin(database, &to, in_flight).await?;
    note(format!("inventing {messages} patients"));
    let (protocol, step) = if questions { ("heart-failure-weight", "weigh") } else { ("appointment-reminders", "t-1") };
    world.enrol(messages, protocol).await?;
    if questions {
        world.due((0..messages).collect(), step, 0).await?;
    } else {
        world.book(step).await?;
    }

    note("the bare loop: the same requests, nothing written");
    let bare = bare(&world, messages.clamp(1_000, 20_000), in_flight).await;
    if let Some(sink) = &sink {
        sink.reset();
    }

    note("the service");
    let cpu = machine::cpu_seconds();
    let begun = stopwatch();
    world.app.work(Role::Worker);
    let mut told = begun;
    let seconds = loop {
        tokio::time::sleep(LOOK).await;
        // The provider's count is free; the database is asked only when all may be done.
        let sent = sink.as_ref().is_none_or(|sink| sink.accepted() >= messages);
        if sent && world.progress().await?.0 == 0 && accepted(&world).await? >= messages {
            break begun.elapsed().as_secs_f64();
        }
        if told.elapsed() > Duration::from_secs(5) {
            told = stopwatch();
            note(format!("{} of {messages} accepted", accepted(&world).await?));
        }
        if begun.elapsed() > Duration::from_secs(900) {
            return Err(Failure(format!("after 900 s only {} of {messages} are accepted", accepted(&world).await?)));
        }
    };
    let cpu = machine::cpu_seconds().zip(cpu).map(|(after, before)| after - before);
    let counts = world.counts().await?;
    #[expect(clippy::cast_precision_loss, reason = "a count of messages")]
    let per_second = messages as f64 / seconds;
    let mut figures = json!({
        "bench": "outbound",
        "messages": messages,
        "kind": if questions { "daily question" } else { "visit reminder" },
        "in_flight": in_flight,
        "seconds": round(seconds, 3),
        "per_second": round(per_second, 0),
        "bare_per_second": round(bare, 0),
        "ratio": round(per_second / bare, 3),
        "cpu_seconds": cpu.map(|s| round(s, 2)),
        "memory_mib": machine::memory().map(|m| m.1),
        "rows": counts,
    });
    if let Some(sink) = &sink {
        figures["provider"] = json!({ "accepted": sink.accepted(), "distinct": sink.distinct() });
    }
    let line = world.report(figures).await?;
    world.app.shut_down().await;
    Ok(line)
}

async fn accepted(world: &World) -> Result<usize, Failure> {
    let counts = world.counts().await?;
    Ok(counts["accepted"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0))
}

/// The same client, the same provider, as many requests at once, and nothing else: messages a second.
async fn bare(world: &World, messages: usize, in_flight: usize) -> f64 {
    let ways = Arc::clone(&world.app.ways);
    let one = |n: usize| {
        let ways = Arc::clone(&ways);
        async move {
            let text = "Harbor Street: a time is reserved for you on Wed, Nov 18 at 12:00 PM. Reply C to confirm, R to reschedule, X if you can't come.";
            let outgoing = Outgoing::plain((Id(1), 1), Address::new("+12015550100"), text, format!("bare{n:022}"));
            match ways.named("sms") {
                Some(gateway) => gateway.send(&outgoing).await.is_ok(),
                None => false,
            }
        }
    };
    let begun = stopwatch();
    let mut under_way: FuturesUnordered<_> = (0..in_flight.min(messages)).map(one).collect();
    let mut next = under_way.len();
    let mut done = 0_usize;
    while let Some(ok) = under_way.next().await {
        done += usize::from(ok);
        if next < messages {
            under_way.push(one(next));
            next += 1;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of messages")]
    let per_second = done as f64 / begun.elapsed().as_secs_f64();
    per_second
}
