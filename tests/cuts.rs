//! The link is lost behind each byte of a session, in either direction: what was promised holds all the same.

mod support;
use support::broker::{Broker, payload, serial};
use support::random::Random;
use support::*;

/// Where the link is lost for the first time.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// Behind so many bytes that it took.
    Taken(usize),
    /// The same, but the broker gets none of those that it took last.
    Swallowed(usize),
    /// Behind so many bytes that it gave.
    Given(usize),
}

/// The messages of either side: serial number and QoS; and a stream of the client's, at QoS 1.
const SERIALS: [(u32, u8); 6] = [(3, 0), (4, 1), (5, 2), (19, 0), (20, 1), (21, 2)];
const STREAM: u32 = 34;

/// One session, until all is done. Returns whether the link was lost.
fn session(cut: Cut, flags: u8) -> bool {
    let mut client = Client::new();
    client.application.answers(|_, event| {
        let piece = || payload(STREAM)[event.message().offset as usize..][..event.number as usize].to_vec();
        (event.kind == Kind::PublishDataPart).then(|| piece().into())
    });
    let (mut broker, mut random) = (Broker::new(), Random::new(7));
    let (mut lost, mut asked, mut given) = (false, false, 0);
    if let Cut::Taken(most) | Cut::Swallowed(most) = cut {
        client.link.room = most;
    }
    let mut told = Vec::new();
    for _ in 0..100 {
        let _ = client.library.connect(flags);
        client.poll();
        if !asked && request(&mut client.library).is_ok() {
            asked = true;
            client.poll();
        }
        let sent = client.take_sent();
        let blocked = client.link.room == 0;
        if !(blocked && matches!(cut, Cut::Swallowed(_))) {
            broker.input(&sent, &mut random);
        }
        let mut most = usize::MAX;
        if let (Cut::Given(limit), false) = (cut, lost) {
            most = limit - given;
        }
        let output = broker.output(most);
        given += output.len();
        client.link.arrives(&output);
        let cut_now = !lost && (blocked || output.len() == most);
        if cut_now || broker.closes {
            lost |= cut_now;
            client.link.room = usize::MAX;
            client.lose(lost::CLOSED);
            broker.link_lost();
        }
        if asked && broker.is_connected() && broker.published.is_empty() {
            SERIALS.iter().for_each(|(serial, qos)| broker.publish(*serial, *qos));
        }
        told.extend(client.take_events());
    }
    check(&told, &broker, flags, client.link.opened);
    lost
}

/// All that is asked of the library, in one go.
fn request(library: &mut Library) -> Result<(), Error> {
    for (serial, qos) in SERIALS {
        library.publish_data(0, Some(&format!("m/{serial}")), qos, &payload(serial))?;
        library.subscribe(Some(&format!("s/{serial}")), qos)?;
    }
    library.unsubscribe(1)?;
    library.publish_stream(0, Some(&format!("m/{STREAM}")), 1, payload(STREAM).len() as u32).map(|_| ())
}

fn check(told: &[Told], broker: &Broker, flags: u8, connections: usize) {
    let count = |matches: &dyn Fn(&Told) -> bool| told.iter().filter(|event| matches(event)).count();
    let is_end = |event: &Told| matches!(event.kind, Kind::HostClosed | Kind::ConnectionClosed);
    assert_eq!(count(&is_end), connections - 1, "{told:?}");
    let kept = flags == KEPT;
    for (number, qos) in SERIALS.into_iter().chain([(STREAM, 1)]) {
        let is_of = |event: &Told, kind| event.kind == kind && serial(event.message().topic.as_ref().unwrap()) == number;
        let acknowledged = count(&|event| is_of(event, Kind::PublishAcknowledged));
        let failed = count(&|event| is_of(event, Kind::PublishFailed));
        let arrived = broker.arrived.get(&number).copied().unwrap_or_default();
        assert_eq!(acknowledged + failed, 1, "{number} {told:?}");
        match qos {
            0 => assert!(arrived <= 1 && (acknowledged == 1 || arrived == 0), "{number}"),
            1 => assert!(acknowledged <= arrived as usize && (!kept || acknowledged == 1), "{number}"),
            _ => assert!(acknowledged <= arrived as usize && arrived <= 1 && (!kept || acknowledged == 1), "{number}"),
        }
    }
    for (index, (number, qos)) in SERIALS.into_iter().enumerate() {
        let is_it = |event: &Told| event.kind == Kind::TopicMessage && serial(event.message().topic.as_ref().unwrap()) == number;
        let came = count(&is_it);
        assert!(told.iter().filter(|event| is_it(event)).all(|event| event.data == payload(number)));
        assert!(if kept && qos != 0 { came != 0 } else { came <= 1 } && (came <= 1 || qos == 1), "{number} {told:?}");
        let reference = index as u8 + 1;
        let of = |kind| count(&|event| event.kind == kind && event.reference == reference);
        let answered = of(Kind::Suback) + of(Kind::SubscriptionRefused);
        assert!(if kept { answered == 1 } else { answered <= 1 }, "{reference} {told:?}");
        assert!(of(Kind::Unsuback) == usize::from(reference == 1 && of(Kind::Suback) == 1) || !kept, "{reference} {told:?}");
    }
}

/// Sessions with a cut at every place that there is.
fn at_each_place(cut: fn(usize) -> Cut) {
    for flags in [KEPT, CLEAN] {
        let mut place = 0;
        while session(cut(place), flags) {
            place += 1;
        }
        assert!(place > 100, "{place}");
    }
}

#[test]
fn behind_each_byte_that_was_sent() {
    at_each_place(Cut::Taken);
}

#[test]
fn behind_each_byte_that_was_sent_but_did_not_arrive() {
    at_each_place(Cut::Swallowed);
}

#[test]
fn behind_each_byte_that_was_received() {
    at_each_place(Cut::Given);
}
