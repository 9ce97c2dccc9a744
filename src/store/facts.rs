//! What the policy decides from, read for many patients at once.

use super::tx::{Sql, flag, listed, sql};
use super::{StoreError, Tx, rows_json};
use crate::model::Channel;

/// A patient with the site's rules.
#[derive(Debug, Clone, serde::Deserialize)]
#[expect(missing_docs, reason = "the columns of the tables, named there")]
pub struct PatientFacts {
    pub id: i64,
    pub site_id: i64,
    pub zone: String,
    pub lang: String,
    pub called: String,
    pub window_start: Option<i64>,
    pub window_end: Option<i64>,
    #[serde(deserialize_with = "flag")]
    pub discreet: bool,
    pub deceased_at: Option<i64>,
    pub coordinator_id: Option<i64>,
    pub sender: String,
    pub phone: String,
    pub emergency_number: String,
    pub lifeline_number: String,
    pub site_zone: String,
    pub hours: String,
}

/// A thread with its contact.
#[derive(Debug, Clone, serde::Deserialize)]
#[expect(missing_docs, reason = "the columns of the tables, named there")]
pub struct ContactFacts {
    pub patient_id: i64,
    pub thread_id: i64,
    pub contact_id: i64,
    pub channel: String,
    pub address: String,
    pub class: String,
    pub state: String,
    pub question: String,
    pub question_due: Option<i64>,
}

/// One entry of the consent ledger.
#[derive(Debug, Clone, serde::Deserialize)]
#[expect(missing_docs, reason = "the columns of the table, named there")]
pub struct ConsentFacts {
    pub patient_id: i64,
    pub contact_id: Option<i64>,
    pub action: String,
    pub at: i64,
}

/// A visit as a reminder must find it.
#[derive(Debug, Clone, serde::Deserialize)]
#[expect(missing_docs, reason = "the columns of the table, named there")]
pub struct VisitFacts {
    pub id: i64,
    pub state: String,
    pub version: i64,
    pub starts_at: i64,
}

const PATIENTS: Sql = sql!(
    list("t.id, t.site_id, t.zone, t.lang, p.called, t.window_start, t.window_end, t.discreet, t.deceased_at, t.coordinator_id,
          s.sender, s.phone, s.emergency_number, s.lifeline_number, s.zone, s.hours" by "t.id")
    "FROM patient t JOIN person p ON p.id = t.person_id JOIN site s ON s.id = t.site_id
      WHERE t.id IN (SELECT CAST(j.value AS BIGINT) FROM" rows ")"
);
const CONTACTS: Sql = sql!(
    list("h.patient_id, h.id, c.id, c.channel, c.address, c.class, c.state, h.question, h.question_due" by "h.patient_id, c.rank, c.id")
    "FROM thread h JOIN contact c ON c.id = h.contact_id JOIN patient t ON t.id = h.patient_id AND t.person_id = h.person_id
      WHERE h.patient_id IN (SELECT CAST(j.value AS BIGINT) FROM" rows ")"
);
const CONSENTS: Sql = sql!(
    list("patient_id, contact_id, action, at" by "patient_id, at, id")
    "FROM consent_event WHERE patient_id IN (SELECT CAST(j.value AS BIGINT) FROM" rows ")"
);
const EMERGENCIES: Sql = sql!(
    list("patient_id" by "patient_id")
    "FROM escalation WHERE severity = 'emergency' AND state <> 'resolved' AND patient_id IN (SELECT CAST(j.value AS BIGINT) FROM" rows ")"
);
const VISITS: Sql = sql!(
    list("id, state, version, starts_at" by "id")
    "FROM appointment WHERE id IN (SELECT CAST(j.value AS BIGINT) FROM" rows ")"
);
const LAST_WRITTEN: Sql = sql!(
    list("patient_id, at" by "patient_id")
    "FROM (SELECT i.patient_id, MAX(i.received_at) AS at FROM" rows "JOIN inbox i ON i.patient_id = CAST(j.value AS BIGINT)
            GROUP BY i.patient_id) AS last"
);
const LAST_HEARD: Sql = sql!(
    list("thread_id, at" by "thread_id")
    "FROM (SELECT i.thread_id, MAX(i.received_at) AS at FROM" rows "JOIN inbox i ON i.patient_id = CAST(j.value AS BIGINT)
            WHERE i.channel = 'whatsapp' AND i.kind = 'message' AND i.answered <> 'left' AND i.thread_id IS NOT NULL
            GROUP BY i.thread_id) AS last"
);

