"""What goes wrong: each failure gives the documented event within its deadline, and the image goes on when it is mended."""
import os
import re
import socket
import time

from equipment import (AT_ONCE, CONNACK, CONNACK_SESSION_PRESENT, CONNECTED, PUBACK, PUBCOMP, PUBLISHED, PUBREC, SUBACK, SUBSCRIBED, UNSUBACK, Image,
                       NameServer, Scripted, check, fnv, play, published, streamed)

CLOSED = r"MQTT closed\n"
LINK_LOST = r"MQTT error! ERROR_MQTT_LINK[^\n]*\n" + CLOSED
TIMEOUT = r"MQTT error! ERROR_MQTT_TIMEOUT[^\n]*\n" + CLOSED
PROTOCOL = r"MQTT error! ERROR_MQTT_PROTOCOL[^\n]*\n" + CLOSED
UNREACHABLE = r"MQTT error! ERROR_MQTT_ARP_FAIL[^\n]*\n"
AGAIN = r"MQTT reconnecting in \d+ ms\n"


def cable(context):
    """The cable is cut and restored: an idle connection lives on; one that wants to send is made again, and loses nothing."""
    image = context.kept_session()
    image.subscribe("fw/in", 2)

    image.cable(False)
    image.expect("network down")
    context.broker.publish("fw/in", 1, b"while the cable is cut")
    time.sleep(0.5)
    image.cable(True)
    start = time.monotonic()
    image.expect("network up")
    image.expect(r"Message \(22\) \[1\]")
    context.figure(f"a queued message arrived {time.monotonic() - start:.1f} s after the cable was restored")

    context.broker.keep("fw/+")
    image.cable(False)
    image.expect("network down")
    image.type("!publish 2 20 30")
    image.expect(UNREACHABLE + AGAIN, AT_ONCE)
    image.expect(UNREACHABLE + AGAIN, AT_ONCE)
    image.cable(True)
    start = time.monotonic()
    image.expect("session present 1\nMQTT connected")
    context.figure(f"connected again {time.monotonic() - start:.1f} s after the cable was restored")
    image.count(r"publisher \w: 20 acknowledged, 0 failed", 2)
    messages = context.broker.kept("fw/+", 2, 40)
    published(messages, 20, 30)
    context.broker.publish("fw/in", 2, b"afterwards")
    image.expect(r"Message \(10\) \[1\]")
    image.quit()


def restart(context):
    """The broker is restarted in mid-session: what was under way at QoS 2 arrives exactly once."""
    image = context.kept_session()
    context.broker.keep("fw/+")
    image.type("!publish 2 4000 50")
    context.broker.hears(10000)
    context.broker.stop()
    image.expect(CLOSED + AGAIN, AT_ONCE)
    check("publisher" not in image.text, "all was published before the broker was stopped")
    context.broker.start()
    start = time.monotonic()
    image.expect("session present 1\nMQTT connected")
    context.figure(f"connected again {time.monotonic() - start:.1f} s after the broker was")
    image.count(r"publisher \w: 4000 acknowledged, 0 failed", 2)
    messages = context.broker.kept("fw/+", 2, 8000)
    published(messages, 4000, 50)
    image.quit()


def broken_stream(context, qos, cut, told, mend):
    """A stream is cut in its middle, and begins again when that is mended."""
    image = context.kept_session()
    context.broker.keep("fw/stream")
    image.type(f"!stream {qos} 12000000")
    context.broker.hears(500000)
    cut(image)
    image.expect(told + AGAIN, AT_ONCE)
    check("stream published" not in image.text, "all was streamed before")
    mend(image)
    image.expect("MQTT connected")
    image.expect(f"stream published - QoS{qos}")
    [(_, payload)] = context.broker.kept("fw/stream", qos, 1)
    check(payload == streamed(12000000), "the stream differs")
    image.quit()


def restart_in_stream(context):
    """The broker is restarted in the middle of a stream, which begins again."""
    broken_stream(context, 2, lambda image: context.broker.stop(), CLOSED, lambda image: context.broker.start())


def cable_in_stream(context):
    """The cable is cut in the middle of a stream, which begins again."""
    broken_stream(context, 1, lambda image: image.cable(False), UNREACHABLE, lambda image: image.cable(True))


def ends(image, line, pattern, least=0, most=AT_ONCE):
    """The attempt ends as told, not sooner and not later; what is not TIMEOUT comes within the response time, behind which that would be told."""
    start = time.monotonic()
    image.type(line)
    image.expect(pattern, most)
    seconds = time.monotonic() - start
    check(seconds >= least, f"{line}: after {seconds:.1f} s already")
    return seconds


def succeeds(context, image):
    """An attempt of the same image, after others have failed."""
    ends(image, context.broker.COMMAND, "MQTT connected")
    ends(image, "mqtt_dis", "MQTT closed")


