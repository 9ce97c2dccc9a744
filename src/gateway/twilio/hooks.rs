//! What Twilio sends: people's messages, and the states of ours.
//!
//! Every request is signed with the account's token over the address as Twilio calls it. Behind a proxy that is the
//! public one, so it is taken from the configuration and never from the request.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use super::codes::CODES;
use super::{Settings, WHATSAPP};
use crate::gateway::codes::means;
use crate::gateway::incoming::{malformed, media_type, pairs, plain_code};
use crate::gateway::signature::{digest, same, sha1_base64};
use crate::gateway::{BODY_LIMIT, Hook, Incoming, Rejected, Request};
use crate::model::{Address, Body, Extras, Keyword, Media, MessageState};

/// Checks the signature, then reads.
pub(super) fn parse(settings: &Settings, request: &Request<'_>) -> Result<Vec<Incoming>, Rejected> {
    if request.body.len() > BODY_LIMIT || request.query.len() > BODY_LIMIT {
        return Err(Rejected::TooLarge);
    }
    let fields = Fields::read(request);
    let path = request.path_kind.path(&settings.name);
    if !is_signed(settings, request, &path, &fields) {
        return Err(Rejected::Unauthorised);
    }
    match request.path_kind {
        Hook::Inbound => message(&fields).map(|incoming| vec![incoming]),
        Hook::Receipt => receipt(&fields, &Fields(pairs(request.query.as_bytes()))).map(|news| news.into_iter().collect()),
    }
}

/// Names and values as sent.
struct Fields(Vec<(String, Vec<u8>)>);

impl Fields {
    /// Of the body; of the query if there is no body to come.
    fn read(request: &Request<'_>) -> Fields {
        Fields(pairs(if *request.method == Method::GET { request.query.as_bytes() } else { request.body }))
    }

    fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_slice())
    }

    /// A field that is there and not empty.
    fn text(&self, name: &str) -> Option<String> {
        let text = String::from_utf8_lossy(self.bytes(name)?).trim().to_owned();
        (!text.is_empty()).then_some(text)
    }
}

/// Whether `X-Twilio-Signature` is right: HMAC-SHA1 over the public address with its query and, for a form, over each
/// parameter and its value in the order of their names; for JSON over the address, which carries the body's hash.
fn is_signed(settings: &Settings, request: &Request<'_>, path: &str, fields: &Fields) -> bool {
    let Some(given) = request.headers.get("x-twilio-signature") else { return false };
    let json =
        request.headers.get(CONTENT_TYPE).is_some_and(|t| t.as_bytes().to_ascii_lowercase().starts_with(b"application/json"));
    let mut signed: Vec<&[u8]> = Vec::new();
    if json {
        let said = Fields(pairs(request.query.as_bytes()));
        let hash = digest(request.body);
        if !said.bytes("bodySHA256").is_some_and(|said| same(&said.to_ascii_lowercase(), &hash)) {
            return false;
        }
    } else if *request.method != Method::GET {
        let mut sorted: Vec<_> = fields.0.iter().map(|(name, value)| (name.as_bytes(), value.as_slice())).collect();
        sorted.sort_unstable();
        sorted.dedup();
        signed.extend(sorted.into_iter().flat_map(|(name, value)| [name, value]));
    }
    let question = if request.query.is_empty() { "" } else { "?" };
    // Twilio signs with the port, without it, or as it was written.
    addresses(&settings.public_url).iter().any(|public| {
        let mut parts: Vec<&[u8]> = vec![public.as_bytes(), path.as_bytes(), question.as_bytes(), request.query.as_bytes()];
        parts.extend(&signed);
        same(given.as_bytes(), &sha1_base64(&settings.auth_token, &parts))
    })
}

/// The public address, and the same with its standard port written out or left away.
fn addresses(public: &str) -> Vec<String> {
    let mut all = vec![public.to_owned()];
    for (scheme, port) in [("https://", ":443"), ("http://", ":80")] {
        let Some(rest) = public.strip_prefix(scheme) else { continue };
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        match host.strip_suffix(port) {
            Some(bare) => all.push(format!("{scheme}{bare}{path}")),
            None if !host[host.rfind(']').unwrap_or(0)..].contains(':') => all.push(format!("{scheme}{host}{port}{path}")),
            None => {}
        }
    }
    all
}

