#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Packets of one room that come in on two CPUs at once: tickets, cursors and turns are each CPU's
# own, so nothing is lost, doubled or misdirected, in small rooms and in long routes on the loop.
# Usage: tests/netns/two_cpus.sh [FOLDER WITH THE PROGRAMS]
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
PUBLISHERS=4 # of each source: as many five-tuples find both queues of the device

# A queue for each CPU, on both ends of the relay's wire.
queues()
{
	br_in relay ethtool -L media rx 2 tx 2 && br_in switch ethtool -L relay rx 2 tx 2
}

# The map of counters that the program on our relay's interface uses: other daemons of this machine
# have one of that name as well.
cpus_map()
{
	local program id
	program=$(ip -n "$(br_ns relay)" -j -d link show media | jq '.[0].xdp.prog.id')
	for id in $(bpftool -j prog show id "$program" | jq '.map_ids[]'); do
		[ "$(bpftool -j map show id "$id" | jq -r .name)" != cpus ] || echo "$id"
	done
}

# Packets that each CPU has forwarded, one line each.
per_cpu()
{
	bpftool -j map dump id "$(cpus_map)" | jq '.[0].formatted.values[].value.reasons[0].packets'
}

room()
{
	local i
	for ((i = 0; i < 2 * PUBLISHERS; i++)); do # half of them on each host
		relay_add "$1" "sender$i" "$(br_addr4 $((2 + i / PUBLISHERS)))" $((6000 + i)) publisher
	done
	relay_add_many "$1" r "$(br_addr4 11)" $PORT "$2" && br_until 20 relay_all_ready
}

# both ROOM RECEIVERS RATE COUNT: a source on each CPU
both()
{
	local before after
	mapfile -t before < <(per_cpu)
	traffic_sink got a "$(br_addr4 11)" $PORT "$2" || return 1
	traffic_source zero publisher "$(br_addr4 1)" 6000 0x1000 "$3" --publishers $PUBLISHERS \
		--count "$4" --bytes 160
	taskset -pc 0 "$TRAFFIC_PID" >/dev/null
	traffic_source one other "$(br_addr4 1)" $((6000 + PUBLISHERS)) 0x2000 "$3" \
		--publishers $PUBLISHERS --count "$4" --bytes 160
	taskset -pc 1 "$TRAFFIC_PID" >/dev/null
	traffic_wait || return 1
	mapfile -t after < <(per_cpu)
	traffic_exact got zero,one || return 1
	echo "forwarded by CPU 0: $((after[0] - before[0])), by CPU 1: $((after[1] - before[1]))"
	equal "dropped" "$(relay_dropped)" "" && [ $((after[0] - before[0])) -gt "$4" ] &&
		[ $((after[1] - before[1])) -gt "$4" ]
}

room_end() { relay_ctl remove "$1" >/dev/null; }

for tool in bpftool curl jq taskset; do
	command -v $tool >/dev/null || br_die "$tool is missing: run scripts/install-deps.sh test"
done
[ "$(nproc)" -gt 1 ] || {
	echo "skip two CPUs: this machine has one"
	exit 77
}
relay_find_programs
br_net_begin
br_net_switch
br_net_host relay 1
br_net_host publisher 2
br_net_host other 3
br_net_host a 11
traffic_key
check "a queue for each CPU" queues
relay_start relay native
check "a small room" room small 10
check "10 receivers, publishers on two CPUs: all get all, once" both small 10 200 400
check "the small room goes" room_end small
check "a large room" room large 150
check "150 receivers, publishers on two CPUs: all get all, once" both large 150 15 45
check "the large room goes" room_end large
check "the relay ends cleanly" relay_stop
checks_end
