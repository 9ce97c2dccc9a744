//! One item in full: words, safe contact, what has happened, why it has this severity.

use futures_util::FutureExt;

use super::error::Trouble;
use super::session::Signed;
use super::view::{
    Call, Finding, Icon, Pane, PaneHolder, ResolveForm, Safe, Said, Sev, Shown, Step, Tick, Tone, Words, outcome_words,
};
use super::{Served, queue, words};
use crate::clock::Time;
use crate::kit::Kit;
use crate::model::{Channel, ContentClass, EscalationState, Id, Lang, MessageState, Outcome, Severity};
use crate::store::audit::{self, Entry};
use crate::store::pages::{self, Happened, Item};
use crate::store::patients::{self, Contact, Patient};
use crate::store::{Lane, Tx};
use crate::triage;
use crate::zone::Zone;

/// A reading is noted once in this time for pages that refresh themselves.
const NOTED: std::time::Duration = std::time::Duration::from_hours(12);

/// The detail of a claim of what a colleague had.
pub(super) const TAKEN_OVER: &str = "taken over";

/// Whose item it is, who may be reached and how, and what has happened to it.
pub(super) struct About {
    pub(super) patient: Option<Patient>,
    pub(super) contacts: Vec<Contact>,
    pub(super) safe: Safe,
    pub(super) happened: Vec<Happened>,
}

/// Reads what belongs to an item.
pub(super) async fn about(served: &Served, tx: &mut Tx, item: &Item) -> Result<About, Trouble> {
    let (kit, now) = (&served.kit, served.kit.now());
    let patient = match item.escalation.patient_id {
        Some(id) => patients::get(tx, Id(id)).await?,
        None => None,
    };
    let (contacts, safe) = match &patient {
        Some(patient) => {
            let contacts = patients::contacts(tx, Id(patient.person_id)).await?;
            let consents = pages::patient::consents(tx, Id(patient.id)).await?;
            let safe = safe(kit, patient, &contacts, &consents, now);
            (contacts, safe)
        }
        None => (Vec::new(), stranger(item)),
    };
    let happened = pages::happened(tx, Id(item.escalation.id)).await?;
    Ok(About { patient, contacts, safe, happened })
}

/// The pane of an item. `conflict`: the reader tried what somebody else had done before.
pub(super) async fn load(
    served: &Served,
    tx: &mut Tx,
    reader: &Signed,
    item: &Item,
    back: &str,
    conflict: bool,
) -> Result<Pane, Trouble> {
    let (kit, now) = (&served.kit, served.kit.now());
    let zone = kit.hours.zone();
    let about = about(served, tx, item).await?;
    let crisis = pages::crisis_messages(
        tx,
        item.escalation.patient_id.map(Id),
        item.escalation.inbox_id.map(Id),
        Time(item.escalation.opened_at),
    )
    .await?;
    let severity = queue::severity(&item.escalation);
    let name = match (&item.name, &item.address) {
        (Some(name), _) => Shown::from(name.as_str()),
        (None, Some(address)) if !address.is_empty() => Shown::from(format!("Unknown number {}", words::phone(address))),
        (None, _) => "Porchlight itself".into(),
    };
    let local = about.patient.as_ref().and_then(|p| p.zone.parse::<Zone>().ok());
    let id = Id(item.escalation.id).to_string();
    let version = seen(&about.happened);
    let holder = holder(item, &about.happened, reader, zone, now);
    let heard = heard(&about.happened);
    let shown = heard.iter().find(|h| h.inbox_id == item.escalation.inbox_id).or(heard.last());
    let open = item.escalation.state != EscalationState::Resolved.as_str();
    Ok(Pane {
        version,
        standing: item.escalation.version,
        patient_href: item.escalation.patient_id.map(words::patient_href),
        age: about.patient.as_ref().and_then(|p| words::age(&p.birth_date, zone.local(now).date())),
        lang: queue::lang(item),
        local_time: local.as_ref().map(|z| words::clock(z, now)).unwrap_or_default(),
        zone: local.map(|z| z.name().to_owned()).unwrap_or_default(),
        sev: Sev(severity),
        tick: open.then(|| Tick { large: true, ..queue::tick(kit, &item.escalation, severity, now) }),
        reason: item.escalation.reason.as_str().into(),
        findings: findings(item, &heard),
        steps: steps(kit, item, (&about.happened, shown.and_then(|h| h.inbox_id)), &crisis, now),
        call: call(item, &about),
        conflict: conflict.then(|| conflict_words(&holder)).flatten(),
        holder,
        said: shown.and_then(|h| said(kit, item, h, now)),
        safe: about.safe,
        resolve: ResolveForm::new(&id, version, name.clone(), back),
        back: back.to_owned(),
        name,
        id,
    })
}

