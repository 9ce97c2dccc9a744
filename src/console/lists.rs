//! The pages that hold lists of people: panel and visits; and theme, sign-out, about.

use std::collections::HashMap;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::header;
use jiff::ToSpan;

use super::session::{Posted, Signed, theme_cookie};
use super::view::{
    DraftCount, Fact, Icon, Lead, More, Panel, PanelRow, Place, Sev, Shown, Spark, Tab, Tag, Theme, Tone, VisitAnswer, VisitDay,
    VisitRow, Visits, encoded,
};
use super::{Answer, Desk, Served, go, html, queue, words};
use crate::clock::Time;
use crate::kit::Kit;
use crate::model::{Category, Id, Lang};
use crate::store::escalations::{self, Escalation};
use crate::store::facts::{self, Facts};
use crate::store::pages::lists::{self as read, Patient, Search, Visit};
use crate::store::readings::{self, Reading};
use crate::zone::Zone;

/// Patients on a page of the panel.
const PAGE: i64 = 200;
const DAY: Duration = Duration::from_hours(24);
/// Days of visits, and days of a small line.
const VISIT_DAYS: i64 = 7;
const SPARK_DAYS: i64 = 14;

/// `GET /panel?q=&view=&after=`.
pub(super) async fn panel(State(served): Desk, reader: Signed, Query(asked): Query<HashMap<String, String>>) -> Answer {
    let field = |name: &str| asked.get(name).map_or("", String::as_str);
    let words_asked: String = field("q").trim().chars().take(100).collect();
    let mine = field("view") == "mine";
    let after: Option<Id> = field("after").parse().ok();
    let everybody = Search { words: String::new(), coordinator: None };
    let search = Search { words: words_asked.clone(), coordinator: mine.then_some(reader.staff) };
    let (kit, now) = (&served.kit, served.kit.now());

    let mut tx = served.db.read().await?;
    let (all, _) = read::count(&mut tx, reader.site, &everybody).await?;
    let own = read::count(&mut tx, reader.site, &Search { coordinator: Some(reader.staff), ..everybody.clone() }).await?;
    let (total, need) = read::count(&mut tx, reader.site, &search).await?;
    let mut patients = match after {
        None => read::pressing(&mut tx, reader.site, &search, PAGE).await?,
        Some(_) => Vec::new(),
    };
    let room = PAGE - i64::try_from(patients.len()).unwrap_or(PAGE);
    let mut more = None;
    let mut others = read::others(&mut tx, reader.site, &search, after.unwrap_or(Id(0)), room.max(1) + 1).await?;
    if i64::try_from(others.len()).unwrap_or(0) > room.max(1) {
        others.pop();
        let (view, last) = (if mine { "mine" } else { "all" }, others.last().map_or(Id(0), |p| Id(p.id)));
        more = Some(format!("/panel?view={view}&q={}&after={last}", encoded(&words_asked)));
    }
    patients.append(&mut others);
    let ids: Vec<i64> = patients.iter().map(|p| p.id).collect();
    let known = Known {
        items: escalations::unresolved(&mut tx, &ids).await?,
        facts: facts::load(&mut tx, &ids, &[]).await?,
        readings: readings::since(&mut tx, &ids, now.minus(DAY * 14)).await?,
        next: read::next_steps(&mut tx, &ids).await?,
    };
    let frame = served.frame(&mut tx, &reader, Place::Panel, None).await?;
    drop(tx);

    let tab = |view: &str, word: &str, count: i64, current| Tab {
        href: format!("/panel?view={view}&q={}", encoded(&words_asked)),
        word: word.to_owned(),
        count: usize::try_from(count).ok(),
        current,
    };
    html(&Panel {
        frame,
        total: usize::try_from(total).unwrap_or(0),
        need: usize::try_from(need).unwrap_or(0),
        tabs: vec![tab("all", "Everybody", all, !mine), tab("mine", "Mine", own.0, mine)],
        search: words_asked.clone(),
        rows: patients.iter().map(|p| known.row(kit, p, now)).collect(),
        more,
    })
}

