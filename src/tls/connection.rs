//! The future of a connection: opens it, insists that the broker is the right one, then moves bytes both ways until it fails.

use super::provider::Provider;
use super::records::{Exchange, Records};
use super::suite::Suite;
use super::verifier::Verifier;
use super::{Security, Transport};
use core::cell::Cell;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use embedded_io_async::Write;
use embedded_tls::{TlsConfig, TlsConnection, TlsContext, TlsError, TlsReader, TlsWriter};

/// All that a connection needs.
pub(super) struct Setup<T> {
    pub(super) transport: T,
    pub(super) exchange: &'static Exchange,
    pub(super) security: Security,
    pub(super) receive: &'static mut [u8],
    pub(super) transmit: &'static mut [u8],
}

/// What is copied at a time of what is to be sent.
const PIECE: usize = 32;

/// Opens a connection and serves it. Returns what has ended it.
pub(super) async fn connect<T: Transport>(setup: Setup<T>) -> TlsError {
    let Setup { transport, exchange, security, receive, transmit } = setup;
    let records = Records { transport, exchange, buffer: receive.as_ptr() as usize, room: receive.len() };
    let longest = security.longest_fragment();
    let mut connection: TlsConnection<'_, _, Suite> = TlsConnection::new(records, receive, transmit);
    match open(&mut connection, transport, exchange, security).await {
        Ok(()) => exchange.open.set(true),
        Err(failure) => return failure,
    }
    let (reader, writer) = connection.split();
    let mut writing = pin!(write(writer, exchange, longest));
    let mut reading = pin!(read(reader, exchange));
    poll_fn(|context| match writing.as_mut().poll(context) {
        Poll::Ready(failure) => Poll::Ready(failure),
        Poll::Pending => reading.as_mut().poll(context),
    })
    .await
}

/// Does the handshake. It is not enough that it succeeds: the broker must have been verified.
async fn open<T: Transport>(
    connection: &mut TlsConnection<'static, Records<T>, Suite>,
    transport: T,
    exchange: &'static Exchange,
    security: Security,
) -> Result<(), TlsError> {
    let mut config = TlsConfig::new().with_alpn(&[b"mqtt"]);
    if cfg!(feature = "rsa") {
        config = config.enable_rsa_signatures();
    }
    if let Some(name) = security.host_name() {
        config = config.with_server_name(name);
    }
    if let Some(length) = security.fragment_length() {
        config = config.with_max_fragment_length(length);
    }
    if cfg!(feature = "psk") && !security.key.is_empty() {
        config = config.with_psk(security.key, &[security.key_identity]);
    }
    let mut provider = Provider { transport, exchange, verifier: Verifier::new(transport, exchange, security) };
    connection.open(TlsContext::new(&config, &mut provider)).await?;
    provider.verifier.insist()
}

/// Sends what there is to send, in one record each time, which is finished before the next begins.
async fn write<T: Transport>(mut writer: TlsWriter<'_, Records<T>, Suite>, exchange: &Exchange, longest: usize) -> TlsError {
    loop {
        let outgoing = wanted(exchange).await;
        let outgoing = outgoing.get(..longest).unwrap_or(outgoing);
        for piece in outgoing.chunks(PIECE) {
            let mut bytes = [0; PIECE];
            bytes.iter_mut().zip(piece).for_each(|(byte, cell)| *byte = cell.get());
            // It has room for all of it, so that nothing waits here.
            if let Err(failure) = writer.write_all(bytes.get(..piece.len()).unwrap_or_default()).await {
                return failure;
            }
        }
        // The last byte is not taken before the transport has taken the whole record.
        exchange.moved.set(outgoing.len() - 1);
        if let Err(failure) = writer.flush().await {
            return failure;
        }
        wanted(exchange).await; // the same, or what begins with that byte
        exchange.moved.set(exchange.moved.get() + 1);
        exchange.outgoing.set(None);
    }
}

/// Waits for something to be sent.
async fn wanted(exchange: &Exchange) -> &'static [Cell<u8>] {
    poll_fn(|_| match exchange.outgoing.get() {
        Some(outgoing) if !outgoing.is_empty() && !exchange.is_lost() => Poll::Ready(outgoing),
        _ => Poll::Pending,
    })
    .await
}

/// Gives what has arrived, as there is room.
async fn read<T: Transport>(mut reader: TlsReader<'_, Records<T>, Suite>, exchange: &Exchange) -> TlsError {
    loop {
        let mut record = match reader.read_buffered().await {
            Ok(record) => record,
            Err(failure) => return failure,
        };
        poll_fn(|_| match exchange.incoming.take() {
            None => Poll::Pending,
            Some(room) => {
                let bytes = record.pop(room.len());
                room.iter().zip(bytes).for_each(|(cell, byte)| cell.set(*byte));
                exchange.moved.set(bytes.len());
                Poll::Ready(())
            }
        })
        .await;
    }
}
