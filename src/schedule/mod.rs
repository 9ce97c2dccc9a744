//! When: enrolments and visits set timers; a timer that is due becomes one message, once for ever.
//!
//! Invariant: the occurrence's key (enrolment, step, anchor, local date) is recorded in the transaction
//! that plans its message and moves the timer on. Whatever crashes, nothing is planned twice or lost. A
//! timer says which date is next; the instant is what the zone says today, looked up again when it fires.

mod follow;
pub mod recurrence;

use std::collections::HashSet;

use jiff::civil::{Date, Time as Clock, Weekday};
use serde::{Deserialize, Serialize};

use self::recurrence::{Days, Rule, Slot};
use crate::clock::{SLACK, Time};
use crate::compose::{Arg, Args, Style};
use crate::fault;
use crate::kit::Kit;
use crate::model::{Id, Lang, Priority, Reason};
use crate::protocol::{Anchor, Every, Form, Protocol, Settings, Step};
use crate::store::appointments::{self, Visit};
use crate::store::decisions::{self, NewDecision};
use crate::store::enrolments::{self, Enrolment};
use crate::store::messages::{self, NewMessage};
use crate::store::timers::{self, Kind, NewTimer, Timer};
use crate::store::{StoreError, Tx, ahead, threads};
use crate::zone::Zone;

pub use follow::{Why, follow, zone_moved};

/// The question that a message asks, as it is kept with the message and then with the thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// The message that asks.
    pub message: i64,
    /// The enrolment that asks.
    pub enrolment: i64,
    /// Its step.
    pub step: String,
    /// For how long an answer is waited for, in milliseconds.
    pub open_for: i64,
    /// It was asked a second time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// It was answered: reading and time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<(i64, i64)>,
    /// The answers that it offers, if there are few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offers: Option<Offers>,
}

/// The answers that a question offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Offers {
    /// Yes and no.
    YesNo,
    /// One of so many, from 1.
    Choice(usize),
    /// A whole number from, to.
    Scale(i64, i64),
}

impl Offers {
    const fn of(form: &Form) -> Option<Offers> {
        match form {
            Form::YesNo => Some(Offers::YesNo),
            Form::Choice(count) => Some(Offers::Choice(*count)),
            Form::Scale(min, max) => Some(Offers::Scale(*min, *max)),
            Form::Number(_) | Form::Text | Form::Visit => None,
        }
    }
}

/// Learns the protocol versions of these hashes that another process has brought in since this one started.
///
/// # Errors
/// When the database refuses, or a stored text cannot be read.
pub async fn learn(tx: &mut Tx, kit: &Kit, enrolments: &[Enrolment]) -> Result<(), StoreError> {
    if enrolments.iter().all(|e| kit.protocols.version(&e.protocol_hash).is_some()) {
        return Ok(());
    }
    for (hash, id, text) in enrolments::protocols(tx).await? {
        if kit.protocols.version(&hash).is_none() {
            let read =
                Protocol::parse(&format!("database, protocol {id}"), &text).map_err(|e| StoreError::Unreadable(e.to_string()))?;
            kit.protocols.add(read, false);
        }
    }
    Ok(())
}

/// Enrols a patient and sets the first timers. `None` if they are enrolled already.
///
/// # Errors
/// When the protocol is unknown, or the database refuses.
pub async fn enrol(
    tx: &mut Tx,
    kit: &Kit,
    of: (Id, Id),
    protocol: &str,
    settings: &Settings,
    now: Time,
) -> Result<Option<Id>, StoreError> {
    let Some(protocol) = kit.protocols.current(protocol) else { return Err(StoreError::Missing("protocol")) };
    let json = serde_json::to_string(settings).map_err(|e| StoreError::Unreadable(e.to_string()))?;
    let Some(id) = enrolments::enrol(tx, kit.id(), of, (&protocol.id, &protocol.hash), &json, now).await? else {
        return Ok(None);
    };
    let Some(enrolment) = enrolments::get(tx, &[id.0]).await?.pop() else { return Err(StoreError::Missing("enrolment")) };
    let mut timers = Vec::new();
    let zone = zone(&enrolment.zone)?;
    let today = zone.local(now).date();
    for step in &protocol.steps {
        if let Anchor::Enrolment(every) = step.anchor
            && let Some(slot) = rule(step, every, settings, today).first(&zone, now)
        {
            timers.push(timer(kit, &enrolment, step.id.clone(), slot, 1));
        }
    }
    for visit in appointments::of_patients(tx, &[of.1.0], now).await? {
        timers.extend(visit_timers(kit, &protocol, &enrolment, &visit, now)?);
    }
    timers::set(tx, &timers).await?;
    Ok(Some(id))
}

