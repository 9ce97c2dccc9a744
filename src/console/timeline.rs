//! The timeline: what was written both ways, every decision that held or stopped something, what people did.
//!
//! **Invariant.** What was decided is a sentence with a time. A message that is in doubt is never called sent.

use std::collections::HashMap;

use jiff::civil::Date;

use super::pane::event;
use super::patient::read_as;
use super::view::{Day, Entry, Gloss, Icon, MessageFace, Show, Shown, Words};
use super::{error::Trouble, words};
use crate::clock::Time;
use crate::compose::Args;
use crate::kit::Kit;
use crate::model::{Channel, Id, Lang, MessageState, Reason, Severity};
use crate::policy;
use crate::store::Tx;
use crate::store::pages::patient::{self as read, Decision, Event, Message, Written};
use crate::store::patients::Patient;
use crate::zone::Zone;

/// What happened to a patient since a time, by day, oldest first.
pub(super) async fn load(
    tx: &mut Tx,
    kit: &Kit,
    patient: &Patient,
    (show, since): (Show, Time),
    now: Time,
) -> Result<Vec<Day>, Trouble> {
    let id = Id(patient.id);
    let lang = patient.language()?;
    let zone = kit.hours.zone();
    let mut line = Line { zone, now, entries: Vec::new() };
    if show != Show::Notes {
        let decisions = read::decisions(tx, id, since).await?;
        let messages = read::messages(tx, id, since).await?;
        for written in read::written(tx, id, since).await? {
            line.wrote(lang, &written);
        }
        let mut until: HashMap<i64, i64> = HashMap::new();
        for held in decisions.iter().rev().filter(|d| d.outcome == "hold") {
            if let (Some(message), Some(at)) = (held.message_id, held.until) {
                until.insert(message, at);
            }
        }
        // A message whose words stand there carries its state itself.
        let shown: Vec<i64> = messages.iter().filter(|m| !m.body.is_empty()).map(|m| m.id).collect();
        for message in messages.iter().filter(|m| !m.body.is_empty()) {
            line.sent(kit, lang, message, until.get(&message.id).copied());
        }
        if show == Show::Everything {
            for decision in decisions.iter().filter(|d| d.message_id.is_none_or(|m| !shown.contains(&m))) {
                line.decided(decision);
            }
            for event in read::events(tx, id, since).await? {
                line.happened(&event);
            }
        }
    }
    if show != Show::Messages {
        for (id, at, by, text) in read::notes(tx, id, since).await? {
            let entry = Entry::Note { by: words::first_name(&by).into(), at: words::clock(zone, Time(at)), text: text.into() };
            line.entries.push((at, id, entry));
        }
    }
    Ok(line.days())
}

struct Line<'a> {
    zone: &'a Zone,
    now: Time,
    /// When, id, what: ids order what happened in the same millisecond.
    entries: Vec<(i64, i64, Entry)>,
}

