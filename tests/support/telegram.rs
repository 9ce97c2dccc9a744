//! A Bot API of our own, as a real server: chats with people who can block and press, long polling that waits, a webhook that is
//! posted to, and scripted faults. It refuses what Telegram refuses: a wrong token, a chat that never wrote, a look while there is
//! a webhook or another look, a text that is too long, a keyboard that is not one.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use porchlight::app::App;
use porchlight::inbound::Listener;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// The token of the bot of every story.
pub const TOKEN: &str = "123456:AAF-token_of_a_story_0123456789";
/// The secret of its webhook.
pub const HOOK_SECRET: &str = "a-secret-of-the-webhook_0123456789";

/// A message as it stands in a chat.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    pub id: i64,
    pub text: String,
    /// Its buttons, row by row: what stands on them, and what they say.
    pub buttons: Vec<Vec<(String, String)>>,
}

#[derive(Default)]
struct Books {
    updates: VecDeque<Value>,
    number: i64,
    message: i64,
    chats: BTreeMap<i64, Vec<Shown>>,
    blocked: Vec<i64>,
    /// Presses that the phone still shows as under way.
    spinning: Vec<String>,
    left: Vec<i64>,
    hook: Option<(String, String)>,
    looking: bool,
    script: HashMap<String, VecDeque<(u16, Value)>>,
    asked: Vec<String>,
}

/// The server, and the listener that a story moves by hand.
pub struct Bot {
    books: Arc<Mutex<Books>>,
    news: Arc<Notify>,
    pub url: String,
    listener: tokio::sync::Mutex<Option<Listener>>,
    http: reqwest::Client,
}

impl Bot {
    /// Serves the Bot API on a loopback port, until `serving` is dropped.
    pub async fn open() -> (Bot, impl Future<Output = ()> + Send + 'static) {
        let door = TcpListener::bind("127.0.0.1:0").await.expect("a port for the Bot API");
        let url = format!("http://{}", door.local_addr().expect("an address"));
        let (books, news) = (Arc::new(Mutex::new(Books::default())), Arc::new(Notify::new()));
        let router = Router::new().route("/{token}/{method}", post(asked)).with_state((Arc::clone(&books), Arc::clone(&news)));
        let serving = async move { axum::serve(door, router).await.expect("the Bot API serves") };
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        (Bot { books, news, url, listener: tokio::sync::Mutex::default(), http }, serving)
    }

    /// The gateway's table in the configuration; `mode` says how updates come.
    pub fn settings(&self, mode: &str) -> String {
        format!(
            "[[gateway]]\nkind = \"telegram\"\nname = \"telegram\"\ntoken = \"{TOKEN}\"\nurl = \"{}\"\nchat_pause_ms = 0\nper_second = 10000\n{mode}\n",
            self.url
        )
    }

    /// One look at the updates and what follows from it; updates are posted where there is a webhook. Gives how much was done.
    pub async fn turn(&self, app: &App) -> usize {
        let mut done = self.post_updates().await;
        let polls = app.ways.all().any(|g| matches!(g, porchlight::gateway::Gateway::Telegram(bot) if bot.polls().is_some()));
        if polls {
            let mut listener = self.listener.lock().await;
            let listener = listener.get_or_insert_with(|| app.listeners().next().expect("a bot"));
            done += listener.look(Duration::ZERO).await.ok().flatten().unwrap_or(0);
        }
        for gateway in app.ways.all() {
            if let porchlight::gateway::Gateway::Telegram(bot) = gateway {
                done += bot.tidy_now().await;
            }
        }
        done
    }

