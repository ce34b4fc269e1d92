#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# `blindrelay capture` with real traffic, read by tshark: packets and bytes in and out are those of
# the counters, payloads go through unaltered, drops carry their reason; readers that are slow lose
# and are told; a client or a daemon that is killed leaves nothing switched on; receivers notice
# nothing of it.
# Usage: tests/netns/capture.sh [FOLDER WITH THE PROGRAMS]
set -u
cd "$(dirname "$0")/../.." || exit 1
BR_BUILD=${1:-${BR_BUILD:-build}}
# shellcheck source=scripts/lib/netns.sh
. scripts/lib/netns.sh
# shellcheck source=scripts/lib/relay.sh
. scripts/lib/relay.sh
# shellcheck source=scripts/lib/checks.sh
. scripts/lib/checks.sh

SSRC=0x1000
WRONG=0x2000 # is on nobody's list
BYTES=1200
LEG_CAPTURE=16 # BR_LEG_CAPTURE in the flags of struct br_leg, at offset 37

# The relay's maps outlive it in a bpffs of ours; see tests/netns/restart.sh.
br_at_end() { umount "$BR_TMP/bpf" 2>/dev/null; }

is() { [ "$1" = "$2" ] || { echo "expected \"$2\", got \"$1\""; return 1; }; }

# ---- the relay, a publisher, receivers ----

# start [MODE] [FLAG]...
start()
{
	relay_config "$BR_TMP/relay.json" "${1:-native}"
	br_spawn relay "$BR_TMP/relay.log" "$RELAY_DAEMON" --config "$BR_TMP/relay.json" \
		--state "$BR_TMP/bpf" "${@:2}"
	RELAY_PID=$BR_PID
	br_until 20 relay_settled
	relay_ctl health >/dev/null || br_die "the relay does not start: $(tail "$BR_TMP/relay.log")"
}

# narrow's path takes 600 bytes, so what goes to it is too big.
room_begin()
{
	relay_add talk alice "$(br_addr4 2)" 6000 publisher $SSRC
	relay_add talk bob "$(br_addr4 11)" 7000 subscriber
	relay_add talk carol "$(br_addr6 11)" 7000 subscriber
	ip -n "$(br_ns relay)" route replace "$(br_addr4 12)/32" dev media mtu 600
	relay_add talk narrow "$(br_addr4 12)" 7000 subscriber
	br_until 5 relay_all_ready || br_die "next hops are not resolved"
}

# traffic COUNT [RATE]: RTP and RTCP of alice, some of an SSRC that is not hers; returns at the end
traffic()
{
	local source=("$RELAY_LAB" source --suite none --to "$(br_addr4 1):$RELAY_MEDIA_PORT"
		--local-port 6000 --bytes "$BYTES")
	br_in publisher "${source[@]}" --ssrc $SSRC --count "$1" --rate "${2:-500}" \
		>"$BR_TMP/source.log" 2>&1 || { cat "$BR_TMP/source.log"; return 1; }
	br_in publisher "${source[@]}" --ssrc $WRONG --count 7 --rate 500 >>"$BR_TMP/source.log" 2>&1
}

# ---- captures ----

# capture NAME [FLAG]...: into $BR_TMP/NAME.pcapng; returns when it has begun. CAPTURE is its pid.
capture()
{
	local name=$1
	shift
	rm -f "$BR_TMP/$name.pcapng"
	"$RELAY_CTL" --socket "$BR_TMP/control.sock" capture --room talk \
		-o "$BR_TMP/$name.pcapng" "$@" >"$BR_TMP/$name.log" 2>&1 </dev/null &
	CAPTURE=$!
	BR_PIDS+=("$CAPTURE")
	br_until 5 test -s "$BR_TMP/$name.pcapng" || br_die "no capture: $(cat "$BR_TMP/$name.log")"
}

# capture_wait NAME PID: it ends by itself, with status 0
capture_wait()
{
	local status
	br_wait_gone "$2" 10 || { echo "it goes on: $(cat "$BR_TMP/$1.log")"; return 1; }
	wait "$2"
	status=$?
	cat "$BR_TMP/$1.log"
	[ $status = 0 ]
}

