//! How each process finds each gateway.

use super::tx::{all, run};
use super::{StoreError, Tx};
use crate::clock::Time;

/// The state of a gateway that takes messages.
pub const WELL: &str = "well";

/// How a process finds a gateway.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Health {
    /// The gateway's name.
    pub gateway: String,
    /// `well`, `failing`, `slow` or `resting`.
    pub state: String,
    /// Why it rests; empty otherwise.
    pub code: String,
    /// Since when (machine time).
    pub since: i64,
    /// When it is tried again, if it is not well (machine time).
    pub until: Option<i64>,
}

impl Health {
    /// Whether the gateway takes messages, as far as this process knows.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.state == WELL
    }
}

/// Notes how this process finds a gateway.
///
/// # Errors
/// When the database refuses.
pub async fn note(tx: &mut Tx, owner: &str, health: &Health) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO gateway_health (gateway, owner, state, code, since, until) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (gateway, owner) DO UPDATE
            SET state = excluded.state, code = excluded.code, since = excluded.since, until = excluded.until",
        &health.gateway,
        owner,
        &health.state,
        &health.code,
        health.since,
        health.until
    )?;
    Ok(())
}

/// How all processes find the gateways, by gateway, the latest change first.
///
/// # Errors
/// When the database refuses.
pub async fn all(tx: &mut Tx) -> Result<Vec<Health>, StoreError> {
    Ok(all!(tx, Health, "SELECT gateway, state, code, since, until FROM gateway_health ORDER BY gateway, since DESC, owner")?)
}

/// Forgets what processes found whose node number is not leased any more at `machine` time: they are gone, and nobody would ever
/// take back what they said.
///
/// # Errors
/// When the database refuses.
pub async fn forget(tx: &mut Tx, machine: Time) -> Result<u64, StoreError> {
    let sql = "DELETE FROM gateway_health WHERE owner NOT IN (SELECT owner FROM node WHERE lease_until >= $1)";
    Ok(run!(tx, sql, machine.0)?)
}