/// What is known about the patients of a page of the panel.
struct Known {
    items: Vec<Escalation>,
    facts: Facts,
    readings: Vec<Reading>,
    next: Vec<(i64, i64, String)>,
}

impl Known {
    fn row(&self, kit: &Kit, p: &Patient, now: Time) -> PanelRow {
        let zone = kit.hours.zone();
        let (lead, why, why_rest) = self.lead(kit, p, now);
        let heard = self.facts.last_written.iter().find(|w| w.0 == p.id);
        // What will be decided against is not announced.
        let silent = p.deceased_at.is_some() || !self.agreed(p.id);
        let next = self.next.iter().find(|n| n.0 == p.id).filter(|_| !silent);
        PanelRow {
            lead,
            href: words::patient_href(p.id),
            name: p.name.as_str().into(),
            lang: p.lang.parse().unwrap_or(Lang::En),
            age: words::age(&p.birth_date, zone.local(now).date()),
            why,
            why_rest,
            spark: self.spark(zone, p.id, now),
            heard: heard.map_or("never".to_owned(), |w| words::when(zone, now, Time(w.1))),
            coordinator: p.coordinator.as_deref().map_or("nobody", words::first_name).into(),
            next: next
                .map_or("Nothing by itself".into(), |n| format!("{}: {}", words::when_exactly(zone, now, Time(n.1)), n.2).into()),
        }
    }

    /// Whether consent was given and not withdrawn.
    fn agreed(&self, patient: i64) -> bool {
        let mut ledger = self.facts.consents.iter().filter(|c| c.patient_id == patient);
        let last = ledger.clone().rfind(|c| c.contact_id.is_none());
        last.map_or_else(|| ledger.any(|c| c.action == "given"), |c| c.action == "given")
    }

    /// Why this patient stands here, in the order in which it matters.
    fn lead(&self, kit: &Kit, p: &Patient, now: Time) -> (Lead, Shown, Shown) {
        let mut open: Vec<&Escalation> = self.items.iter().filter(|e| e.patient_id == Some(p.id)).collect();
        open.sort_by_key(|e| (std::cmp::Reverse(queue::severity(e)), e.due_at));
        let reason = |icon, word: &str, tone, why: &str, rest: &str| {
            (Lead::Reason(Tag { icon, word: word.into(), tone }), Shown::from(why), Shown::from(rest))
        };
        if let [first, rest @ ..] = open.as_slice() {
            let more = if rest.is_empty() { String::new() } else { format!("and {} more", rest.len()) };
            let severity = queue::severity(first);
            return (
                Lead::Item(Sev(severity), queue::tick(kit, first, severity, now)),
                words::sentence(&first.reason).into(),
                more.into(),
            );
        }
        if p.deceased_at.is_some() {
            return reason(Icon::Skip, "Deceased", Tone::Plain, "Has died.", "Nothing goes out.");
        }
        let consent = self.facts.consents.iter().rfind(|c| c.patient_id == p.id && c.contact_id.is_none());
        if consent.is_some_and(|c| c.action == "withdrawn") {
            return reason(Icon::Skip, "Stopped", Tone::Plain, "Asked for no more messages.", "Call instead.");
        }
        if !self.facts.contacts.iter().any(|c| c.patient_id == p.id && c.state == "active") {
            return reason(Icon::Call, "Unreached", Tone::Warn, "There is no contact that can be used.", "Find another number.");
        }
        if !self.facts.consents.iter().any(|c| c.patient_id == p.id && c.action == "given") {
            return reason(Icon::Pen, "No consent", Tone::Plain, "No consent is on record.", "Nothing goes out by itself.");
        }
        reason(Icon::Check, "Steady", Tone::Ok, "Nothing is open.", "")
    }

