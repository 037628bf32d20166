//! Base64 as Go's `StdEncoding` reads it, line breaks included, but without loose bits at the end:
//! a value that was cut off must not pass for a whole one.

/// The bytes, or `None` for anything that isn't base64.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let mut digits = text.bytes().filter(|b| !matches!(b, b'\n' | b'\r')).peekable();
    while digits.peek().is_some() {
        let mut group = [0u8; 4];
        let mut padding = 0;
        for slot in &mut group {
            let digit = digits.next()?;
            match value(digit) {
                Some(value) if padding == 0 => *slot = value,
                None if digit == b'=' => padding += 1,
                _ => return None,
            }
        }
        let [a, b, c, d] = group;
        let triple = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
        let kept = 3usize.checked_sub(padding).filter(|kept| *kept > 0)?;
        let loose = triple[kept..].iter().any(|byte| *byte != 0);
        if loose || padding > 0 && digits.peek().is_some() {
            return None;
        }
        bytes.extend_from_slice(&triple[..kept]);
    }
    Some(bytes)
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}
