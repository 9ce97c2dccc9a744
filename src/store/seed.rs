//! Invented patients in large numbers, for benchmarks: one statement a table, whatever their number.

use super::rows::{Rows, row};

use super::tx::{Sql, all, bulk, maybe, run};
use super::{StoreError, Tx};
use crate::clock::Time;
use crate::model::Id;

/// One invented patient with everything that a message needs.
#[derive(Debug, Clone)]
pub struct Invented {
    /// Patient; the clinic's own id is this one as text.
    pub patient: Id,
    /// The person behind.
    pub person: Id,
    /// The contact, over SMS, to which check-ins may go.
    pub contact: Id,
    /// Its thread.
    pub thread: Id,
    /// The consent on record.
    pub consent: Id,
    /// The enrolment.
    pub enrolment: Id,
    /// E.164.
    pub address: String,
    /// Its keyed hash.
    pub hash: String,
    /// Language as a tag.
    pub lang: &'static str,
}

/// What all of them share.
#[derive(Debug, Clone, Copy)]
pub struct Shared<'a> {
    /// Whose patients.
    pub site: Id,
    /// IANA time zone.
    pub zone: &'a str,
    /// Protocol: id and hash.
    pub protocol: (&'a str, &'a str),
    /// What the enrolments choose, as JSON.
    pub settings: &'a str,
    /// Since when.
    pub at: Time,
}

const PERSON: Sql = bulk!(
    "INSERT INTO person (id, site_id, name, called, birth_date, created_at)
     SELECT CAST(j.value->>1 AS BIGINT), $2, 'Invented ' || (j.value->>0), 'Friend', '', $3 FROM",
    ""
);
const PATIENT: Sql = bulk!(
    "INSERT INTO patient (id, site_id, person_id, external_id, lang, zone, created_at)
     SELECT CAST(j.value->>0 AS BIGINT), $2, CAST(j.value->>1 AS BIGINT), j.value->>0, j.value->>8, $4, $3 FROM",
    ""
);
const CONTACT: Sql = bulk!(
    "INSERT INTO contact (id, site_id, person_id, channel, address, address_hash, class, created_at)
     SELECT CAST(j.value->>2 AS BIGINT), $2, CAST(j.value->>1 AS BIGINT), 'sms', j.value->>6, j.value->>7, 'care', $3 FROM",
    ""
);
const THREAD: Sql = bulk!(
    "INSERT INTO thread (id, site_id, channel, address_hash, person_id, patient_id, contact_id, created_at)
     SELECT CAST(j.value->>3 AS BIGINT), $2, 'sms', j.value->>7, CAST(j.value->>1 AS BIGINT), CAST(j.value->>0 AS BIGINT),
            CAST(j.value->>2 AS BIGINT), $3 FROM",
    ""
);
const CONSENT: Sql = bulk!(
    "INSERT INTO consent_event (id, site_id, patient_id, action, class, method, lang, wording, at)
     SELECT CAST(j.value->>4 AS BIGINT), $2, CAST(j.value->>0 AS BIGINT), 'given', 'care', 'desk', j.value->>8, 'risk notice', $3 FROM",
    ""
);
const ENROLMENT: Sql = bulk!(
    "INSERT INTO enrolment (id, site_id, patient_id, protocol, protocol_hash, settings, started_at)
     SELECT CAST(j.value->>5 AS BIGINT), $2, CAST(j.value->>0 AS BIGINT), $4, $5, $6, $3 FROM",
    ""
);

/// Writes invented patients with contact, thread, consent and a running enrolment. Their timers are the caller's.
///
/// # Errors
/// When the database refuses.
pub async fn people(tx: &mut Tx, invented: &[Invented], shared: &Shared<'_>) -> Result<(), StoreError> {
    let rows: Rows = invented
        .iter()
        .map(|p| row!([p.patient.0, p.person.0, p.contact.0, p.thread.0, p.consent.0, p.enrolment.0, p.address, p.hash, p.lang]))
        .collect();
    let rows = rows.text()?;
    let (site, at) = (shared.site.0, shared.at.0);
    let sql = [&PERSON, &PATIENT, &CONTACT, &THREAD, &CONSENT, &ENROLMENT].map(|s| tx.pick(s));
    run!(tx, sql[0], &rows, site, at)?;
    run!(tx, sql[1], &rows, site, at, shared.zone)?;
    for sql in &sql[2..5] {
        run!(tx, *sql, &rows, site, at)?;
    }
    run!(tx, sql[5], &rows, site, at, shared.protocol.0, shared.protocol.1, shared.settings)?;
    Ok(())
}

/// Whether there is any patient: invented ones belong into an empty database only.
///
/// # Errors
/// When the database refuses.
pub async fn is_peopled(tx: &mut Tx) -> Result<bool, StoreError> {
    Ok(maybe!(tx, (i64,), "SELECT id FROM patient LIMIT 1")?.is_some())
}

/// What the database calls itself, with its version.
///
/// # Errors
/// When the database refuses.
pub async fn version(tx: &mut Tx) -> Result<String, StoreError> {
    let sql = tx.pick(&Sql { sqlite: "SELECT 'SQLite ' || sqlite_version()", postgres: "SELECT version()" });
    let text = all!(tx, (String,), sql)?.pop().map(|(text,)| text).unwrap_or_default();
    Ok(text.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

/// How many messages have been accepted by a provider, how many are still to go, and how many inbox rows wait.
///
/// # Errors
/// When the database refuses.
pub async fn progress(tx: &mut Tx) -> Result<(i64, i64), StoreError> {
    let found = maybe!(
        tx,
        (i64, i64),
        "SELECT (SELECT CAST(COUNT(*) AS BIGINT) FROM message WHERE state IN ('queued', 'sending')),
                (SELECT CAST(COUNT(*) AS BIGINT) FROM inbox WHERE state = 'new')"
    )?;
    Ok(found.unwrap_or_default())
}

/// How many messages there are in each state, and how many attempts, decisions and occurrences.
///
/// # Errors
/// When the database refuses.
pub async fn counts(tx: &mut Tx) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(all!(
        tx,
        (String, i64),
        "SELECT state, CAST(COUNT(*) AS BIGINT) FROM message GROUP BY state
         UNION ALL SELECT 'attempts', CAST(COUNT(*) AS BIGINT) FROM attempt
         UNION ALL SELECT 'decisions', CAST(COUNT(*) AS BIGINT) FROM decision
         UNION ALL SELECT 'occurrences', CAST(COUNT(*) AS BIGINT) FROM occurrence
         UNION ALL SELECT 'escalations', CAST(COUNT(*) AS BIGINT) FROM escalation
         UNION ALL SELECT 'readings', CAST(COUNT(*) AS BIGINT) FROM reading"
    )?)
}
