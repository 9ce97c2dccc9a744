//! Adding staff.

use std::sync::Arc;

use argon2::password_hash::PasswordHasher;
use futures_util::FutureExt;

use crate::kit::{Kit, SITE};
use crate::model::Role;
use crate::store::audit::{self, Entry};
use crate::store::staff::{self, NewStaff};
use crate::store::{Db, Lane, StoreError};

/// argon2id with the library's defaults (OWASP's second recommended setting: 19 MiB, 2 passes), as PHC text.
///
/// # Errors
/// When the machine has no randomness for the salt.
pub fn password_hash(password: &str) -> Result<String, StoreError> {
    argon2::Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|e| StoreError::Refused(format!("the password could not be hashed: {e}")))
}

/// Adds a member of staff. `false` if the e-mail is taken.
///
/// # Errors
/// When the database refuses.
pub async fn add_staff(db: &Db, kit: &Arc<Kit>, email: &str, name: &str, role: Role, password: &str) -> Result<bool, StoreError> {
    let new = NewStaff {
        id: kit.id(),
        person: kit.id(),
        site: SITE,
        email: email.to_lowercase(),
        name: name.to_owned(),
        role,
        password_hash: password_hash(password)?,
    };
    let kit = Arc::clone(kit);
    db.write(Lane::Work, move |tx| {
        async move {
            let now = kit.now();
            let added = staff::add(tx, &new, now).await?;
            if added {
                let entry = Entry { staff: None, patient: None, action: "add staff", subject: new.id.to_string() };
                audit::add(tx, kit.ids.node(), &entry, now).await?;
            }
            Ok(added)
        }
        .boxed()
    })
    .await
}
