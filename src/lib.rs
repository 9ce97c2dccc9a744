//! Porchlight.
pub mod clock;
pub mod document;
pub mod escalation {
    pub mod hours;
}
pub mod model;
pub mod policy;
pub mod protocol;
pub mod schedule {
    pub mod recurrence;
}
pub mod store;
pub mod zone;
