//! The world over time: files and names, watched, as changes of parts.
//!
//! [`Feed`] reads files into objects, lowers them, and says what changed; [`Resolver`] puts
//! addresses in the place of names on the way to a Snapshot. Whatever happens outside (a disk
//! that is gone, half a file, a name server that doesn't answer), what was good before stays.
//!
//! This module must not know who serves the parts, nor how the command line is spelled.

mod bell;
mod contents;
mod dns;
mod feed;
mod files;
mod hosts;
mod look;
pub mod manifests;
mod mentioned;
mod noticed;
mod read;
pub mod remote;
mod texts;
mod walk;
mod watch;
mod weights;

pub use dns::Resolver;
pub use feed::{Feed, Inputs, Update};
pub use files::{Counters, Summary};
pub use texts::{Texts, texts};
