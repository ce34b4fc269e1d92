#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The benchmark works: cases run, what it writes can be read, nothing of it stays. No figure is
# judged here, other programs are running at the same time.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=scripts/lib/netns.sh
. scripts/lib/netns.sh

BENCH=${BR_BUILD:-build}/blindrelay-bench
FAILED=0

# check NAME COMMAND...
check()
{
	local name=$1
	shift
	if "$@" >"$BR_TMP/check" 2>&1; then
		echo "ok $name"
	else
		echo "not ok $name"
		tail -n 20 "$BR_TMP/check" "$BR_TMP/out" | sed 's/^/    /'
		FAILED=1
	fi
}

rows() { jq -e "$1" "$BR_TMP/latest.json"; }
plotted() { grep -q '</svg>' "$BR_TMP/$1.svg"; }
refused() { ! "$BENCH" "$@" >"$BR_TMP/out" 2>&1 && grep -q "$2" "$BR_TMP/out"; }
links() { ip -o link | sed 's/^[0-9]*: //; s/:.*//'; }

br_net_begin
command -v jq >/dev/null || br_die "jq is missing: run scripts/install-deps.sh"
[ -x "$BENCH" ] || br_die "$BENCH is missing: run make build $BENCH first"
links >"$BR_TMP/links"

"$BENCH" --quick --runs 1 --case n2 --case n50 --case peer-sockets --case join --case memory \
	--json "$BR_TMP/latest.json" --plots "$BR_TMP" >"$BR_TMP/out" 2>&1
check "the cases run" [ $? = 0 ]
check "cases are in the JSON" rows '[.[] | select(.case == ("n2", "n50") and .ns_per_copy > 0
	and .limit_ns > 0 and .ratio > 0 and .packets_per_s > 0 and .runs == 1)] | length >= 2'
check "the peer is in the JSON" rows '.[] | select(.peer == "peer-sockets")
	| .peer_packets_per_s > 0'
check "joins are in the JSON" rows '.[] | select(.case == "join")
	| .joins > 0 and .median_ms > 0 and .median_ms <= .max_ms'
check "memory is in the JSON" rows '.[] | select(.case == "memory")
	| .legs == 65536 and .bytes_per_leg > 0 and .bytes >= ([.maps[]] | add)'
check "costs are plotted" plotted cost
check "peers are plotted" plotted peers
check "joins are plotted" plotted join
check "an unknown case is refused" refused --case n51 "no case"
check "a wrong number of runs is refused" refused --runs 0 "from 1 to"
links >"$BR_TMP/links.after"
check "no interface stays" diff "$BR_TMP/links" "$BR_TMP/links.after"

# Killed in the middle of its work, it leaves nothing either.
"$BENCH" --runs 31 --case n1 >"$BR_TMP/out" 2>&1 &
pid=$!
br_until 10 test -e "/proc/$pid/ns/net"
br_until 10 grep -q wire "/proc/$pid/net/dev"
kill -KILL $pid
wait $pid 2>/dev/null
links >"$BR_TMP/links.after"
check "no interface stays after it was killed" diff "$BR_TMP/links" "$BR_TMP/links.after"
exit $FAILED
