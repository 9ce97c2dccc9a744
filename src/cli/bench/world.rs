//! The service of a benchmark: real in every part, its patients invented, its day always a Tuesday at noon.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::{Value, json};

use super::super::Failure;
use super::{machine, note};
use crate::app::App;
use crate::clock::{Clock, ScaledClock, Time};
use crate::config::Config;
use crate::kit::SITE;
use crate::model::{Address, Channel, Id, Lang, Priority};
use crate::random::Dice;
use crate::store::seed::{self, Invented, Shared};
use crate::store::timers::{self, Kind, NewTimer};
use crate::store::{Lane, Location, StoreError, appointments};

/// 2026-11-17 12:00 in New York.
const NOON: Time = Time(1_794_934_800_000);
const ZONE: &str = "America/New_York";
const DAY: i64 = 86_400_000;
/// Patients written in one transaction.
const TOGETHER: usize = 2_000;
/// The secret of the bench's own callbacks.
pub(super) const SECRET: &str = "a-secret-of-the-benchmark-0123";

/// A running service with invented patients.
pub(super) struct World {
    pub(super) app: App,
    pub(super) people: Vec<Invented>,
    _folder: tempfile::TempDir,
}

impl World {
    /// Builds the service on an empty database, with one gateway that posts JSON to `provider`.
    pub(super) async fn begin(database: Option<Location>, provider: &str, in_flight: usize) -> Result<World, Failure> {
        let folder = tempfile::tempdir()?;
        let text = format!(
            r#"[security]
key = "a key for benchmarks that has thirty-two characters"
[site]
name = "Harbor Street Health"
sender = "Harbor Street"
phone = "(718) 555-0100"
[[gateway]]
kind = "http"
name = "sms"
url = "{provider}"
plain_http = true
json = '{{"to":"{{to}}","text":"{{text}}","ucs2":{{ucs2}},"ref":"{{reference}}"}}'
concurrency = {in_flight}
secret = "{SECRET}"
secret_query = "key"
success = {{ status = ["200"] }}
provider_id = {{ json = "/id" }}
[gateway.inbound]
fields = "query"
from = "from"
text = "text"
id = "id"
"#
        );
        let mut config = Config::parse("settings of the benchmark", &text, &|_| None)?;
        config.database = database.unwrap_or_else(|| Location::Sqlite(folder.path().join("bench.db")));
        let clock: Arc<dyn Clock> = Arc::new(ScaledClock::new(NOON, 1.0));
        let app = App::build(config, clock, Dice::from_machine(), |_, _| Vec::new()).await?;
        let mut tx = app.db.read().await?;
        if seed::is_peopled(&mut tx).await? {
            return Err(Failure("this database holds patients: a benchmark invents its own, give it an empty one".into()));
        }
        drop(tx);
        Ok(World { app, people: Vec::new(), _folder: folder })
    }

    /// Invents patients until there are `count`, enrolled in `protocol`; none of them is due.
    pub(super) async fn enrol(&mut self, count: usize, protocol: &str) -> Result<(), Failure> {
        let protocol = self.app.kit.protocols.current(protocol).ok_or_else(|| Failure("no such protocol".into()))?;
        let langs: Vec<&'static str> = Lang::ALL.iter().map(|lang| lang.tag()).collect();
        while self.people.len() < count {
            let from = self.people.len();
            let kit = &self.app.kit;
            let batch: Vec<Invented> = (from..(from + TOGETHER).min(count))
                .map(|n| {
                    let address = format!("+1{}", 2_010_000_000 + n);
                    Invented {
                        patient: kit.id(),
                        person: kit.id(),
                        contact: kit.id(),
                        thread: kit.id(),
                        consent: kit.id(),
                        enrolment: kit.id(),
                        hash: kit.hash(Channel::Sms, &Address::new(address.as_str())),
                        address,
                        lang: langs[n % langs.len()],
                    }
                })
                .collect();
            self.people.extend(batch.iter().cloned());
            let timers: Vec<NewTimer> = batch.iter().map(|p| self.timer(p, &protocol.steps[0].id, 1, NOON.0 + DAY)).collect();
            let (id, hash) = (protocol.id.clone(), protocol.hash.clone());
            let job = self.app.db.write(Lane::Work, move |tx| {
                async move {
                    let shared = Shared {
                        site: SITE,
                        zone: ZONE,
                        protocol: (&id, &hash),
                        settings: r#"{"unit":"lb"}"#,
                        at: Time(NOON.0 - 30 * DAY),
                    };
                    seed::people(tx, &batch, &shared).await?;
                    timers::set(tx, &timers).await
                }
                .boxed()
            });
            job.await?;
            if self.people.len().is_multiple_of(100_000) {
                note(format!("{} patients", self.people.len()));
            }
        }
        Ok(())
    }

