//! When to try again. Pure.

use std::time::Duration;

use super::prepare::Ready;
use crate::clock::Time;
use crate::gateway::{Accepted, SendError};
use crate::model::Class;

/// How long a channel that is set up wrongly rests before the next try.
const REST: Duration = Duration::from_secs(5 * 60);

const LONGEST: Duration = Duration::from_secs(5 * 60);

/// When a message is tried again by the same contact (machine time); `None` if it is not. `fraction` is random, from 0 to 1.
pub(super) fn again(ready: &Ready, answer: &Result<Accepted, SendError>, now: Time, fraction: f64) -> Option<Time> {
    match answer {
        Err(SendError::Busy { retry_after }) => Some(now.plus(back_off(ready.class, ready.n, *retry_after, fraction))),
        Err(SendError::Misconfigured { .. }) => Some(now.plus(REST)),
        _ => None,
    }
}

/// How long to wait before the next attempt: full jitter over a range that doubles, and never less than
/// the provider asked for. `fraction` is random, from 0 to 1. Crisis replies start at one second.
#[must_use]
pub(super) fn back_off(class: Class, attempt: i64, retry_after: Option<Duration>, fraction: f64) -> Duration {
    let first = if class == Class::Crisis { Duration::from_secs(1) } else { Duration::from_secs(5) };
    let doublings = u32::try_from(attempt.clamp(1, 12) - 1).unwrap_or(0);
    let range = first.saturating_mul(1 << doublings).min(LONGEST);
    match retry_after {
        // A tenth more at the most, so that not all come back in the same instant.
        Some(asked) => asked.min(LONGEST) + asked.min(LONGEST).mul_f64(0.1 * fraction),
        None => range.mul_f64(fraction).max(Duration::from_millis(200)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn waits_are_bounded_and_honour_the_provider(attempt in 1_i64..40, asked in proptest::option::of(0_u64..100_000), fraction in 0.0..1.0_f64) {
            let wait = back_off(Class::Reminder, attempt, asked.map(Duration::from_secs), fraction);
            prop_assert!(wait <= LONGEST.mul_f64(1.1));
            if let Some(asked) = asked {
                prop_assert!(wait >= Duration::from_secs(asked).min(LONGEST));
            }
        }
    }

    #[test]
    fn the_range_doubles_and_a_crisis_reply_comes_back_sooner() {
        assert_eq!(back_off(Class::Reminder, 3, None, 1.0), Duration::from_secs(20));
        assert_eq!(back_off(Class::Crisis, 3, None, 1.0), Duration::from_secs(4));
    }
}
