//! One locale of the catalogue: what its files hold, what is wrong with them, and how a message is put together.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::resolver::ResolverError;
use fluent_bundle::resolver::errors::ReferenceKind;
use fluent_bundle::{FluentArgs, FluentError, FluentResource, FluentValue};
use fluent_syntax::ast;
use unic_langid::LanguageIdentifier;

use super::args::{Arg, Args, Style};
use super::catalogue::RenderError;
use super::moment;
use crate::document::Fault;
use crate::model::Lang;
use crate::zone::Zone;

/// The messages of one locale.
pub(super) struct Voice {
    bundle: FluentBundle<FluentResource>,
    messages: BTreeMap<String, Message>,
    draft: bool,
}

/// What a message needs, and where it stands.
struct Message {
    variables: BTreeSet<String>,
    references: BTreeSet<String>,
    options: Vec<String>,
    place: Fault,
}

impl Voice {
    pub(super) fn new(lang: Lang) -> Voice {
        let rules: LanguageIdentifier = plural_rules(lang).parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![rules]);
        bundle.set_use_isolating(false);
        bundle.set_formatter(Some(if has_decimal_comma(lang) { with_comma } else { with_point }));
        Voice { bundle, messages: BTreeMap::new(), draft: false }
    }

    pub(super) fn add(&mut self, file: &str, text: String, faults: &mut Vec<Fault>) {
        let resource = match FluentResource::try_new(text) {
            Ok(resource) => resource,
            Err((resource, errors)) => {
                faults.extend(errors.iter().map(|e| {
                    let what = format!("this is not Fluent: {}; write `name = words`, further lines indented", e.kind);
                    Fault::at(file, resource.source(), e.pos.start, what)
                }));
                return;
            }
        };
        let source = resource.source();
        for entry in resource.entries() {
            match entry {
                ast::Entry::Message(message) => {
                    let name = message.id.name;
                    let at = name.as_ptr().addr() - source.as_ptr().addr();
                    let mut found = Message {
                        variables: BTreeSet::new(),
                        references: BTreeSet::new(),
                        options: Vec::new(),
                        place: Fault::at(file, source, at, String::new()),
                    };
                    match &message.value {
                        Some(pattern) => found.read_pattern(pattern),
                        None => faults.push(found.fault(format!("`{name}` has no words: give it some"))),
                    }
                    if let Err(what) = found.read_options(message) {
                        faults.push(found.fault(what));
                    }
                    if let Some(first) = self.messages.get(name) {
                        let what = format!("`{name}` is there already, in line {} of {}", first.place.line, first.place.file);
                        faults.push(found.fault(what));
                    } else {
                        self.messages.insert(name.to_owned(), found);
                    }
                }
                ast::Entry::Term(_)
                | ast::Entry::Comment(_)
                | ast::Entry::GroupComment(_)
                | ast::Entry::ResourceComment(_)
                | ast::Entry::Junk { .. } => {}
            }
        }
        // Fluent's reader passes over comments.
        match source.lines().find_map(|line| line.strip_prefix("### Status:")).map(str::trim) {
            Some(status) if status.starts_with("reviewed") => {}
            Some(status) if status.starts_with("draft") => self.draft = true,
            Some(_) | None => {
                faults.push(Fault::whole(
                    file,
                    "nothing says whether a person has reviewed it: begin with `### Status: draft` or `### Status: reviewed`",
                ));
            }
        }
        // Its only complaint is a name used twice, which is noted above; the first one stays.
        let _ = self.bundle.add_resource(resource);
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.messages.contains_key(key)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.messages.keys().map(String::as_str)
    }

    pub(super) fn options(&self, key: &str) -> &[String] {
        self.messages.get(key).map_or(&[], |message| &message.options)
    }

    /// Whether any of its files has not been reviewed.
    pub(super) fn is_draft(&self) -> bool {
        self.draft
    }

    pub(super) fn check_references(&self, faults: &mut Vec<Fault>) {
        for message in self.messages.values() {
            for name in message.references.iter().filter(|name| !self.messages.contains_key(*name)) {
                faults.push(message.fault(format!("there is no message `{name}` in this language: write it, or its words here")));
            }
        }
    }

    pub(super) fn check_arguments(&self, english: &Voice, faults: &mut Vec<Fault>) {
        for (key, message) in &self.messages {
            if !english.messages.contains_key(key) {
                faults.push(message.fault(format!("`{key}` is not an English message: add it there or drop it here")));
                continue;
            }
            let (here, there) = (message.options.len(), english.options(key).len());
            if here != there {
                faults.push(message.fault(format!("`{key}` has {here} options and {there} in English: give it the same")));
            }
            let known = english.arguments(key);
            for name in self.arguments(key).difference(&known) {
                let known = known.iter().map(|known| format!("${known}")).collect::<Vec<_>>().join(", ");
                faults.push(message.fault(format!("`{key}` has no argument `${name}`; it has: {known}")));
            }
        }
    }

    pub(super) fn arguments(&self, key: &str) -> BTreeSet<&str> {
        let (mut names, mut seen, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![key]);
        while let Some(key) = open.pop() {
            let Some(message) = self.messages.get(key).filter(|_| seen.insert(key)) else { continue };
            names.extend(message.variables.iter().map(|name| name.strip_suffix(STYLE).unwrap_or(name)));
            open.extend(message.references.iter().map(String::as_str));
        }
        names
    }

    pub(super) fn render(&self, lang: Lang, key: &str, args: &Args) -> Result<String, RenderError> {
        let pattern = self
            .bundle
            .get_message(key)
            .and_then(|message| message.value())
            .ok_or_else(|| RenderError::UnknownKey(key.to_owned()))?;
        let mut values = FluentArgs::new();
        let needed = self.arguments(key);
        for (name, arg) in args.0.iter().filter(|(name, _)| needed.contains(name.as_str())) {
            put(&mut values, lang, name, arg).map_err(|why| RenderError::BadArgument {
                key: key.to_owned(),
                argument: name.clone(),
                why,
            })?;
        }
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(&values), &mut errors);
        match errors.first() {
            None => Ok(one_full_stop(&text)),
            Some(FluentError::ResolverError(ResolverError::Reference(ReferenceKind::Variable { id }))) => {
                Err(RenderError::MissingArgument { key: key.to_owned(), argument: id.clone() })
            }
            Some(error) => Err(RenderError::Broken { key: key.to_owned(), why: error.to_string() }),
        }
    }
}

