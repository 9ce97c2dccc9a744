//! Texts with placeholders, of which requests to a provider are made.
//!
//! A placeholder is `{name}` in small letters. `{{` stands for one brace; a brace before anything else is
//! itself, so that JSON can be written as it is.
//!
//! *Invariant:* a value cannot leave its place. In a URL and in a receipt address each value is
//! percent-encoded; in JSON it is escaped; query and form parameters are encoded whole, after their values are
//! in (so that `%d` for Kannel arrives as `%d`).

use std::borrow::Cow;
use std::fmt::Write as _;

/// What a template can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placeholder {
    /// The address as it is.
    To,
    /// Only its digits.
    ToDigits,
    /// The message.
    Text,
    /// Our number or sender name.
    From,
    /// The token that receipts name.
    Reference,
    /// Where receipts are to be sent.
    ReceiptUrl,
    /// One of the two `ucs2` words of the configuration.
    Ucs2,
    /// The account.
    Username,
    /// Its password or key.
    Password,
    /// The shared secret of the hooks.
    Secret,
    /// The address of the receipt hook without its query.
    Hook,
    /// Whole minutes for which the message is of use, at least one; absent where it does not expire.
    ExpiresMinutes,
    /// The same in seconds.
    ExpiresSeconds,
}

impl Placeholder {
    const ALL: [(&'static str, Placeholder); 13] = [
        ("to", Placeholder::To),
        ("to_digits", Placeholder::ToDigits),
        ("text", Placeholder::Text),
        ("from", Placeholder::From),
        ("reference", Placeholder::Reference),
        ("receipt_url", Placeholder::ReceiptUrl),
        ("ucs2", Placeholder::Ucs2),
        ("username", Placeholder::Username),
        ("password", Placeholder::Password),
        ("secret", Placeholder::Secret),
        ("hook", Placeholder::Hook),
        ("expires_minutes", Placeholder::ExpiresMinutes),
        ("expires_seconds", Placeholder::ExpiresSeconds),
    ];

    /// Whether some messages have no value for it.
    pub(super) fn may_be_absent(self) -> bool {
        matches!(self, Placeholder::ExpiresMinutes | Placeholder::ExpiresSeconds)
    }
}

/// Where a rendered text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In a URL: values are percent-encoded, the rest is as written.
    Url,
    /// A whole query or form parameter: everything is percent-encoded.
    Parameter,
    /// Inside the quotes of a JSON text.
    Json,
    /// As it is; the caller checks.
    Plain,
}

#[derive(Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Value(Placeholder),
}

/// A text with placeholders. Has no `Debug`: people write keys into templates.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Template(Vec<Piece>);

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// A placeholder that does not exist, with those that do.
    pub(super) fn parse(text: &str) -> Result<Template, String> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            literal.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            if let Some(further) = after.strip_prefix('{') {
                literal.push('{');
                rest = further;
                continue;
            }
            let length = after.find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')).unwrap_or(after.len());
            if length == 0 || !after[length..].starts_with('}') {
                literal.push('{');
                rest = after;
                continue;
            }
            let name = &after[..length];
            let Some((_, placeholder)) = Placeholder::ALL.into_iter().find(|(known, _)| *known == name) else {
                let known: Vec<String> = Placeholder::ALL.iter().map(|(known, _)| format!("{{{known}}}")).collect();
                return Err(format!("`{{{name}}}` is not a placeholder: use {}", known.join(" ")));
            };
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Value(placeholder));
            rest = &after[length + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Template(pieces))
    }

    /// What stands before its first placeholder; nothing if it begins with one.
    pub(super) fn literal_start(&self) -> Option<String> {
        match self.0.first()? {
            Piece::Literal(literal) => Some(literal.clone()),
            Piece::Value(_) => None,
        }
    }

    /// The placeholders in it.
    pub(super) fn placeholders(&self) -> impl Iterator<Item = Placeholder> + '_ {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Literal(_) => None,
            Piece::Value(placeholder) => Some(*placeholder),
        })
    }

    /// The text for one message; `None` if a value that it needs is absent.
    pub(super) fn render<'v>(&self, place: Place, value: &dyn Fn(Placeholder) -> Option<Cow<'v, str>>) -> Option<String> {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => out.push_str(literal),
                Piece::Value(placeholder) => {
                    let value = value(*placeholder)?;
                    match place {
                        Place::Url => percent_encode(&value, &mut out),
                        Place::Json => json_escape(&value, &mut out),
                        Place::Parameter | Place::Plain => out.push_str(&value),
                    }
                }
            }
        }
        if place == Place::Parameter {
            let mut encoded = String::with_capacity(out.len());
            percent_encode(&out, &mut encoded);
            return Some(encoded);
        }
        Some(out)
    }
}

/// Encodes everything but RFC 3986's unreserved characters. A space becomes `%20`, which forms understand too.
pub(super) fn percent_encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if unreserved(byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// Whether a byte is itself in every part of a URL (RFC 3986, 2.3).
pub(super) fn unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn json_escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(template: &str, place: Place) -> String {
        let value = |placeholder| match placeholder {
            Placeholder::Text => Some(Cow::Borrowed("¿Sí? \"a\\b\"\n&x=1")),
            Placeholder::To => Some(Cow::Borrowed("+17185550117")),
            _ => None,
        };
        Template::parse(template).expect("a template").render(place, &value).expect("every value")
    }

    #[test]
    fn a_text_cannot_leave_its_place() {
        assert_eq!(render("/to/{to}?t={text}", Place::Url), "/to/%2B17185550117?t=%C2%BFS%C3%AD%3F%20%22a%5Cb%22%0A%26x%3D1");
        assert_eq!(render("{to}&%d", Place::Parameter), "%2B17185550117%26%25d");
        let json = render("{\"to\":{\"nr\":\"{to}\"},\"text\":\"{text}\"}", Place::Json);
        let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(value["text"], "¿Sí? \"a\\b\"\n&x=1");
        assert_eq!(value["to"]["nr"], "+17185550117");
    }

    #[test]
    fn braces_that_are_no_placeholder_stay() {
        assert_eq!(render("{} { to } {{to} {\"a\": 1}", Place::Plain), "{} { to } {to} {\"a\": 1}");
    }

    #[test]
    fn an_unknown_placeholder_is_named_with_the_known_ones() {
        let Err(what) = Template::parse("x={txt}") else { panic!("must be refused") };
        assert!(what.contains("`{txt}`") && what.contains("{text}"), "{what}");
    }

    #[test]
    fn a_parameter_without_its_value_is_left_out() {
        let template = Template::parse("{expires_minutes}").expect("a template");
        assert_eq!(template.render(Place::Parameter, &|_| None), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives_json_and_parameters(text in ".*") {
            let value = |_| Some(Cow::Owned(text.clone()));
            let template = Template::parse("\"{text}\"").expect("a template");
            let json = template.render(Place::Json, &value).expect("a value");
            proptest::prop_assert_eq!(serde_json::from_str::<String>(&json).expect("JSON"), text.clone());
            let encoded = Template::parse("{text}").expect("a template").render(Place::Parameter, &value).expect("a value");
            let pairs = super::super::incoming::pairs(format!("t={encoded}").as_bytes());
            proptest::prop_assert_eq!(pairs[0].1.as_slice(), text.as_bytes());
        }
    }
}
