//! What a command sees of a cluster in which meshctl is installed: the proxies and how far each is,
//! what one of them believes, and everything that is wrong.
//!
//! It asks the API server, and by its `exec` the processes in the pods: each runs the program of
//! its own image against its own control door. So nothing listens on the network for a command,
//! who may look is the cluster's to say, and a command of another version is understood, because
//! what the two sides share is the command line and its JSON.
//!
//! This module must not print, change anything, or choose a cluster.

mod certificates;
mod health;
mod mesh;
mod proxies;
mod replicas;
mod rights;
#[cfg(test)]
mod tests;

pub use health::{Health, health, mesh_of};
pub use mesh::Mesh;
use mesh::mesh;
pub use proxies::{Seen, State, join};
pub use replicas::{Asked, Replicas, Unasked, at_doors, of_proxy, pods, replicas};

/// Where the program stands in its image.
const PROGRAM: &str = "/meshctl";
