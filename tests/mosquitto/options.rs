//! Options and exit codes of the programs.

use crate::broker::{Broker, Build, program};
use crate::tools::{run, run_with};

#[test]
fn help_and_version_go_to_standard_output() {
    for name in ["publish", "subscribe", "cli"] {
        let help = run(program(Build::Plain, name).arg("--help")).well();
        assert!(help.text().starts_with(&format!("Usage: {name} ")) && help.errors.is_empty());
        assert!(help.text().contains("--version"));
        let version = run(program(Build::Plain, name).arg("--version")).well();
        assert_eq!(version.text(), format!("utasker-mqtt {}\n", env!("CARGO_PKG_VERSION")));
    }
}

#[track_caller]
fn refused(name: &str, arguments: &[&str]) {
    for build in [Build::Plain, Build::Sanitized] {
        let result = run(program(build, name).args(arguments)).with_code(1);
        assert!(result.output.is_empty(), "{name} {arguments:?}");
        assert!(result.errors.contains(&format!("Use '{name} --help'")), "{name} {arguments:?}: {}", result.errors);
        assert!(!result.errors.contains("Sanitizer") && !result.errors.contains("runtime error"), "{}", result.errors);
    }
}

#[test]
fn options_that_are_wrong_in_all_programs_are_refused() {
    let long = "x".repeat(65536);
    for (name, needed) in [("publish", &["-t", "a", "-m", "b"][..]), ("subscribe", &["-t", "a"]), ("cli", &[])] {
        let wrong: [&[&str]; 7] = [&["--unknown"], &["-p", "0"], &["-p", "65536"], &["-p", "-1"], &["-p", "1x"], &["-p"], &["argument"]];
        for wrong in wrong {
            refused(name, &[needed, wrong].concat());
        }
        if name == "cli" {
            refused(name, &["--telnet", "0"]);
            refused(name, &["--telnet", "70000"]);
            continue;
        }
        let wrong: [&[&str]; 19] = [
            &["-q", "3"],
            &["-q", "-1"],
            &["-q", "x"],
            &["-q", ""],
            &["-k", "65535"],
            &["-k", "x"],
            &["-V", "mqttv5"],
            &["-P", "secret"],
            &["-V", "mqttv31", "-i", ""],
            &["-i", &long],
            &["-u", &long],
            &["--will-qos", "1"],
            &["--will-payload", "x"],
            &["--will-retain"],
            &["--will-topic", ""],
            &["--will-topic", "w/#"],
            &["--will-topic", "+"],
            &["--will-topic", "w", "--will-qos", "3"],
            &["--will-topic", "w", "--will-payload", &long],
        ];
        for wrong in wrong {
            refused(name, &[needed, wrong].concat());
        }
    }
}

#[test]
fn publish_refuses_what_it_cannot_publish() {
    let wrong: [&[&str]; 15] = [
        &[],
        &["-t", "a"],
        &["-m", "b"],
        &["-t", "a", "-s"],
        &["-t", "a", "-m", "b", "-c"],
        &["-t", "", "-m", "b"],
        &["-t", "a", "-t", "b", "-m", "c"],
        &["-t", "a", "-m", "b", "-n"],
        &["-t", "a", "-l", "-s"],
        &["-t", "a", "-m", "b", "-m", "c"],
        &["-t", "a/+", "-m", "b"],
        &["-t", "a/#", "-m", "b"],
        &["-t", "a", "-m"],
        &["-t", "a", "-m", "b", "-C", "1"],
        &["-t", "a", "-m", "b", "-W", "1"],
    ];
    for wrong in wrong {
        refused("publish", wrong);
    }
    let endless = run(program(Build::Plain, "publish").args(["-t", "a", "-f", "/dev/zero"])).with_code(1);
    assert_eq!(endless.errors, "publish: /dev/zero: File too large\n");
    let missing = run(program(Build::Plain, "publish").args(["-t", "a", "-f", "missing"])).with_code(1);
    assert!(missing.errors.contains("missing"), "{}", missing.errors);
}

#[test]
fn subscribe_refuses_what_it_cannot_subscribe_to() {
    let nine: Vec<&str> = ["-t", "a"].repeat(9);
    let wrong: [&[&str]; 8] = [
        &[],
        &["-t", ""],
        &["-t", "a", "-C", "0"],
        &["-t", "a", "-C", "x"],
        &["-t", "a", "-W", "0"],
        &["-t", "a", "-c"],
        &["-t", "a", "-c", "-i", ""],
        &nine,
    ];
    for wrong in wrong {
        refused("subscribe", wrong);
    }
}

#[test]
fn publish_ends_well_without_a_line_and_subscribe_with_27_without_a_message() {
    let broker = Broker::open();
    run_with(broker.ours(Build::Plain, "publish").args(["-t", "a", "-l"]), b"").well();
    let result = run(broker.ours(Build::Plain, "subscribe").args(["-t", "a", "-W", "1"])).with_code(27);
    assert!(result.errors.contains("timed out"), "{}", result.errors);
}

#[test]
fn an_invalid_filter_ends_subscribe() {
    let broker = Broker::open();
    for filter in ["a/#/b", "a+"] {
        let result = run(broker.ours(Build::Plain, "subscribe").args(["-t", filter, "-W", "60"])).with_code(1);
        assert!(result.errors.contains(&format!("no subscription to '{filter}'")), "{}", result.errors);
    }
}
