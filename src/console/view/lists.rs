//! The pages that hold lists: panel, visits, delivery. People and messages, each with the reason why it is there.

use askama::Template;

use super::chart::Spark;
use super::frame::{Frame, Place, Tab};
use super::patient::Fact;
use super::text::{Icon, Sev, Shown, Tag, Tone, Words};
use super::tick::Tick;
use crate::model::Lang;

/// Why a patient stands where they stand in the panel.
#[derive(Clone, Debug)]
pub enum Lead {
    /// An open item.
    Item(Sev, Tick),
    /// Another reason: silent, stopped, a visit, steady.
    Reason(Tag),
}

/// A patient in the panel.
#[derive(Clone, Debug)]
pub struct PanelRow {
    /// Why first.
    pub lead: Lead,
    /// The patient's page.
    pub href: String,
    /// The name.
    pub name: Shown,
    /// The language.
    pub lang: Lang,
    /// The age in years.
    pub age: Option<u32>,
    /// The reason, in bold.
    pub why: Shown,
    /// What else there is to say about it.
    pub why_rest: Shown,
    /// The readings of 14 days.
    pub spark: Option<Spark>,
    /// When the patient last wrote: `10:22`, `Mon`, `never`.
    pub heard: String,
    /// The coordinator, by first name.
    pub coordinator: Shown,
    /// What happens next by itself.
    pub next: Shown,
}

/// The panel: `GET /panel?q=`.
#[derive(Template, Clone, Debug)]
#[template(path = "panel.html")]
pub struct Panel {
    /// The frame.
    pub frame: Frame,
    /// How many patients the view holds before the search.
    pub total: usize,
    /// How many of them need something today.
    pub need: usize,
    /// The saved views.
    pub tabs: Vec<Tab>,
    /// What is searched for.
    pub search: String,
    /// The patients, the most pressing first.
    pub rows: Vec<PanelRow>,
    /// Where the next page is.
    pub more: Option<String>,
}

/// A condition of the whole page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PageNote {
    /// How bad it is: [`Tone::Warn`] or [`Tone::Bad`]; others show a plain note.
    pub tone: Tone,
    /// The symbol.
    pub icon: Icon,
    /// What it is.
    pub title: Shown,
    /// What it means, and what happens by itself.
    pub text: Shown,
    /// One way on: address and words.
    pub link: Option<(String, String)>,
}

impl PageNote {
    const fn class(&self) -> &'static str {
        match self.tone {
            Tone::Bad => " note-bad",
            Tone::Warn => " note-warn",
            Tone::Plain | Tone::Ok | Tone::Draft => "",
        }
    }
}

/// What the patient said about a visit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VisitAnswer {
    /// The symbol.
    pub icon: Icon,
    /// How it looks.
    pub tone: Tone,
    /// In bold: `Coming.`, `No answer yet.`, `Can’t come:`
    pub lead: Shown,
    /// The rest: `Texted yes on Monday`, `no ride`.
    pub rest: Shown,
    /// The patient's own words.
    pub words: Option<Words>,
}

impl VisitAnswer {
    const fn class(&self) -> &'static str {
        match self.tone {
            Tone::Ok => " state-ok",
            Tone::Warn => " state-ur",
            Tone::Bad => " state-bad",
            Tone::Plain | Tone::Draft => "",
        }
    }
}

/// A visit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VisitRow {
    /// The time: `11:30`.
    pub at: String,
    /// The patient's page.
    pub href: String,
    /// The patient's name.
    pub name: Shown,
    /// Language and kind: `Yiddish · foot check`.
    pub about: Shown,
    /// What the patient said.
    pub answer: VisitAnswer,
    /// What is needed.
    pub needs: Vec<Tag>,
    /// What the reminder does next.
    pub reminder: Shown,
}

/// A day of visits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VisitDay {
    /// A unique id on the page, of letters and digits.
    pub id: String,
    /// `Today, Tuesday 10 March`
    pub label: String,
    /// `1 to call`
    pub summary: Shown,
    /// The visits in their order.
    pub rows: Vec<VisitRow>,
}

/// The visits: `GET /visits`.
#[derive(Template, Clone, Debug)]
#[template(path = "visits.html")]
pub struct Visits {
    /// The frame.
    pub frame: Frame,
    /// How many need something from a person.
    pub need: usize,
    /// How many visits are shown.
    pub total: usize,
    /// Whose times these are: `Times are New York’s.`
    pub zone_note: String,
    /// What needs a person before a cut-off.
    pub note: Option<PageNote>,
    /// The days.
    pub days: Vec<VisitDay>,
}

/// A channel.
#[derive(Clone, PartialEq, Debug)]
pub struct ChannelCard {
    /// A unique id on the page, of letters and digits.
    pub id: String,
    /// `Text`
    pub name: Shown,
    /// How it does.
    pub state: Tag,
    /// `Twilio · two numbers`
    pub about: Shown,
    /// Label and value: counts by state.
    pub facts: Vec<Fact>,
    /// Why attempts came to nothing: what, with the provider's code, and how often.
    pub codes: Vec<Fact>,
}

/// A message that needs a look.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveryRow {
    /// Stuck, Not known, Not delivered.
    pub state: Tag,
    /// How long, and what: `14 min, answer`.
    pub since: Shown,
    /// The patient's page.
    pub href: String,
    /// The patient's name.
    pub name: Shown,
    /// `Answer of 10:10 · text`
    pub about: Shown,
    /// Why, in bold.
    pub why: Shown,
    /// What happens by itself.
    pub then: Shown,
    /// `Once`, `3 times`
    pub tried: String,
    /// What its reader can do about it.
    pub acts: Vec<Act>,
}

/// Something that can be done about a message: a form of one button.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Act {
    /// Where it is sent.
    pub action: String,
    /// What the button says.
    pub word: &'static str,
    /// What it asks before it is done; empty: nothing.
    pub asks: &'static str,
}

/// Channels and messages: `GET /delivery`.
#[derive(Template, Clone, Debug)]
#[template(path = "delivery.html")]
pub struct Delivery {
    /// The frame.
    pub frame: Frame,
    /// The channel that has stopped.
    pub note: Option<PageNote>,
    /// What was just done.
    pub done: Option<Shown>,
    /// The channels, worst first.
    pub channels: Vec<ChannelCard>,
    /// Counts of today: label and number, as in `Delivered`, `1,204`.
    pub today: Vec<Fact>,
    /// The messages that need a look.
    pub rows: Vec<DeliveryRow>,
}