def failures(context):
    """Each attempt that fails gives the documented event within its deadline, and the next one succeeds."""
    connect = context.broker.COMMAND
    image = context.image(response=2)
    image.expect("network up")

    context.broker.stop()
    context.figure(f"refused: {ends(image, connect, LINK_LOST):.2f} s")
    context.broker.start()
    succeeds(context, image)

    context.figure(f"no such host: {ends(image, f'{connect} 10.0.2.99', TIMEOUT, 1.9, 6):.2f} s of 2")
    succeeds(context, image)

    context.broker.hold()
    context.figure(f"silent broker: {ends(image, connect, TIMEOUT, 1.9, 6):.2f} s of 2")
    context.broker.release()
    succeeds(context, image)

    image.type(f"{connect} 10.0.2.99")
    image.cable(False)
    image.expect(f"{UNREACHABLE}|{TIMEOUT}", 6)
    image.total("network down", 1)
    context.figure(f"cable cut: {ends(image, connect, UNREACHABLE):.2f} s")
    image.cable(True)
    image.expect("network up")
    succeeds(context, image)
    image.quit()

    image = context.image(port=context.broker.locked_port)
    image.expect("network up")
    ends(image, connect, r"MQTT connection refused - not authorised \(5\)\nMQTT closed")
    image.quit()


def names(context):
    """The broker's name is asked for at each attempt, without blocking: known, unknown, and no answer."""
    image = context.image(broker=context.name, dns="10.0.2.2", response=3)
    image.expect("network up")
    NameServer.answers[context.name] = NameServer.IPV4
    ends(image, "mqtt_con", "MQTT connected", 0.2)
    ends(image, "mqtt_dis", "MQTT closed")
    NameServer.answers[context.name] = NameServer.UNKNOWN
    ends(image, "mqtt_con", UNREACHABLE, 0.2)
    NameServer.answers[context.name] = NameServer.SILENCE
    ends(image, "mqtt_con", TIMEOUT, 2.9, 7)
    check(NameServer.asked[context.name] >= 3, "the name was not asked for each time")
    NameServer.answers[context.name] = NameServer.IPV4
    ends(image, "mqtt_con", "MQTT connected")
    image.quit()


def ipv6(context):
    """The broker has an IPv6 address, given or found by its name; the image gets its own from the router."""
    image = context.image(broker=context.name, dns="10.0.2.2", reconnect=1)
    image.expect("network up")
    image.type("mqtt_con fec0::2")      # the host, in QEMU's user network
    image.expect("MQTT connected")
    image.subscribe("fw/in", 2)
    payload = b"0" + os.urandom(65535)
    context.broker.publish("fw/in", 2, payload)
    image.expect(r"Message \(65536\) \[1\]")
    image.arrived(1, f"65536 bytes, . out of order, sum {fnv(payload)}")
    ends(image, "mqtt_dis", "MQTT closed")
    NameServer.answers[context.name] = NameServer.IPV6
    ends(image, "mqtt_con", "MQTT connected", 0.4)
    image.quit()


def no_network(context):
    """Without a cable, or a DHCP server, attempts fail at once; when the network is there the connection is too, by itself."""
    for arguments, restore in ({"cable": False}, lambda image: image.cable(True)), ({"network": Image.HUB}, Image.connect_hub):
        image = context.image(reconnect=1, **arguments)
        image.expect("#")
        ends(image, "mqtt_con", UNREACHABLE + AGAIN)
        image.expect(UNREACHABLE + AGAIN, AT_ONCE)
        restore(image)
        image.expect("network up")
        image.expect("MQTT connected")
        image.quit()


def silence(context):
    """A broker that falls silent in mid-session is noticed by the ping, and found again."""
    image = context.connected(keepalive=4, response=2, reconnect=1)
    context.broker.hold()
    try:
        start = time.monotonic()
        image.expect(TIMEOUT + AGAIN, AT_ONCE)
        context.figure(f"silence noticed after {time.monotonic() - start:.1f} s (ping after 1 s, response time 2 s)")
        image.expect(TIMEOUT + AGAIN, AT_ONCE)
    finally:
        context.broker.release()
    image.expect("MQTT connected")
    image.quit()


