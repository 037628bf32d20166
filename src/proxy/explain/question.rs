//! A question about a request as it goes to a proxy's control door: the target of a GET.

use super::{Asked, NotAsked};
use crate::limits;

/// What somebody wants to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    pub method: String,
    pub url: String,
    /// `name: value`
    pub headers: Vec<String>,
    pub server_name: Option<String>,
    /// How many of the other matches are told.
    pub most: usize,
}

impl Question {
    /// Where the control door has the answers.
    pub const PATH: &str = "/explain";

    pub fn asked(&self) -> Result<Asked, NotAsked> {
        Asked::new(&self.method, &self.url, &self.headers, self.server_name.as_deref())
    }

    /// Path and query. Fails for what is more than a door reads.
    pub fn target(&self) -> Result<String, NotAsked> {
        let Self { method, url, headers, server_name, most } = self;
        let headers = headers.iter().map(|header| ("header", header.as_str()));
        let name = server_name.iter().map(|name| ("sni", name.as_str()));
        let mut target = format!("{}?most={most}", Self::PATH);
        for (name, value) in
            [("method", method.as_str()), ("url", url)].into_iter().chain(headers).chain(name)
        {
            target.push_str(&format!("&{name}="));
            escape(value, &mut target);
        }
        if target.len() > limits::DOOR_HEAD_BYTES / 2 {
            let why = "a request of that size can't be asked of a proxy that runs";
            return Err(NotAsked(why.to_owned()));
        }
        Ok(target)
    }

    /// The other way round. What isn't known is passed over: a newer command may say more.
    pub fn read(query: &str) -> Result<Self, NotAsked> {
        let mut question = Self::default();
        for pair in query.split('&') {
            let Some((name, value)) = pair.split_once('=') else { continue };
            let value =
                unescape(value).ok_or_else(|| NotAsked(format!("`{value}` can't be read")))?;
            match name {
                "method" => question.method = value,
                "url" => question.url = value,
                "header" => question.headers.push(value),
                "sni" => question.server_name = Some(value),
                "most" => question.most = value.parse().unwrap_or(0),
                _ => {}
            }
        }
        Ok(question)
    }
}

/// Everything but what RFC 3986 §2.3 calls unreserved.
fn escape(text: &str, into: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                into.push(char::from(byte))
            }
            _ => into.push_str(&format!("%{byte:02X}")),
        }
    }
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests;
