//! Settings: defaults, then the file, then the environment. Every fault comes at once, with its place.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use jiff::civil::Date;

use crate::document::{Document, Fault, Faults, Table};
use crate::escalation::hours::{Hours, Week};
use crate::fault;
use crate::gateway::Gateway;
use crate::policy::OUTER_BOUND;
use crate::protocol::{Protocol, SHIPPED};
use crate::store::Location;
use crate::zone::{self, Zone};

/// The commented default configuration.
pub const DEFAULT: &str = include_str!("../config/default.toml");

/// Where environment variables come from.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// Everything that an operator decides.
#[derive(Debug)]
pub struct Config {
    /// The database.
    pub database: Location,
    /// Where pages and callbacks are served.
    pub listen: SocketAddr,
    /// The address under which the world reaches the service, without a slash at its end.
    pub public_url: String,
    /// Cookies go over TLS only.
    pub secure_cookies: bool,
    /// Where the key of the address hash comes from.
    pub key: Key,
    /// The clinic.
    pub site: Site,
    /// Default hours of a patient's day, in minutes.
    pub window: (i64, i64),
    /// Country of numbers without a country code, ISO 3166.
    pub country: String,
    /// How the outbox is worked.
    pub delivery: Delivery,
    /// The ways out, in the order of preference.
    pub gateways: Vec<Gateway>,
    /// The protocols: shipped, and the clinic's own.
    pub protocols: Vec<Protocol>,
    /// How much is logged.
    pub log: Log,
}

/// Where the key of the address hash comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum Key {
    /// Given.
    Given(String),
    /// Kept in a file, made at the first start.
    File(PathBuf),
}

impl Key {
    /// The key, if it is given or its file is there.
    ///
    /// # Errors
    /// When the file cannot be read, or holds too little.
    pub fn read(&self) -> std::io::Result<Vec<u8>> {
        match self {
            Key::Given(key) => Ok(key.clone().into_bytes()),
            Key::File(path) => match std::fs::read_to_string(path)?.trim() {
                key if key.len() >= 32 => Ok(key.as_bytes().to_vec()),
                _ => Err(std::io::Error::other("it holds less than 32 characters")),
            },
        }
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Key::Given(_) => f.write_str("Given"),
            Key::File(path) => write!(f, "File({})", path.display()),
        }
    }
}

/// The clinic.
#[derive(Debug, Clone)]
pub struct Site {
    /// Legal name.
    pub name: String,
    /// Sender name.
    pub sender: String,
    /// Call-back number.
    pub phone: String,
    /// Where it is.
    pub zone: Zone,
    /// Whose law applies.
    pub jurisdiction: String,
    /// Staffed hours as written.
    pub hours_text: String,
    /// Staffed hours.
    pub hours: Hours,
    /// Closed days as written.
    pub closed: Vec<String>,
    /// Number in danger.
    pub emergency_number: String,
    /// Crisis line.
    pub lifeline_number: String,
}

/// How the outbox is worked.
#[derive(Debug, Clone, Copy)]
pub struct Delivery {
    /// Messages claimed at a time.
    pub batch: i64,
    /// How long a claim holds.
    pub lease: Duration,
    /// How long a doubtful message waits for a receipt.
    pub doubt: Duration,
    /// How long an accepted crisis reply waits for a receipt before the next contact gets it as well; zero: for ever.
    pub crisis_receipt: Duration,
    /// The same for reminders, questions and what staff write.
    pub receipt: Duration,
}

/// How much is logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// error, warn, info, debug or trace.
    pub level: String,
    /// JSON lines instead of text.
    pub json: bool,
}

