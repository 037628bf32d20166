//! Kubernetes' own kinds.

use super::check;

#[test]
fn service() {
    check(
        "Service",
        r#"
spec: {type: Loadbalancer, selctor: {app: x}, ports: [{port: 80}, {port: 80, name: A}, {name: b, port: 81, targetPort: 0}, {name: b, port: 82, targetPort: [a]}]}
"#,
        r#"
5:14: error[MC0016]: unknown value `Loadbalancer`; did you mean `LoadBalancer`?
5:28: warning[MC0012]: unknown field `selctor`; did you mean `selector`?
5:62: error[MC0013]: ports need a `name` where there are several; add the field
5:74: error[MC0023]: `80/TCP` is there twice; remove or rename one of the two
5:84: error[MC0017]: `A` is not a valid name; use at most 63 lower-case letters, digits and `-`, start and end with a letter or digit
5:120: error[MC0015]: `0` is out of range; it can be 1 to 65535
5:140: error[MC0023]: `b` is there twice; remove or rename one of the two
5:156: error[MC0014]: expected a port's number or name, found a list; write the kind of value that is expected
"#,
    );
}

#[test]
fn external_name() {
    check(
        "Service",
        r#"
spec: {type: ExternalName}
"#,
        r#"
5:8: error[MC0013]: missing field `externalName`; write `externalName` here
"#,
    );
}

#[test]
fn service_without_ports() {
    check(
        "Service",
        r#"
spec: {}
"#,
        r#"
5:7: error[MC0013]: missing field `ports`; write `ports` here
"#,
    );
}

#[test]
fn endpoint_slice() {
    check(
        "EndpointSlice",
        r#"
addressType: IPv5
endpoints: [{addresses: []}, {conditions: {ready: 'yes'}, addresses: [10.0.0.1], zoen: a}]
ports: [{port: x}]
"#,
        r#"
5:14: error[MC0016]: unknown value `IPv5`; did you mean `IPv4`?
6:25: error[MC0022]: `addresses` needs at least one entry; write an entry below it, with `- ` before it
6:51: error[MC0014]: expected a boolean, found a string; write `true` or `false`, without quotes
6:82: warning[MC0012]: unknown field `zoen`; did you mean `zone`?
7:16: error[MC0014]: expected an integer, found a string; write a whole number, without quotes and unit
"#,
    );
}

#[test]
fn secret() {
    check(
        "Secret",
        r#"
data: {token: 'not base64!', cut: aGVsbG8, 'a b': YQ==}
typ: Opaque
stringData: {password: 12345}
"#,
        r#"
5:15: error[MC0025]: the value of `token` is not base64; plain text goes into `stringData`
5:35: error[MC0025]: the value of `cut` is not base64; plain text goes into `stringData`
5:44: error[MC0017]: this is not a valid key; use at most 253 letters, digits, `-`, `_` and `.`
6:1: warning[MC0012]: unknown field `typ`; did you mean `type`?
7:24: error[MC0014]: expected a string, found an integer; put it in quotes
"#,
    );
}

#[test]
fn config_map() {
    check(
        "ConfigMap",
        r#"
data: {a: x, b: 1}
binaryData: {a: eA==, c: '=', ..d: ''}
"#,
        r#"
5:17: error[MC0014]: expected a string, found an integer; put it in quotes
6:17: error[MC0026]: the key `a` is in `data` and in `binaryData`; remove one of them
6:26: error[MC0025]: the value of `c` is not base64; plain text goes into `data`
6:31: error[MC0017]: this is not a valid key; use at most 253 letters, digits, `-`, `_` and `.`
"#,
    );
}

#[test]
fn empty_value() {
    check(
        "ConfigMap",
        r#"
data: {a: ''}
"#,
        r#"
"#,
    );
}

#[test]
fn namespace() {
    check(
        "Namespace",
        r#"
spec: {finalizer: [kubernetes]}
"#,
        r#"
5:8: warning[MC0012]: unknown field `finalizer`; did you mean `finalizers`?
"#,
    );
}
