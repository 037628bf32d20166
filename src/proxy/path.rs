//! One spelling per path, so that routing, policy and backend can't disagree about it.
//!
//! What is refused and what is kept follows RFC 3986 §6.2.2 and, where that leaves a choice, what
//! an attacker would do with it. The query is checked, never rewritten: `&`, `+` and bad escapes
//! in it mean what the application says. This module must not know HTTP versions or routes.

/// Why a path or a query can't be passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathError {
    /// It doesn't start with `/`.
    NotAbsolute,
    /// `\` or `%5C`: a separator to some backends.
    Backslash,
    /// A byte below 0x21 or 0x7F; in the path also as an escape, but for `%20`.
    ControlByte,
    /// `#`, or a `?` where a path was expected: another parser would cut it there.
    Fragment,
    /// `%` without two hexadecimal digits.
    BadEscape,
    /// A byte above 0x7F that is not escaped.
    NotAscii,
    /// `..` with nothing to leave. RFC 3986 §5.2.4 would stay at the root; no client that
    /// resolves its own links sends this, and backends disagree, so it is refused (as by nginx).
    AboveRoot,
    /// `.` or `..` that only a backend would see: `..;x` (Tomcat), `..%2F`, `%252E%252E`, or an
    /// overlong UTF-8 form of `.`, `/` or `\`.
    HiddenDots,
}

impl PathError {
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotAbsolute => "the path does not start with / (RFC 9112 §3.2.1)",
            Self::Backslash => "a backslash in the path",
            Self::ControlByte => "a control byte or a space in the target",
            Self::Fragment => "a fragment in the target (RFC 9112 §3.2)",
            Self::BadEscape => "a % in the path without two hexadecimal digits (RFC 3986 §2.1)",
            Self::NotAscii => "a byte above 0x7F in the target that is not escaped (RFC 3986 §2)",
            Self::AboveRoot => "a .. in the path that leads above the root",
            Self::HiddenDots => "a . or .. in the path hidden by an escape or a parameter",
        }
    }
}

/// Writes the one spelling of `raw`, a path without its query, into `out`.
///
/// Dot segments are resolved, escapes of unreserved characters decoded, other escapes in upper
/// case, and characters that RFC 3986 doesn't allow raw (`"<>^{|}` and the backtick) escaped.
/// `%2F` and `//` stay data, and so do `;` and what follows it. The result is a fixed point.
pub fn normalise(raw: &[u8], out: &mut String) -> Result<(), PathError> {
    out.clear();
    if raw.first() != Some(&b'/') {
        return Err(PathError::NotAbsolute);
    }
    if is_clean(raw)
        && let Ok(text) = std::str::from_utf8(raw)
    {
        out.push_str(text);
        return Ok(());
    }
    rewrite(&raw[1..], out)
}

/// Checks a query, which goes on as it is.
pub fn check_query(raw: &[u8]) -> Result<(), PathError> {
    if raw.iter().all(|&byte| CLASS[usize::from(byte)] & IN_QUERY != 0) {
        return Ok(());
    }
    raw.iter().try_for_each(|&byte| match byte {
        b'#' => Err(PathError::Fragment),
        0..=b' ' | 0x7f => Err(PathError::ControlByte),
        0x80.. => Err(PathError::NotAscii),
        _ => Ok(()),
    })
}

/// RFC 3986 §2.3: what is the same with and without an escape.
const UNRESERVED: u8 = 1;
/// What may stand in a path as it is, `/` included.
const IN_PATH: u8 = 2;
const IN_QUERY: u8 = 4;

const CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0u8;
    while byte < 128 {
        let mut class = 0;
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            class |= UNRESERVED | IN_PATH;
        }
        // sub-delims and what else a pchar is (RFC 3986 §3.3).
        if matches!(
            byte,
            b'!' | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b':'
                | b'@'
                | b'/'
        ) {
            class |= IN_PATH;
        }
        if byte.is_ascii_graphic() && byte != b'#' {
            class |= IN_QUERY;
        }
        table[byte as usize] = class;
        byte += 1;
    }
    table
}

/// Whether the path is its own normal form: nothing to decode, to escape or to refuse, and no
/// segment that starts with a dot (`/.well-known` takes the other way for it). `raw` starts with
/// a slash. The scan has no early way out, because nearly every path is clean.
fn is_clean(raw: &[u8]) -> bool {
    let common = raw.iter().fold(IN_PATH, |common, &byte| common & CLASS[usize::from(byte)]);
    common != 0 && memchr::memchr_iter(b'.', raw).all(|dot| raw[dot - 1] != b'/')
}

