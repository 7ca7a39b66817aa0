#include "port_lwip_raw.h"

#include <string.h>

#include "lwip/timeouts.h"

#if TCP_WND > 0xffff
#error TCP_WND: what has arrived is kept in one chain of pbufs, whose length has 16 bits
#endif

#define PATIENCE 20                     /* half seconds for the peer to close its side, once this one is closed */

static int min_length(unsigned length, unsigned limit)
{
    return (int)((length < limit) ? length : limit);
}

static err_t link_connected(void *context, struct tcp_pcb *connection, err_t error)
{
    PORT *port = context;

    (void)connection;
    (void)error;                        /* of no meaning, says lwIP */
    port->state = 1;
    return ERR_OK;
}

/* Keeps what has arrived; tcp_recved is not called before it is read, so that a broker that is faster than the firmware waits. */
static err_t link_received(void *context, struct tcp_pcb *connection, struct pbuf *data, err_t error)
{
    PORT *port = context;

    (void)connection;
    (void)error;
    if (data == NULL) {
        port->state = MQTT_LINK_CLOSED; /* the peer sends no more */
    }
    else if (port->received == NULL) {
        port->received = data;
    }
    else {
        pbuf_cat(port->received, data);
    }
    return ERR_OK;
}

/* lwIP has freed the connection already. */
static void link_lost(void *context, err_t error)
{
    PORT *port = context;

    port->connection = NULL;
    port->state = (error == ERR_CLSD) ? MQTT_LINK_CLOSED : MQTT_LINK_FAILED;
}

static int start_connecting(PORT *port)
{
    const ip_addr_t *address = &port->lwip.address;
    struct tcp_pcb *connection = tcp_new_ip_type(IP_GET_TYPE(address));
    err_t error;

    if (connection == NULL) {
        return MQTT_LINK_FAILED;
    }
    tcp_nagle_disable(connection);      /* a packet is never worth waiting for the next */
    tcp_arg(connection, port);
    tcp_recv(connection, link_received);
    tcp_err(connection, link_lost);
    error = tcp_connect(connection, address, port->lwip.broker_port, link_connected);
    if (error != ERR_OK) {
        tcp_close(connection);
        return (error == ERR_RTE) ? MQTT_LINK_UNREACHABLE : MQTT_LINK_FAILED;
    }
    port->connection = connection;
    return 0;
}

/* Above 0: connected. 0: not yet. Negative: the MQTT_LINK_ value of a lost link. */
static int connected(PORT *port)
{
    if (port->connection == NULL && port->state == 0) {
        port->state = (port->lwip.found > 0) ? start_connecting(port) : port->lwip.found;
    }
    return port->state;
}

static int port_open(void *ptrContext, const unsigned char *ptrAddress, unsigned char ucAddressLength, unsigned short usPort)
{
    PORT *port = ptrContext;

    port->state = 0;
    return port_lwip_open(ptrContext, ptrAddress, ucAddressLength, usPort);
}

/* fnSend: takes what fits. 0 means not now, also while still connecting; a lost link is never 0. */
static int port_send(void *ptrContext, const unsigned char *ptrData, unsigned short usLength)
{
    PORT *port = ptrContext;
    int length = connected(port);
    err_t error = ERR_MEM;

    if (length <= 0) {
        return length;
    }
    length = min_length(usLength, tcp_sndbuf(port->connection));
    while (length > 0 && (error = tcp_write(port->connection, ptrData, (u16_t)length, TCP_WRITE_FLAG_COPY)) == ERR_MEM) {
        length /= 2;                    /* lwIP's memory is short */
    }
    if (error != ERR_OK && error != ERR_MEM) {
        return MQTT_LINK_FAILED;
    }
    return (tcp_output(port->connection) == ERR_RTE) ? MQTT_LINK_UNREACHABLE : length;
}

/* Gives the first bytes back to lwIP, which opens the window by so much. */
static void forget_received(PORT *port, u16_t length)
{
    port->received = pbuf_free_header(port->received, length);
    if (port->connection != NULL) {
        tcp_recved(port->connection, length);
    }
}

/* fnReceive: gives what is there, and only then tells the end of the stream, or the loss of the link. */
static int port_receive(void *ptrContext, unsigned char *ptrData, unsigned short usLength)
{
    PORT *port = ptrContext;
    u16_t given;

    if (port->received == NULL) {
        return (connected(port) > 0) ? 0 : port->state;
    }
    given = pbuf_copy_partial(port->received, ptrData, usLength, 0);
    forget_received(port, given);
    return given;
}

/* What still arrives on a connection that is closed on this side. */
static err_t discard(void *context, struct tcp_pcb *connection, struct pbuf *data, err_t error)
{
    (void)context;
    (void)error;
    if (data != NULL) {
        tcp_recved(connection, data->tot_len);
        pbuf_free(data);
    }
    return ERR_OK;
}

static err_t end_patience(void *context, struct tcp_pcb *connection)
{
    (void)context;
    return tcp_close(connection);       /* what arrives from now on is answered with a reset */
}

/* fnClose: what fnSend took is still delivered, by lwIP alone. tcp_close would reset a connection on which something was left unread,
   or still arrives, and the reset could overtake what was sent: so only this side is closed, and the rest is discarded. */
static void port_close(void *ptrContext)
{
    PORT *port = ptrContext;
    struct tcp_pcb *connection = port->connection;

    if (port->received != NULL) {
        forget_received(port, port->received->tot_len);
    }
    port->connection = NULL;
    if (connection == NULL) {
        return;
    }
    tcp_arg(connection, NULL);
    tcp_err(connection, NULL);
    tcp_recv(connection, discard);
    tcp_setprio(connection, TCP_PRIO_MIN);      /* the first to go where a new connection needs its place */
    if (tcp_shutdown(connection, 0, 1) == ERR_OK) {
        tcp_poll(connection, end_patience, PATIENCE);
    }
    else {
        tcp_close(connection);          /* not connected yet */
    }
}

void port_wake(PORT *port)
{
    port->woken = 1;
}

static void port_wake_loop(void *ptrContext)
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
        .fnWake = port_wake_loop
    };

    memset(port, 0, sizeof *port);
    return port_lwip_init(&port->lwip, &functions, broker);
}

/* With interrupts masked nothing can come between the look at the flag and the sleep, which an interrupt ends all the same. */
void port_wait(PORT *port, unsigned long milliseconds)
{
    unsigned long timers = sys_timeouts_sleeptime();
    unsigned long state = fnEnterMQTT_critical();

    if (timers < milliseconds) {
        milliseconds = timers;
    }
    if (!port->woken && milliseconds != 0 && port->sleep != 0) {
        port->sleep(milliseconds);
    }
    fnExitMQTT_critical(state);
    port->woken = 0;                    /* the loop now looks at everything */
    sys_check_timeouts();
}

/* Masks all interrupts and returns whether they were masked, so that this nests, and is the same in interrupts. */
unsigned long fnEnterMQTT_critical(void)
{
    unsigned long state;

    __asm__ volatile("mrs %0, primask\n cpsid i" : "=r"(state) : : "memory");
    return state;
}

void fnExitMQTT_critical(unsigned long ulState)
{
    __asm__ volatile("msr primask, %0" : : "r"(ulState) : "memory");
}
