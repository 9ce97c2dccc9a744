//! A patient on WhatsApp: the first words are approved ones, the answers within the conversation are free, and Meta's callbacks
//! come in any order. The Cloud API is a faithful fake; the service is the real one.

#![expect(clippy::expect_used, reason = "a case that cannot go on has failed")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use futures_util::FutureExt;
use hmac::{Hmac, KeyInit, Mac};
use porchlight::app::{App, listen};
use porchlight::clock::{Clock, ManualClock};
use porchlight::config::Config;
use porchlight::intake::{Record, bring_in};
use porchlight::kit::SITE;
use porchlight::model::{Channel, ContentClass, Id, Lang, hex};
use porchlight::random::Dice;
use porchlight::store::patients::NewContact;
use porchlight::store::{Lane, appointments, escalations, messages, patients, threads};
use porchlight::zone::Zone;
use serde_json::{Value, json};

#[path = "support/world.rs"]
#[expect(dead_code, reason = "stories need more of the world than these cases")]
mod world;

use world::{KEY, On, at, postgres_database, somebody};

const APP_SECRET: &str = "the-secret-of-the-app";
const VERIFY: &str = "verify-0123456789";
const NUMBER: &str = "106540352242922";

/// Meta, as far as one number sees it.
#[derive(Clone, Default)]
struct Meta {
    asked: Arc<Mutex<Vec<Value>>>,
    /// The error code that the next request gets.
    refuses: Arc<Mutex<Option<u32>>>,
}

async fn messages_of(State(meta): State<Meta>, headers: HeaderMap, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
    if headers.get("authorization").is_none_or(|token| token != "Bearer a-token") {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": { "code": 190, "message": "Session has expired" } })));
    }
    let refused = meta.refuses.lock().expect("a code").take();
    if let Some(code) = refused {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": { "code": code, "message": "no" } })));
    }
    let mut asked = meta.asked.lock().expect("requests");
    asked.push(body);
    let answer =
        json!({ "messaging_product": "whatsapp", "contacts": [], "messages": [{ "id": format!("wamid.{}", asked.len()) }] });
    (StatusCode::OK, Json(answer))
}

/// The service with one number on WhatsApp, and Inés, who is reached there alone.
struct Clinic {
    app: App,
    clock: Arc<ManualClock>,
    zone: Zone,
    base: String,
    http: reqwest::Client,
    meta: Meta,
    ines: Id,
    _folder: tempfile::TempDir,
}

impl Clinic {
    async fn open(on: On) -> Clinic {
        let zone: Zone = "America/New_York".parse().expect("a zone");
        let clock = Arc::new(ManualClock::new(at(&zone, "2026-11-23 09:00")));
        let folder = tempfile::tempdir().expect("a folder");
        let database = match on {
            On::Sqlite => format!("sqlite:{}", folder.path().join("w.db").display()),
            On::Postgres => postgres_database().await,
        };
        let meta = Meta::default();
        let provider = listen(([127, 0, 0, 1], 0).into()).await.expect("a port");
        let pages = listen(([127, 0, 0, 1], 0).into()).await.expect("a port");
        let base = format!("http://{}", pages.local_addr().expect("an address"));
        let settings = format!(
            "[database]\nurl = \"{database}\"\n[server]\npublic_url = \"{base}\"\n[security]\nkey = \"{KEY}\"\n\
             [site]\nname = \"Harbor Street Health\"\nsender = \"Harbor Street\"\nphone = \"(718) 555-0100\"\n\
             [[gateway]]\nkind = \"whatsapp\"\nname = \"wa\"\nphone_number_id = \"{NUMBER}\"\ntoken = \"a-token\"\napp_secret = \"{APP_SECRET}\"\n\
             verify_token = \"{VERIFY}\"\nurl = \"http://{}\"\n\
             [[gateway.template]]\nkey = \"visit-reminder\"\nname = \"visit_reminder\"\nvariables = [\"clinic\", \"when\"]\nlanguages = {{ es = \"es\" }}\nbuttons = [\"C\", \"R\", \"X\"]\n",
            provider.local_addr().expect("an address")
        );
        let config = Config::parse("whatsapp.toml", &settings, &|_| None).unwrap_or_else(|e| panic!("{e}"));
        let app = App::build(config, Arc::clone(&clock) as Arc<dyn Clock>, Dice::seeded(9), |_, _| Vec::new())
            .await
            .unwrap_or_else(|e| panic!("{e}"));
        let router = Router::new().route(&format!("/v23.0/{NUMBER}/messages"), post(messages_of)).with_state(meta.clone());
        let (serving, other) = (app.clone(), app.clone());
        app.start(async move { serving.serve(pages, serving.router()).await.expect("serving") });
        app.start(async move { other.serve(provider, router).await.expect("serving") });
        let ines = on_whatsapp(&app, &zone, &clock).await;
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Clinic { app, clock, zone, base, http, meta, ines, _folder: folder }
    }

    /// Works until nothing is left to do now.
    async fn settle(&self) {
        loop {
            let timers = self.app.sweeper.tick().await.expect("the timers");
            let heard = self.app.desk.tick().await.expect("the inbox");
            let sent = self.app.worker.tick().await.expect("the outbox");
            if timers + heard + sent == 0 {
                return;
            }
        }
    }