impl Config {
    /// Reads a configuration file from disk; without one, the defaults.
    ///
    /// # Errors
    /// Every fault of the file, of the environment and of the clinic's own protocols.
    pub fn load(path: Option<&Path>, env: Environment<'_>) -> Result<Config, Faults> {
        let (name, text) = match path {
            None => ("defaults".to_owned(), String::new()),
            Some(path) => {
                let name = path.display().to_string();
                let text = std::fs::read_to_string(path).map_err(|e| {
                    Faults(vec![Fault::whole(
                        &name,
                        format!("cannot be read ({e}): name a file that exists, see config/default.toml"),
                    )])
                })?;
                (name, text)
            }
        };
        Config::parse(&name, &text, env)
    }

    /// Reads a configuration from its text.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(file: &str, text: &str, env: Environment<'_>) -> Result<Config, Faults> {
        let doc = Document::parse(file, text);
        let root = doc.root();
        let mut faults = Vec::new();
        let section = |name: &'static str| root.table(name);

        // What is relative is relative to the file that says so, wherever a command is run.
        let base = Path::new(file).parent().unwrap_or(Path::new("")).to_owned();
        let database = Section::new("database", section("database"), env);
        let location = database.parsed("url", "sqlite:porchlight.db", &mut faults).map(|location| match location {
            Location::Sqlite(path) => Location::Sqlite(base.join(path)),
            Location::Postgres(url) => Location::Postgres(url),
        });
        database.finish();

        let server = Section::new("server", section("server"), env);
        let listen = server.parsed("listen", "127.0.0.1:8080", &mut faults);
        let public_url = server.text("public_url", "http://127.0.0.1:8080").trim_end_matches('/').to_owned();
        if !(public_url.starts_with("http://") || public_url.starts_with("https://")) {
            server.fault("public_url", "`server.public_url` must begin with http:// or https://", &mut faults);
        }
        let secure_cookies = server.parsed("secure_cookies", "true", &mut faults);
        server.finish();

        let security = Section::new("security", section("security"), env);
        let key = match security.text("key", "").as_str() {
            "" => Key::File(base.join(security.text("key_file", "porchlight.key"))),
            short if short.len() < 32 => {
                security.fault("key", "`security.key` must have at least 32 characters: try `openssl rand -hex 32`", &mut faults);
                Key::Given(String::new())
            }
            key => Key::Given(key.to_owned()),
        };
        security.text("key_file", "");
        security.finish();

        let site = site(&Section::new("site", section("site"), env), &mut faults);
        let messages = Section::new("messages", section("messages"), env);
        let window = window(&messages.text("window", "09:00-20:00")).unwrap_or_else(|what| {
            messages.fault("window", &format!("`messages.window` {what}"), &mut faults);
            OUTER_BOUND
        });
        let country = messages.text("country", "US");
        if country.parse::<phonenumber::country::Id>().is_err() {
            messages.fault("country", &format!("`{country}` is no country: use two letters such as US (ISO 3166)"), &mut faults);
        }
        messages.finish();

        let delivery = delivery(&Section::new("delivery", section("delivery"), env), &mut faults);
        let protocols_section = Section::new("protocols", section("protocols"), env);
        let folder = protocols_section.text("folder", "");
        let protocols = protocols((!folder.is_empty()).then(|| base.join(folder)).as_deref(), &mut faults);
        protocols_section.finish();
        let log = log(&Section::new("log", section("log"), env), &mut faults);
        let gateways = gateways(&root, &public_url, env);
        if !gateways.is_empty() {
            let site = Section::new("site", section("site"), env);
            let abroad = country != "US";
            for (key, needed) in [("name", true), ("phone", true), ("emergency_number", abroad), ("lifeline_number", abroad)] {
                if needed && !site.has(key) {
                    site.fault(
                        key,
                        &format!("`site.{key}` is missing: patients are told it, so it must be the clinic's own"),
                        &mut faults,
                    );
                }
            }
        }
        root.finish();

        let config = Config {
            database: location.unwrap_or(Location::Sqlite(PathBuf::new())),
            listen: listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
            public_url,
            secure_cookies: secure_cookies.unwrap_or(true),
            key,
            site,
            window,
            country,
            delivery,
            gateways,
            protocols,
            log,
        };
        match (doc.finish(config), faults) {
            (Ok(config), faults) if faults.is_empty() => Ok(config),
            (Ok(_), faults) => Err(Faults(faults)),
            (Err(Faults(mut all)), faults) => {
                all.extend(faults);
                Err(Faults(all))
            }
        }
    }
}

