//! The proxy from outside: real clients, real upstreams, real sockets. One file per stage.

mod cors;
mod headers;
mod mirror;
mod redirect;
mod routing;
