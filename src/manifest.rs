//! Files that meshctl writes for others to read: a first configuration, a systemd unit.
//!
//! This module makes texts; it must not know where they go, nor the environment.

mod emit;
mod starter;
pub mod systemd;

pub use emit::to_yaml;
pub use starter::{Example, documents, starter};

#[cfg(test)]
mod tests;