/// One table of settings, with the environment before it.
struct Section<'d, 't, 'e> {
    name: &'static str,
    table: Option<Table<'d, 't>>,
    env: Environment<'e>,
}

impl<'d, 't, 'e> Section<'d, 't, 'e> {
    fn new(name: &'static str, table: Option<Table<'d, 't>>, env: Environment<'e>) -> Section<'d, 't, 'e> {
        Section { name, table, env }
    }

    fn variable(&self, key: &str) -> String {
        format!("PORCHLIGHT_{}_{}", self.name, key).to_uppercase()
    }

    /// The setting as text: environment, file or default. Numbers and flags are read as they are written.
    fn text(&self, key: &str, default: &str) -> String {
        let written = self.table.as_ref().filter(|t| t.has(key)).map(|t| t.scalar(key));
        (self.env)(&self.variable(key)).or(written.flatten()).unwrap_or_else(|| default.to_owned())
    }

    fn has(&self, key: &str) -> bool {
        (self.env)(&self.variable(key)).is_some() || self.table.as_ref().is_some_and(|t| t.has(key))
    }

    fn parsed<T: FromStr>(&self, key: &str, default: &str, faults: &mut Vec<Fault>) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        match self.text(key, default).parse() {
            Ok(value) => Some(value),
            Err(e) => {
                self.fault(key, &format!("`{}.{key}`: {e}", self.name), faults);
                None
            }
        }
    }

    fn number(&self, key: &str, range: std::ops::RangeInclusive<i64>, default: i64, faults: &mut Vec<Fault>) -> i64 {
        match self.text(key, &default.to_string()).parse() {
            Ok(n) if range.contains(&n) => n,
            _ => {
                let what = format!("`{}.{key}` must be a whole number from {} to {}", self.name, range.start(), range.end());
                self.fault(key, &what, faults);
                default
            }
        }
    }

    /// Notes a fault where the setting came from.
    fn fault(&self, key: &str, what: &str, faults: &mut Vec<Fault>) {
        let variable = self.variable(key);
        if (self.env)(&variable).is_some() {
            faults.push(Fault::whole(format!("environment variable {variable}"), what));
        } else if let Some(table) = &self.table {
            table.fault(key, what);
        } else {
            faults.push(Fault::whole(format!("setting {}.{key}", self.name), what));
        }
    }

    fn finish(self) {
        if let Some(table) = self.table {
            table.finish();
        }
    }
}

fn site(section: &Section<'_, '_, '_>, faults: &mut Vec<Fault>) -> Site {
    let name = section.text("name", "My clinic");
    let zone: Zone = section.parsed("zone", "America/New_York", faults).unwrap_or_else(Zone::utc);
    let hours_text = section.text("hours", "mon-fri 09:00-17:00");
    let week: Option<Week> = section.parsed("hours", "mon-fri 09:00-17:00", faults);
    let closed = section.table.as_ref().map(|t| t.spanned_texts("closed")).unwrap_or_default();
    let mut dates = Vec::new();
    for (text, _) in &closed {
        match text.parse::<Date>() {
            Ok(date) => dates.push(date),
            Err(_) => section.fault("closed", &format!("`{text}` is no date: write it as 2026-11-26"), faults),
        }
    }
    let site = Site {
        sender: section.text("sender", &name),
        name,
        phone: section.text("phone", "(718) 555-0100"),
        zone: zone.clone(),
        jurisdiction: section.text("jurisdiction", "US-NY"),
        hours_text,
        hours: Hours::new(zone, week.unwrap_or_else(Week::never), dates),
        closed: closed.into_iter().map(|(text, _)| text).collect(),
        emergency_number: section.text("emergency_number", "911"),
        lifeline_number: section.text("lifeline_number", "988"),
    };
    if let Some(table) = &section.table {
        table.check_unknown();
    }
    site
}

