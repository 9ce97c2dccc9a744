//! Time that does not go as planned: patients who move, zones whose rules change, clocks that jump, machines that sleep.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use porchlight::clock::Time;
use porchlight::intake::Record;
use porchlight::model::{Lang, Severity};
use porchlight::protocol::{Settings, WeightUnit};
use porchlight::store::timers::{self, Kind, Timer};
use porchlight::store::{Lane, Tx, enrolments, sites};
use porchlight::sweep::{EDITION, Sweeper};

use crate::story;
use crate::world::{Answer, Person, World, at, daily_at, somebody};

/// Asked for her weight at nine every morning, wherever she is.
fn wanda() -> Record {
    Record {
        protocols: vec![("heart-failure-weight".into(), daily_at("09:00", WeightUnit::Lb))],
        ..somebody(50, "Wanda", Lang::En)
    }
}

/// The clinic's list says that she lives elsewhere now.
async fn moves(world: &World, record: Record, zone: &str) {
    world.patient(Record { zone: zone.parse().expect("a zone"), ..record }).await;
    world.settle().await;
}

/// How often the patient was asked the first question again, itself included.
fn asked(world: &World, person: &Person) -> usize {
    let texts = world.texts(person);
    texts.iter().filter(|t| Some(*t) == texts.first()).count()
}

/// The patient's step timers, soonest first.
async fn steps(world: &World, person: &Person) -> Vec<Timer> {
    let mut tx = world.app.db.read().await.expect("the database");
    let enrolled = enrolments::of_patients(&mut tx, &[person.id.0]).await.expect("the enrolments");
    timers::of(&mut tx, Kind::Step, &enrolled.iter().map(|e| e.id).collect::<Vec<_>>()).await.expect("the timers")
}

/// What comes next: the local date that it stands for, and when it is in New York.
async fn next(world: &World, person: &Person) -> (String, String) {
    let timer = steps(world, person).await.into_iter().next().expect("a timer");
    (timer.slot, world.local(timer.due_at))
}

fn pair(slot: &str, due: &str) -> (String, String) {
    (slot.to_owned(), due.to_owned())
}

/// How many decisions there are with this reason.
async fn because(world: &World, person: &Person, reason: &str) -> usize {
    world.decisions(person).await.iter().filter(|d| d.1 == reason).count()
}

/// Wall clock and machine clock show another time from one moment to the next: nothing has run in between.
async fn clock_shows(world: &World, time: &str) {
    world.clock.set(at(&world.zone, time));
    world.settle().await;
}

/// A timer as if other rules of the zone had set it.
async fn set_wrongly(world: &World, person: &Person, by: i64) {
    for timer in steps(world, person).await {
        let due = Time(timer.due_at + by);
        let put = world.app.db.write(Lane::Work, move |tx| async move { timers::put_off(tx, timer.id, due).await }.boxed());
        put.await.expect("the timer");
    }
}

/// What an enrolment has chosen becomes something that no version can read.
async fn garble(world: &World, person: &Person) {
    let id = person.id.0;
    let garbled = world.app.db.write(Lane::Work, move |tx| {
        async move {
            let sql = "UPDATE enrolment SET settings = 'garbled' WHERE patient_id = $1";
            Ok(match tx {
                Tx::Sqlite(t) => sqlx::query(sql).bind(id).execute(&mut **t).await?.rows_affected(),
                Tx::Postgres(t) => sqlx::query(sql).bind(id).execute(&mut **t).await?.rows_affected(),
            })
        }
        .boxed()
    });
    assert_eq!(garbled.await.expect("the database"), 1);
}

const HOUR: i64 = 3_600_000;

