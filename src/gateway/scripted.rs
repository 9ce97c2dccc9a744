//! A provider of one connection that does what a test says, and a log that a test can read.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// What the provider does once it has read the request.
pub(super) enum Does {
    Answers(String),
    /// Keeps the connection open and says nothing.
    Hangs,
    /// Closes without an answer; with unread bytes of ours that is a reset.
    Closes,
    /// Closes before it has read the request.
    Resets,
    /// Begins an accepting answer and breaks off within its body.
    BreaksOff,
}

/// A plain answer.
pub(super) fn answers(head: &str, body: &str) -> Does {
    Does::Answers(format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()))
}

/// A provider that serves one connection; gives its address and what it read.
pub(super) async fn provider(does: Does) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    #[expect(clippy::disallowed_methods, reason = "the scripted provider is the other side of the test")]
    let served = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        let mut seen = Vec::new();
        if let Does::Resets = does {
            let _ = socket.read(&mut [0; 1]).await;
            return String::new();
        }
        while !whole(&seen) {
            let mut buffer = [0; 4096];
            let n = socket.read(&mut buffer).await.expect("a request");
            assert_ne!(n, 0, "the request broke off");
            seen.extend_from_slice(&buffer[..n]);
        }
        match does {
            // The client may hang up in the middle of a huge body.
            Does::Answers(answer) => drop(socket.write_all(answer.as_bytes()).await),
            Does::Hangs => std::future::pending().await,
            Does::Closes | Does::Resets => {}
            Does::BreaksOff => {
                let begun = "HTTP/1.1 202 Accepted\r\nContent-Length: 24\r\n\r\n";
                socket.write_all(begun.as_bytes()).await.expect("written");
            }
        }
        String::from_utf8(seen).expect("UTF-8")
    });
    (address, served)
}

/// Whether a request has arrived with its body.
fn whole(seen: &[u8]) -> bool {
    let text = String::from_utf8_lossy(seen);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok());
    body.len() >= length.unwrap_or(0)
}

/// What was logged.
#[derive(Clone, Default)]
pub(super) struct Logged(Arc<Mutex<Vec<u8>>>);

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Logged {
    /// Everything that this thread logs from now on, at the finest level that the program can be set to.
    pub(super) fn begin() -> (Logged, tracing::subscriber::DefaultGuard) {
        let logged = Logged::default();
        let to = logged.clone();
        let filter = EnvFilter::new(crate::cli::log_filter("trace"));
        let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || to.clone()).finish();
        (logged, tracing::subscriber::set_default(subscriber))
    }

    /// As text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}
