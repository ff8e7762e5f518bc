//! What a process has used, from `/proc`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// Memory of a process, in kB of 1024 bytes as the kernel counts.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Resident now.
    pub resident: u32,
    /// Of that, heap and stacks: what no file holds.
    pub anonymous: u32,
    /// The most that was ever resident.
    pub peak: u32,
}

/// The memory of a process.
pub fn memory(id: u32) -> Result<Memory> {
    let path = format!("/proc/{id}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("failed to read {path}"))?;
    Ok(Memory {
        resident: field(&status, "VmRSS").with_context(|| format!("no VmRSS in {path}"))?,
        anonymous: field(&status, "RssAnon").with_context(|| format!("no RssAnon in {path}"))?,
        peak: field(&status, "VmHWM").with_context(|| format!("no VmHWM in {path}"))?,
    })
}

/// The processor time of all threads of a process so far, to the nanosecond.
pub fn processor_time(id: u32) -> Result<Duration> {
    let path = format!("/proc/{id}/task");
    let threads = fs::read_dir(&path).with_context(|| format!("failed to read {path}"))?;
    let mut nanoseconds = 0;
    for thread in threads {
        let thread = thread.with_context(|| format!("failed to read {path}"))?;
        nanoseconds += thread_time(&thread.path())?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// The first number of `schedstat`: nanoseconds on a processor. A thread that
/// has just ended counts for nothing.
fn thread_time(thread: &Path) -> Result<u64> {
    let path = thread.join("schedstat");
    let Ok(text) = fs::read_to_string(&path) else {
        return Ok(0);
    };
    let first = text.split_ascii_whitespace().next().unwrap_or_default();
    first
        .parse()
        .with_context(|| format!("failed to understand {}", path.display()))
}

fn field(status: &str, name: &str) -> Option<u32> {
    let lines = status.lines();
    let value = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| *key == name)?
        .1;
    value.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_itself() {
        let memory = memory(std::process::id()).unwrap();
        assert!(memory.resident > 100 && memory.peak >= memory.resident);
        assert!(processor_time(std::process::id()).unwrap() > Duration::ZERO);
    }
}
