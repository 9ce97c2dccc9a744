//! Commands that read JSON lines and print one line for each, in order. A bad line gives an `error` and
//! the exit code 1 at the end.

use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Failure;
use crate::compose::segments as count;
use crate::conversation::understand::{Expects, Reader};
use crate::model::Lang;
use crate::triage::{Context, Triage};

#[derive(Deserialize)]
struct Reply {
    lang: Lang,
    text: String,
    #[serde(default)]
    context: Before,
    expects: Option<Expects>,
}

#[derive(Default, Deserialize)]
struct Before {
    question: Option<String>,
    #[serde(default)]
    previous: Vec<String>,
}

pub(super) fn triage() -> Result<ExitCode, Failure> {
    let triage = Triage::embedded()?;
    each(|line| {
        let reply: Reply = serde_json::from_value(line).map_err(|e| e.to_string())?;
        let context =
            Context { lang: Some(reply.lang), question: reply.context.question.as_deref(), previous: &reply.context.previous };
        let verdict = triage.assess(&reply.text, &context);
        let because: Vec<Value> = verdict
            .because
            .iter()
            .map(|f| json!({ "rule": f.rule, "pack": f.pack, "version": f.pack_version, "sentence": f.sentence, "matched": f.matched }))
            .collect();
        Ok(json!({ "severity": verdict.severity, "categories": verdict.categories, "because": because }))
    })
}

pub(super) fn understand() -> Result<ExitCode, Failure> {
    let reader = Reader::embedded()?;
    each(|line| {
        let reply: Reply = serde_json::from_value(line).map_err(|e| e.to_string())?;
        let intent = reader.intent(&reply.text);
        let mut out = json!({ "intent": intent.as_str() });
        if let Some(expects) = &reply.expects {
            let value = reader.answer(&reply.text, expects, reply.lang).and_then(|answer| answer.value());
            out["value"] = serde_json::to_value(value).map_err(|e| e.to_string())?;
        }
        Ok(out)
    })
}

pub(super) fn segments() -> Result<ExitCode, Failure> {
    each(|line| {
        let text = line.get("text").and_then(Value::as_str).ok_or("`text` is missing: give {\"text\":\"…\"}")?;
        let parts = count(text);
        Ok(json!({ "encoding": parts.encoding.as_str(), "segments": parts.count }))
    })
}

fn each(mut read: impl FnMut(Value) -> Result<Value, String>) -> Result<ExitCode, Failure> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut sound = true;
    for line in std::io::stdin().lock().lines() {
        let line = match line {
            Ok(line) => line,
            Err(e) => {
                sound = false;
                writeln!(out, "{}", json!({ "error": format!("not UTF-8 text: {e}") }))?;
                continue;
            }
        };
        let parsed = serde_json::from_str::<Value>(&line);
        let id = parsed.as_ref().ok().and_then(|v| v.get("id")).cloned();
        let mut answer = match parsed.map_err(|e| format!("not JSON: {e}")).and_then(&mut read) {
            Ok(answer) => answer,
            Err(error) => {
                sound = false;
                json!({ "error": error })
            }
        };
        if let Some(id) = id {
            answer["id"] = id;
        }
        writeln!(out, "{answer}")?;
    }
    out.flush()?;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
