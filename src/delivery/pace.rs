//! When messages of paced gateways may leave. Pure.
//!
//! Each gateway with a limit, and each address with one, has a time at which the next message may leave; a message moves it on by
//! what it costs. So nothing comes in bursts, whatever the number of processes that share the times.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// No time to leave lies further ahead, in microseconds: a backlog waits in its lane, not in its pace.
const FURTHEST: i64 = 60_000_000;

/// What one message costs of one pace: whose, and how long until the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) key: String,
    /// In microseconds.
    pub(super) micros: i64,
}

impl Cost {
    /// Of a gateway that carries so many segments a second.
    pub(super) fn of_gateway(name: &str, per_second: f64, segments: i64) -> Cost {
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "some segments at a small rate")]
        let micros = (segments.max(1) as f64 * 1_000_000.0 / per_second).ceil() as i64;
        Cost { key: name.to_owned(), micros }
    }

    /// Of an address that may be written to so often only.
    pub(super) fn of_address(gateway: &str, hash: &str, pair: Duration) -> Cost {
        Cost { key: format!("{gateway}/{hash}"), micros: i64::try_from(pair.as_micros()).unwrap_or(i64::MAX) }
    }
}

/// The times at which the next ones may leave, in microseconds of shared machine time.
#[derive(Debug, Default)]
pub(super) struct Paces {
    next: HashMap<String, i64>,
    moved: BTreeMap<String, i64>,
}

impl Paces {
    /// As they stand.
    pub(super) fn new(next: Vec<(String, i64)>) -> Paces {
        Paces { next: next.into_iter().collect(), moved: BTreeMap::new() }
    }

    /// When a message of these costs may leave. What lies further ahead than any pace looks was written by a clock that was ahead.
    pub(super) fn slot(&self, costs: &[Cost], now: i64) -> i64 {
        let next = |cost: &Cost| self.next.get(&cost.key).copied().filter(|next| next.saturating_sub(now) < FURTHEST);
        costs.iter().filter_map(next).fold(now, i64::max)
    }

    /// It leaves then.
    pub(super) fn take(&mut self, costs: &[Cost], slot: i64) {
        for cost in costs {
            // What leaves without waiting, a crisis reply, is paid for by those behind it.
            let next = self.next.get(&cost.key).copied().filter(|next| next.saturating_sub(slot) < FURTHEST);
            let from = next.map_or(slot, |next| next.max(slot));
            let next = from.saturating_add(cost.micros);
            self.next.insert(cost.key.clone(), next);
            self.moved.insert(cost.key.clone(), next);
        }
    }

    /// What has moved.
    pub(super) fn moved(self) -> Vec<(String, i64)> {
        self.moved.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn thirty_segments_a_second_leave_every_thirty_third_of_it_and_one_chat_every_second() {
        let mut paces = Paces::new(Vec::new());
        let costs = [Cost::of_gateway("bot", 30.0, 1), Cost::of_address("bot", "ana", Duration::from_secs(1))];
        let first = paces.slot(&costs, 5_000);
        paces.take(&costs, first);
        assert_eq!((first, paces.slot(&costs[..1], 5_000), paces.slot(&costs, 5_000)), (5_000, 38_334, 1_005_000));
        let moved = paces.moved();
        assert_eq!(moved, [("bot".to_owned(), 38_334), ("bot/ana".to_owned(), 1_005_000)]);
    }

    #[test]
    fn a_crisis_reply_leaves_at_once_and_the_next_ones_pay_for_it() {
        let mut paces = Paces::new(vec![("sms".to_owned(), 9_000_000)]);
        paces.take(&[Cost::of_gateway("sms", 1.0, 3)], 1_000_000);
        assert_eq!(paces.slot(&[Cost::of_gateway("sms", 1.0, 1)], 2_000_000), 12_000_000);
    }

    proptest! {
        #[test]
        fn no_second_has_more_segments_than_the_limit(sizes in proptest::collection::vec(1_i64..6, 1..200), rate in 1_u32..100) {
            let mut paces = Paces::default();
            let rate = f64::from(rate);
            let (mut slots, mut now) = (Vec::new(), 0);
            for size in &sizes {
                let cost = [Cost::of_gateway("sms", rate, *size)];
                let slot = paces.slot(&cost, now);
                paces.take(&cost, slot);
                slots.push((slot, *size));
                now = slot;
            }
            for (begin, _) in &slots {
                let inside: i64 = slots.iter().filter(|(slot, _)| (0..1_000_000).contains(&(slot - begin))).map(|(_, size)| size).sum();
                // The last one begins within the second and may reach over its end.
                prop_assert!(f64::from(i32::try_from(inside).unwrap_or(i32::MAX)) <= rate + 6.0);
            }
        }
    }
}
