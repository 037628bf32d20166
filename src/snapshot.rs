//! Placeholder.

use crate::model::{Part, PartKey};

/// What a commit of the lowering brought.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub upserted: Vec<Part>,
    pub removed: Vec<PartKey>,
}
