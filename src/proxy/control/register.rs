//! Where commands look for the proxies of a user whose control sockets stand elsewhere: a link in
//! the user's run directory says where.
//!
//! A link is believed only where it belongs to whoever owns what it leads to, so that it says no
//! more than a socket in its place would.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};

use rustix::net::SocketType;
use xxhash_rust::xxh3::xxh3_64;

use super::client::Proxy;
use super::socket::{self, SocketFile};
use crate::names;

/// Removes the link when dropped, unless a successor's stands there.
pub struct Registered {
    _link: SocketFile,
}

/// Makes the proxy behind the control socket known in `directory`. `None` where the socket itself
/// stands there.
pub fn register(directory: &Path, socket: &Path) -> io::Result<Option<Registered>> {
    socket::secure(directory)?;
    let (parent, name) = socket::split(socket)?;
    let parent = fs::canonicalize(parent)?;
    if parent == fs::canonicalize(directory)? {
        return Ok(None);
    }
    let socket = parent.join(name);
    // The same socket has the same name, so that who takes over replaces the link too.
    let number = xxh3_64(socket.as_os_str().as_encoded_bytes());
    let name = format!("at-{number:016x}{}", names::CONTROL_SOCKET_SUFFIX);
    let fresh = directory.join(format!(".{name}.{}", std::process::id()));
    socket::remove_if_there(&fresh)?;
    symlink(&socket, &fresh)?;
    let moved = SocketFile::rename(&fresh, &directory.join(name));
    let link = moved.inspect_err(|_| {
        let _ = fs::remove_file(&fresh);
    })?;
    Ok(Some(Registered { _link: link }))
}

/// The proxy that a link leads to; one that leads to nobody any more is removed.
pub(super) fn follow(link: &Path, before: &Metadata) -> Option<Proxy> {
    let own = rustix::process::geteuid().as_raw();
    if before.uid() != own && own != 0 {
        return None;
    }
    let target = fs::read_link(link).ok()?;
    match look(&target, before.uid()) {
        Ok(proxy) => proxy,
        Err(error) if is_gone(&error) => {
            let same = fs::symlink_metadata(link).is_ok_and(|now| now.ino() == before.ino());
            if same {
                let _ = fs::remove_file(link);
            }
            None
        }
        Err(_) => None,
    }
}

fn look(target: &Path, owner: u32) -> io::Result<Option<Proxy>> {
    let found = fs::symlink_metadata(target)?;
    if !found.file_type().is_socket() || found.uid() != owner {
        return Ok(None);
    }
    let stream = socket::connect(target, SocketType::STREAM)?;
    // The file may be another one by now; who listens can't be.
    let peer = rustix::net::sockopt::socket_peercred(&stream)?;
    let proxy = || Proxy { socket: PathBuf::from(target), pid: super::client::pid_of(&peer) };
    Ok((peer.uid.as_raw() == owner).then(proxy))
}

fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::ConnectionRefused
    )
}