impl Message {
    fn fault(&self, what: String) -> Fault {
        Fault { what, ..self.place.clone() }
    }

    /// Reads `.options`: plain words, a slash between the options.
    fn read_options(&mut self, message: &ast::Message<&str>) -> Result<(), String> {
        for attribute in &message.attributes {
            let name = attribute.id.name;
            if name != "options" {
                return Err(format!("`.{name}` is not known: use `.options`"));
            }
            let mut words = String::new();
            for element in &attribute.value.elements {
                match element {
                    ast::PatternElement::TextElement { value } => words.push_str(value),
                    ast::PatternElement::Placeable { .. } => return Err("`.options` takes words only, no braces".to_owned()),
                }
            }
            self.options = words.split('/').map(|option| option.trim().to_owned()).collect();
        }
        Ok(())
    }

    fn read_pattern(&mut self, pattern: &ast::Pattern<&str>) {
        for element in &pattern.elements {
            match element {
                ast::PatternElement::TextElement { .. } => {}
                ast::PatternElement::Placeable { expression } => self.read_expression(expression),
            }
        }
    }

    fn read_expression(&mut self, expression: &ast::Expression<&str>) {
        match expression {
            ast::Expression::Inline(inline) => self.read_inline(inline),
            ast::Expression::Select { selector, variants } => {
                self.read_inline(selector);
                for variant in variants {
                    self.read_pattern(&variant.value);
                }
            }
        }
    }

    fn read_inline(&mut self, inline: &ast::InlineExpression<&str>) {
        match inline {
            ast::InlineExpression::VariableReference { id } => {
                self.variables.insert(id.name.to_owned());
            }
            ast::InlineExpression::MessageReference { id, .. } => {
                self.references.insert(id.name.to_owned());
            }
            ast::InlineExpression::FunctionReference { arguments, .. } => {
                arguments.positional.iter().for_each(|inline| self.read_inline(inline));
            }
            ast::InlineExpression::Placeable { expression } => self.read_expression(expression),
            ast::InlineExpression::StringLiteral { .. }
            | ast::InlineExpression::NumberLiteral { .. }
            | ast::InlineExpression::TermReference { .. } => {}
        }
    }
}

/// A moment `$by` brings `$by-style` along: `date`, `time`, `time-one` (the hour shown is one) or `datetime`.
const STYLE: &str = "-style";

