//! The access log: a line per request, written by a thread that may block.
//!
//! A worker formats into its own buffer and hands full buffers to the writer's bounded queue. It
//! never waits: what the queue doesn't take is dropped and counted. This module must not know
//! how a request was served.

mod escape;
mod json;
mod text;
mod time;
mod writer;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use super::cells::SharedCounter;
use super::record::Record;
use crate::limits;
use crate::model::AccessLogFormat;

use writer::{Output, Writer};

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    Stdout,
    /// Appended to, and opened anew by [`AccessLog::reopen`].
    File(PathBuf),
}

/// The writer's queue and its thread.
pub struct AccessLog {
    queue: SyncSender<Lines>,
    shared: Arc<Shared>,
    /// Closed when the writer has written everything.
    done: Receiver<()>,
}

/// A worker's buffer.
pub struct WorkerLog {
    queue: SyncSender<Lines>,
    shared: Arc<Shared>,
    lines: Lines,
}

struct Shared {
    /// Memory that waits for the writer.
    queued: AtomicUsize,
    reopen: AtomicBool,
    dropped: SharedCounter,
}

/// Whole lines on their way to the writer.
#[derive(Default)]
struct Lines {
    text: Vec<u8>,
    count: u64,
}

impl AccessLog {
    /// `dropped` counts lines that could not be queued or written.
    pub fn start(sink: Sink, dropped: SharedCounter) -> io::Result<Self> {
        match sink {
            Sink::Stdout => Self::write_to(Output::Fixed(Box::new(io::stdout())), dropped),
            Sink::File(path) => Self::write_to(Output::open(path)?, dropped),
        }
    }

    fn write_to(output: Output, dropped: SharedCounter) -> io::Result<Self> {
        let (queue, lines) = sync_channel(limits::LOG_QUEUE_CHUNKS);
        // Nothing is ever sent: the writer's end of it is dropped when the writer is done.
        let (finished, done) = sync_channel(0);
        let shared = Arc::new(Shared {
            queued: AtomicUsize::new(0),
            reopen: AtomicBool::new(false),
            dropped,
        });
        let writer = Writer::new(output, shared.clone());
        std::thread::Builder::new().name("access-log".into()).spawn(move || {
            writer.run(&lines);
            drop(finished);
        })?;
        Ok(Self { queue, shared, done })
    }

    /// A buffer for one worker.
    pub fn worker(&self) -> WorkerLog {
        WorkerLog {
            queue: self.queue.clone(),
            shared: self.shared.clone(),
            lines: Lines::default(),
        }
    }

    /// Makes the writer open its file again before the next lines: it was rotated.
    pub fn reopen(&self) {
        self.shared.reopen.store(true, Ordering::Relaxed);
    }

    /// Waits until everything is written, which needs every [`WorkerLog`] to be gone. Says
    /// whether that was so in time; a reader that doesn't read can't hold the end up for longer.
    pub fn close(self, wait: Duration) -> bool {
        drop(self.queue);
        self.done.recv_timeout(wait) == Err(RecvTimeoutError::Disconnected)
    }
}

impl WorkerLog {
    pub fn write(&mut self, format: AccessLogFormat, record: &Record) {
        let Lines { text, count } = &mut self.lines;
        if text.capacity() == 0 {
            text.reserve(limits::LOG_BUFFER_BYTES);
        }
        let start = text.len();
        match format {
            AccessLogFormat::Json => json::push_line(text, record),
            AccessLogFormat::Text => text::push_line(text, record),
        }
        if text.len() - start > limits::LOG_LINE_BYTES {
            text.truncate(start);
            self.shared.dropped.inc();
            return;
        }
        *count += 1;
        if text.len() >= limits::LOG_CHUNK_BYTES {
            self.flush();
        }
    }

    /// Hands the lines on, or drops them where the queue is full.
    pub fn flush(&mut self) {
        if self.lines.count == 0 {
            return;
        }
        let lines = std::mem::take(&mut self.lines);
        let (count, held) = (lines.count, lines.text.capacity());
        let before = self.shared.queued.fetch_add(held, Ordering::Relaxed);
        let queued = before + held <= limits::LOG_QUEUE_BYTES && self.queue.try_send(lines).is_ok();
        if !queued {
            self.shared.queued.fetch_sub(held, Ordering::Relaxed);
            self.shared.dropped.add(count);
        }
    }
}

impl Drop for WorkerLog {
    fn drop(&mut self) {
        self.flush();
    }
}

/// So that tests can look on from the other end of a pipe.
#[cfg(test)]
fn start_on(output: impl io::Write + Send + 'static, dropped: SharedCounter) -> AccessLog {
    AccessLog::write_to(Output::Fixed(Box::new(output)), dropped).expect("a thread can be made")
}

#[cfg(test)]
mod tests;
