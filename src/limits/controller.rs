//! Bounds of the controller, its proxies and what they tell each other.

use std::time::Duration;

/// Connections to the controller, one for each proxy; more have to find another replica.
pub const PROXY_CONNECTIONS: usize = 10_000;
/// What a stranger has to get through TLS, then to show a token, then to say what it has.
pub const PROXY_HELLO_TIMEOUT: Duration = Duration::from_secs(10);
/// Tokens that are looked at at once: each is a question to the API server.
pub const PROXY_REVIEWS: usize = 32;
/// A proxy has one stream; another for what `meshctl` may ask later.
pub const PROXY_STREAMS: u32 = 4;
/// Between controller and proxy, where nothing else is said; without an answer the line is dead.
pub const PROXY_PING: Duration = Duration::from_secs(10);
pub const PROXY_PING_TIMEOUT: Duration = Duration::from_secs(5);
/// After this long, and up to half as long again, a proxy is asked to come back with a new token:
/// what was taken from it then holds, and replicas share the load anew.
pub const PROXY_STREAM_AGE: Duration = Duration::from_secs(3600);
/// Between two tries to reach the controller: up to the first after one failure, doubling up to
/// the last; each proxy draws its own, so that a thousand don't come at once.
pub const CONTROLLER_RETRY: Duration = Duration::from_millis(200);
pub const CONTROLLER_RETRY_MAX: Duration = Duration::from_secs(4);
/// Each step towards the controller: TCP and TLS, then its first word.
pub const CONTROLLER_TIMEOUT: Duration = Duration::from_secs(10);
/// A certificate authority, or a token, in its file.
pub const CONTROLLER_FILE_BYTES: u64 = 1024 * 1024;
/// One report, of which there is at most one in a second: 1,000 arms that are busy. What is left
/// is told a second later.
pub const REPORT_BYTES: usize = 256 * 1024;
/// How long a proxy may still tell what a part did that its fleet has no more: reports come each
/// second, and one may wait for the line.
pub const REPORT_LATE: Duration = Duration::from_secs(5);
/// Between two tries to reach the replica that leads.
pub const RELAY_RETRY: Duration = Duration::from_secs(1);
/// Routes of which a replica tells what its fleets have: those that rollouts are about, by fleet. Of
/// what is more it is not known that it is served, and its rollouts wait.
pub const RELAY_ROUTES: usize = 10_000;
/// How long the proxies of a replica that can't be heard are unknown and not gone: long enough for
/// it to come back, or for them to have found another.
pub const RELAY_REST: Duration = Duration::from_secs(30);
/// Parts are saved once they have rested for this long.
pub const SAVE_REST: Duration = Duration::from_secs(1);
/// Fleets that are deployed at the same time, and the rest after one couldn't be.
pub const DEPLOYMENTS: usize = 8;
pub const DEPLOY_RETRY: Duration = Duration::from_secs(5);
/// One that rests is looked at the less often, the longer nothing of it changes, up to this.
pub const ROLLOUT_REST: Duration = Duration::from_secs(30);
/// One that waits for somebody is looked at as often as this, at the least.
pub const ROLLOUT_WAIT: Duration = Duration::from_secs(5);
/// From the writing of a route to the look whether proxies serve it: a command waits for that, and they
/// mostly do within milliseconds.
pub const ROLLOUT_WRITTEN: Duration = Duration::from_millis(250);
/// Turns that are taken at the same time; each asks the API server two things or more.
pub const ROLLOUT_TURNS: usize = 16;
/// What one of these may take: a turn that hangs is taken again.
pub const ROLLOUT_PATIENCE: Duration = Duration::from_secs(10);
/// Counts in a rollout's status are as old as this at the most, while they change: each writing of
/// them wakes everybody who watches.
pub const ROLLOUT_SHOWN: Duration = Duration::from_secs(5);
/// What an event may say, who it is from, and how its name may begin (events.k8s.io; 253 in all).
pub const EVENT_NOTE_BYTES: usize = 1_024;
pub const EVENT_INSTANCE_BYTES: usize = 128;
pub const EVENT_NAME_BYTES: usize = 220;
/// Changes of phase that wait for the webhook; a webhook that is away for long misses some.
pub const WEBHOOK_QUEUE: usize = 256;
/// One try to tell a webhook, the tries, and the rest after the first; the next is longer.
pub const WEBHOOK_PATIENCE: Duration = Duration::from_secs(10);
pub const WEBHOOK_TRIES: u32 = 4;
pub const WEBHOOK_RETRY: Duration = Duration::from_secs(2);
/// What a webhook answers beyond this isn't read.
pub const WEBHOOK_ANSWER_BYTES: usize = 64 * 1024;
/// How often the controller looks which version of the Gateway API is installed.
pub const VERSION_LOOK: Duration = Duration::from_secs(60);
/// How often the controller looks whether its certificates are to be renewed.
pub const CERTIFICATE_LOOK: Duration = Duration::from_secs(60 * 60);
/// A controller's certificate is in its memory alone, and made anew at each start as well.
pub const CERTIFICATE_LIFETIME: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// Its authority. Longer than a cluster stands untouched: a controller that is off for years finds
/// one that holds.
pub const AUTHORITY_LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
/// What the clocks of two nodes may differ by: a certificate is valid from so much earlier on.
pub const CERTIFICATE_SKEW: Duration = Duration::from_secs(60 * 60);

/// Between the end of a pod being decided and its proxy being told: nodes and load balancers still
/// send connections until they have heard of it.
pub const DRAIN_DELAY: Duration = Duration::from_secs(5);
/// After a proxy's own deadline: cut requests are told, logs are written.
pub const DRAIN_GRACE: Duration = Duration::from_secs(5);
/// A proxy's token; the kubelet renews it at four fifths of that. The shortest is ten minutes.
pub const TOKEN_LIFETIME: Duration = Duration::from_secs(3600);
/// What a proxy may keep of its configuration in memory for the next start: 10,000 routes are
/// about 10 MB.
pub const STATE_VOLUME: &str = "128Mi";
/// A kind is served a moment after its definition was applied.
pub const DEFINITION_WAIT: Duration = Duration::from_secs(30);
/// Between two looks at what comes up or goes.
pub const ROLLOUT_LOOK: Duration = Duration::from_millis(500);
/// What was deleted is gone by then, its pods' last requests included.
pub const REMOVAL_WAIT: Duration = Duration::from_secs(120);
/// `version` and others that ask a cluster by the way wait no longer than this for it.
pub const CLUSTER_GLANCE: Duration = Duration::from_secs(2);
