//! Everything that needs no privileges, in one binary.
