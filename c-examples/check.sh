#!/usr/bin/env bash
# Tests the example programs against a Mosquitto that it starts on the loopback interface, with Mosquitto's own programs on the
# other side. Usage: check.sh [directory of the programs]
#
# With SECURE=1 all connections are secure, and the broker wants to see the clients' certificates.
set -u

here=$(cd "$(dirname "$0")" && pwd)
programs=$(cd "${1:-$here/../target/c-examples}" && pwd)
port=$("$here/free_port")
locked_port=$("$here/free_port")
telnet_port=$("$here/free_port")
work=$(mktemp -d)
failures=0

cd "$work"
secure=()
listener_security=
connect=mqtt_con
if [ -n "${SECURE:-}" ]; then
    "$here/../tests/certificates" certificates || exit 1
    secure=(--cafile certificates/ca.crt --cert certificates/client.crt --key certificates/client.key)
    listener_security="require_certificate true
cafile $work/certificates/ca.crt
certfile $work/certificates/broker.crt
keyfile $work/certificates/broker.key"
    connect=mqtts_con
fi
cat >mosquitto.conf <<EOF
user $(id -un)
per_listener_settings true
persistence false
log_type error
max_queued_messages 0
queue_qos0_messages true
listener $port 127.0.0.1
$listener_security
allow_anonymous true
listener $locked_port 127.0.0.1
$listener_security
allow_anonymous false
password_file $work/passwords
acl_file $work/rights
EOF
mosquitto_passwd -b -c passwords anna secret
printf 'user anna\ntopic readwrite allowed/#\n' >rights
mosquitto -c mosquitto.conf >broker.log 2>&1 &
broker=$!
trap 'kill $broker; wait $broker; rm -r "$work"' EXIT
sleep 1
kill -0 $broker || { cat broker.log; exit 1; }

publish() {
    "$programs/publish" -h 127.0.0.1 -p "$port" "${secure[@]}" "$@"
}

subscribe() {
    "$programs/subscribe" -h 127.0.0.1 -p "$port" "${secure[@]}" "$@"
}

# Runs subscribe in the background, as process $client.
start_subscribe() {
    "$programs/subscribe" -h 127.0.0.1 -p "$port" "${secure[@]}" "$@" &
    client=$!
    sleep 0.5
}

theirs() {
    local program=$1
    shift
    "mosquitto_$program" -h 127.0.0.1 -p "$port" "${secure[@]}" "$@"
}

report() {
    if [ "$1" -eq 0 ]; then
        echo "ok      $2"
    else
        echo "FAILED  $2"
        failures=$((failures + 1))
    fi
}

# same NAME: the file "actual" must be as the file "expected".
same() {
    cmp expected actual
    report $? "$1"
}

# exits CODE NAME COMMAND...: the command must end with this exit code; where that is an error, with a message.
exits() {
    local wanted=$1 name=$2 code
    shift 2
    "$@" >output 2>errors </dev/null
    code=$?
    [ "$code" -eq "$wanted" ] || echo "exit code $code instead of $wanted: $*"
    [ "$code" -eq "$wanted" ] && { [ "$code" -eq 0 ] || [ -s errors ]; }
    report $? "$name"
}

# refused ARGUMENT...: publish must not accept these.
refused() {
    exits 1 "publish refuses $*" publish "$@"
}

# Published messages are kept by the broker in a session of their reader, so that no time plays a part.
expect_published() {
    theirs sub -c -i reader -q 2 -t "$1" -E
}

get_published() {
    theirs sub -c -i reader -q 2 -t "$1" -C "$2" -W 20 -F "${3:-%p}" >actual
    theirs sub -i reader -t unused -E
}

