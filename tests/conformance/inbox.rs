//! The inbox: what arrived, durable and once.

use futures_util::FutureExt;
use porchlight::model::{Address, Body, Channel, Extras, Id, Keyword, Meaning, Media, MessageState, Part, Priority};
use porchlight::store::inbox::{self, Arrived, Done, What};

use crate::place::{KAMAL, NOW, Place, ROSA, ROSA_THREAD, clinic, later, soon, texts};
use crate::{case, look, save};

pub fn wrote(id: i64, dedupe: &str, body: &str) -> Arrived {
    Arrived {
        id: Id(id),
        gateway: "sms".into(),
        dedupe: format!("sms:{dedupe}"),
        channel: Channel::Sms,
        what: What::Message {
            from: Address::new("+17185550117"),
            hash: "hash-rosa".into(),
            body: Body::new(body),
            extras: Extras::default(),
        },
        priority: Priority::ANSWER,
        at: NOW,
    }
}

pub fn done(id: i64) -> Done {
    Done {
        id,
        site: Some(1),
        patient: Some(ROSA.0),
        thread: Some(ROSA_THREAD.0),
        severity: "none".into(),
        verdict: "[]".into(),
        read_as: "a weight".into(),
    }
}

case!(
    /// A provider that tells twice, in one request or a day later, tells once.
    the_same_message_is_stored_once, |place| {
        clinic(place).await;
        let batch = [wrote(1, "m-1", "82"), wrote(2, "m-1", "82"), wrote(3, "m-2", "82")];
        assert_eq!(save!(place, |tx| inbox::store(tx, &batch).await), 2);
        assert_eq!(save!(place, |tx| inbox::store(tx, &[wrote(4, "m-2", "changed"), wrote(5, "m-3", "83")]).await), 1);
        let waiting = save!(place, |tx| inbox::waiting(tx, 10).await);
        assert_eq!(waiting.iter().map(|w| (w.id, w.body.as_str())).collect::<Vec<_>>(), [(1, "82"), (3, "82"), (5, "83")]);
        assert_eq!(look!(place, |tx| inbox::depth(tx).await), 3);
        // What has been worked is still known.
        save!(place, |tx| inbox::finish(tx, &[done(1), done(3), done(5)], later(1)).await);
        assert_eq!(save!(place, |tx| inbox::store(tx, &[wrote(6, "m-1", "82")]).await), 0);
        assert_eq!(look!(place, |tx| inbox::depth(tx).await), 0);
    }
);

case!(
    /// Two processes get the same callback in the same moment.
    two_processes_store_the_same_message_once, |place| {
        clinic(place).await;
        let other = place.beside().await;
        let (a, b) = tokio::join!(async { save!(place, |tx| inbox::store(tx, &[wrote(1, "m-1", "82")]).await) }, async {
            save!(other, |tx| inbox::store(tx, &[wrote(2, "m-1", "82")]).await)
        },);
        assert_eq!(a + b, 1);
        other.end().await;
    }
);

case!(
    /// What is most pressing is read first; every script and every column comes back as it was.
    the_most_pressing_is_read_first, |place| {
        clinic(place).await;
        let words = "אין מיר דריקט 'x' 🫀 \"y\" \\ \u{202e}bn: শ্বাস\nاردو";
        let red = Arrived { priority: Priority::CRISIS, at: later(1), ..wrote(3, "m-3", words) };
        let receipt = Arrived {
            what: What::Receipt {
                reference: "r-1".into(),
                provider_id: "p-1".into(),
                state: MessageState::Failed,
                code: "30003".into(),
                means: Some(Meaning::Unreachable),
            },
            priority: Priority::REMINDER,
            ..wrote(1, "receipt", "")
        };
        save!(place, |tx| inbox::store(tx, &[receipt, wrote(2, "m-2", "hola"), red]).await);
        let waiting = save!(place, |tx| inbox::waiting(tx, 10).await);
        assert_eq!(waiting.iter().map(|w| w.id).collect::<Vec<_>>(), [3, 2, 1]);
        assert_eq!(save!(place, |tx| inbox::waiting(tx, 2).await).len(), 2);
        let (red, receipt) = (&waiting[0], &waiting[2]);
        assert_eq!((red.body.as_str(), red.kind.as_str(), red.channel.as_str()), (words, "message", "sms"));
        assert_eq!((red.gateway.as_str(), red.address.as_str(), red.address_hash.as_str()), ("sms", "+17185550117", "hash-rosa"));
        assert_eq!((red.priority, red.tries, red.received_at), (0, 0, later(1).0));
        assert_eq!((receipt.kind.as_str(), receipt.reference.as_str(), receipt.provider_id.as_str()), ("receipt", "r-1", "p-1"));
        assert_eq!((receipt.receipt.as_str(), receipt.code.as_str(), receipt.body.as_str()), ("failed", "30003", ""));
        assert_eq!((receipt.means.as_str(), receipt.media.as_str(), receipt.part_count), ("unreachable", "", 0));

        save!(place, |tx| inbox::put_last(tx, &[3]).await);
        save!(place, |tx| inbox::put_last(tx, &[]).await);
        let waiting = save!(place, |tx| inbox::waiting(tx, 10).await);
        assert_eq!(waiting.iter().map(|w| w.id).collect::<Vec<_>>(), [2, 1, 3], "behind everything else");
    }
);

