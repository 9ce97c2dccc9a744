//! The one writer: nobody is told "done" before the commit, and nobody's failure is anybody else's.

use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use porchlight::model::{Class, Id};
use porchlight::store::{Db, Lane, StoreError, locks, messages, sites};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::outbox::message;
use crate::place::{NOW, Place, clinic, raw, site, soon};
use crate::{case, look, refused, save};

type Written<'a> = BoxFuture<'a, Result<(), StoreError>>;

/// The writer works on one thing until it is told to go on; what is queued meanwhile shares one commit.
struct Busy {
    go: oneshot::Sender<()>,
    work: JoinSet<()>,
}

impl Busy {
    async fn keep(db: &Db) -> Busy {
        let (begun, has_begun) = oneshot::channel();
        let (go, gone) = oneshot::channel::<()>();
        let (db, mut work) = (db.clone(), JoinSet::new());
        work.spawn(async move {
            let job = db.write(Lane::Work, move |_| {
                async move {
                    begun.send(()).expect("the case waits");
                    gone.await.expect("the case goes on");
                    Ok(())
                }
                .boxed()
            });
            job.await.expect("it is written");
        });
        has_begun.await.expect("the writer works");
        Busy { go, work }
    }

    async fn end(mut self) {
        self.go.send(()).expect("the writer waits");
        while let Some(ended) = self.work.join_next().await {
            ended.expect("no panic");
        }
    }
}

fn set<'a>(place: &'a Place, key: &'static str) -> Written<'a> {
    place.db.write(Lane::Work, move |tx| async move { sites::set(tx, key, "kept").await }.boxed()).boxed()
}

async fn is_set(place: &Place, key: &str) -> bool {
    look!(place, |tx| sites::get(tx, key).await).is_some()
}

case!(
    /// In one commit: three good writes, a refusal, a statement that the database refuses, a conflict and a panic.
    a_failing_write_harms_no_other, |place| {
        let busy = Busy::keep(&place.db).await;
        let refusal = place.db.write(Lane::Work, |tx| {
            async move {
                sites::set(tx, "refusal", "lost").await?;
                Err::<(), _>(StoreError::Refused("not like this".into()))
            }
            .boxed()
        });
        let broken = place.db.write(Lane::Work, |tx| {
            async move {
                sites::set(tx, "broken", "lost").await?;
                raw(tx, "INSERT INTO site_closure (site_id, local_date) VALUES (99, 'of no site')").await.map(|_| ())
            }
            .boxed()
        });
        let panicking = place.db.write(Lane::Work, |tx| {
            async move {
                sites::set(tx, "panicking", "lost").await?;
                panic!("on purpose")
            }
            .boxed()
        });
        let conflict = place.db.write(Lane::Work, |tx| {
            async move {
                sites::set(tx, "conflict", "lost").await?;
                Err::<(), _>(StoreError::Conflict)
            }
            .boxed()
        });
        let jobs: Vec<Written<'_>> = vec![
            set(place, "one"),
            refusal.boxed(),
            set(place, "two"),
            broken.boxed(),
            panicking.boxed(),
            conflict.boxed(),
            set(place, "three"),
        ];
        let mut all = Box::pin(join_all(jobs));
        assert!((&mut all).now_or_never().is_none(), "they are queued and not answered");
        busy.end().await;
        let answers = all.await;
        assert!(answers[0].is_ok() && answers[2].is_ok() && answers[6].is_ok(), "{answers:?}");
        assert!(matches!(&answers[1], Err(StoreError::Refused(why)) if why == "not like this"), "{answers:?}");
        assert!(matches!(&answers[3], Err(StoreError::Database(_))), "{answers:?}");
        assert!(matches!(&answers[4], Err(StoreError::Refused(_))), "a panic is told as a refusal: {answers:?}");
        assert!(matches!(&answers[5], Err(StoreError::Conflict)), "{answers:?}");
        for (key, kept) in [
            ("one", true),
            ("refusal", false),
            ("two", true),
            ("broken", false),
            ("panicking", false),
            ("conflict", false),
            ("three", true),
        ] {
            assert_eq!(is_set(place, key).await, kept, "{key}");
        }
    }
);

