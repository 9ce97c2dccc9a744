//! Escalations: what waits for a person, with a deadline that is a durable row.

use super::tx::{Sql, all, bulk, maybe, run};
use super::{StoreError, Tx, rows_json};
use crate::clock::Time;
use crate::model::{Category, Id, Outcome, Severity};

/// An item with every column, for whatever condition follows.
macro_rules! items {
    ($rest:literal) => {
        concat!(
            "SELECT id, site_id, patient_id, inbox_id, severity, category, reason, state, opened_at, due_at, rung, owner_id,
             claimed_at, resolved_at, outcome, version
               FROM escalation ",
            $rest
        )
    };
}

/// An escalation to be opened.
#[derive(Debug, Clone)]
pub struct NewEscalation {
    /// Identity.
    pub id: Id,
    /// Where.
    pub site: Id,
    /// About whom; `None` for somebody unknown and for our own trouble.
    pub patient: Option<Id>,
    /// The words that opened it.
    pub inbox: Option<Id>,
    /// How soon.
    pub severity: Severity,
    /// What about.
    pub category: Category,
    /// A sentence for staff.
    pub reason: String,
    /// When it was opened.
    pub opened: Time,
    /// To be claimed by.
    pub due: Time,
}

/// Opens an escalation.
///
/// # Errors
/// When the database refuses.
pub async fn open(tx: &mut Tx, e: &NewEscalation) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO escalation (id, site_id, patient_id, inbox_id, severity, category, reason, state, opened_at, due_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', $8, $9)",
        e.id.0,
        e.site.0,
        e.patient.map(|p| p.0),
        e.inbox.map(|i| i.0),
        e.severity.as_str(),
        e.category.as_str(),
        &e.reason,
        e.opened.0,
        e.due.0
    )?;
    Ok(())
}

/// An escalation.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the table, named there")]
pub struct Escalation {
    pub id: i64,
    pub site_id: i64,
    pub patient_id: Option<i64>,
    pub inbox_id: Option<i64>,
    pub severity: String,
    pub category: String,
    pub reason: String,
    pub state: String,
    pub opened_at: i64,
    pub due_at: i64,
    pub rung: i64,
    pub owner_id: Option<i64>,
    pub claimed_at: Option<i64>,
    pub resolved_at: Option<i64>,
    pub outcome: String,
    pub version: i64,
}

/// One escalation.
///
/// # Errors
/// When the database refuses.
pub async fn get(tx: &mut Tx, id: Id) -> Result<Option<Escalation>, StoreError> {
    Ok(maybe!(tx, Escalation, items!("WHERE id = $1"), id.0)?)
}

/// The unresolved escalations of these patients.
///
/// # Errors
/// When the database refuses.
pub async fn unresolved(tx: &mut Tx, patients: &[i64]) -> Result<Vec<Escalation>, StoreError> {
    const OF: Sql = bulk!(
        items!("WHERE state <> 'resolved' AND patient_id IN (SELECT CAST(j.value AS BIGINT) FROM"),
        ") ORDER BY opened_at, id"
    );
    if patients.is_empty() {
        return Ok(Vec::new());
    }
    let sql = tx.pick(&OF);
    Ok(all!(tx, Escalation, sql, rows_json(patients)?)?)
}

/// Raises an open item; it never sinks, and its deadline only comes nearer. One that becomes an emergency must be
/// claimed anew, whoever had it: its ladder runs.
///
/// # Errors
/// When the database refuses.
pub async fn raise(
    tx: &mut Tx,
    id: Id,
    severity: Severity,
    category: Category,
    reason: &str,
    inbox: Option<Id>,
    due: Time,
) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE escalation SET severity = $2, category = $3, reason = $4, inbox_id = COALESCE($5, inbox_id),
                due_at = CASE WHEN $6 < due_at OR state = 'claimed' THEN $6 ELSE due_at END, rung = 0, version = version + 1,
                state = CASE WHEN $2 = 'emergency' THEN 'open' ELSE state END,
                owner_id = CASE WHEN $2 = 'emergency' THEN NULL ELSE owner_id END,
                claimed_at = CASE WHEN $2 = 'emergency' THEN NULL ELSE claimed_at END
          WHERE id = $1",
        id.0,
        severity.as_str(),
        category.as_str(),
        reason,
        inbox.map(|i| i.0),
        due.0
    )?;
    Ok(())
}

