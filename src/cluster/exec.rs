//! A command run in a pod, by way of the API server: nothing has to listen on the network for it,
//! and who may do it is the cluster's to say (`pods/exec`).

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::Api;
use kube::api::AttachParams;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::{Cluster, ClusterError};
use crate::limits;

/// Which container of which pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inside<'a> {
    pub namespace: &'a str,
    pub pod: &'a str,
    pub container: &'a str,
}

/// What a command came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Cluster {
    /// Runs a program of the container's image and waits for its end.
    pub async fn exec(&self, at: Inside<'_>, command: &[&str]) -> Result<Ran, ClusterError> {
        let what = || format!("pods/exec of {} in namespace {}", at.pod, at.namespace);
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), at.namespace);
        let params = AttachParams {
            container: Some(at.container.to_owned()),
            max_stdout_buf_size: Some(limits::EXEC_BUFFER),
            ..AttachParams::default()
        };
        let started = pods.exec(at.pod, command.iter().copied(), &params);
        let mut attached = self.ask("create", what, started).await?;
        let (stdout, stderr) = (attached.stdout(), attached.stderr());
        let status = attached.take_status();
        let broken = |why: String| ClusterError::Exec { what: what(), why };
        let finished = async {
            let both = tokio::try_join!(
                read(stdout, limits::DOOR_ANSWER_BYTES),
                read(stderr, limits::EXEC_ERROR_BYTES)
            );
            let (stdout, stderr) = both.map_err(|error| broken(error.to_string()))?;
            let status = match status {
                Some(status) => status.await,
                None => None,
            };
            let code = status.as_ref().and_then(code).ok_or_else(|| {
                let said = status.and_then(|status| status.message);
                broken(said.unwrap_or_else(|| "the connection ended before the command".to_owned()))
            })?;
            Ok(Ran { code, stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() })
        };
        let waited = tokio::time::timeout(self.patience, finished).await;
        waited.unwrap_or_else(|_| {
            Err(broken(format!("no answer within {} seconds", self.patience.as_secs())))
        })
    }
}

async fn read(stream: Option<impl AsyncRead + Unpin>, most: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let Some(stream) = stream else { return Ok(bytes) };
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    let read = stream.take(most.saturating_add(1)).read_to_end(&mut bytes).await?;
    if u64::try_from(read).unwrap_or(u64::MAX) > most {
        return Err(std::io::Error::other(format!("its answer is longer than {most} bytes")));
    }
    Ok(bytes)
}

/// How the command ended: an exit code other than 0 is a cause of the failure.
pub(super) fn code(status: &Status) -> Option<i32> {
    if status.status.as_deref() == Some("Success") {
        return Some(0);
    }
    let causes = status.details.as_ref()?.causes.as_ref()?;
    let cause = causes.iter().find(|cause| cause.reason.as_deref() == Some("ExitCode"))?;
    cause.message.as_ref()?.parse().ok()
}
