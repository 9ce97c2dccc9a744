//! Long texts that came in parts are read as one. Pure.
//!
//! A part waits for the others a short while. One with a red flag waits for nobody, and after the while what is there is read as it
//! is: a cry for help is not lost for a part that never came.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::{SLACK, Time};
use crate::model::Priority;
use crate::store::inbox::Waiting;

/// How long a part waits for the others.
const WAITS: Duration = Duration::from_secs(20);

/// The texts of a batch, put together.
pub(super) struct Parts<'a> {
    /// What is to be read now.
    pub(super) texts: Vec<Cow<'a, Waiting>>,
    /// Rows whose words stand in another one.
    pub(super) joined: Vec<i64>,
    /// Rows that wait for the rest, behind everything else.
    pub(super) waiting: Vec<i64>,
}

/// Puts the parts among the rows together.
pub(super) fn join(rows: &[Waiting], now: Time) -> Parts<'_> {
    let mut parts = Parts { texts: Vec::new(), joined: Vec::new(), waiting: Vec::new() };
    let mut of_one: BTreeMap<(&str, &str), Vec<&Waiting>> = BTreeMap::new();
    for row in rows.iter().filter(|r| r.kind == "message") {
        if row.part_count > 1 {
            of_one.entry((&row.address_hash, &row.part_of)).or_default().push(row);
        } else {
            parts.texts.push(Cow::Borrowed(row));
        }
    }
    for mut found in of_one.into_values() {
        found.sort_by_key(|r| (r.part_number, r.id));
        found.dedup_by_key(|r| r.part_number);
        let whole = i64::try_from(found.len()).is_ok_and(|n| n >= found[0].part_count);
        let red = found.iter().any(|r| r.priority == Priority::CRISIS.0);
        let first = found.iter().map(|r| Time(r.received_at)).min().unwrap_or(now);
        // Also what a clock that was ahead has dated: it would wait for ever.
        let over = now.since(first) >= WAITS || first > now.plus(SLACK);
        if !(whole || red || over) {
            parts.waiting.extend(found.iter().filter(|r| r.priority < Priority::LAST.0).map(|r| r.id));
            continue;
        }
        let body = found.iter().map(|r| r.body.as_str()).collect();
        let priority = if red { Priority::CRISIS.0 } else { found[0].priority };
        parts.texts.push(Cow::Owned(Waiting { body, priority, ..found[0].clone() }));
        parts.joined.extend(found[1..].iter().map(|r| r.id));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(id: i64, number: i64, body: &str) -> Waiting {
        Waiting {
            id,
            gateway: "sms".into(),
            kind: "message".into(),
            channel: "sms".into(),
            address: "+17185550117".into(),
            address_hash: "hash".into(),
            body: body.into(),
            reference: String::new(),
            provider_id: String::new(),
            receipt: String::new(),
            code: String::new(),
            priority: Priority::ANSWER.0,
            tries: 0,
            received_at: 1_000,
            media: String::new(),
            part_of: "7".into(),
            part_number: number,
            part_count: 2,
            start_token: String::new(),
            answered: String::new(),
            means: String::new(),
        }
    }

    #[test]
    fn two_halves_in_the_wrong_order_are_one_text() {
        let rows = [part(1, 2, "and I feel fine"), part(2, 1, "182.4 this morning ")];
        let parts = join(&rows, Time(2_000));
        assert_eq!(
            parts.texts.iter().map(|t| (t.id, t.body.as_str())).collect::<Vec<_>>(),
            [(2, "182.4 this morning and I feel fine")]
        );
        assert_eq!((parts.joined, parts.waiting), (vec![1], vec![]));
    }

    #[test]
    fn a_half_waits_a_while_and_no_longer_and_a_cry_for_help_not_at_all() {
        let half = [part(1, 1, "182.4 this")];
        assert_eq!(join(&half, Time(2_000)).waiting, [1]);
        assert_eq!(join(&half, Time(30_000)).texts.len(), 1);
        let cry = [Waiting { priority: Priority::CRISIS.0, ..part(1, 1, "i cant breathe and") }];
        assert_eq!(join(&cry, Time(2_000)).texts.len(), 1);
        let told = [Waiting { priority: Priority::LAST.0, ..part(1, 1, "182.4 this") }];
        let parts = join(&told, Time(2_000));
        assert!(parts.waiting.is_empty() && parts.texts.is_empty(), "it stands at the end already");
    }
}
