//! One claim on its way: what goes, what waits, what ends, and all that is written about it.

use std::collections::BTreeSet;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::choices::choices;
use super::pace::{Cost, Paces};
use super::prepare::Ready;
use super::say::{Said, say};
use super::ways::{AHEAD, Gateways, Openings};
use crate::clock::Time;
use crate::compose::{Args, Encoding, segments};
use crate::fault;
use crate::gateway::{Choice, Gateway, Outgoing};
use crate::kit::Kit;
use crate::model::{Address, Category, Channel, Class, Id, MessageState, Priority, Reason, Severity, hex};
use crate::policy::{self, Contacted, Decided, Decision, Due, Facts, Wording};
use crate::schedule::Question;
use crate::store::decisions::{self, NewDecision};
use crate::store::messages::{self, Claimed, Lease, Prepared, Settled};
use crate::store::rungs::{self, Deferred};
use crate::store::timers::{self, Kind, NewTimer};
use crate::store::{StoreError, Tx, facts, pace, threads};

/// A message that waits for a shut gateway and is of no use after this time is told of: somebody can call.
const SOON_OVER: Duration = Duration::from_secs(30 * 60);

/// For how long free words may go where others need approved ones: a little less than WhatsApp's 24 hours, since a message is
/// under way for a while.
const CONVERSATION: Duration = Duration::from_mins(24 * 60 - 5);

/// Whom a message goes to, on which channel: messages of one person keep their order.
fn person(channel: Channel, to: &Address) -> String {
    format!("{channel} {}", to.expose())
}

