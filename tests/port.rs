//! The port for POSIX by itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

use std::process::Command;
use tools::{cargo, root, run, scratch};

mod tools;

#[test]
fn no_wish_to_be_woken_is_overlooked() {
    run(&mut cargo(&["build", "--release", "--lib"])).well();
    let program = scratch("port").join("wake");
    let mut compiler = Command::new("cc");
    compiler.current_dir(root()).args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O2", "-D_POSIX_C_SOURCE=200809L"]);
    compiler.args(["-Ic-examples", "-Iinclude", "-Itarget/release", "tests/port/wake.c", "c-examples/port_posix.c"]);
    run(compiler.args(["target/release/libutasker_mqtt.a", "-pthread", "-o"]).arg(&program)).well();
    assert_eq!(run(&mut Command::new(program)).well().text(), "none was overlooked\n");
}
