/* utasker-mqtt 0.1.0: MQTT 3.1.1 client for microcontrollers, with the names of the uTasker MQTT API.

   Generated from the Rust sources of libutasker_mqtt.a by cbindgen; do not edit.

   The order of calls: fnSetMQTT_platform; where wanted fnSetMQTT_options and fnSetMQTT_security; fnConnectMQTT; then fnPollMQTT again
   and again. The callback tells what comes of it: from MQTT_CONNACK_RECEIVED on there is a connection, until MQTT_CONNECTION_CLOSED,
   MQTT_HOST_CLOSED or ERROR_MQTT_ARP_FAIL; where no new attempt follows by itself, fnConnectMQTT may be called in that event.

   Calls only record a request; all work is done, and all events are told, inside fnPollMQTT. Results below 0 are errors, named
   ERROR_MQTT_. "From any context" means: any task, any interrupt that the critical section masks, and the callback.

   The firmware provides an MQTT_PLATFORM, and at link time fnEnterMQTT_critical, fnExitMQTT_critical and, for secure
   connections, fnPanicMQTT. */
#ifndef UTASKER_MQTT_H
#define UTASKER_MQTT_H

#include "utasker_mqtt_config.h" /* beside the archive: the values that it was built with */

#ifdef __cplusplus
extern "C" {
#endif

/* A header and an archive of different versions do not link. */
#define fnSetMQTT_platform fnSetMQTT_platform_0_1_0

/*
 Result of fnOpen, fnSend or fnReceive: the host has closed the connection.
 */
#define MQTT_LINK_CLOSED -1

/*
 Result of fnOpen, fnSend or fnReceive: the connection was refused or reset, or timed out.
 */
#define MQTT_LINK_FAILED -2

/*
 Result of fnOpen, fnSend or fnReceive: address resolution or routing has failed.
 */
#define MQTT_LINK_UNREACHABLE -3

/*
 Mode flag: ucIP is an IPv6 address of 16 bytes.
 */
#define MQTT_CONNECT_IPV6 512

/*
 Mode flag: MQTT 3.1 (MQIsdp, level 3) instead of 3.1.1.
 */
#define MQTT_CONNECT_VERSION_3_1 1024

/*
 In cQoS: the QoS of the subscription; 2 for a one-off topic.
 */
#define MQTT_PUBLISH_SUBSCRIPTION_QoS 15

/*
 In cQoS, added: the broker retains the message.
 */
#define MQTT_PUBLISH_RETAIN 16

/*
 usKeepAliveSeconds: the broker is not to expect signs of life.
 */
#define MQTT_KEEPALIVE_OFF 65535

/*
 An argument is out of range, null, or contradicts another. As an event: a field of CONNECT, or a piece of a stream, was
 refused; the connection ends.
 */
#define ERROR_MQTT_INVALID_ARGUMENT -7

/*
 The topic is not valid: a wildcard in a publication, # not last, + or # beside other characters, not UTF-8.
 */
#define ERROR_MQTT_INVALID_TOPIC -8

/*
 The topic is longer than MQTT_MAX_TOPIC_LENGTH (subscriptions), or than what the transmit buffer holds (publications).
 */
#define ERROR_MQTT_TOPIC_TOO_LONG -9

/*
 The message will never fit: use fnPublishMQTT_stream.
 */
#define ERROR_MQTT_MESSAGE_TOO_LONG -10

/*
 There is no room now: try again when another request has ended, a publication with MQTT_PUBLISH_ACKNOWLEDGED or
 MQTT_PUBLISH_FAILED, the others with MQTT_SUBACK_RECEIVED, MQTT_SUBSCRIPTION_REFUSED or MQTT_UNSUBACK_RECEIVED. As an event: more
 than MQTT_MAX_INCOMING_QoS2 messages of QoS 2 are under way; the connection ends, and a session that is kept brings them again.
 */
#define ERROR_MQTT_BUSY -11

/*
 Not in this build.
 */
#define ERROR_MQTT_NOT_SUPPORTED -12

/*
 Event: the broker broke the protocol; the connection ends.
 */
#define ERROR_MQTT_PROTOCOL -13

/*
 Event: the broker, or the link, took longer than the response time; the connection ends.
 */
#define ERROR_MQTT_TIMEOUT -14

/*
 Event: the link was refused or reset, or timed out (MQTT_LINK_FAILED); MQTT_HOST_CLOSED follows.
 */
#define ERROR_MQTT_LINK -15

/*
 Event: a secure connection was refused. ulLength tells why, an MQTT_SECURITY_ value.
 */
#define ERROR_MQTT_SECURITY -16

/*
 ulLength of ERROR_MQTT_SECURITY: no authority stands for the broker's certificate.
 */
#define MQTT_SECURITY_UNKNOWN_AUTHORITY 1

/*
 The certificate does not bear ptrServerName, or names that its authority may not certify.
 */
#define MQTT_SECURITY_WRONG_NAME 2

/*
 A certificate has expired.
 */
#define MQTT_SECURITY_EXPIRED 3

/*
 A certificate is not valid yet, or the clock is not set.
 */
#define MQTT_SECURITY_NOT_YET_VALID 4

/*
 A certificate may not be used as it is: for a server, or to certify others.
 */
#define MQTT_SECURITY_WRONG_USAGE 5

/*
 A signature of a certificate, or of the handshake, is wrong.
 */
#define MQTT_SECURITY_BAD_SIGNATURE 6

/*
 The broker has not shown a certificate, or not that it has its key.
 */
#define MQTT_SECURITY_NO_CERTIFICATE 7

/*
 A certificate is malformed, or has what this build does not know: a kind of key or signature, something critical, too many
 others between it and the authority.
 */
#define MQTT_SECURITY_BAD_CERTIFICATE 8

/*
 fnRandom has failed, or always gives the same.
 */
#define MQTT_SECURITY_RANDOM 9

/*
 A record is longer than usReceiveLength.
 */
#define MQTT_SECURITY_RECORD_TOO_LARGE 10

/*
 The broker broke the TLS protocol, or uses what this client cannot, or somebody has changed what it sent.
 */
#define MQTT_SECURITY_PROTOCOL 11

/*
 Added to the number of an alert with which the broker has ended the connection (section 6 of RFC 8446), for example 48: it does
 not know the authority of the client's certificate.
 */
#define MQTT_SECURITY_ALERT 256

/*
 The broker has refused the connection. ulLength: its return code, 1 to 5.
 */
#define MQTT_CONNECTION_REFUSED 15

/*
 The broker has refused a subscription (ulLength 128), or it got no topic (0); its entry is free again.
 */
#define MQTT_SUBSCRIPTION_REFUSED 16

/*
 A part of a message that is larger than the reception buffer: ulLength bytes at ptrData. fnGetMQTT_message tells where they
 belong; the last part ends at the total length. After a lost link it begins again at 0.
 */
#define MQTT_TOPIC_MESSAGE_PART 17

/*
 The connection has ended; the next attempt follows in ulLength milliseconds.
 */
#define MQTT_RECONNECTING 18

/*
 Asks: write the next piece of a stream, at most ulLength bytes; fnGetMQTT_message tells where it belongs. 0: nothing yet, ask
 again within 100 ms. 0xffff, or nothing for the response time, ends the connection and fails the stream.
 */
#define MQTT_PUBLISH_DATA_PART 19

/*
 A publication has failed. ulLength: its QoS.
 */
#define MQTT_PUBLISH_FAILED 20

/*
 What the firmware provides: a TCP connection, a clock and a few services.

 Set all to zero, fill in, and hand it to fnSetMQTT_platform. It must outlive the library's use. None of the functions
 may block; all but fnWake and fnPrint are called inside fnPollMQTT only, never inside the critical section.
 */
typedef struct stMQTT_PLATFORM {
    /*
     Handed to every function below.
     */
    void *ptrContext;
    /*
     Starts a TCP connection and returns 0, also where the connection is still being made, or a negative MQTT_LINK_
     value. ptrAddress has ucAddressLength bytes in network order: 4, 16 (MQTT_CONNECT_IPV6), or 0: the platform knows its
     broker and resolves the name, at every attempt.
     */
    int (*fnOpen)(void *ptrContext,
                  const unsigned char *ptrAddress,
                  unsigned char ucAddressLength,
                  unsigned short usPort);
    /*
     Takes as many bytes as it can now and returns their number; 0: none now, since the connection is still being made or
     its buffer is full; negative MQTT_LINK_ value: the connection is lost. Zero must never be returned for a lost one, nor for
     one that could not be made: until CONNECT is sent fnReceive is not called, and only fnSend can tell.
     */
    int (*fnSend)(void *ptrContext, const unsigned char *ptrData, unsigned short usLength);
    /*
     Gives up to usLength bytes that have arrived and returns their number; 0: none now; negative MQTT_LINK_ value: the
     connection is lost, and all that had arrived was given before. Zero must never be returned for a lost one.
     */
    int (*fnReceive)(void *ptrContext, unsigned char *ptrData, unsigned short usLength);
    /*
     Ends the connection; what fnSend took is still delivered. Called once for each fnOpen that returned 0, also after
     errors.
     */
    void (*fnClose)(void *ptrContext);
    /*
     A clock in milliseconds, from any start, of which the lower 32 bits count.
     */
    unsigned long (*fnMilliseconds)(void *ptrContext);
    /*
     Fills in random bytes and returns 0, or negative. May be 0 where nothing is secure: the clock then has to do.
     */
    int (*fnRandom)(void *ptrContext, unsigned char *ptrData, unsigned short usLength);
    /*
     Seconds since 1970, for certificates. May be 0: their dates are not checked. A clock that answers 0 is not set: no
     certificate is then valid.
     */
    unsigned long (*fnUnixTime)(void *ptrContext);
    /*
     Prints for fnShowMQTT_subscription, in the context of its caller. May be 0.
     */
    void (*fnPrint)(void *ptrContext, const char *ptrText);
    /*
     A call has left work for fnPollMQTT: wakes the task that polls. Called in the context of the caller, interrupts
     included, outside the critical section. Must not poll. May be 0.
     */
    void (*fnWake)(void *ptrContext);
} MQTT_PLATFORM;

/*
 Choices for all connections; a field left 0 means the default.
 */
typedef struct stMQTT_OPTIONS {
    /*
     The broker's port. Default: 1883, or 8883 where secure.
     */
    unsigned short usPort;
    /*
     The longest silence that the broker accepts. MQTT_KEEPALIVE_OFF: any. Default: MQTT_KEEPALIVE_TIME_SECONDS.
     */
    unsigned short usKeepAliveSeconds;
    /*
     How long the broker, and the link, may take for an answer. Default: 15.
     */
    unsigned short usResponseSeconds;
    /*
     The first wait for a new attempt after a connection has ended is random, up to this; each further one up to twice the
     limit of the one before. What ended the connection does not matter: where MQTT_CONNECTION_REFUSED, say, is for good, call
     fnDisconnectMQTT in it. Each attempt asks for the client identifier, will, user name and password again. Default: there is no
     new attempt.
     */
    unsigned short usReconnectMinSeconds;
    /*
     The limit that the waits do not exceed. Default: usReconnectMinSeconds.
     */
    unsigned short usReconnectMaxSeconds;
} MQTT_OPTIONS;

/*
 What a secure connection needs: the broker's name and buffers, and certificates or a pre-shared key.
 */
typedef struct stMQTT_SECURITY {
    /*
     DNS name, or IP literal, that the broker's certificate must bear; never 0.
     */
    const char *ptrServerName;
    /*
     Trusted CA certificates, DER, one after another.
     */
    const unsigned char *ptrAuthority;
    /*
     Bytes there.
     */
    unsigned short usAuthorityLength;
    /*
     The client's certificate, DER; 0: none. With 13 bytes more it must fit the records that ptrReceive allows, which hold in both
     directions. A session ticket may carry it too: for OpenSSL's brokers that is 300 bytes more.
     */
    const unsigned char *ptrCertificate;
    /*
     Bytes there.
     */
    unsigned short usCertificateLength;
    /*
     Its P-256 key, SEC1 or PKCS#8 DER.
     */
    const unsigned char *ptrPrivateKey;
    /*
     Bytes there.
     */
    unsigned short usPrivateKeyLength;
    /*
     Identity of a pre-shared key, instead of certificates; 0: none.
     */
    const unsigned char *ptrKeyIdentity;
    /*
     Bytes there.
     */
    unsigned short usKeyIdentityLength;
    /*
     The pre-shared key.
     */
    const unsigned char *ptrKey;
    /*
     Bytes there.
     */
    unsigned short usKeyLength;
    /*
     Buffer for received TLS records, at least 529 bytes; the library's alone during a connection, and wiped after it. It must hold the
     longest record: the broker is asked not to exceed 4096, 2048, 1024 or 512 bytes and 17 more. 2065 suffices for brokers that
     honour that (OpenSSL's, so Mosquitto's), but the broker's certificates must fit one record; 16401 for all.
     */
    unsigned char *ptrReceive;
    /*
     Bytes there.
     */
    unsigned short usReceiveLength;
    /*
     Buffer for sent TLS records. At least 256 bytes more than ptrServerName and ptrKeyIdentity are long, and 64 more than the
     client's certificate; messages go out in records of up to 134 bytes less.
     */
    unsigned char *ptrTransmit;
    /*
     Bytes there.
     */
    unsigned short usTransmitLength;
} MQTT_SECURITY;

/*
 Details of a message, see fnGetMQTT_message.
 */
typedef struct stMQTT_MESSAGE {
    /*
     The topic, not terminated; 0 where it did not fit the reception buffer, or is not known yet.
     */
    const char *ptrTopic;
    /*
     The topic's length.
     */
    unsigned short usTopicLength;
    /*
     0 at QoS 0.
     */
    unsigned short usPacketIdentifier;
    /*
     Of an outgoing message: what the publish call returned.
     */
    unsigned short usHandle;
    /*
     0, 1 or 2.
     */
    unsigned char ucQoS;
    /*
     Whether it is retained, or comes because it was.
     */
    unsigned char ucRetained;
    /*
     Whether it may have been sent before.
     */
    unsigned char ucDuplicate;
    /*
     Bytes of payload in all; 0 while that is not known.
     */
    unsigned long ulTotalLength;
    /*
     Where in the payload the event's data belong.
     */
    unsigned long ulOffset;
} MQTT_MESSAGE;

/*
 Details of a subscription, see fnGetMQTT_subscription.
 */
typedef struct stMQTT_SUBSCRIPTION {
    /*
     The topic, terminated; 0: asked for by callback.
     */
    const char *ptrTopic;
    /*
     The QoS that was asked for.
     */
    unsigned char ucQoS;
    /*
     The QoS that the broker granted last.
     */
    unsigned char ucGranted;
} MQTT_SUBSCRIPTION;

/*
 The application's callback for all events: scEvent is an MQTT_ event, or a negative ERROR_MQTT_ one.

 Events that ask want at most ulLength bytes written at ptrData and their number returned; those that tell ignore what is
 returned unless said otherwise, and have ptrData 0 unless said otherwise. The callback runs inside fnPollMQTT; all functions
 may be called in it (fnPollMQTT itself does nothing there). It should return soon: a poll reads the clock when it begins, and
 all deadlines count from there.
 */
typedef unsigned short (*MQTT_CALLBACK)(signed char scEvent,
                                        unsigned char *ptrData,
                                        unsigned long ulLength,
                                        unsigned char ucSubscriptionRef);

/*
 Of the firmware: keeps out everything that calls the library, and returns the state before. Nests, and may be called from
 interrupts. Never held across a callback, a function of the platform or the copy of a payload.
 */
extern unsigned long fnEnterMQTT_critical(void);

/*
 Of the firmware: restores the state that the matching call of fnEnterMQTT_critical returned.
 */
extern void fnExitMQTT_critical(unsigned long ulState);

/*
 Of the firmware, needed by an archive with secure connections alone: the library has found itself in a state that cannot be.
 Must not return: it stops the firmware, or resets it.
 */
extern void fnPanicMQTT(void);

/*
 Keeps the platform. Before anything else: without it every call is ERROR_MQTT_NOT_READY.

 ptrPlatform must stay as it is as long as the library is used. Returns 0; ERROR_MQTT_INVALID_ARGUMENT: it is null or lacks one of
 fnOpen, fnSend, fnReceive, fnClose and fnMilliseconds; ERROR_MQTT_IN_USE: only between connections. From any task.
 */
int fnSetMQTT_platform(const MQTT_PLATFORM *ptrPlatform);

/*
 Chooses for the connections that follow. ptrOptions is copied.

 Returns 0; ERROR_MQTT_INVALID_ARGUMENT: it is null; ERROR_MQTT_NOT_READY; ERROR_MQTT_IN_USE: only between connections;
 ERROR_MQTT_NOT_SUPPORTED: new attempts are not in this build. From any task.
 */
int fnSetMQTT_options(const MQTT_OPTIONS *ptrOptions);

/*
 Chooses the security of the connections that follow. ptrSecurity is copied, what it points to is not: it must stay as it is.

 Returns 0. ERROR_MQTT_INVALID_ARGUMENT: it is null; its server name is none; a certificate or key is missing, cannot be read, or does
 not belong to the other; there are certificates and a pre-shared key; a buffer is too small, or part of the other. ERROR_MQTT_NOT_SUPPORTED: secure
 connections, or what a member asks for, are not in this build. ERROR_MQTT_NOT_READY; ERROR_MQTT_IN_USE: only between connections.
 From any task.
 */
int fnSetMQTT_security(const MQTT_SECURITY *ptrSecurity);

/*
 Does the work: sends, receives, calls the callback. From one task, or the main loop, only.

 Returns the milliseconds after which it must be called again if nothing happens before: 0 at once, 0xffffffff no need. To be
 called before that when the link connects, receives, can send again or is lost, and after fnWake. Inside a callback it does
 nothing and returns 0xffffffff.
 */
unsigned long fnPollMQTT(void);

/*
 Publishes usLength bytes at ptrData, copied during the call. Topic and cQoS as for fnPublishMQTT.

 Returns a handle above 0; MQTT_PUBLISH_ACKNOWLEDGED or MQTT_PUBLISH_FAILED follows, in which fnGetMQTT_message tells it. The errors of
 fnPublishMQTT, and ERROR_MQTT_MESSAGE_TOO_LONG: it will never fit; ERROR_MQTT_INVALID_ARGUMENT: ptrData is null, and
 usLength is not 0. From any context.
 */
int fnPublishMQTT_data(unsigned char ucRef,
                       const char *ptrTopic,
                       signed char cQoS,
                       const void *ptrData,
                       unsigned short usLength);

/*
 Publishes ulTotalLength bytes that MQTT_PUBLISH_DATA_PART will ask for piece by piece, so that they may be more than any buffer holds. Topic
 and cQoS as for fnPublishMQTT. A stream that is sent again begins at offset 0 and must give the same bytes.

 Returns a handle above 0; MQTT_PUBLISH_ACKNOWLEDGED or MQTT_PUBLISH_FAILED follows, in which fnGetMQTT_message tells it. The errors of
 fnPublishMQTT, and ERROR_MQTT_MESSAGE_TOO_LONG: above what MQTT can carry (256 MB, less 64 KB for the topic);
 ERROR_MQTT_NOT_SUPPORTED: not in this build. From any context.
 */
int fnPublishMQTT_stream(unsigned char ucRef,
                         const char *ptrTopic,
                         signed char cQoS,
                         unsigned long ulTotalLength);

/*
 Tells details of the message that the present event is about: in MQTT_TOPIC_MESSAGE, MQTT_TOPIC_MESSAGE_PART, MQTT_PUBLISH_TOPIC,
 MQTT_PUBLISH_DATA, MQTT_PUBLISH_DATA_PART, MQTT_PUBLISH_ACKNOWLEDGED and MQTT_PUBLISH_FAILED.

 Its pointer is valid until the callback returns. Returns 0; ERROR_MQTT_INVALID_ARGUMENT: ptrMessage is null;
 ERROR_MQTT_NOT_READY: anywhere else. Inside the callback only.
 */
int fnGetMQTT_message(MQTT_MESSAGE *ptrMessage);

/*
 The data behind fnShowMQTT_subscription. The pointer dies at the next poll: it is of use to the task that polls alone.

 Returns as fnShowMQTT_subscription; ERROR_MQTT_INVALID_ARGUMENT: ptrSubscription is null. From any task.
 */
int fnGetMQTT_subscription(int iRef, MQTT_SUBSCRIPTION *ptrSubscription);
/* What follows is declared in uTasker's tcpip.h too: where that came first, it counts. */
#if !defined MQTT_CLIENT_IDENTIFIER

/*
 Mode flag: a plain TCP connection. The low byte of the mode flags is the flag byte of CONNECT.
 */
#define UNSECURE_MQTT_CONNECTION 0

/*
 Mode flag: a TLS connection; needs fnSetMQTT_security.
 */
#define SECURE_MQTT_CONNECTION 256

/*
 Mode flag: the broker forgets the session when the connection ends. Without it both sides keep it: subscriptions, and
 what was not acknowledged.
 */
#define MQTT_CONNECT_FLAG_CLEAN_SESSION 2

/*
 Mode flag: there is a will, asked for with MQTT_WILL_TOPIC and MQTT_WILL_MESSAGE.
 */
#define MQTT_CONNECT_FLAG_WILL_FLAG 4

/*
 Mode flags: the QoS of the will, 0 to 2 in these two bits.
 */
#define MQTT_CONNECT_FLAG_WILL_QOS_MASK 24

/*
 Mode flag: the will is retained.
 */
#define MQTT_CONNECT_FLAG_WILL_RETAIN 32

/*
 Mode flag: there is a password, asked for with MQTT_USER_PASSWORD; only with a user name.
 */
#define MQTT_CONNECT_FLAG_PASSWORD_FLAG 64

/*
 Mode flag: there is a user name, asked for with MQTT_USER_NAME.
 */
#define MQTT_CONNECT_FLAG_USER_NAME_FLAG 128

/*
 QoS 0: at most once.
 */
#define MQTT_SUBSCRIPTION_QoS_0 0

/*
 QoS 1: at least once.
 */
#define MQTT_SUBSCRIPTION_QoS_1 1

/*
 QoS 2: exactly once.
 */
#define MQTT_SUBSCRIPTION_QoS_2 2

/*
 The port of plain connections.
 */
#define MQTT_PORT 1883

/*
 The port of secure connections.
 */
#define MQTTS_PORT 8883

/*
 The call was accepted.
 */
#define MQTT_RESULT_OK 0

/*
 There is no platform yet, or not now: there is no connection, or it is being ended. Requests to publish, subscribe and
 unsubscribe are accepted from the moment the first byte of CONNECT was taken until fnDisconnectMQTT or the event that ends the
 connection, and, where a new attempt follows by itself, between the two connections.
 */
#define ERROR_MQTT_NOT_READY -1

/*
 There is a connection, or an attempt to make one.
 */
#define ERROR_MQTT_IN_USE -2

/*
 Event: the broker could not be reached (MQTT_LINK_UNREACHABLE). The connection is closed.
 */
#define ERROR_MQTT_ARP_FAIL -3

/*
 There is no such subscription, or no free entry for another.
 */
#define ERROR_MQTT_NO_SUBSCRIPTION_ENTRY -4

/*
 There is no topic: it is empty, or the reference is not in use.
 */
#define ERROR_MQTT_MISSING_TOPIC -5

/*
 No subscription can have this reference.
 */
#define ERROR_MQTT_INVALID_SUBSCRIPTION -6

/*
 Asks: write the client identifier, unique for each device, at ptrData; return its length. ulLength is the room, here and
 in all events that ask; a longer answer is refused. What is asked for while connecting: a refused or invalid answer ends
 the attempt with ERROR_MQTT_INVALID_ARGUMENT.
 */
#define MQTT_CLIENT_IDENTIFIER 1

/*
 Asks: write the topic of the will.
 */
#define MQTT_WILL_TOPIC 2

/*
 Asks: write the message of the will.
 */
#define MQTT_WILL_MESSAGE 3

/*
 Asks: write the user name.
 */
#define MQTT_USER_NAME 4

/*
 Asks: write the password. The library wipes it once it is sent.
 */
#define MQTT_USER_PASSWORD 5

/*
 The broker has accepted the connection. ulLength: 1 where it knew the session, else 0.
 */
#define MQTT_CONNACK_RECEIVED 6

/*
 The broker has accepted a subscription. ulLength: the QoS granted.
 */
#define MQTT_SUBACK_RECEIVED 7

/*
 A subscription has ended; its reference is free again.
 */
#define MQTT_UNSUBACK_RECEIVED 8

/*
 A publication has done its round (QoS 0: the link has taken it). ulLength: its QoS; the reference is that of the
 subscription, or 0. At QoS 2 a value other than 0 returned for a publication of fnPublishMQTT repeats it, with new data; where there
 is no room for that, MQTT_PUBLISH_FAILED follows.
 */
#define MQTT_PUBLISH_ACKNOWLEDGED 9

/*
 Asks: write a topic, at most ulLength bytes, which are 256 where the transmit buffer is not small. The reference is that of the subscription, or 0 for a one-off topic. An empty or
 invalid one fails the publication, or refuses the subscription.
 */
#define MQTT_PUBLISH_TOPIC 10

/*
 Asks: write the payload; the room is always MQTT_PUBLISH_ROOM. It is kept until it is acknowledged, and asked for once.
 */
#define MQTT_PUBLISH_DATA 11

/*
 A message: ulLength bytes at ptrData, until the callback returns. The reference is the lowest whose filter matches, else
 the lowest without stored topic, else 0.
 */
#define MQTT_TOPIC_MESSAGE 12

/*
 The connection has ended, or an attempt: by fnDisconnectMQTT, or by what a negative event or a refusal told before.
 */
#define MQTT_CONNECTION_CLOSED 13

/*
 The connection has ended, or an attempt, because the host has closed the link, or the link was lost.
 */
#define MQTT_HOST_CLOSED 14

/*
 Connects to a broker.

 ucIP is its address in network order, copied: 4 bytes, 16 with MQTT_CONNECT_IPV6, or null where the platform knows its
 broker. fnCallback gets all events, inside fnPollMQTT. ulModeFlags are the flags above.

 Returns 0, then MQTT_CONNACK_RECEIVED follows, or the end of the attempt: a cause if there is one (MQTT_CONNECTION_REFUSED
 or a negative event), MQTT_PUBLISH_FAILEDs, and one of MQTT_HOST_CLOSED, ERROR_MQTT_ARP_FAIL and MQTT_CONNECTION_CLOSED.
 ERROR_MQTT_NOT_READY: no platform; secure, and no fnSetMQTT_security or fnRandom; ERROR_MQTT_IN_USE; ERROR_MQTT_INVALID_ARGUMENT: no
 callback, or flags that contradict each other; ERROR_MQTT_NOT_SUPPORTED: not in this build. From any context.
 */
int fnConnectMQTT(const unsigned char *ucIP,
                  MQTT_CALLBACK fnCallback,
                  unsigned long ulModeFlags);

/*
 Ends the connection, an attempt to make one, or the wait for the next attempt.

 What was half sent, and the acknowledgements of what was sent, are waited for as long as the response time; the rest fails
 (in a session that is kept, QoS 1 and 2 stay). Then DISCONNECT, so that the broker drops the will, and
 MQTT_CONNECTION_CLOSED. Until that all requests are ERROR_MQTT_NOT_READY. Messages that arrive before DISCONNECT is sent are told
 and acknowledged as ever.

 Returns 0 or ERROR_MQTT_NOT_READY. From any context.
 */
int fnDisconnectMQTT(void);

/*
 Subscribes to a topic, wildcards allowed.

 ptrInput is copied, at most MQTT_MAX_TOPIC_LENGTH bytes. Null: MQTT_PUBLISH_TOPIC asks for it whenever it is needed. A
 ucQoS above 2 counts as 2; it is also the default of publications to this reference.

 Returns the reference, above 0; then MQTT_SUBACK_RECEIVED or MQTT_SUBSCRIPTION_REFUSED follows. ERROR_MQTT_NOT_READY,
 ERROR_MQTT_NO_SUBSCRIPTION_ENTRY, ERROR_MQTT_MISSING_TOPIC (empty), ERROR_MQTT_INVALID_TOPIC, ERROR_MQTT_TOPIC_TOO_LONG.
 From any context.
 */
int fnSubscribeMQTT(const char *ptrInput,
                    unsigned char ucQoS);

/*
 Ends the subscription of a reference. The reference stays in use until MQTT_UNSUBACK_RECEIVED.

 Returns 0. ERROR_MQTT_NOT_READY; ERROR_MQTT_INVALID_SUBSCRIPTION: no reference is 0 or above MQTT_MAX_SUBSCRIPTIONS;
 ERROR_MQTT_NO_SUBSCRIPTION_ENTRY: not in use, or ending already; ERROR_MQTT_BUSY: it is still being made, and there is no room for
 another request now. From any context.
 */
int fnUnsubscribeMQTT(unsigned char ucSubscriptionRef);

/*
 Publishes what MQTT_PUBLISH_DATA will give.

 To ptrTopic, copied; where it is null, to the topic of the subscription ucTopicReference; where that is 0, to the one that
 MQTT_PUBLISH_TOPIC will give. cQoS: 0, 1, 2 (3 to 14 count as 2), with MQTT_PUBLISH_RETAIN or without; negative or
 MQTT_PUBLISH_SUBSCRIPTION_QoS: that of the subscription, or 2 for a one-off topic.

 Returns 0; then MQTT_PUBLISH_ACKNOWLEDGED or MQTT_PUBLISH_FAILED follows. ERROR_MQTT_NOT_READY;
 ERROR_MQTT_INVALID_SUBSCRIPTION; ERROR_MQTT_MISSING_TOPIC: empty, or the reference is not in use; ERROR_MQTT_INVALID_TOPIC:
 wildcards, or not UTF-8; ERROR_MQTT_TOPIC_TOO_LONG; ERROR_MQTT_INVALID_ARGUMENT: unknown bits in cQoS; ERROR_MQTT_BUSY: no
 room now. From any context.
 */
int fnPublishMQTT(unsigned char ucTopicReference,
                  const char *ptrTopic,
                  signed char cQoS);

/*
 Prints a subscription with fnPrint, as in `Reference:1 QoS:2 Topic:uTasker/test1` and CR LF.

 Returns 0. ERROR_MQTT_NO_SUBSCRIPTION_ENTRY: not in use; ERROR_MQTT_INVALID_SUBSCRIPTION: no reference is 0 or above
 MQTT_MAX_SUBSCRIPTIONS; ERROR_MQTT_NOT_READY: no platform. From any task.
 */
int fnShowMQTT_subscription(int iRef);
#endif /* MQTT_CLIENT_IDENTIFIER */

#ifdef __cplusplus
}
#endif

#endif /* UTASKER_MQTT_H */
