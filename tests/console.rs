//! The console over HTTP: who gets in, who wins, what is refused, what is shown.

#[path = "console/pages.rs"]
mod pages;
#[path = "console/watch.rs"]
mod watch;
#[path = "console/world.rs"]
mod world;

use std::time::Duration;

use futures_util::future::join_all;
use porchlight::model::Lang;
use porchlight::store::{audit, escalations};
use reqwest::StatusCode;
use reqwest::header::LOCATION;
use world::{PASSWORD, ROSA, World, field, header};

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
    for path in ["/queue?view=all", &resolve, &patient_path, "/panel", "/visits", "/delivery", "/more"] {
        let answer = stranger.get(path).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
        assert!(header(answer.headers(), "location").starts_with("/signin"), "{path}");
        assert!(!answer.text().await.expect("text").contains("Rosa"), "{path}");
    }
    assert_eq!(stranger.get("/live").await.status(), StatusCode::UNAUTHORIZED);
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
