//! Sites and their closed days, and small settings.

use super::tx::{all, maybe, run};
use super::{StoreError, Tx};
use crate::clock::Time;
use crate::model::Id;

/// A clinic.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the table, named there")]
pub struct Site {
    pub id: i64,
    pub name: String,
    pub sender: String,
    pub phone: String,
    pub zone: String,
    pub jurisdiction: String,
    pub hours: String,
    pub emergency_number: String,
    pub lifeline_number: String,
}

/// Adds a site, or brings the one with this id up to date.
///
/// # Errors
/// When the database refuses.
pub async fn put(tx: &mut Tx, site: &Site, now: Time) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO site (id, name, sender, phone, zone, jurisdiction, hours, emergency_number, lifeline_number, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, sender = excluded.sender, phone = excluded.phone, zone = excluded.zone,
            jurisdiction = excluded.jurisdiction, hours = excluded.hours, emergency_number = excluded.emergency_number,
            lifeline_number = excluded.lifeline_number",
        site.id,
        &site.name,
        &site.sender,
        &site.phone,
        &site.zone,
        &site.jurisdiction,
        &site.hours,
        &site.emergency_number,
        &site.lifeline_number,
        now.0
    )?;
    Ok(())
}

/// Every site.
///
/// # Errors
/// When the database refuses.
pub async fn list(tx: &mut Tx) -> Result<Vec<Site>, StoreError> {
    Ok(all!(
        tx,
        Site,
        "SELECT id, name, sender, phone, zone, jurisdiction, hours, emergency_number, lifeline_number FROM site ORDER BY id"
    )?)
}

/// Sets the days on which nobody is there.
///
/// # Errors
/// When the database refuses.
pub async fn close_on(tx: &mut Tx, site: Id, dates: &[String]) -> Result<(), StoreError> {
    run!(tx, "DELETE FROM site_closure WHERE site_id = $1", site.0)?;
    for date in dates {
        run!(tx, "INSERT INTO site_closure (site_id, local_date) VALUES ($1, $2) ON CONFLICT DO NOTHING", site.0, date)?;
    }
    Ok(())
}

/// The closed days of every site: `(site, local date)`.
///
/// # Errors
/// When the database refuses.
pub async fn closures(tx: &mut Tx) -> Result<Vec<(i64, String)>, StoreError> {
    Ok(all!(tx, (i64, String), "SELECT site_id, local_date FROM site_closure")?)
}

/// Keeps a small setting.
///
/// # Errors
/// When the database refuses.
pub async fn set(tx: &mut Tx, key: &str, value: &str) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO setting (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        key,
        value
    )?;
    Ok(())
}

/// A small setting, if it was ever kept.
///
/// # Errors
/// When the database refuses.
pub async fn get(tx: &mut Tx, key: &str) -> Result<Option<String>, StoreError> {
    Ok(maybe!(tx, (String,), "SELECT value FROM setting WHERE key = $1", key)?.map(|(value,)| value))
}
