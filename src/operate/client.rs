//! `PostgreSQL`'s own programs. The only place that starts another program.
//!
//! *Invariants:* a password goes by the environment, never on a command line, where every user of the machine reads it. A
//! restored copy and its mark are one transaction: if anything breaks off, there is nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, BufWriter};
use tokio::process::{Child, Command};
use url::Url;

use super::{Contents, OperateError, Say};
use crate::clock::Time;
use crate::kit::FINGERPRINT;
use crate::store::pause;

/// What our driver calls a parameter of the URL, and what `PostgreSQL`'s own programs call it. What they are not told they choose by
/// themselves, and that is a connection which proves nothing about the server.
const NAMES: [(&str, &str); 15] = [
    ("host", "host"),
    ("hostaddr", "hostaddr"),
    ("port", "port"),
    ("user", "user"),
    ("dbname", "dbname"),
    ("application_name", "application_name"),
    ("sslmode", "sslmode"),
    ("ssl-mode", "sslmode"),
    ("sslrootcert", "sslrootcert"),
    ("ssl-root-cert", "sslrootcert"),
    ("ssl-ca", "sslrootcert"),
    ("sslcert", "sslcert"),
    ("ssl-cert", "sslcert"),
    ("sslkey", "sslkey"),
    ("ssl-key", "sslkey"),
];
/// A parameter that concerns our driver alone.
const OURS: &str = "statement-cache-capacity";
/// How many lines of a dump are read between two reports.
const LINES: u64 = 100_000;

/// A server and how to sign in to it.
pub(super) struct Server {
    url: String,
    password: Option<String>,
}

impl Server {
    /// The server of a database's URL, for programs that read it by other rules than our driver.
    ///
    /// # Errors
    /// When it is no URL, or has a parameter that could not be passed on.
    pub(super) fn at(url: &str) -> Result<Server, OperateError> {
        let bad = |_| OperateError::Refused("database.url is no URL: write postgres://USER@HOST/NAME".into());
        let mut url = Url::parse(url).map_err(bad)?;
        let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let mut password = url.password().map(decoded);
        let (mut kept, mut options) = (BTreeMap::new(), Vec::new());
        for (name, value) in url.query_pairs() {
            let option = name.strip_prefix("options[").and_then(|rest| rest.strip_suffix(']'));
            if let Some((_, theirs)) = NAMES.iter().find(|(ours, _)| *ours == name) {
                // The last one counts, whatever it is called; our driver reads it in any case.
                let value = if *theirs == "sslmode" { value.to_ascii_lowercase() } else { value.into_owned() };
                kept.insert(*theirs, value);
            } else if name == "password" {
                password = Some(value.into_owned());
            } else if name == "options" {
                options.push(value.into_owned());
            } else if let Some(option) = option {
                let value = value.replace('\\', r"\\").replace(' ', r"\ ");
                options.push(format!("-c {option}={value}"));
            } else if name != OURS {
                return Err(OperateError::Refused(format!(
                    "database.url has the parameter `{name}`, which means nothing here: correct it, or take it away"
                )));
            }
        }
        if !options.is_empty() {
            kept.insert("options", options.join(" "));
        }
        // A URL that has no host has no password either.
        let _none = url.set_password(None);
        // A plus sign is no space in the eyes of those who read it.
        let written = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let query: Vec<String> = kept.iter().map(|(name, value)| format!("{name}={}", written(value))).collect();
        url.set_query(Some(query.join("&")).as_deref().filter(|query| !query.is_empty()));
        Ok(Server { url: url.into(), password })
    }

    /// Where it is, without who signs in.
    pub(super) fn shown(&self) -> String {
        let url = self.url.split(['?', '#']).next().unwrap_or_default();
        url.rsplit_once('@').map_or_else(|| url.to_owned(), |(_, place)| format!("postgres://{place}"))
    }

    fn command(&self, program: &'static str) -> Command {
        let mut command = Command::new(program);
        command.arg("--no-password").arg(format!("--dbname={}", self.url)).stdin(Stdio::null()).kill_on_drop(true);
        if let Some(password) = &self.password {
            command.env("PGPASSWORD", password);
        }
        command
    }

    /// Writes a consistent dump into an empty file, while others go on writing.
    pub(super) async fn dump(&self, file: &Path) -> Result<(), OperateError> {
        const PROGRAM: &str = "pg_dump";
        let mut command = self.command(PROGRAM);
        command.args(["--format=custom", "--no-owner", "--no-privileges", "--encoding=UTF8"]).arg("--file").arg(file);
        let output = command.stdout(Stdio::null()).output().await.map_err(|e| missing(PROGRAM, &e))?;
        if output.status.success() { Ok(()) } else { Err(failed(PROGRAM, &output.stderr)) }
    }

