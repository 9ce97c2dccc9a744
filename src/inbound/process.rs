//! One batch of the inbox: facts are read for all rows at once, each thread is worked in order, and all
//! that follows is written in the transaction that marks the rows as done.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;

use super::doors;
use super::effects::{Together, Write};
use super::parts;
use super::receive::Coming;
use crate::clock::Time;
use crate::conversation::{Heard, Open, Reading, Situation, Visit, step};
use crate::delivery::apply_receipts;
use crate::fault;
use crate::kit::Kit;
use crate::model::{Address, Channel, ContentClass, Id, Media, Priority, Severity};
use crate::protocol::{Protocol, WeightUnit};
use crate::schedule::{self, Question};
use crate::store::appointments::Visit as VisitRow;
use crate::store::enrolments::Enrolment;
use crate::store::escalations::Escalation;
use crate::store::facts::{self, Facts};
use crate::store::inbox::{self, Done, Waiting};
use crate::store::patients::{self, NewContact};
use crate::store::readings::Reading as ReadingRow;
use crate::store::threads::{self, Thread};
use crate::store::timers::{self, Kind, NewTimer, Timer};
use crate::store::{Db, Lane, StoreError, Tx, appointments, enrolments, escalations, pause, readings};
use crate::triage::{Context, Verdict};

/// Rows worked in one transaction.
const BATCH: i64 = 500;
/// Rows worked in one transaction while more is coming in: what came in is stored first, and the most pressing is worked all the same.
const BATCH_IN_A_BURST: i64 = 64;
/// So often the same words come from a machine, not from a person, in [`REPEATS_IN`].
const REPEATS: usize = 3;
/// So many texts in [`REPEATS_IN`] come from a machine.
const MANY: usize = 20;
/// Over what time repetitions count.
const REPEATS_IN: Duration = Duration::from_secs(10 * 60);
/// Texts of one person within this time are read together.
const TOGETHER: Duration = Duration::from_secs(120);
/// How far back readings are compared.
const HISTORY: Duration = Duration::from_secs(100 * 86_400);

/// Works the inbox.
#[derive(Debug, Clone)]
pub struct Desk {
    kit: Arc<Kit>,
    db: Db,
    coming: Coming,
}

impl Desk {
    /// A desk.
    #[must_use]
    pub fn new(kit: Arc<Kit>, db: Db, coming: Coming) -> Desk {
        Desk { kit, db, coming }
    }

    /// Works one batch. Gives how many rows were done.
    ///
    /// A row that breaks the batch is found by working its rows one by one; it is tried three times and
    /// then given to a person, so that it never wedges the inbox.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn tick(&self) -> Result<usize, StoreError> {
        let batch = if self.coming.is_any() { BATCH_IN_A_BURST } else { BATCH };
        match self.work(batch).await {
            Ok(done) => Ok(done),
            Err(StoreError::Conflict) => self.work(batch).await,
            Err(e) if !e.is_poison() => Err(e),
            Err(e) => {
                tracing::error!(error = %e, "a batch of the inbox could not be processed; working its rows one by one");
                self.one_by_one().await
            }
        }
    }

    async fn work(&self, limit: i64) -> Result<usize, StoreError> {
        self.work_noting(limit, &Arc::default()).await
    }

    /// Works a batch; `first` becomes the row that it begins with.
    async fn work_noting(&self, limit: i64, first: &Arc<AtomicI64>) -> Result<usize, StoreError> {
        let (kit, first) = (Arc::clone(&self.kit), Arc::clone(first));
        let done = self
            .db
            .write(Lane::Work, move |tx| {
                async move {
                    let rows = inbox::waiting(tx, limit).await?;
                    first.store(rows.first().map_or(0, |r| r.id), Ordering::Relaxed);
                    batch(tx, &kit, &rows).await
                }
                .boxed()
            })
            .await?;
        if done > 0 {
            fault::point("desk.committed");
        }
        Ok(done)
    }

    async fn one_by_one(&self) -> Result<usize, StoreError> {
        let mut done = 0;
        for _ in 0..BATCH {
            let row = Arc::new(AtomicI64::new(0));
            match self.work_noting(1, &row).await {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(e) if !e.is_poison() => return Err(e),
                Err(e) => {
                    tracing::error!(error = %e, "an inbox row could not be processed");
                    self.set_aside(row.load(Ordering::Relaxed)).await?;
                    done += 1;
                }
            }
        }
        Ok(done)
    }

    /// Counts a failed try of a row; at the third a person gets it.
    async fn set_aside(&self, row: i64) -> Result<(), StoreError> {
        let kit = Arc::clone(&self.kit);
        self.db
            .write(Lane::Work, move |tx| {
                async move {
                    let Some(row) = inbox::waiting(tx, 1).await?.pop().filter(|r| r.id == row) else { return Ok(()) };
                    if inbox::fail(tx, row.id).await? >= 3 {
                        super::effects::give_to_person(tx, &kit, &row).await?;
                    }
                    Ok(())
                }
                .boxed()
            })
            .await
    }
}

