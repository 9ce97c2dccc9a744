//! A decision in words for staff: the sentence that stands on the patient's timeline.

use crate::model::Reason;

/// Why a message was sent, held or not sent, in plain words. `until` is a local time such as `9:00`, for what is held.
#[must_use]
pub fn sentence(outcome: &str, reason: Reason, until: Option<&str>) -> String {
    let why = words(reason);
    match (outcome, until) {
        ("hold", Some(until)) => format!("Held until {until}: {why}."),
        ("hold", None) => format!("Held: {why}."),
        ("skip", _) => format!("Not sent: {why}."),
        ("merge", _) => format!("Joined to another message: {why}."),
        ("reroute", _) => format!("Sent another way: {why}."),
        _ => format!("Sent: {why}."),
    }
}

fn words(reason: Reason) -> &'static str {
    match reason {
        Reason::Allowed => "inside the rules",
        Reason::Reply => "an answer to what was just written",
        Reason::QuietHours => "outside the hours agreed for messages",
        Reason::Revoked => "no more messages were asked for",
        Reason::NoConsent => "no consent is on record",
        Reason::ClassLimit => "it says more about health than was agreed for this contact",
        Reason::OpenEmergency => "an emergency is open, so automatic messages stand still",
        Reason::VisitChanged => "the visit was moved, cancelled or is past",
        Reason::Expired => "it came too late to be of use",
        Reason::NoContact => "there is no contact that can be used",
        Reason::Deceased => "the patient has died",
        Reason::EnrolmentEnded => "the enrolment has ended",
        Reason::LateSkip => "its time passed while the service was not running",
        Reason::NoText => "its text could not be made; a technical item was opened",
        Reason::QuestionOpen => "another question is still open",
        Reason::NextRung => "it could not be brought by the contact before this one",
        Reason::ClockAhead => "the server's clock was ahead when it was planned; it waits for its own time",
        Reason::Restored => "it may have gone out before this copy of the database was restored",
    }
}
