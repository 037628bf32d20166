#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;

fn in_cluster(controller: Option<&str>, proxies: &[(&str, usize)]) -> InCluster {
    let proxies = proxies.iter().map(|(version, count)| ((*version).to_owned(), *count)).collect();
    InCluster {
        name: "prod".into(),
        kubernetes: "v1.34.1".into(),
        skew: skew(controller, &proxies),
        controller: controller.map(str::to_owned),
        proxies,
        gateway_api: ["v1.6.0 (standard)".to_owned()].into(),
    }
}

#[test]
fn what_is_of_one_version_is_one_line() {
    let text = in_cluster(Some(TEXT), &[(TEXT, 3)]).to_string();
    assert_eq!(
        text,
        format!(
            "cluster prod (Kubernetes v1.34.1, Gateway API v1.6.0 (standard)): controller {TEXT}, \
             proxies of 3 Gateways {TEXT}"
        )
    );
    let text = in_cluster(None, &[]).to_string();
    assert!(text.ends_with(": meshctl is not installed"), "{text}");
}

#[test]
fn each_skew_is_told_with_what_to_do() {
    let text = in_cluster(Some("99.0.0"), &[("98.9.0", 1), ("99.0.0", 2)]).to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[1].contains("newer than this") && lines[1].contains("use meshctl 99.0.0"));
    assert!(lines[2].starts_with("1 deployments of proxies are of 98.9.0"), "{text}");
}
