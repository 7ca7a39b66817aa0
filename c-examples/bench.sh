#!/usr/bin/env bash
# Times this library against libmosquitto: the same job, the same broker, alternately. Usage: bench.sh [rounds] [port]
set -eu

rounds=${1:-5}
port=${2:-21883}

cd "$(dirname "$0")"
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
mosquitto -c "$work/mosquitto.conf" &
broker=$!
trap 'kill $broker; wait $broker || true; rm -r "$work"' EXIT
sleep 1
kill -0 $broker

seconds() {
    "$programs/bench_$1" -h 127.0.0.1 -p "$port" -q "$2" -n "$3"
}

median() {
    sort -n "$1" | sed -n "$(((rounds + 1) / 2))p"
}

printf '%-4s %9s %16s %16s %7s\n' QoS messages 'utasker-mqtt/s' 'libmosquitto/s' ratio
for job in '0 100000' '1 20000' '2 20000'; do
    set -- $job
    : >"$work/utasker"
    : >"$work/libmosquitto"
    for round in $(seq "$rounds"); do
        seconds utasker "$1" "$2" >>"$work/utasker"
        seconds libmosquitto "$1" "$2" >>"$work/libmosquitto"
    done
    ours=$(median "$work/utasker")
    theirs=$(median "$work/libmosquitto")
    printf '%-4s %9s %16s %16s %7s\n' "$1" "$2" "$ours" "$theirs" "$(echo "$ours $theirs" | awk '{ printf "%.2f", $1 / $2 }')"
done
echo "Median of $rounds rounds, in seconds; a ratio below 1 means that utasker-mqtt is faster."