fn put<'a>(values: &mut FluentArgs<'a>, lang: Lang, name: &'a str, arg: &'a Arg) -> Result<(), String> {
    match arg {
        Arg::Text(text) => values.set(name, FluentValue::String(Cow::Borrowed(text))),
        Arg::Number(number) if number.is_finite() => values.set(name, *number),
        Arg::Number(_) => return Err("it is not a finite number".to_owned()),
        Arg::When { ms, zone, style } => {
            let local = zone.parse::<Zone>().map_err(|e| e.to_string())?.local(*ms);
            let text = moment::local_words(lang, local, *style).map_err(|e| e.to_string())?;
            let word = match style {
                Style::Date => "date",
                Style::Time if moment::says_one_o_clock(lang, local) => "time-one",
                Style::Time => "time",
                Style::DateTime => "datetime",
            };
            values.set(name, text);
            values.set(format!("{name}{STYLE}"), word);
        }
    }
    Ok(())
}

/// An argument as it stands in a text of `lang`; nothing if it cannot be said.
pub(super) fn said(lang: Lang, arg: &Arg) -> Option<String> {
    match arg {
        Arg::Text(text) => Some(text.clone()),
        Arg::Number(number) if number.is_finite() && has_decimal_comma(lang) => Some(number.to_string().replace('.', ",")),
        Arg::Number(number) => number.is_finite().then(|| number.to_string()),
        Arg::When { ms, zone, style } => moment::local_words(lang, zone.parse::<Zone>().ok()?.local(*ms), *style).ok(),
    }
}

/// The language whose plural rules Fluent applies. Its data lacks Haitian Creole, which has one form for every
/// number, as Chinese; Yiddish has the rule of English (CLDR).
const fn plural_rules(lang: Lang) -> &'static str {
    match lang {
        Lang::En | Lang::Yi => "en",
        Lang::Es => "es",
        Lang::ZhHans | Lang::ZhHant | Lang::Ht => "zh",
        Lang::Ru => "ru",
        Lang::Bn => "bn",
        Lang::Ko => "ko",
        Lang::It => "it",
        Lang::Ar => "ar",
        Lang::Pl => "pl",
        Lang::Fr => "fr",
        Lang::Ur => "ur",
    }
}

/// Whether the language writes 182,4. Spanish is that of the United States, which writes 182.4 (CLDR).
const fn has_decimal_comma(lang: Lang) -> bool {
    match lang {
        Lang::Ru | Lang::It | Lang::Pl | Lang::Fr => true,
        Lang::En | Lang::Es | Lang::ZhHans | Lang::ZhHant | Lang::Yi | Lang::Bn | Lang::Ko | Lang::Ht | Lang::Ar | Lang::Ur => {
            false
        }
    }
}

fn with_point<M>(value: &FluentValue<'_>, _: &M) -> Option<String> {
    match value {
        FluentValue::Number(number) => Some(number.value.to_string()),
        FluentValue::String(_) | FluentValue::Custom(_) | FluentValue::None | FluentValue::Error => None,
    }
}

fn with_comma<M>(value: &FluentValue<'_>, memo: &M) -> Option<String> {
    with_point(value, memo).map(|number| number.replace('.', ","))
}

