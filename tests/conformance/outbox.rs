//! The outbox: plan, claim under a lease, prepare, settle, acknowledge, receipts.

use std::collections::BTreeSet;

use futures_util::FutureExt;
use porchlight::clock::Time;
use porchlight::model::{Class, ContentClass, Id, MessageState, Priority};
use porchlight::store::messages::{self, Acknowledged, Claimed, Lease, NewMessage, Prepared};
use porchlight::store::receipts::{self, Named, Receipt};
use porchlight::store::timers::{self, Kind};
use porchlight::store::{StoreError, Tx, appointments, locks};

use crate::place::{JUNE, KAMAL, NOW, Place, ROSA, ROSA_PHONE, ROSA_THREAD, SITE, clinic, later, raw, soon, texts};
use crate::times::timer;
use crate::{case, look, refused, save};

pub fn message(id: i64, class: Class) -> NewMessage {
    NewMessage {
        id: Id(id),
        site: SITE,
        patient: Some(ROSA),
        thread: Some(ROSA_THREAD),
        enrolment: None,
        occurrence: String::new(),
        appointment: None,
        inbox: None,
        staff: None,
        direct: None,
        class,
        content: ContentClass::Care,
        key: "weight-ask".into(),
        args: "{}".into(),
        question: String::new(),
        lang: "es",
        body: String::new(),
        planned_at: NOW,
        expires_at: None,
        ready_at: NOW,
    }
}

pub fn prepared(id: i64, n: i64, reference: &str) -> Prepared {
    Prepared {
        id: Id(id),
        contact: Some(ROSA_PHONE),
        thread: None,
        body: "¿Cuánto pesó hoy?".into(),
        body_lang: "es",
        encoding: "GSM-7",
        segments: 1,
        gateway: "sms".into(),
        n,
        reference: reference.to_owned(),
        patient: Some(ROSA),
    }
}

fn reference(m: &Claimed) -> String {
    if m.attempts == 1 { format!("r-{}", m.id) } else { format!("r-{}-{}", m.id, m.attempts) }
}

/// Claims and puts what was claimed under a lease, as the worker does.
pub async fn take(
    tx: &mut Tx,
    owner: &'static str,
    machine: Time,
    until: Time,
    (limit, least): (i64, Priority),
) -> Result<Vec<Claimed>, StoreError> {
    let claimed = messages::claim(tx, machine, (limit, least)).await?;
    let ready: Vec<_> =
        claimed.iter().map(|m| Prepared { patient: m.patient_id.map(Id), ..prepared(m.id, m.attempts, &reference(m)) }).collect();
    messages::prepare(tx, &ready, "v1", Lease { owner, until }, machine).await?;
    Ok(claimed)
}

pub fn accepted(id: i64, n: i64, provider_id: &str) -> Acknowledged {
    Acknowledged {
        id: Id(id),
        n,
        state: MessageState::Accepted,
        outcome: "accepted",
        provider_id: provider_id.to_owned(),
        code: String::new(),
        ready_at: NOW,
    }
}

fn ids(claimed: &[Claimed]) -> Vec<i64> {
    claimed.iter().map(|m| m.id).collect()
}

