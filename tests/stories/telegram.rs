//! Patients whom a bot writes to: how they come, answer, press, leave and come back.

use std::time::Duration;

use futures_util::FutureExt;
use porchlight::clock::{Clock, Time};
use porchlight::inbound::token_hash;
use porchlight::intake::{Record, add_staff};
use porchlight::kit::SITE;
use porchlight::model::{Channel, ContentClass, Id, Lang, Role, Severity};
use porchlight::protocol::{Settings, WeightUnit};
use porchlight::store::links::{self, NewLink};
use porchlight::store::{Lane, StoreError, leases, patients};
use serde_json::json;

use crate::world::telegram::{Bot, HOOK_SECRET};
use crate::world::{Person, World, at, daily_at, somebody};

/// Tells a story with a bot on both databases.
macro_rules! bot_story {
    ($(#[$doc:meta])* $name:ident, $start:literal, $mode:expr, |$world:ident| $body:block) => {
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn told($world: World) -> World {
                $body
                $world
            }

            #[tokio::test]
            async fn on_sqlite() {
                told(World::begin_with_bot($crate::world::On::Sqlite, $start, $mode).await).await.end().await;
            }

            #[tokio::test]
            async fn on_postgres() {
                told(World::begin_with_bot($crate::world::On::Postgres, $start, $mode).await).await.end().await;
            }
        }
    };
}

const WEI: i64 = 5_550_103;

fn bot(world: &World) -> &Bot {
    world.bot.as_ref().expect("the story has a bot")
}

/// A link that a coordinator made for a patient, for a week.
async fn link(world: &World, of: &Person, token: &str, class: ContentClass) {
    let name = format!("{token}@harbor.example");
    add_staff(&world.app.db, &world.app.kit, &name, "June", Role::Coordinator, "a password of June's").await.expect("the staff");
    let (id, token, name, now) = (world.app.kit.id(), token.to_owned(), name.clone(), world.clock.now());
    let patient = of.id;
    let made = world.app.db.write(Lane::Work, move |tx| {
        async move {
            let Some(staff) = porchlight::store::staff::by_email(tx, &name).await? else {
                return Err(StoreError::Missing("staff"));
            };
            let Some(found) = patients::get(tx, patient).await? else { return Err(StoreError::Missing("patient")) };
            let link = NewLink {
                id,
                site: SITE,
                patient,
                person: Id(found.person_id),
                channel: Channel::Telegram,
                hash: token_hash(&token),
                class,
                staff: Id(staff.id),
                expires: now.plus(Duration::from_hours(7 * 24)),
            };
            links::make(tx, &link, now).await
        }
        .boxed()
    });
    made.await.expect("the link");
}

/// `(channel, class, state)` of a patient's contacts, best first.
async fn contacts(world: &World, of: &Person) -> Vec<(String, String, String)> {
    let mut tx = world.app.db.read().await.expect("the database");
    let person = patients::get(&mut tx, of.id).await.expect("the patient").expect("is there").person_id;
    let all = patients::contacts(&mut tx, Id(person)).await.expect("the contacts");
    all.into_iter().map(|c| (c.channel, c.class, c.state)).collect()
}

fn wei() -> Record {
    Record {
        protocols: vec![(
            "weekly-goal".into(),
            Settings { goal: Some("走路".into()), at: Some("10:00".into()), ..Settings::default() },
        )],
        ..somebody(3, "Wei", Lang::ZhHans)
    }
}

fn weighs(number: u32, name: &str) -> Record {
    Record {
        protocols: vec![("heart-failure-weight".into(), daily_at("09:30", WeightUnit::Lb))],
        ..somebody(number, name, Lang::En)
    }
}

