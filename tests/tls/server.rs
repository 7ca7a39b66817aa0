//! A TLS 1.3 server for tests: it can do a good handshake, and anything else that can be said in records.

use crate::certificates::Identity;
use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::{Aes128Gcm, Nonce};
use hkdf::Hkdf;
use hkdf::hmac::{Hmac, Mac};
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{DerSignature, SigningKey, VerifyingKey};
use p256::{PublicKey, SecretKey};
use sha2::{Digest, Sha256};

pub const CHANGE_CIPHER_SPEC: u8 = 20;
pub const ALERT: u8 = 21;
pub const HANDSHAKE: u8 = 22;
pub const APPLICATION_DATA: u8 = 23;

/// Types of handshake messages.
pub mod kind {
    pub const CLIENT_HELLO: u8 = 1;
    pub const SERVER_HELLO: u8 = 2;
    pub const NEW_SESSION_TICKET: u8 = 4;
    pub const ENCRYPTED_EXTENSIONS: u8 = 8;
    pub const CERTIFICATE: u8 = 11;
    pub const CERTIFICATE_REQUEST: u8 = 13;
    pub const CERTIFICATE_VERIFY: u8 = 15;
    pub const FINISHED: u8 = 20;
    pub const KEY_UPDATE: u8 = 24;
}

/// ECDSA with P-256 and SHA-256, as a signature scheme.
pub const ECDSA_P256: u16 = 0x0403;

type Hash = [u8; 32];

/// A list with its length before it, in so many bytes.
pub fn list<const BYTES: usize>(content: &[u8]) -> Vec<u8> {
    [&content.len().to_be_bytes()[8 - BYTES..], content].concat()
}

/// A handshake message.
pub fn message(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind][..], &list::<3>(content)].concat()
}

/// A record in plaintext.
pub fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3][..], &list::<2>(content)].concat()
}

/// An extension of a hello.
pub fn extension(number: u16, content: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes()[..], &list::<2>(content)].concat()
}

/// Keys of one direction.
struct Keys {
    secret: Hash,
    key: [u8; 16],
    nonce: [u8; 12],
    number: u64,
}

fn expand(secret: &Hash, label: &str, context: &[u8], output: &mut [u8]) {
    let label = [b"tls13 ", label.as_bytes()].concat();
    let information = [&(output.len() as u16).to_be_bytes()[..], &list::<1>(&label), &list::<1>(context)].concat();
    Hkdf::<Sha256>::from_prk(secret).unwrap().expand(&information, output).unwrap();
}

fn derive(secret: &Hash, label: &str, transcript: &Sha256) -> Hash {
    let mut derived = [0; 32];
    expand(secret, label, &transcript.clone().finalize(), &mut derived);
    derived
}

fn extract(salt: &Hash, input: &[u8]) -> Hash {
    Hkdf::<Sha256>::extract(Some(salt), input).0.into()
}

/// What proves knowledge of a secret and of the handshake so far.
fn proof(secret: &Hash, transcript: &Sha256) -> Hash {
    let mut key = [0; 32];
    expand(secret, "finished", &[], &mut key);
    let mut proof = <Hmac<Sha256> as Mac>::new_from_slice(&key).unwrap();
    proof.update(&transcript.clone().finalize());
    proof.finalize().into_bytes().into()
}

impl Keys {
    fn new(secret: Hash) -> Self {
        let (mut key, mut nonce) = ([0; 16], [0; 12]);
        expand(&secret, "key", &[], &mut key);
        expand(&secret, "iv", &[], &mut nonce);
        Self { secret, key, nonce, number: 0 }
    }

    fn next(&mut self) -> (Aes128Gcm, Nonce<aes_gcm::aead::consts::U12>) {
        let mut nonce = self.nonce;
        nonce[4..].iter_mut().zip(self.number.to_be_bytes()).for_each(|(byte, number)| *byte ^= number);
        self.number += 1;
        (Aes128Gcm::new(&self.key.into()), nonce.into())
    }

