//! What is wrong before a kind is decoded, and metadata.

use super::{any_error, check, decoded};
use crate::limits;

#[test]
fn unclosed_list() {
    check(
        "",
        r#"
apiVersion: v1
kind: ConfigMap
data: [
"#,
        r#"
3:7: error[MC0001]: unclosed bracket '['; correct the text at this place or in the line above it
"#,
    );
}

#[test]
fn unknown_alias() {
    check(
        "",
        r#"
a: *nowhere
"#,
        r#"
1:4: error[MC0001]: while parsing node, found unknown anchor; correct the text at this place or in the line above it
"#,
    );
}

#[test]
fn tab() {
    check(
        "",
        r#"
kind: ConfigMap
	x: 1
"#,
        r#"
2:1: error[MC0001]: a tab in the indentation; indent with spaces: YAML takes no tabs there
"#,
    );
}

#[test]
fn unclosed_quote() {
    check(
        "",
        r#"
a: {b: 'x
---
"#,
        r#"
1:8: error[MC0001]: unclosed quote; correct the text at this place or in the line above it
"#,
    );
}

#[test]
fn repeated_key() {
    check(
        "ConfigMap",
        r#"
data: {a: x, b: y, a: z}
"#,
        r#"
5:17: error[MC0014]: expected a string, found a boolean; kubectl reads `y` this way; put it in quotes
5:20: error[MC0003]: the key `a` is there twice; remove one of them
"#,
    );
}

#[test]
fn keys_that_read_as_values() {
    check(
        "ConfigMap",
        r#"
data: {on: x, 1_000: y, 8080: z, ~: n, [a]: b}
"#,
        r#"
5:8: error[MC0005]: kubectl reads the key `on` as `true`; put the key in quotes
5:15: error[MC0005]: kubectl reads the key `1_000` as `1000`; put the key in quotes
5:22: error[MC0014]: expected a string, found a boolean; kubectl reads `y` this way; put it in quotes
5:34: error[MC0005]: a key must be a string, this is nothing; put the key in quotes
5:40: error[MC0005]: a key must be a string, this is a list; put the key in quotes
"#,
    );
}

#[test]
fn merge_of_a_number() {
    check(
        "ConfigMap",
        r#"
data: &d {a: x}
binaryData: {<<: 3}
"#,
        r#"
6:18: error[MC0005]: `<<` merges maps, this is an integer; put the key in quotes
"#,
    );
}

#[test]
fn values_that_read_as_two_things() {
    check(
        "ConfigMap",
        r#"
immutable: yes
data: {a: on, b: !mine text}
"#,
        r#"
5:12: warning[MC0004]: `yes` is a boolean for kubectl, but not for every reader of YAML; write `true`, or put it in quotes
6:11: error[MC0014]: expected a string, found a boolean; kubectl reads `on` this way; put it in quotes
6:24: warning[MC0004]: `text` is a string for kubectl, but not for every reader of YAML; leave out the tag, or put it in quotes
"#,
    );
}

#[test]
fn no_kind() {
    check(
        "",
        r#"
apiVersion: gateway.networking.k8s.io/v1
metadata: {name: shop}
"#,
        r#"
1:1: error[MC0006]: this object has no `kind`; write `kind`
"#,
    );
}

#[test]
fn no_api_version() {
    check(
        "",
        r#"
kind: HTTPRoute
metadata: {name: shop}
"#,
        r#"
1:1: error[MC0006]: this object has no `apiVersion`; write `apiVersion: gateway.networking.k8s.io/v1`
"#,
    );
}

#[test]
fn kind_in_another_case() {
    check(
        "",
        r#"
apiVersion: gateway.networking.k8s.io/v1
kind: HttpRoute
metadata: {name: shop}
"#,
        r#"
2:7: error[MC0010]: unknown kind `HttpRoute`; did you mean `HTTPRoute`?
"#,
    );
}

#[test]
fn unknown_kind() {
    check(
        "",
        r#"
apiVersion: gateway.networking.k8s.io/v1
kind: Route
metadata: {name: shop}
"#,
        r#"
2:7: error[MC0010]: unknown kind `Route`; its kinds are `GatewayClass`, `Gateway`, `ListenerSet`, `HTTPRoute`, `GRPCRoute`, `ReferenceGrant` and `BackendTLSPolicy`
"#,
    );
}

#[test]
fn core_kind_with_a_slip() {
    check(
        "",
        r#"
apiVersion: v1
kind: Servce
metadata: {name: shop}
"#,
        r#"
2:7: error[MC0010]: unknown kind `Servce`; did you mean `Service`?
"#,
    );
}

#[test]
fn old_version() {
    check(
        "",
        r#"
apiVersion: gateway.networking.k8s.io/v1alpha1
kind: HTTPRoute
metadata: {name: shop}
"#,
        r#"
1:13: error[MC0011]: HTTPRoute isn't read in version `v1alpha1`; write `apiVersion: gateway.networking.k8s.io/v1`
"#,
    );
}

#[test]
fn group_with_a_slip() {
    check(
        "",
        r#"
apiVersion: gateway.networking.k8s.oi/v1
kind: HTTPRoute
metadata: {name: shop}
"#,
        r#"
1:13: error[MC0011]: unknown API group `gateway.networking.k8s.oi`; did you mean `gateway.networking.k8s.io/v1`?
"#,
    );
}

#[test]
fn route_of_a_later_version() {
    check(
        "",
        r#"
apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata: {name: shop}
"#,
        r#"
2:7: warning[MC0029]: this version of meshctl doesn't serve TLSRoute; it is passed over
"#,
    );
}

#[test]
fn policy_of_a_later_version() {
    check(
        "",
        r#"
apiVersion: meshctl.dev/v1alpha1
kind: AccessPolicy
metadata: {name: shop}
"#,
        r#"
2:7: error[MC0029]: this version of meshctl doesn't serve AccessPolicy; remove it, or use a version of meshctl that serves it
"#,
    );
}

#[test]
fn metadata() {
    check(
        "",
        r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: Shop_v2, namespace: a.b, labels: {a: 1}, creationTimestamp: today, nmae: x}
"#,
        r#"
3:18: error[MC0017]: `Shop_v2` is not a valid name; use lower-case letters, digits, `-` and `.`, start and end with a letter or digit
3:38: error[MC0017]: `a.b` is not a valid name; use at most 63 lower-case letters, digits and `-`, start and end with a letter or digit
3:55: error[MC0014]: expected a string, found an integer; put it in quotes
3:78: error[MC0031]: `today` is not a timestamp; write it as `2026-01-31T12:00:00Z`
3:85: warning[MC0012]: unknown field `nmae`; did you mean `name`?
"#,
    );
}

#[test]
fn generate_name() {
    check(
        "",
        r#"
apiVersion: v1
kind: ConfigMap
metadata: {generateName: shop-}
"#,
        r#"
3:12: error[MC0013]: an object of a file needs a `name`, `generateName` is for `kubectl create`; write `name`
"#,
    );
}

#[test]
fn no_metadata() {
    check(
        "",
        r#"
apiVersion: v1
kind: ConfigMap
"#,
        r#"
1:1: error[MC0013]: missing field `metadata`; write `metadata` here
"#,
    );
}

#[test]
fn metadata_is_text() {
    check(
        "",
        r#"
apiVersion: v1
kind: ConfigMap
metadata: shop
"#,
        r#"
3:11: error[MC0014]: expected a map, found a string; write its fields below it, indented, each as `name: value`
"#,
    );
}

#[test]
fn from_files() {
    check(
        "",
        r#"
apiVersion: v1
kind: Secret
metadata: {name: shop, annotations: {meshctl.dev/from-files: tls.crt}}
"#,
        r#"
3:12: error[MC0030]: `meshctl.dev/from-files` can't be read; write it as `tls.crt=cert.pem,tls.key=key.pem`
"#,
    );
}

#[test]
fn weights_that_return() {
    check(
        "",
        r#"
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, annotations: {meshctl.dev/weights-return: tomorrow}}
spec: {}
"#,
        r#"
3:12: error[MC0030]: `meshctl.dev/weights-return` can't be read; write it as `2026-01-31T12:00:00Z 0=100,0`: from then on, the weights of rule 0
"#,
    );
}

