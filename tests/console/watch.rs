//! What a page says when its session is over, what must be read before an item is resolved, and who has an item.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use porchlight::clock::Time;
use porchlight::delivery::Worker;
use porchlight::model::{Id, Lang};
use porchlight::store::escalations::{self, NewEvent};
use porchlight::store::pages;
use reqwest::StatusCode;
use reqwest::header::COOKIE;

use super::world::{KAMAL, ROSA, World, field, header};

#[tokio::test]
async fn a_page_left_alone_for_an_hour_is_told_that_it_is_signed_out_and_then_hears_no_more() {
    let world = World::new().await;
    let mut june = world.signed_in("june@clinic.example").await;
    let listen = async || {
        let request =
            world.client.get(format!("{}/live", world.base)).header(COOKIE, june.jar()).header("sec-fetch-mode", "cors");
        request.send().await.expect("an answer")
    };
    let mut stream = listen().await;
    assert_eq!(stream.status(), StatusCode::OK);
    world.clock.advance(Duration::from_mins(61));
    let mut heard = String::new();
    let all = async {
        while let Some(chunk) = stream.chunk().await.expect("a stream") {
            heard.push_str(&String::from_utf8_lossy(&chunk));
        }
    };
    tokio::time::timeout(Duration::from_secs(4), all).await.expect("the stream ends");
    assert!(heard.contains("event: clock"), "{heard}");
    assert!(heard.trim_end().ends_with("event: signedout\ndata: over"), "{heard}");
    let again = listen().await;
    assert_eq!(again.status(), StatusCode::UNAUTHORIZED, "no redirect: the browser would try for ever");
    assert_eq!(june.get("/queue").await.status(), StatusCode::SEE_OTHER, "listening did not keep the session alive");
}

#[tokio::test]
async fn an_open_page_is_told_when_its_reader_signs_out_elsewhere() {
    let world = World::new().await;
    let mut june = world.signed_in("june@clinic.example").await;
    let csrf = june.csrf().await;
    let request = world.client.get(format!("{}/live", world.base)).header(COOKIE, june.jar());
    let mut stream = request.send().await.expect("an answer");
    assert_eq!(june.post("/signout", &[("csrf", &csrf)]).await.status(), StatusCode::SEE_OTHER);
    let mut heard = String::new();
    let all = async {
        while let Some(chunk) = stream.chunk().await.expect("a stream") {
            heard.push_str(&String::from_utf8_lossy(&chunk));
        }
    };
    tokio::time::timeout(Duration::from_secs(4), all).await.expect("the stream ends");
    assert!(heard.contains("event: signedout"), "{heard}");
}

#[tokio::test]
async fn every_word_since_an_item_was_opened_stands_on_the_page_that_resolves_it_newest_last() {
    let world = World::new().await;
    world.patient("P-1", "Samira Haddad", Lang::Ar, ROSA, true).await;
    world.writes(ROSA, "أريد أن أموت").await;
    world.clock.advance(Duration::from_mins(1));
    world.writes(ROSA, "لا أستطيع التنفس").await;
    let item = world.only_item().await;
    let mut june = world.signed_in("june@clinic.example").await;
    let (path, words) = (format!("/item/{item}/resolve"), ["أريد أن أموت", "لا أستطيع التنفس"]);
    let in_order = |page: &str| {
        let quotes: Vec<usize> = words
            .iter()
            .filter_map(|w| page.find(&format!("<blockquote class=\"quote\" lang=\"ar\" dir=\"rtl\">{w}<")))
            .collect();
        assert!(quotes.len() == 2 && quotes[0] < quotes[1], "{page}");
        assert!(quotes[1] < page.find("name=\"outcome\"").expect("a form"), "before the form: {page}");
    };
    let form = june.page(&path).await;
    in_order(&form);
    let (csrf, version) = (field(&form, "csrf"), field(&form, "version"));
    assert_eq!(version, "2");
    for unseen in ["", "0", "-1", "many"] {
        let fields = [("csrf", csrf.as_str()), ("version", unseen), ("outcome", "reached_safe"), ("note", "With her sister.")];
        let refused = june.post(&path, &fields).await;
        assert_eq!(refused.status(), StatusCode::CONFLICT, "{unseen:?}");
        let page = refused.text().await.expect("a page");
        in_order(&page);
        assert!(page.contains("does not say which words you have read") && page.contains("With her sister."), "{page}");
    }
    let refused = june.post(&path, &[("csrf", &csrf), ("outcome", "reached_safe")]).await;
    assert_eq!(refused.status(), StatusCode::CONFLICT, "a form without it");
    let pane = june.page(&format!("/queue?item={item}")).await;
    let pane = &pane[pane.find("id=\"pane\"").expect("a pane")..];
    assert!(words.iter().all(|w| pane.contains(w)), "none of the words is lost from the pane: {pane}");
    let mut tx = world.db.read().await.expect("reads");
    assert_eq!(escalations::get(&mut tx, item).await.expect("reads").expect("is there").state, "open");
}

