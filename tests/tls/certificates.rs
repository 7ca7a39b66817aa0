//! Certificates of a test's own, good ones and all kinds of bad ones: X.509 written down byte by byte.
#![allow(dead_code, reason = "not every test needs all of it")]

use p256::ecdsa::signature::Signer;
use p256::ecdsa::{DerSignature, SigningKey};
use sha2::{Digest, Sha256};

/// 2026-01-01, and the time that the tests take for now.
pub const START: u64 = 1_767_225_600;
pub const NOW: u64 = START + 180 * DAY;
/// 2036-01-01.
pub const END: u64 = 2_082_758_400;
pub const DAY: u64 = 86_400;

/// A DER element.
pub fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len();
    let header = match length {
        ..0x80 => vec![tag, length as u8],
        0x80..0x100 => vec![tag, 0x81, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [header, content].concat()
}

pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, parts)
}

const EC_P256: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
pub const ECDSA_SHA256: &[u8] = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";

/// An extension of a certificate.
pub mod extension {
    use super::{element, sequence};

    fn new(identifier: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
        let critical: &[u8] = if critical { b"\x01\x01\xff" } else { b"" };
        sequence(&[&element(6, &[identifier]), critical, &element(4, &[value])])
    }

    pub fn authority() -> Vec<u8> {
        new(b"\x55\x1d\x13", true, &sequence(&[b"\x01\x01\xff"]))
    }

    /// It may certify so many authorities one below the other.
    pub fn authority_over(depth: u8) -> Vec<u8> {
        new(b"\x55\x1d\x13", true, &sequence(&[b"\x01\x01\xff", &[2, 1, depth]]))
    }

    pub fn names(names: &[&str]) -> Vec<u8> {
        new(b"\x55\x1d\x11", false, &sequence(&[&names.iter().map(|name| element(0x82, &[name.as_bytes()])).collect::<Vec<_>>().concat()]))
    }

    pub fn addresses(addresses: &[&[u8]]) -> Vec<u8> {
        new(b"\x55\x1d\x11", false, &sequence(&[&addresses.iter().map(|address| element(0x87, &[address])).collect::<Vec<_>>().concat()]))
    }

    pub fn for_servers() -> Vec<u8> {
        new(b"\x55\x1d\x25", false, &sequence(&[b"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01"]))
    }

    pub fn for_clients() -> Vec<u8> {
        new(b"\x55\x1d\x25", false, &sequence(&[b"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02"]))
    }

    /// Only names below this one may be certified.
    pub fn only_below(name: &str) -> Vec<u8> {
        let subtree = sequence(&[&element(0x82, &[name.as_bytes()])]);
        new(b"\x55\x1d\x1e", true, &sequence(&[&element(0xa0, &[&subtree])]))
    }

    pub fn unknown_critical() -> Vec<u8> {
        new(b"\x2a\x03\x04\x05", true, b"\x05\x00")
    }

    pub fn unknown() -> Vec<u8> {
        new(b"\x2a\x03\x04\x05", false, b"\x05\x00")
    }
}

/// What is to be certified.
#[derive(Clone)]
pub struct Request {
    pub name: String,
    pub seed: String,
    pub serial: Vec<u8>,
    pub from: u64,
    pub to: u64,
    pub extensions: Vec<Vec<u8>>,
}

impl Request {
    /// For ten years; the key and the number come from the name.
    pub fn new(name: &str, extensions: &[Vec<u8>]) -> Self {
        let serial = [&[0x11], &Sha256::digest(name)[..8]].concat();
        Self { name: name.into(), seed: name.into(), serial, from: START, to: END, extensions: extensions.into() }
    }

    pub fn authority(name: &str) -> Self {
        Self::new(name, &[extension::authority()])
    }

    /// A broker of this name.
    pub fn broker(name: &str) -> Self {
        Self::new(name, &[extension::names(&[name]), extension::for_servers()])
    }

    pub fn seed(self, seed: &str) -> Self {
        Self { seed: seed.into(), ..self }
    }