/// Notes that more was written about an item; `inbox` are the words that stand in the list from now on.
///
/// # Errors
/// When the database refuses.
pub async fn join(tx: &mut Tx, id: Id, inbox: Option<Id>) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE escalation SET inbox_id = COALESCE($2, inbox_id), version = version + 1 WHERE id = $1",
        id.0,
        inbox.map(|i| i.0)
    )?;
    Ok(())
}

/// Claims an item that nobody has. `false`: somebody was faster, or it is resolved.
///
/// # Errors
/// When the database refuses.
pub async fn claim(tx: &mut Tx, id: Id, staff: Id, now: Time) -> Result<bool, StoreError> {
    Ok(run!(
        tx,
        "UPDATE escalation SET state = 'claimed', owner_id = $2, claimed_at = $3, version = version + 1 WHERE id = $1 AND state = 'open'",
        id.0,
        staff.0,
        now.0
    )? == 1)
}

/// Resolves an item with an outcome. `false`: it was resolved before.
///
/// # Errors
/// When the database refuses.
pub async fn resolve(tx: &mut Tx, id: Id, staff: Id, outcome: Outcome, now: Time) -> Result<bool, StoreError> {
    Ok(run!(
        tx,
        "UPDATE escalation SET state = 'resolved', outcome = $3, resolved_at = $4, owner_id = $2,
                claimed_at = COALESCE(claimed_at, $4), version = version + 1
          WHERE id = $1 AND state <> 'resolved'",
        id.0,
        staff.0,
        outcome.as_str(),
        now.0
    )? == 1)
}

/// Moves an unclaimed item one rung up. `false`: it was claimed meanwhile.
///
/// # Errors
/// When the database refuses.
pub async fn climb(tx: &mut Tx, id: Id, rung: i64) -> Result<bool, StoreError> {
    Ok(run!(tx, "UPDATE escalation SET rung = $2, version = version + 1 WHERE id = $1 AND state = 'open'", id.0, rung)? == 1)
}

/// Something that happened to an item.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Identity.
    pub id: Id,
    /// Which item.
    pub escalation: Id,
    /// Whose.
    pub patient: Option<Id>,
    /// When.
    pub at: Time,
    /// `opened raised told passed late claimed resolved wrote crisis`.
    pub kind: &'static str,
    /// By or to whom.
    pub staff: Option<Id>,
    /// Which words.
    pub inbox: Option<Id>,
    /// More, in words for staff.
    pub detail: String,
}

/// Keeps an event.
///
/// # Errors
/// When the database refuses.
pub async fn add_event(tx: &mut Tx, e: &NewEvent) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO escalation_event (id, escalation_id, patient_id, at, kind, staff_id, inbox_id, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        e.id.0,
        e.escalation.0,
        e.patient.map(|p| p.0),
        e.at.0,
        e.kind,
        e.staff.map(|s| s.0),
        e.inbox.map(|i| i.0),
        &e.detail
    )?;
    Ok(())
}

/// An event.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the table, named there")]
pub struct Event {
    pub escalation_id: i64,
    pub at: i64,
    pub kind: String,
    pub staff_id: Option<i64>,
    pub inbox_id: Option<i64>,
    pub detail: String,
}

/// What has happened to an item, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn events(tx: &mut Tx, id: Id) -> Result<Vec<Event>, StoreError> {
    Ok(all!(
        tx,
        Event,
        "SELECT escalation_id, at, kind, staff_id, inbox_id, detail FROM escalation_event WHERE escalation_id = $1 ORDER BY id",
        id.0
    )?)
}

