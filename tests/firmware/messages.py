"""Messages in both directions, one by one and all at once."""
import os
import re
import select
import threading
import time

from equipment import CONNACK, PATIENCE, Scripted, check, fnv, published, streamed

MESSAGES = 1000
WINDOW = 16     # QoS 2 messages that the broker is given at once: it exceeds its own window of 20 now and then, the library keeps 32
ARRIVED = r"Message \(\d+\) \[1\]"


def menu(context):
    """The menu on the UART says what it says everywhere."""
    image = context.connected()
    for line, answer in (
            ("mqtt_sub uTasker/test1 1", r"Subscribing \(ref=1\)...\n#MQTT subscribed \[1\]"),
            ("mqtt_sub uTasker/test2", r"Subscribing \(ref=2\)...\n#MQTT subscribed \[2\]"),
            ("mqtt_top", r"Reference:1 QoS:1 Topic:uTasker/test1\nReference:2 QoS:2 Topic:uTasker/test2\n#"),
            ("mqtt_pub 1", r"Publishing...\n#"),
            ("mqtt_un 2", r"Unsubscribing...\n#MQTT subscribed \[2\]"),
            ("mqtt_con", r"MQTT error! ERROR_MQTT_IN_USE"),
            ("mqtt_dis", r"Disconnecting...\n#MQTT closed"),
            ("mqtt_dis", r"MQTT error! ERROR_MQTT_NOT_READY")):
        image.type(line)
        image.expect(answer)
        if line == "mqtt_pub 1":
            message, published = r"Message \(14\) \[1\]\n", r"MQTT published - QoS1 \[1\]\n"
            image.expect(f"{message}{published}|{published}{message}")
    image.quit()


