//! The proof that no crash, no second process and no trouble of a database loses a message or repeats one: the real program as a
//! process of its own, an unreliable carrier with a ledger, and one checker that reads the ledger against the database.
//!
//! Each case prints its report. The gate runs small sizes: seed 0, which crashes at the first pass of each fail point, 10 kills in 500
//! messages, 2,000 messages over two nodes. `PORCHLIGHT_CRASH=full` runs those of a release: 20 seeds, which crash at later passes too,
//! 200 kills in 10,000 messages, 100,000 over two nodes. `PORCHLIGHT_CRASH_SEEDS=5..10` runs some seeds only.

#![expect(clippy::expect_used, reason = "a case that cannot go on has failed")]

use std::io::Write as _;

#[path = "support/base.rs"]
mod base;
#[path = "crash/carmela.rs"]
mod carmela;
#[path = "support/checker.rs"]
mod checker;
#[path = "support/clinic.rs"]
mod clinic;
#[path = "support/cluster.rs"]
mod cluster;
#[path = "crash/kills.rs"]
mod kills;
#[path = "crash/nodes.rs"]
mod nodes;
#[path = "support/people.rs"]
mod people;
#[path = "crash/points.rs"]
mod points;
#[path = "support/provider.rs"]
mod provider;
#[path = "support/proxy.rs"]
mod proxy;
#[path = "crash/trouble.rs"]
mod trouble;

/// Whether the sizes of a release are asked for.
fn full() -> bool {
    std::env::var("PORCHLIGHT_CRASH").is_ok_and(|v| v == "full")
}

/// Prints a line of a report at once, whether the case fails or not.
fn tell(line: impl std::fmt::Display) {
    // A reader that has gone away does not want the rest.
    drop(writeln!(std::io::stdout().lock(), "{line}"));
}

fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().timeout(std::time::Duration::from_secs(20)).build();
    client.expect("a client")
}
