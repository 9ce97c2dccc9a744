//! What goes out to the Cloud API, what each answer decides, and what is believed of Meta's callbacks.

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::*;
use crate::clock::Time;
use crate::document::Document;
use crate::gateway::scripted::{Does, Logged, answers, provider};
use crate::gateway::signature::{Written, sha256};
use crate::gateway::{Choice, Gateway, Hook, WHATSAPP_BODY_LIMIT, Wording};
use crate::model::{Address, Body, Extras, Id, Meaning, Media, MessageState};

const TOKEN: &str = "EAAG-the-token-of-a-system-user";
const APP_SECRET: &str = "the-secret-of-the-app";
const VERIFY: &str = "verify-0123456789";
const NUMBER: &str = "106540352242922";

fn read(text: &str) -> Result<Gateway, String> {
    let doc = Document::parse("w.toml", text);
    let root = doc.root();
    let gateway = Gateway::read("whatsapp", &root, "https://light.example.org", &|_| None);
    root.finish();
    doc.finish(gateway).map_err(|faults| faults.to_string()).map(|gateway| gateway.expect("a client"))
}

fn number(address: &str) -> Gateway {
    let text = format!(
        "name = \"wa\"\nphone_number_id = \"{NUMBER}\"\ntoken = \"{TOKEN}\"\napp_secret = \"{APP_SECRET}\"\nverify_token = \"{VERIFY}\"\n\
         url = \"http://{address}\"\ntimeout_seconds = 1\n\
         [[template]]\nkey = \"visit-reminder\"\nname = \"visit_reminder\"\nvariables = [\"clinic\", \"when\"]\n\
         languages = {{ en = \"en_US\", es = \"es\" }}\nbuttons = [\"C\", \"R\", \"X\"]\n"
    );
    read(&text).unwrap_or_else(|e| panic!("{e}"))
}

/// Words within the conversation.
fn message() -> Outgoing {
    let to = Address::new("+17185550117");
    Outgoing { in_conversation: true, ..Outgoing::plain((Id(77), 1), to, "¿Mañana? \"100%\"\n& más", "Zr-9_x".into()) }
}

async fn asked(message: &Outgoing) -> Value {
    let (address, served) = provider(answers("200 OK", r#"{"messages":[{"id":"wamid.HB="}]}"#)).await;
    assert_eq!(number(&address).send(message).await, Ok(Accepted { provider_id: Some("wamid.HB=".to_owned()) }));
    let request = served.await.expect("served");
    let (head, body) = request.split_once("\r\n\r\n").expect("a body");
    assert!(head.starts_with(&format!("POST /v23.0/{NUMBER}/messages HTTP/1.1\r\n")), "{head}");
    assert!(head.contains(&format!("authorization: Bearer {TOKEN}")), "{head}");
    serde_json::from_str(body).expect("JSON")
}

#[tokio::test]
async fn within_the_conversation_the_text_goes_as_it_is_with_buttons_if_it_offers_answers() {
    let expected = json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": "17185550117", "biz_opaque_callback_data": "Zr-9_x",
        "type": "text", "text": { "preview_url": false, "body": "¿Mañana? \"100%\"\n& más" },
    });
    assert_eq!(asked(&message()).await, expected);
    let choice = |says: &str, label: &str| Choice { says: says.into(), label: label.into() };
    let choices = vec![choice("C", "Confirmo"), choice("X", "No puedo")];
    let body = asked(&Outgoing { choices, ..message() }).await;
    assert_eq!(body["interactive"]["body"]["text"], "¿Mañana? \"100%\"\n& más");
    assert_eq!(body["interactive"]["action"]["buttons"][1]["reply"], json!({ "id": "X", "title": "No puedo" }));
}

