//! A log line as text: the combined log format, which every tool reads, with more fields behind.

use std::time::Duration;

use super::escape::push_text;
use super::json::version;
use super::time::{Civil, push_number, push_seconds};
use crate::model::Cause;
use crate::telemetry::record::{Inline, Record};

/// `client - - [time] "METHOD path HTTP/v" status bytes "-" "agent" name="value"…`. The Referer
/// is not kept.
pub(super) fn push_line(line: &mut Vec<u8>, record: &Record) {
    match record.client {
        Some(client) => line.extend_from_slice(client.ip().to_string().as_bytes()),
        None => line.push(b'-'),
    }
    line.extend_from_slice(b" - - [");
    Civil::new(record.started).push_common(line);
    line.extend_from_slice(b"] \"");
    push_inline(line, &record.method);
    line.push(b' ');
    push_inline(line, &record.path);
    line.extend_from_slice(b" HTTP/");
    line.extend_from_slice(version(record.version).as_bytes());
    line.extend_from_slice(b"\" ");
    push_number(line, u64::from(record.status));
    line.push(b' ');
    push_number(line, record.response_body);
    line.extend_from_slice(b" \"-\" \"");
    push_inline(line, &record.user_agent);
    line.push(b'"');
    push_more(line, record);
    line.push(b'\n');
}

fn push_more(line: &mut Vec<u8>, record: &Record) {
    push_field(line, "host", &record.host);
    if let Some(route) = &record.route {
        push_name(line, "gateway", &route.names.gateway);
        push_name(line, "listener", &route.names.listener);
        push_name(line, "route", &route.names.route);
        push_name(line, "backend", &route.names.backend);
    }
    if let Some(endpoint) = &record.endpoint {
        push_name(line, "endpoint", &endpoint.address);
    }
    push_name(line, "cause", record.cause.map_or("", Cause::word));
    line.extend_from_slice(b" attempts=");
    push_number(line, u64::from(record.attempts));
    push_time(line, "total", Some(record.total));
    push_time(line, "queue", record.queue);
    push_time(line, "connect", record.connect);
    push_time(line, "first_byte", record.first_byte);
    push_field(line, "id", &record.request_id);
}

/// `-` where empty, `…` behind where cut.
fn push_inline<const N: usize>(line: &mut Vec<u8>, value: &Inline<N>) {
    if value.is_empty() {
        line.push(b'-');
    }
    push_text(line, value.as_bytes());
    if value.is_cut() {
        line.extend_from_slice("…".as_bytes());
    }
}

fn push_field<const N: usize>(line: &mut Vec<u8>, name: &str, value: &Inline<N>) {
    push_key(line, name);
    line.push(b'"');
    push_inline(line, value);
    line.push(b'"');
}

/// Left out where empty.
fn push_name(line: &mut Vec<u8>, name: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    push_key(line, name);
    line.push(b'"');
    push_text(line, value.as_bytes());
    line.push(b'"');
}

fn push_time(line: &mut Vec<u8>, name: &str, value: Option<Duration>) {
    if let Some(value) = value {
        push_key(line, name);
        push_seconds(line, value);
    }
}

fn push_key(line: &mut Vec<u8>, name: &str) {
    line.push(b' ');
    line.extend_from_slice(name.as_bytes());
    line.push(b'=');
}
