//! What follows where a contact fails: it is closed or its consent withdrawn, the message goes on to the next rung, and where there is
//! none a person is told to call.

use std::collections::BTreeSet;

use super::acknowledge::tell;
use crate::clock::Time;
use crate::fault;
use crate::kit::Kit;
use crate::model::{Category, Class, ContentClass, Id, Meaning, Severity};
use crate::policy;
use crate::store::consents::{self, ConsentEvent};
use crate::store::{StoreError, Tx, facts, patients, rungs};

/// A message whose contact failed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failed<'a> {
    pub(super) message: Id,
    pub(super) site: Id,
    pub(super) patient: Option<Id>,
    pub(super) contact: Option<Id>,
    pub(super) gateway: &'a str,
    pub(super) class: Class,
    /// The provider's or the configuration's code.
    pub(super) code: &'a str,
}

/// What a failure means for the contact, the channel and the people, whether or not the message goes on.
///
/// # Errors
/// When the database refuses.
pub(super) async fn settle(
    tx: &mut Tx,
    kit: &Kit,
    failed: Failed<'_>,
    (means, goes_on): (Option<Meaning>, bool),
    now: Time,
) -> Result<(), StoreError> {
    match means {
        Some(Meaning::Blocked) => {
            blocked(tx, kit, failed, now).await?;
            if !goes_on {
                undelivered(tx, kit, failed, "this contact has blocked us", now).await?;
            }
        }
        Some(Meaning::Unreachable) => {
            if let Some(contact) = failed.contact {
                patients::close_contact(tx, contact, failed.code).await?;
            }
            let what = if goes_on {
                "the number cannot be reached; it goes on by the next contact"
            } else {
                "the number cannot be reached"
            };
            undelivered(tx, kit, failed, what, now).await?;
        }
        Some(Meaning::Misconfigured) => {
            misconfigured(tx, kit, failed, now).await?;
            if !goes_on {
                undelivered(tx, kit, failed, "the channel is set up wrongly", now).await?;
            }
        }
        Some(Meaning::Refused | Meaning::Busy | Meaning::Unknown) | None if goes_on => {}
        Some(Meaning::Refused) => undelivered(tx, kit, failed, "the provider refused it", now).await?,
        Some(Meaning::Busy | Meaning::Unknown) | None => undelivered(tx, kit, failed, "the carrier says so", now).await?,
    }
    Ok(())
}

/// Those of these messages that another contact is left for.
///
/// # Errors
/// When the database refuses, or what is stored cannot be read.
pub(super) async fn left(tx: &mut Tx, messages: &[(Id, Id, Class)]) -> Result<BTreeSet<Id>, StoreError> {
    let climbing: Vec<_> = messages.iter().filter(|(_, _, class)| policy::climbs(*class)).collect();
    if climbing.is_empty() {
        return Ok(BTreeSet::new());
    }
    let ids: Vec<i64> = climbing.iter().map(|(id, ..)| id.0).collect();
    let patients: BTreeSet<i64> = climbing.iter().map(|(_, patient, _)| patient.0).collect();
    let known = facts::load(tx, &patients.into_iter().collect::<Vec<_>>(), &[]).await?;
    let tried = rungs::tried(tx, &ids).await?;
    let untried = |(message, patient, _): &&&(Id, Id, Class)| {
        let open = |c: &&facts::ContactFacts| c.state == "active";
        known.contacts_of(patient.0).iter().filter(open).any(|c| !tried.contains(&(*message, Id(c.contact_id))))
    };
    Ok(climbing.iter().filter(untried).map(|(id, ..)| *id).collect())
}

/// Says a message again, for its next rung.
///
/// # Errors
/// When the database refuses.
pub(super) async fn climb(tx: &mut Tx, kit: &Kit, message: Id, now: Time) -> Result<(), StoreError> {
    rungs::again(tx, message, kit.id(), now, kit.clock.machine()).await?;
    fault::point("rung.planned");
    Ok(())
}

/// A message that will not arrive by this contact. A crisis reply that did not is itself an emergency.
pub(super) async fn undelivered(tx: &mut Tx, kit: &Kit, failed: Failed<'_>, why: &str, now: Time) -> Result<(), StoreError> {
    let (severity, text) = if failed.class == Class::Crisis {
        (Severity::Emergency, format!("The crisis reply did not arrive ({why}): call now"))
    } else {
        (Severity::Routine, format!("A message did not arrive: {why}"))
    };
    tell(tx, kit, (failed.site, failed.patient), (severity, Category::Technical), &text, now).await
}

/// The person blocked us on this contact: consent is withdrawn there and nowhere else.
async fn blocked(tx: &mut Tx, kit: &Kit, failed: Failed<'_>, now: Time) -> Result<(), StoreError> {
    let (Some(patient), Some(contact)) = (failed.patient, failed.contact) else { return Ok(()) };
    let event = ConsentEvent {
        id: kit.id(),
        site: failed.site,
        patient,
        contact: Some(contact),
        given: false,
        class: ContentClass::Logistics,
        method: "provider".into(),
        lang: String::new(),
        wording: "blocked".into(),
        staff: None,
        inbox: None,
        at: now,
    };
    consents::add(tx, &event).await
}

/// Our own fault: an administrator is told; nobody is opted out for it.
pub(super) async fn misconfigured(tx: &mut Tx, kit: &Kit, failed: Failed<'_>, now: Time) -> Result<(), StoreError> {
    tracing::error!(gateway = failed.gateway, code = failed.code, "a gateway is set up wrongly; its messages wait");
    let reason = format!("The gateway {} is set up wrongly ({}): its messages wait", failed.gateway, failed.code);
    tell(tx, kit, (failed.site, None), (Severity::Urgent, Category::Technical), &reason, now).await
}
