//! What is shipped for each target is clean: see `.ci/dist`.

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

/// `features`: those of a secure build, or none.
fn is_clean(target: &str, features: Option<&str>) {
    let made = output(Command::new(".ci/dist").args(features.map(|features| ["--features", features]).into_iter().flatten()).arg(target));
    let archive = made.trim().replace(".tar.gz", "/lib/libutasker_mqtt.a");
    assert_eq!(names(&archive, "--defined-only"), DOCUMENTED, "{target} exports");
    for name in names(&archive, "--undefined-only") {
        // RISC-V has no names of its own for what the compiler asks of the C library.
        let promised = name.starts_with("__aeabi_") || target.starts_with("riscv") && name == "memcpy";
        let of_firmware = match name.as_str() {
            "fnEnterMQTT_critical" | "fnExitMQTT_critical" => true,
            "fnPanicMQTT" | "memcmp" => features.is_some(),
            _ => false,
        };
        assert!(promised || of_firmware, "{target} needs {name}");
    }
    let listed = output(Command::new("tar").args(["-tzf", made.trim()]));
    for file in ["lib/libutasker_mqtt.a", "include/utasker_mqtt.h", "include/utasker_mqtt_config.h", "README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        assert!(listed.lines().any(|line| line.ends_with(file)), "{target} has {file}");
    }
}

#[test]
fn archives_of_all_targets_are_clean() {
    output(Command::new("tests/install").arg("dist"));
    let script = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/dist")).unwrap();
    let targets = script.split("targets=(").nth(1).and_then(|rest| rest.split(')').next()).unwrap();
    assert_eq!(targets.split_whitespace().count(), 6);
    targets.split_whitespace().for_each(|target| is_clean(target, None));
    for target in ["thumbv6m-none-eabi", "thumbv7em-none-eabihf"] {
        is_clean(target, Some("client-certificate,psk"));
    }
}
