//! What is kept about a patient: consents, visits, readings, decisions, the audit; and the site's own settings.

use futures_util::FutureExt;
use porchlight::model::{Channel, Class, ContentClass, Id, Reason, Severity};
use porchlight::store::audit::{self, Entry};
use porchlight::store::consents::{self, ConsentEvent};
use porchlight::store::decisions::{self, NewDecision};
use porchlight::store::patients::NewContact;
use porchlight::store::readings::{self, NewReading};
use porchlight::store::{StoreError, appointments, enrolments, escalations, facts, inbox, messages, patients, sites, threads};

use crate::inbox_cases::{done, wrote};
use crate::items::item;
use crate::outbox::message;
use crate::place::{JUNE, KAMAL, NOW, ROSA, ROSA_PERSON, ROSA_PHONE, ROSA_THREAD, SITE, clinic, later, phone, raw, site, texts};
use crate::{case, look, refused, save};

pub fn consent(id: i64, given: bool, minute: i64) -> ConsentEvent {
    ConsentEvent {
        id: Id(id),
        site: SITE,
        patient: ROSA,
        contact: None,
        given,
        class: ContentClass::Care,
        method: "desk".into(),
        lang: "es".into(),
        wording: "consent-1".into(),
        staff: Some(JUNE),
        inbox: None,
        at: later(minute),
    }
}

pub fn decision(id: i64, outcome: &'static str, reason: Reason, message: Option<Id>) -> NewDecision {
    NewDecision {
        id: Id(id),
        site: SITE,
        patient: Some(ROSA),
        message,
        occurrence: String::new(),
        at: NOW,
        outcome,
        reason,
        until: Some(later(60)),
        facts: "f".into(),
    }
}

pub fn reading(id: i64, value: Option<f64>, minute: i64) -> NewReading {
    NewReading {
        id: Id(id),
        site: SITE,
        patient: ROSA,
        kind: "weight".into(),
        value,
        unit: "kg".into(),
        words: String::new(),
        inbox: None,
        corrects: None,
        at: later(minute),
    }
}

