//! How far a rollout of a directory is, with the bytes that its files had before.

use serde::{Deserialize, Serialize};

use crate::rollout::state::State;
use crate::store::FileChange;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Record {
    pub state: State,
    /// What takes back everything that was written, byte for byte. Empty where nothing was, or
    /// where somebody else has edited a file in between.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) back: Vec<FileChange>,
}

impl Record {
    /// One more change was made; `undo` takes it back.
    pub(super) fn wrote(&mut self, undo: &[FileChange]) {
        for change in undo {
            let Some(known) = self.back.iter_mut().find(|one| one.path == change.path) else {
                self.back.push(change.clone());
                continue;
            };
            // The file was as we had left it, or as it was at first.
            let unbroken = known.before == change.after || known.after == change.after;
            known.before.clone_from(&change.before);
            if !unbroken {
                // What somebody else wrote stays: the way back begins there.
                known.after.clone_from(&change.after);
            }
        }
    }
}
