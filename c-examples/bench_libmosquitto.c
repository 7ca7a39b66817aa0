/* The benchmark's job done with libmosquitto. */
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench_job.h"

static BENCH bench;
static int subscribed;

static void check(int result)
{
    if (result != MOSQ_ERR_SUCCESS) {
        fprintf(stderr, "%s: %s\n", bench.options.program, mosquitto_strerror(result));
        exit(EXIT_FAILURE);
    }
}

static void on_connect(struct mosquitto *client, void *context, int return_code)
{
    (void)context;
    check(return_code);
    check(mosquitto_subscribe(client, 0, BENCH_TOPIC, bench.options.qos));
}

static void on_subscribe(struct mosquitto *client, void *context, int identifier, int count, const int *granted_qos)
{
    (void)client;
    (void)context;
    (void)identifier;
    (void)count;
    (void)granted_qos;
    subscribed = 1;
    bench_start(&bench);
}

static void on_publish(struct mosquitto *client, void *context, int identifier)
{
    (void)client;
    (void)context;
    (void)identifier;
    bench.acknowledged++;
}

static void on_message(struct mosquitto *client, void *context, const struct mosquitto_message *message)
{
    (void)client;
    (void)context;
    bench_received(&bench, message->payload, (size_t)message->payloadlen);
}

static void publish(struct mosquitto *client)
{
    unsigned char payload[BENCH_PAYLOAD_LENGTH];

    while (bench_may_publish(&bench)) {
        bench_payload(&bench, payload);
        bench.published++;              /* first, because it may be acknowledged within the call */
        check(mosquitto_publish(client, 0, BENCH_TOPIC, sizeof payload, payload, bench.options.qos, false));
    }
}

static struct mosquitto *create_client(void)
{
    struct mosquitto *client = mosquitto_new(0, true, 0);

    if (client == 0) {
        check(MOSQ_ERR_NOMEM);
    }
    mosquitto_connect_callback_set(client, on_connect);
    mosquitto_subscribe_callback_set(client, on_subscribe);
    mosquitto_publish_callback_set(client, on_publish);
    mosquitto_message_callback_set(client, on_message);
    check(mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1));
    return client;
}

int main(int argc, char **argv)
{
    struct mosquitto *client;

    bench_parse(&bench, "bench_libmosquitto", argc, argv);
    mosquitto_lib_init();
    client = create_client();
    check(mosquitto_connect(client, bench.options.host, options_port(&bench.options), 300));
    while (!bench_is_complete(&bench)) {
        if (subscribed) {
            publish(client);
        }
        check(mosquitto_loop(client, 1000, 1));
    }
    bench_report(&bench);
    mosquitto_disconnect(client);
    mosquitto_destroy(client);
    mosquitto_lib_cleanup();
    return EXIT_SUCCESS;
}