/// Sets the reminders of a visit that was booked or moved, and calls off those of its earlier time.
///
/// # Errors
/// When the database refuses.
pub async fn visit_changed(tx: &mut Tx, kit: &Kit, visit: &Visit, now: Time) -> Result<(), StoreError> {
    messages::cancel_reminders(tx, Id(visit.id), now).await?;
    let mut timers = Vec::new();
    for enrolment in enrolments::of_patients(tx, &[visit.patient_id]).await? {
        if let Some(protocol) = kit.protocols.version(&enrolment.protocol_hash) {
            timers.extend(visit_timers(kit, &protocol, &enrolment, visit, now)?);
        }
    }
    timers::set(tx, &timers).await
}

fn visit_timers(
    kit: &Kit,
    protocol: &Protocol,
    enrolment: &Enrolment,
    visit: &Visit,
    now: Time,
) -> Result<Vec<NewTimer>, StoreError> {
    let zone = zone(&enrolment.zone)?;
    // A reminder whose time was past when the visit was booked is not late: it never was due.
    let due = reminders(protocol, &zone, visit).filter(|(_, slot)| slot.at > now);
    Ok(due.map(|(step, slot)| reminder(kit, enrolment, step, visit, slot)).collect())
}

/// Every step that reminds of a visit, with its slot.
fn reminders<'p>(protocol: &'p Protocol, zone: &Zone, visit: &Visit) -> impl Iterator<Item = (&'p Step, Slot)> {
    protocol.steps.iter().filter_map(|step| {
        let Anchor::Visit { days_before } = step.anchor else { return None };
        Some((step, recurrence::days_before(zone, Time(visit.starts_at), days_before, step.at)?))
    })
}

fn reminder(kit: &Kit, enrolment: &Enrolment, step: &Step, visit: &Visit, slot: Slot) -> NewTimer {
    timer(kit, enrolment, format!("{}/{}", step.id, Id(visit.id)), slot, visit.version)
}

fn timer(kit: &Kit, e: &Enrolment, detail: String, slot: Slot, version: i64) -> NewTimer {
    NewTimer {
        id: kit.id(),
        site: Id(e.site_id),
        patient: Some(Id(e.patient_id)),
        kind: Kind::Step,
        subject: Id(e.id),
        detail,
        slot: slot.date.to_string(),
        version,
        due: slot.at,
        priority: Priority::REMINDER,
    }
}

/// Turns due steps into messages and sets their next timers.
///
/// # Errors
/// When the database refuses, or what is stored cannot be read.
pub async fn fire_steps(tx: &mut Tx, kit: &Kit, due: &[&Timer], now: Time) -> Result<(), StoreError> {
    let mut plan = Plan::default();
    let ids: Vec<i64> = due.iter().map(|t| t.subject).collect();
    let enrolments = enrolments::get(tx, &ids).await?;
    learn(tx, kit, &enrolments).await?;
    let visits: Vec<i64> = due.iter().filter_map(|t| anchor(&t.detail).1).map(|id| id.0).collect();
    let visits = appointments::get(tx, &visits).await?;
    for timer in due {
        let Some(enrolment) = enrolments.iter().find(|e| e.id == timer.subject) else { continue };
        one(kit, timer, enrolment, &visits, now, &mut plan)?;
    }
    let planned = plan.messages.iter().map(|m| (m.occurrence.clone(), m.patient));
    let keys: Vec<_> = planned.chain(plan.skipped.iter().map(|d| (d.occurrence.clone(), d.patient))).collect();
    let new = record(tx, &keys, now).await?;
    if !new.is_empty() {
        fault::point("step.recorded");
    }
    plan.messages.retain(|m| new.contains(&m.occurrence));
    plan.skipped.retain(|d| new.contains(&d.occurrence));
    messages::plan(tx, &plan.messages).await?;
    if !plan.messages.is_empty() {
        fault::point("step.planned");
    }
    decisions::add(tx, &plan.skipped).await?;
    timers::set(tx, &plan.next).await
}

