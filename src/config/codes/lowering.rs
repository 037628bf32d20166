//! MC0100 to MC0199: what objects mean together.

super::table! {
    DUPLICATE_OBJECT = 100 "the same object is defined twice"
    => "remove one of them: the first by file name counts, this one is passed over"
"Two documents have the same kind, namespace and name. The first by file name, then by
place in the file, counts; the other is passed over.
";

    CLASS_NOT_OURS = 101 "the Gateway belongs to another class"
    => "write `gatewayClassName: meshctl`, or give `--class NAME`"
"Served are Gateways of the class `meshctl`, of a GatewayClass whose controllerName is
meshctl's, and of the classes given with `--class NAME`. The others are passed over,
with the routes that are attached to them alone.

    spec:
      gatewayClassName: nginx     # `--class nginx` serves it

Write `gatewayClassName: meshctl`, or give the flag to run another product's files
unedited.
";

    PROTOCOL_NOT_SERVED = 102 "the listener's protocol is not served yet"
    => "use `HTTP` or `HTTPS`"
"HTTP and HTTPS listeners are served. The listener is passed over, the others of the
Gateway are served.
";

    LISTENER_CONFLICT = 103 "two listeners can't be told apart"
    => "give it a hostname or a port of its own"
"Listeners on one address and port must speak one protocol and have different hostnames.
Within one object all of them are refused, as the Gateway API says; between objects
Gateways come before ListenerSets, then the older before the younger, then the first by
namespace and name.

    listeners:
    - {name: a, port: 80, protocol: HTTP, hostname: shop.example}
    - {name: b, port: 80, protocol: HTTP, hostname: shop.example}   # the same hosts

Give each a hostname or a port of its own. Ports are compared after `--port` moved them.
";

    HOSTNAME_UNUSABLE = 104 "not a hostname"
    => "use a lower-case name without scheme and port; a wildcard is the whole first label"
"Hostnames are names of RFC 1123, with `*.` in front where a wildcard is allowed, and
never IP addresses. A route of which no hostname is valid is attached nowhere; a
listener with a bad hostname is refused.
";

    ADDRESS_UNUSABLE = 105 "the Gateway's address can't be used"
    => "write an IP address of this machine, or remove `addresses` to listen on all"
"Addresses are of the type IPAddress. A Gateway that asks for addresses of which none can
be used listens nowhere rather than everywhere; remove `addresses` to listen on all of
them.
";

    BAD_LISTENER_TLS = 107 "the listener's tls does not fit its protocol"
    => "HTTPS needs `tls` with mode Terminate and a certificate, HTTP has no `tls`"
"HTTPS needs `tls` with mode Terminate and at least one certificate; HTTP takes no `tls`.
Nothing is served in plain text where TLS was meant.
";

    REFERENCE_MISSING = 110 "a reference leads nowhere"
    => "create it, or correct name and namespace"
"The object that is named does not exist. What depends on it fails closed: a listener
without its certificate refuses handshakes, the share of a missing backend is answered
with 500, a backend whose CA certificates are missing with 502.

Create the object, or correct its name or namespace: without `namespace` it is the one
of the object that refers to it.
";

    REFERENCE_NOT_PERMITTED = 111 "a reference into another namespace is not permitted"
    => "create a ReferenceGrant in the namespace of what is referred to"
"The namespace of the object that is named must allow it by a ReferenceGrant.

    kind: ReferenceGrant
    metadata: {name: from-shop, namespace: payments}      # where the Service is
    spec:
      from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}]
      to: [{group: '', kind: Service}]

Until then requests are answered with 500, and handshakes refused.
";

    REFERENCE_KIND = 112 "a reference names a kind that can't stand here"
    => "refer to an object of a kind that can stand here"
"Routes send to Services and to Backends of meshctl.dev, certificates come from Secrets,
CA certificates from ConfigMaps or Secrets, parents are Gateways and ListenerSets.
";

    CERTIFICATE_INVALID = 113 "the certificate or its key can't be used"
    => "put the PEM chain, leaf first, in `tls.crt` and the leaf's PEM key in `tls.key`"
"The Secret needs `tls.crt` with a PEM chain, leaf first, and `tls.key` with the PEM key
of the leaf. Handshakes that would need it are refused.
";

    CERTIFICATE_EXPIRED = 114 "the certificate is not valid now"
    => "renew the certificate, or set this machine's clock"
"It is shown to clients all the same, so that a wrong clock breaks nothing; most clients
will refuse it.
";

    CA_INVALID = 115 "the CA certificates can't be read"
    => "put PEM certificates in `ca.crt`"
"The ConfigMap or Secret needs `ca.crt` with at least one PEM certificate. Without,
nobody is trusted.
";

    TLS_OPTION = 116 "a TLS option is not known or its value is not valid"
    => "remove the option, or write `meshctl.dev/min-tls-version` with `1.2` or `1.3`"
