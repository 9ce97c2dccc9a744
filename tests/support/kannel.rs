//! A private Kannel gateway for tests: the real `bearerbox` and `smsbox` on free loopback ports, with phones in our hands.
//!
//! The carrier behind the bearerbox is its own `fake` SMSC driver, which speaks one line of text for each message. Kannel's
//! `fakesmsc` program speaks it too, but sends only what its command line says and picks at random from that; so the phones here
//! speak the same lines over TCP themselves, which makes [`Kannel::inject`] and [`Kannel::delivered`] exact.
//!
//! What was learned by running Kannel 1.4.5: with `dlr-mask=31` the fake carrier confirms by itself, 8 (accepted by the carrier)
//! and then 1 (delivered). An inbound UCS-2 message reaches the callback as UTF-16BE bytes in the query, with `%C` saying
//! `UTF-16BE`, any other as UTF-8: a receiver that ignores `%C` loses Arabic and Chinese. Outbound, a character that GSM-7 lacks
//! becomes `?` unless the sender asks for `coding=2`.
//!
//! Invariant: nothing listens outside loopback, nothing outlives the [`Kannel`], and readiness is observed, never assumed.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use tempfile::TempDir;

#[path = "kannel_lines.rs"]
mod lines;

pub use lines::Received;
use lines::{inbound_line, read_lines};

/// How long to sleep between two looks at something that is awaited.
const LOOK: Duration = Duration::from_millis(20);
/// How many looks are allowed: 20 s in all, on a machine that usually needs less than one.
const LOOKS: u32 = 1_000;
/// How many sets of ports to try: another process may take a port between our look and Kannel's use of it.
const TRIES: u32 = 3;
/// The user name for [`Kannel::sendsms_url`].
pub const USERNAME: &str = "porchlight";
/// Its password, and that of the status page. It guards nothing: the gateway listens on loopback, for seconds.
pub const PASSWORD: &str = "only-for-tests";

/// Where Debian keeps Kannel's programs; they are not on everybody's `PATH`.
const PROGRAMS: &str = "/usr/sbin";

/// A running gateway. Dropping it stops everything.
#[derive(Debug)]
pub struct Kannel {
    ports: Ports,
    phones: Mutex<Option<TcpStream>>,
    lines: Arc<Mutex<Vec<u8>>>,
    // Stopped in this order: first the boxes, then their folder.
    _smsbox: Running,
    _bearerbox: Running,
    _folder: TempDir,
}

impl Kannel {
    /// Starts a gateway that reports each inbound text by GET to `inbound_url`: the whole value of `get-url` in Kannel's
    /// configuration, with its escapes (`…?from=%p&to=%P&text=%b&charset=%C&id=%I`). The receiver should listen already, or
    /// patients get an error text. Blocks until both boxes and the phones are connected, for about a second.
    ///
    /// # Panics
    /// With the tail of the logs, if Kannel is not installed or does not become ready.
    pub fn start(inbound_url: &str) -> Self {
        let mut last = String::new();
        for _ in 0..TRIES {
            match Self::try_start(inbound_url) {
                Ok(kannel) => return kannel,
                Err(why) => last = why,
            }
        }
        panic!("Kannel did not start after {TRIES} tries: {last}");
    }

    fn try_start(inbound_url: &str) -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("porchlight-kannel-").tempdir().map_err(|e| e.to_string())?;
        let ports = Ports::free().map_err(|e| e.to_string())?;
        let configuration = folder.path().join("kannel.conf");
        fs::write(&configuration, ports.configuration(inbound_url)).map_err(|e| e.to_string())?;

        let mut bearerbox = Running::start("bearerbox", folder.path())?;
        bearerbox.wait_for("the bearerbox's port", || connect(ports.smsbox).is_some())?;
        let mut smsbox = Running::start("smsbox", folder.path())?;
        smsbox.wait_for("the sendsms port", || connect(ports.sendsms).is_some())?;

