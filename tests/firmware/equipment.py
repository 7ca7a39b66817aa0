"""What the test of the firmware works with: the image in QEMU, a Mosquitto, Mosquitto's own clients, and a broker that misbehaves."""
import contextlib
import getpass
import json
import os
import random
import re
import signal
import socket
import struct
import subprocess
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOST = "127.0.0.1"  # the image knows it as 10.0.2.2
HOST_IPV6 = "::1"   # as fec0::2
PATIENCE = 240      # seconds, with what takes long only on a machine that has much else to do
CONNACK = b"\x20\x02\x00\x00"
CONNACK_SESSION_PRESENT = b"\x20\x02\x01\x00"
PUBACK, PUBREC, PUBCOMP, SUBACK, UNSUBACK = (0x40, b""), (0x50, b""), (0x70, b""), (0x90, b"\x01"), (0xb0, b"")    # see play
CONNECTED, SUBSCRIBED, PUBLISHED = re.compile("MQTT connected"), re.compile("MQTT subscribed"), re.compile("published - QoS")


def elf(firmware, board, name):
    """The image, as c-examples/mps2/mps2.mk has it built."""
    return f"{ROOT}/target/{firmware}/{board}/{name}.elf"


AT_ONCE = 10        # seconds: sooner than what is told of a link that is silent for the default response time, 15


class Failure(Exception):
    """What was seen is not what was expected."""


PORTS = iter(random.sample(range(10000, 32768), 10000))        # below those that the system gives to whoever connects


def free_port():
    """One that is free for both versions of IP."""
    for port in PORTS:
        try:
            with socket.socket() as probe, socket.socket(socket.AF_INET6) as probe_ipv6:
                probe.bind((HOST, port))
                probe_ipv6.bind((HOST_IPV6, port))
                return port
        except OSError:
            pass                        # somebody has it
    raise Failure("no port is free")


def check(condition, what):
    if not condition:
        raise Failure(what)


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        check(time.monotonic() < deadline, what)
        time.sleep(0.02)


def published(messages, number, length):
    """The payloads of both publishers, each in order and once."""
    fill = bytes(97 + at % 26 for at in range(length))
    for topic in "fw/a", "fw/b":
        got = [payload for name, payload in messages if name == topic]
        for i, payload in enumerate(got):
            head = b"%d " % i
            check(payload == head + fill[len(head):], f"{topic}: message {i} is {payload[:20]!r}")
        check(len(got) == number, f"{topic}: {len(got)} messages instead of {number}")


