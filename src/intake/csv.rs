//! Patients from CSV: every row is checked before any is written, and every fault names its line and column.

use std::collections::{HashMap, HashSet};

use jiff::civil::DateTime;

use super::rows::{Row, read_rows};
use super::{Given, Record};
use crate::clock::Time;
use crate::config;
use crate::document::Faults;
use crate::inbound::phone;
use crate::model::{ContentClass, Id, Lang};
use crate::protocol::{Settings, WeightUnit};
use crate::zone::{self, Zone};

/// The columns that a file may have, with what stands in them. The first four and `phone` must be there.
pub const COLUMNS: [(&str, &str); 22] = [
    ("external_id", "the clinic's own id of the patient; the same id again brings the patient up to date"),
    ("name", "the name in use, for staff"),
    ("language", "en es zh-Hans zh-Hant ru yi bn ko ht it ar pl fr ur"),
    ("zone", "IANA time zone where the patient lives, such as America/New_York"),
    ("phone", "mobile number, such as +17185550117"),
    ("called", "form of address in messages, in the patient's own script; the first name if empty"),
    ("birth_date", "1964-05-12"),
    ("class", "logistics, care or clinical: the most that was agreed after the risk notice; logistics if empty"),
    ("consent_date", "2026-01-08; without it nothing is sent that the patient did not ask for"),
    ("consent_method", "desk, web form, text or paper"),
    ("consent_language", "in which the notice was given; the patient's if empty"),
    ("coordinator", "work e-mail of who looks after the patient"),
    ("backup", "work e-mail of who stands in"),
    ("safe_note", "what to know before any contact"),
    ("discreet", "yes: neutral wording always"),
    ("window", "agreed hours, such as 10:00-18:00, inside 08:00-21:00"),
    ("protocols", "names separated by spaces, such as heart-failure-weight appointment-reminders"),
    ("checkin_at", "local time of check-ins, such as 09:05"),
    ("checkin_day", "day of weekly check-ins: mon tue wed thu fri sat sun"),
    ("unit", "lb or kg"),
    ("goal", "the goal in the patient's own words"),
    ("visit", "id and local time at the clinic, such as V-17 2026-11-25 10:30"),
];
const NEEDED: [&str; 5] = ["external_id", "name", "language", "zone", "phone"];

/// What a file is checked against.
#[derive(Debug)]
pub struct Context<'a> {
    /// Country of numbers without a country code.
    pub country: &'a str,
    /// The clinic's zone: visits are in it.
    pub zone: &'a Zone,
    /// Staff by e-mail.
    pub staff: &'a HashMap<String, Id>,
    /// Names of the protocols.
    pub protocols: &'a [String],
}

/// Reads and checks a whole file.
///
/// # Errors
/// Every fault of every row.
pub fn read(file: &str, text: &str, cx: &Context<'_>) -> Result<Vec<Record>, Faults> {
    let (mut ids, mut visits) = (HashMap::new(), HashMap::new());
    read_rows(file, text, (&COLUMNS, &NEEDED), |row| {
        let record = record(row, cx);
        row.once("external_id", record.external_id.clone(), &mut ids);
        if let Some((id, _)) = &record.visit {
            row.once("visit", id.clone(), &mut visits);
        }
        record
    })
}

fn record(row: &mut Row<'_>, cx: &Context<'_>) -> Record {
    let zone: Zone = row.parsed("zone").unwrap_or_else(Zone::utc);
    if row.get("zone").is_none() {
        row.fault("zone", "must not be empty: write an IANA name such as America/New_York");
    }
    let lang: Option<Lang> = row.parsed("language");
    if row.get("language").is_none() {
        row.fault("language", "must not be empty");
    }
    let lang = lang.unwrap_or(Lang::En);
    let number = row.need("phone");
    let phone = phone(&number, cx.country).unwrap_or_else(|e| {
        if !number.is_empty() {
            row.fault("phone", format!("`{number}` is {e}"));
        }
        crate::model::Address::default()
    });
    let name = row.need("name");
    let called = row.get("called").map_or_else(|| name.split_whitespace().next().unwrap_or_default().to_owned(), str::to_owned);
    let consent = consent(row, &zone, lang);
    let window = row.get("window").map(str::to_owned).and_then(|text| match config::window(&text) {
        Ok(window) => Some(window),
        Err(what) => {
            row.fault("window", format!("`{text}` {what}"));
            None
        }
    });
    Record {
        external_id: row.need("external_id"),
        called,
        name,
        birth_date: row.date("birth_date"),
        lang,
        phone,
        class: row.parsed("class").unwrap_or(ContentClass::Logistics),
        consent,
        stopped: None,
        coordinator: staff(row, "coordinator", cx),
        backup: staff(row, "backup", cx),
        safe_note: row.get("safe_note").unwrap_or_default().to_owned(),
        discreet: flag(row, "discreet"),
        window,
        protocols: protocols(row, cx),
        goal_gloss: String::new(),
        visit: visit(row, cx),
        zone,
    }
}