    /// Restores a dump into the empty database and marks it, in one transaction. Gives what was restored.
    pub(super) async fn restore(&self, file: &Path, now: Time, say: Say<'_>) -> Result<Contents, OperateError> {
        const PROGRAM: &str = "psql";
        let mut command = self.command(PROGRAM);
        command.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse", "--file=-"]);
        command.env("PGOPTIONS", "-c client_min_messages=warning");
        let mut writing = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let child = writing.as_mut().map_err(|e| missing(PROGRAM, e))?;
        let (Some(stdin), Some(mut stderr)) = (child.stdin.take(), child.stderr.take()) else {
            return Err(OperateError::Program { program: PROGRAM, why: "it cannot be spoken to".into() });
        };
        let (begin, end) = pause::script(now);
        let mut said = Vec::new();
        let feed = async {
            let mut to = BufWriter::new(stdin);
            let sent = async {
                to.write_all(begin.as_bytes()).await.map_err(|e| missing(PROGRAM, &e))?;
                let contents = read_dump(file, Some(&mut to), say).await?;
                to.write_all(end.as_bytes()).await.map_err(|e| missing(PROGRAM, &e))?;
                to.flush().await.map_err(|e| missing(PROGRAM, &e))?;
                Ok::<_, OperateError>(contents)
            };
            // Without the end of the script the connection closes, and the transaction is given up.
            let sent = sent.await;
            drop(to);
            sent
        };
        let (sent, _) = tokio::join!(feed, stderr.read_to_end(&mut said));
        let status = child.wait().await.map_err(|e| missing(PROGRAM, &e))?;
        match sent {
            // What the client says goes before what the broken pipe says.
            _ if !status.success() => Err(failed(PROGRAM, &said)),
            sent => sent,
        }
    }
}

/// Reads a whole dump. Gives what it holds.
pub(super) async fn contents(file: &Path, say: Say<'_>) -> Result<Contents, OperateError> {
    read_dump(file, None, say).await
}

/// Reads a dump as SQL, line by line; `to` gets every line.
async fn read_dump(
    file: &Path,
    mut to: Option<&mut (dyn tokio::io::AsyncWrite + Send + Unpin)>,
    say: Say<'_>,
) -> Result<Contents, OperateError> {
    const PROGRAM: &str = "pg_restore";
    let mut command = Command::new(PROGRAM);
    command.args(["--no-owner", "--no-privileges", "--file=-"]).arg(file).stdin(Stdio::null()).kill_on_drop(true);
    let mut child: Child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|e| missing(PROGRAM, &e))?;
    let (Some(stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(OperateError::Program { program: PROGRAM, why: "it cannot be heard".into() });
    };
    let (mut said, mut tally) = (Vec::new(), Tally::default());
    let doing = if to.is_some() { "restoring" } else { "verifying" };
    let lines = async {
        let (mut from, mut line, mut n, mut bytes) = (BufReader::with_capacity(1 << 16, stdout), Vec::new(), 0_u64, 0_u64);
        loop {
            line.clear();
            if from.read_until(b'\n', &mut line).await? == 0 {
                return Ok::<_, std::io::Error>(());
            }
            tally.line(&line);
            if let Some(to) = to.as_mut() {
                to.write_all(&line).await?;
            }
            (n, bytes) = (n + 1, bytes + line.len() as u64);
            if n.is_multiple_of(LINES) {
                say(doing, bytes, 0);
            }
        }
    };
    let (read, _) = tokio::join!(lines, stderr.read_to_end(&mut said));
    if let Err(e) = read {
        drop(child.kill().await);
        return Err(OperateError::Program { program: PROGRAM, why: format!("the dump could not be passed on ({e})") });
    }
    let status = child.wait().await.map_err(|e| missing(PROGRAM, &e))?;
    if status.success() { Ok(tally.contents) } else { Err(failed(PROGRAM, &said)) }
}

/// Counts what goes by.
#[derive(Default)]
struct Tally {
    contents: Contents,
    /// The table whose rows go by, and where its two first columns are.
    table: Option<String>,
}

impl Tally {
    fn line(&mut self, line: &[u8]) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let Some(table) = &self.table else {
            let head = line.strip_prefix(b"COPY ").filter(|l| l.ends_with(b" FROM stdin;"));
            if let Some(name) = head.and_then(|l| l.split(|b| *b == b' ').next()) {
                let name = String::from_utf8_lossy(name).replace('"', "");
                let name = name.rsplit('.').next().unwrap_or_default().to_owned();
                self.contents.rows.entry(name.clone()).or_insert(0);
                self.table = Some(name);
            }
            return;
        };
        if line == b"\\." {
            self.table = None;
            return;
        }
        let mut columns = line.split(|b| *b == b'\t').map(String::from_utf8_lossy);
        match table.as_str() {
            "_sqlx_migrations" => {
                self.contents.migrations.extend(columns.next().and_then(|v| v.parse::<i64>().ok()));
                self.contents.migrations.sort_unstable();
            }
            "setting" => {
                if let (Some(key), Some(value)) = (columns.next(), columns.next())
                    && [FINGERPRINT, pause::BEGUN].contains(&&*key)
                {
                    self.contents.settings.insert(key.into_owned(), value.into_owned());
                }
            }
            _ => {}
        }
        if let Some(n) = self.contents.rows.get_mut(table) {
            *n += 1;
        }
    }
}

