//! What waits for a person: opened, raised, climbing when nobody claims it.
//!
//! Invariants: an item only rises; its deadline is a durable timer that fires once; nothing closes by
//! itself. A patient has at most one item that is urgent or worse, so that one matter has one owner.

pub mod hours;

use std::time::Duration;

use crate::clock::Time;
use crate::fault;
use crate::kit::{Kit, SITE};
use crate::model::{Category, Id, Priority, Severity};
use crate::store::escalations::{self, Escalation, NewEscalation, NewEvent};
use crate::store::timers::{self, Kind, NewTimer, Timer};
use crate::store::{StoreError, Tx};

/// Minutes from one rung of the ladder to the next, for an emergency.
const RUNG: Duration = Duration::from_secs(5 * 60);
/// The last rung: everyone.
const EVERYONE: i64 = 2;

/// What a person must look at.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where.
    pub site: Id,
    /// About whom; `None` for somebody unknown and for our own trouble.
    pub patient: Option<Id>,
    /// Who looks after them.
    pub coordinator: Option<Id>,
    /// The words that ask for it.
    pub inbox: Option<Id>,
    /// How soon.
    pub severity: Severity,
    /// What about.
    pub category: Category,
    /// In words for staff.
    pub reason: String,
}

/// Where a request ends up among a patient's unresolved items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    New,
    /// It becomes more severe.
    Raise(Id),
    /// An emergency that somebody has already is cried again: it must be claimed anew.
    Again(Id),
    /// It is told there; `true`: its words stand in the list from now on.
    Join(Id, bool),
}

/// Opens an urgent item about our own trouble; the same words are not opened twice.
///
/// # Errors
/// When the database refuses.
pub async fn trouble(tx: &mut Tx, kit: &Kit, reason: String, now: Time) -> Result<(), StoreError> {
    let open = escalations::unresolved_technical(tx, &reason).await?;
    let request = Request {
        site: SITE,
        patient: None,
        coordinator: None,
        inbox: None,
        severity: Severity::Urgent,
        category: Category::Technical,
        reason,
    };
    self::open(tx, kit, &open, &request, now).await?;
    Ok(())
}

/// Opens an item, raises the one that is there, or adds to it. `open` are the patient's unresolved items.
/// Gives the item.
///
/// # Errors
/// When the database refuses.
pub async fn open(tx: &mut Tx, kit: &Kit, open: &[Escalation], request: &Request, now: Time) -> Result<Id, StoreError> {
    let due = kit.hours.due(request.severity, now);
    let event = |escalation, kind, staff, detail: String| NewEvent {
        id: kit.id(),
        escalation,
        patient: request.patient,
        at: now,
        kind,
        staff,
        inbox: request.inbox,
        detail,
    };
    let item = match place(open, request) {
        Place::New => {
            let id = kit.id();
            escalations::open(
                tx,
                &NewEscalation {
                    id,
                    site: request.site,
                    patient: request.patient,
                    inbox: request.inbox,
                    severity: request.severity,
                    category: request.category,
                    reason: request.reason.clone(),
                    opened: now,
                    due,
                },
            )
            .await?;
            fault::point("escalation.opened");
            escalations::add_event(tx, &event(id, "opened", None, request.severity.as_str().to_owned())).await?;
            id
        }
        Place::Raise(id) => {
            escalations::raise(tx, id, request.severity, request.category, &request.reason, request.inbox, due).await?;
            escalations::add_event(tx, &event(id, "raised", None, request.severity.as_str().to_owned())).await?;
            id
        }
        Place::Again(id) => {
            escalations::raise(tx, id, request.severity, request.category, &request.reason, request.inbox, due).await?;
            escalations::add_event(tx, &event(id, "wrote", None, request.reason.clone())).await?;
            id
        }
        Place::Join(id, newest) => {
            escalations::join(tx, id, request.inbox.filter(|_| newest)).await?;
            escalations::add_event(tx, &event(id, "wrote", None, request.reason.clone())).await?;
            return Ok(id);
        }
    };
    escalations::add_event(tx, &event(item, "told", request.coordinator, String::new())).await?;
    timers::set(tx, &[deadline(kit, request.site, request.patient, item, 0, due)]).await?;
    fault::point("escalation.told");
    Ok(item)
}

fn place(open: &[Escalation], request: &Request) -> Place {
    let severity = |e: &Escalation| e.severity.parse().unwrap_or(Severity::Emergency);
    if request.severity >= Severity::Urgent {
        return match open.iter().filter(|e| severity(e) >= Severity::Urgent).max_by_key(|e| severity(e)) {
            Some(item) if request.severity > severity(item) => Place::Raise(Id(item.id)),
            Some(item) if request.severity == Severity::Emergency && item.state == "claimed" => Place::Again(Id(item.id)),
            Some(item) => Place::Join(Id(item.id), request.severity == severity(item)),
            None => Place::New,
        };
    }
    match open.iter().find(|e| e.category == request.category.as_str()) {
        Some(item) => Place::Join(Id(item.id), severity(item) == Severity::Routine),
        None => Place::New,
    }
}

