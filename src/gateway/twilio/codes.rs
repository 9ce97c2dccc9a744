//! Twilio's error codes (<https://www.twilio.com/docs/api/errors>): the same numbers in answers and in callbacks.
//!
//! Of these only five close a contact and one withdraws it: what the carrier or an account did wrong must never
//! opt anybody out.

use super::super::codes::Row;
use crate::model::Meaning::{Blocked, Busy, Misconfigured, Refused, Unknown, Unreachable};

/// Code, meaning, seconds to wait, source.
pub(super) const CODES: &[Row] = &[
    // The person.
    (21610, Blocked, 0, "V the recipient has opted out (STOP)"),
    (21211, Unreachable, 0, "V `To` is no phone number"),
    (21614, Unreachable, 0, "V `To` cannot receive SMS"),
    (21635, Unreachable, 0, "V `To` is a landline"),
    (30005, Unreachable, 0, "M unknown or inactive destination"),
    (30006, Unreachable, 0, "V landline or unreachable carrier: do not retry"),
    (63003, Unreachable, 0, "M the channel could not find `To`"),
    (63024, Unreachable, 0, "M `To` is no recipient of the channel"),
    // The moment.
    (20429, Busy, 0, "S too many requests"),
    (21611, Busy, 60, "M the queue of `From` is full: not queued"),
    (30001, Busy, 60, "M queue overflow"),
    (30003, Busy, 300, "V unreachable handset: switched off or out of coverage"),
    (30022, Busy, 60, "M rate limit of the 10DLC campaign"),
    (63018, Busy, 60, "M rate limit of the channel"),
    // Nobody knows.
    (30410, Unknown, 0, "M the provider timed out"),
    // This message.
    (21408, Refused, 0, "M no permission for the region of `To`"),
    (21602, Refused, 0, "M no body"),
    (21612, Refused, 0, "M no route from `From` to `To`"),
    (21617, Refused, 0, "M longer than 1600 characters"),
    (30004, Refused, 0, "M the destination blocks it: perhaps the carrier, so nobody is opted out"),
    (30008, Refused, 0, "M undelivered, cause unknown"),
    (30036, Refused, 0, "M the validity period is over"),
    (63005, Refused, 0, "M the channel did not take the content"),
    (63013, Refused, 0, "M against the channel's policy"),
    (63016, Refused, 0, "M free words outside the 24-hour window"),
    (63032, Refused, 0, "M the channel cannot send to this user now"),
    (63049, Refused, 0, "M Meta chose not to deliver it"),
    // Ourselves: the channel rests and an administrator is told.
    (20003, Misconfigured, 0, "V authentication"),
    (20005, Misconfigured, 0, "M the account is not active"),
    (20006, Misconfigured, 0, "M access denied"),
    (20404, Misconfigured, 0, "M no such account"),
    (21212, Misconfigured, 0, "M `From` is no phone number"),
    (21603, Misconfigured, 0, "M `From` is missing"),
    (21606, Misconfigured, 0, "V `From` is not ours or cannot send"),
    (21609, Misconfigured, 0, "M the callback address is not valid"),
    (21621, Misconfigured, 0, "M `From` is not enabled"),
    (21624, Misconfigured, 0, "V the validity period is not valid"),
    (21659, Misconfigured, 0, "M `From` is not a number of this account"),
    (21660, Misconfigured, 0, "M `From` belongs to another account"),
    (21701, Misconfigured, 0, "M no such messaging service"),
    (21703, Misconfigured, 0, "M the messaging service has no numbers"),
    (21704, Misconfigured, 0, "M the messaging service has no numbers"),
    (30002, Misconfigured, 0, "M the account is suspended"),
    (30007, Misconfigured, 0, "M filtered by the carrier or Twilio"),
    (30023, Misconfigured, 0, "M the daily limit of the brand is reached"),
    (30032, Misconfigured, 0, "M toll-free number not verified"),
    (30034, Misconfigured, 0, "S the number is not registered (A2P 10DLC)"),
    (63007, Misconfigured, 0, "M `From` is no sender of the channel"),
    (63051, Misconfigured, 0, "M the WhatsApp account is locked"),
];
