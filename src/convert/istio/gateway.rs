//! Istio's Gateway: servers into listeners.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{annotations, metadata};
use crate::config::{Severity, codes};
use crate::convert::Options;
use crate::convert::ledger::{Cursor, Document};
use crate::convert::made::{Key, Made, RouteDraft};
use crate::limits;
use crate::manifest::generate::{free, label};
use crate::names;

/// What routes need to know of one.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) section: String,
    pub(super) hostname: Option<String>,
    /// It sends everything to HTTPS, and takes no other route.
    pub(super) redirects: bool,
}

/// A server while it is read.
struct Server<'d> {
    cursor: Cursor<'d>,
    name: String,
    port: u16,
    tls: Option<Value>,
    redirects: bool,
}

pub(super) fn convert(
    document: &Document,
    options: &Options,
    made: &mut Made,
) -> (Key, Vec<Listener>) {
    let root = document.root();
    let (namespace, name, mut carried) = metadata(&root);
    carried.extend(annotations(&root));
    let mut listeners = Vec::new();
    let mut known = Vec::new();
    let mut taken = BTreeSet::new();
    if let Some(spec) = root.get("spec") {
        selector(&spec);
        for server in spec.list("servers") {
            let Some(server) = read(server, options) else { continue };
            for host in server.cursor.list("hosts") {
                if listeners.len() >= limits::LISTENERS {
                    host.lost(
                        format!("a Gateway has {} listeners", limits::LISTENERS),
                        "divide it",
                    );
                    continue;
                }
                let Some(text) = host.text() else { continue };
                let several = server.cursor.list("hosts").len() > 1;
                listeners.push(listener(&server, text, several, &mut taken, &mut known));
            }
        }
    }
    let key = (namespace, name);
    if listeners.is_empty() {
        return (key, known);
    }
    let (namespace, name) = (key.0.as_deref(), key.1.as_str());
    let free = made.name("Gateway", namespace, name);
    let spec = json!({"gatewayClassName": options.class, "listeners": listeners});
    let object = made.add("Gateway", namespace, &free, spec);
    for (field, value) in carried {
        object["metadata"][field] = value;
    }
    for listener in known.iter().filter(|listener| listener.redirects) {
        let redirect = json!({"scheme": "https", "statusCode": 301});
        let filter = json!({"type": "RequestRedirect", "requestRedirect": redirect});
        made.routes(
            "HTTPRoute",
            &RouteDraft {
                namespace: namespace.map(str::to_owned),
                wanted: format!("{name}-{}-to-https", listener.section),
                parents: vec![json!({"name": free, "sectionName": listener.section})],
                hostnames: listener.hostname.iter().cloned().collect(),
                rules: vec![json!({"filters": [filter]})],
                metadata: Vec::new(),
            },
        );
    }
    (key, known)
}

/// Which pods serve is not ours to choose: a Gateway has proxies of its own.
fn selector(spec: &Cursor<'_>) {
    let Some(selector) = spec.get("selector") else { return };
    if selector.json() == json!({"istio": "ingressgateway"}) {
        return selector.take();
    }
    let help = "the Gateway has a Service of its own: point DNS and load balancers to its address";
    selector.differs("a Gateway has proxies of its own, not those that are selected", help);
}

fn read<'d>(cursor: Cursor<'d>, options: &Options) -> Option<Server<'d>> {
    let port = cursor.get("port")?;
    let number = port.port_of("number")?;
    let protocol = port.text_of("protocol").unwrap_or("HTTP").to_ascii_uppercase();
    let port_name = port.text_of("name").unwrap_or_default();
    if let Some(target) = port.get("targetPort") {
        target.take();
    }
    let name = cursor.text_of("name").unwrap_or(port_name);
    let tls = cursor.get("tls");
    let redirects =
        tls.as_ref().and_then(|tls| tls.get("httpsRedirect")).and_then(|one| one.boolean());
    let mut server = Server {
        name: label(if name.is_empty() { &protocol } else { name }),
        port: number,
        tls: None,
        redirects: redirects == Some(true),
        cursor,
    };
    match (protocol.as_str(), tls) {
        ("HTTP" | "HTTP2" | "GRPC" | "GRPC-WEB", _) => Some(server),
        ("HTTPS", Some(tls)) => {
            server.tls = terminated(&tls, options);
            if server.tls.is_none() {
                // It was said why.
                server.cursor.take();
                return None;
            }
            Some(server)
        }
        (protocol, _) => {
            let message = format!("a server of protocol {protocol} is not carried over");
            server.cursor.lost(message, "listeners speak HTTP, and HTTPS that ends here");
            None
        }
    }
}

