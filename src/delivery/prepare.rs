//! Inside the claim's transaction: facts are read for the whole batch, each message is decided, and what
//! goes gets its text. The decision that was made last before sending is the one that counts.

use std::collections::{BTreeMap, HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::Gateways;
use super::choices::choices;
use crate::clock::Time;
use crate::compose::{Args, Encoding, fold, segments};
use crate::fault;
use crate::gateway::{self, Choice, Outgoing};
use crate::kit::Kit;
use crate::model::{Address, Body, Category, Channel, Class, Id, Lang, MessageState, Priority, Reason, Severity, hex};
use crate::policy::{self, Consent, Contact, Contacted, Decided, Decision, Due, Facts, Wording};
use crate::schedule::Question;
use crate::store::decisions::{self, NewDecision};
use crate::store::messages::{self, Claimed, Lease, Prepared, Settled};
use crate::store::timers::{self, Kind, NewTimer};
use crate::store::{StoreError, Tx, enrolments, facts, threads};

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
    /// What keeps its order: messages of one group go one after the other.
    pub group: String,
}

/// Claims up to `limit` messages that are at least as pressing as `least`, decides them, and prepares what goes.
///
/// # Errors
/// When the database refuses: then nothing is claimed.
pub async fn claim(
    tx: &mut Tx,
    kit: &Kit,
    ways: &Gateways,
    (limit, least): (i64, Priority),
    now: Time,
) -> Result<(Vec<Ready>, usize), StoreError> {
    // The lease is kept by the database's clock, which all nodes share; what this process checks is its own.
    let lease = kit.delivery.lease;
    let shared = kit.shared_machine(tx).await?;
    let own = kit.clock.machine();
    let lease_until = own.plus(lease);
    // What this process put into the queue was ready by its own clock, which may be ahead of the shared one.
    let claimed = messages::claim(tx, shared.max(own), (limit, least)).await?;
    if claimed.is_empty() {
        return Ok((Vec::new(), 0));
    }
    fault::point("claim.picked");
    let mut batch = Batch::new(kit, ways, now, lease_until);
    let by_patient = grouped(&claimed);
    let patients: Vec<i64> = by_patient.keys().copied().collect();
    let visits: Vec<i64> = claimed.iter().filter_map(|m| m.appointment_id).collect();
    let enrolled: Vec<i64> = claimed.iter().filter_map(|m| m.enrolment_id).collect();
    let known = facts::load(tx, &patients, &visits).await?;
    let running = enrolments::active(tx, &enrolled).await?;
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
            match due(row, &known, &running, kit) {
                Ok(due) => {
                    dues.push(due);
                    sound.push(*row);
                }
                Err(e) => batch.poison(row, &e),
            }
        }
        for (row, decided) in sound.iter().zip(policy::decide(&dues, &facts, now)) {
            if let Err(e) = batch.settle(row, &decided, &facts, &known) {
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
    batch.write(tx, Lease { owner: &kit.owner, until: shared.plus(lease) }).await?;
    fault::point("claim.written");
    Ok((batch.ready, claimed.len()))
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
        contacts.push(Contact {
            id: Id(c.contact_id),
            thread: Id(c.thread_id),
            class: c.class.parse().map_err(|_| unreadable("a content class"))?,
            served: ways.serving(channel).is_some(),
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

fn due(m: &Claimed, known: &facts::Facts, running: &HashSet<i64>, kit: &Kit) -> Result<Due, StoreError> {
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
        class,
        content: m.content.parse().map_err(|_| unreadable(format!("content class {}", m.content)))?,
        asks: !m.question.is_empty(),
        has_discreet: kit.catalogue.discreet(&m.key) != m.key,
        expires_at: m.expires_at.map(Time),
        // Only a reminder follows its visit; the answer "we noted that you can't come" still goes.
        visit_stands: visit.filter(|_| class == Class::Reminder),
        enrolled: m.enrolment_id.map(|id| running.contains(&id)),
    })
}

struct Batch<'a> {
    kit: &'a Kit,
    ways: &'a Gateways,
    now: Time,
    lease_until: Time,
    ready: Vec<Ready>,
    prepared: Vec<Prepared>,
    settled: Vec<Settled>,
    decisions: Vec<NewDecision>,
    holds: Vec<NewTimer>,
    questions: Vec<(Id, String, Time)>,
    question_timers: Vec<NewTimer>,
    /// What a person must make good: site, patient, how soon, in words.
    for_people: Vec<(Id, Option<Id>, Severity, &'static str)>,
}

impl<'a> Batch<'a> {
    fn new(kit: &'a Kit, ways: &'a Gateways, now: Time, lease_until: Time) -> Batch<'a> {
        Batch {
            kit,
            ways,
            now,
            lease_until,
            ready: Vec::new(),
            prepared: Vec::new(),
            settled: Vec::new(),
            decisions: Vec::new(),
            holds: Vec::new(),
            questions: Vec::new(),
            question_timers: Vec::new(),
            for_people: Vec::new(),
        }
    }

    fn settle(&mut self, row: &Claimed, decided: &Decided, facts: &Facts, known: &facts::Facts) -> Result<(), StoreError> {
        match &decided.decision {
            Decision::Send { contact, wording } => self.send(row, *contact, *wording, ("send", decided.reason), known),
            Decision::Reroute { contact, wording } => self.send(row, *contact, *wording, ("reroute", decided.reason), known),
            Decision::Hold { until } => {
                self.decide(row, "hold", decided.reason, Some(*until), facts);
                self.settled.push((Id(row.id), MessageState::Held, decided.reason.as_str().into(), self.kit.clock.machine()));
                self.holds.push(self.timer(row, Kind::Hold, Id(row.id), *until));
                Ok(())
            }
            Decision::Merge { .. } => {
                self.decide(row, "merge", decided.reason, None, facts);
                self.settled.push((
                    Id(row.id),
                    MessageState::Cancelled,
                    decided.reason.as_str().into(),
                    self.kit.clock.machine(),
                ));
                Ok(())
            }
            Decision::Skip => {
                self.decide(row, "skip", decided.reason, None, facts);
                self.drop(row, decided.reason);
                Ok(())
            }
        }
    }

    fn skip(&mut self, row: &Claimed, reason: Reason) {
        self.decisions.push(self.decision(row, "skip", reason, None, String::new()));
        self.drop(row, reason);
    }

    /// Ends a message that does not go; what a person must make good for is told to one.
    fn drop(&mut self, row: &Claimed, reason: Reason) {
        let state = if reason == Reason::Expired { MessageState::Expired } else { MessageState::Skipped };
        self.settled.push((Id(row.id), state, reason.as_str().into(), self.kit.clock.machine()));
        let what = match reason {
            _ if row.class == Class::Staff.as_str() => {
                "A reply by staff did not go: look at the timeline for why, and call instead"
            }
            Reason::ClassLimit => "A message says more than this contact may be told: call instead",
            Reason::NoContact => "There is no way left to send a message: find another contact",
            Reason::NoText => "A message could not be written: its text or an argument is missing",
            _ if row.class == Class::Crisis.as_str() => "The crisis reply did not go: call now",
            Reason::Allowed
            | Reason::Reply
            | Reason::QuietHours
            | Reason::Revoked
            | Reason::NoConsent
            | Reason::OpenEmergency
            | Reason::VisitChanged
            | Reason::Expired
            | Reason::Deceased
            | Reason::EnrolmentEnded
            | Reason::LateSkip
            | Reason::QuestionOpen
            | Reason::ClockAhead
            | Reason::Restored => return,
        };
        self.tell(row, what, Severity::Routine);
    }

    /// A row that this version cannot read: it fails, a person is told, and it holds up no other.
    fn poison(&mut self, row: &Claimed, e: &StoreError) {
        tracing::error!(id = %Id(row.id), error = %e, "a message cannot be read; it is given to a person");
        self.settled.push((Id(row.id), MessageState::Failed, "unreadable".into(), self.kit.clock.machine()));
        self.tell(row, "A message could not be prepared and was not sent: look at the timeline and call", Severity::Urgent);
    }

    /// Whatever keeps a crisis reply from going is an emergency of its own.
    fn tell(&mut self, row: &Claimed, what: &'static str, severity: Severity) {
        let (severity, what) = if row.class == Class::Crisis.as_str() {
            (Severity::Emergency, "The crisis reply did not go: call now")
        } else {
            (severity, what)
        };
        self.for_people.push((Id(row.site_id), row.patient_id.map(Id), severity, what));
    }

    fn send(
        &mut self,
        row: &Claimed,
        contact: Contacted,
        wording: Wording,
        decided: (&'static str, Reason),
        known: &facts::Facts,
    ) -> Result<(), StoreError> {
        let own = known.contacts_of(row.patient_id.unwrap_or_default());
        let found = own.iter().find(|c| c.contact_id == contact.id.0 && c.thread_id == contact.thread.0);
        let Some(found) = found else { return Err(StoreError::Missing("contact")) };
        let channel: Channel = found.channel.parse().map_err(|_| StoreError::Unreadable("a channel".into()))?;
        let Some(gateway) = self.ways.serving(channel).map(|g| g.name().to_owned()) else {
            return Err(StoreError::Missing("gateway"));
        };
        let Some((text, lang)) = self.text(row, wording)? else {
            self.skip(row, Reason::NoText);
            return Ok(());
        };
        self.decisions.push(self.decision(row, decided.0, decided.1, None, String::new()));
        if let Some(question) = question(row)? {
            let until = self.now.plus(std::time::Duration::from_millis(question.open_for.unsigned_abs()));
            self.questions.push((contact.thread, row.question.clone(), until));
            self.question_timers.push(self.timer(row, Kind::Question, contact.thread, until));
        }
        self.go(row, (Some(contact.id), Some(contact.thread)), &gateway, &Address::new(found.address.as_str()), text, lang)
    }

    /// An answer to somebody who is nobody's patient.
    fn direct(&mut self, row: &Claimed) -> Result<(), StoreError> {
        if row.expires_at.is_some_and(|end| end <= self.now.0) {
            self.skip(row, Reason::Expired);
            return Ok(());
        }
        let Some((text, lang)) = self.text(row, Wording::Full)? else {
            self.skip(row, Reason::NoText);
            return Ok(());
        };
        self.decisions.push(self.decision(row, "send", Reason::Reply, None, String::new()));
        let gateway = row.via_gateway.clone();
        self.go(row, (None, None), &gateway, &Address::new(row.to_address.as_str()), text, lang)
    }

    fn go(
        &mut self,
        row: &Claimed,
        (contact, thread): (Option<Id>, Option<Id>),
        gateway: &str,
        to: &Address,
        text: String,
        lang: Lang,
    ) -> Result<(), StoreError> {
        let parts = segments(&text);
        let reference = self.kit.dice.token();
        self.prepared.push(Prepared {
            id: Id(row.id),
            contact,
            thread,
            body: text.clone(),
            body_lang: lang.tag(),
            encoding: parts.encoding.as_str(),
            segments: i64::try_from(parts.count).unwrap_or(i64::MAX),
            gateway: gateway.to_owned(),
            n: row.attempts,
            reference: reference.clone(),
            patient: row.patient_id.map(Id),
        });
        let class = row.class.parse().map_err(|_| StoreError::Unreadable(format!("class {}", row.class)))?;
        self.ready.push(Ready {
            id: Id(row.id),
            n: row.attempts,
            site: Id(row.site_id),
            patient: row.patient_id.map(Id),
            contact,
            class,
            gateway: gateway.to_owned(),
            outgoing: Outgoing {
                message: Id(row.id),
                attempt: row.attempts,
                to: to.clone(),
                text: Body::new(text),
                reference,
                expires_in: row.expires_at.map(|end| Time(end).since(self.now)),
                ucs2: parts.encoding == Encoding::Ucs2,
                choices: self.choices(row, gateway, lang)?,
                wording: gateway::Wording::default(),
                in_conversation: false,
            },
            lease_until: self.lease_until,
            decided: self.now,
            group: format!("{gateway} {}", to.expose()),
        });
        Ok(())
    }

    fn choices(&self, row: &Claimed, gateway: &str, lang: Lang) -> Result<Vec<Choice>, StoreError> {
        if self.ways.named(gateway).is_none_or(|gateway| gateway.channel() == Channel::Sms) {
            return Ok(Vec::new());
        }
        let visit = row.appointment_id.is_some() && row.class == Class::Reminder.as_str();
        Ok(choices(&self.kit.catalogue, lang, (&row.key, &args(row)?), question(row)?.as_ref(), visit))
    }

    /// The text, or `None` if it cannot be made.
    fn text(&self, row: &Claimed, wording: Wording) -> Result<Option<(String, Lang)>, StoreError> {
        let lang: Lang = row.lang.parse().map_err(|_| StoreError::Unreadable(format!("language {}", row.lang)))?;
        if row.key == "staff" {
            return Ok(Some((row.body.clone(), lang)));
        }
        let args = args(row)?;
        let key = match wording {
            Wording::Full => row.key.clone(),
            Wording::Discreet => self.kit.catalogue.discreet(&row.key),
        };
        match self.kit.catalogue.render(lang, &key, &args) {
            Ok(rendered) => Ok(Some((fold(rendered.text.expose()), rendered.lang))),
            Err(e) => {
                tracing::error!(id = %Id(row.id), key, error = %e, "a message could not be written");
                Ok(None)
            }
        }
    }

    fn decide(&mut self, row: &Claimed, outcome: &'static str, reason: Reason, until: Option<Time>, facts: &Facts) {
        let digest = Sha256::digest(format!("{facts:?}").as_bytes());
        self.decisions.push(self.decision(row, outcome, reason, until, hex(&digest[..8])));
    }

    fn decision(&self, row: &Claimed, outcome: &'static str, reason: Reason, until: Option<Time>, facts: String) -> NewDecision {
        NewDecision {
            id: self.kit.id(),
            site: Id(row.site_id),
            patient: row.patient_id.map(Id),
            message: Some(Id(row.id)),
            occurrence: row.occurrence.clone(),
            at: self.now,
            outcome,
            reason,
            until,
            facts,
        }
    }

    fn timer(&self, row: &Claimed, kind: Kind, subject: Id, due: Time) -> NewTimer {
        NewTimer {
            id: self.kit.id(),
            site: Id(row.site_id),
            patient: row.patient_id.map(Id),
            kind,
            subject,
            detail: String::new(),
            slot: String::new(),
            version: row.attempts,
            due,
            priority: Priority(row.priority),
        }
    }

    async fn write(&self, tx: &mut Tx, lease: Lease<'_>) -> Result<(), StoreError> {
        decisions::add(tx, &self.decisions).await?;
        messages::settle(tx, &self.settled, self.now).await?;
        timers::set(tx, &self.holds).await?;
        messages::prepare(tx, &self.prepared, self.kit.catalogue.version(), lease, self.now).await?;
        fault::point("claim.prepared");
        threads::ask(tx, &self.questions).await?;
        timers::set(tx, &self.question_timers).await?;
        for (site, patient, severity, what) in &self.for_people {
            super::acknowledge::tell(tx, self.kit, (*site, *patient), (*severity, Category::Technical), what, self.now).await?;
        }
        Ok(())
    }
}

/// The message that asks the open question of a thread.
fn question_by(json: &str) -> Id {
    Id(serde_json::from_str::<Question>(json).map_or(0, |q| q.message))
}

fn args(row: &Claimed) -> Result<Args, StoreError> {
    serde_json::from_str(&row.args).map_err(|e| StoreError::bad_json("arguments of a message", &e))
}

fn question(row: &Claimed) -> Result<Option<Question>, StoreError> {
    if row.question.is_empty() {
        return Ok(None);
    }
    serde_json::from_str(&row.question).map(Some).map_err(|e| StoreError::bad_json("question of a message", &e))
}