check_publish() {
    expect_published p/text
    for qos in 0 1 2; do
        publish -t p/text -m "text $qos" -q $qos
    done
    publish -t p/text -n
    get_published p/text 4 '%q%p'
    sort -o actual actual               # a message of QoS 2 takes longer to arrive
    printf '0\n0text 0\n1text 1\n2text 2\n' >expected
    same "publish -m and -n"

    seq 1 3000 >lines
    printf 'the last line has no end' >>lines
    for qos in 0 1 2; do
        expect_published p/lines
        publish -t p/lines -l -q $qos <lines
        get_published p/lines 3001
        { cat lines; echo; } >expected
        same "publish -l at QoS $qos"
    done

    head -c 300000 /dev/urandom | od -v -A n -t x1 | tr -d ' \n' >large
    for qos in 0 1 2; do
        expect_published p/large
        publish -t p/large -f large -q $qos
        publish -t p/large -s -q $qos <large
        get_published p/large 2
        { cat large; echo; cat large; echo; } >expected
        same "publish -f and -s of 600 000 bytes at QoS $qos"
    done

    { echo before; cat large; echo; echo after; } >expected
    expect_published p/mixed
    publish -t p/mixed -l -q 2 <expected
    get_published p/mixed 3
    same "publish -l with a line longer than the transmit buffer"

    publish -t p/kept -r -q 1 -m kept -V mqttv31 -i someone -k 10
    theirs sub -t p/kept -C 1 -W 5 -F '%r%p' >actual
    echo 1kept >expected
    same "publish -r"

    exits 0 "publish -l without a line" publish -t p/none -l
    exits 1 "publish to nobody listening" publish -p 1 -t a -m b
    exits 1 "publish to a name that does not exist" publish -h name.invalid -t a -m b
    exits 1 "publish -f of a missing file" publish -t a -f missing
}

# Messages for subscribe are kept likewise, for a client identifier.
expect_messages() {
    subscribe -c -i "$1" -q 2 -t "$2" -W 1 2>/dev/null
}

check_subscribe() {
    expect_messages topics 's/#'
    for qos in 0 1 2; do
        theirs pub -t "s/with/a/topic/$qos" -m "text $qos" -q $qos
    done
    subscribe -c -i topics -q 2 -t 's/#' -C 3 -v | sort >actual
    printf 's/with/a/topic/%s text %s\n' 0 0 1 1 2 2 >expected
    same "subscribe -c -v"

    # Mosquitto 2.0.11 exceeds its window of 20 messages as soon as there are more; at QoS 2 the library has to remember each.
    for job in '0 3000' '1 3000' '2 20'; do
        set -- $job
        seq 1 "$2" >expected
        start_subscribe -q "$1" -t lines -C "$2" -W 20 >actual
        theirs pub -t lines -l -q "$1" <expected
        wait $client
        same "subscribe to $2 messages at QoS $1"
    done

    expect_messages large s/large
    theirs pub -t s/large -f large -q 1
    theirs pub -t s/large -m small -q 1
    subscribe -c -i large -q 2 -t s/large -C 2 -N >actual
    { cat large; printf small; } >expected
    same "subscribe to a message of 600 000 bytes"

    for topic in one two three; do
        theirs pub -t "s/kept/$topic" -m "$topic" -r
    done
    subscribe -t s/kept/one -t s/kept/two -t 's/+/three' -C 3 | sort >actual
    printf 'one\nthree\ntwo\n' >expected
    same "subscribe to three topics"

    exits 27 "subscribe -W" subscribe -t nothing -W 1
    exits 1 "subscribe to an invalid filter" subscribe -t 'a/#/b' -W 5
    exits 5 "subscribe with a wrong password" subscribe -p $locked_port -t a -u anna -P wrong
    exits 5 "publish without the user name" publish -p $locked_port -t a -m b
    exits 0 "publish with user name and password" publish -p $locked_port -t allowed/a -m b -u anna -P secret
    exits 1 "subscribe refuses -c without -i" subscribe -t a -c
}

check_will() {
    start_subscribe -t unused --will-topic w/will --will-payload gone --will-qos 1 --will-retain
    kill -9 $client
    wait $client 2>/dev/null
    theirs sub -t w/will -C 1 -W 5 -F '%r%p' >actual
    echo 1gone >expected
    same "will of a client that was killed"

    start_subscribe -t unused --will-topic w/no-will --will-payload gone --will-retain
    kill $client
    wait $client
    report $? "subscribe ends well at SIGTERM"
    exits 27 "no will of a client that disconnects" theirs sub -t w/no-will -C 1 -W 1
}

