//! A small language for tests of the proxy over real sockets.
//!
//! `mesh(yaml)` runs a proxy in this process from YAML text, through the same decoding, lowering
//! and publishing as a directory takes; `server` has upstreams that say what they saw, `client`
//! has clients that believe nothing. Whatever waits, waits for a condition and at most [`PATIENCE`].

pub mod answer;
pub mod authority;
pub mod client;
pub mod clock;
pub mod h1;
pub mod h2;
pub mod mesh;
pub mod ports;
pub mod server;
pub mod words;

use std::future::Future;
use std::time::Duration;

pub use mesh::{Mesh, mesh};

/// Longer than anything takes that works, on the slowest machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The outcome of `work`; a test that waits in vain says for what.
pub async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

/// Whether this process runs the one test of that name; where it doesn't, it has been run in a
/// process of its own, because what it measures is the process's.
#[expect(clippy::disallowed_methods, reason = "how the child knows that it is one")]
pub fn alone(test: &str) -> bool {
    const MARK: &str = "MESHCTL_TEST_ALONE";
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let ran = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(MARK, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}\n{}", String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("1 passed"), "no test is called {test}");
    false
}

/// Looks again until `condition` holds.
pub async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    within(what, async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}