/// All that is known about the people of a batch.
struct Known {
    threads: Vec<Thread>,
    facts: Facts,
    enrolments: Vec<Enrolment>,
    visits: Vec<VisitRow>,
    reminded: HashSet<i64>,
    readings: HashMap<i64, Vec<ReadingRow>>,
    escalations: Vec<Escalation>,
    crisis: Vec<(i64, i64, String)>,
    /// What each patient wrote in the last minutes: (patient, words, when).
    lately: Vec<(i64, String, i64)>,
    names: Vec<(i64, String)>,
    /// Nothing goes out: a crisis reply neither.
    paused: bool,
}

async fn batch(tx: &mut Tx, kit: &Kit, rows: &[Waiting]) -> Result<usize, StoreError> {
    if rows.is_empty() {
        return Ok(0);
    }
    fault::point("desk.taken");
    let now = kit.now();
    let receipts: Vec<&Waiting> = rows.iter().filter(|r| r.kind == "receipt").collect();
    let applied = apply_receipts(tx, kit, &receipts, now).await?;
    let mut done: Vec<Done> = applied.into_iter().map(|id| Done { id, ..Done::default() }).collect();

    let parts = parts::join(rows, now);
    inbox::put_last(tx, &parts.waiting).await?;
    done.extend(parts.joined.iter().map(|id| Done { id: *id, read_as: "Part of a longer text".into(), ..Done::default() }));
    let messages = parts.texts.iter().map(AsRef::as_ref);
    let (doors, texts): (Vec<&Waiting>, Vec<&Waiting>) = messages.partition(|r| doors::is_one(r));
    // First who comes and goes: what the same people wrote is read with it.
    for row in doors {
        done.push(doors::pass(tx, kit, row, now).await?);
    }
    if !texts.is_empty() {
        let mut known = load(tx, &texts, now).await?;
        schedule::learn(tx, kit, &known.enrolments).await?;
        // By person in the order in which they wrote; the most pressing person first.
        let mut by_address: BTreeMap<(i64, i64), Vec<&Waiting>> = BTreeMap::new();
        let mut place = HashMap::new();
        for row in texts {
            let key = *place.entry(row.address_hash.clone()).or_insert((row.priority, row.id));
            by_address.entry(key).or_default().push(row);
        }
        let mut together = Together::default();
        for mut rows in by_address.into_values() {
            rows.sort_by_key(|r| r.id);
            for row in rows {
                done.push(one(tx, kit, &mut known, row, &mut together, now).await?);
            }
        }
        together.write(tx).await?;
    }
    inbox::finish(tx, &done, now).await?;
    fault::point("desk.finished");
    Ok(done.len())
}

async fn load(tx: &mut Tx, texts: &[&Waiting], now: Time) -> Result<Known, StoreError> {
    let hashes: Vec<&str> = texts.iter().map(|r| r.address_hash.as_str()).collect();
    let threads = threads::of_addresses(tx, &hashes).await?;
    let patients: Vec<i64> = threads.iter().map(|t| t.patient_id).collect::<BTreeSet<_>>().into_iter().collect();
    let visits = appointments::of_patients(tx, &patients, now).await?;
    let ids: Vec<i64> = visits.iter().map(|v| v.id).collect();
    let escalations = escalations::unresolved(tx, &patients).await?;
    let first = texts.iter().map(|r| r.id).min().unwrap_or(0);
    Ok(Known {
        facts: facts::load(tx, &patients, &ids).await?,
        enrolments: enrolments::of_patients(tx, &patients).await?,
        reminded: appointments::reminded(tx, &ids).await?,
        readings: by_patient(readings::since(tx, &patients, now.minus(HISTORY)).await?),
        crisis: escalations::crisis_replies(tx, &escalations.iter().map(|e| e.id).collect::<Vec<_>>(), now).await?,
        lately: inbox::lately(tx, &patients, now.minus(REPEATS_IN.max(TOGETHER)), first).await?,
        names: crate::store::staff::names(tx).await?,
        paused: pause::current(tx).await?.is_some(),
        threads,
        visits,
        escalations,
    })
}

