//! Directories under watch: the system's word that something changed, where it gives one.
//!
//! inotify tells of a directory by the descriptor of its watch and of what is in it by name, so
//! what each descriptor stands for is kept here. What can't be watched is seen by looking.

mod wanted;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, Event, ReadFlags, Reader};
use rustix::io::Errno;

use self::wanted::{Directory, wanted};
use super::bell::{Asked, Bell};
use super::noticed::{Noticed, Told};
use super::read::{Inode, reason};
use super::walk::{Argument, Walk, about};
use crate::clock::{self, Instant};
use crate::config::codes;
use crate::config::{Diagnostic, Severity};
use crate::limits;

pub(super) struct Watch {
    /// None where the system gave none; it is asked again at each look.
    inotify: Option<OwnedFd>,
    table: Table,
    buffer: Box<[MaybeUninit<u8>]>,
    /// How often the queue was looked into: what a flood of events costs.
    #[cfg(test)]
    drained: usize,
    /// Said once: the first directory that can't be watched.
    pub(super) trouble: Option<Diagnostic>,
}

/// What is watched, by descriptor and by directory.
#[derive(Default)]
struct Table {
    directories: HashMap<Descriptor, (Inode, Directory)>,
    descriptors: BTreeMap<Inode, Descriptor>,
    /// Events were lost, perhaps those of watches that ended.
    unsure: bool,
}

type Descriptor = i32;

impl Watch {
    pub(super) fn new() -> Self {
        Self {
            inotify: None,
            table: Table::default(),
            buffer: vec![MaybeUninit::uninit(); limits::WATCH_BUFFER_BYTES].into(),
            #[cfg(test)]
            drained: 0,
            trouble: None,
        }
    }

    /// Watches what the walk went through and no more. Says whether a watch is new, in which
    /// case something may have happened there between the walk and the watch.
    pub(super) fn follow(
        &mut self,
        walk: &Walk,
        arguments: &[Argument],
        mentioned: &BTreeSet<PathBuf>,
    ) -> bool {
        let followed = self.opened().and_then(|()| self.set(wanted(walk, arguments, mentioned)));
        match followed {
            Ok(new) => {
                self.trouble = None;
                new
            }
            Err(trouble) => {
                let Trouble { path, errno, new } = trouble;
                let path = path.unwrap_or_else(|| ".".into()).display().to_string();
                self.trouble.get_or_insert_with(|| not_watched(&path, errno));
                new
            }
        }
    }

    /// Until something is told that is worth a look, or asked for, or `until`.
    ///
    /// Between two readings of the queue lies a rest, so whoever writes beside what is watched
    /// wakes this thread a few times a second, however much it is.
    pub(super) fn wait(&mut self, bell: &Bell, until: Instant, noticed: &mut Noticed) -> Asked {
        loop {
            wait_for([Some(bell.as_fd()), self.inotify.as_ref().map(AsFd::as_fd)], until);
            let asked = bell.asked();
            self.read(noticed);
            if noticed.take_news() || asked != Asked::default() || clock::now() >= until {
                return asked;
            }
            wait_for([Some(bell.as_fd()), None], until.min(clock::now() + limits::FILE_REST));
        }
    }

    /// Takes what the queue holds; returns how many events it were.
    pub(super) fn read(&mut self, noticed: &mut Noticed) -> usize {
        let Some(inotify) = &self.inotify else { return 0 };
        #[cfg(test)]
        {
            self.drained += 1;
        }
        let now = clock::now();
        let mut reader = Reader::new(inotify, &mut self.buffer);
        let (mut events, mut reads) = (0, 0);
        // Whoever writes faster than we read finds the queue as full the next time.
        while !reader.is_buffer_empty() || reads < limits::WATCH_READS {
            reads += usize::from(reader.is_buffer_empty());
            match reader.next() {
                Ok(event) => {
                    events += 1;
                    self.table.told(&event, noticed, now);
                }
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(_) => {
                    // Nothing more is to be had of it: the next look makes another.
                    self.inotify = None;
                    self.table = Table::default();
                    noticed.news();
                    break;
                }
            }
        }
        events
    }

