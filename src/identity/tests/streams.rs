//! The same, as the proxy drives it: over streams, with the listener chosen from the ClientHello.

use std::io;
use std::sync::Arc;

use rustls::server::Acceptor;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, TlsConnector};

use super::authority::{Authority, build, listener, only_valid};
use super::wire::Browser;
use crate::identity::{Failure, ServerTls, Servers, Side, Sni, failure, sni_host};
use crate::model::{Cause, Certificate};

/// Two listeners of one port: `open.example`, and `closed.example` for clients that are known.
struct Port {
    open: Arc<ServerTls>,
    closed: Arc<ServerTls>,
}

impl Port {
    fn new(root: &Authority) -> Self {
        let part = root.server("part", &["open.example", "closed.example"]);
        let mut servers = Servers::new();
        let mut tls =
            |name, auth| build(&mut servers, &listener(name, &[&part], auth), &[&part]).unwrap();
        Self { open: tls("open", None), closed: tls("closed", only_valid(&[root])) }
    }

    async fn accept(&self, stream: DuplexStream) -> io::Result<TlsStream<DuplexStream>> {
        let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let tls = match sni_host(start.client_hello().server_name()) {
            Sni::Host(host) if host == "closed.example" => &self.closed,
            Sni::Host(_) | Sni::Absent => &self.open,
            Sni::Invalid => return Err(io::ErrorKind::InvalidData.into()),
        };
        start.into_stream(Arc::clone(tls.config())).await
    }

    /// What comes of a client that sends a byte and waits for one.
    async fn meet(&self, name: &str, identity: Option<&Certificate>) -> Result<(), Failure> {
        // Wide enough for both to speak at once, as sockets are; single bytes have their own test.
        let (near, far) = duplex(16 * 1024);
        let name = name.to_owned().try_into().unwrap();
        let connector = TlsConnector::from(Browser { identity, ..Browser::default() }.config());
        let client = async {
            let mut stream = connector.connect(name, far).await?;
            stream.write_all(b"?").await?;
            stream.read_u8().await
        };
        let server = async {
            let mut stream = self.accept(near).await.map_err(|e| failure(&e, Side::Server))?;
            assert_eq!(stream.read_u8().await.unwrap(), b'?');
            stream.write_all(b"!").await.unwrap();
            stream.flush().await.unwrap();
            Ok(())
        };
        let (answer, served) = tokio::join!(client, server);
        assert_eq!(answer.is_ok(), served.is_ok(), "{answer:?}");
        served
    }
}

#[tokio::test]
async fn the_listener_of_the_name_decides_who_comes_in() {
    let root = Authority::new("root");
    let port = Port::new(&root);
    let (known, unknown) = (root.client(), Authority::new("other").client());
    assert_eq!(port.meet("open.example", None).await, Ok(()));
    assert_eq!(port.meet("192.0.2.1", None).await, Ok(()));
    for name in ["closed.example", "CLOSED.Example"] {
        assert_eq!(port.meet(name, Some(&known)).await, Ok(()));
        let refused = port.meet(name, None).await.unwrap_err();
        assert_eq!(refused.cause, Cause::ClientCertificateRefused);
        assert_eq!(refused.sentence, "the client showed no certificate");
        let refused = port.meet(name, Some(&unknown)).await.unwrap_err();
        assert_eq!(refused.cause, Cause::ClientCertificateRefused);
        assert!(refused.sentence.contains("no trusted CA"), "{}", refused.sentence);
    }
}

#[tokio::test]
async fn what_is_no_tls_is_said_to_be_none() {
    let port = Port::new(&Authority::new("root"));
    for (bytes, words) in [
        (&b"GET / HTTP/1.1\r\nHost: open.example\r\n\r\n"[..], "did not speak TLS"),
        (b"\x16\x03\x01", "closed the connection"),
        (b"", "closed the connection"),
    ] {
        let (near, mut far) = duplex(1024);
        far.write_all(bytes).await.unwrap();
        far.shutdown().await.unwrap();
        let failure = failure(&port.accept(near).await.unwrap_err(), Side::Server);
        assert_eq!(failure.cause, Cause::TlsHandshakeFailed);
        assert!(failure.sentence.contains(words), "{}", failure.sentence);
    }
}
