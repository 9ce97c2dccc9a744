//! Story 28 as far as it reaches: the backup does not know that Halina said stop.

use std::collections::HashSet;

use futures_util::FutureExt;
use porchlight::clock::Clock;
use porchlight::intake::{Record, Withdrawn, add_staff, read_opt_outs, withdraw};
use porchlight::model::{Lang, Role, Severity};
use porchlight::operate::{backup, preview, release, restore, who};
use porchlight::protocol::{Settings, WeightUnit};
use porchlight::store::{Lane, pause};

use crate::story;
use crate::world::{KEY, On, Person, World, at, daily_at, somebody};

const JUNE: (&str, &str) = ("june@harbor.example", "a password of June's");
const STOP: &str = "proszę już nie pisać";
const CRY: &str = "أريد أن أموت";

fn with_visit(number: u32, name: &str, visit: &str) -> Record {
    let base = somebody(number, name, Lang::Pl);
    let protocols = vec![("appointment-reminders".into(), Settings::default())];
    Record { protocols, visit: Some((format!("V-{number}"), at(&base.zone, visit))), ..base }
}

fn weighs(number: u32, name: &str, clock: &str) -> Record {
    Record {
        protocols: vec![("heart-failure-weight".into(), daily_at(clock, WeightUnit::Lb))],
        ..somebody(number, name, Lang::En)
    }
}

struct People {
    halina: Person,
    kasimir: Person,
    nadia: Person,
    gus: Person,
    yaw: Person,
    wilma: Person,
    marisol: Person,
}

impl People {
    async fn of(world: &World) -> People {
        let goal =
            Settings { at: Some("01:45".into()), day: Some("tue".into()), goal: Some("walk".into()), ..Settings::default() };
        People {
            halina: world.patient(with_visit(61, "Halina", "2026-11-18 10:00")).await,
            kasimir: world.patient(with_visit(62, "Kasimir", "2026-11-18 11:00")).await,
            nadia: world.patient(somebody(63, "نادية", Lang::Ar)).await,
            gus: world.patient(Record { protocols: vec![("weekly-goal".into(), goal)], ..somebody(64, "Gus", Lang::En) }).await,
            yaw: world.patient(weighs(65, "Yaw", "14:45")).await,
            wilma: world.patient(weighs(66, "Wilma", "16:30")).await,
            marisol: world.patient(somebody(67, "Marisol", Lang::Es)).await,
        }
    }

    fn all(&self) -> [&Person; 7] {
        [&self.halina, &self.kasimir, &self.nadia, &self.gus, &self.yaw, &self.wilma, &self.marisol]
    }

    fn counts(&self, world: &World) -> [usize; 7] {
        self.all().map(|person| world.texts(person).len())
    }
}

/// Monday night to Tuesday 14:30: a backup at two, and a day that it does not know.
async fn the_day_that_is_lost(world: &World, people: &People, file: &std::path::Path) {
    assert!(add_staff(&world.app.db, &world.app.kit, JUNE.0, "June Abara", Role::Coordinator, JUNE.1).await.expect("June"));
    let (status, session) = world.sign_in(JUNE.0, JUNE.1).await;
    assert_eq!((status, world.page("/queue", &session).await.contains("Sending is paused")), (303, false));
    world.run_until("2026-11-17 02:00").await;
    assert_eq!(world.message_states(&people.gus).await, ["held"], "until nine");
    backup(&world.location(), file, false, world.clock.now(), &mut |_, _, _| {}).await.expect("the backup is whole");

    world.run_until("2026-11-17 11:20").await;
    world.writes(&people.halina.phone, STOP, "h-stop").await;
    world.settle().await;
    assert_eq!(world.texts(&people.halina).len(), 2, "the reminder of ten o'clock and one confirmation");
    world.run_until("2026-11-17 12:05").await;
    world.writes(&people.nadia.phone, CRY, "n-cry").await;
    world.settle().await;
    let item = world.expect_escalation(&people.nadia, Severity::Emergency).await;
    world.claim(&item).await;
    world.run_until("2026-11-17 14:30").await;
    assert_eq!(people.counts(world), [2, 1, 1, 1, 0, 0, 0]);
}