fn missing(program: &'static str, e: &std::io::Error) -> OperateError {
    let why = if e.kind() == std::io::ErrorKind::NotFound {
        "it is not installed: install the client programs of PostgreSQL, of the server's version or a newer one (on Debian: apt-get \
         install postgresql-client)"
            .to_owned()
    } else {
        format!("it could not be used ({e})")
    };
    OperateError::Program { program, why }
}

/// What a program said, without the lines in which it shows rows.
fn failed(program: &'static str, said: &[u8]) -> OperateError {
    let said = String::from_utf8_lossy(said);
    let line = said.lines().find(|l| l.contains("rror:") || l.contains("ERROR:") || l.contains("FATAL:"));
    let why = line.or_else(|| said.lines().next()).unwrap_or("it failed and did not say why").to_owned();
    OperateError::Program { program, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_in_no_argument() {
        let server = Server::at(
            "postgres://june:p%40ss%20w0rd@db.clinic.example:5433/porch?sslmode=require&statement-cache-capacity=9&password=0ther",
        )
        .expect("a server");
        assert_eq!(server.url, "postgres://june@db.clinic.example:5433/porch?sslmode=require");
        assert_eq!(server.password.as_deref(), Some("0ther"));
        assert_eq!(server.shown(), "postgres://db.clinic.example:5433/porch");
        let server = Server::at("postgres://june:p%40ss%20w0rd@localhost/porch").expect("a server");
        assert_eq!(server.password.as_deref(), Some("p@ss w0rd"));
        let command = server.command("pg_dump");
        let arguments: Vec<_> = command.as_std().get_args().map(|a| a.to_string_lossy().into_owned()).collect();
        assert!(arguments.iter().all(|a| !a.contains("w0rd")), "{arguments:?}");
        assert!(command.as_std().get_envs().any(|(k, v)| k == "PGPASSWORD" && v.is_some_and(|v| v == "p@ss w0rd")));
    }

    #[test]
    fn a_server_is_proved_as_the_service_proves_it() {
        let url = |query: &str| Server::at(&format!("postgres://june@db.clinic.example/porch?{query}")).map(|server| server.url);
        for (ours, theirs) in [
            ("ssl-mode=Verify-Full&ssl-ca=/etc/clinic%20ca.pem", "sslmode=verify%2Dfull&sslrootcert=%2Fetc%2Fclinic%20ca%2Epem"),
            ("sslmode=disable&ssl-mode=require", "sslmode=require"),
            ("ssl-root-cert=a&ssl-cert=b&ssl-key=c", "sslcert=b&sslkey=c&sslrootcert=a"),
            ("options=-c%20a=1&options[b]=x+y&hostaddr=::1", "hostaddr=%3A%3A1&options=%2Dc%20a%3D1%20%2Dc%20b%3Dx%5C%20y"),
        ] {
            let read = url(ours).unwrap_or_else(|e| panic!("{ours}: {e}"));
            // The order says nothing.
            let parts = |query: &str| query.split('&').map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
            assert_eq!(parts(read.split_once('?').expect("parameters").1), parts(theirs), "{ours}");
        }
        assert_eq!(url("statement-cache-capacity=9").expect("a server"), "postgres://june@db.clinic.example/porch");
        for unknown in ["ssl_mode=verify-full", "sslrootcer=secret-place", "options[role=x"] {
            let refused = url(unknown).map_err(|e| e.to_string()).expect_err(unknown);
            assert!(
                refused.contains(unknown.split_once('=').expect("a value").0) && !refused.contains("secret-place"),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_dump_is_counted_as_it_goes_by() {
        let dump = "SET x = 1;\nCOPY public.inbox (id, body) FROM stdin;\n1\ta\n2\tCOPY public.z (a) FROM stdin;\n\\.\n\n\
                    COPY public.setting (key, value) FROM stdin;\nbackup.begun\t42\nother\tsecret\n\\.\n\
                    COPY public._sqlx_migrations (version, x) FROM stdin;\n2\tt\n1\tt\n\\.\nCOPY public.audit (n) FROM stdin;\n\\.\n";
        let mut tally = Tally::default();
        dump.lines().for_each(|line| tally.line(format!("{line}\n").as_bytes()));
        let found = tally.contents;
        assert_eq!((found.rows["inbox"], found.rows["audit"], found.migrations.as_slice()), (2, 0, [1, 2].as_slice()));
        assert_eq!((found.begun(), found.settings.len()), (Some(Time(42)), 1));
    }

    #[test]
    fn rows_that_a_program_shows_are_not_passed_on() {
        let said = b"psql:<stdin>:12: ERROR:  duplicate key value\nDETAIL:  Key (address)=(+17185550117) exists.\nCONTEXT:  COPY contact, line 3: \"Rosa\"\n";
        let told = failed("psql", said).to_string();
        assert!(told.contains("duplicate key value") && !told.contains("7185550117") && !told.contains("Rosa"), "{told}");
        assert!(
            missing("pg_dump", &std::io::ErrorKind::NotFound.into()).to_string().contains("apt-get install postgresql-client")
        );
    }
}
