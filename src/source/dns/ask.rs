//! One question about one name: the hosts file, then the name servers.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::RecordType;
use hickory_resolver::system_conf::read_system_conf;

use crate::limits;
use crate::source::hosts;

/// What is known of a name's IPv4 and IPv6 addresses.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) v4: Answer,
    pub(super) v6: Answer,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Sorted, usable ones only, at least one.
    Found { addresses: Vec<IpAddr>, ttl: Duration },
    /// The name has none of this family, or doesn't exist.
    None,
    /// Nobody knows: a reason, as a sentence's end.
    Failed(String),
}

#[derive(Debug)]
pub(super) struct Server {
    hosts: PathBuf,
    /// `Err` says why there is none.
    resolver: Result<Box<TokioResolver>, String>,
}

impl Server {
    pub(super) fn system() -> Self {
        let resolver = read_system_conf()
            .map_err(|error| error.to_string())
            .and_then(|(config, options)| build(config, options));
        Self { hosts: "/etc/hosts".into(), resolver }
    }

    #[cfg(test)]
    pub(super) fn at(hosts: PathBuf, config: ResolverConfig) -> Self {
        let mut options = ResolverOpts::default();
        options.timeout = Duration::from_millis(300);
        Self { hosts, resolver: build(config, options) }
    }

    #[cfg(test)]
    pub(super) fn none(hosts: PathBuf) -> Self {
        Self { hosts, resolver: Err("no such file".to_owned()) }
    }

    /// Why no name server is known.
    pub(super) fn missing(&self) -> Option<&str> {
        self.resolver.as_ref().err().map(String::as_str)
    }

    pub(super) async fn ask(&self, name: &str) -> Asked {
        let found = hosts::look_up(&self.hosts, name);
        if !found.is_empty() {
            // As the system's own resolver has it: who is in the file isn't asked for elsewhere.
            let (v4, v6) = found.into_iter().partition(IpAddr::is_ipv4);
            let ttl = limits::FILE_POLL;
            return Asked { v4: usable(v4, ttl), v6: usable(v6, ttl) };
        }
        let Ok(resolver) = &self.resolver else {
            let reason = "it is not in /etc/hosts, and no name server is known".to_owned();
            return Asked { v4: Answer::Failed(reason.clone()), v6: Answer::Failed(reason) };
        };
        let (v4, v6) = tokio::join!(
            family(resolver, name, RecordType::A),
            family(resolver, name, RecordType::AAAA)
        );
        Asked { v4, v6 }
    }
}

fn build(config: ResolverConfig, mut options: ResolverOpts) -> Result<Box<TokioResolver>, String> {
    // We keep what is known, with our own bounds, and read the hosts file ourselves.
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.try_tcp_on_error = true;
    // Pods have 5, which turns each name of the outside into eight questions; search domains are
    // still tried when the name itself has no answer.
    options.ndots = options.ndots.min(1);
    let provider = TokioRuntimeProvider::default();
    TokioResolver::builder_with_config(config, provider)
        .with_options(options)
        .build()
        .map(Box::new)
        .map_err(|error| error.to_string())
}

async fn family(resolver: &TokioResolver, name: &str, kind: RecordType) -> Answer {
    let lookup = tokio::time::timeout(limits::DNS_TIMEOUT, resolver.lookup(name, kind)).await;
    match lookup {
        Err(_) => Answer::Failed("no name server answered in time".to_owned()),
        Ok(Ok(lookup)) => {
            let records = lookup.answers();
            let ttl = records.iter().map(|record| record.ttl).min().unwrap_or(0);
            let addresses = records.iter().filter_map(|record| record.data.ip_addr()).collect();
            usable(addresses, Duration::from_secs(u64::from(ttl)))
        }
        Ok(Err(NetError::Dns(DnsError::NoRecordsFound(_)))) => Answer::None,
        Ok(Err(error)) => Answer::Failed(error.to_string()),
    }
}

/// Without what can't be one machine's address: `0.0.0.0` would be this machine itself, which no
/// name server should be able to point at by a blocked name.
fn usable(addresses: Vec<IpAddr>, ttl: Duration) -> Answer {
    let mut addresses: Vec<IpAddr> = addresses
        .into_iter()
        .map(|ip| ip.to_canonical())
        .filter(|ip| !ip.is_unspecified() && !ip.is_multicast())
        .filter(|ip| !matches!(ip, IpAddr::V4(v4) if v4.is_broadcast()))
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    if addresses.is_empty() { Answer::None } else { Answer::Found { addresses, ttl } }
}
