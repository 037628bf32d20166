//! GatewayClass, Gateway, ListenerSet.

use super::check;

#[test]
fn class() {
    check(
        "GatewayClass",
        r#"
spec: {controllerName: meshctl, description: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx}
"#,
        r#"
5:24: error[MC0031]: `meshctl` is not a controller name; write a domain and a path, `example.com/name`
5:46: error[MC0022]: `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…` is not a text of at most 64 characters; shorten it
"#,
    );
}

#[test]
fn listeners() {
    check(
        "Gateway",
        r#"
spec:
  listeners:
  - {name: http, port: 80, protocol: Http}
  - {name: http, port: 81, protocol: HTTP, tls: {mode: Terminate}}
  - {name: a_b, port: 0, protocol: HTTPS, tls: {}}
  - {name: c, port: 443, protocol: HTTPS, tls: {mode: Passthrough}}
  - {name: d, port: 443, protocol: HTTPS, tls: {mode: Passthrough}}
  - {name: e, port: 9, protocol: TLS}
  - {name: f, port: 9, protocol: TCP, hostname: a.b}
  - {}
"#,
        r#"
6:3: error[MC0013]: missing field `gatewayClassName`; write `gatewayClassName` here
8:12: error[MC0023]: `http` is there twice; remove or rename one of the two
8:50: error[MC0026]: a listener of protocol `HTTP` can't have `tls`; did you mean `protocol: HTTPS`?
9:12: error[MC0017]: `a_b` is not a valid name; use lower-case letters, digits, `-` and `.`, start and end with a letter or digit
9:23: error[MC0015]: `0` is out of range; it can be 1 to 65535
9:48: error[MC0013]: missing field `certificateRefs`; a listener that terminates TLS needs a certificate
10:55: error[MC0026]: protocol `HTTPS` terminates TLS; `Passthrough` goes with protocol `TLS`; write `mode: Terminate`, or `protocol: TLS`
11:12: error[MC0023]: listener `d` has the port, protocol and hostname of `c`; give it a hostname or a port of its own
11:55: error[MC0026]: protocol `HTTPS` terminates TLS; `Passthrough` goes with protocol `TLS`; write `mode: Terminate`, or `protocol: TLS`
12:34: error[MC0013]: a listener of protocol `TLS` needs `tls.mode`; write `mode: Passthrough` or `mode: Terminate` in `tls`
13:49: error[MC0026]: a listener of protocol `TCP` has no hostname; remove `hostname`
14:5: error[MC0013]: missing field `name`; write `name` here
14:5: error[MC0013]: missing field `port`; write `port` here
14:5: error[MC0013]: missing field `protocol`; write `protocol` here
"#,
    );
}

#[test]
fn no_listeners() {
    check(
        "Gateway",
        r#"
spec: {gatewayClassName: meshctl, listeners: []}
"#,
        r#"
5:46: error[MC0022]: `listeners` needs at least one entry; write an entry below it, with `- ` before it
"#,
    );
}

#[test]
fn addresses_and_routes() {
    check(
        "Gateway",
        r#"
spec:
  gatewayClassName: meshctl
  addresses: [{value: a}, {type: Hostname, value: a_b}, {type: Ip, value: x}, {value: 10.0.0.1}, {value: 10.0.0.1}]
  allowedListeners: {namespaces: {from: selector}}
  infrastructure: {labels: {a: 1}, parametersRef: {name: x}}
  listeners:
  - name: a
    port: 80
    protocol: HTTP
    allowedRoutes: {namespaces: {from: Selector}, kinds: [{kind: HttpRoute}, {group: example.com, kind: X}, {}]}
  - name: b
    port: 81
    protocol: HTTP
    allowedRoutes: {namespaces: {from: Selector, selector: {matchExpressions: [{key: a, operator: In}, {key: a, operator: is}, {operator: Exists, values: [x]}]}}}
"#,
        r#"
7:23: error[MC0028]: `a` is not an IP address; write it as `192.0.2.1` or `2001:db8::1`
7:51: error[MC0018]: `a_b` is not a valid hostname; use a lower-case name without scheme and port
7:64: error[MC0016]: unknown value `Ip`; it can be `IPAddress`, `Hostname`, `NamedAddress` or a domain and a name
7:106: error[MC0023]: `IPAddress 10.0.0.1` is there twice; remove or rename one of the two
8:41: error[MC0016]: unknown value `selector`; did you mean `Selector`?
9:32: error[MC0014]: expected a string, found an integer; put it in quotes
9:52: error[MC0013]: missing field `group`; write `group` here
9:52: error[MC0013]: missing field `kind`; write `kind` here
14:40: warning[MC0013]: missing field `selector`; without it no namespace is selected
14:109: error[MC0013]: missing field `kind`; write `kind` here
18:99: error[MC0026]: operator `In` needs `values`; write `values`, or use Exists or DoesNotExist
18:123: error[MC0016]: unknown value `is`; did you mean `In`?
18:129: error[MC0013]: missing field `key`; write `key` here
18:139: error[MC0026]: operator `Exists` has no `values`; remove `values`, or use In or NotIn
"#,
    );
}

#[test]
fn frontend_tls() {
    check(
        "Gateway",
        r#"
spec:
  gatewayClassName: meshctl
  listeners: [{name: a, port: 80, protocol: HTTP}]
  tls:
    backend: {clientCertificateRef: {kind: Secret}}
    frontend:
      perPort:
      - {port: 1, tls: {validation: {caCertificateRefs: []}}}
      - {port: 1, tls: {validation: {mode: Never}}}
      - {tls: {}}
"#,
        r#"
9:38: error[MC0013]: missing field `name`; write `name` here
11:7: error[MC0013]: missing field `default`; write `default` here
12:57: error[MC0022]: `caCertificateRefs` needs at least one entry; write an entry below it, with `- ` before it
13:16: error[MC0023]: `1` is there twice; remove or rename one of the two
13:38: error[MC0013]: missing field `caCertificateRefs`; write `caCertificateRefs` here
13:44: error[MC0016]: unknown value `Never`; it can be `AllowValidOnly` or `AllowInsecureFallback`
14:10: error[MC0013]: missing field `port`; write `port` here
"#,
    );
}

#[test]
fn listener_set() {
    check(
        "ListenerSet",
        r#"
spec: {parentRef: {name: a, sectionName: b}, listeners: [{name: a, port: 80, protocol: HTTP, tls: {options: [a]}}]}
"#,
        r#"
5:29: error[MC0012]: unknown field `sectionName`; the fields here are `group`, `kind`, `name` and `namespace`
5:100: error[MC0026]: a listener of protocol `HTTP` can't have `tls`; did you mean `protocol: HTTPS`?
5:109: error[MC0014]: expected a map, found a list; write its fields below it, indented, each as `name: value`
"#,
    );
}

#[test]
fn listener_set_is_empty() {
    check(
        "ListenerSet",
        r#"
spec: {}
"#,
        r#"
5:7: error[MC0013]: missing field `listeners`; write `listeners` here
5:7: error[MC0013]: missing field `parentRef`; write `parentRef` here
"#,
    );
}
