//! `check`: proves settings, protocols, texts, rules and vocabularies before anybody is written to.

use std::path::Path;
use std::process::ExitCode;

use super::{environment, fail, say};
use crate::compose::Catalogue;
use crate::config::Config;
use crate::conversation::understand::Reader;
use crate::document::{Fault, Faults};
use crate::model::{ContentClass, Lang};
use crate::protocol::Protocol;
use crate::triage::Triage;

/// Messages that the service itself needs, in every locale.
const OWN: [&str; 18] = [
    "crisis-medical",
    "crisis-self-harm",
    "crisis-discreet",
    "urgent-received",
    "person-will-read",
    "stop-confirmation",
    "stop-confirmation-discreet",
    "start-confirmation",
    "help",
    "reask-yes-no",
    "reask-number",
    "reask-scale",
    "reask-choice",
    "unknown-sender",
    "answer-thanks",
    "visit-confirmed",
    "visit-reschedule",
    "visit-cant-come",
];

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
            keep(texts(catalogue, &settings.protocols));
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

/// Every message that the service or a protocol names must exist in every locale, with a discreet variant where it says
/// more than logistics.
fn texts(catalogue: &Catalogue, protocols: &[Protocol]) -> Result<(), Faults> {
    let mut faults = Vec::new();
    for lang in Lang::ALL {
        for key in catalogue.missing(lang, OWN) {
            faults.push(Fault::whole(format!("locales/{lang}"), format!("the message `{key}` is missing: add it to core.ftl")));
        }
        for protocol in protocols {
            for (key, step) in protocol.messages() {
                let place = || format!("protocol {} step {}", protocol.id, step.id);
                if !catalogue.has(lang, key) {
                    faults.push(Fault::whole(
                        place(),
                        format!("names the message `{key}`, which locales/{lang} has not: add it there"),
                    ));
                } else if step.content > ContentClass::Logistics
                    && key == step.message
                    && !catalogue.has(lang, &format!("{key}-discreet"))
                {
                    faults.push(Fault::whole(
                        place(),
                        format!("`{key}` says more than logistics and has no `{key}-discreet` in locales/{lang}: add it"),
                    ));
                }
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Faults(faults)) }
}
