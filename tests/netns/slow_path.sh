#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What XDP cannot forward, the daemon does: senders whose packets come in IP fragments, with IPv4
# options or IPv6 extension headers; receivers whose neighbour answers late or is forgotten again
# and again; and a relay without XDP, also killed and started again. Every byte is compared, and
# what the kernel forwards and what the daemon does is counted apart.
# Usage: tests/netns/slow_path.sh [FOLDER WITH THE PROGRAMS]
set -u
cd "$(dirname "$0")/../.." || exit 1
BR_BUILD=${1:-${BR_BUILD:-build}}
# shellcheck source=scripts/lib/netns.sh
. scripts/lib/netns.sh
# shellcheck source=scripts/lib/relay.sh
. scripts/lib/relay.sh
# shellcheck source=scripts/lib/checks.sh
. scripts/lib/checks.sh

SUITE=AEAD_AES_128_GCM
SINKS=()

br_at_end() { umount "$BR_TMP/bpf" 2>/dev/null; }

relay_endpoint() { if [ "$1" = 4 ]; then echo "$(br_addr4 1):$RELAY_MEDIA_PORT"; else echo "[$(br_addr6 1)]:$RELAY_MEDIA_PORT"; fi; }

# sink NAME HOST BIND RECEIVERS
sink()
{
	br_spawn "$2" "$BR_TMP/$1.log" "$RELAY_LAB" sink --bind "$3" --receivers "$4" \
		--key-file "$BR_TMP/key" --suite $SUITE --idle 1500 --duration 60 --report-only \
		-o "$BR_TMP/$1.sink"
	SINKS+=("$BR_PID")
	br_until 10 br_udp_bound "$2" $((${3##*:} + $4 - 1)) ||
		fault "sink $1 does not start: $(tail -n 2 "$BR_TMP/$1.log")"
}

# source_start FAMILY COUNT RATE [FLAG]...
source_start()
{
	br_spawn publisher "$BR_TMP/source.log" "$RELAY_LAB" source --to "$(relay_endpoint "$1")" \
		--local-port 6000 --ssrc 0x1000 --key-file "$BR_TMP/key" --suite $SUITE \
		--count "$2" --rate "$3" -o "$BR_TMP/sent.source" "${@:4}"
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

# exact NAME...: every packet that was sent is at every receiver of the sinks, once, unaltered
exact()
{
	local name
	for name in "$@"; do
		"$RELAY_LAB" report "$BR_TMP/sent.source" "$BR_TMP/$name.sink" \
			>"$BR_TMP/exact" 2>&1 ||
			fault "$name: $(grep -v good "$BR_TMP/exact")"
	done
}

# slow REASON...: packets that the daemon counted for each
slow()
{
	# shellcheck disable=SC2016 # of jq
	relay_ctl --json stats | jq -r '
		[.slow_path.reasons[] | {(.reason): .packets}] | add as $count |
		[$ARGS.positional[] | $count[.]] | map(tostring) | join(" ")' --args "$@"
}

# slow_leg ROOM NAME COUNTER
slow_leg()
{
	relay_ctl --json legs "$1" | jq -r --arg name "$2" --arg counter "$3" \
		'.legs[] | select(.name == $name).slow[$counter]'
}

# is WHAT GOT EXPECTED
is() { [ "$2" = "$3" ] || fault "$1: $2, expected $3"; }

# The daemon has dropped nothing since it started.
no_slow_drops()
{
	local drops
	drops=$(relay_ctl --json stats | jq -r '.slow_path.reasons[] |
		select(.verdict == "drop" and .packets > 0) | "\(.reason)=\(.packets)"' | tr '\n' ' ')
	[ -z "$drops" ] || fault "the daemon dropped: $drops"
}

# A room with one sender and receivers of both families on two hosts: 2 + 1 + 1.
mixed_begin()
{
	rm -f "$BR_TMP"/*.sink "$BR_TMP"/*.source
	relay_add mixed sender "$("br_addr$1" 2)" 6000 publisher
	sink a4 a "$(br_addr4 11):20000" 2
	sink b6 b "[$(br_addr6 12)]:20010" 1
	sink b4 b "$(br_addr4 12):20020" 1
	relay_add mixed a4-0 "$(br_addr4 11)" 20000 subscriber
	relay_add mixed a4-1 "$(br_addr4 11)" 20001 subscriber
	relay_add mixed b6 "$(br_addr6 12)" 20010 subscriber
	relay_add mixed b4 "$(br_addr4 12)" 20020 subscriber
	br_until 5 relay_all_ready || fault "next hops are not resolved"
	read -r FORWARDED0 COPIED0 <<<"$(slow forwarded copied)"
}

mixed_end()
{
	local forwarded copied
	read -r forwarded copied <<<"$(slow forwarded copied)"
	is "packets forwarded by the daemon" $((forwarded - FORWARDED0)) "$1"
	is "copies by the daemon" $((copied - COPIED0)) "$2"
	no_slow_drops
	relay_ctl remove mixed >/dev/null || fault "the room could not be removed"
}

# case_passed FAMILY NAME FLAG...: all packets of this source are passed up by XDP
case_passed()
{
	local name=$2 before after
	mixed_begin "$1"
	before=$(relay_counters copied)
	source_start "$1" 200 200 "${@:3}"
	source_wait
	sinks_wait
	exact a4 b6 b4
	after=$(relay_counters copied)
	is "copies by the kernel" $((after - before)) 0
	is "sent to a4-0 by the daemon" "$(slow_leg mixed a4-0 sent_packets)" "$SENT"
	is "sent to a4-0 in all" "$(relay_leg mixed a4-0 sent_packets)" "$SENT"
	is "received from the sender" "$(relay_leg mixed sender received_packets)" "$SENT"
	mixed_end "$SENT" $((SENT * 4))
	verdict "$MODE IPv$1 $name"
}

# Sizes in turn: those of one packet go through XDP, the larger ones through the daemon.
case_both_ways()
{
	local before after
	mixed_begin 4
	before=$(relay_counters copied)
	source_start 4 300 300 --bytes 160,3000,1200 --fragment
	source_wait
	sinks_wait
	exact a4 b6 b4
	after=$(relay_counters copied)
	is "copies by the kernel" $((after - before)) $((SENT * 4 * 2 / 3))
	mixed_end $((SENT / 3)) $((SENT * 4 / 3))
	verdict "$MODE small packets by the kernel, fragmented ones by the daemon"
}

# What the kernel would refuse, the daemon refuses as well.
case_refused()
{
	local before
	relay_add strict sender "$(br_addr4 2)" 6000 publisher 0x7777
	relay_add strict wall "$(br_addr4 11)" 20000 subscriber
	before=$(slow ssrc_refused)
	source_start 4 20 200 --bytes 3000 --fragment
	source_wait
	br_until 5 refused_is $((before + SENT)) ||
		fault "ssrc_refused: $(slow ssrc_refused), expected $((before + SENT))"
	is "sent to the receiver" "$(relay_leg strict wall sent_packets)" 0
	is "dropped of the sender" "$(relay_leg strict sender dropped_received)" "$SENT"
	relay_ctl remove strict >/dev/null || fault "the room could not be removed"
	before=$(slow unknown_leg)
	relay_add other wall "$(br_addr4 11)" 20000 subscriber
	source_start 4 20 200 --bytes 3000 --fragment
	source_wait
	br_until 5 unknown_is $((before + SENT)) ||
		fault "unknown_leg: $(slow unknown_leg), expected $((before + SENT))"
	relay_ctl remove other >/dev/null || fault "the room could not be removed"
	verdict "$MODE refusals of the daemon are those of the kernel"
}
refused_is() { [ "$(slow ssrc_refused)" = "$1" ]; }
unknown_is() { [ "$(slow unknown_leg)" = "$1" ]; }

# host_arp HOST on|off: an interface without ARP does not answer for its addresses, IPv6 neither
host_arp() { ip -n "$(br_ns "$1")" link set dev media arp "$2"; }

late_copies() { [ "$(slow_leg late "$1" sent_packets)" -ge "$2" ]; }
leg_path() { relay_ctl --json legs "$1" | jq -r --arg n "$2" '.legs[] | select(.name == $n).path'; }
leg_path_is() { [ "$(leg_path "$1" "$2")" = "$3" ]; }

# case_late FAMILY: the neighbour of one of two receivers answers in mid-run
case_late()
{
	local by_daemon total host
	rm -f "$BR_TMP"/*.sink "$BR_TMP"/*.source
	for host in relay late; do
		ip -n "$(br_ns $host)" neigh flush dev media >/dev/null
	done
	host_arp late off
	relay_add late sender "$("br_addr$1" 2)" 6000 publisher
	sink ready a "$(br_addr4 11):20000" 1
	relay_add late ready "$(br_addr4 11)" 20000 subscriber
	br_until 5 relay_all_ready || fault "next hops are not resolved"
	if [ "$1" = 4 ]; then
		sink late late "$(br_addr4 13):20000" 1
		relay_add late slow "$(br_addr4 13)" 20000 subscriber
	else
		sink late late "[$(br_addr6 13)]:20000" 1
		relay_add late slow "$(br_addr6 13)" 20000 subscriber
	fi
	is "path of who is not there" "$(leg_path late slow)" daemon
	is "path of who is" "$(leg_path late ready)" kernel
	source_start "$1" 800 200 --bytes 160
	br_until 3 late_copies slow 40 || fault "the daemon sends nothing"
	host_arp late on
	br_until 5 leg_path_is late slow kernel || fault "the kernel does not take over"
	by_daemon=$(slow_leg late slow sent_packets)
	br_running "$SOURCE" || fault "the source ended before the change"
	source_wait
	sinks_wait
	exact ready late
	is "copies by the daemon, later" "$(slow_leg late slow sent_packets)" "$by_daemon"
	total=$(relay_leg late slow sent_packets)
	is "copies in all" "$total" "$SENT"
	[ "$by_daemon" -lt "$total" ] || fault "no copy was made by the kernel"
	is "copies by the daemon for others" "$(slow_leg late ready sent_packets)" 0
	no_slow_drops
	relay_ctl remove late >/dev/null || fault "the room could not be removed"
	verdict "$MODE IPv$1 neighbour that answers late: $by_daemon by the daemon, the rest by the kernel"
}

# The kernel of the relay forgets its neighbour. It mostly answers before the daemon would take over.
# A copy that the stamp meets in between may be dropped, counted; never two of one packet.
case_forgotten()
{
	local flips=0 dropped got
	rm -f "$BR_TMP"/*.sink "$BR_TMP"/*.source
	relay_add flip sender "$(br_addr4 2)" 6000 publisher
	sink flip a "$(br_addr4 11):20000" 3
	for got in 0 1 2; do
		relay_add flip "r$got" "$(br_addr4 11)" $((20000 + got)) subscriber
	done
	br_until 5 relay_all_ready || fault "next hops are not resolved"
	dropped=$(relay_counters no_next_hop)
	source_start 4 4000 1000 --bytes 160
	while [ $flips -lt 15 ] && br_running "$SOURCE"; do
		ip -n "$(br_ns relay)" neigh del "$(br_addr4 11)" dev media 2>/dev/null &&
			flips=$((flips + 1))
		br_until 2 leg_path_is flip r0 kernel || fault "r0 stays with the daemon"
	done
	source_wait
	sinks_wait
	dropped=$(($(relay_counters no_next_hop) - dropped))
	got=$(jq '[.receivers[].received] | add' "$BR_TMP/flip.sink")
	is "received and dropped" $((got + dropped)) $((SENT * 3))
	is "duplicates and altered" "$(jq '[.receivers[] | .duplicates + .auth_failures +
		.altered_bytes] | add' "$BR_TMP/flip.sink")" 0
	no_slow_drops
	relay_ctl remove flip >/dev/null || fault "the room could not be removed"
	verdict "$MODE neighbour forgotten $flips times: $dropped of $((SENT * 3)) copies dropped, none doubled"
}

# More than the daemon can take, 400 000 copies a second: it goes on answering, and serves again as soon as there is room.
case_flood()
{
	local answers=0 began took slowest=0
	relay_add flood sender "$(br_addr4 2)" 6000 publisher
	sink flood a "$(br_addr4 11):20000" 40
	for ((took = 0; took < 40; took++)); do
		relay_add flood "r$took" "$(br_addr4 11)" $((20000 + took)) subscriber
	done
	br_until 5 relay_all_ready || fault "next hops are not resolved"
	br_spawn publisher "$BR_TMP/source.log" "$RELAY_LAB" source --to "$(relay_endpoint 4)" \
		--local-port 6000 --ssrc 0x1000 --key-file "$BR_TMP/key" --suite $SUITE \
		--rate 10000 --count 30000 --burst 32 --bytes 160 -o "$BR_TMP/sent.source"
	SOURCE=$BR_PID
	while br_running "$SOURCE"; do
		began=${EPOCHREALTIME/[.,]/}
		relay_ctl health >/dev/null 2>&1 || fault "the API does not answer"
		took=$(((${EPOCHREALTIME/[.,]/} - began) / 1000))
		[ $took -le $slowest ] || slowest=$took
		answers=$((answers + 1))
	done
	source_wait
	sinks_wait
	[ $answers -ge 3 ] || fault "only $answers answers in 3 s"
	[ $slowest -le 2000 ] || fault "an answer took $slowest ms"
	is "duplicates and altered" "$(jq '[.receivers[] | .duplicates + .auth_failures +
		.altered_bytes] | add' "$BR_TMP/flood.sink")" 0
	[ "$(jq '[.receivers[].received] | min' "$BR_TMP/flood.sink")" -gt 0 ] ||
		fault "a receiver got nothing at all"
	relay_ctl remove flood >/dev/null || fault "the room could not be removed"
	mixed_begin 4
	source_start 4 100 200
	source_wait
	sinks_wait
	exact a4 b6 b4
	relay_ctl remove mixed >/dev/null || fault "the room could not be removed"
	verdict "$MODE flood: $answers answers meanwhile, the slowest after $slowest ms"
}

# state_start MODE: the relay with a state directory
state_start()
{
	relay_config "$BR_TMP/relay.json" "$1"
	br_spawn relay "$BR_TMP/relay.log" "$RELAY_DAEMON" --config "$BR_TMP/relay.json" \
		--state "$BR_TMP/bpf"
	RELAY_PID=$BR_PID
	br_until 10 relay_settled
	relay_ctl health >/dev/null 2>&1 || br_die "no start: $(tail -n 5 "$BR_TMP/relay.log")"
}

# state_kill: the daemon ends between two instructions
state_kill()
{
	kill -KILL "$RELAY_PID"
	br_wait_gone "$RELAY_PID" 5
	wait "$RELAY_PID" 2>/dev/null
}

# Without XDP nothing is forwarded while there is no daemon; then it goes on.
case_killed()
{
	local before
	state_start none
	mixed_begin 4
	source_start 4 200 400
	source_wait
	sinks_wait
	exact a4 b6 b4
	before=$SENT
	state_kill
	state_start none
	grep -q "; adopted 1 room, 5 legs" "$BR_TMP/relay.log" ||
		fault "nothing was adopted: $(tail -n 3 "$BR_TMP/relay.log")"
	is "XDP mode" "$(relay_modes)" none
	is "sent before it was killed" "$(relay_leg mixed b6 sent_packets)" "$before"
	sink a4 a "$(br_addr4 11):20000" 2
	sink b6 b "[$(br_addr6 12)]:20010" 1
	sink b4 b "$(br_addr4 12):20020" 1
	source_start 4 200 400 --start-sequence 1000
	source_wait
	sinks_wait
	exact a4 b6 b4
	is "sent in both lives" "$(relay_leg mixed b6 sent_packets)" $((before + SENT))
	mixed_end $((before + SENT)) $(((before + SENT) * 4))
	relay_stop || fault "the relay ended with status $?: $(tail -n 3 "$BR_TMP/relay.log")"
	verdict "none killed with -9 and started again"
}

# The daemon is killed while it serves somebody over the tap: the next one adopts the pair of
# devices and the routes, and goes on. Another mode is not what the state is of.
case_killed_with_tap()
{
	rm -f "$BR_TMP"/*.sink "$BR_TMP"/*.source
	state_start native
	ip -n "$(br_ns relay)" neigh flush dev media >/dev/null
	host_arp late off
	relay_add late sender "$(br_addr4 2)" 6000 publisher
	relay_add late ready "$(br_addr4 11)" 20000 subscriber
	br_until 5 relay_all_ready || fault "next hops are not resolved"
	relay_add late slow "$(br_addr4 13)" 20000 subscriber
	state_kill
	relay_config "$BR_TMP/other.json" none
	br_in relay timeout 5 "$RELAY_DAEMON" --config "$BR_TMP/other.json" --state "$BR_TMP/bpf" \
		>"$BR_TMP/refused" 2>&1 && fault "a relay without XDP adopts one with it"
	grep -q "media.xdp_mode: .* native, not none" "$BR_TMP/refused" ||
		fault "the refusal says: $(tail -n 1 "$BR_TMP/refused")"
	state_start native
	grep -q "; adopted 1 room, 3 legs" "$BR_TMP/relay.log" ||
		fault "nothing was adopted: $(tail -n 3 "$BR_TMP/relay.log")"
	sink ready a "$(br_addr4 11):20000" 1
	sink late late "$(br_addr4 13):20000" 1
	is "path of who is not there" "$(leg_path late slow)" daemon
	source_start 4 800 200 --bytes 160
	br_until 3 late_copies slow 40 || fault "the daemon sends nothing"
	host_arp late on
	br_until 5 leg_path_is late slow kernel || fault "the kernel does not take over"
	br_running "$SOURCE" || fault "the source ended before the change"
	source_wait
	sinks_wait
	exact ready late
	no_slow_drops
	relay_stop || fault "the relay ended with status $?: $(tail -n 3 "$BR_TMP/relay.log")"
	verdict "native killed with -9 while the daemon serves a receiver"
}

relay_find_programs
br_net_begin
mkdir "$BR_TMP/bpf" && mount -t bpf -o mode=0700 bpf "$BR_TMP/bpf" || br_die "no bpffs"
br_net_switch
br_net_host relay 1
br_net_host publisher 2
br_net_host a 11
br_net_host b 12
br_net_host late 13
"$RELAY_LAB" genkey --suite $SUITE -o "$BR_TMP/key" || br_die "no key"
for MODE in native generic; do
	relay_start relay $MODE
	is "XDP mode" "$(relay_modes)" $MODE
	for family in 4 6; do
		case_passed $family "in fragments" --bytes 3000,8000 --fragment
		case_passed $family "with IP options" --bytes 160,1200 --ip-options
		case_late $family
	done
	case_both_ways
	case_forgotten
	case_refused
	relay_stop || fault "the relay ended with status $?: $(tail -n 3 "$BR_TMP/relay.log")"
	verdict "$MODE relay ends cleanly"
done
MODE=none
relay_start relay $MODE
is "XDP mode" "$(relay_modes)" $MODE
for family in 4 6; do
	case_passed $family "in a mixed room of 5" --bytes 160,1200 --rtcp 0.25
	case_passed $family "in fragments" --bytes 3000,8000 --fragment
done
case_refused
case_flood
relay_stop || fault "the relay ended with status $?: $(tail -n 3 "$BR_TMP/relay.log")"
verdict "none relay ends cleanly"
case_killed
case_killed_with_tap
checks_end