    async fn post_updates(&self) -> usize {
        let Some((url, secret)) = self.books().hook.clone() else { return 0 };
        let mut done = 0;
        loop {
            let Some(update) = self.books().updates.front().cloned() else { return done };
            let posted = self.http.post(&url).header("X-Telegram-Bot-Api-Secret-Token", &secret).json(&update).send().await;
            if !posted.is_ok_and(|answer| answer.status().is_success()) {
                return done;
            }
            self.books().updates.pop_front();
            done += 1;
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().expect("the books")
    }

    fn update(&self, kind: &str, what: &Value) {
        let mut books = self.books();
        books.number += 1;
        let number = 1000 + books.number;
        books.updates.push_back(json!({ "update_id": number, kind: what }));
        drop(books);
        self.news.notify_waiters();
    }

    /// Telegram forgets nothing that was not confirmed: everything not yet confirmed comes again.
    pub fn repeats_the_last(&self, times: usize) {
        let mut books = self.books();
        let last = books.updates.back().cloned().expect("an update");
        for _ in 0..times {
            books.updates.push_back(last.clone());
        }
    }

    /// Somebody writes to the bot.
    pub fn writes(&self, chat: i64, text: &str) {
        let message = self.message(chat, &json!({ "text": text }));
        self.update("message", &message);
    }

    /// Somebody sends something that is no text.
    pub fn sends(&self, chat: i64, what: &Value) {
        let message = self.message(chat, what);
        self.update("message", &message);
    }

    fn message(&self, chat: i64, what: &Value) -> Value {
        let mut books = self.books();
        books.message += 1;
        let id = books.message;
        books.chats.entry(chat).or_default();
        let mut message = json!({ "message_id": id, "date": 1_795_537_230, "from": person(chat), "chat": private(chat) });
        message.as_object_mut().expect("an object").extend(what.as_object().expect("an object").clone());
        message
    }

    /// Somebody presses the button that says `label` on the last message that has one.
    pub fn presses(&self, chat: i64, label: &str) {
        let (shown, says) = {
            let books = self.books();
            let chat = books.chats.get(&chat).expect("a chat");
            let shown = chat.iter().rfind(|m| !m.buttons.is_empty()).expect("a keyboard").clone();
            let says = shown.buttons.iter().flatten().find(|(text, _)| text == label).map(|(_, says)| says.clone());
            (shown, says.unwrap_or_else(|| panic!("no button {label}")))
        };
        let rows: Vec<Vec<Value>> = shown
            .buttons
            .iter()
            .map(|row| row.iter().map(|(text, says)| json!({ "text": text, "callback_data": says })).collect())
            .collect();
        let message = json!({
            "message_id": shown.id, "date": 1_795_537_230, "chat": private(chat), "text": shown.text,
            "from": { "id": 123_456, "is_bot": true, "first_name": "Light", "username": "harbor_light_bot" },
            "reply_markup": { "inline_keyboard": rows },
        });
        let query = {
            let mut books = self.books();
            let query = format!("query-{}", books.number);
            books.spinning.push(query.clone());
            query
        };
        let press = json!({ "id": query, "from": person(chat), "chat_instance": "1", "data": says, "message": message });
        self.update("callback_query", &press);
    }

    /// Somebody presses a button of a message that is too old to be shown.
    pub fn presses_nothing(&self, chat: i64, says: &str) {
        let message = json!({ "message_id": 1, "date": 0, "chat": private(chat) });
        let press = json!({ "id": "old", "from": person(chat), "chat_instance": "1", "data": says, "message": message });
        self.update("callback_query", &press);
    }

    /// Somebody blocks the bot; `told`: Telegram says so by itself.
    pub fn blocks(&self, chat: i64, told: bool) {
        self.books().blocked.push(chat);
        if told {
            let bot = json!({ "id": 123_456, "is_bot": true, "first_name": "Light" });
            let change = json!({
                "chat": private(chat), "from": person(chat), "date": 1,
                "old_chat_member": { "status": "member", "user": bot },
                "new_chat_member": { "status": "kicked", "user": bot, "until_date": 0 },
            });
            self.update("my_chat_member", &change);
        }
    }

    /// Somebody takes the block away.
    pub fn unblocks(&self, chat: i64) {
        self.books().blocked.retain(|one| *one != chat);
    }

    /// The next calls of a method are answered so.
    pub fn script(&self, method: &str, answers: Vec<(u16, Value)>) {
        self.books().script.insert(method.to_owned(), answers.into());
    }

    /// What stands in a chat, from us, in order.
    pub fn chat(&self, chat: i64) -> Vec<Shown> {
        self.books().chats.get(&chat).cloned().unwrap_or_default()
    }

    /// The last message in a chat.
    pub fn last(&self, chat: i64) -> Shown {
        self.chat(chat).pop().expect("a message in the chat")
    }

    /// How often a method was called.
    pub fn calls(&self, method: &str) -> usize {
        self.books().asked.iter().filter(|asked| *asked == method).count()
    }

    /// Presses that nobody has answered.
    pub fn spinning(&self) -> usize {
        self.books().spinning.len()
    }

    /// Groups and channels that the bot went out of.
    pub fn left(&self) -> Vec<i64> {
        self.books().left.clone()
    }

    /// Updates that were not confirmed.
    pub fn waiting(&self) -> usize {
        self.books().updates.len()
    }
}

fn person(chat: i64) -> Value {
    json!({ "id": chat, "is_bot": false, "first_name": "Somebody" })
}

fn private(chat: i64) -> Value {
    json!({ "id": chat, "type": "private", "first_name": "Somebody" })
}

type Shared = (Arc<Mutex<Books>>, Arc<Notify>);

fn answer(status: u16, result: &Value) -> Response {
    let body = if status == 200 {
        json!({ "ok": true, "result": result })
    } else {
        let mut body = json!({ "ok": false, "error_code": status });
        body.as_object_mut().expect("an object").extend(result.as_object().expect("an object").clone());
        body
    };
    (StatusCode::from_u16(status).expect("a status"), axum::Json(body)).into_response()
}

fn no(status: u16, description: &str) -> Response {
    answer(status, &json!({ "description": description }))
}

async fn asked(State((books, news)): State<Shared>, Path((token, method)): Path<(String, String)>, body: String) -> Response {
    if token != format!("bot{TOKEN}") {
        return no(401, "Unauthorized");
    }
    let asked: Value = if body.is_empty() { json!({}) } else { serde_json::from_str(&body).expect("JSON") };
    {
        let mut books = books.lock().expect("the books");
        books.asked.push(method.clone());
        if let Some((status, result)) = books.script.get_mut(&method).and_then(VecDeque::pop_front) {
            return answer(status, &result);
        }
    }
    if method == "getUpdates" {
        return look(&books, &news, &asked).await;
    }
    let mut books = books.lock().expect("the books");
    let chat = asked.get("chat_id").and_then(Value::as_i64).unwrap_or_default();
    match method.as_str() {
        "getMe" => answer(200, &json!({ "id": 123_456, "is_bot": true, "first_name": "Light", "username": "harbor_light_bot" })),
        "setWebhook" => {
            let field = |name: &str| asked.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            books.hook = Some((field("url"), field("secret_token")));
            answer(200, &json!(true))
        }
        "deleteWebhook" => {
            books.hook = None;
            answer(200, &json!(true))
        }
        "sendMessage" => books.send(chat, &asked),
        "answerCallbackQuery" => {
            let query = asked.get("callback_query_id").and_then(Value::as_str).unwrap_or_default();
            let before = books.spinning.len();
            books.spinning.retain(|one| one != query);
            if books.spinning.len() == before {
                return no(400, "Bad Request: query is too old and response timeout expired or query ID is invalid");
            }
            answer(200, &json!(true))
        }
        "editMessageText" | "editMessageReplyMarkup" => {
            let id = asked.get("message_id").and_then(Value::as_i64).unwrap_or_default();
            let text = asked.get("text").and_then(Value::as_str).map(str::to_owned);
            let Some(shown) = books.chats.get_mut(&chat).and_then(|chat| chat.iter_mut().find(|m| m.id == id)) else {
                return no(400, "Bad Request: message to edit not found");
            };
            shown.buttons = keyboard(&asked);
            shown.text = text.unwrap_or_else(|| shown.text.clone());
            answer(200, &json!({ "message_id": id, "date": 1, "chat": private(chat), "text": shown.text }))
        }
        "leaveChat" => {
            books.left.push(chat);
            answer(200, &json!(true))
        }
        _ => no(404, "Not Found"),
    }
}

impl Books {
    fn send(&mut self, chat: i64, asked: &Value) -> Response {
        let text = asked.get("text").and_then(Value::as_str).unwrap_or_default();
        if text.trim().is_empty() {
            return no(400, "Bad Request: message text is empty");
        }
        if text.encode_utf16().count() > 4096 {
            return no(400, "Bad Request: message is too long");
        }
        if self.blocked.contains(&chat) {
            return no(403, "Forbidden: bot was blocked by the user");
        }
        if !self.chats.contains_key(&chat) {
            return no(403, "Forbidden: bot can't initiate conversation with a user");
        }
        self.message += 1;
        let shown = Shown { id: self.message, text: text.to_owned(), buttons: keyboard(asked) };
        if shown.buttons.iter().flatten().any(|(label, says)| label.is_empty() || says.is_empty() || says.len() > 64) {
            return no(400, "Bad Request: BUTTON_DATA_INVALID");
        }
        self.chats.entry(chat).or_default().push(shown);
        answer(200, &json!({ "message_id": self.message, "date": 1, "chat": private(chat), "text": text }))
    }

