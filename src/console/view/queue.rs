//! The queue: rows by severity and deadline, and the pane with one item.
//!
//! **Invariant.** The safe-contact card stands before every action, on screen and in the source. Nothing resolves
//! without an outcome that somebody chose.

use std::fmt::Write as _;

use askama::Template;

use super::frame::{Frame, Place, Tab};
use super::resolve::{ResolveForm, outcome_words};
use super::text::{Gloss, Icon, Sev, Shown, Words};
use super::tick::Tick;
use crate::model::{Lang, Outcome, Severity};

/// Which items a queue shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum QueueView {
    /// What the reader has claimed.
    Mine,
    /// What the reader's team has to do.
    #[default]
    Team,
    /// What nobody has claimed.
    Unassigned,
    /// Everything that is open.
    All,
}

impl QueueView {
    /// Every view, in the order of the tabs.
    pub const ALL: [QueueView; 4] = [QueueView::Mine, QueueView::Team, QueueView::Unassigned, QueueView::All];

    /// The value of `view` in an address.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            QueueView::Mine => "mine",
            QueueView::Team => "team",
            QueueView::Unassigned => "unassigned",
            QueueView::All => "all",
        }
    }

    /// The view of an address; anything unknown is the team's.
    #[must_use]
    pub fn parse(text: &str) -> QueueView {
        QueueView::ALL.into_iter().find(|view| view.as_str() == text).unwrap_or_default()
    }

    const fn word(self) -> &'static str {
        match self {
            QueueView::Mine => "Mine",
            QueueView::Team => "Team",
            QueueView::Unassigned => "Unassigned",
            QueueView::All => "All",
        }
    }
}

/// How many items each view holds, before any filter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Of [`QueueView::Mine`].
    pub mine: usize,
    /// Of [`QueueView::Team`].
    pub team: usize,
    /// Of [`QueueView::Unassigned`].
    pub unassigned: usize,
    /// Of [`QueueView::All`].
    pub all: usize,
}

/// What narrows a view.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filters {
    /// Part of a name or of the words; field `q`.
    pub search: String,
    /// One severity; field `severity`.
    pub severity: Option<Severity>,
    /// One language; field `lang`.
    pub lang: Option<Lang>,
}

impl Filters {
    /// Whether anything is narrowed.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.search.is_empty() || self.severity.is_some() || self.lang.is_some()
    }
}

/// The address of a queue, or of one item in it (with `#pane`).
#[must_use]
pub fn queue_href(view: QueueView, filters: &Filters, item: Option<&str>) -> String {
    let mut href = query(view, filters, item);
    if item.is_some() {
        href.push_str("#pane");
    }
    href
}

/// Who has an item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Holder {
    /// Nobody yet.
    Nobody,
    /// The reader.
    You,
    /// Somebody else, by first name.
    Other(Shown),
}

/// A row of the queue.
#[derive(Clone, Debug)]
pub struct QueueRow {
    /// The item's id.
    pub id: String,
    /// Where the row leads: [`queue_href`], or the console from the demo.
    pub href: String,
    /// Whether its item stands in the pane.
    pub current: bool,
    /// How severe it is.
    pub sev: Sev,
    /// The time left.
    pub tick: Tick,
    /// Who has it.
    pub holder: Holder,
    /// Since when it is open: `10:22`, `Mon`.
    pub since: String,
    /// The patient's name.
    pub name: Shown,
    /// The patient's language; nothing when nobody knows whose words they are.
    pub lang: Option<Lang>,
    /// Why it is here, in a sentence.
    pub reason: Shown,
    /// The beginning of the patient's words.
    pub excerpt: Option<Words>,
}

/// Who may be reached, how, and what may be said.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Safe {
    /// What to do, in bold: `Call or text (718) 555-0117 only.`
    pub lead: Shown,
    /// What else belongs to that: `Her own phone, checked 3 March.`
    pub rest: Shown,
    /// What to know before making contact. Never shortened.
    pub lines: Vec<Shown>,
    /// Label and value: `May say`, `Agreed`, `Hours`.
    pub facts: Vec<(String, Shown)>,
    /// Whether only the discreet wording goes out.
    pub discreet: bool,
}

