//! The one door to time. Everything else takes a time as an argument or asks here, so tests that
//! pause tokio's clock pause the product.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use tokio::time::Instant;

/// Monotonic now; follows a paused tokio clock.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub fn now() -> Instant {
    Instant::now()
}

/// Time since the epoch.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
