#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The blindrelay command against the real daemon: right and wrong use, exit statuses, and
# what a person reads. Then the daemon's sockets: replaced, refused, removed.
# Usage: tests/api/command.sh [FOLDER WITH THE PROGRAMS]
set -u
# shellcheck source=tests/api/lib.sh
. "$(dirname "$0")/lib.sh"
api_begin "$@"

# run EXIT STATUS, PATTERN (of what is printed), ARGUMENT...
run()
{
	local want=$1 pattern=$2 status
	shift 2
	"$CTL" --socket "$SOCKET" "$@" >"$BR_TMP/out" 2>&1
	status=$?
	cat "$BR_TMP/out"
	is $status "$want" && grep -qE -- "$pattern" "$BR_TMP/out"
}
check() { report "$1" run "${@:2}"; }
json() { "$CTL" --socket "$SOCKET" --json "${@:2}" | jq -e "$1"; }

# --- no daemon ---
check "no daemon: which socket, what to do" 1 "control.sock.*No such file" rooms
report "and how to name another" grep -q -- --socket "$BR_TMP/out"
check "health without a daemon" 1 "no daemon answers" health
begin=$EPOCHSECONDS
check "health --wait gives up" 1 "no daemon answers" health --wait 1
report "in time" test $((EPOCHSECONDS - begin)) -le 3
report "no daemon at a URL" sh -c "'$CTL' --url http://127.0.0.1:1 rooms 2>&1 | grep -q 127.0.0.1:1"
"$CTL" --socket "$SOCKET" health --wait 20 >"$BR_TMP/waited" 2>&1 &
waiting=$!
report "daemon becomes ready" daemon_start || api_end
wait $waiting
report "health --wait sees it start" is "$?" 0

# --- right use ---
check "no rooms" 0 "no rooms" rooms
check "no legs" 0 "no legs" legs
check "create" 0 "room standup created" create standup
check "create again" 0 "exists already" create standup
check "add a publisher" 0 "leg camera added to room standup" \
	add standup camera --address 10.77.0.2 --port 5004 --role publisher --ssrc 0x1a2b3c4d --ssrc 7
check "add a subscriber, flags first and with =" 0 "leg wall added" \
	add --address=fd77::2 --port=6000 --role=subscriber --receive 7 standup wall
check "rooms" 0 "^standup +2 " rooms
check "room" 0 "1 send, 1 receive" room standup
check "legs of a room" 0 "^camera +publisher +10.77.0.2:5004 " legs standup
check "legs of all rooms" 0 "^standup +wall +subscriber +\[fd77::2\]:6000 " legs
check "a leg is changed" 0 "leg wall of room standup: limit 2.5 Mb, 300 p, feedback daemon, expires in 60 s" \
	change standup wall --rate 2500k --packets 300 --feedback daemon --expires 60
check "legs show it" 0 "^wall +subscriber +\[fd77::2\]:6000 .* 2.5 Mb, 300 p +(60|59) s " legs standup
check "and back" 0 "limit -, feedback route, expires never" \
	change standup wall --rate 0 --packets=0 --feedback route --expires 0
check "a leg with terms is added" 0 "leg guest added" \
	add standup guest --address 10.77.0.2 --port 5010 --role both --rate 4M --expires 3600
report "as they were given" json '.legs[2] | .max_bits_per_s == 4000000 and .expires_in_s > 3500' legs
check "and removed" 0 "leg guest removed" remove standup guest
check "streams" 0 "^camera +0x1a2b3c4d +listed +0 " streams standup
check "stats" 0 "^media +(native|generic) +up" stats
check "stats of a table" 0 "^legs +2 +65536 " stats
check "health" 0 "^ready$" health
report "rooms --json" json '.rooms[0].name == "standup"' rooms
report "room --json" json '.room.name == "standup" and .stats.legs == 2 and (.legs | length) == 2' room standup
report "legs --json" json '.legs[0].ssrcs == [439041101, 7] and .legs[1].receive_ssrcs == [7]' legs
check "top, one plain table" 0 "^relay +- +0.0 " top --once --interval 0.2
report "columns" grep -qE '^KIND +NAME +IN/S +IN_BIT/S +OUT/S +OUT_BIT/S +DROP/S +DROPPED$' "$BR_TMP/out"
report "its rooms and legs" grep -qE '^leg +standup/camera ' "$BR_TMP/out"
check "top of one room" 0 "^room +standup " top --once --interval 0.2 --room standup --match wall
report "filtered" br_not grep -q camera "$BR_TMP/out"
report "top --json, a line per interval" is \
	"$("$CTL" --socket "$SOCKET" top --json --count 2 --interval 0.2 |
		jq -c '.interval_ms > 100 and .relay.rooms == 1' | uniq -c | tr -s ' ')" " 2 true"
