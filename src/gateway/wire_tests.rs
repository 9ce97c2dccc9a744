//! Stories over a real socket: what goes out byte for byte, and what each answer of a provider decides.

use std::collections::HashMap;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderMap;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{Accepted, BODY_LIMIT, Environment, Gateway, Hook, HttpGateway, Incoming, Outgoing, Rejected, Request, SendError};
use crate::clock::Time;
use crate::document::Document;
use crate::model::{Address, Body, Extras, Id, MessageState};

const PUBLIC: &str = "https://light.example.org";
const SECRET: &str = "hook-secret-0123456789";

/// What the provider does once it has read the request.
pub(super) enum Does {
    Answers(String),
    /// Keeps the connection open and says nothing.
    Hangs,
    /// Closes without an answer; with unread bytes of ours that is a reset.
    Closes,
    /// Closes before it has read the request.
    Resets,
    /// Begins an accepting answer and breaks off within its body.
    BreaksOff,
}

pub(super) fn answers(head: &str, body: &str) -> Does {
    Does::Answers(format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()))
}

/// A provider that serves one connection; gives its address and what it read.
pub(super) async fn provider(does: Does) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    #[expect(clippy::disallowed_methods, reason = "the scripted provider is the other side of the test")]
    let served = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        let mut seen = Vec::new();
        if let Does::Resets = does {
            let _ = socket.read(&mut [0; 1]).await;
            return String::new();
        }
        while !whole(&seen) {
            let mut buffer = [0; 4096];
            let n = socket.read(&mut buffer).await.expect("a request");
            assert_ne!(n, 0, "the request broke off");
            seen.extend_from_slice(&buffer[..n]);
        }
        match does {
            // The client may hang up in the middle of a huge body.
            Does::Answers(answer) => drop(socket.write_all(answer.as_bytes()).await),
            Does::Hangs => std::future::pending().await,
            Does::Closes | Does::Resets => {}
            Does::BreaksOff => {
                let begun = "HTTP/1.1 202 Accepted\r\nContent-Length: 24\r\n\r\n";
                socket.write_all(begun.as_bytes()).await.expect("written");
            }
        }
        String::from_utf8(seen).expect("UTF-8")
    });
    (address, served)
}

/// Whether a request has arrived with its body.
fn whole(seen: &[u8]) -> bool {
    let text = String::from_utf8_lossy(seen);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok());
    body.len() >= length.unwrap_or(0)
}

fn environment(name: &str) -> Option<String> {
    let variables = HashMap::from([("PW", "s3cret pässword&"), ("HOOK", SECRET)]);
    variables.get(name).map(|value| (*value).to_owned())
}

