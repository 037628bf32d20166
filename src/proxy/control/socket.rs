//! A Unix socket that only its owner can reach, at a path of any length.
//!
//! The path stands for the socket only once it is ready: it is made under another name, in a
//! directory that nobody else can enter, and then moved. So there is no moment in which somebody
//! else could connect, and a successor takes the name over without a gap.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, Error, ErrorKind};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use crate::limits;

/// What to do about a socket at the path that somebody listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    Refuse,
    Replace,
}

/// A listening socket that doesn't block, and its file.
pub(in crate::proxy) struct BoundSocket {
    pub(in crate::proxy) fd: OwnedFd,
    pub(in crate::proxy) file: SocketFile,
}

/// Removes the socket's file, or a link to it, when dropped, unless a successor's stands there.
pub(in crate::proxy) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl BoundSocket {
    pub(in crate::proxy) fn new(
        path: &Path,
        kind: SocketType,
        existing: Existing,
    ) -> io::Result<Self> {
        let (directory, name) = split(path)?;
        secure(directory)?;
        if existing == Existing::Refuse && is_alive(path, kind)? {
            return Err(Error::new(ErrorKind::AddrInUse, "another process listens there"));
        }
        let fd = socket(kind)?;
        let fresh = format!(".{name}.{}", std::process::id());
        let fresh_path = directory.join(&fresh);
        remove_if_there(&fresh_path)?;
        let opened = open_directory(directory)?;
        rustix::net::bind(&fd, &address(&opened, &fresh)?)?;
        let file = finish(&fd, &fresh_path, path).inspect_err(|_| {
            let _ = fs::remove_file(&fresh_path);
        })?;
        Ok(Self { fd, file })
    }
}

fn finish(fd: &OwnedFd, fresh: &Path, path: &Path) -> io::Result<SocketFile> {
    fs::set_permissions(fresh, Permissions::from_mode(0o600))?;
    rustix::net::listen(fd, limits::DOOR_BACKLOG)?;
    SocketFile::rename(fresh, path)
}

impl SocketFile {
    /// Moves what stands at `fresh` to its name.
    pub(super) fn rename(fresh: &Path, path: &Path) -> io::Result<Self> {
        let metadata = fs::symlink_metadata(fresh)?;
        fs::rename(fresh, path)?;
        Ok(Self { path: path.into(), device: metadata.dev(), inode: metadata.ino() })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|file| (file.dev(), file.ino()) == (self.device, self.inode));
        if ours {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A connection to the socket at `path`, which doesn't block.
pub(in crate::proxy) fn connect(path: &Path, kind: SocketType) -> io::Result<OwnedFd> {
    let (directory, name) = split(path)?;
    let opened = open_directory(directory)?;
    let fd = socket(kind)?;
    rustix::net::connect(&fd, &address(&opened, name)?)?;
    Ok(fd)
}

fn socket(kind: SocketType) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(rustix::net::socket_with(AddressFamily::UNIX, kind, flags, None)?)
}

pub(super) fn split(path: &Path) -> io::Result<(&Path, &str)> {
    let name = path.file_name().and_then(|name| name.to_str());
    let (Some(directory), Some(name)) = (path.parent(), name) else {
        return Err(Error::new(ErrorKind::InvalidInput, "a socket needs a directory and a name"));
    };
    Ok(if directory.as_os_str().is_empty() { (Path::new("."), name) } else { (directory, name) })
}

fn open_directory(directory: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(directory, flags, Mode::empty())?)
}

/// An address has room for 107 bytes; by way of the open directory every path fits.
fn address(directory: &OwnedFd, name: &str) -> io::Result<SocketAddrUnix> {
    let path = format!("/proc/self/fd/{}/{name}", directory.as_raw_fd());
    Ok(SocketAddrUnix::new(path)?)
}

/// Makes the directory, or checks that one that is there is ours alone. It isn't changed: a wrong
/// path must not lock others out of their directory.
pub(super) fn secure(directory: &Path) -> io::Result<()> {
    if let Some(parent) = directory.parent() {
        fs::create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(directory) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let found = fs::symlink_metadata(directory)?;
    let ours = found.is_dir()
        && found.uid() == rustix::process::geteuid().as_raw()
        && found.mode() & 0o077 == 0;
    if ours {
        return Ok(());
    }
    let message = format!(
        "{} must be a directory of this user with mode 0700: over the socket in it the proxy is steered",
        directory.display()
    );
    Err(Error::new(ErrorKind::PermissionDenied, message))
}

/// Whether somebody listens at the path. What is there and is no socket is an error, so that no
/// one's file is replaced.
pub(super) fn is_alive(path: &Path, kind: SocketType) -> io::Result<bool> {
    use std::os::unix::fs::FileTypeExt;
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(Error::new(ErrorKind::AlreadyExists, "a file that is no socket is there"));
        }
        Ok(_) => {}
    }
    match connect(path, kind) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(false),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        // A full queue: somebody is there, and slow.
        Err(error) if error.raw_os_error() == Some(Errno::AGAIN.raw_os_error()) => Ok(true),
        Err(error) => Err(error),
    }
}

pub(super) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