/// What the patient wrote.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    /// Whose words, how and when: `Rosa’s words · text message, 10:22`.
    pub from: Shown,
    /// The words.
    pub words: Words,
    /// Their English, when somebody made one.
    pub gloss: Option<Gloss>,
}

/// Something that happened, with its time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// The symbol.
    pub icon: Icon,
    /// The time: `10:22`.
    pub at: String,
    /// What happened, in a sentence.
    pub text: Shown,
    /// What was said, after the sentence.
    pub quote: Option<Words>,
}

/// Why the service read the words as it did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The part of the words that counted, if it was words.
    pub quote: Option<Words>,
    /// What it was taken to mean, in English.
    pub meaning: Shown,
    /// The rule's id.
    pub rule: String,
    /// The pack and its version: `Spanish pack, version 12`.
    pub pack: String,
}

/// A number that can be dialled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// As in `+17185550117`.
    pub tel: String,
    /// As shown: `(718) 555-0117`.
    pub shown: String,
}

/// Where an item in the pane stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PaneHolder {
    /// Nobody has it.
    Nobody,
    /// The reader has it, since the time given.
    You(String),
    /// Somebody else has it.
    Other {
        /// Their first name.
        name: Shown,
        /// Since when: `10:24`.
        at: String,
    },
    /// It is done.
    Resolved {
        /// Who resolved it.
        name: Shown,
        /// When.
        at: String,
        /// What came of it.
        outcome: Outcome,
    },
}

/// One item.
#[derive(Clone, Debug)]
pub struct Pane {
    /// The item's id.
    pub id: String,
    /// How many of the patient's doings the reader saw, posted back as `version`.
    pub version: i64,
    /// The version of the item itself, posted back as `takeover`.
    pub standing: i64,
    /// The address of the patient's page, without a fragment; nothing when nobody knows whose words they are.
    pub patient_href: Option<String>,
    /// The patient's name.
    pub name: Shown,
    /// The age in years.
    pub age: Option<u32>,
    /// The patient's language, if there is a patient.
    pub lang: Option<Lang>,
    /// The time where the patient is, if there is one: `10:24`.
    pub local_time: String,
    /// The patient's zone, as in `America/New_York`, for the script.
    pub zone: String,
    /// How severe it is.
    pub sev: Sev,
    /// The time left; nothing once it is resolved.
    pub tick: Option<Tick>,
    /// Why it is here, in a sentence.
    pub reason: Shown,
    /// What the patient wrote.
    pub said: Option<Said>,
    /// Who may be reached, and how.
    pub safe: Safe,
    /// What has happened, oldest first.
    pub steps: Vec<Step>,
    /// Why it has this severity.
    pub findings: Vec<Finding>,
    /// Where it stands.
    pub holder: PaneHolder,
    /// The number to call, if the safe-contact card allows a call.
    pub call: Option<Call>,
    /// What got in the way of what the reader just did: `Dana claimed this at 10:24.`
    pub conflict: Option<Shown>,
    /// The resolve form, in its dialog.
    pub resolve: ResolveForm,
    /// The address to come back to after an action, posted as `back`.
    pub back: String,
}

impl Pane {
    /// The outcome in words, once there is one.
    fn came_of_it(&self) -> &'static str {
        match &self.holder {
            PaneHolder::Resolved { outcome, .. } => outcome_words(*outcome),
            PaneHolder::Nobody | PaneHolder::You(_) | PaneHolder::Other { .. } => "",
        }
    }
}

/// The queue as a page: `GET /queue?view=team&item=ID#pane`.
#[derive(Template, Clone, Debug)]
#[template(path = "queue.html")]
pub struct Queue {
    /// The frame.
    pub frame: Frame,
    /// Which items are shown.
    pub view: QueueView,
    /// How many each view holds.
    pub counts: Counts,
    /// What narrows the view.
    pub filters: Filters,
    /// The rows, by severity, then by deadline.
    pub rows: Vec<QueueRow>,
    /// The item that is open beside the list.
    pub pane: Option<Pane>,
}

