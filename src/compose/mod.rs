//! What we say: the catalogue of messages in fourteen locales, its dates and times, and what a text costs by SMS.
//!
//! Invariant: a text leaves this module whole or not at all. A missing message, argument or time zone is an
//! error with a name, never a message with a hole in it; a person then has to look. Why: a patient who is told
//! to call `{ $emergency }` has been told nothing.
//!
//! Everything here is a function of its arguments: the words are compiled in, and no clock is read.

mod args;
mod catalogue;
mod moment;
mod segments;
mod voice;
#[cfg(test)]
mod wording;

pub use args::{Arg, Args, Style};
pub use catalogue::{Catalogue, RenderError, Rendered};
pub use moment::{MomentError, local_words, words};
pub use segments::{Encoding, Segments, fold, segments, split};
