//! May we send this, now, here, in these words? Pure: everything is decided from facts that are passed in.
//!
//! Invariants: after a revocation nothing goes but the one confirmation, the answer to HELP and a
//! crisis reply; nothing automatic goes into an open emergency; nothing goes outside the patient's
//! hours unless it answers what the patient just wrote; nothing says more than its contact may be told.

mod sentence;

use std::time::Duration;

use jiff::ToSpan;

use crate::clock::{SLACK, Time};
use crate::model::{Class, ContentClass, Id, Reason};
use crate::zone::Zone;

pub use sentence::sentence;

/// The hours outside which no patient is ever written to unasked, in minutes of the local day:
/// 8:00 to 21:00. Source: 47 CFR 64.1200(c)(1), taken as an outer bound although care messages are
/// seldom solicitations.
pub const OUTER_BOUND: (i64, i64) = (8 * 60, 21 * 60);

/// How long after a patient wrote an answer by staff counts as an answer, whatever the hour.
const CONVERSATION: Duration = Duration::from_secs(30 * 60);

/// How long a question waits for an answer to another one before it takes its place: an unanswered weekly question must not
/// silence a daily one.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// What is known about one patient.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Where the patient lives.
    pub zone: Zone,
    /// Agreed hours, in minutes of the local day: from (inclusive) to (exclusive).
    pub window: (i64, i64),
    /// Neutral wording always.
    pub discreet: bool,
    /// Has died.
    pub deceased: bool,
    /// Where the consent ledger stands.
    pub consent: Consent,
    /// The contacts, best first.
    pub contacts: Vec<Contact>,
    /// Whether an emergency is open.
    pub open_emergency: bool,
    /// When the patient last wrote.
    pub last_wrote: Option<Time>,
}

/// The sum of a consent ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// Given and not withdrawn.
    Given,
    /// Never recorded.
    Unrecorded,
    /// Withdrawn.
    Revoked,
}

/// A way to reach the patient.
#[derive(Debug, Clone)]
pub struct Contact {
    /// Which.
    pub id: Id,
    /// Its thread.
    pub thread: Id,
    /// Highest content class that may go there.
    pub class: ContentClass,
    /// A gateway serves its channel.
    pub served: bool,
    /// The number is dead, or was replaced.
    pub closed: bool,
    /// Consent was withdrawn for this contact alone.
    pub revoked: bool,
    /// The question that is open there: which message asks it, and until when.
    pub question: Option<(Id, Time)>,
}

/// A message that is due.
#[derive(Debug, Clone)]
pub struct Due {
    /// Which.
    pub message: Id,
    /// The thread that it belongs to: an answer goes where the patient wrote.
    pub thread: Option<Id>,
    /// Since when it waits.
    pub since: Time,
    /// It stands for a date of its own, and answers nothing that was written.
    pub dated: bool,
    /// What it is for.
    pub class: Class,
    /// How much it says.
    pub content: ContentClass,
    /// Whether it asks something that occupies the conversation.
    pub asks: bool,
    /// Whether a discreet wording exists.
    pub has_discreet: bool,
    /// When it is of no more use.
    pub expires_at: Option<Time>,
    /// Whether the visit that it speaks of still stands as it says; `None` if it speaks of none.
    pub visit_stands: Option<bool>,
    /// Whether the enrolment that asked for it runs; `None` if there is none.
    pub enrolled: Option<bool>,
    /// The contacts by which it could not be brought already.
    pub tried: Vec<Id>,
    /// The message that it says again, if it is a later rung of the ladder.
    pub rung_of: Option<Id>,
}

/// Which of the two wordings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wording {
    /// As written.
    Full,
    /// Its discreet variant.
    Discreet,
}

/// What to do with a message now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It goes to the patient's first contact.
    Send {
        /// Which contact.
        contact: Contacted,
        /// In which wording.
        wording: Wording,
    },
    /// It goes to another contact than the first, because the first may not be told this much.
    Reroute {
        /// Which contact.
        contact: Contacted,
        /// In which wording.
        wording: Wording,
    },
    /// Not before this time.
    Hold {
        /// When to decide again.
        until: Time,
    },
    /// It becomes part of another message.
    Merge {
        /// Which.
        into: Id,
    },
    /// It does not go.
    Skip,
}

/// A contact with its thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contacted {
    /// The contact.
    pub id: Id,
    /// The thread.
    pub thread: Id,
}

