//! What the controller shows at its observation door.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock;
use crate::telemetry::door::Observed;
use crate::telemetry::exposition::{self, Format};
use crate::telemetry::{Family, Registry, SharedCounter, SharedGauge};

pub(super) struct Board {
    metrics: Registry,
    ready: Mutex<Result<(), String>>,
    pub(super) lowered: SharedCounter,
    errors: SharedGauge,
    warnings: SharedGauge,
    leads: AtomicBool,
    leading: SharedGauge,
    _build: SharedGauge,
}

impl Board {
    pub(super) fn new(version: &str) -> Self {
        let metrics = Registry::new();
        let build = metrics.gauge(Family::BuildInfo, &[version]);
        build.set(1);
        Self {
            ready: Mutex::new(Err("nothing has been listed yet".to_owned())),
            lowered: metrics.counter(Family::PartsLowered, &[]),
            errors: metrics.gauge(Family::Diagnostics, &["error"]),
            warnings: metrics.gauge(Family::Diagnostics, &["warning"]),
            leads: AtomicBool::new(false),
            leading: metrics.gauge(Family::ControllerLeading, &[]),
            _build: build,
            metrics,
        }
    }

    pub(super) fn set_ready(&self, ready: Result<(), String>) {
        *self.lock() = ready;
    }

    pub(super) fn set_leading(&self, leading: bool) {
        self.leads.store(leading, Ordering::Relaxed);
        self.leading.set(leading.into());
    }

    pub(super) fn leads(&self) -> bool {
        self.leads.load(Ordering::Relaxed)
    }

    /// What `meshctl check` would print.
    pub(super) fn show_wrong(&self, errors: usize, warnings: usize) {
        self.errors.set(i64::try_from(errors).unwrap_or(i64::MAX));
        self.warnings.set(i64::try_from(warnings).unwrap_or(i64::MAX));
    }

    fn lock(&self) -> MutexGuard<'_, Result<(), String>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observed for Board {
    fn ready(&self) -> Result<(), String> {
        self.lock().clone()
    }

    fn metrics(&self, format: Format) -> String {
        exposition::render(&self.metrics.collect(clock::now()), format)
    }
}
