//! Who comes in by a link of ours, and who leaves without a word.
//!
//! *Invariants:* a link opens once, for one person; whoever follows one that does not open hears nothing that names anybody, and
//! nothing else changes. Leaving closes the one contact for us and no other. Both are in one transaction with all that follows.

use sha2::{Digest, Sha256};

use crate::clock::Time;
use crate::compose::Args;
use crate::escalation::{self, Request};
use crate::kit::Kit;
use crate::model::{Address, Category, Channel, Class, ContentClass, Id, Lang, Severity, hex};
use crate::store::audit::{self, Entry};
use crate::store::consents::{self, ConsentEvent};
use crate::store::inbox::{Done, LEFT, Waiting};
use crate::store::links::{self, Link};
use crate::store::messages::{self, NewMessage};
use crate::store::patients::{self, NewContact, Patient};
use crate::store::threads::{self, Thread};
use crate::store::{StoreError, Tx, escalations};

/// So long an address that tries links is answered once.
const ONCE_IN: std::time::Duration = std::time::Duration::from_secs(60);
/// An answer that is later than this only confuses.
const OF_USE: std::time::Duration = std::time::Duration::from_secs(3600);
/// What who comes by a link is told; it says who we are, what Telegram is, and how to stop.
const WELCOME: &str = "link-welcome";

/// The form in which the token of a link is kept.
#[must_use]
pub fn token_hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// Whether a row is no text, but somebody who comes or goes.
pub(super) fn is_one(row: &Waiting) -> bool {
    row.answered == LEFT || !row.start_token.is_empty()
}

/// Works such a row.
///
/// # Errors
/// When the database refuses.
pub(super) async fn pass(tx: &mut Tx, kit: &Kit, row: &Waiting, now: Time) -> Result<Done, StoreError> {
    if row.answered == LEFT { leave(tx, kit, row, now).await } else { enter(tx, kit, row, now).await }
}

fn done(row: &Waiting, of: Option<(i64, i64, i64)>, read_as: &str) -> Done {
    Done {
        id: row.id,
        site: of.map(|of| of.0),
        patient: of.map(|of| of.1),
        thread: of.map(|of| of.2).filter(|thread| *thread != 0),
        severity: Severity::None.as_str().to_owned(),
        read_as: read_as.to_owned(),
        ..Done::default()
    }
}

async fn enter(tx: &mut Tx, kit: &Kit, row: &Waiting, now: Time) -> Result<Done, StoreError> {
    let channel: Channel = row.channel.parse().map_err(|_| StoreError::Unreadable("a channel".into()))?;
    let Some(link) = links::by_hash(tx, channel, &token_hash(&row.start_token)).await? else {
        say_over(tx, kit, row, Lang::En, now).await?;
        return Ok(done(row, None, "Followed a link that is none of ours"));
    };
    let Some(patient) = patients::get(tx, Id(link.patient_id)).await? else { return Err(StoreError::Missing("patient")) };
    if !links::use_up(tx, Id(link.id), now).await? {
        say_over(tx, kit, row, patient.language()?, now).await?;
        let reason = "Somebody followed a link that can't be used any more: ask the patient, and make a new one if it was them";
        tell(tx, kit, row, &patient, (Category::ContactRequest, reason), now).await?;
        return Ok(done(row, Some((link.site_id, link.patient_id, 0)), "Followed a link that can't be used any more"));
    }
    let thread = connect(tx, kit, row, (&link, &patient, channel), now).await?;
    Ok(done(row, Some((link.site_id, link.patient_id, thread.0)), "Came by a link"))
}

/// The contact, its thread, the consent for it, a welcome.
async fn connect(
    tx: &mut Tx,
    kit: &Kit,
    row: &Waiting,
    (link, patient, channel): (&Link, &Patient, Channel),
    now: Time,
) -> Result<Id, StoreError> {
    let (site, person, id) = (Id(link.site_id), Id(link.person_id), Id(link.patient_id));
    let class: ContentClass = link.class.parse().map_err(|_| StoreError::Unreadable("a content class".into()))?;
    let new = NewContact {
        id: kit.id(),
        person,
        channel,
        address: Address::new(row.address.as_str()),
        hash: row.address_hash.clone(),
        class,
        terms: String::new(),
    };
    let contact = patients::put_contact(tx, site, &new, now).await?;
    patients::replace_contacts(tx, person, channel, contact, "replaced by a newer link").await?;
    patients::put_first(tx, person, contact, now).await?;
    let thread = threads::ensure(tx, kit.id(), site, channel, &row.address_hash, (person, id, contact), now).await?;

    let lang = patient.language()?;
    let event = |contact: Option<Id>, given: bool| ConsentEvent {
        id: kit.id(),
        site,
        patient: id,
        contact,
        given,
        class,
        method: "link".into(),
        lang: lang.tag().to_owned(),
        wording: format!("{WELCOME} {}", kit.catalogue.version()),
        staff: None,
        inbox: Some(Id(row.id)),
        at: now,
    };
    // Who had stopped everything comes back here, and only here.
    if consents::withdrawn(tx, id, None).await? {
        consents::add(tx, &event(None, true)).await?;
        for other in patients::contacts(tx, person).await?.iter().filter(|c| c.id != contact.0) {
            consents::add(tx, &event(Some(Id(other.id)), false)).await?;
        }
    }
    consents::add(tx, &event(Some(contact), true)).await?;
    let entry = Entry { staff: None, patient: Some(id), action: "link used", subject: Id(link.id).to_string() };
    audit::add(tx, kit.ids.node(), &entry, now).await?;

    let welcome = NewMessage {
        patient: Some(id),
        thread: Some(thread),
        class: Class::Consent,
        ..message(kit, row, (site, WELCOME, lang), now)?
    };
    messages::plan(tx, &[welcome]).await?;
    Ok(thread)
}

