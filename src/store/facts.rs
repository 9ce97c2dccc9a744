//! What the policy decides from, read for many patients at once.

use super::tx::{Sql, all, bulk};
use super::{StoreError, Tx, rows_json};

/// A patient with the site's rules.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the tables, named there")]
pub struct PatientFacts {
    pub id: i64,
    pub site_id: i64,
    pub zone: String,
    pub lang: String,
    pub called: String,
    pub window_start: Option<i64>,
    pub window_end: Option<i64>,
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
#[derive(Debug, Clone, sqlx::FromRow)]
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
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the table, named there")]
pub struct ConsentFacts {
    pub patient_id: i64,
    pub contact_id: Option<i64>,
    pub action: String,
    pub at: i64,
}

/// A visit as a reminder must find it.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the table, named there")]
pub struct VisitFacts {
    pub id: i64,
    pub state: String,
    pub version: i64,
    pub starts_at: i64,
}

const PATIENTS: Sql = bulk!(
    "SELECT t.id, t.site_id, t.zone, t.lang, p.called, t.window_start, t.window_end, t.discreet, t.deceased_at, t.coordinator_id,
            s.sender, s.phone, s.emergency_number, s.lifeline_number, s.zone AS site_zone, s.hours
       FROM patient t JOIN person p ON p.id = t.person_id JOIN site s ON s.id = t.site_id
      WHERE t.id IN (SELECT CAST(j.value AS BIGINT) FROM",
    ")"
);
const CONTACTS: Sql = bulk!(
    "SELECT h.patient_id, h.id AS thread_id, c.id AS contact_id, c.channel, c.address, c.class, c.state, h.question, h.question_due
       FROM thread h JOIN contact c ON c.id = h.contact_id JOIN patient t ON t.id = h.patient_id AND t.person_id = h.person_id
      WHERE h.patient_id IN (SELECT CAST(j.value AS BIGINT) FROM",
    ") ORDER BY h.patient_id, c.rank, c.id"
);
const CONSENTS: Sql = bulk!(
    "SELECT patient_id, contact_id, action, at FROM consent_event WHERE patient_id IN (SELECT CAST(j.value AS BIGINT) FROM",
    ") ORDER BY patient_id, at, id"
);
const EMERGENCIES: Sql = bulk!(
    "SELECT DISTINCT patient_id FROM escalation
      WHERE severity = 'emergency' AND state <> 'resolved' AND patient_id IN (SELECT CAST(j.value AS BIGINT) FROM",
    ")"
);
const VISITS: Sql =
    bulk!("SELECT id, state, version, starts_at FROM appointment WHERE id IN (SELECT CAST(j.value AS BIGINT) FROM", ")");
const LAST_WRITTEN: Sql = bulk!(
    "SELECT patient_id, MAX(received_at) FROM inbox WHERE patient_id IN (SELECT CAST(j.value AS BIGINT) FROM",
    ") GROUP BY patient_id"
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
}

/// Reads the facts for these patients and visits, in six statements whatever their number.
///
/// # Errors
/// When the database refuses.
pub async fn load(tx: &mut Tx, patients: &[i64], visits: &[i64]) -> Result<Facts, StoreError> {
    let ids = rows_json(patients)?;
    let mut facts = Facts::default();
    if !patients.is_empty() {
        let sql = [&PATIENTS, &CONTACTS, &CONSENTS, &EMERGENCIES, &LAST_WRITTEN].map(|s| tx.pick(s));
        facts.patients = all!(tx, PatientFacts, sql[0], &ids)?;
        facts.contacts = all!(tx, ContactFacts, sql[1], &ids)?;
        facts.consents = all!(tx, ConsentFacts, sql[2], &ids)?;
        facts.emergencies = all!(tx, (i64,), sql[3], &ids)?.into_iter().map(|(id,)| id).collect();
        facts.last_written = all!(tx, (i64, i64), sql[4], &ids)?;
    }
    if !visits.is_empty() {
        let sql = tx.pick(&VISITS);
        facts.visits = all!(tx, VisitFacts, sql, rows_json(visits)?)?;
    }
    Ok(facts)
}
