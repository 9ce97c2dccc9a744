//! The invented clinic: its staff and patients, read from data, brought in through the same door as a real import.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use jiff::ToSpan;

use crate::app::App;
use crate::clock::Time;
use crate::config;
use crate::document::{Document, Faults, Table};
use crate::intake::{Given, Record, add_staff, bring_in};
use crate::model::{Address, ContentClass, Id, Lang, Role};
use crate::protocol::{Settings, WeightUnit};
use crate::store::{Db, Lane, StoreError, sites, staff};
use crate::zone::{self, Zone};

const TEXT: &str = include_str!("../../config/demo/panel.toml");
/// Everybody in the demo signs in with this.
pub const PASSWORD: &str = "porchlight-demo";
/// How often the demo's clock is kept (domain time).
const KEEP: Duration = Duration::from_secs(60);

/// The invented clinic.
#[derive(Debug)]
pub struct Panel {
    /// Sender name, call-back number, zone and hours, as settings.
    pub settings: String,
    /// Where the clinic is.
    pub zone: Zone,
    /// Staff: e-mail, name, role.
    pub staff: Vec<(String, String, Role)>,
    /// Patients.
    pub patients: Vec<Patient>,
    kept: AtomicI64,
}

/// An invented patient.
#[derive(Debug, Clone)]
pub struct Patient {
    /// As an import would give them; staff and times are filled in when they are brought in.
    pub record: Record,
    /// E-mails of coordinator and backup.
    pub staff: (String, String),
    /// Weight at the start, in their unit.
    pub baseline: Option<f64>,
    /// Days ahead and local time of a visit.
    pub visit: Option<(i64, String)>,
}

impl Panel {
    /// Reads the panel.
    ///
    /// # Errors
    /// Every fault of the data.
    pub fn embedded() -> Result<Panel, Faults> {
        let doc = Document::parse("config/demo/panel.toml", TEXT);
        let root = doc.root();
        let _status = root.need_text("status");
        let site = root.table("site");
        let text = |key: &str| site.as_ref().map(|s| s.need_text(key)).unwrap_or_default();
        let zone = text("zone").parse().unwrap_or_else(|_| Zone::utc());
        let settings = format!(
            "[site]\nname = {:?}\nsender = {:?}\nphone = {:?}\nzone = {:?}\nhours = {:?}\nemergency_number = {:?}\nlifeline_number = {:?}\n",
            text("name"),
            text("sender"),
            text("phone"),
            text("zone"),
            text("hours"),
            text("emergency"),
            text("lifeline"),
        );
        let staff = root
            .tables("staff")
            .into_iter()
            .map(|t| (t.need_text("email"), t.need_text("name"), t.need_parsed("role", "a role", Role::Coordinator)))
            .collect();
        let patients = root.tables("patient").iter().map(patient).collect();
        root.finish();
        doc.finish(Panel { settings, zone, staff, patients, kept: AtomicI64::new(0) })
    }

    /// The patient of a phone.
    #[must_use]
    pub fn by_phone(&self, phone: &Address) -> Option<&Patient> {
        self.patients.iter().find(|p| p.record.phone == *phone)
    }

    /// Weights at the start, by phone.
    #[must_use]
    pub fn baselines(&self) -> HashMap<String, f64> {
        self.patients.iter().filter_map(|p| Some((p.record.phone.expose().to_owned(), p.baseline?))).collect()
    }

    /// Where the demo's clock stood when it was last kept.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn kept_clock(db: &Db) -> Result<Option<Time>, StoreError> {
        let mut tx = db.read().await?;
        Ok(sites::get(&mut tx, "demo.clock").await?.and_then(|text| text.parse().ok()).map(Time))
    }

    /// Keeps the demo's clock once a domain minute.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn keep_clock(&self, db: &Db, now: Time) -> Result<(), StoreError> {
        let last = self.kept.load(Ordering::Relaxed);
        if now.since(Time(last)) < KEEP {
            return Ok(());
        }
        self.kept.store(now.0, Ordering::Relaxed);
        db.write(Lane::Work, move |tx| async move { sites::set(tx, "demo.clock", &now.0.to_string()).await }.boxed()).await
    }
}

