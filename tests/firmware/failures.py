"""What goes wrong: each failure gives the documented event within its deadline, and the image goes on when it is mended."""
import os
import re
import socket
import time

from equipment import (CONNACK, CONNACK_SESSION_PRESENT, PUBACK, PUBCOMP, PUBREC, SUBACK, UNSUBACK, Image, NameServer, Scripted, check, fnv, play, published,
                       streamed)

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
    image.expect("network down", 2)
    context.broker.publish("fw/in", 1, b"while the cable is cut")
    time.sleep(0.5)
    image.cable(True)
    start = time.monotonic()
    image.expect("network up")
    image.expect(r"Message \(22\) \[1\]", 15)
    context.figure(f"a queued message arrived {time.monotonic() - start:.1f} s after the cable was restored")

    context.broker.keep("fw/+")
    image.cable(False)
    image.expect("network down", 2)
    image.type("!publish 2 20 30")
    image.expect(UNREACHABLE + AGAIN, 5)
    image.expect(UNREACHABLE + AGAIN, 5)
    image.cable(True)
    start = time.monotonic()
    image.expect("session present 1\nMQTT connected", 15)
    context.figure(f"connected again {time.monotonic() - start:.1f} s after the cable was restored")
    image.count(r"publisher \w: 20 acknowledged, 0 failed", 2)
    messages = context.broker.kept("fw/+", 2, 40)
    published(messages, 20, 30)
    context.broker.publish("fw/in", 2, b"afterwards")
    image.expect(r"Message \(10\) \[1\]", 5)
    image.quit()


def restart(context):
    """The broker is restarted in mid-session: what was under way at QoS 2 arrives exactly once."""
    image = context.kept_session()
    context.broker.keep("fw/+")
    image.type("!publish 2 4000 50")
    time.sleep(0.2)
    context.broker.stop()
    image.expect(CLOSED + AGAIN, 2)
    check("publisher" not in image.text, "all was published before the broker was stopped")
    context.broker.start()
    start = time.monotonic()
    image.expect("session present 1\nMQTT connected", 10)
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
    time.sleep(0.2)
    cut(image)
    image.expect(told + AGAIN, 3)
    check("stream published" not in image.text, "all was streamed before")
    mend(image)
    image.expect("MQTT connected", 10)
    image.expect(f"stream published - QoS{qos}", 60)
    [(_, payload)] = context.broker.kept("fw/stream", qos, 1)
    check(payload == streamed(12000000), "the stream differs")
    image.quit()


def restart_in_stream(context):
    """The broker is restarted in the middle of a stream, which begins again."""
    broken_stream(context, 2, lambda image: context.broker.stop(), CLOSED, lambda image: context.broker.start())


def cable_in_stream(context):
    """The cable is cut in the middle of a stream, which begins again."""
    broken_stream(context, 1, lambda image: image.cable(False), UNREACHABLE, lambda image: image.cable(True))


def ends(image, line, pattern, least, most):
    """The attempt ends as told, not sooner and not later."""
    start = time.monotonic()
    image.type(line)
    image.expect(pattern, most)
    seconds = time.monotonic() - start
    check(seconds >= least, f"{line}: after {seconds:.1f} s already")
    return seconds


def succeeds(context, image):
    """An attempt of the same image, after others have failed."""
    ends(image, context.broker.COMMAND, "MQTT connected", 0, 5)
    ends(image, "mqtt_dis", "MQTT closed", 0, 2)


def failures(context):
    """Each attempt that fails gives the documented event within its deadline, and the next one succeeds."""
    connect = context.broker.COMMAND
    image = context.image(response=1)
    image.expect("network up")

    context.broker.stop()
    context.figure(f"refused: {ends(image, connect, LINK_LOST, 0, 1):.2f} s")
    context.broker.start()
    succeeds(context, image)

    context.figure(f"no such host: {ends(image, f'{connect} 10.0.2.99', TIMEOUT, 0.9, 3):.2f} s of 1")
    succeeds(context, image)

    context.broker.hold()
    context.figure(f"silent broker: {ends(image, connect, TIMEOUT, 0.9, 3):.2f} s of 1")
    context.broker.release()
    succeeds(context, image)

    image.type(f"{connect} 10.0.2.99")
    image.cable(False)
    image.expect(f"{UNREACHABLE}|{TIMEOUT}", 3)
    image.total("network down", 1, 2)
    context.figure(f"cable cut: {ends(image, connect, UNREACHABLE, 0, 1):.2f} s")
    image.cable(True)
    image.expect("network up", 5)
    succeeds(context, image)
    image.quit()

    image = context.image(port=context.broker.locked_port)
    image.expect("network up")
    ends(image, connect, r"MQTT connection refused - not authorised \(5\)\nMQTT closed", 0, 5)
    image.quit()


