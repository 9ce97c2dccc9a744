//! Receipts move a message on, never back, whatever order they come in.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::ladder::{self, Failed};
use crate::clock::{SLACK, Time};
use crate::fault;
use crate::kit::Kit;
use crate::model::{Class, Id, Meaning, MessageState, Priority};
use crate::store::inbox::{self, Waiting};
use crate::store::receipts::{self, Named, Receipt, Receipted};
use crate::store::timers::{self, Kind};
use crate::store::{StoreError, Tx};

/// How long a receipt that overtook its acknowledgement is kept waiting for it.
const EARLY: Duration = Duration::from_secs(60);

/// Applies stored receipts in the order in which they came. Gives those that are done with; those that may have come too early go to
/// the end of the line, so that they hold up no text.
///
/// # Errors
/// When the database refuses.
pub async fn apply(tx: &mut Tx, kit: &Kit, receipts: &[&Waiting], now: Time) -> Result<Vec<i64>, StoreError> {
    let named: Vec<Named> =
        receipts.iter().map(|r| Named { gateway: &r.gateway, reference: &r.reference, provider_id: &r.provider_id }).collect();
    let found = receipts::find(tx, &named).await?;
    let by_place: HashMap<i64, &Receipted> = found.iter().map(|f| (f.place, f)).collect();
    let mut done = Vec::with_capacity(receipts.len());
    let mut early = Vec::new();
    let mut said: BTreeMap<(i64, i64), Receipt> = BTreeMap::new();
    let mut moved: BTreeMap<i64, Moved> = BTreeMap::new();
    for (place, receipt) in (0..).zip(receipts) {
        let Ok(news) = receipt.receipt.parse::<MessageState>() else {
            done.push(receipt.id);
            continue;
        };
        let Some(message) = by_place.get(&place) else {
            tracing::debug!(gateway = receipt.gateway, "a receipt for a message that is not here");
            let came = Time(receipt.received_at);
            // Also what a clock that was ahead has dated: it would never become old.
            if now.since(came) >= EARLY || came > now.plus(SLACK) {
                done.push(receipt.id);
            } else if receipt.priority < Priority::LAST.0 {
                early.push(receipt.id);
            }
            continue;
        };
        done.push(receipt.id);
        let id = Id(message.id);
        let last =
            said.entry((message.id, message.n)).or_insert_with(|| Receipt { id, n: message.n, state: news, code: String::new() });
        if tells(news) >= tells(last.state) {
            last.state = news;
        }
        if !receipt.code.is_empty() {
            last.code.clone_from(&receipt.code);
        }
        let was = message.state.parse().map_err(|_| StoreError::Unreadable(format!("state {}", message.state)))?;
        let moving =
            moved.entry(message.id).or_insert(Moved { message, was, is: was, why: "", gateway: &receipt.gateway, means: None });
        // A late "failed" of an earlier try says nothing of the one that followed.
        let stale = news == MessageState::Failed && message.n < message.attempts;
        if let Some(next) = moves(moving.is, news).filter(|_| !stale) {
            (moving.is, moving.why, moving.means) = (next, &receipt.code, receipt.means.parse().ok());
        }
    }
    inbox::put_last(tx, &early).await?;
    receipts::record(tx, &said.into_values().collect::<Vec<_>>(), now).await?;
    fault::point("receipt.recorded");
    moved.retain(|_, m| m.is != m.was);
    let news: Vec<_> = moved.iter().map(|(id, m)| (Id(*id), m.is, m.why.to_owned())).collect();
    receipts::move_on(tx, &news, now).await?;
    fault::point("receipt.advanced");
    // Nobody waits any longer for what has come.
    let over = |m: &Moved| m.was == MessageState::Unknown || !matches!(m.is, MessageState::Accepted | MessageState::Sent);
    let settled: Vec<i64> = moved.iter().filter(|(_, m)| over(m)).map(|(id, _)| *id).collect();
    timers::cancel_all(tx, Kind::Doubt, &settled).await?;
    let failed: Vec<&Moved> = moved.values().filter(|m| m.is == MessageState::Failed).collect();
    after_failures(tx, kit, &failed, now).await?;
    Ok(done)
}

