//! What the console's and the demo's pages read: the right rows in the right order, and nothing of another site.

use std::time::Duration;

use futures_util::FutureExt;
use porchlight::clock::Time;
use porchlight::model::{Category, Class, Id, Outcome, Priority, Reason, Severity};
use porchlight::store::audit::{self, Entry};
use porchlight::store::escalations::{self, NewEscalation, NewEvent};
use porchlight::store::messages::{self, NewMessage};
use porchlight::store::pages::lists::{self, Search, Since};
use porchlight::store::pages::{self, patient};
use porchlight::store::timers::{self, Kind, NewTimer};
use porchlight::store::{appointments, consents, decisions, demo, inbox, readings};

use crate::entries::{consent, decision};
use crate::inbox_cases::{done, wrote};
use crate::items::{event, item};
use crate::outbox::{accepted, message, prepared};
use crate::place::{DANA, ENROLMENT, JUNE, KAMAL, NOW, Place, ROSA, SITE, clinic, later};
use crate::times::timer;
use crate::{case, look, save};

const ELSEWHERE: Id = Id(2);

const fn since(ended: Time, stuck: Time, held: Time) -> Since {
    Since { ended, first: Id(0), stuck, held }
}

/// A morning at the clinic: Rosa in trouble, Kamal with a routine question, somebody unknown, and messages in many states.
async fn morning(place: &Place) {
    clinic(place).await;
    save!(place, |tx| {
        inbox::store(tx, &[wrote(501, "m-1", "me falta el aire"), wrote(502, "m-2", "??")]).await?;
        inbox::finish(
            tx,
            &[inbox::Done { severity: "emergency".into(), ..done(501) }, inbox::Done { id: 502, ..inbox::Done::default() }],
            NOW,
        )
        .await?;
        let emergency = NewEscalation { inbox: Some(Id(501)), due: later(5), ..item(601, Some(ROSA), Severity::Emergency) };
        let unknown =
            NewEscalation { inbox: Some(Id(502)), category: Category::NotUnderstood, ..item(603, None, Severity::Routine) };
        for one in [&emergency, &item(602, Some(KAMAL), Severity::Routine), &unknown, &item(604, Some(ROSA), Severity::Urgent)] {
            escalations::open(tx, one).await?;
        }
        escalations::add_event(tx, &NewEvent { inbox: Some(Id(501)), ..event(701, 601, "opened", NOW) }).await?;
        escalations::add_event(tx, &NewEvent { staff: Some(JUNE), detail: "text".into(), ..event(702, 601, "told", NOW) })
            .await?;
        escalations::claim(tx, Id(602), DANA, later(1)).await?;
        escalations::resolve(tx, Id(604), JUNE, Outcome::Answered, later(2)).await?;
        audit::add(
            tx,
            0,
            &Entry { staff: Some(JUNE), patient: Some(ROSA), action: "read patient", subject: String::new() },
            later(1),
        )
        .await
    });
    save!(place, |tx| {
        let crisis = NewMessage { inbox: Some(Id(501)), ..message(801, Class::Crisis) };
        let staff = NewMessage {
            staff: Some(JUNE),
            body: "Llámeme".into(),
            key: "staff".into(),
            planned_at: later(3),
            ..message(804, Class::Staff)
        };
        let to_unknown = NewMessage { patient: None, thread: None, inbox: Some(Id(502)), ..message(805, Class::Crisis) };
        messages::plan(tx, &[crisis, message(802, Class::Reminder), message(803, Class::Question), staff, to_unknown]).await?;
        messages::claim(tx, "", NOW, (10, Priority::BULK)).await?;
        let lease = messages::Lease { owner: "a", until: later(1) };
        messages::prepare(tx, &[prepared(801, 1, "r-1"), prepared(802, 1, "r-2"), prepared(803, 1, "r-3")], "v1", lease, NOW)
            .await?;
        let unknown = messages::Acknowledged {
            state: porchlight::model::MessageState::Unknown,
            outcome: "unknown",
            ..accepted(802, 1, "")
        };
        messages::acknowledge(tx, &[accepted(801, 1, "p-1"), unknown, accepted(803, 1, "p-3")], "a", NOW).await?;
        messages::settle(
            tx,
            &[
                (Id(804), porchlight::model::MessageState::Held, "quiet_hours".into(), NOW),
                (Id(805), porchlight::model::MessageState::Queued, String::new(), NOW),
            ],
            NOW,
        )
        .await?;
        decisions::add(
            tx,
            &[decision(901, "hold", Reason::QuietHours, Some(Id(804))), decision(902, "send", Reason::Allowed, Some(Id(801)))],
        )
        .await?;
        let held = NewTimer { due: later(600), ..timer(1, Kind::Hold, 804, "", NOW) };
        let step = NewTimer { priority: Priority::REMINDER, ..timer(2, Kind::Step, ENROLMENT.0, "ask/5", later(30)) };
        timers::set(tx, &[held, step]).await?;
        appointments::put(tx, Id(5), (SITE, ROSA), "V-1", later(90), "America/New_York", NOW).await?;
        consents::add(tx, &consent(1, true, 0)).await?;
        readings::add_note(tx, Id(1), SITE, (Some(ROSA), None), JUNE, "called", later(4)).await
    });
}

