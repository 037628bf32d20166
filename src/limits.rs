//! Every bound on what a peer, a file or a mistake can make the program hold, with its reason.

mod commands;
mod controller;

use std::time::Duration;

pub use commands::*;
pub use controller::*;

/// One configuration file, and one Secret's file. A ConfigMap or Secret holds at most 1 MiB.
pub const CONFIG_FILE_BYTES: u64 = 16 * 1024 * 1024;
/// Files under one directory: far above what people keep, far below what stalls a walk.
pub const CONFIG_FILES: usize = 20_000;
/// All configuration files together: their text is kept, to show lines of it in diagnostics.
pub const CONFIG_BYTES: u64 = 256 * 1024 * 1024;
/// Entries of any kind under one directory, so that `-f /` ends.
pub const CONFIG_ENTRIES: usize = 200_000;
/// Nodes of one YAML document after its aliases are followed: 1 MiB of input stays below
/// 64 MB and a second, whatever it holds.
pub const YAML_NODES: usize = 250_000;
/// Deeper than any manifest; a recursive reader's stack stays small.
pub const YAML_DEPTH: usize = 96;
/// Scalars are copied when an alias is followed, so the sum is bounded too.
pub const YAML_SCALAR_BYTES: usize = 16 * 1024 * 1024;
/// Bytes that one edit of a document may read, over all of its operations: a thousand changes of a
/// manifest of 16 KiB, or eight of the largest that is read within a second.
pub const EDIT_BYTES: usize = 32 * 1024 * 1024;
/// Values of one Secret or ConfigMap, as the API server bounds them.
pub const DATA_BYTES: usize = 1024 * 1024;
/// Endpoints written into one Backend; a Service of Kubernetes has 1,000 in each EndpointSlice.
pub const BACKEND_ENDPOINTS: usize = 1_000;
/// The Gateway API's own: backends of a rule, parents of a route, listeners of a Gateway, and the
/// largest weight.
pub const BACKEND_REFS: usize = 16;
pub const PARENT_REFS: usize = 32;
pub const LISTENERS: usize = 64;
pub const WEIGHT: u32 = 1_000_000;
/// References that lead nowhere of which something is said that may have been meant, and objects
/// that are looked at for each: nobody reads more, and every change asks again.
pub const HINTS: usize = 20;
pub const HINT_CANDIDATES: usize = 1_000;
/// More diagnostics than anyone reads: the rest are counted.
pub const DIAGNOSTICS: usize = 1_000;
/// A file is read once it has rested for this long, so that half-written ones aren't. Looking more
/// often, or asking more often what the system has to tell, would find nothing that can be read.
pub const FILE_REST: Duration = Duration::from_millis(50);
/// How often a directory is walked even when no event came: network mounts send none.
pub const FILE_POLL: Duration = Duration::from_secs(5);
/// A file that somebody holds open for writing is read after it has rested for this long: whoever
/// writes in pieces is faster, and a log that is never closed is read too.
pub const FILE_OPEN_REST: Duration = Duration::from_millis(500);
/// Files that change together are applied together, but files at rest wait no longer than this
/// for one that never rests.
pub const FILE_BATCH: Duration = Duration::from_millis(700);
/// Before a look at the files, so that it sees all of what is told in one go.
pub const FILE_PAUSE: Duration = Duration::from_millis(10);
/// Paths whose last change is remembered; past it a change is seen without its path.
pub const FILE_EVENTS: usize = 4_096;
/// What is taken of the system's events about files at once; one takes up to 272 bytes.
pub const WATCH_BUFFER_BYTES: usize = 16 * 1024;
/// Buffers of events that are taken in a row: all of the 16,384 events that Linux keeps by default,
/// with names of up to 48 bytes.
pub const WATCH_READS: usize = 64;
/// How often what depends on the date (certificates) is looked at without any change, at the
/// least: a clock that was set is seen by then.
pub const DATE_CHECK: Duration = Duration::from_secs(3600);