capture_interrupt() { kill -INT "$2" && capture_wait "$1" "$2"; }

# read_file NAME: one line per packet in $BR_TMP/NAME.tsv: interface, direction, XDP verdict, bytes
# of the IP packet, SSRC, payload, comment. RTP is told to tshark; of RTCP the SSRC stays empty.
read_file()
{
	tshark -r "$BR_TMP/$1.pcapng" -o udp.check_checksum:TRUE -o ip.check_checksum:TRUE \
		-d "udp.port==$RELAY_MEDIA_PORT,rtp" -T fields -e frame.interface_name \
		-e frame.packet_flags_direction -e frame.verdict.ebpf_xdp -e frame.len \
		-e rtp.ssrc -e udp.checksum.status -e udp.payload -e frame.comment \
		2>"$BR_TMP/$1.err" >"$BR_TMP/$1.tsv" && ! grep -i -e error -e damaged "$BR_TMP/$1.err"
}

# rows NAME INTERFACE DIRECTION VERDICT: packets and bytes of IP
rows()
{
	awk -F '\t' -v i="$2" -v d="$3" -v v="$4" '$1 == i && $2 == d && $3 == v {
		n++; b += $4 - 14 } END { print n + 0, b + 0 }' "$BR_TMP/$1.tsv"
}

IN=0x00000001
OUT=0x00000002
DROP=1
PASS=2
REDIRECT=4

leg_counters() { echo "$(relay_leg talk "$1" "$2_packets") $(relay_leg talk "$1" "$2_bytes")"; }

# The file against the counters of this room, which were 0 before the capture.
file_is_true()
{
	local drops
	is "$(rows "$1" alice $IN $REDIRECT)" "$(leg_counters alice received)" &&
		is "$(rows "$1" bob $OUT $PASS)" "$(leg_counters bob sent)" &&
		is "$(rows "$1" carol $OUT $PASS)" "$(leg_counters carol sent)" || return 1
	drops=$(rows "$1" alice $IN $DROP)
	is "${drops% *}" "$(relay_leg talk alice dropped_received)" || return 1
	drops=$(rows "$1" narrow $OUT $DROP)
	is "${drops% *}" "$(relay_leg talk narrow dropped_sent)" &&
		is "$(rows "$1" narrow $OUT $PASS)" "0 0"
}

# enough NAME PACKETS: so many are in the file
enough()
{
	local n
	n=$(tshark -r "$BR_TMP/$1.pcapng" -T fields -e frame.number 2>/dev/null | wc -l)
	[ "$n" -ge "$2" ] || { echo "$n packets, expected $2"; return 1; }
}

comments()
{
	local text="drop: too_big (copy is larger than the next hop's MTU); leg alice -> narrow"
	is "$(awk -F '\t' '$1 == "narrow" { print $8 }' "$BR_TMP/$1.tsv" | sort -u)" \
		"$text; ssrc 0x00001000" || return 1
	text="drop: ssrc_refused (SSRC is not on the leg's list); leg alice; ssrc 0x00002000"
	is "$(awk -F '\t' '$1 == "alice" && $8 != "" { print $8 }' "$BR_TMP/$1.tsv" | sort -u)" \
		"$text" || return 1
	is "$(awk -F '\t' -v drop=$DROP '($3 == drop) != ($8 != "")' "$BR_TMP/$1.tsv" | wc -l)" 0
}

# Every copy has the payload of a packet that came in, in the same order, and a good checksum.
payloads()
{
	local name
	awk -F '\t' -v v=$REDIRECT '$3 == v { print $7 }' "$BR_TMP/$1.tsv" >"$BR_TMP/sent"
	[ -s "$BR_TMP/sent" ] || return 1
	for name in bob carol narrow; do
		awk -F '\t' -v n=$name '$1 == n { print $7 }' "$BR_TMP/$1.tsv" >"$BR_TMP/got"
		cmp "$BR_TMP/sent" "$BR_TMP/got" || return 1
	done
	is "$(awk -F '\t' '$6 == 0' "$BR_TMP/$1.tsv" | wc -l)" 0
}

