//! `check`: proves settings, protocols, texts, rules and vocabularies before anybody is written to.

use std::path::Path;
use std::process::ExitCode;

use super::{environment, fail, say};
use crate::compose::Catalogue;
use crate::config::Config;
use crate::conversation::understand::Reader;
use crate::document::Faults;
use crate::model::Lang;
use crate::protocol::check_texts;
use crate::triage::Triage;

pub(super) fn run(config: Option<&Path>) -> ExitCode {
    let mut faults = Vec::new();
    let mut drafts = Vec::new();
    let mut keep = |result: Result<(), Faults>| {
        if let Err(Faults(more)) = result {
            faults.extend(more);
        }
    };
    let settings = Config::load(config, &environment);
    let catalogue = Catalogue::embedded();
    keep(Triage::embedded().map(|_| ()));
    keep(Reader::embedded().map(|_| ()));
    match (&settings, &catalogue) {
        (Ok(settings), Ok(catalogue)) => {
            keep(check_texts(catalogue, &settings.protocols));
            drafts.extend(settings.protocols.iter().filter(|p| p.draft).map(|p| format!("protocol {}", p.id)));
            drafts.extend(Lang::ALL.into_iter().filter(|l| catalogue.is_draft(*l)).map(|l| format!("texts in {}", l.name())));
        }
        (settings, catalogue) => {
            keep(settings.as_ref().map(|_| ()).map_err(Clone::clone));
            keep(catalogue.as_ref().map(|_| ()).map_err(Clone::clone));
        }
    }
    if !faults.is_empty() {
        faults.sort();
        faults.dedup();
        let many = if faults.len() == 1 { "1 fault".to_owned() } else { format!("{} faults", faults.len()) };
        return fail(&format!("{}\n{many}: nothing was changed.", Faults(faults)));
    }
    say("Settings, protocols, texts, rules and vocabularies are sound.");
    if !drafts.is_empty() {
        say(format!("Drafts, not yet signed by a clinician or reviewed by a native speaker: {}.", drafts.join(", ")));
    }
    ExitCode::SUCCESS
}
