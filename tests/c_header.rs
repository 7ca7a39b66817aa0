//! The header and the archive, as C and C++ compilers and linkers see them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

mod tools;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use tools::{Finished, cargo, root, run, scratch};

const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-Werror", "-pedantic"];

/// `target/release` with the archive and the small header, built once.
fn release() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        run(&mut cargo(&["build", "--release", "--lib"])).well();
        root().join("target/release")
    })
}

/// A compiler that finds both headers.
fn compiler(name: &str, beside_archive: &Path) -> Command {
    let mut command = Command::new(name);
    command.args(STRICT).arg("-I").arg(root().join("include")).arg("-I").arg(beside_archive);
    command
}

fn check_application(name: &str, arguments: &[&str]) {
    for tcpip in [false, true] {
        let mut command = compiler(name, release());
        command.args(arguments).arg("-fsyntax-only").arg("-I").arg(root().join("tests/c_header"));
        if tcpip {
            command.arg("-DTCPIP");
        }
        run(command.arg(root().join("tests/c_header/application.c"))).well();
    }
}

/// Compiles and links `sources` of a folder with the archive.
fn link(arguments: &[&str], beside_archive: &Path, folder: &str, sources: &[&str], program: &Path) -> Finished {
    let folder = root().join("tests").join(folder);
    let mut command = compiler("cc", beside_archive);
    command.arg("-std=c99").args(arguments).args(sources.iter().map(|source| folder.join(source)));
    run(command.arg(beside_archive.join("libutasker_mqtt.a")).arg("-o").arg(program))
}

const C_ABI: [&str; 3] = ["main.c", "memory.c", "layout.c"];

/// The global names of an object, an archive or a program: those it defines, those it needs. (`nm` may stumble over bitcode.)
fn symbols(file: &Path) -> [BTreeSet<String>; 2] {
    let listed = run(Command::new("readelf").args(["--wide", "--syms"]).arg(file)).well().text();
    let rows = listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut names = [BTreeSet::new(), BTreeSet::new()];
    for row in rows {
        if let [_, _, _, _, "GLOBAL" | "WEAK", _, section, name, ..] = row[..] {
            names[usize::from(section == "UND")].insert(name.to_owned());
        }
    }
    names
}

#[test]
fn the_header_compiles_as_c_without_a_warning_also_behind_mu_tasker_s() {
    for standard in ["-std=c99", "-std=c11", "-std=c17"] {
        check_application("cc", &[standard, "-Wstrict-prototypes", "-Wundef", "-Wshadow", "-Wconversion"]);
    }
}

#[test]
fn the_header_compiles_as_cpp_without_a_warning_also_behind_mu_tasker_s() {
    for standard in ["-std=c++98", "-std=c++11", "-std=c++20"] {
        check_application("c++", &["-x", "c++", standard]);
    }
}

#[test]
fn every_function_works_from_c_under_sanitizers() {
    let program = scratch("c_abi").join("c_abi");
    link(&["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover"], release(), "c_abi", &C_ABI, &program).well();
    assert_eq!(run(&mut Command::new(program)).well().text(), "every function was called\n");
}

#[test]
fn every_function_works_from_c_in_other_configurations() {
    let directory = scratch("c_abi_configured");
    let configurations = [
        ("smaller", "#define MQTT_MAX_SUBSCRIPTIONS 2\n#define MQTT_MAX_TOPIC_LENGTH 3\n#define MQTT_RX_BUFFER_LENGTH 128\n#define MQTT_TX_BUFFER_LENGTH 160\n#define MQTT_PUBLISH_ROOM 20\n#define MQTT_MAX_INFLIGHT 1\n#define MQTT_MAX_INCOMING_QoS2 1\n"),
        ("larger", "#define MQTT_MAX_SUBSCRIPTIONS 64\n#define MQTT_MAX_TOPIC_LENGTH 100\n#define MQTT_RX_BUFFER_LENGTH 5000\n#define MQTT_TX_BUFFER_LENGTH 30000\n#define MQTT_PUBLISH_ROOM 5000\n#define MQTT_MAX_INFLIGHT 64\n#define MQTT_MAX_INCOMING_QoS2 1024\n"),
    ];
    for (name, configuration) in configurations {
        let file = directory.join(name);
        fs::write(&file, configuration).unwrap();
        let target = directory.join("target");
        run(cargo(&["build", "--release", "--lib"]).env("MQTT_CONFIG_H", &file).env("CARGO_TARGET_DIR", &target)).well();
        let program = directory.join(format!("c_abi_{name}"));
        let arguments = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover", "-Wno-overlength-strings"];
        link(&arguments, &target.join("release"), "c_abi", &C_ABI, &program).well();
        assert_eq!(run(&mut Command::new(program)).well().text(), "every function was called\n", "{name}");
    }
}