/// Wei follows the link; the check-in comes with its buttons; he presses one. It is his answer, and the buttons are gone.
async fn comes_and_answers(world: &World) {
    let wei = world.patient(wei()).await;
    link(world, &wei, "a-link-for-wei", ContentClass::Care).await;
    bot(world).writes(WEI, "/start a-link-for-wei");
    world.settle().await;
    let welcome = bot(world).last(WEI);
    assert!(
        welcome.text.contains("Harbor Street") && welcome.text.contains("STOP") && welcome.text.contains("HELP"),
        "{}",
        welcome.text
    );
    let [telegram, sms] = &contacts(world, &wei).await[..] else { panic!("two contacts") };
    assert_eq!(
        (telegram.0.as_str(), telegram.1.as_str(), sms.0.as_str()),
        ("telegram", "care", "sms"),
        "the new one comes first"
    );
    world.expect_nothing_open(&wei).await;

    world.run_until("2026-11-23 10:01").await;
    let asked = bot(world).last(WEI);
    let says: Vec<&str> = asked.buttons.iter().flatten().map(|(_, says)| says.as_str()).collect();
    assert_eq!(says, ["1", "2", "3"], "{}", asked.text);
    assert!(world.texts(&wei).is_empty(), "nothing goes to the other phone");
    let label = asked.buttons[1][0].0.clone();
    bot(world).presses(WEI, &label);
    world.settle().await;
    assert_eq!(world.readings(&wei, "goal").await, [2.0]);
    let chat = bot(world).chat(WEI);
    let answered = chat.iter().find(|m| m.id == asked.id).expect("the question");
    assert_eq!((answered.buttons.len(), answered.text.as_str()), (0, format!("{}\n\n✓ {label}", asked.text).as_str()));
    assert_eq!(bot(world).spinning(), 0, "the phone is not left waiting");
    assert_eq!(world.attempts(&wei).await.iter().filter(|outcome| *outcome != "accepted").count(), 0);
}

bot_story!(
    /// By long polling.
    a_link_a_check_in_and_a_pressed_button,
    "2026-11-16 09:00",
    "",
    |world| {
        comes_and_answers(&world).await;
        assert_eq!(bot(&world).waiting(), 0, "Telegram was told that all of it is safe");
    }
);

bot_story!(
    /// The same by a webhook: Telegram posts, and proves itself by the secret.
    the_same_by_a_webhook,
    "2026-11-16 09:00",
    &format!("mode = \"webhook\"\nsecret_token = \"{HOOK_SECRET}\""),
    |world| {
        for listener in world.app.listeners() {
            listener.run(world.app.stop.clone()).await;
        }
        comes_and_answers(&world).await;
        assert_eq!(bot(&world).calls("getUpdates"), 0);
        let forged = json!({ "update_id": 1, "message": { "message_id": 1, "date": 1, "text": "STOP",
            "from": { "id": WEI, "is_bot": false, "first_name": "W" }, "chat": { "id": WEI, "type": "private", "first_name": "W" } } });
        let hook = format!("{}/hooks/telegram/inbound", world.base);
        for secret in ["", "guessed-secret-0123456789"] {
            let posted = world.http.post(&hook).header("X-Telegram-Bot-Api-Secret-Token", secret).json(&forged).send().await;
            assert_eq!(posted.expect("an answer").status(), 401);
        }
        let large = world.http.post(&hook).header("X-Telegram-Bot-Api-Secret-Token", HOOK_SECRET).body(vec![b' '; 300 * 1024]);
        assert_eq!(large.send().await.expect("an answer").status(), 413);
    }
);

bot_story!(
    /// A reminder with its three buttons; hit twice, "can't come" counts once, and a person is told.
    a_reminder_is_answered_by_a_button,
    "2026-11-16 09:00",
    "",
    |world| {
        let visit = Some(("V-3".to_owned(), at(&world.zone, "2026-11-19 14:00")));
        let protocols = vec![("appointment-reminders".into(), Settings::default())];
        let wei = world.patient(Record { protocols, visit, ..somebody(3, "Wei", Lang::Ar) }).await;
        link(&world, &wei, "wei-link", ContentClass::Logistics).await;
        bot(&world).writes(WEI, "/start wei-link");
        world.run_until("2026-11-16 10:01").await;
        let reminder = bot(&world).last(WEI);
        let says: Vec<&str> = reminder.buttons.iter().flatten().map(|(_, says)| says.as_str()).collect();
        assert_eq!(says, ["C", "R", "X"]);
        let cannot = reminder.buttons[2][0].0.clone();
        bot(&world).presses(WEI, &cannot);
        bot(&world).presses(WEI, &cannot);
        let before = bot(&world).chat(WEI).len();
        world.settle().await;
        assert_eq!(world.visit_state(&wei).await, "cant_come");
        assert_eq!(bot(&world).chat(WEI).len(), before + 1, "one answer to two hits");
        let item = world.expect_escalation(&wei, Severity::Routine).await;
        assert!(item.reason.contains("Can't come"), "{}", item.reason);
    }
);

