//! People who want no more messages, from a list of a carrier's or the clinic's own: what a STOP that never came in would have done.

use std::collections::BTreeSet;

use super::rows::read_rows;
use crate::clock::Time;
use crate::document::Faults;
use crate::inbound::phone;
use crate::kit::{Kit, SITE};
use crate::model::{Address, Channel, ContentClass, Id};
use crate::store::audit::{self, Entry};
use crate::store::consents::{self, ConsentEvent};
use crate::store::threads::{self, Thread};
use crate::store::{StoreError, Tx};

/// The columns of a list of people who want no more messages, with what stands in them.
pub const OPT_OUT_COLUMNS: [(&str, &str); 1] = [("phone", "number of somebody who wants no more messages, such as +17185550117")];

/// A row of the list, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptOut {
    /// Its line in the file.
    pub line: usize,
    /// The number.
    pub phone: Address,
}

/// What a list of them did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Withdrawn {
    /// Patients who had agreed, or had never been asked, and get no more messages.
    pub patients: usize,
    /// Patients who got none before.
    pub before: usize,
    /// Lines whose number is no patient's.
    pub unknown: Vec<usize>,
}

/// Reads and checks a whole list. A number may stand in it twice.
///
/// # Errors
/// Every fault of every row.
pub fn read_opt_outs(file: &str, text: &str, country: &str) -> Result<Vec<OptOut>, Faults> {
    read_rows(file, text, (&OPT_OUT_COLUMNS, &["phone"]), |row| {
        let number = row.need("phone");
        let read = phone(&number, country).unwrap_or_else(|e| {
            if !number.is_empty() {
                row.fault("phone", format!("`{number}` is {e}"));
            }
            Address::default()
        });
        OptOut { line: row.line(), phone: read }
    })
}

/// Withdraws the consent of everybody who is reached by these numbers, in the name of a member of staff: all of them, or with the
/// first error none. Who gets no messages already is left as they are.
///
/// # Errors
/// When the database refuses.
pub async fn withdraw(tx: &mut Tx, kit: &Kit, list: &[OptOut], by: Id, now: Time) -> Result<Withdrawn, StoreError> {
    let hashes: Vec<String> = list.iter().map(|row| kit.hash(Channel::Sms, &row.phone)).collect();
    let threads = threads::of_addresses(tx, &hashes.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    let mut done = Withdrawn::default();
    let mut seen = BTreeSet::new();
    for (row, hash) in list.iter().zip(&hashes) {
        // As with a STOP: for everybody on the phone.
        let on_it = |t: &&Thread| t.address_hash == *hash && t.channel == Channel::Sms.as_str();
        let theirs: Vec<Id> = threads.iter().filter(on_it).map(|t| Id(t.patient_id)).collect();
        if theirs.is_empty() {
            done.unknown.push(row.line);
        }
        for patient in theirs {
            if !seen.insert(patient) {
                continue;
            }
            if consents::withdrawn(tx, patient, None).await? {
                done.before += 1;
                continue;
            }
            let event = ConsentEvent {
                id: kit.id(),
                site: SITE,
                patient,
                contact: None,
                given: false,
                class: ContentClass::Logistics,
                method: "opt-out list".into(),
                lang: String::new(),
                wording: String::new(),
                staff: Some(by),
                inbox: None,
                at: now,
            };
            consents::add(tx, &event).await?;
            let entry =
                Entry { staff: Some(by), patient: Some(patient), action: "withdraw consent", subject: event.id.to_string() };
            audit::add(tx, kit.ids.node(), &entry, now).await?;
            done.patients += 1;
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_a_carrier_writes_them_and_every_fault_is_named() {
        let text = "\u{FEFF}phone\n17185550117\n(718) 555-0118\n+17185550117\n";
        let list = read_opt_outs("stop.csv", text, "US").unwrap_or_else(|e| panic!("{e}"));
        let read: Vec<_> = list.iter().map(|row| (row.line, row.phone.expose())).collect();
        assert_eq!(read, [(2, "+17185550117"), (3, "+17185550118"), (4, "+17185550117")]);
        let faults = read_opt_outs("stop.csv", "phone\n12\n+17185550117\n\"\"\n", "US").expect_err("faults").to_string();
        for wanted in ["stop.csv:2:1: phone: `12` is not a phone number", "stop.csv:4:1: phone: must not be empty"] {
            assert!(faults.contains(wanted), "{wanted} in\n{faults}");
        }
        assert!(read_opt_outs("stop.csv", "number\n", "US").is_err_and(|e| e.to_string().contains("`phone` is missing")));
    }
}