story!(
    /// New York, Los Angeles, Auckland and back within a week, before and after the hour of the day itself: one question for each
    /// date, at nine where she is; what was past there when she came has its decision.
    wanda_travels,
    "2026-11-16 08:00",
    |world| {
        let wanda_is = world.patient(wanda()).await;
        world.run_until("2026-11-16 09:30").await;
        assert_eq!(asked(&world, &wanda_is), 1);
        world.says(&wanda_is, "181").await;

        // After today's: in Los Angeles it is half past six, and today is done.
        moves(&world, wanda(), "America/Los_Angeles").await;
        assert_eq!(next(&world, &wanda_is).await, pair("2026-11-17", "2026-11-17 12:00"));
        world.run_until("2026-11-17 11:59").await;
        assert_eq!(asked(&world, &wanda_is), 1, "not at nine of New York");
        world.run_until("2026-11-17 12:00").await;
        assert_eq!(asked(&world, &wanda_is), 2);
        world.says(&wanda_is, "181").await;

        // Auckland is 18 hours ahead of New York: Wednesday's nine o'clock is three hours away.
        moves(&world, wanda(), "Pacific/Auckland").await;
        assert_eq!(next(&world, &wanda_is).await, pair("2026-11-18", "2026-11-17 15:00"));
        world.run_until("2026-11-17 15:00").await;
        assert_eq!(asked(&world, &wanda_is), 3);
        world.says(&wanda_is, "181").await;

        // Home before Thursday's. Wednesday was done in Auckland and does not come again in New York.
        world.run_until("2026-11-18 14:00").await;
        moves(&world, wanda(), "America/New_York").await;
        assert_eq!(next(&world, &wanda_is).await, pair("2026-11-19", "2026-11-19 09:00"));
        world.run_until("2026-11-19 08:59").await;
        assert_eq!(asked(&world, &wanda_is), 3);
        world.run_until("2026-11-19 09:00").await;
        assert_eq!(asked(&world, &wanda_is), 4);
        world.says(&wanda_is, "181").await;

        // On Friday at eight to Auckland, where Friday's nine o'clock was 17 hours ago: skipped, with its reason.
        world.run_until("2026-11-20 08:00").await;
        moves(&world, wanda(), "Pacific/Auckland").await;
        assert_eq!((asked(&world, &wanda_is), because(&world, &wanda_is, "late_skip").await), (4, 1));
        assert_eq!(next(&world, &wanda_is).await, pair("2026-11-21", "2026-11-20 15:00"));
        world.run_until("2026-11-20 15:00").await;
        assert_eq!(asked(&world, &wanda_is), 5);
        world.says(&wanda_is, "181").await;

        // On Sunday at seven to London, where it is noon: three hours late is still of use, and she is asked at once.
        moves(&world, wanda(), "America/New_York").await;
        world.run_until("2026-11-22 07:00").await;
        assert_eq!(asked(&world, &wanda_is), 5);
        moves(&world, wanda(), "Europe/London").await;
        assert_eq!(asked(&world, &wanda_is), 6);
        assert_eq!(next(&world, &wanda_is).await, pair("2026-11-23", "2026-11-23 04:00"));
        assert_eq!(because(&world, &wanda_is, "late_skip").await, 1);
    }
);

story!(
    /// Enrolled on a Monday evening in New York, which is Tuesday in Auckland: the week still begins on Monday there.
    a_weekly_question_keeps_its_weekday,
    "2026-11-16 20:00",
    |world| {
        let settings = Settings { goal: Some("walk to the park".into()), ..Settings::default() };
        let record = Record { protocols: vec![("weekly-goal".into(), settings)], ..somebody(51, "Walt", Lang::En) };
        let walt = world.patient(record.clone()).await;
        moves(&world, record, "Pacific/Auckland").await;
        assert_eq!(next(&world, &walt).await, pair("2026-11-23", "2026-11-22 16:00"));
        world.run_until("2026-11-22 16:00").await;
        assert_eq!(asked(&world, &walt), 1);
        world.run_until("2026-11-29 15:59").await;
        assert_eq!(asked(&world, &walt), 1, "no second one within the week");
        world.run_until("2026-11-29 16:00").await;
        assert_eq!(asked(&world, &walt), 2);
    }
);

story!(
    /// A visit's reminders follow the patient too, and what was reminded of in one zone is not reminded of again in another.
    reminders_travel_with_the_patient,
    "2026-11-15 12:00",
    |world| {
        let visit = Some(("V-52".to_owned(), at(&world.zone, "2026-11-19 14:00")));
        let record = Record { protocols: vec![("appointment-reminders".into(), Settings::default())], visit, ..somebody(52, "Vera", Lang::En) };
        let vera = world.patient(record.clone()).await;
        world.run_until("2026-11-16 10:00").await;
        assert_eq!(world.texts(&vera).len(), 1, "three days ahead");
        world.run_until("2026-11-17 12:00").await;
        moves(&world, record.clone(), "America/Los_Angeles").await;
        world.run_until("2026-11-18 12:59").await;
        assert_eq!(world.texts(&vera).len(), 1);
        world.run_until("2026-11-18 13:00").await;
        assert_eq!(world.texts(&vera).len(), 2, "one day ahead, at ten in Los Angeles");
        // For Auckland the visit is on Friday: the day before would be Thursday, another date.
        moves(&world, record, "Pacific/Auckland").await;
        world.run_until("2026-11-19 20:00").await;
        assert_eq!(world.texts(&vera).len(), 2);
    }
);

