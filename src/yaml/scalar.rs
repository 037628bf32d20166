//! What a plain scalar means: to kubectl, whose reader is YAML 1.1 as go-yaml v2 has it, and to
//! YAML 1.2's core schema.

/// A plain scalar's reading; text stays where it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text,
}

/// Numbers are equal by value: `08` is 8 to both, once as a float and once as an integer.
impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) | (Self::Text, Self::Text) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b || a.is_nan() && b.is_nan(),
            #[expect(
                clippy::cast_precision_loss,
                reason = "beyond 2^53 both are out of every range"
            )]
            (Self::Int(a), Self::Float(b)) | (Self::Float(b), Self::Int(a)) => *a as f64 == *b,
            _ => false,
        }
    }
}

pub(super) fn kubectl(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Scalar::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        _ => {}
    }
    if let Some(float) = named_float(text) {
        return float;
    }
    match text.as_bytes()[0] {
        b'.' => decimal_float(text).unwrap_or(Scalar::Text),
        b'0'..=b'9' | b'+' | b'-' => {
            let digits: String = text.chars().filter(|c| *c != '_').collect();
            go_integer(&digits).or_else(|| decimal_float(&digits)).unwrap_or(Scalar::Text)
        }
        _ => Scalar::Text,
    }
}

pub(super) fn core(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "true" | "True" | "TRUE" => return Scalar::Bool(true),
        "false" | "False" | "FALSE" => return Scalar::Bool(false),
        _ => {}
    }
    if let Some(float) = named_float(text) {
        return float;
    }
    let prefixed = text
        .strip_prefix("0o")
        .map(|digits| (digits, 8))
        .or_else(|| text.strip_prefix("0x").map(|digits| (digits, 16)));
    if let Some((digits, radix)) = prefixed {
        return magnitude(digits, radix, false).unwrap_or(Scalar::Text);
    }
    let (digits, negative) = unsigned(text);
    magnitude(digits, 10, negative).or_else(|| decimal_float(text)).unwrap_or(Scalar::Text)
}

/// Go's `strconv.ParseInt` with base 0, without underscores.
fn go_integer(text: &str) -> Option<Scalar> {
    let (digits, negative) = unsigned(text);
    let lower = digits.get(..2).map(str::to_ascii_lowercase);
    match lower.as_deref() {
        Some("0x") => magnitude(&digits[2..], 16, negative),
        Some("0o") => magnitude(&digits[2..], 8, negative),
        Some("0b") => magnitude(&digits[2..], 2, negative),
        _ if digits.len() > 1 && digits.starts_with('0') => magnitude(&digits[1..], 8, negative),
        _ => magnitude(digits, 10, negative),
    }
}

fn unsigned(text: &str) -> (&str, bool) {
    match text.strip_prefix('-') {
        Some(digits) => (digits, true),
        None => (text.strip_prefix('+').unwrap_or(text), false),
    }
}

/// Digits alone; what no 64 bits hold becomes a float, as in JSON.
fn magnitude(digits: &str, radix: u32, negative: bool) -> Option<Scalar> {
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let sign = if negative { -1 } else { 1 };
    if let Some(value) =
        i128::from_str_radix(digits, radix).ok().and_then(|v| i64::try_from(sign * v).ok())
    {
        return Some(Scalar::Int(value));
    }
    (radix == 10).then(|| decimal_float(digits)).flatten().or(Some(Scalar::Float(f64::INFINITY)))
}

fn decimal_float(text: &str) -> Option<Scalar> {
    let (number, _) = unsigned(text);
    let mantissa_end = number.find(['e', 'E']).unwrap_or(number.len());
    let (mantissa, exponent) = number.split_at(mantissa_end);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || whole.is_empty() && fraction.is_empty() {
        return None;
    }
    if let Some(exponent) = exponent.get(1..) {
        let (exponent, _) = unsigned(exponent);
        if exponent.is_empty() || !digits(exponent) {
            return None;
        }
    }
    text.parse().ok().map(Scalar::Float)
}

fn named_float(text: &str) -> Option<Scalar> {
    match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            Some(Scalar::Float(f64::INFINITY))
        }
        "-.inf" | "-.Inf" | "-.INF" => Some(Scalar::Float(f64::NEG_INFINITY)),
        ".nan" | ".NaN" | ".NAN" => Some(Scalar::Float(f64::NAN)),
        _ => None,
    }
}
