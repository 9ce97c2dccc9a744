//! Sending that stands still. A restored copy of the database does not know what went out after its backup was begun, so
//! nothing leaves it until a person says so.
//!
//! Two settings: `sending.paused` stands as long as nothing may be claimed (the claim itself looks at it); `restored.at`
//! stays for ever, because what was due until then may have gone out before.

use super::tx::{all, maybe, run};
use super::{StoreError, Tx, sites};
use crate::clock::Time;

/// Where the state of sending stands; absent, messages go out. Named in the claim's own statement too.
const PAUSED: &str = "sending.paused";
const RESTORED: &str = "restored.at";
/// The one state so far.
const STATE: &str = "paused_restore";

/// Why and since when nothing goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// `paused_restore`.
    pub state: String,
    /// Since when (domain time).
    pub since: Time,
}

/// Whether sending is paused.
///
/// # Errors
/// When the database refuses.
pub async fn current(tx: &mut Tx) -> Result<Option<Pause>, StoreError> {
    let Some(value) = sites::get(tx, PAUSED).await? else { return Ok(None) };
    // Whatever stands there pauses: the claim does not read it either.
    let (state, since) = value.split_once(' ').unwrap_or((value.as_str(), ""));
    Ok(Some(Pause { state: state.to_owned(), since: Time(since.parse().unwrap_or(0)) }))
}

/// When this copy of the database was restored, if it is one.
///
/// # Errors
/// When the database refuses.
pub async fn restored(tx: &mut Tx) -> Result<Option<Time>, StoreError> {
    Ok(sites::get(tx, RESTORED).await?.and_then(|at| at.parse().ok()).map(Time))
}

/// Lets messages go out again.
///
/// # Errors
/// When the database refuses.
pub async fn lift(tx: &mut Tx) -> Result<(), StoreError> {
    run!(tx, "DELETE FROM setting WHERE key = $1", PAUSED)?;
    Ok(())
}

/// What a restored copy must be told before anybody works with it, as statements of both databases.
///
/// Sending is paused. What was about to go out, or was going out, is *not known*, and no rule sends it again; what was held
/// until later than now certainly had not gone. What was in doubt already stays so: the receipt that would have cleared it up went
/// to the lost database. Nobody is signed in. No link opens: it may have been used since. No id is made that the lost database may
/// have made.
fn statements(at: Time) -> [String; 9] {
    let at = at.0;
    let keep = "ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    [
        format!("INSERT INTO setting (key, value) VALUES ('{PAUSED}', '{STATE} {at}') {keep}"),
        format!("INSERT INTO setting (key, value) VALUES ('{RESTORED}', '{at}') {keep}"),
        format!(
            "UPDATE message SET state = 'unknown', why = 'restored', lease_owner = '', lease_until = NULL, state_at = {at}
              WHERE state IN ('planned', 'queued', 'sending') OR (state = 'held' AND NOT EXISTS
                    (SELECT 1 FROM timer t WHERE t.kind = 'hold' AND t.subject = message.id AND t.due_at > {at}))
                 OR (state = 'unknown' AND EXISTS (SELECT 1 FROM timer t WHERE t.kind = 'doubt' AND t.subject = message.id))"
        ),
        "DELETE FROM timer WHERE kind = 'doubt'".to_owned(),
        "DELETE FROM session".to_owned(),
        "DELETE FROM sign_in_failure".to_owned(),
        format!("UPDATE link SET void_at = {at} WHERE used_at IS NULL AND void_at IS NULL"),
        "UPDATE lease SET lease_until = 0".to_owned(),
        format!("UPDATE node SET owner = '', lease_until = 0, high = CASE WHEN high > {at} THEN high ELSE {at} END"),
    ]
}

/// Marks a restored copy: see the module's head. For a copy that nobody can have started yet.
///
/// # Errors
/// When the database refuses.
pub async fn mark(tx: &mut Tx, at: Time) -> Result<(), StoreError> {
    for statement in statements(at) {
        run!(tx, sqlx::AssertSqlSafe(statement))?;
    }
    Ok(())
}

