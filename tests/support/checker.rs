//! Reads the provider's ledger against the database: the invariants I1 to I6. Every fault test ends with it.
//!
//! I1 every due occurrence has exactly one message. I2 every message has ended, or is in doubt and a person knows. I3 a message
//! was accepted once, except where the answer to an earlier attempt was not known and the rule of its class is to send again.
//! I4 every callback that was answered 200 is stored and was worked once. I5 nothing is claimed after a stored opt-out, and
//! of each claim that was under way then at most one message goes. I6 every emergency has an item.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use super::base::Base;
use super::provider::{Hook, Ledger};
use crate::rows;

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub messages: usize,
    /// Requests that the provider took.
    pub accepted: usize,
    /// Occurrences without a message, messages believed sent that the provider never took, answers 200 without a row.
    pub lost: usize,
    /// Messages that were taken more often than once.
    pub duplicated: usize,
    /// Those of them that no recorded doubt explains.
    pub unexplained: usize,
    /// Attempts of which nobody knew whether they arrived.
    pub unknown: usize,
    /// Messages that a person was asked about.
    pub for_review: usize,
    /// The most messages that one patient had after a stored opt-out.
    pub after_stop: usize,
    /// Every breach of an invariant, in words.
    pub broken: Vec<String>,
}

impl Found {
    fn breach(&mut self, what: String) {
        self.broken.push(what);
    }

    fn lost(&mut self, what: String) {
        self.lost += 1;
        self.broken.push(what);
    }

    /// Adds another run to a report.
    pub fn add(&mut self, other: &Found) {
        self.messages += other.messages;
        self.accepted += other.accepted;
        self.lost += other.lost;
        self.duplicated += other.duplicated;
        self.unexplained += other.unexplained;
        self.unknown += other.unknown;
        self.for_review += other.for_review;
        self.after_stop = self.after_stop.max(other.after_stop);
        self.broken.extend(other.broken.iter().cloned());
    }

    /// Fails with everything that was broken.
    pub fn expect_sound(&self, who: &str) {
        assert!(self.broken.is_empty(), "{who}: {self}\n  {}", self.broken.join("\n  "));
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} messages, {} accepted, lost {}, duplicated {} (unexplained {}), attempts unknown {}, for review {}, after a STOP at most {}",
            self.messages,
            self.accepted,
            self.lost,
            self.duplicated,
            self.unexplained,
            self.unknown,
            self.for_review,
            self.after_stop
        )
    }
}

/// One message: id, class, state, whether it stands for an occurrence, patient.
type Message = (i64, String, String, String, i64);

/// Checks everything. `due` occurrences were due.
pub async fn check(base: &Base, ledger: &Ledger, due: usize) -> Found {
    let mut found = Found { accepted: ledger.accepted(), ..Found::default() };
    let messages = rows!(
        base,
        Message,
        "SELECT id, class, state, CASE WHEN rung_of IS NULL THEN occurrence ELSE '' END, COALESCE(patient_id, 0)
           FROM message ORDER BY id"
    )
    .expect("the messages");
    found.messages = messages.len();
    occurrences(base, &messages, due, &mut found).await;
    ends(base, &messages, &mut found).await;
    sendings(base, &messages, ledger, &mut found).await;
    callbacks(base, ledger, &mut found).await;
    opt_outs(base, ledger, &mut found).await;
    emergencies(base, &mut found).await;
    if let Base::Sqlite(pool) = base {
        let told = sqlx::query_scalar::<_, String>("PRAGMA integrity_check").fetch_all(pool).await.expect("a check");
        if told != ["ok"] {
            found.breach(format!("the database file is damaged: {told:?}"));
        }
    }
    found
}

