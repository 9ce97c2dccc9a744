//! Through a Bot API that nobody here wrote (npm: telegram-test-api): a link is followed, the check-in comes with its buttons, one is
//! pressed, and after a block what comes next goes to the other phone. What the stand-in lacks is named in tests/telegram/server.mjs.

#![expect(clippy::expect_used, reason = "a story that cannot go on has failed")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::FutureExt;
use porchlight::clock::Clock;
use porchlight::inbound::{Listener, token_hash};
use porchlight::intake::{Record, add_staff};
use porchlight::kit::SITE;
use porchlight::model::{Channel, ContentClass, Id, Lang, Role};
use porchlight::protocol::Settings;
use porchlight::store::links::{self, NewLink};
use porchlight::store::{Lane, patients, staff};
use serde_json::{Value, json};
use world::telegram::TOKEN;
use world::{On, World, somebody};

#[path = "support/world.rs"]
#[expect(dead_code, reason = "stories need more of the world than this one")]
mod world;

const MAYA: i64 = 5_550_111;

/// The stand-in, which ends with the test.
struct Peer {
    child: Child,
    url: String,
    http: reqwest::Client,
}

impl Peer {
    fn start() -> Peer {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/telegram/server.mjs");
        let child = Command::new("node").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("node runs; tests/run installs it");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        let said: Value =
            serde_json::from_str(&line).expect("the stand-in says where it is: are its packages installed? tests/run does");
        let url = said.get("url").and_then(Value::as_str).expect("an address").to_owned();
        Peer { child, url, http: reqwest::Client::builder().no_proxy().build().expect("a client") }
    }

    async fn person(&self, does: &str, what: Value) -> Value {
        let asked = self.http.post(format!("{}/person/{does}", self.url)).json(&what).send().await.expect("an answer");
        assert_eq!(asked.status(), 200, "{does}");
        asked.json().await.expect("JSON")
    }

    /// The last message in a chat.
    async fn last(&self, chat: i64) -> Value {
        let all = self.person("sees", json!({ "chat": chat })).await;
        all.as_array().and_then(|all| all.last()).cloned().expect("a message in the chat")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// Listens, works and tidies until nothing is left to do.
async fn settle(world: &World, listener: &mut Listener) {
    loop {
        let heard = listener.look(Duration::ZERO).await.expect("a look").expect("nobody else listens");
        world.settle().await;
        let mut tidied = 0;
        for bot in world.app.ways.bots() {
            tidied += bot.tidy_now().await;
        }
        if heard + tidied == 0 {
            return;
        }
    }
}

async fn told(on: On) {
    let peer = Peer::start();
    let settings = format!(
        "[[gateway]]\nkind = \"telegram\"\nname = \"telegram\"\ntoken = \"{TOKEN}\"\nurl = \"{}\"\nchat_pause_ms = 0\n",
        peer.url
    );
    let world = World::begin_beside(on, "2026-11-16 09:00", settings).await;
    let mut listener = world.app.listeners().next().expect("a bot");
    let bot = world.app.ways.bots().next().expect("a bot");
    assert_eq!(bot.bot().await, Ok("harbor_light_bot"));

    let goal = Settings { goal: Some("walk".into()), at: Some("10:00".into()), ..Settings::default() };
    let maya = world.patient(Record { protocols: vec![("weekly-goal".into(), goal)], ..somebody(11, "Maya", Lang::En) }).await;
    add_staff(&world.app.db, &world.app.kit, "june@harbor.example", "June", Role::Coordinator, "a password of June's")
        .await
        .expect("June");
    let (id, now, patient) = (world.app.kit.id(), world.clock.now(), maya.id);
    let made = world.app.db.write(Lane::Work, move |tx| {
        async move {
            let june = staff::by_email(tx, "june@harbor.example").await?.expect("June");
            let person = patients::get(tx, patient).await?.expect("Maya").person_id;
            let link = NewLink {
                id,
                site: SITE,
                patient,
                person: Id(person),
                channel: Channel::Telegram,
                hash: token_hash("a-link-for-maya"),
                class: ContentClass::Care,
                staff: Id(june.id),
                expires: now.plus(Duration::from_hours(24)),
            };
            links::make(tx, &link, now).await
        }
        .boxed()
    });
    made.await.expect("the link");

    peer.person("writes", json!({ "chat": MAYA, "text": "/start a-link-for-maya" })).await;
    settle(&world, &mut listener).await;
    let welcome = peer.last(MAYA).await;
    assert!(welcome["text"].as_str().is_some_and(|t| t.contains("Harbor Street") && t.contains("STOP")), "{welcome}");

    world.run_until("2026-11-23 10:01").await;
    let asked = peer.last(MAYA).await;
    let buttons: Vec<&str> = asked["buttons"].as_array().expect("buttons").iter().filter_map(|b| b["text"].as_str()).collect();
    assert_eq!(buttons, ["Yes", "Partly", "Not yet"], "{asked}");
    peer.person("presses", json!({ "chat": MAYA, "message": asked["id"], "says": "2" })).await;
    settle(&world, &mut listener).await;
    assert_eq!(world.readings(&maya, "goal").await, [2.0]);
    let all = peer.person("sees", json!({ "chat": MAYA })).await;
    let answered = all.as_array().expect("messages").iter().find(|m| m["id"] == asked["id"]).expect("the question").clone();
    assert!(answered["text"].as_str().is_some_and(|t| t.ends_with("\n\n✓ Partly")), "{answered}");

    peer.person("writes", json!({ "chat": MAYA, "text": "it rained all week" })).await;
    settle(&world, &mut listener).await;
    assert!(world.texts(&maya).is_empty(), "all of it on Telegram");

    peer.person("blocks", json!({ "chat": MAYA })).await;
    world.run_until("2026-11-30 10:01").await;
    world.run_until("2026-12-07 10:01").await;
    assert!(world.attempts(&maya).await.contains(&"blocked".to_owned()));
    assert!(world.last(&maya).contains("goal"), "the other phone");
    assert!(!world.decisions(&maya).await.iter().any(|d| d.1 == "revoked"), "nobody was opted out");
    drop(listener);
    world.end().await;
}

#[tokio::test]
async fn a_link_a_check_in_a_pressed_button_and_a_block_on_sqlite() {
    told(On::Sqlite).await;
}

#[tokio::test]
async fn a_link_a_check_in_a_pressed_button_and_a_block_on_postgres() {
    told(On::Postgres).await;
}