fn read(text: &str) -> Result<Gateway, Vec<String>> {
    let env: Environment<'_> = &environment;
    let doc = Document::parse("g.toml", text);
    let root = doc.root();
    let gateway = HttpGateway::read(&root, PUBLIC, env);
    root.finish();
    let gateway = doc.finish(gateway).map_err(|faults| faults.0.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    gateway.map(Gateway::Http).ok_or_else(|| vec!["no client".to_owned()])
}

fn kannel(address: &str) -> Gateway {
    read(&format!(
        "preset = \"kannel\"\nname = \"kannel\"\nurl = \"http://{address}/cgi-bin/sendsms\"\nfrom = \"12345\"\n\
         username = \"porchlight\"\npassword_env = \"PW\"\nsecret_env = \"HOOK\"\ntimeout_seconds = 1\n"
    ))
    .expect("no faults")
}

fn message() -> Outgoing {
    let to = Address::new("+17185550117");
    Outgoing {
        expires_in: Some(Duration::from_secs(1799)),
        ..Outgoing::plain((Id(77), 1), to, "¿Mañana? 100% & niños", "Zr-9_x".to_owned())
    }
}

#[tokio::test]
async fn kannel_is_asked_in_its_own_words_and_the_receipt_address_arrives_with_its_escapes() {
    let (address, served) = provider(answers("202 Accepted", "0: Accepted for delivery")).await;
    assert_eq!(kannel(&address).send(&message()).await, Ok(Accepted { provider_id: None }));
    let request = served.await.expect("served");
    let line = request.lines().next().expect("a request line");
    let (_, query) = line.split_once('?').expect("a query");
    let query = query.strip_suffix(" HTTP/1.1").expect("HTTP/1.1");
    assert!(line.starts_with("GET /cgi-bin/sendsms?"), "{line}");
    // Each value once: as on the wire, since Kannel expands the decoded receipt address once more.
    let mut parameters: Vec<&str> = query.split('&').collect();
    parameters.sort_unstable();
    assert_eq!(
        parameters,
        [
            "charset=UTF-8",
            "coding=0",
            "dlr-mask=31",
            "dlr-url=https%3A%2F%2Flight.example.org%2Fhooks%2Fkannel%2Freceipt%3Fkey%3Dhook-secret-0123456789%26ref%3DZr-9_x%26state%3D%25d%26id%3D%25F",
            "from=12345",
            "password=s3cret%20p%C3%A4ssword%26",
            "text=%C2%BFMa%C3%B1ana%3F%20100%25%20%26%20ni%C3%B1os",
            "to=%2B17185550117",
            "username=porchlight",
            "validity=29",
        ]
    );
    assert!(!request.to_lowercase().contains("referer"), "{request}");
}

#[tokio::test]
async fn a_message_in_ucs2_that_does_not_expire_is_marked_so() {
    let (address, served) = provider(answers("202 Accepted", "3: Queued for later delivery")).await;
    let message = Outgoing { ucs2: true, expires_in: None, text: Body::new("ألم"), ..message() };
    assert_eq!(kannel(&address).send(&message).await, Ok(Accepted { provider_id: None }));
    let request = served.await.expect("served");
    assert!(request.contains("&coding=2") || request.contains("?coding=2"), "{request}");
    assert!(request.contains("text=%D8%A3%D9%84%D9%85") && !request.contains("validity"), "{request}");
}

#[tokio::test]
async fn every_answer_of_kannel_ends_in_its_decision() {
    let busy = |seconds: Option<u64>| SendError::Busy { retry_after: seconds.map(Duration::from_secs) };
    let wrong = |code: &str| SendError::Misconfigured { code: code.to_owned() };
    let unreachable = |code: &str| SendError::Unreachable { code: code.to_owned() };
    let huge = "0123456789abcdef".repeat(BODY_LIMIT);
    let moved = "302 Found\r\nLocation: http://127.0.0.1:1/elsewhere";
    let table: Vec<(Does, SendError)> = vec![
        (answers("503 Service Unavailable", "Temporal failure, try again later."), busy(None)),
        (answers("429 Too Many Requests\r\nRetry-After: 7", ""), busy(Some(7))),
        (answers("403 Forbidden", "Authorization failed for sendsms"), wrong("authorisation")),
        (answers("403 Forbidden", "Not routable. Do not try again."), unreachable("not-routable")),
        (answers("400 Bad Request", "Missing receiver number, rejected"), unreachable("number-refused")),
        (answers("400 Bad Request", "Sender missing and no global set, rejected"), wrong("request")),
        (answers("404 Not Found", ""), wrong("http-404")),
        (answers(moved, ""), wrong("http-302")),
        (answers("500 Internal Server Error", ""), SendError::Unknown),
        (answers("202 Accepted", "<html>a captive portal</html>"), SendError::Unknown),
        (answers("200 OK", "0: Accepted for delivery"), SendError::Unknown),
        (answers("500 Internal Server Error", &huge), SendError::Unknown),
        (Does::Hangs, SendError::Unknown),
        (Does::Closes, SendError::Unknown),
        (Does::Resets, SendError::Unknown),
        (Does::BreaksOff, SendError::Unknown),
    ];
    for (row, (does, expected)) in table.into_iter().enumerate() {
        let (address, served) = provider(does).await;
        let error = kannel(&address).send(&message()).await.expect_err("no acceptance");
        assert_eq!(error, expected, "row {row}");
        let shown = format!("{error} {error:?}");
        for private in ["718555", "ana?", "s3cret", SECRET, "Zr-9", "sendsms"] {
            assert!(!shown.contains(private), "row {row}: {shown}");
        }
        served.abort();
    }
}

#[tokio::test]
async fn an_endless_acceptance_is_read_only_as_far_as_the_limit() {
    let body = format!("0: Accepted for delivery{}", " ".repeat(20 * BODY_LIMIT));
    let (address, served) = provider(answers("202 Accepted", &body)).await;
    assert_eq!(kannel(&address).send(&message()).await, Ok(Accepted { provider_id: None }));
    served.abort();
}

#[tokio::test]
async fn nobody_at_the_address_means_certainly_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    drop(listener);
    assert_eq!(kannel(&address).send(&message()).await, Err(SendError::Busy { retry_after: None }));
}

