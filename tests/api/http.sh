#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# HTTP as such: connections that stay, pipelines, half and slow requests, odd heads, many
# connections at once, foreign Host names.
# Usage: tests/api/http.sh [FOLDER WITH THE PROGRAMS]
set -u
# shellcheck source=tests/api/lib.sh
. "$(dirname "$0")/lib.sh"
api_begin "$@"
report "daemon becomes ready" daemon_start || api_end

first_status() { head -n 1 <<<"$1" | cut -d ' ' -f 2; }
statuses() { grep -oE 'HTTP/1\.1 [0-9]{3} ' <<<"$1" | cut -d ' ' -f 2 | paste -sd ' '; }
HOST='Host: localhost\r\n'
LAST='Connection: close\r\n'

# These two need the daemon's patience to run out: begin now, look at the end.
start=$EPOCHSECONDS
br_in relay timeout 60 bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080; printf "GET /healthz HT" >&3; cat <&3 >/dev/null' &
half_head=$!
br_in relay timeout 60 bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080
	printf "PUT /v1/rooms/half HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{" >&3
	cat <&3 >/dev/null' &
half_body=$!

# --- connections that stay ---
reused=$("${CURL[@]}" --unix-socket "$SOCKET" -o /dev/null -o /dev/null -o /dev/null -w '%{num_connects} ' \
	http://localhost/healthz http://localhost/v1/rooms http://localhost/nothing)
report "one connection serves many requests" is "$reused" "1 0 0 "
mixed=$("${CURL[@]}" --unix-socket "$SOCKET" -w '%{http_code}:%{num_connects} ' \
	-o /dev/null -X PUT -H 'Content-Type: application/json' --data '{}' http://localhost/v1/rooms/k --next \
	-q -sS --unix-socket "$SOCKET" -w '%{http_code}:%{num_connects} ' -o /dev/null \
	-X POST -H 'Content-Type: application/json' --data '{"x":1}' http://localhost/v1/rooms/k/legs --next \
	-q -sS --unix-socket "$SOCKET" -w '%{http_code}:%{num_connects} ' -o /dev/null \
	-X POST --data 'refused before it is read' http://localhost/v1/rooms/k/legs --next \
	-q -sS --unix-socket "$SOCKET" -w '%{http_code}:%{num_connects} ' -o /dev/null \
	-X DELETE http://localhost/v1/rooms/k)
report "bodies, refused or not, do not end it" is "$mixed" "201:1 422:0 415:0 204:0 "
out=$(raw "GET /healthz HTTP/1.1\r\n${HOST}\r\nGET /v1/rooms HTTP/1.1\r\n${HOST}\r\nGET /x HTTP/1.1\r\n$HOST$LAST\r\n")
report "requests sent in a row are answered in order" is "$(statuses "$out")" "200 200 404"
out=$(raw "PUT /v1/rooms/p HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}GET /v1/rooms/p HTTP/1.1\r\n$HOST$LAST\r\n")
report "also behind a body" is "$(statuses "$out")" "201 200"
out=$(raw "POST /v1/rooms/p/legs HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: 0\r\n\r\nGET /healthz HTTP/1.1\r\n$HOST$LAST\r\n")
report "an empty body is a body" is "$(statuses "$out")" "400 200"
out=$(raw "GET /healthz HTTP/1.0\r\n\r\n")
report "HTTP/1.0 is answered and closed" grep -q '^Connection: close' <<<"$out"
out=$(raw "GET /healthz HTTP/1.1\r\n$HOST$LAST\r\n")
report "Connection: close is obeyed" grep -q '^Connection: close' <<<"$out"
out=$(raw "HEAD /healthz HTTP/1.1\r\n$HOST$LAST\r\n")
report "HEAD has no body" br_not grep -q '{' <<<"$out"
report "but its length" grep -q '^Content-Length: 15$' <<<"$out"
out=$(raw "PUT /v1/rooms/c HTTP/1.1\r\n${HOST}Expect: 100-continue\r\n${LAST}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
report "100-continue" is "$(statuses "$out")" "100 201"
out=$(raw "PUT /v1/rooms/d HTTP/1.1\r\n$HOST\r\n")
report "PUT without a length has no body" is "$(statuses "$out")" 201

# --- heads that are refused ---
out=$(raw "GET /healthz HTTP/1.1\r\n$LAST\r\n")
report "400 without Host" is "$(first_status "$out")" 400
for host in evil.example localhost.evil.example "" 'a b' "$(printf 'x%.0s' {1..300})"; do
	out=$(raw "GET /v1/rooms HTTP/1.1\r\nHost: $host\r\n$LAST\r\n")
	report "foreign Host is refused: ${host:0:25}" grep -qE '^HTTP/1.1 4(00|21) ' <<<"$out"
done
for host in localhost:8080 127.0.0.1 '[::1]:8080' LOCALHOST; do
	out=$(raw "GET /v1/rooms HTTP/1.1\r\nHost: $host\r\n$LAST\r\n")
	report "own Host is answered: $host" is "$(first_status "$out")" 200
done
for length in -1 1x 0x10 '5, 5' 99999999999999999999; do
	out=$(raw "PUT /v1/rooms/z HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: $length\r\n\r\n{}")
	report "400 for Content-Length $length" is "$(statuses "$out")" 400
done
out=$(raw "PUT /v1/rooms/z HTTP/1.1\r\n${HOST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ")
report "400 for two lengths" is "$(statuses "$out")" 400
out=$(raw "PUT /v1/rooms/z HTTP/1.1\r\n${HOST}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\n${HOST}\r\n")
report "two framings: the second request in it is not served" br_not grep -q 'HTTP/1.1 2' <<<"$out"
out=$(raw "PUT /v1/rooms/z HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\n${HOST}\r\n")
report "411 for chunks, and the end" is "$(statuses "$out")" 411
request GET /v1/rooms/z
answers "none of these made a room" 404
out=$(raw "GET /healthz HTTP/1.1\r\n${HOST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n")
report "501 for an upgrade" is "$(statuses "$out")" 501
for bytes in 'nonsense\r\n\r\n' '\r\n\r\n\r\n' 'GET\r\n\r\n' "GET $(printf '/x%.0s' {1..5000}) HTTP/1.1\r\n\r\n" \
	"GET /healthz HTTP/1.1\r\nX: $(printf 'y%.0s' {1..20000})\r\n\r\n" '\x16\x03\x01\x02\x00\x01\x00' \
	'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' 'GET /v1/rooms/%%00 HTTP/1.1\r\nHost: localhost\r\n\r\n' \
	'GET /v1/rooms/%%zz HTTP/1.1\r\nHost: localhost\r\n\r\n' 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n' \
	'BREW /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'; do
	out=$(raw "$bytes")
	report "no success for $(head -c 30 <<<"${bytes//\\/}")" br_not grep -q '^HTTP/1.1 2' <<<"$out"
done
request GET /healthz
answers "after all of that it answers" 200

# --- many connections ---
# More than one door serves at a time: the last ones wait, the other door is open.
# shellcheck disable=SC2016 # expanded by the inner shell
br_in relay bash -c '
	for n in $(seq 200); do
		exec {fd}<>/dev/tcp/127.0.0.1/8080 || exit 1
		printf "GET /healthz HTTP/1.1\r\n" >&$fd
	done
	: >"$1/open"
	read -r _ <"$1/close"' many "$BR_TMP" 2>"$BR_TMP/many" &
many=$!
mkfifo "$BR_TMP/close"
report "200 half requests at the TCP door" br_until 10 test -e "$BR_TMP/open"
request GET /v1/rooms
answers "the Unix socket answers meanwhile" 200
echo >"$BR_TMP/close"
wait $many
tcp() { [ "$(br_in relay "${CURL[@]}" -o /dev/null -w '%{http_code}' "http://127.0.0.1:$API_PORT/healthz")" = 200 ]; }
report "and TCP when they have gone" br_until 10 tcp
load=0
for _ in $(seq 10); do
	"${CURL[@]}" --unix-socket "$SOCKET" -o /dev/null "http://localhost/v1/rooms?[1-20]" &
	loads[load++]=$!
done
wait "${loads[@]}"
request GET /v1/rooms
answers "200 requests at once, then one" 200

# --- answers larger than any socket buffer ---
"${CURL[@]}" --max-time 60 --unix-socket "$SOCKET" -o /dev/null -X PUT -H 'Content-Length: 0' \
	'http://localhost/v1/rooms/many[1-10000]'
request GET '/v1/rooms'
answers "of 10,000 rooms a page has 1,000" 200 '.rooms | length == 1000' '.next != null'
# one connection for all: a configuration file with a request each
for n in $(seq 1000); do
	printf 'url = "http://localhost/v1/rooms/many1/legs"\nunix-socket = "%s"\n' "$SOCKET"
	printf 'header = "Content-Type: application/json"\noutput = "/dev/null"\n'
	printf 'data = "{\\"name\\":\\"leg-%s\\",\\"address\\":\\"10.77.0.2\\",' "$n"
	printf '\\"port\\":%s,\\"role\\":\\"subscriber\\"}"\nnext\n' $((10000 + n))
done >"$BR_TMP/legs"
"${CURL[@]}" --max-time 60 -K "$BR_TMP/legs" >/dev/null
legs=/v1/rooms/many1/legs
request GET $legs
answers "1,000 legs are listed" 200 '.legs | length == 1000'
size=$(wc -c <"$BR_TMP/body")
report "which no socket buffer takes" test "$size" -gt 300000
slow=$("${CURL[@]}" --unix-socket "$SOCKET" --limit-rate 400k -w '%{http_code}:%{num_connects} ' \
	-o "$BR_TMP/slow1" http://localhost$legs -o "$BR_TMP/slow2" http://localhost$legs)
whole() { [ "$(jq '.legs | length' "$BR_TMP/$1")" = 1000 ]; }
report "a slow reader, twice on one connection" is "$slow" "200:1 200:0 "
report "gets the whole" whole slow1
report "both times" whole slow2
slow=$("${CURL[@]}" --unix-socket "$SOCKET" --limit-rate 400k -w '%{http_code}' \
	-H 'Connection: close' -o "$BR_TMP/slow1" http://localhost$legs)
report "the connection closes after it" is "$slow" "200"
report "and not before" whole slow1

# --- patience ---
wait $half_head
report "half a head is given up" test $((EPOCHSECONDS - start)) -lt 35
wait $half_body
report "half a body is given up" test $((EPOCHSECONDS - start)) -lt 35
request GET /v1/rooms/half
answers "and made no room" 404
report "the daemon lives" br_running "$DAEMON_PID"

# --- the end, with connections open ---
br_in relay timeout 20 bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080; printf "GET /healthz HT" >&3; cat <&3 >/dev/null' &
open=$!
report "a connection is open" br_until 5 sh -c "ip netns exec $(br_ns relay) ss -Htn 'sport = :8080' | grep -q ESTAB"
daemon_stop
report "ends well with open connections" is "$DAEMON_STATUS" 0
wait $open
report "which are closed" is "$?" 0
report "sanitizers saw nothing" br_not grep -E 'ERROR: |runtime error' "$BR_TMP/daemon.log"
api_end