case!(
    /// The queue: most severe first; another site sees none of it.
    the_queue_shows_what_waits, |place| {
        morning(place).await;
        let queue = look!(place, |tx| pages::unresolved(tx, SITE).await);
        assert_eq!(queue.iter().map(|i| i.escalation.id).collect::<Vec<_>>(), [601, 602, 603]);
        let (rosa, kamal, unknown) = (&queue[0], &queue[1], &queue[2]);
        assert_eq!(
            (rosa.name.as_deref(), rosa.lang.as_deref(), rosa.coordinator_id, rosa.backup_id),
            (Some("Rosa Delgado"), Some("es"), Some(11), Some(12))
        );
        assert_eq!(
            (rosa.body.as_deref(), rosa.received_at, rosa.owner.as_deref()),
            (Some("me falta el aire"), Some(NOW.0), None)
        );
        assert_eq!((kamal.owner.as_deref(), kamal.body.as_deref()), (Some("Dana Ortiz"), None));
        assert_eq!((unknown.name.as_deref(), unknown.address.as_deref()), (None, Some("+17185550117")));
        assert!(look!(place, |tx| pages::unresolved(tx, ELSEWHERE).await).is_empty());

        assert_eq!(
            look!(place, |tx| pages::resolved(tx, SITE, NOW, Id(0)).await).iter().map(|i| i.escalation.id).collect::<Vec<_>>(),
            [604]
        );
        assert!(look!(place, |tx| pages::resolved(tx, SITE, later(3), Id(0)).await).is_empty());
        assert!(look!(place, |tx| pages::resolved(tx, SITE, NOW, Id(605)).await).is_empty());
        assert_eq!(look!(place, |tx| pages::item(tx, SITE, Id(601)).await).map(|i| i.escalation.severity), Some("emergency".to_owned()));
        assert!(look!(place, |tx| pages::item(tx, ELSEWHERE, Id(601)).await).is_none());
        assert_eq!(look!(place, |tx| pages::items_of(tx, SITE, ROSA).await).iter().map(|i| i.escalation.id).collect::<Vec<_>>(), [601]);
        assert!(look!(place, |tx| pages::items_of(tx, ELSEWHERE, ROSA).await).is_empty());
        let alarms = look!(place, |tx| pages::alarms(tx, SITE).await);
        assert_eq!(
            alarms.iter().map(|a| (a.id, a.name.as_deref(), a.due_at)).collect::<Vec<_>>(),
            [(601, Some("Rosa Delgado"), later(5).0)]
        );
        save!(place, |tx| escalations::claim(tx, Id(601), JUNE, later(1)).await);
        assert!(look!(place, |tx| pages::alarms(tx, SITE).await).is_empty(), "somebody has it");
    }
);

