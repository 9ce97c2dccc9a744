//! The one writer task of a process.
//!
//! Every write is a closure handed to the writer. It takes what is queued (and never waits for more),
//! runs each closure in a savepoint of one transaction, commits once, and only then answers each
//! caller: a failing closure harms no other, and nobody is told "done" before the commit. What came in
//! goes first and by itself, then acknowledgements and everything else.
//!
//! Where several nodes share a database, a closure locks rows in one order, and may wait for another node's. Two of them in one
//! transaction would wait while the first one's locks are held, in an order that nobody has chosen: so each begins a transaction, and
//! only what waits for nobody shares it.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::StoreError;
use super::db::Pools;
use super::trouble::LastTrouble;
use super::tx::{Tx, run};

/// The most closures that share a commit.
const PER_COMMIT: usize = 256;
/// How long a server may be silent in the middle of a transaction: longer than it lets a statement run.
const SILENCE: Duration = Duration::from_secs(25);

pub(super) trait Job: Send + std::fmt::Debug {
    /// Runs; `true` if its work is to be kept.
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, bool>;
    /// Whether it may wait for rows that another node has locked.
    fn waits(&self) -> bool;
    /// Tells the caller, once it is known whether the commit held.
    fn answer(self: Box<Self>, commit: Commit);
}

/// What became of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Commit {
    Held,
    Failed,
    /// The connection broke before the answer.
    Unsure,
}

pub(super) struct JobOf<F, T> {
    pub(super) job: Option<F>,
    pub(super) result: Option<Result<T, StoreError>>,
    pub(super) answer: oneshot::Sender<Result<T, StoreError>>,
    pub(super) waits: bool,
}

impl<F, T> std::fmt::Debug for JobOf<F, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JobOf")
    }
}

impl<F, T> Job for JobOf<F, T>
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
{
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, bool> {
        async move {
            let Some(job) = self.job.take() else { return false };
            let result = std::panic::AssertUnwindSafe(job(tx)).catch_unwind().await;
            let result = result.unwrap_or_else(|_| Err(StoreError::Refused("a write broke off; nothing of it was saved".into())));
            let keep = result.is_ok();
            self.result = Some(result);
            keep
        }
        .boxed()
    }

    fn waits(&self) -> bool {
        self.waits
    }

    fn answer(self: Box<Self>, commit: Commit) {
        let result = match self.result {
            Some(Ok(_)) if commit == Commit::Failed => Err(StoreError::Stopping),
            Some(Ok(_)) if commit == Commit::Unsure => Err(StoreError::Unsure),
            Some(result) => result,
            None => Err(StoreError::Stopping),
        };
        // A caller that has gone away does not need the answer.
        drop(self.answer.send(result));
    }
}

pub(super) struct Lanes {
    pub(super) inbound: mpsc::Receiver<Box<dyn Job>>,
    pub(super) acknowledge: mpsc::Receiver<Box<dyn Job>>,
    pub(super) work: mpsc::Receiver<Box<dyn Job>>,
    /// The last commit was of what came in.
    pub(super) stored: bool,
}

impl Lanes {
    /// Waits for a job, then takes whatever else is queued. What came in is committed by itself, so that its 200 waits for no other
    /// work; then it is the others' turn, so that a storm of callbacks stops nobody.
    async fn next(&mut self) -> Option<Vec<Box<dyn Job>>> {
        let mut jobs = Vec::new();
        if !std::mem::take(&mut self.stored) {
            self.take_inbound(&mut jobs);
        }
        if jobs.is_empty() {
            self.take_others(&mut jobs);
        }
        if !jobs.is_empty() {
            return Some(jobs);
        }
        tokio::select! {
            biased;
            Some(job) = self.inbound.recv() => {
                jobs.push(job);
                self.take_inbound(&mut jobs);
            }
            Some(job) = self.acknowledge.recv() => {
                jobs.push(job);
                self.take_others(&mut jobs);
            }
            Some(job) = self.work.recv() => {
                jobs.push(job);
                self.take_others(&mut jobs);
            }
            else => return None,
        }
        Some(jobs)
    }

    fn take_inbound(&mut self, jobs: &mut Vec<Box<dyn Job>>) {
        take(&mut self.inbound, jobs);
        self.stored = !jobs.is_empty();
    }

    fn take_others(&mut self, jobs: &mut Vec<Box<dyn Job>>) {
        take(&mut self.acknowledge, jobs);
        take(&mut self.work, jobs);
    }
}

fn take(lane: &mut mpsc::Receiver<Box<dyn Job>>, jobs: &mut Vec<Box<dyn Job>>) {
    while jobs.len() < PER_COMMIT
        && let Ok(job) = lane.try_recv()
    {
        jobs.push(job);
    }
}