def names(context):
    """The broker's name is asked for at each attempt, without blocking: known, unknown, and no answer."""
    image = context.image(broker=context.name, dns="10.0.2.2", response=2)
    image.expect("network up")
    NameServer.answers[context.name] = NameServer.IPV4
    ends(image, "mqtt_con", "MQTT connected", 0.2, 2)
    ends(image, "mqtt_dis", "MQTT closed", 0, 2)
    NameServer.answers[context.name] = NameServer.UNKNOWN
    ends(image, "mqtt_con", UNREACHABLE, 0.2, 1)
    NameServer.answers[context.name] = NameServer.SILENCE
    ends(image, "mqtt_con", TIMEOUT, 1.9, 4)
    check(NameServer.asked[context.name] >= 3, "the name was not asked for each time")
    NameServer.answers[context.name] = NameServer.IPV4
    ends(image, "mqtt_con", "MQTT connected", 0, 5)
    image.quit()


def ipv6(context):
    """The broker has an IPv6 address, given or found by its name; the image gets its own from the router."""
    image = context.image(broker=context.name, dns="10.0.2.2", reconnect=1)
    image.expect("network up")
    image.type("mqtt_con fec0::2")      # the host, in QEMU's user network
    image.expect("MQTT connected", 15)
    image.subscribe("fw/in", 2)
    payload = b"0" + os.urandom(65535)
    context.broker.publish("fw/in", 2, payload)
    image.expect(r"Message \(65536\) \[1\]", 20)
    image.arrived(1, f"65536 bytes, . out of order, sum {fnv(payload)}")
    ends(image, "mqtt_dis", "MQTT closed", 0, 2)
    NameServer.answers[context.name] = NameServer.IPV6
    ends(image, "mqtt_con", "MQTT connected", 0.4, 3)
    image.quit()


def no_network(context):
    """Without a cable, or a DHCP server, attempts fail at once; when the network is there the connection is too, by itself."""
    for arguments, restore in ({"cable": False}, lambda image: image.cable(True)), ({"network": Image.HUB}, Image.connect_hub):
        image = context.image(reconnect=1, **arguments)
        image.expect("#")
        ends(image, "mqtt_con", UNREACHABLE + AGAIN, 0, 1)
        image.expect(UNREACHABLE + AGAIN, 2)
        restore(image)
        image.expect("network up", 10)
        image.expect("MQTT connected", 5)
        image.quit()


def silence(context):
    """A broker that falls silent in mid-session is noticed by the ping, and found again."""
    image = context.connected(keepalive=4, response=2, reconnect=1)
    context.broker.hold()
    try:
        start = time.monotonic()
        image.expect(TIMEOUT + AGAIN, 5)
        context.figure(f"silence noticed after {time.monotonic() - start:.1f} s (ping after 1 s, response time 2 s)")
        image.expect(TIMEOUT + AGAIN, 5)
    finally:
        context.broker.release()
    image.expect("MQTT connected", 10)
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
        time.sleep(0.1)                 # a reset can overtake what was sent
        Scripted.reset(link)

    def in_message(link):
        Scripted.packet(link)
        link.sendall(CONNACK + b"\x30\x20\x00\x05fw/in" + b"half")
        time.sleep(0.1)
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
        image.expect(told, 4)           # with the time until the next attempt
    check(re.search("Connecting...\n#" + "".join(told for _, told in states), image.text), "something else was told too")
    image.quit()


def lost_requests(context):
    """The link is lost in each state of a request: what the broker has not answered is sent again as it stood, and nothing else."""
    def told(text):                     # a reset can overtake what was sent
        return lambda link: image.total(text, 1, 5)

    # After the last step the connection is reset.
    connections = (
        (0x10, CONNACK, 'mqtt_pub "fw/x" 1', 0x32),
        (0x10, CONNACK_SESSION_PRESENT, 0x3a, PUBACK, told("MQTT published - QoS1"), 'mqtt_pub "fw/x" 2', 0x34),
        (0x10, CONNACK_SESSION_PRESENT, 0x3c, PUBREC, 0x62),
        (0x10, CONNACK_SESSION_PRESENT, 0x62),
        (0x10, CONNACK_SESSION_PRESENT, 0x62, PUBCOMP, told("MQTT published - QoS2"), "!stream 1 100000",
         lambda link: link.recv(10000, socket.MSG_WAITALL)),
        (0x10, CONNACK_SESSION_PRESENT, 0x3a, PUBACK, told("stream published - QoS1"), "mqtt_sub fw/in 1", 0x82),
        (0x10, CONNACK_SESSION_PRESENT, 0x82, SUBACK, "mqtt_un 1", 0xa2),
        (0x10, CONNACK_SESSION_PRESENT, 0xa2, UNSUBACK, "mqtt_dis", 0xe0))
    came = []
    broker = context.scripted(*(play(context, came, *steps, Scripted.reset) for steps in connections))
    image = context.kept_session(port=broker.port)
    for told in ("MQTT published - QoS1", "MQTT published - QoS2", "stream published - QoS1", r"MQTT subscribed \[1\]", r"MQTT subscribed \[1\]", CLOSED):
        image.expect(told, 5)
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
        ends(image, "mqtt_con", "MQTT connected\n" + PROTOCOL, 0, 2)
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
        image.expect("fatal: ", 1)