def streamed(length):
    """The payload of a stream."""
    return (bytes((at ^ at >> 8) & 0xff for at in range(65536)) * (length // 65536 + 1))[:length]


def fnv(data):
    """The check sum that the image tells."""
    total = 2166136261
    for byte in data:
        total = (total ^ byte) * 16777619 & 0xffffffff
    return total


class Image:
    """The firmware in QEMU. Its UART is read all the time; `expect` looks for text after what was found last."""

    NETWORK = "user,model=lan9118,id=n0"
    HUB = "hubport,hubid=1,model=lan9118,id=n0"     # nothing else is connected to it

    def __init__(self, firmware, board, folder, network=NETWORK, cable=True, **arguments):
        words = ["firmware"] + [f"{name}={value}" for name, value in arguments.items()]
        self.control_path = os.path.join(folder, "qmp")
        command = ["qemu-system-arm", "-M", f"mps2-{board.removesuffix('-secure')}", "-display", "none", "-monitor", "none", "-serial", "stdio",
                   "-kernel", elf(firmware, board, "firmware"), "-nic", network,
                   "-qmp", f"unix:{self.control_path},server=on,wait=off",
                   "-semihosting-config", "enable=on,target=native," + ",".join("arg=" + word for word in words)]
        command += [] if cable else ["-S"]
        with open(os.path.join(folder, "qemu.log"), "ab") as log:       # not between what the image says
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        self.text = ""
        self.at = 0
        self.over = False               # all that it said was read
        self.news = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()
        if not cable:
            self.cable(False)
            self._control(("cont", {}))

    def _read(self):
        while data := os.read(self.process.stdout.fileno(), 4096):
            with self.news:
                self.text += data.decode(errors="replace").replace("\r", "")
                self.news.notify_all()
        with self.news:
            self.over = True
            self.news.notify_all()

    def _control(self, *commands):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                connection = socket.socket(socket.AF_UNIX)
                connection.connect(self.control_path)
                break
            except OSError:
                connection.close()
                check(time.monotonic() < deadline, "QEMU does not answer")
                time.sleep(0.02)
        with connection, connection.makefile("rw") as line:
            for request in ("qmp_capabilities", {}), *commands:
                line.write(json.dumps({"execute": request[0], "arguments": request[1]}) + "\n")
                line.flush()
                while "return" not in (answer := json.loads(line.readline())):
                    check("error" not in answer, f"QEMU: {answer}")

    def cable(self, connected):
        self._control(("set_link", {"name": "n0", "up": connected}))

    def connect_hub(self):
        """Gives the network of `HUB` a router and DHCP."""
        self._control(("netdev_add", {"type": "user", "id": "u0"}), ("netdev_add", {"type": "hubport", "id": "p0", "hubid": 1, "netdev": "u0"}))

    def type(self, line):
        self.process.stdin.write(line.encode() + b"\r")
        self.process.stdin.flush()

    def expect(self, pattern, seconds=PATIENCE):
        """Waits for a regular expression, and returns its match."""
        start = time.monotonic()
        with self.news:
            while True:
                match = re.compile(pattern, re.MULTILINE).search(self.text, self.at)
                if match:
                    self.at = match.end()
                    return match
                left = start + seconds - time.monotonic()
                if left <= 0 or self.over:
                    ended = "" if self.process.poll() is None else f"has ended with {self.process.returncode}, and "
                    raise Failure(f"the image {ended}has not said /{pattern}/ but: ...{self.text[self.at:][-600:]!r}")
                self.news.wait(min(left, 0.5))

    def count(self, pattern, number, seconds=PATIENCE):
        """Waits until so many matches have come."""
        deadline = time.monotonic() + PATIENCE
        for _ in range(number):
            self.expect(pattern, deadline - time.monotonic())

    def total(self, pattern, number, seconds=PATIENCE):
        """Waits until so many matches have come since the start, whatever was looked for since."""
        with self.news:
            said = self.news.wait_for(lambda: len(re.findall(pattern, self.text)) >= number, seconds)
        check(said, f"the image has not said /{pattern}/ {number} times")

    def since(self, at, pattern):
        """Waits for what the image says behind this place of its text, whatever was looked for since, and returns the match."""
        with self.news:
            match = self.news.wait_for(lambda: re.compile(pattern).search(self.text, at), PATIENCE)
        check(match, f"the image has not said /{pattern}/")
        return match

    def subscribe(self, topic, qos):
        self.type(f"mqtt_sub {topic} {qos}")
        self.expect("MQTT subscribed")

    def arrived(self, number, more=r"\d+ bytes, 0 out of order"):
        """So many messages since this was asked last."""
        self.type("!arrived")
        self.expect(f"arrived {number} messages, {more}")

    def processor_time(self):
        """Seconds that the emulated processor, and what emulates the rest, has worked."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            user, system = file.read().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def exit_code(self):
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure("the image does not end") from None

    def stacks(self):
        """Has the image tell how deep each stack was, and its heap."""
        self.type("!stacks")
        self.expect(r"heap \d+ of \d+ bytes")

    def quit(self):
        self.stacks()
        self.type("quit")
        check(self.exit_code() == 0, f"exit code {self.process.returncode}")

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Broker:
    """A Mosquitto that keeps its sessions over a restart."""

    COMMAND = "mqtt_con"        # with which an image connects
    END = "end"     # the topic of a message that follows all others
    failure = None  # it has none of its own
    READER = "mosquitto_sub", "-i", "reader", "-c", "-q", "2", "-t", END

    def __init__(self, folder, more=""):
        """`more` is what else its configuration says."""
        self.folder = folder
        self.port = free_port()
        self.locked_port = free_port()
        self.configuration = os.path.join(folder, "mosquitto.conf")
        self.process = None
        with open(self.configuration, "w", encoding="ascii") as file:
            file.write(f"user {getpass.getuser()}\nper_listener_settings true\n"
                       f"persistence true\npersistence_location {folder}/\nmax_queued_messages 0\nqueue_qos0_messages true\n"
                       f"log_type all\nlog_dest file {folder}/mosquitto.log\n"
                       f"listener {self.port} {HOST}\nallow_anonymous true\n"
                       f"listener {self.port} {HOST_IPV6}\nallow_anonymous true\n"
                       f"listener {self.locked_port} {HOST}\nallow_anonymous false\n" + more)
        self.start()

    @property
    def image_port(self):
        return self.port

    def start(self):
        self.process = subprocess.Popen(["mosquitto", "-c", self.configuration], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection((HOST, self.port), PATIENCE).close()
                return
            except OSError:
                check(time.monotonic() < deadline and self.process.poll() is None, "Mosquitto does not start")
                time.sleep(0.02)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        self.process.wait()

    def heard(self):
        """The bytes that it has read so far, of all clients and files."""
        with open(f"/proc/{self.process.pid}/io", encoding="ascii") as file:
            return int(re.search(r"rchar: (\d+)", file.read())[1])

    def hears(self, number):
        """Waits until it has read so many more."""
        start = self.heard()
        wait_until(lambda: self.heard() >= start + number, "the broker hears nothing")

    def hold(self):
        self.process.send_signal(signal.SIGSTOP)

    def release(self):
        self.process.send_signal(signal.SIGCONT)

    def _command(self, program, *arguments):
        return [program, "-h", HOST, "-p", str(self.port), *arguments]

    def _client(self, *command, data=None):
        done = subprocess.run(self._command(*command), input=data, capture_output=True, timeout=PATIENCE, check=False)
        check(done.returncode == 0, f"{command}: {done.returncode} {done.stderr!r}")

    def publish(self, topic, qos, payload):
        self._client("mosquitto_pub", "-t", topic, "-q", str(qos), "-s", data=payload)

    def publish_lines(self, topic, qos, lines, batch=None, arrived=None):
        """A message for each line; where they go in batches, `arrived` returns when so many more have arrived."""
        batch = batch or len(lines)
        with subprocess.Popen(self._command("mosquitto_pub", "-t", topic, "-q", str(qos), "-l"), stdin=subprocess.PIPE) as writer:
            for first in range(0, len(lines), batch):
                part = lines[first:first + batch]
                writer.stdin.write("".join(f"{line}\n" for line in part).encode())
                writer.stdin.flush()
                if arrived:
                    arrived(len(part))
            writer.stdin.close()
            check(writer.wait(PATIENCE) == 0, f"mosquitto_pub: {writer.returncode}")

    def keep(self, topic):
        """From now on the broker keeps what is published there in a session, so that no time plays a part in `kept`."""
        self._client(*self.READER, "-t", topic, "-E")

    def kept(self, topic, qos, number):
        """Pairs of topic and payload: so many of this QoS, and no more. Forgets the session."""
        messages = []
        with subprocess.Popen(self._command(*self.READER, "-t", topic, "-F", "%t %x"), stdout=subprocess.PIPE, text=True) as reader:
            watchdog = threading.Timer(PATIENCE, reader.terminate)
            watchdog.start()
            for line in reader.stdout:
                name, _, payload = line.rstrip("\n").partition(" ")
                messages.append((name, bytes.fromhex(payload)))
                if len(messages) == number:
                    self.publish(self.END, qos, b"end")         # comes behind all of the same QoS
                if name == self.END:
                    break
            watchdog.cancel()
            reader.terminate()
        check(len(messages) == number + 1 and messages.pop() == (self.END, b"end"), f"{len(messages)} messages instead of {number}")
        self._client("mosquitto_sub", "-i", "reader", "-q", "0", "-t", "none", "-E")
        return messages


class Scripted:
    """A broker that does to each connection, one after the other, what a function says. Where the link is lost in one, that may be
    meant; whatever else goes wrong fails the test."""

    def __init__(self, *scripts):
        self.listener = socket.create_server((HOST, 0))
        self.port = self.listener.getsockname()[1]
        self.scripts = scripts
        self.open = []
        self.failure = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        for script in self.scripts:
            try:
                link, _ = self.listener.accept()
                self.open.append(link)
                script(link)
            except OSError as lost:
                self.failure = self.failure or lost
            except Exception as wrong:
                self.failure = wrong if isinstance(wrong, Failure) else Failure(f"{script.__name__}: {wrong!r}")
                return

    def finish(self):
        """All has gone as it should."""
        self.thread.join(PATIENCE)
        check(not self.thread.is_alive(), "not every connection was made")
        if self.failure:
            raise self.failure

    def stop(self):
        self.listener.close()
        for link in self.open:
            link.close()

    @staticmethod
    def packet(link):
        """Reads one packet: its first byte, and what follows the remaining length."""
        def read(number):
            data = link.recv(number, socket.MSG_WAITALL)
            if len(data) < number:
                raise ConnectionError("the image has closed the connection")
            return data

        [first], length, shift = read(1), 0, 0
        while True:
            [byte] = read(1)
            length |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return first, read(length)

    @staticmethod
    def reset(link):
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        link.close()


def play(context, came, *steps):
    """A script: a step is a line to type, the first byte of a packet that must come, whose body is kept in `came`, an answer to that
    packet (its first byte, and what follows the identifier), something else to send, a pattern that the image must say behind what was
    sent last (what is typed, a cut cable or a reset can overtake that), or what to do with the link."""
    def script(link):
        identifier, sent = b"", 0
        for step in steps:
            if isinstance(step, (bytes, tuple)):
                sent = len(context.images[-1].text)
            if isinstance(step, str):
                context.images[-1].type(step)
            elif isinstance(step, re.Pattern):
                context.images[-1].since(sent, step)
            elif isinstance(step, bytes):
                link.sendall(step)
            elif isinstance(step, tuple):
                first, rest = step
                link.sendall(bytes((first, 2 + len(rest))) + identifier + rest)
            elif isinstance(step, int):
                first, body = Scripted.packet(link)
                check(first == step, f"a packet {first:02x} instead of {step:02x}")
                came.append(body)
                at = 2 + int.from_bytes(body[:2], "big") if first & 0xf0 == 0x30 else 0      # behind the topic
                identifier = body[at:at + 2]
            else:
                step(link)

    return script


class NameServer:
    """Answers the questions for addresses with that of this machine, with that there is none, or not at all, as `answers` has it for
    each name. All tests share one, since it needs port 53, and leave that to others when none of them needs it any more."""

    IPV4, IPV6 = 1, 28      # types of addresses
    UNKNOWN, SILENCE = 0, -1
    ADDRESS = {IPV4: bytes((10, 0, 2, 2)), IPV6: bytes.fromhex("fec0") + bytes(13) + b"\x02"}
    TURN = threading.Lock()
    users = 0
    link = None
    answers = {}
    asked = {}              # how many times

    @classmethod
    def start(cls):
        """Where it does not run yet. The same test on the same machine may use the port, too: it is waited for."""
        with cls.TURN:
            if cls.users == 0:
                cls.link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                wait_until(cls._bind, f"port 53 of {HOST} is needed for a name server, and somebody has it")
                threading.Thread(target=cls._run, args=(cls.link,), daemon=True).start()
            cls.users += 1

    @classmethod
    def stop(cls):
        """For one of those who have started it."""
        with cls.TURN:
            cls.users -= 1
            if cls.users == 0:
                with contextlib.suppress(OSError):
                    cls.link.shutdown(socket.SHUT_RDWR)         # ends the wait for a question, though it says that it does not
                cls.link.close()

    @classmethod
    def _bind(cls):
        try:
            cls.link.bind((HOST, 53))
        except PermissionError:
            raise Failure(f"port 53 of {HOST} is needed for a name server: only root may have it") from None
        except OSError:
            return False
        return True

    @classmethod
    def _run(cls, link):
        while True:
            question, client = link.recvfrom(512)
            if not question:
                return
            threading.Timer(0.2, cls._answer, (link, question, client)).start()         # so that the attempt does wait

    @classmethod
    def _answer(cls, link, question, client):
        name, wanted = question[12:-4], struct.unpack(">H", question[-4:-2])[0]
        name = b".".join(re.findall(rb"[\x01-\x1f]([^\x00-\x1f]+)", name)).decode()
        answer = cls.answers[name]
        cls.asked[name] = cls.asked.get(name, 0) + 1
        record = b""
        if answer == wanted:
            address = cls.ADDRESS[wanted]
            record = b"\xc0\x0c" + struct.pack(">HHIH", wanted, 1, 0, len(address)) + address
        flags = 0x8183 if answer == cls.UNKNOWN else 0x8180
        if answer != cls.SILENCE:
            with contextlib.suppress(OSError):  # the test has ended
                link.sendto(question[:2] + struct.pack(">HHHHH", flags, 1, bool(record), 0, 0) + question[12:] + record, client)