/// Heads, Records and deadlines that a worker keeps of each kind for the requests to come, and the
/// bytes that one of them may keep: what a hundred requests at once use again, under 2 MB in all.
pub const SPARES: usize = 128;
pub const SPARE_BYTES: usize = 4 * 1024;

/// Compiled size of one regular expression, as `model::pattern` reckons it: a counted class of
/// 1,000 characters, or one class of Unicode letters, fits. What people write has 1 to 10 KB, 20
/// to 200 microseconds to compile, and 7 KB more when it is in use; 100 of the largest are 10 MB.
pub const REGEX_BYTES: usize = 100 * 1024;

/// Retries that one rule may ask for; more would multiply an outage.
pub const RETRY_ATTEMPTS: u32 = 10;

/// Header fields of one message; Envoy, HAProxy and hyper stop at 100 too.
pub const HEADERS: usize = 100;
/// Request or response head in all, unless MeshConfig says less: Envoy's 60 KiB.
pub const HEAD_BYTES: usize = 60 * 1024;
/// Request target: longer than any browser sends, and what nginx and Envoy take at the most.
pub const TARGET_BYTES: usize = 8 * 1024;
/// A method: the longest registered one (UPDATEREDIRECTREF) has 17 letters.
pub const METHOD_BYTES: usize = 32;
/// `host[:port]`: a DNS name has 253 characters and a dot, a port five digits and a colon.
pub const AUTHORITY_BYTES: usize = 260;
/// Options in the Connection fields of one message: each costs a walk over the fields.
pub const CONNECTION_OPTIONS: usize = 32;
/// HTTP/2 header list (RFC 9113 §6.5.2): what the h2 crate allows by default.
pub const H2_HEADER_LIST_BYTES: u32 = 16 * 1024;
/// Streams that one client may have open (Envoy's edge guide).
pub const H2_STREAMS: u32 = 100;
/// Bytes of the heads of one client's open streams: a hundred of ten kilobytes each. With the
/// longest ones a connection would otherwise hold more than the 4 MB that it may cost.
pub const H2_OPEN_HEAD_BYTES: usize = 1024 * 1024;
/// Flow-control windows (Envoy's edge guide): a stream may send this before it is read.
pub const H2_STREAM_WINDOW: u32 = 64 * 1024;
pub const H2_CONNECTION_WINDOW: u32 = 1024 * 1024;
/// Towards backends, where we are the one who chooses what to ask for.
pub const H2_UPSTREAM_STREAM_WINDOW: u32 = 256 * 1024;
pub const H2_UPSTREAM_CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
/// Resets caused by the client's errors before the connection is closed (CVE-2025-8671).
pub const H2_ERROR_RESETS: usize = 200;
/// Streams reset by the client before they were taken up (CVE-2023-44487).
pub const H2_PENDING_RESETS: usize = 50;
/// Requests that a client gives up within `H2_BRIEF` of sending them, less those that it doesn't,
/// before its connection is closed: the other half of CVE-2023-44487, resets of what was taken up.
/// A client that sends every request twice and drops the slower answer stays at 0.
pub const H2_ABANDONED: u32 = 400;
pub const H2_BRIEF: Duration = Duration::from_secs(1);
/// One chunk-size line with its extensions; extensions have no use here.
pub const CHUNK_LINE_BYTES: usize = 256;
/// Chunk extensions of one body in all: they cost work and carry nothing (CVE-2023-39326).
pub const CHUNK_EXTENSION_BYTES: usize = 16 * 1024;
/// Trailer section of a chunked body.
pub const TRAILER_BYTES: usize = 8 * 1024;
/// Elements of `Forwarded`; a chain of proxies has a handful.
pub const FORWARDED_ELEMENTS: usize = 32;
/// A request id that a trusted hop sent: a UUID has 36 bytes, AWS's trace root 35.
pub const REQUEST_ID_BYTES: usize = 64;
/// Passes through proxies of our pseudonym before a request is seen as going round: gateway,
/// sidecars and ambassadors of a deep call still stay far below.
pub const VIA_PASSES: usize = 16;
/// 1xx responses that one request may bring; a flood of them holds no answer back.
pub const INFORMATIONAL_RESPONSES: u32 = 16;

