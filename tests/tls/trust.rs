//! Which certificates are trusted, and why others are not.

use crate::certificates::{DAY, END, Identity, NOW, Request, START, extension};
use crate::encounter::{Encounter, GOOD, Outcome};
use crate::server::Server;
use crate::wire::kept;
use utasker_mqtt::tls::{Reason, Security};

const NAME: &str = "broker.test";

/// What becomes of a broker with these certificates, in the eyes of a client that trusts `authority` and wants `name`.
fn named(name: &'static str, authority: &[u8], chain: &[&Identity]) -> Outcome {
    at(Some(NOW), name, authority, chain)
}

/// The same, at another time; `None`: without a clock.
fn at(time: Option<u64>, name: &'static str, authority: &[u8], chain: &[&Identity]) -> Outcome {
    let mut encounter = Encounter::choosing(Server::new(chain), |security| Security { server_name: name, authority: kept(authority), ..security });
    encounter.rig.wire.0.borrow_mut().clock = time.map(|time| time as u32);
    encounter.shake(&GOOD)
}

#[track_caller]
fn trusts(authority: &Identity, chain: &[&Identity]) {
    assert_eq!(named(NAME, &authority.der, chain), Outcome::Connected);
}

#[track_caller]
fn refuses(reason: Reason, authority: &Identity, chain: &[&Identity]) {
    assert_eq!(named(NAME, &authority.der, chain), Outcome::Refused(reason as u16));
}

fn broker() -> Request {
    Request::broker(NAME)
}

#[test]
fn another_authority_is_unknown() {
    let other = Request::authority("Other authority").self_signed();
    refuses(Reason::UnknownAuthority, &Identity::authority(), &[&other.issue(&broker())]);
    refuses(Reason::UnknownAuthority, &Identity::authority(), &[&other.issue(&broker()), &other]);
}

#[test]
fn an_authority_of_the_same_name_with_another_key_has_signed_in_vain() {
    let impostor = Request::authority("Authority").seed("impostor").self_signed();
    refuses(Reason::BadSignature, &Identity::authority(), &[&impostor.issue(&broker())]);
    refuses(Reason::BadSignature, &Identity::authority(), &[&impostor.issue(&broker()), &impostor]);
}

#[test]
fn one_of_several_authorities_of_the_same_name_is_enough() {
    let authority = Identity::authority();
    let namesake = Request::authority("Authority").seed("namesake").self_signed();
    for trusted in [[&authority, &namesake], [&namesake, &authority]] {
        let trusted = trusted.map(|authority| &authority.der[..]).concat();
        for signer in [&authority, &namesake] {
            assert_eq!(named(NAME, &trusted, &[&signer.issue(&broker())]), Outcome::Connected);
        }
    }
}

#[test]
fn nobody_can_certify_himself() {
    refuses(Reason::UnknownAuthority, &Identity::authority(), &[&broker().self_signed()]);
    let authority = Request::new(NAME, &[extension::authority(), extension::names(&[NAME])]).self_signed();
    refuses(Reason::WrongUsage, &Identity::authority(), &[&authority]);
}

#[test]
fn a_wrong_signature_is_noticed() {
    let authority = Identity::authority();
    let mut identity = authority.issue(&broker());
    *identity.der.last_mut().unwrap() ^= 1;
    refuses(Reason::BadSignature, &authority, &[&identity]);
    // A byte of the name that was signed, too.
    let mut identity = authority.issue(&Request::broker("brokes.test"));
    for place in 0..identity.der.len() - NAME.len() {
        if identity.der[place..].starts_with(b"brokes.test") {
            identity.der[place + 5] = b'r';
        }
    }
    refuses(Reason::BadSignature, &authority, &[&identity]);
}

