//! A clock that was ahead is put right: what it planned, skipped or left in the queue is neither lost nor sent twice.

use porchlight::intake::Record;
use porchlight::model::{Id, Lang, Severity};
use porchlight::protocol::{Settings, WeightUnit};
use porchlight::store::Tx;

use crate::story;
use crate::world::{Answer, Person, World, at, daily_at, somebody};

/// Asked for her weight at nine every morning.
fn wanda() -> Record {
    Record {
        protocols: vec![("heart-failure-weight".into(), daily_at("09:00", WeightUnit::Lb))],
        ..somebody(80, "Wanda", Lang::En)
    }
}

/// Reminded of a visit.
fn vera(world: &World, starts: &str) -> Record {
    let visit = Some(("V-81".to_owned(), at(&world.zone, starts)));
    Record { protocols: vec![("appointment-reminders".into(), Settings::default())], visit, ..somebody(81, "Vera", Lang::En) }
}

/// Wall clock and machine clock show another time from one moment to the next: nothing has run in between.
async fn clock_shows(world: &World, time: &str) {
    world.clock.set(at(&world.zone, time));
    world.settle().await;
}

/// The provider is busy while the clock shows `time`: what is due then stays in the queue.
async fn busy_while_the_clock_shows(world: &World, person: &Person, time: &str) {
    world.script(person, vec![Answer::Status(503, "busy"); 3]);
    clock_shows(world, time).await;
    assert_eq!(world.message_states(person).await.last().map(String::as_str), Some("queued"));
    world.script(person, vec![]);
}

async fn decided(world: &World, person: &Person, outcome: &str, reason: &str) -> bool {
    world.decisions(person).await.contains(&(outcome.into(), reason.into()))
}

story!(
    /// What the wrong clock had put into the queue five minutes late and could not send waits for its day, and goes once.
    what_was_queued_in_the_future_waits_for_its_day,
    "2026-11-16 10:00",
    |world| {
        let wanda = world.patient(wanda()).await;
        busy_while_the_clock_shows(&world, &wanda, "2026-11-17 09:05").await;
        clock_shows(&world, "2026-11-16 10:05").await;
        assert_eq!(world.message_states(&wanda).await, ["held"]);
        assert!(decided(&world, &wanda, "hold", "clock_ahead").await);
        world.run_until("2026-11-17 08:59").await;
        assert_eq!(world.texts(&wanda).len(), 0);
        world.run_until("2026-11-17 20:00").await;
        assert_eq!(world.texts(&wanda).len(), 1);
        assert_eq!(world.message_states(&wanda).await, ["cancelled", "delivered"], "planned again, at nine");
    }
);

story!(
    /// A clock that is a day ahead fires tomorrow's nine o'clock at nine sharp, so that tomorrow finds it recorded on time.
    what_fired_on_time_in_the_future_goes_on_its_day,
    "2026-11-16 10:00",
    |world| {
        let wanda = world.patient(wanda()).await;
        busy_while_the_clock_shows(&world, &wanda, "2026-11-17 09:00").await;
        clock_shows(&world, "2026-11-16 10:05").await;
        assert_eq!(world.message_states(&wanda).await, ["held"]);
        world.run_until("2026-11-17 08:59").await;
        assert_eq!(world.texts(&wanda).len(), 0);
        world.run_until("2026-11-17 09:00").await;
        assert_eq!(world.texts(&wanda).len(), 1);
        world.run_until("2026-11-17 20:00").await;
        assert_eq!(world.texts(&wanda).len(), 1);
        world.run_until("2026-11-18 09:00").await;
        assert_eq!(world.texts(&wanda).len(), 2);
    }
);

story!(
    /// Four minutes fast, and corrected while nine o'clock's questions are still in the queue: nine o'clock is past by the right clock
    /// too, and the question goes.
    a_correction_of_minutes_loses_nothing,
    "2026-11-16 08:55",
    |world| {
        let wanda = world.patient(wanda()).await;
        busy_while_the_clock_shows(&world, &wanda, "2026-11-16 09:05").await;
        clock_shows(&world, "2026-11-16 09:01").await;
        assert_eq!(world.texts(&wanda).len(), 1);
        world.run_until("2026-11-16 20:00").await;
        assert_eq!(world.texts(&wanda).len(), 1, "once");
        world.run_until("2026-11-17 09:00").await;
        assert_eq!(world.texts(&wanda).len(), 2);
    }
);

story!(
    /// The clock jumped over the whole time in which today's question and reminder were of use. It is put right while they still are.
    what_seemed_too_late_and_is_not_goes_today,
    "2026-11-16 08:55",
    |world| {
        let (wanda, vera) = (world.patient(wanda()).await, world.patient(vera(&world, "2026-11-17 14:00")).await);
        clock_shows(&world, "2026-11-16 19:00").await;
        for person in [&wanda, &vera] {
            assert!(world.texts(person).is_empty() && decided(&world, person, "skip", "late_skip").await);
        }
        clock_shows(&world, "2026-11-16 10:02").await;
        assert_eq!((world.texts(&wanda).len(), world.texts(&vera).len()), (1, 1));
        world.run_until("2026-11-16 20:00").await;
        assert_eq!((world.texts(&wanda).len(), world.texts(&vera).len()), (1, 1));
    }
);

