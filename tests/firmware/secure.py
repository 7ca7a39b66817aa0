"""Secure connections: who is refused, and why. That messages arrive is for the tests that plain connections have too."""
import os
import select
import socket
import subprocess

import equipment
from equipment import HOST, ROOT, Scripted, check, free_port
from failures import CLOSED, LINK_LOST, TIMEOUT, ends, succeeds

BOARD = "an386-secure"      # the images are built for secure connections, and make no others by themselves
CERTIFICATES = f"{ROOT}/target/firmware-certificates"
IN_2001, IN_2052 = 1000000000, 2600000000


def make_certificates():
    subprocess.run([f"{ROOT}/tests/certificates", CERTIFICATES], check=True)


class Broker(equipment.Broker):
    """A Mosquitto that the images know by its certificate, and that knows them by theirs, at other ports with other certificates."""

    COMMAND = "mqtts_con"
    OTHERS = "untrusted", "wrong-name", "expired", "early", "wrong-usage"

    def __init__(self, folder):
        self.ports = {name: free_port() for name in ("broker", "locked", "suspicious", *self.OTHERS)}
        self.log = os.path.join(folder, "mosquitto.log")
        listeners = [self._listener(name, name) for name in ("broker", *self.OTHERS)]
        listeners.append(self._listener("locked", "broker", users="allow_anonymous false\n"))
        listeners.append(self._listener("suspicious", "broker", authority="other-ca"))
        super().__init__(folder, "".join(listeners))
        self.locked_port = self.ports["locked"]

    def _listener(self, name, certificate, authority="ca", users="allow_anonymous true\nuse_identity_as_username true\n"):
        return (f"listener {self.ports[name]} {HOST}\n{users}require_certificate true\n"
                f"cafile {CERTIFICATES}/{authority}.crt\ncertfile {CERTIFICATES}/{certificate}.crt\nkeyfile {CERTIFICATES}/{certificate}.key\n")

    @property
    def image_port(self):
        return self.ports["broker"]

    def has_said(self, text):
        with open(self.log, encoding="utf-8") as file:
            return text in file.read()


def known(context):
    """The broker knows the image by its certificate."""
    image = context.connected()
    check(context.broker.has_said("u'device'"), "the broker has not told the client's name")
    image.quit()


def refused(context, reason, **arguments):
    """No connection for this reason; no CONNECT is sent, and the image goes on."""
    image = context.image(**arguments)
    image.expect("network up")
    for _ in range(2):
        image.type("mqtts_con")
        image.expect(rf"MQTT error! ERROR_MQTT_SECURITY \(a security check failed\): [^\n]+ \({reason}\)\nMQTT closed\n")
    image.quit()
    check(not context.broker.has_said("Sending CONNACK"), "the broker was sent a CONNECT")


def certificates(context):
    """A broker whose certificate is wrong is refused, and one that does not know the image's refuses it."""
    for name, reason in ("untrusted", 1), ("wrong-name", 2), ("expired", 3), ("early", 4), ("wrong-usage", 5), ("suspicious", 0x100 + 48):
        refused(context, reason, port=context.broker.ports[name])
    refused(context, 2, servername="another.test")


def calendar(context):
    """Certificates are valid as the image's own calendar has it; one that begins with 1970 trusts nobody."""
    refused(context, 3, time=IN_2052)
    refused(context, 4, time=IN_2001)
    refused(context, 4, time=0)


def interrupted(context):
    """A handshake that comes to a halt, or whose link is lost, is told within the deadline of a step, and the next one succeeds."""
    def pass_on(limit, end):
        """A broker that is heard for so many bytes, and then meets this end."""
        def script(link):
            with socket.create_connection((HOST, context.broker.image_port)) as broker:
                heard = 0
                while heard < limit:
                    for ready in select.select([link, broker], [], [])[0]:
                        data = ready.recv(limit - heard if ready is broker else 4096)
                        if not data:
                            return link.close()         # for the other, too
                        (link if ready is broker else broker).sendall(data)
                        heard += len(data) if ready is broker else 0
                        if heard == limit:
                            break
                end(link)
        return script

    def halt(link):
        while link.recv(4096):
            pass                        # until the image has closed it
        link.close()

    closed = f"#({LINK_LOST}|{CLOSED})"         # QEMU's network may make the one of the other
    ways = [(limit, end, told) for limit in (1, 5, 100, 400, 700)
            for end, told in ((halt, TIMEOUT), (Scripted.reset, closed), (socket.socket.close, closed))]
    broker = context.scripted(*(pass_on(limit, end) for limit, end, _ in ways), pass_on(1000000, halt))
    image = context.image(port=broker.port, response=2)
    image.expect("network up")
    for limit, end, told in ways:
        ends(image, "mqtts_con", told, 1.9 if end == halt else 0)
    succeeds(context, image)
    image.quit()


def panic(context):
    """Where the library cannot go on the image ends, with a code of its own."""
    image = context.connected()
    image.type("!panic")
    check(image.exit_code() == 105, f"exit code {image.process.returncode}")
    image.expect("fatal: ")


TESTS = [known, certificates, calendar, interrupted, panic]
