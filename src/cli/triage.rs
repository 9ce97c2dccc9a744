//! `triage check|train|eval`: labelled replies proved, the statistical reader trained from them, and all readers measured on them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Failure, say};
use crate::document::Faults;
use crate::model::Severity;
use crate::triage::eval::{Case, CaseContext, Readers, compare, read, score, severities};
use crate::triage::reader::model::Model;
use crate::triage::reader::train::{Aim, Example, Point, train};
use crate::triage::{Triage, data};

/// What can be done besides reading replies.
#[derive(Debug, Subcommand)]
pub(super) enum Work {
    /// Prove files of labelled replies: words of the labels, names, the same reply in two groups
    Check {
        /// JSON lines; a folder stands for its .jsonl files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Train the statistical reader; the same files, packs and seed give the same bytes
    Train(Training),
    /// Measure on labelled replies: recall and false alarms by language, category and tag, with 95 % intervals
    Eval {
        /// JSON lines; a folder stands for its .jsonl files
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Whose findings count
        #[arg(long, value_enum, default_value_t = Which::All)]
        readers: Which,
        /// A model instead of the one in the program
        #[arg(long)]
        model: Option<PathBuf>,
        /// Forget the open question and the earlier texts
        #[arg(long)]
        without_context: bool,
        /// Write the severity of each reply here, to compare with later
        #[arg(long)]
        save: Option<PathBuf>,
        /// Compare with what an earlier version saved
        #[arg(long)]
        against: Option<PathBuf>,
    },
}

/// What training needs.
#[derive(Debug, clap::Args)]
pub(super) struct Training {
    /// JSON lines; a folder stands for its .jsonl files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Replies that the rules were written from: trained with by their letters alone, since the rules look better on them than they are
    #[arg(long)]
    known: Vec<PathBuf>,
    /// Where the model goes; what it was made from goes beside it, as .json
    #[arg(long)]
    out: PathBuf,
    /// The version to write into it
    #[arg(long, default_value_t = 1)]
    version: u32,
    /// The order in which examples are looked at
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The part of the urgent or worse that rules and reader together shall catch
    #[arg(long, default_value_t = 0.92)]
    urgent: f64,
    /// The part of the emergencies that shall be called so once they are raised
    #[arg(long, default_value_t = 0.5)]
    emergency: f64,
    /// The part of the routine or worse that shall be found
    #[arg(long, default_value_t = 0.85)]
    routine: f64,
    /// The part of the urgent or worse, raised by a soft rule alone, that shall stay raised
    #[arg(long, default_value_t = 0.97)]
    harmless: f64,
}

/// Whose findings count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Which {
    /// The verdict
    All,
    /// The rules as they are without the statistical reader
    Rules,
    /// The statistical reader's finding (it sees what the rules found)
    Statistical,
}

