//! The world of a story: the real service on a loopback port, a provider that is a real server with a ledger, and a
//! clock that is moved by hand. `run_until` jumps from one due time to the next and lets every worker come to rest.

#[path = "telegram.rs"]
pub mod telegram;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Query, State};
use axum::routing::get;
use futures_util::FutureExt;
use porchlight::app::{App, listen, next_due};
use porchlight::clock::{Clock, ManualClock, Time};
use porchlight::config::Config;
use porchlight::intake::{Given, Record, bring_in};
use porchlight::kit::SITE;
use porchlight::model::{Address, Channel, ContentClass, Id, Lang, Severity};
use porchlight::protocol::Settings;
use porchlight::random::Dice;
use porchlight::store::escalations::Escalation;
use porchlight::store::patients::NewContact;
use porchlight::store::{Lane, Location, decisions, escalations, patients, readings, threads};
use porchlight::zone::Zone;
use reqwest::header::{COOKIE, SET_COOKIE};
use tokio::sync::watch;

/// Which database a story is told on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    Sqlite,
    Postgres,
}

/// What the provider was asked to send.
#[derive(Clone, Debug)]
pub struct Sent {
    pub to: String,
    pub text: String,
    pub receipt_url: String,
    pub coding: String,
}

/// What the provider answers.
#[derive(Clone, Debug)]
pub enum Answer {
    Accept,
    Status(u16, &'static str),
}

#[derive(Default)]
struct Ledger {
    sent: Vec<Sent>,
    script: HashMap<String, Vec<Answer>>,
    receipts_given: usize,
}

/// The provider as others watch and steer it.
#[derive(Default, Debug)]
pub struct Provider {
    /// How many messages it was asked to send.
    pub asked: usize,
    /// How many of them it has accepted.
    pub accepted: usize,
    /// Phones whose messages it leaves without an answer until they are taken out again.
    pub held: HashSet<String>,
    /// What it answers to a gateway, whatever is asked.
    pub broken: HashMap<String, (u16, &'static str)>,
}

/// A person of a story.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: Id,
    pub phone: String,
}

pub struct World {
    pub app: App,
    pub clock: Arc<ManualClock>,
    pub zone: Zone,
    pub base: String,
    pub http: reqwest::Client,
    /// Watch it to see a message arrive; change it to let messages hang.
    pub provider: watch::Sender<Provider>,
    /// Telegram, if the story has a bot.
    pub bot: Option<telegram::Bot>,
    ledger: Arc<Mutex<Ledger>>,
    receipts: std::sync::atomic::AtomicBool,
    database: String,
    folder: tempfile::TempDir,
    seed: u64,
}

const SECRET: &str = "a-secret-of-the-story-0123456789";
/// What the gateways of every story have in common.
const GATEWAY: &str = r#"kind = "http"
preset = "kannel"
from = "7185550100"
username = "story"
password = "story-password"
secret = "a-secret-of-the-story-0123456789"
"#;
/// The security key of every story.
pub const KEY: &str = "a key for stories that has thirty-two characters";

impl World {
    /// A world that begins at `start` (New York): `2026-11-16 08:00`.
    pub async fn begin(on: On, start: &str) -> World {
        World::begin_with(on, start, &[]).await
    }

    /// A world with more gateways beside the usual one: `(name, settings)`; `{provider}` is the usual one's provider.
    pub async fn begin_with(on: On, start: &str, more: &[(&str, &str)]) -> World {
        let zone: Zone = "America/New_York".parse().expect("a zone");
        let clock = Arc::new(ManualClock::new(at(&zone, start)));
        let folder = tempfile::tempdir().expect("a folder");
        let database = database(on, &folder).await;
        let gateway = |(name, settings): &(&str, &str)| format!("[[gateway]]\nname = \"{name}\"\n{GATEWAY}{settings}\n");
        let more = more.iter().map(gateway).collect::<Vec<_>>().concat();
        World::open((database, folder), clock, (Arc::default(), watch::Sender::default()), (7, more)).await
    }

