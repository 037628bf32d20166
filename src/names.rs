//! Every outward name in one table: groups, labels, annotations, headers, environment, ports.

pub const GROUP_GATEWAY_API: &str = "gateway.networking.k8s.io";
/// The bundle version that is served.
pub const GATEWAY_API_VERSION: &str = "v1.6";
/// The release that our own definitions of its kinds say what of.
pub const GATEWAY_API_BUNDLE: &str = "v1.6.0";
/// Where the group was approved: API servers ask for it in groups of `k8s.io`.
pub const GATEWAY_API_APPROVAL: &str = "https://github.com/kubernetes-sigs/gateway-api/pull/4530";
pub const GROUP_DISCOVERY: &str = "discovery.k8s.io";
pub const GROUP_MESHCTL: &str = "meshctl.dev";
pub const API_VERSION_MESHCTL: &str = "meshctl.dev/v1alpha1";

/// The GatewayClass that exists unwritten in a directory.
pub const GATEWAY_CLASS: &str = "meshctl";
/// The class whose Gateways share one fleet of proxies.
pub const GATEWAY_CLASS_SHARED: &str = "meshctl-shared";
pub const CONTROLLER: &str = "meshctl.dev/gateway-controller";
pub const NAMESPACE_SYSTEM: &str = "meshctl-system";
/// Where an object without `metadata.namespace` lives.
pub const NAMESPACE_DEFAULT: &str = "default";

/// A Secret or ConfigMap whose data stands in files: `meshctl.dev/from-files: tls.crt=a.pem,tls.key=b.pem`.
pub const ANNOTATION_FROM_FILES: &str = "meshctl.dev/from-files";
/// On a TrafficRollout: when a command asked last, so that the same word again is a new ask.
pub const ANNOTATION_ASKED: &str = "meshctl.dev/asked-at";
/// On a route: when its weights go back, and to what. Written by `meshctl canary shift --for`.
pub const ANNOTATION_RETURN: &str = "meshctl.dev/weights-return";
pub const LABEL_SERVICE_NAME: &str = "kubernetes.io/service-name";
pub const LABEL_NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// Listener TLS option: `1.2` or `1.3`.
pub const OPTION_MIN_TLS: &str = "meshctl.dev/min-tls-version";
/// The header of a session whose `sessionName` isn't written, and how the cookie's name begins.
pub const SESSION: &str = "meshctl-session";
/// Our name in `Via`.
pub const VIA: &str = "meshctl";
/// The MeshConfig in `meshctl-system` that holds for Gateways that name none.
pub const MESH_CONFIG_DEFAULT: &str = "default";

/// Response header with the cause of an answer that the proxy made, for trusted clients.
pub const HEADER_CAUSE: &str = "meshctl-cause";
/// Headers of this prefix are ours: a client's are dropped.
pub const HEADER_PREFIX: &str = "meshctl-";
pub const HEADER_REQUEST_ID: &str = "x-request-id";
pub const HEADER_FORWARDED: &str = "forwarded";
pub const HEADER_FORWARDED_FOR: &str = "x-forwarded-for";
pub const HEADER_FORWARDED_HOST: &str = "x-forwarded-host";
pub const HEADER_FORWARDED_PORT: &str = "x-forwarded-port";
pub const HEADER_FORWARDED_PROTO: &str = "x-forwarded-proto";
pub const HEADER_TRACE_PARENT: &str = "traceparent";
pub const HEADER_TRACE_STATE: &str = "tracestate";
pub const HEADER_VIA: &str = "via";

/// Of `controller run`: kept by `upgrade`, and `check` lowers as they say.
pub const FLAG_ALLOW_LOCAL_BACKENDS: &str = "--allow-local-backends";
pub const FLAG_ALLOW_EXTERNAL_NAMES: &str = "--allow-external-names";

pub const ENV_CONFIG: &str = "MESHCTL_CONFIG";
/// From the pod's own fields (the downward API).
pub const ENV_POD_NAME: &str = "POD_NAME";
pub const ENV_POD_NAMESPACE: &str = "POD_NAMESPACE";
pub const ENV_POD_IP: &str = "POD_IP";
pub const ENV_LOG: &str = "MESHCTL_LOG";
pub const ENV_RUN_DIR: &str = "MESHCTL_RUN_DIR";

/// The controller's Deployment, Service, ServiceAccount and Lease, and the audience of the tokens
/// that proxies show it.
pub const CONTROLLER_NAME: &str = "meshctl-controller";
/// On the Lease: where the replica that holds it is reached by the others, as `IP:PORT`.
pub const ANNOTATION_ADDRESS: &str = "meshctl.dev/address";
/// The token that a proxy shows the controller, and a replica the one that leads.
pub const TOKEN_DIRECTORY: &str = "/var/run/secrets/meshctl";
pub const TOKEN_FILE: &str = "token";
/// The Secret with the authority that the certificates of the replicas are signed by.
pub const CONTROLLER_AUTHORITY: &str = "meshctl-controller-authority";
/// What server-side apply knows the product by.
pub const FIELD_MANAGER: &str = "meshctl";
pub const LABEL_GATEWAY_NAME: &str = "gateway.networking.k8s.io/gateway-name";
pub const LABEL_MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// `meshctl` on everything that `meshctl install` applied, and on nothing else.
pub const LABEL_INSTALLED_BY: &str = "meshctl.dev/installed-by";
/// The fleet of proxies that an object belongs to: what its Service selects.
pub const LABEL_FLEET: &str = "meshctl.dev/fleet";
pub const LABEL_APP_NAME: &str = "app.kubernetes.io/name";
pub const LABEL_COMPONENT: &str = "app.kubernetes.io/component";
/// The version that applied an object.
pub const ANNOTATION_VERSION: &str = "meshctl.dev/version";
/// A hash of what a pod reads when it starts: another one rolls the Deployment.
pub const ANNOTATION_CHECKSUM: &str = "meshctl.dev/checksum";
/// The release and channel that a definition of the Gateway API is from.
pub const ANNOTATION_BUNDLE_VERSION: &str = "gateway.networking.k8s.io/bundle-version";
pub const ANNOTATION_CHANNEL: &str = "gateway.networking.k8s.io/channel";

/// Where the controller talks to proxies.
pub const PORT_CONTROLLER: u16 = 15010;
/// The observation door.
pub const PORT_OBSERVE: u16 = 15020;

/// Ends of the names of a proxy's sockets in its run directory.
pub const CONTROL_SOCKET_SUFFIX: &str = ".sock";
pub const TAKEOVER_SOCKET_SUFFIX: &str = ".takeover";
/// The controller's socket in its run directory: none that a proxy's could be taken for.
pub const CONTROLLER_SOCKET: &str = "controller";
