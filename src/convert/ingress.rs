//! Ingress, with the annotations of ingress-nginx.
//!
//! The Ingresses of a class share one Gateway, as they shared one controller: a listener for HTTP,
//! and one for each name that has a certificate. Each Ingress becomes a route for each of its
//! hosts; canaries join the Ingress whose paths they have.

mod annotations;
mod front;
mod paths;
mod policies;
mod read;
mod redirect;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use annotations::NGINX;
use front::Front;
use paths::Translated;
use policies::Policies;
use read::{Ingress, Path};

use super::Options;
use super::ledger::Document;
use super::made::{Made, RouteDraft, push};
use super::services::Services;
use super::written::duration;
use crate::manifest::generate::label;

pub(super) fn convert(
    documents: &[Document],
    services: &Services,
    options: &Options,
    made: &mut Made,
) {
    let mut ingresses = Vec::new();
    for document in documents {
        match document.kind() {
            ("networking.k8s.io/v1", "IngressClass") => read::class(document),
            ("networking.k8s.io/v1", "Ingress") => ingresses.push(read::read(document, services)),
            (version, "Ingress" | "IngressClass") if !version.contains("istio") => {
                let message = format!("Ingress of {version} is not read");
                document.root().unreadable(
                    message,
                    "write it as networking.k8s.io/v1, which every cluster of today serves",
                );
            }
            _ => {}
        }
    }
    let mut fronts: BTreeMap<String, Vec<Ingress<'_>>> = BTreeMap::new();
    for ingress in ingresses {
        fronts.entry(ingress.class.clone()).or_default().push(ingress);
    }
    let mut policies = Policies::default();
    for (class, members) in fronts {
        let mut conversion = Class {
            front: Front::new(&class, &members, options),
            options,
            made,
            policies: &mut policies,
            routed: false,
        };
        conversion.convert(members);
    }
    policies.write(made);
}

/// One class while it is converted.
struct Class<'a> {
    front: Front,
    options: &'a Options,
    made: &'a mut Made,
    policies: &'a mut Policies,
    /// Whether any route was written.
    routed: bool,
}

