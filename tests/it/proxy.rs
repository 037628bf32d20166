//! The proxy from outside: real clients, real upstreams, real sockets. One file per stage.

mod addresses;
mod balance;
mod changes;
mod cors;
mod drain;
mod ejection;
mod explained;
mod grpc;
mod headers;
mod http1;
mod http2;
mod limits;
mod metrics;
mod mirror;
mod misbehaving;
mod pipelines;
mod redirect;
mod retries;
mod routing;
mod sessions;
mod slow;
mod timeouts;
mod tls;
mod weights;
