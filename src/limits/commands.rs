//! Bounds of what commands do to files and clusters, and of rollouts.

use std::time::Duration;

/// Steps of a canary: more than anybody watches.
pub const ROLLOUT_STEPS: usize = 50;
/// What a canary without steps goes through, in percent; the whole follows.
pub const ROLLOUT_WEIGHTS: [u32; 4] = [1, 5, 25, 50];
/// How long a step lasts where nobody says: a p99 of a quiet service needs minutes.
pub const ROLLOUT_INTERVAL: Duration = Duration::from_secs(300);
/// Reports come once a second: less can't be looked at.
pub const ROLLOUT_INTERVAL_MIN: Duration = Duration::from_secs(1);
/// What a gate waits for where nobody says: with fewer, 1 % of errors is less than one request.
pub const GATE_REQUESTS: u64 = 100;
/// Characters of a word's time that are kept: whoever writes it by hand may write anything, and a
/// status that is too long is none.
pub const ROLLOUT_ASKED: usize = 64;
/// Changes that a rollout remembers: its story of today, within what a status may hold.
pub const ROLLOUT_HISTORY: usize = 20;

/// What a command in a pod may have written before we have read: a network's worth of it.
pub const EXEC_BUFFER: usize = 64 * 1024;
/// What a command in a pod says on standard error: a sentence and a tip.
pub const EXEC_ERROR_BYTES: usize = 16 * 1024;
/// Rights of the controller that `check` asks the API server for at once: some seventy in all.
pub const RIGHTS_ASKED: usize = 8;
/// A certificate that expires within this is told about: what renews it by itself has done so by
/// then, and who does it by hand has time.
pub const CERTIFICATE_SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What a shell's Tab waits for names: longer than that, people type them.
pub const COMPLETION_WAIT: Duration = Duration::from_millis(500);

/// How long a change of files waits for another one: each takes some milliseconds, and one that
/// hangs on a dead network mount is told of.
pub const STORE_LOCK_WAIT: Duration = Duration::from_secs(10);
/// Between two tries to get that lock.
pub const STORE_LOCK_LOOK: Duration = Duration::from_millis(10);
/// Tries to become who drives a directory's rollouts: a look at who does is over after one.
pub const ROLLOUT_LOCK_LOOKS: u32 = 5;
/// Somebody who writes a file again each time before it can be changed is no editor.
pub const STORE_TRIES: usize = 5;

/// Matches of a VirtualService that are compared with each other: each pair of them, so this is 4
/// million comparisons, below a second. The Gateway API's own bound is 128 for a route.
pub const CONVERT_MATCHES: usize = 2_000;

/// How long a proxy of this machine may take to say what it serves: it is asked once a second.
pub const ROLLOUT_ASK_WAIT: Duration = Duration::from_secs(2);
/// Endpoints of a new version that are knocked at before it gets its first request: one that
/// answers is enough.
pub const ROLLOUT_PROBES: usize = 16;
/// How long one of them may take: more is no endpoint for requests.
pub const ROLLOUT_PROBE_WAIT: Duration = Duration::from_secs(1);
/// Between two turns of a rollout: reports come once a second.
pub const ROLLOUT_TURN: Duration = Duration::from_secs(1);
/// How long a command waits until what it asked for is served: a file is seen within a second, and
/// names of endpoints take some.
pub const ROLLOUT_SETTLE: Duration = Duration::from_secs(10);
/// How long the name of a Backend may be that is made of an address: what DNS lets a label be.
pub const ROLLOUT_NAME: usize = 63;
