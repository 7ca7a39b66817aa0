/* Certificates and private keys as files hold them: PEM (RFC 7468), or DER. */
#ifndef PEM_H
#define PEM_H

#include <stddef.h>

typedef enum {
    PEM_AUTHORITIES,                    /* certificates, any number from one */
    PEM_CERTIFICATE,                    /* a single one */
    PEM_PRIVATE_KEY                     /* of elliptic curves, SEC1 or PKCS#8; a single one */
} PEM_KIND;

/* Replaces the content of a PEM file by the DER in it, several certificates one after another; blocks of another kind are left out.
   A DER file stays as it is: what is in it is the library's to check. Returns 0, or says what is wrong with the file. */
const char *pem_decode(unsigned char *content, size_t *length, PEM_KIND kind);

#endif
