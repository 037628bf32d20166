use std::collections::BTreeSet;

use super::*;

#[test]
fn names_and_labels_keep_to_the_conventions() {
    let word = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    let mut names = BTreeSet::new();
    for family in Family::all() {
        let name = family.name();
        assert!(names.insert(name), "{name} stands twice");
        assert!(word(name), "{name}");
        assert!(name.starts_with("meshctl_") || name.starts_with("process_"), "{name}");
        for reserved in ["_total", "_count", "_sum", "_bucket", "_created", "_info"] {
            let build_info = family == Family::BuildInfo;
            assert!(build_info || !name.ends_with(reserved), "{name}: a sample's suffix");
        }
        assert!(family.kind() != FamilyKind::Histogram || family.unit() == "seconds", "{name}");
        assert!(family.labels().iter().all(|label| word(label) && *label != "le"), "{name}");
        assert!(!family.help().is_empty() && !family.help().contains(['\n', '\\']), "{name}");
    }
}

#[test]
fn the_two_spellings_of_a_bucket_are_one_number() {
    for (text, nanos) in DURATION_BUCKETS {
        let seconds: f64 = text.parse().expect("a number");
        assert_eq!((seconds * 1e9).round() as u64, nanos, "{text}");
    }
    assert!(DURATION_BUCKETS.is_sorted_by(|a, b| a.1 < b.1));
}

#[test]
fn the_help_of_the_bound_names_the_bound() {
    let bound = crate::limits::METRIC_SERIES;
    assert_eq!(bound, 50_000);
    assert!(Family::MetricSeries.help().contains("50,000"));
}