def publish(context):
    """Two publishers at the same time: tasks, where there are tasks."""
    image = context.connected()
    for qos in 0, 1, 2:
        context.broker.keep("fw/+")
        image.type(f"!publish {qos} {MESSAGES // 2} 40")
        tasks = [image.expect(r"publisher \w: (\d+) acknowledged, (\d+) failed, (\d+) ms") for _ in range(2)]
        check([task[1] for task in tasks] == [str(MESSAGES // 2)] * 2, f"QoS {qos}: {[task[0] for task in tasks]}")
        context.figure(f"{MESSAGES} messages of 40 bytes out at QoS {qos} in {max(int(task[3]) for task in tasks)} ms")
        messages = context.broker.kept("fw/+", qos, MESSAGES)
        published(messages, MESSAGES // 2, 40)
    image.quit()


def receive(context):
    """All that is published arrives once, in order."""
    image = context.kept_session()
    image.subscribe("fw/in", 2)
    for qos, batch in (0, MESSAGES), (1, MESSAGES), (2, WINDOW):
        start = time.monotonic()
        context.broker.publish_lines("fw/in", qos, range(MESSAGES), batch, lambda number: image.count(ARRIVED, number))
        context.figure(f"{MESSAGES} messages in at QoS {qos} in {time.monotonic() - start:.1f} s")
        image.arrived(MESSAGES)
    image.quit()


def flood(context):
    """More at QoS 2 than the library keeps: it ends the connection, and the session brings what is missing, once and in order."""
    image = context.kept_session()
    image.subscribe("fw/in", 2)
    context.broker.publish_lines("fw/in", 2, range(10 * WINDOW))
    image.count(ARRIVED, 10 * WINDOW)
    context.figure(f"{image.text.count('ERROR_MQTT_BUSY')} new connections, since the broker exceeded its window")
    image.arrived(10 * WINDOW)
    image.quit()


def both_ways(context):
    """Two publishers while messages arrive, all at QoS 2."""
    image = context.kept_session()
    image.subscribe("fw/in", 2)
    context.broker.keep("fw/+")
    image.type(f"!publish 2 {MESSAGES // 2} 100")
    context.broker.publish_lines("fw/in", 2, range(MESSAGES), WINDOW, lambda number: image.count(ARRIVED, number))
    image.total(r"publisher \w: \d+ acknowledged, 0 failed", 2)
    image.arrived(MESSAGES)
    messages = context.broker.kept("fw/+", 2, 2 * MESSAGES)
    published(messages, MESSAGES // 2, 100)
    image.quit()


def large(context):
    """1400 bytes and 64 KB, both ways."""
    image = context.connected()
    image.subscribe("fw/in", 2)
    for qos in 0, 1, 2:
        context.broker.keep("fw/+")
        image.type(f"!publish {qos} 1 1400")
        image.count(r"publisher \w: 1 acknowledged, 0 failed", 2)
        messages = context.broker.kept("fw/+", qos, 2)
        published(messages, 1, 1400)
        context.broker.keep("fw/stream")
        image.type(f"!stream {qos} 65536")
        image.expect(f"stream published - QoS{qos}")
        [(_, payload)] = context.broker.kept("fw/stream", qos, 1)
        check(payload == streamed(65536), "the stream differs")
        for length in 1400, 65536:
            payload = b"0" + os.urandom(length - 1)
            context.broker.publish("fw/in", qos, payload)
            image.expect(rf"Message \({length}\) \[1\]")
            image.arrived(1, f"{length} bytes, . out of order, sum {fnv(payload)}")
    image.quit()


def interrupt(context):
    """A timer's interrupt publishes while two publishers do."""
    image = context.connected()
    for qos in 0, 1, 2:
        context.broker.keep("fw/+")
        image.type(f"!publish {qos} 500 40")
        image.type(f"!interrupt {qos} 500")
        done = rf"publisher \w: 500 acknowledged, 0 failed|interrupts published - QoS{qos}"
        image.count(done, 3)
        messages = context.broker.kept("fw/+", qos, 1500)
        published(messages, 500, 40)
        check(messages.count(("fw/interrupt", b"from an interrupt")) == 500, "those of the interrupt")
    image.quit()


def crossing(context):
    """A stream goes out while messages come in: acknowledgements wait for it, and so does the broker."""
    image = context.kept_session()
    image.subscribe("fw/in", 1)
    context.broker.keep("fw/stream")
    image.type("!stream 1 4000000")
    context.broker.publish_lines("fw/in", 1, range(MESSAGES))
    image.total("stream published", 1)
    image.total(ARRIVED, MESSAGES)
    image.arrived(MESSAGES)
    [(_, payload)] = context.broker.kept("fw/stream", 1, 1)
    check(payload == streamed(4000000), "the stream differs")
    image.quit()


def back_pressure(context):
    """While the library does not read, the broker is held back, and what it has sent takes no more memory than TCP's window."""
    image = context.connected()
    image.subscribe("fw/in", 0)
    start = time.monotonic()
    image.type("!pause 1000")
    image.expect("pausing")
    context.broker.publish_lines("fw/in", 0, [f"{number} {'x' * 1300}" for number in range(MESSAGES)])
    image.count(ARRIVED, MESSAGES)
    check(time.monotonic() - start > 0.9, "there was no pause")
    image.arrived(MESSAGES)
    image.stacks()
    if context.firmware == "bare-lwip":
        used = int(re.search(r"^heap (\d+) of", image.text, re.MULTILINE)[1])
        context.figure(f"lwIP's heap: {used} bytes of 5840 of window, at most")
        check(used < 8000, "lwIP has kept too much")
    image.quit()


def closing(context):
    """What was sent before the end arrives, though the broker reads it late, and sends until it sees the end."""
    messages = (b"\x30\x87\x08\x00\x05fw/in" + bytes(1024)) * 50
    got = bytearray()
    leaving = threading.Event()

    def flood(link):
        Scripted.packet(link)
        link.sendall(CONNACK)
        leaving.wait(PATIENCE)
        link.setblocking(False)
        events = select.poll()
        events.register(link, select.POLLOUT | select.POLLRDHUP)
        while not any(event & select.POLLRDHUP for _, event in events.poll()):
            link.send(messages)
        link.settimeout(PATIENCE)
        if context.firmware == "bare-lwip":             # that port goes on discarding, lwIP's sockets are reset
            for _ in range(3):
                link.sendall(messages)
        while data := link.recv(10000):
            got.extend(data)

    broker = context.scripted(flood)
    image = context.image(port=broker.port)
    image.expect("network up")
    image.type("mqtt_con")
    image.expect("MQTT connected")
    image.type("!publish 0 100 100")
    image.count(r"publisher \w: 100 acknowledged", 2)
    leaving.set()
    image.count(r"Message \(1024\) \[0\]", 10)
    image.type("mqtt_dis")
    image.expect("MQTT closed")
    broker.finish()
    check(len(got) == 200 * len(b"\x30\x6a\x00\x04fw/a" + bytes(100)) + 2 and got.endswith(b"\xe0\x00"), f"{len(got)} bytes")
    image.quit()
