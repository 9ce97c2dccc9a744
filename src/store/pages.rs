//! What the console's pages read, in a fixed number of statements a page, whatever its length; and taking an item over.
//!
//! **Invariant.** Lists and items are read for the site of the reader's session, so a row of another site is never seen;
//! what is asked for by an item's or a patient's id alone is asked for only after that.

pub mod lists;
pub mod patient;

use super::escalations::Escalation;
use super::tx::{all, maybe, run};
use super::{StoreError, Tx};
use crate::clock::Time;
use crate::model::Id;

/// No queue shows more items than this; the most pressing come first.
const QUEUE: i64 = 1000;

/// An item as the queue and its pane need it.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the tables, named there")]
pub struct Item {
    /// The escalation itself.
    #[sqlx(flatten)]
    pub escalation: Escalation,
    /// The patient's name.
    pub name: Option<String>,
    pub lang: Option<String>,
    pub coordinator_id: Option<i64>,
    pub backup_id: Option<i64>,
    /// Who has it.
    pub owner: Option<String>,
    /// What the patient wrote: its beginning.
    pub body: Option<String>,
    /// Where that came from.
    pub address: Option<String>,
    pub received_at: Option<i64>,
}

/// The columns of [`Item`] and their tables, then `$rest`.
macro_rules! items {
    ($rest:literal) => {
        concat!(
            "SELECT e.id, e.site_id, e.patient_id, e.inbox_id, e.severity, e.category, e.reason, e.state, e.opened_at, e.due_at, e.rung,
                    e.owner_id, e.claimed_at, e.resolved_at, e.outcome, e.version, p.name, t.lang, t.coordinator_id, t.backup_id,
                    o.name AS owner, SUBSTR(i.body, 1, 400) AS body, i.address, i.received_at
               FROM escalation e
               LEFT JOIN patient t ON t.id = e.patient_id LEFT JOIN person p ON p.id = t.person_id
               LEFT JOIN staff s ON s.id = e.owner_id LEFT JOIN person o ON o.id = s.person_id
               LEFT JOIN inbox i ON i.id = e.inbox_id ",
            $rest
        )
    };
}

/// What nobody has resolved, most severe first, then by deadline.
///
/// # Errors
/// When the database refuses.
pub async fn unresolved(tx: &mut Tx, site: Id) -> Result<Vec<Item>, StoreError> {
    Ok(all!(
        tx,
        Item,
        items!(
            "WHERE e.site_id = $1 AND e.state <> 'resolved'
             ORDER BY CASE e.severity WHEN 'emergency' THEN 0 WHEN 'urgent' THEN 1 ELSE 2 END, e.due_at, e.id LIMIT $2"
        ),
        site.0,
        QUEUE
    )?)
}

/// What was resolved since `since`, among items that are younger than the id `first` (see [`first_id`]).
///
/// # Errors
/// When the database refuses.
pub async fn resolved(tx: &mut Tx, site: Id, since: Time, first: Id) -> Result<Vec<Item>, StoreError> {
    Ok(all!(
        tx,
        Item,
        items!(
            "WHERE e.id >= $1 AND e.site_id = $2 AND e.state = 'resolved' AND e.resolved_at >= $3
             ORDER BY e.resolved_at DESC, e.id LIMIT $4"
        ),
        first.0,
        site.0,
        since.0,
        QUEUE
    )?)
}

/// One item.
///
/// # Errors
/// When the database refuses.
pub async fn item(tx: &mut Tx, site: Id, id: Id) -> Result<Option<Item>, StoreError> {
    Ok(maybe!(tx, Item, items!("WHERE e.site_id = $1 AND e.id = $2"), site.0, id.0)?)
}