case!(
    /// All that is decided from is read at once: consents in the order of entry whatever the clock showed, the open emergency, the visit, when the patient last wrote; and nothing of other patients.
    the_facts_of_a_patient, |place| {
        clinic(place).await;
        save!(place, |tx| {
            consents::add(tx, &consent(3, true, 10)).await?;
            consents::add(tx, &ConsentEvent { contact: Some(ROSA_PHONE), ..consent(1, false, 20) }).await?;
            consents::add(tx, &ConsentEvent { patient: KAMAL, ..consent(2, true, 5) }).await?;
            // The clock was put right meanwhile.
            consents::add(tx, &consent(4, true, 19)).await?;
            escalations::open(tx, &item(1, Some(ROSA), Severity::Emergency)).await?;
            escalations::open(tx, &item(2, Some(KAMAL), Severity::Urgent)).await?;
            appointments::put(tx, Id(5), (SITE, ROSA), "V-1", later(90), "America/New_York", NOW).await?;
            inbox::store(tx, &[wrote(1, "m-1", "82"), inbox::Arrived { at: later(7), ..wrote(2, "m-2", "83") }]).await?;
            inbox::finish(tx, &[done(1), done(2)], later(8)).await?;
            threads::ask(tx, &[(ROSA_THREAD, "q".into(), later(60))]).await
        });
        let facts = look!(place, |tx| facts::load(tx, &[ROSA.0], &[5]).await);
        let rosa = &facts.patients[0];
        assert_eq!(
            (facts.patients.len(), rosa.id, rosa.site_id, rosa.called.as_str(), rosa.lang.as_str()),
            (1, 21, 1, "Rosa", "es")
        );
        assert_eq!(
            (rosa.sender.as_str(), rosa.phone.as_str(), rosa.emergency_number.as_str()),
            ("Lantern Hill", "(718) 555-0100", "911")
        );
        assert_eq!(
            (rosa.lifeline_number.as_str(), rosa.hours.as_str(), rosa.site_zone.as_str()),
            ("988", "mon-fri 09:00-17:00", "America/New_York")
        );
        assert_eq!(
            (rosa.zone.as_str(), rosa.coordinator_id, rosa.deceased_at, rosa.discreet),
            ("America/New_York", Some(11), None, false)
        );
        assert_eq!((rosa.window_start, rosa.window_end), (None, None));
        let contact = &facts.contacts[0];
        assert_eq!((facts.contacts.len(), contact.patient_id, contact.thread_id, contact.contact_id), (1, 21, 51, 41));
        assert_eq!(
            (contact.channel.as_str(), contact.address.as_str(), contact.class.as_str(), contact.state.as_str()),
            ("sms", "+17185550117", "care", "active")
        );
        assert_eq!((contact.question.as_str(), contact.question_due), ("q", Some(later(60).0)));
        let ledger: Vec<_> = facts.consents.iter().map(|c| (c.patient_id, c.contact_id, c.action.as_str(), c.at)).collect();
        assert_eq!(
            ledger,
            [(21, None, "given", later(10).0), (21, Some(41), "withdrawn", later(20).0), (21, None, "given", later(20).0 + 1)]
        );
        assert_eq!(facts.emergencies, [21]);
        assert_eq!(
            facts.visits.iter().map(|v| (v.id, v.state.as_str(), v.version, v.starts_at)).collect::<Vec<_>>(),
            [(5, "booked", 1, later(90).0)]
        );
        assert_eq!(facts.last_written, [(21, later(7).0)]);
        assert_eq!(facts.heard_on(ROSA_THREAD.0), None, "her thread is one of SMS");
        let whatsapp = NewContact { channel: Channel::WhatsApp, ..phone(Id(45), ROSA_PERSON, "+17185550117", "hash-rosa-whatsapp") };
        save!(place, |tx| {
            let contact = patients::put_contact(tx, SITE, &whatsapp, NOW).await?;
            threads::ensure(tx, Id(55), SITE, Channel::WhatsApp, &whatsapp.hash, (ROSA_PERSON, ROSA, contact), NOW).await?;
            let hola = |id, minute| inbox::Arrived { channel: Channel::WhatsApp, at: later(minute), ..wrote(id, &format!("m-{id}"), "hola") };
            inbox::store(tx, &[hola(3, 8), hola(4, 9)]).await?;
            inbox::finish(tx, &[3, 4].map(|id| inbox::Done { thread: Some(55), ..done(id) }), later(9)).await
        });
        let facts = look!(place, |tx| facts::load(tx, &[ROSA.0, KAMAL.0], &[]).await);
        assert_eq!((facts.heard_on(55), facts.heard_on(ROSA_THREAD.0)), (Some(later(9).0), None));
        assert_eq!(facts.last_written, [(21, later(9).0)]);

        let both = look!(place, |tx| facts::load(tx, &[ROSA.0, KAMAL.0], &[]).await);
        assert_eq!((both.patients.len(), both.contacts.len(), both.consents.len(), both.visits.len()), (2, 3, 4, 0));
        assert_eq!(both.emergencies, [21]);
        let none = look!(place, |tx| facts::load(tx, &[], &[]).await);
        assert!(none.patients.is_empty() && none.consents.is_empty());

        let stopped = |contact| async move { look!(place, |tx| consents::withdrawn(tx, ROSA, contact).await) };
        assert_eq!((stopped(None).await, stopped(Some(ROSA_PHONE)).await), (false, false), "it was given after that");
        save!(place, |tx| consents::add(tx, &ConsentEvent { contact: Some(ROSA_PHONE), ..consent(5, false, 40) }).await);
        assert_eq!((stopped(None).await, stopped(Some(ROSA_PHONE)).await), (false, true), "for this phone alone");
    }
);

