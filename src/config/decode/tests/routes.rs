//! HTTPRoute and GRPCRoute.

use super::check;

#[test]
fn unknown_fields() {
    check(
        "HTTPRoute",
        r#"
spec:
  hostnmes: [shop.example.com]
  rules:
  - matchs: []
    zzz: 1
"#,
        r#"
6:3: error[MC0012]: unknown field `hostnmes`; did you mean `hostnames`?
8:5: error[MC0012]: unknown field `matchs`; did you mean `matches`?
9:5: error[MC0012]: unknown field `zzz`; the fields here are `name`, `matches`, `filters`, `backendRefs`, `timeouts`, `retry` and `sessionPersistence`
"#,
    );
}

#[test]
fn no_spec() {
    check(
        "HTTPRoute",
        r#"
specs: {}
"#,
        r#"
5:1: error[MC0012]: unknown field `specs`; did you mean `spec`?
"#,
    );
}

#[test]
fn wrong_types() {
    check(
        "HTTPRoute",
        r#"
spec: {parentRefs: {name: a}, hostnames: shop, rules: []}
"#,
        r#"
5:20: error[MC0014]: expected a list, found a map; write each entry on a line of its own, with `- ` before it
5:42: error[MC0014]: expected a list, found a string; write each entry on a line of its own, with `- ` before it
5:55: error[MC0022]: `rules` needs at least one entry; write an entry below it, with `- ` before it
"#,
    );
}

#[test]
fn hostnames() {
    check(
        "HTTPRoute",
        r#"
spec: {hostnames: ['*', shop.*.com, 'https://a', 10.0.0.1, '*.example.com', A.com, ''], useDefaultGateways: all}
"#,
        r#"
5:20: error[MC0018]: `*` is not a valid hostname; use a lower-case name without scheme and port; a wildcard is the whole first label
5:25: error[MC0018]: `shop.*.com` is not a valid hostname; use a lower-case name without scheme and port; a wildcard is the whole first label
5:37: error[MC0018]: `https://a` is not a valid hostname; use a lower-case name without scheme and port; a wildcard is the whole first label
5:50: error[MC0018]: `10.0.0.1` is not a valid hostname; an IP address is no hostname: write a name
5:77: error[MC0018]: `A.com` is not a valid hostname; use a lower-case name without scheme and port; a wildcard is the whole first label
5:84: error[MC0018]: a valid hostname can't be empty; use a lower-case name without scheme and port; a wildcard is the whole first label
5:109: error[MC0016]: unknown value `all`; did you mean `All`?
"#,
    );
}

#[test]
fn parents() {
    check(
        "HTTPRoute",
        r#"
spec:
  parentRefs:
  - {name: a}
  - {name: a, sectionName: b}
  - {name: c, port: 70000}
  - {kind: Service, group: '', namespace: a.b}
  - {name: d, sectionName: x}
  - {name: d, sectionName: x}
"#,
        r#"
8:12: error[MC0023]: several references to one parent each need a `sectionName` or `port`; remove or rename one of the two
9:21: error[MC0015]: `70000` is out of range; it can be 1 to 65535
10:6: error[MC0013]: missing field `name`; write `name` here
10:43: error[MC0017]: `a.b` is not a valid name; use at most 63 lower-case letters, digits and `-`, start and end with a letter or digit
12:12: error[MC0023]: this parent is line 11's again; remove or rename one of the two
"#,
    );
}

