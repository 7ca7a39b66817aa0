//! Random courses beside a simple model of what was promised: every call, event and packet is the one that is due.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

mod support;

mod model {
    mod application;
    mod books;
    mod broker;
    mod events;
    pub mod outside;
    mod wire;
    pub mod world;
}

use model::outside::Outside;
use model::world::Course;

fn run(course: Course) -> Outside {
    let outside = Outside::new(course);
    outside.run(600);
    outside.0.borrow().check_passed();
    outside
}

/// The usual courses; MODEL_SEEDS names others: the first, and how many.
fn seeds() -> std::ops::Range<u64> {
    let text = std::env::var("MODEL_SEEDS").unwrap_or_else(|_| "0 100".into());
    let mut numbers = text.split(' ').map(|number| number.parse().unwrap());
    let first: u64 = numbers.next().unwrap();
    first..first + numbers.next().unwrap()
}

#[test]
fn sessions_that_are_kept() {
    for seed in seeds() {
        run(Course { seed, tasks: true, extra_polls: seed % 2 == 0, kept: true, hostile: seed % 4 == 3 });
    }
}

#[test]
fn sessions_of_all_kinds() {
    for seed in seeds() {
        run(Course { seed, tasks: true, extra_polls: seed % 2 == 0, kept: false, hostile: seed % 4 == 3 });
    }
}

/// The time that a poll returns is enough: more polls change nothing.
#[test]
fn polls_that_nobody_asked_for() {
    for seed in seeds() {
        let course = Course { seed, tasks: false, extra_polls: false, kept: seed % 2 == 0, hostile: seed % 4 == 3 };
        let (few, many) = (run(course), run(Course { extra_polls: true, ..course }));
        let (few, many) = (&few.0.borrow().trace, &many.0.borrow().trace);
        for (few, many) in few.iter().zip(many.iter()) {
            assert_eq!(few, many, "{course:?}");
        }
        assert_eq!(few.len(), many.len(), "{course:?}");
    }
}
