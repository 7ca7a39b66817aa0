/* Stands in for a μTasker project's config.h: what the project supports, then all of its headers. */
#ifndef CONFIG_H
#define CONFIG_H

#define USE_MQTT_CLIENT

#if !defined PLAIN_TCP                  /* options of μTasker's TCP that the port uses where they are there */
    #define REUSE_TIME_WAIT_SOCKETS
    #define SUPPORT_PEER_MSS
    #define SUPPORT_PEER_WINDOW
    #define CONTROL_WINDOW_SIZE
#endif

#include "stand_in/stand_in.h"

#endif
