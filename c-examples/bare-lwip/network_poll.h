/* Runs lwIP and the network interface in the main loop. */
#ifndef NETWORK_POLL_H
#define NETWORK_POLL_H

/* Starts lwIP; changed is called, inside network_poll or port_wait, when the address or the link has changed; arrived is called in
   the interrupt of the Ethernet chip: network_poll then has work. */
void network_start(void (*changed)(void), void (*arrived)(void));

/* Takes in what has arrived. */
void network_poll(void);

#endif
