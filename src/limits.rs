//! Every bound on what a peer, a file or a mistake can make the program hold, with its reason.

use std::time::Duration;

/// One configuration file, and one Secret's file. A ConfigMap or Secret holds at most 1 MiB.
pub const CONFIG_FILE_BYTES: u64 = 16 * 1024 * 1024;
/// Files under one directory: far above what people keep, far below what stalls a walk.
pub const CONFIG_FILES: usize = 20_000;
/// Nodes of one YAML document after its aliases are followed: 1 MiB of input stays below
/// 64 MB and a second, whatever it holds.
pub const YAML_NODES: usize = 250_000;
/// Deeper than any manifest; a recursive reader's stack stays small.
pub const YAML_DEPTH: usize = 96;
/// Scalars are copied when an alias is followed, so the sum is bounded too.
pub const YAML_SCALAR_BYTES: usize = 16 * 1024 * 1024;
/// Values of one Secret or ConfigMap, as the API server bounds them.
pub const DATA_BYTES: usize = 1024 * 1024;
/// Endpoints written into one Backend; a Service of Kubernetes has 1,000 in each EndpointSlice.
pub const BACKEND_ENDPOINTS: usize = 1_000;
/// More diagnostics than anyone reads: the rest are counted.
pub const DIAGNOSTICS: usize = 1_000;
/// A file is read once it has rested for this long, so that half-written ones aren't.
pub const FILE_REST: Duration = Duration::from_millis(50);
/// How often a directory is walked even when no event came: network mounts send none.
pub const FILE_POLL: Duration = Duration::from_secs(5);

/// Compiled size of one regular expression; 100 of them are 10 MB at the most.
pub const REGEX_BYTES: usize = 100 * 1024;

/// Header fields of one message; Envoy, HAProxy and hyper stop at 100 too.
pub const HEADERS: usize = 100;
/// Request or response head in all, unless MeshConfig says less: Envoy's 60 KiB.
pub const HEAD_BYTES: usize = 60 * 1024;
/// Request target: longer than any browser sends, and what nginx and Envoy take at the most.
pub const TARGET_BYTES: usize = 8 * 1024;
/// HTTP/2 header list (RFC 9113 §6.5.2): what the h2 crate allows by default.
pub const H2_HEADER_LIST_BYTES: u32 = 16 * 1024;
/// Streams that one client may have open (Envoy's edge guide).
pub const H2_STREAMS: u32 = 100;
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
/// One chunk-size line with its extensions; extensions have no use here.
pub const CHUNK_LINE_BYTES: usize = 256;
/// Trailer section of a chunked body.
pub const TRAILER_BYTES: usize = 8 * 1024;
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
/// rule): one byte a minute is an attack, not a slow line.
pub const BODY_MIN_BYTES_PER_SECOND: u64 = 240;
pub const TLS_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
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

/// Addresses that one name may resolve to.
pub const DNS_ADDRESSES: usize = 256;
/// A name is asked for again no sooner and no later than this, whatever its TTL says.
pub const DNS_TTL_MIN: Duration = Duration::from_secs(1);
pub const DNS_TTL_MAX: Duration = Duration::from_secs(300);

/// Metric series per process; past it, new label sets are counted under `other`.
pub const METRIC_SERIES: usize = 50_000;
/// Access-log bytes that wait for the writer; a line that can't wait is dropped and counted.
pub const LOG_QUEUE_BYTES: usize = 4 * 1024 * 1024;
/// One access-log line.
pub const LOG_LINE_BYTES: usize = 16 * 1024;

/// One message on the control door.
pub const DOOR_MESSAGE_BYTES: usize = 1024 * 1024;
/// Connections to each door at once.
pub const DOOR_CONNECTIONS: usize = 32;
