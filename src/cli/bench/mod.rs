//! `bench`: how fast, on this machine, with everything in place. Never a test.
//!
//! Each benchmark runs the real service, in a database of its own, against a provider or phones on a thread of this process; so
//! sink and database share the machine with what is measured. One JSON line comes out, progress goes to standard error.

mod inbound;
mod machine;
mod outbound;
mod sink;
mod tick;
mod triage;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::Failure;
use crate::store::Location;

/// What can be measured.
#[derive(Debug, Subcommand)]
pub(super) enum Bench {
    /// Due occurrences to messages that a provider has accepted and the database has recorded
    Outbound {
        /// How many messages
        #[arg(long, default_value_t = 50_000)]
        messages: usize,
        /// A provider that answers any POST with 200 and JSON; without it, one inside this process
        #[arg(long)]
        to: Option<String>,
        /// An empty database; without it, a temporary file of its own
        #[arg(long)]
        database: Option<Location>,
        /// The most requests to the provider at once
        #[arg(long, default_value_t = 128)]
        in_flight: usize,
        /// Daily questions, which also open a conversation, instead of reminders of visits
        #[arg(long)]
        questions: bool,
    },
    /// A burst of callbacks: to the durable 200, and to triaged, answered and escalated
    Inbound {
        /// How many replies
        #[arg(long, default_value_t = 20_000)]
        messages: usize,
        /// An empty database; without it, a temporary file of its own
        #[arg(long)]
        database: Option<Location>,
        /// How many connections write at once
        #[arg(long, default_value_t = 64)]
        connections: usize,
    },
    /// Reading replies on one core: rules and statistical reader, without a database
    Triage {
        /// How many replies
        #[arg(long, default_value_t = 100_000)]
        messages: usize,
        /// Labelled replies to read over and over; without it, those of the tests
        #[arg(long)]
        file: Option<PathBuf>,
    },
    /// 1,000 due timers among few and among many enrolments
    Tick {
        /// How many enrolments, in steps
        #[arg(long, value_delimiter = ',', default_value = "10000,100000,1000000")]
        enrolments: Vec<usize>,
        /// An empty database; without it, a temporary file of its own
        #[arg(long)]
        database: Option<Location>,
        /// How many rounds of 1,000 due timers
        #[arg(long, default_value_t = 20)]
        rounds: usize,
    },
}

pub(super) async fn run(bench: Bench) -> Result<ExitCode, Failure> {
    let line = match bench {
        Bench::Outbound { messages, to, database, in_flight, questions } => {
            outbound::run(messages, to, database, in_flight, questions).await?
        }
        Bench::Inbound { messages, database, connections } => inbound::run(messages, database, connections).await?,
        Bench::Triage { messages, file } => triage::run(messages, file)?,
        Bench::Tick { enrolments, database, rounds } => tick::run(&enrolments, database, rounds).await?,
    };
    super::say(line);
    Ok(ExitCode::SUCCESS)
}

/// Tells how far a long run is, on standard error.
fn note(text: impl std::fmt::Display) {
    use std::io::Write as _;
    // With no standard error there is nobody to tell.
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// Rounded, so that no figure claims more than was measured.
fn round(value: f64, digits: i32) -> f64 {
    let unit = 10_f64.powi(digits);
    (value * unit).round() / unit
}
