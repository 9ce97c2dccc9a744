//! Two workers and two webs on one database: one worker is killed in the middle, one is stopped past its lease and goes on.

use std::time::Duration;

use crate::base::{Base, On};
use crate::checker::check;
use crate::clinic::{Clinic, Service, eventually, free_port, morning};
use crate::people::{campaign, replies_of_campaign};
use crate::provider::{Provider, Script, now};
use crate::{client, full, rows, tell};

/// The messages of a node that have ended, by a receipt or with a person; those of which the word of a provider is still the last.
const ENDED: &str = "SELECT DISTINCT m.id FROM message m JOIN attempt a ON a.message_id = m.id
    WHERE m.state IN ('sent', 'delivered', 'read', 'failed', 'unknown') AND a.lease_owner = (SELECT owner FROM node WHERE id = $1)";
const AT_WORK: &str = "SELECT DISTINCT m.id FROM message m JOIN attempt a ON a.message_id = m.id
    WHERE m.state IN ('queued', 'sending', 'accepted') AND a.lease_owner = (SELECT owner FROM node WHERE id = $1)";

/// The number under which a process makes its ids, once it works.
async fn node(service: &Service) -> i64 {
    eventually("a worker to start", || {
        let log = std::fs::read_to_string(&service.log).unwrap_or_default();
        let told = log.split("node=").nth(1).and_then(|rest| rest.lines().next()?.trim().parse().ok());
        std::future::ready(told)
    })
    .await
}

/// The attempts of a node: reference, outcome, and when that was written.
async fn attempts(base: &Base, node: i64) -> Vec<(String, String, i64)> {
    const OF: &str = "SELECT reference, outcome, COALESCE(ended_at, 0) FROM attempt
        WHERE lease_owner = (SELECT owner FROM node WHERE id = $1)";
    rows!(base, (String, String, i64), OF, node).expect("the attempts")
}

async fn accepted(provider: &Provider, at_least: usize) {
    // A hundred thousand take longer than anything else here: as long as there is progress, it is waited for.
    let mut before = 0;
    while before < at_least {
        let wanted = at_least.min(before + 200);
        eventually("messages to go out", || std::future::ready((provider.ledger().accepted() >= wanted).then_some(()))).await;
        before = provider.ledger().accepted();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_one_killed_one_paused() {
    let (people, more) = if full() { (10_000, 9) } else { (400, 4) };
    let messages = people * (more + 1);
    let clinic = Clinic::new(On::Postgres).await;
    let latency = Duration::from_millis(20);
    let provider = Provider::open(Script { replies: replies_of_campaign(people), latency, ..Script::default() }).await;
    let app = clinic.inside(&provider, morning()).await;
    let due = campaign(&app, &clinic.zone, people, more).await;
    app.shut_down().await;
    let (base, http, hooks) = (clinic.look(), client(), free_port());
    let mut webs = [clinic.start(&provider, "web", "", hooks), clinic.start(&provider, "web", "", free_port())];
    for web in &mut webs {
        web.ready(&http).await;
    }
    provider.calls(webs.iter().map(|w| w.base.clone()).collect());
    let begun = now();
    // Receipts are asked for at the first web's address; the carrier brings them to both in turn.
    let mut killed = clinic.start(&provider, "worker", "", hooks);
    let mut paused = clinic.start(&provider, "worker", "", hooks);
    node(&killed).await;
    let number = node(&paused).await;

    accepted(&provider, messages / 4).await;
    killed.kill();
    let mut instead = clinic.start(&provider, "worker", "", hooks);
    tell(format_args!("two nodes: one killed at {} of {messages}", provider.ledger().accepted()));

    accepted(&provider, messages / 2).await;
    paused.signal("STOP");
    // The other works on, finds the lease run out, and follows up each doubt by the rule of its class.
    let lost = eventually("the paused worker's messages to be followed up", || async {
        const HELD: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM message WHERE state = 'sending'
            AND lease_owner = (SELECT owner FROM node WHERE id = $1)";
        const OPEN: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM timer w JOIN attempt a ON a.message_id = w.subject
            WHERE w.kind = 'doubt' AND a.lease_owner = (SELECT owner FROM node WHERE id = $1)";
        let held = rows!(&base, (i64,), HELD, number).expect("the leases")[0].0;
        let lost: Vec<_> = attempts(&base, number).await.into_iter().filter(|a| a.1 == "unknown").collect();
        let open = rows!(&base, (i64,), OPEN, number).expect("the doubts")[0].0;
        (held == 0 && open == 0 && !lost.is_empty()).then_some(lost)
    })
    .await;
    let ended = rows!(&base, (i64,), ENDED, number).expect("the messages");
    let resumed = now();
    let before = provider.ledger().asked.len();
    paused.signal("CONT");
    tell(format_args!("two nodes: one paused until {} of its messages were in doubt", lost.len()));

    while !clinic.done(&base, &provider).await {
        let events = provider.events();
        let wait = || async { (provider.events() > events || clinic.done(&base, &provider).await).then_some(()) };
        eventually("progress", wait).await;
    }
    let took = now() - begun;
    for service in webs.iter_mut().chain([&mut paused, &mut instead]) {
        service.signal("TERM");
        assert!(service.ended().await.success(), "it does not stop in peace\n{}", clinic.logs());
    }
    let ledger = provider.ledger().clone();
    let after = attempts(&base, number).await;
    // What it wrote after the pause stands on its attempts, and has moved no message that had ended.
    let at_work = rows!(&base, (i64,), AT_WORK, number).expect("the messages");
    let moved: Vec<_> = ended.iter().filter(|m| at_work.contains(m)).collect();
    let late_words: Vec<&str> =
        after.iter().filter(|a| a.2 >= resumed && lost.iter().any(|l| l.0 == a.0)).map(|a| a.1.as_str()).collect();
    let of = |what: &str| late_words.iter().filter(|o| **o == what).count();
    let late = ledger.asked[before..].iter().filter(|a| lost.iter().any(|l| l.0 == a.reference) && a.at >= resumed).count();
    let found = check(&base, &ledger, due).await;
    base.close().await;
    clinic.expect_no_panic();
    tell(format_args!(
        "\nPostgres: two workers, two webs, {messages} messages in {took} ms; one worker killed, one paused past its lease\n  {found}\n  \
         the paused worker had lost {} messages and acknowledged {} of them too late: {} not sent, since it looked at its lease \
         first, {} accepted, {} without a usable answer; {late} went on the wire after the pause",
        lost.len(),
        late_words.len(),
        of("busy"),
        of("accepted"),
        of("unknown"),
    ));
    found.expect_sound("two nodes");
    assert!(moved.is_empty(), "late words have moved {moved:?}");
    assert!(ended.len() >= lost.len() / 2, "of {} lost messages hardly any had ended: {}", lost.len(), ended.len());
    assert!(!late_words.is_empty(), "the paused worker did not come back\n{}", clinic.logs());
    assert_eq!(late_words.len(), lost.len(), "it did not acknowledge them all\n{}", clinic.logs());
}
