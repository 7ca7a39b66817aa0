/* Tables of one entry, the smallest buffers. */
#define MQTT_MAX_SUBSCRIPTIONS 1
#define MQTT_MAX_INFLIGHT      1
#define MQTT_MAX_TOPIC_LENGTH  5
#define MQTT_RX_BUFFER_LENGTH  128
#define MQTT_TX_BUFFER_LENGTH  128
#define MQTT_PUBLISH_ROOM      78
