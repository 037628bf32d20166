//! The data plane: bytes in, a decision from one Snapshot, bytes out.
//!
//! Files stand in the order in which a request meets them. Gateway, sidecar and ambassador
//! differ only in `entry.rs`. This module must not read configuration files, talk to Kubernetes,
//! or know `rollout` and `controller`; it serves on when every source is gone.

pub mod message;

pub mod process;

pub mod worker;

pub mod world;

pub mod listener;

pub mod connection;

pub mod panics;

pub mod proxy_protocol;

pub mod codec;

pub mod path;

pub mod deadline;

pub mod spare;

pub mod routing;

pub mod exchange;

pub mod forwarded;

pub mod view;

pub mod stage;

pub mod headers;

pub mod session;

pub mod cookie;

pub mod hash;

pub mod balance;

pub mod registry;

pub mod ejection;

pub mod budget;

pub mod upstream;

pub mod mirror;

pub mod respond;

pub mod tunnel;

pub mod drain;

pub mod explain;

pub mod control;

pub mod takeover;

pub mod systemd;