fn consent(row: &mut Row<'_>, zone: &Zone, lang: Lang) -> Option<Given> {
    let date = row.date("consent_date")?;
    let at = zone.first_from(date, jiff::civil::Time::midnight())?.1;
    let method = row.get("consent_method").unwrap_or("import").to_owned();
    if !["desk", "web form", "text", "paper", "import"].contains(&method.as_str()) {
        row.fault("consent_method", format!("`{method}` is no method: write desk, web form, text or paper"));
    }
    Some(Given { at, method, lang: row.parsed("consent_language").unwrap_or(lang) })
}

fn flag(row: &mut Row<'_>, name: &str) -> bool {
    match row.get(name).map(str::to_lowercase).as_deref() {
        None | Some("no") => false,
        Some("yes") => true,
        Some(other) => {
            let what = format!("`{other}` is neither yes nor no");
            row.fault(name, what);
            false
        }
    }
}

fn staff(row: &mut Row<'_>, name: &str, cx: &Context<'_>) -> Option<Id> {
    let email = row.get(name)?.to_lowercase();
    let found = cx.staff.get(&email).copied();
    if found.is_none() {
        row.fault(name, format!("nobody has the e-mail {email}: add them first with `porchlight user add`"));
    }
    found
}

fn protocols(row: &mut Row<'_>, cx: &Context<'_>) -> Vec<(String, Settings)> {
    let at = row.get("checkin_at").map(str::to_owned);
    if let Some(text) = &at
        && zone::clock(text).is_none()
    {
        row.fault("checkin_at", format!("`{text}` is no time: write it as 09:05"));
    }
    let day = row.get("checkin_day").map(str::to_owned);
    if let Some(text) = &day
        && zone::weekday(text).is_none()
    {
        row.fault("checkin_day", format!("`{text}` is no day: write mon tue wed thu fri sat or sun"));
    }
    let unit = match row.get("unit") {
        Some("lb") => Some(WeightUnit::Lb),
        Some("kg") => Some(WeightUnit::Kg),
        None => None,
        Some(other) => {
            let what = format!("`{other}` is no unit: write lb or kg");
            row.fault("unit", what);
            None
        }
    };
    let goal = row.get("goal").map(str::to_owned);
    let names: Vec<String> = row.get("protocols").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    let mut seen = HashSet::new();
    for name in &names {
        if !cx.protocols.contains(name) {
            row.fault("protocols", format!("there is no protocol `{name}`; there are {}", cx.protocols.join(", ")));
        }
        if !seen.insert(name) {
            row.fault("protocols", format!("`{name}` is named twice"));
        }
    }
    if names.iter().any(|n| n == "heart-failure-weight") && unit.is_none() {
        row.fault("unit", "is needed for heart-failure-weight: lb or kg, as on the patient's scale");
    }
    if names.iter().any(|n| n == "weekly-goal") && goal.is_none() {
        row.fault("goal", "is needed for weekly-goal: the goal in the patient's own words");
    }
    let settings = Settings { at, day, unit, goal };
    names.into_iter().map(|name| (name, settings.clone())).collect()
}

