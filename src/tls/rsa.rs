//! RSA signatures with SHA-256, of keys of 2048, 3072 and 4096 bits: PKCS#1 v1.5 for certificates, PSS for the handshake. Everything
//! here is public, so that it may take its time.

use super::algorithms::{INTEGER, key_bits};
use super::certificates::{SEQUENCE, element};
use crypto_bigint::modular::montgomery_reduction;
use crypto_bigint::{Limb, U2048, U3072, U4096, Uint, Word};
use pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};
use sha2::{Digest, Sha256};

/// Bytes of the longest modulus.
const LONGEST: usize = 512;
type Hash = [u8; 32];

/// What comes before the hash in a padded message, section 9.2 of RFC 8017.
const DIGEST_INFO: &[u8] = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";

/// PKCS#1 v1.5.
#[derive(Debug)]
pub(super) struct RsaSha256;

impl SignatureVerificationAlgorithm for RsaSha256 {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let mut room = [0; LONGEST];
        let padded = open(public_key, signature, &mut room).ok_or(InvalidSignature)?;
        let hash: Hash = Sha256::digest(message).into();
        let padded = padded.strip_suffix(&hash).and_then(|padded| padded.strip_suffix(DIGEST_INFO));
        match padded {
            Some([0, 1, filling @ .., 0]) if filling.iter().all(|byte| *byte == 0xff) => Ok(()),
            _ => Err(InvalidSignature),
        }
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_ENCRYPTION
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_PKCS1_SHA256
    }
}

/// Verifies a PSS signature whose salt is as long as the hash, section 9.1.2 of RFC 8017. `public_key` is that of a certificate.
pub(super) fn verify_pss(public_key: &[u8], message: &[u8], signature: &[u8]) -> Option<bool> {
    let mut room = [0; LONGEST];
    let encoded = open(key_bits(&alg_id::RSA_ENCRYPTION, public_key)?, signature, &mut room)?;
    let (encoded, [0xbc]) = encoded.split_last_chunk_mut()? else { return None };
    let (block, hash) = encoded.split_last_chunk_mut::<32>()?;
    for (counter, part) in (0_u32..).zip(block.chunks_mut(32)) {
        let mask = Sha256::new().chain_update(*hash).chain_update(counter.to_be_bytes()).finalize();
        part.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    }
    // The top bit is none of the message's.
    let (filling, salt) = block.split_last_chunk::<32>()?;
    let ([first, filling @ ..], [1]) = filling.split_last_chunk()? else { return None };
    let expected = Sha256::new().chain_update([0; 8]).chain_update(Sha256::digest(message)).chain_update(salt).finalize();
    Some(first & 0x7f == 0 && filling.iter().all(|byte| *byte == 0) && expected[..] == hash[..])
}

/// What a signature says, under a key in the form of section A.1.1 of RFC 8017.
fn open<'a>(public_key: &[u8], signature: &[u8], room: &'a mut [u8; LONGEST]) -> Option<&'a mut [u8]> {
    let (SEQUENCE, key, []) = element(public_key)? else { return None };
    let (INTEGER, modulus, key) = element(key)? else { return None };
    let (INTEGER, exponent, []) = element(key)? else { return None };
    let modulus = modulus.strip_prefix(&[0])?;
    let mut word = [0; 4];
    word.get_mut(4_usize.checked_sub(exponent.len())?..)?.copy_from_slice(exponent);
    let opened = room.get_mut(..modulus.len())?;
    match modulus.len() {
        256 => power::<{ U2048::LIMBS }>(modulus, u32::from_be_bytes(word), signature, opened),
        384 => power::<{ U3072::LIMBS }>(modulus, u32::from_be_bytes(word), signature, opened),
        512 => power::<{ U4096::LIMBS }>(modulus, u32::from_be_bytes(word), signature, opened),
        _ => None,
    }?;
    Some(opened)
}