#[test]
fn the_name_must_be_among_those_of_the_certificate() {
    let authority = Identity::authority();
    let issue = |extensions: &[Vec<u8>]| authority.issue(&Request::new(NAME, extensions));
    refuses(Reason::WrongName, &authority, &[&authority.issue(&Request::broker("other.test"))]);
    // The common name counts for nothing.
    refuses(Reason::WrongName, &authority, &[&issue(&[extension::for_servers()])]);
    refuses(Reason::WrongName, &authority, &[&issue(&[extension::names(&["*.broker.test"])])]);
    trusts(&authority, &[&issue(&[extension::names(&["a.test", "b.test", NAME, "c.test"])])]);
    refuses(Reason::WrongName, &authority, &[&issue(&[extension::names(&["*.test"])])]);
    let wildcard = issue(&[extension::names(&["*.broker.test"])]);
    assert_eq!(named("a.broker.test", &authority.der, &[&wildcard]), Outcome::Connected);
    assert_eq!(named("a.b.broker.test", &authority.der, &[&wildcard]), Outcome::Refused(Reason::WrongName as u16));
    trusts(&authority, &[&issue(&[extension::names(&["BROKER.Test"])])]);
}

#[test]
fn an_address_must_be_among_those_of_the_certificate() {
    let authority = Identity::authority();
    let issue = |extensions: &[Vec<u8>]| authority.issue(&Request::new("host", extensions));
    let v6 = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let both = issue(&[extension::addresses(&[&[10, 0, 0, 1], &[192, 168, 0, 8], &v6])]);
    for (name, expected) in [
        ("192.168.0.8", Outcome::Connected),
        ("10.0.0.1", Outcome::Connected),
        ("fe80::1", Outcome::Connected),
        ("192.168.0.9", Outcome::Refused(Reason::WrongName as u16)),
        ("fe80::2", Outcome::Refused(Reason::WrongName as u16)),
    ] {
        assert_eq!(named(name, &authority.der, &[&both]), expected, "{name}");
    }
    let written = issue(&[extension::names(&["192.168.0.8"])]);
    assert!(matches!(named("192.168.0.8", &authority.der, &[&written]), Outcome::Refused(_)));
}

#[test]
fn dates_count() {
    let authority = Identity::authority();
    let issue = |from, to| authority.issue(&broker().valid(from, to));
    refuses(Reason::Expired, &authority, &[&issue(START, NOW - 1)]);
    refuses(Reason::NotYetValid, &authority, &[&issue(NOW + 1, END)]);
    trusts(&authority, &[&issue(NOW, NOW)]);
    let old = Request::authority("Old").valid(START, NOW - DAY);
    let old = authority.issue(&old);
    refuses(Reason::Expired, &authority, &[&old.issue(&broker()), &old]);
    let new = authority.issue(&Request::authority("New").valid(NOW + DAY, END));
    refuses(Reason::NotYetValid, &authority, &[&new.issue(&broker()), &new]);
}

#[test]
fn without_a_clock_dates_do_not_count_and_nothing_else_changes() {
    let authority = Identity::authority();
    let between = authority.issue(&Request::authority("Between").valid(START + 20 * DAY, END));
    for (from, to) in [(START, START + 30 * DAY), (START, END), (END - DAY, END)] {
        let identity = authority.issue(&broker().valid(from, to));
        assert_eq!(at(None, NAME, &authority.der, &[&identity]), Outcome::Connected);
        let identity = between.issue(&broker().valid(from, to));
        assert_eq!(at(None, NAME, &authority.der, &[&identity, &between]), Outcome::Connected);
    }
    // But that there never was a day on which all were valid.
    let identity = between.issue(&broker().valid(START, START + DAY));
    assert_eq!(at(None, NAME, &authority.der, &[&identity, &between]), Outcome::Refused(Reason::Expired as u16));
    let other = Request::authority("Other authority").self_signed();
    assert_eq!(at(None, NAME, &authority.der, &[&other.issue(&broker())]), Outcome::Refused(Reason::UnknownAuthority as u16));
    let elsewhere = authority.issue(&Request::broker("other.test"));
    assert_eq!(at(None, NAME, &authority.der, &[&elsewhere]), Outcome::Refused(Reason::WrongName as u16));
}

#[test]
fn a_clock_that_is_not_set_trusts_nobody() {
    let authority = Identity::authority();
    let ancient = authority.issue(&broker().valid(0, END));
    for identity in [authority.issue(&broker()), ancient] {
        assert_eq!(at(Some(0), NAME, &authority.der, &[&identity]), Outcome::Refused(Reason::NotYetValid as u16));
    }
}

