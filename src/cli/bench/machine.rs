//! On what a figure was measured: without it, no figure means anything.

use serde_json::{Value, json};

/// Starts to measure.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures the machine, not the patients' time")]
pub(super) fn stopwatch() -> std::time::Instant {
    std::time::Instant::now()
}

/// Processor, memory, system and the commit that was built.
pub(super) fn describe() -> Value {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let memory: f64 = field(&read("/proc/meminfo"), "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0.0);
    json!({
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "processor": field(&read("/proc/cpuinfo"), "model name"),
        "memory_gib": super::round(memory / 1024.0 / 1024.0, 1),
        "system": read("/proc/sys/kernel/osrelease").trim(),
        "version": env!("CARGO_PKG_VERSION"),
        "optimised": !cfg!(debug_assertions),
        "commit": commit(),
    })
}

/// The commit of the checkout that this program was built in, if it is still there.
fn commit() -> Option<String> {
    let git = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(".git");
    let head = std::fs::read_to_string(git.join("HEAD")).ok()?;
    let Some(name) = head.trim().strip_prefix("ref: ") else { return Some(head.trim().to_owned()) };
    let loose = std::fs::read_to_string(git.join(name)).ok();
    let packed = || {
        let packed = std::fs::read_to_string(git.join("packed-refs")).ok()?;
        packed.lines().find(|line| line.ends_with(name)).and_then(|line| line.split(' ').next()).map(str::to_owned)
    };
    loose.map(|hash| hash.trim().to_owned()).or_else(packed)
}

/// Memory that this process holds now and held at most, in MiB.
pub(super) fn memory() -> Option<(f64, f64)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let mib = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kib| super::round(kib / 1024.0, 1))
    };
    Some((mib("VmRSS:")?, mib("VmHWM:")?))
}

/// Processor time that this process has used, in seconds.
pub(super) fn cpu_seconds() -> Option<f64> {
    // The kernel counts in hundredths of a second on every Linux that this runs on.
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let after = stat.rsplit(')').next()?;
    let field = |n: usize| after.split_whitespace().nth(n)?.parse::<f64>().ok();
    Some((field(11)? + field(12)?) / TICKS)
}
