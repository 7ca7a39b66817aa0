/* libutasker_mqtt.a in a μTasker project: this file and the archive take the place of mqtt.c, nothing else changes. It holds the
   MQTT_PLATFORM over one socket of μTasker's TCP, the task fnMQTT that polls, and the critical section.

   μTasker runs one task at a time, and calls the listener from its own tasks: only what an interrupt may call, fnWake and the
   critical section, needs care. The listener notes what has happened and wakes the task; it never sends, but to repeat. */
#include "config.h"

#if defined USE_MQTT_CLIENT

#include "utasker_mqtt.h"

#if !defined MQTT_SEGMENT_LENGTH
    #define MQTT_SEGMENT_LENGTH 1400    /* sent at once at most: fits the segments of every usual host */
#endif

#define RING_LENGTH         TCP_DEF_MTU /* the window that μTasker's TCP offers, which no segment can exceed */
#define POLL_TIMER_EVENT    1
#define NO_NEED_TO_POLL     0xffffffff
#define LOOK_AGAIN          200         /* milliseconds, for a connection before that has ended without an event */

enum {
    NO_CONNECTION,
    CONNECTING,
    CONNECTED,
    ENDING                              /* closed by one side; the stack still tells when it is over */
};

static USOCKET tcp_socket = -1;         /* one for all connections */

static struct {
    unsigned char ucState;              /* of the stack's connection, which can outlast fnClose */
    unsigned char ucWaiting;            /* fnOpen came while the connection before was still ending */
    int iEnd;                           /* why the library's connection has ended, an MQTT_LINK_ value; 0: it has not */
    unsigned char ucAddress[16];
    unsigned char ucAddressLength;
    unsigned short usPort;
} link;

/* The one segment that is not acknowledged yet. The stack keeps no copy: it asks for the same bytes again. */
static struct {
    unsigned short usLength;            /* 0: all is acknowledged */
    unsigned char ucFrame[MIN_TCP_HLEN + MQTT_SEGMENT_LENGTH];     /* the stack writes its header in front */
} segment;

/* What has arrived: the stack shows it in the listener's call only. */
static struct {
    unsigned short usFirst;
    unsigned short usLength;
    unsigned short usOffered;           /* the window that the host knows of */
    unsigned char ucData[RING_LENGTH];
} ring;

static int listener(USOCKET Socket, unsigned char ucEvent, unsigned char *ptrData, unsigned short usLength);

/* fnWake: an interrupt may do this too. */
static void wake(void *ptrContext)
{
    (void)ptrContext;
    uTaskerStateChange(TASK_MQTT, UTASKER_ACTIVATE);
}

static unsigned short lower(unsigned short usOne, unsigned short usOther)
{
    return (usOne < usOther) ? usOne : usOther;
}

/* Back-pressure. What finds no room in the ring is refused, so that the stack does not acknowledge it and the host sends it again.
   Where the stack can change its window, the host knows the room and does not send in vain: each acknowledgement of received data
   takes the room left with it, and what was too little is followed by a new offer when the library has read. */

static unsigned short ring_room(void)
{
    return (unsigned short)(RING_LENGTH - ring.usLength);
}

static int ring_put(const unsigned char *ptrData, unsigned short usLength)
{
    unsigned short usEnd = (unsigned short)((ring.usFirst + ring.usLength) % RING_LENGTH);
    unsigned short usToEdge = lower(usLength, (unsigned short)(RING_LENGTH - usEnd));

    if (usLength > ring_room()) {
        return APP_REJECT_DATA;
    }
    uMemcpy(ring.ucData + usEnd, ptrData, usToEdge);
    uMemcpy(ring.ucData, ptrData + usToEdge, (unsigned short)(usLength - usToEdge));
    ring.usLength = (unsigned short)(ring.usLength + usLength);
#if defined CONTROL_WINDOW_SIZE
    ring.usOffered = ring_room();
    fnModifyTCPWindow(tcp_socket, ring.usOffered);
#endif
    return APP_ACCEPT;
}

