//! What Meta sends: the question whether the webhook is ours, people's messages, and the states of ours.
//!
//! A business account may have several numbers and one webhook: what is for another number is passed over. States come
//! in any order; whoever applies them never moves one back.

use reqwest::Method;
use serde_json::Value;

use super::Settings;
use super::codes::CODES;
use crate::clock::Time;
use crate::gateway::answer::scalar;
use crate::gateway::codes::means;
use crate::gateway::incoming::{Read, gather, malformed, pairs, with_plus};
use crate::gateway::signature::{Written, same, sha256};
use crate::gateway::{Incoming, Rejected, Request, WHATSAPP_BODY_LIMIT};
use crate::model::{Address, Body, Extras, Media, MessageState};

/// Checks the signature, or the token of a GET; then reads.
pub(super) fn parse(settings: &Settings, request: &Request<'_>) -> Result<Read, Rejected> {
    if request.body.len() > WHATSAPP_BODY_LIMIT || request.query.len() > WHATSAPP_BODY_LIMIT {
        return Err(Rejected::TooLarge);
    }
    if *request.method == Method::GET {
        let fields = pairs(request.query.as_bytes());
        let given = fields.iter().find(|(name, _)| name == "hub.verify_token").map_or(&[][..], |(_, value)| value);
        if !same(given, &settings.verify_token) {
            return Err(Rejected::Unauthorised);
        }
        return challenge(request)
            .map(|_| Read::default())
            .ok_or_else(|| malformed("hub.mode or hub.challenge is not as it should be"));
    }
    let given = request.headers.get("x-hub-signature-256").map(reqwest::header::HeaderValue::as_bytes);
    let right = sha256(&settings.app_secret, &[request.body], Written::Hex);
    if settings.app_secret.is_empty() || !given.and_then(|g| g.strip_prefix(b"sha256=")).is_some_and(|given| same(given, &right))
    {
        return Err(Rejected::Unauthorised);
    }
    let json: Value = serde_json::from_slice(request.body).map_err(|_| malformed("the body is not JSON"))?;
    let entries = json.get("entry").and_then(Value::as_array).ok_or_else(|| malformed("there is no list `entry`"))?;
    let changes = entries.iter().filter_map(|entry| entry.get("changes")?.as_array()).flatten();
    let ours = |value: &&Value| {
        let id = value.pointer("/metadata/phone_number_id").and_then(scalar);
        id.is_none_or(|id| id == settings.phone_number_id)
    };
    let values: Vec<&Value> = changes.filter_map(|change| change.get("value")).filter(ours).collect();
    let list = |key: &'static str| values.iter().filter_map(move |value| value.get(key)?.as_array()).flatten();
    gather(list("messages").map(message).chain(list("statuses").map(status)))
}

/// What a GET that sets the webhook up wants to hear: letters and digits only.
pub(super) fn challenge(request: &Request<'_>) -> Option<String> {
    if *request.method != Method::GET {
        return None;
    }
    let fields = pairs(request.query.as_bytes());
    let field =
        |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| String::from_utf8_lossy(value).into_owned());
    let challenge =
        field("hub.challenge").filter(|text| (1..=200).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric()));
    (field("hub.mode").as_deref() == Some("subscribe")).then_some(challenge).flatten()
}

fn at(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).and_then(scalar).filter(|text| !text.is_empty())
}

/// `None` for what is no message to us: a reaction, words in a group.
fn message(item: &Value) -> Result<Option<Incoming>, &'static str> {
    let from = at(item, "/from").ok_or("the sender of a message is missing")?;
    let kind = at(item, "/type").unwrap_or_default();
    if kind == "reaction" || item.get("group_id").is_some() {
        return Ok(None);
    }
    let media = match kind.as_str() {
        "text" | "button" => None,
        "interactive" => None,
        "image" => Some(Media::Photo),
        "audio" => Some(Media::Voice),
        "video" => Some(Media::Video),
        "document" => Some(Media::File),
        "sticker" => Some(Media::Sticker),
        "location" => Some(Media::Location),
        "contacts" => Some(Media::Contact),
        _ => Some(Media::Other),
    };
    // A pressed button or row says what we gave it, not what it shows.
    let places: &[&str] = match kind.as_str() {
        "text" => &["/text/body"],
        "button" => &["/button/payload", "/button/text"],
        "interactive" => &["/interactive/button_reply/id", "/interactive/list_reply/id"],
        "image" => &["/image/caption"],
        "video" => &["/video/caption"],
        "document" => &["/document/caption"],
        _ => &[],
    };
    let text = places.iter().find_map(|place| at(item, place)).unwrap_or_default();
    // A form that was filled in, or whatever comes next: somebody must look.
    let media = media.or_else(|| (text.is_empty() && kind == "interactive").then_some(Media::Other));
    Ok(Some(Incoming::Message {
        from: Address::new(with_plus(&from)),
        to: None,
        text: Body::new(text),
        provider_id: at(item, "/id"),
        provider_time: at(item, "/timestamp").and_then(|t| t.parse::<i64>().ok()?.checked_mul(1000)).map(Time),
        extras: Extras { media, ..Extras::default() },
    }))
}

/// `None` for a state that tells nothing new.
fn status(item: &Value) -> Result<Option<Incoming>, &'static str> {
    let word = at(item, "/status").ok_or("the state of a status is missing")?;
    let state = match word.as_str() {
        "sent" => MessageState::Sent,
        "delivered" => MessageState::Delivered,
        // A voice note that was played was read.
        "read" | "played" => MessageState::Read,
        "failed" => MessageState::Failed,
        "deleted" | "warning" | "pending" => return Ok(None),
        _ => return Err("the state is not one that is known"),
    };
    let (reference, provider_id) = (at(item, "/biz_opaque_callback_data"), at(item, "/id"));
    if reference.is_none() && provider_id.is_none() {
        return Err("neither the reference nor the id of a status names a message");
    }
    let code = at(item, "/errors/0/code").and_then(|code| code.parse::<u32>().ok()).filter(|_| state == MessageState::Failed);
    Ok(Some(Incoming::Receipt {
        reference,
        provider_id,
        state,
        code: Some(code.map_or(word, |code| code.to_string())),
        means: code.and_then(|code| means(CODES, code)),
    }))
}
