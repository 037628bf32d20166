//! What reading cost and what it passed over, in numbers and in one line.

/// What reading cost, since the last batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub files_read: usize,
    /// Documents whose text had not been seen before in their file.
    pub documents_parsed: usize,
}

/// What was passed over in silence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub files: usize,
    pub objects: usize,
    /// Objects of other API groups.
    pub foreign: usize,
    /// YAML that is no Kubernetes object.
    pub not_objects: usize,
    /// Files and directories whose name begins with a dot.
    pub hidden: usize,
}

/// `12 objects in 3 files; passed over: 2 objects of other kinds, 1 dot-file`
impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { files, objects, foreign, not_objects, hidden } = *self;
        let count = |n: usize, one: &str, many: &str| match n {
            1 => format!("1 {one}"),
            _ => format!("{n} {many}"),
        };
        let (objects, files) = (count(objects, "object", "objects"), count(files, "file", "files"));
        write!(f, "{objects} in {files}")?;
        let passed: Vec<String> = [
            (foreign, "object of another kind", "objects of other kinds"),
            (not_objects, "document that is no object", "documents that are no objects"),
            (hidden, "dot-file", "dot-files"),
        ]
        .into_iter()
        .filter(|(n, ..)| *n > 0)
        .map(|(n, one, many)| count(n, one, many))
        .collect();
        if passed.is_empty() { Ok(()) } else { write!(f, "; passed over: {}", passed.join(", ")) }
    }
}

#[cfg(test)]
mod tests;
