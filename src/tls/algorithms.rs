//! The signatures that certificates and the handshake may bear.

use super::certificates::{SEQUENCE, element};
use core::fmt;
use core::marker::PhantomData;
use core::sync::atomic::{AtomicU8, Ordering};
use embedded_tls::SignatureScheme;
use p256::NistP256;
use p256::elliptic_curve::ops::Reduce;
use p256::elliptic_curve::point::AffineCoordinates;
use p256::elliptic_curve::sec1::{FromEncodedPoint, ModulusSize, ToEncodedPoint};
use p256::elliptic_curve::{AffinePoint, CurveArithmetic, Field, FieldBytes, FieldBytesSize, Group, PrimeField, ProjectivePoint, PublicKey, Scalar};
use pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};
use sha2::{Digest, Sha256};

const COUNT: usize = 1 + if cfg!(feature = "rsa") { 1 } else { 0 } + if cfg!(feature = "p384") { 3 } else { 0 };

/// All that there are in this build.
const ALL: [&dyn SignatureVerificationAlgorithm; COUNT] = [
    &P256_SHA256,
    #[cfg(feature = "rsa")]
    &super::rsa::RsaSha256,
    #[cfg(feature = "p384")]
    &P256_SHA384,
    #[cfg(feature = "p384")]
    &P384_SHA256,
    #[cfg(feature = "p384")]
    &P384_SHA384,
];

const P256_SHA256: Ecdsa<NistP256, Sha256> = Ecdsa::new(alg_id::ECDSA_P256, alg_id::ECDSA_SHA256);
#[cfg(feature = "p384")]
const P256_SHA384: Ecdsa<NistP256, sha2::Sha384> = Ecdsa::new(alg_id::ECDSA_P256, alg_id::ECDSA_SHA384);
#[cfg(feature = "p384")]
const P384_SHA256: Ecdsa<p384::NistP384, Sha256> = Ecdsa::new(alg_id::ECDSA_P384, alg_id::ECDSA_SHA256);
#[cfg(feature = "p384")]
const P384_SHA384: Ecdsa<p384::NistP384, sha2::Sha384> = Ecdsa::new(alg_id::ECDSA_P384, alg_id::ECDSA_SHA384);

/// Signatures of certificates that are verified for one broker: a chain has at most five.
const MOST_SIGNATURES: u8 = 8;

/// All algorithms, for a limited number of signatures: a hostile chain could demand many more than a good one.
pub(super) struct Algorithms {
    left: AtomicU8,
}

impl Algorithms {
    pub(super) const fn new() -> Self {
        Self { left: AtomicU8::new(MOST_SIGNATURES) }
    }

    /// Calls `work` with the algorithms.
    pub(super) fn with<Result>(&self, work: impl FnOnce(&[&dyn SignatureVerificationAlgorithm]) -> Result) -> Result {
        let limited = ALL.map(|algorithm| Limited { algorithm, left: &self.left });
        work(&limited.each_ref().map(|limited| limited as &dyn SignatureVerificationAlgorithm))
    }
}

struct Limited<'a> {
    algorithm: &'static dyn SignatureVerificationAlgorithm,
    left: &'a AtomicU8,
}

impl fmt::Debug for Limited<'_> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl SignatureVerificationAlgorithm for Limited<'_> {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let left = self.left.load(Ordering::Relaxed).checked_sub(1).ok_or(InvalidSignature)?;
        self.left.store(left, Ordering::Relaxed);
        self.algorithm.verify_signature(public_key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.signature_alg_id()
    }
}

/// Whether the public key of a certificate is one of those.
pub(super) fn is_known(public_key: &[u8]) -> bool {
    ALL.iter().any(|algorithm| key_bits(&algorithm.public_key_alg_id(), public_key).is_some())
}