impl Class<'_> {
    fn convert(&mut self, members: Vec<Ingress<'_>>) {
        let (canaries, mains): (Vec<_>, Vec<_>) =
            members.into_iter().partition(|ingress| ingress.settings.canary.is_some());
        let mut joined = vec![false; canaries.len()];
        for ingress in &mains {
            self.front.take_annotations(&ingress.settings.of_gateway);
            if ingress.settings.unprotected && !self.options.unprotected {
                continue;
            }
            self.ingress(ingress, &canaries, &mut joined);
        }
        for (canary, _) in canaries.iter().zip(joined).filter(|(_, joined)| !joined) {
            if let Some(canary) = &canary.settings.canary {
                let message = "no other Ingress has the host and path of this canary";
                canary
                    .cursor
                    .lost(message, "convert it together with the Ingress of the stable version");
            }
        }
        if self.routed {
            self.front.write(self.options, self.made);
        }
    }

    fn ingress(&mut self, ingress: &Ingress<'_>, canaries: &[Ingress<'_>], joined: &mut [bool]) {
        let mut hosts: Vec<Option<String>> = Vec::new();
        for path in &ingress.paths {
            if !hosts.contains(&path.host) {
                hosts.push(path.host.clone());
            }
        }
        let several = hosts.len() > 1;
        for host in hosts {
            let wanted = match (&host, several) {
                (Some(host), true) => format!("{}-{}", ingress.name, label(host)),
                (None, true) => format!("{}-any", ingress.name),
                (_, false) => ingress.name.clone(),
            };
            self.host(
                ingress,
                (host.as_deref(), host.as_deref()),
                &wanted,
                (canaries, &mut *joined),
            );
            // Another name for the same, which may have a certificate of its own, or none.
            for alias in ingress.settings.aliases.iter().filter(|_| host.is_some()) {
                let wanted = format!("{wanted}-{}", label(alias));
                let names = (host.as_deref(), Some(alias.as_str()));
                self.host(ingress, names, &wanted, (canaries, &mut *joined));
            }
        }
    }

    /// The paths of one host, for requests to that name or to an alias of it.
    fn host(
        &mut self,
        ingress: &Ingress<'_>,
        (host, name): (Option<&str>, Option<&str>),
        wanted: &str,
        (canaries, joined): (&[Ingress<'_>], &mut [bool]),
    ) {
        let settings = &ingress.settings;
        let mut rules = Vec::new();
        let mut redirected = Vec::new();
        if let Some(root) = settings.app_root {
            let path = json!({"type": "ReplaceFullPath", "replaceFullPath": root});
            let filter = json!({"type": "RequestRedirect", "requestRedirect": {"path": path, "statusCode": 302}});
            rules.push(json!({"matches": [{"path": {"type": "Exact", "value": "/"}}], "filters": [filter]}));
        }
        for path in ingress.paths.iter().filter(|path| path.host.as_deref() == host) {
            let Some((found, mut rule)) = self.rule(ingress, path) else { continue };
            if !settings.protocol.grpc {
                redirected.push(json!({"path": {"type": found.kind, "value": found.value}}));
            }
            for (at, canary) in canaries.iter().enumerate() {
                let same = |one: &&Path<'_>| (&one.host, &one.path) == (&path.host, &path.path);
                let twin = canary
                    .paths
                    .iter()
                    .find(same)
                    .filter(|_| canary.namespace == ingress.namespace);
                if let Some(twin) = twin {
                    joined[at] = true;
                    rules.extend(with_canary(&mut rule, canary, twin, path));
                }
            }
            rules.push(rule);
        }
        let (plain, secure) = self.front.parents(ingress.namespace.as_deref(), name);
        let to_https = secure.is_some() && settings.ssl_redirect != Some(false);
        if let (Some(cursor), None) = (&settings.force_ssl, &secure) {
            cursor.lost(
                "no certificate is known for these hosts, so there is no HTTPS to redirect to",
                "redirect where TLS ends, or give the Gateway a certificate",
            );
        }
        let mut draft = RouteDraft {
            namespace: ingress.namespace.clone(),
            wanted: wanted.to_owned(),
            parents: if to_https {
                secure.into_iter().collect()
            } else {
                [plain.clone()].into_iter().chain(secure).collect()
            },
            hostnames: name.iter().map(|name| (*name).to_owned()).collect(),
            rules,
            metadata: ingress.metadata.clone(),
        };
        if draft.rules.is_empty() {
            return;
        }
        let kind = if settings.protocol.grpc { "GRPCRoute" } else { "HTTPRoute" };
        let names = self.made.routes(kind, &draft);
        self.routed = true;
        if let Some(seconds) = settings.stream_idle {
            let timeouts = json!({"streamIdle": duration(seconds * 1000)});
            for name in names {
                self.policies.of_route(
                    kind,
                    ingress.namespace.as_deref(),
                    &name,
                    &timeouts,
                    self.made,
                );
            }
        }
        if to_https {
            let filter = json!({"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 308}});
            let rule = |one: &Value| json!({"matches": [one], "filters": [filter]});
            draft.rules = redirected.iter().map(rule).collect();
            draft.wanted = format!("{wanted}-to-https");
            draft.parents = vec![plain];
            if draft.rules.is_empty() {
                draft.rules.push(json!({"filters": [filter]}));
            }
            self.made.routes("HTTPRoute", &draft);
        }
    }

    /// A path as a rule, and its match; `None` where nothing can be written.
    fn rule(&mut self, ingress: &Ingress<'_>, path: &Path<'_>) -> Option<(Translated, Value)> {
        let settings = &ingress.settings;
        let rewrite = settings.rewrite.as_ref().map(|(_, to)| *to);
        let regex = settings.use_regex || rewrite.is_some();
        let found = match paths::translate(&path.path, &path.path_type, rewrite, regex) {
            Ok(found) => found,
            Err(why) => return Self::closed(path, &why),
        };
        if let (Some(differs), Some(cursor)) = (&found.differs, &path.cursor) {
            let help = "here a prefix ends at a `/`, and `/shop/` is the same prefix as `/shop`";
            cursor.get("path").unwrap_or_else(|| cursor.clone()).differs(differs.clone(), help);
        }
        let mut rule = json!({"matches": [{"path": {"type": found.kind, "value": found.value}}]});
        let Some((service, port)) = &path.backend else { return Some((found, rule)) };
        if settings.protocol.grpc {
            let cursor = path.cursor.as_ref().or(settings.protocol_cursor.as_ref());
            match grpc_match(&found) {
                Some(None) => rule = json!({}),
                Some(Some(one)) => rule = json!({"matches": [one]}),
                None => {
                    let help = "gRPC is routed by `/package.Service` and `/package.Service/Method`; \
                                these requests go to another rule, or to none";
                    cursor?.lost("a GRPCRoute has no such path", help);
                    return None;
                }
            }
        }
        let mut filters = self.filters(ingress, &found);
        if let Some(redirect) = &settings.redirect {
            let replaces = redirect["path"]["type"] == "ReplacePrefixMatch";
            if replaces
                && found.value != "/"
                && let Some(cursor) = &path.cursor
            {
                cursor.differs(
                    "the redirect replaces the path that is matched",
                    "compare where it leads",
                );
            }
            filters.retain(|filter| filter["type"] != "URLRewrite");
            filters.push(json!({"type": "RequestRedirect", "requestRedirect": redirect}));
        } else {
            rule["backendRefs"] = json!([{"name": service, "port": port}]);
            self.policies_of(ingress, service);
        }
        if !filters.is_empty() {
            rule["filters"] = filters.into();
        }
        if let Some(retry) = settings.retry.as_ref().filter(|_| !settings.protocol.grpc) {
            rule["retry"] = retry.clone();
        }
        if let Some(session) = &settings.session {
            rule["sessionPersistence"] = session.clone();
        }
        Some((found, rule))
    }

    /// Requests that can't be sent on as they were are answered with 500: another rule must not
    /// take them. Where not even that can be matched, it is said.
    fn closed(path: &Path<'_>, why: &str) -> Option<(Translated, Value)> {
        let cursor = path.cursor.as_ref()?;
        match paths::translate(&path.path, &path.path_type, None, true) {
            Ok(found) => {
                cursor.lost(why, "write the rule by hand; its requests are answered with 500");
                let rule =
                    json!({"matches": [{"path": {"type": found.kind, "value": found.value}}]});
                Some((found, rule))
            }
            Err(_) => {
                let help = "write the rule by hand; without it these requests go to another rule, or to none";
                cursor.lost(why, help);
                None
            }
        }
    }

    fn filters(&mut self, ingress: &Ingress<'_>, found: &Translated) -> Vec<Value> {
        let settings = &ingress.settings;
        let mut filters = settings.filters.clone();
        let mut rewrite = json!({});
        if let Some(host) = settings.upstream_host {
            rewrite["hostname"] = host.to_ascii_lowercase().into();
        }
        if let Some(path) = &found.rewrite {
            rewrite["path"] = path.clone();
        }
        if rewrite.as_object().is_some_and(|map| !map.is_empty()) {
            filters.push(json!({"type": "URLRewrite", "urlRewrite": rewrite}));
        }
        if let Some(mirror) = &settings.mirror {
            let name = self.made.backend(ingress.namespace.as_deref(), &mirror.address, mirror.tls);
            mirror.cursor.take();
            let backend =
                json!({"group": crate::names::GROUP_MESHCTL, "kind": "Backend", "name": name});
            filters
                .push(json!({"type": "RequestMirror", "requestMirror": {"backendRef": backend}}));
        }
        if settings.protocol.grpc {
            let (kept, lost): (Vec<_>, Vec<_>) = filters.into_iter().partition(|filter| {
                !matches!(filter["type"].as_str(), Some("URLRewrite" | "CORS"))
            });
            if let (false, Some(cursor)) = (lost.is_empty(), &settings.protocol_cursor) {
                cursor.lost(
                    "a GRPCRoute rewrites nothing and has no CORS",
                    "leave these annotations out",
                );
            }
            return kept;
        }
        filters
    }

    fn policies_of(&mut self, ingress: &Ingress<'_>, service: &str) {
        let settings = &ingress.settings;
        let namespace = ingress.namespace.as_deref();
        if let Some((cursor, seconds)) = &settings.connect {
            let value = json!({"connect": duration(seconds * 1000)});
            self.policies.of_service(namespace, service, "timeouts", value, cursor);
        }
        if let Some((cursor, balance)) = &settings.balance {
            self.policies.of_service(namespace, service, "balance", balance.clone(), cursor);
        }
        if let (true, Some(cursor)) = (settings.protocol.tls, &settings.protocol_cursor) {
            let own =
                format!("{service}.{}.svc", namespace.unwrap_or(crate::names::NAMESPACE_DEFAULT));
            let host = settings.upstream_host.unwrap_or(&own).to_ascii_lowercase();
            if self.policies.tls(namespace, service, &host) {
                cursor.differs(
                    "nginx took any certificate of a backend; here it has to be one that the system trusts",
                    "name your own CA in `caCertificateRefs` of the BackendTLSPolicy",
                );
            }
        }
    }
}

/// No match at all, one of the service, or of a method; `None` where the path is none of gRPC's.
fn grpc_match(found: &Translated) -> Option<Option<Value>> {
    if found.value == "/" {
        return Some(None);
    }
    let mut parts = found.value.trim_matches('/').split('/');
    let (service, method) = (parts.next()?, parts.next());
    if parts.next().is_some() || found.rewrite.is_some() || found.kind == "RegularExpression" {
        return None;
    }
    let word = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._".contains(&b));
    if !word(service) || !method.is_none_or(word) {
        return None;
    }
    let mut one = json!({"method": {"service": service}});
    match (method, found.kind) {
        (Some(method), "Exact") => one["method"]["method"] = method.into(),
        (Some(_), _) | (None, "Exact") => return None,
        (None, _) => {}
    }
    Some(Some(one))
}

/// Shares a rule's requests with its canary; the rules before it, for requests that ask for one.
fn with_canary(
    rule: &mut Value,
    canary: &Ingress<'_>,
    twin: &Path<'_>,
    path: &Path<'_>,
) -> Vec<Value> {
    let (Some(settings), Some((service, port)), Some((stable, _))) =
        (&canary.settings.canary, &twin.backend, &path.backend)
    else {
        return Vec::new();
    };
    let mut before = Vec::new();
    for (condition, to_canary) in &settings.conditions {
        let mut special = rule.clone();
        special["matches"][0]["headers"] = json!([condition]);
        if *to_canary {
            special["backendRefs"] = json!([{"name": service, "port": port}]);
        }
        before.push(special);
    }
    if let Some((weight, total)) = settings.weight {
        let weight = weight.clamp(0, total);
        rule["backendRefs"][0]["weight"] = (total - weight).into();
        push(rule, "backendRefs", json!({"name": service, "port": port, "weight": weight}));
    } else if settings.conditions.is_empty() {
        let message = format!(
            "the canary has neither weight nor condition: Service {stable} keeps all requests"
        );
        settings.cursor.differs(message, &format!("write `{NGINX}canary-weight`"));
        push(rule, "backendRefs", json!({"name": service, "port": port, "weight": 0}));
        rule["backendRefs"][0]["weight"] = 1.into();
    }
    before
}
