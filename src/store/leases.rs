//! What only one process does at a time, leased in the database.

use super::tx::{maybe, run};
use super::{StoreError, Tx};
use crate::clock::Time;

/// Takes the lease of `name`, or keeps it, until `until`. `false`: another process holds it.
///
/// # Errors
/// When the database refuses.
pub async fn hold(tx: &mut Tx, name: &str, owner: &str, machine: Time, until: Time) -> Result<bool, StoreError> {
    let held = maybe!(
        tx,
        (String,),
        "INSERT INTO lease (name, owner, lease_until) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until
           WHERE lease.owner = excluded.owner OR lease.lease_until < $4 RETURNING name",
        name,
        owner,
        until.0,
        machine.0
    )?;
    Ok(held.is_some())
}

/// Gives the lease back, if `owner` holds it.
///
/// # Errors
/// When the database refuses.
pub async fn give_back(tx: &mut Tx, name: &str, owner: &str) -> Result<(), StoreError> {
    run!(tx, "UPDATE lease SET lease_until = 0 WHERE name = $1 AND owner = $2", name, owner)?;
    Ok(())
}
