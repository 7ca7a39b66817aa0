/* What an image for secure connections has besides: the certificates and the key that are part of it, and the buffers. */
#ifndef SECURE_H
#define SECURE_H

/* Hands them to the library. The broker's certificate must bear this name or address. */
void secure_start(const char *server_name);

/* The library calls this where its TLS code cannot go on. A product would reset. */
void fnPanicMQTT(void);

#endif
