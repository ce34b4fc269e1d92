#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# GET …/capture as HTTP: a body without end in chunks, with and without HTTP/1.1, limits, clients
# that hang up, wrong parameters. What is in the file is for tests/netns/capture.sh.
# Usage: tests/api/capture.sh [FOLDER WITH THE PROGRAMS]
set -u
# shellcheck source=tests/api/lib.sh
. "$(dirname "$0")/lib.sh"
api_begin "$@"
report "daemon becomes ready" daemon_start || api_end

CAPTURE=/v1/rooms/standup/capture
MOST=8      # captures at a time
PATIENCE=20 # seconds that the daemon gives an idle connection

captures() { request GET /v1/stats && jq .captures "$BR_TMP/body"; }
captures_are() { is "$(captures)" "$1"; }
# stream NAME [CURL OPTION]...: begin a capture in the background; STREAM is its pid
stream()
{
	local name=$1
	shift
	"${CURL[@]}" --max-time 60 -N --unix-socket "$SOCKET" -D "$BR_TMP/$name.head" -o "$BR_TMP/$name" \
		"http://localhost$CAPTURE" "$@" 2>"$BR_TMP/$name.log" &
	STREAM=$!
	BR_PIDS+=("$STREAM")
	br_until 5 test -s "$BR_TMP/$name"
}
# A pcapng file begins with a section header, and is a multiple of 4 long.
is_pcapng()
{
	is "$(head -c 4 "$1" | od -An -tx1 | tr -d ' ')" 0a0d0d0a && is $(($(stat -c %s "$1") % 4)) 0
}

request PUT /v1/rooms/standup
post /v1/rooms/standup/legs '{"name":"alice","address":"10.77.0.2","port":5004,"role":"both"}'

# --- the answer ---
started=$EPOCHSECONDS
stream idle
idle=$STREAM
report "it runs" captures_are 1
report "its type" grep -qi '^content-type: application/x-pcapng' "$BR_TMP/idle.head"
report "it is chunked" grep -qi '^transfer-encoding: chunked' "$BR_TMP/idle.head"
report "the metrics count it" br_until 2 sh -c "$(printf '%q ' "${CURL[@]}") --unix-socket $SOCKET \
	http://localhost/metrics | grep -qx 'blindrelay_captures 1'"
request HEAD $CAPTURE
report "HEAD says the type" is "$(header Content-Type)" application/x-pcapng
report "and no length" is "$(header Content-Length)" ""
report "but begins none" captures_are 1
out=$(raw "GET $CAPTURE?duration=1 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
report "the connection goes on after it" is "$(grep -ac '^HTTP/1.1 200 OK' <<<"$out")" 2
report "the last chunk is empty" grep -qxa 0 <<<"$out"
out=$(raw "GET $CAPTURE?duration=1 HTTP/1.0\r\n\r\n")
report "HTTP/1.0 gets no chunks" br_not grep -qai '^transfer-encoding' <<<"$out"
report "but is closed at the end" grep -qai '^connection: close' <<<"$out"
stream whole --get -d duration=1
report "--duration ends it" br_wait_gone "$STREAM" 5
report "the file is whole" is_pcapng "$BR_TMP/whole"

# --- how many ---
pids=()
for i in $(seq 2 $MOST); do
	stream "many$i"
	pids+=("$STREAM")
done
report "$MOST may run" captures_are $MOST
request GET $CAPTURE
problem "503 for one more" 503 ""
report "with Retry-After" is "$(header Retry-After)" 1
kill "${pids[@]}"
report "clients that hang up are noticed" br_until 2 captures_are 1

# --- wrong input ---
request GET /v1/rooms/nosuch/capture
problem "404 for a room that is not there" 404 room
request GET "$CAPTURE?leg=bob"
problem "404 for a leg that is not there" 404 leg
for query in leg= 'leg=a%20b' snaplen=63 snaplen=16385 snaplen=x snaplen= count=0 count=-1 \
	count=4294967296 duration=0 duration=86401 duration=1.5; do
	request GET "$CAPTURE?$query"
	problem "422 for $query" 422 "${query%%=*}"
done
request GET "$CAPTURE?legs=alice"
problem "400 for an unknown parameter" 400 legs
report "it gets a suggestion" grep -qF 'did you mean \"leg\"' "$BR_TMP/body"
request GET "$CAPTURE?count=1&count=2"
problem "400 for one that comes twice" 400 count
request POST $CAPTURE
problem "405 for POST" 405 ""
report "none of these began one" captures_are 1

# --- nothing to say for longer than the daemon waits elsewhere ---
br_until $((PATIENCE + 8)) test $((EPOCHSECONDS - started)) -gt $((PATIENCE + 5))
report "an idle one goes on" captures_are 1
request DELETE /v1/rooms/standup
report "the end of the room ends it" br_wait_gone "$idle" 5
wait "$idle"
report "well" is $? 0
report "with a whole file" is_pcapng "$BR_TMP/idle"
report "none runs" captures_are 0

# --- the end of the daemon ---
request PUT /v1/rooms/standup
stream last
report "one runs" captures_are 1
daemon_stop
report "the daemon ends well all the same" is "$DAEMON_STATUS" 0
report "sanitizers saw nothing" br_not grep -E 'ERROR: |runtime error' "$BR_TMP/daemon.log"
api_end
