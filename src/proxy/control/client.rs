//! The other side of the control door: how commands find and ask the proxies of this machine.

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustix::net::SocketType;
use tokio::net::UnixStream;

use super::{ServedRoute, register, report, socket};
use crate::model::{ObjectKey, Report};
use crate::{limits, names};

/// A proxy that runs on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    pub socket: PathBuf,
    pub pid: Option<u32>,
}

/// Why a proxy gave no answer.
#[derive(Debug)]
pub enum AskError {
    /// Nobody listens at the path.
    NotRunning,
    /// The socket is another user's.
    Forbidden,
    TimedOut,
    /// What came back is no answer.
    Broken(String),
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRunning => f.write_str("no proxy listens there"),
            Self::Forbidden => f.write_str("the proxy belongs to another user"),
            Self::TimedOut => f.write_str("the proxy did not answer in time"),
            Self::Broken(reason) => write!(f, "the proxy's answer could not be read: {reason}"),
        }
    }
}

impl std::error::Error for AskError {}

impl From<io::Error> for AskError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => Self::NotRunning,
            ErrorKind::PermissionDenied => Self::Forbidden,
            _ => Self::Broken(error.to_string()),
        }
    }
}

/// Asks the proxy behind `socket`. `target` is a path with an optional query.
pub async fn ask(
    socket: &Path,
    method: Method,
    target: &str,
    wait: Duration,
) -> Result<(StatusCode, Bytes), AskError> {
    let answer = exchange(socket, method, target);
    tokio::time::timeout(wait, answer).await.unwrap_or(Err(AskError::TimedOut))
}

/// What the proxy behind `socket` has done so far, by arm.
pub async fn ask_report(socket: &Path, wait: Duration) -> Result<Report, AskError> {
    let (status, body) = ask(socket, Method::GET, "/report", wait).await?;
    if status != StatusCode::OK {
        return Err(AskError::Broken(format!("it has no report ({status}): is it older?")));
    }
    let value =
        serde_json::from_slice(&body).map_err(|error| AskError::Broken(error.to_string()))?;
    report::read(&value).map_err(AskError::Broken)
}

/// What the proxy behind `socket` serves of a route that stands in files.
pub async fn ask_route(
    socket: &Path,
    route: &ObjectKey,
    wait: Duration,
) -> Result<ServedRoute, AskError> {
    let ObjectKey { kind, namespace, name, .. } = route;
    let target = format!("/route?kind={}&namespace={namespace}&name={name}", kind.as_str());
    let (status, body) = ask(socket, Method::GET, &target, wait).await?;
    if status != StatusCode::OK {
        return Err(AskError::Broken(format!("it doesn't tell ({status}): is it older?")));
    }
    serde_json::from_slice(&body).map_err(|error| AskError::Broken(error.to_string()))
}

async fn exchange(
    socket: &Path,
    method: Method,
    target: &str,
) -> Result<(StatusCode, Bytes), AskError> {
    let stream = UnixStream::from_std(socket::connect(socket, SocketType::STREAM)?.into())?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header(http::header::HOST, "localhost")
        .body(Empty::<Bytes>::new())
        .map_err(|error| broken(&error))?;
    let answer = async move {
        let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), limits::DOOR_ANSWER_BYTES).collect().await;
        let body = body.map_err(|error| match error.downcast::<LengthLimitError>() {
            Ok(_) => AskError::Broken("it is too long".into()),
            Err(error) => AskError::Broken(error.to_string()),
        })?;
        Ok((status, body.to_bytes()))
    };
    // The connection ends after its one answer; `answer` sees it where it ends before.
    let (answer, _) = tokio::join!(answer, connection);
    answer
}

fn broken(error: &(impl std::error::Error + ?Sized)) -> AskError {
    let reason = match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    AskError::Broken(reason)
}

/// The proxies whose sockets stand in `directories`, or are registered there, by path. What a
/// crashed proxy left behind is removed; directories that are missing or another user's are
/// passed over.
pub fn find(directories: &[PathBuf]) -> Vec<Proxy> {
    let mut found: Vec<_> = directories
        .iter()
        // One name per proxy, however it was found.
        .filter_map(|directory| fs::canonicalize(directory).ok())
        .filter(|directory| is_trusted(directory))
        .filter_map(|directory| fs::read_dir(directory).ok())
        .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
        .filter(|path| is_control_socket(path))
        .filter_map(look_at)
        .collect();
    found.sort_by(|a, b| a.socket.cmp(&b.socket));
    found.dedup();
    found
}

/// Who owns a directory decides what is found there: this user, or root, who may do all things.
fn is_trusted(directory: &Path) -> bool {
    let own = rustix::process::geteuid().as_raw();
    let owner = fs::metadata(directory).map(|found| found.uid());
    own == 0 || owner.is_ok_and(|owner| owner == own || owner == 0)
}

fn is_control_socket(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.ends_with(names::CONTROL_SOCKET_SUFFIX) && !name.starts_with('.')
}

fn look_at(path: PathBuf) -> Option<Proxy> {
    // A plain file refuses connections too, and is nothing of ours to remove.
    let before = fs::symlink_metadata(&path).ok()?;
    if before.file_type().is_symlink() {
        return register::follow(&path, &before);
    }
    if !before.file_type().is_socket() {
        return None;
    }
    match socket::connect(&path, SocketType::STREAM) {
        Ok(stream) => {
            let peer = rustix::net::sockopt::socket_peercred(&stream).ok();
            Some(Proxy { socket: path, pid: peer.as_ref().and_then(pid_of) })
        }
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            // A proxy that starts at this moment would have put a new file there.
            let same = fs::symlink_metadata(&path).is_ok_and(|now| now.ino() == before.ino());
            if same {
                let _ = fs::remove_file(&path);
            }
            None
        }
        Err(_) => None,
    }
}

pub(super) fn pid_of(peer: &rustix::net::UCred) -> Option<u32> {
    u32::try_from(peer.pid.as_raw_nonzero().get()).ok()
}
