//! What a provider's answer means. Pure.
//!
//! The success test comes first, then the failure rules of the configuration in their order, then what HTTP
//! itself says. Where nothing says, the answer to "was it sent?" is [`SendError::Unknown`].
//!
//! | Answer that no rule names | Decision | Why |
//! |---|---|---|
//! | 2xx, success test not met | unknown | the provider took something |
//! | 3xx | misconfigured | redirects are not followed: they would carry passwords elsewhere |
//! | 400, 413, 422 | refused | about this message, perhaps about our template: nothing against the address |
//! | 429, 503 | busy | by definition refused (RFC 6585, 4; RFC 9110, 15.6.4) |
//! | 408 and other 5xx | unknown | may come after the message was taken, or from a proxy in between |
//! | other 4xx | misconfigured | wrong password, path or account: the same for every message |
//!
//! Only a rule can say unreachable or blocked: both close a contact, and a mistake in a template, which draws
//! the same 400 for every message of a morning, would close everybody's.

use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use serde_json::Value;

use super::{Accepted, SendError};
use crate::model::Meaning;

/// The longest wait that a provider can ask for.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// One status, or a hundred of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Statuses {
    first: u16,
    last: u16,
}

impl std::str::FromStr for Statuses {
    type Err = String;

    /// `202` or `5xx`.
    fn from_str(text: &str) -> Result<Statuses, String> {
        let wrong = || format!("`{text}` is not a status: write it like \"202\" or \"5xx\"");
        let number = |digits: &str| digits.parse::<u16>().map_err(|_| wrong());
        let range = if let Some(hundred) = text.strip_suffix("xx") {
            let first = number(hundred)?.saturating_mul(100);
            (first, first.saturating_add(99))
        } else {
            (number(text)?, number(text)?)
        };
        if range.0 < 100 || range.1 > 599 {
            return Err(wrong());
        }
        Ok(Statuses { first: range.0, last: range.1 })
    }
}

/// Conditions on an answer; all that are given must hold, of the texts in a list any one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Test {
    /// Any status if empty.
    pub(super) statuses: Vec<Statuses>,
    pub(super) starts_with: Vec<String>,
    pub(super) contains: Vec<String>,
    /// A JSON pointer and the values that may stand there; with none, something must stand there.
    pub(super) json: Option<(String, Vec<String>)>,
}

/// One failure rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) test: Test,
    pub(super) meaning: Meaning,
    /// For people; `http-<status>` if not given.
    pub(super) code: Option<String>,
}

/// Where the provider's id stands in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum IdAt {
    Json(String),
    /// After this text, to the next white space.
    After(String),
    Header(String),
}

/// How to read answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Answers {
    pub(super) success: Test,
    pub(super) failures: Vec<Failure>,
    pub(super) id: Option<IdAt>,
}

impl Answers {
    /// Decides.
    pub(super) fn decide(&self, status: u16, headers: &HeaderMap, body: &[u8]) -> Result<Accepted, SendError> {
        let text = String::from_utf8_lossy(body);
        let json = serde_json::from_slice::<Value>(body).ok();
        if self.success.holds(status, &text, json.as_ref()) {
            return Ok(Accepted { provider_id: self.id.as_ref().and_then(|id| id.find(headers, &text, json.as_ref())) });
        }
        let rule = self.failures.iter().find(|rule| rule.test.holds(status, &text, json.as_ref()));
        let meaning = rule.map_or_else(|| by_status(status), |rule| rule.meaning);
        let code = rule.and_then(|rule| rule.code.clone()).unwrap_or_else(|| format!("http-{status}"));
        Err(decided(meaning, code, retry_after(headers)))
    }
}

impl Test {
    fn holds(&self, status: u16, text: &str, json: Option<&Value>) -> bool {
        (self.statuses.is_empty() || self.statuses.iter().any(|s| (s.first..=s.last).contains(&status)))
            && (self.starts_with.is_empty() || self.starts_with.iter().any(|start| text.starts_with(start)))
            && (self.contains.is_empty() || self.contains.iter().any(|part| text.contains(part)))
            && self.json.as_ref().is_none_or(|(pointer, values)| {
                let found = json.and_then(|json| json.pointer(pointer)).and_then(scalar);
                found.is_some_and(|found| values.is_empty() || values.contains(&found))
            })
    }
}

