//! The annotations of ingress-nginx, one by one. What isn't read here is reported by itself.

mod tables;

use serde_json::{Map, Value, json};

use tables::{CONTROLLERS, DEFAULT_CORS_HEADERS, LOST, PROTECTIONS};

use super::redirect;
use crate::config::{Severity, codes};
use crate::convert::LAST_APPLIED;
use crate::convert::ledger::Cursor;
use crate::convert::written::{duration, escaped};

pub(super) const NGINX: &str = "nginx.ingress.kubernetes.io/";

/// What the requests of an Ingress go through.
#[derive(Debug, Default)]
pub(super) struct Settings<'d> {
    pub(super) rewrite: Option<(Cursor<'d>, &'d str)>,
    pub(super) use_regex: bool,
    pub(super) upstream_host: Option<&'d str>,
    pub(super) filters: Vec<Value>,
    /// `RequestRedirect` in the place of backends.
    pub(super) redirect: Option<Value>,
    pub(super) app_root: Option<&'d str>,
    pub(super) ssl_redirect: Option<bool>,
    /// Redirect even where no certificate is known.
    pub(super) force_ssl: Option<Cursor<'d>>,
    pub(super) aliases: Vec<String>,
    pub(super) protocol: Protocol,
    pub(super) protocol_cursor: Option<Cursor<'d>>,
    pub(super) retry: Option<Value>,
    pub(super) session: Option<Value>,
    pub(super) stream_idle: Option<u64>,
    pub(super) connect: Option<(Cursor<'d>, u64)>,
    pub(super) balance: Option<(Cursor<'d>, Value)>,
    pub(super) mirror: Option<Mirror<'d>>,
    /// Anyone could call without what was lost.
    pub(super) unprotected: bool,
    pub(super) carried: Map<String, Value>,
    /// Those that cert-manager reads on a Gateway.
    pub(super) of_gateway: Map<String, Value>,
    pub(super) canary: Option<Canary<'d>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Protocol {
    pub(super) grpc: bool,
    pub(super) tls: bool,
}

#[derive(Debug)]
pub(super) struct Mirror<'d> {
    pub(super) cursor: Cursor<'d>,
    pub(super) address: String,
    pub(super) tls: bool,
}

/// What a canary Ingress adds to the one that it belongs to.
#[derive(Debug)]
pub(super) struct Canary<'d> {
    pub(super) cursor: Cursor<'d>,
    /// Of a hundred.
    pub(super) weight: Option<(i64, i64)>,
    /// Conditions of requests, the first of which wins, and whether those go to the canary.
    pub(super) conditions: Vec<(Value, bool)>,
}

pub(super) struct Reader<'d> {
    entries: Vec<(&'d str, Cursor<'d>)>,
}

impl<'d> Reader<'d> {
    pub(super) fn new(metadata: Option<&Cursor<'d>>) -> Self {
        let annotations = metadata.and_then(|metadata| metadata.get("annotations"));
        Self { entries: annotations.map(|one| one.entries()).unwrap_or_default() }
    }