/// A decision with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// About which message.
    pub message: Id,
    /// What.
    pub decision: Decision,
    /// Why.
    pub reason: Reason,
}

/// Decides over all that is due for one patient now, in the order given.
#[must_use]
pub fn decide(due: &[Due], facts: &Facts, now: Time) -> Vec<Decided> {
    let mut question_open = false;
    due.iter()
        .map(|message| {
            let (decision, reason) = one(message, facts, question_open, now);
            question_open |= message.asks && matches!(decision, Decision::Send { .. } | Decision::Reroute { .. });
            Decided { message: message.message, decision, reason }
        })
        .collect()
}

/// How a message relates to the rules: what it is exempt from follows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Crisis replies, confirmations of STOP and START, HELP: always go.
    Always,
    /// Answers what the patient just wrote: any hour.
    Answer,
    /// Written by a person.
    Staff,
    /// Everything that the service starts by itself.
    Outreach,
}

fn kind(class: Class) -> Kind {
    match class {
        Class::Crisis | Class::Consent => Kind::Always,
        Class::Answer => Kind::Answer,
        Class::Staff => Kind::Staff,
        Class::Question | Class::Reminder | Class::Bulk => Kind::Outreach,
    }
}

fn one(due: &Due, facts: &Facts, question_opens_now: bool, now: Time) -> (Decision, Reason) {
    let kind = kind(due.class);
    // A clock that was ahead planned it: nothing is decided about a day before that day. What goes on with a conversation
    // belongs to no day.
    if kind == Kind::Outreach && due.dated && due.since > now.plus(SLACK) {
        return (Decision::Hold { until: due.since }, Reason::ClockAhead);
    }
    if let Some(reason) = void(due, facts, kind, now) {
        return (Decision::Skip, reason);
    }
    let (decision, reason) = route(due, facts, kind);
    let contact = match &decision {
        Decision::Send { contact, .. } | Decision::Reroute { contact, .. } => *contact,
        Decision::Hold { .. } | Decision::Merge { .. } | Decision::Skip => return (decision, reason),
    };
    if let Some((until, why)) = wait(due, facts, kind, contact, question_opens_now, now) {
        if due.expires_at.is_some_and(|end| end <= until) {
            return (Decision::Skip, why);
        }
        return (Decision::Hold { until }, why);
    }
    (decision, if kind == Kind::Answer { Reason::Reply } else { reason })
}

/// Why a message must not go at all, whatever the hour.
fn void(due: &Due, facts: &Facts, kind: Kind, now: Time) -> Option<Reason> {
    if facts.deceased && kind != Kind::Staff {
        return Some(Reason::Deceased);
    }
    if due.expires_at.is_some_and(|end| end <= now) {
        return Some(Reason::Expired);
    }
    if kind == Kind::Always {
        return None;
    }
    match facts.consent {
        Consent::Revoked => return Some(Reason::Revoked),
        Consent::Unrecorded if kind == Kind::Outreach => return Some(Reason::NoConsent),
        Consent::Unrecorded | Consent::Given => {}
    }
    if kind == Kind::Outreach && facts.open_emergency {
        return Some(Reason::OpenEmergency);
    }
    if due.visit_stands == Some(false) {
        return Some(Reason::VisitChanged);
    }
    if due.enrolled == Some(false) {
        return Some(Reason::EnrolmentEnded);
    }
    None
}

/// The contacts that a message may still go to, whatever it says, best first.
fn usable<'f>(due: &'f Due, facts: &'f Facts, kind: Kind) -> impl Iterator<Item = &'f Contact> {
    let open = move |c: &&Contact| c.served && !c.closed && (!c.revoked || kind == Kind::Always);
    facts.contacts.iter().filter(open).filter(|c| !due.tried.contains(&c.id))
}

/// Whether a message goes on to the next contact where one fails. What answers somebody's words, and what confirms a STOP, belongs
/// where it was asked for.
#[must_use]
pub const fn climbs(class: Class) -> bool {
    match class {
        Class::Crisis | Class::Question | Class::Reminder | Class::Bulk | Class::Staff => true,
        Class::Answer | Class::Consent => false,
    }
}

/// Whether there is a contact to go to after this one.
#[must_use]
pub fn next_rungs(due: &Due, facts: &Facts, after: Id) -> bool {
    climbs(due.class) && usable(due, facts, kind(due.class)).any(|c| c.id != after)
}

