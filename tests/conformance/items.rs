//! Escalations and threads: what several people and processes reach for at the same time.

use futures_util::FutureExt;
use porchlight::clock::Time;
use porchlight::model::{Category, Channel, Class, Id, MessageState, Outcome, Severity};
use porchlight::store::escalations::{self, NewEscalation, NewEvent};
use porchlight::store::messages::{self, NewMessage};
use porchlight::store::{StoreError, threads};

use crate::outbox::message;
use crate::place::{DANA, JUNE, KAMAL, KAMAL_PHONE, NOW, ROSA, ROSA_PERSON, ROSA_PHONE, ROSA_THREAD, SITE, clinic, later, raw};
use crate::{case, look, refused, save};

pub fn item(id: i64, patient: Option<Id>, severity: Severity) -> NewEscalation {
    NewEscalation {
        id: Id(id),
        site: SITE,
        patient,
        inbox: None,
        severity,
        category: Category::Symptom,
        reason: "Short of breath".into(),
        opened: NOW,
        due: later(60),
    }
}

pub fn event(id: i64, of: i64, kind: &'static str, at: Time) -> NewEvent {
    NewEvent { id: Id(id), escalation: Id(of), patient: Some(ROSA), at, kind, staff: None, inbox: None, detail: String::new() }
}

case!(
    /// June and Dana click in the same moment: one has the item, the other is told.
    an_item_has_one_owner, |place| {
        clinic(place).await;
        save!(place, |tx| escalations::open(tx, &item(1, Some(ROSA), Severity::Urgent)).await);
        let other = place.beside().await;
        let (june, dana) =
            tokio::join!(async { save!(place, |tx| escalations::claim(tx, Id(1), JUNE, later(1)).await) }, async {
                save!(other, |tx| escalations::claim(tx, Id(1), DANA, later(1)).await)
            },);
        assert!(june != dana, "one of them: June {june}, Dana {dana}");
        let seen = look!(place, |tx| escalations::get(tx, Id(1)).await).expect("the item");
        assert_eq!(seen.owner_id, Some(if june { JUNE.0 } else { DANA.0 }));
        assert_eq!((seen.state.as_str(), seen.claimed_at, seen.version), ("claimed", Some(later(1).0), 1));
        assert!(!save!(place, |tx| escalations::climb(tx, Id(1), 2).await), "nobody else is called for a claimed item");
        other.end().await;
    }
);

case!(
    /// Resolved once, with an outcome; the first word stands.
    an_item_is_resolved_once, |place| {
        clinic(place).await;
        save!(place, |tx| escalations::open(tx, &item(1, Some(ROSA), Severity::Emergency)).await);
        save!(place, |tx| escalations::open(tx, &item(2, Some(ROSA), Severity::Routine)).await);
        let other = place.beside().await;
        let (june, dana) = tokio::join!(
            async { save!(place, |tx| escalations::resolve(tx, Id(1), JUNE, Outcome::ReachedSafe, later(2)).await) },
            async { save!(other, |tx| escalations::resolve(tx, Id(1), DANA, Outcome::FalseAlarm, later(2)).await) },
        );
        assert!(june != dana, "one of them: June {june}, Dana {dana}");
        let seen = look!(place, |tx| escalations::get(tx, Id(1)).await).expect("the item");
        assert_eq!(seen.outcome, if june { "reached_safe" } else { "false_alarm" });
        assert_eq!((seen.state.as_str(), seen.resolved_at, seen.claimed_at), ("resolved", Some(later(2).0), Some(later(2).0)));
        assert!(!save!(place, |tx| escalations::claim(tx, Id(1), DANA, later(3)).await));
        assert!(!save!(place, |tx| escalations::climb(tx, Id(1), 1).await));
        assert!(look!(place, |tx| escalations::get(tx, Id(99)).await).is_none());

        // Who resolves has the last word, whoever had claimed.
        assert!(save!(place, |tx| escalations::claim(tx, Id(2), DANA, later(1)).await));
        assert!(save!(place, |tx| escalations::resolve(tx, Id(2), JUNE, Outcome::Answered, later(5)).await));
        let seen = look!(place, |tx| escalations::get(tx, Id(2)).await).expect("the item");
        assert_eq!((seen.owner_id, seen.claimed_at, seen.outcome.as_str()), (Some(JUNE.0), Some(later(1).0), "answered"));
        other.end().await;
    }
);

