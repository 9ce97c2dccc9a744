//! Story 19: Marcus, the hour that happens twice. And the spring night on which an hour is missing.
//!
//! Told as far as the service goes today. Not yet: the change of a rota at 1:30 and the page to whoever is on call
//! (there are no rotas: the item is shown to the backup instead), and the reminder of a court date that Marcus wrote
//! himself. What a rota would be set for, a time in the hour that is missing or comes twice, is told with the
//! check-ins of other people.

use std::time::Duration;

use futures_util::FutureExt;
use porchlight::clock::{Clock, Time};
use porchlight::intake::{Record, add_staff};
use porchlight::model::{Id, Lang, Outcome, Role, Severity};
use porchlight::protocol::WeightUnit;
use porchlight::store::{Lane, escalations, staff};

use crate::story;
use crate::world::{World, at, daily_at, somebody};

const MINUTE: i64 = 60_000;
const PASSWORD: &str = "a password of the story";

/// Somebody on the staff, by e-mail.
async fn colleague(world: &World, name: &str) -> Id {
    let email = format!("{}@harbor.example", name.to_lowercase());
    let kit = &world.app.kit;
    add_staff(&world.app.db, kit, &email, name, Role::Coordinator, PASSWORD).await.expect("the staff");
    let mut tx = world.app.db.read().await.expect("the database");
    Id(staff::by_email(&mut tx, &email).await.expect("the staff").expect("it is there").id)
}

/// The patient's page as a colleague's browser shows it.
async fn page(world: &World, email: &str, patient: Id) -> String {
    let cookie = |answer: &reqwest::Response| {
        let set = answer.headers().get(reqwest::header::SET_COOKIE).and_then(|set| set.to_str().ok()).unwrap_or_default();
        set.split(';').next().unwrap_or_default().to_owned()
    };
    let get = |path: String, cookie: String| world.http.get(format!("{}{path}", world.base)).header("cookie", cookie).send();
    let door = cookie(&get("/signin".into(), String::new()).await.expect("the door"));
    let csrf = door.split_once('=').expect("a cookie of the door").1;
    let form = [("email", email), ("password", PASSWORD), ("csrf", csrf)];
    let posted =
        world.http.post(format!("{}/signin", world.base)).header("cookie", &door).header("origin", &world.base).form(&form);
    let session = cookie(&posted.send().await.expect("an answer"));
    let answer = get(format!("/patient/{patient}"), session).await.expect("the page");
    assert_eq!(answer.status(), 200);
    answer.text().await.expect("a page")
}

fn marcus() -> Record {
    Record {
        protocols: vec![("heart-failure-weight".into(), daily_at("09:00", WeightUnit::Lb))],
        ..somebody(19, "Marcus", Lang::En)
    }
}

