/* μTasker's TCP, with one socket: its listener gets the events that μTasker's would, in their order. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "internal.h"

#define TCP_PERIOD_TICKS    10          /* μTasker looks at its timers each second; here time runs faster */
#define RETRY_PERIODS       10          /* without an acknowledgement */
#define DEF_RETRIES         7
#define TIME_WAIT_PERIODS   100
#define BURST               3           /* segments that arrive before the next task runs */

static struct {
    unsigned short usBrokerPort;
    int iDescriptor;                    /* -1: none */
    int iPeriods;                       /* left until something is sent again, or until TIME_WAIT is over */
    int iRetries;
    int iClosePending;
    int iAddressUnknown;                /* the ARP answer is due */
    int iWindowUpdate;                  /* is due */
    int iRepeating;                     /* inside TCP_EVENT_REGENERATE */
    int iAcknowledged;                  /* the host's acknowledgement is due */
    int iHalfAcknowledged;              /* one of a part is */
    unsigned short usUnacked;           /* length of the segment outstanding */
    int iDelivered;                     /* the host has it */
    unsigned char ucUnacked[TCP_DEF_MTU];
    unsigned short usRefused;           /* length of the received segment that the listener refused */
    unsigned char ucRefused[TCP_DEF_MTU];
    int iRefusedPeriods;                /* left until the host sends it again */
} tcp = {.iDescriptor = -1};

static TCP_CONTROL control;

NETWORK network;

static int event(unsigned char ucEvent, unsigned char *ptrData, unsigned short usLength)
{
    tasks_check_interrupts("an event with interrupts disabled");
    return control.event_listener(0, ucEvent, ptrData, usLength);
}

static void drop_connection(unsigned char ucState)
{
    if (tcp.iDescriptor >= 0) {
        close(tcp.iDescriptor);
    }
    tcp.iDescriptor = -1;
    tcp.usUnacked = 0;
    tcp.usRefused = 0;
    tcp.iAcknowledged = 0;
    tcp.iHalfAcknowledged = 0;
    tcp.iAddressUnknown = 0;
    tcp.iWindowUpdate = 0;
    tcp.iClosePending = 0;
    control.ucTCP_state = ucState;
}