/// Buffer for one read: one large socket read, given back while the connection is idle.
pub const READ_BUFFER: usize = 16 * 1024;
/// Buffers that a worker keeps for reuse.
pub const POOLED_BUFFERS: usize = 256;
/// Body bytes that are held for a retry or a hedge; past it they are given up, never the stream.
pub const REPLAY_BYTES: usize = 64 * 1024;
/// Body bytes on the way to one mirror; a mirror that is further behind is dropped and counted.
pub const MIRROR_WINDOW_BYTES: usize = 64 * 1024;
/// Mirrored requests in flight per worker.
pub const MIRRORS_IN_FLIGHT: usize = 1_024;
/// What is left of a request body after an early answer is read and thrown away up to here, so
/// that the client sees the answer before the connection closes.
pub const DISCARD_BYTES: usize = 256 * 1024;

/// No byte of a first request.
pub const FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(60);
/// A whole request head, drip included.
pub const REQUEST_HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Between two reads of a request body.
pub const BODY_IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// A request body must come at this average rate once `BODY_IDLE_TIMEOUT` has passed (Kestrel's
/// rule): one byte a minute is an attack, not a slow line. Exempt from both, because one half of a
/// conversation may rest, are bodies of unknown length of gRPC calls (HTTP/2 alone), and of
/// requests whose endpoint has begun to answer. Those have `STREAM_IDLE_TIMEOUT` and the route's
/// `timeouts.request`. An upgraded connection is a tunnel and has no body.
pub const BODY_MIN_BYTES_PER_SECOND: u64 = 240;
pub const TLS_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Resumable sessions that are kept per backend: one server name needs a handful of them.
pub const TLS_CLIENT_SESSIONS: usize = 64;
/// What a session ticket may hold: a client's chain of four certificates. Past 64 KiB rustls would
/// write one that no client can read.
pub const TLS_TICKET_BYTES: usize = 8 * 1024;
/// A certificate's subject as it stands in logs; an attacker's may be as long as a handshake.
pub const CERTIFICATE_NAME_BYTES: usize = 256;
/// The sentence that says why a handshake failed: it may name what a peer's certificate holds.
pub const TLS_REASON_CHARS: usize = 512;
/// A PROXY header must come with the first segments.
pub const PROXY_PROTOCOL_TIMEOUT: Duration = Duration::from_secs(5);
/// PROXY v2 with its TLVs (CVE-2026-47692).
pub const PROXY_PROTOCOL_BYTES: usize = 4 * 1024;
/// Keep-alive without a request.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(3600);
/// No byte in either direction of a stream.
pub const STREAM_IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// Idle connections to backends are closed after this long: below the keep-alive of common
/// servers (nginx 75 s, Node 5 s has its own race and its retry).
pub const UPSTREAM_IDLE_TIMEOUT: Duration = Duration::from_secs(55);
/// Graceful shutdown.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

/// Threads that serve: more than any machine we know has cores for, few enough to start at once.
pub const WORKERS: usize = 1_024;
/// Connections of the whole process (Envoy's edge guide).
pub const CONNECTIONS: usize = 50_000;
/// Just-accepted sockets on their way from one worker to another.
pub const HANDED_ON_SOCKETS: usize = 1_024;
/// Accept queue of a listening socket; the kernel cuts it to net.core.somaxconn.
pub const ACCEPT_BACKLOG: i32 = 4_096;
/// Requests that wait for a connection to one backend, per worker.
pub const QUEUED_REQUESTS: usize = 1_024;
/// Streams that one upstream HTTP/2 connection carries before another is opened.
pub const H2_UPSTREAM_STREAMS: usize = 100;
/// Upstream HTTP/2 connections per endpoint and worker.
pub const H2_UPSTREAM_CONNECTIONS: usize = 16;

