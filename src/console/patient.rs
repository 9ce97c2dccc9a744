//! A patient's page: everything that is known, read in one transaction, and noted in the audit.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use axum::extract::{Path, Query, State};
use jiff::ToSpan;

use super::error::Trouble;
use super::session::Signed;
use super::view::{
    Chart, ChartCard, ChartPoint, Composer, Fact, GoalAnswer, GoalCard, GoalWeeks, Icon, OpenItem, PatientHead, PatientPage,
    Place, Sev, Show, Shown, Tag, TimelinePart, Words, queue_href,
};
use super::view::{Filters, QueueView};
use super::{Answer, Desk, Served, html, link, pane, queue, reply, timeline, view, words};
use crate::clock::Time;
use crate::kit::Kit;
use crate::model::{EscalationState, Id, Lang, Severity};
use crate::protocol::{Point, WeightUnit, judge};
use crate::store::pages::patient::{Enrolled, Written};
use crate::store::pages::{self, Happened, Item};
use crate::store::patients;
use crate::store::readings::{self, Reading};
use crate::store::{Tx, appointments};
use crate::zone::Zone;

/// Days in a timeline, as first shown and as far as it goes.
const SPAN: u16 = 30;
const SPANS: [u16; 3] = [SPAN, 90, 365];
/// Days in a chart of readings, and weeks in one of a goal.
const CHART: i64 = 14;
const WEEKS: i64 = 8;
const DAY: Duration = Duration::from_hours(24);

/// `GET /patient/ID?show=&days=`, with `part=timeline` its changing regions.
pub(super) async fn page(
    State(served): Desk,
    reader: Signed,
    Path(id): Path<String>,
    Query(asked): Query<HashMap<String, String>>,
) -> Answer {
    let field = |name: &str| asked.get(name).map_or("", String::as_str);
    let part = field("part") == "timeline";
    let said = Said {
        show: Show::parse(field("show")),
        span: field("days").parse().ok().filter(|d| SPANS.contains(d)).unwrap_or(SPAN),
        sent: Some(field("sent").to_owned()).filter(|t| t.len() == 26 && t.bytes().all(|b| b.is_ascii_alphanumeric())),
        toast: queue::toast(field("done")).or_else(|| reply::toast(&served.kit, field("done"), field("until"))),
        conflict: field("conflict") == "1",
        ..Said::default()
    };
    let id: Id = id.parse().map_err(|_| Trouble::missing("There is no such patient."))?;
    let page = load(&served, &reader, id, said).await?;
    pane::note(&served, &reader, Some(id), "read patient", id, part).await?;
    if part {
        let PatientPage { frame, patient, open, days, composer, next, .. } = page;
        return html(&TimelinePart { frame, patient, open, days, composer, next });
    }
    html(&page)
}

/// What the page says besides what is stored.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) show: Show,
    pub(super) span: u16,
    /// The token of the reply that was just sent.
    pub(super) sent: Option<String>,
    pub(super) toast: Option<Shown>,
    /// Somebody else was faster.
    pub(super) conflict: bool,
    /// What was written and not sent, and why.
    pub(super) text: String,
    pub(super) error: Option<Shown>,
    /// A link to Telegram that was just made, or why none was.
    pub(super) link: Option<Result<view::MadeLink, Shown>>,
}

/// Reads a patient's page.
pub(super) async fn load(served: &Served, reader: &Signed, id: Id, said: Said) -> Result<PatientPage, Trouble> {
    let (kit, now) = (&served.kit, served.kit.now());
    let zone = kit.hours.zone();
    let span = if said.span == 0 { SPAN } else { said.span };
    let mut tx = served.db.read().await?;
    let found = patients::get(&mut tx, id).await?.filter(|p| p.site_id == reader.site.0);
    let Some(patient) = found else { return Err(Trouble::missing("There is no such patient.")) };
    let lang = patient.language()?;
    let local: Zone = patient.zone.parse().unwrap_or_else(|_| zone.clone());
    let contacts = patients::contacts(&mut tx, Id(patient.person_id)).await?;
    let consents = pages::patient::consents(&mut tx, id).await?;
    let items = pages::items_of(&mut tx, reader.site, id).await?;
    let mut open = Vec::with_capacity(items.len());
    for item in &items {
        let happened = pages::happened(&mut tx, Id(item.escalation.id)).await?;
        open.push(open_item(kit, reader, item, &happened, now));
    }
    let enrolled = pages::patient::enrolments(&mut tx, id).await?;
    let history = readings::since(&mut tx, &[id.0], now.minus(DAY * 7 * u32::try_from(WEEKS).unwrap_or(8))).await?;
    let goals = readings::goals(&mut tx, id).await?;
    // What will be decided against is not announced.
    let silent = patient.deceased_at.is_some() || consents.first().is_some_and(|c| c.1 == "withdrawn");
    let next = next(&mut tx, kit, id, &enrolled, (silent, now)).await?;
    let days = timeline::load(&mut tx, kit, &patient, (said.show, now.minus(DAY * u32::from(span))), now).await?;
    let invite = link::card(served, &mut tx, &patient, &contacts, (said.link, now)).await?;
    let verdict = reply::verdict(served, &mut tx, &patient, now).await?;
    let mut frame = served.frame(&mut tx, reader, Place::Panel, said.toast).await?;
    drop(tx);

    if said.conflict
        && let Some(taken) = open.iter().find(|o| !o.can_claim)
    {
        frame.toast = Some(taken.held.clone());
    }
    let running: Vec<&str> = enrolled.iter().filter(|e| e.state == "active").map(|e| e.title.as_str()).collect();
    let earlier = SPANS.into_iter().find(|days| *days > span);
    Ok(PatientPage {
        frame,
        back: "/queue".to_owned(),
        safe: pane::safe(kit, &patient, &contacts, &consents, now),
        open,
        show: said.show,
        span,
        earlier: earlier.map(|days| format!("/patient/{id}?show={}&days={days}", said.show.as_str())),
        days,
        composer: Composer { text: said.text, token: kit.dice.token(), sent: said.sent, verdict, error: said.error },
        charts: charts(kit, &enrolled, &history, now),
        goals: goals.iter().map(|g| goal(kit, lang, g, &history, now)).collect(),
        next,
        enrolments: enrolled.iter().map(|e| enrolment(zone, e, now)).collect(),
        invite,
        patient: PatientHead {
            id: id.to_string(),
            name: patient.name.as_str().into(),
            age: words::age(&patient.birth_date, zone.local(now).date()),
            lang,
            programs: running.join(", ").into(),
            local_time: words::clock(&local, now),
            zone: local.name().to_owned(),
        },
    })
}

