//! The signatures that certificates and the handshake may bear.

use super::security::{SEQUENCE, element};
use embedded_tls::SignatureScheme;
use p256::elliptic_curve::{Group, PrimeField};
use p256::elliptic_curve::ops::{Invert, Reduce};
use p256::elliptic_curve::point::AffineCoordinates;
use p256::{FieldBytes, ProjectivePoint, PublicKey, Scalar};
use pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};
use sha2::{Digest, Sha256};

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
    let algorithm = public_key.strip_prefix(&[SEQUENCE, P256_ALGORITHM.len() as u8])?.strip_prefix(P256_ALGORITHM)?;
    algorithm.strip_prefix(b"\x03\x42\x00")
}

/// ECDSA with P-256 and SHA-256.
#[derive(Debug)]
struct EcdsaP256Sha256;

impl SignatureVerificationAlgorithm for EcdsaP256Sha256 {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        verify_ecdsa(public_key, Sha256::digest(message), signature).filter(|verified| *verified).ok_or(InvalidSignature).map(drop)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P256
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA256
    }
}

/// Section 6.4.2 of FIPS 186-5. Everything here is public, so that it may take its time.
fn verify_ecdsa(public_key: &[u8], hash: FieldBytes, signature: &[u8]) -> Option<bool> {
    let (SEQUENCE, integers, []) = element(signature)? else { return None };
    let (r, integers) = integer(integers)?;
    let (s, []) = integer(integers)? else { return None };
    let key = PublicKey::from_sec1_bytes(public_key).ok()?.to_projective();
    let inverse: Scalar = Option::from(s.invert_vartime())?;
    let hash = <Scalar as Reduce<p256::U256>>::reduce_bytes(&hash);
    let point = sum_of_products(&(hash * inverse), &(r * inverse), &key).to_affine();
    let x = <Scalar as Reduce<p256::U256>>::reduce_bytes(&point.x());
    Some(r != Scalar::ZERO && x == r)
}

/// The tag of an integer in DER.
pub(super) const INTEGER: u8 = 2;

/// A DER integer that is a scalar, and what follows it.
fn integer(bytes: &[u8]) -> Option<(Scalar, &[u8])> {
    let (INTEGER, mut digits, behind) = element(bytes)? else { return None };
    match digits {
        [0, next, ..] if *next >= 0x80 => digits = digits.get(1..)?,
        [0, _, ..] | [] => return None, // not the shortest form
        [first, ..] if *first >= 0x80 => return None, // negative
        _ => {}
    }
    let mut number = FieldBytes::default();
    let start = number.len().checked_sub(digits.len())?;
    number.get_mut(start..)?.copy_from_slice(digits);
    Some((Option::from(Scalar::from_repr(number))?, behind))
}

/// The base point by `first`, and another by `second`, added: bit by bit of both at once, which takes half the doublings.
fn sum_of_products(first: &Scalar, second: &Scalar, point: &ProjectivePoint) -> ProjectivePoint {
    let both = ProjectivePoint::GENERATOR + point;
    let mut sum = ProjectivePoint::IDENTITY;
    for (first, second) in first.to_bytes().into_iter().zip(second.to_bytes()) {
        for bit in (0..8).rev() {
            sum = sum.double();
            match (first >> bit & 1, second >> bit & 1) {
                (0, 0) => {}
                (1, 0) => sum += ProjectivePoint::GENERATOR,
                (0, _) => sum += point,
                _ => sum += both,
            }
        }
    }
    sum
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;
    use p256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
    use p256::ecdsa::{DerSignature, SigningKey};
    use std::vec::Vec;

    /// What another implementation says.
    fn theirs(key: &SigningKey, hash: &FieldBytes, signature: &[u8]) -> bool {
        DerSignature::from_bytes(signature).is_ok_and(|signature| key.verifying_key().verify_prehash(hash, &signature).is_ok())
    }

    fn ours(key: &SigningKey, hash: &FieldBytes, signature: &[u8]) -> bool {
        verify_ecdsa(key.verifying_key().to_encoded_point(false).as_bytes(), *hash, signature) == Some(true)
    }

    /// A key, a hash, and the signature of it.
    fn signed(seed: u32) -> (SigningKey, FieldBytes, Vec<u8>) {
        let key = SigningKey::from_bytes(&Sha256::digest(seed.to_be_bytes())).unwrap();
        let hash = Sha256::digest(Sha256::digest(seed.to_be_bytes()));
        let signature: DerSignature = key.sign_prehash(&hash).unwrap();
        (key, hash, signature.as_bytes().to_vec())
    }

    #[test]
    fn signatures_count_where_they_count_for_others() {
        for seed in 0..300 {
            let (key, hash, signature) = signed(seed);
            assert!(ours(&key, &hash, &signature), "{seed}");
            assert!(!ours(&signed(seed + 1).0, &hash, &signature), "{seed}");
            assert!(!ours(&key, &signed(seed + 1).1, &signature), "{seed}");
        }
    }

    #[test]
    fn extreme_hashes_are_numbers_too() {
        let (key, ..) = signed(1);
        for byte in [0, 1, 0x7f, 0xff] {
            let hash = FieldBytes::from([byte; 32]);
            let signature: DerSignature = key.sign_prehash(&hash).unwrap();
            assert!(ours(&key, &hash, signature.as_bytes()), "{byte}");
        }
    }

    #[test]
    fn changed_signatures_count_for_nobody() {
        let (key, hash, good) = signed(7);
        for place in 0..good.len() {
            for change in [1, 2, 0x80, 0xff] {
                let mut bad = good.clone();
                bad[place] ^= change;
                assert!(!ours(&key, &hash, &bad) && !theirs(&key, &hash, &bad), "{place}");
            }
            assert!(!ours(&key, &hash, &good[..place]));
        }
        let longer = [&good[..], &[0]].concat();
        assert!(!ours(&key, &hash, &longer));
    }

    #[test]
    fn numbers_must_be_in_range_and_written_in_the_shortest_way() {
        let (key, hash, good) = signed(7);
        let order = [
            0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9,
            0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
        ];
        let length = usize::from(good[3]);
        let (r, s) = (&good[4..4 + length], &good[6 + length..]);
        let write = |r: &[u8], s: &[u8]| [&[SEQUENCE, (r.len() + s.len() + 4) as u8, INTEGER, r.len() as u8], r, &[INTEGER, s.len() as u8], s].concat();
        assert_eq!(write(r, s), good);
        let padded = |number: &[u8]| [&[0], number].concat();
        let negative = [0x80];
        for wrong in [&[][..], &[0], &order, &negative, &[0xff; 32], &[1; 40], &padded(&order)] {
            for bad in [write(wrong, s), write(r, wrong), write(wrong, wrong)] {
                assert!(!ours(&key, &hash, &bad) && !theirs(&key, &hash, &bad), "{wrong:x?}");
            }
        }
        assert!(!ours(&key, &hash, &write(&padded(r), s)));
        assert!(!ours(&key, &hash, &write(r, &padded(s))));
    }

    #[test]
    fn only_points_of_the_curve_are_keys() {
        let (key, hash, signature) = signed(7);
        let point = key.verifying_key().to_encoded_point(false);
        let mut off = point.as_bytes().to_vec();
        off[64] ^= 1;
        for bad in [&off[..], &[], &[0], &point.as_bytes()[..64], &[4; 65]] {
            assert_eq!(verify_ecdsa(bad, hash, &signature), None, "{bad:x?}");
        }
    }
}