/// Notes in the audit that somebody read an item's words. Pages that refresh themselves are noted once in a while.
pub(super) async fn note_reading(served: &Served, reader: &Signed, item: &Item, part: bool) -> Result<(), Trouble> {
    let patient = item.escalation.patient_id.map(Id);
    note(served, reader, patient, "read item", Id(item.escalation.id), part).await
}

/// Notes in the audit that somebody read something of a patient.
pub(super) async fn note(
    served: &Served,
    reader: &Signed,
    patient: Option<Id>,
    action: &'static str,
    subject: Id,
    part: bool,
) -> Result<(), Trouble> {
    let now = served.kit.now();
    if part {
        let (mut tx, since) = (served.db.read().await?, now.minus(NOTED));
        let noted = match patient {
            Some(patient) => pages::read_since(&mut tx, reader.staff, patient, action, since).await?,
            None => pages::read_of_nobody_since(&mut tx, reader.staff, &subject.to_string(), action, since).await?,
        };
        if noted {
            return Ok(());
        }
    }
    let kit = std::sync::Arc::clone(&served.kit);
    let entry = Entry { staff: Some(reader.staff), patient, action, subject: subject.to_string() };
    let noted = served.db.write(Lane::Work, move |tx| async move { audit::add(tx, kit.ids.node(), &entry, now).await }.boxed());
    Ok(noted.await?)
}

/// How many of the patient's doings there are: what was opened, raised or written. A count, because the id of what another
/// process writes later can be lower.
pub(super) fn seen(happened: &[Happened]) -> i64 {
    happened.iter().filter(|h| is_theirs(h)).map(|_| 1).sum()
}

/// Everything that the patient has written about an item, newest last.
pub(super) fn all_said(kit: &Kit, item: &Item, happened: &[Happened], now: Time) -> Vec<Said> {
    heard(happened).into_iter().filter_map(|h| said(kit, item, h, now)).collect()
}

/// Who resolved an item, by first name.
pub(super) fn resolver<'a>(item: &'a Item, happened: &'a [Happened]) -> &'a str {
    let by = happened.iter().rev().find(|h| h.kind == "resolved").and_then(|h| h.who.as_deref());
    by.or(item.owner.as_deref()).map_or("Somebody", words::first_name)
}

/// Who may be reached, how, and what may be said.
pub(super) fn safe(kit: &Kit, patient: &Patient, contacts: &[Contact], consents: &[(i64, String, String)], now: Time) -> Safe {
    let zone = kit.hours.zone();
    let active: Vec<&Contact> = contacts.iter().filter(|c| c.state == "active").collect();
    let reach = |c: &Contact| match c.channel.parse() {
        Ok(Channel::Sms) | Err(_) => words::phone(&c.address),
        Ok(channel @ (Channel::Telegram | Channel::WhatsApp)) => {
            format!("{} {}", words::channel(channel), words::phone(&c.address))
        }
    };
    let lead = match active.as_slice() {
        [] => "There is no contact that can be used.".to_owned(),
        [one] => format!("Use {} only.", reach(one)),
        [first, rest @ ..] => {
            format!("Use {} first, then {}.", reach(first), rest.iter().map(|c| reach(c)).collect::<Vec<_>>().join(", "))
        }
    };
    let terms: Vec<&str> = active.iter().map(|c| c.terms.trim()).filter(|t| !t.is_empty()).collect();
    let mut lines: Vec<Shown> = Vec::new();
    if !patient.safe_note.trim().is_empty() {
        lines.push(patient.safe_note.as_str().into());
    }
    if patient.deceased_at.is_some() {
        lines.push("Has died. Nothing goes out by itself.".into());
    }
    for closed in contacts.iter().filter(|c| c.state != "active") {
        let why = if closed.closed_why.is_empty() { "closed" } else { &closed.closed_why };
        lines.push(format!("Not {}: {why}.", reach(closed)).into());
    }
    let limit = active.iter().filter_map(|c| c.class.parse::<ContentClass>().ok()).max();
    let window = patient.window_start.zip(patient.window_end).unwrap_or(kit.window);
    let agreed = match consents.first() {
        Some((at, action, method)) => {
            let what = if action == "given" { "Given" } else { "Withdrawn: nothing is texted by itself" };
            format!("{what}, {}, by {method}", words::when(zone, now, Time(*at)))
        }
        None => "No consent on record: nothing is texted by itself".to_owned(),
    };
    let mut facts = vec![
        ("May say".to_owned(), Shown::from(limit.map_or("Nothing: there is no contact", may_say))),
        ("Agreed".to_owned(), agreed.into()),
        ("Hours".to_owned(), format!("{} to {}, their time", words::minutes(window.0), words::minutes(window.1)).into()),
    ];
    if let Ok(checked) = patient.safe_checked.parse() {
        facts.push(("Checked".to_owned(), words::date_words(zone.local(now).date(), checked).into()));
    }
    Safe { lead: lead.into(), rest: terms.join(" ").into(), lines, facts, discreet: patient.discreet }
}

