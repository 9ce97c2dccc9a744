//! Approved wordings: on WhatsApp a business writes first in words that the platform has approved, and only those.
//!
//! The configuration says which message of the catalogue goes as which approved template, in which languages, and in
//! which order its variables stand. What has no template is refused with a code that says so, and goes another way.

use super::layers::Layers;
use super::{Outgoing, SendError};
use crate::model::Lang;

/// One message of the catalogue as a template of the provider's.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Approval {
    key: String,
    name: String,
    variables: Vec<String>,
    /// Tags of ours and what the provider calls them.
    languages: Vec<(String, String)>,
    /// What its buttons say, in their order.
    buttons: Vec<String>,
}

/// All that are approved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Approved(Vec<Approval>);

/// The template for one message.
pub(super) struct Chosen<'a> {
    /// Its name; empty where the provider has none.
    pub(super) name: &'a str,
    /// Its language as the provider calls it, or the id of the template in that language.
    pub(super) language: &'a str,
    /// The values of its variables, in their order.
    pub(super) values: Vec<String>,
    /// What its buttons say.
    pub(super) buttons: &'a [String],
}

/// Reads `[[gateway.template]]`; `named` says whether the provider's templates have names.
pub(super) fn read(layer: &Layers<'_>, named: bool) -> Approved {
    let mut approved = Vec::new();
    for table in layer.own.into_iter().flat_map(|own| own.tables("template")) {
        let mut languages = Vec::new();
        if let Some(list) = table.table("languages") {
            for tag in list.keys() {
                if tag.parse::<Lang>().is_err() {
                    list.fault(&tag, format!("`{tag}` is no language of ours: use one such as en, es or zh-Hans"));
                }
                languages.push((tag.clone(), list.need_text(&tag)));
            }
            list.finish();
        }
        if languages.is_empty() {
            table.fault(
                "languages",
                "`languages` is missing: in which is it approved, such as `{ en = \"en_US\", es = \"es\" }`?",
            );
        }
        approved.push(Approval {
            key: table.need_text("key"),
            name: if named { table.need_text("name") } else { String::new() },
            variables: table.texts("variables"),
            languages,
            buttons: table.texts("buttons"),
        });
        table.finish();
    }
    Approved(approved)
}

impl Approved {
    /// The template in which a message may be said.
    ///
    /// # Errors
    /// Refused, with a code that says what is missing.
    pub(super) fn choose(&self, message: &Outgoing) -> Result<Chosen<'_>, SendError> {
        let refused = |code: &str| SendError::Refused { code: code.to_owned() };
        let wording = &message.wording;
        let found = self.0.iter().filter(|a| a.key == wording.key && !wording.key.is_empty()).find_map(|a| {
            let (_, language) = a.languages.iter().find(|(tag, _)| *tag == wording.lang)?;
            Some((a, language))
        });
        let Some((approval, language)) = found else { return Err(refused("no-template")) };
        let value = |name: &String| {
            let (_, value) = wording.args.iter().find(|(known, _)| known == name)?;
            // Templates take neither line breaks nor tabs, nor runs of spaces.
            let line = value.expose().split_whitespace().collect::<Vec<_>>().join(" ");
            (!line.is_empty()).then_some(line)
        };
        let values: Option<Vec<String>> = approval.variables.iter().map(value).collect();
        let values = values.ok_or_else(|| refused("template-variable"))?;
        Ok(Chosen { name: &approval.name, language, values, buttons: &approval.buttons })
    }

    /// Each message of the catalogue that is mapped, with the arguments that it must have.
    pub(super) fn named(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|a| (a.key.as_str(), a.variables.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Wording;
    use super::*;
    use crate::document::Document;
    use crate::model::{Address, Body, Id};

    const REMINDER: &str = "[[template]]\nkey = \"visit-reminder\"\nname = \"visit_reminder\"\nvariables = [\"clinic\", \"when\"]\n\
                            languages = { en = \"en_US\", es = \"es\" }\nbuttons = [\"C\", \"R\", \"X\"]\n";

    fn approved(text: &str) -> Result<Approved, String> {
        let doc = Document::parse("t.toml", text);
        let root = doc.root();
        let read = read(&Layers { own: Some(&root), preset: None, at: &root, path: String::new(), env: &|_| None }, true);
        root.finish();
        doc.finish(read).map_err(|faults| faults.to_string())
    }

    fn reminder(lang: &str, when: &str) -> Outgoing {
        let args = [("clinic", "Harbor Street"), ("when", when)];
        let args = args.map(|(name, value)| (name.to_owned(), Body::new(value))).to_vec();
        let wording = Wording { key: "visit-reminder".into(), lang: lang.into(), args };
        let to = Address::new("+17185550117");
        Outgoing { wording, ..Outgoing::plain((Id(1), 1), to, "a text", "ref".into()) }
    }

    #[test]
    fn a_reminder_goes_in_the_words_that_are_approved_in_its_language() {
        let approved = approved(REMINDER).expect("no faults");
        let message = reminder("es", "mié 25 nov\n10:30");
        let chosen = approved.choose(&message).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((chosen.name, chosen.language), ("visit_reminder", "es"));
        assert_eq!(chosen.values, ["Harbor Street", "mié 25 nov 10:30"]);
    }

    #[test]
    fn what_has_no_approved_words_is_refused_and_says_why() {
        let approved = approved(REMINDER).expect("no faults");
        let refused = |message: &Outgoing| match approved.choose(message) {
            Err(SendError::Refused { code }) => code,
            Err(_) | Ok(_) => panic!("must be refused"),
        };
        assert_eq!(refused(&reminder("yi", "x")), "no-template");
        assert_eq!(refused(&reminder("en", " ")), "template-variable");
        assert_eq!(refused(&Outgoing::plain((Id(1), 1), Address::new("+17185550117"), "by June", "r".into())), "no-template");
    }

    #[test]
    fn a_template_that_is_half_written_is_a_fault_with_its_place() {
        let faults =
            approved("[[template]]\nkey = \"help\"\nlanguages = { xx = \"xx\" }\nvariable = [\"a\"]\n").expect_err("faults");
        for wanted in ["t.toml:3", "`xx` is no language", "`template.name` is missing", "variable` is not a key"] {
            assert!(faults.contains(wanted), "{wanted} in {faults}");
        }
        assert!(
            approved("[[template]]\nkey = \"help\"\nname = \"help\"\n").expect_err("a fault").contains("`languages` is missing")
        );
    }
}