    pub fn valid(self, from: u64, to: u64) -> Self {
        Self { from, to, ..self }
    }

    /// Certified by its own key.
    pub fn self_signed(&self) -> Identity {
        let key = key(&self.seed);
        Identity { der: self.certificate(&key, &self.name, &key), name: self.name.clone(), key }
    }

    fn certificate(&self, issuer: &SigningKey, issuer_name: &str, key: &SigningKey) -> Vec<u8> {
        self.certificate_of(&public_key(key), ECDSA_SHA256, issuer_name, |tbs| Signer::<DerSignature>::sign(issuer, tbs).as_bytes().to_vec())
    }

    /// For any public key, with any signature.
    pub fn certificate_of(&self, public_key: &[u8], algorithm: &[u8], issuer_name: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
        let extensions = element(0xa3, &[&sequence(&[&self.extensions.concat()])]);
        let tbs = sequence(&[
            b"\xa0\x03\x02\x01\x02",
            &element(2, &[&self.serial]),
            algorithm,
            &common_name(issuer_name),
            &sequence(&[&time(self.from), &time(self.to)]),
            &common_name(&self.name),
            public_key,
            if self.extensions.is_empty() { &[] } else { &extensions },
        ]);
        sequence(&[&tbs, algorithm, &element(3, &[b"\0", &sign(&tbs)])])
    }
}

/// A key, always the same for the same seed.
pub fn key(seed: &str) -> SigningKey {
    SigningKey::from_slice(&Sha256::digest(seed)).unwrap()
}

/// The public key as it stands in a certificate.
pub fn public_key(key: &SigningKey) -> Vec<u8> {
    sequence(&[&sequence(&[EC_P256]), &element(3, &[b"\0", key.verifying_key().to_encoded_point(false).as_bytes()])])
}

fn common_name(name: &str) -> Vec<u8> {
    sequence(&[&element(0x31, &[&sequence(&[b"\x06\x03\x55\x04\x03", &element(0x0c, &[name.as_bytes()])])])])
}

/// UTCTime, up to 2049.
fn time(seconds: u64) -> Vec<u8> {
    let (days, second) = (seconds / DAY, seconds % DAY);
    // Days since 0000-03-01, in eras of 400 years.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    element(0x17, &[format!("{:02}{month:02}{day:02}{:02}{:02}{:02}Z", year % 100, second / 3600, second / 60 % 60, second % 60).as_bytes()])
}

/// Somebody with a certificate and its key.
#[derive(Clone)]
pub struct Identity {
    pub name: String,
    pub key: SigningKey,
    pub der: Vec<u8>,
}

impl Identity {
    /// An authority that anybody may trust.
    pub fn authority() -> Self {
        Request::authority("Authority").self_signed()
    }

    /// Certifies somebody.
    pub fn issue(&self, request: &Request) -> Self {
        let key = key(&request.seed);
        Self { der: request.certificate(&self.key, &self.name, &key), name: request.name.clone(), key }
    }

    /// The key in SEC1's form.
    pub fn sec1(&self) -> Vec<u8> {
        let point = self.key.verifying_key().to_encoded_point(false);
        let parameters = element(0xa0, &[&EC_P256[9..]]);
        sequence(&[b"\x02\x01\x01", &element(4, &[&self.key.to_bytes()]), &parameters, &element(0xa1, &[&element(3, &[b"\0", point.as_bytes()])])])
    }

    /// The key in the form of PKCS#8.
    pub fn pkcs8(&self) -> Vec<u8> {
        sequence(&[b"\x02\x01\0", &sequence(&[EC_P256]), &element(4, &[&self.sec1()])])
    }
}

/// DER as text, for programs that want it so.
pub fn pem(label: &str, der: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = format!("-----BEGIN {label}-----");
    for (index, three) in der.chunks(3).enumerate() {
        if index % 16 == 0 {
            text.push('\n');
        }
        let bits = three.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            text.push(if place <= three.len() { LETTERS[(bits >> (18 - 6 * place)) as usize % 64] as char } else { '=' });
        }
    }
    format!("{text}\n-----END {label}-----\n")
}
