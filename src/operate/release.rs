//! A restored copy may speak again, because somebody says so who stands for it by name.

use std::sync::Arc;

use futures_util::FutureExt;

use crate::escalation;
use crate::kit::Kit;
use crate::model::{Id, Reason};
use crate::store::audit::{self, Entry};
use crate::store::decisions::{self, NewDecision};
use crate::store::pause::{self, Pause, Waiting};
use crate::store::{Db, Lane, StoreError, Tx, staff};

/// What a release did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Released {
    /// Replies to what came in meanwhile that ended unsent.
    pub ended: usize,
    /// Messages of which nobody knows whether they went out before.
    pub unknown: i64,
}

/// The member of staff of this e-mail, or of this name if one alone has it.
///
/// # Errors
/// When there is nobody of that name, or more than one.
pub async fn who(tx: &mut Tx, name: &str) -> Result<Id, StoreError> {
    let name = name.trim();
    if let Some(found) = staff::by_email(tx, &name.to_lowercase()).await? {
        return Ok(Id(found.id));
    }
    let called: Vec<i64> =
        staff::names(tx).await?.into_iter().filter(|(_, n)| n.to_lowercase() == name.to_lowercase()).map(|(id, _)| id).collect();
    match called.as_slice() {
        [one] => Ok(Id(*one)),
        [] => Err(StoreError::Refused("nobody on the staff has that name or e-mail: see --by, or `porchlight user add`".into())),
        _ => Err(StoreError::Refused("several people on the staff have that name: give the e-mail instead".into())),
    }
}

/// Why sending is paused, and what would happen if it were released now; `None` if it is not paused.
///
/// # Errors
/// When the database refuses.
pub async fn preview(tx: &mut Tx, kit: &Kit) -> Result<Option<(Pause, Waiting)>, StoreError> {
    let Some(paused) = pause::current(tx).await? else { return Ok(None) };
    let waiting = pause::waiting(tx, paused.since, kit.now()).await?;
    Ok(Some((paused, waiting)))
}

/// Lets messages go out again, in the name of a member of staff. Replies to what came in meanwhile end unsent; an item asks
/// people to look at what is not known.
///
/// # Errors
/// When sending is not paused, or the database refuses.
pub async fn release(db: &Db, kit: &Arc<Kit>, by: Id) -> Result<Released, StoreError> {
    let kit = Arc::clone(kit);
    db.write(Lane::Work, move |tx| {
        async move {
            let now = kit.now();
            let Some((paused, waiting)) = preview(tx, &kit).await? else {
                return Err(StoreError::Refused("sending is not paused: there is nothing to release".into()));
            };
            let ended = pause::end_replies(tx, paused.since, now).await?;
            let decided: Vec<NewDecision> = ended
                .iter()
                .map(|message| NewDecision {
                    id: kit.id(),
                    site: Id(message.site_id),
                    patient: message.patient_id.map(Id),
                    message: Some(Id(message.id)),
                    occurrence: String::new(),
                    at: now,
                    outcome: "skip",
                    reason: Reason::Restored,
                    until: None,
                    facts: String::new(),
                })
                .collect();
            decisions::add(tx, &decided).await?;
            if waiting.unknown > 0 {
                look(tx, &kit, waiting.unknown).await?;
            }
            pause::lift(tx).await?;
            let entry = Entry { staff: Some(by), patient: None, action: "release", subject: paused.state };
            audit::add(tx, kit.ids.node(), &entry, now).await?;
            Ok(Released { ended: ended.len(), unknown: waiting.unknown })
        }
        .boxed()
    })
    .await
}

/// Asks people to look at what perhaps went out before the copy was restored.
async fn look(tx: &mut Tx, kit: &Kit, unknown: i64) -> Result<(), StoreError> {
    let reason = format!(
        "This copy was restored: it is not known of {unknown} messages whether they went out. See Delivery and the provider's log; \
         none goes by itself"
    );
    escalation::trouble(tx, kit, reason, kit.now()).await
}
