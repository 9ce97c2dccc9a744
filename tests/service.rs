//! The service as it runs: its own loops and a listener, a provider that answers late, a database that refuses.

#![expect(clippy::expect_used, reason = "a case that cannot go on has failed")]

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use futures_util::FutureExt;
use porchlight::app::Role;
use porchlight::clock::{Clock, Time};
use porchlight::intake::{Context, Record, add_staff, read};
use porchlight::kit::SITE;
use porchlight::model::{Class, ContentClass, Lang, Severity};
use porchlight::protocol::WeightUnit;
use porchlight::store::messages::{self, NewMessage};
use porchlight::store::{Db, Lane, StoreError, Tx, inbox, nodes};
use reqwest::header::RETRY_AFTER;
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
        stand(&world, &waits, &["accepted"]).await;
        assert_eq!(world.attempts(&waits).await, ["accepted"]);
        world.clock.advance(Duration::from_mins(11));
        world.settle().await;
        assert_eq!(world.message_states(&waits).await, ["delivered"]);
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

case!(
    /// A quiet night: nothing is written, and no row could be. `/readyz` says so whenever it is asked.
    a_database_that_takes_no_row_is_not_ready, |on| {
        let world = World::begin(on, "2026-11-16 03:00").await;
        assert_eq!(get(&world, "/readyz").await.0, 200);
        let broken = match on {
            On::Sqlite => vec![
                "CREATE TRIGGER no_room BEFORE INSERT ON setting BEGIN SELECT RAISE(ABORT, 'no room'); END",
            ],
            On::Postgres => vec![
                "CREATE FUNCTION no_room() RETURNS trigger AS $$ BEGIN RAISE SQLSTATE '53100'; END $$ LANGUAGE plpgsql",
                "CREATE TRIGGER no_room BEFORE INSERT ON setting FOR EACH ROW EXECUTE FUNCTION no_room()",
            ],
        };
        for sql in broken {
            change(&world, sql).await;
        }
        for _ in 0..3 {
            let (status, said) = get(&world, "/readyz").await;
            let why = if on == On::Postgres { "free some space" } else { "cannot be written" };
            assert!(status == 503 && said.contains(why), "{status} {said}");
        }
        world.end().await;
    }
);

/// What must never stand in a log or a metric.
struct Secrets(Vec<String>);

impl Secrets {
    fn of(world: &World, people: &[&Person], more: &[&str]) -> Secrets {
        let mut all: Vec<String> = more.iter().map(|m| (*m).to_owned()).collect();
        for person in people {
            all.extend(spellings(&person.phone));
            all.extend(world.texts(person));
            for sent in world.sent(person) {
                // The random reference by which receipts are believed, and the secret beside it.
                let values = sent.receipt_url.split(['?', '&']).filter_map(|pair| pair.split_once('=')).map(|(_, value)| value);
                all.extend(values.filter(|value| value.len() > 15).map(str::to_owned));
                all.push(sent.receipt_url);
            }
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
            let escaped = secret.escape_default().to_string();
            let json = serde_json::to_string(secret).expect("JSON").trim_matches('"').to_owned();
            let forms = [secret, &encoded, &escaped, &json, &secret.replace(' ', "+"), &secret.replace(' ', "%20")];
            for form in forms {
                // How long a statement took has digits of its own.
                let told = |line: &&str| {
                    let line = line.split(" elapsed=").next().unwrap_or_default();
                    line.split("\"elapsed\"").next().is_some_and(|told| told.contains(form.as_str()))
                };
                let found = text.lines().find(told);
                assert!(found.is_none(), "{place} tells {form:?}: {found:?}");
            }
        }
    }
}

