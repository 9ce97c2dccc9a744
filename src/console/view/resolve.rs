//! Resolving an item: the form, in a dialog of the queue or on a page of its own.
//!
//! **Invariant.** No outcome is chosen for the reader, and a form that comes back keeps what was chosen and written.

use askama::Template;

use super::frame::{Frame, Place};
use super::queue::{Safe, Said};
use super::text::{Sev, Shown};
use crate::model::Outcome;

/// The form that resolves an item: posted to `/item/ID/resolve` as `outcome`, `note`, `version`, `back`, `csrf`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResolveForm {
    /// The item's id.
    pub id: String,
    /// How many of the patient's doings the reader saw: what comes after must be read before the item is resolved.
    pub version: i64,
    /// Whose item it is.
    pub name: Shown,
    /// The outcome chosen so far.
    pub outcome: Option<Outcome>,
    /// The note written so far.
    pub note: String,
    /// Why no outcome could be taken: `Choose what came of it.`
    pub outcome_error: Option<String>,
    /// Why it was not resolved for another reason: `Dana resolved this at 10:31.`
    pub error: Option<Shown>,
    /// The address to come back to.
    pub back: String,
}

impl ResolveForm {
    /// An empty form.
    #[must_use]
    pub fn new(id: &str, version: i64, name: Shown, back: &str) -> ResolveForm {
        ResolveForm {
            id: id.to_owned(),
            version,
            name,
            outcome: None,
            note: String::new(),
            outcome_error: None,
            error: None,
            back: back.to_owned(),
        }
    }

    pub(super) fn choices(&self) -> Vec<(&'static str, &'static str, bool)> {
        Outcome::ALL.iter().map(|o| (o.as_str(), outcome_words(*o), self.outcome == Some(*o))).collect()
    }
}

/// An outcome as coordinators read it.
#[must_use]
pub const fn outcome_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::ReachedSafe => "Reached, safe",
        Outcome::EmergencyCare => "Sent to emergency care",
        Outcome::Clinician => "Clinician took over",
        Outcome::WelfareCheck => "Not reached, welfare check asked for",
        Outcome::Answered => "Question answered or need met",
        Outcome::FalseAlarm => "Opened by mistake",
    }
}

/// Resolving an item on a page of its own: `GET /item/ID/resolve`, and again when the form had an error.
#[derive(Template, Clone, Debug)]
#[template(path = "item_resolve.html")]
pub struct ItemResolve {
    /// The frame.
    pub frame: Frame,
    /// The form.
    pub form: ResolveForm,
    /// How severe the item is.
    pub sev: Sev,
    /// Why the item is here.
    pub reason: Shown,
    /// Everything that the patient wrote since the item was opened, newest last.
    pub said: Vec<Said>,
    /// Who may be reached, and how.
    pub safe: Safe,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resolve_form_keeps_what_was_chosen_and_written_and_says_what_is_wrong() {
        let mut form = ResolveForm::new("06a", 3, "Rosa <b>".into(), "/queue");
        assert!(form.choices().iter().all(|(_, _, chosen)| !chosen), "nothing is chosen for the reader");
        form.outcome = Some(Outcome::WelfareCheck);
        form.note = "Her <son> has a key".to_owned();
        form.error = Some("Dana resolved this at 10:31.".into());
        let html = ResolveHtml { form: &form, csrf: "c" }.render().expect("renders");
        assert!(html.contains("value=\"welfare_check\" selected"), "{html}");
        assert!(html.contains("Her &#60;son&#62; has a key"), "{html}");
        assert!(html.contains("Dana resolved this at 10:31."), "{html}");
    }

    #[derive(Template)]
    #[template(source = "{% include \"part/resolve_form.html\" %}", ext = "html")]
    struct ResolveHtml<'a> {
        form: &'a ResolveForm,
        csrf: &'a str,
    }
}