fn visit(row: &mut Row<'_>, cx: &Context<'_>) -> Option<(String, Time)> {
    let text = row.get("visit")?.to_owned();
    let read = text.split_once(' ').and_then(|(id, when)| Some((id.to_owned(), wall_time(when, cx.zone)?)));
    if read.is_none() {
        row.fault("visit", format!("`{text}` is no visit: write its id and time as V-17 2026-11-25 10:30"));
    }
    read
}

/// `2026-11-25 10:30` on the clocks of a zone.
pub(super) fn wall_time(text: &str, zone: &Zone) -> Option<Time> {
    let when: DateTime = text.trim().replace(' ', "T").parse().ok()?;
    zone.instant(when.date(), when.time())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "external_id,name,language,zone,phone,birth_date,coordinator,protocols,unit,visit,window,discreet\n";

    fn check(rows: &str) -> Result<Vec<Record>, Faults> {
        let zone: Zone = "America/New_York".parse().expect("a zone");
        let staff = HashMap::from([("june@clinic.example".to_owned(), Id(7))]);
        let protocols = ["appointment-reminders".to_owned(), "heart-failure-weight".to_owned()];
        read("p.csv", &format!("{HEAD}{rows}"), &Context { country: "US", zone: &zone, staff: &staff, protocols: &protocols })
    }

    #[test]
    fn a_good_row_becomes_a_record() {
        let rows = check(
            "A-1,Rosa Villalobos,es,America/New_York,718-555-0117,1964-05-12,June@clinic.example,appointment-reminders,,V-17 2026-11-25 10:30,,yes\n",
        )
        .unwrap_or_else(|e| panic!("{e}"));
        let rosa = &rows[0];
        assert_eq!(
            (rosa.phone.expose(), rosa.called.as_str(), rosa.coordinator, rosa.discreet),
            ("+17185550117", "Rosa", Some(Id(7)), true)
        );
        assert_eq!(rosa.visit.as_ref().map(|v| v.0.as_str()), Some("V-17"));
    }

    #[test]
    fn every_fault_of_every_row_is_named_and_nothing_is_taken() {
        let faults = check(concat!(
            "A-1,Rosa,es,America/New_York,12,1964-02-30,nobody@x.example,unknown-one,,soon,22:00-23:00,maybe\n",
            "A-1,Ana,xx,Mars,+17185550118,,,heart-failure-weight,stone,,,\n",
            ",Nobody,en,America/New_York,+17185550119,,,,,,,\n",
        ))
        .expect_err("faults")
        .to_string();
        for wanted in [
            "p.csv:2:5: phone: `12` is not a phone number",
            "p.csv:2:6: birth_date: `1964-02-30` is no date: write it as 2026-02-28",
            "p.csv:2:7: coordinator: nobody has the e-mail nobody@x.example",
            "p.csv:2:8: protocols: there is no protocol `unknown-one`",
            "p.csv:2:10: visit: `soon`",
            "p.csv:2:11: window",
            "p.csv:2:12: discreet: `maybe`",
            "p.csv:3:1: external_id: `A-1` is in line 2 too",
            "p.csv:3:3: language: unknown language `xx`",
            "p.csv:3:4: zone: unknown time zone `Mars`",
            "p.csv:3:9: unit: `stone`",
            "p.csv:4:1: external_id: must not be empty",
        ] {
            assert!(faults.contains(wanted), "{wanted} in\n{faults}");
        }
    }

    #[test]
    fn the_documentation_names_every_column() {
        let docs = include_str!("../../docs/import.md");
        for (name, _) in COLUMNS {
            assert!(docs.contains(&format!("`{name}`")), "{name}");
        }
    }

    #[test]
    fn a_short_row_and_an_unknown_column_are_named() {
        assert!(
            check("A-1,Rosa\n").expect_err("a fault").to_string().contains("p.csv:2:1: this row has 2 fields, the header has 12")
        );
        let zone = Zone::utc();
        let staff = HashMap::new();
        let cx = Context { country: "US", zone: &zone, staff: &staff, protocols: &[] };
        let faults = read("p.csv", "external_id,nmae\n", &cx).expect_err("faults").to_string();
        assert!(
            faults.contains("p.csv:1:2: `nmae` is no column") && faults.contains("the column `phone` is missing"),
            "{faults}"
        );
    }
}
