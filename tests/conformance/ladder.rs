//! What waits in lanes, the paces that all processes share, how gateways are, and the rungs of the ladder.

use futures_util::FutureExt;
use porchlight::model::{Class, Id, MessageState, Priority};
use porchlight::store::health::{self, Health};
use porchlight::store::messages::{self, Acknowledged, NewMessage};
use porchlight::store::pages::lists;
use porchlight::store::receipts::{self, Receipt};
use porchlight::store::{nodes, pace, rungs};

use crate::outbox::{accepted, message, take};
use crate::place::{NOW, ROSA, ROSA_PHONE, SITE, clinic, later, texts};
use crate::{case, look, save};

case!(
    /// A provider hangs: what goes by it waits in its lane, and whoever claims for another way does not meet it.
    what_waits_for_one_gateway_holds_up_no_other, |place| {
        clinic(place).await;
        save!(place, |tx| messages::plan(tx, &[1, 2, 3].map(|id| message(id, Class::Reminder))).await);
        let waits = [(Id(1), "slow".to_owned(), NOW), (Id(2), "slow".to_owned(), later(5))];
        save!(place, |tx| rungs::defer(tx, &waits).await);
        save!(place, |tx| rungs::defer(tx, &[]).await);
        let in_lane = |lane: &'static str, at| async move {
            let claimed = save!(place, |tx| messages::claim(tx, lane, at, (9, Priority::BULK)).await);
            claimed.iter().map(|m| m.id).collect::<Vec<_>>()
        };
        assert_eq!(in_lane("", NOW).await, [3]);
        assert_eq!(in_lane("slow", NOW).await, [1]);
        assert_eq!(in_lane("slow", later(5)).await, [1, 2]);
        // Whoever is put off is never ready sooner than it was.
        save!(place, |tx| rungs::defer(tx, &[(Id(2), String::new(), NOW)]).await);
        assert_eq!(in_lane("", later(4)).await, [3]);
    }
);

case!(
    /// Two processes keep one pace: what one of them used is seen by the other.
    a_pace_is_shared, |place| {
        clinic(place).await;
        assert!(save!(place, |tx| pace::of(tx, &["sms", "sms/hash"]).await).is_empty());
        assert!(save!(place, |tx| pace::of(tx, &[]).await).is_empty());
        save!(place, |tx| pace::set(tx, &[("sms".into(), 5_000_000), ("sms/hash".into(), 9_000_000)]).await);
        let other = place.beside().await;
        save!(other, |tx| pace::set(tx, &[("sms".into(), 6_000_000)]).await);
        other.end().await;
        save!(place, |tx| pace::set(tx, &[]).await);
        let next = save!(place, |tx| pace::of(tx, &["sms/hash", "sms", "unheard-of"]).await);
        assert_eq!(next, [("sms".to_owned(), 6_000_000), ("sms/hash".to_owned(), 9_000_000)]);
        assert_eq!(save!(place, |tx| pace::forget(tx, 7_000_000).await), 1);
        assert_eq!(save!(place, |tx| pace::of(tx, &["sms", "sms/hash"]).await).len(), 1);
    }
);

case!(
    /// A page sees how the worker of another process finds a gateway.
    how_a_gateway_is_is_known_to_all, |place| {
        clinic(place).await;
        let found = |state: &str, since| Health {
            gateway: "sms".into(),
            state: state.into(),
            code: String::new(),
            since,
            until: Some(since + 10),
        };
        save!(place, |tx| health::note(tx, "worker 1", &found("slow", 5)).await);
        save!(place, |tx| health::note(tx, "worker 2", &found("resting", 7)).await);
        save!(place, |tx| health::note(tx, "worker 1", &found("well", 9)).await);
        let all = look!(place, |tx| health::all(tx).await);
        assert_eq!(all.iter().map(|h| (h.state.as_str(), h.since)).collect::<Vec<_>>(), [("well", 9), ("resting", 7)]);
        // The second process has died without taking back what it said.
        save!(place, |tx| nodes::lease(tx, "worker 1", NOW, later(1)).await);
        assert_eq!(save!(place, |tx| health::forget(tx, NOW).await), 1);
        assert_eq!(look!(place, |tx| health::all(tx).await).len(), 1);
        assert_eq!(save!(place, |tx| health::forget(tx, later(2)).await), 1, "the lease of the first is over as well");
    }
);

