#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Install the Debian 12 packages that are missing, and nothing when none is.
#
#   scripts/install-deps.sh [--list] [build|run|demo|test|bench]...
#
# Groups: build (compile), run (the daemon's own needs), demo and test (they include build
# and run), bench (other relays to compare with; optional). Without a group: build and run.
# --list prints the packages and does nothing.
# When everything is there, neither root nor a network is needed.
set -euo pipefail

BUILD="build-essential pkg-config clang llvm bpftool libbpf-dev libelf-dev zlib1g-dev libmnl-dev
	libcjson-dev libuv1-dev libwebsockets-dev libwebsockets-evlib-uv libcmocka-dev libsrtp2-dev
	libcurl4-openssl-dev libssl-dev libpcap-dev libncurses-dev linux-libc-dev"
RUN="iproute2 ethtool procps jq libwebsockets-evlib-uv libncursesw6"
DEMO="ffmpeg gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good
	gstreamer1.0-plugins-bad tcpdump nftables jq curl"
TEST="clang-format clang-tidy shellcheck tshark qemu-system-x86 busybox-static cpio"
BENCH="nftables coturn"

die()
{
	echo "error: $*" >&2
	exit 1
}

usage() { sed -n '4,11s/^# \{0,1\}//p' "$0"; }

packages_of()
{
	case $1 in
	build) echo "$BUILD" ;;
	run) echo "$RUN" ;;
	demo) echo "$BUILD $RUN $DEMO" ;;
	test) echo "$BUILD $RUN $DEMO $TEST" ;;
	bench) echo "$BUILD $RUN $BENCH" ;;
	*) die "'$1' is not a group of packages: expected build, run, demo, test or bench" ;;
	esac
}

# The packages of $wanted that dpkg does not call installed.
missing_of()
{
	local package
	for package in $wanted; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
			echo "$package"
	done
}

list=false
wanted=
for argument in "$@"; do
	case $argument in
	-h | --help)
		usage
		exit 0
		;;
	--list) list=true ;;
	-*) die "unknown option '$argument': expected --list or a group (build, run, demo, test, bench)" ;;
	*) wanted="$wanted $(packages_of "$argument")" ;;
	esac
done
[ -n "$wanted" ] || wanted="$BUILD $RUN"
# shellcheck disable=SC2086 # a list of words
wanted=$(printf '%s\n' $wanted | sort -u | tr '\n' ' ')

if $list; then
	# shellcheck disable=SC2086
	printf '%s\n' $wanted
	exit 0
fi

{ command -v dpkg-query && command -v apt-get; } >/dev/null ||
	die "this is not a Debian system. Install what these Debian 12 packages contain: $wanted"

missing=$(missing_of | tr "\n" " ")
[ -n "$missing" ] || exit 0

[ "$(id -u)" = 0 ] ||
	die "packages are missing and only root can install them. Run: sudo apt-get install $missing"

echo "installing: $missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
if ! { apt-get -q update && apt-get -q -y --no-install-recommends install $missing; } >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	die "apt-get could not install: $missing (Debian 12 is what this project is built on)"
fi
