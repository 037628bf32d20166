//! Certificate authorities, and the parts that are made of what they issue.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SanType,
};

use crate::model::{
    AccessLogFormat, BindAddress, Cause, Certificate, ClientAuth, ClientAuthMode, Kind, Listener,
    ListenerProtocol, ListenerSettings, ListenerTls, ObjectKey, PartKey, PartKind, PrivateKey,
    Store, TlsVersion,
};

pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// DER of the intermediates that its leaves come with.
    chain: Vec<Vec<u8>>,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::self_signed(ca(name), key).unwrap();
        Self { issuer, chain: Vec::new() }
    }

    pub(super) fn intermediate(&self, params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::signed_by(params, key, &self.issuer).unwrap();
        let mut chain = vec![issuer.der().to_vec()];
        chain.extend(self.chain.iter().cloned());
        Self { issuer, chain }
    }

    pub(super) fn without_chain(mut self) -> Self {
        self.chain.clear();
        self
    }

    pub(super) fn root(&self) -> Vec<u8> {
        self.issuer.der().to_vec()
    }

    pub(super) fn pem(&self) -> String {
        self.issuer.pem()
    }

    pub(super) fn issue(&self, params: &CertificateParams) -> Certificate {
        self.issue_for(params, &KeyPair::generate().unwrap())
    }

    pub(super) fn issue_for(&self, params: &CertificateParams, key: &KeyPair) -> Certificate {
        let leaf = params.signed_by(key, &self.issuer).unwrap();
        let chain = std::iter::once(leaf.der().to_vec()).chain(self.chain.iter().cloned());
        certificate("leaf", chain.collect(), key)
    }

    /// A server's certificate for these DNS names.
    pub(super) fn server(&self, name: &str, dns: &[&str]) -> Certificate {
        let params = leaf(dns, ExtendedKeyUsagePurpose::ServerAuth);
        Certificate { key: certificate_key(name), ..self.issue(&params) }
    }

    pub(super) fn client(&self) -> Certificate {
        self.issue(&leaf(&["client.example"], ExtendedKeyUsagePurpose::ClientAuth))
    }
}

pub(super) fn ca(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    params
}

pub(super) fn leaf(dns: &[&str], usage: ExtendedKeyUsagePurpose) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.subject_alt_names =
        dns.iter().map(|name| SanType::DnsName((*name).try_into().unwrap())).collect();
    params.extended_key_usages = vec![usage];
    params
}

pub(super) fn certificate(name: &str, chain: Vec<Vec<u8>>, key: &KeyPair) -> Certificate {
    let private_key = PrivateKey(key.serialize_der().into());
    Certificate { key: certificate_key(name), chain, private_key }
}

pub(super) fn certificate_key(name: &str) -> PartKey {
    let object = ObjectKey::new(Store::Files, Kind::Secret, "default", name);
    PartKey::new(PartKind::Certificate, object, "")
}

pub(super) fn only_valid(roots: &[&Authority]) -> Option<ClientAuth> {
    client_auth(ClientAuthMode::AllowValidOnly, roots)
}

pub(super) fn fallback(roots: &[&Authority]) -> Option<ClientAuth> {
    client_auth(ClientAuthMode::AllowInsecureFallback, roots)
}

fn client_auth(mode: ClientAuthMode, roots: &[&Authority]) -> Option<ClientAuth> {
    let roots: Vec<_> = roots.iter().map(|authority| authority.root()).collect();
    Some(ClientAuth { roots: roots.into(), mode })
}

pub(super) fn listener(
    name: &str,
    certificates: &[&Certificate],
    client_auth: Option<ClientAuth>,
) -> Listener {
    let certificates = certificates.iter().map(|part| Ok(part.key.clone())).collect();
    https(name, ListenerTls { certificates, client_auth, min_version: TlsVersion::V1_2 })
}

pub(super) fn https(name: &str, tls: ListenerTls) -> Listener {
    let gateway = ObjectKey::new(Store::Files, Kind::Gateway, "default", "gw");
    Listener {
        key: PartKey::new(PartKind::Listener, gateway.clone(), name),
        gateway,
        scope: Default::default(),
        bind: BindAddress { ip: None, port: 443 },
        port: 443,
        hostname: None,
        protocol: ListenerProtocol::Https(tls),
        settings: Arc::new(ListenerSettings {
            trusted_hops: 0,
            proxy_protocol_from: Vec::new(),
            idle_timeout: crate::limits::IDLE_TIMEOUT,
            request_head_timeout: crate::limits::REQUEST_HEAD_TIMEOUT,
            stream_idle_timeout: crate::limits::STREAM_IDLE_TIMEOUT,
            drain_timeout: crate::limits::DRAIN_TIMEOUT,
            max_header_bytes: 60 * 1024,
            access_log: Some(AccessLogFormat::Json),
            via: "meshctl".into(),
        }),
    }
}

/// The parts that a Snapshot would hold.
pub(super) fn among(parts: &[&Certificate]) -> impl Fn(&PartKey) -> Option<Arc<Certificate>> {
    let parts: Vec<_> = parts.iter().map(|part| Arc::new((*part).clone())).collect();
    move |key| parts.iter().find(|part| part.key == *key).cloned()
}

pub(super) fn build(
    servers: &mut super::super::Servers,
    listener: &Listener,
    parts: &[&Certificate],
) -> Result<Arc<super::super::ServerTls>, Cause> {
    servers.build(listener, among(parts)).map(|tls| tls.expect("an HTTPS listener"))
}
