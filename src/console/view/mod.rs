//! What coordinators see: view models in plain words, and the templates that turn them into pages.
//!
//! **What.** Each page is a struct (`Queue`, `PatientPage`, `DemoPage`, …) that derives [`askama::Template`]; whoever
//! handles a request fills it and renders it. The `…Part` structs render only the regions of a page that change by
//! themselves: the script swaps every element marked `data-swap` by its `id`, so page and part share the same partials.
//!
//! **Invariant.** Text that a person wrote, or that may quote a person, is [`Shown`] or [`Words`]: marks that turn the
//! direction of text around are gone before it reaches a page, and a run of a patient's words always has `lang` and
//! `dir`. Everything is escaped; only the components of this module (tags, tickers, charts) count as markup. No view
//! reads a clock, a store or a request.
//!
//! **Why.** A page that shows the wrong deadline, or lets a message paint over its neighbour, can harm a person. What
//! is pure can be rendered in a test with every script and every state.
//!
//! **Live.** Pages listen to a stream of server-sent events (`/live`, in the demo `/demo/live`):
//! `ping` (at least each 10 s; after 20 s without any event the page says that it is stale), `clock` with the data
//! `{"now_ms":…,"speed":…}`, `queue` (no data needed), `patient` (data: the patient's id), and in the demo `demo`. On
//! these the page fetches its part: `GET /queue?…&part=rows` ([`QueuePart`]), `GET /patient/ID?…&part=timeline`
//! ([`TimelinePart`]), `GET /?phone=ID&part=demo` ([`DemoPart`]); the other pages fetch themselves. A part must be filled
//! for the same address as its page, so that the selection stays.

mod chart;
mod demo;
mod door;
mod frame;
mod lists;
mod patient;
mod queue;
mod resolve;
mod text;
mod tick;

pub use chart::{Chart, ChartPoint, GoalAnswer, GoalWeeks, Level, Spark};
pub use demo::{DemoPage, DemoPart, DemoSignIn, Phone, PhoneDay, PhoneLink, PhoneMessage, Speed, TryReply};
pub use door::{DraftCount, ErrorPage, More, SignIn};
pub use frame::{Alarm, Frame, Me, Place, Tab, Theme};
pub use lists::{
    Act, ChannelCard, Delivery, DeliveryRow, Lead, PageNote, Panel, PanelRow, VisitAnswer, VisitDay, VisitRow, Visits,
};
pub use patient::{
    ChartCard, Composer, Day, Entry, Fact, GoalCard, Invite, MadeLink, MessageFace, OpenItem, PatientHead, PatientPage, Show,
    TimelinePart, Verdict,
};
pub use queue::{
    Call, Counts, Filters, Finding, Holder, Pane, PaneHolder, Queue, QueuePart, QueueRow, QueueView, Safe, Said, Step, encoded,
    queue_href,
};
pub use resolve::{ItemResolve, ResolveForm, outcome_words};
pub use text::{Gloss, Icon, Sev, Shown, Tag, Tone, Words};
pub use tick::{By, Duty, Tick};

#[cfg(test)]
mod tests {
    use askama::Template;

    use super::*;
    use crate::clock::Time;
    use crate::model::{Lang, Outcome, Severity};

    fn frame(alarms: Vec<Alarm>) -> Frame {
        let me = Me { initials: "JA".to_owned(), name: "June Abara".into(), state: "On duty".to_owned() };
        Frame {
            csrf: "token".to_owned(),
            me,
            place: Place::Queue,
            theme: Theme::Dark,
            alarms,
            live: true,
            paused: None,
            toast: None,
            now_ms: 1_773_152_640_000,
            speed: 1.0,
        }
    }