    async fn until(&self, time: &str) {
        let end = at(&self.zone, time);
        while let Some(due) = porchlight::app::next_due(&self.app.db).await.expect("what is due").filter(|due| *due <= end) {
            let now = self.clock.now();
            if due > now {
                self.clock.advance(due.since(now));
            }
            self.settle().await;
        }
        self.clock.advance(end.since(self.clock.now()));
        self.settle().await;
    }

    fn asked(&self) -> Vec<Value> {
        self.meta.asked.lock().expect("requests").clone()
    }

    /// A callback as Meta signs it; gives the status of the answer.
    async fn told(&self, value: Value, secret: &str) -> u16 {
        let mut value = value;
        value["metadata"] = json!({ "phone_number_id": NUMBER });
        let body = json!({ "object": "whatsapp_business_account", "entry": [{ "changes": [{ "value": value }] }] }).to_string();
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
        mac.update(body.as_bytes());
        let signature = format!("sha256={}", hex(&mac.finalize().into_bytes()));
        let request =
            self.http.post(format!("{}/hooks/wa/inbound", self.base)).header("x-hub-signature-256", signature).body(body);
        request.send().await.expect("an answer").status().as_u16()
    }

    async fn reports(&self, states: &[&str], reference: &Value, code: Option<u32>) {
        let status = |state: &&str| {
            let errors = code.map(|code| json!([{ "code": code }])).unwrap_or(json!([]));
            json!({ "id": "wamid.1", "status": state, "biz_opaque_callback_data": reference, "errors": errors })
        };
        let value = json!({ "statuses": states.iter().map(status).collect::<Vec<_>>() });
        assert_eq!(self.told(value, APP_SECRET).await, 200);
        self.settle().await;
    }

    async fn states(&self) -> Vec<String> {
        let mut tx = self.app.db.read().await.expect("the database");
        messages::states(&mut tx, self.ines).await.expect("the messages")
    }
}

/// Inés with a visit, known by her WhatsApp.
async fn on_whatsapp(app: &App, zone: &Zone, clock: &Arc<ManualClock>) -> Id {
    let visit = Some(("V-1".to_owned(), at(zone, "2026-11-25 10:30")));
    let protocols = vec![("appointment-reminders".to_owned(), porchlight::protocol::Settings::default())];
    let record = Record { protocols, visit, ..somebody(71, "Inés", Lang::Es) };
    let phone = record.phone.clone();
    let (kit, here, now) = (Arc::clone(&app.kit), zone.clone(), clock.now());
    let written = app.db.write(Lane::Work, move |tx| {
        async move {
            bring_in(tx, &kit, &[record], &here, now).await?;
            let ines = patients::by_external(tx, SITE, "S-71").await?.expect("Inés");
            let (patient, person) = (Id(ines.id), Id(ines.person_id));
            let hash = kit.hash(Channel::WhatsApp, &phone);
            let contact = NewContact {
                id: kit.id(),
                person,
                channel: Channel::WhatsApp,
                address: phone,
                hash: hash.clone(),
                class: ContentClass::Care,
                terms: String::new(),
            };
            let contact = patients::put_contact(tx, SITE, &contact, now).await?;
            threads::ensure(tx, kit.id(), SITE, Channel::WhatsApp, &hash, (person, patient, contact), now).await?;
            Ok(patient)
        }
        .boxed()
    });
    written.await.expect("Inés is brought in")
}

/// Tells a case on both databases.
macro_rules! case {
    ($(#[$doc:meta])* $name:ident, |$clinic:ident| $body:block) => {
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn told($clinic: Clinic) {
                $body
                $clinic.app.shut_down().await;
            }

            #[tokio::test]
            async fn on_sqlite() {
                told(Clinic::open(On::Sqlite).await).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                told(Clinic::open(On::Postgres).await).await;
            }
        }
    };
}