    fn seal(&mut self, mut body: Vec<u8>) -> Vec<u8> {
        let header = [&[APPLICATION_DATA, 3, 3][..], &((body.len() + 16) as u16).to_be_bytes()].concat();
        let (cipher, nonce) = self.next();
        let tag = cipher.encrypt_in_place_detached(&nonce, &header, &mut body).unwrap();
        [header, body, tag.to_vec()].concat()
    }

    fn open(&mut self, record: &[u8]) -> (u8, Vec<u8>) {
        let (header, body) = record.split_at(5);
        let (body, tag) = body.split_at(body.len() - 16);
        let mut body = body.to_vec();
        let (cipher, nonce) = self.next();
        cipher.decrypt_in_place_detached(&nonce, header, &mut body, tag.into()).expect("the client's record has the right key and number");
        let kind = body.pop().unwrap();
        (kind, body)
    }
}

/// Signs a message.
pub type Prove = Box<dyn Fn(&[u8]) -> Vec<u8>>;

/// Signs with a P-256 key.
pub fn by(key: SigningKey) -> Prove {
    Box::new(move |message| Signer::<DerSignature>::sign(&key, message).as_bytes().to_vec())
}

pub struct Server {
    /// The certificates that it shows, and how it signs, by which scheme.
    pub chain: Vec<Vec<u8>>,
    pub prove: Prove,
    pub scheme: u16,
    pub pre_shared_key: Option<Vec<u8>>,
    /// What the client's hello says, by extension.
    client_hello: Vec<(u16, Vec<u8>)>,
    pub hello_bytes: Vec<u8>,
    pub transcript: Sha256,
    exchange: SecretKey,
    early: Hash,
    master: Hash,
    sending: Option<Keys>,
    receiving: Option<Keys>,
    /// All secrets that the client knows too.
    pub secrets: Vec<Vec<u8>>,
}

impl Server {
    /// A server with a certificate, and the others up to an authority.
    pub fn new(chain: &[&Identity]) -> Self {
        Self {
            chain: chain.iter().map(|identity| identity.der.clone()).collect(),
            prove: by(chain.first().map_or_else(|| crate::certificates::key("none"), |identity| identity.key.clone())),
            scheme: ECDSA_P256,
            pre_shared_key: None,
            client_hello: Vec::new(),
            hello_bytes: Vec::new(),
            transcript: Sha256::new(),
            exchange: SecretKey::from_slice(&[7; 32]).unwrap(),
            early: [0; 32],
            master: [0; 32],
            sending: None,
            receiving: None,
            secrets: Vec::new(),
        }
    }

    #[cfg(feature = "psk")]
    pub fn with_key(key: &[u8]) -> Self {
        Self { pre_shared_key: Some(key.into()), ..Self::new(&[]) }
    }

    /// Reads the record with the client's hello.
    pub fn hear(&mut self, record: &[u8]) {
        assert_eq!((record[0], record[5]), (HANDSHAKE, kind::CLIENT_HELLO));
        assert_eq!(usize::from(u16::from_be_bytes([record[3], record[4]])), record.len() - 5, "one whole record");
        self.hello_bytes = record[5..].into();
        self.transcript.update(&record[5..]);
        let body = &record[9..];
        let extensions = &body[2 + 32 + 1 + 4 + 2 + 2..];
        let mut rest = extensions;
        self.client_hello.clear();
        while let [a, b, c, d, behind @ ..] = rest {
            let (content, behind) = behind.split_at(usize::from(u16::from_be_bytes([*c, *d])));
            self.client_hello.push((u16::from_be_bytes([*a, *b]), content.into()));
            rest = behind;
        }
    }

    #[cfg(feature = "psk")]
    /// Whether the client offers a key of this identity, and has proved that it is the one of the server.
    pub fn binder_is_right(&self, identity: &[u8]) -> bool {
        let asked = self.asked(41).unwrap();
        let (identities, binders) = asked.split_at(asked.len() - 2 - 33);
        assert_eq!(identities, list::<2>(&[&list::<2>(identity)[..], &[0; 4]].concat()));
        let early = extract(&[0; 32], self.pre_shared_key.as_deref().unwrap());
        let without = Sha256::new_with_prefix(&self.hello_bytes[..self.hello_bytes.len() - binders.len()]);
        binders[3..] == proof(&derive(&early, "ext binder", &Sha256::new()), &without)
    }

