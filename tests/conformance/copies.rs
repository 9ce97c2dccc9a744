//! Copies of the database: what a check-up reads, and what a restored copy must not do.

use std::time::Duration;

use futures_util::FutureExt;
use porchlight::clock::Time;
use porchlight::model::{Class, ContentClass, Id, Priority};
use porchlight::store::messages::{self, NewMessage};
use porchlight::store::pause::Waiting;
use porchlight::store::timers::{Kind, NewTimer};
use porchlight::store::{Bare, nodes, pause, sites, staff, survey, timers};

use crate::outbox::take;
use crate::place::{JUNE, NOW, Place, ROSA, ROSA_THREAD, SITE, clinic, later, raw, texts};
use crate::{case, look, save};

fn message(id: i64, class: Class, expires_at: Option<Time>) -> NewMessage {
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
        content: ContentClass::Logistics,
        key: "k".into(),
        args: "{}".into(),
        question: String::new(),
        lang: "es",
        body: String::new(),
        planned_at: NOW,
        expires_at,
        ready_at: NOW,
    }
}

fn reply(id: i64, class: Class, planned_at: Time) -> NewMessage {
    NewMessage { inbox: Some(Id(900 + id)), planned_at, ..message(id, class, Some(planned_at.plus(Duration::from_hours(1)))) }
}

fn timer(id: i64, kind: Kind, subject: i64, due: Time) -> NewTimer {
    NewTimer {
        id: Id(id),
        site: SITE,
        patient: Some(ROSA),
        kind,
        subject: Id(subject),
        detail: String::new(),
        slot: String::new(),
        version: 0,
        due,
        priority: Priority::REMINDER,
    }
}

async fn stand(place: &Place) -> Vec<String> {
    look!(place, |tx| texts(tx, "SELECT state || ':' || why FROM message ORDER BY id").await)
}

case!(
    /// A copy is restored an hour after its backup. What was about to go out is not known; what was held until later than now
    /// is still held; nobody is signed in; no id comes again; nothing is claimed by any process until it is released.
    a_restored_copy_sends_nothing_and_forgets_nothing, |place| {
        clinic(place).await;
        let restored = later(60);
        save!(place, |tx| {
            nodes::lease(tx, "lost process", NOW, later(1)).await?;
            staff::open_session(tx, "a hash", JUNE, "token", NOW, later(600)).await?;
            messages::plan(tx, &[1, 2, 3, 4, 5, 6, 7].map(|id| message(id, Class::Reminder, None))).await?;
            take(tx, "lost process", NOW, later(1), (1, Priority::BULK)).await?;
            raw(tx, "UPDATE message SET state = 'held' WHERE id IN (3, 4)").await?;
            raw(tx, "UPDATE message SET state = 'accepted' WHERE id = 5").await?;
            raw(tx, "UPDATE message SET state = 'unknown', why = 'no_answer' WHERE id IN (6, 7)").await?;
            let (doubt, doubted) = (timer(71, Kind::Doubt, 1, later(10)), timer(74, Kind::Doubt, 6, later(10)));
            timers::set(tx, &[doubt, doubted, timer(72, Kind::Hold, 3, later(50)), timer(73, Kind::Hold, 4, later(70))]).await
        });
        assert_eq!(look!(place, |tx| pause::current(tx).await), None);
        assert_eq!(look!(place, |tx| pause::restored(tx).await), None);

        save!(place, |tx| pause::mark(tx, restored).await);
        assert_eq!(
            stand(place).await,
            ["unknown:restored", "unknown:restored", "unknown:restored", "held:", "accepted:", "unknown:restored", "unknown:no_answer"],
            "the lease, the queue, what was due meanwhile and what was in doubt are not known; the last doubt was a person's already"
        );
        assert_eq!(look!(place, |tx| pause::waiting(tx, restored, restored).await).unknown, 4);
        let paused = look!(place, |tx| pause::current(tx).await).expect("it is paused");
        assert_eq!((paused.state.as_str(), paused.since), ("paused_restore", restored));
        assert_eq!(look!(place, |tx| pause::restored(tx).await), Some(restored));
        assert!(look!(place, |tx| staff::session(tx, "a hash").await).is_none());
        assert!(look!(place, |tx| texts(tx, "SELECT kind FROM timer WHERE kind = 'doubt'").await).is_empty());
        // The number is free, and its ids begin after everything that the lost process can have made.
        assert_eq!(save!(place, |tx| nodes::lease(tx, "this process", later(2), later(3)).await), (0, restored));

        save!(place, |tx| messages::plan(tx, &[message(8, Class::Crisis, None)]).await);
        let claimed = || async { save!(place, |tx| take(tx, "p", later(61), later(62), (9, Priority::BULK)).await) };
        assert!(claimed().await.is_empty(), "also no crisis reply");
        assert_eq!(look!(place, |tx| messages::next_ready(tx).await), None);
        save!(place, |tx| pause::lift(tx).await);
        assert_eq!(look!(place, |tx| pause::current(tx).await), None);
        assert_eq!(look!(place, |tx| messages::next_ready(tx).await), Some(NOW));
        assert_eq!(claimed().await.iter().map(|m| m.id).collect::<Vec<_>>(), [8]);
        assert_eq!(look!(place, |tx| pause::restored(tx).await), Some(restored), "for ever");
    }
);

