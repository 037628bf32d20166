//! Outside into model: the only place that knows how resources are spelled.
//!
//! `decode` turns a document into a [`raw::Object`], `index` keeps the objects by key, `lower`
//! turns what changed into parts. Nothing here fails as a whole: what is good goes on, what is
//! bad becomes a [`Diagnostic`] and keeps its last good state or its defined failure.
//!
//! This module must not know tokio, the network or who asks.

pub mod address;
pub mod codes;
pub mod decode;
pub mod diagnostic;
pub mod duration;
pub mod flags;
pub mod index;
pub mod lower;
pub mod quick;
pub mod raw;
pub mod render;
pub mod returning;
pub mod status;
pub mod suggest;
pub mod unmatched;

pub use diagnostic::{Code, Diagnostic, Severity};