#[tokio::test]
async fn words_that_another_process_kept_under_a_lower_id_are_news_all_the_same() {
    let world = World::new().await;
    let rosa = world.patient("P-1", "Rosa Villalobos", Lang::En, ROSA, true).await;
    world.writes(ROSA, "I want to kill myself").await;
    let item = world.only_item().await;
    let mut june = world.signed_in("june@clinic.example").await;
    let path = format!("/item/{item}/resolve");
    let form = june.page(&path).await;
    let (csrf, version) = (field(&form, "csrf"), field(&form, "version"));
    let event = NewEvent {
        id: Id(1),
        escalation: item,
        patient: Some(rosa),
        at: world.kit.now(),
        kind: "wrote",
        staff: None,
        inbox: None,
        detail: "Chest pain".into(),
    };
    world.write(move |tx| async move { escalations::add_event(tx, &event).await }.boxed()).await;
    // Correcting a form does not make what came meanwhile read.
    let corrected = june.post(&path, &[("csrf", &csrf), ("version", &version), ("outcome", "")]).await;
    assert_eq!(corrected.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(field(&corrected.text().await.expect("a page"), "version"), version);
    let stale = june.post(&path, &[("csrf", &csrf), ("version", &version), ("outcome", "reached_safe")]).await;
    assert_eq!(stale.status(), StatusCode::CONFLICT);
    assert!(stale.text().await.expect("a page").contains("Rosa wrote again since you opened this."));
}

#[tokio::test]
async fn an_item_of_a_colleague_can_be_taken_over_as_its_reader_saw_it_and_whoever_resolves_it_is_named() {
    let world = World::new().await;
    world.patient("P-1", "Rosa Villalobos", Lang::En, ROSA, true).await;
    world.writes(ROSA, "I have chest pain and I can't breathe").await;
    let item = world.only_item().await;
    let (claim, pane) = (format!("/item/{item}/claim"), format!("/queue?view=team&item={item}"));
    let mut june = world.signed_in("june@clinic.example").await;
    let mut dana = world.signed_in("dana@clinic.example").await;
    let (csrf, danas) = (june.csrf().await, dana.csrf().await);
    assert!(!dana.page(&pane).await.contains("name=\"takeover\""), "nobody has it: it is claimed, not taken over");
    // It is nobody's: there is nobody to take it from.
    let early = dana.post(&claim, &[("csrf", &danas), ("takeover", "0")]).await;
    assert!(header(early.headers(), "location").contains("conflict=1"));
    june.post(&claim, &[("csrf", &csrf)]).await;
    let seen = dana.page(&pane).await;
    assert!(seen.contains("June</bdi> claimed this at 10:24.") && seen.contains(">Take over<"), "{seen}");
    assert!(seen.contains(&format!("href=\"/item/{item}/resolve\"")), "{seen}");
    let version = field(&seen, "takeover");
    for wrong in ["-1", "x", "99"] {
        let refused = dana.post(&claim, &[("csrf", &danas), ("takeover", wrong)]).await;
        assert!(header(refused.headers(), "location").contains("conflict=1"), "{wrong}");
    }
    let taken = dana.post(&claim, &[("csrf", &danas), ("takeover", &version), ("back", &pane)]).await;
    assert_eq!(header(taken.headers(), "location"), format!("{pane}&done=taken"));
    let page = dana.page(&format!("{pane}&done=taken")).await;
    assert!(page.contains("Taken over. It is yours now.") && page.contains("Yours since 10:24"), "{page}");
    assert!(page.contains("Dana took it over.") && !page.contains("name=\"takeover\""), "{page}");
    // June's page is older than that.
    let late = june.post(&claim, &[("csrf", &csrf), ("takeover", &version)]).await;
    assert!(header(late.headers(), "location").contains("conflict=1"));
    assert!(june.page(&format!("{pane}&conflict=1")).await.contains("Dana claimed this at 10:24."));
    let mut tx = world.db.read().await.expect("reads");
    let events = escalations::events(&mut tx, item).await.expect("reads");
    let claims: Vec<&str> = events.iter().filter(|e| e.kind == "claimed").map(|e| e.detail.as_str()).collect();
    assert_eq!(claims, ["", "taken over"]);
    drop(tx);

    let form = june.page(&format!("/item/{item}/resolve")).await;
    let fields = [("csrf", csrf.as_str()), ("version", &field(&form, "version")), ("outcome", "emergency_care")];
    assert!(header(june.post(&format!("/item/{item}/resolve"), &fields).await.headers(), "location").contains("done=resolved"));
    let page = dana.page(&pane).await;
    assert!(page.contains("June</bdi> resolved this at 10:24: Sent to emergency care."), "who did it, not whose it was: {page}");
    let twice = dana.post(&format!("/item/{item}/resolve"), &[("csrf", &danas), ("outcome", "answered")]).await;
    assert_eq!(twice.status(), StatusCode::CONFLICT);
    assert!(twice.text().await.expect("a page").contains("June resolved this at 10:24."));
}

#[tokio::test]
async fn an_emergency_cried_again_must_be_claimed_anew_and_stands_as_nobodys_everywhere() {
    let world = World::new().await;
    let rosa = world.patient("P-1", "Rosa Villalobos", Lang::En, ROSA, true).await;
    world.writes(ROSA, "My feet are swollen").await;
    let item = world.only_item().await;
    let mut june = world.signed_in("june@clinic.example").await;
    let csrf = june.csrf().await;
    june.post(&format!("/item/{item}/claim"), &[("csrf", &csrf)]).await;
    assert!(june.page(&format!("/queue?view=mine&item={item}")).await.contains(">You · "));
    world.writes(ROSA, "I want to kill myself").await;
    let mut tx = world.db.read().await.expect("reads");
    let items = pages::items_of(&mut tx, porchlight::kit::SITE, rosa).await.expect("reads");
    drop(tx);
    let emergency = items.iter().find(|i| i.escalation.severity == "emergency").expect("an emergency");
    assert_eq!(emergency.escalation.state, "open");
    let row_of = |page: &str| {
        let from =
            page.find(&format!("data-id=\"{}\"", Id(emergency.escalation.id))).unwrap_or_else(|| panic!("no row in {page}"));
        page[from..].split("</li>").next().unwrap_or_default().to_owned()
    };
    let queue = june.page(&format!("/queue?view=team&item={}", Id(emergency.escalation.id))).await;
    assert!(row_of(&queue[queue.find("id=\"rows\"").expect("rows")..]).contains("Nobody yet"), "{queue}");
    assert!(queue.contains(">Claim <kbd>c</kbd>"), "{queue}");
    assert!(june.page(&format!("/patient/{rosa}")).await.contains("Nobody yet"));
}

#[tokio::test]
async fn the_same_form_with_another_text_is_another_message() {
    let world = World::new().await;
    let rosa = world.patient("P-1", "Rosa Villalobos", Lang::En, ROSA, true).await;
    let mut june = world.signed_in("june@clinic.example").await;
    let path = format!("/patient/{rosa}/reply");
    let page = june.page(&format!("/patient/{rosa}")).await;
    let (csrf, token) = (field(&page, "csrf"), field(&page, "token"));
    let mut led = Vec::new();
    for text in ["Call us today", "Call us today\r\n", "Call us tomorrow"] {
        let answer = june.post(&path, &[("csrf", &csrf), ("token", &token), ("text", text)]).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        led.push(header(answer.headers(), "location").to_owned());
    }
    assert!(led[0].contains("done=sent") && led[1].contains("done=before") && led[2].contains("done=sent"), "{led:?}");
    let told = june.page(led[1].split('#').next().expect("a path")).await;
    assert!(told.contains("Sent before: it stands in the conversation once."), "{told}");
    assert!(told.contains(&format!("data-sent=\"{token}\"")), "the draft of this form is forgotten: {told}");
    let mut tx = world.db.read().await.expect("reads");
    let mut sent: Vec<String> =
        pages::patient::messages(&mut tx, rosa, Time(0)).await.expect("reads").into_iter().map(|m| m.body).collect();
    sent.sort();
    assert_eq!(sent, ["Call us today", "Call us tomorrow"]);
}

#[tokio::test]
async fn what_came_too_late_and_a_reply_that_was_decided_against_stand_on_the_delivery_page_with_the_reason() {
    let world = World::new().await;
    let rosa = world.patient("P-1", "Rosa Villalobos", Lang::En, ROSA, true).await;
    let kamal = world.patient("P-2", "Kamal Mia", Lang::En, KAMAL, true).await;
    let mut june = world.signed_in("june@clinic.example").await;
    let csrf = june.csrf().await;
    assert!(june.page("/delivery").await.contains("No message needs a look."));
    let worker = Worker::new(Arc::clone(&world.kit), world.db.clone(), Arc::clone(&world.ways));
    let text = [("csrf", csrf.as_str()), ("text", "Please call us.")];
    let row_of = |page: &str, name: &str| {
        let table = page.find("<tbody").map_or("", |from| &page[from..]);
        table.split("<tr ").find(|row| row.contains(name)).unwrap_or_else(|| panic!("no row of {name} in {page}")).to_owned()
    };
    // She takes her consent back before the reply has gone.
    assert_eq!(june.post(&format!("/patient/{rosa}/reply"), &text).await.status(), StatusCode::SEE_OTHER);
    world.writes(ROSA, "STOP").await;
    worker.tick().await.expect("decides");
    let refused = row_of(&june.page("/delivery").await, "Rosa Villalobos");
    assert!(refused.contains("Not sent") && refused.contains("No more messages were asked for."), "{refused}");
    assert!(refused.contains("Call instead.") && !refused.contains("Stuck"), "{refused}");
    // The service stands still for two days.
    assert_eq!(june.post(&format!("/patient/{kamal}/reply"), &text).await.status(), StatusCode::SEE_OTHER);
    world.clock.advance(Duration::from_hours(49));
    worker.tick().await.expect("decides");
    let page = world.signed_in("june@clinic.example").await.page("/delivery").await;
    let late = row_of(&page, "Kamal Mia");
    assert!(late.contains("Too late") && late.contains("It came too late to be of use."), "{late}");
    row_of(&page, "Rosa Villalobos");
}
