//! Wire formats: heads and bodies as bytes.
//!
//! A codec checks what came and gives the types of `message`; it must not know routes, backends
//! or policies.

pub mod h1;
