//! The service as it runs: its own loops and a listener, a provider that answers late, a database that refuses.

#![expect(clippy::expect_used, reason = "a case that cannot go on has failed")]

use std::fmt::Write as _;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use futures_util::FutureExt;
use porchlight::app::Role;
use porchlight::clock::{Clock, Time};
use porchlight::intake::{Record, add_staff};
use porchlight::kit::SITE;
use porchlight::model::{Class, ContentClass, Lang, Severity};
use porchlight::protocol::WeightUnit;
use porchlight::store::messages::{self, NewMessage};
use porchlight::store::{Db, Lane, StoreError, Tx, inbox, nodes};
use reqwest::header::{COOKIE, RETRY_AFTER, SET_COOKIE};
use tokio::task::JoinSet;

#[path = "support/world.rs"]
#[expect(dead_code, reason = "stories need more of the world than these cases")]
mod world;

use world::{Answer, On, Person, World, at, daily_at, somebody};

/// Far longer than anything here takes: who waits this long waits for ever.
const PATIENCE: Duration = Duration::from_mins(1);

/// Tells a case on both databases.
macro_rules! case {
    ($(#[$doc:meta])* $name:ident, |$on:ident| $body:block) => {
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn told($on: On) $body

            #[tokio::test]
            async fn on_sqlite() {
                logs();
                told(On::Sqlite).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                logs();
                told(On::Postgres).await;
            }
        }
    };
}

/// Waits until `count` texts stand on a phone, and gives them.
async fn hears(world: &World, person: &Person, count: usize) -> Vec<String> {
    let mut news = world.provider.subscribe();
    let heard = async {
        loop {
            news.borrow_and_update();
            let texts = world.texts(person);
            if texts.len() >= count {
                return texts;
            }
            news.changed().await.expect("the provider is there");
        }
    };
    let heard = tokio::time::timeout(PATIENCE, heard).await;
    heard.unwrap_or_else(|_| panic!("{} texts have not come to {}", count, person.phone))
}

