//! How another thread ends the wait of the one that looks: something to poll beside the watch.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::event::{EventfdFlags, eventfd};

#[derive(Debug)]
pub(super) struct Bell {
    rung: OwnedFd,
    rescan: AtomicBool,
    /// How often one was asked for.
    rescans: AtomicU64,
    stopped: AtomicBool,
}

/// What was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// How many rescans since the start, where another was asked for.
    pub(super) rescans: Option<u64>,
    pub(super) stopped: bool,
}

impl Bell {
    pub(super) fn new() -> std::io::Result<Self> {
        let rung = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self {
            rung,
            rescan: AtomicBool::new(false),
            rescans: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        })
    }

    /// All files are to be read again. Says how often that was asked for, this time included.
    pub(super) fn rescan(&self) -> u64 {
        let asked = self.rescans.fetch_add(1, Ordering::AcqRel) + 1;
        self.rescan.store(true, Ordering::Release);
        self.ring();
        asked
    }

    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.ring();
    }

    /// Silences the bell first and asks then: what is asked for meanwhile rings again.
    pub(super) fn asked(&self) -> Asked {
        // Nothing to read: nobody rang.
        let _ = rustix::io::read(&self.rung, &mut [0; 8]);
        let rescan = self.rescan.swap(false, Ordering::AcqRel);
        Asked {
            rescans: rescan.then(|| self.rescans.load(Ordering::Acquire)),
            stopped: self.stopped.load(Ordering::Acquire),
        }
    }

    fn ring(&self) {
        // It fails only when nobody listened for 2^64 rings: it rings then all the same.
        let _ = rustix::io::write(&self.rung, &1_u64.to_ne_bytes());
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.rung.as_fd()
    }
}
