//! Writes what follows from a reply: all of it in the caller's transaction.

use std::collections::BTreeMap;

use crate::clock::Time;
use crate::compose::Args;
use crate::conversation::{Effect, Outcome};
use crate::escalation::{self, Request};
use crate::kit::{Kit, SITE};
use crate::model::{Category, Class, ContentClass, Id, Lang, Priority, Severity};
use crate::protocol::{Protocol, Settings, Step};
use crate::schedule::{self, Question};
use crate::store::consents::{self, ConsentEvent};
use crate::store::enrolments::Enrolment;
use crate::store::escalations::{self, Escalation, NewEvent};
use crate::store::facts::{ConsentFacts, PatientFacts};
use crate::store::inbox::{Done, Waiting};
use crate::store::messages::{self, NewMessage};
use crate::store::readings::{self, NewReading, Reading};
use crate::store::threads::{self, Thread};
use crate::store::{StoreError, Tx, appointments, timers};
use crate::triage::Verdict;

/// What changed, for the next row of the same person.
#[derive(Debug, Default)]
pub(super) struct Changed {
    pub(super) question: String,
    pub(super) moved: bool,
    pub(super) escalated: bool,
    /// A crisis reply was planned: for which item, when, and which.
    pub(super) crisis: Option<(i64, i64, String)>,
    pub(super) readings: Vec<Reading>,
    pub(super) consents: Vec<ConsentFacts>,
    pub(super) visit: Option<(i64, String)>,
    pub(super) heard: String,
    pub(super) heard_at: i64,
}

/// What a whole batch of replies writes at its end, in a statement a table: what no other reply of the batch has to find there.
#[derive(Debug, Default)]
pub(super) struct Together {
    messages: Vec<NewMessage>,
    readings: Vec<NewReading>,
    /// By thread: the version that was read, the question, and until when.
    moved: BTreeMap<i64, (i64, String, Option<Time>)>,
}

impl Together {
    /// Writes it.
    ///
    /// # Errors
    /// When the database refuses, or a thread has moved meanwhile.
    pub(super) async fn write(self, tx: &mut Tx) -> Result<(), StoreError> {
        readings::add(tx, &self.readings).await?;
        let closed: Vec<i64> = self.moved.iter().filter(|(_, (_, _, until))| until.is_none()).map(|(id, _)| *id).collect();
        let moved: Vec<_> =
            self.moved.into_iter().map(|(id, (version, question, until))| (Id(id), version, question, until)).collect();
        threads::advance(tx, &moved).await?;
        timers::cancel_all(tx, timers::Kind::Question, &closed).await?;
        messages::plan(tx, &self.messages).await
    }
}

/// Writes the effects of one reply.
pub(super) struct Write<'a> {
    kit: &'a Kit,
    thread: &'a Thread,
    patient: &'a PatientFacts,
    row: &'a Waiting,
    question: Option<Question>,
    sharing: usize,
    paused: bool,
    now: Time,
    next: Option<(&'a Enrolment, &'a Protocol, Settings)>,
    together: &'a mut Together,
    changed: Changed,
}

impl<'a> Write<'a> {
    pub(super) fn new(
        kit: &'a Kit,
        (thread, patient, row): (&'a Thread, &'a PatientFacts, &'a Waiting),
        question: Option<Question>,
        sharing: usize,
        together: &'a mut Together,
        now: Time,
    ) -> Write<'a> {
        let changed = Changed {
            question: thread.question.clone(),
            heard: row.body.clone(),
            heard_at: row.received_at,
            ..Changed::default()
        };
        Write { kit, thread, patient, row, question, sharing, paused: false, now, next: None, together, changed }
    }

