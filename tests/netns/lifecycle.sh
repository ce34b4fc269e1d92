#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The daemon's beginning and end: SIGINT and SIGTERM leave nothing attached, also with rooms and
# traffic; a second instance is refused and disturbs nothing; a start that fails leaves nothing;
# wrong configurations and flags are named, with exit status 2.
# Usage: tests/netns/lifecycle.sh [FOLDER WITH THE PROGRAMS]
set -u
cd "$(dirname "$0")/../.." || exit 1
BR_BUILD=${1:-${BR_BUILD:-build}}
# shellcheck source=scripts/lib/netns.sh
. scripts/lib/netns.sh
# shellcheck source=scripts/lib/relay.sh
. scripts/lib/relay.sh
# shellcheck source=scripts/lib/checks.sh
. scripts/lib/checks.sh


# What of ours is in the relay's namespace: links, XDP programs on them, and sockets.
links() { br_in relay ip -o link show | sed 's/^[0-9]*: //; s/[@:].*//' | sort; }
attached() { br_in relay ip -d link show | grep -o 'prog/xdp id [0-9]*' | awk '{ print $3 }'; }
udp_bound() { br_in relay ss -Huln | grep .; }
none_attached() { [ -z "$(attached)" ]; }
program_loaded() { bpftool prog show id "$1"; }
map_loaded() { bpftool map show id "$1"; }

# The ids of the maps that some programs use, read-only data included.
maps_of()
{
	local id
	for id in "$@"; do
		bpftool -j prog show id "$id" | jq -r '.map_ids[]?'
	done | sort -un
}

nothing_attached()
{
	local id
	[ "$(links)" = "$LINKS" ] || {
		echo "links before: $LINKS; now: $(links)"
		return 1
	}
	[ -z "$(attached)" ] || {
		echo "XDP programs on: $(br_in relay ip -d link show)"
		return 1
	}
	! udp_bound || return 1
	[ ! -e "$BR_TMP/control.sock" ] || {
		echo "the control socket is still there"
		return 1
	}
	# The kernel frees programs and maps a moment after their last user has gone.
	for id in $PROGRAMS; do
		br_until 5 br_not program_loaded "$id" || {
			echo "program $id is still loaded"
			return 1
		}
	done
	for id in $MAPS; do
		br_until 5 br_not map_loaded "$id" || {
			echo "map $id is still there"
			return 1
		}
	done
}

remember_loaded()
{
	PROGRAMS=$(attached)
	# shellcheck disable=SC2086 # a list of numbers
	MAPS=$(maps_of $PROGRAMS)
	[ -n "$PROGRAMS" ] && [ -n "$MAPS" ]
}

# Start, let packets pass, end it with a signal.
ends_on()
{
	local signal=$1 status
	relay_start relay "$2"
	check "$2: XDP programs and maps are there while it runs" remember_loaded
	relay_add room sender "$(br_addr4 2)" 6000 publisher 0x1000
	relay_add room receiver "$(br_addr4 2)" 7000 subscriber
	br_spawn publisher "$BR_TMP/source.log" "$RELAY_LAB" source --suite none \
		--to "$(br_addr4 1):$RELAY_MEDIA_PORT" --local-port 6000 --rate 2000 --duration 30
	br_until 10 copies_at_least 100 || echo "nothing was copied"
	check "$2: packets pass" copies_at_least 100
	br_stop "$RELAY_PID" "$signal"
	status=$?
	br_stop $BR_PID
	check "SIG$signal: exit status 0" test $status = 0
	check "SIG$signal: nothing stays attached or loaded" nothing_attached
}

copies_at_least() { [ "$(relay_counters copied)" -ge "$1" ]; }

# start_fails NAME STATUS WORD... -- COMMAND...: it ends with this status, its error has the words
start_fails()
{
	local name=$1 status=$2 words=()
	shift 2
	while [ "$1" != -- ]; do
		words+=("$1")
		shift
	done
	shift
	check "$name" fails_with "$status" "${words[@]}" -- "$@"
}

fails_with()
{
	local expected=$1 status words=() word
	shift
	while [ "$1" != -- ]; do
		words+=("$1")
		shift
	done
	shift
	br_in relay timeout 10 "$@" >"$BR_TMP/out" 2>&1
	status=$?
	cat "$BR_TMP/out"
	[ $status = "$expected" ] || {
		echo "exit status $status, expected $expected"
		return 1
	}
	for word in "${words[@]}"; do
		grep -qF -- "$word" "$BR_TMP/out" || {
			echo "the error does not say: $word"
			return 1
		}
	done
}

# bad_config NAME JSON WORD...: refused with exit status 2, with and without --check-config
bad_config()
{
	local name=$1 json=$2
	shift 2
	printf '%s' "$json" >"$BR_TMP/bad.json"
	start_fails "configuration: $name" 2 "$@" -- "$RELAY_DAEMON" --config "$BR_TMP/bad.json"
	start_fails "--check-config: $name" 2 "$@" -- \
		"$RELAY_DAEMON" --config "$BR_TMP/bad.json" --check-config
}

