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
    let found = in_hosts(&String::from_utf8_lossy(&text), name);
    if found.is_empty() && is_localhost(name) {
        return vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
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
