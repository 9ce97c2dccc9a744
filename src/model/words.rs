//! The closed vocabularies of the model. Each word is stored in the database as its `as_str`.

use std::fmt;
use std::str::FromStr;

/// A stored word that this version does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {kind} `{word}`: use one of {known}")]
pub struct UnknownWord {
    /// Which vocabulary was asked.
    pub kind: &'static str,
    /// The word that it does not hold.
    pub word: String,
    /// The words that it does hold, separated by spaces.
    pub known: String,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every word, in rising order.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word as stored and as written in configuration.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(s: &str) -> Result<$name, UnknownWord> {
                match s {
                    $($word => Ok($name::$variant),)+
                    _ => Err(UnknownWord {
                        kind: stringify!($name),
                        word: s.to_owned(),
                        known: [$($word),+].join(" "),
                    }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.as_str()) }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.serialize_str(self.as_str()) }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<$name, D::Error> {
                let word = <std::borrow::Cow<'de, str> as serde::Deserialize<'de>>::deserialize(d)?;
                word.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

words!(
    /// How soon a person must look. The order is the order of severity.
    Severity {
        /// No human needed.
        None = "none",
        /// A human within two business days.
        Routine = "routine",
        /// A human the same day.
        Urgent = "urgent",
        /// Life may be in danger now.
        Emergency = "emergency",
    }
);

words!(
    /// What a reply is about.
    Category {
        /// Suicide or self-harm.
        SelfHarm = "self_harm",
        /// A bodily emergency.
        MedicalEmergency = "medical_emergency",
        /// Violence or threat of it.
        Violence = "violence",
        /// A symptom.
        Symptom = "symptom",
        /// Medicines: missing, wrong, side effects.
        Medication = "medication",
        /// Distress without danger.
        Distress = "distress",
        /// Alcohol or drugs.
        SubstanceUse = "substance_use",
        /// Food, shelter, transport, money, legal.
        SocialNeed = "social_need",
        /// An appointment.
        Appointment = "appointment",
        /// Wants a person.
        ContactRequest = "contact_request",
        /// The wrong person got the message.
        WrongNumber = "wrong_number",
        /// The patient has died.
        Deceased = "deceased",
        /// Wants no more messages.
        OptOut = "opt_out",
        /// A complaint.
        Complaint = "complaint",
        /// Not understood, or nothing that can be read.
        NotUnderstood = "not_understood",
        /// Our own trouble: a poison row, a dead channel.
        Technical = "technical",
    }
);

words!(
    /// A way to reach a person.
    Channel {
        /// Text message over any SMS gateway.
        Sms = "sms",
        /// Telegram.
        Telegram = "telegram",
        /// `WhatsApp`.
        WhatsApp = "whatsapp",
    }
);

words!(
    /// How much a message says about health. Each contact has the highest class that the patient agreed to.
    ContentClass {
        /// No health detail.
        Logistics = "logistics",
        /// Check-ins and readings; no diagnosis, drug or test names.
        Care = "care",
        /// Values, screeners, names.
        Clinical = "clinical",
    }
);

words!(
    /// What a message is for. Decides its priority, its length budget and what being late or in doubt means.
    Class {
        /// The immediate answer to a cry for help.
        Crisis = "crisis",
        /// Opt-out and opt-in confirmations, HELP.
        Consent = "consent",
        /// An automatic answer to what the patient wrote.
        Answer = "answer",
        /// Written by a coordinator.
        Staff = "staff",
        /// A question of a protocol.
        Question = "question",
        /// A reminder.
        Reminder = "reminder",
        /// Outreach in bulk.
        Bulk = "bulk",
    }
);

words!(
    /// Where a message stands. A state never moves back.
    MessageState {
        /// Intended.
        Planned = "planned",
        /// Waiting for a time at which it may go.
        Held = "held",
        /// Ready to go.
        Queued = "queued",
        /// Claimed by a worker, perhaps on the wire.
        Sending = "sending",
        /// The provider took it.
        Accepted = "accepted",
        /// The carrier took it.
        Sent = "sent",
        /// The phone has it.
        Delivered = "delivered",
        /// The person opened it.
        Read = "read",
        /// Policy said no.
        Skipped = "skipped",
        /// Too late to be of use.
        Expired = "expired",
        /// Called off.
        Cancelled = "cancelled",
        /// It did not arrive.
        Failed = "failed",
        /// Perhaps sent; resolved by receipt, look-up or rule.
        Unknown = "unknown",
    }
);

words!(
    /// Where an escalation stands.
    EscalationState {
        /// Nobody has taken it.
        Open = "open",
        /// Somebody has.
        Claimed = "claimed",
        /// Done, with an outcome.
        Resolved = "resolved",
    }
);

words!(
    /// What came of an escalation. Nothing is resolved without one.
    Outcome {
        /// Reached, safe.
        ReachedSafe = "reached_safe",
        /// Sent to emergency care.
        EmergencyCare = "emergency_care",
        /// A clinician took over.
        Clinician = "clinician",
        /// Not reached, welfare check asked for.
        WelfareCheck = "welfare_check",
        /// Question answered or need met.
        Answered = "answered",
        /// Opened by mistake.
        FalseAlarm = "false_alarm",
    }
);

words!(
    /// What a member of staff may do.
    Role {
        /// Works a panel.
        Coordinator = "coordinator",
        /// Sees every panel of the site.
        Supervisor = "supervisor",
        /// Manages staff and channels.
        Admin = "admin",
    }
);

words!(
    /// Why a message was sent, held or not sent. Stored with each decision.
    Reason {
        /// Inside the rules.
        Allowed = "allowed",
        /// An answer to what the patient just wrote: exempt from quiet hours.
        Reply = "reply",
        /// Outside the hours in which this patient may be written to.
        QuietHours = "quiet_hours",
        /// The patient withdrew consent.
        Revoked = "revoked",
        /// No consent is on record.
        NoConsent = "no_consent",
        /// Says more than any of the patient's contacts may be told.
        ClassLimit = "class_limit",
        /// An emergency is open: automatic outreach stands still.
        OpenEmergency = "open_emergency",
        /// The appointment moved, was cancelled or is past.
        VisitChanged = "visit_changed",
        /// Too late to be of use.
        Expired = "expired",
        /// The patient has no contact that can be used.
        NoContact = "no_contact",
        /// The patient has died.
        Deceased = "deceased",
        /// The enrolment has ended.
        EnrolmentEnded = "enrolment_ended",
        /// The occurrence came too late for its late policy.
        LateSkip = "late_skip",
        /// The text could not be made: a missing message or argument.
        NoText = "no_text",
        /// Another question is open on this thread.
        QuestionOpen = "question_open",
        /// It was planned in a future that has not come, by a clock that was ahead.
        ClockAhead = "clock_ahead",
        /// Perhaps it went out before this copy of the database was restored.
        Restored = "restored",
    }
);

/// `0` goes first. Answers and crisis replies overtake everything in bulk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Priority(pub i64);

impl Priority {
    /// Crisis replies and messages with a red flag.
    pub const CRISIS: Priority = Priority(0);
    /// Answers to patients, and staff.
    pub const ANSWER: Priority = Priority(1);
    /// Reminders and check-ins.
    pub const REMINDER: Priority = Priority(2);
    /// Campaigns.
    pub const BULK: Priority = Priority(3);
    /// Receipts of which no message is known yet.
    pub const LAST: Priority = Priority(4);
}

impl Class {
    /// The priority at which a message of this class is sent.
    #[must_use]
    pub const fn priority(self) -> Priority {
        match self {
            Class::Crisis => Priority::CRISIS,
            Class::Consent | Class::Answer | Class::Staff => Priority::ANSWER,
            Class::Question | Class::Reminder => Priority::REMINDER,
            Class::Bulk => Priority::BULK,
        }
    }

    /// The most segments that a message of this class may take, as (GSM-7, UCS-2).
    #[must_use]
    pub const fn segment_budget(self) -> (usize, usize) {
        match self {
            Class::Question | Class::Reminder => (1, 2),
            Class::Answer | Class::Staff | Class::Bulk => (2, 4),
            Class::Crisis | Class::Consent => (3, 6),
        }
    }
}
