//! Keys of any kind, for brokers and their authorities.

use crate::certificates::{ECDSA_SHA256, Request, key, public_key};
use crate::server::{ECDSA_P256, Server, by};
use p256::ecdsa::SigningKey;

/// A key: what certificates say of it, and how it signs.
#[derive(Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    public_key: fn() -> Vec<u8>,
    /// Of certificates.
    algorithm: &'static [u8],
    certify: fn(&[u8]) -> Vec<u8>,
    /// Of handshakes.
    scheme: u16,
    prove: fn(&[u8]) -> Vec<u8>,
}

/// All that the build can verify.
pub const ALL: &[Kind] = &[
    Kind { name: "p256", public_key: || public_key(&p256()), algorithm: ECDSA_SHA256, certify: sign_p256, scheme: ECDSA_P256, prove: sign_p256 },
    #[cfg(feature = "rsa")]
    Kind { name: "rsa", public_key: rsa::public_key, algorithm: rsa::ALGORITHM, certify: rsa::sign_pkcs1, scheme: rsa::SCHEME, prove: rsa::sign_pss },
    #[cfg(feature = "p384")]
    Kind { name: "p384", public_key: p384::public_key, algorithm: p384::ALGORITHM, certify: p384::sign, scheme: p384::SCHEME, prove: p384::sign },
];

impl Kind {
    /// The certificate of an authority, and a broker that it has certified through another one. All have keys of this kind, the same.
    pub fn chain(self, broker: &Request) -> (Vec<u8>, Server) {
        let issue = |request: &Request, issuer: &str| request.certificate_of(&(self.public_key)(), self.algorithm, issuer, self.certify);
        let authority = issue(&Request::authority("Authority"), "Authority");
        let between = issue(&Request::authority("Between"), "Authority");
        let broker = issue(broker, "Between");
        let mut server = Server::new(&[]);
        server.chain = vec![broker, between];
        server.scheme = self.scheme;
        server.prove = Box::new(self.prove);
        (authority, server)
    }
}

fn p256() -> SigningKey {
    key("any")
}

fn sign_p256(message: &[u8]) -> Vec<u8> {
    by(p256())(message)
}

/// RSA with 2048 bits, by section 8 of RFC 8017.
#[cfg(feature = "rsa")]
mod rsa {
    use crate::certificates::{Request, element, sequence};
    use crate::encounter::{Encounter, GOOD, Outcome};
    use crate::wire::kept;
    use crypto_bigint::modular::runtime_mod::{DynResidue, DynResidueParams};
    use crypto_bigint::{Encoding, U2048};
    use sha2::{Digest, Sha256};
    use utasker_mqtt::tls::{Reason, Security};

    pub const ALGORITHM: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00";
    pub const SCHEME: u16 = 0x0804;
    const DIGEST_INFO: &[u8] = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
    /// A modulus, and the private exponent that goes with 65537.
    const PRIVATE: &[u8; 512] = include_bytes!("vectors/2048.private");

    pub fn public_key() -> Vec<u8> {
        let key = sequence(&[&element(2, &[b"\0", &PRIVATE[..256]]), b"\x02\x03\x01\x00\x01"]);
        sequence(&[b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00", &element(3, &[b"\0", &key])])
    }

    fn sign(encoded: &[u8]) -> Vec<u8> {
        let modulus = DynResidueParams::new(&U2048::from_be_slice(&PRIVATE[..256]));
        DynResidue::new(&U2048::from_be_slice(encoded), modulus).pow(&U2048::from_be_slice(&PRIVATE[256..])).retrieve().to_be_bytes().to_vec()
    }

    pub fn sign_pkcs1(message: &[u8]) -> Vec<u8> {
        let end = [&b"\0"[..], DIGEST_INFO, &Sha256::digest(message)].concat();
        sign(&[&b"\0\x01"[..], &vec![0xff; 254 - end.len()], &end].concat())
    }

    pub fn sign_pss(message: &[u8]) -> Vec<u8> {
        sign_padded(message, &[0; 190])
    }

    /// With a salt that is always the same, and a padding that should be zeros.
    fn sign_padded(message: &[u8], padding: &[u8; 190]) -> Vec<u8> {
        let salt = [0x5a; 32];
        let hash = Sha256::new().chain_update([0; 8]).chain_update(Sha256::digest(message)).chain_update(salt).finalize();
        let mut block = [&padding[..], b"\x01", &salt].concat();
        for (counter, part) in (0_u32..).zip(block.chunks_mut(32)) {
            let mask = Sha256::new().chain_update(hash).chain_update(counter.to_be_bytes()).finalize();
            part.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
        }
        block[0] &= 0x7f;
        sign(&[&block[..], &hash, b"\xbc"].concat())
    }

    #[test]
    fn a_padding_of_anything_but_zeros_is_none() {
        let outcome = |padding: [u8; 190]| {
            let keys = super::ALL.iter().find(|keys| keys.scheme == SCHEME).unwrap();
            let (authority, mut server) = keys.chain(&Request::broker("broker.test"));
            server.prove = Box::new(move |message| sign_padded(message, &padding));
            Encounter::choosing(server, |security| Security { authority: kept(&authority), ..security }).shake(&GOOD)
        };
        assert_eq!(outcome([0; 190]), Outcome::Connected);
        for place in [0, 1, 100, 189] {
            let mut padding = [0; 190];
            padding[place] = 1;
            assert_eq!(outcome(padding), Outcome::Refused(Reason::BadSignature as u16), "{place}");
        }
    }
}

/// ECDSA with P-384 and SHA-384, by section 6.4.1 of FIPS 186-5.
#[cfg(feature = "p384")]
mod p384 {
    use crate::certificates::{element, sequence};
    use ::p384::elliptic_curve::ops::Reduce;
    use ::p384::elliptic_curve::point::AffineCoordinates;
    use ::p384::elliptic_curve::sec1::ToEncodedPoint;
    use ::p384::{FieldBytes, ProjectivePoint, Scalar, U384};
    use sha2::{Digest, Sha384};

    pub const ALGORITHM: &[u8] = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03";
    pub const SCHEME: u16 = 0x0503;

    fn number(bytes: &FieldBytes) -> Scalar {
        <Scalar as Reduce<U384>>::reduce_bytes(bytes)
    }

    fn private() -> Scalar {
        number(&Sha384::digest("any"))
    }

    pub fn public_key() -> Vec<u8> {
        let point = (ProjectivePoint::GENERATOR * private()).to_affine().to_encoded_point(false);
        let algorithm = sequence(&[b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22"]);
        sequence(&[&algorithm, &element(3, &[b"\0", point.as_bytes()])])
    }

    fn integer(scalar: Scalar) -> Vec<u8> {
        let bytes = scalar.to_bytes();
        let digits = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
        element(2, &[if digits[0] >= 0x80 { &[0] } else { &[] }, digits])
    }

    /// The number that must be another one for each message comes from the message.
    pub fn sign(message: &[u8]) -> Vec<u8> {
        let hash = Sha384::digest(message);
        let secret = number(&Sha384::digest(hash));
        let r = number(&(ProjectivePoint::GENERATOR * secret).to_affine().x());
        let s = secret.invert().unwrap() * (number(&hash) + r * private());
        sequence(&[&integer(r), &integer(s)])
    }
}