    fn take(&mut self, asked: &Value) -> Vec<Value> {
        let offset = asked.get("offset").and_then(Value::as_i64).unwrap_or(0);
        while self.updates.front().is_some_and(|u| u.get("update_id").and_then(Value::as_i64).is_some_and(|id| id < offset)) {
            self.updates.pop_front();
        }
        let limit = asked.get("limit").and_then(Value::as_u64).unwrap_or(100);
        self.updates.iter().take(usize::try_from(limit).unwrap_or(100)).cloned().collect()
    }
}

/// Long polling: waits for an update as long as it was asked to; one at a time, and none where there is a webhook.
async fn look(books: &Arc<Mutex<Books>>, news: &Notify, asked: &Value) -> Response {
    {
        let mut books = books.lock().expect("the books");
        if books.hook.is_some() {
            return no(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
            );
        }
        if books.looking {
            return no(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running");
        }
        books.looking = true;
    }
    let _looking = Looking(books);
    let wait = Duration::from_secs(asked.get("timeout").and_then(Value::as_u64).unwrap_or(0));
    let until = tokio::time::Instant::now() + wait;
    loop {
        let changed = news.notified();
        let found = books.lock().expect("the books").take(asked);
        if !found.is_empty() || tokio::time::timeout_at(until, changed).await.is_err() {
            return answer(200, &Value::Array(found));
        }
    }
}

/// A look that ends however it ends, also when whoever looks hangs up.
struct Looking<'b>(&'b Mutex<Books>);

impl Drop for Looking<'_> {
    fn drop(&mut self) {
        self.0.lock().expect("the books").looking = false;
    }
}

fn keyboard(asked: &Value) -> Vec<Vec<(String, String)>> {
    let text = |button: &Value, name: &str| button.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let rows = asked.pointer("/reply_markup/inline_keyboard").and_then(Value::as_array).cloned().unwrap_or_default();
    rows.iter()
        .filter_map(Value::as_array)
        .map(|row| row.iter().map(|b| (text(b, "text"), text(b, "callback_data"))).collect())
        .collect()
}
