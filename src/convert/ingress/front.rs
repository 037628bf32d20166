//! The Gateway that the Ingresses of a class share.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::read::Ingress;
use crate::convert::Options;
use crate::convert::ledger::Cursor;
use crate::convert::made::Made;
use crate::limits;
use crate::manifest::generate::label;

/// A host, and the Secret of its certificate.
pub(super) struct Front {
    name: String,
    namespace: Option<String>,
    /// `None`: any host.
    certificates: BTreeMap<Option<String>, (Option<String>, String)>,
    annotations: Map<String, Value>,
    several_namespaces: bool,
}

impl Front {
    /// With the certificates of all its members. The Gateway stands where it was asked for, else
    /// where all its members do, else where the first one does.
    pub(super) fn new(class: &str, members: &[Ingress<'_>], options: &Options) -> Self {
        let mut namespaces: Vec<&Option<String>> =
            members.iter().map(|one| &one.namespace).collect();
        namespaces.sort();
        namespaces.dedup();
        let first = namespaces.first().and_then(|namespace| (*namespace).clone());
        let namespace = options.namespace.clone().or(first);
        let mut front = Self {
            name: label(class),
            several_namespaces: namespaces.iter().any(|one| **one != namespace),
            namespace,
            certificates: BTreeMap::new(),
            annotations: Map::new(),
        };
        for ingress in members {
            for tls in ingress.spec.iter().flat_map(|spec| spec.list("tls")) {
                front.certificate(&tls, ingress.namespace.as_ref());
            }
        }
        front
    }

    fn certificate(&mut self, tls: &Cursor<'_>, namespace: Option<&String>) {
        let listed = tls.list("hosts");
        let mut hosts: Vec<(Option<String>, Cursor<'_>)> = listed
            .into_iter()
            .filter_map(|host| Some((Some(host.text()?.to_ascii_lowercase()), host)))
            .collect();
        if hosts.is_empty() {
            hosts.push((None, tls.clone()));
        }
        let Some(secret) = tls.text_of("secretName") else {
            let message = "the certificate that the controller used for this is not known";
            return tls.lost(message, "put it into a Secret, and name it in `secretName`");
        };
        let secret = (namespace.cloned(), secret.to_owned());
        for (host, cursor) in hosts {
            match self.certificates.get(&host) {
                Some(other) if *other != secret => {
                    let message =
                        format!("this host has the certificate of Secret {} already", other.1);
                    cursor.lost(message, "a listener has one: name the same Secret, or remove one");
                }
                Some(_) => {}
                // The listener for HTTP is one of them.
                None if self.certificates.len() + 1 >= limits::LISTENERS => {
                    let message = format!("a Gateway has {} listeners", limits::LISTENERS);
                    cursor
                        .lost(message, "use wildcard certificates, or move hosts to another class");
                }
                None => drop(self.certificates.insert(host, secret.clone())),
            }
        }
    }

    pub(super) fn take_annotations(&mut self, more: &Map<String, Value>) {
        for (key, value) in more {
            self.annotations.insert(key.clone(), value.clone());
        }
    }

    /// The references to the listener for HTTP and, where there is one, to that for HTTPS.
    pub(super) fn parents(
        &self,
        namespace: Option<&str>,
        host: Option<&str>,
    ) -> (Value, Option<Value>) {
        let of = |section: String| {
            let mut reference = json!({"name": self.name});
            if self.namespace.as_deref() != namespace {
                reference["namespace"] =
                    self.namespace.as_deref().unwrap_or(crate::names::NAMESPACE_DEFAULT).into();
            }
            reference["sectionName"] = section.into();
            reference
        };
        let below =
            host.and_then(|host| host.split_once('.')).map(|(_, parent)| format!("*.{parent}"));
        let candidates = [host.map(str::to_owned), below, None];
        let found = candidates.into_iter().find(|one| self.certificates.contains_key(one));
        (of("http".to_owned()), found.map(|host| of(section(host.as_deref()))))
    }

    pub(super) fn write(&self, options: &Options, made: &mut Made) {
        let allowed = self.several_namespaces.then(|| json!({"namespaces": {"from": "All"}}));
        let with_routes = |mut listener: Value| {
            if let Some(allowed) = &allowed {
                listener["allowedRoutes"] = allowed.clone();
            }
            listener
        };
        let mut listeners =
            vec![with_routes(json!({"name": "http", "port": 80, "protocol": "HTTP"}))];
        for (host, (namespace, secret)) in &self.certificates {
            let mut listener = json!({"name": section(host.as_deref())});
            if let Some(host) = host {
                listener["hostname"] = host.as_str().into();
            }
            let mut reference = json!({"name": secret});
            if *namespace != self.namespace {
                let there = namespace.as_deref().unwrap_or(crate::names::NAMESPACE_DEFAULT);
                reference["namespace"] = there.into();
                made.grant(("Gateway", self.namespace.as_deref()), ("Secret", Some(there), secret));
            }
            listener["port"] = 443.into();
            listener["protocol"] = "HTTPS".into();
            listener["tls"] = json!({"certificateRefs": [reference]});
            listeners.push(with_routes(listener));
        }
        let namespace = self.namespace.as_deref();
        let name = made.name("Gateway", namespace, &self.name);
        let spec = json!({"gatewayClassName": options.class, "listeners": listeners});
        let object = made.add("Gateway", namespace, &name, spec);
        if !self.annotations.is_empty() {
            object["metadata"]["annotations"] = self.annotations.clone().into();
        }
    }
}

fn section(host: Option<&str>) -> String {
    host.map_or_else(|| "https".to_owned(), |host| format!("https-{}", label(host)))
}