story!(
    /// Held until her morning in New York; she lives in London now, where it is noon: it goes at once.
    what_is_held_is_decided_again_in_the_new_zone,
    "2026-11-16 05:00",
    |world| {
        let early = Record { protocols: vec![("heart-failure-weight".into(), daily_at("06:30", WeightUnit::Lb))], ..wanda() };
        let wanda_is = world.patient(early.clone()).await;
        world.run_until("2026-11-16 06:45").await;
        assert_eq!(world.decisions(&wanda_is).await, [("hold".into(), "quiet_hours".into())]);
        moves(&world, early, "Europe/London").await;
        assert_eq!(asked(&world, &wanda_is), 1);
    }
);

story!(
    /// The timers were set by older rules, an hour wrong. One that is too early waits for the right hour whatever happens; one that
    /// is too late is put right when a process with other rules than the last one starts; and nothing goes twice.
    the_rules_of_a_zone_change,
    "2026-11-15 20:00",
    |world| {
        let wanda_is = world.patient(wanda()).await;
        world.settle().await;
        set_wrongly(&world, &wanda_is, -HOUR).await;
        world.run_until("2026-11-16 08:59").await;
        assert_eq!(asked(&world, &wanda_is), 0, "at eight the timer was due, and she was not to be asked");
        world.run_until("2026-11-16 09:00").await;
        assert_eq!(asked(&world, &wanda_is), 1);

        set_wrongly(&world, &wanda_is, HOUR).await;
        assert_eq!(next(&world, &wanda_is).await, pair("2026-11-17", "2026-11-17 10:00"));
        // Somebody whose enrolment nobody can read any more keeps nobody else from it.
        let broken = world.patient(Record { protocols: wanda().protocols, ..somebody(49, "Otto", Lang::En) }).await;
        garble(&world, &broken).await;
        // The same rules: a start compares nothing.
        let start = || Sweeper::new(Arc::clone(&world.app.kit), world.app.db.clone());
        start().tick().await.expect("the timers");
        assert_eq!(next(&world, &wanda_is).await, pair("2026-11-17", "2026-11-17 10:00"));
        let older = world.app.db.write(Lane::Work, |tx| async move { sites::set(tx, EDITION, "2019a").await }.boxed());
        older.await.expect("the setting");
        start().tick().await.expect("the timers");
        assert_eq!(next(&world, &wanda_is).await, pair("2026-11-17", "2026-11-17 09:00"));
        let mut tx = world.app.db.read().await.expect("the database");
        assert_eq!(sites::get(&mut tx, EDITION).await.expect("the setting").as_deref(), Some(porchlight::zone::Zone::edition()));
        drop(tx);
        world.run_until("2026-11-17 09:00").await;
        assert_eq!(asked(&world, &wanda_is), 2);

        // Set an hour late when today's had gone already: the date is recorded, and nothing goes twice.
        world.run_until("2026-11-17 20:00").await;
        assert_eq!((asked(&world, &wanda_is), because(&world, &wanda_is, "late_skip").await), (2, 0));
    }
);

story!(
    /// An hour ahead and back again: today's question went half an hour late by the wrong clock, and does not come again; tomorrow's
    /// comes. People are told that the clock was wrong.
    the_clock_jumps_an_hour_ahead_and_back,
    "2026-11-16 08:00",
    |world| {
        let wanda_is = world.patient(wanda()).await;
        world.run_until("2026-11-16 08:30").await;
        clock_shows(&world, "2026-11-16 09:30").await;
        assert_eq!(asked(&world, &wanda_is), 1);
        clock_shows(&world, "2026-11-16 08:31").await;
        let told = world.unknown_items().await;
        assert!(told.len() == 1 && told[0].reason.contains("clock went back by 59 minutes"), "{:?}", told[0].reason);
        world.run_until("2026-11-16 22:00").await;
        assert_eq!(asked(&world, &wanda_is), 1);
        world.run_until("2026-11-17 09:00").await;
        assert_eq!(asked(&world, &wanda_is), 2);
        assert_eq!(because(&world, &wanda_is, "late_skip").await, 0);
    }
);

