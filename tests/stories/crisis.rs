//! Stories 7 and 14 (variant B): cries for help at night and on the Sabbath, answered at once in the patient's language.

use porchlight::intake::Record;
use porchlight::model::{Lang, Severity};

use crate::story;
use crate::world::{Person, somebody};

story!(
    /// Wed 21:50: "a lot of blood is coming, it won't stop". Bengali, at once, in spite of quiet hours; five minutes.
    shirin_bleeds_at_night,
    "2026-11-18 21:50",
    |world| {
        let shirin = world.patient(somebody(7, "শিরিন", Lang::Bn)).await;
        world.says(&shirin, "অনেক রক্ত যাচ্ছে, থামছে না").await;
        let item = world.expect_escalation(&shirin, Severity::Emergency).await;
        assert_eq!(world.local(item.due_at), "2026-11-18 21:55");
        let said = world.last(&shirin);
        assert!(said.contains("911"), "{said}");
        assert!(said.chars().filter(|c| ('\u{0980}'..='\u{09FF}').contains(c)).count() > 40, "in Bengali: {said}");
        // Nobody is there: no time is promised but the next opening, Thursday at nine.
        assert!(!said.contains("9:55") && said.contains("9:00"), "{said}");
        assert_eq!(world.texts(&shirin).len(), 1);
        // A second text adds to the same item, without a second crisis reply on its heels.
        world.says(&shirin, "অনেক রক্ত যাচ্ছে").await;
        world.expect_escalation(&shirin, Severity::Emergency).await;
        assert_eq!(world.texts(&shirin).len(), 1);
    }
);

story!(
    /// Sat 11:05, outside her window: "it presses on my heart, I can't catch my breath". Yiddish, Sabbath or not.
    raizel_writes_on_the_sabbath,
    "2026-11-21 11:05",
    |world| {
        let raizel = world.patient(Record { window: Some((9 * 60, 14 * 60)), ..somebody(14, "רייזל", Lang::Yi) }).await;
        world.says(&raizel, "עס דריקט מיר אויפן הארץ, איך קען נישט כאפן דעם אטעם").await;
        world.expect_escalation(&raizel, Severity::Emergency).await;
        let said = world.last(&raizel);
        assert!(said.contains("911"), "{said}");
        assert!(said.chars().filter(|c| ('\u{0590}'..='\u{05FF}').contains(c)).count() > 40, "in Yiddish: {said}");
    }
);

story!(
    /// Nobody claims: after five minutes the backup is told, after ten everyone, and the item stays first.
    an_unclaimed_emergency_climbs,
    "2026-11-18 10:00",
    |world| {
        let ana = world.patient(somebody(40, "Ana", Lang::Es)).await;
        world.says(&ana, "quiero morir").await;
        let item = world.expect_escalation(&ana, Severity::Emergency).await;
        world.run_until("2026-11-18 10:04").await;
        assert_eq!(world.item(&item).await.rung, 0);
        world.run_until("2026-11-18 10:05").await;
        assert_eq!(world.item(&item).await.rung, 1);
        world.run_until("2026-11-18 10:10").await;
        assert_eq!(world.item(&item).await.rung, 2);
        world.run_until("2026-11-19 10:10").await;
        let item = world.expect_escalation(&ana, Severity::Emergency).await;
        assert_eq!((item.rung, item.state.as_str()), (2, "open"), "nothing closes by itself");
    }
);

story!(
    /// Somebody has it; at night she writes again: it must be claimed anew, and the ladder runs.
    a_second_cry_in_a_claimed_emergency,
    "2026-11-18 16:50",
    |world| {
        let ana = world.patient(somebody(41, "Ana", Lang::Es)).await;
        world.says(&ana, "quiero morir").await;
        let item = world.expect_escalation(&ana, Severity::Emergency).await;
        world.claim(&item).await;
        world.run_until("2026-11-18 22:00").await;
        assert_eq!(world.item(&item).await.rung, 0, "a claimed item does not climb");
        world.says(&ana, "me tomé todas las pastillas").await;
        let item = world.expect_escalation(&ana, Severity::Emergency).await;
        assert_eq!((item.state.as_str(), item.owner_id, world.local(item.due_at)), ("open", None, "2026-11-18 22:05".to_owned()));
        world.run_until("2026-11-18 22:10").await;
        assert_eq!(world.item(&item).await.rung, 2);
    }
);

story!(
    /// After STOP a red flag is still read, answered and brought to a person.
    a_cry_for_help_after_stop,
    "2026-11-18 10:00",
    |world| {
        let patrice = world.patient(somebody(27, "Patrice", Lang::Ht)).await;
        world.says(&patrice, "STOP").await;
        assert_eq!(world.texts(&patrice).len(), 1);
        world.run_until("2026-11-19 08:00").await;
        world.says(&patrice, "lestomak mwen fè m mal, m pa ka respire").await;
        world.expect_escalation(&patrice, Severity::Emergency).await;
        assert!(world.last(&patrice).contains("911"));
        assert_eq!(world.texts(&patrice).len(), 2);
    }
);

story!(
    /// STOP inside a farewell: honoured, and a person is told at once.
    a_farewell_that_asks_for_silence,
    "2026-11-26 22:41",
    |world| {
        let nadezhda = world.patient(somebody(24, "Надежда", Lang::Ru)).await;
        world
            .says(&nadezhda, "Спасибо за всё, доченька. Кошку возьмёт соседка. Сегодня меня не станет, больше не пишите.")
            .await;
        world.expect_escalation(&nadezhda, Severity::Emergency).await;
        let said = world.texts(&nadezhda);
        assert!(said[0].contains("911"), "the crisis reply goes first: {said:?}");
        assert_eq!(said.len(), 2, "and one confirmation");
    }
);

story!(
    /// Somebody nobody knows: read all the same, answered once, listed.
    an_unknown_number_with_no_bed,
    "2026-11-17 17:40",
    |world| {
        let ray = Person { id: porchlight::model::Id(0), phone: "+17185550199".into() };
        world.says(&ray, "its ray new phone. lost my bed nowhere 2 sleep tonite").await;
        assert_eq!(world.texts(&ray).len(), 1);
        assert!(world.last(&ray).contains("911"), "{}", world.last(&ray));
        world.says(&ray, "hello?").await;
        assert_eq!(world.texts(&ray).len(), 1, "one answer a day");
        let items = world.unknown_items().await;
        assert!(items.iter().any(|i| i.severity == "urgent"), "{:?}", items.iter().map(|i| &i.reason).collect::<Vec<_>>());
        world.says(&ray, "i want to kill myself").await;
        assert_eq!(world.texts(&ray).len(), 2, "a cry for help is answered, whatever was answered before");
        assert!(world.last(&ray).contains("911"), "{}", world.last(&ray));
        let items = world.unknown_items().await;
        assert!(items.iter().any(|i| i.severity == "emergency"), "{:?}", items.iter().map(|i| &i.reason).collect::<Vec<_>>());
        world.says(&ray, "i want to kill myself").await;
        assert_eq!(world.texts(&ray).len(), 2, "two machines never talk all night");
    }
);
