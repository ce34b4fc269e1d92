#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# `blindrelay top` beside real traffic. Plain: over all intervals, rates times time are exactly
# what the sources sent. Then on a pseudo-terminal: keys lead through the screen, and the
# terminal is given back as it was, also after signals.
# Usage: tests/netns/top.sh [FOLDER WITH THE PROGRAMS]
set -u
cd "$(dirname "$0")/../.." || exit 1
BR_BUILD=${1:-${BR_BUILD:-build}}
# shellcheck source=scripts/lib/netns.sh
. scripts/lib/netns.sh
# shellcheck source=scripts/lib/relay.sh
. scripts/lib/relay.sh
# shellcheck source=scripts/lib/checks.sh
. scripts/lib/checks.sh


# source_run PORT SSRC COUNT RATE: packets of 100 bytes, 128 with their IP and UDP headers
source_run()
{
	br_in publisher "$RELAY_LAB" source --to "10.77.0.1:$RELAY_MEDIA_PORT" --from 10.77.0.2 \
		--local-port "$1" --suite none --ssrc "$2" --count "$3" --rate "$4" --bytes 100 \
		>"$BR_TMP/source.$2" 2>&1
}

# total KIND NAME COLUMN: sum over all tables of rate times interval
total()
{
	awk -v kind="$1" -v name="$2" -v column="$3" '
		/^#/ { for (i = 1; i < NF; i++) if ($i == "interval_ms") ms = $(i + 1) }
		$1 == kind && $2 == name { sum += $column * ms / 1000 }
		END { printf "%.0f\n", sum }' "$BR_TMP/top"
}

# is_total KIND NAME COLUMN WANT: within what the rounding of rates to one digit leaves
is_total()
{
	local got
	got=$(total "$1" "$2" "$3")
	awk -v got="$got" -v want="$4" 'BEGIN { d = got - want; exit !(d * d <= 4 + want * want / 1e4) }' ||
		{ echo "$1 $2 column $3: $got, expected $4"; tail -n 20 "$BR_TMP/top"; false; }
}

tables() { [ "$(grep -c '^#' "$BR_TMP/top")" -ge "$1" ]; }
# All that was sent is in a table: the sum has stopped at the number of packets.
all_shown() { is_total relay - 3 500; }

plain()
{
	# the program itself, not a function in a shell: a signal must reach it
	"$RELAY_CTL" --socket "$BR_TMP/control.sock" top --interval 0.3 \
		>"$BR_TMP/top" 2>"$BR_TMP/top.err" &
	local top=$! columns
	BR_PIDS+=("$top")
	check "tables come" br_until 10 tables 1
	source_run 6000 0x10 300 300 &
	source_run 6001 0x20 200 200
	wait $!
	check "every packet in is in the rates" br_until 10 all_shown
	kill -TERM "$top"
	wait "$top" 2>/dev/null
	check "every copy" is_total relay - 5 $((300 * 4 + 200 * 4))
	check "bits of packets in" is_total relay - 4 $((500 * 128 * 8))
	check "packets into a room" is_total room big 3 300
	check "copies out of a room" is_total room big 5 1200
	check "packets of a leg" is_total leg big/one 3 300
	check "copies to a leg" is_total leg small/r3 5 200
	check "drops have their reason" is_total drop unknown_leg 7 0
	columns=$(awk 'NF && !/^#/ { print NF }' "$BR_TMP/top" | sort -u)
	check "always the same columns" test "$columns" = 8
	check "nothing is negative" br_not grep -qE ' -[0-9]' "$BR_TMP/top"
}

# A stranger's packets are drops, and a daemon that starts anew has no rates of the old one.
drops_and_restart()
{
	# the program itself, not a function in a shell: a signal must reach it
	"$RELAY_CTL" --socket "$BR_TMP/control.sock" top --interval 0.3 \
		>"$BR_TMP/top" 2>"$BR_TMP/top.err" &
	local top=$! before
	BR_PIDS+=("$top")
	br_until 10 tables 1
	source_run 6999 0x30 50 200
	dropped() { is_total drop unknown_leg 7 50; }
	check "drops by reason" br_until 10 dropped
	check "and in the sum" is_total relay - 7 50
	relay_stop
	relay_start relay native
	before=$(grep -c '^#' "$BR_TMP/top")
	check "goes on with the next daemon" br_until 10 tables $((before + 2))
	check "saying that it was away" grep -q 'no daemon answers' "$BR_TMP/top.err"
	kill -TERM "$top"
	wait "$top" 2>/dev/null
	check "no absurd rates" br_not awk '$1 == "relay" && ($3 > 1000 || $7 > 1000) { found = 1 }
		END { exit !found }' "$BR_TMP/top"
	check "nothing is negative" br_not grep -qE ' -[0-9]' "$BR_TMP/top"
}

