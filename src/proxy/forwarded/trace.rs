//! W3C Trace Context, level 1.
//!
//! A valid `traceparent` goes on as it came: a proxy that records no span of its own must not put
//! itself between its neighbours' spans. One that does record (the request is sampled) sends its
//! [`TraceParent::child`]. A request without one stays so: to start a trace here would make our
//! "not sampled" the decision of every backend behind us.

use crate::names;
use crate::proxy::message::Fields;

/// `traceparent`: the trace and the span of whoever sent the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    pub trace_id: u128,
    pub parent_id: u64,
    pub flags: u8,
}

impl TraceParent {
    /// As §3.2.2 has it: lower-case hex, no zero ids, version `ff` never; a later version may be
    /// longer, and is then read by its first 55 bytes.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (known, rest) = value.split_at_checked(55)?;
        let [version, trace_id, parent_id, flags] =
            [&known[..2], &known[3..35], &known[36..52], &known[53..]].map(hex);
        let (version, flags) = (u8::try_from(version?).ok()?, u8::try_from(flags?).ok()?);
        let dashes = [known[2], known[35], known[52]] == *b"---";
        let length = rest.is_empty() || (version > 0 && rest[0] == b'-');
        let parsed =
            Self { trace_id: trace_id?, parent_id: u64::try_from(parent_id?).ok()?, flags };
        (dashes && length && version != 0xff && parsed.trace_id != 0 && parsed.parent_id != 0)
            .then_some(parsed)
    }

    /// The sender records this trace.
    pub fn is_sampled(self) -> bool {
        self.flags & 1 == 1
    }

    /// The same trace with our span as the parent. `span_id` is not 0.
    #[must_use]
    pub fn child(self, span_id: u64) -> Self {
        Self { parent_id: span_id, ..self }
    }

    /// In version 00, which knows one flag.
    pub fn write(self) -> [u8; 55] {
        use std::io::Write;
        let mut out = [0; 55];
        let Self { trace_id, parent_id, flags } = self;
        write!(&mut out[..], "00-{trace_id:032x}-{parent_id:016x}-{:02x}", flags & 1)
            .expect("the four fields have 55 bytes");
        out
    }
}

/// Leaves a valid `traceparent`, with its `tracestate`, or neither of the two (§3.2.1 and §3.3:
/// a state without its parent means nothing).
pub(super) fn keep_valid(fields: &mut Fields) -> Option<TraceParent> {
    let mut lines = fields.get_all(names::HEADER_TRACE_PARENT);
    let parent = lines.next().and_then(TraceParent::parse);
    let alone = lines.next().is_none();
    drop(lines);
    if parent.is_some() && alone {
        return parent;
    }
    fields.remove(names::HEADER_TRACE_PARENT);
    fields.remove(names::HEADER_TRACE_STATE);
    None
}

fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(digit))
    })
}