/// I1.
async fn occurrences(base: &Base, messages: &[Message], due: usize, found: &mut Found) {
    let mut of: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, _, _, occurrence, _) in messages.iter().filter(|m| !m.3.is_empty()) {
        *of.entry(occurrence).or_default() += 1;
    }
    for (occurrence, n) in of.iter().filter(|(_, n)| **n > 1) {
        found.breach(format!("I1 occurrence {occurrence} has {n} messages"));
    }
    let skipped = base.count("SELECT CAST(COUNT(*) AS BIGINT) FROM decision WHERE message_id IS NULL AND occurrence <> ''").await;
    let met = of.len() + usize::try_from(skipped).expect("a count");
    for _ in met..due {
        found.lost(format!("I1 of {due} due occurrences only {met} have a message"));
    }
    if met > due {
        found.breach(format!("I1 {due} occurrences were due, {met} were planned"));
    }
    let recorded = base.count("SELECT CAST(COUNT(*) AS BIGINT) FROM occurrence").await;
    if recorded != i64::try_from(met).expect("a count") {
        found.breach(format!("I1 {recorded} occurrences are recorded, {met} have a message or a decision"));
    }
}

/// I2.
async fn ends(base: &Base, messages: &[Message], found: &mut Found) {
    for (id, class, state, ..) in messages {
        match state.as_str() {
            "accepted" | "sent" | "delivered" | "read" | "failed" | "cancelled" | "expired" | "skipped" => {}
            "unknown" => found.for_review += 1,
            other => found.breach(format!("I2 message {id} ({class}) is stuck in {other}")),
        }
    }
    let untold = rows!(
        base,
        (i64, String),
        "SELECT m.id, m.class FROM message m WHERE m.state = 'unknown'
            AND NOT EXISTS (SELECT 1 FROM escalation e WHERE e.patient_id = m.patient_id AND e.reason LIKE 'Not known if%')
            AND NOT EXISTS (SELECT 1 FROM escalation_event v WHERE v.patient_id = m.patient_id AND v.detail LIKE 'Not known if%')"
    );
    for (id, class) in untold.expect("the doubts") {
        found.breach(format!("I2 message {id} ({class}) is in doubt and nobody was told"));
    }
    let late = base.count("SELECT CAST(COUNT(*) AS BIGINT) FROM timer WHERE kind IN ('doubt', 'hold')").await;
    if late > 0 {
        found.breach(format!("I2 {late} timers of doubts and holds are left"));
    }
}

/// I3.
async fn sendings(base: &Base, messages: &[Message], ledger: &Ledger, found: &mut Found) {
    // An attempt whose sender died is unknown when its lease ends, or has its receipt before that.
    let attempts = rows!(
        base,
        (i64, i64, String, String),
        "SELECT message_id, n, reference, CASE WHEN outcome = '' AND receipt <> '' THEN receipt ELSE outcome END FROM attempt"
    )
    .expect("the attempts");
    let by_reference: HashMap<&str, (i64, i64)> = attempts.iter().map(|a| (a.2.as_str(), (a.0, a.1))).collect();
    let mut unknown: HashMap<i64, usize> = HashMap::new();
    for (message, n, _, outcome) in &attempts {
        match outcome.as_str() {
            "unknown" => *unknown.entry(*message).or_default() += 1,
            "" => found.breach(format!("I3 attempt {n} of message {message} has no outcome, not even unknown")),
            _ => {}
        }
    }
    found.unknown = unknown.values().sum();

    let failed_later: HashSet<i64> = rows!(base, (i64,), "SELECT message_id FROM attempt WHERE receipt = 'failed'")
        .expect("receipts")
        .into_iter()
        .map(|(id,)| id)
        .collect();
    let mut asked: HashMap<&str, usize> = HashMap::new();
    let mut taken: HashMap<i64, usize> = HashMap::new();
    for request in &ledger.asked {
        *asked.entry(request.reference.as_str()).or_default() += 1;
        match by_reference.get(request.reference.as_str()) {
            Some((message, _)) => *taken.entry(*message).or_default() += usize::from(request.answer.accepts()),
            None => found.breach(format!("I3 {} was asked to send without a durable claim", request.reference)),
        }
    }
    for (reference, n) in asked.iter().filter(|(_, n)| **n > 1) {
        found.breach(format!("I3 the attempt {reference} went on the wire {n} times"));
    }
    for (id, class, state, ..) in messages {
        let taken = taken.get(id).copied().unwrap_or(0);
        let doubts = unknown.get(id).copied().unwrap_or(0);
        let resends = matches!(class.as_str(), "crisis" | "reminder" | "answer");
        if taken > 1 {
            found.duplicated += 1;
            if taken > 1 + doubts || !resends {
                found.unexplained += 1;
                found.breach(format!("I3 message {id} ({class}) was taken {taken} times, with {doubts} doubts"));
            }
        }
        let sent = matches!(state.as_str(), "accepted" | "sent" | "delivered" | "read");
        if sent && taken == 0 {
            found.lost(format!("I3 message {id} ({class}) is {state}, and the provider never took it"));
        }
        // The carrier took it, and said later that it could not bring it.
        let undelivered = state == "failed" && failed_later.contains(id);
        if taken > 0
            && !undelivered
            && matches!(state.as_str(), "failed" | "skipped" | "expired" | "cancelled" | "queued" | "held")
            && doubts == 0
        {
            found.breach(format!("I3 message {id} ({class}) is {state}, and the provider took it"));
        }
    }
}

