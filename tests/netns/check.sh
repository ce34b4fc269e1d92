#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# `blindrelay check` in situations made in network namespaces: each must give the right line,
# and what it says about modes is compared with what blindrelayd then does.
# Usage: tests/netns/check.sh [FOLDER WITH THE PROGRAMS]
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=scripts/lib/netns.sh
. scripts/lib/netns.sh

FOLDER=${1:-${BR_BUILD:-build}}
PASSED=0
FAILED=0

for tool in blindrelayd blindrelay; do
	[ -x "$FOLDER/$tool" ] || br_die "$FOLDER/$tool is missing: run make first"
done
for tool in jq setpriv clang script pgrep; do
	command -v $tool >/dev/null || br_die "$tool is missing: run scripts/install-deps.sh"
done
DAEMON=$(realpath "$FOLDER/blindrelayd")
CTL=$(realpath "$FOLDER/blindrelay")

# report NAME COMMAND...: a check is what a command says.
report()
{
	local name=$1
	shift
	if "$@" >"$BR_TMP/report" 2>&1; then
		echo "ok $name"
		PASSED=$((PASSED + 1))
		return
	fi
	echo "not ok $name"
	FAILED=$((FAILED + 1))
	echo "    failed: $*"
	sed 's/^/    /' "$BR_TMP/report"
}

# check HOST [ARGUMENT]...: run it; STATUS, $BR_TMP/out.
check()
{
	local host=$1
	shift
	br_in "$host" "$CTL" check --json "$@" >"$BR_TMP/out" 2>"$BR_TMP/err"
	STATUS=$?
}

# status NAME EXPECTED
status() { report "$1" test "$STATUS" = "$2"; }

# has PART CHECK STATUS FOUND TODO: the report's line, the last two as regular expressions
has()
{
	jq -e --arg part "$1" --arg check "$2" --arg status "$3" --arg found "$4" --arg todo "$5" '
		[.checks[] | select(.part == $part and .check == $check)] as $lines
		| if ($lines | length) == 1 and $lines[0].status == $status
			and ($lines[0].found | test($found)) and ($lines[0].todo | test($todo))
		then true else $lines, false end' "$BR_TMP/out" || {
		cat "$BR_TMP/err"
		return 1
	}
}

# line NAME CHECK STATUS FOUND TODO: a line of the interface $INTERFACE
line() { report "$1" has "interface $INTERFACE" "${@:2}"; }

# all_ok PART: every line of it, and there are some
all_ok()
{
	jq -e --arg part "$1" '[.checks[] | select(.part == $part)]
		| length > 5 and all(.status == "ok"), map(select(.status != "ok"))' "$BR_TMP/out" |
		tee "$BR_TMP/all" | head -1 | grep -qx true || {
		cat "$BR_TMP/all"
		return 1
	}
}

# daemon_uses HOST INTERFACE MODE: what blindrelayd does with "auto"; MODE none: it refuses.
# The daemon is stopped again.
daemon_uses()
{
	daemon_start "$1" "$2"
	if [ "$3" = none ]; then
		br_wait_gone "$DAEMON_PID" 10 || return
		cat "$BR_TMP/daemon.log"
		! wait "$DAEMON_PID"
		return
	fi
	br_until 10 grep -q "ready: interfaces $2 ($3)" "$BR_TMP/daemon.log"
	local result=$?
	cat "$BR_TMP/daemon.log"
	br_stop "$DAEMON_PID"
	return $result
}

daemon_start()
{
	: >"$BR_TMP/daemon.log"
	br_spawn "$1" "$BR_TMP/daemon.log" "$DAEMON" --interface "$2" --listen none \
		--socket "$BR_TMP/run/control.sock"
	DAEMON_PID=$BR_PID
}

# A veth pair with both ends on host `pair`, arranged as the relay likes it.
pair_begin()
{
	local ns end
	ns=$(br_ns pair)
	ip netns add "$ns"
	ip -n "$ns" link add here type veth peer name there
	for end in here there; do
		br_in pair ethtool -K $end tx off rxvlan off txvlan off >/dev/null
		ip -n "$ns" link set $end up
	done
	br_in pair ethtool -K there gro on
	ip -n "$ns" addr add 192.0.2.1/24 dev here
}

good()
{
	INTERFACE=here
	check pair --interface here
	status "good: exit status" 0
	report "good: every line is OK" all_ok "interface here"
	line "good: mode" mode ok "native XDP" '^$'
	line "good: peer" peer ok "there, GRO on" '^$'
	report "good: the daemon agrees" daemon_uses pair here native
	report "kernel" has machine kernel ok "$(uname -r)" '^$'
	report "capabilities" has machine capabilities ok cap_net_admin '^$'
	report "memory" has machine memory ok 'MiB' '^$'
	report "jit" has machine jit ok compiled '^$'
	report "bpffs is hidden by ip netns exec" has machine bpffs ok 'one of its own' '^$'
	for mode in native generic; do
		report "self-test $mode" has self-test $mode ok '^32 packets gave 96 right copies' '^$'
	done
}