#[test]
fn paths() {
    check(
        "HTTPRoute",
        r#"
spec:
  rules:
  - matches:
    - path: {type: Prefix, value: /}
    - path: {value: shop}
    - path: {type: Exact, value: /a//b}
    - path: {value: '/a?b'}
    - path: {value: /a%2Fb}
    - path: {value: /a/..}
    - path: {value: /%zz}
    - path: {type: RegularExpression, value: '(a|b'}
"#,
        r#"
8:20: error[MC0016]: unknown value `Prefix`; it can be `Exact`, `PathPrefix` or `RegularExpression`
9:21: error[MC0024]: `shop` is not a valid path; start with `/`; no `//`, `/./`, `/../`, `%2f`, `?` or `#`
10:34: error[MC0024]: `/a//b` is not a valid path; start with `/`; no `//`, `/./`, `/../`, `%2f`, `?` or `#`
11:21: error[MC0024]: `/a?b` is not a valid path; start with `/`; no `//`, `/./`, `/../`, `%2f`, `?` or `#`
12:21: error[MC0024]: `/a%2Fb` is not a valid path; start with `/`; no `//`, `/./`, `/../`, `%2f`, `?` or `#`
13:21: error[MC0024]: `/a/..` is not a valid path; start with `/`; no `//`, `/./`, `/../`, `%2f`, `?` or `#`
14:21: error[MC0024]: `/%zz` is not a valid path; start with `/`; no `//`, `/./`, `/../`, `%2f`, `?` or `#`
"#,
    );
}

#[test]
fn header_matches() {
    check(
        "HTTPRoute",
        r#"
spec:
  rules:
  - matches:
    - method: get
      headers: [{name: 'X Y', value: a}, {name: x, value: 10}, {name: x, value: ''}, {value: ' a'}]
      queryParams: [{name: q, type: Regex, value: a}]
"#,
        r#"
8:15: error[MC0016]: unknown value `get`; did you mean `GET`?
9:24: error[MC0021]: `X Y` is not a valid header name; use letters, digits and -_.!#$%&'*+^`|~
9:59: error[MC0014]: expected a string, found an integer; put it in quotes
9:71: error[MC0023]: `x` is there twice; remove or rename one of the two
9:81: error[MC0021]: a valid header value can't be empty; use visible ASCII, with single spaces between words
9:87: error[MC0013]: missing field `name`; write `name` here
9:94: error[MC0021]: ` a` is not a valid header value; use visible ASCII, with single spaces between words
10:37: error[MC0016]: unknown value `Regex`; it can be `Exact` or `RegularExpression`
"#,
    );
}

#[test]
fn backends() {
    check(
        "HTTPRoute",
        r#"
spec:
  rules:
  - name: a
    backendRefs:
    - {name: shop}
    - {port: 80, weight: -1}
    - {name: shop, port: '80', weight: 2000000}
    - {name: legacy, kind: Backend, group: meshctl.dev}
  - name: a
"#,
        r#"
9:8: error[MC0013]: missing field `port`; which port of the Service?
10:8: error[MC0013]: missing field `name`; write `name` here
10:26: error[MC0015]: `-1` is out of range; it can be 0 to 1000000
11:26: error[MC0014]: expected an integer, found a string; write it without quotes
11:40: error[MC0015]: `2000000` is out of range; it can be 0 to 1000000
13:11: error[MC0023]: `a` is there twice; remove or rename one of the two
"#,
    );
}

#[test]
fn timeouts() {
    check(
        "HTTPRoute",
        r#"
spec:
  rules:
  - timeouts: {request: 5, backendRequest: 1.5s}
  - timeouts: {request: 1s, backendRequest: 2s}
  - timeouts: {request: 1d, backendRequest: 100000s}
  - timeouts: {request: '10', backendRequest: -1s}
  - timeouts: {request: 5min, backendRequest: ''}
"#,
        r#"
7:25: error[MC0019]: a duration needs a unit; write `30s`, `5m` or `250ms`
7:44: error[MC0019]: `1.5s` is not a valid duration; a duration has no fraction: `1s500ms` is 1.5 seconds
8:45: error[MC0026]: `backendRequest` can't be longer than `request`; `backendRequest` is for one try, `request` for all of them: shorten the former
9:25: error[MC0019]: `1d` is not a valid duration; there is no unit for days: write `24h`
9:45: error[MC0019]: `100000s` is not a valid duration; a number has at most five digits: use a larger unit
10:25: error[MC0019]: `10` is not a valid duration; a duration needs a unit, as in 30s or 30m
10:47: error[MC0019]: `-1s` is not a valid duration; a duration has no sign
11:25: error[MC0019]: `5min` is not a valid duration; a duration is numbers with their units, as in `500ms`, `30s` or `1h30m`
11:47: error[MC0019]: `""` is not a valid duration; a duration is numbers with their units, as in `500ms`, `30s` or `1h30m`
"#,
    );
}

#[test]
fn retry_and_session() {
    check(
        "HTTPRoute",
        r#"
spec:
  rules:
  - retry: {codes: [200, 503, 503], attempts: 0, backoff: 1us}
  - sessionPersistence: {type: Header, cookieConfig: {lifetimeType: Permanent}}
"#,
        r#"
7:21: error[MC0015]: `200` is out of range; it can be 400 to 599
7:31: error[MC0023]: `503` is there twice; remove or rename one of the two
7:47: error[MC0015]: `0` is out of range; it can be 1 to 4294967295
7:59: error[MC0019]: `1us` is not a valid duration; a duration is numbers with their units, as in `500ms`, `30s` or `1h30m`
8:32: error[MC0026]: `cookieConfig` goes with type `Cookie`; remove `cookieConfig`, or write `type: Cookie`
8:69: error[MC0026]: a `Permanent` cookie needs an `absoluteTimeout`; write `absoluteTimeout`, or `lifetimeType: Session`
"#,
    );
}

#[test]
fn too_many_matches() {
    let rule = format!("  - matches: [{}]\n", ["{method: GET}"; 43].join(", "));
    check(
        "HTTPRoute",
        &format!("spec:\n  rules:\n{rule}{rule}{rule}"),
        r#"
6:3: error[MC0022]: the rules have 129 matches in all, at most 128 are allowed; keep to what the API allows; entries may move to an object of their own
"#,
    );
}

#[test]
fn too_many_rules() {
    check(
        "HTTPRoute",
        r#"
spec:
  rules: [{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}]
"#,
        r#"
6:10: error[MC0022]: `rules` has 17 entries, at most 16 are allowed; keep to what the API allows; entries may move to an object of their own
"#,
    );
}

#[test]
fn grpc_matches() {
    check(
        "GRPCRoute",
        r#"
spec:
  rules:
  - matches:
    - method: {service: 'a-b', method: Get/Cart}
    - method: {type: RegularExpression, service: 'a.*'}
    - method: {}
    - method: {service: a.b.C, mthod: X}
    filters: [{type: URLRewrite}]
"#,
        r#"
8:25: error[MC0031]: `a-b` is not a gRPC service name; write it with its package, `shop.v1.Cart`
8:40: error[MC0031]: `Get/Cart` is not a gRPC method name; write its name alone, `GetCart`
10:15: error[MC0013]: `method` needs a `service`, a `method` or both; write one of them, or leave the outer `method` out to match all
11:32: error[MC0012]: unknown field `mthod`; did you mean `method`?
12:22: error[MC0016]: a GRPCRoute has no filter of type `URLRewrite`; its filters are `RequestHeaderModifier`, `ResponseHeaderModifier`, `RequestMirror` and `ExtensionRef`
"#,
    );
}
