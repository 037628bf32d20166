//! What a proxy tells unasked: how much it has done so far.
//!
//! A report goes up in the same conversation as the words about transactions. It is a request of a
//! type of its own, with the report in the place that a status has for details.

use envoy_types::pb::envoy::service::discovery::v3::DeltaDiscoveryRequest;
use envoy_types::pb::google::protobuf::Any;
use envoy_types::pb::google::rpc;
use prost::Message;

/// The type of such a request, and of what it carries.
pub const TYPE_URL: &str = "type.meshctl.dev/meshctl.report.v1.Report";

/// Totals since the process started: whoever wants a rate takes the difference of two. A number
/// that is smaller than before is of a new process, or some routes are long gone.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Report {
    /// Answered, by whomever.
    #[prost(uint64, tag = "1")]
    pub requests: u64,
    /// Of these, with a status from 500.
    #[prost(uint64, tag = "2")]
    pub errors: u64,
    /// Of clients, open now.
    #[prost(uint64, tag = "3")]
    pub connections: u64,
}

pub fn write(report: &Report) -> DeltaDiscoveryRequest {
    let detail = Any { type_url: TYPE_URL.to_owned(), value: report.encode_to_vec() };
    DeltaDiscoveryRequest {
        type_url: TYPE_URL.to_owned(),
        error_detail: Some(rpc::Status { details: vec![detail], ..rpc::Status::default() }),
        ..DeltaDiscoveryRequest::default()
    }
}

/// The report in a request, if it is one. Fields that this version doesn't know are left: nothing
/// is protected by a counter.
pub fn read(request: &DeltaDiscoveryRequest) -> Option<Report> {
    let status = request.error_detail.as_ref().filter(|_| request.type_url == TYPE_URL)?;
    let detail = status.details.iter().find(|detail| detail.type_url == TYPE_URL)?;
    Report::decode(&*detail.value).ok()
}