#[tokio::test]
async fn the_first_words_are_those_that_are_approved_and_nothing_else_goes() {
    let args = [("when", "mié 25 nov\n10:30"), ("clinic", "Harbor Street"), ("name", "Inés")];
    let args = args.map(|(name, value)| (name.to_owned(), Body::new(value))).to_vec();
    let wording = Wording { key: "visit-reminder".into(), lang: "es".into(), args };
    let first = Outgoing { in_conversation: false, wording, ..message() };
    let payload = |n: &str, says: &str| json!({ "type": "button", "sub_type": "quick_reply", "index": n, "parameters": [{ "type": "payload", "payload": says }] });
    let expected = json!({
        "name": "visit_reminder", "language": { "code": "es" },
        "components": [
            { "type": "body", "parameters": [{ "type": "text", "text": "Harbor Street" }, { "type": "text", "text": "mié 25 nov 10:30" }] },
            payload("0", "C"), payload("1", "R"), payload("2", "X"),
        ],
    });
    let body = asked(&first).await;
    assert_eq!((&body["type"], &body["template"]), (&json!("template"), &expected));
    assert!(!body.to_string().contains("Inés"), "only what the template asks for is told");

    let unsent = |message: Outgoing| async move { number("127.0.0.1:1").send(&message).await };
    let refused = |code: &str| Err(SendError::Refused { code: code.to_owned() });
    assert_eq!(unsent(Outgoing { in_conversation: false, ..message() }).await, refused("no-template"), "a person's own words");
    let yiddish = Wording { lang: "yi".into(), ..first.wording.clone() };
    assert_eq!(unsent(Outgoing { wording: yiddish, ..first.clone() }).await, refused("no-template"));
    let bare = Wording { args: Vec::new(), ..first.wording.clone() };
    assert_eq!(unsent(Outgoing { wording: bare, ..first }).await, refused("template-variable"));
}

fn error(status: u16, code: u32) -> Does {
    let body = format!(
        r#"{{"error":{{"message":"(#{code}) +17185550117 no","type":"OAuthException","code":{code},"fbtrace_id":"A1"}}}}"#
    );
    answers(&format!("{status} Whatever"), &body)
}

#[tokio::test]
async fn every_answer_ends_in_its_decision_and_the_log_names_nobody() {
    let busy = |seconds: Option<u64>| SendError::Busy { retry_after: seconds.map(Duration::from_secs) };
    let wrong = |code: &str| SendError::Misconfigured { code: code.to_owned() };
    let refused = |code: &str| SendError::Refused { code: code.to_owned() };
    let table: Vec<(Does, SendError)> = vec![
        (error(400, 131_026), SendError::Unreachable { code: "131026".to_owned() }),
        (error(400, 131_047), refused("131047")),
        (error(400, 131_049), refused("131049")),
        (error(400, 132_001), refused("132001")),
        (error(400, 100), refused("100")),
        (error(400, 131_056), busy(Some(6))),
        (error(429, 130_429), busy(Some(5))),
        (error(400, 131_048), wrong("131048")),
        (error(403, 368), wrong("368")),
        (error(403, 131_031), wrong("131031")),
        // A token that was revoked.
        (error(401, 190), wrong("190")),
        // The platform does not know either.
        (error(500, 131_000), SendError::Unknown),
        (error(503, 131_016), SendError::Unknown),
        // Codes of tomorrow and texts of a proxy close nobody's contact.
        (error(400, 139_999), refused("139999")),
        (answers("400 Bad Request", "<html>no</html>"), refused("http-400")),
        (answers("302 Found\r\nLocation: http://127.0.0.1:1/elsewhere", ""), wrong("http-302")),
        (answers("503 Service Unavailable", ""), busy(None)),
        (answers("500 Internal Server Error", ""), SendError::Unknown),
        (answers("200 OK", ""), SendError::Unknown),
        (answers("200 OK", "<html>a captive portal</html>"), SendError::Unknown),
        (answers("200 OK", r#"{"messages":[]}"#), SendError::Unknown),
        (Does::Hangs, SendError::Unknown),
        (Does::Closes, SendError::Unknown),
        (Does::Resets, SendError::Unknown),
        (Does::BreaksOff, SendError::Unknown),
    ];
    let (logged, _while) = Logged::begin();
    for (row, (does, expected)) in table.into_iter().enumerate() {
        let (address, served) = provider(does).await;
        let gateway = number(&address);
        let error = gateway.send(&message()).await.expect_err("no acceptance");
        assert_eq!(error, expected, "row {row}");
        tracing::info!(?gateway, message = ?message(), %error, ?error, "as it would be logged");
        served.abort();
    }
    let logged = logged.text();
    assert!(logged.contains("as it would be logged"), "{logged}");
    for private in ["718555", "Mañana", TOKEN, APP_SECRET, VERIFY, NUMBER, "Zr-9", "Bearer"] {
        assert!(!logged.contains(private), "{private} in {logged}");
    }
}

#[test]
fn what_the_table_says_of_a_code_is_said_once_and_one_closes_a_contact() {
    let mut codes: Vec<u32> = CODES.iter().map(|row| row.0).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), CODES.len(), "a code stands in the table twice");
    let closing: Vec<u32> =
        CODES.iter().filter(|r| matches!(r.1, Meaning::Blocked | Meaning::Unreachable)).map(|r| r.0).collect();
    assert_eq!(closing, [131_026]);
}

