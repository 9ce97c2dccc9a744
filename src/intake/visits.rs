//! Visits from CSV: booked, moved or cancelled; every reminder follows.

use std::collections::HashMap;

use super::csv::wall_time;
use super::rows::read_rows;
use crate::clock::Time;
use crate::document::Faults;
use crate::kit::{Kit, SITE};
use crate::model::Id;
use crate::schedule;
use crate::store::appointments::{self, Visit};
use crate::store::audit::{self, Entry};
use crate::store::{StoreError, Tx, messages, patients};
use crate::zone::Zone;

/// The columns of a file of visits, with what stands in them.
pub const VISIT_COLUMNS: [(&str, &str); 4] = [
    ("visit_id", "the clinic's own id of the visit; the same id again moves or cancels it"),
    ("patient", "the patient's external_id"),
    ("starts", "local time at the clinic, such as 2026-11-25 10:30"),
    ("status", "booked or cancelled; booked if empty"),
];

/// A visit of a file, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitRecord {
    /// The clinic's own id.
    pub visit_id: String,
    /// The patient's external id.
    pub patient: String,
    /// When.
    pub starts: Time,
    /// It will not be.
    pub cancelled: bool,
}

/// What an import of visits did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VisitCounts {
    /// Booked, or moved to another time.
    pub booked: usize,
    /// Cancelled.
    pub cancelled: usize,
    /// As they were.
    pub unchanged: usize,
}

/// Reads and checks a whole file. `known` says whether there is a patient of this external id.
///
/// # Errors
/// Every fault of every row.
pub fn read_visits(file: &str, text: &str, zone: &Zone, known: impl Fn(&str) -> bool) -> Result<Vec<VisitRecord>, Faults> {
    let mut ids = HashMap::new();
    read_rows(file, text, (&VISIT_COLUMNS, &["visit_id", "patient", "starts"]), |row| {
        let visit_id = row.need("visit_id");
        row.once("visit_id", visit_id.clone(), &mut ids);
        let patient = row.need("patient");
        if !patient.is_empty() && !known(&patient) {
            row.fault("patient", format!("there is no patient `{patient}`: import the patient first"));
        }
        let written = row.need("starts");
        let starts = wall_time(&written, zone);
        if starts.is_none() && !written.is_empty() {
            row.fault("starts", format!("`{written}` is no time: write it as 2026-11-25 10:30"));
        }
        let cancelled = match row.get("status") {
            None | Some("booked") => false,
            Some("cancelled") => true,
            Some(other) => {
                let what = format!("`{other}` is no status: write booked or cancelled");
                row.fault("status", what);
                false
            }
        };
        VisitRecord { visit_id, patient, starts: starts.unwrap_or(Time(0)), cancelled }
    })
}

/// Writes visits: all of them, or with the first error none. The same file twice changes nothing.
///
/// # Errors
/// When the database refuses, or a visit's id belongs to another patient.
pub async fn bring_in_visits(
    tx: &mut Tx,
    kit: &Kit,
    visits: &[VisitRecord],
    zone: &Zone,
    now: Time,
) -> Result<VisitCounts, StoreError> {
    let mut counts = VisitCounts::default();
    for visit in visits {
        let Some(patient) = patients::by_external(tx, SITE, &visit.patient).await? else {
            return Err(StoreError::Missing("patient"));
        };
        let of = (SITE, Id(patient.id));
        let (id, version, moved) = appointments::put(tx, kit.id(), of, &visit.visit_id, visit.starts, zone.name(), now).await?;
        let state = appointments::get(tx, &[id.0]).await?.pop().map(|v| v.state).unwrap_or_default();
        if visit.cancelled {
            if state == "cancelled" {
                counts.unchanged += 1;
                continue;
            }
            appointments::answer(tx, id, "cancelled", "", now).await?;
            messages::cancel_reminders(tx, id, now).await?;
            counts.cancelled += 1;
        } else if moved || state == "cancelled" {
            if state == "cancelled" {
                appointments::answer(tx, id, "booked", "", now).await?;
            }
            let row = Visit {
                id: id.0,
                site_id: SITE.0,
                patient_id: patient.id,
                external_id: visit.visit_id.clone(),
                starts_at: visit.starts.0,
                zone: zone.name().to_owned(),
                state: "booked".into(),
                why: String::new(),
                version,
            };
            schedule::visit_changed(tx, kit, &row, now).await?;
            counts.booked += 1;
        } else {
            counts.unchanged += 1;
        }
    }
    let entry = Entry { staff: None, patient: None, action: "import visits", subject: format!("{} rows", visits.len()) };
    audit::add(tx, kit.ids.node(), &entry, now).await?;
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_rows_are_read_and_every_fault_of_bad_ones_is_named() {
        let zone: Zone = "America/New_York".parse().expect("a zone");
        let known = |id: &str| id == "A-1";
        let good = read_visits("v.csv", "visit_id,patient,starts\nV-1,A-1,2026-11-25 10:30\n", &zone, known);
        assert!(good.is_ok_and(|v| v.len() == 1 && !v[0].cancelled));
        let text = "visit_id,patient,starts,status\nV-1,A-2,tomorrow,maybe\nV-1,A-1,2026-02-30 10:00,\n";
        let faults = read_visits("v.csv", text, &zone, known).expect_err("faults").to_string();
        for wanted in [
            "v.csv:2:2: patient: there is no patient `A-2`",
            "v.csv:2:3: starts: `tomorrow`",
            "v.csv:2:4: status: `maybe`",
            "v.csv:3:1: visit_id: `V-1` is in line 2 too",
            "v.csv:3:3: starts: `2026-02-30 10:00`",
        ] {
            assert!(faults.contains(wanted), "{wanted} in\n{faults}");
        }
    }

    #[test]
    fn the_documentation_names_every_column() {
        let docs = include_str!("../../docs/import.md");
        for (name, _) in VISIT_COLUMNS {
            assert!(docs.contains(&format!("`{name}`")), "{name}");
        }
    }
}
