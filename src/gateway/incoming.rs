//! Reads what a provider sends to our hooks. Pure.
//!
//! The shared secret is compared, or the signature checked, first and in constant time. Then only what the configuration names is read.
//! A text that is not valid in its charset is kept with U+FFFD in the gaps: refusing it could lose a cry for help.
//!
//! *Invariant:* a request is read item by item, and one that cannot be read never takes the others with it. A
//! message needs only its sender: without a text it is an empty one, which a person sees. A request is malformed
//! only if nothing at all of it could be read; the provider then tries again, and its operator sees why.

use reqwest::Method;
use serde_json::Value;

use super::answer::scalar;
use super::signature::{Scheme, same};
use super::{BODY_LIMIT, Hook, Incoming, Rejected, Request};
use crate::clock::Time;
use crate::model::{Address, Body, Extras, Meaning, Media, MessageState, Part};

/// Where the shared secret stands in a request, or what it signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SecretAt {
    Query(String),
    Header(String),
    Signs(Scheme),
}

/// Where the fields of a hook stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fields {
    Query,
    Form,
    /// The field names are JSON pointers.
    Json,
}

impl std::str::FromStr for Fields {
    type Err = String;

    fn from_str(word: &str) -> Result<Fields, String> {
        match word {
            "query" => Ok(Fields::Query),
            "form" => Ok(Fields::Form),
            "json" => Ok(Fields::Json),
            _ => Err(format!("`{word}` is not a place for fields: use query, form or json")),
        }
    }
}

/// How a provider writes the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeFormat {
    Seconds,
    Milliseconds,
    Rfc3339,
}

impl std::str::FromStr for TimeFormat {
    type Err = String;

    fn from_str(word: &str) -> Result<TimeFormat, String> {
        match word {
            "seconds" => Ok(TimeFormat::Seconds),
            "milliseconds" => Ok(TimeFormat::Milliseconds),
            "rfc3339" => Ok(TimeFormat::Rfc3339),
            _ => Err(format!("`{word}` is not a way to write the time: use seconds, milliseconds or rfc3339")),
        }
    }
}

/// The fields of a person's message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InboundMap {
    pub(super) fields: Fields,
    /// For JSON: a pointer to a list of messages.
    pub(super) items: Option<String>,
    pub(super) from: String,
    pub(super) to: Option<String>,
    pub(super) text: String,
    pub(super) id: Option<String>,
    pub(super) time: Option<String>,
    pub(super) time_format: TimeFormat,
    /// The field that names the charset of the text.
    pub(super) charset: Option<String>,
    /// Another field for the sender, where the first is empty.
    pub(super) from_or: Option<String>,
    /// The field that says what a request is about, and its words for a person's message: then either door takes both kinds.
    pub(super) event: Option<(String, Vec<String>)>,
    /// The fields of a longer text's part: what it is part of, its number, how many there are.
    pub(super) part: Option<[String; 3]>,
    /// The field that tells of a picture and the like, and what its words mean; without words any text in it is a MIME type.
    pub(super) media: Option<(String, Vec<(String, Media)>)>,
}

/// The fields of a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReceiptMap {
    pub(super) fields: Fields,
    pub(super) items: Option<String>,
    pub(super) reference: Option<String>,
    pub(super) id: Option<String>,
    pub(super) state: String,
    pub(super) code: Option<String>,
    /// The provider's words; `None` for those that tell us nothing new.
    pub(super) states: Vec<(String, Option<MessageState>)>,
    /// What the codes of a failure mean.
    pub(super) means: Vec<(String, Meaning)>,
}

/// How to read both hooks. Has no `Debug`: it holds the secret.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Hooks {
    pub(super) secret: String,
    pub(super) secret_at: SecretAt,
    pub(super) inbound: Option<InboundMap>,
    pub(super) receipt: Option<ReceiptMap>,
}

/// What could be read of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Read {
    pub(super) incoming: Vec<Incoming>,
    /// Why the other items could not be read, one reason for each.
    pub(super) unread: Vec<&'static str>,
}