pub(super) fn run(work: Work) -> Result<ExitCode, Failure> {
    match work {
        Work::Check { files } => check(&files),
        Work::Train(training) => learn(&training),
        Work::Eval { files, readers, model, without_context, save, against } => {
            let mut cases: Vec<Case> = load(&files)?.into_iter().flat_map(|(_, cases)| cases).collect();
            if without_context {
                for case in &mut cases {
                    case.context = CaseContext::default();
                }
            }
            let triage = match (readers, model) {
                (Which::Rules, _) => Triage::rules()?,
                (_, None) => Triage::embedded()?,
                (_, Some(file)) => Triage::rules()?.with(Model::read(fs::read(file)?.into()).map_err(Failure)?),
            };
            let which = if readers == Which::Statistical { Readers::Statistical } else { Readers::All };
            let now = severities(&triage, &cases, which);
            say(format!("{} replies, version {}{}", cases.len(), triage.version(), score(&cases, &now)));
            if let Some(file) = save {
                fs::write(file, serde_json::to_string(&cases.iter().map(|c| &c.id).zip(&now).collect::<Vec<_>>())?)?;
            }
            if let Some(file) = against {
                let saved: Vec<(String, Severity)> = serde_json::from_str(&fs::read_to_string(file)?)?;
                if saved.len() != cases.len() || saved.iter().zip(&cases).any(|((id, _), case)| *id != case.id) {
                    return Err(Failure("that was saved of other replies: measure the same files in the same order".to_owned()));
                }
                let before: Vec<Severity> = saved.into_iter().map(|(_, severity)| severity).collect();
                say(compare(&cases, &before, &now));
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn check(files: &[PathBuf]) -> Result<ExitCode, Failure> {
    let files = load(files)?;
    let faults = data::faults(&files);
    if !faults.is_empty() {
        return Err(Failure(Faults(faults).to_string()));
    }
    let count: usize = files.iter().map(|(_, cases)| cases.len()).sum();
    say(format!("{count} labelled replies in {} files are sound.", files.len()));
    Ok(ExitCode::SUCCESS)
}

fn learn(training: &Training) -> Result<ExitCode, Failure> {
    let (own, known) = (load(&training.files)?, load(&training.known)?);
    let triage = Triage::rules()?;
    let examples = |files: &[(String, Vec<Case>)], known: bool| -> Vec<Example> {
        files.iter().flat_map(|(_, cases)| cases).map(|case| triage.example(case, known)).collect()
    };
    let (own_examples, known_examples) = (examples(&own, false), examples(&known, true));
    let aim =
        Aim { urgent: training.urgent, emergency: training.emergency, routine: training.routine, harmless: training.harmless };
    let trained = train(&own_examples, &known_examples, aim, training.seed, training.version);
    fs::write(&training.out, trained.model.bytes())?;

    let reader = triage.with(trained.model.clone());
    let (cases, now): (Vec<Case>, Vec<Severity>) = own
        .iter()
        .flat_map(|(_, cases)| cases)
        .cloned()
        .zip(&trained.unseen)
        .zip(&own_examples)
        .map(|((case, opinion), example)| {
            let severity = reader.reader().map_or(Severity::None, |reader| reader.together(opinion, example.ruled));
            (case, severity)
        })
        .unzip();
    let report = score(&cases, &now);
    let mut data = Sha256::new();
    own.iter().chain(&known).flat_map(|(_, cases)| cases).for_each(|case| data.update(format!("{case:?}")));
    let limits = trained.model.limits();
    let card = json!({
        "what": "The statistical reader of config/triage/model.bin, written by `porchlight triage train`. Machine-drafted replies, not clinically validated.",
        "version": training.version,
        "seed": training.seed,
        "replies": cases.len(),
        "replies_read_by_letters_alone": known_examples.len(),
        "replies_sha256": hex(&data.finalize()),
        "packs": Triage::rules()?.version(),
        "model_sha256": hex(&Sha256::digest(trained.model.bytes())),
        "limits": { "routine": limits.routine, "urgent": limits.urgent, "emergency": limits.emergency, "harmless": limits.harmless },
        "cross_validated": report.to_string().lines().map(str::trim_end).collect::<Vec<_>>(),
        "trade_off": trained.curve.iter().map(shown).collect::<Vec<_>>(),
    });
    fs::write(training.out.with_extension("json"), format!("{}\n", serde_json::to_string_pretty(&card)?))?;
    say(format!("Cross-validated, rules and reader together:\n{report}"));
    say(trained.curve.iter().map(shown).collect::<Vec<_>>().join("\n"));
    say(format!("{limits:?}"));
    Ok(ExitCode::SUCCESS)
}

fn shown(point: &Point) -> String {
    let Point { limit, emergencies, urgent, alarms } = point;
    format!(
        "limit {limit:>5.2}: emergencies {:>5.1}%, urgent or worse {:>5.1}%, harmless raised to urgent {:>5.1}%",
        emergencies * 100.0,
        urgent * 100.0,
        alarms * 100.0
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// The cases of each file, in the order of their names.
fn load(paths: &[PathBuf]) -> Result<Vec<(String, Vec<Case>)>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let entries = fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
            let mut own: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
            own.retain(|file| file.extension().is_some_and(|kind| kind == "jsonl"));
            own.sort();
            files.extend(own);
        } else {
            files.push(path.clone());
        }
    }
    files.iter().map(|file| one(file)).collect()
}

fn one(file: &Path) -> Result<(String, Vec<Case>), Failure> {
    let name = file.display().to_string();
    let text = fs::read_to_string(file).map_err(|e| Failure(format!("{name}: {e}")))?;
    let cases = read(&name, &text)?;
    Ok((name, cases))
}