story!(
    /// The clock is set back by an hour that was right: what has gone at nine does not go at the second nine.
    the_clock_jumps_an_hour_back,
    "2026-11-16 08:00",
    |world| {
        let wanda_is = world.patient(wanda()).await;
        world.run_until("2026-11-16 09:30").await;
        clock_shows(&world, "2026-11-16 08:30").await;
        world.run_until("2026-11-16 20:00").await;
        assert_eq!(asked(&world, &wanda_is), 1);
        world.run_until("2026-11-17 09:00").await;
        assert_eq!(asked(&world, &wanda_is), 2);
    }
);

story!(
    /// The clock is put right while the service is down: the next process knows how far the last one had come.
    the_clock_is_put_back_between_two_starts,
    "2026-11-16 12:00",
    |world| {
        let wanda_is = world.patient(wanda()).await;
        clock_shows(&world, "2026-11-19 12:00").await;
        assert_eq!((asked(&world, &wanda_is), because(&world, &wanda_is, "late_skip").await), (1, 2));
        assert_eq!(next(&world, &wanda_is).await.0, "2026-11-20");
        world.clock.set(at(&world.zone, "2026-11-16 12:10"));
        Sweeper::new(Arc::clone(&world.app.kit), world.app.db.clone()).tick().await.expect("the timers");
        assert_eq!(next(&world, &wanda_is).await, pair("2026-11-17", "2026-11-17 09:00"));
        let told = world.unknown_items().await;
        assert!(told.len() == 1 && told[0].reason.contains("clock went back by 4310 minutes"), "{:?}", told[0].reason);
        world.run_until("2026-11-20 09:00").await;
        assert_eq!(asked(&world, &wanda_is), 4, "17, 18 and 20 November; the 19th went by the wrong clock");
    }
);

story!(
    /// Thirty days ahead, then back. What went by the wrong clock does not go again on its date; every date that it merely passed
    /// over has its question; a visit that seemed past is reminded of; a cry for help from that future does not wait for it.
    the_clock_jumps_thirty_days_ahead_and_back,
    "2026-11-16 08:00",
    |world| {
        let visit = Some(("V-53".to_owned(), at(&world.zone, "2026-11-25 14:00")));
        let reminders = ("appointment-reminders".into(), Settings::default());
        let vera = Record { protocols: vec![reminders], visit, ..somebody(53, "Vera", Lang::En) };
        let (wanda_is, vera) = (world.patient(wanda()).await, world.patient(vera).await);
        let ana = world.patient(somebody(54, "Ana", Lang::Es)).await;
        world.run_until("2026-11-16 12:00").await;
        assert_eq!(asked(&world, &wanda_is), 1);

        clock_shows(&world, "2026-12-16 12:00").await;
        assert_eq!(asked(&world, &wanda_is), 2, "16 December, three hours late");
        assert_eq!(because(&world, &wanda_is, "late_skip").await, 29, "17 November to 15 December");
        assert_eq!((world.texts(&vera).len(), because(&world, &vera, "late_skip").await), (0, 2));
        world.says(&ana, "quiero morir").await;
        world.says(&ana, "STOP").await;
        world.says(&ana, "START").await;

        clock_shows(&world, "2026-11-16 12:05").await;
        world.run_until("2026-11-16 12:10").await;
        let item = world.expect_escalation(&ana, Severity::Emergency).await;
        assert_eq!((item.rung, world.local(item.due_at).as_str()), (1, "2026-11-16 12:10"), "five minutes, not thirty days");
        world.says(&ana, "STOP").await;
        let texts = world.texts(&ana).len();
        world.says(&ana, "hola").await;
        assert_eq!(world.texts(&ana).len(), texts, "her last word counts, though an earlier one seems to come from December");

        world.run_until("2026-11-17 09:00").await;
        assert_eq!(asked(&world, &wanda_is), 3, "on time, although a question of December is open");
        world.run_until("2026-11-24 20:00").await;
        assert_eq!(world.texts(&vera).len(), 2, "three days and one day ahead");
        world.run_until("2026-12-15 20:00").await;
        assert_eq!(asked(&world, &wanda_is), 2 + 29);
        world.run_until("2026-12-16 20:00").await;
        assert_eq!(asked(&world, &wanda_is), 2 + 29, "16 December had its question");
        world.run_until("2026-12-17 09:00").await;
        assert_eq!(asked(&world, &wanda_is), 2 + 29 + 1);
        assert_eq!(because(&world, &wanda_is, "late_skip").await, 29, "nothing more was skipped");
    }
);

