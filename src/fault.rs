//! Fail points: the places between two durable steps at which the crash tests end this process.
//!
//! They are compiled in only where Cargo builds tests (`fail/failpoints` is a feature that the development dependencies ask
//! for). A service that is built to be used has none of them: `tests/crash.rs` and `tests/run` hold that.

/// Every fail point, in the order of the journeys. A name is `journey.what-has-just-happened`.
pub const POINTS: &[&str] = &[
    // A process starts.
    "start.migrated",
    "start.key",
    "node.leased",
    "start.kept",
    // One transaction of the writer, whatever it carries.
    "writer.begun",
    "writer.before_commit",
    "writer.after_commit",
    // Timer → message.
    "timer.taken",
    "timer.dropped",
    "step.recorded",
    "step.planned",
    "timer.planned",
    "timer.committed",
    "deadline.climbed",
    "question.expired",
    "hold.requeued",
    "doubt.requeued",
    "doubt.told",
    "rung.planned",
    // Message → claim → send → acknowledge.
    "lost.released",
    "claim.begun",
    "claim.picked",
    "claim.decided",
    "claim.prepared",
    "claim.written",
    "claim.committed",
    "send.before",
    "send.status",
    "send.answered",
    "ack.begun",
    "ack.written",
    "ack.followed",
    "ack.committed",
    // Callback → inbox → 200.
    "hook.parsed",
    "hook.stored",
    "hook.committed",
    "hook.answering",
    // Inbox → effects.
    "desk.taken",
    "desk.assessed",
    "desk.effects",
    "desk.finished",
    "desk.committed",
    "escalation.opened",
    "escalation.told",
    "receipt.recorded",
    "receipt.advanced",
    // A process stops.
    "stop.begun",
    "stop.drained",
    "stop.released",
];

/// Ends the process here, as a crash would, if `FAILPOINTS` in the environment says so: `claim.committed=2*off->return` ends it
/// at the third time. Costs nothing where fail points are not compiled in.
#[inline]
pub fn point(name: &'static str) {
    debug_assert!(POINTS.contains(&name), "{name} is not in the list of fail points");
    fail::fail_point!(name, |_| std::process::abort());
}

/// Reads `FAILPOINTS`; they hold as long as the result does. `None` where fail points are not compiled in.
#[must_use]
pub fn armed() -> Option<fail::FailScenario<'static>> {
    fail::has_failpoints().then(fail::FailScenario::setup)
}

/// The least that a setting may be: `usual`, and less only where tests are built, so that they need not wait.
#[must_use]
pub const fn least(usual: i64) -> i64 {
    if fail::has_failpoints() { 1 } else { usual }
}
