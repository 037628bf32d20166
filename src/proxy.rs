//! The data plane: bytes in, a decision from one Snapshot, bytes out.
//!
//! Files stand in the order in which a request meets them. Gateway, sidecar and ambassador
//! differ only in `entry.rs`. This module must not read configuration files, talk to Kubernetes,
//! or know `rollout` and `controller`; it serves on when every source is gone.

pub mod codec;
pub mod message;
pub mod path;
