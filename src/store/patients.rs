//! Patients with their person and contacts.

use super::tx::{all, maybe, run};
use super::{StoreError, Tx, word};
use crate::clock::Time;
use crate::model::{Address, Channel, ContentClass, Id, Lang};

/// A patient with the person behind.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the tables, named there")]
pub struct Patient {
    pub id: i64,
    pub site_id: i64,
    pub person_id: i64,
    pub external_id: String,
    pub name: String,
    pub called: String,
    pub birth_date: String,
    pub coordinator_id: Option<i64>,
    pub backup_id: Option<i64>,
    pub lang: String,
    pub zone: String,
    pub tags: String,
    pub window_start: Option<i64>,
    pub window_end: Option<i64>,
    pub discreet: bool,
    pub safe_note: String,
    pub safe_checked: String,
    pub deceased_at: Option<i64>,
}

impl Patient {
    /// The stored language.
    ///
    /// # Errors
    /// When it is none that this version speaks.
    pub fn language(&self) -> Result<Lang, StoreError> {
        word(&self.lang)
    }
}

/// One row of an import or a form.
#[derive(Debug, Clone)]
pub struct NewPatient {
    /// The clinic's own id.
    pub external_id: String,
    /// The name in use, for staff.
    pub name: String,
    /// The form of address in messages.
    pub called: String,
    /// `1964-05-12`, or empty.
    pub birth_date: String,
    /// Language of messages.
    pub lang: Lang,
    /// IANA time zone.
    pub zone: String,
    /// Who looks after them.
    pub coordinator: Option<Id>,
    /// Who stands in.
    pub backup: Option<Id>,
    /// Preferred hours, in minutes of the day.
    pub window: Option<(i64, i64)>,
    /// Neutral wording always.
    pub discreet: bool,
    /// What to know before any contact.
    pub safe_note: String,
    /// Words for filters.
    pub tags: String,
}

const COLUMNS: &str =
    "SELECT t.id, t.site_id, t.person_id, t.external_id, p.name, p.called, p.birth_date, t.coordinator_id, t.backup_id, t.lang,
            t.zone, t.tags, t.window_start, t.window_end, t.discreet, t.safe_note, t.safe_checked, t.deceased_at
       FROM patient t JOIN person p ON p.id = t.person_id WHERE t.id = $1";
const BY_EXTERNAL: &str =
    "SELECT t.id, t.site_id, t.person_id, t.external_id, p.name, p.called, p.birth_date, t.coordinator_id, t.backup_id, t.lang,
            t.zone, t.tags, t.window_start, t.window_end, t.discreet, t.safe_note, t.safe_checked, t.deceased_at
       FROM patient t JOIN person p ON p.id = t.person_id WHERE t.site_id = $1 AND t.external_id = $2";

/// One patient.
///
/// # Errors
/// When the database refuses.
pub async fn get(tx: &mut Tx, id: Id) -> Result<Option<Patient>, StoreError> {
    Ok(maybe!(tx, Patient, COLUMNS, id.0)?)
}

/// The patient with the clinic's own id.
///
/// # Errors
/// When the database refuses.
pub async fn by_external(tx: &mut Tx, site: Id, external_id: &str) -> Result<Option<Patient>, StoreError> {
    Ok(maybe!(tx, Patient, BY_EXTERNAL, site.0, external_id)?)
}

/// The clinic's own ids of all patients of a site.
///
/// # Errors
/// When the database refuses.
pub async fn external_ids(tx: &mut Tx, site: Id) -> Result<std::collections::HashSet<String>, StoreError> {
    let rows = all!(tx, (String,), "SELECT external_id FROM patient WHERE site_id = $1", site.0)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Adds a patient and the person behind; `(patient, person)` are their new ids.
///
/// # Errors
/// When the database refuses.
pub async fn add(tx: &mut Tx, site: Id, ids: (Id, Id), new: &NewPatient, now: Time) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO person (id, site_id, name, called, birth_date, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        ids.1.0,
        site.0,
        &new.name,
        &new.called,
        &new.birth_date,
        now.0
    )?;
    run!(
        tx,
        "INSERT INTO patient (id, site_id, person_id, external_id, coordinator_id, backup_id, lang, zone, tags, window_start, window_end,
                discreet, safe_note, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        ids.0.0,
        site.0,
        ids.1.0,
        &new.external_id,
        new.coordinator.map(|i| i.0),
        new.backup.map(|i| i.0),
        new.lang.tag(),
        &new.zone,
        &new.tags,
        new.window.map(|w| w.0),
        new.window.map(|w| w.1),
        new.discreet,
        &new.safe_note,
        now.0
    )?;
    Ok(())
}

