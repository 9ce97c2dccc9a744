//! The Cloud API's error codes (<https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes>): the
//! same numbers in answers and in statuses.
//!
//! Only one closes a contact, and that on this channel alone: 131026, the number has no WhatsApp that takes it.

use super::super::codes::Row;
use crate::model::Meaning::{Busy, Misconfigured, Refused, Unknown, Unreachable};

/// Code, meaning, seconds to wait, source.
pub(super) const CODES: &[Row] = &[
    (131_026, Unreachable, 0, "V undeliverable: no WhatsApp at this number, or too old a one"),
    // The moment.
    (4, Busy, 60, "M too many calls of this app"),
    (80_007, Busy, 60, "M rate limit of the account"),
    (130_429, Busy, 5, "V throughput of the number"),
    (131_056, Busy, 6, "V too many messages to this person: one in six seconds"),
    (131_057, Busy, 60, "M the account is being upgraded"),
    // Nobody knows.
    (1, Unknown, 0, "M unknown error"),
    (2, Unknown, 0, "M service temporarily unavailable"),
    (131_000, Unknown, 0, "M something went wrong"),
    (131_016, Unknown, 0, "M service unavailable"),
    (135_000, Unknown, 0, "M generic error"),
    // This message: the ladder goes on.
    (100, Refused, 0, "M invalid parameter"),
    (130_472, Refused, 0, "M the person is part of an experiment of Meta's"),
    (131_008, Refused, 0, "M a parameter is missing"),
    (131_009, Refused, 0, "M a parameter's value is not valid"),
    (131_021, Refused, 0, "M sender and recipient are the same"),
    (131_047, Refused, 0, "M free words outside the 24-hour window"),
    (131_049, Refused, 0, "V not delivered, to keep up engagement"),
    (131_050, Refused, 0, "M the person wants no marketing from us: nothing about care"),
    (131_051, Refused, 0, "M unsupported type of message"),
    (132_000, Refused, 0, "M the template has another number of variables"),
    (132_001, Refused, 0, "M no such template in this language"),
    (132_005, Refused, 0, "M the template is too long when filled in"),
    (132_007, Refused, 0, "M the template breaks a rule"),
    (132_012, Refused, 0, "M a variable of the template is of another kind"),
    (132_015, Refused, 0, "V the template is paused for its quality"),
    (132_016, Refused, 0, "V the template is disabled for its quality"),
    // Ourselves: the channel rests and an administrator is told.
    (0, Misconfigured, 0, "M the app cannot be authenticated"),
    (3, Misconfigured, 0, "M the app lacks a capability"),
    (10, Misconfigured, 0, "M permission denied"),
    (33, Misconfigured, 0, "M the business number is gone"),
    (190, Misconfigured, 0, "M the token has expired or was revoked"),
    (200, Misconfigured, 0, "M permission missing"),
    (368, Misconfigured, 0, "M the account is restricted for breaking a policy"),
    (131_005, Misconfigured, 0, "M access denied"),
    (131_030, Misconfigured, 0, "M a test number: the recipient is not on its list"),
    (131_031, Misconfigured, 0, "M the account is locked"),
    (131_042, Misconfigured, 0, "M payment"),
    (131_045, Misconfigured, 0, "M the number's certificate is wrong"),
    (131_048, Misconfigured, 0, "M limited for spam"),
    (133_010, Misconfigured, 0, "M the number is not registered"),
];
