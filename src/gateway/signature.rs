//! Signatures by which providers prove that a request is theirs. Pure; compared in constant time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::model::hex;

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Hex,
    Base64,
}

impl std::str::FromStr for Written {
    type Err = String;

    fn from_str(word: &str) -> Result<Written, String> {
        match word {
            "hex" => Ok(Written::Hex),
            "base64" => Ok(Written::Base64),
            _ => Err(format!("`{word}` is not a way to write a signature: use hex or base64")),
        }
    }
}

/// HMAC-SHA1 in base64.
pub(super) fn sha1_base64(key: &str, parts: &[&[u8]]) -> String {
    Hmac::<Sha1>::new_from_slice(key.as_bytes())
        .map(|mut mac| {
            for part in parts {
                mac.update(part);
            }
            STANDARD.encode(mac.finalize().into_bytes())
        })
        .unwrap_or_default()
}

/// HMAC-SHA256.
pub(super) fn sha256(key: &str, parts: &[&[u8]], written: Written) -> String {
    Hmac::<Sha256>::new_from_slice(key.as_bytes())
        .map(|mut mac| {
            for part in parts {
                mac.update(part);
            }
            let code = mac.finalize().into_bytes();
            match written {
                Written::Hex => hex(&code),
                Written::Base64 => STANDARD.encode(code),
            }
        })
        .unwrap_or_default()
}

/// SHA-256 of a body in hexadecimal.
pub(super) fn digest(body: &[u8]) -> String {
    hex(&Sha256::digest(body))
}

/// Whether two texts are the same, in constant time; an empty one is never right.
pub(super) fn same(given: &[u8], right: &str) -> bool {
    !right.is_empty() && bool::from(given.ct_eq(right.as_bytes()))
}
