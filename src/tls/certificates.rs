//! Certificates and keys as the firmware has them, in DER.

#[cfg(feature = "client-certificate")]
use p256::elliptic_curve::sec1::ToEncodedPoint;
#[cfg(feature = "client-certificate")]
use pki_types::alg_id;
use pki_types::{CertificateDer, TrustAnchor};
use webpki::anchor_from_trusted_cert;

/// Whether these are certificates of authorities, one or more, and all can be read.
pub(super) fn are_authorities(bytes: &[u8]) -> bool {
    !bytes.is_empty() && certificates(bytes).all(|certificate| certificate.is_some_and(|certificate| anchor(&certificate).is_some()))
}

/// Whether a certificate and a private key belong to each other.
#[cfg(feature = "client-certificate")]
pub(super) fn belong_together(certificate: &[u8], key: &[u8]) -> bool {
    let certificate = CertificateDer::from(certificate);
    let (Some(key), Some(anchor)) = (private_key(key), anchor(&certificate)) else { return false };
    super::algorithms::key_bits(&alg_id::ECDSA_P256, &anchor.subject_public_key_info) == Some(key.public_key().to_encoded_point(false).as_bytes())
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
pub(super) fn private_key(bytes: &[u8]) -> Option<p256::SecretKey> {
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
    p256::SecretKey::from_slice(number).ok()
}
