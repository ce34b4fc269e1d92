#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Run the tests. Usage: scripts/test.sh [GROUP]...
#
#   format   layout of C files and shell scripts
#   unit     tests/unit: pure functions, no privileges
#   asan     the unit tests, and as root the API tests and those that run the daemon in
#            namespaces, with address and undefined-behaviour sanitizers
#   bpf      tests/bpf: the XDP programs under BPF_PROG_TEST_RUN (root)
#   netns    tests/netns: the real daemon and hosts in network namespaces (root)
#   api      tests/api: the control API with right and wrong input (root)
#   vm       tests/vm: the packet path on another kernel, in a virtual machine (root)
#
# Without a group: all of them. Prints one line per test program and the log of those that
# failed; logs stay in build/test. A program may print `ok NAME`, `not ok NAME` and
# `skip NAME: why` for the cases in it, or be a cmocka program; then its cases are counted.
# Exit status 77 means skipped. Skips are printed, and are failures when CI=true.
# The last line is `N passed, N failed`.
set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=scripts/lib/netns.sh
. scripts/lib/netns.sh

B=${B:-build}
LOGS=$B/test
LIMIT=900 # seconds for one program; none should need a fifth of it
GROUPS_ALL="format unit asan bpf netns api vm"
JOBS=$(nproc)
passed=0
failed=0
skipped=0

finish()
{
	trap - EXIT INT TERM
	[ "$skipped" = 0 ] || echo "$skipped skipped"
	if [ "$skipped" != 0 ] && [ "${CI:-}" = true ]; then
		echo "skipped tests are failures here (CI=true)"
		failed=$((failed + skipped))
	fi
	# Nothing ran: that is no success.
	[ $((passed + failed)) != 0 ] || failed=1
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ]
	exit
}

interrupted()
{
	echo "interrupted"
	failed=$((failed + 1))
	finish
}
trap interrupted INT TERM

# sum_of PATTERN FILE: sum of the numbers that the sed pattern picks out.
sum_of() { sed -n "s/$1/\1/p" "$2" | awk '{ n += $1 } END { print n + 0 }'; }

# count_cases LOG STATUS: sets ok, bad and skips from what a program printed.
count_cases()
{
	local log=$1 status=$2
	if grep -q '^\[==========\]' "$log"; then
		ok=$(sum_of '^\[  PASSED  \] \([0-9]*\) test.*' "$log")
		bad=$(sum_of '^\[  FAILED  \] \([0-9]*\) test.*' "$log")
		skips=$(sum_of '^\[  SKIPPED \] \([0-9]*\) test.*' "$log")
	else
		ok=$(grep -c '^ok ' "$log")
		bad=$(grep -c '^not ok ' "$log")
		skips=$(grep -c '^skip ' "$log")
	fi
	case $status in
	0) [ $((ok + bad + skips)) != 0 ] || ok=1 ;;
	77) skips=$((skips + 1)) ;;
	# A program that died or failed outside of its cases has failed all the same.
	*) [ "$bad" != 0 ] || bad=1 ;;
	esac
}

# run_test NAME COMMAND...
run_test()
{
	local name=$1 log status start=$SECONDS ok bad skips what
	shift
	log=$LOGS/$(echo "$name" | tr ' /' '__').log
	timeout --foreground -k 10 $LIMIT "$@" >"$log" 2>&1 </dev/null
	status=$?
	count_cases "$log" $status
	passed=$((passed + ok))
	failed=$((failed + bad))
	skipped=$((skipped + skips))
	what=ok
	[ "$skips" = 0 ] || [ "$ok" != 0 ] || what=skip
	[ "$bad" = 0 ] || what="not ok"
	echo "$what $name ($((SECONDS - start)) s, $ok passed, $bad failed)"
	sed -n 's/^skip /    skipped: /p' "$log"
	[ "$status" != 77 ] || tail -n 1 "$log" | sed 's/^/    /'
	if [ "$bad" != 0 ]; then
		[ "$status" != 124 ] || echo "    took more than $LIMIT s"
		echo "    ---- the end of $log:"
		tail -n 60 "$log" | sed 's/^/    /'
	fi
	return $((bad != 0))
}

