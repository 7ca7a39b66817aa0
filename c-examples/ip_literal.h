/* Addresses as people write them, without help from an operating system. */
#ifndef IP_LITERAL_H
#define IP_LITERAL_H

#define IP_LITERAL_IPV4 4
#define IP_LITERAL_IPV6 16

/* Reads an IPv4 or IPv6 address: the number of bytes written to address, or 0 where the text is neither. */
int ip_literal_parse(const char *text, unsigned char address[IP_LITERAL_IPV6]);

#endif
