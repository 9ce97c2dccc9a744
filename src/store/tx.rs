//! A transaction on either database, and the macros that let one SQL text serve both.
//!
//! `$1` placeholders work natively on both. Only five things may differ: how a transaction begins,
//! `FOR UPDATE SKIP LOCKED`, wake-ups, and how many rows pass at once: into a statement as one JSON parameter, out of it as one
//! JSON text. Row by row each would cost a change of threads on the embedded database.

use sqlx::{Postgres, Sqlite, Transaction};

use super::StoreError;
use crate::clock::Time;

/// The channel on which processes wake each other.
pub(super) const BELL: &str = "porchlight";

/// An open transaction. Store functions borrow it and never commit.
#[derive(Debug)]
pub enum Tx {
    /// On the embedded database.
    Sqlite(Transaction<'static, Sqlite>),
    /// On `PostgreSQL`.
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    /// Machine time as all nodes of this database see it: `PostgreSQL`'s clock, or `own` on the embedded database, which has one
    /// process.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn machine_time(&mut self, own: Time) -> Result<Time, StoreError> {
        const NOW: &str = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";
        match self {
            Tx::Sqlite(_) => Ok(own),
            Tx::Postgres(t) => Ok(Time(sqlx::query_scalar::<_, i64>(NOW).fetch_one(&mut **t).await?)),
        }
    }

    /// Wakes the other processes of this database when the transaction commits. The embedded database has one process.
    pub(super) async fn ring(&mut self) -> Result<(), StoreError> {
        if let Tx::Postgres(t) = self {
            sqlx::query("SELECT pg_notify($1, '')").bind(BELL).execute(&mut **t).await?;
        }
        Ok(())
    }

    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Tx::Sqlite(t) => t.commit().await,
            Tx::Postgres(t) => t.commit().await,
        }
    }

    /// The form of a statement that this database reads.
    pub(super) fn pick(&self, sql: &Sql) -> &'static str {
        match self {
            Tx::Sqlite(_) => sql.sqlite,
            Tx::Postgres(_) => sql.postgres,
        }
    }
}