story!(
    /// Sun 1 Nov 1:57 EDT: "cousin wont wake up lips blue we used". Sam is told; five real minutes later, at 1:02 EST, Ruth; she
    /// has it at 1:04. One nine o'clock on each of three days, and Sunday's is not sent into the open emergency.
    the_hour_that_happens_twice,
    "2026-10-30 20:00",
    |world| {
        let (sam, ruth) = (colleague(&world, "Sam").await, colleague(&world, "Ruth").await);
        let marcus = world.patient(Record { coordinator: Some(sam), backup: Some(ruth), ..marcus() }).await;
        world.run_until("2026-10-31 12:00").await;
        assert_eq!(world.texts(&marcus).len(), 1);

        // The first 1:57: summer time.
        world.run_until("2026-11-01 01:57").await;
        let cry = world.clock.now();
        world.says(&marcus, "cousin wont wake up lips blue we used").await;
        let item = world.expect_escalation(&marcus, Severity::Emergency).await;
        assert!(world.last(&marcus).contains("911"), "{}", world.last(&marcus));
        assert_eq!(item.due_at, cry.0 + 5 * MINUTE, "neither 65 minutes nor none");
        assert_eq!(world.local(item.due_at), "2026-11-01 01:02");

        world.clock.set(Time(cry.0 + 5 * MINUTE - 1));
        world.settle().await;
        assert_eq!(world.item(&item).await.rung, 0, "Sam still has a moment");
        world.clock.advance(Duration::from_millis(1));
        world.settle().await;
        assert_eq!(world.item(&item).await.rung, 1);
        world.clock.advance(Duration::from_secs(120));
        let (at, id) = (world.clock.now(), Id(item.id));
        let claim = world.app.db.write(Lane::Work, move |tx| async move { escalations::claim(tx, id, ruth, at).await }.boxed());
        assert!(claim.await.expect("the claim"));
        let mut tx = world.app.db.read().await.expect("the database");
        let events = escalations::events(&mut tx, id).await.expect("the events");
        drop(tx);
        let told: Vec<_> = events.iter().filter(|e| e.kind == "told").map(|e| (e.at - cry.0, e.staff_id)).collect();
        assert_eq!(told, [(0, Some(sam.0)), (5 * MINUTE, Some(ruth.0))]);

        // On the page what came first stands first, and says which of the two hours it was.
        let page = page(&world, "ruth@harbor.example", marcus.id).await;
        let place = |what: &str| page.rfind(what).unwrap_or_else(|| panic!("{what} is not on the page"));
        let (first, second) = (place("1:57 EDT"), place("1:02 EST"));
        assert!(first < second, "1:57 EDT is before 1:02 EST");

        world.run_until("2026-11-01 10:15").await;
        assert_eq!(world.item(&item).await.rung, 1, "a claimed item does not climb");
        assert_eq!(world.texts(&marcus).len(), 2, "the question of Saturday and the crisis reply");
        assert_eq!(world.decisions(&marcus).await.iter().filter(|d| d.1 == "open_emergency").count(), 1);
        let now = world.clock.now();
        let resolve = world.app.db.write(Lane::Work, move |tx| {
            async move { escalations::resolve(tx, id, ruth, Outcome::EmergencyCare, now).await }.boxed()
        });
        assert!(resolve.await.expect("the outcome"));
        world.run_until("2026-11-02 09:00").await;
        assert_eq!(world.texts(&marcus).len(), 3, "Monday's nine o'clock is as usual");
        world.run_until("2026-11-02 20:00").await;
        let decided = world.decisions(&marcus).await;
        let steps: Vec<_> = decided.iter().filter(|d| d.1 == "allowed" || d.1 == "open_emergency").map(|d| d.0.as_str()).collect();
        assert_eq!(steps, ["send", "send", "skip", "send"], "Saturday, the crisis reply, Sunday, Monday: {decided:?}");
    }
);

/// Brings somebody in, and walks through the night minute by minute. Gives when something was decided about them.
async fn decided(world: &World, record: Record, from: &str, until: &str) -> Vec<Time> {
    let person = world.patient(record).await;
    world.run_until(from).await;
    let (mut seen, end) = (Vec::new(), at(&world.zone, until));
    while world.clock.now() < end {
        let before = world.decisions(&person).await.len();
        world.settle().await;
        if world.decisions(&person).await.len() > before {
            seen.push(world.clock.now());
        }
        world.clock.advance(Duration::from_secs(60));
    }
    seen
}

fn nightly(at: &str) -> Record {
    Record { protocols: vec![("heart-failure-weight".into(), daily_at(at, WeightUnit::Lb))], ..marcus() }
}

story!(
    /// Sun 14 Mar 2027: what is set for 2:30, an hour that is missing, happens at 3:00, once. (It is decided then: a check-in is held
    /// until morning.)
    what_is_set_for_the_missing_hour_happens_at_three,
    "2027-03-13 22:00",
    |world| {
        let seen = decided(&world, nightly("02:30"), "2027-03-14 01:30", "2027-03-14 06:00").await;
        assert_eq!(seen, [at(&world.zone, "2027-03-14 03:00")]);
    }
);

story!(
    /// Sun 1 Nov 2026: what is set for 1:30, an hour that comes twice, happens once, at the first.
    what_is_set_for_the_hour_that_comes_twice_happens_once,
    "2026-10-31 22:00",
    |world| {
        let seen = decided(&world, nightly("01:30"), "2026-11-01 00:30", "2026-11-01 06:00").await;
        let utc = porchlight::zone::Zone::utc();
        assert_eq!(seen, [at(&utc, "2026-11-01 05:30")], "not at 6:30 UTC, which is 1:30 too");
    }
);
