//! `deployment` of a MeshConfig: how the proxies of a Gateway run in a cluster.

use std::collections::BTreeMap;

use super::fields::{Fields, string};
use super::findings::Findings;
use crate::config::codes;
use crate::config::raw::{At, Deployment};
use crate::limits;
use crate::model::Name;
use crate::yaml::{Node, Value};

pub(super) fn deployment(mut fields: Fields<'_, '_>) -> Deployment {
    let findings = fields.findings;
    let replicas = fields.number("replicas", 0..=limits::REPLICAS);
    let service_type = fields.choice("serviceType", &["LoadBalancer", "ClusterIP", "NodePort"]);
    let min_available =
        fields.take("minAvailable").and_then(|node| number_or_percentage(node, findings));
    let (mut requests, mut most) = (BTreeMap::new(), BTreeMap::new());
    if let Some(mut resources) = fields.map("resources") {
        requests = quantities(&mut resources, "requests");
        most = quantities(&mut resources, "limits");
        resources.finish();
    }
    fields.finish();
    Deployment { replicas, service_type, min_available, requests, limits: most }
}

fn number_or_percentage(node: &Node, findings: &Findings<'_>) -> Option<At<Name>> {
    let text = number_text(node).or_else(|| string(node, findings))?;
    let digits = text.strip_suffix('%').unwrap_or(&text);
    let number = digits.parse::<u32>().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()));
    let most = if text.ends_with('%') { 100 } else { limits::REPLICAS };
    if number.is_none_or(|number| number > most) {
        let message = format!("{} is neither a number nor a percentage", findings.value(&text));
        findings.error_help(codes::BAD_TEXT, node, message, "write it as `1` or `50%`");
        return None;
    }
    Some(At::new(text, node.place))
}

fn quantities(fields: &mut Fields<'_, '_>, name: &'static str) -> BTreeMap<Name, At<Name>> {
    let findings = fields.findings;
    let one = |node: &Node| {
        let text = number_text(node).or_else(|| string(node, findings))?;
        if !is_quantity(&text) {
            let help = "write it as `100m`, `1` or `64Mi`";
            findings.error_help(codes::BAD_QUANTITY, node, "this is not a quantity", help);
            return None;
        }
        Some(At::new(text, node.place))
    };
    fields.pairs(name).filter_map(|entry| Some((entry.key.clone(), one(&entry.value)?))).collect()
}

fn number_text(node: &Node) -> Option<Name> {
    match node.value {
        Value::Int(number) => Some(number.to_string().into()),
        Value::Float(number) => Some(number.to_string().into()),
        _ => None,
    }
}

/// Kubernetes' `resource.Quantity`, but for exponents, which nobody writes for a pod.
fn is_quantity(text: &str) -> bool {
    const UNITS: [&str; 14] =
        ["", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let number =
        |text: &str| (1..=18).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    number(whole) && number(part) && UNITS.contains(&&text[digits.len()..])
}