/// What is known about a backend or an endpoint (averages, ejections) is kept this long after its
/// last use, so that a list that flaps or a file that is saved twice loses nothing.
pub const REMEMBER_UNUSED: Duration = Duration::from_secs(120);
/// Backends, and endpoints of one backend, beyond which unused ones are forgotten at once: what is
/// in use is bounded by the configuration, what was in use must not add up.
pub const REMEMBERED: usize = 4_096;
/// A latency average forgets at this rate: old samples weigh 1/e after it.
pub const LATENCY_DECAY: Duration = Duration::from_secs(5);
/// What one lower sample leaves of a latency average's excess over it: a hiccup is forgotten after
/// about eight ordinary answers.
pub const LATENCY_KEPT: f32 = 0.75;
/// Endpoints whose latency averages differ by less than this factor are taken to be equally fast:
/// requests that come one at a time differ by that much on an idle machine.
pub const LATENCY_TIE: f32 = 2.0;
/// How much of a pair's requests goes to the worse endpoint while nothing is in flight there, so
/// that its recovery is noticed: with this, a slow endpoint keeps a tenth of its equal share.
pub const PROBE_SHARE: f64 = 0.05;
/// Up to here a pick looks at every endpoint and is exact; above, it draws and redraws.
pub const ENDPOINTS_LOOKED_AT: usize = 16;
/// Entries of a Maglev table: a prime above 100 × endpoints keeps shares within 1 % (Maglev §3.4).
/// Two sizes alone, because endpoints move when the size changes; 256 KiB, shared by all workers.
pub const MAGLEV_ENTRIES: u32 = 65_537;
/// For more than 655 endpoints; more than 6,553 are served with coarser shares.
pub const MAGLEV_ENTRIES_MAX: u32 = 655_373;
/// Seconds over which a retry budget counts.
pub const RETRY_WINDOW_SECONDS: u32 = 10;
/// A session token may come from a proxy whose clock is ahead by this much.
pub const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// Addresses that one name may resolve to.
pub const DNS_ADDRESSES: usize = 256;
/// A name is asked for again no sooner and no later than this, whatever its TTL says.
pub const DNS_TTL_MIN: Duration = Duration::from_secs(1);
pub const DNS_TTL_MAX: Duration = Duration::from_secs(300);
/// A name that failed is asked for again after a second, and at last after this long.
pub const DNS_BACKOFF_MAX: Duration = Duration::from_secs(30);
/// How long a change waits for names that were never asked for; a slow name server holds nothing
/// else up.
pub const DNS_FIRST_WAIT: Duration = Duration::from_millis(800);
/// Names that are asked for at once, each for IPv4 and IPv6.
pub const DNS_LOOKUPS: usize = 32;
/// How long the address that answered last may stay silent before an endpoint's other one is tried
/// beside it (RFC 8305 §5: the recommended delay).
pub const CONNECT_HEAD_START: Duration = Duration::from_millis(250);
/// A name server's word on one name, with all its retries.
pub const DNS_TIMEOUT: Duration = Duration::from_secs(10);
/// /etc/hosts: block lists of a million names are larger and belong into a name server.
pub const HOSTS_BYTES: u64 = 8 * 1024 * 1024;

