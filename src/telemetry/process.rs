//! What the kernel knows about this process, under Prometheus' standard names, and what it lets
//! the process have.
//!
//! Values are read from /proc at each scrape; one that can't be read is left out.

use std::{fs, io};

use rustix::process::{Resource, getrlimit, setrlimit};

use super::metrics::Family;
use super::registry::SampleValue;

/// Ticks per second in /proc/self/stat (`USER_HZ`): part of Linux' interface, the same on every
/// architecture that Rust's standard library runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// Raises the soft limit of open files to the hard one, which is what `limits::CONNECTIONS` needs:
/// the soft one is 1,024 on most systems, for the sake of `select`. Says what it is now.
pub fn raise_open_files() -> io::Result<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        setrlimit(Resource::Nofile, limit)?;
    }
    Ok(limit.current.unwrap_or(u64::MAX))
}

pub(super) fn values() -> Vec<(Family, SampleValue)> {
    let mut values = Vec::with_capacity(6);
    if let Ok(stat) = fs::read_to_string("/proc/self/stat")
        && let Some(seconds) = cpu_seconds(&stat)
    {
        values.push((Family::ProcessCpu, SampleValue::Seconds(seconds)));
    }
    if let Ok(status) = fs::read_to_string("/proc/self/status") {
        let mut push = |family, field, scale| {
            if let Some(value) = status_field(&status, field) {
                values.push((family, SampleValue::Level(value * scale)));
            }
        };
        push(Family::ProcessResidentMemory, "VmRSS:", 1024);
        push(Family::ProcessVirtualMemory, "VmSize:", 1024);
        push(Family::ProcessThreads, "Threads:", 1);
    }
    if let Ok(entries) = fs::read_dir("/proc/self/fd") {
        // The directory that is being read is itself one of them.
        let open = i64::try_from(entries.count()).unwrap_or(i64::MAX).saturating_sub(1);
        values.push((Family::ProcessOpenFds, SampleValue::Level(open)));
    }
    let limit = getrlimit(Resource::Nofile);
    if let Some(max) = limit.current.and_then(|max| i64::try_from(max).ok()) {
        values.push((Family::ProcessMaxFds, SampleValue::Level(max)));
    }
    values
}

/// `utime` and `stime`, fields 14 and 15. Field 2 is the program's name in parentheses, which may
/// hold spaces and parentheses itself.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

fn status_field(status: &str, field: &str) -> Option<i64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests;