fn by_patient(readings: Vec<ReadingRow>) -> HashMap<i64, Vec<ReadingRow>> {
    let mut by_patient: HashMap<i64, Vec<ReadingRow>> = HashMap::new();
    for reading in readings {
        by_patient.entry(reading.patient_id).or_default().push(reading);
    }
    by_patient
}

async fn one(
    tx: &mut Tx,
    kit: &Kit,
    known: &mut Known,
    row: &Waiting,
    together: &mut Together,
    now: Time,
) -> Result<Done, StoreError> {
    let mut sharing = known.on_this_phone(row);
    if sharing.is_empty() && same_number(tx, kit, known, row, now).await? {
        sharing = known.on_this_phone(row);
    }
    let Some((thread, certain)) = whose(&sharing, known, now) else {
        let verdict = kit.triage.assess(&row.body, &Context { lang: None, question: None, previous: &[] });
        return super::effects::unknown_sender(tx, kit, row, &verdict, known.paused, now).await;
    };
    let patient = thread.patient_id;
    let Some(facts) = known.facts.patients.iter().find(|p| p.id == patient).cloned() else {
        return Err(StoreError::Missing("patient"));
    };
    let question: Option<Question> = match thread.question.as_str() {
        "" => None,
        // Nobody knows whose answer it would be: it is nobody's.
        _ if !certain => None,
        json => Some(serde_json::from_str(json).map_err(|e| StoreError::bad_json("question of a thread", &e))?),
    };
    let enrolment = question.as_ref().and_then(|q| known.enrolments.iter().find(|e| e.id == q.enrolment)).cloned();
    let protocol: Option<Arc<Protocol>> = enrolment.as_ref().and_then(|e| kit.protocols.version(&e.protocol_hash));
    let settings = enrolment.as_ref().map(schedule::settings).transpose()?.unwrap_or_default();
    let asked = question.as_ref().zip(protocol.as_ref()).and_then(|(q, p)| p.step(&q.step).map(|step| (q, step)));

    let of_patient = || known.lately.iter().filter(|l| l.0 == patient);
    let previous: Vec<String> = of_patient().filter(|l| now.since(Time(l.2)) <= TOGETHER).map(|l| l.1.clone()).collect();
    let same = of_patient().filter(|l| l.1 == row.body && !row.body.is_empty()).count();
    let repeats = same >= REPEATS || of_patient().count() >= MANY;
    let media: Option<Media> = row.media.parse().ok();
    let lang = facts.lang.parse().map_err(|_| StoreError::Unreadable(format!("language {}", facts.lang)))?;
    let topic = asked.filter(|(q, _)| q.answered.is_none()).and_then(|(_, s)| s.asks.as_ref()).and_then(|a| a.reading.as_deref());
    let mut verdict = kit.triage.assess(&row.body, &Context { lang: Some(lang), question: topic, previous: &previous });
    fault::point("desk.assessed");
    let unread = row.body.trim().is_empty() && media != Some(Media::Sticker);
    if unread && verdict.severity < Severity::Routine {
        verdict.severity = Severity::Routine;
    }
    let zone: crate::zone::Zone = facts.zone.parse().map_err(|_| StoreError::Unreadable(format!("time zone {}", facts.zone)))?;
    let visits: Vec<Visit> = known
        .visits
        .iter()
        .filter(|v| {
            v.patient_id == patient
                && certain
                && known.reminded.contains(&v.id)
                && !matches!(v.state.as_str(), "cancelled" | "kept" | "missed")
        })
        .map(|v| Visit { id: Id(v.id), starts: Time(v.starts_at), state: v.state.clone() })
        .collect();
    let readings = known.readings.get(&patient).map(Vec::as_slice).unwrap_or_default();
    let history: Vec<Reading> = readings
        .iter()
        .filter(|r| !readings.iter().any(|later| later.corrects == Some(r.id)))
        // What an answer would correct is not part of the history that it is judged by.
        .filter(|r| question.as_ref().and_then(|q| q.answered).is_none_or(|(id, _)| id != r.id))
        .filter_map(|r| Some(Reading { kind: r.kind.clone(), value: r.value?, unit: r.unit.clone(), at: Time(r.at) }))
        .collect();
    let revoked = sharing.iter().all(|t| known.withdrawn(t));
    let emergency = known.escalations.iter().filter(|e| e.patient_id == Some(patient) && e.severity == "emergency");
    let crisis_reply =
        emergency.filter_map(|e| known.crisis.iter().rfind(|c| c.0 == e.id).map(|c| (Time(c.1), c.2.clone()))).max();
    let coordinator = facts.coordinator_id.and_then(|id| known.names.iter().find(|n| n.0 == id));
    let who = coordinator.map_or(facts.sender.clone(), |(_, name)| name.split_whitespace().next().unwrap_or(name).to_owned());
    let situation = Situation {
        lang,
        zone,
        open: asked.map(|(q, step)| Open {
            step,
            unit: settings.unit.unwrap_or(WeightUnit::Lb),
            words: kit.catalogue.options(lang, &step.message),
            asked_again: q.again,
            answered: q.answered.map(|(id, at)| (Id(id), Time(at))),
        }),
        visits: &visits,
        readings: &history,
        revoked,
        crisis_reply,
        who,
        site: kit.site.clone(),
        // In the last minutes of a shift the promised time would fall after closing.
        staffed: kit.hours.staffed(now) && kit.hours.staffed(kit.hours.due(Severity::Emergency, now)),
        opens: kit.hours.opens(now),
        due: (
            kit.hours.due(Severity::Routine, now),
            kit.hours.due(Severity::Urgent, now),
            kit.hours.due(Severity::Emergency, now),
        ),
        now,
    };
    let heard = Heard { text: &row.body, verdict: &verdict, media, answered: row.answered.parse().ok(), repeats };
    let outcome = step(&heard, &situation, &kit.reader);

    let mut write = Write::new(kit, (&thread, &facts, row), question, sharing.len(), together, now);
    write.paused(known.paused);
    write.follow_up(enrolment.as_ref().zip(protocol.as_ref()), &settings);
    let unresolved: Vec<Escalation> = known.escalations.iter().filter(|e| e.patient_id == Some(patient)).cloned().collect();
    let changed = write.all(tx, &outcome, unresolved, &sharing).await?;
    fault::point("desk.effects");
    known.note(&thread, &changed, tx).await?;
    Ok(done(row, &thread, &verdict, outcome.read_as))
}

