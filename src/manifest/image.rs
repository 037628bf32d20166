//! This program as a container image: one static binary is all of it, so that no registry, no
//! Dockerfile and no daemon are needed to have one.
//!
//! The archive is an OCI image layout (image-layout.md of the image specification 1.1) with a
//! `manifest.json` beside it, so that containerd, Podman and Docker all load it. The same binary
//! makes the same bytes: nothing in it tells the time, the machine or the user.

use std::fmt;
use std::io::{self, Write};

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::elf::{Elf, ElfError, Machine};

/// Where the binary stands in the image.
const PROGRAM: &str = "meshctl";
/// `nobody` of images that have no users; the same as in the Deployments.
pub const USER: u32 = 65_532;
/// Where `wellKnownCACertificates: System` looks first.
const CA_BUNDLE: &str = "etc/ssl/certs/ca-certificates.crt";
/// No image was made at another time.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// What goes into an image.
#[derive(Clone, Debug)]
pub struct Image<'a> {
    pub name: ImageName,
    pub version: &'a str,
    pub program: &'a [u8],
    /// PEM; where a backend's certificate is checked against what the system trusts.
    pub ca_bundle: Option<&'a [u8]>,
    /// A binary that needs a loader and libraries, which the image doesn't have.
    pub allow_dynamic: bool,
}

/// `[REGISTRY[:PORT]/]PATH[:TAG]`, with what nobody writes filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageName {
    /// As container runtimes know it: `docker.io/library/meshctl:0.1.0`.
    full: String,
    /// As it was written, with a tag: `meshctl:0.1.0`.
    short: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageError {
    Elf(ElfError),
    Dynamic,
}

impl ImageName {
    /// The grammar of the distribution specification, without digests.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (path, tag) = match text.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, tag),
            _ => (text, "latest"),
        };
        let tag_char = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
        let good_tag = (1..=128).contains(&tag.len())
            && tag.bytes().all(tag_char)
            && !tag.starts_with(['.', '-']);
        let (registry, path) = match path.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => {
                (first, rest)
            }
            _ => ("docker.io", path),
        };
        let registry_char = |b: u8| b.is_ascii_alphanumeric() || b".-:[]".contains(&b);
        let good = path.split('/').all(is_path_part)
            && path.len() <= 255
            && registry.bytes().all(registry_char);
        if !good || !good_tag {
            return Err("an image's name is [REGISTRY/]PATH[:TAG], in lower case, as in \
                        `registry.example.com/tools/meshctl:1.2`"
                .into());
        }
        let library = if registry == "docker.io" && !path.contains('/') { "library/" } else { "" };
        let short = if text.ends_with(&format!(":{tag}")) {
            text.to_owned()
        } else {
            format!("{text}:{tag}")
        };
        Ok(Self { full: format!("{registry}/{library}{path}:{tag}"), short })
    }

    pub fn as_str(&self) -> &str {
        &self.short
    }

    fn tag(&self) -> &str {
        self.full.rsplit(':').next().unwrap_or_default()
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short)
    }
}

/// `a`, `a-b`, `a_b`, `a__b`, `a.b`: separators stand between letters and digits.
fn is_path_part(part: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    let separator = |c: char| "._-".contains(c);
    !part.is_empty()
        && part.bytes().all(inner)
        && !part.starts_with(separator)
        && !part.ends_with(separator)
        && !part.contains("..")
        && !part.contains("___")
}

