#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The real daemon between sources and sinks that authenticate every packet and compare every
# byte: 1, 3, 10 and 50 receivers on two hosts, IPv4 and IPv6, both SRTP suites, native and
# generic XDP; then receivers that join and leave in mid-run. Nothing may be lost, altered or
# doubled, and the kernel's counters must be exact.
# Usage: tests/netns/fanout.sh [FOLDER WITH THE PROGRAMS]
set -u
cd "$(dirname "$0")/../.." || exit 1
BR_BUILD=${1:-${BR_BUILD:-build}}
# shellcheck source=scripts/lib/netns.sh
. scripts/lib/netns.sh
# shellcheck source=scripts/lib/relay.sh
. scripts/lib/relay.sh
# shellcheck source=scripts/lib/checks.sh
. scripts/lib/checks.sh

SUITES="AEAD_AES_128_GCM AES_CM_128_HMAC_SHA1_80"
PORT=20000 # of the first receiver on each host

address() { "br_addr$2" "$1"; } # address HOST_NUMBER FAMILY
endpoint() { if [ "$2" = 4 ]; then echo "$(br_addr4 "$1"):$3"; else echo "[$(br_addr6 "$1")]:$3"; fi; }

# sink NAME HOST NUMBER FAMILY SUITE FIRST_PORT RECEIVERS: results go to $BR_TMP/NAME.sink
sink()
{
	br_spawn "$2" "$BR_TMP/$1.log" "$RELAY_LAB" sink --bind "$(endpoint "$3" "$4" "$6")" \
		--receivers "$7" --key-file "$BR_TMP/$5.key" --suite "$5" --idle 700 \
		--duration 60 --report-only -o "$BR_TMP/$1.sink"
	SINKS+=("$BR_PID")
	br_until 10 br_udp_bound "$2" $(($6 + $7 - 1)) ||
		fault "sink $1 does not start: $(tail -n 2 "$BR_TMP/$1.log")"
}

# source_start FAMILY SUITE COUNT RATE: two publishers, one port each, RTP and RTCP
source_start()
{
	br_spawn publisher "$BR_TMP/source.log" "$RELAY_LAB" source \
		--to "$(endpoint 1 "$1" "$RELAY_MEDIA_PORT")" --local-port 6000 --publishers 2 \
		--ssrc 0x1000 --key-file "$BR_TMP/$2.key" --suite "$2" --rate "$4" --count "$3" \
		--bytes 1200,160 --rtcp 0.25 -o "$BR_TMP/sent.source"
	SOURCE=$BR_PID
}

source_wait()
{
	wait "$SOURCE" || fault "the source failed: $(tail -n 2 "$BR_TMP/source.log")"
	SENT=$(jq '[.streams[] | .packets + .rtcp] | add' "$BR_TMP/sent.source")
}

sinks_wait()
{
	local pid
	for pid in "${SINKS[@]}"; do
		wait "$pid" || fault "a sink failed: $(cat "$BR_TMP"/*.log | tail -n 3)"
	done
	SINKS=()
}

# exact NAME [FLAG]...: every packet that was sent is at every receiver of the sink, unaltered
exact()
{
	local name=$1
	shift
	"$RELAY_LAB" report "$@" "$BR_TMP/sent.source" "$BR_TMP/$name.sink" >"$BR_TMP/exact" 2>&1 ||
		fault "$name: $(grep -v good "$BR_TMP/exact")"
	jq -e '[.receivers[] | .rtcp] | min > 0' "$BR_TMP/$name.sink" >/dev/null ||
		fault "$name: a receiver got no RTCP"
}

# The counters since counters_begin against what was sent and what must have been copied.
counters_begin() { read -r FORWARDED0 COPIED0 <<<"$(relay_counters forwarded copied)"; }
counters_are()
{
	local forwarded copied
	read -r forwarded copied <<<"$(relay_counters forwarded copied)"
	[ $((forwarded - FORWARDED0)) = "$1" ] || fault "forwarded $((forwarded - FORWARDED0)), expected $1"
	[ $((copied - COPIED0)) = "$2" ] || fault "copied $((copied - COPIED0)), expected $2"
}

no_drops()
{
	local drops
	drops=$(relay_dropped | tr '\n' ' ')
	[ -z "$drops" ] || fault "dropped: $drops"
}

