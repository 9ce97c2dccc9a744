//! The console over HTTP: who gets in, who wins, what is refused, what is shown.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use porchlight::clock::{Clock, ManualClock, Time};
use porchlight::console::{Console, router};
use porchlight::conversation::SiteWords;
use porchlight::delivery::{Gateways, Worker};
use porchlight::escalation::hours::Hours;
use porchlight::gateway::{Gateway, Incoming, Simulator};
use porchlight::inbound::{Desk, Receiver};
use porchlight::intake::{Given, Record, add_staff, bring_in};
use porchlight::kit::{DeliveryRules, Kit, Parts, SITE};
use porchlight::model::{Address, Body, Category, Channel, ContentClass, Id, IdSource, Lang, Role, Severity};
use porchlight::random::Dice;
use porchlight::store::sites::{self, Site};
use porchlight::store::{Db, Lane, Location, StoreError, Tx, audit, escalations, pages, patients, staff};
use porchlight::zone::Zone;
use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{Client, Response, StatusCode};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const PASSWORD: &str = "four lanterns on a hill";
const ROSA: &str = "+17185550117";
const KAMAL: &str = "+17185550118";

/// A clinic with a console, on a clock that stands still at 10:24 in New York on a Tuesday.
struct World {
    base: String,
    client: Client,
    clock: Arc<ManualClock>,
    kit: Arc<Kit>,
    db: Db,
    ways: Arc<Gateways>,
    receiver: Receiver,
    news: watch::Sender<u64>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    _folder: Option<tempfile::TempDir>,
}

impl World {
    async fn new() -> World {
        World::with(false).await
    }

    async fn with(secure: bool) -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let location = Location::Sqlite(folder.path().join("porchlight.db"));
        World { _folder: Some(folder), ..World::at(&location, secure).await }
    }

    async fn at(location: &Location, secure: bool) -> World {
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
            delivery: DeliveryRules { batch: 100, lease: Duration::from_mins(1), attempts: 5, doubt: Duration::from_mins(30) },
            key: b"a key of the tests, not a secret".to_vec(),
        };
        let kit = Kit::new(Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&ids), "test".into(), parts)
            .unwrap_or_else(|e| panic!("{e}"));
        let kit = Arc::new(kit);
        let phones = Simulator::new("phones", Channel::Sms, Arc::clone(&kit.clock), ids);
        let ways = Arc::new(Gateways::new(vec![Gateway::Simulator(phones)]));
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

    async fn settle(&self, id: Id) {
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

    async fn write<T: Send + 'static>(
        &self,
        job: impl for<'t> FnOnce(&'t mut Tx) -> futures_util::future::BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
    ) -> T {
        self.db.write(Lane::Work, job).await.expect("writes")
    }

    /// Adds a patient of June's, Dana standing in. Gives their id.
    async fn patient(&self, external: &str, name: &str, lang: Lang, phone: &str, consent: bool) -> Id {
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

    async fn staff(&self, email: &str) -> Id {
        let mut tx = self.db.read().await.expect("reads");
        Id(staff::by_email(&mut tx, email).await.expect("reads").expect("is there").id)
    }

    /// A text comes in and is worked.
    async fn writes(&self, from: &str, text: &str) {
        let message = Incoming::Message {
            from: Address::new(from),
            to: None,
            text: Body::new(text),
            provider_id: Some(self.kit.dice.token()),
            provider_time: None,
        };
        self.receiver.receive("phones", Channel::Sms, vec![message]).await.expect("is stored");
        assert_eq!(Desk::new(Arc::clone(&self.kit), self.db.clone()).tick().await.expect("works"), 1);
    }

    /// The only item that waits.
    async fn only_item(&self) -> Id {
        let mut tx = self.db.read().await.expect("reads");
        let items = pages::unresolved(&mut tx, SITE).await.expect("reads");
        assert_eq!(items.len(), 1, "{items:?}");
        Id(items[0].id)
    }

    fn browser(&self) -> Browser<'_> {
        Browser { world: self, cookies: HashMap::new() }
    }

    async fn signed_in(&self, email: &str) -> Browser<'_> {
        let mut browser = self.browser();
        let answer = browser.sign_in(email, PASSWORD).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        browser
    }
}

/// Somebody's browser: keeps cookies, follows nothing.
struct Browser<'w> {
    world: &'w World,
    cookies: HashMap<String, String>,
}

