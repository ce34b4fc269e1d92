#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A flood of junk at full speed beside a paced room: random bytes, cut headers, wrong versions and
# lengths, other ports, spoofed senders, bad STUN. The room loses nothing; every frame that reached
# the relay's program is counted under one reason; and the daemon is sent no more than it allows.
# Usage: tests/netns/flood.sh [FOLDER WITH THE PROGRAMS]
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

PORT=20000
RECEIVERS=20 # of each family
SECONDS_EACH=5

room()
{
	relay_add room sender "$(br_addr4 2)" 6000 publisher 0x1000
	relay_add_many room a "$(br_addr4 11)" $PORT $RECEIVERS &&
		relay_add_many room b "$(br_addr6 12)" $PORT $RECEIVERS &&
		br_until 20 relay_all_ready
}

# Frames that the driver handed to the program, by the driver's own count.
frames_in()
{
	br_in relay ethtool -S media | awk '/rx_queue_[0-9]+_xdp_packets:/ { n += $2 } END { print n }'
}

# Reasons with which the relay program ends: all but those of copies and of the loop.
counted()
{
	relay_ctl --json stats | jq '[.reasons[] | select(.reason | IN("copied", "looped", "parked",
		"no_ticket", "ticket_spent", "own_packet", "receiver_expired", "no_next_hop", "wrong_egress",
		"too_big") | not) | .packets] | add'
}

# Frames may come between two readings, so they are read until nothing moves.
account()
{
	IN=$(frames_in)
	COUNTED=$(counted)
	[ "$IN" = "$(frames_in)" ] && [ "$COUNTED" = "$(counted)" ]
}

# flood FAMILY
flood()
{
	local in0 counted0 junk
	traffic_sink a a "$(br_addr4 11)" $PORT $RECEIVERS &&
		traffic_sink b b "$(br_addr6 12)" $PORT $RECEIVERS && br_until 10 account || return 1
	in0=$IN
	counted0=$COUNTED
	REASONS0=$(relay_ctl --json stats)
	br_spawn flooder "$BR_TMP/junk.log" "$RELAY_LAB" junk --interface media \
		--to "$(traffic_end_point "$("br_addr$1" 1)" $RELAY_MEDIA_PORT)" \
		--to-mac "$(br_in relay cat /sys/class/net/media/address)" --seed "$1" \
		--duration $SECONDS_EACH -o "$BR_TMP/junk"
	junk=$BR_PID
	traffic_source sent publisher "$(br_addr4 1)" 6000 0x1000 200 --bytes 1000,160 \
		--duration $((SECONDS_EACH - 1))
	wait "$junk" || cat "$BR_TMP/junk.log"
	traffic_wait && br_until 10 account || return 1
	FLOODED=$(jq .frames "$BR_TMP/junk")
	IN=$((IN - in0))
	COUNTED=$((COUNTED - counted0))
	echo "$FLOODED junk, $(traffic_sent sent) of the room, $IN frames in, $COUNTED counted"
	[ "$FLOODED" -gt 10000 ]
}

# Each frame has one reason, and most of the flood arrived (a ring on the way may lose some).
one_reason_each()
{
	equal "frames counted" "$COUNTED" "$IN" && [ $((IN * 2)) -ge "$FLOODED" ] && return
	echo "$IN of $FLOODED arrived"
	return 1
}

lost_nothing() { traffic_exact a sent && traffic_exact b sent; }

# grew REASON: since the flood began
grew()
{
	[ "$(relay_counters "$1")" -gt "$(jq --arg name "$1" \
		'.reasons[] | select(.reason == $name).packets' <<<"$REASONS0")" ]
}
all_kinds()
{
	local reason missing=()
	for reason in not_media stun dtls bad_length bad_class unknown_leg stranger_rate "$@"; do
		grew "$reason" || missing+=("$reason")
	done
	equal "reasons without a frame" "${missing[*]}" ""
}

# The daemon's socket gets STUN and DTLS that passed, within the budget of strangers on each CPU
# (5000/s, 0.2 s ahead), no RTP at all.
daemon_spared()
{
	local passed most
	passed=$(($(relay_counters stun | tr ' ' '+') + $(relay_counters dtls)))
	passed=$((passed - $(jq '[.reasons[] | select(.reason | IN("stun", "dtls")).packets] | add' <<<"$REASONS0")))
	most=$((5000 * (SECONDS_EACH + 2) * $(nproc)))
	echo "$passed STUN and DTLS for the daemon, at most $most"
	[ $passed -le $most ] && relay_ctl health
}

for tool in ethtool curl jq; do
	command -v $tool >/dev/null || br_die "$tool is missing: run scripts/install-deps.sh test"
done
relay_find_programs
br_net_begin
br_net_switch
# A bridge may be made to judge IP itself, and then keeps junk from the relay.
for name in iptables ip6tables; do
	br_in switch sysctl -qw net.bridge.bridge-nf-call-$name=0 2>/dev/null
done
br_net_host relay 1
br_net_host publisher 2
br_net_host flooder 3
br_net_host a 11
br_net_host b 12
traffic_key
relay_start relay native
check "a room" room
for family in 4 6; do
	check "IPv$family: a flood of junk beside the room" flood $family
	echo "IPv$family: $FLOODED junk frames, $IN frames in"
	check "IPv$family: the room loses nothing" lost_nothing
	check "IPv$family: every frame is counted under one reason" one_reason_each
	if [ $family = 4 ]; then
		check "IPv4: the flood was of all kinds" all_kinds fragment ip_options
	else
		check "IPv6: the flood was of all kinds" all_kinds fragment ip_options no_checksum
	fi
	check "IPv$family: the daemon is sent no more than its budget" daemon_spared
done
check "the relay ends cleanly" relay_stop
checks_end