    /// Nothing goes out: an emergency says so.
    pub(super) fn paused(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Where the next question of the same protocol would come from.
    pub(super) fn follow_up(&mut self, asked: Option<(&'a Enrolment, &'a std::sync::Arc<Protocol>)>, settings: &Settings) {
        self.next = asked.map(|(enrolment, protocol)| (enrolment, protocol.as_ref(), settings.clone()));
    }

    pub(super) async fn all(
        mut self,
        tx: &mut Tx,
        outcome: &Outcome,
        mut open: Vec<Escalation>,
        sharing: &[Thread],
    ) -> Result<Changed, StoreError> {
        let mut item = None;
        let mut crisis = None;
        let mut reading = None;
        for effect in &outcome.effects {
            match effect {
                Effect::Say { key, args, class, content } => {
                    if *class == Class::Crisis {
                        crisis = Some(key.clone());
                    }
                    self.say(key, args, *class, *content)?;
                }
                Effect::Record { kind, value, unit, words, corrects } => {
                    reading = Some(self.record((kind, *value, unit, words), *corrects));
                }
                Effect::Open { severity, category, reason } => {
                    item = Some(self.escalate(tx, &open, *severity, *category, reason).await?);
                    open = escalations::unresolved(tx, &[self.thread.patient_id]).await?;
                }
                Effect::Revoke => self.consent(tx, false, sharing).await?,
                Effect::Restore => self.consent(tx, true, sharing).await?,
                Effect::Visit { id, state } => {
                    appointments::answer(tx, *id, state, "", self.now).await?;
                    if *state != "confirmed" {
                        messages::cancel_reminders(tx, *id, self.now).await?;
                    }
                    self.changed.visit = Some((id.0, (*state).to_owned()));
                }
                Effect::Answered => {
                    if let (Some(question), Some(reading)) = (self.question.as_mut(), reading) {
                        question.answered = Some((reading, self.now.0));
                    }
                    self.keep_question()?;
                }
                Effect::AskedAgain => {
                    if let Some(question) = self.question.as_mut() {
                        question.again = true;
                    }
                    self.keep_question()?;
                }
                Effect::Dropped => {
                    self.changed.question = String::new();
                    self.changed.moved = true;
                }
                Effect::Ask { step } => self.ask(step)?,
            }
        }
        if let (Some(item), Some(key)) = (item, crisis) {
            escalations::add_event(tx, &self.event(item, "crisis", key.clone())).await?;
            self.changed.crisis = Some((item.0, self.now.0, key));
        }
        if self.changed.moved {
            let until = if self.answered() { None } else { self.thread.question_due.map(Time) };
            let question = self.changed.question.clone();
            self.together.moved.insert(self.thread.id, (self.thread.version, question, until));
        }
        Ok(self.changed)
    }

    fn answered(&self) -> bool {
        self.changed.question.is_empty() || self.question.as_ref().is_some_and(|q| q.answered.is_some())
    }

    fn keep_question(&mut self) -> Result<(), StoreError> {
        if let Some(question) = &self.question {
            self.changed.question = serde_json::to_string(question).map_err(|e| StoreError::Unreadable(e.to_string()))?;
            self.changed.moved = true;
        }
        Ok(())
    }

    fn say(&mut self, key: &str, args: &Args, class: Class, content: ContentClass) -> Result<(), StoreError> {
        let lang: Lang =
            self.patient.lang.parse().map_err(|_| StoreError::Unreadable(format!("language {}", self.patient.lang)))?;
        self.together.messages.push(NewMessage {
            id: self.kit.id(),
            site: Id(self.thread.site_id),
            patient: Some(Id(self.thread.patient_id)),
            thread: Some(Id(self.thread.id)),
            enrolment: None,
            occurrence: String::new(),
            appointment: None,
            inbox: Some(Id(self.row.id)),
            staff: None,
            direct: None,
            class,
            content,
            key: key.to_owned(),
            args: serde_json::to_string(args).map_err(|e| StoreError::Unreadable(e.to_string()))?,
            question: String::new(),
            lang: lang.tag(),
            body: String::new(),
            planned_at: self.now,
            // An answer that is hours late only confuses; a crisis reply after an hour is a person's to make good.
            expires_at: Some(self.now.plus(std::time::Duration::from_secs(3600))),
            ready_at: self.kit.clock.machine(),
        });
        Ok(())
    }

    fn ask(&mut self, step: &str) -> Result<(), StoreError> {
        let Some((enrolment, protocol, settings)) = &self.next else { return Ok(()) };
        let Some(step): Option<&Step> = protocol.step(step) else { return Ok(()) };
        let mut message = schedule::message(self.kit, enrolment, settings, step, None, self.now)?;
        message.thread = Some(Id(self.thread.id));
        message.inbox = Some(Id(self.row.id));
        message.expires_at = Some(self.now.plus(step.late_within));
        self.together.messages.push(message);
        Ok(())
    }

    fn record(&mut self, (kind, value, unit, words): (&str, Option<f64>, &str, &str), corrects: Option<Id>) -> i64 {
        let id = self.kit.id();
        self.together.readings.push(NewReading {
            id,
            site: Id(self.thread.site_id),
            patient: Id(self.thread.patient_id),
            kind: kind.to_owned(),
            value,
            unit: unit.to_owned(),
            words: words.to_owned(),
            inbox: Some(Id(self.row.id)),
            corrects,
            at: self.now,
        });
        self.changed.readings.push(Reading {
            id: id.0,
            patient_id: self.thread.patient_id,
            kind: kind.to_owned(),
            value,
            unit: unit.to_owned(),
            words: words.to_owned(),
            corrects: corrects.map(|c| c.0),
            at: self.now.0,
        });
        id.0
    }

    async fn escalate(
        &mut self,
        tx: &mut Tx,
        open: &[Escalation],
        severity: Severity,
        category: Category,
        reason: &str,
    ) -> Result<Id, StoreError> {
        let shared = if self.sharing > 1 {
            format!(" ({} people share this phone: not certain who wrote)", self.sharing)
        } else {
            String::new()
        };
        let request = Request {
            site: Id(self.thread.site_id),
            patient: Some(Id(self.thread.patient_id)),
            coordinator: self.patient.coordinator_id.map(Id),
            inbox: Some(Id(self.row.id)),
            severity,
            category,
            reason: format!("{reason}{shared}{}", unanswered(self.paused, severity)),
        };
        self.changed.escalated = true;
        escalation::open(tx, self.kit, open, &request, waits_since(self.row, self.now)).await
    }

    /// A wish to stop is honoured for everybody on the phone; a wish to start for whom the thread belongs to.
    async fn consent(&mut self, tx: &mut Tx, given: bool, sharing: &[Thread]) -> Result<(), StoreError> {
        let whole = sharing.iter().filter(|t| !given || t.id == self.thread.id).map(|t| (t, None));
        // A contact that had blocked us is opened by the same word.
        let own = given.then_some((self.thread, Some(Id(self.thread.contact_id))));
        for (thread, contact) in whole.chain(own) {
            let event = ConsentEvent {
                id: self.kit.id(),
                site: Id(thread.site_id),
                patient: Id(thread.patient_id),
                contact,
                given,
                class: ContentClass::Logistics,
                method: "text".into(),
                lang: self.patient.lang.clone(),
                wording: String::new(),
                staff: None,
                inbox: Some(Id(self.row.id)),
                at: self.now,
            };
            consents::add(tx, &event).await?;
            let action = if given { "given" } else { "withdrawn" };
            self.changed.consents.push(ConsentFacts {
                patient_id: thread.patient_id,
                contact_id: contact.map(|c| c.0),
                action: action.into(),
                at: self.now.0,
            });
        }
        if !given {
            self.changed.question = String::new();
            self.changed.moved |= !self.thread.question.is_empty();
        }
        Ok(())
    }

    fn event(&self, item: Id, kind: &'static str, detail: String) -> NewEvent {
        NewEvent {
            id: self.kit.id(),
            escalation: item,
            patient: Some(Id(self.thread.patient_id)),
            at: self.now,
            kind,
            staff: None,
            inbox: Some(Id(self.row.id)),
            detail,
        }
    }
}

/// Since when whoever wrote has waited: also where the service did not run. Never since a future that has not come, which another
/// process or a clock that was ahead may have written down.
fn waits_since(row: &Waiting, now: Time) -> Time {
    Time(row.received_at).min(now)
}

/// What an emergency's item says when no crisis reply can go.
fn unanswered(paused: bool, severity: Severity) -> &'static str {
    if paused && severity == Severity::Emergency { "; sending is paused, so no crisis reply goes: call now" } else { "" }
}

