//! The thread that looks at the files, so that a disk that hangs holds up nobody else.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc;

use super::bell::Bell;
use super::files::{Batch, Files};
use super::noticed::Noticed;
use super::watch::Watch;
use crate::clock::{self, Instant};
use crate::limits;

/// A look that finds new directories looks again, this often at most.
const ROUNDS: usize = 16;

/// Runs until it is dropped.
#[derive(Debug)]
pub(super) struct Looking {
    bell: Arc<Bell>,
    batches: mpsc::Receiver<Batch>,
}

impl Looking {
    pub(super) fn start(files: Files, bell: Bell) -> std::io::Result<Self> {
        let bell = Arc::new(bell);
        let (sender, batches) = mpsc::channel(1);
        let looker = Looker {
            files,
            watch: Watch::new(),
            noticed: Noticed::default(),
            bell: Arc::clone(&bell),
            batches: sender,
        };
        thread::Builder::new().name("files".to_owned()).spawn(move || looker.run())?;
        Ok(Self { bell, batches })
    }

    /// `None` when the thread is gone.
    pub(super) async fn next(&mut self) -> Option<Batch> {
        self.batches.recv().await
    }

    pub(super) fn rescan(&self) -> u64 {
        self.bell.rescan()
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        self.bell.stop();
    }
}

struct Looker {
    files: Files,
    watch: Watch,
    noticed: Noticed,
    bell: Arc<Bell>,
    batches: mpsc::Sender<Batch>,
}

impl Looker {
    fn run(mut self) {
        let mut due = clock::now();
        let (mut asked, mut made) = (0, 0);
        let mut last: Option<Looked> = None;
        loop {
            let woken = self.watch.wait(&self.bell, due, &mut self.noticed);
            if woken.stopped {
                return;
            }
            if let Some(rescans) = woken.rescans {
                self.files.distrust();
                asked = rescans;
            }
            thread::sleep(last.map_or(limits::FILE_PAUSE, |last| last.pause(clock::now())));
            // What came meanwhile is seen by this look.
            self.watch.read(&mut self.noticed);
            self.noticed.take_news();
            let began = clock::now();
            let (batch, again) = self.look();
            let ended = clock::now();
            last = Some(Looked { ended, took: ended.saturating_duration_since(began) });
            due = again.unwrap_or(ended + limits::FILE_POLL);
            // What rests is read by then; what never rests is not waited for.
            let read = again.is_none() || batch.as_ref().is_some_and(|one| !one.files.is_empty());
            let untold = made < asked && read;
            let batch = batch.or_else(|| untold.then(|| self.files.nothing()));
            if let Some(mut batch) = batch {
                made = if read { asked } else { made };
                batch.rescans = made;
                if self.batches.blocking_send(batch).is_err() {
                    return;
                }
            }
        }
    }

    fn look(&mut self) -> (Option<Batch>, Option<Instant>) {
        let mut rounds = 0;
        loop {
            rounds += 1;
            let now = clock::now();
            let look = self.files.look(now, Some(&self.noticed), Batch::default());
            self.noticed.forget_rested(now);
            let watch = &mut self.watch;
            let troubled = watch.trouble.is_some();
            let new = watch.follow(&look.walk, self.files.arguments(), &self.files.mentions());
            let news = watch.trouble.is_some() != troubled;
            let batch = look.batch.or_else(|| news.then(|| self.files.nothing()));
            if let Some(mut batch) = batch {
                batch.diagnostics.extend(self.watch.trouble.clone());
                // Whatever a new watch may have missed is found at once by the next look.
                let again = if new { Some(clock::now()) } else { look.again };
                return (Some(batch), again);
            }
            if !new || rounds == ROUNDS {
                return (None, look.again);
            }
        }
    }
}

/// The last look.
#[derive(Clone, Copy)]
struct Looked {
    ended: Instant,
    took: Duration,
}

impl Looked {
    /// However many events there are, looking takes a quarter of the thread's time, and happens
    /// no more often than files could come to rest.
    fn pause(self, now: Instant) -> Duration {
        let rest = (self.ended + limits::FILE_REST).saturating_duration_since(now);
        rest.max(limits::FILE_PAUSE).max(3 * self.took).min(limits::FILE_BATCH)
    }
}
