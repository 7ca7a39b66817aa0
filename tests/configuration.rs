//! The configuration of the build: a C header that `MQTT_CONFIG_H` names.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

mod tools;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tools::{cargo, run, scratch};

/// Name, default, lowest, highest.
const SETTINGS: [(&str, u64, u64, u64); 8] = [
    ("MQTT_KEEPALIVE_TIME_SECONDS", 300, 1, 65534),
    ("MQTT_MAX_SUBSCRIPTIONS", 8, 1, 64),
    ("MQTT_MAX_TOPIC_LENGTH", 16, 1, 255),
    ("MQTT_RX_BUFFER_LENGTH", 1536, 128, 30000),
    ("MQTT_TX_BUFFER_LENGTH", 2048, 128, 30000),
    ("MQTT_PUBLISH_ROOM", 1400, 1, 30000),
    ("MQTT_MAX_INFLIGHT", 8, 1, 64),
    ("MQTT_MAX_INCOMING_QoS2", 32, 1, 1024),
];

/// One target directory for all tests of this file, one test at a time.
struct Builds {
    _turn: MutexGuard<'static, ()>,
    directory: PathBuf,
}

impl Builds {
    fn new() -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        Self { _turn: turn, directory: scratch("configuration") }
    }

    /// Where the build is, kept from test to test.
    fn target() -> PathBuf {
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("configuration-target")
    }

    /// Builds with the file of this name: what the header beside the archive says, or what cargo says.
    fn build(&self, file: Option<&Path>) -> Result<String, String> {
        self.build_with(file, &[])
    }

    /// The same, with more arguments for cargo.
    fn build_with(&self, file: Option<&Path>, arguments: &[&str]) -> Result<String, String> {
        let mut command = cargo(&["check", "--lib", "--locked"]);
        command.args(arguments).env("CARGO_TARGET_DIR", Self::target());
        if let Some(file) = file {
            command.env("MQTT_CONFIG_H", file);
        }
        let result = run(&mut command);
        match result.code {
            Some(0) => Ok(fs::read_to_string(Self::target().join("debug/utasker_mqtt_config.h")).unwrap()),
            _ => Err(result.errors),
        }
    }

    /// Builds with a file of this content.
    fn with(&self, content: &str) -> Result<String, String> {
        let file = self.directory.join("config.h");
        fs::write(&file, content).unwrap();
        self.build(Some(&file))
    }

    /// The build must be refused, with these words.
    #[track_caller]
    fn refuses(&self, content: &str, words: &[&str]) {
        let errors = self.with(content).expect_err(content);
        for words in words {
            assert!(errors.contains(words), "{words:?} for {content:?} in {errors}");
        }
        assert!(!errors.contains("panicked"), "{errors}");
    }
}

/// The value that a header defines.
fn value(header: &str, name: &str) -> u64 {
    let line = header.lines().find_map(|line| line.trim().strip_prefix(&format!("#define {name} ")));
    line.unwrap_or_else(|| panic!("{name} is in {header}")).parse().unwrap()
}

#[test]
fn without_configuration_the_values_are_the_default_ones() {
    let builds = Builds::new();
    for header in [builds.build(None), builds.with("#define OTHER_NAME 1\n")] {
        let header = header.unwrap();
        for (name, default, ..) in SETTINGS {
            assert_eq!(value(&header, name), default, "{name}");
        }
    }
}

#[test]
fn values_expressions_conditions_and_includes_count() {
    let builds = Builds::new();
    fs::write(builds.directory.join("other.h"), "#define MQTT_MAX_INFLIGHT 5\n").unwrap();
    let header = builds.with(
        "#include \"other.h\"\n#define UNIT 0x40u /* of all buffers */\n#define MQTT_RX_BUFFER_LENGTH (UNIT << 4)\n\
         #define MQTT_TX_BUFFER_LENGTH (UNIT * 10 + 7)\n#define MQTT_PUBLISH_ROOM (MQTT_TX_BUFFER_LENGTH / 3)\n\
         #if MQTT_TX_BUFFER_LENGTH > 600 && !defined NOT_DEFINED\n#define MQTT_MAX_SUBSCRIPTIONS 12\n#else\n#define MQTT_MAX_SUBSCRIPTIONS 13\n#endif\n\
         #define MQTT_MAX_TOPIC_LENGTH 040UL\n#ifdef SECURE_MQTT\n#error not reached\n#endif\n",
    );
    let header = header.unwrap();
    let expected = [
        ("MQTT_RX_BUFFER_LENGTH", 1024),
        ("MQTT_TX_BUFFER_LENGTH", 647),
        ("MQTT_PUBLISH_ROOM", 215),
        ("MQTT_MAX_SUBSCRIPTIONS", 12),
        ("MQTT_MAX_TOPIC_LENGTH", 32),
        ("MQTT_MAX_INFLIGHT", 5),
        ("MQTT_KEEPALIVE_TIME_SECONDS", 300),
    ];
    for (name, number) in expected {
        assert_eq!(value(&header, name), number, "{name}");
    }
}