/// Lines that all series of the process make in one scrape: about 20 for each route with traffic,
/// so 2,300 routes; a scrape has 10 MB by then, which is where Prometheus' users begin to limit
/// it. Past it, new label sets are counted under `other`, and that is logged once and counted.
pub const METRIC_SERIES: usize = 50_000;
/// Pairs of rule and backend that one process counts by themselves for reports. Each has 1.5 KB
/// for each worker that serves it; the requests of those that come later are counted in one.
pub const ARMS: usize = 4_096;
/// Arms of all proxies that a tally of their reports has totals of.
pub const TALLY_ARMS: usize = 50_000;
/// Processes that are gone and may come again: a controller's restart and a broken network bring
/// all of them back, each to be counted from where it was.
pub const TALLY_GONE: usize = 10_000;
/// How long a counter is shown after the last part that counted on it went away: longer than any
/// scrape interval, so that the last increments are seen.
pub const METRIC_SERIES_REST: Duration = Duration::from_secs(3600);
/// Pairs of status and cause that one route is counted under before `other`: a backend that
/// answers with every number from 100 to 999 must not use up the series of all others.
pub const STATUS_SERIES: usize = 64;
/// What a Record keeps of a request's texts. It lives in the exchange's future, of which there
/// may be `CONNECTIONS`, so the sum stays below 1 KiB; what is cut is marked.
pub const RECORD_METHOD_BYTES: usize = 24;
pub const RECORD_HOST_BYTES: usize = 128;
pub const RECORD_PATH_BYTES: usize = 256;
pub const RECORD_AGENT_BYTES: usize = 128;
pub const RECORD_ID_BYTES: usize = 64;
/// Tries that failed which a Record tells one by one: more retries than anybody asks for.
pub const RECORD_TRIES: usize = 8;
/// What it tells of each, in the system's words.
pub const RECORD_SENTENCE_BYTES: usize = 200;
/// Failed requests that a process remembers: a bad minute at some twenty a second, or a bad week
/// of a good service. With names of ordinary length each has 600 bytes.
pub const FAILURES: usize = 1_000;
/// What they hold at most: a peer chooses the texts, and each may hold 3 KB.
pub const FAILURES_BYTES: usize = 1024 * 1024;
/// Those that a client alone was to blame for: scanners make many, and one is like the other.
pub const REFUSALS: usize = 250;
pub const REFUSALS_BYTES: usize = 256 * 1024;
/// Access-log bytes that wait for the writer; a line that can't wait is dropped and counted.
pub const LOG_QUEUE_BYTES: usize = 4 * 1024 * 1024;
/// Buffers in that queue, however small: a flush of every worker for several seconds.
pub const LOG_QUEUE_CHUNKS: usize = 1_024;
/// A worker's buffer starts with this and is handed on at `LOG_CHUNK_BYTES`: one write in some
/// hundred lines.
pub const LOG_BUFFER_BYTES: usize = 4 * 1024;
pub const LOG_CHUNK_BYTES: usize = 32 * 1024;
/// Lines are handed on at least this often: nobody waits for the last request in `tail -f`.
pub const LOG_FLUSH: Duration = Duration::from_millis(250);
/// One access-log line.
pub const LOG_LINE_BYTES: usize = 16 * 1024;

/// What a warning about a flag lists in the place of what it names.
pub const FLAG_CHOICES: usize = 8;
/// One answer of the control door: the configuration of 100,000 routes.
pub const DOOR_ANSWER_BYTES: usize = 256 * 1024 * 1024;
/// Accept queue of the control door's socket: commands come one by one.
pub const DOOR_BACKLOG: i32 = 128;
/// Connections to each door at once.
pub const DOOR_CONNECTIONS: usize = 32;

