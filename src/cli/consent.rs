//! `consent withdraw`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use futures_util::FutureExt;

use super::Failure;
use super::import::{Open, all_or_none, unchanged};
use crate::intake::{read_opt_outs, withdraw as withdraw_all};
use crate::operate::who;

/// Withdraws the consent of everybody on a list of numbers.
pub(super) async fn withdraw(file: &Path, by: &str, dry_run: bool, config: Option<&Path>) -> Result<ExitCode, Failure> {
    let open = Open::new(file, config).await?;
    let done = listed(&open, by, dry_run).await;
    open.close(done, dry_run).await
}

async fn listed(open: &Open, by: &str, dry_run: bool) -> Result<String, Failure> {
    let mut tx = open.app.db.read().await?;
    let by = who(&mut tx, by).await?;
    drop(tx);
    let list = read_opt_outs(&open.name, &open.text, &open.country).map_err(unchanged)?;
    let (rows, kit) = (list.len(), Arc::clone(&open.app.kit));
    let done =
        all_or_none(&open.app.db, dry_run, move |tx| async move { withdraw_all(tx, &kit, &list, by, kit.now()).await }.boxed())
            .await?;
    let unknown = match done.unknown.as_slice() {
        [] => String::new(),
        lines => {
            let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
            format!(" Nobody here has the numbers of {} rows, in lines {}.", lines.len(), lines.join(", "))
        }
    };
    Ok(format!("Rows: {rows}. Consent withdrawn of {} patients; {} had none before.{unknown}", done.patients, done.before))
}