/// From 16:10: it receives, triages and shows; nothing goes out.
async fn the_copy_that_is_paused(world: &World, people: &People) {
    let before = people.counts(world);
    world.settle().await;
    let (status, session) = world.sign_in(JUNE.0, JUNE.1).await;
    assert_eq!(status, 303, "signed in anew");
    for page in ["/queue", "/panel", "/visits", "/delivery", "/more"] {
        assert!(world.page(page, &session).await.contains("Sending is paused since 16:10"), "{page} says so");
    }
    assert!(world.page("/readyz", "").await.contains("paused_restore"));
    assert!(world.page("/delivery", &session).await.contains("Gus"), "what is not known is listed");
    assert_eq!(world.message_states(&people.gus).await, ["unknown"]);
    let skipped = ("skip".to_owned(), "restored".to_owned());
    for person in [&people.kasimir, &people.yaw] {
        assert_eq!(world.decisions(person).await.last(), Some(&skipped), "perhaps it went out before");
    }

    // What the provider still has is replayed, with the ids that it had; twice, because it does not know better.
    world.run_until("2026-11-17 16:15").await;
    for _ in 0..2 {
        world.writes(&people.halina.phone, STOP, "h-stop").await;
        world.writes(&people.nadia.phone, CRY, "n-cry").await;
        world.settle().await;
    }
    assert_eq!(world.message_states(&people.halina).await, ["queued"], "one confirmation is planned, for the second time");
    let item = world.expect_escalation(&people.nadia, Severity::Emergency).await;
    assert!(item.reason.contains("sending is paused, so no crisis reply goes: call now"), "{}", item.reason);
    assert_eq!(world.local(item.due_at), "2026-11-17 16:20");
    world.run_until("2026-11-17 16:18").await;
    world.claim(&item).await;
    world.run_until("2026-11-17 16:40").await;
    // Somebody new cries for help. Nobody takes it: it climbs as ever.
    world.says(&people.marisol, "quiero morirme").await;
    world.run_until("2026-11-17 17:05").await;
    let item = world.expect_escalation(&people.marisol, Severity::Emergency).await;
    assert_eq!((item.rung, item.reason.contains("call now")), (2, true));
    assert_eq!(people.counts(world), before, "nothing has gone out");
}

/// 17:05, by name.
async fn the_release(world: &World, people: &People) {
    let (db, kit) = (&world.app.db, &world.app.kit);
    let before = people.counts(world);
    let mut tx = db.read().await.expect("the database");
    assert!(who(&mut tx, "Somebody Else").await.is_err(), "only somebody of the staff");
    let june = who(&mut tx, "june abara").await.expect("June");
    let (paused, waiting) = preview(&mut tx, kit).await.expect("the database").expect("it is paused");
    drop(tx);
    assert_eq!(world.local(paused.since.0), "2026-11-17 16:10");
    assert_eq!((waiting.queued, waiting.held, waiting.expired), (4, 0, 0), "Halina, Nadia, Marisol and Wilma");
    assert_eq!((waiting.replies, waiting.unknown), (2, 1), "to Halina and Nadia; Gus");
    let released = release(db, kit, june).await.expect("it is released");
    assert_eq!((released.ended, released.unknown), (2, 1));
    assert!(release(db, kit, june).await.is_err(), "once");
    let mut tx = db.read().await.expect("the database");
    let audit = audited(&mut tx, "release").await;
    assert_eq!(audit, [(Some(june.0), "release".to_owned(), "paused_restore".to_owned())]);
    drop(tx);
    let technical = world.unknown_items().await;
    assert!(technical.iter().any(|i| i.reason.contains("not known of 1 messages")), "people are asked to look");

    world.settle().await;
    let after = people.counts(world);
    let gone: Vec<usize> = before.iter().zip(after).map(|(before, after)| after - before).collect();
    assert_eq!(
        gone,
        [0, 0, 0, 0, 0, 1, 1],
        "Wilma is asked for her weight, and Marisol gets the reply that nobody else gave her"
    );
    assert!(world.last(&people.marisol).contains("988"));
    let (_, session) = world.sign_in(JUNE.0, JUNE.1).await;
    assert!(!world.page("/queue", &session).await.contains("Sending is paused"));
}

async fn audited(tx: &mut porchlight::store::Tx, action: &str) -> Vec<(Option<i64>, String, String)> {
    const SQL: &str = "SELECT staff_id, action, subject FROM audit WHERE action = $1";
    match tx {
        porchlight::store::Tx::Sqlite(t) => sqlx::query_as(SQL).bind(action).fetch_all(&mut **t).await,
        porchlight::store::Tx::Postgres(t) => sqlx::query_as(SQL).bind(action).fetch_all(&mut **t).await,
    }
    .expect("the audit")
}

async fn told(on: On) {
    let world = World::begin(on, "2026-11-17 01:30").await;
    let people = People::of(&world).await;
    let file = world.file("tuesday.backup");
    the_day_that_is_lost(&world, &people, &file).await;

    world.clock.set(at(&world.zone, "2026-11-17 16:10"));
    let target = world.elsewhere().await;
    let location = target.parse().expect("a location");
    let restored = restore(&location, &file, Some(KEY.as_bytes()), world.clock.now(), &mut |_, _, _| {}).await;
    let restored = restored.expect("it is restored");
    assert_eq!(
        (restored.key_fits, restored.begun.map(|at| world.local(at.0))),
        (Some(true), Some("2026-11-17 02:00".to_owned()))
    );
    let world = world.comes_back_on(target).await;
    the_copy_that_is_paused(&world, &people).await;
    the_release(&world, &people).await;

    // Wednesday, ten o'clock: nobody has had a text twice; Halina none since she said stop.
    let halina = world.texts(&people.halina);
    world.run_until("2026-11-18 10:00").await;
    assert_eq!(world.texts(&people.halina), halina);
    for person in people.all() {
        let texts = world.texts(person);
        assert_eq!(texts.iter().collect::<HashSet<_>>().len(), texts.len(), "nobody has a text twice: {texts:?}");
    }
    world.end().await;
}

