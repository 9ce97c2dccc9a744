//! The reply of a coordinator: the verdict beside Send, and sending.
//!
//! **Invariant.** The verdict is what the policy decides from the stored facts at that moment, and what is refused is
//! not kept; it is decided again when it is sent. The same form with the same text sent twice is one message; with another
//! text it is another.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use futures_util::FutureExt;

use super::error::Trouble;
use super::session::{self, Posted, Signed};
use super::view::{Shown, Verdict};
use super::{Answer, Desk, Served, go, html_with, patient, words};
use crate::clock::Time;
use crate::compose::fold;
use crate::delivery::facts_of;
use crate::kit::Kit;
use crate::model::{Class, ContentClass, Id, Reason};
use crate::policy::{self, Decided, Decision, Due, Facts};
use crate::store::audit::{self, Entry};
use crate::store::messages::{self, NewMessage};
use crate::store::patients::{self, Patient};
use crate::store::{Lane, StoreError, Tx, enrolments, facts, pages};
use crate::zone::Zone;

/// Letters of a reply. More than ten segments is a letter, not a text.
const LONGEST: usize = 1600;
/// A reply that waits longer than this (for a provider that is away) is of no more use: it stands on the delivery page.
const OF_USE: Duration = Duration::from_hours(48);

/// Whether a reply can go to a patient now.
pub(super) async fn verdict(served: &Served, tx: &mut Tx, patient: &Patient, now: Time) -> Result<Verdict, Trouble> {
    let known = facts::load(tx, &[patient.id], &[]).await?;
    let Some(facts) = facts_of(&known, patient.id, &served.kit, &served.ways)? else {
        return Err(Trouble::missing("There is no such patient."));
    };
    let withdrawn = pages::patient::consents(tx, Id(patient.id)).await?.into_iter().find(|c| c.1 == "withdrawn");
    let name = words::first_name(&patient.name);
    Ok(words_of(&decide(&facts, now), &facts, (name, withdrawn.as_ref()), served.kit.hours.zone(), now))
}

/// What was just sent, in a sentence.
pub(super) fn toast(kit: &Kit, done: &str, until: &str) -> Option<Shown> {
    match done {
        "sent" => Some("Sending now.".into()),
        "held" => {
            let at: i64 = until.parse().ok()?;
            Some(
                format!("Held until {}. It goes out by itself.", words::when_exactly(kit.hours.zone(), kit.now(), Time(at)))
                    .into(),
            )
        }
        "before" => Some("Sent before: it stands in the conversation once.".into()),
        _ => None,
    }
}

/// How an attempt to reply ended.
enum Replied {
    /// It goes now.
    Now,
    /// Not before this.
    Held(Time),
    /// It was sent before.
    Before,
    /// It cannot go.
    No,
}

/// `POST /patient/ID/reply` with `text` and `token`.
pub(super) async fn send(State(served): Desk, Path(id): Path<String>, posted: Posted) -> Answer {
    let id: Id = id.parse().map_err(|_| Trouble::missing("There is no such patient."))?;
    let text = clean(posted.field("text"));
    let refused = if text.is_empty() {
        Some("Not sent: there is no text. Write something first.".to_owned())
    } else if text.chars().count() > LONGEST {
        Some(format!("Not sent: the text has {} characters. At most {LONGEST} can go.", text.chars().count()))
    } else {
        None
    };
    if let Some(why) = refused {
        return again(&served, &posted, id, &text, why.into()).await;
    }
    let token = Some(posted.field("token")).filter(|t| t.len() == 26 && t.bytes().all(|b| b.is_ascii_alphanumeric()));
    let token = token.map_or_else(|| served.kit.dice.token(), str::to_owned);
    match plan(&served, &posted, id, text.clone(), &token).await? {
        Replied::No => {
            again(&served, &posted, id, &text, "Not sent. The reason stands beside Send; your text is still here.".into()).await
        }
        Replied::Before => Ok(go(&format!("/patient/{id}?sent={token}&done=before#talk"))),
        Replied::Now => {
            served.wake.notify_one();
            served.tell();
            Ok(go(&format!("/patient/{id}?sent={token}&done=sent#talk")))
        }
        Replied::Held(until) => {
            served.wake.notify_one();
            served.tell();
            Ok(go(&format!("/patient/{id}?sent={token}&done=held&until={}#talk", until.0)))
        }
    }
}

