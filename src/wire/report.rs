//! What a proxy tells unasked: how much it has done so far, as a whole and by arm.
//!
//! A report goes up in the same conversation as the words about transactions. It is a request of a
//! type of its own, with the report in the place that a status has for details. Each conversation
//! begins with all arms; then those follow that have changed. All numbers are totals, so what is
//! lost or comes twice does no harm.

use std::collections::HashMap;

use envoy_types::pb::envoy::service::discovery::v3::DeltaDiscoveryRequest;
use envoy_types::pb::google::protobuf::Any;
use envoy_types::pb::google::rpc;
use prost::Message;

use super::check::{invalid, some};
use super::{WireError, key, messages};
use crate::limits;
use crate::model::{Arm, ArmKey, Counts, Latencies, PartKey, PartKind, Report, Totals};

/// The type of such a request, and of what it carries.
pub const TYPE_URL: &str = "type.meshctl.dev/meshctl.report.v1.Report";

/// Fields that a version doesn't know are left: nothing is protected by a counter.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ReportMessage {
    #[prost(uint64, tag = "1")]
    requests: u64,
    #[prost(uint64, tag = "2")]
    errors: u64,
    #[prost(uint64, tag = "3")]
    connections: u64,
    #[prost(fixed64, tag = "4")]
    process: u64,
    #[prost(uint64, tag = "5")]
    left_out: u64,
    #[prost(message, repeated, tag = "6")]
    arms: Vec<ArmMessage>,
    #[prost(uint64, tag = "7")]
    born: u64,
}

#[derive(Clone, PartialEq, Message)]
struct ArmMessage {
    #[prost(message, optional, tag = "1")]
    rule: Option<messages::PartKey>,
    #[prost(message, optional, tag = "2")]
    backend: Option<messages::PartKey>,
    #[prost(bool, tag = "3")]
    dark: bool,
    #[prost(uint64, tag = "4")]
    born: u64,
    #[prost(uint64, tag = "5")]
    requests: u64,
    #[prost(uint64, tag = "6")]
    attempts: u64,
    #[prost(uint64, tag = "7")]
    errors: u64,
    #[prost(uint64, tag = "8")]
    server_errors: u64,
    #[prost(uint64, tag = "9")]
    cancelled: u64,
    #[prost(uint64, tag = "10")]
    in_flight: u64,
    /// As `model::Latencies` numbers them; those alone that have a count.
    #[prost(uint32, repeated, tag = "11")]
    buckets: Vec<u32>,
    #[prost(uint64, repeated, tag = "12")]
    bucket_counts: Vec<u64>,
}

pub fn write(report: &Report) -> DeltaDiscoveryRequest {
    let value = message_of(report).encode_to_vec();
    let detail = Any { type_url: TYPE_URL.to_owned(), value };
    DeltaDiscoveryRequest {
        type_url: TYPE_URL.to_owned(),
        error_detail: Some(rpc::Status { details: vec![detail], ..rpc::Status::default() }),
        ..DeltaDiscoveryRequest::default()
    }
}

/// What it takes in a message.
pub fn size(report: &Report) -> usize {
    message_of(report).encoded_len()
}

/// The report in a request, if it is one.
pub fn read(request: &DeltaDiscoveryRequest) -> Option<Report> {
    let status = request.error_detail.as_ref().filter(|_| request.type_url == TYPE_URL)?;
    let detail = status.details.iter().find(|detail| detail.type_url == TYPE_URL)?;
    ReportMessage::decode(&*detail.value).ok().map(report_of)
}

pub(super) fn message_of(report: &Report) -> ReportMessage {
    let Report { process, born, totals, arms } = report;
    let Totals { requests, errors, connections, left_out } = *totals;
    ReportMessage {
        requests,
        errors,
        connections,
        process: *process,
        left_out,
        arms: arms.iter().map(write_arm).collect(),
        born: *born,
    }
}

/// An arm that is not understood, or one too many, is counted among those that are left out.
pub(super) fn report_of(message: ReportMessage) -> Report {
    let ReportMessage { requests, errors, connections, process, mut left_out, arms, born } =
        message;
    let mut kept = Vec::new();
    for arm in arms {
        let requests = arm.requests;
        match read_arm(arm).ok().filter(|_| kept.len() < limits::ARMS) {
            Some(arm) => kept.push(arm),
            None => left_out = left_out.saturating_add(requests),
        }
    }
    let totals = Totals { requests, errors, connections, left_out };
    Report { process, born, totals, arms: kept }
}

