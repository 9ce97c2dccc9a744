//! `doctor`.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::{environment, say};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::operate::{Report, Standing, examine};

/// Looks at everything and says how it stands.
pub(super) async fn run(config: Option<&Path>, json: bool, full: bool) -> Result<ExitCode, super::Failure> {
    let report = match Config::load(config, &environment) {
        Ok(config) => {
            if full && !json {
                say("Reading every page of the database; this takes about a second for 100 MB…");
            }
            examine(&config, &SystemClock, full).await
        }
        Err(faults) => {
            let mut report = Report::default();
            for fault in faults.0 {
                report.add("settings", Standing::Fail, fault.to_string(), "correct it; `porchlight check` proves it");
            }
            report
        }
    };
    let well = report.worst() < Standing::Fail;
    if json {
        let checks: Vec<_> = report
            .0
            .iter()
            .map(|f| json!({ "check": f.check, "standing": f.standing.as_str().to_lowercase(), "what": f.what, "remedy": f.remedy }))
            .collect();
        say(json!({ "ok": well, "version": env!("CARGO_PKG_VERSION"), "checks": checks }));
    } else {
        report.0.iter().for_each(say);
        say(match report.worst() {
            Standing::Ok => "All is well.",
            Standing::Warn => "It works; look at what is warned of.",
            Standing::Fail => "Something is wrong: do what the lines with FAIL say.",
        });
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
