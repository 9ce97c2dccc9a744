//! Patients, their contacts, and staff with their sessions.

use std::time::Duration;

use futures_util::FutureExt;
use porchlight::model::{Channel, ContentClass, Id, Lang, Role};
use porchlight::store::patients::{self, NewContact, NewPatient};
use porchlight::store::staff::{self, NewStaff};

use crate::place::{DANA, JUNE, KAMAL_PERSON, NOW, ROSA, ROSA_PERSON, ROSA_PHONE, SITE, clinic, later, patient, phone, raw};
use crate::{case, look, save};

case!(
    /// A patient comes back as they were entered, by our id and by the clinic's; an import brings them up to date.
    a_patient_is_kept_and_brought_up_to_date, |place| {
        clinic(place).await;
        let new = NewPatient {
            birth_date: String::new(),
            lang: Lang::Yi,
            coordinator: None,
            window: Some((600, 840)),
            discreet: true,
            safe_note: "ניט רעדן מיטן שווער".into(),
            tags: "hf home".into(),
            ..patient("P-3", "רייזל")
        };
        save!(place, |tx| patients::add(tx, SITE, (Id(23), Id(33)), &new, NOW).await);
        let seen = look!(place, |tx| patients::get(tx, Id(23)).await).expect("the patient");
        assert_eq!((seen.site_id, seen.person_id, seen.external_id.as_str(), seen.name.as_str()), (1, 33, "P-3", "רייזל"));
        assert_eq!(
            (seen.coordinator_id, seen.backup_id, seen.window_start, seen.window_end),
            (None, Some(DANA.0), Some(600), Some(840))
        );
        assert_eq!((seen.discreet, seen.safe_note.as_str(), seen.tags.as_str()), (true, "ניט רעדן מיטן שווער", "hf home"));
        assert_eq!(seen.language().expect("a language"), Lang::Yi);
        assert_eq!((seen.birth_date.as_str(), seen.deceased_at, seen.safe_checked.as_str()), ("", None, ""));

        let update = NewPatient {
            lang: Lang::En,
            window: None,
            discreet: false,
            birth_date: "1950-01-02".into(),
            ..patient("P-3", "Raizel Katz")
        };
        save!(place, |tx| patients::update(tx, &seen, &update).await);
        let seen = look!(place, |tx| patients::by_external(tx, SITE, "P-3").await).expect("the patient");
        assert_eq!(
            (seen.id, seen.name.as_str(), seen.called.as_str(), seen.birth_date.as_str()),
            (23, "Raizel Katz", "Raizel", "1950-01-02")
        );
        assert_eq!(
            (seen.lang.as_str(), seen.window_start, seen.discreet, seen.coordinator_id),
            ("en", None, false, Some(JUNE.0))
        );
        assert_eq!(
            look!(place, |tx| patients::get(tx, ROSA).await).expect("the patient").name,
            "Rosa Delgado",
            "nobody else is touched"
        );
        assert!(look!(place, |tx| patients::by_external(tx, Id(2), "P-3").await).is_none(), "another site's ids are its own");
        assert!(look!(place, |tx| patients::external_ids(tx, SITE).await).contains("P-3"));
        assert!(look!(place, |tx| patients::external_ids(tx, Id(2)).await).is_empty());
        assert!(look!(place, |tx| patients::get(tx, Id(99)).await).is_none());
    }
);

case!(
    /// The same address of the same person is one contact; a dead number is closed and its person stays reachable by the other.
    a_contact_is_kept_once, |place| {
        clinic(place).await;
        let again = NewContact {
            class: ContentClass::Clinical,
            terms: "after six".into(),
            ..phone(Id(98), ROSA_PERSON, "+17185550117", "hash-rosa")
        };
        assert_eq!(save!(place, |tx| patients::put_contact(tx, SITE, &again, later(1)).await), ROSA_PHONE);
        let second = phone(Id(43), ROSA_PERSON, "+17185550120", "hash-second");
        assert_eq!(save!(place, |tx| patients::put_contact(tx, SITE, &second, later(1)).await), Id(43));
        save!(place, |tx| patients::close_contact(tx, ROSA_PHONE, "unreachable").await);
        let seen = look!(place, |tx| patients::contacts(tx, ROSA_PERSON).await);
        let rows: Vec<_> = seen
            .iter()
            .map(|c| (c.id, c.address.as_str(), c.class.as_str(), c.state.as_str(), c.closed_why.as_str(), c.terms.as_str()))
            .collect();
        assert_eq!(
            rows,
            [
                (41, "+17185550117", "clinical", "closed", "unreachable", "after six"),
                (43, "+17185550120", "care", "active", "", "")
            ]
        );
        assert_eq!(seen[0].channel, "sms");
    }
);

case!(
    /// An import gives a new number: the old one is closed, for it is soon somebody else's. The number comes back: it is open again.
    a_new_number_takes_the_place_of_the_old, |place| {
        clinic(place).await;
        let new = phone(Id(43), ROSA_PERSON, "+17185550120", "hash-new");
        save!(place, |tx| patients::put_contact(tx, SITE, &new, later(1)).await);
        assert_eq!(save!(place, |tx| patients::replace_contacts(tx, ROSA_PERSON, Channel::Sms, Id(43), "replaced by import").await), 1);
        assert_eq!(save!(place, |tx| patients::replace_contacts(tx, ROSA_PERSON, Channel::Sms, Id(43), "replaced by import").await), 0, "once");
        let states = |contacts: Vec<patients::Contact>| contacts.into_iter().map(|c| (c.id, c.state)).collect::<Vec<_>>();
        let row = |id: i64, state: &str| (id, state.to_owned());
        assert_eq!(states(look!(place, |tx| patients::contacts(tx, ROSA_PERSON).await)), [row(41, "closed"), row(43, "active")]);
        assert_eq!(states(look!(place, |tx| patients::contacts(tx, KAMAL_PERSON).await)), [row(42, "active")], "nobody else's");

        let back = phone(Id(99), ROSA_PERSON, "+17185550117", "hash-rosa");
        assert_eq!(save!(place, |tx| patients::put_contact(tx, SITE, &back, later(2)).await), ROSA_PHONE);
        let seen = look!(place, |tx| patients::contacts(tx, ROSA_PERSON).await);
        assert_eq!((seen[0].id, seen[0].state.as_str(), seen[0].closed_why.as_str()), (41, "active", ""));
    }
);

