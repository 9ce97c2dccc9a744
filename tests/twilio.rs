//! Beside Twilio's own: its description of the API validates every request we make (Prism), its library signs what comes to our
//! hooks, its counter counts the parts of SMS.

#![expect(clippy::expect_used, reason = "a case that cannot go on has failed")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use porchlight::app::{App, listen};
use porchlight::clock::{Clock, ManualClock, Time};
use porchlight::compose::{Args, Catalogue, Style};
use porchlight::config::Config;
use porchlight::gateway::{Accepted, Gateway, Hook, Incoming, Outgoing, Rejected, Request, Wording};
use porchlight::model::{Address, Body, Id, Lang};
use porchlight::random::Dice;
use porchlight::store::inbox;
use serde_json::{Value, json};

#[path = "support/peers.rs"]
mod peers;

const ACCOUNT: &str = "AC00000000000000000000000000000001";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const PUBLIC: &str = "https://light.example.org/care";

/// A configuration with one gateway to Twilio.
fn config(gateway: &str, database: &str) -> Config {
    let text = format!(
        "[database]\nurl = \"sqlite:{database}\"\n[server]\npublic_url = \"{PUBLIC}\"\n[security]\nkey = \"a key for the twilio tests with 32 characters\"\n\
         [site]\nname = \"Harbor Street Health\"\nphone = \"(718) 555-0100\"\n\
         [[gateway]]\nkind = \"twilio\"\nname = \"twilio\"\naccount_sid = \"{ACCOUNT}\"\nauth_token = \"{TOKEN}\"\n{gateway}"
    );
    Config::parse("twilio.toml", &text, &|_| None).unwrap_or_else(|e| panic!("{e}"))
}

fn gateway(settings: &str) -> Gateway {
    config(settings, "unused.db").gateways.pop().expect("a gateway")
}

/// What stands between us and Prism: the names of all fields that were sent.
#[derive(Clone, Default)]
struct Between {
    prism: String,
    names: Arc<Mutex<BTreeSet<String>>>,
}

