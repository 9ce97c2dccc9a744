//! Links that open once, the contact that they lead to, and who may listen.

use futures_util::FutureExt;
use porchlight::model::{Address, Channel, ContentClass, Id};
use porchlight::store::links::{self, NewLink};
use porchlight::store::patients::NewContact;
use porchlight::store::{leases, patients};

use crate::place::{JUNE, NOW, ROSA, ROSA_PERSON, ROSA_PHONE, SITE, clinic, later};
use crate::{case, look, save};

fn link(id: i64, hash: &str) -> NewLink {
    NewLink {
        id: Id(id),
        site: SITE,
        patient: ROSA,
        person: ROSA_PERSON,
        channel: Channel::Telegram,
        hash: hash.to_owned(),
        class: ContentClass::Care,
        staff: JUNE,
        expires: later(60),
    }
}

case!(
    /// The newest link opens, once and within its time; the one before it no longer does.
    a_link_opens_once, |place| {
        clinic(place).await;
        save!(place, |tx| links::make(tx, &link(1, "first"), NOW).await);
        save!(place, |tx| links::make(tx, &link(2, "second"), later(1)).await);
        let open = look!(place, |tx| links::open(tx, ROSA, Channel::Telegram, later(2)).await).expect("one is open");
        assert_eq!((open.id, open.class.as_str(), open.staff_id, open.expires_at), (2, "care", JUNE.0, later(60).0));
        assert!(look!(place, |tx| links::open(tx, ROSA, Channel::WhatsApp, later(2)).await).is_none());
        assert!(look!(place, |tx| links::open(tx, ROSA, Channel::Telegram, later(60)).await).is_none(), "its time is over");
        assert_eq!(look!(place, |tx| links::by_hash(tx, Channel::Telegram, "first").await).map(|l| l.id), Some(1), "it is known");
        assert!(look!(place, |tx| links::by_hash(tx, Channel::Telegram, "third").await).is_none());
        assert!(!save!(place, |tx| links::use_up(tx, Id(1), later(2)).await), "void");
        assert!(!save!(place, |tx| links::use_up(tx, Id(2), later(60)).await), "too late");
        assert!(save!(place, |tx| links::use_up(tx, Id(2), later(2)).await));
        assert!(!save!(place, |tx| links::use_up(tx, Id(2), later(3)).await), "used");
        assert!(look!(place, |tx| links::open(tx, ROSA, Channel::Telegram, later(3)).await).is_none());
    }
);

case!(
    /// Whoever was just there is written to there first.
    a_contact_goes_before_the_others, |place| {
        clinic(place).await;
        let new = NewContact {
            id: Id(43),
            person: ROSA_PERSON,
            channel: Channel::Telegram,
            address: Address::new("5550117"),
            hash: "hash-telegram".into(),
            class: ContentClass::Care,
            terms: String::new(),
        };
        save!(place, |tx| patients::put_contact(tx, SITE, &new, NOW).await);
        let first = |all: &[patients::Contact]| all[0].id;
        assert_eq!(first(&look!(place, |tx| patients::contacts(tx, ROSA_PERSON).await)), ROSA_PHONE.0);
        save!(place, |tx| patients::put_first(tx, ROSA_PERSON, Id(43), NOW).await);
        assert_eq!(first(&look!(place, |tx| patients::contacts(tx, ROSA_PERSON).await)), 43);
        save!(place, |tx| patients::put_first(tx, ROSA_PERSON, ROSA_PHONE, NOW).await);
        assert_eq!(first(&look!(place, |tx| patients::contacts(tx, ROSA_PERSON).await)), ROSA_PHONE.0);
    }
);

case!(
    /// One process listens; another one when it has stopped or gives it back.
    a_lease_has_one_holder, |place| {
        assert!(save!(place, |tx| leases::hold(tx, "listen:t", "one", NOW, later(1)).await));
        assert!(!save!(place, |tx| leases::hold(tx, "listen:t", "two", NOW, later(1)).await));
        assert!(save!(place, |tx| leases::hold(tx, "listen:u", "two", NOW, later(1)).await), "another matter");
        assert!(save!(place, |tx| leases::hold(tx, "listen:t", "one", later(1), later(2)).await), "kept");
        assert!(save!(place, |tx| leases::hold(tx, "listen:t", "two", later(3), later(4)).await), "the first one stood still");
        save!(place, |tx| leases::give_back(tx, "listen:t", "one").await);
        assert!(!save!(place, |tx| leases::hold(tx, "listen:t", "one", later(3), later(4)).await), "it was not theirs to give");
        save!(place, |tx| leases::give_back(tx, "listen:t", "two").await);
        assert!(save!(place, |tx| leases::hold(tx, "listen:t", "one", later(3), later(4)).await));
    }
);
