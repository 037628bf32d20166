//! Files that meshctl writes for others to read: examples to begin with, a systemd unit, a
//! container image, a cluster's manifests.
//!
//! This module makes texts; it must not know where they go, nor the environment.

pub mod elf;
mod example;
pub mod gateway_api;
pub mod generate;
pub mod image;
pub mod install;
pub mod systemd;
pub mod template;

pub use example::Example;

#[cfg(test)]
mod tests;