bot_story!(
    /// Maya's phone was reset: Telegram says that she has blocked us. That is no wish to stop: what comes next goes to the other
    /// phone; and with a new link she is back.
    blocked_is_not_opted_out,
    "2026-11-16 08:00",
    "",
    |world| {
        let maya = world.patient(weighs(11, "Maya")).await;
        link(&world, &maya, "maya-1", ContentClass::Care).await;
        bot(&world).writes(77, "/start maya-1");
        world.run_until("2026-11-16 09:31").await;
        assert!(bot(&world).last(77).text.contains("weight"));
        bot(&world).blocks(77, false);
        world.run_until("2026-11-17 09:31").await;
        world.run_until("2026-11-18 09:31").await;
        assert!(world.last(&maya).contains("weight"), "the other phone, where nobody has said stop");
        assert!(world.attempts(&maya).await.contains(&"blocked".to_owned()));
        assert!(!world.decisions(&maya).await.iter().any(|d| d.1 == "revoked"), "nobody is opted out by it");
        let on_sms = world.texts(&maya).len();

        bot(&world).unblocks(77);
        link(&world, &maya, "maya-2", ContentClass::Care).await;
        bot(&world).writes(77, "/start maya-2");
        world.run_until("2026-11-19 09:31").await;
        assert!(bot(&world).last(77).text.contains("weight"));
        assert_eq!(world.texts(&maya).len(), on_sms, "and only there");
    }
);

bot_story!(
    /// Blocked, and Telegram says so at once: a person hears of it before the next message would fail.
    who_leaves_without_a_word_is_noticed,
    "2026-11-16 08:00",
    "",
    |world| {
        let maya = world.patient(weighs(11, "Maya")).await;
        link(&world, &maya, "maya-1", ContentClass::Care).await;
        bot(&world).writes(77, "/start maya-1");
        world.settle().await;
        bot(&world).blocks(77, true);
        world.settle().await;
        let item = world.expect_escalation(&maya, Severity::Routine).await;
        assert!(item.reason.contains("blocked us on one channel"), "{}", item.reason);
        world.run_until("2026-11-16 09:31").await;
        assert!(world.last(&maya).contains("weight"), "the other phone");
        assert!(!world.attempts(&maya).await.contains(&"blocked".to_owned()));
        // Blocked us, and comes back by the bot's own button.
        bot(&world).unblocks(77);
        bot(&world).writes(77, "/start");
        world.settle().await;
        world.run_until("2026-11-17 09:31").await;
        assert!(bot(&world).last(77).text.contains("weight"), "the word START opens the contact that was closed");
    }
);

bot_story!(
    /// A link opens once. Used, replaced, too old or made up, it tells nobody anything and changes nothing.
    a_link_opens_once_and_gives_nothing_away,
    "2026-11-16 09:00",
    "",
    |world| {
        let maya = world.patient(somebody(11, "Maya", Lang::En)).await;
        link(&world, &maya, "first", ContentClass::Care).await;
        link(&world, &maya, "second", ContentClass::Care).await;
        bot(&world).writes(70, "/start made-up");
        bot(&world).writes(71, "/start first");
        world.settle().await;
        assert_eq!(contacts(&world, &maya).await.len(), 1, "neither leads anywhere");
        assert!(world.unknown_items().await.is_empty(), "a guess is nothing to look at");
        world.expect_escalation(&maya, Severity::Routine).await;
        bot(&world).writes(72, "/start second");
        world.settle().await;
        assert_eq!(contacts(&world, &maya).await.len(), 2);
        bot(&world).writes(73, "/start second");
        world.settle().await;
        link(&world, &maya, "third", ContentClass::Care).await;
        world.run_until("2026-11-23 09:00").await;
        bot(&world).writes(74, "/start third");
        world.settle().await;
        assert_eq!(contacts(&world, &maya).await.len(), 2, "a week is over");
        for chat in [70, 71, 73, 74] {
            let said: Vec<String> = bot(&world).chat(chat).into_iter().map(|m| m.text).collect();
            assert_eq!(said.len(), 1, "{chat}");
            assert!(said[0].contains("can't be used any more") && !said[0].contains("Harbor") && !said[0].contains("Maya"), "{}", said[0]);
        }
        let sent = world.attempts(&maya).await;
        assert_eq!(sent, ["accepted"], "one welcome, to the one who came first");
    }
);

bot_story!(
    /// She had texted STOP from her father's phone. Her own link brings her back on Telegram, and only there.
    a_link_restores_its_own_channel_and_no_other,
    "2026-11-16 08:00",
    "",
    |world| {
        let maya = world.patient(weighs(11, "Maya")).await;
        world.says(&maya, "STOP").await;
        let texts = world.texts(&maya).len();
        link(&world, &maya, "maya-1", ContentClass::Care).await;
        bot(&world).writes(77, "/start maya-1");
        world.run_until("2026-11-16 09:31").await;
        assert!(bot(&world).last(77).text.contains("weight"));
        bot(&world).blocks(77, true);
        world.run_until("2026-11-17 09:31").await;
        assert_eq!(world.texts(&maya).len(), texts, "that phone never again");
        assert!(world.decisions(&maya).await.contains(&("skip".into(), "no_contact".into())));
    }
);

