//! What the firmware chooses for its secure connections, and whether that can work.

use super::storage::Buffer;
use crate::error::Error;
use embedded_tls::MaxFragmentLength;
use webpki::anchor_from_trusted_cert;
#[cfg(feature = "client-certificate")]
use pki_types::alg_id;
use pki_types::{CertificateDer, ServerName, TrustAnchor};

/// The choice. What it names belongs to the firmware.
#[derive(Clone, Copy)]
pub struct Security {
    /// DNS name or IP literal of the broker.
    pub server_name: &'static str,
    /// Trusted certificates, one after another.
    pub authority: &'static [u8],
    /// The client's certificate; empty: none.
    pub certificate: &'static [u8],
    /// Its key.
    pub private_key: &'static [u8],
    /// Identity of a pre-shared key, instead of certificates; empty: none.
    pub key_identity: &'static [u8],
    /// The pre-shared key.
    pub key: &'static [u8],
    /// For received records.
    pub receive: Buffer,
    /// For sent records.
    pub transmit: Buffer,
}

/// What an encrypted record has besides its content: its type, and the tag.
const RECORD_OVERHEAD: usize = 1 + 16;
/// What the TLS implementation keeps free of the transmit buffer, a header, and a byte so that it never counts as full.
const TRANSMIT_OVERHEAD: usize = embedded_tls::TLS_RECORD_OVERHEAD + 5 + 1;
/// The longest content of a record that is not limited.
const LONGEST_FRAGMENT: usize = 16384;
/// The contents that a broker may be asked not to exceed.
const FRAGMENTS: [(usize, MaxFragmentLength); 4] =
    [(4096, MaxFragmentLength::Bits12), (2048, MaxFragmentLength::Bits11), (1024, MaxFragmentLength::Bits10), (512, MaxFragmentLength::Bits9)];
const SHORTEST_RECEIVE: usize = 512 + RECORD_OVERHEAD;
/// A ClientHello without names takes no more.
const CLIENT_HELLO: usize = 256;
/// What comes to a certificate in the record that carries it.
const CERTIFICATE_OVERHEAD: usize = 64;

impl Security {
    /// Whether it can work: 0, or an error.
    pub fn check(&self) -> i32 {
        let has_certificate = !self.certificate.is_empty() || !self.private_key.is_empty();
        let has_key = !self.key.is_empty() || !self.key_identity.is_empty();
        if has_certificate && !cfg!(feature = "client-certificate") || has_key && !cfg!(feature = "psk") {
            return Error::NotSupported as i32;
        }
        let needed = CLIENT_HELLO + self.server_name.len() + self.key_identity.len();
        let can_work = ServerName::try_from(self.server_name).is_ok()
            && self.receive.length() >= SHORTEST_RECEIVE
            && self.transmit.length() >= needed.max(CERTIFICATE_OVERHEAD + self.certificate.len())
            && if has_key { self.is_key() && !has_certificate && self.authority.is_empty() } else { self.is_trusting() }
            && (!has_certificate || self.is_client());
        if can_work { 0 } else { Error::InvalidArgument as i32 }
    }

    fn is_key(&self) -> bool {
        !self.key.is_empty() && !self.key_identity.is_empty()
    }

    /// Whether there are trusted certificates, and all can be read.
    fn is_trusting(&self) -> bool {
        !self.authority.is_empty() && certificates(self.authority).all(|certificate| certificate.is_some_and(|certificate| anchor(&certificate).is_some()))
    }

    #[cfg(not(feature = "client-certificate"))]
    fn is_client(&self) -> bool {
        false
    }

    /// Whether the client's key belongs to its certificate.
    #[cfg(feature = "client-certificate")]
    fn is_client(&self) -> bool {
        let certificate = CertificateDer::from(self.certificate);
        let (Some(key), Some(anchor)) = (private_key(self.private_key), anchor(&certificate)) else { return false };
        super::algorithms::key_bits(&alg_id::ECDSA_P256, &anchor.subject_public_key_info) == Some(key.verifying_key().to_encoded_point(false).as_bytes())
    }

    /// The name that the broker is told which name is meant: a literal address is none.
    pub(super) fn host_name(&self) -> Option<&'static str> {
        matches!(ServerName::try_from(self.server_name), Ok(ServerName::DnsName(_))).then_some(self.server_name)
    }

    /// What the broker is asked to limit the content of its records to; `None`: the buffer holds all.
    pub(super) fn fragment_length(&self) -> Option<MaxFragmentLength> {
        self.fragment().map(|(_, length)| length)
    }

    /// The longest content of a sent record: what was asked for holds in both directions.
    pub(super) fn longest_fragment(&self) -> usize {
        let limit = self.fragment().map_or(LONGEST_FRAGMENT, |(limit, _)| limit);
        limit.min(self.transmit.length().saturating_sub(TRANSMIT_OVERHEAD))
    }

    fn fragment(&self) -> Option<(usize, MaxFragmentLength)> {
        let room = self.receive.length().saturating_sub(RECORD_OVERHEAD);
        if room >= LONGEST_FRAGMENT { None } else { FRAGMENTS.into_iter().find(|(limit, _)| *limit <= room) }
    }
}

/// A certificate as an authority.
pub(super) fn anchor<'a>(certificate: &'a CertificateDer<'a>) -> Option<TrustAnchor<'a>> {
    anchor_from_trusted_cert(certificate).ok()
}

/// The certificates that lie one after another; `None`, the last, where one cannot be read.
pub(super) fn certificates<'a>(mut bytes: &'a [u8]) -> impl Iterator<Item = Option<CertificateDer<'a>>> {
    core::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let whole = bytes;
        bytes = &[];
        let Some((SEQUENCE, _, behind)) = element(whole) else { return Some(None) };
        bytes = behind;
        Some(whole.get(..whole.len() - behind.len()).map(CertificateDer::from))
    })
}

// Tags of DER.
pub(super) const SEQUENCE: u8 = 0x30;

/// The tag and the content of the first DER element, and what follows it.
pub(super) fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (length, content) = match bytes {
        [_, length @ ..=0x7f, content @ ..] => (usize::from(*length), content),
        [_, 0x81, length, content @ ..] => (usize::from(*length), content),
        [_, 0x82, high, low, content @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), content),
        _ => return None,
    };
    let (content, behind) = content.split_at_checked(length)?;
    Some((*bytes.first()?, content, behind))
}

/// A P-256 key: SEC1 (RFC 5915), or inside PKCS#8 (RFC 5958).
#[cfg(feature = "client-certificate")]
pub(super) fn private_key(bytes: &[u8]) -> Option<p256::ecdsa::SigningKey> {
    const OCTET_STRING: u8 = 4;
    let (SEQUENCE, mut content, []) = element(bytes)? else { return None };
    // A version comes first; in PKCS#8, an algorithm and a SEC1 key follow.
    (_, _, content) = element(content)?;
    if let (SEQUENCE, algorithm, rest) = element(content)? {
        if algorithm != &alg_id::ECDSA_P256[..] {
            return None;
        }
        let (OCTET_STRING, key, _) = element(rest)? else { return None };
        let (SEQUENCE, key, []) = element(key)? else { return None };
        (_, _, content) = element(key)?;
    }
    let (OCTET_STRING, number, _) = element(content)? else { return None };
    p256::ecdsa::SigningKey::from_slice(number).ok()
}