case!(
    /// A raised item is due sooner, never later, and begins again at the first rung; once claimed, its new deadline counts.
    a_raised_item_is_never_due_later, |place| {
        clinic(place).await;
        save!(place, |tx| escalations::open(tx, &NewEscalation { inbox: Some(Id(5)), ..item(1, Some(ROSA), Severity::Routine) })
            .await);
        assert!(save!(place, |tx| escalations::climb(tx, Id(1), 1).await));
        save!(place, |tx| escalations::raise(tx, Id(1), Severity::Urgent, Category::Distress, "Worse", None, later(90)).await);
        let seen = look!(place, |tx| escalations::get(tx, Id(1)).await).expect("the item");
        assert_eq!((seen.severity.as_str(), seen.category.as_str(), seen.reason.as_str()), ("urgent", "distress", "Worse"));
        assert_eq!(
            (seen.due_at, seen.rung, seen.inbox_id),
            (later(60).0, 0, Some(5)),
            "not later, from the beginning, with its words"
        );
        save!(place, |tx| escalations::raise(tx, Id(1), Severity::Emergency, Category::SelfHarm, "Now", Some(Id(6)), later(5))
            .await);
        let seen = look!(place, |tx| escalations::get(tx, Id(1)).await).expect("the item");
        assert_eq!((seen.severity.as_str(), seen.due_at, seen.inbox_id, seen.version), ("emergency", later(5).0, Some(6), 3));

        save!(place, |tx| escalations::claim(tx, Id(1), JUNE, later(6)).await);
        save!(place, |tx| escalations::raise(tx, Id(1), Severity::Urgent, Category::SelfHarm, "Again", None, later(11)).await);
        let seen = look!(place, |tx| escalations::get(tx, Id(1)).await).expect("the item");
        assert_eq!((seen.due_at, seen.owner_id, seen.state.as_str()), (later(11).0, Some(JUNE.0), "claimed"));

        // What becomes an emergency must be claimed anew, whoever had it.
        save!(place, |tx| escalations::raise(tx, Id(1), Severity::Emergency, Category::SelfHarm, "Again", None, later(20)).await);
        let seen = look!(place, |tx| escalations::get(tx, Id(1)).await).expect("the item");
        assert_eq!((seen.due_at, seen.owner_id, seen.claimed_at, seen.state.as_str()), (later(20).0, None, None, "open"));
        save!(place, |tx| escalations::join(tx, Id(1), Some(Id(7))).await);
        save!(place, |tx| escalations::join(tx, Id(1), None).await);
        let joined = look!(place, |tx| escalations::get(tx, Id(1)).await).expect("the item");
        assert_eq!((joined.inbox_id, joined.version, joined.due_at), (Some(7), seen.version + 2, later(20).0));
    }
);

case!(
    /// What waits for a person, by patient, of nobody and about our own trouble; resolved ones are gone from all lists.
    what_waits_is_found, |place| {
        clinic(place).await;
        let trouble = NewEscalation {
            category: Category::Technical,
            reason: "The outbox stands".into(),
            ..item(4, None, Severity::Urgent)
        };
        let all = [
            NewEscalation { opened: later(2), ..item(1, Some(ROSA), Severity::Routine) },
            item(2, Some(ROSA), Severity::Urgent),
            item(3, Some(KAMAL), Severity::Routine),
            trouble,
            NewEscalation { opened: later(1), ..item(5, None, Severity::Emergency) },
            item(6, Some(ROSA), Severity::Routine),
        ];
        save!(place, |tx| {
            for one in &all {
                escalations::open(tx, one).await?;
            }
            escalations::resolve(tx, Id(6), JUNE, Outcome::Answered, NOW).await
        });
        let ids = |items: Vec<escalations::Escalation>| items.into_iter().map(|e| e.id).collect::<Vec<_>>();
        assert_eq!(ids(look!(place, |tx| escalations::unresolved(tx, &[ROSA.0]).await)), [2, 1], "oldest first");
        assert_eq!(ids(look!(place, |tx| escalations::unresolved(tx, &[ROSA.0, KAMAL.0]).await)), [2, 3, 1]);
        assert!(look!(place, |tx| escalations::unresolved(tx, &[]).await).is_empty());
        assert_eq!(ids(look!(place, |tx| escalations::unresolved_of_nobody(tx).await)), [4, 5]);
        assert_eq!(ids(look!(place, |tx| escalations::unresolved_technical(tx, "The outbox stands").await)), [4]);
        assert!(look!(place, |tx| escalations::unresolved_technical(tx, "Something else").await).is_empty());
    }
);

