//! Time-ordered ids made by the program, so that both databases and the tests agree.
//!
//! 41 bits of milliseconds since 2024-01-01, 10 bits of node, 12 bits of sequence. People and URLs
//! see 13 characters of Crockford base32; an id is never a number in JSON.

use std::fmt;
use std::str::FromStr;
use std::sync::Mutex;

use crate::clock::Time;

const EPOCH_MS: i64 = 1_704_067_200_000;
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The identity of a row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub i64);

/// Text that is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id: ids have 13 letters and digits")]
pub struct IdError;

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [b'0'; 13];
        let mut rest = self.0.cast_unsigned();
        for slot in text.iter_mut().rev() {
            *slot = ALPHABET[(rest & 31) as usize];
            rest >>= 5;
        }
        text.iter().try_for_each(|b| fmt::Write::write_char(f, char::from(*b)))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Id {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Id, IdError> {
        if s.len() != 13 {
            return Err(IdError);
        }
        let mut value: u64 = 0;
        for byte in s.bytes() {
            let digit = ALPHABET.iter().position(|a| *a == byte.to_ascii_lowercase()).ok_or(IdError)?;
            value = value.checked_mul(32).and_then(|v| v.checked_add(digit as u64)).ok_or(IdError)?;
        }
        i64::try_from(value).map(Id).map_err(|_| IdError)
    }
}

/// Bytes as lower-case hexadecimal digits: hashes as they are stored and compared.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte: &u8| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    bytes.iter().flat_map(digits).map(char::from).collect()
}

/// Makes ids. One a process; its node number is leased in the database.
#[derive(Debug)]
pub struct IdSource {
    node: i64,
    last: Mutex<(i64, i64)>,
}

impl IdSource {
    /// A source for `node` (0–1023) that never goes below `floor`, the highest time that the node has used.
    #[must_use]
    pub fn new(node: i64, floor: Time) -> IdSource {
        IdSource { node: node & 0x3ff, last: Mutex::new((floor.0 - EPOCH_MS, 0)) }
    }

    /// The node number.
    #[must_use]
    pub fn node(&self) -> i64 {
        self.node
    }

    /// The next id. Rises always, also when `now` stands still or goes back.
    ///
    /// # Panics
    /// Never in practice: the lock is not held across anything that can panic.
    #[must_use]
    pub fn next(&self, now: Time) -> Id {
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let ms = now.0 - EPOCH_MS;
        *last = if ms > last.0 {
            (ms, 0)
        } else if last.1 < 0xfff {
            (last.0, last.1 + 1)
        } else {
            (last.0 + 1, 0)
        };
        Id((last.0 << 22) | (self.node << 12) | last.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_while_the_clock_stands_still_or_goes_back_and_read_back_from_text() {
        let source = IdSource::new(7, Time(EPOCH_MS));
        let mut last = source.next(Time(1_800_000_000_000));
        for step in 0..10_000 {
            let id = source.next(Time(1_800_000_000_000 - step));
            assert!(id > last);
            assert_eq!(id.to_string().parse(), Ok(id));
            assert!((id.0 >> 22) + EPOCH_MS >= 1_800_000_000_000, "a clock that goes back makes no earlier id");
            last = id;
        }
        assert!("zzzzzzzzzzzzz".parse::<Id>().is_err());
    }
}