/// Notes the names of the fields and hands the request on as it is. Prism passes over fields that it does not know.
async fn hand_on(State(between): State<Between>, uri: Uri, headers: HeaderMap, body: Bytes) -> (StatusCode, Vec<u8>) {
    let names = url::form_urlencoded::parse(&body).map(|(name, _)| name.into_owned());
    between.names.lock().expect("names").extend(names);
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let answer = client.post(format!("{}{uri}", between.prism)).headers(headers).body(body).send().await.expect("Prism answers");
    (answer.status(), answer.bytes().await.expect("a body").to_vec())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_of_ours_is_valid_by_twilio_s_own_description() {
    let prism = tokio::task::spawn_blocking(peers::Prism::start).await.expect("Prism");
    let between = Between { prism: prism.url.clone(), ..Between::default() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let serving = axum::serve(listener, Router::new().fallback(hand_on).with_state(between.clone()));
    let mut others = tokio::task::JoinSet::new();
    others.spawn(async move { serving.await.expect("serving") });

    let message = |text: &str, expires_in| Outgoing {
        expires_in,
        ..Outgoing::plain((Id(1), 1), Address::new("+17185550117"), text, "Zr-9_x.~AbCdEf".into())
    };
    let texts = [
        "Harbor Street: your visit is tomorrow.",
        "¿Mañana? 100% & más +1",
        "ألم في الصدر",
        "😀👩‍👩‍👧 가족",
        "a\r\nb|c~{}",
        &"я".repeat(1600),
    ];
    let senders = ["from = \"+17185550100\"".to_owned(), format!("messaging_service = \"MG{}\"", "0".repeat(32))];
    let lives = [None, Some(Duration::from_millis(3)), Some(Duration::from_hours(72))];
    let mut sent = 0;
    let mut take = async |gateway: &Gateway, message: &Outgoing| {
        let answer = gateway.send(message).await;
        assert!(matches!(&answer, Ok(Accepted { provider_id: Some(id) }) if id.starts_with("SM")), "{answer:?}");
        sent += 1;
    };
    for sender in &senders {
        let sms = gateway(&format!("url = \"{url}\"\n{sender}\n"));
        assert_eq!(sms.probe().await.err(), None);
        for text in texts {
            for life in lives {
                take(&sms, &message(text, life)).await;
            }
        }
        let template = format!(
            "[[gateway.template]]\nkey = \"visit-reminder\"\nvariables = [\"when\"]\nlanguages = {{ es = \"HX{}\" }}\n",
            "0".repeat(32)
        );
        let whatsapp = gateway(&format!("url = \"{url}\"\nchannel = \"whatsapp\"\n{sender}\n{template}"));
        let free = Outgoing { in_conversation: true, ..message("¿Cómo está?", None) };
        take(&whatsapp, &free).await;
        let args = vec![("when".to_owned(), Body::new("mié 25 nov, 10:30 a. m. \"x\""))];
        let wording = Wording { key: "visit-reminder".into(), lang: "es".into(), args };
        take(&whatsapp, &Outgoing { wording, ..message("", lives[2]) }).await;
    }
    assert_eq!(sent, 40);

    // Prism does look: the same request without its recipient, and with a word in the place of a number.
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    for form in [vec![("Body", "x")], vec![("To", "+17185550117"), ("ValidityPeriod", "soon")]] {
        let path = format!("{}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", prism.url);
        let answer = client.post(path).basic_auth(ACCOUNT, Some(TOKEN)).form(&form).send().await.expect("an answer");
        assert_eq!(answer.status(), 422);
    }
    let description: Value =
        serde_json::from_str(&std::fs::read_to_string(peers::description()).expect("the description")).expect("JSON");
    let fields = &description["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]
        ["schema"]["properties"];
    let names = between.names.lock().expect("names").clone();
    assert_eq!(names.len(), 8, "{names:?}");
    assert!(names.iter().all(|name| fields.get(name).is_some()), "a field that Twilio does not know: {names:?}");
}

/// A callback: the door, the query, the fields.
#[derive(Clone)]
struct Call {
    door: Hook,
    query: String,
    params: Vec<(String, String)>,
}

impl Call {
    fn new(door: Hook, query: &str, params: &[(&str, &str)]) -> Call {
        let params = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Call { door, query: query.to_owned(), params }
    }

    fn url(&self, public: &str) -> String {
        let question = if self.query.is_empty() { "" } else { "?" };
        format!("{public}{}{question}{}", self.door.path("twilio"), self.query)
    }

    fn body(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.params).finish()
    }

    /// What Twilio's library is to sign.
    fn asked(&self, public: &str) -> Value {
        let params: serde_json::Map<String, Value> =
            self.params.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        json!({ "token": TOKEN, "url": self.url(public), "params": params })
    }

    fn come(&self, gateway: &Gateway, signature: Option<&str>) -> Result<Vec<Incoming>, Rejected> {
        arrive(gateway, (self.door, &self.query), self.body().as_bytes(), signature)
    }
}

fn arrive(
    gateway: &Gateway,
    (door, query): (Hook, &str),
    body: &[u8],
    signature: Option<&str>,
) -> Result<Vec<Incoming>, Rejected> {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/x-www-form-urlencoded; charset=UTF-8".parse().expect("a header"));
    if let Some(signature) = signature {
        headers.insert("x-twilio-signature", signature.parse().expect("a header"));
    }
    gateway.parse(&Request { method: &axum::http::Method::POST, path_kind: door, query, headers: &headers, body, at: Time(0) })
}

fn calls() -> Vec<Call> {
    let inbound = |params: &[(&str, &str)]| {
        let mut all = vec![("MessageSid", "SM9"), ("AccountSid", ACCOUNT), ("From", "+17185550117"), ("To", "+17185550100")];
        all.extend(params);
        Call::new(Hook::Inbound, "", &all)
    };
    let receipt = |status: &str, code: &[(&str, &str)]| {
        let mut all =
            vec![("MessageSid", "SM9"), ("MessageStatus", status), ("AccountSid", ACCOUNT), ("ApiVersion", "2010-04-01")];
        all.extend(code);
        Call::new(Hook::Receipt, "ref=Zr-9_x", &all)
    };
    vec![
        inbound(&[("Body", "me duele el pecho"), ("NumMedia", "0")]),
        inbound(&[("Body", "¿Sí? 100% & más +1 = a b"), ("FromCity", ""), ("FromZip", "11201")]),
        inbound(&[("Body", "أريد أن أموت"), ("NumSegments", "1")]),
        inbound(&[("Body", " two  spaces and\r\na line ")]),
        inbound(&[
            ("Body", ""),
            ("NumMedia", "1"),
            ("MediaContentType0", "image/jpeg"),
            ("MediaUrl0", "https://api.twilio.com/x?a=b&c"),
        ]),
        inbound(&[("Body", "STOP"), ("OptOutType", "STOP")]),
        receipt("sent", &[]),
        receipt("delivered", &[("RawDlrDoneDate", "2611242315")]),
        receipt("undelivered", &[("ErrorCode", "30006")]),
        receipt("failed", &[("ErrorCode", "21610"), ("ErrorMessage", "")]),
    ]
}

#[test]
fn what_twilio_s_own_library_signs_is_believed_and_everything_altered_is_not() {
    let gateway = gateway("from = \"+17185550100\"\n");
    let calls = calls();
    let asked: Vec<Value> =
        calls.iter().flat_map(|call| [call.asked(PUBLIC), call.asked(&PUBLIC.replace("org", "org:443"))]).collect();
    let signatures = peers::signatures(&asked);
    assert_eq!(signatures.len(), 20);
    for (call, signed) in calls.iter().zip(signatures.chunks(2)) {
        for signature in signed {
            let read = call.come(&gateway, Some(signature));
            assert!(read.as_ref().is_ok_and(|incoming| incoming.len() == 1), "{read:?}");
        }
    }

    let mut refused = 0;
    let mut refuse = |read: Result<Vec<Incoming>, Rejected>, what: &str| {
        assert_eq!(read, Err(Rejected::Unauthorised), "{what}");
        refused += 1;
    };
    for (n, call) in calls.iter().enumerate() {
        let right = signatures[2 * n].as_str();
        let door = (call.door, call.query.as_str());
        // The body: a word more, and a field more.
        let mut other = call.clone();
        other.params[0].1.push('x');
        refuse(other.come(&gateway, Some(right)), "another value");
        refuse(arrive(&gateway, door, format!("{}&Added=", call.body()).as_bytes(), Some(right)), "a field more");
        // The signature: missing, of another call, cut, in other letters.
        refuse(call.come(&gateway, None), "no signature");
        refuse(call.come(&gateway, Some(&signatures[(2 * n + 2) % 20])), "another call's signature");
        match n % 5 {
            0 => refuse(call.come(&gateway, Some(&right[..right.len() - 1])), "cut"),
            1 => refuse(call.come(&gateway, Some(&right.to_lowercase())), "in small letters"),
            2 => refuse(call.come(&gateway, Some("")), "an empty one"),
            3 => refuse(call.come(&gateway, Some(&format!(" {right} x"))), "with something behind it"),
            _ => refuse(call.come(&gateway, Some("AAAAAAAAAAAAAAAAAAAAAAAAAAA=")), "a guess"),
        }
        // The address: another query, another door.
        let query = format!("{}&ref=Other", call.query);
        refuse(arrive(&gateway, (call.door, &query), call.body().as_bytes(), Some(right)), "another query");
        let elsewhere = if call.door == Hook::Inbound { Hook::Receipt } else { Hook::Inbound };
        refuse(arrive(&gateway, (elsewhere, &call.query), call.body().as_bytes(), Some(right)), "the other door");
        // The order in which values stand: swapped between two fields.
        let mut swapped = call.clone();
        let (first, second) = (swapped.params[0].1.clone(), swapped.params[1].1.clone());
        (swapped.params[0].1, swapped.params[1].1) = (second, first);
        refuse(swapped.come(&gateway, Some(right)), "two values swapped");
    }
    assert_eq!(refused, 80);
    // Signed with another account's token, or for another address.
    let mut foreign = calls[0].asked(PUBLIC);
    foreign["token"] = "ffffffffffffffffffffffffffffffff".into();
    let elsewhere = [
        calls[0].asked("https://light.example.org"),
        calls[0].asked("http://light.example.org/care"),
        calls[0].asked("http://127.0.0.1:8080"),
    ];
    for signature in peers::signatures(&[&[foreign][..], &elsewhere].concat()) {
        assert_eq!(calls[0].come(&gateway, Some(&signature)), Err(Rejected::Unauthorised));
    }
}

#[test]
fn a_body_in_json_is_believed_as_twilio_s_own_library_signs_it() {
    let gateway = gateway("from = \"+17185550100\"\n");
    let body = r#"{"MessageStatus":"sent"}"#;
    // SHA-256 of the body by coreutils.
    let query = "bodySHA256=7606cd4e9f97dd5754bef94f818752c4bb06c434df921f8f8fbd7ffcf6724a92".to_owned();
    let url = format!("{PUBLIC}/hooks/twilio/receipt?{query}");
    let signature = peers::signatures(&[json!({ "token": TOKEN, "url": url, "params": body })]).remove(0);
    let come = |body: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/json".parse().expect("a header"));
        headers.insert("x-twilio-signature", signature.parse().expect("a header"));
        let method = axum::http::Method::POST;
        gateway.parse(&Request {
            method: &method,
            path_kind: Hook::Receipt,
            query: &query,
            headers: &headers,
            body: body.as_bytes(),
            at: Time(0),
        })
    };
    assert!(matches!(come(body), Err(Rejected::Malformed { .. })), "believed, and without a field that can be read");
    assert_eq!(come("{}"), Err(Rejected::Unauthorised));
}

/// Behind a proxy the service hears another address than Twilio calls.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cry_for_help_through_a_proxy_is_stored_and_a_forged_one_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = config("from = \"+17185550100\"\n", &folder.path().join("t.db").display().to_string());
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Time(1_795_537_230_000)));
    let app = App::build(config, clock, Dice::seeded(5), |_, _| Vec::new()).await.unwrap_or_else(|e| panic!("{e}"));
    let pages = listen(([127, 0, 0, 1], 0).into()).await.expect("a port");
    let base = format!("http://{}", pages.local_addr().expect("an address"));
    let serving = app.clone();
    app.start(async move { serving.serve(pages, serving.router()).await.expect("serving") });

    let call = &calls()[2];
    let signature = peers::signatures(&[call.asked(PUBLIC)]).remove(0);
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let post = async |signature: &str| {
        let request = http.post(call.url(&base)).header("x-twilio-signature", signature).form(&call.params);
        let answer = request.send().await.expect("an answer");
        let kind = answer.headers().get("content-type").and_then(|t| t.to_str().ok()).unwrap_or_default().to_owned();
        (answer.status().as_u16(), kind, answer.text().await.expect("a body"))
    };
    assert_eq!(post("AAAAAAAAAAAAAAAAAAAAAAAAAAA=").await.0, 401);
    // Twilio repeats itself when our answer is lost: stored once.
    for _ in 0..3 {
        let (status, kind, body) = post(&signature).await;
        assert_eq!((status, kind.as_str(), body.ends_with("<Response/>")), (200, "text/xml; charset=utf-8", true));
    }
    let mut tx = app.db.read().await.expect("the database");
    assert_eq!(inbox::depth(&mut tx).await.expect("the inbox"), 1);
    drop(tx);
    app.shut_down().await;
}

