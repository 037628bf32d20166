//! Metrics read back: what a command sees of a proxy's `/metrics`.
//!
//! Reads what `exposition.rs` writes (and other exporters' Prometheus text). Lines that can't be
//! read are passed over: a newer proxy may say more than this command knows.

/// One line of an exposition.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// With `_total`, `_bucket`, `_sum` or `_count`.
    pub name: String,
    pub labels: Vec<(String, String)>,
    pub value: f64,
}

impl Reading {
    /// Empty where there is no such label, as Prometheus sees it.
    pub fn label(&self, name: &str) -> &str {
        let found = self.labels.iter().find(|(label, _)| label == name);
        found.map_or("", |(_, value)| value)
    }
}

pub fn read(text: &str) -> impl Iterator<Item = Reading> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(read_line)
}

/// A label set as it stands between the braces.
pub(super) fn labels(text: &str) -> Vec<(String, String)> {
    read_labels(&format!("{text}}}")).map(|(labels, _)| labels).unwrap_or_default()
}

fn read_line(line: &str) -> Option<Reading> {
    let end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at_checked(end).filter(|(name, _)| !name.is_empty())?;
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => read_labels(rest)?,
        None => (Vec::new(), rest),
    };
    // A timestamp may follow.
    let value = rest.split_ascii_whitespace().next()?.parse().ok()?;
    Some(Reading { name: name.into(), labels, value })
}

/// Labels and what follows their `}`.
fn read_labels(mut rest: &str) -> Option<(Vec<(String, String)>, &str)> {
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, quoted) = rest.split_once("=\"")?;
        let (value, after) = read_value(quoted)?;
        labels.push((name.into(), value));
        rest = after;
    }
}

/// A value up to its closing quote, and what follows.
fn read_value(quoted: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                c => value.push(c),
            },
            c => value.push(c),
        }
    }
    None
}

/// The q-quantile (0 to 1) of a histogram from its cumulative buckets `(le, count)` in ascending
/// order, `+Inf` last; as Prometheus' `histogram_quantile`: linear within a bucket, the highest
/// finite bound where the rank lies above it. `None` without observations.
pub fn quantile(q: f64, buckets: &[(f64, f64)]) -> Option<f64> {
    let (_, total) = *buckets.last()?;
    if total <= 0.0 {
        return None;
    }
    let rank = q.clamp(0.0, 1.0) * total;
    let index = buckets.iter().position(|(_, count)| *count >= rank)?;
    let (low, below) = match index.checked_sub(1) {
        Some(before) => buckets[before],
        None => (0.0, 0.0),
    };
    let (high, count) = buckets[index];
    if high.is_infinite() || count <= below {
        return Some(if high.is_infinite() { low } else { high });
    }
    Some(low + (high - low) * (rank - below) / (count - below))
}

#[cfg(test)]
mod tests;
