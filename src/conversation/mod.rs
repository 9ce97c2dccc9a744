//! What a reply means and what follows from it. Pure: `step` is total, it never fails.

mod situation;
mod step;
pub mod understand;

pub use situation::{Effect, Heard, Open, Outcome, Reading, SiteWords, Situation, Visit};
pub use step::step;

#[cfg(test)]
mod tests;
