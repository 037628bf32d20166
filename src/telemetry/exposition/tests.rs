use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::*;
use crate::clock;
use crate::telemetry::Registry;

fn families() -> Vec<FamilySamples> {
    let sample = |labels: &str, value| Sample { labels: labels.into(), value };
    let mut buckets = [0; 15];
    (buckets[0], buckets[5], buckets[14]) = (3, 2, 1);
    vec![
        FamilySamples {
            family: Family::Reloads,
            samples: vec![
                sample("result=\"error\"", SampleValue::Count(1)),
                sample("result=\"ok\"", SampleValue::Count(41)),
            ],
        },
        FamilySamples {
            family: Family::UpstreamConnectDuration,
            samples: vec![sample(
                "backend=\"shop/cart:80\"",
                SampleValue::Histogram { buckets, sum: 12.5 },
            )],
        },
        FamilySamples {
            family: Family::ConfigGeneration,
            samples: vec![sample("", SampleValue::Level(7))],
        },
    ]
}

const HISTOGRAM: &str = r#"meshctl_upstream_connect_duration_seconds_bucket{backend="shop/cart:80",le="0.005"} 3
meshctl_upstream_connect_duration_seconds_bucket{backend="shop/cart:80",le="0.01"} 3
meshctl_upstream_connect_duration_seconds_bucket{backend="shop/cart:80",le="0.025"} 3
meshctl_upstream_connect_duration_seconds_bucket{backend="shop/cart:80",le="0.05"} 3
meshctl_upstream_connect_duration_seconds_bucket{backend="shop/cart:80",le="0.075"} 3
meshctl_upstream_connect_duration_seconds_bucket{backend="shop/cart:80",le="0.1"} 5
meshctl_upstream_connect_duration_seconds_bucket{backend="shop/cart:80",le="0.25"} 5
meshctl_upstream_connect_duration_seconds_bucket{backend="shop/cart:80",le="0.5"} 5
meshctl_upstream_connect_duration_seconds_bucket{backend="shop/cart:80",le="0.75"} 5
meshctl_upstream_connect_duration_seconds_bucket{backend="shop/cart:80",le="1.0"} 5
meshctl_upstream_connect_duration_seconds_bucket{backend="shop/cart:80",le="2.5"} 5
meshctl_upstream_connect_duration_seconds_bucket{backend="shop/cart:80",le="5.0"} 5
meshctl_upstream_connect_duration_seconds_bucket{backend="shop/cart:80",le="7.5"} 5
meshctl_upstream_connect_duration_seconds_bucket{backend="shop/cart:80",le="10.0"} 5
meshctl_upstream_connect_duration_seconds_bucket{backend="shop/cart:80",le="+Inf"} 6
meshctl_upstream_connect_duration_seconds_sum{backend="shop/cart:80"} 12.5
meshctl_upstream_connect_duration_seconds_count{backend="shop/cart:80"} 6
"#;

#[test]
fn prometheus_reads() {
    let expected = [
        "# HELP meshctl_reloads_total Changes of the configuration that were read: ok, or error where some part kept its last good state.\n",
        "# TYPE meshctl_reloads_total counter\n",
        "meshctl_reloads_total{result=\"error\"} 1\n",
        "meshctl_reloads_total{result=\"ok\"} 41\n",
        "# HELP meshctl_upstream_connect_duration_seconds Time to open a connection to an endpoint, TLS included.\n",
        "# TYPE meshctl_upstream_connect_duration_seconds histogram\n",
        HISTOGRAM,
        "# HELP meshctl_config_generation Number of the configuration that is served.\n",
        "# TYPE meshctl_config_generation gauge\n",
        "meshctl_config_generation 7\n",
    ];
    assert_eq!(render(&families(), Format::Prometheus), expected.concat());
}

#[test]
fn open_metrics_reads() {
    let expected = [
        "# HELP meshctl_reloads Changes of the configuration that were read: ok, or error where some part kept its last good state.\n",
        "# TYPE meshctl_reloads counter\n",
        "meshctl_reloads_total{result=\"error\"} 1\n",
        "meshctl_reloads_total{result=\"ok\"} 41\n",
        "# HELP meshctl_upstream_connect_duration_seconds Time to open a connection to an endpoint, TLS included.\n",
        "# TYPE meshctl_upstream_connect_duration_seconds histogram\n",
        "# UNIT meshctl_upstream_connect_duration_seconds seconds\n",
        HISTOGRAM,
        "# HELP meshctl_config_generation Number of the configuration that is served.\n",
        "# TYPE meshctl_config_generation gauge\n",
        "meshctl_config_generation 7\n",
        "# EOF\n",
    ];
    assert_eq!(render(&families(), Format::OpenMetrics), expected.concat());
}

#[test]
fn the_format_is_negotiated() {
    let check = |accept: Option<&str>, expected| {
        assert_eq!(Format::negotiate(accept), expected, "{accept:?}");
    };
    check(None, Format::Prometheus);
    check(Some("*/*"), Format::Prometheus);
    check(Some("text/html"), Format::Prometheus);
    check(Some("application/openmetrics-text"), Format::OpenMetrics);
    check(Some("application/openmetrics-text;q=0"), Format::Prometheus);
    check(Some("application/openmetrics-text;q=x"), Format::Prometheus);
    check(Some("text/plain, application/openmetrics-text;q=0.5"), Format::Prometheus);
    // What Prometheus 2.42 sends.
    check(
        Some(
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        ),
        Format::OpenMetrics,
    );
}

/// Every family, with the worst of labels.
fn full_registry() -> Registry {
    let registry = Registry::new();
    let worker = registry.worker();
    for family in Family::all().filter(|family| !family.name().starts_with("process_")) {
        if [Family::MetricSeries, Family::MetricSeriesFolded].contains(&family) {
            continue;
        }
        for value in ["a", "q\" b\\ l\n r\r \u{1b}[2J größe", ""] {
            let labels = vec![value; family.labels().len()];
            match family.kind() {
                FamilyKind::Counter => registry.counter(family, &labels).add(3),
                FamilyKind::Histogram => {
                    worker.histogram(family, &labels).observe(Duration::from_millis(70));
                }
                // Leaked so that the series is still there when it is scraped.
                FamilyKind::Gauge => {
                    Box::leak(Box::new(registry.gauge(family, &labels))).set(-4);
                }
            }
        }
    }
    registry
}

#[test]
fn every_family_is_shown() {
    let families = full_registry().collect(clock::now());
    let shown: Vec<_> = families.iter().map(|samples| samples.family).collect();
    assert_eq!(shown, Family::all().collect::<Vec<_>>());
    let text = render(&families, Format::Prometheus);
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'));
}

#[test]
fn promtool_finds_nothing() {
    let text = render(&full_registry().collect(clock::now()), Format::Prometheus);
    let child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return promtool_is_missing(&error),
    };
    child.stdin.take().expect("it is piped").write_all(text.as_bytes()).expect("promtool reads");
    let output = child.wait_with_output().expect("promtool ends");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.is_empty(), "promtool check metrics:\n{said}\n{text}");
}

#[expect(clippy::disallowed_methods, clippy::print_stderr, reason = "a test's own environment")]
fn promtool_is_missing(error: &std::io::Error) {
    let advice = "promtool (Debian package prometheus) can't be run";
    assert!(std::env::var_os("CI").is_none(), "{advice}: {error}");
    eprintln!("skipped: {advice}: {error}");
}
