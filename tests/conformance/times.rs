//! What lets time pass exactly once: timers, occurrences, node numbers.

use futures_util::FutureExt;
use porchlight::clock::Time;
use porchlight::model::{Id, Priority};
use porchlight::store::timers::{self, Kind, NewTimer};
use porchlight::store::{StoreError, enrolments, nodes};

use crate::place::{ENROLMENT, KAMAL, NOW, Place, ROSA, SITE, clinic, later, raw, soon};
use crate::{case, look, refused, save};

pub fn timer(id: i64, kind: Kind, subject: i64, detail: &str, due: Time) -> NewTimer {
    NewTimer {
        id: Id(id),
        site: SITE,
        patient: Some(ROSA),
        kind,
        subject: Id(subject),
        detail: detail.to_owned(),
        slot: "2026-11-06".into(),
        version: 1,
        due,
        priority: Priority::REMINDER,
    }
}

fn ids(due: &[timers::Timer]) -> Vec<i64> {
    due.iter().map(|t| t.id).collect()
}

case!(
    /// One thing has one timer: setting it again moves it.
    a_timer_is_moved_and_not_doubled, |place| {
        clinic(place).await;
        save!(place, |tx| timers::set(tx, &[]).await);
        save!(place, |tx| timers::set(
            tx,
            &[timer(1, Kind::Step, 61, "ask", later(1)), timer(2, Kind::Step, 61, "nudge", later(2))]
        )
        .await);
        let moved = NewTimer { slot: "2026-11-07".into(), version: 2, ..timer(3, Kind::Step, 61, "ask", later(5)) };
        save!(place, |tx| timers::set(tx, &[moved]).await);
        assert_eq!(look!(place, |tx| timers::next_due(tx).await), Some(later(2)));
        let due = save!(place, |tx| timers::due(tx, later(9), 10).await);
        assert_eq!(ids(&due), [2, 1]);
        let ask = &due[1];
        assert_eq!((ask.slot.as_str(), ask.version, ask.due_at), ("2026-11-07", 2, later(5).0));
        assert_eq!(
            (ask.site_id, ask.patient_id, ask.kind.as_str(), ask.subject, ask.detail.as_str()),
            (1, Some(21), "step", 61, "ask")
        );
    }
);

case!(
    /// What is due first comes first, and of what is due together the most pressing; nothing comes before its time.
    due_timers_come_in_their_order, |place| {
        clinic(place).await;
        let all = [
            timer(1, Kind::Step, 61, "a", later(2)),
            NewTimer { priority: Priority::CRISIS, patient: None, ..timer(2, Kind::Deadline, 7, "", later(2)) },
            timer(3, Kind::Hold, 8, "", later(1)),
            timer(4, Kind::Doubt, 8, "", later(3)),
            timer(5, Kind::Question, 51, "", later(30)),
        ];
        save!(place, |tx| timers::set(tx, &all).await);
        assert!(save!(place, |tx| timers::due(tx, NOW, 10).await).is_empty());
        assert_eq!(ids(&save!(place, |tx| timers::due(tx, later(2), 10).await)), [3, 2, 1], "due at this very moment is due");
        assert_eq!(ids(&save!(place, |tx| timers::due(tx, later(3), 2).await)), [3, 2], "no more than asked for");
        // One that cannot be worked lets the others by.
        save!(place, |tx| timers::put_off(tx, 3, later(20)).await);
        assert_eq!(ids(&save!(place, |tx| timers::due(tx, later(3), 2).await)), [2, 1]);
        save!(place, |tx| timers::drop_all(tx, &[2, 1]).await);
        save!(place, |tx| timers::drop_all(tx, &[]).await);
        assert_eq!(ids(&save!(place, |tx| timers::due(tx, later(60), 10).await)), [4, 3, 5]);
        save!(place, |tx| timers::cancel(tx, Kind::Doubt, Id(8)).await);
        save!(place, |tx| timers::cancel_all(tx, Kind::Question, &[7, 8]).await);
        save!(place, |tx| timers::cancel_all(tx, Kind::Question, &[]).await);
        assert_eq!(
            ids(&save!(place, |tx| timers::due(tx, later(60), 10).await)),
            [3, 5],
            "the other kind about the same message stays"
        );
        save!(place, |tx| timers::cancel_all(tx, Kind::Question, &[51, 52]).await);
        assert_eq!(ids(&save!(place, |tx| timers::due(tx, later(60), 10).await)), [3]);
    }
);

