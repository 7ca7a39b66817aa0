/* What a secure connection needs, out of the options and the files that they name. */
#ifndef SECURITY_H
#define SECURITY_H

#include "options.h"

/* Hands it to the library, where the options ask for secure connections. Exits where that is impossible. */
void security_prepare(const OPTIONS *options);

#endif
