//! Claiming and resolving.
//!
//! **Invariants.** One writer decides a race: who comes second is told who has it. Nothing is resolved without an
//! outcome that somebody chose, and not before the latest words were seen: the form carries the id of the last of
//! the patient's doings that its reader saw.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use futures_util::FutureExt;

use super::error::Trouble;
use super::pane::{self, About};
use super::session::{Posted, Signed};
use super::view::{ItemResolve, Place, ResolveForm, Sev, Shown, queue_href};
use super::{Answer, Desk, Served, go, html, html_with, queue, words};
use crate::clock::Time;
use crate::model::{EscalationState, Id, Outcome};
use crate::store::audit::{self, Entry};
use crate::store::escalations::{self, NewEvent};
use crate::store::pages::{self, Item};
use crate::store::{Lane, readings};

/// Letters of a note: more than any handover needs.
const NOTE: usize = 4000;

/// `POST /item/ID/claim` with `back`.
pub(super) async fn claim(State(served): Desk, Path(id): Path<String>, posted: Posted) -> Answer {
    let id = item_id(&id)?;
    let back = queue::local(posted.field("back")).map_or_else(|| default_back(id), str::to_owned);
    let (kit, reader) = (Arc::clone(&served.kit), posted.reader.clone());
    let won = served
        .db
        .write(Lane::Work, move |tx| {
            async move {
                let now = kit.now();
                let Some(item) = pages::item(tx, reader.site, id).await? else {
                    return Err(crate::store::StoreError::Missing("item"));
                };
                if !escalations::claim(tx, id, reader.staff, now).await? {
                    // Claiming one's own again is no conflict.
                    return Ok(item.state == EscalationState::Claimed.as_str() && item.owner_id == Some(reader.staff.0));
                }
                let patient = item.patient_id.map(Id);
                escalations::add_event(tx, &event(&kit, &item, "claimed", reader.staff, String::new())).await?;
                let entry = Entry { staff: Some(reader.staff), patient, action: "claim", subject: id.to_string() };
                audit::add(tx, kit.ids.node(), &entry, now).await?;
                Ok(true)
            }
            .boxed()
        })
        .await?;
    served.tell();
    Ok(go(&queue::with_word(&back, if won { "done=claimed" } else { "conflict=1" })))
}

/// `GET /item/ID/resolve`.
pub(super) async fn resolve_page(State(served): Desk, reader: Signed, Path(id): Path<String>) -> Answer {
    let id = item_id(&id)?;
    let (page, item) = form_page(&served, &reader, id, default_back(id)).await?;
    pane::note_reading(&served, &reader, &item, false).await?;
    html(&page)
}

/// How an attempt to resolve ended.
enum Resolved {
    Done,
    /// Somebody else had done it.
    Before,
    /// The patient wrote meanwhile.
    News,
}

