//! The command line: one file per command.

mod backup;
mod bench;
mod check;
mod consent;
mod demo;
mod doctor;
mod gateway;
mod import;
mod lines;
mod release;
mod serve;
mod triage;
mod user;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::app::Role;
use crate::config::Config;

/// Leaves a light on for patients who are hard to reach.
#[derive(Debug, Parser)]
#[command(name = "porchlight", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try it: an invented clinic with simulated phones, on this machine alone
    Demo {
        /// Where to serve the demo
        #[arg(long, default_value = "127.0.0.1:8080")]
        listen: std::net::SocketAddr,
        /// Keep the demo in this folder; without it, it is gone at the end
        #[arg(long)]
        data: Option<PathBuf>,
        /// How much faster than life: 1, 60 or 3600
        #[arg(long, default_value_t = 1.0)]
        speed: f64,
    },
    /// Run the service
    Serve {
        /// The settings; config/default.toml shows every one
        #[arg(long)]
        config: Option<PathBuf>,
        /// all, web or worker
        #[arg(long, default_value = "all")]
        role: Role,
    },
    /// Bring the database up to date
    Migrate {
        /// The settings
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Prove settings, protocols, texts, rules and vocabularies; names every fault with its place
    Check {
        /// The settings
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Look at database, clock, disk, keys and work; exit code 1 if anything is wrong. Changes nothing
    Doctor {
        /// One JSON object instead of lines
        #[arg(long)]
        json: bool,
        /// Read every page of the embedded database, not only its structure
        #[arg(long)]
        full: bool,
        /// The settings
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Copy the database into a file while the service works; the copy is verified
    Backup {
        /// Where to
        file: PathBuf,
        /// Replace the file if it is there
        #[arg(long)]
        force: bool,
        /// The settings
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Make an empty or absent database from a backup; it sends nothing until it is released
    Restore {
        /// What `porchlight backup` wrote
        file: PathBuf,
        /// The settings
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Let a restored copy send again
    Release {
        /// Who says so: e-mail or name of a member of staff; it stands in the audit
        #[arg(long)]
        by: String,
        /// Do it without asking
        #[arg(long)]
        yes: bool,
        /// The settings
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Bring in data
    #[command(subcommand)]
    Import(Import),
    /// Change what patients have agreed to, where they could not say it by text
    #[command(subcommand)]
    Consent(Consent),
    /// Manage staff
    #[command(subcommand)]
    User(User),
    /// Look at the ways out, and try one
    #[command(subcommand)]
    Gateway(Way),
    /// Read replies from JSON lines {"id","lang","text"}; print {"id","severity","categories","because"}
    Triage {
        #[command(subcommand)]
        work: Option<triage::Work>,
    },
    /// Read replies from JSON lines {"id","lang","text"[,"expects"]}; print {"id","intent"[,"value"]}
    Understand,
    /// Count SMS segments of JSON lines {"text"}; print {"encoding","segments"}
    Segments,
    /// Measure speed on this machine; prints one JSON line
    #[command(subcommand)]
    Bench(bench::Bench),
}

#[derive(Debug, Subcommand)]
enum Import {
    /// Patients from a CSV file: all rows or none; rows that are there already are brought up to date
    Patients {
        /// The file; `docs/import.md` names the columns
        file: PathBuf,
        /// Check every row and say what would happen; no row is kept
        #[arg(long)]
        dry_run: bool,
        /// The settings
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Visits from a CSV file: booked, moved or cancelled; all rows or none
    Appointments {
        /// The file; `docs/import.md` names the columns
        file: PathBuf,
        /// Check every row and say what would happen; no row is kept
        #[arg(long)]
        dry_run: bool,
        /// The settings
        #[arg(long)]
        config: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum Consent {
    /// Send no more messages to the numbers of a CSV file, such as a carrier's opt-out list: all rows or none
    Withdraw {
        /// The file: one column, `phone`
        file: PathBuf,
        /// Who says so: e-mail or name of a member of staff; it stands in the ledger and the audit
        #[arg(long)]
        by: String,
        /// Check every row and say what would happen; no row is kept
        #[arg(long)]
        dry_run: bool,
        /// The settings
        #[arg(long)]
        config: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum User {
    /// Add a member of staff; the password is read from standard input, or made and printed
    Add {
        /// Work e-mail
        #[arg(long)]
        email: String,
        /// The name that colleagues see
        #[arg(long)]
        name: String,
        /// coordinator, supervisor or admin
        #[arg(long, default_value = "coordinator")]
        role: crate::model::Role,
        /// Read the password from standard input instead of making one
        #[arg(long)]
        password_stdin: bool,
        /// The settings
        #[arg(long)]
        config: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum Way {
    /// Name every gateway, what it carries and where its provider reaches us
    List {
        /// The settings
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Ask the provider whether it takes our credentials, then send one text; says what it does first
    Test {
        /// Its name in the settings
        name: String,
        /// To whom: a phone at hand, such as +17185550117
        #[arg(long)]
        to: String,
        /// The settings
        #[arg(long)]
        config: Option<PathBuf>,
    },
}

/// What a command ends with when it fails: the text for people, on standard error.
#[derive(Debug)]
pub struct Failure(String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(e: E) -> Failure {
        Failure(e.to_string())
    }
}

/// Parses the command line and runs one command.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let _armed = crate::fault::armed();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => return fail(&format!("no runtime could be started: {e}")),
    };
    let done = runtime.block_on(run(cli.command));
    match done {
        Ok(code) => code,
        Err(Failure(text)) => fail(&text),
    }
}

async fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Demo { listen, data, speed } => demo::run(listen, data.as_deref(), speed).await,
        Command::Serve { config, role } => serve::run(config.as_deref(), role).await,
        Command::Migrate { config } => serve::migrate(config.as_deref()).await,
        Command::Check { config } => Ok(check::run(config.as_deref())),
        Command::Doctor { json, full, config } => doctor::run(config.as_deref(), json, full).await,
        Command::Backup { file, force, config } => backup::backup(&file, force, config.as_deref()).await,
        Command::Restore { file, config } => backup::restore(&file, config.as_deref()).await,
        Command::Release { by, yes, config } => release::run(&by, yes, config.as_deref()).await,
        Command::Import(Import::Patients { file, dry_run, config }) => import::patients(&file, dry_run, config.as_deref()).await,
        Command::Import(Import::Appointments { file, dry_run, config }) => {
            import::appointments(&file, dry_run, config.as_deref()).await
        }
        Command::Consent(Consent::Withdraw { file, by, dry_run, config }) => {
            consent::withdraw(&file, &by, dry_run, config.as_deref()).await
        }
        Command::User(User::Add { email, name, role, password_stdin, config }) => {
            user::add(&email, &name, role, password_stdin, config.as_deref()).await
        }
        Command::Gateway(Way::List { config }) => gateway::list(config.as_deref()),
        Command::Gateway(Way::Test { name, to, config }) => gateway::test(&name, &to, config.as_deref()).await,
        Command::Triage { work: None } => lines::triage(),
        Command::Triage { work: Some(work) } => triage::run(work),
        Command::Understand => lines::understand(),
        Command::Segments => lines::segments(),
        Command::Bench(bench) => bench::run(bench).await,
    }
}

fn fail(text: &str) -> ExitCode {
    // With no standard error there is nobody to tell.
    drop(writeln!(std::io::stderr(), "{text}"));
    ExitCode::FAILURE
}

fn say(text: impl std::fmt::Display) {
    // A reader that has gone away does not want the rest.
    drop(writeln!(std::io::stdout(), "{text}"));
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn load(config: Option<&Path>) -> Result<Config, Failure> {
    let config = Config::load(config, &environment)?;
    start_log(&config.log);
    Ok(config)
}

/// What is logged at a level: the libraries that would show statements, headers and bodies only warn.
#[must_use]
pub fn log_filter(level: &str) -> String {
    format!("{level},sqlx=warn,hyper=warn,reqwest=warn,h2=warn,rustls=warn,tower=warn,axum=warn")
}

/// Starts the log on standard error. Events name ids, never people.
fn start_log(log: &crate::config::Log) {
    let filter = tracing_subscriber::EnvFilter::new(log_filter(&log.level));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    // What a panic says may hold what somebody wrote (the text that was cut in the wrong place): only its place is told.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a piece of work broke off: report its place");
    }));
    // A second start in one process keeps the first log.
    drop(if log.json { builder.json().try_init() } else { builder.try_init() });
}
