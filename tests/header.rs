//! `include/utasker_mqtt.h` is what cbindgen makes of the C border. `UPDATE_HEADER=1` writes it.

use cbindgen::{Builder, Config, DocumentationStyle, ExportConfig, Language, Style};
use std::{env, fs};

const TOP: &str = concat!(
    "/* utasker-mqtt ",
    env!("CARGO_PKG_VERSION"),
    ": MQTT 3.1.1 client for microcontrollers, with the names of the uTasker MQTT API.

   Generated from the Rust sources of libutasker_mqtt.a by cbindgen; do not edit.

   The order of calls: fnSetMQTT_platform; where wanted fnSetMQTT_options and fnSetMQTT_security; fnConnectMQTT; then fnPollMQTT again
   and again. The callback tells what comes of it: from MQTT_CONNACK_RECEIVED on there is a connection, until MQTT_CONNECTION_CLOSED,
   MQTT_HOST_CLOSED or ERROR_MQTT_ARP_FAIL; where no new attempt follows by itself, fnConnectMQTT may be called in that event.

   Calls only record a request; all work is done, and all events are told, inside fnPollMQTT. Results below 0 are errors, named
   ERROR_MQTT_. \"From any context\" means: any task, any interrupt that the critical section masks, and the callback.

   The firmware provides an MQTT_PLATFORM, and at link time fnEnterMQTT_critical, fnExitMQTT_critical and, for secure
   connections, fnPanicMQTT. */
#ifndef UTASKER_MQTT_H
#define UTASKER_MQTT_H

#include \"utasker_mqtt_config.h\" /* beside the archive: the values that it was built with */

#ifdef __cplusplus
extern \"C\" {
#endif

/* A header and an archive of different versions do not link. */
#define fnSetMQTT_platform fnSetMQTT_platform_",
    env!("VERSION_SUFFIX"),
    "

"
);

const UTASKER_BEGIN: &str = "\n/* What follows is declared in uTasker's tcpip.h too: where that came first, it counts. */
#if !defined MQTT_CLIENT_IDENTIFIER\n\n";
const UTASKER_END: &str = "\n#endif /* MQTT_CLIENT_IDENTIFIER */\n\n#ifdef __cplusplus\n}\n#endif\n\n#endif /* UTASKER_MQTT_H */\n";

fn section(sources: &[&str]) -> String {
    let config = Config {
        language: Language::C,
        style: Style::Both,
        documentation_style: DocumentationStyle::C,
        no_includes: true,
        export: ExportConfig { include: vec!["MQTT_CALLBACK".into()], ..ExportConfig::default() },
        line_length: 120,
        tab_width: 4,
        ..Config::default()
    };
    let builder = sources.iter().fold(Builder::new().with_config(config), |builder, source| {
        builder.with_src(format!("{}/src/{source}", env!("CARGO_MANIFEST_DIR")))
    });
    let mut text = Vec::new();
    builder.generate().expect("the C border is what cbindgen can read").write(&mut text);
    for_c(&String::from_utf8(text).unwrap())
}

/// Leaves out what the comments say to Rust alone, from `# Safety` to the end of each, and names structs in μTasker's way.
fn for_c(text: &str) -> String {
    let mut to_rust = false;
    let mut kept: Vec<&str> = Vec::new();
    for line in text.lines() {
        to_rust |= line.trim() == "# Safety";
        if line.trim() == "*/" {
            to_rust = false;
            while kept.last().is_some_and(|line| line.trim().is_empty()) {
                kept.pop();
            }
        }
        if !to_rust {
            kept.push(line);
        }
    }
    kept.join("\n").replace("typedef struct MQTT_", "typedef struct stMQTT_").replace("struct MQTT_", "MQTT_")
}

#[test]
fn header_is_generated() {
    let generated = [TOP, &section(&["platform.rs", "ffi/additions.rs"]), UTASKER_BEGIN, &section(&["ffi/utasker.rs"]), UTASKER_END].concat();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/include/utasker_mqtt.h");
    if env::var_os("UPDATE_HEADER").is_some() {
        fs::write(path, &generated).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert!(committed == generated, "include/utasker_mqtt.h is not what the sources say: run UPDATE_HEADER=1 cargo test --test header");
}
