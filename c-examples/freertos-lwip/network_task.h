/* Runs the network interface in a task of its own. */
#ifndef NETWORK_TASK_H
#define NETWORK_TASK_H

/* Starts lwIP and the task of the Ethernet chip; changed is called, in lwIP's task, when the address or the link has changed. */
void network_start(void (*changed)(void));

#endif
