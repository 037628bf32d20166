//! The data plane: bytes in, a decision from one Snapshot, bytes out.
//!
//! Files stand in the order in which a request meets them. Gateway, sidecar and ambassador
//! differ only in `entry.rs`. This module must not read configuration files, talk to Kubernetes,
//! or know `rollout` and `controller`; it serves on when every source is gone.

pub mod forwarded;
pub mod headers;
pub mod message;

pub mod cookie;

pub mod hash;

pub mod session;

pub mod registry;

pub mod budget;

pub mod ejection;

pub mod balance;
pub mod proxy_protocol;
pub mod control;
pub mod drain;
pub mod message;
pub mod systemd;
pub mod takeover;
pub mod codec;
pub mod message;
pub mod path;
