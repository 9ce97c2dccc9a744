//! What patients write, and what is made of it.

use porchlight::intake::Record;
use porchlight::model::{Lang, Severity};
use porchlight::protocol::{Settings, WeightUnit};

use crate::story;
use crate::world::{daily_at, somebody};

story!(
    /// A weekly goal: choice, free words, yes: three questions, one after the other, without a second one open.
    a_goal_that_was_partly_met,
    "2026-11-16 08:00",
    |world| {
        let settings = Settings { at: Some("10:00".into()), day: Some("mon".into()), goal: Some("walk 20 minutes".into()), ..Settings::default() };
        let gus = Record { protocols: vec![("weekly-goal".into(), settings)], ..somebody(23, "Gus", Lang::En) };
        let gus = world.patient(gus).await;
        world.run_until("2026-11-16 10:00").await;
        assert!(world.last(&gus).contains("walk 20 minutes"), "{}", world.last(&gus));
        world.says(&gus, "2").await;
        assert!(world.last(&gus).contains("got in the way"), "{}", world.last(&gus));
        world.says(&gus, "too much rain").await;
        assert!(world.last(&gus).contains("next week"), "{}", world.last(&gus));
        world.says(&gus, "yes").await;
        assert_eq!(world.readings(&gus, "goal").await, [2.0]);
        assert_eq!(world.readings(&gus, "goal-keep").await, [1.0]);
        world.expect_nothing_open(&gus).await;
        assert_eq!(world.texts(&gus).len(), 4);
    }
);

story!(
    /// What is not understood is asked again simply, once; then a person gets it.
    not_understood_twice_goes_to_a_person,
    "2026-11-16 08:00",
    |world| {
        let lee = Record { protocols: vec![("heart-failure-weight".into(), daily_at("09:30", WeightUnit::Lb))], ..somebody(32, "Lee", Lang::En) };
        let lee = world.patient(lee).await;
        world.run_until("2026-11-16 09:31").await;
        world.says(&lee, "the usual i guess").await;
        assert!(world.last(&lee).contains("number only"), "{}", world.last(&lee));
        world.expect_nothing_open(&lee).await;
        world.says(&lee, "same as my cousin").await;
        world.expect_escalation(&lee, Severity::Routine).await;
        assert!(world.readings(&lee, "weight").await.is_empty());
    }
);

story!(
    /// Arabic digits, the Arabic unit: read as what they say; and "can't stop coughing" is no wish to stop.
    digits_as_the_patient_writes_them,
    "2026-11-16 08:00",
    |world| {
        let samira = Record { protocols: vec![("heart-failure-weight".into(), daily_at("09:00", WeightUnit::Kg))], ..somebody(33, "سميرة", Lang::Ar) };
        let samira = world.patient(samira).await;
        world.run_until("2026-11-16 09:41").await;
        world.says(&samira, "٧٦٫٤ كيلو").await;
        assert_eq!(world.readings(&samira, "weight").await, [76.4]);
        let before = world.texts(&samira).len();
        world.says(&samira, "لا أستطيع التوقف عن السعال").await;
        world.expect_escalation(&samira, Severity::Routine).await;
        assert_eq!(world.texts(&samira).len(), before + 1, "a person will read it");
        world.run_until("2026-11-17 09:00").await;
        assert_eq!(world.texts(&samira).len(), before + 2, "messages go on");
    }
);

story!(
    /// Thanks, a thumb, good morning: nobody needs to do anything, and nothing is said.
    small_courtesies_cost_nobody_anything,
    "2026-11-16 10:00",
    |world| {
        let mei = world.patient(somebody(34, "美", Lang::ZhHans)).await;
        for text in ["谢谢", "👍", "ok thanks"] {
            world.says(&mei, text).await;
        }
        assert_eq!(world.texts(&mei).len(), 0);
        world.expect_nothing_open(&mei).await;
    }
);

story!(
    /// An empty text, a script nobody reads: to a person, never dropped.
    what_nobody_can_read_goes_to_a_person,
    "2026-11-16 10:00",
    |world| {
        let one = world.patient(somebody(35, "Ada", Lang::En)).await;
        world.says(&one, "").await;
        world.expect_escalation(&one, Severity::Routine).await;
        let two = world.patient(somebody(36, "Eve", Lang::En)).await;
        world.says(&two, "ᚠᚢᚦᚨᚱᚲ ᚷᚹᚺ").await;
        world.expect_escalation(&two, Severity::Routine).await;
    }
);
