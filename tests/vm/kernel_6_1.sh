#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The packet path on Debian's kernel 6.1, the oldest that is promised: the BPF tests, the self-test
# of `blindrelay check` and the real daemon, in a virtual machine by software emulation. The checks
# are those of tests/vm/guest.
# Usage: tests/vm/kernel_6_1.sh [FOLDER WITH THE PROGRAMS]
set -u
cd "$(dirname "$0")/../.." || exit 1
BR_BUILD=${1:-${BR_BUILD:-build}}
# shellcheck source=scripts/lib/netns.sh
. scripts/lib/netns.sh
# shellcheck source=scripts/lib/vm.sh
. scripts/lib/vm.sh

LIMIT=420 # seconds; a busy machine needs its time

skip()
{
	echo "skip kernel 6.1: $*"
	exit 77
}

fill()
{
	local name
	vm_root && vm_add_module llc stp bridge veth &&
		vm_add_tool bash ip ethtool ss jq || return 1
	for name in blindrelayd blindrelay blindrelay-lab tests/bpf/test_tables \
		tests/bpf/test_learn tests/bpf/test_random; do
		vm_add "$BR_BUILD/$name" "/blindrelay/build/$name" || return 1
	done
	# what libwebsockets (its event loop) and libsrtp2 (NSS) load by name
	for name in /usr/lib/*-linux-gnu/{libwebsockets-evlib_uv,libsoftokn3,libfreebl3,libfreeblpriv3}.so; do
		vm_add "$name" || return 1
	done
	for name in scripts/lib/netns.sh scripts/lib/relay.sh tests/vm/guest/relay.sh; do
		vm_add "$name" "/blindrelay/$name" || return 1
	done
	install -m 755 tests/vm/guest/init "$VM_ROOT/init"
}

[ "$(uname -m)" = x86_64 ] || skip "its image is for x86_64"
for tool in qemu-system-x86_64 cpio dpkg-deb busybox; do
	command -v $tool >/dev/null || skip "$tool is missing: run scripts/install-deps.sh test"
done
br_net_begin
vm_kernel 6.1 || skip "apt has no such package: $(tail -n 1 "$VM_CACHE/apt.log" 2>/dev/null)"
fill || br_die "the guest's files could not be put together"
start=$SECONDS
vm_run "$BR_TMP/serial" $LIMIT
tr -d '\r' <"$BR_TMP/serial" | sed 's/\x1b[^a-zA-Z]*[a-zA-Z]//g' >"$BR_TMP/lines"
grep -a -e '^ok ' -e '^not ok ' -e '^    ' -e '^kernel ' "$BR_TMP/lines"
grep -q '^kernel 6\.1\.' "$BR_TMP/lines" || echo "not ok the kernel is 6.1"
if ! grep -q '^end of tests' "$BR_TMP/lines"; then
	echo "not ok the guest came to its end (it had $((SECONDS - start)) s)"
	tail -n 40 "$BR_TMP/lines" | sed 's/^/    /'
fi
passed=$(grep -c '^ok ' "$BR_TMP/lines")
echo "$passed passed in $((SECONDS - start)) s"
[ "$passed" -gt 0 ] && ! grep -q '^not ok ' "$BR_TMP/lines" && grep -q '^end of tests' "$BR_TMP/lines"