impl Browser<'_> {
    async fn get(&mut self, path: &str) -> Response {
        let request = self.world.client.get(format!("{}{path}", self.world.base)).header(COOKIE, self.jar());
        self.keep(request.send().await.expect("an answer"))
    }

    async fn page(&mut self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.expect("a page")
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Response {
        self.post_from(path, fields, &self.world.base.clone()).await
    }

    async fn post_from(&mut self, path: &str, fields: &[(&str, &str)], origin: &str) -> Response {
        let request =
            self.world.client.post(format!("{}{path}", self.world.base)).header(COOKIE, self.jar()).header("origin", origin);
        self.keep(request.form(fields).send().await.expect("an answer"))
    }

    async fn sign_in(&mut self, email: &str, password: &str) -> Response {
        let door = self.get("/signin").await.text().await.expect("a page");
        let csrf = field(&door, "csrf");
        self.post("/signin", &[("csrf", &csrf), ("email", email), ("password", password), ("next", "/queue")]).await
    }

    /// The token of this reader's forms.
    async fn csrf(&mut self) -> String {
        field(&self.page("/more").await, "csrf")
    }

    fn jar(&self) -> String {
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

fn new_york() -> Zone {
    "America/New_York".parse().expect("a zone")
}

fn at(hour: i8, minute: i8) -> Time {
    new_york().instant(jiff::civil::date(2026, 3, 10), jiff::civil::time(hour, minute, 0, 0)).expect("it exists")
}

/// The value of the first field of this name.
fn field(html: &str, name: &str) -> String {
    let from = html.find(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no field {name} in {html}"));
    html[from..].split('"').nth(3).expect("a value").to_owned()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_e_mail_get_the_same_answer_and_ten_tries_shut_the_door_for_a_while() {
    let world = World::new().await;
    let mut browser = world.browser();
    let wrong = browser.sign_in("june@clinic.example", "not the password").await;
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    let wrong = wrong.text().await.expect("a page");
    let unknown = browser.sign_in("nobody@clinic.example", "not the password").await;
    assert_eq!(unknown.status(), StatusCode::UNAUTHORIZED);
    let unknown = unknown.text().await.expect("a page").replace("nobody@", "june@");
    assert_eq!(wrong, unknown);
    assert!(wrong.contains("role=\"alert\"") && !wrong.contains("not the password"), "{wrong}");

    for _ in 0..9 {
        browser.sign_in("june@clinic.example", "still not").await;
    }
    let shut = browser.sign_in("june@clinic.example", PASSWORD).await;
    assert_eq!(shut.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(shut.text().await.expect("a page").contains("Too many tries. Wait 15 minutes"));
    assert_eq!(browser.sign_in("dana@clinic.example", PASSWORD).await.status(), StatusCode::SEE_OTHER, "others get in");

    world.clock.advance(Duration::from_mins(16));
    assert_eq!(world.browser().sign_in("june@clinic.example", PASSWORD).await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_sign_in_makes_a_new_session_which_ends_with_signing_out_with_an_idle_hour_and_after_twelve_hours() {
    let world = World::new().await;
    let mut browser = world.signed_in("june@clinic.example").await;
    let first = browser.cookies["porchlight_session"].clone();
    assert_eq!(first.len(), 26);
    browser.cookies.insert("porchlight_door".into(), String::new());
    // Signed in as somebody else in the same browser: the session before is dead.
    let door = world.browser().get("/signin").await;
    let token = header(door.headers(), "set-cookie").split(['=', ';']).nth(1).expect("a token").to_owned();
    browser.cookies.insert("porchlight_door".into(), token.clone());
    let again = browser
        .post("/signin", &[("csrf", &token), ("email", "dana@clinic.example"), ("password", PASSWORD), ("next", "//evil")])
        .await;
    assert_eq!((again.status(), header(again.headers(), "location")), (StatusCode::SEE_OTHER, "/queue"));
    assert_ne!(browser.cookies["porchlight_session"], first);
    let mut old = world.browser();
    old.cookies.insert("porchlight_session".into(), first);
    assert_eq!(old.get("/queue").await.status(), StatusCode::SEE_OTHER, "a session that was replaced is over");

    let csrf = browser.csrf().await;
    let mut thief = world.browser();
    thief.cookies.clone_from(&browser.cookies);
    assert_eq!(browser.post("/signout", &[("csrf", &csrf)]).await.status(), StatusCode::SEE_OTHER);
    assert!(!browser.cookies.contains_key("porchlight_session"));
    assert_eq!(thief.get("/queue").await.status(), StatusCode::SEE_OTHER, "signed out on the server");

    let mut idle = world.signed_in("june@clinic.example").await;
    world.clock.advance(Duration::from_mins(61));
    assert_eq!(idle.get("/queue").await.status(), StatusCode::SEE_OTHER);

    let mut busy = world.signed_in("june@clinic.example").await;
    for _ in 0..14 {
        assert_eq!(busy.get("/queue").await.status(), StatusCode::OK);
        world.clock.advance(Duration::from_mins(50));
    }
    world.clock.advance(Duration::from_mins(21));
    assert_eq!(busy.get("/queue").await.status(), StatusCode::SEE_OTHER, "twelve hours are the most");
}

#[tokio::test]
async fn whoever_is_not_signed_in_sees_nothing_and_changes_nothing() {
    let world = World::new().await;
    let patient = world.patient("P-1", "Rosa Villalobos", Lang::En, ROSA, true).await;
    world.writes(ROSA, "I want to kill myself").await;
    let item = world.only_item().await;
    let mut stranger = world.browser();
    let patient_path = format!("/patient/{patient}");
    let resolve = format!("/item/{item}/resolve");
    for path in ["/queue?view=all", &resolve, &patient_path, "/panel", "/visits", "/delivery", "/more", "/live"] {
        let answer = stranger.get(path).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
        assert!(header(answer.headers(), "location").starts_with("/signin"), "{path}");
        assert!(!answer.text().await.expect("text").contains("Rosa"), "{path}");
    }
    let next = stranger.get("/queue?view=all").await;
    assert_eq!(next.headers()[LOCATION], "/signin?next=%2Fqueue%3Fview%3Dall");
    for path in [&format!("/item/{item}/claim"), &resolve, &format!("{patient_path}/reply"), "/signout", "/theme"] {
        let answer = stranger.post(path, &[("csrf", "x"), ("outcome", "reached_safe"), ("text", "hello")]).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path}");
    }
    let mut tx = world.db.read().await.expect("reads");
    assert_eq!(escalations::get(&mut tx, item).await.expect("reads").expect("is there").state, "open");
    assert_eq!(stranger.get("/nowhere").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_form_without_the_sessions_token_or_from_another_site_is_refused() {
    let world = World::new().await;
    world.patient("P-1", "Rosa Villalobos", Lang::En, ROSA, true).await;
    world.writes(ROSA, "I want to kill myself").await;
    let item = world.only_item().await;
    let claim = format!("/item/{item}/claim");
    let mut june = world.signed_in("june@clinic.example").await;
    let mut dana = world.signed_in("dana@clinic.example").await;
    let (csrf, danas) = (june.csrf().await, dana.csrf().await);
    for token in ["", "0123456789abcdefghjkmnpqrs", &danas] {
        assert_eq!(june.post(&claim, &[("csrf", token)]).await.status(), StatusCode::FORBIDDEN, "{token}");
    }
    assert_eq!(june.post(&claim, &[]).await.status(), StatusCode::FORBIDDEN);
    let elsewhere = june.post_from(&claim, &[("csrf", &csrf)], "https://evil.example").await;
    assert_eq!(elsewhere.status(), StatusCode::FORBIDDEN);
    assert!(elsewhere.text().await.expect("a page").contains("Nothing was saved."));
    let mut login = world.browser();
    let forged = login.post("/signin", &[("csrf", "abc"), ("email", "june@clinic.example"), ("password", PASSWORD)]).await;
    assert_eq!(forged.status(), StatusCode::FORBIDDEN, "signing in too");
    let mut tx = world.db.read().await.expect("reads");
    assert_eq!(escalations::get(&mut tx, item).await.expect("reads").expect("is there").state, "open");
    drop(tx);
    assert_eq!(june.post(&claim, &[("csrf", &csrf)]).await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn two_people_claim_at_once_and_one_of_them_is_told_who_has_it() {
    let world = World::new().await;
    world.patient("P-1", "Rosa Villalobos", Lang::En, ROSA, true).await;
    world.writes(ROSA, "I have chest pain and I can't breathe").await;
    let item = world.only_item().await;
    let mut june = world.signed_in("june@clinic.example").await;
    let mut dana = world.signed_in("dana@clinic.example").await;
    let page = june.page("/queue?view=mine").await;
    assert!(page.contains("Rosa Villalobos") && page.contains("sev-emergency") && page.contains("<title>(1) Queue"), "{page}");
    assert!(!dana.page("/queue?view=mine").await.contains("class=\"row\""), "it is June’s turn, not yet Dana’s");
    let path = format!("/item/{item}/claim");
    let back = format!("/queue?view=team&item={item}#pane");
    let tokens = [june.csrf().await, dana.csrf().await];
    let fields = tokens.each_ref().map(|token| [("csrf", token.as_str()), ("back", back.as_str())]);
    let answers = join_all([june.post(&path, &fields[0]), dana.post(&path, &fields[1])]).await;
    let led: Vec<&str> = answers.iter().map(|a| header(a.headers(), "location")).collect();
    assert_eq!(led.iter().filter(|to| to.contains("done=claimed")).count(), 1, "{led:?}");
    assert_eq!(led.iter().filter(|to| to.contains("conflict=1")).count(), 1, "{led:?}");
    let june_won = led[0].contains("done=claimed");
    let (loser, winner) = if june_won { (&mut dana, "June") } else { (&mut june, "Dana") };
    let page = loser.page(led[usize::from(june_won)].split('#').next().expect("a path")).await;
    assert!(page.contains(&format!("{winner} claimed this at 10:24.")), "{page}");
    let mut tx = world.db.read().await.expect("reads");
    let events = escalations::events(&mut tx, item).await.expect("reads");
    assert_eq!(events.iter().filter(|e| e.kind == "claimed").count(), 1);
}

#[tokio::test]
async fn nothing_is_resolved_without_an_outcome_nor_twice_nor_before_the_latest_words_were_read() {
    let world = World::new().await;
    world.patient("P-1", "Rosa Villalobos", Lang::En, ROSA, true).await;
    world.writes(ROSA, "I want to kill myself").await;
    let item = world.only_item().await;
    let mut june = world.signed_in("june@clinic.example").await;
    let path = format!("/item/{item}/resolve");
    let form = june.page(&path).await;
    let (csrf, version) = (field(&form, "csrf"), field(&form, "version"));
    let without =
        june.post(&path, &[("csrf", &csrf), ("version", &version), ("outcome", ""), ("note", "she <b>called</b>")]).await;
    assert_eq!(without.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = without.text().await.expect("a page");
    assert!(
        page.contains("Not resolved") && page.contains("Choose what came of it.") && page.contains("she &#60;b&#62;called"),
        "{page}"
    );

    world.clock.advance(Duration::from_mins(2));
    world.writes(ROSA, "I want to die").await;
    let filled = |version| {
        [("csrf", csrf.as_str()), ("version", version), ("outcome", "reached_safe"), ("note", "She is with her sister.")]
    };
    let stale = june.post(&path, &filled(&version)).await;
    assert_eq!(stale.status(), StatusCode::CONFLICT);
    let page = stale.text().await.expect("a page");
    assert!(page.contains("Rosa wrote again since you opened this.") && page.contains("She is with her sister."), "{page}");

    let latest = field(&page, "version");
    let done = june.post(&path, &filled(&latest)).await;
    assert_eq!(done.status(), StatusCode::SEE_OTHER);
    assert!(header(done.headers(), "location").contains("done=resolved"));
    assert!(june.page("/queue?view=team").await.contains("Nobody is waiting"));
    assert!(june.page("/queue?view=all").await.contains("Resolved: "));
    let twice = june.post(&path, &filled(&latest)).await;
    assert_eq!(twice.status(), StatusCode::CONFLICT);
    assert!(twice.text().await.expect("a page").contains("June resolved this at 10:26."));
    let mut tx = world.db.read().await.expect("reads");
    assert_eq!(escalations::get(&mut tx, item).await.expect("reads").expect("is there").outcome, "reached_safe");
    assert_eq!(audit::first_break(&mut tx, world.kit.ids.node()).await.expect("reads"), None, "the chain of the audit holds");
}

#[tokio::test]
async fn a_reply_sent_twice_is_one_message_and_one_at_night_is_held() {
    let world = World::new().await;
    let rosa = world.patient("P-1", "Rosa Villalobos", Lang::En, ROSA, true).await;
    let mut june = world.signed_in("june@clinic.example").await;
    let page = june.page(&format!("/patient/{rosa}")).await;
    assert!(page.contains("verdict-go") && page.contains("Goes now,") && page.contains("10:24 where Rosa is"), "{page}");
    let (csrf, token) = (field(&page, "csrf"), field(&page, "token"));
    let path = format!("/patient/{rosa}/reply");
    let fields = [("csrf", csrf.as_str()), ("token", token.as_str()), ("text", "Can we call you at 3?")];
    for _ in 0..2 {
        let answer = june.post(&path, &fields).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        assert!(header(answer.headers(), "location").contains(&format!("sent={token}")));
    }
    let messages = async || {
        let mut tx = world.db.read().await.expect("reads");
        pages::patient::messages(&mut tx, rosa, Time(0)).await.expect("reads")
    };
    let all = messages().await;
    assert_eq!((all.len(), all[0].class.as_str(), all[0].body.as_str()), (1, "staff", "Can we call you at 3?"));
    let empty = june.post(&path, &[("csrf", &csrf), ("text", "  \u{200B} ")]).await;
    assert_eq!(empty.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let long = "x".repeat(1601);
    let long = june.post(&path, &[("csrf", &csrf), ("text", &long)]).await;
    assert_eq!(long.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(long.text().await.expect("a page").contains("has 1601 characters"));

    let worker = Worker::new(Arc::clone(&world.kit), world.db.clone(), Arc::clone(&world.ways));
    worker.tick().await.expect("sends");
    let page = june.page(&format!("/patient/{rosa}?part=timeline")).await;
    assert!(page.contains("Can we call you at 3?") && page.contains("June · text"), "{page}");

    world.clock.set(at(22, 14));
    let mut june = world.signed_in("june@clinic.example").await;
    let page = june.page(&format!("/patient/{rosa}")).await;
    assert!(page.contains("verdict-hold") && page.contains("Will be held until Wed 9:00:"), "{page}");
    let (csrf, token) = (field(&page, "csrf"), field(&page, "token"));
    let held = june.post(&path, &[("csrf", &csrf), ("token", &token), ("text", "Good night")]).await;
    let to = header(held.headers(), "location").split('#').next().expect("a path").to_owned();
    assert!(june.page(&to).await.contains("Held until Wed 9:00. It goes out by itself."));
    worker.tick().await.expect("decides");
    assert!(messages().await.iter().any(|m| m.body == "Good night" && m.state == "held"));
    assert!(june.page(&format!("/patient/{rosa}")).await.contains("Held until Wed 9:00</span>"));
}

#[tokio::test]
async fn after_stop_a_reply_is_refused_before_it_is_kept_and_the_page_says_what_instead() {
    let world = World::new().await;
    let rosa = world.patient("P-1", "Rosa Villalobos", Lang::En, ROSA, true).await;
    world.writes(ROSA, "STOP").await;
    let mut june = world.signed_in("june@clinic.example").await;
    let page = june.page(&format!("/patient/{rosa}")).await;
    assert!(
        page.contains("verdict-no") && page.contains("Rosa asked for no more messages (10:24). Call, or ask when you meet."),
        "{page}"
    );
    let csrf = field(&page, "csrf");
    let answer = june.post(&format!("/patient/{rosa}/reply"), &[("csrf", &csrf), ("text", "Are you sure <i>?")]).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        answer.text().await.expect("a page").contains("Are you sure &#60;i&#62;?</textarea>"),
        "the text is kept on the page"
    );
    let mut tx = world.db.read().await.expect("reads");
    let messages = pages::patient::messages(&mut tx, rosa, Time(0)).await.expect("reads");
    assert!(messages.iter().all(|m| m.class != "staff"), "{messages:?}");
}

#[tokio::test]
async fn what_people_wrote_is_text_wherever_it_is_shown() {
    let world = World::new().await;
    let hostile = "<script>alert(1)</script>\u{202E}Rosa\u{2069} \"onload=x";
    let patient = world.patient("P-<b>1", hostile, Lang::Ar, ROSA, true).await;
    world.writes(ROSA, "أريد أن أموت <img src=x onerror=alert(1)> \u{202E}").await;
    let item = world.only_item().await;
    let mut june = world.signed_in("june@clinic.example").await;
    let csrf = june.csrf().await;
    let note = [("csrf", csrf.as_str()), ("outcome", ""), ("note", "</textarea><script>alert(2)</script>")];
    let refused = june.post(&format!("/item/{item}/resolve"), &note).await.text().await.expect("a page");
    let mut pages = vec![refused];
    for path in [
        format!("/queue?view=all&item={item}&q=%3Cscript%3E"),
        format!("/queue?view=all&item={item}&done=%3Cscript%3E&part=rows"),
        format!("/item/{item}/resolve"),
        format!("/patient/{patient}?show=%3Cscript%3E"),
        format!("/patient/{patient}?part=timeline"),
        "/panel?q=%22%3E%3Cscript%3E".to_owned(),
        "/panel".to_owned(),
        "/visits".to_owned(),
        "/delivery".to_owned(),
    ] {
        pages.push(june.page(&path).await);
    }
    for html in &pages {
        for forbidden in ["<script>alert", "<img", "\u{202E}", "\u{2069}", "\"onload=x", "P-<b>"] {
            assert!(!html.contains(forbidden), "{forbidden:?} in {html}");
        }
    }
    assert!(pages[1].contains("lang=\"ar\" dir=\"rtl\">أريد أن أموت &#60;img"), "{}", pages[1]);
    assert!(pages[1].contains("Marks that turn the direction of text were taken out."));
}

#[tokio::test]
async fn every_answer_carries_the_protecting_headers() {
    let world = World::with(true).await;
    let mut browser = world.browser();
    for path in ["/signin", "/queue", "/assets/console.css", "/nowhere"] {
        let answer = browser.get(path).await;
        let headers = answer.headers();
        assert!(
            header(headers, "content-security-policy").starts_with("default-src 'none'; style-src 'self'; script-src 'self'"),
            "{path}"
        );
        assert_eq!(header(headers, "x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header(headers, "referrer-policy"), "no-referrer", "{path}");
        assert_eq!(header(headers, "cross-origin-opener-policy"), "same-origin", "{path}");
        assert!(header(headers, "permissions-policy").contains("geolocation=()"), "{path}");
        assert!(header(headers, "strict-transport-security").contains("max-age"), "{path}");
        let kept = if path.starts_with("/assets") { "no-cache" } else { "no-store" };
        assert_eq!(header(headers, "cache-control"), kept, "{path}");
    }
    let answer = browser.sign_in("june@clinic.example", PASSWORD).await;
    let cookie = answer
        .headers()
        .get_all(SET_COOKIE)
        .iter()
        .find_map(|c| c.to_str().ok().filter(|c| c.contains("session")))
        .expect("a cookie");
    assert!(
        cookie.starts_with("__Host-porchlight_session=") && cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    assert!(cookie.contains("; Secure") && cookie.contains("Path=/"), "{cookie}");

    let style = browser.get("/assets/console.css").await;
    let tag = style.headers()["etag"].clone();
    assert_eq!(header(style.headers(), "content-type"), "text/css; charset=utf-8");
    let again = world
        .client
        .get(format!("{}/assets/console.css", world.base))
        .header("if-none-match", tag)
        .send()
        .await
        .expect("an answer");
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn the_most_pressing_comes_first_and_a_number_that_nobody_knows_shows_two_digits_in_a_list() {
    let world = World::new().await;
    world.patient("P-1", "Rosa Villalobos", Lang::En, ROSA, true).await;
    world.patient("P-2", "Kamal Mia", Lang::Bn, KAMAL, true).await;
    world.writes("+17185550199", "Who is this?").await;
    world.writes(KAMAL, "I have no money for food this week").await;
    world.clock.advance(Duration::from_mins(1));
    world.writes(ROSA, "I want to kill myself").await;
    let mut dana = world.signed_in("dana@clinic.example").await;
    let page = dana.page("/queue?view=team").await;
    let place = |what: &str| page.find(what).unwrap_or_else(|| panic!("no {what} in {page}"));
    let rows = &page[place("id=\"rows\"")..];
    assert!(rows.find("Rosa Villalobos") < rows.find("Kamal Mia"), "{rows}");
    assert!(rows.contains("Unknown number ending 99") && !page.contains("555-0199") && !page.contains("5550199"), "{page}");
    let filtered = dana.page("/queue?view=team&severity=emergency").await;
    let rows = &filtered[filtered.find("id=\"rows\"").expect("rows")..];
    assert!(rows.contains("Rosa Villalobos") && !rows.contains("Kamal Mia"));

    let mut tx = world.db.read().await.expect("reads");
    let items = pages::unresolved(&mut tx, SITE).await.expect("reads");
    let stranger = items.iter().find(|i| i.patient_id.is_none()).expect("an item of nobody");
    let opened = dana.page(&format!("/queue?item={}", Id(stranger.id))).await;
    assert!(
        opened.contains("(718) 555-0199") && pane.contains("Nobody knows who this is.") && !pane.contains("Open patient"),
        "{pane}"
    );
    let panel = dana.page("/panel").await;
    assert!(panel.find("Rosa Villalobos") < panel.find("Kamal Mia"), "the most pressing first");
    assert!(dana.page("/panel?q=0118").await.contains("Kamal Mia"));
    assert!(!dana.page("/panel?q=0118").await.contains("Rosa Villalobos</bdi></a> <span"), "a search narrows");
    let visits = dana.page("/visits").await;
    assert!(
        visits.contains("Tomorrow, Wednesday 11 Mar") && visits.contains("12:24") && visits.contains("Not asked yet."),
        "{visits}"
    );
    assert!(dana.page("/delivery").await.contains("phones"));
}

#[tokio::test]
async fn the_pane_says_who_may_be_reached_what_happened_and_why_before_any_action() {
    let world = World::new().await;
    world.patient("P-1", "Rosa Villalobos", Lang::En, ROSA, true).await;
    world.writes(ROSA, "I want to kill myself").await;
    let item = world.only_item().await;
    Worker::new(Arc::clone(&world.kit), world.db.clone(), Arc::clone(&world.ways)).tick().await.expect("sends");
    let mut june = world.signed_in("june@clinic.example").await;
    let page = june.page(&format!("/queue?item={item}")).await;
    let pane = &page[page.find("id=\"pane\"").expect("a pane")..];
    for said in [
        "Rosa’s words · text message, 10:24",
        "I want to kill myself",
        "Use (718) 555-0117 only.",
        "Leave no voicemail.",
        "Given, 10:24, by desk",
        "Opened as an emergency.",
        "June was told.",
        "The crisis reply was sent.",
        "English pack, version",
        "tel:+17185550117",
    ] {
        assert!(pane.contains(said), "{said} in {pane}");
    }
    assert!(pane.find("Leave no voicemail.") < pane.find("tel:"), "safe contact comes first");
}

#[tokio::test]
async fn another_clinics_records_are_not_there() {
    let world = World::new().await;
    world.settle(Id(2)).await;
    let kit = Arc::clone(&world.kit);
    let (item, patient) = (kit.id(), kit.id());
    let ids = (patient, kit.id());
    world
        .write(move |tx| {
            async move {
                let now = kit.now();
                let new = patients::NewPatient {
                    external_id: "X-1".into(),
                    name: "Somebody Else".into(),
                    called: "S".into(),
                    birth_date: String::new(),
                    lang: Lang::En,
                    zone: "America/New_York".into(),
                    coordinator: None,
                    backup: None,
                    window: None,
                    discreet: false,
                    safe_note: String::new(),
                    tags: String::new(),
                };
                patients::add(tx, Id(2), ids, &new, now).await?;
                let open = escalations::NewEscalation {
                    id: item,
                    site: Id(2),
                    patient: Some(ids.0),
                    inbox: None,
                    severity: Severity::Emergency,
                    category: Category::MedicalEmergency,
                    reason: "Chest pain".into(),
                    opened: now,
                    due: now,
                };
                escalations::open(tx, &open).await
            }
            .boxed()
        })
        .await;
    let mut june = world.signed_in("june@clinic.example").await;
    let csrf = june.csrf().await;
    assert_eq!(june.get(&format!("/patient/{patient}")).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(june.get(&format!("/item/{item}/resolve")).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(june.post(&format!("/item/{item}/claim"), &[("csrf", &csrf)]).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        june.post(&format!("/patient/{patient}/reply"), &[("csrf", &csrf), ("text", "hi")]).await.status(),
        StatusCode::NOT_FOUND
    );
    for path in ["/queue?view=all", "/panel", "/panel?q=X-1"] {
        let page = june.page(path).await;
        assert!(!page.contains("Somebody Else") && !page.contains("Chest pain"), "{path}");
    }
    let mut tx = world.db.read().await.expect("reads");
    assert_eq!(escalations::get(&mut tx, item).await.expect("reads").expect("is there").state, "open");
}

#[tokio::test]
async fn every_page_and_every_form_works_the_same_on_postgresql() {
    let server =
        std::env::var("PORCHLIGHT_TEST_POSTGRES").expect("PORCHLIGHT_TEST_POSTGRES names a private server: run tests/run");
    let name = format!("console_{}", std::process::id());
    porchlight::store::create_database(&server, &name).await.expect("a fresh database");
    let (head, _) = server.rsplit_once('/').expect("a URL with a database");
    let world = World::at(&Location::Postgres(format!("{head}/{name}")), false).await;
    let rosa = world.patient("P-1", "Rosa Villalobos", Lang::En, ROSA, true).await;
    let kamal = world.patient("P-2", "Kamal Mia", Lang::Bn, KAMAL, true).await;
    world.writes(ROSA, "I want to kill myself").await;
    let item = world.only_item().await;
    let worker = Worker::new(Arc::clone(&world.kit), world.db.clone(), Arc::clone(&world.ways));
    worker.tick().await.expect("sends");
    let mut june = world.signed_in("june@clinic.example").await;
    let csrf = june.csrf().await;
    assert!(june.page(&format!("/queue?view=mine&item={item}")).await.contains("The crisis reply was sent."));
    assert_eq!(june.post(&format!("/item/{item}/claim"), &[("csrf", &csrf)]).await.status(), StatusCode::SEE_OTHER);
    let reply = [("csrf", csrf.as_str()), ("text", "We call you now.")];
    assert_eq!(june.post(&format!("/patient/{rosa}/reply"), &reply).await.status(), StatusCode::SEE_OTHER);
    let resolved = [("csrf", csrf.as_str()), ("outcome", "emergency_care"), ("note", "An ambulance is there.")];
    assert_eq!(june.post(&format!("/item/{item}/resolve"), &resolved).await.status(), StatusCode::SEE_OTHER);
    worker.tick().await.expect("sends");
    for (path, said) in [
        ("/queue?view=all", "Resolved: "),
        (&*format!("/patient/{rosa}"), "An ambulance is there."),
        (&format!("/patient/{rosa}?part=timeline"), "We call you now."),
        ("/panel?view=mine&q=villa", "Rosa Villalobos"),
        (&format!("/panel?after={kamal}"), "Rosa Villalobos"),
        ("/panel?q=0118", "Kamal Mia"),
        ("/visits", "Kamal Mia"),
        ("/delivery", "phones"),
        ("/more", "PostgreSQL"),
    ] {
        assert!(june.page(path).await.contains(said), "{said} on {path}");
    }
    assert!(!june.page(&format!("/panel?after={kamal}")).await.contains("Kamal Mia</bdi>"), "the page after him");
    let mut stream = world
        .client
        .get(format!("{}/live?patient={rosa}", world.base))
        .header(COOKIE, june.jar())
        .send()
        .await
        .expect("an answer");
    let first = stream.chunk().await.expect("a stream").expect("goes on");
    assert!(String::from_utf8_lossy(&first).contains("event: clock"));
    world.stop.cancel();
}

#[tokio::test]
async fn reading_a_patients_page_leaves_an_entry_in_the_audit_and_a_page_that_refreshes_itself_does_not_flood_it() {
    let world = World::new().await;
    let rosa = world.patient("P-1", "Rosa Villalobos", Lang::En, ROSA, true).await;
    let (june, node) = (world.staff("june@clinic.example").await, world.kit.ids.node());
    let noted = async |since| {
        let mut tx = world.db.read().await.expect("reads");
        assert_eq!(audit::first_break(&mut tx, node).await.expect("reads"), None);
        pages::read_since(&mut tx, june, rosa, "read patient", since).await.expect("reads")
    };
    let mut browser = world.signed_in("june@clinic.example").await;
    assert!(!noted(Time(0)).await);
    browser.page(&format!("/patient/{rosa}?part=timeline")).await;
    assert!(noted(world.kit.now()).await, "a part alone is a reading too");
    world.clock.advance(Duration::from_mins(5));
    browser.page(&format!("/patient/{rosa}?part=timeline")).await;
    assert!(!noted(world.kit.now()).await, "the page refreshed itself");
    browser.page(&format!("/patient/{rosa}")).await;
    assert!(noted(world.kit.now()).await);
}

#[tokio::test]
async fn an_open_page_hears_of_news_at_once_of_other_processes_within_seconds_and_the_stream_ends_with_the_service() {
    let mut world = World::new().await;
    world.patient("P-1", "Rosa Villalobos", Lang::En, ROSA, true).await;
    let june = world.signed_in("june@clinic.example").await;
    let (url, jar) = (format!("{}/live", world.base), june.jar());
    let mut stream = world.client.get(url).header(COOKIE, jar).send().await.expect("an answer");
    assert_eq!(header(stream.headers(), "content-type"), "text/event-stream");
    let mut heard = String::new();
    let mut hears = async |what: &str, within: Duration| {
        let all = async {
            while !heard.contains(what) {
                let chunk = stream.chunk().await.expect("a stream").expect("goes on");
                heard.push_str(&String::from_utf8_lossy(&chunk));
            }
            heard.clear();
        };
        tokio::time::timeout(within, all).await.unwrap_or_else(|_| panic!("{what} was not heard within {within:?}"));
    };
    hears("event: clock\ndata: {\"now_ms\":", Duration::from_secs(2)).await;
    tokio::time::sleep(Duration::from_millis(1200)).await;
    // This process says so.
    world.news.send_modify(|n| *n += 1);
    hears("event: queue", Duration::from_millis(500)).await;
    // Another process would only write.
    world.writes(ROSA, "I want to kill myself").await;
    hears("event: queue", Duration::from_secs(3)).await;
    hears("event: ping", Duration::from_secs(7)).await;
    world.stop.cancel();
    let ended = async { while let Ok(Some(_)) = stream.chunk().await {} };
    tokio::time::timeout(Duration::from_secs(2), ended).await.expect("the stream ends");
    world.tasks.abort_all();
}