case!(
    /// What comes next for a patient: their steps, soonest first, and nobody else's.
    what_comes_next_for_a_patient, |place| {
        clinic(place).await;
        let all = [
            timer(1, Kind::Step, 61, "b", later(9)),
            timer(2, Kind::Step, 61, "a", later(3)),
            timer(3, Kind::Hold, 8, "", later(1)),
            NewTimer { patient: Some(KAMAL), ..timer(4, Kind::Step, 62, "a", later(1)) },
        ];
        save!(place, |tx| timers::set(tx, &all).await);
        let next = look!(place, |tx| timers::upcoming(tx, ROSA).await);
        assert_eq!(next, [(61, "a".to_owned(), later(3).0), (61, "b".to_owned(), later(9).0)]);
    }
);

/// While one process works timers in an open transaction, another passes them over instead of waiting.
#[tokio::test]
async fn what_another_process_is_sweeping_is_passed_over() {
    let place = Place::postgres().await;
    clinic(&place).await;
    save!(place, |tx| timers::set(tx, &[timer(1, Kind::Step, 61, "a", NOW), timer(2, Kind::Step, 61, "b", later(1))]).await);
    let other = place.beside().await;
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    let slow = async {
        save!(place, |tx| {
            let mine = timers::due(tx, later(5), 1).await;
            begun.send(()).expect("the other waits");
            gone.await.expect("the other is done");
            mine
        })
    };
    let quick = async {
        has_begun.await.expect("the first has begun");
        let mine = save!(other, |tx| timers::due(tx, later(5), 5).await);
        go.send(()).expect("the first waits");
        mine
    };
    let (slow, quick) = soon(async { tokio::join!(slow, quick) }).await;
    assert_eq!((ids(&slow), ids(&quick)), (vec![1], vec![2]));
    other.end().await;
    place.end().await;
}

case!(
    /// An occurrence is recorded once for ever, whoever asks and how often.
    an_occurrence_is_recorded_once, |place| {
        clinic(place).await;
        let keys = |keys: &[&str]| keys.iter().map(|k| (*k).to_owned()).collect::<Vec<_>>();
        let (first, again) = (
            keys(&["61:ask:start:2026-11-06", "61:ask:start:2026-11-07"]),
            keys(&["61:ask:start:2026-11-07", "61:ask:start:2026-11-08"]),
        );
        let mut new = save!(place, |tx| enrolments::record(tx, &first, NOW).await);
        new.sort();
        assert_eq!(new, keys(&["61:ask:start:2026-11-06", "61:ask:start:2026-11-07"]));
        assert_eq!(save!(place, |tx| enrolments::record(tx, &again, NOW).await), ["61:ask:start:2026-11-08"]);
        assert!(save!(place, |tx| enrolments::record(tx, &[], NOW).await).is_empty());

        let other = place.beside().await;
        let (mine, theirs) = (keys(&["61:ask:start:2026-11-09"]), keys(&["61:ask:start:2026-11-09"]));
        let (a, b) = tokio::join!(async { save!(place, |tx| enrolments::record(tx, &mine, NOW).await).len() }, async {
            save!(other, |tx| enrolments::record(tx, &theirs, NOW).await).len()
        },);
        assert_eq!(a + b, 1, "two processes in the same moment");
        other.end().await;
    }
);

case!(
    /// A patient takes part in a protocol once; the text is kept under its hash; an ended enrolment makes room.
    a_patient_is_enrolled_once, |place| {
        clinic(place).await;
        save!(place, |tx| enrolments::put_protocol(tx, "hash-1", "weights", 9, "Changed", "changed", NOW).await);
        save!(place, |tx| enrolments::put_protocol(tx, "hash-2", "weights", 2, "Weight", "id = \"weights\" # 2", later(1)).await);
        let kept = look!(place, |tx| enrolments::protocols(tx).await);
        let row = |hash: &str, text: &str| (hash.to_owned(), "weights".to_owned(), text.to_owned());
        assert_eq!(kept, [row("hash-1", "id = \"weights\""), row("hash-2", "id = \"weights\" # 2")]);

        assert_eq!(save!(place, |tx| enrolments::enrol(tx, Id(62), (SITE, ROSA), ("weights", "hash-2"), "{}", NOW).await), None);
        assert_eq!(
            save!(place, |tx| enrolments::enrol(
                tx,
                Id(63),
                (SITE, KAMAL),
                ("weights", "hash-2"),
                "{\"at\":\"09:00\"}",
                later(2)
            )
            .await),
            Some(Id(63))
        );
        let mut both = look!(place, |tx| enrolments::get(tx, &[ENROLMENT.0, 63, 99]).await);
        both.sort_by_key(|e| e.id);
        assert_eq!(
            both.iter().map(|e| (e.id, e.patient_id, e.protocol_hash.as_str(), e.state.as_str())).collect::<Vec<_>>(),
            [(61, 21, "hash-1", "active"), (63, 22, "hash-2", "active")]
        );
        let kamal = &both[1];
        assert_eq!(
            (kamal.site_id, kamal.protocol.as_str(), kamal.settings.as_str(), kamal.started_at),
            (1, "weights", "{\"at\":\"09:00\"}", later(2).0)
        );
        assert_eq!(
            (kamal.zone.as_str(), kamal.lang.as_str(), kamal.called.as_str(), kamal.discreet),
            ("America/New_York", "es", "Kamal", false)
        );
        assert_eq!(look!(place, |tx| enrolments::of_patients(tx, &[ROSA.0, KAMAL.0]).await).len(), 2);

        save!(place, |tx| raw(tx, "UPDATE enrolment SET state = 'ended' WHERE id = 61").await);
        assert_eq!(look!(place, |tx| enrolments::of_patients(tx, &[ROSA.0, KAMAL.0]).await).len(), 1);
        assert_eq!(
            save!(place, |tx| enrolments::enrol(tx, Id(64), (SITE, ROSA), ("weights", "hash-2"), "{}", NOW).await),
            Some(Id(64))
        );
        assert!(look!(place, |tx| enrolments::get(tx, &[]).await).is_empty());
        assert!(look!(place, |tx| enrolments::of_patients(tx, &[]).await).is_empty());
    }
);