/// A sentence that ends in an abbreviation ("2:30 p.m.") ends in one full stop; three dots stay.
fn one_full_stop(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    for run in text.split_inclusive(|c| c != '.') {
        match run.strip_prefix("..").filter(|rest| !rest.starts_with('.')) {
            Some(rest) => {
                tidy.push('.');
                tidy.push_str(rest);
            }
            None => tidy.push_str(run),
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::tests::{catalogue, says};
    use super::super::{Catalogue, RenderError};
    use super::*;
    use crate::clock::Time;

    fn faults(sources: &[(Lang, &str)]) -> Vec<String> {
        catalogue(sources).expect_err("faults").0.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_slip_of_a_translator_is_named_with_its_place() {
        assert_eq!(
            faults(&[(Lang::En, "a = Call\nb Hello\nc = { $x\n")]),
            [
                "en.ftl:3:3: this is not Fluent: Expected a token starting with \"=\"; write `name = words`, further lines indented",
                "en.ftl:5:1: this is not Fluent: Expected a token starting with \"}\"; write `name = words`, further lines indented",
            ],
        );
        assert_eq!(
            faults(&[
                (Lang::En, "a = Call { $phone }\nb = Hello\ne = Well?\n    .options = yes / no\n"),
                (Lang::Es, "a = Llame { $fone }\nb = { c }\nd = x\nb = y\ne = ¿Bien?\n    .options = sí\n    .tone = x\n"),
            ]),
            [
                "es.ftl:2:1: `a` has no argument `$fone`; it has: $phone",
                "es.ftl:3:1: there is no message `c` in this language: write it, or its words here",
                "es.ftl:4:1: `d` is not an English message: add it there or drop it here",
                "es.ftl:5:1: `b` is there already, in line 3 of es.ftl",
                "es.ftl:6:1: `.tone` is not known: use `.options`",
                "es.ftl:6:1: `e` has 1 options and 2 in English: give it the same",
            ],
        );
        let unmarked = Catalogue::from_sources([(Lang::En, "en.ftl", "a = b\n")]).expect_err("a fault");
        assert!(unmarked.to_string().contains("### Status: draft"), "{unmarked}");
    }

    #[test]
    fn a_locale_is_a_draft_until_every_file_of_it_is_reviewed() {
        let of = |second: &str| {
            let files = [("1.ftl", "### Status: reviewed by R. Ortiz\na = b\n"), ("2.ftl", second)];
            Catalogue::from_sources(files.map(|(file, text)| (Lang::Es, file, text))).expect("a catalogue")
        };
        assert!(of("### Status: draft (machine)\nc = d\n").is_draft(Lang::Es));
        assert!(!of("### Status: reviewed by R. Ortiz\nc = d\n").is_draft(Lang::Es));
        assert!(of("### Status: reviewed\nc = d\n").is_draft(Lang::Pl), "a locale that is not there");
    }

    #[test]
    fn numbers_follow_the_language_and_a_plural_rule_exists_for_each() {
        let text = "a = { $n }\nb = { $n ->\n    [one] one\n   *[other] other\n }\n";
        let catalogue = catalogue(&Lang::ALL.map(|lang| (lang, text))).expect("a catalogue");
        let n = |value: f64| Args::new().with("n", value);
        assert_eq!(says(&catalogue, Lang::En, "a", &n(182.4)).0, "182.4");
        assert_eq!(says(&catalogue, Lang::Fr, "a", &n(182.4)).0, "182,4");
        assert_eq!(says(&catalogue, Lang::Ar, "a", &n(10.0)).0, "10");
        let ones = Lang::ALL.map(|lang| says(&catalogue, lang, "b", &n(1.0)).0);
        assert_eq!(
            ones,
            ["one", "one", "other", "other", "one", "one", "one", "other", "other", "one", "one", "one", "one", "one"]
        );
        assert!(matches!(catalogue.render(Lang::En, "a", &n(f64::NAN)), Err(RenderError::BadArgument { .. })));
    }

    #[test]
    fn a_moment_is_said_in_the_language_and_zone_of_the_reader() {
        let catalogue = catalogue(&[
            (Lang::En, "a = By { $by }.\n"),
            (Lang::Es, "a = { $by-style ->\n    [time] Antes de las { $by }.\n    [time-one] Antes de la { $by }.\n   *[other] El { $by }.\n }\n"),
        ])
        .expect("a catalogue");
        let at = |hour: i64, style| Args::new().when("by", Time(1_796_256_000_000 + hour * 3_600_000), "America/New_York", style);
        assert_eq!(says(&catalogue, Lang::En, "a", &at(18, Style::DateTime)).0, "By Thu, Dec 3, 1:00 PM.");
        assert_eq!(says(&catalogue, Lang::Es, "a", &at(18, Style::Time)).0, "Antes de la 1:00 p.m.");
        assert_eq!(says(&catalogue, Lang::Es, "a", &at(19, Style::Time)).0, "Antes de las 2:00 p.m.");
        assert_eq!(says(&catalogue, Lang::Es, "a", &at(19, Style::Date)).0, "El jue, 3 de dic.");
        let lost = Args::new().when("by", Time(0), "Mars/Olympus", Style::Date);
        let error = catalogue.render(Lang::En, "a", &lost).expect_err("no such zone").to_string();
        assert!(error.starts_with("the argument `$by` of the message `a`: unknown time zone `Mars/Olympus`"), "{error}");
    }

    #[test]
    fn two_full_stops_become_one_and_three_stay() {
        assert_eq!(one_full_stop("a p.m.. B... c.. d.."), "a p.m. B... c. d.");
    }
}