impl Image<'_> {
    /// Writes the archive.
    pub fn write(&self, to: impl Write) -> Result<(), WriteError> {
        let parts = self.parts()?;
        let mut archive = tar::Builder::new(to);
        directory(&mut archive, "blobs/")?;
        directory(&mut archive, "blobs/sha256/")?;
        for blob in [&parts.layer, &parts.config, &parts.manifest] {
            file(&mut archive, &format!("blobs/sha256/{}", sha256(blob)), 0o444, blob)?;
        }
        file(&mut archive, "index.json", 0o444, &parts.index)?;
        file(&mut archive, "manifest.json", 0o444, &parts.docker)?;
        file(&mut archive, "oci-layout", 0o444, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        archive.into_inner()?.flush()?;
        Ok(())
    }

    fn parts(&self) -> Result<Parts, WriteError> {
        let elf = Elf::read(self.program).map_err(ImageError::Elf)?;
        if elf.interpreter && !self.allow_dynamic {
            return Err(ImageError::Dynamic.into());
        }
        let layer = self.layer()?;
        let layer_digest = sha256(&layer);
        let config = bytes(&self.config(elf.machine, &layer_digest));
        let manifest = bytes(&json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
            "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", &layer)],
        }));
        let mut listed = descriptor("application/vnd.oci.image.manifest.v1+json", &manifest);
        listed["platform"] = json!({"architecture": elf.machine.as_str(), "os": "linux"});
        listed["annotations"] = json!({
            "io.containerd.image.name": self.name.full,
            "org.opencontainers.image.ref.name": self.name.tag(),
        });
        let index = bytes(&json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [listed],
        }));
        let docker = bytes(&json!([{
            "Config": format!("blobs/sha256/{}", sha256(&config)),
            "RepoTags": [self.name.short],
            "Layers": [format!("blobs/sha256/{layer_digest}")],
        }]));
        Ok(Parts { layer, config, manifest, index, docker })
    }

    fn layer(&self) -> io::Result<Vec<u8>> {
        let mut archive = tar::Builder::new(Vec::with_capacity(self.program.len() + 4_096));
        if let Some(bundle) = self.ca_bundle {
            for parent in ["etc/", "etc/ssl/", "etc/ssl/certs/"] {
                directory(&mut archive, parent)?;
            }
            file(&mut archive, CA_BUNDLE, 0o644, bundle)?;
        }
        file(&mut archive, PROGRAM, 0o755, self.program)?;
        archive.into_inner()
    }

    fn config(&self, machine: Machine, layer_digest: &str) -> Value {
        json!({
            "created": CREATED,
            "architecture": machine.as_str(),
            "os": "linux",
            "config": {
                "User": USER.to_string(),
                "Entrypoint": [format!("/{PROGRAM}")],
                "Env": ["PATH=/"],
                "WorkingDir": "/",
                "Labels": {
                    "org.opencontainers.image.title": PROGRAM,
                    "org.opencontainers.image.version": self.version,
                },
            },
            "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{layer_digest}")]},
            "history": [{"created": CREATED, "created_by": "meshctl image save"}],
        })
    }
}

struct Parts {
    layer: Vec<u8>,
    config: Vec<u8>,
    manifest: Vec<u8>,
    index: Vec<u8>,
    docker: Vec<u8>,
}

fn descriptor(media_type: &str, blob: &[u8]) -> Value {
    json!({
        "mediaType": media_type,
        "digest": format!("sha256:{}", sha256(blob)),
        "size": blob.len(),
    })
}

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// In hexadecimal.
fn sha256(data: &[u8]) -> String {
    let hash = digest(&SHA256, data);
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn file<W: Write>(
    archive: &mut tar::Builder<W>,
    path: &str,
    mode: u32,
    content: &[u8],
) -> io::Result<()> {
    let mut header = header(mode, tar::EntryType::Regular);
    header.set_size(content.len() as u64);
    archive.append_data(&mut header, path, content)
}

fn directory<W: Write>(archive: &mut tar::Builder<W>, path: &str) -> io::Result<()> {
    let mut header = header(0o755, tar::EntryType::Directory);
    header.set_size(0);
    archive.append_data(&mut header, path, io::empty())
}

/// Root's, and of no time.
fn header(mode: u32, kind: tar::EntryType) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

/// Why there is no archive.
#[derive(Debug)]
pub enum WriteError {
    Image(ImageError),
    Io(io::Error),
}

impl From<ImageError> for WriteError {
    fn from(error: ImageError) -> Self {
        Self::Image(error)
    }
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elf(error) => write!(f, "this program can't be read: {error}"),
            Self::Dynamic => f.write_str(
                "this binary is linked dynamically: it needs libraries that the image doesn't have",
            ),
        }
    }
}

#[cfg(test)]
mod tests;