case!(
    /// A crisis reply overtakes what was planned before it; nothing goes before its time; every column comes back.
    the_most_pressing_goes_first, |place| {
        clinic(place).await;
        let rich = NewMessage {
            enrolment: Some(Id(61)),
            occurrence: "61:ask:start:2026-11-06".into(),
            appointment: Some((Id(5), 3)),
            inbox: Some(Id(6)),
            staff: Some(JUNE),
            question: "{\"id\":\"weight\"}".into(),
            body: "Sí — 100 % 🌞 'quoted' \\ \"too\"\n".into(),
            expires_at: Some(later(90)),
            ..message(3, Class::Question)
        };
        let waits = NewMessage { ready_at: later(10), ..message(4, Class::Crisis) };
        let stranger = NewMessage {
            patient: None,
            thread: None,
            direct: Some(("sms".into(), "+17185550199".into())),
            ..message(5, Class::Consent)
        };
        save!(place, |tx| messages::plan(tx, &[message(1, Class::Bulk), message(2, Class::Crisis), rich, waits, stranger]).await);
        save!(place, |tx| messages::plan(tx, &[]).await);

        let first = save!(place, |tx| take(tx, "a", NOW, later(1), (3, Priority::BULK)).await);
        assert_eq!(ids(&first), [2, 5, 3]);
        assert!(first.iter().all(|m| m.attempts == 1));
        let (stranger, rich) = (&first[1], &first[2]);
        assert_eq!((stranger.patient_id, stranger.thread_id, stranger.class.as_str()), (None, None, "consent"));
        assert_eq!((stranger.via_gateway.as_str(), stranger.to_address.as_str()), ("sms", "+17185550199"));
        assert_eq!((rich.site_id, rich.patient_id, rich.thread_id, rich.enrolment_id), (1, Some(21), Some(51), Some(61)));
        assert_eq!((rich.appointment_id, rich.appointment_version, rich.priority), (Some(5), Some(3), 2));
        assert_eq!((rich.occurrence.as_str(), rich.content.as_str()), ("61:ask:start:2026-11-06", "care"));
        assert_eq!((rich.key.as_str(), rich.args.as_str(), rich.lang.as_str()), ("weight-ask", "{}", "es"));
        assert_eq!((rich.question.as_str(), rich.body.as_str()), ("{\"id\":\"weight\"}", "Sí — 100 % 🌞 'quoted' \\ \"too\"\n"));
        assert_eq!((rich.planned_at, rich.expires_at), (NOW.0, Some(later(90).0)));

        assert_eq!(ids(&save!(place, |tx| take(tx, "a", NOW, later(1), (3, Priority::BULK)).await)), [1]);
        // The leases run out before the crisis reply may go: that is what has to be looked at next.
        assert_eq!(look!(place, |tx| messages::next_ready(tx).await).map(|t| t.0), Some(later(1).0 + 1));
        assert!(save!(place, |tx| take(tx, "a", NOW, later(1), (3, Priority::BULK)).await).is_empty());
        assert_eq!(ids(&save!(place, |tx| take(tx, "a", later(10), later(11), (3, Priority::BULK)).await)), [4]);
        let depth = look!(place, |tx| messages::depth(tx).await);
        assert_eq!(depth, [("sending".to_owned(), 5)]);
    }
);

case!(
    /// A claim never takes more than it was allowed to, whatever the planner thinks of the table.
    a_claim_keeps_to_its_limit, |place| {
        clinic(place).await;
        let many: Vec<_> = (0..300).map(|n| message(1000 + n, Class::Reminder)).collect();
        save!(place, |tx| messages::plan(tx, &many).await);
        for _ in 0..5 {
            assert_eq!(save!(place, |tx| take(tx, "a", NOW, later(1), (7, Priority::BULK)).await).len(), 7);
        }
        save!(place, |tx| raw(tx, "ANALYZE").await);
        for _ in 0..5 {
            assert_eq!(save!(place, |tx| take(tx, "a", NOW, later(1), (7, Priority::BULK)).await).len(), 7);
        }
    }
);

case!(
    /// Two processes claim at the same time: nobody gets what the other has, and nothing is left over.
    two_claimers_get_different_messages, |place| {
        clinic(place).await;
        let many: Vec<_> = (0..40).map(|n| message(1000 + n, Class::Reminder)).collect();
        save!(place, |tx| messages::plan(tx, &many).await);
        let other = place.beside().await;
        let (a, b) = tokio::join!(
            async { save!(place, |tx| take(tx, "a", NOW, later(1), (25, Priority::BULK)).await) },
            async { save!(other, |tx| take(tx, "b", NOW, later(1), (25, Priority::BULK)).await) },
        );
        assert_eq!(a.len() + b.len(), 40, "{} and {}", a.len(), b.len());
        let all: BTreeSet<_> = ids(&a).into_iter().chain(ids(&b)).collect();
        assert_eq!(all.len(), 40, "a message was claimed twice");
        other.end().await;
    }
);

/// While one process holds rows in an open transaction, another passes them over instead of waiting.
#[tokio::test]
async fn what_another_process_is_claiming_is_passed_over() {
    let place = Place::postgres().await;
    clinic(&place).await;
    save!(place, |tx| messages::plan(tx, &[message(1, Class::Crisis), message(2, Class::Reminder)]).await);
    let other = place.beside().await;
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    let slow = async {
        save!(place, |tx| {
            let mine = take(tx, "a", NOW, later(1), (1, Priority::BULK)).await;
            begun.send(()).expect("the other waits");
            gone.await.expect("the other is done");
            mine
        })
    };
    let quick = async {
        has_begun.await.expect("the first has begun");
        let mine = save!(other, |tx| take(tx, "b", NOW, later(1), (5, Priority::BULK)).await);
        go.send(()).expect("the first waits");
        mine
    };
    let (slow, quick) = soon(async { tokio::join!(slow, quick) }).await;
    assert_eq!((ids(&slow), ids(&quick)), (vec![1], vec![2]));
    other.end().await;
    place.end().await;
}

