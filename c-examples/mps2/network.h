/* The network interface: lwIP over the LAN9118, its address by DHCP, and that of IPv6 from the router. What runs it is in the folder of each image: network_task.c
   with FreeRTOS, network_poll.c without. */
#ifndef NETWORK_H
#define NETWORK_H

#include "lwip/netif.h"

/* 1 where the cable is connected and there is an address. */
int network_is_up(void);

/* The address in words. */
const char *network_address(void);

/* Replaces the name server that DHCP has given. */
void network_set_name_server(const char *address);

/* For port numbers, jitter and the like; not fit for keys. */
unsigned network_random(void);

/* For what runs the interface: adds it to lwIP; changed is called when the address or the link has changed. In lwIP's context. */
void network_add(netif_input_fn input, void (*changed)(void));

/* Hands what the chip has received to input, and lets the chip's interrupt through again. */
void network_take_in(void);

#endif