other_namespace()
{
	INTERFACE=media
	check relay --interface media
	status "peer elsewhere: exit status" 0
	line "peer elsewhere: peer" peer warn "another network namespace" "ethtool -K PEER tx off"
	line "peer elsewhere: transmit" transmit ok NDO_XMIT '^$'
	line "peer elsewhere: mode" mode ok native '^$'
	line "peer elsewhere: addresses" addresses ok "IPv4 and IPv6" '^$'
	br_in switch ethtool -K relay gro off
	check relay --interface media
	status "elsewhere, no GRO: exit status" 1
	line "elsewhere, no GRO: transmit" transmit fail "vanish" "where its peer is, with it up: ethtool"
	br_in switch ethtool -K relay gro on
}

no_gro()
{
	INTERFACE=here
	br_in pair ethtool -K there gro off
	check pair --interface here
	status "no GRO: exit status" 1
	line "no GRO: transmit" transmit fail "neither GRO nor an XDP" "^ethtool -K there gro on"
	line "no GRO: mode" mode fail "every copy would vanish" "transmit"
	# an XDP program at the peer does as well as GRO
	ip -n "$(br_ns pair)" link set dev there xdp obj "$BR_TMP/other.o" sec xdp
	check pair --interface here
	line "program at the peer: transmit" transmit ok NDO_XMIT '^$'
	ip -n "$(br_ns pair)" link set dev there xdp off
	br_in pair ethtool -K there gro on
	check pair --interface here
	status "advice followed: exit status" 0
	line "advice followed: transmit" transmit ok NDO_XMIT '^$'
	# GRO that the kernel does not note, since the device is down at that moment
	br_in pair ethtool -K there gro off
	ip -n "$(br_ns pair)" link set there down
	br_in pair ethtool -K there gro on
	ip -n "$(br_ns pair)" link set there up
	check pair --interface here
	line "GRO missed: transmit" transmit fail "switched on at its peer there while that was down" \
		"^ethtool -K there gro off, then ethtool -K there gro on"
	br_in pair ethtool -K there gro off
	br_in pair ethtool -K there gro on
	check pair --interface here
	line "GRO missed, advice followed: transmit" transmit ok NDO_XMIT '^$'
}

jumbo()
{
	INTERFACE=here
	for end in here there; do ip -n "$(br_ns pair)" link set $end mtu 9000; done
	check pair --interface here
	status "MTU 9000: exit status" 0
	line "MTU 9000: mtu" mtu warn "^9000" "ip link set dev there mtu 1500"
	line "MTU 9000: mode" mode warn 'generic.*"auto".*9000.*3506' below
	report "MTU 9000: the daemon agrees" daemon_uses pair here generic
	# the largest that native XDP takes, and one more
	ip -n "$(br_ns pair)" link set there mtu 3507
	check pair --interface here
	line "MTU 3507: mode" mode warn generic below
	report "MTU 3507: the daemon agrees" daemon_uses pair here generic
	for end in here there; do ip -n "$(br_ns pair)" link set $end mtu 3506; done
	check pair --interface here
	line "MTU 3506: mode" mode ok native '^$'
	report "MTU 3506: the daemon agrees" daemon_uses pair here native
	for end in here there; do ip -n "$(br_ns pair)" link set $end mtu 1500; done
}

queues()
{
	local ns
	ns=$(br_ns pair)
	INTERFACE=narrow
	ip -n "$ns" link add narrow numrxqueues 1 numtxqueues 1 type veth \
		peer name wide numrxqueues 2 numtxqueues 2
	br_in pair ethtool -L wide rx 2 tx 2
	for end in narrow wide; do ip -n "$ns" link set $end up; done
	br_in pair ethtool -K wide gro on
	ip -n "$ns" addr add 198.51.100.1/24 dev narrow
	check pair --interface narrow
	line "peer with more queues: mode" mode warn "sends on 2 queues and it receives on 1" below
	report "peer with more queues: the daemon agrees" daemon_uses pair narrow generic
	ip -n "$ns" link del narrow
}

offloads()
{
	INTERFACE=here
	br_in pair ethtool -K here rxvlan on
	check pair --interface here
	status "rxvlan on: exit status" 0
	line "rxvlan on: rxvlan" rxvlan warn "VLAN tags" "^ethtool -K here rxvlan off"
	br_in pair ethtool -K here rxvlan off
	br_in pair ethtool -K there tx on txvlan on >/dev/null
	check pair --interface here
	line "peer's offloads: peer" peer warn "unfinished checksums.*VLAN tags" \
		"^ethtool -K there tx off txvlan off"
	br_in pair ethtool -K there tx off txvlan off >/dev/null
	check pair --interface here
	report "advice followed: every line is OK" all_ok "interface here"
}

