//! Invented patients in large numbers, and what a benchmark reads back.

use futures_util::FutureExt;
use porchlight::model::Id;
use porchlight::store::seed::{self, Invented, Shared};
use porchlight::store::{enrolments, facts, threads};

use crate::place::{NOW, SITE, clinic, site};
use crate::{case, look, refused, save};

fn invented(n: i64) -> Invented {
    Invented {
        patient: Id(n),
        person: Id(n + 1_000),
        contact: Id(n + 2_000),
        thread: Id(n + 3_000),
        consent: Id(n + 4_000),
        enrolment: Id(n + 5_000),
        address: format!("+1201{n:07}"),
        hash: format!("hash-{n}"),
        lang: "ht",
    }
}

const SHARED: Shared<'static> =
    Shared { site: SITE, zone: "America/New_York", protocol: ("weights", "hash-1"), settings: "{}", at: NOW };

case!(
    /// They can be written to like anybody else, all or none of them, and only their own database holds them.
    invented_patients_are_complete, |place| {
        save!(place, |tx| porchlight::store::sites::put(tx, &site("Lantern Hill"), NOW).await);
        assert!(!look!(place, |tx| seed::is_peopled(tx).await));
        save!(place, |tx| enrolments::put_protocol(tx, "hash-1", "weights", 1, "Daily weight", "id = \"weights\"", NOW).await);
        let all: Vec<_> = (101..=103).map(invented).collect();
        save!(place, |tx| seed::people(tx, &all, &SHARED).await);
        assert!(look!(place, |tx| seed::is_peopled(tx).await));

        let known = look!(place, |tx| facts::load(tx, &[103, 101], &[]).await);
        assert_eq!(known.patients.iter().map(|p| (p.id, p.lang.as_str())).collect::<Vec<_>>(), [(101, "ht"), (103, "ht")]);
        assert_eq!(known.patient(103).map(|p| (p.called.as_str(), p.discreet)), Some(("Friend", false)));
        assert!(known.patient(102).is_none());
        let contact = &known.contacts_of(101)[0];
        assert_eq!((contact.thread_id, contact.contact_id, contact.address.as_str()), (3_101, 2_101, "+12010000101"));
        assert_eq!(known.consents_of(103).len(), 1);
        assert!(known.consents_of(102).is_empty() && known.visit(1).is_none());
        assert_eq!(look!(place, |tx| threads::of_patient(tx, Id(102)).await)[0].address_hash, "hash-102");
        let running = look!(place, |tx| enrolments::active(tx, &[5_101, 5_103, 9]).await);
        assert_eq!(running, [5_101, 5_103].into());
        assert!(look!(place, |tx| enrolments::active(tx, &[]).await).is_empty());

        let twice = [invented(104), invented(101)];
        refused!(place, |tx| seed::people(tx, &twice, &SHARED).await);
        assert!(look!(place, |tx| facts::load(tx, &[104], &[]).await).patients.is_empty(), "all or none");
    }
);

case!(
    /// What a benchmark tells is what stands in the database.
    a_benchmark_counts_what_is_there, |place| {
        clinic(place).await;
        let version = look!(place, |tx| seed::version(tx).await);
        let (name, number) = version.split_once(' ').expect("a name and a number");
        assert_eq!(name, if place.is_postgres() { "PostgreSQL" } else { "SQLite" });
        assert!(number.starts_with(|c: char| c.is_ascii_digit()), "{version}");
        assert_eq!(look!(place, |tx| seed::progress(tx).await), (0, 0));
        save!(place, |tx| {
            let one = crate::outbox::message(1, porchlight::model::Class::Reminder);
            porchlight::store::messages::plan(tx, &[one]).await?;
            porchlight::store::inbox::store(tx, &[crate::inbox_cases::wrote(7, "m-1", "82")]).await
        });
        assert_eq!(look!(place, |tx| seed::progress(tx).await), (1, 1));
        let counts = look!(place, |tx| seed::counts(tx).await);
        assert!(counts.contains(&("queued".to_owned(), 1)) && counts.contains(&("attempts".to_owned(), 0)), "{counts:?}");
    }
);
