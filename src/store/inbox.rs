//! The inbox: what arrived, durable and deduplicated before anybody is told "received".

use super::rows::{Row, Rows, row};
use super::tx::{Sql, all, bulk, listed, on, run, sql, unlocked};
use super::{StoreError, Tx, rows_json};
use crate::clock::Time;
use crate::model::{Address, Body, Channel, Extras, Id, Keyword, Meaning, Media, MessageState, Priority};

/// Something that arrived.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// Identity, if it was not there before.
    pub id: Id,
    /// The gateway that brought it.
    pub gateway: String,
    /// `gateway:provider id`, or a hash where there is none.
    pub dedupe: String,
    /// The channel of the gateway.
    pub channel: Channel,
    /// A message or a receipt.
    pub what: What,
    /// Where in the order of work.
    pub priority: Priority,
    /// When (domain time).
    pub at: Time,
}

/// What arrived.
#[derive(Debug, Clone)]
pub enum What {
    /// Somebody wrote.
    Message {
        /// From where.
        from: Address,
        /// Its keyed hash.
        hash: String,
        /// What.
        body: Body,
        /// What came with it.
        extras: Extras,
    },
    /// Somebody blocked or stopped us at the provider.
    Left {
        /// From where.
        from: Address,
        /// Its keyed hash.
        hash: String,
    },
    /// A provider reported.
    Receipt {
        /// Our reference, if it named it.
        reference: String,
        /// The provider's id, if it named it.
        provider_id: String,
        /// What became of the message.
        state: MessageState,
        /// The provider's code.
        code: String,
        /// What a failure means, if the code says.
        means: Option<Meaning>,
    },
}

/// In the place of a keyword: the person left without a word.
pub const LEFT: &str = "left";

const STORE: Sql = bulk!(
    "INSERT INTO inbox (id, gateway, dedupe, kind, channel, address, address_hash, body, reference, provider_id, receipt, code, priority,
            state, received_at, media, part_of, part_number, part_count, start_token, answered, means)
     SELECT CAST(j.value->>0 AS BIGINT), j.value->>1, j.value->>2, j.value->>3, j.value->>4, j.value->>5, j.value->>6, j.value->>7,
            j.value->>8, j.value->>9, j.value->>10, j.value->>11, CAST(j.value->>12 AS BIGINT), 'new', CAST(j.value->>13 AS BIGINT),
            j.value->>14, j.value->>15, CAST(j.value->>16 AS BIGINT), CAST(j.value->>17 AS BIGINT), j.value->>18, j.value->>19, j.value->>20
       FROM",
    "WHERE TRUE ON CONFLICT (dedupe) DO NOTHING RETURNING id"
);

/// Stores what arrived; what was there before is left as it is. Gives how many are new.
///
/// # Errors
/// When the database refuses: then nothing of it counts as received.
pub async fn store(tx: &mut Tx, arrived: impl IntoIterator<Item = &Arrived>) -> Result<usize, StoreError> {
    // A provider that got no answer tells another node the same: in one order, so that neither waits for the other.
    let mut arrived: Vec<&Arrived> = arrived.into_iter().collect();
    arrived.sort_by(|a, b| a.dedupe.cmp(&b.dedupe));
    let rows: Rows = arrived.into_iter().map(columns).collect();
    let sql = tx.pick(&STORE);
    let new = all!(tx, (i64,), sql, rows.text()?)?.len();
    tx.ring().await?;
    Ok(new)
}

fn columns(a: &Arrived) -> Row {
    let mut row = row!([a.id.0, a.gateway, a.dedupe]);
    match &a.what {
        What::Message { from, hash, body, extras } => {
            row.add_all(row!(["message", a.channel, from.expose(), hash, body.expose(), "", "", "", "", a.priority.0, a.at.0]));
            let (of, number, count) = extras.part.as_ref().map_or(("", 0, 0), |p| (p.of.as_str(), p.number, p.count));
            let media = extras.media.map_or("", Media::as_str);
            let answered = extras.answered.map_or("", Keyword::as_str);
            row.add_all(row!([media, of, number, count, extras.start.as_deref().unwrap_or_default(), answered, ""]));
        }
        What::Left { from, hash } => {
            row.add_all(row!(["message", a.channel, from.expose(), hash, "", "", "", "", "", a.priority.0, a.at.0]));
            row.add_all(row!(["", "", 0, 0, "", LEFT, ""]));
        }
        What::Receipt { reference, provider_id, state, code, means } => {
            row.add_all(row!(["receipt", a.channel, "", "", "", reference, provider_id, state, code, a.priority.0, a.at.0]));
            row.add_all(row!(["", "", 0, 0, "", "", means.map_or("", Meaning::as_str)]));
        }
    }
    row
}

