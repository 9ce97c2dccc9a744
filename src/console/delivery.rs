//! The delivery page: the gateways, worst first, and the messages that need a look.
//!
//! **Invariant.** Each message says why it stands here and what happens by itself, so that doing nothing is a choice.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use futures_util::FutureExt;

use super::error::Trouble;
use super::session::{Posted, Signed};
use super::view::{Act, ChannelCard, Delivery, DeliveryRow, Fact, Icon, PageNote, Place, Shown, Tag, Tone};
use super::{Answer, Desk, go, html, words};
use crate::clock::Time;
use crate::kit::Kit;
use crate::model::{Channel, Id, MessageState};
use crate::store::audit::{self, Entry};
use crate::store::health::{self, Health};
use crate::store::pages;
use crate::store::pages::lists::{self as read, Trouble as Look};
use crate::store::{Lane, StoreError, messages, rungs};

const DAY: Duration = Duration::from_hours(24);
/// Messages whose id is older (machine time) have come to nothing long ago: twice the week that is shown.
const MADE: Duration = Duration::from_hours(24 * 14);
/// A message in the outbox for longer is stuck; one held for longer is listed.
const STUCK: Duration = Duration::from_mins(10);
const HELD: Duration = Duration::from_hours(24);

/// `GET /delivery`.
pub(super) async fn page(State(served): Desk, reader: Signed, Query(asked): Query<HashMap<String, String>>) -> Answer {
    let (kit, now) = (&served.kit, served.kit.now());
    let first = pages::first_id(kit.clock.machine().minus(DAY));
    let mut tx = served.db.read().await?;
    let counts = read::by_gateway(&mut tx, reader.site, first).await?;
    let codes = read::by_code(&mut tx, reader.site, first).await?;
    let found = health::all(&mut tx).await?;
    let since = read::Since {
        ended: now.minus(DAY * 7),
        first: pages::first_id(kit.clock.machine().minus(MADE)),
        stuck: now.minus(STUCK),
        held: now.minus(HELD),
    };
    let looks = read::troubles(&mut tx, reader.site, since).await?;
    let frame = served.frame(&mut tx, &reader, Place::Delivery, None).await?;
    drop(tx);
    let mut channels: Vec<(i64, ChannelCard)> =
        served.ways.all().enumerate().map(|(n, gateway)| channel(n, gateway.name(), gateway.channel(), &counts)).collect();
    for (bad, card) in &mut channels {
        card.codes = codes.iter().filter(|c| c.0 == card.name.as_str()).map(code).collect();
        if let Some(health) = worst(&found, card.name.as_str()) {
            *bad = i64::MAX;
            card.state = ailing(kit, health, now);
        }
    }
    channels.sort_by_key(|(bad, _)| std::cmp::Reverse(*bad));
    let note = channels.iter().find(|(bad, _)| *bad == i64::MAX).map(|(_, card)| stopped(card));
    let mut totals: Vec<(MessageState, i64)> = Vec::new();
    for (_, state, n) in &counts {
        let Some(state) = words::state(state) else { continue };
        match totals.iter_mut().find(|t| t.0 == state) {
            Some(total) => total.1 += n,
            None => totals.push((state, *n)),
        }
    }
    html(&Delivery {
        frame,
        note,
        done: asked.get("done").and_then(|done| said(done)),
        channels: channels.into_iter().map(|c| c.1).collect(),
        today: totals
            .iter()
            .map(|(state, n)| Fact { label: state_word(*state).to_owned(), value: n.to_string().into() })
            .collect(),
        rows: looks.iter().map(|look| looked(kit, look, now)).collect(),
    })
}

/// A gateway's card, and how much of it is wrong.
fn channel(n: usize, name: &str, channel: Channel, counts: &[(String, String, i64)]) -> (i64, ChannelCard) {
    let of: Vec<(MessageState, i64)> =
        counts.iter().filter(|c| c.0 == name).filter_map(|c| Some((words::state(&c.1)?, c.2))).collect();
    let sum = |states: &[MessageState]| of.iter().filter(|c| states.contains(&c.0)).map(|c| c.1).sum::<i64>();
    let arrived = sum(&[MessageState::Accepted, MessageState::Sent, MessageState::Delivered, MessageState::Read]);
    let bad = sum(&[MessageState::Failed, MessageState::Unknown]);
    let state = match (arrived, bad) {
        (0, 0) => Tag { icon: Icon::Clock, word: "Nothing sent".into(), tone: Tone::Plain },
        (_, 0) => Tag { icon: Icon::Check, word: "Working".into(), tone: Tone::Ok },
        (arrived, bad) if bad > arrived => Tag { icon: Icon::Emergency, word: "Failing".into(), tone: Tone::Bad },
        (_, _) => Tag { icon: Icon::Urgent, word: "Some fail".into(), tone: Tone::Warn },
    };
    let facts = of.iter().map(|(state, n)| Fact { label: state_word(*state).to_owned(), value: n.to_string().into() }).collect();
    let about = format!("{}, the last 24 hours", words::channel(channel));
    (bad, ChannelCard { id: format!("way{n}"), name: name.into(), state, about: about.into(), facts, codes: Vec::new() })
}