/// All that is known, for patients and visits by id.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Patients.
    pub patients: Vec<PatientFacts>,
    /// Their threads and contacts, best first.
    pub contacts: Vec<ContactFacts>,
    /// Their consent ledgers, oldest first.
    pub consents: Vec<ConsentFacts>,
    /// Patients with an open emergency.
    pub emergencies: Vec<i64>,
    /// Visits.
    pub visits: Vec<VisitFacts>,
    /// When each patient last wrote.
    pub last_written: Vec<(i64, i64)>,
    /// When each of their threads on WhatsApp was last written on: there it decides what may be said.
    pub last_heard: Vec<(i64, i64)>,
}

impl Facts {
    /// The patient with this id.
    #[must_use]
    pub fn patient(&self, id: i64) -> Option<&PatientFacts> {
        self.patients.binary_search_by_key(&id, |p| p.id).ok().map(|at| &self.patients[at])
    }

    /// The patient's threads and contacts, best first.
    #[must_use]
    pub fn contacts_of(&self, patient: i64) -> &[ContactFacts] {
        run_of(&self.contacts, patient, |c| c.patient_id)
    }

    /// The patient's consent ledger, oldest first.
    #[must_use]
    pub fn consents_of(&self, patient: i64) -> &[ConsentFacts] {
        run_of(&self.consents, patient, |c| c.patient_id)
    }

    /// When somebody last wrote on this thread, if it is one on WhatsApp.
    #[must_use]
    pub fn heard_on(&self, thread: i64) -> Option<i64> {
        self.last_heard.binary_search_by_key(&thread, |h| h.0).ok().map(|at| self.last_heard[at].1)
    }

    /// The visit with this id.
    #[must_use]
    pub fn visit(&self, id: i64) -> Option<&VisitFacts> {
        self.visits.binary_search_by_key(&id, |v| v.id).ok().map(|at| &self.visits[at])
    }
}

/// The rows of one patient in a list that is sorted by patient.
fn run_of<T>(rows: &[T], patient: i64, of: impl Fn(&T) -> i64) -> &[T] {
    let from = rows.partition_point(|row| of(row) < patient);
    let to = from + rows[from..].partition_point(|row| of(row) == patient);
    &rows[from..to]
}

/// Reads the facts for these patients and visits, in six statements whatever their number, one more with WhatsApp.
///
/// # Errors
/// When the database refuses.
pub async fn load(tx: &mut Tx, patients: &[i64], visits: &[i64]) -> Result<Facts, StoreError> {
    let ids = rows_json(patients)?;
    let mut facts = Facts::default();
    if !patients.is_empty() {
        facts.patients = listed!(tx, PatientFacts, PATIENTS, &ids)?;
        facts.contacts = listed!(tx, ContactFacts, CONTACTS, &ids)?;
        facts.consents = listed!(tx, ConsentFacts, CONSENTS, &ids)?;
        facts.emergencies = listed!(tx, (i64,), EMERGENCIES, &ids)?.into_iter().map(|(id,)| id).collect();
        facts.last_written = listed!(tx, (i64, i64), LAST_WRITTEN, &ids)?;
        let whatsapp = facts.contacts.iter().filter(|c| c.channel == Channel::WhatsApp.as_str());
        let mut on_whatsapp: Vec<i64> = whatsapp.map(|c| c.patient_id).collect();
        on_whatsapp.dedup();
        if !on_whatsapp.is_empty() {
            facts.last_heard = listed!(tx, (i64, i64), LAST_HEARD, rows_json(&on_whatsapp)?)?;
        }
    }
    if !visits.is_empty() {
        facts.visits = listed!(tx, VisitFacts, VISITS, rows_json(visits)?)?;
    }
    Ok(facts)
}
