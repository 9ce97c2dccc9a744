//! Inside the claim's transaction: facts are read for the whole batch, each message is decided, and what
//! goes gets its text. The decision that was made last before sending is the one that counts.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::batch::Batch;
use super::ways::{Gateways, Openings};
use crate::clock::Time;
use crate::fault;
use crate::gateway::{Gateway, Outgoing};
use crate::kit::Kit;
use crate::model::{Channel, Class, ContentClass, Id, Priority, Reason};
use crate::policy::{self, Consent, Contact, Due, Facts};
use crate::schedule::Question;
use crate::store::messages::{self, Claimed, Lease};
use crate::store::{StoreError, Tx, enrolments, facts, locks, rungs};

/// So many are looked at, however little room there is.
const LOOK: i64 = 16;

/// A message that is to be sent now.
#[derive(Debug, Clone)]
pub struct Ready {
    /// Which.
    pub id: Id,
    /// Its fencing number, also the number of the attempt.
    pub n: i64,
    /// Where.
    pub site: Id,
    /// For whom.
    pub patient: Option<Id>,
    /// To which contact.
    pub contact: Option<Id>,
    /// What for.
    pub class: Class,
    /// By which gateway.
    pub gateway: String,
    /// What is handed to it.
    pub outgoing: Outgoing,
    /// Until when the claim holds (machine time): nothing may be sent after it.
    pub lease_until: Time,
    /// When it was decided (domain time): a decision that the clock has left behind is made again.
    pub decided: Time,
    /// Not before this (machine time): the gateway's pace.
    pub not_before: Option<Time>,
    /// Whether another contact could be tried if this one fails.
    pub has_next_rung: bool,
    /// Whether its provider tells what became of it.
    pub gives_receipts: bool,
    /// What keeps its order: messages to one person on one channel go one after the other.
    pub group: String,
}

/// What a claim brought.
#[derive(Debug, Default)]
pub struct Claim {
    /// What is to be sent now.
    pub ready: Vec<Ready>,
    /// How many messages were looked at.
    pub claimed: usize,
    /// Whether there may be more to claim.
    pub more: bool,
    /// Which gateways it is to try out.
    pub(super) openings: Openings,
}

/// Claims up to `limit` messages that are at least as pressing as `least`, decides them, and prepares what goes and has a place.
///
/// # Errors
/// When the database refuses: then nothing is claimed.
pub async fn claim(
    tx: &mut Tx,
    kit: &Kit,
    ways: &Gateways,
    (limit, least): (i64, Priority),
    now: Time,
) -> Result<Claim, StoreError> {
    // The lease is kept by the database's clock, which all nodes share; what this process checks is its own. That is read first: a
    // process that stands still between the two believes in its lease for a shorter time than the others, not for a longer one.
    let lease = kit.delivery.lease;
    let own = kit.clock.machine();
    let shared = kit.shared_machine(tx).await?;
    let mut openings = ways.openings(own);
    let (claimed, more) = pick(tx, &openings, shared.max(own), (limit, least)).await?;
    if claimed.is_empty() {
        return Ok(Claim::default());
    }
    fault::point("claim.picked");
    let mut batch = Batch::new(kit, ways, now, own.plus(lease));
    let by_patient = grouped(&claimed);
    let patients: Vec<i64> = by_patient.keys().copied().collect();
    let visits: Vec<i64> = claimed.iter().filter_map(|m| m.appointment_id).collect();
    let enrolled: Vec<i64> = claimed.iter().filter_map(|m| m.enrolment_id).collect();
    let again: Vec<i64> = claimed.iter().filter(|m| m.attempts > 1 || m.rung_of.is_some()).map(|m| m.id).collect();
    let known = facts::load(tx, &patients, &visits).await?;
    let running = enrolments::active(tx, &enrolled).await?;
    let tried = rungs::tried(tx, &again).await?;
    for (patient, rows) in &by_patient {
        let facts = match facts_of(&known, *patient, kit, ways) {
            Ok(Some(facts)) => facts,
            Ok(None) => {
                for row in rows {
                    batch.skip(row, Reason::NoContact);
                }
                continue;
            }
            Err(e) => {
                for row in rows {
                    batch.poison(row, &e);
                }
                continue;
            }
        };
        let mut dues = Vec::new();
        let mut sound = Vec::new();
        for row in rows {
            let failed = tried.iter().filter(|t| t.0.0 == row.id).map(|t| t.1).collect();
            match due(row, &known, &running, failed, kit) {
                Ok(due) => {
                    dues.push(due);
                    sound.push(*row);
                }
                Err(e) => batch.poison(row, &e),
            }
        }
        for ((row, due), decided) in sound.iter().zip(&dues).zip(policy::decide(&dues, &facts, now)) {
            if let Err(e) = batch.settle(row, due, &decided, &facts, &known) {
                batch.poison(row, &e);
            }
        }
    }
    for row in claimed.iter().filter(|m| m.patient_id.is_none()) {
        if let Err(e) = batch.direct(row) {
            batch.poison(row, &e);
        }
    }
    fault::point("claim.decided");
    batch.admit(tx, &mut openings, (own, shared)).await?;
    batch.write(tx, Lease { owner: &kit.owner, until: shared.plus(lease) }).await?;
    fault::point("claim.written");
    Ok(Claim { ready: batch.ready, claimed: claimed.len(), more, openings })
}

