/* A link in memory, a clock that stands still, and nothing that could interrupt. */
#include "link.h"
#include "count.h"

static const unsigned char *ptrArrived;
static unsigned long ulArrived;

void fnArrive(const void *ptrData, unsigned long ulLength)
{
    ptrArrived = ptrData;
    ulArrived = ulLength;
}

unsigned long fnUnread(void)
{
    return ulArrived;
}

static int fnOpen(void *ptrContext, const unsigned char *ptrAddress, unsigned char ucAddressLength, unsigned short usPort)
{
    (void)ptrContext, (void)ptrAddress, (void)ucAddressLength, (void)usPort;
    return 0;
}

static int fnReceive(void *ptrContext, unsigned char *ptrData, unsigned short usLength)
{
    unsigned short i;
    (void)ptrContext;
    if (usLength > ulArrived) {
        usLength = (unsigned short)ulArrived;
    }
    for (i = 0; i < usLength; i++) {
        ptrData[i] = *ptrArrived++;
    }
    ulArrived -= usLength;
    return usLength;
}

static void fnClose(void *ptrContext)
{
    (void)ptrContext;
    fnFinish("the connection was closed");
}

static unsigned long fnMilliseconds(void *ptrContext)
{
    (void)ptrContext;
    return 1000;
}

MQTT_PLATFORM platform = {
    .fnOpen = fnOpen,
    .fnReceive = fnReceive,
    .fnClose = fnClose,
    .fnMilliseconds = fnMilliseconds
};

unsigned long fnEnterMQTT_critical(void)
{
    return 0;
}

void fnExitMQTT_critical(unsigned long ulState)
{
    (void)ulState;
}
