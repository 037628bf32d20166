//! A strict origin: what RFC 9112 lets a request be, read as naively as possible.
//!
//! It shares nothing with the codec, neither code nor httparse, and is slow on purpose: each rule
//! is one visible check. Two parsers written by one mind may share a mistake; they don't share
//! one that comes from being fast.

/// One request as a strict origin sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) minor: u8,
    /// Names in lower case.
    pub(crate) fields: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, Vec<u8>)>,
}

impl Request {
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.fields.iter().filter(move |field| field.0 == name).map(|field| field.1.as_slice())
    }
}

/// Who speaks: a client may use what RFC 9112 merely allows, meshctl has one spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaker {
    Client,
    Meshctl,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    Nothing,
    /// The beginning of a request.
    Incomplete,
    /// What is wrong with what follows.
    Wrong(String),
}

/// All requests of a stream, and what stands behind them.
pub(crate) fn read_all(mut input: &[u8], speaker: Speaker) -> (Vec<Request>, Rest) {
    let mut requests = Vec::new();
    loop {
        if input.is_empty() {
            return (requests, Rest::Nothing);
        }
        match read_one(input, speaker) {
            Ok(Some((request, rest))) => {
                requests.push(request);
                input = rest;
            }
            Ok(None) => return (requests, Rest::Incomplete),
            Err(wrong) => return (requests, Rest::Wrong(wrong)),
        }
    }
}

pub(crate) type Found<'a, T> = Result<Option<(T, &'a [u8])>, String>;

fn read_one(mut input: &[u8], speaker: Speaker) -> Found<'_, Request> {
    if speaker == Speaker::Client && input.starts_with(b"\r\n") {
        input = &input[2..];
    }
    let Some((line, mut rest)) = line(input)? else { return Ok(None) };
    let mut request = request_line(line)?;
    let Some((fields, after)) = field_lines(rest)? else { return Ok(None) };
    (request.fields, rest) = (fields, after);
    check_fields(&request)?;
    if speaker == Speaker::Meshctl {
        check_one_spelling(&request, &input[..input.len() - rest.len()])?;
    }
    let lengths: Vec<_> = request.all("content-length").collect();
    let codings: Vec<_> = request.all("transfer-encoding").collect();
    match (lengths.as_slice(), codings.as_slice()) {
        ([], []) => {}
        ([length], []) => {
            let text = std::str::from_utf8(length).map_err(|_| "content-length")?;
            if text.is_empty() || !text.chars().all(|char| char.is_ascii_digit()) {
                return Err(format!("content-length {text:?}"));
            }
            let length: u64 = text.parse().map_err(|_| "content-length overflows")?;
            if (rest.len() as u64) < length {
                return Ok(None);
            }
            let (body, after) = rest.split_at(length as usize);
            (request.body, rest) = (body.to_vec(), after);
        }
        ([], [coding]) if coding.eq_ignore_ascii_case(b"chunked") && request.minor == 1 => {
            let Some(((body, trailers), after)) = chunks(rest)? else { return Ok(None) };
            (request.body, request.trailers, rest) = (body, trailers, after);
        }
        framing => return Err(format!("framing {framing:?}")),
    }
    Ok(Some((request, rest)))
}

/// A line without its CRLF; a CR or LF that is no part of a CRLF is wrong.
fn line(input: &[u8]) -> Found<'_, &[u8]> {
    for at in 0..input.len() {
        match (input[at], input.get(at + 1)) {
            (b'\r', Some(b'\n')) => return Ok(Some((&input[..at], &input[at + 2..]))),
            (b'\r', None) => return Ok(None),
            (b'\r', Some(_)) => return Err("a bare CR".into()),
            (b'\n', _) => return Err("a bare LF".into()),
            _ => {}
        }
    }
    Ok(None)
}

fn request_line(line: &[u8]) -> Result<Request, String> {
    let text = std::str::from_utf8(line).map_err(|_| "a request line that is no text")?;
    let words: Vec<_> = text.split(' ').collect();
    let [method, target, version] = words[..] else { return Err(format!("request line {text:?}")) };
    if !token(method.as_bytes()) {
        return Err(format!("method {method:?}"));
    }
    let visible = |byte: u8| (0x21..=0x7e).contains(&byte) && byte != b'#';
    if target.is_empty() || !target.bytes().all(visible) {
        return Err(format!("target {target:?}"));
    }
    let minor = match version {
        "HTTP/1.1" => 1,
        "HTTP/1.0" => 0,
        _ => return Err(format!("version {version:?}")),
    };
    Ok(Request { method: method.into(), target: target.into(), minor, ..Request::default() })
}

pub(crate) fn field_lines(mut input: &[u8]) -> Found<'_, Vec<(String, Vec<u8>)>> {
    let mut fields = Vec::new();
    loop {
        let Some((line, rest)) = line(input)? else { return Ok(None) };
        input = rest;
        if line.is_empty() {
            return Ok(Some((fields, input)));
        }
        let colon = line.iter().position(|&byte| byte == b':').ok_or("a field without a colon")?;
        let (name, mut value) = (&line[..colon], &line[colon + 1..]);
        if !token(name) {
            return Err(format!("field name {:?}", String::from_utf8_lossy(name)));
        }
        while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
            value = rest;
        }
        if value.iter().any(|&byte| byte == 0x7f || (byte < 0x20 && byte != b'\t')) {
            return Err("a control byte in a value".into());
        }
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        fields.push((name, value.to_vec()));
    }
}

