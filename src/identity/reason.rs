//! Failed handshakes in words, with the cause that they are counted under.

use std::io;

use rustls::{CertificateError, Error};

use crate::model::Cause;

/// Which end of the handshake we were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Towards a client.
    Server,
    /// Towards a backend.
    Client,
}

/// Why a handshake failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub cause: Cause,
    /// One line without control characters, whatever the peer sent.
    pub sentence: String,
}

/// Reads rustls' error out of what a tokio-rustls handshake returned.
pub fn failure(error: &io::Error, side: Side) -> Failure {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    let sentence = match tls {
        Some(tls) => sentence(tls, side),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            format!("{} closed the connection during the handshake", peer(side))
        }
        None => error.to_string(),
    };
    Failure { cause: cause(tls, side), sentence: one_line(&sentence) }
}

fn cause(tls: Option<&Error>, side: Side) -> Cause {
    match (side, tls) {
        (Side::Client, _) => Cause::UpstreamTlsFailed,
        (Side::Server, Some(Error::NoCertificatesPresented | Error::InvalidCertificate(_))) => {
            Cause::ClientCertificateRefused
        }
        (Side::Server, _) => Cause::TlsHandshakeFailed,
    }
}

fn peer(side: Side) -> &'static str {
    match side {
        Side::Server => "the client",
        Side::Client => "the endpoint",
    }
}

fn sentence(error: &Error, side: Side) -> String {
    let peer = peer(side);
    match error {
        Error::NoCertificatesPresented => format!("{peer} showed no certificate"),
        Error::InvalidCertificate(reason) => {
            format!("{peer}'s certificate is not accepted: {}", certificate(reason))
        }
        Error::AlertReceived(alert) => format!("{peer} refused the handshake: {alert:?}"),
        Error::NoApplicationProtocol => {
            format!("{peer} speaks none of the offered protocols (ALPN)")
        }
        Error::InvalidMessage(_) => {
            format!("{peer} did not speak TLS, or broke it: {error}")
        }
        _ => error.to_string(),
    }
}

fn certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet; compare the clocks".to_owned()
        }
        CertificateError::UnknownIssuer => "no trusted CA signed it".to_owned(),
        CertificateError::NotValidForName => "it carries none of the expected names".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "its extended key usage forbids this use".to_owned()
        }
        CertificateError::BadEncoding => "it cannot be read".to_owned(),
        CertificateError::BadSignature => "its signature is wrong".to_owned(),
        // Names what was expected and what the certificate carries.
        _ => error.to_string(),
    }
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .take(crate::limits::TLS_REASON_CHARS)
        .collect()
}