impl Line<'_> {
    fn at(&self, at: i64) -> String {
        words::clock(self.zone, Time(at))
    }

    fn wrote(&mut self, lang: Lang, written: &Written) {
        let entry = Entry::In {
            words: words::patients_words(Some(lang), &written.body),
            gloss: None,
            at: self.at(written.received_at),
            read_as: read_as(written),
        };
        self.entries.push((written.received_at, written.id, entry));
    }

    fn sent(&mut self, kit: &Kit, lang: Lang, message: &Message, until: Option<i64>) {
        let state = words::state(&message.state).unwrap_or(MessageState::Unknown);
        let more = match state {
            MessageState::Held => until.map(|t| words::when_exactly(self.zone, self.now, Time(t))),
            MessageState::Skipped | MessageState::Failed | MessageState::Cancelled => Some(words::trouble(&message.why)),
            MessageState::Planned
            | MessageState::Queued
            | MessageState::Sending
            | MessageState::Accepted
            | MessageState::Sent
            | MessageState::Delivered
            | MessageState::Read
            | MessageState::Expired
            | MessageState::Unknown => None,
        };
        let written = message.body_lang.parse().or(message.lang.parse()).unwrap_or(lang);
        let channel = message.channel.as_deref().and_then(|c| c.parse().ok());
        let by = match channel {
            Some(Channel::Sms) | None => "text",
            Some(channel @ (Channel::Telegram | Channel::WhatsApp)) => words::channel(channel),
        };
        let kind = message.staff.as_deref().map_or_else(|| words::class_named(&message.class), words::first_name);
        let at = message.planned_at;
        let entry = Entry::Out {
            words: Words::new(written, &message.body),
            gloss: english(kit, message, written),
            kind: format!("{kind} · {by}").into(),
            at: self.at(at),
            face: MessageFace::of(state, more.as_deref()),
        };
        self.entries.push((at, message.id, entry));
    }

    fn decided(&mut self, decision: &Decision) {
        let Ok(reason) = decision.reason.parse::<Reason>() else { return };
        let until = decision.until.map(|t| words::when_exactly(self.zone, self.now, Time(t)));
        let sentence = policy::sentence(&decision.outcome, reason, until.as_deref());
        let what = decision.class.as_deref().map_or("Step of a protocol", words::class_named);
        let (decided, why) = sentence.split_once(": ").unwrap_or((&sentence, ""));
        let mut decided = decided.to_owned();
        if let Some(first) = decided.get_mut(..1) {
            first.make_ascii_lowercase();
        }
        let entry = Entry::Event {
            icon: if decision.outcome == "hold" { Icon::Moon } else { Icon::Skip },
            at: self.at(decision.at),
            lead: format!("{what} {decided}:").into(),
            rest: why.into(),
        };
        self.entries.push((decision.at, decision.id, entry));
    }

    fn happened(&mut self, happened: &Event) {
        // The words themselves, and the crisis reply, stand in the timeline.
        if matches!(happened.kind.as_str(), "wrote" | "crisis") {
            return;
        }
        let (mut icon, text) = event(&happened.kind, &happened.detail, happened.who.as_deref());
        if happened.kind == "opened" {
            icon = match happened.severity.parse() {
                Ok(Severity::Emergency) => Icon::Emergency,
                Ok(Severity::Urgent) => Icon::Urgent,
                Ok(Severity::Routine | Severity::None) | Err(_) => Icon::Routine,
            };
        }
        let rest: Shown = if matches!(happened.kind.as_str(), "opened" | "raised") {
            words::sentence(&happened.reason).into()
        } else {
            Shown::default()
        };
        self.entries.push((happened.at, happened.id, Entry::Event { icon, at: self.at(happened.at), lead: text.into(), rest }));
    }

    fn days(mut self) -> Vec<Day> {
        self.entries.sort_by_key(|(at, id, _)| (*at, *id));
        let today = self.zone.local(self.now).date();
        let mut days: Vec<(Date, Vec<Entry>)> = Vec::new();
        for (at, _, entry) in self.entries {
            let date = self.zone.local(Time(at)).date();
            match days.last_mut() {
                Some((last, entries)) if *last == date => entries.push(entry),
                Some(_) | None => days.push((date, vec![entry])),
            }
        }
        days.into_iter().map(|(date, entries)| Day { label: words::day_label(today, date), entries }).collect()
    }
}

/// The English of a message of the catalogue, if it is certain which wording went out.
fn english(kit: &Kit, message: &Message, lang: Lang) -> Option<Gloss> {
    if lang == Lang::En || message.key == "staff" {
        return None;
    }
    let args: Args = serde_json::from_str(&message.args).ok()?;
    let discreet = kit.catalogue.discreet(&message.key);
    let written = |key: &str| {
        let same = kit.catalogue.render(lang, key, &args).ok()?;
        (crate::compose::fold(same.text.expose()) == message.body).then(|| kit.catalogue.render(Lang::En, key, &args).ok())?
    };
    let english = written(&message.key).or_else(|| written(&discreet))?;
    Some(Gloss { text: english.text.expose().into(), from: "English of the catalogue".to_owned() })
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    #[test]
    fn a_day_is_the_readers_and_what_came_in_the_same_millisecond_stays_in_order() {
        let zone: Zone = "America/New_York".parse().expect("a zone");
        let late = zone.instant(date(2026, 3, 9), time(23, 59, 0, 0)).expect("it exists");
        let now = zone.instant(date(2026, 3, 10), time(10, 0, 0, 0)).expect("it exists");
        let mut line = Line { zone: &zone, now, entries: Vec::new() };
        let decision = |id, at: Time, outcome: &str, until: Option<Time>| Decision {
            id,
            message_id: None,
            at: at.0,
            outcome: outcome.to_owned(),
            reason: "quiet_hours".to_owned(),
            until: until.map(|t| t.0),
            class: Some("question".to_owned()),
        };
        line.decided(&decision(2, now, "skip", None));
        line.decided(&decision(1, late, "hold", Some(now)));
        let days = line.days();
        assert_eq!(days.iter().map(|d| d.label.as_str()).collect::<Vec<_>>(), ["Yesterday", "Today"]);
        let Some(Entry::Event { lead, rest, at, .. }) = days[0].entries.first() else { panic!("an event") };
        assert_eq!((lead.as_str(), at.as_str()), ("Check-in held until 10:00:", "23:59"));
        assert_eq!(rest.as_str(), "outside the hours agreed for messages.");
    }
}
