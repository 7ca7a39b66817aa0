/* The benchmark's job done with this library. */
#include <stdlib.h>

#include "bench_job.h"
#include "client.h"
#include "mqtt_names.h"

static BENCH bench;
static CLIENT client;
static int subscribed;

static void publish(void)
{
    unsigned char payload[BENCH_PAYLOAD_LENGTH];

    while (bench_may_publish(&bench)) {
        int result;

        bench_payload(&bench, payload);
        result = fnPublishMQTT_data(0, BENCH_TOPIC, (signed char)bench.options.qos, payload, sizeof payload);
        if (result == ERROR_MQTT_BUSY) {
            return;
        }
        if (result < 0) {
            client_fail(&client, "cannot publish: %s", mqtt_result_name(result));
            return;
        }
        bench.published++;
    }
}

static void work(void)
{
    if (client.closing || !subscribed) {
        return;
    }
    publish();
    if (bench_is_complete(&bench)) {
        bench_report(&bench);
        client_end(&client, EXIT_SUCCESS);
    }
}

static void subscribe(void)
{
    int result = fnSubscribeMQTT(BENCH_TOPIC, (unsigned char)bench.options.qos);

    if (result < 0) {
        client_fail(&client, "cannot subscribe: %s", mqtt_result_name(result));
    }
}

static unsigned short callback(signed char scEvent, unsigned char *ptrData, unsigned long ulLength, unsigned char ucSubscriptionRef)
{
    unsigned short answer = client_event(&client, scEvent, ptrData, ulLength);

    (void)ucSubscriptionRef;
    switch (scEvent) {
    case MQTT_CONNACK_RECEIVED:
        subscribe();
        break;
    case MQTT_SUBACK_RECEIVED:
        subscribed = 1;
        bench_start(&bench);
        break;
    case MQTT_PUBLISH_ACKNOWLEDGED:
        bench.acknowledged++;
        break;
    case MQTT_TOPIC_MESSAGE:
        bench_received(&bench, ptrData, ulLength);
        break;
    }
    return answer;
}

int main(int argc, char **argv)
{
    bench_parse(&bench, "bench_utasker", argc, argv);
    client_start(&client, &bench.options, callback, 0);
    return client_run(&client, work, 0);
}