/// Brings a patient up to date with an import; what is not in the import stays.
///
/// # Errors
/// When the database refuses.
pub async fn update(tx: &mut Tx, patient: &Patient, new: &NewPatient) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE person SET name = $2, called = $3, birth_date = $4 WHERE id = $1",
        patient.person_id,
        &new.name,
        &new.called,
        &new.birth_date
    )?;
    run!(
        tx,
        "UPDATE patient SET coordinator_id = $2, backup_id = $3, lang = $4, zone = $5, tags = $6, window_start = $7, window_end = $8,
                discreet = $9, safe_note = $10 WHERE id = $1",
        patient.id,
        new.coordinator.map(|i| i.0),
        new.backup.map(|i| i.0),
        new.lang.tag(),
        &new.zone,
        &new.tags,
        new.window.map(|w| w.0),
        new.window.map(|w| w.1),
        new.discreet,
        &new.safe_note
    )?;
    Ok(())
}

/// A way to reach a person, to be added.
#[derive(Debug, Clone)]
pub struct NewContact {
    /// Identity, if there is none yet for this address.
    pub id: Id,
    /// Whose.
    pub person: Id,
    /// How.
    pub channel: Channel,
    /// Where to.
    pub address: Address,
    /// The keyed hash of the address.
    pub hash: String,
    /// Highest content class agreed.
    pub class: ContentClass,
    /// What is known about it.
    pub terms: String,
}

/// Closes the other addresses of a person on one channel: there is a new one, and an old number is soon somebody else's.
///
/// # Errors
/// When the database refuses.
pub async fn replace_contacts(tx: &mut Tx, person: Id, channel: Channel, kept: Id, why: &str) -> Result<u64, StoreError> {
    Ok(run!(
        tx,
        "UPDATE contact SET state = 'closed', closed_why = $4
          WHERE person_id = $1 AND channel = $2 AND id <> $3 AND state = 'active'",
        person.0,
        channel.as_str(),
        kept.0,
        why
    )?)
}

/// Puts a contact before the person's others: they were just there.
///
/// # Errors
/// When the database refuses.
pub async fn put_first(tx: &mut Tx, person: Id, contact: Id, now: Time) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE contact SET verified_at = $3, rank = (SELECT MIN(c.rank) FROM contact c WHERE c.person_id = $1) - 1 WHERE id = $2",
        person.0,
        contact.0,
        now.0
    )?;
    Ok(())
}

/// Adds a contact, or raises and reopens the one with the same address. Gives its id.
///
/// # Errors
/// When the database refuses.
pub async fn put_contact(tx: &mut Tx, site: Id, new: &NewContact, now: Time) -> Result<Id, StoreError> {
    let found = maybe!(
        tx,
        (i64,),
        "INSERT INTO contact (id, site_id, person_id, channel, address, address_hash, class, terms, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (person_id, channel, address_hash) DO UPDATE SET class = excluded.class, terms = excluded.terms,
            state = 'active', closed_why = ''
         RETURNING id",
        new.id.0,
        site.0,
        new.person.0,
        new.channel.as_str(),
        new.address.expose(),
        &new.hash,
        new.class.as_str(),
        &new.terms,
        now.0
    )?;
    found.map(|(id,)| Id(id)).ok_or(StoreError::Missing("contact"))
}

/// A contact as pages show it.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the table, named there")]
pub struct Contact {
    pub id: i64,
    pub channel: String,
    pub address: String,
    pub class: String,
    pub state: String,
    pub closed_why: String,
    pub terms: String,
}

/// A person's contacts, best first.
///
/// # Errors
/// When the database refuses.
pub async fn contacts(tx: &mut Tx, person: Id) -> Result<Vec<Contact>, StoreError> {
    Ok(all!(
        tx,
        Contact,
        "SELECT id, channel, address, class, state, closed_why, terms FROM contact WHERE person_id = $1 ORDER BY rank, id",
        person.0
    )?)
}

/// Closes a contact that cannot be reached any more. Consent is not touched.
///
/// # Errors
/// When the database refuses.
pub async fn close_contact(tx: &mut Tx, contact: Id, why: &str) -> Result<(), StoreError> {
    run!(tx, "UPDATE contact SET state = 'closed', closed_why = $2 WHERE id = $1", contact.0, why)?;
    Ok(())
}
