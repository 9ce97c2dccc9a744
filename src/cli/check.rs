//! `check`: proves settings, protocols, texts, rules and vocabularies before anybody is written to.

use std::path::Path;
use std::process::ExitCode;

use super::{environment, fail, say};
use crate::compose::Catalogue;
use crate::config::Config;
use crate::conversation::understand::Reader;
use crate::document::{Fault, Faults};
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
            keep(check_approved(catalogue, settings));
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
    for gateway in settings.iter().flat_map(|settings| &settings.gateways) {
        if let Some(warning) = gateway.warning() {
            say(format!("Gateway {}: {warning}.", gateway.name()));
        }
    }
    ExitCode::SUCCESS
}

/// Approved templates stand for messages that there are, and ask for arguments that those have.
fn check_approved(catalogue: &Catalogue, settings: &Config) -> Result<(), Faults> {
    let mut faults = Vec::new();
    for gateway in &settings.gateways {
        for (key, variables) in gateway.approved() {
            let known = catalogue.arguments(Lang::En, key);
            let mut fault = |what| faults.push(Fault::whole(format!("gateway {}", gateway.name()), what));
            if !catalogue.has(Lang::En, key) {
                fault(format!("a template stands for the message `{key}`, which there is not: use one of the catalogue's"));
                continue;
            }
            for name in variables.iter().filter(|name| !known.contains(name.as_str())) {
                let known = known.iter().copied().collect::<Vec<_>>().join(", ");
                fault(format!("the template of `{key}` asks for `{name}`; the message has: {known}"));
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Faults(faults)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = "[site]\nname = \"A\"\nphone = \"(718) 555-0100\"\n[[gateway]]\nkind = \"whatsapp\"\nname = \"wa\"\n\
                         phone_number_id = \"1\"\ntoken = \"t\"\napp_secret = \"s\"\nverify_token = \"verify-0123456789\"\n";

    #[test]
    fn a_template_must_stand_for_a_message_and_ask_for_what_it_has() {
        let faults = |template: &str| {
            let text = format!("{START}[[gateway.template]]\nname = \"n\"\nlanguages = {{ en = \"en\" }}\n{template}");
            let settings = Config::parse("c.toml", &text, &|_| None).unwrap_or_else(|e| panic!("{e}"));
            let catalogue = Catalogue::embedded().unwrap_or_else(|e| panic!("{e}"));
            check_approved(&catalogue, &settings).err().map(|faults| faults.to_string()).unwrap_or_default()
        };
        assert_eq!(faults("key = \"visit-reminder\"\nvariables = [\"clinic\", \"when\"]\n"), "");
        let wrong = faults("key = \"visit-reminder\"\nvariables = [\"what\"]\n");
        assert!(
            wrong.contains("gateway wa: the template of `visit-reminder` asks for `what`; the message has: clinic, when"),
            "{wrong}"
        );
        assert!(faults("key = \"visit\"\n").contains("which there is not"));
    }
}
