//! The archive of a secure build, in a C program.

use crate::tools::{cargo, root, run, scratch};
use std::fs;
use std::process::Command;

#[test]
fn links_with_and_without_sections_collected() {
    let directory = scratch("secure-archive");
    let target = root().join("target/secure-archive");
    let mut build = cargo(&["rustc", "--release", "--lib", "--crate-type", "staticlib", "--features", "client-certificate,psk"]);
    run(build.env("CARGO_TARGET_DIR", &target)).well();
    let program = directory.join("program.c");
    let text = "#include \"port_posix.h\"\nint main(void) { return fnSetMQTT_security(0) == ERROR_MQTT_INVALID_ARGUMENT ? 0 : 1; }\n";
    fs::write(&program, text).unwrap();
    for option in ["-Wl,--gc-sections", "-Wl,--no-gc-sections"] {
        let mut compile = Command::new("cc");
        compile.args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-D_POSIX_C_SOURCE=200809L", "-Iinclude", "-Ic-examples", "-pthread", option]);
        compile.arg(format!("-I{}", target.join("release").display())).arg(&program).arg("c-examples/port_posix.c");
        compile.arg(target.join("release/libutasker_mqtt.a")).arg("-o").arg(directory.join("program"));
        run(compile.current_dir(root())).well();
        run(&mut Command::new(directory.join("program"))).well();
    }
}