check "no lists" 0 "^relay " top --once --interval 0.2 --limit 0
report "indeed" br_not grep -qE '^(room|leg) ' "$BR_TMP/out"
report "stats --json" json '.reasons | length > 20' stats
report "health --json" json '.ready' health
columns() { "$CTL" --socket "$SOCKET" legs | awk '{ n = index($0, $4); if (NR > 1 && n != at) exit 1; at = n }'; }
report "columns are aligned" columns
url=$(br_in relay "$CTL" --url "http://127.0.0.1:$API_PORT" --json rooms | jq -r '.rooms[0].name')
report "over TCP" is "$url" standup
report "socket from the environment" env BLINDRELAY_SOCKET="$SOCKET" "$CTL" health

# --- refused by the daemon: exit 1, the field ---
check "unknown room" 1 'room: there is no room "nobody"' room nobody
report "and how to make one" grep -q 'blindrelay create' "$BR_TMP/out"
check "bad room name" 1 '^blindrelay: room: ' create 'a b'
check "name is taken" 1 '^blindrelay: name: ' add standup camera --address 10.77.0.2 --port 1 --role both
check "address outside static_allow" 1 '^blindrelay: address: .*static_allow' \
	add standup x --address 192.0.2.1 --port 1 --role both
check "unknown leg" 1 '^blindrelay: leg: ' remove standup nobody

# --- wrong use: exit 2, the flag and what was expected ---
check "no command" 2 "expected a command"
check "unknown command" 2 'unknown command "roms"; did you mean "rooms"' roms
check "unknown flag" 2 '--adress: unknown flag; did you mean --address' add standup x --adress 10.77.0.2
check "flag of another command" 2 '--port: unknown flag' rooms --port 1
check "flag without a value" 2 '--port: expected PORT' add standup x --port
check "value for a switch" 2 '--json: expected no value' rooms --json=1
for port in 0 65536 x -1 5.5 ''; do
	check "port '$port'" 2 '--port: expected a number from 1 to 65535' \
		add standup x --address 10.77.0.2 --role both --port "$port"
done
for address in x 10.77.0 localhost 10.77.0.2:5 ''; do
	check "address '$address'" 2 '--address: expected an IPv4 or IPv6 address' \
		add standup x --port 1 --role both --address "$address"
done
check "role" 2 '--role: expected publisher, subscriber or both, got "viewer"' \
	add standup x --address 10.77.0.2 --port 1 --role viewer
for ssrc in x 0x 0x123456789 4294967296 -1; do
	check "ssrc '$ssrc'" 2 '--ssrc: expected an SSRC' \
		add standup x --address 10.77.0.2 --port 1 --role both --ssrc "$ssrc"
done
for rate in x 5T 4.5M -1 5G '' M; do
	check "rate '$rate'" 2 '--rate: expected bits per second' change standup camera --rate "$rate"
done
for hop in "" media "media," ",02:00:00:00:00:01" "media,02:00:00:00:00:01,vlan" \
	"media,02:00:00:00:00:01,vlan=0" "media,02:00:00:00:00:01,vlan=4095" \
	"media,02:00:00:00:00:01,vlan=5:8" "media,02:00:00:00:00:01,mtu=x" \
	"media,02:00:00:00:00:01,colour=red" "media,02:00:00:00:00:01,"; do
	check "next hop '$hop'" 2 '--next-hop: expected INTERFACE,MAC' add standup x --address 10.77.0.2 \
		--port 5020 --role subscriber --next-hop "$hop"
done
check "next hop with three tags" 1 '^blindrelay: next_hop.vlans: ' add standup x --address 10.77.0.2 \
	--port 5020 --role subscriber --next-hop media,02:00:00:00:00:01,vlan=1,vlan=2,vlan=3
check "rate too low" 1 '^blindrelay: max_bits_per_s: .*10000' change standup camera --rate 9999
check "packets" 2 '--packets: expected packets per second' change standup camera --packets many
check "expires" 2 '--expires: expected seconds' change standup camera --expires 31536001
check "feedback" 2 '--feedback: expected route or daemon' change standup camera --feedback up
check "port missing" 2 '--port: missing' add standup x --address 10.77.0.2 --role both
check "name missing" 2 'expected ROOM NAME' add standup --address 10.77.0.2 --port 1 --role both
check "too many arguments" 2 'unexpected argument "more"' room standup more
check "url that is none" 2 '--url: expected http://' rooms --url ftp://x
check "url and socket" 2 '--url: expected without --socket' rooms --url http://127.0.0.1:1
check "wait" 2 '--wait: expected seconds' health --wait never
for interval in 0 0.09 61 x 1.2.3 -1 ''; do
	check "interval '$interval'" 2 '--interval: expected seconds from 0.1 to 60' \
		top --interval "$interval"
