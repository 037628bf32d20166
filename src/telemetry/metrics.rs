//! The table of all metric families: name, type, labels, help, in one place.
//!
//! Names follow Prometheus (base unit last, `_total` on counters) and, where it has one, the
//! bucket bounds follow OpenTelemetry. This module must not know a cell or a format.

/// What a family's values mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FamilyKind {
    Counter,
    Gauge,
    /// Durations in the buckets of [`DURATION_BUCKETS`].
    Histogram,
}

impl FamilyKind {
    /// The word of a `# TYPE` line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Upper bounds in seconds and as `le` spells them, and in nanoseconds: what OpenTelemetry's
/// semantic conventions advise for `http.server.request.duration`. `+Inf` follows the last.
pub const DURATION_BUCKETS: [(&str, u64); 14] = [
    ("0.005", 5_000_000),
    ("0.01", 10_000_000),
    ("0.025", 25_000_000),
    ("0.05", 50_000_000),
    ("0.075", 75_000_000),
    ("0.1", 100_000_000),
    ("0.25", 250_000_000),
    ("0.5", 500_000_000),
    ("0.75", 750_000_000),
    ("1.0", 1_000_000_000),
    ("2.5", 2_500_000_000),
    ("5.0", 5_000_000_000),
    ("7.5", 7_500_000_000),
    ("10.0", 10_000_000_000),
];

/// One row of the table.
struct Row {
    family: Family,
    kind: FamilyKind,
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
}

impl Family {
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.family)
    }

    pub fn kind(self) -> FamilyKind {
        self.row().kind
    }

    /// The family's name, without a counter's `_total`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    pub fn labels(self) -> &'static [&'static str] {
        self.row().labels
    }

    pub fn help(self) -> &'static str {
        self.row().help
    }

    /// The base unit, which is also the end of the name; empty where there is none.
    pub fn unit(self) -> &'static str {
        let name = self.name();
        ["seconds", "bytes"].into_iter().find(|unit| name.ends_with(unit)).unwrap_or_default()
    }

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

macro_rules! table {
    ($($family:ident $kind:ident $name:literal [$($label:literal)*] $help:literal)*) => {
        /// Every metric family that the product shows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Family { $($family),* }

        const TABLE: &[Row] = &[$(Row {
            family: Family::$family,
            kind: FamilyKind::$kind,
            name: $name,
            labels: &[$($label),*],
            help: $help,
        }),*];
    };
}

table! {
    Requests Counter "meshctl_requests" ["gateway" "listener" "route" "backend" "code" "cause"]
        "Requests answered, by status code; cause is set where meshctl itself failed or refused them."
    RequestDuration Histogram "meshctl_request_duration_seconds" ["gateway" "listener" "route" "backend"]
        "Time from the first byte of the request head to the last byte of the answer."
    RequestBody Counter "meshctl_request_body_bytes" ["gateway" "listener" "route" "backend"]
        "Bytes of request bodies read from clients."
    ResponseBody Counter "meshctl_response_body_bytes" ["gateway" "listener" "route" "backend"]
        "Bytes of response bodies sent to clients."
    RouteLookupNodes Counter "meshctl_route_lookup_nodes" ["gateway" "listener"]
        "Nodes of the route table visited to find the rules of requests."
    ConnectionsActive Gauge "meshctl_connections_active" ["address"]
        "Client connections that are open."
    ConnectionsAccepted Counter "meshctl_connections_accepted" ["address"]
        "Client connections accepted."
    ConnectionsClosed Counter "meshctl_connections_closed" ["address" "cause"]
        "Client connections closed; cause is empty where both sides were done."
    TlsHandshakes Counter "meshctl_tls_handshakes" ["gateway" "listener" "outcome"]
        "TLS handshakes with clients: ok, or the cause of the failure."
    UpstreamAttempts Counter "meshctl_upstream_attempts" ["backend" "endpoint" "outcome"]
        "Tries to get an answer from an endpoint: ok, or the cause of the failure."
    UpstreamConnectDuration Histogram "meshctl_upstream_connect_duration_seconds" ["backend"]
        "Time to open a connection to an endpoint, TLS included."
    UpstreamConnections Gauge "meshctl_upstream_connections" ["backend" "endpoint" "state"]
        "Connections to an endpoint: active or idle."
    Retries Counter "meshctl_retries" ["backend" "outcome"]
        "Retries that were due: sent, or denied by the retry budget."
    Mirrors Counter "meshctl_mirrors" ["route" "backend" "outcome"]
        "Mirrored requests: ok, failed, or dropped because the mirror was behind."
    Ejections Counter "meshctl_ejections" ["backend" "endpoint"]
        "Times that an endpoint was taken out of the balancing because it failed."
    EndpointEjected Gauge "meshctl_endpoint_ejected" ["backend" "endpoint"]
        "1 while an endpoint is ejected."
    Reloads Counter "meshctl_reloads" ["result"]
        "Changes of the configuration that were read: ok, or error where some part kept its last good state."
    ControllerConnected Gauge "meshctl_controller_connected" []
        "1 while the controller is connected, 0 while what is known is served on without it."
    ConfigGeneration Gauge "meshctl_config_generation" []
        "Number of the configuration that is served."
    Parts Gauge "meshctl_parts" ["kind" "state"]
        "Parts of the configuration: current, last_good (the newest text is broken) or failed."
    Diagnostics Gauge "meshctl_diagnostics" ["severity"]
        "What meshctl check would print."
    DocumentsParsed Counter "meshctl_documents_parsed" []
        "YAML documents parsed since the start."
    PartsLowered Counter "meshctl_parts_lowered" []
        "Parts lowered from documents since the start."
    ControllerLeading Gauge "meshctl_controller_leading" []
        "1 for the replica of the controller that writes statuses and deploys proxies."
    CertificateExpiry Gauge "meshctl_certificate_expiry_timestamp_seconds" ["certificate"]
        "When a certificate in use ends, in seconds since the epoch."
    Panics Counter "meshctl_panics" []
        "Requests or connections that a bug in meshctl ended."
    LogLinesDropped Counter "meshctl_log_lines_dropped" []
        "Access-log lines that could not be queued or written."
    MetricSeries Gauge "meshctl_metric_series" []
        "Lines that the series make in a scrape, against a bound of 50,000; a route with traffic makes about 20."
    MetricSeriesFolded Counter "meshctl_metric_series_folded" []
        "Label sets that were counted under other because the bound was reached."
    BuildInfo Gauge "meshctl_build_info" ["version"]
        "1, labelled with the version."
    ProcessCpu Counter "process_cpu_seconds" []
        "Total user and system CPU time spent in seconds."
    ProcessResidentMemory Gauge "process_resident_memory_bytes" []
        "Resident memory size in bytes."
    ProcessVirtualMemory Gauge "process_virtual_memory_bytes" []
        "Virtual memory size in bytes."
    ProcessOpenFds Gauge "process_open_fds" []
        "Number of open file descriptors."
    ProcessMaxFds Gauge "process_max_fds" []
        "Maximum number of open file descriptors."
    ProcessThreads Gauge "process_threads" []
        "Number of operating system threads."
    ProcessStartTime Gauge "process_start_time_seconds" []
        "Start time of the process since unix epoch in seconds."
}

#[cfg(test)]
mod tests;
