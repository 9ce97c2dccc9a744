//! The presets, and the example of docs/presets.md, as they speak and are spoken to.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::scripted::{Does, answers, provider};
use super::signature::{Written, sha256};
use super::{Accepted, Gateway, Hook, Incoming, Outgoing, Rejected, Request, SendError};
use crate::clock::Time;
use crate::document::Document;
use crate::model::{Address, Body, Channel, Extras, Id, Meaning, Media, MessageState, Part};

const NOW: i64 = 1_795_537_230;
const KEY: &str = "signing-key-0123456789";

fn read(text: &str) -> Gateway {
    let doc = Document::parse("g.toml", text);
    let root = doc.root();
    let gateway = Gateway::read("http", &root, "https://light.example.org", &|_| None);
    root.finish();
    doc.finish(gateway).unwrap_or_else(|e| panic!("{e}")).expect("a client")
}

fn message(text: &str) -> Outgoing {
    let to = Address::new("+17185550117");
    Outgoing { expires_in: Some(Duration::from_secs(1799)), ..Outgoing::plain((Id(77), 1), to, text, "Zr-9_x".into()) }
}

/// What a gateway asks, and what it makes of the answer.
async fn exchange(text: &str, does: Does, message: &Outgoing) -> (String, String, Result<Accepted, SendError>) {
    let (address, served) = provider(does).await;
    let gateway = read(&text.replace("ADDRESS", &format!("http://{address}")));
    let answer = gateway.send(message).await;
    let request = served.await.expect("served");
    let (head, body) = request.split_once("\r\n\r\n").expect("a head");
    (head.to_owned(), body.to_owned(), answer)
}