/// A row to be processed.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the table, named there")]
pub struct Waiting {
    pub id: i64,
    pub gateway: String,
    pub kind: String,
    pub channel: String,
    pub address: String,
    pub address_hash: String,
    pub body: String,
    pub reference: String,
    pub provider_id: String,
    pub receipt: String,
    pub code: String,
    pub priority: i64,
    pub tries: i64,
    pub received_at: i64,
    pub media: String,
    pub part_of: String,
    pub part_number: i64,
    pub part_count: i64,
    pub start_token: String,
    pub answered: String,
    pub means: String,
}

const WAITING: Sql = unlocked!(
    "SELECT id, gateway, kind, channel, address, address_hash, body, reference, provider_id, receipt, code, priority, tries, received_at,
            media, part_of, part_number, part_count, start_token, answered, means
       FROM inbox WHERE state = 'new' ORDER BY priority, id LIMIT $1",
    ""
);

/// Up to `limit` unprocessed rows, most pressing first; other nodes pass them over until this transaction ends.
///
/// # Errors
/// When the database refuses.
pub async fn waiting(tx: &mut Tx, limit: i64) -> Result<Vec<Waiting>, StoreError> {
    let sql = tx.pick(&WAITING);
    let mut rows = all!(tx, Waiting, sql, limit)?;
    rows.sort_by_key(|r| (r.priority, r.id));
    Ok(rows)
}

/// What a row was read as.
#[derive(Debug, Clone, Default)]
pub struct Done {
    /// Which.
    pub id: i64,
    /// Site, patient and thread, where known.
    pub site: Option<i64>,
    /// Patient.
    pub patient: Option<i64>,
    /// Thread.
    pub thread: Option<i64>,
    /// Severity as a word; empty for receipts.
    pub severity: String,
    /// Findings as JSON.
    pub verdict: String,
    /// What it was understood as, in words for staff.
    pub read_as: String,
}

const DONE: Sql = bulk!(
    "UPDATE inbox SET state = 'done', done_at = $2, site_id = CAST(j.value->>1 AS BIGINT), patient_id = CAST(j.value->>2 AS BIGINT),
            thread_id = CAST(j.value->>3 AS BIGINT), severity = j.value->>4, verdict = j.value->>5, read_as = j.value->>6
       FROM",
    "WHERE inbox.id = CAST(j.value->>0 AS BIGINT)"
);

/// Marks rows as processed.
///
/// # Errors
/// When the database refuses.
pub async fn finish(tx: &mut Tx, done: &[Done], now: Time) -> Result<(), StoreError> {
    if done.is_empty() {
        return Ok(());
    }
    let rows: Rows = done.iter().map(|d| row!([d.id, d.site, d.patient, d.thread, d.severity, d.verdict, d.read_as])).collect();
    let sql = tx.pick(&DONE);
    run!(tx, sql, rows.text()?, now.0)?;
    Ok(())
}

const PUT_LAST: Sql = bulk!("UPDATE inbox SET priority = $2 FROM", "WHERE inbox.id = CAST(j.value AS BIGINT)");

/// Puts rows that must wait behind everything else.
///
/// # Errors
/// When the database refuses.
pub async fn put_last(tx: &mut Tx, ids: &[i64]) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let sql = tx.pick(&PUT_LAST);
    run!(tx, sql, rows_json(ids)?, Priority::LAST.0)?;
    Ok(())
}

/// Counts a failed try; the third marks the row as failed, so that it cannot wedge the inbox. Gives the tries.
///
/// # Errors
/// When the database refuses.
pub async fn fail(tx: &mut Tx, id: i64) -> Result<i64, StoreError> {
    Ok(on!(tx, |c| {
        sqlx::query_scalar::<_, i64>(
        "UPDATE inbox SET tries = tries + 1, state = CASE WHEN tries >= 2 THEN 'failed' ELSE 'new' END WHERE id = $1 RETURNING tries"
    )
    .bind(id)
    .fetch_one(c)
    .await
    })?)
}

/// How many rows wait.
///
/// # Errors
/// When the database refuses.
pub async fn depth(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(on!(tx, |c| sqlx::query_scalar::<_, i64>("SELECT CAST(COUNT(*) AS BIGINT) FROM inbox WHERE state = 'new'")
        .fetch_one(c)
        .await)?)
}

/// What patients wrote lately, oldest first: `(patient, body, when)`.
///
/// # Errors
/// When the database refuses.
pub async fn lately(tx: &mut Tx, patients: &[i64], since: Time, before: i64) -> Result<Vec<(i64, String, i64)>, StoreError> {
    // From the patients to their rows: a planner that has not counted yet would read the table for a condition.
    const LATELY: Sql = sql!(
        list("i.patient_id, i.body, i.received_at" by "i.id")
        "FROM" rows "JOIN inbox i ON i.patient_id = CAST(j.value AS BIGINT) AND i.received_at >= $2
          WHERE i.state = 'done' AND i.kind = 'message' AND i.id < $3"
    );
    listed!(tx, (i64, String, i64), LATELY, rows_json(patients)?, since.0, before)
}
