//! The ladder: where one way to a person fails, the next one is taken by itself, and the timeline says why.

use porchlight::intake::Record;
use porchlight::model::{ContentClass, Lang, Severity};
use porchlight::protocol::WeightUnit;
use porchlight::store::health;

use crate::story;
use crate::world::{Answer, World, at, daily_at, somebody};

/// Ray's second phone.
const SECOND_PHONE: &str = "+17185550166";

fn ray() -> Record {
    somebody(16, "Ray", Lang::En)
}

/// A second way out on the same channel.
const SECOND: (&str, &str) = ("second", "url = \"http://{provider}/cgi-bin/sendsms\"");

/// The provider is down for what comes by this gateway.
fn away(world: &World, gateway: &str) {
    world.provider.send_modify(|p| {
        p.broken.insert(gateway.to_owned(), (503, "down"));
    });
}

fn visit(world: &World, record: Record) -> Record {
    Record {
        visit: Some(("V-1".into(), at(&world.zone, "2026-11-19 13:00"))),
        protocols: vec![("appointment-reminders".into(), porchlight::protocol::Settings::default())],
        ..record
    }
}

story!(
    /// Ray's number is dead: it is closed, his reminder goes to his second phone in the same minute, consent is untouched, and a
    /// person hears of the number.
    a_dead_number_gives_way_to_the_next_contact,
    "2026-11-16 09:30",
    |world| {
        let ray = world.patient(visit(&world, ray())).await;
        let second = world.also_at(&ray, SECOND_PHONE, ContentClass::Logistics).await;
        world.script(&ray, vec![Answer::Status(400, "Garbage 'to' field, rejected.")]);
        world.run_until("2026-11-16 10:01").await;
        assert_eq!((world.texts(&ray).len(), world.texts(&second).len()), (0, 1));
        assert_eq!(world.attempts(&ray).await, ["unreachable", "accepted"]);
        assert_eq!(world.message_states(&ray).await, ["delivered"], "one message, however many tries it took");
        assert_eq!(world.decisions(&ray).await, [("send".into(), "allowed".into()), ("reroute".into(), "next_rung".into())]);
        let item = world.expect_escalation(&ray, Severity::Routine).await;
        assert!(item.reason.contains("cannot be reached"), "{}", item.reason);
        // The day before, straight to the second: the number is closed, and nothing is tried there.
        world.run_until("2026-11-18 10:01").await;
        assert_eq!((world.texts(&ray).len(), world.texts(&second).len()), (0, 2));
    }
);

story!(
    /// The carrier took it and failed later: the first message stays failed, the next contact gets the same words anew.
    what_the_carrier_could_not_bring_goes_on,
    "2026-11-16 09:30",
    |world| {
        let ray = world.patient(visit(&world, ray())).await;
        let second = world.also_at(&ray, SECOND_PHONE, ContentClass::Logistics).await;
        world.no_receipts();
        world.run_until("2026-11-16 10:00").await;
        world.receipt(&ray, "2").await;
        world.settle().await;
        assert_eq!(world.message_states(&ray).await, ["failed", "accepted"]);
        assert_eq!(world.texts(&second), world.texts(&ray), "the same words");
        assert_eq!(world.decisions(&ray).await.last(), Some(&("reroute".into(), "next_rung".into())));
        // His second phone fails as well: there is nobody left, so a person is told.
        world.receipt(&second, "2").await;
        world.settle().await;
        assert_eq!(world.message_states(&ray).await, ["failed", "failed"]);
        let item = world.expect_escalation(&ray, Severity::Routine).await;
        assert!(item.reason.contains("did not arrive"), "{}", item.reason);
    }
);

story!(
    /// The carrier changes its mind: what it called failed has arrived. No state moves back, and nobody is written to a third time.
    what_arrived_after_all_climbs_no_further,
    "2026-11-16 09:30",
    |world| {
        let ray = world.patient(visit(&world, ray())).await;
        let second = world.also_at(&ray, SECOND_PHONE, ContentClass::Logistics).await;
        world.also_at(&ray, "+17185550176", ContentClass::Logistics).await;
        world.no_receipts();
        world.run_until("2026-11-16 10:00").await;
        world.receipt(&ray, "2").await;
        world.settle().await;
        world.receipt(&ray, "1").await;
        world.receipt(&second, "2").await;
        world.settle().await;
        assert_eq!(world.message_states(&ray).await, ["failed", "failed"]);
        world.expect_nothing_open(&ray).await;
    }
);