/// How often something came to nothing, with the provider's code where it says more.
fn code((_, outcome, code, n): &(String, String, String, i64)) -> Fact {
    let what = words::came_to(outcome);
    let label = if code.is_empty() || code == outcome { what.to_owned() } else { format!("{what} ({code})") };
    Fact { label, value: n.to_string().into() }
}

/// The worst that a process says of a gateway, unless all find it well.
fn worst<'h>(found: &'h [Health], gateway: &str) -> Option<&'h Health> {
    found.iter().find(|h| h.gateway == gateway && !h.is_well())
}

fn ailing(kit: &Kit, health: &Health, now: Time) -> Tag {
    // Health is kept in machine time; the page speaks of the clinic's.
    let ago = kit.clock.machine().since(Time(health.since));
    let since = words::when_exactly(kit.hours.zone(), now, now.minus(ago));
    let word = match health.state.as_str() {
        "slow" => format!("Does not answer since {since}"),
        "resting" => format!("Set up wrongly since {since} ({})", health.code),
        _ => format!("Failing since {since}"),
    };
    Tag { icon: Icon::Emergency, word: word.into(), tone: Tone::Bad }
}

fn stopped(card: &ChannelCard) -> PageNote {
    PageNote {
        tone: Tone::Bad,
        icon: Icon::Emergency,
        title: format!("{} is left alone for now", card.name.as_str()).into(),
        text: "It is tried again by itself, first with one message. Until then messages take another gateway of the same channel, or wait here. Nobody is opted out for it.".into(),
        link: None,
    }
}

/// What was just done, from the address: only words of our own are ever said.
fn said(done: &str) -> Option<Shown> {
    match done {
        "again" => Some("It is sent anew. Consent, hours and safe contact are asked again first.".into()),
        "cancel" => Some("Called off.".into()),
        "now" => Some("It is looked at now. A gateway that is left alone is not asked sooner for it.".into()),
        "moved" => Some("Nothing was done: it has moved on meanwhile.".into()),
        _ => None,
    }
}

/// `POST /delivery/ID/again`, `…/cancel` and `…/now`.
pub(super) async fn act(State(served): Desk, Path((id, act)): Path<(String, String)>, posted: Posted) -> Answer {
    let Ok(id) = id.parse::<Id>() else { return Err(Trouble::missing("No such message.")) };
    let Some(act) = ["again", "cancel", "now"].into_iter().find(|known| *known == act) else {
        return Err(Trouble::missing("No such action."));
    };
    let (kit, reader) = (Arc::clone(&served.kit), posted.reader.clone());
    let done = served
        .db
        .write(Lane::Work, move |tx| {
            async move {
                let (now, machine) = (kit.now(), kit.clock.machine());
                let which = (reader.site, id);
                let Some((patient, state)) = read::whose(tx, reader.site, id).await? else {
                    return Err(StoreError::Missing("message"));
                };
                let done = match (act, state.as_str()) {
                    ("again", "unknown") => messages::requeue(tx, id, MessageState::Unknown, now, machine).await?,
                    ("again", _) => rungs::anew(tx, which, kit.id(), now, machine).await?,
                    ("cancel", _) => rungs::call_off(tx, which, now).await?,
                    _ => rungs::hurry(tx, which, machine).await?,
                };
                if done {
                    let action = match act {
                        "again" => "send anew",
                        "cancel" => "call off",
                        _ => "send now",
                    };
                    let entry = Entry { staff: Some(reader.staff), patient: patient.map(Id), action, subject: id.to_string() };
                    audit::add(tx, kit.ids.node(), &entry, now).await?;
                }
                Ok(done)
            }
            .boxed()
        })
        .await?;
    served.tell();
    Ok(go(&format!("/delivery?done={}", if done { act } else { "moved" })))
}