/// Somebody who is nobody's patient wrote: still triaged, answered once a day, listed for a person.
pub(super) async fn unknown_sender(
    tx: &mut Tx,
    kit: &Kit,
    row: &Waiting,
    verdict: &Verdict,
    paused: bool,
    now: Time,
) -> Result<Done, StoreError> {
    let words = verdict.headline();
    let wrote = if words.is_empty() { "An unknown number wrote".to_owned() } else { format!("An unknown number wrote: {words}") };
    let reason = format!("{wrote}{}", unanswered(paused, verdict.severity));
    let request = Request {
        site: SITE,
        patient: None,
        coordinator: None,
        inbox: Some(Id(row.id)),
        severity: verdict.severity.max(Severity::Routine),
        category: verdict.categories.first().copied().unwrap_or(Category::ContactRequest),
        reason,
    };
    escalation::open(tx, kit, &[], &request, waits_since(row, now)).await?;
    // Once a day; to a cry for help once in a quarter of an hour, so that two machines never talk all night. An answer to
    // other words never stands for the answer to a cry.
    let cries = verdict.severity == Severity::Emergency;
    let quiet = if cries { 15 * 60 } else { 86_400 };
    let since = now.minus(std::time::Duration::from_secs(quiet));
    if !messages::answered_lately(tx, (&row.gateway, &row.address), cries, since).await? {
        // Nobody knows what language they read: the one of the rule that saw most, else English.
        let lang = verdict.because.first().and_then(|f| f.pack.parse::<Lang>().ok()).unwrap_or(Lang::En);
        let args = Args::default().with("phone", kit.site.phone.as_str()).with("emergency", kit.site.emergency.as_str());
        let message = NewMessage {
            id: kit.id(),
            site: SITE,
            patient: None,
            thread: None,
            enrolment: None,
            occurrence: String::new(),
            appointment: None,
            inbox: Some(Id(row.id)),
            staff: None,
            direct: Some((row.gateway.clone(), row.address.clone())),
            class: if cries { Class::Crisis } else { Class::Answer },
            content: ContentClass::Logistics,
            key: "unknown-sender".into(),
            args: serde_json::to_string(&args).map_err(|e| StoreError::Unreadable(e.to_string()))?,
            question: String::new(),
            lang: lang.tag(),
            body: String::new(),
            planned_at: now,
            expires_at: Some(now.plus(std::time::Duration::from_secs(3600))),
            ready_at: kit.clock.machine(),
        };
        messages::plan(tx, &[message]).await?;
    }
    Ok(Done {
        id: row.id,
        site: Some(SITE.0),
        severity: verdict.severity.as_str().to_owned(),
        verdict: serde_json::to_string(&verdict.because).unwrap_or_default(),
        ..Done::default()
    })
}

/// A row that breaks whatever reads it: a person reads it instead.
pub(super) async fn give_to_person(tx: &mut Tx, kit: &Kit, row: &Waiting) -> Result<(), StoreError> {
    let request = Request {
        site: SITE,
        patient: None,
        coordinator: None,
        inbox: Some(Id(row.id)),
        // A red flag stays one, also when nothing else could be read.
        severity: if row.priority == Priority::CRISIS.0 { Severity::Emergency } else { Severity::Urgent },
        category: Category::Technical,
        reason: "A message could not be processed: read it, and find whose it is".into(),
    };
    escalation::open(tx, kit, &[], &request, kit.now()).await?;
    Ok(())
}
