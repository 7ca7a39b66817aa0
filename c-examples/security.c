#include "security.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pem.h"

#define MAX_FILE_LENGTH 200000          /* more than 65535 bytes are in base64 */
#define MAX_DER_LENGTH 65535            /* of any member of MQTT_SECURITY */
#define TOO_LARGE "it is too large: the library takes 65535 bytes of certificates"

#define RECORD_LENGTH 16640             /* the longest that TLS 1.3 allows */

/* The library copies none of this. */
static struct {
    unsigned char authority[MAX_FILE_LENGTH];
    unsigned char certificate[MAX_FILE_LENGTH];
    unsigned char private_key[MAX_FILE_LENGTH];
    unsigned char shared_key[OPTIONS_MAX_PSK_LENGTH];
    unsigned char receive[RECORD_LENGTH];
    unsigned char transmit[RECORD_LENGTH];
} storage;

static void fail(const OPTIONS *options, const char *what, const char *why)
{
    fprintf(stderr, "%s: %s: %s\n", options->program, what, why);
    exit(EXIT_FAILURE);
}

static unsigned short load(const OPTIONS *options, const char *name, PEM_KIND kind, unsigned char *content)
{
    FILE *file = fopen(name, "rb");
    const char *problem;
    size_t length;

    if (file == 0) {
        fail(options, name, strerror(errno));
    }
    length = fread(content, 1, MAX_FILE_LENGTH, file);
    if (ferror(file)) {
        fail(options, name, strerror(errno));
    }
    fclose(file);
    problem = (length < MAX_FILE_LENGTH) ? pem_decode(content, &length, kind) : TOO_LARGE;
    if (problem == 0 && length > MAX_DER_LENGTH) {
        problem = TOO_LARGE;
    }
    if (problem != 0) {
        fail(options, name, problem);
    }
    return (unsigned short)length;
}

static unsigned short decode_hexadecimal(const char *text, unsigned char *to)
{
    char digits[3] = {0};
    unsigned short length;

    for (length = 0; text[2 * length] != '\0'; length++) {
        memcpy(digits, text + 2 * length, 2);
        to[length] = (unsigned char)strtoul(digits, 0, 16);
    }
    return length;
}

/* The library does not say what it is that it cannot use: it is shown one thing after another. */
static void set(const OPTIONS *options, const MQTT_SECURITY *security, const char *what, const char *why)
{
    int result = fnSetMQTT_security(security);

    if (result == ERROR_MQTT_NOT_SUPPORTED) {
        fail(options, "secure connections", "not in this build; make SECURE=1 makes one that has them");
    }
    if (result != MQTT_RESULT_OK) {
        fail(options, what, why);
    }
}

static void prepare_certificates(const OPTIONS *options, MQTT_SECURITY *security)
{
    security->ptrAuthority = storage.authority;
    security->usAuthorityLength = load(options, options->cafile, PEM_AUTHORITIES, storage.authority);
    set(options, security, options->cafile, "it is not made of certificates that can be used");
    if (options->cert != 0) {
        security->ptrCertificate = storage.certificate;
        security->usCertificateLength = load(options, options->cert, PEM_CERTIFICATE, storage.certificate);
        security->ptrPrivateKey = storage.private_key;
        security->usPrivateKeyLength = load(options, options->key, PEM_PRIVATE_KEY, storage.private_key);
        set(options, security, options->cert, "it is not the certificate of a P-256 key, or not of the key given with --key");
    }
}

static void prepare_key(const OPTIONS *options, MQTT_SECURITY *security)
{
    security->ptrKeyIdentity = (const unsigned char *)options->psk_identity;
    security->usKeyIdentityLength = (unsigned short)strlen(options->psk_identity);
    security->ptrKey = storage.shared_key;
    security->usKeyLength = decode_hexadecimal(options->psk, storage.shared_key);
    set(options, security, "--psk", "the key, or its identity, cannot be used");
}

void security_prepare(const OPTIONS *options)
{
    MQTT_SECURITY security = {0};

    security.ptrServerName = "localhost";       /* a valid one */
    security.ptrReceive = storage.receive;
    security.usReceiveLength = sizeof storage.receive;
    security.ptrTransmit = storage.transmit;
    security.usTransmitLength = sizeof storage.transmit;
    if (options->cafile != 0) {
        prepare_certificates(options, &security);
    }
    else if (options->psk != 0) {
        prepare_key(options, &security);
    }
    else {
        return;
    }
    security.ptrServerName = (options->server_name != 0) ? options->server_name : options->host;
    set(options, &security, security.ptrServerName, "it is not a name that a certificate can bear; give another with --servername");
}
