//! The thread that writes log lines and may block.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;

use super::{Lines, Shared};

/// What is written to.
pub(super) enum Output {
    Fixed(Box<dyn Write + Send>),
    File { path: PathBuf, file: File },
}

impl Output {
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let file = append_to(&path)?;
        Ok(Self::File { path, file })
    }

    fn reopen(&mut self) {
        let Self::File { path, file } = self else { return };
        match append_to(path) {
            Ok(new) => *file = new,
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "the access log can't be opened again");
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Fixed(output) => output.write_all(bytes).and_then(|()| output.flush()),
            Self::File { file, .. } => file.write_all(bytes),
        }
    }
}

/// Lines name clients, so the file isn't for everyone.
fn append_to(path: &PathBuf) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o640).open(path)
}

pub(super) struct Writer {
    output: Output,
    shared: Arc<Shared>,
    /// The last write failed, maybe in the middle of a line.
    torn: bool,
}

impl Writer {
    pub(super) fn new(output: Output, shared: Arc<Shared>) -> Self {
        Self { output, shared, torn: false }
    }

    /// Until the last sender is gone.
    pub(super) fn run(mut self, queue: &Receiver<Lines>) {
        while let Ok(lines) = queue.recv() {
            if self.shared.reopen.swap(false, Ordering::Relaxed) {
                self.output.reopen();
            }
            let held = lines.text.capacity();
            self.write(&lines);
            drop(lines);
            self.shared.queued.fetch_sub(held, Ordering::Relaxed);
        }
    }

    fn write(&mut self, lines: &Lines) {
        let mended = if self.torn { self.output.write(b"\n") } else { Ok(()) };
        let written = mended.and_then(|()| self.output.write(&lines.text));
        self.torn = written.is_err();
        if written.is_err() {
            self.shared.dropped.add(lines.count);
        }
    }
}
