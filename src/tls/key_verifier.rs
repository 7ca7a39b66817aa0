//! The verifier of a build without certificates: the handshake itself shows that the broker knows the pre-shared key.

use super::records::Exchange;
use super::suite::Suite;
use super::{Reason, Security};
use core::marker::PhantomData;
use embedded_tls::{CertificateRef, CertificateVerifyRef, TlsError, TlsVerifier};
use sha2::Sha256;

pub(super) struct Verifier<T> {
    exchange: &'static Exchange,
    has_key: bool,
    transport: PhantomData<T>,
}

impl<T> Verifier<T> {
    pub(super) fn new(_: T, exchange: &'static Exchange, security: Security) -> Self {
        Self { exchange, has_key: !security.key.is_empty(), transport: PhantomData }
    }

    /// After the handshake: there must have been a key.
    pub(super) fn insist(&self) -> Result<(), TlsError> {
        if self.has_key { Ok(()) } else { self.refuse(Reason::NoCertificate) }
    }

    fn refuse(&self, reason: Reason) -> Result<(), TlsError> {
        self.exchange.refuse(reason);
        Err(TlsError::InvalidCertificate)
    }
}

impl<T> TlsVerifier<Suite> for Verifier<T> {
    fn set_hostname_verification(&mut self, _: &str) -> Result<(), TlsError> {
        Ok(())
    }

    fn verify_certificate(&mut self, _: &Sha256, _: CertificateRef) -> Result<(), TlsError> {
        self.refuse(Reason::Protocol)
    }

    fn verify_signature(&mut self, _: CertificateVerifyRef) -> Result<(), TlsError> {
        self.refuse(Reason::Protocol)
    }
}
