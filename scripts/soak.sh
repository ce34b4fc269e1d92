#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Everything at once for a while: two rooms over both families, one of them round the loop and over
# two interfaces; joins and leaves, floods of junk, the daemon killed and started again, a link that
# goes down and up. Usage: scripts/soak.sh [MINUTES]; default 10.
#
#   stable   members on the first interface: must not lose a packet, whatever happens
#   side     members behind the link that goes down and up: must not lose one while it is up and
#            they are ready
#   guests   join and leave: must get nothing twice and nothing of the other room
#
# Ends with a table, and with status 0 when all is as it must be.
set -u
cd "$(dirname "$0")/.." || exit 1
BR_BUILD=${BR_BUILD:-build}
# shellcheck source=scripts/lib/netns.sh
. scripts/lib/netns.sh
# shellcheck source=scripts/lib/relay.sh
. scripts/lib/relay.sh
# shellcheck source=scripts/lib/traffic.sh
. scripts/lib/traffic.sh

MINUTES=${1:-${SOAK:-10}}
[[ $MINUTES =~ ^[1-9][0-9]{0,3}$ ]] || br_die "SOAK: expected minutes from 1 to 9999, got '$MINUTES'"
SECONDS_ALL=$((MINUTES * 60))
PORT=20000
SMALL=20       # receivers of the small room
LARGE=100      # of the large one on the first interface
SIDE=10	       # and behind the second one
GUESTS=16      # ports of each room that join and leave
KILL_EVERY=3   # rounds
FAULTS=
SIDE_EXPECTED=0 SIDE_RECEIVED=0 SIDE_LOST=0 SIDE_DUPLICATES=0 SIDE_ALIEN=0
ROUNDS=0 JOINS=0 KILLS=0 LINK_DOWNS=0 JUNK=0

# The state outlives the daemon only in a mount that does; `ip netns exec` makes its own.
br_at_end() { umount "$BR_TMP/bpf" 2>/dev/null; }

fault()
{
	FAULTS+="  $*"$'\n'
	echo "FAULT: $*"
}

# The second interface of the relay and the host behind it.
side_link()
{
	local relay side
	relay=$(br_ns relay)
	side=$(br_ns side)
	ip netns add "$side" &&
		ip -n "$relay" link add dev side type veth peer name media netns "$side" &&
		br_in relay ethtool -K side tx off rxvlan off txvlan off >/dev/null &&
		br_in side ethtool -K media tx off rxvlan off txvlan off gro on >/dev/null &&
		ip -n "$relay" addr add 10.77.1.1/24 dev side && ip -n "$relay" link set side up &&
		ip -n "$side" link set lo up && ip -n "$side" addr add 10.77.1.2/24 dev media &&
		ip -n "$side" link set media up && ip -n "$side" route add default via 10.77.1.1
}

start()
{
	br_spawn relay "$BR_TMP/relay.log" "$RELAY_DAEMON" --config "$BR_TMP/relay.json"
	RELAY_PID=$BR_PID
	relay_ctl health --wait 10 >/dev/null 2>&1 && return
	tail -n 5 "$BR_TMP/relay.log"
	br_die "the relay does not start"
}

config()
{
	cat >"$BR_TMP/relay.json" <<-END
		{
		  "media": {"interfaces": ["media", "side"], "port": $RELAY_MEDIA_PORT, "xdp_mode": "native"},
		  "control": {"listen": "none", "socket": "$BR_TMP/control.sock"},
		  "state": {"path": "$BR_TMP/bpf"},
		  "rooms": {"static_allow": ["$BR_NET4.0/23", "$BR_NET6/64"]}
		}
	END
}

rooms()
{
	relay_add small sender "$(br_addr4 2)" 6000 publisher 0x1000
	relay_add large sender "$(br_addr6 2)" 6001 publisher 0x2000
	relay_add_many small a "$(br_addr4 11)" $PORT $SMALL &&
		relay_add_many large b "$(br_addr6 12)" $PORT $LARGE &&
		relay_add_many large side 10.77.1.2 $PORT $SIDE && br_until 20 relay_all_ready ||
		br_die "the rooms could not be made"
}

