//! Reads how a provider speaks to us: where the secret stands and what the fields of both hooks are called.

use std::str::FromStr as _;
use std::time::Duration;

use reqwest::header::HeaderName;

use super::Reply;
use super::incoming::{Fields, InboundMap, ReceiptMap, SecretAt, TimeFormat};
use super::layers::Layers;
use super::signature::{Piece, Scheme, Written};
use super::template::Template;
use crate::model::{Media, MessageState};

/// Where providers put the shared secret, or what they sign with it; the query parameter `key` unless said otherwise.
pub(super) fn secret_at(layer: &Layers<'_>) -> SecretAt {
    if let Some(scheme) = layer.within("signature", signature) {
        for key in ["secret_query", "secret_header"] {
            if layer.text(key).is_some() {
                layer.fault(key, format!("a provider proves itself in one way: give `{key}` or `signature`"));
            }
        }
        return SecretAt::Signs(scheme);
    }
    match (layer.text("secret_query"), layer.text("secret_header")) {
        (query, None) => SecretAt::Query(query.unwrap_or_else(|| "key".to_owned())),
        (None, Some(header)) => {
            if HeaderName::from_str(&header).is_err() {
                layer.fault("secret_header", "`secret_header` is not the name of a header");
            }
            SecretAt::Header(header)
        }
        (Some(_), Some(header)) => {
            // A table that names a header overrides the preset's parameter.
            if layer.own.is_some_and(|own| own.has("secret_query")) {
                layer.fault("secret_header", "the secret comes in one place: give `secret_query` or `secret_header`");
            }
            SecretAt::Header(header)
        }
    }
}

fn signature(layer: &Layers<'_>) -> Scheme {
    let header = layer.need("header", "the header that carries it");
    let timestamp = layer.text("timestamp_header");
    for (key, name) in [("header", Some(&header)), ("timestamp_header", timestamp.as_ref())] {
        if name.is_some_and(|name| !name.is_empty() && HeaderName::from_str(name).is_err()) {
            layer.fault(key, format!("`signature.{key}` is not the name of a header"));
        }
    }
    let over = Scheme::over(&layer.text("over").unwrap_or_else(|| "{body}".to_owned())).unwrap_or_else(|what| {
        layer.fault("over", format!("`signature.over`: {what}"));
        Vec::new()
    });
    if over.contains(&Piece::Timestamp) != timestamp.is_some() {
        layer.fault("over", "a time that counts must be signed: `timestamp_header` and {timestamp} in `over` belong together");
    }
    let tolerance = Duration::from_secs(layer.int_in("tolerance_seconds", 1..=86_400, 300).unsigned_abs());
    Scheme {
        header,
        prefix: layer.text("prefix").unwrap_or_default(),
        written: layer.parsed("written").unwrap_or(Written::Hex),
        over,
        timestamp: timestamp.map(|name| (name, tolerance)),
    }
}

/// The fields of a person's message; `None` with a fault if one is missing.
pub(super) fn inbound(layer: &Layers<'_>) -> Option<InboundMap> {
    let fields = layer.parsed("fields").unwrap_or(Fields::Query);
    Some(InboundMap {
        fields,
        items: layer.text("items").map(|pointer| layer.pointer("items", pointer)),
        from: layer.field(fields, "from", true)?,
        to: layer.field(fields, "to", false),
        text: layer.field(fields, "text", true)?,
        id: layer.field(fields, "id", false),
        time: layer.field(fields, "time", false),
        time_format: layer.parsed("time_format").unwrap_or(TimeFormat::Seconds),
        charset: layer.field(fields, "charset", false),
        from_or: layer.field(fields, "from_or", false),
        event: event(layer, fields),
        part: part(layer, fields),
        media: media(layer, fields),
    })
}

fn event(layer: &Layers<'_>, fields: Fields) -> Option<(String, Vec<String>)> {
    let (field, words) = (layer.field(fields, "event", false), layer.texts("events"));
    if field.is_some() == words.is_empty() {
        layer
            .fault("events", "`inbound.event` (a field) and `inbound.events` (its words for a person's message) belong together");
    }
    field.map(|field| (field, words))
}

fn part(layer: &Layers<'_>, fields: Fields) -> Option<[String; 3]> {
    let keys = ["part_of", "part_number", "part_count"];
    let parts: Vec<String> = keys.iter().filter_map(|key| layer.field(fields, key, false)).collect();
    if !matches!(parts.len(), 0 | 3) {
        layer.fault("part_of", "`inbound.part_of`, `part_number` and `part_count` belong together");
    }
    <[String; 3]>::try_from(parts).ok()
}

fn media(layer: &Layers<'_>, fields: Fields) -> Option<(String, Vec<(String, Media)>)> {
    let words = layer.within("media_words", |layer| {
        layer.keys().into_iter().filter_map(|word| layer.parsed(&word).map(|media| (word, media))).collect()
    });
    layer.field(fields, "media", false).map(|field| (field, words.unwrap_or_default()))
}

/// The fields of a receipt, and the address that the provider is given for it.
pub(super) fn receipt(layer: &Layers<'_>) -> (Option<ReceiptMap>, Option<Template>) {
    let url = layer.text("url").map(|text| layer.template("url", &text));
    let fields = layer.parsed("fields").unwrap_or(Fields::Query);
    let states = layer.within("states", |layer| {
        layer.keys().into_iter().filter_map(|word| state(layer, &word).map(|state| (word, state))).collect::<Vec<_>>()
    });
    let means = layer.within("means", |layer| {
        layer.keys().into_iter().filter_map(|code| layer.parsed(&code).map(|means| (code, means))).collect::<Vec<_>>()
    });
    let map = layer.field(fields, "state", true).map(|state| ReceiptMap {
        fields,
        items: layer.text("items").map(|pointer| layer.pointer("items", pointer)),
        reference: layer.field(fields, "reference", false),
        id: layer.field(fields, "id", false),
        state,
        code: layer.field(fields, "code", false),
        states: states.unwrap_or_default(),
        means: means.unwrap_or_default(),
    });
    if map.as_ref().is_some_and(|map| map.states.is_empty()) {
        layer.fault(
            "states",
            "`receipt.states` is missing: say what the provider's words mean, such as `DELIVRD = \"delivered\"`",
        );
    }
    if map.as_ref().is_some_and(|map| map.reference.is_none() && map.id.is_none()) {
        layer.fault("reference", "`receipt` needs `reference` or `id`: which field names the message?");
    }
    (map, url)
}

/// What providers are answered.
pub(super) fn reply(layer: &Layers<'_>) -> Reply {
    let status = layer.int_in("status", 200..=299, 200);
    Reply {
        status: u16::try_from(status).unwrap_or(200),
        content_type: layer.text("content_type").unwrap_or_else(|| plain_reply().content_type),
        body: layer.text("body").unwrap_or_default(),
    }
}

/// An empty 200.
pub(super) fn plain_reply() -> Reply {
    Reply { status: 200, content_type: "text/plain".to_owned(), body: String::new() }
}

#[expect(clippy::option_option, reason = "the outer one is a fault, the inner one a state that says nothing new")]
fn state(layer: &Layers<'_>, word: &str) -> Option<Option<MessageState>> {
    match layer.text(word)?.as_str() {
        "ignore" => Some(None),
        "sent" => Some(Some(MessageState::Sent)),
        "delivered" => Some(Some(MessageState::Delivered)),
        "read" => Some(Some(MessageState::Read)),
        "failed" => Some(Some(MessageState::Failed)),
        _ => {
            layer.fault(word, "a receipt can say sent, delivered, read, failed or ignore");
            None
        }
    }
}
