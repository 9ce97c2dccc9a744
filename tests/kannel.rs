//! Through a real Kannel: the reminder goes out, its receipt comes back, "C" confirms the visit, and "quiero morir"
//! opens an emergency. Kannel and the service run on loopback ports of their own.

#[path = "support/kannel.rs"]
mod kannel;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use kannel::{Kannel, PASSWORD, USERNAME};
use porchlight::app::{App, Role, listen};
use porchlight::clock::{Clock, ManualClock};
use porchlight::config::Config;
use porchlight::intake::{Context, bring_in, read};
use porchlight::kit::SITE;
use porchlight::model::Id;
use porchlight::random::Dice;
use porchlight::store::{Lane, appointments, escalations, messages, patients};
use porchlight::zone::Zone;

const SECRET: &str = "kannel-test-secret-0123456789";

/// Waits for the service's news until `seen`; bounded, so that a failure is one.
async fn until<F, T>(app: &App, what: &str, mut seen: F) -> T
where
    F: AsyncFnMut() -> Option<T>,
{
    let mut news = app.news.subscribe();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = seen().await {
            return found;
        }
        let changed = tokio::time::timeout_at(deadline, news.changed()).await;
        assert!(changed.is_ok_and(|c| c.is_ok()), "waited 30 s for {what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reminder_a_confirmation_and_a_cry_for_help() {
    let zone: Zone = "America/New_York".parse().expect("a zone");
    let wall: jiff::civil::DateTime = "2026-11-24T09:59:59".parse().expect("a time");
    let clock = Arc::new(ManualClock::new(zone.instant(wall.date(), wall.time()).expect("it exists")));
    let folder = tempfile::tempdir().expect("a folder");
    let pages = listen(([127, 0, 0, 1], 0).into()).await.expect("a port");
    let base = format!("http://{}", pages.local_addr().expect("an address"));
    let inbound = format!("{base}/hooks/kannel/inbound?key={SECRET}&from=%p&to=%P&text=%b&charset=%C&id=%I&time=%T");
    let kannel = tokio::task::spawn_blocking(move || Kannel::start(&inbound)).await.expect("Kannel starts");

    let settings = format!(
        "[database]\nurl = \"sqlite:{}\"\n[server]\npublic_url = \"{base}\"\nsecure_cookies = false\n[security]\nkey = \"a key for the kannel test with 32 characters\"\n\
         [site]\nname = \"Harbor Street Health\"\nsender = \"Harbor Street\"\nphone = \"(718) 555-0100\"\n\
         [[gateway]]\nkind = \"http\"\nname = \"kannel\"\npreset = \"kannel\"\nurl = \"{}\"\nfrom = \"7185550100\"\nusername = \"{USERNAME}\"\npassword = \"{PASSWORD}\"\nsecret = \"{SECRET}\"\n",
        folder.path().join("k.db").display(),
        kannel.sendsms_url(),
    );
    let config = Config::parse("kannel.toml", &settings, &|_| None).unwrap_or_else(|e| panic!("{e}"));
    let app = App::build(config, Arc::clone(&clock) as Arc<dyn Clock>, Dice::seeded(3), |_, _| Vec::new())
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    let serving = app.clone();
    app.start(async move { serving.serve(pages, serving.router()).await.expect("serving") });

    // An imported patient with an appointment tomorrow.
    let csv = "external_id,name,language,zone,phone,class,consent_date,protocols,visit\n\
               K-1,Inés Calderón,es,America/New_York,+17185550171,care,2026-10-01,appointment-reminders,V-1 2026-11-25 10:30\n";
    let (staff, names) = (std::collections::HashMap::new(), app.kit.protocols.names());
    let context = Context { country: "US", zone: &zone, staff: &staff, protocols: &names };
    let records = read("k.csv", csv, &context).unwrap_or_else(|e| panic!("{e}"));
    let (kit, here, now) = (Arc::clone(&app.kit), zone.clone(), clock.now());
    let written = app.db.write(Lane::Work, move |tx| async move { bring_in(tx, &kit, &records, &here, now).await }.boxed()).await;
    assert_eq!(written.expect("the import").added, 1);
    let mut tx = app.db.read().await.expect("the database");
    let ines = Id(patients::by_external(&mut tx, SITE, "K-1").await.expect("the patient").expect("is there").id);
    drop(tx);

    clock.advance(Duration::from_secs(1));
    app.work(Role::All);
    let received = kannel.wait_for_delivered(1).await;
    assert_eq!(received[0].to.trim_start_matches('+'), "17185550171");
    for part in ["Harbor Street", "mié", "25", "10:30", "C", "R", "X"] {
        assert!(received[0].text.contains(part), "{part} in {}", received[0].text);
    }
    until(&app, "the delivery receipt", async || {
        let mut tx = app.db.read().await.expect("the database");
        (messages::states(&mut tx, ines).await.expect("the messages") == ["delivered"]).then_some(())
    })
    .await;

    kannel.inject("+17185550171", "7185550100", "C");
    until(&app, "the confirmed visit", async || {
        let mut tx = app.db.read().await.expect("the database");
        let visits = appointments::of_patients(&mut tx, &[ines.0], now).await.expect("the visits");
        visits.iter().any(|v| v.state == "confirmed").then_some(())
    })
    .await;

    kannel.inject("+17185550171", "7185550100", "quiero morir");
    let item = until(&app, "the emergency", async || {
        let mut tx = app.db.read().await.expect("the database");
        escalations::unresolved(&mut tx, &[ines.0]).await.expect("the items").pop()
    })
    .await;
    assert_eq!(item.severity, "emergency");
    let received = kannel.wait_for_delivered(3).await;
    let said = &received[2].text;
    assert!(said.contains("911") && said.contains("988"), "the crisis reply in Spanish, with its accents: {said}");
    assert!(said.contains('á') || said.contains('í') || said.contains('ú'), "no letter is lost on the way: {said}");
    app.shut_down().await;
}