story!(
    /// No receipt for a crisis reply in two minutes: it goes to the other phone as well. A reminder waits two hours.
    no_receipt_is_no_arrival,
    "2026-11-16 10:00",
    |world| {
        let ray = world.patient(visit(&world, ray())).await;
        let other = world.also_at(&ray, SECOND_PHONE, ContentClass::Care).await;
        world.no_receipts();
        world.says(&ray, "my chest hurts and i cant breathe").await;
        assert_eq!((world.texts(&ray).len(), world.texts(&other).len()), (1, 0));
        world.run_until("2026-11-16 10:01").await;
        assert_eq!(world.texts(&other).len(), 0);
        world.run_until("2026-11-16 10:02").await;
        assert_eq!(world.texts(&other).len(), 1);
        world.run_until("2026-11-16 12:30").await;
        assert_eq!((world.texts(&ray).len(), world.texts(&other).len()), (1, 1), "once a contact");
    }
);

story!(
    /// The carrier says "sent" and never that it arrived: after two hours the second phone gets it too, and then it rests. Nobody's phone
    /// rings every two hours.
    sent_is_no_arrival_and_no_circle,
    "2026-11-16 09:30",
    |world| {
        let ray = world.patient(visit(&world, ray())).await;
        let second = world.also_at(&ray, SECOND_PHONE, ContentClass::Logistics).await;
        world.no_receipts();
        world.run_until("2026-11-16 10:00").await;
        world.receipt(&ray, "8").await;
        world.run_until("2026-11-16 12:01").await;
        assert_eq!((world.texts(&ray).len(), world.texts(&second).len()), (1, 1));
        world.receipt(&second, "8").await;
        world.run_until("2026-11-16 19:00").await;
        assert_eq!((world.texts(&ray).len(), world.texts(&second).len()), (1, 1), "once a phone");
    }
);

story!(
    /// A confirmation of STOP belongs to the phone that asked for it: it goes nowhere else, whatever happens to it.
    a_confirmation_climbs_no_ladder,
    "2026-11-16 10:00",
    |world| {
        let ray = world.patient(ray()).await;
        let second = world.also_at(&ray, SECOND_PHONE, ContentClass::Care).await;
        world.script(&ray, vec![Answer::Status(400, "Garbage 'to' field, rejected.")]);
        world.says(&ray, "STOP").await;
        world.run_until("2026-11-16 14:00").await;
        assert_eq!((world.texts(&ray).len(), world.texts(&second).len()), (0, 0));
        assert_eq!(world.message_states(&ray).await, ["failed"]);
    }
);

story!(
    /// Hank's provider is away (story 26): after five tries it is left alone, everybody goes by the second provider, people are told
    /// once, and it is used again when it is back.
    a_second_provider_takes_over_and_gives_back,
    "2026-11-16 08:00",
    with [SECOND],
    |world| {
        let mut all = Vec::new();
        for n in 0..8 {
            let protocols = vec![("heart-failure-weight".into(), daily_at("09:30", WeightUnit::Lb))];
            all.push(world.patient(Record { protocols, ..somebody(40 + n, "Hank", Lang::En) }).await);
        }
        away(&world, "sms");
        world.run_until("2026-11-16 09:35").await;
        for hank in &all {
            assert_eq!(world.message_states(hank).await, ["delivered"]);
            assert!(world.sent(hank)[0].receipt_url.contains("/hooks/second/"));
        }
        let told: Vec<_> = world.unknown_items().await.into_iter().filter(|i| i.reason.contains("does not answer")).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].reason.contains("another one is used"), "{}", told[0].reason);
        let mut tx = world.app.db.read().await.expect("the database");
        assert_eq!(health::all(&mut tx).await.expect("the health")[0].state, "failing");
        drop(tx);

        world.provider.send_modify(|p| p.broken.clear());
        let by_first = |day: usize| all.iter().filter(|hank| world.sent(hank)[day].receipt_url.contains("/hooks/sms/")).count();
        world.run_until("2026-11-17 09:35").await;
        assert_eq!(by_first(1), 1, "one tries whether it is back, the others do not wait for it");
        world.run_until("2026-11-18 09:35").await;
        assert_eq!(by_first(2), 8);
    }
);

story!(
    /// Without a second provider: what is of use waits and goes when the provider is back; what would be late ends, and somebody hears
    /// of it while there is time to call.
    what_waits_for_a_provider_in_vain_is_told_in_time,
    "2026-11-16 08:00",
    |world| {
        let protocols = || vec![("heart-failure-weight".into(), daily_at("09:30", WeightUnit::Lb))];
        let mut all = Vec::new();
        for n in 0..6 {
            all.push(world.patient(Record { protocols: protocols(), ..somebody(50 + n, "Hank", Lang::En) }).await);
        }
        away(&world, "sms");
        world.run_until("2026-11-16 10:00").await;
        for hank in &all {
            assert_eq!(world.message_states(hank).await, ["queued"], "it waits");
        }
        world.run_until("2026-11-16 23:00").await;
        for hank in &all {
            assert_eq!(world.message_states(hank).await, ["expired"]);
            assert!(world.texts(hank).is_empty(), "and is never sent late");
            let reasons: Vec<_> = world.open_items(hank).await.into_iter().map(|i| i.reason).collect();
            assert!(reasons.iter().any(|r| r.contains("is of no use soon: call")), "{reasons:?}");
        }
    }
);
