//! Two ends of a connection in memory.

use std::io;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{Accepted, Acceptor};
use rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, DigitallySignedStruct, Error,
    ServerConnection, SideData, SignatureScheme, SupportedProtocolVersion,
};

use crate::identity::{PeerCertificate, ServerTls, Side, failure, provider};
use crate::model::{Cause, Certificate};

/// How a handshake ended. In TLS 1.3 a client is done before the server has judged it, so each
/// side has its own word.
pub(super) struct Outcome {
    pub(super) client: ClientConnection,
    pub(super) client_error: Option<Error>,
    pub(super) server: Result<ServerConnection, Error>,
}

impl Outcome {
    /// Whom the listener lets in, or the cause with which it doesn't.
    pub(super) fn admitted(&self, tls: &ServerTls) -> Result<Option<PeerCertificate>, Cause> {
        match &self.server {
            Ok(server) => tls.admit(server),
            Err(error) => {
                let error = io::Error::new(io::ErrorKind::InvalidData, error.clone());
                Err(failure(&error, Side::Server).cause)
            }
        }
    }

    pub(super) fn server_error(&self) -> String {
        self.server.as_ref().map_or_else(ToString::to_string, |_| String::new())
    }
}

/// Carries all that one end has to say to the other, in pieces of `piece` bytes.
fn carry<A: SideData, B: SideData>(
    from: &mut ConnectionCommon<A>,
    to: &mut ConnectionCommon<B>,
    piece: usize,
) -> Result<bool, Error> {
    let mut bytes = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut bytes).unwrap();
    }
    for mut piece in bytes.chunks(piece) {
        while !piece.is_empty() {
            to.read_tls(&mut piece).unwrap();
            to.process_new_packets()?;
        }
    }
    Ok(!bytes.is_empty())
}

/// A whole handshake, tickets included.
pub(super) fn handshake(config: &Arc<ClientConfig>, name: &str, tls: &ServerTls) -> Outcome {
    in_pieces(config, name, tls, usize::MAX)
}

pub(super) fn in_pieces(
    config: &Arc<ClientConfig>,
    name: &str,
    tls: &ServerTls,
    piece: usize,
) -> Outcome {
    let server = ServerConnection::new(Arc::clone(tls.config())).unwrap();
    run(client(config, name), server, piece)
}

pub(super) fn client(config: &Arc<ClientConfig>, name: &str) -> ClientConnection {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    ClientConnection::new(Arc::clone(config), name).unwrap()
}

pub(super) fn run(
    mut client: ClientConnection,
    mut server: ServerConnection,
    piece: usize,
) -> Outcome {
    loop {
        let sent = match carry(&mut client, &mut server, piece) {
            Ok(sent) => sent,
            Err(error) => {
                // The alert that tells the client why.
                let client_error = carry(&mut server, &mut client, piece).err();
                return Outcome { client, client_error, server: Err(error) };
            }
        };
        let answered = match carry(&mut server, &mut client, piece) {
            Ok(answered) => answered,
            Err(error) => {
                let told = carry(&mut client, &mut server, piece).err();
                let server = Err(told.unwrap_or(Error::General("the client left".into())));
                return Outcome { client, client_error: Some(error), server };
            }
        };
        if !sent && !answered {
            break;
        }
    }
    assert!(!server.is_handshaking() && !client.is_handshaking(), "nobody speaks any more");
    Outcome { client, client_error: None, server: Ok(server) }
}

/// Reads bytes as the listener's acceptor does.
pub(super) fn accept(bytes: &[u8], piece: usize) -> Result<Option<Accepted>, Error> {
    let mut acceptor = Acceptor::default();
    for mut piece in bytes.chunks(piece) {
        while !piece.is_empty() {
            acceptor.read_tls(&mut piece).unwrap();
            match acceptor.accept() {
                Ok(None) => {}
                Ok(Some(accepted)) => return Ok(Some(accepted)),
                Err((error, _)) => return Err(error),
            }
        }
    }
    Ok(None)
}

/// The ClientHello that rustls would send for `name`.
pub(super) fn hello(config: &Arc<ClientConfig>, name: &str) -> Vec<u8> {
    let mut client = client(config, name);
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    bytes
}

/// Spreads the handshake message of one record over records of one byte each.
pub(super) fn one_byte_records(record: &[u8]) -> Vec<u8> {
    let [kind, major, minor, ..] = *record else { panic!("no record") };
    record[5..].iter().flat_map(|byte| [kind, major, minor, 0, 1, *byte]).collect()
}

/// What a test's client is.
#[derive(Default)]
pub(super) struct Browser<'a> {
    pub(super) identity: Option<&'a Certificate>,
    pub(super) versions: &'a [&'static SupportedProtocolVersion],
    pub(super) alpn: &'a [&'a str],
    pub(super) schemes: &'a [SignatureScheme],
}

impl Browser<'_> {
    /// Trusts everybody: these tests are about what servers do.
    pub(super) fn config(&self) -> Arc<ClientConfig> {
        let versions = if self.versions.is_empty() { rustls::ALL_VERSIONS } else { self.versions };
        let schemes = if self.schemes.is_empty() {
            provider().signature_verification_algorithms.supported_schemes()
        } else {
            self.schemes.to_vec()
        };
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Credulous(schemes)));
        let mut config = match self.identity {
            Some(part) => {
                let chain = part.chain.iter().map(|der| CertificateDer::from(der.clone()));
                let key = PrivateKeyDer::try_from(part.private_key.0.to_vec()).unwrap();
                let key = provider().key_provider.load_private_key(key).unwrap();
                // Without rustls' own check that the two belong together.
                let key = rustls::sign::CertifiedKey::new(chain.collect(), key);
                let resolver = rustls::sign::SingleCertAndKey::from(key);
                builder.with_client_cert_resolver(Arc::new(resolver))
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = self.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}

#[derive(Debug)]
struct Credulous(Vec<SignatureScheme>);

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.clone()
    }
}
