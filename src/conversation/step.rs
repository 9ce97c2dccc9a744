//! One reply in, effects out.
//!
//! Invariants: a red flag is acted on in every state, also after STOP and while a person is in charge;
//! what is not understood goes to a person; nothing here lowers what triage found.

use std::time::Duration;

use super::situation::{Effect, Heard, Open, Outcome, Situation};
use super::understand::{Answer, Expects, Intent, Reader, Unit};
use crate::clock::{SLACK, Time};
use crate::compose::{Arg, Style};
use crate::model::{Category, Class, ContentClass, Id, Keyword, Media, Severity};
use crate::protocol::{Finding, Form, Point, Step, WeightUnit, judge};
use crate::triage::Verdict;

/// A second cry for help within this time of a crisis reply gets no second one.
const CRISIS_AGAIN: Duration = Duration::from_secs(15 * 60);
/// A number within this time of an answer is a correction of it.
const CORRECTION: Duration = Duration::from_secs(2 * 60 * 60);

/// Decides what follows from a reply.
#[must_use]
pub fn step(heard: &Heard<'_>, cx: &Situation<'_>, reader: &Reader) -> Outcome {
    let mut out = read(heard, cx, reader);
    if heard.repeats {
        // Two machines never talk all night. What confirms a STOP, and what a cry for help gets, is not said to a machine alone.
        let before = out.effects.len();
        out.effects.retain(|e| !matches!(e, Effect::Say { class: Class::Answer, .. } | Effect::Ask { .. }));
        if out.effects.len() < before {
            out.open(Severity::Routine, Category::Technical, "The same words again and again: perhaps a machine answers".into());
        }
    }
    out
}

fn read(heard: &Heard<'_>, cx: &Situation<'_>, reader: &Reader) -> Outcome {
    let mut out = Outcome::default();
    let intent = match heard.answered {
        Some(Keyword::Stop) => Intent::OptOut,
        Some(Keyword::Start) => Intent::OptIn,
        Some(Keyword::Help) => Intent::Help,
        None => reader.intent(heard.text),
    };
    let severity = heard.verdict.severity;
    if severity >= Severity::Urgent {
        alarm(heard, cx, &mut out);
    }
    // Whatever else a wish to stop says, a death, a wrong number, is a person's to hear.
    if severity == Severity::Routine && intent != Intent::None {
        let category = heard.verdict.categories.iter().copied().find(|c| *c != Category::OptOut);
        if let Some(category) = category {
            out.open(Severity::Routine, category, reason(heard.verdict));
        }
    }
    match intent {
        Intent::OptOut => return opt_out(heard, cx, out),
        Intent::OptIn => return opt_in(heard, cx, out),
        Intent::Help if heard.answered.is_some() => {
            out.read_as = "Asked for help with messages; the provider answered".into();
            return out;
        }
        Intent::Help => {
            out.say("help", cx.args(), Class::Consent, ContentClass::Logistics);
            out.read_as = "Asked for help with messages".into();
            return out;
        }
        Intent::Ambiguous => {
            out.open(Severity::Routine, Category::OptOut, "May want no more messages: ask what is meant".into());
            out.person(cx, Severity::Routine);
            return out;
        }
        Intent::None => {}
    }
    // Whatever else a text says, an answer in it is kept; what triage found decides what is said.
    let quiet = severity >= Severity::Urgent;
    let answered = answer(heard, cx, reader, quiet, &mut out);
    let visited = !answered && visit(heard, cx, reader, quiet, &mut out);
    if quiet {
        return out;
    }
    if let Some(media) = heard.media.filter(|m| *m != Media::Sticker) {
        out.read_as = format!("Sent {}", called(media));
        out.open(Severity::Routine, Category::NotUnderstood, format!("Sent {}: nobody has seen or heard it yet", called(media)));
        if !answered && !visited {
            out.person(cx, Severity::Routine);
        }
        return out;
    }
    if severity == Severity::Routine {
        let category = heard.verdict.categories.first().copied().unwrap_or(Category::NotUnderstood);
        out.open(Severity::Routine, category, reason(heard.verdict));
        // The answer about the visit has said already that a person will write.
        if !visited {
            out.person(cx, Severity::Routine);
        }
    } else if !answered && !visited && !reader.courtesy(heard.text) {
        not_understood(cx, &mut out);
    }
    out
}

/// What came, in words for staff.
const fn called(media: Media) -> &'static str {
    match media {
        Media::Photo => "a photo",
        Media::Voice => "a voice message",
        Media::Video => "a video",
        Media::Location => "a place on a map",
        Media::Contact => "an address card",
        Media::Sticker => "a sticker",
        Media::File => "a file",
        Media::Other => "something that is no text",
    }
}

