//! Metrics as text: Prometheus 0.0.4, or OpenMetrics 1.0 for who asks for it.
//!
//! The order is that of the table of families, then that of the labels, so two scrapes differ in
//! their values alone. This module must not know a cell.

use std::fmt::Write;

use super::metrics::{DURATION_BUCKETS, Family, FamilyKind};
use super::registry::{FamilySamples, Sample, SampleValue};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Prometheus,
    OpenMetrics,
}

impl Format {
    /// From an `Accept` header. OpenMetrics where it is named and not liked less than plain text;
    /// whoever names neither gets the older format, which everything reads.
    pub fn negotiate(accept: Option<&str>) -> Self {
        let accept = accept.unwrap_or_default();
        let open_metrics = quality(accept, "application/openmetrics-text");
        let plain = quality(accept, "text/plain");
        if open_metrics > 0.0 && open_metrics >= plain {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// How much a media type is wanted (RFC 9110 §12.5.1): 0 where it isn't named.
fn quality(accept: &str, media_type: &str) -> f32 {
    let wanted = accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        if !parts.next()?.eq_ignore_ascii_case(media_type) {
            return None;
        }
        let weight = parts.find_map(|parameter| parameter.strip_prefix("q="));
        Some(weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0)))
    });
    wanted.fold(0.0, f32::max)
}

pub fn render(families: &[FamilySamples], format: Format) -> String {
    let mut text = String::new();
    for FamilySamples { family, samples } in families {
        push_head(&mut text, *family, format);
        for sample in samples {
            push_sample(&mut text, *family, sample);
        }
    }
    if format == Format::OpenMetrics {
        text.push_str("# EOF\n");
    }
    text
}

/// The two formats differ here alone: OpenMetrics names a counter's family without `_total`, and
/// knows units.
fn push_head(text: &mut String, family: Family, format: Format) {
    let (name, kind) = (family.name(), family.kind());
    let suffix = if format == Format::Prometheus { sample_suffix(kind) } else { "" };
    push(text, format_args!("# HELP {name}{suffix} {}\n", family.help()));
    push(text, format_args!("# TYPE {name}{suffix} {}\n", kind.as_str()));
    if format == Format::OpenMetrics && !family.unit().is_empty() {
        push(text, format_args!("# UNIT {name} {}\n", family.unit()));
    }
}

fn sample_suffix(kind: FamilyKind) -> &'static str {
    match kind {
        FamilyKind::Counter => "_total",
        FamilyKind::Gauge | FamilyKind::Histogram => "",
    }
}

fn push_sample(text: &mut String, family: Family, sample: &Sample) {
    let name = family.name();
    let suffix = sample_suffix(family.kind());
    let labels = Braced(&sample.labels);
    match &sample.value {
        SampleValue::Count(value) => push(text, format_args!("{name}{suffix}{labels} {value}\n")),
        SampleValue::Level(value) => push(text, format_args!("{name}{suffix}{labels} {value}\n")),
        SampleValue::Seconds(value) => push(text, format_args!("{name}{suffix}{labels} {value}\n")),
        SampleValue::Histogram { buckets, sum } => {
            push_histogram(text, name, &sample.labels, buckets, *sum);
        }
    }
}

fn push_histogram(text: &mut String, name: &str, labels: &str, buckets: &[u64], sum: f64) {
    let comma = if labels.is_empty() { "" } else { "," };
    let bounds = DURATION_BUCKETS.iter().map(|(bound, _)| *bound).chain(["+Inf"]);
    let mut count = 0;
    for (bound, bucket) in bounds.zip(buckets) {
        count += bucket;
        push(text, format_args!("{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}\n"));
    }
    let labels = Braced(labels);
    push(text, format_args!("{name}_sum{labels} {sum}\n"));
    push(text, format_args!("{name}_count{labels} {count}\n"));
}

/// Labels in braces, nothing where there are none.
struct Braced<'a>(&'a str);

impl std::fmt::Display for Braced<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "{{{}}}", self.0) }
    }
}

fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    text.write_fmt(line).expect("a String takes every text");
}

#[cfg(test)]
mod tests;