case!(
    /// Whose threads another process works on is told, and waited for by nobody.
    threads_that_are_worked_on_are_passed_over, |place| {
        clinic(place).await;
        let other = place.beside().await;
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (go, gone) = tokio::sync::oneshot::channel::<()>();
        let first = async {
            save!(place, |tx| {
                let busy = locks::threads(tx, &[ROSA.0]).await;
                begun.send(()).expect("the other waits");
                gone.await.expect("the other is done");
                busy
            })
        };
        let second = async {
            has_begun.await.expect("the first has begun");
            // The embedded database has one writer, and one process.
            let busy = if place.is_postgres() {
                save!(other, |tx| locks::threads(tx, &[KAMAL.0, ROSA.0, 99]).await)
            } else {
                [ROSA.0].into()
            };
            go.send(()).expect("the first waits");
            busy
        };
        let (mine, theirs) = soon(async { tokio::join!(first, second) }).await;
        assert!(mine.is_empty());
        assert_eq!(theirs, [ROSA.0].into());
        assert!(save!(other, |tx| locks::threads(tx, &[ROSA.0, KAMAL.0]).await).is_empty(), "it is over");
        assert!(save!(other, |tx| locks::threads(tx, &[]).await).is_empty());
        other.end().await;
    }
);

case!(
    /// Whoever lost the lease changes nothing but the attempt: not the message, and not the attempt of who has it now.
    a_lost_lease_changes_nothing, |place| {
        clinic(place).await;
        save!(place, |tx| messages::plan(tx, &[message(1, Class::Reminder), message(2, Class::Reminder)]).await);
        save!(place, |tx| take(tx, "a", NOW, later(1), (1, Priority::BULK)).await);
        save!(place, |tx| take(tx, "c", NOW, later(9), (1, Priority::BULK)).await);
        save!(place, |tx| messages::prepare(tx, &[], "v1", Lease { owner: "a", until: later(1) }, NOW).await);

        assert!(
            save!(place, |tx| messages::release_lost(tx, later(1), later(1)).await).is_empty(),
            "a lease holds to its last moment"
        );
        let lost = save!(place, |tx| messages::release_lost(tx, later(2), later(2)).await);
        assert_eq!(
            lost.iter().map(|l| (l.id, l.site_id, l.patient_id, l.class.as_str())).collect::<Vec<_>>(),
            [(1, 1, Some(21), "reminder")]
        );
        assert_eq!(look!(place, |tx| messages::states(tx, ROSA).await), ["unknown", "sending"], "perhaps it arrived");
        assert_eq!(look!(place, |tx| messages::outcomes(tx, ROSA).await), ["unknown", ""], "and its attempt says so");

        // The first process comes back with an answer.
        assert!(save!(place, |tx| messages::acknowledge(tx, &[accepted(1, 1, "p-1")], "a", later(3)).await).is_empty());
        assert_eq!(look!(place, |tx| messages::states(tx, ROSA).await), ["unknown", "sending"]);
        assert_eq!(look!(place, |tx| messages::outcomes(tx, ROSA).await), ["accepted", ""], "what the provider said is kept");
        let doubt = look!(place, |tx| messages::doubtful(tx, Id(1)).await).expect("it is there");
        assert_eq!((doubt.doubts, doubt.accepted), (0, 1), "and known");

        // Meanwhile it is tried again, by somebody else.
        assert!(save!(place, |tx| messages::requeue(tx, Id(1), MessageState::Unknown, later(4), later(4)).await));
        let again = save!(place, |tx| take(tx, "b", later(4), later(5), (1, Priority::BULK)).await);
        assert_eq!((again[0].id, again[0].attempts), (1, 2));
        for (n, owner) in [(1, "a"), (1, "b"), (3, "b"), (2, "a")] {
            let held = save!(place, |tx| messages::acknowledge(tx, &[accepted(1, n, "p-1")], owner, later(4)).await);
            assert!(held.is_empty(), "number {n}, owner {owner}");
            assert_eq!(look!(place, |tx| messages::states(tx, ROSA).await), ["sending", "sending"], "number {n}, owner {owner}");
        }
        let held = save!(place, |tx| messages::acknowledge(tx, &[accepted(1, 2, "p-2")], "b", later(4)).await);
        assert_eq!(held, [Id(1)]);
        assert_eq!(look!(place, |tx| messages::states(tx, ROSA).await), ["accepted", "sending"]);
        assert!(
            save!(place, |tx| messages::acknowledge(tx, &[accepted(1, 2, "p-2")], "b", later(4)).await).is_empty(),
            "only once"
        );
        assert!(save!(place, |tx| messages::acknowledge(tx, &[], "b", later(4)).await).is_empty());
    }
);