fn deadline(kit: &Kit, site: Id, patient: Option<Id>, item: Id, rung: i64, due: Time) -> NewTimer {
    NewTimer {
        id: kit.id(),
        site,
        patient,
        kind: Kind::Deadline,
        subject: item,
        detail: String::new(),
        slot: String::new(),
        version: rung,
        due,
        priority: Priority::CRISIS,
    }
}

/// The clock went back. No item waits longer for its claim than one that is opened now would: a cry for help that came while the
/// clock was ahead must not wait until that future has come. Gives how many were brought forward.
///
/// # Errors
/// When the database refuses.
pub async fn clock_went_back(tx: &mut Tx, kit: &Kit, now: Time) -> Result<usize, StoreError> {
    let mut forward = Vec::new();
    for timer in timers::later_than(tx, Kind::Deadline, now).await? {
        let Some(item) = escalations::get(tx, Id(timer.subject)).await? else { continue };
        let latest = kit.hours.due(item.severity.parse().unwrap_or(Severity::Emergency), now);
        if Time(timer.due_at) > latest {
            if item.due_at > latest.0 {
                escalations::set_due(tx, Id(item.id), latest).await?;
            }
            forward.push(deadline(kit, Id(item.site_id), item.patient_id.map(Id), Id(item.id), timer.version, latest));
        }
    }
    timers::set(tx, &forward).await?;
    Ok(forward.len())
}

/// Deadlines that have come: what is still unclaimed climbs one rung, and somebody else is told.
///
/// # Errors
/// When the database refuses.
pub async fn fire_deadlines(tx: &mut Tx, kit: &Kit, due: &[&Timer], now: Time) -> Result<(), StoreError> {
    for timer in due {
        let item = Id(timer.subject);
        let Some(escalation) = escalations::get(tx, item).await? else { continue };
        if escalation.state != "open" || escalation.rung != timer.version {
            continue;
        }
        let rung = (escalation.rung + 1).min(EVERYONE);
        if escalation.rung >= EVERYONE || !escalations::climb(tx, item, rung).await? {
            continue;
        }
        fault::point("deadline.climbed");
        let patient = escalation.patient_id.map(Id);
        let mut event = NewEvent {
            id: kit.id(),
            escalation: item,
            patient,
            at: now,
            kind: "late",
            staff: None,
            inbox: None,
            detail: String::new(),
        };
        escalations::add_event(tx, &event).await?;
        let backup = match patient {
            Some(patient) if rung == 1 => crate::store::patients::get(tx, patient).await?.and_then(|p| p.backup_id).map(Id),
            Some(_) | None => None,
        };
        event = NewEvent {
            id: kit.id(),
            kind: "told",
            staff: backup,
            detail: if backup.is_none() { "everyone".into() } else { String::new() },
            ..event
        };
        escalations::add_event(tx, &event).await?;
        if escalation.severity == Severity::Emergency.as_str() && rung < EVERYONE {
            let next = Time(timer.due_at).plus(RUNG).max(now);
            timers::set(tx, &[deadline(kit, Id(escalation.site_id), patient, item, rung, next)]).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(id: i64, severity: &str, category: &str) -> Escalation {
        Escalation {
            id,
            site_id: 1,
            patient_id: Some(1),
            inbox_id: None,
            severity: severity.into(),
            category: category.into(),
            reason: String::new(),
            state: "open".into(),
            opened_at: 0,
            due_at: 0,
            rung: 0,
            owner_id: None,
            claimed_at: None,
            resolved_at: None,
            outcome: String::new(),
            version: 0,
        }
    }

    fn request(severity: Severity, category: Category) -> Request {
        Request { site: Id(1), patient: Some(Id(1)), coordinator: None, inbox: None, severity, category, reason: String::new() }
    }

    #[test]
    fn one_matter_has_one_item_that_only_rises() {
        let urgent = [item(1, "urgent", "symptom")];
        assert_eq!(place(&urgent, &request(Severity::Emergency, Category::MedicalEmergency)), Place::Raise(Id(1)));
        assert_eq!(place(&urgent, &request(Severity::Urgent, Category::Medication)), Place::Join(Id(1), true));
        let emergency = [item(1, "emergency", "self_harm")];
        assert_eq!(place(&emergency, &request(Severity::Urgent, Category::Symptom)), Place::Join(Id(1), false));
        let again = request(Severity::Emergency, Category::SelfHarm);
        assert_eq!(place(&emergency, &again), Place::Join(Id(1), true));
        let claimed = [Escalation { state: "claimed".into(), ..item(1, "emergency", "self_harm") }];
        assert_eq!(place(&claimed, &again), Place::Again(Id(1)));
    }

    #[test]
    fn a_question_about_a_visit_does_not_vanish_in_an_emergency() {
        let routine = [item(1, "routine", "appointment")];
        assert_eq!(place(&routine, &request(Severity::Emergency, Category::MedicalEmergency)), Place::New);
        assert_eq!(place(&routine, &request(Severity::Routine, Category::Appointment)), Place::Join(Id(1), true));
        assert_eq!(place(&routine, &request(Severity::Routine, Category::SocialNeed)), Place::New);
    }
}
