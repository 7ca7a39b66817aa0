//! The signatures that certificates and the handshake may bear.

use embedded_tls::SignatureScheme;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{DerSignature, VerifyingKey};
use pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};

/// All that there are in this build.
pub(super) const ALL: &[&dyn SignatureVerificationAlgorithm] = &[&EcdsaP256Sha256];

/// Verifies the signature of a handshake with the public key of a certificate.
pub(super) fn verify(scheme: SignatureScheme, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
    match scheme {
        SignatureScheme::EcdsaSecp256r1Sha256 => {
            EcdsaP256Sha256.verify_signature(p256_key(public_key).ok_or(InvalidSignature)?, message, signature)
        }
        _ => Err(InvalidSignature),
    }
}

/// What identifies a P-256 key: two object identifiers, section 2.1.1 of RFC 5480.
pub(super) const P256_ALGORITHM: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";

/// The point in the public key of a certificate, where it is an uncompressed one of P-256.
pub(super) fn p256_key(public_key: &[u8]) -> Option<&[u8]> {
    let algorithm = public_key.strip_prefix(&[0x30, P256_ALGORITHM.len() as u8])?.strip_prefix(P256_ALGORITHM)?;
    algorithm.strip_prefix(b"\x03\x42\x00")
}

/// ECDSA with P-256 and SHA-256.
#[derive(Debug)]
struct EcdsaP256Sha256;

impl SignatureVerificationAlgorithm for EcdsaP256Sha256 {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let key = VerifyingKey::from_sec1_bytes(public_key).map_err(|_| InvalidSignature)?;
        let signature = DerSignature::from_bytes(signature).map_err(|_| InvalidSignature)?;
        key.verify(message, &signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P256
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA256
    }
}
