//! Durations as the Gateway API writes them (GEP-2257): `5m`, `1h30m`, `500ms`.

use std::time::Duration;

/// One to four of a number with up to five digits and `h`, `m`, `s` or `ms`. A number without a
/// unit is refused rather than guessed.
pub fn duration(text: &str) -> Result<Duration, String> {
    let mut rest = text;
    let mut sum = Duration::ZERO;
    for _ in 0..4 {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        if number.is_empty() || number.len() > 5 {
            return Err(FORM.to_owned());
        }
        let number: u32 = number.parse().map_err(|_| FORM)?;
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        sum += number * unit_of(unit, text)?;
        if tail.is_empty() {
            return Ok(sum);
        }
        rest = tail;
    }
    Err(FORM.to_owned())
}

const FORM: &str = "a duration is a number and its unit, such as 500ms, 30s, 5m or 1h30m";

fn unit_of(unit: &str, text: &str) -> Result<Duration, String> {
    match unit {
        "h" => Ok(Duration::from_secs(3600)),
        "m" => Ok(Duration::from_secs(60)),
        "s" => Ok(Duration::from_secs(1)),
        "ms" => Ok(Duration::from_millis(1)),
        "" => Err(format!("a duration needs a unit: {text}s or {text}m")),
        other => Err(format!("`{other}` is not a unit of time: h, m, s or ms")),
    }
}