    fn pane(holder: PaneHolder) -> Pane {
        let words = Words::new(Lang::Ar, "\u{202E}صدري يؤلمني <script>");
        let name = Shown::new("Samira Haddad");
        let by = By { day: "Today".to_owned(), rest: "by 10:27".to_owned() };
        let now = Time(1_773_152_640_000);
        Pane {
            id: "e1".to_owned(),
            version: 4,
            standing: 2,
            patient_href: Some("/patient/p1".to_owned()),
            name: name.clone(),
            age: Some(67),
            lang: Some(Lang::Ar),
            local_time: "10:24".to_owned(),
            zone: "America/New_York".to_owned(),
            sev: Sev(Severity::Emergency),
            tick: Some(Tick { now, opened: now, due: Time(now.0 + 300_000), duty: Duty::Claim, by, alarm: true, large: true }),
            reason: "Chest pain".into(),
            said: Some(Said { from: "Samira’s words".into(), words, gloss: None }),
            safe: Safe { lead: "Text (718) 555-0142 only.".into(), ..Safe::default() },
            steps: Vec::new(),
            findings: Vec::new(),
            holder,
            call: Some(Call { tel: "+17185550142".to_owned(), shown: "(718) 555-0142".to_owned() }),
            conflict: None,
            resolve: ResolveForm::new("e1", 4, name, "/queue"),
            back: "/queue".to_owned(),
        }
    }

    fn queue(pane: Option<Pane>, alarms: Vec<Alarm>) -> String {
        let (view, counts, filters) = (QueueView::Team, Counts::default(), Filters::default());
        Queue { frame: frame(alarms), view, counts, filters, rows: Vec::new(), pane }.render().expect("renders")
    }

    fn place(html: &str, what: &str) -> usize {
        html.find(what).unwrap_or_else(|| panic!("no `{what}` in {html}"))
    }

    #[test]
    fn safe_contact_comes_before_everything_that_reaches_the_patient() {
        let html = queue(Some(pane(PaneHolder::Nobody)), Vec::new());
        let safe = place(&html, "Text (718) 555-0142 only.");
        for action in ["tel:+17185550142", "/patient/p1#re", "Claim <kbd>", "/item/e1/resolve"] {
            assert!(safe < place(&html, action), "{action}");
        }
    }

    #[test]
    fn the_words_of_a_patient_are_text_with_a_language_and_a_direction_and_nothing_else() {
        let html = queue(Some(pane(PaneHolder::Nobody)), Vec::new());
        assert!(html.contains("lang=\"ar\" dir=\"rtl\">صدري يؤلمني &#60;script&#62;</blockquote>"), "{html}");
        assert!(!html.contains('\u{202E}'));
        assert!(html.contains("Marks that turn the direction of text were taken out."));
    }

    #[test]
    fn an_item_that_somebody_else_has_can_be_taken_over_and_a_resolved_one_says_what_came_of_it() {
        let other = queue(Some(pane(PaneHolder::Other { name: "Dana".into(), at: "10:24".to_owned() })), Vec::new());
        assert!(other.contains("<bdi>Dana</bdi> claimed this at 10:24.") && !other.contains("Claim <kbd>"), "{other}");
        assert!(other.contains("name=\"takeover\" value=\"2\"") && other.contains(">Take over<"), "{other}");
        assert!(other.contains("data-dialog=\"resolve\""), "{other}");
        let outcome = Outcome::WelfareCheck;
        let done = queue(Some(pane(PaneHolder::Resolved { name: "Dana".into(), at: "10:40".to_owned(), outcome })), Vec::new());
        assert!(done.contains("resolved this at 10:40: Not reached, welfare check asked for."), "{done}");
        assert!(!done.contains("takeover"), "{done}");
    }

    #[test]
    fn the_title_counts_unclaimed_emergencies_and_an_empty_queue_says_what_happens_next() {
        let alarm = Alarm { id: "e1".to_owned(), href: "/queue".to_owned(), say: "Emergency: Rosa, chest pain.".into() };
        let html = queue(None, vec![alarm]);
        assert!(html.contains("<title>(1) Queue · Porchlight</title>") && html.contains("data-theme=\"dark\""), "{html}");
        assert!(html.contains("Nobody is waiting") && html.contains("New items appear here by themselves."));
        assert!(queue(None, Vec::new()).contains("<title>Queue · Porchlight</title>"));
    }

    #[test]
    fn no_page_needs_an_inline_script_or_style() {
        let html = queue(Some(pane(PaneHolder::You("10:24".to_owned()))), Vec::new());
        for forbidden in [" style=", "<style", " onclick=", "<script>", "http://", "https://"] {
            assert!(!html.contains(forbidden), "{forbidden}");
        }
    }
}
