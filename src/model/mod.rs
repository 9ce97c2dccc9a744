//! Ids and plain types that every other module speaks. No I/O, no decisions.

mod arrival;
mod id;
mod lang;
mod private;
mod words;

pub use arrival::{Extras, Part};
pub use id::{Id, IdError, IdSource, hex};
pub use lang::{Lang, UnknownLang};
pub use private::{Address, Body, PersonName};
pub use words::{
    Category, Channel, Class, ContentClass, EscalationState, Keyword, Meaning, Media, MessageState, Outcome, Priority, Reason,
    Role, Severity, UnknownWord,
};
