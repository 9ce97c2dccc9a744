//! What the provider does, and what becomes of messages.

use std::time::Duration;

use futures_util::FutureExt;
use porchlight::clock::Clock;
use porchlight::gateway::Incoming;
use porchlight::intake::Record;
use porchlight::model::{Address, Body, Channel, Id, Lang, MessageState, Priority, Severity};
use porchlight::protocol::WeightUnit;
use porchlight::store::inbox::{self, Arrived, What};
use porchlight::store::{Db, Lane, StoreError, locks, threads};
use tokio::task::JoinSet;

use crate::proxy::{Cut, Proxy};
use crate::story;
use crate::world::{Answer, On, World, at, daily_at, somebody};

fn lee() -> Record {
    Record {
        protocols: vec![("heart-failure-weight".into(), daily_at("09:30", WeightUnit::Lb))],
        ..somebody(30, "Lee", Lang::En)
    }
}

story!(
    /// Busy three times, then accepted: tried again by itself, sent once, delivered.
    a_busy_provider_delays_and_doubles_nothing,
    "2026-11-16 08:00",
    |world| {
        let lee = world.patient(lee()).await;
        world.script(&lee, vec![Answer::Status(503, "busy"), Answer::Status(429, "slow down"), Answer::Status(503, "busy")]);
        world.run_until("2026-11-16 12:00").await;
        assert_eq!(world.texts(&lee).len(), 1);
        assert_eq!(world.message_states(&lee).await, ["delivered"]);
        assert_eq!(world.attempts(&lee).await, ["busy", "busy", "busy", "accepted"]);
    }
);

story!(
    /// The provider is away for two hours: what is of use is sent when it is back, once, and not failed in minutes.
    an_outage_of_two_hours_loses_nothing,
    "2026-11-16 08:00",
    |world| {
        let lee = world.patient(lee()).await;
        world.script(&lee, vec![Answer::Status(503, "down"); 60]);
        world.run_until("2026-11-16 11:30").await;
        assert_eq!(world.message_states(&lee).await, ["queued"]);
        world.script(&lee, vec![]);
        world.run_until("2026-11-16 11:40").await;
        assert_eq!(world.message_states(&lee).await, ["delivered"]);
        assert_eq!(world.texts(&lee).len(), 1);
        world.expect_nothing_open(&lee).await;
    }
);

story!(
    /// Five hundred: perhaps sent. The message is in doubt; nothing is sent again blindly; a person decides about a question.
    a_lost_answer_is_doubt_and_not_failure,
    "2026-11-16 08:00",
    |world| {
        let lee = world.patient(lee()).await;
        world.script(&lee, vec![Answer::Status(500, "oops")]);
        world.run_until("2026-11-16 09:35").await;
        assert_eq!(world.message_states(&lee).await, ["unknown"]);
        world.run_until("2026-11-16 12:00").await;
        assert_eq!(world.texts(&lee).len(), 0, "a question is not asked twice on a guess");
        let item = world.expect_escalation(&lee, Severity::Routine).await;
        assert!(item.reason.contains("Not known if a message arrived"), "{}", item.reason);
    }
);

story!(
    /// The number does not exist: closed, told to a person, and consent is untouched.
    a_dead_number_is_no_opt_out,
    "2026-11-16 08:00",
    |world| {
        let lee = world.patient(lee()).await;
        world.script(&lee, vec![Answer::Status(400, "Garbage 'to' field, rejected.")]);
        world.run_until("2026-11-17 12:00").await;
        let states = world.message_states(&lee).await;
        assert!(states.iter().all(|s| s == "failed" || s == "skipped"), "{states:?}");
        world.expect_escalation(&lee, Severity::Routine).await;
        let decisions = world.decisions(&lee).await;
        assert!(!decisions.iter().any(|d| d.1 == "revoked"), "{decisions:?}");
        assert!(decisions.contains(&("skip".into(), "no_contact".into())), "{decisions:?}");
    }
);

