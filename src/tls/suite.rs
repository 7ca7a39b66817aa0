//! The one cipher suite, TLS_AES_128_GCM_SHA256, and a look at what it has decrypted.

use super::gate;
use aes_gcm::aead::consts::{U0, U12, U16};
use aes_gcm::aead::{AeadCore, AeadInPlace, Error, Key, KeyInit, KeySizeUser, Nonce, Tag};
use aes_gcm::Aes128Gcm;
use embedded_tls::TlsCipherSuite;
use sha2::Sha256;

/// The lower byte of the version in a record's header, as the gate changes it where the connection is open.
pub(super) const OPEN: u8 = 4;
/// What it really is, section 5.2 of RFC 8446.
const VERSION: u8 = 3;

/// A NewSessionTicket, section 4 of RFC 8446.
const NEW_SESSION_TICKET: u8 = 4;

pub(super) struct Suite;

impl TlsCipherSuite for Suite {
    const CODE_POINT: u16 = 0x1301;
    type Cipher = Cipher;
    type KeyLen = U16;
    type IvLen = U12;
    type Hash = Sha256;
    type LabelBufferSize = <embedded_tls::Aes128GcmSha256 as TlsCipherSuite>::LabelBufferSize;
}

/// AES-128-GCM that hands out no handshake message after the handshake: the TLS implementation would stop the program.
pub(super) struct Cipher(Aes128Gcm);

impl KeySizeUser for Cipher {
    type KeySize = U16;
}

impl KeyInit for Cipher {
    fn new(key: &Key<Self>) -> Self {
        Self(Aes128Gcm::new(key))
    }
}

impl AeadCore for Cipher {
    type NonceSize = U12;
    type TagSize = U16;
    type CiphertextOverhead = U0;
}

impl AeadInPlace for Cipher {
    fn encrypt_in_place_detached(&self, nonce: &Nonce<Self>, header: &[u8], content: &mut [u8]) -> Result<Tag<Self>, Error> {
        self.0.encrypt_in_place_detached(nonce, header, content)
    }

    fn decrypt_in_place_detached(&self, nonce: &Nonce<Self>, header: &[u8], content: &mut [u8], tag: &Tag<Self>) -> Result<(), Error> {
        let &[kind, version, minor, high, low] = header else { return Err(Error) };
        let is_open = version == OPEN;
        self.0.decrypt_in_place_detached(nonce, &[kind, VERSION, minor, high, low], content, tag)?;
        if is_open { without_tickets(content) } else { Ok(()) }
    }
}

/// Makes tickets, which are of no use, a record without content; they are not even looked into. The record is its content, its type,
/// and zeros.
fn without_tickets(record: &mut [u8]) -> Result<(), Error> {
    let mut content = &*record;
    while let [before @ .., 0] = content {
        content = before;
    }
    let (kind, mut messages) = content.split_last().ok_or(Error)?;
    if *kind != gate::HANDSHAKE {
        return Ok(());
    }
    loop {
        let [NEW_SESSION_TICKET, high, middle, low, behind @ ..] = messages else { return Err(Error) };
        let length = u32::from_be_bytes([0, *high, *middle, *low]) as usize;
        messages = behind.get(length..).ok_or(Error)?;
        if messages.is_empty() {
            break;
        }
    }
    record.fill(0);
    *record.first_mut().ok_or(Error)? = gate::APPLICATION_DATA;
    Ok(())
}
