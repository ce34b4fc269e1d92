#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Tagged packets come in: of five publishers one sends without a tag, two with 802.1Q, two with
# QinQ (802.1Q inside of 802.1ad), over both families. Receivers get all of them, once, without
# tags, or with those of their own next hop; in small rooms and on the loop, native and generic.
#
#   publisher ── tagger, a relay whose next hops have tags ── relay ── a, b
#
# Kernels without VLAN devices can run it. What is on the relay's wire is looked at by tcpdump.
# Usage: tests/netns/vlan.sh [FOLDER WITH THE PROGRAMS]
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
TAGGED_PORT=21000 # on host b, of the receiver whose own next hop has a tag

# Of each publisher: the family and the tags that it comes with, and what tcpdump says of them.
FAMILY=(4 4 4 6 6)
TAGS=("" ",vlan=5:3" ",vlan=100,vlan=5:7" ",vlan=4094" ",vlan=200:1,vlan=6")
WIRE=("ethertype IPv4 " "ethertype 802\.1Q .* vlan 5, p 3, ethertype IPv4 "
	"ethertype 802\.1Q-(QinQ|9100) .* vlan 100, p 0, ethertype 802\.1Q .*, vlan 5, p 7, ethertype IPv4 "
	"ethertype 802\.1Q .* vlan 4094, p 0, ethertype IPv6 "
	"ethertype 802\.1Q-(QinQ|9100) .* vlan 200, p 1, ethertype 802\.1Q .*, vlan 6, p 0, ethertype IPv6 ")

mac() { br_in "$1" cat /sys/class/net/media/address; }

# from I: the address from which publisher I reaches the relay
from() { "br_addr${FAMILY[$1]}" $((201 + $1)); }

# at_tagger COMMAND...: with the relay that tags
at_tagger()
{
	local BR_TMP=$BR_TMP/tagger RELAY_PID=
	"$@"
}

# The tagger sends each publisher's stream to the relay from another address, with its own tags.
tagger_start()
{
	local i bits
	mkdir "$BR_TMP/tagger"
	for i in "${!TAGS[@]}"; do
		bits=24
		[ "${FAMILY[i]}" = 4 ] || bits=64
		ip -n "$(br_ns tagger)" addr add "$(from "$i")/$bits" dev media || return 1
	done
	at_tagger relay_start tagger native
	TAGGER_PID=$BR_PID
	for i in "${!TAGS[@]}"; do
		at_tagger relay_add "room$i" sender "$(br_addr4 2)" $((6000 + i)) publisher
		at_tagger relay_ctl add "room$i" relay --role subscriber \
			--address "$("br_addr${FAMILY[i]}" 1)" --port $RELAY_MEDIA_PORT --next-hop \
			"media,$(mac relay)${TAGS[i]},source=$(from "$i")" || return 1
	done
	br_until 10 at_tagger relay_all_ready
}

# room ROOM RECEIVERS: half of them on host a with IPv4, half on host b with IPv6
room()
{
	local i
	for i in "${!TAGS[@]}"; do
		relay_add "$1" "sender$i" "$(from "$i")" $RELAY_MEDIA_PORT publisher
	done
	relay_add_many "$1" a "$(br_addr4 11)" $PORT $(($2 / 2)) &&
		relay_add_many "$1" b "$(br_addr6 12)" $PORT $(($2 / 2)) && br_until 20 relay_all_ready
}

room_end() { relay_ctl remove "$1" >/dev/null; }