/// The regions of a queue that change by themselves: `GET /queue?…&part=rows`.
#[derive(Template, Clone, Debug)]
#[template(path = "queue_part.html")]
pub struct QueuePart {
    /// The frame, for badge, title and alert.
    pub frame: Frame,
    /// Which items are shown.
    pub view: QueueView,
    /// How many each view holds.
    pub counts: Counts,
    /// What narrows the view.
    pub filters: Filters,
    /// The rows.
    pub rows: Vec<QueueRow>,
    /// The item that is open beside the list.
    pub pane: Option<Pane>,
}

macro_rules! list_parts {
    ($page:ident) => {
        impl $page {
            fn tabs(&self) -> Vec<Tab> {
                tabs(self.view, self.counts, &self.filters)
            }
            fn all_href(&self) -> String {
                queue_href(self.view, &Filters::default(), None)
            }
            fn list_in_demo(&self) -> bool {
                false
            }
            fn narrowed(&self) -> bool {
                self.filters.any()
            }
        }
    };
}

list_parts!(Queue);
list_parts!(QueuePart);

impl Queue {
    /// Where the script fetches the changing regions.
    fn part_href(&self) -> String {
        query(self.view, &self.filters, self.pane.as_ref().map(|p| p.id.as_str())) + "&part=rows"
    }

    fn severities(&self) -> Vec<(&'static str, &'static str, bool)> {
        let known = [Severity::Emergency, Severity::Urgent, Severity::Routine];
        known.into_iter().map(|s| (s.as_str(), Sev(s).word(), self.filters.severity == Some(s))).collect()
    }

    fn languages(&self) -> Vec<(&'static str, &'static str, bool)> {
        let mut all: Vec<_> = Lang::ALL.into_iter().map(|l| (l.tag(), l.name(), self.filters.lang == Some(l))).collect();
        all.sort_by_key(|(_, name, _)| *name);
        all
    }
}

fn tabs(view: QueueView, counts: Counts, filters: &Filters) -> Vec<Tab> {
    let tab = |one: QueueView| Tab {
        href: queue_href(one, filters, None),
        word: one.word().to_owned(),
        count: Some(match one {
            QueueView::Mine => counts.mine,
            QueueView::Team => counts.team,
            QueueView::Unassigned => counts.unassigned,
            QueueView::All => counts.all,
        }),
        current: one == view,
    };
    QueueView::ALL.into_iter().map(tab).collect()
}

fn query(view: QueueView, filters: &Filters, item: Option<&str>) -> String {
    let mut href = format!("/queue?view={}", view.as_str());
    if !filters.search.is_empty() {
        let _ = write!(href, "&q={}", encoded(&filters.search));
    }
    if let Some(severity) = filters.severity {
        let _ = write!(href, "&severity={severity}");
    }
    if let Some(lang) = filters.lang {
        let _ = write!(href, "&lang={lang}");
    }
    if let Some(item) = item {
        let _ = write!(href, "&item={}", encoded(item));
    }
    href
}

/// `text` for the query of an address (RFC 3986: everything but unreserved characters is written as `%XX`).
#[must_use]
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_the_view_the_filters_and_the_item_whatever_was_searched_for() {
        let filters = Filters { search: "Inés & co".to_owned(), severity: Some(Severity::Urgent), lang: Some(Lang::ZhHant) };
        assert_eq!(
            queue_href(QueueView::Mine, &filters, Some("06a")),
            "/queue?view=mine&q=In%C3%A9s%20%26%20co&severity=urgent&lang=zh-Hant&item=06a#pane"
        );
        assert_eq!(queue_href(QueueView::parse("<x>"), &Filters::default(), None), "/queue?view=team");
    }
}