/// Settles one segment after the other; `rest` is what follows the first `/`.
fn rewrite(mut rest: &[u8], out: &mut String) -> Result<(), PathError> {
    out.push('/');
    loop {
        let (segment, tail) = match memchr::memchr(b'/', rest) {
            Some(slash) => (&rest[..slash], Some(&rest[slash + 1..])),
            None => (rest, None),
        };
        let start = out.len();
        push_segment(segment, out)?;
        match &out[start..] {
            "." => out.truncate(start),
            ".." => {
                out.truncate(start);
                leave_segment(out)?;
            }
            written if hides_dots(written.as_bytes()) => return Err(PathError::HiddenDots),
            _ if tail.is_some() => out.push('/'),
            _ => {}
        }
        match tail {
            Some(tail) => rest = tail,
            None => return Ok(()),
        }
    }
}

/// `/a/b/` becomes `/a/`.
fn leave_segment(out: &mut String) -> Result<(), PathError> {
    let parent = &out[..out.len() - 1];
    let slash = parent.rfind('/').ok_or(PathError::AboveRoot)?;
    out.truncate(slash + 1);
    Ok(())
}

fn push_segment(segment: &[u8], out: &mut String) -> Result<(), PathError> {
    let mut at = 0;
    while let Some(&byte) = segment.get(at) {
        if byte == b'%' {
            let escaped = escape_at(segment, at).ok_or(PathError::BadEscape)?;
            refuse_overlong(escaped, escape_at(segment, at + 3))?;
            push_escaped(escaped, out)?;
            at += 3;
            continue;
        }
        if CLASS[usize::from(byte)] & IN_PATH != 0 {
            out.push(char::from(byte));
        } else {
            push_disallowed(byte, out)?;
        }
        at += 1;
    }
    Ok(())
}

fn push_escaped(byte: u8, out: &mut String) -> Result<(), PathError> {
    match byte {
        b'\\' => return Err(PathError::Backslash),
        0..=0x1f | 0x7f => return Err(PathError::ControlByte),
        _ if CLASS[usize::from(byte)] & UNRESERVED != 0 => out.push(char::from(byte)),
        _ => push_hex(byte, out),
    }
    Ok(())
}

/// A raw byte that RFC 3986 doesn't let stand in a path.
fn push_disallowed(byte: u8, out: &mut String) -> Result<(), PathError> {
    match byte {
        b'\\' => return Err(PathError::Backslash),
        b'#' | b'?' => return Err(PathError::Fragment),
        0..=b' ' | 0x7f => return Err(PathError::ControlByte),
        0x80.. => return Err(PathError::NotAscii),
        // Browsers send `|`, `^` and braces raw; escaped, they have one spelling too.
        _ => push_hex(byte, out),
    }
    Ok(())
}

fn push_hex(byte: u8, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(HEX[usize::from(byte >> 4)]));
    out.push(char::from(HEX[usize::from(byte & 15)]));
}

/// The byte that `%XX` at `at` stands for.
fn escape_at(text: &[u8], at: usize) -> Option<u8> {
    match *text.get(at..at + 3)? {
        [b'%', high, low] => hex_pair(high, low),
        _ => None,
    }
}

fn hex_pair(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

/// Bytes that start an overlong UTF-8 form (RFC 3629 §3): a lenient backend reads `%C0%AE` as a
/// dot and `%C0%AF` as a slash.
fn refuse_overlong(first: u8, second: Option<u8>) -> Result<(), PathError> {
    match (first, second) {
        (0xc0 | 0xc1, _) | (0xe0, Some(0x80..=0x9f)) | (0xf0, Some(0x80..=0x8f)) => {
            Err(PathError::HiddenDots)
        }
        _ => Ok(()),
    }
}

/// Whether a backend that decodes once more, or cuts parameters off, would find a dot segment in
/// this one: a piece between `/`, `\` and NUL (each at any depth of `%25…`) that is one or two
/// dots up to its `;`. A segment that starts with a dot or holds a `%` always comes by here.
fn hides_dots(segment: &[u8]) -> bool {
    if !segment.iter().any(|&byte| byte == b'%' || byte == b';') {
        return false;
    }
    let (mut at, mut dots, mut others) = (0, 0, 0);
    let mut in_parameter = false;
    while at < segment.len() {
        let (byte, width) = decoded_at(segment, at);
        at += width;
        match byte {
            b'/' | b'\\' | 0 => {
                if others == 0 && (dots == 1 || dots == 2) {
                    return true;
                }
                (dots, others, in_parameter) = (0, 0, false);
            }
            _ if in_parameter => {}
            b';' => in_parameter = true,
            b'.' => dots += 1,
            _ => others += 1,
        }
    }
    others == 0 && (dots == 1 || dots == 2)
}

/// The byte at `at` after every decoding of `%XX`, `%25XX`, `%2525XX`…, and how wide it stood.
fn decoded_at(text: &[u8], at: usize) -> (u8, usize) {
    if text[at] != b'%' {
        return (text[at], 1);
    }
    let mut digits = at + 1;
    while text[digits..].starts_with(b"25") {
        digits += 2;
    }
    match text.get(digits..digits + 2).and_then(|pair| hex_pair(pair[0], pair[1])) {
        Some(byte) => (byte, digits + 2 - at),
        None => (b'%', digits - at),
    }
}

#[cfg(test)]
mod tests;
