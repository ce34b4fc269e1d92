#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# One room over three media interfaces at once, IPv4 and IPv6: every receiver gets every packet once,
# from publishers behind two of them; an interface that goes down takes nothing from the others.
# Usage: tests/netns/two_interfaces.sh [FOLDER WITH THE PROGRAMS]
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

# net4 N, net6 N: the networks behind interface mediaN of the relay, which is number 1 there
net4() { echo "10.78.$1"; }
net6() { echo "fd78:$1::"; }

# wire HOST N: a host of its own behind interface mediaN of the relay
wire()
{
	local ns relay
	ns=$(br_ns "$1")
	relay=$(br_ns relay)
	ip netns add "$ns" &&
		ip -n "$relay" link add dev "media$2" type veth peer name media netns "$ns" &&
		br_in relay ethtool -K "media$2" tx off rxvlan off txvlan off >/dev/null &&
		br_in "$1" ethtool -K media tx off rxvlan off txvlan off gro on >/dev/null &&
		ip -n "$ns" link set lo up &&
		ip -n "$relay" addr add "$(net4 "$2").1/24" dev "media$2" &&
		ip -n "$relay" addr add "$(net6 "$2")1/64" dev "media$2" nodad &&
		ip -n "$ns" addr add "$(net4 "$2").2/24" dev media &&
		ip -n "$ns" addr add "$(net6 "$2")2/64" dev media nodad &&
		ip -n "$relay" link set "media$2" up && ip -n "$ns" link set media up ||
		br_die "host $1 could not be wired"
}

# As relay_start, with three interfaces.
start()
{
	relay_config "$BR_TMP/one.json" native
	jq '.media.interfaces = ["media", "media2", "media3"] |
		.rooms.static_allow += ["10.78.0.0/16", "fd78::/16"]' "$BR_TMP/one.json" >"$BR_TMP/relay.json"
	br_spawn relay "$BR_TMP/relay.log" "$RELAY_DAEMON" --config "$BR_TMP/relay.json"
	RELAY_PID=$BR_PID
	br_until 20 relay_settled
	relay_ctl health || cat "$BR_TMP/relay.log"
}

# 95 receivers: 10 at the switch, 40 + 40 behind the second interface, 5 behind the third; one
# publisher behind the first interface, one behind the second.
room()
{
	relay_add wide first "$(br_addr4 2)" 6000 publisher
	relay_add wide second "$(net6 2)2" 6001 publisher
	relay_add_many wide a "$(br_addr4 11)" $PORT 10 &&
		relay_add_many wide c "$(net4 2).2" $PORT 40 &&
		relay_add_many wide d "$(net6 2)2" $((PORT + 100)) 40 &&
		relay_add_many wide e "$(net6 3)2" $PORT 5 && br_until 20 relay_all_ready
}

sinks()
{
	traffic_sink at_switch a "$(br_addr4 11)" $PORT 10 &&
		traffic_sink second4 c "$(net4 2).2" $PORT 40 &&
		traffic_sink second6 c "$(net6 2)2" $((PORT + 100)) 40
}

sources()
{
	traffic_source first publisher "$(br_addr4 1)" 6000 0x1000 50 --count "$1" --bytes 160
	traffic_source second c "$(net6 2)1" 6001 0x2000 50 --count "$1" --bytes 160
}

exact()
{
	local sink
	for sink in "$@"; do
		traffic_exact "$sink" first,second || return 1
	done
}

all()
{
	local copies
	sinks && traffic_sink third e "$(net6 3)2" $PORT 5 || return 1
	copies=$(relay_counters copied)
	sources 150
	traffic_wait || return 1
	exact at_switch second4 second6 third &&
		equal copies $(($(relay_counters copied) - copies)) $(($(traffic_sent first second) * 95)) &&
		equal dropped "$(relay_dropped)" ""
}

forwarded_more_than() { [ "$(relay_counters forwarded)" -gt "$1" ]; }

# The third interface goes down and comes back while both publish.
link_down()
{
	local forwarded
	sinks || return 1
	forwarded=$(relay_counters forwarded)
	sources 200
	br_until 10 forwarded_more_than $((forwarded + 60)) || return 1
	ip -n "$(br_ns e)" link set media down
	br_until 10 forwarded_more_than $((forwarded + 220)) || return 1
	ip -n "$(br_ns e)" link set media up
	traffic_wait || return 1
	exact at_switch second4 second6
}

for tool in curl jq; do
	command -v $tool >/dev/null || br_die "$tool is missing: run scripts/install-deps.sh test"
done
relay_find_programs
br_net_begin
br_net_switch
br_net_host relay 1
br_net_host publisher 2
br_net_host a 11
wire c 2
wire e 3
traffic_key
check "the relay serves three interfaces" start
check "a room over all of them" room
check "all receivers get all packets of both publishers, once" all
check "one link goes down: the others miss nothing" link_down
check "the relay ends cleanly" relay_stop
checks_end
