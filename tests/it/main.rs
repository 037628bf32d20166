//! Everything that needs no privileges, in one binary.

mod oracle;
mod smuggling;
mod splitting;
