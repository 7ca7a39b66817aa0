"""What the test of the firmware works with: the image in QEMU, a Mosquitto, Mosquitto's own clients, and a broker that misbehaves."""
import getpass
import json
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOST = "127.0.0.1"  # the image knows it as 10.0.2.2


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            return True
    except OSError:
        return False


class Failure(Exception):
    """What was seen is not what was expected."""


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def check(condition, what):
    if not condition:
        raise Failure(what)


class Image:
    """The firmware in QEMU. Its UART is read all the time; `expect` looks for text after what was found last."""

    NETWORK = "user,model=lan9118,id=n0"

    def __init__(self, firmware, board, folder, network=NETWORK, cable=True, **arguments):
        words = ["firmware"] + [f"{name}={value}" for name, value in arguments.items()]
        self.control_path = os.path.join(folder, "qmp")
        command = ["qemu-system-arm", "-M", f"mps2-{board}", "-display", "none", "-monitor", "none", "-serial", "stdio",
                   "-kernel", f"{ROOT}/target/{firmware}/{board}/firmware.elf", "-nic", network,
                   "-qmp", f"unix:{self.control_path},server=on,wait=off",
                   "-semihosting-config", "enable=on,target=native," + ",".join("arg=" + word for word in words)]
        command += [] if cable else ["-S"]
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.text = ""
        self.at = 0
        self.news = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()
        if not cable:
            self.cable(False)
            self._control("cont")

    def _read(self):
        while data := os.read(self.process.stdout.fileno(), 4096):
            with self.news:
                self.text += data.decode(errors="replace").replace("\r", "")
                self.news.notify_all()
        with self.news:
            self.news.notify_all()

    def _control(self, command, **arguments):
        deadline = time.monotonic() + 5
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
            for request in ("qmp_capabilities", {}), (command, arguments):
                line.write(json.dumps({"execute": request[0], "arguments": request[1]}) + "\n")
                line.flush()
                while "return" not in (answer := json.loads(line.readline())):
                    check("error" not in answer, f"QEMU: {answer}")

    def cable(self, connected):
        self._control("set_link", name="n0", up=connected)

    def type(self, line):
        self.process.stdin.write(line.encode() + b"\r")
        self.process.stdin.flush()

    def expect(self, pattern, seconds=10):
        """Waits for a regular expression, and returns its match."""
        start = time.monotonic()
        with self.news:
            while True:
                match = re.compile(pattern, re.MULTILINE).search(self.text, self.at)
                if match:
                    self.at = match.end()
                    return match
                left = start + seconds - time.monotonic()
                if left <= 0 or self.process.poll() is not None:
                    raise Failure(f"the image has not said /{pattern}/ but: ...{self.text[self.at:][-600:]!r}")
                self.news.wait(min(left, 0.5))

    def count(self, pattern, number, seconds=60):
        """Waits until so many matches have come."""
        deadline = time.monotonic() + seconds
        for _ in range(number):
            self.expect(pattern, deadline - time.monotonic())

    def processor_time(self):
        """Seconds that the emulated processor, and what emulates the rest, has worked."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            user, system = file.read().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def exit_code(self, seconds=10):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure("the image does not end") from None

    def quit(self):
        self.type("quit")
        check(self.exit_code() == 0, f"exit code {self.process.returncode}")

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Broker:
    """A Mosquitto that keeps its sessions over a restart."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.locked_port = free_port()
        self.ipv6 = has_ipv6()
        self.configuration = os.path.join(folder, "mosquitto.conf")
        self.process = None
        with open(self.configuration, "w", encoding="ascii") as file:
            file.write(f"user {getpass.getuser()}\nper_listener_settings true\n"
                       f"persistence true\npersistence_location {folder}/\nmax_queued_messages 0\nqueue_qos0_messages true\n"
                       f"log_type all\nlog_dest file {folder}/mosquitto.log\n"
                       f"listener {self.port} {HOST}\nallow_anonymous true\n"
                       f"listener {self.locked_port} {HOST}\nallow_anonymous false\n")
            if self.ipv6:
                file.write(f"listener {self.port} ::1\nallow_anonymous true\n")
        self.start()

    def start(self):
        self.process = subprocess.Popen(["mosquitto", "-c", self.configuration], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 5
        while True:
            try:
                socket.create_connection((HOST, self.port), 1).close()
                return
            except OSError:
                check(time.monotonic() < deadline and self.process.poll() is None, "Mosquitto does not start")
                time.sleep(0.02)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        self.process.wait()

    def hold(self):
        self.process.send_signal(signal.SIGSTOP)

    def release(self):
        self.process.send_signal(signal.SIGCONT)

    def _client(self, program, *arguments, data=None, seconds=60):
        done = subprocess.run([program, "-h", HOST, "-p", str(self.port), *arguments],
                              input=data, capture_output=True, timeout=seconds, check=False)
        check(done.returncode == 0, f"{program} {arguments}: {done.returncode} {done.stderr!r}")
        return done.stdout

    def publish(self, topic, qos, payload):
        self._client("mosquitto_pub", "-t", topic, "-q", str(qos), "-s", data=payload)

    def publish_lines(self, topic, qos, lines):
        self._client("mosquitto_pub", "-t", topic, "-q", str(qos), "-l", data="".join(f"{line}\n" for line in lines).encode())

    def keep(self, topic, qos):
        """From now on the broker keeps what is published there in a session, so that no time plays a part in `kept`."""
        self._client("mosquitto_sub", "-i", "reader", "-c", "-q", str(qos), "-t", topic, "-E")

    def kept(self, topic, qos, number, seconds=30):
        """Pairs of topic and payload; waits for so many, and then that there are no more. Forgets the session."""
        command = ["mosquitto_sub", "-h", HOST, "-p", str(self.port), "-i", "reader", "-c", "-q", str(qos), "-t", topic, "-F", "%t %x"]
        lines = []
        with subprocess.Popen(command, stdout=subprocess.PIPE) as reader:
            collector = threading.Thread(target=lambda: lines.extend(reader.stdout), daemon=True)
            watchdog = threading.Timer(seconds, reader.terminate)
            collector.start()
            watchdog.start()
            while len(lines) < number and reader.poll() is None:
                time.sleep(0.05)
            time.sleep(0.5)
            watchdog.cancel()
            reader.terminate()
            collector.join()
        check(len(lines) == number, f"{len(lines)} messages instead of {number}")
        self._client("mosquitto_sub", "-i", "reader", "-q", "0", "-t", "none", "-E")
        return [(topic, bytes.fromhex(payload)) for topic, payload in (line.decode().split() for line in lines)]


class Scripted:
    """A broker that does to each connection what a function says. CONNECTs are taken before."""

    def __init__(self, *scripts):
        self.listener = socket.create_server((HOST, 0))
        self.port = self.listener.getsockname()[1]
        self.scripts = scripts
        self.open = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        for script in self.scripts:
            try:
                link, _ = self.listener.accept()
                self.open.append(link)
                script(link)
            except OSError:
                pass

    def stop(self):
        self.listener.close()
        for link in self.open:
            link.close()

    @staticmethod
    def packet(link):
        """Reads one packet with a remaining length below 128."""
        head = link.recv(2, socket.MSG_WAITALL)
        return head + link.recv(head[1], socket.MSG_WAITALL) if len(head) == 2 else b""

    @staticmethod
    def reset(link):
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        link.close()


class NameServer:
    """Answers the questions for addresses with 10.0.2.2, with that there is no such name, or not at all. It needs port 53."""

    def __init__(self):
        self.link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.link.bind((HOST, 53))
        self.answers = []       # what to say to each question: "known", "unknown" or "nothing"
        self.asked = 0
        self.ending = False
        self.link.settimeout(0.1)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.ending:
            try:
                question, client = self.link.recvfrom(512)
            except TimeoutError:
                continue
            self.asked += 1
            answer = self.answers.pop(0) if self.answers else "nothing"
            time.sleep(0.2)     # so that the attempt does wait
            name = question[12:]
            if answer == "known":
                record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + bytes((10, 0, 2, 2))
                self.link.sendto(question[:2] + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0) + name + record, client)
            elif answer == "unknown":
                self.link.sendto(question[:2] + struct.pack(">HHHHH", 0x8183, 1, 0, 0, 0) + name, client)

    def stop(self):
        self.ending = True
        self.thread.join()
        self.link.close()
