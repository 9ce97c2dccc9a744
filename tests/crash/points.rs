//! A crash at every fail point: the process ends there, is started again, and everything is done once.

use std::collections::BTreeMap;
use std::ops::Range;
use std::process::Command;

use futures_util::StreamExt as _;
use futures_util::stream;
use porchlight::fault::POINTS;

use crate::base::On;
use crate::checker::{Found, check};
use crate::clinic::{Clinic, crashed, eventually, free_port, morning};
use crate::people::{script_of_ten, ten};
use crate::provider::{Provider, Script, die};
use crate::{client, full, tell};

/// Not a fail point of ours: the provider has read the request, has not answered, and we are killed.
const ON_THE_WIRE: &str = "send.requested";

/// What came of one crash.
struct Run {
    point: &'static str,
    crashes: usize,
    found: Found,
    /// From the restart until ready, and until something was sent again; in milliseconds.
    ready: i64,
    again: Option<i64>,
}

fn seeds() -> Range<u64> {
    let asked = std::env::var("PORCHLIGHT_CRASH_SEEDS").ok();
    match asked.as_deref().and_then(|text| text.split_once("..")) {
        Some((from, to)) => from.parse().expect("a seed")..to.parse().expect("a seed"),
        None => 0..if full() { 20 } else { 1 },
    }
}

/// What each start is told: where it ends. The first seed crashes at the first time, the others at a later one.
fn arms(point: &str, seed: u64) -> Vec<String> {
    let passes = match point.split('.').next().unwrap_or_default() {
        "writer" => 40,
        "send" | "hook" => 6,
        "claim" | "ack" | "desk" | "receipt" => 4,
        // They are passed once or twice.
        _ => 1,
    };
    let passed = if seed == 0 { 0 } else { die(&[seed, point.len() as u64]) % passes };
    let at =
        |point: &str, passed: u64| if passed == 0 { format!("{point}=return") } else { format!("{point}={passed}*off->return") };
    match point {
        // A lease is lost only where somebody crashed before.
        "lost.released" => vec![at("claim.committed", passed % 2), at(point, 0)],
        ON_THE_WIRE => vec![String::new()],
        _ => vec![at(point, passed)],
    }
}

async fn one(template: &Clinic, due: usize, point: &'static str, seed: u64) -> Run {
    let clinic = template.copy().await;
    let provider = Provider::open(script_of_ten(seed)).await;
    let (base, http, port) = (clinic.look(), client(), free_port());
    let mut crashes = 0;
    for arm in arms(point, seed) {
        let mut service = clinic.start(&provider, "all", &arm, port);
        provider.calls(vec![service.base.clone()]);
        if point == ON_THE_WIRE {
            let wanted = 1 + usize::try_from(seed % 7).expect("a small number");
            eventually("a request", || std::future::ready((provider.ledger().asked.len() >= wanted).then_some(()))).await;
            service.kill();
            crashes += 1;
            continue;
        }
        let stopping = point.starts_with("stop.");
        if stopping {
            clinic.drained(&base, &provider).await;
            service.signal("TERM");
        }
        let ended = eventually(point, || {
            let ended = service.state();
            let (clinic, base, provider) = (&clinic, &base, &provider);
            async move {
                match ended {
                    Some(status) => Some(Some(status)),
                    None => (!stopping && clinic.done(base, provider).await).then_some(None),
                }
            }
        })
        .await;
        match ended {
            Some(status) if crashed(status) => crashes += 1,
            Some(status) => assert!(status.success(), "{point}, seed {seed}: it ended with {status}\n{}", clinic.logs()),
            // With a later seed it may pass there less often.
            None => assert_ne!(seed, 0, "{point} was never reached\n{}", clinic.logs()),
        }
    }

    let mut service = clinic.start(&provider, "all", "", port);
    let ready = service.ready(&http).await;
    clinic.drained(&base, &provider).await;
    let again = provider.ledger().asked.iter().find(|a| a.at >= service.started).map(|a| a.at - service.started);
    service.signal("TERM");
    assert!(service.ended().await.success(), "{point}, seed {seed}: it does not stop in peace\n{}", clinic.logs());
    let ledger = provider.ledger().clone();
    let mut found = check(&base, &ledger, due).await;
    base.close().await;
    clinic.expect_no_panic();
    for breach in &mut found.broken {
        *breach = format!("{point}, seed {seed}: {breach}");
    }
    Run { point, crashes, found, ready, again }
}

