//! A campaign during which the process is killed again and again, at moments that nobody chose.

use porchlight::random::Dice;
use sqlx::{Connection as _, SqliteConnection};

use crate::base::On;
use crate::checker::check;
use crate::clinic::{Clinic, eventually, free_port, morning};
use crate::people::{campaign, phone, replies_of_campaign};
use crate::provider::{Provider, Script};
use crate::{client, full, tell};

async fn killed_at_random(on: On) {
    let (people, more, kills) = if full() { (1000, 9, 200) } else { (100, 4, 10) };
    let messages = people * (more + 1);
    let clinic = Clinic::new(on).await;
    let script = Script {
        seed: Some(41),
        replies: replies_of_campaign(people),
        // Of some nothing is ever reported: where an answer is lost too, only the rule of the class is left.
        silent: (0..people).filter(|n| n % 10 == 1).map(phone).collect(),
        latency: std::time::Duration::from_millis(if full() { 10 } else { 20 }),
        ..Script::default()
    };
    let provider = Provider::open(script).await;
    let app = clinic.inside(&provider, morning()).await;
    let due = campaign(&app, &clinic.zone, people, more).await;
    app.shut_down().await;

    let (base, http, port, dice) = (clinic.look(), client(), free_port(), Dice::seeded(43));
    let (mut killed, mut idle, mut ready, mut again) = (0, 0, Vec::new(), Vec::new());
    provider.calls(vec![format!("http://127.0.0.1:{port}")]);
    while killed < kills {
        let mut service = clinic.start(&provider, "all", "", port);
        if killed % 5 == 4 {
            // At any moment, perhaps before it is ready.
            let looks = dice.below(100);
            let mut seen = 0;
            eventually("some looks", || {
                seen += 1;
                std::future::ready((seen > looks).then_some(()))
            })
            .await;
        } else {
            ready.push(service.ready(&http).await);
            // A message makes about four events: asked, reported twice, answered.
            let until = provider.events() + 1 + dice.below(5 * messages / kills);
            let (clinic, base, provider) = (&clinic, &base, &provider);
            eventually("the campaign to go on", || async {
                (provider.events() >= until || clinic.done(base, provider).await).then_some(())
            })
            .await;
        }
        service.kill();
        killed += 1;
        idle += usize::from(clinic.done(&base, &provider).await);
        again.extend(provider.ledger().asked.iter().find(|a| a.at >= service.started).map(|a| a.at - service.started));
        if killed % 20 == 0 {
            tell(format_args!("{on:?}: {killed} of {kills} kills, {} messages accepted", provider.ledger().accepted()));
        }
    }
    let mut service = clinic.start(&provider, "all", "", port);
    ready.push(service.ready(&http).await);
    clinic.drained(&base, &provider).await;
    service.signal("TERM");
    assert!(service.ended().await.success(), "it does not stop in peace\n{}", clinic.logs());
    let ledger = provider.ledger().clone();
    let found = check(&base, &ledger, due).await;
    base.close().await;
    clinic.expect_no_panic();
    ready.sort_unstable();
    again.sort_unstable();
    tell(format_args!(
        "\n{on:?}: {kills} kills at random in a campaign of {messages} messages ({idle} of them when nothing was left to do)\n  \
         {found}\n  ready after a start: middle {} ms, longest {} ms; sending after a start: middle {} ms, longest {} ms",
        ready[ready.len() / 2],
        ready[ready.len() - 1],
        again[again.len() / 2],
        again[again.len() - 1],
    ));
    found.expect_sound("kills at random");
    assert!(idle < kills / 2, "most kills came when nothing was left to do: make the campaign longer");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_on_sqlite() {
    killed_at_random(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_on_postgres() {
    killed_at_random(On::Postgres).await;
}

/// The sender breaks off by a fault of its own. The process does not go on without it: it stops with an error, says so, and the next
/// one sends.
#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_breaks_off() {
    let clinic = Clinic::new(On::Sqlite).await;
    let provider = Provider::open(Script::default()).await;
    let app = clinic.inside(&provider, morning()).await;
    let due = campaign(&app, &clinic.zone, 3, 0).await;
    app.shut_down().await;
    clinic.expect_no_panic();
    let port = free_port();
    provider.calls(vec![format!("http://127.0.0.1:{port}")]);
    let mut service = clinic.start(&provider, "all", "send.before=panic", port);
    let ended = service.ended().await;
    assert_eq!(ended.code(), Some(1), "{ended}\n{}", clinic.logs());
    assert!(clinic.panicked().is_some_and(|told| told.contains("place=")), "{}", clinic.logs());
    assert!(clinic.logs().contains("start it again"), "{}", clinic.logs());

    let (base, http) = (clinic.look(), client());
    let mut service = clinic.start(&provider, "all", "", port);
    service.ready(&http).await;
    clinic.drained(&base, &provider).await;
    service.signal("TERM");
    assert!(service.ended().await.success(), "it does not stop in peace\n{}", clinic.logs());
    let ledger = provider.ledger().clone();
    let found = check(&base, &ledger, due).await;
    base.close().await;
    found.expect_sound("a part that broke off");
}

/// The checker itself: after a campaign in which nothing went wrong, a text is made one that was claimed after a STOP. It is seen.
#[tokio::test(flavor = "multi_thread")]
async fn a_text_after_a_stop_is_seen() {
    const LATER: &str = "UPDATE attempt SET started_at = started_at + 60000 WHERE reference = (SELECT MIN(a.reference)
        FROM attempt a JOIN message m ON m.id = a.message_id JOIN consent_event c ON c.patient_id = m.patient_id
       WHERE c.action = 'withdrawn' AND m.key <> 'stop-confirmation')";
    let clinic = Clinic::new(On::Sqlite).await;
    let provider = Provider::open(Script { replies: replies_of_campaign(10), ..Script::default() }).await;
    let app = clinic.inside(&provider, morning()).await;
    let due = campaign(&app, &clinic.zone, 10, 1).await;
    app.shut_down().await;
    let (base, http, port) = (clinic.look(), client(), free_port());
    provider.calls(vec![format!("http://127.0.0.1:{port}")]);
    let mut service = clinic.start(&provider, "all", "", port);
    service.ready(&http).await;
    clinic.drained(&base, &provider).await;
    service.signal("TERM");
    assert!(service.ended().await.success(), "it does not stop in peace\n{}", clinic.logs());
    let ledger = provider.ledger().clone();
    check(&base, &ledger, due).await.expect_sound("a campaign in peace");
    base.close().await;

    let mut file = SqliteConnection::connect(&clinic.database).await.expect("the file");
    assert_eq!(sqlx::query(LATER).execute(&mut file).await.expect("the change").rows_affected(), 1);
    file.close().await.expect("the file");
    let base = clinic.look();
    let found = check(&base, &ledger, due).await;
    base.close().await;
    assert!(found.broken.len() == 1 && found.broken[0].starts_with("I5"), "{:?}", found.broken);
}