story!(
    /// The password is wrong: our fault. The message waits, an administrator is told, nobody is opted out.
    our_own_mistake_opts_nobody_out,
    "2026-11-16 08:00",
    |world| {
        let lee = world.patient(lee()).await;
        world.script(&lee, vec![Answer::Status(403, "Authorization failed for sendsms")]);
        world.run_until("2026-11-16 09:31").await;
        assert_eq!(world.message_states(&lee).await, ["queued"]);
        let items = world.unknown_items().await;
        assert!(items.iter().any(|i| i.reason.contains("set up wrongly") && i.severity == "urgent"), "{items:?}");
        world.run_until("2026-11-16 10:00").await;
        assert_eq!(world.message_states(&lee).await, ["delivered"], "it goes when the channel works again");
    }
);

story!(
    /// The provider repeats itself: one row, one answer.
    a_callback_that_comes_five_times_counts_once,
    "2026-11-16 10:00",
    |world| {
        let lee = world.patient(lee()).await;
        for _ in 0..5 {
            world.writes(&lee.phone, "can somebody call me about my ride", "the-same-id").await;
        }
        world.settle().await;
        assert_eq!(world.texts(&lee).len(), 1);
        world.expect_escalation(&lee, Severity::Routine).await;
    }
);

story!(
    /// The provider's ids hold a character that a database refuses, or are longer than any index takes: what was written is read all the
    /// same, once.
    strange_ids_lose_nothing,
    "2026-11-16 10:00",
    |world| {
        let lee = world.patient(lee()).await;
        let long: String = (0..500).map(|_| world.app.kit.id().to_string()).collect();
        for id in ["a\0b", "a\0b", &long, &long] {
            world.writes(&lee.phone, "can somebody call me about my ride", id).await;
        }
        let report = [("key", "a-secret-of-the-story-0123456789"), ("ref", "of\0nothing"), ("state", "2"), ("id", "x\0y")];
        let told = world.http.get(format!("{}/hooks/sms/receipt", world.base)).query(&report).send().await.expect("an answer");
        assert_eq!(told.status(), 200);
        assert_eq!(world.app.desk.tick().await.expect("the inbox"), 2, "two texts; the receipt waits for its message");
        world.expect_escalation(&lee, Severity::Routine).await;
    }
);

/// What comes in together is stored together. If one of it cannot be stored at all, its provider alone is told to try again.
#[tokio::test]
async fn what_cannot_be_stored_takes_nothing_with_it() {
    let world = World::begin(On::Postgres, "2026-11-16 10:00").await;
    let lee = world.patient(lee()).await;
    let wrote = |id: &str| Incoming::Message {
        from: Address::new(lee.phone.as_str()),
        to: Some(Address::new("+17185550100")),
        text: Body::new("can somebody call me about my ride"),
        provider_id: Some(id.to_owned()),
        provider_time: None,
        extras: porchlight::model::Extras::default(),
    };
    let (first, bad, last) = tokio::join!(
        world.app.receiver.receive("sms", Channel::Sms, vec![wrote("1")]),
        world.app.receiver.receive("a name\0that no settings take", Channel::Sms, vec![wrote("2")]),
        world.app.receiver.receive("sms", Channel::Sms, vec![wrote("3")]),
    );
    assert!(first.is_ok() && last.is_ok(), "{first:?} {last:?}");
    assert!(bad.is_err(), "it is not stored");
    assert_eq!(world.app.desk.tick().await.expect("the inbox"), 2);
    world.settle().await;
    world.end().await;
}

story!(
    /// A wrong secret, no secret, ten megabytes of noise: refused, and nothing is stored.
    strangers_at_the_hook_are_refused,
    "2026-11-16 10:00",
    |world| {
        let lee = world.patient(lee()).await;
        let hook = format!("{}/hooks/sms/inbound", world.base);
        let wrong = [("key", "not-the-secret-of-the-story-0000"), ("from", lee.phone.as_str()), ("text", "quiero morir"), ("id", "1")];
        assert_eq!(world.http.get(&hook).query(&wrong).send().await.expect("an answer").status(), 401);
        assert_eq!(world.http.get(&hook).send().await.expect("an answer").status(), 401);
        let noise = world.http.post(&hook).body(vec![7_u8; 10 << 20]).send().await;
        // The service may hang up before it has read all of it.
        assert!(noise.is_err() || noise.is_ok_and(|a| a.status() == 413 || a.status() == 401));
        assert_eq!(world.http.get(format!("{}/hooks/nobody/inbound", world.base)).send().await.expect("an answer").status(), 404);
        world.settle().await;
        assert!(world.unknown_items().await.is_empty());
        world.expect_nothing_open(&lee).await;
    }
);

