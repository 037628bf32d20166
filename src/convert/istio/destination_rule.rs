//! DestinationRule: how a Service is used, and its subsets.

use serde_json::{Value, json};

use super::destinations::{Destinations, Host};
use super::virtual_service::go_duration;
use super::{annotations, export, metadata};
use crate::convert::ledger::{Cursor, Document};
use crate::convert::made::{Key, Made};
use crate::convert::written::duration;

/// What its subsets are, before anybody asks for them.
pub(super) fn learn(document: &Document, destinations: &mut Destinations<'_>) {
    let root = document.root();
    let Some((key, spec)) = subject(&root) else { return };
    for subset in spec.list("subsets") {
        if let (Some(name), Some(labels)) = (subset.text_of("name"), subset.get("labels")) {
            labels.take();
            destinations.learn(key.clone(), name, labels.json());
        }
    }
}

fn subject<'d>(root: &Cursor<'d>) -> Option<(Key, Cursor<'d>)> {
    let namespace = root.get("metadata").and_then(|metadata| metadata.text_of("namespace"));
    let spec = root.get("spec")?;
    match Host::of(spec.text_of("host")?, namespace) {
        Host::Service(namespace, name) => Some(((namespace, name), spec)),
        Host::Outside(_) => None,
    }
}

pub(super) fn convert(document: &Document, destinations: &mut Destinations<'_>, made: &mut Made) {
    let root = document.root();
    let (own, ..) = metadata(&root);
    // A policy's annotations are nobody's to read.
    let _ = annotations(&root);
    let Some((key, spec)) = subject(&root) else {
        if let Some(host) = root.get("spec").and_then(|spec| spec.get("host")) {
            host.lost(
                "a policy has a Service of the cluster as its target",
                "write a TrafficPolicy for the Backend",
            );
            root.take();
        }
        return;
    };
    export(&spec);
    if key.0 != own
        && let Some(host) = spec.get("host")
    {
        host.differs(
            "a policy stands beside its target",
            "it is written into the namespace of the Service",
        );
    }
    let policy = spec.get("trafficPolicy").map(|policy| policy_of(&policy)).unwrap_or_default();
    let mut targets = vec![key.1.clone()];
    let mut special = Vec::new();
    for subset in spec.list("subsets") {
        let Some(name) = subset.text_of("name") else { continue };
        let own = subset.get("trafficPolicy").map(|own| policy_of(&own));
        // Subsets that nobody sends to need no Service, unless they say something.
        let Some(service) = destinations.subset(&key, name, &subset, made) else { continue };
        match own {
            None => targets.push(service),
            Some(own) => special.push((service, policy.under(own))),
        }
    }
    policy.write(&key, &targets, made);
    for (service, policy) in special {
        policy.write(&key, &[service], made);
    }
}

/// The pieces of a TrafficPolicy, and a BackendTLSPolicy's validation.
#[derive(Clone, Debug, Default)]
struct Policy {
    fields: Vec<(&'static str, Value)>,
    tls: Option<Value>,
}

impl Policy {
    fn set(&mut self, field: &'static str, value: Value) {
        self.fields.retain(|(name, _)| *name != field);
        self.fields.push((field, value));
    }

    /// What a subset says goes before what holds for all.
    fn under(&self, own: Self) -> Self {
        let mut both = self.clone();
        for (field, value) in own.fields {
            both.set(field, value);
        }
        both.tls = own.tls.or(both.tls);
        both
    }

