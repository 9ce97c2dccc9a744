//! Store conformance: every store function does the same on both databases.
//!
//! One text of each case, two tests of it. The server is a private one; where none is running, the tests fail.

#![expect(clippy::expect_used, reason = "a case that cannot go on has failed")]

#[path = "conformance/ahead.rs"]
mod ahead_cases;
#[path = "conformance/copies.rs"]
mod copies;
#[path = "conformance/entries.rs"]
mod entries;
#[path = "conformance/inbox.rs"]
mod inbox_cases;
#[path = "conformance/items.rs"]
mod items;
#[path = "conformance/ladder.rs"]
mod ladder;
#[path = "conformance/links.rs"]
mod link_cases;
#[path = "conformance/outbox.rs"]
mod outbox;
#[path = "conformance/page_rows.rs"]
mod page_rows;
#[path = "conformance/people.rs"]
mod people;
#[path = "conformance/place.rs"]
mod place;
#[path = "conformance/plans.rs"]
mod plans;
#[path = "conformance/seeds.rs"]
mod seeds;
#[path = "conformance/times.rs"]
mod times;
#[path = "conformance/writer.rs"]
mod writer;

/// Tells a case on both databases.
#[macro_export]
macro_rules! case {
    ($(#[$doc:meta])* $name:ident, |$place:ident| $body:block) => {
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn told($place: &$crate::place::Place) $body

            #[tokio::test]
            async fn on_sqlite() {
                let place = $crate::place::Place::sqlite().await;
                told(&place).await;
                place.end().await;
            }

            #[tokio::test]
            async fn on_postgres() {
                let place = $crate::place::Place::postgres().await;
                told(&place).await;
                place.end().await;
            }
        }
    };
}

/// Writes through the writer and gives what was answered after the commit.
#[macro_export]
macro_rules! save {
    ($place:expr, |$tx:ident| $body:expr) => {
        $place.db.write(porchlight::store::Lane::Work, move |$tx| async move { $body }.boxed()).await.expect("it is written")
    };
}

/// Tries to write; gives why it was refused.
#[macro_export]
macro_rules! refused {
    ($place:expr, |$tx:ident| $body:expr) => {
        $place.db.write(porchlight::store::Lane::Work, move |$tx| async move { $body }.boxed()).await.expect_err("it is refused")
    };
}

/// Reads through a read-only connection.
#[macro_export]
macro_rules! look {
    ($place:expr, |$tx:ident| $body:expr) => {{
        let mut transaction = $place.db.read().await.expect("the database can be read");
        let $tx = &mut transaction;
        $body.expect("it is read")
    }};
}

/// A store function that no case calls is not tested: this fails when one is added without a case.
#[test]
fn every_store_function_has_a_case() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &std::path::Path| std::fs::read_to_string(path).expect("a file of the repository");
    let list = |folder: &str| -> Vec<_> {
        let entries = std::fs::read_dir(root.join(folder)).expect("a folder of the repository");
        entries.map(|e| e.expect("an entry").path()).filter(|p| p.extension().is_some_and(|e| e == "rs")).collect()
    };
    let cases: String = list("tests/conformance").iter().map(|p| read(p)).collect();
    let mut missing = Vec::new();
    let mut found = 0;
    for path in list("src/store").into_iter().chain(list("src/store/pages")) {
        let module = path.file_stem().expect("a name").to_string_lossy().into_owned();
        if ["db", "tx", "mod"].contains(&module.as_str()) {
            continue; // the writer and its macros: what the cases themselves stand on
        }
        for line in read(&path).lines().filter_map(|line| line.strip_prefix("pub async fn ")) {
            let name = line.split(['(', '<']).next().unwrap_or_default();
            found += 1;
            if !cases.contains(&format!("{module}::{name}(")) {
                missing.push(format!("{module}::{name}"));
            }
        }
    }
    assert!(found > 100, "only {found} store functions were found: is this test looking at the right folder?");
    assert!(missing.is_empty(), "store functions without a case: {missing:?}");
}