# screen_start [FLAG]...: top on a terminal of 100 by 30 that a shell keeps after its end
screen_start()
{
	rm -f "$BR_TMP/screen" "$BR_TMP/keys" "$BR_TMP/after" "$BR_TMP/top.pid"
	mkfifo "$BR_TMP/keys"
	cat >"$BR_TMP/session" <<-END
		stty rows 30 cols 100
		stty -g >"$BR_TMP/before"
		LC_ALL=C.UTF-8 TERM=xterm "$RELAY_CTL" --socket "$BR_TMP/control.sock" top --interval 0.2 $* &
		echo \$! >"$BR_TMP/top.pid"
		fg %1 >/dev/null
		echo \$? >"$BR_TMP/status"
		stty -g >"$BR_TMP/after"
	END
	script -qefc "bash -m $BR_TMP/session" "$BR_TMP/screen" <"$BR_TMP/keys" >/dev/null 2>&1 &
	SCREEN=$!
	BR_PIDS+=("$SCREEN")
	exec 7>"$BR_TMP/keys"
}

shows() { grep -aq "$1" "$BR_TMP/screen"; }
# press KEYS TEXT: the text comes to the screen behind the keys. Only what changes is sent, so
# it must be one that shares nothing with what stood in its place.
press()
{
	: >"$BR_TMP/screen"
	printf "$1" >&7
	br_until 10 shows "$2" || { tail -c 600 "$BR_TMP/screen" | cat -v; false; }
}

ended() { [ -s "$BR_TMP/after" ]; }
restored()
{
	br_until 10 ended || { echo "top has not ended"; return 1; }
	cmp "$BR_TMP/before" "$BR_TMP/after" || return
	# xterm: the alternate screen is left, and the cursor shows
	grep -aq $'\033\[?1049l' "$BR_TMP/screen" && grep -aq $'\033\[?12l\033\[?25h\|\033\[?25h\|\033\[?12;25h' "$BR_TMP/screen"
}
screen_end()
{
	exec 7>&-
	wait "$SCREEN" 2>/dev/null
}

screen()
{
	screen_start
	check "screen shows rooms" br_until 10 shows "SHARE OF OUT"
	check "and the daemon" shows blindrelay
	check "key l: legs of all rooms" press l "legs of all rooms"
	check "key r: rooms" press r "SHARE OF OUT"
	check "Enter opens a room" press '\r' "legs [0-9]"
	check "Escape goes back" press '\033' "SHARE OF OUT"
	check "key d: reasons" press d "MEANING"
	check "key ?: help" press '?' "any key goes back"
	check "and away again" press 'x' "TOTAL"
	check "key p: stands still" press p "PAUSED"
	check "and goes on" press p "every"
	check "cursor keys" press 'r\033OB\033OB' "small"
	check "a filter" press '/sma\r' "/sma"
	: >"$BR_TMP/screen"
	stty -F "$(readlink "/proc/$(cat "$BR_TMP/top.pid")/fd/0")" rows 20 cols 60
	# the cursor rests in the last corner
	check "follows another size" br_until 10 shows $'\033\\[20;60H'
	press q "" >/dev/null
	check "q gives the terminal back" restored
	check "q ends well" test "$(cat "$BR_TMP/status")" = 0
	screen_end
}

# A signal to top: it gives the terminal back, then dies of it.
screen_signal()
{
	screen_start
	br_until 10 shows blindrelay
	kill "-$1" "$(cat "$BR_TMP/top.pid")"
	check "SIG$1 gives the terminal back" restored
	check "SIG$1 is what ended it" test "$(cat "$BR_TMP/status")" = "$2"
	screen_end
}

coloured() { grep -aqE $'\033\\[([0-9]+;)*3[0-7]m' "$BR_TMP/screen"; }

no_color()
{
	NO_COLOR=1 screen_start
	br_until 10 shows blindrelay
	check "NO_COLOR: no colours" br_not coloured
	press q "" >/dev/null
	screen_end
	screen_start
	br_until 10 shows blindrelay
	check "colours without it" br_until 5 coloured
	press q "" >/dev/null
	screen_end
	NO_COLOR=1 screen_start --ascii
	br_until 10 shows blindrelay
	check "--ascii: nothing but ASCII" br_not grep -aqP '[\x80-\xff]' "$BR_TMP/screen"
	press q "" >/dev/null
	check "and gone" restored
	screen_end
}

relay_find_programs
br_net_begin
br_net_switch
br_net_host relay 1
br_net_host publisher 2
br_net_host a 11
relay_start relay native
relay_add big one 10.77.0.2 6000 publisher 0x10
relay_add small two 10.77.0.2 6001 publisher 0x20
for n in 1 2 3 4; do
	relay_add big "r$n" 10.77.0.11 $((20000 + n)) subscriber
	relay_add small "r$n" 10.77.0.11 $((21000 + n)) subscriber
done
check "next hops are resolved" br_until 5 relay_all_ready
plain
drops_and_restart
relay_add big one 10.77.0.2 6000 publisher 0x10
relay_add small two 10.77.0.2 6001 publisher 0x20
if command -v script >/dev/null; then
	screen
	screen_signal TERM 143
	screen_signal HUP 129
	no_color
else
	echo "skip screen: script(1) of util-linux is missing"
fi
checks_end
