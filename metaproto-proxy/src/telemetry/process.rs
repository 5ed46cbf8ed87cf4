//! What the system knows of the process, under the names that Prometheus clients use for it.
//!
//! Read from `/proc`; what is not there, on another system, is left out. See proc(5).

use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Clock ticks in a second, as `/proc` counts them on every architecture of today: `USER_HZ` of the
/// kernel's `include/asm-generic/param.h`.
const TICKS: f64 = 100.0;

/// The process as metrics, in the text format of Prometheus. Reads a few small files.
pub(super) fn render() -> String {
    let proc = Path::new("/proc");
    let own = proc.join("self");
    let mut page = String::new();
    let text = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    let (status, stat) = (text(&own.join("status")), text(&own.join("stat")));
    let limits = text(&own.join("limits"));
    let boot = text(&proc.join("stat"));
    write(&mut page, RESIDENT, kibibytes(&status, "VmRSS:"));
    write(&mut page, VIRTUAL, kibibytes(&status, "VmSize:"));
    write(&mut page, CPU, cpu_seconds(&stat));
    // Reading the directory takes a descriptor itself.
    let open = fs::read_dir(own.join("fd")).map(|all| all.count().saturating_sub(1) as f64);
    write(&mut page, OPEN, open.ok());
    write(&mut page, MOST_OPEN, most_open(&limits));
    write(&mut page, START, start_time(&stat, &boot));
    page
}

/// A metric's name, kind and help.
type Metric = (&'static str, &'static str, &'static str);

const RESIDENT: Metric =
    ("process_resident_memory_bytes", "gauge", "Memory of the process that is resident.");
const VIRTUAL: Metric = ("process_virtual_memory_bytes", "gauge", "Address space of the process.");
const CPU: Metric = ("process_cpu_seconds_total", "counter", "Processor time spent.");
const OPEN: Metric = ("process_open_fds", "gauge", "File descriptors that are open.");
const MOST_OPEN: Metric = ("process_max_fds", "gauge", "File descriptors that may be open.");
const START: Metric =
    ("process_start_time_seconds", "gauge", "When the process was started, in seconds since 1970.");

fn write(page: &mut String, (name, kind, help): Metric, value: Option<f64>) {
    if let Some(value) = value {
        writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}").ok();
    }
}

/// A line of `/proc/self/status` such as `VmRSS:     1234 kB`, in bytes.
fn kibibytes(status: &str, key: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    let number: f64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    Some(number * 1024.0)
}

/// The n-th field of `/proc/self/stat`, counted from 1 as proc(5) does. The second is the name of the
/// program in parentheses, which may hold anything.
fn field(stat: &str, n: usize) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(n.checked_sub(3)?)?.parse().ok()
}

/// In user mode and in the kernel.
fn cpu_seconds(stat: &str) -> Option<f64> {
    Some((field(stat, 14)? + field(stat, 15)?) / TICKS)
}

/// The start is told in ticks since the system was booted, and that in seconds.
fn start_time(stat: &str, boot: &str) -> Option<f64> {
    let booted = boot.lines().find_map(|line| line.strip_prefix("btime "))?;
    Some(booted.trim().parse::<f64>().ok()? + field(stat, 22)? / TICKS)
}

/// The soft limit of `/proc/self/limits`.
fn most_open(limits: &str) -> Option<f64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_any_name() {
        let fields: Vec<_> = (3..=30).map(|n| (n * 100).to_string()).collect();
        let stat = format!("7 (a b) (c) {}\n", fields.join(" "));
        assert_eq!(cpu_seconds(&stat), Some(29.0));
        assert_eq!(start_time(&stat, "cpu 1 2\nbtime 1000\nx 1\n"), Some(1022.0));
        assert_eq!(cpu_seconds("7 (a"), None);
        assert_eq!(start_time(&stat, ""), None);
    }

    #[test]
    fn sizes_and_limits_are_read() {
        let status = "Name:\tx\nVmSize:\t  2000 kB\nVmRSS:\t    12 kB\n";
        assert_eq!(kibibytes(status, "VmRSS:"), Some(12288.0));
        assert_eq!(kibibytes(status, "VmPeak:"), None);
        let limits = "Limit    Soft Limit   Hard Limit\nMax open files   1024   4096   files\n";
        assert_eq!(most_open(limits), Some(1024.0));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_a_size_and_a_start() {
        let page = render();
        let value = |name: &str| -> f64 {
            let line = page.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("no {name}")).trim().parse().unwrap()
        };
        assert!(value("process_resident_memory_bytes ") > 1e5);
        assert!(value("process_open_fds ") >= 3.0);
        assert!(value("process_max_fds ") >= value("process_open_fds "));
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
        let age = now - value("process_start_time_seconds ");
        assert!((-2.0..3600.0).contains(&age), "{age}");
        assert!(page.contains("# TYPE process_cpu_seconds_total counter\n"));
    }
}