/// Verifies the signature of a handshake with the public key of a certificate.
pub(super) fn verify(scheme: SignatureScheme, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
    match scheme {
        SignatureScheme::EcdsaSecp256r1Sha256 => P256_SHA256.verify_handshake(public_key, message, signature),
        #[cfg(feature = "p384")]
        SignatureScheme::EcdsaSecp384r1Sha384 => P384_SHA384.verify_handshake(public_key, message, signature),
        #[cfg(feature = "rsa")]
        SignatureScheme::RsaPssRsaeSha256 => {
            super::rsa::verify_pss(public_key, message, signature).filter(|verified| *verified).ok_or(InvalidSignature).map(drop)
        }
        _ => Err(InvalidSignature),
    }
}

/// ECDSA with a curve and a hash.
struct Ecdsa<Curve, Hash> {
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
    kind: PhantomData<fn(Curve, Hash)>,
}

impl<Curve, Hash> fmt::Debug for Ecdsa<Curve, Hash> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl<Curve, Hash> Ecdsa<Curve, Hash> {
    const fn new(key: AlgorithmIdentifier, signature: AlgorithmIdentifier) -> Self {
        Self { key, signature, kind: PhantomData }
    }

    /// The same as for a certificate, with the whole public key of one.
    fn verify_handshake(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature>
    where
        Self: SignatureVerificationAlgorithm,
    {
        self.verify_signature(key_bits(&self.key, public_key).ok_or(InvalidSignature)?, message, signature)
    }
}

/// The key itself in the public key of a certificate, where it is one of this kind.
pub(super) fn key_bits<'a>(algorithm: &[u8], public_key: &'a [u8]) -> Option<&'a [u8]> {
    const BIT_STRING: u8 = 3;
    let (SEQUENCE, identifier, behind) = element(public_key)? else { return None };
    let (BIT_STRING, bits, []) = element(behind)? else { return None };
    (identifier == algorithm).then_some(bits)?.strip_prefix(&[0])
}