/// A red flag: a person is told, and the patient hears at once what to do.
fn alarm(heard: &Heard<'_>, cx: &Situation<'_>, out: &mut Outcome) {
    let verdict = heard.verdict;
    let category = verdict.categories.first().copied().unwrap_or(Category::Symptom);
    out.open(verdict.severity, category, reason(verdict));
    if verdict.severity < Severity::Emergency {
        let args = cx.args().with("by", cx.when(cx.due.1));
        out.say("urgent-received", args, Class::Answer, ContentClass::Care);
        return;
    }
    let key = if verdict.categories.contains(&Category::SelfHarm) { "crisis-self-harm" } else { "crisis-medical" };
    // Another kind of danger has another answer, however soon it comes. What a clock that was ahead has sent says nothing of now.
    let lately = |at: Time| at <= cx.now.plus(SLACK) && cx.now.since(at) < CRISIS_AGAIN;
    if cx.crisis_reply.as_ref().is_some_and(|(at, before)| lately(*at) && before == key) {
        return;
    }
    let args = cx
        .args()
        .with("who", Arg::Text(cx.who.clone()))
        .with("by", cx.when(cx.due.2))
        .with("staffed", Arg::Text(if cx.staffed { "yes" } else { "no" }.into()))
        .with("opens", cx.when(cx.opens));
    out.say(key, args, Class::Crisis, ContentClass::Care);
}

fn reason(verdict: &Verdict) -> String {
    let headline = verdict.headline();
    if headline.is_empty() { "A question for a person".into() } else { headline }
}

fn opt_out(heard: &Heard<'_>, cx: &Situation<'_>, mut out: Outcome) -> Outcome {
    out.read_as = "Asked for no more messages".into();
    // Kept each time, for everybody on the phone; confirmed once.
    out.effects.push(Effect::Revoke);
    if !cx.revoked && heard.answered.is_none() {
        out.say("stop-confirmation", cx.args(), Class::Consent, ContentClass::Logistics);
    }
    // A bare "cancel" may have meant the visit; the law wants it taken as a wish to stop all the same.
    let short = heard.text.split_whitespace().count() <= 2;
    let cancel = ["cancel", "取消", "отмен", "annul", "anul", "cancella", "الغاء", "إلغاء"];
    if let Some(visit) = cx.visits.first()
        && short
        && cancel.iter().any(|word| heard.text.to_lowercase().contains(word))
    {
        let at = cx.zone.local(visit.starts).strftime("%a %-d %b, %-H:%M").to_string();
        out.open(
            Severity::Routine,
            Category::Appointment,
            format!("Asked for no more messages; may have meant the visit on {at}"),
        );
    }
    out
}

fn opt_in(heard: &Heard<'_>, cx: &Situation<'_>, mut out: Outcome) -> Outcome {
    out.read_as = "Asked for messages again".into();
    if heard.answered.is_some() {
        out.effects.push(Effect::Restore);
    } else if cx.revoked {
        out.effects.push(Effect::Restore);
        out.say("start-confirmation", cx.args(), Class::Consent, ContentClass::Logistics);
    } else {
        out.say("help", cx.args(), Class::Consent, ContentClass::Logistics);
    }
    out
}

