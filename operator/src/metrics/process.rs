//! The process itself, as Prometheus' own client libraries show it: see "Writing
//! client libraries", "Process metrics".

use std::fmt;
use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::show;

/// Reads `/proc` at each scrape.
#[derive(Debug)]
pub(super) struct Process;

/// Clock ticks a second in `/proc` (`USER_HZ`): fixed on every platform this is
/// built for.
const TICKS: f64 = 100.0;
/// Positions in `/proc/self/stat` behind the program's name, by proc_pid_stat(5).
const USER_TIME: usize = 11;
const SYSTEM_TIME: usize = 12;
const START_TIME: usize = 19;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        if let Some(bytes) = resident_bytes() {
            show(
                &mut encoder,
                "process_resident_memory_bytes",
                "Resident memory.",
                &ConstGauge::new(bytes),
            )?;
        }
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let seconds = |position| stat_field(&stat, position).map(|ticks| ticks / TICKS);
        if let (Some(user), Some(system)) = (seconds(USER_TIME), seconds(SYSTEM_TIME)) {
            show(
                &mut encoder,
                "process_cpu_seconds",
                "Processor time of the program and the system on its behalf.",
                &ConstCounter::new(user + system),
            )?;
        }
        if let (Some(boot), Some(start)) = (boot_time(), seconds(START_TIME)) {
            show(
                &mut encoder,
                "process_start_time_seconds",
                "When the process began, since 1970.",
                &ConstGauge::new(boot + start),
            )?;
        }
        Ok(())
    }
}

fn resident_bytes() -> Option<i64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

fn stat_field(stat: &str, position: usize) -> Option<f64> {
    // The name stands in parentheses and may have any character in it.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(position)?.parse().ok()
}

/// In seconds since 1970.
fn boot_time() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    line.trim().parse().ok()
}
