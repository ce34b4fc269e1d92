# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Checks of a test script: one line `ok NAME` or `not ok NAME` each, and a sum at the end. Source
# scripts/lib/netns.sh first; what failed is shown with what it printed.

CHECKS_PASSED=0
CHECKS_FAILED=0

# check NAME COMMAND...: a check is what a command says.
check()
{
	local name=$1
	shift
	if "$@" >"$BR_TMP/check" 2>&1; then
		echo "ok $name"
		CHECKS_PASSED=$((CHECKS_PASSED + 1))
		return 0
	fi
	echo "not ok $name"
	sed 's/^/    /' "$BR_TMP/check" | tail -n 25
	CHECKS_FAILED=$((CHECKS_FAILED + 1))
	return 1
}

# fault WHAT, then verdict NAME: a check of many steps, which has failed when one had a fault.
CHECKS_FAULTS=
fault() { CHECKS_FAULTS+="    $*"$'\n'; }

verdict()
{
	if [ -z "$CHECKS_FAULTS" ]; then
		echo "ok $1"
		CHECKS_PASSED=$((CHECKS_PASSED + 1))
	else
		printf 'not ok %s\n%s' "$1" "$CHECKS_FAULTS"
		CHECKS_FAILED=$((CHECKS_FAILED + 1))
	fi
	CHECKS_FAULTS=
}

# checks_end: the sum; status 0 when all passed
checks_end()
{
	echo "$CHECKS_PASSED passed, $CHECKS_FAILED failed"
	[ $CHECKS_FAILED = 0 ]
}

# equal WHAT IS EXPECTED: says both when they differ
equal()
{
	[ "$2" = "$3" ] && return
	echo "$1: $2, expected $3"
	return 1
}
