//! The rows of a bulk statement, written out as its one JSON parameter as they come.
//!
//! Why not `json!`: it builds a tree of values first, and drops it again, for every row of every hot statement.

use super::StoreError;

/// Rows on their way into a bulk statement.
#[derive(Debug)]
pub(super) struct Rows(Result<Vec<u8>, serde_json::Error>);

/// One row: its columns in order, as JSON, without the brackets.
#[derive(Debug, Default)]
pub(super) struct Row {
    columns: Vec<u8>,
    failed: Option<serde_json::Error>,
}

impl Row {
    pub(super) fn add<T: serde::Serialize + ?Sized>(&mut self, column: &T) {
        if !self.columns.is_empty() {
            self.columns.push(b',');
        }
        if let Err(e) = serde_json::to_writer(&mut self.columns, column) {
            self.failed = Some(e);
        }
    }

    /// Adds the columns of another row behind these.
    pub(super) fn add_all(&mut self, more: Row) {
        if !self.columns.is_empty() && !more.columns.is_empty() {
            self.columns.push(b',');
        }
        self.columns.extend(more.columns);
        self.failed = self.failed.take().or(more.failed);
    }
}

impl FromIterator<Row> for Rows {
    fn from_iter<I: IntoIterator<Item = Row>>(rows: I) -> Rows {
        let mut text = vec![b'['];
        for row in rows {
            if let Some(e) = row.failed {
                return Rows(Err(e));
            }
            if text.len() > 1 {
                text.push(b',');
            }
            text.push(b'[');
            text.extend_from_slice(&row.columns);
            text.push(b']');
        }
        text.push(b']');
        Rows(Ok(text))
    }
}

impl Rows {
    /// The parameter.
    ///
    /// # Errors
    /// When a column cannot be written as JSON.
    pub(super) fn text(self) -> Result<String, StoreError> {
        let unreadable = |what: String| StoreError::Unreadable(format!("rows that are no JSON ({what})"));
        let text = self.0.map_err(|e| unreadable(e.to_string()))?;
        String::from_utf8(text).map_err(|e| unreadable(e.to_string()))
    }
}

/// One row of a bulk statement.
macro_rules! row {
    ([$($column:expr),* $(,)?]) => {{
        let mut row = $crate::store::rows::Row::default();
        $(row.add(&$column);)*
        row
    }};
}

pub(super) use row;
