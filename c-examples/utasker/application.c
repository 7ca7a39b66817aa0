/* A μTasker application as it was written for mqtt.c: the callback of the μTasker document, word for word, and a command line made of
   the document's calls. It knows nothing of utasker_mqtt.h. */
#include "config.h"

static unsigned short usPubLength = 10;

static unsigned short fnMQTT_callback(signed char scEvent, unsigned char *ptrData, unsigned long
ullength, unsigned char ucSubscriptionRef)
{
    CHAR *ptrBuf = (CHAR *)ptrData;
    int iAddRef = 0;
    switch (scEvent) {
        case MQTT_CLIENT_IDENTIFIER:
            ptrBuf = uStrcpy(ptrBuf, temp_pars->temp_parameters.cDeviceIDName); // supply a string to be used as MQTT device identifier - this should be unique and normally contain only characters 0..9, a..z, A..Z (normally up to 23 bytes)
            break;
        case MQTT_WILL_TOPIC: // optional connection string fields
        case MQTT_WILL_MESSAGE:
        case MQTT_USER_NAME:
        case MQTT_USER_PASSWORD:
            ptrBuf = uStrcpy(ptrBuf, "string");
            break;
        case MQTT_CONNACK_RECEIVED:
            fnDebugMsg("MQTT connected\r\n");
            break;
        case MQTT_SUBACK_RECEIVED:
            fnDebugMsg("MQTT subscribed");
            iAddRef = 1;
            break;
        case MQTT_UNSUBACK_RECEIVED:
            fnDebugMsg("MQTT subscribed");
            iAddRef = 1;
            break;
        case MQTT_PUBLISH_ACKNOWLEDGED:
            fnDebugMsg("MQTT published - QoS");
            fnDebugDec(ullength, 0);
            iAddRef = 1;
            break;
        case MQTT_PUBLISH_TOPIC: // add a default publish topic
            ptrBuf = uStrcpy(ptrBuf, "xyz/abc");
            break;
        case MQTT_PUBLISH_DATA:
            {
                static unsigned char ucDataCnt = 0;
                int i = 0;
                ptrBuf = uStrcpy(ptrBuf, "abcd"); // add string content
                while (i++ < usPubLength) { // plus some binary content
                    *ptrBuf++ = ucDataCnt++;
                }
            }
            break;
        case MQTT_HOST_CLOSED:
        case MQTT_CONNECTION_CLOSED:
            fnDebugMsg("MQTT closed\r\n");
            break;
        case MQTT_TOPIC_MESSAGE:
            fnDebugMsg("Message (");
            fnDebugDec(ullength, 0);
            fnDebugMsg(")");
            iAddRef = 1;
            break;
    }
    if (iAddRef != 0) {
        fnDebugMsg(" [");
        fnDebugDec(ucSubscriptionRef, 0);
        fnDebugMsg("]\r\n");
    }
    return (unsigned short)((unsigned char *)ptrBuf - ptrData);
}

/* The document's callback tells nothing of errors. */
static unsigned short fnEvents(signed char scEvent, unsigned char *ptrData, unsigned long ulLength, unsigned char ucSubscriptionRef)
{
    if (scEvent < 0) {
        fnDebugMsg("MQTT event ");
        fnDebugDec(scEvent, 0);
        fnDebugMsg("\r\n");
    }
    return fnMQTT_callback(scEvent, ptrData, ulLength, ucSubscriptionRef);
}

/* What is typed behind a command: up to two words, and whether the first stood in quotes. */
typedef struct {
    CHAR *ptrFirst;
    CHAR *ptrSecond;
    int iQuoted;
} ARGUMENTS;

static CHAR *fnNextWord(CHAR **ptrText)
{
    CHAR *ptrWord = *ptrText;

    while (**ptrText != 0 && **ptrText != ' ') {
        (*ptrText)++;
    }
    if (**ptrText != 0) {
        *(*ptrText)++ = 0;
    }
    return ptrWord;
}

static CHAR *fnUnquote(CHAR *ptrWord)
{
    CHAR *ptrEnd = ++ptrWord;

    while (*ptrEnd != 0 && *ptrEnd != '"') {
        ptrEnd++;
    }
    *ptrEnd = 0;
    return ptrWord;
}

static unsigned char fnNumber(const CHAR *ptrText)
{
    unsigned char ucNumber = 0;

    while (*ptrText >= '0' && *ptrText <= '9') {
        ucNumber = (unsigned char)(ucNumber * 10 + (*ptrText++ - '0'));
    }
    return ucNumber;
}