/// How long a mirror's backend may stand still before it is given up, and how long its answer may
/// take once it has the whole request. How long that takes is up to the client.
pub const MIRROR_TIMEOUT: Duration = Duration::from_secs(30);
/// After an accept failed for want of descriptors.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
/// How often a draining worker looks whether its last connection has gone.
pub const DRAIN_LOOK: Duration = Duration::from_millis(20);
/// Idle connections are looked at every so many log flushes.
pub const SWEEP_TICKS: u32 = 10;
/// Connections that a worker may have above the lightest one's before it hands new ones on.
pub const LOAD_DIFFERENCE: usize = 4;
/// Between an error answer and the close, so that the client reads the answer and not a reset.
pub const LINGER: Duration = Duration::from_secs(2);
/// Request head at a door; hyper takes no bound below 8 KiB.
pub const DOOR_HEAD_BYTES: usize = 16 * 1024;
/// A request head at a door: who asks is near.
pub const DOOR_HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Handshakes that no listener takes are told at most this often per worker, the rest by number.
pub const REFUSAL_LOG: Duration = Duration::from_secs(10);
/// A whole exchange at a door: 25 MB of metrics through a slow line.
pub const DOOR_TIMEOUT: Duration = Duration::from_secs(60);

/// File descriptors in one packet of a takeover; the kernel takes 253 (SCM_MAX_FD).
pub const TAKEOVER_BATCH: usize = 250;
/// One packet of a takeover: a batch of addresses as text, each below 64 bytes.
pub const TAKEOVER_PACKET_BYTES: usize = 32 * 1024;
/// Listening sockets that a process takes over: ports times workers.
pub const TAKEOVER_SOCKETS: usize = 4_096;
/// How long the old process waits for the new one to serve: as long as reading the largest
/// configuration takes on a slow machine. It serves on meanwhile.
pub const TAKEOVER_TIMEOUT: Duration = Duration::from_secs(120);
/// How long the new process tries to get the observation door's address where the old one, of
/// another version, keeps the door until it has drained; and between two tries.
pub const TAKEOVER_DOOR_TIMEOUT: Duration = Duration::from_secs(600);
pub const TAKEOVER_DOOR_LOOK: Duration = Duration::from_millis(50);
/// How long the new process waits for an answer of the old one.
pub const TAKEOVER_STEP_TIMEOUT: Duration = Duration::from_secs(10);
/// Sockets that a service manager passes to us.
pub const LISTEN_FDS: usize = 1_024;
/// At the deadline of draining: how long telling a client that its request is cut may take, how
/// long all of them together may, and how long HTTP/2's last frames may take to leave after that.
/// A client that doesn't read is not waited for.
pub const DRAIN_CUT_WRITE: Duration = Duration::from_millis(500);
pub const DRAIN_CUT: Duration = Duration::from_secs(1);
pub const DRAIN_LAST: Duration = Duration::from_millis(100);
/// How long a draining connection waits for a request that may be on its way.
pub const DRAIN_IDLE: Duration = Duration::from_secs(5);
/// Between two looks at a PROXY header that came in pieces.
pub const PROXY_PROTOCOL_LOOK: Duration = Duration::from_millis(5);
/// For the last lines of the access log; a reader that doesn't read holds the end up no longer.
pub const LOG_CLOSE: Duration = Duration::from_secs(2);
/// An address that couldn't be bound is tried again every so many seconds.
pub const LISTEN_RETRY_TICKS: u64 = 5;
/// A service manager that doesn't read its socket must not stop the control thread.
pub const NOTIFY_TIMEOUT: Duration = Duration::from_secs(2);
/// A reload is reported once every worker serves it: how often that is looked at, and for how long.
pub const SERVED_LOOK: Duration = Duration::from_millis(1);
pub const SERVED_WAIT: Duration = Duration::from_secs(1);
/// Between two tries to watch the files where the system refused a thread.
pub const WATCH_RETRY: Duration = Duration::from_secs(1);

/// Entries of a policy's status: the API takes no more.
pub const POLICY_ANCESTORS: usize = 16;
/// Proxies of one Gateway: more are a slip of the fingers, and each holds a conversation with the
/// controller.
pub const REPLICAS: u32 = 1_000;

