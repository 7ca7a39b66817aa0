//! The one cipher suite, TLS_AES_128_GCM_SHA256, and a look at what it has decrypted.

use super::gate;
use aes_gcm::aead::consts::{U0, U12, U16};
use aes_gcm::aead::{AeadCore, AeadInPlace, Error, Key, KeyInit, KeySizeUser, Nonce, Tag};
use aes_gcm::Aes128Gcm;
use embedded_tls::TlsCipherSuite;
use sha2::Sha256;

/// What the gate puts in the place of the upper byte of a record's version: the number of the encrypted record of the handshake, from 0
/// on, or this where the connection is open.
pub(super) const OPEN: u8 = 0xff;
/// What it really is, section 5.2 of RFC 8446.
const VERSION: u8 = 3;

// The types of the messages that the broker may send, section 4 of RFC 8446.
const NEW_SESSION_TICKET: u8 = 4;
const ENCRYPTED_EXTENSIONS: u8 = 8;
const CERTIFICATE: u8 = 11;
const CERTIFICATE_REQUEST: u8 = 13;
const CERTIFICATE_VERIFY: u8 = 15;
const FINISHED: u8 = 20;

pub(super) struct Suite;

impl TlsCipherSuite for Suite {
    const CODE_POINT: u16 = 0x1301;
    type Cipher = Cipher;
    type KeyLen = U16;
    type IvLen = U12;
    type Hash = Sha256;
    type LabelBufferSize = <embedded_tls::Aes128GcmSha256 as TlsCipherSuite>::LabelBufferSize;
}

/// AES-128-GCM that hands out no message that would be read as another, or at another time: the TLS implementation does not look, and
/// would stop the program at one after the handshake.
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
        let &[kind, number, minor, high, low] = header else { return Err(Error) };
        self.0.decrypt_in_place_detached(nonce, &[kind, VERSION, minor, high, low], content, tag)?;
        judge(content, number)
    }
}

/// Whether a decrypted record may come now. It is its content, its type, and zeros.
fn judge(record: &mut [u8], number: u8) -> Result<(), Error> {
    let mut content = &*record;
    while let [before @ .., 0] = content {
        content = before;
    }
    let (kind, mut messages) = content.split_last().ok_or(Error)?;
    if *kind != gate::HANDSHAKE {
        return Ok(());
    }
    let mut is_first = number == 0;
    loop {
        let (head, behind) = messages.split_first_chunk().ok_or(Error)?;
        let head = u32::from_be_bytes(*head);
        let kind = (head >> 24) as u8;
        let (content, behind) = behind.split_at_checked((head & 0xff_ffff) as usize).ok_or(Error)?;
        let may_come = match kind {
            NEW_SESSION_TICKET => number == OPEN,
            _ => number != OPEN && (kind == ENCRYPTED_EXTENSIONS) == is_first && is_whole(kind, content) && (kind != FINISHED || behind.is_empty()),
        };
        if !may_come {
            return Err(Error);
        }
        messages = behind;
        is_first = false;
        if messages.is_empty() {
            break;
        }
    }
    // Tickets are of no use: they become a record without content, and are not even looked into.
    if number == OPEN {
        record.fill(0);
        *record.first_mut().ok_or(Error)? = gate::APPLICATION_DATA;
    }
    Ok(())
}

/// Whether a message is as long as what is in it: the TLS implementation would read what is behind as another.
fn is_whole(kind: u8, content: &[u8]) -> bool {
    // Behind an empty context or a signature scheme they are a list, which no record holds 65536 bytes of.
    match (kind, content) {
        (FINISHED, _) => content.len() == 32,
        (ENCRYPTED_EXTENSIONS, [high, low, list @ ..])
        | (CERTIFICATE_REQUEST, [0, high, low, list @ ..])
        | (CERTIFICATE, [0, 0, high, low, list @ ..])
        | (CERTIFICATE_VERIFY, [_, _, high, low, list @ ..]) => list.len() == usize::from(u16::from_be_bytes([*high, *low])),
        _ => false,
    }
}