impl Hooks {
    /// Checks the secret, then reads.
    pub(super) fn parse(&self, request: &Request<'_>) -> Result<Read, Rejected> {
        let query = pairs(request.query.as_bytes());
        let said = |given: Option<&[u8]>| given.is_some_and(|given| same(given, &self.secret));
        let right = match &self.secret_at {
            SecretAt::Query(name) => said(query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_slice())),
            SecretAt::Header(name) => said(request.headers.get(name).map(reqwest::header::HeaderValue::as_bytes)),
            SecretAt::Signs(scheme) => scheme.holds(&self.secret, request),
        };
        // An empty secret in the configuration opens nothing.
        if !right || self.secret.is_empty() {
            return Err(Rejected::Unauthorised);
        }
        if request.body.len() > BODY_LIMIT || request.query.len() > BODY_LIMIT {
            return Err(Rejected::TooLarge);
        }
        if !matches!(*request.method, Method::GET | Method::POST) {
            return Err(malformed("only GET and POST are understood"));
        }
        if let Some((map, (event, words))) = self.inbound.as_ref().and_then(|map| Some((map, map.event.as_ref()?))) {
            let items = items(map.fields, map.items.as_deref(), query, request)?;
            return gather(items.iter().map(|item| match (item.text(Some(event)), &self.receipt) {
                (Some(word), _) if words.contains(&word) => map.read(item).map(Some),
                (_, Some(receipt)) => receipt.read(item),
                (_, None) => Ok(None),
            }));
        }
        match request.path_kind {
            Hook::Inbound => {
                let map = self.inbound.as_ref().ok_or_else(|| malformed("no [inbound] is configured for this gateway"))?;
                let items = items(map.fields, map.items.as_deref(), query, request)?;
                gather(items.iter().map(|item| map.read(item).map(Some)))
            }
            Hook::Receipt => {
                let map = self.receipt.as_ref().ok_or_else(|| malformed("no [receipt] is configured for this gateway"))?;
                let items = items(map.fields, map.items.as_deref(), query, request)?;
                gather(items.iter().map(|item| map.read(item)))
            }
        }
    }
}

/// Puts what could be read beside what could not. An item without news counts as read.
pub(super) fn gather(items: impl Iterator<Item = Result<Option<Incoming>, &'static str>>) -> Result<Read, Rejected> {
    let mut read = Read::default();
    let mut without_news = 0_usize;
    for item in items {
        match item {
            Ok(Some(incoming)) => read.incoming.push(incoming),
            Ok(None) => without_news += 1,
            Err(why) => read.unread.push(why),
        }
    }
    match read.unread.first() {
        Some(why) if read.incoming.is_empty() && without_news == 0 => Err(malformed(why)),
        Some(_) | None => Ok(read),
    }
}

/// One message or receipt of a request.
enum Item {
    Pairs(Vec<(String, Vec<u8>)>),
    Json(Value),
}

impl Item {
    fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        match self {
            Item::Pairs(pairs) => pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()),
            Item::Json(value) => value.pointer(name).and_then(scalar).map(String::into_bytes),
        }
    }

    /// A field that is there and not empty.
    fn text(&self, name: Option<&String>) -> Option<String> {
        let text = String::from_utf8_lossy(&self.bytes(name?)?).trim().to_owned();
        (!text.is_empty()).then_some(text)
    }
}