const fn may_say(class: ContentClass) -> &'static str {
    match class {
        ContentClass::Logistics => "Times and places only: nothing about health",
        ContentClass::Care => "Check-ins and readings; no diagnosis, medicine or test by name",
        ContentClass::Clinical => "Values, medicines and tests too",
    }
}

fn stranger(item: &Item) -> Safe {
    let address = item.address.as_deref().filter(|a| !a.is_empty());
    Safe {
        lead: address.map_or("This is about the service itself.".into(), |_| "Nobody knows who this is.".into()),
        rest: address.map_or("Nobody is to be called.".into(), |a| format!("The number is {}.", words::phone(a)).into()),
        lines: address.map(|_| "Find out who it is before you say anything about a patient.".into()).into_iter().collect(),
        ..Safe::default()
    }
}

/// The first contact that can be called, unless what is known about it says not to.
fn call(item: &Item, about: &About) -> Option<Call> {
    let note = about.patient.as_ref().map_or("", |p| p.safe_note.as_str());
    let number = match &about.patient {
        Some(_) => {
            let first = about.contacts.iter().find(|c| c.state == "active" && c.channel != Channel::Telegram.as_str())?;
            (!forbids_calls(note) && !forbids_calls(&first.terms)).then_some(first.address.as_str())?
        }
        None => item.address.as_deref().filter(|a| !a.is_empty())?,
    };
    Some(Call { tel: number.to_owned(), shown: words::phone(number) })
}

/// Whether a note says in so many words not to call. One that says it in others is still read first: it stands above.
fn forbids_calls(note: &str) -> bool {
    let note = note.to_lowercase().replace('’', "'");
    ["no calls", "do not call", "don't call", "never call", "text only", "texts only", "not by phone"]
        .iter()
        .any(|w| note.contains(w))
}

fn is_theirs(happened: &Happened) -> bool {
    matches!(happened.kind.as_str(), "opened" | "raised" | "wrote")
}

/// What the patient wrote, each message once, oldest first.
fn heard(happened: &[Happened]) -> Vec<&Happened> {
    let mut heard: Vec<&Happened> = Vec::new();
    for one in happened.iter().filter(|h| is_theirs(h) && h.body.is_some()) {
        if heard.iter().all(|h| h.inbox_id != one.inbox_id) {
            heard.push(one);
        }
    }
    heard
}

fn said(kit: &Kit, item: &Item, heard: &Happened, now: Time) -> Option<Said> {
    let whose = item.name.as_deref().map_or_else(
        || format!("Words from {}", words::phone(heard.address.as_deref().unwrap_or_default())),
        |name| format!("{}’s words", words::first_name(name)),
    );
    let by = heard.channel.as_deref().and_then(|c| c.parse().ok()).map_or("message", words::channel);
    let at = words::when_exactly(kit.hours.zone(), now, Time(heard.received_at.unwrap_or(heard.at)));
    let words = words::patients_words(queue::lang(item), heard.body.as_deref()?);
    Some(Said { from: format!("{whose} · {by}, {at}").into(), words, gloss: None })
}