links()
{
	local ns
	ns=$(br_ns pair)
	INTERFACE=here
	ip -n "$ns" link set here down
	check pair --interface here
	status "down: exit status" 1
	line "down: link" link fail '^down$' "^ip link set dev here up"
	check pair
	report "down: not looked at unasked" jq -e '[.checks[].part] | index("interface here") == null' \
		"$BR_TMP/out"
	ip -n "$ns" link set here up
	ip -n "$ns" link set there down
	check pair --interface here
	line "no carrier: link" link fail "without a carrier" "bring its peer up"
	ip -n "$ns" link set there up
	ip -n "$ns" addr del 192.0.2.1/24 dev here
	check pair --interface here
	line "no address: addresses" addresses warn '^none' 'ip address add ADDRESS/PREFIX dev here'
	ip -n "$ns" addr add 192.0.2.1/24 dev here
	ip -n "$ns" link add bridge type bridge
	ip -n "$ns" link set there master bridge
	INTERFACE=there
	check pair --interface there
	line "port: addresses" addresses warn "port of bridge" "give bridge to the relay"
	INTERFACE=bridge
	ip -n "$ns" link set bridge up
	check pair --interface bridge
	line "bridge: mode" mode warn 'generic.*bridge has no native XDP' another
	ip -n "$ns" link set there nomaster
	ip -n "$ns" link del bridge
}

programs()
{
	local ns
	ns=$(br_ns pair)
	INTERFACE=here
	ip -n "$ns" link set dev here xdp obj "$BR_TMP/other.o" sec xdp
	check pair --interface here
	status "other program: exit status" 1
	line "other program: program" program fail 'other_program \(id [0-9]+, native mode\)' \
		'ip link set dev here xdp off'
	line "other program: mode" mode fail "another XDP program" program
	report "other program: the daemon refuses" daemon_uses pair here none
	ip -n "$ns" link set dev here xdp off
	ip -n "$ns" link set dev here xdpgeneric obj "$BR_TMP/other.o" sec xdp
	check pair --interface here
	line "other generic program: program" program fail 'generic mode' 'here xdpgeneric off'
	ip -n "$ns" link set dev here xdpgeneric off
	daemon_start pair here
	br_until 10 grep -q ready "$BR_TMP/daemon.log"
	check pair --interface here
	status "daemon runs: exit status" 0
	line "daemon runs: program" program ok "blindrelayd is running here in native mode" '^$'
	report "daemon runs: self-test native" has self-test native ok 'right copies' '^$'
	check pair
	report "daemon runs: its own pair is not looked at" jq -e \
		'[.checks[].part | select(test("br-(loop|back)-"))] == []' "$BR_TMP/out"
	br_stop "$DAEMON_PID"
}

loopback()
{
	INTERFACE=lo
	check relay --interface lo
	status "lo: exit status" 0
	line "lo: mode" mode ok '^generic.*"auto" chooses it since the loopback' 'not for load'
	report "lo: the daemon agrees" daemon_uses relay lo generic
	check relay --interface media --interface lo
	report "together" has together mode warn "generic, because of lo" "leave lo out"
	check relay
	report "unasked: media" has "interface media" mode ok native '^$'
	report "unasked: not lo" jq -e '[.checks[].part] | index("interface lo") == null' "$BR_TMP/out"
	check empty
	report "nothing is up" has interfaces interfaces warn "none" "ip link set dev NAME up"
}

# usage NAME PATTERN ARGUMENT...: refused with 2, says why, prints no report
usage()
{
	check pair "${@:3}"
	report "$1" sh -c "[ $STATUS = 2 ] && [ ! -s '$BR_TMP/out' ] && grep -qE -- '$2' '$BR_TMP/err'"
}

wrong_use()
{
	usage "unknown interface" '--interface: there is no interface "eth77".*ip link' --interface eth77
	usage "mistyped interface" 'did you mean "there"' --interface thers
	usage "named twice" '--interface: "here" is named twice' --interface here --interface here
	usage "no name" '--interface: expected NAME' --interface
	usage "empty name" '--interface: expected the name' --interface ''
	usage "too many" '--interface: expected at most 8' --interface 1 --interface 2 --interface 3 \
		--interface 4 --interface 5 --interface 6 --interface 7 --interface 8 --interface 9
	usage "a word" 'unexpected argument "here"' here
}

