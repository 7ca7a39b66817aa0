//! What a connection leaves in memory: nothing.

use crate::encounter::{Encounter, GOOD, Outcome};
use crate::server::{CHANGE_CIPHER_SPEC, HANDSHAKE, kind::*, record};
use crate::wire::Rig;
use core::cell::Cell;

/// All memory of the link, and its buffers.
fn memory(rig: &Rig) -> Vec<u8> {
    let start: *const u8 = core::ptr::from_ref(rig.link).cast();
    // SAFETY: so many bytes lie there; that some are not initialised is nothing to a volatile read.
    let mut memory: Vec<u8> = (0..size_of_val(rig.link)).map(|offset| unsafe { start.add(offset).read_volatile() }).collect();
    for buffer in [rig.receive, rig.transmit] {
        memory.extend(buffer.iter().map(Cell::get));
    }
    memory
}

fn holds(memory: &[u8], secret: &[u8]) -> bool {
    memory.windows(8).any(|bytes| secret.windows(8).any(|part| part == bytes))
}

/// How many of the secrets, and of the texts that were sent, are still there.
fn traces(encounter: &Encounter) -> usize {
    let memory = memory(&encounter.rig);
    let texts = [b"secret text".to_vec(), b"another one".to_vec()];
    encounter.server.secrets.iter().chain(&texts).filter(|secret| holds(&memory, secret)).count()
}

/// A connection over which texts have gone both ways, so that there is much to find.
fn talkative() -> Encounter {
    let mut encounter = Encounter::connected();
    encounter.send(b"secret text");
    assert_eq!(encounter.rig.link.send(crate::encounter::bytes(b"another one")), 11);
    assert_eq!(encounter.received().unwrap(), b"secret text");
    assert!(traces(&encounter) >= 3, "the keys and a text are found while they are needed: {}", traces(&encounter));
    encounter
}

#[test]
fn a_closed_connection_leaves_no_secrets() {
    let encounter = talkative();
    encounter.rig.link.close();
    assert_eq!(traces(&encounter), 0);
    for buffer in [encounter.rig.receive, encounter.rig.transmit] {
        assert!(buffer.iter().all(|byte| byte.get() == 0));
    }
}

#[test]
fn a_connection_that_has_failed_leaves_no_secrets_even_before_it_is_closed() {
    let encounter = talkative();
    encounter.rig.give(&record(CHANGE_CIPHER_SPEC, &[1]));
    encounter.refused();
    assert_eq!(traces(&encounter), 0);
}

#[test]
fn a_handshake_that_fails_at_any_step_leaves_no_secrets() {
    for step in 0..GOOD.len() {
        let mut encounter = Encounter::new();
        let mut flight = encounter.flight(&GOOD[..step]);
        assert_eq!(encounter.after(&flight), Outcome::Waiting);
        assert!(traces(&encounter) >= 1, "step {step}");
        flight = encounter.server.seal(HANDSHAKE, &[FINISHED; 3]);
        assert!(matches!(encounter.after(&flight), Outcome::Refused(_)));
        assert_eq!(traces(&encounter), 0, "step {step}");
    }
}
