//! Files whose bytes are data of a Secret or ConfigMap (`meshctl.dev/from-files`).
//!
//! A path may be absolute and may lead anywhere: whoever writes the directory runs the proxy.
//! That holds for files alone, and a store that others write to must not read the annotation.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::read::{self, Stamp};
use crate::config::Diagnostic;
use crate::config::codes;
use crate::config::decode;
use crate::config::raw::{At, Object, Origin, Spec};
use crate::limits;
use crate::model::Name;

/// What is known of each file.
#[derive(Debug, Default)]
pub(super) struct Mentioned {
    files: BTreeMap<PathBuf, Attached>,
}

#[derive(Debug)]
struct Attached {
    /// `None` while it isn't there.
    stamp: Option<Stamp>,
    /// The reason, as a sentence's end, when there are none.
    bytes: Result<Arc<[u8]>, String>,
}

/// (key, path) of each file that the object's annotation names.
pub(super) fn paths(object: &Object, manifest: &Path) -> Vec<(Name, PathBuf)> {
    if !matches!(object.spec, Spec::Secret(_) | Spec::ConfigMap(_)) {
        return Vec::new();
    }
    let directory = manifest.parent().unwrap_or(Path::new("/"));
    let one = |(key, file): (&str, &str)| (Name::from(key.trim()), directory.join(file.trim()));
    decode::from_files(&object.meta).map(one).collect()
}

impl Mentioned {
    /// Whether the file is another one than what was read.
    pub(super) fn has_changed(&self, path: &Path, stamp: Option<Stamp>) -> bool {
        self.files.get(path).is_none_or(|known| known.stamp != stamp)
    }

    pub(super) fn read(&mut self, path: &Path) {
        let attached = match read::file(path, limits::DATA_BYTES as u64) {
            Ok(reading) => Attached { stamp: Some(reading.stamp), bytes: Ok(reading.bytes.into()) },
            Err(error) => Attached { stamp: Stamp::at(path), bytes: Err(error.to_string()) },
        };
        self.files.insert(path.to_owned(), attached);
    }

    pub(super) fn keep(&mut self, used: &BTreeSet<PathBuf>) {
        self.files.retain(|path, _| used.contains(path));
    }

    pub(super) fn forget(&mut self, path: &Path) {
        self.files.remove(path);
    }

    /// The object with the bytes of its files.
    pub(super) fn attach(
        &mut self,
        object: &Object,
        origin: &Origin,
        paths: &[(Name, PathBuf)],
    ) -> Result<Object, Diagnostic> {
        let mut whole = object.clone();
        let wrong = |message: String| {
            Diagnostic::error(codes::FROM_FILES, origin, object.meta.place, message)
        };
        let data = match &mut whole.spec {
            Spec::Secret(secret) => &mut secret.data,
            Spec::ConfigMap(map) => &mut map.data,
            _ => return Ok(whole),
        };
        for (key, path) in paths {
            if !self.files.contains_key(path) {
                self.read(path);
            }
            let known = self.files.get(path).map(|attached| attached.bytes.clone());
            match known {
                Some(Ok(bytes)) => {
                    data.insert(key.clone(), At::new(bytes, object.meta.place));
                }
                Some(Err(reason)) => {
                    return Err(wrong(format!("`{}` can't be read: {reason}", path.display())));
                }
                None => {}
            }
        }
        let bytes: usize = data.values().map(|value| value.value.len()).sum();
        if bytes > limits::DATA_BYTES {
            let message = format!("the values have {bytes} bytes in all, at most 1 MiB is allowed");
            return Err(wrong(message));
        }
        Ok(whole)
    }
}