    /// Makes the daily question of these patients due now, for the local date that is `day` days away.
    pub(super) async fn due(&self, which: Vec<usize>, step: &str, day: i64) -> Result<(), StoreError> {
        for some in which.chunks(TOGETHER) {
            let timers: Vec<NewTimer> = some.iter().map(|n| self.timer(&self.people[*n], step, day, NOON.0)).collect();
            self.app.db.write(Lane::Work, move |tx| async move { timers::set(tx, &timers).await }.boxed()).await?;
        }
        Ok(())
    }

    /// Books a visit tomorrow for everybody; its reminder is due now.
    pub(super) async fn book(&self, step: &str) -> Result<(), StoreError> {
        for some in self.people.chunks(TOGETHER) {
            let some = some.to_vec();
            let visits: Vec<Id> = some.iter().map(|_| self.app.kit.id()).collect();
            let reminders: Vec<NewTimer> = some
                .iter()
                .zip(&visits)
                .map(|(p, visit)| NewTimer { detail: format!("{step}/{visit}"), ..self.timer(p, step, 0, NOON.0) })
                .collect();
            let job = self.app.db.write(Lane::Work, move |tx| {
                async move {
                    for (person, visit) in some.iter().zip(visits) {
                        let own = visit.to_string();
                        appointments::put(tx, visit, (SITE, person.patient), &own, Time(NOON.0 + DAY), ZONE, NOON).await?;
                    }
                    timers::set(tx, &reminders).await
                }
                .boxed()
            });
            job.await?;
        }
        Ok(())
    }

    fn timer(&self, p: &Invented, step: &str, day: i64, due: i64) -> NewTimer {
        let date = jiff::civil::date(2026, 11, 17).saturating_add(jiff::Span::new().days(day));
        NewTimer {
            id: self.app.kit.id(),
            site: SITE,
            patient: Some(p.patient),
            kind: Kind::Step,
            subject: p.enrolment,
            detail: step.to_owned(),
            slot: date.to_string(),
            version: 1,
            due: Time(due),
            priority: Priority::REMINDER,
        }
    }

    /// How many messages are still to go, and how many replies wait.
    pub(super) async fn progress(&self) -> Result<(i64, i64), StoreError> {
        let mut tx = self.app.db.read().await?;
        seed::progress(&mut tx).await
    }

    /// What stands in the database, by kind.
    pub(super) async fn counts(&self) -> Result<Value, StoreError> {
        let mut tx = self.app.db.read().await?;
        Ok(seed::counts(&mut tx)
            .await?
            .into_iter()
            .map(|(what, count)| (what, json!(count)))
            .collect::<serde_json::Map<_, _>>()
            .into())
    }

    /// One line of figures, with what they were measured on.
    pub(super) async fn report(&self, figures: Value) -> Result<String, StoreError> {
        let mut tx = self.app.db.read().await?;
        let database = seed::version(&mut tx).await?;
        drop(tx);
        let mut line = figures;
        if let Value::Object(line) = &mut line {
            line.insert("database".into(), json!(database));
            line.insert(
                "durability".into(),
                json!(if self.app.db.backend() == "sqlite" { "synchronous=FULL" } else { "as the server is set" }),
            );
            line.insert("machine".into(), machine::describe());
        }
        Ok(line.to_string())
    }
}

/// How long is waited between two looks at how far a run is.
pub(super) const LOOK: Duration = Duration::from_millis(10);