def lost_links(context):
    """The link is lost in each state of a connection: the event comes at once, and then the next attempt."""
    def at_once(link):
        Scripted.reset(link)

    def before_connack(link):
        Scripted.packet(link)
        Scripted.reset(link)

    def in_connack(link):
        Scripted.packet(link)
        link.sendall(CONNACK[:3])
        link.close()

    def after_connack(link):
        Scripted.packet(link)
        link.sendall(CONNACK)
        image.total("MQTT connected", 1)        # a reset can overtake what was sent
        Scripted.reset(link)

    def in_message(link):
        Scripted.packet(link)
        link.sendall(CONNACK + b"\x30\x20\x00\x05fw/in" + b"half")
        image.total("MQTT connected", 2)
        Scripted.reset(link)

    def in_large_message(link):
        Scripted.packet(link)
        link.sendall(CONNACK + large[:10000])
        link.close()

    def bad_packet(link):
        Scripted.packet(link)
        link.sendall(CONNACK + b"\xf0\x00")
        while link.recv(100):
            pass

    def good(link):
        Scripted.packet(link)
        link.sendall(CONNACK + large)
        while link.recv(100):
            pass

    large = b"\x30\x87\x80\x04\x00\x05fw/in" + b"0" + bytes(65535)
    connected = r"(start to CONNACK \d+ us\n)?session present 0\nMQTT connected\n"
    states = (
        (at_once, LINK_LOST + AGAIN),
        (before_connack, LINK_LOST + AGAIN),
        (in_connack, CLOSED + AGAIN),
        (after_connack, connected + LINK_LOST + AGAIN),
        (in_message, connected + LINK_LOST + AGAIN),
        (in_large_message, connected + CLOSED + AGAIN),
        (bad_packet, connected + PROTOCOL + AGAIN),
        (good, connected + r"Message \(65536\) \[0\]\n"))
    image = context.image(reconnect=1, port=context.scripted(*(script for script, _ in states)).port)
    image.expect("network up")
    image.type("mqtt_con")
    for _, told in states:
        image.expect(told, AT_ONCE)     # with the time until the next attempt
    check(re.search("Connecting...\n#" + "".join(told for _, told in states), image.text), "something else was told too")
    image.quit()


def lost_requests(context):
    """The link is lost in each state of a request: what the broker has not answered is sent again as it stood, and nothing else."""
    # After the last step the connection is reset.
    connections = (
        (0x10, CONNACK, CONNECTED, 'mqtt_pub "fw/x" 1', 0x32),
        (0x10, CONNACK_SESSION_PRESENT, 0x3a, PUBACK, PUBLISHED, 'mqtt_pub "fw/x" 2', 0x34),
        (0x10, CONNACK_SESSION_PRESENT, 0x3c, PUBREC, 0x62),
        (0x10, CONNACK_SESSION_PRESENT, 0x62),
        (0x10, CONNACK_SESSION_PRESENT, 0x62, PUBCOMP, PUBLISHED, "!stream 1 100000", lambda link: link.recv(10000, socket.MSG_WAITALL)),
        (0x10, CONNACK_SESSION_PRESENT, 0x3a, PUBACK, PUBLISHED, "mqtt_sub fw/in 1", 0x82),
        (0x10, CONNACK_SESSION_PRESENT, 0x82, SUBACK, SUBSCRIBED, "mqtt_un 1", 0xa2),
        (0x10, CONNACK_SESSION_PRESENT, 0xa2, UNSUBACK, SUBSCRIBED, "mqtt_dis", 0xe0))
    came = []
    broker = context.scripted(*(play(context, came, *steps, Scripted.reset) for steps in connections))
    image = context.kept_session(port=broker.port)
    for told in ("MQTT published - QoS1", "MQTT published - QoS2", "stream published - QoS1", r"MQTT subscribed \[1\]", r"MQTT subscribed \[1\]", CLOSED):
        image.expect(told)
    broker.finish()
    check(image.text.count("reconnecting") == len(connections) - 1, "the last end was asked for")
    check("failed" not in image.text, "nothing has failed")
    _, first, _, again, second, _, second_again, release, _, release_again, _, last, _, streaming = came[:14]
    check(first == again and second == second_again and second[6:8] == release == release_again == last, "sent again is not as it stood")
    check(streaming[13:] == streamed(100000), "the stream differs")
    image.quit()


def never_closed(context):
    """A broker that closes no connection: the old ones, which wait for it, leave room for the next."""
    connections = 30

    def script(link):
        Scripted.packet(link)
        link.sendall(CONNACK + b"\xf0\x00")       # an error, so that this side closes at once

    broker = context.scripted(*[script] * connections)
    image = context.image(port=broker.port)
    image.expect("network up")
    for _ in range(connections):
        ends(image, "mqtt_con", "MQTT connected\n" + PROTOCOL)
    broker.finish()
    image.quit()


def crashes(context):
    """A stack overflow, an assertion, a fault and, where there is a kernel, a heap that is exhausted: each ends the image with a code of its own."""
    causes = {"!overflow": 102, "!assertion": 101, "!fault": 103}
    if context.firmware == "freertos-lwip":
        causes["!heap"] = 104
    for line, code in causes.items():
        image = context.connected()
        image.type(line)
        check(image.exit_code() == code, f"{line}: exit code {image.process.returncode} instead of {code}")
        image.expect("fatal: ")
