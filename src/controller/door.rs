//! The controller's control door: a Unix socket in its pod, on which `meshctl controller status`
//! asks what this replica knows.
//!
//! It shows and steers nothing, and it opens nothing on the network: what fleets there are and
//! which proxy lags is for those who may enter the pod.

use std::io;
use std::path::Path;
use std::sync::Arc;

use http::{Method, Request, StatusCode};

use super::board::Board;
use super::picture::{Connected, Elsewhere, Picture};
use super::xds::Distribution;
use crate::proxy::control::{ControlDoor, Existing};
use crate::telemetry::door::Observed;
use crate::telemetry::door::serve::Answer;

#[cfg(test)]
mod tests;

/// What the door shows.
#[derive(Clone)]
pub(super) struct Sight {
    pub(super) name: Arc<str>,
    pub(super) version: &'static str,
    pub(super) board: Arc<Board>,
    pub(super) distribution: Arc<Distribution>,
}

/// Opens the door; it is served until the runtime ends. A former life of this container may have
/// left its socket.
pub(super) fn open(path: &Path, sight: Sight) -> io::Result<()> {
    let door = ControlDoor::bind(path, Existing::Replace)?;
    tokio::spawn(door.serve_with(move |request| {
        let answer = sight.answer(&request);
        async move { answer }
    }));
    Ok(())
}

impl Sight {
    fn answer<B>(&self, request: &Request<B>) -> Answer {
        if request.uri().path() != "/status" {
            return Answer::text(StatusCode::NOT_FOUND, "there is GET /status");
        }
        if request.method() != Method::GET {
            return Answer::not_allowed("GET");
        }
        let text = serde_json::to_string(&self.picture()).expect("names are strings");
        Answer::new(StatusCode::OK, "application/json", text)
    }

    fn picture(&self) -> Picture {
        let ready = self.board.ready();
        Picture {
            name: self.name.to_string(),
            version: self.version.to_owned(),
            ready: ready.is_ok(),
            reason: ready.err(),
            leading: self.board.leads(),
            proxies: Connected::all(self.distribution.fleets()),
            others: self.distribution.elsewhere().into_iter().map(Elsewhere::new).collect(),
        }
    }
}