    /// A world with a bot besides, whose updates come as `mode` says.
    pub async fn begin_with_bot(on: On, start: &str, mode: &str) -> World {
        let (bot, serving) = telegram::Bot::open().await;
        let mut world = World::begin_beside(on, start, bot.settings(mode)).await;
        let stop = world.app.stop.clone();
        world.app.start(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = serving => {}
            }
        });
        world.bot = Some(bot);
        world
    }

    /// A world with other gateways besides, as the configuration describes them.
    pub async fn begin_beside(on: On, start: &str, gateways: String) -> World {
        let zone: Zone = "America/New_York".parse().expect("a zone");
        let clock = Arc::new(ManualClock::new(at(&zone, start)));
        let folder = tempfile::tempdir().expect("a folder");
        let database = database(on, &folder).await;
        World::open((database, folder), clock, (Arc::default(), watch::Sender::default()), (7, gateways)).await
    }

    /// The service is lost and comes back on another database; phones, provider and clock are the same.
    pub async fn comes_back_on(self, database: String) -> World {
        let (clock, books, seed) = (Arc::clone(&self.clock), (Arc::clone(&self.ledger), self.provider.clone()), self.seed + 1);
        let (_, folder) = self.shut_down().await;
        World::open((database, folder), clock, books, (seed, String::new())).await
    }

    async fn open(
        (database, folder): (String, tempfile::TempDir),
        clock: Arc<ManualClock>,
        (ledger, watched): Books,
        (seed, more): (u64, String),
    ) -> World {
        let zone: Zone = "America/New_York".parse().expect("a zone");
        let provider = listen(([127, 0, 0, 1], 0).into()).await.expect("a port for the provider");
        let pages = listen(([127, 0, 0, 1], 0).into()).await.expect("a port for the service");
        let base = format!("http://{}", pages.local_addr().expect("an address"));
        let text = format!(
            r#"[database]
url = "{database}"
[server]
public_url = "{base}"
secure_cookies = false
[security]
key = "{KEY}"
[site]
name = "Harbor Street Health"
sender = "Harbor Street"
phone = "(718) 555-0100"
closed = ["2026-11-26", "2026-11-27"]
[[gateway]]
name = "sms"
{GATEWAY}url = "http://{{provider}}/cgi-bin/sendsms"
{more}"#,
        );
        let text = text.replace("{provider}", &provider.local_addr().expect("an address").to_string());
        let config = Config::parse("story.toml", &text, &|_| None).unwrap_or_else(|e| panic!("{e}"));
        let app = App::build(config, Arc::clone(&clock) as Arc<dyn Clock>, Dice::seeded(seed), |_, _| Vec::new())
            .await
            .unwrap_or_else(|e| panic!("{e}"));
        let router = Router::new().route("/cgi-bin/sendsms", get(sendsms)).with_state((Arc::clone(&ledger), watched.clone()));
        let (serving, provider_app) = (app.clone(), app.clone());
        app.start(async move { serving.serve(pages, serving.router()).await.expect("serving") });
        app.start(async move { provider_app.serve(provider, router).await.expect("serving") });
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        World {
            app,
            clock,
            zone,
            base,
            http,
            provider: watched,
            bot: None,
            ledger,
            receipts: true.into(),
            database,
            folder,
            seed,
        }
    }

    /// The URL of the database.
    pub fn database_url(&self) -> String {
        self.database.clone()
    }

    /// Where the database is.
    pub fn location(&self) -> Location {
        self.database_url().parse().expect("a location")
    }

    /// A name in the folder of the story.
    pub fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Where an empty database of the same kind is.
    pub async fn elsewhere(&self) -> String {
        match self.location() {
            Location::Sqlite(_) => format!("sqlite:{}", self.file("restored.db").display()),
            Location::Postgres(_) => postgres_database().await,
        }
    }

    /// Signs in as a browser does. Gives the status and the session's cookie.
    pub async fn sign_in(&self, email: &str, password: &str) -> (u16, String) {
        let door = self.http.get(format!("{}/signin", self.base)).send().await.expect("the door");
        let door = cookie(&door);
        let csrf = door.split_once('=').expect("a cookie of the door").1;
        let form = [("email", email), ("password", password), ("csrf", csrf)];
        let posted =
            self.http.post(format!("{}/signin", self.base)).header(COOKIE, &door).header("origin", &self.base).form(&form);
        let answer = posted.send().await.expect("an answer");
        (answer.status().as_u16(), cookie(&answer))
    }

    /// A page as whoever has this cookie sees it.
    pub async fn page(&self, path: &str, session: &str) -> String {
        let page = self.http.get(format!("{}{path}", self.base)).header(COOKIE, session).send().await.expect("a page");
        assert_eq!(page.status(), 200, "{path}");
        page.text().await.expect("a page")
    }

    /// The provider sends no receipts from now on.
    pub fn no_receipts(&self) {
        self.receipts.store(false, std::sync::atomic::Ordering::Relaxed);
    }

    /// Brings a patient in.
    pub async fn patient(&self, record: Record) -> Person {
        let (kit, zone, now) = (Arc::clone(&self.app.kit), self.zone.clone(), self.clock.now());
        let (external_id, phone) = (record.external_id.clone(), record.phone.expose().to_owned());
        let id = self
            .app
            .db
            .write(Lane::Work, move |tx| {
                async move {
                    bring_in(tx, &kit, &[record], &zone, now).await?;
                    Ok(patients::by_external(tx, SITE, &external_id).await?.map(|p| p.id))
                }
                .boxed()
            })
            .await
            .expect("the import");
        Person { id: Id(id.expect("the patient")), phone }
    }

    /// One more contact of somebody, behind those that they have. Gives it as a phone.
    pub async fn also_at(&self, person: &Person, phone: &str, class: ContentClass) -> Person {
        let (kit, now, patient) = (Arc::clone(&self.app.kit), self.clock.now(), person.id);
        let address = Address::new(phone);
        self.app
            .db
            .write(Lane::Work, move |tx| {
                async move {
                    let row = patients::get(tx, patient).await?.expect("the patient");
                    let person = Id(row.person_id);
                    let (channel, hash) = (Channel::Sms, kit.hash(Channel::Sms, &address));
                    let new = NewContact { id: kit.id(), person, channel, address, hash, class, terms: String::new() };
                    let contact = patients::put_contact(tx, SITE, &new, now).await?;
                    threads::ensure(tx, kit.id(), SITE, channel, &new.hash, (person, patient, contact), now).await
                }
                .boxed()
            })
            .await
            .expect("the contact");
        Person { id: person.id, phone: phone.to_owned() }
    }

    /// Lets time pass until `until` (New York), stopping at everything that is due.
    pub async fn run_until(&self, until: &str) {
        let until = at(&self.zone, until);
        loop {
            self.settle().await;
            match next_due(&self.app.db).await.expect("the database") {
                Some(due) if due <= until => self.clock.set(due.max(Time(self.clock.now().0 + 1))),
                _ => break,
            }
        }
        self.clock.set(until);
        self.settle().await;
    }

    /// Ticks every worker until none has anything to do.
    pub async fn settle(&self) {
        for round in 0.. {
            assert!(round < 1000, "the workers never come to rest");
            let heard = match &self.bot {
                Some(bot) => bot.turn(&self.app).await,
                None => 0,
            };
            let fired = self.app.sweeper.tick().await.expect("the timers");
            let read = self.app.desk.tick().await.expect("the inbox");
            let sent = self.app.worker.tick().await.expect("the outbox");
            let reported = if self.receipts.load(std::sync::atomic::Ordering::Relaxed) { self.report().await } else { 0 };
            if heard + fired + read + sent + reported == 0 {
                return;
            }
        }
    }

    /// The provider reports what it has delivered: submitted, then delivered.
    async fn report(&self) -> usize {
        let urls: Vec<String> = {
            let mut ledger = self.ledger.lock().expect("the ledger");
            let from = ledger.receipts_given;
            ledger.receipts_given = ledger.sent.len();
            ledger.sent[from..].iter().map(|s| s.receipt_url.clone()).collect()
        };
        for url in &urls {
            for status in ["8", "1"] {
                let url = url.replace("%d", status).replace("%F", "f-1").replace("%I", "i-1");
                let answer = self.http.get(&url).send().await.expect("the receipt arrives");
                assert_eq!(answer.status(), 200, "{url}");
            }
        }
        urls.len()
    }

    /// The provider reports on the last message to a phone: 1 delivered, 2 not delivered.
    pub async fn receipt(&self, person: &Person, status: &str) {
        let sent = self.sent(person).pop().expect("a message");
        let url = sent.receipt_url.replace("%d", status).replace("%F", "f-1").replace("%I", "i-1");
        let answer = self.http.get(&url).send().await.expect("the receipt arrives");
        assert_eq!(answer.status(), 200, "{url}");
    }

    /// A text from a phone, through the provider's callback; the workers come to rest.
    pub async fn says(&self, person: &Person, text: &str) {
        let id = self.app.kit.id().to_string();
        self.writes(&person.phone, text, &id).await;
        self.settle().await;
    }

    /// A callback of the provider, and nothing else.
    pub async fn writes(&self, phone: &str, text: &str, id: &str) {
        self.writes_by("sms", phone, text, id).await;
    }

    /// A callback by another gateway.
    pub async fn writes_by(&self, gateway: &str, phone: &str, text: &str, id: &str) {
        let query = [("key", SECRET), ("from", phone), ("to", "7185550100"), ("text", text), ("charset", "UTF-8"), ("id", id)];
        let answer =
            self.http.get(format!("{}/hooks/{gateway}/inbound", self.base)).query(&query).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.text().await.expect("a body"), "", "a gateway would text this to the patient");
    }

    /// The provider answers the next messages to this phone so.
    pub fn script(&self, person: &Person, answers: Vec<Answer>) {
        self.ledger.lock().expect("the ledger").script.insert(person.phone.clone(), answers);
    }

    /// Every text that the provider accepted for this phone, in order.
    pub fn texts(&self, person: &Person) -> Vec<String> {
        self.sent(person).into_iter().map(|s| s.text).collect()
    }

    pub fn sent(&self, person: &Person) -> Vec<Sent> {
        self.ledger.lock().expect("the ledger").sent.iter().filter(|s| s.to == person.phone).cloned().collect()
    }

    /// The last text on this phone.
    pub fn last(&self, person: &Person) -> String {
        self.texts(person).pop().expect("a text on the phone")
    }

    /// The patient's unresolved items.
    pub async fn open_items(&self, person: &Person) -> Vec<Escalation> {
        let mut tx = self.app.db.read().await.expect("the database");
        escalations::unresolved(&mut tx, &[person.id.0]).await.expect("the items")
    }

    /// The patient has exactly one unresolved item, of this severity; gives it.
    pub async fn expect_escalation(&self, person: &Person, severity: Severity) -> Escalation {
        let mut items = self.open_items(person).await;
        let seen: Vec<_> = items.iter().map(|i| (i.severity.clone(), i.reason.clone())).collect();
        assert!(items.len() == 1 && items[0].severity == severity.as_str(), "wanted one {severity} item, there are {seen:?}");
        items.remove(0)
    }

    pub async fn expect_nothing_open(&self, person: &Person) {
        let seen: Vec<_> = self.open_items(person).await.into_iter().map(|i| (i.severity, i.reason)).collect();
        assert!(seen.is_empty(), "nothing should be open, there are {seen:?}");
    }

    /// `(outcome, reason)` of every decision about the patient, oldest first.
    pub async fn decisions(&self, person: &Person) -> Vec<(String, String)> {
        let mut tx = self.app.db.read().await.expect("the database");
        decisions::of_patient(&mut tx, person.id).await.expect("the decisions")
    }

    /// The patient's numbers of a kind, oldest first.
    pub async fn readings(&self, person: &Person, kind: &str) -> Vec<f64> {
        let mut tx = self.app.db.read().await.expect("the database");
        let all = readings::since(&mut tx, &[person.id.0], Time(0)).await.expect("the readings");
        all.into_iter().filter(|r| r.kind == kind).filter_map(|r| r.value).collect()
    }

    /// Where the patient's one visit stands.
    pub async fn visit_state(&self, person: &Person) -> String {
        let mut tx = self.app.db.read().await.expect("the database");
        let visits = porchlight::store::appointments::of_patients(&mut tx, &[person.id.0], Time(0)).await.expect("the visits");
        visits.first().expect("a visit").state.clone()
    }

    /// One item as it stands now.
    pub async fn item(&self, item: &Escalation) -> Escalation {
        let mut tx = self.app.db.read().await.expect("the database");
        escalations::get(&mut tx, Id(item.id)).await.expect("the item").expect("it is there")
    }

    /// Somebody on the staff claims an item.
    pub async fn claim(&self, item: &Escalation) {
        porchlight::intake::add_staff(
            &self.app.db,
            &self.app.kit,
            "june@harbor.example",
            "June",
            porchlight::model::Role::Coordinator,
            "a password of June's",
        )
        .await
        .expect("the staff");
        let mut tx = self.app.db.read().await.expect("the database");
        let june = porchlight::store::staff::by_email(&mut tx, "june@harbor.example").await.expect("the staff").expect("June");
        drop(tx);
        let (item, now) = (Id(item.id), self.clock.now());
        let claimed =
            self.app.db.write(Lane::Work, move |tx| async move { escalations::claim(tx, item, Id(june.id), now).await }.boxed());
        assert!(claimed.await.expect("the claim"));
    }

    /// Unresolved items that belong to no patient.
    pub async fn unknown_items(&self) -> Vec<Escalation> {
        let mut tx = self.app.db.read().await.expect("the database");
        escalations::unresolved_of_nobody(&mut tx).await.expect("the items")
    }

    /// The states of the patient's messages that were planned for them, oldest first.
    pub async fn message_states(&self, person: &Person) -> Vec<String> {
        let mut tx = self.app.db.read().await.expect("the database");
        porchlight::store::messages::states(&mut tx, person.id).await.expect("the messages")
    }

    /// The outcomes of all attempts to reach the patient, oldest first.
    pub async fn attempts(&self, person: &Person) -> Vec<String> {
        let mut tx = self.app.db.read().await.expect("the database");
        porchlight::store::messages::outcomes(&mut tx, person.id).await.expect("the attempts")
    }

    pub fn local(&self, time: i64) -> String {
        self.zone.local(Time(time)).strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// The story ends: nothing is left in the outbox that could have gone, and the service stops by itself.
    pub async fn end(self) {
        let mut tx = self.app.db.read().await.expect("the database");
        let left = porchlight::store::messages::depth(&mut tx).await.expect("the outbox");
        drop(tx);
        let stuck: Vec<_> = left.iter().filter(|(state, _)| state == "sending").collect();
        assert!(stuck.is_empty(), "left over: {stuck:?}");
        assert!(self.provider.borrow().held.is_empty(), "the provider still leaves messages without an answer");
        drop(self.shut_down().await);
    }

    /// The service stops by itself. Gives the URL of its database, and the folder that it is in.
    pub async fn shut_down(mut self) -> (String, tempfile::TempDir) {
        // Its listener holds on to the database.
        drop(self.bot.take());
        self.app.shut_down().await;
        (self.database, self.folder)
    }
}

