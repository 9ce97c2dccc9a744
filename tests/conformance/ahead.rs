//! What a clock that was ahead has left behind, and going through everything that runs.

use futures_util::FutureExt;
use porchlight::clock::Time;
use porchlight::model::{Class, Id, MessageState, Severity};
use porchlight::store::messages::{self, NewMessage};
use porchlight::store::timers::{self, Kind, NewTimer};
use porchlight::store::{ahead, consents, enrolments, escalations, facts, threads};

use crate::entries::consent;
use crate::items::item;
use crate::outbox::{message, take};
use crate::place::{ENROLMENT, KAMAL, NOW, ROSA, ROSA_THREAD, SITE, clinic, later, texts};
use crate::times::timer;
use crate::{case, look, save};

fn keyed(id: i64, key: &str, planned: Time) -> NewMessage {
    NewMessage {
        patient: Some(ROSA),
        occurrence: key.to_owned(),
        planned_at: planned,
        ready_at: planned,
        ..message(id, Class::Question)
    }
}

fn key(key: &str) -> (String, i64) {
    (key.to_owned(), ROSA.0)
}

case!(
    /// Taken over is what was recorded in a future that has not come, if nothing of it has left; what has left stays recorded.
    an_occurrence_of_a_false_future_is_taken_over, |place| {
        clinic(place).await;
        let keys = ["past", "skipped", "queued", "gone", "doubtful", "elsewhere"];
        save!(place, |tx| {
            enrolments::record(tx, &["past".to_owned()], NOW).await?;
            let future: Vec<String> = keys[1..].iter().map(|k| (*k).to_owned()).collect();
            enrolments::record(tx, &future, later(600)).await?;
            let all = [
                keyed(1, "queued", later(600)),
                keyed(2, "gone", later(600)),
                keyed(3, "doubtful", later(600)),
                keyed(4, "skipped", later(600)),
                NewMessage { patient: Some(KAMAL), ..keyed(5, "elsewhere", later(600)) },
            ];
            messages::plan(tx, &all).await?;
            let states = [(2, MessageState::Delivered), (3, MessageState::Unknown), (4, MessageState::Skipped), (5, MessageState::Sent)];
            let states: Vec<_> = states.map(|(id, state)| (Id(id), state, String::new(), later(600))).into();
            messages::settle(tx, &states, later(600)).await
        });
        assert!(save!(place, |tx| ahead::record_again(tx, &[], NOW, NOW).await).is_empty());
        let all: Vec<_> = keys.iter().map(|k| key(k)).collect();
        // What was queued for it is called off, and nothing else.
        let asked = all.clone();
        assert!(save!(place, |tx| ahead::call_off(tx, &asked, later(600), NOW).await).is_empty(), "recorded by a clock that was right");
        let asked = all.clone();
        assert_eq!(save!(place, |tx| ahead::call_off(tx, &asked, later(2), NOW).await), [(1, Some(ROSA_THREAD.0))]);
        assert!(save!(place, |tx| ahead::call_off(tx, &[], later(2), NOW).await).is_empty());
        assert_eq!(look!(place, |tx| messages::states(tx, ROSA).await), ["cancelled", "delivered", "unknown", "skipped"]);
        let why = look!(place, |tx| texts(tx, "SELECT why FROM message WHERE state = 'cancelled'").await);
        assert_eq!(why, ["clock_ahead"]);

        let asked = all.clone();
        let mut again = save!(place, |tx| ahead::record_again(tx, &asked, later(2), NOW).await);
        again.sort();
        assert_eq!(again, ["elsewhere", "queued", "skipped"], "somebody else's message stands for nothing of Rosa's");
        let asked = all.clone();
        assert!(save!(place, |tx| ahead::record_again(tx, &asked, later(2), NOW).await).is_empty(), "once");
    }
);

