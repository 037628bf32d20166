//! Statuses as the API spells them.
