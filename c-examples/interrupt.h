/* SIGINT and SIGTERM: a wish to end the program, which it can look for. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include "port_posix.h"

/* From now on these signals end port_wait. */
void interrupt_watch(PORT *port);

int interrupt_requested(void);

#endif
