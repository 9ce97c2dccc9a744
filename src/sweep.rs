//! The one sweeper: takes what is due from the timer table and hands each kind to whom it belongs.

mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;

use crate::clock::Time;
use crate::kit::Kit;
use crate::model::Id;
use crate::store::timers::{self, Kind, Timer};
use crate::store::{Db, Lane, StoreError, Tx};
use crate::{delivery, escalation, fault, inbound, schedule};

pub use watch::EDITION;
use watch::Watch;

/// Timers worked in one transaction.
const BATCH: i64 = 500;
/// How long a timer that cannot be worked is put off.
const PUT_OFF: Duration = Duration::from_secs(15 * 60);

/// Works due timers.
#[derive(Debug, Clone)]
pub struct Sweeper {
    kit: Arc<Kit>,
    db: Db,
    watch: Arc<Watch>,
}

impl Sweeper {
    /// A sweeper.
    #[must_use]
    pub fn new(kit: Arc<Kit>, db: Db) -> Sweeper {
        Sweeper { kit, db, watch: Arc::default() }
    }

    /// Works one batch of what is due. Gives how many timers fired. None fires before the clock and the zones were looked at.
    ///
    /// A timer that breaks its batch is found by working them one by one; it is put off and a person is
    /// told, so that it holds up no other.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn tick(&self) -> Result<usize, StoreError> {
        self.watch.look(&self.kit, &self.db).await?;
        match self.work(BATCH).await {
            Ok(fired) => Ok(fired),
            Err(e) if !e.is_poison() => Err(e),
            Err(e) => {
                tracing::error!(error = %e, "a batch of timers could not be worked; working them one by one");
                self.one_by_one().await
            }
        }
    }

    async fn work(&self, limit: i64) -> Result<usize, StoreError> {
        self.work_noting(limit, &Arc::default()).await
    }

    /// Works a batch; `first` becomes the timer that it begins with.
    async fn work_noting(&self, limit: i64, first: &Arc<AtomicI64>) -> Result<usize, StoreError> {
        let (kit, first) = (Arc::clone(&self.kit), Arc::clone(first));
        let fired = self
            .db
            .write(Lane::Work, move |tx| {
                async move {
                    let now = kit.now();
                    let due = timers::due(tx, now, limit).await?;
                    first.store(due.first().map_or(0, |t| t.id), Ordering::Relaxed);
                    fire(tx, &kit, &due, now).await?;
                    Ok(due.len())
                }
                .boxed()
            })
            .await?;
        if fired > 0 {
            fault::point("timer.committed");
        }
        Ok(fired)
    }

    async fn one_by_one(&self) -> Result<usize, StoreError> {
        let mut fired = 0;
        for _ in 0..BATCH {
            let timer = Arc::new(AtomicI64::new(0));
            match self.work_noting(1, &timer).await {
                Ok(0) => break,
                Ok(n) => fired += n,
                Err(e) if !e.is_poison() => return Err(e),
                Err(e) => {
                    tracing::error!(error = %e, "a timer could not be worked; it is put off");
                    self.put_off(timer.load(Ordering::Relaxed)).await?;
                    fired += 1;
                }
            }
        }
        Ok(fired)
    }

    /// Puts off this timer: if another node has it meanwhile, it is that one's, and no other is put off in its place.
    async fn put_off(&self, timer: i64) -> Result<(), StoreError> {
        let kit = Arc::clone(&self.kit);
        self.db
            .write(Lane::Work, move |tx| {
                async move {
                    let now = kit.now();
                    let Some(timer) = timers::due(tx, now, 1).await?.pop().filter(|t| t.id == timer) else { return Ok(()) };
                    timers::put_off(tx, timer.id, now.plus(PUT_OFF)).await?;
                    let reason = format!("A planned {} could not be worked: see the log, reference {}", timer.kind, Id(timer.id));
                    escalation::trouble(tx, &kit, reason, now).await
                }
                .boxed()
            })
            .await
    }
}

async fn fire(tx: &mut Tx, kit: &Kit, due: &[Timer], now: Time) -> Result<(), StoreError> {
    if due.is_empty() {
        return Ok(());
    }
    fault::point("timer.taken");
    // Dropped first: what comes again sets itself anew.
    timers::drop_all(tx, &due.iter().map(|t| t.id).collect::<Vec<_>>()).await?;
    fault::point("timer.dropped");
    let of = |kind: Kind| due.iter().filter(move |t| t.kind == kind.as_str()).collect::<Vec<_>>();
    escalation::fire_deadlines(tx, kit, &of(Kind::Deadline), now).await?;
    schedule::fire_steps(tx, kit, &of(Kind::Step), now).await?;
    inbound::fire_questions(tx, &of(Kind::Question), now).await?;
    delivery::fire_holds(tx, kit, &of(Kind::Hold), now).await?;
    delivery::fire_doubts(tx, kit, &of(Kind::Doubt), now).await?;
    fault::point("timer.planned");
    Ok(())
}
