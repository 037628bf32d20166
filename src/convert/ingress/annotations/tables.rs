//! Annotations whose meaning is lost, and what to do instead.

pub(super) const DEFAULT_CORS_HEADERS: &str = "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,\
    Cache-Control,Content-Type,Range,Authorization";

/// Beginnings of annotations that keep callers out, and where else that can be done.
pub(super) const PROTECTIONS: &[(&str, &str)] = &[
    ("auth-", "let the application or a proxy behind the Gateway ask who calls"),
    ("enable-global-auth", "let the application or a proxy behind the Gateway ask who calls"),
    ("whitelist-source-range", "use a NetworkPolicy or the load balancer's source ranges"),
    ("allowlist-source-range", "use a NetworkPolicy or the load balancer's source ranges"),
    ("denylist-source-range", "use a NetworkPolicy or the load balancer's source ranges"),
    ("satisfy", "it combines protections that are lost as well"),
    ("enable-modsecurity", "put a web application firewall before the Gateway"),
    ("modsecurity-", "put a web application firewall before the Gateway"),
    ("enable-owasp", "put a web application firewall before the Gateway"),
    ("ssl-passthrough", "TLS would end here: the backend checked its clients itself"),
];

/// (beginning, why, what to do)
pub(super) const LOST: &[(&str, &str, &str)] = &[
    ("proxy-body-size", "bodies have no limit here", "let the application limit what it takes"),
    (
        "limit-",
        "requests are not counted per client here",
        "limit them before the Gateway, or in the application",
    ),
    (
        "configuration-snippet",
        "pieces of an nginx configuration are not read",
        "headers are set by a RequestHeaderModifier or ResponseHeaderModifier filter of the route",
    ),
    (
        "server-snippet",
        "pieces of an nginx configuration are not read",
        "say what it does in rules and filters of the route",
    ),
    (
        "custom-http-errors",
        "answers of backends are passed on as they are",
        "let the application answer its errors",
    ),
    (
        "default-backend",
        "there is no other backend for errors",
        "let the application answer its errors",
    ),
    (
        "from-to-www-redirect",
        "no redirect is made between a name and its www",
        "add an HTTPRoute for the other name with a RequestRedirect filter",
    ),
    (
        "session-cookie-",
        "the cookie of a session is HttpOnly, and its other attributes are not to be chosen",
        "nothing is to be done where the defaults of browsers will do",
    ),
    (
        "cors-",
        "it belongs to `enable-cors: \"true\"`, and had no effect",
        "remove it, or enable CORS",
    ),
    (
        "canary-",
        "it belongs to `canary: \"true\"`, and had no effect",
        "remove it, or say that this is a canary",
    ),
    (
        "mirror-",
        "a copy is sent with its body, to the host of `mirror-target`",
        "nothing is to be done where that will do",
    ),
    (
        "proxy-ssl-",
        "how the backend's certificate is checked is not read from nginx's words",
        "write a BackendTLSPolicy for the Service",
    ),
    (
        "proxy-redirect-",
        "Location headers of backends are passed on as they are",
        "let the application know its own address",
    ),
    (
        "proxy-cookie-",
        "cookies of backends are passed on as they are",
        "let the application know its own name and path",
    ),
    ("preserve-trailing-slash", "paths are passed on as they are", "remove it"),
];

/// Words in the annotations of other controllers, whose meaning would be lost.
pub(super) const CONTROLLERS: &[&str] = &[
    "ingress.",
    "ingress/",
    "nginx.org",
    "nginx.com",
    "haproxy",
    "traefik",
    "konghq.com",
    "projectcontour.io",
    "getambassador.io",
    "cloud.google.com",
    "networking.gke.io",
    "appgw",
];
