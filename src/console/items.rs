//! Claiming and resolving.
//!
//! **Invariants.** One writer decides a race: who comes second is told who has it, and an item is taken over only as its
//! reader saw it. Nothing is resolved without an outcome that somebody chose, and not before the latest words were seen:
//! the form carries how many of the patient's doings its reader saw, and a form that does not say counts as having seen none.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use futures_util::FutureExt;

use super::error::Trouble;
use super::pane::{self, About};
use super::session::{Posted, Signed};
use super::view::{ItemResolve, Place, ResolveForm, Sev, queue_href};
use super::{Answer, Desk, Served, go, html, html_with, queue, words};
use crate::clock::Time;
use crate::model::{EscalationState, Id, Outcome};
use crate::store::audit::{self, Entry};
use crate::store::escalations::{self, NewEvent};
use crate::store::pages::{self, Item};
use crate::store::{Lane, readings};

/// Letters of a note: more than any handover needs.
const NOTE: usize = 4000;

/// `POST /item/ID/claim` with `back`; with `takeover`, the version of the item, what a colleague has.
pub(super) async fn claim(State(served): Desk, Path(id): Path<String>, posted: Posted) -> Answer {
    let id = item_id(&id)?;
    let back = queue::local(posted.field("back")).map_or_else(|| default_back(id), str::to_owned);
    // What is no number is the version of no item.
    let over: Option<i64> = Some(posted.field("takeover")).filter(|v| !v.is_empty()).map(|v| v.parse().unwrap_or(-1));
    let (kit, reader) = (Arc::clone(&served.kit), posted.reader.clone());
    let won = served
        .db
        .write(Lane::Work, move |tx| {
            async move {
                let now = kit.now();
                let Some(item) = pages::item(tx, reader.site, id).await? else {
                    return Err(crate::store::StoreError::Missing("item"));
                };
                let (won, detail, action) = match over {
                    None => (escalations::claim(tx, id, reader.staff, now).await?, "", "claim"),
                    Some(version) => (pages::take_over(tx, id, reader.staff, version, now).await?, pane::TAKEN_OVER, "take over"),
                };
                if !won {
                    // Claiming one's own again is no conflict.
                    return Ok(item.escalation.state == EscalationState::Claimed.as_str()
                        && item.escalation.owner_id == Some(reader.staff.0));
                }
                let patient = item.escalation.patient_id.map(Id);
                escalations::add_event(tx, &event(&kit, &item, "claimed", reader.staff, detail.to_owned())).await?;
                let entry = Entry { staff: Some(reader.staff), patient, action, subject: id.to_string() };
                audit::add(tx, kit.ids.node(), &entry, now).await?;
                Ok(true)
            }
            .boxed()
        })
        .await?;
    served.tell();
    Ok(go(&queue::with_word(
        &back,
        match (won, over) {
            (false, _) => "conflict=1",
            (true, None) => "done=claimed",
            (true, Some(_)) => "done=taken",
        },
    )))
}

/// `GET /item/ID/resolve`; the page that fetches itself says `part=words`.
pub(super) async fn resolve_page(
    State(served): Desk,
    reader: Signed,
    Path(id): Path<String>,
    Query(asked): Query<HashMap<String, String>>,
) -> Answer {
    let id = item_id(&id)?;
    let form = form_page(&served, &reader, id, default_back(id)).await?;
    pane::note_reading(&served, &reader, &form.item, asked.get("part").is_some_and(|p| p == "words")).await?;
    html(&form.page)
}

/// How an attempt to resolve ended.
enum Resolved {
    Done,
    /// Somebody else had done it.
    Before,
    /// The patient wrote meanwhile.
    News,
    /// The form does not say what its reader saw.
    Unseen,
}

/// A form with what an answer says about its item.
struct Form {
    page: ItemResolve,
    item: Item,
    /// Who resolved it, if it is resolved.
    resolver: String,
}

/// `POST /item/ID/resolve` with `outcome`, `note`, `version`, `back`.
pub(super) async fn resolve(State(served): Desk, Path(id): Path<String>, posted: Posted) -> Answer {
    let id = item_id(&id)?;
    let reader = posted.reader.clone();
    let note = posted.field("note").trim().to_owned();
    let back = queue::local(posted.field("back")).map_or_else(|| default_back(id), str::to_owned);
    let outcome: Option<Outcome> = posted.field("outcome").parse().ok();
    let known: i64 = posted.field("version").parse().unwrap_or(0);
    let again = async |status, change: fn(&mut ResolveForm, &Item, &str)| -> Answer {
        let Form { mut page, item, resolver } = form_page(&served, &reader, id, back.clone()).await?;
        page.form.outcome = outcome;
        page.form.note.clone_from(&note);
        if status == StatusCode::UNPROCESSABLE_ENTITY {
            // What came meanwhile is still news to who corrects the form.
            page.form.version = known;
        }
        let at = words::when_exactly(
            served.kit.hours.zone(),
            served.kit.now(),
            Time(item.escalation.resolved_at.unwrap_or(item.escalation.opened_at)),
        );
        change(&mut page.form, &item, &format!("{resolver} resolved this at {at}."));
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
                if item.escalation.state != EscalationState::Resolved.as_str() {
                    if known <= 0 {
                        return Ok(Resolved::Unseen);
                    }
                    if known != latest {
                        return Ok(Resolved::News);
                    }
                }
                if !escalations::resolve(tx, id, who.staff, outcome, now).await? {
                    return Ok(Resolved::Before);
                }
                let patient = item.escalation.patient_id.map(Id);
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
        Resolved::Before => again(StatusCode::CONFLICT, |form, _, done| form.error = Some(done.into())).await,
        Resolved::News => {
            again(StatusCode::CONFLICT, |form, item, _| {
                let who = item.name.as_deref().map_or("Somebody", words::first_name);
                form.error = Some(format!("{who} wrote again since you opened this. Read it, then resolve.").into());
            })
            .await
        }
        Resolved::Unseen => {
            again(StatusCode::CONFLICT, |form, _, _| {
                form.error = Some("This form does not say which words you have read. Read them here, then resolve.".into());
            })
            .await
        }
    }
}

async fn form_page(served: &Served, reader: &Signed, id: Id, back: String) -> Result<Form, Trouble> {
    let mut tx = served.db.read().await?;
    let Some(item) = pages::item(&mut tx, reader.site, id).await? else { return Err(Trouble::missing("There is no such item.")) };
    let About { safe, happened, .. } = pane::about(served, &mut tx, &item).await?;
    let frame = served.frame(&mut tx, reader, Place::Queue, None).await?;
    let name = queue::name(&item);
    let page = ItemResolve {
        frame,
        form: ResolveForm::new(&id.to_string(), pane::seen(&happened), name, &back),
        sev: Sev(queue::severity(&item.escalation)),
        reason: item.escalation.reason.as_str().into(),
        said: pane::all_said(&served.kit, &item, &happened, served.kit.now()),
        safe,
    };
    let resolver = pane::resolver(&item, &happened).to_owned();
    Ok(Form { page, item, resolver })
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
        escalation: Id(item.escalation.id),
        patient: item.escalation.patient_id.map(Id),
        at: kit.now(),
        kind,
        staff: Some(staff),
        inbox: None,
        detail,
    }
}