case!(
    /// Dana goes home: June takes her item over, as she saw it, and nothing that is open, her own or has moved meanwhile.
    an_item_is_taken_over_as_it_was_seen, |place| {
        morning(place).await;
        let seen = look!(place, |tx| pages::item(tx, SITE, Id(602)).await).expect("the item");
        assert_eq!((seen.escalation.owner_id, seen.escalation.state.as_str()), (Some(DANA.0), "claimed"));
        let version = seen.escalation.version;
        assert!(!save!(place, |tx| pages::take_over(tx, Id(602), DANA, version, later(5)).await), "she has it");
        assert!(!save!(place, |tx| pages::take_over(tx, Id(602), JUNE, version - 1, later(5)).await), "it has moved since");
        assert!(!save!(place, |tx| pages::take_over(tx, Id(601), JUNE, 0, later(5)).await), "an open item is claimed");
        assert!(save!(place, |tx| pages::take_over(tx, Id(602), JUNE, version, later(5)).await));
        let seen = look!(place, |tx| pages::item(tx, SITE, Id(602)).await).expect("the item");
        assert_eq!((seen.owner.as_deref(), seen.escalation.claimed_at, seen.escalation.version), (Some("June Abara"), Some(later(5).0), version + 1));
    }
);

case!(
    /// An item's pane: the words in full, what happened, and whether the crisis reply went out.
    the_pane_of_an_item, |place| {
        morning(place).await;
        let happened = look!(place, |tx| pages::happened(tx, Id(601)).await);
        let rows: Vec<_> = happened.iter().map(|h| (h.kind.as_str(), h.who.as_deref(), h.body.as_deref())).collect();
        assert_eq!(rows, [("opened", None, Some("me falta el aire")), ("told", Some("June Abara"), None)]);
        let of_rosa = look!(place, |tx| pages::crisis_messages(tx, Some(ROSA), Some(Id(501)), NOW).await);
        assert_eq!(of_rosa, [(Some(501), "accepted".to_owned(), String::new())]);
        let unknown = look!(place, |tx| pages::crisis_messages(tx, None, Some(Id(502)), NOW).await);
        assert_eq!(unknown, [(Some(502), "queued".to_owned(), String::new())]);
        assert!(look!(place, |tx| pages::crisis_messages(tx, Some(ROSA), None, later(1)).await).is_empty());

        let before = look!(place, |tx| pages::mark(tx, ROSA).await);
        assert_eq!(before, look!(place, |tx| pages::mark(tx, ROSA).await));
        save!(place, |tx| messages::advance(
            tx,
            Id(801),
            porchlight::model::MessageState::Accepted,
            porchlight::model::MessageState::Delivered,
            "",
            NOW
        )
        .await);
        assert_ne!(before, look!(place, |tx| pages::mark(tx, ROSA).await), "a receipt changes the page");
        let read = |staff, action: &'static str, since| async move {
            look!(place, |tx| pages::read_since(tx, staff, ROSA, action, since).await)
        };
        assert!(read(JUNE, "read patient", NOW).await);
        assert!(
            !read(JUNE, "read patient", later(2)).await
                && !read(DANA, "read patient", NOW).await
                && !read(JUNE, "claim", NOW).await
        );
        let item = Id(603).to_string();
        let entry = Entry { staff: Some(JUNE), patient: None, action: "read item", subject: item.clone() };
        save!(place, |tx| audit::add(tx, 0, &entry, later(1)).await);
        assert!(look!(place, |tx| pages::read_of_nobody_since(tx, JUNE, &item, "read item", NOW).await));
        assert!(!look!(place, |tx| pages::read_of_nobody_since(tx, JUNE, "another", "read item", NOW).await));
        assert!(!look!(place, |tx| pages::read_of_nobody_since(tx, DANA, &item, "read item", NOW).await));
        assert!(!look!(place, |tx| pages::read_of_nobody_since(tx, JUNE, &item, "read item", later(2)).await));
    }
);

