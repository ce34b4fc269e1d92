#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The network changes while media passes: the relay's copies follow within 100 ms. The publisher
# sends over IPv6 all the time; what is looked at are the copies at two receivers' interfaces.
#
#   relay .1  publisher .2  first .3  second .4     198.51.100.7 is at home on both receivers
#
# A change may be repeated twice: somebody else may have had the processor the first time.
# Usage: tests/netns/changes.sh [FOLDER WITH THE PROGRAMS]
set -u
cd "$(dirname "$0")/../.." || exit 1
BR_BUILD=${1:-${BR_BUILD:-build}}
# shellcheck source=scripts/lib/netns.sh
. scripts/lib/netns.sh
# shellcheck source=scripts/lib/relay.sh
. scripts/lib/relay.sh

LIMIT_MS=100
BYTES=1234 # of payload: 1262 bytes of IPv4, 1282 of IPv6
PASSED=0
FAILED=0

result()
{
	if [ "$1" = 0 ]; then
		echo "ok $2"
		PASSED=$((PASSED + 1))
	else
		echo "not ok $2"
		[ ! -s "$BR_TMP/check" ] || sed 's/^/    /' "$BR_TMP/check"
		FAILED=$((FAILED + 1))
	fi
}

check()
{
	local name=$1
	shift
	"$@" >"$BR_TMP/check" 2>&1
	result $? "$name"
}

watch_host()
{
	br_spawn "$1" "$BR_TMP/$1.frames" tcpdump -i media -n -e -tt -l --immediate-mode -Z root \
		"udp and src port $RELAY_MEDIA_PORT"
}

# first_after TIME HOST PATTERN: milliseconds until the first such frame; nothing if there is none
first_after()
{
	awk -v from="$1" -v pattern="$3" \
		'$1 >= from && $0 ~ pattern { printf "%.1f\n", ($1 - from) * 1000; found = 1; exit }
		END { exit !found }' "$BR_TMP/$2.frames"
}

# follows NAME HOST PATTERN CHANGE UNDO: how long after CHANGE the first such frame comes.
follows()
{
	local name=$1 host=$2 pattern=$3 change=$4 undo=$5 ms from status
	for try in 1 2 3; do
		[ $try = 1 ] || $undo
		from=$(date +%s.%N)
		$change >"$BR_TMP/check" 2>&1
		br_until 5 first_after "$from" "$host" "$pattern"
		ms=$(first_after "$from" "$host" "$pattern")
		awk -v ms="${ms:-5000}" -v most=$LIMIT_MS 'BEGIN { exit !(ms <= most) }'
		status=$?
		[ $status != 0 ] || break
	done
	result $status "$name: ${ms:-more than 5000} ms"
}

past() { awk -v now="$(date +%s.%N)" -v from="$1" 'BEGIN { exit !(now > from + 1) }'; }

# stays_away HOST PATTERN: no such frame between 0.5 and 1 s from now
stays_away()
{
	local from
	from=$(date +%s.%N)
	br_until 3 past "$from"
	! first_after "$(awk -v from="$from" 'BEGIN { printf "%.6f", from + 0.5 }')" "$1" "$2"
}

neighbour() { br_in relay ip neigh replace "$(br_addr4 3)" lladdr "$1" dev media nud permanent; }
neighbour_second() { neighbour "$SECOND"; }
neighbour_first() { neighbour "$FIRST"; }
gateway() { br_in relay ip route replace 198.51.100.0/24 via "$(br_addr4 "$1")"; }
gateway_second() { gateway 4; }
gateway_first() { gateway 3; }
link_up() { br_in relay ip link set media up; }
link_down() { br_in relay ip link set media down; }
address_new() { br_in relay sh -c "ip addr add $BR_NET4.9/24 dev media && ip addr del $BR_NET4.1/24 dev media" && gateway 3; }
address_old() { br_in relay sh -c "ip addr add $BR_NET4.1/24 dev media && ip addr del $BR_NET4.9/24 dev media" && gateway 3; }
mac_new() { br_in relay ip link set media address 02:00:00:00:00:99; }
mac_old() { br_in relay ip link set media address "$RELAY"; }
mtu_small() { br_in relay ip link set media mtu 1280; }
mtu_large() { br_in relay ip link set media mtu 1500; }