        let lines = Arc::default();
        let phones = dial(ports.smsc, &lines).ok_or_else(|| bearerbox.failure("the carrier's port refuses the phones"))?;
        bearerbox.wait_for("the phones and the smsbox", || {
            let status = ports.status();
            status.contains("(on-line") && status.contains("(online")
        })?;
        let phones = Mutex::new(Some(phones));
        Ok(Self { ports, phones, lines, _smsbox: smsbox, _bearerbox: bearerbox, _folder: folder })
    }

    /// The address to send to, without its query: `http://127.0.0.1:PORT/cgi-bin/sendsms`.
    pub fn sendsms_url(&self) -> String {
        format!("http://127.0.0.1:{}/cgi-bin/sendsms", self.ports.sendsms)
    }

    /// Everything that has reached a phone, in order of arrival. A long text appears once its last part is there.
    pub fn delivered(&self) -> Vec<Received> {
        read_lines(&self.lines.lock().expect("a reader thread panicked"))
    }

    /// Waits until at least `count` texts have reached phones, and gives all of them.
    ///
    /// # Panics
    /// After 20 s, telling what had arrived.
    pub async fn wait_for_delivered(&self, count: usize) -> Vec<Received> {
        for _ in 0..LOOKS {
            let delivered = self.delivered();
            if delivered.len() >= count {
                return delivered;
            }
            tokio::time::sleep(LOOK).await;
        }
        panic!("waited for {count} texts on the phones; there are {:?}", self.delivered());
    }

    /// A patient writes `text` on the phone `from` to the clinic's number `to`. As a phone does, it uses GSM-7 where the words
    /// allow it and UCS-2 otherwise (and for a line break, which the carrier's line could not carry).
    ///
    /// # Panics
    /// If the phones are switched off, or the gateway has gone.
    pub fn inject(&self, from: &str, to: &str, text: &str) {
        let line = inbound_line(from, to, text);
        let mut phones = self.phones.lock().expect("another test thread panicked");
        let phones = phones.as_mut().expect("the phones are switched off");
        phones.write_all(line.as_bytes()).expect("the bearerbox closed the carrier's connection");
    }

    /// The carrier goes down: sendsms now answers `3: Queued for later delivery`. Returns when the gateway has noticed.
    pub fn carrier_down(&self) {
        if let Some(phones) = self.phones.lock().expect("another test thread panicked").take() {
            phones.shutdown(Shutdown::Both).expect("the carrier's connection was already gone");
        }
        self.wait_until(|status| !status.contains("(online"), "carrier to be gone");
    }

    /// The carrier is back: what was queued reaches the phones. Returns when the gateway has noticed.
    pub fn carrier_up(&self) {
        let phones = dial(self.ports.smsc, &self.lines).expect("the bearerbox refuses the phones");
        *self.phones.lock().expect("another test thread panicked") = Some(phones);
        self.wait_until(|status| status.contains("(online"), "carrier to be back");
    }

    fn wait_until(&self, holds: impl Fn(&str) -> bool, what: &str) {
        for _ in 0..LOOKS {
            if holds(&self.ports.status()) {
                return;
            }
            sleep(LOOK);
        }
        panic!("waited for the {what}; Kannel's status is\n{}", self.ports.status());
    }
}

/// The loopback ports of one gateway.
#[derive(Clone, Copy, Debug)]
struct Ports {
    admin: u16,
    smsbox: u16,
    smsc: u16,
    sendsms: u16,
}

impl Ports {
    /// Four ports that nobody listened on a moment ago.
    fn free() -> std::io::Result<Self> {
        let held: Vec<TcpListener> =
            (0..4).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect::<std::io::Result<_>>()?;
        let port = |i: usize| held[i].local_addr().map(|a| a.port());
        Ok(Self { admin: port(0)?, smsbox: port(1)?, smsc: port(2)?, sendsms: port(3)? })
    }

    fn configuration(self, inbound_url: &str) -> String {
        include_str!("../kannel/kannel.conf")
            .replace("{ADMIN_PORT}", &self.admin.to_string())
            .replace("{SMSBOX_PORT}", &self.smsbox.to_string())
            .replace("{SMSC_PORT}", &self.smsc.to_string())
            .replace("{SENDSMS_PORT}", &self.sendsms.to_string())
            .replace("{USERNAME}", USERNAME)
            .replace("{PASSWORD}", PASSWORD)
            .replace("{INBOUND_URL}", inbound_url)
    }

