//! What the control thread counts.

use tokio::sync::watch;

use crate::source::remote::Link;
use crate::telemetry::{Family, Registry, SharedCounter, SharedGauge};

pub(super) struct Series {
    reloads_ok: SharedCounter,
    reloads_error: SharedCounter,
    pub(super) parsed: SharedCounter,
    pub(super) lowered: SharedCounter,
    pub(super) errors: SharedGauge,
    pub(super) warnings: SharedGauge,
    /// Where there is a controller.
    connected: Option<(SharedGauge, watch::Receiver<Link>)>,
    _build: SharedGauge,
}

impl Series {
    pub(super) fn new(
        metrics: &Registry,
        version: &str,
        link: Option<watch::Receiver<Link>>,
    ) -> Self {
        let build = metrics.gauge(Family::BuildInfo, &[version]);
        build.set(1);
        Self {
            reloads_ok: metrics.counter(Family::Reloads, &["ok"]),
            reloads_error: metrics.counter(Family::Reloads, &["error"]),
            parsed: metrics.counter(Family::DocumentsParsed, &[]),
            lowered: metrics.counter(Family::PartsLowered, &[]),
            errors: metrics.gauge(Family::Diagnostics, &["error"]),
            warnings: metrics.gauge(Family::Diagnostics, &["warning"]),
            connected: link.map(|link| (metrics.gauge(Family::ControllerConnected, &[]), link)),
            _build: build,
        }
    }

    /// A change that came to pass, if only in part.
    pub(super) fn reloaded(&self, whole: bool) {
        if whole { self.reloads_ok.inc() } else { self.reloads_error.inc() }
    }

    /// To be called about once a second.
    pub(super) fn tick(&self) {
        if let Some((connected, link)) = &self.connected {
            connected.set((*link.borrow() == Link::Connected).into());
        }
    }
}
