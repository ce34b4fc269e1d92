#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Next hops that are named when a leg is added: tags (802.1Q, QinQ) and addresses of the copies
# as a receiver sees them, following the interface, and kept over kill -9.
# Usage: tests/netns/next_hop.sh [FOLDER WITH THE PROGRAMS]
set -u
cd "$(dirname "$0")/../.." || exit 1
BR_BUILD=${1:-${BR_BUILD:-build}}
# shellcheck source=scripts/lib/netns.sh
. scripts/lib/netns.sh
# shellcheck source=scripts/lib/relay.sh
. scripts/lib/relay.sh
# shellcheck source=scripts/lib/checks.sh
. scripts/lib/checks.sh

# The state outlives the daemon only in a mount that does; `ip netns exec` makes its own.
br_at_end() { umount "$BR_TMP/bpf" 2>/dev/null; }

COUNT=200 # packets of one run

start()
{
	br_spawn relay "$BR_TMP/relay.log" "$RELAY_DAEMON" --config "$BR_TMP/relay.json" \
		--state "$BR_TMP/bpf"
	RELAY_PID=$BR_PID
	br_until 20 relay_settled && relay_ctl health
}

mac_of() { br_in "$1" cat /sys/class/net/media/address; }
ready() { relay_ctl health && relay_all_ready; }

# add NAME ADDRESS PORT HOP: a subscriber behind a named next hop.
add()
{
	relay_ctl add room "$1" --address "$2" --port "$3" --role subscriber --next-hop "$4"
}

# refused WORDS FLAGS...: the API says so
refused()
{
	local words=$1
	shift
	! relay_ctl add room no --address "$(br_addr4 3)" --port 21009 --role subscriber \
		--next-hop "$@" 2>"$BR_TMP/refused" || return 1
	cat "$BR_TMP/refused"
	grep -qF -- "$words" "$BR_TMP/refused"
}

# pass NAME: COUNT packets of the publisher; the frames that reach the receiver in NAME.frames
pass()
{
	local dump
	br_spawn receiver "$BR_TMP/dump.log" tcpdump -i media -n -e -U --immediate-mode -Z root \
		-w "$BR_TMP/$1.pcap"
	dump=$BR_PID
	br_until 10 grep -q 'listening on' "$BR_TMP/dump.log" || return 1
	br_in publisher "$RELAY_LAB" source --suite none --to "$(br_addr4 1):$RELAY_MEDIA_PORT" \
		--local-port 6000 --rate 1000 --bytes 200 --count $COUNT
	br_until 5 arrived "$1" $((6 * COUNT))
	br_stop $dump INT
	tcpdump -n -e -r "$BR_TMP/$1.pcap" 2>/dev/null >"$BR_TMP/$1.frames"
}

arrived() { [ "$(tcpdump -n -r "$BR_TMP/$1.pcap" 2>/dev/null | grep -cE '\.2100[0-5]: UDP, length')" -ge "$2" ]; }

# frames NAME PATTERN: as many as were sent look like this.
frames()
{
	local found
	found=$(grep -cE "$2" "$BR_TMP/$1.frames")
	[ "$found" = $COUNT ] && return
	echo "$found of $COUNT frames match $2; by port:"
	grep -oE '\.2100[0-5]: UDP' "$BR_TMP/$1.frames" | sort | uniq -c
	grep -E 'dropped by|received by' "$BR_TMP/dump.log"
	relay_dropped
	echo "the first ones:"
	head -n 8 "$BR_TMP/$1.frames"
	return 1
}

# as_named NAME: every receiver got every packet, as its next hop says.
as_named()
{
	local far own v4 v6
	far=$(mac_of receiver)
	own=$(mac_of relay)
	v4=$(br_addr4 3)
	v6=$(br_addr6 3)
	frames "$1" "$own > $far, ethertype IPv4 \(0x0800\).* > $v4.21000: UDP" &&
		frames "$1" "$own > $far, ethertype 802.1Q \(0x8100\),.* vlan 5, p 3, ethertype IPv4.* > $v4.21001: UDP" &&
		frames "$1" "$own > $far, ethertype 802.1Q-(QinQ|9100) \(0x88a8\),.* vlan 100, p 0, ethertype 802.1Q.*, vlan 5, p 7, ethertype IPv4.* > $v4.21002: UDP" &&
		frames "$1" "$own > $far, ethertype 802.1Q \(0x8100\),.* vlan 4094, p 0, ethertype IPv6.* > $v6.21003: UDP" &&
		frames "$1" "02:00:00:00:00:77 > $far, ethertype 802.1Q .* vlan 9, p 0, ethertype IPv4.* $SOURCE.$RELAY_MEDIA_PORT > $v4.21004: UDP" &&
		frames "$1" "ethertype IPv4.* > $v4.21005: UDP"
}