/// Records occurrences with their patients. Gives those that are new, and those that a clock that was ahead recorded in a future
/// which has not come, if nothing of theirs has gone out: they are decided again.
async fn record(tx: &mut Tx, keys: &[(String, Option<Id>)], now: Time) -> Result<HashSet<String>, StoreError> {
    let all: Vec<String> = keys.iter().map(|(key, _)| key.clone()).collect();
    let mut new: HashSet<String> = enrolments::record(tx, &all, now).await?.into_iter().collect();
    let known: Vec<_> = keys
        .iter()
        .filter(|(key, _)| !new.contains(key))
        .filter_map(|(key, patient)| Some((key.clone(), (*patient)?.0)))
        .collect();
    // Called off first: what another node puts on its way meanwhile is seen when it is asked what has left.
    let ahead = now.plus(SLACK);
    let called_off = ahead::call_off(tx, &known, ahead, now).await?;
    close_questions(tx, &called_off).await?;
    new.extend(ahead::record_again(tx, &known, ahead, now).await?);
    Ok(new)
}

/// What a message would have asked that was called off after a try is asked no more: it keeps no other question waiting.
async fn close_questions(tx: &mut Tx, called_off: &[(i64, Option<i64>)]) -> Result<(), StoreError> {
    let tried: Vec<i64> = called_off.iter().filter_map(|(_, thread)| *thread).collect();
    let threads = threads::get(tx, &tried).await?;
    let asked = |json: &str| serde_json::from_str::<Question>(json).map_or(0, |q| q.message);
    let theirs = threads.iter().filter(|t| called_off.contains(&(asked(&t.question), Some(t.id))));
    let closed: Vec<_> = theirs.map(|t| (Id(t.id), t.version, String::new(), None)).collect();
    timers::cancel_all(tx, Kind::Question, &closed.iter().map(|(id, ..)| id.0).collect::<Vec<_>>()).await?;
    threads::advance(tx, &closed).await
}

#[derive(Default)]
struct Plan {
    messages: Vec<NewMessage>,
    skipped: Vec<NewDecision>,
    next: Vec<NewTimer>,
}

fn anchor(detail: &str) -> (&str, Option<Id>) {
    match detail.split_once('/') {
        Some((step, id)) => (step, id.parse().ok()),
        None => (detail, None),
    }
}

/// The key under which an occurrence is recorded. Never the instant: a changed zone sends nothing twice.
fn key(enrolment: &Enrolment, step: &Step, visit: Option<&Visit>, slot: Slot) -> String {
    let anchor = visit.map_or_else(|| "0".to_owned(), |v| Id(v.id).to_string());
    format!("{}:{}:{anchor}:{}", Id(enrolment.id), step.id, slot.date)
}

fn one(kit: &Kit, timer: &Timer, enrolment: &Enrolment, visits: &[Visit], now: Time, plan: &mut Plan) -> Result<(), StoreError> {
    let Some(protocol) = kit.protocols.version(&enrolment.protocol_hash) else {
        return Err(StoreError::Unreadable(format!("protocol version {}", enrolment.protocol_hash)));
    };
    let (step, visit) = anchor(&timer.detail);
    let Some(step) = protocol.step(step) else { return Ok(()) };
    let settings = settings(enrolment)?;
    let zone = zone(&enrolment.zone)?;
    let date = date(timer)?;
    let visit = match visit {
        None => None,
        Some(id) => match visits.iter().find(|v| v.id == id.0 && v.version == timer.version) {
            Some(visit) => Some(visit),
            None => return Ok(()),
        },
    };
    let Some(slot) = slot(step, &settings, visit, &zone, date) else { return Ok(()) };
    // The timer was set by other rules of the zone, or for another zone: it waits for the right time.
    if slot.at > now {
        plan.next.push(self::timer(kit, enrolment, timer.detail.clone(), slot, timer.version));
        return Ok(());
    }
    if let Anchor::Enrolment(every) = step.anchor
        && enrolment.state == "active"
        && let Some(next) = rule(step, every, &settings, slot.date).next(&zone, slot.date)
    {
        plan.next.push(self::timer(kit, enrolment, timer.detail.clone(), next, 1));
    }
    let occurrence = key(enrolment, step, visit, slot);
    let due = slot.at;
    // A copy that was restored does not know what went out between its backup and then: nobody is written to twice.
    let perhaps_sent = kit.restored.is_some_and(|at| due <= at);
    if perhaps_sent || now.since(due) > step.late_within || enrolment.state != "active" {
        plan.skipped.push(NewDecision {
            id: kit.id(),
            site: Id(enrolment.site_id),
            patient: Some(Id(enrolment.patient_id)),
            message: None,
            occurrence,
            at: now,
            outcome: "skip",
            reason: match enrolment.state.as_str() {
                "active" if perhaps_sent => Reason::Restored,
                "active" => Reason::LateSkip,
                _ => Reason::EnrolmentEnded,
            },
            until: None,
            facts: String::new(),
        });
        return Ok(());
    }
    let mut message = message(kit, enrolment, &settings, step, visit, now)?;
    message.occurrence = occurrence;
    message.expires_at = Some(due.plus(step.late_within).min(visit.map_or(Time(i64::MAX), |v| Time(v.starts_at))));
    plan.messages.push(message);
    Ok(())
}

