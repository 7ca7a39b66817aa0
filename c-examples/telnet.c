#include "telnet.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {                                  /* RFC 854 */
    END_OF_SUBNEGOTIATION = 240,
    SUBNEGOTIATION = 250,
    WILL = 251,
    DONT = 254,
    IAC = 255
};

int telnet_listen(unsigned short port)
{
    const int on = 1;
    struct sockaddr_in address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0) {
        return -1;
    }
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (const struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1) != 0) {
        close(listener);
        return -1;
    }
    return listener;
}

static TELNET_STATE after_command(unsigned char byte)
{
    if (byte == SUBNEGOTIATION) {
        return TELNET_SUBNEGOTIATION;
    }
    return (byte >= WILL && byte <= DONT) ? TELNET_OPTION : TELNET_DATA;
}

int telnet_is_typed(TELNET_STATE *state, unsigned char byte)
{
    switch (*state) {
    case TELNET_DATA:
        if (byte != IAC) {
            return 1;
        }
        *state = TELNET_COMMAND;
        return 0;
    case TELNET_COMMAND:
        *state = after_command(byte);
        return byte == IAC;             /* doubled, it is data */
    case TELNET_OPTION:
        *state = TELNET_DATA;
        return 0;
    case TELNET_SUBNEGOTIATION:
        if (byte == IAC) {
            *state = TELNET_SUBNEGOTIATION_COMMAND;
        }
        return 0;
    default:
        *state = (byte == END_OF_SUBNEGOTIATION) ? TELNET_DATA : TELNET_SUBNEGOTIATION;
        return 0;
    }
}
