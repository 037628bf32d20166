//! What the control thread counts.

use crate::telemetry::{Family, Registry, SharedCounter, SharedGauge};

pub(super) struct Series {
    pub(super) reloads_ok: SharedCounter,
    pub(super) reloads_error: SharedCounter,
    pub(super) parsed: SharedCounter,
    pub(super) lowered: SharedCounter,
    pub(super) errors: SharedGauge,
    pub(super) warnings: SharedGauge,
    _build: SharedGauge,
}

impl Series {
    pub(super) fn new(metrics: &Registry, version: &str) -> Self {
        let build = metrics.gauge(Family::BuildInfo, &[version]);
        build.set(1);
        Self {
            reloads_ok: metrics.counter(Family::Reloads, &["ok"]),
            reloads_error: metrics.counter(Family::Reloads, &["error"]),
            parsed: metrics.counter(Family::DocumentsParsed, &[]),
            lowered: metrics.counter(Family::PartsLowered, &[]),
            errors: metrics.gauge(Family::Diagnostics, &["error"]),
            warnings: metrics.gauge(Family::Diagnostics, &["warning"]),
            _build: build,
        }
    }
}