/// I4.
async fn callbacks(base: &Base, ledger: &Ledger, found: &mut Found) {
    let stored = rows!(base, (String, i64, String, String), "SELECT dedupe, id, state, severity FROM inbox").expect("the inbox");
    let stored: HashMap<&str, (i64, &str, &str)> =
        stored.iter().map(|s| (s.0.as_str(), (s.1, s.2.as_str(), s.3.as_str()))).collect();
    let replies =
        counted(base, "SELECT inbox_id, CAST(COUNT(*) AS BIGINT) FROM message WHERE inbox_id IS NOT NULL GROUP BY inbox_id")
            .await;
    let readings =
        counted(base, "SELECT inbox_id, CAST(COUNT(*) AS BIGINT) FROM reading WHERE inbox_id IS NOT NULL GROUP BY inbox_id")
            .await;
    let items = counted(
        base,
        "SELECT inbox_id, CAST(COUNT(*) AS BIGINT) FROM escalation_event WHERE inbox_id IS NOT NULL AND kind IN ('opened', 'raised', 'wrote') GROUP BY inbox_id",
    )
    .await;
    let of = |counts: &HashMap<i64, i64>, id: i64| counts.get(&id).copied().unwrap_or(0);
    for hook in ledger.hooks.iter().filter(|h| h.answered_at.is_some()) {
        let Some((id, state, severity)) = stored.get(hook.dedupe.as_str()).copied() else {
            found.lost(format!("I4 {} was answered 200 and is not stored", hook.dedupe));
            continue;
        };
        if state != "done" {
            found.breach(format!("I4 {} was answered 200 and is {state}", hook.dedupe));
        }
        let Some(reply) = &hook.reply else { continue };
        let (said, read, told) = (of(&replies, id), of(&readings, id), of(&items, id));
        if said != 1 {
            found.breach(format!("I4 {} ({:?}) has {said} replies", hook.dedupe, reply.text));
        }
        let number = i64::from(reply.text.parse::<f64>().is_ok());
        if read != number {
            found.breach(format!("I4 {} ({:?}) has {read} readings", hook.dedupe, reply.text));
        }
        if told > 1 || (reply.cry && told == 0) {
            found.breach(format!("I4 {} ({:?}) was told to staff {told} times", hook.dedupe, reply.text));
        }
        if reply.cry && severity != "emergency" {
            found.lost(format!("I6 {} ({:?}) was read as {severity:?}", hook.dedupe, reply.text));
        }
    }
    let odd = |h: &&Hook| h.answers.iter().any(|s| !matches!(s, 0 | 200 | 503)) || h.without_retry_after > 0;
    for hook in ledger.hooks.iter().filter(odd) {
        found.breach(format!("I4 {} was answered {:?}, or 503 without Retry-After", hook.dedupe, hook.answers));
    }
}

async fn counted(base: &Base, sql: &'static str) -> HashMap<i64, i64> {
    rows!(base, (i64, i64), sql).expect("the counts").into_iter().collect()
}