/// Connections of the demo's load; each has at most one request on its way.
pub const DEMO_CONNECTIONS: u32 = 8;
/// A request of the demo that has no answer by now is lost.
pub const DEMO_ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// One of its answers; the sample service sends 40 bytes, another backend may send pages.
pub const DEMO_ANSWER_BYTES: usize = 1024 * 1024;
/// The longest that the demo waits for an edit to be served. A second is promised; this is for a
/// machine that is busy with something else.
pub const DEMO_EDIT_TIMEOUT: Duration = Duration::from_secs(10);
/// Half-second bars that the demo's view remembers: the width of the widest screens.
pub const DEMO_TICKS: usize = 400;
/// The demo's gateway tells its weights in this time, or they aren't shown for the moment: keys
/// wait for it.
pub const DEMO_LOOK_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the demo's gateway may take to end its connections; the demo's own are gone then.
pub const DEMO_DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// Changes of the API server's objects that wait for the controller; then watches wait.
pub const WATCH_QUEUE: usize = 4_096;
/// After a watch failed: from the first try to the longest rest, so that a restarted API server is
/// followed within 5 s and one that struggles is asked 16 times in 32 s.
pub const WATCH_BACKOFF_MIN: Duration = Duration::from_millis(250);
pub const WATCH_BACKOFF_MAX: Duration = Duration::from_secs(2);
/// A kind that isn't installed is looked for again.
pub const KIND_LOOK: Duration = Duration::from_secs(10);
/// How long a Lease holds that isn't renewed, and how often it is: a replica that died is followed
/// after 10 to 12 s, and two lost renewals change nothing.
pub const LEASE: Duration = Duration::from_secs(10);
pub const LEASE_RENEW: Duration = Duration::from_secs(2);
/// Statuses that are written at the same time, and the rest after one couldn't be.
pub const STATUS_WRITES: usize = 16;
pub const STATUS_RETRY: Duration = Duration::from_secs(1);
/// Secrets and ConfigMaps that are fetched at the same time, and the rest after one couldn't be.
pub const DATA_FETCHES: usize = 16;
pub const DATA_RETRY: Duration = Duration::from_secs(1);
/// What was lowered waits this long for the Secrets that it names, so that a certificate which is
/// on its way is not missing in between.
pub const DATA_WAIT: Duration = Duration::from_secs(2);
/// How often the controller looks at what time alone changes.
pub const CONTROLLER_TICK: Duration = Duration::from_secs(1);
/// An API server that is there answers at once; a firewall that drops packets never does.
pub const CLUSTER_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// One request of a command to the API server; the server itself gives up after a minute.
pub const CLUSTER_REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// Objects in one page of a list, as kubectl asks for them.
pub const CLUSTER_PAGE: u32 = 500;
/// One message between controller and proxy, but for a part that alone is larger: gRPC's usual
/// bound, and a slow line has it before anybody thinks that the other side is gone.
pub const WIRE_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// What the controller may send before the proxy has read it: a message, however far away it is.
pub const WIRE_WINDOW: u32 = 4 * 1024 * 1024;
/// The largest part. An EndpointSet of 100,000 endpoints has 4 MB.
pub const WIRE_PART_BYTES: usize = 16 * 1024 * 1024;
/// All of one transaction, which a proxy holds before it applies any of it: 100,000 rules of 5 KB.
pub const WIRE_TRANSACTION_BYTES: usize = 512 * 1024 * 1024;
/// What of a proxy's own name and version is believed: a namespace and a pod have 253 characters
/// each at the most.
pub const WIRE_NAME_CHARS: usize = 512;
/// The names and versions of what one proxy may say it has: 100,000 routes with their backends have
/// 50 MB.
pub const WIRE_HELLO_BYTES: usize = 64 * 1024 * 1024;
/// What a proxy may say went wrong with a transaction; the status of a Gateway shows less.
pub const WIRE_TROUBLE_CHARS: usize = 4_096;
/// Parts that are named one by one in that.
pub const WIRE_TROUBLES: usize = 10;
