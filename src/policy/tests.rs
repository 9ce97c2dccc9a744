//! Situations and what the policy decides in them.

use jiff::civil::{date, time};
use proptest::prelude::*;

use super::*;

fn zone() -> Zone {
    "America/New_York".parse().expect("a zone")
}

fn at(hour: i8, minute: i8) -> Time {
    zone().instant(date(2026, 11, 16), time(hour, minute, 0, 0)).expect("it exists")
}

fn ana() -> Facts {
    Facts {
        zone: zone(),
        window: (9 * 60, 20 * 60),
        discreet: false,
        deceased: false,
        consent: Consent::Given,
        contacts: vec![sms(ContentClass::Care)],
        open_emergency: false,
        last_wrote: None,
    }
}

fn sms(class: ContentClass) -> Contact {
    Contact { id: Id(1), thread: Id(10), class, served: true, closed: false, revoked: false, question: None }
}

fn message(class: Class, content: ContentClass) -> Due {
    Due {
        message: Id(100),
        thread: None,
        since: at(0, 0),
        dated: false,
        class,
        content,
        asks: class == Class::Question,
        has_discreet: true,
        expires_at: None,
        visit_stands: None,
        enrolled: None,
        tried: Vec::new(),
        rung_of: None,
    }
}

fn verdict(due: &Due, facts: &Facts, now: Time) -> (Decision, Reason) {
    let decided = decide(std::slice::from_ref(due), facts, now).remove(0);
    (decided.decision, decided.reason)
}

const SENT: Decision = Decision::Send { contact: Contacted { id: Id(1), thread: Id(10) }, wording: Wording::Full };

#[test]
fn a_check_in_goes_inside_her_hours_and_waits_for_them_outside() {
    let question = message(Class::Question, ContentClass::Care);
    assert_eq!(verdict(&question, &ana(), at(9, 0)), (SENT, Reason::Allowed));
    assert_eq!(verdict(&question, &ana(), at(7, 30)), (Decision::Hold { until: at(9, 0) }, Reason::QuietHours));
    let tomorrow = zone().instant(date(2026, 11, 17), time(9, 0, 0, 0)).expect("it exists");
    assert_eq!(verdict(&question, &ana(), at(20, 0)), (Decision::Hold { until: tomorrow }, Reason::QuietHours));
}

#[test]
fn nobody_is_written_to_before_eight_or_after_nine_whatever_was_agreed() {
    let owl = Facts { window: (0, 24 * 60), ..ana() };
    let question = message(Class::Question, ContentClass::Care);
    assert_eq!(verdict(&question, &owl, at(7, 59)), (Decision::Hold { until: at(8, 0) }, Reason::QuietHours));
    assert_eq!(verdict(&question, &owl, at(20, 59)).1, Reason::Allowed);
}

#[test]
fn a_crisis_reply_goes_at_night_after_stop_and_into_an_open_emergency() {
    let facts = Facts { consent: Consent::Revoked, open_emergency: true, ..ana() };
    assert_eq!(verdict(&message(Class::Crisis, ContentClass::Logistics), &facts, at(3, 0)), (SENT, Reason::Allowed));
}

#[test]
fn after_stop_even_a_person_may_not_text() {
    let facts = Facts { consent: Consent::Revoked, ..ana() };
    for class in [Class::Staff, Class::Answer, Class::Reminder, Class::Question, Class::Bulk] {
        assert_eq!(
            verdict(&message(class, ContentClass::Logistics), &facts, at(10, 0)),
            (Decision::Skip, Reason::Revoked),
            "{class}"
        );
    }
}

#[test]
fn without_a_record_nothing_starts_by_itself_but_who_writes_is_answered() {
    let facts = Facts { consent: Consent::Unrecorded, ..ana() };
    assert_eq!(
        verdict(&message(Class::Reminder, ContentClass::Logistics), &facts, at(10, 0)),
        (Decision::Skip, Reason::NoConsent)
    );
    assert_eq!(verdict(&message(Class::Answer, ContentClass::Logistics), &facts, at(3, 0)), (SENT, Reason::Reply));
}

