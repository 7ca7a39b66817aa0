//! The table of subscriptions. A reference is the number of an entry, counted from 1.

use crate::config::{MAX_SUBSCRIPTIONS, MAX_TOPIC_LENGTH};
use crate::topic;
use core::cell::Cell;

/// What is under way for a subscription; all of it may be at once, in this order.
pub mod flag {
    /// The entry is taken.
    pub const USED: u8 = 0x01;
    /// The topic is not stored: it is asked for each time.
    pub const TOPIC_ASKED: u8 = 0x02;
    /// A SUBSCRIBE is to be sent.
    pub const SUBSCRIBE: u8 = 0x04;
    /// A SUBACK is awaited.
    pub const SUBACK: u8 = 0x08;
    /// The SUBACK was told before: the subscription is only being restored.
    pub const RESTORED: u8 = 0x10;
    /// An UNSUBSCRIBE is to be sent.
    pub const UNSUBSCRIBE: u8 = 0x20;
    /// An UNSUBACK is awaited.
    pub const UNSUBACK: u8 = 0x40;
}

/// One subscription.
pub struct Subscription {
    /// Bits of [`flag`]; 0: the entry is free.
    pub flags: u8,
    /// The QoS asked for.
    pub qos: u8,
    /// The QoS that the broker granted last.
    pub granted: u8,
    /// Bytes of the stored topic.
    length: u8,
    /// When the SUBSCRIBE was accepted, see [`crate::requests`].
    pub order: u16,
    /// When the UNSUBSCRIBE was accepted.
    pub unsubscribe_order: u16,
    /// The packet identifier of the SUBSCRIBE or UNSUBSCRIBE that is awaiting its answer.
    pub identifier: u16,
    /// Always terminated by a zero, for C.
    topic: [Cell<u8>; MAX_TOPIC_LENGTH + 1],
}

impl Subscription {
    #[expect(clippy::declare_interior_mutable_const, reason = "only ever the start of a new entry")]
    const FREE: Self = Self {
        flags: 0,
        qos: 0,
        granted: 0,
        length: 0,
        order: 0,
        unsubscribe_order: 0,
        identifier: 0,
        topic: [const { Cell::new(0) }; MAX_TOPIC_LENGTH + 1],
    };

    /// Whether all of `flags` are set.
    pub fn has(&self, flags: u8) -> bool {
        self.flags & flags == flags
    }

    /// The stored topic; `None`: it has to be asked for.
    pub fn topic(&self) -> Option<&[Cell<u8>]> {
        if self.has(flag::TOPIC_ASKED) { None } else { self.topic.get(..usize::from(self.length)) }
    }

    /// Takes the entry for `topic`, which must not be longer than an entry holds.
    pub fn take(&mut self, topic: Option<&[Cell<u8>]>, qos: u8, order: u16) {
        self.flags = flag::USED | flag::SUBSCRIBE | if topic.is_none() { flag::TOPIC_ASKED } else { 0 };
        (self.qos, self.granted, self.order) = (qos, 0, order);
        let topic = topic.unwrap_or_default();
        self.length = topic.len() as u8;
        let terminator = [const { Cell::new(0) }];
        for (stored, byte) in self.topic.iter().zip(topic.iter().chain(&terminator)) {
            stored.set(byte.get());
        }
    }

    /// Ends the subscription.
    pub fn release(&mut self) {
        self.flags = 0;
    }
}

/// All subscriptions.
pub struct Subscriptions {
    /// Free entries included: the entry of a reference is at the reference less 1.
    pub entries: [Subscription; MAX_SUBSCRIPTIONS],
}

impl Subscriptions {
    /// Empty.
    pub const fn new() -> Self {
        Self { entries: [Subscription::FREE; MAX_SUBSCRIPTIONS] }
    }

    /// Ends them all.
    pub fn clear(&mut self) {
        self.entries.iter_mut().for_each(Subscription::release);
    }

    /// The subscription of a reference, if there is one.
    pub fn get(&mut self, reference: u8) -> Option<&mut Subscription> {
        let entry = self.entries.get_mut(usize::from(reference).wrapping_sub(1))?;
        entry.has(flag::USED).then_some(entry)
    }

    /// The lowest free entry and its reference.
    pub fn lowest_free(&mut self) -> Option<(u8, &mut Subscription)> {
        (1..).zip(&mut self.entries).find(|(_, entry)| entry.flags == 0)
    }

    /// The reference that a message belongs to: the lowest whose stored filter matches, else the lowest without a stored
    /// topic, else 0. `topic` is `None` where it was too long to be kept.
    pub fn matching(&self, topic: Option<&[Cell<u8>]>) -> u8 {
        let mut unknown = 0;
        for (reference, entry) in (1..).zip(&self.entries) {
            if !entry.has(flag::USED) {
                continue;
            }
            match (entry.topic(), topic) {
                (Some(filter), Some(topic)) if topic::matches(filter, topic) => return reference,
                (None, _) if unknown == 0 => unknown = reference,
                _ => {}
            }
        }
        unknown
    }
}