wrong_configurations()
{
	local media='"media": {"interfaces": ["media"]}'
	bad_config "port is a word" '{"media": {"interfaces": ["media"], "port": "many"}}' \
		media.port "1 to 65535"
	bad_config "port out of range" '{"media": {"interfaces": ["media"], "port": 70000}}' \
		media.port "1 to 65535"
	bad_config "no interface" '{}' media.interfaces
	bad_config "unknown key" '{"media": {"interfaces": ["media"], "prot": 4000}}' media.prot port
	bad_config "unknown mode" '{"media": {"interfaces": ["media"], "xdp_mode": "fast"}}' \
		media.xdp_mode native
	bad_config "remote control without leave" "{$media, \"control\": {\"listen\": \"0.0.0.0:80\"}}" \
		control.listen control.allow_remote
	bad_config "network with host bits" \
		"{$media, \"rooms\": {\"static_allow\": [\"10.0.0.1/8\"]}}" rooms.static_allow 10.0.0.1/8
	bad_config "not JSON" '{"media": ' line
	start_fails "configuration that is not there" 2 "$BR_TMP/none.json" -- \
		"$RELAY_DAEMON" --config "$BR_TMP/none.json"
}

wrong_flags()
{
	local good=("$RELAY_DAEMON" --config "$BR_TMP/relay.json")
	start_fails "flag: unknown" 2 --prot -- "${good[@]}" --prot 5000
	start_fails "flag: port is a word" 2 --port "1 to 65535" -- "${good[@]}" --port many
	start_fails "flag: no value" 2 --xdp-mode -- "${good[@]}" --xdp-mode
	start_fails "flag: unknown mode" 2 --xdp-mode native -- "${good[@]}" --xdp-mode fast
	start_fails "flag: bad network" 2 --static-allow 10.0.0.1/8 -- \
		"${good[@]}" --static-allow 10.0.0.1/8
	start_fails "flag: relative socket" 2 --socket absolute -- "${good[@]}" --socket here.sock
	start_fails "flag: a word too many" 2 please -- "${good[@]}" please
}

second_instance()
{
	local same=("$RELAY_DAEMON" --config "$BR_TMP/relay.json") before
	local other=("${same[@]}" --port 40001 --socket "$BR_TMP/other.sock")
	relay_start relay native
	remember_loaded
	before=$(attached)
	start_fails "second instance, all the same" 1 $RELAY_MEDIA_PORT "in use" -- "${same[@]}"
	start_fails "second instance on the same interface" 1 '"media"' "already has an XDP program" \
		-- "${other[@]}"
	start_fails "second instance with the same socket" 1 control.socket -- \
		"${same[@]}" --port 40001 --interface spare
	start_fails "no such interface" 1 '"nosuch"' -- \
		"${other[@]}" --interface spare --interface nosuch
	check "what looks for leftovers sees a running relay" br_not nothing_attached
	check "the first one still answers" relay_ctl health
	check "its programs are still attached, and no others" test "$(attached)" = "$before"
	check "it ends with status 0" relay_stop
	check "nothing stays after it" nothing_attached
}

# A killed daemon leaves its loop devices and its socket; the next one takes them over.
after_kill()
{
	relay_start relay native
	remember_loaded
	br_stop "$RELAY_PID" KILL
	br_until 5 none_attached
	check "after SIGKILL it starts again" relay_start relay native
	remember_loaded
	check "and ends with status 0" relay_stop
	check "and leaves nothing" nothing_attached
}

# transmits WHETHER: what the relay says of its interface
transmits() { relay_ctl --json stats | jq -e --argjson t "$1" '.interfaces[0].transmits == $t'; }

# Copies vanish where the veth peer has neither GRO nor XDP: the relay says so, and when it is over.
silent_interface()
{
	br_in switch ethtool -K relay gro off
	relay_start relay native
	check "an interface that loses what XDP sends" br_until 5 transmits false
	check "is warned of, with what to do" grep -qE 'media: frames.* vanish.*ethtool -K' \
		"$BR_TMP/relay.log"
	br_in switch ethtool -K relay gro on
	check "no longer, once its peer has GRO" br_until 5 transmits true
	check "which is said as well" grep -q 'media takes frames .*again' "$BR_TMP/relay.log"
	relay_stop
}

for tool in bpftool jq ss setpriv; do
	command -v $tool >/dev/null || br_die "$tool is missing: run scripts/install-deps.sh"
done
relay_find_programs
br_net_begin
br_net_switch
br_net_host relay 1
br_net_host publisher 2
ip -n "$(br_ns relay)" link add dev spare type veth peer name spare-peer
ip -n "$(br_ns relay)" link set dev spare up
ip -n "$(br_ns relay)" link set dev spare-peer up
LINKS=$(links)
ends_on INT native
ends_on TERM native
ends_on TERM generic
second_instance
after_kill
silent_interface
wrong_configurations
wrong_flags
start_fails "without privileges" 1 root CAP_BPF -- setpriv --bounding-set=-all \
	--inh-caps=-all --ambient-caps=-all "$RELAY_DAEMON" --interface media --socket none
check "nothing stays after all that" nothing_attached
checks_end
