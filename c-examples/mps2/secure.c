#include "secure.h"

#include "board.h"
#include "fatal.h"
#include "utasker_mqtt.h"

/* Records of 2048 bytes, which the library asks the broker to keep to, with what surrounds them. */
static unsigned char receive[2065];
static unsigned char transmit[1024];

/* In credentials.S. */
extern const unsigned char authority[], authority_end[], certificate[], certificate_end[], private_key[], private_key_end[];

void secure_start(const char *server_name)
{
    MQTT_SECURITY security = {0};

    security.ptrServerName = server_name;
    security.ptrAuthority = authority;
    security.usAuthorityLength = (unsigned short)(authority_end - authority);
    security.ptrCertificate = certificate;
    security.usCertificateLength = (unsigned short)(certificate_end - certificate);
    security.ptrPrivateKey = private_key;
    security.usPrivateKeyLength = (unsigned short)(private_key_end - private_key);
    security.ptrReceive = receive;
    security.usReceiveLength = sizeof receive;
    security.ptrTransmit = transmit;
    security.usTransmitLength = sizeof transmit;
    ENSURE(fnSetMQTT_security(&security) == MQTT_RESULT_OK);
}

void fnPanicMQTT(void)
{
    fatal(EXIT_PANIC, "the library cannot go on");
}
