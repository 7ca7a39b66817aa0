#include "ip_literal.h"

#include <string.h>

static int digit_value(char character)
{
    if (character >= '0' && character <= '9') {
        return character - '0';
    }
    if (character >= 'a' && character <= 'f') {
        return character - 'a' + 10;
    }
    if (character >= 'A' && character <= 'F') {
        return character - 'A' + 10;
    }
    return 16;
}

/* Moves *text past a number of at most that many digits: its value, or -1. */
static long parse_number(const char **text, int base, int max_digits)
{
    long value = 0;
    int digits;

    for (digits = 0; digit_value(**text) < base; digits++) {
        value = value * base + digit_value(**text);
        (*text)++;
        if (digits == max_digits) {
            return -1;
        }
    }
    return (digits > 0) ? value : -1;
}

static int parse_ipv4(const char *text, unsigned char *address)
{
    int i;

    for (i = 0; i < IP_LITERAL_IPV4; i++) {
        long value = parse_number(&text, 10, 3);

        if (value < 0 || value > 255) {
            return 0;
        }
        address[i] = (unsigned char)value;
        if (*text++ != ((i < 3) ? '.' : '\0')) {
            return 0;
        }
    }
    return 1;
}

/* Makes room for the zeros that "::" stands for, at least one group of them. */
static int fill_gap(unsigned char *address, int gap, int length)
{
    if (length > IP_LITERAL_IPV6 - 2) {
        return 0;
    }
    memmove(address + gap + IP_LITERAL_IPV6 - length, address + gap, (size_t)(length - gap));
    memset(address + gap, 0, (size_t)(IP_LITERAL_IPV6 - length));
    return 1;
}

static int parse_ipv6(const char *text, unsigned char *address)
{
    int length = 0;
    int gap = -1;                       /* where "::" stands */

    if (text[0] == ':' && text[1] == ':') {
        gap = 0;
        text += 2;
    }
    while (*text != '\0') {
        const char *group = text;
        long value = parse_number(&text, 16, 4);

        if (*text == '.') {             /* the last four bytes may be written as an IPv4 address */
            if (length > IP_LITERAL_IPV6 - IP_LITERAL_IPV4 || !parse_ipv4(group, address + length)) {
                return 0;
            }
            length += IP_LITERAL_IPV4;
            break;
        }
        if (value < 0 || length == IP_LITERAL_IPV6) {
            return 0;
        }
        address[length++] = (unsigned char)(value >> 8);
        address[length++] = (unsigned char)(value & 0xff);
        if (*text == '\0') {
            break;
        }
        if (*text++ != ':' || *text == '\0') {
            return 0;
        }
        if (*text == ':') {
            if (gap >= 0) {
                return 0;
            }
            gap = length;
            text++;
        }
    }
    return (gap < 0) ? (length == IP_LITERAL_IPV6) : fill_gap(address, gap, length);
}

int ip_literal_parse(const char *text, unsigned char address[IP_LITERAL_IPV6])
{
    if (parse_ipv4(text, address)) {
        return IP_LITERAL_IPV4;
    }
    return parse_ipv6(text, address) ? IP_LITERAL_IPV6 : 0;
}
