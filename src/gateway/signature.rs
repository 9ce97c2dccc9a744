//! Signatures by which providers prove that a request is theirs. Pure; compared in constant time.
//!
//! A signature over a time is good for a while only, so that a request that somebody has recorded cannot be played again
//! next week. (Within that while the inbox knows what it has.)

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Request;
use crate::clock::Time;
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

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(String),
    Body,
    Query,
    Timestamp,
}

/// How a gateway that is described in the configuration signs: HMAC-SHA256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scheme {
    pub(super) header: String,
    /// What stands in the header before the signature.
    pub(super) prefix: String,
    pub(super) written: Written,
    pub(super) over: Vec<Piece>,
    /// The header with the time in seconds, and how far from ours it may be.
    pub(super) timestamp: Option<(String, Duration)>,
}

impl Scheme {
    /// Reads what is signed: `{body}{timestamp}`.
    pub(super) fn over(text: &str) -> Result<Vec<Piece>, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, further) = after.split_once('}').ok_or("a brace is not closed")?;
            if !before.is_empty() {
                pieces.push(Piece::Literal(before.to_owned()));
            }
            pieces.push(match name {
                "body" => Piece::Body,
                "query" => Piece::Query,
                "timestamp" => Piece::Timestamp,
                _ => return Err(format!("`{{{name}}}` cannot be signed: use {{body}}, {{query}} and {{timestamp}}")),
            });
            rest = further;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        if pieces.contains(&Piece::Body) { Ok(pieces) } else { Err("the {body} must be signed".to_owned()) }
    }

    /// Whether a request carries the signature of who has the key, and a time near ours.
    pub(super) fn holds(&self, key: &str, request: &Request<'_>) -> bool {
        let header = |name: &str| request.headers.get(name).map(reqwest::header::HeaderValue::as_bytes);
        let timestamp = match &self.timestamp {
            None => &[][..],
            Some((name, tolerance)) => match header(name).filter(|text| is_near(text, request.at, *tolerance)) {
                Some(text) => text,
                None => return false,
            },
        };
        let parts: Vec<&[u8]> = self
            .over
            .iter()
            .map(|piece| match piece {
                Piece::Literal(text) => text.as_bytes(),
                Piece::Body => request.body,
                Piece::Query => request.query.as_bytes(),
                Piece::Timestamp => timestamp,
            })
            .collect();
        let right = sha256(key, &parts, self.written);
        let given = header(&self.header).and_then(|given| given.strip_prefix(self.prefix.as_bytes()));
        given.is_some_and(|given| match self.written {
            Written::Hex => same(&given.to_ascii_lowercase(), &right),
            Written::Base64 => same(given, &right),
        })
    }
}

fn is_near(text: &[u8], now: Time, tolerance: Duration) -> bool {
    let said = std::str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok()?.checked_mul(1000)).map(Time);
    said.is_some_and(|said| now.since(said).max(said.since(now)) <= tolerance)
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
