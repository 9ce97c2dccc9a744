//! All SQL lives here, one file per aggregate. Store functions take a [`Tx`], read and write, and
//! never decide and never commit.

pub mod ahead;
pub mod appointments;
pub mod audit;
mod bare;
pub mod consents;
mod db;
pub mod decisions;
pub mod demo;
pub mod enrolments;
pub mod escalations;
pub mod facts;
pub mod health;
pub mod inbox;
pub mod leases;
pub mod links;
pub mod locks;
pub mod messages;
pub mod nodes;
pub mod pace;
pub mod pages;
pub mod patients;
pub mod pause;
pub mod readings;
pub mod receipts;
mod rows;
pub mod rungs;
pub mod seed;
pub mod sites;
pub mod staff;
pub mod survey;
pub mod threads;
pub mod timers;
mod trouble;
mod tx;
mod writer;

pub use bare::Bare;
pub use db::{BadLocation, Bell, Closing, Db, Lane, Location, StoreError, Writer, create_database};
pub use tx::Tx;

/// The rows of a bulk statement as its one JSON parameter.
fn rows_json<T: serde::Serialize + ?Sized>(rows: &T) -> Result<String, StoreError> {
    serde_json::to_string(rows).map_err(|e| StoreError::Unreadable(format!("rows that are no JSON ({e})")))
}

/// A stored word of the model.
fn word<T: std::str::FromStr>(text: &str) -> Result<T, StoreError>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|e: T::Err| StoreError::Unreadable(e.to_string()))
}
