//! `host[:port]`, checked and in one spelling.