# with_capabilities LIST [ARGUMENT]...: as root with these capabilities only
with_capabilities()
{
	local list=-all
	[ -z "$1" ] || list=-all,+${1//,/,+}
	br_in pair setpriv --bounding-set="$list" --inh-caps="$list" "$CTL" check --json "${@:2}" \
		>"$BR_TMP/out" 2>"$BR_TMP/err"
	STATUS=$?
}

privileges()
{
	INTERFACE=here
	with_capabilities '' --interface here
	status "no capability: exit status" 1
	report "no capability: says which" has machine capabilities fail \
		'cap_net_admin, cap_bpf, cap_perfmon, cap_net_raw' 'as root'
	report "no capability: self-test skipped" has self-test copies warn \
		'^skipped, for want of cap_net_admin, .*cap_sys_admin$' 'nothing is proven'
	line "no capability: interface is seen all the same" mode ok native '^$'
	with_capabilities net_admin,bpf,net_raw --interface here
	report "some: says which" has machine capabilities fail 'lacks cap_perfmon;' 'as root'
	with_capabilities net_admin,bpf,perfmon,net_raw --interface here
	status "the daemon's: exit status" 0
	report "the daemon's: enough for it" has machine capabilities ok cap_bpf '^$'
	report "the daemon's: not for the self-test" has self-test copies warn \
		'^skipped, for want of cap_sys_admin$' root
	with_capabilities net_admin,sys_admin,net_raw --interface here
	report "cap_sys_admin: self-test runs" has self-test native ok 'right copies' '^$'
	# a program whose name may not be seen
	ip -n "$(br_ns pair)" link set dev here xdp obj "$BR_TMP/other.o" sec xdp
	with_capabilities '' --interface here
	line "unnamed program" program fail 'whose name only root may see' 'may be blindrelayd'
	ip -n "$(br_ns pair)" link set dev here xdp off
	br_in pair setpriv --reuid 65534 --regid 65534 --clear-groups "$BR_TMP/blindrelay" check \
		>"$BR_TMP/out" 2>"$BR_TMP/err"
	report "another user" grep -q 'skipped, for want of' "$BR_TMP/out"
}

terminal()
{
	br_in pair "$CTL" check --interface here >"$BR_TMP/out"
	report "for people: a line" grep -qE '^  OK    link          up$' "$BR_TMP/out"
	report "for people: the sum" grep -qE '^[0-9]+ OK, [0-9]+ WARN, 0 FAIL$' "$BR_TMP/out"
	report "no colour in a file" br_not grep -q $'\033' "$BR_TMP/out"
	br_in pair script -qec "'$CTL' check --interface here" /dev/null >"$BR_TMP/out" </dev/null
	report "colour on a terminal" grep -q $'\033\[32mOK' "$BR_TMP/out"
	br_in pair env NO_COLOR=1 script -qec "'$CTL' check --interface here" /dev/null \
		>"$BR_TMP/out" </dev/null
	report "NO_COLOR" br_not grep -q $'\033' "$BR_TMP/out"
	report "full disk is an error" br_not br_in pair sh -c "'$CTL' check --json >/dev/full"
}

# A check that is killed takes its self-test along, with the namespace it made.
nothing_left()
{
	local before child
	before=$(br_in pair ip -o link; br_in pair ip addr)
	br_in pair "$CTL" check >"$BR_TMP/out"
	report "leaves no interface behind" test "$(br_in pair ip -o link; br_in pair ip addr)" = "$before"
	br_spawn pair "$BR_TMP/out" "$CTL" check
	br_until 5 pgrep -P "$BR_PID"
	child=$(pgrep -P "$BR_PID")
	report "the self-test is a process of its own" test -n "$child"
	kill -KILL "$BR_PID"
	report "killed: the self-test goes along" br_wait_gone "${child:-none}" 5
	report "killed: and leaves nothing" test "$(br_in pair ip -o link; br_in pair ip addr)" = "$before"
}

br_net_begin
cat >"$BR_TMP/other.c" <<'END'
__attribute__((section("xdp"), used)) int other_program(void *context)
{
	return 2; /* XDP_PASS */
}
END
clang -O2 -g -target bpf -c -o "$BR_TMP/other.o" "$BR_TMP/other.c" || br_die "clang cannot build BPF"
# $BR_TMP is for root only; somebody else shall run the program and nothing more
chmod 711 "$BR_TMP"
install -m 755 "$CTL" "$BR_TMP/blindrelay"
br_net_switch
br_net_host relay 1
ip netns add "$(br_ns empty)"
pair_begin
good
other_namespace
no_gro
jumbo
queues
offloads
links
programs
loopback
wrong_use
privileges
terminal
nothing_left
echo "$PASSED passed, $FAILED failed"
[ "$FAILED" = 0 ]
exit
