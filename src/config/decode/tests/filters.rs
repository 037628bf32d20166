//! Filters of routes.

use super::check;

#[test]
fn types_and_members() {
    check(
        "HTTPRoute",
        r#"
spec:
  rules:
  - filters:
    - type: RequestHeaderModifer
    - type: BrandNew
      brandNew: {}
    - requestMirror: {}
    - type: URLRewrite
      requestRedirect: {}
    - type: CORS
      cors: 3
"#,
        r#"
8:13: error[MC0016]: unknown value `RequestHeaderModifer`; did you mean `RequestHeaderModifier`?
11:7: error[MC0013]: missing field `type`; write `type` here
13:7: error[MC0027]: `requestRedirect` belongs to a filter of type `RequestRedirect`, this one is `URLRewrite`; write `type: RequestRedirect`, or `urlRewrite` in its place
15:13: error[MC0014]: expected a map, found an integer; write its fields below it, indented, each as `name: value`
"#,
    );
}

#[test]
fn redirects_and_rewrites() {
    check(
        "HTTPRoute",
        r#"
spec:
  rules:
  - filters:
    - {type: RequestRedirect, requestRedirect: {statusCode: 305, scheme: ftp, port: 0, hostname: '*.a'}}
    - {type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replaceFullPath: /a}}}
    - {type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixmatch}}}
    backendRefs: [{name: a, port: 80}]
"#,
        r#"
8:8: error[MC0026]: a rule with a RequestRedirect filter can't have `backendRefs`; remove `backendRefs`: a redirected request goes to no backend
8:61: error[MC0015]: a redirect can't have status 305; it can be 301, 302, 303, 307 or 308
8:74: error[MC0016]: unknown value `ftp`; it can be `http` or `https`
8:85: error[MC0015]: `0` is out of range; it can be 1 to 65535
8:98: error[MC0018]: `*.a` is not a valid hostname; use a lower-case name without wildcard, scheme and port
9:14: error[MC0026]: RequestRedirect and URLRewrite exclude each other; remove one: a redirect takes `hostname` and `path` itself
9:52: error[MC0027]: `replaceFullPath` belongs to type `ReplaceFullPath`; change `type`, or write the field that belongs to it
9:52: error[MC0027]: type `ReplacePrefixMatch` needs `replacePrefixMatch`; write `replacePrefixMatch: /path` below it
10:14: error[MC0023]: `URLRewrite` is there twice; remove or rename one of the two
10:52: error[MC0016]: unknown value `ReplacePrefixmatch`; did you mean `ReplacePrefixMatch`?
"#,
    );
}

#[test]
fn prefix_needs_a_prefix() {
    check(
        "HTTPRoute",
        r#"
spec:
  rules:
  - matches: [{path: {type: Exact, value: /a}}]
    filters:
    - {type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /a}}}
  - matches: [{method: GET}, {method: PUT}]
    backendRefs:
    - name: a
      port: 80
      filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /a}}}]
"#,
        r#"
9:8: error[MC0026]: `replacePrefixMatch` needs exactly one match in its rule, of type `PathPrefix`; give the rule one PathPrefix match, or use `ReplaceFullPath`
14:18: error[MC0026]: `replacePrefixMatch` needs exactly one match in its rule, of type `PathPrefix`; give the rule one PathPrefix match, or use `ReplaceFullPath`
"#,
    );
}

#[test]
fn header_edits() {
    check(
        "HTTPRoute",
        r#"
spec:
  rules:
  - filters:
    - type: RequestHeaderModifier
      requestHeaderModifier:
        set: [{name: a, value: x}, {name: a, value: 'y '}]
        add: [{value: x}]
        remove: [a, a, 'b c']
"#,
        r#"
10:43: error[MC0023]: `a` is there twice; remove or rename one of the two
10:53: error[MC0021]: `y ` is not a valid header value; use visible ASCII, with single spaces between words
11:16: error[MC0013]: missing field `name`; write `name` here
12:21: error[MC0023]: `a` is there twice; remove or rename one of the two
"#,
    );
}

#[test]
fn mirrors() {
    check(
        "HTTPRoute",
        r#"
spec:
  rules:
  - filters:
    - {type: RequestMirror, requestMirror: {backendRef: {name: a}, percent: 101, fraction: {numerator: 3, denominator: 2}}}
    - {type: RequestMirror, requestMirror: {percent: 1, fraction: {}}}
"#,
        r#"
8:58: error[MC0013]: missing field `port`; which port of the Service?
8:77: error[MC0015]: `101` is out of range; it can be 0 to 100
8:104: error[MC0026]: `numerator` can't be greater than `denominator`; a fraction is at most 1: `denominator` is 100 unless it is written
9:45: error[MC0013]: missing field `backendRef`; write `backendRef` here
9:54: error[MC0026]: `percent` and `fraction` exclude each other; remove one of them
9:67: error[MC0013]: missing field `numerator`; write `numerator` here
"#,
    );
}

#[test]
fn cors() {
    check(
        "HTTPRoute",
        r#"
spec:
  rules:
  - filters:
    - type: CORS
      cors: {allowOrigins: ['*', 'https://a.example.com'], allowMethods: [get], allowHeaders: ['a b', x, x], maxAge: 0, allowCredentials: 'yes'}
    - type: CORS
      cors: {allowOrigins: [example.com]}
"#,
        r#"
9:29: error[MC0026]: `*` stands alone in `allowOrigins`; remove `*`, or all the others
9:75: error[MC0016]: unknown value `get`; did you mean `GET`?
9:96: error[MC0021]: `a b` is not a valid header name; use letters, digits and -_.!#$%&'*+^`|~
9:106: error[MC0023]: `x` is there twice; remove or rename one of the two
9:118: error[MC0015]: `0` is out of range; it can be 1 to 2147483647
9:139: error[MC0014]: expected a boolean, found a string; write `true` or `false`, without quotes
10:13: error[MC0023]: `CORS` is there twice; remove or rename one of the two
11:29: error[MC0031]: `example.com` is not an origin; write `*`, or scheme and host, `https://*.example.com`
"#,
    );
}

#[test]
fn auth_and_extension() {
    check(
        "HTTPRoute",
        r#"
spec:
  rules:
  - filters:
    - {type: ExternalAuth, externalAuth: {protocol: HTTP, grpc: {}}}
    - {type: ExtensionRef, extensionRef: {name: a}}
"#,
        r#"
8:43: error[MC0013]: missing field `backendRef`; write `backendRef` here
8:53: error[MC0027]: `grpc` and protocol `GRPC` need each other; write the settings of the `protocol` that is named, and no others
8:53: error[MC0027]: `http` and protocol `HTTP` need each other; write the settings of the `protocol` that is named, and no others
9:43: error[MC0013]: missing field `group`; write `group` here
9:43: error[MC0013]: missing field `kind`; write `kind` here
"#,
    );
}
