//! A report as JSON, there and back: what a rollout in a directory looks at.
//!
//! ```json
//! {
//!   "process": "9f30c1…", "born": 2, "requests": 40, "errors": 4, "connections": 1, "leftOut": 0,
//!   "arms": [{
//!     "route": {"store": "files", "kind": "HTTPRoute", "namespace": "shop", "name": "web"},
//!     "rule": "0",
//!     "backend": {"store": "files", "kind": "Service", "namespace": "shop", "name": "web-v2"},
//!     "port": "8080", "dark": false, "born": 2,
//!     "requests": 4, "attempts": 4, "errors": 4, "serverErrors": 4, "cancelled": 0, "inFlight": 0,
//!     "latencies": [[24, 3], [26, 1]]
//!   }]
//! }
//! ```
//!
//! `latencies` are pairs of bucket and count, numbered as `model::Latencies` has them.

use serde_json::{Map, Value, json};

use crate::model::{
    Arm, ArmKey, Counts, Kind, Latencies, ObjectKey, PartKey, PartKind, Report, Store, Totals,
};

pub(super) fn write(report: &Report) -> Value {
    let Report { process, born, totals, arms } = report;
    let Totals { requests, errors, connections, left_out } = totals;
    json!({
        // In text: other readers of JSON have no whole numbers of 64 bits.
        "process": format!("{process:016x}"),
        "born": born,
        "requests": requests,
        "errors": errors,
        "connections": connections,
        "leftOut": left_out,
        "arms": arms.iter().map(write_arm).collect::<Vec<_>>(),
    })
}

fn write_arm(arm: &Arm) -> Value {
    let Arm { key: ArmKey { rule, backend, dark }, born, counts } = arm;
    let Counts { requests, attempts, errors, server_errors, cancelled, in_flight, latencies } =
        counts;
    json!({
        "route": write_object(&rule.object),
        "rule": &*rule.section,
        "backend": write_object(&backend.object),
        "port": &*backend.section,
        "dark": dark,
        "born": born,
        "requests": requests,
        "attempts": attempts,
        "errors": errors,
        "serverErrors": server_errors,
        "cancelled": cancelled,
        "inFlight": in_flight,
        "latencies": latencies.buckets().collect::<Vec<_>>(),
    })
}

fn write_object(object: &ObjectKey) -> Value {
    let ObjectKey { store, kind, namespace, name } = object;
    json!({
        "store": store.as_str(),
        "kind": kind.as_str(),
        "namespace": &**namespace,
        "name": &**name,
    })
}

/// The error is a sentence.
pub fn read(value: &Value) -> Result<Report, String> {
    let fields = Fields::of("report", value)?;
    let process = fields.text("process")?;
    let process = u64::from_str_radix(process, 16).map_err(|_| fields.wrong("process"))?;
    let totals = Totals {
        requests: fields.number("requests")?,
        errors: fields.number("errors")?,
        connections: fields.number("connections")?,
        left_out: fields.number("leftOut")?,
    };
    let arms = fields.list("arms")?.iter().map(read_arm).collect::<Result<_, _>>()?;
    Ok(Report { process, born: fields.number("born")?, totals, arms })
}

fn read_arm(value: &Value) -> Result<Arm, String> {
    let fields = Fields::of("arm", value)?;
    let part = |part, object: &str, section: &str| {
        let object = read_object(fields.get(object)?)?;
        Ok::<_, String>(PartKey::new(part, object, fields.text(section)?))
    };
    let pair = |pair: &Value| Some((pair.get(0)?.as_u64()?, pair.get(1)?.as_u64()?));
    let pairs = fields.list("latencies")?.iter().map(pair).collect::<Option<Vec<_>>>();
    let pairs = pairs.ok_or_else(|| fields.wrong("latencies"))?;
    let pairs = pairs.into_iter().map(|(bucket, count)| (bucket as usize, count));
    Ok(Arm {
        key: ArmKey {
            rule: part(PartKind::Rule, "route", "rule")?,
            backend: part(PartKind::Backend, "backend", "port")?,
            dark: fields.get("dark")?.as_bool().ok_or_else(|| fields.wrong("dark"))?,
        },
        born: fields.number("born")?,
        counts: Counts {
            requests: fields.number("requests")?,
            attempts: fields.number("attempts")?,
            errors: fields.number("errors")?,
            server_errors: fields.number("serverErrors")?,
            cancelled: fields.number("cancelled")?,
            in_flight: fields.number("inFlight")?,
            latencies: Latencies::new(pairs).map_err(|error| error.to_string())?,
        },
    })
}

fn read_object(value: &Value) -> Result<ObjectKey, String> {
    let fields = Fields::of("object", value)?;
    let (store, kind) = (fields.text("store")?, fields.text("kind")?);
    let store = Store::ALL.into_iter().find(|one| one.as_str() == store);
    let kind = Kind::ALL.into_iter().find(|one| one.as_str() == kind);
    Ok(ObjectKey::new(
        store.ok_or_else(|| fields.wrong("store"))?,
        kind.ok_or_else(|| fields.wrong("kind"))?,
        fields.text("namespace")?,
        fields.text("name")?,
    ))
}

/// A JSON object, and what it stands for.
struct Fields<'a> {
    what: &'static str,
    map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    fn of(what: &'static str, value: &'a Value) -> Result<Self, String> {
        let map = value.as_object().ok_or_else(|| format!("the {what} is no object"))?;
        Ok(Self { what, map })
    }

    fn get(&self, name: &str) -> Result<&'a Value, String> {
        self.map.get(name).ok_or_else(|| format!("the {} has no `{name}`", self.what))
    }

    fn number(&self, name: &str) -> Result<u64, String> {
        self.get(name)?.as_u64().ok_or_else(|| self.wrong(name))
    }

    fn text(&self, name: &str) -> Result<&'a str, String> {
        self.get(name)?.as_str().ok_or_else(|| self.wrong(name))
    }

    fn list(&self, name: &str) -> Result<&'a [Value], String> {
        Ok(self.get(name)?.as_array().ok_or_else(|| self.wrong(name))?)
    }

    fn wrong(&self, name: &str) -> String {
        let value = self.map.get(name).unwrap_or(&Value::Null);
        format!("the {} has a `{name}` that can't be: {value}", self.what)
    }
}

#[cfg(test)]
mod tests;