/// A patient's unresolved items, most severe first.
///
/// # Errors
/// When the database refuses.
pub async fn items_of(tx: &mut Tx, site: Id, patient: Id) -> Result<Vec<Item>, StoreError> {
    Ok(all!(
        tx,
        Item,
        items!(
            "WHERE e.site_id = $1 AND e.patient_id = $2 AND e.state <> 'resolved'
             ORDER BY CASE e.severity WHEN 'emergency' THEN 0 WHEN 'urgent' THEN 1 ELSE 2 END, e.due_at, e.id"
        ),
        site.0,
        patient.0
    )?)
}

/// Something that happened to an item, with the names and words that belong to it.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the tables, named there")]
pub struct Happened {
    pub id: i64,
    pub at: i64,
    pub kind: String,
    pub detail: String,
    /// Who did it, or was told.
    pub who: Option<String>,
    pub staff_id: Option<i64>,
    /// The words that it was about, how and when they came, and what was found in them.
    pub inbox_id: Option<i64>,
    pub body: Option<String>,
    pub address: Option<String>,
    pub channel: Option<String>,
    pub received_at: Option<i64>,
    pub severity: Option<String>,
    pub verdict: Option<String>,
    pub read_as: Option<String>,
}

/// What has happened to an item, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn happened(tx: &mut Tx, item: Id) -> Result<Vec<Happened>, StoreError> {
    Ok(all!(
        tx,
        Happened,
        "SELECT v.id, v.at, v.kind, v.detail, p.name AS who, v.staff_id, v.inbox_id, i.body, i.address, i.channel, i.received_at,
                i.severity, i.verdict, i.read_as
           FROM escalation_event v
           LEFT JOIN staff s ON s.id = v.staff_id LEFT JOIN person p ON p.id = s.person_id
           LEFT JOIN inbox i ON i.id = v.inbox_id
          WHERE v.escalation_id = $1 ORDER BY v.id",
        item.0
    )?)
}

/// Gives an item that a colleague has claimed to `staff`, if it still stands as its reader saw it: `version` is the item's.
/// `false`: it is nobody's, resolved, `staff`'s already, or has changed since.
///
/// # Errors
/// When the database refuses.
pub async fn take_over(tx: &mut Tx, id: Id, staff: Id, version: i64, now: Time) -> Result<bool, StoreError> {
    Ok(run!(
        tx,
        "UPDATE escalation SET owner_id = $2, claimed_at = $4, version = version + 1
          WHERE id = $1 AND state = 'claimed' AND owner_id <> $2 AND version = $3",
        id.0,
        staff.0,
        version,
        now.0
    )? == 1)
}

/// How the crisis replies of an item do: `(inbox row that they answer, state, why)`, oldest first.
/// `patient` is the item's; for somebody unknown, the item's own words.
///
/// # Errors
/// When the database refuses.
pub async fn crisis_messages(
    tx: &mut Tx,
    patient: Option<Id>,
    inbox: Option<Id>,
    since: Time,
) -> Result<Vec<(Option<i64>, String, String)>, StoreError> {
    type Row = (Option<i64>, String, String);
    Ok(match patient {
        Some(patient) => all!(
            tx,
            Row,
            "SELECT inbox_id, state, why FROM message WHERE patient_id = $1 AND planned_at >= $2 AND class = 'crisis' ORDER BY id",
            patient.0,
            since.0
        )?,
        None => all!(
            tx,
            Row,
            "SELECT inbox_id, state, why FROM message
              WHERE patient_id IS NULL AND planned_at >= $1 AND class = 'crisis' AND inbox_id = $2 ORDER BY id",
            since.0,
            inbox.map(|i| i.0)
        )?,
    })
}

/// An emergency that nobody has claimed.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the tables, named there")]
pub struct Alarm {
    pub id: i64,
    pub reason: String,
    pub due_at: i64,
    pub name: Option<String>,
    pub address: Option<String>,
}