# publish RATE COUNT: of all five publishers
publish()
{
	traffic_source sent publisher "$(br_addr4 3)" 6000 0x1000 "$1" --publishers ${#TAGS[@]} \
		--count "$2" --bytes 1200,160
}

# all_get_all RECEIVERS RATE COUNT
all_get_all()
{
	local forwarded0 copied0 forwarded copied
	traffic_sink a a "$(br_addr4 11)" $PORT $(($1 / 2)) &&
		traffic_sink b b "$(br_addr6 12)" $PORT $(($1 / 2)) || return 1
	read -r forwarded0 copied0 <<<"$(relay_counters forwarded copied)"
	publish "$2" "$3"
	traffic_wait || return 1
	traffic_exact a sent && traffic_exact b sent || return 1
	read -r forwarded copied <<<"$(relay_counters forwarded copied)"
	equal "forwarded" $((forwarded - forwarded0)) $((${#TAGS[@]} * $3)) &&
		equal "copies" $((copied - copied0)) $((${#TAGS[@]} * $3 * $1)) &&
		equal "dropped" "$(relay_dropped)" ""
}

# watch HOST INTERFACE NAME FILTER: frames are written to $BR_TMP/NAME.pcap
watch()
{
	br_spawn "$1" "$BR_TMP/$3.tcpdump" tcpdump -i "$2" -B 16384 -U --immediate-mode -Z root \
		-w "$BR_TMP/$3.pcap" "$4"
	WATCHERS+=("$BR_PID")
	br_until 10 grep -q 'listening on' "$BR_TMP/$3.tcpdump"
}

frames_at_least() { [ "$(tcpdump -n -r "$BR_TMP/$1.pcap" 2>/dev/null | wc -l)" -ge "$2" ]; }

# like NAME PATTERN COUNT: as many frames of this capture look like this
like()
{
	local found
	found=$(tcpdump -nn -e -t -r "$BR_TMP/$1.pcap" 2>/dev/null | grep -cE "$2")
	[ "$found" = "$3" ] && return
	echo "$1: $found frames of $3 are like $2; the first ones:"
	tcpdump -nn -e -t -r "$BR_TMP/$1.pcap" 2>/dev/null | head -n 6
	return 1
}

# came_tagged COUNT: what the relay got had the tags that are meant to be there
came_tagged()
{
	local i
	for i in "${!TAGS[@]}"; do
		like wire "^$(mac tagger) > $(mac relay), ${WIRE[i]}.* $(from "$i" | sed 's/\./\\./g')\.$RELAY_MEDIA_PORT > " \
			"$1" || return 1
	done
}

# wire_and_copies RECEIVERS: each frame that came in is tagged, and no copy is but those that have a
# tag of their own.
wire_and_copies()
{
	local count=20 half=$(($1 / 2)) all pid
	all=$((${#TAGS[@]} * count))
	relay_ctl add seen retagged --address "$(br_addr4 12)" --port $TAGGED_PORT --role subscriber \
		--next-hop "media,$(mac b),vlan=77:2" && br_until 5 relay_all_ready || return 1
	WATCHERS=()
	watch switch relay wire "ether src $(mac tagger) and greater 150" &&
		watch a media a "ether src $(mac relay) and greater 150" &&
		watch b media b "ether src $(mac relay) and greater 150" || return 1
	publish 20 $count
	traffic_wait || return 1
	br_until 5 frames_at_least wire $all
	br_until 5 frames_at_least a $((all * half))
	br_until 5 frames_at_least b $((all * (half + 1)))
	for pid in "${WATCHERS[@]}"; do
		br_stop "$pid" INT
	done
	came_tagged $count &&
		like wire . $all &&
		like a "^$(mac relay) > $(mac a), ethertype IPv4 .* > $(br_addr4 11)\.20[0-9]+: UDP" $((all * half)) &&
		like a . $((all * half)) &&
		like b "^$(mac relay) > $(mac b), ethertype IPv6 .* > $(br_addr6 12)\.20[0-9]+: UDP" $((all * half)) &&
		like b "^$(mac relay) > $(mac b), ethertype 802\.1Q .* vlan 77, p 2, ethertype IPv4 .*> $(br_addr4 12)\.$TAGGED_PORT: UDP" $all &&
		like b . $((all * (half + 1)))
}

mode_is() { equal "XDP mode" "$(relay_modes)" "$1"; }

for tool in curl jq tcpdump; do
	command -v $tool >/dev/null || br_die "$tool is missing: run scripts/install-deps.sh test"
done
relay_find_programs
br_net_begin
br_net_switch
br_net_host relay 1
br_net_host publisher 2
br_net_host tagger 3
br_net_host a 11
br_net_host b 12
traffic_key
check "packets get tags on their way" tagger_start
for mode in native generic; do
	relay_start relay $mode
	check "$mode: the mode" mode_is $mode
	check "$mode: a small room" room small 20
	check "$mode: 20 receivers get all of all five publishers, once" all_get_all 20 50 100
	check "$mode: the small room goes" room_end small
	check "$mode: a room to look at" room seen 4
	check "$mode: tags as meant on the way in, none or the receiver's own on the way out" \
		wire_and_copies 4
	check "$mode: that room goes" room_end seen
	check "$mode: a large room" room large 150
	check "$mode: 150 receivers get all of all five publishers, once" all_get_all 150 5 20
	check "$mode: the relay ends cleanly" relay_stop
done
check "the relay that tags dropped nothing" equal dropped "$(at_tagger relay_dropped)" ""
check "it ends cleanly" br_stop "$TAGGER_PID" TERM
checks_end
