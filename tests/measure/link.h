/* What operations.c and secure.c have in common: the firmware's side of the library's border, with a link in memory. Each plays
   the broker itself. */
#include "utasker_mqtt.h"

extern MQTT_PLATFORM platform;              /* complete but for fnSend, and for what a secure connection needs besides */

void fnArrive(const void *ptrData, unsigned long ulLength); /* from the broker; it is not copied, and stays until it is read */
unsigned long fnUnread(void);