bot_story!(
    /// A cry for help, a voice note, a corrected text, a word from a group: each goes where it belongs.
    what_people_send_a_bot_is_heard,
    "2026-11-16 10:00",
    "",
    |world| {
        let wei = world.patient(somebody(3, "Wei", Lang::En)).await;
        link(&world, &wei, "wei-link", ContentClass::Care).await;
        bot(&world).writes(WEI, "/start wei-link");
        world.settle().await;
        bot(&world).sends(WEI, &json!({ "voice": { "file_id": "f", "file_unique_id": "u", "duration": 19 } }));
        world.settle().await;
        world.expect_escalation(&wei, Severity::Routine).await;
        bot(&world).sends(-100, &json!({ "text": "I want to die", "chat": { "id": -100, "type": "group", "title": "Family" } }));
        world.settle().await;
        assert_eq!(bot(&world).left(), [-100], "a group is no patient");
        bot(&world).writes(WEI, "I want to die");
        world.settle().await;
        assert!(world.open_items(&wei).await.iter().any(|i| i.severity == "emergency"));
        assert!(bot(&world).last(WEI).text.contains("988"));
        bot(&world).presses_nothing(WEI, "Yes");
        world.settle().await;
        assert_eq!(bot(&world).calls("answerCallbackQuery"), 1, "a button of long ago is answered too");
        bot(&world).writes(88, "who is this");
        world.settle().await;
        assert_eq!((bot(&world).chat(88).len(), world.unknown_items().await.len()), (1, 1), "a stranger is answered once and listed");
    }
);

bot_story!(
    /// Telegram is told to forget only what is stored; what it repeats counts once; and of two processes one listens.
    nothing_is_lost_or_heard_twice,
    "2026-11-16 10:00",
    "",
    |world| {
        let maya = world.patient(weighs(11, "Maya")).await;
        link(&world, &maya, "maya-1", ContentClass::Care).await;
        bot(&world).writes(77, "/start maya-1");
        world.run_until("2026-11-17 09:31").await;
        // The answer to the look is lost; the next look has it again.
        bot(&world).script("getUpdates", vec![(500, json!({})), (502, json!({})), (409, json!({ "description": "Conflict" }))]);
        bot(&world).writes(77, "181");
        bot(&world).repeats_the_last(3);
        for _ in 0..4 {
            world.settle().await;
        }
        assert_eq!(world.readings(&maya, "weight").await, [181.0]);
        assert_eq!(bot(&world).waiting(), 0);

        // Another process took over when this one stood still.
        world.clock.advance(Duration::from_mins(2));
        let until = world.clock.machine().plus(Duration::from_mins(1));
        let taken = world.app.db.write(Lane::Work, move |tx| {
            async move { leases::hold(tx, "listen:telegram", "another process", Time(until.0 - 60_000), until).await }.boxed()
        });
        assert!(taken.await.expect("the lease"));
        let looks = bot(&world).calls("getUpdates");
        bot(&world).writes(77, "I want to die");
        world.settle().await;
        assert_eq!((bot(&world).calls("getUpdates"), bot(&world).waiting()), (looks, 1), "one listens at a time");
        world.clock.advance(Duration::from_mins(2));
        world.settle().await;
        world.expect_escalation(&maya, Severity::Emergency).await;
    }
);

bot_story!(
    /// The token was revoked: our fault. Messages wait, a person is told that nothing is heard or sent, nobody is opted out.
    a_revoked_token_opts_nobody_out,
    "2026-11-16 08:00",
    "",
    |world| {
        let maya = world.patient(weighs(11, "Maya")).await;
        link(&world, &maya, "maya-1", ContentClass::Care).await;
        bot(&world).writes(77, "/start maya-1");
        world.settle().await;
        bot(&world).script("sendMessage", vec![(401, json!({ "description": "Unauthorized" })), (429, json!({ "parameters": { "retry_after": 7 } }))]);
        world.run_until("2026-11-16 09:31").await;
        let items = world.unknown_items().await;
        assert!(items.iter().any(|i| i.reason.contains("telegram is set up wrongly") && i.severity == "urgent"), "{items:?}");
        world.run_until("2026-11-16 10:00").await;
        assert!(bot(&world).last(77).text.contains("weight"), "it goes when the token is right again");
        assert_eq!(world.attempts(&maya).await, ["accepted", "misconfigured", "busy", "accepted"]);
        world.expect_nothing_open(&maya).await;
    }
);