/// A cookie that a page sets: `name=value`; empty if it sets none.
fn cookie(page: &reqwest::Response) -> String {
    let set = page.headers().get(SET_COOKIE).and_then(|set| set.to_str().ok()).unwrap_or_default();
    set.split(';').next().unwrap_or_default().to_owned()
}

/// The provider's state, and how others watch and steer it.
type Books = (Arc<Mutex<Ledger>>, watch::Sender<Provider>);

async fn sendsms(
    State((ledger, provider)): State<Books>,
    Query(query): Query<HashMap<String, String>>,
) -> (axum::http::StatusCode, &'static str) {
    let field = |name: &str| query.get(name).cloned().unwrap_or_default();
    assert_eq!((field("username").as_str(), field("password").as_str()), ("story", "story-password"));
    let to = field("to");
    provider.send_modify(|p| p.asked += 1);
    provider.subscribe().wait_for(|p| !p.held.contains(&to)).await.expect("the provider is still watched");
    let receipt_url = field("dlr-url");
    let broken = provider.borrow().broken.iter().find(|(name, _)| receipt_url.contains(&format!("/hooks/{name}/"))).map(|b| *b.1);
    if let Some((status, words)) = broken {
        return (axum::http::StatusCode::from_u16(status).expect("a status"), words);
    }
    let mut ledger = ledger.lock().expect("the ledger");
    let answer = ledger.script.get_mut(&field("to")).filter(|s| !s.is_empty()).map_or(Answer::Accept, |s| s.remove(0));
    match answer {
        Answer::Accept => {
            provider.send_modify(|p| p.accepted += 1);
            ledger.sent.push(Sent { to: field("to"), text: field("text"), receipt_url, coding: field("coding") });
            (axum::http::StatusCode::ACCEPTED, "0: Accepted for delivery")
        }
        Answer::Status(status, body) => (axum::http::StatusCode::from_u16(status).expect("a status"), body),
    }
}

