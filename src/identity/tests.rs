//! Real handshakes, in memory, with certificates made on the spot.

mod authority;
mod client_auth;
mod clients;
mod names;
mod servers;
mod streams;
mod tickets;
mod wire;