/// The ways in which people and programs write a number of this country: `+17185550117`.
fn spellings(phone: &str) -> Vec<String> {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let (area, exchange, line) = (&digits[1..4], &digits[4..7], &digits[7..]);
    vec![
        phone.to_owned(),
        digits.clone(),
        digits[1..].to_owned(),
        digits[4..].to_owned(),
        format!("({area}) {exchange}-{line}"),
        format!("{area}-{exchange}-{line}"),
        format!("{area}.{exchange}.{line}"),
        format!("{area} {exchange} {line}"),
        format!("{exchange}-{line}"),
        format!("%2B{digits}"),
    ]
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

/// Everything that is logged in this process, as text and as JSON: all that the service logs at its most talkative, and
/// what the libraries say at `debug`, which the service never shows.
struct Logs {
    text: Mutex<Vec<u8>>,
    json: Mutex<Vec<u8>>,
}

fn logs() -> &'static Logs {
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::util::SubscriberInitExt as _;
    use tracing_subscriber::{EnvFilter, fmt};
    static LOGS: OnceLock<&'static Logs> = OnceLock::new();
    LOGS.get_or_init(|| {
        let kept: &'static Logs = Box::leak(Box::new(Logs { text: Mutex::default(), json: Mutex::default() }));
        let shown = porchlight::cli::log_filter("trace");
        assert!(shown.starts_with("trace,") && shown.matches("=warn").count() == shown.matches('=').count(), "{shown}");
        let filter = EnvFilter::new(shown.replace("=warn", "=debug"));
        let text = fmt::layer().with_ansi(false).with_writer(move || Keep(&kept.text));
        let json = fmt::layer().json().with_writer(move || Keep(&kept.json));
        tracing_subscriber::registry().with(filter).with(text).with(json).init();
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
    assert_eq!(get(world, "/readyz").await.0, 503);
    change(world, "ALTER TABLE inbox_away RENAME TO inbox").await;
}

/// What a provider may answer: busy in three ways, a page that echoes the number and the text, a refusal that does so, nothing
/// within its time, no connection at all.
async fn providers_in_trouble(world: &World, weighs: &Person, cries: &Person) {
    let page = "<html><body>Sent &quot;suicidarme&quot; to +17185550181 (718-555-0181)? Try later.</body></html>";
    let garbage = "Garbage 'to' field '+17185550181', rejected: quiero suicidarme.";
    world.script(cries, vec![Answer::Status(200, page), Answer::Status(400, garbage), Answer::Status(500, page)]);
    world.says(cries, "ayuda por favor").await;
    world.says(cries, "estoy en peligro, quiero morirme").await;
    world.says(weighs, "HELP").await;
    let silent = Person { id: porchlight::model::Id(0), phone: "+17185550185".into() };
    hold(world, &silent);
    world.writes_by("slow", &silent.phone, "is this the Aldous line", "m-85").await;
    world.settle().await;
    world.provider.send_modify(|p| p.held.clear());
    world.writes_by("away", "+17185550186", "Peregrine here, call me", "m-86").await;
    world.settle().await;
}

/// What is stored and cannot be read: by a message, by a protocol, by the queue.
async fn stored_nonsense(world: &World) {
    let barnaby = world.patient(somebody(87, "Barnaby", Lang::En)).await;
    plan(world, NewMessage { args: r#""the mango of Ottoline""#.into(), ..planned(world, &barnaby, world.clock.now()) }).await;
    world.settle().await;
    // The same words, without their standing in the statement.
    change(world, "UPDATE enrolment SET settings = (SELECT args FROM message WHERE why = 'unreadable')").await;
    world.run_until("2026-11-17 09:31").await;
    let told: Vec<String> = world.unknown_items().await.into_iter().map(|i| i.reason).collect();
    assert!(told.iter().any(|reason| reason.starts_with("A planned step could not be worked")), "{told:?}");
}

/// Two patients from a CSV file, as a clinic writes it.
async fn imported(world: &World) -> (Person, Person) {
    let file = "external_id,name,called,birth_date,language,zone,phone,class,consent_date,consent_method,safe_note,protocols,checkin_at,unit\n\
        X-80,Ottoline Quennell,Ottoline,1961-02-28,en,America/New_York,(718) 555-0180,care,2026-10-01,desk,never speak to the stepfather,\
        heart-failure-weight,09:30,lb\n\
        X-81,Zenobia Vasquez-Thorne,Zenobia,1984-07-09,es,America/New_York,+1 718 555 0181,care,2026-10-01,desk,,,,\n";
    let (staff, protocols) = (HashMap::new(), world.app.kit.protocols.names());
    let context = Context { country: "US", zone: &world.zone, staff: &staff, protocols: &protocols };
    assert!(read("broken.csv", &file.replace("-80,", "-80,\""), &context).is_err(), "a file that nobody can read");
    let mut records = read("patients.csv", file, &context).unwrap_or_else(|e| panic!("{e}"));
    let second = records.pop().expect("two rows");
    let first = records.pop().expect("two rows");
    (world.patient(first).await, world.patient(second).await)
}

/// Hyacinth mistypes, signs in, looks, searches, writes, and sends a form that is not hers. Gives her cookie.
async fn a_day_at_the_desk(world: &World, cries: &Person) -> String {
    assert_eq!(world.sign_in("hyacinth@clinic.example", "six herons fly south").await.0, 401);
    assert_eq!(world.sign_in("intruder@elsewhere.example", "open sesame please").await.0, 401);
    let (status, session) = world.sign_in("hyacinth@clinic.example", "seven herons fly north").await;
    assert_eq!(status, 303);
    assert!(world.page("/queue", &session).await.contains("Zenobia"), "staff see her; the log does not");
    world.page("/queue?view=team&q=Vasquez-Thorne", &session).await;
    let patient = format!("/patient/{}", cries.id);
    assert!(world.page(&patient, &session).await.contains("Zenobia"));
    world.page("/delivery", &session).await;
    let post = |form: &[(&'static str, &str)]| {
        let request = world.http.post(format!("{}{patient}/reply", world.base)).header("cookie", &session);
        request.header("origin", &world.base).form(form).send()
    };
    let forged = post(&[("csrf", "a-token-that-was-guessed"), ("text", "draft for Zenobia alone")]).await.expect("an answer");
    assert!(forged.status().is_client_error());
    let broken = post(&[("text", "another draft for Zenobia")]).await.expect("an answer");
    assert!(broken.status().is_client_error());
    session
}

case!(
    /// A whole story with everything that is usually logged: an import, replies, cries for help, refusals, providers and a
    /// database in trouble, stored nonsense, a member of staff who mistypes. The log tells what happened and to nobody whom.
    logs_name_nobody, |on| {
        const MORE: [(&str, &str); 2] = [
            ("slow", "url = \"http://{provider}/cgi-bin/sendsms\"\ntimeout_seconds = 1"),
            ("away", "url = \"http://127.0.0.1:1/cgi-bin/sendsms\""),
        ];
        let world = World::begin_with(on, "2026-11-16 09:00", &MORE).await;
        let role = porchlight::model::Role::Coordinator;
        let added = add_staff(&world.app.db, &world.app.kit, "hyacinth@clinic.example", "Hyacinth Oyelaran", role, "seven herons fly north");
        assert!(added.await.expect("Hyacinth is added"));
        let (weighs, cries) = imported(&world).await;
        let busy = vec![Answer::Status(503, "busy"), Answer::Status(500, "oops"), Answer::Status(429, "slow")];
        world.script(&weighs, busy);
        world.no_receipts();
        world.run_until("2026-11-16 12:00").await;
        world.says(&weighs, "weight 312.5 and dizzy, tell nobody").await;
        world.says(&cries, "quiero suicidarme esta noche").await;
        providers_in_trouble(&world, &weighs, &cries).await;
        let session = a_day_at_the_desk(&world, &cries).await;
        world.says(&weighs, "STOP").await;
        world.writes("not a number at all", "hello from nowhere", "m-82").await;
        world.writes("+17185550183", "wrong number, this is Cornelius", "m-83").await;
        refusals(&world, &weighs, &cries).await;
        world.settle().await;
        stored_nonsense(&world).await;

        let more = "Ottoline Quennell Zenobia Vasquez Thorne Cornelius Aldous Peregrine Barnaby Hyacinth Oyelaran hyacinth@clinic intruder@ \
                    stepfather 312.5 dizzy suicidarme morirme mango sesame herons a-token-that-was-guessed guessed-secret \
                    a-secret-of-the-story story-password 1961-02-28 1984-07-09 argon2id";
        let words = [
            "ayuda por favor",
            "hello from nowhere",
            "not a number at all",
            "stolen words",
            "orphaned words",
            "lost for now",
            "draft for Zenobia",
            "a key for stories",
            session.split_once('=').expect("a value").1,
        ];
        let mut more: Vec<&str> = more.split_whitespace().chain(words).collect();
        let others: Vec<String> = ["+17185550183", "+17185550185", "+17185550186", "+17185550187"].into_iter().flat_map(spellings).collect();
        more.extend(others.iter().map(String::as_str));
        let secrets = Secrets::of(&world, &[&weighs, &cries], &more);
        assert!(secrets.0.len() > more.len() + 26, "the story sent texts");
        let (_, metrics) = get(&world, "/metrics").await;
        let (_, ready) = get(&world, "/readyz").await;
        world.end().await;
        let read = |log: &Mutex<Vec<u8>>| String::from_utf8(log.lock().expect("the log").clone()).expect("text");
        let (text, json) = (read(&logs().text), read(&logs().json));
        for told in [
            "a callback was refused",
            "what came in could not be stored",
            "not ready",
            "a message cannot be read",
            "a timer could not be worked",
            "a request was refused",
        ] {
            assert!(text.contains(told) && json.contains(told), "the log does not tell {told:?}, so this proves nothing");
        }
        assert!(text.contains(" DEBUG ") && text.contains(" WARN ") && json.lines().any(|line| line.starts_with('{')));
        for (log, place) in [(&text, "the log"), (&json, "the JSON log"), (&metrics, "/metrics"), (&ready, "/readyz")] {
            secrets.are_not_in(log, place);
        }
    }
);

case!(
    /// A bot whose provider is in every kind of trouble, a stranger, a guessed link, a forged callback: the log has no token, no chat
    /// and no word.
    logs_name_no_chat_and_no_token, |on| {
        let world = World::begin_with_bot(on, "2026-11-16 09:00", "").await;
        let bot = world.bot.as_ref().expect("a bot");
        let lines = logs().text.lock().expect("the log").len();
        bot.writes(771_155_299, "please call about Ottilie");
        bot.writes(771_155_299, "/start guessed-Link-99x");
        bot.presses_nothing(771_155_299, "balsam");
        bot.sends(771_155_299, &serde_json::json!({ "hologram": { "note": "balsam" } }));
        let quotes = |status: u16| (status, serde_json::json!({ "description": "chat 771155299 said balsam", "parameters": {} }));
        bot.script("getUpdates", vec![quotes(500), quotes(409), quotes(401), quotes(429)]);
        bot.script("sendMessage", vec![quotes(429), quotes(500), quotes(401), quotes(400), quotes(403)]);
        bot.script("answerCallbackQuery", vec![quotes(400)]);
        for minute in 1..12 {
            world.run_until(&format!("2026-11-16 09:{minute:02}")).await;
        }
        bot.blocks(771_155_299, true);
        world.settle().await;
        let forged = world.http.post(format!("{}/hooks/telegram/inbound", world.base));
        let forged = forged.header("X-Telegram-Bot-Api-Secret-Token", "guessed-secret-balsam").body("{}").send().await;
        assert_eq!(forged.expect("an answer").status(), 401);
        let told = logs().text.lock().expect("the log").len();
        assert!(told > lines, "something was told");
        let (token, secrets) = (world::telegram::TOKEN, ["AAF-token_of_a_story", "771155299", "Ottilie", "balsam", "guessed-Link-99x", "guessed-secret"]);
        let secrets = Secrets(secrets.iter().map(|s| (*s).to_owned()).chain([token.to_owned()]).collect());
        let read = |log: &Mutex<Vec<u8>>| String::from_utf8(log.lock().expect("the log").clone()).expect("UTF-8");
        secrets.are_not_in(&read(&logs().text), "the log");
        secrets.are_not_in(&read(&logs().json), "the log as JSON");
        world.end().await;
    }
);
