#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The demonstration: `sudo make demo`, about a minute.
#
# A publisher sends a test picture and a tone, encoded (VP8, Opus) and encrypted (SRTP) with a
# key the relay never sees, to two rooms: one over IPv4, one over IPv6; every packet once per
# room. Eight receivers on hosts of their own decode what the relay's XDP programs copy to
# them, four with ffmpeg and four with GStreamer; two of them join and leave in mid-run.
# Packets are captured at the publisher and at every receiver and compared at the end. The exit
# status is 0 only if every receiver decoded at least 95 % of the frames sent while it was
# there, nothing was lost or altered, and the kernel's counters account for every copy.
set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=scripts/lib/netns.sh
. scripts/lib/netns.sh
# shellcheck source=scripts/lib/relay.sh
. scripts/lib/relay.sh
# shellcheck source=scripts/lib/media.sh
. scripts/lib/media.sh
# shellcheck source=scripts/lib/report.sh
. scripts/lib/report.sh

SECONDS_OF_MEDIA=${DEMO_SECONDS:-42}
OUT=build/demo
RELAY=1
PUBLISHER=2

# name, host number, family, decoder, joins at, leaves at (seconds of media; 0: always there)
RECEIVERS="
r1 11 4 ffmpeg     0  0
r2 12 4 gstreamer  0  0
r3 13 4 ffmpeg     0  0
r4 14 6 ffmpeg     0  0
r5 15 6 gstreamer  0  0
r6 16 6 gstreamer  0  0
r7 17 4 ffmpeg     6 34
r8 18 6 gstreamer  8 36"

declare -A NUMBER FAMILY DECODER JOINS LEAVES PID JOINED LEFT CAPTURE KEY
NAMES=

load_receivers()
{
	local name number family decoder joins leaves
	while read -r name number family decoder joins leaves; do
		[ -n "$name" ] || continue
		NAMES="$NAMES $name"
		NUMBER[$name]=$number FAMILY[$name]=$family DECODER[$name]=$decoder
		JOINS[$name]=$joins LEAVES[$name]=$leaves
	done <<<"$RECEIVERS"
}

address() { "br_addr$2" "$1"; } # address NUMBER FAMILY
video_ssrc() { echo $((0x10000000 * $1 + 1)); } # of the room of a family
audio_ssrc() { echo $((0x10000000 * $1 + 2)); }
first_port() { echo $((6000 + 10 * ($1 == 6))); } # the publisher sends from this port and + 2
now() { echo "${EPOCHREALTIME/,/.}"; }

say() { printf '%s\n' "$*"; }

# capture HOST DIRECTION: full packets to and from the relay's media port, for the comparison.
capture()
{
	br_spawn "$1" "$BR_TMP/$1.tcpdump" tcpdump -i media -n -s 0 -U --immediate-mode -Z root \
		-B 8192 -w "$BR_TMP/$1.pcap" "udp $2 port $RELAY_MEDIA_PORT"
	CAPTURE[$1]=$BR_PID
	br_until 10 grep -q 'listening on' "$BR_TMP/$1.tcpdump" ||
		br_die "tcpdump does not start on $1: $(tail -n 1 "$BR_TMP/$1.tcpdump")"
}

# Two rooms, in each one leg for the publisher's picture and one for its sound.
make_rooms()
{
	local family port
	for family in 4 6; do
		KEY[$family]=$(media_key)
		port=$(first_port "$family")
		relay_add "demo$family" picture "$(address $PUBLISHER "$family")" "$port" \
			publisher "$(video_ssrc "$family")"
		relay_add "demo$family" sound "$(address $PUBLISHER "$family")" $((port + 2)) \
			publisher "$(audio_ssrc "$family")"
	done
}

# join NAME, leave NAME: the two legs of a receiver, one for picture and one for sound.
join()
{
	local family=${FAMILY[$1]} where
	where=$(address "${NUMBER[$1]}" "$family")
	relay_add "demo$family" "$1-picture" "$where" "$MEDIA_VIDEO_PORT" subscriber \
		"$(video_ssrc "$family")"
	relay_add "demo$family" "$1-sound" "$where" "$MEDIA_AUDIO_PORT" subscriber \
		"$(audio_ssrc "$family")"
	JOINED[$1]=$(now)
}

leave()
{
	LEFT[$1]=$(now)
	media_stop "${PID[$1]}"
	relay_remove "demo${FAMILY[$1]}" "$1-picture"
	relay_remove "demo${FAMILY[$1]}" "$1-sound"
}

start_receiver()
{
	local family=${FAMILY[$1]}
	capture "$1" src
	"media_receive_${DECODER[$1]}" "$1" "$family" "$(address "${NUMBER[$1]}" "$family")" \
		"${KEY[$family]}" "$(video_ssrc "$family")" "$(audio_ssrc "$family")"
	PID[$1]=$BR_PID
}

