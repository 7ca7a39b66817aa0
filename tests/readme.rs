//! The C example of the README compiles without a warning, and links.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

#[test]
fn example_compiles_and_links() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let example = readme.split("```c\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the README has a C example");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("example.c"), example).unwrap();

    let made = Command::new("cargo").args(["build", "--release", "--quiet"]).current_dir(root).env_remove("CARGO_TARGET_DIR").status().unwrap();
    assert!(made.success());
    let compiled = Command::new("cc")
        .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-D_POSIX_C_SOURCE=200809L"])
        .args(["-Iinclude", "-Itarget/release", "-Ic-examples"])
        .arg(folder.join("example.c"))
        .args(["c-examples/port_posix.c", "target/release/libutasker_mqtt.a", "-pthread", "-o"])
        .arg(folder.join("example"))
        .current_dir(root)
        .status()
        .unwrap();
    assert!(compiled.success());
}