case!(
    /// A write on its own that fails or panics keeps nothing, and the next one works.
    a_failing_write_alone_keeps_nothing, |place| {
        refused!(place, |tx| {
            sites::set(tx, "lost", "lost").await?;
            Err::<(), _>(StoreError::Conflict)
        });
        let panicked = place.db.write(Lane::Work, |tx| {
            async move {
                sites::set(tx, "lost", "lost").await?;
                assert!(!std::hint::black_box(true), "on purpose");
                Ok(())
            }
            .boxed()
        });
        assert!(matches!(panicked.await, Err(StoreError::Refused(_))));
        refused!(place, |tx| raw(tx, "SELECT nonsense FROM nowhere").await);
        assert!(!is_set(place, "lost").await);
        assert!(set(place, "next").await.is_ok());
        assert!(is_set(place, "next").await);
    }
);

case!(
    /// A page that reads twice reads the same, whatever is written meanwhile.
    a_read_is_one_view, |place| {
        let mut tx = place.db.read().await.expect("a view");
        assert_eq!(sites::get(&mut tx, "meanwhile").await.expect("an answer"), None);
        set(place, "meanwhile").await.expect("the write");
        assert_eq!(sites::get(&mut tx, "meanwhile").await.expect("an answer"), None);
        drop(tx);
        assert!(is_set(place, "meanwhile").await);
    }
);

case!(
    /// Two writes share a commit; while the second is still at work, the first is not told and nobody sees it.
    nobody_is_told_before_the_commit, |place| {
        let busy = Busy::keep(&place.db).await;
        let (begun, has_begun) = oneshot::channel();
        let (go, gone) = oneshot::channel::<()>();
        let mut first = set(place, "first");
        let mut second: Written<'_> = place
            .db
            .write(Lane::Claim, move |tx| {
                async move {
                    begun.send(()).expect("the case waits");
                    gone.await.expect("the case goes on");
                    sites::set(tx, "second", "kept").await
                }
                .boxed()
            })
            .boxed();
        assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
        busy.end().await;
        has_begun.await.expect("the second has begun, so the first has run");
        assert!((&mut first).now_or_never().is_none(), "told before the commit");
        assert!(!is_set(place, "first").await, "seen before the commit");
        go.send(()).expect("the second waits");
        assert!(first.await.is_ok() && second.await.is_ok());
        assert!(is_set(place, "first").await && is_set(place, "second").await);
    }
);

/// The commit itself fails: everybody whose write it held is told that nothing was saved, and the next commit works.
#[tokio::test]
async fn a_failing_commit_is_told_to_everybody() {
    let place = Place::sqlite().await;
    let busy = Busy::keep(&place.db).await;
    let poison = place.db.write(Lane::Work, |tx| {
        async move {
            raw(tx, "PRAGMA defer_foreign_keys = ON").await?;
            raw(tx, "INSERT INTO site_closure (site_id, local_date) VALUES (99, 'of no site')").await.map(|_| ())
        }
        .boxed()
    });
    let mut all = Box::pin(join_all([set(&place, "one"), poison.boxed(), set(&place, "two")]));
    assert!((&mut all).now_or_never().is_none());
    busy.end().await;
    let answers = all.await;
    assert!(answers.iter().all(|a| matches!(a, Err(StoreError::Stopping))), "{answers:?}");
    assert!(!is_set(&place, "one").await && !is_set(&place, "two").await);
    assert!(set(&place, "next").await.is_ok());
    assert!(is_set(&place, "next").await);
    place.end().await;
}

case!(
    /// What patients wrote goes before what providers answered, and that before everything else, whatever the order of arrival.
    the_most_pressing_lane_goes_first, |place| {
        let busy = Busy::keep(&place.db).await;
        let order: Arc<Mutex<Vec<Lane>>> = Arc::default();
        let note = |lane: Lane| -> Written<'_> {
            let order = Arc::clone(&order);
            let job = place.db.write(lane, move |_| {
                order.lock().expect("the order").push(lane);
                async { Ok(()) }.boxed()
            });
            job.boxed()
        };
        let mut all = Box::pin(join_all([Lane::Work, Lane::Acknowledge, Lane::Work, Lane::Inbound].map(note)));
        assert!((&mut all).now_or_never().is_none());
        busy.end().await;
        assert!(all.await.iter().all(Result::is_ok));
        assert_eq!(*order.lock().expect("the order"), [Lane::Inbound, Lane::Acknowledge, Lane::Work, Lane::Work]);
    }
);

