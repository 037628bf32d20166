//! What a service manager passes to us and wants to hear (sd_listen_fds(3), sd_notify(3)).
//!
//! The values of the environment are arguments. This module must not know what is listened for.

use std::ffi::OsStr;
use std::fmt::{self, Write};
use std::io::{self, Error, ErrorKind};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::FdFlags;
use rustix::time::{ClockId, clock_gettime};

use crate::limits;

/// The first descriptor that is passed (SD_LISTEN_FDS_START).
const FIRST: RawFd = 3;

/// `$LISTEN_PID`, `$LISTEN_FDS` and `$LISTEN_FDNAMES` as they stand in the environment.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListenVariables<'a> {
    pub pid: Option<&'a str>,
    pub fds: Option<&'a str>,
    pub names: Option<&'a str>,
}

/// Why the variables can't be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenError {
    NotANumber(&'static str),
    TooMany,
    /// There are more or fewer names than descriptors.
    Names,
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotANumber(variable) => write!(f, "{variable} is not a number"),
            Self::TooMany => write!(f, "LISTEN_FDS is above {}", limits::LISTEN_FDS),
            Self::Names => {
                f.write_str("LISTEN_FDNAMES names another number of sockets than LISTEN_FDS")
            }
        }
    }
}

impl std::error::Error for ListenError {}

/// The descriptors that were passed to the process `own_pid`, with their names (`unknown` where
/// none were given, as systemd does). None where they were meant for another process.
pub fn listen_fds(
    variables: ListenVariables<'_>,
    own_pid: u32,
) -> Result<Vec<(RawFd, String)>, ListenError> {
    let (Some(pid), Some(fds)) = (variables.pid, variables.fds) else { return Ok(Vec::new()) };
    let pid: u32 = pid.parse().map_err(|_| ListenError::NotANumber("LISTEN_PID"))?;
    let count: usize = fds.parse().map_err(|_| ListenError::NotANumber("LISTEN_FDS"))?;
    if pid != own_pid || count == 0 {
        return Ok(Vec::new());
    }
    if count > limits::LISTEN_FDS {
        return Err(ListenError::TooMany);
    }
    let names: Vec<&str> = match variables.names {
        Some(names) => names.split(':').collect(),
        None => vec!["unknown"; count],
    };
    if names.len() != count {
        return Err(ListenError::Names);
    }
    Ok((FIRST..).zip(names.into_iter().map(String::from)).collect())
}

/// Takes the descriptors of [`listen_fds`] into possession. Once per process: a second call fails.
pub fn take_fds(fds: Vec<(RawFd, String)>) -> io::Result<Vec<(OwnedFd, String)>> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Ordering::Relaxed) {
        return Err(Error::new(ErrorKind::AlreadyExists, "the sockets have been taken already"));
    }
    fds.into_iter().map(|(fd, name)| Ok((own(fd)?, name))).collect()
}

#[expect(
    unsafe_code,
    reason = "a number from the environment can become a descriptor in no other way"
)]
fn own(fd: RawFd) -> io::Result<OwnedFd> {
    if !std::path::Path::new(&format!("/proc/self/fd/{fd}")).try_exists()? {
        return Err(Error::new(ErrorKind::NotFound, format!("descriptor {fd} was not passed")));
    }
    // SAFETY: the descriptor is open. The service manager passed it to this process, so nothing
    // in it owns it, and `take_fds` runs once.
    let owned = unsafe { OwnedFd::from_raw_fd(fd) };
    // systemd passes it on to our children too, who must not hold our ports open.
    rustix::io::fcntl_setfd(&owned, FdFlags::CLOEXEC)?;
    Ok(owned)
}

/// What the service manager is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Ready,
    Reloading,
    Stopping,
    /// Another process is the service from now on (after a takeover).
    MainPid(u32),
    /// One line for `systemctl status`.
    Status(String),
}

/// Sends states to `$NOTIFY_SOCKET`: a path, or an abstract name that starts with `@`.
pub fn notify(socket: &OsStr, states: &[State]) -> io::Result<()> {
    let address = match socket.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        [b'/', ..] => SocketAddr::from_pathname(socket)?,
        _ => {
            let message = "NOTIFY_SOCKET is neither a path nor an abstract name";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
    };
    let message = message(states, monotonic_usec());
    let sender = UnixDatagram::unbound()?;
    sender.set_write_timeout(Some(limits::NOTIFY_TIMEOUT))?;
    sender.send_to_addr(message.as_bytes(), &address)?;
    Ok(())
}

/// The text of a notification. `monotonic_usec` tells systemd which reload is meant.
fn message(states: &[State], monotonic_usec: u64) -> String {
    let mut text = String::new();
    for state in states {
        let written = match state {
            State::Ready => writeln!(text, "READY=1"),
            State::Reloading => writeln!(text, "RELOADING=1\nMONOTONIC_USEC={monotonic_usec}"),
            State::Stopping => writeln!(text, "STOPPING=1"),
            State::MainPid(pid) => writeln!(text, "MAINPID={pid}"),
            // A line break would begin another assignment.
            State::Status(status) => writeln!(text, "STATUS={}", status.replace(['\n', '\r'], " ")),
        };
        written.expect("a String takes every text");
    }
    text
}

/// systemd compares with CLOCK_MONOTONIC itself, which `clock::now` doesn't give away.
fn monotonic_usec() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let (seconds, nanos) = (now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs());
    seconds * 1_000_000 + nanos / 1_000
}

#[cfg(test)]
mod tests;