#[test]
fn a_certificate_is_used_for_what_it_is_for() {
    let authority = Identity::authority();
    let only = authority.issue(&Request::new(NAME, &[extension::names(&[NAME]), extension::for_clients()]));
    refuses(Reason::WrongUsage, &authority, &[&only]);
    trusts(&authority, &[&authority.issue(&Request::new(NAME, &[extension::names(&[NAME])]))]);
    // A broker, or another device, that certifies.
    for leaf in [Request::broker("device.test"), Request::new("device.test", &[])] {
        let leaf = authority.issue(&leaf);
        refuses(Reason::WrongUsage, &authority, &[&leaf.issue(&broker()), &leaf]);
    }
    let clients_only = authority.issue(&Request::new("Clients", &[extension::authority(), extension::for_clients()]));
    refuses(Reason::WrongUsage, &authority, &[&clients_only.issue(&broker()), &clients_only]);
}

#[test]
fn limits_of_an_authority_count() {
    let authority = Identity::authority();
    let limited = authority.issue(&Request::new("Limited", &[extension::authority(), extension::only_below("factory.test")]));
    refuses(Reason::WrongName, &authority, &[&limited.issue(&broker()), &limited]);
    let identity = limited.issue(&Request::broker("broker.factory.test"));
    assert_eq!(named("broker.factory.test", &authority.der, &[&identity, &limited]), Outcome::Connected);
    // Those of the trusted certificate itself, too.
    let root = Request::new("Root", &[extension::authority(), extension::only_below("factory.test")]).self_signed();
    refuses(Reason::WrongName, &root, &[&root.issue(&broker())]);
    let last = authority.issue(&Request::new("Last", &[extension::authority_over(0)]));
    trusts(&authority, &[&last.issue(&broker()), &last]);
    let beyond = last.issue(&Request::authority("Beyond"));
    refuses(Reason::WrongUsage, &authority, &[&beyond.issue(&broker()), &beyond, &last]);
}

#[test]
fn what_is_critical_must_be_known() {
    let authority = Identity::authority();
    let issue = |unknown| authority.issue(&Request::new(NAME, &[extension::names(&[NAME]), unknown]));
    refuses(Reason::BadCertificate, &authority, &[&issue(extension::unknown_critical())]);
    trusts(&authority, &[&issue(extension::unknown())]);
    let between = authority.issue(&Request::new("Between", &[extension::authority(), extension::unknown_critical()]));
    let outcome = named(NAME, &authority.der, &[&between.issue(&broker()), &between]);
    assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
}

#[test]
fn chains_of_up_to_four_between_are_trusted_in_any_order() {
    let authority = Identity::authority();
    let mut between = vec![authority.issue(&Request::authority("Between 0"))];
    for number in 1..5 {
        let next = between[number - 1].issue(&Request::authority(&format!("Between {number}")));
        between.push(next);
    }
    // Certificates of one chain must fit one record.
    let roomy = |chain: &[&Identity]| {
        let rig = crate::wire::Rig::with_buffers(4113, 1024);
        let mut encounter = Encounter::over(rig, Server::new(chain), |security| Security { authority: kept(&authority.der), ..security });
        encounter.shake(&GOOD)
    };
    for length in 1..=4 {
        let identity = between[length - 1].issue(&broker());
        let mut chain: Vec<&Identity> = between[..length].iter().collect();
        chain.push(&identity);
        chain.reverse();
        assert_eq!(roomy(&chain), Outcome::Connected, "{length}");
        chain[1..].reverse();
        assert_eq!(roomy(&chain), Outcome::Connected, "{length}, the other way round");
    }
    let identity = between[4].issue(&broker());
    let chain: Vec<&Identity> = [&identity].into_iter().chain(between.iter().rev()).collect();
    assert_eq!(roomy(&chain), Outcome::Refused(Reason::BadCertificate as u16));
    // One of the chain is missing.
    let identity = between[1].issue(&broker());
    refuses(Reason::UnknownAuthority, &authority, &[&identity, &between[0]]);
}