/// Looks into the database again and again until the patient's messages stand so.
async fn stand(world: &World, person: &Person, wanted: &[&str]) {
    let mut look = tokio::time::interval(Duration::from_millis(10));
    let stood = async {
        while world.message_states(person).await != wanted {
            look.tick().await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, stood).await.is_ok();
    let states = world.message_states(person).await;
    assert!(in_time, "wanted {wanted:?}, the messages stand at {states:?}");
}

/// From now on the provider leaves messages to this person without an answer.
fn hold(world: &World, person: &Person) {
    world.provider.send_modify(|p| p.held.extend([person.phone.clone()]));
}

fn weighs(number: u32, name: &str, lang: Lang) -> Record {
    Record { protocols: vec![("heart-failure-weight".into(), daily_at("09:30", WeightUnit::Lb))], ..somebody(number, name, lang) }
}

case!(
    /// Nothing is queued but one question that must wait until the afternoon. Somebody else writes that they want to die:
    /// the answer goes out at once.
    a_held_message_blocks_nobody, |on| {
        let world = World::begin(on, "2026-11-16 09:29").await;
        let waits = world.patient(Record { window: Some((13 * 60, 18 * 60)), ..weighs(70, "Ignatius", Lang::En) }).await;
        let writes = world.patient(somebody(71, "Marisol", Lang::Es)).await;
        world.app.work(Role::All);
        world.clock.set(at(&world.zone, "2026-11-16 09:30"));
        stand(&world, &waits, &["held"]).await;

        world.writes(&writes.phone, "quiero morirme", "m-71").await;
        let said = hears(&world, &writes, 1).await;
        assert!(said[0].contains("988"), "{said:?}");
        stand(&world, &writes, &["accepted"]).await;
        world.expect_escalation(&writes, Severity::Emergency).await;
        assert!(world.texts(&waits).is_empty());
        assert_eq!(world.message_states(&waits).await, ["held"]);

        // In the afternoon it goes by itself.
        world.clock.set(at(&world.zone, "2026-11-16 13:00"));
        hears(&world, &waits, 1).await;
        stand(&world, &waits, &["accepted"]).await;
        world.end().await;
    }
);

case!(
    /// The provider leaves one message without an answer. Everybody else's go out meanwhile, a cry for help first of all.
    a_provider_that_hangs_holds_up_one_message_only, |on| {
        let world = World::begin(on, "2026-11-16 09:29").await;
        let stuck = world.patient(weighs(72, "Thaddeus", Lang::En)).await;
        let next = world.patient(weighs(73, "Philippa", Lang::En)).await;
        let writes = world.patient(somebody(74, "Celestina", Lang::It)).await;
        hold(&world, &stuck);
        world.app.work(Role::All);
        world.clock.set(at(&world.zone, "2026-11-16 09:30"));
        hears(&world, &next, 1).await;
        stand(&world, &stuck, &["sending"]).await;

        world.writes(&writes.phone, "voglio uccidermi", "m-74").await;
        hears(&world, &writes, 1).await;
        stand(&world, &writes, &["accepted"]).await;
        assert_eq!(world.message_states(&stuck).await, ["sending"], "still without an answer");

        world.provider.send_modify(|p| p.held.clear());
        hears(&world, &stuck, 1).await;
        stand(&world, &stuck, &["accepted"]).await;
        stand(&world, &next, &["accepted"]).await;
        world.end().await;
    }
);

/// A message that a coordinator would have planned.
fn planned(world: &World, person: &Person, ready_at: Time) -> NewMessage {
    NewMessage {
        id: world.app.kit.id(),
        site: SITE,
        patient: Some(person.id),
        thread: None,
        enrolment: None,
        occurrence: String::new(),
        appointment: None,
        inbox: None,
        staff: None,
        direct: None,
        class: Class::Answer,
        content: ContentClass::Logistics,
        key: "reading-thanks".into(),
        args: "{}".into(),
        question: String::new(),
        lang: "en",
        body: String::new(),
        planned_at: world.clock.now(),
        expires_at: None,
        ready_at,
    }
}

async fn plan(world: &World, message: NewMessage) {
    let job = world.app.db.write(Lane::Work, |tx| async move { messages::plan(tx, &[message]).await }.boxed());
    job.await.expect("it is planned");
}

case!(
    /// The provider answers an hour late, when the message has long been in doubt. Its answer settles the doubt: nobody is
    /// written to twice, and nobody is asked.
    an_answer_after_the_lease_still_counts, |on| {
        let world = World::begin(on, "2026-11-16 09:29").await;
        let waits = world.patient(somebody(85, "Zebediah", Lang::En)).await;
        hold(&world, &waits);
        plan(&world, NewMessage { key: "goal-noted".into(), ..planned(&world, &waits, world.clock.now()) }).await;
        world.app.work(Role::All);
        stand(&world, &waits, &["sending"]).await;
        let asked = async { world.provider.subscribe().wait_for(|p| p.asked == 1).await.map(|_| ()) };
        tokio::time::timeout(PATIENCE, asked).await.expect("the message is on the wire").expect("the provider is there");
        world.clock.advance(Duration::from_mins(2));
        stand(&world, &waits, &["unknown"]).await;
        assert_eq!(world.attempts(&waits).await, ["unknown"]);
        world.provider.send_modify(|p| p.held.clear());
        hears(&world, &waits, 1).await;
        let mut look = tokio::time::interval(Duration::from_millis(10));
        let written = async {
            while world.attempts(&waits).await != ["accepted"] {
                look.tick().await;
            }
        };
        tokio::time::timeout(PATIENCE, written).await.expect("the answer is written down");
        assert_eq!(world.message_states(&waits).await, ["unknown"], "the lease was lost");
        world.clock.advance(Duration::from_mins(11));
        stand(&world, &waits, &["accepted"]).await;
        assert_eq!(world.texts(&waits).len(), 1);
        world.expect_nothing_open(&waits).await;
        world.end().await;
    }
);

case!(
    /// Told to stop while the provider is slow: what is on the wire is finished and written down, nothing new is begun, what
    /// is queued stays queued, and the next process gets the same node number.
    a_stop_leaves_nothing_half_done, |on| {
        let world = World::begin(on, "2026-11-16 09:29").await;
        let stuck = world.patient(weighs(75, "Leopold", Lang::En)).await;
        let later = world.patient(somebody(76, "Wilhelmina", Lang::En)).await;
        hold(&world, &stuck);
        world.app.work(Role::All);
        world.clock.set(at(&world.zone, "2026-11-16 09:30"));
        stand(&world, &stuck, &["sending"]).await;
        let asked = async { world.provider.subscribe().wait_for(|p| p.asked == 1).await.map(|_| ()) };
        tokio::time::timeout(PATIENCE, asked).await.expect("the message is on the wire").expect("the provider is there");
        plan(&world, planned(&world, &later, world.clock.now().plus(Duration::from_hours(1)))).await;

        world.app.stop.cancel();
        plan(&world, planned(&world, &later, world.clock.now())).await;
        let (provider, machine) = (world.provider.clone(), world.clock.machine());
        assert_eq!(world.message_states(&stuck).await, ["sending"]);
        let mut stopping = Box::pin(world.shut_down());
        assert!((&mut stopping).now_or_never().is_none(), "a message is on the wire");
        provider.send_modify(|p| p.held.clear());
        let (database, _folder) = tokio::time::timeout(PATIENCE, stopping).await.expect("it stops");

        let (db, writer) = Db::open(&database.parse().expect("a location")).await.expect("the database opens again");
        let mut tasks = JoinSet::new();
        tasks.spawn(writer);
        let mut tx = db.read().await.expect("the database can be read");
        assert_eq!(messages::states(&mut tx, stuck.id).await.expect("the states"), ["accepted"]);
        assert_eq!(messages::outcomes(&mut tx, stuck.id).await.expect("the outcomes"), ["accepted"]);
        assert_eq!(messages::states(&mut tx, later.id).await.expect("the states"), ["queued", "queued"]);
        assert_eq!(messages::depth(&mut tx).await.expect("the outbox"), [("queued".to_owned(), 2)]);
        drop(tx);
        let lease = db.write(Lane::Work, move |tx| {
            async move { nodes::lease(tx, "the next process", machine, machine.plus(PATIENCE)).await }.boxed()
        });
        assert_eq!(lease.await.expect("a number").0, 0);
        let pools = db.last();
        while let Some(ended) = tasks.join_next().await {
            ended.expect("the writer ends in peace");
        }
        pools.close().await;
    }
);

/// A statement for which no store function exists: here, to make the database refuse.
async fn raw(tx: &mut Tx, sql: &'static str) -> Result<(), StoreError> {
    match tx {
        Tx::Sqlite(t) => sqlx::query(sql).execute(&mut **t).await.map(|_| ())?,
        Tx::Postgres(t) => sqlx::query(sql).execute(&mut **t).await.map(|_| ())?,
    }
    Ok(())
}

async fn change(world: &World, sql: &'static str) {
    world.app.db.write(Lane::Work, move |tx| raw(tx, sql).boxed()).await.expect("it is changed");
}

async fn get(world: &World, path: &str) -> (u16, String) {
    let answer = world.http.get(format!("{}{path}", world.base)).send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("a body"))
}