    /// An extension that the client has sent.
    pub fn asked(&self, number: u16) -> Option<&[u8]> {
        self.client_hello.iter().find(|(other, _)| *other == number).map(|(_, content)| &content[..])
    }

    /// The client's part of the key exchange.
    pub fn client_point(&self) -> &[u8] {
        &self.asked(51).unwrap()[6..]
    }

    /// The server's part of it.
    pub fn point(&self) -> p256::EncodedPoint {
        self.exchange.public_key().into()
    }

    /// The content of a ServerHello.
    pub fn hello_content(&self) -> Vec<u8> {
        let mut extensions = extension(43, b"\x03\x04");
        extensions.extend(extension(51, &[b"\0\x17", &*list::<2>(self.point().as_bytes())].concat()));
        if self.pre_shared_key.is_some() {
            extensions.extend(extension(41, b"\0\0"));
        }
        [&b"\x03\x03"[..], &[0x5a; 32], b"\0", b"\x13\x01", b"\0", &list::<2>(&extensions)].concat()
    }

    /// The record with the ServerHello; what follows is encrypted.
    pub fn hello(&mut self) -> Vec<u8> {
        self.hello_saying(&self.hello_content())
    }

    /// The same with any content.
    pub fn hello_saying(&mut self, content: &[u8]) -> Vec<u8> {
        let hello = message(kind::SERVER_HELLO, content);
        self.transcript.update(&hello);
        let client = PublicKey::from_sec1_bytes(self.client_point()).unwrap();
        let shared = p256::ecdh::diffie_hellman(self.exchange.to_nonzero_scalar(), client.as_affine());
        self.early = extract(&[0; 32], self.pre_shared_key.as_deref().unwrap_or(&[0; 32]));
        let handshake = extract(&derive(&self.early, "derived", &Sha256::new()), shared.raw_secret_bytes());
        let client = derive(&handshake, "c hs traffic", &self.transcript);
        let server = derive(&handshake, "s hs traffic", &self.transcript);
        self.master = extract(&derive(&handshake, "derived", &Sha256::new()), &[0; 32]);
        self.secrets = vec![shared.raw_secret_bytes().to_vec(), handshake.to_vec(), client.to_vec(), server.to_vec(), self.master.to_vec()];
        self.receiving = Some(self.keys(client));
        self.sending = Some(self.keys(server));
        record(HANDSHAKE, &hello)
    }

    /// A message of the handshake as it should be, now part of it.
    pub fn say(&mut self, what: u8) -> Vec<u8> {
        let message = self.compose(what);
        self.tell(message)
    }

    /// A message of the handshake as it should be.
    pub fn compose(&self, what: u8) -> Vec<u8> {
        let content = match what {
            kind::ENCRYPTED_EXTENSIONS => list::<2>(&[]),
            kind::CERTIFICATE_REQUEST => [&b"\0"[..], &list::<2>(&extension(13, &list::<2>(&ECDSA_P256.to_be_bytes())))].concat(),
            kind::CERTIFICATE => {
                let entries: Vec<u8> = self.chain.iter().flat_map(|der| [list::<3>(der), list::<2>(&[])].concat()).collect();
                [&b"\0"[..], &list::<3>(&entries)].concat()
            }
            kind::CERTIFICATE_VERIFY => {
                let signature = (self.prove)(&signed("server", &self.transcript));
                [&self.scheme.to_be_bytes()[..], &list::<2>(&signature)].concat()
            }
            kind::FINISHED => proof(&self.sending.as_ref().unwrap().secret, &self.transcript).to_vec(),
            _ => panic!("no such message: {what}"),
        };
        message(what, &content)
    }

    /// A message of any content, now part of the handshake.
    pub fn say_so(&mut self, what: u8, content: &[u8]) -> Vec<u8> {
        self.tell(message(what, content))
    }

