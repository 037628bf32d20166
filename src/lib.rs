#![doc = include_str!("ARCHITECTURE.md")]

pub mod names;

pub mod limits;

pub mod clock;

pub mod model;

pub mod yaml;

pub mod config;

pub mod snapshot;

pub mod wire;

pub mod source;

pub mod identity;

pub mod telemetry;

pub mod proxy;

pub mod manifest;

pub mod convert;

pub mod cluster;

pub mod store;

pub mod rollout;

pub mod controller;

pub mod install;

pub mod survey;

pub mod serve;