fn address(text: &str) -> Address {
    Address::new(text.strip_prefix(WHATSAPP).unwrap_or(text))
}

fn message(fields: &Fields) -> Result<Incoming, Rejected> {
    let from = fields.text("From").ok_or_else(|| malformed("the field From is missing or empty"))?;
    // A pressed button says what we gave it, not what it shows.
    let text = fields.text("ButtonPayload").map_or_else(|| fields.bytes("Body").unwrap_or_default().to_vec(), String::into_bytes);
    let pictures = fields.text("NumMedia").and_then(|n| n.parse::<u32>().ok()).unwrap_or(0);
    let media = if pictures > 0 {
        Some(fields.text("MediaContentType0").map_or(Media::Other, |kind| media_type(&kind)))
    } else if fields.text("Latitude").is_some() {
        Some(Media::Location)
    } else {
        None
    };
    let answered = match fields.text("OptOutType").as_deref() {
        Some("STOP") => Some(Keyword::Stop),
        Some("START") => Some(Keyword::Start),
        Some("HELP") => Some(Keyword::Help),
        _ => None,
    };
    Ok(Incoming::Message {
        from: address(&from),
        to: fields.text("To").map(|to| address(&to)),
        text: Body::new(String::from_utf8_lossy(&text)),
        provider_id: fields.text("MessageSid").or_else(|| fields.text("SmsSid")),
        provider_time: None,
        extras: Extras { media, answered, ..Extras::default() },
    })
}

/// `None` for a state that tells nothing new.
fn receipt(fields: &Fields, query: &Fields) -> Result<Option<Incoming>, Rejected> {
    let word = fields.text("MessageStatus").or_else(|| fields.text("SmsStatus"));
    let state = match word.as_deref() {
        Some("accepted" | "scheduled" | "queued" | "sending" | "receiving" | "received") => return Ok(None),
        Some("sent") => MessageState::Sent,
        Some("delivered") => MessageState::Delivered,
        Some("read") => MessageState::Read,
        // Half a message is none.
        Some("failed" | "undelivered" | "canceled" | "partially_delivered") => MessageState::Failed,
        Some(_) => return Err(malformed("the state is not one that is known")),
        None => return Err(malformed("the field MessageStatus is missing or empty")),
    };
    let reference = query.text("ref");
    let provider_id = fields.text("MessageSid").or_else(|| fields.text("SmsSid"));
    if reference.is_none() && provider_id.is_none() {
        return Err(malformed("neither the reference nor MessageSid names a message"));
    }
    let number = fields.text("ErrorCode").filter(|code| code != "0");
    let means =
        number.as_ref().and_then(|n| n.parse().ok()).and_then(|n| means(CODES, n)).filter(|_| state == MessageState::Failed);
    let code = number.or(word).and_then(|code| plain_code(&code));
    Ok(Some(Incoming::Receipt { reference, provider_id, state, code, means }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twilio_s_own_example_is_signed_as_twilio_says() {
        let mut params = [
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+12349013030"),
            ("Digits", "1234"),
            ("From", "+12349013030"),
            ("To", "+18005551212"),
        ];
        params.sort_unstable();
        let mut parts: Vec<&[u8]> = vec![b"https://mycompany.com/myapp.php?foo=1&bar=2"];
        parts.extend(params.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]));
        assert_eq!(sha1_base64("12345", &parts), "0/KCTR6DLpKmkAf8muzZqo1nDgQ=");
    }

    #[test]
    fn a_standard_port_may_be_written_out_or_left_away() {
        assert_eq!(addresses("https://a.example/x"), ["https://a.example/x", "https://a.example:443/x"]);
        assert_eq!(addresses("https://a.example:443"), ["https://a.example:443", "https://a.example"]);
        assert_eq!(addresses("http://127.0.0.1:8080"), ["http://127.0.0.1:8080"]);
        assert_eq!(addresses("http://[::1]"), ["http://[::1]", "http://[::1]:80"]);
    }
}
