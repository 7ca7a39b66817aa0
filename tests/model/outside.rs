//! What lies outside of the session: the link, the clock, the application; and who polls.

use super::wire::Wire;
use super::world::{Course, World};
use crate::support::random::Random;
use crate::support::*;
use std::cell::RefCell;
use utasker_mqtt::session::Host;

/// The client, as the session's poll sees what lies outside of it.
pub struct Outside(pub RefCell<World>);

impl Host for &Outside {
    fn aside(self, work: impl FnOnce()) {
        let mut world = self.0.borrow_mut();
        if !world.books.link_open {
            world.books.fail_with_connection();
        }
        world.meanwhile();
        work();
        world.meanwhile();
    }

    fn milliseconds(self) -> u32 {
        let mut world = self.0.borrow_mut();
        world.meanwhile();
        world.clock as u32
    }

    fn random(self) -> u32 {
        let mut world = self.0.borrow_mut();
        world.events += 1;
        Random::new(world.course.seed + world.events).number()
    }

    fn open(self) -> i32 {
        let world = &mut *self.0.borrow_mut();
        world.meanwhile();
        world.books.begin();
        assert!(!world.is_open && world.books.failures.is_empty() && world.books.phase != super::books::Phase::Closed);
        if let Some(attempt) = world.attempt.take() {
            assert!(attempt <= world.clock, "too early");
        }
        world.note("open".into());
        world.events += 1;
        let mut random = Random::new(world.course.seed + world.events);
        if world.faults && random.one_in(8) {
            return world.link_lost(-1 - random.below(3) as i32);
        }
        (world.is_open, world.lost, world.stage) = (true, None, Some(world.clock));
        (world.stalled, world.books.ping, world.blocked) = (None, None, false);
        (world.answer, world.controls) = (None, 0);
        (world.books.link_open, world.books.received) = (true, 0);
        world.written = 0;
        world.under_way.clear();
        world.arrived.clear();
        world.wire = Wire::new();
        0
    }

    fn is_eager(self) -> bool {
        false
    }

    fn close(self) {
        let world = &mut *self.0.borrow_mut();
        assert!(world.is_open);
        world.wire.lost(&mut world.books);
        world.broker.link_lost();
        (world.is_open, world.books.link_open) = (false, false);
        world.meanwhile();
        world.note("close".into());
    }

    fn send(self, place: usize, length: usize) -> i32 {
        let world = &mut *self.0.borrow_mut();
        assert!(world.is_open && length != 0);
        world.books.process();
        world.meanwhile();
        if let Some(how) = world.lost {
            return world.link_lost(how);
        }
        let bytes = world.library.data(place, length.min(world.room));
        if world.room != usize::MAX {
            world.room -= bytes.len();
        }
        if bytes.is_empty() {
            world.stalled.get_or_insert(world.clock);
            world.blocked = true;
            return 0;
        }
        (world.stalled, world.blocked) = (None, false);
        let connecting = !world.books.accepted;
        if world.wire.partial.is_empty() && bytes[0] == 0xc0 {
            world.books.ping.get_or_insert(world.clock);
        }
        world.wire.sent(&mut world.books, &bytes);
        if connecting {
            world.stage = Some(world.clock);
        }
        let whole: Vec<_> = world.wire.whole.drain(..).collect();
        world.broker.input.extend(whole);
        world.count_controls();
        world.note(hexadecimal(&bytes));
        bytes.len() as i32
    }

    fn receive(self, place: usize, length: usize) -> i32 {
        let world = &mut *self.0.borrow_mut();
        assert!(world.is_open && length != 0);
        world.meanwhile();
        if world.arrived.is_empty() {
            return match world.lost {
                Some(how) => world.link_lost(how),
                None => 0,
            };
        }
        let length = length.min(world.chunk).min(world.arrived.len());
        let bytes: Vec<u8> = world.arrived.drain(..length).collect();
        world.books.received += length as u64;
        world.books.ping = world.books.ping.map(|_| world.clock);
        world.active = true;
        world.library.put(place, length, &bytes)
    }

    fn tell(self, kind: Kind, place: usize, number: u32, reference: usize) -> u16 {
        let world = &mut *self.0.borrow_mut();
        world.events += 1;
        let mut random = Random::new(world.course.seed * 1000 + world.events);
        let event = world.library.event(kind, place, number, reference as u8);
        let number = if event.asks() {
            world.books.process();
            if world.faults && random.one_in(8) {
                world.books.request(&mut world.library, &mut random, world.course.tasks);
            }
            let answer = world.answer(&event, &mut random);
            world.library.put(place, event.number as usize, &answer.bytes);
            answer.number
        } else {
            world.told(&event, &mut random)
        };
        world.count_controls();
        number
    }
}

impl Outside {
    pub fn new(course: Course) -> Self {
        Self(RefCell::new(World::new(course)))
    }

    /// Polls until it need not be at once. Returns for how long.
    fn poll(&self) -> u32 {
        let library = self.0.borrow().library.clone();
        let mut idle = 0;
        while idle < 10 {
            let mut world = self.0.borrow_mut();
            (world.starved, world.active) = (false, false);
            drop(world);
            let wait = library.poll(self);
            let mut world = self.0.borrow_mut();
            idle = if world.active { 0 } else { idle + 1 };
            if wait != 0 && !std::mem::take(&mut world.woken) {
                world.rested(wait);
                return wait;
            }
        }
        panic!("does not come to rest");
    }

    /// Lets time pass, and polls when that was asked for.
    fn pass(&self, wait: &mut u32, milliseconds: u64) {
        let end = self.0.borrow().clock + milliseconds;
        loop {
            let mut world = self.0.borrow_mut();
            let left = end - world.clock;
            let extra = world.course.extra_polls.then(|| u64::from(world.polls.below(2000)));
            let due = if *wait == NEVER { u64::MAX } else { u64::from(*wait) };
            let step = left.min(due).min(extra.unwrap_or(u64::MAX));
            world.clock += step;
            drop(world);
            if step == due || extra == Some(step) {
                *wait = self.poll();
            } else {
                *wait = if *wait == NEVER { NEVER } else { *wait - step as u32 };
            }
            if step == left {
                return;
            }
        }
    }

    /// The whole course.
    pub fn run(&self, steps: u64) {
        let mut wait = NEVER;
        let seed = self.0.borrow().course.seed;
        for step in 0..steps {
            let mut random = Random::new(seed * 10_000 + step + 77);
            let gap = match random.below(40) {
                0..20 => 0,
                20..36 => random.below(100),
                36..39 => random.below(20_000),
                _ => if random.one_in(30) { random.number() } else { random.below(400_000) },
            };
            self.pass(&mut wait, gap.into());
            if self.0.borrow_mut().happen(&mut random) {
                wait = self.poll();
            }
        }
        self.settle(wait);
    }

    /// Without faults all comes to an end.
    fn settle(&self, mut wait: u32) {
        {
            let mut world = self.0.borrow_mut();
            (world.faults, world.broker.hostile, world.broker.forgetful) = (false, false, false);
            (world.room, world.chunk) = (usize::MAX, usize::MAX);
        }
        for step in 0..20_000 {
            let mut random = Random::new(step);
            let mut world = self.0.borrow_mut();
            world.go_on(&mut random);
            if world.is_settled() {
                return;
            }
            drop(world);
            wait = self.poll().min(wait);
            self.pass(&mut wait, 20);
        }
        let world = self.0.borrow();
        panic!("not settled: {:?} {:?}", world.books.entries, world.books.phase);
    }
}