fn post(body: &str, signature: &str) -> Result<Vec<Incoming>, Rejected> {
    let mut headers = HeaderMap::new();
    headers.insert("x-hub-signature-256", signature.parse().expect("a header"));
    let request = Request {
        method: &Method::POST,
        path_kind: Hook::Inbound,
        query: "",
        headers: &headers,
        body: body.as_bytes(),
        at: Time(0),
    };
    number("127.0.0.1:1").parse(&request)
}

/// A callback as Meta signs it, with these messages or states.
fn told(key: &str, items: &Value) -> Result<Vec<Incoming>, Rejected> {
    let value = json!({ "messaging_product": "whatsapp", "metadata": { "phone_number_id": NUMBER }, key: items });
    let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": [{ "field": "messages", "value": value }] }] });
    let body = body.to_string();
    post(&body, &format!("sha256={}", sha256(APP_SECRET, &[body.as_bytes()], Written::Hex)))
}

#[test]
fn messages_of_every_type_become_words_or_something_for_a_person_to_look_at() {
    let extras = |media| Extras { media, ..Extras::default() };
    let table = [
        (json!({ "type": "text", "text": { "body": "me duele el pecho" } }), "me duele el pecho", None),
        (json!({ "type": "button", "button": { "payload": "R", "text": "Cambiar" } }), "R", None),
        (
            json!({ "type": "interactive", "interactive": { "type": "button_reply", "button_reply": { "id": "C", "title": "Confirmo" } } }),
            "C",
            None,
        ),
        (
            json!({ "type": "interactive", "interactive": { "type": "list_reply", "list_reply": { "id": "3", "title": "mal" } } }),
            "3",
            None,
        ),
        (json!({ "type": "interactive", "interactive": { "type": "nfm_reply", "nfm_reply": {} } }), "", Some(Media::Other)),
        (json!({ "type": "image", "image": { "id": "9", "caption": "mi pie" } }), "mi pie", Some(Media::Photo)),
        (json!({ "type": "audio", "audio": { "id": "9", "voice": true } }), "", Some(Media::Voice)),
        (json!({ "type": "video", "video": { "id": "9" } }), "", Some(Media::Video)),
        (json!({ "type": "document", "document": { "id": "9", "caption": "receta" } }), "receta", Some(Media::File)),
        (json!({ "type": "sticker", "sticker": { "id": "9" } }), "", Some(Media::Sticker)),
        (json!({ "type": "location", "location": { "latitude": 40.7 } }), "", Some(Media::Location)),
        (json!({ "type": "contacts", "contacts": [] }), "", Some(Media::Contact)),
        (json!({ "type": "unsupported", "errors": [{ "code": 131_051 }] }), "", Some(Media::Other)),
        (json!({ "type": "order" }), "", Some(Media::Other)),
        (json!({}), "", Some(Media::Other)),
    ];
    for (mut item, text, media) in table {
        item["from"] = "17185550117".into();
        item["id"] = "wamid.1".into();
        item["timestamp"] = "1795537230".into();
        let expected = Incoming::Message {
            from: Address::new("+17185550117"),
            to: None,
            text: Body::new(text),
            provider_id: Some("wamid.1".to_owned()),
            provider_time: Some(Time(1_795_537_230_000)),
            extras: extras(media),
        };
        assert_eq!(told("messages", &json!([item])), Ok(vec![expected]), "{item}");
    }
}

