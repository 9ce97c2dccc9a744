//! The other side of a benchmark, on a thread of its own: a provider that accepts everything, and phones that write all at once.
//! Both speak just enough HTTP/1.1 to weigh little beside what is measured.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::machine::stopwatch;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A provider that answers every POST with 200 and JSON, and counts.
#[derive(Debug, Clone)]
pub(super) struct Sink {
    pub(super) address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    references: Arc<Mutex<HashSet<Vec<u8>>>>,
}

impl Sink {
    /// Starts it on a thread of its own, on a free port of the loopback address.
    pub(super) fn start() -> std::io::Result<Sink> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let sink = Sink { address: listener.local_addr()?, accepted: Arc::default(), references: Arc::default() };
        let serving = sink.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                let mut connections = JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    let sink = serving.clone();
                    connections.spawn(async move { sink.answer(stream).await });
                }
            });
        });
        Ok(sink)
    }

    /// How many requests it has answered.
    pub(super) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }

    /// How many different references they named.
    pub(super) fn distinct(&self) -> usize {
        self.references.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Forgets what it has counted.
    pub(super) fn reset(&self) {
        self.accepted.store(0, Ordering::Relaxed);
        self.references.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Serves one connection until the other side closes it.
    async fn answer(&self, mut stream: TcpStream) -> Option<()> {
        stream.set_nodelay(true).ok()?;
        let mut read = Vec::with_capacity(4096);
        loop {
            let (end, length) = loop {
                if let Some(head) = read.windows(4).position(|w| w == b"\r\n\r\n") {
                    break (head + 4, content_length(&read[..head]));
                }
                if stream.read_buf(&mut read).await.ok()? == 0 {
                    return None;
                }
            };
            while read.len() < end + length {
                if stream.read_buf(&mut read).await.ok()? == 0 {
                    return None;
                }
            }
            if let Some(reference) = between(&read[end..end + length], b"\"ref\":\"", b'"') {
                self.references.lock().unwrap_or_else(PoisonError::into_inner).insert(reference.to_vec());
            }
            let n = self.accepted.fetch_add(1, Ordering::Relaxed);
            read.drain(..end + length);
            let body = format!("{{\"id\":\"s-{n}\"}}");
            let answer =
                format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.ok()?;
        }
    }
}

fn content_length(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let value = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    value.and_then(|v| v.trim().parse().ok()).unwrap_or(0)
}

fn between<'b>(bytes: &'b [u8], before: &[u8], after: u8) -> Option<&'b [u8]> {
    let from = bytes.windows(before.len()).position(|w| w == before)? + before.len();
    let to = bytes[from..].iter().position(|b| *b == after)? + from;
    Some(&bytes[from..to])
}

/// What became of a burst of requests.
#[derive(Debug, Default)]
pub(super) struct Burst {
    /// From the first request to the last answer.
    pub(super) took: Duration,
    /// How long each answer with 200 took, in order of length.
    pub(super) waits: Vec<Duration>,
    /// How many were answered otherwise: they would be tried again.
    pub(super) refused: usize,
}

impl Burst {
    /// The wait that this share of the answers did not exceed, in milliseconds.
    pub(super) fn percentile(&self, share: f64) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in a list"
        )]
        let place = ((self.waits.len() as f64 * share) as usize).min(self.waits.len().saturating_sub(1));
        self.waits.get(place).map_or(0.0, |wait| wait.as_secs_f64() * 1000.0)
    }
}

/// Sends requests for `paths` over `connections` that stay open, from a thread of its own, as fast as they are answered.
pub(super) async fn burst(address: SocketAddr, paths: Vec<String>, connections: usize) -> std::io::Result<Burst> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (done, waiting) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let paths = Arc::new((paths, AtomicUsize::new(0)));
        let burst = runtime.block_on(async move {
            let begun = stopwatch();
            let mut all = JoinSet::new();
            for _ in 0..connections {
                let paths = Arc::clone(&paths);
                all.spawn(async move { phone(address, &paths).await });
            }
            let mut burst = Burst::default();
            while let Some(one) = all.join_next().await {
                let (mut waits, refused) = one.map_err(std::io::Error::other)??;
                burst.waits.append(&mut waits);
                burst.refused += refused;
            }
            burst.took = begun.elapsed();
            burst.waits.sort_unstable();
            Ok::<_, std::io::Error>(burst)
        });
        // Whoever asked may have gone away.
        drop(done.send(burst));
    });
    waiting.await.map_err(std::io::Error::other)?
}

async fn phone(address: SocketAddr, paths: &(Vec<String>, AtomicUsize)) -> std::io::Result<(Vec<Duration>, usize)> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut waits, mut refused) = (Vec::new(), 0);
    let mut read = Vec::with_capacity(1024);
    while let Some(path) = paths.0.get(paths.1.fetch_add(1, Ordering::Relaxed)) {
        let request = format!("GET {path} HTTP/1.1\r\nhost: bench\r\n\r\n");
        let begun = stopwatch();
        stream.write_all(request.as_bytes()).await?;
        let (head, length) = loop {
            if stream.read_buf(&mut read).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(head) = read.windows(4).position(|w| w == b"\r\n\r\n") {
                break (head + 4, content_length(&read[..head]));
            }
        };
        while read.len() < head + length {
            if stream.read_buf(&mut read).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
        if read.starts_with(b"HTTP/1.1 200") {
            waits.push(begun.elapsed());
        } else {
            refused += 1;
        }
        read.clear();
    }
    Ok((waits, refused))
}