    /// The bearerbox's status page, or nothing if it does not answer.
    fn status(self) -> String {
        let mut page = String::new();
        if let Some(mut stream) = connect(self.admin) {
            let request = format!("GET /status.txt?password={PASSWORD} HTTP/1.0\r\nHost: localhost\r\n\r\n");
            if stream.write_all(request.as_bytes()).is_err() || stream.read_to_string(&mut page).is_err() {
                page.clear();
            }
        }
        page
    }
}

/// One of Kannel's boxes as a child process, with its log; killed when dropped.
#[derive(Debug)]
struct Running {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Running {
    fn start(name: &'static str, folder: &Path) -> Result<Self, String> {
        let program = Path::new(PROGRAMS).join(name);
        let log = folder.join(name).with_extension("log");
        let out = fs::File::create(&log).map_err(|e| e.to_string())?;
        let err = out.try_clone().map_err(|e| e.to_string())?;
        let child = Command::new(&program)
            .arg(folder.join("kannel.conf"))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .map_err(|e| format!("{}: {e}. Debian's package is called kannel.", program.display()))?;
        Ok(Self { name, child, log })
    }

    /// Looks again and again until `ready`; an error if the process ends or 20 s pass.
    fn wait_for(&mut self, what: &str, ready: impl Fn() -> bool) -> Result<(), String> {
        for _ in 0..LOOKS {
            if let Some(status) = self.child.try_wait().map_err(|e| e.to_string())? {
                return Err(self.failure(&format!("ended with {status}")));
            }
            if ready() {
                return Ok(());
            }
            sleep(LOOK);
        }
        Err(self.failure(&format!("waited too long for {what}")))
    }

    fn failure(&self, what: &str) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(20)..].join("\n");
        format!("{} {what}. The end of its log:\n{tail}", self.name)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to stop, and `wait` gives its status at once.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A loopback connection with bounded waits, or none.
fn connect(port: u16) -> Option<TcpStream> {
    let stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), Duration::from_secs(2)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    Some(stream)
}