impl InboundMap {
    fn read(&self, item: &Item) -> Result<Incoming, &'static str> {
        let from = item.text(Some(&self.from)).or_else(|| item.text(self.from_or.as_ref()));
        let from = from.ok_or("the sender's field is missing or empty")?;
        // A picture has no text, and somebody sent it all the same.
        let text = item.bytes(&self.text).unwrap_or_default();
        let charset = item.text(self.charset.as_ref());
        Ok(Incoming::Message {
            from: Address::new(with_plus(&from)),
            to: item.text(self.to.as_ref()).map(|to| Address::new(with_plus(&to))),
            text: Body::new(decode(&text, charset.as_deref())),
            provider_id: item.text(self.id.as_ref()),
            provider_time: item.text(self.time.as_ref()).and_then(|time| self.time_format.read(&time)),
            extras: Extras { media: self.media(item), part: self.part(item), ..Extras::default() },
        })
    }

    fn media(&self, item: &Item) -> Option<Media> {
        let (field, words) = self.media.as_ref()?;
        let word = item.text(Some(field))?;
        if words.is_empty() {
            return Some(media_type(&word));
        }
        words.iter().find(|(known, _)| *known == word).map(|(_, media)| *media)
    }

    /// Of a text that has parts; one in a single part is whole.
    fn part(&self, item: &Item) -> Option<Part> {
        let [of, number, count] = self.part.as_ref()?;
        let small = |field| item.text(Some(field))?.parse::<u8>().ok();
        let (number, count) = (small(number)?, small(count)?);
        (count > 1 && (1..=count).contains(&number)).then_some(Part { of: item.text(Some(of))?, number, count })
    }
}

impl ReceiptMap {
    /// `None` for a state that tells us nothing new.
    fn read(&self, item: &Item) -> Result<Option<Incoming>, &'static str> {
        let word = item.text(Some(&self.state)).ok_or("the state's field is missing or empty")?;
        let known = self.states.iter().find(|(known, _)| *known == word);
        let (_, state) = known.ok_or("the state is not one of [receipt.states]")?;
        let Some(state) = *state else { return Ok(None) };
        let reference = item.text(self.reference.as_ref());
        let provider_id = item.text(self.id.as_ref());
        if reference.is_none() && provider_id.is_none() {
            return Err("neither the reference's nor the id's field names a message");
        }
        let code = item.text(self.code.as_ref()).unwrap_or(word);
        let means = self.means.iter().find(|(known, _)| *known == code && state == MessageState::Failed).map(|(_, means)| *means);
        Ok(Some(Incoming::Receipt { reference, provider_id, state, code: plain_code(&code), means }))
    }
}

impl TimeFormat {
    fn read(self, text: &str) -> Option<Time> {
        match self {
            TimeFormat::Seconds => text.parse::<i64>().ok()?.checked_mul(1000).map(Time),
            TimeFormat::Milliseconds => text.parse().ok().map(Time),
            TimeFormat::Rfc3339 => text.parse::<jiff::Timestamp>().ok().map(|at| Time(at.as_millisecond())),
        }
    }
}

/// Names and values of a query or form, decoded to bytes: their charset is not known yet.
pub(super) fn pairs(encoded: &[u8]) -> Vec<(String, Vec<u8>)> {
    encoded
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let value = pair.get(at + 1..).unwrap_or_default();
            (String::from_utf8_lossy(&percent_decode(&pair[..at])).into_owned(), percent_decode(value))
        })
        .collect()
}

fn percent_decode(encoded: &[u8]) -> Vec<u8> {
    let hex = |byte: Option<&u8>| byte.and_then(|b| char::from(*b).to_digit(16)).and_then(|digit| u8::try_from(digit).ok());
    let mut out = Vec::with_capacity(encoded.len());
    let mut at = 0;
    while let Some(byte) = encoded.get(at) {
        at += 1;
        match *byte {
            b'+' => out.push(b' '),
            b'%' => match (hex(encoded.get(at)), hex(encoded.get(at + 1))) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    at += 2;
                }
                _ => out.push(b'%'),
            },
            plain => out.push(plain),
        }
    }
    out
}

fn items(
    fields: Fields,
    list: Option<&str>,
    query: Vec<(String, Vec<u8>)>,
    request: &Request<'_>,
) -> Result<Vec<Item>, Rejected> {
    match fields {
        Fields::Query => Ok(vec![Item::Pairs(query)]),
        Fields::Form => Ok(vec![Item::Pairs(pairs(request.body))]),
        Fields::Json => {
            let value: Value = serde_json::from_slice(request.body).map_err(|_| malformed("the body is not JSON"))?;
            let Some(pointer) = list else { return Ok(vec![Item::Json(value)]) };
            match value.pointer(pointer) {
                Some(Value::Array(list)) => Ok(list.iter().cloned().map(Item::Json).collect()),
                Some(_) | None => Err(malformed("there is no list where `items` points")),
            }
        }
    }
}

