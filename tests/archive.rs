//! What is shipped for each target is clean: see `dist`.

mod tools;

use std::process::Command;
use std::sync::Once;
use tools::{Finished, root, run};

const DOCUMENTED: [&str; 15] = [
    "fnConnectMQTT",
    "fnDisconnectMQTT",
    "fnGetMQTT_message",
    "fnGetMQTT_subscription",
    "fnPollMQTT",
    "fnPublishMQTT",
    "fnPublishMQTT_data",
    "fnPublishMQTT_stream",
    "fnSetMQTT_options",
    "fnSetMQTT_platform",
    concat!("fnSetMQTT_platform_", env!("VERSION_SUFFIX")),
    "fnSetMQTT_security",
    "fnShowMQTT_subscription",
    "fnSubscribeMQTT",
    "fnUnsubscribeMQTT",
];

fn finished(command: &mut Command) -> Finished {
    run(command.current_dir(root()).env_remove("CARGO_TARGET_DIR"))
}

fn output(command: &mut Command) -> String {
    finished(command).well().text()
}

/// What a command complains of that must fail.
fn complaint(command: &mut Command) -> String {
    let finished = finished(command);
    assert_ne!(finished.code, Some(0), "{command:?}");
    finished.errors
}

fn dist() -> Command {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| _ = output(Command::new("tests/install").arg("dist")));
    let mut command = Command::new("c-examples/dist");
    command.env_remove("FEATURES").env_remove("LEAVE_OUT");
    command
}

/// The names that `llvm-nm` with an option tells of an archive, sorted.
fn names(archive: &str, option: &str) -> Vec<String> {
    let told = output(Command::new("llvm-nm").args(["--just-symbol-name", "--extern-only", option, archive]));
    let mut names: Vec<_> = told.lines().filter(|line| !line.is_empty() && !line.ends_with(':')).map(String::from).collect();
    names.sort();
    names
}

/// Whether a package's archive exports what it should, and needs no more.
fn is_clean(package: &str) {
    let name = package.strip_prefix(concat!("target/dist/utasker-mqtt-", env!("CARGO_PKG_VERSION"), "-")).unwrap().strip_suffix(".tar.gz").unwrap();
    let archive = format!("target/dist/{name}/lib/libutasker_mqtt.a");
    assert_eq!(names(&archive, "--defined-only"), DOCUMENTED, "{name} exports");
    for needed in names(&archive, "--undefined-only") {
        let promised = match &*needed {
            "fnEnterMQTT_critical" | "fnExitMQTT_critical" => true,
            "fnPanicMQTT" | "memcmp" => name.contains("client-certificate"),
            // RISC-V has no names of its own for what the compiler asks of the C library.
            _ => needed.starts_with("__aeabi_") || name.starts_with("riscv") && needed == "memcpy",
        };
        assert!(promised, "{name} needs {needed}");
    }
    let listed = output(Command::new("tar").args(["-tzf", package]));
    for file in ["lib/libutasker_mqtt.a", "include/utasker_mqtt.h", "include/utasker_mqtt_config.h", "README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        assert!(listed.lines().any(|line| line.ends_with(file)), "{name} has {file}");
    }
}

#[test]
fn archives_of_all_targets_are_clean() {
    let plain = output(&mut dist());
    assert_eq!(plain.lines().count(), 6);
    plain.lines().for_each(is_clean);
    let secure = output(dist().args(["thumbv6m-none-eabi", "thumbv7em-none-eabihf"]).env("FEATURES", "client-certificate,psk"));
    assert_eq!(secure.lines().count(), 2);
    secure.lines().for_each(is_clean);

    // What is shipped does not depend on whose terminal it was made in.
    let archive = root().join("target/dist/thumbv7em-none-eabihf/lib/libutasker_mqtt.a");
    let before = std::fs::read(&archive).unwrap();
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
        output(dist().arg("thumbv7em-none-eabihf").env(name, "-Copt-level=1"));
        assert!(std::fs::read(&archive).unwrap() == before, "{name} makes another archive");
    }
}

#[test]
fn builds_say_what_is_wrong() {
    for (name, value, sentence) in [
        ("LEAVE_OUT", "streams", "LEAVE_OUT: streams is none of the features that are on by default"),
        ("FEATURES", "secure", "does not contain this feature: secure"),
    ] {
        let said = complaint(dist().arg("thumbv7em-none-eabihf").env(name, value));
        assert!(said.contains(sentence), "{name}={value}: {said}");
    }
    for (setting, sentence) in [
        ("FEATURES=psk", "FEATURES needs SECURE=1"),
        ("BOARD=an999", "BOARD must be an385, an386 or an500"),
        ("LWIP_PATH=/nowhere", "LWIP_PATH: /nowhere has no src/include/lwip"),
        ("FREERTOS_KERNEL_PATH=/nowhere", "FREERTOS_KERNEL_PATH: /nowhere has no include/FreeRTOS.h"),
    ] {
        let said = complaint(Command::new("make").args(["--dry-run", "-C", "c-examples/freertos-lwip", setting]));
        assert!(said.contains(sentence), "{setting}: {said}");
    }
}