fn delivery(section: &Section<'_, '_, '_>, faults: &mut Vec<Fault>) -> Delivery {
    let seconds = |n: i64| Duration::from_secs(n.unsigned_abs());
    let delivery = Delivery {
        batch: section.number("batch", 1..=2000, 500, faults),
        lease: seconds(section.number("lease_seconds", fault::least(10)..=3600, 60, faults)),
        doubt: seconds(section.number("doubt_seconds", fault::least(60)..=86_400, 600, faults)),
        crisis_receipt: seconds(section.number("crisis_receipt_seconds", 0..=86_400, 120, faults)),
        receipt: seconds(60 * section.number("receipt_minutes", 0..=10_080, 120, faults)),
    };
    if let Some(table) = &section.table {
        table.check_unknown();
    }
    delivery
}

fn log(section: &Section<'_, '_, '_>, faults: &mut Vec<Fault>) -> Log {
    let level = section.text("level", "info");
    if !["error", "warn", "info", "debug", "trace"].contains(&level.as_str()) {
        section.fault("level", "`log.level` must be error, warn, info, debug or trace", faults);
    }
    let format = section.text("format", "text");
    if !["text", "json"].contains(&format.as_str()) {
        section.fault("format", "`log.format` must be text or json", faults);
    }
    if let Some(table) = &section.table {
        table.check_unknown();
    }
    Log { level, json: format == "json" }
}

fn gateways(root: &Table<'_, '_>, public_url: &str, env: Environment<'_>) -> Vec<Gateway> {
    let mut gateways: Vec<Gateway> = Vec::new();
    for table in root.tables("gateway") {
        let kind = table.need_text("kind");
        if kind.is_empty() {
            continue;
        }
        if let Some(gateway) = Gateway::read(&kind, &table, public_url, env) {
            if gateways.iter().any(|other| other.name() == gateway.name()) {
                table.fault("name", format!("two gateways are called `{}`: give each its own name", gateway.name()));
            }
            gateways.push(gateway);
        }
        table.finish();
    }
    gateways
}

/// The shipped protocols and those of the clinic's folder; one of the clinic's with the same id stands in for the shipped one.
fn protocols(folder: Option<&Path>, faults: &mut Vec<Fault>) -> Vec<Protocol> {
    let mut sources: Vec<(String, String)> =
        SHIPPED.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
    if let Some(folder) = folder {
        match std::fs::read_dir(folder) {
            Ok(entries) => {
                let mut files: Vec<PathBuf> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
                files.sort();
                for path in files.iter().filter(|p| p.extension().is_some_and(|e| e == "toml")) {
                    match std::fs::read_to_string(path) {
                        Ok(text) => sources.push((path.display().to_string(), text)),
                        Err(e) => faults.push(Fault::whole(path.display().to_string(), format!("cannot be read: {e}"))),
                    }
                }
            }
            Err(e) => {
                faults.push(Fault::whole(folder.display().to_string(), format!("the folder of protocols cannot be read: {e}")));
            }
        }
    }
    let mut protocols: Vec<Protocol> = Vec::new();
    for (file, text) in sources {
        match Protocol::parse(&file, &text) {
            Ok(protocol) => {
                protocols.retain(|p| p.id != protocol.id);
                protocols.push(protocol);
            }
            Err(Faults(more)) => faults.extend(more),
        }
    }
    protocols
}

