/* The six operations whose instructions are counted, over a link in memory: a broker that this file plays itself. Every
   byte sent is checked, so that nothing is counted that did not work. The functions of this file and of link.c are the
   firmware's: what they cost is not the library's, and is left out of the count. They use no memcpy(), so that every call
   of it that is counted is the library's. */
#include "link.h"
#include "count.h"

#define TIMES 50    /* how often each operation is done, after as many that are not counted */
#define PATIENCE 20 /* calls to fnPollMQTT until something must have happened */

#define TOPIC "uTasker/test1"
#define PAYLOAD "abcd\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13"
#define PAYLOAD_LENGTH 14
#define IDENTIFIER_AT (2 + 2 + sizeof(TOPIC) - 1) /* in a PUBLISH */

static unsigned char ucSent[64]; /* to the broker */
static unsigned short usSent;
static int iConnected, iSubscribed, iAcknowledged, iMessages;

static void fnCopy(unsigned char *ptrTo, const void *ptrFrom, unsigned short usLength)
{
    const unsigned char *from = ptrFrom;
    while (usLength-- != 0) {
        *ptrTo++ = *from++;
    }
}

static int fnSend(void *ptrContext, const unsigned char *ptrData, unsigned short usLength)
{
    (void)ptrContext;
    if (usLength > sizeof(ucSent) - usSent) {
        fnFinish("more was sent than expected");
    }
    fnCopy(ucSent + usSent, ptrData, usLength);
    usSent += usLength;
    return usLength;
}

static unsigned short fnCallback(signed char scEvent, unsigned char *ptrData, unsigned long ulLength,
                                 unsigned char ucSubscriptionRef)
{
    (void)ucSubscriptionRef;
    switch (scEvent) {
    case MQTT_CLIENT_IDENTIFIER:
        fnCopy(ptrData, "KINETIS", 7);
        return 7;
    case MQTT_CONNACK_RECEIVED:
        iConnected++;
        break;
    case MQTT_SUBACK_RECEIVED:
        iSubscribed++;
        break;
    case MQTT_PUBLISH_ACKNOWLEDGED:
        iAcknowledged++;
        break;
    case MQTT_TOPIC_MESSAGE:
        if (ulLength != PAYLOAD_LENGTH) {
            fnFinish("the message has not the length that was sent");
        }
        while (ulLength-- != 0) {
            if (ptrData[ulLength] != (unsigned char)PAYLOAD[ulLength]) {
                fnFinish("the message is not the one that was sent");
            }
        }
        iMessages++;
        break;
    default:
        fnFinish("an event that was not expected");
    }
    return 0;
}

/* Four bytes from the broker: PUBACK and its like. */
static void fnArrive_answer(unsigned char ucType, const unsigned char *ptrIdentifier)
{
    static unsigned char ucAnswer[4] = {0, 2};
    ucAnswer[0] = ucType;
    fnCopy(ucAnswer + 2, ptrIdentifier, 2);
    fnArrive(ucAnswer, sizeof(ucAnswer));
}

static void fnArrive_publish(unsigned char ucQoS, unsigned char ucIdentifier)
{
    static unsigned char ucPublish[64];
    unsigned short usLength = IDENTIFIER_AT;
    fnCopy(ucPublish, "\x30\x1d\0\x0d" TOPIC, usLength);
    if (ucQoS != 0) {
        ucPublish[0] |= ucQoS << 1;
        ucPublish[1] += 2;
        ucPublish[usLength++] = 0;
        ucPublish[usLength++] = ucIdentifier;
    }
    fnCopy(ucPublish + usLength, PAYLOAD, PAYLOAD_LENGTH);
    fnArrive(ucPublish, usLength + PAYLOAD_LENGTH);
}

/* Polls until so many bytes were sent, and forgets them; what was sent stays readable. */
static void fnPoll_until_sent(unsigned char ucType, unsigned short usLength)
{
    int iPoll;
    for (iPoll = 0; usSent < usLength && iPoll < PATIENCE; iPoll++) {
        fnPollMQTT();
    }
    if (usSent != usLength || ucSent[0] != ucType) {
        fnFinish("the wrong packet was sent, or none");
    }
    usSent = 0;
}