/// A reminder and a question, both at ten on Wednesday: claimed together, sent one after the other.
fn rosa(world: &World) -> Record {
    let visit = Some(("V-55".to_owned(), at(&world.zone, "2026-11-19 14:00")));
    let protocols = vec![
        ("appointment-reminders".to_owned(), Settings::default()),
        ("heart-failure-weight".to_owned(), daily_at("10:00", WeightUnit::Lb)),
    ];
    Record { protocols, visit, ..somebody(55, "Rosa", Lang::En) }
}

/// Lets the worker send while the provider says nothing to this phone; `meanwhile` happens, then the provider speaks again.
async fn while_it_hangs(world: &World, person: &Person, meanwhile: impl AsyncFnOnce()) {
    world.app.sweeper.tick().await.expect("the timers");
    world.provider.send_modify(|p| {
        p.held.insert(person.phone.clone());
    });
    let asked = world.provider.borrow().asked;
    let mut provider = world.provider.subscribe();
    let story = async {
        provider.wait_for(|p| p.asked > asked).await.expect("the provider is there");
        meanwhile().await;
        world.provider.send_modify(|p| {
            p.held.remove(&person.phone);
        });
    };
    let (sent, ()) = tokio::join!(world.app.worker.tick(), story);
    sent.expect("the outbox");
}

story!(
    /// The machine sleeps for eight hours: one message is on the wire, one is claimed, one waits in the queue. The first is in doubt
    /// until its answer; the others do not go on a decision of the morning; everything has its reason.
    the_machine_sleeps_for_eight_hours,
    "2026-11-18 08:00",
    |world| {
        let rosa_is = world.patient(rosa(&world)).await;
        let later = Record { protocols: vec![("heart-failure-weight".into(), daily_at("10:01", WeightUnit::Lb))], ..wanda() };
        let wanda_is = world.patient(later).await;
        world.run_until("2026-11-18 09:59").await;
        world.clock.set(at(&world.zone, "2026-11-18 10:00"));
        world.no_receipts();
        while_it_hangs(&world, &rosa_is, async || {
            world.clock.set(at(&world.zone, "2026-11-18 10:01"));
            world.app.sweeper.tick().await.expect("the timers");
            assert_eq!(world.message_states(&wanda_is).await, ["queued"]);
            world.clock.set(at(&world.zone, "2026-11-18 18:01"));
            // Awake again: what was claimed is looked after, and what was queued is decided.
            world.app.worker.tick().await.expect("the outbox");
            assert_eq!(world.message_states(&rosa_is).await, ["unknown", "unknown"]);
        })
        .await;
        world.settle().await;
        let first = world.texts(&rosa_is);
        assert_eq!(first.len(), 1, "only what was on the wire: {first:?}");
        assert_eq!(world.texts(&wanda_is).len(), 0, "eight hours late is of no use");
        assert_eq!(world.message_states(&wanda_is).await, ["expired"]);
        assert_eq!(because(&world, &wanda_is, "expired").await, 1);
        // What was on the wire was answered after all, and the late answer settles its doubt. The other was certainly not sent, which
        // is no doubt at all: it is decided again, and is of no more use.
        world.run_until("2026-11-18 20:00").await;
        assert_eq!(world.texts(&rosa_is).len(), 1, "nothing goes twice, and nothing in the evening");
        assert_eq!(world.message_states(&rosa_is).await, ["accepted", "expired"]);
        assert_eq!(world.attempts(&rosa_is).await, ["accepted", "busy"]);
        world.expect_nothing_open(&rosa_is).await;
    }
);

