/* The numbers of the MQTT interface in words, for people. */
#ifndef MQTT_NAMES_H
#define MQTT_NAMES_H

/* A result of an API function, or a negative callback event: its name and what it means. */
const char *mqtt_result_name(int result);

/* Why the broker refused the connection: the return code of its CONNACK. */
const char *mqtt_refusal_name(unsigned long return_code);

/* Why a connection is not secure: the number that ERROR_MQTT_SECURITY comes with. */
const char *mqtt_security_name(unsigned long reason);

#endif