/// How a restored copy is made and marked in one transaction by a client that reads SQL: before the dump, and after it.
#[must_use]
pub fn script(at: Time) -> (String, String) {
    let mut after = "RESET search_path;\n".to_owned();
    for statement in statements(at) {
        after.push_str(&statement);
        after.push_str(";\n");
    }
    after.push_str("COMMIT;\n");
    ("BEGIN;\n".to_owned(), after)
}

/// Unsent replies to what came in since `$1`. A crisis reply only if a person has the emergency: otherwise it still goes,
/// within its hour.
macro_rules! replies {
    () => {
        "state IN ('queued', 'held') AND inbox_id IS NOT NULL AND staff_id IS NULL AND planned_at >= $1
           AND (class <> 'crisis' OR (patient_id IS NOT NULL AND NOT EXISTS
                (SELECT 1 FROM escalation e WHERE e.patient_id = message.patient_id AND e.severity = 'emergency' AND e.state = 'open')))"
    };
}

/// What waits while sending is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, sqlx::FromRow)]
pub struct Waiting {
    /// In the outbox.
    pub queued: i64,
    /// Held for a better time.
    pub held: i64,
    /// Of the queued and held: too late to be of use.
    pub expired: i64,
    /// Of the queued and held: replies that end unsent at the release.
    pub replies: i64,
    /// Not known to have gone out before the copy was restored.
    pub unknown: i64,
}

/// Counts what waits since sending was paused.
///
/// # Errors
/// When the database refuses.
pub async fn waiting(tx: &mut Tx, since: Time, now: Time) -> Result<Waiting, StoreError> {
    let found = maybe!(
        tx,
        Waiting,
        concat!(
            "SELECT CAST(COALESCE(SUM(CASE WHEN state = 'queued' THEN 1 ELSE 0 END), 0) AS BIGINT) AS queued,
                    CAST(COALESCE(SUM(CASE WHEN state = 'held' THEN 1 ELSE 0 END), 0) AS BIGINT) AS held,
                    CAST(COALESCE(SUM(CASE WHEN state <> 'unknown' AND expires_at <= $2 THEN 1 ELSE 0 END), 0) AS BIGINT) AS expired,
                    CAST(COALESCE(SUM(CASE WHEN ",
            replies!(),
            " THEN 1 ELSE 0 END), 0) AS BIGINT) AS replies,
                    CAST(COALESCE(SUM(CASE WHEN state = 'unknown' THEN 1 ELSE 0 END), 0) AS BIGINT) AS unknown
               FROM message WHERE state IN ('queued', 'held') OR (state = 'unknown' AND why = 'restored')"
        ),
        since.0,
        now.0
    )?;
    Ok(found.unwrap_or_default())
}

/// A reply that ended unsent.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the table, named there")]
pub struct Ended {
    pub id: i64,
    pub site_id: i64,
    pub patient_id: Option<i64>,
}

/// Ends the unsent replies to what came in while sending was paused: what was replayed was answered before the copy was
/// restored, and nobody is answered twice.
///
/// # Errors
/// When the database refuses.
pub async fn end_replies(tx: &mut Tx, since: Time, now: Time) -> Result<Vec<Ended>, StoreError> {
    Ok(all!(
        tx,
        Ended,
        concat!(
            "UPDATE message SET state = 'skipped', why = 'restored', state_at = $2 WHERE ",
            replies!(),
            " RETURNING id, site_id, patient_id"
        ),
        since.0,
        now.0
    )?)
}

/// When the last good backup was begun (machine time), if one is known.
///
/// # Errors
/// When the database refuses.
pub async fn last_backup(tx: &mut Tx) -> Result<Option<Time>, StoreError> {
    Ok(sites::get(tx, "backup.kept").await?.and_then(|at| at.parse().ok()).map(Time))
}

/// Notes that a backup is begun: the copy carries it, and knows from it how old it is.
///
/// # Errors
/// When the database refuses.
pub async fn backup_begun(tx: &mut Tx, at: Time) -> Result<(), StoreError> {
    sites::set(tx, BEGUN, &at.0.to_string()).await
}

/// Notes that the backup that was begun then is whole.
///
/// # Errors
/// When the database refuses.
pub async fn backup_kept(tx: &mut Tx, at: Time) -> Result<(), StoreError> {
    sites::set(tx, "backup.kept", &at.0.to_string()).await
}

/// The setting that says when a copy's backup was begun.
pub const BEGUN: &str = "backup.begun";
