/* What the two ports to lwIP have in common: the broker's address, given or asked for by name, the clocks, random numbers and the
   output. The rest, the TCP connection, is in freertos-lwip/port_lwip_sockets.c and in bare-lwip/port_lwip_raw.c. */
#ifndef PORT_LWIP_H
#define PORT_LWIP_H

#include "lwip/ip_addr.h"

#include "utasker_mqtt.h"

typedef struct {
    MQTT_PLATFORM platform;             /* what fnSetMQTT_platform is given */

    const char *broker;                 /* name or address of the broker where fnConnectMQTT was given none */
    void (*print)(const char *text);    /* where fnPrint writes; 0: nowhere */
    int (*random)(unsigned char *data, unsigned short length);  /* fills in bytes that are fit for keys, and returns 0, or negative;
                                           0: there is no such source, and no secure connection */
    unsigned long (*unix_time)(void);   /* seconds since 1970; 0: not known, and no certificate is valid */

    volatile int found;                 /* above 0: the address is known, 0: it was asked for, negative: there is none */
    ip_addr_t address;
    unsigned short broker_port;
    unsigned attempt;                   /* so that a late answer of the name server is not taken for that of another attempt */
} PORT_LWIP;

/* Hands the platform to the library: these functions, those that both ports share, and as their context the port that begins with this.
   0, or negative. */
int port_lwip_init(PORT_LWIP *port, const MQTT_PLATFORM *functions, const char *broker);

/* fnOpen, with lwIP's core locked: finds out the address and returns at once. There is no connection yet: the port starts one as soon
   as the address is known. */
int port_lwip_open(void *ptrContext, const unsigned char *ptrAddress, unsigned char ucAddressLength, unsigned short usPort);

#endif
