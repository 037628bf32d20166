//! What the machine itself says about names: /etc/hosts, and `localhost` without it.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use crate::limits;

/// The addresses of a name in a hosts file; read each time, because it is small and changes.
pub(super) fn look_up(file: &Path, name: &str) -> Vec<IpAddr> {
    let mut text = Vec::new();
    if let Ok(file) = std::fs::File::open(file) {
        // Half a file is better than none.
        let _ = file.take(limits::HOSTS_BYTES).read_to_end(&mut text);
    }
    let mut found = in_hosts(&String::from_utf8_lossy(&text), name);
    // Containers often have `127.0.0.1 localhost` alone, and a server on `::1` beside it. A file
    // that says something else altogether is believed.
    if is_localhost(name) && found.iter().all(IpAddr::is_loopback) {
        for loopback in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
            if !found.iter().any(|ip| ip.is_ipv4() == loopback.is_ipv4()) {
                found.push(loopback);
            }
        }
    }
    found
}

fn in_hosts(text: &str, name: &str) -> Vec<IpAddr> {
    let line = |line: &str| {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|word| same(word, name)).then_some(address)
    };
    text.lines().filter_map(line).collect()
}

fn same(word: &str, name: &str) -> bool {
    word.strip_suffix('.').unwrap_or(word).eq_ignore_ascii_case(name)
}

/// RFC 6761 §6.3: never asked of a name server.
fn is_localhost(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    last.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests;
