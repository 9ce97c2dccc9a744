//! A database of a case, with the smallest clinic in it.

use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::FutureExt;
use porchlight::clock::Time;
use porchlight::model::{Address, Channel, ContentClass, Id, Lang, Role};
use porchlight::store::patients::{NewContact, NewPatient};
use porchlight::store::sites::Site;
use porchlight::store::staff::NewStaff;
use porchlight::store::{Db, Location, StoreError, Tx, create_database, enrolments, patients, sites, staff, threads};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::save;

/// A moment in autumn 2026.
pub const NOW: Time = Time(1_794_000_000_000);
pub const SITE: Id = Id(1);
pub const JUNE: Id = Id(11);
pub const DANA: Id = Id(12);
pub const ROSA: Id = Id(21);
pub const KAMAL: Id = Id(22);
pub const ROSA_PERSON: Id = Id(31);
pub const KAMAL_PERSON: Id = Id(32);
pub const ROSA_PHONE: Id = Id(41);
pub const KAMAL_PHONE: Id = Id(42);
pub const ROSA_THREAD: Id = Id(51);
pub const KAMAL_THREAD: Id = Id(52);
pub const ENROLMENT: Id = Id(61);

/// Some minutes after [`NOW`].
pub const fn later(minutes: i64) -> Time {
    Time(NOW.0 + minutes * 60_000)
}

/// An open database with its writer at work.
pub struct Place {
    pub db: Db,
    pub location: Location,
    writer: JoinSet<()>,
    folder: Option<TempDir>,
}

impl Place {
    pub async fn sqlite() -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        let location = Location::Sqlite(folder.path().join("case.db"));
        Place { folder: Some(folder), ..Place::at(location).await }
    }

    pub async fn postgres() -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let server = std::env::var("PORCHLIGHT_TEST_POSTGRES").expect("a private server is missing: run tests/run");
        let name = format!("case_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        create_database(&server, &name).await.expect("a fresh database");
        let (head, _) = server.rsplit_once('/').expect("a URL with a database");
        Place::at(Location::Postgres(format!("{head}/{name}"))).await
    }

    /// A second process on the same database.
    pub async fn beside(&self) -> Place {
        Place::at(self.location.clone()).await
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self.location, Location::Postgres(_))
    }

    async fn at(location: Location) -> Place {
        let (db, run) = Db::open(&location).await.expect("the database opens");
        let mut writer = JoinSet::new();
        writer.spawn(run);
        Place { db, location, writer, folder: None }
    }

    /// The last handle goes, the writer ends by itself, the connections close.
    pub async fn end(mut self) {
        let pools = self.db.last();
        while let Some(ended) = self.writer.join_next().await {
            ended.expect("the writer ends in peace");
        }
        pools.close().await;
        drop(self.folder);
    }
}

/// Waits for what comes at once; who waits for a lock fails instead.
pub async fn soon<T>(awaited: impl Future<Output = T>) -> T {
    let patience = std::time::Duration::from_secs(20);
    tokio::time::timeout(patience, awaited).await.expect("it waits for a lock of somebody else")
}

/// A statement as it is written: for what no store function offers.
pub async fn raw(tx: &mut Tx, sql: &'static str) -> Result<u64, StoreError> {
    Ok(match tx {
        Tx::Sqlite(t) => sqlx::query(sql).execute(&mut **t).await?.rows_affected(),
        Tx::Postgres(t) => sqlx::query(sql).execute(&mut **t).await?.rows_affected(),
    })
}

/// The texts that a query finds.
pub async fn texts(tx: &mut Tx, sql: &'static str) -> Result<Vec<String>, StoreError> {
    Ok(match tx {
        Tx::Sqlite(t) => sqlx::query_scalar(sql).fetch_all(&mut **t).await?,
        Tx::Postgres(t) => sqlx::query_scalar(sql).fetch_all(&mut **t).await?,
    })
}

pub fn site(name: &str) -> Site {
    Site {
        id: SITE.0,
        name: name.to_owned(),
        sender: "Lantern Hill".into(),
        phone: "(718) 555-0100".into(),
        zone: "America/New_York".into(),
        jurisdiction: "US-NY".into(),
        hours: "mon-fri 09:00-17:00".into(),
        emergency_number: "911".into(),
        lifeline_number: "988".into(),
    }
}

pub fn patient(external_id: &str, name: &str) -> NewPatient {
    NewPatient {
        external_id: external_id.to_owned(),
        name: name.to_owned(),
        called: name.split_whitespace().next().unwrap_or(name).to_owned(),
        birth_date: "1959-05-12".into(),
        lang: Lang::Es,
        zone: "America/New_York".into(),
        coordinator: Some(JUNE),
        backup: Some(DANA),
        window: None,
        discreet: false,
        safe_note: String::new(),
        tags: String::new(),
    }
}

pub fn phone(id: Id, person: Id, number: &str, hash: &str) -> NewContact {
    NewContact {
        id,
        person,
        channel: Channel::Sms,
        address: Address::new(number),
        hash: hash.to_owned(),
        class: ContentClass::Care,
        terms: String::new(),
    }
}

fn colleague(id: i64, email: &str, name: &str) -> NewStaff {
    NewStaff {
        id: Id(id),
        person: Id(id + 900),
        site: SITE,
        email: email.to_owned(),
        name: name.to_owned(),
        role: Role::Coordinator,
        password_hash: "$argon2id$none".into(),
    }
}

/// A site, June and Dana who work there, Rosa and Kamal with a phone each, and Rosa's weights.
pub async fn clinic(place: &Place) {
    save!(place, |tx| {
        sites::put(tx, &site("Lantern Hill Clinic"), NOW).await?;
        assert!(staff::add(tx, &colleague(JUNE.0, "june@clinic.example", "June Abara"), NOW).await?);
        assert!(staff::add(tx, &colleague(DANA.0, "dana@clinic.example", "Dana Ortiz"), NOW).await?);
        patients::add(tx, SITE, (ROSA, ROSA_PERSON), &patient("P-1", "Rosa Delgado"), NOW).await?;
        patients::add(tx, SITE, (KAMAL, KAMAL_PERSON), &patient("P-2", "Kamal Hossain"), NOW).await?;
        patients::put_contact(tx, SITE, &phone(ROSA_PHONE, ROSA_PERSON, "+17185550117", "hash-rosa"), NOW).await?;
        patients::put_contact(tx, SITE, &phone(KAMAL_PHONE, KAMAL_PERSON, "+17185550118", "hash-kamal"), NOW).await?;
        threads::ensure(tx, ROSA_THREAD, SITE, Channel::Sms, "hash-rosa", (ROSA_PERSON, ROSA, ROSA_PHONE), NOW).await?;
        threads::ensure(tx, KAMAL_THREAD, SITE, Channel::Sms, "hash-kamal", (KAMAL_PERSON, KAMAL, KAMAL_PHONE), NOW).await?;
        enrolments::put_protocol(tx, "hash-1", "weights", 1, "Daily weight", "id = \"weights\"", NOW).await?;
        enrolments::enrol(tx, ENROLMENT, (SITE, ROSA), ("weights", "hash-1"), "{}", NOW).await
    });
}