/// What is said about a link that does not open, the same to everybody.
async fn say_over(tx: &mut Tx, kit: &Kit, row: &Waiting, lang: Lang, now: Time) -> Result<(), StoreError> {
    if messages::answered_lately(tx, (&row.gateway, &row.address), false, now.minus(ONCE_IN)).await? {
        return Ok(());
    }
    let direct = Some((row.gateway.clone(), row.address.clone()));
    let over = NewMessage { direct, class: Class::Answer, ..message(kit, row, (crate::kit::SITE, "link-over", lang), now)? };
    messages::plan(tx, &[over]).await
}

fn message(kit: &Kit, row: &Waiting, (site, key, lang): (Id, &str, Lang), now: Time) -> Result<NewMessage, StoreError> {
    let args = Args::default().with("clinic", kit.site.clinic.as_str()).with("phone", kit.site.phone.as_str());
    Ok(NewMessage {
        id: kit.id(),
        site,
        patient: None,
        thread: None,
        enrolment: None,
        occurrence: String::new(),
        appointment: None,
        inbox: Some(Id(row.id)),
        staff: None,
        direct: None,
        class: Class::Answer,
        content: ContentClass::Logistics,
        key: key.to_owned(),
        args: serde_json::to_string(&args).map_err(|e| StoreError::Unreadable(e.to_string()))?,
        question: String::new(),
        lang: lang.tag(),
        body: String::new(),
        planned_at: now,
        expires_at: Some(now.plus(OF_USE)),
        ready_at: kit.clock.machine(),
    })
}

/// They blocked us: consent is withdrawn for this contact, of everybody whom it serves.
async fn leave(tx: &mut Tx, kit: &Kit, row: &Waiting, now: Time) -> Result<Done, StoreError> {
    let sharing: Vec<Thread> =
        threads::of_addresses(tx, &[&row.address_hash]).await?.into_iter().filter(|t| t.channel == row.channel).collect();
    for thread in &sharing {
        let Some(patient) = patients::get(tx, Id(thread.patient_id)).await? else { return Err(StoreError::Missing("patient")) };
        let known = consents::withdrawn(tx, Id(thread.patient_id), Some(Id(thread.contact_id))).await?;
        let event = ConsentEvent {
            id: kit.id(),
            site: Id(thread.site_id),
            patient: Id(thread.patient_id),
            contact: Some(Id(thread.contact_id)),
            given: false,
            class: ContentClass::Logistics,
            method: "provider".into(),
            lang: String::new(),
            wording: "blocked".into(),
            staff: None,
            inbox: Some(Id(row.id)),
            at: now,
        };
        consents::add(tx, &event).await?;
        if !known {
            let reason = "Has blocked us on one channel, without a word; other contacts stay as they are";
            tell(tx, kit, row, &patient, (Category::OptOut, reason), now).await?;
        }
    }
    let first = sharing.first().map(|t| (t.site_id, t.patient_id, t.id));
    Ok(done(row, first, "Blocked us on this channel"))
}

async fn tell(
    tx: &mut Tx,
    kit: &Kit,
    row: &Waiting,
    patient: &Patient,
    (category, reason): (Category, &str),
    now: Time,
) -> Result<(), StoreError> {
    let open = escalations::unresolved(tx, &[patient.id]).await?;
    let request = Request {
        site: Id(patient.site_id),
        patient: Some(Id(patient.id)),
        coordinator: patient.coordinator_id.map(Id),
        inbox: Some(Id(row.id)),
        severity: Severity::Routine,
        category,
        reason: reason.to_owned(),
    };
    escalation::open(tx, kit, &open, &request, now).await?;
    Ok(())
}
