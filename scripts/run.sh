#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# `sudo make run`: the relay on this machine with the sample configuration (on `lo`), until
# Ctrl-C. Other flags of blindrelayd may follow: scripts/run.sh --interface eth0.
set -u
cd "$(dirname "$0")/.." || exit 1

B=${B:-build}
CONFIG=scripts/blindrelayd.sample.json
pid=

die()
{
	echo "error: $*" >&2
	exit 1
}

[ "$(id -u)" = 0 ] || die "loading XDP programs needs root: run it with sudo"
[ -x "$B/blindrelayd" ] || die "$B/blindrelayd is missing: run make first"

stop() { [ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null; }
trap stop INT TERM HUP

effective=$("$B/blindrelayd" --config $CONFIG "$@" --check-config) || exit
socket=$(jq -r .control.socket <<<"$effective")
port=$(jq -r .media.port <<<"$effective")
"$B/blindrelayd" --config $CONFIG "$@" &
pid=$!

# Ready or gone, whichever comes first.
until "$B/blindrelay" --socket "$socket" health >/dev/null 2>&1; do
	kill -0 "$pid" 2>/dev/null || break
	sleep 0.05
done

if kill -0 "$pid" 2>/dev/null; then
	cat <<-END

		The relay runs; Ctrl-C ends it. Try in another terminal, as root:

		  $B/blindrelay create hall
		  $B/blindrelay add hall alice --address 127.0.0.1 --port 6000 --role publisher
		  $B/blindrelay add hall bob --address 127.0.0.1 --port 7000 --role subscriber
		  $B/blindrelay add hall carol --address 127.0.0.1 --port 7001 --role subscriber
		  $B/blindrelay legs hall
		  $B/blindrelay stats

		What alice sends from port 6000 to port $port, bob and carol receive:

		  $B/blindrelay-lab genkey -o /tmp/hall.key
		  $B/blindrelay-lab sink --bind 127.0.0.1:7000 --receivers 2 --key-file /tmp/hall.key --idle 1000 &
		  $B/blindrelay-lab source --to 127.0.0.1:$port --local-port 6000 --key-file /tmp/hall.key

	END
fi
# A signal interrupts the first wait; the second one gets the daemon's exit status.
wait "$pid"
status=$?
if kill -0 "$pid" 2>/dev/null; then
	wait "$pid"
	status=$?
fi
exit $status
