//! What field names mean to a proxy.
