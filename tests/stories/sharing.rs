//! Several people on one phone, and numbers that change hands.

use porchlight::intake::Record;
use porchlight::model::{Address, Lang, Severity};
use porchlight::protocol::WeightUnit;

use crate::story;
use crate::world::{at, daily_at, somebody};

/// Mother and father on one phone, each with a scale.
fn couple() -> (Record, Record) {
    let weighs = |hour: &str| vec![("heart-failure-weight".to_owned(), daily_at(hour, WeightUnit::Lb))];
    let mother = Record { protocols: weighs("09:00"), ..somebody(50, "Ana", Lang::Es) };
    let father = Record { protocols: weighs("15:00"), phone: mother.phone.clone(), ..somebody(51, "Luis", Lang::Es) };
    (mother, father)
}

story!(
    /// Each answer goes to whose question is open, never to whom the phone was imported for first.
    an_answer_goes_to_whose_question_is_open,
    "2026-11-15 20:00",
    |world| {
        let (mother, father) = couple();
        let (mother, father) = (world.patient(mother).await, world.patient(father).await);
        world.run_until("2026-11-16 09:01").await;
        world.says(&mother, "150").await;
        world.run_until("2026-11-16 15:01").await;
        world.says(&father, "190").await;
        assert_eq!(world.readings(&mother, "weight").await, [150.0]);
        assert_eq!(world.readings(&father, "weight").await, [190.0]);
    }
);

story!(
    /// Two open questions and one number: nobody's reading; a person asks whose it is.
    a_number_that_could_be_either_is_neither,
    "2026-11-15 20:00",
    |world| {
        let (mother, father) = couple();
        let (mother, father) = (world.patient(mother).await, world.patient(father).await);
        world.run_until("2026-11-16 15:01").await;
        world.says(&mother, "170").await;
        assert!(world.readings(&mother, "weight").await.is_empty());
        assert!(world.readings(&father, "weight").await.is_empty());
        let item = world.expect_escalation(&mother, Severity::Routine).await;
        assert!(item.reason.contains("2 people share this phone"), "{}", item.reason);
    }
);

story!(
    /// STOP from a shared phone is for everybody on it, also when one of them had stopped before.
    stop_from_a_shared_phone_is_for_everybody,
    "2026-11-15 20:00",
    |world| {
        let (mother, father) = couple();
        let stopped = Some(at(&world.zone, "2026-11-01 09:00"));
        let (mother, father) = (world.patient(Record { stopped, ..mother }).await, world.patient(father).await);
        world.run_until("2026-11-16 15:01").await;
        assert_eq!(world.texts(&father).len(), 1, "only he is asked");
        world.says(&father, "STOP").await;
        assert_eq!(world.texts(&father).len(), 2, "one confirmation");
        world.run_until("2026-11-19 20:00").await;
        assert_eq!(world.texts(&mother).len(), 2, "and then nothing more on that phone");
        assert!(world.decisions(&father).await.contains(&("skip".into(), "revoked".into())));
    }
);

story!(
    /// A new number by import: the old one is somebody else's by now, and gets nothing more.
    an_imported_number_takes_the_place_of_the_old_one,
    "2026-11-15 20:00",
    |world| {
        let (ana, _) = couple();
        let old = world.patient(ana.clone()).await;
        world.run_until("2026-11-16 09:01").await;
        assert_eq!(world.texts(&old).len(), 1);
        let new = world.patient(Record { phone: Address::new("+17185550152"), ..ana }).await;
        assert_eq!(new.id, old.id);
        world.run_until("2026-11-17 09:01").await;
        assert_eq!((world.texts(&old).len(), world.texts(&new).len()), (1, 1));
    }
);
