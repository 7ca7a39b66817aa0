//! What the firmware chooses for its secure connections, and whether that can work.

use super::storage::Buffer;
use crate::error::Error;
use embedded_tls::MaxFragmentLength;
use pki_types::ServerName;

/// The choice. What it names belongs to the firmware.
#[derive(Clone, Copy)]
pub struct Security {
    /// DNS name or IP literal of the broker.
    pub server_name: &'static str,
    /// Trusted certificates, one after another.
    pub authority: &'static [u8],
    /// The client's certificate; empty: none.
    pub certificate: &'static [u8],
    /// Its key.
    pub private_key: &'static [u8],
    /// Identity of a pre-shared key, instead of certificates; empty: none.
    pub key_identity: &'static [u8],
    /// The pre-shared key.
    pub key: &'static [u8],
    /// For received records.
    pub receive: Buffer,
    /// For sent records.
    pub transmit: Buffer,
}

/// What an encrypted record has besides its content: its type, and the tag.
const RECORD_OVERHEAD: usize = 1 + 16;
/// What the TLS implementation keeps free of the transmit buffer, a header, and a byte so that it never counts as full.
const TRANSMIT_OVERHEAD: usize = embedded_tls::TLS_RECORD_OVERHEAD + 5 + 1;
/// The longest content of a record that is not limited.
const LONGEST_FRAGMENT: usize = 16384;
/// The contents that a broker may be asked not to exceed.
const FRAGMENTS: [(usize, MaxFragmentLength); 4] =
    [(4096, MaxFragmentLength::Bits12), (2048, MaxFragmentLength::Bits11), (1024, MaxFragmentLength::Bits10), (512, MaxFragmentLength::Bits9)];
const SHORTEST_RECEIVE: usize = 512 + RECORD_OVERHEAD;
/// A ClientHello without names takes no more.
const CLIENT_HELLO: usize = 256;
/// What comes to a certificate in the record that carries it.
const CERTIFICATE_OVERHEAD: usize = 64;
/// The same in the message that carries it, which is not cut into fragments.
const CERTIFICATE_MESSAGE: usize = 13;

impl Security {
    /// Whether it can work: 0, or an error.
    pub fn check(&self) -> i32 {
        let has_certificate = !self.certificate.is_empty() || !self.private_key.is_empty();
        let has_key = !self.key.is_empty() || !self.key_identity.is_empty();
        let is_supported = (self.authority.is_empty() || cfg!(feature = "secure-mqtt"))
            && (!has_certificate || cfg!(feature = "client-certificate"))
            && (!has_key || cfg!(feature = "psk"));
        if !is_supported {
            return Error::NotSupported as i32;
        }
        let needed = CLIENT_HELLO + self.server_name.len() + self.key_identity.len();
        let can_work = ServerName::try_from(self.server_name).is_ok()
            && self.receive.length() >= SHORTEST_RECEIVE
            && !self.receive.overlaps(self.transmit)
            && self.transmit.length() >= needed.max(CERTIFICATE_OVERHEAD + self.certificate.len())
            && self.longest_content() >= CERTIFICATE_MESSAGE + self.certificate.len()
            && if has_key { self.is_key() && !has_certificate && self.authority.is_empty() } else { self.is_trusting() }
            && (!has_certificate || self.is_client());
        if can_work { 0 } else { Error::InvalidArgument as i32 }
    }

    fn is_key(&self) -> bool {
        !self.key.is_empty() && !self.key_identity.is_empty()
    }

    /// Whether there are trusted certificates, and all can be read.
    fn is_trusting(&self) -> bool {
        #[cfg(feature = "secure-mqtt")]
        return super::certificates::are_authorities(self.authority);
        #[cfg(not(feature = "secure-mqtt"))]
        false
    }

    /// Whether the client's key belongs to its certificate.
    fn is_client(&self) -> bool {
        #[cfg(feature = "client-certificate")]
        return super::certificates::belong_together(self.certificate, self.private_key);
        #[cfg(not(feature = "client-certificate"))]
        false
    }

    /// What the broker is told which name is meant: an address is none, and a dot at the end is not part of it (section 3 of RFC 6066).
    pub(super) fn host_name(&self) -> Option<&'static str> {
        let name = self.server_name.strip_suffix('.').unwrap_or(self.server_name);
        matches!(ServerName::try_from(name), Ok(ServerName::DnsName(_))).then_some(name)
    }

    /// What the broker is asked to limit the content of its records to; `None`: the buffer holds all.
    pub(super) fn fragment_length(&self) -> Option<MaxFragmentLength> {
        self.fragment().map(|(_, length)| length)
    }

    /// The longest content of a sent record: what was asked for holds in both directions.
    pub(super) fn longest_fragment(&self) -> usize {
        self.longest_content().min(self.transmit.length().saturating_sub(TRANSMIT_OVERHEAD))
    }

    fn longest_content(&self) -> usize {
        self.fragment().map_or(LONGEST_FRAGMENT, |(limit, _)| limit)
    }

    fn fragment(&self) -> Option<(usize, MaxFragmentLength)> {
        let room = self.receive.length().saturating_sub(RECORD_OVERHEAD);
        if room >= LONGEST_FRAGMENT { None } else { FRAGMENTS.into_iter().find(|(limit, _)| *limit <= room) }
    }
}
