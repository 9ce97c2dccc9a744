//! Staff, their sessions and failed sign-ins. Times here are machine time.

use super::tx::{all, maybe, run};
use super::{StoreError, Tx};
use crate::clock::Time;
use crate::model::{Id, Role};

/// A member of staff.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the table, named there")]
pub struct Staff {
    pub id: i64,
    pub site_id: i64,
    pub email: String,
    pub name: String,
    pub role: String,
    pub password_hash: String,
}

/// Somebody to be added.
#[derive(Debug, Clone)]
pub struct NewStaff {
    /// Identity of the member of staff.
    pub id: Id,
    /// Identity of the person.
    pub person: Id,
    /// Where they work.
    pub site: Id,
    /// Work e-mail, lower case.
    pub email: String,
    /// The name that colleagues see.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// argon2id, PHC text.
    pub password_hash: String,
}

/// Adds a member of staff. `false` if the e-mail is taken.
///
/// # Errors
/// When the database refuses.
pub async fn add(tx: &mut Tx, staff: &NewStaff, now: Time) -> Result<bool, StoreError> {
    if by_email(tx, &staff.email).await?.is_some() {
        return Ok(false);
    }
    run!(
        tx,
        "INSERT INTO person (id, site_id, name, called, created_at) VALUES ($1, $2, $3, $3, $4)",
        staff.person.0,
        staff.site.0,
        &staff.name,
        now.0
    )?;
    run!(
        tx,
        "INSERT INTO staff (id, site_id, person_id, email, role, password_hash, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        staff.id.0,
        staff.site.0,
        staff.person.0,
        &staff.email,
        staff.role.as_str(),
        &staff.password_hash,
        now.0
    )?;
    Ok(true)
}

/// The active member of staff with this e-mail (lower case).
///
/// # Errors
/// When the database refuses.
pub async fn by_email(tx: &mut Tx, email: &str) -> Result<Option<Staff>, StoreError> {
    Ok(maybe!(
        tx,
        Staff,
        "SELECT s.id, s.site_id, s.email, p.name, s.role, s.password_hash FROM staff s JOIN person p ON p.id = s.person_id
          WHERE s.email = $1 AND s.disabled_at IS NULL",
        email
    )?)
}

/// Everybody: `(id, name)`.
///
/// # Errors
/// When the database refuses.
pub async fn names(tx: &mut Tx) -> Result<Vec<(i64, String)>, StoreError> {
    Ok(all!(tx, (i64, String), "SELECT s.id, p.name FROM staff s JOIN person p ON p.id = s.person_id ORDER BY p.name")?)
}

/// E-mails: `(id, email)`.
///
/// # Errors
/// When the database refuses.
pub async fn emails(tx: &mut Tx) -> Result<Vec<(i64, String)>, StoreError> {
    Ok(all!(tx, (i64, String), "SELECT id, email FROM staff WHERE disabled_at IS NULL")?)
}

/// A session with whose it is.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the tables, named there")]
pub struct Session {
    pub csrf: String,
    pub seen_at: i64,
    pub expires_at: i64,
    pub staff_id: i64,
    pub site_id: i64,
    pub email: String,
    pub name: String,
    pub role: String,
}

/// Opens a session.
///
/// # Errors
/// When the database refuses.
pub async fn open_session(
    tx: &mut Tx,
    token_hash: &str,
    staff: Id,
    csrf: &str,
    now: Time,
    expires: Time,
) -> Result<(), StoreError> {
    run!(tx, "DELETE FROM session WHERE expires_at < $1", now.0)?;
    run!(
        tx,
        "INSERT INTO session (token_hash, staff_id, csrf, created_at, seen_at, expires_at) VALUES ($1, $2, $3, $4, $4, $5)",
        token_hash,
        staff.0,
        csrf,
        now.0,
        expires.0
    )?;
    Ok(())
}

/// The session behind a cookie, if there is one.
///
/// # Errors
/// When the database refuses.
pub async fn session(tx: &mut Tx, token_hash: &str) -> Result<Option<Session>, StoreError> {
    Ok(maybe!(
        tx,
        Session,
        "SELECT x.csrf, x.seen_at, x.expires_at, s.id AS staff_id, s.site_id, s.email, p.name, s.role
           FROM session x JOIN staff s ON s.id = x.staff_id JOIN person p ON p.id = s.person_id
          WHERE x.token_hash = $1 AND s.disabled_at IS NULL",
        token_hash
    )?)
}

/// Notes that a session was used.
///
/// # Errors
/// When the database refuses.
pub async fn touch(tx: &mut Tx, token_hash: &str, now: Time) -> Result<(), StoreError> {
    run!(tx, "UPDATE session SET seen_at = $2 WHERE token_hash = $1", token_hash, now.0)?;
    Ok(())
}

/// Ends a session.
///
/// # Errors
/// When the database refuses.
pub async fn close_session(tx: &mut Tx, token_hash: &str) -> Result<(), StoreError> {
    run!(tx, "DELETE FROM session WHERE token_hash = $1", token_hash)?;
    Ok(())
}

/// Notes a failed sign-in.
///
/// # Errors
/// When the database refuses.
pub async fn note_failure(tx: &mut Tx, email: &str, now: Time) -> Result<(), StoreError> {
    run!(tx, "INSERT INTO sign_in_failure (email, at) VALUES ($1, $2)", email, now.0)?;
    Ok(())
}

/// How many sign-ins have failed for this e-mail since `since`; older ones are forgotten.
///
/// # Errors
/// When the database refuses.
pub async fn failures(tx: &mut Tx, email: &str, since: Time) -> Result<i64, StoreError> {
    let found =
        maybe!(tx, (i64,), "SELECT CAST(COUNT(*) AS BIGINT) FROM sign_in_failure WHERE email = $1 AND at >= $2", email, since.0)?;
    Ok(found.map_or(0, |(n,)| n))
}

/// Forgets the failures of an e-mail, after a good sign-in.
///
/// # Errors
/// When the database refuses.
pub async fn forget_failures(tx: &mut Tx, email: &str, before: Time) -> Result<(), StoreError> {
    run!(tx, "DELETE FROM sign_in_failure WHERE email = $1 OR at < $2", email, before.0)?;
    Ok(())
}
