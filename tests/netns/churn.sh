#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# 1,000 joins and leaves by the API during traffic, in a small room (one pass of the copier) and a
# large one (round the loop): members that stay lose nothing, nobody gets a packet of the other room
# or one twice, and the tables are as full afterwards as before. And who has left gets nothing more:
# no packet that left the publisher after the API had answered reaches him.
# Usage: tests/netns/churn.sh [FOLDER WITH THE PROGRAMS]
set -u
cd "$(dirname "$0")/../.." || exit 1
BR_BUILD=${1:-${BR_BUILD:-build}}
# shellcheck source=scripts/lib/netns.sh
. scripts/lib/netns.sh
# shellcheck source=scripts/lib/relay.sh
. scripts/lib/relay.sh
# shellcheck source=scripts/lib/traffic.sh
. scripts/lib/traffic.sh
# shellcheck source=scripts/lib/checks.sh
. scripts/lib/checks.sh

PORT=20000 # of the first receiver on each host
STABLE_SMALL=20
STABLE_LARGE=100
JOINS=500 # in each room
GUESTS=32 # ports that join and leave in turn, of each room
STAY=8 # members that come and go, at the same time
LEAVERS=40 # whose last packet is looked for, of each room

rooms()
{
	relay_add small sender "$(br_addr4 2)" 6000 publisher 0x1000
	relay_add large sender "$(br_addr6 2)" 6001 publisher 0x2000
	relay_add_many small member "$(br_addr4 11)" $PORT $STABLE_SMALL &&
		relay_add_many large member "$(br_addr6 12)" $PORT $STABLE_LARGE &&
		br_until 20 relay_all_ready
}

# What must be as before in the end. Freed edges rest for a while, so it counts once it stays.
fill() { relay_ctl --json stats | jq -c '[.rooms, .tables.legs.used, .tables.edges.used, .tables.streams.used]'; }
fill_stays()
{
	local now
	now=$(fill)
	[ "$now" = "$FILL" ] || {
		FILL=$now
		SINCE=$SECONDS
	}
	[ $((SECONDS - SINCE)) -ge 3 ]
}
# A run of edges that once grew keeps up to an eighth to spare; all else is as before.
fill_is()
{
	jq -en --argjson now "$(fill)" --argjson was "$1" \
		"(\$now | del(.[2])) == (\$was | del(.[2])) and \$now[2] <= \$was[2] * 9 / 8"
}
fill_returns()
{
	br_until 20 fill_is "$FILL" || equal "rooms, legs, edges, streams" "$(fill)" "$FILL"
}
all_empty()
{
	relay_ctl remove small && relay_ctl remove large || return 1
	br_until 20 fill_is "[0,0,0,0]" || equal "rooms, legs, edges, streams" "$(fill)" "[0,0,0,0]"
}

# join ROOM I ADDRESS, leave ROOM I: requests; the guests' ports are used again and again.
join()
{
	printf 'POST /v1/rooms/%s/legs {"name":"guest%d","address":"%s","port":%d,"role":"subscriber"}\n' \
		"$1" "$2" "$3" $((PORT + $2 % GUESTS))
}
leave() { printf 'DELETE /v1/rooms/%s/legs/guest%d\n' "$1" "$2"; }

churn_requests()
{
	local i
	for ((i = 0; i < JOINS + STAY; i++)); do
		[ $i -ge $JOINS ] || join small $i "$(br_addr4 13)"
		[ $i -ge $JOINS ] || join large $i "$(br_addr6 14)"
		[ $i -lt $STAY ] || leave small $((i - STAY))
		[ $i -lt $STAY ] || leave large $((i - STAY))
	done
}

sources()
{
	traffic_source small publisher "$(br_addr4 1)" 6000 0x1000 200 --duration 60 --bytes 400,160
	traffic_source large publisher "$(br_addr6 1)" 6001 0x2000 50 --duration 60 --bytes 1100
}

churn()
{
	local answers
	TRAFFIC_IDLE=4000
	traffic_sink a a "$(br_addr4 11)" $PORT $STABLE_SMALL &&
		traffic_sink b b "$(br_addr6 12)" $PORT $STABLE_LARGE &&
		traffic_sink guests4 c "$(br_addr4 13)" $PORT $GUESTS &&
		traffic_sink guests6 d "$(br_addr6 14)" $PORT $GUESTS || return 1
	sources
	br_until 5 busy || return 1
	answers=$(churn_requests | relay_requests)
	echo "$answers"
	br_running "$TRAFFIC_PID" || {
		echo "the sources ended before the churn: this shows nothing"
		return 1
	}
	kill -INT "${TRAFFIC_SOURCES[@]}"
	traffic_wait && equal "answers" "$answers" "201=$((2 * JOINS)) 204=$((2 * JOINS))"
}
busy() { forwarded_since 0 20; }
forwarded_since() { [ "$(relay_counters forwarded)" -gt $(($1 + $2)) ]; }

# guests_right SINK SOURCE: each got something; of that nothing twice, altered or of the other room
guests_right()
{
	"$RELAY_LAB" report --json "$BR_TMP/$2.source" "$BR_TMP/$1.sink" >"$BR_TMP/guests"
	jq -c '[.receivers[] | select(.received == 0 or .duplicates > 0 or .alien > 0 or
		.altered_bytes > 0 or .auth_failures > 0)]' "$BR_TMP/guests" >"$BR_TMP/wrong"
	cat "$BR_TMP/wrong"
	equal "guests" "$(jq '.receivers | length' "$BR_TMP/guests")" $GUESTS &&
		equal "wrong" "$(cat "$BR_TMP/wrong")" "[]"
}