/// A sender that found, too late, that it must not send any more.
fn not_sent(id: i64) -> Acknowledged {
    Acknowledged { state: MessageState::Queued, outcome: "busy", ready_at: later(5), ..accepted(id, 1, "") }
}

case!(
    /// While the doubt about a message waits for its end, its sender's late answer settles it, once; nobody else's does.
    a_late_answer_settles_what_is_in_doubt, |place| {
        clinic(place).await;
        let all: Vec<_> = (1..=3).map(|id| message(id, Class::Staff)).collect();
        save!(place, |tx| messages::plan(tx, &all).await);
        save!(place, |tx| take(tx, "a", NOW, later(1), (3, Priority::BULK)).await);
        assert_eq!(save!(place, |tx| messages::release_lost(tx, later(2), later(2)).await).len(), 3);
        // About the third a person has been asked.
        for id in [1, 2] {
            save!(place, |tx| timers::set(tx, &[timer(100 + id, Kind::Doubt, id, "", later(12))]).await);
        }
        assert!(save!(place, |tx| messages::acknowledge(tx, &[not_sent(1)], "b", later(3)).await).is_empty(), "not its sender");
        assert_eq!(look!(place, |tx| messages::outcomes(tx, ROSA).await), ["unknown", "unknown", "unknown"]);

        let late = [not_sent(1), accepted(2, 1, "p-2"), not_sent(3)];
        let said = late.clone();
        let settled = save!(place, |tx| messages::acknowledge(tx, &said, "a", later(3)).await);
        assert_eq!(BTreeSet::from_iter(settled), BTreeSet::from([Id(1), Id(2)]));
        assert_eq!(look!(place, |tx| messages::states(tx, ROSA).await), ["queued", "accepted", "unknown"]);
        assert_eq!(look!(place, |tx| messages::outcomes(tx, ROSA).await), ["busy", "accepted", "busy"]);
        assert!(save!(place, |tx| messages::acknowledge(tx, &late, "a", later(3)).await).is_empty(), "only once");
        let again = save!(place, |tx| take(tx, "b", later(5), later(6), (3, Priority::BULK)).await);
        assert_eq!(again.iter().map(|m| (m.id, m.attempts)).collect::<Vec<_>>(), [(1, 2)]);
    }
);

case!(
    /// A busy provider: the message is queued again and not before its time; the text as sent is kept.
    what_a_provider_puts_off_comes_back_in_time, |place| {
        clinic(place).await;
        save!(place, |tx| messages::plan(tx, &[message(1, Class::Reminder)]).await);
        save!(place, |tx| take(tx, "a", NOW, later(1), (1, Priority::BULK)).await);
        let busy = Acknowledged {
            state: MessageState::Queued,
            outcome: "busy",
            code: "429".into(),
            ready_at: later(5),
            ..accepted(1, 1, "")
        };
        assert_eq!(save!(place, |tx| messages::acknowledge(tx, &[busy], "a", NOW).await), [Id(1)]);
        assert!(save!(place, |tx| take(tx, "a", later(4), later(6), (1, Priority::BULK)).await).is_empty());
        assert_eq!(look!(place, |tx| messages::next_ready(tx).await), Some(later(5)));
        assert_eq!(
            save!(place, |tx| take(tx, "a", later(5), later(6), (1, Priority::BULK)).await)[0].attempts,
            2
        );
        let kept = look!(place, |tx| {
            texts(
            tx,
            "SELECT m.body || '|' || m.body_lang || '|' || m.encoding || '|' || m.catalogue || '|' || a.gateway || '|' || a.code
               FROM message m JOIN attempt a ON a.message_id = m.id WHERE a.n = 1 AND m.thread_id = 51 AND m.contact_id = 41 AND m.segments = 1"
        )
        .await
        });
        assert_eq!(kept, ["¿Cuánto pesó hoy?|es|GSM-7|v1|sms|429"], "and the thread stayed although none was given");
    }
);

