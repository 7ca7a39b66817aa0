#ifndef ARCH_CC_H
#define ARCH_CC_H

#include <limits.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/types.h>

#include "fatal.h"

#ifndef SSIZE_MAX
#define SSIZE_MAX INT_MAX               /* tells lwIP that there is an ssize_t */
#endif

#define LWIP_PLATFORM_DIAG(arguments)
#define LWIP_PLATFORM_ASSERT(text) fatal_assertion(text, __FILE__, __LINE__)

unsigned network_random(void);
#define LWIP_RAND() network_random()

#endif
