"""Secure connections: who is refused, and why. That messages arrive is for the tests that plain connections have too."""
import os
import subprocess

import equipment
from equipment import HOST, ROOT, check, free_port

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
        self.ports = {name: free_port() for name in ("broker", "suspicious", *self.OTHERS)}
        self.log = os.path.join(folder, "mosquitto.log")
        listeners = [self._listener(name, name, "ca") for name in ("broker", *self.OTHERS)]
        super().__init__(folder, "".join(listeners) + self._listener("suspicious", "broker", "other-ca"))

    def _listener(self, name, certificate, authority):
        return (f"listener {self.ports[name]} {HOST}\nallow_anonymous true\nrequire_certificate true\nuse_identity_as_username true\n"
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
    context.stacks(image)
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
    """Certificates are valid as the image's own calendar has it; where it is not set, none is."""
    refused(context, 3, time=IN_2052)
    refused(context, 4, time=IN_2001)
    refused(context, 4, time=0)


TESTS = [known, certificates, calendar]