case!(
    /// What has happened to an item is kept in order.
    events_are_kept_in_order, |place| {
        clinic(place).await;
        save!(place, |tx| {
            escalations::open(tx, &item(1, Some(ROSA), Severity::Emergency)).await?;
            escalations::open(tx, &item(2, Some(KAMAL), Severity::Emergency)).await?;
            escalations::add_event(
                tx,
                &NewEvent { inbox: Some(Id(5)), detail: "Short of breath".into(), ..event(11, 1, "opened", NOW) },
            )
            .await?;
            escalations::add_event(tx, &NewEvent { detail: "crisis-open".into(), ..event(12, 1, "crisis", later(1)) }).await?;
            escalations::add_event(tx, &NewEvent { patient: Some(KAMAL), ..event(13, 2, "crisis", later(2)) }).await?;
            escalations::add_event(tx, &NewEvent { staff: Some(JUNE), ..event(14, 1, "claimed", later(3)) }).await
        });
        let events = look!(place, |tx| escalations::events(tx, Id(1)).await);
        assert_eq!(events.iter().map(|e| e.kind.as_str()).collect::<Vec<_>>(), ["opened", "crisis", "claimed"]);
        assert_eq!((events[0].inbox_id, events[0].detail.as_str(), events[0].at), (Some(5), "Short of breath", NOW.0));
        assert_eq!((events[2].staff_id, events[2].escalation_id), (Some(JUNE.0), 1));
        let of_rosa = look!(place, |tx| escalations::events_of_patient(tx, ROSA, later(1)).await);
        assert_eq!(of_rosa.iter().map(|e| e.kind.as_str()).collect::<Vec<_>>(), ["crisis", "claimed"]);
    }
);

case!(
    /// A crisis reply counts from when it was last sent, and as given now while it still has to go. One that was never sent does not.
    a_crisis_reply_is_given_when_it_goes, |place| {
        clinic(place).await;
        save!(place, |tx| {
            escalations::open(tx, &item(1, Some(ROSA), Severity::Emergency)).await?;
            escalations::open(tx, &item(2, Some(KAMAL), Severity::Emergency)).await?;
            let whose = |n: i64| if n == 9 { (2, KAMAL) } else { (1, ROSA) };
            for n in 1..=9 {
                let (of, patient) = whose(n);
                let event = NewEvent { patient: Some(patient), inbox: Some(Id(n)), detail: n.to_string(), ..event(10 + n, of, "crisis", later(n)) };
                escalations::add_event(tx, &event).await?;
            }
            let reply = |n: i64| NewMessage {
                patient: Some(whose(n).1),
                inbox: Some(Id(n)),
                planned_at: later(n),
                expires_at: Some(later(n + 60)),
                ..message(n, Class::Crisis)
            };
            // The eighth event's message answers something else.
            let all: Vec<_> = (1..=9).map(|n| if n == 8 { NewMessage { inbox: Some(Id(99)), ..reply(n) } } else { reply(n) }).collect();
            messages::plan(tx, &all).await?;
            let ends = [
                (1, MessageState::Skipped),
                (2, MessageState::Expired),
                (3, MessageState::Failed),
                (4, MessageState::Delivered),
                (5, MessageState::Unknown),
                (6, MessageState::Held),
            ];
            messages::settle(tx, &ends.map(|(n, state)| (Id(n), state, String::new(), NOW)), later(30)).await?;
            raw(tx, "INSERT INTO attempt (message_id, n, patient_id, gateway, lease_owner, reference, started_at) VALUES (4, 1, 21, 'sms', 'p', 'r', 42)").await
        });
        let given = |item: i64, at: Time, n: i64| (item, at.0, n.to_string());
        let now = later(10);
        let replies = look!(place, |tx| escalations::crisis_replies(tx, &[1, 2], now).await);
        let wanted = [given(1, Time(42), 4), given(1, later(5), 5), given(1, now, 6), given(1, now, 7), given(2, now, 9)];
        assert_eq!(replies, wanted);
        let replies = look!(place, |tx| escalations::crisis_replies(tx, &[1], later(67)).await);
        assert_eq!(replies, [given(1, Time(42), 4), given(1, later(5), 5)], "what is left has expired");
        assert!(look!(place, |tx| escalations::crisis_replies(tx, &[], now).await).is_empty());
    }
);

case!(
    /// Every change of an item is news, whoever makes it; and nothing else is.
    every_change_is_news, |place| {
        clinic(place).await;
        let mut seen = vec![look!(place, |tx| escalations::news(tx).await)];
        save!(place, |tx| escalations::open(tx, &item(1, Some(ROSA), Severity::Urgent)).await);
        seen.push(look!(place, |tx| escalations::news(tx).await));
        save!(place, |tx| escalations::open(tx, &item(2, Some(KAMAL), Severity::Routine)).await);
        seen.push(look!(place, |tx| escalations::news(tx).await));
        save!(place, |tx| escalations::join(tx, Id(1), Some(Id(5))).await);
        seen.push(look!(place, |tx| escalations::news(tx).await));
        save!(place, |tx| escalations::claim(tx, Id(2), JUNE, later(1)).await);
        seen.push(look!(place, |tx| escalations::news(tx).await));
        assert_eq!(seen.last(), Some(&look!(place, |tx| escalations::news(tx).await)), "nothing has happened since");
        save!(place, |tx| escalations::resolve(tx, Id(2), JUNE, Outcome::Answered, later(2)).await);
        seen.push(look!(place, |tx| escalations::news(tx).await));
        let different: std::collections::BTreeSet<_> = seen.iter().collect();
        assert_eq!(different.len(), seen.len(), "{seen:?}");
    }
);

