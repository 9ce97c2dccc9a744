//! What stands around every signed-in page: the five places, who is signed in, the emergencies that nobody has taken.

use super::text::Shown;

/// Where in the console a page is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// What waits for a person.
    Queue,
    /// The patients; a patient's own page too.
    Panel,
    /// The visits.
    Visits,
    /// The channels and messages that need a look.
    Delivery,
    /// Theme, sign-out, about.
    More,
}

/// Which theme is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Theme {
    /// As the reader's system says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// Every theme, in the order in which they are offered.
    pub const ALL: [Theme; 3] = [Theme::System, Theme::Light, Theme::Dark];

    /// The value of the cookie, of the form field and of `data-theme`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    /// The theme of a cookie or form field; anything unknown is the system's.
    #[must_use]
    pub fn parse(text: &str) -> Theme {
        Theme::ALL.into_iter().find(|theme| theme.as_str() == text).unwrap_or_default()
    }

    /// Whether the reader chose it, against the system.
    #[must_use]
    pub fn is_chosen(self) -> bool {
        self != Theme::System
    }

    /// What the button says.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Theme::System => "As the system",
            Theme::Light => "Light",
            Theme::Dark => "Dark",
        }
    }
}

/// Who is signed in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Me {
    /// Two letters for the face.
    pub initials: String,
    /// The full name.
    pub name: Shown,
    /// As in `On duty`.
    pub state: String,
}

/// An emergency that nobody has claimed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alarm {
    /// The item's id: each is announced once.
    pub id: String,
    /// Where it is.
    pub href: String,
    /// One sentence for the alert: `Emergency: Rosa Villalobos, chest pain. 5 minutes to claim.`
    pub say: Shown,
}

/// The frame of a page.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The token of every form, posted as `csrf`.
    pub csrf: String,
    /// Who is signed in.
    pub me: Me,
    /// Where the page is.
    pub place: Place,
    /// The theme.
    pub theme: Theme,
    /// Every emergency that nobody has claimed, whatever the view: the badge and the title count them.
    pub alarms: Vec<Alarm>,
    /// Whether the page follows what happens by itself.
    pub live: bool,
    /// Nothing goes out: why, since when and what ends it.
    pub paused: Option<Shown>,
    /// What was just done, in one sentence.
    pub toast: Option<Shown>,
    /// Domain time in milliseconds since the Unix epoch.
    pub now_ms: i64,
    /// Domain seconds in a second.
    pub speed: f64,
}

impl Frame {
    /// The count that goes before a title: `(1) `, or nothing.
    #[must_use]
    pub fn title_count(&self) -> String {
        if self.alarms.is_empty() { String::new() } else { format!("({}) ", self.alarms.len()) }
    }

    /// `aria-current` of a place in the rail.
    pub(super) fn is_at(&self, place: Place) -> bool {
        self.place == place
    }
}

/// A tab over a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tab {
    /// Where it leads.
    pub href: String,
    /// What it says.
    pub word: String,
    /// How many it holds.
    pub count: Option<usize>,
    /// Whether it is the one shown.
    pub current: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_that_nobody_wrote_gives_the_system_theme() {
        assert_eq!(Theme::parse("dark"), Theme::Dark);
        assert_eq!(Theme::parse("\"><script>"), Theme::System);
    }
}