# statistics NAME: of interface 0, the last: received, dropped, dropped by the kernel, delivered.
# tshark does not show them, so the blocks are read here (little-endian; type 5, then interface).
statistics()
{
	od -An -v -tu4 -w4 "$BR_TMP/$1.pcapng" | awk '
		{ word[NR - 1] = $1 }
		END {
			for (at = 0; at < NR; at += word[at + 1] / 4) {
				if (word[at] != 5 || word[at + 2] != 0)
					continue
				for (o = at + 5; word[o] % 65536; o += 1 + int((int(word[o] / 65536) + 3) / 4))
					value[word[o] % 65536] = word[o + 1]
			}
			print value[4], value[5], value[7], value[8]
		}'
}

# ---- what is switched on in the kernel ----

rings() { find "/proc/$RELAY_PID/fd" -lname '*perf_event*' | wc -l; }
flagged()
{
	local slot flags n=0
	for slot in {0..15}; do
		flags=$(bpftool -j map lookup pinned "$BR_TMP/bpf/legs" \
			key hex "$(printf %02x "$slot")" 00 00 00 | jq -r '.value[37]')
		[ $((flags & LEG_CAPTURE)) = 0 ] || n=$((n + 1))
	done
	echo $n
}
all_off() { is "$(flagged)" 0 && is "$(rings)" 0; }

# ---- the cases ----

whole_room()
{
	capture whole
	check "four legs are captured" is "$(flagged)" 4
	traffic 300
	br_until 10 enough whole $((300 * 4 + 7))
	check "Ctrl-C ends a capture" capture_interrupt whole "$CAPTURE"
	check "and tells of it" grep -qE '^1207 packets, .*, 0 lost$' "$BR_TMP/whole.log"
	check "only its owner reads the file" is "$(stat -c %a "$BR_TMP/whole.pcapng")" 600
	check "tshark reads it" read_file whole
	check "packets and bytes are those of the counters" file_is_true whole
	check "drops say why, other packets nothing" comments whole
	check "payloads went through unaltered" payloads whole
	check "nothing stays switched on" br_until 5 all_off
	check "statistics add up" is "$(statistics whole)" "1207 0 0 1207"
}

# Two at once, with limits of their own.
several()
{
	local leg short pipe
	capture leg --leg carol
	leg=$CAPTURE
	capture short --snaplen 64 --count 50
	short=$CAPTURE
	check "a leg of two captures is on once" is "$(flagged)" 4
	"$RELAY_CTL" --socket "$BR_TMP/control.sock" capture --room talk --duration 2 \
		>"$BR_TMP/pipe.pcapng" 2>"$BR_TMP/pipe.log" &
	pipe=$!
	br_until 5 test -s "$BR_TMP/pipe.pcapng"
	traffic 100
	check "--count ends it" capture_wait short "$short"
	read_file short
	check "with so many packets" is "$(wc -l <"$BR_TMP/short.tsv")" 50
	check "--snaplen keeps the first bytes, and the length" is "$(tshark -r "$BR_TMP/short.pcapng" \
		-Y 'frame.interface_name == "bob"' -T fields -e frame.cap_len -e frame.len 2>/dev/null |
		sort -u)" "64	$((BYTES + 42))"
	br_until 10 enough leg 100
	capture_interrupt leg "$leg" >/dev/null
	read_file leg
	check "--leg shows nothing else" is "$(cut -f 1 "$BR_TMP/leg.tsv" | sort | uniq -c | xargs)" \
		"100 carol"
	check "--duration ends it, standard output is a file" capture_wait pipe $pipe
	check "with the packets until then" enough pipe 407
	check "nothing stays switched on after several" br_until 5 all_off
}

# Joins, leaves and the end of the room in mid-capture.
changes()
{
	capture changes
	relay_add talk late "$(br_addr4 11)" 7002 subscriber
	traffic 50
	relay_remove talk late
	traffic 50
	br_until 10 enough changes $((50 * 9 + 14))
	relay_ctl remove talk >/dev/null
	check "the end of the room ends it" capture_wait changes "$CAPTURE"
	read_file changes
	check "who joined is in it until it left" is "$(rows changes late $OUT $PASS)" \
		"50 $((50 * (BYTES + 28)))"
	check "the others are to the end" is "$(rows changes bob $OUT $PASS)" \
		"100 $((100 * (BYTES + 28)))"
	check "nothing stays switched on after the room" br_until 5 all_off
	room_begin
}

