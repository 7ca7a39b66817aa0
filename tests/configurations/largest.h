/* As much as there may be of everything. */
#define MQTT_MAX_SUBSCRIPTIONS 64
#define MQTT_MAX_INFLIGHT      64
#define MQTT_MAX_TOPIC_LENGTH  255
#define MQTT_RX_BUFFER_LENGTH  30000
#define MQTT_TX_BUFFER_LENGTH  30000
#define MQTT_PUBLISH_ROOM      29700