case!(
    /// Two processes never have the same number; a lost lease is noticed; whoever takes it over makes later ids.
    a_node_number_has_one_owner, |place| {
        assert_eq!(save!(place, |tx| nodes::lease(tx, "a", NOW, later(1)).await), (0, Time(0)));
        assert_eq!(save!(place, |tx| nodes::lease(tx, "b", NOW, later(1)).await), (1, Time(0)));
        assert!(save!(place, |tx| nodes::renew(tx, 0, "a", later(5)).await));
        assert!(!save!(place, |tx| nodes::renew(tx, 0, "b", later(50)).await), "not theirs");
        assert_eq!(save!(place, |tx| nodes::lease(tx, "c", later(1), later(2)).await).0, 2, "a lease holds to its last moment");

        // b and c have died; a has renewed.
        let (node, floor) = save!(place, |tx| nodes::lease(tx, "d", later(3), later(4)).await);
        assert_eq!((node, floor), (1, later(1)), "no id of the new owner may be below what the old one may have made");
        assert!(!save!(place, |tx| nodes::renew(tx, 1, "b", later(9)).await), "b comes back: it must stop");

        save!(place, |tx| nodes::release(tx, 0, "b").await);
        assert_eq!(
            save!(place, |tx| nodes::lease(tx, "e", later(3), later(4)).await).0,
            2,
            "nobody gives back what is not theirs"
        );
        save!(place, |tx| nodes::release(tx, 0, "a").await);
        assert_eq!(
            save!(place, |tx| nodes::lease(tx, "f", later(3), later(4)).await),
            (0, later(5)),
            "given back, and still with its floor"
        );
    }
);

case!(
    /// All numbers are taken: a clear word instead of a number that somebody has.
    there_is_an_end_of_node_numbers, |place| {
        save!(place, |tx| raw(
            tx,
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1023)
             INSERT INTO node (id, owner, lease_until, high) SELECT i, 'somebody', 1794000060000, 1794000060000 FROM n"
        )
        .await);
        let full = refused!(place, |tx| nodes::lease(tx, "late", NOW, later(1)).await);
        assert!(matches!(&full, StoreError::Refused(why) if why.contains("1,024")), "{full}");
        assert_eq!(save!(place, |tx| nodes::lease(tx, "late", later(2), later(3)).await), (0, later(1)), "a minute later");
    }
);

case!(
    /// Two processes start in the same moment: each its own number, or one of them is told to try again.
    two_processes_start_together, |place| {
        let other = place.beside().await;
        let (a, b) = tokio::join!(
            place.db.write(porchlight::store::Lane::Work, |tx| async move { nodes::lease(tx, "a", NOW, later(1)).await }.boxed()),
            other.db.write(porchlight::store::Lane::Work, |tx| async move { nodes::lease(tx, "b", NOW, later(1)).await }.boxed()),
        );
        match (a, b) {
            (Ok(a), Ok(b)) => assert_ne!(a.0, b.0),
            (Ok(_), Err(StoreError::Conflict)) | (Err(StoreError::Conflict), Ok(_)) => {}
            (a, b) => panic!("{a:?} and {b:?}"),
        }
        other.end().await;
    }
);
