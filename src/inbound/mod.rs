//! Coming in: verify → durable, deduplicated inbox → 200; then, thread by thread, triage and conversation.
//!
//! Invariants: nobody is told "received" before the commit; every row is processed once, in one
//! transaction with all that follows from it; a row that cannot be processed goes to a person.

mod address;
mod doors;
mod effects;
mod listen;
mod parts;
mod process;
mod receive;

pub use address::{BadNumber, phone};
pub use doors::token_hash;
pub use listen::{Deaf, Listener};
pub use process::{Desk, clock_went_back, fire_questions};
pub use receive::{Coming, NotReceived, Receiver};