story!(
    /// The process stands still for two minutes: a question that it had claimed and had not sent goes out after all, and nobody is
    /// told that it may have.
    what_was_not_sent_before_a_standstill_goes_after_it,
    "2026-11-18 08:00",
    |world| {
        let rosa_is = world.patient(rosa(&world)).await;
        world.run_until("2026-11-18 09:59").await;
        world.clock.set(at(&world.zone, "2026-11-18 10:00"));
        while_it_hangs(&world, &rosa_is, async || {
            world.clock.set(at(&world.zone, "2026-11-18 10:02"));
            world.app.worker.tick().await.expect("the outbox");
            assert_eq!(world.message_states(&rosa_is).await, ["unknown", "unknown"]);
        })
        .await;
        world.run_until("2026-11-18 10:05").await;
        assert_eq!(world.message_states(&rosa_is).await, ["delivered", "delivered"]);
        assert_eq!(world.texts(&rosa_is).len(), 2, "once each");
        world.run_until("2026-11-18 10:30").await;
        assert_eq!(world.texts(&rosa_is).len(), 2);
        world.expect_nothing_open(&rosa_is).await;
    }
);

story!(
    /// The answer that comes after a standstill is that there is no such number: the contact is closed and a person is told, as if it
    /// had come in time.
    a_late_answer_has_its_consequences,
    "2026-11-18 08:00",
    |world| {
        let wanda_is = world.patient(wanda()).await;
        world.run_until("2026-11-18 08:59").await;
        world.clock.set(at(&world.zone, "2026-11-18 09:00"));
        world.script(&wanda_is, vec![Answer::Status(400, "Garbage 'to' field, rejected.")]);
        while_it_hangs(&world, &wanda_is, async || {
            world.clock.set(at(&world.zone, "2026-11-18 09:02"));
            world.app.worker.tick().await.expect("the outbox");
            assert_eq!(world.message_states(&wanda_is).await, ["unknown"]);
        })
        .await;
        assert_eq!(world.message_states(&wanda_is).await, ["failed"]);
        let item = world.expect_escalation(&wanda_is, Severity::Routine).await;
        assert!(item.reason.contains("cannot be reached"), "{}", item.reason);
        world.run_until("2026-11-19 09:30").await;
        assert_eq!(because(&world, &wanda_is, "no_contact").await, 1, "nothing is sent there any more");
        assert_eq!(world.texts(&wanda_is).len(), 0);
    }
);

story!(
    /// Only domain time jumps, forwards by eight hours: no lease runs out, what was on the wire is acknowledged as its own; and what
    /// was claimed with it is not sent on the morning's decision.
    a_lease_knows_nothing_of_domain_time,
    "2026-11-18 08:00",
    |world| {
        let rosa_is = world.patient(rosa(&world)).await;
        world.run_until("2026-11-18 09:59").await;
        world.clock.set(at(&world.zone, "2026-11-18 10:00"));
        while_it_hangs(&world, &rosa_is, async || {
            world.clock.jump(at(&world.zone, "2026-11-18 18:01"));
            world.app.worker.tick().await.expect("the outbox");
            assert_eq!(world.message_states(&rosa_is).await, ["sending", "sending"], "the lease is machine time's");
        })
        .await;
        assert_eq!(world.texts(&rosa_is).len(), 1);
        world.clock.advance(Duration::from_secs(10));
        world.settle().await;
        assert_eq!(world.texts(&rosa_is).len(), 1);
        let states = world.message_states(&rosa_is).await;
        assert_eq!(states, ["delivered", "expired"], "one went, and the other has its reason");
        assert_eq!(because(&world, &rosa_is, "expired").await, 1);
    }
);

story!(
    /// Domain time jumps back by an hour while a message is on the wire: its lease is not longer for that.
    a_lease_does_not_come_to_life_again,
    "2026-11-18 08:00",
    |world| {
        let rosa_is = world.patient(rosa(&world)).await;
        world.run_until("2026-11-18 09:59").await;
        world.clock.set(at(&world.zone, "2026-11-18 10:00"));
        world.no_receipts();
        while_it_hangs(&world, &rosa_is, async || {
            world.clock.jump(at(&world.zone, "2026-11-18 09:00"));
            world.app.worker.tick().await.expect("the outbox");
            assert_eq!(world.message_states(&rosa_is).await, ["sending", "sending"]);
            world.clock.advance(Duration::from_secs(61));
            world.app.worker.tick().await.expect("the outbox");
            assert_eq!(world.message_states(&rosa_is).await, ["unknown", "unknown"], "a minute of the machine is over");
        })
        .await;
        assert_eq!(world.texts(&rosa_is).len(), 1, "the second one was not sent under a claim that had ended");
    }
);

