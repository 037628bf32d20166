//! What an upstream is told to answer.

use std::time::Duration;

/// What an upstream answers.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub trailers: Vec<(String, String)>,
    /// Chunks instead of a length, also without trailers.
    pub chunked: bool,
    /// 1xx before it.
    pub interim: Vec<(u16, Vec<(String, String)>)>,
    /// Before the head.
    pub wait: Duration,
}

impl Answer {
    pub fn status(status: u16) -> Self {
        Self {
            status,
            fields: Vec::new(),
            body: Vec::new(),
            trailers: Vec::new(),
            chunked: false,
            interim: Vec::new(),
            wait: Duration::ZERO,
        }
    }

    pub fn text(text: impl Into<Vec<u8>>) -> Self {
        Self { body: text.into(), ..Self::status(200) }
    }

    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn trailer(mut self, name: &str, value: &str) -> Self {
        self.trailers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn interim(mut self, status: u16, fields: &[(&str, &str)]) -> Self {
        let fields = fields.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        self.interim.push((status, fields.collect()));
        self
    }

    pub fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    pub fn after(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }
}

/// An answer as HTTP/1.1 has it.
pub fn spell(answer: &Answer, method: &str) -> Vec<u8> {
    let mut text = Vec::new();
    let line = |line: String, text: &mut Vec<u8>| {
        text.extend_from_slice(line.as_bytes());
        text.extend_from_slice(b"\r\n");
    };
    for (status, fields) in &answer.interim {
        line(format!("HTTP/1.1 {status} Interim"), &mut text);
        for (name, value) in fields {
            line(format!("{name}: {value}"), &mut text);
        }
        line(String::new(), &mut text);
    }
    line(format!("HTTP/1.1 {} Answer", answer.status), &mut text);
    for (name, value) in &answer.fields {
        line(format!("{name}: {value}"), &mut text);
    }
    let chunked = answer.chunked || !answer.trailers.is_empty();
    let bodiless = answer.status == 204 || answer.status == 304;
    if chunked {
        line("transfer-encoding: chunked".to_owned(), &mut text);
    } else if !bodiless {
        line(format!("content-length: {}", answer.body.len()), &mut text);
    }
    line(String::new(), &mut text);
    if method == "HEAD" || bodiless {
        return text;
    }
    if !chunked {
        text.extend_from_slice(&answer.body);
        return text;
    }
    for piece in answer.body.chunks(7_000) {
        line(format!("{:x}", piece.len()), &mut text);
        text.extend_from_slice(piece);
        line(String::new(), &mut text);
    }
    line("0".to_owned(), &mut text);
    for (name, value) in &answer.trailers {
        line(format!("{name}: {value}"), &mut text);
    }
    line(String::new(), &mut text);
    text
}