/// Connects the phones to the carrier's port and collects what arrives until the connection ends.
fn dial(port: u16, lines: &Arc<Mutex<Vec<u8>>>) -> Option<TcpStream> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    let mut reader = stream.try_clone().ok()?;
    let lines = Arc::clone(lines);
    std::thread::spawn(move || {
        let mut chunk = [0_u8; 4096];
        while let Ok(n @ 1..) = reader.read(&mut chunk) {
            lines.lock().expect("another test thread panicked").extend_from_slice(&chunk[..n]);
        }
    });
    Some(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest receiver of callbacks: answers 200 with an empty body and keeps the request targets.
    struct Callbacks {
        port: u16,
        targets: Arc<Mutex<Vec<String>>>,
    }

    impl Callbacks {
        fn listen() -> Self {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the gateway and the callbacks talk");
            let port = listener.local_addr().expect("the gateway and the callbacks talk").port();
            let targets: Arc<Mutex<Vec<String>>> = Arc::default();
            let seen = Arc::clone(&targets);
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    let mut stream = stream.expect("the gateway and the callbacks talk");
                    let mut head = Vec::new();
                    let mut byte = [0_u8];
                    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
                        head.push(byte[0]);
                    }
                    let head = String::from_utf8_lossy(&head).into_owned();
                    let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
                    seen.lock().expect("the gateway and the callbacks talk").push(target);
                    stream
                        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                        .expect("the gateway and the callbacks talk");
                }
            });
            Self { port, targets }
        }

        fn wait_for(&self, beginning: &str, count: usize) -> Vec<String> {
            for _ in 0..LOOKS {
                let all = self.targets.lock().expect("the gateway and the callbacks talk").clone();
                let matching: Vec<String> = all.into_iter().filter(|t| t.starts_with(beginning)).collect();
                if matching.len() >= count {
                    return matching;
                }
                sleep(LOOK);
            }
            panic!(
                "waited for {count} callbacks to {beginning}; there are {:?}",
                self.targets.lock().expect("the gateway and the callbacks talk")
            );
        }
    }

    const HEX: &[u8; 16] = b"0123456789ABCDEF";

    fn percent_encode(text: &str) -> String {
        text.bytes().flat_map(|b| ['%', char::from(HEX[usize::from(b >> 4)]), char::from(HEX[usize::from(b & 15)])]).collect()
    }

    /// The status line and body of the answer to a sendsms request for a phone in New York.
    fn sendsms(kannel: &Kannel, password: &str, text: &str, more: &str) -> String {
        let text = percent_encode(text);
        let query = format!("username={USERNAME}&password={password}&from=7185550100&to=17185550117&text={text}{more}");
        let path = kannel.sendsms_url().split_once("/cgi-bin").expect("the gateway and the callbacks talk").1.to_owned();
        let mut stream = connect(kannel.ports.sendsms).expect("the gateway and the callbacks talk");
        write!(stream, "GET /cgi-bin{path}?{query} HTTP/1.0\r\nHost: localhost\r\n\r\n")
            .expect("the gateway and the callbacks talk");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the gateway and the callbacks talk");
        answer
    }

    #[tokio::test]
    async fn a_text_reaches_the_phone_and_is_confirmed_and_an_answer_comes_back_in_her_language() {
        let callbacks = Callbacks::listen();
        let base = format!("http://127.0.0.1:{}", callbacks.port);
        let kannel = Kannel::start(&format!("{base}/in?from=%p&to=%P&text=%b&charset=%C&id=%I"));
        let receipts = format!("&dlr-mask=31&dlr-url={}", percent_encode(&format!("{base}/receipt?status=%d")));
        let unicode = format!("&coding=2&charset=UTF-8{receipts}");

        // Three texts go out: GSM-7 on two lines, UCS-2, and a long UCS-2 one.
        let sent = sendsms(&kannel, PASSWORD, "¿Cómo está, Rosa?\nResponda 1 bien", "&charset=UTF-8");
        assert!(sent.contains(" 202 ") && sent.ends_with("0: Accepted for delivery"), "{sent}");
        let long = "كم وزنك اليوم بالكيلوغرام؟ ".repeat(6);
        sendsms(&kannel, PASSWORD, "كم وزنك اليوم؟", &unicode);
        kannel.wait_for_delivered(2).await;
        let statuses: Vec<String> = callbacks.wait_for("/receipt", 2);
        assert_eq!(statuses, ["/receipt?status=8", "/receipt?status=1"]);
        sendsms(&kannel, PASSWORD, long.trim(), &unicode);

        let phones = kannel.wait_for_delivered(3).await;
        let shown: Vec<(&str, usize)> = phones.iter().map(|r| (r.text.as_str(), r.parts)).collect();
        // GSM-7 has no "ó" and no "á": a sender that wants them asks for UCS-2. Kannel does not refuse, it writes "?".
        assert_eq!(shown, [("¿C?mo est?, Rosa?\nResponda 1 bien", 1), ("كم وزنك اليوم؟", 1), (long.trim(), 3)]);
        assert!(phones.iter().all(|r| r.from == "7185550100" && r.to == "17185550117"), "{phones:?}");

        // Two answers come back: GSM-7 as UTF-8, Arabic as UTF-16BE.
        kannel.inject("+17185550117", "7185550100", "Me duele 1+1");
        assert!(
            callbacks.wait_for("/in", 1)[0].contains("from=%2B17185550117&to=7185550100&text=Me+duele+1%2B1&charset=UTF-8&id=")
        );
        kannel.inject("+17185550117", "7185550100", "ألم");
        assert!(callbacks.wait_for("/in", 2)[1].contains("&text=%06%23%06D%06E&charset=UTF-16BE&id="));
    }

    #[tokio::test]
    async fn a_wrong_password_is_refused_and_a_carrier_that_is_down_gets_the_text_later() {
        let callbacks = Callbacks::listen();
        let kannel = Kannel::start(&format!("http://127.0.0.1:{}/in?text=%b", callbacks.port));
        assert!(sendsms(&kannel, "wrong", "hello", "").contains(" 403 "));

        kannel.carrier_down();
        let queued = sendsms(&kannel, PASSWORD, "hello", "");
        assert!(queued.contains(" 202 ") && queued.ends_with("3: Queued for later delivery"), "{queued}");
        assert_eq!(kannel.delivered(), []);
        kannel.carrier_up();
        assert_eq!(kannel.wait_for_delivered(1).await[0].text, "hello");
    }
}