case!(
    /// A moved visit has a new version, so that older reminders are void; the same data again changes nothing; an id that
    /// another patient has is refused.
    a_visit_moves_with_a_new_version, |place| {
        clinic(place).await;
        let zone = "America/New_York";
        assert_eq!(
            save!(place, |tx| appointments::put(tx, Id(5), (SITE, ROSA), "V-1", later(90), zone, NOW).await),
            (Id(5), 1, true)
        );
        save!(place, |tx| appointments::answer(tx, Id(5), "confirmed", "sí", later(1)).await);
        assert_eq!(
            save!(place, |tx| appointments::put(tx, Id(6), (SITE, ROSA), "V-1", later(90), zone, NOW).await),
            (Id(5), 1, false)
        );
        let seen = look!(place, |tx| appointments::get(tx, &[5, 6]).await);
        assert_eq!(
            seen.iter().map(|v| (v.id, v.state.as_str(), v.why.as_str(), v.version)).collect::<Vec<_>>(),
            [(5, "confirmed", "sí", 1)]
        );

        assert_eq!(
            save!(place, |tx| appointments::put(tx, Id(7), (SITE, ROSA), "V-1", later(200), zone, later(2)).await),
            (Id(5), 2, true)
        );
        let seen = look!(place, |tx| appointments::get(tx, &[5]).await).remove(0);
        assert_eq!(
            (seen.state.as_str(), seen.starts_at, seen.version, seen.zone.as_str()),
            ("booked", later(200).0, 2, zone),
            "a new time is not confirmed"
        );
        save!(place, |tx| appointments::answer(tx, Id(5), "cant_come", "", later(3)).await);
        let seen = look!(place, |tx| appointments::get(tx, &[5]).await).remove(0);
        assert_eq!((seen.state.as_str(), seen.why.as_str()), ("cant_come", "sí"), "no words leave the old ones");

        let wrong = refused!(place, |tx| appointments::put(tx, Id(8), (SITE, KAMAL), "V-1", later(90), zone, NOW).await);
        assert!(matches!(&wrong, StoreError::Refused(why) if why.contains("V-1")), "{wrong}");
        let seen = look!(place, |tx| appointments::get(tx, &[5]).await).remove(0);
        assert_eq!((seen.patient_id, seen.starts_at, seen.version), (ROSA.0, later(200).0, 2));

        save!(place, |tx| appointments::put(tx, Id(9), (SITE, KAMAL), "V-2", later(100), zone, NOW).await);
        save!(place, |tx| appointments::put(tx, Id(10), (SITE, ROSA), "V-3", later(10), zone, NOW).await);
        let coming = look!(place, |tx| appointments::of_patients(tx, &[ROSA.0, KAMAL.0], later(50)).await);
        assert_eq!(coming.iter().map(|v| (v.id, v.external_id.as_str())).collect::<Vec<_>>(), [(9, "V-2"), (5, "V-1")]);
        assert!(look!(place, |tx| appointments::of_patients(tx, &[], NOW).await).is_empty());
        assert!(look!(place, |tx| appointments::get(tx, &[]).await).is_empty());
    }
);