# room_begin ROOM FAMILY: two publishers: one with its SSRC on a list, one whose SSRC is learned
room_begin()
{
	rm -f "$BR_TMP"/*.sink "$BR_TMP"/*.source
	SINKS=()
	relay_add "$1" first "$(address 2 "$2")" 6000 publisher 0x1000
	relay_add "$1" second "$(address 2 "$2")" 6001 publisher
	counters_begin
}

# subscribe ROOM FAMILY HOST_NUMBER FIRST_PORT COUNT
subscribe()
{
	local i
	for ((i = 0; i < $5; i++)); do
		relay_add "$1" "r$3-$i" "$(address "$3" "$2")" $(($4 + i)) subscriber
	done
}

room_end() { relay_ctl remove "$1" >/dev/null || fault "room $1 could not be removed"; }

# case_fanout MODE FAMILY SUITE RECEIVERS
case_fanout()
{
	local room=fan$4 b=$(($4 / 2)) a
	a=$(($4 - b))
	room_begin "$room" "$2"
	sink a a 11 "$2" "$3" $PORT $a
	[ $b = 0 ] || sink b b 12 "$2" "$3" $PORT $b
	subscribe "$room" "$2" 11 $PORT $a
	subscribe "$room" "$2" 12 $PORT $b
	br_until 5 relay_all_ready || fault "next hops are not resolved"
	source_start "$2" "$3" 100 200
	source_wait
	sinks_wait
	exact a
	[ $b = 0 ] || exact b
	counters_are "$SENT" $((SENT * $4))
	no_drops
	room_end "$room"
	verdict "$1 IPv$2 $3 to $4"
}

# forwarded_at_least N: packets since counters_begin
forwarded_at_least() { [ $(($(relay_counters forwarded) - FORWARDED0)) -ge "$1" ]; }

# case_changes MODE FAMILY SUITE: ten stay; one joins, one leaves, and others come and go.
case_changes()
{
	local churned=0 got
	room_begin changes "$2"
	sink stay a 11 "$2" "$3" $PORT 10
	sink late b 12 "$2" "$3" $PORT 1
	sink early b 12 "$2" "$3" $((PORT + 1)) 1
	sink churn b 12 "$2" "$3" $((PORT + 2)) 1
	subscribe changes "$2" 11 $PORT 10
	relay_add changes early "$(address 12 "$2")" $((PORT + 1)) subscriber
	br_until 5 relay_all_ready || fault "next hops are not resolved"
	source_start "$2" "$3" 1000 200
	br_until 10 forwarded_at_least 200 || fault "nothing is forwarded"
	relay_add changes late "$(address 12 "$2")" $PORT subscriber
	until [ $churned -ge 10 ] && forwarded_at_least 900 || ! br_running "$SOURCE"; do
		relay_add changes churn "$(address 12 "$2")" $((PORT + 2)) subscriber
		relay_remove changes churn
		churned=$((churned + 1))
	done
	relay_remove changes early
	br_running "$SOURCE" || fault "the source ended before the last change"
	[ $churned -ge 10 ] || fault "only $churned joins and leaves in mid-run"
	source_wait
	sinks_wait
	exact stay
	exact late --from-first
	exact early --until-last
	# Who comes and goes has gaps; but each packet at most once, unaltered.
	jq -e '.receivers[0] | .received > 0 and .duplicates + .auth_failures + .altered_bytes
		+ .unexpected_ssrc + .not_rtp == 0' "$BR_TMP/churn.sink" >/dev/null ||
		fault "churn: $(jq -c '.receivers[0]' "$BR_TMP/churn.sink")"
	got=$(jq -s '[.[].receivers[] | .received + .rtcp] | add' "$BR_TMP"/*.sink)
	counters_are "$SENT" "$got"
	no_drops
	room_end changes
	verdict "$1 IPv$2 $3 with $churned joins and leaves in mid-run"
}

relay_find_programs
br_net_begin
br_net_switch
br_net_host relay 1
br_net_host publisher 2
br_net_host a 11
br_net_host b 12
for suite in $SUITES; do
	"$RELAY_LAB" genkey --suite "$suite" -o "$BR_TMP/$suite.key" || br_die "no key"
done
for mode in native generic; do
	relay_start relay $mode
	[ "$(relay_modes)" = $mode ] || fault "XDP mode is $(relay_modes), expected $mode"
	for family in 4 6; do
		for suite in $SUITES; do
			for receivers in 1 3 10 50; do
				case_fanout $mode $family "$suite" $receivers
			done
		done
		case_changes $mode $family "$suite"
	done
	relay_stop || fault "the relay ended with status $?: $(tail -n 3 "$BR_TMP/relay.log")"
	verdict "$mode relay ends cleanly"
done
checks_end