/// UTF-8 unless another charset is named. Kannel calls raw 8-bit messages `8-BIT`, UCS-2 ones `UTF-16BE`.
/// What is not UTF-8 though it should be is read as Latin-1 if no charset was named for certain.
fn decode(bytes: &[u8], charset: Option<&str>) -> String {
    let charset = charset.unwrap_or("UTF-8").to_ascii_uppercase();
    match charset.as_str() {
        "UTF-16BE" | "UTF-16" | "UCS-2" | "UCS-2BE" | "ISO-10646-UCS-2" => {
            let units: Vec<u16> = bytes.chunks(2).map(|pair| u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)])).collect();
            String::from_utf16_lossy(&units)
        }
        "ISO-8859-1" | "LATIN1" | "LATIN-1" => bytes.iter().copied().map(char::from).collect(),
        "UTF-8" | "UTF8" => String::from_utf8_lossy(bytes).into_owned(),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().copied().map(char::from).collect(),
        },
    }
}

/// E.164 from what gateways write. Ten digits may be a national number and five a short code: those stay as
/// they are, for the caller who knows the country.
pub(super) fn with_plus(address: &str) -> String {
    let digits = address.strip_prefix("00").unwrap_or(address);
    // A `+` that nobody encoded has been read as a space, which trimming took away.
    if (11..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
        return format!("+{digits}");
    }
    address.to_owned()
}

/// A provider's code, cut down to what cannot be a text or a person: some quote the message in it.
pub(super) fn plain_code(code: &str) -> Option<String> {
    let code: String = code.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).take(24).collect();
    let digits = code.bytes().filter(u8::is_ascii_digit).count();
    (!code.is_empty() && digits < 7).then_some(code)
}

/// Nothing of it can be read.
pub(super) fn malformed(what: &str) -> Rejected {
    Rejected::Malformed { what: what.to_owned() }
}