done
check "sort" 2 '--sort: expected out, out_bits' top --sort speed
check "count" 2 '--count: expected a number from 1' top --count 0
check "limit" 2 '--limit: expected a number from 0 to 1000' top --limit 1001
check "room that is no name" 2 '--room: expected the name of a room, got "a b"' top --room 'a b'
check "match that is no name" 2 '--match: expected a part of a name' top --match '&room=x'
check "flag of top elsewhere" 2 '--once: unknown flag' stats --once
check "top of an unknown room" 1 '^blindrelay top: room: there is no room "nobody"' \
	top --once --room nobody
for command in rooms room legs streams stats top create add change remove health; do
	check "help of $command" 0 "^usage: blindrelay $command" $command --help
	report "has an example" grep -q "    blindrelay .*$command" "$BR_TMP/out"
done
check "help" 0 "^usage: blindrelay " --help
check "version" 0 "^blindrelay [0-9]" --version
report "full disk is an error" br_not sh -c "'$CTL' --socket '$SOCKET' rooms --json >/dev/full"

check "remove a leg" 0 "leg wall removed" remove standup wall
check "remove a room" 0 "room standup removed" remove standup
check "it is gone" 0 "no rooms" rooms

# --- more than one page ---
seq 2001 | sed 's|.*|url = "http://localhost/v1/rooms/n&"\noutput = "/dev/null"|' >"$BR_TMP/many"
"${CURL[@]}" --unix-socket "$SOCKET" -X PUT -K "$BR_TMP/many"
check "three pages of rooms" 0 "^n2001 +0 " rooms
report "each room once" is "$(grep -c '^n' "$BR_TMP/out")" 2001
report "the same as JSON" json '.next == null and ([.rooms[].name] | unique | length == 2001)' rooms
"${CURL[@]}" --unix-socket "$SOCKET" -X DELETE -K "$BR_TMP/many"
check "and gone again" 0 "no rooms" rooms

# --- readiness follows the interface ---
ip -n "$(br_ns relay)" link set media down
not_ready() { request GET /readyz && [ "$STATUS" = 503 ]; }
report "interface down: not ready" br_until 10 not_ready
answers "says why" 503 '.ready == false and .reasons[0].interface == "media"' \
	'.reasons[0].reason == "interface_down"'
check "the command too" 1 "not ready: interface media is down" health
request GET /healthz
answers "but alive" 200
ip -n "$(br_ns relay)" link set media up
check "ready again" 0 ready health --wait 10

# --- the socket file ---
report "mode of the socket" is "$(stat -c %a "$SOCKET")" 660
report "mode of its directory" is "$(stat -c %a "$(dirname "$SOCKET")")" 750
daemon_stop
report "daemon ends well" is "$DAEMON_STATUS" 0
report "socket and directory are removed" test ! -e "$(dirname "$SOCKET")"
report "sanitizers saw nothing" br_not grep -E 'ERROR: |runtime error' "$BR_TMP/daemon.log"

daemon_start || api_end
br_stop "$DAEMON_PID" KILL 2>/dev/null
report "a killed daemon leaves the file" test -S "$SOCKET"
check "nobody answers on it" 1 "no daemon answers.*refused" rooms
report "the next one replaces it" daemon_start
other()
{
	br_in peer timeout 10 "$DAEMON" --interface media --listen none --socket "$1" >"$BR_TMP/second" 2>&1
	[ $? = 1 ] && grep -q "$2" "$BR_TMP/second" && return
	cat "$BR_TMP/second"
	false
}
report "a second one does not take it" other "$SOCKET" 'answers on'
check "the first still answers" 0 ready health
echo precious >"$BR_TMP/file"
report "a file that is no socket is left alone" other "$BR_TMP/file" 'is no socket'
report "with its content" is "$(cat "$BR_TMP/file")" precious
report "a directory that cannot be made" other /proc/br/x/control.sock 'control.socket'
busy()
{
	br_in relay timeout 10 "$DAEMON" --interface media --port 40001 --listen "127.0.0.1:$API_PORT" \
		--socket none >"$BR_TMP/second" 2>&1
	[ $? = 1 ] && grep -qE 'in use|already has' "$BR_TMP/second" && return
	cat "$BR_TMP/second"
	false
}
report "a second one in the same place is refused" busy
api_end