/// Every emergency that nobody has claimed, by deadline.
///
/// # Errors
/// When the database refuses.
pub async fn alarms(tx: &mut Tx, site: Id) -> Result<Vec<Alarm>, StoreError> {
    Ok(all!(
        tx,
        Alarm,
        "SELECT e.id, e.reason, e.due_at, p.name, i.address
           FROM escalation e LEFT JOIN patient t ON t.id = e.patient_id LEFT JOIN person p ON p.id = t.person_id
           LEFT JOIN inbox i ON i.id = e.inbox_id
          WHERE e.state <> 'resolved' AND e.state = 'open' AND e.severity = 'emergency' AND e.site_id = $1
          ORDER BY e.due_at, e.id LIMIT 100",
        site.0
    )?)
}

/// A number that changes whenever a patient's timeline does.
///
/// # Errors
/// When the database refuses.
pub async fn mark(tx: &mut Tx, patient: Id) -> Result<[i64; 6], StoreError> {
    let row = maybe!(
        tx,
        (i64, i64, i64, i64, i64, i64),
        "SELECT (SELECT CAST(COUNT(*) AS BIGINT) FROM inbox WHERE patient_id = $1),
                (SELECT CAST(COUNT(*) AS BIGINT) FROM message WHERE patient_id = $1),
                (SELECT CAST(COALESCE(MAX(state_at), 0) AS BIGINT) FROM message WHERE patient_id = $1),
                (SELECT CAST(COALESCE(SUM(CASE state WHEN 'planned' THEN 1 WHEN 'held' THEN 2 WHEN 'queued' THEN 3 WHEN 'sending' THEN 5
                    WHEN 'accepted' THEN 7 WHEN 'sent' THEN 11 WHEN 'delivered' THEN 13 WHEN 'read' THEN 17 ELSE 19 END), 0) AS BIGINT)
                   FROM message WHERE patient_id = $1),
                (SELECT CAST(COUNT(*) AS BIGINT) FROM decision WHERE patient_id = $1),
                (SELECT CAST(COUNT(*) AS BIGINT) FROM note WHERE patient_id = $1)",
        patient.0
    )?;
    Ok(row.map_or([0; 6], |r| [r.0, r.1, r.2, r.3, r.4, r.5]))
}

/// Whether this member of staff's reading of `subject`, an item that is no patient's, was noted since `since`.
///
/// # Errors
/// When the database refuses.
pub async fn read_of_nobody_since(tx: &mut Tx, staff: Id, subject: &str, action: &str, since: Time) -> Result<bool, StoreError> {
    let found = maybe!(
        tx,
        (i64,),
        "SELECT seq FROM audit WHERE patient_id IS NULL AND at >= $1 AND staff_id = $2 AND action = $3 AND subject = $4 LIMIT 1",
        since.0,
        staff.0,
        action,
        subject
    )?;
    Ok(found.is_some())
}

/// Whether this member of staff's reading of a patient's record was noted since `since`.
///
/// # Errors
/// When the database refuses.
pub async fn read_since(tx: &mut Tx, staff: Id, patient: Id, action: &str, since: Time) -> Result<bool, StoreError> {
    let found = maybe!(
        tx,
        (i64,),
        "SELECT seq FROM audit WHERE patient_id = $1 AND at >= $2 AND staff_id = $3 AND action = $4 LIMIT 1",
        patient.0,
        since.0,
        staff.0,
        action
    )?;
    Ok(found.is_some())
}

/// The lowest id that can have been made at or after `machine` (machine time): ids begin with their time.
#[must_use]
pub fn first_id(machine: Time) -> Id {
    const EPOCH_MS: i64 = 1_704_067_200_000; // 2024-01-01, as in the ids
    Id(machine.0.saturating_sub(EPOCH_MS).clamp(0, i64::MAX >> 22) << 22)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::IdSource;

    #[test]
    fn an_id_is_never_below_the_first_of_its_time() {
        let at = Time(1_800_000_000_000);
        let id = IdSource::new(0, Time(0)).next(at);
        assert!(id >= first_id(at) && id < first_id(Time(at.0 + 1)));
        assert_eq!(first_id(Time(0)), Id(0));
    }
}
