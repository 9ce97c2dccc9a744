//! A carrier behind an SMS gateway that speaks as Kannel does, and is as unreliable as carriers are: by script or by seed it
//! accepts and hangs, accepts and hangs up, says busy, fails before or after accepting, or crawls. It writes everything into a
//! ledger that only grows, reports what it delivered (twice, out of order, too early), brings what patients answer, and tries
//! every callback again until it hears 200.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use porchlight::clock::{Clock, SystemClock};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// The shared secret of the callbacks.
pub const SECRET: &str = "a-secret-of-the-crash-0123456789";
/// How long a carrier waits before it tries a callback again.
const AGAIN: Duration = Duration::from_millis(100);

/// What the gateway does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Takes it and says so.
    Accept,
    /// Takes it and says nothing.
    AcceptThenHang,
    /// Takes it and hangs up.
    AcceptThenReset,
    /// Takes it and fails.
    AcceptThenError,
    /// Takes it and says so, one byte at a time.
    AcceptAndCrawl,
    /// Fails, and has not taken it.
    Error,
    /// 429: later.
    Busy,
}

impl Answer {
    /// Whether the patient gets the message.
    pub fn accepts(self) -> bool {
        !matches!(self, Answer::Error | Answer::Busy)
    }

    /// One of all, most of the time the good one.
    fn by(die: u64) -> Answer {
        match die % 24 {
            0 => Answer::AcceptThenHang,
            1 => Answer::AcceptThenReset,
            2 => Answer::AcceptThenError,
            3 => Answer::AcceptAndCrawl,
            4 => Answer::Error,
            5 | 6 => Answer::Busy,
            _ => Answer::Accept,
        }
    }
}

/// What a patient writes when the first message that says `on` reaches them.
#[derive(Clone, Debug)]
pub struct Reply {
    pub on: &'static str,
    pub text: String,
    /// It is a cry for help: an emergency must follow.
    pub cry: bool,
}

/// How the carrier behaves.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// What it does is drawn from this; without a seed it does what is good.
    pub seed: Option<u64>,
    /// The first requests for a phone are answered so, whatever the seed.
    pub first: HashMap<String, Vec<Answer>>,
    /// Phones of which it never reports anything.
    pub silent: Vec<String>,
    /// Phones to which it can bring nothing, and says so later.
    pub undelivered: Vec<String>,
    /// What patients write back.
    pub replies: HashMap<String, Reply>,
    /// How long it thinks.
    pub latency: Duration,
}

/// A request to send.
#[derive(Clone, Debug)]
pub struct Asked {
    pub at: i64,
    pub to: String,
    pub text: String,
    pub reference: String,
    pub answer: Answer,
    receipt_url: String,
    reported: bool,
}

/// A callback, and what became of it.
#[derive(Clone, Debug)]
pub struct Hook {
    url: String,
    delay: Duration,
    twice: bool,
    /// Under what name it must be in the inbox.
    pub dedupe: String,
    /// The words, if somebody wrote.
    pub reply: Option<Reply>,
    pub answered_at: Option<i64>,
    /// Every answer, in order; `0` where there was none.
    pub answers: Vec<u16>,
    /// Refusals that did not say when to come back.
    pub without_retry_after: usize,
}

/// Everything that happened, in order.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub asked: Vec<Asked>,
    pub hooks: Vec<Hook>,
    /// Which of the requests were for a phone.
    of: HashMap<String, Vec<usize>>,
}

impl Ledger {
    /// How many messages patients got.
    pub fn accepted(&self) -> usize {
        self.asked.iter().filter(|a| a.answer.accepts()).count()
    }

    /// Callbacks that have not been answered 200.
    pub fn pending(&self) -> usize {
        self.hooks.iter().filter(|h| h.answered_at.is_none()).count()
    }
}

struct Books {
    script: Mutex<Script>,
    ledger: Mutex<Ledger>,
    /// Where callbacks go: one after the other, if there are several.
    doors: Mutex<Vec<String>>,
    due: mpsc::UnboundedSender<usize>,
    http: reqwest::Client,
}

/// The carrier: it ends when it is dropped.
pub struct Provider {
    pub address: SocketAddr,
    books: Arc<Books>,
    _work: JoinSet<()>,
}

impl Provider {
    /// Opens for business.
    pub async fn open(script: Script) -> Provider {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port for the provider");
        let address = listener.local_addr().expect("an address");
        let (due, hooks) = mpsc::unbounded_channel();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().expect("a client");
        let books = Arc::new(Books { script: Mutex::new(script), ledger: Mutex::default(), doors: Mutex::default(), due, http });
        let mut work = JoinSet::new();
        work.spawn(listen(listener, Arc::clone(&books)));
        work.spawn(carry(Arc::clone(&books), hooks));
        Provider { address, books, _work: work }
    }

