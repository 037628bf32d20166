#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use serde_json::json;

use super::*;

fn kubeconfig(directory: &Path, server: &str) -> Access {
    let file = directory.join("config");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: here\nclusters:\n- name: c\n  cluster: {{server: \
         '{server}'}}\nusers:\n- name: u\n  user: {{token: t}}\ncontexts:\n- name: here\n  \
         context: {{cluster: c, user: u, namespace: shop}}\n- name: other\n  context: {{cluster: \
         c, user: u}}\n"
    );
    std::fs::write(&file, text).unwrap();
    Access::Kubeconfig { files: vec![directory.join("absent"), file], context: None }
}

/// A server that gives one answer to every request, each on a connection of its own.
fn server(status: &str, body: &Value) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let body = body.to_string();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 8192];
            let _ = stream.read(&mut head);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    format!("http://{address}")
}

async fn connected(server: &str) -> Cluster {
    crate::identity::install_provider();
    let directory = tempfile::tempdir().unwrap();
    Cluster::connect(&kubeconfig(directory.path(), server)).await.unwrap()
}

fn status(code: u16, message: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
        "message": message, "reason": "x"})
}

#[tokio::test]
async fn a_context_that_is_not_there_is_named_with_those_that_are() {
    let directory = tempfile::tempdir().unwrap();
    let Access::Kubeconfig { files, .. } = kubeconfig(directory.path(), "http://127.0.0.1:1")
    else {
        unreachable!()
    };
    let ask = |files: Vec<PathBuf>, context: &str| Access::Kubeconfig {
        files,
        context: Some(context.to_owned()),
    };
    let error = Cluster::connect(&ask(files.clone(), "prod")).await.err().unwrap();
    assert_eq!(error.to_string(), "there is no context `prod` in the kubeconfig");
    assert_eq!(error.advice().unwrap(), "contexts that are there: here, other");

    let error = Cluster::connect(&ask(files[..1].to_vec(), "prod")).await.err().unwrap();
    assert!(error.to_string().ends_with("absent is not there"), "{error}");

    std::fs::write(&files[1], "apiVersion: v1\nkind: [").unwrap();
    let error = Cluster::connect(&ask(files, "prod")).await.err().unwrap();
    assert!(matches!(error, ClusterError::Kubeconfig { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_is_away_is_named_with_its_address() {
    let cluster = connected("http://127.0.0.1:1").await;
    assert_eq!((cluster.name.as_str(), cluster.namespace.as_str()), ("here", "shop"));
    let error = cluster.version().await.err().unwrap();
    let text = error.to_string();
    assert!(text.starts_with("cluster here (http://127.0.0.1:1) can't be reached: "), "{text}");
    assert!(text.contains("refused"), "{text}");
    assert!(error.may_pass());
}

#[tokio::test]
async fn a_server_that_is_silent_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let cluster = connected(&format!("http://{}", silent.local_addr().unwrap())).await;
    let cluster = cluster.with_patience(Duration::from_millis(50));
    let error = cluster.version().await.err().unwrap();
    assert!(error.to_string().contains("no answer within"), "{error}");
}

#[tokio::test]
async fn what_a_server_refuses_is_told_with_verb_and_object() {
    let object = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "a", "namespace": "b"}});
    let cases = [
        (
            403,
            "403 Forbidden",
            "cluster here doesn't allow to apply deployments.apps/a in namespace b: no",
        ),
        (401, "401 Unauthorized", "cluster here doesn't accept these credentials"),
        (422, "422 Bad", "the API server refused to apply deployments.apps/a in namespace b: no"),
        (409, "409 Conflict", "deployments.apps/a in namespace b is in conflict: no"),
        (500, "500 Bad", "cluster here failed at deployments.apps/a in namespace b: no"),
    ];
    for (code, line, expected) in cases {
        let cluster = connected(&server(line, &status(code, "no"))).await;
        let error = cluster.apply(&object, false).await.err().unwrap();
        assert_eq!(error.to_string(), expected);
        let passes = [409, 500].contains(&code);
        assert_eq!(error.may_pass(), passes, "{code}");
    }
    let cluster = connected("http://127.0.0.1:1").await;
    let stranger = json!({"apiVersion": "v9", "kind": "Thing", "metadata": {"name": "a"}});
    let error = cluster.apply(&stranger, false).await.err().unwrap();
    assert_eq!(error.to_string(), "Thing a is of a kind that isn't known here");
}

#[tokio::test]
async fn what_is_not_there_is_nothing() {
    let cluster = connected(&server("404 Not Found", &status(404, "no"))).await;
    assert_eq!(cluster.get(&Resource::GATEWAY, Some("a"), "b").await, Ok(None));
    assert_eq!(cluster.list(&Resource::GATEWAY, None, None).await, Ok(Vec::new()));
    assert_eq!(cluster.delete(&Resource::GATEWAY, Some("a"), "b").await, Ok(false));
}

#[tokio::test]
async fn objects_of_a_list_say_what_they_are() {
    let list = json!({"kind": "GatewayList", "apiVersion": "gateway.networking.k8s.io/v1",
        "metadata": {}, "items": [{"metadata": {"name": "g", "namespace": "n"}, "spec": {}}]});
    let cluster = connected(&server("200 OK", &list)).await;
    let found = cluster.list(&Resource::GATEWAY, None, None).await.unwrap();
    assert_eq!(Resource::of(&found[0]), Some(Resource::GATEWAY));
    assert_eq!(shown(&found[0]), "Gateway n/g");
}

#[tokio::test]
async fn whoever_may_not_enter_a_pod_is_told_the_permission() {
    let message = "pods \"web\" is forbidden: User \"u\" cannot get resource \"pods/exec\"";
    let cluster = connected(&server("403 Forbidden", &status(403, message))).await;
    let at = Inside { namespace: "shop", pod: "web", container: "proxy" };
    let error = cluster.exec(at, &["/meshctl", "version"]).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, ClusterError::Forbidden { .. }), "{text}");
    assert!(text.contains("pods/exec of web in namespace shop"), "{text}");
    assert!(error.advice().unwrap().contains("--context"));
}

#[test]
fn a_command_in_a_pod_ends_with_its_exit_code() {
    let code = |status: Value| exec::code(&serde_json::from_value(status).unwrap());
    assert_eq!(code(json!({"status": "Success"})), Some(0));
    let failed = json!({"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": [
        {"reason": "Other", "message": "7"}, {"reason": "ExitCode", "message": "4"}]}});
    assert_eq!(code(failed), Some(4));
    // The container has no such program.
    assert_eq!(code(json!({"status": "Failure", "reason": "InternalError"})), None);
}

#[test]
fn a_permission_is_written_as_kubectl_names_it() {
    let patch = Permission {
        verb: "patch".into(),
        group: "gateway.networking.k8s.io".into(),
        resource: "gateways/status".into(),
        name: None,
        namespace: None,
    };
    assert_eq!(patch.to_string(), "patch gateways.gateway.networking.k8s.io/status");
    let get = Permission::on("get", &Resource::SECRET, Some("shop"));
    assert_eq!((get.to_string().as_str(), get.namespace.as_deref()), ("get secrets", Some("shop")));
    assert_eq!(Permission::on("get", &Resource::NAMESPACE, Some("shop")).namespace, None);
}
