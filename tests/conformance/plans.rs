//! How the embedded database finds the rows of the statements that run all day: by their index, never by reading the table.
//!
//! The statements are taken from the source text, so that what is explained is what runs.

use futures_util::FutureExt;
use porchlight::model::Class;
use porchlight::store::Location;
use porchlight::store::messages::{self, NewMessage};
use porchlight::store::timers::{self, Kind};
use sqlx::{ConnectOptions, Row};

use crate::inbox_cases::wrote;
use crate::outbox::message;
use crate::place::{NOW, Place, clinic, later};
use crate::save;
use crate::times::timer;

const MESSAGES: &str = include_str!("../../src/store/messages.rs");
const AHEAD: &str = include_str!("../../src/store/ahead.rs");
const INBOX: &str = include_str!("../../src/store/inbox.rs");
const RECEIPTS: &str = include_str!("../../src/store/receipts.rs");
const TIMERS: &str = include_str!("../../src/store/timers.rs");

/// The embedded database's form of `const NAME: Sql = bulk!(…)` or `sql!(…)`, or of a plain `const NAME: &str`.
fn statement(source: &str, name: &str) -> String {
    let from = source.find(&format!("const {name}:")).unwrap_or_else(|| panic!("no statement {name}"));
    let text = source[from..].split_once(';').expect("the constant ends").0;
    assert!(text.contains('"') && !text.contains('\\'), "{name}: {text}");
    let bulk = text.contains("bulk!(");
    let mut sql = String::new();
    // What stands between the texts says what takes their place.
    let pieces: Vec<&str> = text.split('"').collect();
    for (at, piece) in pieces.iter().enumerate().take(pieces.len() - 1) {
        sql.push_str(match (at % 2, piece.trim()) {
            (1, _) => piece,
            (_, code) if code.ends_with("list(") => "SELECT json_group_array(json_array(",
            (_, "by") => ") ORDER BY ",
            (_, ")") => ") ",
            (_, ",") if bulk => " jsonb_each($1) AS j ",
            (_, "rows") => " jsonb_each($1) AS j ",
            _ => " ",
        });
    }
    sql.trim().to_owned()
}

/// The steps of a statement's plan.
async fn plan(place: &Place, sql: &str) -> Vec<String> {
    let Location::Sqlite(path) = &place.location else { panic!("a file") };
    let mut file = sqlx::sqlite::SqliteConnectOptions::new().filename(path).read_only(true).connect().await.expect("the file");
    let sql = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
    let rows = sqlx::query(sql).fetch_all(&mut file).await.expect("a plan");
    rows.iter().map(|row| row.get::<String, _>("detail")).collect()
}

/// A table with two thousand messages, most of them long gone, as after some weeks.
async fn weeks_later() -> Place {
    let place = Place::sqlite().await;
    clinic(&place).await;
    save!(place, |tx| {
        let all: Vec<_> = (0..2000).map(|n| NewMessage { ready_at: later(n), ..message(1000 + n, Class::Reminder) }).collect();
        messages::plan(tx, &all).await?;
        let gone: Vec<_> = (0..1900)
            .map(|n| (porchlight::model::Id(1000 + n), porchlight::model::MessageState::Delivered, String::new(), NOW))
            .collect();
        messages::settle(tx, &gone, NOW).await?;
        let rows: Vec<_> = (0..500).map(|n| wrote(1000 + n, &format!("m-{n}"), "82")).collect();
        porchlight::store::inbox::store(tx, &rows).await?;
        let due: Vec<_> = (0..500).map(|n| timer(1000 + n, Kind::Step, 5000 + n, "ask", later(n))).collect();
        timers::set(tx, &due).await
    });
    place
}

/// No step reads all of `table`, and one uses `index`.
fn finds(steps: &[String], table: &str, index: &str) {
    let scan = format!("SCAN {table}");
    assert!(!steps.iter().any(|s| s.starts_with(&scan) && !s.contains("USING")), "reads the whole table: {steps:#?}");
    assert!(steps.iter().any(|s| s.contains(index)), "does not use {index}: {steps:#?}");
}

/// The rows come in the order of the index: what is due is not sorted to find the first of it. (The list itself may be.)
fn in_order(steps: &[String]) {
    let sorted = steps.iter().filter(|s| s.contains("TEMP B-TREE FOR ORDER BY")).count();
    assert_eq!(sorted, 0, "the index gives the order: {steps:#?}");
}

#[tokio::test]
async fn what_runs_all_day_uses_its_index() {
    let place = weeks_later().await;
    for analysed in [false, true] {
        if analysed {
            save!(place, |tx| crate::place::raw(tx, "ANALYZE").await);
        }
        let claimable = plan(&place, &statement(MESSAGES, "CLAIMABLE")).await;
        finds(&claimable, "message", "message_queued");
        in_order(&claimable);
        finds(&plan(&place, &statement(MESSAGES, "RELEASE")).await, "message", "message_sending");
        for name in ["ACK_MESSAGE", "SETTLE", "PREPARE"] {
            let steps = plan(&place, &statement(MESSAGES, name)).await;
            finds(&steps, "message", "sqlite_autoindex_message_1 (id=?)");
            assert!(
                !steps.iter().any(|s| s.contains("message_sending") || s.contains("message_queued")),
                "{name} by state: {steps:#?}"
            );
        }
        finds(
            &plan(&place, &statement(MESSAGES, "ACK_ATTEMPT")).await,
            "attempt",
            "sqlite_autoindex_attempt_1 (message_id=? AND n=?)",
        );
        let receipts = plan(&place, &statement(RECEIPTS, "FIND")).await;
        finds(&receipts, "a", "attempt_by_reference");
        finds(&receipts, "a", "attempt_by_provider");
        let waiting = plan(&place, &statement(INBOX, "WAITING")).await;
        finds(&waiting, "inbox", "inbox_new");
        in_order(&waiting);
        finds(&plan(&place, &statement(INBOX, "DONE")).await, "inbox", "sqlite_autoindex_inbox_");
        let due = plan(&place, &statement(TIMERS, "DUE")).await;
        finds(&due, "timer", "timer_due");
        in_order(&due);
        let again = plan(&place, &statement(AHEAD, "RECORD_AGAIN")).await;
        finds(&again, "occurrence", "sqlite_autoindex_occurrence_1 (key=?)");
        // Here all messages are one patient's; a planner that has counted them reads them all, and is right.
        if !analysed {
            finds(&again, "m", "message_by_patient (patient_id=?)");
            let off = plan(&place, &statement(AHEAD, "CALL_OFF")).await;
            finds(&off, "message", "message_by_patient (patient_id=?)");
        }
    }
    place.end().await;
}

#[test]
fn statements_are_read_from_the_source() {
    assert!(statement(MESSAGES, "PREPARE").starts_with("UPDATE message SET contact_id"));
    assert!(statement(MESSAGES, "ACK_MESSAGE").contains(" FROM jsonb_each($1) AS j WHERE message.id"));
    let due = statement(TIMERS, "DUE");
    assert!(
        due.starts_with("SELECT json_group_array(json_array(id, site_id") && due.contains("version, due_at) ORDER BY due_at"),
        "{due}"
    );
    assert!(due.contains("LIMIT $2 ) AS due"), "{due}");
    assert!(!statement(INBOX, "WAITING").contains("SKIP LOCKED"), "the SQLite form");
}
