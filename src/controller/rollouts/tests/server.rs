//! A small API server over HTTP: objects in memory, JSON patches that test, versions that count,
//! and failures on order.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::cluster::{Access, Cluster};

#[derive(Clone)]
pub(super) struct ApiServer(Arc<Mutex<State>>);

type Hook = Box<dyn FnMut(&mut State) + Send>;

#[derive(Default)]
pub(super) struct State {
    pub(super) objects: BTreeMap<String, Value>,
    /// Every version of each object, the first among them.
    pub(super) seen: Vec<(String, Value)>,
    pub(super) events: Vec<Value>,
    version: u64,
    /// So many writes are made yet; then nobody is answered.
    pub(super) writes_left: Option<usize>,
    /// Called before the next status is written.
    pub(super) before_status: Option<Hook>,
}

impl State {
    pub(super) fn put(&mut self, path: &str, mut object: Value) {
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        self.seen.push((path.to_owned(), object.clone()));
        self.objects.insert(path.to_owned(), object);
    }

    pub(super) fn edit(&mut self, path: &str, change: impl FnOnce(&mut Value)) {
        let mut object = self.objects[path].clone();
        let spec = object["spec"].clone();
        change(&mut object);
        if object["spec"] != spec {
            let generation = object["metadata"]["generation"].as_i64().unwrap_or(0);
            object["metadata"]["generation"] = (generation + 1).into();
        }
        self.put(path, object);
    }

    fn answer(&mut self, method: &Method, path: &str, body: &[u8]) -> (StatusCode, Value) {
        let refused = |code: StatusCode, message: &str| {
            let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
                "code": code.as_u16(), "message": message, "reason": "x"});
            (code, status)
        };
        if *method != Method::GET {
            match &mut self.writes_left {
                Some(0) => return refused(StatusCode::INTERNAL_SERVER_ERROR, "dead"),
                Some(left) => *left -= 1,
                None => {}
            }
        }
        let of_status = path.strip_suffix("/status");
        if of_status.is_some()
            && let Some(mut hook) = self.before_status.take()
        {
            hook(self);
        }
        let place = of_status.unwrap_or(path);
        if *method == Method::POST {
            let event: Value = serde_json::from_slice(body).unwrap();
            self.events.push(event.clone());
            return (StatusCode::CREATED, event);
        }
        let Some(object) = self.objects.get(place).cloned() else {
            return refused(StatusCode::NOT_FOUND, "not found");
        };
        if *method == Method::GET {
            return (StatusCode::OK, object);
        }
        let patch: json_patch::Patch = serde_json::from_slice(body).unwrap();
        let mut patched = object.clone();
        if json_patch::patch(&mut patched, &patch).is_err() {
            let message = "the server rejected our request due to an error in our request";
            return refused(StatusCode::UNPROCESSABLE_ENTITY, message);
        }
        self.edit(place, |object| match of_status {
            Some(_) => object["status"] = patched["status"].clone(),
            None => *object = patched,
        });
        (StatusCode::OK, self.objects[place].clone())
    }
}

impl ApiServer {
    pub(super) async fn start() -> (Self, Cluster) {
        crate::identity::install_provider();
        let server = Self(Arc::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let accepting = server.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let server = accepting.clone();
                let service = service_fn(move |request| server.clone().serve(request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        let directory = tempfile::tempdir().unwrap();
        let file: PathBuf = directory.path().join("config");
        let text = json!({"apiVersion": "v1", "kind": "Config", "current-context": "here",
            "clusters": [{"name": "c", "cluster": {"server": url}}],
            "users": [{"name": "u", "user": {"token": "t"}}],
            "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}]});
        std::fs::write(&file, text.to_string()).unwrap();
        let access = Access::Kubeconfig { files: vec![file], context: None };
        (server, Cluster::connect(&access).await.unwrap())
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    async fn serve(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let (status, answer) = self.state().answer(&head.method, head.uri.path(), &body);
        let answer = Full::new(Bytes::from(answer.to_string()));
        let response = Response::builder().status(status);
        Ok(response.header("content-type", "application/json").body(answer).unwrap())
    }
}
