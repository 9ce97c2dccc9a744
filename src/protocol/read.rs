//! Reads a protocol from TOML, with every fault at its place.

use std::time::Duration;

use jiff::civil::Time as Clock;

use super::{Anchor, Ask, Every, Form, PerUnit, Protocol, Reply, Rule, Step, Test, hash};
use crate::document::{Document, Faults, Table};
use crate::model::{Category, Class, ContentClass, Severity};
use crate::zone::clock;

pub(super) fn protocol(file: &str, text: &str) -> Result<Protocol, Faults> {
    let doc = Document::parse(file, text);
    let root = doc.root();
    let draft = match root.need_text("status").as_str() {
        "draft" => true,
        "signed" => false,
        _ => {
            root.fault("status", "`status` must be \"draft\", or \"signed\" once a clinician has signed it");
            true
        }
    };
    let protocol = Protocol {
        id: root.need_text("id"),
        version: root.int_in("version", 1..=1_000_000, 1),
        title: root.need_text("title"),
        draft,
        sources: root.texts("sources"),
        steps: root.tables("step").iter().map(step).collect(),
        file: file.to_owned(),
        hash: hash(text),
        text: text.to_owned(),
    };
    if protocol.steps.is_empty() {
        root.fault("step", "a protocol needs at least one [[step]]");
    }
    for (table, step) in root.tables("step").iter().zip(&protocol.steps) {
        if protocol.steps.iter().filter(|other| other.id == step.id).count() > 1 {
            table.fault("id", format!("two steps are called `{}`: give each its own name", step.id));
        }
        for (reply, branch) in table.tables("reply").iter().zip(&step.replies) {
            if let Some(then) = &branch.then
                && protocol.step(then).is_none_or(|next| next.anchor != Anchor::Reply)
            {
                reply.fault("then", format!("`then` names `{then}`: there must be a step of that name with anchor = \"reply\""));
            }
        }
        let reached = || protocol.steps.iter().any(|s| s.replies.iter().any(|r| r.then.as_deref() == Some(&step.id)));
        if step.anchor == Anchor::Reply && !reached() {
            table.fault("anchor", format!("nothing leads to step `{}`: name it in a `then`, or remove it", step.id));
        }
    }
    root.finish();
    doc.finish(protocol)
}

fn step(table: &Table<'_, '_>) -> Step {
    let anchor = anchor(table);
    let at = table.text("at").map_or(Clock::midnight(), |text| {
        clock(&text).unwrap_or_else(|| {
            table.fault("at", "`at` must be a local time such as \"09:00\"");
            Clock::midnight()
        })
    });
    if anchor != Anchor::Reply && !table.has("at") {
        table.fault("at", "`at` is missing: give it a local time such as \"09:00\"");
    }
    let minutes = |key: &str, default| Duration::from_secs(60 * table.int_in(key, 1..=60 * 24 * 30, default).unsigned_abs());
    let asks = table.table("asks").map(ask);
    let rules: Vec<_> = table.tables("rule").into_iter().map(rule).collect();
    if !rules.is_empty() && !matches!(asks.as_ref().map(|a| &a.form), Some(Form::Number(_))) {
        table.fault("rule", "rules compare numbers: this step needs asks.kind = \"number\"");
    }
    Step {
        id: table.need_text("id"),
        anchor,
        at,
        message: table.need_text("message"),
        message_at: table.place_of("message").start,
        class: table.need_parsed("class", "\"question\" or \"reminder\"", Class::Question),
        content: table.need_parsed("content", "\"logistics\", \"care\" or \"clinical\"", ContentClass::Clinical),
        late_within: minutes("late_within_minutes", 240),
        open_for: minutes("open_for_minutes", 720),
        asks,
        rules,
        replies: table.tables("reply").into_iter().map(reply).collect(),
    }
    .finished(table)
}

impl Step {
    fn finished(self, table: &Table<'_, '_>) -> Step {
        table.check_unknown();
        self
    }
}

fn anchor(table: &Table<'_, '_>) -> Anchor {
    let every = table.text("every");
    let days_before = table.int("days_before");
    match table.need_text("anchor").as_str() {
        "enrolment" => Anchor::Enrolment(match every.as_deref() {
            Some("day") => Every::Day,
            Some("week") => Every::Week,
            Some(text) if text.ends_with(" days") => match text.trim_end_matches(" days").parse() {
                Ok(n @ 2..=365) => Every::Days(n),
                _ => {
                    table.fault("every", "`every` must name 2 to 365 days, such as \"3 days\"");
                    Every::Day
                }
            },
            _ => {
                table.fault("every", "`every` must be \"day\", \"week\" or such as \"3 days\"");
                Every::Day
            }
        }),
        "visit" => match days_before.map(u16::try_from) {
            Some(Ok(days_before @ 0..=60)) => Anchor::Visit { days_before },
            _ => {
                table.fault("days_before", "`days_before` must be from 0 to 60");
                Anchor::Visit { days_before: 1 }
            }
        },
        "reply" => Anchor::Reply,
        "" => Anchor::Reply,
        other => {
            table.fault("anchor", format!("`{other}` is no anchor: use enrolment, visit or reply"));
            Anchor::Reply
        }
    }
}