/// Two nodes have queued the same two writes in opposite orders, each in one go: neither waits with what the other wants in its hand.
#[tokio::test]
async fn what_is_queued_together_holds_up_no_other_node() {
    let place = Place::postgres().await;
    clinic(&place).await;
    save!(place, |tx| messages::plan(tx, &[message(1, Class::Answer), message(2, Class::Answer)]).await);
    let other = place.beside().await;
    // Each first write has what it wants before the other node goes on; each second one begins before it waits.
    let first = |place: &Place, id: i64, has: oneshot::Sender<()>, then: oneshot::Receiver<()>| -> Written<'static> {
        let db = place.db.clone();
        async move {
            db.write(Lane::Work, move |tx| {
                async move {
                    locks::messages(tx, &[Id(id)]).await?;
                    has.send(()).expect("the other node waits");
                    then.await.expect("the other node goes on");
                    Ok(())
                }
                .boxed()
            })
            .await
        }
        .boxed()
    };
    let second = |place: &Place, id: i64, begins: Option<oneshot::Sender<()>>| -> Written<'static> {
        let db = place.db.clone();
        async move {
            db.write(Lane::Work, move |tx| {
                async move {
                    if let Some(begins) = begins {
                        begins.send(()).expect("the other node waits");
                    }
                    locks::messages(tx, &[Id(id)]).await
                }
                .boxed()
            })
            .await
        }
        .boxed()
    };
    let ((here_1, _has_here_1), (here_2, has_here_2), (there, has_there)) =
        (oneshot::channel(), oneshot::channel(), oneshot::channel());
    let (busy_here, busy_there) = (Busy::keep(&place.db).await, Busy::keep(&other.db).await);
    let jobs = vec![
        first(&place, 1, here_1, has_there),
        second(&place, 2, Some(here_2)),
        first(&other, 2, there, has_here_2),
        second(&other, 1, None),
    ];
    let mut all = Box::pin(join_all(jobs));
    assert!((&mut all).now_or_never().is_none(), "they are queued");
    busy_here.end().await;
    busy_there.end().await;
    let answers = soon(all).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    other.end().await;
    place.end().await;
}

/// What the server says is remembered for whoever asks how it does; but not that two nodes met, which is over.
#[tokio::test]
async fn a_deadlock_is_no_trouble_of_the_database() {
    let place = Place::postgres().await;
    refused!(place, |tx| raw(tx, "DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$").await);
    assert_eq!(place.db.trouble(), None);
    refused!(place, |tx| raw(tx, "DO $$ BEGIN RAISE SQLSTATE '53100'; END $$").await);
    let why = place.db.trouble().unwrap_or_default();
    assert!(why.contains("disk of the database server is full"), "{why}");
    place.end().await;
}

/// An operator has locked a table and gone to lunch: a write is given up after some seconds, says why, and holds up no other.
#[tokio::test]
async fn what_an_operator_locks_is_not_waited_for_without_end() {
    let place = Place::postgres().await;
    let operator = place.beside().await;
    let (locked, is_locked) = oneshot::channel();
    let (back, is_back) = oneshot::channel::<()>();
    let lunch = operator.db.write(Lane::Work, move |tx| {
        async move {
            raw(tx, "LOCK TABLE setting").await?;
            locked.send(()).expect("the case waits");
            is_back.await.expect("the case is over");
            Ok(())
        }
        .boxed()
    });
    let meanwhile = async {
        is_locked.await.expect("the table is locked");
        let answer = soon(set(&place, "one")).await;
        assert!(matches!(&answer, Err(StoreError::Database(_))), "{answer:?}");
        let why = place.db.trouble().unwrap_or_default();
        assert!(why.contains("locked"), "{why}");
        save!(place, |tx| sites::put(tx, &site("another table"), NOW).await);
        back.send(()).expect("the operator waits");
    };
    let (lunch, ()) = tokio::join!(lunch, meanwhile);
    lunch.expect("the lock is given back");
    assert!(set(&place, "one").await.is_ok());
    operator.end().await;
    place.end().await;
}