#[test]
fn a_check_in_above_the_contacts_class_takes_another_contact_or_other_words() {
    let question = message(Class::Question, ContentClass::Care);
    let telegram = Contact { id: Id(2), thread: Id(20), ..sms(ContentClass::Care) };
    let tommy = Facts { contacts: vec![sms(ContentClass::Logistics), telegram], ..ana() };
    let contact = Contacted { id: Id(2), thread: Id(20) };
    assert_eq!(
        verdict(&question, &tommy, at(10, 0)),
        (Decision::Reroute { contact, wording: Wording::Full }, Reason::ClassLimit)
    );
    let one = Facts { contacts: vec![sms(ContentClass::Logistics)], ..ana() };
    let contact = Contacted { id: Id(1), thread: Id(10) };
    assert_eq!(verdict(&question, &one, at(10, 0)), (Decision::Send { contact, wording: Wording::Discreet }, Reason::Allowed));
    let bare = Due { has_discreet: false, ..question };
    assert_eq!(verdict(&bare, &one, at(10, 0)), (Decision::Skip, Reason::ClassLimit));
}

#[test]
fn what_a_clock_that_was_ahead_planned_is_decided_on_its_day() {
    let question = Due { since: at(11, 0), dated: true, ..message(Class::Question, ContentClass::Care) };
    let waits = (Decision::Hold { until: at(11, 0) }, Reason::ClockAhead);
    assert_eq!(verdict(&question, &ana(), at(10, 0)), waits);
    let stopped = Facts { consent: Consent::Revoked, open_emergency: true, ..ana() };
    assert_eq!(verdict(&question, &stopped, at(10, 0)), waits, "what stands today says nothing about that day");
    assert_eq!(verdict(&question, &ana(), at(10, 58)).0, SENT, "clocks that are right differ by so much");
    // What goes on with a talk belongs to no day, and what a person wrote goes when they wrote it.
    assert_eq!(verdict(&Due { dated: false, ..question.clone() }, &ana(), at(10, 0)).0, SENT);
    assert_eq!(verdict(&Due { class: Class::Staff, asks: false, ..question }, &ana(), at(10, 0)).0, SENT);
}

#[test]
fn a_moved_visit_an_ended_enrolment_and_a_stale_message_send_nothing() {
    let reminder = message(Class::Reminder, ContentClass::Logistics);
    let moved = Due { visit_stands: Some(false), ..reminder.clone() };
    assert_eq!(verdict(&moved, &ana(), at(10, 0)).1, Reason::VisitChanged);
    let ended = Due { enrolled: Some(false), ..reminder.clone() };
    assert_eq!(verdict(&ended, &ana(), at(10, 0)).1, Reason::EnrolmentEnded);
    let stale = Due { expires_at: Some(at(9, 45)), ..reminder.clone() };
    assert_eq!(verdict(&stale, &ana(), at(9, 50)), (Decision::Skip, Reason::Expired));
    // Held past its end, it would only wait in order to be dropped.
    let early = Due { expires_at: Some(at(8, 0)), ..reminder };
    assert_eq!(verdict(&early, &ana(), at(7, 0)), (Decision::Skip, Reason::QuietHours));
}

