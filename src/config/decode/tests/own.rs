//! meshctl's own kinds.

use super::check;

#[test]
fn backend() {
    check(
        "Backend",
        r#"
spec: {endpoints: [a, 'a:0', '10.0.0:80', unix:run, {address: 'a:1', wieght: 3}, 'a:1', 5, {}], protocol: HTTP2}
"#,
        r#"
5:20: error[MC0028]: `a` is not an endpoint; it has no port, as in `HOST:PORT`
5:23: error[MC0028]: `a:0` is not an endpoint; its port `0` is not a number from 1 to 65535
5:30: error[MC0028]: `10.0.0:80` is not an endpoint; `10.0.0` is neither a host name nor an IP address
5:43: error[MC0028]: `unix:run` is not an endpoint; a Unix socket is `unix:/path`, or `unix:@name` without a file
5:70: error[MC0012]: unknown field `wieght`; did you mean `weight`?
5:82: error[MC0023]: `a:1` is there twice; remove or rename one of the two
5:89: error[MC0014]: expected a string, found an integer; put it in quotes
5:92: error[MC0013]: missing field `address`; write `address` here
5:107: error[MC0016]: unknown value `HTTP2`; did you mean `HTTP`?
"#,
    );
}

#[test]
fn backend_of_a_later_version() {
    check(
        "Backend",
        r#"
spec: {eureka: {service: a}, localPort: 8080}
"#,
        r#"
5:16: error[MC0029]: this version of meshctl doesn't serve `eureka`; list the `endpoints`
5:41: error[MC0029]: this version of meshctl doesn't serve `localPort`; list the `endpoints`
"#,
    );
}

#[test]
fn backend_tls() {
    check(
        "Backend",
        r#"
spec: {endpoints: [], protocol: H2C, tls: {mode: ClientAndServer, validation: {hostname: a}}}
"#,
        r#"
5:19: error[MC0022]: `endpoints` needs at least one entry; write an entry below it, with `- ` before it
5:44: error[MC0026]: `H2C` is HTTP/2 without TLS; leave out `protocol`: with `tls`, HTTP/2 is agreed on by ALPN
5:50: error[MC0026]: `clientCertificateRef` and mode `ClientAndServer` need each other; write both, or neither
5:80: error[MC0013]: missing `caCertificateRefs` or `wellKnownCACertificates`; `wellKnownCACertificates: System` trusts what the system trusts
"#,
    );
}

#[test]
fn traffic_policy() {
    check(
        "TrafficPolicy",
        r#"
spec:
  targetRefs: [{group: '', kind: Pod, name: a}, {group: '', kind: Backend, name: a}]
  balance: {type: ConsistentHash}
  timeouts: {connect: 5, request: 1s, backendRequest: 2s, streamIdel: 1s}
  retryBudget: {percent: 101}
  ejection: {enabled: on, baseTime: 10s, maxTime: 1s, consecutiveFailures: 0x10, maxPercent: 12.5}
  slowStart: {window: 1s}
  proxyProtocol: v3
"#,
        r#"
6:45: error[MC0016]: a policy can't have the target kind `Pod`; it can be `Service`, `Backend`, `HTTPRoute`, `GRPCRoute` or `Gateway`
6:82: error[MC0016]: Backend is not of the group `""`; write `group: "meshctl.dev"`
7:19: error[MC0026]: `hashOn` and type `ConsistentHash` need each other; write both, or neither
8:23: error[MC0019]: a duration needs a unit; write `30s`, `5m` or `250ms`
8:55: error[MC0026]: `backendRequest` can't be longer than `request`; `backendRequest` is for one try, `request` for all of them: shorten the former
8:59: error[MC0012]: unknown field `streamIdel`; did you mean `streamIdle`?
9:26: error[MC0015]: `101` is out of range; it can be 0 to 100
10:23: warning[MC0004]: `on` is a boolean for kubectl, but not for every reader of YAML; write `true`, or put it in quotes
10:37: error[MC0026]: `baseTime` can't be longer than `maxTime`; shorten `baseTime`, or lengthen `maxTime`
10:94: error[MC0014]: expected an integer, found a number with a fraction; write a whole number, without quotes and unit
11:14: error[MC0014]: expected a string, found a map; write one text, in quotes where it holds `{`, `[`, `: ` or ` #`
12:18: error[MC0016]: unknown value `v3`; did you mean `v1`?
"#,
    );
}

#[test]
fn hash_on_needs_its_type() {
    check(
        "TrafficPolicy",
        r#"
spec:
  targetRefs: [{group: '', kind: Service, name: a}]
  balance: {type: Random, hashOn: {type: Header}}
"#,
        r#"
7:19: error[MC0026]: `hashOn` and type `ConsistentHash` need each other; write both, or neither
7:42: error[MC0026]: `hashOn` of type `Header` needs a `name`; write the `name` of the header or cookie
"#,
    );
}

#[test]
fn hash_on_without_name() {
    check(
        "TrafficPolicy",
        r#"
spec:
  targetRefs: [{group: '', kind: Service, name: a}]
  balance: {type: ConsistentHash, hashOn: {type: Path, name: x}}
"#,
        r#"
7:50: error[MC0026]: `hashOn` of type `Path` has no `name`; remove `name`, or use type `Header` or `Cookie`
"#,
    );
}