#[test]
fn what_is_no_message_to_us_is_passed_over_and_takes_no_other_with_it() {
    let from = "17185550117";
    let words = json!({ "from": from, "id": "wamid.2", "type": "text", "text": { "body": "I can not breathe" } });
    let reaction = json!({ "from": from, "id": "wamid.1", "type": "reaction", "reaction": { "emoji": "👍" } });
    let group = json!({ "from": from, "id": "wamid.4", "type": "text", "group_id": "g", "text": { "body": "hello all" } });
    let read = told("messages", &json!([{ "type": "text" }, reaction, words, group])).expect("one message");
    let [Incoming::Message { text, .. }] = read.as_slice() else { panic!("one message") };
    assert_eq!(text.expose(), "I can not breathe");
    assert_eq!(told("messages", &json!([reaction])), Ok(vec![]));
    assert!(matches!(told("messages", &json!([{ "type": "text" }])), Err(Rejected::Malformed { .. })));

    // Another number of the same business account.
    let value = json!({ "metadata": { "phone_number_id": "2" }, "messages": [words] });
    let body = json!({ "entry": [{ "changes": [{ "value": value }] }] }).to_string();
    assert_eq!(post(&body, &format!("sha256={}", sha256(APP_SECRET, &[body.as_bytes()], Written::Hex))), Ok(vec![]));
}

#[test]
fn states_are_read_in_whatever_order_and_a_failure_says_what_it_means() {
    let status = |word: &str, code: Option<u32>| {
        let mut item =
            json!({ "id": "wamid.1", "status": word, "recipient_id": "17185550117", "biz_opaque_callback_data": "Zr-9_x" });
        if let Some(code) = code {
            item["errors"] = json!([{ "code": code, "title": "Message undeliverable" }]);
        }
        item
    };
    let receipt = |state, code: &str, means| Incoming::Receipt {
        reference: Some("Zr-9_x".to_owned()),
        provider_id: Some("wamid.1".to_owned()),
        state,
        code: Some(code.to_owned()),
        means,
    };
    let shuffled = json!([status("read", None), status("delivered", None), status("warning", None), status("sent", None)]);
    assert_eq!(
        told("statuses", &shuffled),
        Ok(vec![
            receipt(MessageState::Read, "read", None),
            receipt(MessageState::Delivered, "delivered", None),
            receipt(MessageState::Sent, "sent", None),
        ])
    );
    for (code, means) in [
        (131_026, Some(Meaning::Unreachable)),
        (131_047, Some(Meaning::Refused)),
        (131_049, Some(Meaning::Refused)),
        (131_048, Some(Meaning::Misconfigured)),
        (131_056, Some(Meaning::Busy)),
        (139_999, None),
    ] {
        let failed = receipt(MessageState::Failed, &code.to_string(), means);
        assert_eq!(told("statuses", &json!([status("failed", Some(code))])), Ok(vec![failed]));
    }
    assert_eq!(told("statuses", &json!([status("failed", None)])), Ok(vec![receipt(MessageState::Failed, "failed", None)]));
}

