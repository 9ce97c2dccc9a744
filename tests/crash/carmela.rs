//! Story 25: nine o'clock, and the process dies. Twelve hundred patients are due; a neighbour's cry for help has been answered 200
//! and not been read; some messages are on the wire. Not told yet: the delivery page saying for how long a text was in doubt, and
//! a provider that can be asked what it has.

use std::collections::HashMap;
use std::time::Duration;

use crate::base::On;
use crate::checker::check;
use crate::clinic::{Clinic, eventually, free_port, morning};
use crate::people::{phone, visits_tomorrow};
use crate::provider::{Provider, Reply, Script};
use crate::{client, rows, tell};

const PATIENTS: usize = 1_200;

async fn nine_o_clock(on: On) {
    let clinic = Clinic::new(on).await;
    let everybody = (0..PATIENTS).map(phone).collect();
    let provider = Provider::open(Script { silent: everybody, latency: Duration::from_millis(100), ..Script::default() }).await;
    let app = clinic.inside(&provider, morning()).await;
    let due = visits_tomorrow(&app, &clinic.zone, PATIENTS).await;
    app.shut_down().await;
    let (base, http, port) = (clinic.look(), client(), free_port());
    let pino = phone(PATIENTS - 1);

    // 9:00:03. Pino writes; the row is stored and answered, and the desk has just laid its hand on it.
    let mut service = clinic.start(&provider, "all", "desk.taken=sleep(60000)", port);
    provider.calls(vec![service.base.clone()]);
    eventually("500 texts", || std::future::ready((provider.ledger().accepted() >= 500).then_some(()))).await;
    provider.writes(&pino, Reply { on: "", text: "non riesco a respirare".into(), cry: true }, "pino-1");
    eventually("his 200", || std::future::ready((provider.ledger().pending() == 0).then_some(()))).await;

    // 9:00:04. kill -9.
    service.kill();
    let states = rows!(&base, (String, i64), "SELECT state, CAST(COUNT(*) AS BIGINT) FROM message GROUP BY state");
    let states: HashMap<String, i64> = states.expect("the outbox").into_iter().collect();
    let of = |state: &str| states.get(state).copied().unwrap_or(0);
    let in_flight = rows!(
        &base,
        (String, String),
        "SELECT c.address, a.reference FROM message m JOIN attempt a ON a.message_id = m.id JOIN contact c ON c.id = m.contact_id
          WHERE m.state = 'sending'"
    );
    let in_flight = in_flight.expect("the outbox");
    let (taken, not_taken): (Vec<_>, Vec<_>) =
        in_flight.into_iter().partition(|(_, reference)| provider.ledger().asked.iter().any(|a| a.reference == *reference));
    assert!(!taken.is_empty(), "nothing was on the wire: {states:?}");
    assert!(of("queued") > 400 && of("accepted") > 300, "{states:?}");
    let unread = "SELECT CAST(COUNT(*) AS BIGINT) FROM inbox WHERE state = 'new'";
    assert_eq!(base.count(unread).await, 1, "Pino's words are stored, and nobody has read them");
    let carmela = taken[0].0.clone();

    // 9:00:10. Somebody else's reply finds nobody; the provider tries again.
    provider.writes(&phone(0), Reply { on: "", text: "can somebody call me about my ride".into(), cry: false }, "ride-1");
    eventually("a try", || {
        let ledger = provider.ledger();
        std::future::ready(ledger.hooks.iter().any(|h| h.answered_at.is_none() && !h.answers.is_empty()).then_some(()))
    })
    .await;

    // 9:00:20. Up again, and the carrier reports what it has delivered.
    let mut service = clinic.start(&provider, "all", "", port);
    let ready = service.ready(&http).await;
    provider.reports();
    eventually("sending", || {
        let ledger = provider.ledger();
        std::future::ready(ledger.asked.last().is_some_and(|a| a.at >= service.started).then_some(()))
    })
    .await;
    let again = provider.ledger().asked.iter().find(|a| a.at >= service.started).map_or(0, |a| a.at - service.started);
    clinic.drained(&base, &provider).await;
    service.signal("TERM");
    assert!(service.ended().await.success(), "it does not stop in peace\n{}", clinic.logs());

    // Pino: an emergency, due five minutes after his words came; the crisis reply went out, in Italian.
    let item = rows!(
        &base,
        (String, i64, i64),
        "SELECT e.severity, e.due_at, i.received_at FROM escalation e JOIN inbox i ON i.id = e.inbox_id WHERE i.dedupe = 'sms:pino-1'"
    );
    let item = item.expect("the item");
    assert_eq!(item.len(), 1, "{item:?}");
    assert_eq!((item[0].0.as_str(), item[0].1 - item[0].2), ("emergency", 300_000), "counted from when he wrote");
    let ledger = provider.ledger().clone();
    let texts = |phone: &str| {
        ledger.asked.iter().filter(|a| a.to == phone && a.answer.accepts()).map(|a| a.text.as_str()).collect::<Vec<_>>()
    };
    let to_pino = texts(&pino);
    assert!(to_pino.len() == 1 && to_pino[0].contains("911"), "{to_pino:?}");

    // Everybody has one text, those who were in doubt too: what was taken was reported, what was not went again.
    for (who, _) in taken.iter().chain(&not_taken) {
        let reminders = texts(who).iter().filter(|t| !t.contains("hear")).count();
        assert!(reminders >= 1, "{who} has no text");
    }
    assert_eq!(texts(&carmela).len(), if carmela == phone(0) { 2 } else { 1 }, "Carmela has one text");
    let delivered =
        base.count("SELECT CAST(COUNT(*) AS BIGINT) FROM message WHERE class = 'reminder' AND state = 'delivered'").await;
    assert_eq!(delivered, i64::try_from(due).expect("a count"));
    let found = check(&base, &ledger, due).await;
    base.close().await;
    clinic.expect_no_panic();
    tell(format_args!(
        "\n{on:?}: nine o'clock: {} accepted, {} on the wire and taken, {} claimed and not taken, {} not begun; ready {ready} ms and \
         sending {again} ms after the restart\n  {found}",
        of("accepted"),
        taken.len(),
        not_taken.len(),
        of("queued"),
    ));
    found.expect_sound("nine o'clock");
    assert_eq!(found.duplicated, 0, "nobody has a second text");
}

#[tokio::test(flavor = "multi_thread")]
async fn carmela_on_sqlite() {
    nine_o_clock(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn carmela_on_postgres() {
    nine_o_clock(On::Postgres).await;
}
