//! A wire to a database server that can be cut when a `COMMIT` goes by, or swallow every byte without a word.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Where the wire is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The server never hears of the commit.
    Before,
    /// The server commits, and we never hear of it.
    After,
}

/// A transaction of fewer bytes than this has changed nothing that matters.
const WORTH: usize = 1_500;

#[derive(Default)]
struct State {
    next: Mutex<Option<Cut>>,
    cuts: AtomicUsize,
    silent: watch::Sender<bool>,
}

/// The wire; it ends when it is dropped.
pub struct Proxy {
    /// The database by way of it.
    pub url: String,
    state: Arc<State>,
    _work: JoinSet<()>,
}

impl Proxy {
    /// A wire to the server of this URL.
    pub async fn open(url: &str) -> Proxy {
        let (head, name) = url.rsplit_once('/').expect("a database");
        let (front, server) = head.rsplit_once('@').expect("a user");
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let state: Arc<State> = Arc::default();
        let mut work = JoinSet::new();
        work.spawn(listen(listener, server.to_owned(), Arc::clone(&state)));
        Proxy { url: format!("{front}@{address}/{name}"), state, _work: work }
    }

    /// Cuts the wire at the next commit.
    pub fn cut_next(&self, cut: Cut) {
        *self.state.next.lock().expect("the wire") = Some(cut);
    }

    /// From now on nothing passes, and nobody is told; what is connected stays so for ever.
    pub fn falls_silent(&self) {
        self.state.silent.send_replace(true);
    }

    /// Whoever connects anew is heard again.
    pub fn is_mended(&self) {
        self.state.silent.send_replace(false);
    }

    /// How often it was cut.
    pub fn cuts(&self) -> usize {
        self.state.cuts.load(Ordering::SeqCst)
    }
}

async fn listen(listener: TcpListener, server: String, state: Arc<State>) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            Ok((client, _)) = listener.accept() => {
                let (server, state) = (server.clone(), Arc::clone(&state));
                drop(open.spawn(async move {
                    if *state.silent.borrow() {
                        let _kept = client;
                        std::future::pending::<()>().await;
                        return;
                    }
                    let Ok(server) = TcpStream::connect(server).await else { return };
                    // Either end may hang up: that is what a wire is for.
                    drop(carry(client, server, &state).await);
                }));
            }
            Some(_) = open.join_next() => {}
        }
    }
}

async fn silence(falls: &mut watch::Receiver<bool>) {
    drop(falls.wait_for(|silent| *silent).await);
}

async fn carry(mut client: TcpStream, mut server: TcpStream, state: &State) -> std::io::Result<()> {
    let (mut up, mut down) = (vec![0_u8; 65_536], vec![0_u8; 65_536]);
    let mut carried = 0;
    let mut silent = state.silent.subscribe();
    loop {
        tokio::select! {
            biased;
            () = silence(&mut silent) => std::future::pending().await,
            n = client.read(&mut up) => {
                let n = n?;
                if n == 0 {
                    return Ok(());
                }
                let commits = up[..n].windows(7).any(|w| w == b"COMMIT\0");
                carried += n;
                let worth = commits && std::mem::take(&mut carried) > WORTH;
                let cut = if worth { state.next.lock().expect("the wire").take() } else { None };
                if cut == Some(Cut::Before) {
                    state.cuts.fetch_add(1, Ordering::SeqCst);
                    return Ok(());
                }
                server.write_all(&up[..n]).await?;
                if cut == Some(Cut::After) {
                    // Its answer means that it has committed, or that it is gone; it ends here.
                    let _bytes = server.read(&mut down).await?;
                    state.cuts.fetch_add(1, Ordering::SeqCst);
                    return Ok(());
                }
            }
            n = server.read(&mut down) => {
                let n = n?;
                if n == 0 {
                    return Ok(());
                }
                client.write_all(&down[..n]).await?;
            }
        }
    }
}
