//! What is shipped for each target is clean: see `dist`.

use std::process::Command;

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

fn output(command: &mut Command) -> String {
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("CARGO_TARGET_DIR").output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
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
    output(Command::new("tests/install").arg("dist"));
    let plain = output(Command::new("c-examples/dist").env_remove("FEATURES"));
    assert_eq!(plain.lines().count(), 6);
    plain.lines().for_each(is_clean);
    let secure = output(Command::new("c-examples/dist").args(["thumbv6m-none-eabi", "thumbv7em-none-eabihf"]).env("FEATURES", "client-certificate,psk"));
    assert_eq!(secure.lines().count(), 2);
    secure.lines().for_each(is_clean);
}