fn patient(t: &Table<'_, '_>) -> Patient {
    let lang = t.need_parsed("lang", "a language", Lang::En);
    let zone: Zone = t.need_parsed("zone", "a time zone", Zone::utc());
    let midnight = |table: &Table<'_, '_>, key: &str| {
        let date: Option<jiff::civil::Date> = table.parsed(key);
        date.and_then(|d| zone.instant(d, jiff::civil::Time::midnight()))
    };
    let consent = t.table("consent").map(|c| {
        let given = Given {
            at: midnight(&c, "at").unwrap_or(Time(0)),
            method: c.need_text("method"),
            lang: c.need_parsed("lang", "a language", lang),
        };
        (given, midnight(&c, "stopped"))
    });
    let mut baseline = None;
    let mut goal_gloss = String::new();
    let mut protocols = Vec::new();
    for p in t.tables("protocols") {
        let settings = Settings {
            at: p.text("at"),
            day: p.text("day"),
            unit: p.text("unit").map(|u| if u == "kg" { WeightUnit::Kg } else { WeightUnit::Lb }),
            goal: p.text("goal"),
        };
        baseline = baseline.or(p.number("baseline"));
        if let Some(gloss) = p.text("goal_en") {
            goal_gloss = gloss;
        }
        protocols.push((p.need_text("id"), settings));
    }
    let window = t.text("window").and_then(|text| config::window(&text).ok());
    let _channel = t.text("channel");
    Patient {
        staff: (t.need_text("coordinator"), t.need_text("backup")),
        baseline,
        visit: t.table("visit").map(|v| (v.int_in("days_ahead", 0..=30, 1), v.need_text("at"))),
        record: Record {
            external_id: t.need_text("external_id"),
            name: t.need_text("name"),
            called: t.need_text("called"),
            birth_date: t.parsed("birth_date"),
            lang,
            phone: Address::new(t.need_text("phone")),
            class: t.need_parsed("class", "a content class", ContentClass::Logistics),
            stopped: consent.as_ref().and_then(|c| c.1),
            consent: consent.map(|c| c.0),
            coordinator: None,
            backup: None,
            safe_note: t.need_text("safe"),
            discreet: t.flag("discreet").unwrap_or(false),
            window,
            protocols,
            goal_gloss,
            visit: None,
            zone: zone.clone(),
        },
    }
}

/// Brings the clinic in, unless it is there already.
///
/// # Errors
/// When the database refuses.
pub async fn seed(app: &App, panel: &Panel) -> Result<(), StoreError> {
    let mut tx = app.db.read().await?;
    let seeded = sites::get(&mut tx, "demo.seeded").await?.is_some();
    drop(tx);
    if seeded {
        return Ok(());
    }
    for (email, name, role) in &panel.staff {
        add_staff(&app.db, &app.kit, email, name, *role, PASSWORD).await?;
    }
    let mut tx = app.db.read().await?;
    let staff: HashMap<String, Id> = staff::emails(&mut tx).await?.into_iter().map(|(id, email)| (email, Id(id))).collect();
    drop(tx);
    let now = app.kit.now();
    let records: Vec<Record> = panel
        .patients
        .iter()
        .map(|p| Record {
            coordinator: staff.get(&p.staff.0).copied(),
            backup: staff.get(&p.staff.1).copied(),
            visit: p.visit.as_ref().and_then(|(days, at)| {
                let time = zone::clock(at)?;
                let mut date = panel.zone.local(now).date().checked_add(days.days()).ok()?;
                // Nobody is seen on a weekend.
                while date.weekday().to_monday_zero_offset() > 4 {
                    date = date.checked_add(1.day()).ok()?;
                }
                Some((format!("V-{}", p.record.external_id), panel.zone.instant(date, time)?))
            }),
            ..p.record.clone()
        })
        .collect();
    let (kit, zone) = (Arc::clone(&app.kit), panel.zone.clone());
    app.db
        .write(Lane::Work, move |tx| {
            async move {
                bring_in(tx, &kit, &records, &zone, now).await?;
                sites::set(tx, "demo.seeded", "yes").await
            }
            .boxed()
        })
        .await
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_panel_has_forty_people_in_six_languages_with_a_safe_contact_note_each() {
        let panel = Panel::embedded().unwrap_or_else(|e| panic!("{e}"));
        let languages: HashSet<Lang> = panel.patients.iter().map(|p| p.record.lang).collect();
        let phones: HashSet<&str> = panel.patients.iter().map(|p| p.record.phone.expose()).collect();
        assert_eq!((panel.patients.len(), languages.len(), phones.len(), panel.staff.len()), (40, 6, 40, 3));
        assert!(panel.patients.iter().all(|p| !p.record.safe_note.is_empty() && !p.record.protocols.is_empty()));
        // Only numbers that are set aside for fiction.
        assert!(phones.iter().all(|p| p.starts_with("+171855501")));
    }
}
