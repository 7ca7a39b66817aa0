//! The table of subscriptions. A reference is the number of an entry, counted from 1.

use crate::config::{MAX_SUBSCRIPTIONS, MAX_TOPIC_LENGTH};
use crate::topic;
use core::cell::Cell;

/// The bits of an entry's state that are not one of the two QoS.
const USED: u8 = 0x04;
const ENDING: u8 = 0x08;

/// One subscription.
pub struct Subscription {
    /// The QoS asked for in bits 0 and 1, `USED`, `ENDING`, and in the upper half the QoS that the broker granted last; 0: the entry
    /// is free.
    state: Cell<u8>,
    /// Always terminated by a zero; empty: to be asked for each time.
    topic: [Cell<u8>; MAX_TOPIC_LENGTH + 1],
}

impl Subscription {
    #[expect(clippy::declare_interior_mutable_const, reason = "only ever the start of a new entry")]
    const FREE: Self = Self { state: Cell::new(0), topic: [const { Cell::new(0) }; MAX_TOPIC_LENGTH + 1] };

    /// Whether the entry is taken.
    pub fn is_used(&self) -> bool {
        self.state.get() != 0
    }

    /// Whether it was asked to end.
    pub fn is_ending(&self) -> bool {
        self.state.get() & ENDING != 0
    }

    /// It is asked to end.
    pub fn set_ending(&self) {
        self.state.set(self.state.get() | ENDING);
    }

    /// The QoS that was asked for.
    pub fn qos(&self) -> u8 {
        self.state.get() & 3
    }

    /// The QoS that the broker granted last.
    pub fn granted(&self) -> u8 {
        self.state.get() >> 4
    }

    /// The broker has granted a QoS.
    pub fn set_granted(&self, qos: u8) {
        self.state.set(self.state.get() & 0x0f | qos << 4);
    }

    /// The stored topic; empty: it has to be asked for.
    #[inline(never)]
    pub fn topic(&self) -> &[Cell<u8>] {
        let length = self.topic.iter().take_while(|byte| byte.get() != 0).count();
        self.topic.get(..length).unwrap_or_default()
    }

    /// Takes the entry for `topic`, which must not be longer than an entry holds; empty: to be asked for.
    pub fn take(&self, topic: &[Cell<u8>], qos: u8) {
        self.state.set(USED | qos);
        let mut bytes = topic.iter();
        for stored in &self.topic {
            stored.set(bytes.next().map_or(0, Cell::get));
        }
    }

    /// Frees the entry.
    pub fn release(&self) {
        self.state.set(0);
    }
}

/// All subscriptions, free entries included: the entry of a reference is at the reference less 1.
pub struct Subscriptions(pub [Subscription; MAX_SUBSCRIPTIONS]);

impl Subscriptions {
    /// Empty.
    pub const fn new() -> Self {
        Self([Subscription::FREE; MAX_SUBSCRIPTIONS])
    }

    /// The entry of a reference; there is none for 0, or beyond the last.
    #[inline(never)]
    pub fn get(&self, reference: usize) -> Option<&Subscription> {
        self.0.get(reference.wrapping_sub(1))
    }

    /// The same, where it is taken.
    pub fn used(&self, reference: usize) -> Option<&Subscription> {
        self.get(reference).filter(|subscription| subscription.is_used())
    }

    /// The reference that a message belongs to: the lowest whose stored filter matches, else the lowest without a stored
    /// topic, else 0. `name` is empty where it was too long to be kept.
    pub fn matching(&self, name: &[Cell<u8>]) -> usize {
        let mut unknown = 0;
        let mut reference = 0;
        for entry in &self.0 {
            reference += 1;
            if !entry.is_used() {
                continue;
            }
            if entry.topic.first().is_some_and(|byte| byte.get() == 0) {
                if unknown == 0 {
                    unknown = reference;
                }
            } else if !name.is_empty() && topic::matches(&entry.topic, name) {
                return reference;
            }
        }
        unknown
    }
}