case!(
    /// The reminder goes in approved words; the button says C, which confirms; the answer is free words; three days later the
    /// next reminder needs approved words again.
    a_reminder_a_button_and_an_answer, |clinic| {
        clinic.until("2026-11-24 18:00").await;
        let reminder = clinic.asked().first().expect("the reminder").clone();
        assert_eq!((&reminder["to"], &reminder["type"]), (&json!("17185550171"), &json!("template")));
        assert_eq!((&reminder["template"]["name"], &reminder["template"]["language"]["code"]), (&json!("visit_reminder"), &json!("es")));
        let said: Vec<&str> = reminder["template"]["components"][0]["parameters"].as_array().expect("variables").iter().filter_map(|v| v["text"].as_str()).collect();
        assert_eq!(said[0], "Harbor Street");
        assert!(said[1].contains("25") && said[1].contains("10:30"), "{said:?}");

        // Read before delivered before sent.
        let reference = &reminder["biz_opaque_callback_data"];
        clinic.reports(&["read", "sent", "delivered"], reference, None).await;
        assert_eq!(clinic.states().await, ["read"]);

        let press = json!({ "messages": [{ "from": "17185550171", "id": "wamid.in1", "type": "button", "button": { "payload": "C", "text": "Confirmo" } }] });
        assert_eq!(clinic.told(press.clone(), "another-secret").await, 401);
        for _ in 0..3 {
            assert_eq!(clinic.told(press.clone(), APP_SECRET).await, 200);
        }
        clinic.settle().await;
        let mut tx = clinic.app.db.read().await.expect("the database");
        let visits = appointments::of_patients(&mut tx, &[clinic.ines.0], clinic.clock.now()).await.expect("the visits");
        drop(tx);
        assert_eq!(visits[0].state, "confirmed");
        let asked = clinic.asked();
        assert_eq!((asked.len(), &asked[1]["type"]), (2, &json!("text")), "one answer, in free words: {asked:?}");

        let (kit, zone, next) = (Arc::clone(&clinic.app.kit), clinic.zone.clone(), at(&clinic.zone, "2026-11-30 14:00"));
        let visit = Some(("V-2".to_owned(), next));
        let protocols = vec![("appointment-reminders".to_owned(), porchlight::protocol::Settings::default())];
        let record = Record { protocols, visit, ..somebody(71, "Inés", Lang::Es) };
        let now = clinic.clock.now();
        let again = clinic.app.db.write(Lane::Work, move |tx| async move { bring_in(tx, &kit, &[record], &zone, now).await }.boxed());
        again.await.expect("her next visit");
        clinic.until("2026-11-29 18:00").await;
        let kinds: Vec<Value> = clinic.asked().iter().map(|body| body["type"].clone()).collect();
        assert_eq!(kinds, ["template", "text", "template", "template"], "three days and one day before");
    }
);

case!(
    /// A cry for help within the conversation is answered at once, in free words. When Meta then says that there is no WhatsApp at
    /// this number, that contact is closed and nothing else.
    a_cry_for_help_is_answered_and_a_dead_whatsapp_closes_itself_alone, |clinic| {
        let cry = json!({ "messages": [{ "from": "17185550171", "id": "wamid.in1", "type": "text", "text": { "body": "quiero morir" } }] });
        assert_eq!(clinic.told(cry, APP_SECRET).await, 200);
        clinic.settle().await;
        let answer = clinic.asked().first().expect("an answer").clone();
        assert_eq!(answer["type"], "text");
        assert!(answer["text"]["body"].as_str().expect("words").contains("911"), "{answer}");
        let mut tx = clinic.app.db.read().await.expect("the database");
        let items = escalations::unresolved(&mut tx, &[clinic.ines.0]).await.expect("the items");
        assert_eq!(items[0].severity, "emergency");
        drop(tx);

        let sent = clinic.asked().len();
        *clinic.meta.refuses.lock().expect("a code") = Some(131_026);
        clinic.clock.advance(Duration::from_mins(1));
        let again = json!({ "messages": [{ "from": "17185550171", "id": "wamid.in2", "type": "text", "text": { "body": "HELP" } }] });
        assert_eq!(clinic.told(again, APP_SECRET).await, 200);
        clinic.settle().await;
        assert_eq!(clinic.asked().len(), sent, "the refused one");
        let mut tx = clinic.app.db.read().await.expect("the database");
        let person = patients::get(&mut tx, clinic.ines).await.expect("a patient").expect("Inés").person_id;
        let contacts = patients::contacts(&mut tx, Id(person)).await.expect("her contacts");
        let whatsapp = contacts.iter().find(|c| c.channel == "whatsapp").expect("her WhatsApp");
        assert_eq!((whatsapp.state.as_str(), whatsapp.closed_why.as_str()), ("closed", "131026"));
        assert!(contacts.iter().any(|c| c.channel == "sms" && c.state == "active"), "her number for SMS stays");
        drop(tx);
    }
);

case!(
    /// Meta asks whether the webhook is ours; strangers learn nothing.
    the_webhook_is_set_up_against_the_running_service, |clinic| {
        let ask = async |query: &str| {
            let answer = clinic.http.get(format!("{}/hooks/wa/inbound?{query}", clinic.base)).send().await.expect("an answer");
            (answer.status().as_u16(), answer.text().await.expect("a body"))
        };
        let good = format!("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={VERIFY}");
        assert_eq!(ask(&good).await, (200, "1158201444".to_owned()));
        assert_eq!(ask(&good.replace(VERIFY, "a-guess-0123456789")).await.0, 401);
        // A batch of Meta's, larger than what other gateways may send.
        let words = |n: usize| json!({ "from": "17185550171", "id": format!("wamid.b{n}"), "type": "text", "text": { "body": "buenos días ".repeat(20) } });
        let batch = json!({ "messages": (0..400).map(words).collect::<Vec<_>>() });
        assert!(batch.to_string().len() > 65_536);
        assert_eq!(clinic.told(batch, APP_SECRET).await, 200);
        let huge = clinic.http.post(format!("{}/hooks/wa/inbound", clinic.base)).body(vec![b'x'; 4 << 20]).send().await;
        assert!(huge.is_err() || huge.is_ok_and(|answer| answer.status() == 413));
    }
);