#[test]
fn there_are_never_two_open_questions() {
    let first = message(Class::Question, ContentClass::Care);
    let second = Due { message: Id(101), ..first.clone() };
    let decided = decide(&[first.clone(), second], &ana(), at(10, 0));
    assert_eq!(decided[0].decision, SENT);
    assert_eq!((&decided[1].decision, decided[1].reason), (&Decision::Hold { until: at(10, 15) }, Reason::QuestionOpen));
    let first = Due { since: at(10, 0), ..first };
    let open = Facts { contacts: vec![Contact { question: Some((Id(7), at(10, 5))), ..sms(ContentClass::Care) }], ..ana() };
    assert_eq!(verdict(&first, &open, at(10, 0)), (Decision::Hold { until: at(10, 5) }, Reason::QuestionOpen));
    // Tried again after a busy provider, it does not wait for itself.
    let own =
        Facts { contacts: vec![Contact { question: Some((first.message, at(10, 5))), ..sms(ContentClass::Care) }], ..ana() };
    assert_eq!(verdict(&first, &own, at(10, 0)).0, SENT);
    // An hour is enough: the older question gives way.
    let weekly = Facts { contacts: vec![Contact { question: Some((Id(7), at(20, 0))), ..sms(ContentClass::Care) }], ..ana() };
    assert_eq!(verdict(&first, &weekly, at(10, 0)), (Decision::Hold { until: at(11, 0) }, Reason::QuestionOpen));
    assert_eq!(verdict(&first, &weekly, at(11, 0)).0, SENT);
}

#[test]
fn who_writes_from_a_closed_or_blocked_contact_is_answered_there_in_a_crisis() {
    let dead = Contact { closed: true, revoked: true, ..sms(ContentClass::Care) };
    let facts = Facts { contacts: vec![dead], ..ana() };
    let crisis = Due { thread: Some(Id(10)), ..message(Class::Crisis, ContentClass::Care) };
    assert_eq!(verdict(&crisis, &facts, at(3, 0)).0, SENT);
    assert_eq!(
        verdict(&message(Class::Reminder, ContentClass::Logistics), &facts, at(10, 0)),
        (Decision::Skip, Reason::NoContact)
    );
    let other = Contact { id: Id(2), thread: Id(20), ..sms(ContentClass::Care) };
    let both = Facts { contacts: vec![other, sms(ContentClass::Care)], ..ana() };
    let answer = Due { thread: Some(Id(10)), ..message(Class::Answer, ContentClass::Logistics) };
    assert_eq!(verdict(&answer, &both, at(3, 0)).0, SENT, "an answer goes where the patient wrote");
}

#[test]
fn staff_may_answer_at_night_in_a_conversation_or_an_emergency_and_else_wait() {
    let reply = message(Class::Staff, ContentClass::Logistics);
    assert_eq!(verdict(&reply, &ana(), at(22, 14)).1, Reason::QuietHours);
    assert_eq!(verdict(&reply, &Facts { last_wrote: Some(at(22, 0)), ..ana() }, at(22, 14)).0, SENT);
    assert_eq!(verdict(&reply, &Facts { open_emergency: true, ..ana() }, at(22, 14)).0, SENT);
}

proptest! {
    #[test]
    fn outreach_never_leaves_outside_the_window(minutes in 0_i64..(60 * 24 * 400), from in 0_i64..1440, length in 30_i64..900) {
        let facts = Facts { window: (from, (from + length).min(1440)), ..ana() };
        let now = Time(at(0, 0).0 + minutes * 60_000);
        let decided = verdict(&message(Class::Reminder, ContentClass::Logistics), &facts, now).0;
        let local = facts.zone.local(now).time();
        let minute = i64::from(local.hour()) * 60 + i64::from(local.minute());
        match decided {
            Decision::Send { .. } => prop_assert!(minute >= facts.window.0.max(480) && minute < facts.window.1.min(1260)),
            Decision::Hold { until } => prop_assert!(until > now),
            other => prop_assert!(false, "{other:?}"),
        }
    }
}

#[test]
fn a_question_said_again_by_another_contact_does_not_wait_for_itself() {
    let now = at(10, 0);
    let open = |by: i64| Contact { question: Some((Id(by), at(11, 0))), ..sms(ContentClass::Care) };
    let again = Due { rung_of: Some(Id(7)), since: now, ..message(Class::Question, ContentClass::Care) };
    let decided = |by: i64| verdict(&again, &Facts { contacts: vec![open(by)], ..ana() }, now).1;
    assert_eq!(decided(7), Reason::Allowed);
    assert_eq!(decided(8), Reason::QuestionOpen);
}