    fn write(&self, (namespace, service): &Key, targets: &[String], made: &mut Made) {
        let namespace = namespace.as_deref();
        let reference = |name: &String| json!({"group": "", "kind": "Service", "name": name});
        let references: Vec<Value> = targets.iter().map(reference).collect();
        let wanted = match targets {
            [only] => only,
            _ => service,
        };
        /// The Gateway API's bound on the targets of a policy.
        const TARGETS: usize = 16;
        for references in references.chunks(TARGETS) {
            if !self.fields.is_empty() {
                let mut spec = json!({"targetRefs": references});
                for (field, value) in &self.fields {
                    spec[*field] = value.clone();
                }
                let name = made.name("TrafficPolicy", namespace, wanted);
                made.add("TrafficPolicy", namespace, &name, spec);
            }
            if let Some(validation) = &self.tls {
                let mut validation = validation.clone();
                if validation.get("hostname").is_none() {
                    let there = namespace.unwrap_or(crate::names::NAMESPACE_DEFAULT);
                    validation["hostname"] = format!("{service}.{there}.svc").into();
                }
                let name = made.name("BackendTLSPolicy", namespace, wanted);
                let spec = json!({"targetRefs": references, "validation": validation});
                made.add("BackendTLSPolicy", namespace, &name, spec);
            }
        }
    }
}

fn policy_of(cursor: &Cursor<'_>) -> Policy {
    let mut policy = Policy::default();
    if let Some(balancer) = cursor.get("loadBalancer") {
        balance(&balancer, &mut policy);
    }
    if let Some(pool) = cursor.get("connectionPool") {
        connections(&pool, &mut policy);
    }
    if let Some(outliers) = cursor.get("outlierDetection") {
        ejection(&outliers, &mut policy);
    }
    if let Some(settings) = cursor.get("tls") {
        tls(&settings, &mut policy);
    }
    if let Some(version) = cursor.get("proxyProtocol").and_then(|proxy| proxy.get("version")) {
        match version.text() {
            Some("V1") => policy.set("proxyProtocol", "v1".into()),
            Some("V2") => policy.set("proxyProtocol", "v2".into()),
            _ => version.unreadable("there is no such version", "write V1 or V2"),
        }
    }
    if let Some(percent) = cursor.get("retryBudget").and_then(|budget| budget.get("percent"))
        && let Some(number) = percent.float()
    {
        policy.set("retryBudget", json!({"percent": number.clamp(0.0, 100.0).round() as i64}));
    }
    if let Some(ports) = cursor.get("portLevelSettings") {
        ports.lost("a policy holds for every port of a Service", "make a Service of each port");
    }
    policy
}

fn balance(balancer: &Cursor<'_>, policy: &mut Policy) {
    if let Some(simple) = balancer.get("simple") {
        match simple.text() {
            Some("ROUND_ROBIN") => policy.set("balance", json!({"type": "RoundRobin"})),
            Some("LEAST_CONN" | "LEAST_REQUEST") => {
                policy.set("balance", json!({"type": "LeastRequest"}))
            }
            Some("RANDOM") => policy.set("balance", json!({"type": "Random"})),
            Some("UNSPECIFIED") | None => {}
            Some(other) => {
                simple.lost(format!("{other} is no way of balancing here"), "see TrafficPolicy")
            }
        }
    }
    if let Some(hash) = balancer.get("consistentHash") {
        let source = if let Some(name) = hash.text_of("httpHeaderName") {
            Some(json!({"type": "Header", "name": name}))
        } else if let Some(cookie) = hash.get("httpCookie") {
            cookie.text_of("name").map(|name| json!({"type": "Cookie", "name": name}))
        } else if hash.get("useSourceIp").and_then(|one| one.boolean()) == Some(true) {
            Some(json!({"type": "ClientAddress"}))
        } else {
            hash.lost(
                "this can't be hashed on",
                "a header, a cookie, the path or the client's address can",
            );
            None
        };
        if let Some(source) = source {
            policy.set("balance", json!({"type": "ConsistentHash", "hashOn": source}));
        }
        for ring in ["minimumRingSize", "ringHash", "maglev"] {
            if let Some(ring) = hash.get(ring) {
                ring.differs("the table of hashes has a size of its own", "nothing is to be done");
            }
        }
    }
    let warm = balancer.get("warmupDurationSecs");
    let warm = warm.or_else(|| balancer.get("warmup").and_then(|warmup| warmup.get("duration")));
    if let Some(window) = warm.and_then(|warm| time(&warm)) {
        policy.set("slowStart", window.into());
    }
}

fn time(cursor: &Cursor<'_>) -> Option<String> {
    let text = cursor.text()?;
    let millis = go_duration(text);
    if millis.is_none() {
        cursor.unreadable(format!("`{text}` is not a duration"), "write it as in `1s` or `1m30s`");
    }
    millis.map(duration)
}

fn connections(pool: &Cursor<'_>, policy: &mut Policy) {
    if let Some(connect) = pool.get("tcp").and_then(|tcp| tcp.get("connectTimeout"))
        && let Some(timeout) = time(&connect)
    {
        policy.set("timeouts", json!({"connect": timeout}));
    }
    let Some(http) = pool.get("http") else { return };
    if let Some(most) = http.get("http2MaxRequests").and_then(|most| most.number()) {
        policy.set("maxRequests", most.clamp(0, u32::MAX.into()).into());
    }
    if let Some(pending) = http.get("http1MaxPendingRequests") {
        pending.lost(
            "requests that wait for a connection are not counted apart",
            "`maxRequests` of a TrafficPolicy bounds all that are in flight",
        );
    }
    if let Some(policy) = http.get("h2UpgradePolicy") {
        policy.lost(
            "which HTTP a backend speaks is what its Service says",
            "write `appProtocol: kubernetes.io/h2c` at the Service's port",
        );
    }
}

fn ejection(outliers: &Cursor<'_>, policy: &mut Policy) {
    let mut found = json!({});
    for field in ["consecutive5xxErrors", "consecutiveGatewayErrors", "consecutiveErrors"] {
        let Some(cursor) = outliers.get(field) else { continue };
        match cursor.number() {
            Some(0) => found["enabled"] = false.into(),
            Some(count) => {
                found["consecutiveFailures"] = count.clamp(1, 1_000).into();
                cursor.differs(
                    "connections that fail are counted, and no statuses",
                    "an endpoint that answers 500 to bad requests stays; one that can't be reached goes",
                );
            }
            None => {}
        }
    }
    if let Some(base) =
        outliers.get("baseEjectionTime").and_then(|base| Some((go_duration(base.text()?)?, base)))
    {
        let millis = base.0.max(1);
        found["baseTime"] = duration(millis).into();
        // The longest is five minutes, unless it is said.
        if millis > 300_000 {
            found["maxTime"] = duration(millis).into();
        }
    }
    if let Some(percent) = outliers.get("maxEjectionPercent").and_then(|most| most.number()) {
        found["maxPercent"] = percent.clamp(0, 100).into();
    }
    if let Some(interval) = outliers.get("interval") {
        interval
            .differs("failures count when they happen, in no intervals", "nothing is to be done");
    }
    if found.as_object().is_some_and(|map| !map.is_empty()) {
        policy.set("ejection", found);
    }
}

fn tls(settings: &Cursor<'_>, policy: &mut Policy) {
    let Some(mode) = settings.get("mode") else { return };
    match mode.text() {
        Some("DISABLE") => return,
        Some("SIMPLE") => {}
        Some("ISTIO_MUTUAL") => {
            return mode.lost(
                "mTLS between workloads is not part of this version",
                "backends are spoken to without TLS",
            );
        }
        _ => {
            settings.lost(
                "a client certificate for one backend is not carried over",
                "name it in `tls.backend` of the Gateway, or in a Backend",
            );
            return;
        }
    }
    let mut validation = json!({"wellKnownCACertificates": "System"});
    if let Some(sni) = settings.text_of("sni") {
        validation["hostname"] = sni.to_ascii_lowercase().into();
    }
    match settings.get("caCertificates") {
        None => mode.differs(
            "Istio took any certificate; here it has to be one that the system trusts",
            "name your own CA in `caCertificateRefs` of the BackendTLSPolicy",
        ),
        Some(file) => file.lost(
            "files of a proxy's pod are nobody else's",
            "put the CA into a ConfigMap, and name it in the BackendTLSPolicy",
        ),
    }
    let names: Vec<Value> = settings
        .list("subjectAltNames")
        .iter()
        .filter_map(|name| name.text())
        .map(|name| match name.contains("://") {
            true => json!({"type": "URI", "uri": name}),
            false => json!({"type": "Hostname", "hostname": name}),
        })
        .collect();
    if !names.is_empty() {
        validation["subjectAltNames"] = names.into();
    }
    policy.tls = Some(validation);
}
