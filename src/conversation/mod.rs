//! What a reply means and what follows from it. Pure: `step` is total, it never fails.

pub mod step;
pub mod understand;

pub use step::{Effect, Heard, Open, Outcome, Reading, SiteWords, Situation, Visit, step};