static unsigned short ring_take(unsigned char *ptrData, unsigned short usLength)
{
    unsigned short usTaken = lower(lower(usLength, ring.usLength), (unsigned short)(RING_LENGTH - ring.usFirst));

    uMemcpy(ptrData, ring.ucData + ring.usFirst, usTaken);
    ring.usFirst = (unsigned short)((ring.usFirst + usTaken) % RING_LENGTH);
    ring.usLength = (unsigned short)(ring.usLength - usTaken);
#if defined CONTROL_WINDOW_SIZE
    if (link.ucState == CONNECTED && ring.usOffered < RING_LENGTH / 2 && ring_room() >= RING_LENGTH / 2) {
        ring.usOffered = ring_room();
        fnReportTCPWindow(tcp_socket, ring.usOffered);
    }
#endif
    return usTaken;
}

static void ring_clear(void)
{
    ring.usFirst = 0;
    ring.usLength = 0;
    ring.usOffered = RING_LENGTH;
}

/* What the host takes in one segment now. */
static unsigned short peer_room(void)
{
    unsigned short usRoom = MQTT_SEGMENT_LENGTH;

#if defined SUPPORT_PEER_MSS
    usRoom = lower(usRoom, fnGetSocketControl(tcp_socket)->usPeerMSS);
#endif
#if defined SUPPORT_PEER_WINDOW
    usRoom = lower(usRoom, fnGetSocketControl(tcp_socket)->usTxWindowSize);
#endif
    return usRoom;
}

/* Sends the segment, for the first time or again. Where that fails, for want of an ARP entry or of a buffer, the stack counts it
   as sent all the same and asks for it when the address is known, or after its time for an acknowledgement. */
static int send_segment(void)
{
    return fnSendTCP(tcp_socket, segment.ucFrame, segment.usLength, TCP_FLAG_PUSH) != SOCKET_NOT_FOUND;
}

static USOCKET connect_socket(void)
{
#if defined USE_IPV6
    unsigned long ulWindow = RING_LENGTH | ((link.ucAddressLength == IPV6_LENGTH) ? TCP_CONNECT_IPV6 : 0);
#else
    unsigned short ulWindow = RING_LENGTH;
#endif

    if (tcp_socket < 0) {
        tcp_socket = fnGetTCP_Socket(TOS_MINIMISE_DELAY, INFINITE_TIMEOUT, listener);
    }
    return (tcp_socket < 0) ? tcp_socket : fnTCP_Connect(tcp_socket, link.ucAddress, link.usPort, 0, ulWindow);
}

/* In FIN_WAIT_2 the host has all, and only its own end is missing, which may never come; the stack does not tell of that state. */
static int is_delivering(void)
{
    return link.ucState != NO_CONNECTION && fnGetSocketControl(tcp_socket)->ucTCP_state != TCP_STATE_FIN_WAIT_2;
}

/* Connects, or waits until the connection before has delivered what it has. After that it can keep its socket for a while (TIME_WAIT,
   FIN_WAIT_2), which needs no more than to be given back. */
static int start_connecting(void)
{
    USOCKET result = connect_socket();

    if (result < 0 && is_delivering()) {
        return 0;
    }
    link.ucWaiting = 0;
    if (result < 0 && tcp_socket >= 0) {
        fnReleaseTCP_Socket(tcp_socket);
        tcp_socket = -1;
        link.ucState = NO_CONNECTION;
        result = connect_socket();
    }
    if (result < 0) {
        return MQTT_LINK_FAILED;
    }
    link.ucState = CONNECTING;
    segment.usLength = 0;               /* what was not repeated before was not acknowledged either */
    return 0;
}

