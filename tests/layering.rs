//! The map of the code holds: which folder may name which, read from the source text.
//!
//! Test modules are left out; comments and texts are blanked, so that only code counts.

#![expect(clippy::expect_used, reason = "a source file that cannot be read is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// From above to below. A module names only modules below its own row.
const ROWS: &[&[&str]] = &[
    &["main"],
    &["cli"],
    &["demo"],
    &["app"],
    &["console", "api", "inbound", "schedule", "delivery", "escalation", "intake", "operate", "sweep"],
    &["kit", "config"],
    &["conversation", "protocol", "triage", "policy", "compose", "gateway", "store"],
    &["model", "clock", "zone", "document", "random", "fault"],
];

/// What a module may name in its own row or above it: nothing else there. Each is in use.
const SIDEWAYS: &[(&str, &str)] = &[
    // The two journeys and the sweeper meet people who wait.
    ("inbound", "escalation"),
    ("delivery", "escalation"),
    ("sweep", "escalation"),
    // The sweeper hands each kind of timer to whom it belongs.
    ("sweep", "delivery"),
    ("sweep", "inbound"),
    ("sweep", "schedule"),
    // Receipts come in and concern what went out; a reply may change what is planned.
    ("inbound", "delivery::apply_receipts"),
    ("inbound", "schedule"),
    ("delivery", "schedule::Question"),
    ("delivery", "schedule::Offers"),
    // Numbers are read the same way in an import and in a callback; an import enrols.
    ("intake", "inbound::phone"),
    ("intake", "schedule"),
    // A release asks people to look at what nobody knows.
    ("operate", "escalation"),
    // Callbacks are verified by their gateway and handed to the receiver.
    ("api", "delivery::Gateways"),
    ("api", "inbound::Receiver"),
    // A coordinator sees beforehand whether a reply may go, and how the ways out do.
    ("console", "delivery::facts_of"),
    ("console", "delivery::Gateways"),
    // A link is kept by the hash under which whoever follows it is looked for.
    ("console", "inbound::token_hash"),
    // Staffed hours are pure, and are configured.
    ("kit", "escalation::hours"),
    ("config", "escalation::hours"),
    // A step of the conversation knows the protocol, the verdict and what can be said.
    ("conversation", "protocol"),
    ("conversation", "triage"),
    ("conversation", "compose"),
    // The texts that a protocol names are looked for when it is read.
    ("protocol", "compose::Catalogue"),
    // Ids and local dates are made of times.
    ("model", "clock"),
    ("zone", "clock"),
];

/// Folders that decide, and never read, write or wait.
const PURE: &[&str] = &["protocol", "policy", "triage", "conversation", "compose"];

/// Nothing pure names these modules and crates.
const NEVER_PURE: &[&str] = &["store", "gateway", "delivery", "app", "kit", "tokio", "sqlx", "reqwest", "rand"];

/// Code lines of a file, tests excluded.
const LONGEST: usize = 520;

/// A source file without its tests, its comments and texts blanked.
struct Source {
    path: String,
    /// The folder or file below `src` that it belongs to.
    home: String,
    /// The path of its module, as `["console", "view"]`.
    module: Vec<String>,
    code: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Source {
        let below = path.strip_prefix("src/").unwrap_or(path).trim_end_matches(".rs").trim_end_matches("/mod");
        let module: Vec<String> = below.split('/').map(str::to_owned).collect();
        let code = without_tests(&blanked(text));
        Source { path: path.to_owned(), home: module[0].clone(), module, code }
    }

    fn line_of(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count() + 1
    }

    /// Every path below the crate's root that is named, with where: `crate::a::b` and `super::…` that leads up to the root.
    fn named(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for root in ["crate::", "porchlight::"] {
            for at in words(&self.code, root) {
                let mut below = Vec::new();
                tree(&self.code[at + root.len()..], "", &mut below);
                found.extend(below.into_iter().map(|path| (at, path)));
            }
        }
        for at in words(&self.code, "super::") {
            if self.code[..at].ends_with("super::") {
                continue;
            }
            let ups = self.code[at..].split("super::").take_while(|between| between.is_empty()).count();
            if ups >= self.module.len() {
                let mut below = Vec::new();
                tree(&self.code[at + ups * "super::".len()..], "", &mut below);
                found.extend(below.into_iter().map(|path| (at, path)));
            }
        }
        found
    }
}