    /// The weights of 14 days.
    fn spark(&self, zone: &Zone, patient: i64, now: Time) -> Option<Spark> {
        let of: Vec<&Reading> =
            self.readings.iter().filter(|r| r.patient_id == patient && r.value.is_some() && !r.unit.is_empty()).collect();
        let last = of.last()?;
        let (value, today) = (last.value?, zone.local(now).date());
        let days = (0..SPARK_DAYS).rev().filter_map(|ago| today.checked_sub(ago.days()).ok());
        let on = |date| of.iter().rfind(|r| r.kind == last.kind && r.unit == last.unit && zone.local(Time(r.at)).date() == date);
        let values: Vec<Option<f64>> = days.map(|date| on(date).and_then(|r| r.value)).collect();
        let count = values.iter().flatten().count();
        let sentence = format!(
            "{} of the last {SPARK_DAYS} days, last {value:.1} {}.",
            words::counted(i64::try_from(count).unwrap_or(0), "reading"),
            last.unit
        );
        // A reading that matters has opened an item, which stands in the row.
        Some(Spark { values, hot: false, sentence, last: format!("{value:.1} {}", last.unit) })
    }
}

/// `GET /visits`: today and the six days after.
pub(super) async fn visits(State(served): Desk, reader: Signed) -> Answer {
    let (kit, now) = (&served.kit, served.kit.now());
    let zone = kit.hours.zone();
    let today = zone.local(now).date();
    let midnight = |date| zone.instant(date, jiff::civil::Time::midnight());
    let from = midnight(today).unwrap_or(now);
    let to = today.checked_add(VISIT_DAYS.days()).ok().and_then(midnight).unwrap_or_else(|| now.plus(DAY * 7));
    let mut tx = served.db.read().await?;
    let rows = read::visits(&mut tx, reader.site, from, to).await?;
    let patients: Vec<i64> = rows.iter().map(|v| v.patient_id).collect();
    let ids: Vec<i64> = rows.iter().map(|v| v.id).collect();
    let reminders = read::reminders(&mut tx, &patients).await?;
    let reminded = crate::store::appointments::reminded(&mut tx, &ids).await?;
    let open = escalations::unresolved(&mut tx, &patients).await?;
    let frame = served.frame(&mut tx, &reader, Place::Visits, None).await?;
    drop(tx);

    let needs = |v: &Visit| {
        let asked = matches!(v.state.as_str(), "reschedule" | "cant_come");
        let waiting = open.iter().any(|e| e.patient_id == Some(v.patient_id) && e.category == Category::Appointment.as_str());
        asked && waiting
    };
    let mut days: Vec<VisitDay> = Vec::new();
    let mut last = None;
    for visit in &rows {
        let date = zone.local(Time(visit.starts_at)).date();
        if last != Some(date) {
            let to_call = rows.iter().filter(|v| zone.local(Time(v.starts_at)).date() == date && needs(v)).count();
            days.push(VisitDay {
                id: format!("d{}", date.strftime("%Y%m%d")),
                label: words::day_heading(today, date),
                summary: if to_call == 0 { "Nothing to do".into() } else { format!("{to_call} to call").into() },
                rows: Vec::new(),
            });
            last = Some(date);
        }
        let Some(day) = days.last_mut() else { continue };
        let id = Id(visit.id).to_string();
        let next = reminders.iter().find(|r| r.0.ends_with(&id) && r.2 >= now.0);
        day.rows.push(VisitRow {
            at: words::clock(zone, Time(visit.starts_at)),
            href: words::patient_href(visit.patient_id),
            name: visit.name.as_str().into(),
            about: visit.lang.parse::<Lang>().map_or("", Lang::name).into(),
            answer: answer(zone, visit, reminded.contains(&visit.id), now),
            needs: if needs(visit) { vec![Tag { icon: Icon::Call, word: "Call".into(), tone: Tone::Warn }] } else { Vec::new() },
            reminder: match (next, visit.state.as_str()) {
                (Some(next), "booked" | "confirmed") => {
                    format!("Reminds {}", words::when_exactly(zone, now, Time(next.2))).into()
                }
                (Some(_) | None, _) => "No more reminders".into(),
            },
        });
    }
    let place = zone.name().rsplit('/').next().unwrap_or_default().replace('_', " ");
    html(&Visits {
        frame,
        need: rows.iter().filter(|v| needs(v)).count(),
        total: rows.len(),
        zone_note: format!("Times are {place}’s."),
        note: None,
        days,
    })
}

