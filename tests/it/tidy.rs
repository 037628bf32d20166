//! How the source is kept, read from its text: layers, module headers, sizes, names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::in_repository;

/// What each module of the library may use besides itself. `names` and `limits` are tables that
/// all may read.
const LAYERS: &[(&str, &[&str])] = &[
    ("names", &[]),
    ("limits", &[]),
    ("clock", &[]),
    ("model", &[]),
    ("yaml", &[]),
    ("snapshot", &["model"]),
    // Of the snapshot it knows the changes that it hands over.
    ("config", &["model", "yaml", "snapshot"]),
    // Parts as bytes.
    ("wire", &["model", "snapshot"]),
    ("identity", &["model", "clock"]),
    ("source", &["model", "yaml", "config", "snapshot", "wire", "clock"]),
    ("telemetry", &["model", "snapshot", "clock"]),
    ("proxy", &["model", "snapshot", "identity", "telemetry", "clock"]),
    ("manifest", &["model", "yaml"]),
    // Other people's kinds into ours: what comes out is written, never lowered.
    ("convert", &["yaml", "config", "manifest", "model"]),
    // The one door to a kube client.
    ("cluster", &["model"]),
    // Where resources live, for whoever changes them.
    ("store", &["model", "yaml", "config", "source", "cluster", "clock"]),
    // Canaries and dark launches: what to do next, and where resources live doing it.
    // Of the proxy its control door alone.
    (
        "rollout",
        &["model", "yaml", "config", "source", "store", "telemetry", "proxy", "cluster", "clock"],
    ),
    (
        "controller",
        &[
            "model",
            "yaml",
            "config",
            "snapshot",
            "wire",
            // To tell the replica that leads, as a proxy tells the controller.
            "source",
            "telemetry",
            // Its control door alone.
            "proxy",
            // For the webhook's TLS.
            "identity",
            "manifest",
            "cluster",
            "rollout",
            "store",
            "clock",
        ],
    ),
    // What the controller is installed by, and removed.
    ("install", &["manifest", "cluster", "clock"]),
    // What is seen of it from outside.
    ("survey", &["model", "config", "manifest", "cluster", "controller", "install", "clock"]),
    // A process put together.
    (
        "serve",
        &["model", "config", "snapshot", "identity", "source", "telemetry", "proxy", "clock"],
    ),
];
const FOR_ALL: &[&str] = &["names", "limits"];

/// Longer than this, a file has two ideas.
const FILE_LINES: usize = 500;
const LONG_FILES: &[(&str, &str)] = &[];

/// Limits that no code reads yet. A limit that is read must leave this list.
const LIMITS_WAITING: &[&str] = &[];

struct Source {
    /// From the root of the repository.
    path: String,
    text: String,
}

impl Source {
    fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || self.path.ends_with("/tests.rs")
            || self.path.contains("/tests/")
    }

    /// Lines without comments, numbered from 1.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        lines.map(|(number, line)| (number + 1, line.split("//").next().unwrap_or_default()))
    }

    /// The module of the library: `proxy` for `src/proxy/h1/read.rs`.
    fn module(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        let first = inside.split('/').next()?;
        Some(first.strip_suffix(".rs").unwrap_or(first)).filter(|module| *module != "lib")
    }
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    for folder in ["cmd", "src", "tests/it", "tests/support"] {
        gather(&in_repository(folder), &mut found);
    }
    assert!(found.len() > 20, "the sources were not found");
    found.sort_by(|a: &Source, b| a.path.cmp(&b.path));
    found
}

fn gather(folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
            let text = fs::read_to_string(&path).unwrap();
            found.push(Source { path: name.display().to_string(), text });
        }
    }
}

fn assert_none(problems: &[String], rule: &str) {
    assert!(problems.is_empty(), "{rule}\n{}", problems.join("\n"));
}

/// The modules that a line names as `crate::module` or `meshctl::module`.
fn modules_named(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for root in ["crate::", "meshctl::"] {
        for (position, _) in line.match_indices(root) {
            let whole_word = !line[..position].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let rest = &line[position + root.len()..];
            let names = match rest.strip_prefix('{') {
                Some(group) => group.split('}').next().unwrap_or_default(),
                None => rest.split([',', ';']).next().unwrap_or_default(),
            };
            for name in names.split(',').filter(|_| whole_word) {
                let word = name.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next();
                found.extend(word.filter(|word| !word.is_empty()));
            }
        }
    }
    found
}

#[test]
fn modules_use_only_what_stands_below_them() {
    let layers: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let mut problems = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        let Some(module) = source.module() else { continue };
        let Some(allowed) = layers.get(module) else {
            problems.push(format!("{}: `{module}` has no row in the table of layers", source.path));
            continue;
        };
        for (number, line) in source.code() {
            for used in modules_named(line) {
                let known = layers.contains_key(used);
                let may = used == module || FOR_ALL.contains(&used) || allowed.contains(&used);
                if known && !may {
                    problems.push(format!("{}:{number}: {module} uses {used}", source.path));
                }
            }
        }
    }
    assert_none(&problems, "A module uses what it must not know (the table is in this test):");
}

#[test]
fn the_reader_of_layers_reads() {
    assert_eq!(modules_named("use crate::model::{Cause, Name};"), ["model"]);
    assert_eq!(modules_named("use crate::{limits, model::Cause};"), ["limits", "model"]);
    assert_eq!(
        modules_named("fn f() -> crate::clock::X { crate::limits::Y }"),
        ["clock", "limits"]
    );
    assert_eq!(modules_named("use supercrate::model;"), Vec::<&str>::new());
}

