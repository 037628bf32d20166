use std::time::Duration;

use crate::model::{
    Address, Attachment, BackendPolicy, BackendProtocol, Endpoint, HeaderMatch, Hostname, Kind,
    ListenerProtocol, ListenerSettings, Match, ObjectKey, PathMatch, Pattern, PrivateKey,
    QueryMatch, RetryPolicy, RouteProtocol, RuleOrder, Store, Timeouts,
};

use super::*;

mod changes;
mod lookup;
mod near;
mod oracle;
mod random;
mod work;

pub(in crate::snapshot) fn key(part: PartKind, kind: Kind, name: &str) -> PartKey {
    PartKey::new(part, ObjectKey::new(Store::Files, kind, "default", name), "")
}

pub(in crate::snapshot) fn listener_key(name: &str) -> PartKey {
    key(PartKind::Listener, Kind::Gateway, name)
}

pub(in crate::snapshot) fn rule_key(name: &str) -> PartKey {
    key(PartKind::Rule, Kind::HttpRoute, name)
}

pub(in crate::snapshot) fn hostname(text: &str) -> Option<Hostname> {
    (!text.is_empty()).then(|| Hostname::parse(text).expect("a literal"))
}

pub(in crate::snapshot) fn listener(name: &str, port: u16, host: &str) -> Listener {
    let limit = Duration::from_secs(1);
    let settings = ListenerSettings {
        trusted_hops: 0,
        proxy_protocol_from: Vec::new(),
        idle_timeout: limit,
        request_head_timeout: limit,
        stream_idle_timeout: limit,
        drain_timeout: limit,
        max_header_bytes: 1_000,
        access_log: None,
        via: "mesh".into(),
    };
    Listener {
        key: listener_key(name),
        gateway: ObjectKey::new(Store::Files, Kind::Gateway, "default", name),
        scope: Default::default(),
        bind: BindAddress { ip: None, port },
        port,
        hostname: hostname(host),
        protocol: ListenerProtocol::Http,
        settings: settings.into(),
    }
}

/// A rule on listener `web`, for any host, as old as all others.
pub(in crate::snapshot) fn rule(name: &str, matches: Vec<Match>) -> Rule {
    Rule {
        key: rule_key(name),
        protocol: RouteProtocol::Http,
        order: RuleOrder { created: 0, namespace: "default".into(), name: name.into(), rule: 0 },
        attachments: attachments(&[""]),
        matches,
        filters: Vec::new(),
        backends: Vec::new(),
        timeouts: Timeouts::default(),
        retry: RetryPolicy::standard(),
        session_persistence: None,
    }
}

pub(in crate::snapshot) fn attachments(hosts: &[&str]) -> Vec<Attachment> {
    let on = |host: &&str| Attachment { listener: listener_key("web"), hostname: hostname(host) };
    hosts.iter().map(on).collect()
}

pub(in crate::snapshot) fn exact(path: &str) -> Match {
    matching(PathMatch::Exact(path.into()))
}

/// As lowering stores it: without the trailing slash.
pub(in crate::snapshot) fn prefix(path: &str) -> Match {
    matching(PathMatch::Prefix(path.strip_suffix('/').unwrap_or(path).into()))
}

pub(in crate::snapshot) fn regex(pattern: &str) -> Match {
    matching(PathMatch::Regex(Pattern::checked(pattern)))
}

fn matching(path: PathMatch) -> Match {
    Match { path, method: None, headers: Vec::new(), query: Vec::new() }
}

impl Match {
    pub(in crate::snapshot) fn method(mut self, method: &str) -> Self {
        self.method = Some(method.into());
        self
    }

    pub(in crate::snapshot) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(HeaderMatch::Exact { name: name.into(), value: value.into() });
        self
    }

    pub(in crate::snapshot) fn header_regex(mut self, name: &str, pattern: &str) -> Self {
        let pattern = Pattern::checked(pattern);
        self.headers.push(HeaderMatch::Regex { name: name.into(), pattern });
        self
    }

    pub(in crate::snapshot) fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push(QueryMatch::Exact { name: name.into(), value: value.into() });
        self
    }

    pub(in crate::snapshot) fn query_regex(mut self, name: &str, pattern: &str) -> Self {
        let pattern = Pattern::checked(pattern);
        self.query.push(QueryMatch::Regex { name: name.into(), pattern });
        self
    }
}