    fn opened(&mut self) -> Result<(), Trouble> {
        if self.inotify.is_none() {
            let opened = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK);
            let failed = |errno| Trouble { path: None, errno, new: false };
            self.inotify = Some(opened.map_err(failed)?);
        }
        Ok(())
    }

    fn set(&mut self, wanted: BTreeMap<Inode, Directory>) -> Result<bool, Trouble> {
        let Some(inotify) = &self.inotify else { return Ok(false) };
        for descriptor in self.table.without(&wanted) {
            // It may have ended already.
            let _ = inotify::remove_watch(inotify, descriptor);
        }
        let unsure = std::mem::take(&mut self.table.unsure);
        let (mut new, mut trouble) = (false, None);
        for (inode, directory) in wanted {
            let mask = directory.purpose.mask();
            let known = self.table.get_mut(inode).filter(|known| known.purpose.mask() == mask);
            if let Some(known) = known
                && !unsure
            {
                // By another name perhaps: a watch stays with its directory.
                *known = directory;
                continue;
            }
            match inotify::add_watch(inotify, &directory.path, mask) {
                Ok(descriptor) => {
                    new = true;
                    if let Some(former) = self.table.insert(descriptor, inode, directory) {
                        // It ended, most likely, and that was lost.
                        let _ = inotify::remove_watch(inotify, former);
                    }
                }
                // It went since the walk: that is told where its name was, or seen by looking.
                Err(Errno::NOENT | Errno::NOTDIR) => {}
                Err(errno) => {
                    trouble.get_or_insert((directory.path, errno));
                }
            }
        }
        match trouble {
            None => Ok(new),
            Some((path, errno)) => Err(Trouble { path: Some(path), errno, new }),
        }
    }
}

/// The first directory that can't be watched, or all of them.
struct Trouble {
    path: Option<PathBuf>,
    errno: Errno,
    /// As [`Watch::follow`] says of the others.
    new: bool,
}

impl Table {
    fn get_mut(&mut self, inode: Inode) -> Option<&mut Directory> {
        let descriptor = self.descriptors.get(&inode)?;
        self.directories.get_mut(descriptor).map(|(_, directory)| directory)
    }

    /// Returns the descriptor that the directory had before, if that was another.
    fn insert(
        &mut self,
        descriptor: Descriptor,
        inode: Inode,
        directory: Directory,
    ) -> Option<Descriptor> {
        let before = self.directories.insert(descriptor, (inode, directory));
        // Another directory took the name between the look and the watch: the next look sees it.
        if let Some((other, _)) = before
            && other != inode
        {
            self.descriptors.remove(&other);
        }
        let former = self.descriptors.insert(inode, descriptor).filter(|it| *it != descriptor)?;
        self.directories.remove(&former);
        Some(former)
    }

    fn remove(&mut self, descriptor: Descriptor) -> bool {
        let Some((inode, _)) = self.directories.remove(&descriptor) else { return false };
        if self.descriptors.get(&inode) == Some(&descriptor) {
            self.descriptors.remove(&inode);
        }
        true
    }

    /// Forgets what isn't wanted; returns the descriptors.
    fn without(&mut self, wanted: &BTreeMap<Inode, Directory>) -> Vec<Descriptor> {
        let unwanted =
            |(_, (inode, _)): &(&Descriptor, &(Inode, Directory))| !wanted.contains_key(inode);
        let gone: Vec<Descriptor> =
            self.directories.iter().filter(unwanted).map(|(descriptor, _)| *descriptor).collect();
        for descriptor in &gone {
            self.remove(*descriptor);
        }
        gone
    }

    fn told(&mut self, event: &Event<'_>, noticed: &mut Noticed, now: Instant) {
        let events = event.events();
        if events.contains(ReadFlags::QUEUE_OVERFLOW) {
            // Anything may have happened anywhere: a look compares all there is, and each
            // watch is asked for again.
            self.unsure = true;
            noticed.news();
            return;
        }
        if events.contains(ReadFlags::IGNORED) {
            if self.remove(event.wd()) {
                noticed.news();
            }
            return;
        }
        // What is known no more was unwatched with events still on their way.
        let Some((_, directory)) = self.directories.get(&event.wd()) else { return };
        let Some(name) = event.file_name().map(|name| OsStr::from_bytes(name.to_bytes())) else {
            // Moved, or with other permissions.
            noticed.news();
            return;
        };
        if directory.heeds(name, events) {
            noticed.news();
            for path in directory.paths(name) {
                noticed.mark(path, told(events), now);
            }
        }
    }
}

fn told(events: ReadFlags) -> Told {
    if events.contains(ReadFlags::MODIFY) {
        Told::Written
    } else if events.contains(ReadFlags::ATTRIB) {
        Told::Attributes
    } else {
        Told::Settled
    }
}

/// Until one of them has something to read, or `until`.
fn wait_for<const N: usize>(of: [Option<BorrowedFd<'_>>; N], until: Instant) {
    let mut fds: Vec<PollFd<'_>> =
        of.into_iter().flatten().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
    loop {
        let left = until.saturating_duration_since(clock::now());
        let timeout = Timespec::try_from(left).ok();
        if poll(&mut fds, timeout.as_ref()) != Err(Errno::INTR) {
            return;
        }
    }
}

fn not_watched(file: &str, errno: Errno) -> Diagnostic {
    let why = match errno {
        // In the system's words it is the disk that has no space left.
        Errno::NOSPC => "the limit of watches is reached".to_owned(),
        Errno::MFILE => "the limit of open files or of inotify instances is reached".to_owned(),
        _ => reason(&errno.into()),
    };
    let mut diagnostic =
        about(file, codes::NOT_WATCHED, format!("changes here are seen late: {why}"));
    diagnostic.severity = Severity::Warning;
    diagnostic
}