    /// Brings callbacks to these addresses from now on, in turn.
    pub fn calls(&self, doors: Vec<String>) {
        *held(&self.books.doors) = doors;
    }

    /// Reports at last what it has been silent about, and is silent no more.
    pub fn reports(&self) {
        let script = {
            let mut script = held(&self.books.script);
            script.silent.clear();
            script.clone()
        };
        let mut late = Vec::new();
        for asked in self.ledger().asked.iter_mut().filter(|a| a.answer.accepts() && !a.reported) {
            asked.reported = true;
            late.push((asked.to.clone(), asked.reference.clone(), asked.receipt_url.clone()));
        }
        for (to, reference, url) in late {
            self.books.report(&script, (&to, &reference), &url);
        }
    }

    /// Somebody writes.
    pub fn writes(&self, from: &str, reply: Reply, id: &str) {
        self.books.inbound(from, reply, id, 0);
    }

    /// Looks into the ledger.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        held(&self.books.ledger)
    }

    /// How much has happened.
    pub fn events(&self) -> usize {
        let ledger = self.ledger();
        ledger.asked.len() + ledger.hooks.iter().map(|h| h.answers.len()).sum::<usize>()
    }
}

fn held<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The machine's time, as the service and its database read it.
pub fn now() -> i64 {
    SystemClock.now().0
}

/// A number that looks random and is always the same for the same parts.
pub fn die(parts: &[u64]) -> u64 {
    let mut x = 0x9E37_79B9_7F4A_7C15_u64;
    for part in parts {
        x = (x ^ part).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^= x >> 31;
    }
    x
}

fn number_of(text: &str) -> u64 {
    text.bytes().fold(7, |n, b| die(&[n, u64::from(b)]))
}

impl Books {
    /// Decides and writes it down before anybody hears of it.
    fn ask(&self, to: &str, text: &str, reference: &str, receipt_url: &str) -> Answer {
        let script = held(&self.script);
        let mut ledger = held(&self.ledger);
        let earlier = ledger.of.get(to).cloned().unwrap_or_default();
        let nth = earlier.len();
        let by_seed = |seed| Answer::by(die(&[seed, number_of(to), nth as u64]));
        let scripted = script.first.get(to).and_then(|s| s.get(nth)).copied();
        let answer = scripted.or(script.seed.map(by_seed)).unwrap_or(Answer::Accept);
        let heard = |on: &str| earlier.iter().map(|at| &ledger.asked[*at]).any(|a| a.answer.accepts() && a.text.contains(on));
        let reply = script.replies.get(to).filter(|r| text.contains(r.on) && !heard(r.on)).cloned();
        let reported = answer.accepts() && !script.silent.iter().any(|s| s == to);
        let at = ledger.asked.len();
        ledger.of.entry(to.to_owned()).or_default().push(at);
        ledger.asked.push(Asked {
            at: now(),
            to: to.to_owned(),
            text: text.to_owned(),
            reference: reference.to_owned(),
            answer,
            receipt_url: receipt_url.to_owned(),
            reported,
        });
        drop(ledger);
        if !answer.accepts() {
            return answer;
        }
        if reported {
            self.report(&script, (to, reference), receipt_url);
        }
        if let Some(reply) = reply {
            self.inbound(to, reply, &format!("in-{}", to.trim_start_matches('+')), 30);
        }
        answer
    }

    /// Says twice what became of a message; some reports overtake the answer, some overtake each other.
    fn report(&self, script: &Script, (to, reference): (&str, &str), receipt_url: &str) {
        let end = if script.undelivered.iter().any(|phone| phone == to) { ("2", "failed") } else { ("1", "delivered") };
        let luck = die(&[script.seed.unwrap_or(0), number_of(reference)]);
        for (at, (digit, state)) in [("8", "sent"), end].into_iter().enumerate() {
            let delay = if luck.is_multiple_of(5) { 0 } else { die(&[luck, at as u64]) % 150 };
            self.hook(Hook {
                url: receipt_url.replace("%d", digit).replace("%F", &format!("f-{reference}")),
                delay: Duration::from_millis(delay),
                twice: luck.is_multiple_of(3),
                dedupe: format!("sms:receipt:{reference}:f-{reference}:{state}"),
                reply: None,
                answered_at: None,
                answers: Vec::new(),
                without_retry_after: 0,
            });
        }
    }