/// A patient's escalation events since a time, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn events_of_patient(tx: &mut Tx, patient: Id, since: Time) -> Result<Vec<Event>, StoreError> {
    Ok(all!(
        tx,
        Event,
        "SELECT v.escalation_id, v.at, v.kind, v.staff_id, v.inbox_id, v.detail
           FROM escalation_event v WHERE v.patient_id = $1 AND v.at >= $2 ORDER BY v.id",
        patient.0,
        since.0
    )?)
}

/// Moves the time by which an item is to be claimed.
///
/// # Errors
/// When the database refuses.
pub async fn set_due(tx: &mut Tx, id: Id, due: Time) -> Result<(), StoreError> {
    run!(tx, "UPDATE escalation SET due_at = $2, version = version + 1 WHERE id = $1", id.0, due.0)?;
    Ok(())
}

/// A text that changes whenever an item is opened, changed or resolved, whoever committed first: for pages that wait for
/// news.
///
/// # Errors
/// When the database refuses.
pub async fn news(tx: &mut Tx) -> Result<String, StoreError> {
    let sum = maybe!(
        tx,
        (i64, i64, i64),
        "SELECT CAST(COUNT(*) AS BIGINT), CAST(COALESCE(SUM(version), 0) AS BIGINT), CAST(COALESCE(MAX(id), 0) AS BIGINT)
           FROM escalation WHERE state <> 'resolved'"
    )?;
    let (count, versions, latest) = sum.unwrap_or_default();
    Ok(format!("{count}:{versions}:{latest}"))
}

/// Unresolved items about our own trouble with these words.
///
/// # Errors
/// When the database refuses.
pub async fn unresolved_technical(tx: &mut Tx, reason: &str) -> Result<Vec<Escalation>, StoreError> {
    Ok(all!(
        tx,
        Escalation,
        items!("WHERE state <> 'resolved' AND patient_id IS NULL AND category = 'technical' AND reason = $1"),
        reason
    )?)
}

/// The crisis replies to these items that have gone out or still will, with when and which: `(item, at, key)`, oldest first. One
/// that still will counts as given `now`; one that ended unsent was never given.
///
/// # Errors
/// When the database refuses.
pub async fn crisis_replies(tx: &mut Tx, items: &[i64], now: Time) -> Result<Vec<(i64, i64, String)>, StoreError> {
    const REPLIES: Sql = bulk!(
        "SELECT v.escalation_id,
                CASE WHEN m.state IN ('planned', 'held', 'queued', 'sending') THEN $2
                     ELSE COALESCE((SELECT MAX(a.started_at) FROM attempt a WHERE a.message_id = m.id), m.planned_at) END,
                v.detail
           FROM escalation_event v
           JOIN message m ON m.patient_id = v.patient_id AND m.planned_at = v.at AND m.inbox_id = v.inbox_id AND m.class = 'crisis'
          WHERE v.kind = 'crisis'
            AND (m.state IN ('sending', 'accepted', 'sent', 'delivered', 'read', 'unknown')
                 OR (m.state IN ('planned', 'held', 'queued') AND COALESCE(m.expires_at, $2 + 1) > $2))
            AND v.escalation_id IN (SELECT CAST(j.value AS BIGINT) FROM",
        ") ORDER BY v.id"
    );
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let sql = tx.pick(&REPLIES);
    Ok(all!(tx, (i64, i64, String), sql, rows_json(items)?, now.0)?)
}

/// Unresolved items that belong to no patient: unknown senders and our own trouble, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn unresolved_of_nobody(tx: &mut Tx) -> Result<Vec<Escalation>, StoreError> {
    Ok(all!(tx, Escalation, items!("WHERE state <> 'resolved' AND patient_id IS NULL ORDER BY opened_at, id"))?)
}
