/* The MQTT_PLATFORM of lwIP's raw API, without an operating system: one main loop that polls, and sleeps when there is nothing to do. */
#ifndef PORT_LWIP_RAW_H
#define PORT_LWIP_RAW_H

#include "lwip/tcp.h"

#include "port_lwip.h"

typedef struct {
    PORT_LWIP lwip;                     /* first: the context of the functions of port_lwip.c */

    void (*sleep)(unsigned long milliseconds);  /* until an interrupt, or for 1 millisecond or more; 0xffffffff: until an interrupt.
                                           Called with interrupts masked, as WFI allows: one that comes ends the sleep, and is
                                           served afterwards. 0: the loop never sleeps */

    struct tcp_pcb *connection;         /* 0: there is none */
    struct pbuf *received;              /* what has not been read yet; the peer's window stays closed by so much */
    int state;                          /* above 0: connected, 0: not yet, negative: the MQTT_LINK_ value of a lost link */
    volatile int woken;
} PORT;

/* Fills in the port for this broker, and hands its platform to the library: 0, or negative. The broker's name is not copied. */
int port_init(PORT *port, const char *broker);

/* Sleeps until the main loop has something to do: an interrupt has called port_wake, the milliseconds that fnPollMQTT returned have
   passed, or a timer of lwIP, which it runs then. */
void port_wait(PORT *port, unsigned long milliseconds);

/* Ends port_wait, now or the next time; from any context. */
void port_wake(PORT *port);

#endif
