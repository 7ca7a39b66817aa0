//! Options and files for secure connections: what is wrong with them is told before anything is sent.

use crate::broker::{Build, certificate, program};
use crate::random::Random;
use crate::tools::{Finished, run, scratch};
use std::fs;

const BUILDS: [Build; 2] = [Build::Secure, Build::SecureSanitized];

/// Each program with these options.
fn programs(build: Build, options: &[&str]) -> Vec<Finished> {
    let programs: [(&str, &[&str]); 3] = [("publish", &["-t", "a", "-m", "b"]), ("subscribe", &["-t", "a"]), ("cli", &[])];
    programs.map(|(name, own)| run(program(build, name).args(own).args(options))).into()
}

/// The programs refuse these options in so many words.
#[track_caller]
fn refused(options: &[&str], words: &str) {
    for build in BUILDS {
        for result in programs(build, options) {
            let result = result.with_code(1);
            assert!(result.errors.contains(words), "{options:?}: {}", result.errors);
            assert!(result.output.is_empty() && !result.errors.contains("Sanitizer"), "{options:?}: {}", result.errors);
        }
    }
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    let key = "0123456789abcdef";
    let cases: [(&[&str], &str); 17] = [
        (&["--psk", "1"], "hexadecimal digits"),
        (&["--psk", ""], "hexadecimal digits"),
        (&["--psk", "123"], "hexadecimal digits"),
        (&["--psk", "0x12"], "hexadecimal digits"),
        (&["--psk", &"0".repeat(514)], "hexadecimal digits"),
        (&["--psk", key], "--psk and --psk-identity belong together"),
        (&["--psk-identity", "me"], "--psk and --psk-identity belong together"),
        (&["--psk", key, "--psk-identity", ""], "must not be empty"),
        (&["--psk", key, "--psk-identity", "me", "--cafile", "ca.crt"], "only one of --cafile and --psk"),
        (&["--cert", "client.crt"], "--cert and --key belong together"),
        (&["--cafile", "ca.crt", "--key", "client.key"], "--cert and --key belong together"),
        (&["--cert", "client.crt", "--key", "client.key"], "--cert needs --cafile"),
        (&["--cert", "a", "--key", "b", "--psk", key, "--psk-identity", "me"], "--cert needs --cafile"),
        (&["--servername", "localhost"], "--servername needs --cafile or --psk"),
        (&["--cafile"], "requires an argument"),
        (&["--insecure"], "unrecognized option"),
        (&["--tls-version", "tlsv1.2"], "unrecognized option"),
    ];
    for (options, words) in cases {
        refused(options, words);
        refused(options, "--help' to see the options");
    }
}

#[test]
fn files_that_cannot_be_used_are_refused_with_a_reason() {
    let [ca, client, key, stranger_key] = ["ca.crt", "client.crt", "client.key", "stranger.key"].map(certificate);
    let directory = scratch("security-options");
    let file = |name: &str, content: &[u8]| {
        let path = directory.join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let text = fs::read_to_string(&ca).unwrap();
    let key_text = fs::read_to_string(&key).unwrap();
    let empty = file("empty", b"");
    let random = file("random", b"no certificate at all");
    let half = file("half", &text.as_bytes()[..text.len() / 2]);
    let not_base64 = file("not-base64", text.replace("MII", "M!I").as_bytes());
    let other_end = file("other-end", text.replace("END CERTIFICATE", "END CERTIFICATION").as_bytes());
    let not_der = file("not-der", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let half_der = file("half-der", b"0\x82\x02\x00half");
    let text_in_der = file("text-in-der", &[&b"0\x82\x10\0"[..], text.as_bytes(), &[0; 0x1000]].concat()[..4 + 0x1000]);
    let two = file("two", [fs::read(&client).unwrap(), fs::read(&client).unwrap()].concat().as_slice());
    let two_keys = file("two-keys", format!("{key_text}{key_text}").as_bytes());
    let many = file("many", text.repeat(65536 / 400).as_bytes());
    let large = file("large", &vec![b'x'; 300_000]);
    let encrypted = file("encrypted", key_text.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY").as_bytes());
    let old_encrypted = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END EC PRIVATE KEY-----\n";
    let old_encrypted = file("old-encrypted", old_encrypted.as_bytes());
    let authorities = [
        ("/missing/file", "No such file"),
        (directory.to_str().unwrap(), "Is a directory"),
        (&empty, "neither PEM nor DER"),
        (&random, "neither PEM nor DER"),
        (&half, "not complete"),
        (&other_end, "not complete"),
        (&not_base64, "its base64 is not valid"),
        (&key, "there is no certificate in it"),
        (&not_der, "not made of certificates that can be used"),
        (&half_der, "not made of certificates that can be used"),
        (&text_in_der, "not made of certificates that can be used"),
        (&many, "too large"),
        (&large, "too large"),
    ];
    for (name, words) in authorities {
        refused(&["--cafile", name], &format!("{name}: "));
        refused(&["--cafile", name], words);
    }
    let identities = [
        (&client, &stranger_key, "not of the key given with --key"),
        (&two, &key, "more than one certificate"),
        (&key, &key, "there is no certificate in it"),
        (&client, &client, "there is no EC private key in it"),
        (&client, &two_keys, "more than one private key"),
        (&client, &encrypted, "is encrypted"),
        (&client, &old_encrypted, "is encrypted"),
        (&client, &empty, "neither PEM nor DER"),
        (&half_der, &key, "not the certificate of a P-256 key"),
        (&client, &half_der, "not of the key given with --key"),
    ];
    for (certificate, key, words) in identities {
        refused(&["--cafile", &ca, "--cert", certificate, "--key", key], words);
    }
    refused(&["--cafile", &ca, "--servername", "no name"], "no name: it is not a name that a certificate can bear");
    refused(&["--cafile", &ca, "--servername", ""], "it is not a name that a certificate can bear");
}

/// Whatever a file holds, it is taken or refused, and nothing is read or written beside it.
#[test]
fn files_that_are_changed_at_random_do_no_harm() {
    let directory = scratch("changed-files");
    let mut random = Random::new(1);
    let original = [fs::read(certificate("client.key")).unwrap(), fs::read(certificate("ca.crt")).unwrap()].concat();
    let path = |name: &str| directory.join(name).display().to_string();
    for round in 0..150 {
        let mut content = original.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(content.len() as u32) as usize;
            match random.below(3) {
                0 => content[at] = b"-=A\n\0 \xff"[random.below(7) as usize],
                1 => content.truncate(at + 1),
                _ => drop(content.drain(at..content.len().min(at + 30))),
            }
            content.push(b'-');
        }
        fs::write(path("file"), &content).unwrap();
        let mut command = program(Build::SecureSanitized, "publish");
        command.args(["-p", "1", "-t", "a", "-m", "b", "--cafile", &path("file"), "--cert", &certificate("client.crt"), "--key", &path("file")]);
        let result = run(&mut command).with_code(1); // nobody serves port 1
        assert!(!result.errors.contains("Sanitizer") && !result.errors.contains("runtime error"), "round {round}: {}", result.errors);
    }
}

#[test]
fn a_build_without_secure_connections_says_so() {
    for options in [&["--cafile", &*certificate("ca.crt")][..], &["--psk", "00", "--psk-identity", "me"]] {
        for result in programs(Build::Plain, options) {
            let result = result.with_code(1);
            assert!(result.errors.contains("secure connections: not in this build; make SECURE=1"), "{}", result.errors);
        }
    }
}
