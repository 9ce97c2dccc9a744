//! The peers that tests/run installs below tests/peers: Twilio's API description behind Prism, Twilio's library, its counter.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

/// How long Prism may take to start: 15 s on an idle machine.
const PATIENCE: Duration = Duration::from_mins(3);

/// A file below tests/peers. A peer that is missing is a failure.
fn peer(path: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(path);
    assert!(path.exists(), "{} is missing: tests/run installs it", path.display());
    path
}

/// Runs a program that reads lines and gives one for each.
fn lines(command: &mut Command, given: &[String]) -> Vec<String> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the peer starts");
    let mut into = child.stdin.take().expect("its input");
    let text = given.join("\n") + "\n";
    let writing = std::thread::spawn(move || into.write_all(text.as_bytes()).expect("it reads"));
    let done = child.wait_with_output().expect("it ends");
    writing.join().expect("all is written");
    assert!(done.status.success(), "the peer failed");
    String::from_utf8(done.stdout).expect("UTF-8").lines().map(str::to_owned).collect()
}

/// What `porchlight segments` says of each text.
pub fn ours(texts: &[String]) -> Vec<Value> {
    counted(Command::new(env!("CARGO_BIN_EXE_porchlight")).arg("segments"), texts)
}

/// What Twilio's own counter says of each text.
pub fn twilios(texts: &[String]) -> Vec<Value> {
    peer("node_modules/sms-segments-calculator");
    counted(Command::new("node").arg(peer("segments.mjs")), texts)
}

fn counted(command: &mut Command, texts: &[String]) -> Vec<Value> {
    let given: Vec<String> = texts.iter().map(|text| serde_json::json!({ "text": text }).to_string()).collect();
    lines(command, &given).iter().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// How Twilio's own library signs each `{"token","url","params"}`.
pub fn signatures(asked: &[Value]) -> Vec<String> {
    let given: Vec<String> = asked.iter().map(Value::to_string).collect();
    lines(Command::new(peer("venv/bin/python")).arg(peer("sign.py")), &given)
}

/// The description of Twilio's API that Twilio's own command line carries.
pub fn description() -> PathBuf {
    peer("node_modules/@twilio/cli-core/src/services/twilio-api/twilio_api_v2010.json")
}

/// Prism on Twilio's own description; it ends when it is dropped.
pub struct Prism {
    /// Where it answers.
    pub url: String,
    child: Child,
}

impl Prism {
    /// Starts it on a free port; returns when it listens.
    pub fn start() -> Prism {
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let mut child = Command::new("node")
            .arg(peer("node_modules/@stoplight/prism-cli/dist/index.js"))
            .args(["mock", "--errors", "-h", "127.0.0.1", "-p", &port.to_string()])
            .arg(description())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Prism starts");
        let said = BufReader::new(child.stdout.take().expect("its output"));
        let (ready, listens) = mpsc::channel();
        // Reads on after that, or Prism would stop at a full pipe.
        std::thread::spawn(move || {
            for _ in said.lines().map_while(Result::ok).filter(|line| line.contains("listening on")) {
                // Nobody waits any more after the first time.
                let _ = ready.send(());
            }
        });
        let prism = Prism { url: format!("http://127.0.0.1:{port}"), child };
        listens.recv_timeout(PATIENCE).expect("Prism listens within its time");
        prism
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
