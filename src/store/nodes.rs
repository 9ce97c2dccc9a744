//! Node numbers for ids, leased in the database.

use super::tx::{all, maybe, run};
use super::{StoreError, Tx};
use crate::clock::Time;

/// How many nodes there can be: 10 bits of an id.
pub const NODES: i64 = 1024;

/// Leases the lowest free node number to `owner`. Gives it with the highest time that its ids may have used.
///
/// # Errors
/// When all numbers are taken, or the database refuses.
pub async fn lease(tx: &mut Tx, owner: &str, machine: Time, until: Time) -> Result<(i64, Time), StoreError> {
    let taken = all!(tx, (i64, i64, i64), "SELECT id, lease_until, high FROM node ORDER BY id")?;
    let busy: Vec<i64> = taken.iter().filter(|row| row.1 >= machine.0).map(|row| row.0).collect();
    let Some(node) = (0..NODES).find(|n| !busy.contains(n)) else {
        return Err(StoreError::Refused("all 1,024 node numbers are leased: stop a process, or wait a minute".into()));
    };
    let high = taken.iter().find(|row| row.0 == node).map_or(0, |row| row.2).max(0);
    let got = maybe!(
        tx,
        (i64,),
        "INSERT INTO node (id, owner, lease_until, high) VALUES ($1, $2, $3, $4)
         ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until, high = excluded.high
           WHERE node.lease_until < $5 RETURNING id",
        node,
        owner,
        until.0,
        until.0.max(high),
        machine.0
    )?;
    match got {
        Some(_) => Ok((node, Time(high))),
        None => Err(StoreError::Conflict),
    }
}

/// Keeps the lease. `false`: it is lost, and no more ids may be made.
///
/// # Errors
/// When the database refuses.
pub async fn renew(tx: &mut Tx, node: i64, owner: &str, until: Time) -> Result<bool, StoreError> {
    Ok(run!(
        tx,
        "UPDATE node SET lease_until = $3, high = CASE WHEN high > $3 THEN high ELSE $3 END WHERE id = $1 AND owner = $2",
        node,
        owner,
        until.0
    )? == 1)
}

/// Gives the number back.
///
/// # Errors
/// When the database refuses.
pub async fn release(tx: &mut Tx, node: i64, owner: &str) -> Result<(), StoreError> {
    run!(tx, "UPDATE node SET lease_until = 0 WHERE id = $1 AND owner = $2", node, owner)?;
    Ok(())
}