case!(
    /// Numbers keep every digit, words every letter; a correction stands beside what it corrects.
    readings_goals_and_notes, |place| {
        clinic(place).await;
        save!(place, |tx| {
            let two = [NewReading { corrects: Some(Id(1)), ..reading(2, Some(82.45), 20) }, reading(1, Some(182.1), 10)];
            readings::add(tx, &two).await?;
            readings::add(tx, &[]).await?;
            readings::add(tx, &[NewReading { kind: "wellbeing".into(), words: "más o menos 😕".into(), ..reading(3, None, 15) }])
                .await?;
            readings::add(tx, &[NewReading { patient: KAMAL, ..reading(4, Some(70.0), 15) }]).await?;
            readings::add_goal(tx, Id(1), (SITE, ROSA), "bailar en la boda", "dance at the wedding", NOW).await?;
            readings::add_goal(tx, Id(2), (SITE, KAMAL), "হাঁটা", "", NOW).await?;
            readings::add_note(tx, Id(1), SITE, (Some(ROSA), None), JUNE, "called, no answer", NOW).await
        });
        let seen = look!(place, |tx| readings::since(tx, &[ROSA.0], later(10)).await);
        let rows: Vec<_> = seen.iter().map(|r| (r.id, r.value, r.corrects, r.words.as_str())).collect();
        assert_eq!(rows, [(1, Some(182.1), None, ""), (3, None, None, "más o menos 😕"), (2, Some(82.45), Some(1), "")]);
        assert_eq!(
            (seen[0].patient_id, seen[0].kind.as_str(), seen[0].unit.as_str(), seen[0].at),
            (21, "weight", "kg", later(10).0)
        );
        assert_eq!(look!(place, |tx| readings::since(tx, &[ROSA.0, KAMAL.0], later(15)).await).len(), 3);
        assert!(look!(place, |tx| readings::since(tx, &[], NOW).await).is_empty());
        assert_eq!(
            look!(place, |tx| readings::goals(tx, ROSA).await),
            [("bailar en la boda".to_owned(), "dance at the wedding".to_owned(), NOW.0)]
        );
        assert_eq!(
            look!(place, |tx| texts(tx, "SELECT text FROM note WHERE patient_id = 21 AND staff_id = 11").await),
            ["called, no answer"]
        );
    }
);

case!(
    /// Every decision is kept in its order, also about what became no message.
    decisions_are_kept_in_order, |place| {
        clinic(place).await;
        let without = NewDecision {
            occurrence: "61:ask:start:2026-11-06".into(),
            until: None,
            ..decision(2, "skip", Reason::LateSkip, None)
        };
        let others = NewDecision { patient: Some(KAMAL), ..decision(3, "skip", Reason::Revoked, None) };
        save!(place, |tx| messages::plan(tx, &[message(1, Class::Question)]).await);
        save!(place, |tx| decisions::add(
            tx,
            &[
                decision(4, "send", Reason::Allowed, Some(Id(1))),
                without,
                others,
                decision(1, "hold", Reason::QuietHours, Some(Id(1)))
            ]
        )
        .await);
        save!(place, |tx| decisions::add(tx, &[]).await);
        let seen = look!(place, |tx| decisions::of_patient(tx, ROSA).await);
        let words = |outcome: &str, reason: &str| (outcome.to_owned(), reason.to_owned());
        assert_eq!(seen, [words("hold", "quiet_hours"), words("skip", "late_skip"), words("send", "allowed")]);
        let kept =
            look!(place, |tx| texts(tx, "SELECT occurrence FROM decision WHERE id = 2 AND until IS NULL AND message_id IS NULL")
                .await);
        assert_eq!(kept, ["61:ask:start:2026-11-06"]);
    }
);

case!(
    /// The audit is a chain for each process: a changed entry and a missing one are found, in their chain only.
    a_changed_audit_is_found, |place| {
        clinic(place).await;
        let entry = |action, subject: &str| Entry { staff: Some(JUNE), patient: Some(ROSA), action, subject: subject.to_owned() };
        let entries = [
            entry("read patient", "a"),
            entry("claim", "b"),
            Entry { staff: None, patient: None, ..entry("import", "c.csv") },
            entry("resolve", "d"),
        ];
        save!(place, |tx| {
            for (minute, entry) in (0..).zip(&entries) {
                audit::add(tx, 7, entry, later(minute)).await?;
            }
            audit::add(tx, 8, &entries[0], NOW).await
        });
        assert_eq!(look!(place, |tx| audit::first_break(tx, 7).await), None);
        assert_eq!(look!(place, |tx| audit::first_break(tx, 9).await), None, "a chain without an entry is whole");

        save!(place, |tx| raw(tx, "UPDATE audit SET subject = 'somebody else' WHERE node = 7 AND seq = 3").await);
        assert_eq!(look!(place, |tx| audit::first_break(tx, 7).await), Some(3));
        save!(place, |tx| raw(tx, "UPDATE audit SET subject = 'c.csv' WHERE node = 7 AND seq = 3").await);
        assert_eq!(look!(place, |tx| audit::first_break(tx, 7).await), None, "put back as it was");
        save!(place, |tx| raw(tx, "UPDATE audit SET staff_id = 12 WHERE node = 7 AND seq = 1").await);
        assert_eq!(look!(place, |tx| audit::first_break(tx, 7).await), Some(1));
        save!(place, |tx| raw(tx, "UPDATE audit SET staff_id = 11 WHERE node = 7 AND seq = 1").await);
        save!(place, |tx| raw(tx, "DELETE FROM audit WHERE node = 7 AND seq = 2").await);
        assert_eq!(look!(place, |tx| audit::first_break(tx, 7).await), Some(2));
        assert_eq!(look!(place, |tx| audit::first_break(tx, 8).await), None, "the other chain is whole");
    }
);