# Deleted and made anew with the same MAC address, so that nobody else has to learn anything.
media_anew()
{
	ip -n "$(br_ns switch)" link del relay
	ip -n "$(br_ns switch)" link add relay type veth peer name media netns "$(br_ns relay)"
	br_net_offloads relay
	br_in relay ip link set media address "$RELAY"
	br_in relay sysctl -qw net.ipv6.conf.media.accept_dad=0
	ip -n "$(br_ns switch)" link set relay master br0 up
	br_in relay ip addr add "$(br_addr4 1)/24" dev media
	br_in relay ip addr add "$(br_addr6 1)/64" dev media nodad
}

for tool in tcpdump jq; do
	command -v $tool >/dev/null || br_die "$tool is missing: run scripts/install-deps.sh"
done
relay_find_programs
br_net_begin
br_net_switch
br_net_host relay 1
br_net_host publisher 2
br_net_host first 3
br_net_host second 4
for host in first second; do
	ip -n "$(br_ns $host)" addr add 198.51.100.7/32 dev lo
done
RELAY=$(br_in relay cat /sys/class/net/media/address)
FIRST=$(br_in first cat /sys/class/net/media/address)
SECOND=$(br_in second cat /sys/class/net/media/address)
relay_config "$BR_TMP/relay.json" native
jq '.rooms.static_allow += ["198.51.100.0/24"]' "$BR_TMP/relay.json" >"$BR_TMP/allow.json"
br_spawn relay "$BR_TMP/relay.log" "$RELAY_DAEMON" --config "$BR_TMP/allow.json"
RELAY_PID=$BR_PID
br_until 20 relay_settled
br_in relay sysctl -qw net.ipv4.conf.all.promote_secondaries=1
gateway_first
watch_host first
watch_host second
relay_add room sender "$(br_addr6 2)" 6000 publisher 0x1000
relay_add room direct "$(br_addr4 3)" 21000 subscriber
relay_add room behind 198.51.100.7 21001 subscriber
relay_add room six "$(br_addr6 3)" 21002 subscriber
check "all are ready" br_until 5 relay_all_ready
br_spawn publisher "$BR_TMP/source.log" "$RELAY_LAB" source --suite none --bytes $BYTES \
	--to "[$(br_addr6 1)]:$RELAY_MEDIA_PORT" --local-port 6000 --rate 1000 --duration 120

DIRECT="> $(br_addr4 3)\\.21000: UDP"
BEHIND="> 198\\.51\\.100\\.7\\.21001: UDP"
SIX="> $(br_addr6 3)\\.21002: UDP"
check "copies arrive" br_until 5 first_after 0 first "$SIX"
follows "the neighbour moves" second "> $SECOND, .*$DIRECT" neighbour_second neighbour_first
follows "and moves back" first "> $FIRST, .*$DIRECT" neighbour_first neighbour_second
follows "the gateway changes" second "> $SECOND, .*$BEHIND" gateway_second gateway_first
follows "and changes back" first "> $FIRST, .*$BEHIND" gateway_first gateway_second
follows "the relay's address changes" first " $BR_NET4\\.9\\.$RELAY_MEDIA_PORT $DIRECT" \
	address_new address_old
follows "and changes back" first " $BR_NET4\\.1\\.$RELAY_MEDIA_PORT $DIRECT" \
	address_old address_new
follows "its MAC address changes" first "02:00:00:00:00:99 > .*$DIRECT" mac_new mac_old
follows "and changes back" first "$RELAY > .*$DIRECT" mac_old mac_new
mtu_small
check "the MTU shrinks: too large copies stay away" stays_away first "$SIX"
NOW=$(date +%s.%N)
check "others do not" br_until 5 first_after "$NOW" first "$DIRECT"
check "they are counted" test "$(relay_counters too_big)" -gt 0
follows "the MTU grows" first "$SIX" mtu_large mtu_small
link_down
check "the link goes down" stays_away first "$DIRECT"
follows "the link comes up" first "$DIRECT" link_up link_down
media_anew
follows "the interface is made anew" first "$DIRECT" link_up media_anew
check "it ends with status 0" relay_stop
echo "$PASSED passed, $FAILED failed"
[ $FAILED = 0 ]