pub(in crate::snapshot) fn backend(name: &str, endpoints: &str) -> Backend {
    Backend {
        key: key(PartKind::Backend, Kind::Service, name),
        endpoints: key(PartKind::EndpointSet, Kind::Service, endpoints),
        protocol: BackendProtocol::Http,
        tls: Ok(None),
        policy: BackendPolicy::standard().into(),
    }
}

pub(in crate::snapshot) fn endpoints(name: &str, port: u16) -> EndpointSet {
    let address = Address::Socket(([127, 0, 0, 1], port).into());
    EndpointSet {
        key: key(PartKind::EndpointSet, Kind::Service, name),
        endpoints: vec![Endpoint { address, alternate: None, weight: 1 }],
        empty: None,
        reach: None,
    }
}

pub(in crate::snapshot) fn certificate(name: &str, byte: u8) -> Certificate {
    Certificate {
        key: key(PartKind::Certificate, Kind::Secret, name),
        chain: vec![vec![byte]],
        private_key: PrivateKey(Arc::new([byte])),
    }
}

pub(in crate::snapshot) fn upserts(parts: impl IntoIterator<Item = Part>) -> Changes {
    Changes { upserted: parts.into_iter().collect(), removed: Vec::new() }
}

/// A snapshot with the listener `web` and these rules on it.
pub(in crate::snapshot) fn web(rules: impl IntoIterator<Item = Rule>) -> Snapshot {
    let parts = rules.into_iter().map(|rule| Part::Rule(rule.into()));
    let web = Part::Listener(listener("web", 80, "").into());
    Snapshot::empty().apply(&upserts(parts.chain([web])))
}

pub(in crate::snapshot) fn table(snapshot: &Snapshot) -> &Arc<ListenerTable> {
    snapshot.listeners.get(&listener_key("web")).expect("the listener is there")
}

/// A request as text: `GET shop.example/cart?id=7`, then its header fields.
#[derive(Clone, Debug)]
pub(in crate::snapshot) struct Asked {
    pub(in crate::snapshot) method: String,
    pub(in crate::snapshot) host: String,
    pub(in crate::snapshot) path: String,
    pub(in crate::snapshot) query: Option<String>,
    pub(in crate::snapshot) headers: Vec<(String, String)>,
}

pub(in crate::snapshot) fn get(host: &str, target: &str) -> Asked {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (target, None),
    };
    Asked {
        method: "GET".to_owned(),
        host: host.to_owned(),
        path: path.to_owned(),
        query,
        headers: Vec::new(),
    }
}

impl Asked {
    pub(in crate::snapshot) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(in crate::snapshot) fn by(mut self, method: &str) -> Self {
        method.clone_into(&mut self.method);
        self
    }
}

impl RouteRequest for Asked {
    fn host(&self) -> &str {
        &self.host
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    fn method(&self) -> &str {
        &self.method
    }

    fn header(&self, name: &str) -> Option<std::borrow::Cow<'_, str>> {
        let named = self.headers.iter().filter(|(other, _)| other == name);
        let values: Vec<_> = named.map(|(_, value)| value.as_str()).collect();
        match values[..] {
            [] => None,
            [value] => Some(value.into()),
            _ => Some(values.join(", ").into()),
        }
    }
}

/// The name of the found rule's route, with the position of the match if it isn't the first.
pub(in crate::snapshot) fn found(snapshot: &Snapshot, request: &Asked) -> Option<String> {
    let found = table(snapshot).find(request, &mut 0)?;
    let name = &found.rule.rule.key.object.name;
    Some(match found.matched {
        0 => name.to_string(),
        matched => format!("{name}/{matched}"),
    })
}