    /// These bytes are now part of the handshake.
    pub fn tell(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        self.transcript.update(&bytes);
        bytes
    }

    /// An encrypted record.
    pub fn seal(&mut self, kind: u8, content: &[u8]) -> Vec<u8> {
        self.seal_padded(kind, content, 0)
    }

    /// The same, with so many zeros behind the content.
    pub fn seal_padded(&mut self, kind: u8, content: &[u8], padding: usize) -> Vec<u8> {
        self.seal_bare([content, &[kind], &vec![0; padding]].concat())
    }

    /// An encrypted record with this inside, which may lack its type.
    pub fn seal_bare(&mut self, body: Vec<u8>) -> Vec<u8> {
        self.sending.as_mut().unwrap().seal(body)
    }

    /// A flight of these messages, each in a record of its own.
    pub fn flight(&mut self, kinds: &[u8]) -> Vec<u8> {
        kinds.iter().flat_map(|kind| { let message = self.say(*kind); self.seal(HANDSHAKE, &message) }).collect()
    }

    /// From here on the keys are those of application data, as after the server's Finished. Call when that was said.
    pub fn finish(&mut self) {
        let client = derive(&self.master, "c ap traffic", &self.transcript);
        let server = derive(&self.master, "s ap traffic", &self.transcript);
        self.secrets.extend([client.to_vec(), server.to_vec()]);
        self.sending = Some(self.keys(server));
        self.master = client;
    }

    fn keys(&mut self, secret: Hash) -> Keys {
        let keys = Keys::new(secret);
        self.secrets.extend([keys.key.to_vec(), keys.nonce.to_vec()]);
        keys
    }

    /// Reads what the client answers: its Finished, and before it its certificate where it was asked for. Returns the certificate.
    pub fn hear_finished(&mut self, records: &[u8]) -> Option<Vec<u8>> {
        let mut certificate: Option<Vec<u8>> = None;
        let mut finished = false;
        for record in split(records) {
            assert!(!finished);
            let (kind, content) = self.receiving.as_mut().unwrap().open(record);
            assert_eq!(kind, HANDSHAKE);
            match content[0] {
                kind::CERTIFICATE => {
                    let entries = &content[4 + 1 + 3..];
                    certificate = (!entries.is_empty()).then(|| entries[3..entries.len() - 2].to_vec());
                }
                kind::CERTIFICATE_VERIFY => {
                    let der = certificate.as_ref().unwrap();
                    // The point ends the public key, and with these certificates of the tests the body.
                    let place = der.windows(3).position(|bytes| bytes == b"\x03\x42\0").unwrap();
                    let key = VerifyingKey::from_sec1_bytes(&der[place + 3..][..65]).unwrap();
                    let signature = DerSignature::from_bytes(&content[8..]).unwrap();
                    key.verify(&signed("client", &self.transcript), &signature).expect("the client has signed");
                }
                kind::FINISHED => {
                    let expected = proof(&self.receiving.as_ref().unwrap().secret, &self.transcript);
                    assert_eq!(content[4..], expected);
                    finished = true;
                }
                other => panic!("the client says {other}"),
            }
            self.transcript.update(&content);
        }
        assert!(finished);
        self.receiving = Some(self.keys(self.master));
        certificate
    }

    /// Reads application data.
    pub fn read(&mut self, records: &[u8]) -> Vec<u8> {
        split(records).into_iter().flat_map(|record| {
            let (kind, content) = self.receiving.as_mut().unwrap().open(record);
            assert_eq!(kind, APPLICATION_DATA);
            content
        }).collect()
    }
}

/// What a CertificateVerify signs.
fn signed(who: &str, transcript: &Sha256) -> Vec<u8> {
    [&[b' '; 64], format!("TLS 1.3, {who} CertificateVerify\0").as_bytes(), &transcript.clone().finalize()].concat()
}

/// The records in what was sent.
pub fn split(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let (record, behind) = bytes.split_at(5 + usize::from(u16::from_be_bytes([bytes[3], bytes[4]])));
        records.push(record);
        bytes = behind;
    }
    records
}
