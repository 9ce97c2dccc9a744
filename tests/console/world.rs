//! A clinic with a console, and browsers that walk in.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use porchlight::clock::{Clock, ManualClock, Time};
use porchlight::console::{Console, router};
use porchlight::conversation::SiteWords;
use porchlight::delivery::Gateways;
use porchlight::escalation::hours::Hours;
use porchlight::gateway::{Gateway, Incoming, Simulator};
use porchlight::inbound::{Coming, Desk, Receiver};
use porchlight::intake::{Given, Record, add_staff, bring_in};
use porchlight::kit::{DeliveryRules, Kit, Parts, SITE};
use porchlight::model::{Address, Body, Channel, ContentClass, Id, IdSource, Lang, Role};
use porchlight::random::Dice;
use porchlight::store::sites::{self, Site};
use porchlight::store::{Db, Lane, Location, StoreError, Tx, pages, patients, staff};
use porchlight::zone::Zone;
use reqwest::header::{COOKIE, HeaderMap, SET_COOKIE};
use reqwest::{Client, Response, StatusCode};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub const PASSWORD: &str = "four lanterns on a hill";
pub const ROSA: &str = "+17185550117";
pub const KAMAL: &str = "+17185550118";

/// A clinic with a console, on a clock that stands still at 10:24 in New York on a Tuesday.
pub struct World {
    pub base: String,
    pub client: Client,
    pub clock: Arc<ManualClock>,
    pub kit: Arc<Kit>,
    pub db: Db,
    pub ways: Arc<Gateways>,
    receiver: Receiver,
    pub news: watch::Sender<u64>,
    pub stop: CancellationToken,
    pub tasks: JoinSet<()>,
    _folder: Option<tempfile::TempDir>,
}

impl World {
    pub async fn new() -> World {
        World::with(false).await
    }

    pub async fn with(secure: bool) -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let location = Location::Sqlite(folder.path().join("porchlight.db"));
        World { _folder: Some(folder), ..World::at(&location, secure).await }
    }

    pub async fn at(location: &Location, secure: bool) -> World {
        let (db, writer) = Db::open(location).await.expect("a database");
        let mut tasks = JoinSet::new();
        tasks.spawn(writer);
        let clock = Arc::new(ManualClock::new(at(10, 24)));
        let ids = Arc::new(IdSource::new(1, clock.machine()));
        let zone = new_york();
        let parts = Parts {
            dice: Dice::seeded(7),
            hours: Hours::new(zone.clone(), "mon-fri 09:00-17:00".parse().expect("hours"), []),
            site: SiteWords {
                clinic: "Lantern Hill".into(),
                phone: "(718) 555-0100".into(),
                emergency: "911".into(),
                lifeline: "988".into(),
            },
            window: (540, 1260),
            delivery: DeliveryRules {
                batch: 100,
                lease: Duration::from_mins(1),
                doubt: Duration::from_mins(30),
                crisis_receipt: Duration::ZERO,
                receipt: Duration::ZERO,
            },
            key: b"a key of the tests, not a secret".to_vec(),
            restored: None,
        };
        let kit = Kit::new(Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&ids), "test".into(), parts)
            .unwrap_or_else(|e| panic!("{e}"));
        let kit = Arc::new(kit);
        let phones = Simulator::new("phones", Channel::Sms, Arc::clone(&kit.clock), ids);
        let ways = Arc::new(Gateways::new(vec![Gateway::Simulator(phones), bot()], clock.machine()));
        let (receiver, storing) = Receiver::new(Arc::clone(&kit), db.clone(), "US", Arc::new(Notify::new()));
        tasks.spawn(storing);
        let (news, stop) = (watch::Sender::new(0), CancellationToken::new());
        let console = Console {
            kit: Arc::clone(&kit),
            db: db.clone(),
            ways: Arc::clone(&ways),
            wake: Arc::new(Notify::new()),
            news: news.subscribe(),
            tell: news.clone(),
            secure_cookies: secure,
            stop: stop.clone(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        tasks.spawn(async move { axum::serve(listener, router(console)).await.expect("serves") });
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let world = World { base, client, clock, kit, db, ways, receiver, news, stop, tasks, _folder: None };
        world.settle(SITE).await;
        for (email, name) in [("june@clinic.example", "June Abara"), ("dana@clinic.example", "Dana Ortiz")] {
            assert!(add_staff(&world.db, &world.kit, email, name, Role::Coordinator, PASSWORD).await.expect("adds"));
        }
        world
    }

    pub async fn settle(&self, id: Id) {
        let site = Site {
            id: id.0,
            name: "Lantern Hill Clinic".into(),
            sender: "Lantern Hill".into(),
            phone: "(718) 555-0100".into(),
            zone: "America/New_York".into(),
            jurisdiction: "US-NY".into(),
            hours: "mon-fri 09:00-17:00".into(),
            emergency_number: "911".into(),
            lifeline_number: "988".into(),
        };
        let now = self.kit.now();
        self.write(move |tx| async move { sites::put(tx, &site, now).await }.boxed()).await;
    }

    pub async fn write<T: Send + 'static>(
        &self,
        job: impl for<'t> FnOnce(&'t mut Tx) -> futures_util::future::BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
    ) -> T {
        self.db.write(Lane::Work, job).await.expect("writes")
    }

    /// Adds a patient of June's, Dana standing in. Gives their id.
    pub async fn patient(&self, external: &str, name: &str, lang: Lang, phone: &str, consent: bool) -> Id {
        let mut tx = self.db.read().await.expect("reads");
        let (june, dana) = (self.staff("june@clinic.example").await, self.staff("dana@clinic.example").await);
        drop(tx);
        let now = self.kit.now();
        let record = Record {
            external_id: external.to_owned(),
            name: name.to_owned(),
            called: name.split_whitespace().next().unwrap_or(name).to_owned(),
            birth_date: Some(jiff::civil::date(1959, 5, 12)),
            lang,
            zone: new_york(),
            phone: Address::new(phone),
            class: ContentClass::Care,
            consent: consent.then(|| Given { at: now, method: "desk".into(), lang }),
            stopped: None,
            coordinator: Some(june),
            backup: Some(dana),
            safe_note: "Leave no voicemail.".into(),
            discreet: false,
            window: None,
            protocols: Vec::new(),
            goal_gloss: String::new(),
            visit: Some((format!("V-{external}"), now.plus(Duration::from_hours(26)))),
        };
        let kit = Arc::clone(&self.kit);
        self.write(move |tx| async move { bring_in(tx, &kit, &[record], &new_york(), now).await.map(|_| ()) }.boxed()).await;
        tx = self.db.read().await.expect("reads");
        let found = patients::by_external(&mut tx, SITE, external).await.expect("reads").expect("is there");
        Id(found.id)
    }

    pub async fn staff(&self, email: &str) -> Id {
        let mut tx = self.db.read().await.expect("reads");
        Id(staff::by_email(&mut tx, email).await.expect("reads").expect("is there").id)
    }

    /// A text comes in and is worked.
    pub async fn writes(&self, from: &str, text: &str) {
        let message = Incoming::Message {
            from: Address::new(from),
            to: None,
            text: Body::new(text),
            provider_id: Some(self.kit.dice.token()),
            provider_time: None,
            extras: porchlight::model::Extras::default(),
        };
        self.receiver.receive("phones", Channel::Sms, vec![message]).await.expect("is stored");
        assert_eq!(Desk::new(Arc::clone(&self.kit), self.db.clone(), Coming::default()).tick().await.expect("works"), 1);
    }

    /// Somebody follows a link to the bot.
    pub async fn follows(&self, chat: &str, token: &str) {
        let message = Incoming::Message {
            from: Address::new(chat),
            to: None,
            text: Body::new(""),
            provider_id: Some(self.kit.dice.token()),
            provider_time: None,
            extras: porchlight::model::Extras { start: Some(token.to_owned()), ..porchlight::model::Extras::default() },
        };
        self.receiver.receive("telegram", Channel::Telegram, vec![message]).await.expect("is stored");
        assert_eq!(Desk::new(Arc::clone(&self.kit), self.db.clone(), Coming::default()).tick().await.expect("works"), 1);
    }

    /// The only item that waits.
    pub async fn only_item(&self) -> Id {
        let mut tx = self.db.read().await.expect("reads");
        let items = pages::unresolved(&mut tx, SITE).await.expect("reads");
        assert_eq!(items.len(), 1, "{items:?}");
        Id(items[0].escalation.id)
    }

    pub fn browser(&self) -> Browser<'_> {
        Browser { world: self, cookies: HashMap::new() }
    }

    pub async fn signed_in(&self, email: &str) -> Browser<'_> {
        let mut browser = self.browser();
        let answer = browser.sign_in(email, PASSWORD).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        browser
    }
}

