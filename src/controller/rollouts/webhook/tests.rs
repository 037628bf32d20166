//! Webhooks that really listen.

use std::sync::Mutex;

use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::rollout::state::{Event, Phase};

/// What came, and what is answered, the last for all that follow.
#[derive(Clone, Default)]
struct Chat(Arc<Mutex<Said>>);

#[derive(Default)]
struct Said {
    came: Vec<(http::request::Parts, Value)>,
    answers: Vec<u16>,
}

impl Chat {
    fn answering(answers: &[u16]) -> Self {
        let chat = Self::default();
        chat.0.lock().unwrap().answers = answers.to_vec();
        chat
    }

    async fn listen(&self, tls: Option<TlsAcceptor>) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let chat = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (chat, tls) = (chat.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => chat.serve(stream).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                chat.serve(stream).await;
                            }
                        }
                    }
                });
            }
        });
        port
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let service = service_fn(move |request: Request<hyper::body::Incoming>| {
            let chat = self.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let mut chat = chat.0.lock().unwrap();
                chat.came.push((head, serde_json::from_slice(&body).unwrap()));
                let status = match &mut chat.answers {
                    answers if answers.len() > 1 => answers.remove(0),
                    answers => answers[0],
                };
                http::Response::builder()
                    .status(status)
                    .header("location", "/elsewhere")
                    .body(Full::new(Bytes::from_static(b"ok")))
            }
        });
        let _ = server::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    fn came(&self) -> usize {
        self.0.lock().unwrap().came.len()
    }
}

fn notice() -> Notice {
    let key = |kind| ObjectKey::new(Store::Cluster, kind, "shop", "cart");
    let event = Event {
        at: Timestamp::UNIX_EPOCH,
        phase: Phase::RolledBack,
        from: 10,
        to: 0,
        why: "<!channel> 3 of 9 requests failed".to_owned(),
        by_hand: false,
    };
    let rollout = crate::rollout::Rollout {
        key: key(Kind::TrafficRollout),
        route: key(Kind::HttpRoute),
        rule: None,
        ask: Default::default(),
        kind: crate::rollout::RolloutKind::DarkLaunch(crate::rollout::DarkLaunch {
            to: crate::rollout::route::Destination {
                group: String::new(),
                kind: "Service".to_owned(),
                namespace: "shop".to_owned(),
                name: "v2".to_owned(),
                port: None,
            },
            percent: 1,
        }),
    };
    Notice::new(&rollout, &Value::Null, Phase::Progressing, event)
}

fn nobody() -> Cluster {
    crate::identity::install_provider();
    let config = kube::Config::new("http://127.0.0.1:1".parse().unwrap());
    Cluster::of(kube::Client::try_from(config).unwrap(), "nobody")
}

async fn told(answers: &[u16]) -> (Result<(), String>, Chat) {
    let chat = Chat::answering(answers);
    let port = chat.listen(None).await;
    let url = Some(format!("http://127.0.0.1:{port}/hook?room=7").into());
    let webhook = Webhook { url, secret: None };
    let rest = Duration::from_millis(1);
    let told = insist(&nobody(), &webhook, &body(&notice()).to_string(), rest).await;
    (told, chat)
}

#[tokio::test]
async fn one_post_says_what_changed() {
    let (said, chat) = told(&[200]).await;
    assert_eq!(said, Ok(()));
    let came = chat.0.lock().unwrap().came.remove(0);
    assert_eq!((came.0.method.as_str(), came.0.uri.to_string()), ("POST", "/hook?room=7".into()));
    assert_eq!(came.0.headers["content-type"], "application/json");
    assert!(came.0.headers["host"].to_str().unwrap().starts_with("127.0.0.1:"));
    assert!(!came.0.headers.contains_key("authorization"));
    // No mention of anybody comes through.
    assert_eq!(
        came.1,
        json!({
            "text": "TrafficRollout shop/cart: Progressing → RolledBack, 10% → 0%: &lt;!channel&gt; \
                     3 of 9 requests failed",
            "namespace": "shop",
            "rollout": "cart",
            "route": {"kind": "HTTPRoute", "name": "cart"},
            "previousPhase": "Progressing",
            "phase": "RolledBack",
            "previousWeight": 10,
            "weight": 0,
            "message": "<!channel> 3 of 9 requests failed",
            "at": "1970-01-01T00:00:00Z",
        })
    );
}

