//! The controller.

pub mod infrastructure;