"`meshctl.dev/min-tls-version` takes `1.2` (the default) or `1.3`. A bad value of it
counts as 1.3, other options are passed over.
";

    LISTENER_SET_REFUSED = 117 "the ListenerSet is not attached"
    => "refer to a Gateway whose `spec.allowedListeners` lets this namespace in"
"Its Gateway must exist and allow it: `spec.allowedListeners.namespaces.from` of the
Gateway is `None` unless something else is written.
";

    ROUTE_KIND = 118 "the listener allows a kind of route that it can't serve"
    => "use HTTPRoute or GRPCRoute"
"HTTP and HTTPS listeners serve HTTPRoute and GRPCRoute of gateway.networking.k8s.io. A
listener that allows only other kinds takes no routes.
";

    BAD_SELECTOR = 119 "the namespace rule can't be understood"
    => "use Same, All, Selector or None"
"`from` takes None, Same, All or Selector; the operators of a selector are In, NotIn,
Exists and DoesNotExist. What isn't understood selects nothing.
";

    PARENT_MISSING = 120 "the route's parent does not exist"
    => "create it, or correct name and namespace"
"`parentRefs` names a Gateway or ListenerSet, in the route's namespace unless `namespace`
says otherwise.
";

    PARENT_NOT_SERVED = 121 "this kind of parent is not served yet"
    => "refer to a Gateway or ListenerSet as well, or remove this parent"
"Routes of a Service (a mesh) are passed over for now; their other parents are served.
";

    ROUTE_NOT_ALLOWED = 122 "no listener of the parent takes the route"
    => "let `allowedRoutes` of a listener take the route"
"`allowedRoutes` of a listener says from which namespaces routes may come, by default
from the Gateway's own, and of which kinds.

    listeners:
    - name: http
      port: 80
      protocol: HTTP
      allowedRoutes: {namespaces: {from: All}}

The Gateway's owner changes it; the route alone can't.
";

    HOSTNAMES_DISJOINT = 123 "route and listener have no hostname in common"
    => "add a hostname that the listener takes; a wildcard stands for one label or more"
"A route is attached for the hosts that its `hostnames` and the listener's `hostname`
both mean. A wildcard stands for one or more labels and never for none: `*.shop.example`
takes `a.shop.example` and `a.b.shop.example`, and not `shop.example`.

Add a hostname that the listener takes, or another listener.
";

    ROUTE_TYPE_CONFLICT = 124 "an HTTPRoute and a GRPCRoute claim the same hosts"
    => "give them different hostnames or listeners"
"On one listener a host belongs to routes of one kind. Of two routes of different kinds
with hosts in common the older is taken, then the first by namespace and name; the other
is not attached there.

Give the GRPCRoute a hostname or a listener of its own.
";

    SECTION_MISSING = 125 "the parent has no such listener"
    => "`sectionName` and `port` are those of a listener; without them all are meant"
"`sectionName` and `port` of a parentRef choose among the parent's listeners by name and
port.
";

    BAD_MATCH = 130 "a match is not valid"
    => "correct the match: until then the rule takes no requests"
"The rule matches nothing until it is mended, as a rule with one condition less would
match too much; the other rules of the route are served. Exact and PathPrefix paths
start with `/` and hold neither `//`, `.` and `..` segments, `%2f`, a query nor a
fragment. Of several conditions on one header only the first counts.
";

    BAD_REGEX = 131 "a regular expression can't be used"
    => "use the syntax of RE2: no look-around, no back-references; `.*` for what a shell's `*` means"
"The syntax is that of RE2: no look-around, no back-references. The whole path or value
must match, and the compiled size is bounded, so that no request takes long.

    path: {type: RegularExpression, value: '/v[0-9]+/.*'}

The rule matches nothing until it is mended; the other rules of the route are served.
As in RE2, `\\w`, `\\d`, `\\s` and `\\b` mean ASCII; an expression that holds other letters
or `\\p{L}` is read as Unicode throughout. Counted repetitions (`{1000}`) and Unicode
classes are what makes an expression large.
";

    FILTER_UNKNOWN = 132 "the filter is not known here"
    => "remove the filter, or use one that `meshctl explain MC0132` lists"
"A filter may be a protection, so it is never passed over: requests that match the rule
are answered with 500. Served are RequestHeaderModifier, ResponseHeaderModifier,
RequestRedirect, URLRewrite, RequestMirror and CORS, of which a GRPCRoute has the header modifiers
and the mirror.
";

    FILTER_INVALID = 133 "the filter is not valid"
    => "correct the filter: until then its requests are answered with 500"
"A filter may be a protection, so a rule with a broken one is not served without it: requests that
match the rule are answered with 500 until it is mended. The message says what is wrong with it.
";

    NO_BACKEND = 135 "the rule sends its requests nowhere"
    => "add a backendRef, or give one a weight above 0"