mod halina_said_stop_after_the_backup {
    use super::*;

    #[tokio::test]
    async fn on_sqlite() {
        told(On::Sqlite).await;
    }

    #[tokio::test]
    async fn on_postgres() {
        told(On::Postgres).await;
    }
}

story!(
    /// Two people share a phone, and one of them has told the carrier to stop. The list names the phone: neither is written to, the
    /// neighbour is, and a START counts again.
    who_stopped_with_the_carrier_hears_no_more,
    "2026-11-16 08:00",
    |world| {
        let (yaw, wilma) = (world.patient(weighs(65, "Yaw", "09:00")).await, world.patient(weighs(66, "Wilma", "09:00")).await);
        let shares = Record { phone: weighs(65, "Yaw", "09:00").phone, ..weighs(67, "Yaa", "10:00") };
        let yaa = world.patient(shares).await;
        assert!(add_staff(&world.app.db, &world.app.kit, JUNE.0, "June Abara", Role::Coordinator, JUNE.1).await.expect("June"));
        let mut tx = world.app.db.read().await.expect("the database");
        let june = who(&mut tx, JUNE.0).await.expect("June");
        drop(tx);
        let list = read_opt_outs("stop.csv", "phone\n17185550165\n(718) 555-0199\n", "US").unwrap_or_else(|e| panic!("{e}"));
        let carry_out = async || {
            let (kit, list, now) = (std::sync::Arc::clone(&world.app.kit), list.clone(), world.clock.now());
            let done = world.app.db.write(Lane::Work, move |tx| async move { withdraw(tx, &kit, &list, june, now).await }.boxed());
            done.await.expect("the list")
        };
        assert_eq!(carry_out().await, Withdrawn { patients: 2, before: 0, unknown: vec![3] });
        assert_eq!(carry_out().await, Withdrawn { patients: 0, before: 2, unknown: vec![3] }, "the same list again changes nothing");
        world.run_until("2026-11-16 12:00").await;
        assert_eq!((world.texts(&yaw).len(), world.texts(&wilma).len()), (0, 1));
        for person in [&yaw, &yaa] {
            assert_eq!(world.decisions(person).await, [("skip".into(), "revoked".into())]);
        }
        let mut tx = world.app.db.read().await.expect("the database");
        let audit = audited(&mut tx, "withdraw consent").await;
        assert_eq!(audit.iter().map(|entry| entry.0).collect::<Vec<_>>(), [Some(june.0), Some(june.0)]);
        drop(tx);
        world.says(&yaw, "START").await;
        let before = world.texts(&yaw).len();
        world.run_until("2026-11-17 09:00").await;
        assert!(world.texts(&yaw).len() > before, "asked again");
    }
);

story!(
    /// While a copy is paused, Ana and Marisol each cry for help twice. Somebody has Ana's emergency when it is released, so she gets no
    /// reply; when she cries again five minutes later she does. Marisol, whom nobody has, gets one reply and not two.
    a_crisis_reply_that_ended_unsent_was_never_given,
    "2026-11-17 16:00",
    |world| {
        let (ana, marisol) = (world.patient(somebody(68, "Ana", Lang::Es)).await, world.patient(somebody(69, "Marisol", Lang::Es)).await);
        assert!(add_staff(&world.app.db, &world.app.kit, JUNE.0, "June Abara", Role::Coordinator, JUNE.1).await.expect("June"));
        let now = world.clock.now();
        world.app.db.write(Lane::Work, move |tx| async move { pause::mark(tx, now).await }.boxed()).await.expect("it is paused");
        world.run_until("2026-11-17 16:05").await;
        world.says(&marisol, "quiero morirme").await;
        world.run_until("2026-11-17 16:22").await;
        world.says(&marisol, "quiero morirme").await;
        for _ in 0..2 {
            world.says(&ana, "quiero morirme").await;
        }
        let item = world.expect_escalation(&ana, Severity::Emergency).await;
        world.claim(&item).await;
        assert_eq!((world.message_states(&ana).await.len(), world.message_states(&marisol).await.len()), (1, 1));
        let mut tx = world.app.db.read().await.expect("the database");
        let june = who(&mut tx, JUNE.0).await.expect("June");
        drop(tx);
        release(&world.app.db, &world.app.kit, june).await.expect("it is released");
        world.settle().await;
        assert_eq!((world.texts(&ana).len(), world.texts(&marisol).len()), (0, 1));
        world.run_until("2026-11-17 16:27").await;
        for person in [&ana, &marisol] {
            world.says(person, "quiero morirme").await;
            assert_eq!(world.texts(person).len(), 1);
            assert!(world.last(person).contains("988"));
        }
    }
);
