#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::io::Read;

use super::super::elf::{EM_AARCH64, EM_X86_64};
use super::*;

/// A header, program headers of these types, and no content.
fn elf(machine: u16, types: &[u32]) -> Vec<u8> {
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(64, 0);
    file[18..20].copy_from_slice(&machine.to_le_bytes());
    file[32..40].copy_from_slice(&64_u64.to_le_bytes());
    file[54..56].copy_from_slice(&56_u16.to_le_bytes());
    file[56..58].copy_from_slice(&u16::try_from(types.len()).unwrap().to_le_bytes());
    for kind in types {
        file.extend(kind.to_le_bytes());
        file.resize(file.len() + 52, 0);
    }
    file
}

fn archive(program: &[u8], name: &str, ca_bundle: Option<&[u8]>) -> Result<Vec<u8>, WriteError> {
    let name = ImageName::parse(name).unwrap();
    let image = Image { name, version: "1.2.3", program, ca_bundle, allow_dynamic: false };
    let mut bytes = Vec::new();
    image.write(&mut bytes).map(|()| bytes)
}

/// (path, mode, content) of every file, and that each entry says nothing of where it came from.
fn entries(archive: &[u8]) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut reader = tar::Archive::new(archive);
    let mut found = BTreeMap::new();
    for entry in reader.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        let header = entry.header();
        assert_eq!(header.mtime().unwrap(), 0, "{path}");
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0), "{path}");
        let mode = header.mode().unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        found.insert(path, (mode, content));
    }
    found
}

#[test]
fn an_archive_is_an_oci_layout_whose_digests_are_right() {
    let program = elf(EM_X86_64, &[1, 6]);
    let bytes = archive(&program, "meshctl:1.2.3", None).unwrap();
    assert_eq!(bytes, archive(&program, "meshctl:1.2.3", None).unwrap(), "not reproducible");
    let entries = entries(&bytes);
    let read = |path: &str| entries[path].1.clone();
    let json = |path: &str| -> Value { serde_json::from_slice(&read(path)).unwrap() };
    for (path, (_, content)) in entries.iter().filter(|(path, _)| path.starts_with("blobs/")) {
        if !path.ends_with('/') {
            assert_eq!(path, &format!("blobs/sha256/{}", sha256(content)));
        }
    }
    let blob = |descriptor: &Value| {
        let digest = descriptor["digest"].as_str().unwrap().replace(':', "/");
        let content = read(&format!("blobs/{digest}"));
        assert_eq!(descriptor["size"], content.len());
        content
    };
    assert_eq!(json("oci-layout")["imageLayoutVersion"], "1.0.0");
    let listed = json("index.json")["manifests"][0].clone();
    assert_eq!(
        listed["annotations"]["io.containerd.image.name"],
        "docker.io/library/meshctl:1.2.3"
    );
    assert_eq!(listed["platform"]["architecture"], "amd64");
    let manifest: Value = serde_json::from_slice(&blob(&listed)).unwrap();
    let config: Value = serde_json::from_slice(&blob(&manifest["config"])).unwrap();
    assert_eq!(config["config"]["User"], "65532");
    assert_eq!(config["config"]["Entrypoint"][0], "/meshctl");
    assert_eq!(config["rootfs"]["diff_ids"][0], manifest["layers"][0]["digest"]);
    let layer = self::entries(&blob(&manifest["layers"][0]));
    assert_eq!(layer.keys().collect::<Vec<_>>(), ["meshctl"]);
    assert_eq!(layer["meshctl"], (0o755, program));

    // What Docker reads names the same blobs.
    let docker = &json("manifest.json")[0];
    assert_eq!(docker["RepoTags"][0], "meshctl:1.2.3");
    let named = |path: &Value| read(path.as_str().unwrap());
    assert_eq!(named(&docker["Layers"][0]), blob(&manifest["layers"][0]));
    assert_eq!(named(&docker["Config"]), blob(&manifest["config"]));
}

#[test]
fn certificates_stand_where_the_system_looks() {
    let bytes = archive(&elf(EM_AARCH64, &[]), "meshctl", Some(b"pem")).unwrap();
    let entries = entries(&bytes);
    let layers = entries.values().filter(|(_, content)| content.starts_with(b"etc/\0"));
    let layers: Vec<_> = layers.collect();
    let [(_, layer)] = layers.as_slice() else { panic!("{}", layers.len()) };
    let layer = self::entries(layer);
    assert_eq!(layer["etc/ssl/certs/ca-certificates.crt"], (0o644, b"pem".to_vec()));
}

#[test]
fn what_would_not_start_is_refused() {
    let refused = |program: &[u8]| match archive(program, "meshctl", None) {
        Err(WriteError::Image(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&elf(EM_X86_64, &[6, 3])), ImageError::Dynamic);
    assert_eq!(refused(b"#!/bin/sh\n"), ImageError::Elf(ElfError::NotElf));
    assert_eq!(refused(b""), ImageError::Elf(ElfError::NotElf));
    assert_eq!(refused(&elf(8, &[])), ImageError::Elf(ElfError::Machine));
    let whole = elf(EM_X86_64, &[1]);
    for length in 4..68 {
        let error = refused(&whole[..length]);
        let expected = if length < 6 { ElfError::Machine } else { ElfError::Cut };
        assert_eq!(error, ImageError::Elf(expected), "{length}");
    }
    let mut far = elf(EM_X86_64, &[1]);
    far[32..40].copy_from_slice(&u64::MAX.to_le_bytes());
    assert_eq!(refused(&far), ImageError::Elf(ElfError::Cut));

    let dynamic = elf(EM_X86_64, &[3]);
    let name = ImageName::parse("meshctl").unwrap();
    let image =
        Image { name, version: "1", program: &dynamic, ca_bundle: None, allow_dynamic: true };
    image.write(io::sink()).unwrap();
}

#[test]
fn names_of_images() {
    let good = [
        ("meshctl", "docker.io/library/meshctl:latest", "meshctl:latest"),
        ("meshctl:1.0", "docker.io/library/meshctl:1.0", "meshctl:1.0"),
        ("me/meshctl:1", "docker.io/me/meshctl:1", "me/meshctl:1"),
        ("localhost/meshctl", "localhost/meshctl:latest", "localhost/meshctl:latest"),
        ("localhost:5000/a/b", "localhost:5000/a/b:latest", "localhost:5000/a/b:latest"),
        ("r.example.com:5000/a_b:x", "r.example.com:5000/a_b:x", "r.example.com:5000/a_b:x"),
    ];
    for (text, full, short) in good {
        let name = ImageName::parse(text).unwrap();
        assert_eq!((name.full.as_str(), name.as_str()), (full, short), "{text}");
    }
    let long = format!("a:{}", "b".repeat(129));
    for bad in [
        "",
        ":1",
        "a:",
        "A",
        "a b",
        "a//b",
        "-a",
        "a/",
        "a..b",
        "a@sha256:00",
        "a:-x",
        "a:b c",
        &long,
    ] {
        assert!(ImageName::parse(bad).is_err(), "{bad:?}");
    }
}
