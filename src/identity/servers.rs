//! TLS of listeners: certificates, client validation, and the tickets that outlive both.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use rustls::crypto::CryptoProvider;
use rustls::server::{NoServerSessionStorage, ProducesTickets};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{HandshakeKind, ServerConfig, ServerConnection, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::choice::{Certified, Choice};
use super::client_auth::ClientVerifier;
use super::leaf::{Leaf, PeerCertificate};
use super::ticketer::BoundedTickets;
use super::{WallClock, provider};
use crate::model::{
    Cause, Certificate, ClientAuth, ClientAuthMode, Listener, ListenerProtocol, ListenerTls,
    PartHash, PartKey, TlsVersion,
};

/// Makes and remembers what listeners need for TLS. Lives on the control thread.
#[derive(Debug)]
pub struct Servers {
    provider: Arc<CryptoProvider>,
    time: Arc<dyn TimeProvider>,
    /// Parsed keys by the content of their part: a reload of one listener parses nothing twice.
    certified: HashMap<PartHash, Weak<Certified>>,
    tickets: HashMap<PartKey, Tickets>,
    built: HashMap<PartKey, (PartHash, Arc<ServerTls>)>,
}

/// The keys of one listener's session tickets. A ticket stands for a validated client, so they
/// end with the settings that validated it; they survive a new certificate, and no two listeners
/// ever share them.
#[derive(Debug)]
struct Tickets {
    client_auth: PartHash,
    ticketer: Arc<dyn ProducesTickets>,
}

/// TLS of one listener, ready for handshakes.
#[derive(Debug)]
pub struct ServerTls {
    config: Arc<ServerConfig>,
    choice: Arc<Choice>,
    verifier: Option<Arc<ClientVerifier>>,
    time: Arc<dyn TimeProvider>,
    admission: PartHash,
}

impl Default for Servers {
    fn default() -> Self {
        Self::new()
    }
}

impl Servers {
    pub fn new() -> Self {
        Self::with_time(Arc::new(WallClock))
    }

    /// For tests that outlive certificates.
    pub(super) fn with_time(time: Arc<dyn TimeProvider>) -> Self {
        Self {
            provider: provider(),
            time,
            certified: HashMap::new(),
            tickets: HashMap::new(),
            built: HashMap::new(),
        }
    }

    /// TLS of a listener, `None` for one without. The same `Arc` comes back as long as nothing of
    /// it changed.
    ///
    /// # Errors
    /// The cause with which the listener's handshakes are refused: no certificate of its list is
    /// usable. They must never be given to another listener.
    pub fn build(
        &mut self,
        listener: &Listener,
        certificate: impl Fn(&PartKey) -> Option<Arc<Certificate>>,
    ) -> Result<Option<Arc<ServerTls>>, Cause> {
        let ListenerProtocol::Https(tls) = &listener.protocol else { return Ok(None) };
        let parts = find(tls, certificate);
        let hashes: Vec<_> = parts.iter().map(|part| part.as_deref().map(PartHash::of)).collect();
        let hash = PartHash::of(&(tls, &hashes));
        if let Some((known, built)) = self.built.get(&listener.key)
            && *known == hash
        {
            return Ok(Some(Arc::clone(built)));
        }
        // Its keys have no place in memory any more, also where nothing comes after it.
        self.built.remove(&listener.key);
        let choice = self.choice(&parts)?;
        let built = Arc::new(self.assemble(&listener.key, tls, choice)?);
        self.built.insert(listener.key.clone(), (hash, Arc::clone(&built)));
        Ok(Some(built))
    }

    /// Forgets what no listener of the Snapshot needs: their ticket keys are gone for good.
    pub fn retain(&mut self, live: impl Fn(&PartKey) -> bool) {
        self.tickets.retain(|key, _| live(key));
        self.built.retain(|key, _| live(key));
        self.certified.retain(|_, certified| certified.strong_count() > 0);
    }

    fn choice(&mut self, parts: &[Result<Arc<Certificate>, Cause>]) -> Result<Choice, Cause> {
        let mut usable = Vec::with_capacity(parts.len());
        let mut refused = Cause::CertificateMissing;
        for (position, part) in parts.iter().enumerate() {
            match part.as_ref().map_err(|cause| *cause).and_then(|part| self.certified(part)) {
                Ok(certified) => usable.push(certified),
                Err(cause) if position == 0 => refused = cause,
                Err(_) => {}
            }
        }
        if usable.is_empty() { Err(refused) } else { Ok(Choice::new(usable)) }
    }

    fn certified(&mut self, part: &Certificate) -> Result<Arc<Certified>, Cause> {
        let hash = PartHash::of(part);
        if let Some(known) = self.certified.get(&hash).and_then(Weak::upgrade) {
            return Ok(known);
        }
        let certified = Arc::new(parse(part, &self.provider)?);
        self.certified.insert(hash, Arc::downgrade(&certified));
        Ok(certified)
    }

    fn assemble(
        &mut self,
        key: &PartKey,
        tls: &ListenerTls,
        choice: Choice,
    ) -> Result<ServerTls, Cause> {
        let verifier = tls.client_auth.as_ref().map(ClientVerifier::new);
        let choice = Arc::new(choice);
        let builder =
            ServerConfig::builder_with_details(Arc::clone(&self.provider), Arc::clone(&self.time))
                .with_protocol_versions(versions(tls.min_version))
                .map_err(|_| Cause::CertificateInvalid)?;
        let builder = match &verifier {
            Some(verifier) => builder.with_client_cert_verifier(Arc::clone(verifier) as _),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(Arc::clone(&choice) as _);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = self.ticketer(key, tls.client_auth.as_ref())?;
        Ok(ServerTls {
            config: Arc::new(config),
            choice,
            verifier,
            time: Arc::clone(&self.time),
            admission: PartHash::of(&(&tls.client_auth, tls.min_version)),
        })
    }

    fn ticketer(
        &mut self,
        key: &PartKey,
        auth: Option<&ClientAuth>,
    ) -> Result<Arc<dyn ProducesTickets>, Cause> {
        let client_auth = PartHash::of(&auth);
        if let Some(tickets) = self.tickets.get(key)
            && tickets.client_auth == client_auth
        {
            return Ok(Arc::clone(&tickets.ticketer));
        }
        // It fails only where the system gives no randomness: then no handshake can be made either.
        let ticketer: Arc<dyn ProducesTickets> =
            Arc::new(BoundedTickets::new().map_err(|_| Cause::TlsHandshakeFailed)?);
        let tickets = Tickets { client_auth, ticketer: Arc::clone(&ticketer) };
        self.tickets.insert(key.clone(), tickets);
        Ok(ticketer)
    }
}

impl ServerTls {
    pub fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }

    /// The last word on a client, after its handshake and before its first request: who it is,
    /// `None` for a client without a certificate.
    ///
    /// A resumed session was not validated by the handshake (its certificate may have expired
    /// since), and one under AllowInsecureFallback never is: both are validated here.
    ///
    /// # Errors
    /// The connection must be closed with the cause.
    pub fn admit(&self, connection: &ServerConnection) -> Result<Option<PeerCertificate>, Cause> {
        let Some(verifier) = &self.verifier else { return Ok(None) };
        let must_be_valid = verifier.mode() == ClientAuthMode::AllowValidOnly;
        let Some((leaf, intermediates)) =
            connection.peer_certificates().and_then(<[_]>::split_first)
        else {
            return if must_be_valid { Err(Cause::ClientCertificateRefused) } else { Ok(None) };
        };
        if must_be_valid && connection.handshake_kind() != Some(HandshakeKind::Resumed) {
            // The handshake has validated it a moment ago.
            let leaf = Leaf::read(leaf).map_err(|_| Cause::ClientCertificateRefused)?;
            return Ok(Some(PeerCertificate { leaf, verified: true }));
        }
        let now = self.time.current_time().ok_or(Cause::ClientCertificateRefused)?;
        match verifier.verify(leaf, intermediates, now) {
            Ok(leaf) => Ok(Some(PeerCertificate { leaf, verified: true })),
            Err(_) if must_be_valid => Err(Cause::ClientCertificateRefused),
            Err(_) => {
                Ok(Leaf::read(leaf).ok().map(|leaf| PeerCertificate { leaf, verified: false }))
            }
        }
    }

    /// What clients had to show: a connection that was made under another value is to be drained.
    pub fn admission(&self) -> PartHash {
        self.admission
    }

    /// Our own certificates, for the metric of their expiry.
    pub fn leaves(&self) -> impl Iterator<Item = &Leaf> {
        self.choice.leaves()
    }
}

fn find(
    tls: &ListenerTls,
    certificate: impl Fn(&PartKey) -> Option<Arc<Certificate>>,
) -> Vec<Result<Arc<Certificate>, Cause>> {
    tls.certificates
        .iter()
        .map(|key| certificate(key.as_ref().map_err(|c| *c)?).ok_or(Cause::CertificateMissing))
        .collect()
}

/// Reads the chain and the key and holds them against each other.
pub(super) fn parse(part: &Certificate, provider: &CryptoProvider) -> Result<Certified, Cause> {
    let chain = part.chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
    let key = PrivateKeyDer::try_from(part.private_key.0.to_vec())
        .map_err(|_| Cause::CertificateInvalid)?;
    let key =
        CertifiedKey::from_der(chain, key, provider).map_err(|_| Cause::CertificateInvalid)?;
    Certified::new(key).map_err(|_| Cause::CertificateInvalid)
}

/// rustls has nothing older than 1.2, no renegotiation and no compression.
fn versions(min: TlsVersion) -> &'static [&'static SupportedProtocolVersion] {
    static FROM_1_2: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
    static FROM_1_3: [&SupportedProtocolVersion; 1] = [&TLS13];
    match min {
        TlsVersion::V1_2 => &FROM_1_2,
        TlsVersion::V1_3 => &FROM_1_3,
    }
}