static void connection_ended(unsigned char ucState, int iEnd)
{
    link.ucState = ucState;
    if (ucState == NO_CONNECTION) {
        segment.usLength = 0;
    }
    if (!link.ucWaiting && link.iEnd == 0) {
        link.iEnd = iEnd;
    }
}

/* The stack takes a 0 for a segment that will not be sent again, and aborts. A new connection does not wait for one that is
   closed, but has lost its host. */
static int repeat_segment(void)
{
    if (segment.usLength == 0 || link.ucWaiting) {
        return 0;
    }
    send_segment();
    return APP_SENT_DATA;
}

static int listener(USOCKET Socket, unsigned char ucEvent, unsigned char *ptrData, unsigned short usLength)
{
    int iResult = APP_ACCEPT;

    (void)Socket;
    switch (ucEvent) {
    case TCP_EVENT_CONNECTED:
        if (link.ucState == CONNECTING) {
            link.ucState = CONNECTED;
        }
        break;
    case TCP_EVENT_ACK:                 /* of all that was sent: after a TCP_EVENT_PARTIAL_ACK all of it is asked for again */
        segment.usLength = 0;
        break;
    case TCP_EVENT_REGENERATE:
        return repeat_segment();
    case TCP_EVENT_DATA:
        if (link.ucState == CONNECTED) {                /* else nobody is left to read it */
            iResult = ring_put(ptrData, usLength);
        }
        break;
    case TCP_EVENT_CLOSE:
        connection_ended(ENDING, MQTT_LINK_CLOSED);
        break;
    case TCP_EVENT_CLOSED:
        connection_ended(NO_CONNECTION, MQTT_LINK_CLOSED);
        break;
    case TCP_EVENT_ABORT:
        connection_ended(NO_CONNECTION, MQTT_LINK_FAILED);
        break;
    case TCP_EVENT_ARP_RESOLUTION_FAILED:               /* the stack goes on trying: fnClose ends that */
        connection_ended(link.ucState, MQTT_LINK_UNREACHABLE);
        break;
    case TCP_EVENT_CONREQ:
        return APP_REJECT;
    default:                            /* TCP_WINDOW_UPDATE: the host may have room again */
        break;
    }
    wake(0);
    return iResult;
}