case!(
    /// The database refuses to store: the provider is told to try again, and never that all is well. Its second try is stored.
    what_cannot_be_stored_is_not_received, |on| {
        let world = World::begin(on, "2026-11-16 11:00").await;
        let writes = world.patient(somebody(77, "Anselm", Lang::En)).await;
        let query = [
            ("key", "a-secret-of-the-story-0123456789"),
            ("from", writes.phone.as_str()),
            ("to", "7185550100"),
            ("text", "my chest hurts badly"),
            ("charset", "UTF-8"),
            ("id", "m-77"),
        ];
        let call = || world.http.get(format!("{}/hooks/sms/inbound", world.base)).query(&query).send();
        let receipt = || {
            world
                .http
                .get(format!("{}/hooks/sms/receipt", world.base))
                .query(&[("key", "a-secret-of-the-story-0123456789"), ("ref", "r"), ("status", "1")])
                .send()
        };

        change(&world, "ALTER TABLE inbox RENAME TO inbox_away").await;
        for _ in 0..2 {
            let answer = call().await.expect("an answer");
            assert_eq!(answer.status(), 503);
            assert!(answer.headers().get(RETRY_AFTER).is_some_and(|v| v.to_str().is_ok_and(|v| v.parse::<u32>().is_ok())));
        }
        assert_ne!(receipt().await.expect("an answer").status(), 200, "nor is a receipt");
        assert_eq!(get(&world, "/readyz").await.0, 503);
        assert_eq!(get(&world, "/healthz").await.0, 200, "the process itself is well: it must not be killed for this");

        change(&world, "ALTER TABLE inbox_away RENAME TO inbox").await;
        assert_eq!(call().await.expect("an answer").status(), 200);
        assert_eq!(call().await.expect("an answer").status(), 200, "and a third time changes nothing");
        let mut tx = world.app.db.read().await.expect("the database can be read");
        assert_eq!(inbox::depth(&mut tx).await.expect("the inbox"), 1);
        drop(tx);
        world.settle().await;
        world.expect_escalation(&writes, Severity::Emergency).await;
        assert_eq!(get(&world, "/readyz").await.0, 200);
        world.end().await;
    }
);

/// What must never stand in a log or a metric.
struct Secrets(Vec<String>);