pub(super) async fn write_all(pools: Pools, mut lanes: Lanes, trouble: LastTrouble) {
    while let Some(jobs) = lanes.next().await {
        for jobs in together(&pools, jobs) {
            write_once(&pools, jobs, &trouble).await;
        }
    }
}

/// Jobs by the transaction that they share.
fn together(pools: &Pools, jobs: Vec<Box<dyn Job>>) -> Vec<Vec<Box<dyn Job>>> {
    if matches!(pools, Pools::Sqlite { .. }) {
        return vec![jobs];
    }
    let mut transactions: Vec<Vec<Box<dyn Job>>> = Vec::new();
    for job in jobs {
        match transactions.last_mut() {
            Some(last) if !job.waits() => last.push(job),
            _ => transactions.push(vec![job]),
        }
    }
    transactions
}

async fn begin(pools: &Pools) -> Result<Tx, sqlx::Error> {
    const BEGIN: &str = "BEGIN IMMEDIATE";
    match pools {
        Pools::Sqlite { write, .. } => match write.begin_with(BEGIN).await {
            // SQLite took a transaction back by itself (a full disk), and the connection believes that it is still in it.
            Err(sqlx::Error::InvalidSavePointStatement) => {
                write.acquire().await?.close().await?;
                write.begin_with(BEGIN).await.map(Tx::Sqlite)
            }
            begun => begun.map(Tx::Sqlite),
        },
        Pools::Postgres { write, .. } => write.begin().await.map(Tx::Postgres),
    }
}

async fn write_once(pools: &Pools, mut jobs: Vec<Box<dyn Job>>, trouble: &LastTrouble) {
    let committing = AtomicBool::new(false);
    let transaction = transaction(pools, &mut jobs, &committing, trouble);
    let commit = match pools {
        Pools::Sqlite { .. } => transaction.await,
        Pools::Postgres { .. } => unless_silent(SILENCE, transaction).await.unwrap_or_else(|| {
            tracing::error!("the database server has not answered for too long; nothing of it counts as written");
            trouble.note(&StoreError::Database(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())));
            if committing.load(Ordering::Relaxed) { Commit::Unsure } else { Commit::Failed }
        }),
    };
    crate::fault::point("writer.after_commit");
    for job in jobs {
        job.answer(commit);
    }
}

/// Runs jobs in one transaction; `committing` says whether it has come as far as the commit.
async fn transaction(pools: &Pools, jobs: &mut [Box<dyn Job>], committing: &AtomicBool, trouble: &LastTrouble) -> Commit {
    let mut tx = match begin(pools).await {
        Ok(tx) => tx,
        Err(e) => {
            tracing::error!(error = %e, "no transaction could be begun; nothing was written");
            trouble.note(&StoreError::Database(e));
            return Commit::Failed;
        }
    };
    crate::fault::point("writer.begun");
    let alone = jobs.len() == 1;
    for job in jobs {
        let sound = if alone { job.run(&mut tx).await } else { guarded(job, &mut tx).await };
        if !sound {
            return Commit::Failed;
        }
    }
    crate::fault::point("writer.before_commit");
    committing.store(true, Ordering::Relaxed);
    match tx.commit().await {
        Ok(()) => Commit::Held,
        Err(e) => {
            tracing::error!(error = %e, "a commit failed; nothing of it counts as written");
            // A database that answers has refused; without an answer it may have committed.
            let commit = if matches!(e, sqlx::Error::Database(_)) { Commit::Failed } else { Commit::Unsure };
            trouble.note(&StoreError::Database(e));
            commit
        }
    }
}

/// What `work` gives; `None` once nothing has happened in it for `limit`. A network may lose an answer without a word, and work that
/// goes on may take long: so not its length is measured, but its silence.
async fn unless_silent<T: Send>(limit: Duration, work: impl Future<Output = T> + Send) -> Option<T> {
    let began = Instant::now();
    let last = AtomicU64::new(0);
    let heard = || began + Duration::from_millis(last.load(Ordering::Relaxed));
    let mut work = pin!(work);
    // In a set of its own it is polled when something has happened in it, and not whenever the task is woken.
    let mut set = FuturesUnordered::from_iter([poll_fn(|context| {
        last.store(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        work.as_mut().poll(context)
    })]);
    while heard().elapsed() < limit {
        tokio::select! {
            done = set.next() => return done,
            () = tokio::time::sleep_until(heard() + limit) => {}
        }
    }
    None
}

/// Runs a job in a savepoint; `false` only if the whole transaction is lost.
async fn guarded(job: &mut Box<dyn Job>, tx: &mut Tx) -> bool {
    if run!(tx, "SAVEPOINT job").is_err() {
        return false;
    }
    let end = if job.run(tx).await { "RELEASE SAVEPOINT job" } else { "ROLLBACK TO SAVEPOINT job" };
    run!(tx, end).is_ok()
}
