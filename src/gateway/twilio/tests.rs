//! What goes out to Twilio byte for byte, what each answer decides, and what is believed of its callbacks.

use std::time::Duration;

use reqwest::header::HeaderMap;

use super::*;
use crate::clock::Time;
use crate::document::Document;
use crate::gateway::scripted::{Does, Logged, answers, provider};
use crate::gateway::signature::{digest, sha1_base64};
use crate::gateway::{Gateway, Wording};
use crate::model::{Address, Body, Extras, Id, Keyword, Meaning, Media, MessageState};

const PUBLIC: &str = "https://light.example.org";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const ACCOUNT: &str = "AC00000000000000000000000000000001";

fn read(text: &str) -> Result<Gateway, String> {
    let doc = Document::parse("t.toml", text);
    let root = doc.root();
    let gateway = Gateway::read("twilio", &root, PUBLIC, &|_| None);
    root.finish();
    doc.finish(gateway).map_err(|faults| faults.to_string()).map(|gateway| gateway.expect("a client"))
}

fn account(address: &str, more: &str) -> Gateway {
    let text = format!(
        "name = \"twilio\"\naccount_sid = \"{ACCOUNT}\"\nauth_token = \"{TOKEN}\"\nurl = \"http://{address}\"\ntimeout_seconds = 1\n{more}\n"
    );
    read(&text).unwrap_or_else(|e| panic!("{e}"))
}

fn message() -> Outgoing {
    let text = "Harbor Street: ¿mañana? 100% & more";
    Outgoing {
        expires_in: Some(Duration::from_secs(1799)),
        ..Outgoing::plain((Id(77), 1), Address::new("+17185550117"), text, "Zr-9_x".into())
    }
}

