//! Whether the broker is the one that it should be: a certificate that an authority stands for and that bears the right name, then a
//! signature by its key over this very handshake. Each exactly once, in this order.

use super::algorithms::{self, Algorithms};
use super::records::Exchange;
use super::certificates::{anchor, certificates};
use super::suite::Suite;
use super::{Reason, Security, Transport};
use core::time::Duration;
use embedded_tls::{CertificateEntryRef, CertificateRef, CertificateVerifyRef, TlsError, TlsVerifier};
use heapless::Vec;
use sha2::{Digest, Sha256};
use pki_types::{CertificateDer, ServerName, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage};

/// Certificates between the broker's and an authority's.
const MOST_INTERMEDIATES: usize = 4;
/// The longest public key that can be used, with what identifies it.
const LONGEST_KEY: usize = if cfg!(feature = "rsa") { 552 } else if cfg!(feature = "p384") { 120 } else { 91 };
/// The hash of the handshake.
type Hash = [u8; 32];

/// What the broker has shown.
#[allow(clippy::large_enum_variant, reason = "there is one of it, where it stays")]
enum Progress {
    Nothing,
    /// A certificate that can be trusted; its key, and the hash of the handshake up to it.
    Certificate(Vec<u8, LONGEST_KEY, u16>, Hash),
    /// That it has the key of that certificate.
    Signature,
}

pub(super) struct Verifier<T> {
    transport: T,
    exchange: &'static Exchange,
    pub(super) security: Security,
    progress: Progress,
}

impl<T: Transport> Verifier<T> {
    pub(super) fn new(transport: T, exchange: &'static Exchange, security: Security) -> Self {
        Self { transport, exchange, security, progress: Progress::Nothing }
    }

    /// Whether the broker has shown all.
    pub(super) fn is_satisfied(&self) -> bool {
        matches!(self.progress, Progress::Signature)
    }

    /// After the handshake: the broker must have shown all. With a pre-shared key, the handshake itself has shown that it knows it.
    pub(super) fn insist(&self) -> Result<(), TlsError> {
        if self.is_satisfied() || !self.security.key.is_empty() { Ok(()) } else { self.refuse(Reason::NoCertificate) }
    }

    fn refuse(&self, reason: Reason) -> Result<(), TlsError> {
        self.exchange.refuse(reason);
        Err(TlsError::InvalidCertificate)
    }

    /// Whether an authority stands for the first of these certificates, and it bears the right name: its public key.
    fn trust<'a>(&self, chain: &'a [CertificateDer<'a>]) -> Result<Vec<u8, LONGEST_KEY, u16>, Reason> {
        let (first, intermediates) = chain.split_first().ok_or(Reason::NoCertificate)?;
        let certificate = EndEntityCert::try_from(first).map_err(reason)?;
        let clock = self.transport.unix_time();
        if clock == Some(0) {
            return Err(Reason::NotYetValid);
        }
        let mut time = UnixTime::since_unix_epoch(Duration::from_secs(clock.unwrap_or(0).into()));
        let algorithms = Algorithms::new();
        let mut result = Err(Reason::UnknownAuthority);
        for authority in certificates(self.security.authority).flatten() {
            let Some(anchor) = anchor(&authority) else { continue };
            let anchors = [anchor];
            // Without a clock dates are not checked: the time is whatever the certificates ask for.
            let verified = loop {
                let verified = algorithms.with(|all| {
                    certificate.verify_for_usage(all, &anchors, intermediates, time, KeyUsage::server_auth(), None, None).map(drop)
                });
                match verified {
                    Err(Error::CertNotValidYet { not_before, .. }) if clock.is_none() && not_before > time => time = not_before,
                    verified => break verified,
                }
            };
            match verified {
                Ok(()) => {
                    result = Ok(());
                    break;
                }
                Err(Error::UnknownIssuer) => {}
                Err(error) => result = Err(reason(error)),
            }
        }
        result?;
        let name = ServerName::try_from(self.security.server_name).map_err(|_| Reason::WrongName)?;
        certificate.verify_is_valid_for_subject_name(&name).map_err(|_| Reason::WrongName)?;
        let key = anchor(first).ok_or(Reason::BadCertificate)?.subject_public_key_info;
        Vec::from_slice(&key).ok().filter(|_| algorithms::is_known(&key)).ok_or(Reason::BadCertificate)
    }
}

/// What a refusal is told as.
fn reason(error: Error) -> Reason {
    match error {
        Error::UnknownIssuer => Reason::UnknownAuthority,
        Error::CertExpired { .. } => Reason::Expired,
        Error::CertNotValidYet { .. } => Reason::NotYetValid,
        Error::CertNotValidForName(_) | Error::NameConstraintViolation => Reason::WrongName,
        Error::RequiredEkuNotFoundContext(_)
        | Error::EmptyEkuExtension
        | Error::CaUsedAsEndEntity
        | Error::EndEntityUsedAsCa
        | Error::PathLenConstraintViolated => Reason::WrongUsage,
        Error::InvalidSignatureForPublicKey | Error::SignatureAlgorithmMismatch => Reason::BadSignature,
        _ => Reason::BadCertificate,
    }
}

impl<T: Transport> TlsVerifier<Suite> for Verifier<T> {
    /// The name is known already.
    fn set_hostname_verification(&mut self, _: &str) -> Result<(), TlsError> {
        Ok(())
    }

    fn verify_certificate(&mut self, transcript: &Sha256, message: CertificateRef) -> Result<(), TlsError> {
        if !matches!(self.progress, Progress::Nothing) || !self.security.key.is_empty() {
            return self.refuse(Reason::Protocol);
        }
        let mut chain: Vec<CertificateDer<'_>, { 1 + MOST_INTERMEDIATES }, u8> = Vec::new();
        for entry in &message.entries {
            let CertificateEntryRef::X509(certificate) = *entry else { return self.refuse(Reason::BadCertificate) };
            if chain.push(certificate.into()).is_err() {
                return self.refuse(Reason::BadCertificate);
            }
        }
        match self.trust(&chain) {
            Ok(key) => {
                self.progress = Progress::Certificate(key, transcript.clone().finalize().into());
                Ok(())
            }
            Err(reason) => self.refuse(reason),
        }
    }

    fn verify_signature(&mut self, message: CertificateVerifyRef) -> Result<(), TlsError> {
        let Progress::Certificate(key, hash) = &self.progress else { return self.refuse(Reason::Protocol) };
        // Section 4.4.3 of RFC 8446.
        let mut signed = [b' '; 64 + SIGNATURE_CONTEXT.len() + size_of::<Hash>()];
        signed.iter_mut().skip(64).zip(SIGNATURE_CONTEXT.iter().chain(hash)).for_each(|(place, byte)| *place = *byte);
        if algorithms::verify(message.signature_scheme, key, &signed, message.signature).is_err() {
            return self.refuse(Reason::BadSignature);
        }
        self.progress = Progress::Signature;
        Ok(())
    }
}

const SIGNATURE_CONTEXT: &[u8] = b"TLS 1.3, server CertificateVerify\0";
