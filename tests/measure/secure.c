/* A secure connection on the emulated board, with a broker that was recorded (tests/tls/recording.rs): how many instructions the
   handshake takes, and its longest poll, how deep the stack gets there and with messages afterwards, and what secrets are left on it.
   QEMU counts time by instructions (-icount shift=6: 64 ns each), and the board's counter has ticks of 40 ns. */
#include "link.h"
#include "count.h"
#include "recording.inc"
#include <string.h>

#define COUNTER (*(volatile unsigned long *)0x40028018)
#define PAINT 0xa5
#define PAINTED 32768 /* bytes below the stack of fnPhase */

static unsigned char ucReceive[2065], ucTransmit[1024];
static unsigned long ulDrawn;
static int iFlight; /* of the broker is under way */
static int iConnected, iMessages, iAcknowledged;

static int fnSend(void *ptrContext, const unsigned char *ptrData, unsigned short usLength)
{
    (void)ptrContext;
    if (ptrData[0] == 22) {             /* the hello */
        fnArrive(ucFlight, sizeof(ucFlight));
        iFlight = 1;
    }
    return usLength;
}

static int fnRandom(void *ptrContext, unsigned char *ptrData, unsigned short usLength)
{
    (void)ptrContext;
    for (; usLength-- != 0; ulDrawn++) {
        *ptrData++ = (unsigned char)(ulDrawn * 167 + (ulDrawn >> 8) * 13 + 41);
    }
    return 0;
}

static unsigned long fnUnixTime(void *ptrContext)
{
    (void)ptrContext;
    return TIME;
}

void fnPanicMQTT(void)
{
    fnFinish("the library has panicked");
}

static unsigned short fnCallback(signed char scEvent, unsigned char *ptrData, unsigned long ulLength, unsigned char ucSubscriptionRef)
{
    (void)ulLength, (void)ucSubscriptionRef;
    switch (scEvent) {
    case MQTT_CLIENT_IDENTIFIER:
        *ptrData = 'c';
        return 1;
    case MQTT_CONNACK_RECEIVED:
        iConnected = 1;
        break;
    case MQTT_TOPIC_MESSAGE:
        iMessages++;
        break;
    case MQTT_PUBLISH_ACKNOWLEDGED:
        iAcknowledged++;
        break;
    case ERROR_MQTT_SECURITY:
        fnFinish("the connection was refused");
        break;
    }
    return 0;
}

static void fnTell(const char *ptrName, unsigned long ulNumber)
{
    char cLine[40], cDigits[12];
    int i = 0, digits = 0;
    while (*ptrName != 0) {
        cLine[i++] = *ptrName++;
    }
    cLine[i++] = ' ';
    do {
        cDigits[digits++] = (char)('0' + ulNumber % 10);
        ulNumber /= 10;
    } while (ulNumber != 0);
    while (digits != 0) {
        cLine[i++] = cDigits[--digits];
    }
    cLine[i] = 0;
    fnCount_stop(cLine);
}

static unsigned char *fnStack(void)
{
    unsigned char *sp;
    __asm__ volatile("mov %0, sp" : "=r"(sp));
    return sp;
}

/* How many of the secrets have left 8 bytes in a row on the stack below the caller. ucSecrets has them with their lengths before them. */
static void fnTraces(void)
{
    const unsigned char *secret = ucSecrets, *part, *place, *sp = fnStack();
    unsigned long traces = 0;
    for (; secret < ucSecrets + sizeof(ucSecrets); secret += 1 + secret[0]) {
        int found = 0;
        for (place = sp - PAINTED; place != sp - 8; place++) {
            for (part = secret + 1; part + 8 <= secret + 1 + secret[0]; part++) {
                found |= (*place == *part) && memcmp(place, part, 8) == 0;
            }
        }
        traces += (unsigned long)found;
    }
    fnTell("traces", traces);
}

/* Polls until something is so. Tells the instructions in all, those of the longest poll, the stack below this function, and the
   secrets that each poll has left there. */
static __attribute__((noinline)) void fnPhase(const char *ptrInstructions, const char *ptrLongest, const char *ptrStack, const int *ptrUntil)
{
    volatile unsigned char *paint = fnStack() - PAINTED;
    unsigned long all = 0, longest = 0, polls = 0, before, ticks;
    while (paint != fnStack() - 32) {
        *paint++ = PAINT;
    }
    while (!*ptrUntil) {
        if (++polls == 50) {
            fnFinish("nothing happens");
        }
        before = COUNTER;
        fnPollMQTT();
        ticks = COUNTER - before;
        all += ticks;
        longest = (ticks > longest) ? ticks : longest;
        fnTraces();
        if (iFlight && fnUnread() == 0) {
            iFlight = 0;
            fnArrive(ucConnack, sizeof(ucConnack));
        }
    }
    paint = fnStack() - PAINTED;
    while (*paint == PAINT) {
        paint++;
    }
    fnTell(ptrInstructions, all / 8 * 5);
    fnTell(ptrLongest, longest / 8 * 5);
    fnTell(ptrStack, (unsigned long)(fnStack() - paint));
}

void fnOperations(void)
{
    static const unsigned char address[4] = {10, 0, 0, 1};
    MQTT_SECURITY security = {0};

    platform.fnSend = fnSend;
    platform.fnRandom = fnRandom;
    platform.fnUnixTime = fnUnixTime;
    security.ptrServerName = "broker.test";
    CHOOSE(security);                   /* certificates or keys, whatever was recorded */
    security.ptrReceive = ucReceive;
    security.usReceiveLength = sizeof(ucReceive);
    security.ptrTransmit = ucTransmit;
    security.usTransmitLength = sizeof(ucTransmit);
    if (fnSetMQTT_platform(&platform) != 0 || fnSetMQTT_security(&security) != 0) {
        fnFinish("the choice was refused");
    }
    fnTraces();
    if (fnConnectMQTT(address, fnCallback, SECURE_MQTT_CONNECTION | MQTT_CONNECT_FLAG_CLEAN_SESSION) != 0) {
        fnFinish("the connection was not begun");
    }
    fnPhase("handshake", "longest", "stack", &iConnected);
    fnArrive(ucPublish, sizeof(ucPublish));
    fnPhase("receive", "-", "stack_traffic", &iMessages);
    if (fnPublishMQTT_data(0, "a", MQTT_SUBSCRIPTION_QoS_0, ucPublish, 500) < 0) {
        fnFinish("nothing was published");
    }
    fnPhase("publish", "-", "stack_traffic", &iAcknowledged);
}
