//! Reads what people write (configuration, protocols, rule packs, the demo's panel) and says every
//! fault at once, each with file, line, column and remedy.
//!
//! A [`Table`] hands out typed values and keeps quiet about what is right. Every key that nobody asked
//! for is a fault when the table is [finished](Table::finish).

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde_spanned::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// Something wrong in a file, with its place and what to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file as its reader knows it.
    pub file: String,
    /// Line, from 1; `0` where the fault has no place in the file.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong and what to do about it.
    pub what: String,
}

impl Fault {
    /// A fault of a whole file.
    pub fn whole(file: impl Into<String>, what: impl Into<String>) -> Fault {
        Fault { file: file.into(), line: 0, column: 0, what: what.into() }
    }

    /// A fault at a byte offset of `text`.
    pub fn at(file: impl Into<String>, text: &str, offset: usize, what: impl Into<String>) -> Fault {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Fault {
            file: file.into(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            what: what.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.file, self.what)
        } else {
            write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.what)
        }
    }
}

/// All that is wrong, one fault a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Faults(pub Vec<Fault>);

/// A TOML file being read.
#[derive(Debug)]
pub struct Document<'t> {
    file: String,
    text: &'t str,
    root: Spanned<DeTable<'t>>,
    faults: RefCell<Vec<Fault>>,
}

impl<'t> Document<'t> {
    /// Parses `text`. Syntax errors are faults like any other.
    #[must_use]
    pub fn parse(file: &str, text: &'t str) -> Document<'t> {
        let (root, errors) = DeTable::parse_recoverable(text);
        let faults = errors
            .iter()
            .map(|e| Fault::at(file, text, e.span().map_or(0, |s| s.start), format!("this is not TOML: {}", e.message())))
            .collect();
        Document { file: file.to_owned(), text, root, faults: RefCell::new(faults) }
    }

    /// The top of the file.
    #[must_use]
    pub fn root(&self) -> Table<'_, 't> {
        Table::new(self, self.root.get_ref(), String::new(), self.root.span())
    }

    /// Notes a fault at a place that a [`Table`] handed out.
    pub fn fault(&self, place: &Range<usize>, what: impl Into<String>) {
        self.faults.borrow_mut().push(Fault::at(self.file.clone(), self.text, place.start, what));
    }

    /// The value, if nothing was wrong.
    ///
    /// # Errors
    /// Every fault noted, in the order of the file.
    pub fn finish<T>(self, value: T) -> Result<T, Faults> {
        let mut faults = self.faults.into_inner();
        if faults.is_empty() {
            return Ok(value);
        }
        faults.sort();
        faults.dedup();
        Err(Faults(faults))
    }
}

/// One table of a [`Document`].
#[derive(Debug)]
pub struct Table<'d, 't> {
    doc: &'d Document<'t>,
    table: &'d DeTable<'t>,
    path: String,
    span: Range<usize>,
    asked: RefCell<BTreeSet<String>>,
}

impl<'d, 't> Table<'d, 't> {
    fn new(doc: &'d Document<'t>, table: &'d DeTable<'t>, path: String, span: Range<usize>) -> Table<'d, 't> {
        Table { doc, table, path, span, asked: RefCell::default() }
    }

    /// Where the table begins.
    #[must_use]
    pub fn place(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Where the value of `key` stands, or the table if there is none.
    #[must_use]
    pub fn place_of(&self, key: &str) -> Range<usize> {
        self.table.get(key).map_or_else(|| self.place(), Spanned::span)
    }

    /// Notes a fault at `key`, or at the table if there is no such key.
    pub fn fault(&self, key: &str, what: impl Into<String>) {
        self.doc.fault(&self.place_of(key), what);
    }

    /// Whether `key` is there.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The keys, in order. Asking for them counts as asking for none of them.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.table.keys().map(|k| k.get_ref().to_string()).collect()
    }

    fn get(&self, key: &str) -> Option<&'d DeValue<'t>> {
        self.asked.borrow_mut().insert(key.to_owned());
        self.table.get(key).map(Spanned::get_ref)
    }

    fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn wrong(&self, key: &str, wanted: &str) {
        self.fault(key, format!("`{}` must be {wanted}", self.name(key)));
    }

    /// A text, if it is there.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<String> {
        match self.get(key)? {
            DeValue::String(s) => Some(s.to_string()),
            _ => {
                self.wrong(key, "a text in quotes");
                None
            }
        }
    }

    /// A text that must be there and not be empty; an empty one stands in where it is not.
    #[must_use]
    pub fn need_text(&self, key: &str) -> String {
        match self.text(key) {
            Some(text) if !text.trim().is_empty() => text,
            Some(_) => {
                self.wrong(key, "a text that is not empty");
                String::new()
            }
            None => {
                self.missing(key, "a text in quotes");
                String::new()
            }
        }
    }

    fn missing(&self, key: &str, wanted: &str) {
        if !self.has(key) {
            self.doc.fault(&self.place(), format!("`{}` is missing: give it {wanted}", self.name(key)));
        }
    }

    /// A whole number, if it is there.
    #[must_use]
    pub fn int(&self, key: &str) -> Option<i64> {
        match self.get(key)? {
            DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix()).ok().or_else(|| {
                self.wrong(key, "a smaller number");
                None
            }),
            _ => {
                self.wrong(key, "a whole number");
                None
            }
        }
    }

    /// A whole number within `range`, or `default` where there is none.
    #[must_use]
    pub fn int_in(&self, key: &str, range: std::ops::RangeInclusive<i64>, default: i64) -> i64 {
        match self.int(key) {
            Some(n) if range.contains(&n) => n,
            Some(_) => {
                self.wrong(key, &format!("from {} to {}", range.start(), range.end()));
                default
            }
            None => default,
        }
    }

    /// A number, whole or not, if it is there.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<f64> {
        match self.get(key)? {
            DeValue::Integer(n) => n.as_str().parse().ok(),
            DeValue::Float(n) => n.as_str().parse().ok(),
            _ => {
                self.wrong(key, "a number");
                None
            }
        }
    }

    /// `true` or `false`, if it is there.
    #[must_use]
    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.get(key)? {
            DeValue::Boolean(b) => Some(*b),
            _ => {
                self.wrong(key, "true or false");
                None
            }
        }
    }

    /// A text, number or flag as it is written, if it is there.
    #[must_use]
    pub fn scalar(&self, key: &str) -> Option<String> {
        match self.get(key)? {
            DeValue::String(s) => Some(s.to_string()),
            DeValue::Integer(n) => Some(n.to_string()),
            DeValue::Float(n) => Some(n.to_string()),
            DeValue::Boolean(b) => Some(b.to_string()),
            DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                self.wrong(key, "a text, a number, true or false");
                None
            }
        }
    }

    /// A list of texts; empty if it is not there.
    #[must_use]
    pub fn texts(&self, key: &str) -> Vec<String> {
        self.spanned_texts(key).into_iter().map(|(text, _)| text).collect()
    }

    /// A list of texts, each with its place; empty if it is not there.
    #[must_use]
    pub fn spanned_texts(&self, key: &str) -> Vec<(String, Range<usize>)> {
        let Some(array) = self.array(key, "a list of texts") else { return Vec::new() };
        let mut texts = Vec::new();
        for item in array {
            match item.get_ref() {
                DeValue::String(s) => texts.push((s.to_string(), item.span())),
                _ => self.doc.fault(&item.span(), format!("`{}` must be a list of texts", self.name(key))),
            }
        }
        texts
    }

    fn array(&self, key: &str, wanted: &str) -> Option<&'d DeArray<'t>> {
        match self.get(key)? {
            DeValue::Array(array) => Some(array),
            _ => {
                self.wrong(key, wanted);
                None
            }
        }
    }

    /// A value that is written as a text, if it is there: a time zone, a language, a word of the model.
    #[must_use]
    pub fn parsed<T: FromStr>(&self, key: &str) -> Option<T>
    where
        T::Err: fmt::Display,
    {
        let text = self.text(key)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(e) => {
                self.fault(key, format!("`{}`: {e}", self.name(key)));
                None
            }
        }
    }

    /// A value that is written as a text and must be there; `stand_in` keeps the reading going where it is not.
    #[must_use]
    pub fn need_parsed<T: FromStr>(&self, key: &str, wanted: &str, stand_in: T) -> T
    where
        T::Err: fmt::Display,
    {
        self.missing(key, wanted);
        self.parsed(key).unwrap_or(stand_in)
    }

    /// A table within this one, if it is there.
    #[must_use]
    pub fn table(&self, key: &str) -> Option<Table<'d, 't>> {
        match self.get(key)? {
            DeValue::Table(table) => Some(Table::new(self.doc, table, self.name(key), self.place_of(key))),
            _ => {
                self.wrong(key, "a table");
                None
            }
        }
    }

    /// The tables of a `[[key]]` list; empty if there are none.
    #[must_use]
    pub fn tables(&self, key: &str) -> Vec<Table<'d, 't>> {
        let Some(array) = self.array(key, "a list of tables") else { return Vec::new() };
        let mut tables = Vec::new();
        for item in array {
            match item.get_ref() {
                DeValue::Table(table) => tables.push(Table::new(self.doc, table, self.name(key), item.span())),
                _ => self.doc.fault(&item.span(), format!("`{}` must be a list of tables", self.name(key))),
            }
        }
        tables
    }

    /// A list of numbers; empty if it is not there.
    #[must_use]
    pub fn numbers(&self, key: &str) -> Vec<f64> {
        let Some(array) = self.array(key, "a list of numbers") else { return Vec::new() };
        let number = |item: &Spanned<DeValue<'t>>| match item.get_ref() {
            DeValue::Integer(n) => n.as_str().parse().ok(),
            DeValue::Float(n) => n.as_str().parse().ok(),
            _ => None,
        };
        array
            .iter()
            .filter_map(|item| {
                number(item).or_else(|| {
                    self.doc.fault(&item.span(), format!("`{}` must be a list of numbers", self.name(key)));
                    None
                })
            })
            .collect()
    }

    /// Notes every key that nobody asked for, and ends with it.
    pub fn finish(self) {
        self.check_unknown();
    }

    /// Notes every key that nobody has asked for so far.
    pub fn check_unknown(&self) {
        let asked = self.asked.borrow();
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if asked.contains(name) {
                continue;
            }
            let near = asked.iter().filter(|known| distance(known, name) <= 2).min_by_key(|known| distance(known, name));
            let remedy = match near {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("known here: {}", asked.iter().cloned().collect::<Vec<_>>().join(", ")),
            };
            self.doc.fault(&key.span(), format!("`{}` is not a key of this table; {remedy}", self.name(name)));
        }
    }
}

