/* The MQTT_PLATFORM of FreeRTOS and lwIP's sockets: one TCP socket that never blocks, one task that is woken by notifications. */
#ifndef PORT_LWIP_SOCKETS_H
#define PORT_LWIP_SOCKETS_H

#include "FreeRTOS.h"
#include "task.h"

#include "port_lwip.h"

typedef struct {
    PORT_LWIP lwip;                     /* first: the context of the functions of port_lwip.c */

    TaskHandle_t task;                  /* that polls */
    int socket;                         /* -1: closed, or the broker's name is being resolved */
    int connecting;
} PORT;

/* Fills in the port for this broker, to be polled by the calling task, and hands its platform to the library: 0, or negative.
   The broker's name is not copied. */
int port_init(PORT *port, const char *broker);

/* Sleeps until fnPollMQTT must be called again: the link connects, receives, can send again or is lost, port_wake was called, or
   the milliseconds that fnPollMQTT returned have passed. */
void port_wait(PORT *port, unsigned long milliseconds);

/* Ends port_wait, now or the next time; from any task, or interrupt that may call FreeRTOS. */
void port_wake(PORT *port);

#endif