    fn inbound(&self, from: &str, reply: Reply, id: &str, delay: u64) {
        let query =
            [("key", SECRET), ("from", from), ("to", "7185550100"), ("text", &reply.text), ("charset", "UTF-8"), ("id", id)];
        let url = reqwest::Url::parse_with_params("http://door/hooks/sms/inbound", query).expect("an address");
        self.hook(Hook {
            url: url.to_string(),
            delay: Duration::from_millis(delay),
            twice: number_of(id).is_multiple_of(2),
            dedupe: format!("sms:{id}"),
            reply: Some(reply),
            answered_at: None,
            answers: Vec::new(),
            without_retry_after: 0,
        });
    }

    fn hook(&self, hook: Hook) {
        let mut ledger = held(&self.ledger);
        ledger.hooks.push(hook);
        // Without anybody who carries them the provider is gone, and so is the test.
        let _gone = self.due.send(ledger.hooks.len() - 1);
    }
}

/// Carries callbacks, each on its own.
async fn carry(books: Arc<Books>, mut due: mpsc::UnboundedReceiver<usize>) {
    let mut under_way = JoinSet::new();
    loop {
        tokio::select! {
            Some(hook) = due.recv() => drop(under_way.spawn(deliver(Arc::clone(&books), hook))),
            Some(_) = under_way.join_next() => {}
        }
    }
}

async fn deliver(books: Arc<Books>, at: usize) {
    let (mut url, delay, twice) = {
        let ledger = held(&books.ledger);
        let hook = &ledger.hooks[at];
        (reqwest::Url::parse(&hook.url).expect("an address"), hook.delay, hook.twice)
    };
    tokio::time::sleep(delay).await;
    for n in 0.. {
        let door = {
            let doors = held(&books.doors);
            (!doors.is_empty()).then(|| doors[(at + n) % doors.len()].clone())
        };
        if let Some(door) = door {
            let door = reqwest::Url::parse(&door).expect("an address");
            url.set_host(door.host_str()).expect("a host");
            url.set_port(door.port()).expect("a port");
            let answer = books.http.get(url.clone()).send().await;
            let status = answer.as_ref().map_or(0, |a| a.status().as_u16());
            let mut ledger = held(&books.ledger);
            let hook = &mut ledger.hooks[at];
            hook.answers.push(status);
            if status == 503 && answer.is_ok_and(|a| !a.headers().contains_key("retry-after")) {
                hook.without_retry_after += 1;
            }
            if status == 200 {
                hook.answered_at.get_or_insert(now());
                if !twice || hook.answers.iter().filter(|s| **s == 200).count() > 1 {
                    return;
                }
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn listen(listener: TcpListener, books: Arc<Books>) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => drop(open.spawn(serve(stream, Arc::clone(&books)))),
            Some(_) = open.join_next() => {}
        }
    }
}

/// One connection: requests are read whole, and some are never answered.
async fn serve(mut stream: TcpStream, books: Arc<Books>) {
    const ACCEPTED: &str = "HTTP/1.1 202 Accepted\r\nContent-Length: 25\r\n\r\n0: Accepted for delivery\n";
    // A connection that fails here is the other side's end.
    drop(stream.set_nodelay(true));
    let mut buffer = Vec::new();
    loop {
        let end = loop {
            if let Some(at) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            match stream.read_buf(&mut buffer).await {
                Ok(n) if n > 0 => {}
                _ => return,
            }
        };
        let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
        buffer.drain(..end);
        let target = head.split(' ').nth(1).unwrap_or_default();
        let url = reqwest::Url::parse(&format!("http://gateway{target}")).expect("a request's target");
        let field = |name: &str| url.query_pairs().find(|(k, _)| k == name).map_or_else(String::new, |(_, v)| v.into_owned());
        let receipt_url = field("dlr-url");
        let reference = receipt_url.split("ref=").nth(1).and_then(|r| r.split('&').next()).unwrap_or_default().to_owned();
        let latency = held(&books.script).latency;
        let answer = books.ask(&field("to"), &field("text"), &reference, &receipt_url);
        tokio::time::sleep(latency).await;
        let said = match answer {
            Answer::Accept => stream.write_all(ACCEPTED.as_bytes()).await,
            Answer::AcceptThenHang => std::future::pending().await,
            Answer::AcceptThenReset => return,
            Answer::AcceptThenError | Answer::Error => {
                stream.write_all(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\n\r\noops\n").await
            }
            Answer::Busy => {
                stream.write_all(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 6\r\n\r\nlater\n").await
            }
            Answer::AcceptAndCrawl => crawl(&mut stream, ACCEPTED).await,
        };
        if said.is_err() {
            return;
        }
    }
}

async fn crawl(stream: &mut TcpStream, text: &str) -> std::io::Result<()> {
    for byte in text.as_bytes() {
        stream.write_all(&[*byte]).await?;
        tokio::time::sleep(Duration::from_millis(4)).await;
    }
    Ok(())
}