# sink NAME HOST ADDRESS RECEIVERS: until it is told to end; its pid is left in BR_PID
sink()
{
	traffic_sink "$1" "$2" "$3" $PORT "$4" --idle 60000 --duration $((SECONDS_ALL + 300)) ||
		br_die "sink $1 does not start"
}

traffic()
{
	sink small a "$(br_addr4 11)" $SMALL
	sink large b "$(br_addr6 12)" $LARGE
	sink guests4 c "$(br_addr4 13)" $GUESTS
	sink guests6 d "$(br_addr6 14)" $GUESTS
	traffic_source small publisher "$(br_addr4 1)" 6000 0x1000 100 --bytes 800,160 \
		--duration $((SECONDS_ALL + 200))
	traffic_source large publisher "$(br_addr6 1)" 6001 0x2000 40 --bytes 1100 \
		--duration $((SECONDS_ALL + 200))
}

# What a room of GUESTS requests in one round: all join, all leave, twice.
churn_requests()
{
	local i
	for _ in 1 2; do
		for ((i = 0; i < GUESTS; i++)); do
			printf 'POST /v1/rooms/small/legs {"name":"g%d","address":"%s","port":%d,"role":"subscriber"}\n' \
				$i "$(br_addr4 13)" $((PORT + i))
			printf 'POST /v1/rooms/large/legs {"name":"g%d","address":"%s","port":%d,"role":"subscriber"}\n' \
				$i "$(br_addr6 14)" $((PORT + i))
		done
		for ((i = 0; i < GUESTS; i++)); do
			printf 'DELETE /v1/rooms/small/legs/g%d\nDELETE /v1/rooms/large/legs/g%d\n' $i $i
		done
	done
}

churn()
{
	local answers wanted="201=$((4 * GUESTS)) 204=$((4 * GUESTS))"
	answers=$(churn_requests | relay_requests)
	JOINS=$((JOINS + 4 * GUESTS))
	[ "$answers" = "$wanted" ] || fault "round $ROUNDS: joins and leaves: $answers, expected $wanted"
}

link_down_and_up()
{
	ip -n "$(br_ns side)" link set media down
	br_until 5 side_is false || fault "round $ROUNDS: the link is down and the relay says it is not"
	churn
	ip -n "$(br_ns side)" link set media up
	br_in side ip route replace default via 10.77.1.1
	br_until 20 side_is true && br_until 20 relay_all_ready ||
		fault "round $ROUNDS: the link is up and not all legs are ready"
	LINK_DOWNS=$((LINK_DOWNS + 1))
}
side_is() { relay_ctl --json stats | jq -e ".interfaces[] | select(.name == \"side\").up == $1"; }

murder_and_start()
{
	kill -KILL "$RELAY_PID"
	br_wait_gone "$RELAY_PID" 5
	wait "$RELAY_PID" 2>/dev/null
	start
	grep -q "; adopted " "$BR_TMP/relay.log" || fault "round $ROUNDS: nothing was adopted after kill -9"
	KILLS=$((KILLS + 1))
}

# flood SECONDS: in the background; pid in FLOOD
flood()
{
	br_spawn flooder "$BR_TMP/junk.log" "$RELAY_LAB" junk --interface media --rate 20k \
		--to "$(traffic_end_point "$("br_addr$((4 + 2 * (ROUNDS % 2)))" 1)" $RELAY_MEDIA_PORT)" \
		--to-mac "$(br_in relay cat /sys/class/net/media/address)" --seed $((ROUNDS + 1)) \
		--duration "$1" -o "$BR_TMP/junk"
	FLOOD=$BR_PID
}
flood_end()
{
	wait "$FLOOD" || fault "round $ROUNDS: the flood: $(tail -n 1 "$BR_TMP/junk.log")"
	JUNK=$((JUNK + $(jq .frames "$BR_TMP/junk")))
}