fn holder(item: &Item, happened: &[Happened], reader: &Signed, zone: &Zone, now: Time) -> PaneHolder {
    let at = |time: Option<i64>| time.map(|t| words::when_exactly(zone, now, Time(t))).unwrap_or_default();
    let name = || Shown::from(item.owner.as_deref().map_or("Somebody", words::first_name));
    match (item.escalation.state.parse(), item.escalation.owner_id) {
        (Ok(EscalationState::Resolved), _) => PaneHolder::Resolved {
            name: resolver(item, happened).into(),
            at: at(item.escalation.resolved_at),
            outcome: item.escalation.outcome.parse().unwrap_or(Outcome::Answered),
        },
        (Ok(EscalationState::Claimed), Some(owner)) if owner == reader.staff.0 => PaneHolder::You(at(item.escalation.claimed_at)),
        (Ok(EscalationState::Claimed), _) => PaneHolder::Other { name: name(), at: at(item.escalation.claimed_at) },
        (Ok(EscalationState::Open) | Err(_), _) => PaneHolder::Nobody,
    }
}

fn conflict_words(holder: &PaneHolder) -> Option<Shown> {
    match holder {
        PaneHolder::Nobody | PaneHolder::You(_) => None,
        PaneHolder::Other { name, at } => Some(format!("{name} claimed this at {at}.").into()),
        PaneHolder::Resolved { name, at, .. } => Some(format!("{name} resolved this at {at}.").into()),
    }
}

/// Why an item has its severity: what was found in any of its words, and what was read from them.
fn findings(item: &Item, heard: &[&Happened]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for words in heard {
        let found: Vec<triage::Finding> = words.verdict.as_deref().and_then(|v| serde_json::from_str(v).ok()).unwrap_or_default();
        for one in found.iter().map(finding) {
            if !findings.contains(&one) {
                findings.push(one);
            }
        }
    }
    // Words that are harmless as words can carry a reading that is not: that of the words which gave the item its reason.
    let worst = heard.iter().filter_map(|h| h.severity.as_deref()?.parse::<Severity>().ok()).max().unwrap_or(Severity::None);
    let read = heard.iter().rev().filter(|h| h.kind != "wrote").find_map(|h| h.read_as.as_deref().filter(|r| !r.is_empty()));
    if let (true, Some(read)) = (worst < queue::severity(&item.escalation), read) {
        let meaning = format!("{read}: {}", words::sentence(&item.escalation.reason));
        findings.push(Finding {
            quote: None,
            meaning: meaning.into(),
            rule: item.escalation.category.clone(),
            pack: "of the protocol that asked".to_owned(),
        });
    }
    findings
}

fn finding(found: &triage::Finding) -> Finding {
    let lang: Option<Lang> = found.pack.parse().ok();
    let pack = match (lang, found.pack.as_str()) {
        (Some(lang), _) => format!("{} pack, version {}", lang.name(), found.pack_version),
        (None, "zh") => format!("Chinese pack, version {}", found.pack_version),
        (None, _) => "built into the service".to_owned(),
    };
    let quote = Some(found.matched.trim()).filter(|m| !m.is_empty()).map(|m| words::patients_words(lang, m));
    Finding { quote, meaning: words::sentence(&found.sentence).into(), rule: found.rule.clone(), pack }
}

/// What has happened, with the patient's words; those of `shown` stand above already.
fn steps(
    kit: &Kit,
    item: &Item,
    (happened, shown): (&[Happened], Option<i64>),
    crisis: &[(Option<i64>, String, String)],
    now: Time,
) -> Vec<Step> {
    let zone = kit.hours.zone();
    let mut replies = crisis.iter();
    happened
        .iter()
        .map(|h| {
            let (icon, text) =
                if h.kind == "crisis" { crisis_step(replies.next()) } else { event(&h.kind, &h.detail, h.who.as_deref()) };
            let quote = (is_theirs(h) && h.inbox_id != shown).then_some(h.body.as_deref()).flatten();
            let quote: Option<Words> = quote.map(|body| words::patients_words(queue::lang(item), body));
            Step { icon, at: words::when_exactly(zone, now, Time(h.at)), text: text.into(), quote }
        })
        .collect()
}