fn answer(zone: &Zone, visit: &Visit, reminded: bool, now: Time) -> VisitAnswer {
    let on = words::when(zone, now, Time(visit.updated_at));
    let (icon, tone, lead, rest) = match visit.state.as_str() {
        "confirmed" => (Icon::Checks, Tone::Ok, "Coming.", format!("Texted on {on}")),
        "reschedule" => (Icon::Calendar, Tone::Warn, "Wants another time.", format!("Texted on {on}")),
        "cant_come" => (Icon::Calendar, Tone::Warn, "Can’t come.", visit.why.clone()),
        "cancelled" => (Icon::Skip, Tone::Plain, "Cancelled.", visit.why.clone()),
        "kept" => (Icon::Check, Tone::Ok, "Came.", String::new()),
        "missed" => (Icon::Skip, Tone::Bad, "Did not come.", String::new()),
        _ if reminded => (Icon::Clock, Tone::Plain, "No answer yet.", String::new()),
        _ => (Icon::Clock, Tone::Plain, "Not asked yet.", String::new()),
    };
    // A time of today reads without "on".
    let rest = rest.replace(&format!("on {on}"), &if on.contains(':') { format!("at {on}") } else { format!("on {on}") });
    VisitAnswer { icon, tone, lead: lead.into(), rest: rest.into(), words: None }
}

/// `GET /more`.
pub(super) async fn more(State(served): Desk, reader: Signed) -> Answer {
    let mut tx = served.db.read().await?;
    let frame = served.frame(&mut tx, &reader, Place::More, None).await?;
    drop(tx);
    html(&More { frame, version: env!("CARGO_PKG_VERSION").to_owned(), drafts: drafts(&served), facts: about(&served) })
}

/// `POST /theme` with `theme`.
pub(super) async fn theme(State(served): Desk, posted: Posted) -> Answer {
    let mut response = go("/more");
    let cookie = theme_cookie(Theme::parse(posted.field("theme")), served.secure_cookies);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

fn drafts(served: &Served) -> Vec<DraftCount> {
    let kit = &served.kit;
    let keys = kit.catalogue.keys();
    let mut rows: Vec<DraftCount> = Lang::ALL
        .into_iter()
        .map(|lang| {
            let of = keys.iter().filter(|key| kit.catalogue.has(lang, key)).count();
            DraftCount {
                what: format!("{} wordings", lang.name()),
                drafts: if kit.catalogue.is_draft(lang) { of } else { 0 },
                of,
            }
        })
        .collect();
    let protocols: Vec<_> = kit.protocols.names().iter().filter_map(|name| kit.protocols.current(name)).collect();
    rows.push(DraftCount {
        what: "Protocols".to_owned(),
        drafts: protocols.iter().filter(|p| p.draft).count(),
        of: protocols.len(),
    });
    rows.retain(|row| row.drafts > 0);
    rows
}

fn about(served: &Served) -> Vec<Fact> {
    let kit = &served.kit;
    let database = if served.db.backend() == "postgres" { "PostgreSQL" } else { "SQLite, one file on this machine" };
    let channels: Vec<&str> = served.ways.all().map(crate::gateway::Gateway::name).collect();
    let packs = kit.triage.packs().count();
    let fact = |label: &str, value: String| Fact { label: label.to_owned(), value: value.into() };
    vec![
        fact("Database", database.to_owned()),
        fact("Gateways", if channels.is_empty() { "none".to_owned() } else { channels.join(", ") }),
        fact("Time zone", kit.hours.zone().name().to_owned()),
        fact("Staffed now", if kit.hours.staffed(kit.now()) { "yes".to_owned() } else { "no".to_owned() }),
        fact(
            "Rules",
            format!(
                "{} for replies, version {}",
                words::counted(i64::try_from(packs).unwrap_or(0), "pack"),
                kit.triage.version()
            ),
        ),
        fact("Wordings", format!("version {}", kit.catalogue.version())),
    ]
}