# sums SOURCE SINK [FLAG]...: expected received lost duplicates misdirected, of all receivers
sums()
{
	"$RELAY_LAB" report --json "${@:3}" "$BR_TMP/$1.source" "$BR_TMP/$2.sink" |
		jq -r '[.receivers[]] | [(map(.sent) | add), (map(.received) | add), (map(.lost) | add),
			(map(.duplicates) | add), (map(.alien + .auth_failures + .altered_bytes) | add)] |
			map(tostring) | join(" ")'
}

# Between first and last packet of a receiver: the source is still at it.
side_sums()
{
	local first count
	jq -r '.receivers[] | [.port, (.streams[0] // {first_sequence: 0, last_sequence: -1, received: 0} |
		.last_sequence - .first_sequence + 1, .received), .duplicates,
		.unexpected_ssrc + .not_rtp + .auth_failures + .altered_bytes] | map(tostring) | join(" ")' \
		"$BR_TMP/side.sink" >"$BR_TMP/side.rows"
	while read -r _ first count duplicates alien; do
		[ "$count" != 0 ] || fault "round $ROUNDS: a member behind the link got nothing"
		SIDE_EXPECTED=$((SIDE_EXPECTED + first))
		SIDE_RECEIVED=$((SIDE_RECEIVED + count))
		SIDE_LOST=$((SIDE_LOST + first - count))
		SIDE_DUPLICATES=$((SIDE_DUPLICATES + duplicates))
		SIDE_ALIEN=$((SIDE_ALIEN + alien))
	done <"$BR_TMP/side.rows"
}

rss_kb() { awk '/^VmRSS:/ { print $2 }' "/proc/$RELAY_PID/status"; }
fds() { find "/proc/$RELAY_PID/fd" -mindepth 1 | wc -l; }
fill() { relay_ctl --json stats | jq -r '.tables | "\(.legs.used) \(.edges.used) \(.streams.used)"'; }

measure()
{
	RSS=$(rss_kb)
	FDS=$(fds)
	FILL=$(fill)
}

# One round: a flood over all of it; a kill in some; the link goes and comes, with joins and leaves
# while it is down.
round()
{
	local side
	traffic_sink side side 10.77.1.2 $PORT $SIDE --ssrc 0x2000 --idle 60000 --duration 120 ||
		br_die "sink side does not start"
	side=$BR_PID
	unset 'TRAFFIC_SINKS[-1]'
	flood 4
	churn
	[ $((ROUNDS % KILL_EVERY)) != $((KILL_EVERY - 1)) ] || murder_and_start
	churn
	flood_end
	kill -INT "$side"
	wait "$side" || fault "round $ROUNDS: $(tail -n 1 "$BR_TMP/side.sink.log")"
	side_sums
	link_down_and_up
	ROUNDS=$((ROUNDS + 1))
	measure
	[ $ROUNDS != 1 ] || {
		RSS0=$RSS
		FDS0=$FDS
		FILL0=$FILL
	}
	printf '%5d s  round %d, %d joins, %d kills, %d link-downs, %d junk; RSS %d kB, %d fds, %s lost on the side\n' \
		$((SECONDS - BEGIN)) $ROUNDS $JOINS $KILLS $LINK_DOWNS $JUNK "$RSS" "$FDS" "$SIDE_LOST"
}

# row NAME EXPECTED RECEIVED LOST DUPLICATES MISDIRECTED
row()
{
	printf '%-14s %10s %10s %8s %10s %11s\n' "$@"
	[ "$4" = - ] || [ "$4" = 0 ] || fault "$1: $4 packets lost"
	[ "$5" = 0 ] || fault "$1: $5 packets twice"
	[ "$6" = 0 ] || fault "$1: $6 packets misdirected or altered"
	[ "$3" != 0 ] || fault "$1: nothing was received"
}

