//! A request as a person writes it, into the head that the proxy would read.

use super::Refusal;
use crate::proxy::codec::h1::{HeadLimits, Parsed, parse_request};
use crate::proxy::message::{RequestHead, host_of};

/// A request that nobody sends.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub url: String,
    pub secure: bool,
    pub port: u16,
    /// Of the ClientHello; clients send none for an address.
    pub server_name: Option<String>,
    /// What the codec reads, or why it refuses.
    pub head: Result<RequestHead, Refusal>,
    authority: String,
}

/// Why something is no request: a sentence without a full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAsked(pub String);

impl Asked {
    /// `fields` are `name: value`. A `host` among them is sent in the place of the URL's, as curl
    /// does it; `server_name` stands for the URL's host in the handshake.
    pub fn new(
        method: &str,
        url: &str,
        fields: &[String],
        server_name: Option<&str>,
    ) -> Result<Self, NotAsked> {
        let no_url = |why: &str| NotAsked(format!("`{url}` {why}"));
        if method.is_empty() || method.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(NotAsked(format!("`{method}` is no HTTP method")));
        }
        if url.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
            return Err(no_url("holds a space or a control character, which a URL can't"));
        }
        let (secure, rest) = match url.split_once("://") {
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            _ => return Err(no_url("doesn't begin with http:// or https://")),
        };
        // Clients keep a fragment for themselves.
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let host = host_of(authority);
        if host.is_empty() || authority.contains('@') {
            return Err(no_url("names no host"));
        }
        let port = match authority[host.len()..].trim_start_matches('.') {
            "" => {
                if secure {
                    443
                } else {
                    80
                }
            }
            port => port[1..].parse().map_err(|_| no_url("has a port that is none"))?,
        };
        let slash = if target.starts_with('/') { "" } else { "/" };
        let mut text = format!("{method} {slash}{target} HTTP/1.1\r\n");
        let mut own_host = false;
        for field in fields {
            let (name, value) = read_field(field)?;
            own_host |= name.eq_ignore_ascii_case("host");
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !own_host {
            text.push_str(&format!("Host: {authority}\r\n"));
        }
        text.push_str("\r\n");
        Ok(Self {
            method: method.to_owned(),
            url: url.to_owned(),
            secure,
            port,
            server_name: Some(server_name.unwrap_or(host).to_owned()),
            head: read_head(text.as_bytes()),
            authority: authority.to_ascii_lowercase(),
        })
    }

    /// The URL's, lower case.
    pub fn host(&self) -> &str {
        host_of(&self.authority)
    }
}

fn read_field(field: &str) -> Result<(&str, &str), NotAsked> {
    let wrong = |why| NotAsked(format!("`{}` {why}", field.escape_debug()));
    let (name, value) = field.split_once(':').ok_or(wrong("is no header: write `name: value`"))?;
    if name.is_empty() || field.bytes().any(|byte| byte < b' ' && byte != b'\t' || byte == 0x7f) {
        return Err(wrong("is no header: a name is missing, or it holds a control character"));
    }
    Ok((name, value.trim()))
}

fn read_head(text: &[u8]) -> Result<RequestHead, Refusal> {
    let mut head = RequestHead::default();
    match parse_request(text, &HeadLimits::default(), &mut head) {
        Ok(Parsed::Complete { .. }) => Ok(head),
        // The text ends with an empty line, so what isn't complete was too large to be.
        Ok(Parsed::Partial) => Err(crate::model::Cause::HeadTooLarge.into()),
        Err(error) => Err(Refusal { cause: error.cause, reason: error.reason }),
    }
}
