//! How long to wait before the next try: doubling, with full jitter, so that the proxies of a
//! controller that comes back don't all come at once.

use std::time::Duration;

use crate::limits;

#[derive(Debug)]
pub(super) struct Backoff {
    rng: fastrand::Rng,
    failures: u32,
}

impl Backoff {
    pub(super) fn new(rng: fastrand::Rng) -> Self {
        Self { rng, failures: 0 }
    }

    /// It works again.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    pub(super) fn next(&mut self) -> Duration {
        let most = limits::CONTROLLER_RETRY.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        most.min(limits::CONTROLLER_RETRY_MAX).mul_f64(self.rng.f64())
    }
}