#[test]
fn mesh_config() {
    check(
        "MeshConfig",
        r#"
spec: {trustedHops: 256, proxyProtocol: {from: [10.0.0.0/33, 10.0.0.1]}, timeouts: {idle: 1}, limits: {headerBytes: 64Kb}, accessLog: off}
"#,
        r#"
5:21: error[MC0015]: `256` is out of range; it can be 0 to 255
5:49: error[MC0028]: `10.0.0.0/33` is not a network; write it as `10.0.0.0/8` or `2001:db8::/32`
5:91: error[MC0019]: a duration needs a unit; write `30s`, `5m` or `250ms`
5:117: error[MC0020]: this is not a quantity; write it as `65536` or `64Ki`
5:135: error[MC0014]: expected a string, found a boolean; kubectl reads `off` this way; put it in quotes
"#,
    );
}

#[test]
fn mesh_config_limits() {
    check(
        "MeshConfig",
        r#"
spec: {limits: {headerBytes: 1Mi}, proxyProtocol: {}, accessLog: xml}
"#,
        r#"
5:30: error[MC0015]: 1048576 bytes are out of range; it can be 1Ki to 60Ki
5:51: error[MC0013]: missing field `from`; write `from` here
5:66: error[MC0016]: unknown value `xml`; it can be `json`, `text`, `off` or `none`
"#,
    );
}

#[test]
fn mesh_config_deployment() {
    check(
        "MeshConfig",
        r#"
spec:
  deployment:
    replicas: -1
    serviceType: ExternalName
    minAvailable: 101%
    resources: {requests: {cpu: 1 core, memory: 1e9, disk: 5Mib}, limits: {cpu: 0.5, memory: .5}}
"#,
        r#"
7:15: error[MC0015]: `-1` is out of range; it can be 0 to 1000
8:18: error[MC0016]: unknown value `ExternalName`; it can be `LoadBalancer`, `ClusterIP` or `NodePort`
9:19: error[MC0031]: `101%` is neither a number nor a percentage; write it as `1` or `50%`
10:33: error[MC0020]: this is not a quantity; write it as `100m`, `1` or `64Mi`
10:60: error[MC0020]: this is not a quantity; write it as `100m`, `1` or `64Mi`
"#,
    );
}

#[test]
fn canary() {
    check(
        "TrafficRollout",
        r#"
spec:
  targetRef: {group: gateway.networking.k8s.io, kind: TCPRoute, name: a}
  state: Runing
  weight: 101
  canary:
    stable: {name: a, port: 80}
    canary: {name: a, port: 80}
    steps: [{weight: 5}, {weight: 100}, {weight: 5}, {weight: 1}]
    interval: 10ms
    gates: {errorRate: {max: 5}, p99: {}, minRequests: 0}
"#,
        r#"
6:71: error[MC0016]: a rollout can't have the target kind `TCPRoute`; it can be `HTTPRoute` or `GRPCRoute` of the group gateway.networking.k8s.io
7:10: error[MC0016]: unknown value `Runing`; did you mean `Running`?
8:11: error[MC0015]: `101` is out of range; it can be 0 to 100
11:20: error[MC0026]: `stable` and `canary` are the same backend; the canary is the new version's Service
12:35: error[MC0015]: `100` is out of range; it can be 1 to 99
12:50: error[MC0023]: `5` is there twice; remove or rename one of the two
12:63: error[MC0026]: a step is lower than the one before it; steps go up: the way down is `meshctl canary abort`
13:15: error[MC0015]: `interval` is too short for a step to be looked at; write `1s` or more
14:30: error[MC0014]: expected a string, found an integer; put it in quotes
14:39: error[MC0013]: missing field `max`; write `max` here
14:56: error[MC0015]: `0` is out of range; it can be 1 to 1000000000
"#,
    );
}

#[test]
fn a_rollout_is_one_thing() {
    check(
        "TrafficRollout",
        r#"
spec: {targetRef: {group: gateway.networking.k8s.io, kind: HTTPRoute, name: a}, canary: {}, darkLaunch: {}}
"#,
        r#"
5:8: error[MC0026]: a rollout is either a `canary` or a `darkLaunch`; write one of the two
5:89: error[MC0013]: missing field `canary`; write `canary` here
5:89: error[MC0013]: missing field `stable`; write `stable` here
5:105: error[MC0013]: missing field `percent`; write `percent` here
5:105: error[MC0013]: missing field `to`; write `to` here
"#,
    );
    check(
        "TrafficRollout",
        r#"
spec: {targetRef: {group: gateway.networking.k8s.io, kind: HTTPRoute, name: a}, canary: {stable: {name: a, port: 80}, canary: {name: b, port: 80}, gates: {errorRate: {max: 1.00001%}}}}
"#,
        r#"
5:173: error[MC0031]: `1.00001%` is not a percentage; write it as `1%` or `0.05%`
"#,
    );
    check(
        "TrafficRollout",
        r#"
spec: {targetRef: {group: gateway.networking.k8s.io, kind: HTTPRoute, name: a}, canary: {stable: {name: a, port: 80}, canary: {name: a, namespace: next, port: 80}}}
"#,
        "\n",
    );
    check(
        "TrafficRollout",
        r#"
spec: {targetRef: {group: gateway.networking.k8s.io, kind: HTTPRoute, name: a}, weight: 5, darkLaunch: {to: {name: b, port: 80}, percent: 5}}
"#,
        r#"
5:89: error[MC0026]: a dark launch has no `weight`: nobody is answered by it; say with `percent` how much is copied
"#,
    );
}
