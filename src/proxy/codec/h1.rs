//! HTTP/1.0 and 1.1: strict framing of our own over httparse.
//!
//! `request`, `response`, `body` and `write` are pure; `wire` holds the bytes of a connection;
//! `server` and `client` put the two together.

mod client;
mod server;
mod wire;

pub mod body;
pub mod request;
pub mod response;
pub mod write;

pub use client::ClientConn;
pub use server::{HeadFault, ServerConn};