# Who does not read is 1 MiB behind soon. The receivers get everything all the same.
slow_reader()
{
	local count=3000 fifo=$BR_TMP/fifo numbers packets sink
	mkfifo "$fifo"
	br_spawn a "$BR_TMP/sink.log" "$RELAY_LAB" sink --suite none --bind "$(br_addr4 11):7000" \
		--ssrc $SSRC --expect $count --duration 60 --report-only -o "$BR_TMP/bob.sink"
	sink=$BR_PID
	br_until 10 br_udp_bound a 7000
	exec 9<>"$fifo"
	"$RELAY_CTL" --socket "$BR_TMP/control.sock" capture --room talk \
		>"$fifo" 2>"$BR_TMP/slow.log" 9>&- &
	CAPTURE=$!
	br_until 5 test "$(flagged)" = 4
	traffic $count 3000
	check "a slow reader is no burden: all arrive" br_wait_gone "$sink" 30
	check "unaltered" is "$(jq -c '.receivers[0] | [.received, .lost, .altered_bytes]' \
		"$BR_TMP/bob.sink")" "[$count,0,0]"
	# from here on the command alone writes, so that the reader sees its end
	exec 8<"$fifo" 9>&-
	cat <&8 >"$BR_TMP/slow.pcapng" &
	READER=$!
	exec 8<&-
	br_until 5 stopped_growing "$BR_TMP/slow.pcapng"
	relay_ctl remove talk >/dev/null
	check "it ends with the room" capture_wait slow "$CAPTURE"
	wait "$READER"
	check "its file is sound" read_file slow
	packets=$(wc -l <"$BR_TMP/slow.tsv")
	numbers=$(statistics slow)
	check "it lost packets: $numbers" test "$packets" -lt $((count * 3))
	# shellcheck disable=SC2086 # a list of numbers
	check "and says how many" lost_add_up "$packets" $((count * 4 + 7)) $numbers
	check "the command says so too" grep -qE 'packets, .*, [1-9].* lost$' "$BR_TMP/slow.log"
	room_begin
}

# lost_add_up IN_FILE PASSED RECEIVED DROPPED DROPPED_BY_KERNEL DELIVERED
lost_add_up()
{
	is "$6" "$1" && is "$3" "$2" && is $(($4 + $5 + $6)) "$3" && [ "$4" -gt 0 ]
}

stopped_growing()
{
	local before
	before=$(stat -c %s "$1")
	[ "$before" -gt 0 ] && sleep 0.3 && [ "$(stat -c %s "$1")" = "$before" ]
}

killed()
{
	capture killed
	traffic 50
	kill -KILL "$CAPTURE"
	check "a client that is killed leaves nothing on" br_until 5 all_off
	read_file killed
	check "its file is sound so far" test -s "$BR_TMP/killed.tsv"
	capture orphan
	check "a capture runs" is "$(flagged)" 4
	kill -KILL "$RELAY_PID"
	br_wait_gone "$RELAY_PID" 5
	check "the command says that the daemon went" br_not capture_wait orphan "$CAPTURE"
	check "the kernel still has the flags" is "$(flagged)" 4
	traffic 50
	start
	check "the next daemon clears them" all_off
	check "packets went on meanwhile" test "$(relay_leg talk bob sent_packets)" -ge 100
	capture again
	traffic 50
	br_until 10 enough again $((50 * 4 + 7))
	check "and captures as well" capture_interrupt again "$CAPTURE"
}