case!(
    /// The patient's page: everything of theirs, newest first, and what comes next.
    the_page_of_a_patient, |place| {
        morning(place).await;
        let written = look!(place, |tx| patient::written(tx, ROSA, NOW).await);
        assert_eq!(written.iter().map(|w| (w.id, w.body.as_str())).collect::<Vec<_>>(), [(501, "me falta el aire")]);
        let sent = look!(place, |tx| patient::messages(tx, ROSA, NOW).await);
        assert_eq!(sent.iter().map(|m| m.id).collect::<Vec<_>>(), [804, 803, 802, 801]);
        assert_eq!(
            (sent[0].staff.as_deref(), sent[0].body.as_str(), sent[0].channel.as_deref()),
            (Some("June Abara"), "Llámeme", None)
        );
        assert_eq!(
            (sent[3].state.as_str(), sent[3].channel.as_deref(), sent[3].body_lang.as_str()),
            ("accepted", Some("sms"), "es")
        );
        let held = look!(place, |tx| patient::decisions(tx, ROSA, NOW).await);
        assert_eq!(
            held.iter().map(|d| (d.id, d.outcome.as_str(), d.reason.as_str(), d.class.as_deref())).collect::<Vec<_>>(),
            [(901, "hold", "quiet_hours", Some("staff"))]
        );
        let events = look!(place, |tx| patient::events(tx, ROSA, NOW).await);
        assert_eq!(
            events.iter().map(|e| (e.kind.as_str(), e.severity.as_str())).collect::<Vec<_>>(),
            [("told", "emergency"), ("opened", "emergency")]
        );
        assert_eq!(
            look!(place, |tx| patient::notes(tx, ROSA, NOW).await),
            [(1, later(4).0, "June Abara".to_owned(), "called".to_owned())]
        );
        let enrolled = look!(place, |tx| patient::enrolments(tx, ROSA).await);
        assert_eq!(
            enrolled.iter().map(|e| (e.id, e.title.as_str(), e.state.as_str(), e.ended_at)).collect::<Vec<_>>(),
            [(61, "Daily weight", "active", None)]
        );
        let next = look!(place, |tx| patient::next(tx, ROSA).await);
        assert_eq!(
            next,
            [(later(30).0, "step".to_owned(), "ask/5".to_owned(), 61), (later(600).0, "hold".to_owned(), String::new(), 804)]
        );
        assert_eq!(look!(place, |tx| patient::consents(tx, ROSA).await), [(NOW.0, "given".to_owned(), "desk".to_owned())]);
        assert!(look!(place, |tx| patient::messages(tx, KAMAL, NOW).await).is_empty());
    }
);

case!(
    /// The panel: who needs somebody first, then by name page by page; found by part of a name or the end of a number.
    the_panel_finds_patients, |place| {
        morning(place).await;
        save!(place, |tx| escalations::resolve(tx, Id(602), DANA, Outcome::Answered, later(3)).await);
        let all = Search::default();
        assert_eq!(
            look!(place, |tx| lists::pressing(tx, SITE, &all, 10).await).iter().map(|p| p.name.as_str()).collect::<Vec<_>>(),
            ["Rosa Delgado"]
        );
        let others = look!(place, |tx| lists::others(tx, SITE, &all, Id(0), 10).await);
        assert_eq!(others.iter().map(|p| (p.id, p.coordinator.as_deref())).collect::<Vec<_>>(), [(22, Some("June Abara"))]);
        assert!(look!(place, |tx| lists::others(tx, SITE, &all, KAMAL, 10).await).is_empty(), "after the last there is none");
        assert_eq!(look!(place, |tx| lists::count(tx, SITE, &all).await), (2, 1));
        assert_eq!(look!(place, |tx| lists::count(tx, ELSEWHERE, &all).await), (0, 0));
        for (words, found) in
            [("rosa", (1, 1)), ("HOSS", (1, 0)), ("p-2", (1, 0)), ("0118", (1, 0)), ("%", (0, 0)), ("nobody", (0, 0))]
        {
            let search = Search { words: words.to_owned(), coordinator: None };
            assert_eq!(look!(place, |tx| lists::count(tx, SITE, &search).await), found, "{words}");
        }
        let danas = Search { words: String::new(), coordinator: Some(DANA) };
        assert_eq!(look!(place, |tx| lists::count(tx, SITE, &danas).await), (0, 0));
        assert_eq!(
            look!(place, |tx| lists::next_steps(tx, &[ROSA.0, KAMAL.0]).await),
            [(21, later(30).0, "Daily weight".to_owned())]
        );
        assert!(look!(place, |tx| lists::next_steps(tx, &[]).await).is_empty());
        let visits = look!(place, |tx| lists::visits(tx, SITE, NOW, later(91)).await);
        assert_eq!(
            visits.iter().map(|v| (v.id, v.name.as_str(), v.state.as_str())).collect::<Vec<_>>(),
            [(5, "Rosa Delgado", "booked")]
        );
        assert!(look!(place, |tx| lists::visits(tx, SITE, NOW, later(90)).await).is_empty(), "the end is not in it");
        assert!(look!(place, |tx| lists::visits(tx, ELSEWHERE, NOW, later(91)).await).is_empty());
        assert_eq!(look!(place, |tx| lists::reminders(tx, &[ROSA.0]).await), [("ask/5".to_owned(), 1, later(30).0)]);
        assert!(look!(place, |tx| lists::reminders(tx, &[]).await).is_empty());
    }
);