#[test]
fn only_who_knows_the_secret_is_believed() {
    let body = r#"{"entry":[]}"#;
    let right = sha256(APP_SECRET, &[body.as_bytes()], Written::Hex);
    assert_eq!(post(body, &format!("sha256={right}")), Ok(vec![]));
    let altered = format!("sha256={}", right.replacen(|c: char| c != '0', "0", 1));
    for forged in [right.as_str(), &altered, "sha256=", "", &format!("sha1={right}")] {
        assert_eq!(post(body, forged), Err(Rejected::Unauthorised), "{forged}");
    }
    assert_eq!(post(r#"{"entry":[ ]}"#, &format!("sha256={right}")), Err(Rejected::Unauthorised));
    let large = "x".repeat(WHATSAPP_BODY_LIMIT + 1);
    assert_eq!(post(&large, "sha256=0"), Err(Rejected::TooLarge));
    assert_eq!(number("127.0.0.1:1").body_limit(), WHATSAPP_BODY_LIMIT);
}

#[test]
fn the_webhook_is_ours_if_the_token_is_and_the_challenge_is_repeated() {
    let gateway = number("127.0.0.1:1");
    let ask = |query: &str| {
        let headers = HeaderMap::new();
        let request =
            Request { method: &Method::GET, path_kind: Hook::Inbound, query, headers: &headers, body: b"", at: Time(0) };
        gateway.parse(&request).map(|incoming| (incoming.len(), gateway.reply(&request).body))
    };
    let good = format!("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={VERIFY}");
    assert_eq!(ask(&good), Ok((0, "1158201444".to_owned())));
    assert_eq!(ask(&good.replace(VERIFY, "guess-0123456789a")), Err(Rejected::Unauthorised));
    assert_eq!(ask("hub.mode=subscribe&hub.challenge=1"), Err(Rejected::Unauthorised));
    for odd in [good.replace("subscribe", "x"), good.replace("1158201444", "%3Cscript%3E"), good.replace("1158201444", "")] {
        assert!(matches!(ask(&odd), Err(Rejected::Malformed { .. })), "{odd}");
    }
}

#[test]
fn wrong_settings_are_named_and_the_health_policy_is_warned_of() {
    let faults =
        read("name = \"wa\"\nphone_number_id = \"+1718\"\nverify_token = \"short\"\nversion = \"23\"\ncontent = \"care\"\n")
            .expect_err("faults");
    for wanted in [
        "w.toml:2:19: `phone_number_id` has digits only",
        "`token` is missing",
        "`app_secret` is missing",
        "w.toml:3:16: `verify_token` must have at least 16",
        "w.toml:4:11: `version`",
        "w.toml:5:11: `content = \"care\"` sends health information",
    ] {
        assert!(faults.contains(wanted), "{wanted} in {faults}");
    }
    let gateway = number("127.0.0.1:1");
    assert_eq!(format!("{gateway:?}"), "WhatsApp(WhatsApp(wa))");
    assert!(gateway.warning().is_some_and(|warning| warning.contains("health_policy_acknowledged = true")));
    assert_eq!(gateway.content(), ContentClass::Logistics);
    assert_eq!((gateway.limits().per_second, gateway.limits().pair), (Some(80.0), Some(Duration::from_secs(6))));
    let mapped = gateway.approved();
    assert_eq!((mapped[0].0, mapped[0].1), ("visit-reminder", &["clinic".to_owned(), "when".to_owned()][..]));
}

#[tokio::test]
async fn the_number_is_asked_without_sending_anything() {
    let asks = async |does: Does| {
        let (address, served) = provider(does).await;
        let answer = number(&address).probe().await;
        assert!(served.await.expect("served").starts_with(&format!("GET /v23.0/{NUMBER}?fields=id HTTP/1.1")));
        answer
    };
    assert_eq!(asks(answers("200 OK", &format!(r#"{{"id":"{NUMBER}"}}"#))).await, Ok(()));
    assert_eq!(asks(error(401, 190)).await, Err(SendError::Misconfigured { code: "190".to_owned() }));
    assert_eq!(asks(answers("200 OK", r#"{"id":"2"}"#)).await, Err(SendError::Unknown));
}