/// A number to the power of a public exponent, modulo one that uses all its bits. Each size has a stack of its own.
#[inline(never)]
fn power<const LIMBS: usize>(modulus: &[u8], exponent: u32, base: &[u8], result: &mut [u8]) -> Option<()> {
    let bits = Uint::<LIMBS>::BITS;
    let is_usable = modulus.first()? & 0x80 != 0 && modulus.last()? & 1 != 0 && exponent & 1 != 0 && exponent >= 3;
    if !is_usable || base.len() != modulus.len() {
        return None;
    }
    let modulus: Uint<LIMBS> = Uint::from_be_slice(modulus);
    let base: Uint<LIMBS> = Uint::from_be_slice(base);
    if base >= modulus {
        return None;
    }
    // The inverse modulo a word, negative: each round doubles the bits that are right.
    let low = *modulus.as_words().first()?;
    let mut inverse: Word = 1;
    for _ in 0..Word::BITS.ilog2() {
        inverse = inverse.wrapping_mul(Word::wrapping_sub(2, low.wrapping_mul(inverse)));
    }
    let inverse = Limb(inverse.wrapping_neg());
    let multiply = |first: &Uint<LIMBS>, second: &Uint<LIMBS>| montgomery_reduction(&first.mul_wide(second), &modulus, inverse);
    // Montgomery's form of a number is its product with 2^bits. That of 1 is 2^bits less the modulus; doubled and squared it becomes
    // that of 2^bits.
    let mut factor = modulus.wrapping_neg();
    for _ in 0..bits >> bits.trailing_zeros() {
        factor = factor.add_mod(&factor, &modulus);
    }
    for _ in 0..bits.trailing_zeros() {
        factor = multiply(&factor, &factor);
    }
    let base = multiply(&base, &factor);
    let mut power = base;
    for bit in (0..exponent.ilog2()).rev() {
        power = multiply(&power, &power);
        if exponent >> bit & 1 != 0 {
            power = multiply(&power, &base);
        }
    }
    let power = montgomery_reduction(&(power, Uint::ZERO), &modulus, inverse);
    for (bytes, word) in result.rchunks_mut(Limb::BYTES).zip(power.as_words()) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    Some(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;
    use std::path::Path;
    use std::vec::Vec;
    use std::{format, fs};

    const MESSAGE: &[u8] = b"a message that was signed";

    /// What OpenSSL has made.
    fn vector(name: &str) -> Vec<u8> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls/vectors").join(name);
        fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    fn pkcs1(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        RsaSha256.verify_signature(key_bits(&alg_id::RSA_ENCRYPTION, &key[4..]).unwrap(), message, signature).is_ok()
    }

    fn pss(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        verify_pss(&key[4..], message, signature) == Some(true)
    }

    #[test]
    fn signatures_of_all_sizes_count() {
        for name in ["2048", "3072", "4096", "e3"] {
            let key = vector(&format!("{name}.key"));
            let (first, second) = (vector(&format!("{name}.pkcs1")), vector(&format!("{name}.pss")));
            assert!(pkcs1(&key, MESSAGE, &first) && pss(&key, MESSAGE, &second), "{name}");
            assert!(!pkcs1(&key, MESSAGE, &second) && !pss(&key, MESSAGE, &first), "{name}");
            assert!(!pkcs1(&key, b"another message", &first) && !pss(&key, b"another message", &second), "{name}");
        }
    }

    #[test]
    fn keys_of_other_sizes_do_not_count() {
        let key = vector("1024.key");
        let bits = key_bits(&alg_id::RSA_ENCRYPTION, &key[3..]).unwrap();
        assert!(RsaSha256.verify_signature(bits, MESSAGE, &vector("1024.pkcs1")).is_err());
        assert_eq!(verify_pss(&key[3..], MESSAGE, &vector("1024.pss")), None);
    }

    #[test]
    fn an_exponent_that_leaves_a_message_as_it_is_does_not_count() {
        let modulus = &vector("2048.key")[0x21..0x121];
        let end = [DIGEST_INFO, &Sha256::digest(MESSAGE)].concat();
        let padded = [&[0, 1][..], &std::vec![0xff; 253 - end.len()], &[0], &end].concat();
        for exponent in [0, 1] {
            let key = [b"\x30\x82\x01\x08\x02\x82\x01\x01\0", modulus, &[2, 1, exponent]].concat();
            assert!(RsaSha256.verify_signature(&key, MESSAGE, &padded).is_err());
        }
    }

    #[test]
    fn other_hashes_and_salts_do_not_count() {
        let key = vector("2048.key");
        assert!(!pkcs1(&key, MESSAGE, &vector("2048.pkcs1-sha1")));
        assert!(!pss(&key, MESSAGE, &vector("2048.pss-short-salt")));
    }

    #[test]
    fn changed_signatures_do_not_count() {
        let key = vector("2048.key");
        for place in 0..256 {
            let (mut first, mut second) = (vector("2048.pkcs1"), vector("2048.pss"));
            first[place] ^= 1;
            second[place] ^= 0x80;
            assert!(!pkcs1(&key, MESSAGE, &first) && !pss(&key, MESSAGE, &second), "{place}");
        }
        let signature = vector("2048.pkcs1");
        for wrong in [&signature[1..], &signature[..255], &[&[0], &signature[..]].concat(), &[], &[0; 256], &[0xff; 256]] {
            assert!(!pkcs1(&key, MESSAGE, wrong) && !pss(&key, MESSAGE, wrong));
        }
        let mut one = [0; 256];
        one[255] = 1;
        assert!(!pkcs1(&key, MESSAGE, &one) && !pss(&key, MESSAGE, &one));
    }

    #[test]
    fn changed_keys_do_not_count() {
        let good = vector("2048.key");
        let (first, second) = (vector("2048.pkcs1"), vector("2048.pss"));
        for place in 4..good.len() {
            for change in [1, 0x80, 0xff] {
                let mut key = good.clone();
                key[place] ^= change;
                assert_ne!(verify_pss(&key[4..], MESSAGE, &second), Some(true), "{place}");
                let Some(bits) = key_bits(&alg_id::RSA_ENCRYPTION, &key[4..]) else { continue };
                assert!(RsaSha256.verify_signature(bits, MESSAGE, &first).is_err(), "{place}");
            }
        }
    }
}