/// Reads one tree of a `use`, or the path of an expression: `a::{b, c::d}` is `a::b` and `a::c::d`. Gives what is left.
fn tree<'t>(text: &'t str, before: &str, found: &mut Vec<String>) -> &'t str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix('}') {
                return after;
            }
            let length = rest.len();
            rest = tree(rest, before, found);
            if let Some((alias, after)) =
                rest.trim_start().strip_prefix("as ").and_then(|r| r.split_once([',', '}']).map(|(a, _)| (a, &r[a.len()..])))
            {
                assert!(!alias.contains(';'), "an alias that does not end");
                rest = after;
            }
            rest = rest.trim_start().strip_prefix(',').unwrap_or(rest);
            assert!(rest.len() < length, "a group that cannot be read");
        }
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let name = &text[..end];
    let path = match (before, name) {
        (_, "self") => before.to_owned(),
        ("", _) => name.to_owned(),
        _ => format!("{before}::{name}"),
    };
    let rest = if end == 0 { text.strip_prefix('*').unwrap_or(text) } else { &text[end..] };
    match rest.strip_prefix("::") {
        // `::<` begins a type's arguments: the path has ended.
        Some(deeper) if !deeper.starts_with('<') => tree(deeper, &path, found),
        _ => {
            found.push(path);
            rest
        }
    }
}

/// Where `word` stands on its own: not within a longer name, and not a macro's `$crate`.
fn words(code: &str, word: &str) -> Vec<usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let ends_open = word.ends_with(part);
    code.match_indices(word)
        .filter(|(at, _)| !code[..*at].ends_with(|c: char| part(c) || c == '$'))
        .filter(|(at, _)| !(ends_open && code[at + word.len()..].starts_with(part)))
        .map(|(at, _)| at)
        .collect()
}

/// Comments and texts as spaces; every line stays where it is.
fn blanked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if first == '"' {
            string_end(rest)
        } else if first == 'r' && !out.ends_with(|c: char| c.is_alphanumeric() || c == '_') && raw_end(rest).is_some() {
            raw_end(rest).unwrap_or(1)
        } else if first == '\'' && char_end(rest).is_some() {
            char_end(rest).unwrap_or(1)
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        out.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &rest[length..];
    }
    out
}

fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// The end of `r"…"` or `r#"…"#`, if that is what begins here.
fn raw_end(text: &str) -> Option<usize> {
    let marks = text[1..].chars().take_while(|c| *c == '#').count();
    let body = text.get(1 + marks..)?.strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(marks));
    Some(2 + marks + body.find(&close)? + close.len())
}

/// The end of a character, if it is one and no lifetime.
fn char_end(text: &str) -> Option<usize> {
    let mut inside = text[1..].chars();
    match inside.next()? {
        '\\' => text[3..].find('\'').map(|end| end + 4),
        c => text[1 + c.len_utf8()..].starts_with('\'').then_some(2 + c.len_utf8()),
    }
}

/// Without `#[cfg(test)] mod …`, as lines that say nothing.
fn without_tests(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            out.push_str(line);
            out.push('\n');
            continue;
        }
        out.push('\n');
        let item = lines
            .by_ref()
            .inspect(|_| out.push('\n'))
            .find(|l| !l.trim().is_empty() && !l.trim().starts_with('#'))
            .unwrap_or_default();
        assert!(item.contains("mod "), "tests stand in a module of their own: {item}");
        if !item.trim_end().ends_with(';') {
            break; // a module at the foot of the file
        }
    }
    out
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Files that are compiled for tests only: declared as `#[cfg(test)] mod name;`.
fn test_files(path: &Path, text: &str) -> Vec<PathBuf> {
    let folder = if path.ends_with("mod.rs") { path.parent().expect("a folder").to_owned() } else { path.with_extension("") };
    text.split("#[cfg(test)]\n")
        .skip(1)
        .filter_map(|after| after.trim_start().strip_prefix("mod ")?.split_once(';'))
        .filter(|(name, _)| !name.contains('{'))
        .map(|(name, _)| folder.join(format!("{name}.rs")))
        .collect()
}

fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    files(&root().join("src"), &mut paths);
    paths.sort();
    let texts: Vec<_> = paths.into_iter().map(|p| (fs::read_to_string(&p).expect("a source file"), p)).collect();
    let tests: BTreeSet<PathBuf> = texts.iter().flat_map(|(text, path)| test_files(path, text)).collect();
    let code = texts.iter().filter(|(_, path)| !tests.contains(path) && !path.ends_with("src/lib.rs"));
    code.map(|(text, path)| Source::new(&path.strip_prefix(root()).expect("below the root").to_string_lossy(), text)).collect()
}

fn row(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

/// Fails with every place that breaks a rule.
fn no(broken: &[String], rule: &str) {
    let list = broken.iter().fold(String::new(), |mut list, one| {
        let _ = write!(list, "\n  {one}");
        list
    });
    assert!(broken.is_empty(), "{rule}:{list}");
}

#[test]
fn every_module_has_its_row() {
    let homes: BTreeSet<String> = sources().into_iter().map(|s| s.home).collect();
    let known: BTreeSet<String> = ROWS.iter().flat_map(|row| row.iter().map(|m| (*m).to_owned())).collect();
    assert_eq!(homes, known, "the rows of this test and the modules below src differ: give the new one its place");
}

#[test]
fn no_arrow_runs_up() {
    let mut broken = Vec::new();
    let mut used: BTreeSet<(&str, &str)> = BTreeSet::new();
    let all = sources();
    for source in &all {
        for (at, path) in source.named() {
            let to = path.split("::").next().unwrap_or_default();
            let (Some(from), Some(below)) = (row(&source.home), row(to)) else { continue };
            if to == source.home || below > from {
                continue;
            }
            let stated = SIDEWAYS
                .iter()
                .find(|(who, what)| *who == source.home && (path == *what || path.starts_with(&format!("{what}::"))));
            match stated {
                Some(one) => drop(used.insert(*one)),
                None => broken.push(format!("{}:{}: {} names {path}", source.path, source.line_of(at), source.home)),
            }
        }
    }
    no(&broken, "a module names only what is below it, and what is stated in SIDEWAYS");
    let unused: Vec<String> = SIDEWAYS
        .iter()
        .filter(|one| !used.contains(*one))
        .map(|(who, what)| format!("{who} names {what} no more: take the line away"))
        .collect();
    no(&unused, "an exception that nobody needs is none");
}

#[test]
fn no_two_modules_of_a_row_need_each_other() {
    let mut needs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (who, what) in SIDEWAYS {
        let to = what.split("::").next().unwrap_or_default();
        if row(who) == row(to) {
            needs.entry(who).or_default().insert(to);
        }
    }
    let mut left: BTreeSet<&str> = needs.keys().copied().collect();
    while let Some(free) = left.iter().copied().find(|m| needs[m].iter().all(|to| !left.contains(to))) {
        left.remove(free);
    }
    assert!(left.is_empty(), "they go in a circle: {left:?}");
}

#[test]
fn what_is_pure_reads_writes_and_waits_for_nothing() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|s| PURE.contains(&s.home.as_str())) {
        let mut found = |at: usize, what: &str| broken.push(format!("{}:{}: names {what}", source.path, source.line_of(at)));
        for (at, path) in source.named() {
            if NEVER_PURE.contains(&path.split("::").next().unwrap_or_default()) {
                found(at, &path);
            }
        }
        for name in NEVER_PURE {
            words(&source.code, name)
                .into_iter()
                .filter(|at| source.code[at + name.len()..].starts_with("::"))
                .for_each(|at| found(at, name));
        }
        for clock in ["SystemTime", "Instant", "std::fs", "std::net", "std::env", "std::process", "std::thread"] {
            for at in words(&source.code, clock) {
                found(at, clock);
            }
        }
        for reading in [".now()", ".machine()"] {
            source.code.match_indices(reading).for_each(|(at, _)| found(at, reading));
        }
    }
    no(&broken, "protocol, policy, triage, conversation and compose are pure: what they need is passed in");
}