case!(
    /// A thread is (address, person, patient), made once; a new contact of the same address is remembered.
    a_thread_is_made_once, |place| {
        clinic(place).await;
        let again = save!(place, |tx| threads::ensure(
            tx,
            Id(99),
            SITE,
            Channel::Sms,
            "hash-rosa",
            (ROSA_PERSON, ROSA, KAMAL_PHONE),
            NOW
        )
        .await);
        assert_eq!(again, ROSA_THREAD);
        let shared = save!(place, |tx| threads::ensure(
            tx,
            Id(53),
            SITE,
            Channel::Sms,
            "hash-rosa",
            (ROSA_PERSON, KAMAL, ROSA_PHONE),
            NOW
        )
        .await);
        assert_eq!(shared, Id(53), "a carer's phone serves two patients");
        let found = save!(place, |tx| threads::of_addresses(tx, &["hash-rosa", "hash-nobody"]).await);
        assert_eq!(found.iter().map(|t| (t.id, t.patient_id, t.contact_id)).collect::<Vec<_>>(), [(51, 21, 42), (53, 22, 41)]);
        assert_eq!(
            (found[0].site_id, found[0].channel.as_str(), found[0].address_hash.as_str(), found[0].person_id),
            (1, "sms", "hash-rosa", 31)
        );
        let mine = look!(place, |tx| threads::of_patient(tx, KAMAL).await);
        assert_eq!(mine.iter().map(|t| t.id).collect::<Vec<_>>(), [52, 53]);
    }
);

case!(
    /// Two replies are read at the same time: the second finds that the thread has moved, and nothing of it is kept.
    a_thread_moves_only_from_the_version_that_was_read, |place| {
        clinic(place).await;
        save!(place, |tx| threads::ask(tx, &[(ROSA_THREAD, "{\"id\":\"weight\"}".into(), later(60))]).await);
        save!(place, |tx| threads::ask(tx, &[]).await);
        let seen = look!(place, |tx| threads::of_patient(tx, ROSA).await).remove(0);
        assert_eq!((seen.question.as_str(), seen.question_due, seen.version), ("{\"id\":\"weight\"}", Some(later(60).0), 1));

        let other = place.beside().await;
        let (a, b) = tokio::join!(
            place.db.write(porchlight::store::Lane::Work, |tx| async move {
                threads::advance(tx, &[(ROSA_THREAD, 1, "a".into(), None)]).await
            }
            .boxed()),
            other.db.write(porchlight::store::Lane::Work, |tx| async move {
                threads::advance(tx, &[(ROSA_THREAD, 1, "b".into(), None)]).await
            }
            .boxed()),
        );
        assert!(matches!((&a, &b), (Ok(()), Err(StoreError::Conflict)) | (Err(StoreError::Conflict), Ok(()))), "{a:?} and {b:?}");
        let seen = look!(place, |tx| threads::of_patient(tx, ROSA).await).remove(0);
        assert_eq!((seen.question.as_str(), seen.question_due, seen.version), (if a.is_ok() { "a" } else { "b" }, None, 2));
        other.end().await;

        // One of two has moved: neither is kept.
        let both = vec![(Id(52), 0, "c".to_owned(), None), (ROSA_THREAD, 1, "d".to_owned(), Some(later(1)))];
        let late = refused!(place, |tx| threads::advance(tx, &both).await);
        assert!(matches!(late, StoreError::Conflict), "{late}");
        let kamal = look!(place, |tx| threads::of_patient(tx, KAMAL).await).remove(0);
        assert_eq!((kamal.question.as_str(), kamal.version), ("", 0));
        save!(place, |tx| threads::advance(tx, &[]).await);
    }
);

case!(
    /// A question closes at its time, once, and not before.
    a_question_closes_at_its_time, |place| {
        clinic(place).await;
        save!(place, |tx| threads::ask(tx, &[(ROSA_THREAD, "q".into(), later(60))]).await);
        assert!(!save!(place, |tx| threads::expire_question(tx, ROSA_THREAD, later(59)).await));
        assert!(save!(place, |tx| threads::expire_question(tx, ROSA_THREAD, later(60)).await));
        assert!(!save!(place, |tx| threads::expire_question(tx, ROSA_THREAD, later(61)).await));
        let seen = look!(place, |tx| threads::of_patient(tx, ROSA).await).remove(0);
        assert_eq!((seen.question.as_str(), seen.question_due, seen.version), ("", None, 2));
    }
);
