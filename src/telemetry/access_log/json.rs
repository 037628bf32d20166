//! A log line as JSON. Field names are OpenTelemetry's semantic conventions where there is one.

use std::time::Duration;

use http::Version;

use super::escape::{hex, push_json};
use super::time::{Civil, push_number, push_seconds};
use crate::telemetry::record::{Inline, Record};

pub(super) fn push_line(text: &mut Vec<u8>, record: &Record) {
    text.extend_from_slice(b"{\"timestamp\":\"");
    Civil::new(record.started).push_rfc3339(text);
    text.push(b'"');
    let mut object = Object { text };
    push_request(&mut object, record);
    push_way(&mut object, record);
    push_times(&mut object, record);
    object.text.extend_from_slice(b"}\n");
}

fn push_request(object: &mut Object<'_>, record: &Record) {
    object.inline("http.request.method", &record.method);
    object.string("url.scheme", if record.flags.tls { b"https" } else { b"http" });
    object.inline("server.address", &record.host);
    object.inline("url.path", &record.path);
    if record.status != 0 {
        object.number("http.response.status_code", u64::from(record.status));
    }
    if let Some(cause) = record.cause {
        object.string("error.type", cause.word().as_bytes());
    }
    object.number("http.request.body.size", record.request_body);
    object.number("http.response.body.size", record.response_body);
    object.string("network.protocol.version", version(record.version).as_bytes());
    if let Some(client) = record.client {
        object.string("client.address", client.ip().to_string().as_bytes());
        object.number("client.port", u64::from(client.port()));
    }
    object.inline("user_agent.original", &record.user_agent);
    if let Some((trace, span)) = &record.trace {
        object.hexadecimal("trace_id", trace);
        object.hexadecimal("span_id", span);
    }
    object.inline("meshctl.request_id", &record.request_id);
    object.number("meshctl.connection", record.connection);
}

fn push_way(object: &mut Object<'_>, record: &Record) {
    if let Some(route) = &record.route {
        object.name("meshctl.gateway", &route.names.gateway);
        object.name("meshctl.listener", &route.names.listener);
        object.name("meshctl.route", &route.names.route);
        object.name("meshctl.rule", &route.names.rule);
        object.name("meshctl.backend", &route.names.backend);
    }
    if let Some(endpoint) = &record.endpoint {
        object.name("meshctl.endpoint", &endpoint.address);
    }
    if let Some(upstream) = record.upstream_version {
        object.name("meshctl.upstream.protocol.version", version(upstream));
    }
    object.number("meshctl.attempts", u64::from(record.attempts));
    for (name, set) in [
        ("meshctl.retried", record.flags.retried),
        ("meshctl.mirrored", record.flags.mirrored),
        ("meshctl.session", record.flags.session),
    ] {
        if set {
            object.literal(name, b"true");
        }
    }
    object.number("meshctl.generation", record.generation);
}

fn push_times(object: &mut Object<'_>, record: &Record) {
    object.seconds("http.server.request.duration", record.total);
    for (name, duration) in [
        ("meshctl.duration.head", record.head),
        ("meshctl.duration.queue", record.queue),
        ("meshctl.duration.connect", record.connect),
        ("meshctl.duration.first_byte", record.first_byte),
    ] {
        if let Some(duration) = duration {
            object.seconds(name, duration);
        }
    }
}

/// `network.protocol.version`.
pub(super) fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "1.1",
    }
}

/// An open JSON object that has a field already.
struct Object<'a> {
    text: &'a mut Vec<u8>,
}

impl Object<'_> {
    fn field(&mut self, name: &str) -> &mut Vec<u8> {
        self.text.extend_from_slice(b",\"");
        self.text.extend_from_slice(name.as_bytes());
        self.text.extend_from_slice(b"\":");
        self.text
    }

    fn literal(&mut self, name: &str, value: &[u8]) {
        self.field(name).extend_from_slice(value);
    }

    fn string(&mut self, name: &str, value: &[u8]) {
        let text = self.field(name);
        text.push(b'"');
        push_json(text, value);
        text.push(b'"');
    }

    /// Left out where empty.
    fn name(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.string(name, value.as_bytes());
        }
    }

    /// Left out where empty; ends with `…` where it was cut.
    fn inline<const N: usize>(&mut self, name: &str, value: &Inline<N>) {
        if value.is_empty() {
            return;
        }
        self.string(name, value.as_bytes());
        if value.is_cut() {
            self.text.pop();
            self.text.extend_from_slice("…\"".as_bytes());
        }
    }

    fn hexadecimal(&mut self, name: &str, value: &[u8]) {
        let text = self.field(name);
        text.push(b'"');
        for byte in value.iter().copied().map(u32::from) {
            text.extend_from_slice(&[hex(byte >> 4), hex(byte)]);
        }
        text.push(b'"');
    }

    fn number(&mut self, name: &str, value: u64) {
        push_number(self.field(name), value);
    }

    fn seconds(&mut self, name: &str, value: Duration) {
        push_seconds(self.field(name), value);
    }
}
