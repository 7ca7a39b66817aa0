/* What the images do whatever runs them: the menu on the UART, and the arguments that QEMU hands over.

   Arguments, by semihosting (arg= in QEMU's option): broker=NAME port=N keepalive=S response=S reconnect=S connect=1 dns=ADDRESS;
   in an image for secure connections also servername=NAME (that of the broker if not given) and time=S (since 1970, at the start) */
#ifndef APPLICATION_H
#define APPLICATION_H

#include "utasker_mqtt.h"

/* The kind of connection that an image makes by itself: secure, where it can. */
#ifdef SECURE_MQTT
#define APPLICATION_CONNECT "mqtts_con\r"
#define APPLICATION_MODE SECURE_MQTT_CONNECTION
#else
#define APPLICATION_CONNECT "mqtt_con\r"
#define APPLICATION_MODE UNSECURE_MQTT_CONNECTION
#endif

/* Reads the arguments, and returns the name or address of the broker. */
const char *application_arguments(void);

/* The calendar: seconds since 1970. */
unsigned long application_unix_time(void);

/* Starts the menu, once the library has its platform; uart_received is called in the interrupt of the UART. */
void application_start(void (*uart_received)(void));

/* To be called when the network is up or down; from any context. */
void application_network_changed(void);

/* Takes turns, each with a call of fnPollMQTT and the wait for what is to be done next, until the user quits; then ends the image. */
void application_run(void (*turn)(void)) __attribute__((noreturn));

#endif