case!(
    /// The delivery page: how each gateway does, and which messages need a look.
    the_delivery_page, |place| {
        morning(place).await;
        let by = look!(place, |tx| lists::by_gateway(tx, SITE, Id(0)).await);
        let row = |state: &str, n| ("sms".to_owned(), state.to_owned(), n);
        assert_eq!(by, [row("accepted", 2), row("unknown", 1)]);
        assert!(look!(place, |tx| lists::by_gateway(tx, ELSEWHERE, Id(0)).await).is_empty());
        assert!(look!(place, |tx| lists::by_gateway(tx, SITE, Id(900)).await).is_empty());
        let rows = look!(place, |tx| lists::troubles(tx, SITE, since(NOW, later(1), later(4))).await);
        let seen: Vec<_> = rows.iter().map(|t| (t.id, t.state.as_str(), t.until)).collect();
        assert_eq!(seen, [(802, "unknown", None), (805, "queued", None), (804, "held", Some(later(600).0))]);
        let recent = look!(place, |tx| lists::troubles(tx, SITE, since(later(1), NOW.minus(Duration::from_mins(1)), NOW)).await);
        assert!(recent.is_empty(), "what has only just begun is no trouble: {recent:?}");
        assert!(look!(place, |tx| lists::troubles(tx, ELSEWHERE, since(NOW, later(1), later(4))).await).is_empty());
    }
);

case!(
    /// What the demo's phones and page show.
    the_demo_reads_the_same, |place| {
        morning(place).await;
        let arrived = look!(place, |tx| demo::arrived(tx, NOW).await);
        assert_eq!(
            arrived.iter().map(|a| (a.id, a.address.as_str(), a.lang.as_str())).collect::<Vec<_>>(),
            [(803, "+17185550117", "es")],
            "only what asks for an answer"
        );
        let lines = look!(place, |tx| demo::lines(tx, ROSA, "hash-rosa").await);
        assert_eq!(
            lines.iter().map(|l| (l.mine, l.body.as_str())).collect::<Vec<_>>(),
            [(1, "me falta el aire"), (1, "??"), (0, "¿Cuánto pesó hoy?"), (0, "¿Cuánto pesó hoy?")]
        );
        let phones = look!(place, |tx| demo::phones(tx).await);
        assert_eq!(
            phones.iter().map(|p| (p.0, p.1.as_str(), p.3.as_str())).collect::<Vec<_>>(),
            [(21, "Rosa Delgado", "+17185550117"), (22, "Kamal Hossain", "+17185550118")]
        );
        assert_eq!(look!(place, |tx| demo::wrote(tx).await), [(21, NOW.0)]);
        assert_eq!(look!(place, |tx| demo::next(tx).await), [(21, later(30).0)]);
        assert_eq!(look!(place, |tx| demo::tally(tx, NOW).await), [2, 2, 1, 0, 4]);
        let happened = look!(place, |tx| demo::happened(tx).await);
        let mut seen: Vec<_> = happened.iter().map(|h| (h.kind.as_str(), h.name.as_str(), h.detail.as_str())).collect();
        seen.sort_unstable();
        assert_eq!(seen, [("hold", "Rosa Delgado", "quiet_hours"), ("opened", "Rosa Delgado", "emergency")]);
    }
);