case!(
    /// Held, called back, moved on: each only from the state in which it was read.
    a_message_moves_only_from_where_it_was_seen, |place| {
        clinic(place).await;
        save!(place, |tx| messages::plan(tx, &[message(1, Class::Question), message(2, Class::Question)]).await);
        assert_eq!(save!(place, |tx| messages::claim(tx, NOW, (2, Priority::BULK)).await).len(), 2);
        let settled = [
            (Id(1), MessageState::Held, "quiet_hours".to_owned(), NOW),
            (Id(2), MessageState::Skipped, "revoked".to_owned(), NOW),
        ];
        save!(place, |tx| messages::settle(tx, &settled, NOW).await);
        save!(place, |tx| messages::settle(tx, &[], NOW).await);
        assert_eq!(look!(place, |tx| messages::states(tx, ROSA).await), ["held", "skipped"]);
        assert_eq!(look!(place, |tx| texts(tx, "SELECT why FROM message ORDER BY id").await), ["quiet_hours", "revoked"]);
        assert!(save!(place, |tx| messages::release_lost(tx, later(9), later(9)).await).is_empty(), "the lease is given back");

        let seen = look!(place, |tx| messages::doubtful(tx, Id(1)).await).expect("it is there");
        assert_eq!(
            (seen.site_id, seen.patient_id, seen.class.as_str(), seen.state.as_str(), seen.doubts),
            (1, Some(21), "question", "held", 0)
        );
        assert!(look!(place, |tx| messages::doubtful(tx, Id(99)).await).is_none());

        assert!(!save!(place, |tx| messages::requeue(tx, Id(2), MessageState::Held, NOW, NOW).await), "skipped stays skipped");
        assert!(save!(place, |tx| messages::requeue(tx, Id(1), MessageState::Held, NOW, NOW).await));
        assert!(!save!(place, |tx| messages::requeue(tx, Id(1), MessageState::Held, NOW, NOW).await), "only once");
        save!(place, |tx| take(tx, "a", NOW, later(1), (1, Priority::BULK)).await);

        let wrong =
            refused!(place, |tx| messages::advance(tx, Id(1), MessageState::Accepted, MessageState::Delivered, "", NOW).await);
        assert!(matches!(wrong, StoreError::Conflict), "{wrong}");
        save!(place, |tx| messages::advance(tx, Id(1), MessageState::Sending, MessageState::Delivered, "dlr", NOW).await);
        assert_eq!(look!(place, |tx| messages::states(tx, ROSA).await), ["delivered", "skipped"]);
        assert!(
            save!(place, |tx| messages::acknowledge(tx, &[accepted(1, 1, "p")], "a", NOW).await).is_empty(),
            "a receipt was faster"
        );
    }
);

case!(
    /// A receipt is found by what we gave along, or by the provider's id at the same provider; never by an empty id.
    a_receipt_finds_its_attempt, |place| {
        clinic(place).await;
        save!(place, |tx| messages::plan(tx, &[message(1, Class::Reminder), message(2, Class::Reminder)]).await);
        save!(place, |tx| take(tx, "a", NOW, later(1), (2, Priority::BULK)).await);
        save!(place, |tx| messages::acknowledge(tx, &[accepted(1, 1, "p-1"), accepted(2, 1, "")], "a", NOW).await);

        save!(place, |tx| locks::messages(tx, &[Id(2), Id(1), Id(99)]).await);
        let named = |gateway, reference, provider_id| Named { gateway, reference, provider_id };
        let names = [
            named("sms", "r-2", ""),
            named("sms", "", "p-1"),
            named("sms", "unheard-of", "p-1"),
            named("other", "", "p-1"),
            named("sms", "", ""),
            named("sms", "unheard-of", ""),
            named("sms", "r-2", "p-1"),
            named("sms", "r-1", ""),
        ];
        let found = save!(place, |tx| receipts::find(tx, &names).await);
        let by: Vec<_> = found.iter().map(|f| (f.place, f.id, f.n)).collect();
        assert_eq!(
            by,
            [(0, 2, 1), (1, 1, 1), (2, 1, 1), (6, 2, 1), (7, 1, 1)],
            "ids are the provider's own, an empty one names nobody, and our reference comes first"
        );
        let last = &found[4];
        assert_eq!((last.attempts, last.site_id, last.patient_id, last.contact_id), (1, 1, Some(21), Some(41)));
        assert_eq!((last.state.as_str(), last.class.as_str()), ("accepted", "reminder"));
        assert!(look!(place, |tx| receipts::find(tx, &[]).await).is_empty());

        let failed = |code: &str| Receipt { id: Id(1), n: 1, state: MessageState::Failed, code: code.into() };
        for code in ["21610", ""] {
            let said = [failed(code)];
            save!(place, |tx| receipts::record(tx, &said, later(1)).await);
        }
        save!(place, |tx| receipts::record(tx, &[], later(1)).await);
        let kept = look!(place, |tx| texts(tx, "SELECT receipt || ' ' || code FROM attempt ORDER BY message_id").await);
        assert_eq!(kept, ["failed 21610", " "], "a later receipt without a code keeps the code, and no other attempt is touched");
        assert_eq!(
            look!(place, |tx| messages::states(tx, ROSA).await),
            ["accepted", "accepted"],
            "the state is moved by its own rule"
        );
        let moved = [(Id(2), MessageState::Delivered, String::new()), (Id(1), MessageState::Failed, "21610".to_owned())];
        save!(place, |tx| receipts::move_on(tx, &moved, later(1)).await);
        save!(place, |tx| receipts::move_on(tx, &[], later(1)).await);
        assert_eq!(look!(place, |tx| messages::states(tx, ROSA).await), ["failed", "delivered"]);
    }
);