capture()
{
	br_spawn "$1" "$BR_TMP/$1.tcpdump" tcpdump -i media -B 32768 --immediate-mode -U -w "$BR_TMP/$1.pcap" "$2"
	CAPTURES+=("$BR_PID")
	br_until 10 grep -q 'listening on' "$BR_TMP/$1.tcpdump"
}

# frames HOST: time in microseconds, port sent to, and sequence number of each packet of a capture,
# IPv4 and IPv6 headers without options
frames()
{
	tcpdump -nn -tt -x -r "$BR_TMP/$1.pcap" 2>/dev/null | awk '
		/^[0-9]/ { sub(/\./, "", $1); time = $1; at = ($2 == "IP6") ? 48 : 28; hex = ""; next }
		{ for (i = 2; i <= NF; i++) hex = hex $i
		  if (length(hex) >= 2 * at + 8 && time != "") {
			print time, substr(hex, 2 * at - 11, 4), substr(hex, 2 * at + 5, 4)
			time = "" } }' |
		while read -r time port sequence; do
			echo "$time $((16#$port)) $((16#$sequence))"
		done
}

# leavers ROOM HOST ADDRESS RATE: they join, packets flow, each leaves at a moment of his own. The
# sequence number of the first packet that left the publisher after the answer is one that the
# leaver must not have, nor any later one.
leavers()
{
	local room=$1 host=$2 address=$3 i left=() pid last
	CAPTURES=()
	relay_add_many "$room" leaver "$address" $((PORT + 500)) $LEAVERS && br_until 10 relay_all_ready &&
		capture publisher "udp and dst port $RELAY_MEDIA_PORT and src port $4" &&
		capture "$host" "udp and src port $RELAY_MEDIA_PORT" || return 1
	sources
	br_until 5 captured "$host" || return 1
	for ((i = 0; i < LEAVERS; i++)); do
		relay_remove "$room" leaver$i
		left[i]=${EPOCHREALTIME/[.,]/}
	done
	br_running "$TRAFFIC_PID" || {
		echo "the sources ended before the last one left"
		return 1
	}
	last=$(relay_counters forwarded)
	br_until 5 forwarded_since "$last" 50 || return 1
	kill -INT "${TRAFFIC_SOURCES[@]}"
	traffic_wait && br_until 10 captured_all publisher "$(traffic_sent "$room")" || return 1
	for pid in "${CAPTURES[@]}"; do
		br_stop "$pid" INT
	done
	grep -hq '^0 packets dropped by kernel' "$BR_TMP/$host.tcpdump" || return 1
	frames publisher >"$BR_TMP/sent"
	frames "$host" >"$BR_TMP/got"
	for ((i = 0; i < LEAVERS; i++)); do
		echo "$((PORT + 500 + i)) ${left[i]}"
	done >"$BR_TMP/left"
	awk -v receivers=$LEAVERS '
		FILENAME ~ /left$/ { left[$1] = $2; next }
		FILENAME ~ /sent$/ {
			for (port in left)
				if ($1 > left[port] && !(port in limit)) limit[port] = $3
			next
		}
		$2 in left { got[$2]++; if ($3 >= limit[$2]) { late++; print "port", $2, "left at", left[$2], \
			"got packet", $3, "at", $1, "; first one after the answer is", limit[$2] } }
		END {
			for (port in limit) limits++
			for (port in got) had++
			print limits, "limits,", had, "received,", late + 0, "late packets"
			exit !(limits == receivers && had == receivers && !late)
		}' "$BR_TMP/left" "$BR_TMP/sent" "$BR_TMP/got"
}
captured() { [ "$(stat -c %s "$BR_TMP/$1.pcap")" -gt 100000 ]; }
captured_all() { [ "$(tcpdump -r "$BR_TMP/$1.pcap" 2>/dev/null | wc -l)" -ge "$2" ]; }

# A copy on its way to somebody who has left is dropped and counted; nothing else may be.
dropped() { relay_dropped | grep -vE "^(no_ticket|receiver_expired)="; }
few_to_leavers()
{
	local late
	late=$(relay_counters receiver_expired)
	echo "$late copies to who had left"
	[ "$late" -le $((2 * JOINS)) ]
}

for tool in tcpdump curl jq; do
	command -v $tool >/dev/null || br_die "$tool is missing: run scripts/install-deps.sh test"
done
relay_find_programs
br_net_begin
br_net_switch
br_net_host relay 1
br_net_host publisher 2
br_net_host a 11
br_net_host b 12
br_net_host c 13
br_net_host d 14
traffic_key
relay_start relay native

check "two rooms, $STABLE_SMALL and $STABLE_LARGE members" rooms
FILL=
check "their tables come to rest" br_until 20 fill_stays
check "$((2 * JOINS)) joins and leaves during traffic" churn
check "members that stay in the small room: all, once" traffic_exact a small
check "members that stay in the large room: all, once" traffic_exact b large
check "guests of the small room: nothing twice, nothing of others" guests_right guests4 small
check "guests of the large room: nothing twice, nothing of others" guests_right guests6 large
check "the tables are as full as before" fill_returns
check "nothing was dropped" equal dropped "$(dropped)" ""
check "at most one copy per leaver was on its way" few_to_leavers
check "who left the small room gets nothing more" leavers small c "$(br_addr4 13)" 6000
check "who left the large room gets nothing more" leavers large d "$(br_addr6 14)" 6001
check "the tables are as full as before, again" fill_returns
check "and empty without the rooms" all_empty
check "the relay ends cleanly" relay_stop
checks_end
