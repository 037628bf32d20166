//! Durations as the Gateway API writes them (GEP-2257): `5m`, `1h30m`, `500ms`.

use std::time::Duration;

#[cfg(test)]
mod tests;

/// Reads `^([0-9]{1,5}(h|m|s|ms)){1,4}$`; the error says what to write.
pub fn parse(text: &str) -> Result<Duration, &'static str> {
    const FORM: &str = "a duration is numbers with their units, as in `500ms`, `30s` or `1h30m`";
    if text.contains('.') {
        return Err("a duration has no fraction: `1s500ms` is 1.5 seconds");
    }
    if text.starts_with(['-', '+']) {
        return Err("a duration has no sign");
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    for _ in 0..4 {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let value: u64 = rest[..digits].parse().map_err(|_| FORM)?;
        rest = &rest[digits..];
        if digits > 5 {
            return Err("a number has at most five digits: use a larger unit");
        }
        let (unit, length) = match rest.as_bytes() {
            [b'm', b's', ..] => (Duration::from_millis(value), 2),
            [b'h', ..] => (Duration::from_secs(value * 3600), 1),
            [b'm', ..] => (Duration::from_secs(value * 60), 1),
            [b's', ..] => (Duration::from_secs(value), 1),
            [] => return Err("a duration needs a unit, as in 30s or 30m"),
            [b'd', ..] => return Err("there is no unit for days: write `24h`"),
            _ => return Err(FORM),
        };
        total += unit;
        rest = &rest[length..];
        if rest.is_empty() {
            return Ok(total);
        }
    }
    Err("a duration has at most four parts")
}