/// How the crisis reply does: whether the patient has it is what the reader needs to know.
fn crisis_step(message: Option<&(Option<i64>, String, String)>) -> (Icon, String) {
    let Some((_, state, why)) = message else { return (Icon::Send, "The crisis reply was written.".to_owned()) };
    match words::state(state) {
        Some(MessageState::Delivered | MessageState::Read) => (Icon::Checks, "The crisis reply was delivered.".to_owned()),
        Some(MessageState::Accepted | MessageState::Sent) => (Icon::Check, "The crisis reply was sent.".to_owned()),
        Some(MessageState::Unknown) => (Icon::Wifi, "Not known if the crisis reply arrived: call now.".to_owned()),
        Some(MessageState::Failed | MessageState::Skipped | MessageState::Expired | MessageState::Cancelled) => {
            (Icon::Emergency, format!("The crisis reply did not arrive ({}): call now.", words::trouble(why)))
        }
        Some(MessageState::Planned | MessageState::Held | MessageState::Queued | MessageState::Sending) | None => {
            (Icon::Send, "The crisis reply is on its way.".to_owned())
        }
    }
}

/// An event of an item, in a sentence.
pub(super) fn event(kind: &str, detail: &str, who: Option<&str>) -> (Icon, String) {
    let who = who.map(words::first_name);
    let severity = |detail: &str| {
        detail.parse::<Severity>().map_or("an item", |s| match s {
            Severity::None => "nothing",
            Severity::Routine => "routine",
            Severity::Urgent => "urgent",
            Severity::Emergency => "an emergency",
        })
    };
    match (kind, who) {
        ("opened", _) => (Icon::Inbox, format!("Opened as {}.", severity(detail))),
        ("raised", _) => (Icon::Emergency, format!("Raised to {}.", severity(detail))),
        ("told", Some(who)) => (Icon::Bell, format!("{who} was told.")),
        ("told", None) if detail == "everyone" => (Icon::Bell, "Everyone was told.".to_owned()),
        ("told", None) => (Icon::Bell, "No coordinator is set: it is in everyone’s queue.".to_owned()),
        ("late", _) => (Icon::Clock, "Nobody claimed it in time.".to_owned()),
        ("passed", Some(who)) => (Icon::People, format!("{who} has it now.")),
        ("claimed", Some(who)) if detail == TAKEN_OVER => (Icon::People, format!("{who} took it over.")),
        ("claimed", Some(who)) => (Icon::People, format!("{who} claimed it.")),
        ("claimed", None) => (Icon::People, "It was claimed.".to_owned()),
        ("resolved", who) => {
            let outcome = detail.parse::<Outcome>().map_or("", outcome_words);
            (Icon::Check, format!("{} resolved it: {outcome}.", who.unwrap_or("Somebody")))
        }
        ("wrote", _) => (Icon::Inbox, format!("Wrote again: {}", words::sentence(detail))),
        ("crisis", _) => (Icon::Send, "The crisis reply was written.".to_owned()),
        (kind, _) => (Icon::Pen, format!("{kind}: {}", words::sentence(detail))),
    }
}

/// How loud a severity is as a tag.
pub(super) const fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::None | Severity::Routine => Tone::Plain,
        Severity::Urgent => Tone::Warn,
        Severity::Emergency => Tone::Bad,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_that_says_not_to_call_takes_the_call_button_away() {
        assert!(forbids_calls("Texts only. Her husband sometimes reads the phone."));
        assert!(forbids_calls("Don’t call: he is at work."));
        assert!(!forbids_calls("Calls after 10:00, ask for Samira."));
        assert!(!forbids_calls("Hard of hearing: text before you call."));
    }

    #[test]
    fn a_crisis_reply_that_did_not_arrive_asks_for_a_call() {
        let (_, text) = crisis_step(Some(&(None, "failed".to_owned(), "unreachable".to_owned())));
        assert!(text.contains("call now"), "{text}");
        assert_eq!(crisis_step(Some(&(None, "delivered".to_owned(), String::new()))).1, "The crisis reply was delivered.");
    }

    #[test]
    fn events_are_sentences_with_first_names() {
        assert_eq!(event("told", "", Some("June Abara")).1, "June was told.");
        assert_eq!(event("told", "everyone", None).1, "Everyone was told.");
        assert_eq!(event("opened", "emergency", None).1, "Opened as an emergency.");
        assert_eq!(event("claimed", TAKEN_OVER, Some("June Abara")).1, "June took it over.");
        assert_eq!(event("resolved", "reached_safe", Some("Dana Ortiz")).1, "Dana resolved it: Reached, safe.");
    }
}