case!(
    /// A chat failed: the same message again, once, with all that it says; its timeline keeps both, and the failed way is known.
    the_next_rung_says_the_same_and_knows_what_was_tried, |place| {
        clinic(place).await;
        let first = NewMessage { question: "{\"id\":\"weight\"}".into(), expires_at: Some(later(90)), ..message(1, Class::Reminder) };
        let staff = NewMessage { key: "staff".into(), body: "Llámeme".into(), ..message(2, Class::Staff) };
        save!(place, |tx| messages::plan(tx, &[first, staff]).await);
        save!(place, |tx| take(tx, "a", NOW, later(1), (2, Priority::BULK)).await);
        let refused = Acknowledged { state: MessageState::Queued, outcome: "unreachable", ..accepted(2, 1, "") };
        save!(place, |tx| messages::acknowledge(tx, &[accepted(1, 1, "p-1"), refused], "a", NOW).await);
        assert_eq!(look!(place, |tx| rungs::tried(tx, &[1, 2]).await), [(Id(2), ROSA_PHONE)]);
        assert!(look!(place, |tx| rungs::tried(tx, &[]).await).is_empty());

        let failed = Receipt { id: Id(1), n: 1, state: MessageState::Failed, code: "131026".into() };
        save!(place, |tx| receipts::record(tx, &[failed], NOW).await);
        save!(place, |tx| receipts::move_on(tx, &[(Id(1), MessageState::Failed, "131026".into())], NOW).await);
        assert!(save!(place, |tx| rungs::again(tx, Id(1), Id(11), later(1), later(1)).await));
        assert!(!save!(place, |tx| rungs::again(tx, Id(1), Id(12), later(1), later(1)).await), "it is on its way already");
        let again = save!(place, |tx| messages::claim(tx, "", later(1), (9, Priority::BULK)).await);
        let again = again.iter().find(|m| m.id == 11).expect("the next rung");
        assert_eq!((again.rung_of, again.attempts, again.question.as_str()), (Some(1), 1, "{\"id\":\"weight\"}"));
        assert_eq!((again.patient_id, again.expires_at, again.body.as_str()), (Some(ROSA.0), Some(later(90).0), ""));
        assert_eq!(look!(place, |tx| rungs::tried(tx, &[11]).await), [(Id(11), ROSA_PHONE)]);

        // It failed as well: a third rung belongs to the first message, and knows both ways.
        save!(place, |tx| messages::settle(tx, &[(Id(11), MessageState::Failed, String::new(), NOW)], NOW).await);
        assert!(save!(place, |tx| rungs::again(tx, Id(11), Id(13), later(2), later(2)).await));
        let rows = look!(place, |tx| texts(tx, "SELECT CAST(rung_of AS TEXT) FROM message WHERE id = 13").await);
        assert_eq!(rows, ["1"]);
        assert!(save!(place, |tx| rungs::again(tx, Id(2), Id(21), later(1), later(1)).await));
        assert_eq!(look!(place, |tx| texts(tx, "SELECT body FROM message WHERE id = 21").await), ["¿Cuánto pesó hoy?"], "a person's words as they were sent");
    }
);

case!(
    /// No news of an arrival in the time set for it, or only that the carrier has it: the contact counts as tried.
    no_receipt_is_kept_as_such, |place| {
        clinic(place).await;
        save!(place, |tx| messages::plan(tx, &[message(1, Class::Reminder), message(2, Class::Reminder)]).await);
        save!(place, |tx| take(tx, "a", NOW, later(1), (2, Priority::BULK)).await);
        let sent = Receipt { id: Id(2), n: 1, state: MessageState::Sent, code: String::new() };
        save!(place, |tx| receipts::record(tx, &[sent], NOW).await);
        for id in [1, 2] {
            save!(place, |tx| rungs::no_receipt(tx, Id(id), later(1)).await);
        }
        assert_eq!(look!(place, |tx| texts(tx, "SELECT receipt FROM attempt ORDER BY message_id").await), ["none", "none"]);
        assert_eq!(look!(place, |tx| rungs::tried(tx, &[1, 2]).await), [(Id(1), ROSA_PHONE), (Id(2), ROSA_PHONE)]);

        // "Sent" comes after all, late: the contact still counts as tried. What arrived has arrived.
        let said = |id, state| Receipt { id: Id(id), n: 1, state, code: String::new() };
        save!(place, |tx| receipts::record(tx, &[said(1, MessageState::Sent)], later(2)).await);
        for state in [MessageState::Delivered, MessageState::Failed, MessageState::Sent] {
            let late = [said(2, state)];
            save!(place, |tx| receipts::record(tx, &late, later(2)).await);
        }
        assert_eq!(look!(place, |tx| texts(tx, "SELECT receipt FROM attempt ORDER BY message_id").await), ["none", "delivered"]);
    }
);