fn open_item(kit: &Kit, reader: &Signed, item: &Item, happened: &[Happened], now: Time) -> OpenItem {
    let severity = queue::severity(&item.escalation);
    let id = Id(item.escalation.id).to_string();
    let since = item.escalation.claimed_at.map(|t| words::when_exactly(kit.hours.zone(), now, Time(t))).unwrap_or_default();
    let held = match (queue::owner(item), item.owner.as_deref()) {
        (Some(owner), _) if owner == reader.staff => format!("Yours since {since}"),
        (Some(_), Some(name)) => format!("{}’s since {since}", words::first_name(name)),
        (Some(_), None) | (None, _) => "Nobody yet".to_owned(),
    };
    OpenItem {
        version: pane::seen(happened),
        sev: Sev(severity),
        tick: queue::tick(kit, &item.escalation, severity, now),
        reason: item.escalation.reason.as_str().into(),
        held: held.into(),
        can_claim: item.escalation.state == EscalationState::Open.as_str(),
        href: queue_href(QueueView::Team, &Filters::default(), Some(&id)),
        id,
    }
}

/// What happens next by itself, and the visits of the next weeks, soonest first.
async fn next(tx: &mut Tx, kit: &Kit, id: Id, enrolled: &[Enrolled], (silent, now): (bool, Time)) -> Result<Vec<Fact>, Trouble> {
    let zone = kit.hours.zone();
    let mut all: Vec<(i64, Shown)> = Vec::new();
    let planned = if silent { Vec::new() } else { pages::patient::next(tx, id).await? };
    for (due, kind, detail, subject) in planned {
        let title = enrolled.iter().find(|e| e.id == subject).map_or("", |e| e.title.as_str());
        let what = match (kind.as_str(), detail.contains('/')) {
            ("hold", _) => "A held message is looked at again".to_owned(),
            (_, true) => "Reminder of a visit".to_owned(),
            (_, false) => title.to_owned(),
        };
        all.push((due.max(now.0), what.into()));
    }
    for visit in appointments::of_patients(tx, &[id.0], now).await?.into_iter().take(5) {
        let state = match visit.state.as_str() {
            "booked" => "not answered yet",
            "confirmed" => "is coming",
            "reschedule" => "wants another time",
            "cant_come" => "can’t come",
            "cancelled" => "cancelled",
            other => other,
        };
        all.push((visit.starts_at, format!("Visit: {state}").into()));
    }
    all.sort_by_key(|(at, _)| *at);
    Ok(all.into_iter().map(|(at, value)| Fact { label: words::when_exactly(zone, now, Time(at)), value }).collect())
}

fn enrolment(zone: &Zone, e: &Enrolled, now: Time) -> Fact {
    let at = |t: i64| words::when(zone, now, Time(t));
    let state = match (e.state.as_str(), e.ended_at) {
        ("active", _) => format!("Since {}", at(e.started_at)),
        ("ended", Some(end)) => format!("{} to {}", at(e.started_at), at(end)),
        (state, _) => format!("{}, since {}", if state == "paused" { "Paused" } else { state }, at(e.started_at)),
    };
    Fact { label: e.title.clone(), value: state.into() }
}