/// `POST /item/ID/resolve` with `outcome`, `note`, `version`, `back`.
pub(super) async fn resolve(State(served): Desk, Path(id): Path<String>, posted: Posted) -> Answer {
    let id = item_id(&id)?;
    let reader = posted.reader.clone();
    let note = posted.field("note").trim().to_owned();
    let back = queue::local(posted.field("back")).map_or_else(|| default_back(id), str::to_owned);
    let outcome: Option<Outcome> = posted.field("outcome").parse().ok();
    let again = async |status, change: fn(&mut ResolveForm, &Item, &Served)| -> Answer {
        let (mut page, item) = form_page(&served, &reader, id, back.clone()).await?;
        page.form.outcome = outcome;
        page.form.note.clone_from(&note);
        change(&mut page.form, &item, &served);
        html_with(status, &page)
    };
    let Some(outcome) = outcome else {
        return again(StatusCode::UNPROCESSABLE_ENTITY, |form, _, _| {
            form.outcome_error = Some("Choose what came of it.".to_owned());
        })
        .await;
    };
    if note.chars().count() > NOTE {
        return again(StatusCode::UNPROCESSABLE_ENTITY, |form, _, _| {
            form.error = Some(format!("The note has more than {NOTE} characters.").into());
        })
        .await;
    }
    let known: Option<i64> = posted.field("version").parse().ok();
    let (kit, who, text) = (Arc::clone(&served.kit), reader.clone(), note.clone());
    let ended = served
        .db
        .write(Lane::Work, move |tx| {
            async move {
                let now = kit.now();
                let Some(item) = pages::item(tx, who.site, id).await? else {
                    return Err(crate::store::StoreError::Missing("item"));
                };
                let latest = pane::seen(&pages::happened(tx, id).await?);
                if item.state != EscalationState::Resolved.as_str() && known.is_some_and(|known| 0 < known && known < latest) {
                    return Ok(Resolved::News);
                }
                if !escalations::resolve(tx, id, who.staff, outcome, now).await? {
                    return Ok(Resolved::Before);
                }
                let patient = item.patient_id.map(Id);
                escalations::add_event(tx, &event(&kit, &item, "resolved", who.staff, outcome.as_str().to_owned())).await?;
                if !text.is_empty() {
                    readings::add_note(tx, kit.id(), who.site, (patient, Some(id)), who.staff, &text, now).await?;
                }
                let entry = Entry { staff: Some(who.staff), patient, action: "resolve", subject: id.to_string() };
                audit::add(tx, kit.ids.node(), &entry, now).await?;
                Ok(Resolved::Done)
            }
            .boxed()
        })
        .await?;
    match ended {
        Resolved::Done => {
            served.tell();
            Ok(go(&queue::with_word(&back, "done=resolved")))
        }
        Resolved::Before => {
            again(StatusCode::CONFLICT, |form, item, served| {
                let (who, now) = (item.owner.as_deref().map_or("Somebody", words::first_name), served.kit.now());
                let at = words::when_exactly(served.kit.hours.zone(), now, Time(item.resolved_at.unwrap_or(now.0)));
                form.error = Some(format!("{who} resolved this at {at}.").into());
            })
            .await
        }
        Resolved::News => {
            again(StatusCode::CONFLICT, |form, item, _| {
                let who = item.name.as_deref().map_or("Somebody", words::first_name);
                form.error = Some(format!("{who} wrote again since you opened this. Read it, then resolve.").into());
            })
            .await
        }
    }
}

async fn form_page(served: &Served, reader: &Signed, id: Id, back: String) -> Result<(ItemResolve, Item), Trouble> {
    let mut tx = served.db.read().await?;
    let Some(item) = pages::item(&mut tx, reader.site, id).await? else { return Err(Trouble::missing("There is no such item.")) };
    let About { safe, said, happened, .. } = pane::about(served, &mut tx, &item).await?;
    let frame = served.frame(&mut tx, reader, Place::Queue, None).await?;
    let name: Shown = queue::name(&item);
    let page = ItemResolve {
        frame,
        form: ResolveForm::new(&id.to_string(), pane::seen(&happened), name, &back),
        sev: Sev(queue::severity(&item)),
        reason: item.reason.as_str().into(),
        said: said.map(|s| s.0),
        safe,
    };
    Ok((page, item))
}

fn item_id(text: &str) -> Result<Id, Trouble> {
    text.parse().map_err(|_| Trouble::missing("There is no such item."))
}

fn default_back(id: Id) -> String {
    queue_href(super::view::QueueView::Team, &super::view::Filters::default(), Some(&id.to_string()))
}

fn event(kit: &crate::kit::Kit, item: &Item, kind: &'static str, staff: Id, detail: String) -> NewEvent {
    NewEvent {
        id: kit.id(),
        escalation: Id(item.id),
        patient: item.patient_id.map(Id),
        at: kit.now(),
        kind,
        staff: Some(staff),
        inbox: None,
        detail,
    }
}