case!(
    /// A moved visit calls off its own reminders that have not gone out, and nothing else.
    a_moved_visit_calls_off_its_reminders, |place| {
        clinic(place).await;
        let about = |id, class, visit| NewMessage { appointment: Some((Id(visit), 1)), ..message(id, class) };
        let all = [
            about(1, Class::Reminder, 5),
            about(2, Class::Reminder, 5),
            about(3, Class::Answer, 5),
            about(4, Class::Reminder, 6),
            about(5, Class::Reminder, 5),
        ];
        save!(place, |tx| messages::plan(tx, &all).await);
        let settled = [(Id(1), MessageState::Held, String::new(), NOW), (Id(2), MessageState::Accepted, String::new(), NOW)];
        save!(place, |tx| messages::settle(tx, &settled, NOW).await);
        assert_eq!(save!(place, |tx| messages::cancel_reminders(tx, Id(5), NOW).await), 2);
        assert_eq!(
            look!(place, |tx| messages::states(tx, ROSA).await),
            ["cancelled", "accepted", "queued", "queued", "cancelled"]
        );
        let reminded = look!(place, |tx| appointments::reminded(tx, &[5, 6]).await);
        assert_eq!(reminded.into_iter().collect::<Vec<_>>(), [5]);
        assert!(look!(place, |tx| appointments::reminded(tx, &[]).await).is_empty());
    }
);

case!(
    /// Somebody unknown is answered once in a while, not each time; numbers that we know do not count.
    somebody_unknown_was_answered_lately, |place| {
        clinic(place).await;
        let direct = Some(("sms".to_owned(), "+17185550199".to_owned()));
        let stranger = NewMessage { patient: None, thread: None, direct: direct.clone(), ..message(1, Class::Consent) };
        let known = NewMessage { direct: Some(("sms".into(), "+17185550117".into())), ..message(2, Class::Consent) };
        save!(place, |tx| messages::plan(tx, &[stranger, known]).await);
        assert!(look!(place, |tx| messages::answered_lately(tx, ("sms", "+17185550199"), false, NOW).await));
        assert!(!look!(place, |tx| messages::answered_lately(tx, ("sms", "+17185550199"), false, later(1)).await));
        assert!(!look!(place, |tx| messages::answered_lately(tx, ("other", "+17185550199"), false, NOW).await));
        assert!(!look!(place, |tx| messages::answered_lately(tx, ("sms", "+17185550117"), false, NOW).await));
        assert!(!look!(place, |tx| messages::answered_lately(tx, ("sms", "+17185550199"), true, NOW).await), "not to a cry");
        let cry = NewMessage { patient: None, thread: None, direct, ..message(3, Class::Crisis) };
        save!(place, |tx| messages::plan(tx, &[cry]).await);
        assert!(look!(place, |tx| messages::answered_lately(tx, ("sms", "+17185550199"), true, NOW).await));
        assert!(look!(place, |tx| messages::states(tx, KAMAL).await).is_empty());
    }
);