async fn plan(served: &Arc<Served>, posted: &Posted, id: Id, text: String, token: &str) -> Result<Replied, Trouble> {
    let (reader, key) = (posted.reader.clone(), once(id, token, &text));
    let served_too = Arc::clone(served);
    let planned = served.db.write(Lane::Work, move |tx| plan_in(tx, served_too, reader, id, text, key).boxed());
    Ok(planned.await?)
}

async fn plan_in(
    tx: &mut Tx,
    served: Arc<Served>,
    reader: Signed,
    id: Id,
    text: String,
    key: String,
) -> Result<Replied, StoreError> {
    let kit = &served.kit;
    let now = kit.now();
    let Some(patient) = patients::get(tx, id).await?.filter(|p| p.site_id == reader.site.0) else {
        return Err(StoreError::Missing("patient"));
    };
    let known = facts::load(tx, &[id.0], &[]).await?;
    let Some(facts) = facts_of(&known, id.0, kit, &served.ways)? else { return Err(StoreError::Missing("patient")) };
    let replied = match decide(&facts, now).decision {
        Decision::Skip | Decision::Merge { .. } => return Ok(Replied::No),
        Decision::Hold { until } => Replied::Held(until),
        Decision::Send { .. } | Decision::Reroute { .. } => Replied::Now,
    };
    if enrolments::record(tx, std::slice::from_ref(&key), now).await?.is_empty() {
        return Ok(Replied::Before);
    }
    let message = NewMessage {
        id: kit.id(),
        site: reader.site,
        patient: Some(id),
        thread: None,
        enrolment: None,
        occurrence: key,
        appointment: None,
        inbox: None,
        staff: Some(reader.staff),
        direct: None,
        class: Class::Staff,
        content: ContentClass::Care,
        key: "staff".to_owned(),
        args: "{}".to_owned(),
        question: String::new(),
        lang: patient.language()?.tag(),
        body: text,
        planned_at: now,
        expires_at: Some(now.plus(OF_USE)),
        ready_at: kit.clock.machine(),
    };
    let subject = message.id.to_string();
    messages::plan(tx, &[message]).await?;
    let entry = Entry { staff: Some(reader.staff), patient: Some(id), action: "reply", subject };
    audit::add(tx, kit.ids.node(), &entry, now).await?;
    Ok(replied)
}

/// What is sent once: this text from this form. A draft that comes back brings its form's token along, so sending it again
/// after an answer was lost is no second message; what was changed meanwhile is.
fn once(id: Id, token: &str, text: &str) -> String {
    let hash = session::hash(text);
    format!("reply:{id}:{token}:{}", hash.get(..16).unwrap_or(&hash))
}