/// Authorities of one name are tried one after another; a chain of four between takes five signatures of the eight that there are.
#[test]
fn eight_signatures_are_verified_for_one_broker() {
    let mut chain = vec![Identity::authority()];
    for number in 0..4 {
        let next = chain[number].issue(&Request::authority(&format!("Between {number}")));
        chain.push(next);
    }
    let identity = chain[4].issue(&broker());
    let shown: Vec<&Identity> = [&identity].into_iter().chain(chain[1..].iter().rev()).collect();
    for (others, expected) in [(3, Outcome::Connected), (4, Outcome::Refused(Reason::BadSignature as u16))] {
        let mut trusted: Vec<u8> = (0..others).flat_map(|seed| Request::authority("Authority").seed(&format!("another {seed}")).self_signed().der).collect();
        trusted.extend(&chain[0].der);
        let rig = crate::wire::Rig::with_buffers(4113, 1024);
        let mut encounter = Encounter::over(rig, Server::new(&shown), |security| Security { authority: kept(&trusted), ..security });
        assert_eq!(encounter.shake(&GOOD), expected, "{others}");
    }
}

#[test]
fn a_maze_of_authorities_is_refused() {
    let authority = Identity::authority();
    // All bear the name of the authority, and none is it.
    let impostors: Vec<Identity> = (0..4).map(|number| Request::authority("Authority").seed(&format!("impostor {number}")).self_signed()).collect();
    let identity = impostors[0].issue(&broker());
    let chain: Vec<&Identity> = [&identity].into_iter().chain(&impostors).collect();
    refuses(Reason::BadSignature, &authority, &chain);
}

#[test]
fn any_of_several_authorities_will_do() {
    let authorities: Vec<Identity> = (0..3).map(|number| Request::authority(&format!("Authority {number}")).self_signed()).collect();
    let all: Vec<u8> = authorities.iter().flat_map(|authority| authority.der.clone()).collect();
    for authority in &authorities {
        assert_eq!(named(NAME, &all, &[&authority.issue(&broker())]), Outcome::Connected);
        let expired = authority.issue(&broker().valid(START, NOW - 1));
        assert_eq!(named(NAME, &all, &[&expired]), Outcome::Refused(Reason::Expired as u16));
    }
    assert_eq!(named(NAME, &all, &[&Identity::authority().issue(&broker())]), Outcome::Refused(Reason::UnknownAuthority as u16));
}

#[test]
fn what_is_no_certificate_is_refused() {
    let authority = Identity::authority();
    let good = authority.issue(&broker());
    for der in [vec![], b"no certificate".to_vec(), good.der[..good.der.len() - 1].to_vec(), [&good.der[..], b"\0"].concat(), vec![0x30; 300]] {
        let outcome = named(NAME, &authority.der, &[&Identity { der, ..good.clone() }]);
        assert_eq!(outcome, Outcome::Refused(Reason::BadCertificate as u16));
    }
}

#[test]
fn a_serial_number_says_nothing() {
    let authority = Identity::authority();
    for serial in [&b"\0"[..], b"\x01", b"\x80", b"\xff\xff", b"\0\x01", &[0x7f; 20], &[0x7f; 100]] {
        trusts(&authority, &[&authority.issue(&Request { serial: serial.into(), ..broker() })]);
    }
}

#[test]
fn a_list_of_certificates_has_an_end() {
    let authority = Identity::authority();
    let identity = authority.issue(&broker());
    let with = |buffer, others: &[Vec<u8>]| {
        let mut server = Server::new(&[&identity]);
        server.chain.extend_from_slice(others);
        let choose = |security| Security { authority: kept(&authority.der), ..security };
        Encounter::over(crate::wire::Rig::with_buffers(buffer, 1024), server, choose).shake(&GOOD)
    };
    let bad = Outcome::Refused(Reason::BadCertificate as u16);
    assert_eq!(with(4113, &vec![identity.der.clone(); 4]), Outcome::Connected);
    assert_eq!(with(4113, &vec![identity.der.clone(); 5]), bad);
    assert_eq!(with(16401, &vec![Vec::new(); 16]), Outcome::Refused(Reason::Protocol as u16));
    for other in [Vec::new(), b"garbage".to_vec(), vec![0x30; 300]] {
        assert_eq!(with(2065, &[other]), Outcome::Connected, "nobody needs it");
    }
}
