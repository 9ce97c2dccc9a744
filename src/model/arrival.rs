//! What a person's message is besides its text.

use super::{Keyword, Media};

/// What came with a text, or in its place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extras {
    /// It is, or carries, something that cannot be read here.
    pub media: Option<Media>,
    /// It is one part of a longer text, which the provider did not put together.
    pub part: Option<Part>,
    /// The person came by a link of ours that carries this token.
    pub start: Option<String>,
    /// The provider has read this keyword itself and has answered it already.
    pub answered: Option<Keyword>,
}

/// Which part of a longer text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The same for all parts of one text, within a sender.
    pub of: String,
    /// From 1.
    pub number: u8,
    /// How many there are.
    pub count: u8,
}
