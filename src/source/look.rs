//! The thread that looks at the files, so that a disk that hangs holds up nobody else.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc;

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
    noticed: Arc<Noticed>,
    batches: mpsc::Receiver<Batch>,
}

impl Looking {
    pub(super) fn start(files: Files) -> std::io::Result<Self> {
        let noticed = Arc::new(Noticed::default());
        let (sender, batches) = mpsc::channel(1);
        let looker =
            Looker { files, noticed: Arc::clone(&noticed), batches: sender, took: Duration::ZERO };
        thread::Builder::new().name("files".to_owned()).spawn(move || looker.run())?;
        Ok(Self { noticed, batches })
    }

    /// `None` when the thread is gone.
    pub(super) async fn next(&mut self) -> Option<Batch> {
        self.batches.recv().await
    }

    pub(super) fn rescan(&self) -> u64 {
        self.noticed.rescan()
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        self.noticed.stop();
    }
}

struct Looker {
    files: Files,
    noticed: Arc<Noticed>,
    batches: mpsc::Sender<Batch>,
    /// How long the last look took.
    took: Duration,
}

impl Looker {
    fn run(mut self) {
        let mut watch = Watch::new(Arc::clone(&self.noticed));
        let mut again = Some(clock::now());
        let (mut asked, mut made) = (0, 0);
        loop {
            let timeout = again.map_or(limits::FILE_POLL, until);
            let woken = self.noticed.wait(timeout);
            if woken.stopped {
                return;
            }
            if woken.rescan {
                self.files.distrust();
                asked = woken.rescans;
            }
            // However many events there are, looking takes a quarter of the thread's time.
            thread::sleep(limits::FILE_PAUSE.max(3 * self.took).min(limits::FILE_BATCH));
            let began = clock::now();
            let (batch, next) = self.look(&mut watch);
            self.took = clock::now().saturating_duration_since(began);
            again = next;
            // What rests is read by then; what never rests is not waited for.
            let read = again.is_none() || batch.as_ref().is_some_and(|one| !one.files.is_empty());
            let due = made < asked && read;
            let batch = batch.or_else(|| due.then(|| self.files.nothing()));
            if let Some(mut batch) = batch {
                made = if read { asked } else { made };
                batch.rescans = made;
                if self.batches.blocking_send(batch).is_err() {
                    return;
                }
            }
        }
    }

    fn look(&mut self, watch: &mut Watch) -> (Option<Batch>, Option<Instant>) {
        let mut rounds = 0;
        loop {
            rounds += 1;
            let now = clock::now();
            let look = self.files.look(now, Some(&self.noticed), Batch::default());
            self.noticed.forget_rested(now);
            let untroubled = watch.trouble.is_none();
            let new = watch.follow(&look.walk, self.files.arguments(), &self.files.mentions());
            let troubled = untroubled && watch.trouble.is_some();
            let batch = look.batch.or_else(|| troubled.then(|| self.files.nothing()));
            if let Some(mut batch) = batch {
                batch.diagnostics.extend(watch.trouble.clone());
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

fn until(time: Instant) -> Duration {
    time.saturating_duration_since(clock::now())
}