/// Messages that the carrier could not bring, though it had taken them.
async fn after_failures(tx: &mut Tx, kit: &Kit, failed: &[&Moved<'_>], now: Time) -> Result<(), StoreError> {
    let mut all = Vec::new();
    for moved in failed {
        let class: Class =
            moved.message.class.parse().map_err(|_| StoreError::Unreadable(format!("class {}", moved.message.class)))?;
        all.push((moved, class));
    }
    let climbing: Vec<_> =
        all.iter().filter_map(|(m, class)| Some((Id(m.message.id), Id(m.message.patient_id?), *class))).collect();
    let left = ladder::left(tx, &climbing).await?;
    for (moved, class) in all {
        let message = moved.message;
        let failed = Failed {
            message: Id(message.id),
            site: Id(message.site_id),
            patient: message.patient_id.map(Id),
            contact: message.contact_id.map(Id),
            gateway: moved.gateway,
            class,
            code: moved.why,
        };
        let goes_on = left.contains(&failed.message);
        ladder::settle(tx, kit, failed, (moved.means, goes_on), now).await?;
        if goes_on {
            ladder::climb(tx, kit, failed.message, now).await?;
        }
    }
    Ok(())
}

/// How much a receipt says of an attempt: a late "sent" does not take back that it failed, and what arrived has arrived.
const fn tells(receipt: MessageState) -> u8 {
    match receipt {
        MessageState::Read => 4,
        MessageState::Delivered => 3,
        MessageState::Failed => 2,
        MessageState::Sent => 1,
        _ => 0,
    }
}

/// A message on its way through the receipts of one batch.
struct Moved<'a> {
    message: &'a Receipted,
    was: MessageState,
    is: MessageState,
    why: &'a str,
    gateway: &'a str,
    means: Option<Meaning>,
}

/// Where a receipt moves a message, if it moves it.
#[must_use]
pub fn moves(state: MessageState, news: MessageState) -> Option<MessageState> {
    use MessageState::{
        Accepted, Cancelled, Delivered, Expired, Failed, Held, Planned, Queued, Read, Sending, Sent, Skipped, Unknown,
    };
    let rank = |s| match s {
        Sending | Unknown | Queued => 0,
        Accepted => 1,
        Sent => 2,
        Delivered => 3,
        Read => 4,
        Planned | Held | Skipped | Expired | Cancelled | Failed => i32::MAX,
    };
    match news {
        // Also what waits for another try: the one that we believed lost has arrived.
        Sent | Delivered | Read => (rank(news) > rank(state)).then_some(news),
        Failed => (rank(state) < rank(Delivered)).then_some(Failed),
        Planned | Held | Queued | Sending | Accepted | Skipped | Expired | Cancelled | Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn end_of(receipts: &[MessageState]) -> MessageState {
        receipts.iter().fold(MessageState::Accepted, |state, news| moves(state, *news).unwrap_or(state))
    }

    #[test]
    fn delivered_then_sent_stays_delivered_and_failed_after_delivered_too() {
        assert_eq!(end_of(&[MessageState::Delivered, MessageState::Sent]), MessageState::Delivered);
        assert_eq!(end_of(&[MessageState::Delivered, MessageState::Failed]), MessageState::Delivered);
        assert_eq!(end_of(&[MessageState::Failed, MessageState::Sent]), MessageState::Failed);
    }

    #[test]
    fn what_was_in_doubt_is_cleared_up_by_its_receipt() {
        assert_eq!(moves(MessageState::Unknown, MessageState::Delivered), Some(MessageState::Delivered));
        assert_eq!(moves(MessageState::Cancelled, MessageState::Delivered), None);
    }

    proptest! {
        #[test]
        fn any_order_of_progress_ends_the_same(order in Just(vec![MessageState::Sent, MessageState::Delivered, MessageState::Read, MessageState::Sent, MessageState::Delivered]).prop_shuffle()) {
            prop_assert_eq!(end_of(&order), MessageState::Read);
        }
    }
}