static void fnAddress(const CHAR *ptrText, unsigned char *ucIP)
{
    int i;

    for (i = 0; i < IPV4_LENGTH; i++) {
        ucIP[i] = fnNumber(ptrText);
        while (*ptrText != 0 && *ptrText++ != '.') {
        }
    }
}

static void fnConnect(const ARGUMENTS *arguments)
{
    unsigned long ulModeFlags = (UNSECURE_MQTT_CONNECTION |
                                 MQTT_CONNECT_FLAG_CLEAN_SESSION);
    unsigned char ucDestinationIP[] = {37, 187, 106, 16};
    fnAddress(arguments->ptrFirst, ucDestinationIP);
    if (fnConnectMQTT(ucDestinationIP, fnEvents, ulModeFlags) == 0) {
        fnDebugMsg("Connecting...");
    }
    else {
        fnDebugMsg("Can't connect!");
    }
}

static void fnSubscribe(const ARGUMENTS *arguments)
{
    int iSubscriptionReference;
    unsigned char ucQoS = 2;
    if (*arguments->ptrSecond != 0) {
        ucQoS = fnNumber(arguments->ptrSecond);
    }
    iSubscriptionReference = fnSubscribeMQTT(arguments->ptrFirst, ucQoS);
    if (iSubscriptionReference >= 0) {
        fnDebugMsg("Subscribing (ref=");
        fnDebugDec(iSubscriptionReference, 0);
        fnDebugMsg(")...");
    }
    else {
        fnDebugMsg("MQTT error!");
    }
}

static void fnList(const ARGUMENTS *arguments)
{
    int iRef = 1;

    (void)arguments;
    while (fnShowMQTT_subscription(iRef) != ERROR_MQTT_INVALID_SUBSCRIPTION) {
        iRef++;
    }
}

static void fnUnsubscribe(const ARGUMENTS *arguments)
{
    if (fnUnsubscribeMQTT(fnNumber(arguments->ptrFirst)) >= 0) { // unsubscribe from topic ref.
        fnDebugMsg("Unsubscribing...");
    }
    else {
        fnDebugMsg("MQTT error!");
    }
}

static void fnPublish(const ARGUMENTS *arguments)
{
    unsigned char ucSubscriptionRef = 0;
    CHAR *ptrTopic = 0;
    signed char cQoS = -1;
    if (arguments->iQuoted) {
        ptrTopic = arguments->ptrFirst;
    }
    else {
        ucSubscriptionRef = fnNumber(arguments->ptrFirst);
    }
    if (*arguments->ptrSecond != 0) {
        cQoS = (signed char)fnNumber(arguments->ptrSecond);
    }
    if (fnPublishMQTT(ucSubscriptionRef, ptrTopic, cQoS) == 0) {
        fnDebugMsg("Publishing...");
    }
    else {
        fnDebugMsg("MQTT error!");
    }
}

static void fnPublishShort(const ARGUMENTS *arguments)
{
    usPubLength = 10;
    fnPublish(arguments);
}

static void fnPublishLong(const ARGUMENTS *arguments)
{
    usPubLength = 1024;
    fnPublish(arguments);
}

static void fnDisconnect(const ARGUMENTS *arguments)
{
    (void)arguments;
    if (fnDisconnectMQTT() == 0) {
        fnDebugMsg("Disconnecting...");
    }
    else {
        fnDebugMsg("MQTT error!");
    }
}

static const struct {
    CHAR *ptrName;
    void (*fnRun)(const ARGUMENTS *arguments);
} commands[] = {
    {"mqtt_con", fnConnect},
    {"mqtt_sub", fnSubscribe},
    {"mqtt_top", fnList},
    {"mqtt_un", fnUnsubscribe},
    {"mqtt_pub", fnPublishShort},
    {"mqtt_pub_l", fnPublishLong},
    {"mqtt_dis", fnDisconnect}
};

void fnMQTT_menu(CHAR *ptrInput)
{
    CHAR *ptrCommand = fnNextWord(&ptrInput);
    ARGUMENTS arguments = {0, 0, 0};
    unsigned int i;

    arguments.ptrFirst = fnNextWord(&ptrInput);
    arguments.ptrSecond = fnNextWord(&ptrInput);
    if (*arguments.ptrFirst == '"') {
        arguments.iQuoted = 1;
        arguments.ptrFirst = fnUnquote(arguments.ptrFirst);
    }
    for (i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (uStrcmp(commands[i].ptrName, ptrCommand) == 0) {
            commands[i].fnRun(&arguments);
            fnDebugMsg("\r\n");
        }
    }
}