impl IdAt {
    fn find(&self, headers: &HeaderMap, text: &str, json: Option<&Value>) -> Option<String> {
        let found = match self {
            IdAt::Json(pointer) => scalar(json?.pointer(pointer)?)?,
            IdAt::After(prefix) => text.split_once(prefix.as_str())?.1.split_whitespace().next()?.to_owned(),
            IdAt::Header(name) => headers.get(name)?.to_str().ok()?.to_owned(),
        };
        (!found.is_empty() && found.len() <= 200).then_some(found)
    }
}

/// A JSON text, number or truth value as text; nothing for the rest.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A meaning as a decision.
pub(super) fn decided(meaning: Meaning, code: String, retry_after: Option<Duration>) -> SendError {
    match meaning {
        Meaning::Busy => SendError::Busy { retry_after },
        Meaning::Unknown => SendError::Unknown,
        Meaning::Blocked => SendError::Blocked,
        Meaning::Unreachable => SendError::Unreachable { code },
        Meaning::Refused => SendError::Refused { code },
        Meaning::Misconfigured => SendError::Misconfigured { code },
    }
}

/// What HTTP itself says.
pub(super) fn by_status(status: u16) -> Meaning {
    match status {
        429 | 503 => Meaning::Busy,
        400 | 413 | 422 => Meaning::Refused,
        408 => Meaning::Unknown,
        300..=399 | 401..=499 => Meaning::Misconfigured,
        _ => Meaning::Unknown,
    }
}

/// `Retry-After` (RFC 9110, 10.2.3): seconds, or a date. A date is measured against the answer's own `Date`, so
/// that our clock need not agree with theirs. Without one it says nothing, and neither do 0 and the past: the
/// caller's own back-off is then the longer wait.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => Duration::try_from(http_date(text)?.duration_since(http_date(headers.get(DATE)?.to_str().ok()?)?)).ok()?,
    };
    (!wait.is_zero()).then_some(wait.min(LONGEST_WAIT))
}