const JSON_GATEWAY: &str = r#"
name = "other"
method = "POST"
url = "http://ADDRESS/v1/{from}/messages"
auth = "basic"
username = "clinic"
password_env = "PW"
from = "+1 555"
json = '{"to":["{to}"],"body":{"text":"{text}"},"unicode":{ucs2},"ref":"{reference}"}'
secret_env = "HOOK"
secret_header = "X-Hook-Key"
concurrency = 4
per_second = 2.5

[headers]
Idempotency-Key = "{reference}"
X-Ttl = "{expires_seconds}"

[success]
status = ["2xx"]
json = "/result"
equals = ["ok"]

[[failures]]
json = "/error/code"
equals = ["21610"]
means = "blocked"

[provider_id]
json = "/id"

[receipt]
fields = "json"
items = "/events"
id = "/message/id"
state = "/status"
code = "/error"
states = { DELIVRD = "delivered", UNDELIV = "failed", ENROUTE = "ignore", READ = "read" }

[inbound]
fields = "json"
from = "/data/from"
text = "/data/text"
id = "/data/id"
time = "/data/at"
time_format = "rfc3339"

[reply]
status = 204
"#;

#[tokio::test]
async fn a_gateway_described_by_hand_gets_its_json_and_its_answer_is_understood() {
    let cases = [
        (answers("201 Created", r#"{"result":"ok","id":981}"#), Ok(Accepted { provider_id: Some("981".to_owned()) })),
        (answers("400 Bad Request", r#"{"error":{"code":21610}}"#), Err(SendError::Blocked)),
        (answers("400 Bad Request", "{}"), Err(SendError::Refused { code: "http-400".to_owned() })),
    ];
    for (does, expected) in cases {
        let (address, served) = provider(does).await;
        let gateway = read(&JSON_GATEWAY.replace("ADDRESS", &address)).expect("no faults");
        let message = Outgoing { text: Body::new("Say \"yes\"\nor {to}"), ..message() };
        assert_eq!(gateway.send(&message).await, expected);
        let request = served.await.expect("served");
        let (head, body) = request.split_once("\r\n\r\n").expect("a body");
        assert!(head.starts_with("POST /v1/%2B1%20555/messages HTTP/1.1\r\n"), "{head}");
        for header in [
            "content-type: application/json",
            "idempotency-key: Zr-9_x",
            "x-ttl: 1799",
            "authorization: Basic Y2xpbmljOnMzY3JldCBww6Rzc3dvcmQm",
        ] {
            assert!(head.lines().any(|line| line.eq_ignore_ascii_case(header)), "{header} in {head}");
        }
        let expected_body = r#"{"to":["+17185550117"],"body":{"text":"Say \"yes\"\nor {to}"},"unicode":false,"ref":"Zr-9_x"}"#;
        assert_eq!(body, expected_body);
    }
}

#[test]
fn nothing_private_is_in_the_debug_form_of_a_gateway() {
    let gateway = kannel("127.0.0.1:1");
    assert_eq!(format!("{gateway:?}"), "Http(HttpGateway(kannel, sms))");
    assert_eq!((gateway.name(), gateway.limits().concurrency), ("kannel", 32));
    let reply = gateway.reply();
    assert_eq!((reply.status, reply.body.as_str()), (200, ""), "Kannel texts a body to the patient");
}

fn get(gateway: &Gateway, hook: Hook, query: &str) -> Result<Vec<Incoming>, Rejected> {
    gateway.parse(&Request { method: &Method::GET, path_kind: hook, query, headers: &HeaderMap::new(), body: b"" })
}

#[test]
fn what_kannel_1_4_5_sends_for_spanish_and_arabic_is_read_as_it_was_written() {
    // Recorded from a running Kannel, with the numbers and secret replaced.
    let gateway = kannel("127.0.0.1:1");
    let spanish = "key=hook-secret-0123456789&from=%2B17185550117&to=12345&text=Me+duele+el+pecho%2C+se%C3%B1or+%C2%BFayuda%3F\
                   &charset=UTF-8&id=7e0f8627-f07a-4a80-ac78-e8c83500a254&time=1795537230";
    assert_eq!(
        get(&gateway, Hook::Inbound, spanish),
        Ok(vec![Incoming::Message {
            from: Address::new("+17185550117"),
            to: Some(Address::new("12345")),
            text: Body::new("Me duele el pecho, señor ¿ayuda?"),
            provider_id: Some("7e0f8627-f07a-4a80-ac78-e8c83500a254".to_owned()),
            provider_time: Some(Time(1_795_537_230_000)),
            extras: Extras::default(),
        }])
    );
    let arabic = "key=hook-secret-0123456789&from=17185550117&to=12345&text=%06%23%06D%06E&charset=UTF-16BE&id=a&time=1";
    let read = get(&gateway, Hook::Inbound, arabic).expect("a message");
    let [Incoming::Message { text, from, .. }] = read.as_slice() else { panic!("one message") };
    assert_eq!((text.expose(), from.expose()), ("ألم", "+17185550117"));
    // A message without a word is a message, whether its text is empty or missing; one that nobody sent is not.
    for wordless in ["from=17185550117&text=&charset=UTF-8", "from=17185550117"] {
        let read = get(&gateway, Hook::Inbound, &format!("key=hook-secret-0123456789&{wordless}")).expect("a message");
        let [Incoming::Message { text, from, .. }] = read.as_slice() else { panic!("one message") };
        assert_eq!((text.expose(), from.expose()), ("", "+17185550117"), "{wordless}");
    }
    let nobody = "key=hook-secret-0123456789&text=help&from=";
    assert!(matches!(get(&gateway, Hook::Inbound, nobody), Err(Rejected::Malformed { .. })));
}

#[test]
fn kannel_s_receipts_are_read_and_those_without_news_are_ignored() {
    let gateway = kannel("127.0.0.1:1");
    let receipt =
        |state: &str| get(&gateway, Hook::Receipt, &format!("key=hook-secret-0123456789&ref=Zr-9_x&state={state}&id=145a17e4"));
    for (state, expected) in
        [("1", MessageState::Delivered), ("2", MessageState::Failed), ("8", MessageState::Sent), ("16", MessageState::Failed)]
    {
        assert_eq!(
            receipt(state),
            Ok(vec![Incoming::Receipt {
                reference: Some("Zr-9_x".to_owned()),
                provider_id: Some("145a17e4".to_owned()),
                state: expected,
                code: Some(state.to_owned()),
                means: None,
            }])
        );
    }
    assert_eq!(receipt("4"), Ok(vec![]));
    assert!(matches!(receipt("99"), Err(Rejected::Malformed { .. })));
}

#[test]
fn a_forged_request_is_refused_before_anything_of_it_is_read() {
    let gateway = kannel("127.0.0.1:1");
    for query in [
        "from=%2B17185550117&text=STOP",
        "key=&from=%2B17185550117&text=STOP",
        "key=hook-secret-012345678&from=%2B17185550117&text=STOP",
        "key=hook-secret-0123456788&from=%2B17185550117&text=STOP",
        "KEY=hook-secret-0123456789&from=%2B17185550117&text=STOP",
        "key=wrong&key=hook-secret-0123456789&from=%2B17185550117&text=STOP",
        "",
    ] {
        assert_eq!(get(&gateway, Hook::Inbound, query), Err(Rejected::Unauthorised), "{query}");
        assert_eq!(get(&gateway, Hook::Receipt, query), Err(Rejected::Unauthorised), "{query}");
    }
    let huge = format!("key=hook-secret-0123456789&from=1&text={}", "a".repeat(BODY_LIMIT));
    assert_eq!(get(&gateway, Hook::Inbound, &huge), Err(Rejected::TooLarge));
}

#[test]
fn json_hooks_are_read_by_pointer_one_receipt_for_each_event() {
    let gateway = read(&JSON_GATEWAY.replace("ADDRESS", "127.0.0.1:1")).expect("no faults");
    let mut headers = HeaderMap::new();
    let parse = |headers: &HeaderMap, hook, body: &str| {
        gateway.parse(&Request { method: &Method::POST, path_kind: hook, query: "", headers, body: body.as_bytes() })
    };
    let events = r#"{"events":[{"status":"DELIVRD","message":{"id":981}},{"status":"ENROUTE","message":{"id":982}},
        {"status":"UNDELIV","message":{"id":"983"},"error":"005 text:my chest hurts"}]}"#;
    assert_eq!(parse(&headers, Hook::Receipt, events), Err(Rejected::Unauthorised));
    headers.insert("x-hook-key", SECRET.parse().expect("a header"));
    let receipt = |id: &str, state, code: &str| Incoming::Receipt {
        reference: None,
        provider_id: Some(id.to_owned()),
        state,
        code: Some(code.to_owned()),
        means: None,
    };
    assert_eq!(
        parse(&headers, Hook::Receipt, events),
        Ok(vec![receipt("981", MessageState::Delivered, "DELIVRD"), receipt("983", MessageState::Failed, "005")])
    );
    let body = r#"{"data":{"from":"+17185550117","text":"아파요","id":"m1","at":"2026-11-24T16:20:30Z"}}"#;
    let read = parse(&headers, Hook::Inbound, body).expect("a message");
    let [Incoming::Message { text, provider_time, .. }] = read.as_slice() else { panic!("a message") };
    assert_eq!((text.expose(), *provider_time), ("아파요", Some(Time(1_795_537_230_000))));
    assert!(matches!(parse(&headers, Hook::Inbound, "{"), Err(Rejected::Malformed { .. })));
}

#[test]
fn every_fault_of_a_gateway_comes_at_once_with_its_place() {
    let faults = read(
        "name = \"Bad Name\"\nchannel = \"sms\"\nurl = \"http://sms.example.org/send\"\nusername = \"u\"\n\
         password_env = \"NOWHERE\"\nsecret = \"short\"\nprest = \"kannel\"\njson = '{\"text\": {text}}'\n\
         [query]\nto = \"{too}\"\nfrom = \"{from}\"\n[headers]\nX-Text = \"{text}\"\n[success]\nstatus = [\"ok\"]\n\
         [[failures]]\nstatus = [\"5xx\"]\nmeans = \"perhaps\"\n[receipt]\nstate = \"s\"\nreference = \"r\"\nstates = { A = \"gone\" }\n",
    )
    .expect_err("faults");
    for (place, part) in [
        ("g.toml:1:8:", "small letters"),
        ("g.toml:3:7:", "in the clear"),
        ("g.toml:5:16:", "`NOWHERE` is not set"),
        ("g.toml:6:10:", "at least 16"),
        ("g.toml:7:1:", "`prest` is not a key"),
        ("g.toml:8:8:", "in quotes"),
        ("g.toml:10:6:", "`{too}` is not a placeholder"),
        ("g.toml:13:10:", "cannot stand in a header"),
        ("g.toml:15:10:", "`ok` is not a status"),
        ("g.toml:18:9:", "unknown Meaning `perhaps`"),
        ("g.toml:22:16:", "a receipt can say"),
    ] {
        assert!(faults.iter().any(|fault| fault.starts_with(place) && fault.contains(part)), "{place} {part} in {faults:#?}");
    }
    assert!(faults.iter().any(|fault| fault.contains("`from` is needed")), "{faults:#?}");
}

#[test]
fn a_table_overrides_its_preset_key_by_key() {
    let base = "preset = \"kannel\"\nname = \"k\"\nfrom = \"1\"\nusername = \"u\"\npassword = \"p\"\nsecret_env = \"HOOK\"\n";
    let gateway = read(&format!("{base}concurrency = 3\n[receipt]\nstates = {{ 4 = \"sent\" }}\n")).expect("no faults");
    assert_eq!(gateway.limits().concurrency, 3);
    let query = "key=hook-secret-0123456789&ref=a&state=";
    for (state, expected) in [("4", MessageState::Sent), ("1", MessageState::Delivered)] {
        let read = get(&gateway, Hook::Receipt, &format!("{query}{state}")).expect("a receipt");
        assert!(matches!(read.as_slice(), [Incoming::Receipt { state, .. }] if *state == expected), "{read:?}");
    }
    let fault = |text: &str, part: &str| read(text).is_err_and(|faults| faults.iter().any(|fault| fault.contains(part)));
    assert!(fault(&base.replace("\"kannel\"", "\"kanel\""), "there is no preset `kanel`"));
    assert!(fault(&base.replace("secret_env = \"HOOK\"\n", ""), "at least 16"));
}