/// Somebody whom we know by text writes by another channel of the same number: it is the same person. The new contact may be told
/// times and places, until they agree to more there. Gives whether anybody is known by this number.
async fn same_number(tx: &mut Tx, kit: &Kit, known: &mut Known, row: &Waiting, now: Time) -> Result<bool, StoreError> {
    let channel: Channel = row.channel.parse().map_err(|_| StoreError::Unreadable(format!("channel {}", row.channel)))?;
    // A number that was closed, for it is somebody else's now, opens no new contact.
    let open =
        |t: &&Thread| known.facts.contacts_of(t.patient_id).iter().any(|c| c.contact_id == t.contact_id && c.state == "active");
    let others: Vec<Thread> = known.threads.iter().filter(|t| t.address_hash == row.address_hash).filter(open).cloned().collect();
    for other in &others {
        let person = Id(other.person_id);
        let new = NewContact {
            id: kit.id(),
            person,
            channel,
            address: Address::new(row.address.as_str()),
            hash: row.address_hash.clone(),
            class: ContentClass::Logistics,
            terms: String::new(),
        };
        let site = Id(other.site_id);
        let contact = patients::put_contact(tx, site, &new, now).await?;
        let of = (person, Id(other.patient_id), contact);
        let thread = threads::ensure(tx, kit.id(), site, channel, &row.address_hash, of, now).await?;
        known.threads.extend(threads::get(tx, &[thread.0]).await?);
    }
    Ok(!others.is_empty())
}

