//! Story 21 as far as it reaches: the reminder and its confirmation.

use porchlight::intake::Record;
use porchlight::model::{ContentClass, Lang};
use porchlight::protocol::Settings;

use crate::story;
use crate::world::{at, somebody};

fn shu_hui(visit: &str) -> Record {
    let base = somebody(21, "淑惠", Lang::ZhHant);
    Record {
        class: ContentClass::Logistics,
        protocols: vec![("appointment-reminders".into(), Settings::default())],
        visit: Some(("V-21".into(), at(&base.zone, visit))),
        ..base
    }
}

story!(
    /// Mon 10:00, three days ahead: a time is reserved, C / R / X, no test or body part, two UCS-2 segments at the most.
    a_time_is_reserved_and_confirmed,
    "2026-11-15 12:00",
    |world| {
        let shu_hui = world.patient(shu_hui("2026-11-19 14:00")).await;
        world.run_until("2026-11-16 09:59").await;
        assert_eq!(world.texts(&shu_hui).len(), 0);
        world.run_until("2026-11-16 10:00").await;
        let sent = world.sent(&shu_hui).pop().expect("the reminder");
        assert!(sent.text.encode_utf16().count() <= 134, "{}", sent.text);
        assert!(["C", "R", "X", "19"].iter().all(|part| sent.text.contains(part)), "{}", sent.text);
        assert_eq!(sent.coding, "2", "Chinese goes as UCS-2");

        world.run_until("2026-11-16 10:05").await;
        world.says(&shu_hui, "C").await;
        assert_eq!(world.visit_state(&shu_hui).await, "confirmed");
        world.expect_nothing_open(&shu_hui).await;
        world.run_until("2026-11-18 20:00").await;
        assert_eq!(world.texts(&shu_hui).len(), 3, "T-3, the answer, T-1");
    }
);

story!(
    /// "R" brings a person to it, and no further reminder of a time that will not be kept.
    another_time_is_a_persons_work,
    "2026-11-15 12:00",
    |world| {
        let shu_hui = world.patient(shu_hui("2026-11-19 14:00")).await;
        world.run_until("2026-11-16 10:05").await;
        world.says(&shu_hui, "R").await;
        assert_eq!(world.visit_state(&shu_hui).await, "reschedule");
        let item = world.expect_escalation(&shu_hui, porchlight::model::Severity::Routine).await;
        assert!(item.reason.starts_with("Wants another time for the visit"), "{}", item.reason);
        assert_eq!(world.local(item.due_at), "2026-11-18 10:05", "two business days");
        world.run_until("2026-11-18 20:00").await;
        assert_eq!(world.texts(&shu_hui).len(), 2, "no reminder of a visit that is being moved");
    }
);

story!(
    /// "取消" (cancel) is a wish to stop, honoured at once with one confirmation; and a person hears that it may have
    /// meant the visit. Nothing but START brings messages back.
    one_word_that_means_two_things,
    "2026-11-15 12:00",
    |world| {
        let shu_hui = world.patient(shu_hui("2026-11-19 14:00")).await;
        world.run_until("2026-11-16 10:05").await;
        world.says(&shu_hui, "取消").await;
        assert_eq!(world.texts(&shu_hui).len(), 2, "the reminder and one confirmation");
        let item = world.expect_escalation(&shu_hui, porchlight::model::Severity::Routine).await;
        assert!(item.reason.contains("may have meant the visit"), "{}", item.reason);
        world.says(&shu_hui, "取消").await;
        world.says(&shu_hui, "谢谢").await;
        assert_eq!(world.texts(&shu_hui).len(), 2, "no second confirmation, and thanks restores nothing");
        world.run_until("2026-11-18 20:00").await;
        assert_eq!(world.texts(&shu_hui).len(), 2, "T-1 is not sent");
        assert!(world.decisions(&shu_hui).await.contains(&("skip".into(), "revoked".into())));
        world.says(&shu_hui, "START").await;
        assert!(world.last(&shu_hui).contains("STOP"), "{}", world.last(&shu_hui));
    }
);

story!(
    /// Nobody agreed to anything: nothing starts by itself, and the reason stands there.
    without_consent_nothing_starts_by_itself,
    "2026-11-15 12:00",
    |world| {
        let shu_hui = world.patient(Record { consent: None, ..shu_hui("2026-11-19 14:00") }).await;
        world.run_until("2026-11-19 20:00").await;
        assert_eq!(world.texts(&shu_hui).len(), 0);
        assert!(world.decisions(&shu_hui).await.iter().all(|d| d.1 == "no_consent"));
        world.says(&shu_hui, "HELP").await;
        assert_eq!(world.texts(&shu_hui).len(), 1, "who writes is answered");
    }
);
