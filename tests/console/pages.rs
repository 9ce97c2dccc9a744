//! What the pages show, and what they refuse to.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use porchlight::clock::Time;
use porchlight::delivery::Worker;
use porchlight::kit::SITE;
use porchlight::model::{Category, Id, Lang, Severity};
use porchlight::store::{Location, audit, escalations, pages, patients};
use reqwest::StatusCode;
use reqwest::header::{COOKIE, SET_COOKIE};

use super::world::{KAMAL, PASSWORD, ROSA, World, at, field, header};

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
    let stranger = items.iter().find(|i| i.escalation.patient_id.is_none()).expect("an item of nobody");
    let opened = dana.page(&format!("/queue?item={}", Id(stranger.escalation.id))).await;
    assert!(
        opened.contains("(718) 555-0199") && opened.contains("Nobody knows who this is.") && !opened.contains("Open patient"),
        "{opened}"
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
    let whole = june.page(&format!("/queue?item={item}")).await;
    let pane = &whole[whole.find("id=\"pane\"").expect("a pane")..];
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
    let mut dana = world.signed_in("dana@clinic.example").await;
    let (danas, pane) = (dana.csrf().await, dana.page(&format!("/queue?item={item}")).await);
    let taken = dana.post(&format!("/item/{item}/claim"), &[("csrf", &danas), ("takeover", &field(&pane, "takeover"))]).await;
    assert!(header(taken.headers(), "location").contains("done=taken"));
    let form = june.page(&format!("/item/{item}/resolve?part=words")).await;
    let version = field(&form, "version");
    let resolved = [
        ("csrf", csrf.as_str()),
        ("version", version.as_str()),
        ("outcome", "emergency_care"),
        ("note", "An ambulance is there."),
    ];
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
    let mut wait_for = async |what: &str, within: Duration| {
        let all = async {
            while !heard.contains(what) {
                let chunk = stream.chunk().await.expect("a stream").expect("goes on");
                heard.push_str(&String::from_utf8_lossy(&chunk));
            }
            heard.clear();
        };
        tokio::time::timeout(within, all).await.unwrap_or_else(|_| panic!("{what} was not heard within {within:?}"));
    };
    wait_for("event: clock\ndata: {\"now_ms\":", Duration::from_secs(2)).await;
    // A page that has just begun to listen fetches itself once.
    wait_for("event: queue", Duration::from_secs(2)).await;
    // This process says so.
    world.news.send_modify(|n| *n += 1);
    wait_for("event: queue", Duration::from_millis(500)).await;
    // Another process would only write.
    world.writes(ROSA, "I want to kill myself").await;
    wait_for("event: queue", Duration::from_secs(3)).await;
    wait_for("event: ping", Duration::from_secs(7)).await;
    world.stop.cancel();
    let ended = async { while let Ok(Some(_)) = stream.chunk().await {} };
    tokio::time::timeout(Duration::from_secs(2), ended).await.expect("the stream ends");
    world.tasks.abort_all();
}

#[tokio::test]
async fn a_link_to_telegram_is_shown_once_and_the_next_one_voids_it() {
    let world = World::new().await;
    let rosa = world.patient("P-1", "Rosa Villalobos", Lang::Es, ROSA, true).await;
    let mut june = world.signed_in("june@clinic.example").await;
    let path = format!("/patient/{rosa}");
    let page = june.page(&path).await;
    assert!(page.contains("Invite to Telegram") && page.contains("Not connected: a bot cannot write first."), "{page}");
    let csrf = field(&page, "csrf");
    let link = format!("{path}/link");
    assert_eq!(june.post(&link, &[("how", "show")]).await.status(), StatusCode::FORBIDDEN, "from a form of ours only");
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let made = june.post(&link, &[("csrf", &csrf), ("class", "clinical"), ("how", "show")]).await;
        assert_eq!(made.status(), StatusCode::OK);
        let made = made.text().await.expect("a page");
        let (_, token) = made.split_once("https://t.me/lantern_bot?start=").expect("the link");
        tokens.push(token.split(['"', '<', '&']).next().expect("a token").to_owned());
        assert!(made.contains("class=\"qr\"") && made.contains("A link waits until "), "{made}");
    }
    assert_ne!(tokens[0], tokens[1]);
    assert!(!june.page(&path).await.contains(&tokens[1]), "it is shown once");
    world.follows("5550117", &tokens[0]).await;
    assert!(june.page(&path).await.contains("A link waits until"), "the first is void");
    world.follows("5550117", &tokens[1]).await;
    assert!(june.page(&path).await.contains("Connected. A new link"));
    let mut tx = world.db.read().await.expect("reads");
    let person = patients::get(&mut tx, rosa).await.expect("reads").expect("is there").person_id;
    let contacts = patients::contacts(&mut tx, Id(person)).await.expect("reads");
    assert_eq!(
        (contacts[0].channel.as_str(), contacts[0].class.as_str()),
        ("telegram", "care"),
        "no more than care by this form"
    );
    assert!(audit::first_break(&mut tx, 1).await.expect("reads").is_none());
    drop(tx);

    let sent = june.post(&link, &[("csrf", &csrf), ("class", "logistics"), ("how", "text")]).await;
    assert_eq!(sent.status(), StatusCode::SEE_OTHER);
    let mut tx = world.db.read().await.expect("reads");
    let messages = pages::patient::messages(&mut tx, rosa, Time(0)).await.expect("reads");
    assert_eq!(
        messages.iter().filter(|m| m.key == "link-invite" && m.class == "staff" && m.lang == "es").count(),
        1,
        "{messages:?}"
    );
}