#[test]
fn list() {
    check(
        "",
        r#"
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, dta: {}}
- {apiVersion: v1, kind: Namespace, metadata: {name: a.b}}
"#,
        r#"
4:58: warning[MC0012]: unknown field `dta`; did you mean `data`?
5:54: error[MC0017]: `a.b` is not a valid name; use at most 63 lower-case letters, digits and `-`, start and end with a letter or digit
"#,
    );
}

#[test]
fn too_deep() {
    check(
        "",
        &"[".repeat(100),
        r#"
1:98: error[MC0002]: this is nested too deeply; split it with `---` lines
"#,
    );
}

/// The rest isn't kept, but that there is an error is.
#[test]
fn an_error_is_never_lost_behind_warnings() {
    let fields: String = (0..2_000).map(|n| format!("x{n}: 1\n")).collect();
    let start = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    let (_, diagnostics) = decoded(&format!("{start}{fields}immutable: 3\n"));
    assert_eq!(diagnostics.len(), limits::DIAGNOSTICS);
    assert!(any_error(&diagnostics));
    let broken = "---\nkind: HTTPRoute\nmetadata: {}\n";
    let (_, diagnostics) = decoded(&format!("{start}{fields}{broken}{broken}"));
    assert_eq!(diagnostics.len(), limits::DIAGNOSTICS + 2, "each document keeps one");
}