check_refusals() {
    refused
    refused -t a
    refused -m b
    refused -t a -t b -m c
    refused -t a -m b -n
    refused -t a -l -s
    refused -t 'a/+' -m b
    refused -t '' -m b
    refused -t a -m b -q 3
    refused -t a -m b -q x
    refused -t a -m b -p 0
    refused -t a -m b -p 70000
    refused -t a -m b -p -1
    refused -t a -m b -k 65535
    refused -t a -m b -V mqttv5
    refused -t a -m b -P secret
    refused -t a -m b -V mqttv31 -i ''
    refused -t a -m b --will-qos 1
    refused -t a -m b --will-payload x
    refused -t a -m b --will-retain
    refused -t a -m b --will-topic 'w/#'
    refused -t a -m b more
    refused -t a -m b --unknown
    refused -t a -m
    exits 1 "subscribe refuses to be without topic" subscribe
    exits 1 "subscribe refuses nine topics" subscribe -t 1 -t 2 -t 3 -t 4 -t 5 -t 6 -t 7 -t 8 -t 9
    exits 1 "subscribe refuses -C 0" subscribe -t a -C 0
    exits 0 "publish --help" publish --help
    exits 0 "subscribe --version" subscribe --version
}

# slowly: passes the lines of a session on one by one, as a user types them.
slowly() {
    while IFS= read -r line; do
        printf '%s\n' "$line"
        sleep 0.4
    done
}

session=$connect' 127.0.0.1
mqtt_sub uTasker/test1
mqtt_sub uTasker/test2 1
mqtt_top
mqtt_pub "uTasker/test5" 1
mqtt_pub_l "uTasker/test5" 0
mqtt_pub 2
mqtt_un 2
mqtt_un 1
mqtt_dis'

replies='#'$connect' 127.0.0.1
MQTT client Connecting...
#MQTT connected
mqtt_sub uTasker/test1
Subscribing (ref=1)...
#MQTT subscribed [1]
mqtt_sub uTasker/test2 1
Subscribing (ref=2)...
#MQTT subscribed [2]
mqtt_top
Reference:1 QoS:2 Topic:uTasker/test1
Reference:2 QoS:1 Topic:uTasker/test2
#mqtt_pub "uTasker/test5" 1
Publishing...
#MQTT published - QoS1 [0]
mqtt_pub_l "uTasker/test5" 0
Publishing...
#MQTT published - QoS0 [0]
mqtt_pub 2
Publishing...
#Message (14) [2]
MQTT published - QoS1 [2]
mqtt_un 2
Unsubscribing...
#MQTT subscribed [2]
mqtt_un 1
Unsubscribing...
#MQTT subscribed [1]
mqtt_dis
Disconnecting...
#MQTT closed'

check_menu() {
    printf '%s\n' "$session" | slowly | "$programs/cli" -p $port "${secure[@]}" --echo | sed -n '/^#mqtts*_con/,$p' >actual
    printf '%s\n' "$replies" >expected
    same "the menu replies as in the μTasker document"

    { echo $connect 127.0.0.1; sleep 0.5; } | timeout 10 "$programs/cli" -p $port "${secure[@]}" >actual
    report $? "the menu disconnects at the end of its input"

    "$programs/cli" -p $port "${secure[@]}" --telnet $telnet_port &
    client=$!
    sleep 0.5
    for user in first second; do
        exec 3<>/dev/tcp/127.0.0.1/$telnet_port
        {
            printf '\377\375\001\377\372\030\001\377\360%s 127.0.0.1\r\n' $connect
            sleep 0.5
            printf 'mqtt_dis\r\0'
            sleep 0.5
            printf 'quit\r\n'
        } >&3
        sed -n '/^#/,$p' <&3 >actual
        exec 3>&-
        printf '%s\r\n' '#MQTT client Connecting...' '#MQTT connected' Disconnecting... '#MQTT closed' >expected
        same "the menu serves the $user Telnet user"
    done
    kill $client
    wait $client
    report $? "the menu ends well at SIGTERM"
}

check_publish
check_subscribe
check_will
check_refusals
check_menu
echo "$failures failures"
[ $failures -eq 0 ]