#[test]
fn the_archive_links_without_and_with_gc_sections_and_nothing_panics() {
    let directory = scratch("c_abi_linked");
    for (name, arguments) in [("whole", &[][..]), ("collected", &["-Wl,--gc-sections"])] {
        let program = directory.join(name);
        link(arguments, release(), "c_abi", &C_ABI, &program).well();
        assert_eq!(run(&mut Command::new(&program)).well().text(), "every function was called\n", "{name}");
        let listed = run(Command::new("nm").arg(&program)).well().text();
        assert!(listed.contains(" T fnPollMQTT\n"));
        let panics: Vec<_> = listed.lines().filter(|line| line.to_lowercase().contains("panic")).collect();
        assert!(name == "whole" || panics.is_empty(), "{panics:?}");
    }
}

#[test]
fn the_archive_needs_two_functions_and_memory_functions_of_libc_only() {
    let object = scratch("needs").join("all.o");
    let archive = release().join("libutasker_mqtt.a");
    let functions: BTreeSet<_> = symbols(&archive)[0].clone().into_iter().filter(|name| name.starts_with("fn")).collect();
    assert_eq!(functions.len(), 15, "{functions:?}");
    let roots = functions.iter().flat_map(|name| ["-u", name]);
    run(Command::new("ld").args(["-r", "--gc-sections"]).args(roots).arg("-o").arg(&object).arg(&archive)).well();
    let allowed = ["fnEnterMQTT_critical", "fnExitMQTT_critical", "memcpy", "memmove", "memset", "memcmp", "_GLOBAL_OFFSET_TABLE_"];
    let needed: Vec<_> = symbols(&object)[1].clone().into_iter().filter(|name| !allowed.contains(&&**name)).collect();
    assert_eq!(needed, [""; 0]);
}

#[test]
fn a_header_of_another_version_does_not_link() {
    let directory = scratch("other_version");
    let header = fs::read_to_string(root().join("include/utasker_mqtt.h")).unwrap();
    let suffix = env!("VERSION_SUFFIX");
    let other = header.replace(suffix, "9_9_9");
    assert_ne!(header, other);
    fs::write(directory.join("utasker_mqtt.h"), other).unwrap();
    let program = directory.join("program");
    let first = format!("-I{}", directory.display());
    let mut command = Command::new("cc");
    command.arg(first).arg("-I").arg(release()).args(C_ABI.map(|source| root().join("tests/c_abi").join(source)));
    let result = run(command.arg(release().join("libutasker_mqtt.a")).arg("-o").arg(program)).with_code(1);
    assert!(result.errors.contains("undefined reference to `fnSetMQTT_platform_9_9_9'"), "{}", result.errors);
}

#[test]
fn a_firmware_that_defines_another_value_is_an_error() {
    for (define, is_error) in [("-DMQTT_MAX_SUBSCRIPTIONS=9", true), ("-DMQTT_PUBLISH_ROOM=(1400+1)", true), ("-DMQTT_MAX_SUBSCRIPTIONS=(4*2)", false)] {
        let mut command = compiler("cc", release());
        let result = run(command.args([define, "-fsyntax-only"]).arg(root().join("tests/c_header/application.c")));
        assert_eq!(result.code, Some(i32::from(is_error)), "{define}: {}", result.errors);
        assert_eq!(result.errors.contains("was built with"), is_error, "{}", result.errors);
    }
}
