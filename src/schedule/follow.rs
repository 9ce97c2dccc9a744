//! Timers follow: a patient who moved to another zone, rules of a zone that changed, a clock that had been ahead.
//!
//! Invariant: a timer keeps the local date that it stands for; only its instant moves. What was recorded
//! for a date happens no second time, and a date that was not recorded yet is not passed over.

use std::collections::{BTreeMap, HashMap};

use super::{Slot, anchor, date, key, learn, reminder, reminders, rule, settings, slot, timer, zone};
use crate::clock::Time;
use crate::kit::Kit;
use crate::model::Id;
use crate::protocol::{Anchor, Protocol};
use crate::store::appointments::{self, Visit};
use crate::store::enrolments::{self, Enrolment};
use crate::store::timers::{self, Kind, NewTimer, Timer};
use crate::store::{StoreError, Tx, ahead};

/// Why timers are looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A zone is another one, or has other rules.
    Zone,
    /// The clock had been ahead: it went through dates that have not come.
    ClockWentBack,
}

/// Sets the timers of these enrolments to where they belong now. Gives how many were moved or set. An enrolment that this version
/// cannot read is left as it is, so that it holds up no other: it is told to a person when its timer comes.
///
/// # Errors
/// When the database refuses.
pub async fn follow(tx: &mut Tx, kit: &Kit, enrolments: &[Enrolment], why: Why, now: Time) -> Result<usize, StoreError> {
    match learn(tx, kit, enrolments).await {
        Err(StoreError::Unreadable(what)) => tracing::error!(what, "a protocol cannot be read; its timers stay as they are"),
        other => other?,
    }
    let by_id: HashMap<i64, &Enrolment> = enrolments.iter().map(|e| (e.id, e)).collect();
    let patients: Vec<i64> = enrolments.iter().map(|e| e.patient_id).collect();
    let timers = timers::of(tx, Kind::Step, &by_id.keys().copied().collect::<Vec<_>>()).await?;
    let visits = appointments::of_patients(tx, &patients, now).await?;
    let mut places = Vec::new();
    for timer in &timers {
        if let Some(enrolment) = by_id.get(&timer.subject) {
            places.extend(or_left(enrolment, one(kit, timer, enrolment, &visits, why, now)).flatten());
        }
    }
    if why == Why::ClockWentBack {
        for visit in visits.iter().filter(|v| matches!(v.state.as_str(), "booked" | "confirmed")) {
            for enrolment in enrolments.iter().filter(|e| e.patient_id == visit.patient_id) {
                if let Some(protocol) = kit.protocols.version(&enrolment.protocol_hash) {
                    places.extend(or_left(enrolment, coming(kit, &protocol, enrolment, visit, now)).into_iter().flatten());
                }
            }
        }
    }
    let past: Vec<String> = places.iter().flat_map(|p| p.past.iter().map(|(key, _)| key.clone())).collect();
    let again = ahead::disowned(tx, &past).await?;
    let mut right = BTreeMap::new();
    for place in places {
        let passed_over = place.past.into_iter().find(|(key, _)| again.contains(key)).map(|(_, timer)| timer);
        if let Some(timer) = passed_over.or(place.right) {
            right.insert((timer.subject.0, timer.detail.clone()), timer);
        }
    }
    for timer in &timers {
        let as_it_is = (timer.subject, timer.detail.clone());
        if right.get(&as_it_is).is_some_and(|new| (new.slot.as_str(), new.due.0) == (timer.slot.as_str(), timer.due_at)) {
            right.remove(&as_it_is);
        }
    }
    let right: Vec<NewTimer> = right.into_values().collect();
    timers::set(tx, &right).await?;
    Ok(right.len())
}

/// Where a timer belongs: at the first of the past slots that a clock which was ahead has passed over, else where it is right.
struct Place {
    /// Past slots that are not too late yet, by the keys of their occurrences.
    past: Vec<(String, NewTimer)>,
    right: Option<NewTimer>,
}

/// What was found, or nothing of an enrolment that cannot be read.
fn or_left<T>(enrolment: &Enrolment, found: Result<T, StoreError>) -> Option<T> {
    found
        .inspect_err(|e| tracing::error!(enrolment = %Id(enrolment.id), error = %e, "an enrolment cannot be read; its timers stay as they are"))
        .ok()
}

fn one(
    kit: &Kit,
    old: &Timer,
    enrolment: &Enrolment,
    visits: &[Visit],
    why: Why,
    now: Time,
) -> Result<Option<Place>, StoreError> {
    let Some(protocol) = kit.protocols.version(&enrolment.protocol_hash) else { return Ok(None) };
    let (step, visit) = anchor(&old.detail);
    let Some(step) = protocol.step(step) else { return Ok(None) };
    let (zone, settings, date) = (zone(&enrolment.zone)?, settings(enrolment)?, date(old)?);
    let visit = visit.and_then(|id| visits.iter().find(|v| v.id == id.0 && v.version == old.version));
    let Some(mut right) = slot(step, &settings, visit, &zone, date) else { return Ok(None) };
    let at = |slot: Slot| timer(kit, enrolment, old.detail.clone(), slot, old.version);
    let mut past = Vec::new();
    if let (Why::ClockWentBack, Anchor::Enrolment(every)) = (why, step.anchor) {
        let rule = rule(step, every, &settings, right.date);
        let mut earlier = rule.first(&zone, now.minus(step.late_within));
        while let Some(slot) = earlier.filter(|slot| slot.date < right.date) {
            if slot.at > now {
                right = slot;
                break;
            }
            past.push((key(enrolment, step, None, slot), at(slot)));
            earlier = rule.next(&zone, slot.date);
        }
    }
    Ok(Some(Place { past, right: Some(at(right)) }))
}

/// Where the reminders of a visit belong once the clock has gone back.
fn coming(kit: &Kit, protocol: &Protocol, enrolment: &Enrolment, visit: &Visit, now: Time) -> Result<Vec<Place>, StoreError> {
    let zone = zone(&enrolment.zone)?;
    let of_use = reminders(protocol, &zone, visit).filter(|(step, slot)| slot.at > now.minus(step.late_within));
    let places = of_use.map(|(step, slot)| {
        let timer = reminder(kit, enrolment, step, visit, slot);
        if slot.at > now {
            return Place { past: Vec::new(), right: Some(timer) };
        }
        Place { past: vec![(key(enrolment, step, Some(visit), slot), timer)], right: None }
    });
    Ok(places.collect())
}

/// A patient lives in another zone from now on: their timers follow at once, and what is held is decided again.
///
/// # Errors
/// When the database refuses.
pub async fn zone_moved(tx: &mut Tx, kit: &Kit, patient: Id, now: Time) -> Result<usize, StoreError> {
    let enrolments = enrolments::of_patients(tx, &[patient.0]).await?;
    let moved = follow(tx, kit, &enrolments, Why::Zone, now).await?;
    timers::hold_no_longer(tx, Some(patient), now).await?;
    Ok(moved)
}