/// Edits between two words (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let next = (diagonal + usize::from(x != *y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = row[j + 1];
            row[j + 1] = next;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_comes_at_once_with_its_place_and_remedy() {
        let text = "name = 3\nport = \"x\"\n[inner]\nlisten = \"a\"\nlistne = \"b\"\n";
        let doc = Document::parse("a.toml", text);
        let root = doc.root();
        assert_eq!(root.need_text("name"), "");
        assert_eq!(root.int("port"), None);
        assert!(root.need_text("lost").is_empty());
        let inner = root.table("inner").expect("a table");
        assert_eq!(inner.text("listen").as_deref(), Some("a"));
        inner.finish();
        root.finish();
        let faults = doc.finish(()).expect_err("four faults").0.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            faults,
            [
                "a.toml:1:1: `lost` is missing: give it a text in quotes",
                "a.toml:1:8: `name` must be a text in quotes",
                "a.toml:2:8: `port` must be a whole number",
                "a.toml:5:1: `inner.listne` is not a key of this table; did you mean `listen`?",
            ]
        );
    }

    #[test]
    fn broken_syntax_is_a_fault_with_a_line() {
        let doc = Document::parse("a.toml", "a = 1\nb = = 2\n");
        let faults = doc.finish(()).expect_err("a fault").0;
        assert_eq!(faults[0].line, 2);
    }
}
