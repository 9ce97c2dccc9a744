//! Randomness that is passed in: seeded from the machine in production, from a number in tests.

use std::sync::Mutex;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// A source of randomness.
#[derive(Debug)]
pub struct Dice(Mutex<StdRng>);

impl Dice {
    /// The same throws every time for the same seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Dice {
        Dice(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    /// Seeded by the machine: cannot be guessed.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for randomness")]
    pub fn from_machine() -> Dice {
        Dice(Mutex::new(StdRng::from_rng(&mut rand::rng())))
    }

    fn bits(&self) -> u64 {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next_u64()
    }

    /// 26 letters and digits of base32: 130 bits that cannot be guessed.
    #[must_use]
    pub fn token(&self) -> String {
        const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let mut token = String::with_capacity(26);
        while token.len() < 26 {
            let mut bits = self.bits();
            for _ in 0..12 {
                if token.len() < 26 {
                    token.push(char::from(ALPHABET[(bits & 31) as usize]));
                    bits >>= 5;
                }
            }
        }
        token
    }

    /// From 0 (inclusive) to 1 (exclusive).
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "53 bits are all that a fraction holds")]
    pub fn fraction(&self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 to `n` - 1; 0 if `n` is 0.
    #[must_use]
    pub fn below(&self, n: usize) -> usize {
        usize::try_from(self.bits() % (n.max(1) as u64)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_differ_and_a_seed_repeats_itself() {
        let dice = Dice::seeded(7);
        let token = dice.token();
        assert_eq!(token.len(), 26);
        assert_ne!(token, dice.token());
        assert_eq!(token, Dice::seeded(7).token());
        assert!((0..100).all(|_| dice.below(3) < 3 && dice.fraction() < 1.0));
    }
}