/// One thing that only some files may name.
struct Only {
    rule: &'static str,
    names: &'static [&'static str],
    homes: &'static [&'static str],
}

#[test]
fn each_power_has_one_home() {
    let rules = [
        Only { rule: "only store speaks to the database", names: &["sqlx"], homes: &["store"] },
        Only { rule: "only gateway speaks HTTP to providers", names: &["reqwest"], homes: &["gateway"] },
        Only {
            rule: "only clock reads the machine's time",
            names: &["SystemTime", "Timestamp::now", "Zoned::now"],
            homes: &["clock"],
        },
        Only { rule: "only random makes randomness", names: &["rand"], homes: &["random"] },
        Only { rule: "only operate starts other programs", names: &["tokio::process", "process::Command"], homes: &["operate"] },
        Only {
            rule: "only app and the command line start tasks, so that all of them end",
            names: &["TaskTracker", "JoinSet", "tokio::spawn", "task::spawn", "spawn_local", "thread::spawn"],
            homes: &["app", "main", "cli"],
        },
    ];
    let all = sources();
    for Only { rule, names, homes } in rules {
        let mut broken = Vec::new();
        let mut at_home = false;
        for source in &all {
            for name in names {
                for at in words(&source.code, name) {
                    if homes.contains(&source.home.as_str()) {
                        at_home = true;
                    } else {
                        broken.push(format!("{}:{}: names {name}", source.path, source.line_of(at)));
                    }
                }
            }
        }
        no(&broken, rule);
        assert!(at_home, "{rule}: but {names:?} was found nowhere, so this test looks for the wrong thing");
    }
}

#[test]
fn no_file_is_too_long_to_be_read() {
    let long = |s: &Source| s.code.trim_end().lines().count();
    let broken: Vec<String> =
        sources().iter().filter(|s| long(s) >= LONGEST).map(|s| format!("{}: {} lines", s.path, long(s))).collect();
    no(&broken, "a file has fewer than 520 lines without its tests");
}

#[test]
fn the_reader_of_sources_sees_what_it_must_see() {
    let text = r##"
//! use crate::comment::Never;
use crate::{store::{Db, tx::{self, Tx}}, clock as watch, zone};
use super::super::gateway::Gateway; // use crate::comment::Neither;
/* crate::block */
const A: &str = "crate::text \" crate::text"; const B: &str = r#"crate::raw " crate::raw"#; const C: char = '"';
fn f<'a>(x: &'a str) -> char { crate::model::hex(x); $crate::macro_only(); mycrate::no(); '\'' }
fn g() { crate::kit::Kit::<u8>::new(); clock.now() }
#[cfg(test)]
mod other;
fn h() { crate::random::Dice::seeded(1) }
#[cfg(test)]
mod tests {
    use crate::only::Tests;
}
"##;
    let source = Source::new("src/console/view/text.rs", text);
    assert_eq!((source.home.as_str(), source.module.len()), ("console", 3));
    let mut named: Vec<String> = source.named().into_iter().map(|(_, path)| path).collect();
    named.sort();
    assert_eq!(
        named,
        ["clock", "kit::Kit", "model::hex", "random::Dice::seeded", "store::Db", "store::tx", "store::tx::Tx", "zone"]
    );
    let line = |what: &str| source.line_of(source.code.find(what).expect(what));
    assert_eq!((line("crate::kit"), line("crate::random")), (8, 11));

    let shallow = Source::new("src/console/text.rs", text);
    assert!(shallow.named().iter().any(|(_, path)| path == "gateway::Gateway"), "two steps up from there is the root");
    assert_eq!(test_files(Path::new("src/console/mod.rs"), text), [Path::new("src/console/other.rs")]);
    assert_eq!(test_files(Path::new("src/console.rs"), text), [Path::new("src/console/other.rs")]);
}