static void fnPoll_until(const int *ptrCount, int iCount)
{
    int iPoll;
    for (iPoll = 0; *ptrCount < iCount && iPoll < PATIENCE; iPoll++) {
        fnPollMQTT();
    }
    if (*ptrCount != iCount) {
        fnFinish("an event did not come");
    }
}

static void fnPublish(signed char cQoS)
{
    if (fnPublishMQTT_data(0, TOPIC, cQoS, PAYLOAD, PAYLOAD_LENGTH) <= 0) {
        fnFinish("fnPublishMQTT_data refused");
    }
    fnPoll_until_sent(0x30 | cQoS << 1, IDENTIFIER_AT + (cQoS != 0 ? 2 : 0) + PAYLOAD_LENGTH);
}

static void fnPublish_0(int iTime)
{
    fnPublish(0);
    fnPoll_until(&iAcknowledged, iTime);
}

static void fnPublish_1(int iTime)
{
    fnPublish(1);
    fnArrive_answer(0x40, ucSent + IDENTIFIER_AT); /* PUBACK */
    fnPoll_until(&iAcknowledged, iTime);
}

static void fnPublish_2(int iTime)
{
    unsigned char ucIdentifier[2];
    fnPublish(2);
    fnCopy(ucIdentifier, ucSent + IDENTIFIER_AT, 2);
    fnArrive_answer(0x50, ucIdentifier); /* PUBREC */
    fnPoll_until_sent(0x62, 4);          /* PUBREL */
    fnArrive_answer(0x70, ucIdentifier); /* PUBCOMP */
    fnPoll_until(&iAcknowledged, iTime);
}

static void fnReceive_0(int iTime)
{
    fnArrive_publish(0, 0);
    fnPoll_until(&iMessages, iTime);
}

static void fnReceive_1(int iTime)
{
    fnArrive_publish(1, iTime);
    fnPoll_until_sent(0x40, 4); /* PUBACK */
    fnPoll_until(&iMessages, iTime);
}

static void fnReceive_2(int iTime)
{
    const unsigned char ucIdentifier[2] = {0, iTime};
    fnArrive_publish(2, iTime);
    fnPoll_until_sent(0x50, 4);          /* PUBREC */
    fnArrive_answer(0x62, ucIdentifier); /* PUBREL */
    fnPoll_until_sent(0x70, 4);          /* PUBCOMP */
    fnPoll_until(&iMessages, iTime);
}

static void fnCount(const char *ptrName, void (*fnOperation)(int iTime))
{
    int iTime;
    iAcknowledged = iMessages = 0;
    for (iTime = 1; iTime <= TIMES; iTime++) {
        fnOperation(iTime);
    }
    fnCount_start(ptrName);
    for (; iTime <= 2 * TIMES; iTime++) {
        fnOperation(iTime);
    }
    fnCount_stop(ptrName);
}

void fnOperations(void)
{
    static const unsigned char ucAddress[4] = {192, 0, 2, 1};
    static unsigned char ucSuback[5] = {0x90, 3, 0, 0, 2};
    platform.fnSend = fnSend;
    if (fnSetMQTT_platform(&platform) != MQTT_RESULT_OK ||
        fnConnectMQTT(ucAddress, fnCallback, MQTT_CONNECT_FLAG_CLEAN_SESSION) != MQTT_RESULT_OK) {
        fnFinish("could not connect");
    }
    fnPoll_until_sent(0x10, 21);
    fnArrive("\x20\x02\0\0", 4); /* CONNACK */
    fnPoll_until(&iConnected, 1);
    if (fnSubscribeMQTT(TOPIC, 2) != 1) {
        fnFinish("could not subscribe");
    }
    fnPoll_until_sent(0x82, 20);
    fnCopy(ucSuback + 2, ucSent + 2, 2);
    fnArrive(ucSuback, sizeof(ucSuback));
    fnPoll_until(&iSubscribed, 1);

    fnCount("publish_0", fnPublish_0);
    fnCount("receive_0", fnReceive_0);
    fnCount("publish_1", fnPublish_1);
    fnCount("receive_1", fnReceive_1);
    fnCount("publish_2", fnPublish_2);
    fnCount("receive_2", fnReceive_2);
}
