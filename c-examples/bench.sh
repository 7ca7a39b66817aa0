#!/usr/bin/env bash
# Times this library against libmosquitto: the same job, the same broker, alternately.
# Usage: bench.sh [rounds] [messages on their way at once]
set -eu

rounds=${1:-5}
window=${2:-1000}

if [ -n "${MQTT_CONFIG_H:-}" ]; then MQTT_CONFIG_H=$(realpath -s "$MQTT_CONFIG_H"); fi
cd "$(dirname "$0")"
port=$(./free_port)
make --quiet bench
programs=../target/c-examples
work=$(mktemp -d)

# Nothing may be dropped, however far the broker gets behind.
cat >"$work/mosquitto.conf" <<EOF
listener $port 127.0.0.1
allow_anonymous true
max_queued_messages 0
max_queued_bytes 0
set_tcp_nodelay true
persistence false
log_type error
EOF
chmod 755 "$work"
mosquitto -c "$work/mosquitto.conf" &
broker=$!
trap 'kill $broker; wait $broker || true; rm -r "$work"' EXIT
until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    kill -0 $broker
    sleep 0.1
done

# Seconds of processor time that the broker has used so far.
broker_seconds() {
    awk -v ticks="$(getconf CLK_TCK)" '{ print ($14 + $15) / ticks }' "/proc/$broker/stat"
}

# measure LIBRARY QOS MESSAGES: appends "wall-clock-seconds processor-seconds broker's-seconds" to the library's results.
measure() {
    before=$(broker_seconds)
    times=$(timeout 300 "$programs/bench_$1" -h 127.0.0.1 -p "$port" -w "$window" -q "$2" -n "$3")
    echo "$times $before $(broker_seconds)" | awk '{ printf "%s %s %.3f\n", $1, $2, $4 - $3 }' >>"$work/$1"
}

# median LIBRARY COLUMN
median() {
    cut -d ' ' -f "$2" "$work/$1" | sort -n | sed -n "$(((rounds + 1) / 2))p"
}

# compare QOS MESSAGES WHAT COLUMN
compare() {
    ours=$(median utasker "$4")
    theirs=$(median libmosquitto "$4")
    ratio=$(echo "$ours $theirs" | awk '{ printf "%.2f", $1 / $2 }')
    printf '%-4s %9s  %-14s %12s %12s %6s\n' "$1" "$2" "$3" "$ours" "$theirs" "$ratio"
}

printf '%-4s %9s  %-14s %12s %12s %6s\n' QoS messages seconds utasker-mqtt libmosquitto ratio
for job in '0 100000' '1 20000' '2 20000'; do
    rm -f "$work/utasker" "$work/libmosquitto"
    for round in $(seq "$rounds"); do
        measure utasker $job
        measure libmosquitto $job
    done
    compare $job wall-clock 1
    compare $job processor 2
    compare $job "the broker's" 3
done
cat <<EOF
Medians of $rounds rounds; a ratio below 1 is in favour of utasker-mqtt.
Where the wall clock shows the broker's processor time, both clients wait for the broker: it takes some of its time to wake a client
that was done before it, and that sleeps.
EOF
