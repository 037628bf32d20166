//! Every outward name in one table: groups, labels, annotations, headers, environment, ports.

pub const GROUP_GATEWAY_API: &str = "gateway.networking.k8s.io";
/// The bundle version that is served.
pub const GATEWAY_API_VERSION: &str = "v1.6";
pub const GROUP_DISCOVERY: &str = "discovery.k8s.io";
pub const GROUP_MESHCTL: &str = "meshctl.dev";
pub const API_VERSION_MESHCTL: &str = "meshctl.dev/v1alpha1";

/// The GatewayClass that exists unwritten in a directory.
pub const GATEWAY_CLASS: &str = "meshctl";
pub const CONTROLLER: &str = "meshctl.dev/gateway-controller";
pub const NAMESPACE_SYSTEM: &str = "meshctl-system";
/// Where an object without `metadata.namespace` lives.
pub const NAMESPACE_DEFAULT: &str = "default";

/// A Secret or ConfigMap whose data stands in files: `meshctl.dev/from-files: tls.crt=a.pem,tls.key=b.pem`.
pub const ANNOTATION_FROM_FILES: &str = "meshctl.dev/from-files";
pub const LABEL_SERVICE_NAME: &str = "kubernetes.io/service-name";
pub const LABEL_NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// Response header with the cause of an answer that the proxy made, for trusted clients.
pub const HEADER_CAUSE: &str = "meshctl-cause";
pub const HEADER_REQUEST_ID: &str = "x-request-id";

pub const ENV_CONFIG: &str = "MESHCTL_CONFIG";
pub const ENV_LOG: &str = "MESHCTL_LOG";
pub const ENV_RUN_DIR: &str = "MESHCTL_RUN_DIR";

/// The observation door.
pub const PORT_OBSERVE: u16 = 15020;
