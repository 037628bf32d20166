//! Files that meshctl writes for others to read: examples to begin with, a systemd unit.
//!
//! This module makes texts; it must not know where they go, nor the environment.

mod example;
pub mod systemd;

pub use example::Example;

#[cfg(test)]
mod tests;
