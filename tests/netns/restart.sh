#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Restart without loss: the daemon is killed 20 times under traffic and started again; not one
# packet may be lost, rooms and legs stay, counters never go back. Then everything that may go
# wrong around it: joins and leaves after an adoption, another configuration, another ABI, records
# that are half written, interfaces that went meanwhile, starts that fail, --keep, --reset.
# Usage: tests/netns/restart.sh [FOLDER WITH THE PROGRAMS [XDP MODE]]
set -u
cd "$(dirname "$0")/../.." || exit 1
BR_BUILD=${1:-${BR_BUILD:-build}}
# shellcheck source=scripts/lib/netns.sh
. scripts/lib/netns.sh
# shellcheck source=scripts/lib/relay.sh
. scripts/lib/relay.sh

KILLS=20
SUITE=AEAD_AES_128_GCM
PASSED=0
FAILED=0
SLOWEST=0
CHECKING=

# The state outlives the daemon only in a mount that does: `ip netns exec` makes a mount
# namespace of its own, so the bpffs is mounted here, outside.
br_at_end()
{
	umount "$BR_TMP/bpf" "$BR_TMP/own/bpf" 2>/dev/null
	[ -z "$CHECKING" ] || echo "not ok $CHECKING: $(tail -n 20 "$BR_TMP/check")"
}

# check NAME COMMAND...: a check is what a command says.
check()
{
	local name=$1
	shift
	CHECKING=$name
	if "$@" >"$BR_TMP/check" 2>&1; then
		echo "ok $name"
		PASSED=$((PASSED + 1))
	else
		echo "not ok $name"
		sed 's/^/    /' "$BR_TMP/check" | tail -n 20
		FAILED=$((FAILED + 1))
	fi
	CHECKING=
}

daemon() { echo "$RELAY_DAEMON --config ${CONFIG:-$BR_TMP/relay.json} --state $STATE"; }

# start [FLAG]...: returns when it is ready; fails when it ends or takes more than 5 seconds.
start()
{
	# shellcheck disable=SC2046 # a list of words
	br_spawn relay "$BR_TMP/relay.log" $(daemon) "$@"
	RELAY_PID=$BR_PID
	relay_ctl health --wait 5 >/dev/null 2>&1 && return
	cat "$BR_TMP/relay.log"
	return 1
}

# murder: the daemon ends between two instructions.
murder()
{
	kill -KILL "$RELAY_PID"
	br_wait_gone "$RELAY_PID" 5
	wait "$RELAY_PID" 2>/dev/null
	return 0
}

murder_and_start() { murder && start "$@"; }
log_says()
{
	grep -F -- "$1" "$BR_TMP/relay.log" && return
	cat "$BR_TMP/relay.log"
	return 1
}
adopted() { log_says "; adopted "; }
not_adopted() { ! adopted; }

# refused WORD... -- [FLAG]...: the start ends with status 1 and says the words.
refused()
{
	local words=() word status
	while [ "$1" != -- ]; do
		words+=("$1")
		shift
	done
	shift
	# shellcheck disable=SC2046 # a list of words
	br_in relay timeout 5 $(daemon) "$@" >"$BR_TMP/refused" 2>&1
	status=$?
	cat "$BR_TMP/refused"
	[ $status = 1 ] || {
		echo "exit status $status, expected 1"
		return 1
	}
	for word in "${words[@]}"; do
		grep -qF -- "$word" "$BR_TMP/refused" || {
			echo "the error does not say: $word"
			return 1
		}
	done
}

# doctor STATUS VERDICT
doctor()
{
	local status verdict
	br_in relay "$RELAY_CTL" doctor --state "$STATE" || true
	verdict=$(br_in relay "$RELAY_CTL" doctor --state "$STATE" --json)
	status=$?
	echo "$verdict"
	[ $status = "$1" ] && [ "$(jq -r .verdict <<<"$verdict")" = "$2" ]
}

# What must stay: rooms and legs with their creation times, in their order, and their slots.
identity()
{
	relay_ctl --json rooms | jq -c '[.rooms[] | [.name, .created]]'
	relay_ctl --json legs | jq -c \
		'[.legs[] | [.room, .name, .role, .address, .port, .ssrcs, .receive_ssrcs, .created]]'
	bpftool -j map dump pinned "$STATE/tuples" | jq -c '[.[] | [.key, .value]] | sort'
}