/// `Wed, 21 Oct 2026 07:28:00 GMT`, the one form that may be sent today (RFC 9110, 5.6.7).
fn http_date(text: &str) -> Option<jiff::Timestamp> {
    jiff::fmt::rfc2822::parse(text.trim()).ok().map(|date| date.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok_on_200_with_json() -> Answers {
        Answers {
            success: Test {
                statuses: vec!["2xx".parse().expect("statuses")],
                json: Some(("/messages/0/status".to_owned(), vec!["0".to_owned(), "queued".to_owned()])),
                ..Test::default()
            },
            failures: vec![Failure {
                test: Test { json: Some(("/messages/0/status".to_owned(), vec!["7".to_owned()])), ..Test::default() },
                meaning: Meaning::Blocked,
                code: None,
            }],
            id: Some(IdAt::Json("/messages/0/id".to_owned())),
        }
    }

    #[test]
    fn a_200_is_believed_only_with_the_words_that_mean_yes() {
        let decide = |status, body: &str| ok_on_200_with_json().decide(status, &HeaderMap::new(), body.as_bytes());
        let yes = Accepted { provider_id: Some("m-9".to_owned()) };
        assert_eq!(decide(200, r#"{"messages":[{"status":0,"id":"m-9"}]}"#), Ok(yes.clone()));
        assert_eq!(decide(201, r#"{"messages":[{"status":"queued","id":"m-9"}]}"#), Ok(yes));
        assert_eq!(decide(200, r#"{"messages":[{"status":7}]}"#), Err(SendError::Blocked));
        assert_eq!(decide(200, r#"{"messages":[{"status":99}]}"#), Err(SendError::Unknown));
        assert_eq!(decide(200, "<html>proxy</html>"), Err(SendError::Unknown));
    }

    #[test]
    fn what_no_rule_names_is_decided_by_http_and_doubt_is_never_called_busy() {
        let decide = |status| Answers::default_for_test().decide(status, &HeaderMap::new(), b"").expect_err("no success");
        let code = |status: u16| format!("http-{status}");
        for status in [500, 502, 504, 408, 204, 599] {
            assert_eq!(decide(status), SendError::Unknown, "{status}");
        }
        for status in [429, 503] {
            assert_eq!(decide(status), SendError::Busy { retry_after: None }, "{status}");
        }
        for status in [400, 413, 422] {
            assert_eq!(decide(status), SendError::Refused { code: code(status) }, "{status}");
        }
        for status in [301, 302, 307, 401, 403, 404, 405] {
            assert_eq!(decide(status), SendError::Misconfigured { code: code(status) }, "{status}");
        }
    }

    #[test]
    fn no_status_of_its_own_closes_a_contact_only_a_rule_does() {
        let closes = |error: &SendError| matches!(error, SendError::Unreachable { .. } | SendError::Blocked);
        for status in (100..=599).filter(|status| *status != 202) {
            let error = Answers::default_for_test().decide(status, &HeaderMap::new(), b"").expect_err("no success");
            assert!(!closes(&error), "{status}: {error}");
        }
        let rule = |word: &str| Failure {
            test: Test { contains: vec![format!("<{word}>")], ..Test::default() },
            meaning: word.parse().expect("a meaning"),
            code: Some(word.to_owned()),
        };
        let answers = Answers { failures: vec![rule("unreachable"), rule("refused")], ..Answers::default_for_test() };
        let decide = |body: &str| answers.decide(400, &HeaderMap::new(), body.as_bytes()).expect_err("no success");
        assert_eq!(decide("<unreachable>"), SendError::Unreachable { code: "unreachable".to_owned() });
        assert_eq!(decide("<refused>"), SendError::Refused { code: "refused".to_owned() });
        assert_eq!(decide("unknown field `mesage`"), SendError::Refused { code: "http-400".to_owned() });
    }

    #[test]
    fn a_provider_cannot_ask_us_to_wait_for_days() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "999999999".parse().expect("a header"));
        assert_eq!(retry_after(&headers), Some(LONGEST_WAIT));
        headers.insert(RETRY_AFTER, "Wed, 21 Oct 2026 07:28:00 GMT".parse().expect("a header"));
        headers.insert(DATE, "Tue, 20 Oct 2026 07:28:00 GMT".parse().expect("a header"));
        assert_eq!(retry_after(&headers), Some(LONGEST_WAIT));
    }

    #[test]
    fn a_date_to_come_back_at_is_measured_by_the_provider_s_own_clock() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "Wed, 21 Oct 2026 07:28:00 GMT".parse().expect("a header"));
        assert_eq!(retry_after(&headers), None, "their time is not known");
        headers.insert(DATE, "Wed, 21 Oct 2026 07:26:30 GMT".parse().expect("a header"));
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(90)));
        headers.insert(DATE, "Wed, 21 Oct 2026 07:29:00 GMT".parse().expect("a header"));
        assert_eq!(retry_after(&headers), None, "it has passed");
        for nothing in ["tomorrow", "0", "-5", "Tue, 21 Oct 2026 07:31:00 GMT"] {
            headers.insert(RETRY_AFTER, nothing.parse().expect("a header"));
            assert_eq!(retry_after(&headers), None, "{nothing}");
        }
    }

    #[test]
    fn statuses_are_one_or_a_hundred_and_an_id_may_follow_a_word() {
        assert!("20".parse::<Statuses>().is_err() && "9xx".parse::<Statuses>().is_err() && "ok".parse::<Statuses>().is_err());
        let id = IdAt::After("ID: ".to_owned());
        assert_eq!(id.find(&HeaderMap::new(), "OK ID: abc-1\r\n", None).as_deref(), Some("abc-1"));
        assert_eq!(id.find(&HeaderMap::new(), "OK", None), None);
    }

    impl Answers {
        fn default_for_test() -> Answers {
            Answers {
                success: Test { statuses: vec!["202".parse().expect("a status")], ..Test::default() },
                ..Answers::default()
            }
        }
    }
}
