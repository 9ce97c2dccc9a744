//! The table of {message or update, scripted answer} → {exact request, decision}.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::super::scripted::{Does, answers, provider};
use super::super::{Accepted, Choice, Environment, Gateway, Hook, Incoming, Outgoing, Rejected, Request, SendError};
use super::update::{Then, read as read_update};
use super::{Telegram, UPDATE_LIMIT, split};
use crate::clock::Time;
use crate::document::Document;
use crate::model::{Address, Body, Extras, Id, Media};

const TOKEN: &str = "123456:AAF-token_of_a_story_0123456789";
const SECRET: &str = "telegram-secret_0123456789";

fn environment(name: &str) -> Option<String> {
    match name {
        "TOKEN" => Some(TOKEN.to_owned()),
        "SECRET" => Some(SECRET.to_owned()),
        _ => None,
    }
}

fn configured(text: &str) -> Result<Telegram, Vec<String>> {
    let env: Environment<'_> = &environment;
    let doc = Document::parse("t.toml", text);
    let root = doc.root();
    let bot = Telegram::read(&root, "https://light.example.org", env);
    root.finish();
    let bot = doc.finish(bot).map_err(|faults| faults.0.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    bot.ok_or_else(|| vec!["no client".to_owned()])
}

fn bot(address: &str) -> Telegram {
    configured(&format!("name = \"telegram\"\ntoken_env = \"TOKEN\"\nurl = \"http://{address}\"\ntimeout_seconds = 1\n"))
        .expect("no faults")
}

fn by_webhook() -> Telegram {
    configured("name = \"telegram\"\ntoken_env = \"TOKEN\"\nmode = \"webhook\"\nsecret_token_env = \"SECRET\"\n")
        .expect("no faults")
}

fn choice(says: &str, label: &str) -> Choice {
    Choice { says: says.to_owned(), label: label.to_owned() }
}

fn message() -> Outgoing {
    Outgoing::plain((Id(77), 1), Address::new("5550117"), "Tomorrow 10:30. C, R or X?", "Zr-9_x".to_owned())
}

/// The path and the body of what was asked.
fn asked(request: &str) -> (String, Value) {
    let (head, body) = request.split_once("\r\n\r\n").expect("a body");
    let line = head.lines().next().expect("a request line");
    (line.to_owned(), serde_json::from_str(body).expect("JSON"))
}

fn ok(result: &Value) -> Does {
    answers("200 OK\r\nContent-Type: application/json", &json!({ "ok": true, "result": result }).to_string())
}

#[tokio::test]
async fn a_message_goes_out_as_telegram_wants_it() {
    let long = choice("X", "I can't come that day");
    let keyboard = |rows: Value| json!({ "inline_keyboard": rows });
    let button = |says: &str, label: &str| json!({ "text": label, "callback_data": says });
    let scale: Vec<Choice> = (0..=10).map(|n| choice(&n.to_string(), &n.to_string())).collect();
    let table = [
        (vec![], Value::Null),
        (vec![choice("yes", "Yes"), choice("no", "No")], keyboard(json!([[button("yes", "Yes"), button("no", "No")]]))),
        (
            vec![choice("C", "Confirm"), choice("R", "Other time"), long],
            keyboard(json!([[button("C", "Confirm")], [button("R", "Other time")], [button("X", "I can't come that day")]])),
        ),
        (
            scale,
            keyboard(json!([
                (0..6).map(|n| button(&n.to_string(), &n.to_string())).collect::<Vec<_>>(),
                (6..11).map(|n| button(&n.to_string(), &n.to_string())).collect::<Vec<_>>(),
            ])),
        ),
    ];
    for (choices, markup) in table {
        let (address, served) = provider(ok(&json!({ "message_id": 41, "chat": { "id": 5_550_117 } }))).await;
        let sent = bot(&address).send(&Outgoing { choices, ..message() }).await;
        assert_eq!(sent, Ok(Accepted { provider_id: Some("41".to_owned()) }));
        let (line, body) = asked(&served.await.expect("served"));
        assert_eq!(line, format!("POST /bot{TOKEN}/sendMessage HTTP/1.1"));
        let mut expected = json!({ "chat_id": 5_550_117, "text": "Tomorrow 10:30. C, R or X?", "link_preview_options": { "is_disabled": true } });
        if !markup.is_null() {
            expected["reply_markup"] = markup;
        }
        assert_eq!(body, expected);
    }
}

#[tokio::test]
async fn every_answer_of_telegram_ends_in_its_decision() {
    let no = |status: &str, description: &str, parameters: Value| {
        let code: u64 = status[..3].parse().expect("a status");
        let body = json!({ "ok": false, "error_code": code, "description": description, "parameters": parameters });
        answers(status, &body.to_string())
    };
    let none = || json!({});
    let busy = |seconds: Option<u64>| SendError::Busy { retry_after: seconds.map(Duration::from_secs) };
    let wrong = |code: &str| SendError::Misconfigured { code: code.to_owned() };
    let away = |code: &str| SendError::Unreachable { code: code.to_owned() };
    let refused = |code: &str| SendError::Refused { code: code.to_owned() };
    let table: Vec<(Does, SendError)> = vec![
        (no("429 Too Many Requests", "Too Many Requests: retry after 7", json!({ "retry_after": 7 })), busy(Some(7))),
        (no("429 Too Many Requests", "Too Many Requests", json!({ "retry_after": 99_999_999 })), busy(Some(3600))),
        (no("429 Too Many Requests", "Too Many Requests", none()), busy(None)),
        (no("403 Forbidden", "Forbidden: bot was blocked by the user", none()), SendError::Blocked),
        (no("403 Forbidden", "Forbidden: bot can't initiate conversation with a user", none()), SendError::Blocked),
        (no("403 Forbidden", "Forbidden: user is deactivated", none()), away("deactivated")),
        (no("403 Forbidden", "Forbidden: bot can't send messages to bots", none()), away("no-person")),
        (no("403 Forbidden", "Forbidden: something new for 5550117", none()), refused("telegram-403")),
        (no("400 Bad Request", "Bad Request: chat not found", none()), away("no-such-chat")),
        (no("400 Bad Request", "Bad Request: PEER_ID_INVALID", none()), away("no-such-chat")),
        (no("400 Bad Request", "Bad Request: message text is empty", none()), refused("telegram-400")),
        (no("400 Bad Request", "", json!({ "migrate_to_chat_id": -100 })), refused("telegram-400")),
        (no("413 Payload Too Large", "", none()), refused("telegram-413")),
        (no("401 Unauthorized", "Unauthorized", none()), wrong("token")),
        (no("404 Not Found", "Not Found", none()), wrong("token")),
        (no("409 Conflict", "Conflict: terminated by other getUpdates request", none()), wrong("read-by-another")),
        (answers("302 Found\r\nLocation: http://127.0.0.1:1/elsewhere", ""), wrong("telegram-302")),
        (answers("405 Method Not Allowed", "<html>"), wrong("telegram-405")),
        (answers("503 Service Unavailable", "<html>"), busy(None)),
        (
            answers("500 Internal Server Error", r#"{"ok":false,"error_code":500,"description":"Internal Server Error"}"#),
            SendError::Unknown,
        ),
        (answers("502 Bad Gateway", "<html>nginx</html>"), SendError::Unknown),
        (answers("200 OK", "<html>a captive portal</html>"), SendError::Unknown),
        (answers("200 OK", ""), SendError::Unknown),
        (answers("200 OK", r#"{"ok":false,"error_code":401}"#), wrong("token")),
        (Does::Hangs, SendError::Unknown),
        (Does::Closes, SendError::Unknown),
        (Does::Resets, SendError::Unknown),
        (Does::BreaksOff, SendError::Unknown),
    ];
    for (row, (does, expected)) in table.into_iter().enumerate() {
        let (address, served) = provider(does).await;
        let error = bot(&address).send(&message()).await.expect_err("no acceptance");
        assert_eq!(error, expected, "row {row}");
        let shown = format!("{error} {error:?}");
        for private in ["5550117", "Tomorrow", TOKEN, "AAF-", "Zr-9", "127.0.0.1"] {
            assert!(!shown.contains(private), "row {row}: {shown}");
        }
        served.abort();
    }
}

#[tokio::test]
async fn nobody_at_the_address_means_certainly_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    drop(listener);
    assert_eq!(bot(&address).send(&message()).await, Err(SendError::Busy { retry_after: None }));
    let nowhere = Outgoing { to: Address::new("+1718"), ..message() };
    assert!(bot(&address).send(&nowhere).await.is_err());
}

#[test]
fn a_letter_is_parted_at_a_space_and_never_within_a_sign() {
    assert_eq!(split("short"), ["short"]);
    let words = "word ".repeat(1000);
    let parts = split(words.trim_end());
    assert_eq!(parts.len(), 2);
    assert!(parts.iter().all(|part| part.encode_utf16().count() <= 4096 && part.starts_with("word") && part.ends_with("word")));
    let signs = "🌻".repeat(2049);
    let parts = split(&signs);
    assert_eq!((parts.len(), parts[0].chars().count(), parts[1]), (2, 2048, "🌻"));
}

#[tokio::test]
async fn a_look_confirms_the_last_and_passes_over_what_it_cannot_read() {
    let updates = json!([
        { "update_id": 7, "message": text(1, 5_550_117, "hello") },
        { "update_id": 8, "something_new": 17 },
        { "update_id": 9, "message": { "message_id": 3, "chat": { "id": 5_550_117, "type": "private" }, "text": "in a new shape" } },
        { "nonsense": true },
    ]);
    let (address, served) = provider(ok(&updates)).await;
    let found = bot(&address).updates(Some(5), Duration::ZERO).await.expect("updates");
    assert_eq!(found.next, Some(10));
    assert_eq!(texts(&found.incoming), ["hello", "in a new shape"]);
    let (line, body) = asked(&served.await.expect("served"));
    assert_eq!(line, format!("POST /bot{TOKEN}/getUpdates HTTP/1.1"));
    assert_eq!(
        body,
        json!({ "offset": 5, "limit": 50, "timeout": 0, "allowed_updates": ["message", "callback_query", "edited_message", "my_chat_member"] })
    );
}

#[tokio::test]
async fn a_bot_says_at_its_start_how_it_wants_its_messages() {
    let (address, served) = provider(ok(&json!(true))).await;
    bot(&address).begin().await.expect("is told");
    assert_eq!(asked(&served.await.expect("served")).0, format!("POST /bot{TOKEN}/deleteWebhook HTTP/1.1"));

    let (address, served) = provider(ok(&json!(true))).await;
    let hooked = configured(&format!(
        "name = \"telegram\"\ntoken_env = \"TOKEN\"\nmode = \"webhook\"\nsecret_token_env = \"SECRET\"\nurl = \"http://{address}\"\nallowed_updates = [\"message\"]\n"
    ));
    hooked.expect("no faults").begin().await.expect("is told");
    let (line, body) = asked(&served.await.expect("served"));
    assert_eq!(line, format!("POST /bot{TOKEN}/setWebhook HTTP/1.1"));
    assert_eq!(
        body,
        json!({
            "url": "https://light.example.org/hooks/telegram/inbound", "secret_token": SECRET, "max_connections": 40,
            "allowed_updates": ["message", "callback_query"],
        })
    );
}

#[tokio::test]
async fn the_bot_is_asked_for_its_name_once_unless_it_is_written_down() {
    let (address, served) = provider(ok(&json!({ "id": 1, "is_bot": true, "username": "harbor_bot" }))).await;
    let asking = bot(&address);
    assert_eq!(asking.bot().await, Ok("harbor_bot"));
    served.await.expect("served");
    assert_eq!(asking.bot().await, Ok("harbor_bot"), "nobody answers any more");
    let written = configured("name = \"telegram\"\ntoken_env = \"TOKEN\"\nbot = \"@light_bot\"\nurl = \"http://127.0.0.1:1\"\n");
    assert_eq!(written.expect("no faults").bot().await, Ok("light_bot"));
}

// --- What updates say ----------------------------------------------------------------------------------------------------------

fn person() -> Value {
    json!({ "id": 5_550_117, "is_bot": false, "first_name": "Ana" })
}

fn chat(id: i64) -> Value {
    json!({ "id": id, "type": "private", "first_name": "Ana" })
}

fn text(id: i64, chat_id: i64, words: &str) -> Value {
    json!({ "message_id": id, "date": 1_795_537_230, "from": person(), "chat": chat(chat_id), "text": words })
}

fn with(kind: &str, media: Value, caption: Option<&str>) -> Value {
    let mut message = json!({ "message_id": 5, "date": 1_795_537_230, "from": person(), "chat": chat(5_550_117) });
    message[kind] = media;
    if let Some(caption) = caption {
        message["caption"] = Value::from(caption);
    }
    json!({ "update_id": 9, "message": message })
}

fn texts(incoming: &[Incoming]) -> Vec<&str> {
    let text = |one: &'_ Incoming| match one {
        Incoming::Message { .. } => true,
        Incoming::Left { .. } | Incoming::Receipt { .. } => false,
    };
    let messages = incoming.iter().filter(|one| text(one));
    messages
        .map(|one| match one {
            Incoming::Message { text, .. } => text.expose(),
            Incoming::Left { .. } | Incoming::Receipt { .. } => "",
        })
        .collect()
}

fn said(words: &str, id: &str, extras: Extras) -> Incoming {
    Incoming::Message {
        from: Address::new("5550117"),
        to: None,
        text: Body::new(words),
        provider_id: Some(id.to_owned()),
        provider_time: Some(Time(1_795_537_230_000)),
        extras,
    }
}

fn one(update: &Value) -> Option<Incoming> {
    read_update(update).expect("an update").incoming
}

#[test]
fn words_commands_and_links_are_read() {
    let start = |token: &str| Extras { start: Some(token.to_owned()), ..Extras::default() };
    let table = [
        ("me duele el pecho", "me duele el pecho", Extras::default()),
        ("/start", "START", Extras::default()),
        ("/start abc-DEF_1", "", start("abc-DEF_1")),
        ("/Start@harbor_bot  abc", "", start("abc")),
        ("/stop", "STOP", Extras::default()),
        ("/help@harbor_bot", "HELP", Extras::default()),
        ("/weather", "/weather", Extras::default()),
        ("STOP", "STOP", Extras::default()),
        ("start over?", "start over?", Extras::default()),
    ];
    for (typed, read, extras) in table {
        let update = json!({ "update_id": 9, "message": text(4, 5_550_117, typed) });
        assert_eq!(one(&update), Some(said(read, "9.4", extras)), "{typed}");
    }
    let edited = json!({ "update_id": 10, "edited_message": text(4, 5_550_117, "I meant 181") });
    assert_eq!(one(&edited), Some(said("I meant 181", "10.4", Extras::default())), "what is corrected is a new text");
}

#[test]
fn what_is_no_text_is_kept_as_what_it_is() {
    let file = json!({ "file_id": "f", "file_unique_id": "u", "file_size": 9 });
    let sized = |more: Value| {
        let mut file = file.clone();
        file.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        file
    };
    let table = [
        (with("photo", json!([sized(json!({ "width": 1, "height": 1 }))]), Some("my foot")), Media::Photo, "my foot"),
        (with("voice", sized(json!({ "duration": 19 })), None), Media::Voice, ""),
        (with("video", sized(json!({ "width": 1, "height": 1, "duration": 2 })), None), Media::Video, ""),
        (with("document", file.clone(), Some("letter")), Media::File, "letter"),
        (with("location", json!({ "latitude": 40.7, "longitude": -74.0 }), None), Media::Location, ""),
        (with("contact", json!({ "phone_number": "+17185550117", "first_name": "B" }), None), Media::Contact, ""),
        (with("dice", json!({ "emoji": "🎲", "value": 3 }), None), Media::Other, ""),
        (with("hologram", json!({ "depth": 3 }), None), Media::Other, ""),
    ];
    for (update, media, caption) in table {
        let Some(Incoming::Message { text, extras, from, .. }) = one(&update) else { panic!("{media}: no message") };
        assert_eq!((text.expose(), extras.media, from.expose()), (caption, Some(media), "5550117"));
    }
}

#[test]
fn a_pressed_button_says_what_would_have_been_typed_and_shows_the_choice() {
    let keyboard =
        json!({ "inline_keyboard": [[{ "text": "Confirmo", "callback_data": "C" }, { "text": "No", "callback_data": "X" }]] });
    let mut asks = text(41, 5_550_117, "Mañana 10:30");
    asks["reply_markup"] = keyboard;
    let press = |data: &str| json!({ "update_id": 11, "callback_query": { "id": "q1", "from": person(), "chat_instance": "1", "data": data, "message": asks } });
    let came = read_update(&press("C")).expect("an update");
    let Some(Incoming::Message { text, provider_id, .. }) = came.incoming else { panic!("a message") };
    assert_eq!((text.expose(), provider_id.as_deref()), ("C", Some("press.5550117.41.C")), "hit twice, it counts once");
    let shown = Some("Mañana 10:30\n\n✓ Confirmo".to_owned());
    assert_eq!(came.then, Some(Then::Answer { query: "q1".into(), chat: 5_550_117, message: Some(41), shown }));
    let gone = json!({ "update_id": 12, "callback_query": { "id": "q1", "from": person(), "chat_instance": "1", "data": "C",
        "message": { "chat": chat(5_550_117), "message_id": 41, "date": 0 } } });
    let came = read_update(&gone).expect("an update");
    assert!(came.incoming.is_some(), "the words count, however old the message is");
    assert_eq!(came.then, Some(Then::Answer { query: "q1".into(), chat: 5_550_117, message: Some(41), shown: None }));
    assert!(!format!("{:?}", came.then).contains("555"));
}

#[test]
fn groups_are_left_bots_ignored_and_who_blocks_us_has_left() {
    let group = json!({ "id": -100_777, "type": "supergroup", "title": "Family" });
    let mut in_group = text(1, 5_550_117, "I want to die");
    in_group["chat"] = group.clone();
    let mut from_bot = text(1, 5_550_117, "spam");
    from_bot["from"]["is_bot"] = Value::from(true);
    let member = |chat: &Value, status: &str| {
        let user = json!({ "id": 99, "is_bot": true, "first_name": "Light" });
        let mut new = json!({ "status": status, "user": user });
        if status == "kicked" {
            new["until_date"] = Value::from(0);
        }
        let old = json!({ "status": "left", "user": user });
        json!({ "update_id": 13, "my_chat_member": { "chat": chat, "from": person(), "date": 1, "old_chat_member": old, "new_chat_member": new } })
    };
    let leave = Some(Then::Leave { chat: -100_777 });
    for update in [
        json!({ "update_id": 1, "message": in_group }),
        json!({ "update_id": 2, "channel_post": { "message_id": 1, "date": 1, "chat": { "id": -100_777, "type": "channel", "title": "T" }, "text": "x" } }),
        member(&group, "member"),
    ] {
        let came = read_update(&update).expect("an update");
        assert_eq!((came.incoming, came.then), (None, leave.clone()), "{update}");
    }
    for nothing in [json!({ "update_id": 3, "message": from_bot }), member(&group, "kicked"), member(&chat(5_550_117), "member")]
    {
        let came = read_update(&nothing).expect("an update");
        assert_eq!((came.incoming, came.then), (None, None), "{nothing}");
    }
    let left = Incoming::Left { from: Address::new("5550117"), provider_id: Some("13".to_owned()) };
    assert_eq!(one(&member(&chat(5_550_117), "kicked")), Some(left));
    assert!(read_update(&json!({ "message": text(1, 2, "x") })).is_err());
}

// --- The door and the settings -------------------------------------------------------------------------------------------------

fn posted(gateway: &Gateway, secret: Option<&str>, body: &[u8]) -> Result<Vec<Incoming>, Rejected> {
    let mut headers = HeaderMap::new();
    if let Some(secret) = secret {
        headers.insert("X-Telegram-Bot-Api-Secret-Token", secret.parse().expect("a header"));
    }
    gateway.parse(&Request {
        method: &Method::POST,
        path_kind: Hook::Inbound,
        query: "",
        headers: &headers,
        body,
        at: Time(1_795_537_230_000),
    })
}

#[test]
fn only_who_knows_the_secret_speaks_for_telegram() {
    let gateway = Gateway::Telegram(Arc::new(by_webhook()));
    let update = json!({ "update_id": 9, "message": text(4, 5_550_117, "hola") }).to_string();
    assert_eq!(posted(&gateway, Some(SECRET), update.as_bytes()), Ok(vec![said("hola", "9.4", Extras::default())]));
    for secret in [None, Some(""), Some("telegram-secret_012345678"), Some("telegram-secret_0123456788"), Some(TOKEN)] {
        assert_eq!(posted(&gateway, secret, update.as_bytes()), Err(Rejected::Unauthorised));
    }
    let large = vec![b' '; UPDATE_LIMIT + 1];
    assert_eq!(posted(&gateway, Some(SECRET), &large), Err(Rejected::TooLarge));
    for broken in ["", "{", "[]", "{\"update_id\": \"x\"}"] {
        assert!(matches!(posted(&gateway, Some(SECRET), broken.as_bytes()), Err(Rejected::Malformed { .. })), "{broken}");
    }
    assert_eq!(posted(&gateway, Some(SECRET), br#"{"update_id":5,"brand_new":{}}"#), Ok(vec![]), "what is not known is no fault");
    let polling = Gateway::Telegram(Arc::new(bot("127.0.0.1:1")));
    assert_eq!(posted(&polling, Some(""), update.as_bytes()), Err(Rejected::Unauthorised), "it has no door");
    let shown = format!("{gateway:?}");
    assert!(!shown.contains("AAF") && !shown.contains("secret_0"), "{shown}");
}

#[test]
fn wrong_settings_are_all_named_with_place_and_remedy_and_without_the_token() {
    let wrong = "name = \"Tele\"\ntoken = \"98765:short\"\nmode = \"pull\"\nurl = \"http://far.example\"\nbot = \"?\"\n\
                 allowed_updates = [\"poll\"]\nper_second = 0.0\nchat_pause_ms = -1\nsecret = \"x\"\n";
    let faults = configured(wrong).expect_err("faults").join("\n");
    for wanted in [
        "t.toml:1:8: a gateway's name",
        "t.toml:2:9: `token`",
        "t.toml:3:8: `mode`",
        "t.toml:4:7: `url` would carry",
        "t.toml:5:7: `bot`",
        "t.toml:6:19: `poll` is not read here",
        "t.toml:7:14: `per_second`",
        "t.toml:8:17: `chat_pause_ms`",
        "t.toml:9:1: ",
    ] {
        assert!(faults.contains(wanted), "{wanted} in\n{faults}");
    }
    assert!(!faults.contains("98765") && !faults.contains("short"), "{faults}");
    let missing = configured("name = \"t\"\ntoken_env = \"NOT_THERE\"\n").expect_err("a fault").join("\n");
    assert!(missing.contains("the environment variable `NOT_THERE` is not set"), "{missing}");
    let hook = configured("name = \"t\"\ntoken_env = \"TOKEN\"\nmode = \"webhook\"\nsecret_token = \"too short\"\n")
        .expect_err("a fault");
    assert!(hook.join("\n").contains("Telegram proves itself by it"), "{hook:?}");
    assert!(
        configured("name = \"t\"\ntoken_env = \"TOKEN\"\nsecret_token_env = \"SECRET\"\n").is_err(),
        "a secret without a webhook"
    );
}