# Counters of reasons, legs and streams; none may be smaller than in the file of before.
counters()
{
	relay_ctl --json stats | jq -c '.reasons[] | select(.packets > 0) | [.reason, .packets]'
	relay_ctl --json legs | jq -c '.legs[] | .room as $room | .name as $name |
		.counters | to_entries[] | ["\($room) \($name) \(.key)", .value]'
}

not_less()
{
	counters >"$BR_TMP/counters.now"
	jq -n --slurpfile old "$BR_TMP/counters" --slurpfile now "$BR_TMP/counters.now" '
		($now | map({(.[0]): .[1]}) | add) as $new |
		[$old[] | select(.[1] > ($new[.[0]] // 0))] |
		if . == [] then empty else "went back: \(.)" | halt_error(1) end' || return 1
	mv "$BR_TMP/counters.now" "$BR_TMP/counters"
}

# sink NAME HOST BIND RECEIVERS
sink()
{
	br_spawn "$2" "$BR_TMP/$1.log" "$RELAY_LAB" sink --bind "$3" --receivers "$4" \
		--key-file "$BR_TMP/key" --suite $SUITE --idle 1500 --duration 80 --report-only \
		-o "$BR_TMP/$1.sink"
	SINKS+=("$BR_PID")
	br_until 5 br_udp_bound "$2" $((${3##*:} + $4 - 1)) || {
		cat "$BR_TMP/$1.log"
		return 1
	}
}

# source NAME TO LOCAL_PORT SSRC RATE SECONDS
source_start()
{
	br_spawn publisher "$BR_TMP/$1.source.log" "$RELAY_LAB" source --to "$2" --local-port "$3" \
		--ssrc "$4" --rate "$5" --duration "$6" --bytes 1200,160 --key-file "$BR_TMP/key" \
		--suite $SUITE --rtcp 0.5 -o "$BR_TMP/$1.source"
	SOURCES+=("$BR_PID")
}

traffic_wait()
{
	local pid
	for pid in "${SOURCES[@]}" "${SINKS[@]}"; do
		wait "$pid" || echo "a source or sink failed: $pid"
	done
	SOURCES=()
	SINKS=()
}

# nothing_lost SOURCE SINK [FLAG]...: every packet sent is at every receiver, unaltered, once.
nothing_lost()
{
	"$RELAY_LAB" report "${@:3}" "$BR_TMP/$1.source" "$BR_TMP/$2.sink"
}

# receivers ROOM ADDRESS_FUNCTION FIRST_PORT COUNT HOST_NUMBER
receivers()
{
	local i
	for ((i = 0; i < $4; i++)); do
		relay_add "$1" "$2-$i" "$("$2" "$5")" $(($3 + i)) subscriber
	done
}

# Two small rooms, v4 and v6, with receivers of both families, one with its SSRC on a list, one
# whose SSRC is learned; and a large one whose route goes round in the loop.
make_rooms()
{
	relay_add four sender "$(br_addr4 2)" 6000 publisher 0x1000
	receivers four br_addr4 20000 3 11
	receivers four br_addr6 20010 2 11
	relay_add six sender "$(br_addr6 2)" 6001 publisher
	receivers six br_addr6 21000 3 12
	receivers six br_addr4 21010 2 12
	relay_add large sender "$(br_addr4 2)" 6002 publisher
	receivers large br_addr4 22000 100 11
	br_until 5 relay_all_ready
}

sinks_start()
{
	SINKS=()
	SOURCES=()
	sink four4 a "$(br_addr4 11):20000" 3
	sink four6 a "[$(br_addr6 11)]:20010" 2
	sink six6 b "[$(br_addr6 12)]:21000" 3
	sink six4 b "$(br_addr4 12):21010" 2
	sink large a "$(br_addr4 11):22000" 100
}

sources_start()
{
	source_start four "$(br_addr4 1):$RELAY_MEDIA_PORT" 6000 0x1000 300 "$1"
	source_start six "[$(br_addr6 1)]:$RELAY_MEDIA_PORT" 6001 0x2000 300 "$1"
	source_start large "$(br_addr4 1):$RELAY_MEDIA_PORT" 6002 0x3000 40 "$1"
}

# kill_often: the heart of it.
kill_often()
{
	local i took
	for ((i = 1; i <= KILLS; i++)); do
		murder_and_start || return 1
		adopted || return 1
		took=$(sed -n 's/.* legs\? in \([0-9]*\) ms$/\1/p' "$BR_TMP/relay.log")
		[ "$took" -le 5000 ] || {
			echo "adoption $i took $took ms"
			return 1
		}
		[ "$took" -le "$SLOWEST" ] || SLOWEST=$took
		identity >"$BR_TMP/identity.now"
		diff "$BR_TMP/identity" "$BR_TMP/identity.now" || return 1
		not_less || return 1
	done
	# All of it under traffic, else it proves nothing.
	for i in "${SOURCES[@]}"; do
		br_running "$i" || {
			echo "a source ended before the last kill"
			return 1
		}
	done
}

join_and_leave()
{
	local before
	sink late b "$(br_addr4 12):23000" 1
	relay_add four late "$(br_addr4 12)" 23000 subscriber || return 1
	br_until 5 relay_all_ready || return 1
	before=$(relay_leg four late sent_packets)
	br_until 5 late_gets_more_than "$before" || return 1
	murder_and_start || return 1
	br_until 5 late_gets_more_than "$(relay_leg four late sent_packets)" || return 1
	relay_remove four late || return 1
	! relay_ctl --json legs four | jq -e '.legs[] | select(.name == "late")'
}
late_gets_more_than() { [ "$(relay_leg four late sent_packets)" -gt "$1" ]; }

# churn: joins and leaves without a pause, until the file is gone; they fail while no daemon is
# there. Two rooms, so that killings hit all kinds of half-done changes.
churn()
{
	local i=0
	while [ -e "$BR_TMP/churn" ]; do
		i=$((i + 1))
		relay_ctl add four "guest-$((i % 7))" --address "$(br_addr4 12)" \
			--port $((24000 + i % 7)) --role subscriber
		[ $((i % 3)) != 0 ] || relay_ctl create "side-$((i % 5))"
		relay_ctl add "side-$((i % 5))" both --address "$(br_addr6 12)" \
			--port $((25000 + i % 5)) --role both --ssrc 1 --ssrc 2 --receive 3
		relay_ctl remove four "guest-$(((i + 3) % 7))"
		[ $((i % 4)) != 0 ] || relay_ctl remove "side-$(((i + 2) % 5))"
	done
}

# Killed in the middle of changes: who stays loses nothing, and no start fails.
kill_in_changes()
{
	local i churner
	SINKS=()
	SOURCES=()
	sink stay a "$(br_addr4 11):20000" 3
	source_start stay "$(br_addr4 1):$RELAY_MEDIA_PORT" 6000 0x1000 500 8
	: >"$BR_TMP/churn"
	churn >/dev/null 2>&1 &
	churner=$!
	BR_PIDS+=("$churner")
	for ((i = 0; i < KILLS; i++)); do
		# shellcheck disable=SC2119 # no flags
		murder_and_start && adopted || break
	done
	rm "$BR_TMP/churn"
	wait "$churner"
	[ "$i" = "$KILLS" ] || return 1
	br_running "${SOURCES[0]}" || {
		echo "the source ended before the last kill"
		return 1
	}
	traffic_wait
	nothing_lost stay stay || return 1
	# what rooms say and what the kernel has are the same legs
	[ "$(relay_ctl --json legs | jq '.legs | length')" = \
		"$(bpftool -j map dump pinned "$STATE/tuples" | jq length)" ] || return 1
	for i in $(relay_ctl --json rooms | jq -r '.rooms[].name | select(startswith("side"))'); do
		relay_ctl remove "$i"
	done
	for i in $(relay_ctl --json legs four | jq -r '.legs[].name | select(startswith("guest"))'); do
		relay_remove four "$i"
	done
}

room_goes()
{
	relay_ctl remove six && murder_and_start && ! relay_ctl room six
}

# The media interface is deleted and made anew, as a driver does when it is loaded again.
media_delete() { ip -n "$(br_ns switch)" link del relay; }
media_create()
{
	local ns switch
	ns=$(br_ns relay)
	switch=$(br_ns switch)
	ip -n "$switch" link add relay type veth peer name media netns "$ns"
	br_in relay ethtool -K media tx off rxvlan off txvlan off >/dev/null
	br_in switch ethtool -K relay tx off rxvlan off txvlan off gro on >/dev/null
	ip -n "$switch" link set relay master br0 up
	ip -n "$ns" addr add "$(br_addr4 1)/24" dev media
	ip -n "$ns" addr add "$(br_addr6 1)/64" dev media nodad
	ip -n "$ns" link set media up
}

# media_passes NAME: a second of traffic in room four, after what has happened.
media_passes()
{
	SINKS=()
	SOURCES=()
	br_until 5 relay_all_ready || return 1
	sink "$1" a "$(br_addr4 11):20000" 3
	source_start "$1" "$(br_addr4 1):$RELAY_MEDIA_PORT" 6000 0x1000 200 0.5
	traffic_wait
	nothing_lost "$1" "$1"
}

interface_made_anew()
{
	murder
	media_delete
	media_create
	start && adopted && log_says "made anew" && media_passes anew
}

interface_gone()
{
	murder
	media_delete
	# Ready it cannot be without an interface, but it must be there.
	# shellcheck disable=SC2046 # a list of words
	br_spawn relay "$BR_TMP/relay.log" $(daemon)
	RELAY_PID=$BR_PID
	br_until 5 log_says "; adopted " && log_says "interface media is gone" || return 1
	doctor 1 degraded || return 1
	media_create
	br_until 5 relay_ctl health && media_passes back
}

# settings_set BYTE HEX: change one byte of the pinned settings.
settings_set()
{
	local value
	value=$(bpftool -j map dump pinned "$STATE/settings" | jq -r --argjson at "$1" --arg to "$2" \
		'.[0].value | .[$at] = $to | map(ltrimstr("0x")) | join(" ")')
	# shellcheck disable=SC2086 # a list of bytes
	bpftool map update pinned "$STATE/settings" key hex 00 00 00 00 value hex $value
}

other_abi()
{
	murder
	settings_set 4 0x63
	refused "state.path" "ABI version" "--reset" "doctor" -- && doctor 1 foreign &&
		[ -e "$STATE/link_0" ]
}

# A leg with many SSRCs has a record of several parts; take one of them away.
half_written()
{
	local flags=() i key
	for ((i = 0; i < 40; i++)); do
		flags+=(--ssrc $((5000 + i)))
	done
	relay_ctl add four many --address "$(br_addr4 2)" --port 7777 --role publisher \
		"${flags[@]}" || return 1
	key=$(bpftool -j map dump pinned "$STATE/store" | jq -r '[.[] | select(.key[0] == "0x02" and
		.key[8] == "0x01")][0].key | map(ltrimstr("0x")) | join(" ")')
	murder
	# shellcheck disable=SC2086 # a list of bytes
	bpftool map delete pinned "$STATE/store" key hex $key || return 1
	start && log_says "written only in part" && log_says "without a room; removed" || return 1
	! relay_ctl --json legs four | jq -e '.legs[] | select(.name == "many")' &&
		relay_ctl --json legs four | jq -e '.legs | length == 6' &&
		relay_ctl add four many --address "$(br_addr4 2)" --port 7777 --role publisher &&
		relay_remove four many
}

# A leg that the kernel has lost is added again from its record.
lost_in_kernel()
{
	local key
	key=$(bpftool -j map dump pinned "$STATE/tuples" | jq -r --argjson port 20002 '
		[.[] | select((.key[32] | ltrimstr("0x")) == "4e" and
			(.key[33] | ltrimstr("0x")) == "22")][0].key |
		map(ltrimstr("0x")) | join(" ")')
	murder
	# shellcheck disable=SC2086 # a list of bytes
	bpftool map delete pinned "$STATE/tuples" key hex $key || return 1
	start && log_says "was not in the kernel; added again" && media_passes again
}

changed_tables()
{
	murder
	jq '.tables.legs = 1024' "$BR_TMP/relay.json" >"$BR_TMP/other.json"
	CONFIG=$BR_TMP/other.json refused tables.legs 65536 1024 --reset doctor --
}

stop_cleanly()
{
	br_stop "$RELAY_PID" TERM
	[ $? = 0 ] && [ -z "$(find "$STATE" -mindepth 1 ! -name '*.*')" ] && ! br_in relay ip -br link | grep br-loop &&
		! br_in relay ip -d link show media | grep prog/xdp
}

keep()
{
	local status
	murder_and_start --keep || return 1
	br_stop "$RELAY_PID" TERM
	status=$?
	[ $status = 0 ] && [ -e "$STATE/settings" ] && br_in relay ip -d link show media |
		grep -q prog/xdp && doctor 1 orphaned && start && adopted && media_passes kept
}

reset()
{
	murder
	start --reset && not_adopted && [ "$(relay_ctl --json rooms | jq '.rooms | length')" = 0 ] &&
		[ "$(br_in relay ip -br link | grep -c br-loop)" = 2 ] && relay_add four sender \
		"$(br_addr4 2)" 6000 publisher 0x1000 && receivers four br_addr4 20000 3 11 &&
		media_passes afresh
}

# A bpffs that the daemon mounts itself, in the mount namespace of this script.
start_here()
{
	nsenter --net="/run/netns/$(br_ns relay)" "$RELAY_DAEMON" --config "$BR_TMP/relay.json" \
		--state "$BR_TMP/own/bpf" >"$BR_TMP/relay.log" 2>&1 </dev/null &
	RELAY_PID=$!
	BR_PIDS+=("$RELAY_PID")
	relay_ctl health --wait 5
}

mounts_its_own()
{
	start_here && mountpoint "$BR_TMP/own/bpf" &&
		[ "$(stat -c %a "$BR_TMP/own/bpf")" = 1700 ] || return 1
	murder
	mountpoint "$BR_TMP/own/bpf" && start_here && adopted || return 1
	br_stop "$RELAY_PID" TERM
	[ $? = 0 ] && ! mountpoint "$BR_TMP/own/bpf"
}

none_keeps_nothing()
{
	STATE=none start || return 1
	murder
	! br_in relay ip -d link show media | grep prog/xdp
}

relay_find_programs
br_net_begin
STATE=$BR_TMP/bpf
mkdir "$STATE"
mount -t bpf -o mode=0700 bpf "$STATE" || br_die "a bpffs cannot be mounted"
br_net_switch
br_net_host relay 1
br_net_host publisher 2
br_net_host a 11
br_net_host b 12
relay_config "$BR_TMP/relay.json" "${2:-native}"
"$RELAY_LAB" genkey --suite $SUITE -o "$BR_TMP/key" || br_die "no key"

check "nothing is pinned: doctor has nothing to do" doctor 0 nothing
check "a first start" start
make_rooms
check "doctor sees it run" doctor 0 running
check "a second daemon on the same state is refused" refused state.path "pid $RELAY_PID" -- \
	--port 40001 --socket "$BR_TMP/other.sock"
identity >"$BR_TMP/identity"
counters >"$BR_TMP/counters"
sinks_start
sources_start 17
check "killed and started $KILLS times under traffic" kill_often
check "join and leave after an adoption" join_and_leave
traffic_wait
for pair in "four four4" "four four6" "six six6" "six six4" "large large"; do
	# shellcheck disable=SC2086 # two words
	check "nothing lost: room ${pair% *}, receivers ${pair#* }" nothing_lost $pair
done
check "slowest of $KILLS adoptions: $SLOWEST ms (the aim is below 1000)" [ "$SLOWEST" -le 5000 ]
check "nothing dropped in the relay" [ -z "$(relay_dropped)" ]
check "killed $KILLS times amid joins and leaves" kill_in_changes
check "a room deleted before stays deleted" room_goes
check "a record that is half written is dropped" half_written
check "a leg that the kernel lost is added again" lost_in_kernel
check "an interface made anew while no daemon was there" interface_made_anew
check "an interface deleted while no daemon was there" interface_gone
check "another table size is refused" changed_tables
check "doctor sees that nobody is there" doctor 1 orphaned
check "a start that fails leaves all as it was" refused control.socket -- --socket /proc/no/where
check "and the right one adopts it" start
check "still media" media_passes still
check "--keep" keep
check "another ABI is refused" other_abi
check "--reset" reset
check "a clean stop leaves nothing" stop_cleanly
check "doctor has nothing to do" doctor 0 nothing
check "a bpffs of its own is mounted and unmounted" mounts_its_own
check "without a state nothing stays" none_keeps_nothing
echo "$PASSED passed, $FAILED failed"
[ $FAILED = 0 ]