passes_as_named() { pass "$1" && as_named "$1"; }

named() { relay_ctl --json legs room | jq -c '[.legs[] | [.name, .next_hop]]'; }

survives()
{
	local before
	before=$(named)
	kill -KILL "$RELAY_PID"
	br_wait_gone "$RELAY_PID" 5
	wait "$RELAY_PID" 2>/dev/null
	pass dead && as_named dead || return 1
	start && br_until 5 ready || return 1
	[ "$(named)" = "$before" ] || {
		echo "before: $before"
		echo "now: $(named)"
		return 1
	}
	passes_as_named adopted
}

media_anew()
{
	ip -n "$(br_ns switch)" link del relay
	ip -n "$(br_ns switch)" link add relay type veth peer name media netns "$(br_ns relay)"
	br_net_offloads relay
	ip -n "$(br_ns switch)" link set relay master br0 up
	br_net_host_addresses relay 1
	# its MAC address is another one: who sends to it must ask again
	br_in publisher ip neigh flush dev media
	br_until 5 ready
}

link_is() { relay_ctl --json legs room | jq -e --arg s "$1" '.legs[] | select(.name == "tag").state == $s'; }

down_and_up()
{
	ip -n "$(br_ns switch)" link set relay down
	br_until 5 link_is unreachable || return 1
	ip -n "$(br_ns switch)" link set relay up
	br_until 5 ready
}

for tool in tcpdump jq; do
	command -v $tool >/dev/null || br_die "$tool is missing: run scripts/install-deps.sh"
done
relay_find_programs
br_net_begin
br_net_switch
br_net_host relay 1
br_net_host publisher 2
br_net_host receiver 3
mkdir "$BR_TMP/bpf"
mount -t bpf -o mode=0700 bpf "$BR_TMP/bpf" || br_die "a bpffs cannot be mounted"
relay_config "$BR_TMP/relay.json" native
SOURCE=$BR_NET4.200
FAR=$(mac_of receiver)
check "a start" start
relay_add room sender "$(br_addr4 2)" 6000 publisher 0x1000
check "without tags" add plain "$(br_addr4 3)" 21000 "media,$FAR"
check "802.1Q with a priority" add tag "$(br_addr4 3)" 21001 "media,$FAR,vlan=5:3"
check "QinQ" add tags "$(br_addr4 3)" 21002 "media,$FAR,vlan=100,vlan=5:7"
check "IPv6" add six "$(br_addr6 3)" 21003 "media,$FAR,vlan=4094"
check "addresses of its own" add own "$(br_addr4 3)" 21004 \
	"media,$FAR,vlan=9,source=$SOURCE,source-mac=02:00:00:00:00:77,mtu=1400"
relay_add room routed "$(br_addr4 3)" 21005 subscriber
check "all are ready" br_until 5 ready
check "copies are tagged as their next hops say" passes_as_named first
check "an interface that is none of ours" refused "next_hop.interface" "lo,$FAR"
check "a group's address" refused "next_hop.mac" "media,01:00:5e:00:00:01"
check "kill -9: the tags stay, and the next daemon knows them" survives
check "the link goes down and up" down_and_up
check "then all is as before" passes_as_named up
check "the interface's own address changes" br_in relay ip link set media address 02:00:00:00:00:99
br_in publisher ip neigh flush dev media
check "then copies come from there" passes_as_named address
check "the interface is made anew" media_anew
check "then all is as before" passes_as_named anew
check "a leg goes" relay_ctl remove room tags
check "it ends with status 0" relay_stop
checks_end