case!(
    /// The site is brought up to date and not doubled; closed days are replaced as a whole; small settings are overwritten.
    the_site_and_its_settings, |place| {
        clinic(place).await;
        save!(place, |tx| sites::put(tx, &site("Lantern Hill, renamed"), later(1)).await);
        let seen = look!(place, |tx| sites::list(tx).await);
        assert_eq!(
            seen.iter().map(|s| (s.id, s.name.as_str(), s.zone.as_str())).collect::<Vec<_>>(),
            [(1, "Lantern Hill, renamed", "America/New_York")]
        );
        assert_eq!((seen[0].jurisdiction.as_str(), seen[0].emergency_number.as_str()), ("US-NY", "911"));
        let dates = |dates: &[&str]| dates.iter().map(|d| (*d).to_owned()).collect::<Vec<_>>();
        let (old, new) = (dates(&["2026-11-26", "2026-11-26"]), dates(&["2026-12-25", "2027-01-01"]));
        save!(place, |tx| sites::close_on(tx, SITE, &old).await);
        assert_eq!(look!(place, |tx| sites::closures(tx).await), [(1, "2026-11-26".to_owned())]);
        save!(place, |tx| sites::close_on(tx, SITE, &new).await);
        let mut closed = look!(place, |tx| sites::closures(tx).await);
        closed.sort();
        assert_eq!(closed, [(1, "2026-12-25".to_owned()), (1, "2027-01-01".to_owned())]);
        assert_eq!(look!(place, |tx| sites::get(tx, "speed").await), None);
        save!(place, |tx| sites::set(tx, "speed", "60").await);
        save!(place, |tx| sites::set(tx, "speed", "1").await);
        assert_eq!(look!(place, |tx| sites::get(tx, "speed").await), Some("1".to_owned()));
    }
);

case!(
    /// Rows that belong to nobody are refused: the database itself keeps patients and their things together.
    nothing_belongs_to_nobody, |place| {
        clinic(place).await;
        let orphan = NewReading { patient: Id(99), ..reading(1, Some(80.0), 0) };
        let refused = [
            refused!(place, |tx| readings::add(tx, &[orphan]).await),
            refused!(place, |tx| escalations::open(tx, &item(1, Some(Id(99)), Severity::Urgent)).await),
            refused!(place, |tx| consents::add(tx, &ConsentEvent { patient: Id(99), ..consent(1, true, 0) }).await),
            refused!(place, |tx| enrolments::enrol(tx, Id(70), (SITE, KAMAL), ("x", "no such hash"), "{}", NOW)
                .await
                .map(|_| ())),
            refused!(place, |tx| patients::add(tx, SITE, (Id(80), ROSA_PERSON), &crate::place::patient("P-9", "Twice"), NOW)
                .await),
        ];
        for why in refused {
            assert!(matches!(why, StoreError::Database(_)), "{why}");
        }
    }
);
