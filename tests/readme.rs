//! What the README prints works: its C example compiles without a warning, and runs; its commands lead to a secure image.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use tools::{Running, free_port, installed, root, run, scratch, wait_until};

mod tools;

/// What stands in fences of this kind.
fn fenced(kind: &str) -> Vec<String> {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let fence = format!("\n```{kind}\n");
    readme.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().into()).collect()
}

/// A Mosquitto at this port, for as long as the value lives.
fn broker(port: u16) -> Running {
    let running = Running::start(Command::new(installed("mosquitto", "broker")).args(["-p", &port.to_string()]));
    wait_until("the broker listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    running
}

/// The example uses the usual port, which may be taken: it is given another.
#[test]
fn the_example_compiles_and_runs() {
    let folder = scratch("readme");
    let [example, security] = &fenced("c")[..] else { panic!("the README has a C example, and how security is chosen") };
    let port = free_port("127.0.0.1");
    let connect = "    if (fnConnectMQTT(";
    assert_eq!(example.matches(connect).count(), 1);
    let options = format!("    MQTT_OPTIONS options = {{.usPort = {port}}};\n\n    fnSetMQTT_options(&options);\n");
    fs::write(folder.join("example.c"), example.replace(connect, &format!("{options}{connect}"))).unwrap();
    // What is chosen stands before the connection; the authority is the reader's own.
    let main = "    PORT port;\n";
    assert_eq!(example.matches(main).count(), 1);
    let authority = "    static const unsigned char authority[] = {0x30, 0};\n";
    fs::write(folder.join("secure.c"), example.replace(main, &format!("{main}{authority}{security}"))).unwrap();

    let made = Command::new("cargo").args(["build", "--release", "--quiet"]).current_dir(root()).env_remove("CARGO_TARGET_DIR").status().unwrap();
    assert!(made.success());
    for source in ["example.c", "secure.c"] {
        let compiled = Command::new("cc")
            .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-D_POSIX_C_SOURCE=200809L"])
            .args(["-Iinclude", "-Itarget/release", "-Ic-examples"])
            .arg(folder.join(source))
            .args(["c-examples/port_posix.c", "target/release/libutasker_mqtt.a", "-pthread", "-o"])
            .arg(folder.join(source).with_extension(""))
            .current_dir(root())
            .status()
            .unwrap();
        assert!(compiled.success(), "{source}");
    }
    let run_example = || run(Command::new(folder.join("example")).arg("127.0.0.1")).well().text();
    assert_eq!(run_example(), "closed (14)\n", "without a broker");
    let _broker = broker(port);
    for _ in 0..5 {
        assert_eq!(run_example(), "[1] hello\nclosed (13)\n");
    }
}

#[test]
fn every_figure_that_is_held_to_a_limit_has_its_row() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let budgets = fs::read_to_string(root().join("tests/measure/budgets")).unwrap();
    let figures: Vec<_> = budgets.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(figures.len() > 30);
    for figure in figures {
        let mut words = figure.split_whitespace().skip(2);
        let (budget, goal) = (words.next().unwrap(), words.next().unwrap());
        let what = words.collect::<Vec<_>>().join(" ");
        let is_its = |line: &str| {
            let value = line.strip_prefix(&format!("| {what} | ")).and_then(|row| row.split_once(&format!(" | {budget} | {goal} | ")));
            value.is_some_and(|(value, _)| value.parse::<u64>().is_ok())
        };
        assert!(readme.lines().any(is_its), "{what}");
    }
}

/// All that is changed is the port, which somebody may use; between the commands the broker is waited for.
#[test]
fn the_commands_make_certificates_a_broker_a_program_and_an_image_that_connect_securely() {
    for (program, need) in [("mosquitto", "broker"), ("openssl", "broker"), ("arm-none-eabi-gcc", "arm"), ("llvm-ar", "dist"), ("qemu-system-arm", "qemu")] {
        installed(program, need);
    }
    let [broker, program, image] = &fenced("sh")[..] else { panic!("the README has three blocks of commands") };
    let port = free_port("127.0.0.1").to_string();
    let listening = format!("until (: </dev/tcp/127.0.0.1/{port}) 2>/dev/null; do sleep 0.05; done");
    let script = ["set -e\ntrap 'kill $(jobs -p)' EXIT\nexec 2>&1", broker, &listening, program, image].join("\n").replace("8883", &port);
    let _ = fs::remove_dir_all(Path::new(root()).join("target/credentials"));

    let mut command = Command::new("bash");
    for name in ["CARGO_TARGET_DIR", "MQTT_CONFIG_H", "RUSTFLAGS", "MAKEFLAGS", "FEATURES"] {
        command.env_remove(name);
    }
    let mut shell = Running::start(command.args(["-c", &script]).current_dir(root()));
    shell.wait_for("network up");
    shell.write(b"mqtts_con\r");
    shell.wait_for("MQTT connected");
    shell.write(b"quit\r");
    let told = shell.finish().well().text();
    assert_eq!(told.matches("as utasker-").count(), 1, "the program was let in: {told}");
    assert!(told.contains("as KINETIS (p2, c1, k300, u'device-1')"), "the broker knows the device: {told}");

    let verified = run(Command::new("openssl").args(["verify", "-CAfile", "ca.crt", "broker.crt", "client.crt"]).current_dir(root().join("target/credentials")));
    assert_eq!(verified.well().text(), "broker.crt: OK\nclient.crt: OK\n");
}
