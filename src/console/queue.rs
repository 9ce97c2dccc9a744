//! The queue: rows by severity and deadline, the views, and what was just done.
//!
//! **Invariant.** Whose turn it is follows the ladder: the coordinator, the backup from the first rung on, everyone from
//! the second; an item that nobody looks after is everyone's from the start, so that none is nobody's.

use std::collections::HashMap;

use axum::extract::{Query, State};

use super::session::Signed;
use super::view::{Counts, Duty, Filters, Holder, Place, Queue, QueuePart, QueueRow, QueueView, Sev, Shown, Tick, queue_href};
use super::{Answer, Desk, Served, html, pane, words};
use crate::clock::Time;
use crate::kit::Kit;
use crate::model::{EscalationState, Id, Lang, Severity};
use crate::store::Tx;
use crate::store::escalations::Escalation;
use crate::store::pages::{self, Item};

/// Items younger than this (machine time) are looked through for those that were resolved today.
const RESOLVED_WITHIN: std::time::Duration = std::time::Duration::from_hours(60 * 24);
/// Letters of a patient's words in a row.
const EXCERPT: usize = 160;

/// `GET /queue?view=&item=&q=&severity=&lang=`, with `part=rows` its changing regions.
pub(super) async fn page(State(served): Desk, reader: Signed, Query(asked): Query<HashMap<String, String>>) -> Answer {
    let field = |name: &str| asked.get(name).map_or("", String::as_str);
    let view = QueueView::parse(field("view"));
    let filters = Filters {
        search: field("q").trim().chars().take(100).collect(),
        severity: field("severity").parse().ok(),
        lang: field("lang").parse().ok(),
    };
    let item: Option<Id> = field("item").parse().ok();
    let part = field("part") == "rows";
    let now = served.kit.now();

    let mut tx = served.db.read().await?;
    let (items, counts) = in_view(&served, &mut tx, &reader, view, now).await?;
    let back = queue_href(view, &filters, item.map(|i| i.to_string()).as_deref());
    let shown = match item {
        Some(id) => pages::item(&mut tx, reader.site, id).await?,
        None => None,
    };
    let pane = match &shown {
        Some(item) => Some(pane::load(&served, &mut tx, &reader, item, &back, field("conflict") == "1").await?),
        None => None,
    };
    let toast = toast(field("done"));
    let frame = served.frame(&mut tx, &reader, Place::Queue, toast).await?;
    drop(tx);
    if let Some(item) = &shown {
        pane::note_reading(&served, &reader, item, part).await?;
    }

    let kept: Vec<&Item> = items.iter().filter(|i| fits(i, &filters)).collect();
    let mut rows = rows(&served.kit, reader.staff, &kept, now);
    for row in &mut rows {
        row.current = item.is_some_and(|i| i.to_string() == row.id);
        row.href = queue_href(view, &filters, Some(&row.id));
    }
    if part {
        return html(&QueuePart { frame, view, counts, filters, rows, pane });
    }
    html(&Queue { frame, view, counts, filters, rows, pane })
}

/// Rows for items, in the order given. `reader` sees their own as theirs; [`QueueRow::href`] leads to the item.
#[must_use]
pub fn rows(kit: &Kit, reader: Id, items: &[&Item], now: Time) -> Vec<QueueRow> {
    items.iter().map(|item| row(kit, reader, item, now)).collect()
}

/// An address of this site to come back to; nothing else is followed.
pub(super) fn local(address: &str) -> Option<&str> {
    let plain = address.bytes().all(|b| b.is_ascii_graphic() && b != b'\\') && address.len() <= 2000;
    (plain && address.starts_with('/') && !address.starts_with("//")).then_some(address)
}

/// `address` with one more thing to say, before its fragment.
pub(super) fn with_word(address: &str, word: &str) -> String {
    let (before, fragment) = address.split_once('#').map_or((address, None), |(b, f)| (b, Some(f)));
    // What was said before is said.
    let (path, query) = before.split_once('?').unwrap_or((before, ""));
    let said = |pair: &&str| !["done=", "conflict=", "sent=", "until="].iter().any(|name| pair.starts_with(name));
    let mut pairs: Vec<&str> = query.split('&').filter(|p| !p.is_empty()).filter(said).collect();
    pairs.push(word);
    let fragment = fragment.map_or(String::new(), |f| format!("#{f}"));
    format!("{path}?{}{fragment}", pairs.join("&"))
}

