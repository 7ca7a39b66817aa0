//! The table of subscriptions. A reference is the number of an entry, counted from 1.

use crate::config::{MAX_SUBSCRIPTIONS, MAX_TOPIC_LENGTH};
use crate::topic;
use core::cell::Cell;

/// What is under way for a subscription; all of it may be at once, in this order. What awaits an answer stands one bit above
/// what waits to be sent.
pub mod flag {
    /// The entry is taken.
    pub const USED: u8 = 0x01;
    /// A SUBSCRIBE is to be sent.
    pub const SUBSCRIBE: u8 = 0x02;
    /// A SUBACK is awaited.
    pub const SUBACK: u8 = 0x04;
    /// An UNSUBSCRIBE is to be sent.
    pub const UNSUBSCRIBE: u8 = 0x08;
    /// An UNSUBACK is awaited.
    pub const UNSUBACK: u8 = 0x10;
    /// The SUBACK was told before: the subscription is only being restored.
    pub const RESTORED: u8 = 0x20;
}

/// One subscription.
#[repr(C)]
pub struct Subscription {
    /// Bits of [`flag`]; 0: the entry is free.
    pub flags: Cell<u8>,
    /// The QoS asked for in bits 0 and 1, the one that the broker granted last in bits 4 and 5.
    pub qos: Cell<u8>,
    /// When the SUBSCRIBE was accepted, see [`crate::session`].
    pub order: Cell<u16>,
    /// When the UNSUBSCRIBE was accepted.
    pub unsubscribe_order: Cell<u16>,
    /// The packet identifier of the SUBSCRIBE or UNSUBSCRIBE that is awaiting its answer.
    pub identifier: Cell<u16>,
    /// Always terminated by a zero; empty: to be asked for each time.
    topic: [Cell<u8>; MAX_TOPIC_LENGTH + 1],
}

impl Subscription {
    #[expect(clippy::declare_interior_mutable_const, reason = "only ever the start of a new entry")]
    const FREE: Self = Self {
        flags: Cell::new(0),
        qos: Cell::new(0),
        order: Cell::new(0),
        unsubscribe_order: Cell::new(0),
        identifier: Cell::new(0),
        topic: [const { Cell::new(0) }; MAX_TOPIC_LENGTH + 1],
    };

    /// Whether one of `flags` is set.
    pub fn has(&self, flags: u8) -> bool {
        self.flags.get() & flags != 0
    }

    /// The stored topic; empty: it has to be asked for.
    #[inline(never)]
    pub fn topic(&self) -> &[Cell<u8>] {
        let length = self.topic.iter().take_while(|byte| byte.get() != 0).count();
        self.topic.get(..length).unwrap_or_default()
    }

    /// Takes the entry for `topic`, which must not be longer than an entry holds; empty: to be asked for.
    pub fn take(&self, topic: &[Cell<u8>], qos: u8, order: u16) {
        self.flags.set(flag::USED | flag::SUBSCRIBE);
        self.qos.set(qos);
        self.order.set(order);
        let mut bytes = topic.iter();
        for stored in &self.topic {
            stored.set(bytes.next().map_or(0, Cell::get));
        }
    }
}

/// All subscriptions, free entries included: the entry of a reference is at the reference less 1.
pub struct Subscriptions(pub [Subscription; MAX_SUBSCRIPTIONS]);

impl Subscriptions {
    /// Empty.
    pub const fn new() -> Self {
        Self([Subscription::FREE; MAX_SUBSCRIPTIONS])
    }

    /// Ends them all.
    pub fn clear(&self) {
        self.0.iter().for_each(|entry| entry.flags.set(0));
    }

    /// The entry of a reference; there is none for 0, or beyond the last.
    #[inline(never)]
    pub fn get(&self, reference: u8) -> Option<&Subscription> {
        self.0.get(usize::from(reference).wrapping_sub(1))
    }

    /// The reference that a message belongs to: the lowest whose stored filter matches, else the lowest without a stored
    /// topic, else 0. `name` is empty where it was too long to be kept.
    pub fn matching(&self, name: &[Cell<u8>]) -> u8 {
        let mut unknown = 0;
        let mut reference = 0;
        for entry in &self.0 {
            reference += 1;
            if entry.flags.get() == 0 {
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