case!(
    /// An e-mail belongs to one member of staff; who was let go is found no more.
    staff_are_found_by_their_e_mail, |place| {
        clinic(place).await;
        let twin = NewStaff {
            id: Id(13),
            person: Id(913),
            site: SITE,
            email: "june@clinic.example".into(),
            name: "June Again".into(),
            role: Role::Admin,
            password_hash: "$argon2id$other".into(),
        };
        assert!(!save!(place, |tx| staff::add(tx, &twin, NOW).await));
        let june = look!(place, |tx| staff::by_email(tx, "june@clinic.example").await).expect("June");
        assert_eq!((june.id, june.site_id, june.name.as_str(), june.role.as_str()), (11, 1, "June Abara", "coordinator"));
        assert_eq!((june.email.as_str(), june.password_hash.as_str()), ("june@clinic.example", "$argon2id$none"));
        assert!(look!(place, |tx| staff::by_email(tx, "nobody@clinic.example").await).is_none());
        assert_eq!(look!(place, |tx| staff::names(tx).await), [(12, "Dana Ortiz".to_owned()), (11, "June Abara".to_owned())]);
        let mut emails = look!(place, |tx| staff::emails(tx).await);
        emails.sort();
        assert_eq!(emails, [(11, "june@clinic.example".to_owned()), (12, "dana@clinic.example".to_owned())]);

        save!(place, |tx| raw(tx, "UPDATE staff SET disabled_at = 1 WHERE id = 11").await);
        assert!(look!(place, |tx| staff::by_email(tx, "june@clinic.example").await).is_none());
        assert_eq!(look!(place, |tx| staff::emails(tx).await).len(), 1);
        assert_eq!(look!(place, |tx| staff::names(tx).await).len(), 2, "their name stays beside what they did");
    }
);

case!(
    /// A session is opened, used and closed; expired ones go when the next opens; who was let go has none.
    a_session_lasts_until_it_is_closed, |place| {
        clinic(place).await;
        save!(place, |tx| staff::open_session(tx, "t-1", JUNE, "csrf-1", NOW, later(60)).await);
        let seen = look!(place, |tx| staff::session(tx, "t-1").await).expect("the session");
        assert_eq!(
            (seen.staff_id, seen.site_id, seen.name.as_str(), seen.email.as_str()),
            (11, 1, "June Abara", "june@clinic.example")
        );
        assert_eq!(
            (seen.role.as_str(), seen.csrf.as_str(), seen.seen_at, seen.expires_at),
            ("coordinator", "csrf-1", NOW.0, later(60).0)
        );
        save!(place, |tx| staff::touch(tx, "t-1", later(5)).await);
        assert_eq!(look!(place, |tx| staff::session(tx, "t-1").await).expect("the session").seen_at, later(5).0);
        assert!(look!(place, |tx| staff::session(tx, "t-2").await).is_none());

        save!(place, |tx| staff::open_session(tx, "t-2", DANA, "csrf-2", later(61), later(90)).await);
        assert!(look!(place, |tx| staff::session(tx, "t-1").await).is_none(), "expired");
        save!(place, |tx| staff::open_session(tx, "t-3", JUNE, "csrf-3", later(62), later(90)).await);
        save!(place, |tx| staff::close_session(tx, "t-3").await);
        assert!(look!(place, |tx| staff::session(tx, "t-3").await).is_none());
        assert!(look!(place, |tx| staff::session(tx, "t-2").await).is_some(), "the other stays");
        save!(place, |tx| raw(tx, "UPDATE staff SET disabled_at = 1 WHERE id = 12").await);
        assert!(look!(place, |tx| staff::session(tx, "t-2").await).is_none());
    }
);

case!(
    /// Failed sign-ins are counted for each e-mail in a window of time, and forgotten after a good one.
    failed_sign_ins_are_counted, |place| {
        for minute in [0, 1, 20] {
            save!(place, |tx| staff::note_failure(tx, "june@clinic.example", later(minute)).await);
        }
        save!(place, |tx| staff::note_failure(tx, "dana@clinic.example", later(20)).await);
        assert_eq!(look!(place, |tx| staff::failures(tx, "june@clinic.example", NOW).await), 3);
        assert_eq!(
            look!(place, |tx| staff::failures(tx, "june@clinic.example", later(20).minus(Duration::from_mins(15))).await),
            1
        );
        assert_eq!(look!(place, |tx| staff::failures(tx, "nobody@clinic.example", NOW).await), 0);
        save!(place, |tx| staff::forget_failures(tx, "june@clinic.example", later(20)).await);
        assert_eq!(look!(place, |tx| staff::failures(tx, "june@clinic.example", NOW).await), 0);
        assert_eq!(look!(place, |tx| staff::failures(tx, "dana@clinic.example", NOW).await), 1, "nobody else's");
    }
);