case!(
    /// Who gives up waiting loses the answer, not the write.
    a_caller_that_goes_away_harms_nothing, |place| {
        let busy = Busy::keep(&place.db).await;
        let mut abandoned = set(place, "abandoned");
        assert!((&mut abandoned).now_or_never().is_none());
        drop(abandoned);
        busy.end().await;
        assert!(set(place, "next").await.is_ok());
        assert!(is_set(place, "abandoned").await && is_set(place, "next").await);
    }
);

case!(
    /// Pages cannot write, not even by mistake.
    reading_connections_cannot_write, |place| {
        let mut tx = place.db.read().await.expect("the database can be read");
        sites::set(&mut tx, "sneaked", "in").await.expect_err("a page has written");
        drop(tx);
        let mut tx = place.db.read().await.expect("the database can be read");
        raw(&mut tx, "DELETE FROM setting").await.expect_err("a page has deleted");
        drop(tx);
        assert!(!is_set(place, "sneaked").await);
    }
);

case!(
    /// A reader is not held up by an open write, and does not see it.
    a_reader_does_not_wait_for_the_writer, |place| {
        save!(place, |tx| sites::put(tx, &site("before"), NOW).await);
        let busy = Busy::keep(&place.db).await;
        assert_eq!(look!(place, |tx| sites::list(tx).await)[0].name, "before");
        busy.end().await;
    }
);

case!(
    /// The database knows which program it belongs to: one that is newer, changed or half upgraded is not touched, and says so.
    a_database_that_does_not_fit_is_refused, |place| {
        assert_eq!(place.db.backend(), if place.is_postgres() { "postgres" } else { "sqlite" });
        set(place, "kept").await.expect("it is written");
        let again = place.beside().await;
        assert!(is_set(&again, "kept").await, "opening twice changes nothing");
        again.end().await;

        save!(place, |tx| raw(tx, "UPDATE _sqlx_migrations SET success = FALSE").await);
        expect_refusal(place, "was cut short").await;
        save!(place, |tx| raw(tx, "UPDATE _sqlx_migrations SET success = TRUE").await);
        save!(place, |tx| {
            raw(
            tx,
            "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time)
             SELECT 9999, 'from tomorrow', installed_on, success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1"
        )
        .await
        });
        expect_refusal(place, "from a newer version of Porchlight (its migration 9999").await;
        save!(place, |tx| raw(tx, "DELETE FROM _sqlx_migrations WHERE version = 9999").await);
        let changed = if place.is_postgres() {
            "UPDATE _sqlx_migrations SET checksum = decode('00', 'hex') WHERE version = 1"
        } else {
            "UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 1"
        };
        save!(place, |tx| raw(tx, changed).await);
        expect_refusal(place, "is not the one that this version carries").await;
    }
);

async fn expect_refusal(place: &Place, words: &str) {
    match Db::open(&place.location).await {
        Ok(_) => panic!("it was opened, wanted a refusal with {words:?}"),
        Err(why) => assert!(matches!(&why, StoreError::Migration(text) if text.contains(words)), "{why}"),
    }
}

/// The writer has ended: nothing is written, and that is said.
#[tokio::test]
async fn without_its_writer_nothing_counts_as_saved() {
    let folder = tempfile::tempdir().expect("a folder");
    let location = porchlight::store::Location::Sqlite(folder.path().join("case.db"));
    let (db, writer) = Db::open(&location).await.expect("the database opens");
    drop(writer);
    let answer = db.write(Lane::Inbound, |tx| async move { sites::set(tx, "a", "b").await }.boxed()).await;
    assert!(matches!(answer, Err(StoreError::Stopping)), "{answer:?}");
    db.last().close().await;
}

/// What one process has stored or planned wakes the other at once; the embedded database has one process, and no bell.
#[tokio::test]
async fn another_process_is_woken() {
    let place = Place::postgres().await;
    clinic(&place).await;
    let other = place.beside().await;
    let mut bell = place.db.bell().await.expect("a connection").expect("a bell");
    save!(other, |tx| porchlight::store::inbox::store(tx, &[crate::inbox_cases::wrote(1, "m-1", "82")]).await);
    soon(bell.rung()).await.expect("it rings for what came in");
    save!(other, |tx| messages::plan(tx, &[message(1, Class::Answer)]).await);
    soon(bell.rung()).await.expect("and for what is to go out");
    drop(bell);
    other.end().await;
    place.end().await;

    let place = Place::sqlite().await;
    assert!(place.db.bell().await.expect("an answer").is_none());
    place.end().await;
}