/// `09:00-20:00` in minutes of the day.
///
/// # Errors
/// What is wrong, to stand behind the name of the setting.
pub fn window(text: &str) -> Result<(i64, i64), &'static str> {
    const HOW: &str = "must be written as 09:00-20:00";
    let minutes = |t: &str| zone::clock(t).map(|c| i64::from(c.hour()) * 60 + i64::from(c.minute()));
    let (from, to) = text.split_once('-').ok_or(HOW)?;
    let (from, to) = (minutes(from).ok_or(HOW)?, minutes(to).ok_or(HOW)?);
    if to.min(OUTER_BOUND.1) - from.max(OUTER_BOUND.0) < 60 {
        return Err("must hold at least an hour between 08:00 and 21:00, outside which nobody is written to unasked");
    }
    Ok((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_env(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn the_commented_defaults_are_the_defaults() {
        let without = Config::parse("none", "", &no_env).expect("defaults");
        let text: String = DEFAULT
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(setting) if setting.contains(" = ") && !setting.contains('`') => format!("{setting}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let gateway = text.find("name = \"kannel\"").expect("the sample");
        let text = text[..gateway].replace("key = \"\"\n", "").replace("[\"2026-11-26\", \"2026-12-25\"]", "[]");
        let with = Config::parse("default.toml", &text, &no_env).unwrap_or_else(|e| panic!("{e}"));
        let same = |c: &Config| {
            format!("{:?}", (&c.database, c.listen, &c.public_url, &c.key, &c.site, c.window, &c.country, c.delivery, &c.log))
        };
        assert_eq!(same(&with), same(&without));
    }

    #[test]
    fn the_sample_gateways_of_the_defaults_read() {
        let from = DEFAULT.find("# [[gateway]]").expect("the sample");
        let text = format!("[site]\nname = \"A\"\nphone = \"(718) 555-0100\"\n{}", DEFAULT[from..].replace("# ", ""));
        let env = |name: &str| match name {
            "TELEGRAM_TOKEN" => Some("123456:0123456789abcdef0123".to_owned()),
            _ => (!name.starts_with("PORCHLIGHT")).then(|| "0123456789abcdef0123".to_owned()),
        };
        let config = Config::parse("sample", &text, &env).unwrap_or_else(|e| panic!("{e}"));
        let kinds: Vec<_> = config.gateways.iter().map(Gateway::kind).collect();
        assert_eq!(kinds, ["http", "twilio", "whatsapp", "telegram"]);
    }

    #[test]
    fn wrong_settings_are_all_named_with_line_and_remedy() {
        let text = "[database]\nurl = \"mysql://x\"\n[server]\nlisten = \"everywhere\"\nport = 80\n[site]\nzone = \"Mars\"\nhours = \"always\"\nclosed = [\"26 Nov\"]\n[delivery]\nbatch = \"many\"\n[messages]\nwindow = \"22:00-23:00\"\ncountry = \"Atlantis\"\n";
        let faults = Config::parse("p.toml", text, &no_env).expect_err("faults").to_string();
        for wanted in [
            "p.toml:2:7: `database.url`",
            "p.toml:4:10: `server.listen`",
            "p.toml:5:1: `server.port` is not a key",
            "p.toml:7:8: `site.zone`: unknown time zone `Mars`",
            "p.toml:8:9: `site.hours`",
            "`26 Nov` is no date",
            "p.toml:11:9: `delivery.batch` must be a whole number",
            "p.toml:13:10: `messages.window`",
            "`Atlantis` is no country",
        ] {
            assert!(faults.contains(wanted), "{wanted} in\n{faults}");
        }
    }

    #[test]
    fn the_environment_goes_first_and_its_faults_name_the_variable() {
        let env = |name: &str| (name == "PORCHLIGHT_DATABASE_URL").then(|| "postgres://p@localhost/p".to_owned());
        let config = Config::parse("p.toml", "[database]\nurl = \"sqlite:x.db\"\n", &env).expect("settings");
        assert_eq!(config.database, Location::Postgres("postgres://p@localhost/p".into()));
        let env = |name: &str| (name == "PORCHLIGHT_DELIVERY_BATCH").then(|| "-1".to_owned());
        let faults = Config::parse("p.toml", "", &env).expect_err("a fault").to_string();
        assert!(faults.starts_with("environment variable PORCHLIGHT_DELIVERY_BATCH: "), "{faults}");
    }
}
