//! The only place that reads the time.
//!
//! *Domain time* is what patients live in: it can be moved and sped up. *Machine time* serves leases,
//! time-outs and back-off: it is never sped up.

use std::sync::Mutex;
use std::time::Duration;

/// Milliseconds since the Unix epoch, UTC. A `BIGINT` in the database.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Time(pub i64);

impl Time {
    /// This time, `duration` later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Time {
        Time(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This time, `duration` earlier.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Time {
        Time(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is not.
    #[must_use]
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// By how much clocks that are right may differ: those of several machines, and one that is corrected a little. Only what lies
/// further in the future was made by a clock that was ahead.
pub const SLACK: Duration = Duration::from_secs(2 * 60);

/// Where the time comes from.
pub trait Clock: Send + Sync + 'static {
    /// Domain time.
    fn now(&self) -> Time;
    /// Machine time.
    fn machine(&self) -> Time;
    /// Whether machine time is the machine's: a clock that is moved by hand has its own.
    fn is_real(&self) -> bool {
        true
    }
    /// How many domain seconds pass in a machine second; `0` when the clock is moved by hand or paused.
    fn speed(&self) -> f64;
}

/// Domain time is machine time.
#[derive(Debug, Default)]
pub struct SystemClock;

#[expect(clippy::disallowed_methods, reason = "the one reading of the machine's clock")]
fn system_now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

impl Clock for SystemClock {
    fn now(&self) -> Time {
        system_now()
    }
    fn machine(&self) -> Time {
        system_now()
    }
    fn speed(&self) -> f64 {
        1.0
    }
}

/// Stands still until it is moved: for tests. Domain and machine time move together, unless domain time jumps.
#[derive(Debug)]
pub struct ManualClock(Mutex<Hands>);

#[derive(Debug, Clone, Copy)]
struct Hands {
    domain: Time,
    machine: Time,
}

impl ManualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn new(start: Time) -> ManualClock {
        ManualClock(Mutex::new(Hands { domain: start, machine: start }))
    }

    /// Moves the clock to `time`, forwards or back; machine time moves as far.
    pub fn set(&self, time: Time) {
        let mut hands = self.hands();
        let by = time.0 - hands.domain.0;
        *hands = Hands { domain: time, machine: Time(hands.machine.0 + by) };
    }

    /// Domain time jumps to `time`, forwards or back; machine time knows nothing of it.
    pub fn jump(&self, time: Time) {
        self.hands().domain = time;
    }

    fn hands(&self) -> std::sync::MutexGuard<'_, Hands> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        let now = self.now();
        self.set(now.plus(by));
    }
}

impl Clock for ManualClock {
    fn is_real(&self) -> bool {
        false
    }
    fn now(&self) -> Time {
        self.hands().domain
    }
    fn machine(&self) -> Time {
        self.hands().machine
    }
    fn speed(&self) -> f64 {
        0.0
    }
}

/// Runs faster than life: for the demo.
#[derive(Debug)]
pub struct ScaledClock(Mutex<Scale>);

#[derive(Debug, Clone, Copy)]
struct Scale {
    domain: Time,
    machine: Time,
    speed: f64,
}

impl Scale {
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "milliseconds of a demo's life fit")]
    fn at(self, machine: Time) -> Time {
        Time(self.domain.0 + ((machine.0 - self.machine.0).max(0) as f64 * self.speed) as i64)
    }
}

impl ScaledClock {
    /// Starts at `start` and runs `speed` times as fast as the machine's clock.
    #[must_use]
    pub fn new(start: Time, speed: f64) -> ScaledClock {
        ScaledClock(Mutex::new(Scale { domain: start, machine: system_now(), speed }))
    }

    /// Changes the speed from now on; `0` pauses.
    pub fn set_speed(&self, speed: f64) {
        let mut scale = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let machine = system_now();
        *scale = Scale { domain: scale.at(machine), machine, speed };
    }
}

impl Clock for ScaledClock {
    fn now(&self) -> Time {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).at(system_now())
    }
    fn machine(&self) -> Time {
        system_now()
    }
    fn speed(&self) -> f64 {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).speed
    }
}
