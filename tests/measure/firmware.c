/* The smallest firmware that uses every function of the library. It is linked and looked at, not run: what the library
   calls through pointers (platform and callback) needs no code here. */
#include "utasker_mqtt.h"
#include <stddef.h>

/* Written by arm-firmware from the header, so that no function can be forgotten. */
#define API_FUNCTION(function) (void (*)(void))function,
static void (*const fnEvery_function[])(void) = {
#include "api-functions.inc"
};

void fnReset(void)
{
    size_t i;
    for (i = 0; i < sizeof(fnEvery_function) / sizeof(fnEvery_function[0]); i++) {
        ((void (*const volatile *)(void))fnEvery_function)[i]();
    }
}

unsigned long fnEnterMQTT_critical(void)
{
    unsigned long ulState;
    __asm__ volatile("mrs %0, primask\n cpsid i" : "=r"(ulState) : : "memory");
    return ulState;
}

void fnExitMQTT_critical(unsigned long ulState)
{
    __asm__ volatile("msr primask, %0" : : "r"(ulState) : "memory");
}

/* The four functions that every C library has, and their ARM names: the library uses the firmware's and brings none. */
void *memcpy(void *ptrTo, const void *ptrFrom, size_t length)
{
    unsigned char *to = ptrTo;
    const unsigned char *from = ptrFrom;
    while (length-- != 0) {
        *to++ = *from++;
    }
    return ptrTo;
}

void *memmove(void *ptrTo, const void *ptrFrom, size_t length)
{
    unsigned char *to = ptrTo;
    const unsigned char *from = ptrFrom;
    if (to <= from) {
        return memcpy(ptrTo, ptrFrom, length);
    }
    while (length-- != 0) {
        to[length] = from[length];
    }
    return ptrTo;
}

void *memset(void *ptrTo, int iValue, size_t length)
{
    unsigned char *to = ptrTo;
    while (length-- != 0) {
        *to++ = (unsigned char)iValue;
    }
    return ptrTo;
}

int memcmp(const void *ptrFirst, const void *ptrSecond, size_t length)
{
    const unsigned char *first = ptrFirst;
    const unsigned char *second = ptrSecond;
    for (; length-- != 0; first++, second++) {
        if (*first != *second) {
            return *first - *second;
        }
    }
    return 0;
}

#define SAME_AS(function) __attribute__((alias(#function)))
void *__aeabi_memcpy(void *, const void *, size_t) SAME_AS(memcpy);
void *__aeabi_memcpy4(void *, const void *, size_t) SAME_AS(memcpy);
void *__aeabi_memcpy8(void *, const void *, size_t) SAME_AS(memcpy);
void *__aeabi_memmove(void *, const void *, size_t) SAME_AS(memmove);
void *__aeabi_memmove4(void *, const void *, size_t) SAME_AS(memmove);
void *__aeabi_memmove8(void *, const void *, size_t) SAME_AS(memmove);

void __aeabi_memset(void *ptrTo, size_t length, int iValue)
{
    memset(ptrTo, iValue, length);
}

void __aeabi_memclr(void *ptrTo, size_t length)
{
    memset(ptrTo, 0, length);
}

void __aeabi_memset4(void *, size_t, int) SAME_AS(__aeabi_memset);
void __aeabi_memset8(void *, size_t, int) SAME_AS(__aeabi_memset);
void __aeabi_memclr4(void *, size_t) SAME_AS(__aeabi_memclr);
void __aeabi_memclr8(void *, size_t) SAME_AS(__aeabi_memclr);
