//! The consent ledger: append-only.

use super::tx::{maybe, run};
use super::{StoreError, Tx};
use crate::clock::Time;
use crate::model::{ContentClass, Id};

/// One entry.
#[derive(Debug, Clone)]
pub struct ConsentEvent {
    /// Identity.
    pub id: Id,
    /// Where.
    pub site: Id,
    /// Who.
    pub patient: Id,
    /// For one contact, or for all.
    pub contact: Option<Id>,
    /// Given, or withdrawn.
    pub given: bool,
    /// Highest content class agreed.
    pub class: ContentClass,
    /// desk, web form, text, paper, import.
    pub method: String,
    /// Language of what was shown.
    pub lang: String,
    /// What was shown: key and version.
    pub wording: String,
    /// Who entered it.
    pub staff: Option<Id>,
    /// The words that did it.
    pub inbox: Option<Id>,
    /// When; at the earliest a millisecond after the entry before it.
    pub at: Time,
}

/// Adds an entry: later than every other of the patient, whatever the clock showed when those were made. What is said last counts.
///
/// # Errors
/// When the database refuses.
pub async fn add(tx: &mut Tx, e: &ConsentEvent) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO consent_event (id, site_id, patient_id, contact_id, action, class, method, lang, wording, by_staff, inbox_id, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
                 (SELECT CASE WHEN MAX(at) >= $12 THEN MAX(at) + 1 ELSE $12 END FROM consent_event WHERE patient_id = $3))",
        e.id.0,
        e.site.0,
        e.patient.0,
        e.contact.map(|c| c.0),
        if e.given { "given" } else { "withdrawn" },
        e.class.as_str(),
        &e.method,
        &e.lang,
        &e.wording,
        e.staff.map(|s| s.0),
        e.inbox.map(|i| i.0),
        e.at.0
    )?;
    Ok(())
}

/// Whether the newest entry about a patient, or about this one contact of theirs, is a withdrawal.
///
/// # Errors
/// When the database refuses.
pub async fn withdrawn(tx: &mut Tx, patient: Id, contact: Option<Id>) -> Result<bool, StoreError> {
    let newest = maybe!(
        tx,
        (String,),
        "SELECT action FROM consent_event WHERE patient_id = $1 AND (contact_id IS NULL OR contact_id = $2) ORDER BY at DESC, id DESC LIMIT 1",
        patient.0,
        contact.map(|c| c.0)
    )?;
    Ok(newest.is_some_and(|(action,)| action == "withdrawn"))
}
