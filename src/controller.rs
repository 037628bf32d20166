//! The controller: objects of a cluster become parts, and parts reach the proxies that need them.
//!
//! This module must not know how traffic is served.

#[cfg(test)]
pub(crate) mod fixture;
pub mod fleets;
pub mod proxies;
pub mod xds;