/// Reads an answer to the open question. `true` if it was one.
fn answer(heard: &Heard<'_>, cx: &Situation<'_>, reader: &Reader, quiet: bool, out: &mut Outcome) -> bool {
    let Some(open) = &cx.open else { return false };
    let Some((form, kind)) = open.step.asks.as_ref().and_then(|ask| ask.reading.as_ref().map(|kind| (&ask.form, kind))) else {
        return false;
    };
    if let Some((earlier, at)) = open.answered {
        return correction(heard, cx, reader, (form, kind), (earlier, at), open, quiet, out);
    }
    let Some(expects) = expects(form, open) else { return false };
    let Some(answer) = reader.answer(heard.text, &expects, cx.lang) else { return false };
    let mut record =
        Effect::Record { kind: kind.clone(), value: None, unit: String::new(), words: String::new(), corrects: None };
    let Effect::Record { value, unit, words, .. } = &mut record else { return false };
    let (label, read_as) = match answer {
        Answer::Number { plausible: false, .. } => return false,
        Answer::Number { value: n, unit: u, .. } => {
            *value = Some(n);
            u.as_str().clone_into(unit);
            ("any".to_owned(), format!("Read as {n} {}", u.as_str()))
        }
        Answer::Scale(n) => {
            *value = Some(small(n));
            (n.to_string(), format!("Read as {n}"))
        }
        Answer::Choice(n) => {
            let n = i64::try_from(n).unwrap_or(i64::MAX);
            *value = Some(small(n));
            (n.to_string(), format!("Read as choice {n}"))
        }
        Answer::Yes => {
            *value = Some(1.0);
            ("yes".to_owned(), "Read as yes".to_owned())
        }
        Answer::No => {
            *value = Some(0.0);
            ("no".to_owned(), "Read as no".to_owned())
        }
        Answer::Text => {
            heard.text.clone_into(words);
            ("any".to_owned(), "Kept in their own words".to_owned())
        }
        Answer::BloodPressure { .. } | Answer::Confirm | Answer::Reschedule | Answer::CantCome => return false,
    };
    let number = (*value, open.unit);
    // Free words are a person's to read as soon as triage finds anything in them; a bare "ok" answers no question.
    if form == &Form::Text && reader.courtesy(heard.text) {
        return false;
    }
    out.effects.push(record);
    out.effects.push(Effect::Answered);
    out.read_as = read_as;
    follow(open.step, &label, number, cx, quiet, kind, out);
    true
}

/// What a protocol says to an answer: rules, words, the next question.
fn follow(
    step: &Step,
    label: &str,
    number: (Option<f64>, WeightUnit),
    cx: &Situation<'_>,
    quiet: bool,
    kind: &str,
    out: &mut Outcome,
) {
    let found = number.0.and_then(|value| judged(step, value, number.1, cx, kind));
    if let Some(found) = &found {
        out.open(found.severity, found.category, found.sentence.clone());
    }
    let branch = step.replies.iter().find(|r| r.on.iter().any(|on| on == "any" || on == label));
    if let Some((severity, category, sentence)) = branch.and_then(|b| b.open.clone()) {
        out.open(severity, category, sentence);
    }
    if quiet {
        return;
    }
    let rung = found.as_ref().map_or(Severity::None, |f| f.severity);
    if let Some(key) = branch.and_then(|b| b.say.as_ref()) {
        let mut args = cx.args();
        if let Some(value) = number.0 {
            args = args.with("value", Arg::Number(value)).with("unit", Arg::Text(number.1.as_str().into()));
        }
        out.say(key, args, Class::Answer, ContentClass::Care);
    }
    if rung >= Severity::Urgent {
        let args = cx.args().with("by", cx.when(cx.due.1));
        out.say("urgent-received", args, Class::Answer, ContentClass::Care);
    } else if let Some(then) = branch.and_then(|b| b.then.clone()) {
        out.effects.push(Effect::Ask { step: then });
    }
}

/// The worst rule of a step that a number meets.
fn judged(step: &Step, value: f64, unit: WeightUnit, cx: &Situation<'_>, kind: &str) -> Option<Finding> {
    let same = cx.readings.iter().filter(|r| r.kind == kind && r.unit == unit.as_str());
    let history: Vec<Point> = same.map(|r| Point { value: r.value, at: r.at }).collect();
    judge(&step.rules, value, unit, &history, cx.now)
}

/// A second number soon after an answer: kept beside the first, never instead of it.
#[expect(clippy::too_many_arguments, reason = "the parts of one answered question")]
fn correction(
    heard: &Heard<'_>,
    cx: &Situation<'_>,
    reader: &Reader,
    (form, kind): (&Form, &str),
    (earlier, at): (Id, Time),
    open: &Open<'_>,
    quiet: bool,
    out: &mut Outcome,
) -> bool {
    if cx.now.since(at) > CORRECTION || !matches!(form, Form::Number(_)) {
        return false;
    }
    let Some(expects) = expects(form, open) else { return false };
    let Some(Answer::Number { value, unit, plausible: true, .. }) = reader.answer(heard.text, &expects, cx.lang) else {
        return false;
    };
    out.effects.push(Effect::Record {
        kind: kind.to_owned(),
        value: Some(value),
        unit: unit.as_str().to_owned(),
        words: String::new(),
        corrects: Some(earlier),
    });
    out.read_as = format!("Read as {value} {}, a correction", unit.as_str());
    // What it corrects is no longer in the history: the number is judged as if it had come first.
    let found = judged(open.step, value, open.unit, cx, kind);
    if let Some(found) = &found {
        out.open(found.severity, found.category, found.sentence.clone());
    }
    if !quiet && found.is_some_and(|f| f.severity >= Severity::Urgent) {
        out.say("urgent-received", cx.args().with("by", cx.when(cx.due.1)), Class::Answer, ContentClass::Care);
    }
    if !quiet {
        let args = cx.args().with("value", Arg::Number(value)).with("unit", Arg::Text(open.unit.as_str().into()));
        out.say("reading-thanks", args, Class::Answer, ContentClass::Care);
    }
    true
}

