//! Peers' texts in log lines: whatever they hold, a line stays one line and shows what it is.
//!
//! Escaped are quotes, backslashes, control characters (a terminal that shows the log obeys
//! them) and the marks that make text read in another order than it stands.

/// As the inside of a JSON string. What is not UTF-8 becomes U+FFFD.
pub(super) fn push_json(line: &mut Vec<u8>, text: &[u8]) {
    push(line, text, push_u, |line, _| line.extend_from_slice("\u{fffd}".as_bytes()));
}

/// As nginx writes it: `\xNN` for each byte that is not shown.
pub(super) fn push_text(line: &mut Vec<u8>, text: &[u8]) {
    let push_char = |line: &mut Vec<u8>, c: char| {
        push_x(line, c.encode_utf8(&mut [0; 4]).as_bytes());
    };
    push(line, text, push_char, push_x);
}

fn push(
    line: &mut Vec<u8>,
    text: &[u8],
    push_hidden: impl Fn(&mut Vec<u8>, char),
    push_invalid: impl Fn(&mut Vec<u8>, &[u8]),
) {
    for chunk in text.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_escaped(*c)) {
            line.extend_from_slice(&rest.as_bytes()[..at]);
            match c {
                '"' | '\\' => line.extend_from_slice(&[b'\\', c as u8]),
                _ => push_hidden(line, c),
            }
            rest = &rest[at + c.len_utf8()..];
        }
        line.extend_from_slice(rest.as_bytes());
        if !chunk.invalid().is_empty() {
            push_invalid(line, chunk.invalid());
        }
    }
}

fn is_escaped(c: char) -> bool {
    match c {
        '"' | '\\' => true,
        ' '..='~' => false,
        // Line and paragraph separator, and what turns the direction of reading.
        '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{feff}' => true,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}' => true,
        _ => c.is_control(),
    }
}

/// Every character that is escaped fits four digits.
fn push_u(line: &mut Vec<u8>, c: char) {
    let code = c as u32;
    line.extend_from_slice(b"\\u");
    line.extend([12, 8, 4, 0].map(|shift| hex(code >> shift)));
}

fn push_x(line: &mut Vec<u8>, bytes: &[u8]) {
    for byte in bytes.iter().copied().map(u32::from) {
        line.extend_from_slice(&[b'\\', b'x', hex(byte >> 4), hex(byte)]);
    }
}

pub(super) fn hex(digit: u32) -> u8 {
    b"0123456789abcdef"[(digit & 0xf) as usize]
}

#[cfg(test)]
mod tests;