impl Secrets {
    fn of(world: &World, people: &[&Person], more: &[&str]) -> Secrets {
        let mut all: Vec<String> = more.iter().map(|m| (*m).to_owned()).collect();
        for person in people {
            let digits: String = person.phone.chars().filter(char::is_ascii_digit).collect();
            all.extend([person.phone.clone(), digits[1..].to_owned(), digits[digits.len() - 7..].to_owned()]);
            all.extend(world.texts(person));
            all.extend(world.sent(person).into_iter().map(|s| s.receipt_url));
        }
        all.retain(|s| s.len() > 3);
        Secrets(all)
    }

    fn are_not_in(&self, text: &str, place: &str) {
        for secret in &self.0 {
            let encoded = secret.bytes().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "%{byte:02X}");
                text
            });
            for form in [secret.as_str(), &encoded, &secret.replace(' ', "+"), &secret.replace(' ', "%20")] {
                // How long a statement took has digits of its own.
                let told = |line: &&str| line.split(" elapsed=").next().is_some_and(|told| told.contains(form));
                let found = text.lines().find(told);
                assert!(found.is_none(), "{place} tells {form:?}: {found:?}");
            }
        }
    }
}

case!(
    /// `/healthz`, `/readyz` and `/metrics` say how the service does, and nothing about anybody.
    health_and_metrics_name_nobody, |on| {
        let world = World::begin(on, "2026-11-16 09:00").await;
        assert_eq!(get(&world, "/healthz").await, (200, "ok\n".to_owned()));
        assert_eq!(get(&world, "/metrics").await.0, 200);
        let weighs = world.patient(weighs(78, "Perpetua", Lang::En)).await;
        world.run_until("2026-11-16 09:31").await;
        world.says(&weighs, "I am short of breath 190").await;
        world.writes("+17185550179", "who is this Balthazar", "m-79").await;

        let (status, ready) = get(&world, "/readyz").await;
        let ready: serde_json::Value = serde_json::from_str(&ready).expect("JSON");
        assert_eq!((status, &ready["ready"]), (200, &true.into()));
        assert_eq!(ready["database"], if on == On::Sqlite { "sqlite" } else { "postgres" });
        assert_eq!((&ready["inbox_waiting"], &ready["queued"], &ready["sending"]), (&1.into(), &0.into(), &0.into()));

        let (status, numbers) = get(&world, "/metrics").await;
        assert_eq!(status, 200);
        for name in
            ["porchlight_inbox_waiting", "porchlight_outbox_queued", "porchlight_outbox_unknown", "porchlight_received_total"]
        {
            assert!(numbers.lines().any(|line| line.starts_with(name)), "{name} is missing:\n{numbers}");
        }
        let secrets = Secrets::of(
            &world,
            &[&weighs],
            &["Perpetua", "Balthazar", "breath", "5550179", "a-secret-of-the-story", "story-password"],
        );
        secrets.are_not_in(&numbers, "/metrics");
        secrets.are_not_in(&ready.to_string(), "/readyz");
        world.settle().await;
        world.end().await;
    }
);

/// Everything that is logged in this process, from `DEBUG` up.
fn logs() -> &'static Mutex<Vec<u8>> {
    static LOGS: OnceLock<&'static Mutex<Vec<u8>>> = OnceLock::new();
    LOGS.get_or_init(|| {
        let kept: &'static Mutex<Vec<u8>> = Box::leak(Box::default());
        tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_ansi(false).with_writer(move || Keep(kept)).init();
        kept
    })
}