#[test]
fn a_changed_file_is_read_again() {
    let builds = Builds::new();
    for number in [5, 6] {
        assert_eq!(value(&builds.with(&format!("#define MQTT_MAX_SUBSCRIPTIONS {number}\n")).unwrap(), "MQTT_MAX_SUBSCRIPTIONS"), number);
    }
    assert_eq!(value(&builds.build(None).unwrap(), "MQTT_MAX_SUBSCRIPTIONS"), 8);
}

#[test]
fn a_changed_file_that_is_included_is_read_again() {
    let builds = Builds::new();
    for number in [5, 6] {
        fs::write(builds.directory.join("board.h"), format!("#define MQTT_MAX_SUBSCRIPTIONS {number}\n")).unwrap();
        let file = builds.directory.join("config.h");
        if number == 5 {
            fs::write(&file, "#include \"board.h\"\n").unwrap();
        }
        assert_eq!(value(&builds.build(Some(&file)).unwrap(), "MQTT_MAX_SUBSCRIPTIONS"), number);
    }
}

#[test]
fn what_a_linked_file_includes_lies_beside_the_link() {
    let builds = Builds::new();
    let common = builds.directory.join("common");
    fs::create_dir(&common).unwrap();
    fs::write(common.join("config.h"), "#include \"board.h\"\n").unwrap();
    fs::write(builds.directory.join("board.h"), "#define MQTT_MAX_SUBSCRIPTIONS 7\n").unwrap();
    let link = builds.directory.join("config.h");
    std::os::unix::fs::symlink(common.join("config.h"), &link).unwrap();
    assert_eq!(value(&builds.build(Some(&link)).unwrap(), "MQTT_MAX_SUBSCRIPTIONS"), 7);
}

#[test]
fn an_empty_name_is_none() {
    let builds = Builds::new();
    assert_eq!(value(&builds.build(Some(Path::new(""))).unwrap(), "MQTT_MAX_SUBSCRIPTIONS"), 8);
}

#[test]
fn the_lowest_and_the_highest_values_build() {
    let builds = Builds::new();
    let lowest: String = SETTINGS.iter().map(|(name, _, lowest, _)| format!("#define {name} {lowest}\n")).collect();
    let header = builds.with(&lowest).unwrap();
    for (name, _, lowest, _) in SETTINGS {
        assert_eq!(value(&header, name), lowest, "{name}");
    }
    // The payload's room leaves some to the topic, and acknowledgements have 36 bytes for themselves.
    let highest = SETTINGS.map(|(name, _, _, highest)| (name, if name == "MQTT_PUBLISH_ROOM" { 30000 - 255 - 45 } else { highest }));
    let content: String = highest.iter().map(|(name, highest)| format!("#define {name} {highest}\n")).collect();
    let header = builds.with(&content).unwrap();
    for (name, highest) in highest {
        assert_eq!(value(&header, name), highest, "{name}");
    }
}

#[test]
fn a_value_out_of_range_stops_the_build_with_its_name_and_the_range() {
    let builds = Builds::new();
    for (name, _, lowest, highest) in SETTINGS {
        for wrong in [(lowest - 1).to_string(), (highest + 1).to_string()] {
            builds.refuses(&format!("#define {name} {wrong}\n"), &[name, &format!("from {lowest} to ")]);
        }
    }
    for wrong in ["-1", "0", "0x100000000", "0xffffffffffffffff", "(1 - 2)"] {
        builds.refuses(&format!("#define MQTT_MAX_SUBSCRIPTIONS {wrong}\n"), &["MQTT_MAX_SUBSCRIPTIONS must be from 1 to 64"]);
    }
    builds.refuses("#define MQTT_TX_BUFFER_LENGTH 1024\n", &["MQTT_PUBLISH_ROOM must be from 1 to 963"]);
    builds.refuses("#define MQTT_PUBLISH_ROOM 1988\n", &["MQTT_PUBLISH_ROOM must be from 1 to 1987"]);
    builds.refuses("#define MQTT_TX_BUFFER_LENGTH 128\n#define MQTT_MAX_TOPIC_LENGTH 83\n", &["MQTT_TX_BUFFER_LENGTH must be more than MQTT_MAX_TOPIC_LENGTH and 45"]);
}

