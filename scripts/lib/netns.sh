# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Hosts in network namespaces around one switch, for the demo, the tests and the lab:
#
#      publisher        relay        r1 ... rN        each a namespace, its interface is
#          │ media        │ media      │ media        `media`: 10.77.0.N/24 and fd77::N/64
#      ────┴──────────────┴────────────┴────
#                 switch (a bridge)
#
# Source it, call br_net_begin once, then br_net_switch and br_net_host. Everything is named
# `br-<pid>-...` and is removed when the script ends, however it ends; what a run killed with
# SIGKILL left behind is removed by the next one.

BR_NET4=10.77.0
BR_NET6=fd77::

br_die()
{
	echo "error: $*" >&2
	exit 1
}

# br_addr4 N, br_addr6 N: the addresses of host number N.
br_addr4() { echo "$BR_NET4.$1"; }
br_addr6() { printf '%s%x\n' "$BR_NET6" "$1"; }

# Remove one namespace with whatever still runs in it; they are ours by their name.
br_net_remove()
{
	local pids
	pids=$(ip netns pids "$1" 2>/dev/null | tr '\n' ' ')
	# shellcheck disable=SC2086 # a list of numbers
	[ -z "$pids" ] || kill -KILL $pids 2>/dev/null || true
	ip netns del "$1" 2>/dev/null || true
}

# br_owner_alive PID: is the script that made br-PID-... still running?
br_owner_alive()
{
	[ -r "/proc/$1/comm" ] && [ "$(cat "/proc/$1/comm" 2>/dev/null)" != "" ] &&
		tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null | grep -q '\.sh'
}

# Namespaces and directories whose script is gone.
br_net_sweep()
{
	local name pid
	for name in $(ip netns list 2>/dev/null | sed -n 's/^\(br-[0-9]*-[^ ]*\).*/\1/p'); do
		pid=${name#br-}
		pid=${pid%%-*}
		br_owner_alive "$pid" || br_net_remove "$name"
	done
	for name in "${TMPDIR:-/tmp}"/br-[0-9]*-tmp.*; do
		[ -d "$name" ] || continue
		pid=${name##*/br-}
		pid=${pid%%-*}
		br_owner_alive "$pid" || rm -rf "$name"
	done
}

# Ends the processes that br_spawn started and removes namespaces and temporary files.
br_net_end()
{
	# A signal may have interrupted `IFS== read`: then that IFS would still hold here.
	local status=$? name pid IFS=$' \t\n'
	trap '' INT TERM HUP
	trap - EXIT
	declare -F br_at_end >/dev/null && br_at_end
	for pid in "${BR_PIDS[@]}"; do
		kill -TERM "$pid" 2>/dev/null || true
	done
	# The daemon detaches on SIGTERM; whoever has not gone after two seconds is killed.
	for pid in "${BR_PIDS[@]}"; do
		br_wait_gone "$pid" 2 || kill -KILL "$pid" 2>/dev/null || true
	done
	wait 2>/dev/null
	for name in $(ip netns list 2>/dev/null | sed -n "s/^\(br-$$-[^ ]*\).*/\1/p"); do
		br_net_remove "$name"
	done
	[ -z "$BR_TMP" ] || rm -rf "$BR_TMP"
	exit "$status"
}

# br_net_begin: check the tools, clean up after killed runs, arrange the clean-up of this one.
# Sets BR_TMP, a directory only root can read: captures and SDP files with keys live there.
br_net_begin()
{
	local tool
	[ "$(id -u)" = 0 ] || br_die "network namespaces need root: run it with sudo"
	for tool in ip ethtool; do
		command -v $tool >/dev/null || br_die "$tool is missing: run scripts/install-deps.sh"
	done
	br_net_sweep
	BR_PIDS=()
	BR_TMP=
	trap br_net_end EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap 'exit 129' HUP
	BR_TMP=$(mktemp -d "${TMPDIR:-/tmp}/br-$$-tmp.XXXXXX")
}

br_ns() { echo "br-$$-$1"; }

# br_in HOST COMMAND...: run a command on a host.
br_in()
{
	local host=$1
	shift
	ip netns exec "br-$$-$host" "$@"
}

# br_spawn HOST LOG COMMAND...: start a command on a host; its pid is left in BR_PID.
br_spawn()
{
	local host=$1 log=$2
	shift 2
	ip netns exec "br-$$-$host" "$@" >"$log" 2>&1 </dev/null &
	BR_PID=$!
	BR_PIDS+=("$BR_PID")
}

# br_running PID: true until the process has ended; a zombie has ended.
br_running()
{
	local state
	state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) || return 1
	[ -n "$state" ] && [ "$state" != Z ]
}

# br_until SECONDS COMMAND...: poll a condition 20 times a second, up to a limit.
br_until()
{
	local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "${EPOCHREALTIME/[.,]/}" -lt "$end" ] || return 1
		sleep 0.05
	done
}