/// `tls` of a listener; `None`: reported, and the server stays closed.
fn terminated(tls: &Cursor<'_>, options: &Options) -> Option<Value> {
    let mode = tls.get("mode");
    let text = mode.as_ref().and_then(|mode| mode.text()).unwrap_or("PASSTHROUGH");
    match (text, &mode) {
        ("SIMPLE", _) => {}
        ("MUTUAL" | "OPTIONAL_MUTUAL", Some(mode)) => {
            let help = "name the CA in `tls.frontend` of the Gateway; the server is left out, and \
                        --unprotected writes it all the same";
            let message = "whether clients have a certificate is not asked for".to_owned();
            mode.say(Severity::Error, codes::PROTECTION_LOST, message, Some(help));
            if !options.unprotected {
                return None;
            }
        }
        _ => {
            tls.lost(
                format!("TLS of mode {text} is not carried over"),
                "TLS ends at listeners, by mode SIMPLE",
            );
            return None;
        }
    }
    let Some(credential) = tls.get("credentialName") else {
        tls.lost(
            "files of a gateway's pod are nobody else's",
            "put the certificate into a Secret, and name it in `credentialName`",
        );
        return None;
    };
    let secret = credential.text()?;
    credential.differs(
        format!("Secret {secret} is read from the namespace of this Gateway"),
        "Istio reads it from the namespace of the gateway's pods: copy it from there",
    );
    let mut found = json!({"mode": "Terminate", "certificateRefs": [{"name": secret}]});
    if let Some(least) = tls.get("minProtocolVersion") {
        match least.text() {
            Some("TLSV1_2") => found["options"] = json!({names::OPTION_MIN_TLS: "1.2"}),
            Some("TLSV1_3") => found["options"] = json!({names::OPTION_MIN_TLS: "1.3"}),
            Some("TLS_AUTO") => {}
            _ => least.lost("TLS below 1.2 is not spoken", "it is 1.2 and 1.3"),
        }
    }
    Some(found)
}

fn listener(
    server: &Server<'_>,
    host: &str,
    several: bool,
    taken: &mut BTreeSet<String>,
    known: &mut Vec<Listener>,
) -> Value {
    let (from, host) = match host.split_once('/') {
        None => ("*", host),
        Some((from, host)) => (from, host),
    };
    let hostname = Some(host.to_ascii_lowercase()).filter(|host| host != "*");
    let mut name = server.name.clone();
    if several {
        name = format!("{name}-{}", hostname.as_deref().map_or_else(|| "any".to_owned(), label));
    }
    let section = free(name, taken);
    let mut listener = json!({"name": section});
    if let Some(hostname) = &hostname {
        listener["hostname"] = hostname.as_str().into();
    }
    listener["port"] = server.port.into();
    listener["protocol"] = if server.tls.is_some() { "HTTPS" } else { "HTTP" }.into();
    if let Some(tls) = &server.tls {
        listener["tls"] = tls.clone();
    }
    let from = match from {
        "*" => json!({"from": "All"}),
        "." => json!({"from": "Same"}),
        named => json!({
            "from": "Selector",
            "selector": {"matchLabels": {names::LABEL_NAMESPACE_NAME: named}},
        }),
    };
    listener["allowedRoutes"] = json!({"namespaces": from});
    known.push(Listener { section, hostname, redirects: server.redirects });
    listener
}