/// The body of the request that a message makes, sorted by name and decoded.
async fn asked(more: &str, message: &Outgoing) -> Vec<(String, String)> {
    let (address, served) = provider(answers("201 Created", r#"{"sid":"SM1","status":"queued"}"#)).await;
    let sent = account(&address, more).send(message).await;
    assert_eq!(sent, Ok(Accepted { provider_id: Some("SM1".to_owned()) }));
    let request = served.await.expect("served");
    let (head, body) = request.split_once("\r\n\r\n").expect("a body");
    assert!(head.starts_with(&format!("POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1\r\n")), "{head}");
    assert!(head.to_lowercase().contains("content-type: application/x-www-form-urlencoded"), "{head}");
    let mut fields: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    fields.sort();
    fields
}

fn is(fields: &[(String, String)], expected: &[(&str, &str)]) {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn a_text_goes_out_with_our_reference_and_for_as_long_as_it_is_of_use() {
    let callback = "https://light.example.org/hooks/twilio/receipt?ref=Zr-9_x";
    let text = "Harbor Street: ¿mañana? 100% & more";
    is(
        &asked("from = \"+17185550100\"", &message()).await,
        &[
            ("Body", text),
            ("From", "+17185550100"),
            ("StatusCallback", callback),
            ("To", "+17185550117"),
            ("ValidityPeriod", "1799"),
        ],
    );
    let forever = Outgoing { expires_in: None, ..message() };
    is(
        &asked("messaging_service = \"MG01\"", &forever).await,
        &[("Body", text), ("MessagingServiceSid", "MG01"), ("StatusCallback", callback), ("To", "+17185550117")],
    );
    for (left, said) in [(Duration::from_millis(10), "1"), (Duration::from_hours(48), "36000")] {
        let fields = asked("from = \"+17185550100\"", &Outgoing { expires_in: Some(left), ..message() }).await;
        assert_eq!(fields.last(), Some(&("ValidityPeriod".to_owned(), said.to_owned())));
    }
}

#[tokio::test]
async fn on_whatsapp_free_words_go_within_a_conversation_and_approved_ones_without() {
    let more = "channel = \"whatsapp\"\nfrom = \"+17185550100\"\n[[template]]\nkey = \"visit-reminder\"\nvariables = [\"when\"]\nlanguages = { en = \"HX01\" }";
    let free = Outgoing { in_conversation: true, expires_in: None, ..message() };
    let fields = asked(more, &free).await;
    assert_eq!(
        fields[1..=3].iter().map(|f| f.1.as_str()).collect::<Vec<_>>(),
        ["whatsapp:+17185550100", "https://light.example.org/hooks/twilio/receipt?ref=Zr-9_x", "whatsapp:+17185550117"]
    );
    let wording = Wording {
        key: "visit-reminder".into(),
        lang: "en".into(),
        args: vec![("when".into(), Body::new("Wed, Nov 25 at 10:30 AM"))],
    };
    let first = Outgoing { wording, expires_in: None, ..message() };
    let fields = asked(more, &first).await;
    assert_eq!(fields[0], ("ContentSid".to_owned(), "HX01".to_owned()));
    assert_eq!(fields[1], ("ContentVariables".to_owned(), r#"{"1":"Wed, Nov 25 at 10:30 AM"}"#.to_owned()));
    let gateway = account("127.0.0.1:1", more);
    assert_eq!(gateway.send(&message()).await, Err(SendError::Refused { code: "no-template".to_owned() }));
}

#[tokio::test]
async fn requests_are_authorised_by_the_account_or_by_a_key_of_it() {
    use base64::Engine as _;
    for (more, who) in
        [("", format!("{ACCOUNT}:{TOKEN}")), ("api_key = \"SK1\"\napi_secret = \"s3cret\"", "SK1:s3cret".to_owned())]
    {
        let (address, served) = provider(answers("201 Created", r#"{"sid":"SM1"}"#)).await;
        let gateway = account(&address, &format!("from = \"+17185550100\"\n{more}"));
        gateway.send(&message()).await.expect("accepted");
        let request = served.await.expect("served").to_lowercase();
        let wanted = format!("authorization: basic {}", base64::engine::general_purpose::STANDARD.encode(who)).to_lowercase();
        assert!(request.contains(&wanted), "{request}");
    }
}

/// Twilio's own form of an error.
fn error(status: u16, code: u32) -> Does {
    let body =
        format!(r#"{{"code":{code},"message":"The number +17185550117 is wrong","more_info":"https://x","status":{status}}}"#);
    answers(&format!("{status} Whatever"), &body)
}

#[tokio::test]
async fn every_answer_ends_in_its_decision_and_the_log_names_nobody() {
    let busy = |seconds: Option<u64>| SendError::Busy { retry_after: seconds.map(Duration::from_secs) };
    let wrong = |code: &str| SendError::Misconfigured { code: code.to_owned() };
    let refused = |code: &str| SendError::Refused { code: code.to_owned() };
    let unreachable = |code: &str| SendError::Unreachable { code: code.to_owned() };
    let table: Vec<(Does, SendError)> = vec![
        (error(400, 21610), SendError::Blocked),
        (error(400, 21211), unreachable("21211")),
        (error(400, 21614), unreachable("21614")),
        (error(400, 21635), unreachable("21635")),
        (error(429, 20429), busy(None)),
        (answers("429 Too Many Requests\r\nRetry-After: 7", r#"{"code":20429}"#), busy(Some(7))),
        (error(400, 21611), busy(Some(60))),
        (error(400, 21617), refused("21617")),
        (error(400, 63016), refused("63016")),
        // A token that was revoked, a number that was taken away, an account that was closed: our own trouble.
        (error(401, 20003), wrong("20003")),
        (error(400, 21606), wrong("21606")),
        (error(403, 20005), wrong("20005")),
        (error(404, 20404), wrong("20404")),
        // Codes of tomorrow and texts of a proxy close nobody's contact.
        (error(400, 29_999), refused("29999")),
        (answers("400 Bad Request", "<html>no</html>"), refused("http-400")),
        (answers("403 Forbidden", "<html>no</html>"), wrong("http-403")),
        (answers("302 Found\r\nLocation: http://127.0.0.1:1/elsewhere", ""), wrong("http-302")),
        (answers("503 Service Unavailable", ""), busy(None)),
        (answers("500 Internal Server Error", r#"{"code":20500}"#), SendError::Unknown),
        (answers("502 Bad Gateway", ""), SendError::Unknown),
        // Taken, or not? Nobody can say.
        (answers("200 OK", ""), SendError::Unknown),
        (answers("201 Created", "<html>a captive portal</html>"), SendError::Unknown),
        (answers("201 Created", r#"{"sid":"CA1"}"#), SendError::Unknown),
        // Taken, and given up at once.
        (answers("201 Created", r#"{"sid":"SM1","status":"failed","error_code":30006}"#), unreachable("30006")),
        (answers("201 Created", r#"{"sid":"SM1","status":"undelivered","error_code":30034}"#), wrong("30034")),
        (answers("201 Created", r#"{"sid":"SM1","status":"failed","error_code":null}"#), refused("http-400")),
        (Does::Hangs, SendError::Unknown),
        (Does::Closes, SendError::Unknown),
        (Does::Resets, SendError::Unknown),
        (Does::BreaksOff, SendError::Unknown),
    ];
    let (logged, _while) = Logged::begin();
    for (row, (does, expected)) in table.into_iter().enumerate() {
        let (address, served) = provider(does).await;
        let gateway = account(&address, "from = \"+17185550100\"");
        let error = gateway.send(&message()).await.expect_err("no acceptance");
        assert_eq!(error, expected, "row {row}");
        tracing::info!(?gateway, message = ?message(), %error, ?error, "as it would be logged");
        served.abort();
    }
    let logged = logged.text();
    assert!(logged.contains("as it would be logged"), "{logged}");
    for private in ["718555", "mañana", TOKEN, ACCOUNT, "Zr-9", "Basic"] {
        assert!(!logged.contains(private), "{private} in {logged}");
    }
}

#[test]
fn what_the_table_says_of_a_code_is_said_once_and_closes_contacts_rarely() {
    let mut codes: Vec<u32> = CODES.iter().map(|row| row.0).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), CODES.len(), "a code stands in the table twice");
    assert!(
        CODES.iter().all(|row| ["V ", "S ", "M "].iter().any(|source| row.3.starts_with(source))),
        "a row without its source"
    );
    let closing: Vec<u32> =
        CODES.iter().filter(|r| matches!(r.1, Meaning::Blocked | Meaning::Unreachable)).map(|r| r.0).collect();
    assert_eq!(closing, [21610, 21211, 21614, 21635, 30005, 30006, 63003, 63024]);
}

/// A callback as Twilio signs it.
fn call(gateway: &Gateway, door: Hook, query: &str, params: &[(&str, &str)]) -> Result<Vec<Incoming>, Rejected> {
    let url = format!("{PUBLIC}{}{}{query}", door.path("twilio"), if query.is_empty() { "" } else { "?" });
    let mut sorted = params.to_vec();
    sorted.sort_unstable();
    let mut parts = vec![url.as_bytes()];
    parts.extend(sorted.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]));
    let mut headers = HeaderMap::new();
    headers.insert("x-twilio-signature", sha1_base64(TOKEN, &parts).parse().expect("a header"));
    let body = Serializer::new(String::new()).extend_pairs(params).finish();
    let method = reqwest::Method::POST;
    gateway.parse(&Request { method: &method, path_kind: door, query, headers: &headers, body: body.as_bytes(), at: Time(0) })
}

#[test]
fn a_person_s_words_pictures_and_stops_are_read() {
    let gateway = account("127.0.0.1:1", "from = \"+17185550100\"");
    let read = |params: &[(&str, &str)]| {
        let mut all = vec![("MessageSid", "SM9"), ("From", "+17185550117"), ("To", "+17185550100")];
        all.extend(params);
        let mut incoming = call(&gateway, Hook::Inbound, "", &all).expect("believed");
        let Some(Incoming::Message { from, to, text, provider_id, extras, .. }) = incoming.pop() else { panic!("a message") };
        assert_eq!((from.expose(), to.as_ref().map(Address::expose)), ("+17185550117", Some("+17185550100")));
        assert_eq!(provider_id.as_deref(), Some("SM9"));
        (text.into_inner(), extras)
    };
    assert_eq!(
        read(&[("Body", "me duele el pecho ¿ayuda? +1"), ("NumMedia", "0")]),
        ("me duele el pecho ¿ayuda? +1".into(), Extras::default())
    );
    let photo = Extras { media: Some(Media::Photo), ..Extras::default() };
    assert_eq!(read(&[("Body", ""), ("NumMedia", "2"), ("MediaContentType0", "image/jpeg")]), (String::new(), photo));
    let voice = Extras { media: Some(Media::Voice), ..Extras::default() };
    assert_eq!(read(&[("NumMedia", "1"), ("MediaContentType0", "audio/amr")]), (String::new(), voice));
    let stop = Extras { answered: Some(Keyword::Stop), ..Extras::default() };
    assert_eq!(read(&[("Body", "STOP"), ("OptOutType", "STOP")]), ("STOP".into(), stop));
    let place = Extras { media: Some(Media::Location), ..Extras::default() };
    assert_eq!(read(&[("Latitude", "40.7"), ("Longitude", "-73.9")]), (String::new(), place));
    assert_eq!(read(&[("Body", "Reschedule"), ("ButtonPayload", "R")]).0, "R");
    let nobody = call(&gateway, Hook::Inbound, "", &[("Body", "help")]);
    assert!(matches!(nobody, Err(Rejected::Malformed { .. })));
    let reply = Twilio::reply();
    assert_eq!((reply.content_type.as_str(), reply.body.ends_with("<Response/>")), ("text/xml; charset=utf-8", true));
}

#[test]
fn every_state_of_a_message_is_read_and_a_failure_says_what_it_means() {
    let gateway = account("127.0.0.1:1", "from = \"+17185550100\"");
    let report = |status: &str, code: Option<&str>| {
        let mut params = vec![("MessageSid", "SM9"), ("MessageStatus", status)];
        params.extend(code.map(|code| ("ErrorCode", code)));
        call(&gateway, Hook::Receipt, "ref=Zr-9_x", &params)
    };
    for nothing_new in ["accepted", "scheduled", "queued", "sending"] {
        assert_eq!(report(nothing_new, None), Ok(vec![]));
    }
    let table = [
        ("sent", None, MessageState::Sent, "sent", None),
        ("delivered", Some("0"), MessageState::Delivered, "delivered", None),
        ("read", None, MessageState::Read, "read", None),
        ("undelivered", Some("30003"), MessageState::Failed, "30003", Some(Meaning::Busy)),
        ("undelivered", Some("30005"), MessageState::Failed, "30005", Some(Meaning::Unreachable)),
        ("undelivered", Some("30007"), MessageState::Failed, "30007", Some(Meaning::Misconfigured)),
        ("undelivered", Some("30034"), MessageState::Failed, "30034", Some(Meaning::Misconfigured)),
        ("failed", Some("21610"), MessageState::Failed, "21610", Some(Meaning::Blocked)),
        ("failed", Some("63016"), MessageState::Failed, "63016", Some(Meaning::Refused)),
        ("failed", Some("99999"), MessageState::Failed, "99999", None),
        ("canceled", None, MessageState::Failed, "canceled", None),
    ];
    for (word, code, state, shown, means) in table {
        let expected = Incoming::Receipt {
            reference: Some("Zr-9_x".to_owned()),
            provider_id: Some("SM9".to_owned()),
            state,
            code: Some(shown.to_owned()),
            means,
        };
        assert_eq!(report(word, code), Ok(vec![expected]), "{word}");
    }
    assert!(matches!(report("teleported", None), Err(Rejected::Malformed { .. })));
}

#[test]
fn a_body_in_json_is_believed_by_its_hash_in_the_signed_address() {
    let gateway = account("127.0.0.1:1", "from = \"+17185550100\"");
    let body = r#"{"MessageStatus":"sent"}"#;
    let ask = |body: &str, query: &str| {
        let url = format!("{PUBLIC}/hooks/twilio/receipt?{query}");
        let mut headers = HeaderMap::new();
        headers.insert("x-twilio-signature", sha1_base64(TOKEN, &[url.as_bytes()]).parse().expect("a header"));
        headers.insert("content-type", "application/json".parse().expect("a header"));
        let method = reqwest::Method::POST;
        let request =
            Request { method: &method, path_kind: Hook::Receipt, query, headers: &headers, body: body.as_bytes(), at: Time(0) };
        gateway.parse(&request)
    };
    let query = format!("bodySHA256={}", digest(body.as_bytes()));
    // Signed, but Twilio sends no states as JSON: nothing in it can be read.
    assert!(matches!(ask(body, &query), Err(Rejected::Malformed { .. })));
    assert_eq!(ask("{}", &query), Err(Rejected::Unauthorised));
    assert_eq!(ask(body, "ref=1"), Err(Rejected::Unauthorised));
}

#[test]
fn an_unsigned_forged_or_oversized_callback_is_not_believed() {
    let gateway = account("127.0.0.1:1", "from = \"+17185550100\"");
    let post = |headers: &HeaderMap, body: &[u8]| {
        let method = reqwest::Method::POST;
        gateway.parse(&Request { method: &method, path_kind: Hook::Inbound, query: "", headers, body, at: Time(0) })
    };
    assert_eq!(post(&HeaderMap::new(), b"From=%2B17185550117&Body=x"), Err(Rejected::Unauthorised));
    let mut headers = HeaderMap::new();
    headers.insert("x-twilio-signature", "0/KCTR6DLpKmkAf8muzZqo1nDgQ=".parse().expect("a header"));
    assert_eq!(post(&headers, b"From=%2B17185550117&Body=x"), Err(Rejected::Unauthorised));
    assert_eq!(post(&headers, &vec![b'a'; super::super::BODY_LIMIT + 1]), Err(Rejected::TooLarge));
}

#[test]
fn wrong_settings_are_named_with_their_places() {
    let faults = read("name = \"T\"\nchannel = \"telegram\"\naccount_sid = \"SK1\"\napi_key = \"SK1\"\nfrom = \"1\"\nmessaging_service = \"MG1\"\n").expect_err("faults");
    for wanted in [
        "t.toml:1:8: a gateway's name",
        "t.toml:2:11: Twilio carries",
        "t.toml:3:15: `account_sid` begins with AC",
        "`auth_token` is missing",
        "t.toml:4:11: an API key has two halves",
        "t.toml:6:21: one is enough",
    ] {
        assert!(faults.contains(wanted), "{wanted} in {faults}");
    }
    let bold = format!(
        "name = \"w\"\nchannel = \"whatsapp\"\naccount_sid = \"{ACCOUNT}\"\nauth_token = \"t\"\nfrom = \"+1\"\ncontent = \"care\"\n"
    );
    assert!(read(&bold).expect_err("a fault").contains("t.toml:6:11: `content = \"care\"` sends health information"));
    let meek = read(&bold.replace("content = \"care\"\n", "")).expect("no fault");
    assert_eq!((meek.content(), meek.warning().is_some(), meek.folds()), (ContentClass::Logistics, true, false));
    let knowing = read(&format!("{bold}health_policy_acknowledged = true\n")).expect("no fault");
    assert_eq!((knowing.content(), knowing.warning()), (ContentClass::Care, None));
}

#[tokio::test]
async fn the_account_is_asked_without_sending_anything() {
    let asks = async |does: Does| {
        let (address, served) = provider(does).await;
        let answer = account(&address, "from = \"+17185550100\"").probe().await;
        let request = served.await.expect("served");
        assert!(request.starts_with(&format!("GET /2010-04-01/Accounts/{ACCOUNT}.json HTTP/1.1")), "{request}");
        answer
    };
    assert_eq!(asks(answers("200 OK", r#"{"status":"active"}"#)).await, Ok(()));
    let wrong = |code: &str| Err(SendError::Misconfigured { code: code.to_owned() });
    assert_eq!(asks(answers("200 OK", r#"{"status":"suspended"}"#)).await, wrong("30002"));
    assert_eq!(asks(error(401, 20003)).await, wrong("20003"));
    assert_eq!(asks(answers("200 OK", "<html>")).await, Err(SendError::Unknown));
}
