//! The loops of a process. One that breaks off ends the process: a service of which a part is missing sends nothing, or answers
//! nothing, and looks well from outside.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What runs until it is told to stop.
#[derive(Debug, Clone, Default)]
pub(super) struct Loops {
    tasks: TaskTracker,
    /// Tells all of them.
    pub(super) stop: CancellationToken,
    broke: Arc<AtomicBool>,
}

impl Loops {
    /// Starts a loop that must not end before it is told to.
    pub(super) fn start(&self, task: impl Future<Output = ()> + Send + 'static) {
        let all = self.clone();
        self.tasks.spawn(async move {
            let panicked = AssertUnwindSafe(task).catch_unwind().await.is_err();
            if panicked || !all.stop.is_cancelled() {
                all.break_off("a loop ended before it was told to: the process stops, to be started again");
            }
        });
    }

    /// The same for what ends by itself with the last handle to it, and only must not panic.
    pub(super) fn watched(&self, task: impl Future<Output = ()> + Send + 'static) -> impl Future<Output = ()> + Send + 'static {
        let all = self.clone();
        async move {
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                all.break_off("what writes to the database broke off: the process stops, to be started again");
            }
        }
    }

    /// Stops everything, and not in peace.
    pub(super) fn break_off(&self, why: &str) {
        tracing::error!("{why}");
        self.broke.store(true, Ordering::Relaxed);
        self.stop.cancel();
    }

    /// Waits until all have ended.
    pub(super) async fn ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Whether none has broken off.
    pub(super) fn in_peace(&self) -> bool {
        !self.broke.load(Ordering::Relaxed)
    }
}
