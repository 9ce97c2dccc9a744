//! Links that open once: who follows one is a certain person, on its channel.

use super::tx::{maybe, run};
use super::{StoreError, Tx};
use crate::clock::Time;
use crate::model::{Channel, ContentClass, Id};

/// A link that is being made.
#[derive(Debug, Clone)]
pub struct NewLink {
    /// Identity.
    pub id: Id,
    /// Where.
    pub site: Id,
    /// Whose record it leads to.
    pub patient: Id,
    /// Who follows it.
    pub person: Id,
    /// Where it leads.
    pub channel: Channel,
    /// SHA-256 of its token.
    pub hash: String,
    /// The most that may be said there.
    pub class: ContentClass,
    /// Who made it.
    pub staff: Id,
    /// Until when it opens.
    pub expires: Time,
}

/// A link as it is stored.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the table, named there")]
pub struct Link {
    pub id: i64,
    pub site_id: i64,
    pub patient_id: i64,
    pub person_id: i64,
    pub class: String,
    pub staff_id: i64,
    pub expires_at: i64,
}

/// Keeps a new link; one that was made before for the same person and channel no longer opens.
///
/// # Errors
/// When the database refuses.
pub async fn make(tx: &mut Tx, link: &NewLink, now: Time) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE link SET void_at = $4 WHERE patient_id = $1 AND person_id = $2 AND channel = $3 AND used_at IS NULL AND void_at IS NULL",
        link.patient.0,
        link.person.0,
        link.channel.as_str(),
        now.0
    )?;
    run!(
        tx,
        "INSERT INTO link (id, site_id, patient_id, person_id, channel, token_hash, class, staff_id, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        link.id.0,
        link.site.0,
        link.patient.0,
        link.person.0,
        link.channel.as_str(),
        &link.hash,
        link.class.as_str(),
        link.staff.0,
        now.0,
        link.expires.0
    )?;
    Ok(())
}

/// The link whose token has this hash, whether it still opens or not.
///
/// # Errors
/// When the database refuses.
pub async fn by_hash(tx: &mut Tx, channel: Channel, hash: &str) -> Result<Option<Link>, StoreError> {
    Ok(maybe!(
        tx,
        Link,
        "SELECT id, site_id, patient_id, person_id, class, staff_id, expires_at FROM link WHERE token_hash = $1 AND channel = $2",
        hash,
        channel.as_str()
    )?)
}

/// Opens a link, once. `false`: it was used, is void or has expired.
///
/// # Errors
/// When the database refuses.
pub async fn use_up(tx: &mut Tx, id: Id, now: Time) -> Result<bool, StoreError> {
    let used = run!(
        tx,
        "UPDATE link SET used_at = $2 WHERE id = $1 AND used_at IS NULL AND void_at IS NULL AND expires_at > $2",
        id.0,
        now.0
    )?;
    Ok(used == 1)
}

/// The patient's newest link that still opens: who follows it, who made it, until when.
///
/// # Errors
/// When the database refuses.
pub async fn open(tx: &mut Tx, patient: Id, channel: Channel, now: Time) -> Result<Option<Link>, StoreError> {
    Ok(maybe!(
        tx,
        Link,
        "SELECT id, site_id, patient_id, person_id, class, staff_id, expires_at FROM link
          WHERE patient_id = $1 AND channel = $2 AND used_at IS NULL AND void_at IS NULL AND expires_at > $3
          ORDER BY created_at DESC, id DESC LIMIT 1",
        patient.0,
        channel.as_str(),
        now.0
    )?)
}