fn ask(table: Table<'_, '_>) -> Ask {
    let form = match table.need_text("kind").as_str() {
        "yes_no" => Form::YesNo,
        "number" => Form::Number(PerUnit { lb: range(&table, "lb"), kg: range(&table, "kg") }),
        "choice" => Form::Choice(usize::try_from(table.int_in("options", 2..=9, 2)).unwrap_or(2)),
        "scale" => {
            let (min, max) = (table.int_in("min", -100..=100, 0), table.int_in("max", -100..=100, 10));
            if min >= max {
                table.fault("max", "`max` must be above `min`");
            }
            Form::Scale(min, max)
        }
        "text" | "" => Form::Text,
        "confirm_reschedule_cancel" => Form::Visit,
        other => {
            table.fault(
                "kind",
                format!("`{other}` is no kind: use yes_no, number, choice, scale, text or confirm_reschedule_cancel"),
            );
            Form::Text
        }
    };
    let reading = table.text("reading");
    if form != Form::Visit && reading.is_none() {
        table.fault("reading", "`reading` is missing: name what the answer is kept as");
    }
    table.finish();
    Ask { form, reading }
}

fn range(table: &Table<'_, '_>, key: &str) -> (f64, f64) {
    match table.numbers(key).as_slice() {
        [low, high] if low < high => (*low, *high),
        _ => {
            table.fault(key, format!("`{key}` must be the plausible range, lowest and highest, such as [60, 700]"));
            (0.0, 1.0)
        }
    }
}

fn rule(table: Table<'_, '_>) -> Rule {
    let by = PerUnit { lb: amount(&table, "lb"), kg: amount(&table, "kg") };
    let days = u16::try_from(table.int_in("days", 1..=90, 1)).unwrap_or(1);
    let test = match table.need_text("test").as_str() {
        "rise" => Test::Rise { days, by },
        "fall" => Test::Fall { days, by },
        "at_least" => Test::AtLeast(by),
        "at_most" => Test::AtMost(by),
        "" => Test::AtLeast(by),
        other => {
            table.fault("test", format!("`{other}` is no test: use rise, fall, at_least or at_most"));
            Test::AtLeast(by)
        }
    };
    let rule = Rule {
        test,
        severity: severity(&table),
        category: table.need_parsed("category", "what it is about, such as \"symptom\"", Category::Symptom),
        sentence: table.need_text("sentence"),
    };
    table.finish();
    rule
}

fn amount(table: &Table<'_, '_>, key: &str) -> f64 {
    table.number(key).filter(|n| *n > 0.0).unwrap_or_else(|| {
        table.fault(key, format!("`{key}` is missing: give the number in {key}, above 0"));
        1.0
    })
}

fn severity(table: &Table<'_, '_>) -> Severity {
    let severity = table.need_parsed("severity", "\"routine\", \"urgent\" or \"emergency\"", Severity::Routine);
    if severity == Severity::None {
        table.fault("severity", "`severity` must be routine, urgent or emergency: what needs nobody needs no rule");
    }
    severity
}

fn reply(table: Table<'_, '_>) -> Reply {
    let on: Vec<String> = table.need_text("on").split(',').map(|word| word.trim().to_lowercase()).collect();
    if let Some(word) = on.iter().find(|w| !matches!(w.as_str(), "any" | "yes" | "no") && w.parse::<i64>().is_err()) {
        table.fault("on", format!("`{word}` is no answer: use any, yes, no or numbers"));
    }
    let open = table.has("severity").then(|| {
        (
            severity(&table),
            table.need_parsed("category", "what it is about", Category::ContactRequest),
            table.need_text("sentence"),
        )
    });
    let reply = Reply { on, say: table.text("say"), say_at: table.place_of("say").start, then: table.text("then"), open };
    table.finish();
    reply
}

#[cfg(test)]
mod tests {
    use super::super::SHIPPED;
    use super::*;

    #[test]
    fn the_shipped_protocols_read_clean_and_are_drafts() {
        for (file, text) in SHIPPED {
            let read = protocol(file, text).unwrap_or_else(|e| panic!("{e}"));
            assert!(read.draft && !read.sources.is_empty(), "{file}");
        }
    }

    #[test]
    fn every_fault_of_a_broken_protocol_is_named_with_its_line() {
        let text = r#"id = "x"
title = "X"
status = "draft"
[[step]]
id = "a"
anchor = "enrolment"
every = "fortnight"
at = "25:00"
message = "m"
class = "question"
content = "care"
[step.asks]
kind = "number"
reading = "weight"
lb = [60, 700]
[[step.rule]]
test = "rise"
lb = 3.0
kg = 1.4
severity = "none"
category = "symptom"
sentence = "s"
[[step.reply]]
on = "maybe"
then = "nowhere"
"#;
        let faults = protocol("p.toml", text).expect_err("faults").to_string();
        for wanted in [
            "p.toml:7:9: `every`",
            "p.toml:8:6: `at`",
            "`kg` must be the plausible range",
            "p.toml:20:12: `severity`",
            "`maybe` is no answer",
            "`then` names `nowhere`",
        ] {
            assert!(faults.contains(wanted), "{wanted} in\n{faults}");
        }
    }
}