async fn database(on: On, folder: &tempfile::TempDir) -> String {
    match on {
        On::Sqlite => format!("sqlite:{}", folder.path().join("story.db").display()),
        On::Postgres => postgres_database().await,
    }
}

/// A fresh database on the server that `tests/run` started.
pub async fn postgres_database() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let server =
        std::env::var("PORCHLIGHT_TEST_POSTGRES").expect("PORCHLIGHT_TEST_POSTGRES names a private server: run tests/run");
    let name = format!("story_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    porchlight::store::create_database(&server, &name).await.expect("a fresh database");
    let (head, _) = server.rsplit_once('/').expect("a URL with a database");
    format!("{head}/{name}")
}

/// `2026-11-16 10:00` in a zone.
pub fn at(zone: &Zone, text: &str) -> Time {
    let wall: jiff::civil::DateTime = text.replace(' ', "T").parse().unwrap_or_else(|e| panic!("{text}: {e}"));
    zone.instant(wall.date(), wall.time()).expect("it exists")
}

/// Somebody with consent for `care` by SMS in New York, to be changed by a story.
pub fn somebody(number: u32, name: &str, lang: Lang) -> Record {
    let zone: Zone = "America/New_York".parse().expect("a zone");
    Record {
        external_id: format!("S-{number}"),
        name: name.to_owned(),
        called: name.to_owned(),
        birth_date: None,
        lang,
        phone: Address::new(format!("+171855501{number:02}")),
        class: ContentClass::Care,
        consent: Some(Given { at: at(&zone, "2026-10-01 09:00"), method: "desk".into(), lang }),
        stopped: None,
        coordinator: None,
        backup: None,
        safe_note: String::new(),
        discreet: false,
        window: None,
        protocols: Vec::new(),
        goal_gloss: String::new(),
        visit: None,
        zone,
    }
}

/// Settings of an enrolment.
pub fn daily_at(clock: &str, unit: porchlight::protocol::WeightUnit) -> Settings {
    Settings { at: Some(clock.to_owned()), unit: Some(unit), ..Settings::default() }
}