story!(
    /// A lost answer about a reminder: after ten minutes without a receipt it is sent again, once, since twice is better than
    /// never.
    a_reminder_in_doubt_is_sent_again_once,
    "2026-11-15 12:00",
    |world| {
        let base = somebody(37, "Rosa", Lang::Es);
        let visit = Some(("V-37".to_owned(), at(&world.zone, "2026-11-17 14:00")));
        let rosa = Record { protocols: vec![("appointment-reminders".into(), porchlight::protocol::Settings::default())], visit, ..base };
        let rosa = world.patient(rosa).await;
        world.script(&rosa, vec![Answer::Status(500, "oops")]);
        world.run_until("2026-11-16 10:09").await;
        assert_eq!(world.message_states(&rosa).await, ["unknown"]);
        world.run_until("2026-11-16 10:11").await;
        assert_eq!(world.message_states(&rosa).await, ["delivered"]);
        assert_eq!(world.attempts(&rosa).await, ["unknown", "accepted"]);
        world.expect_nothing_open(&rosa).await;
    }
);

story!(
    /// A carrier that gives no receipts: the message stays accepted, and what the patient answers is read all the same.
    without_receipts_nothing_is_made_up,
    "2026-11-16 08:00",
    |world| {
        world.no_receipts();
        let lee = world.patient(lee()).await;
        world.run_until("2026-11-16 12:00").await;
        assert_eq!(world.message_states(&lee).await, ["accepted"]);
        world.says(&lee, "181").await;
        assert_eq!(world.readings(&lee, "weight").await, [181.0]);
    }
);

story!(
    /// After a restore the carrier reports hundreds of failures of messages that are not here. Somebody writes STOP: it waits behind
    /// none of them. After a minute they are given up, also those that a clock ahead of time has dated.
    receipts_of_nothing_hold_up_no_text,
    "2026-11-16 10:00",
    |world| {
        let lee = world.patient(lee()).await;
        let now = world.clock.now();
        let receipts: Vec<_> = (1..=600)
            .map(|n| Arrived {
                id: Id(n),
                gateway: "sms".into(),
                dedupe: format!("sms:receipt-{n}"),
                channel: Channel::Sms,
                what: What::Receipt {
                    reference: format!("of-a-former-life-{n}"),
                    provider_id: String::new(),
                    state: MessageState::Failed,
                    code: String::new(),
                    means: None,
                },
                priority: Priority::ANSWER,
                at: if n <= 3 { now.plus(Duration::from_secs(86_400)) } else { now },
            })
            .collect();
        let stored = world.app.db.write(Lane::Inbound, move |tx| async move { inbox::store(tx, &receipts).await }.boxed());
        assert_eq!(stored.await.expect("the receipts"), 600);
        world.writes(&lee.phone, "STOP", "the-word").await;
        // One batch is full of them; the next one is not.
        assert_eq!(world.app.desk.tick().await.expect("the inbox"), 3, "what is dated tomorrow is given up");
        assert_eq!(world.app.desk.tick().await.expect("the inbox"), 1, "the text");
        world.settle().await;
        assert!(world.last(&lee).contains("START"), "{}", world.last(&lee));
        let waits = async |world: &World| {
            let mut tx = world.app.db.read().await.expect("the database");
            inbox::depth(&mut tx).await.expect("the inbox")
        };
        assert_eq!(waits(&world).await, 597, "their acknowledgements may still come");
        world.clock.advance(Duration::from_secs(60));
        world.settle().await;
        assert_eq!(waits(&world).await, 0);
    }
);