void tcp_abort(void)
{
    const struct linger reset = {1, 0};

    if (tcp.iDescriptor >= 0) {
        setsockopt(tcp.iDescriptor, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    }
    drop_connection(TCP_STATE_CLOSED);
    event(TCP_EVENT_ABORT, control.ucRemoteIP, control.usRemport);
}

static void connection_closed(unsigned char ucState)
{
    drop_connection(ucState);
    tcp.iPeriods = TIME_WAIT_PERIODS;
    event(TCP_EVENT_CLOSED, control.ucRemoteIP, control.usRemport);
}

static int is_socket(USOCKET Socket)
{
    return Socket == 0 && control.ucTCP_state != TCP_STATE_FREE;
}

USOCKET fnGetTCP_Socket(unsigned char ucTos, unsigned short usIdleTimeout, int (*listener)(USOCKET, unsigned char, unsigned char *, unsigned short))
{
    (void)ucTos;
    check(usIdleTimeout == INFINITE_TIMEOUT, "an idle time, which MQTT watches itself");
    if (control.ucTCP_state != TCP_STATE_FREE) {
        return NO_TCP_SOCKET_FREE;
    }
    control.event_listener = listener;
    control.ucTCP_state = TCP_STATE_RESERVED;
    return 0;
}

USOCKET fnReleaseTCP_Socket(USOCKET TCPSocket)
{
    if (!is_socket(TCPSocket)) {
        return SOCKET_NOT_FOUND;
    }
    check((control.ucTCP_state & (TCP_STATE_TIME_WAIT | TCP_STATE_CLOSED)) != 0 || control.ucTCP_state == TCP_STATE_FIN_WAIT_2, "a connection is forgotten");
    tell("TCP: socket released\n", 0);
    drop_connection(TCP_STATE_FREE);
    return TCPSocket;
}

TCP_CONTROL *fnGetSocketControl(USOCKET TCP_socket)
{
    return is_socket(TCP_socket) ? &control : 0;
}

/* Only this machine is on the network; its broker may have another port. */
static void start_connecting(void)
{
    struct sockaddr_in address = {0};

    address.sin_family = AF_INET;
    address.sin_port = htons((control.usRemport == MQTT_PORT) ? tcp.usBrokerPort : control.usRemport);
    memcpy(&address.sin_addr, control.ucRemoteIP, IPV4_LENGTH);
    tcp.iDescriptor = socket(AF_INET, SOCK_STREAM, 0);
    fcntl(tcp.iDescriptor, F_SETFL, O_NONBLOCK);
    connect(tcp.iDescriptor, (struct sockaddr *)&address, sizeof address);
}

USOCKET fnTCP_Connect(USOCKET TCP_socket, unsigned char *RemoteIP, unsigned short usRemotePort, unsigned short usOurPort, unsigned short usMaxWindow)
{
    if (!is_socket(TCP_socket)) {
        return SOCKET_NOT_FOUND;
    }
#if defined REUSE_TIME_WAIT_SOCKETS
    if (control.ucTCP_state == TCP_STATE_TIME_WAIT) {
        control.ucTCP_state = TCP_STATE_CLOSED;
    }
    if (control.ucTCP_state == TCP_STATE_FIN_WAIT_2) {
        connection_closed(TCP_STATE_CLOSED);
    }
#endif
    if (control.ucTCP_state != TCP_STATE_RESERVED && control.ucTCP_state != TCP_STATE_CLOSED) {
        return SOCKET_STATE_INVALID;
    }
    check(usOurPort == 0 && usMaxWindow <= TCP_DEF_MTU, "a port of its own, or a window without buffer");
    memcpy(control.ucRemoteIP, RemoteIP, IPV4_LENGTH);
    control.usRemport = usRemotePort;
    control.usRxWindowSize = usMaxWindow;
    control.usTxWindowSize = 0xffff;
    control.usPeerMSS = 1000;
    control.ucTCP_state = TCP_STATE_SYN_SENT;
    tcp.iAddressUnknown = network.iNoAddress;
    if (!tcp.iAddressUnknown) {
        start_connecting();
    }
    return TCP_socket;
}

static void send_fin(void)
{
    tcp.iClosePending = 0;
    tcp.iPeriods = 0;
    control.ucTCP_state = TCP_STATE_FIN_WAIT_1;
    shutdown(tcp.iDescriptor, SHUT_WR);
}

USOCKET fnTCP_close(USOCKET TCP_Socket)
{
    if (!is_socket(TCP_Socket)) {
        return SOCKET_NOT_FOUND;
    }
    switch (control.ucTCP_state) {
    case TCP_STATE_SYN_SENT:
        event(TCP_EVENT_CLOSED, control.ucRemoteIP, control.usRemport);
        drop_connection(TCP_STATE_CLOSED);
        break;
    case TCP_STATE_ESTABLISHED:
        tcp.iClosePending = 1;
        if (tcp.usUnacked == 0) {
            send_fin();
        }
        break;
    case TCP_STATE_FIN_WAIT_1:
    case TCP_STATE_FIN_WAIT_2:
    case TCP_STATE_LAST_ACK:
    case TCP_STATE_TIME_WAIT:
        break;
    default:
        return SOCKET_STATE_INVALID;
    }
    return TCP_Socket;
}

static void deliver(void)
{
    if (network.iLoseAll || (network.iLoseSegment > 0 && --network.iLoseSegment == 0)) {
        return;
    }
    if (!tcp.iDelivered) {
        check(send(tcp.iDescriptor, tcp.ucUnacked, tcp.usUnacked, MSG_NOSIGNAL) == tcp.usUnacked || errno == ECONNRESET || errno == EPIPE, "too much for the system");
    }
    tcp.iDelivered = 1;
    tcp.iHalfAcknowledged = network.iHalfAck;
    tcp.iAcknowledged = !network.iLoseAck && !network.iHalfAck;
    network.iLoseAck = 0;
    network.iHalfAck = 0;
}

/* As in μTasker, what could not be sent for want of an address, or of a buffer, counts as outstanding. */
signed short fnSendTCP(USOCKET TCP_socket, unsigned char *ptrBuf, unsigned short usDataLen, unsigned char ucTempFlags)
{
    if (!is_socket(TCP_socket)) {
        return SOCKET_NOT_FOUND;
    }
    tasks_check_interrupts("sending with interrupts disabled");
    check(control.ucTCP_state == TCP_STATE_ESTABLISHED && ucTempFlags == TCP_FLAG_PUSH && usDataLen != 0, "sending now");
    memset(ptrBuf, 0xee, MIN_TCP_HLEN); /* the header */
    if (tcp.iRepeating) {
        check(usDataLen == tcp.usUnacked && memcmp(tcp.ucUnacked, ptrBuf + MIN_TCP_HLEN, usDataLen) == 0, "other bytes than before");
        tell("TCP: %lu bytes repeated\n", usDataLen);
    }
    else {
        check(tcp.usUnacked == 0, "a second segment before the first is acknowledged");
#if defined SUPPORT_PEER_MSS
        check(usDataLen <= control.usPeerMSS, "a segment longer than the host accepts");
#endif
#if defined SUPPORT_PEER_WINDOW
        check(usDataLen <= control.usTxWindowSize, "more than the host has room for");
#endif
        memcpy(tcp.ucUnacked, ptrBuf + MIN_TCP_HLEN, usDataLen);
        tcp.usUnacked = usDataLen;
        tcp.iDelivered = 0;
        tcp.iRetries = DEF_RETRIES;
    }
    tcp.iPeriods = RETRY_PERIODS;
    if (network.iForgetAddress) {
        network.iForgetAddress = 0;
        tcp.iAddressUnknown = 1;
        return NO_ARP_ENTRY;
    }
    if (network.iNoBuffer) {
        network.iNoBuffer = 0;
        return 0;
    }
    deliver();
    return (signed short)(usDataLen + MIN_TCP_HLEN);
}

USOCKET fnModifyTCPWindow(USOCKET TCPSocket, unsigned short usBufferSpace)
{
    control.usRxWindowSize = usBufferSpace;
    return TCPSocket;
}

signed short fnReportTCPWindow(USOCKET TCPSocket, unsigned short usBufferSpace)
{
    check(is_socket(TCPSocket) && control.ucTCP_state == TCP_STATE_ESTABLISHED, "an acknowledgement without a connection");
    control.usRxWindowSize = usBufferSpace;
    tell("TCP: window of %lu offered again\n", usBufferSpace);
    return MIN_TCP_HLEN;
}

/* What the connection's tasks do in a turn of the task loop. */

static int repeat(void)
{
    int iResult;

    tcp.iRepeating = 1;
    iResult = event(TCP_EVENT_REGENERATE, 0, tcp.usUnacked);
    tcp.iRepeating = 0;
    return iResult;
}

static void resolve_address(void)
{
    if (!tcp.iAddressUnknown) {
        return;
    }
    tcp.iAddressUnknown = 0;
    if (network.iNoAddress) {
        event(TCP_EVENT_ARP_RESOLUTION_FAILED, control.ucRemoteIP, control.usRemport);
    }
    else {
        repeat();
    }
}

static void finish_connecting(void)
{
    struct pollfd link = {tcp.iDescriptor, POLLOUT, 0};
    int iError = 0;
    socklen_t size = sizeof iError;

    if (tcp.iDescriptor < 0 || network.iLoseAll || poll(&link, 1, 0) <= 0) {
        return;
    }
    getsockopt(tcp.iDescriptor, SOL_SOCKET, SO_ERROR, &iError, &size);
    if (iError != 0) {
        tcp_abort();
        return;
    }
    control.ucTCP_state = TCP_STATE_ESTABLISHED;
    event(TCP_EVENT_CONNECTED, control.ucRemoteIP, control.usRemport);
}

static void take_acknowledgement(void)
{
    if (tcp.iAcknowledged) {
        tcp.iAcknowledged = 0;
        tcp.usUnacked = 0;
        event(TCP_EVENT_ACK, control.ucRemoteIP, control.usRemport);
    }
#if defined SUPPORT_PEER_WINDOW
    else if (tcp.iHalfAcknowledged) {
        event(TCP_EVENT_PARTIAL_ACK, control.ucRemoteIP, (unsigned short)(tcp.usUnacked / 2));
    }
    else if (tcp.iWindowUpdate && tcp.usUnacked == 0) {
        event(TCP_WINDOW_UPDATE, control.ucRemoteIP, control.usRemport);
    }
    tcp.iHalfAcknowledged = 0;
    tcp.iWindowUpdate = 0;
#endif
}

static void receive_end(void)
{
    if (event(TCP_EVENT_CLOSE, control.ucRemoteIP, control.usRemport) == APP_ACCEPT) {
        control.ucTCP_state = TCP_STATE_LAST_ACK;
        tcp.iAcknowledged = 0;
    }
}

static void receive_segment(unsigned char *ptrData, unsigned short usLength)
{
    if (event(TCP_EVENT_DATA, ptrData, usLength) == APP_REJECT_DATA) {
        memmove(tcp.ucRefused, ptrData, usLength);
        tcp.usRefused = usLength;
        tcp.iRefusedPeriods = 1;
        tell("TCP: %lu bytes refused\n", usLength);
    }
    else {
        tcp.usRefused = 0;
    }
    memset(ptrData, 0xdd, usLength);    /* valid during the call only */
}

/* Returns whether there was something. */
static int receive(void)
{
    unsigned char ucData[TCP_DEF_MTU];
    ssize_t length;

    if (tcp.usRefused != 0) {
        if (tcp.iRefusedPeriods == 0) {
            memcpy(ucData, tcp.ucRefused, tcp.usRefused);
            receive_segment(ucData, tcp.usRefused);
        }
        return 0;
    }
    if (control.usRxWindowSize == 0) {
        return 0;
    }
    length = recv(tcp.iDescriptor, ucData, control.usRxWindowSize, 0);
    if (length > 0) {
        receive_segment(ucData, (unsigned short)length);
    }
    else if (length == 0) {
        receive_end();
    }
    else if (errno != EAGAIN) {
        tcp_abort();
    }
    return length > 0;
}

/* The listener is not told when the host has acknowledged the end, but does not close its side. */
static void finish_closing(void)
{
    unsigned char ucUnwanted[TCP_DEF_MTU];
    ssize_t length;

    if (network.iLoseAck) {
        network.iLoseAck = 0;
        tcp.iPeriods = RETRY_PERIODS;
    }
    if (control.ucTCP_state == TCP_STATE_FIN_WAIT_1 && tcp.iPeriods != 0) {
        return;
    }
    length = recv(tcp.iDescriptor, ucUnwanted, sizeof ucUnwanted, 0);
    if (length == 0) {
        connection_closed(TCP_STATE_TIME_WAIT);
    }
    else if (length < 0 && errno != EAGAIN) {
        tcp_abort();
    }
    else {
        control.ucTCP_state = TCP_STATE_FIN_WAIT_2;
    }
}

static void run_tcp_timers(void)
{
    static UTASK_TICK last = 0;

    if (uTaskerSystemTick - last < TCP_PERIOD_TICKS) {
        return;
    }
    last = uTaskerSystemTick;
    if (tcp.iRefusedPeriods > 0) {
        tcp.iRefusedPeriods--;
    }
    if (tcp.iPeriods > 0) {
        tcp.iPeriods--;
    }
    if (control.ucTCP_state == TCP_STATE_TIME_WAIT && tcp.iPeriods == 0) {
        control.ucTCP_state = TCP_STATE_CLOSED;
    }
    if (control.ucTCP_state != TCP_STATE_ESTABLISHED) {
        return;
    }
    if (tcp.iClosePending && tcp.usUnacked == 0) {
        send_fin();
    }
    else if (tcp.usUnacked != 0 && tcp.iPeriods == 0) {
        if (tcp.iRetries-- == 0 || !repeat()) {
            tcp_abort();
        }
    }
}

void tcp_run(void)
{
    int i;

    run_tcp_timers();
    switch (control.ucTCP_state) {
    case TCP_STATE_SYN_SENT:
        resolve_address();
        finish_connecting();
        break;
    case TCP_STATE_ESTABLISHED:
        resolve_address();
        take_acknowledgement();
        for (i = 0; i < BURST && control.ucTCP_state == TCP_STATE_ESTABLISHED && receive(); i++) {
        }
        break;
    case TCP_STATE_FIN_WAIT_1:
    case TCP_STATE_FIN_WAIT_2:
        finish_closing();
        break;
    case TCP_STATE_LAST_ACK:
        connection_closed(TCP_STATE_CLOSED);
        break;
    }
}

void tcp_start(unsigned short usBrokerPort)
{
    tcp.usBrokerPort = usBrokerPort;
}

void tcp_set_window(unsigned short usWindow)
{
    control.usTxWindowSize = usWindow;
    tcp.iWindowUpdate = 1;
}

int tcp_is_quiet(void)
{
    return control.ucTCP_state <= TCP_STATE_TIME_WAIT;
}

int tcp_descriptor(void)
{
    return tcp.iDescriptor;
}
