//! What can go wrong between us and an API server, in words: who, what, and what to do.

use std::fmt;
use std::path::PathBuf;

use super::{Cluster, chain};

/// `target` is the context's name, `what` an object or kind as kubectl writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClusterError {
    NoKubeconfig(Vec<PathBuf>),
    Kubeconfig {
        files: String,
        why: String,
    },
    NoCurrentContext {
        known: Vec<String>,
    },
    NoSuchContext {
        name: String,
        known: Vec<String>,
    },
    NotInPod(String),
    /// The kubeconfig's certificates, tokens or plugins can't be used.
    Credentials {
        target: String,
        why: String,
    },
    Unreachable {
        target: String,
        server: String,
        why: String,
    },
    /// The server doesn't know who we are.
    Unauthorized {
        target: String,
    },
    Forbidden {
        target: String,
        verb: &'static str,
        what: String,
        message: String,
    },
    /// No such object, or no such kind.
    NotFound {
        what: String,
    },
    /// Somebody else has changed it meanwhile, or owns the field.
    Conflict {
        what: String,
        message: String,
    },
    /// The object is not as the server wants it.
    Refused {
        verb: &'static str,
        what: String,
        message: String,
    },
    /// The server can't do it now.
    Failing {
        target: String,
        what: String,
        message: String,
    },
    /// A command in a pod that could not be run to its end.
    Exec {
        what: String,
        why: String,
    },
    /// A kind that this program has no table row for.
    UnknownKind {
        what: String,
    },
}

impl ClusterError {
    pub(super) fn of(
        error: &kube::Error,
        cluster: &Cluster,
        verb: &'static str,
        what: String,
    ) -> Self {
        let target = cluster.name.clone();
        let status = match error {
            kube::Error::Api(status) => status,
            kube::Error::Auth(error) => {
                return Self::Credentials { target, why: chain(error) };
            }
            other => {
                let server = cluster.server.clone();
                return Self::Unreachable { target, server, why: reason(other) };
            }
        };
        let message = status.message.clone();
        match status.code {
            401 => Self::Unauthorized { target },
            403 => Self::Forbidden { target, verb, what, message },
            404 => Self::NotFound { what },
            409 => Self::Conflict { what, message },
            429 | 500.. => Self::Failing { target, what, message },
            _ => Self::Refused { verb, what, message },
        }
    }

    /// Whether the same question may be answered a little later.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Failing { .. } | Self::Conflict { .. })
    }

    /// What whoever asked can do.
    pub fn advice(&self) -> Option<String> {
        Some(match self {
            Self::NoKubeconfig(_) => {
                "name one with KUBECONFIG=FILE, or a directory of files with -f DIR".into()
            }
            Self::NoCurrentContext { known } | Self::NoSuchContext { known, .. } => {
                match known.as_slice() {
                    [] => "no context is in the kubeconfig".into(),
                    known => format!("contexts that are there: {}", known.join(", ")),
                }
            }
            Self::Credentials { .. } | Self::Unauthorized { .. } => {
                "log in again, as your cluster's provider says; `kubectl get namespaces` must work"
                    .into()
            }
            Self::Unreachable { .. } => {
                "is it running, and is there a way to it? `kubectl version` asks the same server"
                    .into()
            }
            Self::Forbidden { .. } => {
                "ask for the right, or use a context of somebody who has it: --context NAME".into()
            }
            Self::Conflict { .. } | Self::Failing { .. } | Self::Exec { .. } => {
                "try again in a moment".into()
            }
            Self::Kubeconfig { .. }
            | Self::NotInPod(_)
            | Self::NotFound { .. }
            | Self::Refused { .. }
            | Self::UnknownKind { .. } => return None,
        })
    }
}

/// hyper's and tower's errors say what they are only in what caused them.
fn reason(error: &kube::Error) -> String {
    let whole = chain(error);
    let useful = ["ServiceError: ", "client error (Connect): ", "HyperError: "];
    useful.iter().fold(whole, |text, prefix| text.replace(prefix, ""))
}

impl fmt::Display for ClusterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKubeconfig(files) if files.is_empty() => {
                f.write_str("no cluster is named: there is no kubeconfig")
            }
            Self::NoKubeconfig(files) => {
                let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
                write!(f, "no cluster is named: {} is not there", files.join(", "))
            }
            Self::Kubeconfig { files, why } => {
                write!(f, "the kubeconfig {files} can't be used: {why}")
            }
            Self::NoCurrentContext { .. } => {
                f.write_str("the kubeconfig has no current context, and --context names none")
            }
            Self::NoSuchContext { name, .. } => {
                write!(f, "there is no context `{name}` in the kubeconfig")
            }
            Self::NotInPod(why) => {
                write!(f, "the service account of this pod can't be used: {why}")
            }
            Self::Credentials { target, why } => {
                write!(f, "the credentials for cluster {target} can't be used: {why}")
            }
            Self::Unreachable { target, server, why } => {
                write!(f, "cluster {target} ({server}) can't be reached: {why}")
            }
            Self::Unauthorized { target } => {
                write!(f, "cluster {target} doesn't accept these credentials")
            }
            Self::Forbidden { target, verb, what, message } => {
                write!(f, "cluster {target} doesn't allow to {verb} {what}: {message}")
            }
            Self::NotFound { what } => write!(f, "there is no {what}"),
            Self::Conflict { what, message } => write!(f, "{what} is in conflict: {message}"),
            Self::Refused { verb, what, message } => {
                write!(f, "the API server refused to {verb} {what}: {message}")
            }
            Self::Failing { target, what, message } => {
                write!(f, "cluster {target} failed at {what}: {message}")
            }
            Self::Exec { what, why } => write!(f, "{what} did not come to its end: {why}"),
            Self::UnknownKind { what } => write!(f, "{what} is of a kind that isn't known here"),
        }
    }
}

impl std::error::Error for ClusterError {}