/// Whose words they are, among the threads of one phone, and whether that is certain: the one whose question is open, or
/// whose visit was reminded of. Where several could be meant, or none of several, it is not.
fn whose(sharing: &[Thread], known: &Known, now: Time) -> Option<(Thread, bool)> {
    let [first, rest @ ..] = sharing else { return None };
    if rest.is_empty() {
        return Some((first.clone(), true));
    }
    let asked = |t: &Thread| t.question_due.is_some_and(|due| due > now.0);
    let reminded = |t: &Thread| {
        let theirs = |v: &VisitRow| v.patient_id == t.patient_id && v.state == "booked" && known.reminded.contains(&v.id);
        known.visits.iter().any(theirs)
    };
    let could: Vec<&Thread> = sharing.iter().filter(|t| asked(t) || reminded(t)).collect();
    match could.as_slice() {
        [one] => Some(((*one).clone(), true)),
        _ => Some((first.clone(), false)),
    }
}

impl Known {
    /// The threads of the phone and channel that a row came by.
    fn on_this_phone(&self, row: &Waiting) -> Vec<Thread> {
        self.threads.iter().filter(|t| t.address_hash == row.address_hash && t.channel == row.channel).cloned().collect()
    }

    /// Whether the ledger stands at "withdrawn", for the patient or for this one contact.
    fn withdrawn(&self, thread: &Thread) -> bool {
        let of = |contact: Option<i64>| {
            let of_patient = |c: &&facts::ConsentFacts| c.patient_id == thread.patient_id && c.contact_id == contact;
            self.facts.consents.iter().rfind(of_patient).is_some_and(|c| c.action == "withdrawn")
        };
        of(None) || of(Some(thread.contact_id))
    }

    /// What a row changed, for the next row of the same batch.
    async fn note(&mut self, thread: &Thread, changed: &super::effects::Changed, tx: &mut Tx) -> Result<(), StoreError> {
        if let Some(t) = self.threads.iter_mut().find(|t| t.id == thread.id) {
            t.question.clone_from(&changed.question);
        }
        if changed.escalated {
            self.escalations.retain(|e| e.patient_id != Some(thread.patient_id));
            self.escalations.extend(escalations::unresolved(tx, &[thread.patient_id]).await?);
        }
        self.crisis.extend(changed.crisis.clone());
        self.readings.entry(thread.patient_id).or_default().extend(changed.readings.iter().cloned());
        self.facts.consents.extend(changed.consents.iter().cloned());
        if let Some((visit, state)) = &changed.visit
            && let Some(v) = self.visits.iter_mut().find(|v| v.id == *visit)
        {
            v.state.clone_from(state);
        }
        self.lately.push((thread.patient_id, changed.heard.clone(), changed.heard_at));
        Ok(())
    }
}

fn done(row: &Waiting, thread: &Thread, verdict: &Verdict, read_as: String) -> Done {
    Done {
        id: row.id,
        site: Some(thread.site_id),
        patient: Some(thread.patient_id),
        thread: Some(thread.id),
        severity: verdict.severity.as_str().to_owned(),
        verdict: serde_json::to_string(&verdict.because).unwrap_or_default(),
        read_as,
    }
}

/// Questions whose time is over are closed; what comes later is read without them.
///
/// # Errors
/// When the database refuses.
pub async fn fire_questions(tx: &mut Tx, due: &[&Timer], now: Time) -> Result<(), StoreError> {
    for timer in due {
        threads::expire_question(tx, Id(timer.subject), now).await?;
        fault::point("question.expired");
    }
    Ok(())
}

/// The clock went back: a question that was asked while it was ahead waits for an answer as long as one that is asked now.
///
/// # Errors
/// When the database refuses, or a question cannot be read.
pub async fn clock_went_back(tx: &mut Tx, kit: &Kit, now: Time) -> Result<(), StoreError> {
    let open: Vec<i64> = timers::later_than(tx, Kind::Question, now).await?.iter().map(|t| t.subject).collect();
    let (mut asked, mut timers) = (Vec::new(), Vec::new());
    for thread in threads::get(tx, &open).await? {
        let (Some(due), Ok(question)) = (thread.question_due, serde_json::from_str::<Question>(&thread.question)) else {
            continue;
        };
        let until = now.plus(Duration::from_millis(question.open_for.unsigned_abs()));
        if due > until.0 {
            asked.push((Id(thread.id), thread.question, until));
            timers.push(NewTimer {
                id: kit.id(),
                site: Id(thread.site_id),
                patient: Some(Id(thread.patient_id)),
                kind: Kind::Question,
                subject: Id(thread.id),
                detail: String::new(),
                slot: String::new(),
                version: 0,
                due: until,
                priority: Priority::REMINDER,
            });
        }
    }
    threads::ask(tx, &asked).await?;
    timers::set(tx, &timers).await
}