/// What was just done, from the address: only words of our own are ever said.
pub(super) fn toast(done: &str) -> Option<Shown> {
    match done {
        "claimed" => Some("Claimed. It is yours now.".into()),
        "taken" => Some("Taken over. It is yours now.".into()),
        "resolved" => Some("Resolved.".into()),
        _ => None,
    }
}

/// How an item's time stands.
pub(super) fn tick(kit: &Kit, e: &Escalation, severity: Severity, now: Time) -> Tick {
    let claimed = e.state != EscalationState::Open.as_str();
    Tick {
        now: if e.state == EscalationState::Resolved.as_str() { Time(e.resolved_at.unwrap_or(now.0)) } else { now },
        opened: Time(e.opened_at),
        due: Time(e.due_at),
        duty: if claimed { Duty::Resolve } else { Duty::Claim },
        by: words::by(kit.hours.zone(), now, Time(e.due_at)),
        alarm: !claimed && severity == Severity::Emergency,
        large: false,
    }
}

/// Whose item it is, as a list shows it.
pub(super) fn name(item: &Item) -> Shown {
    item.name.clone().unwrap_or_else(|| words::unknown_number(item.address.as_deref())).into()
}

/// A stored severity; one that this version does not know is taken for the worst.
pub(super) fn severity(e: &Escalation) -> Severity {
    e.severity.parse().unwrap_or(Severity::Emergency)
}

/// The language of an item's patient.
pub(super) fn lang(item: &Item) -> Option<Lang> {
    item.lang.as_deref().and_then(|l| l.parse().ok())
}

/// Who has an item. What is open to be claimed is nobody's, whoever had it before.
pub(super) fn owner(item: &Item) -> Option<Id> {
    item.escalation.owner_id.filter(|_| item.escalation.state != EscalationState::Open.as_str()).map(Id)
}

async fn in_view(
    served: &Served,
    tx: &mut Tx,
    reader: &Signed,
    view: QueueView,
    now: Time,
) -> Result<(Vec<Item>, Counts), crate::store::StoreError> {
    let open = pages::unresolved(tx, reader.site).await?;
    let zone = served.kit.hours.zone();
    let today = zone.instant(zone.local(now).date(), jiff::civil::Time::midnight()).unwrap_or(now);
    let first = pages::first_id(served.kit.clock.machine().minus(RESOLVED_WITHIN));
    let done = pages::resolved(tx, reader.site, today, first).await?;
    let unassigned = |i: &Item| i.escalation.state == EscalationState::Open.as_str();
    let counts = Counts {
        mine: open.iter().filter(|i| is_mine(i, reader.staff)).count(),
        team: open.len(),
        unassigned: open.iter().filter(|i| unassigned(i)).count(),
        all: open.len() + done.len(),
    };
    let items = match view {
        QueueView::Mine => open.into_iter().filter(|i| is_mine(i, reader.staff)).collect(),
        QueueView::Team => open,
        QueueView::Unassigned => open.into_iter().filter(unassigned).collect(),
        QueueView::All => open.into_iter().chain(done).collect(),
    };
    Ok((items, counts))
}

/// Whether it is this person's turn.
fn is_mine(item: &Item, me: Id) -> bool {
    if item.escalation.state == EscalationState::Resolved.as_str() {
        return false;
    }
    if let Some(owner) = owner(item) {
        return owner == me;
    }
    let mine = item.coordinator_id == Some(me.0);
    let stands_in = item.backup_id == Some(me.0) && item.escalation.rung >= 1;
    mine || stands_in || item.escalation.rung >= 2 || item.coordinator_id.is_none()
}

fn fits(item: &Item, filters: &Filters) -> bool {
    let wanted = filters.search.to_lowercase();
    let found = |text: &str| text.to_lowercase().contains(&wanted);
    let said = || found(name(item).as_str()) || found(&item.escalation.reason) || item.body.as_deref().is_some_and(found);
    filters.severity.is_none_or(|s| severity(&item.escalation) == s)
        && filters.lang.is_none_or(|l| lang(item) == Some(l))
        && (wanted.is_empty() || said())
}

