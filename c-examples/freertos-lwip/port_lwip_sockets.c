#include "port_lwip_sockets.h"

#include <errno.h>
#include <string.h>

#include "lwip/api.h"
#include "lwip/priv/sockets_priv.h"
#include "lwip/sockets.h"
#include "lwip/tcp.h"
#include "lwip/tcpip.h"

#define NO_SOCKET -1

/* What the library is told of a failed call: 0 where it may simply be tried again. */
static int link_result(int error)
{
    if (error == EAGAIN || error == EWOULDBLOCK || error == EINPROGRESS || error == EALREADY) {
        return 0;
    }
    if (error == EHOSTUNREACH || error == ENETUNREACH || error == EADDRNOTAVAIL) {
        return MQTT_LINK_UNREACHABLE;
    }
    return MQTT_LINK_FAILED;
}

/* lwIP tells each socket's events to its layer of sockets. There is no public way to hear them too, short of a further task in
   lwip_select(), so the function that it calls is put before its own. */
static netconn_callback socket_layer;
static PORT *listening;

static void socket_event(struct netconn *connection, enum netconn_evt event, u16_t length)
{
    socket_layer(connection, event, length);
    if (event == NETCONN_EVT_RCVPLUS || event == NETCONN_EVT_SENDPLUS || event == NETCONN_EVT_ERROR) {
        port_wake(listening);           /* it can be read, written, or is lost */
    }
}

static struct netconn *connection_of(const PORT *port)
{
    return lwip_socket_dbg_get_socket(port->socket)->conn;
}

static void listen_to_socket(PORT *port)
{
    struct netconn *connection = connection_of(port);

    LOCK_TCPIP_CORE();
    listening = port;
    if (connection->callback != socket_event) {
        socket_layer = connection->callback;
        connection->callback = socket_event;
    }
    UNLOCK_TCPIP_CORE();
}

/* A connection that is closed on this side waits for the broker's side, with a control block of lwIP's: it is the first to go where a new
   connection needs its place. Of itself lwIP gives it up no sooner than after its time. */
static void let_go(PORT *port)
{
    struct tcp_pcb *control;

    LOCK_TCPIP_CORE();
    control = connection_of(port)->pcb.tcp;
    if (control != NULL) {
        tcp_setprio(control, TCP_PRIO_MIN);
    }
    UNLOCK_TCPIP_CORE();
}

/* The broker's address in the form that lwip_connect wants; returns its length. */
static socklen_t socket_address(const PORT_LWIP *broker, struct sockaddr_storage *address)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;

    memset(address, 0, sizeof *address);
#if LWIP_IPV6
    if (IP_IS_V6(&broker->address)) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

        v6->sin6_family = AF_INET6;
        v6->sin6_port = lwip_htons(broker->broker_port);
        inet6_addr_from_ip6addr(&v6->sin6_addr, ip_2_ip6(&broker->address));
        return sizeof *v6;
    }
#endif
    v4->sin_family = AF_INET;
    v4->sin_port = lwip_htons(broker->broker_port);
    inet_addr_from_ip4addr(&v4->sin_addr, ip_2_ip4(&broker->address));
    return sizeof *v4;
}

static int start_connecting(PORT *port)
{
    struct sockaddr_storage address;
    socklen_t length = socket_address(&port->lwip, &address);
    const int on = 1;

    port->socket = lwip_socket(address.ss_family, SOCK_STREAM, IPPROTO_TCP);
    if (port->socket < 0) {
        port->socket = NO_SOCKET;
        return MQTT_LINK_FAILED;
    }
    listen_to_socket(port);
    lwip_fcntl(port->socket, F_SETFL, O_NONBLOCK);
    lwip_setsockopt(port->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);    /* a packet is never worth waiting for the next */
    port->connecting = 1;
    return (lwip_connect(port->socket, (struct sockaddr *)&address, length) == 0) ? 0 : link_result(errno);
}