static int port_open(void *ptrContext, const unsigned char *ptrAddress, unsigned char ucAddressLength, unsigned short usPort)
{
    (void)ptrContext;
#if defined USE_IPV6
    if (ucAddressLength != IPV4_LENGTH && ucAddressLength != IPV6_LENGTH) {
#else
    if (ucAddressLength != IPV4_LENGTH) {
#endif
        return MQTT_LINK_UNREACHABLE;   /* names are resolved before fnConnectMQTT, with μTasker's DNS */
    }
    uMemcpy(link.ucAddress, ptrAddress, ucAddressLength);
    link.ucAddressLength = ucAddressLength;
    link.usPort = usPort;
    link.iEnd = 0;
    link.ucWaiting = 1;
    ring_clear();
    return start_connecting();
}

/* One segment at a time. The end of a connection is told behind what had arrived before. */
static int port_send(void *ptrContext, const unsigned char *ptrData, unsigned short usLength)
{
    (void)ptrContext;
    if (link.iEnd != 0) {
        return (ring.usLength != 0) ? 0 : link.iEnd;
    }
    if (link.ucState != CONNECTED || segment.usLength != 0) {
        return 0;
    }
    segment.usLength = lower(usLength, peer_room());
    if (segment.usLength == 0) {
        return 0;
    }
    uMemcpy(segment.ucFrame + MIN_TCP_HLEN, ptrData, segment.usLength);
    return send_segment() ? segment.usLength : MQTT_LINK_FAILED;
}

static int port_receive(void *ptrContext, unsigned char *ptrData, unsigned short usLength)
{
    (void)ptrContext;
    return (ring.usLength != 0) ? ring_take(ptrData, usLength) : link.iEnd;
}

/* A segment that is not acknowledged yet stays for the stack, which closes behind it. */
static void port_close(void *ptrContext)
{
    (void)ptrContext;
    link.ucWaiting = 0;
    ring_clear();
    if (link.ucState == CONNECTING || link.ucState == CONNECTED) {
        link.ucState = ENDING;
        fnTCP_close(tcp_socket);
    }
}

/* The system tick may be longer or shorter than a millisecond, and no whole number of them. */
static unsigned long port_milliseconds(void *ptrContext)
{
    static UTASK_TICK lastTick = 0;
    static unsigned long ulMilliseconds = 0;
    static unsigned long ulRest = 0;
    UTASK_TICK tick = uTaskerSystemTick;

    (void)ptrContext;
    ulMilliseconds += (unsigned long)(tick - lastTick) / SEC * 1000;
    ulRest += (unsigned long)(tick - lastTick) % SEC * 1000;
    lastTick = tick;
    ulMilliseconds += ulRest / SEC;
    ulRest %= SEC;
    return ulMilliseconds;
}

static void port_print(void *ptrContext, const char *ptrText)
{
    (void)ptrContext;
    fnDebugMsg((CHAR *)ptrText);
}

static const MQTT_PLATFORM platform = {
    .fnOpen = port_open,
    .fnSend = port_send,
    .fnReceive = port_receive,
    .fnClose = port_close,
    .fnMilliseconds = port_milliseconds,
    .fnPrint = port_print,
    .fnWake = wake                      /* no fnRandom: μTasker's numbers are not fit for keys */
};

/* Of the task's messages only the timer's is of use, and that only because it woke the task. */
static void empty_queue(QUEUE_HANDLE queue)
{
    unsigned char ucMessage[SMALL_QUEUE];

    while (fnRead(queue, ucMessage, HEADER_LENGTH) != 0) {
        if (ucMessage[MSG_SOURCE_TASK] != TIMER_EVENT && ucMessage[MSG_SOURCE_TASK] != INTERRUPT_EVENT) {
            fnRead(queue, ucMessage, ucMessage[MSG_CONTENT_LENGTH]);
        }
    }
}

/* A timer that is no longer needed is left to expire: stopping it would suspend the task. Longer times than it knows are reached
   in steps. */
static void wake_after(unsigned long ulMilliseconds)
{
    const unsigned long ulLongest = (DELAY_LIMIT)-1 - 1;
    unsigned long ulTicks;

    if (ulMilliseconds == NO_NEED_TO_POLL) {
        return;
    }
    if (ulMilliseconds == 0) {
        wake(0);
        return;
    }
    ulTicks = (ulMilliseconds / 1000) * SEC + ((ulMilliseconds % 1000) * SEC + 999) / 1000;
    uTaskerMonoTimer(TASK_MQTT, (DELAY_LIMIT)((ulTicks < ulLongest) ? ulTicks : ulLongest), POLL_TIMER_EVENT);
}

extern void fnMQTT(TTASKTABLE *ptrTaskTable)
{
    unsigned long ulMilliseconds;

    empty_queue(ptrTaskTable->TaskID);
    if (link.ucWaiting) {
        link.iEnd = start_connecting();
    }
    ulMilliseconds = fnPollMQTT();
    wake_after((link.ucWaiting && ulMilliseconds > LOOK_AGAIN) ? LOOK_AGAIN : ulMilliseconds);
}

/* μTasker counts how deep its interrupt lock is nested. It keeps the task stopped until there is work: the library's first call is
   the application's, and whatever it is, it comes here before it looks for its platform. */
unsigned long fnEnterMQTT_critical(void)
{
    static unsigned char ucStarted = 0;

    uDisable_Interrupt();
    if (ucStarted == 0) {
        ucStarted = 1;
        fnSetMQTT_platform(&platform);
    }
    return 0;
}

void fnExitMQTT_critical(unsigned long ulState)
{
    (void)ulState;
    uEnable_Interrupt();
}

#endif
