//! What the panel, the visits and the delivery page read.

use crate::clock::Time;
use crate::model::Id;
use crate::store::tx::{Sql, all, bulk, maybe};
use crate::store::{StoreError, Tx, rows_json};

/// A patient in the panel.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the tables, named there")]
pub struct Patient {
    pub id: i64,
    pub name: String,
    pub birth_date: String,
    pub lang: String,
    pub coordinator_id: Option<i64>,
    pub coordinator: Option<String>,
    pub deceased_at: Option<i64>,
}

/// What the panel looks for.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Part of a name or the clinic's own id; empty: everybody.
    pub words: String,
    /// Only this coordinator's patients.
    pub coordinator: Option<Id>,
}

impl Search {
    /// For `LIKE … ESCAPE '!'`: matches nothing but the words themselves, anywhere.
    fn pattern(&self) -> String {
        format!("%{}%", self.words.trim().replace('!', "!!").replace('%', "!%").replace('_', "!_"))
    }

    /// For `LIKE` on an address: its end. Fewer than four digits match no address.
    fn digits(&self) -> String {
        let digits: String = self.words.chars().filter(char::is_ascii_digit).collect();
        let only = self.words.chars().all(|c| c.is_ascii_digit() || " ()+-.".contains(c));
        if only && digits.len() >= 4 { format!("%{digits}") } else { "-".to_owned() }
    }
}

/// The columns of [`Patient`], their tables, the site `$1` and the search `$2`–`$4`, then `$rest`.
macro_rules! patients {
    ($columns:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM patient t JOIN person p ON p.id = t.person_id
               LEFT JOIN staff s ON s.id = t.coordinator_id LEFT JOIN person o ON o.id = s.person_id
              WHERE t.site_id = $1 AND (CAST($4 AS BIGINT) IS NULL OR t.coordinator_id = $4)
                AND ($2 = '%%' OR LOWER(p.name) LIKE LOWER($2) ESCAPE '!' OR LOWER(t.external_id) LIKE LOWER($2) ESCAPE '!'
                     OR EXISTS (SELECT 1 FROM contact c WHERE c.person_id = t.person_id AND c.address LIKE $3)) ",
            $rest
        )
    };
}

/// Patients with an unresolved item, the most pressing first.
///
/// # Errors
/// When the database refuses.
pub async fn pressing(tx: &mut Tx, site: Id, search: &Search, limit: i64) -> Result<Vec<Patient>, StoreError> {
    Ok(all!(
        tx,
        Patient,
        patients!(
            "t.id, p.name, p.birth_date, t.lang, t.coordinator_id, o.name AS coordinator, t.deceased_at",
            "AND EXISTS (SELECT 1 FROM escalation e WHERE e.patient_id = t.id AND e.state <> 'resolved')
             ORDER BY (SELECT MIN(CASE e.severity WHEN 'emergency' THEN 0 WHEN 'urgent' THEN 1 ELSE 2 END) FROM escalation e
                        WHERE e.patient_id = t.id AND e.state <> 'resolved'),
                      (SELECT MIN(e.due_at) FROM escalation e WHERE e.patient_id = t.id AND e.state <> 'resolved'), t.id LIMIT $5"
        ),
        site.0,
        search.pattern(),
        search.digits(),
        search.coordinator.map(|c| c.0),
        limit
    )?)
}

/// Patients without an unresolved item by name, after the patient `after` (0: from the beginning).
///
/// # Errors
/// When the database refuses.
pub async fn others(tx: &mut Tx, site: Id, search: &Search, after: Id, limit: i64) -> Result<Vec<Patient>, StoreError> {
    Ok(all!(
        tx,
        Patient,
        patients!(
            "t.id, p.name, p.birth_date, t.lang, t.coordinator_id, o.name AS coordinator, t.deceased_at",
            "AND NOT EXISTS (SELECT 1 FROM escalation e WHERE e.patient_id = t.id AND e.state <> 'resolved')
             AND (CAST($6 AS BIGINT) = 0 OR (LOWER(p.name), t.id) > (SELECT LOWER(q.name), a.id FROM patient a JOIN person q ON q.id = a.person_id
                                                      WHERE a.id = CAST($6 AS BIGINT) AND a.site_id = $1))
             ORDER BY LOWER(p.name), t.id LIMIT $5"
        ),
        site.0,
        search.pattern(),
        search.digits(),
        search.coordinator.map(|c| c.0),
        limit,
        after.0
    )?)
}