/* Above 0: connected. 0: not yet. Negative: it will never be. */
static int connected(PORT *port)
{
    struct pollfd link = {port->socket, POLLOUT, 0};
    int error = 0;
    socklen_t size = sizeof error;

    if (port->socket == NO_SOCKET) {
        return (port->lwip.found > 0) ? start_connecting(port) : port->lwip.found;
    }
    if (!port->connecting) {
        return 1;
    }
    if (lwip_poll(&link, 1, 0) <= 0) {
        return 0;
    }
    lwip_getsockopt(port->socket, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
        return link_result(error);
    }
    port->connecting = 0;
    return 1;
}

static int port_open(void *ptrContext, const unsigned char *ptrAddress, unsigned char ucAddressLength, unsigned short usPort)
{
    int result;

    LOCK_TCPIP_CORE();
    result = port_lwip_open(ptrContext, ptrAddress, ucAddressLength, usPort);
    UNLOCK_TCPIP_CORE();
    return result;
}

/* fnSend: takes what it can at once. 0 means not now, also while still connecting; a lost link is never 0. */
static int port_send(void *ptrContext, const unsigned char *ptrData, unsigned short usLength)
{
    PORT *port = ptrContext;
    int result = connected(port);

    if (result <= 0) {
        return result;
    }
    result = (int)lwip_send(port->socket, ptrData, usLength, 0);
    return (result >= 0) ? result : link_result(errno);
}

/* fnReceive: gives what is there. 0 means nothing now; the end of the stream is MQTT_LINK_CLOSED. */
static int port_receive(void *ptrContext, unsigned char *ptrData, unsigned short usLength)
{
    PORT *port = ptrContext;
    int result = connected(port);

    if (result <= 0) {
        return result;
    }
    result = (int)lwip_recv(port->socket, ptrData, usLength, 0);
    if (result == 0) {
        return MQTT_LINK_CLOSED;
    }
    return (result > 0) ? result : link_result(errno);
}

/* fnClose: what fnSend took is still delivered. lwIP resets a connection that is closed with bytes left unread, and the reset could
   overtake what was sent, so this side is closed first; the reset that a broker gets if it still sends comes behind. */
static void port_close(void *ptrContext)
{
    PORT *port = ptrContext;

    if (port->socket != NO_SOCKET) {
        let_go(port);
        lwip_shutdown(port->socket, SHUT_WR);
        lwip_close(port->socket);
    }
    port->socket = NO_SOCKET;
    port->connecting = 0;
}

void port_wake(PORT *port)
{
    if (xPortIsInsideInterrupt()) {
        BaseType_t switch_task = pdFALSE;

        vTaskNotifyGiveFromISR(port->task, &switch_task);
        portYIELD_FROM_ISR(switch_task);
    }
    else {
        xTaskNotifyGive(port->task);
    }
}

static void port_wake_task(void *ptrContext)
{
    port_wake(ptrContext);
}

int port_init(PORT *port, const char *broker)
{
    static const MQTT_PLATFORM functions = {
        .fnOpen = port_open,
        .fnSend = port_send,
        .fnReceive = port_receive,
        .fnClose = port_close,
        .fnWake = port_wake_task
    };

    memset(port, 0, sizeof *port);
    port->task = xTaskGetCurrentTaskHandle();
    port->socket = NO_SOCKET;
    return port_lwip_init(&port->lwip, &functions, broker);
}

/* A part of a tick is waited for as a whole one. */
void port_wait(PORT *port, unsigned long milliseconds)
{
    (void)port;
    ulTaskNotifyTake(pdTRUE, (milliseconds == 0xffffffff) ? portMAX_DELAY : pdMS_TO_TICKS(milliseconds + portTICK_PERIOD_MS - 1));
}

#if portHAS_NESTED_INTERRUPTS == 0
    #error "taskENTER_CRITICAL_FROM_ISR() masks nothing in this port of the kernel: write the two functions below for it, and port_wake()"
#endif

/* Masks the interrupts that may call FreeRTOS, and so the switch of tasks, and returns the mask that was: this nests, and is the
   same in tasks and interrupts. taskENTER_CRITICAL() would not do in an interrupt. */
unsigned long fnEnterMQTT_critical(void)
{
    return taskENTER_CRITICAL_FROM_ISR();
}

void fnExitMQTT_critical(unsigned long ulState)
{
    taskEXIT_CRITICAL_FROM_ISR(ulState);
}