#[test]
fn a_name_that_is_no_macro_stops_the_build() {
    let builds = Builds::new();
    for (wrong, unknown) in [("nothing", "nothing"), ("(10 - FIVE)", "FIVE"), ("OTHER", "_five")] {
        let content = format!("enum {{ FIVE = 5 }};\n#define OTHER 3 + _five\n#define MQTT_MAX_SUBSCRIPTIONS {wrong}\n");
        builds.refuses(&content, &[&format!("MQTT_MAX_SUBSCRIPTIONS in MQTT_CONFIG_H: {unknown} is not a macro")]);
    }
    assert_eq!(value(&builds.with("#define MQTT_MAX_SUBSCRIPTIONS (0x1fUL - 1u)\n").unwrap(), "MQTT_MAX_SUBSCRIPTIONS"), 30);
}

#[test]
fn the_readme_tells_the_ranges() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    for (name, default, lowest, highest) in SETTINGS {
        assert!(readme.contains(&format!("\n| `{name}` | {default} | {lowest} to {highest} | ")), "{name}");
    }
}

#[test]
fn secure_connections_need_their_features() {
    let builds = Builds::new();
    let secure = ["#define SECURE_MQTT\n", "#define SECURE_MQTT 1\n"].map(|content| (content, "secure-mqtt"));
    for (content, feature) in secure.into_iter().chain([("#define SUPPORT_CLIENT_SIDE_CERTIFICATE\n", "client-certificate")]) {
        let name = content.split_whitespace().nth(1).unwrap();
        builds.refuses(content, &[&format!("{name} is defined"), "--features ", feature]);
        let file = builds.directory.join("config.h");
        let header = builds.build_with(Some(&file), &["--features", feature]).unwrap();
        assert!(header.contains(&format!("#define {name}\n")), "{header}");
    }
    for feature in ["secure-mqtt", "psk", "client-certificate"] {
        let header = builds.build_with(None, &["--features", feature]).unwrap();
        assert_eq!(header.contains("#define SUPPORT_CLIENT_SIDE_CERTIFICATE"), feature == "client-certificate", "what was built before does not count");
    }
    let header = builds.build(None).unwrap();
    assert!(header.contains("#error \"SECURE_MQTT: ") && !header.contains("#define SECURE_MQTT"), "{header}");
}

#[test]
fn a_file_that_cannot_be_read_stops_the_build_with_its_name() {
    let builds = Builds::new();
    let errors = builds.build(Some(&builds.directory.join("missing.h"))).unwrap_err();
    assert!(errors.contains("MQTT_CONFIG_H") && errors.contains("missing.h"), "{errors}");
    let errors = builds.build(Some(&builds.directory)).unwrap_err();
    assert!(errors.contains("MQTT_CONFIG_H"), "{errors}");
}

#[test]
fn a_file_that_the_preprocessor_refuses_stops_the_build_with_its_words() {
    let builds = Builds::new();
    builds.refuses("#if (\n#endif\n", &["MQTT_CONFIG_H", "config.h:1"]);
    builds.refuses("#ifdef A\n", &["MQTT_CONFIG_H", "unterminated"]);
    builds.refuses("#error \"the firmware's own words\"\n", &["MQTT_CONFIG_H", "the firmware's own words"]);
    builds.refuses("#include \"missing.h\"\n", &["MQTT_CONFIG_H", "missing.h"]);
    for wrong in ["\"8\"", "", "8 8", "sizeof(int)", "(8"] {
        builds.refuses(&format!("#define MQTT_MAX_SUBSCRIPTIONS {wrong}\n"), &["MQTT_CONFIG_H"]);
    }
    let errors = builds.with("#define MQTT_MAX_SUBSCRIPTIONS sizeof(int)\n").unwrap_err();
    assert!(errors.len() < 4000, "each bit is asked about: {errors}");
}

#[test]
fn the_preprocessor_is_the_one_that_cc_names() {
    let builds = Builds::new();
    let file = builds.directory.join("config.h");
    fs::write(&file, "#if FROM_CC\n#define MQTT_MAX_SUBSCRIPTIONS 3\n#endif\n").unwrap();
    let mut command = cargo(&["check", "--lib", "--locked"]);
    command.env("CARGO_TARGET_DIR", Builds::target()).env("MQTT_CONFIG_H", &file);
    run(command.env("CC", "cc -DFROM_CC=1")).well();
    assert_eq!(value(&fs::read_to_string(Builds::target().join("debug/utasker_mqtt_config.h")).unwrap(), "MQTT_MAX_SUBSCRIPTIONS"), 3);
    let errors = run(command.env("CC", "not-a-compiler")).errors;
    assert!(errors.contains("not-a-compiler") && errors.contains("CC"), "{errors}");
}