fn write_arm(arm: &Arm) -> ArmMessage {
    let Arm { key: ArmKey { rule, backend, dark }, born, counts } = arm;
    let Counts { requests, attempts, errors, server_errors, cancelled, in_flight, latencies } =
        counts;
    ArmMessage {
        rule: Some(key::write(rule)),
        backend: Some(key::write(backend)),
        dark: *dark,
        born: *born,
        requests: *requests,
        attempts: *attempts,
        errors: *errors,
        server_errors: *server_errors,
        cancelled: *cancelled,
        in_flight: *in_flight,
        buckets: latencies.buckets().map(|(bucket, _)| bucket as u32).collect(),
        bucket_counts: latencies.buckets().map(|(_, count)| count).collect(),
    }
}

fn read_arm(arm: ArmMessage) -> Result<Arm, WireError> {
    let ArmMessage { rule, backend, dark, born, .. } = arm;
    let ArmMessage { requests, attempts, errors, server_errors, cancelled, in_flight, .. } = arm;
    let ArmMessage { buckets, bucket_counts, .. } = arm;
    if buckets.len() != bucket_counts.len() {
        return Err(invalid("histogram", "it has more buckets than counts, or fewer"));
    }
    let pairs = buckets.into_iter().map(|bucket| bucket as usize).zip(bucket_counts);
    let latencies = Latencies::new(pairs).map_err(|why| invalid("histogram", why.to_string()))?;
    let key = ArmKey {
        rule: read_key("rule", rule, PartKind::Rule)?,
        backend: read_key("backend", backend, PartKind::Backend)?,
        dark,
    };
    let counts =
        Counts { requests, attempts, errors, server_errors, cancelled, in_flight, latencies };
    Ok(Arm { key, born, counts })
}

fn read_key(
    what: &'static str,
    written: Option<messages::PartKey>,
    kind: PartKind,
) -> Result<PartKey, WireError> {
    let key = key::read_of(Some(some(what, written)?), kind)?;
    let PartKey { object, section, .. } = &key;
    let short = |text: &str| text.len() <= limits::WIRE_NAME_CHARS;
    if [&object.namespace, &object.name, section].into_iter().all(|name| short(name)) {
        return Ok(key);
    }
    Err(invalid(what, "a name in it is too long"))
}

/// What one hearer has been told of one process: so that it is told what has changed, in messages
/// of a bounded size.
#[derive(Debug, Default)]
pub struct Teller {
    process: u64,
    told: HashMap<ArmKey, (u64, Counts)>,
    totals: Option<Totals>,
    /// Where the last message ended, so that each arm has its turn.
    last: Option<ArmKey>,
}

impl Teller {
    /// What there is to tell, if anything, of all that there is, whose arms are in order. It counts
    /// as told from [`Self::sent`] on.
    pub fn next(&self, whole: &Report) -> Option<Report> {
        let start = self.last.as_ref();
        let start = whole.arms.partition_point(|arm| start.is_some_and(|last| arm.key <= *last));
        let (before, after) = whole.arms.split_at(start);
        let other = whole.process != self.process;
        let mut news =
            after.iter().chain(before).filter(|arm| other || self.is_news(arm)).peekable();
        if news.peek().is_none() && !other && self.totals == Some(whole.totals) {
            return None;
        }
        let (mut arms, mut bytes) = (Vec::new(), 0);
        while let Some(arm) = news.peek() {
            bytes += write_arm(arm).encoded_len() + ARM_FRAME;
            if bytes > limits::REPORT_BYTES && !arms.is_empty() {
                break;
            }
            arms.extend(news.next().cloned());
        }
        Some(Report { process: whole.process, born: whole.born, totals: whole.totals, arms })
    }

    pub fn sent(&mut self, report: Report) {
        if self.process != report.process {
            *self = Self { process: report.process, ..Self::default() };
        }
        self.totals = Some(report.totals);
        self.last = report.arms.last().map(|arm| arm.key.clone());
        for Arm { key, born, counts } in report.arms {
            self.told.insert(key, (born, counts));
        }
        // Arms that were forgotten are told anew if they come again.
        if self.told.len() > 2 * limits::ARMS {
            self.told.clear();
        }
    }

    fn is_news(&self, arm: &Arm) -> bool {
        let told = self.told.get(&arm.key);
        told.is_none_or(|(born, counts)| (*born, counts) != (arm.born, &arm.counts))
    }
}

/// Tag and length of an arm in a message.
const ARM_FRAME: usize = 8;

#[cfg(test)]
mod tests;
