//! The pages around the console: signing in, theme and about, and what is said when something failed.

use askama::Template;

use super::frame::{Frame, Place, Theme};
use super::patient::Fact;
use super::text::Shown;

/// Signing in: `GET /signin?next=`, posted back as `email`, `password`, `next`, `csrf`.
#[derive(Template, Clone, Debug)]
#[template(path = "signin.html")]
pub struct SignIn {
    /// The clinic: `Lantern Hill Clinic, care team`.
    pub site: Shown,
    /// The token of the form.
    pub csrf: String,
    /// The theme.
    pub theme: Theme,
    /// Why it did not work.
    pub error: Option<String>,
    /// What was typed.
    pub email: String,
    /// Where to go afterwards, within this site.
    pub next: String,
    /// The number for an emergency here: `911`.
    pub emergency: String,
    /// The lifeline's number here: `988`.
    pub lifeline: String,
}

/// How many texts of a kind nobody has reviewed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DraftCount {
    /// `Spanish wordings`, `rules of the Arabic pack`.
    pub what: String,
    /// How many are drafts.
    pub drafts: usize,
    /// How many there are.
    pub of: usize,
}

/// Theme, sign-out and about: `GET /more`.
#[derive(Template, Clone, Debug)]
#[template(path = "more.html")]
pub struct More {
    /// The frame.
    pub frame: Frame,
    /// The program's version.
    pub version: String,
    /// What is not reviewed.
    pub drafts: Vec<DraftCount>,
    /// What the service is: channel, data, zone.
    pub facts: Vec<Fact>,
}

impl More {
    fn themes(&self) -> Vec<(&'static str, &'static str, bool)> {
        Theme::ALL.into_iter().map(|theme| (theme.as_str(), theme.word(), theme == self.frame.theme)).collect()
    }
}

/// What failed, whether anything was saved, a reference to quote, a way back.
#[derive(Template, Clone, Debug)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// The HTTP status.
    pub status: u16,
    /// The theme.
    pub theme: Theme,
    /// What failed, in a sentence.
    pub what: Shown,
    /// Whether anything was saved: `Nothing was saved.`
    pub saved: &'static str,
    /// What to quote.
    pub reference: String,
    /// The way back: address and words.
    pub back: (String, String),
}
