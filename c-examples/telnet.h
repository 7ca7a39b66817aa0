/* The little of Telnet that a line-by-line server needs. */
#ifndef TELNET_H
#define TELNET_H

typedef enum {
    TELNET_DATA,
    TELNET_COMMAND,                     /* after IAC */
    TELNET_OPTION,                      /* after WILL, WONT, DO or DONT */
    TELNET_SUBNEGOTIATION,
    TELNET_SUBNEGOTIATION_COMMAND       /* after IAC within it */
} TELNET_STATE;

/* Opens a listening socket on the loopback interface: its descriptor, or -1 with errno. */
int telnet_listen(unsigned short port);

/* Moves on by one received byte: 1 where it was typed by the user, 0 where it belongs to the protocol, which is not answered. A new
   connection begins with TELNET_DATA. */
int telnet_is_typed(TELNET_STATE *state, unsigned char byte);

#endif