/// One statement in the two places where the databases differ.
#[derive(Debug)]
pub(super) struct Sql {
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

/// Runs one expression against whichever connection the transaction holds.
macro_rules! on {
    ($tx:expr, |$c:ident| $body:expr) => {
        match $tx {
            $crate::store::Tx::Sqlite(t) => {
                let $c = &mut **t;
                $body
            }
            $crate::store::Tx::Postgres(t) => {
                let $c = &mut **t;
                $body
            }
        }
    };
}

/// Runs a statement; gives the number of rows that it touched.
macro_rules! run {
    ($tx:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::store::tx::on!($tx, |c| sqlx::query($sql)$(.bind($bind))*.execute(c).await.map(|done| done.rows_affected()))
    };
}

/// All rows of a query, as `$row`.
macro_rules! all {
    ($tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::store::tx::on!($tx, |c| sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_all(c).await)
    };
}

/// The one row of a query, if there is one, as `$row`.
macro_rules! maybe {
    ($tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::store::tx::on!($tx, |c| sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_optional(c).await)
    };
}

/// A statement whose rows come from one JSON parameter `$1`: a list, of which each element is `value`.
/// `value->>0` is the first column of a row on both databases.
macro_rules! bulk {
    ($head:expr, $tail:literal) => {
        $crate::store::tx::Sql {
            sqlite: concat!($head, " jsonb_each($1) AS j ", $tail),
            postgres: concat!($head, " jsonb_array_elements($1::jsonb) AS j(value) ", $tail),
        }
    };
}

/// A query that passes over rows which another node is working on.
macro_rules! unlocked {
    ($head:literal, $tail:literal) => {
        $crate::store::tx::Sql { sqlite: concat!($head, $tail), postgres: concat!($head, " FOR UPDATE SKIP LOCKED ", $tail) }
    };
}

/// A query of many rows, put together from parts: texts, and in their places
///
/// - `list("a, b" by "c")`: what is selected, as one JSON text of rows in this order. The columns stand in the order of the fields
///   of the struct that [`listed!`] reads them as;
/// - `rows`: the source of rows from the JSON parameter `$1`, as in [`bulk!`];
/// - `unlocked`: at the end of a sub-query, passes over rows which another node is working on;
/// - `locked`: keeps the rows from other nodes until the transaction ends; `locked_message`: those of the table named `m` alone.
macro_rules! sql {
    (@ [$($s:tt)*] [$($p:tt)*]) => {
        $crate::store::tx::Sql { sqlite: concat!($($s)*), postgres: concat!($($p)*) }
    };
    (@ [$($s:tt)*] [$($p:tt)*] list($columns:literal by $order:literal) $($rest:tt)*) => {
        $crate::store::tx::sql!(@
            [$($s)* "SELECT json_group_array(json_array(", $columns, ") ORDER BY ", $order, ") ",]
            [$($p)* "SELECT CAST(COALESCE(json_agg(json_build_array(", $columns, ") ORDER BY ", $order, "), '[]') AS TEXT) ",]
            $($rest)*)
    };
    (@ [$($s:tt)*] [$($p:tt)*] rows $($rest:tt)*) => {
        $crate::store::tx::sql!(@
            [$($s)* " jsonb_each($1) AS j ",] [$($p)* " jsonb_array_elements($1::jsonb) AS j(value) ",] $($rest)*)
    };
    (@ [$($s:tt)*] [$($p:tt)*] unlocked $($rest:tt)*) => {
        $crate::store::tx::sql!(@ [$($s)*] [$($p)* " FOR UPDATE SKIP LOCKED ",] $($rest)*)
    };
    (@ [$($s:tt)*] [$($p:tt)*] locked_message $($rest:tt)*) => {
        $crate::store::tx::sql!(@ [$($s)*] [$($p)* " FOR UPDATE OF m ",] $($rest)*)
    };
    (@ [$($s:tt)*] [$($p:tt)*] locked $($rest:tt)*) => {
        $crate::store::tx::sql!(@ [$($s)*] [$($p)* " FOR UPDATE ",] $($rest)*)
    };
    (@ [$($s:tt)*] [$($p:tt)*] $text:literal $($rest:tt)*) => {
        $crate::store::tx::sql!(@ [$($s)* $text,] [$($p)* $text,] $($rest)*)
    };
    ($first:ident $($rest:tt)*) => { $crate::store::tx::sql!(@ [] [] $first $($rest)*) };
}

/// All rows of a `list` query, each a `$row` that is read from a JSON list.
macro_rules! listed {
    ($tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {{
        let sql = $tx.pick(&$sql);
        let text = $crate::store::tx::on!($tx, |c| sqlx::query_scalar::<_, String>(sql)$(.bind($bind))*.fetch_one(c).await);
        text.map_err($crate::store::StoreError::from).and_then(|text| $crate::store::tx::parse::<$row>(&text))
    }};
}

/// The rows of a `list` query.
pub(super) fn parse<R: serde::de::DeserializeOwned>(text: &str) -> Result<Vec<R>, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::bad_json("rows of a query", &e))
}

/// A flag as `SQLite` (0 or 1) and `PostgreSQL` (false or true) write it in JSON.
pub(super) fn flag<'de, D: serde::Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Flag {
        Bool(bool),
        Number(i64),
    }
    serde::Deserialize::deserialize(from).map(|flag| match flag {
        Flag::Bool(yes) => yes,
        Flag::Number(n) => n != 0,
    })
}

pub(super) use {all, bulk, listed, maybe, on, run, sql, unlocked};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_cannot_be_read_are_not_quoted() {
        let why = parse::<(i64, i64)>(r#"[[1, "Rosa Delgado"]]"#).expect_err("a name is no number").to_string();
        assert!(why.contains("rows of a query") && !why.contains("Rosa"), "{why}");
    }
}