fn post(gateway: &Gateway, door: Hook, body: &str, headers: &[(&'static str, String)]) -> Result<Vec<Incoming>, Rejected> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().expect("a header"));
    }
    let at = Time(NOW * 1000);
    gateway.parse(&Request { method: &Method::POST, path_kind: door, query: "", headers: &map, body: body.as_bytes(), at })
}

const SMSGATE: &str = "preset = \"smsgate\"\nname = \"phone\"\nurl = \"ADDRESS/3rdparty/v1/messages\"\nusername = \"u\"\npassword = \"p\"\nsecret = \"signing-key-0123456789\"\n";

#[tokio::test]
async fn a_phone_as_a_gateway_is_asked_once_by_our_own_id_and_for_as_long_as_it_is_of_use() {
    let taken = || answers("202 Accepted", r#"{"id":"Zr-9_x","state":"Pending"}"#);
    let (head, body, answer) = exchange(SMSGATE, taken(), &message("¿Mañana? \"C\"")).await;
    assert_eq!(answer, Ok(Accepted { provider_id: Some("Zr-9_x".to_owned()) }));
    assert!(head.starts_with("POST /3rdparty/v1/messages HTTP/1.1") && head.contains("authorization: Basic dTpw"), "{head}");
    let mut expected = json!({
        "id": "Zr-9_x", "textMessage": { "text": "¿Mañana? \"C\"" }, "phoneNumbers": ["+17185550117"], "withDeliveryReport": true, "ttl": 1799
    });
    assert_eq!(serde_json::from_str::<Value>(&body).expect("JSON"), expected);
    let forever = Outgoing { expires_in: None, ..message("¿Mañana? \"C\"") };
    let (_, body, _) = exchange(SMSGATE, taken(), &forever).await;
    expected.as_object_mut().expect("an object").remove("ttl");
    assert_eq!(serde_json::from_str::<Value>(&body).expect("JSON"), expected);

    let wrong = |code: &str| SendError::Misconfigured { code: code.to_owned() };
    for (does, decision) in [
        (answers("503 Service Unavailable", r#"{"message":"QueueLimitExceeded"}"#), SendError::Busy { retry_after: None }),
        (answers("409 Conflict", "{}"), SendError::Unknown),
        (answers("401 Unauthorized", ""), wrong("http-401")),
        (answers("400 Bad Request", "{}"), SendError::Refused { code: "http-400".to_owned() }),
        (answers("200 OK", ""), SendError::Unknown),
        (answers("200 OK", "<html>a hotel</html>"), SendError::Unknown),
        (answers("302 Found\r\nLocation: http://127.0.0.1:1/", ""), wrong("http-302")),
    ] {
        assert_eq!(exchange(SMSGATE, does, &message("x")).await.2, Err(decision));
    }
}

/// As the phone signs it.
fn from_phone(body: &str, seconds: i64) -> [(&'static str, String); 2] {
    let timestamp = seconds.to_string();
    let signature = sha256(KEY, &[body.as_bytes(), timestamp.as_bytes()], Written::Hex);
    [("x-signature", signature), ("x-timestamp", timestamp)]
}

#[test]
fn what_the_phone_brings_is_told_apart_by_its_event_whichever_door_it_came_to() {
    let gateway = read(&SMSGATE.replace("ADDRESS", "http://127.0.0.1:1"));
    let event = |event: &str, payload: Value| {
        json!({ "deviceId": "d", "event": event, "id": "Ey6E", "payload": payload, "webhookId": "w" }).to_string()
    };
    let come = |door, body: &str| post(&gateway, door, body, &from_phone(body, NOW));
    let words = |sender: &str| {
        event(
            "sms:received",
            json!({ "messageId": "abc", sender: "+17185550117", "message": "me duele el pecho", "receivedAt": "2026-11-24T15:46:11.000-05:00", "simNumber": null }),
        )
    };
    for (door, sender) in [(Hook::Inbound, "sender"), (Hook::Receipt, "phoneNumber")] {
        let expected = Incoming::Message {
            from: Address::new("+17185550117"),
            to: None,
            text: Body::new("me duele el pecho"),
            provider_id: Some("Ey6E".to_owned()),
            provider_time: Some(Time(1_795_553_171_000)),
            extras: Extras::default(),
        };
        assert_eq!(come(door, &words(sender)), Ok(vec![expected]));
    }
    let picture = come(Hook::Inbound, &event("mms:received", json!({ "messageId": "m", "sender": "+17185550117", "size": 9 })));
    let Ok([Incoming::Message { text, extras, .. }]) = picture.as_deref() else { panic!("a message: {picture:?}") };
    assert_eq!((text.expose(), extras.media), ("", Some(Media::Other)));
    for (word, state, reason, code) in [
        ("sms:sent", MessageState::Sent, None, "sms"),
        ("sms:delivered", MessageState::Delivered, None, "sms"),
        ("sms:failed", MessageState::Failed, Some("RESULT_ERROR_NO_SERVICE"), "RESULT_ERROR_NO_SERVICE"),
    ] {
        let mut payload = json!({ "messageId": "Zr-9_x", "recipient": "+17185550117" });
        if let Some(reason) = reason {
            payload["reason"] = reason.into();
        }
        let expected = Incoming::Receipt {
            reference: Some("Zr-9_x".to_owned()),
            provider_id: None,
            state,
            code: Some(code.to_owned()),
            means: None,
        };
        assert_eq!(come(Hook::Inbound, &event(word, payload)), Ok(vec![expected]));
    }
    assert_eq!(come(Hook::Inbound, &event("system:ping", json!({ "health": {} }))), Ok(vec![]));
    assert!(matches!(come(Hook::Inbound, &event("sms:invented", json!({}))), Err(Rejected::Malformed { .. })));
}

#[test]
fn a_callback_of_the_phone_that_is_forged_altered_or_old_is_not_believed() {
    let gateway = read(&SMSGATE.replace("ADDRESS", "http://127.0.0.1:1"));
    let body = r#"{"event":"system:ping","id":"1","payload":{}}"#;
    let right = from_phone(body, NOW);
    assert_eq!(post(&gateway, Hook::Inbound, body, &right), Ok(vec![]));
    let capitals = [("x-signature", right[0].1.to_uppercase()), right[1].clone()];
    assert_eq!(post(&gateway, Hook::Inbound, body, &capitals), Ok(vec![]));
    let refused = |body: &str, headers: &[(&'static str, String)]| {
        assert_eq!(post(&gateway, Hook::Inbound, body, headers), Err(Rejected::Unauthorised), "{headers:?}");
    };
    refused(&body.replace("ping", "pong"), &right);
    refused(body, &right[..1]);
    refused(body, &right[1..]);
    refused(body, &[right[0].clone(), ("x-timestamp", (NOW + 1).to_string())]);
    refused(body, &[("x-signature", String::new()), right[1].clone()]);
    refused(
        body,
        &[
            ("x-signature", sha256("another-key-0123456789", &[body.as_bytes(), right[1].1.as_bytes()], Written::Hex)),
            right[1].clone(),
        ],
    );
    // Recorded and played again; or the phone's clock is wrong, which its operator sees as a 401.
    for seconds in [NOW - 301, NOW + 301, -NOW, i64::MAX] {
        refused(body, &from_phone(body, seconds));
    }
    assert_eq!(post(&gateway, Hook::Inbound, body, &from_phone(body, NOW - 299)), Ok(vec![]));
}

const PLAYSMS: &str = "preset = \"playsms\"\nname = \"playsms\"\nurl = \"ADDRESS/index.php\"\nfrom = \"7185550100\"\nusername = \"u\"\npassword = \"t0ken\"\nsecret = \"signing-key-0123456789\"\n";

#[tokio::test]
async fn playsms_is_asked_by_get_and_each_answer_ends_in_its_decision() {
    let ok = r#"{"data":[{"status":"OK","error":"0","smslog_id":"30","queue":"afb5","to":"17185550117"}],"error_string":null}"#;
    let (head, body, answer) = exchange(PLAYSMS, answers("200 OK", ok), &Outgoing { ucs2: true, ..message("¿Sí & no?") }).await;
    assert_eq!(answer, Ok(Accepted { provider_id: Some("30".to_owned()) }));
    let line =
        head.lines().next().and_then(|line| line.strip_prefix("GET /index.php?")?.strip_suffix(" HTTP/1.1")).expect("a GET");
    let mut parameters: Vec<&str> = line.split('&').collect();
    parameters.sort_unstable();
    assert_eq!(body, "");
    assert_eq!(
        parameters,
        [
            "app=ws",
            "from=7185550100",
            "h=t0ken",
            "msg=%C2%BFS%C3%AD%20%26%20no%3F",
            "nofooter=1",
            "op=pv",
            "to=%2B17185550117",
            "u=u",
            "unicode=1"
        ]
    );
    let error =
        |code: &str| answers("200 OK", &format!(r#"{{"status":"ERR","error":"{code}","error_string":"to 17185550117"}}"#));
    let wrong = |code: &str| SendError::Misconfigured { code: code.to_owned() };
    for (does, decision) in [
        (error("100"), wrong("playsms-account")),
        (error("103"), wrong("playsms-account")),
        (error("201"), SendError::Refused { code: "playsms-message".to_owned() }),
        (error("200"), SendError::Unknown),
        (error("299"), SendError::Unknown),
        (answers("200 OK", "<html>Log in</html>"), SendError::Unknown),
        (answers("200 OK", ""), SendError::Unknown),
        (answers("302 Found\r\nLocation: http://127.0.0.1:1/", ""), wrong("http-302")),
        (answers("404 Not Found", ""), wrong("http-404")),
        (answers("503 Service Unavailable", ""), SendError::Busy { retry_after: None }),
    ] {
        assert_eq!(exchange(PLAYSMS, does, &message("x")).await.2, Err(decision));
    }
}

#[test]
fn what_playsms_brings_is_read() {
    let gateway = read(&PLAYSMS.replace("ADDRESS", "http://127.0.0.1:1"));
    let get = |query: &str| {
        gateway.parse(&Request {
            method: &Method::GET,
            path_kind: Hook::Inbound,
            query,
            headers: &HeaderMap::new(),
            body: b"",
            at: Time(0),
        })
    };
    let read = get("key=signing-key-0123456789&from=17185550117&to=7185550100&text=quiero+morir").expect("a message");
    let [Incoming::Message { from, text, .. }] = read.as_slice() else { panic!("a message") };
    assert_eq!((from.expose(), text.expose()), ("+17185550117", "quiero morir"));
    assert_eq!(get("from=17185550117&text=x"), Err(Rejected::Unauthorised));
}

/// The blocks of a page between fences of a language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let open = format!("```{language}\n");
    page.split(&open).skip(1).filter_map(|rest| rest.split_once("```")).map(|(block, _)| block.to_owned()).collect()
}

#[tokio::test]
async fn the_example_of_the_page_on_presets_does_what_the_page_says() {
    let page = include_str!("../../docs/presets.md");
    let [settings] = blocks(page, "toml").try_into().expect("one description");
    let [request, taken, dead, inbound, receipt] = <[String; 5]>::try_from(blocks(page, "json")).expect("five texts in JSON");
    let here = settings.replace("https://sms.harbour.example", "ADDRESS");
    let (head, body, answer) = exchange(&here, answers("200 OK", &taken), &message("Say \"C\" to confirm")).await;
    assert!(head.starts_with("POST /v2/send HTTP/1.1") && head.contains("authorization: Bearer the-api-key"), "{head}");
    assert_eq!(body, request.trim());
    assert_eq!(answer, Ok(Accepted { provider_id: Some("h-981".to_owned()) }));
    let (.., answer) = exchange(&here, answers("404 Not Found", &dead), &message("x")).await;
    assert_eq!(answer, Err(SendError::Unreachable { code: "no-such-number".to_owned() }));

    let gateway = read(&settings);
    assert_eq!((gateway.channel(), gateway.name()), (Channel::Sms, "harbour"));
    let come = |door, body: &str| {
        let time = NOW.to_string();
        let signature = sha256("the-signing-key-0123", &[time.as_bytes(), b".", body.as_bytes()], Written::Base64);
        post(&gateway, door, body, &[("x-harbour-signature", format!("v1={signature}")), ("x-harbour-time", time)])
    };
    let read = come(Hook::Inbound, &inbound).expect("three messages");
    let extras: Vec<&Extras> = read
        .iter()
        .map(|incoming| match incoming {
            Incoming::Message { extras, .. } => extras,
            Incoming::Left { .. } | Incoming::Receipt { .. } => panic!("a message"),
        })
        .collect();
    let part = |number| Some(Part { of: "77".to_owned(), number, count: 2 });
    assert_eq!((&extras[0].part, &extras[1].part, extras[2].media), (&part(1), &part(2), Some(Media::Photo)));
    let [Incoming::Receipt { reference, state, means, .. }] = &come(Hook::Receipt, &receipt).expect("a receipt")[..] else {
        panic!("a receipt")
    };
    assert_eq!((reference.as_deref(), *state, *means), (Some("Zr-9_x"), MessageState::Failed, Some(Meaning::Unreachable)));
}

#[test]
fn a_broken_description_is_named_where_it_breaks() {
    let text = "name = \"x\"\nurl = \"https://x.example\"\nsecret = \"signing-key-0123456789\"\nsecret_query = \"key\"\n\
                json = '{\"ttl\":{expires_seconds}}'\n[success]\nstatus = [\"200\"]\n\
                [signature]\nheader = \"X Signature\"\nover = \"{timestamp}{bod}\"\nwritten = \"binary\"\n\
                [inbound]\nfields = \"json\"\nfrom = \"/from\"\ntext = \"/text\"\nevent = \"/event\"\npart_of = \"/p\"\nmedia = \"/m\"\n\
                [inbound.media_words]\nA = \"hologram\"\n[receipt]\nid = \"id\"\nstate = \"s\"\nstates = { A = \"sent\" }\nmeans = { \"1\" = \"perhaps\" }\n";
    let doc = Document::parse("g.toml", text);
    let root = doc.root();
    let gateway = Gateway::read("http", &root, "https://light.example.org", &|_| None);
    root.finish();
    let faults = doc.finish(gateway).expect_err("faults").to_string();
    for wanted in [
        "g.toml:4:16: a provider proves itself in one way",
        "g.toml:5:8: `json`: an expiry can only stand",
        "g.toml:9:10: `signature.header` is not the name of a header",
        "g.toml:10:8: `signature.over`: `{bod}` cannot be signed",
        "g.toml:11:11: `signature.written`: `binary` is not a way",
        "`inbound.event` (a field) and `inbound.events`",
        "g.toml:17:11: `inbound.part_of`, `part_number`",
        "unknown Media `hologram`",
        "unknown Meaning `perhaps`",
    ] {
        assert!(faults.contains(wanted), "{wanted} in\n{faults}");
    }
}