case!(
    /// Once the clock is right, what it recorded ahead is known as such also at its own time; what has left even then stays recorded.
    an_occurrence_of_a_false_future_is_known_as_such_for_ever, |place| {
        clinic(place).await;
        let keys = ["past", "on time", "gone"];
        save!(place, |tx| {
            enrolments::record(tx, &["past".to_owned()], NOW).await?;
            enrolments::record(tx, &["on time".to_owned(), "gone".to_owned()], later(600)).await?;
            messages::plan(tx, &[keyed(1, "on time", later(600)), keyed(2, "gone", later(600))]).await?;
            messages::settle(tx, &[(Id(2), MessageState::Delivered, String::new(), later(600))], later(600)).await
        });
        let all = keys.map(str::to_owned);
        assert!(look!(place, |tx| ahead::disowned(tx, &all).await).is_empty());
        assert_eq!(save!(place, |tx| ahead::disown(tx, later(2)).await), 2);
        assert_eq!(save!(place, |tx| ahead::disown(tx, later(2)).await), 0, "once");
        let known = look!(place, |tx| ahead::disowned(tx, &all).await);
        assert_eq!(known, ["on time".to_owned(), "gone".to_owned()].into());
        assert!(look!(place, |tx| ahead::disowned(tx, &[]).await).is_empty());
        // Its time has come.
        let asked: Vec<_> = keys.iter().map(|k| key(k)).collect();
        let called_off = asked.clone();
        assert_eq!(save!(place, |tx| ahead::call_off(tx, &called_off, later(602), later(600)).await).len(), 1);
        assert_eq!(save!(place, |tx| ahead::record_again(tx, &asked, later(602), later(600)).await), ["on time"]);
    }
);

case!(
    /// Machine time went back: what waited for a time counted from the future is ready, and a claim holds no longer than a new one.
    nothing_waits_for_a_false_future, |place| {
        clinic(place).await;
        save!(place, |tx| {
            messages::plan(tx, &[keyed(1, "a", NOW), keyed(2, "b", later(600)), keyed(3, "c", NOW)]).await?;
            take(tx, "me", NOW, later(600), (1, porchlight::model::Priority::BULK)).await
        });
        save!(place, |tx| ahead::wait_no_longer(tx, later(1), later(2)).await);
        assert_eq!(look!(place, |tx| messages::next_ready(tx).await), Some(NOW), "what was ready stays so");
        let claimed = save!(place, |tx| take(tx, "me", later(1), later(9), (9, porchlight::model::Priority::BULK)).await);
        assert_eq!(claimed.iter().map(|m| m.id).collect::<Vec<_>>(), [3, 2]);
        let lost = save!(place, |tx| messages::release_lost(tx, later(3), later(3)).await);
        assert_eq!(lost.iter().map(|m| m.id).collect::<Vec<_>>(), [1], "not after ten hours");
    }
);

case!(
    /// Starts and a stop from a false future and a stop of now: they keep their order, and the last word is the last.
    a_consent_of_a_false_future_is_dated_now, |place| {
        clinic(place).await;
        save!(place, |tx| {
            consents::add(tx, &consent(1, true, -60)).await?;
            // Made later, by a process whose ids are earlier.
            consents::add(tx, &consent(4, false, 600)).await?;
            consents::add(tx, &consent(3, true, 601)).await
        });
        let misdated = save!(place, |tx| ahead::date_consents(tx, NOW).await);
        let entry = |id, at: Time| ahead::Misdated { id, patient_id: ROSA.0, at: at.0 };
        assert_eq!(misdated, [entry(4, later(600)), entry(3, later(601))]);
        assert!(save!(place, |tx| ahead::date_consents(tx, later(1)).await).is_empty());
        save!(place, |tx| consents::add(tx, &consent(2, false, 0)).await);
        let ledger = look!(place, |tx| facts::load(tx, &[ROSA.0], &[]).await).consents;
        let ledger: Vec<_> = ledger.iter().map(|c| (c.action.as_str(), c.at - NOW.0)).collect();
        assert_eq!(ledger, [("given", later(-60).0 - NOW.0), ("withdrawn", 1), ("given", 2), ("withdrawn", 3)]);
    }
);