/// Reads an answer to a reminder. `true` if it was one.
fn visit(heard: &Heard<'_>, cx: &Situation<'_>, reader: &Reader, quiet: bool, out: &mut Outcome) -> bool {
    if cx.visits.is_empty() {
        return false;
    }
    let Some(answer) = reader.answer(heard.text, &Expects::Visit, cx.lang) else { return false };
    let waiting: Vec<_> = cx.visits.iter().filter(|v| v.state == "booked").collect();
    let visit = match waiting.as_slice() {
        [one] => *one,
        [] => &cx.visits[0],
        [..] => {
            out.open(
                Severity::Routine,
                Category::Appointment,
                "Answered a reminder; two visits wait for an answer: ask which".into(),
            );
            out.person(cx, Severity::Routine);
            return true;
        }
    };
    let when = cx.when_of(visit.starts, Style::DateTime);
    let (state, key, read_as, open) = match answer {
        Answer::Confirm | Answer::Yes => ("confirmed", "visit-confirmed", "Confirmed the visit", None),
        Answer::Reschedule => ("reschedule", "visit-reschedule", "Wants another time", Some("Wants another time for the visit")),
        Answer::CantCome | Answer::No => ("cant_come", "visit-cant-come", "Can't come", Some("Can't come to the visit")),
        Answer::Number { .. } | Answer::Scale(_) | Answer::Choice(_) | Answer::BloodPressure { .. } | Answer::Text => {
            return false;
        }
    };
    out.effects.push(Effect::Visit { id: visit.id, state });
    out.read_as = read_as.into();
    if let Some(what) = open {
        let at = cx.zone.local(visit.starts).strftime("%a %-d %b, %-H:%M").to_string();
        out.open(Severity::Routine, Category::Appointment, format!("{what} on {at}"));
    }
    if !quiet {
        let args = cx.args().with("when", when).with("by", cx.when(cx.due.0));
        out.say(key, args, Class::Answer, ContentClass::Logistics);
    }
    true
}

fn not_understood(cx: &Situation<'_>, out: &mut Outcome) {
    let open = cx.open.as_ref().filter(|o| o.answered.is_none());
    let again = open.filter(|o| !o.asked_again).and_then(|o| o.step.asks.as_ref().map(|ask| (o, &ask.form)));
    let Some((open, form)) = again else {
        out.open(Severity::Routine, Category::NotUnderstood, "Wrote something that was not understood".into());
        out.person(cx, Severity::Routine);
        if open.is_some() {
            out.effects.push(Effect::Dropped);
        }
        return;
    };
    let args = cx.args();
    let (key, args) = match form {
        Form::YesNo => ("reask-yes-no", args),
        Form::Number(_) => ("reask-number", args.with("unit", Arg::Text(open.unit.as_str().into()))),
        Form::Scale(min, max) => {
            ("reask-scale", args.with("min", Arg::Number(small(*min))).with("max", Arg::Number(small(*max))))
        }
        Form::Choice(n) => ("reask-choice", args.with("max", Arg::Number(small(i64::try_from(*n).unwrap_or(9))))),
        Form::Visit => ("reask-visit", args),
        Form::Text => ("answer-thanks", args),
    };
    out.say(key, args, Class::Answer, ContentClass::Logistics);
    out.effects.push(Effect::AskedAgain);
}

/// The form of an answer, as the reader of replies knows it.
fn expects(form: &Form, open: &Open<'_>) -> Option<Expects> {
    Some(match form {
        Form::YesNo => Expects::YesNo,
        Form::Number(ranges) => {
            let (min, max) = ranges.of(open.unit);
            let unit = match open.unit {
                WeightUnit::Lb => Unit::Lb,
                WeightUnit::Kg => Unit::Kg,
            };
            Expects::Number { unit, min, max }
        }
        Form::Choice(n) => {
            Expects::Choice { options: (0..*n).map(|at| open.words.get(at).cloned().unwrap_or_default()).collect() }
        }
        Form::Scale(min, max) => Expects::Scale { min: *min, max: *max },
        Form::Text => Expects::Text,
        Form::Visit => return None,
    })
}

#[expect(clippy::cast_precision_loss, reason = "answers on scales are small")]
fn small(n: i64) -> f64 {
    n as f64
}
