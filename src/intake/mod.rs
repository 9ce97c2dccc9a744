//! Bringing people in: staff, and patients with contact, consent, enrolments and visit; and who wants no more messages.
//!
//! Invariants: all records or none; the same record twice changes nothing the second time; an import
//! never restores a consent that was withdrawn.

mod csv;
mod optouts;
mod rows;
mod staff;
mod visits;

use jiff::civil::Date;

use crate::clock::Time;
use crate::kit::{Kit, SITE};
use crate::model::{Address, Channel, ContentClass, Id, Lang};
use crate::protocol::Settings;
use crate::schedule;
use crate::store::appointments::{self, Visit};
use crate::store::audit::{self, Entry};
use crate::store::consents::{self, ConsentEvent};
use crate::store::patients::{self, NewContact, NewPatient};
use crate::store::{StoreError, Tx, facts, readings, threads};
use crate::zone::Zone;

pub use csv::{COLUMNS, Context, read};
pub use optouts::{OPT_OUT_COLUMNS, OptOut, Withdrawn, read_opt_outs, withdraw};
pub use staff::{add_staff, password_hash};
pub use visits::{VISIT_COLUMNS, VisitCounts, VisitRecord, bring_in_visits, read_visits};

/// A patient as an import or a panel gives it, checked.
#[derive(Debug, Clone)]
pub struct Record {
    /// The clinic's own id.
    pub external_id: String,
    /// The name in use, for staff.
    pub name: String,
    /// The form of address in messages.
    pub called: String,
    /// Date of birth, if known.
    pub birth_date: Option<Date>,
    /// Language of messages.
    pub lang: Lang,
    /// Where the patient lives.
    pub zone: Zone,
    /// E.164.
    pub phone: Address,
    /// Highest content class agreed.
    pub class: ContentClass,
    /// When, how and in what language consent was given, if it was.
    pub consent: Option<Given>,
    /// When it was withdrawn, if it was.
    pub stopped: Option<Time>,
    /// E-mail of who looks after the patient.
    pub coordinator: Option<Id>,
    /// E-mail of who stands in.
    pub backup: Option<Id>,
    /// What to know before any contact.
    pub safe_note: String,
    /// Neutral wording always.
    pub discreet: bool,
    /// Agreed hours, in minutes of the day.
    pub window: Option<(i64, i64)>,
    /// Protocols with what the enrolment chooses.
    pub protocols: Vec<(String, Settings)>,
    /// The goal in English, if somebody wrote it.
    pub goal_gloss: String,
    /// A coming visit: the clinic's id, and when.
    pub visit: Option<(String, Time)>,
}

/// A consent on record.
#[derive(Debug, Clone)]
pub struct Given {
    /// When.
    pub at: Time,
    /// desk, web form, text, paper, import.
    pub method: String,
    /// In what language it was explained.
    pub lang: Lang,
}

/// What an import did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Patients that were not there before.
    pub added: usize,
    /// Patients that were.
    pub updated: usize,
    /// Enrolments begun.
    pub enrolled: usize,
    /// Visits booked or moved.
    pub visits: usize,
}

/// Writes records: all of them, or with the first error none.
///
/// # Errors
/// When the database refuses, or a visit's id belongs to another patient.
pub async fn bring_in(tx: &mut Tx, kit: &Kit, records: &[Record], site_zone: &Zone, now: Time) -> Result<Counts, StoreError> {
    let mut counts = Counts::default();
    for record in records {
        one(tx, kit, record, site_zone, now, &mut counts).await?;
    }
    let entry = Entry { staff: None, patient: None, action: "import patients", subject: format!("{} rows", records.len()) };
    audit::add(tx, kit.ids.node(), &entry, now).await?;
    Ok(counts)
}

async fn one(tx: &mut Tx, kit: &Kit, r: &Record, site_zone: &Zone, now: Time, counts: &mut Counts) -> Result<(), StoreError> {
    let new = NewPatient {
        external_id: r.external_id.clone(),
        name: r.name.clone(),
        called: r.called.clone(),
        birth_date: r.birth_date.map(|d| d.to_string()).unwrap_or_default(),
        lang: r.lang,
        zone: r.zone.name().to_owned(),
        coordinator: r.coordinator,
        backup: r.backup,
        window: r.window,
        discreet: r.discreet,
        safe_note: r.safe_note.clone(),
        tags: String::new(),
    };
    let (patient, person) = match patients::by_external(tx, SITE, &r.external_id).await? {
        Some(known) => {
            patients::update(tx, &known, &new).await?;
            if known.zone != new.zone {
                schedule::zone_moved(tx, kit, Id(known.id), now).await?;
            }
            counts.updated += 1;
            (Id(known.id), Id(known.person_id))
        }
        None => {
            let ids = (kit.id(), kit.id());
            patients::add(tx, SITE, ids, &new, now).await?;
            counts.added += 1;
            ids
        }
    };
    let hash = kit.hash(Channel::Sms, &r.phone);
    let contact = NewContact {
        id: kit.id(),
        person,
        channel: Channel::Sms,
        address: r.phone.clone(),
        hash: hash.clone(),
        class: r.class,
        terms: String::new(),
    };
    let contact = patients::put_contact(tx, SITE, &contact, now).await?;
    patients::replace_contacts(tx, person, Channel::Sms, contact, "replaced by import").await?;
    threads::ensure(tx, kit.id(), SITE, Channel::Sms, &hash, (person, patient, contact), now).await?;
    consent(tx, kit, patient, r).await?;
    if let Some((external_id, starts)) = &r.visit {
        let zone = site_zone.name();
        let (id, version, changed) = appointments::put(tx, kit.id(), (SITE, patient), external_id, *starts, zone, now).await?;
        if changed {
            counts.visits += 1;
            let visit = Visit {
                id: id.0,
                site_id: SITE.0,
                patient_id: patient.0,
                external_id: external_id.clone(),
                starts_at: starts.0,
                zone: zone.to_owned(),
                state: "booked".into(),
                why: String::new(),
                version,
            };
            schedule::visit_changed(tx, kit, &visit, now).await?;
        }
    }
    for (protocol, settings) in &r.protocols {
        if schedule::enrol(tx, kit, (SITE, patient), protocol, settings, now).await?.is_some() {
            counts.enrolled += 1;
            if let Some(goal) = &settings.goal {
                readings::add_goal(tx, kit.id(), (SITE, patient), goal, &r.goal_gloss, now).await?;
            }
        }
    }
    Ok(())
}

/// Keeps the consent of a record where the ledger is empty. What the patient said since is never overwritten.
async fn consent(tx: &mut Tx, kit: &Kit, patient: Id, r: &Record) -> Result<(), StoreError> {
    let known = facts::load(tx, &[patient.0], &[]).await?;
    if !known.consents.is_empty() {
        return Ok(());
    }
    let Some(given) = &r.consent else { return Ok(()) };
    let mut event = ConsentEvent {
        id: kit.id(),
        site: SITE,
        patient,
        contact: None,
        given: true,
        class: r.class,
        method: given.method.clone(),
        lang: given.lang.tag().to_owned(),
        wording: "risk notice".into(),
        staff: None,
        inbox: None,
        at: given.at,
    };
    consents::add(tx, &event).await?;
    if let Some(at) = r.stopped {
        event = ConsentEvent { id: kit.id(), given: false, method: "text".into(), wording: String::new(), at, ..event };
        consents::add(tx, &event).await?;
    }
    Ok(())
}
