/* Counting under valgrind --tool=callgrind: each operation ends up in a dump of its own, marked with its name. */
#include "count.h"
#include <stdio.h>
#include <stdlib.h>
#include <valgrind/callgrind.h>

int main(void)
{
    fnOperations();
    return 0;
}

void fnCount_start(const char *ptrName)
{
    (void)ptrName;
    CALLGRIND_ZERO_STATS;
    CALLGRIND_TOGGLE_COLLECT;
}

void fnCount_stop(const char *ptrName)
{
    CALLGRIND_TOGGLE_COLLECT;
    CALLGRIND_DUMP_STATS_AT(ptrName);
}

void fnFinish(const char *ptrFault)
{
    if (ptrFault != 0) {
        fprintf(stderr, "operations: %s\n", ptrFault);
    }
    exit(ptrFault != 0);
}