#[tokio::test]
async fn who_is_away_is_tried_again_and_who_refuses_is_not() {
    let (said, chat) = told(&[503, 429, 204]).await;
    assert_eq!((said, chat.came()), (Ok(()), 3));
    let (said, chat) = told(&[500]).await;
    assert_eq!((said, chat.came()), (Err("it answers with 500".into()), 4));
    let (said, chat) = told(&[404]).await;
    assert_eq!((said, chat.came()), (Err("it answers with 404".into()), 1));
    let (said, chat) = told(&[302]).await;
    let why = "it answers with 302, and no redirect is followed";
    assert_eq!((said, chat.came()), (Err(why.into()), 1));
}

#[tokio::test]
async fn over_tls_it_proves_who_it_is() {
    crate::identity::install_provider();
    let key = rcgen::KeyPair::generate().unwrap();
    let made = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap();
    let certificate = made.self_signed(&key).unwrap();
    let chat = Chat::answering(&[200]);
    let acceptor = TlsAcceptor::from(Arc::new(plain(&certificate, &key)));
    let port = chat.listen(Some(acceptor)).await;
    let whereto = |roots: &[u8], host: &str| Whereto {
        url: format!("https://{host}:{port}/").parse().unwrap(),
        token: Some("secret".into()),
        roots: TrustRoots::Bundle(vec![roots.to_vec()].into()),
    };
    let other = made.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
    let refused = post(&whereto(other.der(), "localhost"), "{}").await.unwrap_err();
    assert!(!refused.lasting, "its certificate may be renewed: {refused:?}");
    assert!(post(&whereto(certificate.der(), "127.0.0.1"), "{}").await.is_err());
    assert_eq!(chat.came(), 0);
    assert_eq!(post(&whereto(certificate.der(), "localhost"), "{}").await, Ok(()));
    assert_eq!(chat.0.lock().unwrap().came[0].0.headers["authorization"], "Bearer secret");
}

fn plain(certificate: &rcgen::Certificate, key: &rcgen::KeyPair) -> rustls::ServerConfig {
    let chain = vec![certificate.der().clone()];
    let key = rustls_pki_types::PrivatePkcs8KeyDer::from(key.serialize_der());
    let builder = rustls::ServerConfig::builder().with_no_client_auth();
    builder.with_single_cert(chain, key.into()).unwrap()
}

/// A tenant's MeshConfig moves its own Gateways, and no webhook.
#[test]
fn only_the_administrator_says_where() {
    let mut index = Index::new();
    let config = |namespace: &str, name: &str| {
        let value = json!({
            "apiVersion": "meshctl.dev/v1alpha1",
            "kind": "MeshConfig",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"rollouts": {"webhook": {
                "url": "https://chat.example/hook", "secretRef": {"name": "hook"}}}},
        });
        let (decoded, said) = crate::config::decode::from_json(&value, Store::Cluster);
        let crate::config::decode::Decoded::Object(object) = decoded else { panic!("{said:?}") };
        assert!(said.is_empty(), "{said:?}");
        *object
    };
    index.apply(config("shop", "default"));
    index.apply(config("meshctl-system", "other"));
    assert_eq!(of(&index), None);
    index.apply(config("meshctl-system", "default"));
    let url = Some("https://chat.example/hook".into());
    assert_eq!(of(&index), Some(Webhook { url, secret: Some("hook".into()) }));
}

#[tokio::test]
async fn what_is_no_url_is_said_without_it() {
    for (url, why) in [
        (None, "neither `url` nor a Secret's `url` says where it is"),
        (Some("not a url"), "its URL can't be read"),
        (Some("ftp://hooks.example/secret"), "its URL is neither http:// nor https://"),
    ] {
        let webhook = Webhook { url: url.map(Into::into), secret: None };
        let found = Whereto::find(&nobody(), &webhook).await.unwrap_err();
        assert_eq!(found, lasting(why));
    }
}