/// What a MIME type stands for.
pub(super) fn media_type(mime: &str) -> Media {
    match mime.split(['/', ';']).next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "image" => Media::Photo,
        "audio" => Media::Voice,
        "video" => Media::Video,
        "text" if mime.to_ascii_lowercase().contains("vcard") => Media::Contact,
        "application" | "text" => Media::File,
        _ => Media::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A provider that sends lists.
    fn hooks() -> Hooks {
        let pointer = |text: &str| Some(text.to_owned());
        let (fields, items) = (Fields::Json, pointer("/list"));
        Hooks {
            secret: "hook-secret-0123456789".to_owned(),
            secret_at: SecretAt::Query("key".to_owned()),
            inbound: Some(InboundMap {
                fields,
                items: items.clone(),
                from: "/from".to_owned(),
                to: None,
                text: "/text".to_owned(),
                id: None,
                time: None,
                time_format: TimeFormat::Seconds,
                charset: None,
                from_or: None,
                event: None,
                part: None,
                media: None,
            }),
            receipt: Some(ReceiptMap {
                fields,
                items,
                reference: None,
                id: pointer("/id"),
                state: "/state".to_owned(),
                code: None,
                states: vec![("DELIVRD".to_owned(), Some(MessageState::Delivered)), ("ENROUTE".to_owned(), None)],
                means: Vec::new(),
            }),
        }
    }

    fn parse(path_kind: Hook, list: &str) -> Result<Read, Rejected> {
        let (body, headers) = (format!(r#"{{"list":[{list}]}}"#), reqwest::header::HeaderMap::new());
        let query = "key=hook-secret-0123456789";
        hooks().parse(&Request { method: &Method::POST, path_kind, query, headers: &headers, body: body.as_bytes(), at: Time(0) })
    }

    #[test]
    fn a_message_that_cannot_be_read_does_not_take_the_others_with_it() {
        let (nobody, picture) = (r#"{"text":"hello"}"#, r#"{"from":"+17185550117","text":{"image":1}}"#);
        let words = r#"{"from":"+17185550118","text":"I can not breathe"}"#;
        let read = parse(Hook::Inbound, &format!(r#"{nobody},"?",{picture},{words}"#)).expect("two messages");
        let texts: Vec<_> = read
            .incoming
            .iter()
            .map(|incoming| match incoming {
                Incoming::Message { from, text, .. } => (from.expose(), text.expose()),
                Incoming::Receipt { .. } | Incoming::Left { .. } => panic!("no message"),
            })
            .collect();
        assert_eq!(texts, [("+17185550117", ""), ("+17185550118", "I can not breathe")]);
        assert_eq!(read.unread, ["the sender's field is missing or empty"; 2]);
        assert!(matches!(parse(Hook::Inbound, nobody), Err(Rejected::Malformed { .. })));
    }

    #[test]
    fn receipts_in_words_nobody_listed_are_passed_over_unless_there_is_nothing_else() {
        let (new, lost) = (r#"{"state":"TELEPORTED","id":1}"#, r#"{"state":"DELIVRD"}"#);
        let (dull, good) = (r#"{"state":"ENROUTE","id":3}"#, r#"{"state":"DELIVRD","id":4}"#);
        let read = parse(Hook::Receipt, &format!("{new},{lost},7,{dull},{good}")).expect("one receipt");
        assert!(matches!(read.incoming.as_slice(), [Incoming::Receipt { provider_id: Some(id), .. }] if id == "4"), "{read:?}");
        assert_eq!(read.unread.len(), 3);
        let read = parse(Hook::Receipt, &format!("{new},{dull}")).expect("what says nothing new has been read");
        assert_eq!((read.incoming.len(), read.unread.len()), (0, 1));
        assert_eq!(parse(Hook::Receipt, ""), Ok(Read::default()));
        for nothing in [new, lost, &format!("{new},{lost}")] {
            assert!(matches!(parse(Hook::Receipt, nothing), Err(Rejected::Malformed { .. })), "{nothing}");
        }
    }

    #[test]
    fn text_in_any_charset_is_kept() {
        assert_eq!(decode("señor".as_bytes(), None), "señor");
        assert_eq!(decode(b"se\xf1or", Some("8-BIT")), "señor");
        assert_eq!(decode(b"se\xf1or", Some("utf-8")), "se\u{fffd}or");
        assert_eq!(decode(b"\x06\x23\x06\x44\x06\x45", Some("UTF-16BE")), "ألم");
        assert_eq!(decode(b"\x06\x23\x06", Some("UTF-16BE")).chars().count(), 2);
    }

    #[test]
    fn numbers_become_international_only_where_that_is_certain() {
        assert_eq!(with_plus("17185550117"), "+17185550117");
        assert_eq!(with_plus("0017185550117"), "+17185550117");
        assert_eq!(with_plus("+17185550117"), "+17185550117");
        assert_eq!(with_plus("7185550117"), "7185550117");
        assert_eq!(with_plus("22395"), "22395");
    }

    #[test]
    fn a_code_that_quotes_the_patient_is_not_kept() {
        assert_eq!(plain_code("30003").as_deref(), Some("30003"));
        assert_eq!(plain_code("UNDELIV err:005 Text:my chest hurts").as_deref(), Some("UNDELIV"));
        assert_eq!(plain_code("+17185550117"), None);
        assert_eq!(plain_code("17185550117"), None);
    }

    #[test]
    fn a_broken_escape_is_a_percent_sign() {
        assert_eq!(pairs(b"a=100%&b=%zz%41"), [("a".to_owned(), b"100%".to_vec()), ("b".to_owned(), b"%zzA".to_vec())]);
    }
}