/// `cmd/` alone parses arguments, reads the environment, prints and exits; the environment is
/// clippy's to watch, and the terminal's crates are watched here.
#[test]
fn the_terminal_is_known_to_commands_alone() {
    let crates = [
        "clap",
        "clap_complete",
        "clap_mangen",
        "comfy_table",
        "anstream",
        "indicatif",
        "ratatui",
        "crossterm",
    ];
    let mut problems = Vec::new();
    for source in sources().iter().filter(|source| source.path.starts_with("src/")) {
        for (number, line) in source.code() {
            for name in crates.iter().filter(|name| line.contains(&format!("{name}::"))) {
                problems.push(format!("{}:{number}: {name}", source.path));
            }
        }
    }
    assert_none(&problems, "The library uses what belongs to the command line:");
}

#[test]
fn every_module_says_what_it_is() {
    let sources = sources();
    let opens = |source: &&Source| {
        let start = source.text.trim_start();
        let included = source.path == "src/lib.rs" && start.starts_with("#![doc = include_str!");
        // Unit tests stand beside what they test, and that says what it is.
        let unit_test = source.is_test() && !source.path.starts_with("tests/");
        start.starts_with("//!") || included || unit_test
    };
    let silent = sources.iter().filter(|source| !opens(source)).map(|source| source.path.clone());
    assert_none(&silent.collect::<Vec<_>>(), "A module begins with `//!` and what it is:");
}

#[test]
fn files_have_names_and_sizes_that_mean_something() {
    let empty_names = ["utils", "util", "helpers", "helper", "common", "misc", "mod"];
    let mut problems = Vec::new();
    let sources = sources();
    for source in &sources {
        let stem = PathBuf::from(&source.path).file_stem().unwrap().to_string_lossy().into_owned();
        if empty_names.contains(&stem.as_str()) {
            problems.push(format!("{}: the name says nothing", source.path));
        }
        let lines = source.text.lines().count();
        let excused = LONG_FILES.iter().any(|(path, _)| *path == source.path);
        if lines > FILE_LINES && !excused {
            problems.push(format!("{}: {lines} lines; look for the missing name", source.path));
        }
        if lines <= FILE_LINES && excused {
            problems.push(format!("{}: short enough now, it needs no excuse", source.path));
        }
    }
    for (path, _) in LONG_FILES.iter().filter(|(path, _)| sources.iter().all(|s| s.path != *path)) {
        problems.push(format!("{path}: excused and not there"));
    }
    assert_none(&problems, "Files:");
}

#[test]
fn nothing_is_skipped_and_nothing_panics_at_random() {
    // In pieces, or this file would find itself.
    let ignore = ["#[", "ignore"].concat();
    let unwrap = [".unw", "rap()"].concat();
    let mut problems = Vec::new();
    for source in sources() {
        for (number, line) in source.code() {
            if line.contains(&ignore) {
                problems.push(format!("{}:{number}: a test that nobody runs", source.path));
            }
            if line.contains(&unwrap) && !source.is_test() {
                problems.push(format!("{}:{number}: say why it holds, in an expect", source.path));
            }
        }
    }
    assert_none(&problems, "Tests and panics:");
}

#[test]
fn every_limit_limits_something() {
    let sources = sources();
    let limits = sources.iter().find(|source| source.path == "src/limits.rs").unwrap();
    let names: Vec<&str> = limits
        .code()
        .filter_map(|(_, line)| line.strip_prefix("pub const ")?.split(':').next())
        .collect();
    assert!(names.len() > 30, "{names:?}");
    let readers = sources.iter().filter(|source| source.path != limits.path && !source.is_test());
    let used: BTreeSet<String> = readers.flat_map(limits_named).collect();
    let waits = |name: &str| LIMITS_WAITING.contains(&name);
    let mut problems = Vec::new();
    for name in names.iter().filter(|name| !used.contains::<str>(name) && !waits(name)) {
        problems.push(format!("{name} is read nowhere"));
    }
    for name in
        LIMITS_WAITING.iter().filter(|name| used.contains::<str>(name) || !names.contains(name))
    {
        problems.push(format!("{name} doesn't wait any more: take it off the list"));
    }
    assert_none(&problems, "Limits:");
}

/// The constants that stand behind `limits::`, alone or in braces; comments don't count.
fn limits_named(source: &Source) -> Vec<String> {
    let code: String = source.code().map(|(_, line)| format!("{line}\n")).collect();
    let mut found = Vec::new();
    for rest in code.split("limits::").skip(1) {
        let names = match rest.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap_or_default(),
            None => {
                rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
            }
        };
        found.extend(names.split(',').map(|name| name.trim().to_owned()));
    }
    found
}

/// Paths of somebody's machine and addresses of somebody's registry are nobody else's.
#[test]
fn generated_files_name_no_machine() {
    let home = ["/ro", "ot/"].concat();
    let work = ["/wo", "rk/"].concat();
    let mut problems = Vec::new();
    let mut waiting = vec![in_repository("completions"), in_repository("tests/cases")];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
                continue;
            }
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            if text.contains(&home) || text.contains(&work) {
                problems.push(path.display().to_string());
            }
        }
    }
    assert_none(&problems, "A path of one machine:");
}