case!(
    /// A voice note, the second half of a long text, somebody who came by a link and somebody who left: nothing is forgotten.
    what_comes_with_a_text_is_kept, |place| {
        clinic(place).await;
        let with = |id: i64, extras: Extras| {
            let what = What::Message {
                from: Address::new("+17185550117"),
                hash: "hash-rosa".into(),
                body: Body::new(""),
                extras,
            };
            Arrived { what, ..wrote(id, &format!("m-{id}"), "") }
        };
        let voice = with(1, Extras { media: Some(Media::Voice), ..Extras::default() });
        let half = with(2, Extras { part: Some(Part { of: "ref-7".into(), number: 2, count: 3 }), ..Extras::default() });
        let link = with(3, Extras { start: Some("token".into()), answered: Some(Keyword::Start), ..Extras::default() });
        let left = Arrived {
            what: What::Left { from: Address::new("+17185550117"), hash: "hash-rosa".into() },
            ..wrote(4, "m-4", "")
        };
        save!(place, |tx| inbox::store(tx, &[voice, half, link, left]).await);
        let waiting = save!(place, |tx| inbox::waiting(tx, 10).await);
        let came: Vec<_> = waiting
            .iter()
            .map(|w| (w.media.as_str(), w.part_of.as_str(), w.part_number, w.part_count, w.start_token.as_str(), w.answered.as_str()))
            .collect();
        assert_eq!(
            came,
            [("voice", "", 0, 0, "", ""), ("", "ref-7", 2, 3, "", ""), ("", "", 0, 0, "token", "start"), ("", "", 0, 0, "", "left")]
        );
        assert_eq!(waiting[3].address_hash, "hash-rosa");
    }
);

/// While one process works rows in an open transaction, another passes them over instead of waiting.
#[tokio::test]
async fn what_another_process_is_reading_is_passed_over() {
    let place = Place::postgres().await;
    clinic(&place).await;
    save!(place, |tx| inbox::store(tx, &[wrote(1, "m-1", "82"), wrote(2, "m-2", "83")]).await);
    let other = place.beside().await;
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    let slow = async {
        save!(place, |tx| {
            let mine = inbox::waiting(tx, 1).await;
            begun.send(()).expect("the other waits");
            gone.await.expect("the other is done");
            mine
        })
    };
    let quick = async {
        has_begun.await.expect("the first has begun");
        let mine = save!(other, |tx| inbox::waiting(tx, 5).await);
        go.send(()).expect("the first waits");
        mine
    };
    let (slow, quick) = soon(async { tokio::join!(slow, quick) }).await;
    assert_eq!((slow.len(), slow[0].id, quick.len(), quick[0].id), (1, 1, 1, 2));
    other.end().await;
    place.end().await;
}

case!(
    /// What was worked is known with what it was read as; what came before counts as context, what fails thrice does not.
    a_row_is_worked_or_given_up, |place| {
        clinic(place).await;
        let rows = [wrote(1, "m-1", "82"), wrote(2, "m-2", "me siento mal"), wrote(3, "m-3", "poison")];
        save!(place, |tx| inbox::store(tx, &rows).await);
        save!(place, |tx| inbox::finish(tx, &[done(1), Done { severity: "urgent".into(), ..done(2) }], later(1)).await);
        save!(place, |tx| inbox::finish(tx, &[], later(1)).await);
        let kept = look!(place, |tx| texts(tx, "SELECT state || ' ' || severity || ' ' || read_as FROM inbox ORDER BY id").await);
        assert_eq!(kept, ["done none a weight", "done urgent a weight", "new  "]);

        let lately = look!(place, |tx| inbox::lately(tx, &[ROSA.0, KAMAL.0], NOW, 3).await);
        assert_eq!(lately, [(ROSA.0, "82".to_owned(), NOW.0), (ROSA.0, "me siento mal".to_owned(), NOW.0)]);
        assert_eq!(look!(place, |tx| inbox::lately(tx, &[ROSA.0], NOW, 2).await).len(), 1, "only what came before");
        assert!(look!(place, |tx| inbox::lately(tx, &[ROSA.0], later(1), 3).await).is_empty(), "only what is recent");
        assert!(look!(place, |tx| inbox::lately(tx, &[KAMAL.0], NOW, 3).await).is_empty(), "only their own words");

        for tries in 1..=3 {
            assert_eq!(save!(place, |tx| inbox::waiting(tx, 10).await).len(), 1, "try {tries}");
            assert_eq!(save!(place, |tx| inbox::fail(tx, 3).await), tries);
        }
        assert!(save!(place, |tx| inbox::waiting(tx, 10).await).is_empty(), "it wedges nothing");
        assert_eq!(look!(place, |tx| texts(tx, "SELECT state FROM inbox WHERE id = 3").await), ["failed"]);
    }
);
