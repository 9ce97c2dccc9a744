//! The people of a crash: for each thing that can be under way there is somebody whom it concerns.

use std::collections::HashMap;

use futures_util::FutureExt;
use porchlight::app::App;
use porchlight::clock::Time;
use porchlight::escalation::{self, Request};
use porchlight::intake::{Given, Record, bring_in};
use porchlight::kit::SITE;
use porchlight::model::{Address, Category, Channel, Class, ContentClass, Id, Lang, Priority, Severity};
use porchlight::protocol::{Settings, WeightUnit};
use porchlight::store::messages::{self, NewMessage};
use porchlight::store::patients::NewContact;
use porchlight::store::timers::{self, Kind, NewTimer};
use porchlight::store::{Lane, StoreError, Tx, patients, threads};
use porchlight::zone::Zone;

use super::provider::{Answer, Reply, Script};

/// The phone of somebody.
pub fn phone(n: usize) -> String {
    format!("+1718{:07}", 2_000_000 + n)
}

fn somebody(n: usize, zone: &Zone, morning: Time) -> Record {
    Record {
        external_id: format!("C-{n}"),
        name: format!("Somebody {n}"),
        called: format!("Somebody {n}"),
        birth_date: None,
        lang: Lang::En,
        phone: Address::new(phone(n)),
        class: ContentClass::Care,
        consent: Some(Given { at: Time(morning.0 - 86_400_000), method: "desk".into(), lang: Lang::En }),
        stopped: None,
        coordinator: None,
        backup: None,
        safe_note: String::new(),
        discreet: false,
        window: None,
        protocols: Vec::new(),
        goal_gloss: String::new(),
        visit: None,
        zone: zone.clone(),
    }
}

/// Weighs in at five past ten.
fn weighs(n: usize, zone: &Zone, morning: Time) -> Record {
    let settings = Settings { at: Some("10:05".into()), unit: Some(WeightUnit::Lb), ..Settings::default() };
    Record { protocols: vec![("heart-failure-weight".into(), settings)], ..somebody(n, zone, morning) }
}

/// Is reminded at ten of a visit tomorrow.
fn visits(n: usize, zone: &Zone, morning: Time) -> Record {
    let visit = Some((format!("V-{n}"), Time(morning.0 + 30 * 3_600_000)));
    Record { protocols: vec![("appointment-reminders".into(), Settings::default())], visit, ..somebody(n, zone, morning) }
}

/// A message that is written as an answer, which goes at any hour.
fn answer(app: &App, patient: Id) -> NewMessage {
    NewMessage {
        id: app.kit.id(),
        site: SITE,
        patient: Some(patient),
        thread: None,
        enrolment: None,
        occurrence: String::new(),
        appointment: None,
        inbox: None,
        staff: None,
        direct: None,
        class: Class::Answer,
        content: ContentClass::Logistics,
        key: "goal-noted".into(),
        args: "{}".into(),
        question: String::new(),
        lang: "en",
        body: String::new(),
        planned_at: app.clock().now(),
        expires_at: None,
        ready_at: app.clock().machine(),
    }
}

trait Shown {
    fn clock(&self) -> &dyn porchlight::clock::Clock;
}

impl Shown for App {
    fn clock(&self) -> &dyn porchlight::clock::Clock {
        self.kit.clock.as_ref()
    }
}

async fn id_of(tx: &mut Tx, n: usize) -> Result<Id, StoreError> {
    let found = patients::by_external(tx, SITE, &format!("C-{n}")).await?;
    found.map(|p| Id(p.id)).ok_or(StoreError::Missing("patient"))
}

/// Ten people in the morning. Gives how many occurrences are due by eleven.
///
/// 0 and 1 weigh in and are silent (1 by a second phone: nothing can be brought to the first), 2 and 3 answer with a number, 4 cries for help, 5 says STOP, 6 and 7 are reminded of a visit,
/// 8 has a held message, 9 has an emergency that nobody has claimed since eight.
pub async fn ten(app: &App, zone: &Zone) -> usize {
    let (kit, zone, morning) = (app.kit.clone(), zone.clone(), app.clock().now());
    let held = answer(app, Id(0));
    let job = app.db.write(Lane::Work, move |tx| {
        async move {
            let mut records: Vec<Record> = (0..6).map(|n| weighs(n, &zone, morning)).collect();
            records.extend((6..8).map(|n| visits(n, &zone, morning)));
            records.extend((8..10).map(|n| somebody(n, &zone, morning)));
            bring_in(tx, &kit, &records, &zone, morning).await?;

            let eight = id_of(tx, 8).await?;
            let thread = threads::of_patient(tx, eight).await?.remove(0);
            messages::plan(tx, &[NewMessage { patient: Some(eight), ..held.clone() }]).await?;
            raw(tx, "UPDATE message SET state = 'held'").await?;
            let due = |kind, subject| NewTimer {
                id: kit.id(),
                site: SITE,
                patient: Some(eight),
                kind,
                subject,
                detail: String::new(),
                slot: String::new(),
                version: 0,
                due: morning,
                priority: Priority::ANSWER,
            };
            timers::set(tx, &[due(Kind::Hold, held.id), due(Kind::Question, Id(thread.id))]).await?;

            let one = id_of(tx, 1).await?;
            let one = patients::get(tx, one).await?.ok_or(StoreError::Missing("patient"))?;
            let (person, address) = (Id(one.person_id), Address::new(phone(61)));
            let (channel, hash) = (Channel::Sms, kit.hash(Channel::Sms, &address));
            let second =
                NewContact { id: kit.id(), person, channel, address, hash, class: ContentClass::Care, terms: String::new() };
            let contact = patients::put_contact(tx, SITE, &second, morning).await?;
            threads::ensure(tx, kit.id(), SITE, channel, &second.hash, (person, Id(one.id), contact), morning).await?;

            let nine = id_of(tx, 9).await?;
            let request = Request {
                site: SITE,
                patient: Some(nine),
                coordinator: None,
                inbox: None,
                severity: Severity::Emergency,
                category: Category::Technical,
                reason: "Nobody has looked since eight".into(),
            };
            escalation::open(tx, &kit, &[], &request, morning).await?;
            Ok(())
        }
        .boxed()
    });
    job.await.expect("ten people");
    8
}

