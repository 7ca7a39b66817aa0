//! The client's own part of a handshake: random numbers, its certificate and key.

use super::records::Exchange;
use super::suite::Suite;
use super::verifier::Verifier;
use super::{Reason, Transport};
#[cfg(feature = "client-certificate")]
use ecdsa::hazmat::SignPrimitive;
use embedded_tls::{CryptoProvider, CryptoRng, TlsError, TlsVerifier};
use rand_core::RngCore;
#[cfg(feature = "client-certificate")]
use sha2::{Digest, Sha256};

/// More draws than a handshake needs: the numbers drawn are of no use.
const MOST_DRAWS: u8 = 16;

/// The firmware's random numbers. A failure is kept in the exchange, after which nothing more is sent; until that is seen there are
/// numbers that end every search for a usable one.
pub(super) struct Random<T> {
    transport: T,
    exchange: &'static Exchange,
}

impl<T: Transport> Random<T> {
    pub(super) fn new(transport: T, exchange: &'static Exchange) -> Self {
        Self { transport, exchange }
    }
}

impl<T: Transport> RngCore for Random<T> {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        let given = self.transport.random(bytes);
        let exchange = self.exchange;
        let mut drawn = [0; 16];
        drawn.iter_mut().zip(&*bytes).for_each(|(drawn, byte)| *drawn = *byte);
        let draws = exchange.draws.get();
        exchange.draws.set(draws + 1);
        let is_constant = bytes.iter().all(|byte| Some(byte) == bytes.first());
        if !given || is_constant || drawn == exchange.drawn.replace(drawn) || draws >= MOST_DRAWS {
            exchange.refuse(Reason::Random);
            exchange.draws.set(MOST_DRAWS);
            bytes.fill(1);
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl<T: Transport> CryptoRng for Random<T> {}

/// What the TLS implementation asks for during the handshake.
pub(super) struct Provider<T> {
    pub(super) transport: T,
    pub(super) exchange: &'static Exchange,
    pub(super) verifier: Verifier<T>,
}

impl<T: Transport> CryptoProvider for &mut Provider<T> {
    type CipherSuite = Suite;
    #[cfg(feature = "client-certificate")]
    type Signature = Signature;
    #[cfg(not(feature = "client-certificate"))]
    type Signature = [u8; 0];

    fn rng(&mut self) -> impl embedded_tls::CryptoRngCore {
        Random::new(self.transport, self.exchange)
    }

    fn verifier(&mut self) -> Result<&mut impl TlsVerifier<Suite>, TlsError> {
        Ok(&mut self.verifier)
    }

    /// The client's certificate, for a broker that has proved who it is.
    #[cfg(feature = "client-certificate")]
    fn client_cert(&mut self) -> Option<embedded_tls::Certificate<impl AsRef<[u8]>>> {
        let certificate = self.verifier.security.certificate;
        (self.verifier.is_satisfied() && !certificate.is_empty()).then_some(embedded_tls::Certificate::X509(certificate))
    }

    #[cfg(feature = "client-certificate")]
    fn signer(&mut self) -> Result<(impl signature::SignerMut<Self::Signature>, embedded_tls::SignatureScheme), TlsError> {
        let key = super::certificates::private_key(self.verifier.security.private_key).ok_or(TlsError::InvalidPrivateKey)?;
        Ok((Key(key), embedded_tls::SignatureScheme::EcdsaSecp256r1Sha256))
    }
}

/// A signature in DER: a sequence of two integers of up to 33 bytes.
#[cfg(feature = "client-certificate")]
pub(super) struct Signature(heapless::Vec<u8, { 2 + 2 * (2 + 33) }, u8>);

#[cfg(feature = "client-certificate")]
impl AsRef<[u8]> for Signature {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The client's key, whose signatures are in DER. Not a `SigningKey`, which would first work out the public key that nobody asks for.
#[cfg(feature = "client-certificate")]
struct Key(p256::SecretKey);

#[cfg(feature = "client-certificate")]
impl signature::Signer<Signature> for Key {
    fn try_sign(&self, message: &[u8]) -> Result<Signature, signature::Error> {
        let (numbers, _) = self.0.to_nonzero_scalar().try_sign_prehashed_rfc6979::<Sha256>(&Sha256::digest(message), &[])?;
        let mut der = heapless::Vec::new();
        let mut put = |bytes: &[u8]| der.extend_from_slice(bytes).map_err(|_| signature::Error::new());
        put(&[super::certificates::SEQUENCE, 0])?;
        for number in numbers.to_bytes().chunks(32) {
            let mut digits = number;
            while let [0, shorter @ ..] = digits {
                digits = shorter;
            }
            let sign: &[u8] = if digits.first().is_some_and(|first| *first >= 0x80) { &[0] } else { &[] };
            put(&[super::algorithms::INTEGER, (sign.len() + digits.len()) as u8])?;
            put(sign)?;
            put(digits)?;
        }
        let length = der.len() as u8 - 2;
        if let Some(place) = der.get_mut(1) {
            *place = length;
        }
        Ok(Signature(der))
    }
}

#[cfg(all(test, feature = "client-certificate"))]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;
    use p256::SecretKey;
    use p256::ecdsa::{DerSignature, SigningKey};
    use signature::Signer;

    #[test]
    fn signatures_are_in_the_shortest_form() {
        let key = SigningKey::from_slice(&[7; 32]).unwrap();
        let mut shorter = 0;
        // One number of 512, of two in each signature, begins with nine zero bits.
        for message in 0_u32..1000 {
            let message = message.to_be_bytes();
            let theirs: DerSignature = key.sign(&message);
            let ours = Key(SecretKey::from(key.as_nonzero_scalar())).try_sign(&message).unwrap();
            assert_eq!(ours.as_ref(), theirs.as_bytes());
            shorter += u32::from(ours.as_ref().len() < 70);
        }
        assert_ne!(shorter, 0);
    }
}