case!(
    /// A person has a failed message sent anew, calls one off, hurries one on: each only where it still stands so, and only at
    /// their own site.
    what_a_person_does_about_a_message, |place| {
        clinic(place).await;
        save!(place, |tx| messages::plan(tx, &[1, 2, 3].map(|id| message(id, Class::Reminder))).await);
        let ends = [(Id(1), MessageState::Failed, "30003".to_owned(), NOW), (Id(2), MessageState::Delivered, String::new(), NOW)];
        save!(place, |tx| messages::settle(tx, &ends, NOW).await);
        let elsewhere = Id(99);
        assert!(!save!(place, |tx| rungs::anew(tx, (elsewhere, Id(1)), Id(11), later(1), later(1)).await));
        assert!(save!(place, |tx| rungs::anew(tx, (SITE, Id(1)), Id(11), later(1), later(1)).await));
        assert!(!save!(place, |tx| rungs::anew(tx, (SITE, Id(2)), Id(12), later(1), later(1)).await), "it has arrived");
        let why = look!(place, |tx| texts(tx, "SELECT why FROM message WHERE id = 1").await);
        assert_eq!(why, ["sent_anew"]);
        let anew = save!(place, |tx| messages::claim(tx, "", later(1), (9, Priority::BULK)).await);
        assert_eq!(anew.iter().map(|m| (m.id, m.rung_of)).collect::<Vec<_>>(), [(3, None), (11, None)]);

        assert_eq!(look!(place, |tx| lists::whose(tx, SITE, Id(3)).await), Some((Some(ROSA.0), "queued".into())));
        assert_eq!(look!(place, |tx| lists::whose(tx, elsewhere, Id(3)).await), None);
        save!(place, |tx| rungs::defer(tx, &[(Id(3), String::new(), later(50))]).await);
        assert!(!save!(place, |tx| rungs::hurry(tx, (elsewhere, Id(3)), later(2)).await));
        assert!(save!(place, |tx| rungs::hurry(tx, (SITE, Id(3)), later(2)).await));
        assert_eq!(save!(place, |tx| messages::claim(tx, "", later(2), (9, Priority::BULK)).await).len(), 2);
        assert!(!save!(place, |tx| rungs::call_off(tx, (elsewhere, Id(3)), later(2)).await));
        assert!(save!(place, |tx| rungs::call_off(tx, (SITE, Id(3)), later(2)).await));
        assert!(!save!(place, |tx| rungs::call_off(tx, (SITE, Id(3)), later(2)).await), "once");
    }
);

case!(
    /// The page says why attempts came to nothing, the most frequent first.
    why_attempts_came_to_nothing, |place| {
        clinic(place).await;
        save!(place, |tx| messages::plan(tx, &[1, 2, 3, 4].map(|id| message(id, Class::Reminder))).await);
        save!(place, |tx| take(tx, "a", NOW, later(1), (9, Priority::BULK)).await);
        let dead = |id| Acknowledged { state: MessageState::Failed, outcome: "unreachable", code: "30005".into(), ..accepted(id, 1, "") };
        save!(place, |tx| messages::acknowledge(tx, &[dead(1), dead(2), accepted(3, 1, "p"), accepted(4, 1, "q")], "a", NOW).await);
        let failed = Receipt { id: Id(3), n: 1, state: MessageState::Failed, code: "30003".into() };
        save!(place, |tx| receipts::record(tx, &[failed], NOW).await);
        let codes = look!(place, |tx| lists::by_code(tx, SITE, Id(0)).await);
        assert_eq!(
            codes,
            [
                ("sms".to_owned(), "unreachable".to_owned(), "30005".to_owned(), 2),
                ("sms".to_owned(), "failed".to_owned(), "30003".to_owned(), 1)
            ]
        );
        assert!(look!(place, |tx| lists::by_code(tx, SITE, Id(3)).await).len() == 1, "of the last day only");
    }
);
