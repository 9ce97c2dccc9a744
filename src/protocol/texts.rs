//! Proves that every message that the service or a protocol names can be said in every locale. Pure.

use super::Protocol;
use crate::compose::Catalogue;
use crate::document::{Fault, Faults};
use crate::model::{ContentClass, Lang};

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

/// Every message must exist in every locale, with a discreet variant where it says more than logistics.
///
/// # Errors
/// Every message that is missing, with the file, line and column that name it.
pub fn check_texts(catalogue: &Catalogue, protocols: &[Protocol]) -> Result<(), Faults> {
    let mut faults = Vec::new();
    for lang in Lang::ALL {
        for key in catalogue.missing(lang, OWN) {
            faults.push(Fault::whole(format!("locales/{lang}"), format!("the message `{key}` is missing: add it to core.ftl")));
        }
        for protocol in protocols {
            for (key, step, at) in protocol.messages() {
                let mut fault = |what: String| faults.push(Fault::at(&protocol.file, &protocol.text, at, what));
                if !catalogue.has(lang, key) {
                    fault(format!("names the message `{key}`, which locales/{lang} has not: add it there"));
                } else if step.content > ContentClass::Logistics
                    && key == step.message
                    && !catalogue.has(lang, &format!("{key}-discreet"))
                {
                    fault(format!("`{key}` says more than logistics and has no `{key}-discreet` in locales/{lang}: add it"));
                }
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Faults(faults)) }
}

#[cfg(test)]
mod tests {
    use super::super::SHIPPED;
    use super::*;

    #[test]
    fn a_protocol_that_names_a_missing_message_is_refused_with_the_line_that_names_it() {
        let catalogue = Catalogue::embedded().expect("the texts");
        let (file, text) = SHIPPED[1];
        let shipped = Protocol::parse(file, text).expect("it reads");
        assert_eq!(check_texts(&catalogue, std::slice::from_ref(&shipped)), Ok(()));
        let broken = Protocol::parse("my.toml", &text.replace("weight-question", "wieght-question")).expect("it reads");
        let faults = check_texts(&catalogue, &[broken]).expect_err("faults").to_string();
        assert!(faults.starts_with("my.toml:15:11: names the message `wieght-question`"), "{faults}");
    }
}