fn row(kit: &Kit, reader: Id, item: &Item, now: Time) -> QueueRow {
    let (severity, id) = (severity(&item.escalation), Id(item.escalation.id).to_string());
    let excerpt = item.body.as_deref().map(str::trim).filter(|b| !b.is_empty());
    QueueRow {
        href: queue_href(QueueView::Team, &Filters::default(), Some(&id)),
        id,
        current: false,
        sev: Sev(severity),
        tick: tick(kit, &item.escalation, severity, now),
        holder: match (owner(item), &item.owner) {
            (Some(owner), _) if owner == reader => Holder::You,
            (Some(_), Some(name)) => Holder::Other(words::first_name(name).into()),
            (Some(_), None) | (None, _) => Holder::Nobody,
        },
        since: words::when(kit.hours.zone(), now, Time(item.escalation.opened_at)),
        name: name(item),
        lang: lang(item),
        reason: if item.escalation.state == EscalationState::Resolved.as_str() {
            format!("Resolved: {}", item.escalation.reason).into()
        } else {
            item.escalation.reason.as_str().into()
        },
        excerpt: excerpt.map(|body| {
            let cut: String = body.chars().take(EXCERPT).collect();
            words::patients_words(lang(item), &if cut.len() < body.len() { cut + "…" } else { cut })
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(coordinator: Option<i64>, backup: Option<i64>, owner: Option<i64>, rung: i64) -> Item {
        Item {
            escalation: Escalation {
                id: 1,
                site_id: 1,
                patient_id: Some(1),
                inbox_id: None,
                severity: "urgent".into(),
                category: "symptom".into(),
                reason: "Swollen feet".into(),
                state: if owner.is_some() { "claimed".into() } else { "open".into() },
                opened_at: 0,
                due_at: 0,
                rung,
                owner_id: owner,
                claimed_at: None,
                resolved_at: None,
                outcome: String::new(),
                version: 0,
            },
            name: Some("Inés Peña".into()),
            lang: Some("es".into()),
            coordinator_id: coordinator,
            backup_id: backup,
            owner: None,
            body: Some("Tengo los pies hinchados".into()),
            address: None,
            received_at: None,
        }
    }

    #[test]
    fn an_item_is_the_coordinators_then_the_backups_then_everyones_and_never_nobodys() {
        let me = Id(7);
        assert!(is_mine(&item(Some(7), None, None, 0), me));
        assert!(!is_mine(&item(Some(8), Some(7), None, 0), me), "the backup waits for the first rung");
        assert!(is_mine(&item(Some(8), Some(7), None, 1), me));
        assert!(!is_mine(&item(Some(8), Some(9), None, 1), me));
        assert!(is_mine(&item(Some(8), Some(9), None, 2), me));
        assert!(is_mine(&item(None, None, None, 0), me), "nobody looks after it");
        assert!(!is_mine(&item(Some(7), None, Some(8), 2), me), "somebody has it");
        assert!(is_mine(&item(Some(8), None, Some(7), 0), me));
    }

    #[test]
    fn what_must_be_claimed_anew_is_nobodys_whoever_had_it() {
        let mut again = item(Some(7), None, Some(8), 0);
        again.escalation.state = "open".into();
        assert_eq!(owner(&again), None);
        assert!(is_mine(&again, Id(7)) && !is_mine(&again, Id(8)), "it is the coordinator’s turn again");
    }

    #[test]
    fn a_search_looks_at_names_words_and_reasons() {
        let with = |search: &str| Filters { search: search.into(), ..Filters::default() };
        let one = item(None, None, None, 0);
        for found in ["peña", "HINCHADOS", "swollen", ""] {
            assert!(fits(&one, &with(found)), "{found}");
        }
        assert!(!fits(&one, &with("rosa")));
        assert!(!fits(&one, &Filters { lang: Some(Lang::Ru), ..Filters::default() }));
        assert!(!fits(&one, &Filters { severity: Some(Severity::Emergency), ..Filters::default() }));
    }

    #[test]
    fn only_addresses_of_this_site_are_come_back_to() {
        assert_eq!(local("/queue?view=team#pane"), Some("/queue?view=team#pane"));
        for bad in ["https://evil.example/", "//evil.example", "/\\evil.example", "queue", "", "/a\r\nSet-Cookie: x=y", "/ a"] {
            assert_eq!(local(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_was_done_is_said_once() {
        assert_eq!(with_word("/queue?view=team&item=a#pane", "done=claimed"), "/queue?view=team&item=a&done=claimed#pane");
        assert_eq!(with_word("/queue?done=claimed", "done=resolved"), "/queue?done=resolved");
        assert_eq!(with_word("/patient/a", "done=claimed"), "/patient/a?done=claimed");
        assert_eq!(toast("<script>"), None);
    }
}