/// What waits for gateways that have room, and what nobody has looked at yet. Some of what waits for a gateway without room, or for
/// one that is left alone, is looked at all the same: it may be of no more use, and is to say when it is tried again.
async fn pick(
    tx: &mut Tx,
    openings: &Openings,
    machine: Time,
    (limit, least): (i64, Priority),
) -> Result<(Vec<Claimed>, bool), StoreError> {
    let (mut claimed, mut more) = (Vec::new(), false);
    let enough = |free: usize| i64::try_from(free).unwrap_or(limit).max(LOOK).min(limit);
    let mut lanes: Vec<(&str, i64, bool)> = Vec::new();
    if least > Priority::CRISIS {
        lanes.extend(openings.lanes().map(|(lane, free)| (lane, enough(free), true)));
        lanes.extend(openings.shut().map(|lane| (lane, LOOK, false)));
    }
    lanes.push(("", enough(openings.all()), true));
    for (lane, free, takes) in lanes {
        let mut found = messages::claim(tx, lane, machine, (free, least)).await?;
        more |= takes && i64::try_from(found.len()).is_ok_and(|found| found >= free);
        claimed.append(&mut found);
    }
    claimed.sort_by_key(|m| (m.priority, m.planned_at, m.id));
    // Two nodes never ask one patient at once: neither would see the other's question. What is passed over stays in the queue.
    let asked: Vec<i64> = claimed.iter().filter(|m| !m.question.is_empty()).filter_map(|m| m.patient_id).collect();
    let busy = locks::threads(tx, &asked).await?;
    claimed.retain(|m| m.question.is_empty() || m.patient_id.is_none_or(|patient| !busy.contains(&patient)));
    Ok((claimed, more))
}

fn grouped(claimed: &[Claimed]) -> BTreeMap<i64, Vec<&Claimed>> {
    let mut by_patient: BTreeMap<i64, Vec<&Claimed>> = BTreeMap::new();
    for row in claimed {
        if let Some(patient) = row.patient_id {
            by_patient.entry(patient).or_default().push(row);
        }
    }
    by_patient
}

/// What the policy needs to know about one patient, from what the store read. `None` if the patient is not there.
///
/// # Errors
/// When what is stored cannot be read.
pub fn facts_of(known: &facts::Facts, patient: i64, kit: &Kit, ways: &Gateways) -> Result<Option<Facts>, StoreError> {
    let Some(row) = known.patient(patient) else { return Ok(None) };
    let unreadable = |what: &str| StoreError::Unreadable(what.to_owned());
    let zone = row.zone.parse().map_err(|_| unreadable("a time zone"))?;
    let mut consent = Consent::Unrecorded;
    let mut alone: HashMap<i64, bool> = HashMap::new();
    for event in known.consents_of(patient) {
        let given = event.action == "given";
        match event.contact_id {
            Some(contact) => {
                alone.insert(contact, !given);
            }
            None => consent = if given { Consent::Given } else { Consent::Revoked },
        }
        // A contact for which consent was given stands for the patient too, unless all was withdrawn later.
        if given && consent == Consent::Unrecorded {
            consent = Consent::Given;
        }
    }
    let mut contacts = Vec::new();
    for c in known.contacts_of(patient) {
        let channel: Channel = c.channel.parse().map_err(|_| unreadable("a channel"))?;
        let class: ContentClass = c.class.parse().map_err(|_| unreadable("a content class"))?;
        contacts.push(Contact {
            id: Id(c.contact_id),
            thread: Id(c.thread_id),
            // No gateway of the channel may be given more than it is configured for.
            class: ways.of_channel(channel).map(Gateway::content).max().map_or(class, |most| class.min(most)),
            served: ways.serves(channel),
            closed: c.state != "active",
            revoked: alone.get(&c.contact_id).copied().unwrap_or(false),
            question: c.question_due.map(|due| (question_by(&c.question), Time(due))),
        });
    }
    Ok(Some(Facts {
        zone,
        window: row.window_start.zip(row.window_end).unwrap_or(kit.window),
        discreet: row.discreet,
        deceased: row.deceased_at.is_some(),
        consent,
        contacts,
        open_emergency: known.emergencies.contains(&patient),
        last_wrote: known.last_written.iter().find(|w| w.0 == patient).map(|w| Time(w.1)),
    }))
}

fn due(m: &Claimed, known: &facts::Facts, running: &HashSet<i64>, tried: Vec<Id>, kit: &Kit) -> Result<Due, StoreError> {
    let unreadable = |what: String| StoreError::Unreadable(what);
    let visit = m.appointment_id.map(|id| {
        known.visit(id).is_some_and(|v| {
            let awaited = matches!(v.state.as_str(), "booked" | "confirmed");
            awaited && Some(v.version) == m.appointment_version
        })
    });
    let class: Class = m.class.parse().map_err(|_| unreadable(format!("class {}", m.class)))?;
    Ok(Due {
        message: Id(m.id),
        thread: m.thread_id.map(Id),
        since: Time(m.planned_at),
        dated: !m.occurrence.is_empty(),
        class,
        content: m.content.parse().map_err(|_| unreadable(format!("content class {}", m.content)))?,
        asks: !m.question.is_empty(),
        has_discreet: kit.catalogue.discreet(&m.key) != m.key,
        expires_at: m.expires_at.map(Time),
        // Only a reminder follows its visit; the answer "we noted that you can't come" still goes.
        visit_stands: visit.filter(|_| class == Class::Reminder),
        enrolled: m.enrolment_id.map(|id| running.contains(&id)),
        tried,
        rung_of: m.rung_of.map(Id),
    })
}

/// The message that asks the open question of a thread.
fn question_by(json: &str) -> Id {
    Id(serde_json::from_str::<Question>(json).map_or(0, |q| q.message))
}
