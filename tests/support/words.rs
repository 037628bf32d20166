//! The YAML that tests have in common, as short as it can be said.

use std::fmt::Write;

/// A Gateway `gw` with one HTTP listener for every host on port 80.
pub const GATEWAY: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  gatewayClassName: meshctl
  listeners:
  - {name: http, port: 80, protocol: HTTP}
";

/// A Gateway `gw` with these listeners, written as YAML flow maps.
pub fn gateway(listeners: &[&str]) -> String {
    let listeners: String =
        listeners.iter().fold(String::new(), |all, listener| all + "\n  - " + listener);
    format!(
        "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: gw}}
spec:
  gatewayClassName: meshctl
  listeners:{listeners}
"
    )
}

/// A Backend of these endpoints. `more` are further lines of its spec.
pub fn backend(name: &str, endpoints: &[&str], more: &str) -> String {
    let list: Vec<String> = endpoints.iter().map(|one| format!("{one:?}")).collect();
    format!(
        "
---
apiVersion: meshctl.dev/v1alpha1
kind: Backend
metadata: {{name: {name}}}
spec:
  endpoints: [{}]
{}",
        list.join(", "),
        indented(more, 2)
    )
}

/// An HTTPRoute on `gw`; `rules` is the YAML of its list of rules.
pub fn route(name: &str, hostnames: &[&str], rules: &str) -> String {
    let mut text = format!(
        "
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: {name}}}
spec:
  parentRefs: [{{name: gw}}]
"
    );
    if !hostnames.is_empty() {
        let list: Vec<String> = hostnames.iter().map(|one| format!("{one:?}")).collect();
        let _ = writeln!(text, "  hostnames: [{}]", list.join(", "));
    }
    let _ = write!(text, "  rules:\n{}", indented(rules, 2));
    text
}

/// A backendRef to a Backend.
pub fn to(backend: &str) -> String {
    format!("{{group: meshctl.dev, kind: Backend, name: {backend}}}")
}

/// A backendRef to a Backend with a weight.
pub fn weighed(backend: &str, weight: u32) -> String {
    format!("{{group: meshctl.dev, kind: Backend, name: {backend}, weight: {weight}}}")
}

/// One rule that sends everything to a Backend.
pub fn all_to(backend: &str) -> String {
    format!("- backendRefs: [{}]\n", to(backend))
}

/// The whole of a mesh with one Backend behind every path.
pub fn simple(endpoints: &[&str]) -> String {
    format!("{GATEWAY}{}{}", route("all", &[], &all_to("up")), backend("up", endpoints, ""))
}

/// A TrafficPolicy for the Backend.
pub fn policy(backend: &str, spec: &str) -> String {
    format!(
        "
---
apiVersion: meshctl.dev/v1alpha1
kind: TrafficPolicy
metadata: {{name: of-{backend}}}
spec:
  targetRefs: [{{group: meshctl.dev, kind: Backend, name: {backend}}}]
{}",
        indented(spec, 2)
    )
}

/// The MeshConfig that holds for every Gateway of a test.
pub fn settings(spec: &str) -> String {
    format!(
        "
---
apiVersion: meshctl.dev/v1alpha1
kind: MeshConfig
metadata: {{name: default, namespace: meshctl-system}}
spec:
{}",
        indented(spec, 2)
    )
}

/// A Secret of type `kubernetes.io/tls`.
pub fn tls_secret(name: &str, certificates: &str, key: &str) -> String {
    format!(
        "
---
apiVersion: v1
kind: Secret
metadata: {{name: {name}}}
type: kubernetes.io/tls
stringData:
  tls.crt: |
{}  tls.key: |
{}",
        indented(certificates, 4),
        indented(key, 4)
    )
}

/// A ConfigMap with a CA's certificates.
pub fn ca_map(name: &str, certificates: &str) -> String {
    format!(
        "
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: {name}}}
data:
  ca.crt: |
{}",
        indented(certificates, 4)
    )
}

pub fn indented(text: &str, by: usize) -> String {
    text.lines().filter(|line| !line.trim().is_empty()).fold(String::new(), |mut all, line| {
        let _ = writeln!(all, "{:by$}{line}", "");
        all
    })
}