case!(
    /// What waits while sending is paused, and which replies end unsent: all but crisis replies to an emergency that nobody has.
    replies_to_what_was_replayed_end_unsent, |place| {
        clinic(place).await;
        save!(place, |tx| {
            pause::mark(tx, NOW).await?;
            raw(tx, "INSERT INTO escalation (id, site_id, patient_id, severity, category, reason, state, opened_at, due_at)
                     VALUES (81, 1, 21, 'emergency', 'self_harm', 'words', 'open', 1, 1)").await?;
            let staffs = NewMessage { staff: Some(JUNE), ..reply(4, Class::Staff, later(5)) };
            let plan = [
                reply(1, Class::Consent, later(5)),
                reply(2, Class::Answer, Time(NOW.0 - 1)),
                reply(3, Class::Crisis, later(5)),
                staffs,
                message(5, Class::Reminder, Some(later(6))),
                NewMessage { patient: None, thread: None, direct: Some(("sms".into(), "+1".into())), ..reply(6, Class::Crisis, later(5)) },
            ];
            messages::plan(tx, &plan).await?;
            raw(tx, "INSERT INTO message (id, site_id, class, content, priority, key, args, lang, state, why, ready_at, planned_at, state_at)
                     VALUES (7, 1, 'reminder', 'logistics', 2, 'k', '{}', 'es', 'unknown', 'restored', 1, 1, 1)").await
        });
        let waits = look!(place, |tx| pause::waiting(tx, NOW, later(10)).await);
        assert_eq!(waits, Waiting { queued: 6, held: 0, expired: 1, replies: 1, unknown: 1 });
        save!(place, |tx| raw(tx, "UPDATE escalation SET state = 'claimed', owner_id = 11").await);
        let waits = look!(place, |tx| pause::waiting(tx, NOW, later(70)).await);
        assert_eq!(waits, Waiting { queued: 6, held: 0, expired: 6, replies: 2, unknown: 1 });
        let mut ended = save!(place, |tx| pause::end_replies(tx, NOW, later(10)).await);
        ended.sort_by_key(|e| e.id);
        assert_eq!(ended.iter().map(|e| (e.id, e.patient_id)).collect::<Vec<_>>(), [(1, Some(ROSA.0)), (3, Some(ROSA.0))]);
        let stands = stand(place).await;
        assert_eq!(stands, ["skipped:restored", "queued:", "skipped:restored", "queued:", "queued:", "queued:", "unknown:restored"]);
    }
);

case!(
    /// A backup is known from when it was begun, once it is whole; its copy says when that was.
    a_backup_is_remembered, |place| {
        assert_eq!(look!(place, |tx| pause::last_backup(tx).await), None);
        save!(place, |tx| pause::backup_begun(tx, NOW).await);
        assert_eq!(look!(place, |tx| pause::last_backup(tx).await), None, "begun is not done");
        assert_eq!(look!(place, |tx| sites::get(tx, pause::BEGUN).await), Some(NOW.0.to_string()));
        save!(place, |tx| pause::backup_kept(tx, NOW).await);
        assert_eq!(look!(place, |tx| pause::last_backup(tx).await), Some(NOW));
    }
);

case!(
    /// What a check-up reads of a database that is well, and of one that is stuck.
    a_check_up_reads_what_it_needs, |place| {
        clinic(place).await;
        let tables = look!(place, |tx| survey::tables(tx).await);
        for table in ["_sqlx_migrations", "inbox", "setting", "timer"] {
            assert!(tables.iter().any(|t| t == table), "{table} is missing: {tables:?}");
        }
        let migrations = look!(place, |tx| survey::migrations(tx).await);
        assert_eq!((migrations.done, migrations.pending), (survey::known_migrations(), vec![]));
        let settings = look!(place, |tx| survey::settings(tx).await);
        let of = |name: &str| settings.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        if place.is_postgres() {
            assert!(of("server_version_num").and_then(|v| v.parse::<i64>().ok()).is_some_and(|v| v >= 150_000), "{settings:?}");
            assert!(of("fsync").is_some() && of("synchronous_commit").is_some() && of("max_connections").is_some(), "{settings:?}");
            assert!(look!(place, |tx| survey::connections(tx).await).is_some_and(|n| n >= 1));
        } else {
            assert_eq!(of("journal_mode"), Some("wal"));
            assert_eq!(look!(place, |tx| survey::connections(tx).await), None);
        }
        assert!(look!(place, |tx| survey::size(tx).await) > 100_000);
        for full in [false, true] {
            assert_eq!(look!(place, |tx| survey::faults(tx, full).await), Vec::<String>::new());
        }
        let rows = look!(place, |tx| survey::rows(tx).await);
        assert!(rows.contains(&("patient".into(), 2)) && rows.contains(&("inbox".into(), 0)), "{rows:?}");
        assert_eq!(look!(place, |tx| survey::zones(tx).await), [("America/New_York".to_owned(), 3)]);
        assert_eq!(look!(place, |tx| survey::stuck(tx, NOW, NOW, Duration::ZERO).await), survey::Stuck::default());

        save!(place, |tx| {
            nodes::lease(tx, "p", NOW, later(30)).await?;
            messages::plan(tx, &[message(1, Class::Reminder, None)]).await?;
            // Under a lease; then in doubt, with a receipt to wait for and without; two that are ready, one that is not yet.
            take(tx, "p", NOW, later(1), (9, Priority::BULK)).await?;
            let queued = [message(4, Class::Reminder, None), message(5, Class::Answer, None), message(6, Class::Crisis, None)];
            messages::plan(tx, &[message(2, Class::Reminder, None), message(3, Class::Reminder, None)]).await?;
            raw(tx, "UPDATE message SET state = 'unknown' WHERE id IN (2, 3)").await?;
            let [reminder, answer, crisis] = queued;
            let later_on = NewMessage { ready_at: later(8), ..crisis };
            messages::plan(tx, &[NewMessage { ready_at: later(1), ..reminder }, answer, later_on]).await?;
            let holds = [timer(71, Kind::Hold, 1, later(2)), timer(72, Kind::Hold, 2, later(20)), timer(73, Kind::Doubt, 2, later(20))];
            timers::set(tx, &holds).await?;
            raw(tx, "INSERT INTO inbox (id, gateway, dedupe, kind, channel, priority, state, received_at)
                     VALUES (1, 'g', 'a', 'message', 'sms', 1, 'failed', 1), (2, 'g', 'b', 'message', 'sms', 1, 'new', 1)").await?;
            raw(tx, "DELETE FROM _sqlx_migrations").await?;
            raw(tx, "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'newer', TRUE, '', 1)").await
        });
        let five = Duration::from_mins(5);
        let stuck = look!(place, |tx| survey::stuck(tx, later(10), later(10), five).await);
        let (oldest_timer, oldest_ready) = (Some(later(2).0), Some(NOW.0));
        let wanted = survey::Stuck {
            leases: 1,
            ready: 2,
            pressing: 1,
            oldest_ready,
            unknown: 1,
            timers: 1,
            oldest_timer,
            waiting: 1,
            failed: 1,
            processes: 1,
        };
        assert_eq!(stuck, wanted);
        save!(place, |tx| sites::set(tx, "sending.paused", "paused_restore 1").await);
        let paused = look!(place, |tx| survey::stuck(tx, later(10), later(10), five).await);
        assert_eq!((paused.ready, paused.pressing, paused.oldest_ready), (0, 0, None), "it is to wait");
        let next_week = look!(place, |tx| survey::stuck(tx, later(10), later(10 + 7 * 1440), five).await);
        assert_eq!(next_week.unknown, 0, "people were told long ago");
        let migrations = look!(place, |tx| survey::migrations(tx).await);
        assert_eq!((migrations.unknown, migrations.pending), (vec![9999], survey::known_migrations()));
    }
);

case!(
    /// Opened for an operator: it reads what is there, keeps what was written in one commit, and nothing of what failed.
    a_bare_database_keeps_all_or_nothing, |place| {
        clinic(place).await;
        let looking = Bare::open(&place.location, false).await.expect("it opens");
        let written = looking.write(|tx| async move { sites::set(tx, "a", "1").await }.boxed()).await;
        assert!(written.is_err(), "who only looks changes nothing");
        looking.close().await;
        let bare = Bare::open(&place.location, true).await.expect("it opens");
        bare.write(|tx| async move { sites::set(tx, "kept", "1").await }.boxed()).await.expect("it is written");
        let failed = bare.write(|tx| {
            async move {
                sites::set(tx, "lost", "1").await?;
                raw(tx, "INSERT INTO site_closure (site_id, local_date) VALUES (99, 'of no site')").await
            }
            .boxed()
        });
        assert!(failed.await.is_err());
        let mut tx = bare.read().await.expect("it is read");
        assert_eq!(sites::get(&mut tx, "kept").await.expect("a setting").as_deref(), Some("1"));
        assert_eq!(sites::get(&mut tx, "lost").await.expect("a setting"), None);
        drop(tx);
        bare.close().await;
    }
);
