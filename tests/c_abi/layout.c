/* The structs of the design, written down again: the header's must be laid out alike. All that is checked here is checked by the
   compiler. */
#include <stddef.h>

#include "utasker_mqtt.h"

typedef struct {
    void *ptrContext;
    int (*fnOpen)(void *ptrContext, const unsigned char *ptrAddress, unsigned char ucAddressLength, unsigned short usPort);
    int (*fnSend)(void *ptrContext, const unsigned char *ptrData, unsigned short usLength);
    int (*fnReceive)(void *ptrContext, unsigned char *ptrData, unsigned short usLength);
    void (*fnClose)(void *ptrContext);
    unsigned long (*fnMilliseconds)(void *ptrContext);
    int (*fnRandom)(void *ptrContext, unsigned char *ptrData, unsigned short usLength);
    unsigned long (*fnUnixTime)(void *ptrContext);
    void (*fnPrint)(void *ptrContext, const char *ptrText);
    void (*fnWake)(void *ptrContext);
} DESIGN_PLATFORM;

typedef struct {
    unsigned short usPort, usKeepAliveSeconds, usResponseSeconds, usReconnectMinSeconds, usReconnectMaxSeconds;
} DESIGN_OPTIONS;

typedef struct {
    const char *ptrServerName;
    const unsigned char *ptrAuthority;   unsigned short usAuthorityLength;
    const unsigned char *ptrCertificate; unsigned short usCertificateLength;
    const unsigned char *ptrPrivateKey;  unsigned short usPrivateKeyLength;
    const unsigned char *ptrKeyIdentity; unsigned short usKeyIdentityLength;
    const unsigned char *ptrKey;         unsigned short usKeyLength;
    unsigned char *ptrReceive;           unsigned short usReceiveLength;
    unsigned char *ptrTransmit;          unsigned short usTransmitLength;
} DESIGN_SECURITY;

typedef struct {
    const char *ptrTopic;
    unsigned short usTopicLength, usPacketIdentifier, usHandle;
    unsigned char ucQoS, ucRetained, ucDuplicate;
    unsigned long ulTotalLength, ulOffset;
} DESIGN_MESSAGE;

typedef struct {
    const char *ptrTopic;
    unsigned char ucQoS, ucGranted;
} DESIGN_SUBSCRIPTION;

#define SAME_SIZE(name) typedef char size_of_##name[(sizeof(MQTT_##name) == sizeof(DESIGN_##name)) ? 1 : -1]
/* A member of another type would not be comparable without a warning. */
#define SAME(name, member) \
    typedef char name##_##member[(offsetof(MQTT_##name, member) == offsetof(DESIGN_##name, member)) ? 1 : -1]; \
    int same_type_##name##_##member(const MQTT_##name *ours, const DESIGN_##name *theirs); \
    int same_type_##name##_##member(const MQTT_##name *ours, const DESIGN_##name *theirs) \
    { \
        return &ours->member == &theirs->member; \
    }

SAME_SIZE(PLATFORM);
SAME(PLATFORM, ptrContext)
SAME(PLATFORM, fnOpen)
SAME(PLATFORM, fnSend)
SAME(PLATFORM, fnReceive)
SAME(PLATFORM, fnClose)
SAME(PLATFORM, fnMilliseconds)
SAME(PLATFORM, fnRandom)
SAME(PLATFORM, fnUnixTime)
SAME(PLATFORM, fnPrint)
SAME(PLATFORM, fnWake)

SAME_SIZE(OPTIONS);
SAME(OPTIONS, usPort)
SAME(OPTIONS, usKeepAliveSeconds)
SAME(OPTIONS, usResponseSeconds)
SAME(OPTIONS, usReconnectMinSeconds)
SAME(OPTIONS, usReconnectMaxSeconds)

SAME_SIZE(SECURITY);
SAME(SECURITY, ptrServerName)
SAME(SECURITY, ptrAuthority)
SAME(SECURITY, usAuthorityLength)
SAME(SECURITY, ptrCertificate)
SAME(SECURITY, usCertificateLength)
SAME(SECURITY, ptrPrivateKey)
SAME(SECURITY, usPrivateKeyLength)
SAME(SECURITY, ptrKeyIdentity)
SAME(SECURITY, usKeyIdentityLength)
SAME(SECURITY, ptrKey)
SAME(SECURITY, usKeyLength)
SAME(SECURITY, ptrReceive)
SAME(SECURITY, usReceiveLength)
SAME(SECURITY, ptrTransmit)
SAME(SECURITY, usTransmitLength)

SAME_SIZE(MESSAGE);
SAME(MESSAGE, ptrTopic)
SAME(MESSAGE, usTopicLength)
SAME(MESSAGE, usPacketIdentifier)
SAME(MESSAGE, usHandle)
SAME(MESSAGE, ucQoS)
SAME(MESSAGE, ucRetained)
SAME(MESSAGE, ucDuplicate)
SAME(MESSAGE, ulTotalLength)
SAME(MESSAGE, ulOffset)

SAME_SIZE(SUBSCRIPTION);
SAME(SUBSCRIPTION, ptrTopic)
SAME(SUBSCRIPTION, ucQoS)
SAME(SUBSCRIPTION, ucGranted)

/* The prototypes of the design. */
int fnSetMQTT_platform(const MQTT_PLATFORM *);
int fnSetMQTT_options(const MQTT_OPTIONS *);
int fnSetMQTT_security(const MQTT_SECURITY *);
unsigned long fnPollMQTT(void);
int fnPublishMQTT_data(unsigned char ucRef, const char *ptrTopic, signed char cQoS, const void *ptrData, unsigned short usLength);
int fnPublishMQTT_stream(unsigned char ucRef, const char *ptrTopic, signed char cQoS, unsigned long ulTotalLength);
int fnGetMQTT_message(MQTT_MESSAGE *);
int fnGetMQTT_subscription(int iRef, MQTT_SUBSCRIPTION *);
unsigned long fnEnterMQTT_critical(void);
void fnExitMQTT_critical(unsigned long ulState);
int fnConnectMQTT(const unsigned char *ucIP, MQTT_CALLBACK fnCallback, unsigned long ulModeFlags);
int fnDisconnectMQTT(void);
int fnSubscribeMQTT(const char *ptrInput, unsigned char ucQoS);
int fnUnsubscribeMQTT(unsigned char ucSubscriptionRef);
int fnPublishMQTT(unsigned char ucTopicReference, const char *ptrTopic, signed char cQoS);
int fnShowMQTT_subscription(int iRef);
