//! Story 1: Ernesto, three pounds overnight.

use porchlight::intake::Record;
use porchlight::model::{Lang, Severity};
use porchlight::protocol::WeightUnit;

use crate::story;
use crate::world::{daily_at, somebody};

fn ernesto() -> Record {
    Record {
        window: Some((8 * 60 + 30, 20 * 60)),
        protocols: vec![("heart-failure-weight".into(), daily_at("08:30", WeightUnit::Lb))],
        ..somebody(1, "Ernesto", Lang::Es)
    }
}

story!(
    /// Mon and Tue are steady; Wednesday's gain is urgent although he feels fine, and his correction stands beside it.
    three_pounds_overnight,
    "2026-11-15 20:00",
    |world| {
        let ernesto = world.patient(ernesto()).await;
        world.run_until("2026-11-16 08:30").await;
        assert!(world.last(&ernesto).contains("peso"), "{}", world.last(&ernesto));
        world.says(&ernesto, "180").await;
        assert!(world.last(&ernesto).contains("180"), "the reading is echoed: {}", world.last(&ernesto));
        world.run_until("2026-11-17 08:31").await;
        world.says(&ernesto, "180.4").await;
        world.expect_nothing_open(&ernesto).await;

        world.run_until("2026-11-18 08:31").await;
        world.says(&ernesto, "183.6 pero me siento bien").await;
        let item = world.expect_escalation(&ernesto, Severity::Urgent).await;
        assert_eq!(item.reason, "Weight up 3.2 lb since yesterday");
        // The clinic opens at nine: an hour of staffed time later.
        assert_eq!(world.local(item.due_at), "2026-11-18 10:00");
        let said = world.texts(&ernesto).join("\n");
        assert!(said.contains("183.6") && said.contains("10:00") && said.contains("911"), "{said}");

        world.run_until("2026-11-18 08:35").await;
        world.says(&ernesto, "perdón, 181.6").await;
        assert_eq!(world.readings(&ernesto, "weight").await, [180.0, 180.4, 183.6, 181.6]);
        let item = world.expect_escalation(&ernesto, Severity::Urgent).await;
        assert_eq!(item.reason, "Weight up 3.2 lb since yesterday", "a correction closes nothing");
    }
);

story!(
    /// "182 and I can't breathe even sitting": the symptom beats the number, and the next question waits for a person.
    a_symptom_beats_the_number,
    "2026-11-18 20:00",
    |world| {
        let ernesto = world.patient(ernesto()).await;
        world.run_until("2026-11-19 08:33").await;
        world.says(&ernesto, "182 y no puedo respirar ni sentado").await;
        world.expect_escalation(&ernesto, Severity::Emergency).await;
        assert!(world.last(&ernesto).contains("911"), "{}", world.last(&ernesto));
        assert_eq!(world.readings(&ernesto, "weight").await, [182.0], "the number is kept all the same");

        let before = world.texts(&ernesto).len();
        world.run_until("2026-11-20 12:00").await;
        assert_eq!(world.texts(&ernesto).len(), before, "nothing routine goes into an open emergency");
        assert!(world.decisions(&ernesto).await.contains(&("skip".into(), "open_emergency".into())));
    }
);

story!(
    /// A week of silence brings seven questions and no more; the clocks change and it is still 8:30.
    one_question_a_day_through_the_change_of_clocks,
    "2026-10-29 20:00",
    |world| {
        let ernesto = world.patient(ernesto()).await;
        world.run_until("2026-11-05 20:00").await;
        assert_eq!(world.texts(&ernesto).len(), 7);
    }
);

story!(
    /// The service was down from Monday to Friday evening: one skip a day with its reason, and no message at night.
    after_a_stoppage_nothing_comes_late,
    "2026-11-15 20:00",
    |world| {
        let ernesto = world.patient(ernesto()).await;
        world.clock.set(crate::world::at(&world.zone, "2026-11-20 19:00"));
        world.settle().await;
        assert_eq!(world.texts(&ernesto).len(), 0);
        let late = world.decisions(&ernesto).await.into_iter().filter(|d| d.1 == "late_skip").count();
        assert_eq!(late, 5);
        world.run_until("2026-11-21 09:00").await;
        assert_eq!(world.texts(&ernesto).len(), 1, "the next morning is as usual");
    }
);