/// Texts as patients get them, two in one, and cut and filled up to where a part ends; with emoji and without.
fn texts() -> Vec<String> {
    let catalogue = Catalogue::embedded().unwrap_or_else(|e| panic!("{e}"));
    let when = Time(1_795_537_230_000);
    let mut args = Args::new().with("value", 182.4).with("min", 0.0).with("max", 10.0);
    for (name, value) in
        [("clinic", "Harbor Street Health"), ("emergency", "911"), ("goal", "walk 20 minutes"), ("lifeline", "988")]
    {
        args = args.with(name, value);
    }
    for (name, value) in
        [("name", "Guadalupe"), ("phone", "(718) 555-0117"), ("staffed", "yes"), ("unit", "lb"), ("who", "Priya Raman")]
    {
        args = args.with(name, value);
    }
    for name in ["by", "opens", "when"] {
        args = args.when(name, when, "America/New_York", Style::DateTime);
    }
    let mut texts = Vec::new();
    for lang in Lang::ALL {
        let said: Vec<String> =
            ["visit-reminder", "weight-question", "crisis-medical", "help", "stop-confirmation", "wellbeing-question"]
                .iter()
                .map(|key| catalogue.render(lang, key, &args).unwrap_or_else(|e| panic!("{e}")).text.into_inner())
                .collect();
        let long = said.concat();
        for length in [69, 70, 71, 133, 134, 135, 159, 160, 161, 201, 305, 306, 307] {
            texts.push(long.chars().take(length).collect());
        }
        texts.push(format!("{} 😀", said[0]));
        texts.push(format!("{}👍🏽{}", said[1], said[2]));
        texts.extend(said);
        texts.push(long);
    }
    for fill in [65, 66, 67, 68, 69, 132, 133, 134, 151, 152, 153, 159, 160] {
        for odd in ["€", "|", "😀", "é", "ç", "\r\n", "👩\u{200d}👧", "👍🏽", "e\u{301}", "한", "क्षि", "ক্ষি", "র্\u{200d}য", "🇺🇸"]
        {
            texts.push(format!("{}{odd}{}", "a".repeat(fill), "b".repeat(fill)));
        }
    }
    texts.extend(["", "`", "\t", "\u{c}", "a\u{202f}b", "¿Mañana? è"].map(str::to_owned));
    texts
}

#[test]
fn segments_are_counted_as_twilio_s_own_counter_does() {
    let texts = texts();
    assert!(texts.len() >= 400, "{}", texts.len());
    let (ours, twilios) = (peers::ours(&texts), peers::twilios(&texts));
    assert_eq!((ours.len(), twilios.len()), (texts.len(), texts.len()));
    let differ: Vec<String> = texts
        .iter()
        .zip(ours.iter().zip(&twilios))
        .filter(|(_, (ours, twilios))| ours != twilios)
        .map(|(text, (ours, twilios))| format!("{ours} and {twilios}: {text:?}"))
        .collect();
    assert!(differ.is_empty(), "{} of {} differ:\n{}", differ.len(), texts.len(), differ.join("\n"));
}