br_not() { ! "$@"; }

# br_wait_gone PID SECONDS
br_wait_gone() { br_until "$2" br_not br_running "$1"; }

# br_stop PID [SIGNAL]: end one process that br_spawn started and return its exit status.
br_stop()
{
	kill "-${2:-TERM}" "$1" 2>/dev/null || true
	br_wait_gone "$1" 5 || kill -KILL "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null
}

# br_udp_bound HOST PORT: does something listen on that UDP port?
br_udp_bound()
{
	br_in "$1" ss -Huln "sport = :$2" | grep -q .
}

# br_net_switch: the bridge. A switch has no addresses: without IPv6 on it, none of its own
# packets appear in the captures.
br_net_switch()
{
	local ns
	ns=$(br_ns switch)
	# Without spanning tree a port forwards at once; with snooping it would wait for a querier.
	ip netns add "$ns" &&
		br_in switch sysctl -qw net.ipv6.conf.all.disable_ipv6=1 \
			net.ipv6.conf.default.disable_ipv6=1 &&
		ip -n "$ns" link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0 &&
		ip -n "$ns" link set br0 up ||
		br_die "the switch could not be made"
}

# br_net_host NAME NUMBER: a host at the switch, its addresses usable at once. A name is at most
# 15 characters long.
br_net_host()
{
	br_net_host_link "$1" && br_net_host_addresses "$1" "$2" ||
		br_die "host $1 could not be made"
}

br_net_host_link()
{
	local ns switch
	ns=$(br_ns "$1")
	switch=$(br_ns switch)
	ip netns add "$ns" &&
		ip -n "$switch" link add dev "$1" type veth peer name media netns "$ns" &&
		br_net_offloads "$1" &&
		ip -n "$switch" link set dev "$1" master br0 up
}

# An XDP program reads packets as they are: finished checksums, tags in the frame. `rxvlan` and
# `txvlan` speak of 802.1Q alone; tags of 802.1ad ("stag") have switches of their own. And veth takes
# frames that XDP transmits only if the other end has GRO (or an XDP program).
br_net_offloads()
{
	local off="tx off rxvlan off txvlan off rx-vlan-stag-hw-parse off tx-vlan-stag-hw-insert off"
	# shellcheck disable=SC2086 # words
	br_in "$1" ethtool -K media $off >/dev/null &&
		br_in switch ethtool -K "$1" $off gro on >/dev/null
}

br_net_host_addresses()
{
	local ns
	ns=$(br_ns "$1")
	# No duplicate address detection: nobody else is there and an address would be unusable
	# for a second.
	br_in "$1" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.media.accept_dad=0 \
		net.ipv6.conf.media.accept_ra=0 &&
		ip -n "$ns" link set lo up &&
		ip -n "$ns" addr add "$(br_addr4 "$2")/24" dev media &&
		ip -n "$ns" addr add "$(br_addr6 "$2")/64" dev media nodad &&
		ip -n "$ns" link set media up
}