/// A message that may go, if it has a place.
pub(super) struct Going {
    pub(super) row: Claimed,
    /// The contact and its thread; `None` for somebody unknown.
    pub(super) whose: Option<Contacted>,
    pub(super) channel: Channel,
    pub(super) gateway: String,
    pub(super) to: Address,
    pub(super) said: Said,
    pub(super) in_conversation: bool,
    pub(super) decided: (&'static str, Reason),
    pub(super) has_next_rung: bool,
}

pub(super) struct Batch<'a> {
    kit: &'a Kit,
    ways: &'a Gateways,
    now: Time,
    lease_until: Time,
    pub(super) ready: Vec<Ready>,
    going: Vec<Going>,
    deferred: Vec<Deferred>,
    paces: Vec<(String, i64)>,
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
    pub(super) fn new(kit: &'a Kit, ways: &'a Gateways, now: Time, lease_until: Time) -> Batch<'a> {
        Batch {
            kit,
            ways,
            now,
            lease_until,
            ready: Vec::new(),
            going: Vec::new(),
            deferred: Vec::new(),
            paces: Vec::new(),
            prepared: Vec::new(),
            settled: Vec::new(),
            decisions: Vec::new(),
            holds: Vec::new(),
            questions: Vec::new(),
            question_timers: Vec::new(),
            for_people: Vec::new(),
        }
    }

    pub(super) fn settle(
        &mut self,
        row: &Claimed,
        due: &Due,
        decided: &Decided,
        facts: &Facts,
        known: &facts::Facts,
    ) -> Result<(), StoreError> {
        let rest = |contact: Contacted| policy::next_rungs(due, facts, contact.id);
        match &decided.decision {
            Decision::Send { contact, wording } => {
                self.send(row, (*contact, *wording, rest(*contact)), ("send", decided.reason), known)
            }
            Decision::Reroute { contact, wording } => {
                self.send(row, (*contact, *wording, rest(*contact)), ("reroute", decided.reason), known)
            }
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

    pub(super) fn skip(&mut self, row: &Claimed, reason: Reason) {
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
            | Reason::NextRung
            | Reason::Restored => return,
        };
        self.tell(row, what, Severity::Routine);
    }

    /// A row that this version cannot read: it fails, a person is told, and it holds up no other.
    pub(super) fn poison(&mut self, row: &Claimed, e: &StoreError) {
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
        (contact, wording, has_next_rung): (Contacted, Wording, bool),
        decided: (&'static str, Reason),
        known: &facts::Facts,
    ) -> Result<(), StoreError> {
        let own = known.contacts_of(row.patient_id.unwrap_or_default());
        let found = own.iter().find(|c| c.contact_id == contact.id.0 && c.thread_id == contact.thread.0);
        let Some(found) = found else { return Err(StoreError::Missing("contact")) };
        let channel: Channel = found.channel.parse().map_err(|_| StoreError::Unreadable("a channel".into()))?;
        let Some(gateway) = self.ways.best(channel, self.kit.clock.machine()) else {
            return Err(StoreError::Missing("gateway"));
        };
        let Some(said) = say(self.kit, row, wording, Some(gateway))? else {
            self.skip(row, Reason::NoText);
            return Ok(());
        };
        let heard = known.heard_on(contact.thread.0).map(Time);
        self.going.push(Going {
            row: row.clone(),
            whose: Some(contact),
            channel,
            gateway: gateway.name().to_owned(),
            to: Address::new(found.address.as_str()),
            said,
            in_conversation: heard.is_some_and(|at| at <= self.now && self.now.since(at) < CONVERSATION),
            decided,
            has_next_rung,
        });
        Ok(())
    }

    /// An answer to somebody who is nobody's patient.
    pub(super) fn direct(&mut self, row: &Claimed) -> Result<(), StoreError> {
        if row.expires_at.is_some_and(|end| end <= self.now.0) {
            self.skip(row, Reason::Expired);
            return Ok(());
        }
        let Some(said) = say(self.kit, row, Wording::Full, self.ways.named(&row.via_gateway))? else {
            self.skip(row, Reason::NoText);
            return Ok(());
        };
        let gateway = row.via_gateway.clone();
        let Some(channel) = self.ways.named(&gateway).map(Gateway::channel) else { return Err(StoreError::Missing("gateway")) };
        self.going.push(Going {
            row: row.clone(),
            whose: None,
            channel,
            gateway,
            to: Address::new(row.to_address.as_str()),
            said,
            // They have written just now.
            in_conversation: true,
            decided: ("send", Reason::Reply),
            has_next_rung: false,
        });
        Ok(())
    }

    /// Gives places and times to what may go, the most pressing first. What finds none waits for its gateway, or for the message to
    /// the same person that is before it. A crisis reply waits for nothing.
    pub(super) async fn admit(
        &mut self,
        tx: &mut Tx,
        openings: &mut Openings,
        (own, shared): (Time, Time),
    ) -> Result<(), StoreError> {
        let mut going = std::mem::take(&mut self.going);
        going.sort_by_key(|g| (g.row.priority, g.row.planned_at, g.row.id));
        let ways: Vec<Vec<(String, Vec<Cost>)>> = going.iter().map(|g| self.ways_of(g)).collect();
        let keys: BTreeSet<&str> = ways.iter().flatten().flat_map(|(_, costs)| costs).map(|cost| cost.key.as_str()).collect();
        let mut paces = Paces::new(pace::of(tx, &keys.into_iter().collect::<Vec<_>>()).await?);
        let begins = shared.0.saturating_mul(1000);
        for (mut going, ways) in going.into_iter().zip(ways) {
            let crisis = going.row.class == Class::Crisis.as_str();
            let costs = |name: &str| ways.iter().find(|w| w.0 == name).map_or(&[][..], |w| w.1.as_slice());
            // In this process's own machine time.
            let at = |slot: i64| own.plus(Duration::from_micros(slot.saturating_sub(begins).unsigned_abs()));
            let ready = |name: &str| at(paces.slot(costs(name), begins));
            let place = if crisis { Ok(going.gateway.clone()) } else { self.place(&going, &ways, openings, (own, &ready)) };
            let gateway = match place {
                Ok(gateway) => gateway,
                Err((lane, until)) => {
                    self.wait(&going, lane, until);
                    continue;
                }
            };
            let slot = if crisis { begins } else { paces.slot(costs(&gateway), begins) };
            paces.take(costs(&gateway), slot);
            going.gateway = gateway;
            if let Err(e) = self.go(&going, Some(at(slot)).filter(|at| *at > own)) {
                self.poison(&going.row, &e);
            }
        }
        self.paces = paces.moved();
        Ok(())
    }

    /// The gateway that takes a message now; else the lane in which it waits, and until when. The first gateway of its channel that
    /// takes messages; one that is only tried out takes one, and those behind it the rest.
    fn place(
        &self,
        going: &Going,
        ways: &[(String, Vec<Cost>)],
        openings: &mut Openings,
        (own, ready): (Time, &dyn Fn(&str) -> Time),
    ) -> Result<String, (String, Time)> {
        if let Some(until) = self.ways.waits_for_another(&person(going.channel, &going.to), own) {
            return Err((String::new(), until));
        }
        for (name, _) in ways {
            if openings.shut_until(name).is_some() {
                continue;
            }
            let at = ready(name);
            if at > own.plus(AHEAD) {
                return Err((name.clone(), at));
            }
            if openings.take(name) {
                return Ok(name.clone());
            }
            if !openings.probes(name) {
                return Err((name.clone(), own));
            }
        }
        // All that there is for it is left alone, or is being tried out.
        let (lane, until) = ways
            .iter()
            .map(|(name, _)| (name, openings.shut_until(name).unwrap_or(own.plus(Duration::from_secs(1)))))
            .min_by_key(|(_, until)| *until)
            .map_or((String::new(), own), |(name, until)| (name.clone(), until));
        Err((lane, until))
    }

    /// Waits in a lane. Who would have been glad of it in time is called instead.
    fn wait(&mut self, going: &Going, lane: String, until: Time) {
        let soon_over = going.row.expires_at.is_some_and(|end| Time(end) <= self.now.plus(SOON_OVER));
        if soon_over && self.ways.is_shut(&lane) {
            let what = "A message waits for a provider that does not answer, and is of no use soon: call";
            self.tell(&going.row, what, Severity::Routine);
        }
        self.deferred.push((Id(going.row.id), lane, until));
    }

    /// The gateways by which a message can go, in the order of preference, with what it costs of their paces. An answer to somebody
    /// unknown goes by the one that they wrote to.
    fn ways_of(&self, going: &Going) -> Vec<(String, Vec<Cost>)> {
        let count = || i64::try_from(segments(&going.said.text).count).unwrap_or(i64::MAX);
        let costs = |gateway: &Gateway| {
            let (name, limits) = (gateway.name(), gateway.limits());
            let of_gateway = limits.per_second.map(|rate| Cost::of_gateway(name, rate, count()));
            let hash = || self.kit.hash(going.channel, &going.to);
            let of_address = limits.pair.map(|pair| Cost::of_address(name, &hash(), pair));
            of_gateway.into_iter().chain(of_address).collect()
        };
        let fits = |g: &&Gateway| match going.whose {
            Some(_) => g.channel() == going.channel,
            None => g.name() == going.gateway,
        };
        self.ways.all().filter(fits).map(|gateway| (gateway.name().to_owned(), costs(gateway))).collect()
    }

    /// It goes: its decision, the question that it opens, its text and its attempt are written.
    fn go(&mut self, going: &Going, not_before: Option<Time>) -> Result<(), StoreError> {
        let row = &going.row;
        let class = row.class.parse().map_err(|_| StoreError::Unreadable(format!("class {}", row.class)))?;
        if let (Some(whose), Some(question)) = (going.whose, question(row)?) {
            let until = self.now.plus(Duration::from_millis(question.open_for.unsigned_abs()));
            self.questions.push((whose.thread, row.question.clone(), until));
            self.question_timers.push(self.timer(row, Kind::Question, whose.thread, until));
        }
        self.decisions.push(self.decision(row, going.decided.0, going.decided.1, None, String::new()));
        let parts = segments(&going.said.text);
        let count = i64::try_from(parts.count).unwrap_or(i64::MAX);
        let reference = self.kit.dice.token();
        let (contact, thread) = (going.whose.map(|w| w.id), going.whose.map(|w| w.thread));
        let patient = row.patient_id.map(Id);
        self.prepared.push(Prepared {
            id: Id(row.id),
            contact,
            thread,
            body: going.said.text.clone(),
            body_lang: going.said.lang.tag(),
            encoding: parts.encoding.as_str(),
            segments: count,
            gateway: going.gateway.clone(),
            n: row.attempts,
            reference: reference.clone(),
            patient,
        });
        self.ready.push(Ready {
            id: Id(row.id),
            n: row.attempts,
            site: Id(row.site_id),
            patient,
            contact,
            class,
            gateway: going.gateway.clone(),
            outgoing: Outgoing {
                expires_in: row.expires_at.map(|end| Time(end).since(self.now)),
                ucs2: parts.encoding == Encoding::Ucs2,
                segments: count,
                choices: self.choices(going)?,
                wording: going.said.wording.clone(),
                in_conversation: going.in_conversation,
                ..Outgoing::plain((Id(row.id), row.attempts), going.to.clone(), &going.said.text, reference)
            },
            lease_until: self.lease_until,
            decided: self.now,
            not_before,
            has_next_rung: going.has_next_rung,
            gives_receipts: self.ways.named(&going.gateway).is_some_and(Gateway::gives_receipts),
            group: person(going.channel, &going.to),
        });
        Ok(())
    }

    /// The answers that a message offers, for channels with buttons.
    fn choices(&self, going: &Going) -> Result<Vec<Choice>, StoreError> {
        let row = &going.row;
        if going.channel == Channel::Sms {
            return Ok(Vec::new());
        }
        let args: Args = serde_json::from_str(&row.args).map_err(|e| StoreError::bad_json("arguments of a message", &e))?;
        let visit = row.appointment_id.is_some() && row.class == Class::Reminder.as_str();
        Ok(choices(&self.kit.catalogue, going.said.lang, (&row.key, &args), question(row)?.as_ref(), visit))
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

    pub(super) async fn write(&self, tx: &mut Tx, lease: Lease<'_>) -> Result<(), StoreError> {
        rungs::defer(tx, &self.deferred).await?;
        pace::set(tx, &self.paces).await?;
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

pub(super) fn question(row: &Claimed) -> Result<Option<Question>, StoreError> {
    if row.question.is_empty() {
        return Ok(None);
    }
    serde_json::from_str(&row.question).map(Some).map_err(|e| StoreError::bad_json("question of a message", &e))
}