/// The page again, with the text and why it was not sent.
async fn again(served: &Served, posted: &Posted, id: Id, text: &str, error: Shown) -> Answer {
    let said = patient::Said { text: text.to_owned(), error: Some(error), ..patient::Said::default() };
    let page = patient::load(served, &posted.reader, id, said).await?;
    html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// What the policy says to a message of a person's own.
fn decide(facts: &Facts, now: Time) -> Decided {
    let message = Due {
        dated: false,
        message: Id(0),
        thread: None,
        since: now,
        class: Class::Staff,
        content: ContentClass::Care,
        asks: false,
        has_discreet: false,
        expires_at: Some(now.plus(OF_USE)),
        visit_stands: None,
        enrolled: None,
        tried: Vec::new(),
        rung_of: None,
    };
    policy::decide(&[message], facts, now).pop().unwrap_or(Decided {
        message: Id(0),
        decision: Decision::Skip,
        reason: Reason::NoContact,
    })
}

/// A text as it is sent: no control characters, line breaks as one, no white space around, ASCII punctuation.
fn clean(text: &str) -> String {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept: String = lines.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
    fold(kept.trim())
}

fn words_of(
    decided: &Decided,
    facts: &Facts,
    (name, withdrawn): (&str, Option<&(i64, String, String)>),
    zone: &Zone,
    now: Time,
) -> Verdict {
    let there = words::clock(&facts.zone, now);
    match &decided.decision {
        Decision::Send { contact, .. } | Decision::Reroute { contact, .. } => {
            let class = facts.contacts.iter().find(|c| c.id == contact.id).map_or(ContentClass::Logistics, |c| c.class);
            let limit = match class {
                ContentClass::Logistics => "Times and places only: agreed is nothing about health.",
                ContentClass::Care => "No diagnosis, medicine or test by name: that was not agreed.",
                ContentClass::Clinical => "Values, medicines and tests may be named.",
            };
            Verdict::Go { lead: "Goes now,".into(), rest: format!("by text; it is {there} where {name} is. {limit}").into() }
        }
        Decision::Hold { until } => {
            let why = match decided.reason {
                Reason::QuietHours => format!("outside the hours agreed; it is {there} where {name} is."),
                reason => reason_words(reason),
            };
            Verdict::Hold {
                lead: format!("Will be held until {}:", words::when_exactly(zone, now, *until)).into(),
                rest: why.into(),
            }
        }
        Decision::Skip | Decision::Merge { .. } => {
            let instead = match decided.reason {
                Reason::Revoked => {
                    let on = withdrawn.map(|w| format!(" ({})", words::when(zone, now, Time(w.0)))).unwrap_or_default();
                    format!("{name} asked for no more messages{on}. Call, or ask when you meet.")
                }
                Reason::NoContact => "there is no contact that can be used. Find another number.".to_owned(),
                reason => format!("{} Call instead.", reason_words(reason)),
            };
            Verdict::No { lead: "Can’t be texted:".into(), rest: instead.into() }
        }
    }
}

fn reason_words(reason: Reason) -> String {
    let sentence = policy::sentence("hold", reason, None);
    sentence.strip_prefix("Held: ").unwrap_or(&sentence).to_owned()
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;
    use crate::policy::{Consent, Contact};

    fn facts(consent: Consent) -> Facts {
        Facts {
            zone: "America/New_York".parse().expect("a zone"),
            window: (540, 1260),
            discreet: false,
            deceased: false,
            consent,
            contacts: vec![Contact {
                id: Id(1),
                thread: Id(1),
                class: ContentClass::Logistics,
                served: true,
                closed: false,
                revoked: false,
                question: None,
            }],
            open_emergency: false,
            last_wrote: None,
        }
    }

    fn said(facts: &Facts, hour: i8) -> Verdict {
        let zone = &facts.zone;
        let now = zone.instant(date(2026, 3, 10), time(hour, 14, 0, 0)).expect("it exists");
        words_of(&decide(facts, now), facts, ("Rosa", None), zone, now)
    }

    #[test]
    fn the_verdict_says_whether_it_goes_when_and_what_may_be_said() {
        let Verdict::Go { rest, .. } = said(&facts(Consent::Given), 10) else { panic!("goes") };
        assert_eq!(rest.as_str(), "by text; it is 10:14 where Rosa is. Times and places only: agreed is nothing about health.");
        let Verdict::Hold { lead, rest } = said(&facts(Consent::Given), 22) else { panic!("is held") };
        assert_eq!(lead.as_str(), "Will be held until Wed 9:00:");
        assert_eq!(rest.as_str(), "outside the hours agreed; it is 22:14 where Rosa is.");
        let Verdict::No { rest, .. } = said(&facts(Consent::Revoked), 10) else { panic!("does not go") };
        assert_eq!(rest.as_str(), "Rosa asked for no more messages. Call, or ask when you meet.");
    }

    #[test]
    fn into_an_open_emergency_a_person_may_write_at_any_hour() {
        assert!(matches!(said(&Facts { open_emergency: true, ..facts(Consent::Given) }, 3), Verdict::Go { .. }));
    }

    #[test]
    fn a_text_is_sent_as_written_but_for_what_nobody_sees() {
        assert_eq!(clean(" Can we call\r\nyou at 3?\u{0}\n "), "Can we call\nyou at 3?");
        assert_eq!(clean("هل نتصل بك؟"), "هل نتصل بك؟");
        assert_eq!(clean(" \u{200B} "), "");
    }
}