/// The message of a step, ready to be planned.
///
/// # Errors
/// When what is stored cannot be read.
pub fn message(
    kit: &Kit,
    e: &Enrolment,
    settings: &Settings,
    step: &Step,
    visit: Option<&Visit>,
    now: Time,
) -> Result<NewMessage, StoreError> {
    let mut args = Args::default()
        .with("clinic", kit.site.clinic.as_str())
        .with("phone", kit.site.phone.as_str())
        .with("name", e.called.as_str());
    if let Some(unit) = settings.unit {
        args = args.with("unit", unit.as_str());
    }
    if let Some(goal) = &settings.goal {
        args = args.with("goal", goal.as_str());
    }
    if let Some(visit) = visit {
        args = args.with("when", Arg::When { ms: Time(visit.starts_at), zone: visit.zone.clone(), style: Style::DateTime });
    }
    let lang: Lang = e.lang.parse().map_err(|_| StoreError::Unreadable(format!("language {}", e.lang)))?;
    let json = |e: serde_json::Error| StoreError::Unreadable(e.to_string());
    let id = kit.id();
    let question = match &step.asks {
        Some(ask) if ask.form != Form::Visit => serde_json::to_string(&Question {
            message: id.0,
            enrolment: e.id,
            step: step.id.clone(),
            open_for: i64::try_from(step.open_for.as_millis()).unwrap_or(i64::MAX),
            again: false,
            answered: None,
            offers: Offers::of(&ask.form),
        })
        .map_err(json)?,
        Some(_) | None => String::new(),
    };
    Ok(NewMessage {
        id,
        site: Id(e.site_id),
        patient: Some(Id(e.patient_id)),
        thread: None,
        enrolment: Some(Id(e.id)),
        occurrence: String::new(),
        appointment: visit.map(|v| (Id(v.id), v.version)),
        inbox: None,
        staff: None,
        direct: None,
        class: step.class,
        content: step.content,
        key: step.message.clone(),
        args: serde_json::to_string(&args).map_err(json)?,
        question,
        lang: lang.tag(),
        body: String::new(),
        planned_at: now,
        expires_at: None,
        ready_at: kit.clock.machine(),
    })
}

/// What an enrolment chose for itself.
///
/// # Errors
/// When what is stored cannot be read.
pub fn settings(enrolment: &Enrolment) -> Result<Settings, StoreError> {
    serde_json::from_str(&enrolment.settings).map_err(|e| StoreError::bad_json("settings of an enrolment", &e))
}

fn zone(name: &str) -> Result<Zone, StoreError> {
    name.parse().map_err(|_| StoreError::Unreadable(format!("time zone {name}")))
}

fn date(timer: &Timer) -> Result<Date, StoreError> {
    timer.slot.parse().map_err(|_| StoreError::Unreadable(format!("timer slot {}", timer.slot)))
}

/// When a timer's slot is by the zone and its rules of today: the date that it stands for stays, the instant follows.
fn slot(step: &Step, settings: &Settings, visit: Option<&Visit>, zone: &Zone, date: Date) -> Option<Slot> {
    match step.anchor {
        Anchor::Enrolment(every) => rule(step, every, settings, date).on_or_after(zone, date),
        Anchor::Visit { days_before } => recurrence::days_before(zone, Time(visit?.starts_at), days_before, step.at),
        Anchor::Reply => None,
    }
}

/// A step's rule. `from` is a date that it names: of its last slot, or of the enrolment. Days are counted from slot to slot and not
/// from the instant of the enrolment, whose date is another one in another zone.
fn rule(step: &Step, every: Every, settings: &Settings, from: Date) -> Rule {
    let at: Clock = settings.clock().unwrap_or(step.at);
    let weekday: Weekday = settings.weekday().unwrap_or_else(|| from.weekday());
    let days = match every {
        Every::Day => Days::Daily,
        Every::Week => Days::Weekly(weekday),
        Every::Days(n) => Days::Every(n),
    };
    Rule { days, at, from }
}