story!(
    /// Quiet hours hold what starts by itself until they end, with the reason.
    held_until_the_morning,
    "2026-11-16 05:00",
    |world| {
        let early = Record { protocols: vec![("heart-failure-weight".into(), daily_at("06:30", WeightUnit::Lb))], ..somebody(31, "Sam", Lang::En) };
        let sam = world.patient(early).await;
        world.run_until("2026-11-16 08:59").await;
        assert_eq!(world.texts(&sam).len(), 0);
        assert_eq!(world.decisions(&sam).await, [("hold".into(), "quiet_hours".into())]);
        world.run_until("2026-11-16 09:00").await;
        assert_eq!(world.texts(&sam).len(), 1);
    }
);

/// At half past nine another node is just asking Lee something else: this one asks nothing until it sees that question, and then waits
/// for its end. An answer in between would have been read as the other question's.
#[tokio::test]
async fn two_nodes_do_not_ask_one_person_at_once() {
    let world = World::begin(On::Postgres, "2026-11-16 08:00").await;
    let lee = world.patient(lee()).await;
    world.run_until("2026-11-16 09:29").await;
    world.clock.set(at(&world.zone, "2026-11-16 09:30"));
    world.app.sweeper.tick().await.expect("the timers");

    let (other, writer) = Db::open(&world.location()).await.expect("the other node");
    let mut writing = JoinSet::new();
    writing.spawn(writer);
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    let (patient, until) = (lee.id, at(&world.zone, "2026-11-16 11:00"));
    let asks = other.write(Lane::Work, move |tx| {
        async move {
            let busy = locks::threads(tx, &[patient.0]).await?;
            assert!(busy.is_empty(), "the other node was first");
            let thread = threads::of_patient(tx, patient).await?.pop().expect("Lee's thread");
            threads::ask(tx, &[(Id(thread.id), r#"{"message":1,"enrolment":1,"step":"goal","open_for":0}"#.into(), until)])
                .await?;
            begun.send(()).expect("the story waits");
            gone.await.expect("the story goes on");
            Ok(())
        }
        .boxed()
    });
    let this_one = async {
        has_begun.await.expect("the other has begun");
        assert_eq!(world.app.worker.tick().await.expect("the outbox"), 0, "it is left alone");
        assert_eq!(world.message_states(&lee).await, ["queued"]);
        go.send(()).expect("the other waits");
    };
    let (asked, ()) = tokio::join!(asks, this_one);
    asked.expect("the other's question");
    world.settle().await;
    assert_eq!(world.decisions(&lee).await, [("hold".into(), "question_open".into())]);
    world.run_until("2026-11-16 11:01").await;
    assert_eq!(world.texts(&lee).len(), 1);
    let pools = other.last();
    while let Some(ended) = writing.join_next().await {
        ended.expect("the writer ends in peace");
    }
    pools.close().await;
    world.end().await;
}

/// The wire to the database breaks while a claim is committed: whichever way it went, nothing was sent, so nothing is in doubt. It is
/// given back and goes within moments, once.
#[tokio::test]
async fn a_claim_without_an_answer_leaves_no_doubt() {
    let world = World::begin(On::Postgres, "2026-11-16 08:00").await;
    let lee = world.patient(lee()).await;
    let proxy = Proxy::open(&world.database_url()).await;
    let world = world.comes_back_on(proxy.url.clone()).await;
    for (cut, day) in [(Cut::After, "2026-11-16"), (Cut::Before, "2026-11-17")] {
        world.run_until(&format!("{day} 09:29")).await;
        let texts = world.texts(&lee).len();
        world.clock.set(at(&world.zone, &format!("{day} 09:30")));
        world.app.sweeper.tick().await.expect("the timers");
        proxy.cut_next(cut);
        let claimed = world.app.worker.tick().await;
        assert!(matches!(claimed, Err(StoreError::Unsure)), "{cut:?}: {claimed:?}");
        assert_eq!(world.message_states(&lee).await.pop().as_deref(), Some("queued"), "{cut:?}");
        world.run_until(&format!("{day} 09:31")).await;
        assert_eq!(world.message_states(&lee).await.pop().as_deref(), Some("delivered"), "{cut:?}");
        assert_eq!(world.texts(&lee).len(), texts + 1, "{cut:?}");
        world.says(&lee, "181").await;
    }
    assert_eq!(proxy.cuts(), 2);
    assert_eq!(world.attempts(&lee).await.iter().filter(|a| *a == "unknown").count(), 0);
    world.end().await;
}