# other_mode MODE VERDICT: of packets that come in. The daemon's own sockets know no link layer.
other_mode()
{
	local name=$1 verdict=$2
	start "$1"
	relay_add talk alice "$(br_addr4 2)" 6000 publisher $SSRC
	relay_add talk bob "$(br_addr4 11)" 7000 subscriber
	relay_add talk carol "$(br_addr6 11)" 7000 subscriber
	br_until 5 relay_all_ready
	capture "$name"
	traffic 100
	br_until 10 enough "$name" 307
	check "$name: a capture ends" capture_interrupt "$name" "$CAPTURE"
	check "$name: tshark reads it" read_file "$name"
	check "$name: what came in is in it" is "$(rows "$name" alice $IN "$verdict")" \
		"$(leg_counters alice received)"
	check "$name: drops too" is "$(rows "$name" alice $IN $DROP)" "7 $((7 * (BYTES + 28)))"
	check "$name: what went out over IPv4" is "$(rows "$name" bob $OUT $PASS)" \
		"$(leg_counters bob sent)"
	check "$name: what went out over IPv6" is "$(rows "$name" carol $OUT $PASS)" \
		"$(leg_counters carol sent)"
	check "$name: hundred packets each" is "$(leg_counters carol sent)" "100 $((100 * (BYTES + 48)))"
	awk -F '\t' -v v="$verdict" '$1 == "alice" && $3 == v { print $7 }' "$BR_TMP/$name.tsv" \
		>"$BR_TMP/sent"
	awk -F '\t' '$1 == "carol" { print $7 }' "$BR_TMP/$name.tsv" >"$BR_TMP/got"
	check "$name: payloads are the same" cmp "$BR_TMP/sent" "$BR_TMP/got"
	check "$name: checksums are good" is "$(awk -F '\t' '$6 == 0' "$BR_TMP/$name.tsv" | wc -l)" 0
	check "$name: the relay ends" relay_stop
}

# refused NAME STATUS WORD COMMAND...
refused()
{
	local name=$1 status=$2 word=$3
	shift 3
	check "$name" refused_with "$status" "$word" "$@"
}

refused_with()
{
	local expected=$1 word=$2 status
	shift 2
	timeout 10 "$@" >"$BR_TMP/out" 2>"$BR_TMP/refused" </dev/null
	status=$?
	cat "$BR_TMP/refused"
	is $status "$expected" && grep -qF -- "$word" "$BR_TMP/refused"
}

wrong_input()
{
	local ctl=("$RELAY_CTL" --socket "$BR_TMP/control.sock" capture) file=$BR_TMP/there.pcapng
	echo precious >"$file"
	refused "no room" 2 "--room" "${ctl[@]}" -o "$BR_TMP/x.pcapng"
	refused "unknown room" 1 'no room "nosuch"' "${ctl[@]}" --room nosuch -o "$BR_TMP/x.pcapng"
	check "leaves no file" test ! -e "$BR_TMP/x.pcapng"
	refused "unknown leg" 1 'no leg "nosuch"' "${ctl[@]}" --room talk --leg nosuch -o -
	refused "a file is there" 2 "--force" "${ctl[@]}" --room talk -o "$file"
	check "and stays" grep -q precious "$file"
	refused "snaplen is too small" 2 "64 to 16384" "${ctl[@]}" --room talk --snaplen 10
	refused "count is a word" 2 "--count" "${ctl[@]}" --room talk --count many
	refused "no such folder" 2 "No such file" "${ctl[@]}" --room talk -o "$BR_TMP/none/x.pcapng"
	refused "--force overwrites" 0 "0 packets" "${ctl[@]}" --room talk -o "$file" --force --duration 1
	check "with a capture" br_not grep -q precious "$file"
}

for tool in tshark bpftool jq od; do
	command -v $tool >/dev/null || br_die "$tool is missing: run scripts/install-deps.sh test"
done
relay_find_programs
br_net_begin
br_net_switch
br_net_host relay 1
br_net_host publisher 2
br_net_host a 11
br_net_host b 12
mkdir "$BR_TMP/bpf" && mount -t bpf -o mode=0700 bpf "$BR_TMP/bpf" || br_die "no bpffs"
start
room_begin
whole_room
several
changes
slow_reader
wrong_input
killed
check "the relay ends with status 0" relay_stop
other_mode generic $REDIRECT
other_mode none $PASS
checks_end