receiver_ready()
{
	br_udp_bound "$1" "$MEDIA_VIDEO_PORT" && br_udp_bound "$1" "$MEDIA_AUDIO_PORT"
}

await_receivers()
{
	local name
	for name in $NAMES; do
		br_until 15 receiver_ready "$name" ||
			br_die "receiver $name does not start: $(tail -n 1 "$BR_TMP/$name.log")"
		[ "${JOINS[$name]}" != 0 ] || join "$name"
	done
	br_until 5 relay_all_ready || br_die "the relay cannot resolve every receiver's address"
}

publish()
{
	local family host port outputs=''
	for family in 4 6; do
		host=$(address $RELAY "$family")
		[ "$family" = 4 ] || host="[$host]"
		port=$(first_port "$family")
		outputs+=${outputs:+|}$(media_output v 96 "$(video_ssrc "$family")" \
			"${KEY[$family]}" "$host" "$RELAY_MEDIA_PORT" "$port")
		outputs+="|"$(media_output a 97 "$(audio_ssrc "$family")" \
			"${KEY[$family]}" "$host" "$RELAY_MEDIA_PORT" $((port + 2)))
	done
	media_publish publisher "$SECONDS_OF_MEDIA" "$outputs"
	PUBLISHER_PID=$BR_PID
}

# on_second SECOND: who joins and who leaves now.
on_second()
{
	local name
	for name in $NAMES; do
		if [ "${JOINS[$name]}" != 0 ] && [ "$1" -ge "${JOINS[$name]}" ] &&
			[ -z "${JOINED[$name]:-}" ]; then
			join "$name"
			say "    $name joins"
		fi
		if [ "${LEAVES[$name]}" != 0 ] && [ "$1" -ge "${LEAVES[$name]}" ] &&
			[ -z "${LEFT[$name]:-}" ]; then
			leave "$name"
			say "    $name leaves"
		fi
	done
}

receivers_now()
{
	local name count=0
	for name in $NAMES; do
		[ -z "${JOINED[$name]:-}" ] || [ -n "${LEFT[$name]:-}" ] || count=$((count + 1))
	done
	echo $count
}

# Follow the publisher's progress (descriptor 3), which is the clock of the demo.
follow()
{
	local key value frame=0 second in out
	while IFS='=' read -r -t 10 key value <&3; do
		case $key in
		frame) frame=$value ;;
		out_time_us)
			[[ $value =~ ^[0-9]+$ ]] || continue
			second=$((value / 1000000))
			read -r in out <<<"$(relay_counters forwarded copied)"
			printf '%4d s  %5d frames sent  %6d packets in  %7d copies out  %d receivers\n' \
				"$second" "$frame" "$in" "$out" "$(receivers_now)"
			on_second "$second"
			;;
		progress) [ "$value" != end ] || break ;;
		esac
	done
	br_wait_gone "$PUBLISHER_PID" 10
	wait "$PUBLISHER_PID" ||
		br_die "the publisher ended with status $?: $(tail -n 3 "$BR_TMP/publisher.log")"
	FRAMES_SENT=$frame
}

gstreamer_done() { [ "$(media_frames "$1" gstreamer)" -ge "$FRAMES_SENT" ]; }

# ffmpeg ends by itself on the publisher's RTCP BYE; GStreamer is given the time to show its last
# pictures and then told.
finish_receivers()
{
	local name
	for name in $NAMES; do
		br_running "${PID[$name]}" || continue
		case ${DECODER[$name]} in
		ffmpeg) br_wait_gone "${PID[$name]}" 5 ;;
		gstreamer) br_until 2 gstreamer_done "$name" ;;
		esac
		media_stop "${PID[$name]}"
	done
	for name in "${!CAPTURE[@]}"; do
		br_stop "${CAPTURE[$name]}" INT
	done
}

main()
{
	local name
	load_receivers
	relay_find_programs
	br_net_begin
	mkdir -p $OUT
	rm -f $OUT/*.png
	say "Hosts: publisher, relay and$NAMES, each in a network namespace of its own."
	br_net_switch
	br_net_host relay $RELAY
	br_net_host publisher $PUBLISHER
	for name in $NAMES; do
		br_net_host "$name" "${NUMBER[$name]}"
	done
	relay_start relay "${DEMO_MODE:-native}"
	make_rooms
	media_mux_rtcp publisher "$(first_port 4)" "$(first_port 6)"
	capture publisher dst
	for name in $NAMES; do
		start_receiver "$name"
	done
	await_receivers
	say "Room demo4 over IPv4, room demo6 over IPv6. The publisher encodes once and sends each"
	say "packet once to each room; the relay has no key. Receivers decode while XDP copies:"
	publish
	follow
	finish_receivers
	report
}

main "$@"