/// Somebody's browser: keeps cookies, follows nothing.
pub struct Browser<'w> {
    world: &'w World,
    pub cookies: HashMap<String, String>,
}

impl Browser<'_> {
    pub async fn get(&mut self, path: &str) -> Response {
        let request = self.world.client.get(format!("{}{path}", self.world.base)).header(COOKIE, self.jar());
        self.keep(request.send().await.expect("an answer"))
    }

    pub async fn page(&mut self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.expect("a page")
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Response {
        self.post_from(path, fields, &self.world.base.clone()).await
    }

    pub async fn post_from(&mut self, path: &str, fields: &[(&str, &str)], origin: &str) -> Response {
        let request =
            self.world.client.post(format!("{}{path}", self.world.base)).header(COOKIE, self.jar()).header("origin", origin);
        self.keep(request.form(fields).send().await.expect("an answer"))
    }

    pub async fn sign_in(&mut self, email: &str, password: &str) -> Response {
        let door = self.get("/signin").await.text().await.expect("a page");
        let csrf = field(&door, "csrf");
        self.post("/signin", &[("csrf", &csrf), ("email", email), ("password", password), ("next", "/queue")]).await
    }

    /// The token of this reader's forms.
    pub async fn csrf(&mut self) -> String {
        field(&self.page("/more").await, "csrf")
    }

    pub fn jar(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, answer: Response) -> Response {
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let text = cookie.to_str().expect("text");
            let (name, rest) = text.split_once('=').expect("a cookie");
            let value = rest.split(';').next().unwrap_or_default();
            if text.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

/// A bot that nobody listens to.
fn bot() -> Gateway {
    let text = "[site]\nname = \"A\"\nphone = \"(718) 555-0100\"\n[[gateway]]\nkind = \"telegram\"\nname = \"telegram\"\n\
                token = \"123456:AAF-token_of_the_console_0123\"\nbot = \"lantern_bot\"\nurl = \"http://127.0.0.1:1\"\n";
    let config = porchlight::config::Config::parse("bot.toml", text, &|_| None).unwrap_or_else(|e| panic!("{e}"));
    config.gateways.into_iter().next().expect("a bot")
}

pub fn new_york() -> Zone {
    "America/New_York".parse().expect("a zone")
}

pub fn at(hour: i8, minute: i8) -> Time {
    new_york().instant(jiff::civil::date(2026, 3, 10), jiff::civil::time(hour, minute, 0, 0)).expect("it exists")
}

/// The value of the first field of this name.
pub fn field(html: &str, name: &str) -> String {
    let from = html.find(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no field {name} in {html}"));
    html[from..].split('"').nth(3).expect("a value").to_owned()
}

pub fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
}
