#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs inside the guest: the self-test of `blindrelay check`, then the real daemon with hosts in
# namespaces: rooms small and large (through the loop), killed and started again, native and
# generic.
set -u
# shellcheck source=scripts/lib/netns.sh
. scripts/lib/netns.sh
# shellcheck source=scripts/lib/relay.sh
. scripts/lib/relay.sh
SUITE=AEAD_AES_128_GCM

br_at_end() { umount "$BR_TMP/bpf" 2>/dev/null; }

# check NAME COMMAND...
check()
{
	local name=$1
	shift
	if "$@" >"$BR_TMP/check" 2>&1; then
		echo "ok $name"
	else
		echo "not ok $name"
		tail -n 30 "$BR_TMP/check" | sed 's/^/    /'
	fi
}

# self_test MODE: the copies of `blindrelay check` are right in that mode.
self_test()
{
	"$RELAY_CTL" check --interface lo --json >"$BR_TMP/self-test"
	jq -c '.checks[] | select(.part == "self-test")' "$BR_TMP/self-test"
	jq -e --arg mode "$1" '[.checks[] | select(.part == "self-test" and .check == $mode)] |
		length == 1 and .[0].status == "ok"' "$BR_TMP/self-test"
}

start()
{
	br_spawn relay "$BR_TMP/relay.log" "$RELAY_DAEMON" --config "$BR_TMP/relay.json" \
		--state "$BR_TMP/bpf"
	RELAY_PID=$BR_PID
	relay_ctl health --wait 30 && return
	cat "$BR_TMP/relay.log"
	return 1
}

murder()
{
	kill -KILL "$RELAY_PID"
	br_wait_gone "$RELAY_PID" 10
}

# receivers ROOM COUNT FIRST_PORT FAMILY
receivers()
{
	local i
	for ((i = 0; i < $2; i++)); do
		relay_add "$1" "r$i" "$("br_addr$4" 11)" $(($3 + i)) subscriber
	done
}

sink()
{
	br_spawn a "$BR_TMP/$1.log" "$RELAY_LAB" sink --bind "$2" --receivers "$3" \
		--key-file "$BR_TMP/key" --suite $SUITE --idle 4000 --duration 120 --report-only \
		-o "$BR_TMP/$1.sink"
	SINKS+=("$BR_PID")
	br_until 30 br_udp_bound a $((${2##*:} + $3 - 1)) && return
	echo "sink $1 does not start: $(cat "$BR_TMP/$1.log")"
	return 1
}

source_start()
{
	br_spawn publisher "$BR_TMP/$1.source.log" "$RELAY_LAB" source --to "$2" --local-port "$3" \
		--ssrc "$4" --rate "$5" --count "$6" --bytes 1200,160 --key-file "$BR_TMP/key" \
		--suite $SUITE -o "$BR_TMP/$1.source"
	SOURCES+=("$BR_PID")
}

forwards_more_than() { [ "$(relay_counters forwarded)" -gt "$1" ]; }

# media MODE: both rooms at once, and the daemon is killed meanwhile; nothing may be lost.
media()
{
	local pid status=0
	SINKS=()
	SOURCES=()
	sink small "[$(br_addr6 11)]:21000" 5 && sink large "$(br_addr4 11):20000" 100 || return 1
	source_start small "$(br_addr4 1):$RELAY_MEDIA_PORT" 6000 0x1000 50 300
	source_start large "$(br_addr6 1 | sed 's/.*/[&]/'):$RELAY_MEDIA_PORT" 6001 0x2000 10 60
	br_until 30 forwards_more_than 50 || {
		echo "nothing is forwarded: $(relay_counters forwarded)"
		return 1
	}
	murder
	start || return 1
	grep -q '; adopted ' "$BR_TMP/relay.log" || {
		cat "$BR_TMP/relay.log"
		return 1
	}
	for pid in "${SOURCES[@]}" "${SINKS[@]}"; do
		wait "$pid" || status=1
	done
	"$RELAY_LAB" report "$BR_TMP/small.source" "$BR_TMP/small.sink" || status=1
	"$RELAY_LAB" report "$BR_TMP/large.source" "$BR_TMP/large.sink" || status=1
	relay_dropped
	return $status
}

# rooms: IPv4 to IPv6, and IPv6 to 100 of IPv4, which goes round in the loop.
rooms()
{
	relay_add small sender "$(br_addr4 2)" 6000 publisher 0x1000
	receivers small 5 21000 6
	relay_add large sender "$(br_addr6 2)" 6001 publisher
	receivers large 100 20000 4
	br_until 30 relay_all_ready
}

relay_find_programs
br_net_begin
check "self-test of blindrelay check, native" self_test native
check "self-test of blindrelay check, generic" self_test generic
mkdir "$BR_TMP/bpf" && mount -t bpf -o mode=0700 bpf "$BR_TMP/bpf" || br_die "no bpffs"
br_net_switch
br_net_host relay 1
br_net_host publisher 2
br_net_host a 11
"$RELAY_LAB" genkey --suite $SUITE -o "$BR_TMP/key" || br_die "no key"
relay_config "$BR_TMP/relay.json" native
check "native: the daemon starts" start
check "native: rooms of 5 and 100" rooms
check "native: nothing lost, killed meanwhile" media
check "native: nothing dropped" [ -z "$(relay_dropped)" ]
relay_stop
check "native: the daemon ends cleanly" [ $? = 0 ]