case!(
    /// Timers are found by what they stand for and by how late they are; what is held is due, one patient's or everybody's.
    timers_are_found_and_brought_forward, |place| {
        clinic(place).await;
        let all = [
            timer(1, Kind::Step, 61, "a", later(9)),
            timer(2, Kind::Step, 61, "b", later(3)),
            timer(3, Kind::Step, 62, "a", later(1)),
            timer(4, Kind::Hold, 61, "", later(5)),
            NewTimer { patient: Some(KAMAL), ..timer(5, Kind::Hold, 8, "", later(6)) },
            timer(6, Kind::Hold, 9, "", later(-5)),
        ];
        save!(place, |tx| timers::set(tx, &all).await);
        let ids = |found: Vec<timers::Timer>| found.iter().map(|t| t.id).collect::<Vec<_>>();
        assert_eq!(ids(look!(place, |tx| timers::of(tx, Kind::Step, &[61, 7]).await)), [2, 1]);
        assert!(look!(place, |tx| timers::of(tx, Kind::Step, &[]).await).is_empty());
        assert_eq!(ids(look!(place, |tx| timers::later_than(tx, Kind::Step, later(1)).await)), [2, 1]);
        assert_eq!(save!(place, |tx| timers::hold_no_longer(tx, Some(ROSA), NOW).await), 1);
        let holds = look!(place, |tx| timers::later_than(tx, Kind::Hold, later(-60)).await);
        assert_eq!(holds.iter().map(|t| (t.id, t.due_at)).collect::<Vec<_>>(), [(6, later(-5).0), (4, NOW.0), (5, later(6).0)]);
        assert_eq!(save!(place, |tx| timers::hold_no_longer(tx, None, NOW).await), 1);
        assert!(look!(place, |tx| timers::later_than(tx, Kind::Hold, NOW).await).is_empty());
    }
);

case!(
    /// All that run, page by page; what has ended is left out.
    enrolments_page_by_page, |place| {
        clinic(place).await;
        save!(place, |tx| {
            enrolments::enrol(tx, Id(62), (SITE, KAMAL), ("weights", "hash-1"), "{}", NOW).await?;
            enrolments::enrol(tx, Id(63), (SITE, KAMAL), ("goals", "hash-1"), "{}", NOW).await?;
            crate::place::raw(tx, "UPDATE enrolment SET state = 'ended' WHERE id = 62").await
        });
        let first = look!(place, |tx| enrolments::after(tx, 0, 1).await);
        assert_eq!(first.iter().map(|e| (e.id, e.zone.as_str())).collect::<Vec<_>>(), [(ENROLMENT.0, "America/New_York")]);
        let second = look!(place, |tx| enrolments::after(tx, ENROLMENT.0, 1).await);
        assert_eq!(second.iter().map(|e| e.id).collect::<Vec<_>>(), [63]);
        assert!(look!(place, |tx| enrolments::after(tx, 63, 1).await).is_empty());
    }
);

case!(
    /// An item is to be claimed at another time; a thread is found by its id.
    an_item_gets_another_deadline_and_threads_are_found, |place| {
        clinic(place).await;
        save!(place, |tx| escalations::open(tx, &item(1, Some(ROSA), Severity::Urgent)).await);
        save!(place, |tx| escalations::set_due(tx, Id(1), later(5)).await);
        let seen = look!(place, |tx| escalations::get(tx, Id(1)).await).expect("the item");
        assert_eq!((seen.due_at, seen.version, seen.opened_at), (later(5).0, 1, NOW.0), "pages that show it hear of it");
        let found = look!(place, |tx| threads::get(tx, &[ROSA_THREAD.0, 7]).await);
        assert_eq!(found.iter().map(|t| (t.id, t.patient_id)).collect::<Vec<_>>(), [(ROSA_THREAD.0, ROSA.0)]);
        assert!(look!(place, |tx| threads::get(tx, &[]).await).is_empty());
    }
);
