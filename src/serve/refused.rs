//! What keeps a process from starting, in words that say what to do.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::proxy::process::NotBound;

/// Why a proxy could not be started. Each says what to do.
#[derive(Debug)]
pub enum StartError {
    /// None of the listeners could be bound.
    Listen(Vec<NotBound>),
    Observe {
        address: SocketAddr,
        error: io::Error,
    },
    Control {
        path: PathBuf,
        error: io::Error,
    },
    Takeover {
        path: PathBuf,
        error: io::Error,
    },
    Sources(io::Error),
    Workers(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(failed) => {
                let failed: Vec<String> = failed.iter().map(sentence).collect();
                f.write_str(&failed.join("; "))
            }
            Self::Observe { address, error } => write!(
                f,
                "can't show metrics on {address}: {error}; choose another with --observe ADDRESS, \
                 or --observe off"
            ),
            Self::Control { path, error } => {
                let path = path.display();
                write!(
                    f,
                    "can't make the control socket {path}: {error}; choose another with --control PATH"
                )
            }
            Self::Takeover { path, error } => {
                let path = path.display();
                write!(f, "can't take over from the proxy at {path}: {error}; it goes on")
            }
            Self::Sources(error) => write!(f, "can't read the configuration: {error}"),
            Self::Workers(error) => write!(f, "can't start the workers: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

/// What is wrong with an address, and the flag that helps.
pub(super) fn sentence(failed: &NotBound) -> String {
    let NotBound { bind, error } = failed;
    let port = bind.port;
    let help = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            format!("ports below 1024 need a privilege: move the listener with --port {port}=8080")
        }
        io::ErrorKind::AddrInUse => format!(
            "another process listens there: stop it, take over from it with --takeover, or move \
             the listener with --port {port}=PORT"
        ),
        io::ErrorKind::AddrNotAvailable => {
            "this machine does not have the address: correct the Gateway's spec.addresses".into()
        }
        _ => "see the system's reason".to_owned(),
    };
    format!("can't listen on {bind}: {error}; {help}")
}