impl<Curve, Hash> SignatureVerificationAlgorithm for Ecdsa<Curve, Hash>
where
    Curve: CurveArithmetic,
    Hash: Digest,
    FieldBytesSize<Curve>: ModulusSize,
    AffinePoint<Curve>: FromEncodedPoint<Curve> + ToEncodedPoint<Curve> + AffineCoordinates<FieldRepr = FieldBytes<Curve>>,
    Scalar<Curve>: Reduce<Curve::Uint, Bytes = FieldBytes<Curve>> + PrimeField<Repr = FieldBytes<Curve>>,
{
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        verify_ecdsa::<Curve>(public_key, &Hash::digest(message), signature).filter(|verified| *verified).ok_or(InvalidSignature).map(drop)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

/// Section 6.4.2 of FIPS 186-5. Everything here is public, so that it may take its time.
fn verify_ecdsa<Curve>(public_key: &[u8], hash: &[u8], signature: &[u8]) -> Option<bool>
where
    Curve: CurveArithmetic,
    FieldBytesSize<Curve>: ModulusSize,
    AffinePoint<Curve>: FromEncodedPoint<Curve> + ToEncodedPoint<Curve> + AffineCoordinates<FieldRepr = FieldBytes<Curve>>,
    Scalar<Curve>: Reduce<Curve::Uint, Bytes = FieldBytes<Curve>> + PrimeField<Repr = FieldBytes<Curve>>,
{
    let (SEQUENCE, integers, []) = element(signature)? else { return None };
    let (r, integers) = integer::<Curve>(integers)?;
    let (s, []) = integer::<Curve>(integers)? else { return None };
    let key = PublicKey::<Curve>::from_sec1_bytes(public_key).ok()?.to_projective();
    // The one that takes the same time for every number is the shorter code, and signing needs it anyway.
    let inverse: Scalar<Curve> = Option::from(Field::invert(&s))?;
    // A hash that is longer than the field counts with its first bytes.
    let mut number = FieldBytes::<Curve>::default();
    let length = hash.len().min(number.len());
    number.iter_mut().rev().zip(hash.get(..length)?.iter().rev()).for_each(|(place, byte)| *place = *byte);
    let hash = <Scalar<Curve> as Reduce<Curve::Uint>>::reduce_bytes(&number);
    let sum: AffinePoint<Curve> = sum_of_products::<Curve>(&(hash * inverse), &(r * inverse), &key).into();
    let x = <Scalar<Curve> as Reduce<Curve::Uint>>::reduce_bytes(&sum.x());
    Some(!bool::from(r.is_zero()) && x == r)
}

/// The tag of an integer in DER.
pub(super) const INTEGER: u8 = 2;

/// A DER integer that is a scalar, and what follows it.
fn integer<Curve: CurveArithmetic>(bytes: &[u8]) -> Option<(Scalar<Curve>, &[u8])>
where
    Scalar<Curve>: PrimeField<Repr = FieldBytes<Curve>>,
{
    let (INTEGER, mut digits, behind) = element(bytes)? else { return None };
    match digits {
        [0, next, ..] if *next >= 0x80 => digits = digits.get(1..)?,
        [0, _, ..] | [] => return None, // not the shortest form
        [first, ..] if *first >= 0x80 => return None, // negative
        _ => {}
    }
    let mut number = FieldBytes::<Curve>::default();
    let start = number.len().checked_sub(digits.len())?;
    number.get_mut(start..)?.copy_from_slice(digits);
    Some((Option::from(Scalar::<Curve>::from_repr(number))?, behind))
}

/// The base point by `first`, and another by `second`, added: a bit of both at once, which takes half the doublings.
fn sum_of_products<Curve: CurveArithmetic>(first: &Scalar<Curve>, second: &Scalar<Curve>, point: &ProjectivePoint<Curve>) -> ProjectivePoint<Curve>
where
    Scalar<Curve>: PrimeField<Repr = FieldBytes<Curve>>,
{
    let base = ProjectivePoint::<Curve>::generator();
    let both = base + point;
    let mut sum = ProjectivePoint::<Curve>::identity();
    for (first, second) in first.to_repr().iter().zip(&second.to_repr()) {
        for bit in (0..8).rev() {
            sum = sum.double();
            match (first >> bit & 1, second >> bit & 1) {
                (0, 0) => {}
                (_, 0) => sum += base,
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
    use p256::FieldBytes;
    use p256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
    use p256::ecdsa::{DerSignature, SigningKey};
    use std::vec::Vec;

    /// What another implementation says.
    fn theirs(key: &SigningKey, hash: &FieldBytes, signature: &[u8]) -> bool {
        DerSignature::from_bytes(signature).is_ok_and(|signature| key.verifying_key().verify_prehash(hash, &signature).is_ok())
    }

    fn ours(key: &SigningKey, hash: &FieldBytes, signature: &[u8]) -> bool {
        verify_ecdsa::<NistP256>(key.verifying_key().to_encoded_point(false).as_bytes(), hash, signature) == Some(true)
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
            assert_eq!(verify_ecdsa::<NistP256>(bad, &hash, &signature), None, "{bad:x?}");
        }
    }

    /// Signatures that OpenSSL has made.
    #[cfg(feature = "p384")]
    #[test]
    fn curves_and_hashes_go_together_in_any_way() {
        let vector = |name: &str| std::fs::read(std::format!("{}/tests/tls/vectors/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let all: [(&str, usize, &dyn SignatureVerificationAlgorithm); 4] = [
            ("p256.sha256", 26, &P256_SHA256),
            ("p256.sha384", 26, &P256_SHA384),
            ("p384.sha256", 23, &P384_SHA256),
            ("p384.sha384", 23, &P384_SHA384),
        ];
        for (name, start, algorithm) in all {
            let (key, signature) = (vector(&std::format!("{}.key", &name[..4])), vector(name));
            let verified = |key: &[u8], message: &[u8], signature: &[u8]| algorithm.verify_signature(&key[start..], message, signature).is_ok();
            assert!(verified(&key, b"a message that was signed", &signature), "{name}");
            assert!(!verified(&key, b"another message", &signature), "{name}");
            for (other, ..) in all.iter().filter(|(other, ..)| *other != name) {
                assert!(!verified(&key, b"a message that was signed", &vector(other)), "{name} {other}");
            }
            let mut changed = signature.clone();
            *changed.last_mut().unwrap() ^= 1;
            assert!(!verified(&key, b"a message that was signed", &changed), "{name}");
        }
    }
}