story!(
    /// Enrolled and booked when today's hour was past. A clock that goes back by minutes makes neither due.
    what_was_never_due_stays_so,
    "2026-11-16 10:30",
    |world| {
        let (wanda, vera) = (world.patient(wanda()).await, world.patient(vera(&world, "2026-11-17 14:00")).await);
        clock_shows(&world, "2026-11-16 10:40").await;
        clock_shows(&world, "2026-11-16 10:31").await;
        world.run_until("2026-11-16 20:00").await;
        assert_eq!((world.texts(&wanda).len(), world.texts(&vera).len()), (0, 0));
    }
);

story!(
    /// At tomorrow's nine o'clock of the wrong clock she wanted no messages. By the right one she wants them again before it comes.
    what_was_decided_against_in_the_future_is_decided_again,
    "2026-11-16 10:00",
    |world| {
        let wanda = world.patient(wanda()).await;
        world.says(&wanda, "STOP").await;
        clock_shows(&world, "2026-11-17 09:00").await;
        assert!(decided(&world, &wanda, "skip", "revoked").await);
        clock_shows(&world, "2026-11-16 10:05").await;
        world.says(&wanda, "START").await;
        let before = world.texts(&wanda).len();
        world.run_until("2026-11-17 09:00").await;
        assert_eq!(world.texts(&wanda).len(), before + 1);
    }
);

story!(
    /// He answered while the clock was a day ahead, and the next question of the same talk could not go. It belongs to no day: it
    /// goes when the clock is right and the provider answers.
    a_talk_goes_on_when_the_clock_is_right,
    "2026-11-16 09:00",
    |world| {
        let goal = Settings { goal: Some("walk to the park".into()), day: Some("mon".into()), ..Settings::default() };
        let walt = world.patient(Record { protocols: vec![("weekly-goal".into(), goal)], ..somebody(82, "Walt", Lang::En) }).await;
        world.run_until("2026-11-16 10:00").await;
        assert_eq!(world.texts(&walt).len(), 1);
        clock_shows(&world, "2026-11-17 10:30").await;
        world.script(&walt, vec![Answer::Status(503, "busy"); 3]);
        world.says(&walt, "2").await;
        assert_eq!((world.texts(&walt).len(), world.message_states(&walt).await), (1, vec!["delivered".into(), "queued".into()]));
        world.script(&walt, vec![]);
        clock_shows(&world, "2026-11-16 10:35").await;
        assert_eq!(world.texts(&walt).len(), 2, "the question why");
    }
);

story!(
    /// Cries for help that a clock half an hour ahead has stored, and that the right one reads: five minutes, not thirty-five.
    a_cry_from_the_future_is_due_in_five_minutes,
    "2026-11-16 10:00",
    |world| {
        let ana = world.patient(somebody(83, "Ana", Lang::Es)).await;
        let nobody = Person { id: Id(0), phone: "+17185550198".into() };
        world.clock.set(at(&world.zone, "2026-11-16 10:30"));
        for (phone, id) in [(&ana.phone, "a-1"), (&nobody.phone, "n-1")] {
            world.writes(phone, "quiero morir", id).await;
        }
        clock_shows(&world, "2026-11-16 10:00").await;
        let item = world.expect_escalation(&ana, Severity::Emergency).await;
        assert_eq!((world.local(item.opened_at), world.local(item.due_at)), ("2026-11-16 10:00".into(), "2026-11-16 10:05".into()));
        let unknown = world.unknown_items().await;
        assert_eq!(unknown.iter().map(|i| world.local(i.due_at)).collect::<Vec<_>>(), ["2026-11-16 10:05"]);
        world.run_until("2026-11-16 10:06").await;
        assert_eq!(world.item(&item).await.rung, 1);
    }
);

story!(
    /// START while the clock is a minute and a half fast, STOP once it is right, a second before that START by the clock: she stopped.
    /// And what she said a day ahead keeps its order, and the audit knows what date it had.
    the_last_word_is_the_one_said_last,
    "2026-11-16 10:00",
    |world| {
        let wanda = world.patient(wanda()).await;
        world.says(&wanda, "STOP").await;
        clock_shows(&world, "2026-11-16 10:01").await;
        world.says(&wanda, "START").await;
        clock_shows(&world, "2026-11-16 10:00").await;
        world.says(&wanda, "STOP").await;
        world.run_until("2026-11-17 09:00").await;
        assert!(decided(&world, &wanda, "skip", "revoked").await);

        clock_shows(&world, "2026-11-18 08:00").await;
        world.says(&wanda, "START").await;
        world.says(&wanda, "STOP").await;
        world.says(&wanda, "START").await;
        clock_shows(&world, "2026-11-17 10:00").await;
        let said = world.texts(&wanda).len();
        world.run_until("2026-11-18 09:00").await;
        assert_eq!(world.texts(&wanda).len(), said + 1, "she had said start last");
        let mut tx = world.app.db.read().await.expect("the database");
        let sql = "SELECT subject FROM audit WHERE action = 'date consent'";
        let audit: Vec<String> = match &mut tx {
            Tx::Sqlite(t) => sqlx::query_scalar(sql).fetch_all(&mut **t).await,
            Tx::Postgres(t) => sqlx::query_scalar(sql).fetch_all(&mut **t).await,
        }
        .expect("the audit");
        assert_eq!(audit.len(), 5, "a start is for her, and for this phone");
        assert!(audit.iter().all(|subject| subject.contains("was dated 2026-11-18T13:00:00.00")), "{audit:?}");
    }
);