/// A chart for each kind of reading that is a number, of the last 14 days.
fn charts(kit: &Kit, enrolled: &[Enrolled], history: &[Reading], now: Time) -> Vec<ChartCard> {
    let mut kinds: Vec<&str> = Vec::new();
    for reading in history.iter().filter(|r| r.value.is_some() && !r.unit.is_empty()) {
        if !kinds.contains(&reading.kind.as_str()) {
            kinds.push(&reading.kind);
        }
    }
    kinds.iter().enumerate().filter_map(|(n, kind)| chart(kit, enrolled, history, (n, kind), now)).collect()
}

fn chart(kit: &Kit, enrolled: &[Enrolled], history: &[Reading], (n, kind): (usize, &str), now: Time) -> Option<ChartCard> {
    let zone = kit.hours.zone();
    let today = zone.local(now).date();
    let corrected: HashSet<i64> = history.iter().filter_map(|r| r.corrects).collect();
    let unit = history.iter().rfind(|r| r.kind == kind && r.value.is_some())?.unit.clone();
    let of_kind: Vec<(Time, f64)> = history
        .iter()
        .filter(|r| r.kind == kind && r.unit == unit && !corrected.contains(&r.id))
        .filter_map(|r| Some((Time(r.at), r.value?)))
        .collect();
    let rules = rules(kit, enrolled, kind);
    let weight = if unit == WeightUnit::Kg.as_str() { WeightUnit::Kg } else { WeightUnit::Lb };
    let found = |upto: usize| {
        let (at, value) = of_kind[upto];
        let before: Vec<Point> = of_kind[..upto].iter().map(|(at, value)| Point { value: *value, at: *at }).collect();
        judge(&rules, value, weight, &before, at).filter(|f| f.severity > Severity::None)
    };
    let points: Vec<ChartPoint> = (0..CHART)
        .rev()
        .filter_map(|ago| today.checked_sub(ago.days()).ok())
        .map(|date| {
            // The last of a day counts.
            let last = of_kind.iter().rposition(|(at, _)| zone.local(*at).date() == date);
            let label = if date == today { "today".to_owned() } else { words::date_words(today, date) };
            ChartPoint { label, value: last.map(|i| of_kind[i].1), hot: last.is_some_and(|i| found(i).is_some()) }
        })
        .collect();
    if points.iter().all(|p| p.value.is_none()) {
        return None;
    }
    let latest = of_kind.len().checked_sub(1).and_then(found);
    let tag = latest.map(|f| Tag { icon: Icon::Scale, word: f.sentence.into(), tone: pane::tone(f.severity) });
    let what = kind.chars().next().map(|c| c.to_uppercase().chain(kind.chars().skip(1)).collect()).unwrap_or_default();
    Some(ChartCard {
        chart: Chart { id: format!("chart{n}"), what, unit, decimals: 1, points, level: None, sentence: None },
        tag,
    })
}

/// The rules by which the running protocols judge a kind of reading.
fn rules(kit: &Kit, enrolled: &[Enrolled], kind: &str) -> Vec<crate::protocol::Rule> {
    let running = enrolled.iter().filter(|e| e.state == "active").filter_map(|e| kit.protocols.version(&e.protocol_hash));
    running
        .flat_map(|p| p.steps.clone())
        .filter(|s| s.asks.as_ref().is_some_and(|a| a.reading.as_deref() == Some(kind)))
        .flat_map(|s| s.rules)
        .collect()
}

/// A goal with what was answered about it, week by week. The choices are met, in part, not met, in this order.
fn goal(kit: &Kit, lang: Lang, (text, gloss, at): &(String, String, i64), history: &[Reading], now: Time) -> GoalCard {
    let zone = kit.hours.zone();
    let today = zone.local(now).date();
    let answers: Vec<&Reading> = history.iter().filter(|r| r.kind == "goal" && r.at >= *at && r.value.is_some()).collect();
    let weeks = (0..WEEKS)
        .rev()
        .filter_map(|ago| {
            let to = today.checked_sub((ago * 7).days()).ok()?;
            let from = to.checked_sub(6.days()).ok()?;
            let within = |r: &&&Reading| (from..=to).contains(&zone.local(Time(r.at)).date());
            let answer = answers.iter().rfind(within).and_then(|r| r.value);
            let met = match answer {
                None => GoalAnswer::NoReply,
                Some(v) if v < 1.5 => GoalAnswer::Met,
                Some(v) if v < 2.5 => GoalAnswer::Partly,
                Some(_) => GoalAnswer::NotMet,
            };
            (zone.local(Time(*at)).date() <= to).then(|| (format!("week to {}", words::date_words(today, to)), met))
        })
        .collect::<Vec<_>>();
    GoalCard {
        goal: Words::new(lang, text),
        english: Some(gloss.as_str()).filter(|g| !g.is_empty()).map(Shown::from),
        said: format!("Chosen on {}.", words::date_words(today, zone.local(Time(*at)).date())).into(),
        weeks: (!answers.is_empty()).then(|| GoalWeeks { id: format!("goal{at}"), weeks }),
    }
}

/// What a text of the patient was read as, if anything is worth saying.
pub(super) fn read_as(written: &Written) -> Option<Shown> {
    Some(written.read_as.as_str()).filter(|r| !r.is_empty()).map(Shown::from)
}