"It has neither a backend with a weight above 0 nor a redirect: its requests are answered
with 500.
";

    BACKEND_PORT = 136 "the Service has no such port"
    => "`port` is one of the Service's `spec.ports`, not a `targetPort`"
"A backendRef to a Service needs one of the ports of the Service, and it must speak TCP.
";

    BAD_RETRY = 138 "a retry setting is not valid"
    => "use codes from 400 to 599 and a few attempts"
"`retry.codes` are statuses from 400 to 599, and `retry.attempts` is bounded: every retry is load on
a backend that is in trouble already. What is out of range is left out or cut.
";

    BAD_SESSION = 139 "the session persistence is not valid"
    => "correct it: until then requests are balanced without a session"
"A session keeps a client at one endpoint by a cookie or a header. This one can't be understood, so
the rule's requests are balanced without it until it is mended.
";

    NO_ENDPOINT = 150 "the Service has no endpoints"
    => "`--endpoint SERVICE=HOST:PORT` names the local ones"
"In a directory nobody writes EndpointSlices. Name the Service's local endpoints on the
command line, or write a slice whose ports have the names of the Service's ports.

    meshctl proxy run -f . --endpoint shop/cart=localhost:3000

Until then its requests are answered with 503.
";

    BAD_ENDPOINT = 151 "an endpoint of the Service can't be used"
    => "write an address of the slice's `addressType`"
"The addresses of an EndpointSlice are of its `addressType`, IPv4, IPv6 or FQDN, and an
ExternalName Service names a host. The other endpoints of the Service are served.

In a cluster a Backend or an endpoint may not lead to loopback, to link-local addresses, to
Unix sockets or to the API server, and a route may not send to an ExternalName Service:
these would let the author of a route reach what he may not. Who installs meshctl can
allow it: `meshctl install --allow-local-backends` and `--allow-external-names`.
";

    APP_PROTOCOL = 152 "the protocol of the backend is not known"
    => "name a protocol that `meshctl explain MC0152` lists"
"kubernetes.io/h2c, kubernetes.io/ws, kubernetes.io/wss, http, https and grpc are known
for Services, HTTP, H2C and WebSocket for Backends. HTTP is spoken.
";

    BACKEND_TLS_INVALID = 160 "the backend's TLS settings can't be used"
    => "say in a BackendTLSPolicy how the backend's certificate is checked"
"Requests to the backend are answered with 502: plain text, or a certificate that nobody
checks, would be unsafe. Needed are a hostname, and either CA certificates that all can
be read or `wellKnownCACertificates: System`.

    kind: BackendTLSPolicy
    spec:
      targetRefs: [{group: '', kind: Service, name: payments}]
      validation:
        hostname: payments.example
        caCertificateRefs: [{group: '', kind: ConfigMap, name: payments-ca}]

A Service whose appProtocol is `https` or `kubernetes.io/wss` needs such a policy.
";

    POLICY_TARGET = 161 "the policy's target can't be found or takes no such policy"
    => "correct the target's name, or remove it: the policy has no effect there"
"Policies name their targets by group, kind and name, in their own namespace. This target is not of
a kind that the policy is for, or it does not exist; the policy has no effect on it.
";

    POLICY_CONFLICT = 162 "another policy has the same target"
    => "merge the two policies: this one is passed over there"
"Of two policies on one target the older counts, then the first by namespace and name;
this one is passed over there.
";

    POLICY_FIELD_UNUSED = 163 "the field has no effect on this target"
    => "remove the field, or write it in a policy on a target where it counts"
"The timeouts `request`, `backendRequest` and `streamIdle` belong to routes and Gateways;
balancing, ejection, retry budget, connect timeout and PROXY protocol to Services and Backends.
";

    POLICY_VALUE = 164 "the value is not valid"
    => "write a value within the range: until then the default holds"
"The value is out of the range that makes sense, and the default holds in its place. The message says
what the range is.
";

    MESH_CONFIG_REFERENCE = 170 "the MeshConfig can't be used"
    => "correct the reference, or write a MeshConfig `default` in namespace `meshctl-system`"
"The settings of a Gateway come from its `infrastructure.parametersRef`, else its class's
`parametersRef`, else the MeshConfig `default` in `meshctl-system`, else the only one
there is. The built-in settings hold.
";

    WEBHOOK_UNREAD = 171 "nobody posts to this webhook"
    => "write it into the MeshConfig `default` in namespace `meshctl-system`"
"The controller of a cluster posts each change of a rollout's phase to the webhook of one MeshConfig,
that of the whole mesh: who may write another one can't send the controller anywhere. In a directory
nobody posts; the changes are the lines of `meshctl canary run`.
";
}