/// Which contact may be told this, and in which wording.
fn route(due: &Due, facts: &Facts, kind: Kind) -> (Decision, Reason) {
    // Who just wrote from a contact can be answered there, whatever was known about it before.
    let own =
        facts.contacts.iter().find(|c| c.served && due.thread == Some(c.thread) && matches!(kind, Kind::Always | Kind::Answer));
    let mut usable: Vec<_> = usable(due, facts, kind).filter(|c| own.is_none_or(|own| own.id != c.id)).collect();
    if let Some(own) = own.filter(|own| (!own.revoked || kind == Kind::Always) && !due.tried.contains(&own.id)) {
        usable.insert(0, own);
    }
    let Some(first) = usable.first() else { return (Decision::Skip, Reason::NoContact) };
    let to = |c: &Contact| Contacted { id: c.id, thread: c.thread };
    // The first way did not work: by the next one, and its timeline says why.
    let first_way = |contact, wording| {
        if due.tried.is_empty() {
            (Decision::Send { contact, wording }, Reason::Allowed)
        } else {
            (Decision::Reroute { contact, wording }, Reason::NextRung)
        }
    };
    let wording = if facts.discreet { Wording::Discreet } else { Wording::Full };
    // A person's words have no other wording: they are as the person wrote them, and shown the limit before.
    if kind == Kind::Staff || first.class >= due.content {
        return first_way(to(first), wording);
    }
    // A crisis reply never waits for a better contact.
    if kind == Kind::Always {
        return first_way(to(first), Wording::Discreet);
    }
    if let Some(better) = usable.iter().find(|c| c.class >= due.content) {
        return (Decision::Reroute { contact: to(better), wording }, Reason::ClassLimit);
    }
    if due.has_discreet {
        return first_way(to(first), Wording::Discreet);
    }
    (Decision::Skip, Reason::ClassLimit)
}

/// Until when a message must wait, and why.
fn wait(due: &Due, facts: &Facts, kind: Kind, contact: Contacted, question_opens_now: bool, now: Time) -> Option<(Time, Reason)> {
    // What a clock that was ahead received is no fresh word.
    let answers = facts.last_wrote.is_some_and(|at| at <= now.plus(SLACK) && now.since(at) <= CONVERSATION);
    let any_hour = match kind {
        Kind::Always | Kind::Answer => true,
        Kind::Staff => facts.open_emergency || answers,
        // The next question of a conversation that the patient is in.
        Kind::Outreach => {
            due.asks && due.class == Class::Question && answers && due.enrolled.is_some() && in_bounds(facts, OUTER_BOUND, now)
        }
    };
    if !any_hour && let Some(until) = window_opens(facts, now) {
        return Some((until, Reason::QuietHours));
    }
    if due.asks {
        // A message that is tried again, or said again by another contact, does not wait for itself.
        let open = facts.contacts.iter().find(|c| c.id == contact.id).and_then(|c| c.question);
        let patience = due.since.plus(PATIENCE);
        if let Some((_, until)) =
            open.filter(|(by, until)| *by != due.message && Some(*by) != due.rung_of && *until > now && now < patience)
        {
            return Some((until.min(patience), Reason::QuestionOpen));
        }
        if question_opens_now {
            return Some((now.plus(Duration::from_secs(15 * 60)), Reason::QuestionOpen));
        }
    }
    None
}

fn in_bounds(facts: &Facts, window: (i64, i64), now: Time) -> bool {
    let local = facts.zone.local(now).time();
    let minute = i64::from(local.hour()) * 60 + i64::from(local.minute());
    window.0 <= minute && minute < window.1
}

/// When the patient's hours begin; `None` if they are now.
fn window_opens(facts: &Facts, now: Time) -> Option<Time> {
    let window = (facts.window.0.max(OUTER_BOUND.0), facts.window.1.min(OUTER_BOUND.1));
    if in_bounds(facts, window, now) {
        return None;
    }
    let opens = i8::try_from(window.0 / 60).ok().zip(i8::try_from(window.0 % 60).ok());
    let clock = opens.and_then(|(hour, minute)| jiff::civil::Time::new(hour, minute, 0, 0).ok())?;
    let mut date = facts.zone.local(now).date();
    loop {
        let (day, at) = facts.zone.first_from(date, clock)?;
        if at > now {
            return Some(at);
        }
        date = day.checked_add(1.day()).ok()?;
    }
}

#[cfg(test)]
mod tests;
