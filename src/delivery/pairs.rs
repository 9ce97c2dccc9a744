//! The pause between two messages to one address, where a provider asks for one. Pure.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// So many addresses are remembered before those that may be written to again are forgotten.
const MOST: usize = 1000;

/// When each address may be written to again.
#[derive(Debug, Default)]
pub(super) struct Pairs(HashMap<String, Instant>);

impl Pairs {
    /// When a message may go that is ready at `now`; the next one not before `pause` later.
    pub(super) fn turn(&mut self, to: &str, now: Instant, pause: Duration) -> Instant {
        if self.0.len() >= MOST {
            self.0.retain(|_, next| *next > now);
        }
        let next = self.0.entry(to.to_owned()).or_insert(now);
        let turn = (*next).max(now);
        *next = turn + pause;
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_chat_gets_one_a_second_and_no_other_waits_for_it() {
        let (mut pairs, now, second) = (Pairs::default(), Instant::now(), Duration::from_secs(1));
        let turns: Vec<Duration> = (0..3).map(|_| pairs.turn("a", now, second) - now).collect();
        assert_eq!(turns, [Duration::ZERO, second, 2 * second]);
        assert_eq!(pairs.turn("b", now, second), now);
        let later = now + Duration::from_secs(10);
        assert_eq!(pairs.turn("a", later, second), later);
        for n in 0..5 * MOST {
            pairs.turn(&n.to_string(), later + second * u32::try_from(n).expect("small"), second);
        }
        assert!(pairs.0.len() <= MOST, "those that wait for nothing are forgotten");
    }
}