/// I5. What was claimed before the opt-out may be on its way: one message of each claim. An opt-out bears the time at which its
/// batch was begun and counts from its commit, which nobody wrote down: it was over when its confirmation was claimed, or else in a
/// second, and certainly when the confirmation went out.
async fn opt_outs(base: &Base, ledger: &Ledger, found: &mut Found) {
    const SENT: &str = "SELECT a.reference, m.patient_id, MIN(c.at) + 1000, MIN(a.started_at), MIN(a.lease_owner)
           FROM attempt a JOIN message m ON m.id = a.message_id
           JOIN consent_event c ON c.patient_id = m.patient_id AND c.action = 'withdrawn'
          WHERE m.class NOT IN ('consent', 'crisis') GROUP BY a.reference, m.patient_id";
    const CONFIRMED: &str = "SELECT a.reference, m.patient_id, a.started_at, a.lease_owner
           FROM attempt a JOIN message m ON m.id = a.message_id WHERE m.key = 'stop-confirmation' ORDER BY a.started_at DESC";
    let sent = rows!(base, (String, i64, i64, i64, String), SENT).expect("opt-outs");
    let confirmations = rows!(base, (String, i64, i64, String), CONFIRMED).expect("confirmations");
    let first: HashMap<i64, (i64, &str)> = confirmations.iter().map(|(_, p, at, owner)| (*p, (*at, owner.as_str()))).collect();
    let accepted: HashSet<&str> = ledger.asked.iter().filter(|a| a.answer.accepts()).map(|a| a.reference.as_str()).collect();
    for (reference, patient, over, started, owner) in sent.iter().filter(|s| accepted.contains(s.0.as_str())) {
        let late = match first.get(patient) {
            Some((confirmed, by)) => started > confirmed || (started == confirmed && owner == by),
            None => started > over,
        };
        if late {
            found.breach(format!("I5 {reference} to patient {patient} was claimed after a stored opt-out"));
        }
    }
    let claim = |s: &(String, i64, i64, i64, String)| (s.1, s.2, format!("{} {}", s.4, s.3));
    let sent: HashMap<String, (i64, i64, String)> = sent.iter().map(|s| (s.0.clone(), claim(s))).collect();
    let confirmations: HashMap<String, i64> = confirmations.iter().map(|c| (c.0.clone(), c.1)).collect();
    let mut confirmed: HashMap<i64, i64> = HashMap::new();
    for request in &ledger.asked {
        if let Some(patient) = confirmations.get(&request.reference) {
            confirmed.entry(*patient).or_insert(request.at);
        }
    }
    let mut after: BTreeMap<(i64, &str), usize> = BTreeMap::new();
    for request in ledger.asked.iter().filter(|a| a.answer.accepts()) {
        if let Some((patient, _, claim)) =
            sent.get(&request.reference).filter(|s| confirmed.get(&s.0).copied().unwrap_or(s.1).min(s.1) < request.at)
        {
            *after.entry((*patient, claim.as_str())).or_default() += 1;
        }
    }
    let mut of_patient: BTreeMap<i64, usize> = BTreeMap::new();
    for ((patient, _), n) in after {
        *of_patient.entry(patient).or_default() += n;
        if n > 1 {
            found.breach(format!("I5 {n} messages of one claim went to patient {patient} after a stored opt-out"));
        }
    }
    found.after_stop = of_patient.into_values().max().unwrap_or(0);
}

/// I6.
async fn emergencies(base: &Base, found: &mut Found) {
    let without = base
        .count(
            "SELECT CAST(COUNT(*) AS BIGINT) FROM inbox i WHERE i.severity = 'emergency'
                AND NOT EXISTS (SELECT 1 FROM escalation e WHERE e.inbox_id = i.id)
                AND NOT EXISTS (SELECT 1 FROM escalation_event v WHERE v.inbox_id = i.id)",
        )
        .await;
    if without > 0 {
        found.lost(format!("I6 {without} emergencies have no item"));
    }
    let unarmed = base
        .count(
            "SELECT CAST(COUNT(*) AS BIGINT) FROM escalation e WHERE e.severity = 'emergency' AND e.state = 'open' AND e.rung < 2
                AND NOT EXISTS (SELECT 1 FROM timer t WHERE t.kind = 'deadline' AND t.subject = e.id)",
        )
        .await;
    if unarmed > 0 {
        found.lost(format!("I6 {unarmed} open emergencies have no deadline"));
    }
}
