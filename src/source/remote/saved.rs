//! Parts in a file, for the process that comes after this one.
//!
//! The file holds private keys, so it is its owner's alone. It is written beside its place and
//! moved there, and a checksum tells what a crash left of it: whatever isn't whole is no file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use prost::Message;

use super::held::Held;
use crate::limits;
use crate::model::PartHash;
use crate::wire;

const NAME: &str = "parts";
const NEW: &str = "parts.new";
/// What the file begins with: our name and the form of what follows.
const MAGIC: &[u8] = b"meshctl parts 1\n";
/// 128 bits of XXH3 in text, and a line's end.
const SUM_BYTES: usize = 33;

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct Saved {
    /// Of the binary that read the parts: another may read more of them.
    #[prost(string, tag = "1")]
    version: String,
    #[prost(message, repeated, tag = "2")]
    parts: Vec<SavedPart>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct SavedPart {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    version: String,
    #[prost(bytes = "vec", tag = "3")]
    bytes: Vec<u8>,
}

/// Private keys are never printed.
impl std::fmt::Debug for Saved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Saved").field("parts", &self.parts.len()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SavedPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SavedPart").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Saved {
    /// The parts that can be read. What another version saved is served, and asked for again.
    pub(super) fn held(self, version: &str) -> Held {
        let same = self.version == version;
        let mut held = Held::default();
        for saved in self.parts {
            match wire::decode(&saved.bytes) {
                Ok(part) => {
                    let known = if same { saved.version } else { String::new() };
                    held.insert(saved.name.into(), known.into(), part);
                }
                Err(error) => tracing::warn!(part = saved.name, "a saved part is left: {error}"),
            }
        }
        held
    }
}

/// What is there; `None` with a warning where that is no use.
pub(super) fn load(directory: &Path) -> Option<Saved> {
    let path = directory.join(NAME);
    match read(&path) {
        Ok(saved) => Some(saved),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "the saved parts are not used");
            None
        }
    }
}

fn read(path: &Path) -> io::Result<Saved> {
    let damaged = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
    let mut bytes = Vec::new();
    let most = limits::WIRE_TRANSACTION_BYTES as u64;
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| damaged("it is of another form"))?;
    let (sum, rest) = rest.split_at_checked(SUM_BYTES).ok_or_else(|| damaged("it is cut short"))?;
    if sum != check_sum(rest).as_bytes() {
        return Err(damaged("its checksum is another"));
    }
    Saved::decode(rest).map_err(|error| damaged(&error.to_string()))
}

pub(super) fn store(directory: &Path, version: &str, held: &Held) -> io::Result<()> {
    let part = |(name, kept): (&std::sync::Arc<str>, &super::held::Kept)| SavedPart {
        name: name.to_string(),
        version: kept.version.to_string(),
        bytes: wire::encode(&kept.part),
    };
    let saved = Saved { version: version.to_owned(), parts: held.iter().map(part).collect() };
    let bytes = saved.encode_to_vec();
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let new: PathBuf = directory.join(NEW);
    // Of a process that was killed while it wrote.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(MAGIC)?;
    file.write_all(check_sum(&bytes).as_bytes())?;
    file.write_all(&bytes)?;
    drop(file);
    fs::rename(&new, directory.join(NAME))
}

fn check_sum(bytes: &[u8]) -> String {
    format!("{:?}\n", PartHash::of(&bytes))
}