/// What can be done about a message that needs a look.
fn acts(id: i64, state: MessageState) -> Vec<Act> {
    let to = |act: &str| format!("/delivery/{}/{act}", Id(id));
    let cancel = || Act { action: to("cancel"), word: "Cancel", asks: "The message will never go out. Is that right?" };
    match state {
        MessageState::Failed => vec![Act {
            action: to("again"),
            word: "Send again",
            asks: "A new message says the same, if the rules allow it now. Has the trouble been mended?",
        }],
        MessageState::Unknown => vec![Act {
            action: to("again"),
            word: "Send again",
            asks: "Perhaps the first one arrived: then it is there twice. Send it again all the same?",
        }],
        MessageState::Planned | MessageState::Queued => {
            vec![Act { action: to("now"), word: "Try now", asks: "" }, cancel()]
        }
        MessageState::Held => vec![cancel()],
        _ => Vec::new(),
    }
}

const fn state_word(state: MessageState) -> &'static str {
    match state {
        MessageState::Planned | MessageState::Queued => "Waiting",
        MessageState::Held => "Held",
        MessageState::Sending => "Being sent",
        MessageState::Accepted => "Taken by the provider",
        MessageState::Sent => "Sent",
        MessageState::Delivered => "Delivered",
        MessageState::Read => "Read",
        MessageState::Skipped => "Not sent",
        MessageState::Expired => "Too late",
        MessageState::Cancelled => "Called off",
        MessageState::Failed => "Not delivered",
        MessageState::Unknown => "Not known",
    }
}

fn looked(kit: &Kit, look: &Look, now: Time) -> DeliveryRow {
    let zone = kit.hours.zone();
    let state = words::state(&look.state).unwrap_or(MessageState::Unknown);
    let until = look.until.map(|t| words::when_exactly(zone, now, Time(t)));
    let (tag, then) = match state {
        MessageState::Failed => (
            Tag { icon: Icon::Emergency, word: "Not delivered".into(), tone: Tone::Bad },
            "It is not sent again by itself by this contact.".to_owned(),
        ),
        MessageState::Held => (
            Tag { icon: Icon::Moon, word: "Held".into(), tone: Tone::Plain },
            until.map_or_else(|| "It is looked at again by itself.".to_owned(), |at| format!("It is looked at again {at}.")),
        ),
        MessageState::Unknown => (
            Tag { icon: Icon::Wifi, word: "Not known".into(), tone: Tone::Warn },
            until.map_or_else(
                || "Look at the timeline before you write again.".to_owned(),
                |at| format!("A receipt is waited for until {at}."),
            ),
        ),
        MessageState::Expired => (
            Tag { icon: Icon::Clock, word: "Too late".into(), tone: Tone::Warn },
            "It does not go out any more. Call, or write anew.".to_owned(),
        ),
        MessageState::Skipped => (
            Tag { icon: Icon::Skip, word: "Not sent".into(), tone: Tone::Bad },
            "It does not go out by itself. Call instead.".to_owned(),
        ),
        MessageState::Planned
        | MessageState::Queued
        | MessageState::Sending
        | MessageState::Accepted
        | MessageState::Sent
        | MessageState::Delivered
        | MessageState::Read
        | MessageState::Cancelled => {
            (Tag { icon: Icon::Clock, word: "Stuck".into(), tone: Tone::Warn }, "It is tried again by itself.".to_owned())
        }
    };
    let why = if state == MessageState::Queued && look.why.is_empty() {
        "it waits in the outbox".to_owned()
    } else {
        words::trouble(&look.why)
    };
    let mut why: Vec<char> = why.chars().collect();
    if let Some(first) = why.first_mut() {
        first.make_ascii_uppercase();
    }
    DeliveryRow {
        state: tag,
        since: words::when_exactly(zone, now, Time(look.state_at)).into(),
        href: look.patient_id.map_or_else(|| "/delivery".to_owned(), words::patient_href),
        name: look.name.clone().unwrap_or_else(|| words::unknown_number(Some(&look.to_address))).into(),
        about: format!("{} of {}", words::class_named(&look.class), words::when_exactly(zone, now, Time(look.planned_at))).into(),
        why: words::sentence(&why.into_iter().collect::<String>()).into(),
        then: then.into(),
        tried: match look.attempts {
            0 => "Not yet".to_owned(),
            1 => "Once".to_owned(),
            2 => "Twice".to_owned(),
            n => format!("{n} times"),
        },
        acts: acts(look.id, state),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_on_which_more_fails_than_arrives_is_failing() {
        let counts = |bad: i64| vec![("a".to_owned(), "delivered".to_owned(), 3), ("a".to_owned(), "failed".to_owned(), bad)];
        let word = |bad| channel(0, "a", Channel::Sms, &counts(bad)).1.state.word.as_str().to_owned();
        assert_eq!((word(0).as_str(), word(2).as_str(), word(9).as_str()), ("Working", "Some fail", "Failing"));
        assert_eq!(
            channel(0, "b", Channel::Sms, &counts(9)).1.state.word.as_str(),
            "Nothing sent",
            "another gateway’s trouble is not its own"
        );
    }
}
