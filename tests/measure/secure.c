/* Secure connections on the emulated board, with brokers that were recorded (tests/tls/recording.rs). A good one: how many instructions
   the handshake takes, and its longest poll, how deep the stack gets there and with messages afterwards, and what secrets are left on
   it. Then those that must be refused, each for its reason: what was optimised for this processor must still verify.
   QEMU counts time by instructions (-icount shift=6: 64 ns each), and the board's counter has ticks of 40 ns. */
#include "link.h"
#include "count.h"
#include <string.h>

#define COUNTER (*(volatile unsigned long *)0x40028018)
#define PAINT 0xa5
#define PAINTED 32768 /* bytes below the stack of fnPhase */

struct stBytes {
    const unsigned char *ptrStart;
    unsigned long ulLength;
};

static const struct stRecording {
    const char *ptrName;
    unsigned long ulReason;             /* why the broker must be refused; 0: it is a good one */
    MQTT_SECURITY choice;               /* certificates or keys */
    struct stBytes flight, connack, publish, secrets;
} recordings[] = {
#include "recording.inc"
}, *recording = recordings;

static unsigned char ucReceive[2065], ucTransmit[1024];
static unsigned long ulDrawn, ulReason;
static int iBlocked; /* the link takes nothing */
static int iFlight; /* of the broker is under way */
static int iConnected, iMessages, iAcknowledged, iEnded;

static void fnBroker_says(const struct stBytes *ptrBytes)
{
    fnArrive(ptrBytes->ptrStart, ptrBytes->ulLength);
}

static int fnSend(void *ptrContext, const unsigned char *ptrData, unsigned short usLength)
{
    (void)ptrContext;
    if (ptrData[0] == 22) {             /* the hello */
        fnBroker_says(&recording->flight);
        iFlight = 1;
    }
    if (iBlocked) {
        return 0;
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

static void fnClose(void *ptrContext)
{
    (void)ptrContext;
}

void fnPanicMQTT(void)
{
    fnFinish("the library has panicked");
}

static unsigned short fnCallback(signed char scEvent, unsigned char *ptrData, unsigned long ulLength, unsigned char ucSubscriptionRef)
{
    (void)ucSubscriptionRef;
    switch (scEvent) {
    case MQTT_CLIENT_IDENTIFIER:
        *ptrData = 'c';
        return 1;
    case MQTT_CONNACK_RECEIVED:
        if (recording->ulReason != 0) {
            fnFinish("a broker is trusted that must be refused");
        }
        iConnected = 1;
        break;
    case MQTT_TOPIC_MESSAGE:
        iMessages++;
        break;
    case MQTT_PUBLISH_ACKNOWLEDGED:
        iAcknowledged++;
        break;
    case ERROR_MQTT_SECURITY:
        ulReason = ulLength;
        break;
    case MQTT_CONNECTION_CLOSED:
        iEnded = 1;
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

/* How many of the secrets have left 8 bytes in a row on the stack below the caller. They lie with their lengths before them. */
static void fnTraces(void)
{
    const unsigned char *secret = recording->secrets.ptrStart, *end = secret + recording->secrets.ulLength, *part, *place, *sp = fnStack();
    unsigned long traces = 0;
    for (; secret < end; secret += 1 + secret[0]) {
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
        if (iEnded || ++polls == 50) {
            fnFinish("nothing happens any more");
        }
        before = COUNTER;
        fnPollMQTT();
        ticks = COUNTER - before;
        all += ticks;
        longest = (ticks > longest) ? ticks : longest;
        fnTraces();
        if (iFlight && fnUnread() == 0) {
            iFlight = 0;
            fnBroker_says(&recording->connack);
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

static void fnConnect(void)
{
    static const unsigned char address[4] = {10, 0, 0, 1};
    MQTT_SECURITY security = recording->choice;

    ulDrawn = ulReason = 0;             /* the recorded broker answers to the same hello alone */
    iFlight = iConnected = iEnded = 0;
    security.ptrServerName = "broker.test";
    security.ptrReceive = ucReceive;
    security.usReceiveLength = sizeof(ucReceive);
    security.ptrTransmit = ucTransmit;
    security.usTransmitLength = sizeof(ucTransmit);
    if (fnSetMQTT_security(&security) != 0) {
        fnFinish("the choice was refused");
    }
    fnTraces();
    if (fnConnectMQTT(address, fnCallback, SECURE_MQTT_CONNECTION | MQTT_CONNECT_FLAG_CLEAN_SESSION) != 0) {
        fnFinish("the connection was not begun");
    }
}

static void fnRefused(const char *ptrName, unsigned long ulExpected)
{
    fnTell(ptrName, ulExpected);
    fnPhase("-", "-", "-", &iEnded);
    if (ulReason != ulExpected) {
        fnTell("reason", ulReason);
        fnFinish("the connection was refused for another reason");
    }
}

void fnOperations(void)
{
    platform.fnSend = fnSend;
    platform.fnClose = fnClose;
    platform.fnRandom = fnRandom;
    platform.fnUnixTime = fnUnixTime;
    if (fnSetMQTT_platform(&platform) != 0) {
        fnFinish("the platform was refused");
    }
    fnConnect();
    fnPhase("handshake", "longest", "stack", &iConnected);
    fnBroker_says(&recording->publish);
    fnPhase("receive", "-", "stack_traffic", &iMessages);
    if (fnPublishMQTT_data(0, "a", MQTT_SUBSCRIPTION_QoS_0, recording->publish.ptrStart, 500) < 0) {
        fnFinish("nothing was published");
    }
    iBlocked = 1;
    fnPollMQTT();
    fnTraces();
    iBlocked = 0;
    fnPhase("publish", "-", "stack_traffic", &iAcknowledged);
    fnBroker_says(&recording->publish);
    fnRefused("repeated_record", MQTT_SECURITY_PROTOCOL);
    while (++recording != recordings + sizeof(recordings) / sizeof(*recordings)) {
        fnConnect();
        fnRefused(recording->ptrName, recording->ulReason);
    }
}