struct Keep(&'static Mutex<Vec<u8>>);

impl std::io::Write for Keep {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A cookie that a page sets: `name=value`; empty if it sets none.
fn cookie(page: &reqwest::Response) -> String {
    let set = page.headers().get(SET_COOKIE).and_then(|set| set.to_str().ok()).unwrap_or_default();
    set.split(';').next().unwrap_or_default().to_owned()
}

/// Signs in as a browser does. Gives the status and the session's cookie.
async fn sign_in(world: &World, email: &str, password: &str) -> (u16, String) {
    let door = world.http.get(format!("{}/signin", world.base)).send().await.expect("the door");
    let door = cookie(&door);
    let csrf = door.split_once('=').expect("a cookie of the door").1;
    let form = [("email", email), ("password", password), ("csrf", csrf)];
    let posted =
        world.http.post(format!("{}/signin", world.base)).header(COOKIE, &door).header("origin", &world.base).form(&form);
    let answer = posted.send().await.expect("an answer");
    (answer.status().as_u16(), cookie(&answer))
}

/// Callbacks that are refused: a guessed secret, a missing field, and one that the database cannot store.
async fn refusals(world: &World, one: &Person, other: &Person) {
    let call = |query: &[(&'static str, &str)]| world.http.get(format!("{}/hooks/sms/inbound", world.base)).query(query).send();
    let guessed = call(&[("key", "guessed-secret-987"), ("from", &one.phone), ("text", "stolen words")]).await;
    assert_eq!(guessed.expect("an answer").status(), 401);
    let broken = call(&[("key", "a-secret-of-the-story-0123456789"), ("text", "orphaned words")]).await;
    assert_eq!(broken.expect("an answer").status(), 400);
    change(world, "ALTER TABLE inbox RENAME TO inbox_away").await;
    let whole = [
        ("key", "a-secret-of-the-story-0123456789"),
        ("from", &other.phone),
        ("to", "7185550100"),
        ("text", "lost for now"),
        ("charset", "UTF-8"),
        ("id", "m-84"),
    ];
    assert_eq!(call(&whole).await.expect("an answer").status(), 503);
    change(world, "ALTER TABLE inbox_away RENAME TO inbox").await;
}

case!(
    /// A whole story with everything that is usually logged: replies, a cry for help, refusals, a provider and a database in
    /// trouble, a member of staff who mistypes. The log tells what happened and to nobody whom.
    logs_name_nobody, |on| {
        let world = World::begin(on, "2026-11-16 09:00").await;
        let added = add_staff(
            &world.app.db,
            &world.app.kit,
            "hyacinth@clinic.example",
            "Hyacinth Oyelaran",
            porchlight::model::Role::Coordinator,
            "seven herons fly north",
        )
        .await;
        assert!(added.expect("Hyacinth is added"));
        let note = Record { safe_note: "never speak to the stepfather".into(), ..weighs(80, "Ottoline Quennell", Lang::En) };
        let (weighs, cries) = (world.patient(note).await, world.patient(somebody(81, "Zenobia", Lang::Es)).await);
        let busy = vec![Answer::Status(503, "busy"), Answer::Status(500, "oops"), Answer::Status(429, "slow")];
        world.script(&weighs, busy);
        world.no_receipts();
        world.run_until("2026-11-16 12:00").await;
        world.says(&weighs, "weight 312.5 and dizzy, tell nobody").await;
        world.says(&cries, "quiero suicidarme esta noche").await;
        world.script(&cries, vec![Answer::Status(400, "Garbage 'to' field, rejected.")]);
        world.says(&cries, "ayuda por favor").await;
        world.says(&weighs, "STOP").await;
        world.writes("not a number at all", "hello from nowhere", "m-82").await;
        world.writes("+17185550183", "wrong number, this is Cornelius", "m-83").await;

        refusals(&world, &weighs, &cries).await;

        // Hyacinth mistypes, then signs in and looks at the queue.
        assert_eq!(sign_in(&world, "hyacinth@clinic.example", "six herons fly south").await.0, 401);
        let (status, session) = sign_in(&world, "hyacinth@clinic.example", "seven herons fly north").await;
        assert_eq!(status, 303);
        let queue = world.http.get(format!("{}/queue", world.base)).header(COOKIE, &session).send().await.expect("the queue");
        assert!(queue.text().await.expect("a page").contains("Zenobia"), "staff see her; the log does not");
        world.settle().await;

        let more = [
            "Ottoline",
            "Quennell",
            "Zenobia",
            "Cornelius",
            "Hyacinth",
            "Oyelaran",
            "hyacinth@clinic",
            "stepfather",
            "312.5",
            "dizzy",
            "suicidarme",
            "ayuda por favor",
            "hello from nowhere",
            "not a number at all",
            "5550183",
            "stolen words",
            "orphaned words",
            "lost for now",
            "guessed-secret",
            "a-secret-of-the-story",
            "story-password",
            "a key for stories",
            "herons",
            session.split_once('=').expect("a value").1,
        ];
        let secrets = Secrets::of(&world, &[&weighs, &cries], &more);
        assert!(secrets.0.len() > more.len() + 6, "the story sent texts");
        world.end().await;
        let log = String::from_utf8(logs().lock().expect("the log").clone()).expect("text");
        for told in ["a callback was refused", "what came in could not be stored", " DEBUG ", " WARN "] {
            assert!(log.contains(told), "the log does not tell {told:?}, so this proves nothing");
        }
        secrets.are_not_in(&log, "the log");
    }
);