# need_root GROUP: a skip that is printed when we may not.
need_root()
{
	[ "$(id -u)" = 0 ] && return 0
	skipped=$((skipped + 1))
	echo "skip $1: needs root"
	return 1
}

# test_names FOLDER: the C test programs of tests/FOLDER
test_names()
{
	local source
	for source in tests/"$1"/test_*.c; do
		[ ! -f "$source" ] || basename "$source" .c
	done
}

group_format() { run_test format make -s check-format; }

group_unit()
{
	local name
	for name in $(test_names unit); do
		run_test "unit $name" "$B/tests/unit/$name"
	done
}

group_asan()
{
	local name program
	export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:exitcode=99
	export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
	run_test "build asan" make -s -j"$JOBS" B="$B/asan" CFLAGS="-O1 -g" \
		SANITIZE=address,undefined build test-programs || return
	for name in $(test_names unit); do
		run_test "asan $name" "$B/asan/tests/unit/$name"
	done
	[ "$(id -u)" = 0 ] || return
	for program in tests/api/*.sh tests/netns/lifecycle.sh tests/netns/fanout.sh \
		tests/netns/capture.sh; do
		[ ! -x "$program" ] || run_test "asan ${program##*/}" env BR_BUILD="$B/asan" "$program"
	done
}

group_bpf()
{
	local name
	need_root bpf || return
	for name in $(test_names bpf); do
		run_test "bpf $name" "$B/tests/bpf/$name"
	done
}

# group_scripts FOLDER
group_scripts()
{
	local program
	need_root "$1" || return
	for program in tests/"$1"/*.sh; do
		[ ! -x "$program" ] || run_test "$1 ${program##*/}" env BR_BUILD="$B" "$program"
	done
}

# What runs before ours left behind would be found by ours: nothing may remain after it.
leftovers()
{
	local name pid found=0
	for name in $(ip netns list 2>/dev/null | sed -n 's/^\(br-[0-9]*-[^ ]*\).*/\1/p'); do
		pid=${name#br-}
		br_owner_alive "${pid%%-*}" || {
			echo "namespace $name was left behind"
			found=1
		}
	done
	for name in "${TMPDIR:-/tmp}"/br-[0-9]*-tmp.*; do
		[ -d "$name" ] || continue
		pid=${name##*/br-}
		br_owner_alive "${pid%%-*}" || {
			echo "directory $name was left behind"
			found=1
		}
	done
	# programs of this build whose parent is gone
	for name in /proc/[0-9]*/exe; do
		case $(readlink "$name") in
		"$(realpath "$B")"/*) ;;
		*) continue ;;
		esac
		pid=${name#/proc/}
		pid=${pid%/exe}
		[ "$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status" 2>/dev/null)" = 1 ] || continue
		echo "process $pid was left behind: $(tr '\0' ' ' <"/proc/$pid/cmdline")"
		found=1
	done
	return $found
}

main()
{
	local group
	# shellcheck disable=SC2086 # a list of words
	[ $# != 0 ] || set -- $GROUPS_ALL
	for group in "$@"; do
		case " $GROUPS_ALL " in
		*" $group "*) ;;
		*) br_die "'$group' is not a group of tests: expected ${GROUPS_ALL// /, }" ;;
		esac
	done
	[ "$(id -u)" != 0 ] || br_net_sweep
	rm -rf "$LOGS"
	mkdir -p "$LOGS"
	run_test build make -s -j"$JOBS" B="$B" build test-programs || finish
	for group in "$@"; do
		case $group in
		netns | api | vm) group_scripts "$group" ;;
		*) "group_$group" ;;
		esac
	done
	[ "$(id -u)" != 0 ] || {
		leftovers >"$LOGS/leftovers.out"
		run_test "nothing left behind" sh -c "cat '$LOGS/leftovers.out'; [ ! -s '$LOGS/leftovers.out' ]"
	}
	finish
}

main "$@"