/// What the carrier does for the ten: 0 hears nothing again after an error, 6 is in doubt once.
pub fn script_of_ten(seed: u64) -> Script {
    let replies = [
        (2, "181", false),
        (3, "179", false),
        (4, "I want to kill myself", true),
        (5, "STOP", false),
        (7, "can somebody call me about my ride", false),
    ];
    Script {
        seed: (seed > 0).then_some(seed),
        first: HashMap::from([(phone(0), vec![Answer::AcceptThenError]), (phone(6), vec![Answer::Error])]),
        silent: vec![phone(0)],
        undelivered: vec![phone(1)],
        replies: replies.into_iter().map(|(n, text, cry)| (phone(n), Reply { on: "", text: text.into(), cry })).collect(),
        latency: std::time::Duration::ZERO,
    }
}

/// A campaign: `people` weigh in, and `more` messages are written to each of them besides. Gives how many occurrences are due.
pub async fn campaign(app: &App, zone: &Zone, people: usize, more: usize) -> usize {
    let morning = app.clock().now();
    for first in (0..people).step_by(500) {
        let numbers = first..people.min(first + 500);
        let (kit, zone, shown) = (app.kit.clone(), zone.clone(), app.clone());
        let job = app.db.write(Lane::Work, move |tx| {
            async move {
                let records: Vec<Record> = numbers.clone().map(|n| weighs(n, &zone, morning)).collect();
                bring_in(tx, &kit, &records, &zone, morning).await?;
                let mut letters = Vec::new();
                for n in numbers {
                    let id = id_of(tx, n).await?;
                    letters.extend((0..more).map(|_| answer(&shown, id)));
                }
                messages::plan(tx, &letters).await
            }
            .boxed()
        });
        job.await.expect("the campaign");
    }
    people
}

/// A morning of visits: `people` are reminded of one tomorrow, the last of them reads Italian and is not. Gives how many occurrences
/// are due.
pub async fn visits_tomorrow(app: &App, zone: &Zone, people: usize) -> usize {
    let (kit, zone, morning) = (app.kit.clone(), zone.clone(), app.clock().now());
    let job = app.db.write(Lane::Work, move |tx| {
        async move {
            let mut records: Vec<Record> = (0..people - 1).map(|n| visits(n, &zone, morning)).collect();
            records.push(Record { lang: Lang::It, ..somebody(people - 1, &zone, morning) });
            bring_in(tx, &kit, &records, &zone, morning).await
        }
        .boxed()
    });
    job.await.expect("a morning of visits");
    people - 1
}

/// What the patients of a campaign write back: of twenty one cries, one stops, five answer.
pub fn replies_of_campaign(people: usize) -> HashMap<String, Reply> {
    let reply = |n: usize| match n % 20 {
        3 => Some(("I want to kill myself".to_owned(), true)),
        7 => Some(("STOP".to_owned(), false)),
        // The number is an answer to the question, not to anything else.
        0 | 5 | 10 | 15 | 19 => Some((format!("{}", 150 + n % 50), false)),
        _ => None,
    };
    let on = |text: &str| if text.parse::<f64>().is_ok() { "weigh" } else { "" };
    let replies = (0..people).filter_map(|n| reply(n).map(|(text, cry)| (phone(n), Reply { on: on(&text), text, cry })));
    replies.collect()
}

/// A statement for which no store function exists.
pub async fn raw(tx: &mut Tx, sql: &'static str) -> Result<(), StoreError> {
    match tx {
        Tx::Sqlite(t) => sqlx::query(sql).execute(&mut **t).await.map(|_| ())?,
        Tx::Postgres(t) => sqlx::query(sql).execute(&mut **t).await.map(|_| ())?,
    }
    Ok(())
}