fn token(text: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(allowed)
}

fn check_fields(request: &Request) -> Result<(), String> {
    let hosts: Vec<_> = request.all("host").collect();
    match hosts[..] {
        [] if request.minor == 0 => Ok(()),
        [host]
            if host.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(byte)) =>
        {
            Ok(())
        }
        _ => Err(format!("hosts {hosts:?}")),
    }
}

/// What goes to a backend is not merely allowed: it has the form that no parser misreads.
fn check_one_spelling(request: &Request, head: &[u8]) -> Result<(), String> {
    if request.minor != 1 {
        return Err("not HTTP/1.1".into());
    }
    if request.fields.first().is_none_or(|field| field.0 != "host") {
        return Err("Host is not the first field".into());
    }
    for name in ["keep-alive", "proxy-connection", "proxy-authorization", "http2-settings", "proxy"]
    {
        if request.all(name).next().is_some() {
            return Err(format!("{name} went through"));
        }
    }
    for (name, allowed) in [
        (
            "connection",
            &["close", "upgrade", "te", "upgrade, te", "close, te", "close, upgrade"][..],
        ),
        ("te", &["trailers"]),
        ("transfer-encoding", &["chunked"]),
        ("expect", &["100-continue"]),
    ] {
        let values: Vec<_> = request.all(name).collect();
        let known = |value: &[u8]| allowed.iter().any(|allowed| allowed.as_bytes() == value);
        if values.len() > 1 || !values.iter().all(|value| known(value)) {
            return Err(format!("{name} {values:?}"));
        }
    }
    let folded = |name: &str| name.replace(|char: char| !char.is_ascii_alphanumeric(), "-");
    for (name, _) in &request.fields {
        let alias = folded(name) != *name;
        if alias
            && ["host", "content-length", "transfer-encoding", "x-forwarded-for"]
                .contains(&&*folded(name))
        {
            return Err(format!("alias {name}"));
        }
    }
    if request.target.starts_with('/') {
        check_path(request.target.split('?').next().unwrap_or_default())?;
    } else if request.target != "*" {
        return Err(format!("target {}", request.target));
    }
    match head.split(|&byte| byte == b'\n').skip(1).find(|line| line.len() > 1 && !plain_line(line))
    {
        Some(line) => Err(format!("spelling of {:?}", String::from_utf8_lossy(line))),
        None => Ok(()),
    }
}

/// `name: value CR` with a lower-case name and one space.
fn plain_line(line: &[u8]) -> bool {
    let colon = line.iter().position(|&byte| byte == b':').unwrap_or(0);
    !line[..colon].iter().any(u8::is_ascii_uppercase)
        && line.get(colon + 1) == Some(&b' ')
        && line.get(colon + 2).is_some_and(|byte| !matches!(byte, b' ' | b'\t'))
}

fn check_path(path: &str) -> Result<(), String> {
    let plain = path.replace("%2F", "/");
    let mut segments = plain.split('/').map(|segment| segment.split(';').next().unwrap_or(""));
    let dots = segments.any(|segment| segment == "." || segment == "..");
    let escapes = path.split('%').skip(1).all(|rest| {
        rest.get(..2).is_some_and(|pair| {
            pair.chars().all(|char| matches!(char, '0'..='9' | 'A'..='F'))
                && !["00", "5C", "2E"].contains(&pair)
        })
    });
    if dots || !escapes || path.contains('\\') { Err(format!("path {path}")) } else { Ok(()) }
}

type Body = (Vec<u8>, Vec<(String, Vec<u8>)>);

fn chunks(mut input: &[u8]) -> Found<'_, Body> {
    let mut body = Vec::new();
    loop {
        let Some((size, rest)) = line(input)? else { return Ok(None) };
        let digits = size.split(|&byte| byte == b';').next().unwrap_or_default();
        let text = std::str::from_utf8(digits).map_err(|_| "chunk size")?;
        if text.is_empty() || !text.chars().all(|char| char.is_ascii_hexdigit()) {
            return Err(format!("chunk size {text:?}"));
        }
        if size.iter().any(|&byte| byte == 0x7f || (byte < 0x20 && byte != b'\t')) {
            return Err("a control byte in a chunk extension".into());
        }
        let size = u64::from_str_radix(text, 16).map_err(|_| "chunk size overflows")?;
        if size == 0 {
            let Some((trailers, rest)) = field_lines(rest)? else { return Ok(None) };
            return Ok(Some(((body, trailers), rest)));
        }
        if (rest.len() as u64) < size {
            return Ok(None);
        }
        let (data, rest) = rest.split_at(size as usize);
        body.extend_from_slice(data);
        match rest {
            [b'\r', b'\n', after @ ..] => input = after,
            [] | [b'\r'] => return Ok(None),
            _ => return Err("a chunk that is longer than its size".into()),
        }
    }
}
