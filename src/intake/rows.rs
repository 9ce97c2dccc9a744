//! CSV as people save it: a header, rows, and every fault with its line and column.

use std::collections::HashMap;
use std::str::FromStr;

use jiff::civil::Date;

use crate::document::{Fault, Faults};

/// Reads a whole file row by row. `columns` are those that a file may have with what stands in them, `needed` those that it must.
///
/// # Errors
/// Every fault of the header, or of every row.
pub(super) fn read_rows<T>(
    file: &str,
    text: &str,
    (columns, needed): (&[(&str, &str)], &[&str]),
    mut each: impl FnMut(&mut Row<'_>) -> T,
) -> Result<Vec<T>, Faults> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(false)
        .from_reader(text.trim_start_matches('\u{FEFF}').as_bytes());
    let headers = match reader.headers() {
        Ok(headers) => headers.clone(),
        Err(e) => return Err(Faults(vec![broken(file, &e)])),
    };
    let mut faults = header_faults(file, &headers, columns, needed);
    if !faults.is_empty() {
        return Err(Faults(faults));
    }
    let mut records = Vec::new();
    for row in reader.records() {
        match row {
            Ok(row) => {
                let line = usize::try_from(row.position().map_or(0, csv::Position::line)).unwrap_or(0);
                records.push(each(&mut Row { file, line, headers: &headers, row: &row, faults: &mut faults }));
            }
            Err(e) => faults.push(broken(file, &e)),
        }
    }
    if records.is_empty() && faults.is_empty() {
        faults.push(Fault { file: file.into(), line: 1, column: 1, what: "there is no row below the header".into() });
    }
    if faults.is_empty() { Ok(records) } else { Err(Faults(faults)) }
}

fn header_faults(file: &str, headers: &csv::StringRecord, columns: &[(&str, &str)], needed: &[&str]) -> Vec<Fault> {
    let at = |column, what| Fault { file: file.into(), line: 1, column, what };
    let missing = needed.iter().filter(|name| !headers.iter().any(|h| h == **name));
    let mut faults: Vec<Fault> = missing.map(|name| at(1, format!("the column `{name}` is missing"))).collect();
    for (place, name) in headers.iter().enumerate() {
        if !columns.iter().any(|(known, _)| known == &name) {
            let known = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
            faults.push(at(place + 1, format!("`{name}` is no column; known are {known}")));
        } else if headers.iter().filter(|h| *h == name).count() > 1 {
            faults.push(at(place + 1, format!("the column `{name}` is there twice")));
        }
    }
    faults
}

fn broken(file: &str, e: &csv::Error) -> Fault {
    let line = e.position().map_or(0, |p| usize::try_from(p.line()).unwrap_or(0));
    let what = match e.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("this row has {len} fields, the header has {expected_len}: put quotes around a field that holds a comma")
        }
        csv::ErrorKind::Utf8 { .. } => "this row is not UTF-8: save the file as UTF-8".to_owned(),
        _ => "this is not CSV".to_owned(),
    };
    Fault { file: file.into(), line: line.max(1), column: 1, what }
}

/// One row of a file.
pub(super) struct Row<'r> {
    file: &'r str,
    line: usize,
    headers: &'r csv::StringRecord,
    row: &'r csv::StringRecord,
    faults: &'r mut Vec<Fault>,
}

impl Row<'_> {
    fn column(&self, name: &str) -> usize {
        self.headers.iter().position(|h| h == name).map_or(1, |at| at + 1)
    }

    /// Its line in the file.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// A field; `None` if it is empty or the file has no such column.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let at = self.headers.iter().position(|h| h == name)?;
        self.row.get(at).filter(|field| !field.is_empty())
    }

    /// Notes a fault of a field.
    pub(super) fn fault(&mut self, name: &str, what: impl Into<String>) {
        let (line, column) = (self.line, self.column(name));
        self.faults.push(Fault { file: self.file.to_owned(), line, column, what: format!("{name}: {}", what.into()) });
    }

    /// A field that must not be empty.
    pub(super) fn need(&mut self, name: &str) -> String {
        if let Some(text) = self.get(name) {
            return text.to_owned();
        }
        self.fault(name, "must not be empty");
        String::new()
    }

    /// A field that is read as something else.
    pub(super) fn parsed<T: FromStr>(&mut self, name: &str) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        let text = self.get(name)?.to_owned();
        match text.parse() {
            Ok(value) => Some(value),
            Err(e) => {
                self.fault(name, e.to_string());
                None
            }
        }
    }

    /// A field that is a date.
    pub(super) fn date(&mut self, name: &str) -> Option<Date> {
        let text = self.get(name)?.to_owned();
        let date = text.parse().ok();
        if date.is_none() {
            self.fault(name, format!("`{text}` is no date: write it as 2026-02-28"));
        }
        date
    }

    /// Notes a value that another row has given before.
    pub(super) fn once(&mut self, name: &str, value: String, seen: &mut HashMap<String, usize>) {
        if value.is_empty() {
            return;
        }
        if let Some(first) = seen.get(&value) {
            self.fault(name, format!("`{value}` is in line {first} too: each is given once"));
        } else {
            seen.insert(value, self.line);
        }
    }
}
