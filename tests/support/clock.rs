//! Stop watches: how long something took, where that is what a test is about.

use std::time::Duration;

use meshctl::clock;

/// Measures from its making.
pub struct Watch(tokio::time::Instant);

impl Watch {
    pub fn start() -> Self {
        Self(clock::now())
    }

    pub fn elapsed(&self) -> Duration {
        clock::now() - self.0
    }
}
