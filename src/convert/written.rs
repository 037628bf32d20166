//! Values in the form that the Gateway API has for them.

/// A duration of the Gateway API, whose numbers have at most five digits.
pub(super) fn duration(millis: u64) -> String {
    match millis {
        _ if !millis.is_multiple_of(1000) && millis < 100_000 => format!("{millis}ms"),
        _ if millis < 100_000_000 => format!("{}s", millis / 1000),
        _ if millis / 60_000 < 100_000 => format!("{}m", millis / 60_000),
        _ => format!("{}h", (millis / 3_600_000).min(99_999)),
    }
}

/// Text that stands for itself in an expression.
pub(super) fn escaped(text: &str) -> String {
    let special = |c: char| "\\.+*?()|[]{}^$#&-~".contains(c);
    text.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}