story!(
    /// Each late policy of the shipped protocols, a minute before its end and a minute after it.
    a_minute_before_it_is_too_late_and_a_minute_after,
    "2026-11-15 20:00",
    |world| {
        let goal = Settings { goal: Some("walk to the park".into()), day: Some("mon".into()), ..Settings::default() };
        let visit = |id: &str, starts: &str| Some((id.to_owned(), at(&world.zone, starts)));
        let reminders = || vec![("appointment-reminders".to_owned(), Settings::default())];
        let weekly = Record { protocols: vec![("weekly-goal".into(), goal)], ..somebody(56, "Walt", Lang::En) };
        let (wanda_is, walt) = (world.patient(wanda()).await, world.patient(weekly).await);
        // Reminders three days ahead on Monday and one day ahead on Tuesday, and the other way round.
        let ada = world.patient(Record { protocols: reminders(), visit: visit("V-57", "2026-11-19 14:00"), ..somebody(57, "Ada", Lang::En) }).await;
        let ben = world.patient(Record { protocols: reminders(), visit: visit("V-58", "2026-11-17 14:00"), ..somebody(58, "Ben", Lang::En) }).await;
        let cleo = world.patient(Record { protocols: reminders(), visit: visit("V-59", "2026-11-18 14:00"), ..somebody(59, "Cleo", Lang::En) }).await;
        let window = Some((8 * 60, 21 * 60));
        let dan = world.patient(Record { protocols: reminders(), visit: visit("V-60", "2026-11-20 14:00"), window, ..somebody(60, "Dan", Lang::En) }).await;

        // A question of every day: four hours.
        clock_shows(&world, "2026-11-16 12:59").await;
        assert_eq!(asked(&world, &wanda_is), 1);
        // A question of every week, and a reminder one day ahead: eight hours, which are over for Ben's now.
        assert_eq!((asked(&world, &walt), world.texts(&ben).len(), world.texts(&ada).len()), (1, 1, 1), "three hours late, all of use");
        clock_shows(&world, "2026-11-17 13:01").await;
        assert_eq!((asked(&world, &wanda_is), because(&world, &wanda_is, "late_skip").await), (1, 1));
        assert_eq!((world.texts(&cleo).len(), because(&world, &cleo, "late_skip").await), (1, 0), "one day ahead, three hours late");
        // Three days ahead: twelve hours, but never into the night.
        assert_eq!(world.texts(&dan).len(), 1);
        clock_shows(&world, "2026-11-18 18:01").await;
        assert_eq!((world.texts(&ada).len(), because(&world, &ada, "late_skip").await), (1, 1), "one day ahead, a minute too late");
        clock_shows(&world, "2026-11-19 17:59").await;
        assert_eq!((world.texts(&dan).len(), because(&world, &dan, "late_skip").await), (2, 0), "one day ahead, a minute in time");
        clock_shows(&world, "2026-11-23 18:01").await;
        assert_eq!((asked(&world, &walt), because(&world, &walt, "late_skip").await), (1, 1), "the week's question, a minute too late");
        clock_shows(&world, "2026-11-30 17:59").await;
        assert_eq!((asked(&world, &walt), because(&world, &walt, "late_skip").await), (2, 1), "and a minute in time");

        // Within its policy but in quiet hours until after its end: it does not go, and says why.
        let eve = Record { protocols: vec![("heart-failure-weight".into(), daily_at("19:30", WeightUnit::Lb))], ..somebody(61, "Eve", Lang::En) };
        let eve = world.patient(eve).await;
        clock_shows(&world, "2026-11-30 21:30").await;
        assert_eq!(world.texts(&eve).len(), 0);
        assert_eq!(world.decisions(&eve).await, [("skip".into(), "quiet_hours".into())]);
        // An answer after the question has closed, twelve hours later, is read without it.
        world.run_until("2026-12-01 19:30").await;
        assert_eq!(asked(&world, &eve), 1);
        world.run_until("2026-12-02 07:31").await;
        world.says(&eve, "181").await;
        assert!(world.readings(&eve, "weight").await.is_empty());
    }
);