table()
{
	local received duplicates alien
	printf '\n%-14s %10s %10s %8s %10s %11s\n' "" expected received lost duplicates misdirected
	# shellcheck disable=SC2046 # five words
	row "small, stable" $(sums small small)
	# shellcheck disable=SC2046 # five words
	row "large, stable" $(sums large large)
	row "large, side" $SIDE_EXPECTED $SIDE_RECEIVED $SIDE_LOST $SIDE_DUPLICATES $SIDE_ALIEN
	read -r _ received _ duplicates alien <<<"$(sums small guests4)"
	row "small, guests" - "$received" - "$duplicates" "$alien"
	read -r _ received _ duplicates alien <<<"$(sums large guests6)"
	row "large, guests" - "$received" - "$duplicates" "$alien"
	printf '\n%-22s %12s %12s\n' "daemon" "first round" "last round"
	printf '%-22s %12s %12s\n' "memory (kB)" "$RSS0" "$RSS" "open files" "$FDS0" "$FDS"
	printf '%-22s %12s %12s\n' "legs, edges, streams" "${FILL0// /,}" "${FILL// /,}"
	echo "dropped: $(relay_dropped | tr '\n' ' ')"
}

# Legs and streams stay; a run of edges has up to an eighth to spare, and a freed one rests a while.
growth()
{
	[ $((RSS - RSS0)) -le $((RSS0 / 5)) ] || fault "the daemon's memory grew from $RSS0 to $RSS kB"
	[ "$FDS" -le $((FDS0 + 2)) ] || fault "the daemon's open files grew from $FDS0 to $FDS"
	br_until 20 fill_back || fault "legs, edges, streams: $(fill), were $START_FILL"
}
fill_back()
{
	local legs edges streams legs0 edges0 streams0
	read -r legs edges streams <<<"$(fill)"
	read -r legs0 edges0 streams0 <<<"$START_FILL"
	[ "$legs $streams" = "$legs0 $streams0" ] && [ "$edges" -le $((edges0 * 9 / 8)) ]
}
fill_stays()
{
	local now
	now=$(fill)
	[ "$now" = "${START_FILL:-}" ] || {
		START_FILL=$now
		STEADY=$SECONDS
	}
	[ $((SECONDS - STEADY)) -ge 3 ]
}

for tool in curl jq; do
	command -v $tool >/dev/null || br_die "$tool is missing: run scripts/install-deps.sh test"
done
relay_find_programs
br_net_begin
mkdir "$BR_TMP/bpf"
mount -t bpf -o mode=0700 bpf "$BR_TMP/bpf" || br_die "a bpffs cannot be mounted"
br_net_switch
for host in "relay 1" "publisher 2" "flooder 3" "a 11" "b 12" "c 13" "d 14"; do
	# shellcheck disable=SC2086 # name and number
	br_net_host $host
done
side_link || br_die "the second interface could not be made"
config
traffic_key
start
rooms
br_until 20 fill_stays || br_die "the tables do not come to rest"
traffic
BEGIN=$SECONDS
echo "soak of $MINUTES minutes"
while [ $((SECONDS - BEGIN)) -lt $SECONDS_ALL ]; do
	round
done
# the receivers must have what was sent last
kill -INT "${TRAFFIC_SOURCES[@]}"
for pid in "${TRAFFIC_SOURCES[@]}"; do
	wait "$pid" || fault "a source ended with status $?"
done
quiet()
{
	local now
	now=$(relay_counters copied)
	[ "$now" = "${QUIET:-}" ] || {
		QUIET=$now
		return 1
	}
}
br_until 10 quiet
kill -INT "${TRAFFIC_SINKS[@]}"
for pid in "${TRAFFIC_SINKS[@]}"; do
	wait "$pid" || fault "a sink ended with status $?"
done
table
growth
relay_stop || fault "the relay ended with status $?"
[ -n "$FAULTS" ] || {
	echo "all as it must be"
	exit 0
}
printf 'NOT as it must be:\n%s' "$FAULTS"
exit 1
