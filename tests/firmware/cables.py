"""The cable is cut in each state of a connection: for so short a time that nothing is lost, or for so long that the image gives up."""
import os
import socket
import time

from equipment import (AT_ONCE, CONNACK, CONNACK_SESSION_PRESENT, CONNECTED, HOST, PATIENCE, PUBACK, PUBCOMP, PUBLISHED, PUBREC, SUBACK, SUBSCRIBED, check, fnv, play,
                       published, wait_until)
from failures import AGAIN, TIMEOUT, UNREACHABLE

PAYLOAD = b"0" + os.urandom(65535)
LARGE = b"\x30\x87\x80\x04\x00\x05fw/in" + PAYLOAD
ARRIVED = r"Message \(65536\) \[1\]"


def is_asked(port):
    """Whether a connection to this port waits to be accepted: in /proc/net/tcp its other end has the state SYN_SENT."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        return any(line.split()[2:4] == [f"0100007F:{port:04X}", "02"] for line in file)


def briefly(context):
    """The cable is cut and restored in each state, from connecting TCP to a publication and a large message: all goes on, on the same connection."""
    def cut(_=None):
        image.cable(False)

    def restore(_=None):
        image.expect("network down")
        image.cable(True)
        image.expect("network up")

    def told(pattern):
        return lambda _: image.expect(pattern)

    # The place of those that wait to be accepted is taken.
    with socket.create_server((HOST, 0), backlog=0) as listener, socket.create_connection(listener.getsockname()):
        image = context.image(port=listener.getsockname()[1])
        image.expect("network up")
        image.type("mqtt_con")
        wait_until(lambda: is_asked(listener.getsockname()[1]), "the image does not connect")
        cut()
        listener.accept()[0].close()
        restore()
        listener.settimeout(PATIENCE)
        with listener.accept()[0] as link:
            play(context, [], 0x10, cut, CONNACK, restore, told("MQTT connected"),
                 "mqtt_sub fw/in 1", 0x82, cut, SUBACK, restore, told("MQTT subscribed"),
                 'mqtt_pub "fw/x" 2', 0x34, cut, PUBREC, LARGE[:20000], restore, 0x62, LARGE[20000:], PUBCOMP,
                 told(ARRIVED), told("MQTT published - QoS2"), "mqtt_dis", 0xe0)(link)
        image.expect("MQTT closed")
    check("MQTT error" not in image.text, "something has failed")
    image.arrived(1, f"65536 bytes, . out of order, sum {fnv(PAYLOAD)}")
    image.quit()


def until_told(context):
    """The cable is cut in each state and stays so until the image has told of it: the next connection takes up what was left."""
    def cut(_):
        context.images[-1].cable(False)

    def begins(_):
        """Waits until the large message has begun to arrive."""
        image, arrived = context.images[-1], 0
        while not arrived:
            at = len(image.text)
            image.type("!arrived")
            arrived = int(image.since(at, r"arrived (\d+) messages")[1])

    connections = (
        (TIMEOUT, 0x10, cut, CONNACK),
        (f"{TIMEOUT}|{UNREACHABLE}", 0x10, CONNACK, CONNECTED, "mqtt_sub fw/in 1", 0x82, cut, SUBACK),
        (UNREACHABLE, 0x10, CONNACK_SESSION_PRESENT, 0x82, SUBACK, SUBSCRIBED, 'mqtt_pub "fw/x" 1', 0x32, cut, PUBACK),
        (UNREACHABLE, 0x10, CONNACK_SESSION_PRESENT, 0x3a, PUBACK, PUBLISHED, 'mqtt_pub "fw/x" 2', 0x34, cut, PUBREC),
        (UNREACHABLE, 0x10, CONNACK_SESSION_PRESENT, 0x3c, PUBREC, 0x62, cut, PUBCOMP),
        (UNREACHABLE, 0x10, CONNACK_SESSION_PRESENT, 0x62, PUBCOMP, LARGE[:20000], begins, cut, LARGE[20000:]))
    last = 0x10, CONNACK_SESSION_PRESENT, LARGE, lambda _: image.total(ARRIVED, 1), "mqtt_dis", 0xe0
    broker = context.scripted(*(play(context, [], *steps) for _, *steps in connections), play(context, [], *last))
    image = context.image(port=broker.port, reconnect=1, response=4, keepalive=6)
    image.expect("network up")
    image.type("!connect")
    for told, *_ in connections:
        image.expect(f"({told}){AGAIN}", AT_ONCE)
        image.cable(True)
        image.expect("session present")
    image.expect("MQTT closed")
    broker.finish()
    image.arrived(1, r"\d+ bytes, . out of order")    # behind the part of it that was asked for
    image.quit()


def loose(context):
    """A cable with a loose contact, while messages go both ways at QoS 2: each arrives once, in order."""
    batch, number = 10, 0
    image = context.kept_session()
    image.subscribe("fw/in", 2)
    context.broker.keep("fw/+")
    image.type("!publish 2 2000 200")
    for cut, whole in (0.02, 0.3), (0.1, 0.05), (0.5, 1), (0.02, 0.05), (1.2, 0.3), (0.1, 1):
        context.broker.publish_lines("fw/in", 2, range(number, number + batch))
        number += batch
        image.cable(False)
        time.sleep(cut)
        image.cable(True)
        time.sleep(whole)
    image.total(r"publisher \w: 2000 acknowledged, 0 failed", 2)
    image.total(r"Message \(\d+\) \[1\]", number)
    image.arrived(number)
    context.figure(f"{image.text.count('reconnecting')} times connected again")
    messages = context.broker.kept("fw/+", 2, 4000 + number)
    published(messages, 2000, 200)
    image.quit()