    pub(super) fn cursor(&self, name: &str) -> Option<Cursor<'d>> {
        let found = self.entries.iter().find(|(key, _)| *key == name);
        found.map(|(_, cursor)| cursor.clone())
    }

    fn nginx(&self, name: &str) -> Option<(Cursor<'d>, &'d str)> {
        let cursor = self.cursor(&format!("{NGINX}{name}"))?;
        let text = cursor.text()?;
        Some((cursor, text.trim()))
    }

    fn flag(&self, name: &str) -> Option<bool> {
        let (cursor, text) = self.nginx(name)?;
        match text {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                cursor.unreadable(
                    format!("`{text}` is neither true nor false"),
                    "write \"true\" or \"false\"",
                );
                None
            }
        }
    }

    /// nginx counts these in seconds, with or without an `s`.
    fn seconds(&self, name: &str) -> Option<(Cursor<'d>, u64)> {
        let (cursor, text) = self.nginx(name)?;
        match text.trim_end_matches('s').parse() {
            Ok(seconds) => Some((cursor, seconds)),
            Err(_) => {
                cursor.unreadable(format!("`{text}` is no number of seconds"), "write \"60\"");
                None
            }
        }
    }

    pub(super) fn settings(&self) -> Settings<'d> {
        let mut settings = Settings {
            rewrite: self.nginx("rewrite-target"),
            use_regex: self.flag("use-regex").unwrap_or(false),
            upstream_host: self.nginx("upstream-vhost").and_then(without_variables),
            app_root: self.nginx("app-root").and_then(without_variables),
            connect: self.seconds("proxy-connect-timeout"),
            ..Settings::default()
        };
        self.redirects(&mut settings);
        self.headers(&mut settings);
        self.cors(&mut settings);
        self.protocol(&mut settings);
        self.times(&mut settings);
        self.session(&mut settings);
        self.balance(&mut settings);
        self.mirror(&mut settings);
        settings.canary = self.canary();
        self.without_effect();
        self.protections(&mut settings);
        self.others(&mut settings);
        settings
    }

    fn redirects(&self, settings: &mut Settings<'d>) {
        settings.ssl_redirect = self.flag("ssl-redirect");
        settings.force_ssl = self.cursor(&format!("{NGINX}force-ssl-redirect"));
        if self.flag("force-ssl-redirect") == Some(true) {
            settings.ssl_redirect = Some(true);
        } else {
            settings.force_ssl = None;
        }
        let code = self.seconds("permanent-redirect-code").map_or(301, |(_, code)| code);
        let temporal = self.seconds("temporal-redirect-code").map_or(302, |(_, code)| code);
        for (name, code) in [("permanent-redirect", code), ("temporal-redirect", temporal)] {
            let Some((cursor, to)) = self.nginx(name) else { continue };
            match redirect::to(to, code) {
                Ok(redirect) => settings.redirect = Some(redirect),
                Err(why) => cursor.lost(why, "write the RequestRedirect filter by hand"),
            }
        }
        if let Some((_, aliases)) = self.nginx("server-alias") {
            let aliases = aliases.split(',').map(str::trim).filter(|alias| !alias.is_empty());
            settings.aliases = aliases.map(str::to_ascii_lowercase).collect();
        }
    }

    fn headers(&self, settings: &mut Settings<'d>) {
        if let Some(prefix) = self.nginx("x-forwarded-prefix").and_then(without_variables) {
            let set = json!([{"name": "X-Forwarded-Prefix", "value": prefix}]);
            settings.filters.push(
                json!({"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": set}}),
            );
        }
    }

    /// With the defaults of ingress-nginx.
    fn cors(&self, settings: &mut Settings<'d>) {
        if self.flag("enable-cors") != Some(true) {
            return;
        }
        let list = |name: &str, default: &str| -> Vec<String> {
            let text = self.nginx(name).map_or(default, |(_, text)| text);
            text.split(',')
                .map(|item| item.trim().to_owned())
                .filter(|item| !item.is_empty())
                .collect()
        };
        let credentials = self.flag("cors-allow-credentials").unwrap_or(true);
        let mut cors = json!({
            "allowOrigins": list("cors-allow-origin", "*"),
            "allowCredentials": credentials,
            "allowMethods": list("cors-allow-methods", "GET, PUT, POST, DELETE, PATCH, OPTIONS"),
            "allowHeaders": list("cors-allow-headers", DEFAULT_CORS_HEADERS),
            "maxAge": self.seconds("cors-max-age").map_or(1_728_000, |(_, seconds)| seconds.max(1)),
        });
        let exposed = list("cors-expose-headers", "");
        if !exposed.is_empty() {
            cors["exposeHeaders"] = json!(exposed);
        }
        settings.filters.push(json!({"type": "CORS", "cors": cors}));
    }

    fn protocol(&self, settings: &mut Settings<'d>) {
        let Some((cursor, text)) = self.nginx("backend-protocol") else { return };
        settings.protocol = match text.to_ascii_uppercase().as_str() {
            "HTTP" => Protocol::default(),
            "HTTPS" => Protocol { grpc: false, tls: true },
            "GRPC" => Protocol { grpc: true, tls: false },
            "GRPCS" => Protocol { grpc: true, tls: true },
            other => {
                cursor.lost(
                    format!("backends are not spoken to in {other}"),
                    "put an HTTP server before it",
                );
                Protocol::default()
            }
        };
        settings.protocol_cursor = Some(cursor);
    }

    fn times(&self, settings: &mut Settings<'d>) {
        let times = ["proxy-read-timeout", "proxy-send-timeout"].map(|name| self.seconds(name));
        if let [Some((read, one)), Some((_, other))] = &times
            && one != other
        {
            read.differs(
                "reading and sending have one limit here, the longer of the two",
                "it is `timeouts.streamIdle` of the TrafficPolicy",
            );
        }
        settings.stream_idle = times.into_iter().flatten().map(|(_, seconds)| seconds).max();
        self.retries(settings);
    }

    fn retries(&self, settings: &mut Settings<'d>) {
        let words = self.nginx("proxy-next-upstream");
        let tries = self.seconds("proxy-next-upstream-tries");
        let mut retry = json!({});
        if let Some((cursor, words)) = words {
            let mut statuses = Vec::new();
            for word in words.split_whitespace() {
                match word.strip_prefix("http_").and_then(|code| code.parse::<u16>().ok()) {
                    Some(code) => statuses.push(code),
                    None if matches!(word, "error" | "timeout") => {}
                    None => cursor.lost(
                        format!("`{word}` has no counterpart among the reasons for another try"),
                        "what was not sent is tried again on another endpoint, unless `retry` says more",
                    ),
                }
            }
            if !statuses.is_empty() {
                retry["codes"] = json!(statuses);
            }
        }
        match tries {
            None => {}
            Some((cursor, tries @ (0 | 1))) => cursor.lost(
                format!("{tries} tries can't be asked for: an HTTPRoute has at least one more"),
                "what was not sent is tried once more, on another endpoint",
            ),
            Some((_, tries)) => retry["attempts"] = (tries - 1).into(),
        }
        settings.retry =
            Some(retry).filter(|retry| retry.as_object().is_some_and(|map| !map.is_empty()));
    }

    fn session(&self, settings: &mut Settings<'d>) {
        match self.nginx("affinity") {
            None => return,
            Some((_, "cookie")) => {}
            Some((cursor, other)) => {
                return cursor.lost(format!("affinity by {other} is not known"), "use `cookie`");
            }
        }
        if let Some((cursor, mode)) = self.nginx("affinity-mode")
            && mode != "persistent"
        {
            cursor.differs(
                "a session stays with its endpoint as long as that is there",
                "with `balanced`, nginx moved some sessions when endpoints were added",
            );
        }
        let name = self.nginx("session-cookie-name").map_or("INGRESSCOOKIE", |(_, name)| name);
        let mut session = json!({"sessionName": name, "type": "Cookie"});
        let age = self
            .seconds("session-cookie-max-age")
            .or_else(|| self.seconds("session-cookie-expires"));
        if let Some((_, seconds)) = age.filter(|(_, seconds)| *seconds > 0) {
            session["absoluteTimeout"] = duration(seconds * 1000).into();
            session["cookieConfig"] = json!({"lifetimeType": "Permanent"});
        }
        settings.session = Some(session);
    }

    fn balance(&self, settings: &mut Settings<'d>) {
        if let Some((cursor, by)) = self.nginx("upstream-hash-by") {
            let hash = match by {
                "$remote_addr" | "$binary_remote_addr" => Some(json!({"type": "ClientAddress"})),
                "$request_uri" | "$uri" => Some(json!({"type": "Path"})),
                _ => by
                    .strip_prefix("$http_")
                    .map(|name| json!({"type": "Header", "name": name.replace('_', "-")}))
                    .or_else(|| {
                        by.strip_prefix("$cookie_")
                            .map(|name| json!({"type": "Cookie", "name": name}))
                    }),
            };
            match hash {
                Some(hash) => {
                    let balance = json!({"type": "ConsistentHash", "hashOn": hash});
                    settings.balance = Some((cursor, balance));
                }
                None => cursor.lost(
                    format!("`{by}` can't be hashed on"),
                    "a TrafficPolicy hashes on the client's address, the path, a header or a cookie",
                ),
            }
        } else if let Some((cursor, kind)) = self.nginx("load-balance") {
            match kind {
                "round_robin" => settings.balance = Some((cursor, json!({"type": "RoundRobin"}))),
                "ewma" => settings.balance = Some((cursor, json!({"type": "LeastRequest"}))),
                _ => cursor.lost(format!("`{kind}` is no way of balancing"), "see TrafficPolicy"),
            }
        }
    }

    fn mirror(&self, settings: &mut Settings<'d>) {
        let Some((cursor, target)) = self.nginx("mirror-target") else { return };
        let plain = target.trim_end_matches("$request_uri").trim_end_matches('/');
        match redirect::address(plain).filter(|_| !plain.contains('$')) {
            Some((tls, address)) => settings.mirror = Some(Mirror { cursor, address, tls }),
            None => cursor.lost(
                format!("copies can't be sent to `{target}`"),
                "a RequestMirror filter names a backend, and its path is the request's own",
            ),
        }
    }

    fn canary(&self) -> Option<Canary<'d>> {
        let cursor = self.cursor(&format!("{NGINX}canary"))?;
        if !self.flag("canary")? {
            return None;
        }
        let total =
            self.seconds("canary-weight-total").map_or(100, |(_, total)| total.cast_signed());
        let weight = self.seconds("canary-weight").map(|(_, weight)| (weight.cast_signed(), total));
        let mut canary = Canary { cursor, weight, conditions: Vec::new() };
        if let Some((_, header)) = self.nginx("canary-by-header") {
            let exactly = |value: &str| json!({"type": "Exact", "name": header, "value": value});
            match (self.nginx("canary-by-header-value"), self.nginx("canary-by-header-pattern")) {
                (Some((_, value)), _) => canary.conditions.push((exactly(value), true)),
                (None, Some((_, pattern))) => canary.conditions.push((
                    json!({"type": "RegularExpression", "name": header, "value": format!(".*({pattern}).*")}),
                    true,
                )),
                (None, None) => {
                    canary.conditions.push((exactly("always"), true));
                    canary.conditions.push((exactly("never"), false));
                }
            }
        }
        if let Some((_, cookie)) = self.nginx("canary-by-cookie") {
            let holds = |value: &str| {
                let value = format!("(.*; *)?{}={value}(;.*)?", escaped(cookie));
                json!({"type": "RegularExpression", "name": "Cookie", "value": value})
            };
            canary.conditions.push((holds("always"), true));
            canary.conditions.push((holds("never"), false));
        }
        Some(canary)
    }

    /// What nginx needed to be told and nobody else does.
    fn without_effect(&self) {
        const STREAMS: &[(&str, &[&str])] = &[
            ("proxy-buffering", &["off"]),
            ("proxy-request-buffering", &["off"]),
            ("proxy-http-version", &["1.1"]),
            ("enable-access-log", &["true"]),
            ("connection-proxy-header", &["keep-alive"]),
            ("affinity-canary-behavior", &["legacy", "sticky"]),
        ];
        for (name, same) in STREAMS {
            if let Some((cursor, text)) = self.nginx(name)
                && !same.contains(&text)
            {
                cursor.differs(
                    format!("`{text}` is not what is done here"),
                    "bodies are streamed, never kept whole",
                );
            }
        }
        const BUFFERS: [&str; 6] = [
            "proxy-buffer-size",
            "proxy-buffers-number",
            "proxy-buffers-size",
            "proxy-busy-buffers-size",
            "proxy-max-temp-file-size",
            "client-body-buffer-size",
        ];
        for name in BUFFERS {
            if let Some((cursor, _)) = self.nginx(name) {
                cursor.differs(
                    "buffers have sizes of their own here",
                    "heads of up to 60 KiB are taken",
                );
            }
        }
        if let Some((cursor, "true")) = self.nginx("service-upstream") {
            cursor.differs(
                "requests go to endpoints, never to the Service's address",
                "nothing is to be done",
            );
        }
    }

    fn protections(&self, settings: &mut Settings<'d>) {
        for (key, cursor) in &self.entries {
            let Some(name) = key.strip_prefix(NGINX) else { continue };
            let found = PROTECTIONS.iter().find(|(start, _)| name.starts_with(start));
            let snippet = name.ends_with("-snippet");
            let guards = |text: &str| {
                ["allow", "deny", "auth", "return", "limit", "access_by", "if"]
                    .iter()
                    .any(|word| text.contains(word))
            };
            let (why, help) = match found {
                Some((_, help)) => (
                    format!("`{name}` decides who may call, and nothing here does the same"),
                    *help,
                ),
                None if snippet && cursor.json().as_str().is_some_and(guards) => (
                    format!(
                        "`{name}` may decide who may call, and pieces of an nginx configuration are not read"
                    ),
                    "say what it does in filters of the route, or in the application",
                ),
                None => continue,
            };
            settings.unprotected = true;
            let help = format!(
                "{help}; the routes are left out, and --unprotected writes them all the same"
            );
            cursor.say(Severity::Error, codes::PROTECTION_LOST, why, Some(&help));
        }
    }

    /// What is lost has more to say here than that it is; what isn't nginx's goes along.
    fn others(&self, settings: &mut Settings<'d>) {
        for (key, cursor) in self.entries.iter().filter(|(_, cursor)| !cursor.is_read()) {
            if let Some(name) = key.strip_prefix(NGINX) {
                if let Some((_, why, help)) =
                    LOST.iter().find(|(start, ..)| name.starts_with(start))
                {
                    cursor.lost(*why, help);
                }
            } else if [LAST_APPLIED, "kubernetes.io/ingress.class"].contains(key) {
                cursor.take();
            } else if key.starts_with("cert-manager.io/") {
                settings.of_gateway.insert((*key).to_owned(), cursor.json());
                cursor.take();
            } else if !CONTROLLERS.iter().any(|word| key.contains(word)) {
                settings.carried.insert((*key).to_owned(), cursor.json());
                cursor.take();
            }
        }
    }
}

fn without_variables<'d>((cursor, text): (Cursor<'d>, &'d str)) -> Option<&'d str> {
    if text.contains('$') {
        cursor.lost("variables of nginx have no value here", "write the text itself");
        return None;
    }
    Some(text)
}
