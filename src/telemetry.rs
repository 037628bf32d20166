//! What the product says about itself: metrics, the access log, and the door that shows them.
//!
//! A worker writes cells that no other thread writes, and buffers that no other thread holds;
//! summing, formatting and blocking happen on other threads. This module must not know how a
//! request is served: it is told by [`Record`]s and by handles.

pub mod access_log;
mod arms;
mod cells;
pub mod door;
mod endpoints;
pub mod exposition;
pub mod failures;
mod label;
pub mod metrics;
pub mod process;
pub mod reading;
mod record;
mod registry;
mod series;
pub mod tally;
mod worker;

pub use cells::{Counter, Gauge, Histogram, SharedCounter, SharedGauge};
pub use endpoints::EndpointCounts;
pub use label::{backend_label, object_label};
pub use metrics::Family;
pub use record::{Inline, Record, RecordFlags, Tried};
pub use registry::{FamilySamples, Registry, Sample, SampleValue, WorkerMetrics};
pub use series::{
    BackendSeries, Begun, EndpointSeries, ListenerSeries, MirrorOutcome, MirrorSeries, PortSeries,
    RetryOutcome, RouteNames, RouteSeries,
};
pub use worker::WorkerTelemetry;