async fn every_point(on: On) {
    let template = Clinic::new(on).await;
    let nobody = Provider::open(Script::default()).await;
    let app = template.inside(&nobody, morning()).await;
    let due = ten(&app, &template.zone).await;
    app.shut_down().await;

    let points = POINTS.iter().copied().chain([ON_THE_WIRE]);
    let cases: Vec<(&'static str, u64)> = points.flat_map(|point| seeds().map(move |seed| (point, seed))).collect();
    let total = cases.len();
    let mut of: BTreeMap<&str, Vec<Run>> = BTreeMap::new();
    let template = &template;
    // Most of a run is waiting for a lease.
    let together = if full() { 12 } else { 6 };
    let mut runs = stream::iter(cases).map(|(point, seed)| one(template, due, point, seed)).buffer_unordered(together);
    let mut done = 0;
    while let Some(run) = runs.next().await {
        done += 1;
        if done % 100 == 0 {
            tell(format_args!("{on:?}: {done} of {total} runs"));
        }
        of.entry(run.point).or_default().push(run);
    }
    report(on, &of);
}

/// The middle of some times and the longest, in milliseconds.
fn middle(mut times: Vec<i64>) -> String {
    times.sort_unstable();
    match times.last() {
        Some(longest) => format!("{}/{longest}", times[times.len() / 2]),
        None => "-".to_owned(),
    }
}

fn report(on: On, of: &BTreeMap<&str, Vec<Run>>) {
    tell(format_args!(
        "\n{on:?}: a crash at every fail point, seeds {:?}\n{:<20} {:>5} {:>8} {:>9} {:>5} {:>11} {:>8} {:>13} {:>13}",
        seeds(),
        "fail point",
        "runs",
        "crashes",
        "messages",
        "lost",
        "duplicated*",
        "unknown",
        "ready ms",
        "sending ms"
    ));
    let mut all = Found::default();
    for point in POINTS.iter().copied().chain([ON_THE_WIRE]) {
        let Some(runs) = of.get(point) else { continue };
        let mut found = Found::default();
        for run in runs {
            found.add(&run.found);
        }
        tell(format_args!(
            "{point:<20} {:>5} {:>8} {:>9} {:>5} {:>11} {:>8} {:>13} {:>13}",
            runs.len(),
            runs.iter().map(|r| r.crashes).sum::<usize>(),
            found.messages,
            found.lost,
            format!("{}/{}", found.duplicated, found.unexplained),
            found.unknown,
            middle(runs.iter().map(|r| r.ready).collect()),
            middle(runs.iter().filter_map(|r| r.again).collect()),
        ));
        all.add(&found);
    }
    tell(format_args!("* all/without a recorded doubt. Times: middle/longest, from the restart.\n{on:?}: {all}"));
    all.expect_sound("crashes at fail points");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_every_point_on_sqlite() {
    every_point(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_every_point_on_postgres() {
    every_point(On::Postgres).await;
}

/// There are at least five and twenty, each named once.
#[test]
fn the_points_are_many_and_named_once() {
    let mut names = POINTS.to_vec();
    names.sort_unstable();
    names.dedup();
    assert!(names.len() == POINTS.len() && names.len() >= 25, "{POINTS:?}");
}

/// A service that is built to be used cannot be crashed: the fail points are a feature of the tests alone.
#[test]
fn what_is_released_has_no_fail_points() {
    let tree = |edges: &str| {
        let asked = Command::new(env!("CARGO"))
            .args(["tree", "--offline", "--locked", "--invert", "fail", "--format", "{p} {f}", "--edges", edges])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo");
        assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
        String::from_utf8_lossy(&asked.stdout).into_owned()
    };
    assert!(tree("normal,dev").contains("failpoints"), "the tests have them");
    let released = tree("normal");
    assert!(released.contains("fail v") && !released.contains("failpoints"), "{released}");
}