/// How many patients a search finds, and how many of them have an unresolved item.
///
/// # Errors
/// When the database refuses.
pub async fn count(tx: &mut Tx, site: Id, search: &Search) -> Result<(i64, i64), StoreError> {
    let found = maybe!(
        tx,
        (i64, i64),
        patients!(
            "CAST(COUNT(*) AS BIGINT),
             CAST(COALESCE(SUM(CASE WHEN EXISTS (SELECT 1 FROM escalation e WHERE e.patient_id = t.id AND e.state <> 'resolved')
                               THEN 1 ELSE 0 END), 0) AS BIGINT)",
            ""
        ),
        site.0,
        search.pattern(),
        search.digits(),
        search.coordinator.map(|c| c.0)
    )?;
    Ok(found.unwrap_or((0, 0)))
}

/// The next steps of these patients: `(patient, due, title of the protocol)`, soonest first.
///
/// # Errors
/// When the database refuses.
pub async fn next_steps(tx: &mut Tx, patients: &[i64]) -> Result<Vec<(i64, i64, String)>, StoreError> {
    const NEXT: Sql = bulk!(
        "SELECT e.patient_id, t.due_at, v.title
           FROM enrolment e JOIN timer t ON t.kind = 'step' AND t.subject = e.id JOIN protocol_version v ON v.hash = e.protocol_hash
          WHERE e.state = 'active' AND e.patient_id IN (SELECT CAST(j.value AS BIGINT) FROM",
        ") ORDER BY t.due_at, e.id"
    );
    if patients.is_empty() {
        return Ok(Vec::new());
    }
    let sql = tx.pick(&NEXT);
    Ok(all!(tx, (i64, i64, String), sql, rows_json(patients)?)?)
}

/// A visit with its patient.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the tables, named there")]
pub struct Visit {
    pub id: i64,
    pub patient_id: i64,
    pub starts_at: i64,
    pub state: String,
    pub why: String,
    pub updated_at: i64,
    pub name: String,
    pub lang: String,
}

/// The visits between two times, in their order.
///
/// # Errors
/// When the database refuses.
pub async fn visits(tx: &mut Tx, site: Id, from: Time, to: Time) -> Result<Vec<Visit>, StoreError> {
    Ok(all!(
        tx,
        Visit,
        "SELECT a.id, a.patient_id, a.starts_at, a.state, a.why, a.updated_at, p.name, t.lang
           FROM appointment a JOIN patient t ON t.id = a.patient_id JOIN person p ON p.id = t.person_id
          WHERE a.starts_at >= $2 AND a.starts_at < $3 AND a.site_id = $1 ORDER BY a.starts_at, p.name, a.id LIMIT 2000",
        site.0,
        from.0,
        to.0
    )?)
}

/// The reminders of visits that are still to come: `(detail with the visit's id, visit's version, due)`, soonest first.
///
/// # Errors
/// When the database refuses.
pub async fn reminders(tx: &mut Tx, patients: &[i64]) -> Result<Vec<(String, i64, i64)>, StoreError> {
    const REMINDERS: Sql = bulk!(
        "SELECT t.detail, t.version, t.due_at FROM enrolment e JOIN timer t ON t.kind = 'step' AND t.subject = e.id
          WHERE e.state = 'active' AND t.detail LIKE '%/%' AND e.patient_id IN (SELECT CAST(j.value AS BIGINT) FROM",
        ") ORDER BY t.due_at"
    );
    if patients.is_empty() {
        return Ok(Vec::new());
    }
    let sql = tx.pick(&REMINDERS);
    Ok(all!(tx, (String, i64, i64), sql, rows_json(patients)?)?)
}

/// How many messages each gateway has in each state, of those made since the id `first`: `(gateway, state, count)`.
///
/// # Errors
/// When the database refuses.
pub async fn by_gateway(tx: &mut Tx, site: Id, first: Id) -> Result<Vec<(String, String, i64)>, StoreError> {
    Ok(all!(
        tx,
        (String, String, i64),
        "SELECT a.gateway, m.state, CAST(COUNT(*) AS BIGINT)
           FROM message m JOIN attempt a ON a.message_id = m.id AND a.n = m.attempts
          WHERE m.id >= $1 AND m.site_id = $2 GROUP BY a.gateway, m.state ORDER BY a.gateway, m.state",
        first.0,
        site.0
    )?)
}

/// What gateways said of attempts that came to nothing, of messages made since the id `first`: `(gateway, outcome, code, count)`, the
/// most frequent first.
///
/// # Errors
/// When the database refuses.
pub async fn by_code(tx: &mut Tx, site: Id, first: Id) -> Result<Vec<(String, String, String, i64)>, StoreError> {
    Ok(all!(
        tx,
        (String, String, String, i64),
        "SELECT a.gateway, CASE WHEN a.receipt = 'failed' THEN 'failed' ELSE a.outcome END AS came_to, a.code,
                CAST(COUNT(*) AS BIGINT) AS n
           FROM message m JOIN attempt a ON a.message_id = m.id
          WHERE m.id >= $1 AND m.site_id = $2 AND (a.outcome NOT IN ('', 'accepted') OR a.receipt = 'failed')
          GROUP BY a.gateway, CASE WHEN a.receipt = 'failed' THEN 'failed' ELSE a.outcome END, a.code
          ORDER BY n DESC, a.gateway, a.code LIMIT 100",
        first.0,
        site.0
    )?)
}

/// Whose a message is, and where it stands: `(patient, state)`.
///
/// # Errors
/// When the database refuses.
pub async fn whose(tx: &mut Tx, site: Id, message: Id) -> Result<Option<(Option<i64>, String)>, StoreError> {
    let sql = "SELECT patient_id, state FROM message WHERE id = $1 AND site_id = $2";
    Ok(maybe!(tx, (Option<i64>, String), sql, message.0, site.0)?)
}

/// A message that needs a look.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the tables, named there")]
pub struct Trouble {
    pub id: i64,
    pub patient_id: Option<i64>,
    pub name: Option<String>,
    pub to_address: String,
    pub class: String,
    pub state: String,
    pub why: String,
    pub attempts: i64,
    pub planned_at: i64,
    pub state_at: i64,
    /// When it is decided again.
    pub until: Option<i64>,
}

/// The columns of [`Trouble`] and their tables, then `$rest`.
macro_rules! troubles {
    ($rest:literal) => {
        concat!(
            "SELECT m.id, m.patient_id, p.name, m.to_address, m.class, m.state, m.why, m.attempts, m.planned_at, m.state_at,
                    w.due_at AS until
               FROM message m LEFT JOIN patient t ON t.id = m.patient_id LEFT JOIN person p ON p.id = t.person_id
               LEFT JOIN timer w ON w.kind IN ('hold', 'doubt') AND w.subject = m.id ",
            $rest
        )
    };
}

/// From when on messages need a look, in domain time but for `first`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// Those that came to nothing at or after this.
    pub ended: Time,
    /// No message with a lower id came to nothing after `ended`: it spares looking through all that was ever sent.
    pub first: Id,
    /// Those that were planned before this and stand in the outbox still.
    pub stuck: Time,
    /// Those that were planned before this and are held still.
    pub held: Time,
}

/// Messages that did not arrive or may not have arrived; those that were too late to be of use, and those by staff that
/// were decided against; those that stand in the outbox or are held for long. Newest first within each.
///
/// # Errors
/// When the database refuses.
pub async fn troubles(tx: &mut Tx, site: Id, since: Since) -> Result<Vec<Trouble>, StoreError> {
    let mut rows = all!(
        tx,
        Trouble,
        troubles!(
            "WHERE m.state IN ('unknown', 'failed') AND m.why <> 'sent_anew' AND m.state_at >= $2 AND m.site_id = $1 ORDER BY m.state_at DESC, m.id LIMIT 200"
        ),
        site.0,
        since.ended.0
    )?;
    rows.extend(all!(
        tx,
        Trouble,
        troubles!(
            "WHERE m.id >= $3 AND (m.state = 'expired' OR (m.state = 'skipped' AND m.class = 'staff')) AND m.state_at >= $2
               AND m.site_id = $1 ORDER BY m.state_at DESC, m.id LIMIT 200"
        ),
        site.0,
        since.ended.0,
        since.first.0
    )?);
    rows.extend(all!(
        tx,
        Trouble,
        troubles!("WHERE m.state = 'queued' AND m.planned_at < $2 AND m.site_id = $1 ORDER BY m.planned_at DESC, m.id LIMIT 100"),
        site.0,
        since.stuck.0
    )?);
    rows.extend(all!(
        tx,
        Trouble,
        "SELECT m.id, m.patient_id, p.name, m.to_address, m.class, m.state, m.why, m.attempts, m.planned_at, m.state_at,
                w.due_at AS until
           FROM timer w JOIN message m ON m.id = w.subject LEFT JOIN patient t ON t.id = m.patient_id
           LEFT JOIN person p ON p.id = t.person_id
          WHERE w.kind = 'hold' AND m.state = 'held' AND m.planned_at < $2 AND m.site_id = $1
          ORDER BY m.planned_at DESC, m.id LIMIT 100",
        site.0,
        since.held.0
    )?);
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_searched_for_and_never_a_pattern() {
        let search = |words: &str| Search { words: words.to_owned(), coordinator: None };
        assert_eq!(search("50%_!").pattern(), "%50!%!_!!%");
        assert_eq!(search("555-0117").digits(), "%5550117");
        assert_eq!(search("117").digits(), "-");
        assert_eq!(search("rosa 0117").digits(), "-");
    }
}
